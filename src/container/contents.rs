//! The things a file can hold.

use crate::encoding::Oid;
use crate::key::EncryptedPrivateKey;
use crate::key::KeyError;
use crate::key::Loaded;
use crate::key::PrivateKey;
use crate::key::PublicKey;
use crate::x509::Certificate;
use crate::x509::CertificateRevocationList;
use crate::x509::CertificationRequest;
use crate::x509::OcspRequest;
use crate::x509::OcspResponse;
use crate::x509::X509Error;

/// One thing in a file.
#[derive(Debug)]
pub struct Item {
    /// The line on which its PEM block begins, counted from 1.
    pub line: Option<usize>,
    /// The label of its PEM block, or its friendlyName in PKCS#12.
    pub label: Option<String>,
    /// What it is.
    pub content: Content,
}

/// What a block or structure is.
#[derive(Debug)]
pub enum Content {
    /// A certificate (RFC 5280 §4.1).
    Certificate(Box<Certificate>),
    /// A certification request (RFC 2986).
    CertificationRequest(Box<CertificationRequest>),
    /// A revocation list (RFC 5280 §5.1).
    RevocationList(Box<CertificateRevocationList>),
    /// An answer of an OCSP responder (RFC 6960 §4.2.1).
    OcspResponse(Box<OcspResponse>),
    /// A question to one (RFC 6960 §4.1.1).
    OcspRequest(Box<OcspRequest>),
    /// A private key that needs no passphrase.
    PrivateKey(Box<PrivateKey>, KeyForm),
    /// A private key under a passphrase (RFC 5958 §3).
    EncryptedPrivateKey(Box<EncryptedPrivateKey>),
    /// A public key.
    PublicKey(PublicKey, KeyForm),
    /// The curve that OpenSSL writes before an EC key; `None` where it is spelled out in numbers instead of named.
    EcParameters(Option<Oid>),
    /// A sound block or structure that certkit recognises and does not read: what it is, and what to do.
    Unsupported {
        /// What it is, without an article.
        what: String,
        /// Why it is not read, and what to do.
        why: String,
    },
    /// A sound PEM block with a label that certkit does not know.
    Unknown {
        /// The label.
        label: String,
    },
    /// Something that is not what it says it is.
    Malformed {
        /// What it says it is, without an article.
        what: String,
        /// What is wrong with it.
        why: String,
    },
}

/// The form in which a key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum KeyForm {
    /// PKCS#8 (RFC 5958).
    #[serde(rename = "PKCS#8")]
    Pkcs8,
    /// PKCS#1 (RFC 8017 appendix A.1).
    #[serde(rename = "PKCS#1")]
    Pkcs1,
    /// SEC1 (RFC 5915).
    #[serde(rename = "SEC1")]
    Sec1,
    /// SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
    #[serde(rename = "SPKI")]
    Spki,
    /// JSON Web Key (RFC 7517).
    #[serde(rename = "JWK")]
    Jwk,
}

/// A private key of a file, ready or in need of a passphrase.
#[derive(Debug, Clone, Copy)]
pub enum PrivateKeyItem<'a> {
    /// Ready for use.
    Plain(&'a PrivateKey),
    /// In need of a passphrase.
    Encrypted(&'a EncryptedPrivateKey),
}

impl Item {
    /// The certificate, if it is one.
    pub fn certificate(&self) -> Option<&Certificate> {
        if let Content::Certificate(certificate) = &self.content { Some(certificate) } else { None }
    }

    /// The private key, if it is one.
    pub fn private_key(&self) -> Option<PrivateKeyItem<'_>> {
        match &self.content {
            Content::PrivateKey(key, _) => Some(PrivateKeyItem::Plain(key)),
            Content::EncryptedPrivateKey(key) => Some(PrivateKeyItem::Encrypted(key)),
            _ => None,
        }
    }

    /// The public key it holds or can be computed from it: of a public or private key, a certificate or a request.
    /// `None` where there is none to be had; an error where it is of an unknown algorithm or malformed.
    pub fn public_key(&self) -> Option<Result<PublicKey, KeyError>> {
        match &self.content {
            Content::Certificate(certificate) => Some(certificate.public_key()),
            Content::CertificationRequest(request) => Some(request.public_key()),
            Content::PrivateKey(key, _) => Some(Ok(key.public_key().clone())),
            Content::PublicKey(key, _) => Some(Ok(key.clone())),
            Content::RevocationList(_)
            | Content::OcspResponse(_)
            | Content::OcspRequest(_)
            | Content::EncryptedPrivateKey(_)
            | Content::EcParameters(_)
            | Content::Unsupported { .. }
            | Content::Unknown { .. }
            | Content::Malformed { .. } => None,
        }
    }
}

