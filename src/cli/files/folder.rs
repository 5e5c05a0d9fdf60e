//! Makes folders.

use std::fs::DirBuilder;
use std::io;
use std::path::Path;

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

fn made(path: &Path, made: io::Result<()>) -> anyhow::Result<()> {
    let cannot = || format!("cannot make the folder {}", shown(path));
    let in_the_way = path.ancestors().find(|above| above.symlink_metadata().is_ok()).filter(|above| !above.is_dir());
    match (made, in_the_way) {
        (Err(_), Some(file)) => Err(anyhow!("{} is no folder", shown(file)))
            .with_context(cannot)
            .hint("name another folder, or move that away"),
        (made, _) => made.map_err(plain).with_context(cannot),
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
        assert!(format!("{:#}", make_private_folder(&path).unwrap_err()).contains("is no folder"));
    }
}
