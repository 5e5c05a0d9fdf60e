//! What lies in the files of a certificate of a project.

use std::path::Path;

use anyhow::anyhow;

use crate::ca::place::is_there;
use crate::cli::load::Loaded;
use crate::cli::output::shown;
use crate::cli::passphrase::Passphrase;
use crate::cli::problem::Hinted;
use crate::cli::secret::Secret;
use crate::container::{ContainerError, Content, PrivateKeyItem};
use crate::key::{PrivateKey, PublicKey};
use crate::project::Difference;
use crate::x509::Certificate;

/// The certificate that is there, and those after it.
pub(super) struct Present {
    pub(super) certificate: Certificate,
    all: Vec<Certificate>,
}

/// What lies in a certificate's file.
pub(super) struct Contents {
    /// The certificate, where there is one.
    pub(super) present: Option<Present>,
    /// What else than certificates, private keys and the curves of these: writing the file anew would lose that.
    pub(super) stranger: Option<String>,
}

impl Contents {
    /// Reads it, where it is there; a file that `holds_the_key` too may have no certificate yet.
    pub(super) fn read(path: &Path, holds_the_key: bool) -> anyhow::Result<Self> {
        let Some(loaded) = read(path, "certificates", "out")? else {
            return Ok(Self { present: None, stranger: None });
        };
        Ok(Self { present: Present::of(&loaded, path, holds_the_key)?, stranger: stranger(&loaded) })
    }
}

impl Present {
    fn of(loaded: &Loaded, path: &Path, holds_the_key: bool) -> anyhow::Result<Option<Self>> {
        let found = loaded.document.certificates();
        if holds_the_key
            && matches!(found, Err(ContainerError::Instead { .. }))
            && loaded.document.first_private_key().is_ok()
        {
            return Ok(None);
        }
        let all: Vec<Certificate> = found.unwrap_or_default().into_iter().cloned().collect();
        let first = all.first().filter(|first| !first.claims_ca()).cloned();
        match first {
            Some(certificate) => Ok(Some(Self { certificate, all })),
            None if all.is_empty() => Err(anyhow!("{} holds something else than a certificate", shown(path))),
            None => Err(anyhow!("{} holds the certificate of a CA", shown(path))),
        }
        .hint("apply replaces certificates of its own alone: move it away, or choose another file with out =")
    }

    /// Whether the file holds these certificates and no others.
    pub(super) fn is_followed_by(&self, chain: &[&Certificate]) -> bool {
        self.all.len() == chain.len() && self.all.iter().zip(chain).all(|(one, other)| one.der() == other.der())
    }
}

/// The key that is there.
pub(super) enum Beside {
    Nothing,
    Plain(Box<PrivateKey>),
    /// It says whose it is once it is opened.
    Encrypted,
}

impl Beside {
    /// Reads it; a file that `holds_the_certificate` too may have no key yet.
    pub(super) fn read(path: &Path, holds_the_certificate: bool) -> anyhow::Result<Self> {
        let Some(loaded) = read(path, "keys", "keyout")? else { return Ok(Self::Nothing) };
        if holds_the_certificate && has_no_key(&loaded) {
            return Ok(Self::Nothing);
        }
        match loaded.document.first_private_key() {
            Ok(PrivateKeyItem::Encrypted(_)) => Ok(Self::Encrypted),
            Ok(PrivateKeyItem::Plain(_)) => Ok(Self::Plain(Box::new(loaded.private_key(None)?))),
            Err(_) => Err(anyhow!("{} holds something else than a key", shown(path)))
                .hint("move it away, or choose another file with keyout ="),
        }
    }

    /// The key of the certificate in the file that holds them both: one without a passphrase, and nothing else beside them
    /// and the other certificates. `None` where that is not so.
    pub(super) fn of_both(path: &Path, certificate: &Certificate) -> anyhow::Result<Option<PrivateKey>> {
        let Some(loaded) = read(path, "certificates", "out")? else { return Ok(None) };
        let others = loaded.document.items().iter().filter(|item| item.certificate().is_none());
        let [item] = others.collect::<Vec<_>>()[..] else { return Ok(None) };
        let Some(PrivateKeyItem::Plain(_)) = item.private_key() else { return Ok(None) };
        let key = loaded.private_key(None)?;
        Ok(Some(key).filter(|key| is_for(certificate, key.public_key())))
    }

    /// How it is not the certificate's. One under a passphrase is taken to be.
    pub(super) fn differs(&self, certificate: &Certificate) -> Option<Difference> {
        match self {
            Self::Nothing => Some(Difference::NoKey),
            Self::Plain(key) if !is_for(certificate, key.public_key()) => Some(Difference::OtherKey),
            Self::Encrypted | Self::Plain(_) => None,
        }
    }

    /// The key, with the passphrase it was under; `None` where there is none.
    pub(super) fn open(path: &Path, secret: &Secret<'_>) -> anyhow::Result<Option<(PrivateKey, Option<Passphrase>)>> {
        let loaded = read(path, "keys", "keyout")?.filter(|loaded| !has_no_key(loaded));
        loaded.map(|loaded| loaded.key_among(secret)).transpose()
    }
}

/// Whether the certificate is for this key.
pub(super) fn is_for(certificate: &Certificate, key: &PublicKey) -> bool {
    certificate.public_key().is_ok_and(|own| own == *key)
}

/// Whether it holds certificates and no key.
fn has_no_key(loaded: &Loaded) -> bool {
    let key = loaded.document.first_private_key();
    matches!(key, Err(ContainerError::Instead { .. })) && loaded.document.certificates().is_ok()
}

/// What else than certificates, private keys and the curves of these lies in a certificate's file.
fn stranger(loaded: &Loaded) -> Option<String> {
    let own = |content: &Content| {
        use Content::{Certificate, EcParameters, EncryptedPrivateKey, PrivateKey};
        matches!(content, Certificate(_) | PrivateKey(..) | EncryptedPrivateKey(_) | EcParameters(_))
    };
    let mut items = loaded.document.items().iter();
    items.find(|item| !own(&item.content)).map(|item| item.content.with_article())
}

/// A file of the project's, where it is there.
fn read(path: &Path, what: &str, field: &str) -> anyhow::Result<Option<Loaded>> {
    if !is_there(path) {
        return Ok(None);
    }
    if !path.exists()
        && let Ok(target) = path.read_link()
    {
        return Err(anyhow!("{} is a link to {}, which is not there", shown(path), shown(&target)))
            .hint(format!("remove the link, or choose another file with {field} ="));
    }
    // What touch or a container engine makes before there is anything to mount: nothing is lost with it.
    if path.metadata().is_ok_and(|about| about.is_file() && about.len() == 0) {
        return Ok(None);
    }
    Loaded::read(path)
        .map(Some)
        .hint(format!("apply replaces {what} alone: move it away, or choose another file with {field} ="))
}
