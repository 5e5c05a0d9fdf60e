//! TCP connections in a capture: opened, followed, closed; each with two byte streams.

use std::collections::HashMap;
use std::mem;
use std::net::SocketAddr;

use serde::Serialize;
use time::OffsetDateTime;

use super::decode::Segment;
use super::half::{Half, Piece};

pub use super::half::SideCount;

/// An end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Who sent the SYN; where that was not captured, who was seen first.
    Initiator,
    /// The other end.
    Responder,
}

impl Side {
    /// The other side.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Initiator => Self::Responder,
            Self::Responder => Self::Initiator,
        }
    }
}

/// Is told what the two streams of a connection hold. Both answer whether they want to know more: once they do not, the
/// rest of the connection is only counted.
pub trait Follower {
    /// The next bytes of one side, and when they were captured.
    fn data(&mut self, from: Side, at: OffsetDateTime, bytes: &[u8]) -> bool;

    /// So many bytes of one side are not in the capture.
    fn missing(&mut self, from: Side, at: OffsetDateTime, count: u64) -> bool;
}

/// How much memory connections may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The most that waits for earlier bytes in one direction, in bytes; then those are given up.
    pub side: usize,
    /// The most that waits in all connections together, in bytes.
    pub total: usize,
    /// The most connections that are followed at one time. The ones silent for longest give way.
    pub connections: usize,
}

impl Default for Limits {
    /// 4 MiB, 128 MiB and 16 384.
    fn default() -> Self {
        Self { side: 4 << 20, total: 128 << 20, connections: 16_384 }
    }
}

/// Why nothing more is told of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HowClosed {
    /// Both sides sent a FIN.
    Finished,
    /// One side sent a RST.
    Reset,
    /// A new connection began between the same ends.
    Reused,
    /// The capture ends.
    CaptureEnds,
    /// There were more connections at one time than are followed.
    GivenUp,
}

/// A connection of which nothing more will be told.
#[derive(Debug)]
pub struct Finished<F> {
    /// What followed it.
    pub follower: F,
    /// The initiator's address and the responder's.
    pub ends: [SocketAddr; 2],
    /// When its first and its last packet were captured.
    pub times: [OffsetDateTime; 2],
    /// What the initiator sent, and what the responder sent.
    pub sides: [SideCount; 2],
    /// How it ended.
    pub how: HowClosed,
}

/// All connections of a capture.
pub struct Connections<F> {
    limits: Limits,
    open: HashMap<[SocketAddr; 2], Connection<F>>,
    waiting: usize,
    finished: Vec<Finished<F>>,
}

struct Connection<F> {
    /// `None` once it has been told to the end; the entry then catches stragglers.
    follower: Option<F>,
    wanted: bool,
    ends: [SocketAddr; 2],
    times: [OffsetDateTime; 2],
    halves: [Half; 2],
}

impl<F: Follower> Connections<F> {
    /// None yet.
    pub fn new(limits: Limits) -> Self {
        Self { limits, open: HashMap::new(), waiting: 0, finished: Vec::new() }
    }

    /// Takes one segment. `begin` makes the follower of a new connection.
    pub fn segment(&mut self, at: OffsetDateTime, segment: &Segment<'_>, begin: impl FnOnce() -> F) {
        let key = key_of(segment);
        let opens = segment.syn && segment.acknowledgment.is_none();
        let stale = self.open.get(&key).is_some_and(|known| opens && !known.was_opened_by(segment));
        if stale {
            self.close(&key, HowClosed::Reused);
            self.open.remove(&key);
        }
        if !self.open.contains_key(&key) {
            // Nothing can be told of a connection from its last words.
            if segment.rst || (segment.fin && segment.payload.is_empty()) {
                return;
            }
            self.make_room();
            self.open.insert(key, Connection::new(at, segment, begin()));
        }
        let Some(connection) = self.open.get_mut(&key) else { return };
        let before = connection.waiting();
        let closed = connection.segment(at, segment, self.limits.side);
        self.waiting = (self.waiting + connection.waiting()).saturating_sub(before);
        if self.waiting > self.limits.total {
            self.waiting = self.waiting.saturating_sub(connection.waiting());
            connection.flush(|half, deliver| half.give_up_holes(deliver));
        }
        if let Some(how) = closed {
            self.close(&key, how);
        }
    }

    /// The connections told to the end since this was last asked.
    pub fn take_finished(&mut self) -> Vec<Finished<F>> {
        mem::take(&mut self.finished)
    }

    /// The capture has ended: all other connections.
    pub fn finish(mut self) -> Vec<Finished<F>> {
        let mut keys: Vec<_> = self.open.iter().map(|(key, connection)| (connection.times, *key)).collect();
        keys.sort_unstable();
        for (_, key) in keys {
            self.close(&key, HowClosed::CaptureEnds);
        }
        self.finished
    }

