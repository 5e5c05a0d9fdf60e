//! A certification request (PKCS #10, RFC 2986).

use std::ops::Range;

use super::extension::ExtensionType;
use super::{DistinguishedName, ExtensionError, Extensions, GeneralName, X509Error, oids, part, whole};
use crate::encoding::Oid;
use crate::encoding::der::{self, DerError, Reader, tag};
use crate::key::{KeyError, PublicKey, SignatureAlgorithm, SignatureError};
use crate::x509::extension::SubjectAltName;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer;

const KIND: &str = "certification request";

/// A certification request.
#[derive(Clone)]
pub struct CertificationRequest {
    der: Vec<u8>,
    info: Range<usize>,
    public_key_info: Range<usize>,
    signature_algorithm: Range<usize>,
    signature: Range<usize>,
    subject: DistinguishedName,
    extensions: Extensions,
    attributes: Vec<Oid>,
}

impl CertificationRequest {
    /// Reads one request; nothing may follow it. The signature is not checked: see [`Self::verify_possession`].
    pub fn from_der(encoding: &[u8]) -> Result<Self, X509Error> {
        whole(KIND, X509CertificationRequest::from_der(encoding))?;

        let at = |slice: &[u8]| {
            let start = slice.as_ptr() as usize - encoding.as_ptr() as usize;
            start..start + slice.len()
        };
        let mut outer = der::only_reader(encoding, tag::SEQUENCE).map_err(part(KIND, "the outer SEQUENCE"))?;
        let info = outer.expect_tlv(tag::SEQUENCE).map_err(part(KIND, "certificationRequestInfo"))?;
        let signature_algorithm = outer.expect_tlv(tag::SEQUENCE).map_err(part(KIND, "signatureAlgorithm"))?;
        let signature = outer.bit_string().map_err(part(KIND, "signature"))?;
        outer.finish().map_err(part(KIND, "the outer SEQUENCE"))?;

        let mut fields = info.reader();
        fields.integer().map_err(part(KIND, "version"))?;
        let subject = fields.expect_tlv(tag::SEQUENCE).map_err(part(KIND, "subject"))?;
        let public_key_info = fields.expect_tlv(tag::SEQUENCE).map_err(part(KIND, "subjectPKInfo"))?;
        let attributes = fields.optional(tag::context_constructed(0)).map_err(part(KIND, "attributes"))?;
        fields.finish().map_err(part(KIND, "certificationRequestInfo"))?;
        let (attributes, extensions) =
            read_attributes(attributes.unwrap_or_default()).map_err(part(KIND, "attributes"))?;

        Ok(Self {
            info: at(info.raw),
            public_key_info: at(public_key_info.raw),
            signature_algorithm: at(signature_algorithm.raw),
            signature: at(signature),
            subject: DistinguishedName::from_der(subject.raw).map_err(part(KIND, "subject"))?,
            extensions,
            attributes,
            der: encoding.to_vec(),
        })
    }

    /// The encoding.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The name asked for.
    pub fn subject(&self) -> &DistinguishedName {
        &self.subject
    }

    /// The extensions asked for (RFC 2985 §5.4.2 extensionRequest).
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// The types of all attributes, extensionRequest included.
    pub fn attributes(&self) -> &[Oid] {
        &self.attributes
    }

    /// The names of the subjectAltName asked for; none if there is none.
    pub fn subject_alt_names(&self) -> Result<Vec<GeneralName>, ExtensionError> {
        Ok(self.requested::<SubjectAltName>()?.map_or_else(Vec::new, |names| names.0))
    }

    /// The extension of this type that is asked for, if any.
    pub fn requested<T: ExtensionType>(&self) -> Result<Option<T>, ExtensionError> {
        Ok(self.extensions.find::<T>()?.map(|found| found.value))
    }

    /// The public key to be certified.
    pub fn public_key(&self) -> Result<PublicKey, KeyError> {
        PublicKey::from_spki_der(self.public_key_info())
    }

    /// The encoding of the public key to be certified.
    pub fn public_key_info(&self) -> &[u8] {
        self.slice(&self.public_key_info)
    }

    /// The algorithm of the request's signature.
    pub fn signature_algorithm(&self) -> Result<SignatureAlgorithm, SignatureError> {
        SignatureAlgorithm::from_algorithm_identifier(self.slice(&self.signature_algorithm))
    }

    /// Proof of possession (RFC 2986 §3): the request is signed with the private half of the key in it.
    pub fn verify_possession(&self) -> Result<(), SignatureError> {
        let key = self.public_key().map_err(|_| SignatureError::BadKey)?;
        self.signature_algorithm()?.verify(&key, self.slice(&self.info), self.slice(&self.signature))
    }

    fn slice(&self, range: &Range<usize>) -> &[u8] {
        self.der.get(range.clone()).unwrap_or_default()
    }
}

impl std::fmt::Debug for CertificationRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CertificationRequest(subject {})", self.subject)
    }
}

/// The types of the attributes, and the extensions of extensionRequest.
fn read_attributes(content: &[u8]) -> Result<(Vec<Oid>, Extensions), DerError> {
    let mut list = Reader::new(content);
    let (mut kinds, mut extensions) = (Vec::new(), Extensions::default());
    while !list.is_empty() {
        let mut attribute = list.sequence()?;
        let kind = attribute.oid()?;
        let mut values = Reader::new(attribute.expect(tag::SET)?);
        attribute.finish()?;
        if kind == oids::EXTENSION_REQUEST {
            if kinds.contains(&kind) {
                return Err(DerError::Value("extensionRequest stands twice"));
            }
            extensions = Extensions::from_der(values.any()?.raw)?;
            values.finish()?;
        }
        kinds.push(kind);
    }
    Ok((kinds, extensions))
}
