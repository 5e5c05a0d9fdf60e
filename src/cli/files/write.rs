//! Writes all of several files or none of them.
//!
//! First everything is checked, then every file is written in its folder, without its name, and synced, then all get their
//! names. Whatever fails, what was there before is there again and nothing else is left.

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, anyhow, bail};
use tempfile::{Builder, NamedTempFile, TempPath};
use zeroize::Zeroizing;

use super::is_dash;
use super::replaced::{Replaced, gives_way, led_to};
use super::spared::{holds_key, may_give_way};
use super::staged::Staged;
use crate::cli::output::{Session, shown};
use crate::cli::problem::{Hinted, plain};

/// Who may read a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The owner alone (0600), whatever the umask: anything that holds a private key. In the place of a file that is a
    /// secret too, those who might read that one.
    Secret,
    /// Whoever the umask lets (0644 at most), or those who might read the file that was there before.
    Public,
}

/// Files to be written together: all of them or none.
///
/// A path of `-` is stdout. A FIFO or a device (`/dev/null`, `/dev/fd/3`) is written to, not replaced. Anything else that
/// exists is refused, or with `force` replaced: of a link what it leads to, in its own folder, so that the link stays; a
/// folder never, and a file with a private key only by contents with one. The new file has owner, group and permissions of the one it replaces, as far as that opens it to nobody.
#[derive(Debug)]
#[must_use]
pub struct WriteSet {
    force: bool,
    lasting: bool,
    whole: bool,
    files: Vec<Entry>,
}

impl WriteSet {
    /// An empty set; `force` lets it replace files.
    pub fn new(force: bool) -> Self {
        Self { force, lasting: false, whole: false, files: Vec::new() }
    }

    /// Has the files' names survive a power cut too once they are written, not only their contents: for what cannot be
    /// made again, at the price of a sync for each folder.
    pub fn lasting(self) -> Self {
        Self { lasting: true, ..self }
    }

    /// Has a reader of stdout or a FIFO take all of it, before any file gets its name: one that leaves before is an error. For
    /// what is of use only where it arrives.
    pub fn whole(self) -> Self {
        Self { whole: true, ..self }
    }

    /// Adds a file. Its contents are wiped when the set is done.
    pub fn add(&mut self, path: impl Into<PathBuf>, contents: impl Into<Zeroizing<Vec<u8>>>, mode: Mode) {
        self.files.push(Entry { path: path.into(), contents: contents.into(), mode, replaces: false });
    }

    /// Adds a file that takes the place of the one that is there, which is the caller's own: what it held was read.
    pub fn replace(&mut self, path: impl Into<PathBuf>, contents: impl Into<Zeroizing<Vec<u8>>>, mode: Mode) {
        self.files.push(Entry { path: path.into(), contents: contents.into(), mode, replaces: true });
    }

    /// Writes all files and returns their paths, stdout's left out.
    ///
    /// # Errors
    /// As [`WriteSet::check`], and when the system refuses. Then nothing was written, except to stdout and devices, which
    /// cannot be taken back.
    pub fn write(self, session: &mut Session) -> anyhow::Result<Vec<PathBuf>> {
        let force = self.force;
        let places = places(self.files.iter().map(|file| (file.path.as_path(), force || file.replaces)), session)?;
        for (file, place) in self.files.iter().zip(&places) {
            // A secret may be a key in another form than PEM.
            if let Place::File(target) = place
                && force
                && file.mode == Mode::Public
                && !file.replaces
                && !holds_key(&file.contents)
            {
                may_give_way(target).with_context(|| cannot_write(&file.path))?;
            }
        }
        let mut staged = Vec::new();
        for (file, place) in self.files.iter().zip(&places) {
            if let Place::File(target) = place {
                let written = stage(file, target, force || file.replaces);
                staged.push((file, target, written.with_context(|| cannot_write(&file.path))?));
            }
        }
        sync(&staged)?;
        let hand_over = |session: &mut Session| {
            self.files.iter().zip(&places).try_for_each(|(file, place)| self.hand_over(file, place, session))
        };
        // What has to arrive does so before anything counts on it.
        if self.whole {
            hand_over(session)?;
        }
        let mut placed = Placed::default();
        for (file, target, staged) in staged {
            placed.put(staged, target, force || file.replaces).with_context(|| cannot_write(&file.path))?;
        }
        if !self.whole {
            hand_over(session)?;
        }
        placed.keep(self.lasting);
        let written = self.files.iter().zip(&places).filter(|(_, place)| **place != Place::Stdout);
        Ok(written.map(|(file, _)| file.path.clone()).collect())
    }

