//! Opens what lies in a folder, and nothing else.
//!
//! On Linux the system does it: `openat2` with `RESOLVE_BENEATH` refuses every link that leads out, also one that is put
//! there between a look and the opening. Elsewhere, and on Linux before 5.6, the path is resolved and compared first.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::listing::{Entries, Listed};
use super::path;

/// The folder that is served.
#[derive(Debug)]
pub(super) struct Root {
    /// Without links.
    path: PathBuf,
    #[cfg(target_os = "linux")]
    handle: std::os::fd::OwnedFd,
}

/// Something in the folder.
#[derive(Debug)]
pub(super) enum Entry {
    File(File),
    Folder(Folder),
    /// A device, a pipe, a socket: not opened to be read.
    Other,
}

/// A regular file, open.
#[derive(Debug)]
pub(super) struct File {
    file: fs::File,
    /// In octets.
    pub(super) length: u64,
    /// When it last changed: seconds and nanoseconds since 1970.
    pub(super) modified: (i64, u32),
    pub(super) id: FileId,
    /// When anything about it last changed, also what can be set back: seconds and nanoseconds.
    changed: (i64, i64),
}

/// What is another when a file holds something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    length: u64,
    modified: (i64, u32),
    changed: (i64, i64),
}

/// A folder, open.
#[derive(Debug)]
pub(super) struct Folder {
    #[cfg(target_os = "linux")]
    file: fs::File,
    #[cfg(not(target_os = "linux"))]
    path: PathBuf,
}

/// Which file it is, whatever it is called. Elsewhere than on Unix, its path without links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileId {
    device: u64,
    number: u64,
}

impl FileId {
    /// Of this file.
    ///
    /// # Errors
    /// When it is not there.
    pub fn of(path: &Path) -> io::Result<Self> {
        Self::from(&fs::metadata(path)?, path)
    }

    #[cfg(unix)]
    fn from(about: &fs::Metadata, _: &Path) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt;
        Ok(Self { device: about.dev(), number: about.ino() })
    }

    #[cfg(not(unix))]
    fn from(_: &fs::Metadata, path: &Path) -> io::Result<Self> {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        fs::canonicalize(path)?.hash(&mut hasher);
        Ok(Self { device: 0, number: hasher.finish() })
    }
}

