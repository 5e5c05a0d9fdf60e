//! Revocations in the ledger in SQLite: made, lifted, remembered.

use super::audit::log;
use super::{Failure, rows};
use crate::ca::ledger::revocation::{Standing, may_release, may_revoke};
use crate::ca::ledger::rows::RevocationRow;
use crate::ca::ledger::{Act, AuthorityId, LedgerError, Query, Record, RecordId, Revocation};
use crate::x509::SerialNumber;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

/// Revokes a certificate or puts it on hold.
pub(super) fn revoke(
    transaction: &Transaction<'_>,
    by: AuthorityId,
    serial: &SerialNumber,
    revocation: Revocation,
    act: &Act,
) -> Result<Record, Failure> {
    let standing = may_revoke(find(transaction, by, serial)?, revocation, act.at)?;
    stand(transaction, by, standing, act)
}

/// Lifts a hold.
pub(super) fn release(
    transaction: &Transaction<'_>,
    by: AuthorityId,
    serial: &SerialNumber,
    act: &Act,
) -> Result<Record, Failure> {
    let standing = may_release(find(transaction, by, serial)?, act.at)?;
    stand(transaction, by, standing, act)
}

/// What became of a certificate, the oldest first.
pub(super) fn history(connection: &Connection, id: i64) -> rusqlite::Result<Vec<RevocationRow>> {
    let mut statement = connection
        .prepare("SELECT revoked_at, reason, invalid_since FROM revocations WHERE certificate = ?1 ORDER BY id")?;
    let rows = statement.query_map(params![id], |row| RevocationRow::at(row, 0))?;
    rows.collect()
}

/// The certificate, which is not the authority's own.
fn find(transaction: &Transaction<'_>, by: AuthorityId, serial: &SerialNumber) -> Result<Record, Failure> {
    let query = Query { serial: Some(serial.clone()), ..Query::default() };
    match rows::select(transaction, by, &query)?.pop() {
        Some(row) => Ok(row.into_record()?),
        None => Err(absent(transaction, by, serial)?.into()),
    }
}

/// Why a serial number is not found.
fn absent(
    transaction: &Transaction<'_>,
    AuthorityId(by): AuthorityId,
    serial: &SerialNumber,
) -> rusqlite::Result<LedgerError> {
    let own: Option<i64> = transaction
        .query_row(
            "SELECT id FROM certificates WHERE authority = ?1 AND serial = ?2",
            params![by, serial.content()],
            |row| row.get(0),
        )
        .optional()?;
    let serial = serial.clone();
    Ok(if own.is_some() { LedgerError::Own { serial } } else { LedgerError::Unknown { serial } })
}

/// Writes how a certificate stands, and remembers the change.
fn stand(transaction: &Transaction<'_>, by: AuthorityId, standing: Standing, act: &Act) -> Result<Record, Failure> {
    let row = standing.record.revocation.map(RevocationRow::of);
    let RecordId(id) = standing.record.id;
    transaction.execute(
        "UPDATE certificates SET revoked_at = ?2, reason = ?3, invalid_since = ?4 WHERE id = ?1",
        params![
            id,
            row.as_ref().map(|row| row.revoked_at),
            row.as_ref().map(|row| row.reason),
            row.as_ref().and_then(|row| row.invalid_since)
        ],
    )?;
    let row = RevocationRow::of(standing.change);
    transaction.execute(
        "INSERT INTO revocations (authority, certificate, revoked_at, reason, invalid_since) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![by.0, id, row.revoked_at, row.reason, row.invalid_since],
    )?;
    log(transaction, by, standing.told(), act)?;
    Ok(standing.record)
}
