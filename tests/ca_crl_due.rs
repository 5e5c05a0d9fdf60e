//! `certkit ca crl --check`: lists from a time to come, deltas that are about to lapse, lists that were taken over,
//! other authorities, and those whose time is over.

use std::fs;

use crate::support::{Ran, Sandbox};

const DAY: i64 = 86_400;

/// A CA of a month ago with certificates for these names.
fn with_certificates(names: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    at(&sandbox, -30 * DAY, &["ca", "init", "--name", "Test CA"]).expect_code(0);
    for name in names {
        sandbox.certkit(&["ca", "issue", name]).expect_code(0);
    }
    sandbox
}

/// Signs as by a clock that is so many seconds ahead.
fn at(sandbox: &Sandbox, ahead: i64, args: &[&str]) -> Ran {
    let then = time::OffsetDateTime::now_utc().unix_timestamp() + ahead;
    sandbox.command().args(args).env("SOURCE_DATE_EPOCH", then.to_string()).run()
}

fn check(sandbox: &Sandbox, code: i32) -> Ran {
    sandbox.certkit(&["ca", "crl", "--check"]).expect_code(code)
}

fn state(sandbox: &Sandbox) -> (bool, String) {
    let told = sandbox.certkit(&["ca", "crl", "--check", "--json"]).json();
    (told["due"].as_bool().unwrap(), told["list"]["state"].as_str().unwrap().to_owned())
}

#[test]
fn a_list_or_delta_from_a_time_to_come_counts_for_nothing() {
    let sandbox = with_certificates(&["a.test", "b.test"]);
    sandbox.certkit(&["ca", "crl"]).expect_code(0);
    sandbox.certkit(&["ca", "revoke", "a.test"]).expect_code(0);
    at(&sandbox, 4 * DAY, &["ca", "crl", "--delta"]).expect_code(0);
    let told =
        check(&sandbox, 1).says("due: list 1 does not know of the latest revocations").says("list 2, which is from");
    told.says("is the clock right? if it was ahead when list 2 was signed: certkit ca crl --force");
    assert_eq!(state(&sandbox), (true, "behind".to_owned()));
    sandbox.certkit(&["ca", "crl"]).expect_code(2).complains("certkit ca crl --force");
    sandbox.certkit(&["ca", "crl", "--delta", "--force"]).expect_code(0).says("list 3");
    check(&sandbox, 0).says("fine: list 1 says all together with its delta, list 3");
    // So does a complete list.
    at(&sandbox, 20 * DAY, &["ca", "crl"]).expect_code(0).says("list 4");
    check(&sandbox, 1).says("due: list 4 is from").says("which is to come").says("certkit ca crl --force");
    assert_eq!(state(&sandbox), (true, "ahead".to_owned()));
    sandbox.certkit(&["ca", "list"]).expect_code(0).complains("sign the next one with `certkit ca crl --force`");
    sandbox
        .certkit(&["ca", "revoke", "b.test"])
        .expect_code(0)
        .says("publish the next one with `certkit ca crl --force`");
    let refused = sandbox.certkit(&["ca", "crl", "--delta", "--force"]).expect_code(2);
    refused.complains("which the delta would build upon, is from").complains("certkit ca crl --force");
    sandbox.certkit(&["ca", "crl", "--force"]).expect_code(0).says("2 certificates revoked");
    check(&sandbox, 0).says("fine: list 5 says all and lapses");
}

#[test]
fn a_delta_that_alone_tells_of_a_revocation_is_due_before_it_lapses() {
    let sandbox = with_certificates(&["a.test"]);
    at(&sandbox, -21 * 3_600, &["ca", "crl"]).expect_code(0);
    // One that tells of nothing is no loss.
    at(&sandbox, -20 * 3_600, &["ca", "crl", "--delta"]).expect_code(0);
    check(&sandbox, 0).says("fine: list 1 says all and lapses");
    sandbox.certkit(&["ca", "revoke", "a.test"]).expect_code(0);
    at(&sandbox, -19 * 3_600, &["ca", "crl", "--delta"]).expect_code(0);
    check(&sandbox, 1).says("due: list 1 says all together with its delta, list 3, and that lapses in");
    assert_eq!(state(&sandbox), (true, "due".to_owned()));
    at(&sandbox, -2 * 3_600, &["ca", "crl", "--delta"]).expect_code(0);
    check(&sandbox, 0).says("fine: list 1 says all together with its delta, list 4");
}

