//! A small file beside another one that says what is still to be done with that: `.a.test.pem.certkit-exec` of `a.test.pem`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::write::{Mode, WriteSet};
use crate::cli::output::Session;
use crate::cli::problem::plain;

/// That a program has still to run for a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reminder {
    path: PathBuf,
}

impl Reminder {
    /// That of this file, whether it is there or not.
    pub fn of(file: &Path) -> Self {
        let mut name = std::ffi::OsString::from(".");
        name.push(file.file_name().unwrap_or_default());
        name.push(".certkit-exec");
        Self { path: file.with_file_name(name) }
    }

    /// Whether it is there.
    pub fn is_there(&self) -> bool {
        self.path.symlink_metadata().is_ok_and(|about| about.is_file())
    }

    /// Puts it there, for its owner alone, unless it is.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn leave(&self, session: &mut Session) -> anyhow::Result<()> {
        if self.is_there() {
            return Ok(());
        }
        let mut file = WriteSet::new(false).lasting();
        file.add(&self.path, TEXT.as_bytes().to_vec(), Mode::Secret);
        file.write(session).map(drop)
    }

    /// Takes it away, where it is there.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn take_away(&self) -> anyhow::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(plain(error)),
            _ => Ok(()),
        }
    }
}

/// What whoever finds it reads.
const TEXT: &str = "The certificate was renewed, and the program of certkit ca renew --exec has not succeeded since.\n";
