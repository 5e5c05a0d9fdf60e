//! Whether something could be written, asked without writing anything.

use std::path::Path;

use anyhow::{Context, anyhow};

use super::folder::{may_be_folder, may_have_folder};
use super::write::{Place, folder_of, place};
use crate::cli::output::shown;
use crate::cli::problem::{Hinted, plain};

/// Whether a file could be written to this path, and the folders above it made where they are missing: as far as that can be
/// told without a trace. A full disk, for one, tells nobody before.
///
/// # Errors
/// When something else is in the way, or the system would refuse.
pub fn might_write(path: &Path) -> anyhow::Result<()> {
    may_have_folder(path)?;
    let folder = folder_of(path);
    if folder.is_dir() {
        let place = place(path, true).with_context(|| format!("cannot write {}", shown(path)))?;
        return match place {
            Place::File(target) => {
                takes_files(folder_of(&target)).with_context(|| format!("cannot write {}", shown(path)))
            }
            Place::Stdout | Place::Stream => Ok(()),
        };
    }
    might_make(folder)
}

/// Whether a folder takes files, or could be made, as far as that can be told without a trace.
///
/// # Errors
/// As [`might_write`].
pub fn might_make(folder: &Path) -> anyhow::Result<()> {
    may_be_folder(folder)?;
    if folder.is_dir() {
        return takes_files(folder).with_context(|| format!("cannot write into {}", shown(folder)));
    }
    let above = folder.ancestors().skip(1).find(|above| above.as_os_str().is_empty() || above.is_dir());
    let above = above.filter(|above| !above.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    takes_files(above).with_context(|| format!("cannot make the folder {}", shown(folder)))
}

/// Whether a folder that is there takes new files.
pub(super) fn takes_files(folder: &Path) -> anyhow::Result<()> {
    let real = folder.canonicalize().map_err(plain)?;
    // What is in there is the system's, whatever its permissions say.
    if ["/proc", "/sys"].iter().any(|system| real.starts_with(system)) {
        return Err(anyhow!("{} takes no files of others", shown(&real))).hint("choose another folder");
    }
    is_open_to_us(&real)
}

#[cfg(target_os = "linux")]
fn is_open_to_us(folder: &Path) -> anyhow::Result<()> {
    use rustix::fs::{Access, access};
    access(folder, Access::WRITE_OK | Access::EXEC_OK).map_err(|error| plain(error.into()))
}

/// Here only writing tells.
#[cfg(not(target_os = "linux"))]
fn is_open_to_us(_: &Path) -> anyhow::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_a_file_leaves_no_trace_and_what_does_not_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        std::fs::write(at("file"), "").unwrap();
        for path in ["new", "file", "a/b/new"] {
            might_write(&at(path)).unwrap();
        }
        for path in ["file/new", "file/a/new"] {
            assert!(format!("{:#}", might_write(&at(path)).unwrap_err()).ends_with("file is a file"), "{path}");
        }
        might_make(&at("a/b")).unwrap();
        assert!(might_make(&at("file")).is_err() && might_write(folder.path()).is_err());
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_systems_own_folders_take_nothing() {
        for path in ["/proc/new", "/proc/a/new", "/sys/new", "/sys/a/b/new", "/dev/nosuch"] {
            assert!(might_write(Path::new(path)).is_err(), "{path}");
        }
    }
}
