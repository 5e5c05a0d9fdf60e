//! The key that signs: in the CA's folder, or where it was put.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::anyhow;

use super::place::Chosen;
use crate::ca::place::is_there;
use crate::ca::{AbsentKey, AuthorityName, Config};
use crate::cli::files::{folder_is_open, permissions};
use crate::cli::load::Loaded;
use crate::cli::output::{Session, shown};
use crate::cli::passphrase::PassphraseSource;
use crate::cli::problem::Hinted;
use crate::key::PrivateKey;

/// The key that signs
#[derive(Debug, Default, clap::Args)]
pub(in crate::cli) struct SignerArgs {
    /// Where the passphrase of the CA's key comes from: prompt, file:PATH, env:NAME or fd:N [default: prompt, if there is one]
    #[arg(long, value_name = "SOURCE")]
    ca_passphrase: Option<PassphraseSource>,

    /// The CA's key, where it is not in the CA's folder because it was set aside
    #[arg(long, value_name = "FILE")]
    ca_key: Option<PathBuf>,
}

impl SignerArgs {
    /// Whether a key or its passphrase is named.
    pub(in crate::cli) fn are_given(&self) -> bool {
        self.ca_passphrase.is_some() || self.ca_key.is_some()
    }

    /// The flags that are given, for a program that runs when nobody is there.
    pub(super) fn given(&self) -> (Option<&PassphraseSource>, Option<&PathBuf>) {
        (self.ca_passphrase.as_ref(), self.ca_key.as_ref())
    }

    /// Whether the key of the authority that signs is under a passphrase.
    pub(super) fn is_encrypted(&self, chosen: &Chosen) -> anyhow::Result<bool> {
        Ok(self.load(chosen, &chosen.issuer()?, NO_OTHER)?.is_under_passphrase())
    }

    /// Refuses a key or its passphrase where nothing is signed.
    pub(super) fn is_idle(&self, why: &str) -> anyhow::Result<()> {
        match self.are_given() {
            true => Err(anyhow!("--ca-key and --ca-passphrase have no effect: {why}")),
            false => Ok(()),
        }
    }

    /// The private key of the authority that signs. Warns where everybody may read it or put another in its place.
    pub(in crate::cli) fn key(&self, chosen: &Chosen, session: &mut Session) -> anyhow::Result<PrivateKey> {
        self.key_by(chosen, &chosen.issuer()?, ON_THE_COMMAND_LINE, session)
    }

    /// The same for what no other authority can sign.
    pub(super) fn own_key(&self, chosen: &Chosen, session: &mut Session) -> anyhow::Result<PrivateKey> {
        self.key_by(chosen, &chosen.issuer()?, NO_OTHER, session)
    }

    /// The private key of an authority that certifies another. Warns likewise.
    pub(in crate::cli) fn key_of(
        &self,
        chosen: &Chosen,
        name: &AuthorityName,
        session: &mut Session,
    ) -> anyhow::Result<PrivateKey> {
        self.key_by(chosen, name, BELOW_IT, session)
    }

    fn key_by(
        &self,
        chosen: &Chosen,
        name: &AuthorityName,
        way: Way,
        session: &mut Session,
    ) -> anyhow::Result<PrivateKey> {
        let key = self.load(chosen, name, way)?.private_key_by(FLAG, self.ca_passphrase.as_ref())?;
        warn_if_open(self.ca_key.as_deref(), chosen, name, session);
        Ok(key)
    }

    /// The private key of one of several authorities: `--ca-key` is that of the one that signs. Warns likewise.
    pub(super) fn key_among(
        &self,
        chosen: &Chosen,
        name: &AuthorityName,
        session: &mut Session,
    ) -> anyhow::Result<PrivateKey> {
        if self.ca_key.is_some() && chosen.issuer()? == *name {
            return self.key_by(chosen, name, NO_OTHER, session);
        }
        let loaded = in_folder(chosen, name, NO_OTHER)?;
        let key = loaded.private_key_by(FLAG, self.ca_passphrase.as_ref())?;
        warn_if_open(None, chosen, name, session);
        Ok(key)
    }

    /// The private key of an authority, with its file and whether that is under a passphrase.
    pub(in crate::cli) fn open(
        &self,
        chosen: &Chosen,
        name: &AuthorityName,
    ) -> anyhow::Result<(PrivateKey, PathBuf, bool)> {
        let loaded = self.load(chosen, name, NO_OTHER)?;
        let key = loaded.private_key_by(FLAG, self.ca_passphrase.as_ref())?;
        let encrypted = loaded.is_under_passphrase();
        let path = self.ca_key.clone().unwrap_or_else(|| chosen.place().key_of(name));
        Ok((key, path, encrypted))
    }

