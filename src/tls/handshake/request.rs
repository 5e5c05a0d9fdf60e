//! CertificateRequest (RFC 8446 §4.3.2, RFC 5246 §7.4.4, RFC 2246 §7.4.4).

use crate::tls::code::{ClientCertificateType, ExtensionType, ProtocolVersion, SignatureScheme};
use crate::tls::extension::{ExtensionValue, Extensions, Place, read_strings, write_strings};
use crate::tls::wire::{DecodeError, Reader, Writer};

/// What certificate a server wants of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateRequest {
    /// TLS 1.2 and older.
    Old {
        /// The kinds of certificate.
        certificate_types: Vec<ClientCertificateType>,
        /// The signatures, in TLS 1.2.
        signature_schemes: Option<Vec<SignatureScheme>>,
        /// Distinguished names of authorities in DER; none leaves it to the client.
        authorities: Vec<Vec<u8>>,
    },
    /// TLS 1.3, where extensions say it all.
    Tls13 {
        /// What the answer is to repeat; empty during the handshake.
        context: Vec<u8>,
        /// The extensions.
        extensions: Extensions,
    },
}

impl CertificateRequest {
    /// Reads the body of the message.
    ///
    /// # Errors
    /// A body that is not what the standard says. Extensions are not looked into.
    pub fn decode(body: &[u8], version: ProtocolVersion) -> Result<Self, DecodeError> {
        if version.is_tls13() {
            let mut reader = Reader::new("CertificateRequest", "RFC 8446 §4.3.2", body);
            let context = reader.vector8(0..=255, "certificate_request_context")?.rest().to_vec();
            let extensions = Extensions::read(&mut reader, false)?;
            return reader.finish().map(|()| Self::Tls13 { context, extensions });
        }
        let mut reader = Reader::new("CertificateRequest", "RFC 5246 §7.4.4", body);
        let certificate_types = reader.vector8(1..=255, "certificate_types")?.all_u8(ClientCertificateType);
        let signature_schemes = match version.has_signature_algorithms() {
            true => {
                let field = "supported_signature_algorithms";
                Some(reader.vector16(2..=65_534, field)?.all_u16(field, SignatureScheme)?)
            }
            false => None,
        };
        let authorities = read_strings(&mut reader, 0, "certificate_authorities")?;
        reader.finish()?;
        Ok(Self::Old { certificate_types, signature_schemes, authorities })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        match self {
            Self::Old { certificate_types, signature_schemes, authorities } => {
                writer.vector8(|w| certificate_types.iter().for_each(|kind| _ = w.u8(kind.0)));
                if let Some(schemes) = signature_schemes {
                    writer.vector16(|w| schemes.iter().for_each(|scheme| _ = w.u16(scheme.0)));
                }
                write_strings(authorities, writer);
            }
            Self::Tls13 { context, extensions } => {
                writer.vector8(|w| _ = w.bytes(context));
                extensions.write(writer);
            }
        }
    }

    /// The distinguished names of the authorities it takes, in DER.
    pub fn authorities(&self) -> Vec<Vec<u8>> {
        match self {
            Self::Old { authorities, .. } => authorities.clone(),
            Self::Tls13 { extensions, .. } => {
                match extensions.value(ExtensionType::CERTIFICATE_AUTHORITIES, Place::CertificateRequest) {
                    Some(ExtensionValue::CertificateAuthorities(authorities)) => authorities,
                    _ => Vec::new(),
                }
            }
        }
    }

    /// The signatures it takes; none before TLS 1.2.
    pub fn signature_schemes(&self) -> Vec<SignatureScheme> {
        match self {
            Self::Old { signature_schemes, .. } => signature_schemes.clone().unwrap_or_default(),
            Self::Tls13 { extensions, .. } => {
                match extensions.value(ExtensionType::SIGNATURE_ALGORITHMS, Place::CertificateRequest) {
                    Some(ExtensionValue::SignatureSchemes(schemes)) => schemes,
                    _ => Vec::new(),
                }
            }
        }
    }
}
