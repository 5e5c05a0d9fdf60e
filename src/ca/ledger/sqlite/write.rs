//! What every change of the ledger in SQLite writes: certificates, their names, and lines of the audit log.

use super::Failure;
use crate::ca::ledger::{Act, AuthorityId, Entry, LedgerError, rows, search_names};
use crate::x509::{Certificate, SerialNumber};
use rusqlite::{Statement, Transaction, params};

pub(super) fn insert(
    transaction: &Transaction<'_>,
    by: AuthorityId,
    entries: &[Entry<'_>],
    act: &Act,
) -> Result<(), Failure> {
    // The database decides what is unique: a conflict inserts nothing, whoever was first.
    let mut add = transaction.prepare(
        "INSERT INTO certificates
         (authority, serial, fingerprint, subject, names, not_before, not_after, profile, issued_at, der)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING",
    )?;
    let mut add_name = transaction.prepare("INSERT INTO names (name, certificate) VALUES (?1, ?2)")?;
    let mut log = Log::open(transaction)?;
    for Entry { certificate, profile } in entries {
        // A certificate whose subjectAltName does not parse is still recorded, and found by serial number.
        let names = certificate.subject_alt_names().unwrap_or_default();
        let added = add.execute(params![
            by.0,
            certificate.serial().content(),
            certificate.fingerprint_sha256(),
            certificate.subject().to_string(),
            rows::write_names(&names),
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
        for name in search_names(&names, certificate) {
            add_name.execute(params![name, id])?;
        }
        log.add(by, &Done::certificate(certificate), act)?;
    }
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

/// What an act was done to.
pub(super) struct Done<'a> {
    /// The SHA-256 of the certificate or list.
    pub(super) fingerprint: Vec<u8>,
    /// The certificate's serial number.
    pub(super) serial: Option<&'a SerialNumber>,
    /// What else there is to say.
    pub(super) detail: String,
}

impl<'a> Done<'a> {
    pub(super) fn certificate(certificate: &'a Certificate) -> Self {
        let fingerprint = certificate.fingerprint_sha256().to_vec();
        Self { fingerprint, serial: Some(certificate.serial()), detail: String::new() }
    }
}

/// Adds a line to the audit log.
pub(super) fn log(transaction: &Transaction<'_>, by: AuthorityId, done: &Done<'_>, act: &Act) -> rusqlite::Result<()> {
    Log::open(transaction)?.add(by, done, act)
}

/// The audit log, open for many lines.
struct Log<'t> {
    add: Statement<'t>,
}

impl<'t> Log<'t> {
    fn open(transaction: &'t Transaction<'_>) -> rusqlite::Result<Self> {
        let add = transaction.prepare(
            "INSERT INTO audit (at, who, what, fingerprint, authority, serial, detail)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        Ok(Self { add })
    }

    fn add(&mut self, AuthorityId(by): AuthorityId, done: &Done<'_>, act: &Act) -> rusqlite::Result<()> {
        self.add.execute(params![
            act.at.unix_timestamp(),
            act.who,
            act.what.name(),
            done.fingerprint,
            by,
            done.serial.map(SerialNumber::content),
            done.detail,
        ])?;
        Ok(())
    }
}
