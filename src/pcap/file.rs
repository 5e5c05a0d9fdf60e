//! A capture file, packet by packet: pcap and pcapng, told apart by their first bytes.

mod pcap;
mod pcapng;

use std::io::Read;

use serde::Serialize;
use time::OffsetDateTime;

use super::buffer::Buffer;
use super::error::{CaptureError, Damage};
use super::link::LinkType;

/// The largest packet or block of secrets that is taken, in bytes. libpcap itself stops at 256 KiB, Wireshark at 128 MiB
/// for one kind of bus no TLS runs on.
const LARGEST: usize = 16 << 20;

/// The format of a capture file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// The format of libpcap (draft-ietf-opsawg-pcap).
    Pcap,
    /// The format of Wireshark (draft-ietf-opsawg-pcapng).
    Pcapng,
}

/// What is found in a capture.
#[derive(Debug)]
pub enum Item<'a> {
    /// A packet.
    Packet(Packet<'a>),
    /// A Decryption Secrets Block of pcapng with a TLS key log (RFC 9850).
    KeyLog(&'a [u8]),
}

/// A packet as it was captured.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// When.
    pub at: OffsetDateTime,
    /// What the bytes begin with.
    pub link: LinkType,
    /// What was captured of it: all of it unless the capture was limited.
    pub bytes: &'a [u8],
}

/// A capture that is read as it comes. Memory is bounded by the largest packet, at most 16 MiB.
pub struct CaptureFile<R> {
    source: Buffer<R>,
    reader: Reader,
    damage: Option<Damage>,
}

enum Reader {
    Pcap(pcap::Pcap),
    Pcapng(pcapng::Pcapng),
}

/// What the reader of one format found, before it is borrowed from the buffer.
enum Found {
    Packet { at: OffsetDateTime, link: LinkType, skip: usize, length: usize, after: usize },
    KeyLog { skip: usize, length: usize, after: usize },
    End,
    Damage(Damage),
}

impl<R: Read> CaptureFile<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// When it is no capture, or the system cannot read it.
    pub fn open(from: R) -> Result<Self, CaptureError> {
        let mut source = Buffer::new(from);
        let reader = match source.peek(4)? {
            [] => return Err(CaptureError::Empty),
            [0x0a, 0x0d, 0x0d, 0x0a] => Reader::Pcapng(pcapng::Pcapng::open(&mut source)?),
            start => match pcap::Magic::of(start) {
                Some(magic) => Reader::Pcap(pcap::Pcap::open(magic, &mut source)?),
                None => return Err(foreign(start)),
            },
        };
        Ok(Self { source, reader, damage: None })
    }

    /// The next packet or key log; `None` at the end, be it the file's or that of what can be read: see
    /// [`CaptureFile::damage`].
    ///
    /// # Errors
    /// When the system cannot read on.
    pub fn next_item(&mut self) -> Result<Option<Item<'_>>, CaptureError> {
        if self.damage.is_some() {
            return Ok(None);
        }
        let begun = self.source.position();
        let found = match &mut self.reader {
            Reader::Pcap(pcap) => pcap.next(&mut self.source)?,
            Reader::Pcapng(pcapng) => pcapng.next(&mut self.source)?,
        };
        let (packet, skip, length, after) = match found {
            Found::End => return Ok(None),
            Found::Damage(damage) => {
                self.damage = Some(damage);
                return Ok(None);
            }
            Found::Packet { at, link, skip, length, after } => (Some((at, link)), skip, length, after),
            Found::KeyLog { skip, length, after } => (None, skip, length, after),
        };
        let Some(whole) = self.source.take(skip + length + after)? else {
            self.damage = Some(Damage::Cut { at: begun });
            return Ok(None);
        };
        let bytes = whole.get(skip..skip + length).unwrap_or_default();
        Ok(Some(match packet {
            Some((at, link)) => Item::Packet(Packet { at, link, bytes }),
            None => Item::KeyLog(bytes),
        }))
    }

    /// Which format it has.
    pub fn format(&self) -> Format {
        match self.reader {
            Reader::Pcap(_) => Format::Pcap,
            Reader::Pcapng(_) => Format::Pcapng,
        }
    }

    /// How many bytes have been read.
    pub fn position(&self) -> u64 {
        self.source.position()
    }

    /// Why the reading ended before the file did.
    pub fn damage(&self) -> Option<&Damage> {
        self.damage.as_ref()
    }
}

/// What something else might be.
fn foreign(start: &[u8]) -> CaptureError {
    let (what, remedy) = match start {
        [0x1f, 0x8b, ..] => ("compressed with gzip", "gunzip -c FILE | certkit capture -"),
        [0x28, 0xb5, 0x2f, 0xfd] => ("compressed with zstd", "zstd -dc FILE | certkit capture -"),
        [0xfd, b'7', b'z', b'X'] => ("compressed with xz", "xz -dc FILE | certkit capture -"),
        [0x04, 0x22, 0x4d, 0x18] => ("compressed with lz4", "lz4 -dc FILE | certkit capture -"),
        [b'B', b'Z', b'h', _] => ("compressed with bzip2", "bunzip2 -c FILE | certkit capture -"),
        b"snoo" => ("a capture of snoop", "editcap -F pcapng FILE - | certkit capture -"),
        b"----" => ("PEM", "certkit inspect FILE"),
        [first, second, ..] if [*first, *second] == *b"PK" => {
            ("a ZIP archive", "unzip -p FILE | certkit capture -, if there is one file in it")
        }
        _ => return CaptureError::Unknown,
    };
    CaptureError::Foreign { what, remedy }
}

/// Seconds and nanoseconds since 1970; moments no date is known for become 1970 itself.
fn moment(nanoseconds: i128) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests;
