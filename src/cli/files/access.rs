//! Who may do what with a file, where a mode says so.

use std::path::Path;

use super::folder_of;

/// The permissions of what a path leads to, `0o600` for instance; `None` where it is not there or has none.
#[cfg(unix)]
pub fn permissions(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).ok().map(|about| about.permissions().mode() & 0o777)
}

/// Who may read a file is not said by a mode here.
#[cfg(not(unix))]
pub fn permissions(_: &Path) -> Option<u32> {
    None
}

/// Whether the folder of a file lets everybody in.
pub fn folder_is_open(path: &Path) -> bool {
    permissions(folder_of(path)).is_some_and(|mode| mode & 0o001 != 0)
}
