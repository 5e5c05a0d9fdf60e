//! What every change of the ledger in SQLite writes: certificates and their names.

use super::Failure;
use super::audit::Log;
use crate::ca::ledger::act::Done;
use crate::ca::ledger::{Act, AuthorityId, Entry, LedgerError, rows, search_names};
use crate::x509::Certificate;
use rusqlite::{Transaction, params};

pub(super) fn insert(
    transaction: &Transaction<'_>,
    by: AuthorityId,
    entries: &[Entry<'_>],
    act: &Act,
) -> Result<(), Failure> {
    // The database decides what is unique: a conflict inserts nothing, whoever was first.
    let mut add = transaction.prepare_cached(
        "INSERT INTO certificates
         (authority, serial, fingerprint, subject, names, not_before, not_after, profile, issued_at, der)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING",
    )?;
    let mut add_name = transaction.prepare_cached("INSERT INTO names (name, certificate) VALUES (?1, ?2)")?;
    let mut log = Log::open(transaction)?;
    let mut line = Done { fingerprint: Vec::new(), serial: None, detail: String::new() }.line(by, act);
    for Entry { certificate, profile } in entries {
        // A certificate whose subjectAltName does not parse is still recorded, and found by serial number.
        let names = certificate.subject_alt_names().unwrap_or_default();
        let added = add.execute(params![
            by.0,
            certificate.serial().content(),
            certificate.fingerprint_sha256(),
            certificate.subject().to_string(),
            rows::write_names(names),
            certificate.validity().not_before.unix_timestamp(),
            certificate.validity().not_after.unix_timestamp(),
            profile,
            act.at.unix_timestamp(),
            certificate.der(),
        ])?;
        if added == 0 {
            return Err(conflict(transaction, certificate)?.into());
        }
        let id = transaction.last_insert_rowid();
        for name in search_names(names, certificate) {
            add_name.execute(params![name, id])?;
        }
        line.tell_recorded(certificate, profile);
        log.add(&mut line)?;
    }
    log.close()?;
    Ok(())
}

/// Which of the two unique things was taken.
fn conflict(transaction: &Transaction<'_>, certificate: &Certificate) -> rusqlite::Result<LedgerError> {
    let serial = certificate.serial().clone();
    let known: bool = transaction.query_row(
        "SELECT EXISTS (SELECT 1 FROM certificates WHERE fingerprint = ?1)",
        params![certificate.fingerprint_sha256()],
        |row| row.get(0),
    )?;
    Ok(if known { LedgerError::AlreadyRecorded { serial } } else { LedgerError::SerialTaken { serial } })
}
