//! Somebody who may write to the database and puts its guards back: the audit log, which is left alone, gives it away.

use std::fs;

use crate::support::Sandbox;
use crate::support::guards::without_guards;

/// A CA that has revoked a.test, held and released b.test, left c.test alone, and signed a list.
fn with_history(ledger: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    let run = |args: &[&str]| sandbox.certkit(&[args, ledger].concat()).expect_code(0);
    // Before the moment as of which one is revoked.
    let long_ago = |args: &[&str]| {
        sandbox.command().env("SOURCE_DATE_EPOCH", "1690000000").args(args).args(ledger).expect_code(0);
    };
    long_ago(&["ca", "init", "--name", "Test CA", "--days", "20000"]);
    for name in ["a.test", "b.test", "c.test"] {
        long_ago(&["ca", "issue", name, "--days", "10000"]);
    }
    let since = ["--reason", "keyCompromise", "--at", "@1700000000", "--invalid-since", "@1600000000"];
    run(&[&["ca", "revoke", "a.test"][..], &since].concat());
    run(&["ca", "revoke", "b.test", "--hold"]);
    run(&["ca", "revoke", "b.test", "--release"]);
    run(&["ca", "crl", "--out", "list.pem"]);
    run(&["ca", "check"]).says("sound");
    sandbox
}

/// Statements that both databases understand, and what gives them away.
const CHANGES: &[(&str, &str)] = &[
    (
        "DELETE FROM revocations; UPDATE certificates SET revoked_at = NULL, reason = NULL, invalid_since = NULL",
        "tells that it was revoked (keyCompromise) at 2023-11-14T22:13:20Z, invalid since 2020-09-13T12:26:40Z, and its \
         history of revocation does not",
    ),
    (
        "UPDATE certificates SET reason = 4 WHERE id = 2; UPDATE revocations SET reason = 4 WHERE certificate = 2",
        "and its history of revocation has it revoked (superseded)",
    ),
    (
        "UPDATE certificates SET revoked_at = 1708640000 WHERE id = 2;
         UPDATE revocations SET revoked_at = 1708640000 WHERE certificate = 2",
        "has it revoked (keyCompromise) at 2024-02-22",
    ),
    (
        "UPDATE certificates SET invalid_since = NULL WHERE id = 2;
         UPDATE revocations SET invalid_since = NULL WHERE certificate = 2",
        "invalid since 2020-09-13T12:26:40Z, and its history",
    ),
    (
        "UPDATE certificates SET revoked_at = 1700000000, reason = 6 WHERE id = 3;
         INSERT INTO revocations (authority, certificate, revoked_at, reason) VALUES (1, 3, 1700000000, 6)",
        "its history tells that it was revoked (certificateHold) at 2023-11-14T22:13:20Z, and the audit log does not",
    ),
    (
        "INSERT INTO revocations (authority, certificate, revoked_at, reason, invalid_since)
         SELECT authority, certificate, revoked_at, reason, invalid_since FROM revocations WHERE id = 1;
         DELETE FROM revocations WHERE id = 1",
        "row 2 of revocations: it is before row",
    ),
    // What the guard lets pass is told by the log.
    (
        "UPDATE certificates SET revoked_at = 1700000000, reason = 10 WHERE id = 4;
         INSERT INTO revocations (authority, certificate, revoked_at, reason)
         VALUES (1, 4, 1700000000, 4), (1, 4, 1700000000, 10)",
        "its history tells that it was revoked (superseded) at 2023-11-14T22:13:20Z, and the audit log does not",
    ),
    ("DELETE FROM revocations WHERE certificate = 3", "tells that it was revoked (certificateHold)"),
    ("DELETE FROM revocations WHERE id = 3", "tells that it was released from its hold"),
    ("UPDATE certificates SET issued_at = issued_at - 86400 WHERE id = 4", "the column issued_at"),
    (
        "UPDATE certificates SET profile = 'client' WHERE id = 4",
        "has the profile server, and the column profile client",
    ),
    ("UPDATE authorities SET subject = 'CN=eve'", "authority 1: the column subject"),
    ("UPDATE authorities SET created_at = created_at - 1", "the column created_at"),
    ("UPDATE authorities SET crl_number = 0", "the last CRL number it handed out is 0"),
    ("UPDATE lists SET entries = 0", "the audit log has it otherwise: number 1"),
    ("UPDATE lists SET this_update = this_update - 1", "the audit log has it otherwise: number 1"),
    ("UPDATE lists SET next_update = next_update + 1", "the audit log has it otherwise: number 1"),
    ("UPDATE lists SET mark = 2", "the audit log has it otherwise: number 1"),
    ("UPDATE lists SET mark = 100", "later ones would be missed"),
    ("DELETE FROM lists", "the list (number 1"),
];