#[test]
fn a_list_that_was_taken_over_is_replaced_and_the_next_one_is_due() {
    let sandbox = with_certificates(&["a.test", "b.test"]);
    sandbox.certkit(&["ca", "crl"]).expect_code(0);
    sandbox.certkit(&["ca", "backup", "backup.db"]).expect_code(0);
    sandbox.certkit(&["ca", "crl"]).expect_code(0);
    restore(&sandbox);
    sandbox.certkit(&["ca", "crl"]).expect_code(2).complains("certkit ca repair --crl crl.pem");
    sandbox.certkit(&["ca", "repair", "--crl", "crl.pem"]).expect_code(0).says("comes after number 2");
    check(&sandbox, 1).says("due: a number is taken that is greater than that of list 1");
    assert_eq!(state(&sandbox), (true, "overtaken".to_owned()));
    sandbox.certkit(&["ca", "crl", "--delta", "--out", "crl.pem"]).expect_code(2).complains("exists");
    sandbox.certkit(&["ca", "crl", "--url", "http://ca.test/x", "--out", "crl.pem"]).expect_code(2).complains("exists");
    sandbox.certkit(&["ca", "crl"]).expect_code(0).says("list 3");
    check(&sandbox, 0).says("fine: list 3");
}

#[test]
fn a_list_of_which_the_ledger_lacks_a_revocation_is_not_replaced() {
    let sandbox = with_certificates(&["a.test", "b.test"]);
    sandbox.certkit(&["ca", "backup", "backup.db"]).expect_code(0);
    sandbox.certkit(&["ca", "revoke", "a.test", "--reason", "keyCompromise"]).expect_code(0);
    sandbox.certkit(&["ca", "revoke", "b.test", "--hold"]).expect_code(0);
    sandbox.certkit(&["ca", "crl"]).expect_code(0);
    restore(&sandbox);
    // The ledger has counted on, past the number of the list there, without looking at it.
    for name in ["x.pem", "y.pem"] {
        sandbox.certkit(&["ca", "crl", "--out", name]).expect_code(0);
    }
    sandbox.certkit(&["ca", "crl"]).expect_code(2).complains("crl.pem").complains("exists");
    // A milder reason is not the same.
    sandbox.certkit(&["ca", "revoke", "a.test", "b.test", "--reason", "superseded"]).expect_code(0);
    sandbox.certkit(&["ca", "crl"]).expect_code(2).complains("exists");
    sandbox.certkit(&["ca", "repair", "--crl", "crl.pem"]).expect_code(0);
    sandbox.certkit(&["ca", "crl"]).expect_code(0).says("2 certificates revoked");
}

