//! For every rule a certificate that breaks it and nothing else. The match below has no catch-all: a new rule does not
//! compile without its certificate.

use certkit::encoding::Oid;
use certkit::encoding::der::{self, tag};
use certkit::key::{HashAlgorithm, KeyAlgorithm, PrivateKey, SignatureAlgorithm};
use certkit::verify::check::RULES;
use certkit::verify::{Check, CheckRevocation, Finding, Outcome, Policy, Severity, Verdict};
use certkit::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, CertificatePolicies, CrlNumber, ExtendedKeyUsage, KeyUsage, KeyUsageBit,
    PolicyConstraints, PolicyInformation, SubjectAltName, SubjectKeyIdentifier,
};
use certkit::x509::{DistinguishedName, Extension, GeneralName, oids, time as x509_time};
use std::str::FromStr;
use time::Duration;

use crate::support::case::{Case, HOST, permit, responder};
use crate::support::forge::{Forge, Hierarchy, Issuer, NOON};
use crate::support::forge_crl::ForgeCrl;
use crate::support::forge_ocsp::ForgeOcsp;

#[test]
fn a_sound_chain_breaks_no_rule_of_any_policy() {
    let hierarchy = Hierarchy::new();
    for policy in Policy::ALL {
        for case in [Case::sound(&hierarchy), Case::listed(&hierarchy, &|_| ())] {
            let verdict = case.judge(policy);
            assert!(verdict.is_accepted(), "{policy}: {:?}", verdict.reasons());
            assert_eq!(broken(&verdict), [], "{policy}");
        }
    }
}

#[test]
fn every_rule_has_a_certificate_that_breaks_it_alone() {
    let hierarchy = Hierarchy::new();
    for rule in RULES {
        let Breach { case, policy, company } = breach(rule.check, &hierarchy);
        let verdict = case.judge(policy);
        let mut expected = [vec![rule.check], company].concat();
        expected.sort();
        assert_eq!(broken(&verdict), expected, "{}: {:?}", rule.name, verdict.reasons());
        let rejects = expected.iter().any(|check| check.severity(policy) == Severity::Error);
        assert_eq!(verdict.is_accepted(), !rejects, "{}", rule.name);
        let broken = verdict.attempts()[0]
            .findings
            .iter()
            .find(|finding| finding.check == rule.check && finding.outcome != Outcome::Passed);
        assert!(!broken.unwrap().reason().unwrap().to_string().is_empty());
    }
}

/// RFC 5280 forbids CAs to make these, and asks no one who validates a path to refuse them; of a trust anchor it has
/// nothing else to say.
#[test]
fn what_rfc_5280_asks_of_issuers_alone_rejects_no_certificate_under_it() {
    let hierarchy = Hierarchy::new();
    for (check, accepted) in [
        (Check::UniqueIdentifier, true),
        // PKITS 4.2.4: "valid GeneralizedTime notBefore date".
        (Check::ValidityEncoding, true),
        (Check::BasicConstraintsCritical, true),
        (Check::AnchorBasicConstraintsCritical, false),
    ] {
        let Breach { case, .. } = breach(check, &hierarchy);
        for (policy, accepted) in [(Policy::Tls, true), (Policy::Rfc5280, accepted), (Policy::WebPki, false)] {
            let verdict = case.judge(policy);
            assert_eq!(verdict.is_accepted(), accepted, "{check:?} under {policy}: {:?}", verdict.reasons());
            assert_eq!(broken(&verdict), [check], "{policy}");
        }
    }
}

/// A case that breaks a rule.
struct Breach {
    case: Case,
    /// The policy under which it does.
    policy: Policy,
    /// Rules that cannot but break with it.
    company: Vec<Check>,
}

/// The rules broken on the most telling path, warnings included.
fn broken(verdict: &Verdict) -> Vec<Check> {
    let breaks = |finding: &&Finding| finding.outcome != Outcome::Passed;
    let mut checks: Vec<Check> = verdict.attempts()[0].findings.iter().filter(breaks).map(|it| it.check).collect();
    checks.sort();
    checks.dedup();
    checks
}

