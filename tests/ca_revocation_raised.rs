//! `certkit ca revoke` of what is revoked: a compromise is taken, another reason is not.

use certkit::ca::{Act, Action, Ledger, Revocation, SqliteLedger};
use certkit::x509::{SerialNumber, extension::CrlReason};

use crate::support::{Sandbox, peer};

#[test]
fn a_reason_that_is_not_taken_is_told() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    sandbox.certkit(&["ca", "revoke", "a.test", "--reason", "superseded"]).expect_code(0);
    let again = sandbox.certkit(&["ca", "revoke", "a.test", "--reason", "affiliationChanged"]).expect_code(1);
    again.says("affiliationChanged was NOT taken").says("already").says("nothing changed");
    let same = sandbox.certkit(&["ca", "revoke", "a.test", "--reason", "superseded"]).expect_code(1);
    assert!(!same.stdout.contains("NOT taken"), "{same}");
    sandbox.certkit(&["ca", "revoke", "a.test", "--reason", "keyCompromise"]).expect_code(0);
    for reason in ["superseded", "cACompromise"] {
        let json = sandbox.certkit(&["ca", "revoke", "a.test", "--reason", reason, "--json"]).expect_code(1).json();
        let told = &json["certificates"][0];
        assert_eq!(
            (&told["not_taken"], &told["reason"], &told["changed"], &told["raised_from"]),
            (&reason.into(), &"keyCompromise".into(), &false.into(), &serde_json::Value::Null),
            "{json}"
        );
    }
    sandbox.certkit(&["ca", "revoke", "a.test", "--hold"]).expect_code(1).says("certificateHold was NOT taken");
    sandbox.certkit(&["ca", "revoke", "a.test", "--release"]).expect_code(1).says("not on hold");
}

#[test]
fn a_revocation_is_raised_to_a_compromise() {
    is_raised(&[]);
}

#[cfg(unix)]
#[test]
fn a_revocation_in_a_database_is_raised_to_a_compromise() {
    let Some(server) = crate::support::postgres::server() else { return };
    is_raised(&["--ledger", &server.database()]);
}

/// What was revoked as superseded turns out to be compromised: every list and answer says so, and as of the first time.
fn is_raised(ledger: &[&str]) {
    let sandbox = Sandbox::new();
    let ca = |args: &[&str]| sandbox.certkit(&[&["ca"], args, ledger].concat());
    let long_ago = |args: &[&str]| {
        let args = [&["ca"], args, ledger].concat();
        sandbox.command().env("SOURCE_DATE_EPOCH", "1690000000").args(args).expect_code(0);
    };
    long_ago(&["init", "--name", "Test CA", "--days", "20000"]);
    long_ago(&["issue", "a.test", "--days", "10000"]);
    long_ago(&["issue", "b.test", "--days", "10000"]);
    ca(&["revoke", "a.test", "--reason", "superseded", "--at", "@1700000000"]).expect_code(0);
    ca(&["revoke", "b.test", "--reason", "superseded", "--at", "@1700000000"]).expect_code(0);
    ca(&["crl"]).expect_code(0);
    ca(&["issue", "c.test", "--key", "a.test-key.pem"]).expect_code(0);
    let raise = ["--reason", "keyCompromise", "--at", "@1710000000", "--invalid-since", "@1695000000"];
    let raised = ca(&[&["revoke", "a.test"][..], &raise].concat()).expect_code(0);
    let raised = raised.says("raised").says("keyCompromise since 2023-11-14T22:13:20Z (superseded before)");
    raised.says("list 1 does not say so").complains("--at is not taken");
    let json = ca(&["revoke", "b.test", "--reason", "cACompromise", "--json"]).expect_code(0).json();
    let told = &json["certificates"][0];
    assert_eq!((&told["changed"], &told["raised_from"]), (&true.into(), &"superseded".into()), "{json}");
    assert_eq!((&told["reason"], &told["not_taken"]), (&"cACompromise".into(), &serde_json::Value::Null), "{json}");
    ca(&["crl", "--delta"]).expect_code(0).says("2");
    ca(&["crl", "--out", "next.pem"]).expect_code(0);
    if let Some(openssl) = peer("openssl") {
        let root = sandbox.ca().join("ca.pem").to_str().unwrap().to_owned();
        for file in ["delta-crl.pem", "next.pem"] {
            let shown = sandbox.peer(&openssl, &["crl", "-in", file, "-CAfile", &root, "-text", "-noout"]);
            let shown = shown.expect_code(0).complains("verify OK").says("Key Compromise").says("CA Compromise");
            let shown = shown.says("Revocation Date: Nov 14 22:13:20 2023 GMT").says("Sep 18 01:20:00 2023 GMT");
            assert!(!shown.stdout.contains("Superseded"), "{shown}");
        }
    }
    let shown = ca(&["show", "a.test.pem", "--json"]).expect_code(0).json();
    let reasons: Vec<_> = shown["history"].as_array().unwrap().iter().map(|step| &step["reason"]).collect();
    assert_eq!(reasons, ["superseded", "keyCompromise"]);
    for name in ["a.test", "b.test"] {
        let again = ca(&["issue", "d.test", "--key", &format!("{name}-key.pem")]);
        again.expect_code(2).complains("its key is compromised");
    }
    ca(&["revoke", "a.test", "--reason", "superseded"]).expect_code(1).says("superseded was NOT taken");
    ca(&["audit", "--action", "revoke"]).expect_code(0).says("cACompromise; at 2023-11-14T22:13:20Z");
    ca(&["check"]).expect_code(0).says("sound");
    ca(&["repair"]).expect_code(0).says("nothing to repair");
}

