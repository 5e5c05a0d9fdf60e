//! From a captured packet to a TCP segment or a UDP datagram. `etherparse` reads the headers.

use std::net::{IpAddr, SocketAddr};

use etherparse::{IpNumber, LaxIpSlice, TcpSlice, UdpSlice, ip_number};
use serde::Serialize;

use super::file::Packet;
use super::fragments::Fragments;
use super::link::{Inside, inside};

/// How many IP packets may stand in one another: a tunnel in a tunnel.
const DEEPEST: usize = 4;

/// A TCP segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Who sent it.
    pub source: SocketAddr,
    /// To whom.
    pub destination: SocketAddr,
    /// The sequence number of the first byte, or of the SYN.
    pub sequence: u32,
    /// The next sequence number the sender expects, where ACK is set.
    pub acknowledgment: Option<u32>,
    /// A connection is opened.
    pub syn: bool,
    /// The sender has sent all.
    pub fin: bool,
    /// The connection is broken off.
    pub rst: bool,
    /// The bytes of the stream.
    pub payload: &'a [u8],
    /// How many more bytes the packet had that were not captured.
    pub cut: usize,
}

/// A UDP datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Who sent it.
    pub source: SocketAddr,
    /// To whom.
    pub destination: SocketAddr,
    /// What it holds.
    pub payload: &'a [u8],
}

/// What a packet turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// A TCP segment.
    Tcp(Segment<'a>),
    /// A UDP datagram.
    Udp(Datagram<'a>),
    /// Nothing that could carry TLS, or nothing yet: a fragment whose others are still to come.
    Nothing,
}

/// Packets that could not be read, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Of a link type that is not read.
    pub unknown_link: u64,
    /// Cut short or damaged below TCP.
    pub malformed: u64,
    /// Fragments of IP packets that never became whole.
    pub lost_fragments: u64,
}

/// Reads packets; keeps IP fragments until their packet is whole.
#[derive(Debug, Default)]
pub struct Decoder {
    fragments: Fragments,
    whole: Vec<u8>,
    skipped: Skipped,
}

/// An IP packet's payload, whole or a fragment.
struct Datum<'a> {
    ends: [IpAddr; 2],
    protocol: IpNumber,
    payload: &'a [u8],
    /// How much longer the headers say it is.
    cut: usize,
}

impl Decoder {
    /// Reads one packet.
    pub fn packet<'a>(&'a mut self, packet: &Packet<'a>) -> Decoded<'a> {
        let mut bytes = match inside(packet.link, packet.bytes) {
            Inside::Ip(bytes) => bytes,
            Inside::Other => return Decoded::Nothing,
            Inside::Cut => return malformed(&mut self.skipped),
            Inside::UnknownLink => {
                self.skipped.unknown_link += 1;
                return Decoded::Nothing;
            }
        };
        for _ in 0..DEEPEST {
            let Ok((ip, fault)) = LaxIpSlice::from_slice(bytes) else { return malformed(&mut self.skipped) };
            if fault.is_some() {
                return malformed(&mut self.skipped);
            }
            let ends = [ip.source_addr(), ip.destination_addr()];
            let payload = match &ip {
                LaxIpSlice::Ipv4(v4) => v4.payload().clone(),
                LaxIpSlice::Ipv6(v6) => v6.payload().clone(),
            };
            if payload.fragmented {
                if !self.fragments.add(&ip, payload.payload, &mut self.whole) {
                    return Decoded::Nothing;
                }
                let datum = Datum { ends, protocol: payload.ip_number, payload: &self.whole, cut: 0 };
                return datum.decode(&mut self.skipped);
            }
            if matches!(payload.ip_number, ip_number::IPV4 | ip_number::IPV6) {
                bytes = payload.payload;
                continue;
            }
            let cut = if payload.incomplete { declared(bytes).saturating_sub(bytes.len()) } else { 0 };
            let datum = Datum { ends, protocol: payload.ip_number, payload: payload.payload, cut };
            return datum.decode(&mut self.skipped);
        }
        malformed(&mut self.skipped)
    }

    /// What could not be read so far, fragments that still wait for others included.
    pub fn skipped(&self) -> Skipped {
        Skipped { lost_fragments: self.fragments.lost(), ..self.skipped }
    }
}

impl<'a> Datum<'a> {
    fn decode(self, skipped: &mut Skipped) -> Decoded<'a> {
        let [source, destination] = self.ends;
        match self.protocol {
            ip_number::TCP => {
                let Ok(tcp) = TcpSlice::from_slice(self.payload) else { return malformed(skipped) };
                Decoded::Tcp(Segment {
                    source: SocketAddr::new(source, tcp.source_port()),
                    destination: SocketAddr::new(destination, tcp.destination_port()),
                    sequence: tcp.sequence_number(),
                    acknowledgment: tcp.ack().then(|| tcp.acknowledgment_number()),
                    syn: tcp.syn(),
                    fin: tcp.fin(),
                    rst: tcp.rst(),
                    payload: tcp.payload(),
                    cut: self.cut,
                })
            }
            ip_number::UDP => {
                let Ok(udp) = UdpSlice::from_slice_lax(self.payload) else { return malformed(skipped) };
                Decoded::Udp(Datagram {
                    source: SocketAddr::new(source, udp.source_port()),
                    destination: SocketAddr::new(destination, udp.destination_port()),
                    payload: udp.payload(),
                })
            }
            _ => Decoded::Nothing,
        }
    }
}

/// How long an IP packet says it is, in bytes.
fn declared(packet: &[u8]) -> usize {
    match packet {
        [first, _, high, low, ..] if first >> 4 == 4 => usize::from(u16::from_be_bytes([*high, *low])),
        [first, _, _, _, high, low, ..] if first >> 4 == 6 => 40 + usize::from(u16::from_be_bytes([*high, *low])),
        _ => 0,
    }
}

fn malformed<'a>(skipped: &mut Skipped) -> Decoded<'a> {
    skipped.malformed += 1;
    Decoded::Nothing
}

#[cfg(test)]
mod tests;
