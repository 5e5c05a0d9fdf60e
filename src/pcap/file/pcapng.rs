//! pcapng (draft-ietf-opsawg-pcapng): sections of blocks, each with its type and length. Unknown blocks and options are
//! passed over.

use std::io::Read;

use time::OffsetDateTime;

use super::{CaptureError, Found, LARGEST, LinkType, moment};
use crate::pcap::buffer::Buffer;
use crate::pcap::error::Damage;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
const DECRYPTION_SECRETS: u32 = 10;

/// `TLSK`: the secrets are a TLS key log.
const TLS_KEY_LOG: u32 = 0x544c_534b;

/// The most interfaces of a section that are kept; a machine has a handful.
const MOST_INTERFACES: usize = 65_536;

/// The most that is read of a description of an interface, in bytes.
const LARGEST_DESCRIPTION: usize = 1 << 20;

/// The reader of one file.
#[derive(Debug)]
pub(super) struct Pcapng {
    little_endian: bool,
    interfaces: Vec<Interface>,
    /// The time of the last packet: a Simple Packet Block has none of its own.
    latest: OffsetDateTime,
}

#[derive(Debug, Clone, Copy)]
struct Interface {
    link: LinkType,
    /// The most bytes of a packet that were captured; 0 for no limit.
    snap: u32,
    /// if_tsresol (§4.2): the power of ten, or with the top bit of two, that a second is divided into.
    resolution: u8,
    /// if_tsoffset: seconds to add.
    offset: i64,
}

impl Pcapng {
    pub(super) fn open<R: Read>(source: &mut Buffer<R>) -> Result<Self, CaptureError> {
        let mut reader = Self { little_endian: true, interfaces: Vec::new(), latest: OffsetDateTime::UNIX_EPOCH };
        match reader.section(source)? {
            None => Ok(reader),
            Some(Damage::Cut { .. }) => Err(CaptureError::HeaderCut),
            Some(Damage::Broken { .. }) => Err(reader.refusal(source.peek(16)?)),
        }
    }

    pub(super) fn next<R: Read>(&mut self, source: &mut Buffer<R>) -> Result<Found, CaptureError> {
        // Each turn takes a block, at least 12 bytes, so the file's end ends the loop.
        loop {
            let at = source.position();
            let start = source.peek(8)?;
            if start.is_empty() {
                return Ok(Found::End);
            }
            let ([kind, length], _) = start.as_chunks::<4>() else { return Ok(Found::Damage(Damage::Cut { at })) };
            if u32::from_be_bytes(*kind) == SECTION_HEADER {
                match self.section(source)? {
                    None => continue,
                    Some(damage) => return Ok(Found::Damage(damage)),
                }
            }
            let (kind, length) = (self.u32(*kind), self.u32(*length) as usize);
            if length < 12 || !length.is_multiple_of(4) {
                return Ok(Found::Damage(Damage::Broken { at, why: "a block of an impossible length" }));
            }
            let found = match kind {
                INTERFACE_DESCRIPTION => {
                    if !self.interface(source, length)? {
                        return Ok(Found::Damage(Damage::Cut { at }));
                    }
                    continue;
                }
                ENHANCED_PACKET => self.enhanced(source, length)?,
                SIMPLE_PACKET => self.simple(source, length)?,
                OBSOLETE_PACKET => self.obsolete(source, length)?,
                DECRYPTION_SECRETS => self.secrets(source, length)?,
                _ => None,
            };
            match found {
                Some(_) if length > LARGEST => {
                    return Ok(Found::Damage(Damage::Broken { at, why: "a packet that claims more than 16 MiB" }));
                }
                Some(found) => return Ok(found),
                None if source.skip(length as u64)? => {}
                None => return Ok(Found::Damage(Damage::Cut { at })),
            }
        }
    }

