//! Path validation after sections 4.1 to 4.7 and 4.16 of NIST's Public Key Interoperability Test Suite (PKITS): the same
//! behaviours on chains made here. Policies have a file of their own, and so do name constraints.

use certkit::encoding::Oid;
use certkit::encoding::der::{self, tag};
use certkit::key::{HashAlgorithm, SignatureAlgorithm};
use certkit::verify::{Check, Policy, Reason};
use certkit::x509::extension::{BasicConstraints, KeyUsage, KeyUsageBit};
use certkit::x509::name::Attribute;
use certkit::x509::{DistinguishedName, Extension, oids};

use crate::support::case::Case;
use crate::support::chain::{Chain, failures};
use crate::support::forge::{Forge, Hierarchy};

const fn ca(path_len: u64) -> BasicConstraints {
    BasicConstraints { ca: true, path_len: Some(path_len) }
}

fn plain(_: &mut Forge) {}

// 4.1, signatures.

#[test]
fn a_signature_of_another_key_is_no_signature_wherever_it_stands() {
    let sound = Chain::new().authority(plain);
    assert_eq!(sound.failures(plain), []);
    let stranger = Chain::new().authority(plain).last;
    // Authorities that say they were issued by the root and were not.
    let mut forged = Chain::new().authority(plain);
    let mut forge = Forge::intermediate("Chain CA 1", &forged.last.key, &forged.last);
    forge.issuer = forged.root.subject().clone();
    forged.authorities = vec![forge.sign(&stranger.key)];
    assert!(failures(&forged.judge(&forged.leaf(plain))).contains(&Check::Signature));
    // And a leaf of which the authority knows nothing.
    let leaf = Chain { last: stranger, ..Chain::new().authority(plain) }.leaf(plain);
    assert_eq!(failures(&sound.judge(&leaf)), [Check::Signature]);
}

#[test]
fn dsa_is_named_as_what_is_not_supported() {
    // id-dsa without parameters, which PKITS 4.1.5 has inherited from the issuer.
    let dsa: Oid = "1.2.840.10040.4.1".parse().unwrap();
    let spki = der::sequence(&[&der::sequence(&[&der::oid(&dsa)]), &der::bit_string(&der::unsigned(&[5; 64]))]);
    let chain = Chain::new().authority(|forge| forge.public_key_info = spki);
    let verdict = chain.judge(&chain.leaf(plain));
    let told: Vec<String> = verdict.reasons().iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|reason| reason.starts_with("DSA (1.2.840.10040.4.1) keys are not supported")), "{told:?}");
}

#[test]
fn the_algorithm_outside_and_the_one_inside_must_agree() {
    let other = SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha512).to_algorithm_identifier();
    assert_eq!(Chain::new().failures(|forge| forge.inner_algorithm = Some(other)), [Check::SignatureAlgorithm]);
}

// 4.2, validity.

#[test]
fn a_moment_before_or_after_the_validity_of_any_link_is_refused() {
    let utc = |text: &str| der::tlv(tag::UTC_TIME, text.as_bytes());
    let generalized = |text: &str| der::tlv(tag::GENERALIZED_TIME, text.as_bytes());
    for (not_before, not_after, failed) in [
        (utc("261123120000Z"), utc("261123120000Z"), vec![]),
        (utc("261123120001Z"), utc("270101000000Z"), vec![Check::Validity]),
        (utc("260101000000Z"), utc("261123115959Z"), vec![Check::Validity]),
        // Years from 50 on are of the 20th century.
        (utc("500101000000Z"), utc("270101000000Z"), vec![]),
        (utc("260101000000Z"), utc("990101000000Z"), vec![Check::Validity]),
        (utc("260101000000Z"), utc("491231235959Z"), vec![]),
        (generalized("20020101120100Z"), utc("270101000000Z"), vec![]),
        (utc("260101000000Z"), generalized("20500101120100Z"), vec![]),
        (utc("260101000000Z"), generalized("99991231235959Z"), vec![]),
    ] {
        let validity = [not_before, not_after];
        assert_eq!(Chain::new().failures(|forge| forge.validity = validity.clone()), failed, "{validity:?}");
        let authority = Chain::new().authority(|forge| forge.validity = validity.clone());
        assert_eq!(authority.failures(plain), failed, "{validity:?} of the authority");
    }
}

// 4.3, name chaining.

fn attribute(kind: Oid, tag: u8, value: &str) -> Attribute {
    let value = match tag {
        tag::BMP_STRING => value.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        _ => value.as_bytes().to_vec(),
    };
    Attribute { kind, tag, value }
}

fn fjord(organization: &str, common_name: &str, tag: u8) -> DistinguishedName {
    DistinguishedName::new(&[
        vec![attribute(oids::COUNTRY, tag::PRINTABLE_STRING, "NO")],
        vec![attribute(oids::ORGANIZATION, tag, organization)],
        vec![attribute(oids::COMMON_NAME, tag, common_name)],
    ])
}

