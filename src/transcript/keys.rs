//! What opens encrypted records, and the keys that come of it.

mod derive;
mod lost;
mod remembered;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use self::lost::Lost;
use self::remembered::Remembered;
use super::event::{Remark, Secret, Sender, Weight};
use super::session::Session;
use crate::key::PrivateKey;
use crate::tls::code::cipher_suite::KeyExchange;
use crate::tls::code::{CipherSuite, ContentType, ExtensionType};
use crate::tls::extension::{ExtensionValue, Place};
use crate::tls::handshake::{ClientKeyExchange, Contribution, Handshake, NewSessionTicket};
use crate::tls::keys::{
    DecryptError, KeyLog, KeyLogLabel, MasterSecret, PreMasterSecret, Prf, RecordDecrypter, TrafficSecret,
};
use crate::tls::record::Record;

/// RSA private keys and key logs.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    keys: Vec<PrivateKey>,
    logs: Vec<KeyLog>,
    /// What connections opened with them have agreed on. Copies share it.
    remembered: Rc<RefCell<Remembered>>,
}

impl Secrets {
    /// Adds a server's private key. It opens connections in which the client encrypts to it.
    pub fn add_key(&mut self, key: PrivateKey) {
        self.keys.push(key);
    }

    /// Adds a key log.
    pub fn add_key_log(&mut self, log: KeyLog) {
        self.logs.push(log);
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.logs.iter().all(KeyLog::is_empty)
    }

    fn logged(&self, label: KeyLogLabel, name: &[u8]) -> Option<&[u8]> {
        self.logs.iter().find_map(|log| log.secret(label, name))
    }
}

/// What became of a protected record.
pub(super) enum Opened {
    /// Its content.
    Content(ContentType, Vec<u8>),
    /// Its content, and how many records before it are missing under its keys: the first that is opened after a gap.
    Found(ContentType, Vec<u8>, u64),
    /// There are no keys for it.
    NoKeys,
    /// The keys do not open it.
    Failed(String),
}

/// The keys of one connection.
#[derive(Debug)]
pub(super) struct Keys {
    secrets: Rc<Secrets>,
    source: Option<&'static str>,
    master: Option<MasterSecret>,
    client: Half,
    server: Half,
}

/// One side's keys.
#[derive(Debug, Default)]
struct Half {
    /// In the order in which they come into use.
    decrypters: VecDeque<RecordDecrypter>,
    /// What Finished of TLS 1.3 is made with.
    handshake: Option<TrafficSecret>,
    /// What is missing before the next record, where that is not known to the record.
    lost: Option<Lost>,
}

/// What was computed, and what there is to say about it.
pub(super) type Derived = (Vec<Secret>, Vec<Remark>);

impl Keys {
    pub(super) fn new(secrets: Rc<Secrets>) -> Self {
        Self { secrets, source: None, master: None, client: Half::default(), server: Half::default() }
    }

