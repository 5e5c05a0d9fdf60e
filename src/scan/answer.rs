//! What a server says to one ClientHello, read from any octets: no more than it takes to know what was asked, and no
//! more than a bound.

use crate::key::EphemeralKey;
use crate::key::digest;
use crate::tls::code::{
    CertificateCompression, CipherSuite, ContentType, ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme,
};
use crate::tls::extension::{ExtensionValue, Extensions, KeyShareEntry, Place};
use crate::tls::handshake::{CertificateMessage, Handshake, ServerHello, ServerKeyExchange, Ssl2ServerHello};
use crate::tls::keys::{HandshakeSecret, RecordDecrypter, Side};
use crate::tls::record::{
    Alert, HandshakeReader, RawHandshake, Record, RecordError, RecordEvent, RecordFault, RecordReader,
};

/// The most that is read of one answer, in octets: a long chain with OCSP responses takes some tens of thousands.
const MOST_OCTETS: usize = 512 << 10;
/// Warnings that are passed over before a server is taken for one that says nothing else.
const MOST_WARNINGS: usize = 8;

/// How an answer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// All was read that was asked for.
    Settled,
    /// With a fatal alert.
    Alert(Alert),
    /// The server closed the connection.
    Closed,
    /// The server reset the connection.
    Reset,
    /// Nothing came in time.
    TimedOut,
    /// What came is no TLS.
    NotTls(String),
    /// A message is not what its standard says.
    Malformed(String),
}

/// What a server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its ServerHello, or HelloRetryRequest.
    pub hello: Option<ServerHello>,
    /// Its ServerHello of SSL 2.0.
    pub ssl2: Option<Ssl2ServerHello>,
    /// TLS 1.3: the encrypted answers to extensions.
    pub encrypted_extensions: Option<Extensions>,
    /// Its certificates in DER, its own first.
    pub chain: Vec<Vec<u8>>,
    /// How its certificates were compressed, if they were.
    pub compressed: Option<CertificateCompression>,
    /// Whether an OCSP response came with the certificate.
    pub stapled: bool,
    /// Whether timestamps of a log came, in an extension of the handshake.
    pub timestamps: bool,
    /// Its part of the key exchange, before TLS 1.3.
    pub key_exchange: Option<ServerKeyExchange>,
    /// What CertificateVerify was signed with, in TLS 1.3.
    pub verified_with: Option<SignatureScheme>,
    /// Whether it wants a certificate of the client.
    pub wants_certificate: bool,
    /// How it ended.
    pub end: End,
}

impl Answer {
    /// The version it settles for.
    pub fn version(&self) -> Option<ProtocolVersion> {
        self.hello.as_ref().map(ServerHello::version)
    }

    /// The suite it chooses.
    pub fn suite(&self) -> Option<CipherSuite> {
        self.hello.as_ref().map(|hello| hello.cipher_suite)
    }

    /// The group it chooses: of its key share, or of its ServerKeyExchange.
    pub fn group(&self) -> Option<NamedGroup> {
        use crate::tls::handshake::KeyExchangeParameters::Ecdhe;
        match self.key_exchange.as_ref().and_then(|exchange| exchange.parameters.as_ref()) {
            Some(Ecdhe { group, .. }) => Some(*group),
            Some(_) => None,
            None => self.hello.as_ref().and_then(ServerHello::group),
        }
    }

    /// What it signed with; `None` before TLS 1.2, where nothing says so.
    pub fn signed_with(&self) -> Option<SignatureScheme> {
        let signature = self.key_exchange.as_ref().and_then(|exchange| exchange.signature.as_ref());
        self.verified_with.or_else(|| signature.and_then(|signature| signature.scheme))
    }

    /// What it says to an extension, in ServerHello or EncryptedExtensions.
    pub fn extension(&self, extension_type: ExtensionType) -> Option<ExtensionValue> {
        let encrypted = self.encrypted_extensions.as_ref();
        let hidden = encrypted.and_then(|list| list.value(extension_type, Place::EncryptedExtensions));
        hidden.or_else(|| self.hello.as_ref().and_then(|hello| hello.extensions.value(extension_type, hello.place())))
    }