    /// Takes a Section Header Block (§4.1): what follows is in its byte order, with interfaces of its own.
    fn section<R: Read>(&mut self, source: &mut Buffer<R>) -> Result<Option<Damage>, CaptureError> {
        let at = source.position();
        let ([_, length, order, version, ..], _) = source.peek(16)?.as_chunks::<4>() else {
            return Ok(Some(Damage::Cut { at }));
        };
        let (length, version) = (*length, *version);
        self.little_endian = match u32::from_le_bytes(*order) {
            0x1a2b_3c4d => true,
            0x4d3c_2b1a => false,
            _ => return Ok(Some(Damage::Broken { at, why: "a section without a byte order" })),
        };
        let [major_1, major_2, ..] = version;
        if u16_of([major_1, major_2], self.little_endian) != 1 {
            return Ok(Some(Damage::Broken { at, why: "a section of an unknown version" }));
        }
        self.interfaces.clear();
        let length = self.u32(length);
        if length < 28 || !length.is_multiple_of(4) {
            return Ok(Some(Damage::Broken { at, why: "a section header of an impossible length" }));
        }
        Ok(if source.skip(u64::from(length))? { None } else { Some(Damage::Cut { at }) })
    }

    /// Takes an Interface Description Block (§4.2); false where the file ends within it.
    fn interface<R: Read>(&mut self, source: &mut Buffer<R>, length: usize) -> Result<bool, CaptureError> {
        let read = length.min(LARGEST_DESCRIPTION);
        let block = source.peek(read)?;
        if block.len() < read {
            return Ok(false);
        }
        let little_endian = self.little_endian;
        let mut interface = Interface { link: LinkType(u16::MAX), snap: 0, resolution: 6, offset: 0 };
        if let Some(([kind_1, kind_2, _, _, snap @ ..], options)) =
            block.get(8..).and_then(<[u8]>::split_first_chunk::<8>)
        {
            interface.link = LinkType(u16_of([*kind_1, *kind_2], little_endian));
            interface.snap = u32_of(*snap, little_endian);
            for (code, value) in (Options { rest: options, little_endian }) {
                match (code, value) {
                    (9, [resolution, ..]) => interface.resolution = *resolution,
                    (14, value) => {
                        if let Ok(offset) = <[u8; 8]>::try_from(value) {
                            interface.offset =
                                if little_endian { i64::from_le_bytes(offset) } else { i64::from_be_bytes(offset) };
                        }
                    }
                    _ => {}
                }
            }
        }
        if self.interfaces.len() < MOST_INTERFACES {
            self.interfaces.push(interface);
        }
        Ok(source.skip(length as u64)?)
    }

    /// An Enhanced Packet Block (§4.3). `None` for one that is damaged within its own bounds: it is passed over.
    fn enhanced<R: Read>(&mut self, source: &mut Buffer<R>, length: usize) -> Result<Option<Found>, CaptureError> {
        let Some([_, _, interface, high, low, captured]) = words::<6, R>(source)? else { return Ok(None) };
        let interface = self.u32(interface) as usize;
        Ok(self.packet(interface, Some([high, low]), self.u32(captured), 28, length))
    }

    /// The Packet Block that came before it (appendix A).
    fn obsolete<R: Read>(&mut self, source: &mut Buffer<R>, length: usize) -> Result<Option<Found>, CaptureError> {
        let Some([_, _, [first, second, ..], high, low, captured]) = words::<6, R>(source)? else { return Ok(None) };
        let interface = usize::from(u16_of([first, second], self.little_endian));
        Ok(self.packet(interface, Some([high, low]), self.u32(captured), 28, length))
    }

    /// A Simple Packet Block (§4.4): of the first interface, at no time.
    fn simple<R: Read>(&mut self, source: &mut Buffer<R>, length: usize) -> Result<Option<Found>, CaptureError> {
        let Some([_, _, original]) = words::<3, R>(source)? else { return Ok(None) };
        let snap = self.interfaces.first().map_or(0, |interface| interface.snap);
        let snap = if snap == 0 { u32::MAX } else { snap };
        let room = u32::try_from(length.saturating_sub(16)).unwrap_or(u32::MAX);
        Ok(self.packet(0, None, self.u32(original).min(snap).min(room), 12, length))
    }

