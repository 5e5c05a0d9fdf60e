#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::encoding::der;
use crate::encoding::pem as armour;
use crate::key::Kdf;
use crate::key::KeyAlgorithm;
use crate::key::PrivateKey;

const CERTIFICATE: &str = include_str!("../../tests/data/inspect/rich.pem");
const REQUEST: &str = include_str!("../../tests/data/inspect/request.csr");
const LIST: &str = include_str!("../../tests/data/inspect/list.crl");

fn only(bytes: &[u8]) -> Content {
    let mut document = Document::read(bytes).unwrap();
    assert_eq!(document.items.len(), 1);
    document.items.remove(0).content
}

fn refusal(bytes: impl AsRef<[u8]>) -> String {
    Document::read(bytes.as_ref()).unwrap_err().to_string()
}

fn der_of(text: &str) -> Vec<u8> {
    armour::read(text.as_bytes()).remove(0).unwrap().contents.to_vec()
}

#[test]
fn signed_structures_are_told_apart_in_pem_and_der() {
    for (text, name) in [(CERTIFICATE, "certificate"), (REQUEST, "certification request"), (LIST, "revocation list")] {
        assert_eq!(only(text.as_bytes()).name(), name);
        assert_eq!(only(&der_of(text)).name(), name);
    }
}

#[test]
fn every_form_of_a_key_is_found_by_itself() {
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let form = |bytes: &[u8]| match only(bytes) {
        Content::PrivateKey(_, form) | Content::PublicKey(_, form) => form,
        other => panic!("{other:?}"),
    };
    let public = key.public_key();
    assert_eq!(form(&key.to_pkcs8_der()), KeyForm::Pkcs8);
    assert_eq!(form(&key.to_sec1_der().unwrap()), KeyForm::Sec1);
    assert_eq!(form(key.to_jwk().unwrap().as_bytes()), KeyForm::Jwk);
    assert_eq!(form(public.spki_der()), KeyForm::Spki);
    assert_eq!(form(public.to_jwk().unwrap().as_bytes()), KeyForm::Jwk);
    assert_eq!(form(armour::write("PUBLIC KEY", public.spki_der()).as_bytes()), KeyForm::Spki);
    assert!(matches!(only(public.to_jwk().unwrap().as_bytes()), Content::PublicKey(..)));
    let encrypted = key.encrypt(b"secret", Kdf::Scrypt).unwrap();
    assert!(matches!(only(&encrypted), Content::EncryptedPrivateKey(_)));

    let rsa = PrivateKey::generate(KeyAlgorithm::Rsa(2048)).unwrap();
    assert_eq!(form(&rsa.to_pkcs1_der().unwrap()), KeyForm::Pkcs1);
    assert_eq!(form(rsa.public_key().subject_public_key()), KeyForm::Pkcs1);
    let labelled = armour::write("RSA PUBLIC KEY", rsa.public_key().subject_public_key());
    assert_eq!(form(labelled.as_bytes()), KeyForm::Pkcs1);
}

/// ECPrivateKey without parameters, as some libraries write it after an EC PARAMETERS block.
#[test]
fn the_curve_before_an_ec_key_is_used() {
    let key = PrivateKey::generate(KeyAlgorithm::P384).unwrap();
    let encoding = key.to_sec1_der().unwrap();
    let mut fields = der::only_reader(&encoding, der::tag::SEQUENCE).unwrap();
    let (version, scalar) = (fields.any().unwrap().raw, fields.any().unwrap().raw);
    let bare = armour::write("EC PRIVATE KEY", &der::sequence(&[version, scalar])).to_string();
    let curve = |dotted: &str| armour::write("EC PARAMETERS", &der::oid(&dotted.parse().unwrap())).to_string();

    let named = Document::read((curve("1.3.132.0.34") + &bare).as_bytes()).unwrap();
    assert!(
        matches!(&named.items()[1].content, Content::PrivateKey(found, _) if found.public_key() == key.public_key())
    );
    assert!(Document::read(bare.as_bytes()).unwrap().is_damaged());

    let other = curve("1.3.132.0.35") + &armour::write("EC PRIVATE KEY", &encoding);
    assert!(Document::read(other.as_bytes()).unwrap().is_damaged(), "another curve than the key's own");
}

#[test]
fn every_block_is_accounted_for_with_its_line() {
    let cut = &CERTIFICATE[..300];
    let text = format!("{CERTIFICATE}-----BEGIN X-----\nAAAA\n-----END X-----\n{cut}");
    let document = Document::read(text.as_bytes()).unwrap();
    let lines: Vec<_> = document.items().iter().map(|item| (item.content.name(), item.line.unwrap())).collect();
    let after = CERTIFICATE.lines().count() + 1;
    assert_eq!(
        lines,
        [
            ("certificate".to_owned(), 1),
            ("block labelled X".to_owned(), after),
            ("damaged CERTIFICATE block".to_owned(), after + 3),
        ]
    );
    let refused = document.certificates().unwrap_err().to_string();
    assert!(refused.starts_with(&format!("line {}: the CERTIFICATE block is damaged: it has no END", after + 3)));
}

