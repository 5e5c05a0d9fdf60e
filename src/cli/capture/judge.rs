//! Judges the certificates of a capture, each as of its own time.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Serialize;

use crate::cli::clock;
use crate::cli::output::Session;
use crate::cli::verify::roots;
use crate::transcript::Transcript;
use crate::verify::{Finding, Identity, Verifier};
use crate::x509::{Certificate, ServerName};

/// What is trusted, and which name a certificate must be for.
pub(super) struct Judge {
    roots: Vec<Certificate>,
    name: Option<ServerName>,
}

/// What was found of one certificate.
#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    pub(super) accepted: bool,
    /// The name it was judged for.
    pub(super) name: String,
    /// The time it was judged as of.
    at: String,
    pub(super) reasons: Vec<Reason>,
}

/// What speaks against it.
#[derive(Debug, Serialize)]
pub(super) struct Reason {
    check: &'static str,
    clause: &'static str,
    pub(super) detail: String,
}

impl Judge {
    pub(super) fn new(sources: &[PathBuf], name: Option<ServerName>, session: &mut Session) -> anyhow::Result<Self> {
        let system = [PathBuf::from("system")];
        let sources = if sources.is_empty() { &system[..] } else { sources };
        Ok(Self { roots: roots::load(sources, session)?, name })
    }

    /// Judges the server's certificate; `None` where the capture shows none.
    pub(super) fn verdict(&self, transcript: &Transcript, server: SocketAddr) -> Option<Verdict> {
        let summary = &transcript.summary;
        let (leaf, others) = summary.server_chain.split_first()?;
        let asked = summary.server_name.as_ref().and_then(|name| name.parse().ok());
        // Who asks for no name has connected to an address.
        let name = self.name.clone().or(asked).unwrap_or_else(|| ServerName::Ip(server.ip()));
        let mut verifier = Verifier::new(self.roots.clone(), transcript.begun);
        verifier.intermediates = others.to_vec();
        verifier.identities = vec![Identity::Server(name.clone())];
        let verdict = verifier.judge(leaf);
        let mut reasons: Vec<Reason> = Vec::new();
        for attempt in verdict.attempts().iter().take(1) {
            for finding in attempt.findings.iter().filter(|finding| Finding::is_failure(finding)) {
                let detail = finding.detail(attempt, &verifier);
                if !reasons.iter().any(|reason| reason.detail == detail) {
                    reasons.push(Reason { check: finding.check.name(), clause: finding.check.clause(), detail });
                }
            }
        }
        Some(Verdict {
            accepted: verdict.is_accepted(),
            name: name.to_string(),
            at: clock::rfc3339(verifier.at),
            reasons,
        })
    }
}

impl Verdict {
    /// In one line.
    pub(super) fn words(&self) -> String {
        let verdict = if self.accepted { "ACCEPTED" } else { "REJECTED" };
        let reasons: Vec<&str> = self.reasons.iter().map(|reason| reason.detail.as_str()).collect();
        let because = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) };
        format!("{verdict} for \"{}\" as of {}{because}", self.name, self.at)
    }
}
