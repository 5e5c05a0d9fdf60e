//! Files that may change while a server runs.

use std::path::PathBuf;

use crate::cli::files::{Stamp, stamp};

/// How files were when they were last read.
pub(super) struct Watched {
    stamps: Vec<Option<Stamp>>,
    /// Files that have changed, and may be changing still.
    changing: Option<Vec<Option<Stamp>>>,
}

impl Watched {
    /// As they are now: what changes while they are read will be read again.
    pub(super) fn now(files: impl Iterator<Item = PathBuf>) -> Self {
        Self { stamps: files.map(|path| stamp(&path)).collect(), changing: None }
    }

    /// Whether a file has changed, and all have been as they are for two looks: a certificate and its key are seldom written
    /// in one step. It says so once, until something changes again.
    pub(super) fn have_changed(&mut self, files: impl Iterator<Item = PathBuf>) -> bool {
        let now: Vec<_> = files.map(|path| stamp(&path)).collect();
        if now == self.stamps {
            self.changing = None;
            return false;
        }
        if self.changing.as_ref() != Some(&now) {
            self.changing = Some(now);
            return false;
        }
        (self.stamps, self.changing) = (now, None);
        true
    }
}
