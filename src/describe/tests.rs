#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::container::Document;
use crate::encoding::base64::url_decode;
use crate::encoding::pem as armour;
use crate::key::Kdf;
use crate::key::KeyAlgorithm;
use crate::key::PrivateKey;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-11-24 12:00 UTC);
const ROOT: &str = include_str!("../../tests/data/inspect/root.pem");
const INTERMEDIATE: &str = include_str!("../../tests/data/inspect/inter.pem");
const LEAF: &str = include_str!("../../tests/data/inspect/rich.pem");
const POISON: &str = include_str!("../../tests/data/inspect/poison.pem");
const VERSION_1: &str = include_str!("../../tests/data/inspect/v1.pem");
const LIST: &str = include_str!("../../tests/data/inspect/list.crl");
const REQUEST: &str = include_str!("../../tests/data/inspect/request.csr");

fn describe(text: &str, now: OffsetDateTime) -> Description {
    Description::of(&Document::read(text.as_bytes()).unwrap().items()[0], now)
}

fn certificate(text: &str) -> CertificateDescription {
    let Description::Certificate(described) = describe(text, NOW) else { panic!() };
    *described
}

fn said(parts: &[&str]) -> Vec<String> {
    remarks(Document::read(parts.concat().as_bytes()).unwrap().items())
}

fn row(sheet: &Sheet, label: &str) -> String {
    sheet.rows.iter().find(|row| row.label == label).unwrap().lines.join(" ")
}

#[test]
fn a_certificate_is_described() {
    let leaf = certificate(LEAF);
    assert_eq!(leaf.display_name, "rich.example.test");
    assert_eq!((leaf.version, leaf.ca, leaf.self_signed), (3, false, Some(false)));
    assert_eq!(leaf.serial.to_string(), "abcdef0123456789");
    assert_eq!(leaf.names.len(), 9);
    assert_eq!(leaf.public_key.spki_sha256, "ZdKUSB2jp10sqSz0ko2rYoXP67gXOdWJSdWKZXpEwSk=");
    assert!(leaf.fingerprints.sha256.starts_with("37:91:27:6F:A7:CB:DD:4A:"));
    assert!(leaf.fingerprints.sha1.starts_with("20:9B:B1:9E:"));
    assert_eq!(describe(LEAF, NOW).short(), "certificate  rich.example.test  P-256  expires in 88 days");
    let expired = describe(LEAF, datetime!(2027-03-01 0:00 UTC)).short();
    assert!(expired.ends_with("expired 8 days ago"), "{expired}");
}

#[test]
fn the_role_follows_from_constraints_and_signature() {
    for (text, role) in [
        (LEAF, "end entity"),
        (INTERMEDIATE, "intermediate CA, may issue end entities only (path length 0)"),
        (ROOT, "self-signed CA, path length 1"),
        (VERSION_1, "self-signed end entity"),
    ] {
        assert_eq!(row(&describe(text, NOW).sheet(), "role"), role);
    }
}

#[test]
fn flaws_of_the_form_are_remarked() {
    let old = certificate(VERSION_1).remarks.join("; ");
    for wanted in ["version 1", "serial number is not positive", "broken hash"] {
        assert!(old.contains(wanted), "{old}");
    }
    assert!(certificate(POISON).remarks[0].starts_with("a precertificate"));
    assert!(certificate(LEAF).remarks.is_empty() && certificate(ROOT).remarks.is_empty());
}

#[test]
fn a_list_shows_some_entries_to_people_and_all_to_programs() {
    let Description::RevocationList(list) = describe(LIST, NOW) else { panic!() };
    assert_eq!((list.number.as_deref(), list.count, list.entries.len()), (Some("42"), 25, 25));
    assert_eq!(list.entries[0].reason.as_deref(), Some("keyCompromise"));
    assert_eq!(list.entries[2].reason, None);
    assert_eq!(list.entries[3].extensions[0].lines(), ["20261001120000Z"]);
    let sheet = list.sheet();
    let (_, shown) = sheet.groups.iter().find(|(group, _)| group == "revoked").unwrap();
    assert_eq!((shown.len(), shown[20].label.as_str()), (21, "… and 5 more"));
    assert!(!list.stale && row(&sheet, "state").starts_with("current: the next one is due 2026-11-30"));
    let Description::RevocationList(old) = describe(LIST, datetime!(2026-12-05 0:00 UTC)) else { panic!() };
    assert!(old.stale && old.words.starts_with("out of date"), "{}", old.words);
}

