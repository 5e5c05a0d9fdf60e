//! Checks on a certificate that issues others (RFC 5280 §6.1.4).

use super::check::Check;
use super::reason::Reason;
use super::single_checks::require;
use super::verdict::{Findings, Place};
use crate::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, KeyUsage, KeyUsageBit, NameConstraints, SubjectKeyIdentifier,
};
use crate::x509::{Certificate, GeneralName, oids};

/// Runs the checks on a certificate that stands above another in the path. `below` counts the non-self-issued
/// intermediate certificates under it; `anchor` says that it is trusted itself.
pub(super) fn check(certificate: &Certificate, place: Place, below: u64, anchor: bool, findings: &mut Findings) {
    let constraints = certificate.extension::<BasicConstraints>().ok().flatten();
    let usage = certificate.key_usage().ok().flatten();

    let ca = constraints.as_ref().map(|found| found.value.ca);
    findings.record(Check::IssuerIsCa, place, is_ca(certificate, ca));
    findings.record(Check::KeyCertSign, place, key_cert_sign(usage));
    let path_len = constraints.as_ref().and_then(|found| found.value.path_len);
    if let Some(limit) = path_len {
        let kept = if below <= limit { Ok(()) } else { Err(Reason::PathLength { limit, found: below }) };
        findings.record(Check::PathLength, place, kept);
    }

    let critical = constraints.as_ref().is_none_or(|found| found.critical);
    let critical = require(critical, "basicConstraints is not critical");
    // RFC 5280 §6.1.4 (k) takes an intermediate's whatever its criticality. A root is no part of what §6.1 processes, so
    // of its own only §4.2.1.9 speaks.
    let rule = if anchor { Check::AnchorBasicConstraintsCritical } else { Check::BasicConstraintsCritical };
    findings.complain(rule, place, critical);
    findings.complain(Check::CaKeyUsage, place, require(usage.is_some(), "there is no keyUsage"));
    let may_sign = usage.is_none_or(|usage| usage.has(KeyUsageBit::KeyCertSign));
    let form = require(path_len.is_none() || (ca == Some(true) && may_sign), "pathLenConstraint stands alone");
    findings.complain(Check::PathLengthForm, place, form);
    let subject = require(!certificate.subject().is_empty(), "the subject is empty");
    findings.complain(Check::CaSubject, place, subject);
    findings.complain(Check::SubjectKeyIdentifier, place, subject_key_identifier(certificate));
    findings.complain(Check::NameConstraintsForm, place, name_constraints_form(certificate));
}

fn is_ca(certificate: &Certificate, ca: Option<bool>) -> Result<(), Reason> {
    match (certificate.version(), ca) {
        (version @ (1 | 2), _) => Err(Reason::OldVersionIssuer { version }),
        (_, None) => Err(Reason::NoBasicConstraints),
        (_, Some(false)) => Err(Reason::NotCa),
        (_, Some(true)) => Ok(()),
    }
}

/// RFC 5280 §6.1.4 (n): if keyUsage is there, keyCertSign must be set.
fn key_cert_sign(usage: Option<KeyUsage>) -> Result<(), Reason> {
    let good = usage.is_none_or(|usage| usage.has(KeyUsageBit::KeyCertSign));
    if good { Ok(()) } else { Err(Reason::NoKeyCertSign) }
}

fn subject_key_identifier(certificate: &Certificate) -> Result<(), Reason> {
    match certificate.extension::<SubjectKeyIdentifier>() {
        Ok(None) => Err(Reason::Broken("there is no subjectKeyIdentifier")),
        Ok(Some(found)) => require(!found.critical, "subjectKeyIdentifier is critical"),
        // A malformed one is named by the check on encodings.
        Err(_) => Ok(()),
    }
}

/// RFC 5280 §4.2.1.10: critical, minimum 0, no maximum, and host names without a leading dot.
fn name_constraints_form(certificate: &Certificate) -> Result<(), Reason> {
    let Ok(Some(found)) = certificate.extension::<NameConstraints>() else { return Ok(()) };
    require(found.critical, "nameConstraints is not critical")?;
    for subtree in found.value.permitted.iter().chain(&found.value.excluded) {
        if subtree.minimum != 0 || subtree.maximum.is_some() {
            return Err(Reason::Broken("nameConstraints has a minimum or a maximum"));
        }
        if let GeneralName::Dns(base) = &subtree.base
            && base.starts_with('.')
        {
            let why = "a dNSName constraint begins with a dot";
            return Err(Reason::ConstraintMalformed { base: subtree.base.clone(), why });
        }
    }
    Ok(())
}

/// Checks that tie a certificate to the one above it by key identifiers (RFC 5280 §4.2.1.1). `issuer` is `None` at the
/// top of the path.
pub(super) fn key_identifiers(
    certificate: &Certificate,
    issuer: Option<&Certificate>,
    place: Place,
    findings: &mut Findings,
) {
    let Ok(found) = certificate.extension::<AuthorityKeyIdentifier>() else { return };
    let presence = match &found {
        Some(found) if found.critical => Err(Reason::Broken("authorityKeyIdentifier is critical")),
        Some(found) if found.value.key_identifier.is_none() => {
            Err(Reason::Broken("authorityKeyIdentifier has no keyIdentifier"))
        }
        None if issuer.is_some() && !is_self_signed(certificate, issuer) => {
            Err(Reason::Broken("there is no authorityKeyIdentifier"))
        }
        _ => Ok(()),
    };
    findings.complain(Check::AuthorityKeyIdentifier, place, presence);

    let authority = found.as_ref().and_then(|found| found.value.key_identifier.as_deref());
    let subject = issuer.unwrap_or(certificate).subject_key_identifier().ok().flatten();
    let differ = match (authority, subject) {
        (Some(authority), Some(subject)) if authority != subject => {
            Err(Reason::KeyIdentifiers { authority: authority.to_vec(), subject: subject.to_vec() })
        }
        _ => Ok(()),
    };
    if issuer.is_some() {
        findings.complain(Check::KeyIdentifiersMatch, place, differ);
        return;
    }
    let alone = found.is_none_or(|found| found.value.issuer.is_none() && found.value.serial.is_none());
    let root = require(alone, "a root's authorityKeyIdentifier has authorityCertIssuer or authorityCertSerialNumber");
    findings.complain(Check::RootKeyIdentifier, place, root.and(differ));
}

fn is_self_signed(certificate: &Certificate, issuer: Option<&Certificate>) -> bool {
    certificate.is_self_issued()
        && issuer.is_some_and(|issuer| issuer.public_key_info() == certificate.public_key_info())
}

/// Whether a root lists purposes, which the Baseline Requirements forbid.
pub(super) fn anchor_purpose(anchor: &Certificate) -> Result<(), Reason> {
    require(anchor.extensions().get(&oids::EXTENDED_KEY_USAGE).is_none(), "the root has extKeyUsage")
}
