//! What was said, by whom and when.

use serde::ser::{Serialize, SerializeStruct, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zeroize::Zeroizing;

use super::field::Fields;
use crate::encoding::hex;
use crate::tls::code::{ContentType, ProtocolVersion};

/// Who speaks: who sent the ClientHello, or who answers.
pub use crate::tls::keys::Side as Sender;

/// `client` or `server`.
pub fn name_of(sender: Sender) -> &'static str {
    match sender {
        Sender::Client => "client",
        Sender::Server => "server",
    }
}

/// How a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protection {
    /// As it is, for everybody to read.
    Plain,
    /// Encrypted, and not opened here.
    Encrypted,
    /// Encrypted, and opened here.
    Decrypted,
}

/// How much a remark matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// As it should be, and checked.
    Good,
    /// Worth knowing.
    Note,
    /// Weak, or not as it should be.
    Warning,
    /// Wrong: a signature or a Finished that does not hold.
    Wrong,
}

/// Something found out about a message beyond what it says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Remark {
    /// How much it matters.
    pub weight: Weight,
    /// What it is, as a sentence without a full stop.
    pub text: String,
}

/// A message, or a record that could not be opened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When its last byte was there.
    pub at: OffsetDateTime,
    /// Milliseconds since the first event.
    pub after: f64,
    /// Who said it.
    pub from: Sender,
    /// What it is, in the standards' terms: `ClientHello`.
    pub kind: &'static str,
    /// What it says, in one line.
    pub headline: String,
    /// The content type and the version of its (first) record.
    pub record: Option<(ContentType, ProtocolVersion)>,
    /// Where its records begin and end in the sender's stream, in bytes.
    pub range: [u64; 2],
    /// Whether it was encrypted.
    pub protection: Protection,
    /// What it says.
    pub fields: Fields,
    /// What was found out about it.
    pub remarks: Vec<Remark>,
    /// What it is for, in plain words: a paragraph each.
    pub explanation: Vec<String>,
    /// What was computed from it here. Told only when asked for.
    pub secrets: Vec<Secret>,
    /// Whether `secrets` are told.
    pub reveals: bool,
    /// The message, decrypted where it could be; the beginning of it where it is long.
    pub bytes: Vec<u8>,
    /// How long it is, in bytes.
    pub length: u64,
}

/// A secret value and how it came about.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// What it is: `master secret`.
    pub name: &'static str,
    /// How it is computed: `PRF(pre-master secret, "master secret", client random + server random)`.
    pub formula: String,
    /// Its value.
    pub value: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, formula, value: _ } = self;
        f.debug_struct("Secret").field("name", name).field("formula", formula).finish_non_exhaustive()
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut event = serializer.serialize_struct("Event", 14)?;
        event.serialize_field("at", &rfc3339(self.at))?;
        event.serialize_field("after_ms", &self.after)?;
        event.serialize_field("from", &self.from)?;
        event.serialize_field("kind", self.kind)?;
        event.serialize_field("headline", &self.headline)?;
        event.serialize_field("content_type", &self.record.map(|(content_type, _)| content_type))?;
        event.serialize_field("record_version", &self.record.map(|(_, version)| format!("0x{:04x}", version.0)))?;
        event.serialize_field("range", &self.range)?;
        event.serialize_field("protection", &self.protection)?;
        event.serialize_field("fields", &self.fields)?;
        event.serialize_field("remarks", &self.remarks)?;
        if !self.explanation.is_empty() {
            event.serialize_field("explanation", &self.explanation)?;
        }
        if !self.secrets.is_empty() {
            let told: Vec<Told<'_>> = self.secrets.iter().map(|secret| secret.told(self.reveals)).collect();
            event.serialize_field("derived", &told)?;
        }
        event.serialize_field("length", &self.length)?;
        event.serialize_field("bytes", &hex::encode(&self.bytes))?;
        event.end()
    }
}

/// A secret as it is told.
#[derive(serde::Serialize)]
struct Told<'a> {
    name: &'a str,
    formula: &'a str,
    octets: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

impl Secret {
    /// The value in hexadecimal, or how long it is.
    pub fn text(&self, reveal: bool) -> String {
        match reveal {
            true => hex::encode(&self.value),
            false => format!("({} bytes, not shown)", self.value.len()),
        }
    }

    fn told(&self, reveal: bool) -> Told<'_> {
        let value = reveal.then(|| hex::encode(&self.value));
        Told { name: self.name, formula: &self.formula, octets: self.value.len(), value }
    }
}

pub(super) fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}
