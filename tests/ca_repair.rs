//! `certkit ca repair`: what lists and exports bring back, and what they do not.

use std::fs;

use crate::ledger_check::with_ca;
use crate::support::Sandbox;

fn lose_the_ledger(sandbox: &Sandbox) {
    for ending in ["", "-wal", "-shm"] {
        _ = fs::remove_file(sandbox.ca().join(format!("ledger.db{ending}")));
    }
}

#[test]
fn a_hold_that_was_lifted_since_is_not_put_back_by_a_list() {
    let sandbox = with_ca();
    sandbox.certkit(&["ca", "revoke", "a.test", "--hold"]).expect_code(0);
    sandbox.certkit(&["ca", "revoke", "b.test", "--reason", "keyCompromise"]).expect_code(0);
    sandbox.certkit(&["ca", "crl"]).expect_code(0);
    sandbox.certkit(&["ca", "revoke", "a.test", "--release"]).expect_code(0);
    for args in [&["ca", "repair"][..], &["ca", "repair", "--crl", "crl.pem"], &["ca", "repair", "crl.pem"]] {
        let ran = sandbox.certkit(args).expect_code(0);
        ran.says("left alone: a.test").says("nothing to repair");
        let answer = sandbox.certkit(&[args, &["--json"]].concat()).expect_code(0).json();
        assert_eq!((&answer["revoked"], &answer["released"][0]["name"]), (&0.into(), &"a.test".into()), "{answer}");
    }
    assert_eq!(
        sandbox.certkit(&["ca", "list", "--revoked", "--json"]).json()["certificates"].as_array().unwrap().len(),
        1
    );
    sandbox.certkit(&["ca", "check"]).expect_code(0);
    // A ledger that knows nothing later goes by the list, and says whom that is about.
    lose_the_ledger(&sandbox);
    let certificates = ["a.test.pem", "b.test.pem", "c.test.pem"];
    let ran = sandbox.certkit(&[&["ca", "repair", "--new-ledger"][..], &certificates].concat()).expect_code(0);
    ran.says("revoked: 2").says("  a.test (serial number").says("  b.test (serial number");
    // Nor does the same list again, which this ledger has not recorded.
    sandbox.certkit(&["ca", "revoke", "a.test", "--release"]).expect_code(0);
    sandbox.certkit(&["ca", "repair"]).expect_code(0).says("left alone: a.test").says("nothing to repair");
}

#[test]
fn a_list_of_later_than_the_release_counts() {
    let sandbox = with_ca();
    sandbox.certkit(&["ca", "revoke", "a.test", "--hold"]).expect_code(0);
    sandbox.certkit(&["ca", "revoke", "a.test", "--release"]).expect_code(0);
    let backup: Vec<(String, Vec<u8>)> = ["", "-wal", "-shm"]
        .into_iter()
        .filter_map(|ending| {
            let name = format!("ledger.db{ending}");
            Some((name.clone(), fs::read(sandbox.ca().join(name)).ok()?))
        })
        .collect();
    let later = |args: &[&str]| {
        let now = time::OffsetDateTime::now_utc().unix_timestamp() + 60;
        sandbox.command().env("SOURCE_DATE_EPOCH", now.to_string()).args(args).expect_code(0);
    };
    later(&["ca", "revoke", "a.test", "--hold"]);
    later(&["ca", "crl"]);
    lose_the_ledger(&sandbox);
    backup.iter().for_each(|(name, contents)| fs::write(sandbox.ca().join(name), contents).unwrap());
    sandbox.certkit(&["ca", "repair"]).expect_code(0).says("revoked: 1").says("a.test (serial number");
}

#[test]
fn a_new_ledger_without_a_list_says_that_revocations_are_lost() {
    let sandbox = with_ca();
    sandbox.certkit(&["ca", "revoke", "a.test"]).expect_code(0);
    lose_the_ledger(&sandbox);
    let new = ["ca", "repair", "--new-ledger", "a.test.pem", "b.test.pem", "c.test.pem"];
    sandbox.certkit(&new).expect_code(0).says("every revocation is lost, and all its certificates count as good");
    lose_the_ledger(&sandbox);
    let answer = sandbox.certkit(&[&new[..], &["--json"]].concat()).expect_code(0).json();
    assert_eq!(answer["without_list"][0], "Test CA", "{answer}");
    assert!(answer["cautions"][0].as_str().unwrap().contains("every revocation is lost"), "{answer}");
    // One that was mended has lost nothing.
    let answer = sandbox.certkit(&["ca", "repair", "--json"]).expect_code(0).json();
    assert_eq!(answer["without_list"].as_array().unwrap().len(), 0, "{answer}");
}

