//! PKCS#7 as a bag of certificates and lists: SignedData that nobody signed (RFC 2315 §9, RFC 5652 §5; `.p7b`, `.p7c`).
//! Signatures in it are not looked at: what it holds is judged elsewhere.

use super::contents::{Content, sound};
use crate::encoding::Oid;
use crate::encoding::der::{self, DerError, Reader, tag};
use crate::x509::{Certificate, CertificateRevocationList};

/// id-signedData (RFC 5652 §5.1).
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];

/// The most certificates and lists that are read of one structure; a store of all public roots has some hundred.
const MOST: usize = 10_000;

/// Every certificate and list in it, in order.
///
/// # Errors
/// Where it is another structure, holds nothing, or is no DER: BER with indefinite lengths is not read.
pub(super) fn read(encoding: &[u8]) -> Result<Vec<Content>, DerError> {
    let mut outer = der::only_reader(encoding, tag::SEQUENCE)?;
    if outer.expect(tag::OID)? != SIGNED_DATA {
        return Err(DerError::Value("it is no SignedData: nothing else holds certificates in the open"));
    }
    let content = outer.optional(tag::context_constructed(0))?.ok_or(DerError::Truncated)?;
    outer.finish()?;
    let mut fields = der::only_reader(content, tag::SEQUENCE)?;
    fields.small_unsigned()?;
    fields.expect(tag::SET)?;
    fields.sequence()?.oid().map(|_: Oid| ())?;
    let certificates = fields.optional(tag::context_constructed(0))?.unwrap_or_default();
    let lists = fields.optional(tag::context_constructed(1))?.unwrap_or_default();
    fields.expect(tag::SET)?;
    fields.finish()?;

    let certificate = |der: &[u8]| sound(Certificate::from_der(der), "certificate", Content::Certificate);
    let list = |der: &[u8]| sound(CertificateRevocationList::from_der(der), "revocation list", Content::RevocationList);
    let mut contents = elements(certificates, certificate)?;
    contents.extend(elements(lists, list)?);
    if contents.is_empty() {
        return Err(DerError::Value("it holds neither a certificate nor a revocation list"));
    }
    Ok(contents)
}

/// The SEQUENCEs of a set; its other choices, attribute certificates and lists of other forms, are passed over.
fn elements(set: &[u8], read: impl Fn(&[u8]) -> Content) -> Result<Vec<Content>, DerError> {
    let mut set = Reader::new(set);
    let mut contents = Vec::new();
    while !set.is_empty() {
        let element = set.any()?;
        if contents.len() == MOST {
            return Err(DerError::Value("it holds too many certificates"));
        }
        if element.tag == tag::SEQUENCE {
            contents.push(read(element.raw));
        }
    }
    Ok(contents)
}
