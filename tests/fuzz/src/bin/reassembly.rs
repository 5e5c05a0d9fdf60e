//! One stream cut into any segments, in any order, some more than once, some lost: what comes out is the stream, with
//! holes only where nothing was sent.

#![no_main]

use std::net::SocketAddr;

use certkit::pcap::{Connections, Follower, Limits, Segment, Side};
use certkit_fuzz::{plant, target};
use time::OffsetDateTime;

struct Checked {
    at: u64,
    missing: u64,
}

/// What the stream has at a place: neighbours differ, and so do places a kibibyte apart.
fn byte(at: u64) -> u8 {
    (at ^ (at >> 8)) as u8
}

impl Follower for Checked {
    fn data(&mut self, _: Side, _: OffsetDateTime, bytes: &[u8]) -> bool {
        for found in bytes {
            assert_eq!(*found, byte(self.at));
            self.at += 1;
        }
        true
    }

    fn missing(&mut self, _: Side, _: OffsetDateTime, count: u64) -> bool {
        self.at += count;
        self.missing += count;
        true
    }
}

target!(init: plant([vec![0, 0, 0, 9, 0, 5, 0, 9, 0, 0, 0, 5, 0, 20, 0, 1]]), |data: &[u8]| {
    let ends: [SocketAddr; 2] = ["192.0.2.1:5000".parse().unwrap(), "192.0.2.2:443".parse().unwrap()];
    let mut segment = Segment {
        source: ends[0], destination: ends[1], sequence: u32::MAX - 1000, acknowledgment: None,
        syn: true, fin: false, rst: false, payload: &[], cut: 0,
    };
    let limits = Limits { side: 1 << 14, ..Limits::default() };
    let mut connections = Connections::new(limits);
    let at = OffsetDateTime::UNIX_EPOCH;
    connections.segment(at, &segment, || Checked { at: 0, missing: 0 });
    segment.syn = false;
    let first = segment.sequence.wrapping_add(1);
    let mut sent = vec![false; 1 << 17];
    for part in data.chunks_exact(4) {
        let (from, length) = (u16::from_be_bytes([part[0], part[1]]), u16::from_be_bytes([part[2], part[3]]) & 0x0fff);
        let payload: Vec<u8> = (u64::from(from)..u64::from(from) + u64::from(length)).map(byte).collect();
        let range = usize::from(from)..usize::from(from) + usize::from(length);
        sent[range].fill(true);
        let sequence = first.wrapping_add(u32::from(from));
        connections.segment(at, &Segment { sequence, payload: &payload, ..segment }, || unreachable!());
    }
    let finished = connections.finish();
    let [only] = finished.as_slice() else { panic!("{} connections", finished.len()) };
    let [side, _] = only.sides;
    assert_eq!((side.different, side.bytes + only.follower.missing, side.missing), (0, only.follower.at, only.follower.missing));
    let end = sent.iter().rposition(|sent| *sent).map_or(0, |last| last as u64 + 1);
    // A lone byte before the stream's place is a keep-alive and counts as nothing.
    assert!(only.follower.at <= end);
    let lost = sent[..end as usize].iter().filter(|sent| !**sent).count() as u64;
    // Where too much waits behind a hole it is given up, and what comes late is dropped.
    if data.len() < 16 {
        assert_eq!((only.follower.at, only.follower.missing), (end, lost));
    }
});