    /// The application protocol it chooses.
    pub fn protocol(&self) -> Option<Vec<u8>> {
        match self.extension(ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION)? {
            ExtensionValue::Protocols(protocols) => protocols.into_iter().next(),
            _ => None,
        }
    }
}

/// Reads one answer. It is fed until it is settled, or until nothing more comes.
#[derive(Debug)]
pub struct AnswerReader<'a> {
    client_hello: &'a [u8],
    keys: &'a [EphemeralKey],
    records: RecordReader,
    messages: HandshakeReader,
    decrypter: Option<RecordDecrypter>,
    octets: usize,
    warnings: usize,
    answer: Answer,
}

impl<'a> AnswerReader<'a> {
    /// A reader for the answer to this ClientHello message; `keys` are those whose public halves it held.
    pub fn new(client_hello: &'a [u8], keys: &'a [EphemeralKey]) -> Self {
        let answer = Answer {
            hello: None,
            ssl2: None,
            encrypted_extensions: None,
            chain: Vec::new(),
            compressed: None,
            stapled: false,
            timestamps: false,
            key_exchange: None,
            verified_with: None,
            wants_certificate: false,
            end: End::Closed,
        };
        Self {
            client_hello,
            keys,
            records: RecordReader::new(),
            messages: HandshakeReader::default(),
            decrypter: None,
            octets: 0,
            warnings: 0,
            answer,
        }
    }

    /// The next octets. True where nothing more is wanted.
    pub fn push(&mut self, octets: &[u8]) -> bool {
        self.octets = self.octets.saturating_add(octets.len());
        self.records.push(octets);
        match self.read() {
            None if self.octets > MOST_OCTETS => {
                self.answer.end = End::Malformed(format!("more than {MOST_OCTETS} octets and no end"));
                true
            }
            None => false,
            Some(end) => {
                self.answer.end = end;
                true
            }
        }
    }

    /// What was said, where nothing more comes for the reason `end`.
    pub fn stopped(mut self, end: End) -> Answer {
        self.answer.end = end;
        self.answer
    }

    /// What was said, once [`AnswerReader::push`] was true.
    pub fn answer(self) -> Answer {
        self.answer
    }

    fn read(&mut self) -> Option<End> {
        loop {
            let record = match self.records.next() {
                Ok(None) => return None,
                Ok(Some(RecordEvent::Record(record))) => record,
                Ok(Some(RecordEvent::Ssl2 { message })) => {
                    return Some(match Ssl2ServerHello::decode(&message) {
                        Ok(hello) => {
                            self.answer.ssl2 = Some(hello);
                            End::Settled
                        }
                        Err(error) => End::Malformed(error.to_string()),
                    });
                }
                // Nothing is ever missing in a live stream.
                Ok(Some(RecordEvent::Damaged { .. } | RecordEvent::Found { .. })) => continue,
                Err(error) => return Some(not_tls(&error)),
            };
            if let Some(end) = self.record(record) {
                return Some(end);
            }
        }
    }

    fn record(&mut self, record: Record) -> Option<End> {
        let (content_type, content) = match (&mut self.decrypter, record.content_type) {
            (Some(decrypter), ContentType::APPLICATION_DATA) => match decrypter.decrypt(&record) {
                Ok(plain) => (plain.content_type, plain.content),
                Err(error) => return Some(End::Malformed(error.to_string())),
            },
            (_, content_type) => (content_type, record.fragment),
        };
        match content_type {
            ContentType::HANDSHAKE => {
                self.messages.push(&content);
                self.handshake()
            }
            ContentType::ALERT => match Alert::decode_all(&content) {
                Ok(alerts) => {
                    let last = alerts.iter().find(|alert| alert.is_fatal() || alert.description.0 == 0);
                    self.warnings += alerts.len();
                    let ended = last.or(alerts.last().filter(|_| self.warnings > MOST_WARNINGS));
                    ended.map(|alert| End::Alert(*alert))
                }
                Err(error) => Some(End::Malformed(error.to_string())),
            },
            // RFC 8446 appendix D.4: it means nothing in TLS 1.3.
            ContentType::CHANGE_CIPHER_SPEC => None,
            other => Some(End::Malformed(format!("a record of type {other} before the end of the handshake"))),
        }
    }

