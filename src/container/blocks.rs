//! PEM blocks by their labels (RFC 7468 and older ones).

use super::contents::Content;
use super::contents::Item;
use super::contents::KeyForm;
use super::contents::private_key;
use super::contents::refused;
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
use crate::x509::X509Error;

/// Every block of `bytes`, in order.
pub(super) fn read(bytes: &[u8]) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for block in armour::read(bytes) {
        let item = match block {
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
    let der = block.contents.as_slice();
    let loaded = || key::from_pem_block(&block.label, &block.headers, der);
    match block.label.as_str() {
        // RFC 7468 §5.1; `X509 CERTIFICATE` is the older label.
        "CERTIFICATE" | "X509 CERTIFICATE" => {
            sound(Certificate::from_der(der).map(|read| Content::Certificate(Box::new(read))), "certificate")
        }
        // OpenSSL's: a certificate with trust settings after it.
        "TRUSTED CERTIFICATE" => unsupported(
            "certificate with OpenSSL's trust settings",
            "take the certificate alone with `openssl x509 -in FILE -out FILE.pem`",
        ),
        // RFC 7468 §7; Microsoft's and older tools say `NEW`.
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => sound(
            CertificationRequest::from_der(der).map(|read| Content::CertificationRequest(Box::new(read))),
            "certification request",
        ),
        "X509 CRL" => sound(
            CertificateRevocationList::from_der(der).map(|read| Content::RevocationList(Box::new(read))),
            "revocation list",
        ),
        "EC PRIVATE KEY" if curve.is_some() && block.headers.is_empty() => {
            private_key(PrivateKey::from_sec1_der(der, curve).map(Loaded::Plain), KeyForm::Sec1, "private key")
        }
        "EC PRIVATE KEY" => private_key(loaded(), KeyForm::Sec1, "private key"),
        "RSA PRIVATE KEY" => private_key(loaded(), KeyForm::Pkcs1, "private key"),
        "PRIVATE KEY" => private_key(loaded(), KeyForm::Pkcs8, "private key"),
        "ENCRYPTED PRIVATE KEY" => private_key(loaded(), KeyForm::Pkcs8, "encrypted private key"),
        "DSA PRIVATE KEY" | "OPENSSH PRIVATE KEY" => private_key(loaded(), KeyForm::Pkcs8, "private key"),
        "PUBLIC KEY" => public_key(PublicKey::from_spki_der(der), KeyForm::Spki),
        "RSA PUBLIC KEY" => public_key(PublicKey::from_pkcs1_der(der), KeyForm::Pkcs1),
        "EC PARAMETERS" => parameters(der),
        "PKCS7" | "CMS" => unsupported(
            "PKCS#7 structure",
            "certkit does not read those yet: `openssl pkcs7 -print_certs -in FILE -out FILE.pem`",
        ),
        label => Content::Unknown { label: label.to_owned() },
    }
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

fn sound(read: Result<Content, X509Error>, what: &str) -> Content {
    read.unwrap_or_else(|error| Content::Malformed { what: what.to_owned(), why: error.to_string() })
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
