//! A certificate revocation list (RFC 5280 §5.1).

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use ::time::OffsetDateTime;

use super::crl_index::Index;
use super::extension::{CrlNumber, CrlReason, DeltaCrlIndicator, ExtensionError, ReasonCode};
use super::{DistinguishedName, Extensions, GeneralName, SerialNumber, X509Error, oids, part, time};
use crate::encoding::Oid;
use crate::encoding::der::{self, DerError, Reader, tag};
use crate::key::{HashAlgorithm, PublicKey, SignatureAlgorithm, SignatureError};

const KIND: &str = "revocation list";

/// A revocation list. Copies share one parsed value; looking up a serial number takes no walk through the entries.
#[derive(Clone)]
pub struct CertificateRevocationList {
    fields: Arc<Fields>,
}

struct Fields {
    der: Vec<u8>,
    tbs: Range<usize>,
    tbs_signature_algorithm: Range<usize>,
    signature_algorithm: Range<usize>,
    signature: Range<usize>,
    version: u8,
    issuer: DistinguishedName,
    this_update: OffsetDateTime,
    next_update: Option<OffsetDateTime>,
    entries: Vec<RevokedCertificate>,
    extensions: Extensions,
    index: OnceLock<Index>,
}

/// One entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedCertificate {
    /// The serial number of the revoked certificate.
    pub serial: SerialNumber,
    /// When it was revoked.
    pub revocation_date: OffsetDateTime,
    /// The entry's extensions.
    pub extensions: Extensions,
}

impl RevokedCertificate {
    /// Why it was revoked; `None` where the entry does not say.
    pub fn reason(&self) -> Result<Option<CrlReason>, ExtensionError> {
        Ok(self.extensions.find::<ReasonCode>()?.map(|found| found.value.0))
    }
}

impl CertificateRevocationList {
    /// Reads one list; nothing may follow it. Structure and DER are checked, the rules of RFC 5280 are not: those are the
    /// verifier's to judge.
    pub fn from_der(encoding: &[u8]) -> Result<Self, X509Error> {
        let at = |slice: &[u8]| {
            let start = slice.as_ptr() as usize - encoding.as_ptr() as usize;
            start..start + slice.len()
        };
        let mut outer = der::only_reader(encoding, tag::SEQUENCE).map_err(part(KIND, "the outer SEQUENCE"))?;
        let tbs = outer.expect_tlv(tag::SEQUENCE).map_err(part(KIND, "tbsCertList"))?;
        let signature_algorithm = outer.expect_tlv(tag::SEQUENCE).map_err(part(KIND, "signatureAlgorithm"))?;
        let signature = outer.bit_string().map_err(part(KIND, "signatureValue"))?;
        outer.finish().map_err(part(KIND, "the outer SEQUENCE"))?;

        let mut fields = tbs.reader();
        let version = read_version(&mut fields).map_err(part(KIND, "version"))?;
        let tbs_signature_algorithm = fields.expect_tlv(tag::SEQUENCE).map_err(part(KIND, "signature"))?;
        let issuer = fields.expect_tlv(tag::SEQUENCE).map_err(part(KIND, "issuer"))?;
        let this_update = fields.any().and_then(time::decode).map_err(part(KIND, "thisUpdate"))?;
        let next_update = match fields.peek() {
            Some(tag::UTC_TIME | tag::GENERALIZED_TIME) => {
                Some(fields.any().and_then(time::decode).map_err(part(KIND, "nextUpdate"))?)
            }
            _ => None,
        };
        let entries = fields.optional(tag::SEQUENCE).map_err(part(KIND, "revokedCertificates"))?;
        let entries = entries.map_or(Ok(Vec::new()), read_entries).map_err(part(KIND, "revokedCertificates"))?;
        let extensions = match fields.optional(tag::context_constructed(0)).map_err(part(KIND, "crlExtensions"))? {
            Some(list) => Extensions::from_der(list).map_err(part(KIND, "crlExtensions"))?,
            None => Extensions::default(),
        };
        fields.finish().map_err(part(KIND, "tbsCertList"))?;

        let fields = Fields {
            tbs: at(tbs.raw),
            tbs_signature_algorithm: at(tbs_signature_algorithm.raw),
            signature_algorithm: at(signature_algorithm.raw),
            signature: at(signature),
            version,
            issuer: DistinguishedName::from_der(issuer.raw).map_err(part(KIND, "issuer"))?,
            this_update,
            next_update,
            entries,
            extensions,
            index: OnceLock::new(),
            der: encoding.to_vec(),
        };
        Ok(Self { fields: Arc::new(fields) })
    }

    /// The encoding.
    pub fn der(&self) -> &[u8] {
        &self.fields.der
    }

    /// The version: 1 or 2; others as they were found.
    pub fn version(&self) -> u8 {
        self.fields.version
    }

    /// Who issued the list.
    pub fn issuer(&self) -> &DistinguishedName {
        &self.fields.issuer
    }

