//! Extensions of revocation lists and their entries (RFC 5280 §5.2, §5.3).

use super::ExtensionType;
use crate::encoding::Oid;
use crate::encoding::der::{self, DerError, Reader, tag};
use crate::x509::general_name::{self, GeneralName};
use crate::x509::oids;

/// `cRLNumber` (RFC 5280 §5.2.3): the magnitude, most significant octet first, without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrlNumber(pub Vec<u8>);

impl CrlNumber {
    /// The number, where 64 bits hold it. RFC 5280 allows 20 octets.
    pub fn to_u64(&self) -> Option<u64> {
        let zeros = self.0.iter().take_while(|&&octet| octet == 0).count();
        let magnitude = self.0.get(zeros..)?;
        let mut octets = [0; 8];
        let start = octets.len().checked_sub(magnitude.len())?;
        octets.get_mut(start..)?.copy_from_slice(magnitude);
        Some(u64::from_be_bytes(octets))
    }
}

impl Ord for CrlNumber {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0.len(), &self.0).cmp(&(other.0.len(), &other.0))
    }
}

impl PartialOrd for CrlNumber {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl ExtensionType for CrlNumber {
    const OID: Oid = oids::CRL_NUMBER;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        only_unsigned(encoding).map(Self)
    }

    fn to_der(&self) -> Vec<u8> {
        der::unsigned(&self.0)
    }
}

/// `deltaCRLIndicator` (RFC 5280 §5.2.4): the number of the base list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeltaCrlIndicator(pub Vec<u8>);

impl ExtensionType for DeltaCrlIndicator {
    const OID: Oid = oids::DELTA_CRL_INDICATOR;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        only_unsigned(encoding).map(Self)
    }

    fn to_der(&self) -> Vec<u8> {
        der::unsigned(&self.0)
    }
}

/// Why a certificate was revoked (RFC 5280 §5.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum CrlReason {
    Unspecified = 0,
    KeyCompromise = 1,
    CaCompromise = 2,
    AffiliationChanged = 3,
    Superseded = 4,
    CessationOfOperation = 5,
    CertificateHold = 6,
    RemoveFromCrl = 8,
    PrivilegeWithdrawn = 9,
    AaCompromise = 10,
}

impl CrlReason {
    /// All reasons.
    pub const ALL: [Self; 10] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::CertificateHold,
        Self::RemoveFromCrl,
        Self::PrivilegeWithdrawn,
        Self::AaCompromise,
    ];

    /// The standard's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::CertificateHold => "certificateHold",
            Self::RemoveFromCrl => "removeFromCRL",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::AaCompromise => "aACompromise",
        }
    }

    /// The reason with this name, case aside.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name().eq_ignore_ascii_case(name))
    }
}

/// `reasonCode` of an entry (RFC 5280 §5.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReasonCode(pub CrlReason);

impl ExtensionType for ReasonCode {
    const OID: Oid = oids::REASON_CODE;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        let mut reader = Reader::new(encoding);
        let code = reader.expect(tag::ENUMERATED)?;
        reader.finish()?;
        let known = |reason: &CrlReason| code == [*reason as u8];
        let reason = CrlReason::ALL.into_iter().find(known);
        reason.map(Self).ok_or(DerError::Value("a reasonCode that RFC 5280 §5.3.1 does not define"))
    }

    fn to_der(&self) -> Vec<u8> {
        der::tlv(tag::ENUMERATED, &[self.0 as u8])
    }
}

/// `invalidityDate` of an entry (RFC 5280 §5.3.2): the GeneralizedTime's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidityDate(pub String);

impl ExtensionType for InvalidityDate {
    const OID: Oid = oids::INVALIDITY_DATE;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        let mut reader = Reader::new(encoding);
        let text = reader.expect(tag::GENERALIZED_TIME)?;
        reader.finish()?;
        match std::str::from_utf8(text) {
            Ok(text) if text.is_ascii() => Ok(Self(text.to_owned())),
            _ => Err(DerError::Value("GeneralizedTime with octets outside ASCII")),
        }
    }

    fn to_der(&self) -> Vec<u8> {
        der::tlv(tag::GENERALIZED_TIME, self.0.as_bytes())
    }
}

/// `certificateIssuer` of an entry in an indirect list (RFC 5280 §5.3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateIssuer(pub Vec<GeneralName>);

impl ExtensionType for CertificateIssuer {
    const OID: Oid = oids::CERTIFICATE_ISSUER;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        general_name::read_names(der::only_reader(encoding, tag::SEQUENCE)?).map(Self)
    }

    fn to_der(&self) -> Vec<u8> {
        der::tlv(tag::SEQUENCE, &general_name::write_names(&self.0))
    }
}

fn only_unsigned(encoding: &[u8]) -> Result<Vec<u8>, DerError> {
    let mut reader = Reader::new(encoding);
    let magnitude = reader.unsigned()?.to_vec();
    reader.finish()?;
    Ok(magnitude)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ordered_as_numbers() {
        assert!(CrlNumber(vec![2]) < CrlNumber(vec![1, 0]));
        assert!(CrlNumber(vec![]) < CrlNumber(vec![1]));
        assert!(CrlNumber(vec![1, 1]) > CrlNumber(vec![1, 0]));
        let numbers = [vec![], vec![0], vec![1, 0], vec![0; 20], vec![0xff; 8], vec![1; 9]];
        let read = numbers.map(|octets| CrlNumber(octets).to_u64());
        assert_eq!(read, [Some(0), Some(0), Some(256), Some(0), Some(u64::MAX), None]);
    }
}
