//! Whether certificates were revoked, by lists (RFC 5280 §6.3) and OCSP responses (RFC 6960) that are given as data.
//!
//! The outcome for one certificate is an [`Answer`]: a status, what speaks against the sources that should have answered,
//! and remarks about those that did. A source that says revoked outweighs one that says good. What cannot be relied on
//! settles nothing, and where nothing else settles the status, it is named and the certificate rejected.

mod crl;
mod delta;
mod fault;
mod form;
mod ocsp;
mod response_fault;
mod scope;
mod signer;
mod status;

pub use fault::{ListFault, SourceFault};
pub use response_fault::ResponseFault;
pub use status::{CertificateStatus, CheckRevocation, RevocationSource, Status, Unavailable};

use self::signer::Signatures;
use super::Verifier;
use super::check::Check;
use super::reason::Reason;
use super::verdict::{Findings, Place};
use crate::x509::{Certificate, CertificateRevocationList, OcspResponse};

/// How many signers of lists and responses are asked about in one judgment. A hierarchy has a handful.
const ASKED: usize = 200;

/// How deep signers of lists are asked about in turn: the signer of a list that covers the signer of a list.
const DEPTH: usize = 4;

/// What is kept between the paths of one judgment.
pub(super) struct Inquiry<'a> {
    verifier: &'a Verifier,
    /// Intermediates beside those of the verifier.
    more: &'a [Certificate],
    /// The newest first.
    complete: Vec<&'a CertificateRevocationList>,
    /// The newest first.
    deltas: Vec<&'a CertificateRevocationList>,
    signatures: Signatures<'a>,
    /// The certificates being asked about, each for the sake of the one before it.
    under_way: Vec<Certificate>,
    /// How many signers may still be asked about.
    left_to_ask: usize,
}

/// A certificate asked about, and those above it up to the trust anchor.
#[derive(Clone, Copy)]
struct Target<'p> {
    certificate: &'p Certificate,
    above: &'p [&'p Certificate],
}

/// What was found about one certificate.
struct Answer {
    status: CertificateStatus,
    /// Why sources that should have answered settle nothing.
    objections: Vec<SourceFault>,
    /// Deviations of sources that did answer.
    remarks: Vec<SourceFault>,
    /// Reasons for revocation that no list covers, where others do.
    uncovered: Vec<&'static str>,
    /// What it names and could not be had.
    unavailable: Vec<Unavailable>,
}

impl<'a> Inquiry<'a> {
    pub(super) fn new(verifier: &'a Verifier, more: &'a [Certificate]) -> Self {
        let (mut deltas, mut complete): (Vec<_>, Vec<_>) =
            verifier.revocation_lists.iter().partition(|list| list.is_delta());
        let age = |list: &&CertificateRevocationList| std::cmp::Reverse(list.this_update());
        complete.sort_by_key(age);
        deltas.sort_by_key(age);
        let signatures = Signatures::new(verifier, more);
        Self { verifier, complete, deltas, more, signatures, under_way: Vec::new(), left_to_ask: ASKED }
    }

    /// Asks about the certificates of a path that ends at a trust anchor, as far as the verifier wants to know.
    pub(super) fn check(&mut self, path: &[&Certificate], findings: &mut Findings) {
        let given = [self.verifier.revocation_lists.len(), self.verifier.ocsp_responses.len()];
        let nothing_given = given == [0, 0] && self.verifier.unavailable.is_empty();
        for (at, certificate) in path.iter().enumerate().take(path.len().saturating_sub(1)) {
            let required = match (self.verifier.check_revocation, at) {
                (CheckRevocation::None, _) | (CheckRevocation::Leaf, 1..) => return,
                (CheckRevocation::Given, _) if nothing_given => return,
                (CheckRevocation::Given, _) => false,
                (CheckRevocation::Leaf | CheckRevocation::Chain, _) => true,
            };
            let target = Target { certificate, above: path.get(at + 1..).unwrap_or_default() };
            let mut answer = self.ask(target);
            if at == 0 {
                self.declined().for_each(|fault| answer.object(fault));
            }
            answer.unavailable = self.verifier.unavailable.iter().filter(|it| it.is_of(certificate)).cloned().collect();
            let expected = required || at == 0 || self.is_spoken_of(certificate) || !answer.unavailable.is_empty();
            record(answer, at, required, expected, findings);
        }
    }

