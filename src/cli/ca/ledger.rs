//! Where the CA's ledger is: in its folder, or in a database that several machines share.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use crate::ca::{
    Config, Ledger, LedgerError, Place, PostgresAccess, PostgresLedger, PostgresTls, SqliteLedger, TlsFiles,
};
use crate::cli::files;
use crate::cli::load::Loaded;
use crate::cli::output::shown;
use crate::cli::passphrase::PassphraseSource;
use crate::cli::problem::Hinted;
use crate::cli::text::for_shell;
use crate::cli::verify::roots;
use crate::key::PrivateKey;
use crate::x509::Certificate;

/// Where the ledger is
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct LedgerArgs {
    /// The ledger in a PostgreSQL database, postgres://USER@HOST:PORT/DATABASE. Another machine needs TLS;
    /// ?sslrootcert=FILE names its CA, &sslcert=FILE and &sslkey=FILE your certificate [env: CERTKIT_LEDGER] [default:
    /// `ledger` of ca.toml, or ledger.db in the folder of the CA]
    #[arg(long, global = true, value_name = "URL")]
    ledger: Option<String>,

    /// Where the password of the database comes from: prompt, file:PATH, env:NAME or fd:N [env: PGPASSWORD, itself]
    #[arg(long, global = true, value_name = "SOURCE")]
    ledger_password: Option<PassphraseSource>,
}

/// Where a ledger is.
#[derive(Debug, Clone)]
pub(super) enum Location {
    /// In a file.
    File(PathBuf),
    /// In a database.
    Database(PostgresAccess),
}

/// A ledger to be looked at, and the earlier schema that it has, beside the latest.
pub(super) type ToCheck = (Box<dyn Ledger>, Option<(i64, i64)>);

/// What is remembered of a ledger.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    /// What `ca.toml` says of it from now on, if that is new.
    pub(super) url: Option<String>,
    /// What there is to tell of that.
    pub(super) word: Option<String>,
}

