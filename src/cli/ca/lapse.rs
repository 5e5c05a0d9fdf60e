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
    /// When that delta lapses, where it is due.
    #[serde(skip)]
    delta_lapses: Option<String>,
    /// Its thisUpdate, where that is to come.
    #[serde(skip)]
    counts_from: Option<String>,
    /// The number of the last list or delta for the same, where the thisUpdate of that is to come: none is signed after it
    /// unless told to.
    #[serde(skip)]
    last_ahead: Option<u64>,
}

/// How a list stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// It holds and says all, with its last delta if there is one.
    Current,
    /// A certificate was revoked or released since.
    Behind,
    /// A number was handed out after those of all lists that the ledger has: to a list that was taken over, or whose signing
    /// broke off.
    Overtaken,
    /// Three quarters of its time are over, or of that of the delta without which it does not say all.
    Due,
    /// It was signed and went nowhere.
    Lost,
    /// Its thisUpdate is to come (RFC 5280 §5.1.2.4), as where the clock was ahead when it was signed.
    Ahead,
    /// Its time is over.
    Lapsed,
}

impl Lapse {
    /// The last complete lists of an authority, one for each distribution point and one for none, the one that is worst off
    /// first.
    pub(super) fn of_all(authority: &mut Authority, now: OffsetDateTime) -> anyhow::Result<Vec<Self>> {
        let mut all = Vec::new();
        // Before the lists: whatever is signed meanwhile has a greater number.
        let handed_out = authority.last_crl_number()?;
        let (complete, deltas) = (authority.last_lists(false)?, authority.last_lists(true)?);
        let is_overtaken = complete.iter().chain(&deltas).all(|list| list.number < handed_out);
        for list in &complete {
            // RFC 5280 §5.2.4: together they say what a complete list of the delta's time would.
            let told = |delta: &&SignedList| {
                let upon = delta.base.is_some_and(|base| base <= list.number) && list.number < delta.number;
                delta.scope == list.scope && upon && delta.this_update <= now && now < delta.next_update
            };
            let delta = deltas.iter().find(told);
            let delta = match delta {
                Some(delta) if authority.is_undelivered(delta)? => None,
                other => other,
            };
            let behind = authority.has_changed_since(delta.unwrap_or(list))?;
            let lost = authority.is_undelivered(list)?;
            let delta = match delta {
                Some(delta) if authority.has_changed_since(list)? => Some(delta),
                _ => None,
            };
            let due_delta = delta.filter(|delta| !behind && due_at(delta) <= now);
            let state = match () {
                () if list.next_update <= now => State::Lapsed,
                () if now < list.this_update => State::Ahead,
                () if lost => State::Lost,
                () if due_at(list) <= now || due_delta.is_some() => State::Due,
                () if is_overtaken => State::Overtaken,
                () if behind => State::Behind,
                () => State::Current,
            };
            let of_scope = complete.iter().chain(&deltas).filter(|other| other.scope == list.scope);
            let last = of_scope.max_by_key(|other| other.number);
            all.push(Self {
                number: list.number,
                next_update: rfc3339(list.next_update),
                state,
                url: Some(list.scope.clone()).filter(|url| !url.is_empty()),
                from_now: from_now(list.next_update, now),
                with_delta: delta.map(|delta| delta.number),
                delta_lapses: due_delta.map(|delta| from_now(delta.next_update, now)),
                counts_from: Some(rfc3339(list.this_update)).filter(|_| now < list.this_update),
                last_ahead: last.filter(|last| now < last.this_update).map(|last| last.number),
            });
        }
        all.sort_by_key(|lapse| std::cmp::Reverse(lapse.state));
        Ok(all)
    }

    /// Whether it is the one for this distribution point; for none, where that is empty.
    pub(super) fn is_for(&self, url: &str) -> bool {
        self.url.as_deref().unwrap_or_default() == url
    }

    /// The number of the last list or delta for the same, where that is from a time to come.
    pub(super) fn last_ahead(&self) -> Option<u64> {
        self.last_ahead
    }

    /// How the next one is signed: `certkit ca crl --url http://...`, then `flag`, and `--force` where the last one is from a
    /// time to come.
    pub(super) fn command(&self, flag: &str) -> String {
        let url = self.url.as_ref().map(|url| format!(" --url {}", for_shell(url))).unwrap_or_default();
        let force = if self.last_ahead.is_some() { " --force" } else { "" };
        format!("certkit ca crl{url}{flag}{force}")
    }

    /// Whether clients will soon be without a list.
    pub(super) fn is_lapsing(&self) -> bool {
        matches!(self.state, State::Due | State::Lost | State::Ahead | State::Lapsed)
    }

    /// `list 7 lapses in 2 hours`.
    pub(super) fn in_words(&self) -> String {
        let Self { number, from_now, url, with_delta, delta_lapses, counts_from, last_ahead, .. } = self;
        let list = match url {
            None => format!("list {number}"),
            Some(url) => format!("list {number} for {url}"),
        };
        match self.state {
            State::Current => match with_delta {
                None => format!("{list} says all and lapses {from_now}"),
                Some(delta) => format!("{list} says all together with its delta, list {delta}; it lapses {from_now}"),
            },
            State::Behind => {
                let ahead = last_ahead
                    .map(|last| format!("; list {last}, which is from a time to come, counts for nobody yet"));
                let ahead = ahead.unwrap_or_default();
                format!("{list} does not know of the latest revocations; it lapses {from_now}{ahead}")
            }
            State::Overtaken => format!(
                "a number is taken that is greater than that of {list} and of every other that the ledger has: by a list that was \
                 taken over, or whose signing broke off"
            ),
            State::Lost => format!("{list} was signed and not delivered, so that clients do not have it"),
            State::Ahead => {
                let from = counts_from.as_deref().unwrap_or_default();
                format!(
                    "{list} is from {from}, which is to come: clients that look for it refuse every certificate until then"
                )
            }
            State::Due => match (with_delta, delta_lapses) {
                (Some(delta), Some(lapses)) => {
                    format!("{list} says all together with its delta, list {delta}, and that lapses {lapses}")
                }
                _ => format!("{list} lapses {from_now}"),
            },
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
