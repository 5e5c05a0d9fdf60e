//! What there is to do for the threads of a batch.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::plan::Planned;
use super::work::Recorded;

/// With its place in the order.
#[derive(Debug)]
pub(super) struct Numbered<T> {
    pub(super) number: usize,
    pub(super) what: T,
}

/// A chunk for a thread.
pub(super) enum Job {
    Make(Numbered<Vec<Planned>>),
    Write(Numbered<Vec<Recorded>>),
}

/// Chunks to be made and to be written. It holds so many and no more: whoever feeds it waits until one is told.
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    make: VecDeque<Numbered<Vec<Planned>>>,
    write: VecDeque<Numbered<Vec<Recorded>>>,
    fed: usize,
    told: usize,
    all_fed: bool,
    /// Nothing more is begun: what is under way is finished.
    interrupted: bool,
    stopped: bool,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self { state: Mutex::default(), changed: Condvar::new() }
    }

    /// Adds a chunk to be made. Whether more are wanted.
    pub(super) fn feed(&self, chunk: Vec<Planned>) -> bool {
        let ends = |state: &State| state.stopped || state.interrupted;
        let mut state = self.wait(|state| !ends(state) && state.fed - state.told >= WAITING);
        if ends(&state) || chunk.is_empty() {
            return !ends(&state);
        }
        let number = state.fed;
        state.fed += 1;
        state.make.push_back(Numbered { number, what: chunk });
        self.changed.notify_all();
        true
    }

    pub(super) fn all_fed(&self) {
        self.change(|state| state.all_fed = true);
    }

    /// Adds a chunk to be written.
    pub(super) fn write(&self, chunk: Numbered<Vec<Recorded>>) {
        self.change(|state| state.write.push_back(chunk));
    }

    /// A chunk is done with.
    pub(super) fn told(&self) {
        self.change(|state| state.told += 1);
    }

    /// Begins nothing more. Chunks that wait to be made are the last ones that were fed: those before them are told.
    pub(super) fn interrupt(&self) {
        self.change(|state| {
            state.fed -= state.make.len();
            state.make.clear();
            (state.interrupted, state.all_fed) = (true, true);
        });
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.wait(|_| false).interrupted
    }

    pub(super) fn stop(&self) {
        self.change(|state| state.stopped = true);
    }

    /// The next chunk, once there is one; none when all is done. Writing comes first: it makes room.
    pub(super) fn next(&self) -> Option<Job> {
        let mut state = self.wait(|state| {
            let idle = state.make.is_empty() && state.write.is_empty();
            idle && !state.stopped && !(state.all_fed && state.fed == state.told)
        });
        if state.stopped {
            return None;
        }
        let write = state.write.pop_front().map(Job::Write);
        write.or_else(|| state.make.pop_front().map(Job::Make))
    }

    fn wait(&self, while_: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.changed.wait_while(state, |state| while_(state)).unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }
}

/// How many chunks are under way at most: bounds the memory a long list takes.
const WAITING: usize = 32;
