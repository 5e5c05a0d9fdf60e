//! Files too large to be held, read as they come.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, bail};

use super::is_dash;
use super::read::similar;
use crate::cli::output::shown;
use crate::cli::problem::{Hinted, plain};

/// A file or stdin, open for reading.
pub struct Stream {
    from: Box<dyn Read>,
    /// How many bytes it has, where that is known before it is read.
    pub size: Option<u64>,
}

/// Opens a file, or stdin for `-`, of any size.
///
/// # Errors
/// When it is missing, a folder, or not permitted.
pub fn open(path: &Path) -> anyhow::Result<Stream> {
    if is_dash(path) {
        return Ok(Stream { from: Box::new(io::stdin().lock()), size: None });
    }
    let open = || {
        let file = File::open(path).map_err(plain)?;
        let about = file.metadata().map_err(plain)?;
        if about.is_dir() {
            bail!("it is a folder");
        }
        Ok(Stream { from: Box::new(file), size: about.is_file().then_some(about.len()) })
    };
    let failed = |error: anyhow::Error| {
        let other = similar(path).filter(|_| !path.exists());
        let failed = Err(error).with_context(|| format!("cannot read {}", shown(path)));
        failed.hint_if(other.map(|other| format!("did you mean {}?", shown(&other))))
    };
    open().or_else(failed)
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.from.read(into)
    }
}