/// The case that breaks `check`.
fn breach(check: Check, hierarchy: &Hierarchy) -> Breach {
    let company = match check {
        // Version 1 has no extensions, so neither key identifier nor purposes.
        Check::VersionThree => vec![Check::AuthorityKeyIdentifier, Check::SubscriberPurpose],
        // An empty issuer is an empty subject above.
        Check::IssuerName => vec![Check::CaSubject],
        Check::CaSubject => vec![Check::IssuerName],
        _ => vec![],
    };
    let (case, policy) = breaking(check, hierarchy);
    Breach { case, policy, company }
}

fn breaking(check: Check, hierarchy: &Hierarchy) -> (Case, Policy) {
    let leaf = |change: &dyn Fn(&mut Forge)| Case::with_leaf(hierarchy, change);
    let issuer = |change: &dyn Fn(&mut Forge)| Case::with_intermediate(hierarchy, change);
    let root = |change: &dyn Fn(&mut Forge)| Case::with_root(hierarchy, change);
    let names =
        |names: Vec<GeneralName>| leaf(&move |forge: &mut Forge| forge.set(&SubjectAltName(names.clone()), false));
    match check {
        Check::Path => {
            let mut lonely = Forge::server(HOST, &hierarchy.leaf_key, &hierarchy.root);
            lonely.issuer = lonely.subject.clone();
            lonely.remove::<AuthorityKeyIdentifier>();
            (Case::of(lonely.sign(&hierarchy.leaf_key), hierarchy), Policy::Tls)
        }
        Check::Budget => (Case::tangle(hierarchy), Policy::Tls),
        Check::Depth => (Case { depth: Some(0), ..Case::sound(hierarchy) }, Policy::Tls),
        Check::Encoding => {
            let malformed = Extension { oid: oids::ISSUER_ALT_NAME, critical: false, value: vec![0x30, 0x05] };
            (leaf(&|forge| forge.set_raw(malformed.clone())), Policy::Tls)
        }
        Check::Signature => {
            let stranger = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
            (Case::of(hierarchy.server(HOST).sign(&stranger), hierarchy), Policy::Tls)
        }
        Check::SignatureAlgorithm => {
            let other = SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha384).to_algorithm_identifier();
            (leaf(&|forge| forge.inner_algorithm = Some(other.clone())), Policy::Tls)
        }
        Check::WeakSignature => (Case::weak(hierarchy), Policy::Tls),
        Check::Key => {
            let unknown = der::sequence(&[&der::oid(&"1.2.3.4".parse::<Oid>().unwrap())]);
            let spki = der::sequence(&[&unknown, &der::bit_string(&[1, 2, 3])]);
            (leaf(&|forge| forge.public_key_info = spki.clone()), Policy::Tls)
        }
        Check::Validity => {
            let past = x509_time::encode(NOON - Duration::SECOND);
            (leaf(&|forge| forge.validity[1] = past.clone()), Policy::Tls)
        }
        Check::NameChaining => (Case { intermediates: vec![], ..Case::sound(hierarchy) }, Policy::Tls),
        Check::IssuerIsCa => {
            (issuer(&|forge| forge.set(&BasicConstraints { ca: false, path_len: None }, true)), Policy::Tls)
        }
        Check::KeyCertSign => (issuer(&|forge| forge.set(&KeyUsage::new(&[KeyUsageBit::CrlSign]), true)), Policy::Tls),
        Check::PathLength => {
            (root(&|forge| forge.set(&BasicConstraints { ca: true, path_len: Some(0) }, true)), Policy::Tls)
        }
        Check::NameConstraints => {
            let elsewhere = permit(GeneralName::Dns("example.net".into()));
            (issuer(&move |forge| forge.set(&elsewhere, true)), Policy::Tls)
        }
        Check::Policies => {
            let constraints = PolicyConstraints { require_explicit_policy: Some(0), inhibit_policy_mapping: None };
            (issuer(&|forge| forge.set(&constraints, true)), Policy::Tls)
        }
        Check::CriticalExtensions => {
            let unknown = Extension { oid: "1.2.3.4".parse().unwrap(), critical: true, value: der::null() };
            (leaf(&|forge| forge.set_raw(unknown.clone())), Policy::Tls)
        }
        Check::DuplicateExtension => {
            let twice = Extension { oid: "1.2.3.4".parse().unwrap(), critical: false, value: der::null() };
            (leaf(&|forge| forge.extensions.extend([twice.clone(), twice.clone()])), Policy::Tls)
        }
        Check::Purpose => (leaf(&|forge| forge.set(&ExtendedKeyUsage(vec![oids::CLIENT_AUTH]), false)), Policy::Tls),
        Check::IssuerPurpose => {
            (issuer(&|forge| forge.set(&ExtendedKeyUsage(vec![oids::CLIENT_AUTH]), false)), Policy::Tls)
        }
        Check::AnchorPurpose => {
            (root(&|forge| forge.set(&ExtendedKeyUsage(vec![oids::SERVER_AUTH]), false)), Policy::WebPki)
        }
        Check::LeafKeyUsage => (leaf(&|forge| forge.set(&KeyUsage::new(&[KeyUsageBit::CrlSign]), true)), Policy::Tls),
        Check::Identity => (Case { host: Some("other.example.com"), ..Case::sound(hierarchy) }, Policy::Tls),
        Check::LeafIsCa => {
            (leaf(&|forge| forge.set(&BasicConstraints { ca: true, path_len: None }, true)), Policy::WebPki)
        }
        Check::Version => (leaf(&|forge| forge.version = 2), Policy::Rfc5280),
        Check::VersionThree => {
            let first = leaf(&|forge| (forge.version, forge.extensions) = (1, vec![]));
            (Case { host: None, ..first }, Policy::Tls)
        }
        Check::Serial => (leaf(&|forge| forge.serial = vec![0]), Policy::Rfc5280),
        Check::ValidityEncoding => {
            let early = der::tlv(tag::GENERALIZED_TIME, b"20261101000000Z");
            (leaf(&|forge| forge.validity[0] = early.clone()), Policy::Rfc5280)
        }
        Check::UniqueIdentifier => {
            let identifier = der::tlv(tag::context(1), &[0, 1]);
            (leaf(&|forge| forge.unique_identifiers = identifier.clone()), Policy::Rfc5280)
        }
        Check::IssuerName => (nameless_root(hierarchy), Policy::Tls),
        Check::CaSubject => (nameless_root(hierarchy), Policy::Tls),
        Check::BasicConstraintsCritical => {
            (issuer(&|forge| forge.set(&BasicConstraints { ca: true, path_len: None }, false)), Policy::Rfc5280)
        }
        Check::AnchorBasicConstraintsCritical => {
            (root(&|forge| forge.set(&BasicConstraints { ca: true, path_len: None }, false)), Policy::Rfc5280)
        }
        Check::CaKeyUsage => (issuer(&|forge| forge.remove::<KeyUsage>()), Policy::Rfc5280),
        Check::PathLengthForm => {
            (leaf(&|forge| forge.set(&BasicConstraints { ca: false, path_len: Some(0) }, true)), Policy::Rfc5280)
        }
        Check::CertSignWithoutCa => {
            let usage = KeyUsage::new(&[KeyUsageBit::DigitalSignature, KeyUsageBit::KeyCertSign]);
            (leaf(&|forge| forge.set(&usage, true)), Policy::Rfc5280)
        }
        Check::SubjectKeyIdentifier => (issuer(&|forge| forge.remove::<SubjectKeyIdentifier>()), Policy::Rfc5280),
        Check::AuthorityKeyIdentifier => (leaf(&|forge| forge.remove::<AuthorityKeyIdentifier>()), Policy::Rfc5280),
        Check::KeyIdentifiersMatch => {
            let other = AuthorityKeyIdentifier { key_identifier: Some(vec![1; 20]), ..Default::default() };
            (leaf(&|forge| forge.set(&other, false)), Policy::Tls)
        }
        Check::RootKeyIdentifier => {
            let own = hierarchy.root.certificate.subject_key_identifier().unwrap();
            let serial = Some(hierarchy.root.certificate.serial().clone());
            let identifier = AuthorityKeyIdentifier { key_identifier: own.map(<[u8]>::to_vec), issuer: None, serial };
            (root(&|forge| forge.set(&identifier, false)), Policy::WebPki)
        }
        Check::NameConstraintsForm => {
            let dotted = permit(GeneralName::Dns(".example.com".into()));
            (issuer(&move |forge| forge.set(&dotted, true)), Policy::Rfc5280)
        }
        Check::PolicyExtensionsCritical => {
            let constraints = PolicyConstraints { require_explicit_policy: Some(9), inhibit_policy_mapping: None };
            (issuer(&|forge| forge.set(&constraints, false)), Policy::Rfc5280)
        }
        Check::PolicyForm => {
            let policy = PolicyInformation { policy: oids::CABF_DV, qualifiers: vec![] };
            let twice = CertificatePolicies(vec![policy.clone(), policy]);
            (leaf(&move |forge| forge.set(&twice, false)), Policy::Rfc5280)
        }
        Check::AlternativeNameForm => (leaf(&|forge| forge.subject = DistinguishedName::empty()), Policy::Rfc5280),
        Check::AlternativeNameCritical => {
            let host = SubjectAltName(vec![GeneralName::Dns(HOST.into())]);
            (leaf(&|forge| forge.set(&host, true)), Policy::WebPki)
        }
        Check::AlternativeNamePresent => {
            let organization = DistinguishedName::from_str("O=Example").unwrap();
            let nameless = leaf(&|forge| {
                forge.remove::<SubjectAltName>();
                forge.subject = organization.clone();
            });
            (Case { host: None, ..nameless }, Policy::WebPki)
        }
        Check::NameSyntax => {
            (names(vec![GeneralName::Dns(HOST.into()), GeneralName::Dns("a_b.example.com".into())]), Policy::WebPki)
        }
        Check::WildcardBreadth => {
            (names(vec![GeneralName::Dns(HOST.into()), GeneralName::Dns("*.co.uk".into())]), Policy::WebPki)
        }
        Check::CommonName => {
            let stray = DistinguishedName::common_name_only("stray.example.com");
            (leaf(&|forge| forge.subject = stray.clone()), Policy::WebPki)
        }
        Check::SubscriberPurpose => (leaf(&|forge| forge.remove::<ExtendedKeyUsage>()), Policy::WebPki),
        Check::SubscriberKey => {
            let key = PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap();
            let spki = key.public_key().spki_der().to_vec();
            (leaf(&|forge| forge.public_key_info = spki.clone()), Policy::WebPki)
        }
        Check::SubscriberValidity => {
            let late = x509_time::encode(NOON + Duration::days(300));
            (leaf(&|forge| forge.validity[1] = late.clone()), Policy::WebPki)
        }
        Check::Revocation => {
            let sound = Case::sound(hierarchy);
            let list = ForgeCrl::of(&hierarchy.intermediate).revoking(&sound.leaf, None);
            (Case { lists: vec![list.sign(&hierarchy.intermediate.key)], ..sound }, Policy::Tls)
        }
        Check::RevocationKnown => {
            (Case { check_revocation: CheckRevocation::Leaf, ..Case::sound(hierarchy) }, Policy::Tls)
        }
        Check::RevocationList => (Case::listed(hierarchy, &|list| *list = list.clone().dated(-9, -1)), Policy::Tls),
        Check::RevocationListForm => (Case::listed(hierarchy, &|list| list.remove::<CrlNumber>()), Policy::Tls),
        Check::OcspResponse => {
            let sound = Case::sound(hierarchy);
            let response = ForgeOcsp::unknown(&sound.leaf, &hierarchy.intermediate);
            (Case { responses: vec![response.sign(&hierarchy.intermediate.key)], ..sound }, Policy::Tls)
        }
        Check::OcspResponderStatus => {
            (Case::answered_by(hierarchy, &responder(&hierarchy.intermediate, &|_| ())), Policy::Tls)
        }
        Check::RevocationListProfile => {
            (Case::listed(hierarchy, &|list| list.remove::<AuthorityKeyIdentifier>()), Policy::Rfc5280)
        }
    }
}

/// A root without a name, and a leaf under it.
fn nameless_root(hierarchy: &Hierarchy) -> Case {
    let mut root = Forge::root("", &hierarchy.root.key);
    (root.subject, root.issuer) = (DistinguishedName::empty(), DistinguishedName::empty());
    let root = Issuer { certificate: root.sign(&hierarchy.root.key), key: hierarchy.root.key.clone() };
    let leaf = Forge::server(HOST, &hierarchy.leaf_key, &root).sign(&root.key);
    Case { roots: vec![root.certificate], ..Case::of(leaf, hierarchy) }
}
