//! An OCSP response (RFC 6960 §4.2.1).

use std::ops::Range;
use std::sync::Arc;

use ::time::OffsetDateTime;

use super::extension::{CrlReason, ExtensionError};
use super::{Certificate, DistinguishedName, Extensions, SerialNumber, X509Error, oids, part, time};
use crate::encoding::Oid;
use crate::encoding::der::{self, DerError, Reader, Tlv, tag};
use crate::key::{PublicKey, SignatureAlgorithm, SignatureError, digest};

const KIND: &str = "OCSP response";

/// A response: an error, or a signed answer about some certificates.
#[derive(Debug, Clone)]
pub enum OcspResponse {
    /// A signed answer.
    Successful(BasicOcspResponse),
    /// The responder declines: the code and name of its responseStatus.
    Declined(OcspDecline),
}

/// Why a responder declines (RFC 6960 §4.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OcspDecline {
    /// The request was malformed (1).
    MalformedRequest,
    /// Something is wrong with the responder (2).
    InternalError,
    /// It will answer later (3).
    TryLater,
    /// The request has to be signed (5).
    SigRequired,
    /// It does not answer this client (6).
    Unauthorized,
}

/// A BasicOCSPResponse. Copies share one parsed value.
#[derive(Clone)]
pub struct BasicOcspResponse {
    fields: Arc<Fields>,
}

struct Fields {
    der: Vec<u8>,
    tbs: Range<usize>,
    signature_algorithm: Range<usize>,
    signature: Range<usize>,
    responder: ResponderId,
    produced_at: OffsetDateTime,
    responses: Vec<SingleResponse>,
    extensions: Extensions,
    certificates: Vec<Certificate>,
}

/// Who says that it made the response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResponderId {
    /// The one with this name.
    Name(DistinguishedName),
    /// The one with the key of this SHA-1 digest.
    KeyHash(Vec<u8>),
}

/// The answer about one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SingleResponse {
    /// Which certificate.
    pub certificate: CertId,
    /// Its status.
    pub status: OcspStatus,
    /// When this was known to be right.
    pub this_update: OffsetDateTime,
    /// By when there is something newer; `None` says that there always is.
    pub next_update: Option<OffsetDateTime>,
    /// The extensions of this answer.
    pub extensions: Extensions,
}

/// A certificate by its issuer's digests and its serial number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertId {
    /// The hash algorithm of both digests.
    pub hash: Oid,
    /// The digest of the issuer's name.
    pub issuer_name_hash: Vec<u8>,
    /// The digest of the issuer's key.
    pub issuer_key_hash: Vec<u8>,
    /// The serial number.
    pub serial: SerialNumber,
}

/// A certificate's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OcspStatus {
    /// Not revoked, as far as the responder knows.
    Good,
    /// Revoked.
    Revoked {
        /// Since when.
        since: OffsetDateTime,
        /// Why; `None` where the response does not say.
        reason: Option<CrlReason>,
    },
    /// The responder does not know the certificate.
    Unknown,
}

impl OcspResponse {
    /// Reads one response; nothing may follow it.
    pub fn from_der(encoding: &[u8]) -> Result<Self, X509Error> {
        let mut outer = der::only_reader(encoding, tag::SEQUENCE).map_err(part(KIND, "the outer SEQUENCE"))?;
        let status = outer.expect(tag::ENUMERATED).map_err(part(KIND, "responseStatus"))?;
        let bytes = outer.optional(tag::context_constructed(0)).map_err(part(KIND, "responseBytes"))?;
        outer.finish().map_err(part(KIND, "the outer SEQUENCE"))?;
        let decline = match status {
            [0] => {
                let bytes = bytes.ok_or(DerError::Truncated).and_then(basic_response);
                return Ok(Self::Successful(BasicOcspResponse::from_der(bytes.map_err(part(KIND, "responseBytes"))?)?));
            }
            [1] => OcspDecline::MalformedRequest,
            [2] => OcspDecline::InternalError,
            [3] => OcspDecline::TryLater,
            [5] => OcspDecline::SigRequired,
            [6] => OcspDecline::Unauthorized,
            _ => {
                return Err(part(KIND, "responseStatus")(DerError::Value(
                    "a status that RFC 6960 §4.2.1 does not define",
                )));
            }
        };
        Ok(Self::Declined(decline))
    }
}

