//! Two byte streams in, a transcript out.

mod gaps;
mod records;

use std::rc::Rc;

use time::OffsetDateTime;

use super::event::{Event, Protection, Sender};
use super::field::{Fields, Value};
use super::keys::{Keys, Secrets};
use super::message::text_or_bytes;
use super::session::Session;
use super::stream::{Opening, Stream, is_record, protocol_before};
use super::summary;
use super::{Transcript, http};
use crate::pcap::Side;

/// What a recorder keeps.
#[derive(Debug, Clone)]
pub struct Options {
    /// How much application data is kept of one connection, in bytes.
    pub application_data: usize,
    /// How many events are kept of one connection.
    pub events: usize,
    /// Whether each message is explained.
    pub explain: bool,
    /// What opens encrypted records.
    pub secrets: Rc<Secrets>,
}

impl Default for Options {
    /// 4 KiB, 512 events, no explanations, no secrets.
    fn default() -> Self {
        Self { application_data: 4 << 10, events: 512, explain: false, secrets: Rc::default() }
    }
}

/// Listens to the two sides of a connection.
#[derive(Debug)]
pub struct Recorder {
    options: Options,
    streams: [Stream; 2],
    /// Which side the client is.
    client: Option<Side>,
    phase: Phase,
    session: Session,
    keys: Keys,
    events: Vec<Event>,
    /// Handshakes completed before the current one.
    handshakes: usize,
    begun: Option<OffsetDateTime>,
    /// Records that are not told, and their bytes.
    omitted: [u64; 2],
    /// Application data seen, in bytes on the wire: the client's, the server's.
    volume: [u64; 2],
    kept: usize,
    lacks_hello: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It is not known yet whether this is TLS.
    Looking,
    Tls,
    /// It is something else.
    Other,
}

impl Recorder {
    /// A recorder at the start of a connection.
    pub fn new(options: Options) -> Self {
        let keys = Keys::new(Rc::clone(&options.secrets));
        Self {
            options,
            streams: [Stream::default(), Stream::default()],
            client: None,
            phase: Phase::Looking,
            session: Session::default(),
            keys,
            events: Vec::new(),
            handshakes: 0,
            begun: None,
            omitted: [0; 2],
            volume: [0; 2],
            kept: 0,
            lacks_hello: false,
        }
    }

    /// The next bytes of one side. False where no more are wanted: it is not TLS.
    pub fn data(&mut self, from: Side, at: OffsetDateTime, bytes: &[u8]) -> bool {
        self.begun.get_or_insert(at);
        match (self.phase, self.stream(from).begun) {
            (Phase::Other, _) => return false,
            (_, Some(_)) => {
                let stream = self.stream_mut(from);
                if stream.broken {
                    return !self.streams.iter().all(|stream| stream.broken);
                }
                stream.records.push(bytes);
                self.read(from, at);
            }
            (Phase::Looking, None) => self.look(from, at, bytes),
            (Phase::Tls, None) if self.stream(from).broken => {}
            (Phase::Tls, None) => self.answer(from, at, bytes),
        }
        self.phase != Phase::Other && !self.streams.iter().all(|stream| stream.broken)
    }

    /// So many bytes of one side are not known. False as for [`Recorder::data`].
    pub fn missing(&mut self, from: Side, at: OffsetDateTime, count: u64) -> bool {
        let stream = self.stream(from);
        let answer = stream.prologue.get(stream.answer_from..).unwrap_or_default();
        let may_be_record = matches!(answer, [] | [20..=24] | [20..=24, 3] | [20..=24, 3, _] | [20..=24, 3, _, _]);
        if stream.begun.is_none() && self.phase == Phase::Tls && may_be_record {
            // The other side has begun with TLS, so what is missing is of its answer.
            self.session.incomplete = true;
            let stream = self.stream_mut(from);
            stream.begin(stream.answer_from);
        } else if stream.begun.is_none() {
            // Nobody knows where TLS would begin.
            self.phase = if self.phase == Phase::Looking { Phase::Other } else { self.phase };
            self.stream_mut(from).broken = true;
            return self.phase != Phase::Other;
        }
        self.session.incomplete |= !self.is_settled();
        self.gap(from, at, count);
        !self.streams.iter().all(|stream| stream.broken)
    }

    /// The name the client asked for, once its hello is there.
    pub fn server_name(&self) -> Option<String> {
        self.session.client_hello.as_ref()?.server_name()
    }

    /// Whether the client's hello has been seen: [`Recorder::server_name`] is then final.
    pub fn has_client_hello(&self) -> bool {
        self.session.client_random.is_some()
    }

    /// Whether this is TLS, as far as is known.
    pub fn is_tls(&self) -> bool {
        self.phase == Phase::Tls
    }

    /// All that was heard; `None` where it was not TLS.
    pub fn finish(mut self) -> Option<Transcript> {
        if self.phase != Phase::Tls {
            return None;
        }
        let summary = summary::of(&self);
        for event in &mut self.events {
            if event.kind == "ApplicationData"
                && let Some(line) = http::first_line(&event.bytes)
            {
                event.headline = format!("{line} ({})", event.headline);
            }
        }
        Some(Transcript {
            client: self.client.unwrap_or(Side::Initiator),
            begun: self.begun.unwrap_or(OffsetDateTime::UNIX_EPOCH),
            summary,
            events: self.events,
        })
    }

    /// Whether both Finished of a handshake have been seen.
    fn is_settled(&self) -> bool {
        self.session.finished == [true; 2]
    }