/// A CA with one certificate, which was revoked by a clock that is ten days ahead; and its serial number.
fn revoked_ahead(reason: CrlReason) -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    let record = sandbox.certkit(&["ca", "list", "--json"]).expect_code(0).json();
    let serial = record["certificates"][0]["serial"].as_str().unwrap().to_owned();
    let at = time::OffsetDateTime::now_utc().replace_nanosecond(0).unwrap() + time::Duration::days(10);
    let mut ledger = SqliteLedger::open(&sandbox.ca().join("ledger.db")).unwrap();
    let authority = ledger.authorities().unwrap()[0].id;
    let act = Act { at, who: "ann".into(), what: Action::Revoke };
    let ahead = Revocation::new(at, reason);
    ledger.revoke(authority, &SerialNumber::from_hex(&serial).unwrap(), ahead, &act).unwrap();
    drop(ledger);
    (sandbox, serial)
}

#[test]
fn a_hold_as_of_a_time_to_come_is_made_now_and_stays_one() {
    let (sandbox, serial) = revoked_ahead(CrlReason::CertificateHold);
    let told = sandbox.certkit(&["ca", "check"]).expect_code(0).says("which is to come");
    told.says(&format!("certkit ca revoke --hold {serial} makes it now"));
    sandbox.certkit(&["ca", "revoke", "--hold", &serial]).expect_code(0);
    let checked = sandbox.certkit(&["ca", "check"]).expect_code(0);
    assert!(!checked.stdout.contains("warning"), "{checked}");
    sandbox.certkit(&["ca", "revoke", "--release", &serial]).expect_code(0);
}

#[test]
fn a_revocation_as_of_a_time_to_come_is_told_and_made_now() {
    let (sandbox, serial) = revoked_ahead(CrlReason::Superseded);
    let told = sandbox.certkit(&["ca", "check"]).expect_code(0).says("warning:").says("which is to come");
    told.says(&format!("certkit ca revoke {serial}"));
    let moved = sandbox.certkit(&["ca", "revoke", &serial, "--json"]).expect_code(0).json();
    let moved = &moved["certificates"][0];
    assert_eq!((&moved["reason"], &moved["changed"]), (&"superseded".into(), &true.into()), "{moved}");
    assert!(moved["moved_from"].is_string() && moved["raised_from"].is_null(), "{moved}");
    let checked = sandbox.certkit(&["ca", "check"]).expect_code(0);
    assert!(!checked.stdout.contains("warning"), "{checked}");
    sandbox.certkit(&["ca", "revoke", &serial]).expect_code(1).says("already");
    sandbox.certkit(&["ca", "audit"]).expect_code(0).says("sound");
}
