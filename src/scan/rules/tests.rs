#![allow(clippy::unwrap_used)]
use super::super::found::{CertificateFound, ChainEntry, Features};
use super::*;

fn certificate(key: &str, key_bits: u16, signature: &str) -> CertificateFound {
    CertificateFound {
        name: "localhost".to_owned(),
        names: Vec::new(),
        issuer: String::new(),
        key: Some(key.to_owned()),
        key_bits: Some(key_bits),
        signature: signature.to_owned(),
        not_before: String::new(),
        not_after: String::new(),
        sha256: String::new(),
        spki_sha256: String::new(),
        versions: Vec::new(),
        chain: Vec::new(),
        problem: None,
    }
}

fn scan(certificates: Vec<CertificateFound>) -> Scan {
    Scan {
        grade: Grade::A,
        findings: Vec::new(),
        versions: Vec::new(),
        certificates,
        features: Features::default(),
        connections: 0,
        incomplete: None,
    }
}

fn rules(scan: &Scan) -> Vec<&'static str> {
    judge(scan).0.iter().map(|finding| finding.rule).collect()
}

#[test]
fn small_keys_and_broken_signatures_of_certificates_are_found_and_good_ones_not() {
    assert!(rules(&scan(vec![certificate("RSA-2048", 2048, "sha256WithRSAEncryption")])).is_empty());
    assert!(rules(&scan(vec![certificate("P-256", 256, "ecdsa-with-SHA256")])).is_empty());
    let small = scan(vec![certificate("RSA-1024", 1024, "sha256WithRSAEncryption")]);
    assert_eq!(rules(&small), ["small-certificate-key"]);
    for broken in ["sha1WithRSAEncryption", "md5WithRSAEncryption", "ecdsa-with-SHA1"] {
        assert_eq!(rules(&scan(vec![certificate("P-256", 256, broken)])), ["broken-certificate-signature"], "{broken}");
    }
}

#[test]
fn a_root_may_sign_itself_as_it_likes_and_an_intermediate_may_not() {
    let entry = |self_issued| ChainEntry {
        name: "CA".to_owned(),
        signature: "sha1WithRSAEncryption".to_owned(),
        self_issued,
        key: Some("RSA-4096".to_owned()),
        key_bits: Some(4096),
    };
    let mut one = certificate("P-256", 256, "sha256WithRSAEncryption");
    one.chain = vec![entry(true)];
    assert!(rules(&scan(vec![one.clone()])).is_empty());
    one.chain = vec![entry(false)];
    assert_eq!(rules(&scan(vec![one])), ["broken-certificate-signature"]);
}

#[test]
fn the_worst_finding_settles_the_grade() {
    assert_eq!(judge(&scan(Vec::new())), (Vec::new(), Grade::A));
    let mut several = scan(Vec::new());
    several.features.downgrade_sentinel = Some(false);
    assert_eq!(judge(&several).1, Grade::B);
    several.features.compression = Some("DEFLATE".to_owned());
    assert_eq!(judge(&several).1, Grade::C);
    assert!(!judge(&several).1.is_acceptable());
    // What is not known breaks nothing.
    several.features = Features::default();
    assert_eq!(judge(&several).1, Grade::A);
}

#[test]
fn rules_have_names_of_their_own_and_name_their_source() {
    for (at, rule) in RULES.iter().enumerate() {
        assert!(RULES.iter().skip(at + 1).all(|other| other.name != rule.name), "{}", rule.name);
        let sourced = ["RFC ", "CVE-", "draft-"].iter().any(|kind| rule.clause.starts_with(kind));
        assert!(sourced && !rule.words.ends_with('.'), "{}", rule.name);
    }
}
