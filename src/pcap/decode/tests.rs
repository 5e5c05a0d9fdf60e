//! Packets of every shape.

use etherparse::{IpFragOffset, IpNumber, Ipv4Header, Ipv6FragmentHeader, Ipv6Header, TcpHeader};
use time::OffsetDateTime;

use super::*;
use crate::pcap::{Conversation, LinkType, Side};

fn frame(payload: &[u8]) -> Vec<u8> {
    let mut conversation = Conversation::new("192.0.2.1:5000".parse().unwrap(), "192.0.2.2:443".parse().unwrap());
    conversation.send(Side::Initiator, payload).remove(0)
}

fn packet(bytes: &[u8], link: LinkType) -> Packet<'_> {
    Packet { at: OffsetDateTime::UNIX_EPOCH, link, bytes }
}

/// The payload and how much was cut, if a TCP segment comes out.
fn decoded(decoder: &mut Decoder, bytes: &[u8], link: LinkType) -> Option<(Vec<u8>, usize)> {
    match decoder.packet(&packet(bytes, link)) {
        Decoded::Tcp(segment) => {
            assert_eq!(segment.destination.port(), 443);
            Some((segment.payload.to_vec(), segment.cut))
        }
        _ => None,
    }
}

#[test]
fn padding_after_the_packet_is_not_of_the_stream() {
    let bytes = [frame(b"hello"), vec![0; 20]].concat();
    assert_eq!(decoded(&mut Decoder::default(), &bytes, LinkType::ETHERNET), Some((b"hello".to_vec(), 0)));
}

#[test]
fn what_was_not_captured_is_counted() {
    let bytes = frame(&[7; 1000]);
    let short = &bytes[..bytes.len() - 600];
    assert_eq!(decoded(&mut Decoder::default(), short, LinkType::ETHERNET), Some((vec![7; 400], 600)));
}

#[test]
fn any_beginning_of_a_packet_is_survived() {
    let bytes = frame(b"hello");
    let mut decoder = Decoder::default();
    for end in 0..bytes.len() - 5 {
        assert_eq!(decoded(&mut decoder, &bytes[..end], LinkType::ETHERNET), None, "{end}");
    }
    assert_eq!(decoder.skipped().malformed, bytes.len() as u64 - 5);
    decoded(&mut decoder, &bytes, LinkType(147));
    assert_eq!(decoder.skipped().unknown_link, 1);
}

fn tcp(payload: &[u8]) -> Vec<u8> {
    let mut bytes = TcpHeader::new(5000, 443, 1, 1000).to_bytes().to_vec();
    bytes.extend_from_slice(payload);
    bytes
}

fn fragment_v4(whole: &[u8], from: usize, to: usize) -> Vec<u8> {
    let part = &whole[from..to];
    let mut header = Ipv4Header::new(part.len() as u16, 64, IpNumber::TCP, [192, 0, 2, 1], [192, 0, 2, 2]).unwrap();
    header.identification = 99;
    header.more_fragments = to < whole.len();
    header.fragment_offset = IpFragOffset::try_new(from as u16 / 8).unwrap();
    let mut bytes = Vec::new();
    header.write(&mut bytes).unwrap();
    [bytes, part.to_vec()].concat()
}

fn fragment_v6(whole: &[u8], from: usize, to: usize) -> Vec<u8> {
    let part = &whole[from..to];
    let fragment =
        Ipv6FragmentHeader::new(IpNumber::TCP, IpFragOffset::try_new(from as u16 / 8).unwrap(), to < whole.len(), 99);
    let header = Ipv6Header {
        payload_length: part.len() as u16 + 8,
        next_header: IpNumber::IPV6_FRAGMENTATION_HEADER,
        hop_limit: 64,
        source: [1; 16],
        destination: [2; 16],
        ..Ipv6Header::default()
    };
    [&header.to_bytes()[..], &fragment.to_bytes(), part].concat()
}

#[test]
fn fragments_in_any_order_become_one_segment() {
    let whole = tcp(&[9; 100]);
    for make in [fragment_v4, fragment_v6] {
        let mut decoder = Decoder::default();
        assert_eq!(decoded(&mut decoder, &make(&whole, 80, 120), LinkType::RAW), None);
        assert_eq!(decoded(&mut decoder, &make(&whole, 0, 40), LinkType::RAW), None);
        assert_eq!(decoder.skipped().lost_fragments, 2);
        assert_eq!(decoded(&mut decoder, &make(&whole, 40, 80), LinkType::RAW), Some((vec![9; 100], 0)));
        assert_eq!(decoder.skipped(), Skipped::default());
    }
}

#[test]
fn fragments_without_end_are_bounded() {
    let whole = tcp(&[9; 100]);
    let mut decoder = Decoder::default();
    for number in 0..2000_u16 {
        let mut bytes = fragment_v4(&whole, 0, 40);
        bytes[4..6].copy_from_slice(&number.to_be_bytes());
        assert_eq!(decoded(&mut decoder, &bytes, LinkType::RAW), None);
    }
    assert_eq!(decoder.skipped().lost_fragments, 2000);
}

#[test]
fn a_tunnel_is_looked_into() {
    let inner = frame(b"inside")[14..].to_vec();
    let header = Ipv4Header::new(inner.len() as u16, 64, IpNumber::IPV4, [10, 0, 0, 1], [10, 0, 0, 2]).unwrap();
    let mut bytes = Vec::new();
    header.write(&mut bytes).unwrap();
    bytes.extend_from_slice(&inner);
    assert_eq!(decoded(&mut Decoder::default(), &bytes, LinkType::IPV4), Some((b"inside".to_vec(), 0)));
}
