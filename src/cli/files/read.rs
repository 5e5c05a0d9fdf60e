//! Reads whole files, within bounds.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, anyhow, bail};
use zeroize::Zeroizing;

use super::is_dash;
use crate::cli::output::shown;
use crate::cli::problem::{Hinted, plain};

/// The most a file may hold, in bytes: 128 MiB. A revocation list of a million certificates has 70 MB as PEM.
pub const READ_LIMIT: usize = 128 << 20;

/// Reads a file, or stdin for `-`: regular files, FIFOs, `/dev/stdin`, process substitution. Wiped when dropped.
///
/// # Errors
/// When it is missing, a folder, not permitted, empty, or holds more than [`READ_LIMIT`]; and when stdin is read twice.
pub fn read(path: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    if is_dash(path) {
        return read_stdin().context("cannot read stdin");
    }
    match read_file(path) {
        Ok(contents) => Ok(contents),
        Err(error) => {
            let failed = Err(error).with_context(|| format!("cannot read {}", shown(path)));
            match similar(path) {
                Some(other) if !path.exists() => failed.hint(format!("did you mean {}?", shown(&other))),
                _ => failed,
            }
        }
    }
}

/// Reads a file of text, or stdin for `-`.
///
/// # Errors
/// As [`read`], and when it is not UTF-8.
pub fn read_text(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let contents = read(path)?;
    let text = std::str::from_utf8(&contents).with_context(|| format!("cannot read {}", shown(path)))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Reads a file of text that need not be there.
///
/// # Errors
/// As [`read_text`], but for a file that is missing.
pub fn read_text_if_there(path: &Path) -> anyhow::Result<Option<Zeroizing<String>>> {
    match path.symlink_metadata() {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        _ => read_text(path).map(Some),
    }
}

/// Refuses a file with a secret that others than its owner can read; root's own may be read by a group, as the keys of Debian's
/// `ssl-cert` are.
///
/// # Errors
/// Where others can read it, or it cannot be looked at.
#[cfg(unix)]
pub fn is_for_its_owner_alone(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let about = fs::metadata(path).map_err(plain).with_context(|| format!("cannot read {}", shown(path)))?;
    let open = about.mode() & if about.uid() == 0 { 0o037 } else { 0o077 };
    match about.is_file() && open != 0 {
        true => Err(anyhow!("{} holds a key and may be read by others", shown(path)))
            .hint(format!("chmod 600 {}", shown(path))),
        false => Ok(()),
    }
}

/// Who may read a file is not said by a mode here.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn is_for_its_owner_alone(_: &Path) -> anyhow::Result<()> {
    Ok(())
}

fn read_stdin() -> anyhow::Result<Zeroizing<Vec<u8>>> {
    static READ: AtomicBool = AtomicBool::new(false);
    if READ.swap(true, Ordering::Relaxed) {
        bail!("it was read already: `-` can be given once");
    }
    read_bounded(io::stdin().lock(), 0)
}

fn read_file(path: &Path) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let file = open(path).map_err(plain)?;
    let about = file.metadata().map_err(plain)?;
    if about.is_dir() {
        bail!("it is a folder");
    }
    let expected = if about.is_file() { about.len() } else { 0 };
    read_bounded(file, expected)
}

