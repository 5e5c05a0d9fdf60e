//! What a database finds wrong with itself.

/// Something that a database finds wrong with itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// What, in a sentence.
    pub what: String,
    /// What becomes of it.
    pub prospect: Prospect,
}

/// What becomes of a [`Flaw`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prospect {
    /// [`super::Ledger::mend`] makes it good.
    Mends,
    /// What is lost is in an earlier copy alone.
    Lost,
    /// Somebody put it there.
    Foreign,
    /// The server is to be set otherwise.
    Setting,
    /// Nothing: this user may not look at it.
    Unseen,
}

impl Flaw {
    pub(super) fn mends(what: String) -> Self {
        Self { what, prospect: Prospect::Mends }
    }

    pub(super) fn lost(what: String) -> Self {
        Self { what, prospect: Prospect::Lost }
    }

    pub(super) fn foreign(what: String) -> Self {
        Self { what, prospect: Prospect::Foreign }
    }

    pub(super) fn setting(what: String) -> Self {
        Self { what, prospect: Prospect::Setting }
    }

    pub(super) fn unseen(what: String) -> Self {
        Self { what, prospect: Prospect::Unseen }
    }

    /// A guard or an index is not there.
    pub(super) fn missing_part(name: &str) -> Self {
        Self::mends(format!("{name}, which is part of every ledger, is missing"))
    }

    /// A table is not there.
    pub(super) fn missing_table(name: &str) -> Self {
        let what = missing_table(name);
        if is_made_again(name) { Self::mends(what) } else { Self::lost(what) }
    }

    /// The counter from which the rows of a table have their ids would go on at `next`, or is at its end, and the last row
    /// is there.
    pub(super) fn counter(table: &str, next: Option<i64>, last: i64) -> Self {
        Self::mends(match next {
            Some(next) => format!(
                "the row counter of {table} has fallen behind: it goes on at {next}, and row {last} is there, so that \
                 rows are refused"
            ),
            None => format!("the row counter of {table} is at its end, and its last row is {last}: rows are refused"),
        })
    }

    /// The last row of a table is the last that the database counts to.
    pub(super) fn last_row(table: &str) -> Self {
        Self::foreign(format!(
            "the last row of {table} is the last that the database counts to: no counter goes on after it"
        ))
    }
}

/// That a table's counter gives no free id to a row that was to be added, in words.
pub(super) fn stuck_counter(table: &str) -> String {
    format!("the row counter of {table} has fallen behind its rows or is at its end")
}

/// That a table is not there, in words.
pub(super) fn missing_table(name: &str) -> String {
    format!("the table {name} is missing")
}

/// Whether a table that is gone is made again: what was in `names` and `audit_head` follows from the rest, and a ledger
/// without its signed lists goes on, their numbers being kept elsewhere. A new table in the place of any other would pass
/// for a ledger in which nothing was recorded.
pub(super) fn is_made_again(table: &str) -> bool {
    ["names", "audit_head", "lists"].contains(&table)
}

/// What was made again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mended {
    /// What, in words.
    pub what: String,
    /// What to be careful of from now on.
    pub caution: Option<String>,
}

impl Mended {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), caution: None }
    }

    /// The head of the audit log, after its last line.
    pub(super) fn head(lines: u64) -> Self {
        let caution = format!(
            "lines that were cut off the end of the audit log, after line {lines}, would not be missed from now on: compare \
             with a head that was written down, certkit ca audit --expect-head HASH, or with a backup"
        );
        Self { what: format!("the head of the audit log, after line {lines}"), caution: Some(caution) }
    }

    /// The counter of a table's rows, after the last of them.
    pub(super) fn counter(table: &str) -> Self {
        Self::new(format!("the row counter of {table}"))
    }

    /// A table that is empty now.
    pub(super) fn table(name: &str) -> Self {
        let caution = (name == "lists").then(|| {
            "the lists that were signed are not in it: a backup has them, and the next list is a complete one"
                .to_owned()
        });
        Self { what: format!("the table {name}"), caution }
    }
}