#[test]
fn a_block_that_is_not_what_its_label_says_is_damaged() {
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    for (label, contents) in [
        ("CERTIFICATE", key.to_pkcs8_der().to_vec()),
        ("PRIVATE KEY", der_of(CERTIFICATE)),
        ("CERTIFICATE REQUEST", der_of(CERTIFICATE)),
        ("X509 CRL", der_of(REQUEST)),
        ("PUBLIC KEY", vec![0x30, 0]),
        ("EC PARAMETERS", vec![5, 0]),
    ] {
        let content = only(armour::write(label, &contents).as_bytes());
        assert!(matches!(content, Content::Malformed { .. }), "{label}: {content:?}");
    }
}

#[test]
fn a_missing_line_break_between_blocks_is_named() {
    let joined = format!("{}{CERTIFICATE}", CERTIFICATE.trim_end());
    let document = Document::read(joined.as_bytes()).unwrap();
    assert_eq!(document.items().len(), 2, "both blocks are lost, and both are named");
    let Content::Malformed { why, .. } = &document.items()[0].content else { panic!() };
    assert!(why.contains("a line break is missing"), "{why}");
}

#[test]
fn a_block_without_its_beginning_and_binary_data_are_not_passed_over() {
    let misspelt = CERTIFICATE.replace("-----BEGIN", "----BEGIN");
    let document = Document::read(format!("{CERTIFICATE}{misspelt}").as_bytes()).unwrap();
    let Content::Malformed { why, .. } = &document.items()[1].content else { panic!() };
    assert!(why.contains("no BEGIN line") && !document.has_binary_between(), "{why}");
    assert!(document.certificates().is_err());

    let appended = [CERTIFICATE.as_bytes(), &der_of(REQUEST)].concat();
    assert!(Document::read(&appended).unwrap().has_binary_between());
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    assert_eq!(only(format!("\u{feff}{CERTIFICATE}").as_bytes()).name(), "certificate");
}

#[test]
fn damaged_der_is_named_for_what_it_was_meant_to_be() {
    for (text, name) in [(CERTIFICATE, "certificate"), (REQUEST, "certification request"), (LIST, "revocation list")] {
        let mut encoding = der_of(text);
        // The count of unused bits in the signature's BIT STRING.
        let at = (0..encoding.len() - 3)
            .rfind(|&at| encoding[at] == 3 && encoding[at + 2] == 0 && encoding[at + 3] == 0x30)
            .unwrap();
        encoding[at + 2] = 9;
        let content = only(&encoding);
        assert!(matches!(&content, Content::Malformed { what, .. } if what == name), "{name}: {content:?}");
    }
}

#[test]
fn what_is_not_read_is_called_by_its_name() {
    let certificate = der_of(CERTIFICATE);
    let pfx = der::sequence(&[&der::unsigned(&[3]), &der::sequence(&[])]);
    let cms = der::sequence(&[&der::oid(&"1.2.840.113549.1.7.2".parse().unwrap())]);
    let bare: String = CERTIFICATE.lines().filter(|line| !line.starts_with('-')).collect();
    let from_the_middle: String = CERTIFICATE.lines().skip(2).map(|line| format!("{line}\n")).collect();
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(CERTIFICATE.bytes().flat_map(|byte| [byte, 0])).collect();
    for (bytes, wanted) in [
        (Vec::new(), "it is empty"),
        (b" \n".to_vec(), "white space"),
        (pfx, "a PKCS#12 file"),
        (cms, "a PKCS#7 structure that cannot be read"),
        (b"\xfe\xed\xfe\xed\0\0\0\x02".to_vec(), "a Java keystore (JKS)"),
        (utf16, "text in UTF-16"),
        (b"<!DOCTYPE html>".to_vec(), "an HTML page"),
        (b"{\"keys\": []}".to_vec(), "a set of JSON Web Keys"),
        (b"{\"kty\": \"oct\"}".to_vec(), "it is JSON, but"),
        (b"[1]".to_vec(), "it is JSON, but no key"),
        (b" [{\"kty\": \"EC\"}]\n".to_vec(), "it is JSON, but no key"),
        (b"{\"kty\": \"EC\", \"keys\"".to_vec(), "it begins like JSON, but"),
        (b"[keys]\nca = \"set_aside\"\n".to_vec(), "text without a BEGIN line"),
        (b"[\"a\"".to_vec(), "text without a BEGIN line"),
        (b"{ a = 1 }".to_vec(), "text without a BEGIN line"),
        (b"ssh-ed25519 AAAA me".to_vec(), "an OpenSSH public key"),
        (b"hello".to_vec(), "text without a BEGIN line"),
        (b"0 is the first octet of this text".to_vec(), "text without a BEGIN line"),
        (vec![0x80, 1, 2, 0], "binary data"),
        (bare.into_bytes(), "base64 without its BEGIN and END lines"),
        (from_the_middle.into_bytes(), "PEM without its beginning"),
        (CERTIFICATE.replace('\n', "\\n").into_bytes(), "PEM that lost its line breaks"),
        (certificate[..500].to_vec(), "it begins like a certificate in DER of 1395 octets and holds 500"),
        ([certificate.as_slice(), b"\0\0"].concat(), "2 octets follow"),
        (vec![0x30, 0], "an empty SEQUENCE"),
        (der::sequence(&[&der::null()]), "begins with tag 0x05"),
    ] {
        let said = refusal(&bytes);
        assert!(said.contains(wanted), "{said}");
    }
}

