//! Records out of a stream of octets that arrives in pieces.

use super::search::{Found, Search};
use super::{MAX_FRAGMENT, Record};
use crate::tls::code::{ContentType, ProtocolVersion};

/// What stands next in a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordEvent {
    /// A record.
    Record(Record),
    /// A message of SSL 2.0 at the very start: a ClientHello in the form that clients of SSL 3.0 and TLS sent too
    /// (RFC 6101 appendix E, RFC 5246 appendix E.2), or a server's answer to one.
    Ssl2 {
        /// The message without the two octets of its length.
        message: Vec<u8>,
    },
    /// A record of which octets are missing in a recording.
    Damaged {
        /// Where its header begins in the stream.
        offset: u64,
        /// What it says it carries.
        content_type: ContentType,
        /// The length of its fragment.
        length: usize,
    },
    /// After octets that are missing in a recording, a record begins again.
    Found {
        /// Where its header begins in the stream.
        offset: u64,
        /// How many octets before it belong to records that nobody can tell apart, missing or not.
        lost: u64,
    },
}

/// Why a stream cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("octet {offset}: {fault}")]
pub struct RecordError {
    /// Where the record begins in the stream.
    pub offset: u64,
    /// What is wrong with it.
    pub fault: RecordFault,
}

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordFault {
    /// This is another protocol.
    #[error("no TLS record begins here, {}", match looks_like {
        Some(protocol) => format!("but something that looks like {protocol}"),
        None => format!("but {}", crate::encoding::hex::encode(first)),
    })]
    NotTls {
        /// The first octets, five at most.
        first: Vec<u8>,
        /// What they look like.
        looks_like: Option<&'static str>,
    },
    /// The fragment is longer than any version allows.
    #[error("a record of {0} octets is longer than 2^14 + 2048 (RFC 5246 §6.2.3)")]
    Overflow(usize),
    /// An empty fragment of a type that must not be empty (RFC 8446 §5.1).
    #[error("an empty record of type {0} (RFC 8446 §5.1)")]
    Empty(ContentType),
    /// Octets are missing, and no record was found in those that follow.
    #[error("octets are missing in the recording, and in those that follow no record is found")]
    Gap,
}

/// Reads records from a stream that arrives in pieces. It holds what was pushed and not yet taken, and of a record that
/// has not ended at most its own length.
#[derive(Debug, Clone, Default)]
pub struct RecordReader {
    buffer: Vec<u8>,
    taken: usize,
    /// Where `buffer` begins in the stream.
    base: u64,
    /// Octets of a damaged record that are still to come.
    skip: u64,
    damaged: Option<RecordEvent>,
    /// After a gap: the look-out for the next record, and where the first record begins that is lost.
    search: Option<(Search, u64)>,
    failed: Option<RecordError>,
}

impl RecordReader {
    /// A reader at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next octets of the stream.
    pub fn push(&mut self, octets: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(octets.len());
        self.skip -= skipped as u64;
        self.buffer.drain(..self.taken.min(self.buffer.len()));
        self.base += self.taken as u64;
        self.taken = 0;
        if self.buffer.is_empty() {
            self.base += skipped as u64;
        }
        self.buffer.extend_from_slice(octets.get(skipped..).unwrap_or_default());
    }

    /// The next `octets` of the stream are missing in the recording. All whole records must have been taken. The record
    /// that the gap lies in is told as damaged; where the gap goes beyond it, the next record is looked for.
    pub fn missing(&mut self, octets: u64) {
        if self.failed.is_some() || octets == 0 {
            return;
        }
        let offset = self.offset();
        let held = self.rest().len() as u64;
        if held == 0 && self.skip >= octets {
            self.skip -= octets;
            self.base += octets;
            return;
        }
        let after = offset + held + octets;
        let lost_from = match (&self.search, self.header()) {
            (Some((_, lost_from)), _) => *lost_from,
            (None, Ok(Some((content_type, _, length)))) => {
                self.damaged = Some(RecordEvent::Damaged { offset, content_type, length });
                offset + 5 + length as u64
            }
            (None, Ok(None)) => offset + self.skip,
            (None, Err(fault)) => {
                self.failed = Some(RecordError { offset, fault });
                return;
            }
        };
        self.base = after;
        self.buffer.clear();
        self.taken = 0;
        self.skip = lost_from.saturating_sub(after);
        self.search = (lost_from < after).then(|| (Search::default(), lost_from));
    }

