//! A client and its connections.

use std::io::{self, BufRead, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::ClientConfig;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, HandshakeKind};
use zeroize::Zeroizing;

use super::diary::Diary;
use super::failure::{self, Failure};
use super::heard::Heard;
use super::http::{Request, Response};
use super::offer::{Offer, OfferError};
use super::witness::Witness;
use crate::dial::{Stopwatch, Wire};

/// The most that is read at once, in bytes.
const MOST_AT_ONCE: usize = 16 << 10;

/// How much of what a server says first is kept to tell what it speaks, in bytes.
const OPENING: usize = 256;

/// How many records a handshake may take, far above any: a server that goes on without end is left.
const MOST_READS: usize = 4096;

/// A client that remembers its tickets, so that a second connection can resume the first.
#[derive(Debug)]
pub struct Client {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    witness: Arc<Witness>,
    diary: Arc<Diary>,
}

/// A connection of a client.
#[derive(Debug)]
pub struct Talk {
    connection: ClientConnection,
    wire: Wire,
    opening: Vec<u8>,
    early: Option<usize>,
}

/// What became of early data (0-RTT; RFC 8446 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EarlyData {
    /// No ticket allowed it.
    NotAllowed,
    /// It was offered, and the server did not take it.
    Refused,
    /// The server took it.
    Accepted,
}

impl Client {
    /// A client that makes this offer.
    ///
    /// # Errors
    /// When something of it cannot be offered.
    pub fn new(offer: &Offer) -> Result<Self, OfferError> {
        let (witness, diary) = (Arc::new(Witness::default()), Arc::new(Diary::default()));
        let config = offer.config(Arc::clone(&witness), Arc::clone(&diary))?;
        Ok(Self { config: Arc::new(config), name: offer.server_name()?, witness, diary })
    }

    /// Begins a connection on a wire on which TLS begins now. `early` is sent as early data where a ticket allows it.
    ///
    /// # Errors
    /// When this end cannot begin.
    pub fn begin(&self, wire: Wire, early: &[u8]) -> Result<Talk, Failure> {
        let mut connection =
            ClientConnection::new(Arc::clone(&self.config), self.name.clone()).map_err(|error| Failure::of(&error))?;
        let sent = connection.early_data().map(|mut data| data.write(early).unwrap_or(0));
        Ok(Talk { connection, wire, opening: Vec::new(), early: sent })
    }

    /// The OCSP response that came with a certificate of the server, if one came.
    pub fn staple(&self) -> Option<Vec<u8>> {
        self.witness.staple()
    }

    /// The secrets of its connections so far, as the lines of a TLS key log (RFC 9850).
    pub fn key_log(&self) -> Zeroizing<String> {
        self.diary.lines()
    }
}

impl Talk {
    /// Completes the handshake.
    ///
    /// # Errors
    /// When it cannot be completed; what was said until then can be told all the same.
    pub fn handshake(&mut self) -> Result<(), Failure> {
        for _ in 0..MOST_READS {
            if let Err(failure) = self.send() {
                // A server that hung up may have said why before.
                self.receive()?;
                return Err(failure);
            }
            if !self.connection.is_handshaking() {
                return Ok(());
            }
            if self.receive()? == 0 {
                return Err(Failure::Closed { answered: !self.opening.is_empty() });
            }
        }
        Err(Failure::Misbehaved("the handshake does not end".to_owned()))
    }

    /// Sends a request, unless it went as early data, and reads the response.
    ///
    /// # Errors
    /// When the connection breaks or nothing comes in time. A response that is cut off is none.
    pub fn exchange(&mut self, request: &Request) -> Result<Response, Failure> {
        let whole = request.encode();
        if self.early_data() != EarlyData::Accepted || self.early != Some(whole.len()) {
            self.connection.writer().write_all(&whole).map_err(|error| self.broken(&error))?;
        }
        let mut read = Vec::new();
        // Each turn reads some bytes, of which there is a most.
        loop {
            let more = self.read(&mut read)?;
            if let Some(response) = Response::read(&read, !more, request) {
                return response.map_err(|error| Failure::Misbehaved(error.to_string()));
            }
        }
    }

