//! Revocation lists.

use super::extension;
use super::extension::ExtensionDescription;
use super::sheet::Row;
use super::sheet::Sheet;
use super::sheet::Tone;
use super::when;
use crate::x509::CertificateRevocationList;
use crate::x509::DistinguishedName;
use crate::x509::SerialNumber;
use crate::x509::crl::RevokedCertificate;
use crate::x509::extension::ExtensionValue;
use serde::Serialize;
use time::OffsetDateTime;

/// A revocation list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RevocationListDescription {
    /// Who issued it (RFC 4514).
    pub issuer: DistinguishedName,
    /// cRLNumber in decimal.
    pub number: Option<String>,
    /// When it was issued, RFC 3339 in UTC.
    pub this_update: String,
    /// By when the next one is issued, RFC 3339 in UTC.
    pub next_update: Option<String>,
    /// Whether the next one is due.
    pub stale: bool,
    /// How current it is, in words.
    pub words: String,
    /// The algorithm of the signature.
    pub signature_algorithm: String,
    /// How many certificates it revokes.
    pub count: usize,
    /// Its extensions.
    pub extensions: Vec<ExtensionDescription>,
    /// All entries.
    pub entries: Vec<EntryDescription>,
}

/// One revoked certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryDescription {
    /// Its serial number in hexadecimal.
    pub serial: SerialNumber,
    /// When it was revoked, RFC 3339 in UTC.
    pub revoked_at: String,
    /// Why, where the list says so.
    pub reason: Option<String>,
    /// Other extensions of the entry.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<ExtensionDescription>,
}

/// The most entries that are shown to people; JSON has all.
const MOST_SHOWN: usize = 20;

impl RevocationListDescription {
    /// Describes a list as it stands at `now`.
    pub fn of(list: &CertificateRevocationList, now: OffsetDateTime) -> Self {
        let stale = list.next_update().is_some_and(|next| next < now);
        let words = match list.next_update() {
            None => "does not say when the next one comes".to_owned(),
            Some(next) if stale => format!("out of date: the next one was due {}", when::describe_moment(next, now)),
            Some(next) => format!("current: the next one is due {}", when::describe_moment(next, now)),
        };
        Self {
            issuer: list.issuer().clone(),
            number: list.number().ok().flatten().map(|number| extension::decimal(&number.0)),
            this_update: crate::x509::time::rfc3339(list.this_update()),
            next_update: list.next_update().map(crate::x509::time::rfc3339),
            stale,
            words,
            signature_algorithm: extension::named(list.signature_algorithm()),
            count: list.entries().len(),
            extensions: list.extensions().iter().map(ExtensionDescription::of).collect(),
            entries: list.entries().iter().map(EntryDescription::of).collect(),
        }
    }

    pub(super) fn short(&self) -> String {
        let state = if self.stale { "out of date" } else { "current" };
        format!("revocation list  {}  {} revoked  {state}", self.issuer, self.count)
    }

    /// The description for people: the first entries and how many more there are.
    pub fn sheet(&self) -> Sheet {
        let tone = if self.stale { Tone::Bad } else { Tone::Good };
        let mut sheet = Sheet::new("revocation list", "")
            .with(Row::plain("issuer", extension::or_empty(&self.issuer)))
            .with(Row::toned(tone, "state", &self.words))
            .with(Row::plain("issued", when::for_people(&self.this_update)));
        if let Some(number) = &self.number {
            sheet.name = format!("number {number}");
        }
        sheet = sheet.with(Row::plain("signature", &self.signature_algorithm)).with(Row::plain(
            "revokes",
            format!("{} certificate{}", self.count, if self.count == 1 { "" } else { "s" }),
        ));
        let shown = self.entries.iter().take(MOST_SHOWN);
        let mut entries: Vec<Row> = shown.map(EntryDescription::row).collect();
        if self.entries.len() > MOST_SHOWN {
            let more = self.entries.len() - MOST_SHOWN;
            entries.push(Row::toned(Tone::Dim, &format!("… and {more} more"), "--json shows all"));
        }
        sheet.with_group("extensions", extension::rows(&self.extensions)).with_group("revoked", entries)
    }
}

impl EntryDescription {
    fn of(entry: &RevokedCertificate) -> Self {
        let is_reason =
            |extension: &&crate::x509::Extension| matches!(extension.decode(), Ok(ExtensionValue::ReasonCode(_)));
        let others = entry.extensions.iter().filter(|extension| !is_reason(extension));
        Self {
            serial: entry.serial.clone(),
            revoked_at: crate::x509::time::rfc3339(entry.revocation_date),
            reason: entry.reason().ok().flatten().map(|reason| reason.name().to_owned()),
            extensions: others.map(ExtensionDescription::of).collect(),
        }
    }

    fn row(&self) -> Row {
        let mut line = when::for_people(&self.revoked_at);
        if let Some(reason) = &self.reason {
            line.push_str(&format!("  {reason}"));
        }
        let mut lines = vec![line];
        for extension in &self.extensions {
            lines.extend(extension.lines().into_iter().map(|said| format!("{}: {said}", extension.name)));
        }
        Row::lines(Tone::Plain, &self.serial.to_string(), lines)
    }
}
