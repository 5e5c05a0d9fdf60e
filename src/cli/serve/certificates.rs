//! The certificates that a server shows, from the files they are in; and whether those have changed.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};

use super::report::CertificateRow;
use super::watched::Watched;
use crate::cli::clock;
use crate::cli::files::stamp;
use crate::cli::load::{Loaded, cannot_use};
use crate::cli::making::beside;
use crate::cli::output::{Session, shown};
use crate::cli::passphrase::{Passphrase, PassphraseSource};
use crate::cli::problem::Hinted;
use crate::container::PrivateKeyItem;
use crate::key::PrivateKey;
use crate::serve::Identity;
use crate::x509::Certificate;

/// Certificates with their keys, and the files they are from.
pub(super) struct Shelf {
    certs: Vec<PathBuf>,
    keys: Vec<PathBuf>,
    source: Option<PassphraseSource>,
    /// It was asked for once, and is good for the next file in its place.
    passphrase: Option<Passphrase>,
    entries: Vec<Entry>,
    watched: Watched,
}

struct Entry {
    file: PathBuf,
    chain: Vec<Certificate>,
    key: PrivateKey,
}

impl Shelf {
    /// Reads them. Each certificate needs its key: in its own file, in one of `keys`, or in NAME-key.pem beside NAME.pem.
    pub(super) fn load(
        certs: Vec<PathBuf>,
        keys: Vec<PathBuf>,
        source: Option<PassphraseSource>,
    ) -> anyhow::Result<Self> {
        Self::load_with(certs, keys, source, None)
    }

    fn load_with(
        certs: Vec<PathBuf>,
        keys: Vec<PathBuf>,
        source: Option<PassphraseSource>,
        passphrase: Option<Passphrase>,
    ) -> anyhow::Result<Self> {
        let watched = Watched::now(files(&certs, &keys));
        let mut shelf = Self { watched, entries: Vec::new(), certs, keys, source, passphrase };
        let mut used = vec![false; shelf.keys.len()];
        let given = shelf.keys.clone();
        let given = given.iter().map(|path| shelf.key_of(path)).collect::<anyhow::Result<Vec<_>>>()?;
        for file in shelf.certs.clone() {
            let loaded = Loaded::read(&file)?;
            let chain: Vec<Certificate> = certificates(&loaded, &file)?;
            let leaf = chain.first().context("there is no certificate")?;
            let public = leaf.public_key().with_context(|| cannot_use(&file))?;
            let at = given.iter().position(|key| *key.public_key() == public);
            let key = match at.and_then(|at| given.get(at)) {
                Some(key) => {
                    at.and_then(|at| used.get_mut(at)).into_iter().for_each(|used| *used = true);
                    key.clone()
                }
                None => shelf.own_key(&loaded, &file)?,
            };
            if *key.public_key() != public {
                let whose = leaf.display_name();
                return Err(anyhow!("the key is not that of the certificate for {whose} in {}", shown(&file)))
                    .hint("`certkit key match` tells which key belongs to which certificate");
            }
            shelf.entries.push(Entry { file, chain, key });
        }
        if let Some((path, _)) = shelf.keys.iter().zip(&used).find(|(_, used)| !**used) {
            return Err(anyhow!("{} is the key of none of these certificates", shown(path)))
                .hint("`certkit key match` tells which key belongs to which certificate");
        }
        if shelf.source.is_some() && shelf.passphrase.is_none() {
            bail!("--passphrase has no effect: no key is encrypted");
        }
        Ok(shelf)
    }

    /// The key in a certificate's own file, or in the one beside it.
    fn own_key(&mut self, loaded: &Loaded, file: &Path) -> anyhow::Result<PrivateKey> {
        if loaded.document.items().iter().any(|item| item.private_key().is_some()) {
            return self.opened(loaded);
        }
        let other = beside(file);
        if stamp(&other).is_some() {
            return self.key_of(&other);
        }
        if self.keys.is_empty() {
            return Err(anyhow!("{} has a certificate and no key", shown(file))).hint("give its key with --key FILE");
        }
        let keys: Vec<String> = self.keys.iter().map(|path| shown(path)).collect();
        Err(anyhow!("the key of the certificate in {} is not in {}", shown(file), keys.join(", ")))
            .hint("`certkit key match` tells which key belongs to which certificate")
    }

    fn key_of(&mut self, path: &Path) -> anyhow::Result<PrivateKey> {
        self.opened(&Loaded::read(path)?)
    }

    /// The key of a file; the passphrase is asked for once.
    fn opened(&mut self, loaded: &Loaded) -> anyhow::Result<PrivateKey> {
        let Ok(PrivateKeyItem::Encrypted(encrypted)) = loaded.document.first_private_key() else {
            return loaded.private_key(None);
        };
        let source = self.source.as_ref().unwrap_or(&PassphraseSource::Prompt);
        let passphrase = match &self.passphrase {
            Some(passphrase) => passphrase.clone(),
            None => source.existing(&loaded.shown())?,
        };
        let opened = encrypted.decrypt(&passphrase).with_context(|| format!("cannot open {}", loaded.shown()))?;
        self.passphrase = Some(passphrase);
        Ok(opened)
    }

    /// As they are served.
    pub(super) fn identities(&self) -> anyhow::Result<Vec<Identity>> {
        let identity = |entry: &Entry| {
            Identity::new(&entry.chain, &entry.key).with_context(|| format!("cannot serve {}", shown(&entry.file)))
        };
        self.entries.iter().map(identity).collect()
    }

    /// As they are shown.
    pub(super) fn rows(&self) -> Vec<CertificateRow> {
        let now = clock::now();
        let row = |entry: &Entry| {
            let leaf = entry.chain.first()?;
            Some(CertificateRow::new(shown(&entry.file), leaf, entry.key.algorithm().to_string(), now))
        };
        self.entries.iter().filter_map(row).collect()
    }

    /// A certificate that nobody will take is served all the same: it may be what is to be tried.
    pub(super) fn warn_of_expired(&self, session: &mut Session) {
        for row in self.rows().iter().filter(|row| row.expired) {
            session.warn(format_args!("{} {}: clients will refuse it", row.file, row.expiry));
        }
    }

    /// The files, those that keys beside certificates would be in among them.
    pub(super) fn files(&self) -> impl Iterator<Item = PathBuf> {
        files(&self.certs, &self.keys)
    }

    /// Reads them again where a file has changed. What fails is told once, until something changes again.
    pub(super) fn reload_if_changed(&mut self) -> Option<anyhow::Result<Self>> {
        if !self.watched.have_changed(files(&self.certs, &self.keys)) {
            return None;
        }
        let (certs, keys) = (self.certs.clone(), self.keys.clone());
        Some(Self::load_with(certs, keys, self.source.clone(), self.passphrase.clone()))
    }
}

fn files<'a>(certs: &'a [PathBuf], keys: &'a [PathBuf]) -> impl Iterator<Item = PathBuf> + 'a {
    certs.iter().chain(keys).cloned().chain(certs.iter().map(|path| beside(path)))
}

fn certificates(loaded: &Loaded, file: &Path) -> anyhow::Result<Vec<Certificate>> {
    let found = loaded.document.certificates().with_context(|| cannot_use(file))?;
    if found.is_empty() {
        bail!("{} has no certificate", shown(file));
    }
    Ok(found.into_iter().cloned().collect())
}