impl OcspDecline {
    /// The standard's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::MalformedRequest => "malformedRequest",
            Self::InternalError => "internalError",
            Self::TryLater => "tryLater",
            Self::SigRequired => "sigRequired",
            Self::Unauthorized => "unauthorized",
        }
    }
}

impl BasicOcspResponse {
    fn from_der(encoding: &[u8]) -> Result<Self, X509Error> {
        let at = |slice: &[u8]| {
            let start = slice.as_ptr() as usize - encoding.as_ptr() as usize;
            start..start + slice.len()
        };
        let mut outer = der::only_reader(encoding, tag::SEQUENCE).map_err(part(KIND, "BasicOCSPResponse"))?;
        let tbs = outer.expect_tlv(tag::SEQUENCE).map_err(part(KIND, "tbsResponseData"))?;
        let signature_algorithm = outer.expect_tlv(tag::SEQUENCE).map_err(part(KIND, "signatureAlgorithm"))?;
        let signature = outer.bit_string().map_err(part(KIND, "signature"))?;
        let certificates = match outer.optional(tag::context_constructed(0)).map_err(part(KIND, "certs"))? {
            Some(list) => read_certificates(list)?,
            None => Vec::new(),
        };
        outer.finish().map_err(part(KIND, "BasicOCSPResponse"))?;

        let mut fields = tbs.reader();
        // Version 1 is the default, so DER leaves it out; there is no other.
        let version = fields.optional(tag::context_constructed(0)).map_err(part(KIND, "version"))?;
        if version.is_some_and(|version| version != [tag::INTEGER, 1, 0]) {
            return Err(part(KIND, "version")(DerError::Value("a version other than 1")));
        }
        let responder = fields.any().and_then(read_responder).map_err(part(KIND, "responderID"))?;
        let produced_at = generalized(&mut fields).map_err(part(KIND, "producedAt"))?;
        let responses = fields.sequence().and_then(read_responses).map_err(part(KIND, "responses"))?;
        let extensions = read_extensions(&mut fields).map_err(part(KIND, "responseExtensions"))?;
        fields.finish().map_err(part(KIND, "tbsResponseData"))?;

        let fields = Fields {
            tbs: at(tbs.raw),
            signature_algorithm: at(signature_algorithm.raw),
            signature: at(signature),
            responder,
            produced_at,
            responses,
            extensions,
            certificates,
            der: encoding.to_vec(),
        };
        Ok(Self { fields: Arc::new(fields) })
    }

    /// The encoding of the BasicOCSPResponse.
    pub fn der(&self) -> &[u8] {
        &self.fields.der
    }

    /// Who says that it made the response.
    pub fn responder(&self) -> &ResponderId {
        &self.fields.responder
    }

    /// When it was signed.
    pub fn produced_at(&self) -> OffsetDateTime {
        self.fields.produced_at
    }

    /// The answers.
    pub fn responses(&self) -> &[SingleResponse] {
        &self.fields.responses
    }

    /// The extensions of the whole response.
    pub fn extensions(&self) -> &Extensions {
        &self.fields.extensions
    }

    /// Certificates that may help to check the signature.
    pub fn certificates(&self) -> &[Certificate] {
        &self.fields.certificates
    }

    /// The nonce of the request that it answers (RFC 9654); an error where it is malformed.
    pub fn nonce(&self) -> Result<Option<Vec<u8>>, ExtensionError> {
        nonce_in(&self.fields.extensions)
    }

    /// The algorithm of the signature.
    pub fn signature_algorithm(&self) -> Result<SignatureAlgorithm, SignatureError> {
        SignatureAlgorithm::from_algorithm_identifier(self.slice(&self.fields.signature_algorithm))
    }

