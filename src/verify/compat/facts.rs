//! What there is to say of a path and its names, in terms that clients differ on.

use ::time::OffsetDateTime;

use super::names;
use crate::encoding::Oid;
use crate::key::{HashAlgorithm, KeyAlgorithm, SignatureError};
use crate::verify::CheckRevocation;
use crate::verify::check::{Check, Policy};
use crate::verify::identity::Identity;
use crate::verify::policies::PolicyRequirements;
use crate::verify::reason::Reason;
use crate::verify::verdict::{Attempt, Finding, Place};
use crate::verify::verifier::{AllowWeak, Purpose, Verifier};
use crate::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsageBit, NameConstraints,
};
use crate::x509::{Certificate, GeneralName, oids};

pub use super::table::Fact;

/// Extensions that every client reads, so that it meets them twice.
const READ_BY_ALL: [Oid; 5] = [
    oids::BASIC_CONSTRAINTS,
    oids::KEY_USAGE,
    oids::EXTENDED_KEY_USAGE,
    oids::SUBJECT_ALT_NAME,
    oids::NAME_CONSTRAINTS,
];

/// The most intermediates that some client takes.
const LENGTHS: [(usize, Fact); 4] =
    [(6, Fact::OverSix), (8, Fact::OverEight), (9, Fact::OverNine), (19, Fact::OverNineteen)];

/// Where in the path a certificate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Leaf,
    Intermediate,
    Root,
}