    fn close(&mut self, key: &[SocketAddr; 2], how: HowClosed) {
        let Some(connection) = self.open.get_mut(key) else { return };
        self.waiting = self.waiting.saturating_sub(connection.waiting());
        let [_, last] = connection.times;
        connection.flush(|half, deliver| half.finish(last, deliver));
        connection.halves.iter_mut().for_each(Half::drop_bytes);
        if let Some(follower) = connection.follower.take() {
            let [initiator, responder] = &connection.halves;
            self.finished.push(Finished {
                follower,
                ends: connection.ends,
                times: connection.times,
                sides: [initiator.count, responder.count],
                how,
            });
        }
    }

    /// Gives up the quarter of the connections that has been silent for longest, those told to the end first.
    fn make_room(&mut self) {
        if self.open.len() < self.limits.connections {
            return;
        }
        let rank = |(key, connection): (&[SocketAddr; 2], &Connection<F>)| {
            let [_, last] = connection.times;
            (connection.follower.is_some(), last, *key)
        };
        let mut ranked: Vec<_> = self.open.iter().map(rank).collect();
        ranked.sort_unstable();
        for (_, _, key) in ranked.into_iter().take(self.limits.connections / 4 + 1) {
            self.close(&key, HowClosed::GivenUp);
            self.open.remove(&key);
        }
    }
}

impl<F: Follower> Connection<F> {
    fn new(at: OffsetDateTime, segment: &Segment<'_>, follower: F) -> Self {
        let answers = segment.syn && segment.acknowledgment.is_some();
        let ends = match answers {
            true => [segment.destination, segment.source],
            false => [segment.source, segment.destination],
        };
        Self {
            follower: Some(follower),
            wanted: true,
            ends,
            times: [at; 2],
            halves: [Half::default(), Half::default()],
        }
    }

    /// Whether this SYN is the one that opened it, once more.
    fn was_opened_by(&self, segment: &Segment<'_>) -> bool {
        let [initiator, responder] = &self.halves;
        match self.side_of(segment) {
            Side::Initiator => initiator.was_opened_by(segment.sequence),
            Side::Responder => responder.was_opened_by(segment.sequence),
        }
    }

    fn side_of(&self, segment: &Segment<'_>) -> Side {
        let [initiator, _] = self.ends;
        if segment.source == initiator { Side::Initiator } else { Side::Responder }
    }

    fn waiting(&self) -> usize {
        self.halves.iter().map(Half::waiting).sum()
    }

    /// Takes a segment; answers how the connection ends, if it does.
    fn segment(&mut self, at: OffsetDateTime, segment: &Segment<'_>, most_waiting: usize) -> Option<HowClosed> {
        let side = self.side_of(segment);
        let [initiator, responder] = &mut self.halves;
        let (own, other) = match side {
            Side::Initiator => (initiator, responder),
            Side::Responder => (responder, initiator),
        };
        self.follower.as_ref()?;
        let [_, last] = &mut self.times;
        *last = (*last).max(at);
        own.count.packets += 1;
        if let Some(acknowledgment) = segment.acknowledgment {
            other.acknowledge(acknowledgment);
        }
        let mut sequence = segment.sequence;
        if segment.syn {
            own.open(sequence);
            sequence = sequence.wrapping_add(1);
        }
        if segment.rst {
            let credible = !own.has_begun() || own.expects(sequence);
            own.count.rst |= credible;
            return credible.then_some(HowClosed::Reset);
        }
        let (follower, wanted) = (&mut self.follower, &mut self.wanted);
        if *wanted {
            let payload = (segment.payload, segment.cut);
            own.segment(at, sequence, payload, segment.fin, most_waiting, &mut |at, piece| {
                hand_on(follower, wanted, side, at, piece)
            });
        } else {
            own.count.bytes += segment.payload.len() as u64;
            own.count.fin |= segment.fin;
        }
        if !*wanted {
            self.halves.iter_mut().for_each(Half::drop_bytes);
        }
        let [initiator, responder] = &self.halves;
        let done = |half: &Half| half.is_complete() || (!self.wanted && half.count.fin);
        (done(initiator) && done(responder)).then_some(HowClosed::Finished)
    }

    /// Has both halves hand on what waits.
    fn flush(&mut self, how: impl Fn(&mut Half, &mut dyn FnMut(OffsetDateTime, Piece<'_>))) {
        let [initiator, responder] = &mut self.halves;
        let (follower, wanted) = (&mut self.follower, &mut self.wanted);
        if !*wanted {
            return;
        }
        for (side, half) in [(Side::Initiator, initiator), (Side::Responder, responder)] {
            how(half, &mut |at, piece| hand_on(follower, wanted, side, at, piece));
        }
    }
}

fn hand_on<F: Follower>(follower: &mut Option<F>, wanted: &mut bool, side: Side, at: OffsetDateTime, piece: Piece<'_>) {
    if let Some(follower) = follower
        && *wanted
    {
        *wanted = match piece {
            Piece::Bytes(bytes) => follower.data(side, at, bytes),
            Piece::Missing(count) => follower.missing(side, at, count),
        };
    }
}

/// The same for both directions.
fn key_of(segment: &Segment<'_>) -> [SocketAddr; 2] {
    let mut ends = [segment.source, segment.destination];
    ends.sort_unstable();
    ends
}

#[cfg(test)]
mod tests;
