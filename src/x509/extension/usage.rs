//! Extensions that say what a key may be used for.

use super::ExtensionType;
use crate::encoding::Oid;
use crate::encoding::der::{self, DerError, Reader, tag};
use crate::key::KeyAlgorithm;
use crate::x509::oids;

/// One bit of `keyUsage` (RFC 5280 §4.2.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyUsageBit {
    /// Signatures other than on certificates and revocation lists.
    DigitalSignature,
    /// Signatures that bind the signer (also called contentCommitment).
    NonRepudiation,
    /// Encrypting keys, as TLS_RSA key exchange does.
    KeyEncipherment,
    /// Encrypting data directly.
    DataEncipherment,
    /// Key agreement.
    KeyAgreement,
    /// Signing certificates.
    KeyCertSign,
    /// Signing revocation lists.
    CrlSign,
    /// With keyAgreement: only to encipher.
    EncipherOnly,
    /// With keyAgreement: only to decipher.
    DecipherOnly,
}

impl KeyUsageBit {
    /// All bits, in their order.
    pub const ALL: [Self; 9] = [
        Self::DigitalSignature,
        Self::NonRepudiation,
        Self::KeyEncipherment,
        Self::DataEncipherment,
        Self::KeyAgreement,
        Self::KeyCertSign,
        Self::CrlSign,
        Self::EncipherOnly,
        Self::DecipherOnly,
    ];

    /// The standard's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::DigitalSignature => "digitalSignature",
            Self::NonRepudiation => "nonRepudiation",
            Self::KeyEncipherment => "keyEncipherment",
            Self::DataEncipherment => "dataEncipherment",
            Self::KeyAgreement => "keyAgreement",
            Self::KeyCertSign => "keyCertSign",
            Self::CrlSign => "cRLSign",
            Self::EncipherOnly => "encipherOnly",
            Self::DecipherOnly => "decipherOnly",
        }
    }

    /// The bit with this name, case aside; `contentCommitment` is nonRepudiation's other name.
    pub fn from_name(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("contentCommitment") {
            return Some(Self::NonRepudiation);
        }
        Self::ALL.into_iter().find(|bit| bit.name().eq_ignore_ascii_case(name))
    }

    fn mask(self) -> u16 {
        0x8000 >> (self as u16)
    }
}

/// `keyUsage` (RFC 5280 §4.2.1.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyUsage {
    bits: u16,
}

impl KeyUsage {
    /// These bits.
    pub fn new(bits: &[KeyUsageBit]) -> Self {
        Self { bits: bits.iter().fold(0, |sum, bit| sum | bit.mask()) }
    }

    /// Whether this bit is set.
    pub fn has(self, bit: KeyUsageBit) -> bool {
        self.bits & bit.mask() != 0
    }

    /// Whether no bit is set.
    pub fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// Whether a key with these bits is of use for the purpose, as far as RFC 5280 §4.2.1.12 says.
    pub fn suits(self, purpose: &Oid) -> bool {
        bits_for(purpose).is_none_or(|bits| bits.iter().any(|bit| self.has(*bit)))
    }

    /// Whether `encipherOnly` or `decipherOnly` stands without `keyAgreement`, where it has no meaning (RFC 5280 §4.2.1.3).
    pub fn has_undefined(self) -> bool {
        let only = self.has(KeyUsageBit::EncipherOnly) || self.has(KeyUsageBit::DecipherOnly);
        only && !self.has(KeyUsageBit::KeyAgreement)
    }

    /// A bit for what a key of this kind cannot do, and the clause that rules it out.
    pub fn impossible_for(self, key: KeyAlgorithm) -> Option<(KeyUsageBit, &'static str)> {
        use KeyUsageBit::{DataEncipherment, DecipherOnly, EncipherOnly, KeyAgreement, KeyEncipherment};
        let (bits, clause): (&[KeyUsageBit], _) = match key {
            KeyAlgorithm::Rsa(_) => (&[KeyAgreement, EncipherOnly, DecipherOnly], "RFC 3279 §2.3.1"),
            KeyAlgorithm::P256 | KeyAlgorithm::P384 | KeyAlgorithm::P521 => {
                (&[KeyEncipherment, DataEncipherment], "RFC 8813 §3")
            }
            KeyAlgorithm::Ed25519 => {
                (&[KeyEncipherment, DataEncipherment, KeyAgreement, EncipherOnly, DecipherOnly], "RFC 8410 §5")
            }
            KeyAlgorithm::MlDsa44 | KeyAlgorithm::MlDsa65 | KeyAlgorithm::MlDsa87 => {
                (&[KeyEncipherment, DataEncipherment, KeyAgreement, EncipherOnly, DecipherOnly], "RFC 9881 §5")
            }
        };
        bits.iter().find(|bit| self.has(**bit)).map(|bit| (*bit, clause))
    }

    /// The bits that are set, in order.
    pub fn bits(self) -> Vec<KeyUsageBit> {
        KeyUsageBit::ALL.into_iter().filter(|bit| self.has(*bit)).collect()
    }

