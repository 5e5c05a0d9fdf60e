//! Certificates.

use super::extension;
use super::extension::ExtensionDescription;
use super::key::PublicKeyDescription;
use super::sheet::Row;
use super::sheet::Sheet;
use super::sheet::Tone;
use super::sheet::wrapped;
use super::when;
use super::when::Period;
use super::when::PeriodState;
use crate::encoding::hex;
use crate::key::digest;
use crate::x509::Certificate;
use crate::x509::DistinguishedName;
use crate::x509::SerialNumber;
use crate::x509::oids;
use serde::Serialize;
use time::OffsetDateTime;

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CertificateDescription {
    /// A short name for people: commonName, or the first alternative name, or the subject.
    pub display_name: String,
    /// The version: 1, 2 or 3.
    pub version: u8,
    /// serialNumber in hexadecimal.
    pub serial: SerialNumber,
    /// The subject (RFC 4514).
    pub subject: DistinguishedName,
    /// The issuer (RFC 4514).
    pub issuer: DistinguishedName,
    /// The subject alternative names, each as `dns:…`, `ip:…`, `email:…`, `uri:…`.
    pub names: Vec<String>,
    /// When it is valid.
    pub validity: Period,
    /// The subject's key.
    pub public_key: PublicKeyDescription,
    /// The algorithm of the signature.
    pub signature_algorithm: String,
    /// Whether basicConstraints says CA:TRUE.
    pub ca: bool,
    /// The most intermediate certificates that may follow, where basicConstraints says so.
    pub path_len: Option<u64>,
    /// Whether it is signed with its own key; `null` where its signature cannot be checked.
    pub self_signed: Option<bool>,
    /// Digests of the whole certificate.
    pub fingerprints: Fingerprints,
    /// The extensions, in order.
    pub extensions: Vec<ExtensionDescription>,
    /// Flaws of the form that show without a verifier.
    pub remarks: Vec<String>,
}

/// Digests of the whole certificate, in upper-case hexadecimal with colons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fingerprints {
    /// SHA-256.
    pub sha256: String,
    /// SHA-1, by which older programs list certificates.
    pub sha1: String,
}

impl CertificateDescription {
    /// Describes a certificate as it stands at `now`.
    pub fn of(certificate: &Certificate, now: OffsetDateTime) -> Self {
        Self {
            display_name: certificate.display_name(),
            version: certificate.version(),
            serial: certificate.serial().clone(),
            subject: certificate.subject().clone(),
            issuer: certificate.issuer().clone(),
            names: extension::names(certificate.subject_alt_names()),
            validity: Period::of(certificate.validity(), now),
            public_key: PublicKeyDescription::of_info(certificate.public_key_info(), certificate.public_key()),
            signature_algorithm: extension::named(certificate.signature_algorithm()),
            ca: certificate.claims_ca(),
            path_len: certificate.basic_constraints().ok().flatten().and_then(|constraints| constraints.path_len),
            self_signed: self_signed(certificate),
            fingerprints: Fingerprints {
                sha256: hex::colons(&certificate.fingerprint_sha256()),
                sha1: hex::colons(&digest::sha1(certificate.der())),
            },
            extensions: certificate.extensions().iter().map(ExtensionDescription::of).collect(),
            remarks: remarks(certificate),
        }
    }

    /// `self-signed CA`, `intermediate CA`, `end entity`.
    fn role(&self) -> String {
        let base = if self.ca { "CA" } else { "end entity" };
        let signed = match self.self_signed {
            Some(true) => "self-signed ",
            Some(false) if self.ca && self.subject.matches(&self.issuer) => "self-issued ",
            Some(false) if self.ca => "intermediate ",
            Some(false) | None => "",
        };
        let limit = match self.path_len {
            Some(0) if self.ca => ", may issue end entities only (path length 0)".to_owned(),
            Some(length) if self.ca => format!(", path length {length}"),
            _ => String::new(),
        };
        format!("{signed}{base}{limit}")
    }

    pub(super) fn short(&self) -> String {
        let role = if self.ca { "  CA" } else { "" };
        let (name, key, words) = (&self.display_name, self.public_key.short(), &self.validity.words);
        format!("certificate  {name}{role}  {key}  {words}")
    }

    /// The description for people.
    pub fn sheet(&self) -> Sheet {
        let mut sheet = Sheet::new("certificate", &self.display_name);
        let rows = &mut sheet.rows;
        rows.push(Row::plain("subject", extension::or_empty(&self.subject)));
        if !self.names.is_empty() {
            rows.push(Row::lines(Tone::Plain, "names", wrapped(&self.names)));
        }
        rows.push(Row::plain("issuer", extension::or_empty(&self.issuer)));
        rows.push(Row::plain("role", self.role()));
        let tone = match self.validity.state {
            PeriodState::Valid => Tone::Good,
            PeriodState::NotYetValid | PeriodState::Expired | PeriodState::Never => Tone::Bad,
        };
        rows.push(Row::toned(tone, "validity", &self.validity.words));
        let (from, to) = (when::for_people(&self.validity.not_before), when::for_people(&self.validity.not_after));
        let days = self.validity.days;
        rows.push(Row::plain("", format!("{from} to {to} ({days} day{})", if days == 1 { "" } else { "s" })));
        rows.extend(self.public_key.rows());
        rows.push(Row::plain("signature", &self.signature_algorithm));
        rows.push(Row::plain("serial", self.serial.to_string()));
        rows.push(Row::toned(Tone::Dim, "SHA-256", &self.fingerprints.sha256));
        rows.push(Row::toned(Tone::Dim, "SHA-1", &self.fingerprints.sha1));
        rows.extend(self.remarks.iter().map(|remark| Row::toned(Tone::Warn, "remark", remark)));
        let version = if self.version == 3 { String::new() } else { format!(" (version {})", self.version) };
        sheet.with_group(&format!("extensions{version}"), extension::rows(&self.extensions))
    }
}

/// Whether the certificate is signed with its own key. A broken hash does not matter here: the question is not whether to
/// trust it.
fn self_signed(certificate: &Certificate) -> Option<bool> {
    if !certificate.is_self_issued() {
        return Some(false);
    }
    super::bundle::signed_with(certificate, &certificate.public_key().ok()?)
}

fn remarks(certificate: &Certificate) -> Vec<String> {
    let mut remarks = Vec::new();
    if certificate.version() != 3 {
        remarks.push(format!("version {}: it predates extensions (RFC 5280 §4.1.2.1)", certificate.version()));
    }
    if certificate.extensions().get(&oids::CT_POISON).is_some() {
        remarks.push("a precertificate: its poison keeps it from being used (RFC 6962 §3.1)".to_owned());
    }
    if let Some(oid) = certificate.extensions().duplicate() {
        let name = oids::name_or_dotted(oid);
        remarks.push(format!("the extension {name} stands twice (RFC 5280 §4.2)"));
    }
    if certificate.signature_algorithm_der() != certificate.tbs_signature_algorithm_der() {
        remarks.push("signatureAlgorithm differs from the algorithm that was signed (RFC 5280 §4.1.1.2)".to_owned());
    }
    if certificate.serial().is_negative() || certificate.serial().is_zero() {
        remarks.push("the serial number is not positive (RFC 5280 §4.1.2.2)".to_owned());
    }
    if certificate.signature_algorithm().is_ok_and(|algorithm| algorithm.hash().is_some_and(|hash| hash.is_broken())) {
        remarks.push("it is signed over a broken hash".to_owned());
    }
    remarks
}
