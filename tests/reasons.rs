//! For every reason of a rejection a certificate that is rejected for it and nothing else. The matches below have no
//! catch-all: a new reason does not compile without its certificate.

mod lists;
mod responses;

use certkit::encoding::der::{self, tag};
use certkit::key::{HashAlgorithm, KeyAlgorithm, PrivateKey, SignatureAlgorithm};
use certkit::verify::revocation::{ListFault, ResponseFault};
use certkit::verify::{CheckRevocation, Finding, Outcome, Policy, Reason, SourceFault, Verdict};
use certkit::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, CertificatePolicies, ExtendedKeyUsage, KeyUsage, KeyUsageBit,
    PolicyConstraints, PolicyInformation, PolicyMappings, SubjectAltName,
};
use certkit::x509::{DistinguishedName, Extension, GeneralName, oids, time as x509_time};
use std::fmt::Debug;
use time::Duration;

use crate::support::case::{Case, HOST, exclude, permit};
use crate::support::forge::{Forge, Hierarchy, Issuer, NOON};
use crate::support::forge_crl::ForgeCrl;
use crate::support::weak;

/// An enum's variants without their values: to go through them all, and to tell which one a value is.
macro_rules! variants {
    ($kind:ident of $whole:ident { $($variant:ident)+ }) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        enum $kind { $($variant),+ }

        impl $kind {
            const ALL: &[Self] = &[$(Self::$variant),+];

            fn of(whole: &$whole) -> Self {
                match whole { $($whole::$variant { .. } => Self::$variant),+ }
            }
        }
    };
}

variants! { Kind of Reason {
    IssuerNotFound SelfSignedNotTrusted Loop GaveUp TooDeep Extension Signature WeakHash AlgorithmsDiffer Key SmallKey
    NotYetValid Expired ValidityReversed TimeEncoding NoBasicConstraints NotCa OldVersionIssuer
    NoKeyCertSign PathLength NotPermitted Excluded ConstraintMalformed NameMalformed NoPolicy AnyPolicyMapped
    PolicyTwice UnknownCritical Duplicate Purpose KeyUsage Identity Broken Serial KeyIdentifiers NameSyntax
    BroadWildcard CommonNameNotInSan LongValidity Revoked StatusUnknown Revocation
} }

variants! { ListKind of ListFault {
    NotYet Stale Signature SignerNotFound NoCrlSign SignerPath SignerRevoked SignerUnknown AlgorithmsDiffer WeakHash
    UnknownCritical UnknownCriticalInEntry Duplicate Extension NoBase GaveUp Form Profile
} }

variants! { ResponseKind of ResponseFault {
    Declined UnknownCertificate NotYet Stale Undated UnknownHash ResponderNotFound Signature WeakHash NotDelegated
    NoOcspSigning ResponderCertificate ResponderRevoked ResponderUnknown UnknownCritical Extension GaveUp
} }

#[test]
fn every_reason_has_a_certificate_rejected_for_it_alone() {
    let hierarchy = Hierarchy::new();
    for &kind in Kind::ALL {
        let (case, policy) = breaking(kind, &hierarchy);
        is_alone(kind, &Kind::of, &case.judge(policy));
    }
}

#[test]
fn every_fault_of_a_list_has_a_list_refused_for_it_alone() {
    let hierarchy = Hierarchy::new();
    let kind_of = |reason: &Reason| match reason {
        Reason::Revocation(fault) => match &**fault {
            SourceFault::List { fault, .. } => Ok(ListKind::of(fault)),
            SourceFault::Response { .. } => Err(format!("{fault}")),
        },
        other => Err(format!("{other}")),
    };
    for &kind in ListKind::ALL {
        // That a list is laid out otherwise than RFC 5280 asks is forgiven under `tls`.
        let policy = if kind == ListKind::Profile { Policy::Rfc5280 } else { Policy::Tls };
        is_alone(Ok(kind), &kind_of, &lists::breaking(kind, &hierarchy).judge(policy));
    }
}

#[test]
fn every_fault_of_a_response_has_a_response_refused_for_it_alone() {
    let hierarchy = Hierarchy::new();
    let kind_of = |reason: &Reason| match reason {
        Reason::Revocation(fault) => match &**fault {
            SourceFault::Response { fault, .. } => Ok(ResponseKind::of(fault)),
            SourceFault::List { .. } => Err(format!("{fault}")),
        },
        other => Err(format!("{other}")),
    };
    for &kind in ResponseKind::ALL {
        is_alone(Ok(kind), &kind_of, &responses::breaking(kind, &hierarchy).judge(Policy::Tls));
    }
}