    /// Checks the signature with this key.
    pub fn verify_signature(&self, key: &PublicKey) -> Result<(), SignatureError> {
        let (tbs, signature) = (self.slice(&self.fields.tbs), self.slice(&self.fields.signature));
        self.signature_algorithm()?.verify(key, tbs, signature)
    }

    fn slice(&self, range: &Range<usize>) -> &[u8] {
        self.fields.der.get(range.clone()).unwrap_or_default()
    }
}

impl ResponderId {
    /// Whether this certificate is the responder's.
    pub fn is(&self, certificate: &Certificate) -> bool {
        match self {
            Self::Name(name) => certificate.subject().matches(name),
            Self::KeyHash(hash) => {
                certificate.public_key().is_ok_and(|key| digest::sha1(key.subject_public_key()) == **hash)
            }
        }
    }
}

impl OcspDecline {
    /// The number of the responseStatus (RFC 6960 §4.2.1).
    pub fn code(self) -> u8 {
        match self {
            Self::MalformedRequest => 1,
            Self::InternalError => 2,
            Self::TryLater => 3,
            Self::SigRequired => 5,
            Self::Unauthorized => 6,
        }
    }
}

impl CertId {
    /// Whether this is `certificate` under `issuer`; `None` where the digests are of a hash algorithm that is not known.
    pub fn is(&self, certificate: &Certificate, issuer: &Certificate) -> Option<bool> {
        let issued = self.is_under(certificate.issuer(), issuer)?;
        Some(issued && self.serial == *certificate.serial())
    }

    /// Whether this is a certificate that `issuer` signed under its own name; `None` where the digests are of a hash
    /// algorithm that is not known.
    pub fn is_issued_by(&self, issuer: &Certificate) -> Option<bool> {
        self.is_under(issuer.subject(), issuer)
    }

    fn is_under(&self, name: &DistinguishedName, issuer: &Certificate) -> Option<bool> {
        let digest: fn(&[u8]) -> Vec<u8> = match &self.hash {
            hash if *hash == oids::SHA1 => |data| digest::sha1(data).to_vec(),
            hash if *hash == oids::SHA256 => |data| digest::sha256(data).to_vec(),
            hash if *hash == oids::SHA384 => |data| digest::sha384(data).to_vec(),
            hash if *hash == oids::SHA512 => |data| digest::sha512(data).to_vec(),
            _ => return None,
        };
        let Ok(key) = issuer.public_key() else { return Some(false) };
        // RFC 6960 §4.1.1: the name as it stands in the certificate, the key without tag, length and unused bits.
        let same =
            self.issuer_key_hash == digest(key.subject_public_key()) && self.issuer_name_hash == digest(name.der());
        Some(same)
    }
}

impl std::fmt::Display for ResponderId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => write!(f, "\"{name}\""),
            Self::KeyHash(hash) => write!(f, "the key {}", crate::encoding::hex::encode(hash)),
        }
    }
}

impl std::fmt::Debug for BasicOcspResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BasicOcspResponse(responder {}, {} answers)", self.responder(), self.responses().len())
    }
}

/// The nonce among the extensions of a request or response.
pub(super) fn nonce_in(extensions: &Extensions) -> Result<Option<Vec<u8>>, ExtensionError> {
    let Some(extension) = extensions.get(&oids::OCSP_NONCE) else { return Ok(None) };
    let mut reader = Reader::new(&extension.value);
    let nonce = reader.octet_string().and_then(|nonce| reader.finish().map(|()| nonce.to_vec()));
    nonce.map(Some).map_err(|source| ExtensionError { oid: oids::OCSP_NONCE, source })
}

/// ResponseBytes, of which one type is defined (RFC 6960 §4.2.1).
fn basic_response(bytes: &[u8]) -> Result<&[u8], DerError> {
    let mut fields = der::only_reader(bytes, tag::SEQUENCE)?;
    if fields.oid()? != oids::OCSP_BASIC {
        return Err(DerError::Value("a responseType other than id-pkix-ocsp-basic"));
    }
    let response = fields.octet_string()?;
    fields.finish()?;
    Ok(response)
}

