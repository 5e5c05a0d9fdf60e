//! One side's bytes: what comes before TLS, then records, then handshake messages.

use crate::tls::record::{HandshakeReader, RecordReader};

/// The most that is kept of what precedes TLS on one side, in bytes. Dialogues that end in STARTTLS and requests to
/// proxies are shorter.
const LONGEST_PROLOGUE: usize = 16 << 10;

/// One side of a connection.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// What came before TLS, or before it is known whether there is any.
    pub(super) prologue: Vec<u8>,
    /// From where on the answer to a ClientHello is looked for.
    pub(super) answer_from: usize,
    /// Where in the stream TLS begins, in bytes.
    pub(super) begun: Option<u64>,
    pub(super) records: RecordReader,
    pub(super) messages: HandshakeReader,
    /// Where the first record of the message begins that has not ended.
    pub(super) message_from: u64,
    /// Whether ChangeCipherSpec was sent: all that follows is protected (TLS 1.2 and older).
    pub(super) protected: bool,
    /// How many protected handshake records have passed that could not be opened.
    pub(super) opaque: u64,
    /// Something before the next handshake message is missing, so that it is not known by its order.
    pub(super) out_of_step: bool,
    /// Nothing that follows can be read.
    pub(super) broken: bool,
}

/// How the bytes of a side begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// With a ClientHello.
    Client,
    /// With a ServerHello.
    Server,
    /// With another record: the connection is older than the capture.
    Middle,
}

impl Stream {
    /// Keeps bytes that may precede TLS; false where there are too many.
    pub(super) fn precede(&mut self, bytes: &[u8]) -> bool {
        self.prologue.extend_from_slice(bytes);
        self.prologue.len() <= LONGEST_PROLOGUE
    }

    /// Where in what was kept TLS begins, looked for from `from` on.
    pub(super) fn find_opening(&self, from: usize) -> Option<(usize, Opening)> {
        let hello = (from..self.prologue.len()).find_map(|at| {
            let rest = self.prologue.get(at..).unwrap_or_default();
            let opening = match rest {
                // A record with the first octets of a ClientHello or ServerHello, whose length is under 2^16.
                [22, 3, 0..=4, _, _, 1, 0, _, _, 3, ..] => Opening::Client,
                [22, 3, 0..=4, _, _, 2, 0, _, _, 3, ..] => Opening::Server,
                // The form of SSL 2.0, at the very start alone.
                [0x80..=0xff, length, 1, 0 | 3, 0..=3, ..] if at == 0 && *length > 8 => Opening::Client,
                _ => return None,
            };
            Some((at, opening))
        });
        let middle = || (from == 0 && is_record(&self.prologue)).then_some((0, Opening::Middle));
        hello.or_else(middle)
    }

    /// Begins to read records at this place of what was kept.
    pub(super) fn begin(&mut self, at: usize) {
        let rest = self.prologue.split_off(at.min(self.prologue.len()));
        self.begun = Some(at as u64);
        self.records.push(&rest);
    }
}

/// Whether these bytes begin with the header of a TLS record.
pub(super) fn is_record(bytes: &[u8]) -> bool {
    match bytes {
        [20..=24, 3, 0..=4, high, low, ..] => {
            (1..=crate::tls::record::MAX_FRAGMENT).contains(&usize::from(u16::from_be_bytes([*high, *low])))
        }
        _ => false,
    }
}

/// What the dialogue before TLS was.
pub(super) fn protocol_before(client: &[u8], server: &[u8]) -> Option<&'static str> {
    let begins = |bytes: &[u8], word: &str| {
        bytes.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
    };
    let has =
        |bytes: &[u8], word: &str| bytes.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()));
    match (client, server) {
        ([0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f, ..], _) => Some("PostgreSQL"),
        (_, [_, _, 0, 0, 10, ..]) => Some("MySQL"),
        ([0x30, ..], _) if has(client, "1.3.6.1.4.1.1466.20037") => Some("LDAP"),
        _ if begins(client, "CONNECT ") => Some("a proxy for HTTP"),
        _ if has(client, "AUTH TLS") || has(client, "AUTH SSL") => Some("FTP"),
        _ if begins(server, "* ") => Some("IMAP"),
        _ if begins(server, "+OK") => Some("POP3"),
        _ if has(client, "STARTTLS") && begins(server, "220") => Some("SMTP"),
        _ if has(client, "urn:ietf:params:xml:ns:xmpp-tls") => Some("XMPP"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(bytes: &[u8]) -> Option<(usize, Opening)> {
        let mut stream = Stream::default();
        assert!(stream.precede(bytes));
        stream.find_opening(0)
    }

    const HELLO: &[u8] = &[22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3];

    #[test]
    fn tls_is_found_at_the_start_and_after_a_dialogue() {
        assert_eq!(opening(HELLO), Some((0, Opening::Client)));
        assert_eq!(opening(&[b"EHLO x\r\nSTARTTLS\r\n", HELLO].concat()), Some((18, Opening::Client)));
        assert_eq!(opening(&[0x80, 46, 1, 3, 1, 0, 21]), Some((0, Opening::Client)));
        assert_eq!(opening(&[23, 3, 3, 0, 40, 1, 2]), Some((0, Opening::Middle)));
    }

    #[test]
    fn other_protocols_are_not_tls() {
        for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"SSH-2.0-OpenSSH", &[22, 3], &[23, 3, 9, 0, 40], &[0; 400]] {
            assert_eq!(opening(bytes), None, "{bytes:?}");
        }
        let mut stream = Stream::default();
        assert!(!stream.precede(&[b'x'; LONGEST_PROLOGUE + 1]));
    }

    #[test]
    fn the_dialogue_is_known_by_its_words() {
        assert_eq!(protocol_before(b"EHLO x\r\nSTARTTLS\r\n", b"220 mail\r\n"), Some("SMTP"));
        assert_eq!(protocol_before(b"a1 STARTTLS\r\n", b"* OK ready\r\n"), Some("IMAP"));
        assert_eq!(
            protocol_before(b"CONNECT x:443 HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"),
            Some("a proxy for HTTP")
        );
        assert_eq!(protocol_before(&[0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f], b"S"), Some("PostgreSQL"));
        assert_eq!(protocol_before(b"?", b"!"), None);
    }
}
