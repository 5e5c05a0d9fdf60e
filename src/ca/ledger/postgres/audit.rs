//! The audit log of the ledger in PostgreSQL, and the transactions that write lines of it.

use std::ops::ControlFlow;

use super::Failure;
use super::rows::each;
use crate::ca::ledger::chain::Tail;
use crate::ca::ledger::rows::moment;
use crate::ca::ledger::{AuditHead, AuditLine, AuthorityId};
use crate::x509::SerialNumber;
use ::postgres::{Client, Row, Transaction};
use time::OffsetDateTime;

/// A transaction that writes: it has the head of the audit log to itself.
pub(super) struct Writing<'c> {
    transaction: Transaction<'c>,
    head: AuditHead,
    lines: Vec<AuditLine>,
}

impl<'c> Writing<'c> {
    /// Makes a transaction one that writes, once no other writer is at work.
    pub(super) fn of(mut transaction: Transaction<'c>) -> Result<Self, Failure> {
        let head = transaction.query_opt("SELECT lines, hash FROM audit_head FOR UPDATE", &[])?;
        let head = read_head(&head.ok_or(Failure::Headless)?)?;
        Ok(Self { transaction, head, lines: Vec::new() })
    }

    /// Adds a line to the log.
    pub(super) fn log(&mut self, mut line: AuditLine) {
        self.head.append(&mut line);
        self.lines.push(line);
    }

    /// Writes the lines and the new head, and puts it all on the disk.
    pub(super) fn commit(mut self) -> Result<Commit, ::postgres::Error> {
        if !self.lines.is_empty() {
            let lines = &self.lines;
            let column = |of: fn(&AuditLine) -> &str| lines.iter().map(of).collect::<Vec<&str>>();
            let numbers: Vec<i64> = lines.iter().map(|line| signed(line.number)).collect();
            let times: Vec<i64> = lines.iter().map(|line| line.at.unix_timestamp()).collect();
            let authorities: Vec<Option<i64>> = lines.iter().map(|line| line.authority.map(|by| by.0)).collect();
            let fingerprints: Vec<&[u8]> = lines.iter().map(|line| line.fingerprint.as_slice()).collect();
            let serials: Vec<Option<&[u8]>> =
                lines.iter().map(|line| line.serial.as_ref().map(SerialNumber::content)).collect();
            let hashes: Vec<&[u8]> = lines.iter().map(|line| line.hash.as_slice()).collect();
            self.transaction.execute(
                ADD,
                &[
                    &numbers,
                    &times,
                    &column(|line| &line.who),
                    &column(|line| &line.what),
                    &authorities,
                    &fingerprints,
                    &serials,
                    &column(|line| &line.detail),
                    &hashes,
                ],
            )?;
            let (count, hash) = (signed(self.head.lines), self.head.hash);
            self.transaction.execute("UPDATE audit_head SET lines = $1, hash = $2", &[&count, &hash.as_slice()])?;
        }
        let Self { transaction, head, lines } = self;
        match transaction.commit() {
            Ok(()) => Ok(Commit::Done),
            Err(error) if !lines.is_empty() && is_cut_off(&error) => Ok(Commit::Unsettled { head, error }),
            Err(error) => Err(error),
        }
    }
}

/// What became of a transaction that was to be put on the disk.
pub(super) enum Commit {
    /// It is there.
    Done,
    /// The connection broke off before the server said. If it is there, the log has a line with this head's number and hash.
    Unsettled { head: AuditHead, error: ::postgres::Error },
}

/// Whether the connection ended, and not the transaction alone: without a word, or with one about the server's own end or a
/// connection's (classes 57P and 08 of PostgreSQL's error codes).
fn is_cut_off(error: &::postgres::Error) -> bool {
    error.code().is_none_or(|code| code.code().starts_with("57P") || code.code().starts_with("08"))
}