#[test]
fn without_issuer_what_other_authorities_owe_is_told() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--intermediate"]).expect_code(0);
    sandbox.certkit(&["ca", "intermediate", "web"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "a.test", "--issuer", "web"]).expect_code(0);
    sandbox.certkit(&["ca", "crl"]).expect_code(0);
    // One that has never signed a list owes none.
    check(&sandbox, 0);
    for name in ["ca", "web"] {
        let out = format!("{name}.crl");
        sandbox.certkit(&["ca", "crl", "--issuer", name, "--out", &out]).expect_code(0);
    }
    let fine = check(&sandbox, 0).says("fine: list 1 says all");
    assert_eq!(fine.stdout.lines().count(), 1, "{}", fine.stdout);
    sandbox.certkit(&["ca", "revoke", "a.test"]).expect_code(0);
    check(&sandbox, 1)
        .says("fine: list 1 says all")
        .says("due: web: list 1 does not know of the latest revocations")
        .says("certkit ca crl --issuer web");
    let told = sandbox.certkit(&["ca", "crl", "--check", "--json"]).expect_code(1).json();
    assert_eq!((&told["due"], &told["can_sign"]), (&false.into(), &true.into()), "{told}");
    assert_eq!(told["others"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!((&told["others"][0]["authority"], &told["others"][0]["can_sign"]), (&"web".into(), &true.into()));
    assert!(told["others"][0]["why"].as_str().unwrap().contains("list 1"), "{told}");
    sandbox.certkit(&["ca", "crl", "--check", "--issuer", "issuing"]).expect_code(0);
    sandbox.certkit(&["ca", "crl", "--check", "--issuer", "web"]).expect_code(1);
    sandbox.certkit(&["ca", "crl", "--check", "--url", "http://ca.test/other"]).expect_code(1).says("never signed");
    sandbox.certkit(&["ca", "crl", "--issuer", "web", "--out", "web.crl"]).expect_code(0);
    check(&sandbox, 0);
}

#[test]
fn the_list_of_another_authority_is_signed_with_the_key_that_was_put_elsewhere_or_by_nobody() {
    let sandbox = Sandbox::new();
    at(&sandbox, -30 * DAY, &["ca", "init", "--intermediate"]).expect_code(0);
    at(&sandbox, -20 * DAY, &["ca", "crl", "--issuer", "ca", "--out", "ca.crl"]).expect_code(0);
    sandbox.certkit(&["ca", "crl"]).expect_code(0);
    check(&sandbox, 1).says("due: ca: list 1 lapsed").says("sign the next one with: certkit ca crl --issuer ca");
    let config = fs::read_to_string(sandbox.ca().join("ca.toml")).unwrap();
    let with_key = |key: &str| {
        fs::write(sandbox.ca().join("ca.toml"), format!("{config}\n[keys]\nca = {key}\n")).unwrap();
    };
    with_key("{ set_aside = \"/mnt/ca-key.pem\" }");
    check(&sandbox, 1).says("certkit ca crl --issuer ca --ca-key /mnt/ca-key.pem");
    with_key("\"destroyed\"");
    check(&sandbox, 2).says("fine: list 1").says("due: ca: list 1 lapsed").says("its key was destroyed");
    // What can be signed comes before what nobody can sign.
    sandbox.certkit(&["ca", "crl", "--check", "--url", ""]).expect_code(2);
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    sandbox.certkit(&["ca", "revoke", "a.test"]).expect_code(0);
    check(&sandbox, 1).says("due: list 1 does not know").says("its key was destroyed");
}

#[test]
fn of_an_authority_that_has_expired_no_list_is_due() {
    let sandbox = Sandbox::new();
    at(&sandbox, -30 * DAY, &["ca", "init", "--days", "20"]).expect_code(0);
    at(&sandbox, -30 * DAY, &["ca", "issue", "a.test"]).expect_code(0);
    let told = check(&sandbox, 0).says("over: its certificate ended at").says("no client asks for its lists any more");
    told.says("certkit ca renew ca");
    at(&sandbox, -29 * DAY, &["ca", "crl"]).expect_code(0);
    sandbox.certkit(&["ca", "revoke", "a.test"]).expect_code(0);
    check(&sandbox, 0).says("over: its certificate ended at");
    let told = sandbox.certkit(&["ca", "crl", "--check", "--json"]).expect_code(0).json();
    assert_eq!((&told["due"], &told["can_sign"]), (&false.into(), &false.into()), "{told}");
    assert_eq!(told["lists"][0]["state"], "lapsed", "{told}");
    // It goes on once it is renewed.
    sandbox.certkit(&["ca", "renew", "ca"]).expect_code(0);
    check(&sandbox, 1).says("due: list 1 lapsed");
    sandbox.certkit(&["ca", "crl"]).expect_code(0);
    check(&sandbox, 0).says("fine: list 2");
}

#[test]
fn an_authority_that_is_not_valid_yet_is_renewed_first() {
    let sandbox = Sandbox::new();
    at(&sandbox, 30 * DAY, &["ca", "init"]).expect_code(0);
    sandbox.certkit(&["ca", "crl"]).expect_code(2).complains("is not valid before");
    check(&sandbox, 1).says("never signed a list").says("is the clock right?").says("certkit ca renew ca");
    sandbox.certkit(&["ca", "renew", "ca"]).expect_code(0);
    sandbox.certkit(&["ca", "crl"]).expect_code(0);
    check(&sandbox, 0);
}

#[test]
fn a_list_that_clients_do_not_take_yet_is_told() {
    let sandbox = with_certificates(&[]);
    at(&sandbox, 200, &["ca", "crl"]).expect_code(0).says("list 1");
    let told = sandbox.certkit(&["ca", "crl"]).expect_code(0);
    told.complains("clients take list 2 from").complains("certkit ca crl --force");
    assert_eq!(state(&sandbox), (true, "ahead".to_owned()));
    let told = sandbox.certkit(&["ca", "crl", "--force"]).expect_code(0);
    assert!(!told.stderr.contains("clients take"), "{}", told.stderr);
    check(&sandbox, 0).says("fine: list 3");
}

/// Puts back the ledger that was backed up.
fn restore(sandbox: &Sandbox) {
    for ending in ["", "-wal", "-shm"] {
        _ = fs::remove_file(sandbox.ca().join(format!("ledger.db{ending}")));
    }
    fs::copy(sandbox.path("backup.db"), sandbox.ca().join("ledger.db")).unwrap();
}
