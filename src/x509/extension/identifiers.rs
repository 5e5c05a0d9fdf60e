//! Extensions that identify keys and name subjects and issuers.

use super::ExtensionType;
use crate::encoding::Oid;
use crate::encoding::der::{self, DerError, Reader, tag};
use crate::x509::general_name::{self, GeneralName};
use crate::x509::oids;
use crate::x509::serial::SerialNumber;

/// `subjectAltName` (RFC 5280 §4.2.1.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectAltName(pub Vec<GeneralName>);

impl ExtensionType for SubjectAltName {
    const OID: Oid = oids::SUBJECT_ALT_NAME;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        general_name::read_names(der::only_reader(encoding, tag::SEQUENCE)?).map(Self)
    }

    fn to_der(&self) -> Vec<u8> {
        der::tlv(tag::SEQUENCE, &general_name::write_names(&self.0))
    }
}

/// `issuerAltName` (RFC 5280 §4.2.1.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerAltName(pub Vec<GeneralName>);

impl ExtensionType for IssuerAltName {
    const OID: Oid = oids::ISSUER_ALT_NAME;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        general_name::read_names(der::only_reader(encoding, tag::SEQUENCE)?).map(Self)
    }

    fn to_der(&self) -> Vec<u8> {
        der::tlv(tag::SEQUENCE, &general_name::write_names(&self.0))
    }
}

/// `subjectKeyIdentifier` (RFC 5280 §4.2.1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectKeyIdentifier(pub Vec<u8>);

impl ExtensionType for SubjectKeyIdentifier {
    const OID: Oid = oids::SUBJECT_KEY_IDENTIFIER;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        let mut reader = Reader::new(encoding);
        let identifier = reader.octet_string()?.to_vec();
        reader.finish()?;
        Ok(Self(identifier))
    }

    fn to_der(&self) -> Vec<u8> {
        der::octet_string(&self.0)
    }
}

/// `authorityKeyIdentifier` (RFC 5280 §4.2.1.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthorityKeyIdentifier {
    /// The issuer's subjectKeyIdentifier.
    pub key_identifier: Option<Vec<u8>>,
    /// The issuer's issuer.
    pub issuer: Option<Vec<GeneralName>>,
    /// The issuer's serial number.
    pub serial: Option<SerialNumber>,
}

impl ExtensionType for AuthorityKeyIdentifier {
    const OID: Oid = oids::AUTHORITY_KEY_IDENTIFIER;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        let mut parts = der::only_reader(encoding, tag::SEQUENCE)?;
        let key_identifier = parts.optional(tag::context(0))?.map(<[u8]>::to_vec);
        let issuer = parts.optional(tag::context_constructed(1))?;
        let issuer = issuer.map(|names| general_name::read_names(Reader::new(names))).transpose()?;
        let serial = parts.optional(tag::context(2))?.map(SerialNumber::from_content);
        parts.finish()?;
        Ok(Self { key_identifier, issuer, serial })
    }

    fn to_der(&self) -> Vec<u8> {
        let part = |tag, content: Option<Vec<u8>>| content.map_or_else(Vec::new, |content| der::tlv(tag, &content));
        der::sequence(&[
            &part(tag::context(0), self.key_identifier.clone()),
            &part(tag::context_constructed(1), self.issuer.as_deref().map(general_name::write_names)),
            &part(tag::context(2), self.serial.as_ref().map(|serial| serial.content().to_vec())),
        ])
    }
}
