//! What makes no sense in a project: all of it is told, and then nothing is done.

use std::path::Path;

use anyhow::{Context, anyhow};

use super::at;
use super::words::of_a_project;
use crate::cli::output::Session;
use crate::cli::problem::Hinted;
use crate::project::WishError;

/// What is wrong with a project, and on which lines.
pub(super) struct Faults<'a> {
    file: &'a Path,
    found: Vec<(u64, anyhow::Error)>,
}

impl<'a> Faults<'a> {
    /// What is wrong with the text of the project.
    pub(super) fn new(file: &'a Path, written: Vec<WishError>) -> Self {
        let mut faults = Self { file, found: Vec::new() };
        for WishError { line, why } in written {
            faults.add(line, Err::<(), _>(anyhow!(why)).hint("certkit apply --help says what a project holds"));
        }
        faults
    }

    /// Whether there is any.
    pub(super) fn are_there(&self) -> bool {
        !self.found.is_empty()
    }

    /// Keeps the error of the entry on this line, if it is one.
    pub(super) fn add<T>(&mut self, line: u64, result: anyhow::Result<T>) -> Option<T> {
        result
            .map_err(of_a_project)
            .with_context(|| at(self.file, line))
            .map_err(|error| self.found.push((line, error)))
            .ok()
    }

    /// The same, and puts what is none to the others.
    pub(super) fn take<T>(&mut self, line: u64, result: anyhow::Result<T>, others: &mut Vec<T>) {
        others.extend(self.add(line, result));
    }

    /// Tells all of them, by their lines.
    ///
    /// # Errors
    /// Where there is any: nothing may be done then.
    pub(super) fn told(self, session: &mut Session) -> anyhow::Result<()> {
        let Self { mut found, .. } = self;
        found.sort_by_key(|(line, _)| *line);
        let count = found.len();
        match found.pop() {
            None => Ok(()),
            Some((_, only)) if found.is_empty() => Err(only),
            Some(last) => {
                found.iter().chain([&last]).for_each(|(_, error)| session.fail(error));
                Err(anyhow!("nothing was done: {count} faults in the project"))
            }
        }
    }
}