/// The facts about `leaf` and the path that leads the furthest, in the order of the table.
pub fn of(verifier: &Verifier, leaf: &Certificate) -> Vec<Fact> {
    let asked = Verifier {
        purpose: Purpose::Server,
        policy: Policy::Tls,
        policies: PolicyRequirements::default(),
        revocation_lists: Vec::new(),
        ocsp_responses: Vec::new(),
        check_revocation: CheckRevocation::default(),
        // Which clients still take a weak algorithm can only be told of a path that it leads along.
        allow_weak: AllowWeak { sha1: true, small_rsa: true },
        max_depth: usize::MAX,
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
    // Where a signature is not computed, nobody knows how the path goes on.
    if !attempt.anchored && !attempt.failures().any(is_unchecked) {
        facts.push(Fact::NoPath);
    }
    for finding in findings(&asked, attempt) {
        facts.extend(from_finding(&finding, attempt));
    }
    let top = attempt.path.len().saturating_sub(1);
    for (at, certificate) in attempt.path.iter().enumerate() {
        facts.extend(from_certificate(certificate, role(at, top, attempt.anchored), asked.at));
    }
    from_path(attempt, &mut facts);
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
        (Check::Budget, ..) => Fact::LongPath,
        (Check::Signature, ..) if is_unchecked(finding) => Fact::UncheckedSignature,
        (Check::Signature, ..) => Fact::BadSignature,
        (Check::SignatureAlgorithm, ..) => Fact::AlgorithmsDiffer,
        (Check::WeakSignature, _, Reason::WeakHash(HashAlgorithm::Md5)) => Fact::Md5,
        (Check::WeakSignature, _, Reason::WeakHash(HashAlgorithm::Sha1)) => Fact::Sha1,
        (Check::WeakSignature, ..) => Fact::Sha224,
        (Check::Key, _, Reason::SmallKey { bits: ..1024, .. }) => Fact::TinyRsa,
        (Check::Key, Leaf, Reason::SmallKey { .. }) => Fact::LeafSmallRsa,
        (Check::Key, Intermediate, Reason::SmallKey { .. }) => Fact::IssuerSmallRsa,
        (Check::Key, Root, Reason::SmallKey { .. }) => Fact::RootSmallRsa,
        (Check::Key, ..) => Fact::OddKey,
        (Check::Validity, Root, _) => Fact::ExpiredRoot,
        (Check::Validity, ..) => Fact::Expired,
        // Extensions in an old version are a fact of their own.
        (Check::IssuerIsCa, _, Reason::OldVersionIssuer { .. }) if certificate.claims_ca() => return None,
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
        (Check::CriticalExtensions, _, Reason::UnknownCritical(oid)) if *oid == oids::SUBJECT_KEY_IDENTIFIER => {
            match role {
                Leaf => Fact::IdentifierCritical,
                Intermediate => Fact::IssuerIdentifierCritical,
                Root => Fact::RootIdentifierCritical,
            }
        }
        (Check::CriticalExtensions, _, Reason::UnknownCritical(oid)) if oid.to_string().starts_with("2.5.29.") => {
            Fact::OddCritical
        }
        (Check::CriticalExtensions, Root, _) => Fact::RootUnknownCritical,
        (Check::CriticalExtensions, ..) => Fact::UnknownCritical,
        (Check::DuplicateExtension, _, Reason::Duplicate(oid))
            if *oid == oids::SUBJECT_KEY_IDENTIFIER || *oid == oids::AUTHORITY_KEY_IDENTIFIER =>
        {
            Fact::DuplicateIdentifier
        }
        (Check::DuplicateExtension, _, Reason::Duplicate(oid)) if READ_BY_ALL.contains(oid) => Fact::DuplicateExtension,
        (Check::DuplicateExtension, ..) => Fact::DuplicateUnknownExtension,
        (Check::Encoding, ..) => Fact::MalformedExtension,
        (Check::Purpose, ..) => Fact::WrongPurpose,
        (Check::IssuerPurpose, ..) => Fact::IssuerWrongPurpose,
        (Check::AnchorPurpose, _, Reason::Purpose { .. }) => Fact::RootWrongPurpose,
        (Check::LeafKeyUsage, ..) => Fact::UselessKeyUsage,
        (Check::LeafIsCa, ..) if !alone => Fact::LeafIsCa,
        (Check::Version, ..) if certificate.version() > 3 => Fact::StrangeVersion,
        (Check::Version, Root, _) => Fact::RootExtensionsInOldVersion,
        (Check::Version, ..) => Fact::ExtensionsInOldVersion,
        (Check::VersionThree, Leaf, _) => Fact::OldLeaf,
        (Check::Serial, Root, Reason::Serial(serial)) if serial.is_negative() => Fact::RootSerialNegative,
        (Check::Serial, Root, _) => Fact::RootSerial,
        (Check::Serial, _, Reason::Serial(serial)) if serial.is_zero() => Fact::SerialZero,
        (Check::Serial, _, Reason::Serial(serial)) if serial.is_negative() => Fact::SerialNegative,
        (Check::Serial, ..) => Fact::SerialLong,
        (Check::ValidityEncoding, ..) => Fact::TimeEncoding,
        (Check::UniqueIdentifier, ..) => Fact::UniqueIdentifier,
        (Check::IssuerName | Check::CaSubject, ..) => Fact::IssuerWithoutName,
        (Check::BasicConstraintsCritical, ..) => Fact::ConstraintsNotCritical,
        (Check::AnchorBasicConstraintsCritical, ..) => Fact::RootConstraintsNotCritical,
        (Check::CaKeyUsage, Intermediate, _) => Fact::IssuerWithoutKeyUsage,
        (Check::CaKeyUsage, Root, _) => Fact::RootWithoutKeyUsage,
        (Check::PathLengthForm, Leaf, _) => Fact::LeafPathLength,
        (Check::CertSignWithoutCa, ..) => Fact::LeafMaySign,
        (Check::SubjectKeyIdentifier, Intermediate, _) => Fact::IssuerWithoutKeyIdentifier,
        (Check::SubjectKeyIdentifier, Root, _) => Fact::RootWithoutKeyIdentifier,
        (Check::KeyIdentifiersMatch, _, Reason::KeyIdentifiers { authority, subject })
            if authority.is_empty() || subject.is_empty() =>
        {
            Fact::EmptyKeyIdentifier
        }
        (Check::KeyIdentifiersMatch, ..) if attempt.anchored && at + 2 == attempt.path.len() => {
            Fact::TopKeyIdentifiersDiffer
        }
        (Check::RootKeyIdentifier, _, Reason::KeyIdentifiers { .. }) => Fact::RootAuthorityDiffers,
        (Check::KeyIdentifiersMatch, ..) => Fact::KeyIdentifiersDiffer,
        (Check::NameConstraintsForm, Leaf, _) => Fact::LeafNameConstraints,
        (Check::NameConstraintsForm, _, Reason::ConstraintMalformed { .. }) => return None,
        (Check::NameConstraintsForm, _, Reason::Broken("nameConstraints is not critical")) => return None,
        (Check::NameConstraintsForm, ..) => Fact::OddNameConstraints,
        (Check::AlternativeNameCritical, ..) => Fact::NameCriticalBesideSubject,
        (Check::AlternativeNameForm, Leaf, _) if leaf_has_names(certificate) => Fact::NamelessNotCritical,
        _ => return None,
    })
}

