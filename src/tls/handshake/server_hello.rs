//! ServerHello and HelloRetryRequest (RFC 8446 §4.1.3, §4.1.4).

use super::Negotiated;
use crate::tls::code::{CipherSuite, CompressionMethod, ExtensionType, NamedGroup, ProtocolVersion};
use crate::tls::extension::{ExtensionValue, Extensions, Place};
use crate::tls::wire::{DecodeError, Reader, Writer};

/// The random that makes a ServerHello a HelloRetryRequest: SHA-256 of "HelloRetryRequest".
pub const HELLO_RETRY_REQUEST_RANDOM: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// What a server chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerHello {
    /// The version before TLS 1.3; TLS 1.2 where supported_versions says more.
    pub legacy_version: ProtocolVersion,
    /// 32 random octets, of which the last eight may be a [`Downgrade`].
    pub random: [u8; 32],
    /// The session, or in TLS 1.3 the client's octets again; at most 32.
    pub session_id: Vec<u8>,
    /// The cipher suite.
    pub cipher_suite: CipherSuite,
    /// The compression method.
    pub compression_method: CompressionMethod,
    /// The extensions.
    pub extensions: Extensions,
}

/// A mark in the random by which a server says that it could do better (RFC 8446 §4.1.3): a client that can too has been
/// tampered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum Downgrade {
    /// The server speaks TLS 1.3 and settled for TLS 1.2.
    #[serde(rename = "to TLS 1.2")]
    ToTls12,
    /// The server speaks TLS 1.2 or 1.3 and settled for TLS 1.1 or less.
    #[serde(rename = "to TLS 1.1 or older")]
    ToTls11OrOlder,
}

impl ServerHello {
    /// Reads the body of the message.
    ///
    /// # Errors
    /// A body that is not what the standard says. Extensions are not looked into.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("ServerHello", "RFC 8446 §4.1.3", body);
        let hello = Self {
            legacy_version: ProtocolVersion(reader.u16("legacy_version")?),
            random: reader.array("random")?,
            session_id: reader.vector8(0..=32, "legacy_session_id_echo")?.rest().to_vec(),
            cipher_suite: CipherSuite(reader.u16("cipher_suite")?),
            compression_method: CompressionMethod(reader.u8("legacy_compression_method")?),
            extensions: Extensions::read(&mut reader, true)?,
        };
        reader.finish()?;
        Ok(hello)
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.u16(self.legacy_version.0).bytes(&self.random);
        writer.vector8(|w| _ = w.bytes(&self.session_id));
        writer.u16(self.cipher_suite.0).u8(self.compression_method.0);
        self.extensions.write(writer);
    }

    /// Whether the server wants another ClientHello.
    pub fn is_hello_retry_request(&self) -> bool {
        self.random == HELLO_RETRY_REQUEST_RANDOM
    }

    /// What its extensions stand in.
    pub fn place(&self) -> Place {
        if self.is_hello_retry_request() { Place::HelloRetryRequest } else { Place::ServerHello }
    }

    /// The version it chooses: that of supported_versions, or legacy_version.
    pub fn version(&self) -> ProtocolVersion {
        match self.extensions.value(ExtensionType::SUPPORTED_VERSIONS, self.place()) {
            Some(ExtensionValue::SelectedVersion(version)) => version,
            _ => self.legacy_version,
        }
    }

    /// What it settles.
    pub fn negotiated(&self) -> Negotiated {
        Negotiated { version: self.version(), cipher_suite: self.cipher_suite }
    }

    /// The group of its key share, or the one that a HelloRetryRequest asks for.
    pub fn group(&self) -> Option<NamedGroup> {
        match self.extensions.value(ExtensionType::KEY_SHARE, self.place())? {
            ExtensionValue::KeyShare(share) => Some(share.group),
            ExtensionValue::RetryGroup(group) => Some(group),
            _ => None,
        }
    }

    /// The application protocol it chooses, where it says so here (TLS 1.2 and older).
    pub fn protocol(&self) -> Option<Vec<u8>> {
        match self.extensions.value(ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION, self.place())? {
            ExtensionValue::Protocols(protocols) => protocols.into_iter().next(),
            _ => None,
        }
    }

    /// The mark of a server that could do better. It says something only below TLS 1.3.
    pub fn downgrade(&self) -> Option<Downgrade> {
        match self.random {
            [.., b'D', b'O', b'W', b'N', b'G', b'R', b'D', 1] => Some(Downgrade::ToTls12),
            [.., b'D', b'O', b'W', b'N', b'G', b'R', b'D', 0] => Some(Downgrade::ToTls11OrOlder),
            _ => None,
        }
    }
}
