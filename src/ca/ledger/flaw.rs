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

    /// A guard or an index is not there.
    pub(super) fn missing_part(name: &str) -> Self {
        Self::mends(format!("{name}, which is part of every ledger, is missing"))
    }

    /// A table is not there.
    pub(super) fn missing_table(name: &str) -> Self {
        let what = missing_table(name);
        if is_made_again(name) { Self::mends(what) } else { Self::lost(what) }
    }
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

    /// A table that is empty now.
    pub(super) fn table(name: &str) -> Self {
        let caution = (name == "lists").then(|| {
            "the lists that were signed are not in it: a backup has them, and the next list is a complete one"
                .to_owned()
        });
        Self { what: format!("the table {name}"), caution }
    }
}