impl LedgerArgs {
    /// A flag that is given.
    pub(super) fn given(&self) -> Option<&'static str> {
        match self {
            Self { ledger: Some(_), .. } => Some("--ledger"),
            Self { ledger_password: Some(_), .. } => Some("--ledger-password"),
            _ => None,
        }
    }

    /// The flags as they have to be given again, in a shell; a password is never one, and a file descriptor is not open then.
    pub(super) fn flags(&self) -> String {
        let url = self.ledger.as_ref().filter(|url| !PostgresAccess::has_password(url));
        let url = url.map(|url| format!(" --ledger {}", for_shell(url))).unwrap_or_default();
        let source = self.ledger_password.as_ref().filter(|source| !matches!(source, PassphraseSource::Fd(_)));
        let source = source.map(|source| format!(" --ledger-password {}", for_shell(&source.to_string())));
        url + &source.unwrap_or_default()
    }

    /// The ledger's URL and where its password comes from, as the command line or `CERTKIT_LEDGER` has them.
    ///
    /// # Errors
    /// Where the environment's has a password in it: that is nothing to write down.
    pub(super) fn outspoken(&self) -> anyhow::Result<(Option<String>, Option<&PassphraseSource>)> {
        let url = self.ledger.clone().or_else(from_environment);
        if url.as_deref().is_some_and(PostgresAccess::has_password) {
            return Err(anyhow!("the ledger's URL has a password in it, which is nothing to write down"))
                .hint("leave it out of the URL, and say --ledger-password file:PATH");
        }
        Ok((url, self.ledger_password.as_ref()))
    }

    /// Whether the password of the database comes from `PGPASSWORD` alone.
    pub(super) fn lean_on_environment(&self, config: &Config) -> bool {
        let in_url = self.ledger.is_none() && config.ledger.as_deref().is_some_and(PostgresAccess::has_password);
        self.ledger_password.is_none() && !in_url && password_from_environment().is_some()
    }

    /// What `ca.toml` is to say of the ledger that the command line or `CERTKIT_LEDGER` names, so that the next command finds
    /// it without them.
    ///
    /// # Errors
    /// Where `ca.toml` names another one.
    pub(super) fn to_remember(&self, place: &Place, config: &Config) -> anyhow::Result<Remembered> {
        let Some(url) = self.ledger.clone().or_else(from_environment) else { return Ok(Remembered::default()) };
        let file = shown(&place.config());
        let named = |url: &str| PostgresAccess::new(url, "", None).map(|access| access.name().to_owned());
        let name = named(&url)?;
        if let Some(known) = &config.ledger {
            return match named(known)? == name {
                true => Ok(Remembered::default()),
                false => Err(anyhow!("{file} names another ledger than {name}"))
                    .hint("take that line out, or leave out --ledger and CERTKIT_LEDGER"),
            };
        }
        if PostgresAccess::has_password(&url) {
            let word = format!(
                "{file} does not name the ledger, for CERTKIT_LEDGER has a password in it: go on setting that, or write \
                 `ledger = \"postgres://USER@HOST:PORT/DATABASE\"` there and give the password in PGPASSWORD or with \
                 --ledger-password"
            );
            return Ok(Remembered { url: None, word: Some(word) });
        }
        let has_password = self.ledger_password.is_some() || password_from_environment().is_some();
        let without = if has_password { ", but not its password: go on giving that as you did now" } else { "" };
        let url = PostgresAccess::with_files_from(&url, &env::current_dir().context("cannot find this folder")?)?;
        Ok(Remembered { url: Some(url), word: Some(format!("{file} names the ledger from now on{without}")) })
    }

    /// Where the ledger of this place is.
    pub(super) fn location(&self, place: &Place, config: &Config) -> anyhow::Result<Location> {
        if self.ledger.as_deref().is_some_and(PostgresAccess::has_password) {
            return Err(anyhow!("--ledger has a password in it, which everybody on this machine can read there"))
                .hint("give it with --ledger-password, or in PGPASSWORD, CERTKIT_LEDGER or ca.toml");
        }
        // Files that ca.toml names are found from wherever certkit runs.
        let here = self.ledger.clone().or_else(from_environment).map(|url| (url, Path::new("")));
        match here.or_else(|| config.ledger.clone().map(|url| (url, place.folder()))) {
            Some((url, folder)) => Ok(Location::Database(self.access(&url, folder)?)),
            None if self.ledger_password.is_some() => {
                Err(anyhow!("--ledger-password has no effect: the ledger is a file"))
                    .hint("say where it is with --ledger")
            }
            None => Ok(Location::File(place.ledger())),
        }
    }

    /// `folder` is where the files that the URL names are looked for.
    fn access(&self, url: &str, folder: &Path) -> anyhow::Result<PostgresAccess> {
        let password =
            self.ledger_password.as_ref().map(|source| source.existing("the ledger's database")).transpose()?;
        let from_environment = password_from_environment();
        let user = whoami::username().unwrap_or_else(|_| "certkit".to_owned());
        let given = password.as_deref().or(from_environment.as_ref().map(|password| password.as_encoded_bytes()));
        let access = PostgresAccess::new(url, &user, given)?;
        let Some(files) = access.tls_files() else { return Ok(access) };
        let tls = tls(files, folder).with_context(|| format!("cannot speak TLS with the ledger {}", access.name()))?;
        Ok(access.encrypted(tls))
    }
}

/// Loads what TLS to a database takes.
fn tls(files: &TlsFiles, folder: &Path) -> anyhow::Result<PostgresTls> {
    let roots = match files.roots_file() {
        Some(path) => {
            let path = folder.join(path);
            roots::of_file(&path)?
        }
        None => roots::of_system().hint("name the CA of the server's certificate: ?sslrootcert=FILE")?.0,
    };
    let identity = identity(files, folder)?;
    let identity = identity.as_ref().map(|(chain, key)| (chain.as_slice(), key));
    Ok(PostgresTls::new(&roots, identity)?)
}

