//! Makes folders.

use std::fs::DirBuilder;
use std::io;
use std::path::Path;

use anyhow::{Context, anyhow};

use crate::cli::output::shown;
use crate::cli::problem::plain;

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
    builder.create(path).map_err(in_the_way).with_context(|| format!("cannot make the folder {}", shown(path)))
}

/// Makes a folder as the umask has it, and those above it that are missing. One that is there stays as it is.
///
/// # Errors
/// When the system refuses, or something else is in its place.
pub fn make_folder(path: &Path) -> anyhow::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .create(path)
        .map_err(in_the_way)
        .with_context(|| format!("cannot make the folder {}", shown(path)))
}

/// What exists already is no folder, or it would be taken.
fn in_the_way(error: io::Error) -> anyhow::Error {
    match error.kind() {
        io::ErrorKind::AlreadyExists => anyhow!("a file of that name exists already, and it is no folder"),
        _ => plain(error),
    }
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
        assert!(format!("{:#}", make_private_folder(&path).unwrap_err()).contains("exists"));
    }
}
