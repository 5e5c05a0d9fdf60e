//! Checks on a whole path, from the judged certificate to a trust anchor.

use super::Verifier;
use super::check::Check;
use super::reason::Reason;
use super::verdict::{Findings, Place};
use super::{issuer_checks, leaf_checks, name_constraints, policies};
use crate::x509::Certificate;

/// Runs the checks that need the whole path. `path` has the judged certificate first and the anchor last.
pub(super) fn check(path: &[&Certificate], verifier: &Verifier, comparisons_left: &mut usize, findings: &mut Findings) {
    findings.complain(Check::Depth, Place::Path, depth(path, verifier.max_depth));
    name_constraints::check(path, comparisons_left, findings);
    policies::check(path, verifier, findings);

    let top = path.len().saturating_sub(1);
    for (at, certificate) in path.iter().enumerate() {
        let place = Place::Certificate(at);
        issuer_checks::key_identifiers(certificate, path.get(at + 1).copied(), place, findings);
        findings.complain(Check::SubscriberKey, place, leaf_checks::subscriber_key(certificate));
        if at > 0
            && let Some(wanted) = verifier.purpose.key_purpose()
        {
            let nested = leaf_checks::purpose(certificate.extended_key_usage().ok().flatten(), &wanted);
            let check = if at < top { Check::IssuerPurpose } else { Check::AnchorPurpose };
            let result = if at < top { nested } else { nested.and(strict_anchor(certificate, verifier)) };
            findings.complain(check, place, result);
        }
    }
}

/// Under the Baseline Requirements a root lists no purposes at all; elsewhere only a list that leaves the wanted one out
/// is worth a word.
fn strict_anchor(anchor: &Certificate, verifier: &Verifier) -> Result<(), Reason> {
    if verifier.policy == super::Policy::WebPki { issuer_checks::anchor_purpose(anchor) } else { Ok(()) }
}

/// Non-self-issued certificates between the judged one and the anchor (RFC 5280 §6.1.1: max_path_length).
fn depth(path: &[&Certificate], limit: usize) -> Result<(), Reason> {
    let between = path.get(1..path.len().saturating_sub(1)).unwrap_or_default();
    let counted = between.iter().filter(|certificate| !certificate.is_self_issued()).count();
    if counted <= limit { Ok(()) } else { Err(Reason::TooDeep { limit }) }
}