/// The most telling path fails once, for a reason of this kind. Where no policy rejects for it, it is the one warning.
fn is_alone<K: Debug + PartialEq>(kind: K, kind_of: &dyn Fn(&Reason) -> K, verdict: &Verdict) {
    let best = &verdict.attempts()[0];
    let fails = !verdict.is_accepted();
    let told = |finding: &&Finding| if fails { finding.is_failure() } else { finding.outcome != Outcome::Passed };
    let found: Vec<&Finding> = best.findings.iter().filter(told).collect();
    let reasons: Vec<&Reason> = found.iter().filter_map(|finding| finding.reason()).collect();
    let kinds: Vec<K> = reasons.iter().map(|reason| kind_of(reason)).collect();
    assert_eq!(kinds, [kind], "{reasons:?}");
    assert!(!reasons[0].to_string().is_empty());
    let only_warned = matches!(found[0].outcome, Outcome::Warned(_));
    let forgiven =
        Policy::ALL.iter().all(|policy| found[0].check.severity(*policy) != certkit::verify::Severity::Error);
    assert!(!only_warned || forgiven, "{:?}: some policy rejects for it", found[0]);
}

/// A case rejected for this kind of reason, and the policy that does.
fn breaking(kind: Kind, hierarchy: &Hierarchy) -> (Case, Policy) {
    let leaf = |change: &dyn Fn(&mut Forge)| (Case::with_leaf(hierarchy, change), Policy::Tls);
    let issuer = |change: &dyn Fn(&mut Forge)| (Case::with_intermediate(hierarchy, change), Policy::Tls);
    let under = |policy: Policy, (case, _): (Case, Policy)| (case, policy);
    let also = |name: GeneralName| {
        leaf(&move |forge| forge.set(&SubjectAltName(vec![GeneralName::Dns(HOST.into()), name.clone()]), false))
    };
    let days = |days| x509_time::encode(NOON + Duration::days(days));
    let sound = || (Case::sound(hierarchy), Policy::Tls);
    match kind {
        Kind::IssuerNotFound => (Case { intermediates: vec![], ..Case::sound(hierarchy) }, Policy::Tls),
        Kind::SelfSignedNotTrusted => (own_issuer(hierarchy), Policy::Tls),
        Kind::Loop => (circle(hierarchy), Policy::Tls),
        Kind::GaveUp => (Case::tangle(hierarchy), Policy::Tls),
        Kind::TooDeep => (Case { depth: Some(0), ..Case::sound(hierarchy) }, Policy::Tls),
        Kind::Extension => {
            let malformed = Extension { oid: oids::ISSUER_ALT_NAME, critical: false, value: vec![0x30, 0x05] };
            leaf(&move |forge| forge.set_raw(malformed.clone()))
        }
        Kind::Signature => {
            let stranger = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
            (Case::of(hierarchy.server(HOST).sign(&stranger), hierarchy), Policy::Tls)
        }
        Kind::WeakHash => (Case::weak(hierarchy), Policy::Tls),
        Kind::AlgorithmsDiffer => {
            let other = SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha384).to_algorithm_identifier();
            leaf(&move |forge| forge.inner_algorithm = Some(other.clone()))
        }
        Kind::Key => {
            let unknown = der::sequence(&[&der::oid(&"1.2.3.4".parse().unwrap())]);
            let spki = der::sequence(&[&unknown, &der::bit_string(&[1, 2, 3])]);
            leaf(&move |forge| forge.public_key_info = spki.clone())
        }
        Kind::SmallKey => {
            let spki = weak::small_key().public_key().spki_der().to_vec();
            leaf(&move |forge| forge.public_key_info = spki.clone())
        }
        Kind::NotYetValid => leaf(&|forge| forge.validity[0] = days(1)),
        Kind::Expired => leaf(&|forge| forge.validity[1] = days(-1)),
        Kind::ValidityReversed => leaf(&|forge| forge.validity = [days(80), days(-10)]),
        Kind::TimeEncoding => {
            let early = der::tlv(tag::GENERALIZED_TIME, b"20261101000000Z");
            under(Policy::WebPki, leaf(&move |forge| forge.validity[0] = early.clone()))
        }
        Kind::NoBasicConstraints => issuer(&|forge| forge.remove::<BasicConstraints>()),
        Kind::NotCa => issuer(&|forge| forge.set(&BasicConstraints { ca: false, path_len: None }, true)),
        Kind::OldVersionIssuer => issuer(&|forge| (forge.version, forge.extensions) = (1, vec![])),
        Kind::NoKeyCertSign => issuer(&|forge| forge.set(&KeyUsage::new(&[KeyUsageBit::CrlSign]), true)),
        Kind::PathLength => {
            let none = BasicConstraints { ca: true, path_len: Some(0) };
            (Case::with_root(hierarchy, &|forge| forge.set(&none, true)), Policy::Tls)
        }
        Kind::NotPermitted => issuer(&|forge| forge.set(&permit(GeneralName::Dns("example.net".into())), true)),
        Kind::Excluded => issuer(&|forge| forge.set(&exclude(GeneralName::Dns("example.com".into())), true)),
        Kind::ConstraintMalformed => {
            let (case, policy) = also(GeneralName::Ip(vec![192, 0, 2, 1]));
            // An address without its mask.
            let odd = permit(GeneralName::Ip(vec![192, 0, 2, 0]));
            let constrained = Case::with_intermediate(hierarchy, &|forge| forge.set(&odd, true));
            (Case { intermediates: constrained.intermediates, ..case }, policy)
        }
        Kind::NameMalformed => {
            let (case, policy) = also(GeneralName::Email("nobody".into()));
            let mail = permit(GeneralName::Email("example.com".into()));
            let constrained = Case::with_intermediate(hierarchy, &|forge| forge.set(&mail, true));
            (Case { intermediates: constrained.intermediates, ..case }, policy)
        }
        Kind::NoPolicy => {
            let demand = PolicyConstraints { require_explicit_policy: Some(0), inhibit_policy_mapping: None };
            issuer(&|forge| forge.set(&demand, true))
        }
        Kind::AnyPolicyMapped => issuer(&|forge| {
            forge.set(&PolicyMappings(vec![(oids::ANY_POLICY, oids::CABF_DV)]), true);
        }),
        Kind::PolicyTwice => {
            let policy = PolicyInformation { policy: oids::CABF_DV, qualifiers: vec![] };
            let twice = CertificatePolicies(vec![policy.clone(), policy]);
            under(Policy::Rfc5280, leaf(&move |forge| forge.set(&twice, false)))
        }
        Kind::UnknownCritical => leaf(&|forge| forge.set_raw(unknown(true))),
        Kind::Duplicate => leaf(&|forge| forge.extensions.extend([unknown(false), unknown(false)])),
        Kind::Purpose => leaf(&|forge| forge.set(&ExtendedKeyUsage(vec![oids::CLIENT_AUTH]), false)),
        Kind::KeyUsage => {
            under(Policy::WebPki, leaf(&|forge| forge.set(&KeyUsage::new(&[KeyUsageBit::CrlSign]), true)))
        }
        Kind::Identity => (Case { host: Some("other.example.com"), ..Case::sound(hierarchy) }, Policy::Tls),
        Kind::Broken => under(Policy::Rfc5280, leaf(&|forge| forge.remove::<AuthorityKeyIdentifier>())),
        Kind::Serial => under(Policy::Rfc5280, leaf(&|forge| forge.serial = vec![0])),
        Kind::KeyIdentifiers => {
            let other = AuthorityKeyIdentifier { key_identifier: Some(vec![1; 20]), ..Default::default() };
            (Case::with_root(hierarchy, &|forge| forge.set(&other, false)), Policy::WebPki)
        }
        Kind::NameSyntax => under(Policy::WebPki, also(GeneralName::Dns("a_b.example.com".into()))),
        Kind::BroadWildcard => under(Policy::WebPki, also(GeneralName::Dns("*.co.uk".into()))),
        Kind::CommonNameNotInSan => {
            let stray = DistinguishedName::common_name_only("stray.example.com");
            under(Policy::WebPki, leaf(&move |forge| forge.subject = stray.clone()))
        }
        Kind::LongValidity => under(Policy::WebPki, leaf(&|forge| forge.validity[1] = days(300))),
        Kind::Revoked => {
            let (case, policy) = sound();
            let list = ForgeCrl::of(&hierarchy.intermediate).revoking(&case.leaf, None);
            (Case { lists: vec![list.sign(&hierarchy.intermediate.key)], ..case }, policy)
        }
        Kind::StatusUnknown => {
            (Case { check_revocation: CheckRevocation::Leaf, ..Case::sound(hierarchy) }, Policy::Tls)
        }
        Kind::Revocation => (lists::breaking(ListKind::Stale, hierarchy), Policy::Tls),
    }
}

fn unknown(critical: bool) -> Extension {
    Extension { oid: "1.2.3.4".parse().unwrap(), critical, value: der::null() }
}

/// A certificate that signed itself and is not trusted.
fn own_issuer(hierarchy: &Hierarchy) -> Case {
    let mut lonely = Forge::server(HOST, &hierarchy.leaf_key, &hierarchy.root);
    lonely.issuer = lonely.subject.clone();
    lonely.remove::<AuthorityKeyIdentifier>();
    Case::of(lonely.sign(&hierarchy.leaf_key), hierarchy)
}

/// Two authorities that issued each other, and a leaf of the first.
fn circle(hierarchy: &Hierarchy) -> Case {
    let key = || PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let (first, second) = (key(), key());
    let stand_in = Issuer { certificate: Forge::root("First", &first).sign(&first), key: first };
    let second =
        Issuer { certificate: Forge::intermediate("Second", &second, &stand_in).sign(&stand_in.key), key: second };
    let first = Forge::intermediate("First", &stand_in.key, &second).sign(&second.key);
    let leaf = Forge::server(HOST, &hierarchy.leaf_key, &stand_in).sign(&stand_in.key);
    Case { intermediates: vec![first, second.certificate], ..Case::of(leaf, hierarchy) }
}
