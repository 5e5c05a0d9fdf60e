//! UDP: DTLS and QUIC are recognised, counted and not read.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde::Serialize;

use super::decode::Datagram;

/// The most flows that are told apart.
const MOST_FLOWS: usize = 10_000;

/// What TLS over UDP is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum UdpProtocol {
    /// TLS over datagrams (RFC 6347, RFC 9147).
    #[serde(rename = "DTLS")]
    Dtls,
    /// HTTP/3's transport, which has TLS 1.3 inside (RFC 9000, RFC 9001).
    #[serde(rename = "QUIC")]
    Quic,
}

impl UdpProtocol {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dtls => "DTLS",
            Self::Quic => "QUIC",
        }
    }
}

/// The flows of DTLS and QUIC.
#[derive(Debug, Default)]
pub struct Datagrams {
    flows: BTreeSet<(UdpProtocol, [SocketAddr; 2])>,
}

impl Datagrams {
    /// Looks at one datagram.
    pub fn datagram(&mut self, datagram: &Datagram<'_>) {
        let Some(protocol) = recognised(datagram.payload) else { return };
        let mut ends = [datagram.source, datagram.destination];
        ends.sort();
        if self.flows.len() < MOST_FLOWS {
            self.flows.insert((protocol, ends));
        }
    }

    /// How many flows of a protocol there are, 10 000 at most.
    pub fn count(&self, protocol: UdpProtocol) -> usize {
        self.flows.iter().filter(|(found, _)| *found == protocol).count()
    }
}

fn recognised(payload: &[u8]) -> Option<UdpProtocol> {
    match payload {
        // ContentType, then a version counted down from 254.255 (RFC 9147 §4), epoch, sequence number, length.
        [20..=26, 0xfe, 0xff | 0xfd | 0xfc, _, _, _, _, _, _, _, _, high, low, rest @ ..]
            if rest.len() >= usize::from(u16::from_be_bytes([*high, *low])) =>
        {
            Some(UdpProtocol::Dtls)
        }
        // A long header with the fixed bit (RFC 9000 §17.2): version 1, version 2 (RFC 9369), or a draft of version 1.
        [first, 0, 0, 0, 1, _, ..] | [first, 0x6b, 0x33, 0x43, 0xcf, _, ..] | [first, 0xff, 0, 0, _, _, ..]
            if first & 0xc0 == 0xc0 =>
        {
            Some(UdpProtocol::Quic)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dtls_and_quic_are_known_by_their_first_bytes() {
        let dtls = [&[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2][..], &[1, 2]].concat();
        assert_eq!(recognised(&dtls), Some(UdpProtocol::Dtls));
        assert_eq!(recognised(&dtls[..14]), None);
        assert_eq!(recognised(&[0xc3, 0, 0, 0, 1, 8, 1, 2]), Some(UdpProtocol::Quic));
        assert_eq!(recognised(b"\x12\x34\x01\x00\x00\x01\x00\x00"), None);
    }

    #[test]
    fn both_ways_are_one_flow() {
        let ends: [SocketAddr; 2] = ["192.0.2.1:50000".parse().unwrap(), "192.0.2.2:443".parse().unwrap()];
        let mut datagrams = Datagrams::default();
        for [source, destination] in [ends, [ends[1], ends[0]]] {
            datagrams.datagram(&Datagram { source, destination, payload: &[0xc3, 0, 0, 0, 1, 8] });
        }
        assert_eq!(datagrams.count(UdpProtocol::Quic), 1);
    }
}
