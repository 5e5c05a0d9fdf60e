//! The order of the rows of `revocations` against that of the audit log: a delta takes what comes after its base's mark, so
//! rows that changed places would be left out of it.

use std::collections::BTreeMap;

use super::log::agree;
use super::seen::Seen;
use crate::ca::ledger::{AuthorityId, Examined, Mark, SignedList};

/// Where each step of revocation stands in both orders: 16 octets for each.
#[derive(Debug, Default)]
pub(super) struct Order {
    steps: BTreeMap<AuthorityId, Vec<Placed>>,
}

/// A step of revocation.
#[derive(Debug)]
struct Placed {
    /// Its place in the audit log; 0 for all that is older than the order of rows.
    line: u32,
    mark: Mark,
}

impl Order {
    /// Takes note of a row's steps, as far as the log tells the same of them.
    pub(super) fn take(&mut self, row: &Examined, seen: &mut Seen) {
        if row.history.is_empty() {
            return;
        }
        let Some(recorded) = seen.recording(&row.fingerprint, row.authority).map(|it| it.order) else { return };
        let told = seen.changes(&row.fingerprint).iter().filter(|change| change.order > recorded);
        let steps = self.steps.entry(row.authority).or_default();
        for (told, step) in told.zip(&row.history).take_while(|(told, step)| agree(told, step)) {
            steps.push(Placed { line: seen.place_in_order(told.order), mark: step.mark });
        }
    }

    /// Makes ready to be asked. Gives each row that stands before one that the log has before it.
    pub(super) fn sort(&mut self) -> Vec<(AuthorityId, Mark, Mark)> {
        let mut displaced = Vec::new();
        for (authority, steps) in &mut self.steps {
            steps.sort_unstable_by_key(|step| (step.line, step.mark));
            let mut greatest = Mark::BEGINNING;
            for step in steps {
                if step.mark < greatest {
                    displaced.push((*authority, step.mark, greatest));
                }
                greatest = greatest.max(step.mark);
            }
        }
        displaced
    }

    /// The row that this list is said to have, and that by the log came after it.
    pub(super) fn came_after(&self, list: &SignedList, by: AuthorityId, seen: &Seen) -> Option<Mark> {
        let (steps, line) = (self.steps.get(&by)?, seen.line_of_list(&list.fingerprint, by)?);
        let next = steps.get(steps.partition_point(|step| step.line <= line))?;
        (next.mark <= list.mark).then_some(next.mark)
    }
}
