//! The handshake messages of a connection, over which Finished and signatures are made (RFC 8446 §4.4.1).

use crate::key::{HashAlgorithm, digest};
use crate::tls::code::HandshakeType;
use crate::tls::handshake::Negotiated;
use crate::tls::record::RawHandshake;

/// Handshake messages with their headers, one after the other, both sides' in the order in which they were sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HandshakeMessages {
    octets: Vec<u8>,
}

impl HandshakeMessages {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next message. What no Finished covers is passed over: HelloRequest (RFC 5246 §7.4.1.1), KeyUpdate, and the
    /// NewSessionTicket of TLS 1.3 (RFC 8446 §4.4.1), which some servers send before the client's Finished.
    pub fn add(&mut self, message: &RawHandshake, negotiated: Option<&Negotiated>) {
        let tls13 = negotiated.is_some_and(|negotiated| negotiated.version.is_tls13());
        let covered = match message.handshake_type {
            HandshakeType::HELLO_REQUEST | HandshakeType::KEY_UPDATE => false,
            HandshakeType::NEW_SESSION_TICKET => !tls13,
            _ => true,
        };
        if covered {
            self.octets.extend_from_slice(&message.encoding);
        }
    }

    /// A ClientHello of SSL 2.0 form, without its length.
    pub fn add_ssl2_hello(&mut self, message: &[u8]) {
        self.octets.extend_from_slice(message);
    }

    /// Puts a digest in place of the first ClientHello. To be called with the suite's hash before a HelloRetryRequest is
    /// added.
    pub fn hash_first_hello(&mut self, hash: HashAlgorithm) {
        self.octets = RawHandshake::new(HandshakeType::MESSAGE_HASH, &self.digest(hash)).encoding;
    }

    /// The digest of all messages so far.
    pub fn digest(&self, hash: HashAlgorithm) -> Vec<u8> {
        digest::of(hash, &self.octets)
    }

    /// All messages so far.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }
}