    /// `skip` bytes of headers stand before the packet in its block.
    fn packet(
        &mut self,
        interface: usize,
        time: Option<[[u8; 4]; 2]>,
        captured: u32,
        skip: usize,
        length: usize,
    ) -> Option<Found> {
        let interface = *self.interfaces.get(interface)?;
        let captured = captured as usize;
        let after = length.checked_sub(skip)?.checked_sub(captured)?;
        // The block ends with its length once more.
        if after < 4 {
            return None;
        }
        if let Some([high, low]) = time {
            self.latest = interface.time(u64::from(self.u32(high)) << 32 | u64::from(self.u32(low)));
        }
        Some(Found::Packet { at: self.latest, link: interface.link, skip, length: captured, after })
    }

    /// A Decryption Secrets Block (§4.7); `None` for other secrets than TLS's.
    fn secrets<R: Read>(&mut self, source: &mut Buffer<R>, length: usize) -> Result<Option<Found>, CaptureError> {
        let Some([_, _, kind, size]) = words::<4, R>(source)? else { return Ok(None) };
        let size = self.u32(size) as usize;
        let fits = length.checked_sub(16).and_then(|room| room.checked_sub(size)).filter(|after| *after >= 4);
        match fits {
            Some(after) if self.u32(kind) == TLS_KEY_LOG => Ok(Some(Found::KeyLog { skip: 16, length: size, after })),
            _ => Ok(None),
        }
    }

    /// Why a file that begins like pcapng is none.
    fn refusal(&self, start: &[u8]) -> CaptureError {
        match start.as_chunks::<2>() {
            ([_, _, _, _, [0x4d, 0x3c] | [0x1a, 0x2b], _, major, minor], _) => {
                let (major, minor) = (u16_of(*major, self.little_endian), u16_of(*minor, self.little_endian));
                if major == 1 {
                    CaptureError::Unknown
                } else {
                    CaptureError::Version { format: "pcapng", major, minor }
                }
            }
            _ => CaptureError::Unknown,
        }
    }

    fn u32(&self, bytes: [u8; 4]) -> u32 {
        u32_of(bytes, self.little_endian)
    }
}

impl Interface {
    /// What a time of so many units is.
    fn time(&self, units: u64) -> OffsetDateTime {
        const SECOND: i128 = 1_000_000_000;
        let units = i128::from(units);
        let nanoseconds = match (self.resolution & 0x80 != 0, u32::from(self.resolution & 0x7f)) {
            (true, power) => units.checked_mul(SECOND).map_or(0, |scaled| scaled.checked_shr(power).unwrap_or(0)),
            (false, power @ 0..=9) => units.saturating_mul(10_i128.pow(9 - power)),
            (false, power) => 10_i128.checked_pow(power - 9).map_or(0, |divisor| units / divisor),
        };
        moment(nanoseconds.saturating_add(i128::from(self.offset).saturating_mul(SECOND)))
    }
}

/// The options of a block (§3.5): code, length, value, padding to four bytes.
struct Options<'a> {
    rest: &'a [u8],
    little_endian: bool,
}

impl<'a> Iterator for Options<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let ([code_1, code_2, length_1, length_2], rest) = self.rest.split_first_chunk::<4>()?;
        let code = u16_of([*code_1, *code_2], self.little_endian);
        let length = usize::from(u16_of([*length_1, *length_2], self.little_endian));
        let value = rest.get(..length)?;
        self.rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        // opt_endofopt
        (code != 0).then_some((code, value))
    }
}

/// The first words of the next block; `None` where the file ends before.
fn words<const N: usize, R: Read>(source: &mut Buffer<R>) -> Result<Option<[[u8; 4]; N]>, CaptureError> {
    let (words, _) = source.peek(4 * N)?.as_chunks::<4>();
    Ok(words.try_into().ok())
}

fn u16_of(bytes: [u8; 2], little_endian: bool) -> u16 {
    if little_endian { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) }
}

fn u32_of(bytes: [u8; 4], little_endian: bool) -> u32 {
    if little_endian { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
}
