//! Certificate (RFC 8446 §4.4.2, RFC 5246 §7.4.2) and CompressedCertificate (RFC 8879 §4).

use crate::tls::code::CertificateCompression;
use crate::tls::extension::Extensions;
use crate::tls::wire::{DecodeError, Reader, Writer};

/// A certificate chain, the sender's own certificate first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateMessage {
    /// In TLS 1.3 the context of the request it answers, empty in a server's; `None` in older versions.
    pub request_context: Option<Vec<u8>>,
    /// The certificates; none says that a client has none to show.
    pub entries: Vec<CertificateEntry>,
}

/// A certificate with its extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateEntry {
    /// The certificate in DER, or a SubjectPublicKeyInfo where raw public keys were agreed on (RFC 7250).
    pub data: Vec<u8>,
    /// OCSP response, timestamps and the like; absent before TLS 1.3.
    pub extensions: Extensions,
}

impl CertificateMessage {
    /// Reads the body of the message, in the form of TLS 1.3 or the older one.
    ///
    /// # Errors
    /// A body that is not what the standard says. Certificates and extensions are not looked into.
    pub fn decode(body: &[u8], tls13: bool) -> Result<Self, DecodeError> {
        let clause = if tls13 { "RFC 8446 §4.4.2" } else { "RFC 5246 §7.4.2" };
        let mut reader = Reader::new("Certificate", clause, body);
        let request_context = match tls13 {
            true => Some(reader.vector8(0..=255, "certificate_request_context")?.rest().to_vec()),
            false => None,
        };
        let mut list = reader.vector24(0..=0xff_ffff, "certificate_list")?;
        reader.finish()?;
        let mut entries = Vec::new();
        while !list.is_empty() {
            let data = list.vector24(1..=0xff_ffff, "cert_data")?.rest().to_vec();
            let extensions = if tls13 { Extensions::read(&mut list, false)? } else { Extensions::default() };
            entries.push(CertificateEntry { data, extensions });
        }
        Ok(Self { request_context, entries })
    }

    /// The certificates in DER, the sender's own first.
    pub fn certificates(&self) -> impl Iterator<Item = &[u8]> {
        self.entries.iter().map(|entry| entry.data.as_slice())
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        if let Some(context) = &self.request_context {
            writer.vector8(|w| _ = w.bytes(context));
        }
        writer.vector24(|w| {
            for entry in &self.entries {
                w.vector24(|w| _ = w.bytes(&entry.data));
                entry.extensions.write(w);
            }
        });
    }
}

/// A Certificate message, compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompressedCertificate {
    /// How it is compressed.
    pub algorithm: CertificateCompression,
    /// The length of the Certificate message, in octets.
    pub uncompressed_length: u32,
    /// The compressed message.
    pub compressed: Vec<u8>,
}

impl CompressedCertificate {
    pub(super) fn decode(body: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("CompressedCertificate", "RFC 8879 §4", body);
        let certificate = Self {
            algorithm: CertificateCompression(reader.u16("algorithm")?),
            uncompressed_length: reader.u24("uncompressed_length")?,
            compressed: reader.vector24(1..=0xff_ffff, "compressed_certificate_message")?.rest().to_vec(),
        };
        reader.finish()?;
        Ok(certificate)
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        let [_, length @ ..] = self.uncompressed_length.to_be_bytes();
        writer.u16(self.algorithm.0).bytes(&length).vector24(|w| _ = w.bytes(&self.compressed));
    }
}
