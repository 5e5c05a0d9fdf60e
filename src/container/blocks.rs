//! PEM blocks by their labels (RFC 7468 and older ones).

use super::contents::Content;
use super::contents::Item;
use super::contents::KeyForm;
use super::contents::private_key;
use super::contents::refused;
use super::contents::sound;
use super::der;
use super::pkcs7;
use crate::encoding::Oid;
use crate::encoding::der::Reader;
use crate::encoding::der::tag;
use crate::encoding::pem as armour;
use crate::encoding::pem::Block;
use crate::encoding::pem::Fault;
use crate::encoding::pem::Malformed;
use crate::key;
use crate::key::Loaded;
use crate::key::PrivateKey;
use crate::key::PublicKey;
use crate::x509::Certificate;
use crate::x509::CertificateRevocationList;
use crate::x509::CertificationRequest;

/// Every block of `bytes`, in order.
pub(super) fn read(bytes: &[u8]) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for block in armour::read(bytes) {
        let item = match block {
            Ok(block) if matches!(block.label.as_str(), "PKCS7" | "CMS") => {
                items.extend(bag(&block));
                continue;
            }
            Ok(block) => {
                let curve = items.last().and_then(curve);
                Item { content: content(&block, curve.as_ref()), line: Some(block.line), label: Some(block.label) }
            }
            Err(malformed) => malformed_item(malformed),
        };
        items.push(item);
    }
    items
}

fn content(block: &Block, curve: Option<&Oid>) -> Content {
    let bytes = block.contents.as_slice();
    let loaded = || key::from_pem_block(&block.label, &block.headers, bytes);
    match block.label.as_str() {
        // RFC 7468 §5.1; `X509 CERTIFICATE` is the older label.
        "CERTIFICATE" | "X509 CERTIFICATE" => sound(Certificate::from_der(bytes), "certificate", Content::Certificate),
        // OpenSSL's: a certificate with trust settings after it.
        "TRUSTED CERTIFICATE" => unsupported(
            "certificate with OpenSSL's trust settings",
            "take the certificate alone with `openssl x509 -in FILE -out FILE.pem`",
        ),
        // RFC 7468 §7; Microsoft's and older tools say `NEW`.
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {
            sound(CertificationRequest::from_der(bytes), "certification request", Content::CertificationRequest)
        }
        "X509 CRL" => sound(CertificateRevocationList::from_der(bytes), "revocation list", Content::RevocationList),
        "EC PRIVATE KEY" if curve.is_some() && block.headers.is_empty() => {
            private_key(PrivateKey::from_sec1_der(bytes, curve).map(Loaded::Plain), KeyForm::Sec1, "private key")
        }
        "EC PRIVATE KEY" => private_key(loaded(), KeyForm::Sec1, "private key"),
        "RSA PRIVATE KEY" => private_key(loaded(), KeyForm::Pkcs1, "private key"),
        "PRIVATE KEY" => private_key(loaded(), KeyForm::Pkcs8, "private key"),
        "ENCRYPTED PRIVATE KEY" => private_key(loaded(), KeyForm::Pkcs8, "encrypted private key"),
        "DSA PRIVATE KEY" | "OPENSSH PRIVATE KEY" => private_key(loaded(), KeyForm::Pkcs8, "private key"),
        "PUBLIC KEY" => public_key(PublicKey::from_spki_der(bytes), KeyForm::Spki),
        "RSA PUBLIC KEY" => public_key(PublicKey::from_pkcs1_der(bytes), KeyForm::Pkcs1),
        "EC PARAMETERS" => parameters(bytes),
        "OCSP RESPONSE" => der::ocsp_response(bytes),
        "OCSP REQUEST" => der::ocsp_request(bytes),
        label => Content::Unknown { label: label.to_owned() },
    }
}

/// What a block of PKCS#7 holds (RFC 7468 §8 and §9): an item each.
fn bag(block: &Block) -> Vec<Item> {
    let contents = pkcs7::read(&block.contents).unwrap_or_else(|error| {
        vec![Content::Malformed { what: "PKCS#7 structure".to_owned(), why: error.to_string() }]
    });
    let item = |content| Item { line: Some(block.line), label: Some(block.label.clone()), content };
    contents.into_iter().map(item).collect()
}

fn public_key(read: Result<PublicKey, key::KeyError>, form: KeyForm) -> Content {
    match read {
        Ok(key) => Content::PublicKey(key, form),
        Err(error) => refused(&error, "public key"),
    }
}

/// A named curve is its identifier; others are structures (RFC 3279 §2.3.5, which RFC 5480 §2.1.1 forbids in keys).
fn parameters(der: &[u8]) -> Content {
    let mut reader = Reader::new(der);
    let read = match reader.peek() {
        Some(tag::SEQUENCE) => reader.any().map(|_| None),
        _ => reader.oid().map(Some),
    };
    match read.and_then(|curve| reader.finish().map(|()| curve)) {
        Ok(curve) => Content::EcParameters(curve),
        Err(error) => Content::Malformed { what: "EC parameters block".to_owned(), why: error.to_string() },
    }
}

fn curve(item: &Item) -> Option<Oid> {
    if let Content::EcParameters(curve) = &item.content { curve.clone() } else { None }
}

fn unsupported(what: &str, why: &str) -> Content {
    Content::Unsupported { what: what.to_owned(), why: why.to_owned() }
}

fn malformed_item(malformed: Malformed) -> Item {
    let Malformed { label, line, fault } = malformed;
    let why = match &fault {
        Fault::LabelsDiffer(end) if end.contains("-----BEGIN ") => {
            "a line break is missing between its END line and the BEGIN line of the next block".to_owned()
        }
        fault => format!("it {fault}"),
    };
    Item { line: Some(line), content: Content::Malformed { what: format!("{label} block"), why }, label: Some(label) }
}
