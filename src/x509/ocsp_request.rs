//! An OCSP request (RFC 6960 §4.1.1), as a responder reads it: within bounds, and strictly; and as a client writes it.

use super::ocsp::{self, CertId};
use super::{Certificate, Extension, Extensions, X509Error, oids, part};
use crate::encoding::Oid;
use crate::encoding::der::{self, DerError, Reader, tag};
use crate::key::{KeyError, digest};

const KIND: &str = "OCSP request";

/// A request. Whether it is signed makes no difference to what it asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OcspRequest {
    certificates: Vec<AskedCertificate>,
    nonce: Option<Vec<u8>>,
    unknown_critical: Option<Oid>,
    signed: bool,
}

/// A certificate whose status is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedCertificate {
    /// Which one.
    pub id: CertId,
    /// The encoding of its CertID, to be given back as it came.
    pub encoding: Vec<u8>,
}

impl OcspRequest {
    /// The longest request that is read, in octets. One about a certificate has about 80.
    pub const LONGEST: usize = 16 << 10;

    /// The most certificates that are asked about in one request.
    pub const MOST_CERTIFICATES: usize = 64;

    /// The longest nonce, in octets (RFC 9654 §2.1).
    pub const LONGEST_NONCE: usize = 128;

    /// Reads one request; nothing may follow it.
    ///
    /// # Errors
    /// When it is malformed or longer than [`Self::LONGEST`], asks about none or too many, is of a version other than 1, or
    /// its nonce is empty or longer than [`Self::LONGEST_NONCE`]: `malformedRequest` is the answer to all of them.
    pub fn from_der(encoding: &[u8]) -> Result<Self, X509Error> {
        if encoding.len() > Self::LONGEST {
            return Err(part(KIND, "the outer SEQUENCE")(DerError::Value("it is too long")));
        }
        let mut outer = der::only_reader(encoding, tag::SEQUENCE).map_err(part(KIND, "the outer SEQUENCE"))?;
        let mut tbs = outer.sequence().map_err(part(KIND, "tbsRequest"))?;
        let signature =
            outer.optional(tag::context_constructed(0)).map_err(part(KIND, "optionalSignature"))?.map(read_signature);
        let signed = signature.transpose().map_err(part(KIND, "optionalSignature"))?.is_some();
        outer.finish().map_err(part(KIND, "the outer SEQUENCE"))?;

        // Version 1 is the default, so DER leaves it out; it is taken all the same, as there is no other.
        let version = tbs.optional(tag::context_constructed(0)).map_err(part(KIND, "version"))?;
        if version.is_some_and(|version| version != [tag::INTEGER, 1, 0]) {
            return Err(part(KIND, "version")(DerError::Value("a version other than 1")));
        }
        tbs.optional(tag::context_constructed(1)).map_err(part(KIND, "requestorName"))?;
        let list = tbs.sequence().map_err(part(KIND, "requestList"))?;
        let mut unknown_critical = None;
        let certificates = read_list(list, &mut unknown_critical).map_err(part(KIND, "requestList"))?;
        let extensions = read_extensions(&mut tbs, 2).map_err(part(KIND, "requestExtensions"))?;
        tbs.finish().map_err(part(KIND, "tbsRequest"))?;

        let nonce = ocsp::nonce_in(&extensions).map_err(|error| part(KIND, "nonce")(error.source))?;
        if nonce.as_ref().is_some_and(|nonce| nonce.is_empty() || nonce.len() > Self::LONGEST_NONCE) {
            return Err(part(KIND, "nonce")(DerError::Value("it has not between 1 and 128 octets (RFC 9654 §2.1)")));
        }
        let unknown_critical = unknown_critical.or_else(|| critical(&extensions));
        Ok(Self { certificates, nonce, unknown_critical, signed })
    }

