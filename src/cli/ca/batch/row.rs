//! One line of the answer: what became of one line of the list.

use serde::Serialize;

use crate::ca::Issued;
use crate::cli::clock::rfc3339;
use crate::cli::output::Report;
use crate::cli::text::{Text, bad, good, safe, warn};
use crate::encoding::hex;
use crate::x509::GeneralName;

/// What became of one line of the list.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    line: u64,
    #[serde(flatten)]
    certificate: Option<About>,
    /// Why there is no certificate, or no file with it.
    error: Option<String>,
}

/// A certificate that is recorded.
#[derive(Debug, Serialize)]
struct About {
    certificate_file: String,
    key_file: String,
    subject: String,
    names: Vec<String>,
    serial: String,
    fingerprint_sha256: String,
    profile: String,
    not_before: String,
    not_after: String,
    shortened_from: Option<String>,
}

/// How it ended.
pub(super) enum Outcome {
    Issued,
    Refused,
    /// Recorded, and not written.
    Lost,
}

impl Row {
    pub(super) fn refused(line: u64, why: String) -> Self {
        Self { line, certificate: None, error: Some(why) }
    }

    pub(super) fn issued(
        line: u64,
        issued: &Issued,
        profile: String,
        certificate_file: String,
        key_file: String,
    ) -> Self {
        let certificate = &issued.certificate;
        let names = certificate.subject_alt_names().unwrap_or_default();
        let about = About {
            certificate_file,
            key_file,
            subject: certificate.subject().to_string(),
            names: names.iter().map(GeneralName::to_string).collect(),
            serial: certificate.serial().to_string(),
            fingerprint_sha256: hex::colons(&certificate.fingerprint_sha256()),
            profile,
            not_before: rfc3339(certificate.validity().not_before),
            not_after: rfc3339(certificate.validity().not_after),
            shortened_from: issued.clamped.map(rfc3339),
        };
        Self { line, certificate: Some(about), error: None }
    }

    /// The same, whose files could not be written.
    pub(super) fn lost(self, error: String) -> Self {
        Self { error: Some(error), ..self }
    }

    pub(super) fn outcome(&self) -> Outcome {
        match (&self.certificate, &self.error) {
            (Some(_), None) => Outcome::Issued,
            (Some(_), Some(_)) => Outcome::Lost,
            (None, _) => Outcome::Refused,
        }
    }
}

impl Report for Row {
    fn text(&self, text: &mut Text) {
        let error = self.error.as_deref().map(safe);
        match (&self.certificate, error) {
            (Some(about), None) => {
                let shortened = if about.shortened_from.is_some() { ", shortened to its CA's end" } else { "" };
                text.line(format_args!("{}  {}{shortened}", good("issued"), safe(&about.certificate_file)));
            }
            (Some(about), Some(error)) => text.line(format_args!(
                "{}  line {}: the certificate with serial number {} is recorded, but lost: {error}",
                bad("lost"),
                self.line,
                about.serial
            )),
            (None, Some(error)) => text.line(format_args!("{}  line {}: {error}", warn("refused"), self.line)),
            (None, None) => {}
        }
    }
}
