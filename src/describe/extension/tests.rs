#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::container::Document;
use crate::describe::ExtensionDescription;

const RICH: &[u8] = include_bytes!("../../../tests/data/inspect/rich.pem");
const BAD: &[u8] = include_bytes!("../../../tests/data/inspect/bad.pem");
const POISON: &[u8] = include_bytes!("../../../tests/data/inspect/poison.pem");
const INTERMEDIATE: &[u8] = include_bytes!("../../../tests/data/inspect/inter.pem");
const LIST: &[u8] = include_bytes!("../../../tests/data/inspect/list.crl");

fn extensions(file: &[u8]) -> Vec<ExtensionDescription> {
    let document = Document::read(file).unwrap();
    match document.certificates() {
        Ok(certificates) => certificates[0].extensions().iter().map(ExtensionDescription::of).collect(),
        Err(_) => {
            let lists = document.revocation_lists().unwrap();
            lists[0].extensions().iter().map(ExtensionDescription::of).collect()
        }
    }
}

fn lines(file: &[u8], name: &str) -> Vec<String> {
    extensions(file).iter().find(|extension| extension.name == name).unwrap().lines()
}

#[test]
fn every_extension_of_a_real_certificate_is_decoded() {
    for (name, wanted) in [
        ("basicConstraints", &["no CA"][..]),
        ("keyUsage", &["digitalSignature, keyAgreement"]),
        ("extKeyUsage", &["serverAuth, clientAuth, 1.3.6.1.4.1.99999.3"]),
        ("issuerAltName", &["uri:https://ca.example.test/"]),
        (
            "authorityKeyIdentifier",
            &["5e23d7dccac77ceadee7fd14a769254a29e146f4", "issuer dirname:CN=Fjord Root", "serial 02"],
        ),
        (
            "certificatePolicies",
            &[
                "CA/B Forum domain validated (2.23.140.1.2.1)",
                "1.3.6.1.4.1.99999.2",
                "  CPS https://ca.example.test/cps",
                "  notice: read the statement",
            ],
        ),
        ("authorityInfoAccess", &["OCSP http://ocsp.example.test/", "caIssuers http://ca.example.test/i.der"]),
        ("subjectInfoAccess", &["caRepository http://ca.example.test/repo"]),
        (
            "cRLDistributionPoints",
            &[
                "http://ca.example.test/a.crl",
                "  for keyCompromise, cACompromise",
                "  signed by dirname:CN=rich.example.test,O=Fjord AS,C=NO",
                "relative to the issuer: OU=lists",
            ],
        ),
        ("freshestCRL", &["http://ca.example.test/delta.crl"]),
        ("tlsfeature", &["status_request (must staple), status_request_v2"]),
        ("id-pkix-ocsp-nocheck", &["present"]),
        ("netscapeCertType", &["SSL client, SSL server"]),
        ("netscapeComment", &["made for a test"]),
        (
            "signedCertificateTimestampList",
            &["2023-11-14 22:13:20 UTC log AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="],
        ),
    ] {
        assert_eq!(lines(RICH, name), wanted, "{name}");
    }
    assert_eq!(lines(POISON, "precertificatePoison"), ["present"]);
}

#[test]
fn what_constrains_a_ca_is_decoded() {
    for (name, wanted) in [
        ("basicConstraints", &["CA, path length 0"][..]),
        ("nameConstraints", &["only dns:example.test, ip:10.0.0.0/8", "not dns:secret.example.test"]),
        ("policyMappings", &["1.3.6.1.4.1.99999.2 counts as 1.3.6.1.4.1.99999.1"]),
        (
            "policyConstraints",
            &["explicit policy required after 3 more certificates", "no policy mapping after 1 more certificate"],
        ),
        ("inhibitAnyPolicy", &["anyPolicy ends after 2 more certificates"]),
    ] {
        assert_eq!(lines(INTERMEDIATE, name), wanted, "{name}");
    }
}

#[test]
fn what_a_list_covers_is_decoded() {
    assert_eq!(
        lines(LIST, "issuingDistributionPoint"),
        ["http://ca.example.test/a.crl", "only user certificates", "only for keyCompromise, superseded"]
    );
    assert_eq!(lines(LIST, "cRLNumber"), ["42"]);
}

#[test]
fn unknown_extensions_are_shown_as_octets_and_criticality_is_kept() {
    let all = extensions(RICH);
    let unknown = all.iter().find(|extension| extension.name == "1.3.6.1.4.1.99999.5").unwrap();
    assert_eq!((unknown.critical, unknown.hex.as_deref()), (true, Some("0c0568656c6c6f")));
    assert!(unknown.value.is_none() && unknown.malformed.is_none());
    assert_eq!(unknown.lines(), ["\"hello\"", "0c0568656c6c6f"]);
    let critical: Vec<_> = all.iter().filter(|extension| extension.critical).map(|one| one.name.as_str()).collect();
    assert_eq!(critical, ["keyUsage", "1.3.6.1.4.1.99999.5"]);
}

#[test]
fn malformed_extensions_are_said_to_be() {
    let bad = extensions(BAD);
    for (name, why) in [("basicConstraints", "X.690 §11.1"), ("subjectAltName", "GeneralNames is empty")] {
        let extension = bad.iter().find(|extension| extension.name == name).unwrap();
        assert!(extension.malformed.as_deref().unwrap().contains(why), "{extension:?}");
        assert!(extension.value.is_none() && extension.hex.is_some());
        assert!(extension.lines()[0].starts_with("malformed: "));
    }
}

#[test]
fn long_octets_are_clipped_for_people_only() {
    assert_eq!(super::super::clipped("00ff"), "00ff");
    assert!(super::super::clipped(&"00".repeat(100)).ends_with("… (100 octets)"));
}
