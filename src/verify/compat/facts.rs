//! What there is to say of a path and its names, in terms that clients differ on.

use super::names;
use crate::key::{HashAlgorithm, KeyAlgorithm};
use crate::verify::check::{Check, Policy};
use crate::verify::identity::Identity;
use crate::verify::policies::PolicyRequirements;
use crate::verify::reason::Reason;
use crate::verify::verdict::{Attempt, Finding, Place};
use crate::verify::verifier::{Purpose, Verifier};
use crate::x509::extension::{AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsageBit};
use crate::x509::{Certificate, oids};

pub use super::table::Fact;

/// Where in the path a certificate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Leaf,
    Intermediate,
    Root,
}

/// The facts about `leaf` and the path that leads the furthest, in the order of the table.
pub(super) fn of(verifier: &Verifier, leaf: &Certificate) -> Vec<Fact> {
    let asked = Verifier {
        purpose: Purpose::Server,
        policy: Policy::Tls,
        policies: PolicyRequirements::default(),
        cache: None,
        ..verifier.clone()
    };
    let verdict = asked.judge(leaf);
    let Some(attempt) = verdict.attempts().first() else { return vec![Fact::NoPath] };

    let mut facts = Vec::new();
    for identity in &verifier.identities {
        if let Identity::Server(name) = identity {
            facts.extend(names::fact(leaf, name));
        }
    }
    if !attempt.anchored {
        facts.push(Fact::NoPath);
    }
    for finding in findings(&asked, attempt) {
        facts.extend(from_finding(&finding, attempt));
    }
    let top = attempt.path.len().saturating_sub(1);
    for (at, certificate) in attempt.path.iter().enumerate() {
        facts.extend(from_certificate(certificate, role(at, top, attempt.anchored)));
    }
    facts.extend(from_path(attempt));
    facts.sort_unstable();
    facts.dedup();
    facts
}

/// What every policy together finds on the path of `attempt`.
fn findings(asked: &Verifier, attempt: &Attempt) -> Vec<Finding> {
    let mut found: Vec<Finding> = attempt.findings.clone();
    if let [leaf, issuers @ ..] = attempt.path.as_slice()
        && attempt.anchored
    {
        let anchor = issuers.last().unwrap_or(leaf).clone();
        for policy in [Policy::Rfc5280, Policy::WebPki] {
            let alone =
                Verifier { anchors: vec![anchor.clone()], intermediates: issuers.to_vec(), policy, ..asked.clone() };
            found.extend(alone.judge(leaf).attempts().iter().flat_map(|attempt| attempt.findings.clone()));
        }
    }
    found
}

fn role(at: usize, top: usize, anchored: bool) -> Role {
    match at {
        0 => Role::Leaf,
        at if at == top && anchored => Role::Root,
        _ => Role::Intermediate,
    }
}

