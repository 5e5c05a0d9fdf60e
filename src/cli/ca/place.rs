//! Which CA is meant, and how it is opened.

use std::env;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use etcetera::BaseStrategy;
use time::OffsetDateTime;

use crate::ca::place::State;
use crate::ca::{Act, Action, Authority, AuthorityError, HalfMade, Place, Signatory, SqliteLedger};
use crate::cli::clock;
use crate::cli::load::{Loaded, cannot_use};
use crate::cli::output::shown;
use crate::cli::passphrase::PassphraseSource;
use crate::cli::problem::Hinted;
use crate::encoding::pem;
use crate::issue::IssueError;
use crate::key::PrivateKey;
use crate::x509::Certificate;

/// The CA that is meant.
#[derive(Debug)]
pub(super) struct Chosen {
    place: Place,
    /// Chosen for this run with `--ca`: then a CA that is not there is a mistake.
    explicit: bool,
}

impl Chosen {
    /// `--ca`, or `CERTKIT_CA`, or the user's data folder.
    pub(super) fn new(ca: Option<PathBuf>) -> anyhow::Result<Self> {
        let explicit = ca.is_some();
        let named = ca.or_else(|| env::var_os("CERTKIT_CA").filter(|path| !path.is_empty()).map(PathBuf::from));
        let folder = match named {
            Some(folder) if folder.as_os_str().is_empty() => bail!("--ca names no folder"),
            Some(folder) => folder,
            None => etcetera::choose_base_strategy()
                .context("cannot find the home folder")
                .hint("say where the CA is with --ca DIR or CERTKIT_CA")?
                .data_dir()
                .join("certkit")
                .join("ca"),
        };
        Ok(Self { place: Place::new(folder), explicit })
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Whether `ca issue` may make a CA here without being asked.
    pub(super) fn may_be_made(&self) -> bool {
        !self.explicit
    }

    /// The folder as it is shown.
    pub(super) fn shown(&self) -> String {
        shown(self.place.folder())
    }

    /// What the folder holds. Half a CA may be another process's, which is about to add the other half: it is given a
    /// moment.
    pub(super) fn state(&self) -> Result<State, HalfMade> {
        let begun = Instant::now();
        loop {
            match self.place.state() {
                Err(_) if begun.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(20)),
                settled => return settled,
            }
        }
    }

    /// Opens the CA to read what it is and what it has signed.
    pub(super) fn open(&self) -> anyhow::Result<Authority> {
        match self.state()? {
            State::Complete => {}
            State::Empty => {
                return Err(anyhow!("there is no CA in {}", self.shown()))
                    .hint(format!("make one with: certkit ca init{}", self.flag()));
            }
        }
        let path = self.place.certificate();
        let loaded = Loaded::read(&path)?;
        let certificates = loaded.document.certificates().with_context(|| cannot_use(&path))?;
        let certificate = certificates.first().with_context(|| cannot_use(&path))?;
        let ledger = SqliteLedger::open(&self.place.ledger())?;
        Authority::open((*certificate).clone(), Box::new(ledger)).with_context(|| self.cannot_use())
    }

    /// Every authority of the CA.
    pub(super) fn open_all(&self) -> anyhow::Result<Vec<Authority>> {
        Ok(vec![self.open()?])
    }

    /// The CA's private key.
    pub(super) fn key(&self, passphrase: Option<&PassphraseSource>) -> anyhow::Result<PrivateKey> {
        Loaded::read(&self.place.key())?.private_key(passphrase)
    }

    /// Makes the CA ready to sign.
    pub(super) fn unlock<'a>(
        &self,
        authority: &'a mut Authority,
        key: &'a PrivateKey,
        now: OffsetDateTime,
    ) -> anyhow::Result<Signatory<'a>> {
        let unlocked = authority.unlock(key, now);
        let expired = matches!(unlocked, Err(AuthorityError::Issue(IssueError::IssuerExpired { .. })));
        let unlocked = unlocked.with_context(|| self.cannot_use());
        if expired {
            return unlocked
                .hint("make a new CA in another folder, certkit ca init --ca DIR, and let clients trust it");
        }
        unlocked
    }

    /// `--ca DIR` as it has to be given again.
    pub(super) fn flag(&self) -> String {
        if self.explicit { format!(" --ca {}", self.shown()) } else { String::new() }
    }

    /// What an error of this CA begins with.
    fn cannot_use(&self) -> String {
        format!("cannot use the CA in {}", self.shown())
    }
}

/// Who does this, when by the clock, and what: for the audit log.
pub(super) fn act(what: Action) -> Act {
    let named = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| env::var(name).ok());
    let who = named.filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".to_owned());
    Act { at: clock::now(), who, what }
}

/// Certificates as PEM, one after the other.
pub(super) fn chain(certificates: &[&Certificate]) -> String {
    certificates.iter().map(|certificate| pem::write("CERTIFICATE", certificate.der()).to_string()).collect()
}

/// How long half a CA may stay half. Its two files are put in place together.
const PATIENCE: Duration = Duration::from_secs(2);