#[test]
fn an_export_of_the_ledger_brings_back_certificates_profiles_and_revocations() {
    let sandbox = with_ca();
    sandbox.certkit(&["ca", "issue", "ann", "--profile", "client"]).expect_code(0);
    let since = ["--reason", "keyCompromise", "--invalid-since", "@1600000000"];
    sandbox.certkit(&[&["ca", "revoke", "a.test"][..], &since].concat()).expect_code(0);
    sandbox.certkit(&["ca", "revoke", "b.test", "--hold"]).expect_code(0);
    let export = |out: &str| {
        sandbox.certkit(&["ca", "export", "--records", "jsonl", "--out", out]).expect_code(0);
        let text = fs::read_to_string(sandbox.path(out)).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let kept = |line: serde_json::Value| {
            ["serial", "profile", "revoked_at", "reason", "invalid_since", "certificate"].map(|name| line[name].clone())
        };
        lines.map(kept).collect::<Vec<_>>()
    };
    let before = export("before.jsonl");
    lose_the_ledger(&sandbox);
    let ran = sandbox.certkit(&["ca", "repair", "--new-ledger", "before.jsonl"]).expect_code(0);
    let ran = ran.says("revoked: 2").says("a.test (serial number");
    assert!(!ran.stdout.contains("every revocation is lost"), "{ran}");
    assert_eq!(export("after.jsonl"), before);
    sandbox.certkit(&["ca", "check"]).expect_code(0);
    // It is older than what the ledger knows now.
    sandbox.certkit(&["ca", "revoke", "b.test", "--release"]).expect_code(0);
    sandbox
        .certkit(&["ca", "repair", "before.jsonl"])
        .expect_code(0)
        .says("left alone: b.test")
        .says("nothing to repair");
    // Another's certificate is left out, and a file that was cut is refused as a whole.
    sandbox.certkit(&["ca", "init", "--ca", "other", "--name", "Other"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "x.test", "--ca", "./other"]).expect_code(0);
    sandbox.certkit(&["ca", "export", "--records", "jsonl", "--ca", "./other", "--out", "x.jsonl"]).expect_code(0);
    sandbox.certkit(&["ca", "repair", "x.jsonl"]).expect_code(1).says("no authority of this CA has signed it");
    let text = fs::read_to_string(sandbox.path("before.jsonl")).unwrap();
    fs::write(sandbox.path("cut.jsonl"), &text[..text.len() - 9]).unwrap();
    sandbox.certkit(&["ca", "repair", "cut.jsonl"]).expect_code(2).complains("cut.jsonl: line 4");
}

#[test]
fn no_ledger_is_made_of_an_export_that_is_off_but_for_what_editors_do() {
    let sandbox = with_ca();
    sandbox.certkit(&["ca", "revoke", "a.test", "--reason", "keyCompromise"]).expect_code(0);
    sandbox.certkit(&["ca", "export", "--records", "jsonl", "--out", "whole.jsonl"]).expect_code(0);
    sandbox.certkit(&["ca", "export", "--records", "csv", "--out", "x.csv"]).expect_code(0);
    let whole = fs::read_to_string(sandbox.path("whole.jsonl")).unwrap();
    let objects: Vec<serde_json::Value> = whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let pretty: String = objects.iter().map(|it| serde_json::to_string_pretty(it).unwrap() + "\n").collect();
    // One field of the first line is the last one's.
    let mixed = |field: &str| {
        let mut mixed = objects.clone();
        mixed[0][field] = objects.last().unwrap()[field].clone();
        mixed.iter().map(|it| it.to_string() + "\n").collect::<String>().into_bytes()
    };
    lose_the_ledger(&sandbox);
    let one = whole.lines().next().unwrap();
    for (name, contents, why) in [
        ("cut.jsonl", whole.as_bytes()[30..].to_vec(), "line 1: it is no line of an export"),
        ("bad.jsonl", format!("{{bad{whole}").into_bytes(), "line 1: it is no line of an export"),
        ("one.jsonl", one.as_bytes()[30..].to_vec(), "damaged, for no line of it is whole"),
        ("pretty.json", pretty.into_bytes(), "jq -c . FILE"),
        ("list.json", serde_json::to_vec(&objects).unwrap(), "jq -c '.[]' FILE"),
        ("csv.csv", sandbox.read("x.csv"), "as CSV, which has no certificates in it"),
        ("serial.jsonl", mixed("serial"), "line 1: its serial number is not that of its certificate"),
        ("print.jsonl", mixed("fingerprint_sha256"), "line 1: its fingerprint is not that of its certificate"),
        ("whole.jsonl.gz", b"\x1f\x8b\x08\0\0".to_vec(), "it is a gzip file"),
    ] {
        sandbox.write(name, contents);
        let refused = sandbox.certkit(&["ca", "repair", "--new-ledger", name]).expect_code(2);
        refused.complains(name).complains(why);
        assert!(!sandbox.ca().join("ledger.db").exists(), "{name}");
    }
    for (name, contents) in
        [("bom.jsonl", format!("\u{feff}{whole}")), ("blank.jsonl", format!("\r\n\n{}", whole.replace('\n', "\n\n")))]
    {
        sandbox.write(name, contents);
        sandbox.certkit(&["ca", "repair", "--new-ledger", name]).expect_code(0).says("revoked: 1");
        lose_the_ledger(&sandbox);
    }
    // One that is mended has the file named.
    sandbox.certkit(&["ca", "repair", "--new-ledger", "whole.jsonl"]).expect_code(0);
    sandbox.certkit(&["ca", "repair", "csv.csv"]).expect_code(2).complains("csv.csv");
    let told = sandbox.certkit(&["ca", "repair", "whole.jsonl.gz"]).expect_code(1);
    assert!(!told.says("nothing found: whole.jsonl.gz: it is a gzip file").stdout.contains("nothing to repair"));
    sandbox.certkit(&["ca", "issue", "d.test", "--key", "a.test-key.pem"]).expect_code(2).complains("compromised");
}

