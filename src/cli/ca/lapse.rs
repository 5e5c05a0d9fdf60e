//! How the last revocation list stands: clients refuse everything once it has lapsed and no new one is there.

use serde::Serialize;
use time::OffsetDateTime;

use crate::ca::{Authority, SignedList};
use crate::cli::clock::{from_now, rfc3339};

/// The last complete list.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Lapse {
    /// Its cRLNumber.
    pub(super) number: u64,
    /// By when a new one must be there.
    pub(super) next_update: String,
    /// How it stands.
    pub(super) state: State,
    #[serde(skip)]
    from_now: String,
}

/// How a list stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// It holds and says all.
    Current,
    /// A certificate was revoked or released since.
    Behind,
    /// Three quarters of its time are over.
    Due,
    /// Its time is over.
    Lapsed,
}

impl Lapse {
    /// The last complete list of an authority; `None` where there is none.
    pub(super) fn of_last(authority: &mut Authority, now: OffsetDateTime) -> anyhow::Result<Option<Self>> {
        let Some(list) = authority.last_complete_list()? else { return Ok(None) };
        let behind = authority.has_changed_since(&list)?;
        Ok(Some(Self::of(&list, behind, now)))
    }

    pub(super) fn of(list: &SignedList, behind: bool, now: OffsetDateTime) -> Self {
        let state = match () {
            () if list.next_update <= now => State::Lapsed,
            () if due_at(list) <= now => State::Due,
            () if behind => State::Behind,
            () => State::Current,
        };
        let (next_update, from_now) = (rfc3339(list.next_update), from_now(list.next_update, now));
        Self { number: list.number, next_update, state, from_now }
    }

    /// Whether clients will soon be without a list.
    pub(super) fn is_lapsing(&self) -> bool {
        matches!(self.state, State::Due | State::Lapsed)
    }

    /// `list 7 lapses in 2 hours`.
    pub(super) fn in_words(&self) -> String {
        let Self { number, from_now, .. } = self;
        match self.state {
            State::Current => format!("list {number} says all and lapses {from_now}"),
            State::Behind => format!("list {number} does not know of the latest revocations; it lapses {from_now}"),
            State::Due => format!("list {number} lapses {from_now}"),
            State::Lapsed => {
                format!("list {number} lapsed {from_now}: clients that look for it refuse every certificate")
            }
        }
    }
}

/// When the next list is due: once three quarters of the time of this one are over.
pub(super) fn due_at(list: &SignedList) -> OffsetDateTime {
    list.this_update + (list.next_update - list.this_update) * 3 / 4
}
