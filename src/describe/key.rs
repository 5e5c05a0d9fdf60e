//! Keys: type, size, and the digest by which a public key is known.

use super::extension::decimal;
use super::sheet::Row;
use super::sheet::Sheet;
use super::sheet::Tone;
use crate::container::KeyForm;
use crate::encoding::Oid;
use crate::encoding::base64::encode as base64;
use crate::encoding::hex;
use crate::key::EncryptedPrivateKey;
use crate::key::KeyAlgorithm;
use crate::key::KeyError;
use crate::key::PrivateKey;
use crate::key::PublicKey;
use crate::key::digest;
use serde::Serialize;

/// A public key, also of an algorithm certkit does not handle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublicKeyDescription {
    /// The type with its size: `P-256`, `RSA-3072`; `null` where certkit does not handle it.
    pub algorithm: Option<String>,
    /// The size in bits: of the modulus, or of the field.
    pub bits: Option<u16>,
    /// The public exponent of RSA, in decimal.
    pub exponent: Option<String>,
    /// SHA-256 of the SubjectPublicKeyInfo in base64, the pin of RFC 7469 §2.4.
    pub spki_sha256: String,
    /// SHA-256 of the SubjectPublicKeyInfo in hexadecimal, as certificate search engines take it.
    pub spki_sha256_hex: String,
    /// Why the key cannot be used, where it cannot.
    pub problem: Option<String>,
}

/// A private key: what is public about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrivateKeyDescription {
    /// The form it is written in.
    pub form: KeyForm,
    /// Whether its file is under a passphrase.
    pub encrypted: bool,
    /// How it is encrypted, if it is.
    pub encryption: Option<String>,
    /// The public key that belongs to it.
    pub public_key: PublicKeyDescription,
}

/// A private key under a passphrase: nothing is known of it but how it is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EncryptedKeyDescription {
    /// The form it is written in.
    pub form: KeyForm,
    /// Always true.
    pub encrypted: bool,
    /// How it is encrypted.
    pub encryption: String,
}

impl PublicKeyDescription {
    /// Describes a key.
    pub fn of(key: &PublicKey) -> Self {
        let algorithm = key.algorithm();
        let problem = key.validate().err().map(|error| error.to_string());
        Self {
            algorithm: Some(algorithm.to_string()),
            bits: bits(algorithm),
            exponent: key.rsa_exponent().map(decimal),
            problem,
            ..Self::unread(key.spki_der())
        }
    }

    /// Describes the key of a certificate or request, whether it can be read or not.
    pub(super) fn of_info(spki: &[u8], read: Result<PublicKey, KeyError>) -> Self {
        match read {
            Ok(key) => Self::of(&key),
            Err(error) => Self { problem: Some(error.to_string()), ..Self::unread(spki) },
        }
    }

    fn unread(spki: &[u8]) -> Self {
        let digest = digest::sha256(spki);
        Self {
            algorithm: None,
            bits: None,
            exponent: None,
            spki_sha256: base64(&digest),
            spki_sha256_hex: hex::encode(&digest),
            problem: None,
        }
    }

    /// The type: `RSA-3072`, and the exponent where it is not the usual one.
    pub fn short(&self) -> String {
        let name = self.algorithm.as_deref().unwrap_or("unknown type");
        match self.exponent.as_deref() {
            None | Some("65537") => name.to_owned(),
            Some(exponent) => format!("{name}, exponent {exponent}"),
        }
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        let mut rows = vec![
            Row::plain("key", self.short()),
            Row::toned(Tone::Dim, "SPKI pin", format!("sha256/{}", self.spki_sha256)),
        ];
        if let Some(problem) = &self.problem {
            rows.insert(1, Row::toned(Tone::Bad, "", problem));
        }
        rows
    }

    /// The description for people.
    pub fn sheet(&self, kind: &str) -> Sheet {
        let mut sheet = Sheet::new(kind, "");
        sheet.rows = self.rows();
        sheet
    }
}

impl PrivateKeyDescription {
    /// Describes a key.
    pub fn of(key: &PrivateKey, form: KeyForm) -> Self {
        let public_key = PublicKeyDescription::of(key.public_key());
        Self { form, encrypted: false, encryption: None, public_key }
    }

    /// Describes a key that was encrypted and has been opened.
    pub fn opened(key: &PrivateKey, encrypted: &EncryptedPrivateKey) -> Self {
        let encryption = Some(encrypted.algorithm_name());
        Self { encrypted: true, encryption, ..Self::of(key, KeyForm::of_encrypted(encrypted)) }
    }

    /// The description for people.
    pub fn sheet(&self) -> Sheet {
        let form = self.form.name();
        let protection =
            self.encryption.as_ref().map_or_else(|| "not encrypted".to_owned(), |how| format!("encrypted with {how}"));
        self.public_key.sheet("private key").with(Row::plain("form", format!("{form}, {protection}")))
    }
}

impl EncryptedKeyDescription {
    /// Describes a key.
    pub fn of(key: &EncryptedPrivateKey) -> Self {
        Self { form: KeyForm::of_encrypted(key), encrypted: true, encryption: key.algorithm_name() }
    }

    /// The description for people.
    pub fn sheet(&self) -> Sheet {
        Sheet::new("private key", "")
            .with(Row::plain("key", "unknown without the passphrase"))
            .with(Row::plain("form", format!("{}, encrypted with {}", self.form.name(), self.encryption)))
    }
}

/// A curve's name (RFC 5480 §2.1.1.1), or its dotted identifier.
pub(super) fn curve_name(curve: &Oid) -> String {
    let dotted = curve.to_string();
    match dotted.as_str() {
        "1.2.840.10045.3.1.7" => "P-256".to_owned(),
        "1.3.132.0.34" => "P-384".to_owned(),
        "1.3.132.0.35" => "P-521".to_owned(),
        "1.3.132.0.10" => "secp256k1".to_owned(),
        _ => dotted,
    }
}

fn bits(algorithm: KeyAlgorithm) -> Option<u16> {
    match algorithm {
        KeyAlgorithm::P256 => Some(256),
        KeyAlgorithm::P384 => Some(384),
        KeyAlgorithm::P521 => Some(521),
        KeyAlgorithm::Rsa(bits) => Some(bits),
        KeyAlgorithm::Ed25519 => Some(256),
        KeyAlgorithm::MlDsa44 | KeyAlgorithm::MlDsa65 | KeyAlgorithm::MlDsa87 => None,
    }
}
