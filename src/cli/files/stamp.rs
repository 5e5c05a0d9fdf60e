//! Whether a file is still the one that was read.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

/// What changes when a file is written or another takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    /// On Unix: which file it is.
    number: u64,
}

/// The stamp of what a path leads to, through links; `None` where there is nothing.
pub fn stamp(path: &Path) -> Option<Stamp> {
    let about = fs::metadata(path).ok()?;
    #[cfg(unix)]
    let number = {
        use std::os::unix::fs::MetadataExt;
        about.ino()
    };
    #[cfg(not(unix))]
    let number = 0;
    Some(Stamp { modified: about.modified().ok(), length: about.len(), number })
}