    /// When it was issued.
    pub fn this_update(&self) -> OffsetDateTime {
        self.fields.this_update
    }

    /// By when the next one is issued.
    pub fn next_update(&self) -> Option<OffsetDateTime> {
        self.fields.next_update
    }

    /// The entries, in order.
    pub fn entries(&self) -> &[RevokedCertificate] {
        &self.fields.entries
    }

    /// The list's extensions.
    pub fn extensions(&self) -> &Extensions {
        &self.fields.extensions
    }

    /// The list's number, if it has one.
    pub fn number(&self) -> Result<Option<CrlNumber>, ExtensionError> {
        Ok(self.fields.extensions.find::<CrlNumber>()?.map(|found| found.value))
    }

    /// Whether it lists only changes since another list (RFC 5280 §5.2.4).
    pub fn is_delta(&self) -> bool {
        self.fields.extensions.get(&oids::DELTA_CRL_INDICATOR).is_some()
    }

    /// The number of the list since which a delta list has the changes.
    pub fn base_number(&self) -> Result<Option<CrlNumber>, ExtensionError> {
        let indicator = self.fields.extensions.find::<DeltaCrlIndicator>()?;
        Ok(indicator.map(|found| CrlNumber(found.value.0)))
    }

    /// The entries with this serial number, each with the issuers that its certificate has: the certificateIssuer of the
    /// entry or of the nearest one before it that has one (RFC 5280 §5.3.3); `None` stands for the list's issuer.
    pub fn entries_of(
        &self,
        serial: &SerialNumber,
    ) -> impl Iterator<Item = (&RevokedCertificate, Option<&[GeneralName]>)> {
        let entries = self.entries();
        self.index().find(entries, serial)
    }

    /// The identifiers of all critical extensions of entries, each once.
    pub fn critical_entry_extensions(&self) -> &[Oid] {
        self.index().critical()
    }

    /// The first certificateIssuer that does not parse: whose certificates the entries after it are for is unknown.
    pub fn malformed_certificate_issuer(&self) -> Option<&ExtensionError> {
        self.index().malformed()
    }

    /// The encoding of `signatureAlgorithm`, outside the signed part.
    pub fn signature_algorithm_der(&self) -> &[u8] {
        self.slice(&self.fields.signature_algorithm)
    }

    /// The encoding of `signature`, the algorithm identifier inside the signed part.
    pub fn tbs_signature_algorithm_der(&self) -> &[u8] {
        self.slice(&self.fields.tbs_signature_algorithm)
    }

    /// The algorithm of the signature.
    pub fn signature_algorithm(&self) -> Result<SignatureAlgorithm, SignatureError> {
        SignatureAlgorithm::from_algorithm_identifier(self.signature_algorithm_der())
    }

    /// The broken hash that the signature is over, where it is this key's: [`Self::verify_signature`] does not check such a one,
    /// for anybody may have made it.
    pub fn weakly_signed_with(&self, key: &PublicKey) -> Option<HashAlgorithm> {
        let (tbs, signature) = (self.slice(&self.fields.tbs), self.slice(&self.fields.signature));
        self.signature_algorithm().ok()?.weak_hash_of(key, tbs, signature)
    }

    /// Checks the signature with this key.
    pub fn verify_signature(&self, key: &PublicKey) -> Result<(), SignatureError> {
        let (tbs, signature) = (self.slice(&self.fields.tbs), self.slice(&self.fields.signature));
        self.signature_algorithm()?.verify(key, tbs, signature)
    }

    fn index(&self) -> &Index {
        self.fields.index.get_or_init(|| Index::new(self.entries()))
    }

    fn slice(&self, range: &Range<usize>) -> &[u8] {
        self.fields.der.get(range.clone()).unwrap_or_default()
    }
}

impl std::fmt::Debug for CertificateRevocationList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CertificateRevocationList(issuer {}, {} entries)", self.issuer(), self.entries().len())
    }
}

/// Absent for version 1; otherwise one less than the version.
fn read_version(fields: &mut Reader<'_>) -> Result<u8, DerError> {
    if fields.peek() != Some(tag::INTEGER) {
        return Ok(1);
    }
    let encoded = fields.small_unsigned()?;
    Ok(u8::try_from(encoded).unwrap_or(u8::MAX).saturating_add(1))
}

fn read_entries(content: &[u8]) -> Result<Vec<RevokedCertificate>, DerError> {
    let mut list = Reader::new(content);
    let mut entries = Vec::new();
    while !list.is_empty() {
        let mut entry = list.sequence()?;
        let serial = SerialNumber::from_content(entry.integer()?);
        let revocation_date = time::decode(entry.any()?)?;
        let extensions = match entry.is_empty() {
            true => Extensions::default(),
            false => Extensions::from_der(entry.expect_tlv(tag::SEQUENCE)?.raw)?,
        };
        entry.finish()?;
        entries.push(RevokedCertificate { serial, revocation_date, extensions });
    }
    Ok(entries)
}
