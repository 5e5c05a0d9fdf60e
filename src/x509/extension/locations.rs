//! Extensions that say where something is to be had: revocation lists, issuers, OCSP responders.

use super::ExtensionType;
use crate::encoding::Oid;
use crate::encoding::der::{self, DerError, Reader, tag};
use crate::x509::general_name::{self, GeneralName};
use crate::x509::oids;

/// The name of a distribution point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DistributionPointName {
    /// `fullName`.
    Full(Vec<GeneralName>),
    /// `nameRelativeToCRLIssuer`: the content octets of a relative distinguished name.
    RelativeToIssuer(Vec<u8>),
}

/// One distribution point (RFC 5280 §4.2.1.13).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DistributionPoint {
    /// Its name.
    pub name: Option<DistributionPointName>,
    /// Which reasons its lists cover, as a named-bit string; all where absent.
    pub reasons: Option<u16>,
    /// Who signs its lists, if not the certificate's issuer.
    pub crl_issuer: Option<Vec<GeneralName>>,
}

impl DistributionPoint {
    /// A distribution point at this URI.
    pub fn at_uri(uri: &str) -> Self {
        let name = DistributionPointName::Full(vec![GeneralName::Uri(uri.to_owned())]);
        Self { name: Some(name), ..Self::default() }
    }

    /// The URIs of its full name.
    pub fn uris(&self) -> Vec<&str> {
        let Some(DistributionPointName::Full(names)) = &self.name else { return Vec::new() };
        names
            .iter()
            .filter_map(|name| if let GeneralName::Uri(uri) = name { Some(uri.as_str()) } else { None })
            .collect()
    }
}

/// `cRLDistributionPoints` (RFC 5280 §4.2.1.13).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrlDistributionPoints(pub Vec<DistributionPoint>);

impl ExtensionType for CrlDistributionPoints {
    const OID: Oid = oids::CRL_DISTRIBUTION_POINTS;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        read_points(encoding).map(Self)
    }

    fn to_der(&self) -> Vec<u8> {
        der::tlv(tag::SEQUENCE, &self.0.iter().flat_map(write_point).collect::<Vec<_>>())
    }
}

/// `freshestCRL` (RFC 5280 §4.2.1.15): where delta lists are to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreshestCrl(pub Vec<DistributionPoint>);

impl ExtensionType for FreshestCrl {
    const OID: Oid = oids::FRESHEST_CRL;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        read_points(encoding).map(Self)
    }

    fn to_der(&self) -> Vec<u8> {
        der::tlv(tag::SEQUENCE, &self.0.iter().flat_map(write_point).collect::<Vec<_>>())
    }
}

/// `issuingDistributionPoint` of a revocation list (RFC 5280 §5.2.5).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IssuingDistributionPoint {
    /// The distribution point's name.
    pub name: Option<DistributionPointName>,
    /// The list covers end-entity certificates only.
    pub only_user_certs: bool,
    /// The list covers CA certificates only.
    pub only_ca_certs: bool,
    /// Which reasons it covers; all where absent.
    pub only_some_reasons: Option<u16>,
    /// Entries may be for certificates of other issuers.
    pub indirect: bool,
    /// The list covers attribute certificates only.
    pub only_attribute_certs: bool,
}

impl ExtensionType for IssuingDistributionPoint {
    const OID: Oid = oids::ISSUING_DISTRIBUTION_POINT;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        let mut parts = der::only_reader(encoding, tag::SEQUENCE)?;
        let name = parts.optional(tag::context_constructed(0))?.map(read_point_name).transpose()?;
        let only_user_certs = implicit_boolean(parts.optional(tag::context(1))?)?;
        let only_ca_certs = implicit_boolean(parts.optional(tag::context(2))?)?;
        let only_some_reasons = parts.optional(tag::context(3))?.map(der::named_bits).transpose()?;
        let indirect = implicit_boolean(parts.optional(tag::context(4))?)?;
        let only_attribute_certs = implicit_boolean(parts.optional(tag::context(5))?)?;
        parts.finish()?;
        Ok(Self { name, only_user_certs, only_ca_certs, only_some_reasons, indirect, only_attribute_certs })
    }

    fn to_der(&self) -> Vec<u8> {
        let flag = |number, set| if set { der::tlv(tag::context(number), &[0xff]) } else { Vec::new() };
        der::sequence(&[
            &self.name.as_ref().map_or_else(Vec::new, write_point_name),
            &flag(1, self.only_user_certs),
            &flag(2, self.only_ca_certs),
            &self.only_some_reasons.map_or_else(Vec::new, |reasons| implicit_bits(3, reasons)),
            &flag(4, self.indirect),
            &flag(5, self.only_attribute_certs),
        ])
    }
}

/// One access description: a method and a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessDescription {
    /// What is found there: OCSP, the issuer's certificate, or another.
    pub method: Oid,
    /// Where.
    pub location: GeneralName,
}

/// `authorityInfoAccess` (RFC 5280 §4.2.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityInfoAccess(pub Vec<AccessDescription>);

