//! The files of a project: each has one purpose, and none is a CA's.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::ca::AuthorityName;
use crate::cli::ca::own_files::own_files;
use crate::cli::ca::place::Chosen;
use crate::cli::files::resolved;
use crate::cli::output::shown;
use crate::cli::problem::Hinted;

/// Who has a file.
enum Owner {
    /// Something that apply never writes over, in words.
    Protected(String),
    /// A certificate of the project.
    Entry { number: usize, line: u64 },
}

/// Files, however they are spelled, and who has each.
#[derive(Default)]
pub(super) struct Claims {
    files: HashMap<PathBuf, Owner>,
}

impl Claims {
    /// Protects a file, or a folder itself: `what` it is.
    pub(super) fn protect(&mut self, path: &Path, what: impl Into<String>) {
        self.files.entry(resolved(path)).or_insert_with(|| Owner::Protected(what.into()));
    }

    /// Protects the files of a CA, and those its authority `below` will have.
    pub(super) fn protect_ca(&mut self, chosen: &Chosen, below: Option<&AuthorityName>) {
        for (path, what) in own_files(chosen, below, &|_| true) {
            self.protect(&path, what);
        }
    }

    /// Gives a certificate of the project, the so-maniest, its files; one file may hold both.
    ///
    /// # Errors
    /// Where one of them is somebody else's.
    pub(super) fn claim(&mut self, number: usize, line: u64, out: &Path, keyout: &Path) -> anyhow::Result<()> {
        for (path, what, field) in [(out, "certificate", "out"), (keyout, "key", "keyout")] {
            let refused = match self.files.insert(resolved(path), Owner::Entry { number, line }) {
                None => continue,
                Some(Owner::Entry { number: own, .. }) if own == number => continue,
                Some(Owner::Entry { line, .. }) => format!("a file of the certificate on line {line} too"),
                Some(Owner::Protected(what)) => format!("{what}, and apply never writes over that"),
            };
            return Err(anyhow!("its {what} goes to {}, which is {refused}", shown(path)))
                .hint(format!("choose another file with {field} ="));
        }
        Ok(())
    }

    /// Whether no folder of these files is to be a file of a certificate of the project.
    ///
    /// # Errors
    /// Where one is.
    pub(super) fn have_folders(&self, out: &Path, keyout: &Path) -> anyhow::Result<()> {
        for (path, what, field) in [(out, "certificate", "out"), (keyout, "key", "keyout")] {
            let whose = |above: &Path| match self.files.get(above) {
                Some(Owner::Entry { line, .. }) => Some(*line),
                _ => None,
            };
            if let Some(line) = resolved(path).ancestors().skip(1).find_map(whose) {
                return Err(anyhow!(
                    "its {what} goes to {}, below a file of the certificate on line {line}, which is no folder",
                    shown(path)
                ))
                .hint(format!("choose another file with {field} ="));
            }
        }
        Ok(())
    }
}
