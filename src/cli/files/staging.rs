//! Many files at a time, where [`WriteSet`](super::WriteSet) would wait for the disk at each of them.
//!
//! A batch of files is written into a folder of its own beside their places, synced as a whole, and then renamed into
//! place one by one: each is there whole or not at all, and none replaces another unasked.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use tempfile::{Builder, TempDir, TempPath};

use super::replaced::{Replaced, led_to};
use super::write::{Mode, PREFIX, try_folder};
use crate::cli::output::shown;
use crate::cli::problem::plain;

/// A folder to which batches of files go.
#[derive(Debug, Clone)]
pub struct Destination {
    folder: PathBuf,
    force: bool,
}

/// Files of one batch, not in place yet. Dropped, they are gone.
#[derive(Debug)]
pub struct Staged {
    staging: TempDir,
    /// Held as long as this process lives: without it the folder is nobody's.
    _claim: Option<File>,
    destination: Destination,
    names: Vec<String>,
}

impl Destination {
    /// How long a new folder may be without its process's claim.
    pub const CLAIMED_WITHIN: Duration = Duration::from_secs(10);

    /// The folder, which has to be there once something is written; `force` lets files be replaced.
    pub fn new(folder: &Path, force: bool) -> Self {
        Self { folder: folder.to_owned(), force }
    }

    /// The path of a file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Whether something is in the way of a file of this name.
    pub fn is_taken(&self, name: &str) -> bool {
        match fs::symlink_metadata(self.path(name)) {
            Ok(about) => about.is_dir() || !self.force,
            Err(_) => false,
        }
    }

    /// Where a file of this name goes: what a link leads to, where that is replaced.
    fn target(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.path(name);
        match self.force && path.is_symlink() {
            true => led_to(&path),
            false => Ok(path),
        }
    }

    /// Whether the folder takes files, and the disk what is in them: asked before anything is recorded.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn takes_files(&self) -> anyhow::Result<()> {
        try_folder(&self.folder).with_context(|| format!("cannot write to {}", shown(&self.folder)))
    }

    /// Begins a batch.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn stage(&self) -> anyhow::Result<Staged> {
        let staging = Builder::new().prefix(PREFIX).tempdir_in(&self.folder);
        // Where there is no place for the folder there is none for any file.
        let staging = staging.map_err(|error| Lasting(plain(error)));
        let staging = staging.with_context(|| format!("cannot write to {}", shown(&self.folder)))?;
        // Some file systems have no locks: then such a folder is left alone.
        let claim = File::open(staging.path()).ok().filter(|claim| claim.try_lock().is_ok());
        Ok(Staged { staging, _claim: claim, destination: self.clone(), names: Vec::new() })
    }

    /// What batches into this folder left there whose processes were killed.
    pub fn leftovers(&self) -> Leftovers {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let staging = entries.filter(|entry| {
            let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
            ours && entry.file_type().is_ok_and(|kind| kind.is_dir())
        });
        let mut found = Leftovers::default();
        for entry in staging {
            found.add(entry.path());
        }
        found
    }

    /// Has the names of all files survive a power cut.
    pub fn sync(&self) {
        // Some file systems cannot, and need not.
        _ = File::open(&self.folder).and_then(|folder| folder.sync_all());
    }
}

/// An error of the system that the next file would meet too.
#[derive(Debug)]
struct Lasting(anyhow::Error);

impl fmt::Display for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Lasting {}

/// Whether the next file would meet this error of a batch too: a full disk, a folder that is gone.
pub fn lasts(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.is::<Lasting>())
}

/// An error of the system in plain words, which says whether it [`lasts`].
fn refused(error: io::Error) -> anyhow::Error {
    let lasting = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::ReadOnlyFilesystem => true,
        // No kind of error is an I/O error of the disk, EIO.
        _ => cfg!(unix) && error.raw_os_error() == Some(5),
    };
    if lasting { Lasting(plain(error)).into() } else { plain(error) }
}

/// A folder with files of a batch, never put in place: its process was killed.
#[derive(Debug)]
pub struct Abandoned {
    folder: PathBuf,
    _claim: File,
}

/// What batches left in a folder.
#[derive(Debug, Default)]
pub struct Leftovers {
    /// Of processes that were killed.
    pub abandoned: Vec<Abandoned>,
    /// What stays for now, and why.
    pub left: Vec<(PathBuf, &'static str)>,
}

impl Leftovers {
    fn add(&mut self, folder: PathBuf) {
        let Ok(claim) = File::open(&folder) else { return };
        let age = claim.metadata().and_then(|about| about.modified()).ok().and_then(|at| at.elapsed().ok());
        // A process claims its folder before it writes there: only an empty one may be about to be claimed.
        let is_empty = fs::read_dir(&folder).is_ok_and(|mut files| files.next().is_none());
        if is_empty && age.is_none_or(|age| age < Destination::CLAIMED_WITHIN) {
            self.left.push((folder, "it is new and empty, and another run may be about to write there"));
            return;
        }
        match claim.try_lock() {
            // Its process has ended meanwhile, and removed it before it let go.
            Ok(()) if !folder.exists() => {}
            Ok(()) => self.abandoned.push(Abandoned { folder, _claim: claim }),
            // Its process lives.
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(_)) => {
                self.left.push((folder, "this file system has no locks, so another run may still write there"));
            }
        }
    }
}

