//! Extensions of certificates, requests and revocation lists (RFC 5280 §4.2, §5.2): each known one as a type of its own
//! that reads and writes its DER.

mod constraints;
mod decoded;
mod identifiers;
mod locations;
mod policies;
mod revocation;
mod sct;
mod subtree;
mod usage;
mod value;

pub use constraints::{BasicConstraints, GeneralSubtree, InhibitAnyPolicy, NameConstraints, PolicyConstraints};
pub(super) use decoded::Decoded;
pub use identifiers::{AuthorityKeyIdentifier, IssuerAltName, SubjectAltName, SubjectKeyIdentifier};
pub use locations::{
    AccessDescription, AuthorityInfoAccess, CrlDistributionPoints, DistributionPoint, DistributionPointName,
    FreshestCrl, IssuingDistributionPoint, SubjectInfoAccess,
};
pub use policies::{CertificatePolicies, PolicyInformation, PolicyMappings, PolicyQualifier};
pub use revocation::{CertificateIssuer, CrlNumber, CrlReason, DeltaCrlIndicator, InvalidityDate, ReasonCode};
pub use sct::{SctList, SignedCertificateTimestamp};
pub use subtree::SubtreeError;
pub use usage::{ExtendedKeyUsage, KeyUsage, KeyUsageBit, NetscapeCertType, OcspNoCheck, TlsFeature, bits_for};
pub use value::{ExtensionValue, Variant};

use super::oids;
use crate::encoding::der::{self, DerError, Reader, tag};
use crate::encoding::{Oid, oid};

/// One extension as it stands in the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Which extension.
    pub oid: Oid,
    /// Whether a program that does not know it must refuse the certificate.
    pub critical: bool,
    /// The content of its OCTET STRING: the DER of the extension's own type.
    pub value: Vec<u8>,
}

/// The extensions of one certificate, request, list or list entry, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extensions {
    list: Vec<Extension>,
}

/// An extension type with its encoding.
pub trait ExtensionType: Variant {
    /// Its object identifier.
    const OID: Oid;

    /// Reads the content of the extension's OCTET STRING.
    fn from_der(encoding: &[u8]) -> Result<Self, DerError>;

    /// The content of the extension's OCTET STRING.
    fn to_der(&self) -> Vec<u8>;
}

/// An extension that is there but does not parse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {} extension is malformed: {source}", oids::name_or_dotted(oid))]
pub struct ExtensionError {
    /// Which extension.
    pub oid: Oid,
    /// What is wrong with its encoding.
    pub source: DerError,
}

/// A decoded extension with its criticality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    /// Whether it is critical.
    pub critical: bool,
    /// Its value.
    pub value: T,
}

impl Extension {
    /// An extension of a known type.
    pub fn new<T: ExtensionType>(value: &T, critical: bool) -> Self {
        Self { oid: T::OID, critical, value: value.to_der() }
    }

    /// The encoding: a SEQUENCE of identifier, criticality where true, and value (RFC 5280 §4.1).
    pub fn to_der(&self) -> Vec<u8> {
        let mut content = Vec::with_capacity(self.value.len() + 24);
        der::push_tlv(&mut content, tag::OID, self.oid.content());
        if self.critical {
            content.extend(der::boolean(true));
        }
        der::push_tlv(&mut content, tag::OCTET_STRING, &self.value);
        der::sequence(&[&content])
    }

    /// The standard's name of the extension, or its dotted identifier.
    pub fn name(&self) -> String {
        oids::name_or_dotted(&self.oid)
    }

    /// The value decoded; an unknown extension comes out as its octets.
    pub fn decode(&self) -> Result<ExtensionValue, ExtensionError> {
        ExtensionValue::decode(&self.oid, &self.value)
            .map_err(|source| ExtensionError { oid: self.oid.clone(), source })
    }
}

impl Extensions {
    /// These extensions.
    pub fn new(list: Vec<Extension>) -> Self {
        Self { list }
    }

    /// Reads Extensions, a SEQUENCE OF one or more, from its whole encoding.
    pub fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        let mut reader = der::only_reader(encoding, tag::SEQUENCE)?;
        let mut list = Vec::with_capacity(10);
        while !reader.is_empty() {
            list.push(read_extension(&mut reader)?);
        }
        if list.is_empty() {
            return Err(DerError::Value("Extensions is empty (RFC 5280 §4.1: SIZE (1..MAX))"));
        }
        Ok(Self { list })
    }

    /// Every extension, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Extension> {
        self.list.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The first extension with this identifier.
    pub fn get(&self, oid: &Oid) -> Option<&Extension> {
        self.list.iter().find(|extension| extension.oid == *oid)
    }

    /// The extension of this type, decoded, if it is there.
    pub fn find<T: ExtensionType>(&self) -> Result<Option<Found<T>>, ExtensionError> {
        let Some(extension) = self.get(&T::OID) else { return Ok(None) };
        match T::from_der(&extension.value) {
            Ok(value) => Ok(Some(Found { critical: extension.critical, value })),
            Err(source) => Err(ExtensionError { oid: T::OID, source }),
        }
    }

    /// The first identifier that occurs twice, which RFC 5280 §4.2 forbids.
    pub fn duplicate(&self) -> Option<&Oid> {
        oid::repeated(self.list.iter().map(|extension| &extension.oid))
    }
}

fn read_extension(reader: &mut Reader<'_>) -> Result<Extension, DerError> {
    let mut parts = reader.sequence()?;
    let oid = parts.oid()?;
    let critical = match parts.peek() {
        Some(tag::BOOLEAN) => parts.boolean()?,
        _ => false,
    };
    let value = parts.octet_string()?.to_vec();
    parts.finish()?;
    Ok(Extension { oid, critical, value })
}
