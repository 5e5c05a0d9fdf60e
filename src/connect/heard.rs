//! What was heard on a connection: as a transcript, and as a capture.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use super::talk::EarlyData;
use crate::dial::{Chunk, Direction};
use crate::pcap::{CaptureWriter, Conversation, Format, LinkType, Side};
use crate::tls::keys::KeyLog;
use crate::transcript::{Options, Recorder, Secrets, Transcript};

/// All that went over a connection.
#[derive(Debug, Clone)]
pub struct Heard {
    /// The bytes of both sides with their times, those before TLS too.
    pub chunks: Vec<Chunk>,
    /// Whether more went over it than was kept.
    pub cut: bool,
    /// The server's certificates as they came, its own first; of a resumed session, those of the first one.
    pub chain: Vec<Vec<u8>>,
    /// Whether an earlier session was resumed.
    pub resumed: bool,
    /// What became of early data.
    pub early_data: EarlyData,
}

impl Heard {
    /// Tells it, opened with these lines of a key log; `None` where TLS never began.
    pub fn tell(&self, key_log: &str, options: Options) -> Option<Transcript> {
        let mut secrets = Secrets::default();
        secrets.add_key_log(KeyLog::parse(key_log.as_bytes()));
        let mut recorder = Recorder::new(Options { secrets: Rc::new(secrets), ..options });
        for chunk in &self.chunks {
            if !recorder.data(side(chunk.direction), chunk.at, &chunk.bytes) {
                break;
            }
        }
        recorder.finish()
    }
}

/// A connection, and between whom it was.
#[derive(Debug, Clone, Copy)]
pub struct Conversed<'a> {
    /// The address at this end.
    pub local: SocketAddr,
    /// The address at the other end.
    pub peer: SocketAddr,
    /// What was said.
    pub heard: &'a Heard,
}

/// A capture file of these connections: the packets are made up, the bytes in them and their times are not.
///
/// # Errors
/// Writing to memory has none.
pub fn capture(connections: &[Conversed<'_>], format: Format) -> io::Result<Vec<u8>> {
    let mut writer = CaptureWriter::new(Vec::new(), format, LinkType::ETHERNET)?;
    for Conversed { local, peer, heard } in connections {
        let mut conversation = Conversation::new(*local, *peer);
        let (Some(first), Some(last)) = (heard.chunks.first(), heard.chunks.last()) else { continue };
        for frame in conversation.open() {
            writer.packet(first.at, &frame)?;
        }
        for chunk in &heard.chunks {
            for frame in conversation.send(side(chunk.direction), &chunk.bytes) {
                writer.packet(chunk.at, &frame)?;
            }
        }
        for frame in conversation.close(Side::Initiator) {
            writer.packet(last.at, &frame)?;
        }
    }
    Ok(writer.into_inner())
}

fn side(direction: Direction) -> Side {
    match direction {
        Direction::Sent => Side::Initiator,
        Direction::Received => Side::Responder,
    }
}
