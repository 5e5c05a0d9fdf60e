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

/// A type that is a variant of [`ExtensionValue`] of its own.
pub trait Variant: Sized {
    /// The value, where it is of this type.
    fn of(value: &ExtensionValue) -> Option<&Self>;
}

/// The variants with a type of the same name, which decodes and finds itself.
macro_rules! variants {
    ($($variant:ident),+ $(,)?) => {
        fn decode_by_type(oid: &Oid, value: &[u8]) -> Option<Result<ExtensionValue, DerError>> {
            $(if *oid == $variant::OID {
                return Some($variant::from_der(value).map(ExtensionValue::$variant));
            })+
            None
        }

        $(impl Variant for $variant {
            fn of(value: &ExtensionValue) -> Option<&Self> {
                if let ExtensionValue::$variant(value) = value { Some(value) } else { None }
            }
        })+
    };
}

variants!(
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
    CertificateIssuer,
);

impl ExtensionValue {
    /// Decodes `value`, the content of the OCTET STRING of the extension `oid`.
    pub fn decode(oid: &Oid, value: &[u8]) -> Result<Self, DerError> {
        if let Some(decoded) = decode_by_type(oid, value) {
            return decoded;
        }
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
