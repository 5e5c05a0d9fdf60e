//! ServerKeyExchange (RFC 5246 §7.4.3, RFC 8422 §5.4, RFC 4279, RFC 5489, RFC 5054).

use super::{DigitallySigned, Negotiated};
use crate::tls::code::NamedGroup;
use crate::tls::code::cipher_suite::{Authentication, KeyExchange, SuiteParts};
use crate::tls::wire::{DecodeError, Fault, Reader, Writer};

const CLAUSE: &str = "RFC 5246 §7.4.3";
const CLAUSE_EC: &str = "RFC 8422 §5.4";

/// The server's part of a key exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerKeyExchange {
    /// With a pre-shared key, a hint which one (RFC 4279 §5.2).
    pub psk_identity_hint: Option<Vec<u8>>,
    /// The server's public key for this connection; `None` with a pre-shared key alone.
    pub parameters: Option<KeyExchangeParameters>,
    /// The parameters as they were found: after both randoms, what is signed.
    pub parameter_octets: Vec<u8>,
    /// The signature; `None` where the suite is anonymous or has a pre-shared key or password.
    pub signature: Option<DigitallySigned>,
}

/// A server's public key for one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyExchangeParameters {
    /// A point on a named curve.
    Ecdhe {
        /// The curve.
        group: NamedGroup,
        /// The point.
        public: Vec<u8>,
    },
    /// A power in a finite field; numbers are big-endian.
    Dhe {
        /// The prime.
        prime: Vec<u8>,
        /// The generator.
        generator: Vec<u8>,
        /// The power.
        public: Vec<u8>,
    },
    /// A short RSA key for one connection, as export rules wanted (RFC 2246 §7.4.3).
    RsaExport {
        /// The modulus.
        modulus: Vec<u8>,
        /// The exponent.
        exponent: Vec<u8>,
    },
    /// SRP (RFC 5054 §2.5.3).
    Srp {
        /// The prime.
        prime: Vec<u8>,
        /// The generator.
        generator: Vec<u8>,
        /// The salt of the password.
        salt: Vec<u8>,
        /// The power.
        public: Vec<u8>,
    },
}

impl KeyExchangeParameters {
    /// The size of the group or modulus in bits, which decides the strength; `None` for curves without a name.
    pub fn bits(&self) -> Option<usize> {
        let length = |magnitude: &[u8]| {
            let digits = magnitude.iter().skip_while(|&&octet| octet == 0);
            let top = digits.clone().next().map_or(0, |octet| octet.leading_zeros() as usize);
            digits.count() * 8 - top
        };
        match self {
            Self::Ecdhe { group, .. } => group.bits().map(usize::from),
            Self::Dhe { prime: number, .. }
            | Self::Srp { prime: number, .. }
            | Self::RsaExport { modulus: number, .. } => Some(length(number)),
        }
    }
}

impl ServerKeyExchange {
    /// Reads the body of the message; `None` where the suite's form of it is not known (Kerberos, GOST, ECCPWD).
    ///
    /// # Errors
    /// A body that is not what the standard says, explicit curves among them, which RFC 8422 §5.4 forbids.
    pub fn decode(body: &[u8], negotiated: &Negotiated) -> Result<Option<Self>, DecodeError> {
        let Some(parts) = negotiated.parts() else { return Ok(None) };
        let mut reader = Reader::new("ServerKeyExchange", CLAUSE, body);
        let psk_identity_hint = match parts.key_exchange {
            KeyExchange::Psk | KeyExchange::RsaPsk | KeyExchange::DhePsk | KeyExchange::EcdhePsk => {
                let mut hint = reader.within("ServerKeyExchange", "RFC 4279 §2");
                let octets = hint.vector16(0..=65_535, "psk_identity_hint")?.rest().to_vec();
                reader = hint.within("ServerKeyExchange", CLAUSE);
                Some(octets)
            }
            _ => None,
        };
        let start = reader.offset();
        let parameters = match parts.key_exchange {
            KeyExchange::Psk | KeyExchange::RsaPsk => None,
            KeyExchange::Ecdhe | KeyExchange::EcdhePsk => Some(ecdhe(&mut reader)?),
            KeyExchange::Dhe | KeyExchange::DhePsk => Some(KeyExchangeParameters::Dhe {
                prime: number(&mut reader, "dh_p")?,
                generator: number(&mut reader, "dh_g")?,
                public: number(&mut reader, "dh_Ys")?,
            }),
            KeyExchange::Rsa if parts.export => Some(KeyExchangeParameters::RsaExport {
                modulus: number(&mut reader, "rsa_modulus")?,
                exponent: number(&mut reader, "rsa_exponent")?,
            }),
            KeyExchange::Srp => Some(KeyExchangeParameters::Srp {
                prime: number(&mut reader, "srp_N")?,
                generator: number(&mut reader, "srp_g")?,
                salt: reader.vector8(1..=255, "srp_s")?.rest().to_vec(),
                public: number(&mut reader, "srp_B")?,
            }),
            _ => return Ok(None),
        };
        let parameter_octets = body.get(start..reader.offset()).unwrap_or_default().to_vec();
        let signature = match is_signed(&parts) {
            true => Some(DigitallySigned::read(&mut reader, negotiated.version)?),
            false => None,
        };
        reader.finish()?;
        Ok(Some(Self { psk_identity_hint, parameters, parameter_octets, signature }))
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        if let Some(hint) = &self.psk_identity_hint {
            writer.vector16(|w| _ = w.bytes(hint));
        }
        writer.bytes(&self.parameter_octets);
        if let Some(signature) = &self.signature {
            signature.write(writer);
        }
    }
}

/// Whether the server signs its parameters with the key of its certificate.
fn is_signed(parts: &SuiteParts) -> bool {
    let by_certificate =
        matches!(parts.authentication, Authentication::Rsa | Authentication::Dss | Authentication::Ecdsa);
    by_certificate && parts.key_exchange != KeyExchange::RsaPsk
}

fn ecdhe(reader: &mut Reader<'_>) -> Result<KeyExchangeParameters, DecodeError> {
    let mut fields = reader.within("ServerKeyExchange", CLAUSE_EC);
    let at = fields;
    if fields.u8("curve_type")? != 3 {
        return Err(at.error("curve_type", Fault::Value("it is not named_curve")));
    }
    let group = NamedGroup(fields.u16("namedcurve")?);
    let public = fields.vector8(1..=255, "point")?.rest().to_vec();
    *reader = fields.within("ServerKeyExchange", CLAUSE);
    Ok(KeyExchangeParameters::Ecdhe { group, public })
}

fn number(reader: &mut Reader<'_>, field: &'static str) -> Result<Vec<u8>, DecodeError> {
    Ok(reader.vector16(1..=65_535, field)?.rest().to_vec())
}