/// The certificate for servers that ask for one, with its issuers, and its key.
fn identity(files: &TlsFiles, folder: &Path) -> anyhow::Result<Option<(Vec<Certificate>, PrivateKey)>> {
    let Some(certificate) = &files.certificate else { return Ok(None) };
    let path = folder.join(certificate);
    let loaded = Loaded::read(&path)?;
    let chain = loaded.certificates()?;
    let key = folder.join(files.key.as_ref().unwrap_or(certificate));
    if files.key.is_none() && !loaded.document.items().iter().any(|item| item.private_key().is_some()) {
        return Err(anyhow!("{} holds no private key", shown(&path))).hint("sslkey=FILE names its key");
    }
    // As libpq has it: a key that others can read is none.
    files::is_for_its_owner_alone(&key)?;
    let key = Loaded::read(&key)?.private_key(None)?;
    Ok(Some((chain, key)))
}

fn password_from_environment() -> Option<OsString> {
    env::var_os("PGPASSWORD").filter(|password| !password.is_empty())
}

fn from_environment() -> Option<String> {
    env::var("CERTKIT_LEDGER").ok().filter(|url| !url.is_empty())
}

impl Location {
    /// The ledger that is there.
    pub(super) fn open(&self) -> anyhow::Result<Box<dyn Ledger>> {
        Ok(match self {
            Self::File(path) => Box::new(SqliteLedger::open(path)?),
            Self::Database(access) => Box::new(hinted(PostgresLedger::open(access))?),
        })
    }

    /// The ledger that is there, to be mended.
    pub(super) fn open_to_mend(&self) -> anyhow::Result<Box<dyn Ledger>> {
        match self {
            Self::File(path) => Ok(Box::new(SqliteLedger::open_to_mend(path)?)),
            Self::Database(_) => self.open(),
        }
    }

    /// Whether it is a file: then every authority in it is of one folder.
    pub(super) fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// The ledger that is there, also where nothing may be written.
    pub(super) fn open_to_read(&self) -> anyhow::Result<Box<dyn Ledger>> {
        match self {
            Self::File(path) => Ok(Box::new(SqliteLedger::open_to_read(path)?)),
            Self::Database(_) => self.open(),
        }
    }

    /// The ledger that is there, to be looked at and left as it is; and the earlier schema that it has, beside the latest, where
    /// a copy is looked at.
    pub(super) fn open_to_check(&self) -> anyhow::Result<ToCheck> {
        match self {
            Self::File(path) => {
                let ledger = SqliteLedger::open_to_check(path)?;
                let earlier = ledger.earlier_schema();
                Ok((Box::new(ledger), earlier))
            }
            Self::Database(access) => Ok((Box::new(hinted(PostgresLedger::open_to_check(access))?), None)),
        }
    }

    /// A new ledger, or the one that is there.
    pub(super) fn create(&self) -> anyhow::Result<Box<dyn Ledger>> {
        Ok(match self {
            Self::File(path) => Box::new(SqliteLedger::create(path)?),
            Self::Database(access) => Box::new(hinted(PostgresLedger::create(access))?),
        })
    }

    /// It as it is shown: without a password.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::File(path) => shown(path),
            Self::Database(access) => access.name().to_owned(),
        }
    }
}

/// Says what to do where no database answers.
fn hinted<T>(opened: Result<T, LedgerError>) -> anyhow::Result<T> {
    let hint = match &opened {
        Err(LedgerError::Unreachable { .. }) => Some(
            "the database has to be there (createdb), and its user to be let in; a password comes with --ledger-password; \
             sslmode=verify-full in the URL asks this machine for TLS too",
        ),
        Err(LedgerError::Insecure { .. }) => Some(
            "the server needs `ssl = on`, and a certificate for the host of the URL; its CA is named with ?sslrootcert=FILE",
        ),
        Err(LedgerError::Older { .. }) => {
            Some("its owner has to run certkit ca list once: nobody else may change its tables, whatever was granted")
        }
        _ => None,
    };
    opened.hint_if(hint)
}
