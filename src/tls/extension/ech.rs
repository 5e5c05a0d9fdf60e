//! encrypted_client_hello (RFC 9849 §5): recognised and taken apart, not opened.

use super::Place;
use crate::tls::wire::{DecodeError, Fault, Reader, Writer};

const CLAUSE: &str = "RFC 9849 §5";

/// Encrypted Client Hello, or a GREASE of it, which looks the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EncryptedClientHello {
    /// In the hello that everybody can read: the hidden one, encrypted.
    Outer {
        /// HPKE's key derivation: 1 is HKDF-SHA256 (RFC 9180 §7.2).
        kdf_id: u16,
        /// HPKE's AEAD: 1 is AES-128-GCM (RFC 9180 §7.3).
        aead_id: u16,
        /// Which of the server's configurations.
        config_id: u8,
        /// HPKE's encapsulated key; empty after a HelloRetryRequest.
        enc: Vec<u8>,
        /// The hidden hello, encrypted.
        payload: Vec<u8>,
    },
    /// In the hidden hello: a mark.
    Inner,
    /// In EncryptedExtensions: configurations to try again with, an ECHConfigList.
    RetryConfigs(Vec<u8>),
    /// In a HelloRetryRequest: the server has opened the hidden hello.
    Confirmation([u8; 8]),
}

impl EncryptedClientHello {
    pub(super) fn read(reader: Reader<'_>, place: Place) -> Result<Self, DecodeError> {
        let mut reader = reader.within("encrypted_client_hello", CLAUSE);
        let at = reader;
        let value = match place {
            Place::EncryptedExtensions => Self::RetryConfigs(reader.rest().to_vec()),
            Place::HelloRetryRequest => Self::Confirmation(reader.array("confirmation")?),
            _ => match reader.u8("type")? {
                0 => Self::Outer {
                    kdf_id: reader.u16("kdf_id")?,
                    aead_id: reader.u16("aead_id")?,
                    config_id: reader.u8("config_id")?,
                    enc: reader.vector16(0..=65_535, "enc")?.rest().to_vec(),
                    payload: reader.vector16(1..=65_535, "payload")?.rest().to_vec(),
                },
                1 => Self::Inner,
                _ => return Err(at.error("type", Fault::Value("it is neither outer nor inner"))),
            },
        };
        reader.finish()?;
        Ok(value)
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        match self {
            Self::Outer { kdf_id, aead_id, config_id, enc, payload } => {
                writer.u8(0).u16(*kdf_id).u16(*aead_id).u8(*config_id);
                writer.vector16(|w| _ = w.bytes(enc)).vector16(|w| _ = w.bytes(payload));
            }
            Self::Inner => _ = writer.u8(1),
            Self::RetryConfigs(configs) => _ = writer.bytes(configs),
            Self::Confirmation(confirmation) => _ = writer.bytes(confirmation),
        }
    }
}