    /// Writes what goes to a reader.
    fn hand_over(&self, file: &Entry, place: &Place, session: &mut Session) -> anyhow::Result<()> {
        match place {
            Place::File(_) => Ok(()),
            Place::Stdout => {
                session.raw(&file.contents)?;
                if self.whole && session.has_lost_its_reader() {
                    bail!("cannot write to stdout: its reader has left");
                }
                Ok(())
            }
            Place::Stream => write_stream(file, self.whole).with_context(|| cannot_write(&file.path)),
        }
    }

    /// As [`WriteSet::check`], for a command that replaces nothing and has no `--force`.
    ///
    /// # Errors
    /// As [`WriteSet::check`].
    pub fn check_new<'a>(paths: impl IntoIterator<Item = &'a Path>, session: &Session) -> anyhow::Result<()> {
        let paths: Vec<&Path> = paths.into_iter().collect();
        for path in &paths {
            if matches!(place(path, true), Ok(Place::File(_))) && path.symlink_metadata().is_ok() {
                return Err(anyhow!("it exists already"))
                    .hint("nothing replaces a CA or its key: move it away, or choose another place")
                    .with_context(|| cannot_write(path));
            }
        }
        Self::check(paths, false, session)
    }

    /// Whether files could be written to these paths: asked before keys are generated, passphrases typed and certificates
    /// recorded. Each folder is tried with a file that is gone at once.
    ///
    /// # Errors
    /// When something is in the way, the folder is missing or takes no file, the same path is given twice, or `-` meets
    /// `--json`.
    pub fn check<'a>(paths: impl IntoIterator<Item = &'a Path>, force: bool, session: &Session) -> anyhow::Result<()> {
        let paths: Vec<&Path> = paths.into_iter().collect();
        let places = places(paths.iter().map(|path| (*path, force)), session)?;
        let mut tried: Vec<&Path> = Vec::new();
        for (path, place) in paths.into_iter().zip(&places) {
            let Place::File(target) = place else { continue };
            let folder = folder_of(target);
            if !tried.contains(&folder) {
                try_folder(folder).with_context(|| cannot_write(path))?;
                tried.push(folder);
            }
        }
        Ok(())
    }
}

/// Whether two paths name one place: a key and a certificate that go there become one file.
pub fn same_place(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| Some((folder_of(path).canonicalize().ok()?, path.file_name()?.to_owned()));
    one == other || place(one).is_some_and(|one| place(other) == Some(one))
}

struct Entry {
    path: PathBuf,
    contents: Zeroizing<Vec<u8>>,
    mode: Mode,
    replaces: bool,
}

/// Contents may be a key: they are never shown.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, contents: _, mode, replaces } = self;
        let mut entry = f.debug_struct("Entry");
        entry.field("path", path).field("mode", mode).field("replaces", replaces).finish_non_exhaustive()
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    Stdout,
    /// Written to as it stands: a FIFO, a character device, an open descriptor.
    Stream,
    /// A file of this path, which is no link.
    File(PathBuf),
}

