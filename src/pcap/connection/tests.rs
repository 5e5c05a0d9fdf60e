//! Connections are told apart, followed and ended.

use super::*;
use crate::pcap::{CaptureFile, CaptureWriter, Conversation, Decoded, Decoder, Format, Item, LinkType, Packet};

#[derive(Debug, Default)]
struct Both {
    sent: [Vec<u8>; 2],
    missing: u64,
    enough: Option<usize>,
}

impl Follower for Both {
    fn data(&mut self, from: Side, _: OffsetDateTime, bytes: &[u8]) -> bool {
        self.sent[from as usize].extend_from_slice(bytes);
        self.enough.is_none_or(|enough| self.sent[from as usize].len() < enough)
    }

    fn missing(&mut self, _: Side, _: OffsetDateTime, count: u64) -> bool {
        self.missing += count;
        true
    }
}

fn ends() -> [SocketAddr; 2] {
    ["192.0.2.1:50000".parse().unwrap(), "192.0.2.2:443".parse().unwrap()]
}

fn follow_with(frames: &[Vec<u8>], limits: Limits, enough: Option<usize>) -> Vec<Finished<Both>> {
    let mut decoder = Decoder::default();
    let mut connections = Connections::new(limits);
    for (frame, second) in frames.iter().zip(0..) {
        let at = OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(second);
        let packet = Packet { at, link: LinkType::ETHERNET, bytes: frame };
        if let Decoded::Tcp(segment) = decoder.packet(&packet) {
            connections.segment(at, &segment, || Both { enough, ..Both::default() });
        }
    }
    connections.finish()
}

fn follow(frames: &[Vec<u8>]) -> Vec<Finished<Both>> {
    follow_with(frames, Limits::default(), None)
}

fn talk(conversation: &mut Conversation) -> Vec<Vec<u8>> {
    let mut frames = conversation.open();
    frames.extend(conversation.send(Side::Initiator, &[1; 3000]));
    frames.extend(conversation.send(Side::Responder, &[2; 5000]));
    frames
}

#[test]
fn a_connection_is_followed_from_syn_to_fin() {
    let [initiator, responder] = ends();
    let mut conversation = Conversation::new(initiator, responder);
    let mut frames = talk(&mut conversation);
    frames.extend(conversation.close(Side::Responder));
    let finished = follow(&frames);
    let [only] = finished.as_slice() else { panic!("{finished:?}") };
    assert_eq!((only.ends, only.how), (ends(), HowClosed::Finished));
    assert_eq!(only.follower.sent, [vec![1; 3000], vec![2; 5000]]);
    assert!(only.sides.iter().all(|side| side.syn && side.fin && !side.rst));
    // The last acknowledgement comes after the end.
    assert_eq!((only.times[1] - only.times[0]).whole_seconds(), frames.len() as i64 - 2);
}

#[test]
fn ipv6_is_followed_too() {
    let mut conversation =
        Conversation::new("[2001:db8::1]:50000".parse().unwrap(), "[2001:db8::2]:443".parse().unwrap());
    let finished = follow(&talk(&mut conversation));
    assert_eq!((finished[0].follower.sent[1].len(), finished[0].how), (5000, HowClosed::CaptureEnds));
}

#[test]
fn the_syn_tells_who_began_even_where_its_answer_comes_first() {
    let [initiator, responder] = ends();
    let mut frames = talk(&mut Conversation::new(initiator, responder));
    frames.remove(0);
    let finished = follow(&frames);
    assert_eq!(finished[0].ends, ends());
    assert_eq!(finished[0].sides.map(|side| side.syn), [false, true]);
}

#[test]
fn a_connection_in_its_middle_is_followed_from_there() {
    let [initiator, responder] = ends();
    let frames = talk(&mut Conversation::new(initiator, responder));
    let finished = follow(&frames[4..]);
    assert_eq!(finished[0].follower.sent.each_ref().map(Vec::len), [3000 - 1440, 5000]);
    assert!(finished[0].sides.iter().all(|side| !side.syn));
}

#[test]
fn the_same_ends_can_meet_again() {
    let [initiator, responder] = ends();
    let first = talk(&mut Conversation::new(initiator, responder));
    let mut conversation = Conversation::new(initiator, responder);
    conversation.advance_for_tests();
    let finished = follow(&[first, talk(&mut conversation)].concat());
    assert_eq!(finished.iter().map(|one| one.how).collect::<Vec<_>>(), [HowClosed::Reused, HowClosed::CaptureEnds]);
    assert!(finished.iter().all(|one| one.follower.sent[1].len() == 5000));
}

