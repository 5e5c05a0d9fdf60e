//! Where the CA's ledger is: in its folder, or in a database that several machines share.

use std::env;
use std::path::PathBuf;

use anyhow::anyhow;

use crate::ca::{Config, Ledger, LedgerError, Place, PostgresAccess, PostgresLedger, SqliteLedger};
use crate::cli::output::shown;
use crate::cli::passphrase::PassphraseSource;
use crate::cli::problem::Hinted;

/// Where the ledger is
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct LedgerArgs {
    /// The ledger in a PostgreSQL database, postgres://USER@HOST:PORT/DATABASE [env: CERTKIT_LEDGER] [default: `ledger` of
    /// ca.toml, or ledger.db in the folder of the CA]
    #[arg(long, global = true, value_name = "URL")]
    ledger: Option<String>,

    /// Where the password of the database comes from: prompt, file:PATH, env:NAME or fd:N [env: PGPASSWORD, itself]
    #[arg(long, global = true, value_name = "SOURCE")]
    ledger_password: Option<PassphraseSource>,
}

/// Where a ledger is.
#[derive(Debug)]
pub(super) enum Location {
    /// In a file.
    File(PathBuf),
    /// In a database.
    Database(PostgresAccess),
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

    /// Where the ledger of this place is.
    pub(super) fn location(&self, place: &Place, config: &Config) -> anyhow::Result<Location> {
        if self.ledger.as_deref().is_some_and(PostgresAccess::has_password) {
            return Err(anyhow!("--ledger has a password in it, which everybody on this machine can read there"))
                .hint("give it with --ledger-password, or in PGPASSWORD, CERTKIT_LEDGER or ca.toml");
        }
        let from_environment = || env::var("CERTKIT_LEDGER").ok().filter(|url| !url.is_empty());
        match self.ledger.clone().or_else(from_environment).or_else(|| config.ledger.clone()) {
            Some(url) => Ok(Location::Database(self.access(&url)?)),
            None if self.ledger_password.is_some() => {
                Err(anyhow!("--ledger-password has no effect: the ledger is a file"))
                    .hint("say where it is with --ledger")
            }
            None => Ok(Location::File(place.ledger())),
        }
    }

    fn access(&self, url: &str) -> anyhow::Result<PostgresAccess> {
        let password =
            self.ledger_password.as_ref().map(|source| source.existing("the ledger's database")).transpose()?;
        let from_environment = env::var_os("PGPASSWORD").filter(|password| !password.is_empty());
        let user = whoami::username().unwrap_or_else(|_| "certkit".to_owned());
        let given = password.as_deref().or(from_environment.as_ref().map(|password| password.as_encoded_bytes()));
        Ok(PostgresAccess::new(url, &user, given)?)
    }
}

impl Location {
    /// The ledger that is there.
    pub(super) fn open(&self) -> anyhow::Result<Box<dyn Ledger>> {
        Ok(match self {
            Self::File(path) => Box::new(SqliteLedger::open(path)?),
            Self::Database(access) => Box::new(hinted(PostgresLedger::open(access))?),
        })
    }

    /// The ledger that is there, also where nothing may be written.
    pub(super) fn open_to_read(&self) -> anyhow::Result<Box<dyn Ledger>> {
        match self {
            Self::File(path) => Ok(Box::new(SqliteLedger::open_to_read(path)?)),
            Self::Database(_) => self.open(),
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
    match opened {
        Err(error @ LedgerError::Unreachable { .. }) => Err(error).hint(
            "the database has to be there (createdb), and its user to be let in; a password comes with --ledger-password",
        ),
        other => Ok(other?),
    }
}
