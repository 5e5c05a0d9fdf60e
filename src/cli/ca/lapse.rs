//! How the last revocation lists stand: clients refuse everything once one has lapsed and no new one is there.

use serde::Serialize;
use time::OffsetDateTime;

use crate::ca::{Authority, SignedList};
use crate::cli::clock::{from_now, rfc3339};
use crate::cli::text::for_shell;

/// The last complete list for a distribution point, or for none.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Lapse {
    /// Its cRLNumber.
    pub(super) number: u64,
    /// By when a new one must be there.
    pub(super) next_update: String,
    /// How it stands.
    pub(super) state: State,
    /// The distribution point that it is for.
    url: Option<String>,
    #[serde(skip)]
    from_now: String,
    /// The delta that says what it does not.
    #[serde(skip)]
    with_delta: Option<u64>,
}

/// How a list stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// It holds and says all, with its last delta if there is one.
    Current,
    /// A certificate was revoked or released since.
    Behind,
    /// Three quarters of its time are over.
    Due,
    /// It was signed and went nowhere.
    Lost,
    /// Its time is over.
    Lapsed,
}

impl Lapse {
    /// The last complete lists of an authority, one for each distribution point and one for none, the one that is worst off
    /// first.
    pub(super) fn of_all(authority: &mut Authority, now: OffsetDateTime) -> anyhow::Result<Vec<Self>> {
        let mut all = Vec::new();
        let (complete, deltas) = (authority.last_lists(false)?, authority.last_lists(true)?);
        for list in complete {
            // RFC 5280 §5.2.4: together they say what a complete list of the delta's time would.
            let told = |delta: &&SignedList| {
                let upon = delta.base.is_some_and(|base| base <= list.number) && list.number < delta.number;
                delta.scope == list.scope && upon && now < delta.next_update
            };
            let delta = deltas.iter().find(told);
            let delta = match delta {
                Some(delta) if authority.is_undelivered(delta)? => None,
                other => other,
            };
            let behind = authority.has_changed_since(delta.unwrap_or(&list))?;
            let lost = authority.is_undelivered(&list)?;
            let with_delta = match delta {
                Some(delta) if authority.has_changed_since(&list)? => Some(delta.number),
                _ => None,
            };
            all.push(Self { with_delta, ..Self::of(&list, lost, behind, now) });
        }
        all.sort_by_key(|lapse| std::cmp::Reverse(lapse.state));
        Ok(all)
    }

    fn of(list: &SignedList, lost: bool, behind: bool, now: OffsetDateTime) -> Self {
        let state = match () {
            () if list.next_update <= now => State::Lapsed,
            () if lost => State::Lost,
            () if due_at(list) <= now => State::Due,
            () if behind => State::Behind,
            () => State::Current,
        };
        let (next_update, from_now) = (rfc3339(list.next_update), from_now(list.next_update, now));
        let url = Some(list.scope.clone()).filter(|url| !url.is_empty());
        Self { number: list.number, next_update, state, url, from_now, with_delta: None }
    }

    /// Whether it is the one for this distribution point; for none, where that is empty.
    pub(super) fn is_for(&self, url: &str) -> bool {
        self.url.as_deref().unwrap_or_default() == url
    }

    /// How the next one is signed: `certkit ca crl --url http://...`, then `flag`.
    pub(super) fn command(&self, flag: &str) -> String {
        let url = self.url.as_ref().map(|url| format!(" --url {}", for_shell(url))).unwrap_or_default();
        format!("certkit ca crl{url}{flag}")
    }

    /// Whether clients will soon be without a list.
    pub(super) fn is_lapsing(&self) -> bool {
        matches!(self.state, State::Due | State::Lost | State::Lapsed)
    }

    /// `list 7 lapses in 2 hours`.
    pub(super) fn in_words(&self) -> String {
        let Self { number, from_now, url, with_delta, .. } = self;
        let list = match url {
            None => format!("list {number}"),
            Some(url) => format!("list {number} for {url}"),
        };
        match self.state {
            State::Current => match with_delta {
                None => format!("{list} says all and lapses {from_now}"),
                Some(delta) => format!("{list} says all together with its delta, list {delta}; it lapses {from_now}"),
            },
            State::Behind => format!("{list} does not know of the latest revocations; it lapses {from_now}"),
            State::Lost => format!("{list} was signed and not delivered, so that clients do not have it"),
            State::Due => format!("{list} lapses {from_now}"),
            State::Lapsed => {
                format!("{list} lapsed {from_now}: clients that look for it refuse every certificate")
            }
        }
    }
}

/// When the next list is due: once three quarters of the time of this one are over.
pub(super) fn due_at(list: &SignedList) -> OffsetDateTime {
    list.this_update + (list.next_update - list.this_update) * 3 / 4
}
