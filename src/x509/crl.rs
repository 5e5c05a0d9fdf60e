//! A certificate revocation list (RFC 5280 §5.1).

use std::ops::Range;

use ::time::OffsetDateTime;

use super::extension::{CrlNumber, CrlReason, ExtensionError, ReasonCode};
use super::{DistinguishedName, Extensions, SerialNumber, X509Error, part, whole};
use crate::encoding::der::{self, tag};
use crate::key::{PublicKey, SignatureAlgorithm, SignatureError};
use x509_parser::prelude::FromDer;

const KIND: &str = "revocation list";

/// A revocation list.
#[derive(Clone)]
pub struct CertificateRevocationList {
    der: Vec<u8>,
    tbs: Range<usize>,
    signature_algorithm: Range<usize>,
    signature: Range<usize>,
    issuer: DistinguishedName,
    this_update: OffsetDateTime,
    next_update: Option<OffsetDateTime>,
    entries: Vec<RevokedCertificate>,
    extensions: Extensions,
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
    /// Reads one list; nothing may follow it.
    pub fn from_der(encoding: &[u8]) -> Result<Self, X509Error> {
        let parsed = whole(KIND, x509_parser::revocation_list::CertificateRevocationList::from_der(encoding))?;

        let at = |slice: &[u8]| {
            let start = slice.as_ptr() as usize - encoding.as_ptr() as usize;
            start..start + slice.len()
        };
        let mut outer = der::only_reader(encoding, tag::SEQUENCE).map_err(part(KIND, "the outer SEQUENCE"))?;
        let tbs = outer.expect_tlv(tag::SEQUENCE).map_err(part(KIND, "tbsCertList"))?;
        let signature_algorithm = outer.expect_tlv(tag::SEQUENCE).map_err(part(KIND, "signatureAlgorithm"))?;
        let signature = outer.bit_string().map_err(part(KIND, "signatureValue"))?;
        outer.finish().map_err(part(KIND, "the outer SEQUENCE"))?;

        let list = &parsed.tbs_cert_list;
        let extensions = own_extensions(list.extensions());
        let entries = list
            .revoked_certificates
            .iter()
            .map(|entry| RevokedCertificate {
                serial: SerialNumber::from_content(entry.raw_serial()),
                revocation_date: entry.revocation_date.to_datetime(),
                extensions: own_extensions(entry.extensions()),
            })
            .collect();
        Ok(Self {
            tbs: at(tbs.raw),
            signature_algorithm: at(signature_algorithm.raw),
            signature: at(signature),
            issuer: DistinguishedName::from_der(list.issuer.as_raw()).map_err(part(KIND, "issuer"))?,
            this_update: list.this_update.to_datetime(),
            next_update: list.next_update.map(|time| time.to_datetime()),
            entries,
            extensions,
            der: encoding.to_vec(),
        })
    }

    /// The encoding.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Who issued the list.
    pub fn issuer(&self) -> &DistinguishedName {
        &self.issuer
    }

    /// When it was issued.
    pub fn this_update(&self) -> OffsetDateTime {
        self.this_update
    }

    /// By when the next one is issued.
    pub fn next_update(&self) -> Option<OffsetDateTime> {
        self.next_update
    }

    /// The entries, in order.
    pub fn entries(&self) -> &[RevokedCertificate] {
        &self.entries
    }

    /// The list's extensions.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// The list's number, if it has one.
    pub fn number(&self) -> Result<Option<CrlNumber>, ExtensionError> {
        Ok(self.extensions.find::<CrlNumber>()?.map(|found| found.value))
    }

    /// The algorithm of the signature.
    pub fn signature_algorithm(&self) -> Result<SignatureAlgorithm, SignatureError> {
        SignatureAlgorithm::from_algorithm_identifier(self.slice(&self.signature_algorithm))
    }

    /// Checks the signature with this key.
    pub fn verify_signature(&self, key: &PublicKey) -> Result<(), SignatureError> {
        self.signature_algorithm()?.verify(key, self.slice(&self.tbs), self.slice(&self.signature))
    }

    fn slice(&self, range: &Range<usize>) -> &[u8] {
        self.der.get(range.clone()).unwrap_or_default()
    }
}

impl std::fmt::Debug for CertificateRevocationList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CertificateRevocationList(issuer {}, {} entries)", self.issuer, self.entries.len())
    }
}

fn own_extensions(parsed: &[x509_parser::extensions::X509Extension<'_>]) -> Extensions {
    let own = |extension: &x509_parser::extensions::X509Extension<'_>| super::Extension {
        oid: crate::encoding::Oid::from_content(extension.oid.as_bytes())
            .unwrap_or(crate::encoding::Oid::from_static(&[0])),
        critical: extension.critical,
        value: extension.value.to_vec(),
    };
    Extensions::new(parsed.iter().map(own).collect())
}
