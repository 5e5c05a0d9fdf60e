//! ClientKeyExchange (RFC 5246 §7.4.7, RFC 8422 §5.7, RFC 4279, RFC 5489, RFC 5054).

use super::Negotiated;
use crate::tls::code::ProtocolVersion;
use crate::tls::code::cipher_suite::KeyExchange;
use crate::tls::wire::{DecodeError, Fault, Reader, Writer};

const CLAUSE: &str = "RFC 5246 §7.4.7";

/// The client's part of a key exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientKeyExchange {
    /// With a pre-shared key, its name (RFC 4279 §2).
    pub psk_identity: Option<Vec<u8>>,
    /// What the client contributes.
    pub contribution: Contribution,
}

/// What a client contributes to the shared secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contribution {
    /// Nothing beside the pre-shared key.
    None,
    /// The pre-master secret, encrypted to the server's RSA key. SSL 3.0 writes no length before it.
    EncryptedPreMaster {
        /// The ciphertext, as long as the modulus.
        ciphertext: Vec<u8>,
        /// Whether its length precedes it (from TLS 1.0 on).
        prefixed: bool,
    },
    /// A power in the server's finite field; empty where the client's certificate holds it.
    Dh(Vec<u8>),
    /// A point on the server's curve; empty where the client's certificate holds it.
    Ecdh(Vec<u8>),
    /// SRP's power (RFC 5054 §2.5.4).
    Srp(Vec<u8>),
}

impl ClientKeyExchange {
    /// Reads the body of the message; `None` where the suite's form of it is not known.
    ///
    /// # Errors
    /// A body that is not what the standard says.
    pub fn decode(body: &[u8], negotiated: &Negotiated) -> Result<Option<Self>, DecodeError> {
        let Some(parts) = negotiated.parts() else { return Ok(None) };
        let mut reader = Reader::new("ClientKeyExchange", CLAUSE, body);
        let psk_identity = match parts.key_exchange {
            KeyExchange::Psk | KeyExchange::RsaPsk | KeyExchange::DhePsk | KeyExchange::EcdhePsk => {
                let octets = reader.vector16(0..=65_535, "psk_identity")?.rest().to_vec();
                Some(octets)
            }
            _ => None,
        };
        let contribution = match parts.key_exchange {
            KeyExchange::Psk => Contribution::None,
            KeyExchange::Rsa | KeyExchange::RsaPsk => encrypted(&mut reader, negotiated.version)?,
            KeyExchange::Dh | KeyExchange::Dhe | KeyExchange::DhePsk => match reader.is_empty() {
                true => Contribution::Dh(Vec::new()),
                false => Contribution::Dh(reader.vector16(1..=65_535, "dh_Yc")?.rest().to_vec()),
            },
            KeyExchange::Ecdh | KeyExchange::Ecdhe | KeyExchange::EcdhePsk => match reader.is_empty() {
                true => Contribution::Ecdh(Vec::new()),
                false => Contribution::Ecdh(reader.vector8(1..=255, "ecdh_Yc")?.rest().to_vec()),
            },
            KeyExchange::Srp => Contribution::Srp(reader.vector16(1..=65_535, "srp_A")?.rest().to_vec()),
            _ => return Ok(None),
        };
        reader.finish()?;
        Ok(Some(Self { psk_identity, contribution }))
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        if let Some(identity) = &self.psk_identity {
            writer.vector16(|w| _ = w.bytes(identity));
        }
        match &self.contribution {
            Contribution::None => {}
            Contribution::EncryptedPreMaster { ciphertext, prefixed: false } => _ = writer.bytes(ciphertext),
            Contribution::Dh(octets) | Contribution::Ecdh(octets) if octets.is_empty() => {}
            Contribution::Ecdh(point) => _ = writer.vector8(|w| _ = w.bytes(point)),
            Contribution::EncryptedPreMaster { ciphertext: octets, prefixed: true }
            | Contribution::Dh(octets)
            | Contribution::Srp(octets) => _ = writer.vector16(|w| _ = w.bytes(octets)),
        }
    }
}

fn encrypted(reader: &mut Reader<'_>, version: ProtocolVersion) -> Result<Contribution, DecodeError> {
    let prefixed = version != ProtocolVersion::SSL3;
    let at = *reader;
    let ciphertext = match prefixed {
        true => reader.vector16(1..=65_535, "EncryptedPreMasterSecret")?.rest().to_vec(),
        false => reader.rest().to_vec(),
    };
    match ciphertext.is_empty() {
        true => Err(at.error("EncryptedPreMasterSecret", Fault::Truncated { needed: 1, left: 0 })),
        false => Ok(Contribution::EncryptedPreMaster { ciphertext, prefixed }),
    }
}
