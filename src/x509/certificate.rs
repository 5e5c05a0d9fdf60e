//! A certificate (RFC 5280 §4.1), parsed once.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::extension::{
    AuthorityKeyIdentifier, BasicConstraints, Decoded, ExtendedKeyUsage, ExtensionError, ExtensionType, Found,
    KeyUsage, SubjectAltName, SubjectKeyIdentifier,
};
use super::{DistinguishedName, Extensions, GeneralName, SerialNumber, Validity, X509Error, outermost, parsed, part};
use crate::encoding::Oid;
use crate::encoding::der::{DerError, Reader, tag};
use crate::key::{HashAlgorithm, KeyError, PublicKey, SignatureAlgorithm, SignatureError, digest};
use x509_parser::certificate::Validity as ParsedValidity;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

const KIND: &str = "certificate";

/// A certificate. Two are equal if their encodings are. Copies share one parsed value.
#[derive(Clone)]
pub struct Certificate {
    fields: Arc<Fields>,
}

struct Fields {
    der: Vec<u8>,
    tbs: Range<usize>,
    tbs_signature_algorithm: Range<usize>,
    signature_algorithm: Range<usize>,
    signature: Range<usize>,
    public_key_info: Range<usize>,
    validity_encoding: Range<usize>,
    version: u8,
    serial: SerialNumber,
    issuer: DistinguishedName,
    subject: DistinguishedName,
    validity: Validity,
    unique_identifiers: bool,
    extensions: Extensions,
    decoded: Decoded,
    /// Found out when first asked for, as the next; a judge asks many times.
    public_key: OnceLock<Result<PublicKey, KeyError>>,
    self_issued: OnceLock<bool>,
    fingerprint: OnceLock<[u8; 32]>,
}

impl Certificate {
    /// Reads one certificate; nothing may follow it. Structure and DER are checked, the rules of RFC 5280 are not:
    /// those are the verifier's to judge.
    pub fn from_der(encoding: &[u8]) -> Result<Self, X509Error> {
        let at = |slice: &[u8]| {
            let start = slice.as_ptr() as usize - encoding.as_ptr() as usize;
            start..start + slice.len()
        };
        let mut outer = outermost(KIND, encoding)?;
        let tbs = outer.expect_tlv(tag::SEQUENCE).map_err(part(KIND, "tbsCertificate"))?;
        let signature_algorithm = outer.expect_tlv(tag::SEQUENCE).map_err(part(KIND, "signatureAlgorithm"))?;
        parsed::<AlgorithmIdentifier<'_>>(KIND, "signatureAlgorithm", signature_algorithm.raw)?;
        let signature = outer.bit_string().map_err(part(KIND, "signatureValue"))?;
        outer.finish().map_err(part(KIND, "the outer SEQUENCE"))?;

        let mut fields = tbs.reader();
        let version = match fields.optional(tag::context_constructed(0)).map_err(part(KIND, "version"))? {
            Some(version) => number(version).map_err(part(KIND, "version"))?,
            None => 0,
        };
        let serial = fields.integer().map_err(part(KIND, "serialNumber"))?;
        let tbs_signature_algorithm = fields.expect_tlv(tag::SEQUENCE).map_err(part(KIND, "signature"))?;
        parsed::<AlgorithmIdentifier<'_>>(KIND, "signature", tbs_signature_algorithm.raw)?;
        let issuer = fields.expect_tlv(tag::SEQUENCE).map_err(part(KIND, "issuer"))?;
        let validity = fields.expect_tlv(tag::SEQUENCE).map_err(part(KIND, "validity"))?;
        two_times(validity.reader()).map_err(part(KIND, "validity"))?;
        let moments: ParsedValidity = parsed(KIND, "validity", validity.raw)?;
        let subject = fields.expect_tlv(tag::SEQUENCE).map_err(part(KIND, "subject"))?;
        let public_key_info = fields.expect_tlv(tag::SEQUENCE).map_err(part(KIND, "subjectPublicKeyInfo"))?;
        parsed::<SubjectPublicKeyInfo<'_>>(KIND, "subjectPublicKeyInfo", public_key_info.raw)?;
        let issuer_unique_id = unique_identifier(&mut fields, 1).map_err(part(KIND, "issuerUniqueID"))?;
        let subject_unique_id = unique_identifier(&mut fields, 2).map_err(part(KIND, "subjectUniqueID"))?;
        let extensions = match fields.optional(tag::context_constructed(3)).map_err(part(KIND, "extensions"))? {
            Some(list) => Extensions::from_der(list).map_err(part(KIND, "extensions"))?,
            None => Extensions::default(),
        };
        fields.finish().map_err(part(KIND, "tbsCertificate"))?;

        let fields = Fields {
            tbs: at(tbs.raw),
            tbs_signature_algorithm: at(tbs_signature_algorithm.raw),
            signature_algorithm: at(signature_algorithm.raw),
            signature: at(signature),
            public_key_info: at(public_key_info.raw),
            validity_encoding: at(validity.value),
            version: u8::try_from(version).unwrap_or(u8::MAX).saturating_add(1),
            serial: SerialNumber::from_content(serial),
            issuer: DistinguishedName::from_der(issuer.raw).map_err(part(KIND, "issuer"))?,
            subject: DistinguishedName::from_der(subject.raw).map_err(part(KIND, "subject"))?,
            validity: Validity {
                not_before: moments.not_before.to_datetime(),
                not_after: moments.not_after.to_datetime(),
            },
            unique_identifiers: issuer_unique_id || subject_unique_id,
            extensions,
            decoded: Decoded::new(),
            public_key: OnceLock::new(),
            self_issued: OnceLock::new(),
            fingerprint: OnceLock::new(),
            der: encoding.to_vec(),
        };
        Ok(Self { fields: Arc::new(fields) })
    }