#[test]
fn names_chain_across_white_space_case_string_types_and_compatible_characters() {
    let subject = fjord("Fjord Logistikk", "Good CA", tag::PRINTABLE_STRING);
    let chain = Chain::new().authority(|forge| forge.subject = subject.clone());
    for issuer in [
        fjord("Fjord   Logistikk", "Good CA", tag::PRINTABLE_STRING),
        fjord("  Fjord Logistikk ", "Good  CA  ", tag::PRINTABLE_STRING),
        fjord("FJORD logistikk", "gOOD ca", tag::PRINTABLE_STRING),
        fjord("Fjord Logistikk", "Good CA", tag::UTF8_STRING),
        fjord("fjord  LOGISTIKK", "GOOD CA", tag::BMP_STRING),
        fjord("Ｆｊｏｒｄ Logistikk", "Good\u{a0}CA", tag::UTF8_STRING),
    ] {
        assert_eq!(chain.failures(|forge| forge.issuer = issuer.clone()), [], "{issuer}");
    }
}

#[test]
fn names_that_are_others_do_not_chain() {
    let subject = fjord("Fjord Logistikk", "Good CA", tag::UTF8_STRING);
    let chain = Chain::new().authority(|forge| forge.subject = subject.clone());
    let mut reversed = subject.levels();
    reversed.reverse();
    let mut flat = subject.levels();
    let last = flat.pop().unwrap();
    flat.last_mut().unwrap().extend(last);
    for issuer in [
        fjord("Fjord Logistikk", "Good CA2", tag::UTF8_STRING),
        fjord("FjordLogistikk", "Good CA", tag::UTF8_STRING),
        DistinguishedName::new(&reversed),
        DistinguishedName::new(&flat),
        DistinguishedName::new(&subject.levels()[..2]),
        DistinguishedName::empty(),
    ] {
        let failed = chain.failures(|forge| forge.issuer = issuer.clone());
        assert!(failed.contains(&Check::NameChaining), "{issuer}: {failed:?}");
    }
}

#[test]
fn unique_identifiers_do_not_break_a_chain_and_attributes_of_any_kind_chain() {
    let identifier = der::tlv(tag::context(1), &[0, 1]);
    let chain = Chain::new().authority(|forge| forge.unique_identifiers = der::tlv(tag::context(2), &[0, 2]));
    assert_eq!(chain.failures(|forge| forge.unique_identifiers = identifier), []);
    let unusual = DistinguishedName::new(&[
        vec![attribute(oids::DOMAIN_COMPONENT, tag::IA5_STRING, "gov")],
        vec![attribute(oids::DOMAIN_COMPONENT, tag::IA5_STRING, "Example")],
        vec![
            attribute(oids::SERIAL_NUMBER, tag::PRINTABLE_STRING, "345"),
            attribute("2.5.4.12".parse().unwrap(), tag::UTF8_STRING, "title"),
        ],
        vec![attribute("1.2.3.4.5".parse().unwrap(), tag::UTF8_STRING, "unheard of")],
    ]);
    let chain = Chain::new().authority(|forge| forge.subject = unusual);
    assert_eq!(chain.failures(plain), []);
}

// 4.5, self-issued certificates: a new key under the same name.

#[test]
fn a_new_key_of_the_same_authority_is_reached_through_its_self_issued_certificate() {
    let chain = Chain::new().authority(plain).self_issued(plain);
    let verdict = chain.judge(&chain.leaf(plain));
    assert_eq!(verdict.accepted_path().map(<[_]>::len), Some(4));
    // Without that certificate the leaf's signature is of a key nobody vouches for.
    let mut cut = Chain::new().authority(plain).self_issued(plain);
    cut.authorities.pop();
    assert_eq!(cut.failures(plain), [Check::Signature]);
}

// 4.6, basicConstraints.

#[test]
fn only_a_ca_issues() {
    let usage = KeyUsage::new(&[KeyUsageBit::KeyCertSign]);
    let chain = Chain::new().authority(|forge| forge.remove::<BasicConstraints>());
    assert_eq!(chain.failures(plain), [Check::IssuerIsCa]);
    for critical in [true, false] {
        let chain = Chain::new().authority(|forge| {
            forge.set(&BasicConstraints { ca: false, path_len: None }, critical);
            forge.set(&usage, true);
        });
        assert_eq!(chain.failures(plain), [Check::IssuerIsCa]);
    }
    let tolerated = Chain::new().authority(|forge| forge.set(&BasicConstraints { ca: true, path_len: None }, false));
    assert_eq!(tolerated.failures(plain), []);
}

/// Authorities with these pathLenConstraints, or a self-issued certificate of the one above.
fn limited(links: &[Link]) -> Chain {
    links.iter().fold(Chain::new(), |chain, link| match *link {
        Link::Ca(limit) => chain.authority(|forge| forge.set(&ca(limit), true)),
        Link::SelfIssued(limit) => chain.self_issued(|forge| forge.set(&ca(limit), true)),
        Link::Free => chain.authority(plain),
        Link::SelfIssuedFree => chain.self_issued(plain),
    })
}

