//! Handshake messages: SSL 3.0 to TLS 1.3, read and written.

mod certificate;
mod client_hello;
mod compression;
mod key_exchange;
mod offer;
mod request;
mod server_hello;
mod server_key_exchange;
mod signed;
mod ssl2;
mod ticket;

pub use certificate::{CertificateEntry, CertificateMessage, CompressedCertificate};
pub use client_hello::ClientHello;
pub use compression::DecompressError;
pub use key_exchange::{ClientKeyExchange, Contribution};
pub use offer::Offer;
pub use request::CertificateRequest;
pub use server_hello::{Downgrade, HELLO_RETRY_REQUEST_RANDOM, ServerHello};
pub use server_key_exchange::{KeyExchangeParameters, ServerKeyExchange};
pub use signed::DigitallySigned;
pub use ssl2::{Ssl2ClientHello, Ssl2ServerHello};
pub use ticket::NewSessionTicket;

use super::code::cipher_suite::SuiteParts;
use super::code::{CipherSuite, HandshakeType, KeyUpdateRequest, ProtocolVersion};
use super::extension::{CertificateStatus, Extensions};
use super::record::RawHandshake;
use super::wire::{DecodeError, EncodeError, Reader, Writer};

/// What a ServerHello has settled, on which the form of later messages depends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Negotiated {
    /// The version.
    pub version: ProtocolVersion,
    /// The cipher suite.
    pub cipher_suite: CipherSuite,
}

impl Negotiated {
    fn parts(&self) -> Option<SuiteParts> {
        self.cipher_suite.parts()
    }
}

/// A handshake message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handshake {
    /// The server wants to negotiate again; the client may (RFC 5246 §7.4.1.1).
    HelloRequest,
    /// What the client offers.
    ClientHello(ClientHello),
    /// What the server chooses, or wants changed (HelloRetryRequest).
    ServerHello(ServerHello),
    /// Answers to extensions that are none of an eavesdropper's business (RFC 8446 §4.3.1).
    EncryptedExtensions(Extensions),
    /// A certificate chain.
    Certificate(CertificateMessage),
    /// A certificate chain, compressed (RFC 8879).
    CompressedCertificate(CompressedCertificate),
    /// OCSP responses before TLS 1.3 (RFC 6066 §8).
    CertificateStatus(CertificateStatus),
    /// The server's part of a key exchange, mostly signed.
    ServerKeyExchange(ServerKeyExchange),
    /// The server wants a certificate of the client.
    CertificateRequest(CertificateRequest),
    /// The server has said all it has to say for now.
    ServerHelloDone,
    /// The client's part of a key exchange.
    ClientKeyExchange(ClientKeyExchange),
    /// The proof that the sender has the certificate's key: a signature over the handshake.
    CertificateVerify(DigitallySigned),
    /// A MAC over the handshake: both have seen the same messages.
    Finished(Vec<u8>),
    /// A ticket to resume with.
    NewSessionTicket(NewSessionTicket),
    /// The client's early data ends (RFC 8446 §4.5).
    EndOfEarlyData,
    /// The sender goes on with new keys (RFC 8446 §4.6.3).
    KeyUpdate(KeyUpdateRequest),
    /// Another message, or one whose form is not known yet, as it was found.
    Other(HandshakeType, Vec<u8>),
}

