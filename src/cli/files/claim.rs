//! A folder in which one process at a time makes something, and which is left as it was where that fails.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};

use super::folder::make_private_folder;
use crate::cli::output::shown;
use crate::cli::problem::plain;

/// The right to make something in a folder, until it is dropped. Other processes that ask for it wait, or are refused.
#[derive(Debug)]
#[must_use]
pub struct Claim {
    /// Locked as long as it is open, and no longer than this process lives.
    _lock: File,
    /// What was not there before, and goes again: files, then folders from the innermost on.
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Claim {
    /// Takes the folder, which is made where it is missing (0700). None where another process has it and keeps it for longer
    /// than `patience`.
    ///
    /// # Errors
    /// When the system refuses, or something else is in the folder's place.
    pub fn take(folder: &Path, patience: Duration) -> anyhow::Result<Option<Self>> {
        let begun = Instant::now();
        let mut made = Vec::new();
        loop {
            let missing = |above: &&Path| !above.as_os_str().is_empty() && above.symlink_metadata().is_err();
            let folders: Vec<PathBuf> = folder.ancestors().take_while(missing).map(Path::to_owned).collect();
            make_private_folder(folder)?;
            if !folders.is_empty() {
                made = folders;
            }
            let lock = lock_of(folder).map_err(plain).with_context(|| format!("cannot use {}", shown(folder)));
            let lock = match lock {
                // Whoever made it was refused, and took it away again.
                Err(_) if !folder.is_dir() && begun.elapsed() < VANISHING => continue,
                lock => lock?,
            };
            match lock.try_lock() {
                Err(TryLockError::WouldBlock) if begun.elapsed() < patience => thread::sleep(STEP),
                Err(TryLockError::WouldBlock) => return Ok(None),
                Ok(()) if !is_at(&lock, folder) => {
                    if begun.elapsed() > patience.max(VANISHING) {
                        return Err(anyhow!("the folder {} comes and goes", shown(folder)));
                    }
                }
                // Some network file systems have no locks: there it is as it was without.
                Ok(()) | Err(TryLockError::Error(_)) => {
                    return Ok(Some(Self { _lock: lock, files: Vec::new(), folders: made }));
                }
            }
        }
    }

    /// The same where these files, which are not there, may come into being by the way.
    pub fn without(self, files: Vec<PathBuf>) -> Self {
        let mut claim = self;
        claim.files = files;
        claim
    }

    /// What was made stays.
    pub fn keep(mut self) {
        self.files.clear();
        self.folders.clear();
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // The error that led here is already on its way. A folder in which there is anything stays.
        self.files.iter().for_each(|file| _ = fs::remove_file(file));
        self.folders.iter().for_each(|folder| _ = fs::remove_dir(folder));
    }
}

/// The folder itself is what is locked: nothing is left of that.
#[cfg(unix)]
fn lock_of(folder: &Path) -> std::io::Result<File> {
    File::open(folder)
}

#[cfg(not(unix))]
fn lock_of(folder: &Path) -> std::io::Result<File> {
    let name = folder.join(format!("{}lock", super::write::PREFIX));
    File::options().create(true).truncate(false).write(true).open(name)
}

/// Whether the folder is still the one that was locked.
#[cfg(unix)]
pub(super) fn is_at(lock: &File, folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = |about: fs::Metadata| (about.dev(), about.ino());
    let both = (lock.metadata().map(place), fs::metadata(folder).map(place));
    matches!(both, (Ok(locked), Ok(there)) if locked == there)
}

#[cfg(not(unix))]
pub(super) fn is_at(_: &File, _: &Path) -> bool {
    true
}

const STEP: Duration = Duration::from_millis(20);

/// How long a folder may be made and taken away by others.
const VANISHING: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    fn take(folder: &Path) -> Option<Claim> {
        Claim::take(folder, Duration::ZERO).unwrap()
    }

    #[test]
    fn a_folder_is_one_processes_and_is_left_as_it_was() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("a/b");
        let claim = take(&folder).unwrap().without(vec![folder.join("ledger")]);
        assert!(take(&folder).is_none());
        fs::write(folder.join("ledger"), "").unwrap();
        drop(claim);
        assert!(!above.path().join("a").exists());
        take(&folder).unwrap().keep();
        assert!(folder.is_dir());
        let claim = take(&folder).unwrap();
        fs::write(folder.join("other"), "").unwrap();
        drop(claim);
        assert!(folder.join("other").is_file());
        assert!(take(&folder).is_some());
    }
}
