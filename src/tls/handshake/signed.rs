//! Signatures in handshake messages (RFC 5246 §4.7, RFC 8446 §4.4.3).

use crate::tls::code::{ProtocolVersion, SignatureScheme};
use crate::tls::wire::{DecodeError, Reader, Writer};

/// A signature with its algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigitallySigned {
    /// The algorithm; `None` before TLS 1.2, where the kind of key decides: RSA over MD5 and SHA-1 together, ECDSA and DSA
    /// over SHA-1.
    pub scheme: Option<SignatureScheme>,
    /// The signature.
    pub signature: Vec<u8>,
}

impl DigitallySigned {
    pub(super) fn read(reader: &mut Reader<'_>, version: ProtocolVersion) -> Result<Self, DecodeError> {
        let scheme = match version.has_signature_algorithms() {
            true => Some(SignatureScheme(reader.u16("algorithm")?)),
            false => None,
        };
        let signature = reader.vector16(0..=65_535, "signature")?.rest().to_vec();
        Ok(Self { scheme, signature })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        if let Some(scheme) = self.scheme {
            writer.u16(scheme.0);
        }
        writer.vector16(|w| _ = w.bytes(&self.signature));
    }
}
