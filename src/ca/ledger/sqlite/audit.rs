//! The audit log of the ledger in SQLite: written and read.

use std::ops::ControlFlow;

use super::Failure;
use crate::ca::ledger::act::Done;
use crate::ca::ledger::chain::Tail;
use crate::ca::ledger::rows::moment;
use crate::ca::ledger::{Act, AuditHead, AuditLine, AuthorityId};
use crate::x509::SerialNumber;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, Transaction, params};
use time::OffsetDateTime;

/// Adds a line to the audit log.
pub(super) fn log(transaction: &Transaction<'_>, by: AuthorityId, done: Done<'_>, act: &Act) -> rusqlite::Result<()> {
    let mut log = Log::open(transaction)?;
    log.add(&mut done.line(by, act))?;
    log.close()
}

/// The audit log, open for many lines.
pub(in crate::ca::ledger) struct Log<'t> {
    connection: &'t Connection,
    head: AuditHead,
    add: CachedStatement<'t>,
}

impl<'t> Log<'t> {
    pub(in crate::ca::ledger) fn open(connection: &'t Connection) -> rusqlite::Result<Self> {
        let add = connection.prepare_cached(
            "INSERT INTO audit (number, at, who, what, authority, fingerprint, serial, detail, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?;
        Ok(Self { connection, head: head(connection)?, add })
    }

    /// Adds a line, which gets its number and its hash.
    pub(in crate::ca::ledger) fn add(&mut self, line: &mut AuditLine) -> rusqlite::Result<()> {
        self.head.append(line);
        self.add.execute(params![
            i64::try_from(line.number).unwrap_or(i64::MAX),
            line.at.unix_timestamp(),
            line.who,
            line.what,
            line.authority.map(|AuthorityId(id)| id),
            line.fingerprint,
            line.serial.as_ref().map(SerialNumber::content),
            line.detail,
            line.hash,
        ])?;
        Ok(())
    }

    /// Writes the new head: without it the lines do not count.
    pub(in crate::ca::ledger) fn close(self) -> rusqlite::Result<()> {
        let lines = i64::try_from(self.head.lines).unwrap_or(i64::MAX);
        self.connection.execute("UPDATE audit_head SET lines = ?1, hash = ?2", params![lines, self.head.hash])?;
        Ok(())
    }
}

/// Shows the log, the oldest line first, and gives its head, if it has one. One transaction sees one moment of the database.
pub(super) fn read(
    connection: &mut Connection,
    visit: &mut dyn FnMut(AuditLine) -> ControlFlow<()>,
) -> rusqlite::Result<Option<AuditHead>> {
    let moment = connection.transaction()?;
    show(&moment, visit)?;
    match head(&moment) {
        // It is in a table of its own.
        Err(rusqlite::Error::SqlInputError { .. }) => Ok(None),
        Err(rusqlite::Error::SqliteFailure(_, Some(why))) if why.starts_with("no such table") => Ok(None),
        head => head.optional(),
    }
}

/// Makes the head again where it is not there, after the last line.
pub(super) fn mend_head(transaction: &Transaction<'_>) -> Result<Option<AuditHead>, Failure> {
    if head(transaction).optional()?.is_some() {
        return Ok(None);
    }
    let mut tail = Tail::new();
    show(transaction, &mut |line| {
        tail.line(&line);
        ControlFlow::Continue(())
    })?;
    let head = tail.end()?;
    let lines = i64::try_from(head.lines).unwrap_or(i64::MAX);
    transaction.execute("INSERT INTO audit_head VALUES (1, ?1, ?2)", params![lines, head.hash])?;
    Ok(Some(head))
}

fn show(connection: &Connection, visit: &mut dyn FnMut(AuditLine) -> ControlFlow<()>) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(
        "SELECT number, at, who, what, authority, fingerprint, serial, detail, hash FROM audit ORDER BY number",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if visit(line(row)?).is_break() {
            break;
        }
    }
    Ok(())
}

/// A line. What cannot be a time becomes another time, and the hash shows it.
fn line(row: &Row<'_>) -> rusqlite::Result<AuditLine> {
    Ok(AuditLine {
        number: u64::try_from(row.get::<_, i64>(0)?).unwrap_or_default(),
        at: moment(row.get(1)?).unwrap_or(OffsetDateTime::UNIX_EPOCH),
        who: row.get(2)?,
        what: row.get(3)?,
        authority: row.get::<_, Option<i64>>(4)?.map(AuthorityId),
        fingerprint: row.get(5)?,
        serial: row.get::<_, Option<Vec<u8>>>(6)?.map(|content| SerialNumber::from_content(&content)),
        detail: row.get(7)?,
        hash: row.get(8)?,
    })
}

fn head(connection: &Connection) -> rusqlite::Result<AuditHead> {
    connection.query_row("SELECT lines, hash FROM audit_head", [], |row| {
        Ok(AuditHead { lines: u64::try_from(row.get::<_, i64>(0)?).unwrap_or_default(), hash: row.get(1)? })
    })
}