impl Item {
    /// The form in which its key is written; in certificates and requests that is SubjectPublicKeyInfo.
    pub fn key_form(&self) -> KeyForm {
        match &self.content {
            Content::PrivateKey(_, form) | Content::PublicKey(_, form) => *form,
            Content::EncryptedPrivateKey(key) => KeyForm::of_encrypted(key),
            _ => KeyForm::Spki,
        }
    }
}

impl Content {
    /// What it is, in a word or two, without an article.
    pub fn name(&self) -> String {
        match self {
            Self::Certificate(_) => "certificate".to_owned(),
            Self::CertificationRequest(_) => "certification request".to_owned(),
            Self::RevocationList(_) => "revocation list".to_owned(),
            Self::OcspResponse(_) => "OCSP response".to_owned(),
            Self::OcspRequest(_) => "OCSP request".to_owned(),
            Self::PrivateKey(..) => "private key".to_owned(),
            Self::EncryptedPrivateKey(_) => "encrypted private key".to_owned(),
            Self::PublicKey(..) => "public key".to_owned(),
            Self::EcParameters(_) => "EC parameters block".to_owned(),
            Self::Unsupported { what, .. } => what.clone(),
            Self::Unknown { label } => format!("block labelled {label}"),
            Self::Malformed { what, .. } => format!("damaged {what}"),
        }
    }

    /// What it is, with an article.
    pub fn with_article(&self) -> String {
        let name = self.name();
        let article = if name.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O', 'U']) { "an" } else { "a" };
        format!("{article} {name}")
    }
}

impl KeyForm {
    /// The form of what is encrypted.
    pub fn of_encrypted(key: &EncryptedPrivateKey) -> Self {
        match key.pem_label() {
            "RSA PRIVATE KEY" => Self::Pkcs1,
            "EC PRIVATE KEY" => Self::Sec1,
            _ => Self::Pkcs8,
        }
    }

    /// The form's short name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pkcs8 => "PKCS#8",
            Self::Pkcs1 => "PKCS#1",
            Self::Sec1 => "SEC1",
            Self::Spki => "SPKI",
            Self::Jwk => "JWK",
        }
    }
}

/// Reads a JSON Web Key, private or public.
pub(super) fn read_jwk(text: &str) -> Result<Content, KeyError> {
    match PrivateKey::from_jwk(text) {
        Ok(key) => Ok(Content::PrivateKey(Box::new(key), KeyForm::Jwk)),
        Err(private) => match PublicKey::from_jwk(text) {
            // A private key whose parts disagree is no sound public key either.
            Ok(_) if private == KeyError::PublicPartDiffers => Err(private),
            Ok(key) => Ok(Content::PublicKey(key, KeyForm::Jwk)),
            Err(public) => Err(public),
        },
    }
}

/// A private key as it was read, or why it was not.
pub(super) fn private_key(read: Result<Loaded, KeyError>, form: KeyForm, what: &str) -> Content {
    match read {
        Ok(Loaded::Plain(key)) => Content::PrivateKey(Box::new(key), form),
        Ok(Loaded::Encrypted(key)) => Content::EncryptedPrivateKey(Box::new(key)),
        Err(error) => refused(&error, what),
    }
}

/// What was read, or that it is damaged.
pub(super) fn sound<T>(read: Result<T, X509Error>, what: &str, content: fn(Box<T>) -> Content) -> Content {
    match read {
        Ok(read) => content(Box::new(read)),
        Err(error) => Content::Malformed { what: what.to_owned(), why: error.to_string() },
    }
}

/// Forms and algorithms that certkit does not read are one thing, damage is another.
pub(super) fn refused(error: &KeyError, what: &str) -> Content {
    let (what, why) = (what.to_owned(), error.to_string());
    match error {
        KeyError::UnsupportedAlgorithm(_)
        | KeyError::UnsupportedForm { .. }
        | KeyError::UnsupportedEncryption(_)
        | KeyError::RsaSize { .. }
        | KeyError::CostTooHigh { .. } => Content::Unsupported { what, why },
        _ => Content::Malformed { what, why },
    }
}