/// Whether the log has the line that ends in this head. Whoever is still at work on a transaction, also one whose client is
/// gone, is waited for.
pub(super) fn has(client: &mut Client, head: &AuditHead) -> Result<bool, ::postgres::Error> {
    let mut transaction = client.transaction()?;
    transaction.query("SELECT 1 FROM audit_head FOR UPDATE", &[])?;
    let found = transaction.query_one(
        "SELECT EXISTS (SELECT 1 FROM audit WHERE number = $1 AND hash = $2)",
        &[&signed(head.lines), &head.hash.as_slice()],
    )?;
    found.try_get(0)
}

impl<'c> std::ops::Deref for Writing<'c> {
    type Target = Transaction<'c>;

    fn deref(&self) -> &Self::Target {
        &self.transaction
    }
}

impl std::ops::DerefMut for Writing<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.transaction
    }
}

/// Makes the head again where it is not there, after the last line.
pub(super) fn mend_head(transaction: &mut Transaction<'_>) -> Result<Option<AuditHead>, Failure> {
    // Nobody else writes meanwhile, nor makes it too.
    transaction.batch_execute("LOCK TABLE audit_head IN EXCLUSIVE MODE")?;
    if transaction.query_opt("SELECT lines FROM audit_head", &[])?.is_some() {
        return Ok(None);
    }
    let mut tail = Tail::new();
    each(transaction, READ, &[], &mut |row| {
        tail.line(&line(row)?);
        Ok(ControlFlow::Continue(()))
    })?;
    let head = tail.end()?;
    let (lines, hash) = (signed(head.lines), head.hash);
    transaction.execute("INSERT INTO audit_head VALUES (1, $1, $2)", &[&lines, &hash.as_slice()])?;
    Ok(Some(head))
}

/// Shows the log, the oldest line first, and gives its head, if it has one.
pub(super) fn read(
    moment: &mut Transaction<'_>,
    visit: &mut dyn FnMut(AuditLine) -> ControlFlow<()>,
) -> Result<Option<AuditHead>, Failure> {
    each(moment, READ, &[], &mut |row| Ok(visit(line(row)?)))?;
    // It is in a table of its own.
    if super::mend::missing_tables(moment)?.contains(&"audit_head") {
        return Ok(None);
    }
    Ok(moment.query_opt("SELECT lines, hash FROM audit_head", &[])?.map(|row| read_head(&row)).transpose()?)
}

/// A line. What cannot be a time becomes another time, and the hash shows it.
fn line(row: &Row) -> Result<AuditLine, Failure> {
    let hash: &[u8] = row.try_get(8)?;
    Ok(AuditLine {
        number: u64::try_from(row.try_get::<_, i64>(0)?).unwrap_or_default(),
        at: moment(row.try_get(1)?).unwrap_or(OffsetDateTime::UNIX_EPOCH),
        who: row.try_get(2)?,
        what: row.try_get(3)?,
        authority: row.try_get::<_, Option<i64>>(4)?.map(AuthorityId),
        fingerprint: row.try_get(5)?,
        serial: row.try_get::<_, Option<&[u8]>>(6)?.map(SerialNumber::from_content),
        detail: row.try_get(7)?,
        hash: hash.try_into().unwrap_or_default(),
    })
}

fn read_head(row: &Row) -> Result<AuditHead, ::postgres::Error> {
    let hash: &[u8] = row.try_get(1)?;
    let lines = u64::try_from(row.try_get::<_, i64>(0)?).unwrap_or_default();
    Ok(AuditHead { lines, hash: hash.try_into().unwrap_or_default() })
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

const ADD: &str = "INSERT INTO audit (number, at, who, what, authority, fingerprint, serial, detail, hash)
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bytea[], $7::bytea[],
        $8::text[], $9::bytea[])";

const READ: &str =
    "SELECT number, at, who, what, authority, fingerprint, serial, detail, hash FROM audit ORDER BY number";