/// Opens a file. A FIFO that somebody has opened already, as `/dev/fd/3`, may have no writer any more and its contents still: it is
/// not waited for another.
fn open(path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    if path.starts_with("/dev/fd") {
        use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
        use std::os::unix::fs::OpenOptionsExt;
        let at_once = OFlags::NONBLOCK.bits().cast_signed();
        let file = fs::OpenOptions::new().read(true).custom_flags(at_once).open(path)?;
        fcntl_setfl(&file, fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
        return Ok(file);
    }
    File::open(path)
}

/// Reads to the end into memory that is wiped as it grows.
fn read_bounded(mut from: impl Read, expected: u64) -> anyhow::Result<Zeroizing<Vec<u8>>> {
    let too_large = || anyhow!("it holds more than {} MiB", READ_LIMIT >> 20);
    let expected = usize::try_from(expected).ok().filter(|size| *size <= READ_LIMIT).ok_or_else(too_large)?;
    let mut room = Zeroizing::new(vec![0; (expected + 1).max(8 << 10)]);
    let mut filled = 0;
    loop {
        match from.read(room.get_mut(filled..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(plain(error)),
        }
        if filled > READ_LIMIT {
            return Err(too_large());
        }
        if filled == room.len() {
            let mut larger = Zeroizing::new(Vec::with_capacity(2 * room.len()));
            larger.extend_from_slice(&room);
            larger.resize(2 * room.len(), 0);
            room = larger;
        }
    }
    if filled == 0 {
        bail!("it is empty");
    }
    room.truncate(filled);
    Ok(room)
}

/// A file beside `path` whose name is nearly its own.
pub(super) fn similar(path: &Path) -> Option<PathBuf> {
    let wanted = path.file_name()?.to_str()?.to_lowercase();
    let folder = path.parent()?;
    let listed = fs::read_dir(if folder.as_os_str().is_empty() { Path::new(".") } else { folder }).ok()?;
    let near = |entry: fs::DirEntry| {
        // The name itself may be there, as a link that leads nowhere.
        let name = entry.file_name().into_string().ok().filter(|name| path.file_name() != Some(OsStr::new(name)))?;
        let apart = distance(&wanted, &name.to_lowercase());
        // A link to nothing is listed and cannot be read.
        (path.file_name() != Some(name.as_ref()) && apart <= 2 && apart * 3 <= wanted.chars().count())
            .then_some((apart, name))
    };
    let (_, name) = listed.take(MOST_LISTED).filter_map(|entry| near(entry.ok()?)).min()?;
    Some(folder.join(name))
}

/// How many letters must be changed, added or dropped to make one text the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, c) in one.chars().enumerate() {
        let mut next = vec![above + 1];
        for ((pair, d), left) in row.windows(2).zip(&other).zip(1..) {
            let &[diagonal, up] = pair else { continue };
            let beside = next.get(left - 1).copied().unwrap_or(diagonal);
            next.push((diagonal + usize::from(c != *d)).min(up + 1).min(beside + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

/// A hint is not worth listing a folder of a million files.
const MOST_LISTED: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(path: &Path) -> String {
        format!("{:#}", read(path).unwrap_err())
    }

    #[test]
    fn a_file_is_read_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        for size in [1, 8191, 8192, 8193, 300_000] {
            let contents: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
            fs::write(&path, &contents).unwrap();
            assert_eq!(*read(&path).unwrap(), contents);
            // As if its size were unknown, which is how pipes come.
            assert_eq!(*read_bounded(File::open(&path).unwrap(), 0).unwrap(), contents);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_read_to_its_end() {
        use std::io::Write;
        use std::os::fd::AsRawFd;
        let (reader, mut writer) = io::pipe().unwrap();
        let feeder = std::thread::spawn(move || writer.write_all(&[7; 200_000]));
        let path = format!("/dev/fd/{}", reader.as_raw_fd());
        assert_eq!(*read(Path::new(&path)).unwrap(), [7; 200_000]);
        feeder.join().unwrap().unwrap();
    }

    #[test]
    fn the_limit_is_exact_and_said() {
        let limit = READ_LIMIT as u64;
        assert_eq!(read_bounded(io::repeat(1).take(limit), 0).unwrap().len(), READ_LIMIT);
        for (size, expected) in [(limit + 1, 0), (limit + 1, limit + 1), (u64::MAX, 0)] {
            let error = read_bounded(io::repeat(1).take(size), expected).unwrap_err();
            assert_eq!(error.to_string(), "it holds more than 128 MiB");
        }
    }

    #[test]
    fn a_refusal_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("empty"), "").unwrap();
        assert!(refusal(&at("empty")).ends_with("empty: it is empty"));
        assert!(refusal(folder.path()).ends_with(": it is a folder"));
        assert!(refusal(&at("missing")).ends_with("missing: no such file"));
        assert!(refusal(&at("empty/x")).ends_with("x: a part of the path is no folder"));
    }

    #[test]
    fn a_near_miss_is_suggested() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("cert.pem"), "x").unwrap();
        assert_eq!(similar(&folder.path().join("cret.pem")), Some(folder.path().join("cert.pem")));
        assert_eq!(similar(&folder.path().join("Cert.pem")), Some(folder.path().join("cert.pem")));
        assert_eq!(similar(&folder.path().join("cert.pem")), None);
        assert_eq!(similar(&folder.path().join("key.der")), None);
        assert_eq!(similar(&folder.path().join("x")), None);
    }

    #[test]
    fn distances_count_letters() {
        for (one, other, apart) in [("", "", 0), ("a", "", 1), ("", "ab", 2), ("kitten", "sitting", 3), ("é", "e", 1)]
        {
            assert_eq!(distance(one, other), apart);
        }
    }
}