/// Checks that the change shows.
fn shows(sandbox: &Sandbox, statement: &str, told: &str, ledger: &[&str]) {
    let ran = sandbox.certkit(&[&["ca", "check"], ledger].concat());
    assert_eq!(ran.code, Some(1), "{statement}\n{ran}");
    let said = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains(told), "{statement}\n{ran}");
}

#[test]
fn no_change_of_a_file_goes_unseen() {
    let sandbox = with_history(&[]);
    let file = sandbox.ca().join("ledger.db");
    rusqlite::Connection::open(&file)
        .and_then(|ledger| ledger.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())))
        .unwrap();
    let before = fs::read(&file).unwrap();
    for (statement, told) in CHANGES {
        for ending in ["db-wal", "db-shm"] {
            _ = fs::remove_file(file.with_extension(ending));
        }
        fs::write(&file, &before).unwrap();
        let ledger = rusqlite::Connection::open(&file).unwrap();
        let guards = without_guards(&ledger, statement);
        guards.iter().for_each(|(_, sql)| ledger.execute_batch(sql).unwrap());
        drop(ledger);
        shows(&sandbox, statement, told, &[]);
    }
}

#[cfg(unix)]
#[test]
fn no_change_of_a_database_goes_unseen() {
    let Some((url, sandbox, mut client)) = in_a_database() else { return };
    let ledger = ["--ledger", &url];
    let tables = ["authorities", "certificates", "revocations", "lists"];
    // Guards and references rest in this session alone.
    client.batch_execute("SET session_replication_role = replica").unwrap();
    for table in tables {
        client.batch_execute(&format!("CREATE TABLE public.{table} AS TABLE {table}")).unwrap();
    }
    for (statement, told) in CHANGES {
        client.batch_execute(statement).unwrap();
        shows(&sandbox, statement, told, &ledger);
        for table in tables {
            let put_back = format!("INSERT INTO {table} OVERRIDING SYSTEM VALUE TABLE public.{table}");
            client.batch_execute(&format!("DELETE FROM {table}; {put_back}")).unwrap();
        }
    }
    sandbox.certkit(&[&["ca", "check"], &ledger[..]].concat()).expect_code(0);
}

#[test]
fn revocations_that_changed_places_are_seen() {
    let sandbox = with_history(&[]);
    sandbox.certkit(&["ca", "revoke", "c.test", "--reason", "keyCompromise"]).expect_code(0);
    sandbox.certkit(&["ca", "check"]).expect_code(0);
    for (statements, told, faults) in [
        // A delta upon the list would not have c.test, which is told of the list too.
        (
            "UPDATE revocations SET id = 100 WHERE id = 3; UPDATE revocations SET id = 3 WHERE id = 4;
             UPDATE revocations SET id = 4 WHERE id = 100",
            "row 3 of revocations: it is before row 4 of authority 1, and by the audit log it came after that",
            2,
        ),
        // And back, and all of them one before.
        (
            "UPDATE revocations SET id = 100 WHERE id = 3; UPDATE revocations SET id = 3 WHERE id = 4;
             UPDATE revocations SET id = 4 WHERE id = 100; UPDATE revocations SET id = 0 WHERE id = 1;
             UPDATE revocations SET id = 1 WHERE id = 2; UPDATE revocations SET id = 2 WHERE id = 3;
             UPDATE revocations SET id = 3 WHERE id = 4",
            "list 1: it is said to have row 3 of revocations, and by the audit log that came after it",
            1,
        ),
    ] {
        let ledger = rusqlite::Connection::open(sandbox.ca().join("ledger.db")).unwrap();
        let guards = without_guards(&ledger, statements);
        guards.iter().for_each(|(_, sql)| ledger.execute_batch(sql).unwrap());
        drop(ledger);
        shows(&sandbox, statements, told, &[]);
        let ran = sandbox.certkit(&["ca", "check", "--json"]).expect_code(1);
        assert_eq!(ran.stdout.lines().count(), faults + 1, "{statements}\n{ran}");
    }
}

