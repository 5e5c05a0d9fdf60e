//! Any extension, decoded by its identifier.

use super::*;

/// A decoded extension. `Other` is one this program does not know; its octets are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ExtensionValue {
    BasicConstraints(BasicConstraints),
    KeyUsage(KeyUsage),
    ExtendedKeyUsage(ExtendedKeyUsage),
    SubjectAltName(SubjectAltName),
    IssuerAltName(IssuerAltName),
    SubjectKeyIdentifier(SubjectKeyIdentifier),
    AuthorityKeyIdentifier(AuthorityKeyIdentifier),
    NameConstraints(NameConstraints),
    CertificatePolicies(CertificatePolicies),
    PolicyMappings(PolicyMappings),
    PolicyConstraints(PolicyConstraints),
    InhibitAnyPolicy(InhibitAnyPolicy),
    CrlDistributionPoints(CrlDistributionPoints),
    FreshestCrl(FreshestCrl),
    AuthorityInfoAccess(AuthorityInfoAccess),
    SubjectInfoAccess(SubjectInfoAccess),
    TlsFeature(TlsFeature),
    OcspNoCheck(OcspNoCheck),
    SctList(SctList),
    NetscapeCertType(NetscapeCertType),
    NetscapeComment(String),
    CtPoison,
    CrlNumber(CrlNumber),
    DeltaCrlIndicator(DeltaCrlIndicator),
    IssuingDistributionPoint(IssuingDistributionPoint),
    ReasonCode(ReasonCode),
    InvalidityDate(InvalidityDate),
    CertificateIssuer(CertificateIssuer),
    Other(Vec<u8>),
}

/// Decodes as the type named by the variant.
macro_rules! decode_by_oid {
    ($oid:expr, $value:expr, $($variant:ident),+) => {
        match $oid {
            $(oid if *oid == $variant::OID => return $variant::from_der($value).map(ExtensionValue::$variant),)+
            _ => {}
        }
    };
}

impl ExtensionValue {
    /// Decodes `value`, the content of the OCTET STRING of the extension `oid`.
    pub fn decode(oid: &Oid, value: &[u8]) -> Result<Self, DerError> {
        decode_by_oid!(
            oid,
            value,
            BasicConstraints,
            KeyUsage,
            ExtendedKeyUsage,
            SubjectAltName,
            IssuerAltName,
            SubjectKeyIdentifier,
            AuthorityKeyIdentifier,
            NameConstraints,
            CertificatePolicies,
            PolicyMappings,
            PolicyConstraints,
            InhibitAnyPolicy,
            CrlDistributionPoints,
            FreshestCrl,
            AuthorityInfoAccess,
            SubjectInfoAccess,
            TlsFeature,
            OcspNoCheck,
            SctList,
            NetscapeCertType,
            CrlNumber,
            DeltaCrlIndicator,
            IssuingDistributionPoint,
            ReasonCode,
            InvalidityDate,
            CertificateIssuer
        );
        if *oid == oids::NETSCAPE_COMMENT {
            let comment = der::only(value)?;
            return Ok(Self::NetscapeComment(String::from_utf8_lossy(comment.value).into_owned()));
        }
        if *oid == oids::CT_POISON {
            let mut reader = Reader::new(value);
            reader.null()?;
            return reader.finish().map(|()| Self::CtPoison);
        }
        Ok(Self::Other(value.to_vec()))
    }
}