    /// The names of the bits that are set.
    pub fn names(self) -> Vec<&'static str> {
        self.bits().into_iter().map(KeyUsageBit::name).collect()
    }
}

/// The bits of which a key needs one to be of use for a purpose (RFC 5280 §4.2.1.12); `None` for purposes that are not listed
/// there.
pub fn bits_for(purpose: &Oid) -> Option<&'static [KeyUsageBit]> {
    use KeyUsageBit::{DigitalSignature, KeyAgreement, KeyEncipherment, NonRepudiation};
    match purpose {
        purpose if *purpose == oids::SERVER_AUTH => Some(&[DigitalSignature, KeyEncipherment, KeyAgreement]),
        purpose if *purpose == oids::CLIENT_AUTH => Some(&[DigitalSignature, KeyAgreement]),
        purpose if *purpose == oids::CODE_SIGNING => Some(&[DigitalSignature]),
        purpose if *purpose == oids::EMAIL_PROTECTION => {
            Some(&[DigitalSignature, NonRepudiation, KeyEncipherment, KeyAgreement])
        }
        purpose if [oids::TIME_STAMPING, oids::OCSP_SIGNING].contains(purpose) => {
            Some(&[DigitalSignature, NonRepudiation])
        }
        _ => None,
    }
}

impl ExtensionType for KeyUsage {
    const OID: Oid = oids::KEY_USAGE;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        let mut reader = Reader::new(encoding);
        let bits = der::named_bits(reader.expect(tag::BIT_STRING)?)?;
        reader.finish()?;
        Ok(Self { bits })
    }

    fn to_der(&self) -> Vec<u8> {
        der::named_bit_string(self.bits)
    }
}

/// `extKeyUsage` (RFC 5280 §4.2.1.12): key purposes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtendedKeyUsage(pub Vec<Oid>);

impl ExtendedKeyUsage {
    /// Whether this purpose is listed itself.
    pub fn lists(&self, purpose: &Oid) -> bool {
        self.0.contains(purpose)
    }
}

impl ExtensionType for ExtendedKeyUsage {
    const OID: Oid = oids::EXTENDED_KEY_USAGE;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        let mut list = der::only_reader(encoding, tag::SEQUENCE)?;
        let mut purposes = Vec::new();
        while !list.is_empty() {
            purposes.push(list.oid()?);
        }
        if purposes.is_empty() {
            return Err(DerError::Value("extKeyUsage is empty (RFC 5280 §4.2.1.12: SIZE (1..MAX))"));
        }
        Ok(Self(purposes))
    }

    fn to_der(&self) -> Vec<u8> {
        der::tlv(tag::SEQUENCE, &self.0.iter().flat_map(der::oid).collect::<Vec<_>>())
    }
}

/// `tlsfeature` (RFC 7633): TLS extensions the server promises; 5 is status_request, "must staple".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFeature(pub Vec<u64>);

impl ExtensionType for TlsFeature {
    const OID: Oid = oids::TLS_FEATURE;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        let mut list = der::only_reader(encoding, tag::SEQUENCE)?;
        let mut features = Vec::new();
        while !list.is_empty() {
            features.push(list.small_unsigned()?);
        }
        Ok(Self(features))
    }

    fn to_der(&self) -> Vec<u8> {
        let features: Vec<u8> = self.0.iter().flat_map(|feature| der::unsigned(&feature.to_be_bytes())).collect();
        der::tlv(tag::SEQUENCE, &features)
    }
}

/// `id-pkix-ocsp-nocheck` (RFC 6960 §4.2.2.2.1): a responder certificate whose own revocation is not looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OcspNoCheck;

impl ExtensionType for OcspNoCheck {
    const OID: Oid = oids::OCSP_NO_CHECK;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        let mut reader = Reader::new(encoding);
        reader.null()?;
        reader.finish().map(|()| Self)
    }

    fn to_der(&self) -> Vec<u8> {
        der::null()
    }
}

/// `netscapeCertType`, of historical interest: the bits of a BIT STRING.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetscapeCertType {
    bits: u16,
}

impl NetscapeCertType {
    /// The names of the bits that are set.
    pub fn names(self) -> Vec<&'static str> {
        const NAMES: [&str; 8] = [
            "SSL client",
            "SSL server",
            "S/MIME",
            "object signing",
            "reserved",
            "SSL CA",
            "S/MIME CA",
            "object signing CA",
        ];
        NAMES.iter().enumerate().filter(|(at, _)| self.bits & (0x8000 >> at) != 0).map(|(_, name)| *name).collect()
    }
}

impl ExtensionType for NetscapeCertType {
    const OID: Oid = oids::NETSCAPE_CERT_TYPE;

    fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        let mut reader = Reader::new(encoding);
        let bits = der::named_bits(reader.expect(tag::BIT_STRING)?)?;
        reader.finish()?;
        Ok(Self { bits })
    }

    fn to_der(&self) -> Vec<u8> {
        der::named_bit_string(self.bits)
    }
}