    fn load(&self, chosen: &Chosen, name: &AuthorityName, way: Way) -> anyhow::Result<Loaded> {
        match &self.ca_key {
            Some(path) => Loaded::read(path),
            None => in_folder(chosen, name, way),
        }
    }
}

/// Warns where everybody may read an authority's key or put another in its place; `aside` is where it is, if not in the
/// folder.
pub(super) fn warn_if_open(aside: Option<&Path>, chosen: &Chosen, name: &AuthorityName, session: &mut Session) {
    let path = aside.map_or_else(|| chosen.place().key_of(name), Path::to_owned);
    let is_open = permissions(&path).is_some_and(|mode| mode & 0o006 != 0) && folder_is_open(&path);
    if is_open && is_first_time(&path) {
        let path = shown(&path);
        session.warn(format_args!("{path} is the key of {name}, and everybody may read or write it: chmod 600 {path}"));
    }
}

/// Warns where everybody may put other files in the place of a CA's: a folder that was there keeps its mode.
pub(super) fn warn_of_open_folder(chosen: &Chosen, session: &mut Session) {
    if permissions(chosen.place().folder()).is_some_and(|mode| mode & 0o002 != 0) {
        let folder = chosen.shown();
        session.warn(format_args!("everybody may change what lies in {folder}, the CA's keys too: chmod 700 {folder}"));
    }
}

/// Whether nobody was warned of this file yet: who signs for days is told once.
fn is_first_time(path: &Path) -> bool {
    static WARNED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    WARNED.lock().is_ok_and(|mut warned| warned.insert(path.to_owned()))
}

/// What to do where the key is not there.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Way {
    /// How another authority is chosen to sign; `None` where no other can sign what this one has to.
    other: Option<fn(&AuthorityName) -> String>,
    /// How to go on where it was destroyed.
    anew: &'static str,
}

/// Certificates, which any authority may sign.
pub(super) const ON_THE_COMMAND_LINE: Way = Way {
    other: Some(|other| format!("sign with --issuer {other}")),
    anew: "let an authority below it sign, or make a new CA with: certkit ca init --ca DIR",
};

/// What is an authority's own to sign: its lists, and answers about its certificates.
pub(super) const NO_OTHER: Way =
    Way { other: None, anew: "no other authority can do it: make a new CA with: certkit ca init --ca DIR" };

/// Certificates of authorities, which only those sign that may have some below them.
const BELOW_IT: Way =
    Way { other: None, anew: "nothing can be put below it any more: make a new CA with: certkit ca init --ca DIR" };

/// The certificates of a project.
pub(in crate::cli) const IN_A_PROJECT: Way = Way {
    other: Some(|other| format!("let {other} sign: issuer = \"{other}\"")),
    anew: "name another folder for a new CA, or an authority below it with issuer =",
};

/// The file with an authority's private key, from the folder; `way` is for who has to choose another authority.
pub(super) fn in_folder(chosen: &Chosen, name: &AuthorityName, way: Way) -> anyhow::Result<Loaded> {
    let path = chosen.place().key_of(name);
    if is_there(&path) {
        return Loaded::read(&path);
    }
    let config = chosen.config()?;
    let other = way.other.and_then(|say| Some(say(&instead(chosen, name, &config)?)));
    let instead = other.map(|other| format!("; or {other}")).unwrap_or_default();
    let folder = chosen.shown();
    match config.keys.get(name) {
        Some(key @ AbsentKey::SetAside(_)) => {
            let place = key.place().map(|place| format!("; it was put in {place}")).unwrap_or_default();
            Err(anyhow!("the key of {name} was set aside and is not in {folder}"))
                .hint(format!("give it with --ca-key{place}{instead}"))
        }
        Some(AbsentKey::Destroyed) => Err(anyhow!("the key of {name} was destroyed: it signs nothing more"))
            .hint(format!("{}{instead}", way.anew)),
        None => Err(anyhow!("there is no key of {name} in {folder}"))
            .hint(format!("give it with --ca-key FILE, or restore {} from a backup{instead}", shown(&path))),
    }
}

/// The flag that says where the passphrase comes from.
const FLAG: &str = "--ca-passphrase";

/// Another authority that has its key here.
fn instead(chosen: &Chosen, name: &AuthorityName, config: &Config) -> Option<AuthorityName> {
    let others = config.issuer.clone().into_iter().chain(chosen.place().names());
    others.into_iter().find(|other| other != name && is_there(&chosen.place().key_of(other)))
}
