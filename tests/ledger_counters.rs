//! Counters of a ledger's rows that fell behind or ran out: `certkit ca check` tells of them, `certkit ca repair` sets them.

use crate::ledger_check;
#[cfg(unix)]
use crate::support::Sandbox;

#[test]
fn a_row_counter_at_its_end_is_told_from_a_full_disk_and_set_back() {
    let sandbox = ledger_check::with_ca();
    sandbox.certkit(&["ca", "revoke", "a.test"]).expect_code(0);
    let ledger = rusqlite::Connection::open(sandbox.ca().join("ledger.db")).unwrap();
    ledger.execute_batch("UPDATE sqlite_sequence SET seq = 9223372036854775807").unwrap();
    drop(ledger);
    for asked in [["issue", "d.test"], ["revoke", "b.test"]] {
        let refused = sandbox.certkit(&["ca", asked[0], asked[1]]).expect_code(2).complains("the row counter of");
        let refused = refused.complains("certkit ca check").complains("certkit ca repair");
        assert!(!refused.stderr.contains("disk"), "{refused}");
    }
    let found = sandbox.certkit(&["ca", "check"]).expect_code(1).says("the row counter of certificates is at its end");
    found.says("the row counter of revocations").says("certkit ca repair");
    sandbox.certkit(&["ca", "repair"]).expect_code(0).says("the row counter of certificates");
    sandbox.certkit(&["ca", "audit", "--action", "repair"]).expect_code(0).says("the row counter of revocations");
    sandbox.certkit(&["ca", "check"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "d.test"]).expect_code(0);
    sandbox.certkit(&["ca", "revoke", "b.test"]).expect_code(0);
}

#[cfg(unix)]
#[test]
fn row_counters_that_fell_behind_are_told_and_repaired() {
    let Some(server) = crate::support::postgres::server() else { return };
    let (sandbox, url) = (Sandbox::new(), server.database());
    sandbox.certkit(&["ca", "init", "--name", "Test CA", "--ledger", &url]).expect_code(0);
    let issued = (0..12).map(|n| format!("n{n}.test")).collect::<Vec<_>>();
    for name in &issued {
        sandbox.certkit(&["ca", "issue", name]).expect_code(0);
    }
    for name in &issued[..9] {
        sandbox.certkit(&["ca", "revoke", name]).expect_code(0);
        sandbox.certkit(&["ca", "crl", "--out", "crl.pem", "--force"]).expect_code(0);
    }
    // As after a logical failover: rows come over, sequences do not.
    let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
    for table in ["certificates", "revocations", "lists"] {
        client.batch_execute(&format!("SELECT setval('certkit.{table}_id_seq', 1)")).unwrap();
    }
    for asked in [&["issue", "z.test"][..], &["revoke", "n10.test"], &["crl", "--out", "other.pem"]] {
        let refused = sandbox.command().arg("ca").args(asked).expect_code(2);
        let refused = refused.complains("the row counter of").complains("certkit ca repair");
        assert!(!refused.stderr.contains("randomness") && !refused.stderr.contains("duplicate"), "{refused}");
    }
    let found =
        sandbox.certkit(&["ca", "check"]).expect_code(1).says("the row counter of certificates has fallen behind");
    found.says("the row counter of revocations").says("the row counter of lists").says("certkit ca repair");
    sandbox.certkit(&["ca", "repair"]).expect_code(0).says("the row counter of lists");
    sandbox.certkit(&["ca", "audit", "--action", "repair"]).expect_code(0).says("the row counter of certificates");
    sandbox.certkit(&["ca", "check"]).expect_code(0);
    for asked in [&["issue", "z.test"][..], &["revoke", "n10.test"], &["crl", "--out", "other.pem"]] {
        sandbox.command().arg("ca").args(asked).expect_code(0);
    }
}

/// A CA with its ledger in a database of its own, its URL, and a client of that beside it.
#[cfg(unix)]
pub(crate) fn in_database(server: &crate::support::postgres::Server) -> (Sandbox, String, postgres::Client) {
    let (sandbox, url) = (Sandbox::new(), server.database());
    sandbox.certkit(&["ca", "init", "--name", "Test CA", "--ledger", &url]).expect_code(0);
    let client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
    (sandbox, url, client)
}

#[cfg(unix)]
#[test]
fn counters_that_may_not_be_looked_at_are_told() {
    let Some(server) = crate::support::postgres::server() else { return };
    let (sandbox, url, mut client) = in_database(server);
    client
        .batch_execute(
            "CREATE ROLE onlooker LOGIN; GRANT USAGE ON SCHEMA certkit TO onlooker;
             GRANT SELECT ON ALL TABLES IN SCHEMA certkit TO onlooker;",
        )
        .unwrap();
    let onlooker = url.replace("certkit@", "onlooker@");
    let check = || sandbox.certkit(&["ca", "check", "--ledger", &onlooker]).expect_code(0);
    let told = check().says("warning:").says("the row counter of certificates was not looked at");
    told.says("lacks SELECT on the sequence certificates_id_seq").says("GRANT SELECT ON ALL SEQUENCES").says("sound");
    // A session that takes no changes is no standby for that.
    client.batch_execute("ALTER ROLE onlooker SET default_transaction_read_only = on").unwrap();
    let refused = sandbox.certkit(&["ca", "issue", "a.test", "--ledger", &onlooker]).expect_code(2);
    refused.complains("default_transaction_read_only is on");
    client.batch_execute("GRANT SELECT ON ALL SEQUENCES IN SCHEMA certkit TO onlooker").unwrap();
    assert!(!check().stdout.contains("warning"));
    client.batch_execute("DROP OWNED BY onlooker; DROP ROLE onlooker").unwrap();
}