    /// Everything that can be found out about one certificate.
    fn ask(&mut self, target: Target<'_>) -> Answer {
        self.under_way.push(target.certificate.clone());
        let mut answer = self.ask_responses(target);
        if !matches!(answer.status.status, Status::Revoked { .. }) {
            answer.add(self.ask_lists(target));
        }
        self.under_way.pop();
        answer
    }

    /// The status of someone who signed a list or response; unknown where that leads too far.
    fn ask_about_signer(&mut self, target: Target<'_>) -> Status {
        let allowed = self.under_way.len() < DEPTH && !self.under_way.contains(target.certificate);
        match self.left_to_ask.checked_sub(1).filter(|_| allowed) {
            Some(left) => {
                self.left_to_ask = left;
                self.ask(target).status.status
            }
            None => Status::Unknown,
        }
    }

    /// Responses that are no answer. They name no certificate; whoever gives one means the judged certificate.
    fn declined(&self) -> impl Iterator<Item = SourceFault> {
        let declined = |response: &OcspResponse| match response {
            OcspResponse::Declined(decline) => Some(ResponseFault::Declined(*decline)),
            OcspResponse::Successful(_) => None,
        };
        let faults = self.verifier.ocsp_responses.iter().filter_map(declined);
        faults.map(|fault| SourceFault::Response { responder: None, fault })
    }

    /// Whether any list is from the issuer of this certificate.
    fn is_spoken_of(&self, certificate: &Certificate) -> bool {
        self.verifier.revocation_lists.iter().any(|list| list.issuer().matches(certificate.issuer()))
    }
}

impl Answer {
    fn unknown() -> Self {
        let status = CertificateStatus::unknown();
        Self { status, objections: Vec::new(), remarks: Vec::new(), uncovered: Vec::new(), unavailable: Vec::new() }
    }

    /// Adds what another kind of source says: revoked outweighs good, and good outweighs unknown.
    fn add(&mut self, other: Self) {
        let outweighs = match (&self.status.status, &other.status.status) {
            (_, Status::Revoked { .. }) | (Status::Unknown, _) => true,
            (Status::Good | Status::Revoked { .. }, Status::Good | Status::Unknown) => false,
        };
        if outweighs {
            self.status = other.status;
        }
        self.objections.extend(other.objections);
        self.remarks.extend(other.remarks);
        self.uncovered = other.uncovered;
    }

    fn object(&mut self, fault: SourceFault) {
        if !self.objections.contains(&fault) {
            self.objections.push(fault);
        }
    }
}

/// Turns an answer into findings. `expected` says that silence is worth a word, `required` that it is a failure.
fn record(answer: Answer, at: usize, required: bool, expected: bool, findings: &mut Findings) {
    let Answer { status, objections, remarks, uncovered, unavailable } = answer;
    let place = Place::Certificate(at);
    let known = status.status != Status::Unknown;
    for fault in remarks {
        findings.complain(fault.check(), place, Err(Reason::Revocation(Box::new(fault))));
    }
    let objected = !objections.is_empty();
    for fault in objections {
        let check = fault.check();
        let reason = Reason::Revocation(Box::new(fault));
        if known { findings.warn(check, place, reason) } else { findings.complain(check, place, Err(reason)) }
    }
    match &status.status {
        Status::Good => findings.record(Check::Revocation, place, Ok(())),
        Status::Revoked { since, reason } => {
            let reason = Reason::Revoked { since: *since, reason: *reason, source: status.source.clone() };
            findings.record(Check::Revocation, place, Err(reason));
        }
        Status::Unknown if objected || !expected => {}
        Status::Unknown => {
            let reason = Reason::StatusUnknown { uncovered, unavailable };
            if required {
                findings.complain(Check::RevocationKnown, place, Err(reason));
            } else {
                findings.warn(Check::RevocationKnown, place, reason);
            }
        }
    }
    findings.statuses.push(CertificateStatus { certificate: at, ..status });
}
