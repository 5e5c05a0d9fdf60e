//! What `--exec` has still to do: remembered beside each certificate from before the program runs until it has succeeded, so that
//! a later run makes up for one that failed or was killed.

use std::path::Path;

use super::Outcome;
use crate::cli::files::Reminder;
use crate::cli::output::{Session, shown};

/// Certificates for which the program has to run.
#[derive(Debug, Default)]
pub(super) struct Owed {
    reminders: Vec<Reminder>,
    /// Those that an earlier run has renewed.
    left: Vec<String>,
}

impl Owed {
    /// Adds what was done about the certificate in this place.
    pub(super) fn add(&mut self, place: &Path, outcome: &Outcome) {
        match outcome {
            Outcome::Renewed(_) => self.reminders.push(Reminder::of(place)),
            Outcome::Kept(_) => self.add_left(place),
            Outcome::Failed(_) => {}
        }
    }

    /// Adds the certificate in this place if an earlier run has renewed it, and the program has not succeeded since.
    pub(super) fn add_left(&mut self, place: &Path) {
        let reminder = Reminder::of(place);
        if reminder.is_there() && !self.reminders.contains(&reminder) {
            self.reminders.push(reminder);
            self.left.push(shown(place));
        }
    }

    /// Adds the others.
    pub(super) fn take(&mut self, others: Self) {
        let Self { reminders, left } = others;
        self.reminders.extend(reminders);
        self.left.extend(left);
    }

    /// The files that an earlier run has renewed.
    pub(super) fn left(&self) -> &[String] {
        &self.left
    }

    /// Remembers all, before the program runs: it may not end.
    pub(super) fn remember(&self, session: &mut Session) {
        for reminder in &self.reminders {
            if let Err(error) = reminder.leave(session) {
                session.warn(format_args!("if the program fails no later run makes up for it: {error:#}"));
            }
        }
    }

    /// Forgets all, once it has succeeded.
    pub(super) fn settle(&self, session: &mut Session) {
        for reminder in &self.reminders {
            if let Err(error) = reminder.take_away() {
                session.warn(format_args!("the next run runs the program again: {error:#}"));
            }
        }
    }
}
