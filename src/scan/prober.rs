//! Connections: few at a time, bounded in number and time. A server that stops answering is told from one that refuses.

use super::answer::{Answer, AnswerReader, End};
use super::question::Question;
use crate::dial::Wire;
use crate::key::{AgreementAlgorithm, EphemeralKey, KeyError, digest};
use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

/// Opens a connection to the server, past STARTTLS where that is needed.
pub type Opener<'a> = dyn Fn() -> io::Result<Wire> + Sync + 'a;

/// How a scan goes about it.
#[derive(Debug, Clone)]
pub struct Options {
    /// The host for server_name; `None` for an address.
    pub server_name: Option<String>,
    /// How many connections are open at a time.
    pub parallel: usize,
    /// How many connections are made at most.
    pub connections: usize,
    /// How long one answer may take.
    pub timeout: Duration,
    /// The pauses after which a server that does not answer is tried again.
    pub pauses: Vec<Duration>,
    /// What the random octets of the hellos come from.
    pub seed: [u8; 32],
}

impl Options {
    /// Four connections at a time, a thousand in all, ten seconds each.
    pub fn new(server_name: Option<String>, seed: [u8; 32]) -> Self {
        Self {
            server_name,
            parallel: 4,
            connections: 1000,
            timeout: Duration::from_secs(10),
            pauses: [250, 1000, 3000].map(Duration::from_millis).to_vec(),
            seed,
        }
    }
}

/// What a question came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// The server sent a hello, and what follows it.
    Answered(Box<Answer>),
    /// The server is well and does not want this.
    Refused(End),
    /// Nobody knows: the server did not answer any more, or the bound of connections is reached.
    Unknown,
}

/// Asks questions, each over a connection of its own.
pub(super) struct Prober<'a> {
    open: &'a Opener<'a>,
    pub(super) options: &'a Options,
    pub(super) keys: Vec<EphemeralKey>,
    progress: &'a (dyn Fn(usize) + Sync),
    state: Mutex<State>,
    free: Condvar,
    control: OnceLock<Question>,
}

#[derive(Debug, Default)]
struct State {
    open: usize,
    made: usize,
    hellos: u64,
    gone: Option<String>,
}

impl<'a> Prober<'a> {
    pub(super) fn new(
        open: &'a Opener<'a>,
        options: &'a Options,
        progress: &'a (dyn Fn(usize) + Sync),
    ) -> Result<Self, KeyError> {
        let all = [
            AgreementAlgorithm::X25519,
            AgreementAlgorithm::P256,
            AgreementAlgorithm::P384,
            AgreementAlgorithm::P521,
            AgreementAlgorithm::X25519MlKem768,
        ];
        let keys = all.into_iter().map(EphemeralKey::generate).collect::<Result<_, _>>()?;
        let (state, free, control) = (Mutex::default(), Condvar::new(), OnceLock::new());
        Ok(Self { open, options, keys, progress, state, free, control })
    }

    /// Random octets for the next hello.
    pub(super) fn random(&self) -> [u8; 32] {
        let mut state = self.state();
        state.hellos += 1;
        digest::sha256(&[&self.options.seed[..], &state.hellos.to_be_bytes()].concat())
    }

    /// From now on this question, which was answered once, tells whether the server is well.
    pub(super) fn control_with(&self, question: Question) {
        _ = self.control.set(question);
    }

    /// How many connections were made.
    pub(super) fn made(&self) -> usize {
        self.state().made
    }

    /// Why the scan could not go on, if it could not.
    pub(super) fn gone(&self) -> Option<String> {
        self.state().gone.clone()
    }

