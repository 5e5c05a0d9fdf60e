//! Capture files: packets read from pcap and pcapng, TCP streams put together again, and captures written.
//!
//! ```text
//! bytes of a file ── CaptureFile ──▶ Packet ── Decoder ──▶ Segment ── Connections ──▶ two byte streams, to a Follower
//! ```
//!
//! Everything is read as it comes, in bounded memory, and any bytes will do: what is damaged, cut short or missing is
//! told, and the rest is used.

mod buffer;
pub mod connection;
mod datagram;
mod decode;
mod error;
mod file;
mod fragments;
mod half;
mod link;
mod writer;

pub use connection::{Connections, Finished, Follower, HowClosed, Limits, Side, SideCount};
pub use datagram::{Datagrams, UdpProtocol};
pub use decode::{Datagram, Decoded, Decoder, Segment, Skipped};
pub use error::{CaptureError, Damage};
pub use file::{CaptureFile, Format, Item, Packet};
pub use link::LinkType;
pub use writer::{CaptureWriter, Conversation};
