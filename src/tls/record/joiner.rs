//! Handshake messages out of the fragments of records: one message may take many records, and one record may hold many
//! messages (RFC 8446 §5.1).

use crate::tls::code::HandshakeType;

/// The longest handshake message that is held unless asked otherwise: 256 KiB. The length field allows 16 MiB; OpenSSL
/// stops at 100 KiB for certificates, rustls at 64 KiB.
pub const DEFAULT_MESSAGE_LIMIT: usize = 256 << 10;

/// A handshake message with its header of four octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawHandshake {
    /// Where it begins among the octets of this side's handshake.
    pub offset: u64,
    /// Its type.
    pub handshake_type: HandshakeType,
    /// Header and body: what transcript hashes are made of.
    pub encoding: Vec<u8>,
}

impl RawHandshake {
    /// A message of this type and body, as if it had been read.
    pub fn new(handshake_type: HandshakeType, body: &[u8]) -> Self {
        let [_, length @ ..] = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
        let encoding = [&[handshake_type.0][..], &length, body].concat();
        Self { offset: 0, handshake_type, encoding }
    }

    /// What follows the header.
    pub fn body(&self) -> &[u8] {
        self.encoding.get(4..).unwrap_or_default()
    }
}

/// Why handshake messages cannot be read on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("octet {offset} of the handshake: a {handshake_type} message of {length} octets is longer than {limit}")]
pub struct MessageError {
    /// Where the message begins among the octets of this side's handshake.
    pub offset: u64,
    /// Its type.
    pub handshake_type: HandshakeType,
    /// The length in its header.
    pub length: usize,
    /// The most that is taken.
    pub limit: usize,
}

/// Joins the fragments of one side's handshake records. It holds at most one message that has not ended.
#[derive(Debug, Clone)]
pub struct HandshakeReader {
    buffer: Vec<u8>,
    taken: usize,
    base: u64,
    limit: usize,
    failed: Option<MessageError>,
}

impl HandshakeReader {
    /// A reader at the start of a handshake, for messages of at most `limit` octets.
    pub fn new(limit: usize) -> Self {
        Self { buffer: Vec::new(), taken: 0, base: 0, limit, failed: None }
    }

    /// The content of the next handshake record, decrypted if need be.
    pub fn push(&mut self, fragment: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        self.buffer.drain(..self.taken.min(self.buffer.len()));
        self.base += self.taken as u64;
        self.taken = 0;
        self.buffer.extend_from_slice(fragment);
    }

    /// The next message; `None` where more fragments are needed.
    ///
    /// # Errors
    /// Once a message is too long, always the same error.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<RawHandshake>, MessageError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let rest = self.buffer.get(self.taken..).unwrap_or_default();
        let Some(&[handshake_type, high, middle, low]) = rest.first_chunk::<4>() else { return Ok(None) };
        let handshake_type = HandshakeType(handshake_type);
        let length = u32::from_be_bytes([0, high, middle, low]) as usize;
        let offset = self.base + self.taken as u64;
        if length > self.limit {
            let error = MessageError { offset, handshake_type, length, limit: self.limit };
            self.failed = Some(error.clone());
            self.buffer = Vec::new();
            return Err(error);
        }
        let Some(encoding) = rest.get(..4 + length).map(<[u8]>::to_vec) else { return Ok(None) };
        self.taken += encoding.len();
        Ok(Some(RawHandshake { offset, handshake_type, encoding }))
    }

    /// Whether a message has begun and not ended. Keys must not change then (RFC 8446 §5.1).
    pub fn is_within_message(&self) -> bool {
        self.taken < self.buffer.len()
    }
}

impl Default for HandshakeReader {
    fn default() -> Self {
        Self::new(DEFAULT_MESSAGE_LIMIT)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn messages_come_out_alike_however_they_are_cut() {
        let messages = [
            RawHandshake::new(HandshakeType::SERVER_HELLO, &[1; 70]),
            RawHandshake::new(HandshakeType::SERVER_HELLO_DONE, &[]),
            RawHandshake::new(HandshakeType::CERTIFICATE, &[2; 300]),
        ];
        let stream: Vec<u8> = messages.iter().flat_map(|message| message.encoding.clone()).collect();
        for size in [1, 3, 4, 74, 78, 79, 500] {
            let mut reader = HandshakeReader::default();
            let mut found = Vec::new();
            for piece in stream.chunks(size) {
                reader.push(piece);
                found.extend(std::iter::from_fn(|| reader.next().unwrap()));
            }
            assert!(!reader.is_within_message());
            assert_eq!(found.iter().map(|message| message.offset).collect::<Vec<_>>(), [0, 74, 78], "{size}");
            let encodings = |messages: &[RawHandshake]| messages.iter().map(|m| m.encoding.clone()).collect::<Vec<_>>();
            assert_eq!(encodings(&found), encodings(&messages), "{size}");
        }
    }

    #[test]
    fn a_message_over_the_limit_is_refused_before_it_is_held() {
        let mut reader = HandshakeReader::new(1000);
        reader.push(&[11, 0, 3, 0xe9, 0]);
        let error = reader.next().unwrap_err();
        assert_eq!(
            error.to_string(),
            "octet 0 of the handshake: a certificate message of 1001 octets is longer than 1000"
        );
        reader.push(&[0; 2000]);
        assert_eq!(reader.next().unwrap_err(), error);
        assert!(!reader.is_within_message());
    }
}