#[test]
fn rows_that_changed_places_and_the_ends_of_fingerprints_are_seen() {
    let sandbox = with_history(&[]);
    sandbox.certkit(&["ca", "crl", "--out", "list.pem"]).expect_code(0);
    sandbox.certkit(&["ca", "check"]).expect_code(0);
    let swapped = |table: &str, column: &str, one: u8, other: u8| {
        format!(
            "UPDATE {table} SET {column} = 100 WHERE {column} = {one}; UPDATE {table} SET {column} = {one} WHERE {column} = {other};
             UPDATE {table} SET {column} = {other} WHERE {column} = 100;"
        )
    };
    let certificates = [("certificates", "id"), ("names", "certificate"), ("revocations", "certificate")]
        .map(|(table, column)| swapped(table, column, 3, 4))
        .concat();
    let cut =
        "UPDATE lists SET fingerprint = CAST(substr(fingerprint, 1, 31) || x'00' AS BLOB) WHERE number = 1".to_owned();
    let file = sandbox.ca().join("ledger.db");
    rusqlite::Connection::open(&file)
        .and_then(|ledger| ledger.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())))
        .unwrap();
    let before = fs::read(&file).unwrap();
    for (statements, told) in [
        (swapped("lists", "id", 1, 2), "row 1 of lists: it is before row 2, and by the audit log it came after that"),
        (certificates, "it is after certificate 3, and by the audit log it was recorded before that"),
        (cut, "list 1: the audit log does not tell of it"),
    ] {
        for ending in ["db-wal", "db-shm"] {
            _ = fs::remove_file(file.with_extension(ending));
        }
        fs::write(&file, &before).unwrap();
        let ledger = rusqlite::Connection::open(&file).unwrap();
        ledger.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        let guards = without_guards(&ledger, &statements);
        guards.iter().for_each(|(_, sql)| ledger.execute_batch(sql).unwrap());
        drop(ledger);
        shows(&sandbox, &statements, told, &[]);
    }
}

#[test]
fn what_is_recorded_again_after_it_was_revoked_has_to_be_revoked_again() {
    let sandbox = with_history(&[]);
    let ledger = rusqlite::Connection::open(sandbox.ca().join("ledger.db")).unwrap();
    ledger
        .execute_batch(
            "DROP TRIGGER certificates_stay; DROP TRIGGER history_stays; DELETE FROM names WHERE certificate = 2;
             DELETE FROM revocations WHERE certificate = 2; DELETE FROM certificates WHERE id = 2;",
        )
        .unwrap();
    drop(ledger);
    sandbox.certkit(&["ca", "repair", "a.test.pem"]).expect_code(0).says("recorded");
    let ran = sandbox.certkit(&["ca", "check"]).expect_code(1);
    ran.says("revoked (keyCompromise) at 2023-11-14T22:13:20Z").says("certkit ca revoke");
    let again = ["--reason", "keyCompromise", "--at", "@1700000000", "--invalid-since", "@1600000000"];
    sandbox.certkit(&[&["ca", "revoke", "a.test"][..], &again].concat()).expect_code(0);
    sandbox.certkit(&["ca", "check"]).expect_code(0);
}

