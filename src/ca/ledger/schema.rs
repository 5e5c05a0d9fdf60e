//! The tables of a ledger in SQLite, version by version.
//!
//! `PRAGMA user_version` says how many of [`MIGRATIONS`] a file has seen. A released migration is never changed: the next
//! change is another one at the end.

use rusqlite::{Connection, TransactionBehavior};

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
    for migration in pending {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", LATEST)?;
    transaction.commit()?;
    Ok(Ok(()))
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Times are seconds since 1970. Serial numbers are the content octets of their INTEGER. Reasons are the numbers of
/// CRLReason (RFC 5280 §5.3.1).
const MIGRATIONS: &[&str] = &["
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
"];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_is_brought_up_to_date_once() {
        let mut connection = Connection::open_in_memory().unwrap();
        assert_eq!(migrate(&mut connection).unwrap(), Ok(()));
        assert_eq!(version(&connection).unwrap(), LATEST);
        assert_eq!(migrate(&mut connection).unwrap(), Ok(()));
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
                 INSERT INTO certificates VALUES (1, 1, x'01', zeroblob(32), '', '[]', 0, 0, '', 0, NULL, NULL, x'');
                 INSERT INTO audit VALUES (1, 0, 'ann', 'issue', x'');",
            )
            .unwrap();
        for (statement, refusal) in [
            ("DELETE FROM audit", "the audit log only grows"),
            ("UPDATE audit SET who = 'bob'", "the audit log only grows"),
            ("DELETE FROM certificates", "never deleted"),
            ("UPDATE certificates SET der = x'00'", "never changed"),
            ("UPDATE certificates SET revoked_at = 1", "CHECK constraint failed"),
        ] {
            let error = connection.execute(statement, []).unwrap_err().to_string();
            assert!(error.contains(refusal), "{statement}: {error}");
        }
        assert_eq!(connection.execute("UPDATE certificates SET revoked_at = 1, reason = 4", []).unwrap(), 1);
    }
}
