//! Certification requests.

use super::extension;
use super::extension::ExtensionDescription;
use super::key::PublicKeyDescription;
use super::sheet::Row;
use super::sheet::Sheet;
use super::sheet::Tone;
use super::sheet::wrapped;
use crate::x509::CertificationRequest;
use crate::x509::DistinguishedName;
use crate::x509::oids;
use serde::Serialize;

/// A certification request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestDescription {
    /// The name asked for (RFC 4514).
    pub subject: DistinguishedName,
    /// The subject alternative names asked for.
    pub names: Vec<String>,
    /// The key to be certified.
    pub public_key: PublicKeyDescription,
    /// The algorithm of the request's signature.
    pub signature_algorithm: String,
    /// Whether the request is signed with the key in it (RFC 2986 §3).
    pub proof_of_possession: bool,
    /// Why it is not, where it is not.
    pub possession_problem: Option<String>,
    /// The extensions asked for.
    pub extensions: Vec<ExtensionDescription>,
    /// Other attributes.
    pub attributes: Vec<String>,
}

impl RequestDescription {
    /// Describes a request.
    pub fn of(request: &CertificationRequest) -> Self {
        let possession = request.verify_possession();
        let others = request.attributes().iter().filter(|kind| **kind != oids::EXTENSION_REQUEST);
        Self {
            subject: request.subject().clone(),
            names: extension::names(request.subject_alt_names()),
            public_key: PublicKeyDescription::of_info(request.public_key_info(), request.public_key()),
            signature_algorithm: extension::named(request.signature_algorithm()),
            proof_of_possession: possession.is_ok(),
            possession_problem: possession.err().map(|error| error.to_string()),
            extensions: request.extensions().iter().map(ExtensionDescription::of).collect(),
            attributes: others.map(oids::name_or_dotted).collect(),
        }
    }

    pub(super) fn short(&self) -> String {
        let proof = if self.proof_of_possession { "proof of possession" } else { "NO proof of possession" };
        format!("certification request  {}  {}  {proof}", self.title(), self.public_key.short())
    }

    fn title(&self) -> String {
        let first = self.subject.common_names().into_iter().next().or_else(|| self.names.first().cloned());
        first.unwrap_or_else(|| "(no name)".to_owned())
    }

    /// The description for people.
    pub fn sheet(&self) -> Sheet {
        let mut sheet = Sheet::new("certification request", &self.title());
        sheet.rows.push(Row::plain("subject", extension::or_empty(&self.subject)));
        if !self.names.is_empty() {
            sheet.rows.push(Row::lines(Tone::Plain, "names", wrapped(&self.names)));
        }
        sheet.rows.extend(self.public_key.rows());
        sheet.rows.push(Row::plain("signature", &self.signature_algorithm));
        sheet.rows.push(match &self.possession_problem {
            None => Row::toned(Tone::Good, "possession", "proven: signed with the key in the request"),
            Some(why) => Row::toned(Tone::Bad, "possession", format!("not proven: {why}")),
        });
        if !self.attributes.is_empty() {
            sheet.rows.push(Row::lines(Tone::Plain, "attributes", wrapped(&self.attributes)));
        }
        sheet.with_group("asks for extensions", extension::rows(&self.extensions))
    }
}
