//! The connections that are open: no more than there are places for, and none that keeps its place for nothing.
//!
//! Each connection notes what it does in its seat, without a lock. Where all places are taken the connections that have been
//! silent longest go; [`Connections::reap`] ends those that take too long with something.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

/// How long a connection may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// From its beginning to the end of the TLS handshake.
    pub(super) handshake: Duration,
    /// From the first octet of a request's head to its last (HTTP/1.1).
    pub(super) head: Duration,
    /// Without a request.
    pub(super) idle: Duration,
    /// Without taking anything of what is being sent.
    pub(super) blocked: Duration,
    /// With a request under way, and nothing of it or of its answer going on: a client of HTTP/2 may grant no window.
    pub(super) stalled: Duration,
}

/// All open connections.
pub(super) struct Connections {
    most: usize,
    begun: Instant,
    hall: Arc<Hall>,
    dismissed: watch::Sender<bool>,
}

/// The places.
#[derive(Default)]
struct Hall {
    seats: Mutex<Seats>,
    left: Notify,
}

#[derive(Default)]
struct Seats {
    places: Vec<Option<Arc<Seat>>>,
    free: Vec<usize>,
}

/// What one connection does. Times are milliseconds since the server began; 0 is never.
#[derive(Default)]
struct Seat {
    phase: AtomicU8,
    /// Requests that are being answered.
    working: AtomicU32,
    /// When it was last answered, or began.
    silent_since: AtomicU64,
    head_since: AtomicU64,
    blocked_since: AtomicU64,
    /// When a request or its answer last went on.
    progress_at: AtomicU64,
    is_evicted: AtomicBool,
    evicted: Notify,
}

const HANDSHAKE: u8 = 0;
const REQUESTS: u8 = 1;
const STREAMS: u8 = 2;
const TUNNEL: u8 = 3;

/// A connection's claim to its place. Dropped, the place is free.
pub(super) struct Ticket {
    place: usize,
    seat: Arc<Seat>,
    hall: Arc<Hall>,
    begun: Instant,
    dismissed: watch::Receiver<bool>,
}

/// While it lives a request is being answered, and the connection keeps its place.
pub(super) struct Working {
    seat: Arc<Seat>,
    hall: Arc<Hall>,
    begun: Instant,
}

impl Connections {
    pub(super) fn new(most: usize) -> Self {
        let (dismissed, _) = watch::channel(false);
        Self { most: most.max(1), begun: Instant::now(), hall: Arc::default(), dismissed }
    }