/// What keeps a database's name and does something else, what tells of it, and what is made again.
#[cfg(unix)]
const DISGUISES: &[(&str, &str, &str)] = &[
    (
        "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "the function refuse, by which every guard refuses, is not as certkit makes it",
        "refuse",
    ),
    (
        "ALTER FUNCTION refuse() SET session_replication_role = replica",
        "the function refuse, by which every guard refuses, is not as certkit makes it",
        "refuse",
    ),
    ("DROP FUNCTION refuse CASCADE", "audit_stays, which is part of every ledger, is missing", "refuse"),
    (
        "DROP FUNCTION refuse CASCADE; CREATE FUNCTION refuse() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'",
        "the function refuse, by which every guard refuses, is not as certkit makes it",
        "refuse",
    ),
    ("ALTER TABLE audit DISABLE TRIGGER audit_stays", "audit_stays, which is part of every ledger, is at rest", "audit_stays"),
    ("ALTER TABLE audit ENABLE REPLICA TRIGGER audit_stays", "audit_stays, which is part", "audit_stays"),
    ("DROP TRIGGER audit_stays ON audit", "audit_stays, which is part of every ledger, is missing", "audit_stays"),
    (
        "DROP TRIGGER audit_stays ON audit; CREATE TRIGGER audit_stays BEFORE DELETE OR UPDATE ON names
         FOR EACH ROW EXECUTE FUNCTION refuse('the audit log only grows'); DROP TRIGGER audit_stays ON names",
        "audit_stays, which is part of every ledger, is missing",
        "audit_stays",
    ),
    (
        "DROP TRIGGER audit_stays ON audit; CREATE TRIGGER audit_stays BEFORE DELETE OR UPDATE ON audit
         FOR EACH ROW WHEN (old.number < 0) EXECUTE FUNCTION refuse('the audit log only grows')",
        "audit_stays is not as certkit makes it",
        "audit_stays",
    ),
    (
        "DROP TRIGGER audit_stays ON audit; CREATE TRIGGER audit_stays BEFORE DELETE ON audit
         FOR EACH ROW WHEN (true) EXECUTE FUNCTION refuse('the audit log only grows')",
        "audit_stays is not as certkit makes it",
        "audit_stays",
    ),
    (
        "DROP TRIGGER audit_stays ON audit; CREATE TRIGGER audit_stays AFTER DELETE OR UPDATE ON audit
         FOR EACH ROW WHEN (true) EXECUTE FUNCTION refuse('the audit log only grows')",
        "audit_stays is not as certkit makes it",
        "audit_stays",
    ),
    (
        "DROP TRIGGER audit_stays ON audit; CREATE TRIGGER audit_stays BEFORE DELETE OR UPDATE ON audit
         FOR EACH STATEMENT EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "audit_stays is not as certkit makes it",
        "audit_stays",
    ),
    (
        "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END';
         DROP TRIGGER audit_stays ON audit; CREATE TRIGGER audit_stays BEFORE DELETE OR UPDATE ON audit
         FOR EACH ROW WHEN (true) EXECUTE FUNCTION public.refuse('the audit log only grows')",
        "audit_stays is not as certkit makes it",
        "audit_stays",
    ),
    (
        "DROP TRIGGER certificates_stay_the_same ON certificates;
         CREATE TRIGGER certificates_stay_the_same BEFORE UPDATE OF id ON certificates
         FOR EACH ROW WHEN (true) EXECUTE FUNCTION refuse('a recorded certificate is never changed')",
        "certificates_stay_the_same is not as certkit makes it",
        "certificates_stay_the_same",
    ),
    (
        "DROP TRIGGER revocations_stay ON certificates;
         CREATE TRIGGER revocations_stay BEFORE UPDATE OF revoked_at, reason, invalid_since ON certificates
         FOR EACH ROW WHEN (old.reason <> ALL ('{6,1}')) EXECUTE FUNCTION refuse('a revocation is never undone')",
        "revocations_stay is not as certkit makes it",
        "revocations_stay",
    ),
    (
        // As it was before a revocation could be raised.
        "DROP TRIGGER revocations_stay ON certificates;
         CREATE TRIGGER revocations_stay BEFORE UPDATE OF revoked_at, reason, invalid_since ON certificates
         FOR EACH ROW WHEN (old.reason <> 6) EXECUTE FUNCTION refuse('a revocation is never undone')",
        "revocations_stay is not as certkit makes it",
        "revocations_stay",
    ),
    (
        "CREATE FUNCTION public.never(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT false';
         CREATE OPERATOR public.< (FUNCTION = public.never, LEFTARG = bigint, RIGHTARG = bigint);
         DROP TRIGGER audit_head_grows ON audit_head; CREATE TRIGGER audit_head_grows BEFORE UPDATE ON audit_head FOR EACH ROW
         WHEN (new.lines OPERATOR(public.<) old.lines) EXECUTE FUNCTION refuse('the audit log only grows')",
        "audit_head_grows is not as certkit makes it",
        "audit_head_grows",
    ),
    (
        "DROP INDEX certificates_by_expiry",
        "certificates_by_expiry, which is part of every ledger, is missing",
        "certificates_by_expiry",
    ),
    (
        "DROP INDEX certificates_by_expiry; CREATE INDEX certificates_by_expiry ON certificates (not_after)",
        "certificates_by_expiry is not as certkit makes it",
        "certificates_by_expiry",
    ),
    (
        "DROP INDEX certificates_by_expiry; CREATE INDEX certificates_by_expiry ON revocations (authority, revoked_at)",
        "certificates_by_expiry is not as certkit makes it",
        "certificates_by_expiry",
    ),
    (
        "DROP INDEX lists_by_number; CREATE INDEX lists_by_number ON lists (authority, number, scope, (base IS NULL))",
        "lists_by_number is not as certkit makes it",
        "lists_by_number",
    ),
    (
        "DROP INDEX certificates_revoked; CREATE INDEX certificates_revoked ON certificates (authority, revoked_at)
         WHERE revoked_at IS NOT NULL AND reason <> 1",
        "certificates_revoked is not as certkit makes it",
        "certificates_revoked",
    ),
    (
        "DROP INDEX revocations_by_authority; ALTER TABLE revocations ADD CONSTRAINT revocations_by_authority UNIQUE (authority, id)",
        "revocations_by_authority, which is part of every ledger, is missing",
        "revocations_by_authority",
    ),
    (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'certificates_by_expiry'::regclass",
        "certificates_by_expiry, which is part of every ledger, is at rest",
        "certificates_by_expiry",
    ),
    (
        "ALTER TABLE names DISABLE TRIGGER ALL",
        "FOREIGN KEY (certificate) REFERENCES certificates(id) of the table names, which is part of every ledger, is at rest",
        "FOREIGN KEY (certificate) REFERENCES certificates(id) of the table names",
    ),
    (
        "ALTER TABLE certificates DISABLE TRIGGER ALL",
        "FOREIGN KEY (certificate) REFERENCES certificates(id) of the table revocations, which is part",
        "FOREIGN KEY (authority) REFERENCES authorities(id) of the table certificates",
    ),
];