/// The fact behind a broken rule, if clients differ on it or all refuse it.
fn from_finding(finding: &Finding, attempt: &Attempt) -> Option<Fact> {
    use Role::{Intermediate, Leaf, Root};
    let reason = finding.reason()?;
    let at = if let Place::Certificate(at) = finding.place { at } else { 0 };
    let role = role(at, attempt.path.len().saturating_sub(1), attempt.anchored);
    let certificate = attempt.path.get(at)?;
    let alone = attempt.path.len() == 1;
    Some(match (finding.check, role, reason) {
        (Check::Path | Check::NameChaining, ..) => Fact::NoPath,
        (Check::Budget | Check::Depth, ..) => Fact::LongPath,
        (Check::Signature, ..) => Fact::BadSignature,
        (Check::SignatureAlgorithm, Root, _) => return None,
        (Check::SignatureAlgorithm, ..) => Fact::AlgorithmsDiffer,
        (Check::WeakSignature, _, Reason::WeakHash(HashAlgorithm::Md5)) => Fact::Md5,
        (Check::WeakSignature, _, Reason::WeakHash(HashAlgorithm::Sha1)) => Fact::Sha1,
        (Check::WeakSignature, ..) => Fact::Sha224,
        (Check::Key, _, Reason::SmallKey { bits: ..1024, .. }) => Fact::TinyRsa,
        (Check::Key, _, Reason::SmallKey { .. }) => Fact::SmallRsa,
        (Check::Key, ..) => Fact::OddKey,
        (Check::Validity, Root, _) => Fact::ExpiredRoot,
        (Check::Validity, ..) => Fact::Expired,
        (Check::IssuerIsCa, Root, Reason::OldVersionIssuer { .. }) => Fact::OldRoot,
        (Check::IssuerIsCa, _, Reason::OldVersionIssuer { .. }) => Fact::OldIssuer,
        (Check::IssuerIsCa, Root, Reason::NoBasicConstraints) if signs(certificate) => Fact::RootWithUsageOnly,
        (Check::IssuerIsCa, Root, Reason::NoBasicConstraints) => Fact::RootWithoutConstraints,
        (Check::IssuerIsCa, Root, _) => Fact::RootNotCa,
        (Check::IssuerIsCa, ..) => Fact::IssuerNotCa,
        (Check::KeyCertSign, Root, _) => Fact::RootMayNotSign,
        (Check::KeyCertSign, ..) => Fact::IssuerMayNotSign,
        (Check::PathLength, Root, _) => Fact::RootPathLength,
        (Check::PathLength, ..) => Fact::PathLength,
        (Check::NameConstraints, ..) => Fact::OutsideConstraints,
        (Check::Policies, ..) => Fact::NoPolicy,
        (Check::CriticalExtensions, _, Reason::UnknownCritical(oid)) if oid.to_string().starts_with("2.5.29.") => {
            Fact::OddCritical
        }
        (Check::CriticalExtensions, Root, _) => Fact::RootUnknownCritical,
        (Check::CriticalExtensions, ..) => Fact::UnknownCritical,
        (Check::DuplicateExtension, _, Reason::Duplicate(oid)) if oid.to_string().starts_with("2.5.29.") => {
            Fact::DuplicateExtension
        }
        (Check::DuplicateExtension, ..) => Fact::DuplicateUnknownExtension,
        (Check::Encoding, ..) => Fact::MalformedExtension,
        (Check::Purpose, ..) => Fact::WrongPurpose,
        (Check::IssuerPurpose, ..) => Fact::IssuerWrongPurpose,
        (Check::AnchorPurpose, _, Reason::Purpose { .. }) => Fact::RootWrongPurpose,
        (Check::LeafKeyUsage, ..) => Fact::UselessKeyUsage,
        (Check::LeafIsCa, ..) if !alone => Fact::LeafIsCa,
        (Check::Version, Root, _) => Fact::RootExtensionsInOldVersion,
        (Check::Version, ..) => Fact::ExtensionsInOldVersion,
        (Check::VersionThree, Leaf, _) => Fact::OldLeaf,
        (Check::Serial, Root, _) => Fact::RootSerial,
        (Check::Serial, _, Reason::Serial(serial)) if serial.is_zero() => Fact::SerialZero,
        (Check::Serial, _, Reason::Serial(serial)) if serial.is_negative() => Fact::SerialNegative,
        (Check::Serial, ..) => Fact::SerialLong,
        (Check::ValidityEncoding, ..) => Fact::TimeEncoding,
        (Check::UniqueIdentifier, ..) => Fact::UniqueIdentifier,
        (Check::IssuerName | Check::CaSubject, ..) => Fact::IssuerWithoutName,
        (Check::BasicConstraintsCritical, Intermediate, _) => Fact::ConstraintsNotCritical,
        (Check::BasicConstraintsCritical, Root, _) => Fact::RootConstraintsNotCritical,
        (Check::CaKeyUsage, Intermediate, _) => Fact::IssuerWithoutKeyUsage,
        (Check::CaKeyUsage, Root, _) => Fact::RootWithoutKeyUsage,
        (Check::PathLengthForm, Leaf, _) => Fact::LeafPathLength,
        (Check::CertSignWithoutCa, ..) => Fact::LeafMaySign,
        (Check::SubjectKeyIdentifier, Intermediate, _) => Fact::IssuerWithoutKeyIdentifier,
        (Check::SubjectKeyIdentifier, Root, _) => Fact::RootWithoutKeyIdentifier,
        (Check::KeyIdentifiersMatch, ..) => Fact::KeyIdentifiersDiffer,
        (Check::NameConstraintsForm, Leaf, _) => Fact::LeafNameConstraints,
        (Check::NameConstraintsForm, ..) => Fact::OddNameConstraints,
        (Check::AlternativeNameForm, Leaf, _) if leaf_has_names(certificate) => Fact::NamelessNotCritical,
        _ => return None,
    })
}

fn leaf_has_names(certificate: &Certificate) -> bool {
    certificate.extensions().get(&oids::SUBJECT_ALT_NAME).is_some()
}

