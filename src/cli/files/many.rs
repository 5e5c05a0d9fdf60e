//! Many files at once: the files of a folder, the lines of a stream.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::is_dash;
use crate::cli::output::shown;
use crate::cli::problem::plain;

/// The longest line that is taken, in bytes; paths and PEM lines are far shorter.
const LONGEST_LINE: u64 = 64 << 10;

/// Gives every file of a folder and of the folders in it to `each`, folder by folder in the order of their names. One
/// folder's names are held at a time. Links are not followed into folders, so there are no circles.
///
/// # Errors
/// When a folder cannot be listed; what was found before has been given.
pub fn each_file_below(folder: &Path, mut each: impl FnMut(PathBuf)) -> anyhow::Result<()> {
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let mut inner = Vec::new();
        for (name, is_folder) in list(&folder).with_context(|| format!("cannot list {}", shown(&folder)))? {
            let path = folder.join(name);
            if is_folder { inner.push(path) } else { each(path) }
        }
        folders.extend(inner.into_iter().rev());
    }
    Ok(())
}

/// The names in a folder in order, each with whether it is a folder.
fn list(folder: &Path) -> anyhow::Result<Vec<(OsString, bool)>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(plain)? {
        let entry = entry.map_err(plain)?;
        names.push((entry.file_name(), entry.file_type().is_ok_and(|kind| kind.is_dir())));
    }
    names.sort();
    Ok(names)
}

/// Gives every line of stdin to `each`, without its line end.
///
/// # Errors
/// Those of `each`, when stdin cannot be read, or a line is longer than 64 KiB.
pub fn each_line_of_stdin(mut each: impl FnMut(&[u8]) -> anyhow::Result<()>) -> anyhow::Result<()> {
    each_line(&mut io::stdin().lock(), "stdin", |line| each(line).map(|()| true))
}

/// The lines of a file or of stdin, to be gone through more than once.
#[derive(Debug)]
pub struct Lines {
    name: String,
    source: BufReader<File>,
}

impl Lines {
    /// Opens a file; `-` is stdin, which is kept in a file without a name meanwhile.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let name = if is_dash(path) { "stdin".to_owned() } else { shown(path) };
        let open = || -> io::Result<File> {
            if !is_dash(path) {
                let file = File::open(path)?;
                if file.metadata()?.is_file() {
                    return Ok(file);
                }
                return kept(file);
            }
            kept(io::stdin().lock())
        };
        let source = open().map_err(plain).with_context(|| format!("cannot read {name}"))?;
        Ok(Self { name, source: BufReader::with_capacity(64 << 10, source) })
    }

    /// Gives every line to `each`, from the first one, without its line end, until it wants no more.
    ///
    /// # Errors
    /// Those of `each`, when the file cannot be read, or a line is longer than 64 KiB.
    pub fn each(&mut self, each: impl FnMut(&[u8]) -> anyhow::Result<bool>) -> anyhow::Result<()> {
        self.source.rewind().map_err(plain).with_context(|| format!("cannot read {}", self.name))?;
        each_line(&mut self.source, &self.name, each)
    }
}

/// A copy in a file without a name, for its owner alone, that is gone with the process.
fn kept(mut from: impl Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut from, &mut file)?;
    Ok(file)
}

fn each_line(
    from: &mut impl BufRead,
    name: &str,
    mut each: impl FnMut(&[u8]) -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let count = from.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(plain);
        match count.with_context(|| format!("cannot read {name}"))? {
            0 => return Ok(()),
            _ if line.len() as u64 == LONGEST_LINE => bail!("a line of {name} is longer than {LONGEST_LINE} bytes"),
            _ if each(line.trim_ascii_end())? => {}
            _ => return Ok(()),
        }
    }
}