#[test]
fn a_syn_that_comes_again_opens_nothing_new() {
    let [initiator, responder] = ends();
    let mut frames = talk(&mut Conversation::new(initiator, responder));
    frames.insert(1, frames[0].clone());
    assert_eq!(follow(&frames).len(), 1);
}

#[test]
fn a_reset_ends_it_and_stragglers_are_ignored() {
    let [initiator, responder] = ends();
    let mut conversation = Conversation::new(initiator, responder);
    let mut frames = talk(&mut conversation);
    frames.push(conversation.reset(Side::Initiator));
    frames.extend(conversation.send(Side::Responder, &[3; 10]));
    let finished = follow(&frames);
    assert_eq!((finished.len(), finished[0].how), (1, HowClosed::Reset));
    assert_eq!((finished[0].follower.sent[1].len(), finished[0].sides[0].rst), (5000, true));
}

#[test]
fn a_lost_packet_is_told() {
    let [initiator, responder] = ends();
    let mut frames = talk(&mut Conversation::new(initiator, responder));
    frames.remove(6);
    let finished = follow(&frames);
    assert_eq!((finished[0].follower.missing, finished[0].sides[1].missing), (1440, 1440));
    assert_eq!(finished[0].follower.sent[1].len(), 5000 - 1440);
}

#[test]
fn what_is_not_wanted_is_only_counted() {
    let [initiator, responder] = ends();
    let frames = talk(&mut Conversation::new(initiator, responder));
    let finished = follow_with(&frames, Limits::default(), Some(1));
    assert_eq!(finished[0].follower.sent.each_ref().map(Vec::len), [1440, 0]);
    assert_eq!(finished[0].sides.map(|side| side.bytes), [3000, 5000]);
}

#[test]
fn more_connections_than_are_followed_give_way_to_new_ones() {
    let [_, responder] = ends();
    let frames = (0..100).flat_map(|port| {
        let mut conversation = Conversation::new(SocketAddr::new([192, 0, 2, 1].into(), 1000 + port), responder);
        talk(&mut conversation)
    });
    let limits = Limits { connections: 10, ..Limits::default() };
    let finished = follow_with(&frames.collect::<Vec<_>>(), limits, None);
    assert_eq!(finished.len(), 100);
    assert!(finished.iter().all(|one| one.follower.sent[1].len() == 5000));
    assert!(finished.iter().filter(|one| one.how == HowClosed::GivenUp).count() >= 90);
}

#[test]
fn what_waits_in_all_connections_is_bounded() {
    let [initiator, responder] = ends();
    let mut conversation = Conversation::new(initiator, responder);
    let mut frames = conversation.open();
    let mut data = conversation.send(Side::Responder, &vec![2; 200_000]);
    data.remove(0);
    frames.extend(data);
    let limits = Limits { total: 50_000, ..Limits::default() };
    let finished = follow_with(&frames, limits, None);
    assert_eq!(finished[0].follower.missing, 1440);
    assert_eq!(finished[0].follower.sent[1].len(), 200_000 - 1440);
}

#[test]
fn what_is_written_is_read_again_in_both_formats() {
    let [initiator, responder] = ends();
    let frames = talk(&mut Conversation::new(initiator, responder));
    let begun = OffsetDateTime::from_unix_timestamp_nanos(1_700_000_000_123_456_789).unwrap();
    for format in [Format::Pcap, Format::Pcapng] {
        let mut writer = CaptureWriter::new(Vec::new(), format, LinkType::ETHERNET).unwrap();
        if format == Format::Pcapng {
            writer.key_log(b"CLIENT_RANDOM x y\n").unwrap();
        } else {
            assert!(writer.key_log(b"x").is_err());
        }
        for frame in &frames {
            writer.packet(begun, frame).unwrap();
        }
        let written = writer.into_inner();
        let mut file = CaptureFile::open(&written[..]).unwrap();
        let (mut read, mut keys) = (Vec::new(), Vec::new());
        while let Some(item) = file.next_item().unwrap() {
            match item {
                Item::Packet(packet) => {
                    assert_eq!((packet.at, packet.link), (begun, LinkType::ETHERNET));
                    read.push(packet.bytes.to_vec());
                }
                Item::KeyLog(lines) => keys.extend_from_slice(lines),
            }
        }
        assert_eq!((read, file.damage(), file.format()), (frames.clone(), None, format));
        assert_eq!(keys, if format == Format::Pcapng { &b"CLIENT_RANDOM x y\n"[..] } else { b"" });
    }
}
