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
    let Some(server) = crate::support::postgres::server() else { return };
    let url = server.database();
    let ledger = ["--ledger", &url];
    let sandbox = with_history(&ledger);
    let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
    let tables = ["authorities", "certificates", "revocations", "lists"];
    // Guards and references rest in this session alone.
    client.batch_execute("SET session_replication_role = replica; SET search_path = certkit").unwrap();
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
