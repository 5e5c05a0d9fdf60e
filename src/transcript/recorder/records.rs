//! From records to messages to events.

use time::OffsetDateTime;

use super::Recorder;
use crate::pcap::Side;
use crate::tls::code::{ContentType, HandshakeType, ProtocolVersion};
use crate::tls::handshake::{DecompressError, Handshake, Ssl2ClientHello, Ssl2ServerHello};
use crate::tls::record::{Alert, RawHandshake, Record, RecordEvent};
use crate::transcript::checks::{self, Outcome};
use crate::transcript::event::{Event, Protection, Remark, Sender, Weight, name_of};
use crate::transcript::field::{Fields, Value};
use crate::transcript::keys::Opened;
use crate::transcript::message::{self, code, text_or_bytes};

/// The most bytes of a message that are kept for those who want to see them.
const MOST_BYTES: usize = 64 << 10;

/// A record that was looked into: what it carries, and how it came.
struct Content<'a> {
    content_type: ContentType,
    fragment: &'a [u8],
    protection: Protection,
    /// Of the record that carries it.
    version: ProtocolVersion,
    range: [u64; 2],
}

impl Recorder {
    /// Reads all records that are there.
    pub(super) fn read(&mut self, from: Side, at: OffsetDateTime) {
        // Each turn takes a record off what was pushed.
        loop {
            let stream = self.stream_mut(from);
            let base = stream.begun.unwrap_or(0);
            match stream.records.next() {
                Ok(None) => return,
                Ok(Some(RecordEvent::Record(record))) => self.record(from, at, base, &record),
                Ok(Some(RecordEvent::Ssl2 { message })) => self.ssl2(from, at, base, &message),
                Ok(Some(RecordEvent::Damaged { offset, content_type, length })) => {
                    self.damaged(from, at, base + offset, content_type, length);
                }
                Ok(Some(RecordEvent::Found { offset, lost })) => self.found(from, at, base + offset, lost),
                Err(error) => {
                    stream.broken = true;
                    let place = base + error.offset;
                    let fields = Fields::new().with("error", error.fault.to_string());
                    let headline = error.fault.to_string();
                    let event = Event::new(at, self.sender(from), "Unreadable", headline, fields, [place, place]);
                    return self.log(event);
                }
            }
        }
    }

    fn record(&mut self, from: Side, at: OffsetDateTime, base: u64, record: &Record) {
        let start = base + record.offset;
        let range = [start, start + 5 + record.fragment.len() as u64];
        let sender = self.sender(from);
        let tls13 = self.session.is_tls13();
        let is_protected = match tls13 || (sender == Sender::Client && self.session.offers_early_data()) {
            true => record.content_type == ContentType::APPLICATION_DATA || (!tls13 && self.stream(from).protected),
            false => self.stream(from).protected || record.content_type == ContentType::APPLICATION_DATA,
        };
        let plain = Content {
            content_type: record.content_type,
            fragment: &record.fragment,
            protection: Protection::Plain,
            version: record.version,
            range,
        };
        if !is_protected && !self.shows_protection(from, record) {
            return self.content(from, at, &plain);
        }
        if record.content_type == ContentType::APPLICATION_DATA {
            self.has_changed(from);
        }
        match self.keys.open(sender, record) {
            Opened::Content(content_type, fragment) => {
                let content = Content { content_type, fragment: &fragment, protection: Protection::Decrypted, ..plain };
                self.content(from, at, &content);
            }
            Opened::Found(content_type, fragment, missing) => {
                self.counted(sender, missing);
                let content = Content { content_type, fragment: &fragment, protection: Protection::Decrypted, ..plain };
                self.content(from, at, &content);
            }
            Opened::NoKeys => self.opaque(from, at, &plain, None),
            Opened::Failed(why) => self.opaque(from, at, &plain, Some(why)),
        }
    }

    /// A record in the clear.
    fn content(&mut self, from: Side, at: OffsetDateTime, content: &Content<'_>) {
        match content.content_type {
            ContentType::HANDSHAKE => self.handshake(from, at, content),
            ContentType::CHANGE_CIPHER_SPEC => self.change_cipher_spec(from, at, content),
            ContentType::ALERT => self.alert(from, at, content),
            ContentType::APPLICATION_DATA => self.application_data(from, at, content),
            other => {
                let fields = Fields::new().with("content_type", code(other.0, other));
                let kind = if other == ContentType::HEARTBEAT { "Heartbeat" } else { "Record" };
                let event =
                    self.event(from, at, kind, format!("{} bytes of {other}", content.fragment.len()), fields, content);
                self.log(event);
            }
        }
    }

