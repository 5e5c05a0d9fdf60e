//! Whether what is written arrives with somebody.

use std::fs::{self, Metadata};
use std::path::Path;

use anyhow::anyhow;

use super::write::{Place, place};
use crate::cli::output::{Session, shown};
use crate::cli::problem::Hinted;

/// Where stdout leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leads {
    /// To a file, a pipe, a terminal.
    Somewhere,
    /// To `/dev/null`, as it was redirected.
    Nowhere,
    /// It was closed when certkit started.
    Closed,
}

impl Leads {
    /// Where this descriptor of the process's own leads.
    ///
    /// Rust opens `/dev/null` in the place of a stdout that is closed, to read and write; a shell that redirects opens it to
    /// write alone.
    #[cfg(unix)]
    pub fn of(out: &impl std::os::fd::AsFd) -> Self {
        use rustix::fs::{OFlags, fcntl_getfl};
        let Ok(out) = out.as_fd().try_clone_to_owned().map(fs::File::from) else { return Self::Closed };
        if !out.metadata().is_ok_and(|about| is_null(&about)) {
            return Self::Somewhere;
        }
        let to_read_too = fcntl_getfl(&out).is_ok_and(|flags| flags & OFlags::ACCMODE == OFlags::RDWR);
        if to_read_too { Self::Closed } else { Self::Nowhere }
    }

    /// Where this descriptor of the process's own leads, which is not seen here.
    #[cfg(not(unix))]
    pub fn of<T>(_: &T) -> Self {
        Self::Somewhere
    }
}

/// Refuses a place where nobody would get a key that is new: asked before it is made.
///
/// # Errors
/// When it is `/dev/null`, or stdout and that is closed or leads to `/dev/null`.
pub fn must_arrive(path: &Path, session: &Session) -> anyhow::Result<()> {
    match place(path, true) {
        Ok(Place::Stdout) => session.may_take_key(),
        Ok(Place::Stream) if fs::metadata(path).is_ok_and(|about| is_null(&about)) => {
            Err(anyhow!("cannot write {}: it keeps nothing, and nobody would have the key", shown(path)))
                .hint("name a file")
        }
        // What is wrong with another is told where it is written.
        _ => Ok(()),
    }
}

/// Whether what is written there goes to a reader, and lies nowhere: stdout, a FIFO, an open descriptor.
pub fn is_handed_over(path: &Path) -> bool {
    matches!(place(path, true), Ok(Place::Stdout | Place::Stream))
}

/// Whether this is the device that keeps nothing.
#[cfg(unix)]
fn is_null(about: &Metadata) -> bool {
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    let null = |null: Metadata| null.file_type().is_char_device() && null.rdev() == about.rdev();
    about.file_type().is_char_device() && fs::metadata("/dev/null").is_ok_and(null)
}

/// Whether this is the device that keeps nothing.
#[cfg(not(unix))]
fn is_null(_: &Metadata) -> bool {
    false
}
