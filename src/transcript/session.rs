//! What a handshake has settled so far.

use super::event::Sender;
use crate::key::{HashAlgorithm, PublicKey};
use crate::tls::code::cipher_suite::{KeyExchange, SuiteParts};
use crate::tls::code::{ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme};
use crate::tls::extension::{ExtensionValue, Place};
use crate::tls::handshake::{
    CertificateMessage, ClientHello, Handshake, KeyExchangeParameters, Negotiated, ServerHello,
};
use crate::tls::keys::HandshakeMessages;
use crate::tls::record::RawHandshake;
use crate::x509::Certificate;

/// The longest handshake of which signatures and Finished are checked, in bytes.
const LONGEST_TRANSCRIPT: usize = 4 << 20;

/// The state of one handshake.
#[derive(Debug, Default)]
pub(super) struct Session {
    pub(super) client_hello: Option<ClientHello>,
    pub(super) client_random: Option<[u8; 32]>,
    /// The highest version a hello in the form of SSL 2.0 offers.
    pub(super) ssl2_form: Option<ProtocolVersion>,
    pub(super) server_hello: Option<ServerHello>,
    pub(super) negotiated: Option<Negotiated>,
    pub(super) retried: bool,
    /// All messages so far, as they are hashed.
    pub(super) transcript: HandshakeMessages,
    /// Something is missing in the transcript.
    pub(super) incomplete: bool,
    pub(super) server_chain: Vec<Certificate>,
    pub(super) client_chain: Vec<Certificate>,
    pub(super) client_certificate_asked: bool,
    pub(super) protocol: Option<Vec<u8>>,
    pub(super) group: Option<NamedGroup>,
    /// The bits of a finite-field group.
    pub(super) dh_bits: Option<usize>,
    /// What the server signed with, where that was seen.
    pub(super) scheme: Option<SignatureScheme>,
    /// Whether the server has signed the handshake.
    pub(super) signature_seen: bool,
    /// Whether the server's signature over the handshake holds.
    pub(super) signature_holds: Option<bool>,
    pub(super) key_exchange_seen: bool,
    pub(super) resumed: bool,
    pub(super) stapled: bool,
    /// Whose Finished was seen, encrypted or not: the client's, the server's.
    pub(super) finished: [bool; 2],
    /// Whether it holds, where it could be checked.
    pub(super) finished_holds: [Option<bool>; 2],
}

impl Session {
    pub(super) fn version(&self) -> Option<ProtocolVersion> {
        self.negotiated.map(|negotiated| negotiated.version)
    }

    pub(super) fn is_tls13(&self) -> bool {
        self.version().is_some_and(ProtocolVersion::is_tls13)
    }

    pub(super) fn parts(&self) -> Option<SuiteParts> {
        self.negotiated?.cipher_suite.parts()
    }

    pub(super) fn key_exchange(&self) -> Option<KeyExchange> {
        Some(self.parts()?.key_exchange)
    }

    /// The hash of the key schedule, from TLS 1.2 on.
    pub(super) fn hash(&self) -> Option<HashAlgorithm> {
        self.parts()?.prf
    }

    pub(super) fn is_finished(&self, sender: Sender) -> bool {
        let [client, server] = self.finished;
        if sender == Sender::Client { client } else { server }
    }

    pub(super) fn set_finished(&mut self, sender: Sender, holds: Option<bool>) {
        let ([client, server], [client_holds, server_holds]) = (&mut self.finished, &mut self.finished_holds);
        match sender {
            Sender::Client => (*client, *client_holds) = (true, holds),
            Sender::Server => (*server, *server_holds) = (true, holds),
        }
    }

    /// The key of the server's certificate.
    pub(super) fn server_key(&self) -> Option<PublicKey> {
        self.server_chain.first()?.public_key().ok()
    }

    /// The key of the client's certificate.
    pub(super) fn client_key(&self) -> Option<PublicKey> {
        self.client_chain.first()?.public_key().ok()
    }