    /// Asks. An answer, a fatal alert and what is no TLS are taken as they are. Where the server only closes, resets or
    /// says nothing, the question that it answered before is put again: if that is answered, it refused; if not, it is
    /// given time and asked again. Who closes is asked twice in any case: he may have stumbled.
    pub(super) fn ask(&self, question: &Question) -> Asked {
        for is_last in [false, true] {
            let answer = match self.once(question) {
                Ok(answer) => answer,
                Err(_) => return Asked::Unknown,
            };
            let spoke = answer.hello.is_some() || answer.ssl2.is_some();
            match answer.end.clone() {
                _ if spoke => return Asked::Answered(Box::new(answer)),
                end @ (End::Alert(_) | End::NotTls(_) | End::Malformed(_) | End::Settled) => {
                    return Asked::Refused(end);
                }
                end @ (End::Closed | End::Reset | End::TimedOut) => match self.is_well() {
                    Health::Well if !is_last && !matches!(end, End::TimedOut) => {}
                    Health::Well => return Asked::Refused(end),
                    Health::Recovered => {}
                    Health::Gone => return Asked::Unknown,
                },
            }
        }
        Asked::Unknown
    }

    /// One connection. Opening it is tried again after each pause.
    ///
    /// # Errors
    /// What opening the last one failed with; the scan is over then.
    pub(super) fn once(&self, question: &Question) -> io::Result<Answer> {
        let mut pauses = self.options.pauses.iter();
        loop {
            let slot = self.slot()?;
            let error = match (self.open)() {
                Ok(wire) => return Ok(self.exchange(wire, question)),
                Err(error) => error,
            };
            drop(slot);
            let Some(pause) = pauses.next().filter(|_| self.control.get().is_some()) else {
                self.give_up(|made| format!("after {made} connections no more could be made: {error}"));
                return Err(error);
            };
            thread::sleep(*pause);
        }
    }

    fn is_well(&self) -> Health {
        // Before anything was answered there is nothing to compare with.
        let Some(control) = self.control.get() else { return Health::Well };
        for (tried, pause) in std::iter::once(&Duration::ZERO).chain(&self.options.pauses).enumerate() {
            thread::sleep(*pause);
            match self.once(control) {
                Ok(answer) if answer.hello.is_some() && tried == 0 => return Health::Well,
                Ok(answer) if answer.hello.is_some() => return Health::Recovered,
                Ok(_) => {}
                Err(_) => return Health::Gone,
            }
        }
        self.give_up(|made| format!("after {made} connections the server did not answer what it had answered before"));
        Health::Gone
    }

    fn exchange(&self, mut wire: Wire, question: &Question) -> Answer {
        wire.allow(self.options.timeout);
        let mut reader = AnswerReader::new(&question.message, &self.keys);
        // A server may answer and close before it has read everything: what it said counts.
        let unsent = wire.write_all(&question.octets).err();
        let mut buffer = [0; 8192];
        loop {
            match wire.read(&mut buffer) {
                Ok(0) => return reader.stopped(unsent.as_ref().map_or(End::Closed, end_of)),
                Ok(count) => {
                    if reader.push(buffer.get(..count).unwrap_or_default()) {
                        return reader.answer();
                    }
                }
                Err(error) => return reader.stopped(end_of(unsent.as_ref().unwrap_or(&error))),
            }
        }
    }

    /// A place among the open connections.
    fn slot(&self) -> io::Result<Slot<'_, 'a>> {
        let mut state = self.state();
        while state.open >= self.options.parallel.max(1) {
            state = self.free.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.gone.is_some() {
            return Err(io::Error::other("the scan is over"));
        }
        if state.made >= self.options.connections {
            let made = state.made;
            state.gone = Some(format!("it stopped at {made} connections, which is the bound"));
            return Err(io::Error::other("the scan is over"));
        }
        state.open += 1;
        state.made += 1;
        (self.progress)(state.made);
        Ok(Slot(self))
    }

    fn give_up(&self, why: impl FnOnce(usize) -> String) {
        let mut state = self.state();
        let made = state.made;
        state.gone.get_or_insert_with(|| why(made));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a server still answers what it answered before.
enum Health {
    Well,
    /// After a pause.
    Recovered,
    Gone,
}

struct Slot<'p, 'a>(&'p Prober<'a>);

impl Drop for Slot<'_, '_> {
    fn drop(&mut self) {
        self.0.state().open -= 1;
        self.0.free.notify_one();
    }
}

fn end_of(error: &io::Error) -> End {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => End::TimedOut,
        ErrorKind::UnexpectedEof => End::Closed,
        _ => End::Reset,
    }
}
