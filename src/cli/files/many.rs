//! Many files at once: the files of a folder, the lines of a stream.

use std::fs;
use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::cli::output::shown;
use crate::cli::problem::plain;

/// The longest line that is taken, in bytes; paths and PEM lines are far shorter.
const LONGEST_LINE: u64 = 64 << 10;

/// All files of a folder and the folders in it, in the order of their names. Links are not followed into folders, so there
/// are no circles.
///
/// # Errors
/// When a folder cannot be listed.
pub fn files_below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let list = |folder: &Path| -> anyhow::Result<Vec<fs::DirEntry>> {
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut entries = entries.map_err(plain).with_context(|| format!("cannot list {}", shown(folder)))?;
        entries.sort_by_key(fs::DirEntry::file_name);
        Ok(entries)
    };
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let mut inner = Vec::new();
        for entry in list(&folder)? {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder { &mut inner } else { &mut found }.push(entry.path());
        }
        folders.extend(inner.into_iter().rev());
    }
    Ok(found)
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