/// Whether a signature was not computed: it may be good or bad.
fn is_unchecked(finding: &Finding) -> bool {
    use SignatureError::{KeyTooLarge, Unsupported, UnsupportedPair, Weak};
    let uncomputed = |error: &SignatureError| {
        matches!(error, Weak(_) | Unsupported(_) | UnsupportedPair { .. } | KeyTooLarge { .. })
    };
    matches!(finding.reason(), Some(Reason::Signature(error)) if uncomputed(error))
}

fn leaf_has_names(certificate: &Certificate) -> bool {
    certificate.extensions().get(&oids::SUBJECT_ALT_NAME).is_some()
}

fn usage(certificate: &Certificate) -> Option<KeyUsage> {
    certificate.key_usage().ok().flatten()
}

fn signs(certificate: &Certificate) -> bool {
    usage(certificate).is_some_and(|usage| usage.has(KeyUsageBit::KeyCertSign))
}

/// What no rule of certkit's complains of, or complains of otherwise than clients do.
fn from_certificate(certificate: &Certificate, role: Role, at: OffsetDateTime) -> Vec<Fact> {
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
    facts.extend(authority(certificate, role));
    if extensions.get(&oids::POLICY_CONSTRAINTS).is_some_and(|found| found.critical) {
        facts.push(match role {
            Role::Root => Fact::RootCriticalPolicyConstraints,
            _ => Fact::CriticalPolicyConstraints,
        });
    }
    if extensions.get(&oids::EXTENDED_KEY_USAGE).is_some_and(|found| found.critical) {
        facts.push(Fact::PurposeCritical);
    }
    if let Ok(Some(found)) = certificate.extension::<NameConstraints>() {
        for subtree in found.value.permitted.iter().chain(&found.value.excluded) {
            match &subtree.base {
                GeneralName::Dns(text) if text.is_empty() => facts.push(Fact::EmptyConstraint),
                GeneralName::Dns(text) if text.starts_with('.') => facts.push(Fact::LeadingDotConstraint),
                _ => {}
            }
        }
    }
    let stranger = |oid: &Oid| !oid.to_string().starts_with("2.5.29.");
    if extensions.iter().any(|extension| extension.critical && stranger(&extension.oid)) {
        facts.push(if role == Role::Root { Fact::RootUnknownCritical } else { Fact::UnknownCritical });
    }
    let names = certificate.subject_alt_names().unwrap_or_default();
    if role != Role::Root && names.contains(&GeneralName::Dns(String::new())) {
        facts.push(Fact::EmptyDnsName);
    }
    let path_len = certificate.basic_constraints().ok().flatten().and_then(|found| found.path_len);
    if role != Role::Root && path_len.is_some_and(|limit| limit > u64::from(u8::MAX)) {
        facts.push(Fact::HugePathLength);
    }
    if certificate.validity().not_after == at {
        facts.push(Fact::EndsNow);
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
        facts.extend(leaf_constraints(certificate));
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

/// What OpenSSL's strict flag asks of any certificate that says CA:TRUE, at the bottom too.
fn leaf_constraints(certificate: &Certificate) -> Vec<Fact> {
    let mut facts = Vec::new();
    let Ok(Some(found)) = certificate.extension::<BasicConstraints>() else { return facts };
    if found.value.path_len.is_some() && !signs(certificate) {
        facts.push(Fact::LeafPathLength);
    }
    if found.value.ca {
        if !found.critical {
            facts.push(Fact::ConstraintsNotCritical);
        }
        if certificate.extensions().get(&oids::SUBJECT_KEY_IDENTIFIER).is_none() {
            facts.push(Fact::IssuerWithoutKeyIdentifier);
        }
        if usage(certificate).is_none() {
            facts.push(Fact::IssuerWithoutKeyUsage);
        }
    }
    facts
}

/// Whether extKeyUsage allows serverAuth only by listing anyExtendedKeyUsage.
fn lists_any_only(certificate: &Certificate) -> bool {
    let Ok(Some(found)) = certificate.extension::<ExtendedKeyUsage>() else { return false };
    found.value.lists(&oids::ANY_EXTENDED_KEY_USAGE) && !found.value.lists(&oids::SERVER_AUTH)
}

/// What there is to say of authorityKeyIdentifier.
fn authority(certificate: &Certificate, role: Role) -> Vec<Fact> {
    let mut facts = Vec::new();
    let Ok(found) = certificate.extension::<AuthorityKeyIdentifier>() else { return facts };
    if found.as_ref().is_some_and(|found| found.critical) {
        facts.push(if role == Role::Root { Fact::RootIdentifierCritical } else { Fact::AuthorityCritical });
    }
    match (found, role) {
        (Some(found), role) if found.value.key_identifier.is_none() => facts.push(match role {
            Role::Leaf => Fact::LeafAuthorityEmpty,
            Role::Intermediate => Fact::IssuerAuthorityEmpty,
            Role::Root => Fact::RootAuthorityEmpty,
        }),
        (None, Role::Leaf | Role::Intermediate) if certificate.version() >= 3 => {
            facts.push(if role == Role::Leaf { Fact::LeafWithoutAuthority } else { Fact::IssuerWithoutAuthority });
        }
        _ => {}
    }
    facts
}

fn from_path(attempt: &Attempt, facts: &mut Vec<Fact>) {
    let between = attempt.path.len().saturating_sub(2);
    facts.extend(LENGTHS.iter().filter(|(most, _)| attempt.anchored && between > *most).map(|(_, fact)| *fact));
    for (below, above) in attempt.path.iter().zip(attempt.path.iter().skip(1)) {
        let named = below.authority_key_identifier().ok().flatten().and_then(|found| found.serial.as_ref());
        if named.is_some_and(|serial| serial != above.serial()) {
            facts.push(Fact::AuthoritySerialDiffers);
        }
    }
    let mut links = attempt.path.iter().zip(attempt.path.iter().skip(1));
    if links.any(|(below, above)| below.issuer() != above.subject() && below.issuer().matches(above.subject())) {
        facts.push(Fact::NameEncodingDiffers);
    }
    match attempt.path.as_slice() {
        [alone] if attempt.anchored => {
            facts.push(match alone.extension::<BasicConstraints>() {
                Ok(Some(found)) if found.value.ca && usage(alone).is_some() && !signs(alone) => Fact::AloneCaMayNotSign,
                Ok(Some(found)) if found.value.ca => Fact::AloneCa,
                Ok(Some(_)) => Fact::AloneNotCa,
                _ => Fact::AloneWithoutConstraints,
            });
            // RFC 5280 §4.2.1.1 lets self-signed certificates go without.
            facts.retain(|fact| *fact != Fact::LeafWithoutAuthority);
            if alone.extensions().get(&oids::AUTHORITY_KEY_IDENTIFIER).is_none() {
                facts.push(Fact::AloneWithoutAuthority);
            }
        }
        [.., root] if attempt.anchored && !root.is_self_issued() => facts.push(Fact::RootNotSelfSigned),
        _ => {}
    }
    if let [leaf, _, ..] = attempt.path.as_slice()
        && leaf.is_self_issued()
        && [oids::AUTHORITY_KEY_IDENTIFIER, oids::SUBJECT_KEY_IDENTIFIER]
            .iter()
            .any(|oid| leaf.extensions().get(oid).is_none())
    {
        facts.push(Fact::SelfIssuedLeaf);
    }
}
