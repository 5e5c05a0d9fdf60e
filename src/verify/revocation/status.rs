//! What is known about a certificate's revocation, and how much has to be.

use ::time::OffsetDateTime;

use crate::x509::extension::CrlReason;
use crate::x509::{Certificate, DistinguishedName, SerialNumber, time};

/// Of which certificates the status must be known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum CheckRevocation {
    /// None, and nothing that is given about revocation is looked at.
    None,
    /// What is given is looked at: a revoked certificate is rejected, and so is one about which the only source cannot be
    /// relied on. A certificate about which nothing is said is not.
    #[default]
    Given,
    /// The judged certificate's.
    Leaf,
    /// Those of all certificates below the trust anchor.
    Chain,
}

/// What a certificate says is to be had at a URL, and could not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable {
    /// The issuer of the certificate.
    pub issuer: DistinguishedName,
    /// Its serial number.
    pub serial: SerialNumber,
    /// Where.
    pub url: String,
    /// Why not.
    pub why: String,
}

impl Unavailable {
    /// Whether this certificate names the URL.
    pub(in crate::verify) fn is_of(&self, certificate: &Certificate) -> bool {
        self.serial == *certificate.serial() && self.issuer.matches(certificate.issuer())
    }
}

impl std::fmt::Display for Unavailable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} could not be had: {}", self.url.escape_default(), self.why)
    }
}

/// A certificate's status, and where it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateStatus {
    /// The place of the certificate in the path.
    pub certificate: usize,
    /// The status.
    pub status: Status,
    /// Who says so; `None` where the status is unknown.
    pub source: Option<RevocationSource>,
}

/// A certificate's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Not revoked.
    Good,
    /// Revoked, or put on hold.
    Revoked {
        /// Since when.
        since: OffsetDateTime,
        /// Why; `None` where the source does not say.
        reason: Option<CrlReason>,
    },
    /// No source settles it.
    Unknown,
}

/// A list or response that settled a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationSource {
    /// `CRL`, `delta CRL` or `OCSP response`.
    pub kind: &'static str,
    /// Who issued it.
    pub issuer: DistinguishedName,
    /// When it was issued.
    pub this_update: OffsetDateTime,
    /// By when the next one is issued.
    pub next_update: Option<OffsetDateTime>,
    /// The nonce of the request that an OCSP response answers.
    pub nonce: Option<Vec<u8>>,
}

impl CertificateStatus {
    pub(super) fn unknown() -> Self {
        Self { certificate: 0, status: Status::Unknown, source: None }
    }
}

impl Status {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Revoked { reason: Some(CrlReason::CertificateHold), .. } => "on hold",
            Self::Revoked { .. } => "revoked",
            Self::Unknown => "unknown",
        }
    }
}

impl std::fmt::Display for RevocationSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the {} of \"{}\" of {}", self.kind, self.issuer, time::rfc3339(self.this_update))
    }
}