fn read_responder(responder: Tlv<'_>) -> Result<ResponderId, DerError> {
    match responder.tag {
        name if name == tag::context_constructed(1) => {
            DistinguishedName::from_der(responder.value).map(ResponderId::Name)
        }
        key if key == tag::context_constructed(2) => {
            let mut hash = responder.reader();
            let octets = hash.octet_string()?.to_vec();
            hash.finish()?;
            Ok(ResponderId::KeyHash(octets))
        }
        found => Err(DerError::Tag { wanted: tag::context_constructed(1), found }),
    }
}

fn read_responses(mut list: Reader<'_>) -> Result<Vec<SingleResponse>, DerError> {
    let mut responses = Vec::new();
    while !list.is_empty() {
        let mut single = list.sequence()?;
        let certificate = read_certificate_id(single.sequence()?)?;
        let status = single.any().and_then(read_status)?;
        let this_update = generalized(&mut single)?;
        let next_update = match single.optional(tag::context_constructed(0))? {
            Some(time) => Some(whole_generalized(time)?),
            None => None,
        };
        let extensions = read_extensions(&mut single)?;
        single.finish()?;
        responses.push(SingleResponse { certificate, status, this_update, next_update, extensions });
    }
    Ok(responses)
}

pub(super) fn read_certificate_id(mut fields: Reader<'_>) -> Result<CertId, DerError> {
    let hash = fields.sequence()?.oid()?;
    let issuer_name_hash = fields.octet_string()?.to_vec();
    let issuer_key_hash = fields.octet_string()?.to_vec();
    let serial = SerialNumber::from_content(fields.integer()?);
    fields.finish()?;
    Ok(CertId { hash, issuer_name_hash, issuer_key_hash, serial })
}

fn read_status(status: Tlv<'_>) -> Result<OcspStatus, DerError> {
    match status.tag {
        good if good == tag::context(0) && status.value.is_empty() => Ok(OcspStatus::Good),
        unknown if unknown == tag::context(2) && status.value.is_empty() => Ok(OcspStatus::Unknown),
        revoked if revoked == tag::context_constructed(1) => {
            let mut fields = status.reader();
            let since = generalized(&mut fields)?;
            let reason = match fields.optional(tag::context_constructed(0))? {
                Some(reason) => Some(read_reason(reason)?),
                None => None,
            };
            fields.finish()?;
            Ok(OcspStatus::Revoked { since, reason })
        }
        _ => Err(DerError::Value("a certStatus that RFC 6960 §4.2.1 does not define")),
    }
}

fn read_reason(encoding: &[u8]) -> Result<CrlReason, DerError> {
    use super::extension::{ExtensionType, ReasonCode};
    ReasonCode::from_der(encoding).map(|reason| reason.0)
}

/// `[1] EXPLICIT Extensions`, where they are there.
fn read_extensions(fields: &mut Reader<'_>) -> Result<Extensions, DerError> {
    match fields.optional(tag::context_constructed(1))? {
        Some(list) => Extensions::from_der(list),
        None => Ok(Extensions::default()),
    }
}

fn read_certificates(list: &[u8]) -> Result<Vec<Certificate>, X509Error> {
    let mut list = der::only_reader(list, tag::SEQUENCE).map_err(part(KIND, "certs"))?;
    let mut certificates = Vec::new();
    while !list.is_empty() {
        let certificate = list.expect_tlv(tag::SEQUENCE).map_err(part(KIND, "certs"))?;
        certificates.push(Certificate::from_der(certificate.raw)?);
    }
    Ok(certificates)
}

fn generalized(fields: &mut Reader<'_>) -> Result<OffsetDateTime, DerError> {
    time::decode(fields.expect_tlv(tag::GENERALIZED_TIME)?)
}

fn whole_generalized(encoding: &[u8]) -> Result<OffsetDateTime, DerError> {
    let mut fields = Reader::new(encoding);
    let time = generalized(&mut fields)?;
    fields.finish().map(|()| time)
}