    /// The encoding.
    pub fn der(&self) -> &[u8] {
        &self.fields.der
    }

    /// The encoding of `tbsCertificate`, over which the signature is made.
    pub fn tbs(&self) -> &[u8] {
        self.slice(&self.fields.tbs)
    }

    /// The version: 1, 2 or 3 (encoded as 0, 1, 2).
    pub fn version(&self) -> u8 {
        self.fields.version
    }

    /// `serialNumber`.
    pub fn serial(&self) -> &SerialNumber {
        &self.fields.serial
    }

    /// `issuer`.
    pub fn issuer(&self) -> &DistinguishedName {
        &self.fields.issuer
    }

    /// `subject`.
    pub fn subject(&self) -> &DistinguishedName {
        &self.fields.subject
    }

    /// `validity`.
    pub fn validity(&self) -> &Validity {
        &self.fields.validity
    }

    /// The content octets of `validity`: two times as they were encoded.
    pub fn validity_encoding(&self) -> &[u8] {
        self.slice(&self.fields.validity_encoding)
    }

    /// Whether issuerUniqueID or subjectUniqueID is there.
    pub fn has_unique_identifiers(&self) -> bool {
        self.fields.unique_identifiers
    }

    /// `extensions`.
    pub fn extensions(&self) -> &Extensions {
        &self.fields.extensions
    }

    /// The extension of this type, if it is there; the first of several. It is decoded once.
    ///
    /// # Errors
    /// When it does not parse.
    pub fn extension<T: ExtensionType>(&self) -> Result<Option<Found<&T>>, ExtensionError> {
        self.fields.decoded.find(&self.fields.extensions)
    }

    /// Whether every extension with one of these identifiers parses, should it stand there twice.
    ///
    /// # Errors
    /// The first that does not.
    pub fn extensions_parse(&self, identifiers: &[Oid]) -> Result<(), ExtensionError> {
        self.fields.decoded.parse(&self.fields.extensions, identifiers)
    }

    /// The encoding of `subjectPublicKeyInfo`.
    pub fn public_key_info(&self) -> &[u8] {
        self.slice(&self.fields.public_key_info)
    }

    /// The subject's public key; an error where its algorithm is unknown or the key malformed.
    pub fn public_key(&self) -> Result<PublicKey, KeyError> {
        self.fields.public_key.get_or_init(|| PublicKey::from_spki_der(self.public_key_info())).clone()
    }

