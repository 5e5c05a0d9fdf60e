//! One batch, or one project, at a time in a folder: two of the same list would record everything twice, and each lose what the
//! other has written.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow};

use super::claim::is_at;
use super::folder::{make_folder, missing_folders, remove_if_empty};
use super::writable::takes_files;
use super::write::PREFIX;
use crate::cli::output::{Session, shown};
use crate::cli::problem::{Hinted, plain};

/// The right to write a batch into a folder, or what its project asks for, until it is dropped. It is no [`Claim`](super::Claim): a CA may be made and a
/// list be published in the folder meanwhile.
#[derive(Debug)]
#[must_use]
pub struct Turn {
    /// A hidden file, locked as long as this process lives.
    lock: Option<(File, PathBuf)>,
    /// Folders that were not there before: they go again where nothing is in them.
    made: Vec<PathBuf>,
}

impl Turn {
    /// Takes the folder, which is made where it is missing. None where another process has it. Where nothing can be written
    /// or locked it is not taken from anybody: whoever writes there is told.
    ///
    /// # Errors
    /// When the file that is locked is there and cannot be opened, or the folder takes no files, as `/proc` does not.
    pub fn take(folder: &Path) -> anyhow::Result<Option<Self>> {
        let mut turn = Self { lock: None, made: missing_folders(folder) };
        let path = folder.join(format!("{PREFIX}batch"));
        let mut vain = 0;
        for _ in 0..ATTEMPTS {
            if make_folder(folder).is_err() {
                return Ok(Some(turn));
            }
            let file = match opened(&path) {
                Ok(file) => file,
                // Whoever had it removed it, or made it just now; or there is no making files in this folder.
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    vain += 1;
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(error) if path.symlink_metadata().is_ok() => {
                    return Err(plain(error))
                        .with_context(|| format!("cannot use {}", shown(&path)))
                        .hint("it is there while a batch is written or a project applied: if none is, remove it");
                }
                Err(_) => return Ok(Some(turn)),
            };
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => return Ok(None),
                Ok(()) if !is_at(&file, &path) => {}
                // Some network file systems have no locks: there it is as it was without.
                Ok(()) | Err(TryLockError::Error(_)) => {
                    turn.lock = Some((file, path));
                    return Ok(Some(turn));
                }
            }
        }
        if vain == ATTEMPTS {
            return Err(no_files(folder));
        }
        Ok(None)
    }

    /// Takes the folder once no other process has it; where one has, `what` that does there is told.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub fn wait(folder: &Path, what: &str, session: &mut Session) -> anyhow::Result<Self> {
        let mut is_told = false;
        loop {
            if let Some(turn) = Self::take(folder)? {
                return Ok(turn);
            }
            if !is_told {
                session.say(format_args!("waiting for another run, which {what} {}", shown(folder)));
                is_told = true;
            }
            std::thread::sleep(PAUSE);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // It is removed while it is locked: who opened it meanwhile sees that it is there no more.
        if let Some((_, path)) = &self.lock {
            _ = fs::remove_file(path);
        }
        remove_if_empty(&self.made);
    }
}

/// What is wrong with a folder that is there and in which no file can be made.
fn no_files(folder: &Path) -> anyhow::Error {
    let why = takes_files(folder).err().unwrap_or_else(|| anyhow!("it takes no files"));
    why.context(format!("cannot write into {}", shown(folder)))
}

fn opened(path: &Path) -> io::Result<File> {
    match path.symlink_metadata() {
        Ok(about) if about.is_file() => File::open(path),
        Ok(_) => Err(io::Error::other("it is no file")),
        Err(_) => File::options().write(true).create_new(true).open(path),
    }
}

/// How long the next look waits.
const PAUSE: Duration = Duration::from_millis(50);

/// How often it may be made and removed by others.
const ATTEMPTS: usize = 100;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_folder_is_one_batchs_and_is_left_as_it_was() {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("a/b");
        let turn = Turn::take(&folder).unwrap().unwrap();
        assert!(Turn::take(&folder).unwrap().is_none());
        drop(turn);
        assert!(!above.path().join("a").exists());
        // A process that was killed leaves the file, and no lock.
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{PREFIX}batch"));
        fs::write(&file, "").unwrap();
        let turn = Turn::take(&folder).unwrap().unwrap();
        assert!(Turn::take(&folder).unwrap().is_none());
        drop(turn);
        assert!(folder.is_dir() && !file.exists());
        fs::create_dir(&file).unwrap();
        assert!(format!("{:#}", Turn::take(&folder).unwrap_err()).ends_with("it is no file"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_folder_of_the_system_is_waited_for_by_nobody() {
        for folder in ["/proc", "/proc/self", "/proc/self/fd"] {
            let told = Turn::take(Path::new(folder)).map(|turn| turn.is_some());
            assert!(told.as_ref().is_ok_and(|taken| *taken) || told.is_err(), "{folder}: {told:?}");
        }
        let told = format!("{:#}", Turn::take(Path::new("/proc")).unwrap_err());
        assert!(told.starts_with("cannot write into /proc: /proc takes no files"), "{told}");
    }
}
