//! Revocation lists in the ledger in SQLite: their entries, their numbers, and those that were signed.

use std::ops::ControlFlow;

use super::Failure;
use super::audit::log;
use crate::ca::ledger::act::Done;
use crate::ca::ledger::detail;
use crate::ca::ledger::rows::{RevocationRow, moment};
use crate::ca::ledger::{Act, AuthorityId, LedgerError, ListQuery, Mark, Numbered, Revoked, SignedList};
use crate::x509::SerialNumber;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params, params_from_iter};
use time::OffsetDateTime;

/// Shows what belongs on a list, entry by entry. One statement sees one moment of the database.
pub(super) fn entries(
    connection: &Connection,
    AuthorityId(by): AuthorityId,
    since: Option<Mark>,
    visit: &mut dyn FnMut(Revoked) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let mut statement = connection.prepare(if since.is_some() { CHANGES } else { STANDING })?;
    let mut rows = match since {
        None => statement.query(params![by])?,
        Some(Mark(mark)) => statement.query(params![by, mark])?,
    };
    while let Some(row) = rows.next()? {
        let serial = SerialNumber::from_content(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?);
        let revocation = RevocationRow::at(row, 1)?.read().map_err(|wrong| of_serial(&serial, &wrong))?;
        let not_after = moment(row.get(4)?).ok_or_else(|| of_serial(&serial, "not_after"))?;
        if visit(Revoked { serial, revocation, not_after }).is_break() {
            break;
        }
    }
    Ok(())
}

/// Hands out a number that is greater than every other and than `above`.
pub(super) fn next_number(
    transaction: &Transaction<'_>,
    AuthorityId(by): AuthorityId,
    above: u64,
) -> Result<Numbered, Failure> {
    let above = i64::try_from(above).unwrap_or(i64::MAX);
    let number = transaction.query_row(
        "UPDATE authorities SET crl_number = max(crl_number, ?2) + 1 WHERE id = ?1 AND max(crl_number, ?2) < ?3
         RETURNING crl_number",
        params![by, above, i64::MAX],
        |row| row.get(0),
    );
    let number = number.optional()?.ok_or(LedgerError::NoNumber)?;
    let mark = transaction.query_row(
        "SELECT coalesce(max(id), 0) FROM revocations WHERE authority = ?1",
        params![by],
        |row| row.get(0).map(Mark),
    )?;
    Ok(Numbered { number: unsigned(number), mark })
}

/// Records a list.
pub(super) fn record(
    transaction: &Transaction<'_>,
    by: AuthorityId,
    list: &SignedList,
    act: &Act,
) -> Result<(), Failure> {
    let SignedList { number, base, scope, this_update, next_update, fingerprint, entries, mark: Mark(mark) } = list;
    let drawn = transaction
        .query_row("SELECT crl_number FROM authorities WHERE id = ?1", params![by.0], |row| row.get(0).map(unsigned))?;
    if *number == 0 || *number > drawn {
        return Err(LedgerError::UnknownNumber { number: *number }.into());
    }
    if let Some(base) = base {
        let query = ListQuery::base(scope, *base);
        if *base >= *number || find(transaction, by, &query)?.is_empty() {
            return Err(LedgerError::NoBase { number: *base }.into());
        }
    }
    let added = transaction.execute(
        "INSERT INTO lists (authority, number, base, scope, this_update, next_update, fingerprint, entries, mark)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
        params![
            by.0,
            signed(*number),
            base.map(signed),
            scope,
            this_update.unix_timestamp(),
            next_update.unix_timestamp(),
            fingerprint,
            signed(*entries),
            mark
        ],
    )?;
    if added == 0 {
        return Err(LedgerError::ListRecorded { number: *number }.into());
    }
    let detail = list.detail();
    log(transaction, by, Done { fingerprint: fingerprint.clone(), serial: None, detail }, act)?;
    Ok(())
}

/// Whether the last line about this list says that it went nowhere.
pub(super) fn is_undelivered(
    connection: &Connection,
    AuthorityId(by): AuthorityId,
    list: &SignedList,
) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare_cached(
        "SELECT detail FROM audit WHERE fingerprint = ?2 AND authority = ?1 AND what = 'crl' ORDER BY number DESC LIMIT 1",
    )?;
    let last: Option<String> = statement.query_row(params![by, list.fingerprint], |row| row.get(0)).optional()?;
    Ok(last.is_some_and(|said| detail::is_undelivered(&said)))
}

