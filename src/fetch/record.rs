//! What was asked of whom, and what came of it.

use std::time::Duration;

/// One fetch, or the refusal to make it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// What was looked for.
    pub wanted: Wanted,
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Where.
    pub url: String,
    /// The certificate for whose sake, by the name shown of it.
    pub certificate: String,
    /// Where the server sent us on to, in order.
    pub redirects: Vec<String>,
    /// How many octets of content came.
    pub octets: u64,
    /// How long it took, from the connection to the last octet.
    pub took: Duration,
    /// What came of it.
    pub outcome: Outcome,
}

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The certificate of an issuer.
    Issuer,
    /// A complete revocation list.
    RevocationList,
    /// A list of changes.
    DeltaList,
    /// An OCSP response.
    OcspResponse,
}

/// What came of a fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It went into the judgment: what it is.
    Used(String),
    /// Nothing usable came: why.
    Failed(String),
    /// Nobody was asked: why.
    NotFetched(String),
}

impl Wanted {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::RevocationList => "revocation list",
            Self::DeltaList => "delta list",
            Self::OcspResponse => "OCSP response",
        }
    }
}

impl Outcome {
    /// Its name in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Used(_) => "used",
            Self::Failed(_) => "failed",
            Self::NotFetched(_) => "not fetched",
        }
    }

    /// What it is, or why there is nothing.
    pub fn detail(&self) -> &str {
        match self {
            Self::Used(detail) | Self::Failed(detail) | Self::NotFetched(detail) => detail,
        }
    }
}