    /// Says goodbye, and listens for this long to what the server still has to say: tickets, its own goodbye; or an alert,
    /// for in TLS 1.3 a server judges the client only after the client has finished.
    pub fn finish(mut self, patience: Duration) -> (Heard, Option<Failure>) {
        self.wire.allow(patience);
        self.connection.send_close_notify();
        let mut rest = Vec::new();
        let mut failure = None;
        for _ in 0..MOST_READS {
            match self.read(&mut rest) {
                Ok(true) => rest.clear(),
                Ok(false) => break,
                Err(refused @ Failure::Alert(_)) => {
                    failure = Some(refused);
                    break;
                }
                // What breaks now is no failure: all was said.
                Err(_) => break,
            }
        }
        (self.abandon(), failure)
    }

    /// Leaves without a word: after a failure.
    pub fn abandon(mut self) -> Heard {
        // An alert may be waiting to be sent.
        _ = self.send();
        Heard {
            resumed: self.connection.handshake_kind() == Some(HandshakeKind::Resumed),
            early_data: self.early_data(),
            cut: self.wire.is_cut(),
            chain: self
                .connection
                .peer_certificates()
                .unwrap_or_default()
                .iter()
                .map(|certificate| certificate.to_vec())
                .collect(),
            chunks: self.wire.take_log(),
        }
    }

    /// From now on there is this much time, for everything up to the next call.
    pub fn allow(&mut self, time: Duration) {
        self.wire.allow(time);
    }

    /// The clock its times are from.
    pub fn stopwatch(&self) -> Stopwatch {
        self.wire.stopwatch()
    }

    /// What became of early data, once the handshake is complete.
    pub fn early_data(&self) -> EarlyData {
        match self.early {
            None => EarlyData::NotAllowed,
            Some(_) if self.connection.is_early_data_accepted() => EarlyData::Accepted,
            Some(_) => EarlyData::Refused,
        }
    }

    fn send(&mut self) -> Result<(), Failure> {
        while self.connection.wants_write() {
            let sent = self.connection.write_tls(&mut self.wire).map_err(|error| self.broken(&error))?;
            if sent == 0 {
                return Err(Failure::Closed { answered: !self.opening.is_empty() });
            }
        }
        Ok(())
    }

    /// Takes in what comes next; 0 where nothing more will.
    fn receive(&mut self) -> Result<usize, Failure> {
        if self.opening.len() < OPENING {
            match self.wire.fill_buf() {
                Ok(there) => {
                    let room = OPENING - self.opening.len();
                    self.opening.extend_from_slice(there.get(..there.len().min(room)).unwrap_or_default());
                }
                Err(error) => return Err(self.broken(&error)),
            }
            if !failure::may_be_tls(&self.opening) {
                return Err(Failure::NotTls { said: std::mem::take(&mut self.opening) });
            }
        }
        let count = self.connection.read_tls(&mut self.wire).map_err(|error| self.broken(&error))?;
        match self.connection.process_new_packets() {
            Ok(_) => Ok(count),
            Err(error) => {
                // The alert that says why goes out first.
                _ = self.send();
                Err(Failure::of(&error))
            }
        }
    }

    /// Appends what was decrypted next; false where nothing more will come.
    fn read(&mut self, into: &mut Vec<u8>) -> Result<bool, Failure> {
        let mut buffer = vec![0; MOST_AT_ONCE];
        for _ in 0..MOST_READS {
            // Whether it still listens shows when it is read: it may have said why it does not.
            _ = self.send();
            match self.connection.reader().read(&mut buffer) {
                Ok(0) => return Ok(false),
                Ok(count) => {
                    into.extend_from_slice(buffer.get(..count).unwrap_or_default());
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // The end of the connection without a goodbye in TLS: whether it is an end the content decides.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
                Err(error) => return Err(self.broken(&error)),
            }
            self.receive()?;
        }
        Err(Failure::Misbehaved("records without content do not end".to_owned()))
    }

    fn broken(&self, error: &io::Error) -> Failure {
        let answered = !self.opening.is_empty();
        match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Failure::Silent { answered },
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
                Failure::Broken { why: "the server broke it off".to_owned(), answered }
            }
            _ => Failure::Broken { why: error.to_string(), answered },
        }
    }
}
