//! A connection overheard: a proxy that writes down what passes, and a follower that reads it with certkit's codecs and
//! keys, as far as the secrets go.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use certkit::key::PrivateKey;
use certkit::tls::code::{CipherSuite, ContentType, ExtensionType, HandshakeType, ProtocolVersion};
use certkit::tls::handshake::{ClientHello, Contribution, Handshake, Negotiated, ServerHello};
use certkit::tls::keys::{
    HandshakeMessages, KeyLog, KeyLogLabel, MasterSecret, PreMasterSecret, Prf, RecordDecrypter, Side, SignedWith,
    TrafficSecret, certificate_verify, server_key_exchange,
};
use certkit::tls::record::{Alert, HandshakeReader, RawHandshake, Record, RecordEvent, RecordReader};
use certkit::x509::Certificate;

/// What passed, piece by piece in its order.
pub(crate) type Recording = Vec<(Side, Vec<u8>)>;

/// Takes one connection and hands it on.
pub(crate) struct Wiretap {
    pub(crate) port: u16,
    passed: Arc<Mutex<Recording>>,
    worker: JoinHandle<()>,
}

impl Wiretap {
    /// Listens on a port of its own for a connection to this port of 127.0.0.1.
    pub(crate) fn on(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let passed = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&passed);
        let worker = thread::spawn(move || {
            let (client, _) = listener.accept().unwrap();
            let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
            for stream in [&client, &server] {
                stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
            }
            let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let other = Arc::clone(&log);
            let up = thread::spawn(move || pass(Side::Client, from, to, &other));
            pass(Side::Server, server, client, &log);
            up.join().unwrap();
        });
        Self { port, passed, worker }
    }

    /// What passed, once both sides have closed.
    pub(crate) fn recording(self) -> Recording {
        self.worker.join().unwrap();
        std::mem::take(&mut *self.passed.lock().unwrap())
    }
}

fn pass(side: Side, mut from: TcpStream, mut to: TcpStream, log: &Mutex<Recording>) {
    let mut piece = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut piece) {
        log.lock().unwrap().push((side, piece[..length].to_vec()));
        if to.write_all(&piece[..length]).is_err() {
            break;
        }
    }
    _ = to.shutdown(Shutdown::Write);
}

/// What a follower has understood.
#[derive(Default)]
pub(crate) struct Story {
    pub(crate) client_hello: Option<ClientHello>,
    pub(crate) server_hello: Option<ServerHello>,
    pub(crate) retried: bool,
    /// Types of messages in their order, encrypted ones included.
    pub(crate) messages: Vec<HandshakeType>,
    pub(crate) key_exchange_signed: Option<SignedWith>,
    pub(crate) certificate_verified: Vec<(Side, SignedWith)>,
    /// Whose Finished was right.
    pub(crate) finished: Vec<Side>,
    pub(crate) alerts: Vec<Alert>,
    pub(crate) client_data: Vec<u8>,
    pub(crate) server_data: Vec<u8>,
}

/// Follows one connection.
pub(crate) struct Follower<'a> {
    log: &'a KeyLog,
    key: Option<&'a PrivateKey>,
    legs: [Leg; 2],
    transcript: HandshakeMessages,
    certificates: [Option<Certificate>; 2],
    negotiated: Option<Negotiated>,
    master: Option<MasterSecret>,
    story: Story,
}

#[derive(Default)]
struct Leg {
    records: RecordReader,
    messages: HandshakeReader,
    decrypter: Option<RecordDecrypter>,
    /// In TLS 1.3, what Finished is made with.
    secret: Option<TrafficSecret>,
}

/// Reads a whole recording; anything that cannot be read or is not right fails the test.
pub(crate) fn follow(recording: &Recording, log: &KeyLog, key: Option<&PrivateKey>) -> Story {
    let mut follower = Follower {
        log,
        key,
        legs: Default::default(),
        transcript: HandshakeMessages::new(),
        certificates: [None, None],
        negotiated: None,
        master: None,
        story: Story::default(),
    };
    for (side, octets) in recording {
        follower.leg(*side).records.push(octets);
        while let Some(event) = follower.leg(*side).records.next().unwrap() {
            let RecordEvent::Record(record) = event else { panic!("{event:?}") };
            follower.record(*side, &record);
        }
    }
    follower.story
}