    /// The encoding of a request about `certificate` of `issuer`, by SHA-1 digests, which every responder has to know (RFC
    /// 5019 §2.1.1): they name the issuer and prove nothing. A nonce has between 1 and [`Self::LONGEST_NONCE`] octets.
    ///
    /// # Errors
    /// Where the issuer's key is none.
    pub fn about(certificate: &Certificate, issuer: &Certificate, nonce: Option<&[u8]>) -> Result<Vec<u8>, KeyError> {
        let key = issuer.public_key()?;
        let id = der::sequence(&[
            &der::sequence(&[&der::oid(&oids::SHA1), &der::null()]),
            &der::octet_string(&digest::sha1(certificate.issuer().der())),
            &der::octet_string(&digest::sha1(key.subject_public_key())),
            &der::tlv(tag::INTEGER, certificate.serial().content()),
        ]);
        let nonce = nonce.map(|nonce| {
            let extension = Extension { oid: oids::OCSP_NONCE, critical: false, value: der::octet_string(nonce) };
            der::tlv(tag::context_constructed(2), &der::sequence(&[&extension.to_der()]))
        });
        let list = der::sequence(&[&der::sequence(&[&id])]);
        Ok(der::sequence(&[&der::sequence(&[&list, &nonce.unwrap_or_default()])]))
    }

    /// The certificates it asks about, in order: one at least.
    pub fn certificates(&self) -> &[AskedCertificate] {
        &self.certificates
    }

    /// The nonce to be given back (RFC 9654).
    pub fn nonce(&self) -> Option<&[u8]> {
        self.nonce.as_deref()
    }

    /// A critical extension that is not known: such a request is not answered (RFC 6960 §4.4).
    pub fn unknown_critical(&self) -> Option<&Oid> {
        self.unknown_critical.as_ref()
    }

    /// Whether it is signed.
    pub fn is_signed(&self) -> bool {
        self.signed
    }
}

fn read_list(mut list: Reader<'_>, unknown_critical: &mut Option<Oid>) -> Result<Vec<AskedCertificate>, DerError> {
    let mut certificates = Vec::new();
    while !list.is_empty() {
        if certificates.len() == OcspRequest::MOST_CERTIFICATES {
            return Err(DerError::Value("it asks about too many certificates"));
        }
        let mut asked = list.sequence()?;
        let id = asked.expect_tlv(tag::SEQUENCE)?;
        let extensions = read_extensions(&mut asked, 0)?;
        asked.finish()?;
        if unknown_critical.is_none() {
            *unknown_critical = critical(&extensions);
        }
        check_hash(id.reader())?;
        let encoding = id.raw.to_vec();
        certificates.push(AskedCertificate { id: ocsp::read_certificate_id(id.reader())?, encoding });
    }
    if certificates.is_empty() {
        return Err(DerError::Value("it asks about no certificate"));
    }
    Ok(certificates)
}

/// The parameters of a hash algorithm are absent or NULL (RFC 5754 §2). A responder keeps answers by the octets of the
/// CertID, so there must not be endless ways to write one.
fn check_hash(mut id: Reader<'_>) -> Result<(), DerError> {
    let mut algorithm = id.sequence()?;
    algorithm.oid()?;
    if !algorithm.is_empty() {
        algorithm.null()?;
    }
    algorithm.finish()
}

/// `[number] EXPLICIT Extensions`, where they are there.
fn read_extensions(fields: &mut Reader<'_>, number: u8) -> Result<Extensions, DerError> {
    let Some(list) = fields.optional(tag::context_constructed(number))? else { return Ok(Extensions::default()) };
    let extensions = Extensions::from_der(list)?;
    match extensions.duplicate() {
        Some(_) => Err(DerError::Value("an extension stands twice")),
        None => Ok(extensions),
    }
}

fn critical(extensions: &Extensions) -> Option<Oid> {
    let unknown = extensions.iter().find(|extension| extension.critical && extension.oid != oids::OCSP_NONCE);
    unknown.map(|extension| extension.oid.clone())
}