    fn event(
        &self,
        from: Side,
        at: OffsetDateTime,
        kind: &'static str,
        headline: String,
        fields: Fields,
        content: &Content<'_>,
    ) -> Event {
        let mut event = Event::new(at, self.sender(from), kind, headline, fields, content.range);
        event.record = Some((content.content_type, content.version));
        event.protection = content.protection;
        event.bytes = content.fragment.get(..content.fragment.len().min(MOST_BYTES)).unwrap_or_default().to_vec();
        event.length = content.fragment.len() as u64;
        event
    }

    fn handshake(&mut self, from: Side, at: OffsetDateTime, content: &Content<'_>) {
        if !self.is_in_step(from, content.fragment) {
            let headline =
                "part of a handshake message, or an encrypted one: what comes before it is missing".to_owned();
            let event = self.event(from, at, "Damaged", headline, Fields::new(), content);
            return self.log(event);
        }
        let stream = self.stream_mut(from);
        if !stream.messages.is_within_message() {
            let [start, _] = content.range;
            stream.message_from = start;
        }
        stream.messages.push(content.fragment);
        // Each turn takes a message off what was pushed.
        loop {
            let stream = self.stream_mut(from);
            match stream.messages.next() {
                Ok(None) => return,
                Ok(Some(raw)) => {
                    let [start, end] = content.range;
                    let range = [stream.message_from, end];
                    stream.message_from = start;
                    let content = Content { range, fragment: &raw.encoding, ..*content };
                    self.message(from, at, &raw, &content);
                }
                Err(error) => {
                    stream.broken = true;
                    let fields = Fields::new().with("error", error.to_string());
                    let event = self.event(from, at, "Unreadable", error.to_string(), fields, content);
                    return self.log(event);
                }
            }
        }
    }

    fn message(&mut self, from: Side, at: OffsetDateTime, raw: &RawHandshake, content: &Content<'_>) {
        let sender = self.sender(from);
        if raw.handshake_type == HandshakeType::CLIENT_HELLO && self.is_settled() {
            self.handshakes += 1;
        }
        let decoded = Handshake::decode(raw, self.session.negotiated.as_ref());
        let message = match decoded {
            Ok(message) => message,
            Err(error) => {
                self.session.add(raw);
                let kind = raw.handshake_type;
                let fields = Fields::new().with("msg_type", code(kind.0, kind)).with("error", error.to_string());
                // The form of a message may depend on one that is missing.
                let (name, weight) = match self.session.incomplete {
                    true => ("Unreadable", Weight::Note),
                    false => ("Malformed", Weight::Wrong),
                };
                let mut event = self.event(from, at, name, format!("{kind}: {error}"), fields, content);
                event.remarks.push(Remark { weight, text: error.to_string() });
                return self.log(event);
            }
        };
        let inside = match &message {
            Handshake::CompressedCertificate(compressed) => Some(compressed.decompress()),
            _ => None,
        };
        let chain = inside.as_ref().and_then(|inside| inside.as_ref().ok());
        let told = message::tell(&message, chain, at);
        let mut event = self.event(from, at, told.kind, told.headline, told.fields, content);
        event.remarks = self.judge(sender, &message);
        event.remarks.extend(inside.as_ref().and_then(|inside| inside.as_ref().err()).map(stays_compressed));
        self.session.take(sender, &message, chain, raw);
        event.remarks.extend(self.weaknesses(&message));
        let (secrets, remarks) = self.keys.follow(sender, &message, &self.session);
        event.secrets = secrets;
        event.remarks.extend(remarks);
        self.log(event);
    }

    /// Checks a message against what came before it.
    fn judge(&mut self, sender: Sender, message: &Handshake) -> Vec<Remark> {
        let (what, outcome) = match message {
            Handshake::ServerKeyExchange(exchange) => match checks::server_key_exchange(exchange, &self.session) {
                Some(outcome) => ("the signature over the key exchange", outcome),
                None => return Vec::new(),
            },
            Handshake::CertificateVerify(signed) => {
                ("the signature over the handshake", checks::certificate_verify(signed, sender, &self.session))
            }
            Handshake::Finished(data) => {
                let holds = self.keys.finished(sender, data, &self.session);
                self.session.set_finished(sender, holds);
                return match holds {
                    Some(true) => vec![Remark {
                        weight: Weight::Good,
                        text: "it is right: both have seen the same handshake".into(),
                    }],
                    Some(false) => vec![Remark {
                        weight: Weight::Wrong,
                        text: "it is wrong: the two have not seen the same handshake".into(),
                    }],
                    None => Vec::new(),
                };
            }
            _ => return Vec::new(),
        };
        if sender == Sender::Server {
            self.session.signature_holds = match outcome {
                Outcome::Holds(_) => Some(true),
                Outcome::Fails(_) => Some(false),
                Outcome::Unknown(_) => None,
            };
        }
        vec![match outcome {
            Outcome::Holds(with) if with.is_broken() => Remark {
                weight: Weight::Warning,
                text: format!("{what} holds, as far as {with} can tell: collisions of its hash can be made"),
            },
            Outcome::Holds(_) => Remark {
                weight: Weight::Good,
                text: format!("{what} holds: it was made with the key of the certificate"),
            },
            Outcome::Fails(why) => Remark { weight: Weight::Wrong, text: format!("{what} does not hold: {why}") },
            Outcome::Unknown(why) => Remark { weight: Weight::Note, text: format!("{what} was not checked: {why}") },
        }]
    }