impl Root {
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let path = fs::canonicalize(folder)?;
        if !path.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{Mode, OFlags};
            let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
            let handle = rustix::fs::open(&path, flags, Mode::empty())?;
            Ok(Self { path, handle })
        }
        #[cfg(not(target_os = "linux"))]
        Ok(Self { path })
    }

    /// What lies at a path below the folder. The path has no `..`.
    pub(super) fn entry(&self, relative: &Path) -> io::Result<Entry> {
        let file = self.open_beneath(relative)?;
        let about = file.metadata()?;
        if about.is_dir() {
            #[cfg(target_os = "linux")]
            return Ok(Entry::Folder(Folder { file }));
            #[cfg(not(target_os = "linux"))]
            return Ok(Entry::Folder(Folder { path: self.path.join(relative) }));
        }
        if !about.is_file() {
            return Ok(Entry::Other);
        }
        let id = FileId::from(&about, &self.path.join(relative))?;
        Ok(Entry::File(File { length: about.len(), modified: modified(&about), changed: changed(&about), id, file }))
    }

    #[cfg(target_os = "linux")]
    fn open_beneath(&self, relative: &Path) -> io::Result<fs::File> {
        use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
        use rustix::io::Errno;
        // A pipe that nobody writes to must not be waited for.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        for _ in 0..4 {
            match openat2(&self.handle, relative, flags, Mode::empty(), resolve) {
                Ok(file) => return Ok(file.into()),
                // A rename went by, and the kernel is not sure.
                Err(Errno::AGAIN) => {}
                // A link by an absolute path: it may still lead to a place in here.
                Err(Errno::XDEV) => {
                    let place = self.resolved(relative)?;
                    let inside =
                        place.strip_prefix(&self.path).map_err(|_| io::Error::from(io::ErrorKind::NotFound))?;
                    let inside = if inside.as_os_str().is_empty() { Path::new(".") } else { inside };
                    let resolve = resolve | ResolveFlags::NO_SYMLINKS;
                    return Ok(openat2(&self.handle, inside, flags, Mode::empty(), resolve)?.into());
                }
                Err(Errno::NOSYS | Errno::PERM) => return fs::File::open(self.resolved(relative)?),
                Err(other) => return Err(other.into()),
            }
        }
        Err(io::ErrorKind::NotFound.into())
    }

    #[cfg(not(target_os = "linux"))]
    fn open_beneath(&self, relative: &Path) -> io::Result<fs::File> {
        let place = self.resolved(relative)?;
        if !fs::metadata(&place)?.is_file() && !fs::metadata(&place)?.is_dir() {
            return Err(io::ErrorKind::NotFound.into());
        }
        fs::File::open(place)
    }

    /// The path without links, where it is in the folder.
    fn resolved(&self, relative: &Path) -> io::Result<PathBuf> {
        let place = fs::canonicalize(self.path.join(relative))?;
        match place.starts_with(&self.path) {
            true => Ok(place),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl File {
    pub(super) fn state(&self) -> State {
        State { length: self.length, modified: self.modified, changed: self.changed }
    }

    /// Reads at a place into what `buffer` has left, once. Returns how many octets; 0 at the end.
    pub(super) fn read_more(&self, buffer: &mut Vec<u8>, at: u64) -> io::Result<usize> {
        #[cfg(target_os = "linux")]
        loop {
            match rustix::io::pread(&self.file, rustix::buffer::spare_capacity(buffer), at) {
                Ok(count) => return Ok(count),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        #[cfg(not(target_os = "linux"))]
        {
            use std::io::{Read, Seek, SeekFrom};
            let mut file = &self.file;
            file.seek(SeekFrom::Start(at))?;
            let room = buffer.capacity() - buffer.len();
            file.take(room as u64).read_to_end(buffer)
        }
    }
}

impl Folder {
    /// What it holds, without hidden files and those it does not show, sorted: folders first.
    pub(super) fn list(
        &self,
        root: &Root,
        relative: &Path,
        shows: &dyn Fn(&File, &Path) -> bool,
    ) -> io::Result<Entries> {
        let mut entries = Entries::default();
        self.each_name(&mut |name, shown| {
            if path::is_hidden(shown) {
                return true;
            }
            if entries.found.len() >= MOST_LISTED {
                entries.is_cut = true;
                return false;
            }
            // Opened as it would be to be served: what leads out is not listed either.
            match root.entry(&relative.join(name)) {
                Ok(Entry::File(file)) if shows(&file, name) => {
                    entries.found.push(Listed { name: shown.to_vec(), file: Some((file.length, file.modified.0)) });
                }
                Ok(Entry::Folder(_)) => entries.found.push(Listed { name: shown.to_vec(), file: None }),
                _ => {}
            }
            true
        })?;
        entries.found.sort_by(|one, other| (one.file.is_some(), &one.name).cmp(&(other.file.is_some(), &other.name)));
        Ok(entries)
    }

    #[cfg(target_os = "linux")]
    fn each_name(&self, each: &mut dyn FnMut(&Path, &[u8]) -> bool) -> io::Result<()> {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        for entry in rustix::fs::Dir::read_from(&self.file)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if !each(Path::new(OsStr::from_bytes(name)), name) {
                break;
            }
        }
        Ok(())
    }

    #[cfg(not(target_os = "linux"))]
    fn each_name(&self, each: &mut dyn FnMut(&Path, &[u8]) -> bool) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            let Some(shown) = name.to_str() else { continue };
            if !each(Path::new(&name), shown.as_bytes()) {
                break;
            }
        }
        Ok(())
    }
}

/// Whether the system has no more files to give.
pub(super) fn is_exhausted(error: &io::Error) -> bool {
    // EMFILE and ENFILE.
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}

#[cfg(unix)]
fn modified(about: &fs::Metadata) -> (i64, u32) {
    use std::os::unix::fs::MetadataExt;
    (about.mtime(), u32::try_from(about.mtime_nsec()).unwrap_or(0))
}

#[cfg(unix)]
fn changed(about: &fs::Metadata) -> (i64, i64) {
    use std::os::unix::fs::MetadataExt;
    (about.ctime(), about.ctime_nsec())
}

#[cfg(not(unix))]
fn changed(_: &fs::Metadata) -> (i64, i64) {
    (0, 0)
}

#[cfg(not(unix))]
fn modified(about: &fs::Metadata) -> (i64, u32) {
    let since = about.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    since.map_or((0, 0), |since| (i64::try_from(since.as_secs()).unwrap_or(0), since.subsec_nanos()))
}

/// Files on one page.
const MOST_LISTED: usize = 10_000;