impl AuthorityInfoAccess {
    /// The URIs of this access method: id-ad-caIssuers or id-ad-ocsp.
    pub fn uris(&self, method: Oid) -> impl Iterator<Item = &str> {
        let access = self.0.iter().filter(move |access| access.method == method);
        access.filter_map(|access| match &access.location {
            GeneralName::Uri(uri) => Some(uri.as_str()),
            _ => None,
        })
    }
}

impl ExtensionType for AuthorityInfoAccess {
    const OID: Oid = oids::AUTHORITY_INFO_ACCESS;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        read_access(encoding).map(Self)
    }

    fn to_der(&self) -> Vec<u8> {
        write_access(&self.0)
    }
}

/// `subjectInfoAccess` (RFC 5280 §4.2.2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectInfoAccess(pub Vec<AccessDescription>);

impl ExtensionType for SubjectInfoAccess {
    const OID: Oid = oids::SUBJECT_INFO_ACCESS;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        read_access(encoding).map(Self)
    }

    fn to_der(&self) -> Vec<u8> {
        write_access(&self.0)
    }
}

fn read_points(encoding: &[u8]) -> Result<Vec<DistributionPoint>, DerError> {
    let mut list = der::only_reader(encoding, tag::SEQUENCE)?;
    let mut points = Vec::new();
    while !list.is_empty() {
        let mut parts = list.sequence()?;
        let name = parts.optional(tag::context_constructed(0))?.map(read_point_name).transpose()?;
        let reasons = parts.optional(tag::context(1))?.map(der::named_bits).transpose()?;
        let crl_issuer = parts.optional(tag::context_constructed(2))?;
        let crl_issuer = crl_issuer.map(|names| general_name::read_names(Reader::new(names))).transpose()?;
        parts.finish()?;
        points.push(DistributionPoint { name, reasons, crl_issuer });
    }
    if points.is_empty() {
        Err(DerError::Value("no distribution point (RFC 5280 §4.2.1.13: SIZE (1..MAX))"))
    } else {
        Ok(points)
    }
}

fn write_point(point: &DistributionPoint) -> Vec<u8> {
    der::sequence(&[
        &point.name.as_ref().map_or_else(Vec::new, write_point_name),
        &point.reasons.map_or_else(Vec::new, |reasons| implicit_bits(1, reasons)),
        &point
            .crl_issuer
            .as_ref()
            .map_or_else(Vec::new, |names| der::tlv(tag::context_constructed(2), &general_name::write_names(names))),
    ])
}

/// From the content of the `[0]` that wraps the CHOICE.
fn read_point_name(content: &[u8]) -> Result<DistributionPointName, DerError> {
    let name = der::only(content)?;
    match name.tag {
        full if full == tag::context_constructed(0) => {
            general_name::read_names(name.reader()).map(DistributionPointName::Full)
        }
        relative if relative == tag::context_constructed(1) => {
            Ok(DistributionPointName::RelativeToIssuer(name.value.to_vec()))
        }
        _ => Err(DerError::Value("a DistributionPointName of no known form")),
    }
}

fn write_point_name(name: &DistributionPointName) -> Vec<u8> {
    let inner = match name {
        DistributionPointName::Full(names) => der::tlv(tag::context_constructed(0), &general_name::write_names(names)),
        DistributionPointName::RelativeToIssuer(content) => der::tlv(tag::context_constructed(1), content),
    };
    der::tlv(tag::context_constructed(0), &inner)
}

fn read_access(encoding: &[u8]) -> Result<Vec<AccessDescription>, DerError> {
    let mut list = der::only_reader(encoding, tag::SEQUENCE)?;
    let mut descriptions = Vec::new();
    while !list.is_empty() {
        let mut parts = list.sequence()?;
        let method = parts.oid()?;
        let location = GeneralName::from_tlv(parts.any()?)?;
        parts.finish()?;
        descriptions.push(AccessDescription { method, location });
    }
    if descriptions.is_empty() {
        return Err(DerError::Value("no access description (RFC 5280 §4.2.2.1: SIZE (1..MAX))"));
    }
    Ok(descriptions)
}

fn write_access(descriptions: &[AccessDescription]) -> Vec<u8> {
    let one = |access: &AccessDescription| der::sequence(&[&der::oid(&access.method), &access.location.to_der()]);
    der::tlv(tag::SEQUENCE, &descriptions.iter().flat_map(one).collect::<Vec<_>>())
}

/// An implicitly tagged BOOLEAN DEFAULT FALSE: DER leaves FALSE out (X.690 §11.5), so only FF may stand there.
fn implicit_boolean(content: Option<&[u8]>) -> Result<bool, DerError> {
    match content {
        None => Ok(false),
        Some([0xff]) => Ok(true),
        Some(_) => Err(DerError::Value("BOOLEAN other than TRUE where FALSE is the default (X.690 §11.5)")),
    }
}

fn implicit_bits(number: u8, bits: u16) -> Vec<u8> {
    let bit_string = der::named_bit_string(bits);
    der::tlv(tag::context(number), bit_string.get(2..).unwrap_or_default())
}
