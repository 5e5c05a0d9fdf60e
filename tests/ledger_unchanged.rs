//! `certkit ca check` changes nothing of a ledger, whatever its journal and its schema.

use std::fs;

use crate::ledger_check::{tamper, with_ca};
#[cfg(unix)]
use crate::ledger_counters::in_database;

#[test]
fn a_check_leaves_the_ledger_as_it_is_whatever_its_journal_and_schema() {
    let sandbox = with_ca();
    let path = sandbox.ca().join("ledger.db");
    let ask = |statements: &str, pragma: &str| {
        let ledger = rusqlite::Connection::open(&path).unwrap();
        ledger.execute_batch(statements).unwrap();
        ledger.pragma_query_value(None, pragma, |row| row.get::<_, rusqlite::types::Value>(0)).unwrap()
    };
    ask("PRAGMA journal_mode = DELETE", "journal_mode");
    let before = fs::read(&path).unwrap();
    sandbox.certkit(&["ca", "check"]).expect_code(0).says("sound: 1 authority, 4 certificates");
    assert!(fs::read(&path).unwrap() == before, "the journal is kept as it was");
    ask("PRAGMA user_version = 3", "user_version");
    let before = fs::read(&path).unwrap();
    let checked = sandbox.certkit(&["ca", "check"]).expect_code(0).says("sound: 1 authority, 4 certificates");
    checked.says("warning:").says("it has schema 3 of an earlier certkit").says("certkit ca list");
    assert!(fs::read(&path).unwrap() == before, "the schema stays as it was");
    // What is wrong with it is told all the same.
    tamper(&sandbox, "UPDATE certificates SET subject = 'CN=eve' WHERE id = 3");
    sandbox.certkit(&["ca", "check"]).expect_code(1).says("the column subject").says("schema 3");
    tamper(&sandbox, "UPDATE certificates SET subject = 'CN=b.test' WHERE id = 3");
    sandbox.certkit(&["ca", "list"]).expect_code(0);
    let checked = sandbox.certkit(&["ca", "check"]).expect_code(0);
    assert!(!checked.stdout.contains("warning"), "{checked}");
}

#[cfg(unix)]
#[test]
fn a_check_leaves_the_schema_of_a_database_as_it_is() {
    let Some(server) = crate::support::postgres::server() else { return };
    let (sandbox, _, mut client) = in_database(server);
    client.batch_execute("UPDATE certkit.version SET version = 1").unwrap();
    let refused = sandbox.certkit(&["ca", "check"]).expect_code(2).complains("has schema 1, this certkit needs");
    refused.complains("certkit ca list");
    let version: i64 = client.query_one("SELECT version FROM certkit.version", &[]).unwrap().get(0);
    assert_eq!(version, 1);
    sandbox.certkit(&["ca", "list"]).expect_code(0);
    sandbox.certkit(&["ca", "check"]).expect_code(0);
}

#[cfg(unix)]
#[test]
fn who_may_not_bring_a_database_up_to_date_is_told_who_may() {
    let Some(server) = crate::support::postgres::server() else { return };
    let (sandbox, url, mut client) = in_database(server);
    client
        .batch_execute(
            "UPDATE certkit.version SET version = 1;
             CREATE ROLE clerk LOGIN; GRANT USAGE ON SCHEMA certkit TO clerk;
             GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA certkit TO clerk;
             GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA certkit TO clerk;",
        )
        .unwrap();
    let clerk = url.replace("certkit@", "clerk@");
    for args in ["list", "issue a.test", "crl --check", "check"] {
        let args = ["ca"].into_iter().chain(args.split(' ')).chain(["--ledger", &clerk]).collect::<Vec<_>>();
        let refused = sandbox.certkit(&args).expect_code(2).complains("has schema 1, this certkit needs");
        refused.complains("its owner has to run certkit ca list once");
    }
    sandbox.certkit(&["ca", "list"]).expect_code(0);
    sandbox.certkit(&["ca", "list", "--ledger", &clerk]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "a.test", "--ledger", &clerk]).expect_code(0);
    client.batch_execute("DROP OWNED BY clerk; DROP ROLE clerk").unwrap();
}

#[cfg(unix)]
#[test]
fn a_file_of_an_earlier_schema_that_may_not_be_written_is_told_for_that() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = with_ca();
    let path = sandbox.ca().join("ledger.db");
    let ledger = rusqlite::Connection::open(&path).unwrap();
    ledger.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA user_version = 3").unwrap();
    drop(ledger);
    let mode = |folder: u32, file: u32| {
        fs::set_permissions(&path, fs::Permissions::from_mode(file)).unwrap();
        fs::set_permissions(sandbox.ca(), fs::Permissions::from_mode(folder)).unwrap();
    };
    mode(0o555, 0o444);
    let ran = ["list", "crl --check", "export a.test", "export --records csv"].map(|args| {
        let args = ["ca"].into_iter().chain(args.split(' ')).collect::<Vec<_>>();
        sandbox.unprivileged(&args)
    });
    mode(0o755, 0o644);
    for ran in ran {
        let Some(ran) = ran else { return };
        ran.expect_code(2).complains("has schema 3, this certkit needs").complains("certkit ca list");
    }
}
