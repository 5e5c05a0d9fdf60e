//! The record layer (RFC 8446 §5, RFC 5246 §6.2): records out of a stream of octets, handshake messages out of records.

mod alert;
mod joiner;
mod reader;
mod search;

pub use alert::Alert;
pub use joiner::{DEFAULT_MESSAGE_LIMIT, HandshakeReader, MessageError, RawHandshake};
pub use reader::{RecordError, RecordEvent, RecordFault, RecordReader};

use super::code::{ContentType, ProtocolVersion};

/// The longest plaintext of a record: 2^14 octets (RFC 8446 §5.1).
pub const MAX_PLAINTEXT: usize = 1 << 14;
/// The longest fragment that is read: what TLS 1.2 allows a protected record, 2^14 + 2048 octets (RFC 5246 §6.2.3).
pub const MAX_FRAGMENT: usize = MAX_PLAINTEXT + 2048;

/// A record, as it stands in the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where its header begins in the stream.
    pub offset: u64,
    /// What it says it carries.
    pub content_type: ContentType,
    /// The version in its header, which means little from TLS 1.3 on.
    pub version: ProtocolVersion,
    /// What it carries, encrypted or not.
    pub fragment: Vec<u8>,
}

impl Record {
    /// Content type, version and length: what TLS 1.3 authenticates with the fragment.
    pub fn header(&self) -> [u8; 5] {
        header(self.content_type, self.version, self.fragment.len())
    }
}

/// `content` in as many records as it needs, of at most 2^14 octets each. Nothing makes one empty record.
pub fn write_records(content_type: ContentType, version: ProtocolVersion, content: &[u8]) -> Vec<u8> {
    let empty = content.is_empty().then_some(content);
    let mut out = Vec::with_capacity(content.len() + 5);
    for fragment in content.chunks(MAX_PLAINTEXT).chain(empty) {
        out.extend_from_slice(&header(content_type, version, fragment.len()));
        out.extend_from_slice(fragment);
    }
    out
}

fn header(content_type: ContentType, version: ProtocolVersion, length: usize) -> [u8; 5] {
    let [major, minor] = version.0.to_be_bytes();
    let [high, low] = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
    [content_type.0, major, minor, high, low]
}
