//! The tables of a ledger in SQLite, version by version.
//!
//! `PRAGMA user_version` says how many of [`MIGRATIONS`] a file has seen. A released migration is never changed: the next
//! change is another one at the end.

mod sooner;

use self::sooner::SOONER;
use super::sqlite::audit::Log;
use super::{AuditLine, AuthorityId, rows};
use crate::x509::SerialNumber;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use time::OffsetDateTime;

/// Marks the file as ours (`PRAGMA application_id`): "ckit".
pub(super) const APPLICATION_ID: i64 = 0x636b_6974;

/// The latest version of the schema.
pub(super) const LATEST: i64 = MIGRATIONS.len() as i64;

/// Brings the file up to [`LATEST`]; two processes may try at once. Returns the version found where that is a later one.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<Result<(), i64>> {
    if version(connection)? == LATEST {
        return Ok(Ok(()));
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been first.
    let found = version(&transaction)?;
    let Ok(done) = usize::try_from(found) else { return Ok(Err(found)) };
    let Some(pending) = MIGRATIONS.get(done..) else { return Ok(Err(found)) };
    for Migration { sql, then } in pending {
        transaction.execute_batch(sql)?;
        then(&transaction)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", LATEST)?;
    transaction.commit()?;
    Ok(Ok(()))
}

/// How a file stands to [`LATEST`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing is in it.
    Bare,
    /// It is at the latest version.
    Current,
    /// It is at an earlier version, and has the tables of that.
    Earlier,
    /// It is at a later version.
    Later,
    /// It has the tables of the latest version, and another number.
    Renumbered(i64),
    /// It has other tables than those of its number.
    Unlike(i64),
}

/// Looks whether a file is what its number says.
pub(super) fn standing(connection: &mut Connection) -> rusqlite::Result<Standing> {
    let moment = connection.transaction()?;
    let found = version(&moment)?;
    if found >= LATEST {
        return Ok(if found == LATEST { Standing::Current } else { Standing::Later });
    }
    let tables = tables(&moment)?;
    let number = usize::try_from(found).ok();
    if number.map(tables_of).transpose()?.is_some_and(|own| own == tables) {
        return Ok(if tables.is_empty() { Standing::Bare } else { Standing::Earlier });
    }
    Ok(if tables == tables_of(MIGRATIONS.len())? { Standing::Renumbered(found) } else { Standing::Unlike(found) })
}

/// The tables that a file has after so many migrations.
fn tables_of(migrations: usize) -> rusqlite::Result<Vec<String>> {
    let mut fresh = Connection::open_in_memory()?;
    let transaction = fresh.transaction()?;
    for Migration { sql, then } in MIGRATIONS.iter().take(migrations) {
        transaction.execute_batch(sql)?;
        then(&transaction)?;
    }
    tables(&transaction)
}

fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// Gives a file that has the tables of the latest version its number again. What a version changed beside tables may be as it was
/// before: that is made so too.
pub(super) fn renumber(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute_batch(RAISING)?;
    transaction.execute_batch(SOONER)?;
    transaction.pragma_update(None, "user_version", LATEST)
}

/// How many migrations the file has seen.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Times are seconds since 1970. Serial numbers are the content octets of their INTEGER. Reasons are the numbers of
/// CRLReason (RFC 5280 §5.3.1).
const MIGRATIONS: &[Migration] = &[
    Migration::sql(FIRST),
    Migration::sql(REVOCATION),
    Migration { sql: CHAIN, then: chain },
    Migration::sql(RAISING),
    Migration::sql(SOONER),
];

/// The first release.
const FIRST: &str = "
CREATE TABLE authorities (
    id          INTEGER PRIMARY KEY,
    fingerprint BLOB NOT NULL UNIQUE CHECK (length(fingerprint) = 32),
    subject     TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    crl_number  INTEGER NOT NULL DEFAULT 0,
    der         BLOB NOT NULL
) STRICT;

CREATE TABLE certificates (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    authority   INTEGER NOT NULL REFERENCES authorities (id),
    serial      BLOB NOT NULL,
    fingerprint BLOB NOT NULL UNIQUE CHECK (length(fingerprint) = 32),
    subject     TEXT NOT NULL,
    names       TEXT NOT NULL,
    not_before  INTEGER NOT NULL,
    not_after   INTEGER NOT NULL,
    profile     TEXT NOT NULL,
    issued_at   INTEGER NOT NULL,
    revoked_at  INTEGER,
    reason      INTEGER,
    der         BLOB NOT NULL,
    UNIQUE (authority, serial),
    CHECK ((revoked_at IS NULL) = (reason IS NULL))
) STRICT;

