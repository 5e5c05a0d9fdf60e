//! The connections that are open: no more than there are places for.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};

/// All open connections, the one that has been silent longest first.
pub(super) struct Connections {
    most: usize,
    open: Arc<Mutex<VecDeque<Arc<Seat>>>>,
    dismissed: watch::Sender<bool>,
    left: Arc<Notify>,
}

/// The place of one connection.
struct Seat {
    /// An answer is being made.
    working: AtomicBool,
    evicted: Notify,
}

/// A connection's claim to its place. Dropped, the place is free.
pub(super) struct Ticket {
    seat: Arc<Seat>,
    open: Arc<Mutex<VecDeque<Arc<Seat>>>>,
    dismissed: watch::Receiver<bool>,
    left: Arc<Notify>,
}

/// While it lives the connection keeps its place.
pub(super) struct Working<'a>(&'a Ticket);

impl Connections {
    pub(super) fn new(most: usize) -> Self {
        let (dismissed, _) = watch::channel(false);
        Self { most: most.max(1), open: Arc::default(), dismissed, left: Arc::default() }
    }

    /// A place; another connection may have to go for it.
    pub(super) async fn enter(&self) -> Ticket {
        loop {
            {
                let mut open = lock(&self.open);
                if open.len() >= self.most
                    && let Some(at) = open.iter().position(|seat| !seat.working.load(Ordering::Acquire))
                    && let Some(silent) = open.remove(at)
                {
                    silent.evicted.notify_one();
                }
                if open.len() < self.most {
                    let seat = Arc::new(Seat { working: AtomicBool::new(false), evicted: Notify::new() });
                    open.push_back(Arc::clone(&seat));
                    let (open, left) = (Arc::clone(&self.open), Arc::clone(&self.left));
                    return Ticket { seat, open, dismissed: self.dismissed.subscribe(), left };
                }
            }
            // All are at work, which takes milliseconds.
            self.left.notified().await;
        }
    }

    /// Asks all to go, and waits until they have or their time is up.
    pub(super) async fn dismiss(&self, patience: Duration) {
        // Without connections nobody listens.
        _ = self.dismissed.send(true);
        let gone = async {
            while !lock(&self.open).is_empty() {
                self.left.notified().await;
            }
        };
        _ = tokio::time::timeout(patience, gone).await;
    }
}

impl Ticket {
    /// When the place is another's.
    pub(super) async fn evicted(&self) {
        self.seat.evicted.notified().await;
    }

    /// When the server is about to stop.
    pub(super) async fn dismissed(&self) {
        let mut dismissed = self.dismissed.clone();
        if dismissed.wait_for(|dismissed| *dismissed).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Marks that an answer is being made.
    pub(super) fn working(&self) -> Working<'_> {
        self.seat.working.store(true, Ordering::Release);
        Working(self)
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        let Ticket { seat, open, left, .. } = self.0;
        seat.working.store(false, Ordering::Release);
        // Whoever was answered last has been silent for the shortest time.
        let mut open = lock(open);
        if let Some(at) = open.iter().position(|other| Arc::ptr_eq(other, seat))
            && let Some(seat) = open.remove(at)
        {
            open.push_back(seat);
        }
        drop(open);
        left.notify_one();
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        lock(&self.open).retain(|seat| !Arc::ptr_eq(seat, &self.seat));
        self.left.notify_one();
    }
}

fn lock(open: &Mutex<VecDeque<Arc<Seat>>>) -> MutexGuard<'_, VecDeque<Arc<Seat>>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}