impl Handshake {
    /// Reads a message. Before the ServerHello there is nothing `negotiated`; messages whose form depends on it come as
    /// [`Handshake::Other`] then.
    ///
    /// # Errors
    /// A body that is not what its standard says. Offsets count from the end of the header of four octets.
    pub fn decode(message: &RawHandshake, negotiated: Option<&Negotiated>) -> Result<Self, DecodeError> {
        let body = message.body();
        let tls13 = negotiated.map(|negotiated| negotiated.version.is_tls13());
        let other = || Self::Other(message.handshake_type, body.to_vec());
        match (message.handshake_type, negotiated) {
            (HandshakeType::HELLO_REQUEST, _) => empty("HelloRequest", "RFC 5246 §7.4.1.1", body, Self::HelloRequest),
            (HandshakeType::CLIENT_HELLO, _) => ClientHello::decode(body).map(Self::ClientHello),
            (HandshakeType::SERVER_HELLO, _) => ServerHello::decode(body).map(Self::ServerHello),
            (HandshakeType::SERVER_HELLO_DONE, _) => {
                empty("ServerHelloDone", "RFC 5246 §7.4.5", body, Self::ServerHelloDone)
            }
            (HandshakeType::END_OF_EARLY_DATA, _) => {
                empty("EndOfEarlyData", "RFC 8446 §4.5", body, Self::EndOfEarlyData)
            }
            (HandshakeType::ENCRYPTED_EXTENSIONS, _) => {
                let mut reader = Reader::new("EncryptedExtensions", "RFC 8446 §4.3.1", body);
                let extensions = Extensions::read(&mut reader, false)?;
                reader.finish().map(|()| Self::EncryptedExtensions(extensions))
            }
            (HandshakeType::KEY_UPDATE, _) => {
                let mut reader = Reader::new("KeyUpdate", "RFC 8446 §4.6.3", body);
                let request = KeyUpdateRequest(reader.u8("request_update")?);
                reader.finish().map(|()| Self::KeyUpdate(request))
            }
            (HandshakeType::CERTIFICATE_STATUS, _) => {
                CertificateStatus::read(Reader::new("CertificateStatus", "RFC 6066 §8", body))
                    .map(Self::CertificateStatus)
            }
            (HandshakeType::COMPRESSED_CERTIFICATE, _) => {
                CompressedCertificate::decode(body).map(Self::CompressedCertificate)
            }
            (HandshakeType::FINISHED, _) => Ok(Self::Finished(body.to_vec())),
            (_, None) => Ok(other()),
            (HandshakeType::CERTIFICATE, Some(_)) => {
                CertificateMessage::decode(body, tls13 == Some(true)).map(Self::Certificate)
            }
            (HandshakeType::SERVER_KEY_EXCHANGE, Some(negotiated)) => {
                let known = ServerKeyExchange::decode(body, negotiated)?;
                Ok(known.map_or_else(other, Self::ServerKeyExchange))
            }
            (HandshakeType::CLIENT_KEY_EXCHANGE, Some(negotiated)) => {
                let known = ClientKeyExchange::decode(body, negotiated)?;
                Ok(known.map_or_else(other, Self::ClientKeyExchange))
            }
            (HandshakeType::CERTIFICATE_REQUEST, Some(negotiated)) => {
                CertificateRequest::decode(body, negotiated.version).map(Self::CertificateRequest)
            }
            (HandshakeType::CERTIFICATE_VERIFY, Some(negotiated)) => {
                let mut reader = Reader::new("CertificateVerify", "RFC 8446 §4.4.3", body);
                let signed = DigitallySigned::read(&mut reader, negotiated.version)?;
                reader.finish().map(|()| Self::CertificateVerify(signed))
            }
            (HandshakeType::NEW_SESSION_TICKET, Some(_)) => {
                NewSessionTicket::decode(body, tls13 == Some(true)).map(Self::NewSessionTicket)
            }
            (_, Some(_)) => Ok(other()),
        }
    }

    /// The type in the message's header.
    pub fn handshake_type(&self) -> HandshakeType {
        match self {
            Self::HelloRequest => HandshakeType::HELLO_REQUEST,
            Self::ClientHello(_) => HandshakeType::CLIENT_HELLO,
            Self::ServerHello(_) => HandshakeType::SERVER_HELLO,
            Self::EncryptedExtensions(_) => HandshakeType::ENCRYPTED_EXTENSIONS,
            Self::Certificate(_) => HandshakeType::CERTIFICATE,
            Self::CompressedCertificate(_) => HandshakeType::COMPRESSED_CERTIFICATE,
            Self::CertificateStatus(_) => HandshakeType::CERTIFICATE_STATUS,
            Self::ServerKeyExchange(_) => HandshakeType::SERVER_KEY_EXCHANGE,
            Self::CertificateRequest(_) => HandshakeType::CERTIFICATE_REQUEST,
            Self::ServerHelloDone => HandshakeType::SERVER_HELLO_DONE,
            Self::ClientKeyExchange(_) => HandshakeType::CLIENT_KEY_EXCHANGE,
            Self::CertificateVerify(_) => HandshakeType::CERTIFICATE_VERIFY,
            Self::Finished(_) => HandshakeType::FINISHED,
            Self::NewSessionTicket(_) => HandshakeType::NEW_SESSION_TICKET,
            Self::EndOfEarlyData => HandshakeType::END_OF_EARLY_DATA,
            Self::KeyUpdate(_) => HandshakeType::KEY_UPDATE,
            Self::Other(handshake_type, _) => *handshake_type,
        }
    }

    /// The whole message, header included. What was decoded is encoded to the same octets.
    ///
    /// # Errors
    /// Parts too long for their length fields.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut body = Writer::new();
        let w = &mut body;
        match self {
            Self::HelloRequest | Self::ServerHelloDone | Self::EndOfEarlyData => {}
            Self::ClientHello(hello) => hello.write(w),
            Self::ServerHello(hello) => hello.write(w),
            Self::EncryptedExtensions(extensions) => extensions.write(w),
            Self::Certificate(certificate) => certificate.write(w),
            Self::CompressedCertificate(certificate) => certificate.write(w),
            Self::CertificateStatus(status) => status.write(w),
            Self::ServerKeyExchange(exchange) => exchange.write(w),
            Self::CertificateRequest(request) => request.write(w),
            Self::ClientKeyExchange(exchange) => exchange.write(w),
            Self::CertificateVerify(signed) => signed.write(w),
            Self::NewSessionTicket(ticket) => ticket.write(w),
            Self::KeyUpdate(request) => _ = w.u8(request.0),
            Self::Finished(octets) | Self::Other(_, octets) => _ = w.bytes(octets),
        }
        let body = body.finish()?;
        let mut message = Writer::new();
        message.u8(self.handshake_type().0).vector24(|w| _ = w.bytes(&body));
        message.finish()
    }
}

/// A message without content.
fn empty(
    structure: &'static str,
    clause: &'static str,
    body: &[u8],
    message: Handshake,
) -> Result<Handshake, DecodeError> {
    Reader::new(structure, clause, body).finish().map(|()| message)
}

#[cfg(test)]
mod tests;