CREATE INDEX certificates_by_expiry ON certificates (authority, not_after);
CREATE INDEX certificates_revoked ON certificates (authority, revoked_at) WHERE revoked_at IS NOT NULL;

CREATE TABLE names (
    name        TEXT NOT NULL,
    certificate INTEGER NOT NULL REFERENCES certificates (id),
    PRIMARY KEY (name, certificate)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    at          INTEGER NOT NULL,
    who         TEXT NOT NULL,
    what        TEXT NOT NULL,
    fingerprint BLOB NOT NULL
) STRICT;

-- What was signed stays signed: only its revocation may change.
CREATE TRIGGER certificates_stay BEFORE DELETE ON certificates
    BEGIN SELECT RAISE(ABORT, 'a recorded certificate is never deleted'); END;
CREATE TRIGGER certificates_stay_the_same BEFORE UPDATE OF
    id, authority, serial, fingerprint, subject, names, not_before, not_after, profile, issued_at, der ON certificates
    BEGIN SELECT RAISE(ABORT, 'a recorded certificate is never changed'); END;
CREATE TRIGGER audit_stays BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
CREATE TRIGGER audit_stays_the_same BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
";

/// Revocation: its history, lists, and what else there is to say in the audit log.
const REVOCATION: &str = "
ALTER TABLE certificates ADD COLUMN invalid_since INTEGER;

-- The whole of a list comes from this index alone, in the order of serial numbers.
CREATE INDEX certificates_for_lists
    ON certificates (authority, serial, revoked_at, reason, invalid_since, not_after) WHERE revoked_at IS NOT NULL;

-- A real revocation stays; only a hold (6) may be lifted or become one.
CREATE TRIGGER revocations_stay BEFORE UPDATE OF revoked_at, reason, invalid_since ON certificates WHEN OLD.reason <> 6
    BEGIN SELECT RAISE(ABORT, 'a revocation is never undone'); END;

-- The history of revocation, in the order of its ids: the last row of a certificate is how it stands, 8 for a hold lifted.
CREATE TABLE revocations (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    authority     INTEGER NOT NULL REFERENCES authorities (id),
    certificate   INTEGER NOT NULL REFERENCES certificates (id),
    revoked_at    INTEGER NOT NULL,
    reason        INTEGER NOT NULL,
    invalid_since INTEGER
) STRICT;
CREATE INDEX revocations_by_authority ON revocations (authority, id);
CREATE INDEX revocations_by_certificate ON revocations (certificate, id);
INSERT INTO revocations (authority, certificate, revoked_at, reason)
    SELECT authority, id, revoked_at, reason FROM certificates WHERE revoked_at IS NOT NULL ORDER BY revoked_at, id;
CREATE TRIGGER history_stays BEFORE DELETE ON revocations
    BEGIN SELECT RAISE(ABORT, 'the history of revocation only grows'); END;
CREATE TRIGGER history_stays_the_same BEFORE UPDATE ON revocations
    BEGIN SELECT RAISE(ABORT, 'the history of revocation only grows'); END;