    /// A place; other connections may have to go for it.
    pub(super) async fn enter(&self) -> Ticket {
        loop {
            {
                let mut seats = self.hall.seats();
                if seats.taken() >= self.most {
                    seats.evict_silent((self.most / 64).max(1), now(self.begun));
                }
                if seats.taken() < self.most {
                    let seat = Arc::new(Seat::default());
                    seat.silent_since.store(now(self.begun), Ordering::Relaxed);
                    let place = seats.put(Arc::clone(&seat));
                    let (hall, dismissed) = (Arc::clone(&self.hall), self.dismissed.subscribe());
                    return Ticket { place, seat, hall, begun: self.begun, dismissed };
                }
            }
            // All are at work. Some may turn out to be stalled.
            _ = tokio::time::timeout(STALLED / 8, self.hall.left.notified()).await;
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.hall.seats().taken()
    }

    /// Ends those that took longer than this. Returns how many.
    pub(super) fn reap(&self, patience: &Patience) -> usize {
        let now = now(self.begun);
        let seats = self.hall.seats();
        let late = seats.places.iter().flatten().filter(|seat| seat.is_late(now, patience));
        late.map(|seat| seat.evict()).count()
    }

    /// Asks all to go, and waits until they have or their time is up.
    pub(super) async fn dismiss(&self, patience: Duration) {
        // Without connections nobody listens.
        _ = self.dismissed.send(true);
        let gone = async {
            while self.count() > 0 {
                self.hall.left.notified().await;
            }
        };
        _ = tokio::time::timeout(patience, gone).await;
    }
}

impl Hall {
    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seats {
    fn taken(&self) -> usize {
        self.places.len() - self.free.len()
    }

    fn put(&mut self, seat: Arc<Seat>) -> usize {
        match self.free.pop() {
            Some(place) => {
                if let Some(free) = self.places.get_mut(place) {
                    *free = Some(seat);
                }
                place
            }
            None => {
                self.places.push(Some(seat));
                self.places.len() - 1
            }
        }
    }

    /// Frees a place, if this seat still has it.
    fn leave(&mut self, place: usize, seat: &Arc<Seat>) {
        if let Some(taken) = self.places.get_mut(place)
            && taken.as_ref().is_some_and(|there| Arc::ptr_eq(there, seat))
        {
            *taken = None;
            self.free.push(place);
        }
    }

    /// Ends so many that have been silent longest; where all are at work, those that have stalled longest. Several at
    /// once, since this looks at all of them.
    fn evict_silent(&mut self, count: usize, now: u64) {
        let waits = |seat: &Seat, silent: bool| {
            let is_silent = seat.working.load(Ordering::Relaxed) == 0;
            let since = if silent { &seat.silent_since } else { &seat.progress_at }.load(Ordering::Relaxed);
            let is_stalled = u128::from(now.saturating_sub(since)) > STALLED.as_millis();
            (is_silent == silent && (silent || is_stalled) && !seat.is_tunnel()).then_some(since)
        };
        for silent in [true, false] {
            let all = self.places.iter().enumerate();
            let waiting = all.filter_map(|(place, seat)| Some((waits(seat.as_deref()?, silent)?, place)));
            let mut found: Vec<(u64, usize)> = waiting.collect();
            found.sort_unstable();
            if found.is_empty() {
                continue;
            }
            for (_, place) in found.into_iter().take(count) {
                if let Some(seat) = self.places.get_mut(place).and_then(Option::take) {
                    seat.evict();
                    self.free.push(place);
                }
            }
            return;
        }
    }
}

impl Seat {
    fn evict(&self) {
        self.is_evicted.store(true, Ordering::Release);
        self.evicted.notify_one();
    }

    fn is_tunnel(&self) -> bool {
        self.phase.load(Ordering::Relaxed) == TUNNEL
    }

    fn is_late(&self, now: u64, patience: &Patience) -> bool {
        let over = |since: &AtomicU64, span: Duration| match since.load(Ordering::Relaxed) {
            0 => false,
            since => u128::from(now.saturating_sub(since)) > span.as_millis(),
        };
        let idle = self.working.load(Ordering::Relaxed) == 0;
        if self.is_evicted.load(Ordering::Relaxed) {
            return false;
        }
        match self.phase.load(Ordering::Relaxed) {
            HANDSHAKE => over(&self.silent_since, patience.handshake),
            REQUESTS | STREAMS => {
                let waits = match idle {
                    true => over(&self.silent_since, patience.idle) || over(&self.head_since, patience.head),
                    false => over(&self.progress_at, patience.stalled),
                };
                waits || over(&self.blocked_since, patience.blocked)
            }
            _ => over(&self.blocked_since, patience.blocked),
        }
    }
}

impl Ticket {
    /// When the connection must end at once.
    pub(super) async fn evicted(&self) {
        while !self.seat.is_evicted.load(Ordering::Acquire) {
            self.seat.evicted.notified().await;
        }
    }

