//! OCSP responses and requests. Signatures are not checked here: that takes the issuer, whom `certkit verify` finds.

use super::certificate::CertificateDescription;
use super::extension;
use super::extension::ExtensionDescription;
use super::sheet::Row;
use super::sheet::Sheet;
use super::sheet::Tone;
use super::when;
use crate::encoding::hex;
use crate::x509::OcspRequest;
use crate::x509::OcspResponse;
use crate::x509::ocsp::{BasicOcspResponse, CertId, OcspStatus, ResponderId, SingleResponse};
use crate::x509::oids;
use crate::x509::time::rfc3339;
use serde::Serialize;
use time::OffsetDateTime;

/// An OCSP response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OcspResponseDescription {
    /// responseStatus: `successful`, or why the responder declines.
    pub response_status: &'static str,
    /// The signed answer; absent where the responder declines.
    #[serde(flatten)]
    pub answer: Option<OcspAnswerDescription>,
}

/// The signed part of a response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OcspAnswerDescription {
    /// The responder by name (RFC 4514) or by `key` and the SHA-1 digest of its key.
    pub responder: String,
    /// When it was signed, RFC 3339 in UTC.
    pub produced_at: String,
    /// The algorithm of the signature.
    pub signature_algorithm: String,
    /// The nonce of the request, in hexadecimal.
    pub nonce: Option<String>,
    /// The answers.
    pub responses: Vec<SingleResponseDescription>,
    /// Certificates that come along.
    pub certificates: Vec<CertificateDescription>,
    /// Extensions of the whole response.
    pub extensions: Vec<ExtensionDescription>,
}

/// The answer about one certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SingleResponseDescription {
    /// Which certificate.
    #[serde(flatten)]
    pub certificate: CertIdDescription,
    /// `good`, `revoked` or `unknown`.
    pub status: &'static str,
    /// Since when it is revoked, RFC 3339 in UTC.
    pub revoked_at: Option<String>,
    /// Why, where the response says so.
    pub reason: Option<&'static str>,
    /// When this was right, RFC 3339 in UTC.
    pub this_update: String,
    /// By when there is something newer, RFC 3339 in UTC.
    pub next_update: Option<String>,
    /// Whether there is something newer.
    pub stale: bool,
    /// How current it is, in words.
    pub words: String,
    /// Extensions of this answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<ExtensionDescription>,
}

/// A certificate by its issuer's digests and its serial number (RFC 6960 §4.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CertIdDescription {
    /// The serial number in hexadecimal.
    pub serial: String,
    /// The hash algorithm of the digests.
    pub hash: String,
    /// The digest of the issuer's name.
    pub issuer_name_hash: String,
    /// The digest of the issuer's key.
    pub issuer_key_hash: String,
}

/// An OCSP request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OcspRequestDescription {
    /// The certificates it asks about.
    pub certificates: Vec<CertIdDescription>,
    /// The nonce that is to come back, in hexadecimal.
    pub nonce: Option<String>,
    /// Whether it is signed.
    pub signed: bool,
}

impl OcspResponseDescription {
    /// Describes a response as it stands at `now`.
    pub fn of(response: &OcspResponse, now: OffsetDateTime) -> Self {
        match response {
            OcspResponse::Declined(decline) => Self { response_status: decline.name(), answer: None },
            OcspResponse::Successful(basic) => {
                Self { response_status: "successful", answer: Some(OcspAnswerDescription::of(basic, now)) }
            }
        }
    }

    pub(super) fn short(&self) -> String {
        let Some(answer) = &self.answer else { return format!("OCSP response  declines: {}", self.response_status) };
        let said = answer.responses.iter().map(|single| {
            let stale = if single.stale { ", out of date" } else { "" };
            format!("{} {}{stale}", single.certificate.serial, single.status)
        });
        format!("OCSP response  {}  {}", answer.responder, said.collect::<Vec<_>>().join("; "))
    }

    /// The description for people.
    pub fn sheet(&self) -> Sheet {
        let Some(answer) = &self.answer else {
            let why = format!("{}: the responder gives no answer", self.response_status);
            return Sheet::new("OCSP response", "").with(Row::toned(Tone::Bad, "status", why));
        };
        let mut sheet = Sheet::new("OCSP response", "")
            .with(Row::plain("status", self.response_status))
            .with(Row::plain("responder", &answer.responder))
            .with(Row::plain("produced", when::for_people(&answer.produced_at)))
            .with(Row::plain("signature", format!("{}, not checked here", answer.signature_algorithm)));
        if let Some(nonce) = &answer.nonce {
            sheet = sheet.with(Row::plain("nonce", nonce));
        }
        let along = answer.certificates.iter().map(|it| Row::plain("certificate", it.short()));
        let along = along.collect();
        let answers = answer.responses.iter().map(SingleResponseDescription::row).collect();
        sheet
            .with_group("answers", answers)
            .with_group("comes along", along)
            .with_group("extensions", extension::rows(&answer.extensions))
    }
}

