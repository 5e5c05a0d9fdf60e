//! One DER structure: which one it is follows from the fields it begins with.

use super::contents::Content;
use super::contents::KeyForm;
use super::contents::private_key;
use super::contents::refused;
use super::contents::sound;
use super::error::ContainerError;
use super::pkcs7;
use super::sniff;
use crate::encoding::der;
use crate::encoding::der::DerError;
use crate::encoding::der::Reader;
use crate::encoding::der::Tlv;
use crate::encoding::der::tag;
use crate::key::EncryptedPrivateKey;
use crate::key::KeyError;
use crate::key::Loaded;
use crate::key::PrivateKey;
use crate::key::PublicKey;
use crate::x509::Certificate;
use crate::x509::CertificateRevocationList;
use crate::x509::CertificationRequest;
use crate::x509::OcspRequest;
use crate::x509::OcspResponse;
use crate::x509::X509Error;

/// Reads the structure that `bytes` are.
///
/// # Errors
/// Where they are none, or one that certkit does not know.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Content>, ContainerError> {
    if is_pkcs7(bytes) {
        return pkcs7::read(bytes).map_err(ContainerError::Pkcs7);
    }
    one(bytes).map(|content| vec![content])
}

/// ContentInfo (RFC 5652 §3): 1.2.840.113549.1.7.x.
fn is_pkcs7(bytes: &[u8]) -> bool {
    let Ok(mut fields) = der::only_reader(bytes, tag::SEQUENCE) else { return false };
    fields.expect(tag::OID).is_ok_and(|oid| oid.starts_with(CMS))
}

fn one(bytes: &[u8]) -> Result<Content, ContainerError> {
    let Some(outer) = outermost(bytes)? else { return Err(sniff::foreign(bytes)) };
    let mut fields = outer.reader();
    let (first, second, third) = (next(&mut fields), next(&mut fields), next(&mut fields));
    let unknown = |why: String| Err(ContainerError::UnknownStructure(why));
    match (tag_of(first), tag_of(second), tag_of(third)) {
        // Certificate, CertificationRequest and CertificateList: what is signed, how, and the signature.
        (Some(tag::SEQUENCE), Some(tag::SEQUENCE), Some(tag::BIT_STRING)) => signed(bytes, first),
        // SubjectPublicKeyInfo (RFC 5280 §4.1).
        (Some(tag::SEQUENCE), Some(tag::BIT_STRING), None) => {
            key(PublicKey::from_spki_der(bytes).map(|key| Content::PublicKey(key, KeyForm::Spki)), "public key")
        }
        // EncryptedPrivateKeyInfo (RFC 5958 §3).
        (Some(tag::SEQUENCE), Some(tag::OCTET_STRING), None) => {
            let read = EncryptedPrivateKey::from_der(bytes).map(Loaded::Encrypted);
            Ok(private_key(read, KeyForm::Pkcs8, "encrypted private key"))
        }
        // OneAsymmetricKey (RFC 5958 §2) and PFX (RFC 7292 §4), which is of version 3.
        (Some(tag::INTEGER), Some(tag::SEQUENCE), _) if first.is_some_and(|version| version.value == [3]) => {
            Err(sniff::PKCS12)
        }
        (Some(tag::INTEGER), Some(tag::SEQUENCE), Some(tag::OCTET_STRING)) => {
            Ok(private_key(PrivateKey::from_pkcs8_der(bytes).map(Loaded::Plain), KeyForm::Pkcs8, "private key"))
        }
        // ECPrivateKey (RFC 5915 §3).
        (Some(tag::INTEGER), Some(tag::OCTET_STRING), _) => {
            Ok(private_key(PrivateKey::from_sec1_der(bytes, None).map(Loaded::Plain), KeyForm::Sec1, "private key"))
        }
        // RSAPublicKey (RFC 8017 appendix A.1.1).
        (Some(tag::INTEGER), Some(tag::INTEGER), None) => {
            key(PublicKey::from_pkcs1_der(bytes).map(|key| Content::PublicKey(key, KeyForm::Pkcs1)), "public key")
        }
        // RSAPrivateKey (RFC 8017 appendix A.1.2), or OpenSSL's DSA key.
        (Some(tag::INTEGER), Some(tag::INTEGER), Some(tag::INTEGER)) => {
            Ok(private_key(PrivateKey::from_der(bytes).map(Loaded::Plain), KeyForm::Pkcs1, "private key"))
        }
        // OCSPResponse (RFC 6960 §4.2.1).
        (Some(tag::ENUMERATED), _, _) => Ok(ocsp_response(bytes)),
        // OCSPRequest (RFC 6960 §4.1.1): what is asked, and perhaps a signature.
        (Some(tag::SEQUENCE), None | Some(SIGNATURE), None) if OcspRequest::from_der(bytes).is_ok() => {
            Ok(ocsp_request(bytes))
        }
        (None, _, _) => unknown("an empty SEQUENCE, or one that does not parse".to_owned()),
        (Some(first), _, _) => unknown(format!("a SEQUENCE that begins with tag {first:#04x}")),
    }
}