/// The lists that match, the greatest number first.
pub(super) fn find(
    connection: &Connection,
    AuthorityId(by): AuthorityId,
    query: &ListQuery,
) -> rusqlite::Result<Vec<SignedList>> {
    let ListQuery { scope, delta, number, latest, limit } = query;
    let mut sql = "SELECT number, base, scope, this_update, next_update, fingerprint, entries, mark FROM lists
                   WHERE authority = ?"
        .to_owned();
    let mut values = vec![Value::Integer(by)];
    if let Some(number) = number {
        sql.push_str(" AND number = ?");
        values.push(Value::Integer(signed(*number)));
    }
    if let Some(scope) = scope {
        sql.push_str(" AND scope = ?");
        values.push(Value::Text(scope.clone()));
    }
    match delta {
        Some(true) => sql.push_str(" AND base IS NOT NULL"),
        Some(false) => sql.push_str(" AND base IS NULL"),
        None => {}
    }
    if *latest {
        sql.push_str(
            " AND (scope, base IS NULL, number) IN
             (SELECT scope, base IS NULL, max(number) FROM lists WHERE authority = ? GROUP BY scope, base IS NULL)",
        );
        values.push(Value::Integer(by));
    }
    sql.push_str(" ORDER BY number DESC, id DESC");
    if let Some(limit) = limit {
        sql.push_str(" LIMIT ?");
        values.push(Value::Integer((*limit).into()));
    }
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map(params_from_iter(values), read)?;
    rows.collect()
}

/// Shows all of them in the order of their rows.
pub(super) fn rows(connection: &Connection, visit: &mut dyn FnMut(i64, AuthorityId, Vec<u8>)) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("SELECT id, authority, fingerprint FROM lists ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        visit(row.get(0)?, AuthorityId(row.get(1)?), row.get(2)?);
    }
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<SignedList> {
    let time = |index| Ok::<_, rusqlite::Error>(moment(row.get(index)?).unwrap_or(OffsetDateTime::UNIX_EPOCH));
    Ok(SignedList {
        number: unsigned(row.get(0)?),
        base: row.get::<_, Option<i64>>(1)?.map(unsigned),
        scope: row.get(2)?,
        this_update: time(3)?,
        next_update: time(4)?,
        fingerprint: row.get(5)?,
        entries: unsigned(row.get(6)?),
        mark: Mark(row.get(7)?),
    })
}

fn of_serial(serial: &SerialNumber, column: &str) -> String {
    format!("the {column} of the certificate with serial number {serial} cannot be read")
}

/// The database counts in 63 bits.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// Every certificate that is revoked, by serial number.
const STANDING: &str = "SELECT serial, revoked_at, reason, invalid_since, not_after FROM certificates
     WHERE authority = ?1 AND revoked_at IS NOT NULL ORDER BY serial";

/// Every certificate whose revocation changed after a mark, as it changed last.
const CHANGES: &str = "SELECT serial, change.revoked_at, change.reason, change.invalid_since, not_after
     FROM revocations AS change CROSS JOIN certificates ON certificates.id = change.certificate
     WHERE change.authority = ?1 AND change.id > ?2
     AND NOT EXISTS (SELECT 1 FROM revocations AS later WHERE later.certificate = change.certificate AND later.id > change.id)
     ORDER BY change.id";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::ca::ledger::schema;

    #[test]
    fn a_list_is_read_from_an_index_in_its_order() {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection).unwrap().unwrap();
        let standing = "SEARCH certificates USING COVERING INDEX certificates_for_lists (authority=?)";
        let changes = "SEARCH change USING INDEX revocations_by_authority (authority=? AND id>?)";
        let listed = "INDEX lists_by_number (authority=?";
        let newest = "SELECT number FROM lists WHERE authority = ? AND scope = ? ORDER BY number DESC, id DESC";
        for (sql, way) in [(STANDING, standing), (CHANGES, changes), (newest, listed)] {
            let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let values = (0..plan.parameter_count()).map(|_| Value::Integer(1));
            let steps = plan.query_map(params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
            let steps: Vec<String> = steps.map(Result::unwrap).collect();
            assert!(steps.iter().any(|step| step.contains(way)), "{sql}: {steps:?}");
            // What has to be sorted as a whole has to be held as a whole.
            assert!(!steps.iter().any(|step| step == "USE TEMP B-TREE FOR ORDER BY"), "{sql}: {steps:?}");
        }
    }
}