/// What somebody did to a database that is not made good by itself, what tells of it, and what undoes it.
#[cfg(unix)]
const ALTERATIONS: &[(&str, &str, &str)] = &[
    (
        "ALTER TABLE lists DROP CONSTRAINT lists_number_check",
        "the table lists is not as certkit makes it: it lacks CHECK ((number > 0)) to do: restore the ledger from a backup",
        "ALTER TABLE lists ADD CHECK (number > 0)",
    ),
    (
        "ALTER TABLE lists DROP CONSTRAINT lists_number_check; ALTER TABLE lists ADD CHECK (number > 0) NOT VALID",
        "it lacks CHECK ((number > 0)), and it has CHECK ((number > 0)) NOT VALID",
        "ALTER TABLE lists VALIDATE CONSTRAINT lists_number_check",
    ),
    (
        "ALTER TABLE certificates DROP CONSTRAINT certificates_authority_serial_key",
        "the table certificates is not as certkit makes it: it lacks UNIQUE (authority, serial)",
        "ALTER TABLE certificates ADD UNIQUE (authority, serial)",
    ),
    (
        "ALTER TABLE names DROP CONSTRAINT names_certificate_fkey",
        "the table names is not as certkit makes it: it lacks FOREIGN KEY (certificate) REFERENCES certificates(id)",
        "ALTER TABLE names ADD FOREIGN KEY (certificate) REFERENCES certificates",
    ),
    (
        "ALTER TABLE names DROP CONSTRAINT names_pkey",
        "it lacks PRIMARY KEY (name, certificate)",
        "ALTER TABLE names ADD PRIMARY KEY (name, certificate)",
    ),
    (
        "ALTER TABLE lists ALTER entries TYPE integer",
        "it lacks entries bigint NOT NULL, and it has entries integer NOT NULL",
        "ALTER TABLE lists ALTER entries TYPE bigint",
    ),
    (
        "ALTER TABLE revocations ALTER reason DROP NOT NULL",
        "it lacks reason bigint NOT NULL, and it has reason bigint",
        "ALTER TABLE revocations ALTER reason SET NOT NULL",
    ),
    (
        "ALTER TABLE revocations ALTER reason SET DEFAULT 6",
        "it lacks reason bigint NOT NULL, and it has reason bigint NOT NULL DEFAULT 6",
        "ALTER TABLE revocations ALTER reason DROP DEFAULT",
    ),
    (
        "ALTER TABLE names ALTER name TYPE text COLLATE \"POSIX\"",
        "it lacks name text COLLATE \"C\" NOT NULL, and it has name text COLLATE \"POSIX\" NOT NULL",
        "ALTER TABLE names ALTER name TYPE text COLLATE \"C\"",
    ),
    (
        "ALTER TABLE revocations ALTER id SET GENERATED BY DEFAULT",
        "it has id bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY",
        "ALTER TABLE revocations ALTER id SET GENERATED ALWAYS",
    ),
    (
        "ALTER TABLE names ADD eve text",
        "the table names is not as certkit makes it: it has eve text to do: somebody wrote to the ledger past certkit",
        "ALTER TABLE names DROP eve",
    ),
    (
        "ALTER TABLE audit SET UNLOGGED",
        "the table audit is not as certkit makes it: it has UNLOGGED",
        "ALTER TABLE audit SET LOGGED",
    ),
    (
        "ALTER TABLE audit ENABLE ROW LEVEL SECURITY",
        "it has ROW LEVEL SECURITY",
        "ALTER TABLE audit DISABLE ROW LEVEL SECURITY",
    ),
    (
        "CREATE RULE eve AS ON DELETE TO audit DO INSTEAD NOTHING",
        "the table audit is not as certkit makes it: it has RULE eve",
        "DROP RULE eve ON audit",
    ),
    (
        "CREATE TABLE public.eve () INHERITS (audit)",
        "the table audit is not as certkit makes it: it has rows of public.eve",
        "DROP TABLE public.eve",
    ),
    (
        "CREATE TRIGGER eve BEFORE INSERT ON names FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "eve on names is not part of a ledger",
        "DROP TRIGGER eve ON names",
    ),
    ("CREATE INDEX eve ON names (certificate, name)", "eve on names is not part of a ledger", "DROP INDEX eve"),
    ("CREATE TABLE eve (x bigint)", "eve is not part of a ledger", "DROP TABLE eve"),
    ("CREATE VIEW eve AS TABLE names", "eve is not part of a ledger", "DROP VIEW eve"),
    (
        "CREATE FUNCTION refuse(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'",
        "refuse(bigint) is not part of a ledger",
        "DROP FUNCTION refuse(bigint)",
    ),
];