    /// What is weak about what was chosen.
    fn weaknesses(&self, message: &Handshake) -> Vec<Remark> {
        let Handshake::ServerHello(hello) = message else { return Vec::new() };
        let warn = |text: String| Remark { weight: Weight::Warning, text };
        let mut remarks: Vec<Remark> =
            hello.version().deprecation().map(|why| warn(why.to_owned())).into_iter().collect();
        for weakness in hello.cipher_suite.weaknesses() {
            remarks.push(warn(weakness.reason().to_owned()));
        }
        let offered = self.session.client_hello.as_ref().map(|client| client.versions()).unwrap_or_default();
        if hello.downgrade().is_some() && !hello.version().is_tls13() && offered.contains(&ProtocolVersion::TLS1_3) {
            let text = "the server's random says that it speaks a higher version, which the client offered too: somebody \
                        in between has changed the offer (RFC 8446 §4.1.3)";
            remarks.push(Remark { weight: Weight::Wrong, text: text.to_owned() });
        }
        remarks
    }

    fn change_cipher_spec(&mut self, from: Side, at: OffsetDateTime, content: &Content<'_>) {
        let sender = self.sender(from);
        let event = if self.session.is_tls13() || self.session.negotiated.is_none() {
            self.event(from, at, "ChangeCipherSpec", "means nothing in TLS 1.3".into(), Fields::new(), content)
        } else {
            let seen = self.session.key_exchange_seen || !self.session.server_chain.is_empty();
            self.session.resumed |= sender == Sender::Server && !seen && !self.session.incomplete;
            self.keys.lost_nothing(sender);
            self.stream_mut(from).protected = true;
            let mut event =
                self.event(from, at, "ChangeCipherSpec", "encrypted from here on".into(), Fields::new(), content);
            (event.secrets, event.remarks) = self.keys.change_cipher_spec(sender, &self.session);
            event
        };
        self.log(event);
    }

    fn alert(&mut self, from: Side, at: OffsetDateTime, content: &Content<'_>) {
        let sender = name_of(self.sender(from));
        match Alert::decode_all(content.fragment) {
            Ok(alerts) => {
                for alert in alerts {
                    let fields = Fields::new()
                        .with("level", code(alert.level.0, alert.level))
                        .with("description", code(alert.description.0, alert.description));
                    let headline = format!("{alert}: the {sender} {}", alert.description.meaning());
                    let event = self.event(from, at, "Alert", headline, fields, content);
                    self.log(event);
                }
            }
            Err(error) => {
                let fields = Fields::new().with("error", error.to_string());
                let event = self.event(from, at, "Alert", "damaged".into(), fields, content);
                self.log(event);
            }
        }
    }

    /// Application data joins what the same side said just before.
    fn application_data(&mut self, from: Side, at: OffsetDateTime, content: &Content<'_>) {
        self.count(from, content);
        self.talks(from);
        let room = self.options.application_data.saturating_sub(self.kept);
        let kept = content.fragment.get(..content.fragment.len().min(room)).unwrap_or_default();
        self.kept += kept.len();
        let length = content.fragment.len() as u64;
        if self.join(from, at, "ApplicationData", content, kept) {
            return;
        }
        let mut event = self.event(from, at, "ApplicationData", sized(1, length), Fields::new(), content);
        event.bytes = kept.to_vec();
        event.fields.push("records", 1_u64);
        self.log(event);
    }

    /// A record that cannot be opened.
    fn opaque(&mut self, from: Side, at: OffsetDateTime, content: &Content<'_>, failure: Option<String>) {
        let sender = self.sender(from);
        let content = Content { protection: Protection::Encrypted, ..*content };
        let remarks = failure.map(|text| Remark { weight: Weight::Warning, text }).into_iter().collect::<Vec<_>>();
        self.stream_mut(from).opaque += 1;
        if !self.session.is_tls13() && content.content_type != ContentType::APPLICATION_DATA {
            let first = content.content_type == ContentType::HANDSHAKE && !self.session.is_finished(sender);
            let kind = match content.content_type {
                ContentType::HANDSHAKE if first => "Finished",
                ContentType::HANDSHAKE => "Handshake",
                ContentType::ALERT => "Alert",
                _ => "Record",
            };
            if first {
                self.session.set_finished(sender, None);
            }
            let headline = format!("encrypted, {} bytes", content.fragment.len());
            let mut event = self.event(from, at, kind, headline, Fields::new(), &content);
            event.remarks = remarks;
            return self.log(event);
        }
        self.count(from, &content);
        let kind = if self.session.is_tls13() && !self.is_settled() { "Encrypted" } else { "ApplicationData" };
        if self.session.is_tls13() {
            self.guess_finished(sender);
        }
        if remarks.is_empty() && self.join(from, at, kind, &content, &[]) {
            return;
        }
        let mut event = self.event(from, at, kind, sized(1, content.fragment.len() as u64), Fields::new(), &content);
        event.bytes.clear();
        event.remarks = remarks;
        event.fields.push("records", 1_u64);
        self.log(event);
    }

