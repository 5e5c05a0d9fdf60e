//! Whether the file of a ledger is still the one that was opened.
//!
//! SQLite goes on with a file that was removed or renamed as if nothing had happened: what others write into the one that
//! was put in its place it never sees.

use std::fs::Metadata;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

/// A file that is open.
#[derive(Debug)]
pub(super) struct Watch {
    /// None where the system does not tell files apart.
    opened: Option<Identity>,
    /// Another file in its place, and since when it has been seen unchanged.
    other: Option<(Seen, Instant)>,
}

/// What is where the file was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It.
    Same,
    /// Another, which may still be written: a copy is not whole at once.
    Unsettled,
    /// Another, which has stayed as it is.
    Settled,
}

/// Device and inode. No other file gets the inode of one that is open.
type Identity = (u64, u64);

/// A file as it was seen.
type Seen = (Option<Identity>, u64, Option<SystemTime>);

impl Watch {
    /// Of the file that this path leads to: asked before it is opened.
    pub(super) fn over(path: &Path) -> Self {
        Self { opened: std::fs::metadata(path).ok().and_then(|about| identity(&about)), other: None }
    }

    /// Looks again.
    ///
    /// # Errors
    /// Where nothing is there, or it cannot be looked at.
    pub(super) fn look(&mut self, path: &Path) -> std::io::Result<Standing> {
        if self.opened.is_none() {
            return Ok(Standing::Same);
        }
        let about = std::fs::metadata(path)?;
        let found = identity(&about);
        if found == self.opened {
            self.other = None;
            return Ok(Standing::Same);
        }
        let seen: Seen = (found, about.len(), about.modified().ok());
        match &self.other {
            Some((before, since)) if *before == seen => {
                Ok(if since.elapsed() < SETTLING { Standing::Unsettled } else { Standing::Settled })
            }
            _ => {
                self.other = Some((seen, Instant::now()));
                Ok(Standing::Unsettled)
            }
        }
    }

    /// Whether the path leads to the file that was opened.
    pub(super) fn is_in_place(&self, path: &Path) -> bool {
        self.opened.is_none() || std::fs::metadata(path).is_ok_and(|about| identity(&about) == self.opened)
    }
}

#[cfg(unix)]
fn identity(about: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    Some((about.dev(), about.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<Identity> {
    None
}

/// How long another file has to stay as it is before it is opened.
pub(super) const SETTLING: Duration = Duration::from_secs(2);