impl OcspAnswerDescription {
    fn of(response: &BasicOcspResponse, now: OffsetDateTime) -> Self {
        let responder = match response.responder() {
            ResponderId::Name(name) => name.to_string(),
            ResponderId::KeyHash(hash) => format!("key {}", hex::encode(hash)),
        };
        let others = response.extensions().iter().filter(|it| it.oid != oids::OCSP_NONCE || response.nonce().is_err());
        Self {
            responder,
            produced_at: rfc3339(response.produced_at()),
            signature_algorithm: extension::named(response.signature_algorithm()),
            nonce: response.nonce().ok().flatten().as_deref().map(hex::encode),
            responses: response.responses().iter().map(|it| SingleResponseDescription::of(it, now)).collect(),
            certificates: response.certificates().iter().map(|it| CertificateDescription::of(it, now)).collect(),
            extensions: others.map(ExtensionDescription::of).collect(),
        }
    }
}

impl SingleResponseDescription {
    fn of(single: &SingleResponse, now: OffsetDateTime) -> Self {
        let (status, revoked_at, reason) = match single.status {
            OcspStatus::Good => ("good", None, None),
            OcspStatus::Unknown => ("unknown", None, None),
            OcspStatus::Revoked { since, reason } => ("revoked", Some(rfc3339(since)), reason.map(|it| it.name())),
        };
        let stale = single.next_update.is_some_and(|next| next < now);
        let words = match single.next_update {
            None => "does not say how long it holds".to_owned(),
            Some(next) if stale => format!("out of date: the next one was due {}", when::describe_moment(next, now)),
            Some(next) => format!("current: the next one is due {}", when::describe_moment(next, now)),
        };
        Self {
            certificate: CertIdDescription::of(&single.certificate),
            status,
            revoked_at,
            reason,
            this_update: rfc3339(single.this_update),
            next_update: single.next_update.map(rfc3339),
            stale,
            words,
            extensions: single.extensions.iter().map(ExtensionDescription::of).collect(),
        }
    }

    fn row(&self) -> Row {
        let since = self.revoked_at.iter().map(|since| format!(" since {}", when::for_people(since)));
        let reason = self.reason.iter().map(|reason| format!("  {reason}"));
        let said: String = since.chain(reason).collect();
        let mut lines = vec![format!("{}{said}", self.status), self.words.clone()];
        lines.push(self.certificate.digests());
        for extension in &self.extensions {
            lines.extend(extension.lines().into_iter().map(|said| format!("{}: {said}", extension.name)));
        }
        let tone = match self.status {
            "good" if !self.stale => Tone::Good,
            "revoked" => Tone::Bad,
            _ => Tone::Warn,
        };
        Row::lines(tone, &self.certificate.serial, lines)
    }
}

impl CertIdDescription {
    fn of(id: &CertId) -> Self {
        Self {
            serial: id.serial.to_string(),
            hash: oids::name_or_dotted(&id.hash),
            issuer_name_hash: hex::encode(&id.issuer_name_hash),
            issuer_key_hash: hex::encode(&id.issuer_key_hash),
        }
    }

    fn digests(&self) -> String {
        format!("of the issuer with name {} and key {} ({})", self.issuer_name_hash, self.issuer_key_hash, self.hash)
    }
}

impl OcspRequestDescription {
    /// Describes a request.
    pub fn of(request: &OcspRequest) -> Self {
        Self {
            certificates: request.certificates().iter().map(|asked| CertIdDescription::of(&asked.id)).collect(),
            nonce: request.nonce().map(hex::encode),
            signed: request.is_signed(),
        }
    }

    pub(super) fn short(&self) -> String {
        let serials: Vec<&str> = self.certificates.iter().map(|asked| asked.serial.as_str()).collect();
        format!("OCSP request  about {}", serials.join(", "))
    }

    /// The description for people.
    pub fn sheet(&self) -> Sheet {
        let row = |asked: &CertIdDescription| Row::plain(&asked.serial, asked.digests());
        Sheet::new("OCSP request", "")
            .with(Row::plain("nonce", self.nonce.as_deref().unwrap_or("none")))
            .with(Row::plain("signed", if self.signed { "yes" } else { "no" }))
            .with_group("asks about", self.certificates.iter().map(row).collect())
    }
}
