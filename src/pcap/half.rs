//! One direction of a TCP connection, put in order (RFC 9293 §3.4).
//!
//! Bytes are handed on once, in order. Of bytes seen twice the first count, and a difference is counted. What the capture
//! lacks is given up as missing when the other side has acknowledged it, when too much waits behind it, or at the end.

use std::collections::BTreeMap;

use serde::Serialize;
use time::OffsetDateTime;

/// How many bytes handed on are kept to compare with what comes again.
const TAIL: usize = 8 << 10;

/// The largest window there is (RFC 7323 §2.3): what lies further ahead is of another connection.
const WINDOW: i64 = 1 << 30;

/// How much waits behind a hole that the other side has acknowledged before the hole is given up, in bytes. Captures
/// reorder packets a little, so an acknowledgement may come before what it is for.
const PATIENCE: usize = 64 << 10;

/// What was counted in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct SideCount {
    /// TCP segments, empty ones included.
    pub packets: u64,
    /// Bytes of the stream that were captured, each counted once.
    pub bytes: u64,
    /// Segments that came before what goes before them.
    pub out_of_order: u64,
    /// Bytes that came again.
    pub retransmitted: u64,
    /// Bytes that came again and were not the same. The first ones were taken.
    pub different: u64,
    /// Bytes that are not in the capture.
    pub missing: u64,
    /// The opening SYN was captured. Without it the stream begins in its middle.
    pub syn: bool,
    /// The stream was ended in order.
    pub fin: bool,
    /// The connection was broken off from here.
    pub rst: bool,
}

/// What is handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Bytes(&'a [u8]),
    Missing(u64),
}

/// One direction.
#[derive(Debug, Default)]
pub(super) struct Half {
    /// The sequence number of the stream's first byte.
    origin: Option<u32>,
    /// How far the stream has been handed on.
    delivered: u64,
    /// What lies ahead, by its place in the stream; nothing overlaps.
    held: BTreeMap<u64, Held>,
    held_bytes: usize,
    tail: Vec<u8>,
    /// How far the other side has it.
    acknowledged: u64,
    fin: Option<u64>,
    pub(super) count: SideCount,
}

/// What waits: bytes, or the knowledge that so many were never captured.
#[derive(Debug)]
struct Held {
    at: OffsetDateTime,
    bytes: Vec<u8>,
    cut: u64,
}

/// Part of a segment, and where it goes.
struct Part<'a> {
    at: OffsetDateTime,
    bytes: &'a [u8],
    /// How many bytes that were not captured follow.
    cut: usize,
}

impl Half {
    /// Whether the sequence number of the first byte is known.
    pub(super) fn has_begun(&self) -> bool {
        self.origin.is_some()
    }

    /// Whether a SYN with this sequence number opened the stream.
    pub(super) fn was_opened_by(&self, sequence: u32) -> bool {
        self.count.syn && self.origin == Some(sequence.wrapping_add(1))
    }

    /// Whether a segment with this sequence number can belong to the stream.
    pub(super) fn expects(&self, sequence: u32) -> bool {
        self.place(sequence)
            .is_none_or(|place| (self.delivered as i64..self.delivered as i64 + WINDOW).contains(&place))
    }

    /// Begins the stream after a SYN.
    pub(super) fn open(&mut self, sequence: u32) {
        self.count.syn = true;
        self.origin.get_or_insert(sequence.wrapping_add(1));
    }

    /// Bytes that wait.
    pub(super) fn waiting(&self) -> usize {
        self.held_bytes
    }

    /// Whether all was handed on up to the FIN.
    pub(super) fn is_complete(&self) -> bool {
        self.fin.is_some_and(|fin| self.delivered >= fin)
    }