    fn handshake(&mut self) -> Option<End> {
        loop {
            let message = match self.messages.next() {
                Ok(Some(message)) => message,
                Ok(None) => return None,
                Err(error) => return Some(End::Malformed(error.to_string())),
            };
            let negotiated = self.answer.hello.as_ref().map(ServerHello::negotiated);
            match Handshake::decode(&message, negotiated.as_ref()) {
                Ok(decoded) => {
                    if let Some(end) = self.message(decoded, &message) {
                        return Some(end);
                    }
                }
                Err(error) => return Some(End::Malformed(error.to_string())),
            }
        }
    }

    fn message(&mut self, message: Handshake, raw: &RawHandshake) -> Option<End> {
        let answer = &mut self.answer;
        match message {
            Handshake::ServerHello(_) if answer.hello.is_some() => {
                return Some(End::Malformed("a second ServerHello".to_owned()));
            }
            Handshake::ServerHello(hello) => {
                let tls13 = hello.version().is_tls13();
                let retry = hello.is_hello_retry_request();
                if tls13 && !retry {
                    self.decrypter = decrypter(&hello, raw, self.client_hello, self.keys);
                }
                answer.timestamps |= hello.extensions.contains(ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP);
                answer.hello = Some(hello);
                return (retry || tls13 && self.decrypter.is_none()).then_some(End::Settled);
            }
            Handshake::EncryptedExtensions(extensions) => answer.encrypted_extensions = Some(extensions),
            Handshake::Certificate(certificate) => answer.certificate(certificate),
            Handshake::CompressedCertificate(certificate) => answer.compressed = Some(certificate.algorithm),
            Handshake::CertificateStatus(_) => answer.stapled = true,
            Handshake::ServerKeyExchange(exchange) => answer.key_exchange = Some(exchange),
            Handshake::CertificateRequest(_) => answer.wants_certificate = true,
            Handshake::CertificateVerify(signed) => {
                answer.verified_with = signed.scheme;
                return Some(End::Settled);
            }
            Handshake::ServerHelloDone | Handshake::Finished(_) => return Some(End::Settled),
            // A server that wants to negotiate anew before anything was negotiated says nothing (RFC 5246 §7.4.1.1).
            _ => {}
        }
        None
    }
}

impl Answer {
    fn certificate(&mut self, certificate: CertificateMessage) {
        if let Some(own) = certificate.entries.first() {
            self.stapled |= own.extensions.contains(ExtensionType::STATUS_REQUEST);
            self.timestamps |= own.extensions.contains(ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP);
        }
        self.chain = certificate.entries.into_iter().map(|entry| entry.data).collect();
    }
}

/// What stands in the stream in place of TLS.
fn not_tls(error: &RecordError) -> End {
    match &error.fault {
        // draft-hickman-netscape-ssl-00 §2.7: a message of three octets, of type 0.
        RecordFault::NotTls { first, .. } if first.starts_with(&[0x80, 3, 0]) => {
            End::Malformed("an error in the form of SSL 2.0".to_owned())
        }
        _ => End::NotTls(error.to_string()),
    }
}

/// Opens what the server encrypts after its hello; `None` where it took none of our keys, or a cipher that certkit does
/// not compute.
fn decrypter(
    hello: &ServerHello,
    raw: &RawHandshake,
    client_hello: &[u8],
    keys: &[EphemeralKey],
) -> Option<RecordDecrypter> {
    let share = hello.extensions.value(ExtensionType::KEY_SHARE, Place::ServerHello)?;
    let ExtensionValue::KeyShare(KeyShareEntry { group, key_exchange }) = share else { return None };
    let key = keys.iter().find(|key| super::question::group_of(key.algorithm()) == group)?;
    let secret = HandshakeSecret::new(hello.cipher_suite, &key.agree(&key_exchange).ok()?).ok()?;
    let hash = hello.cipher_suite.parts()?.prf?;
    let transcript = digest::of(hash, &[client_hello, &raw.encoding].concat());
    RecordDecrypter::tls13(hello.cipher_suite, secret.traffic(Side::Server, &transcript).ok()?).ok()
}