/// Signature (RFC 6960 §4.1.1): its form alone.
fn read_signature(encoding: &[u8]) -> Result<(), DerError> {
    let mut fields = der::only_reader(encoding, tag::SEQUENCE)?;
    fields.expect(tag::SEQUENCE)?;
    fields.bit_string()?;
    fields.optional(tag::context_constructed(0))?;
    fields.finish()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn id(serial: u8) -> Vec<u8> {
        der::sequence(&[
            &der::sequence(&[&der::oid(&oids::SHA1), &der::null()]),
            &der::octet_string(&[1; 20]),
            &der::octet_string(&[2; 20]),
            &der::unsigned(&[serial]),
        ])
    }

    fn request(ids: &[Vec<u8>], extensions: &[Extension]) -> Vec<u8> {
        let list: Vec<u8> = ids.iter().flat_map(|id| der::sequence(&[id])).collect();
        let extensions: Vec<u8> = extensions.iter().flat_map(Extension::to_der).collect();
        let extensions = match extensions.is_empty() {
            true => Vec::new(),
            false => der::tlv(tag::context_constructed(2), &der::tlv(tag::SEQUENCE, &extensions)),
        };
        der::sequence(&[&der::sequence(&[&der::tlv(tag::SEQUENCE, &list), &extensions])])
    }

    fn nonce(octets: usize) -> Extension {
        Extension { oid: oids::OCSP_NONCE, critical: false, value: der::octet_string(&vec![7; octets]) }
    }

    #[test]
    fn what_is_asked_is_kept_as_it_came() {
        let read = OcspRequest::from_der(&request(&[id(1), id(2)], &[nonce(32)])).unwrap();
        assert_eq!(read.nonce(), Some(&[7; 32][..]));
        let [one, two] = read.certificates() else { panic!("not two") };
        assert_eq!((one.encoding.clone(), two.encoding.clone()), (id(1), id(2)));
        assert_eq!(two.id.serial.content(), [2]);
        assert!(!read.is_signed() && read.unknown_critical().is_none());
    }

    #[test]
    fn a_nonce_has_between_1_and_128_octets() {
        for (octets, taken) in [(0, false), (1, true), (128, true), (129, false)] {
            assert_eq!(OcspRequest::from_der(&request(&[id(1)], &[nonce(octets)])).is_ok(), taken, "{octets}");
        }
    }

    #[test]
    fn a_request_about_nothing_or_too_much_is_malformed() {
        assert!(OcspRequest::from_der(&request(&[], &[])).is_err());
        let many = |count: usize| request(&vec![id(1); count], &[]);
        assert!(OcspRequest::from_der(&many(OcspRequest::MOST_CERTIFICATES)).is_ok());
        assert!(OcspRequest::from_der(&many(OcspRequest::MOST_CERTIFICATES + 1)).is_err());
        let mut trailing = request(&[id(1)], &[]);
        trailing.push(0);
        assert!(OcspRequest::from_der(&trailing).is_err());
    }

    #[test]
    fn a_critical_extension_that_is_not_known_is_told() {
        let unknown = Extension { oid: oids::SHA1, critical: true, value: Vec::new() };
        let read = OcspRequest::from_der(&request(&[id(1)], &[unknown])).unwrap();
        assert_eq!(read.unknown_critical(), Some(&oids::SHA1));
        assert!(OcspRequest::from_der(&request(&[id(1)], &[nonce(1), nonce(1)])).is_err());
    }

    #[test]
    fn no_cut_or_changed_request_panics() {
        let whole = request(&[id(1), id(2)], &[nonce(16)]);
        for end in 0..whole.len() {
            assert!(OcspRequest::from_der(whole.get(..end).unwrap()).is_err());
            let mut changed = whole.clone();
            *changed.get_mut(end).unwrap() ^= 0x20;
            _ = OcspRequest::from_der(&changed);
        }
    }
}
