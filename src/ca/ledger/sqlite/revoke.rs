//! Revocations in the ledger in SQLite: made, lifted, remembered.

use super::audit::log;
use super::{Failure, rows};
use crate::ca::ledger::act::Done;
use crate::ca::ledger::rows::RevocationRow;
use crate::ca::ledger::{Act, AuthorityId, LedgerError, Query, Record, RecordId, Revocation};
use crate::x509::SerialNumber;
use crate::x509::extension::CrlReason;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

/// Revokes a certificate or puts it on hold.
pub(super) fn revoke(
    transaction: &Transaction<'_>,
    by: AuthorityId,
    serial: &SerialNumber,
    revocation: Revocation,
    act: &Act,
) -> Result<Record, Failure> {
    if revocation.reason == CrlReason::RemoveFromCrl {
        return Err(LedgerError::NoReason.into());
    }
    let mut record = find(transaction, by, serial)?;
    if let Some(standing) = record.revocation.filter(|standing| !standing.is_hold() || revocation.is_hold()) {
        return Err(LedgerError::AlreadyRevoked { serial: serial.clone(), revocation: standing }.into());
    }
    stand(transaction, by, record.id, Some(revocation), revocation)?;
    let detail = revocation.reason.name().to_owned();
    log(transaction, by, Done { fingerprint: record.fingerprint.clone(), serial: Some(serial), detail }, act)?;
    record.revocation = Some(revocation);
    Ok(record)
}

/// Lifts a hold.
pub(super) fn release(
    transaction: &Transaction<'_>,
    by: AuthorityId,
    serial: &SerialNumber,
    act: &Act,
) -> Result<Record, Failure> {
    let mut record = find(transaction, by, serial)?;
    if !record.revocation.is_some_and(|standing| standing.is_hold()) {
        return Err(LedgerError::NotOnHold { serial: serial.clone(), revocation: record.revocation }.into());
    }
    stand(transaction, by, record.id, None, Revocation::new(act.at, CrlReason::RemoveFromCrl))?;
    let done = Done { fingerprint: record.fingerprint.clone(), serial: Some(serial), detail: String::new() };
    log(transaction, by, done, act)?;
    record.revocation = None;
    Ok(record)
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
fn stand(
    transaction: &Transaction<'_>,
    AuthorityId(by): AuthorityId,
    RecordId(id): RecordId,
    standing: Option<Revocation>,
    change: Revocation,
) -> rusqlite::Result<()> {
    let row = standing.map(RevocationRow::of);
    transaction.execute(
        "UPDATE certificates SET revoked_at = ?2, reason = ?3, invalid_since = ?4 WHERE id = ?1",
        params![
            id,
            row.as_ref().map(|row| row.revoked_at),
            row.as_ref().map(|row| row.reason),
            row.as_ref().and_then(|row| row.invalid_since)
        ],
    )?;
    let change = RevocationRow::of(change);
    transaction.execute(
        "INSERT INTO revocations (authority, certificate, revoked_at, reason, invalid_since) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![by, id, change.revoked_at, change.reason, change.invalid_since],
    )?;
    Ok(())
}