fn places<'a>(paths: impl IntoIterator<Item = (&'a Path, bool)>, session: &Session) -> anyhow::Result<Vec<Place>> {
    let mut places: Vec<Place> = Vec::new();
    for (path, force) in paths {
        let place = place(path, force).with_context(|| cannot_write(path))?;
        let is_taken =
            |target: &Path| places.iter().any(|it| matches!(it, Place::File(other) if same_place(target, other)));
        match &place {
            Place::Stdout => session.may_take_stdout()?,
            Place::File(target) if is_taken(target) => bail!("cannot write {}: it is given twice", shown(path)),
            Place::Stream | Place::File(_) => {}
        }
        places.push(place);
    }
    Ok(places)
}

pub(super) fn place(path: &Path, force: bool) -> anyhow::Result<Place> {
    if is_dash(path) || path == Path::new("/dev/stdout") {
        return Ok(Place::Stdout);
    }
    // Names here are the system's; even a link or a "file" must be left in place.
    if path.starts_with("/proc") || (path.starts_with("/dev") && !path.starts_with("/dev/shm")) {
        let about = fs::metadata(path).map_err(plain)?;
        return if about.is_file() || is_stream(&about) { Ok(Place::Stream) } else { Err(anyhow!("it is no file")) };
    }
    if path.file_name().is_none() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(anyhow!("it is no file's name")).hint("name the file, not its folder");
    }
    match fs::symlink_metadata(path) {
        Ok(about) if is_stream(&about) => Ok(Place::Stream),
        Ok(about) if about.is_symlink() && force && !path.is_dir() => place(&led_to(path)?, force),
        Ok(about) => may_replace(path, &about, force).map(|()| Place::File(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            has_folder(path).map(|()| Place::File(path.to_owned()))
        }
        Err(error) => Err(plain(error)),
    }
}

fn may_replace(path: &Path, about: &Metadata, force: bool) -> anyhow::Result<()> {
    if path.is_dir() {
        return Err(anyhow!("it is a folder")).hint("name a file in it");
    }
    if about.is_symlink() {
        let target = fs::read_link(path).map(|target| format!(" to {}", shown(&target))).unwrap_or_default();
        return Err(anyhow!("it is a link{target}")).hint("--force replaces the file that it leads to");
    }
    if !about.is_file() {
        bail!("it is no file");
    }
    if !force {
        return Err(anyhow!("it exists already")).hint("--force replaces it");
    }
    gives_way(path)
}

fn has_folder(path: &Path) -> anyhow::Result<()> {
    let folder = folder_of(path);
    if folder.is_dir() {
        return Ok(());
    }
    let folder = shown(folder);
    Err(anyhow!("there is no folder {folder}")).hint(format!("make it first: mkdir -p {folder}"))
}

#[cfg(unix)]
fn is_stream(about: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    about.file_type().is_fifo() || about.file_type().is_char_device()
}

#[cfg(not(unix))]
fn is_stream(_: &Metadata) -> bool {
    false
}

/// Writes a file that has not its name yet, 0600 from the first byte unless it is public.
fn stage(file: &Entry, target: &Path, force: bool) -> anyhow::Result<Staged> {
    let write = || {
        let replaced = if force { Replaced::at(target)? } else { None };
        let staged = Staged::new(folder_of(target), file.mode == Mode::Public && replaced.is_none())?;
        staged.file().write_all(&file.contents)?;
        if let Some(replaced) = replaced {
            replaced.hand_on(staged.file(), file.mode == Mode::Secret)?;
        }
        Ok(staged)
    };
    write().map_err(plain)
}

/// Whether a folder takes a file, and the disk what will be in it.
pub(super) fn try_folder(folder: &Path) -> anyhow::Result<()> {
    let write = || Staged::new(folder, false)?.file().write_all(&[0; TRIED]);
    write().map_err(plain)
}