    /// Where the keys came from.
    pub(super) fn source(&self) -> Option<&'static str> {
        self.source
    }

    /// Derives what a message allows to. The session has taken note of the message.
    pub(super) fn follow(&mut self, sender: Sender, message: &Handshake, session: &Session) -> Derived {
        if self.secrets.is_empty() {
            return Derived::default();
        }
        match message {
            Handshake::ClientHello(_) => {
                self.master = None;
                self.early(session)
            }
            Handshake::ServerHello(hello) if !hello.is_hello_retry_request() && session.is_tls13() => {
                self.handshake_secrets(session)
            }
            Handshake::ClientKeyExchange(exchange) => self.key_exchange(exchange, session),
            Handshake::NewSessionTicket(NewSessionTicket::Old { ticket, .. }) => {
                // A resumed session may get its new ticket before the keys come into use.
                let secret = self.resume(session);
                self.remember(ticket);
                (secret.into_iter().collect(), Vec::new())
            }
            Handshake::Finished(_) if sender == Sender::Server && !session.is_tls13() => {
                if let Some(hello) = session.server_hello.as_ref() {
                    self.remember(&hello.session_id);
                }
                Derived::default()
            }
            Handshake::Finished(_) if session.is_tls13() => {
                let half = self.half(sender);
                // Finished is the last message under the keys of the handshake.
                if half.handshake.is_some() {
                    half.decrypters.pop_front();
                }
                Derived::default()
            }
            Handshake::KeyUpdate(_) => {
                let updated = self.half(sender).decrypters.front_mut().map(RecordDecrypter::update);
                match updated {
                    Some(Err(error)) => (Vec::new(), vec![note(error.to_string())]),
                    _ => Derived::default(),
                }
            }
            _ => Derived::default(),
        }
    }

    /// This side goes over to its new keys (TLS 1.2 and older).
    pub(super) fn change_cipher_spec(&mut self, sender: Sender, session: &Session) -> Derived {
        let mut secrets = Vec::new();
        if self.master.is_none() {
            // A resumed session has no key exchange.
            secrets = self.logged_master(session);
        }
        secrets.extend(self.resume(session));
        let (Some(master), Some(negotiated), Some(client), Some(server)) =
            (&self.master, session.negotiated, session.client_random, session.server_hello.as_ref())
        else {
            self.half(sender).decrypters.clear();
            return (secrets, Vec::new());
        };
        let encrypt_then_mac = session.has_extension(ExtensionType::ENCRYPT_THEN_MAC);
        let made = RecordDecrypter::old(&negotiated, master, &client, &server.random, sender, encrypt_then_mac);
        if sender == Sender::Client || session.resumed {
            secrets.extend(derive::key_block(master, session));
        }
        let half = self.half(sender);
        half.decrypters.clear();
        match made {
            Ok(decrypter) => {
                half.decrypters.push_back(decrypter);
                (secrets, Vec::new())
            }
            Err(error) => (secrets, vec![note(error.to_string())]),
        }
    }

    /// Opens a protected record.
    pub(super) fn open(&mut self, sender: Sender, record: &Record) -> Opened {
        let is_old = self.master.is_some();
        let half = self.half(sender);
        if let Some(lost) = half.lost.take_if(|_| !half.decrypters.is_empty()) {
            return half.recover(lost, record);
        }
        let only_keys = is_old || half.handshake.is_some();
        let mut failure = None;
        for at in 0..half.decrypters.len() {
            match half.decrypters.get_mut(at).map(|decrypter| decrypter.decrypt(record)) {
                Some(Ok(plaintext)) => {
                    half.decrypters.drain(..at);
                    return Opened::Content(plaintext.content_type, plaintext.content);
                }
                Some(Err(error)) => _ = failure.get_or_insert(error),
                None => break,
            }
        }
        match failure {
            Some(error @ DecryptError::Chain) => Opened::Failed(format!("this record cannot be opened: {error}")),
            // Otherwise other keys may fit later: where those of the handshake are not known, those of the data.
            Some(error) if only_keys && half.decrypters.len() == 1 => {
                half.decrypters.clear();
                Opened::Failed(format!("this and what follows cannot be opened: {error}"))
            }
            _ => Opened::NoKeys,
        }
    }

    /// A record of this many bytes is not in the capture.
    pub(super) fn lose_record(&mut self, sender: Sender, length: usize) {
        self.half(sender).lose_record(length);
    }

    /// Records of so many bytes together are not in the capture. False where nothing that follows can be opened.
    pub(super) fn lose_bytes(&mut self, sender: Sender, count: u64) -> bool {
        self.half(sender).lose_bytes(count)
    }

    /// What was lost so far was not protected: the keys that come into use begin with the next record.
    pub(super) fn lost_nothing(&mut self, sender: Sender) {
        self.half(sender).lost = None;
    }

    /// Whether a Finished is right; `None` where the keys are not known. The session has not taken note of it.
    pub(super) fn finished(&self, sender: Sender, data: &[u8], session: &Session) -> Option<bool> {
        if session.incomplete {
            return None;
        }
        if !session.is_tls13() {
            return Some(self.master.as_ref()?.finished(sender, &session.transcript) == data);
        }
        let half = if sender == Sender::Client { &self.client } else { &self.server };
        let secret = half.handshake.as_ref()?;
        Some(secret.finished(&session.transcript.digest(secret.hash())) == data)
    }

    /// Keys for early data. The suite is that of the earlier connection: each that could be is tried.
    fn early(&mut self, session: &Session) -> Derived {
        const SUITES: [CipherSuite; 5] =
            [CipherSuite(0x1301), CipherSuite(0x1302), CipherSuite(0x1303), CipherSuite(0x1304), CipherSuite(0x1305)];
        let label = KeyLogLabel::ClientEarlyTrafficSecret;
        let Some(random) = session.client_random.filter(|_| session.offers_early_data()) else {
            return Derived::default();
        };
        let Some(value) = self.secrets.logged(label, &random).map(<[u8]>::to_vec) else { return Derived::default() };
        for suite in SUITES {
            if let Ok(decrypter) =
                TrafficSecret::new(suite, &value).and_then(|secret| RecordDecrypter::tls13(suite, secret))
            {
                self.client.decrypters.push_back(decrypter);
            }
        }
        self.source = Some(KEY_LOG);
        (vec![derive::logged(label, "client early traffic secret", &value)], Vec::new())
    }

    /// The secrets of TLS 1.3 out of the key log: those of the handshake, and those of the data after it.
    fn handshake_secrets(&mut self, session: &Session) -> Derived {
        let (Some(random), Some(negotiated)) = (session.client_random, session.negotiated) else {
            return Derived::default();
        };
        let suite = negotiated.cipher_suite;
        let (mut secrets, mut remarks) = (Vec::new(), Vec::new());
        for (sender, label, name, handshake) in [
            (Sender::Client, KeyLogLabel::ClientHandshakeTrafficSecret, "client handshake traffic secret", true),
            (Sender::Server, KeyLogLabel::ServerHandshakeTrafficSecret, "server handshake traffic secret", true),
            (Sender::Client, KeyLogLabel::ClientTrafficSecret0, "client application traffic secret", false),
            (Sender::Server, KeyLogLabel::ServerTrafficSecret0, "server application traffic secret", false),
        ] {
            let Some(value) = self.secrets.logged(label, &random).map(<[u8]>::to_vec) else { continue };
            secrets.push(derive::logged(label, name, &value));
            let made = TrafficSecret::new(suite, &value)
                .and_then(|secret| Ok((secret.clone(), RecordDecrypter::tls13(suite, secret)?)));
            let half = self.half(sender);
            match made {
                Ok((secret, decrypter)) => {
                    half.handshake = if handshake { Some(secret) } else { half.handshake.take() };
                    half.decrypters.push_back(decrypter);
                    self.source = Some(KEY_LOG);
                }
                Err(error) => remarks.push(note(error.to_string())),
            }
        }
        if secrets.is_empty() && !self.secrets.logs.is_empty() {
            remarks.push(note("the key log has nothing for this connection".to_owned()));
        } else if secrets.is_empty() {
            remarks.push(note(
                "a private key opens nothing in TLS 1.3: its key exchange is forward secret; a key log would"
                    .to_owned(),
            ));
        }
        (secrets, remarks)
    }

    /// The master secret, out of the key log or by the server's private key.
    fn key_exchange(&mut self, exchange: &ClientKeyExchange, session: &Session) -> Derived {
        let secrets = self.logged_master(session);
        if self.master.is_some() {
            return (secrets, Vec::new());
        }
        let (Some(negotiated), Some(client), Some(server)) =
            (session.negotiated, session.client_random, session.server_hello.as_ref())
        else {
            return Derived::default();
        };
        let Contribution::EncryptedPreMaster { ciphertext, .. } = &exchange.contribution else {
            return (Vec::new(), self.cannot_open(session));
        };
        let logged = self.secrets.logged(KeyLogLabel::Rsa, ciphertext).map(<[u8]>::to_vec);
        let offered = session.client_hello.as_ref().map_or(negotiated.version, |hello| hello.legacy_version);
        let own = session.server_key();
        let fits = |key: &&PrivateKey| own.as_ref().is_none_or(|own| key.public_key().spki_der() == own.spki_der());
        let pre_master = match (logged, self.secrets.keys.iter().find(fits)) {
            (Some(logged), _) => {
                self.source = Some(KEY_LOG);
                PreMasterSecret::new(logged.into())
            }
            (None, Some(key)) => match PreMasterSecret::decrypt(key, ciphertext, offered, negotiated.version) {
                Ok(secret) => {
                    self.source = Some("the server's RSA key");
                    secret
                }
                Err(error) => return (Vec::new(), vec![note(format!("the private key does not open it: {error}"))]),
            },
            (None, None) => return (Vec::new(), self.cannot_open(session)),
        };
        let extended = session.has_extension(ExtensionType::EXTENDED_MASTER_SECRET);
        if extended && session.incomplete {
            let why =
                "the master secret is made of the whole handshake (RFC 7627), and a part of it is not in the capture";
            return (Vec::new(), vec![note(why.to_owned())]);
        }
        let master = match Prf::of(&negotiated) {
            Ok(prf) if extended => MasterSecret::extended(prf, &pre_master, &session.transcript),
            Ok(prf) => MasterSecret::plain(prf, &pre_master, &client, &server.random),
            Err(error) => return (Vec::new(), vec![note(error.to_string())]),
        };
        let secrets = derive::master(&pre_master, &master, extended);
        self.master = Some(master);
        (secrets, Vec::new())
    }

    /// The master secret out of the key log.
    fn logged_master(&mut self, session: &Session) -> Vec<Secret> {
        let label = KeyLogLabel::ClientRandom;
        let (Some(random), Some(negotiated)) = (session.client_random, session.negotiated) else { return Vec::new() };
        let Some(value) = self.secrets.logged(label, &random) else { return Vec::new() };
        let Ok(master) = Prf::of(&negotiated).and_then(|prf| MasterSecret::new(prf, value)) else { return Vec::new() };
        let secret = derive::logged(label, "master secret", value);
        self.source = Some(KEY_LOG);
        self.master = Some(master);
        vec![secret]
    }

    /// Remembers the master secret under the name of its session.
    fn remember(&self, name: &[u8]) {
        if let Some(master) = &self.master {
            self.secrets.remembered.borrow_mut().keep(name, master);
        }
    }

    /// The master secret of the session that is resumed, where it was opened earlier.
    fn resume(&mut self, session: &Session) -> Option<Secret> {
        let is_full = session.key_exchange_seen || !session.server_chain.is_empty();
        let (client, server) = (session.client_hello.as_ref()?, session.server_hello.as_ref()?);
        if self.master.is_some() || is_full {
            return None;
        }
        let remembered = self.secrets.remembered.borrow();
        let ticket = match client.extensions.value(ExtensionType::SESSION_TICKET, Place::ClientHello) {
            Some(ExtensionValue::SessionTicket(ticket)) => remembered.secret(&ticket).cloned(),
            _ => None,
        };
        let same_id = !server.session_id.is_empty() && server.session_id == client.session_id;
        let found = ticket.or_else(|| remembered.secret(&server.session_id).filter(|_| same_id).cloned());
        drop(remembered);
        let master = found?;
        let secret = Secret {
            name: "master secret",
            formula: "that of the session resumed, which was opened earlier in this recording".to_owned(),
            value: zeroize::Zeroizing::new(master.expose().to_vec()),
        };
        self.source = Some("the session resumed, opened earlier");
        self.master = Some(master);
        Some(secret)
    }

    /// Why the secrets given do not open this connection.
    fn cannot_open(&self, session: &Session) -> Vec<Remark> {
        let rsa = session.key_exchange() == Some(KeyExchange::Rsa);
        let mut remarks = Vec::new();
        match (self.secrets.keys.is_empty(), rsa) {
            (true, _) => {}
            (false, true) => remarks.push(note("the private key given is not that of the server's certificate".to_owned())),
            (false, false) => remarks.push(note(
                "the server's private key opens nothing here: it only signs, and the secret comes of keys that are gone".to_owned(),
            )),
        }
        if !self.secrets.logs.is_empty() {
            remarks.push(note("the key log has nothing for this connection".to_owned()));
        }
        remarks
    }

    fn half(&mut self, sender: Sender) -> &mut Half {
        match sender {
            Sender::Client => &mut self.client,
            Sender::Server => &mut self.server,
        }
    }
}

const KEY_LOG: &str = "a key log";

fn note(text: String) -> Remark {
    Remark { weight: Weight::Note, text }
}