-- Lists that were signed. mark: the last id of revocations that is in the list.
CREATE TABLE lists (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    authority   INTEGER NOT NULL REFERENCES authorities (id),
    number      INTEGER NOT NULL CHECK (number > 0),
    base        INTEGER CHECK (base < number),
    scope       TEXT NOT NULL,
    this_update INTEGER NOT NULL,
    next_update INTEGER NOT NULL,
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    entries     INTEGER NOT NULL,
    mark        INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX lists_by_number ON lists (authority, number, scope, base IS NULL);
CREATE TRIGGER lists_stay BEFORE DELETE ON lists
    BEGIN SELECT RAISE(ABORT, 'a signed list is never deleted'); END;
CREATE TRIGGER lists_stay_the_same BEFORE UPDATE ON lists
    BEGIN SELECT RAISE(ABORT, 'a signed list is never changed'); END;

CREATE TRIGGER authorities_stay BEFORE DELETE ON authorities
    BEGIN SELECT RAISE(ABORT, 'an authority is never deleted'); END;
CREATE TRIGGER authorities_stay_the_same BEFORE UPDATE OF id, fingerprint, subject, created_at, der ON authorities
    BEGIN SELECT RAISE(ABORT, 'an authority is never changed'); END;
CREATE TRIGGER crl_numbers_grow BEFORE UPDATE OF crl_number ON authorities WHEN NEW.crl_number <= OLD.crl_number
    BEGIN SELECT RAISE(ABORT, 'a CRL number is handed out once'); END;

ALTER TABLE audit ADD COLUMN authority INTEGER;
ALTER TABLE audit ADD COLUMN serial BLOB;
ALTER TABLE audit ADD COLUMN detail TEXT NOT NULL DEFAULT '';
";

/// The audit log with a hash in every line, and its head. audit_unchained goes when its lines are in the chain.
const CHAIN: &str = "
DROP TRIGGER audit_stays;
DROP TRIGGER audit_stays_the_same;
ALTER TABLE audit RENAME TO audit_unchained;
CREATE TABLE audit (
    number      INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    who         TEXT NOT NULL,
    what        TEXT NOT NULL,
    authority   INTEGER,
    fingerprint BLOB NOT NULL,
    serial      BLOB,
    detail      TEXT NOT NULL,
    hash        BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TABLE audit_head (
    only  INTEGER PRIMARY KEY CHECK (only = 1),
    lines INTEGER NOT NULL,
    hash  BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
INSERT INTO audit_head VALUES (1, 0, zeroblob(32));
CREATE TRIGGER audit_stays BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
CREATE TRIGGER audit_stays_the_same BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head
    BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
CREATE TRIGGER audit_head_grows BEFORE UPDATE ON audit_head WHEN NEW.lines < OLD.lines
    BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;

-- So that a certificate's names can be compared with the certificate.
CREATE INDEX names_by_certificate ON names (certificate);
";

/// A revocation may be raised to a compromise (1, 2, 10). The index of names by certificate cost every issue and served
/// checks alone. Either may be missing: a file that lost its number, or a guard, is brought up to date too.
const RAISING: &str = "
DROP INDEX IF EXISTS names_by_certificate;
DROP TRIGGER IF EXISTS revocations_stay;

-- A real revocation stays, unless a compromise is told of one that told of none: as of the same time, and not to be trusted
-- since no later. Only a hold (6) may be lifted or become one. What is unknown (NULL) is no raise.
CREATE TRIGGER revocations_stay BEFORE UPDATE OF revoked_at, reason, invalid_since ON certificates
    WHEN OLD.reason <> 6 AND (OLD.reason NOT IN (1, 2, 10) AND NEW.reason IN (1, 2, 10) AND NEW.revoked_at = OLD.revoked_at
        AND (OLD.invalid_since IS NULL OR NEW.invalid_since <= OLD.invalid_since)) IS NOT TRUE
    BEGIN SELECT RAISE(ABORT, 'a revocation is never undone'); END;
";

/// Chains the lines of a log that had no hashes: from here on no change of theirs goes unseen.
fn chain(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut log = Log::open(transaction)?;
    let mut statement = transaction
        .prepare("SELECT at, who, what, authority, fingerprint, serial, detail FROM audit_unchained ORDER BY id")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        log.add(&mut AuditLine {
            number: 0,
            at: rows::moment(row.get(0)?).unwrap_or(OffsetDateTime::UNIX_EPOCH),
            who: row.get(1)?,
            what: row.get(2)?,
            authority: row.get::<_, Option<i64>>(3)?.map(AuthorityId),
            fingerprint: row.get(4)?,
            serial: row.get::<_, Option<Vec<u8>>>(5)?.map(|content| SerialNumber::from_content(&content)),
            detail: row.get(6)?,
            hash: [0; 32],
        })?;
    }
    log.close()?;
    transaction.execute_batch("DROP TABLE audit_unchained")
}

/// A step from one version to the next.
struct Migration {
    sql: &'static str,
    then: fn(&Transaction<'_>) -> rusqlite::Result<()>,
}

impl Migration {
    const fn sql(sql: &'static str) -> Self {
        Self { sql, then: |_| Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn a_file_is_brought_up_to_date_once() {
        let mut connection = Connection::open_in_memory().unwrap();
        assert_eq!(migrate(&mut connection).unwrap(), Ok(()));
        assert_eq!(version(&connection).unwrap(), LATEST);
        assert_eq!(migrate(&mut connection).unwrap(), Ok(()));
    }

    #[test]
    fn a_ledger_of_the_first_release_keeps_what_it_knows() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(FIRST).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
        connection
            .execute_batch(
                "INSERT INTO authorities VALUES (1, zeroblob(32), '', 0, 0, x'');
                 INSERT INTO certificates VALUES (1, 1, x'01', zeroblob(32), '', '[]', 0, 0, '', 0, 7, 4, x'');
                 INSERT INTO audit VALUES (1, 0, 'ann', 'issue', x'');",
            )
            .unwrap();
        migrate(&mut connection).unwrap().unwrap();
        let remembered: (i64, i64, i64) = connection
            .query_row("SELECT certificate, revoked_at, reason FROM revocations", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .unwrap();
        assert_eq!(remembered, (1, 7, 4));
        let line: (String, i64) = connection
            .query_row("SELECT who, audit_head.lines FROM audit JOIN audit_head USING (hash)", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!(line, ("ann".to_owned(), 1), "the old line is in the chain");
    }

    /// A file at version 3, with a revocation that is real and one that may be lifted.
    fn of_version_3() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        let transaction = connection.transaction().unwrap();
        for Migration { sql, then } in &MIGRATIONS[..3] {
            transaction.execute_batch(sql).unwrap();
            then(&transaction).unwrap();
        }
        transaction.pragma_update(None, "user_version", 3).unwrap();
        transaction
            .execute_batch(
                "INSERT INTO authorities VALUES (1, zeroblob(32), '', 0, 0, x'');
                 INSERT INTO certificates VALUES (1, 1, x'01', zeroblob(32), '', '[]', 0, 0, '', 0, 7, 4, x'', 5);
                 INSERT INTO certificates VALUES (2, 1, x'02', randomblob(32), '', '[]', 0, 0, '', 0, 8, 6, x'', NULL);
                 INSERT INTO names VALUES ('a.test', 1), ('b.test', 2);
                 INSERT INTO revocations VALUES (1, 1, 1, 7, 4, 5), (2, 1, 2, 8, 6, NULL);",
            )
            .unwrap();
        transaction.commit().unwrap();
        connection
    }

    fn parts(connection: &Connection) -> Vec<(String, String)> {
        let mut parts = connection
            .prepare(
                "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY name",
            )
            .unwrap();
        parts.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn a_ledger_of_version_3_keeps_what_it_knows_and_its_revocations_may_be_raised() {
        let raise = "UPDATE certificates SET revoked_at = 7, reason = 1, invalid_since = 5 WHERE id = 1";
        let mut connection = of_version_3();
        assert_eq!(standing(&mut connection).unwrap(), Standing::Earlier);
        assert!(connection.execute(raise, []).unwrap_err().to_string().contains("never undone"));
        migrate(&mut connection).unwrap().unwrap();
        let mut fresh = Connection::open_in_memory().unwrap();
        migrate(&mut fresh).unwrap().unwrap();
        assert_eq!(parts(&connection), parts(&fresh));
        assert!(!parts(&connection).iter().any(|(name, _)| name == "names_by_certificate"));
        let kept: String = connection
            .query_row(
                "SELECT (SELECT group_concat(concat(id, revoked_at, reason, invalid_since)) FROM certificates)
                     || (SELECT group_concat(name) FROM names) || (SELECT group_concat(id) FROM revocations)",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(kept, "1745,286a.test,b.test1,2");
        assert_eq!(connection.execute(raise, []).unwrap(), 1);
    }

    #[test]
    fn a_ledger_whose_number_is_that_of_the_version_before_is_brought_up_to_date() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap().unwrap();
        let made = parts(&connection);
        connection.pragma_update(None, "user_version", 3).unwrap();
        migrate(&mut connection).unwrap().unwrap();
        assert_eq!((version(&connection).unwrap(), parts(&connection)), (LATEST, made.clone()));
        // One of version 3 that has lost its number has the tables of the latest, and not its guards.
        let mut earlier = of_version_3();
        earlier.pragma_update(None, "user_version", 0).unwrap();
        assert_eq!(standing(&mut earlier).unwrap(), Standing::Renumbered(0));
        let transaction = earlier.transaction().unwrap();
        renumber(&transaction).unwrap();
        transaction.commit().unwrap();
        assert_eq!((version(&earlier).unwrap(), parts(&earlier)), (LATEST, made));
    }

    #[test]
    fn a_later_schema_is_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "user_version", LATEST + 1).unwrap();
        assert_eq!(migrate(&mut connection).unwrap(), Err(LATEST + 1));
    }

    #[test]
    fn the_audit_log_and_recorded_certificates_cannot_be_rewritten() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap().unwrap();
        connection
            .execute_batch(
                "INSERT INTO authorities VALUES (1, zeroblob(32), '', 0, 0, x'');
                 INSERT INTO certificates VALUES (1, 1, x'01', zeroblob(32), '', '[]', 0, 0, '', 0, NULL, NULL, x'', NULL);
                 INSERT INTO audit VALUES (1, 0, 'ann', 'issue', 1, x'', NULL, '', zeroblob(32));
                 UPDATE audit_head SET lines = 1;
                 INSERT INTO revocations VALUES (1, 1, 1, 0, 1, NULL);
                 INSERT INTO lists VALUES (1, 1, 1, NULL, '', 0, 0, zeroblob(32), 0, 0);",
            )
            .unwrap();
        for (statement, refusal) in [
            ("DELETE FROM audit", "the audit log only grows"),
            ("UPDATE audit SET who = 'bob'", "the audit log only grows"),
            ("DELETE FROM audit_head", "the audit log only grows"),
            ("UPDATE audit_head SET lines = 0", "the audit log only grows"),
            ("DELETE FROM certificates", "never deleted"),
            ("UPDATE certificates SET der = x'00'", "never changed"),
            ("DELETE FROM revocations", "history of revocation only grows"),
            ("UPDATE revocations SET reason = 2", "history of revocation only grows"),
            ("DELETE FROM lists", "never deleted"),
            ("UPDATE lists SET number = 2", "never changed"),
            ("DELETE FROM authorities", "never deleted"),
            ("UPDATE authorities SET der = x'00'", "never changed"),
            ("UPDATE authorities SET crl_number = 0", "handed out once"),
            ("UPDATE certificates SET revoked_at = 1", "CHECK constraint failed"),
        ] {
            let error = connection.execute(statement, []).unwrap_err().to_string();
            assert!(error.contains(refusal), "{statement}: {error}");
        }
        let stand =
            |reason| connection.execute(&format!("UPDATE certificates SET revoked_at = 1, reason = {reason}"), []);
        assert_eq!(stand(6).unwrap(), 1, "on hold");
        assert_eq!(stand(4).unwrap(), 1, "and then for good");
        for undoing in ["revoked_at = NULL, reason = NULL", "reason = 6", "invalid_since = 0"] {
            let error = connection.execute(&format!("UPDATE certificates SET {undoing}"), []).unwrap_err().to_string();
            assert!(error.contains("never undone"), "{undoing}: {error}");
        }
        // It may be raised to a compromise, and nothing else with that.
        for other in [
            "reason = 5",
            "reason = 1, revoked_at = 2",
            "reason = 1, revoked_at = NULL",
            "reason = NULL, revoked_at = NULL",
            "reason = 8",
        ] {
            let error = connection.execute(&format!("UPDATE certificates SET {other}"), []).unwrap_err().to_string();
            assert!(error.contains("never undone"), "{other}: {error}");
        }
        assert_eq!(connection.execute("UPDATE certificates SET reason = 10, invalid_since = 3", []).unwrap(), 1);
        // It may be as of an earlier time, and nothing else with that.
        for other in ["revoked_at = 0, reason = 4", "revoked_at = 0, invalid_since = 4", "revoked_at = 2"] {
            let error = connection.execute(&format!("UPDATE certificates SET {other}"), []).unwrap_err().to_string();
            assert!(error.contains("never undone"), "{other}: {error}");
        }
        assert_eq!(connection.execute("UPDATE certificates SET revoked_at = 0", []).unwrap(), 1);
        for lowering in ["reason = 4", "reason = 1", "reason = 6", "invalid_since = 2", "reason = 10"] {
            let error = connection.execute(&format!("UPDATE certificates SET {lowering}"), []).unwrap_err().to_string();
            assert!(error.contains("never undone"), "{lowering}: {error}");
        }
    }
}
