//! ClientHello (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2).

use crate::tls::code::{
    CipherSuite, CompressionMethod, EcPointFormat, ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme,
};
use crate::tls::extension::{ExtensionValue, Extensions, KeyShareEntry, Place};
use crate::tls::wire::{DecodeError, Reader, Writer};

/// What a client offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientHello {
    /// The highest version before TLS 1.3; TLS 1.2 where supported_versions says more.
    pub legacy_version: ProtocolVersion,
    /// 32 random octets; before TLS 1.3 the first four may be the time.
    pub random: [u8; 32],
    /// The session to resume, or in TLS 1.3 something to please middleboxes; at most 32 octets.
    pub session_id: Vec<u8>,
    /// The cipher suites, the best first.
    pub cipher_suites: Vec<CipherSuite>,
    /// Compression methods; in TLS 1.3 null alone.
    pub compression_methods: Vec<CompressionMethod>,
    /// The extensions.
    pub extensions: Extensions,
}

impl ClientHello {
    /// Reads the body of the message.
    ///
    /// # Errors
    /// A body that is not what the standard says. Extensions are not looked into.
    pub fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("ClientHello", "RFC 8446 §4.1.2", body);
        let hello = Self {
            legacy_version: ProtocolVersion(reader.u16("legacy_version")?),
            random: reader.array("random")?,
            session_id: reader.vector8(0..=32, "legacy_session_id")?.rest().to_vec(),
            cipher_suites: reader.vector16(2..=65_534, "cipher_suites")?.all_u16("cipher_suites", CipherSuite)?,
            compression_methods: reader.vector8(1..=255, "legacy_compression_methods")?.all_u8(CompressionMethod),
            extensions: Extensions::read(&mut reader, true)?,
        };
        reader.finish()?;
        Ok(hello)
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.u16(self.legacy_version.0).bytes(&self.random);
        writer.vector8(|w| _ = w.bytes(&self.session_id));
        writer.vector16(|w| self.cipher_suites.iter().for_each(|suite| _ = w.u16(suite.0)));
        writer.vector8(|w| self.compression_methods.iter().for_each(|method| _ = w.u8(method.0)));
        self.extensions.write(writer);
    }

    /// The host of server_name, as it was sent; `None` where there is none or it is no text.
    pub fn server_name(&self) -> Option<String> {
        let ExtensionValue::ServerName(entries) = self.value(ExtensionType::SERVER_NAME)? else { return None };
        let host = entries.into_iter().find(|entry| entry.name_type == 0)?;
        String::from_utf8(host.name).ok()
    }

    /// The application protocols, the best first.
    pub fn protocols(&self) -> Vec<Vec<u8>> {
        match self.value(ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION) {
            Some(ExtensionValue::Protocols(protocols)) => protocols,
            _ => Vec::new(),
        }
    }

    /// All versions it offers, the best first: those of supported_versions, or legacy_version alone, which stands for
    /// itself and what is older.
    pub fn versions(&self) -> Vec<ProtocolVersion> {
        match self.value(ExtensionType::SUPPORTED_VERSIONS) {
            Some(ExtensionValue::SupportedVersions(versions)) => versions,
            _ => vec![self.legacy_version],
        }
    }

    /// The groups for key exchange, the best first.
    pub fn groups(&self) -> Vec<NamedGroup> {
        match self.value(ExtensionType::SUPPORTED_GROUPS) {
            Some(ExtensionValue::SupportedGroups(groups)) => groups,
            _ => Vec::new(),
        }
    }

    /// The point formats.
    pub fn point_formats(&self) -> Vec<EcPointFormat> {
        match self.value(ExtensionType::EC_POINT_FORMATS) {
            Some(ExtensionValue::EcPointFormats(formats)) => formats,
            _ => Vec::new(),
        }
    }

    /// The signature schemes, the best first.
    pub fn signature_schemes(&self) -> Vec<SignatureScheme> {
        match self.value(ExtensionType::SIGNATURE_ALGORITHMS) {
            Some(ExtensionValue::SignatureSchemes(schemes)) => schemes,
            _ => Vec::new(),
        }
    }

    /// The public keys that come with it.
    pub fn key_shares(&self) -> Vec<KeyShareEntry> {
        match self.value(ExtensionType::KEY_SHARE) {
            Some(ExtensionValue::KeyShares(shares)) => shares,
            _ => Vec::new(),
        }
    }

    fn value(&self, extension_type: ExtensionType) -> Option<ExtensionValue> {
        self.extensions.value(extension_type, Place::ClientHello)
    }
}
