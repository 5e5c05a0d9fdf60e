//! The forms in which a private key is written.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::ValueEnum;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::cli::files::{Mode, WriteSet, is_dash};
use crate::cli::output::{Report, Session, shown};
use crate::cli::passphrase::PassphraseSource;
use crate::cli::problem::Hinted;
use crate::cli::text::{Text, dim, strong};
use crate::describe::PublicKeyDescription;
use crate::encoding::pem as armour;
use crate::key::{Kdf, KeyAlgorithm, KeyError, PrivateKey};

/// A form of a private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// PKCS#8 in PEM, which everything reads
    Pkcs8,
    /// PKCS#1 in PEM: RSA only, for old programs
    Pkcs1,
    /// SEC1 in PEM: P-256, P-384, P-521 only, for old programs
    Sec1,
    /// PKCS#8 in DER
    Der,
    /// JSON Web Key
    Jwk,
}

/// How a key is derived from a passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum KdfName {
    /// PBKDF2 with HMAC-SHA-256, 600 000 iterations: everything reads it
    Pbkdf2,
    /// scrypt, which costs an attacker memory too: OpenSSL reads it, Java and GnuTLS 3.7 do not
    Scrypt,
}

/// What a written private key is protected with.
pub(super) struct Protection<'a> {
    pub(super) source: &'a PassphraseSource,
    pub(super) kdf: KdfName,
}

/// A private key that was written.
#[derive(Debug, Serialize)]
pub(super) struct Written {
    /// Where; `-` is stdout.
    file: String,
    /// In which form.
    format: &'static str,
    #[serde(skip)]
    title: &'static str,
    encrypted: bool,
    public_key: PublicKeyDescription,
}

impl Format {
    /// What a file of this form is called.
    pub(super) fn file_name(self) -> &'static str {
        match self {
            Self::Pkcs8 | Self::Pkcs1 | Self::Sec1 => "key.pem",
            Self::Der => "key.der",
            Self::Jwk => "key.jwk",
        }
    }

    /// Refuses to encrypt what has no encrypted form.
    pub(super) fn may_encrypt(self) -> anyhow::Result<()> {
        match self {
            Self::Pkcs8 | Self::Der => Ok(()),
            Self::Pkcs1 | Self::Sec1 | Self::Jwk => Err(anyhow!("a {} cannot be encrypted", self.title()))
                .hint("only PKCS#8 can be: --format pkcs8 or --format der"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Pkcs8 => "pkcs8",
            Self::Pkcs1 => "pkcs1",
            Self::Sec1 => "sec1",
            Self::Der => "der",
            Self::Jwk => "jwk",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Pkcs8 => "PKCS#8",
            Self::Pkcs1 => "PKCS#1",
            Self::Sec1 => "SEC1",
            Self::Der => "PKCS#8 in DER",
            Self::Jwk => "JSON Web Key",
        }
    }

    fn plain(self, key: &PrivateKey) -> anyhow::Result<Zeroizing<Vec<u8>>> {
        Ok(match self {
            Self::Pkcs8 => bytes(armour::write("PRIVATE KEY", &key.to_pkcs8_der())),
            Self::Pkcs1 => bytes(armour::write("RSA PRIVATE KEY", &key.to_pkcs1_der()?)),
            Self::Sec1 => bytes(armour::write("EC PRIVATE KEY", &key.to_sec1_der()?)),
            Self::Der => key.to_pkcs8_der(),
            Self::Jwk => {
                let mut text = bytes(key.to_jwk()?);
                text.push(b'\n');
                text
            }
        })
    }

    fn encrypted(self, key: &PrivateKey, passphrase: &[u8], kdf: Kdf) -> anyhow::Result<Zeroizing<Vec<u8>>> {
        self.may_encrypt()?;
        let der = key.encrypt(passphrase, kdf)?;
        Ok(match self {
            Self::Der => Zeroizing::new(der),
            _ => bytes(armour::write("ENCRYPTED PRIVATE KEY", &der)),
        })
    }
}

/// Refuses a form that keys of this kind do not have, before one is made.
pub(super) fn suits(format: Format, algorithm: KeyAlgorithm) -> anyhow::Result<()> {
    let missing = match format {
        Format::Pkcs1 if !algorithm.is_rsa() => "PKCS#1",
        Format::Sec1 if !algorithm.is_ecdsa() => "SEC1",
        Format::Pkcs8 | Format::Pkcs1 | Format::Sec1 | Format::Der | Format::Jwk => return Ok(()),
    };
    Err(KeyError::NoSuchForm { algorithm, form: missing }.into())
}

/// Writes a private key, 0600, and answers what was written. Everything that can be refused before the passphrase is typed
/// has been.
pub(super) fn write(
    key: &PrivateKey,
    format: Format,
    protection: Option<&Protection<'_>>,
    out: &Path,
    force: bool,
    session: &mut Session,
) -> anyhow::Result<()> {
    let contents = match protection {
        None => format.plain(key)?,
        Some(Protection { source, kdf }) => {
            let passphrase = source.new_one(&shown(out))?;
            let kdf = match kdf {
                KdfName::Pbkdf2 => Kdf::Pbkdf2,
                KdfName::Scrypt => Kdf::Scrypt,
            };
            format.encrypted(key, &passphrase, kdf)?
        }
    };
    let mut files = WriteSet::new(force).whole();
    files.add(PathBuf::from(out), contents, Mode::Secret);
    files.write(session)?;
    session.answer(&Written {
        file: shown(out),
        format: format.name(),
        title: format.title(),
        encrypted: protection.is_some(),
        public_key: PublicKeyDescription::of(key.public_key()),
    })
}

impl Report for Written {
    fn text(&self, text: &mut Text) {
        let algorithm = self.public_key.algorithm.as_deref().unwrap_or_default();
        let place = if is_dash(Path::new(&self.file)) { "stdout" } else { &self.file };
        let encrypted = if self.encrypted { ", encrypted" } else { "" };
        text.line(format_args!("wrote {}: {algorithm} private key, {}{encrypted}", strong(place), self.title));
        text.fields([("SPKI pin", dim(format!("sha256/{}", self.public_key.spki_sha256)))]);
    }
}

fn bytes(mut text: Zeroizing<String>) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(std::mem::take(&mut *text).into_bytes())
}
