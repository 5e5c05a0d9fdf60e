//! Files that are written and have not their names yet.

use std::fs::File;
use std::io;
use std::path::Path;

use tempfile::{Builder, NamedTempFile, TempPath};

use super::write::PREFIX;

/// A file that is in the folder where it will be, and not to be found there. Dropped, it is gone.
///
/// On Linux it has no name at all where the file system has such files (`O_TMPFILE`): however the process ends, no key is
/// left behind. Elsewhere it has a hidden one, which a process that is killed leaves.
#[derive(Debug)]
pub(super) enum Staged {
    #[cfg(target_os = "linux")]
    Nameless(File),
    Named(NamedTempFile),
}

impl Staged {
    /// An empty file, its owner's alone (0600) or `public`: everybody's to read, as far as the umask lets them.
    ///
    /// # Errors
    /// When the folder takes no file.
    pub(super) fn new(folder: &Path, public: bool) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        if let Some(file) = nameless(folder, public) {
            return Ok(Self::Nameless(file));
        }
        Self::hidden(folder, public)
    }

    fn hidden(folder: &Path, public: bool) -> io::Result<Self> {
        let mut builder = Builder::new();
        builder.prefix(PREFIX);
        #[cfg(unix)]
        if public {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o644));
        }
        #[cfg(not(unix))]
        let _ = public;
        builder.tempfile_in(folder).map(Self::Named)
    }

    pub(super) fn file(&self) -> &File {
        match self {
            #[cfg(target_os = "linux")]
            Self::Nameless(file) => file,
            Self::Named(file) => file.as_file(),
        }
    }

    /// Gives it its name, which must be free.
    ///
    /// # Errors
    /// `AlreadyExists`, and when the system refuses.
    pub(super) fn place(self, path: &Path) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Nameless(file) => link(&file, path),
            Self::Named(file) => file.into_temp_path().persist_noclobber(path).map_err(|error| error.error),
        }
    }

    /// Gives it a hidden name in its folder, from which it can be moved over another file.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn hide(self, folder: &Path) -> io::Result<TempPath> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Nameless(file) => {
                let hidden = Builder::new().prefix(PREFIX).make_in(folder, |name| link(&file, name));
                hidden.map(NamedTempFile::into_temp_path)
            }
            Self::Named(file) => Ok(file.into_temp_path()),
        }
    }
}

/// A file without a name, where there is such a thing and a way to give it one later.
#[cfg(target_os = "linux")]
fn nameless(folder: &Path, public: bool) -> Option<File> {
    use rustix::fs::{Mode, OFlags};
    let mode = Mode::from_raw_mode(if public { 0o644 } else { 0o600 });
    let file = rustix::fs::open(folder, OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC, mode).ok()?;
    let file = File::from(file);
    std::fs::symlink_metadata(own_link(&file)).is_ok().then_some(file)
}

#[cfg(target_os = "linux")]
fn link(file: &File, path: &Path) -> io::Result<()> {
    use rustix::fs::{AtFlags, CWD};
    Ok(rustix::fs::linkat(CWD, own_link(file), CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

/// What leads to an open file: `linkat` takes descriptors themselves of privileged processes alone.
#[cfg(target_os = "linux")]
fn own_link(file: &File) -> String {
    use std::os::fd::AsRawFd;
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::print_stderr)]
    use super::*;
    use std::fs;
    use std::io::Write;

    /// What makes either kind, where there are two.
    const KINDS: [fn(&Path, bool) -> io::Result<Staged>; 2] = [Staged::new, Staged::hidden];

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_gets_a_free_name_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        for (at, new) in KINDS.into_iter().enumerate() {
            let staged = new(folder.path(), false).unwrap();
            staged.file().write_all(b"key").unwrap();
            let placed = staged.place(&path);
            if at == 0 {
                placed.unwrap();
            } else {
                assert_eq!(placed.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
            }
            assert_eq!(
                (fs::read_to_string(&path).unwrap().as_str(), names(folder.path())),
                ("key", vec!["key.pem".into()])
            );
        }
    }

    #[test]
    fn it_can_be_moved_over_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        for new in KINDS {
            let staged = new(folder.path(), false).unwrap();
            fs::write(&path, "old").unwrap();
            staged.file().write_all(b"new").unwrap();
            let hidden = staged.hide(folder.path()).unwrap();
            assert_eq!(names(folder.path()).len(), 2);
            hidden.persist(&path).unwrap();
            assert_eq!((fs::read_to_string(&path).unwrap().as_str(), names(folder.path()).len()), ("new", 1));
        }
    }

    #[test]
    fn what_is_dropped_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        for new in KINDS {
            drop(new(folder.path(), false).unwrap());
            drop(new(folder.path(), true).unwrap().hide(folder.path()).unwrap());
        }
        assert_eq!(names(folder.path()), Vec::<String>::new());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn on_linux_there_is_nothing_to_leave_behind() {
        let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let staged = Staged::new(folder.path(), false).unwrap();
        match &staged {
            Staged::Nameless(_) => assert_eq!(names(folder.path()), Vec::<String>::new()),
            Staged::Named(_) => eprintln!("skipped: this file system has no files without a name"),
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_secret_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        for new in KINDS {
            let staged = new(folder.path(), false).unwrap();
            assert_eq!(staged.file().metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        let mode = |new: fn(&Path, bool) -> io::Result<Staged>| {
            new(folder.path(), true).unwrap().file().metadata().unwrap().permissions().mode()
        };
        let [nameless, named] = KINDS.map(mode);
        assert_eq!((nameless, named & 0o600), (named, 0o600));
    }
}
