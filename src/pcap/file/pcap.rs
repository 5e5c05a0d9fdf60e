//! pcap (draft-ietf-opsawg-pcap §4): a header, then packets, each after a header of its own.

use std::io::Read;

use super::{CaptureError, Found, LARGEST, LinkType, moment};
use crate::pcap::buffer::Buffer;
use crate::pcap::error::Damage;

/// The magic number in the file's first four bytes: it says how all other numbers are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Magic {
    little_endian: bool,
    /// Nanoseconds in the unit of a time's second number.
    unit: u32,
    /// A packet's header in bytes: 24 in the variant of a Linux libpcap of 1999.
    header: usize,
}

impl Magic {
    pub(super) fn of(start: &[u8]) -> Option<Self> {
        let start: [u8; 4] = start.try_into().ok()?;
        [true, false].into_iter().find_map(|little_endian| {
            let (unit, header) = match number(start, little_endian) {
                0xa1b2_c3d4 => (1000, 16),
                0xa1b2_3c4d => (1, 16),
                0xa1b2_cd34 => (1000, 24),
                _ => return None,
            };
            Some(Self { little_endian, unit, header })
        })
    }
}

/// The reader of one file.
#[derive(Debug)]
pub(super) struct Pcap {
    magic: Magic,
    link: LinkType,
}

impl Pcap {
    pub(super) fn open<R: Read>(magic: Magic, source: &mut Buffer<R>) -> Result<Self, CaptureError> {
        let header: [u8; 24] = source.array()?.ok_or(CaptureError::HeaderCut)?;
        let (words, _) = header.as_chunks::<4>();
        let [_, version, _, _, _, link] = words else { return Err(CaptureError::HeaderCut) };
        let version = number(*version, magic.little_endian);
        let (first, second) = ((version & 0xffff) as u16, (version >> 16) as u16);
        let (major, minor) = if magic.little_endian { (first, second) } else { (second, first) };
        if (major, minor) != (2, 4) {
            return Err(CaptureError::Version { format: "pcap", major, minor });
        }
        // The upper bits say whether packets end with a checksum of the link layer, which nothing here looks at.
        let link = LinkType((number(*link, magic.little_endian) & 0xffff) as u16);
        Ok(Self { magic, link })
    }

    pub(super) fn next<R: Read>(&mut self, source: &mut Buffer<R>) -> Result<Found, CaptureError> {
        let at = source.position();
        let header = source.peek(self.magic.header)?;
        if header.is_empty() {
            return Ok(Found::End);
        }
        let (words, _) = header.as_chunks::<4>();
        let [seconds, fraction, captured, _, ..] = words else { return Ok(Found::Damage(Damage::Cut { at })) };
        let read = |word: &[u8; 4]| number(*word, self.magic.little_endian);
        let nanoseconds =
            i128::from(read(seconds)) * 1_000_000_000 + i128::from(read(fraction) * u64::from(self.magic.unit));
        let length = read(captured) as usize;
        if length > LARGEST {
            return Ok(Found::Damage(Damage::Broken { at, why: "a packet that claims more than 16 MiB" }));
        }
        let (skip, link) = (self.magic.header, self.link);
        Ok(Found::Packet { at: moment(nanoseconds), link, skip, length, after: 0 })
    }
}

fn number(bytes: [u8; 4], little_endian: bool) -> u64 {
    u64::from(if little_endian { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
}
