//! Many files at once: the files of a folder, the lines of a stream.

use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

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
    let mut stdin = io::stdin().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        let count = stdin.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(plain);
        match count.context("cannot read stdin")? {
            0 => return Ok(()),
            _ if line.len() as u64 == LONGEST_LINE => bail!("a line of stdin is longer than {LONGEST_LINE} bytes"),
            _ => each(line.trim_ascii_end())?,
        }
    }
}
