//! Makes folders.

use std::fs::{self, DirBuilder};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use crate::cli::output::shown;
use crate::cli::problem::{Hinted, plain};

/// Makes a folder that its owner alone can enter (0700), and those above it that are missing. One that is there stays as
/// it is.
///
/// # Errors
/// When the system refuses, or something else is in its place.
pub fn make_private_folder(path: &Path) -> anyhow::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    made(path, builder.create(path))
}

/// Makes a folder as the umask has it, and those above it that are missing. One that is there stays as it is.
///
/// # Errors
/// When the system refuses, or something else is in its place.
pub fn make_folder(path: &Path) -> anyhow::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    made(path, DirBuilder::new().recursive(true).create(path))
}

/// The folder and those above it that are not there yet, the innermost first.
pub(super) fn missing_folders(path: &Path) -> Vec<PathBuf> {
    let all = path.ancestors().filter(|folder| !folder.as_os_str().is_empty());
    all.take_while(|folder| folder.symlink_metadata().is_err()).map(Path::to_owned).collect()
}

/// Removes folders that hold nothing, the innermost first.
pub(super) fn remove_if_empty(folders: &[PathBuf]) {
    // One that holds something stays, and those above it.
    _ = folders.iter().try_for_each(fs::remove_dir);
}

fn made(path: &Path, made: io::Result<()>) -> anyhow::Result<()> {
    if made.is_err() {
        may_be_folder(path)?;
    }
    made.map_err(plain).with_context(|| format!("cannot make the folder {}", shown(path)))
}

/// Whether a file's folder is there or could be made.
///
/// # Errors
/// When something else is in its place, or in that of a folder above it.
pub fn may_have_folder(path: &Path) -> anyhow::Result<()> {
    path.parent().map_or(Ok(()), may_be_folder)
}

/// Whether a folder is there or could be made.
///
/// # Errors
/// As [`may_have_folder`].
pub fn may_be_folder(path: &Path) -> anyhow::Result<()> {
    for folder in path.ancestors().filter(|folder| !folder.as_os_str().is_empty()) {
        if folder.is_dir() {
            return Ok(());
        }
        if let Ok(about) = folder.symlink_metadata() {
            let is = if about.is_symlink() { "a link to what is not there" } else { "a file" };
            return Err(anyhow!("cannot make the folder {}: {} is {is}", shown(path), shown(folder)))
                .hint("move it away, or choose another folder");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_new_folder_is_its_owners_alone_and_an_old_one_stays() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        make_private_folder(&inner).unwrap();
        assert_eq!((mode(&inner), mode(inner.parent().unwrap())), (0o700, 0o700));
        std::fs::set_permissions(&inner, std::fs::Permissions::from_mode(0o750)).unwrap();
        make_private_folder(&inner).unwrap();
        assert_eq!(mode(&inner), 0o750);
    }

    #[test]
    fn a_file_in_the_way_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, "").unwrap();
        assert!(format!("{:#}", make_private_folder(&path).unwrap_err()).ends_with("f is a file"));
        assert!(format!("{:#}", make_folder(&path).unwrap_err()).ends_with("f is a file"));
        assert!(format!("{:#}", may_have_folder(&path.join("a/b")).unwrap_err()).ends_with("f is a file"));
        may_have_folder(&folder.path().join("a/b/c")).unwrap();
    }
}