/// A CA with its ledger in a database, and somebody else there.
#[cfg(unix)]
fn in_a_database() -> Option<(String, Sandbox, postgres::Client)> {
    let url = crate::support::postgres::server()?.database();
    let sandbox = with_history(&["--ledger", &url]);
    let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
    client.batch_execute("SET search_path = certkit").unwrap();
    Some((url, sandbox, client))
}

#[cfg(unix)]
#[test]
fn what_keeps_the_name_of_a_guard_and_lets_everything_pass_is_seen_and_made_again() {
    let Some((url, sandbox, mut client)) = in_a_database() else { return };
    let ledger = ["--ledger", &url];
    for (statement, told, mended) in DISGUISES {
        client.batch_execute(statement).unwrap();
        shows(&sandbox, statement, told, &ledger);
        let repaired = sandbox.certkit(&[&["ca", "repair", "--json"], &ledger[..]].concat()).expect_code(0).json();
        assert!(repaired["mended"].to_string().contains(&format!("\"{mended}\"")), "{statement}\n{repaired}");
        let checked = sandbox.certkit(&[&["ca", "check"], &ledger[..]].concat());
        assert_eq!(checked.code, Some(0), "{statement}\n{checked}");
        let refused = client.batch_execute("UPDATE audit SET who = 'eve'").unwrap_err();
        assert_eq!(refused.as_db_error().unwrap().message(), "the audit log only grows", "{statement}");
    }
}

#[cfg(unix)]
#[test]
fn what_was_done_to_the_tables_of_a_database_is_told_and_left_alone() {
    let Some((url, sandbox, mut client)) = in_a_database() else { return };
    let ledger = ["--ledger", &url];
    for (statement, told, undone) in ALTERATIONS {
        client.batch_execute(statement).unwrap();
        shows(&sandbox, statement, told, &ledger);
        sandbox.certkit(&[&["ca", "repair"], &ledger[..]].concat()).expect_code(0).says("nothing to repair");
        shows(&sandbox, statement, told, &ledger);
        client.batch_execute(undone).unwrap();
        let checked = sandbox.certkit(&[&["ca", "check"], &ledger[..]].concat());
        assert_eq!(checked.code, Some(0), "{undone}\n{checked}");
    }
}
