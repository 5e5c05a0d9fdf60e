//! The folder of a CA: which files its authorities have, and whether they are all there.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::config::Config;
use super::name::AuthorityName;

/// A folder that holds a CA, or will: one ledger and one or several authorities. The first is `ca.pem` with `ca-key.pem`;
/// one called NAME is `NAME.pem` with `NAME-key.pem`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    folder: PathBuf,
}

/// What a [`Place`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// No authority. A ledger may be there: it comes first, so an interrupted `ca init` leaves it and goes on with it.
    Empty,
    /// The certificate of the first authority, and its key or word that it is elsewhere.
    Complete,
}

/// A folder with a part of an authority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} holds half a CA: {present} is there and {missing} is not; {}{}",
    folder.display(),
    match (has_signed, *missing == KEY) {
        (true, true) => "its ledger has what it has signed: restore the key from a backup",
        (true, false) => "its ledger has what it has signed: `certkit ca repair` puts the certificate back from that",
        (false, true) => "if it was lost, restore it from a backup; if `ca init` was interrupted nothing was signed yet: remove \
                          ca.pem and run it again",
        (false, false) => "if it was lost, restore it from a backup; if the ledger is there, `certkit ca repair` puts it back \
                           from that",
    },
    match (has_signed, *missing == KEY, *present == KEY) {
        (_, true, _) => "; if the key was set aside, say so in ca.toml: [keys] ca = { set_aside = \"FILE\" }",
        (false, _, true) => "; if `ca init` was interrupted nothing was signed yet: remove ca-key.pem and run it again",
        _ => "",
    }
)]
pub struct HalfMade {
    /// The folder.
    pub folder: PathBuf,
    /// The file that is there.
    pub present: &'static str,
    /// The file that is not.
    pub missing: &'static str,
    /// Whether the ledger has certificates or lists that it has signed: then it is none whose making was broken off.
    pub has_signed: bool,
}

impl HalfMade {
    /// Whether all that is missing is the key: the CA is there and signs nothing.
    pub fn lacks_only_the_key(&self) -> bool {
        self.missing == KEY
    }
}

impl Place {
    /// The place in this folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder, for its owner alone (0700).
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The first authority's certificate, for everyone.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join(CERTIFICATE)
    }

    /// The first authority's private key, for its owner alone (0600), under a passphrase or not.
    pub fn key(&self) -> PathBuf {
        self.folder.join(KEY)
    }

    /// An authority's certificate, followed by those above it up to the root.
    pub fn certificate_of(&self, name: &AuthorityName) -> PathBuf {
        self.folder.join(format!("{name}.pem"))
    }

    /// An authority's private key.
    pub fn key_of(&self, name: &AuthorityName) -> PathBuf {
        self.folder.join(format!("{name}-key.pem"))
    }

    /// The OCSP delegate of an authority: its key and its certificate, for its owner alone.
    pub fn delegate_of(&self, name: &AuthorityName) -> PathBuf {
        self.folder.join(format!("{name}.ocsp.pem"))
    }

    /// The ledger.
    pub fn ledger(&self) -> PathBuf {
        self.folder.join("ledger.db")
    }

    /// The ledger and the files that SQLite keeps beside it.
    pub fn ledger_files(&self) -> [PathBuf; 4] {
        with_companions(&self.ledger())
    }

    /// What the folder says about itself; need not be there.
    pub fn config(&self) -> PathBuf {
        self.folder.join(CONFIG)
    }

    /// What the folder holds, `config` being what its `ca.toml` says.
    ///
    /// # Errors
    /// [`HalfMade`] where one of certificate and key is missing, and the key not said to be elsewhere.
    pub fn state(&self, config: &Config) -> Result<State, HalfMade> {
        let half = |present, missing| HalfMade { folder: self.folder.clone(), present, missing, has_signed: false };
        let elsewhere = config.keys.contains_key(&AuthorityName::first());
        match (is_there(&self.certificate()), is_there(&self.key())) {
            (false, false) if config.tells_of_authorities() => Err(half(CONFIG, CERTIFICATE)),
            (false, false) => Ok(State::Empty),
            (true, true) => Ok(State::Complete),
            (true, false) if elsewhere => Ok(State::Complete),
            (true, false) => Err(half(CERTIFICATE, KEY)),
            (false, true) => Err(half(KEY, CERTIFICATE)),
        }
    }

    /// What the keys in the folder are called. Keys of certificates that were issued may lie here too.
    pub fn names_of_keys(&self) -> Vec<AuthorityName> {
        let listed = std::fs::read_dir(&self.folder).into_iter().flatten().take(MOST_LISTED).flatten();
        let mut names: Vec<AuthorityName> =
            listed.filter_map(|entry| entry.file_name().to_str()?.strip_suffix("-key.pem")?.parse().ok()).collect();
        names.sort();
        names
    }

    /// What the certificates in the folder are called, the first authority's first. Only the ledger knows whether each is an
    /// authority's: certificates that were issued may lie here too.
    pub fn names(&self) -> Vec<AuthorityName> {
        let listed = std::fs::read_dir(&self.folder).into_iter().flatten().take(MOST_LISTED).flatten();
        let mut names: Vec<AuthorityName> = listed
            .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".pem")?.parse().ok())
            .filter(|name: &AuthorityName| !name.is_first())
            .collect();
        names.sort();
        let first = is_there(&self.certificate()).then(AuthorityName::first);
        first.into_iter().chain(names).collect()
    }
}