    /// Nothing is known yet: looks for a hello.
    fn look(&mut self, from: Side, at: OffsetDateTime, bytes: &[u8]) {
        let stream = self.stream_mut(from);
        // A hello may begin in what was kept before.
        let back = stream.prologue.len().saturating_sub(10);
        let fits = stream.precede(bytes);
        // Back to the start of it all while it is short: another record than a hello can stand only there.
        let back = if back < 5 { 0 } else { back };
        let Some((place, opening)) = stream.find_opening(back) else {
            if !fits {
                self.phase = Phase::Other;
            }
            return;
        };
        self.phase = Phase::Tls;
        self.client = Some(match opening {
            Opening::Client => from,
            Opening::Server => from.other(),
            Opening::Middle => Side::Initiator,
        });
        self.lacks_hello = opening != Opening::Client;
        if opening == Opening::Middle {
            self.streams.iter_mut().for_each(|stream| stream.out_of_step = true);
        }
        let other = self.stream_mut(from.other());
        other.answer_from = other.prologue.len();
        self.stream_mut(from).begin(place);
        self.tell_prologue(at);
        self.read(from, at);
    }

    /// The other side has begun with TLS: so does this one, with its next bytes.
    fn answer(&mut self, from: Side, at: OffsetDateTime, bytes: &[u8]) {
        let lacks_hello = self.lacks_hello;
        let stream = self.stream_mut(from);
        let fits = stream.precede(bytes);
        let start = stream.answer_from;
        let rest = stream.prologue.get(start..).unwrap_or_default();
        let is_ssl2 = matches!(rest, [0x80..=0xff, _, 4, ..]) && start == 0;
        if is_record(rest) || is_ssl2 {
            stream.begin(start);
            self.read(from, at);
        } else if let Some((place, _)) = stream.find_opening(start).filter(|_| lacks_hello) {
            self.stream_mut(from).begin(place);
            self.read(from, at);
        } else if rest.len() >= 5 && (!lacks_hello || !fits) {
            let said = text_or_bytes(rest.get(..rest.len().min(200)).unwrap_or_default());
            stream.broken = true;
            let headline = "answers in another protocol than TLS".to_owned();
            self.push(from, at, "NotTls", headline, Fields::new().with("begins", said));
        }
    }

    /// What was said in the clear before.
    fn tell_prologue(&mut self, at: OffsetDateTime) {
        let Some(client) = self.client else { return };
        let prologues = [client, client.other()].map(|side| {
            let stream = self.stream(side);
            stream.prologue.get(..).unwrap_or_default().to_vec()
        });
        let [of_client, of_server] = &prologues;
        if of_client.is_empty() && of_server.is_empty() {
            return;
        }
        let lines = |bytes: &[u8]| {
            Value::list(bytes.split(|byte| *byte == b'\n').map(|line| text_or_bytes(line.trim_ascii_end())).take(40))
        };
        let fields = Fields::new().with("server", lines(of_server)).with("client", lines(of_client));
        let headline = match protocol_before(of_client, of_server) {
            Some(protocol) => format!("{protocol}, which goes over to TLS"),
            None => "another protocol, which goes over to TLS".to_owned(),
        };
        self.push(client, at, "Plaintext", headline, fields);
    }

    fn push(&mut self, from: Side, at: OffsetDateTime, kind: &'static str, headline: String, fields: Fields) {
        let end = self.stream(from).begun.unwrap_or(0);
        let event = Event::new(at, self.sender(from), kind, headline, fields, [end, end]);
        self.log(event);
    }

    /// Adds an event, explained if that is wanted. Where there are too many it is only counted.
    fn log(&mut self, mut event: Event) {
        if self.events.len() >= self.options.events {
            let [records, bytes] = &mut self.omitted;
            (*records, *bytes) = (*records + 1, *bytes + event.length);
            return;
        }
        let begun = *self.begun.get_or_insert(event.at);
        event.after = (event.at - begun).as_seconds_f64() * 1000.0;
        if self.options.explain {
            event.explanation = super::explain::explain(event.kind, event.from, event.protection, &self.session);
        }
        self.events.push(event);
    }

    fn sender(&self, side: Side) -> Sender {
        if self.client.unwrap_or(Side::Initiator) == side { Sender::Client } else { Sender::Server }
    }

    fn stream(&self, side: Side) -> &Stream {
        let [initiator, responder] = &self.streams;
        if side == Side::Initiator { initiator } else { responder }
    }

    fn stream_mut(&mut self, side: Side) -> &mut Stream {
        let [initiator, responder] = &mut self.streams;
        if side == Side::Initiator { initiator } else { responder }
    }

    /// What the summary is made of.
    pub(super) fn state(&self) -> (&Session, &[Event], usize) {
        (&self.session, &self.events, self.handshakes)
    }

    pub(super) fn counts(&self) -> ([u64; 2], [u64; 2], bool) {
        (self.volume, self.omitted, self.lacks_hello)
    }

    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }
}

impl Event {
    fn new(
        at: OffsetDateTime,
        from: Sender,
        kind: &'static str,
        headline: impl Into<String>,
        fields: Fields,
        range: [u64; 2],
    ) -> Self {
        Self {
            at,
            after: 0.0,
            from,
            kind,
            headline: headline.into(),
            record: None,
            range,
            protection: Protection::Plain,
            fields,
            remarks: Vec::new(),
            explanation: Vec::new(),
            secrets: Vec::new(),
            reveals: false,
            bytes: Vec::new(),
            length: 0,
        }
    }
}

#[cfg(test)]
mod tests;
