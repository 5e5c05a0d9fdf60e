//! The passphrase of what is imported: one source for every key.

use std::cell::OnceCell;
use std::path::Path;

use crate::cli::output::shown;
use crate::cli::passphrase::{Passphrase, PassphraseSource};

/// A source, read once: a pipe gives what it has once. A person is asked for each key.
pub(super) struct Secret<'a> {
    source: &'a PassphraseSource,
    read: OnceCell<Passphrase>,
}

impl<'a> Secret<'a> {
    /// That source, or a prompt.
    pub(super) fn new(source: Option<&'a PassphraseSource>) -> Self {
        Self { source: source.unwrap_or(&PassphraseSource::Prompt), read: OnceCell::new() }
    }

    /// The passphrase of this file.
    pub(super) fn of(&self, path: &Path) -> anyhow::Result<Passphrase> {
        if let Some(read) = self.read.get() {
            return Ok(read.clone());
        }
        let passphrase = self.source.existing(&shown(path))?;
        Ok(match self.source {
            PassphraseSource::Prompt => passphrase,
            _ => self.read.get_or_init(|| passphrase).clone(),
        })
    }

    /// The error of a passphrase that is wrong, with what may be the reason.
    pub(super) fn is_wrong<T>(&self, error: impl Into<anyhow::Error>) -> anyhow::Result<T> {
        self.source.hint_if_wrong(Err(error.into()))
    }
}