#[test]
fn a_request_is_described_with_its_proof() {
    let Description::CertificationRequest(request) = describe(REQUEST, NOW) else { panic!() };
    assert!(request.proof_of_possession);
    assert_eq!(request.names, ["dns:request.example.test"]);
    assert_eq!(request.attributes, ["challengePassword"]);
    assert!(!request.sheet().rows.iter().any(|row| row.lines.join("").contains("secret12")));

    let mut encoding = armour::read(REQUEST.as_bytes()).remove(0).unwrap().contents.to_vec();
    // A letter of the subject.
    let at = encoding.windows(7).position(|window| window == b"request").unwrap();
    encoding[at] ^= 1;
    let Description::CertificationRequest(forged) = describe(&armour::write("CERTIFICATE REQUEST", &encoding), NOW)
    else {
        panic!()
    };
    assert!(!forged.proof_of_possession);
    assert!(row(&forged.sheet(), "possession").starts_with("not proven: the signature does not match"));
}

#[test]
fn no_description_of_a_key_holds_its_private_number() {
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let scalar = {
        let jwk = key.to_jwk().unwrap();
        let start = jwk.find("\"d\":\"").unwrap() + 5;
        jwk[start..start + 43].to_owned()
    };
    let hexadecimal = crate::encoding::hex::encode(&url_decode(&scalar).unwrap());
    for text in [armour::write("PRIVATE KEY", &key.to_pkcs8_der()).to_string(), key.to_jwk().unwrap().to_string()] {
        let described = describe(&text, NOW);
        let told = format!("{described:?} {:?} {}", described.sheet(), described.short());
        assert!(told.contains("P-256") && !told.contains(&scalar) && !told.contains(&hexadecimal));
    }
}

#[test]
fn an_encrypted_key_says_how_it_is_encrypted() {
    let key = PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap();
    let encrypted = armour::write("ENCRYPTED PRIVATE KEY", &key.encrypt(b"x", Kdf::Scrypt).unwrap());
    let Description::EncryptedPrivateKey(described) = describe(&encrypted, NOW) else { panic!() };
    assert!(described.encrypted && described.encryption.contains("scrypt"), "{}", described.encryption);
}

#[test]
fn no_flipped_octet_panics() {
    for text in [LEAF, INTERMEDIATE, LIST, REQUEST] {
        let block = armour::read(text.as_bytes()).remove(0).unwrap();
        let mut told = 0;
        for at in 0..block.contents.len() {
            let mut encoding = block.contents.to_vec();
            encoding[at] ^= 0x55;
            let document = Document::read(armour::write(&block.label, &encoding).as_bytes()).unwrap();
            let described = Description::of(&document.items()[0], NOW);
            told += described.sheet().rows.len().min(1) * described.short().len().min(1);
        }
        assert_eq!(told, block.contents.len());
    }
}

#[test]
fn a_chain_in_order_is_one_remark() {
    assert_eq!(
        said(&[LEAF, INTERMEDIATE, ROOT]),
        ["blocks 1 to 3 are a chain in order, up to its root: each is issued by the next"]
    );
    assert_eq!(said(&[LEAF, INTERMEDIATE]), ["block 2 issued block 1"]);
    assert!(said(&[LEAF]).is_empty() && said(&[LEAF, ROOT]).is_empty());
}

#[test]
fn disorder_and_repetition_are_remarked() {
    assert_eq!(
        said(&[ROOT, LEAF, INTERMEDIATE, ROOT]),
        [
            "block 4 is the same certificate as block 1",
            "block 3 issued block 2",
            "block 1 issued block 3; TLS wants an issuer after what it issued",
        ]
    );
}

#[test]
fn many_repetitions_are_counted() {
    let remarks = said(&[ROOT; 20]);
    assert_eq!((remarks.len(), remarks[10].as_str()), (11, "9 more blocks repeat certificates that came before"));
}

#[test]
fn a_key_beside_certificates_is_assigned() {
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let text = armour::write("PRIVATE KEY", &key.to_pkcs8_der());
    assert_eq!(said(&[&text, LEAF]), ["block 1 is the private key of no certificate here"]);
    assert!(said(&[&text]).is_empty());
}