impl Abandoned {
    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The files in it.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> =
            fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        files.sort();
        files
    }

    /// Removes it with all that is in it.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn remove(self) -> anyhow::Result<()> {
        let removed = fs::remove_dir_all(&self.folder);
        removed.map_err(plain).with_context(|| {
            format!("cannot remove {}, which a run that was killed left: there are keys in it", shown(&self.folder))
        })
    }
}

impl Staged {
    /// Writes a file of the batch.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn add(&mut self, name: &str, contents: &[u8], mode: Mode) -> anyhow::Result<()> {
        let path = self.path(name);
        let target = self.destination.target(name).with_context(|| self.cannot_write(name))?;
        let write = || -> io::Result<()> {
            let replaced = if self.destination.force { Replaced::at(&target)? } else { None };
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            {
                use std::os::unix::fs::OpenOptionsExt;
                options.mode(if mode == Mode::Secret || replaced.is_some() { 0o600 } else { 0o644 });
            }
            let mut file = options.open(&path)?;
            file.write_all(contents)?;
            if let Some(replaced) = replaced {
                replaced.hand_on(&file, mode == Mode::Secret)?;
            }
            if cfg!(not(target_os = "linux")) {
                file.sync_all()?;
            }
            Ok(())
        };
        write().map_err(refused).with_context(|| self.cannot_write(name))?;
        self.names.push(name.to_owned());
        Ok(())
    }

    /// Where a file of the batch is before it has its place: for what somebody else writes into it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.staging.path().join(name)
    }

    /// Waits until the contents of all files are on the disk: no name may point to half a file.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn sync(&self) -> anyhow::Result<()> {
        #[cfg(target_os = "linux")]
        {
            let synced = File::open(self.staging.path()).and_then(|folder| Ok(rustix::fs::syncfs(&folder)?));
            synced.map_err(refused).with_context(|| format!("cannot write to {}", shown(&self.destination.folder)))?;
        }
        Ok(())
    }

    /// Puts a file in its place.
    ///
    /// # Errors
    /// When something is in the way, or the system refuses.
    pub fn place(&self, name: &str) -> anyhow::Result<()> {
        let from = self.path(name);
        let to = self.destination.target(name).with_context(|| self.cannot_write(name))?;
        let from = TempPath::try_from_path(from).map_err(plain).with_context(|| self.cannot_write(name))?;
        let placed = if self.destination.force { from.persist(&to) } else { from.persist_noclobber(&to) };
        placed.map_err(|error| refused(error.error)).with_context(|| self.cannot_write(name))
    }

    fn cannot_write(&self, name: &str) -> String {
        format!("cannot write {}", shown(&self.destination.path(name)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn files_come_into_place_whole_and_replace_nothing_unasked() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("old"), "old").unwrap();
        for force in [false, true] {
            let destination = Destination::new(folder.path(), force);
            let mut staged = destination.stage().unwrap();
            staged.add("old", b"new", Mode::Public).unwrap();
            staged.add("key", b"secret", Mode::Secret).unwrap();
            assert_eq!(destination.is_taken("old"), !force);
            assert!(!destination.path("key").exists() || force);
            staged.sync().unwrap();
            assert_eq!(staged.place("old").is_ok(), force);
            staged.place("key").unwrap();
            drop(staged);
            let old = fs::read(folder.path().join("old")).unwrap();
            assert_eq!(old == b"new", force);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode("key"), 0o600);
            fs::set_permissions(folder.path().join("key"), fs::Permissions::from_mode(0o640)).unwrap();
            std::os::unix::fs::symlink("key", folder.path().join("link")).unwrap();
            let mut staged = Destination::new(folder.path(), true).stage().unwrap();
            staged.add("link", b"newer", Mode::Secret).unwrap();
            staged.place("link").unwrap();
            assert!(folder.path().join("link").is_symlink());
            assert_eq!((fs::read(folder.path().join("key")).unwrap(), mode("key")), (b"newer".to_vec(), 0o640));
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_a_killed_process_left_is_found_and_what_a_living_one_has_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let destination = Destination::new(folder.path(), false);
        let old = std::time::SystemTime::now() - Duration::from_secs(3600);
        let age = |path: &Path| File::open(path).unwrap().set_modified(old).unwrap();
        let mut living = destination.stage().unwrap();
        living.add("key", b"secret", Mode::Secret).unwrap();
        age(living.staging.path());
        let dead = folder.path().join(format!("{PREFIX}dead"));
        fs::create_dir(&dead).unwrap();
        let found = destination.leftovers();
        assert!(found.abandoned.is_empty(), "a process may be about to work in a new one");
        let [(left, why)] = found.left.as_slice() else { unreachable!("{found:?}") };
        assert!(*left == dead && why.contains("new and empty"), "{found:?}");
        fs::write(dead.join("key"), "secret").unwrap();
        let found = destination.leftovers();
        assert_eq!((found.abandoned.len(), found.left.len()), (1, 0), "a key was written: it was claimed before");
        drop(found);
        age(&dead);
        let found = destination.leftovers().abandoned;
        let [one] = found.as_slice() else { unreachable!("{found:?}") };
        assert_eq!((one.folder(), one.files()), (dead.as_path(), vec![dead.join("key")]));
        found.into_iter().for_each(|one| one.remove().unwrap());
        assert!(!dead.exists() && living.path("key").exists());
    }
}
