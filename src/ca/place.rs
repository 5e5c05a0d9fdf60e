//! The folder of an authority: which files it has, and whether they are all there.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A folder that holds an authority, or will: `ca.pem`, `ca-key.pem` and `ledger.db`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    folder: PathBuf,
}

/// What a [`Place`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// No authority. A ledger may be there: it comes first, so an interrupted `ca init` leaves it and goes on with it.
    Empty,
    /// The certificate and the key of an authority.
    Complete,
}

/// A folder with a part of an authority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} holds half a CA: {present} is there and {missing} is not; if it was lost, restore it from a backup; \
     if `ca init` was interrupted nothing was signed yet: remove {present} and run it again", folder.display()
)]
pub struct HalfMade {
    /// The folder.
    pub folder: PathBuf,
    /// The file that is there.
    pub present: &'static str,
    /// The file that is not.
    pub missing: &'static str,
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

    /// The authority's certificate, for everyone.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join(CERTIFICATE)
    }

    /// The authority's private key, for its owner alone (0600), under a passphrase or not.
    pub fn key(&self) -> PathBuf {
        self.folder.join(KEY)
    }

    /// The ledger.
    pub fn ledger(&self) -> PathBuf {
        self.folder.join("ledger.db")
    }

    /// What the folder holds.
    ///
    /// # Errors
    /// [`HalfMade`] where one of certificate and key is missing.
    pub fn state(&self) -> Result<State, HalfMade> {
        // What may not be looked at is there: reading it says why not.
        let there = |path: PathBuf| match path.symlink_metadata() {
            Ok(_) => true,
            Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
        };
        let half = |present, missing| HalfMade { folder: self.folder.clone(), present, missing };
        match (there(self.certificate()), there(self.key())) {
            (false, false) => Ok(State::Empty),
            (true, true) => Ok(State::Complete),
            (true, false) => Err(half(CERTIFICATE, KEY)),
            (false, true) => Err(half(KEY, CERTIFICATE)),
        }
    }
}

const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca-key.pem";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn half_a_ca_is_told_from_none_and_from_a_whole_one() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path());
        assert_eq!(Place::new(folder.path().join("missing")).state(), Ok(State::Empty));
        std::fs::write(place.ledger(), "").unwrap();
        assert_eq!(place.state(), Ok(State::Empty));
        std::fs::write(place.key(), "").unwrap();
        let half = place.state().unwrap_err();
        assert_eq!((half.present, half.missing), ("ca-key.pem", "ca.pem"));
        assert!(half.to_string().contains("remove ca-key.pem"));
        std::fs::write(place.certificate(), "").unwrap();
        assert_eq!(place.state(), Ok(State::Complete));
        std::fs::remove_file(place.key()).unwrap();
        assert_eq!(place.state().unwrap_err().missing, "ca-key.pem");
    }
}
