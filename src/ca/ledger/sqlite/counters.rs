//! The counters from which the rows of the ledger in SQLite have their ids (`sqlite_sequence`): no id is given twice.
//!
//! One that fell behind does no harm, for SQLite goes on after the last row too. One at its end lets nobody add a row, and
//! SQLite says of that what it says of a disk that is full.

use super::Failure;
use crate::ca::ledger::{Flaw, Mended, flaw};
use rusqlite::{Connection, ErrorCode, params};

/// Shows which counters are at their end.
pub(super) fn integrity(connection: &Connection, visit: &mut dyn FnMut(Flaw)) -> rusqlite::Result<()> {
    for (table, last) in at_end(connection)? {
        visit(if last == i64::MAX { Flaw::last_row(&table) } else { Flaw::counter(&table, None, last) });
    }
    Ok(())
}

/// Sets counters that are at their end after the last row of their table.
pub(super) fn mend(connection: &Connection, mended: &mut Vec<Mended>) -> rusqlite::Result<()> {
    for (table, last) in at_end(connection)?.into_iter().filter(|(_, last)| *last < i64::MAX) {
        connection.execute("UPDATE sqlite_sequence SET seq = ?2 WHERE name = ?1", params![table, last])?;
        mended.push(Mended::counter(&table));
    }
    Ok(())
}

/// Tells a counter at its end from a disk that is full.
pub(super) fn told_from_full(connection: &Connection, failure: Failure) -> Failure {
    let is_full = |error: &rusqlite::Error| error.sqlite_error_code() == Some(ErrorCode::DiskFull);
    match &failure {
        Failure::Database(error) if is_full(error) => match at_end(connection).unwrap_or_default().first() {
            Some((table, _)) => Failure::Damaged(flaw::stuck_counter(table)),
            None => failure,
        },
        _ => failure,
    }
}

/// The tables whose counters are at their end, each with the id of its last row.
fn at_end(connection: &Connection) -> rusqlite::Result<Vec<(String, i64)>> {
    let mut found = Vec::new();
    for table in COUNTED {
        let is_there = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1";
        if connection.query_row(is_there, params![table], |row| row.get::<_, i64>(0))? == 0 {
            continue;
        }
        // As SQLite reads the counter, whatever somebody wrote there.
        let (counter, last): (i64, i64) = connection.query_row(
            &format!(
                "SELECT coalesce((SELECT max(CAST(seq AS INTEGER)) FROM sqlite_sequence WHERE name = ?1), 0),
                 coalesce((SELECT max(id) FROM {table}), 0)"
            ),
            params![table],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        if counter.max(last) == i64::MAX {
            found.push(((*table).to_owned(), last));
        }
    }
    Ok(found)
}

/// The tables whose ids are counted.
const COUNTED: &[&str] = &["certificates", "revocations", "lists"];