    /// When the server is about to stop.
    pub(super) async fn dismissed(&self) {
        let mut dismissed = self.dismissed.clone();
        if dismissed.wait_for(|dismissed| *dismissed).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The handshake is over. `streams`: requests share the connection (HTTP/2).
    pub(super) fn talks(&self, streams: bool) {
        self.seat.silent_since.store(now(self.begun), Ordering::Relaxed);
        self.seat.phase.store(if streams { STREAMS } else { REQUESTS }, Ordering::Relaxed);
    }

    /// From here on octets go both ways, and silence is nothing unusual.
    pub(super) fn tunnels(&self) {
        self.seat.phase.store(TUNNEL, Ordering::Relaxed);
    }

    /// Octets have come from the client.
    pub(super) fn has_read(&self) {
        let seat = &self.seat;
        // In HTTP/2 they may be anything. In HTTP/1.1 they are a request's, unless one is being answered.
        if seat.phase.load(Ordering::Relaxed) == REQUESTS
            && seat.working.load(Ordering::Relaxed) == 0
            && seat.head_since.load(Ordering::Relaxed) == 0
        {
            seat.head_since.store(now(self.begun), Ordering::Relaxed);
        }
    }

    /// Whether the client took something of what is being sent.
    pub(super) fn has_written(&self, some: bool) {
        let blocked = &self.seat.blocked_since;
        let since = blocked.load(Ordering::Relaxed);
        match some {
            true if since != 0 => blocked.store(0, Ordering::Relaxed),
            false if since == 0 => blocked.store(now(self.begun), Ordering::Relaxed),
            _ => {}
        }
    }

    /// A request or its answer goes on.
    pub(super) fn progressed(&self) {
        self.seat.progress_at.store(now(self.begun), Ordering::Relaxed);
    }

    /// Marks that a request has arrived and an answer is being made.
    pub(super) fn working(&self) -> Working {
        self.seat.working.fetch_add(1, Ordering::Relaxed);
        self.seat.head_since.store(0, Ordering::Relaxed);
        self.progressed();
        Working { seat: Arc::clone(&self.seat), hall: Arc::clone(&self.hall), begun: self.begun }
    }
}

impl Working {
    /// The answer goes on.
    pub(super) fn progressed(&self) {
        self.seat.progress_at.store(now(self.begun), Ordering::Relaxed);
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        // Whoever was answered last has been silent for the shortest time.
        self.seat.silent_since.store(now(self.begun), Ordering::Relaxed);
        if self.seat.working.fetch_sub(1, Ordering::Release) == 1 {
            self.hall.left.notify_one();
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.hall.seats().leave(self.place, &self.seat);
        self.hall.left.notify_one();
    }
}

/// How long a request may stand still before its connection may have to go for another.
const STALLED: Duration = Duration::from_secs(4);

/// Never 0.
fn now(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn patience() -> Patience {
        let millis = Duration::from_millis;
        Patience {
            handshake: millis(100),
            head: millis(200),
            idle: millis(300),
            blocked: millis(400),
            stalled: millis(500),
        }
    }

    #[test]
    fn each_phase_has_its_own_patience() {
        let seat = Seat { silent_since: AtomicU64::new(1000), ..Seat::default() };
        let late = |now| seat.is_late(now, &patience());
        assert!(!late(1100) && late(1101));
        seat.phase.store(REQUESTS, Ordering::Relaxed);
        assert!(!late(1300) && late(1301));
        seat.head_since.store(1050, Ordering::Relaxed);
        assert!(!late(1250) && late(1251));
        seat.working.store(1, Ordering::Relaxed);
        seat.progress_at.store(2000, Ordering::Relaxed);
        assert!(!late(2500) && late(2501));
        seat.blocked_since.store(2000, Ordering::Relaxed);
        assert!(!late(2400) && late(2401));
        seat.is_evicted.store(true, Ordering::Relaxed);
        assert!(!late(9999), "once is enough");
    }

    #[tokio::test]
    async fn the_longest_silent_connection_goes_and_a_working_one_stays() {
        let connections = Connections::new(3);
        let tickets = [connections.enter().await, connections.enter().await, connections.enter().await];
        for (ticket, since) in tickets.iter().zip([5, 3, 4]) {
            ticket.seat.silent_since.store(since, Ordering::Relaxed);
        }
        let working = tickets[1].working();
        let fourth = connections.enter().await;
        tokio::time::timeout(Duration::from_secs(5), tickets[2].evicted()).await.unwrap();
        assert!(!tickets[1].seat.is_evicted.load(Ordering::Relaxed));
        assert_eq!(connections.count(), 3);
        drop((working, tickets));
        assert_eq!(connections.count(), 1, "a place is freed once");
        drop(fourth);
        assert_eq!(connections.count(), 0);
    }

    #[tokio::test]
    async fn where_all_are_at_work_the_one_that_has_stalled_goes() {
        let connections = Connections::new(2);
        let (slow, quick) = (connections.enter().await, connections.enter().await);
        let _working = (slow.working(), quick.working());
        let later = now(connections.begun) + 10_000;
        quick.seat.progress_at.store(later, Ordering::Relaxed);
        connections.hall.seats().evict_silent(1, later);
        slow.evicted().await;
        assert!(!quick.seat.is_evicted.load(Ordering::Relaxed));
        let _third = connections.enter().await;
    }
}
