//! One source of a passphrase for several keys.

use std::cell::OnceCell;

use super::passphrase::{Passphrase, PassphraseSource};

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

    /// Where it comes from.
    pub(super) fn source(&self) -> &PassphraseSource {
        self.source
    }

    /// The passphrase that opens `what`.
    pub(super) fn of(&self, what: &str) -> anyhow::Result<Passphrase> {
        if let Some(read) = self.read.get() {
            return Ok(read.clone());
        }
        let passphrase = self.source.existing(what)?;
        Ok(match self.source {
            PassphraseSource::Prompt => passphrase,
            _ => self.read.get_or_init(|| passphrase).clone(),
        })
    }
}
