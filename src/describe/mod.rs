//! What certificates, requests, revocation lists, OCSP responses and keys hold: owned data with two renderings, JSON by `serde` and a
//! [`Sheet`] for people. A private number never enters a description.
//!
//! Texts come from untrusted files as they are; who prints a sheet escapes control characters.

mod bundle;
mod certificate;
mod extension;
mod key;
mod ocsp;
mod request;
mod revocation_list;
mod sheet;
mod when;

pub use bundle::remarks;
pub use certificate::CertificateDescription;
pub use certificate::Fingerprints;
pub use extension::ExtensionDescription;
pub use extension::ValueDescription;
pub use key::EncryptedKeyDescription;
pub use key::PrivateKeyDescription;
pub use key::PublicKeyDescription;
pub use ocsp::CertIdDescription;
pub use ocsp::OcspAnswerDescription;
pub use ocsp::OcspRequestDescription;
pub use ocsp::OcspResponseDescription;
pub use ocsp::SingleResponseDescription;
pub use request::RequestDescription;
pub use revocation_list::EntryDescription;
pub use revocation_list::RevocationListDescription;
pub use sheet::Row;
pub use sheet::Sheet;
pub use sheet::Tone;
pub use when::Period;
pub use when::PeriodState;
pub use when::describe_moment;

use crate::container::Content;
use crate::container::Item;
use crate::container::KeyForm;
use serde::Serialize;
use time::OffsetDateTime;

/// What one item of a file is. In JSON, `kind` says which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Description {
    /// A certificate.
    Certificate(Box<CertificateDescription>),
    /// A certification request.
    CertificationRequest(Box<RequestDescription>),
    /// A revocation list.
    RevocationList(Box<RevocationListDescription>),
    /// An OCSP response.
    OcspResponse(Box<OcspResponseDescription>),
    /// An OCSP request.
    OcspRequest(OcspRequestDescription),
    /// A private key.
    PrivateKey(PrivateKeyDescription),
    /// A private key under a passphrase.
    EncryptedPrivateKey(EncryptedKeyDescription),
    /// A public key.
    PublicKey {
        /// The form it is written in.
        form: KeyForm,
        /// The key.
        public_key: PublicKeyDescription,
    },
    /// The curve before an EC key.
    EcParameters {
        /// The curve's name, or its object identifier; `null` where the curve is spelled out in numbers.
        curve: Option<String>,
    },
    /// Something known that is not read.
    Unsupported {
        /// What it is.
        what: String,
        /// Why it is not read, and what to do.
        why: String,
    },
    /// A block with an unknown label.
    Unknown,
    /// Something damaged.
    Malformed {
        /// What it says it is.
        what: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Description {
    /// Describes one item of a file as it stands at `now`.
    pub fn of(item: &Item, now: OffsetDateTime) -> Self {
        match &item.content {
            Content::Certificate(certificate) => {
                Self::Certificate(Box::new(CertificateDescription::of(certificate, now)))
            }
            Content::CertificationRequest(request) => {
                Self::CertificationRequest(Box::new(RequestDescription::of(request)))
            }
            Content::RevocationList(list) => Self::RevocationList(Box::new(RevocationListDescription::of(list, now))),
            Content::OcspResponse(response) => Self::OcspResponse(Box::new(OcspResponseDescription::of(response, now))),
            Content::OcspRequest(request) => Self::OcspRequest(OcspRequestDescription::of(request)),
            Content::PrivateKey(key, form) => Self::PrivateKey(PrivateKeyDescription::of(key, *form)),
            Content::EncryptedPrivateKey(key) => Self::EncryptedPrivateKey(EncryptedKeyDescription::of(key)),
            Content::PublicKey(key, form) => Self::PublicKey { form: *form, public_key: PublicKeyDescription::of(key) },
            Content::EcParameters(curve) => Self::EcParameters { curve: curve.as_ref().map(key::curve_name) },
            Content::Unsupported { what, why } => Self::Unsupported { what: what.clone(), why: why.clone() },
            Content::Unknown { .. } => Self::Unknown,
            Content::Malformed { what, why } => Self::Malformed { what: what.clone(), why: why.clone() },
        }
    }

    /// The description for people.
    pub fn sheet(&self) -> Sheet {
        match self {
            Self::Certificate(certificate) => certificate.sheet(),
            Self::CertificationRequest(request) => request.sheet(),
            Self::RevocationList(list) => list.sheet(),
            Self::OcspResponse(response) => response.sheet(),
            Self::OcspRequest(request) => request.sheet(),
            Self::PrivateKey(key) => key.sheet(),
            Self::EncryptedPrivateKey(key) => key.sheet(),
            Self::PublicKey { form, public_key } => {
                public_key.sheet("public key").with(Row::plain("form", form.name()))
            }
            Self::EcParameters { curve } => {
                let curve = curve.as_deref().unwrap_or("spelled out in numbers, which certkit does not read");
                Sheet::new("EC parameters", "").with(Row::plain("curve", curve))
            }
            Self::Unsupported { what, why } => Sheet::new(what, "").with(Row::toned(Tone::Warn, "not read", why)),
            Self::Unknown => {
                let why = "a block with a label certkit does not know; its base64 is sound";
                Sheet::new("unknown block", "").with(Row::toned(Tone::Warn, "not read", why))
            }
            Self::Malformed { what, why } => {
                Sheet::new(&format!("damaged {what}"), "").with(Row::toned(Tone::Bad, "damage", why))
            }
        }
    }

    /// The description in one line.
    pub fn short(&self) -> String {
        match self {
            Self::Certificate(certificate) => certificate.short(),
            Self::CertificationRequest(request) => request.short(),
            Self::RevocationList(list) => list.short(),
            Self::OcspResponse(response) => response.short(),
            Self::OcspRequest(request) => request.short(),
            Self::PrivateKey(key) => format!("private key  {}", key.public_key.short()),
            Self::EncryptedPrivateKey(key) => format!("encrypted private key  {}", key.encryption),
            Self::PublicKey { public_key, .. } => format!("public key  {}", public_key.short()),
            Self::EcParameters { curve } => format!("EC parameters  {}", curve.as_deref().unwrap_or("spelled out")),
            Self::Unsupported { what, why } => format!("{what}  not read: {why}"),
            Self::Unknown => "unknown block".to_owned(),
            Self::Malformed { what, why } => format!("damaged {what}  {why}"),
        }
    }
}

#[cfg(test)]
mod tests;
