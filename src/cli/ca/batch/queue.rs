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
    /// Why nothing more is begun or recorded: what is recorded is written and told.
    failure: Option<anyhow::Error>,
    stopped: bool,
}

impl State {
    fn ends(&self) -> bool {
        self.stopped || self.interrupted || self.failure.is_some()
    }

    /// Chunks that wait to be made are the last ones that were fed: those before them are told.
    fn begin_nothing_more(&mut self) {
        self.fed -= self.make.len();
        self.make.clear();
        self.all_fed = true;
    }
}

impl Queue {
    pub(super) fn new() -> Self {
        Self { state: Mutex::default(), changed: Condvar::new() }
    }

    /// Adds a chunk to be made. Whether more are wanted.
    pub(super) fn feed(&self, chunk: Vec<Planned>) -> bool {
        let mut state = self.wait(|state| !state.ends() && state.fed - state.told >= WAITING);
        if state.ends() || chunk.is_empty() {
            return !state.ends();
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

    /// Begins nothing more.
    pub(super) fn interrupt(&self) {
        self.change(|state| {
            state.begin_nothing_more();
            state.interrupted = true;
        });
    }

    /// Begins nothing more, and has nothing more recorded. The first reason counts.
    pub(super) fn fail(&self, why: anyhow::Error) {
        self.change(|state| {
            state.begin_nothing_more();
            state.failure.get_or_insert(why);
        });
    }

    pub(super) fn has_failed(&self) -> bool {
        self.wait(|_| false).failure.is_some()
    }

    /// Why it has failed, for once.
    pub(super) fn failure(&self) -> Option<anyhow::Error> {
        self.wait(|_| false).failure.take()
    }

    /// Whether nothing more is begun.
    pub(super) fn ends(&self) -> bool {
        self.wait(|_| false).ends()
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