    /// Whether another certificate has this one's key, however its point is written.
    pub fn has_key_of(&self, other: &Self) -> bool {
        let same = |one: PublicKey| other.public_key().is_ok_and(|key| key == one);
        self.public_key_info() == other.public_key_info() || self.public_key().is_ok_and(same)
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

    /// The octets of `signatureValue`.
    pub fn signature(&self) -> &[u8] {
        self.slice(&self.fields.signature)
    }

    /// Checks the signature with this key.
    pub fn verify_signature(&self, key: &PublicKey) -> Result<(), SignatureError> {
        self.signature_algorithm()?.verify(key, self.tbs(), self.signature())
    }

    /// The broken hash that the signature is over, where it is this key's: [`Self::verify_signature`] does not check such a one,
    /// for anybody may have made it.
    pub fn weakly_signed_with(&self, key: &PublicKey) -> Option<HashAlgorithm> {
        self.signature_algorithm().ok()?.weak_hash_of(key, self.tbs(), self.signature())
    }

    /// Whether issuer and subject are the same name (RFC 5280 §3.2).
    pub fn is_self_issued(&self) -> bool {
        *self.fields.self_issued.get_or_init(|| self.fields.issuer.matches(&self.fields.subject))
    }

    /// SHA-256 of the whole certificate.
    pub fn fingerprint_sha256(&self) -> [u8; 32] {
        *self.fields.fingerprint.get_or_init(|| digest::sha256(&self.fields.der))
    }

    /// `basicConstraints`, if it is there.
    pub fn basic_constraints(&self) -> Result<Option<BasicConstraints>, ExtensionError> {
        Ok(self.value()?.copied())
    }

    /// `keyUsage`, if it is there.
    pub fn key_usage(&self) -> Result<Option<KeyUsage>, ExtensionError> {
        Ok(self.value()?.copied())
    }

    /// `extKeyUsage`, if it is there.
    pub fn extended_key_usage(&self) -> Result<Option<&ExtendedKeyUsage>, ExtensionError> {
        self.value()
    }

    /// The names of `subjectAltName`; none if it is not there.
    pub fn subject_alt_names(&self) -> Result<&[GeneralName], ExtensionError> {
        Ok(self.value::<SubjectAltName>()?.map_or(&[][..], |names| names.0.as_slice()))
    }

    /// `subjectKeyIdentifier`, if it is there.
    pub fn subject_key_identifier(&self) -> Result<Option<&[u8]>, ExtensionError> {
        Ok(self.value::<SubjectKeyIdentifier>()?.map(|identifier| identifier.0.as_slice()))
    }

    /// `authorityKeyIdentifier`, if it is there.
    pub fn authority_key_identifier(&self) -> Result<Option<&AuthorityKeyIdentifier>, ExtensionError> {
        self.value()
    }

    /// Whether basicConstraints says CA:TRUE; a malformed one does not.
    pub fn claims_ca(&self) -> bool {
        matches!(self.basic_constraints(), Ok(Some(BasicConstraints { ca: true, .. })))
    }

    /// A short name for people: the first commonName, or the first alternative name, or the whole subject.
    pub fn display_name(&self) -> String {
        let common_name = self.fields.subject.common_names().into_iter().next();
        let alternative = || self.subject_alt_names().ok().and_then(|names| names.first().map(|name| name.value()));
        let subject =
            || if self.fields.subject.is_empty() { "(no name)".to_owned() } else { self.fields.subject.to_string() };
        common_name.or_else(alternative).unwrap_or_else(subject)
    }

    fn value<T: ExtensionType>(&self) -> Result<Option<&T>, ExtensionError> {
        Ok(self.extension::<T>()?.map(|found| found.value))
    }

    fn slice(&self, range: &Range<usize>) -> &[u8] {
        self.fields.der.get(range.clone()).unwrap_or_default()
    }
}

/// One INTEGER and nothing else. x509-parser does not look at the class of its tag.
fn number(content: &[u8]) -> Result<u64, DerError> {
    let mut content = Reader::new(content);
    let number = content.small_unsigned()?;
    content.finish()?;
    Ok(number)
}

/// Validity is two times and nothing else. x509-parser looks neither at the class of a tag nor at what follows.
fn two_times(mut validity: Reader<'_>) -> Result<(), DerError> {
    for _ in 0..2 {
        if !matches!(validity.any()?.tag, tag::UTC_TIME | tag::GENERALIZED_TIME) {
            return Err(DerError::Value("a time is neither UTCTime nor GeneralizedTime"));
        }
    }
    validity.finish()
}

/// Whether issuerUniqueID or subjectUniqueID is there, a BIT STRING under this tag.
fn unique_identifier(fields: &mut Reader<'_>, number: u8) -> Result<bool, DerError> {
    match fields.optional(tag::context(number))? {
        None => Ok(false),
        Some([0..=7, ..]) => Ok(true),
        Some(_) => Err(DerError::Value("malformed BIT STRING")),
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.fields.der == other.fields.der
    }
}

impl Eq for Certificate {}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Certificate(subject {}, serial {})", self.fields.subject, self.fields.serial)
    }
}
