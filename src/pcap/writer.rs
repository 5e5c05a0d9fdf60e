//! Writes captures: packets into a file, and TCP connections made up from two byte streams.

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};

use etherparse::{PacketBuilder, PacketBuilderStep, TcpHeader};
use time::OffsetDateTime;

use super::connection::Side;
use super::file::Format;
use super::link::LinkType;

/// The most payload of a synthetic segment: what an Ethernet frame of 1500 bytes has room for over IPv6.
const SEGMENT: usize = 1440;

/// Writes packets to a capture file with nanosecond times.
#[derive(Debug)]
pub struct CaptureWriter<W> {
    to: W,
    format: Format,
}

impl<W: Write> CaptureWriter<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// Those of `to`, as of all methods here.
    pub fn new(mut to: W, format: Format, link: LinkType) -> io::Result<Self> {
        match format {
            Format::Pcap => {
                to.write_all(&0xa1b2_3c4d_u32.to_le_bytes())?;
                to.write_all(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0])?;
                to.write_all(&u32::from(link.0).to_le_bytes())?;
            }
            Format::Pcapng => {
                let section = [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
                write_block(&mut to, 0x0a0d_0d0a, &section)?;
                // if_tsresol: 10^-9, then the end of the options.
                let nanoseconds = [9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0];
                write_block(&mut to, 1, &[&link.0.to_le_bytes()[..], &[0; 6], &nanoseconds].concat())?;
            }
        }
        Ok(Self { to, format })
    }

    /// Writes a packet.
    ///
    /// # Errors
    /// When it is longer than 4 GiB, too.
    pub fn packet(&mut self, at: OffsetDateTime, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?.to_le_bytes();
        match self.format {
            Format::Pcap => {
                let seconds = u32::try_from(at.unix_timestamp()).unwrap_or(0);
                let header = [seconds.to_le_bytes(), at.nanosecond().to_le_bytes(), length, length];
                self.to.write_all(header.as_flattened())?;
                self.to.write_all(bytes)
            }
            Format::Pcapng => {
                let units = u64::try_from(at.unix_timestamp_nanos()).unwrap_or(0);
                let (high, low) = ((units >> 32) as u32, units as u32);
                let header = [[0; 4], high.to_le_bytes(), low.to_le_bytes(), length, length];
                write_block(&mut self.to, 6, &[header.as_flattened(), bytes].concat())
            }
        }
    }

    /// Writes a TLS key log (RFC 9850) as a Decryption Secrets Block; pcapng only. It belongs before the packets it is
    /// for. The file then is as secret as the keys.
    ///
    /// # Errors
    /// For pcap, too, which has no place for it.
    pub fn key_log(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.format == Format::Pcap {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "pcap has no place for a key log: pcapng has"));
        }
        let length = u32::try_from(lines.len()).map_err(io::Error::other)?.to_le_bytes();
        write_block(&mut self.to, 10, &[&0x544c_534b_u32.to_le_bytes()[..], &length, lines].concat())
    }

    /// What it wrote to.
    pub fn into_inner(self) -> W {
        self.to
    }
}

/// A block of pcapng: type, length, body padded to four bytes, length again.
fn write_block(to: &mut impl Write, kind: u32, body: &[u8]) -> io::Result<()> {
    let padded = body.len().next_multiple_of(4);
    let length = u32::try_from(padded + 12).map_err(io::Error::other)?.to_le_bytes();
    to.write_all(&kind.to_le_bytes())?;
    to.write_all(&length)?;
    to.write_all(body)?;
    to.write_all([0; 3].get(..padded - body.len()).unwrap_or_default())?;
    to.write_all(&length)
}

/// The Ethernet frames of a TCP connection, made up: what a capture of two byte streams would have been. Every checksum
/// is right; each side acknowledges what it has received with its next segment.
#[derive(Debug, Clone)]
pub struct Conversation {
    ends: [SocketAddr; 2],
    /// The next sequence numbers.
    sequence: [u32; 2],
}

