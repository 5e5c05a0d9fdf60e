//! Revocation lists and OCSP responses for `certkit verify`: flags, files, and what the report says about them.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::ValueEnum;
use serde::Serialize;

use super::report::Complaint;
use crate::cli::clock;
use crate::cli::files;
use crate::cli::output::shown;
use crate::container::{Content, Document};
use crate::encoding::hex;
use crate::verify::revocation::CertificateStatus;
use crate::verify::{CheckRevocation, Status, Verifier};

#[derive(Debug, clap::Args)]
pub(super) struct RevocationArgs {
    /// Revocation lists, complete or delta, in PEM or DER; may be given more than once
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,

    /// OCSP responses, stapled or saved, in PEM or DER; may be given more than once
    #[arg(long, value_name = "FILE")]
    ocsp: Vec<PathBuf>,

    /// A responder's certificate whose answers are relied on, whoever issued it; may be given more than once
    #[arg(long, value_name = "FILE")]
    ocsp_responder: Vec<PathBuf>,

    /// Of which certificates it must be known that they are not revoked; without it, what is given is looked at, and a
    /// certificate about which nothing is given passes
    #[arg(long, value_enum, value_name = "WHICH")]
    check_revocation: Option<CheckName>,
}

/// How much must be known, by the names users type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CheckName {
    /// Of none.
    None,
    /// Of the judged certificate.
    Leaf,
    /// Of all below the trusted root.
    Chain,
}

impl RevocationArgs {
    /// Loads the files into the verifier. What is there and does not parse comes back: it is a rejection.
    pub(super) fn load(&self, verifier: &mut Verifier) -> anyhow::Result<Vec<Complaint>> {
        verifier.check_revocation = match self.check_revocation {
            None => CheckRevocation::Given,
            Some(CheckName::None) => CheckRevocation::None,
            Some(CheckName::Leaf) => CheckRevocation::Leaf,
            Some(CheckName::Chain) => CheckRevocation::Chain,
        };
        if self.check_revocation == Some(CheckName::None) && !(self.crl.is_empty() && self.ocsp.is_empty()) {
            bail!("--crl and --ocsp have no effect with --check-revocation none");
        }
        for path in &self.ocsp_responder {
            verifier.ocsp_responders.extend(super::certificates_in(path)?);
        }
        let mut damage = Vec::new();
        for path in &self.crl {
            load_lists(path, verifier, &mut damage).with_context(|| format!("no usable list in {}", shown(path)))?;
        }
        for path in &self.ocsp {
            load_responses(path, verifier, &mut damage)
                .with_context(|| format!("no usable OCSP response in {}", shown(path)))?;
        }
        Ok(damage)
    }
}

fn load_lists(path: &Path, verifier: &mut Verifier, damage: &mut Vec<Complaint>) -> anyhow::Result<()> {
    let contents = files::read(path)?;
    let document = Document::read(&contents)?;
    let mut any = false;
    for (item, block) in document.items().iter().zip(1..) {
        match &item.content {
            Content::RevocationList(list) => verifier.revocation_lists.push((**list).clone()),
            Content::Malformed { what, why } => damage.push(damaged(path, block, item.line, what, why)),
            _ => continue,
        }
        any = true;
    }
    if !any {
        document.revocation_lists()?;
    }
    Ok(())
}

fn load_responses(path: &Path, verifier: &mut Verifier, damage: &mut Vec<Complaint>) -> anyhow::Result<()> {
    let contents = files::read(path)?;
    let document = Document::read(&contents)?;
    let mut any = false;
    for (item, block) in document.items().iter().zip(1..) {
        match &item.content {
            Content::OcspResponse(response) => verifier.ocsp_responses.push((**response).clone()),
            Content::Malformed { what, why } => damage.push(damaged(path, block, item.line, what, why)),
            _ => continue,
        }
        any = true;
    }
    if any { Ok(()) } else { bail!("it holds none") }
}

fn damaged(path: &Path, block: usize, line: Option<usize>, what: &str, why: &str) -> Complaint {
    let line = line.map_or_else(String::new, |line| format!(" (line {line})"));
    Complaint {
        check: "encoding",
        clause: "X.690; RFC 7468; RFC 5280 §5.1; RFC 6960 §4.2.1",
        certificate: None,
        detail: format!("{}, block {block}{line}: the {what} is damaged: {why}", shown(path)),
        hint: Some("take the block out, or fetch the file again".to_owned()),
    }
}

/// What is known about the revocation of one certificate.
#[derive(Serialize)]
pub(super) struct RevocationReport {
    status: &'static str,
    source: Option<&'static str>,
    issuer: Option<String>,
    this_update: Option<String>,
    next_update: Option<String>,
    revoked_since: Option<String>,
    reason: Option<&'static str>,
    nonce: Option<String>,
}

impl RevocationReport {
    /// Of the certificate at this place in the path, if it was asked about.
    pub(super) fn of(statuses: &[CertificateStatus], place: usize) -> Option<Self> {
        let found = statuses.iter().find(|status| status.certificate == place)?;
        let source = found.source.as_ref();
        let (since, reason) = match found.status {
            Status::Revoked { since, reason } => (Some(since), reason),
            Status::Good | Status::Unknown => (None, None),
        };
        Some(Self {
            status: found.status.name(),
            source: source.map(|source| source.kind),
            issuer: source.map(|source| source.issuer.to_string()),
            this_update: source.map(|source| clock::rfc3339(source.this_update)),
            next_update: source.and_then(|source| source.next_update).map(clock::rfc3339),
            revoked_since: since.map(clock::rfc3339),
            reason: reason.map(crate::x509::extension::CrlReason::name),
            nonce: source.and_then(|source| source.nonce.as_deref()).map(hex::encode),
        })
    }
}