/// Waits until all are on the disk before any name points to them, so that no power cut leaves half a file. All at once:
/// a journal is written once for those that wait for it together.
fn sync(staged: &[(&Entry, &PathBuf, Staged)]) -> anyhow::Result<()> {
    let one = |(entry, _, file): &(&Entry, &PathBuf, Staged)| {
        file.file().sync_all().map_err(plain).with_context(|| cannot_write(&entry.path))
    };
    let Some((last, others)) = staged.split_last() else { return Ok(()) };
    for others in others.chunks(SYNCED_AT_ONCE) {
        thread::scope(|scope| {
            let waiting: Vec<_> = others.iter().map(|other| scope.spawn(move || one(other))).collect();
            waiting.into_iter().try_for_each(|other| other.join().unwrap_or_else(|_| bail!("a thread failed")))
        })?;
    }
    one(last)
}

fn write_stream(file: &Entry, whole: bool) -> anyhow::Result<()> {
    let mut stream = File::options().write(true).open(&file.path).map_err(plain)?;
    match stream.write_all(&file.contents) {
        // A reader that has left has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe && !whole => Ok(()),
        written => written.map_err(plain),
    }
}

/// The files in place so far. Dropped before [`Placed::keep`], all is as it was.
#[derive(Debug, Default)]
struct Placed {
    files: Vec<(PathBuf, Option<TempPath>)>,
}

impl Placed {
    fn put(&mut self, staged: Staged, path: &Path, force: bool) -> anyhow::Result<()> {
        let before = if force { before(path).map_err(plain)? } else { None };
        match before {
            None => staged.place(path).map_err(plain)?,
            Some(Before { kept, moved }) => {
                let replace = |staged: Staged| staged.hide(folder_of(path))?.persist(path).map_err(|error| error.error);
                if let Err(error) = replace(staged) {
                    if moved {
                        // The error to tell is the first one.
                        _ = kept.persist(path);
                    }
                    return Err(plain(error));
                }
                self.files.push((path.to_owned(), Some(kept)));
                return Ok(());
            }
        }
        self.files.push((path.to_owned(), None));
        Ok(())
    }

    fn keep(mut self, lasting: bool) {
        let mut folders: Vec<PathBuf> = Vec::new();
        for (path, before) in self.files.drain(..) {
            drop(before);
            let folder = folder_of(&path);
            if !folders.iter().any(|known| known == folder) {
                folders.push(folder.to_owned());
            }
        }
        if !lasting {
            return;
        }
        // Some file systems cannot, and need not.
        for folder in folders {
            _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        for (path, before) in self.files.drain(..).rev() {
            // The error that led here is already on its way; another would hide it.
            _ = match before {
                Some(before) => before.persist(&path).map_err(|error| error.error),
                None => fs::remove_file(&path),
            };
        }
    }
}

/// What stood in a file's place.
struct Before {
    kept: TempPath,
    /// It was moved away, not linked to: its own place is empty meanwhile.
    moved: bool,
}

/// Keeps what stands at `path` under a second name.
fn before(path: &Path) -> io::Result<Option<Before>> {
    match keep(path, |from, to| fs::hard_link(from, to)) {
        Ok(kept) => Ok(Some(Before { kept, moved: false })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        // Some file systems have no hard links, and Linux forbids them to files of other users.
        Err(_) => keep(path, |from, to| fs::rename(from, to)).map(|kept| Some(Before { kept, moved: true })),
    }
}

fn keep(path: &Path, how: fn(&Path, &Path) -> io::Result<()>) -> io::Result<TempPath> {
    Builder::new().prefix(PREFIX).make_in(folder_of(path), |name| how(path, name)).map(NamedTempFile::into_temp_path)
}

/// The folder a file is in.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", shown(path))
}

/// How much a disk must take, in bytes: more than key and chain have.
const TRIED: usize = 16 << 10;

/// How many files are waited for at the same time.
const SYNCED_AT_ONCE: usize = 16;

/// What temporary files and folders begin with.
pub(super) const PREFIX: &str = ".certkit-";

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
