//! Keys from files that commands are given. Every error names the file.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use super::files::{self, is_dash};
use super::output::shown;
use super::passphrase::{Passphrase, PassphraseSource};
use super::problem::Hinted;
use super::secret::Secret;
use crate::container::{Document, PrivateKeyItem};
use crate::key::{EncryptedPrivateKey, KeyError, PrivateKey};
use crate::x509::Certificate;

/// A file that was read and understood.
pub(super) struct Loaded {
    path: PathBuf,
    /// What it holds.
    pub(super) document: Document,
}

impl Loaded {
    /// Reads a file; `-` is stdin.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let contents = files::read(path)?;
        let document = Document::read(&contents).with_context(|| cannot_use(path))?;
        Ok(Self { path: path.to_owned(), document })
    }

    /// The file's name as it is shown.
    pub(super) fn shown(&self) -> String {
        name(&self.path)
    }

    /// Its certificates, in order.
    pub(super) fn certificates(&self) -> anyhow::Result<Vec<Certificate>> {
        let found = self.document.certificates().with_context(|| cannot_use(&self.path))?;
        Ok(found.into_iter().cloned().collect())
    }

    /// The private key, of which there may be one. An encrypted one is opened with the passphrase of `source`, asked for where there is none; a
    /// source for a key that is not encrypted is an error, since it has no effect.
    pub(super) fn private_key(&self, source: Option<&PassphraseSource>) -> anyhow::Result<PrivateKey> {
        self.private_key_by("--passphrase", source)
    }

    /// The same, where the source is given with another flag.
    pub(super) fn private_key_by(&self, flag: &str, source: Option<&PassphraseSource>) -> anyhow::Result<PrivateKey> {
        match self.only_key()? {
            PrivateKeyItem::Encrypted(encrypted) => self.open(encrypted, source.unwrap_or(&PassphraseSource::Prompt)),
            PrivateKeyItem::Plain(_) if source.is_some() => {
                let shown = self.shown();
                Err(anyhow!("{shown} is not encrypted: a passphrase for it has no effect"))
                    .hint(format!("leave {flag} out"))
            }
            PrivateKeyItem::Plain(key) => Ok(key.clone()),
        }
    }

    /// The same for one of several keys, with the passphrase it was under: one that is under none needs none.
    pub(super) fn key_among(&self, secret: &Secret<'_>) -> anyhow::Result<(PrivateKey, Option<Passphrase>)> {
        match self.only_key()? {
            PrivateKeyItem::Plain(key) => Ok((key.clone(), None)),
            PrivateKeyItem::Encrypted(encrypted) => {
                let passphrase = secret.of(&self.shown())?;
                Ok((self.open_with(encrypted, &passphrase, secret.source())?, Some(passphrase)))
            }
        }
    }

    /// Whether its private key is under a passphrase.
    pub(super) fn is_under_passphrase(&self) -> bool {
        matches!(self.document.first_private_key(), Ok(PrivateKeyItem::Encrypted(_)))
    }

    fn only_key(&self) -> anyhow::Result<PrivateKeyItem<'_>> {
        only_key(&self.document, &self.path)
    }

    /// Opens an encrypted key of this file.
    pub(super) fn open(
        &self,
        encrypted: &EncryptedPrivateKey,
        source: &PassphraseSource,
    ) -> anyhow::Result<PrivateKey> {
        self.open_with(encrypted, &source.existing(&self.shown())?, source)
    }

    fn open_with(
        &self,
        encrypted: &EncryptedPrivateKey,
        passphrase: &Passphrase,
        source: &PassphraseSource,
    ) -> anyhow::Result<PrivateKey> {
        let opened = encrypted.decrypt(passphrase);
        let wrong = opened.as_ref().is_err_and(|error| *error == KeyError::WrongPassphrase);
        let opened = opened.with_context(|| format!("cannot open {}", self.shown()));
        if wrong { source.hint_if_wrong(opened) } else { opened }
    }
}

/// The private key in a file, which may hold one and no other.
pub(super) fn only_key<'d>(document: &'d Document, path: &Path) -> anyhow::Result<PrivateKeyItem<'d>> {
    let count = document.items().iter().filter(|item| item.private_key().is_some()).count();
    if count > 1 {
        return Err(anyhow!("{} holds {count} private keys, and one is due", name(path)))
            .hint("`certkit inspect` shows them; put each in a file of its own");
    }
    document.first_private_key().with_context(|| cannot_use(path))
}

/// What an error about a file's contents begins with.
pub(super) fn cannot_use(path: &Path) -> String {
    format!("cannot use {}", name(path))
}

/// An input file's name as it is shown; stdin for `-`.
pub(super) fn name(path: &Path) -> String {
    if is_dash(path) { "stdin".to_owned() } else { shown(path) }
}