#[test]
fn no_cut_and_no_flipped_octet_panics() {
    for text in [CERTIFICATE, REQUEST, LIST] {
        let encoding = der_of(text);
        for length in 0..encoding.len() {
            assert!(Document::read(&encoding[..length]).is_err());
        }
        for at in 0..encoding.len().min(400) {
            let mut damaged = encoding.clone();
            damaged[at] ^= 0xff;
            let _ = Document::read(&damaged).map(|document| document.items().len());
        }
    }
}

#[test]
fn what_is_there_instead_is_said() {
    let key = PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap();
    let pem = armour::write("PRIVATE KEY", &key.to_pkcs8_der());
    let held = Document::read(pem.as_bytes()).unwrap();
    assert_eq!(held.certificates().unwrap_err().to_string(), "it holds a private key where a certificate is due");
    let held = Document::read(format!("{CERTIFICATE}{CERTIFICATE}{REQUEST}").as_bytes()).unwrap();
    assert_eq!(held.certificates().unwrap().len(), 2);
    assert_eq!(
        held.first_private_key().unwrap_err().to_string(),
        "it holds a certificate and a certification request where a private key is due"
    );
    assert!(held.request().is_ok());
    assert_eq!(
        held.revocation_lists().unwrap_err().to_string(),
        "it holds a certificate and a certification request where a revocation list is due"
    );
}

#[test]
fn a_key_in_an_unread_form_is_no_damage() {
    let legacy = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: CAMELLIA-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    let held = Document::read(legacy.as_bytes()).unwrap();
    assert!(!held.is_damaged());
    let said = held.first_private_key().unwrap_err().to_string();
    assert!(said.contains("the old PEM encryption with CAMELLIA-128-CBC") && said.contains("openssl pkcs8"), "{said}");
}

#[test]
fn certificates_and_lists_in_pkcs7_are_items_of_their_own() {
    let (certificate, list) = (der_of(CERTIFICATE), der_of(LIST));
    let bag = |certificates: &[&[u8]], lists: &[&[u8]], kind: &str| {
        let set = |number, parts: &[&[u8]]| der::tlv(der::tag::context_constructed(number), &parts.concat());
        let data = der::sequence(&[
            &der::unsigned(&[1]),
            &der::tlv(der::tag::SET, &[]),
            &der::sequence(&[&der::oid(&"1.2.840.113549.1.7.1".parse().unwrap())]),
            &set(0, certificates),
            &set(1, lists),
            &der::tlv(der::tag::SET, &[]),
        ]);
        der::sequence(&[&der::oid(&kind.parse().unwrap()), &der::tlv(der::tag::context_constructed(0), &data)])
    };
    let signed = "1.2.840.113549.1.7.2";
    let whole = bag(&[&certificate, &certificate], &[&list], signed);
    for bytes in [whole.clone(), armour::write("PKCS7", &whole).as_bytes().to_vec()] {
        let document = Document::read(&bytes).unwrap();
        let names: Vec<String> = document.items().iter().map(|item| item.content.name()).collect();
        assert_eq!(names, ["certificate", "certificate", "revocation list"]);
    }
    assert!(Document::read(&bag(&[], &[], signed)).unwrap_err().to_string().contains("neither a certificate nor"));
    assert!(Document::read(&bag(&[&certificate], &[], "1.2.840.113549.1.7.3")).is_err());
    for end in 0..whole.len() {
        assert!(Document::read(&whole[..end]).is_err());
        let mut changed = whole.clone();
        changed[end] ^= 0x20;
        _ = Document::read(&changed);
    }
}