    pub(super) fn offers_early_data(&self) -> bool {
        self.client_hello.as_ref().is_some_and(|hello| hello.extensions.contains(ExtensionType::EARLY_DATA))
    }

    pub(super) fn has_extension(&self, kind: ExtensionType) -> bool {
        self.server_hello.as_ref().is_some_and(|hello| hello.extensions.contains(kind))
    }

    /// Takes note of what a message settles; `decompressed` is what a CompressedCertificate holds. Its encoding joins the
    /// transcript.
    pub(super) fn take(
        &mut self,
        from: Sender,
        message: &Handshake,
        decompressed: Option<&CertificateMessage>,
        raw: &RawHandshake,
    ) {
        match message {
            Handshake::ClientHello(hello) => self.take_client_hello(hello),
            Handshake::ServerHello(hello) => self.take_server_hello(hello),
            Handshake::EncryptedExtensions(extensions) => {
                let alpn = ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION;
                if let Some(ExtensionValue::Protocols(list)) = extensions.value(alpn, Place::EncryptedExtensions) {
                    self.protocol = list.into_iter().next();
                }
            }
            Handshake::Certificate(message) => self.take_chain(from, message),
            // One that cannot be decompressed is told to be so, and leaves the chain unknown.
            Handshake::CompressedCertificate(_) => {
                if let Some(message) = decompressed {
                    self.take_chain(from, message);
                }
            }
            Handshake::CertificateStatus(_) => self.stapled = true,
            Handshake::ServerKeyExchange(exchange) => {
                self.key_exchange_seen = true;
                self.scheme = exchange.signature.as_ref().and_then(|signed| signed.scheme);
                self.signature_seen = exchange.signature.is_some();
                match &exchange.parameters {
                    Some(KeyExchangeParameters::Ecdhe { group, .. }) => self.group = Some(*group),
                    Some(parameters) => self.dh_bits = parameters.bits(),
                    None => {}
                }
            }
            Handshake::CertificateRequest(_) => self.client_certificate_asked = true,
            Handshake::CertificateVerify(signed) if from == Sender::Server => {
                self.scheme = signed.scheme;
                self.signature_seen = true;
            }
            Handshake::ServerHelloDone => self.key_exchange_seen = true,
            _ => {}
        }
        self.add(raw);
    }

    /// Adds a message to the transcript.
    pub(super) fn add(&mut self, raw: &RawHandshake) {
        if self.transcript.octets().len() + raw.encoding.len() > LONGEST_TRANSCRIPT {
            self.incomplete = true;
            return;
        }
        self.transcript.add(raw, self.negotiated.as_ref());
    }

    fn take_chain(&mut self, from: Sender, message: &CertificateMessage) {
        let chain = message.certificates().filter_map(|der| Certificate::from_der(der).ok()).collect();
        match from {
            Sender::Server => {
                self.server_chain = chain;
                let mut entries = message.entries.iter();
                self.stapled |= entries.any(|entry| entry.extensions.contains(ExtensionType::STATUS_REQUEST));
            }
            Sender::Client => self.client_chain = chain,
        }
    }

    fn take_client_hello(&mut self, hello: &ClientHello) {
        if self.client_hello.is_some() && !self.retried {
            // Another handshake in the same connection.
            *self = Self { retried: false, ..Self::default() };
        }
        self.client_random = Some(hello.random);
        self.client_hello = Some(hello.clone());
    }

    fn take_server_hello(&mut self, hello: &ServerHello) {
        self.negotiated = Some(hello.negotiated());
        self.group = hello.group();
        if hello.is_hello_retry_request() {
            self.retried = true;
            self.transcript.hash_first_hello(self.hash().unwrap_or(HashAlgorithm::Sha256));
            return;
        }
        self.server_hello = Some(hello.clone());
        if let Some(protocol) = hello.protocol() {
            self.protocol = Some(protocol);
        }
        self.resumed = self.is_tls13() && hello.extensions.contains(ExtensionType::PRE_SHARED_KEY);
    }
}