/// A file of SQLite's, and those that it keeps beside that.
pub fn with_companions(file: &Path) -> [PathBuf; 4] {
    ["", "-wal", "-shm", "-journal"].map(|ending| {
        let mut path = file.as_os_str().to_owned();
        path.push(ending);
        path.into()
    })
}

/// What may not be looked at is there: reading it says why not.
pub fn is_there(path: &Path) -> bool {
    match path.symlink_metadata() {
        Ok(_) => true,
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}

const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca-key.pem";
const CONFIG: &str = "ca.toml";

/// A folder with more files than this is no CA's.
const MOST_LISTED: usize = 10_000;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::ca::AbsentKey;

    #[test]
    fn half_a_ca_is_told_from_none_and_from_a_whole_one() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path());
        let none = Config::default();
        assert_eq!(Place::new(folder.path().join("missing")).state(&none), Ok(State::Empty));
        std::fs::write(place.ledger(), "").unwrap();
        assert_eq!(place.state(&none), Ok(State::Empty));
        std::fs::write(place.key(), "").unwrap();
        let half = place.state(&none).unwrap_err();
        assert_eq!((half.present, half.missing), ("ca-key.pem", "ca.pem"));
        assert!(half.to_string().contains("remove ca-key.pem"));
        let signed = HalfMade { has_signed: true, ..half }.to_string();
        assert!(!signed.contains("remove") && signed.contains("certkit ca repair"), "{signed}");
        std::fs::write(place.certificate(), "").unwrap();
        assert_eq!(place.state(&none), Ok(State::Complete));
        std::fs::remove_file(place.key()).unwrap();
        let half = place.state(&none).unwrap_err();
        assert_eq!(half.missing, "ca-key.pem");
        assert!(half.to_string().contains("set_aside") && half.to_string().contains("remove ca.pem"));
    }

    #[test]
    fn a_key_that_is_known_to_be_elsewhere_leaves_a_whole_ca() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path());
        let config = Config { keys: [(AuthorityName::first(), AbsentKey::Destroyed)].into(), ..Config::default() };
        assert_eq!(place.state(&config).unwrap_err().present, "ca.toml");
        std::fs::write(place.certificate(), "").unwrap();
        assert_eq!(place.state(&config), Ok(State::Complete));
    }

    #[test]
    fn certificates_are_listed_and_keys_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path());
        for file in ["web.pem", "web-key.pem", "ca.pem", "ca-key.pem", "a.test.pem", "ledger.db", "admin.pem"] {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        let names: Vec<String> = place.names().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["ca", "admin", "web"]);
    }
}