    /// The next record; `None` where more octets are needed.
    ///
    /// # Errors
    /// Once the stream is no longer TLS, always the same error.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<RecordEvent>, RecordError> {
        if let Some(damaged) = self.damaged.take() {
            return Ok(Some(damaged));
        }
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if let Some((search, lost_from)) = self.search.take() {
            return self.look(search, lost_from);
        }
        let offset = self.offset();
        if offset == 0
            && let Some(length) = ssl2_length(self.rest())
        {
            let Some(message) = self.rest().get(2..2 + length).map(<[u8]>::to_vec) else { return Ok(None) };
            self.taken += 2 + length;
            return Ok(Some(RecordEvent::Ssl2 { message }));
        }
        // A hello of SSL 2.0 form shows in five octets.
        if offset == 0 && self.rest().first().is_some_and(|first| first & 0x80 != 0) && self.rest().len() < 5 {
            return Ok(None);
        }
        let (content_type, version, length) = match self.header() {
            Ok(Some(header)) => header,
            Ok(None) => return Ok(None),
            Err(fault) => {
                let error = RecordError { offset, fault };
                self.failed = Some(error.clone());
                self.buffer = Vec::new();
                self.taken = 0;
                return Err(error);
            }
        };
        let Some(fragment) = self.rest().get(5..5 + length).map(<[u8]>::to_vec) else { return Ok(None) };
        self.taken += 5 + length;
        Ok(Some(RecordEvent::Record(Record { offset, content_type, version, fragment })))
    }

    /// Looks for the next record after a gap.
    fn look(&mut self, mut search: Search, lost_from: u64) -> Result<Option<RecordEvent>, RecordError> {
        match search.find(self.rest()) {
            Found::NotYet => {
                self.search = Some((search, lost_from));
                Ok(None)
            }
            Found::At(at) => {
                self.taken += at;
                let offset = self.offset();
                Ok(Some(RecordEvent::Found { offset, lost: offset.saturating_sub(lost_from) }))
            }
            Found::Nowhere => {
                let error = RecordError { offset: self.offset(), fault: RecordFault::Gap };
                self.failed = Some(error.clone());
                self.buffer = Vec::new();
                Err(error)
            }
        }
    }

    /// Where the next record begins in the stream.
    pub fn offset(&self) -> u64 {
        self.base + self.taken as u64
    }

    /// How many octets of a record that has not ended are there.
    pub fn pending(&self) -> usize {
        self.rest().len()
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.taken..).unwrap_or_default()
    }

    /// The header of the next record, if it is all there. What cannot be a header is found out at its first octet.
    fn header(&self) -> Result<Option<(ContentType, ProtocolVersion, usize)>, RecordFault> {
        let rest = self.rest();
        let not_tls =
            || RecordFault::NotTls { first: rest.iter().take(5).copied().collect(), looks_like: looks_like(rest) };
        // RFC 7983 §7: content types are 20 to 63; the major version is 3 in all but DTLS.
        match rest {
            [first, ..] if !(20..64).contains(first) => return Err(not_tls()),
            [_, major, ..] if *major != 3 => return Err(not_tls()),
            _ => {}
        }
        let Some(&[content_type, major, minor, high, low]) = rest.first_chunk::<5>() else { return Ok(None) };
        let content_type = ContentType(content_type);
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length > MAX_FRAGMENT {
            return Err(RecordFault::Overflow(length));
        }
        if length == 0 && content_type != ContentType::APPLICATION_DATA {
            return Err(RecordFault::Empty(content_type));
        }
        Ok(Some((content_type, ProtocolVersion(u16::from_be_bytes([major, minor])), length)))
    }
}

/// The length of a hello of SSL 2.0 form, if the stream begins with one: a header of two octets with the top bit set,
/// then the type of message (1 or 4), and in a ClientHello a version that exists.
fn ssl2_length(stream: &[u8]) -> Option<usize> {
    let length = match *stream {
        [high, low, 1, 0, 2, ..] | [high, low, 1, 3, 0..=4, ..] | [high, low, 4, 0 | 1, ..] => [high, low],
        _ => return None,
    };
    let length = u16::from_be_bytes(length);
    // A ClientHello has at least 9 octets, a ServerHello 11.
    (length & 0x8000 != 0).then_some(usize::from(length & 0x7fff)).filter(|length| *length >= 9)
}

