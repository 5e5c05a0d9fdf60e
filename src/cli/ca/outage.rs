//! What a server says of something that fails again and again: each reason once, and when it is over.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::cli::output::Session;
use crate::cli::text::good;

/// Something that goes wrong, and may be well again.
#[derive(Debug)]
pub(super) struct Outage {
    /// What does not work, said before the reason.
    what: &'static str,
    /// What works again.
    over: &'static str,
    /// How long nothing may have failed before it is over.
    calm: Duration,
    standing: Option<(anyhow::Error, Instant)>,
    /// The reasons that were told since it began.
    told: BTreeSet<String>,
}

impl Outage {
    pub(super) fn new(what: &'static str, over: &'static str, calm: Duration) -> Self {
        Self { what, over, calm, standing: None, told: BTreeSet::new() }
    }

    /// Takes note of an attempt that failed, or did not. Gives whether it just became over.
    pub(super) fn see(&mut self, failed: Option<anyhow::Error>, session: &mut Session) -> bool {
        match failed {
            Some(error) => {
                let why = format!("{error:#}");
                if self.told.len() < MOST_TOLD && self.told.insert(why.clone()) {
                    session.warn(format_args!("{}: {why}", self.what));
                }
                self.standing = Some((error, Instant::now()));
                false
            }
            None if self.standing.as_ref().is_some_and(|(_, last)| last.elapsed() >= self.calm) => {
                session.say(format_args!("{} {}", good("well again:"), self.over));
                (self.standing, self.told) = (None, BTreeSet::new());
                true
            }
            None => false,
        }
    }

    /// Whether it goes on.
    pub(super) fn is_on(&self) -> bool {
        self.standing.is_some()
    }

    /// The last reason, where it goes on.
    pub(super) fn into_standing(self) -> Option<anyhow::Error> {
        self.standing.map(|(error, _)| error)
    }
}

/// Reasons of one outage: a database that restarts has several.
const MOST_TOLD: usize = 8;
