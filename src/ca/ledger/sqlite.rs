//! The ledger in one SQLite file.
//!
//! Write-ahead log, `synchronous=FULL`: a transaction that is committed is on the disk, and readers never wait for
//! writers. The log stays beside the file until it has grown, see [`open`]. Every transaction that writes takes the write lock when it begins, so two processes queue for it and neither
//! has to begin again.

pub(super) mod audit;
mod counters;
mod lists;
mod mend;
mod open;
mod revoke;
mod watch;
mod write;

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use self::watch::{Standing, Watch};
use super::act::Done;
use super::known::Known;
use super::{
    Act, AuditHead, AuditLine, AuthorityId, AuthorityRecord, Entry, Examined, Flaw, Ledger, LedgerError, ListQuery,
    Mark, Mended, Numbered, Query, Record, RecordId, Revocation, Revoked, SignedList,
};
use super::{flaw, rows, schema};
use crate::x509::{Certificate, SerialNumber};
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params};
use tempfile::TempDir;

/// A ledger in one SQLite file and its `-wal` file, the log in which the last transactions stand; `-shm` is an index of
/// that, and made again where it is missing. Where another file is put in its place, that one is used from then on.
#[derive(Debug)]
pub struct SqliteLedger {
    path: PathBuf,
    connection: Connection,
    watch: Watch,
    may_write: bool,
    known: Known,
    /// The number of an earlier schema that the file has, and the folder of a copy that is looked at in its place.
    earlier: Option<(i64, TempDir)>,
}