fn usage(certificate: &Certificate) -> Option<KeyUsage> {
    certificate.extensions().find::<KeyUsage>().ok().flatten().map(|found| found.value)
}

fn signs(certificate: &Certificate) -> bool {
    usage(certificate).is_some_and(|usage| usage.has(KeyUsageBit::KeyCertSign))
}

/// What no rule of certkit's complains of, or complains of otherwise than clients do.
fn from_certificate(certificate: &Certificate, role: Role) -> Vec<Fact> {
    const APPLE_DAYS: i64 = 825;
    let mut facts = Vec::new();
    let extensions = certificate.extensions();
    let key = certificate.public_key().map(|key| key.algorithm());
    match (key, role) {
        (Ok(KeyAlgorithm::P521), Role::Leaf) => facts.push(Fact::LeafP521),
        (Ok(KeyAlgorithm::Ed25519), Role::Leaf) => facts.push(Fact::LeafEd25519),
        (Ok(KeyAlgorithm::Ed25519), _) => facts.push(Fact::IssuerEd25519),
        (Ok(KeyAlgorithm::MlDsa44 | KeyAlgorithm::MlDsa65 | KeyAlgorithm::MlDsa87), role) => {
            facts.push(if role == Role::Leaf { Fact::LeafMlDsa } else { Fact::IssuerMlDsa });
        }
        _ => {}
    }
    if role != Role::Root
        && certificate.version() == 3
        && !certificate.is_self_issued()
        && lacks_key_identifier(certificate)
    {
        facts.push(if role == Role::Leaf { Fact::LeafWithoutAuthority } else { Fact::IssuerWithoutAuthority });
    }
    if role != Role::Root && extensions.get(&oids::POLICY_CONSTRAINTS).is_some_and(|found| found.critical) {
        facts.push(Fact::CriticalPolicyConstraints);
    }
    let any_purpose = lists_any_only(certificate);
    match role {
        Role::Leaf if any_purpose => facts.push(Fact::AnyPurpose),
        Role::Intermediate if any_purpose => facts.push(Fact::IssuerAnyPurpose),
        Role::Root if any_purpose => facts.push(Fact::RootAnyPurpose),
        _ => {}
    }
    if role == Role::Leaf {
        if extensions.get(&oids::EXTENDED_KEY_USAGE).is_none() {
            facts.push(Fact::NoPurpose);
        }
        let usage = usage(certificate);
        if usage.is_some_and(|usage| !usage.has(KeyUsageBit::DigitalSignature)) {
            facts.push(Fact::NoDigitalSignature);
        }
        let validity = certificate.validity();
        if validity.not_after - validity.not_before > ::time::Duration::days(APPLE_DAYS) {
            facts.push(Fact::LongValidity);
        }
    }
    facts
}

/// Whether extKeyUsage allows serverAuth only by listing anyExtendedKeyUsage.
fn lists_any_only(certificate: &Certificate) -> bool {
    let Ok(Some(found)) = certificate.extensions().find::<ExtendedKeyUsage>() else { return false };
    found.value.lists(&oids::ANY_EXTENDED_KEY_USAGE) && !found.value.lists(&oids::SERVER_AUTH)
}

/// Whether there is no authorityKeyIdentifier, or one without keyIdentifier, where RFC 5280 asks for it.
fn lacks_key_identifier(certificate: &Certificate) -> bool {
    match certificate.extensions().find::<AuthorityKeyIdentifier>() {
        Ok(Some(found)) => found.value.key_identifier.is_none(),
        Ok(None) => true,
        Err(_) => false,
    }
}

fn from_path(attempt: &Attempt) -> Vec<Fact> {
    let mut facts = Vec::new();
    match attempt.path.as_slice() {
        [alone] if attempt.anchored => {
            facts.push(match alone.extensions().find::<BasicConstraints>() {
                Ok(Some(found)) if found.value.ca && usage(alone).is_some() && !signs(alone) => Fact::AloneCaMayNotSign,
                Ok(Some(found)) if found.value.ca => Fact::AloneCa,
                Ok(Some(_)) => Fact::AloneNotCa,
                _ => Fact::AloneWithoutConstraints,
            });
            if lacks_key_identifier(alone) {
                facts.push(Fact::AloneWithoutAuthority);
            }
        }
        [.., root] if attempt.anchored && !root.is_self_issued() => facts.push(Fact::RootNotSelfSigned),
        _ => {}
    }
    facts
}