    /// Takes a segment's bytes. `sequence` is that of the first of them.
    pub(super) fn segment(
        &mut self,
        at: OffsetDateTime,
        sequence: u32,
        (bytes, cut): (&[u8], usize),
        fin: bool,
        most_waiting: usize,
        deliver: &mut dyn FnMut(OffsetDateTime, Piece<'_>),
    ) {
        self.origin.get_or_insert(sequence);
        let Some(place) = self.place(sequence) else { return };
        let ahead = place - self.delivered as i64;
        if !(-WINDOW..=WINDOW).contains(&ahead) || self.is_keep_alive(ahead, bytes.len() + cut) {
            return;
        }
        let end = place + (bytes.len() + cut) as i64;
        if fin && self.fin.is_none() {
            self.fin = u64::try_from(end).ok();
            self.count.fin = true;
        }
        if ahead > 0 && !(bytes.is_empty() && cut == 0) {
            self.count.out_of_order += 1;
        }
        let place = match u64::try_from(place) {
            Ok(place) => Ok((place, bytes)),
            // Before the beginning of the capture.
            Err(_) => Err(bytes.get(place.unsigned_abs() as usize..).unwrap_or_default()),
        };
        let (place, bytes) = place.unwrap_or_else(|rest| (0, rest));
        self.take(place, Part { at, bytes, cut }, deliver);
        self.give_up_hopeless(most_waiting, deliver);
    }

    /// The other side has everything before this sequence number.
    pub(super) fn acknowledge(&mut self, acknowledgment: u32) {
        if let Some(place) = self.place(acknowledgment)
            && let Ok(place) = u64::try_from(place)
            && place < self.delivered + WINDOW as u64
        {
            self.acknowledged = self.acknowledged.max(place);
        }
    }

    /// Hands on all that waits, with what is missing between, and what was acknowledged and never seen.
    pub(super) fn finish(&mut self, at: OffsetDateTime, deliver: &mut dyn FnMut(OffsetDateTime, Piece<'_>)) {
        self.give_up_holes(deliver);
        // The acknowledgement of a FIN is one more than the bytes.
        let end = self.fin.unwrap_or(self.acknowledged.saturating_sub(1));
        if self.count.bytes > 0 && end > self.delivered {
            self.miss(at, end - self.delivered, deliver);
        }
    }

    /// Hands on all that waits, with what is missing between.
    pub(super) fn give_up_holes(&mut self, deliver: &mut dyn FnMut(OffsetDateTime, Piece<'_>)) {
        while self.skip_hole(deliver) {}
    }

    /// Forgets what is kept of the bytes.
    pub(super) fn drop_bytes(&mut self) {
        self.held = BTreeMap::new();
        self.held_bytes = 0;
        self.tail = Vec::new();
    }

    /// Where a sequence number is in the stream, counted from its first byte.
    fn place(&self, sequence: u32) -> Option<i64> {
        let expected = self.origin?.wrapping_add(self.delivered as u32);
        Some(self.delivered as i64 + i64::from(sequence.wrapping_sub(expected).cast_signed()))
    }

    /// A keep-alive repeats the last byte, or garbage in its place (RFC 9293 §3.8.4).
    fn is_keep_alive(&self, ahead: i64, length: usize) -> bool {
        ahead == -1 && length <= 1
    }

    fn take(&mut self, mut place: u64, part: Part<'_>, deliver: &mut dyn FnMut(OffsetDateTime, Piece<'_>)) {
        let Part { at, mut bytes, cut } = part;
        if place < self.delivered {
            let again = ((self.delivered - place) as usize).min(bytes.len());
            let (known, new) = bytes.split_at_checked(again).unwrap_or_default();
            self.compare_delivered(place, known);
            (place, bytes) = (place + again as u64, new);
        }
        if place == self.delivered && self.held.is_empty() {
            self.pass_on(at, bytes, deliver);
        } else {
            self.hold(at, place, bytes);
            self.drain(deliver);
        }
        let end = place + bytes.len() as u64;
        if cut > 0 {
            self.hold_cut(at, end, cut as u64);
            self.drain(deliver);
        }
    }

    /// Puts bytes aside where nothing lies yet, and compares the rest with what does.
    fn hold(&mut self, at: OffsetDateTime, mut place: u64, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let before = self.held.range(..=place).next_back().filter(|(start, held)| *start + held.length() > place);
            if let Some((start, held)) = before {
                let from = (place - start) as usize;
                let covered = ((held.length() - from as u64) as usize).min(bytes.len());
                let (again, rest) = bytes.split_at_checked(covered).unwrap_or_default();
                let known = held.bytes.get(from..).unwrap_or_default();
                self.count.different += differing(known, again);
                self.count.retransmitted += again.len() as u64;
                (place, bytes) = (place + covered as u64, rest);
                continue;
            }
            let room = self.held.range(place..).next().map_or(u64::MAX, |(next, _)| next - place);
            let fits = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
            let (new, rest) = bytes.split_at_checked(fits).unwrap_or_default();
            self.held_bytes += new.len();
            self.held.insert(place, Held { at, bytes: new.to_vec(), cut: 0 });
            (place, bytes) = (place + fits as u64, rest);
        }
    }

    fn hold_cut(&mut self, at: OffsetDateTime, place: u64, cut: u64) {
        let covered = self.held.range(..=place).next_back().is_some_and(|(start, held)| *start + held.length() > place);
        if place < self.delivered || covered {
            return;
        }
        let room = self.held.range(place..).next().map_or(u64::MAX, |(next, _)| next - place);
        if room > 0 {
            self.held.insert(place, Held { at, bytes: Vec::new(), cut: cut.min(room) });
        }
    }

    /// Hands on what is next.
    fn drain(&mut self, deliver: &mut dyn FnMut(OffsetDateTime, Piece<'_>)) {
        while let Some(held) = self.held.remove(&self.delivered) {
            self.held_bytes = self.held_bytes.saturating_sub(held.bytes.len());
            if held.cut > 0 {
                self.miss(held.at, held.cut, deliver);
            } else {
                self.pass_on(held.at, &held.bytes, deliver);
            }
        }
    }

    fn give_up_hopeless(&mut self, most_waiting: usize, deliver: &mut dyn FnMut(OffsetDateTime, Piece<'_>)) {
        let hopeless = |half: &Self| {
            let next = half.held.keys().next().copied().unwrap_or(u64::MAX);
            half.held_bytes > most_waiting || (half.acknowledged >= next && half.held_bytes > PATIENCE)
        };
        while hopeless(self) && self.skip_hole(deliver) {}
    }

    /// Gives up what is missing before the next that waits; false where nothing waits.
    fn skip_hole(&mut self, deliver: &mut dyn FnMut(OffsetDateTime, Piece<'_>)) -> bool {
        let Some((next, at)) = self.held.first_key_value().map(|(next, held)| (*next, held.at)) else { return false };
        if next > self.delivered {
            self.miss(at, next - self.delivered, deliver);
        }
        self.drain(deliver);
        true
    }

    fn miss(&mut self, at: OffsetDateTime, count: u64, deliver: &mut dyn FnMut(OffsetDateTime, Piece<'_>)) {
        self.delivered += count;
        self.count.missing += count;
        self.tail.clear();
        deliver(at, Piece::Missing(count));
    }

    fn pass_on(&mut self, at: OffsetDateTime, bytes: &[u8], deliver: &mut dyn FnMut(OffsetDateTime, Piece<'_>)) {
        if bytes.is_empty() {
            return;
        }
        self.delivered += bytes.len() as u64;
        self.count.bytes += bytes.len() as u64;
        if self.tail.len() + bytes.len() > 2 * TAIL {
            let kept = TAIL.saturating_sub(bytes.len());
            self.tail.drain(..self.tail.len().saturating_sub(kept));
        }
        self.tail.extend_from_slice(bytes.get(bytes.len().saturating_sub(TAIL)..).unwrap_or_default());
        deliver(at, Piece::Bytes(bytes));
    }

    /// Compares bytes that come again with those handed on, as far back as they are kept.
    fn compare_delivered(&mut self, place: u64, again: &[u8]) {
        self.count.retransmitted += again.len() as u64;
        let kept_from = self.delivered - self.tail.len() as u64;
        let forgotten = kept_from.saturating_sub(place) as usize;
        let again = again.get(forgotten..).unwrap_or_default();
        let from = (place + forgotten as u64).saturating_sub(kept_from) as usize;
        self.count.different += differing(self.tail.get(from..).unwrap_or_default(), again);
    }
}

impl Held {
    fn length(&self) -> u64 {
        self.bytes.len() as u64 + self.cut
    }
}

fn differing(one: &[u8], other: &[u8]) -> u64 {
    one.iter().zip(other).filter(|(one, other)| one != other).count() as u64
}

#[cfg(test)]
mod tests;