#[test]
fn a_list_of_another_ca_that_was_given_is_named() {
    let sandbox = with_ca();
    sandbox.certkit(&["ca", "init", "--ca", "other", "--name", "Test CA"]).expect_code(0);
    sandbox.certkit(&["ca", "crl", "--ca", "./other", "--out", "forged.pem"]).expect_code(0);
    let told = sandbox.certkit(&["ca", "repair", "forged.pem"]).expect_code(1);
    told.says("left out: the list forged.pem: no authority of this CA has signed it");
    // One that merely lies where this CA's would is somebody's.
    sandbox.write("crl.pem", sandbox.read("forged.pem"));
    sandbox.certkit(&["ca", "repair"]).expect_code(0).says("nothing to repair");
}

#[test]
fn a_compromise_that_a_list_tells_of_raises_what_the_ledger_has_for_another_reason() {
    let sandbox = with_ca();
    sandbox.certkit(&["ca", "revoke", "a.test", "--reason", "superseded"]).expect_code(0);
    sandbox.certkit(&["ca", "crl"]).expect_code(0);
    sandbox.certkit(&["ca", "backup", "backup.db"]).expect_code(0);
    let since = |reason: &str| {
        let shown = sandbox.certkit(&["ca", "show", "a.test.pem", "--json"]).expect_code(0).json()["record"].clone();
        assert_eq!(shown["reason"], reason, "{shown}");
        shown["revoked_at"].clone()
    };
    let first = since("superseded");
    sandbox.certkit(&["ca", "revoke", "a.test", "--reason", "keyCompromise"]).expect_code(0);
    let earlier = sandbox.read("crl.pem");
    sandbox.write("earlier.pem", earlier);
    sandbox.certkit(&["ca", "crl"]).expect_code(0);
    // An earlier copy of the ledger learns of it, and no earlier list takes it back.
    lose_the_ledger(&sandbox);
    fs::copy(sandbox.path("backup.db"), sandbox.ca().join("ledger.db")).unwrap();
    since("superseded");
    sandbox.certkit(&["ca", "repair"]).expect_code(0).says("revoked: 1").says("a.test (serial number");
    assert_eq!(since("keyCompromise"), first);
    sandbox.certkit(&["ca", "repair", "--crl", "earlier.pem"]).expect_code(0).says("nothing to repair");
    sandbox.certkit(&["ca", "check"]).expect_code(0);
    // So does a new one, of both lists.
    lose_the_ledger(&sandbox);
    let anew = ["ca", "repair", "--new-ledger", "--crl", "earlier.pem", "--crl", "crl.pem", "a.test.pem"];
    sandbox.certkit(&anew).expect_code(0).says("revoked: 1");
    assert_eq!(since("keyCompromise"), first);
    sandbox.certkit(&["ca", "check"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "d.test", "--key", "a.test-key.pem"]).expect_code(2).complains("compromised");
}

/// A CA with two authorities below the first, one of them revoked, and its list.
fn with_a_revoked_authority() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--name", "Test CA"]).expect_code(0);
    for name in ["s1", "s2"] {
        sandbox.certkit(&["ca", "intermediate", name]).expect_code(0);
    }
    let revoked = sandbox.ca().join("s1.pem");
    sandbox.certkit(&["ca", "revoke", revoked.to_str().unwrap()]).expect_code(0);
    sandbox.certkit(&["ca", "crl", "--out", "last.crl"]).expect_code(0);
    sandbox
}

#[test]
fn a_new_ledger_keeps_what_was_revoked_of_its_own_authorities() {
    let sandbox = with_a_revoked_authority();
    lose_the_ledger(&sandbox);
    let ran = sandbox.certkit(&["ca", "repair", "--new-ledger", "--crl", "last.crl"]).expect_code(0);
    ran.says("s1.pem").says("s2.pem").says("revoked: 1");
    sandbox.certkit(&["ca", "check"]).expect_code(0).says("3 authorities, 3 certificates").says("s1 certifies nothing");
    sandbox.certkit(&["ca", "issue", "--issuer", "s1", "bad.test"]).expect_code(2).complains("revoked");
    let other = sandbox.ca().join("s2.pem");
    sandbox.certkit(&["ca", "revoke", other.to_str().unwrap()]).expect_code(0);
    sandbox.certkit(&["ca", "crl", "--out", "next.crl"]).expect_code(0).says("2 certificates");
}