/// The protocols that answer on a TLS port by mistake, or before STARTTLS.
fn looks_like(stream: &[u8]) -> Option<&'static str> {
    const KNOWN: &[(&[u8], &str)] = &[
        (b"HTTP/", "an HTTP answer without TLS"),
        (b"GET ", "an HTTP request without TLS"),
        (b"POST", "an HTTP request without TLS"),
        (b"HEAD", "an HTTP request without TLS"),
        (b"CONN", "an HTTP proxy request"),
        (b"<html", "an HTTP answer without TLS"),
        // Servers that answer what they take for HTTP/0.9 without a head.
        (b"<!DOC", "an HTTP answer without TLS"),
        (b"<!doc", "an HTTP answer without TLS"),
        (b"SSH-", "SSH"),
        (b"220 ", "SMTP or FTP before STARTTLS"),
        (b"220-", "SMTP or FTP before STARTTLS"),
        (b"EHLO", "SMTP before STARTTLS"),
        (b"+OK", "POP3 before STARTTLS"),
        (b"* OK", "IMAP before STARTTLS"),
        (b"<?xml", "XMPP before STARTTLS"),
        (b"<stre", "XMPP before STARTTLS"),
        (b"\x30\x0c\x02\x01", "LDAP before STARTTLS"),
        (b"\x05\x00", "a SOCKS proxy"),
    ];
    let dtls = stream.get(1) == Some(&0xfe) && matches!(stream.first(), Some(20..=63));
    dtls.then_some("DTLS")
        .or_else(|| KNOWN.iter().find(|(start, _)| stream.starts_with(start)).map(|(_, protocol)| *protocol))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::super::{MAX_PLAINTEXT, write_records};
    use super::*;

    fn stream() -> Vec<u8> {
        let version = ProtocolVersion::TLS1_2;
        let handshake = write_records(ContentType::HANDSHAKE, version, &vec![7; MAX_PLAINTEXT + 3]);
        [handshake, write_records(ContentType::ALERT, version, &[2, 40])].concat()
    }

    fn all(reader: &mut RecordReader) -> Vec<RecordEvent> {
        std::iter::from_fn(|| reader.next().unwrap()).collect()
    }

    #[test]
    fn records_come_out_alike_however_the_stream_is_cut() {
        let stream = stream();
        let mut whole = RecordReader::new();
        whole.push(&stream);
        let expected = all(&mut whole);
        assert_eq!(expected.len(), 3);
        for size in [1, 2, 5, 6, 7, 1000, MAX_PLAINTEXT + 4] {
            let mut reader = RecordReader::new();
            let mut found = Vec::new();
            for piece in stream.chunks(size) {
                reader.push(piece);
                found.extend(all(&mut reader));
                assert!(reader.pending() < MAX_FRAGMENT + 5);
            }
            assert_eq!(found, expected, "{size}");
            assert_eq!(reader.offset(), stream.len() as u64);
        }
    }

    #[test]
    fn what_is_not_tls_is_named_and_stays_an_error() {
        for (stream, what) in [
            (
                &b"HTTP/1.1 400 Bad Request\r\n"[..],
                "octet 0: no TLS record begins here, but something that looks like an HTTP answer without TLS",
            ),
            (
                b"<!DOCTYPE HTML>",
                "octet 0: no TLS record begins here, but something that looks like an HTTP answer without TLS",
            ),
            (b"SSH-2.0-x", "octet 0: no TLS record begins here, but something that looks like SSH"),
            (&[0x16, 0xfe, 0xfd, 0, 0], "octet 0: no TLS record begins here, but something that looks like DTLS"),
            (&[0, 1, 2], "octet 0: no TLS record begins here, but 000102"),
            (&[22, 3, 1, 0xff, 0xff], "octet 0: a record of 65535 octets is longer than 2^14 + 2048 (RFC 5246 §6.2.3)"),
            (&[22, 3, 1, 0, 0], "octet 0: an empty record of type handshake (RFC 8446 §5.1)"),
        ] {
            let mut reader = RecordReader::new();
            reader.push(stream);
            assert_eq!(reader.next().unwrap_err().to_string(), what);
            reader.push(&[23, 3, 3, 0, 0]);
            assert_eq!(reader.next().unwrap_err().to_string(), what);
        }
    }

    #[test]
    fn a_hello_of_ssl_2_form_is_recognised_at_the_start_only() {
        let mut reader = RecordReader::new();
        let hello = [0x80, 12, 1, 3, 1, 0, 3, 0, 0, 0, 0, 0, 0, 5];
        reader.push(&hello);
        assert_eq!(reader.next().unwrap(), Some(RecordEvent::Ssl2 { message: hello[2..].to_vec() }));
        reader.push(&hello);
        assert!(reader.next().is_err());
    }

    #[test]
    fn a_gap_within_a_record_damages_it_alone() {
        let stream = stream();
        let mut reader = RecordReader::new();
        reader.push(&stream[..105]);
        assert_eq!(reader.next(), Ok(None));
        reader.missing(1000);
        reader.push(&stream[1105..2000]);
        reader.missing(500);
        reader.push(&stream[2500..]);
        let found = all(&mut reader);
        assert!(matches!(found[0], RecordEvent::Damaged { offset: 0, length: MAX_PLAINTEXT, .. }), "{found:?}");
        let RecordEvent::Record(second) = &found[1] else { panic!("{found:?}") };
        assert_eq!((second.offset, second.fragment.as_slice()), (MAX_PLAINTEXT as u64 + 5, &[7, 7, 7][..]));
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn after_a_gap_that_hides_a_header_the_next_record_is_found() {
        let stream = stream();
        let mut reader = RecordReader::new();
        reader.push(&stream[..105]);
        assert_eq!(reader.next(), Ok(None));
        reader.missing(MAX_PLAINTEXT as u64 - 95);
        reader.push(&stream[10 + MAX_PLAINTEXT..]);
        let found = all(&mut reader);
        assert!(matches!(found[0], RecordEvent::Damaged { offset: 0, .. }), "{found:?}");
        let alert = stream.len() as u64 - 7;
        assert_eq!(found[1], RecordEvent::Found { offset: alert, lost: 8 });
        assert!(matches!(found[2], RecordEvent::Record(Record { offset, .. }) if offset == alert), "{found:?}");
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn where_no_record_follows_a_gap_the_stream_cannot_be_read_on() {
        let mut reader = RecordReader::new();
        reader.missing(100);
        for _ in 0..37 {
            assert_eq!(reader.next(), Ok(None));
            reader.push(&[7; 1000]);
        }
        let error = reader.next().unwrap_err();
        assert_eq!((error.offset, error.fault), (100, RecordFault::Gap));
    }

    /// Octets as good as random (splitmix64).
    fn noise(seed: u64) -> impl Iterator<Item = u64> {
        (1..).map(move |at: u64| {
            let mixed = seed.wrapping_add(at.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        })
    }

    #[test]
    fn whatever_is_missing_only_records_of_the_stream_are_found_and_those_after_it_all() {
        for seed in 0..400 {
            let mut random = noise(seed);
            let mut below = |end: usize| usize::try_from(random.next().unwrap() % end as u64).unwrap();
            let mut stream = Vec::new();
            let mut places = Vec::new();
            for _ in 0..12 {
                let most = [30, 1500, MAX_PLAINTEXT][below(3)];
                let content: Vec<u8> = (0..1 + below(most)).map(|_| u8::try_from(below(256)).unwrap()).collect();
                places.push(stream.len() as u64);
                let content_type = [ContentType::APPLICATION_DATA, ContentType::HANDSHAKE][below(2)];
                stream.extend(write_records(content_type, ProtocolVersion::TLS1_2, &content));
            }
            let start = below(stream.len());
            let end = start + 1 + below(stream.len() - start);
            let mut reader = RecordReader::new();
            let mut found = Vec::new();
            let mut at = 0;
            while at < stream.len() {
                // Pieces like those of TCP; one is the gap.
                let piece = 1 + below(1460);
                if at == start {
                    reader.missing((end - start) as u64);
                    at = end;
                } else {
                    let edge = if at < start { start } else { stream.len() };
                    let next = edge.min(at + piece);
                    reader.push(&stream[at..next]);
                    at = next;
                }
                found.extend(all(&mut reader));
            }
            let mut told = Vec::new();
            for event in &found {
                match event {
                    RecordEvent::Record(record) => {
                        let whole = record.header().into_iter().chain(record.fragment.iter().copied());
                        assert!(
                            whole.eq(stream[usize::try_from(record.offset).unwrap()..]
                                .iter()
                                .copied()
                                .take(5 + record.fragment.len())),
                            "{seed}"
                        );
                        assert!(places.contains(&record.offset), "{seed}");
                        told.push(record.offset);
                    }
                    RecordEvent::Found { offset, .. } => assert!(places.contains(offset), "{seed}"),
                    RecordEvent::Damaged { offset, .. } => assert!(places.contains(offset), "{seed}"),
                    RecordEvent::Ssl2 { .. } => panic!("{seed}"),
                }
            }
            // Each record that lies before the gap or after it as a whole.
            let ends = places.iter().skip(1).copied().chain([stream.len() as u64]);
            for (&place, next) in places.iter().zip(ends) {
                let whole = next <= start as u64 || place >= end as u64;
                assert_eq!(told.contains(&place), whole, "seed {seed}: {place}..{next}, {start}..{end} is missing");
            }
        }
    }
}