impl Follower<'_> {
    fn leg(&mut self, side: Side) -> &mut Leg {
        &mut self.legs[usize::from(side == Side::Server)]
    }

    fn tls13(&self) -> bool {
        self.negotiated.is_some_and(|negotiated| negotiated.version.is_tls13())
    }

    fn record(&mut self, side: Side, record: &Record) {
        if record.content_type == ContentType::CHANGE_CIPHER_SPEC {
            assert_eq!(record.fragment, [1]);
            if !self.tls13() && self.negotiated.is_some() {
                let decrypter = self.old_decrypter(side);
                self.leg(side).decrypter = Some(decrypter);
            }
            return;
        }
        let (content_type, content) = match &mut self.leg(side).decrypter {
            Some(decrypter) => {
                let plain = decrypter.decrypt(record).unwrap_or_else(|error| panic!("{side:?} {record:?}: {error}"));
                (plain.content_type, plain.content)
            }
            None => (record.content_type, record.fragment.clone()),
        };
        match (content_type, side) {
            (ContentType::ALERT, _) => self.story.alerts.extend(Alert::decode_all(&content).unwrap()),
            (ContentType::APPLICATION_DATA, Side::Client) => self.story.client_data.extend(content),
            (ContentType::APPLICATION_DATA, Side::Server) => self.story.server_data.extend(content),
            (ContentType::HANDSHAKE, _) => {
                self.leg(side).messages.push(&content);
                while let Some(message) = self.leg(side).messages.next().unwrap() {
                    self.message(side, &message);
                }
            }
            other => panic!("{other:?}"),
        }
    }

    fn message(&mut self, side: Side, raw: &RawHandshake) {
        let message = Handshake::decode(raw, self.negotiated.as_ref()).unwrap();
        assert_eq!(message.encode().unwrap(), raw.encoding, "{message:?}");
        self.story.messages.push(raw.handshake_type);
        self.check(side, &message);
        if let Handshake::ServerHello(hello) = &message
            && hello.is_hello_retry_request()
        {
            self.transcript.hash_first_hello(hello.cipher_suite.parts().unwrap().prf.unwrap());
        }
        self.transcript.add(raw, self.negotiated.as_ref());
        self.change_keys(side, message);
    }

    /// Before the message is part of the transcript.
    fn check(&mut self, side: Side, message: &Handshake) {
        let negotiated = self.negotiated;
        match message {
            Handshake::Certificate(chain) => {
                let own = chain.certificates().next().map(|der| Certificate::from_der(der).unwrap());
                self.certificates[usize::from(side == Side::Server)] = own;
            }
            Handshake::ServerKeyExchange(exchange) if exchange.signature.is_some() => {
                let key = self.certificates[1].as_ref().unwrap().public_key().unwrap();
                let (client, server) = self.randoms();
                let signed = server_key_exchange(&key, &negotiated.unwrap(), &client, &server, exchange).unwrap();
                let mut forged = exchange.clone();
                *forged.parameter_octets.last_mut().unwrap() ^= 1;
                server_key_exchange(&key, &negotiated.unwrap(), &client, &server, &forged).unwrap_err();
                self.story.key_exchange_signed = Some(signed);
            }
            Handshake::CertificateVerify(signed) => {
                let key = self.certificates[usize::from(side == Side::Server)].as_ref().unwrap().public_key().unwrap();
                let with = certificate_verify(&key, &negotiated.unwrap(), side, signed, &self.transcript).unwrap();
                self.story.certificate_verified.push((side, with));
            }
            Handshake::Finished(verify_data) => {
                let expected = match (&self.master, self.legs[usize::from(side == Side::Server)].secret.clone()) {
                    (Some(master), _) => master.finished(side, &self.transcript),
                    (None, Some(secret)) => secret.finished(&self.transcript.digest(secret.hash())),
                    (None, None) => panic!("no secret"),
                };
                assert_eq!(*verify_data, expected, "Finished of the {side:?}");
                self.story.finished.push(side);
            }
            _ => {}
        }
    }

    /// After the message is part of the transcript.
    fn change_keys(&mut self, side: Side, message: Handshake) {
        match message {
            Handshake::ClientHello(hello) => self.story.client_hello = Some(hello),
            Handshake::ServerHello(hello) if hello.is_hello_retry_request() => self.story.retried = true,
            Handshake::ServerHello(hello) => {
                self.negotiated = Some(hello.negotiated());
                self.story.server_hello = Some(hello);
                if self.tls13() {
                    self.expect_secret(Side::Client, KeyLogLabel::ClientHandshakeTrafficSecret);
                    self.expect_secret(Side::Server, KeyLogLabel::ServerHandshakeTrafficSecret);
                } else if let Some(secret) = self.log.secret(KeyLogLabel::ClientRandom, &self.randoms().0) {
                    let prf = Prf::of(&self.negotiated.unwrap()).unwrap();
                    self.master = Some(MasterSecret::new(prf, secret).unwrap());
                }
            }
            Handshake::ClientKeyExchange(exchange) => {
                if let (Contribution::EncryptedPreMaster { ciphertext, .. }, Some(key)) =
                    (&exchange.contribution, self.key)
                {
                    let derived = self.derive_master(key, ciphertext);
                    let logged = self.master.as_ref();
                    assert!(logged.is_none_or(|logged| *logged == derived), "another master secret than the log's");
                    self.master = Some(derived);
                }
            }
            Handshake::Finished(_) if self.tls13() => {
                let label = match side {
                    Side::Client => KeyLogLabel::ClientTrafficSecret0,
                    Side::Server => KeyLogLabel::ServerTrafficSecret0,
                };
                self.expect_secret(side, label);
            }
            Handshake::KeyUpdate(_) => self.leg(side).decrypter.as_mut().unwrap().update().unwrap(),
            _ => {}
        }
    }

    fn derive_master(&self, key: &PrivateKey, ciphertext: &[u8]) -> MasterSecret {
        let negotiated = self.negotiated.unwrap();
        let offered = self.story.client_hello.as_ref().unwrap().legacy_version;
        let pre_master = PreMasterSecret::decrypt(key, ciphertext, offered, negotiated.version).unwrap();
        let (client, server) = self.randoms();
        let prf = Prf::of(&negotiated).unwrap();
        match self.agreed(ExtensionType::EXTENDED_MASTER_SECRET) {
            true => MasterSecret::extended(prf, &pre_master, &self.transcript),
            false => MasterSecret::plain(prf, &pre_master, &client, &server),
        }
    }

    fn old_decrypter(&self, side: Side) -> RecordDecrypter {
        let (client, server) = self.randoms();
        let etm = self.agreed(ExtensionType::ENCRYPT_THEN_MAC);
        let master = self.master.as_ref().expect("a master secret");
        RecordDecrypter::old(&self.negotiated.unwrap(), master, &client, &server, side, etm).unwrap()
    }

    fn expect_secret(&mut self, side: Side, label: KeyLogLabel) {
        let suite = self.negotiated.unwrap().cipher_suite;
        let secret = self.log.secret(label, &self.randoms().0).unwrap_or_else(|| panic!("no {label}"));
        let secret = TrafficSecret::new(suite, secret).unwrap();
        self.leg(side).decrypter = Some(RecordDecrypter::tls13(suite, secret.clone()).unwrap());
        self.leg(side).secret = Some(secret);
    }

    fn agreed(&self, extension: ExtensionType) -> bool {
        self.story.server_hello.as_ref().unwrap().extensions.contains(extension)
    }

    fn randoms(&self) -> ([u8; 32], [u8; 32]) {
        let server = self.story.server_hello.as_ref().map_or([0; 32], |hello| hello.random);
        (self.story.client_hello.as_ref().unwrap().random, server)
    }
}

impl Story {
    /// What the ServerHello settled.
    pub(crate) fn settled(&self) -> (ProtocolVersion, CipherSuite) {
        let negotiated = self.server_hello.as_ref().unwrap().negotiated();
        (negotiated.version, negotiated.cipher_suite)
    }
}
