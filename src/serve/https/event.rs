//! What happened, for the log.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::{Duration, Instant};

use super::negotiated::Negotiated;

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// A request was answered.
    Answered(Box<Exchange>),
    /// A connection came to nothing.
    Refused {
        /// The client.
        peer: SocketAddr,
        /// Why, in words.
        why: String,
    },
}

/// A request and its answer.
#[derive(Debug)]
pub struct Exchange {
    /// The connection it came on.
    pub connection: Arc<Negotiated>,
    /// `GET`.
    pub method: String,
    /// Path and query as they came, cut after 2048 octets.
    pub target: String,
    /// The status code.
    pub status: u16,
    /// Octets of the body that were sent.
    pub octets: u64,
    /// From the end of the request's head to the end of the answer.
    pub took: Duration,
    /// Whether the answer broke off.
    pub is_broken: bool,
    /// Whether a file was not sent because it holds a private key.
    pub is_withheld: bool,
}

/// How much there was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Connections, those that came to nothing among them.
    pub connections: u64,
    /// Handshakes that were completed.
    pub handshakes: u64,
    /// Requests.
    pub requests: u64,
    /// Connections that were ended because they took too long.
    pub timed_out: u64,
    /// Events that nobody fetched in time.
    pub lost_events: u64,
}

/// Counts, and hands on what happened. It never waits: where the log is not read in time, events are lost and counted.
pub(in crate::serve) struct Journal {
    to: Option<SyncSender<Event>>,
    pub(super) connections: AtomicU64,
    pub(super) handshakes: AtomicU64,
    pub(super) requests: AtomicU64,
    pub(super) timed_out: AtomicU64,
    lost: AtomicU64,
}

impl Journal {
    /// Without `to`, only refusals of connections would be of interest, and nobody asks.
    pub(super) fn new(to: Option<SyncSender<Event>>) -> Self {
        let zero = || AtomicU64::new(0);
        Self { to, connections: zero(), handshakes: zero(), requests: zero(), timed_out: zero(), lost: zero() }
    }

    pub(super) fn is_read(&self) -> bool {
        self.to.is_some()
    }

    pub(super) fn tell(&self, event: Event) {
        if let Some(to) = &self.to
            && let Err(TrySendError::Full(_)) = to.try_send(event)
        {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn totals(&self) -> Totals {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Totals {
            connections: count(&self.connections),
            handshakes: count(&self.handshakes),
            requests: count(&self.requests),
            timed_out: count(&self.timed_out),
            lost_events: count(&self.lost),
        }
    }
}

/// A line of the log that is still being written: told when dropped.
pub(super) struct Tally {
    pub(super) journal: Arc<Journal>,
    pub(super) connection: Arc<Negotiated>,
    pub(super) method: String,
    pub(super) target: String,
    pub(super) status: u16,
    pub(super) octets: u64,
    pub(super) begun: Instant,
    pub(super) is_broken: bool,
    pub(super) is_withheld: bool,
}

impl Drop for Tally {
    fn drop(&mut self) {
        let Self { connection, method, target, status, octets, begun, is_broken, is_withheld, .. } = self;
        self.journal.tell(Event::Answered(Box::new(Exchange {
            connection: Arc::clone(connection),
            method: std::mem::take(method),
            target: std::mem::take(target),
            status: *status,
            octets: *octets,
            took: begun.elapsed(),
            is_broken: *is_broken,
            is_withheld: *is_withheld,
        })));
    }
}