impl SqliteLedger {
    /// Opens the ledger at `path` and brings its schema up to date.
    ///
    /// # Errors
    /// [`LedgerError::Missing`], [`LedgerError::Empty`] where a file has nothing in it, which is left as it is;
    /// [`LedgerError::Foreign`], [`LedgerError::Newer`] and [`LedgerError::Renumbered`], and when the system refuses.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        Self::open_for(path, open::Purpose::Use)
    }

    /// The same to be mended: with tables that are whole and another number on them than theirs, too.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_to_mend(path: &Path) -> Result<Self, LedgerError> {
        Self::open_for(path, open::Purpose::Mend)
    }

    fn open_for(path: &Path, how: open::Purpose) -> Result<Self, LedgerError> {
        let watch = Watch::over(path);
        match std::fs::metadata(path) {
            Ok(about) if about.is_file() => match open::to_write(path, how) {
                Ok(connection) => Ok(Self::on(path, connection, watch, true)),
                Err(error) => Err(open::for_its_schema(path, error)),
            },
            Ok(_) => Err(LedgerError::Foreign { ledger: name(path), why: "it is not a file".to_owned() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(LedgerError::Missing { ledger: name(path) }),
            Err(source) => Err(LedgerError::Open { ledger: name(path), source }),
        }
    }

    /// Makes a ledger at `path`, readable by its owner alone (0600), or opens the one that is there. An empty file becomes
    /// one too: a process that was making a ledger may have left it. So this is for a CA that is being made, or made anew.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn create(path: &Path) -> Result<Self, LedgerError> {
        match open::make_file(path) {
            Ok(()) => Self::open_for(path, open::Purpose::Make),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                open::close_to_others(path).map_err(|source| LedgerError::Open { ledger: name(path), source })?;
                Self::open_for(path, open::Purpose::Make)
            }
            Err(source) => Err(LedgerError::Open { ledger: name(path), source }),
        }
    }

    /// Opens the ledger at `path` to be read, also where nothing may be written: then what another process writes at the
    /// same time may be missed, and a write-ahead log that was left beside the file has to be readable too.
    ///
    /// # Errors
    /// As [`Self::open`], and [`LedgerError::Older`] where the schema would have to be brought up to date first.
    pub fn open_to_read(path: &Path) -> Result<Self, LedgerError> {
        match Self::open(path) {
            Err(LedgerError::Unwritable { .. } | LedgerError::Open { .. }) => Self::only_to_read(path),
            opened => opened,
        }
    }

    /// Opens the ledger at `path` to look at all of it, and changes nothing of it: neither how it is kept nor its schema. Of
    /// one with an earlier schema a copy is brought up to date and looked at.
    ///
    /// # Errors
    /// As [`Self::open_to_read`].
    pub fn open_to_check(path: &Path) -> Result<Self, LedgerError> {
        let watch = Watch::over(path);
        match std::fs::metadata(path) {
            Ok(about) if about.is_file() => {}
            Ok(_) => return Err(LedgerError::Foreign { ledger: name(path), why: "it is not a file".to_owned() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(LedgerError::Missing { ledger: name(path) });
            }
            Err(source) => return Err(LedgerError::Open { ledger: name(path), source }),
        }
        let open::Looked { connection, earlier } = open::to_check(path)?;
        let mut ledger = Self::on(path, connection, watch, false);
        ledger.earlier = earlier;
        Ok(ledger)
    }

    /// The earlier schema that the file has, where it was opened to be checked, and the latest.
    pub fn earlier_schema(&self) -> Option<(i64, i64)> {
        self.earlier.as_ref().map(|(found, _)| (*found, schema::LATEST))
    }

    pub(super) fn only_to_read(path: &Path) -> Result<Self, LedgerError> {
        let watch = Watch::over(path);
        Ok(Self::on(path, open::to_read(path)?, watch, false))
    }

    fn on(path: &Path, connection: Connection, watch: Watch, may_write: bool) -> Self {
        Self { path: path.to_owned(), connection, watch, may_write, known: Known::default(), earlier: None }
    }

    /// The connection: whatever is asked of the ledger asks for it here. The file has to be the one that was opened. Where
    /// another was put in its place, as by restoring a backup, that one is opened: in the other nobody reads and writes any more
    /// but this process.
    fn connection(&mut self) -> Result<&mut Connection, LedgerError> {
        match self.watch.look(&self.path) {
            Ok(Standing::Same) => return Ok(&mut self.connection),
            Ok(Standing::Settled) => {}
            Ok(Standing::Unsettled) => return Err(LedgerError::Replaced { ledger: name(&self.path) }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(LedgerError::Missing { ledger: name(&self.path) });
            }
            Err(source) => return Err(LedgerError::Open { ledger: name(&self.path), source }),
        }
        let mut other = if self.may_write { Self::open(&self.path)? } else { Self::only_to_read(&self.path)? };
        self.known.are_among(&other.authorities()?, &name(&self.path))?;
        other.known = std::mem::take(&mut self.known);
        std::mem::swap(self, &mut other);
        Ok(&mut self.connection)
    }

    /// The value of a PRAGMA, as text.
    #[cfg(test)]
    pub(super) fn setting(&self, name: &str) -> String {
        let value = self.connection.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0));
        match value.unwrap_or(rusqlite::types::Value::Null) {
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Text(text) => text,
            other => format!("{other:?}"),
        }
    }

    /// Runs `work` as one transaction that holds the write lock from its beginning and is on the disk when it returns.
    fn transact<T>(&mut self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>) -> Result<T, LedgerError> {
        self.connection()?;
        let path = &self.path;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| told(path, error))?;
        let done =
            work(&transaction).map_err(|failure| failed(path, counters::told_from_full(&transaction, failure)))?;
        transaction.commit().map_err(|error| told(path, error))?;
        // It may have waited for its turn a while. What went into a file that was taken away meanwhile nobody reads any more.
        match self.watch.is_in_place(&self.path) {
            true => Ok(done),
            false if self.path.exists() => Err(LedgerError::Replaced { ledger: name(&self.path) }),
            false => Err(LedgerError::Missing { ledger: name(&self.path) }),
        }
    }

    fn told(&self, error: rusqlite::Error) -> LedgerError {
        told(&self.path, error)
    }

    fn damaged(&self, what: String) -> LedgerError {
        LedgerError::Damaged { ledger: name(&self.path), what }
    }

    fn failed(&self, failure: Failure) -> LedgerError {
        failed(&self.path, failure)
    }
}

impl Ledger for SqliteLedger {
    fn add_authority(
        &mut self,
        certificate: &Certificate,
        profile: &str,
        act: &Act,
    ) -> Result<AuthorityId, LedgerError> {
        let id = self.transact(|transaction| {
            let added = transaction.execute(
                "INSERT INTO authorities (fingerprint, subject, created_at, der) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO NOTHING",
                params![
                    certificate.fingerprint_sha256(),
                    certificate.subject().to_string(),
                    act.at.unix_timestamp(),
                    certificate.der()
                ],
            )?;
            if added == 0 {
                return Err(LedgerError::AlreadyRecorded { serial: certificate.serial().clone() }.into());
            }
            let id = AuthorityId(transaction.last_insert_rowid());
            if certificate.is_self_issued() {
                write::insert(transaction, id, &[Entry { certificate, profile }], act)?;
            } else {
                audit::log(transaction, id, Done::recorded(certificate, profile), act)?;
            }
            Ok(id)
        })?;
        self.known.add(certificate, id);
        Ok(id)
    }

    fn authority(&mut self, certificate: &Certificate) -> Result<Option<AuthorityId>, LedgerError> {
        let found = self
            .connection()?
            .query_row(
                "SELECT id FROM authorities WHERE fingerprint = ?1",
                params![certificate.fingerprint_sha256()],
                |row| row.get(0).map(AuthorityId),
            )
            .optional()
            .map_err(|error| self.told(error))?;
        found.iter().for_each(|id| self.known.add(certificate, *id));
        Ok(found)
    }

