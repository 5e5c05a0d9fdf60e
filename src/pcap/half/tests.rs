//! Streams come out in order whatever order their segments come in.

use super::*;

const START: u32 = 0xffff_ff00;

/// A half, what it has handed on, and a stream to cut segments from. Sequence numbers wrap on the way.
struct Bench {
    half: Half,
    out: Vec<u8>,
    missing: Vec<(usize, u64)>,
    stream: Vec<u8>,
}

impl Bench {
    fn new() -> Self {
        let mut half = Half::default();
        half.open(START.wrapping_sub(1));
        let stream = (0..40_000_u32).map(|at| (at * 7 + at / 251) as u8).collect();
        Self { half, out: Vec::new(), missing: Vec::new(), stream }
    }

    fn put(&mut self, from: usize, to: usize) -> &mut Self {
        let bytes = self.stream[from..to].to_vec();
        self.put_bytes(from, &bytes, 0)
    }

    fn put_bytes(&mut self, from: usize, bytes: &[u8], cut: usize) -> &mut Self {
        self.put_limited(from, bytes, cut, 1 << 20)
    }

    fn put_limited(&mut self, from: usize, bytes: &[u8], cut: usize, most: usize) -> &mut Self {
        let (out, missing) = (&mut self.out, &mut self.missing);
        let sequence = START.wrapping_add(from as u32);
        self.half.segment(OffsetDateTime::UNIX_EPOCH, sequence, (bytes, cut), false, most, &mut |_, piece| {
            collect(out, missing, piece);
        });
        self
    }

    fn finish(&mut self) -> &mut Self {
        let (out, missing) = (&mut self.out, &mut self.missing);
        self.half.finish(OffsetDateTime::UNIX_EPOCH, &mut |_, piece| collect(out, missing, piece));
        self
    }

    #[track_caller]
    fn gave(&self, to: usize) {
        assert!(self.out == self.stream[..to], "{} of {to} bytes came out", self.out.len());
    }
}

fn collect(out: &mut Vec<u8>, missing: &mut Vec<(usize, u64)>, piece: Piece<'_>) {
    match piece {
        Piece::Bytes(bytes) => out.extend_from_slice(bytes),
        Piece::Missing(count) => missing.push((out.len(), count)),
    }
}

#[test]
fn segments_in_order_are_handed_on_at_once() {
    let mut bench = Bench::new();
    bench.put(0, 1000).gave(1000);
    bench.put(1000, 1001).gave(1001);
    assert_eq!((bench.half.count.out_of_order, bench.half.count.retransmitted), (0, 0));
}

#[test]
fn a_segment_too_early_waits_for_the_one_before() {
    let mut bench = Bench::new();
    bench.put(500, 900).put(900, 1200).gave(0);
    assert_eq!(bench.half.waiting(), 700);
    bench.put(0, 500).gave(1200);
    assert_eq!((bench.half.waiting(), bench.half.count.out_of_order), (0, 2));
}

#[test]
fn bytes_that_come_again_are_counted_and_dropped() {
    let mut bench = Bench::new();
    bench.put(0, 500).put(0, 500).put(400, 700).gave(700);
    assert_eq!((bench.half.count.retransmitted, bench.half.count.different), (600, 0));
}

#[test]
fn of_bytes_that_differ_the_first_count() {
    let mut bench = Bench::new();
    bench.put(0, 500).put_bytes(100, &[0xee; 50], 0);
    // One of the two is still waiting.
    bench.put(600, 700).put_bytes(600, &[0xee; 200], 0).put(500, 600);
    assert_eq!(bench.out[..700], bench.stream[..700]);
    assert_eq!(bench.out[700..], [0xee; 100]);
    let same = bench.stream[100..150].iter().chain(&bench.stream[600..700]).filter(|byte| **byte == 0xee).count();
    assert_eq!(bench.half.count.different, 150 - same as u64);
}

#[test]
fn a_segment_over_several_others_fills_the_holes_between() {
    let mut bench = Bench::new();
    bench.put(100, 200).put(300, 400).put(500, 600).put(50, 700).gave(0);
    bench.put(0, 60).gave(700);
}

#[test]
fn what_never_came_is_told_with_its_count() {
    let mut bench = Bench::new();
    bench.put(0, 100).put(150, 200).finish();
    assert_eq!(bench.missing, [(100, 50)]);
    assert_eq!(bench.out.len(), 150);
    assert_eq!(bench.half.count.missing, 50);
}

#[test]
fn a_hole_is_given_up_when_too_much_waits_behind_it() {
    let mut bench = Bench::new();
    let bytes = bench.stream[100..2100].to_vec();
    bench.put_limited(100, &bytes, 0, 1999);
    assert_eq!((bench.missing.as_slice(), bench.out.len(), bench.half.waiting()), (&[(0, 100)][..], 2000, 0));
}

#[test]
fn a_hole_that_was_acknowledged_is_given_up_soon() {
    let mut bench = Bench::new();
    bench.half.acknowledge(START.wrapping_add(200));
    let bytes = vec![1; PATIENCE];
    bench.put_bytes(100, &bytes, 0);
    assert!(bench.missing.is_empty());
    bench.put_bytes(100 + PATIENCE, &[1], 0);
    assert_eq!(bench.missing, [(0, 100)]);
}

#[test]
fn what_was_acknowledged_and_never_seen_is_missing_at_the_end() {
    let mut bench = Bench::new();
    bench.put(0, 100);
    bench.half.acknowledge(START.wrapping_add(131));
    bench.finish();
    assert_eq!(bench.missing, [(100, 30)]);
}

#[test]
fn a_capture_that_cuts_packets_short_leaves_counted_holes() {
    let mut bench = Bench::new();
    let stream = bench.stream.clone();
    bench.put_bytes(0, &stream[..60], 40).put_bytes(200, &stream[200..260], 40).put_bytes(100, &stream[100..160], 40);
    assert_eq!(bench.missing, [(60, 40), (120, 40), (180, 40)]);
}

#[test]
fn a_keep_alive_is_no_difference() {
    let mut bench = Bench::new();
    bench.put(0, 100).put_bytes(99, &[0xee], 0).put_bytes(99, &[], 0);
    assert_eq!((bench.half.count.different, bench.half.count.retransmitted), (0, 0));
}

#[test]
fn a_stream_without_its_beginning_begins_where_it_is_seen() {
    let mut bench = Bench::new();
    bench.half = Half::default();
    bench.put(300, 400).put(250, 350).put(400, 500);
    assert_eq!(bench.out, bench.stream[300..500]);
    assert!(!bench.half.count.syn);
}

#[test]
fn any_cut_and_any_order_give_the_same_stream() {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below as u64) as usize
    };
    for _ in 0..200 {
        let mut bench = Bench::new();
        let mut segments = Vec::new();
        let mut at = 0;
        while at < 20_000 {
            let end = (at + 1 + next(1500)).min(20_000);
            // Some begin before the end of the last, and some come twice.
            segments.push((at.saturating_sub(next(200)), end));
            if next(4) == 0 {
                segments.push((at, end));
            }
            at = end;
        }
        for from in (1..segments.len()).rev() {
            segments.swap(from, next(from + 1));
        }
        for (from, to) in segments {
            bench.put(from, to);
        }
        bench.gave(20_000);
        assert_eq!((bench.half.waiting(), bench.half.count.different, bench.half.count.bytes), (0, 0, 20_000));
    }
}
