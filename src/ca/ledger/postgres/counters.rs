//! The counters from which the rows of the ledger in PostgreSQL have their ids: the sequences of identity columns.
//!
//! A sequence falls behind its table where rows come without it: by logical replication, or a restore of data alone.

use super::Failure;
use crate::ca::ledger::{Flaw, Mended, flaw};
use ::postgres::Transaction;
use ::postgres::error::{DbError, SqlState};

/// Shows which counters hand out no id that is free, of the tables that are there.
pub(super) fn integrity(
    moment: &mut Transaction<'_>,
    absent: &[&str],
    visit: &mut dyn FnMut(Flaw),
) -> Result<(), Failure> {
    for &table in COUNTED.iter().filter(|table| !absent.contains(table)) {
        if let Some(sequence) = moment.query_opt(SEQUENCE, &[&format!("certkit.{table}")])?
            && !sequence.try_get::<_, bool>(2)?
        {
            let name: String = sequence.try_get(0)?;
            visit(Flaw::unseen(format!(
                "the row counter of {table} was not looked at: this user of the database lacks SELECT on the sequence {name}"
            )));
        }
    }
    for Stuck { table, next, last, at_limit, .. } in stuck(moment, absent)? {
        visit(if at_limit { Flaw::last_row(table) } else { Flaw::counter(table, next, last) });
    }
    Ok(())
}

/// Sets counters that hand out no free id after the last row of their table. All tables are there.
pub(super) fn mend(transaction: &mut Transaction<'_>, mended: &mut Vec<Mended>) -> Result<(), Failure> {
    for Stuck { table, sequence, last, .. } in stuck(transaction, &[])?.into_iter().filter(|stuck| !stuck.at_limit) {
        let first_free = last.saturating_add(1).max(1);
        // What is rolled back with this does not take it along, and need not.
        transaction.execute("SELECT setval($1::text::regclass, $2, false)", &[&sequence, &first_free])?;
        mended.push(Mended::counter(table));
    }
    Ok(())
}

/// What a row was refused for, where that was its counter.
pub(super) fn told(error: &DbError) -> Option<String> {
    match *error.code() {
        SqlState::SEQUENCE_GENERATOR_LIMIT_EXCEEDED => {
            Some(format!("a row counter is at its end: {}", error.message()))
        }
        SqlState::UNIQUE_VIOLATION => {
            let (table, constraint) = (error.table()?, error.constraint()?);
            let is_counted = COUNTED.contains(&table) && constraint.strip_prefix(table) == Some("_pkey");
            is_counted.then(|| flaw::stuck_counter(table))
        }
        _ => None,
    }
}

/// A counter that hands out no id that is free.
struct Stuck {
    table: &'static str,
    sequence: String,
    /// Where it would go on, unless it is at its end.
    next: Option<i64>,
    /// The last row of its table.
    last: i64,
    /// Whether no counter goes on after that.
    at_limit: bool,
}

fn stuck(moment: &mut Transaction<'_>, absent: &[&str]) -> Result<Vec<Stuck>, Failure> {
    let mut stuck = Vec::new();
    for &table in COUNTED.iter().filter(|table| !absent.contains(table)) {
        // That an identity is missing is told elsewhere.
        let Some(sequence) = moment.query_opt(SEQUENCE, &[&format!("certkit.{table}")])? else { continue };
        let (sequence, greatest, is_seen): (String, i64, bool) =
            (sequence.try_get(0)?, sequence.try_get(1)?, sequence.try_get(2)?);
        if !is_seen {
            continue;
        }
        let row = moment.query_one(
            &format!("SELECT last_value, is_called, (SELECT coalesce(max(id), 0) FROM {table}) FROM {sequence}"),
            &[],
        )?;
        let (value, is_called, last): (i64, bool, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let next = if is_called { value.checked_add(1) } else { Some(value) }.filter(|next| *next <= greatest);
        if next.is_none_or(|next| next <= last) {
            stuck.push(Stuck { table, sequence, next, last, at_limit: last >= greatest });
        }
    }
    Ok(stuck)
}

/// The sequence of a table's identity, how far it goes, and whether this user may look at it.
const SEQUENCE: &str = "SELECT seqrelid::regclass::text, seqmax, has_sequence_privilege(seqrelid, 'SELECT')
    FROM pg_depend JOIN pg_sequence ON seqrelid = objid
    WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND deptype = 'i'
    AND refobjid = to_regclass($1)";

/// The tables whose ids are counted.
const COUNTED: &[&str] = &["authorities", "certificates", "revocations", "lists"];
