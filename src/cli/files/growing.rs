//! Files that grow while certkit runs.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, anyhow};

use crate::cli::output::shown;
use crate::cli::problem::{Hinted, plain};

/// Opens a file to add secrets to its end. One that is not there is made for its owner alone (0600).
///
/// # Errors
/// When the system refuses, and for a file that others may read.
pub fn add_to_secret(path: &Path) -> anyhow::Result<Box<dyn Write + Send>> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let file = options.open(path).map_err(plain).with_context(|| format!("cannot write {}", shown(path)))?;
    if is_open_to_others(&file) {
        return Err(anyhow!("{} may be read by others, and secrets would be written to it", shown(path)))
            .hint(format!("chmod 600 {}, or choose another file", shown(path)));
    }
    Ok(Box::new(file))
}

#[cfg(unix)]
fn is_open_to_others(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().map_or(true, |about| about.is_file() && about.mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &File) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn secrets_are_added_where_nobody_else_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.txt");
        for line in ["a\n", "b\n"] {
            add_to_secret(&path).unwrap().write_all(line.as_bytes()).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "a\nb\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(add_to_secret(&path).err().unwrap().to_string().contains("read by others"));
    }
}