/// The SEQUENCE that `bytes` are; `None` where they begin like no DER.
fn outermost(bytes: &[u8]) -> Result<Option<Tlv<'_>>, ContainerError> {
    let mut reader = Reader::new(bytes);
    if reader.peek() != Some(tag::SEQUENCE) {
        return Ok(None);
    }
    match reader.any() {
        Ok(outer) if reader.is_empty() => Ok(Some(outer)),
        Ok(_) => Err(ContainerError::Trailing { count: reader.rest().len() }),
        Err(error) => match declared_length(bytes) {
            // Text can begin with `0`, too, and then what looks like a length is one by chance.
            Some(declared) if declared > bytes.len() && !sniff::is_text(bytes) => {
                Err(ContainerError::CutShort { what: begins_like(bytes), declared, present: bytes.len() })
            }
            _ if sniff::is_text(bytes) => Ok(None),
            _ => Err(unknown_damage(&error)),
        },
    }
}

fn unknown_damage(error: &DerError) -> ContainerError {
    ContainerError::UnknownStructure(error.to_string())
}

/// The length of the outermost structure by its first octets (X.690 §8.1.3), header included.
fn declared_length(bytes: &[u8]) -> Option<usize> {
    let (&first, rest) = bytes.get(1..)?.split_first()?;
    if first < 0x80 {
        return Some(2 + usize::from(first));
    }
    let count = usize::from(first & 0x7f);
    let octets = rest.get(..count).filter(|_| (1..=4).contains(&count))?;
    let length = octets.iter().fold(0usize, |sum, &octet| sum << 8 | usize::from(octet));
    length.checked_add(2 + count)
}

fn begins_like(bytes: &[u8]) -> &'static str {
    let header = match bytes.get(1) {
        Some(first @ 0x81..=0x84) => 2 + usize::from(first & 0x7f),
        _ => 2,
    };
    match bytes.get(header) {
        Some(&tag::SEQUENCE) => "a certificate",
        Some(&tag::INTEGER) => "a private key",
        _ => "a structure",
    }
}

/// tbsCertificate begins with `[0]` or serialNumber, then signature (a SEQUENCE of an OID); certificationRequestInfo
/// with version and subject, followed by a key and `[0]`; tbsCertList with version or signature, and has times where
/// others have SEQUENCEs.
fn signed(bytes: &[u8], to_be_signed: Option<Tlv<'_>>) -> Result<Content, ContainerError> {
    let readings: [(&str, Reading); 3] = [
        ("certificate", |bytes| Certificate::from_der(bytes).map(|read| Content::Certificate(Box::new(read)))),
        ("certification request", |bytes| {
            CertificationRequest::from_der(bytes).map(|read| Content::CertificationRequest(Box::new(read)))
        }),
        ("revocation list", |bytes| {
            CertificateRevocationList::from_der(bytes).map(|read| Content::RevocationList(Box::new(read)))
        }),
    ];
    if let Some(content) = readings.iter().find_map(|(_, read)| read(bytes).ok()) {
        return Ok(content);
    }
    let likely = to_be_signed.map_or(0, likely);
    let (what, read) = readings.get(likely).unwrap_or(&readings[0]);
    match read(bytes) {
        Ok(content) => Ok(content),
        Err(error) => Ok(Content::Malformed { what: (*what).to_owned(), why: error.to_string() }),
    }
}

type Reading = fn(&[u8]) -> Result<Content, X509Error>;

/// Which of certificate (0), request (1) and list (2) a damaged structure was meant to be, by its fields' tags.
fn likely(to_be_signed: Tlv<'_>) -> usize {
    let mut fields = to_be_signed.reader();
    let mut tags = Vec::new();
    while let Some(field) = next(&mut fields) {
        tags.push(field.tag);
    }
    let times = [tag::UTC_TIME, tag::GENERALIZED_TIME];
    if tags.iter().any(|tag| times.contains(tag)) {
        2
    } else if tags.first() == Some(&tag::INTEGER) && tags.get(3) == Some(&tag::context_constructed(0)) {
        1
    } else {
        0
    }
}

pub(super) fn ocsp_response(bytes: &[u8]) -> Content {
    sound(OcspResponse::from_der(bytes), "OCSP response", Content::OcspResponse)
}

pub(super) fn ocsp_request(bytes: &[u8]) -> Content {
    sound(OcspRequest::from_der(bytes), "OCSP request", Content::OcspRequest)
}

fn key(read: Result<Content, KeyError>, what: &str) -> Result<Content, ContainerError> {
    Ok(read.unwrap_or_else(|error| refused(&error, what)))
}

fn next<'a>(fields: &mut Reader<'a>) -> Option<Tlv<'a>> {
    if fields.is_empty() { None } else { fields.any().ok() }
}

fn tag_of(field: Option<Tlv<'_>>) -> Option<u8> {
    field.map(|field| field.tag)
}

/// The content octets that identifiers of PKCS #7 types begin with.
const CMS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];

/// The tag of optionalSignature (RFC 6960 §4.1.1).
const SIGNATURE: u8 = tag::context_constructed(0);
