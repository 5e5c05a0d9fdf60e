//! Bytes that are not in the capture: what is told of them, and how to go on behind them.

use time::OffsetDateTime;

use super::Recorder;
use crate::pcap::Side;
use crate::tls::code::{ContentType, HandshakeType};
use crate::tls::record::{HandshakeReader, Record};
use crate::transcript::event::{Event, Remark, Sender, Weight};
use crate::transcript::field::Fields;
use crate::transcript::message::code;

impl Recorder {
    /// So many bytes are missing.
    pub(super) fn gap(&mut self, from: Side, at: OffsetDateTime, count: u64) {
        let place = self.stream(from).begun.unwrap_or(0) + self.stream(from).records.offset();
        let headline = format!("{count} bytes are not in the capture");
        let fields = Fields::new().with("bytes", count);
        let event = Event::new(at, self.sender(from), "Missing", headline, fields, [place, place + count]);
        self.log(event);
        self.stream_mut(from).records.missing(count);
        self.read(from, at);
    }

    /// A record that is not whole.
    pub(super) fn damaged(
        &mut self,
        from: Side,
        at: OffsetDateTime,
        place: u64,
        content_type: ContentType,
        length: usize,
    ) {
        let sender = self.sender(from);
        self.out_of_step(from);
        self.stream_mut(from).opaque += 1;
        if !self.session.is_tls13() || content_type == ContentType::APPLICATION_DATA {
            self.keys.lose_record(sender, length);
        }
        let fields = Fields::new().with("content_type", code(content_type.0, content_type));
        let headline = format!("a record of {content_type} that is not whole in the capture");
        let mut event = Event::new(at, sender, "Damaged", headline, fields, [place, place + 5 + length as u64]);
        event.length = length as u64;
        self.log(event);
    }

    /// A record begins here, after bytes that cannot be told.
    pub(super) fn found(&mut self, from: Side, at: OffsetDateTime, place: u64, lost: u64) {
        let sender = self.sender(from);
        self.out_of_step(from);
        let headline = format!("records are found again after {lost} bytes that cannot be read");
        let fields = Fields::new().with("bytes", lost);
        let mut event = Event::new(at, sender, FOUND, headline, fields, [place.saturating_sub(lost), place]);
        if !self.keys.lose_bytes(sender, lost) {
            let text =
                "what follows cannot be opened: RC4 goes by the number of bytes before, which is not known".to_owned();
            event.remarks.push(Remark { weight: Weight::Warning, text });
        }
        self.log(event);
    }

    /// The first record after the gap has been opened, as the one after so many missing ones.
    pub(super) fn counted(&mut self, sender: Sender, missing: u64) {
        let found = self.events.iter_mut().rev().find(|event| event.from == sender && event.kind == FOUND);
        if let Some(event) = found.filter(|event| event.fields.get("records").is_none()) {
            let records = if missing == 1 { "record is" } else { "records are" };
            let text = format!("what follows opens: {missing} {records} missing before it under its keys");
            event.fields.push("records", missing);
            event.remarks.push(Remark { weight: Weight::Note, text });
        }
    }

    /// Handshake messages of this side are no longer known by their order.
    pub(super) fn out_of_step(&mut self, from: Side) {
        let stream = self.stream_mut(from);
        stream.out_of_step = true;
        stream.messages = HandshakeReader::default();
    }

    /// Whether messages begin with this fragment: after a gap only where it is made of whole ones.
    pub(super) fn is_in_step(&mut self, from: Side, fragment: &[u8]) -> bool {
        let stream = self.stream_mut(from);
        stream.out_of_step &= !are_messages(fragment);
        !stream.out_of_step
    }

    /// Whether a record after a gap must be protected, although its ChangeCipherSpec was not seen: application data is, and
    /// an alert of more than two bytes.
    pub(super) fn shows_protection(&mut self, from: Side, record: &Record) -> bool {
        let alert = record.content_type == ContentType::ALERT && record.fragment.len() != 2;
        alert && self.stream(from).out_of_step && !self.session.is_tls13()
    }

    /// The ChangeCipherSpec of a side that sends application data has been, though it is missing.
    pub(super) fn has_changed(&mut self, from: Side) {
        let sender = self.sender(from);
        if !self.stream(from).out_of_step || self.stream(from).protected || self.session.is_tls13() {
            return;
        }
        if self.session.negotiated.is_some() {
            self.stream_mut(from).protected = true;
            _ = self.keys.change_cipher_spec(sender, &self.session);
            self.talks(from);
        }
    }

    /// A side that sends application data has sent its Finished, though it is missing.
    pub(super) fn talks(&mut self, from: Side) {
        let sender = self.sender(from);
        let lost = self.stream(from).out_of_step && self.session.server_hello.is_some();
        if lost && !self.session.is_finished(sender) && !self.session.offers_early_data() {
            self.session.set_finished(sender, None);
        }
    }
}

/// Whether a fragment is one or more whole handshake messages.
fn are_messages(mut fragment: &[u8]) -> bool {
    // Each turn takes a header of four octets at least.
    while let Some((&[kind, high, middle, low], rest)) = fragment.split_first_chunk::<4>() {
        let length = u32::from_be_bytes([0, high, middle, low]) as usize;
        let Some(rest) = rest.get(length..).filter(|_| HandshakeType(kind).name().is_some()) else { return false };
        if rest.is_empty() {
            return true;
        }
        fragment = rest;
    }
    false
}

const FOUND: &str = "FoundAgain";

#[cfg(test)]
mod tests {
    use super::are_messages;

    #[test]
    fn messages_are_whole_or_none() {
        assert!(are_messages(&[14, 0, 0, 0]) && are_messages(&[14, 0, 0, 0, 20, 0, 0, 1, 9]));
        for part in [&[][..], &[14, 0, 0], &[20, 0, 0, 2, 9], &[14, 0, 0, 0, 1], &[99, 0, 0, 0]] {
            assert!(!are_messages(part), "{part:?}");
        }
    }
}