impl Conversation {
    /// A connection of `initiator` to `responder`; where one address is IPv4 and the other IPv6, both are written as IPv6.
    pub fn new(initiator: SocketAddr, responder: SocketAddr) -> Self {
        Self { ends: [initiator, responder], sequence: [0x1000_0000, 0x2000_0000] }
    }

    /// The three segments that open it (RFC 9293 §3.5).
    pub fn open(&mut self) -> Vec<Vec<u8>> {
        let syn = self.frame(Side::Initiator, &[], |tcp| TcpHeader {
            syn: true,
            ack: false,
            acknowledgment_number: 0,
            ..tcp
        });
        self.advance(Side::Initiator, 1);
        let answer = self.frame(Side::Responder, &[], |tcp| TcpHeader { syn: true, ..tcp });
        self.advance(Side::Responder, 1);
        vec![syn, answer, self.frame(Side::Initiator, &[], |tcp| tcp)]
    }

    /// The segments that carry `bytes`.
    pub fn send(&mut self, from: Side, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        for segment in bytes.chunks(SEGMENT) {
            frames.push(self.frame(from, segment, |tcp| TcpHeader { psh: true, ..tcp }));
            self.advance(from, segment.len() as u32);
        }
        frames
    }

    /// An empty segment that acknowledges what `from` has received.
    pub fn acknowledge(&self, from: Side) -> Vec<u8> {
        self.frame(from, &[], |tcp| tcp)
    }

    /// The segments that close it, `first` first.
    pub fn close(&mut self, first: Side) -> Vec<Vec<u8>> {
        vec![self.end(first), self.end(first.other()), self.acknowledge(first)]
    }

    /// The segment by which `from` says that it has sent all.
    pub fn end(&mut self, from: Side) -> Vec<u8> {
        let frame = self.frame(from, &[], |tcp| TcpHeader { fin: true, ..tcp });
        self.advance(from, 1);
        frame
    }

    /// The segment that breaks it off.
    pub fn reset(&self, from: Side) -> Vec<u8> {
        self.frame(from, &[], |tcp| TcpHeader { rst: true, ..tcp })
    }

    /// As if much had been said: other sequence numbers.
    #[cfg(test)]
    pub(super) fn advance_for_tests(&mut self) {
        self.advance(Side::Initiator, 77_777);
    }

    fn advance(&mut self, side: Side, count: u32) {
        let [initiator, responder] = &mut self.sequence;
        let sequence = if side == Side::Initiator { initiator } else { responder };
        *sequence = sequence.wrapping_add(count);
    }

    fn frame(&self, from: Side, payload: &[u8], change: impl FnOnce(TcpHeader) -> TcpHeader) -> Vec<u8> {
        let ([initiator, responder], [first, second]) = (self.ends, self.sequence);
        let (source, destination, sequence, acknowledgment) = match from {
            Side::Initiator => (initiator, responder, first, second),
            Side::Responder => (responder, initiator, second, first),
        };
        let mut tcp = TcpHeader::new(source.port(), destination.port(), sequence, u16::MAX);
        (tcp.ack, tcp.acknowledgment_number) = (true, acknowledgment);
        let mut frame = Vec::with_capacity(payload.len() + 100);
        let builder = over_ip(source.ip(), destination.ip()).tcp_header(change(tcp));
        // A Vec takes all, and no segment is longer than an IP packet can be.
        _ = builder.write(&mut frame, payload);
        frame
    }
}

fn over_ip(source: IpAddr, destination: IpAddr) -> PacketBuilderStep<etherparse::IpHeaders> {
    // Locally administered addresses: nobody's.
    let ethernet = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => ethernet.ipv4(source.octets(), destination.octets(), 64),
        (source, destination) => ethernet.ipv6(as_v6(source), as_v6(destination), 64),
    }
}

fn as_v6(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}