#[derive(Debug)]
enum Link {
    Ca(u64),
    SelfIssued(u64),
    Free,
    SelfIssuedFree,
}

#[test]
fn path_length_counts_the_authorities_below_that_are_not_self_issued() {
    use Link::{Ca, Free, SelfIssued, SelfIssuedFree};
    let as_ca = |forge: &mut Forge| {
        forge.set(&BasicConstraints { ca: true, path_len: None }, true);
        forge.set(&KeyUsage::new(&[KeyUsageBit::KeyCertSign]), true);
    };
    for (links, kept) in [
        // 4.6.5 to 4.6.8
        (&[Ca(0), Free][..], false),
        (&[Ca(0)], true),
        // 4.6.9 to 4.6.14
        (&[Ca(6), Ca(0), Ca(0)], false),
        (&[Ca(6), Ca(1), Ca(0), Free], false),
        (&[Ca(6), Ca(4), Ca(3), Ca(0)], true),
        (&[Ca(6), Ca(4), Ca(1), Free], true),
        // A greater number below loosens nothing.
        (&[Ca(1), Ca(9), Free], false),
        (&[Ca(1), Ca(9)], true),
        // 4.6.15 to 4.6.17
        (&[Ca(0), SelfIssued(0)], true),
        (&[Ca(0), SelfIssued(0), Free], false),
        (&[Ca(1), SelfIssued(1), Ca(0), SelfIssuedFree], true),
        (&[Ca(1), SelfIssuedFree, SelfIssuedFree, Free, SelfIssuedFree], true),
        (&[Ca(1), SelfIssuedFree, Free, Free], false),
    ] {
        let chain = limited(links);
        let failed = chain.failures(plain);
        assert_eq!(failed.is_empty(), kept, "{links:?}: {failed:?}");
        assert!(failed.iter().all(|check| *check == Check::PathLength), "{links:?}: {failed:?}");
        // The last certificate does not count, be it a CA's or not (RFC 5280 §4.2.1.9).
        assert_eq!(chain.failures(as_ca).is_empty(), kept, "{links:?} with a CA at the end");
    }
}

// 4.7, keyUsage.

#[test]
fn a_key_that_may_not_sign_certificates_issues_none() {
    for critical in [true, false] {
        let usage = KeyUsage::new(&[KeyUsageBit::CrlSign, KeyUsageBit::DigitalSignature]);
        let chain = Chain::new().authority(|forge| forge.set(&usage, critical));
        assert_eq!(chain.failures(plain), [Check::KeyCertSign]);
    }
    let tolerated = Chain::new().authority(|forge| forge.remove::<KeyUsage>());
    assert_eq!(tolerated.failures(plain), []);
}

// 4.16, extensions nobody knows.

#[test]
fn an_unknown_extension_matters_only_if_critical() {
    for (critical, failed) in [(false, vec![]), (true, vec![Check::CriticalExtensions])] {
        let unknown = Extension { oid: "2.16.840.1.101.2.1.12.2".parse().unwrap(), critical, value: der::null() };
        assert_eq!(Chain::new().failures(|forge| forge.set_raw(unknown.clone())), failed);
        let authority = Chain::new().authority(|forge| forge.set_raw(unknown.clone()));
        assert_eq!(authority.failures(plain), failed);
    }
}

// RFC 5280 §4.1.2.1, beside PKITS.

#[test]
fn a_certificate_of_version_1_issues_nothing() {
    let chain = Chain::new().authority(|forge| (forge.version, forge.extensions) = (1, vec![]));
    let verdict = chain.judge(&chain.leaf(|forge| forge.remove::<certkit::x509::extension::AuthorityKeyIdentifier>()));
    assert!(verdict.reasons().contains(&&Reason::OldVersionIssuer { version: 1 }), "{:?}", verdict.reasons());
}

#[test]
fn an_extension_that_says_where_something_is_must_parse() {
    let hierarchy = Hierarchy::new();
    for oid in
        [oids::AUTHORITY_INFO_ACCESS, oids::SUBJECT_INFO_ACCESS, oids::FRESHEST_CRL, oids::CRL_DISTRIBUTION_POINTS]
    {
        let name = oids::name_or_dotted(&oid);
        let damaged = Extension { oid, critical: false, value: b"malformed".to_vec() };
        let case = Case::with_leaf(&hierarchy, &|forge| forge.set_raw(damaged.clone()));
        for policy in Policy::ALL {
            let verdict = case.judge(policy);
            assert!(!verdict.is_accepted(), "{name} under {policy}");
            let said = verdict.reasons()[0].to_string();
            assert!(said.starts_with(&format!("the {name} extension is malformed")), "{said}");
        }
    }
}