    fn authorities(&mut self) -> Result<Vec<AuthorityRecord>, LedgerError> {
        rows::authorities(self.connection()?).map_err(|error| self.told(error))
    }

    fn authority_fingerprints(&mut self) -> Result<Vec<(AuthorityId, Vec<u8>)>, LedgerError> {
        rows::authority_fingerprints(self.connection()?).map_err(|error| self.told(error))
    }

    fn record(&mut self, by: AuthorityId, certificates: &[Entry<'_>], act: &Act) -> Result<(), LedgerError> {
        self.transact(|transaction| write::insert(transaction, by, certificates, act))
    }

    fn find(&mut self, by: AuthorityId, query: &Query) -> Result<Vec<Record>, LedgerError> {
        let found = rows::select(self.connection()?, by, query).map_err(|error| self.told(error))?;
        found.into_iter().map(|row| row.into_record().map_err(|what| self.damaged(what))).collect()
    }

    fn certificate(&mut self, id: RecordId) -> Result<Vec<u8>, LedgerError> {
        self.connection()?
            .query_row("SELECT der FROM certificates WHERE id = ?1", params![id.0], |row| row.get(0))
            .map_err(|error| self.told(error))
    }

    fn count(&mut self, by: AuthorityId) -> Result<u64, LedgerError> {
        self.connection()?
            .query_row(
                "SELECT (SELECT count(*) FROM certificates WHERE authority = ?1)
                 - (SELECT count(*) FROM certificates JOIN authorities USING (fingerprint)
                    WHERE authorities.id = ?1 AND authority = ?1)",
                params![by.0],
                |row| row.get::<_, i64>(0),
            )
            .map(|count| u64::try_from(count).unwrap_or_default())
            .map_err(|error| self.told(error))
    }

    fn revoke(
        &mut self,
        by: AuthorityId,
        serial: &SerialNumber,
        revocation: Revocation,
        act: &Act,
    ) -> Result<Record, LedgerError> {
        self.transact(|transaction| revoke::revoke(transaction, by, serial, revocation, act))
    }

    fn release(&mut self, by: AuthorityId, serial: &SerialNumber, act: &Act) -> Result<Record, LedgerError> {
        self.transact(|transaction| revoke::release(transaction, by, serial, act))
    }

    fn history(&mut self, RecordId(id): RecordId) -> Result<Vec<Revocation>, LedgerError> {
        let rows = revoke::history(self.connection()?, id).map_err(|error| self.told(error))?;
        let wrong = |column| self.damaged(format!("the {column} of a revocation cannot be read"));
        rows.into_iter().map(|row| row.read().map_err(wrong)).collect()
    }

    fn revoked(
        &mut self,
        by: AuthorityId,
        since: Option<Mark>,
        visit: &mut dyn FnMut(Revoked) -> ControlFlow<()>,
    ) -> Result<(), LedgerError> {
        match lists::entries(self.connection()?, by, since, visit) {
            Ok(()) => Ok(()),
            Err(failure) => Err(self.failed(failure)),
        }
    }

    fn next_crl_number(&mut self, by: AuthorityId, above: u64) -> Result<Numbered, LedgerError> {
        self.transact(|transaction| lists::next_number(transaction, by, above))
    }

    fn record_list(&mut self, by: AuthorityId, list: &SignedList, act: &Act) -> Result<(), LedgerError> {
        self.transact(|transaction| lists::record(transaction, by, list, act))
    }

    fn lists(&mut self, by: AuthorityId, query: &ListQuery) -> Result<Vec<SignedList>, LedgerError> {
        lists::find(self.connection()?, by, query).map_err(|error| self.told(error))
    }

    fn list_rows(&mut self, visit: &mut dyn FnMut(i64, AuthorityId, Vec<u8>)) -> Result<(), LedgerError> {
        lists::rows(self.connection()?, visit).map_err(|error| self.told(error))
    }

    fn note_undelivered(&mut self, by: AuthorityId, list: &SignedList, act: &Act) -> Result<(), LedgerError> {
        self.transact(|transaction| Ok(audit::log(transaction, by, Done::undelivered(list), act)?))
    }

    fn is_undelivered(&mut self, by: AuthorityId, list: &SignedList) -> Result<bool, LedgerError> {
        lists::is_undelivered(self.connection()?, by, list).map_err(|error| self.told(error))
    }

    fn note(&mut self, by: AuthorityId, certificate: &Certificate, detail: &str, act: &Act) -> Result<(), LedgerError> {
        self.transact(|transaction| Ok(audit::log(transaction, by, Done::to(certificate, detail.to_owned()), act)?))
    }

    fn audit(&mut self, visit: &mut dyn FnMut(AuditLine) -> ControlFlow<()>) -> Result<AuditHead, LedgerError> {
        let read = audit::read(self.connection()?, visit).map_err(|error| self.told(error))?;
        read.ok_or_else(|| LedgerError::Headless { ledger: name(&self.path) })
    }

    fn integrity(&mut self, visit: &mut dyn FnMut(Flaw)) -> Result<(), LedgerError> {
        mend::integrity(self.connection()?, visit).map_err(|error| self.told(error))
    }

    fn examine(&mut self, visit: &mut dyn FnMut(Examined) -> ControlFlow<()>) -> Result<(), LedgerError> {
        mend::examine(self.connection()?, visit).map_err(|failure| self.failed(failure))
    }

    fn mend(&mut self, act: &Act) -> Result<Vec<Mended>, LedgerError> {
        self.transact(|transaction| mend::mend(transaction, act))
    }

    fn copy_to(&mut self, path: &Path) -> Result<(), LedgerError> {
        let into = path.to_str().ok_or_else(|| self.damaged(format!("{} is no UTF-8", path.display())));
        self.connection()?.execute("VACUUM INTO ?1", params![into?]).map(drop).map_err(|error| self.told(error))
    }
}

impl Drop for SqliteLedger {
    fn drop(&mut self) {
        // The log that lies there is that of the file that lies there.
        if self.may_write && self.watch.is_in_place(&self.path) {
            open::settle(&self.connection, &self.path);
        }
    }
}

/// Why a transaction is rolled back.
enum Failure {
    Database(rusqlite::Error),
    Ledger(LedgerError),
    /// What of a row cannot be read.
    Damaged(String),
}

impl From<String> for Failure {
    fn from(what: String) -> Self {
        Self::Damaged(what)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn failed(path: &Path, failure: Failure) -> LedgerError {
    match failure {
        Failure::Database(error) => told(path, error),
        Failure::Ledger(error) => error,
        Failure::Damaged(what) => LedgerError::Damaged { ledger: name(path), what },
    }
}

/// The database's error in the words of this room.
fn told(path: &Path, error: rusqlite::Error) -> LedgerError {
    let ledger = name(path);
    let unwritable = |why| LedgerError::Unwritable { ledger: ledger.clone(), why };
    // The statement that failed is nothing to show.
    if let rusqlite::Error::SqlInputError { msg: message, .. } | rusqlite::Error::SqliteFailure(_, Some(message)) =
        &error
        && let Some(table) = message.strip_prefix("no such table: ")
    {
        let table = table.strip_prefix("main.").unwrap_or(table);
        return LedgerError::Damaged { ledger, what: flaw::missing_table(table) };
    }
    if let rusqlite::Error::SqlInputError { msg, .. } = error {
        return LedgerError::Damaged { ledger, what: msg };
    }
    if let rusqlite::Error::QueryReturnedNoRows = error {
        return LedgerError::Damaged { ledger, what: "a row that every ledger has is missing".to_owned() };
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            LedgerError::Busy { ledger, seconds: PATIENCE.as_secs() }
        }
        Some(ErrorCode::NotADatabase) => LedgerError::Foreign { ledger, why: "it is no SQLite database".to_owned() },
        Some(ErrorCode::DatabaseCorrupt) => LedgerError::Damaged { ledger, what: error.to_string() },
        Some(ErrorCode::DiskFull) => unwritable("no space is left on the disk"),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => unwritable("the file or its folder is read-only"),
        Some(ErrorCode::CannotOpen) => {
            unwritable("the database cannot make its companion files; the folder must be writable")
        }
        _ => LedgerError::Failed { ledger, source: Box::new(error) },
    }
}

/// The ledger as errors name it.
fn name(path: &Path) -> String {
    path.display().to_string()
}

/// How long a process waits for another's transaction, which takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(60);

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_went_into_a_file_that_was_taken_away_meanwhile_is_not_said_to_be_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let mut ledger = SqliteLedger::create(&path).unwrap();
        assert!(ledger.transact(|_| Ok(())).is_ok());
        let replaced = ledger.transact(|_| {
            std::fs::rename(&path, folder.path().join("aside.db")).unwrap();
            std::fs::write(&path, "another").unwrap();
            Ok(())
        });
        assert!(matches!(replaced, Err(LedgerError::Replaced { .. })), "{replaced:?}");
        std::fs::rename(folder.path().join("aside.db"), &path).unwrap();
        let gone = ledger.transact(|_| {
            std::fs::remove_file(&path).unwrap();
            Ok(())
        });
        assert!(matches!(gone, Err(LedgerError::Missing { .. })), "{gone:?}");
    }
}
