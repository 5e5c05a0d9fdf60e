//! Revocations in the ledger in PostgreSQL: made, lifted, remembered.

use super::Failure;
use super::audit::Writing;
use super::rows::{self, revocation as read_revocation};
use crate::ca::ledger::revocation::{Standing, may_release, may_revoke};
use crate::ca::ledger::rows::RevocationRow;
use crate::ca::ledger::{Act, AuthorityId, LedgerError, Query, Record, RecordId, Revocation};
use crate::x509::SerialNumber;
use ::postgres::Transaction;

/// Revokes a certificate or puts it on hold.
pub(super) fn revoke(
    writing: &mut Writing<'_>,
    by: AuthorityId,
    serial: &SerialNumber,
    revocation: Revocation,
    act: &Act,
) -> Result<Record, Failure> {
    let record = find(writing, by, serial)?;
    let standing = may_revoke(record, revocation, act.at)?;
    stand(writing, by, standing, act)
}

/// Lifts a hold.
pub(super) fn release(
    writing: &mut Writing<'_>,
    by: AuthorityId,
    serial: &SerialNumber,
    act: &Act,
) -> Result<Record, Failure> {
    let record = find(writing, by, serial)?;
    let standing = may_release(record, act.at)?;
    stand(writing, by, standing, act)
}

/// What became of a certificate, the oldest first.
pub(super) fn history(moment: &mut Transaction<'_>, RecordId(id): RecordId) -> Result<Vec<Revocation>, Failure> {
    let rows = moment.query(
        "SELECT revoked_at, reason, invalid_since FROM revocations WHERE certificate = $1 ORDER BY id",
        &[&id],
    )?;
    let wrong = |column| format!("the {column} of a revocation cannot be read");
    rows.iter().map(|row| Ok(read_revocation(row, 0)?.read().map_err(wrong)?)).collect()
}

/// The certificate, which is not the authority's own.
fn find(writing: &mut Writing<'_>, by: AuthorityId, serial: &SerialNumber) -> Result<Record, Failure> {
    let query = Query { serial: Some(serial.clone()), ..Query::default() };
    if let Some(record) = rows::select(writing, by, &query)?.pop() {
        return Ok(record);
    }
    let own = writing
        .query_opt("SELECT id FROM certificates WHERE authority = $1 AND serial = $2", &[&by.0, &serial.content()])?;
    let serial = serial.clone();
    Err(if own.is_some() { LedgerError::Own { serial } } else { LedgerError::Unknown { serial } }.into())
}

/// Writes how a certificate stands, and remembers the change.
fn stand(writing: &mut Writing<'_>, by: AuthorityId, standing: Standing, act: &Act) -> Result<Record, Failure> {
    let row = standing.record.revocation.map(RevocationRow::of);
    let RecordId(id) = standing.record.id;
    writing.execute(
        "UPDATE certificates SET revoked_at = $2, reason = $3, invalid_since = $4 WHERE id = $1",
        &[
            &id,
            &row.as_ref().map(|row| row.revoked_at),
            &row.as_ref().map(|row| row.reason),
            &row.as_ref().and_then(|row| row.invalid_since),
        ],
    )?;
    let row = RevocationRow::of(standing.change);
    writing.execute(
        "INSERT INTO revocations (authority, certificate, revoked_at, reason, invalid_since) VALUES ($1, $2, $3, $4, $5)",
        &[&by.0, &id, &row.revoked_at, &row.reason, &row.invalid_since],
    )?;
    writing.log(standing.told().line(by, act));
    Ok(standing.record)
}