    /// In TLS 1.3 a client's first encrypted record ends the handshake, and a server's flight comes before it.
    fn guess_finished(&mut self, sender: Sender) {
        if self.session.server_hello.is_some() && !self.session.is_finished(sender) {
            if sender == Sender::Client {
                self.session.set_finished(Sender::Server, None);
            }
            let server_done = self.session.is_finished(Sender::Server);
            if sender == Sender::Client && server_done {
                self.session.set_finished(Sender::Client, None);
            }
        }
    }

    /// Lets the last event grow, where this is more of the same.
    fn join(&mut self, from: Side, at: OffsetDateTime, kind: &str, content: &Content<'_>, kept: &[u8]) -> bool {
        let sender = self.sender(from);
        if self.events.len() >= self.options.events {
            let [records, bytes] = &mut self.omitted;
            (*records, *bytes) = (*records + 1, *bytes + content.fragment.len() as u64);
            return true;
        }
        let Some(last) = self.events.last_mut() else { return false };
        let alike = last.from == sender && last.kind == kind && last.protection == content.protection;
        if !alike || last.at > at {
            return false;
        }
        let ([_, last_end], [_, end]) = (&mut last.range, content.range);
        *last_end = end;
        last.length += content.fragment.len() as u64;
        last.bytes.extend_from_slice(kept);
        let records = match last.fields.get("records") {
            Some(Value::Number(records)) => records + 1,
            _ => 1,
        };
        last.fields = Fields::new().with("records", records).with("last", super::super::event::rfc3339(at));
        last.headline = sized(records, last.length);
        true
    }

    fn count(&mut self, from: Side, content: &Content<'_>) {
        let ([client, server], length) = (&mut self.volume, content.fragment.len() as u64);
        match self.client.unwrap_or(Side::Initiator) == from {
            true => *client += length,
            false => *server += length,
        }
    }

    fn ssl2(&mut self, from: Side, at: OffsetDateTime, base: u64, message: &[u8]) {
        let content = Content {
            content_type: ContentType::HANDSHAKE,
            fragment: message,
            protection: Protection::Plain,
            version: ProtocolVersion::SSL2,
            range: [base, base + 2 + message.len() as u64],
        };
        let event = match (Ssl2ClientHello::decode(message), Ssl2ServerHello::decode(message)) {
            (Ok(hello), _) => {
                self.session.client_random = Some(hello.random());
                self.session.ssl2_form = Some(hello.version);
                // RFC 5246 appendix E.2: hashed without its length.
                self.session.transcript.add_ssl2_hello(message);
                let told = message::ssl2_client_hello(&hello);
                self.event(from, at, told.kind, told.headline, told.fields, &content)
            }
            (_, Ok(hello)) => {
                let fields = Fields::new()
                    .with("version", code(hello.version.0, hello.version))
                    .with("certificate", hello.certificate.as_slice())
                    .with("connection_id", hello.connection_id.as_slice());
                self.stream_mut(from).broken = true;
                self.event(from, at, "ServerHello", "SSL 2.0, which is not read further".into(), fields, &content)
            }
            (Err(error), _) => {
                self.stream_mut(from).broken = true;
                let fields = Fields::new()
                    .with("begins", text_or_bytes(message.get(..message.len().min(64)).unwrap_or_default()));
                self.event(from, at, "Malformed", error.to_string(), fields, &content)
            }
        };
        self.log(event);
    }
}

/// That a message could not be decompressed: what certkit does not read is no fault of the sender.
fn stays_compressed(why: &DecompressError) -> Remark {
    let weight = match why {
        DecompressError::Algorithm(_) | DecompressError::Long { .. } => Weight::Note,
        DecompressError::Damaged { .. } | DecompressError::Message(_) => Weight::Wrong,
    };
    Remark { weight, text: why.to_string() }
}

fn sized(records: u64, bytes: u64) -> String {
    format!("{bytes} bytes in {records} record{}", if records == 1 { "" } else { "s" })
}
