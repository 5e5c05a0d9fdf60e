//! `certkit ca check` and `certkit ca repair`: a ledger that was damaged or changed, and what can be made again.

use std::fs;

use crate::support::guards::without_guards;
use crate::support::{Ran, Sandbox};

/// A CA that has issued three certificates, the second of which the tests spoil.
pub(crate) fn with_ca() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--name", "Test CA"]).expect_code(0);
    for name in ["a.test", "b.test", "c.test"] {
        sandbox.certkit(&["ca", "issue", name]).expect_code(0);
    }
    sandbox
}

/// The objects of an answer in JSON Lines: the faults, and what is said of all.
fn faults(ran: &Ran) -> (Vec<serde_json::Value>, serde_json::Value) {
    let mut rows: Vec<serde_json::Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let verdict = rows.pop().unwrap();
    (rows, verdict)
}

/// Changes the ledger as somebody may who can write to the file and means to. The guards are put back afterwards.
pub(crate) fn tamper(sandbox: &Sandbox, statements: &str) {
    let ledger = rusqlite::Connection::open(sandbox.ca().join("ledger.db")).unwrap();
    ledger.execute_batch("PRAGMA foreign_keys = OFF;").unwrap();
    let guards = without_guards(&ledger, statements);
    for (_, sql) in &guards {
        // Its table may be gone.
        _ = ledger.execute_batch(sql);
    }
}

#[test]
fn a_ledger_that_was_left_alone_is_sound() {
    let sandbox = with_ca();
    let (faults, verdict) = faults(&sandbox.certkit(&["ca", "check", "--json"]).expect_code(0));
    assert_eq!(faults.len(), 0);
    let counted = ["authorities", "certificates", "lists", "audit_lines", "faults"].map(|name| verdict[name].clone());
    assert_eq!(counted, [1, 4, 0, 4, 0].map(serde_json::Value::from));
    sandbox.certkit(&["ca", "check"]).expect_code(0).says("sound: 1 authority, 4 certificates");
}

#[test]
fn each_kind_of_change_is_a_fault_of_its_row() {
    let second = "WHERE id = 3";
    for (statement, place, what, remedy) in [
        (format!("UPDATE certificates SET der = x'3000' {second}"), "certificate 3", "cannot be read", "restore"),
        (format!("UPDATE certificates SET subject = 'CN=eve' {second}"), "certificate 3", "subject", "investigate"),
        (format!("UPDATE certificates SET serial = x'07' {second}"), "certificate 3", "serial", "investigate"),
        (format!("UPDATE certificates SET names = '[]' {second}"), "certificate 3", "names", "investigate"),
        (format!("UPDATE certificates SET not_after = 0 {second}"), "certificate 3", "not_after", "investigate"),
        (format!("UPDATE certificates SET not_before = 0 {second}"), "certificate 3", "not_before", "investigate"),
        (
            format!("UPDATE certificates SET fingerprint = zeroblob(32) {second}"),
            "certificate 3",
            "fingerprint",
            "investigate",
        ),
        (
            format!("UPDATE certificates SET authority = 9 {second}"),
            "certificate 3",
            "authority is not in the ledger",
            "investigate",
        ),
        (
            format!("UPDATE certificates SET revoked_at = 1, reason = 1 {second}"),
            "certificate 3",
            "history",
            "investigate",
        ),
        (
            "INSERT INTO revocations VALUES (1, 1, 3, 1, 1, NULL)".into(),
            "certificate 3",
            "it is not revoked",
            "investigate",
        ),
        ("DELETE FROM names WHERE certificate = 3".into(), "certificate 3", "found by its names", "repair"),
        ("INSERT INTO names VALUES ('eve.test', 3)".into(), "certificate 3", "found by its names", "repair"),
        (
            "DELETE FROM names WHERE certificate = 3; DELETE FROM certificates WHERE id = 3".into(),
            "the certificate with SHA-256",
            "the audit log tells of it",
            "repair-with-certificate",
        ),
        ("UPDATE audit SET who = 'eve' WHERE number = 2".into(), "the audit log", "line 2", "investigate"),
        ("UPDATE authorities SET fingerprint = zeroblob(32)".into(), "authority 1", "fingerprint", "investigate"),
        (
            "INSERT INTO lists VALUES (1, 1, 5, NULL, '', 0, 60, zeroblob(32), 0, 0)".into(),
            "list 5",
            "handed out",
            "investigate",
        ),
        (
            "INSERT INTO lists VALUES (1, 1, 5, 4, '', 0, 60, zeroblob(32), 0, 0)".into(),
            "list 5",
            "builds upon list 4",
            "investigate",
        ),
        ("DROP INDEX certificates_for_lists".into(), "the database", "certificates_for_lists", "repair"),
        ("CREATE TABLE eve (x)".into(), "the database", "eve is not part of a ledger", "investigate"),
        ("DROP TABLE lists".into(), "the database", "the table lists is missing", "repair"),
        ("DROP TABLE revocations".into(), "the database", "the table revocations is missing", "restore"),
        ("DELETE FROM audit_head".into(), "the audit log", "the head of the audit log is missing", "repair"),
        ("PRAGMA user_version = 0".into(), "ledger.db", "schema 0 by its number", "repair"),
        ("PRAGMA user_version = -1".into(), "ledger.db", "schema -1 by its number", "repair"),
    ] {
        let sandbox = with_ca();
        tamper(&sandbox, &statement);
        let ran = sandbox.certkit(&["ca", "check", "--json"]).expect_code(1);
        let (faults, verdict) = faults(&ran);
        let told = |fault: &serde_json::Value| {
            let text = |name: &str| fault[name].as_str().unwrap().to_owned();
            text("place").contains(place) && text("what").contains(what) && text("remedy") == remedy
        };
        assert!(faults.iter().any(told), "{statement}\n{ran}");
        assert_eq!((&verdict["sound"], &verdict["faults"]), (&false.into(), &faults.len().into()));
        sandbox.certkit(&["ca", "check"]).expect_code(1).says("fault:").says("to do:");
    }
}

#[test]
fn a_certificate_that_another_has_signed_is_no_record_of_this_ca() {
    let sandbox = with_ca();
    sandbox.certkit(&["ca", "init", "--ca", "other", "--name", "Test CA"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "d.test", "--ca", "./other"]).expect_code(0);
    let other = sandbox.path("other/ledger.db");
    let columns = "authority, serial, fingerprint, subject, names, not_before, not_after, profile, issued_at, der";
    tamper(
        &sandbox,
        &format!(
            "ATTACH '{}' AS other;
             INSERT INTO certificates ({columns}) SELECT {columns} FROM other.certificates WHERE subject = 'CN=d.test';",
            other.display()
        ),
    );
    let ran = sandbox.certkit(&["ca", "check"]).expect_code(1);
    ran.says("it is not signed by its authority").says("the audit log does not tell of it");
}

#[test]
fn a_damaged_file_is_a_fault_and_no_crash() {
    let sandbox = with_ca();
    // Into the file with what stands in the log, which would hide the damage.
    rusqlite::Connection::open(sandbox.ca().join("ledger.db"))
        .and_then(|ledger| ledger.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())))
        .unwrap();
    let path = sandbox.ca().join("ledger.db");
    let mut contents = fs::read(&path).unwrap();
    // Pages after the first hold the rows.
    for octet in contents.iter_mut().skip(3 * 4096).step_by(7) {
        *octet = 0x5a;
    }
    fs::write(&path, contents).unwrap();
    let ran = sandbox.certkit(&["ca", "check"]);
    assert!(matches!(ran.code, Some(1 | 2)), "{ran}");
    assert!(format!("{ran}").contains("damaged"), "{ran}");
    // Whoever is led to the repair by that is led on from there, and there is a way to the end.
    let refused = sandbox.certkit(&["ca", "repair"]).expect_code(2);
    assert!(!refused.stderr.contains("certkit ca check"), "{refused}");
    refused.complains("cannot be mended").complains("from a backup").complains("certkit ca repair --new-ledger");
    sandbox.certkit(&["ca", "repair", "--new-ledger"]).expect_code(2).complains("move it aside");
    for contents in ["no database, only text that is long enough to look at", &"x".repeat(40_000)] {
        fs::write(&path, contents).unwrap();
        for asked in [&["ca", "repair"][..], &["ca", "repair", "--new-ledger"]] {
            let refused = sandbox.certkit(asked).expect_code(2).complains("no SQLite database");
            refused.complains("move it aside").complains("certkit ca repair --new-ledger");
        }
    }
    for file in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        _ = fs::rename(sandbox.ca().join(file), sandbox.path(file));
    }
    sandbox.certkit(&["ca", "repair", "--new-ledger", "a.test.pem"]).expect_code(0).says("a.test");
}

#[test]
fn files_that_are_not_the_ledgers_are_told() {
    let sandbox = with_ca();
    sandbox.certkit(&["key", "new", "--out", "other-key.pem"]).expect_code(0);
    fs::copy(sandbox.path("other-key.pem"), sandbox.ca().join("ca-key.pem")).unwrap();
    sandbox.certkit(&["ca", "check"]).expect_code(1).says("ca-key.pem: it does not belong to ca.pem");
    fs::copy(sandbox.path("a.test.pem"), sandbox.ca().join("ca.pem")).unwrap();
    sandbox.certkit(&["ca", "check"]).expect_code(1).says("not the certificate of an authority in the ledger");
}

#[test]
fn repair_makes_again_what_follows_from_the_rest() {
    let sandbox = with_ca();
    tamper(&sandbox, "DELETE FROM names WHERE certificate = 3; INSERT INTO names VALUES ('eve.test', 4)");
    let ledger = rusqlite::Connection::open(sandbox.ca().join("ledger.db")).unwrap();
    ledger.execute_batch("DROP TRIGGER certificates_stay; DROP INDEX certificates_for_lists;").unwrap();
    drop(ledger);
    sandbox.certkit(&["ca", "list", "--name", "b.test"]).expect_code(0).says("nothing that matches");
    let repaired = sandbox.certkit(&["ca", "repair", "--json"]).expect_code(0).json();
    assert_eq!(repaired["mended"].as_array().unwrap().len(), 4, "{repaired}");
    sandbox.certkit(&["ca", "list", "--name", "b.test"]).expect_code(0).says("b.test");
    sandbox.certkit(&["ca", "list", "--name", "eve.test"]).expect_code(0).says("nothing that matches");
    sandbox.certkit(&["ca", "check"]).expect_code(0);
    sandbox.certkit(&["ca", "audit", "--action", "repair"]).expect_code(0).says("certificates_stay");
    sandbox.certkit(&["ca", "repair"]).expect_code(0).says("nothing to repair");
}

#[test]
fn a_lost_row_comes_back_from_its_certificate_and_the_log_tells_of_it() {
    let sandbox = with_ca();
    tamper(&sandbox, "DELETE FROM names WHERE certificate = 3; DELETE FROM certificates WHERE id = 3");
    sandbox.certkit(&["ca", "check"]).expect_code(1).says("certkit ca repair FILE");
    let repaired = sandbox.certkit(&["ca", "repair", "a.test.pem", "b.test.pem", "--json"]).expect_code(0).json();
    assert_eq!(repaired["recorded"][0]["subject"], "CN=b.test");
    assert_eq!((repaired["recorded"].as_array().unwrap().len(), &repaired["known"]), (1, &1.into()));
    sandbox.certkit(&["ca", "check"]).expect_code(0);
    sandbox.certkit(&["ca", "list"]).expect_code(0).says("b.test");
    let serial = repaired["recorded"][0]["serial"].as_str().unwrap().to_owned();
    sandbox.certkit(&["ca", "audit", "--action", "repair"]).expect_code(0).says(&serial);
}

#[test]
fn what_the_ca_has_not_signed_is_left_out_aloud() {
    let sandbox = with_ca();
    sandbox.certkit(&["new", "--cn", "self.test"]).expect_code(0);
    let ran = sandbox.certkit(&["ca", "repair", "self.test.pem"]).expect_code(1);
    ran.says("left out: CN=self.test").says("no authority of this CA has signed it");
    sandbox.certkit(&["ca", "check"]).expect_code(0);
}

#[test]
fn a_lost_ledger_is_made_anew_only_when_asked() {
    let sandbox = with_ca();
    let new = ["ca", "repair", "--new-ledger", "a.test.pem", "b.test.pem"];
    sandbox.certkit(&new).expect_code(2).complains("has a ledger");
    fs::remove_file(sandbox.ca().join("ledger.db")).unwrap();
    sandbox.certkit(&["ca", "repair", "a.test.pem"]).expect_code(2).complains("there is no ledger");
    sandbox.certkit(&new).expect_code(0).says("a new ledger").says("a.test").says("b.test");
    sandbox.certkit(&["ca", "check"]).expect_code(0).says("3 certificates");
    sandbox.certkit(&["ca", "issue", "d.test"]).expect_code(0);
}

/// A CA with an authority below it, which signs.
fn with_two_tiers() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--name", "Test CA", "--intermediate"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    sandbox
}

#[test]
fn every_file_of_every_authority_is_looked_at() {
    let sandbox = with_two_tiers();
    sandbox.certkit(&["ca", "init", "--ca", "other", "--name", "Other CA"]).expect_code(0);
    let file = |name: &str| sandbox.ca().join(name);
    let foreign = fs::read(sandbox.path("other/ca.pem")).unwrap();
    let config = fs::read_to_string(file("ca.toml")).unwrap();
    let (nix, delegate) = (config.replace("issuer = \"issuing\"", "issuer = \"nix\""), file("ca.ocsp.pem"));
    for (name, contents, told) in [
        ("issuing.pem", None, "issuing.pem: it is gone, the certificate of issuing"),
        ("issuing.pem", Some(&b"garbage"[..]), "issuing.pem"),
        ("issuing.pem", Some(&foreign), "it is not the certificate of an authority in the ledger"),
        ("issuing-key.pem", None, "issuing-key.pem: it is gone, the key of issuing"),
        ("ca.toml", Some(nix.as_bytes()), "nix.pem: it is gone"),
        ("ca.ocsp.pem", Some(b"garbage"), "ca.ocsp.pem"),
        ("ca.ocsp.pem", Some(&foreign), "it is not a delegate of its authority"),
    ] {
        let before = fs::read(file(name)).ok();
        match contents {
            Some(contents) => fs::write(file(name), contents).unwrap(),
            None => fs::remove_file(file(name)).unwrap(),
        }
        sandbox.certkit(&["ca", "check"]).expect_code(1).says(told).says("to do:");
        match before {
            Some(before) => fs::write(file(name), before).unwrap(),
            None => fs::remove_file(file(name)).unwrap(),
        }
    }
    assert!(!delegate.exists());
    sandbox.certkit(&["ca", "check"]).expect_code(0);
}

#[test]
fn an_authority_that_its_issuer_cannot_revoke_is_a_fault_and_is_mended() {
    let sandbox = with_two_tiers();
    let authority = sandbox.ca().join("issuing.pem");
    sandbox.certkit(&["ca", "revoke", authority.to_str().unwrap()]).expect_code(0);
    sandbox.certkit(&["ca", "crl", "--issuer", "ca", "--out", "last.crl"]).expect_code(0);
    tamper(
        &sandbox,
        "DELETE FROM names; DELETE FROM revocations;
         DELETE FROM certificates WHERE fingerprint = (SELECT fingerprint FROM authorities WHERE id = 2)",
    );
    let told = "authority 2: its certificate is not among those of Test CA";
    sandbox.certkit(&["ca", "check"]).expect_code(1).says(told).says("certkit ca repair makes it again");
    let ran = sandbox.certkit(&["ca", "repair", "--crl", "last.crl"]).expect_code(0);
    ran.says("recorded: CN=Test CA issuing").says("issuing.pem").says("revoked: 1");
    let ran = sandbox.certkit(&["ca", "check"]).expect_code(0);
    ran.says("issuing certifies nothing");
}

#[test]
fn a_lost_certificate_of_an_authority_comes_back_from_the_ledger() {
    let sandbox = with_two_tiers();
    let file = |name: &str| sandbox.ca().join(name);
    let before = fs::read(file("issuing.pem")).unwrap();
    fs::remove_file(file("issuing.pem")).unwrap();
    sandbox.certkit(&["ca", "issue", "b.test"]).expect_code(2).complains("certkit ca repair");
    sandbox.certkit(&["ca", "repair"]).expect_code(0).says("put back:").says("issuing.pem");
    assert_eq!(fs::read(file("issuing.pem")).unwrap(), before, "with those above it");
    // Its key is elsewhere: one name is left, and one authority.
    let key = fs::read(file("issuing-key.pem")).unwrap();
    fs::remove_file(file("issuing.pem")).unwrap();
    fs::remove_file(file("issuing-key.pem")).unwrap();
    sandbox.certkit(&["ca", "repair"]).expect_code(0).says("issuing.pem");
    assert_eq!(fs::read(file("issuing.pem")).unwrap(), before);
    fs::write(file("issuing-key.pem"), key).unwrap();
    sandbox.certkit(&["ca", "check"]).expect_code(0);
    // That of the first one, too.
    let sandbox = with_ca();
    fs::remove_file(sandbox.ca().join("ca.pem")).unwrap();
    sandbox.certkit(&["ca", "check"]).expect_code(2).complains("certkit ca repair");
    sandbox.certkit(&["ca", "repair"]).expect_code(0).says("ca.pem");
    sandbox.certkit(&["ca", "check"]).expect_code(0);
}

#[test]
fn an_empty_ledger_is_told_and_left_alone() {
    let sandbox = with_ca();
    let ledger = sandbox.ca().join("ledger.db");
    let log = fs::read(sandbox.ca().join("ledger.db-wal")).unwrap();
    fs::write(&ledger, "").unwrap();
    sandbox.certkit(&["ca", "check"]).expect_code(1).says("it is empty").says("--new-ledger");
    sandbox.certkit(&["ca", "audit"]).expect_code(2).complains("is empty");
    sandbox.certkit(&["ca", "repair"]).expect_code(2).complains("is empty");
    sandbox.certkit(&["ca", "issue", "d.test"]).expect_code(2).complains("restore it from a backup");
    assert_eq!(fs::metadata(&ledger).unwrap().len(), 0);
    assert_eq!(fs::read(sandbox.ca().join("ledger.db-wal")).unwrap(), log, "what may still be found in it");
    sandbox.certkit(&["ca", "repair", "--new-ledger", "a.test.pem"]).expect_code(0).says("a new ledger");
    sandbox.certkit(&["ca", "check"]).expect_code(0);
}

#[test]
fn the_ledger_of_another_ca_is_not_mended() {
    let sandbox = with_ca();
    sandbox.certkit(&["ca", "init", "--ca", "other", "--name", "Other CA"]).expect_code(0);
    for ending in ["", "-wal", "-shm"] {
        let name = format!("ledger.db{ending}");
        fs::copy(sandbox.path("other").join(&name), sandbox.ca().join(&name)).unwrap();
    }
    sandbox.certkit(&["ca", "check"]).expect_code(1).says("one of the two is another CA's");
    sandbox.certkit(&["ca", "repair"]).expect_code(2).complains("does not know the authority of");
}

#[test]
fn a_damaged_index_is_mended_and_the_log_tells_of_it() {
    let sandbox = with_ca();
    let path = sandbox.ca().join("ledger.db");
    let ledger = rusqlite::Connection::open(&path).unwrap();
    ledger.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let page: u64 = ledger
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'certificates_by_expiry'", [], |row| {
            row.get::<_, i64>(0).map(|page| u64::try_from(page).unwrap())
        })
        .unwrap();
    drop(ledger);
    let whole = fs::read(&path).unwrap();
    let end = usize::try_from(page * 4096).unwrap();
    // The end of an entry: it is another row's then.
    let mut contents = whole.clone();
    contents[end - 4..end].fill(0x55);
    fs::write(&path, contents).unwrap();
    let ran = sandbox.certkit(&["ca", "check", "--json"]).expect_code(1);
    let (faults, _) = faults(&ran);
    assert!(faults.iter().all(|fault| fault["remedy"] == "repair"), "{ran}");
    sandbox.certkit(&["ca", "repair"]).expect_code(0).says("the index certificates_by_expiry");
    sandbox.certkit(&["ca", "audit", "--action", "repair"]).expect_code(0).says("the index certificates_by_expiry");
    sandbox.certkit(&["ca", "check"]).expect_code(0);
    // All of the page: SQLite cannot give it back.
    let mut contents = whole;
    contents[end - 4096..end].fill(0xff);
    for ending in ["db-wal", "db-shm"] {
        _ = fs::remove_file(path.with_extension(ending));
    }
    fs::write(&path, contents).unwrap();
    sandbox.certkit(&["ca", "check"]).expect_code(1).says("certificates_by_expiry").says("from a backup");
    sandbox.certkit(&["ca", "repair"]).expect_code(2).complains("cannot be made again").complains("a backup");
}

#[test]
fn what_is_lost_of_the_tables_is_told_without_statements_and_mended_where_it_can_be() {
    for (statement, mended) in [
        ("DELETE FROM audit_head", Some("the head of the audit log, after line 4")),
        ("DROP TABLE audit_head", Some("the head of the audit log, after line 4")),
        ("DROP TABLE lists", Some("the table lists")),
        ("PRAGMA user_version = 0", Some("the number of the schema")),
        ("DROP TABLE revocations", None),
        ("DROP TABLE audit", None),
    ] {
        let sandbox = with_ca();
        let ledger = rusqlite::Connection::open(sandbox.ca().join("ledger.db")).unwrap();
        ledger.execute_batch("PRAGMA foreign_keys = OFF; DROP TRIGGER audit_head_stays;").unwrap();
        ledger.execute_batch(statement).unwrap();
        drop(ledger);
        let ran = sandbox.certkit(&["ca", "check"]).expect_code(1);
        assert!(!format!("{ran}").contains("SELECT") && !format!("{ran}").contains("CREATE"), "{ran}");
        match mended {
            Some(mended) => {
                sandbox.certkit(&["ca", "repair"]).expect_code(0).says(mended);
                sandbox.certkit(&["ca", "check"]).expect_code(0);
                sandbox.certkit(&["ca", "audit"]).expect_code(0).says(mended);
            }
            None => {
                ran.says("restore the ledger from a backup");
                sandbox.certkit(&["ca", "repair"]).expect_code(2).complains("restore it from a backup");
            }
        }
    }
}

#[test]
fn other_files_than_certificates_are_passed_over_and_all_are_judged_first() {
    let sandbox = with_ca();
    fs::write(sandbox.path("notes.pem"), "no PEM at all").unwrap();
    let all = ["a.test.pem", "a.test-key.pem", "notes.pem", "b.test.pem"];
    let repaired = sandbox.certkit(&[&["ca", "repair", "--json"], &all[..]].concat()).expect_code(1).json();
    assert_eq!((&repaired["known"], repaired["passed_over"].as_array().unwrap().len()), (&2.into(), 1));
    assert_eq!(
        (&repaired["unread"][0]["file"], repaired["unread"].as_array().unwrap().len()),
        (&"notes.pem".into(), 1)
    );
    let told = sandbox.certkit(&[&["ca", "repair"], &all[..]].concat()).expect_code(1).says("passed over");
    told.says("nothing found: notes.pem: it holds neither PEM nor DER");
    let ledger = sandbox.ca().join("ledger.db");
    fs::remove_file(&ledger).unwrap();
    let whole = fs::read_to_string(sandbox.path("b.test.pem")).unwrap();
    fs::write(sandbox.path("cut.pem"), &whole[..whole.len() / 2]).unwrap();
    sandbox.certkit(&["ca", "repair", "--new-ledger", "a.test.pem", "cut.pem"]).expect_code(2).complains("cut.pem");
    let anew = |files: &[&str]| sandbox.certkit(&[&["ca", "repair", "--new-ledger"], files].concat());
    anew(&all).expect_code(2).complains("nothing can be taken of notes.pem").complains("leave it out");
    anew(&["a.test-key.pem"]).expect_code(2).complains("neither a certificate nor a list in a.test-key.pem");
    assert!(!ledger.exists(), "no ledger was made");
    anew(&["a.test.pem", "a.test-key.pem", "b.test.pem"]).expect_code(0).says("b.test");
}

#[test]
fn a_new_ledger_goes_on_where_the_published_lists_were() {
    let sandbox = Sandbox::new();
    // Before the moment as of which one is revoked.
    let long_ago = |args: &[&str]| {
        sandbox.command().env("SOURCE_DATE_EPOCH", "1690000000").args(args).expect_code(0);
    };
    long_ago(&["ca", "init", "--name", "Test CA", "--days", "20000"]);
    for name in ["a.test", "b.test", "c.test"] {
        long_ago(&["ca", "issue", name, "--days", "10000"]);
    }
    sandbox.certkit(&["ca", "revoke", "a.test", "--reason", "keyCompromise", "--at", "@1700000000"]).expect_code(0);
    sandbox.certkit(&["ca", "revoke", "b.test"]).expect_code(0);
    for out in ["1.pem", "2.pem", "3.pem"] {
        sandbox.certkit(&["ca", "crl", "--out", out]).expect_code(0);
    }
    let lose = || {
        for ending in ["", "-wal", "-shm"] {
            fs::remove_file(sandbox.ca().join(format!("ledger.db{ending}"))).unwrap();
        }
    };
    lose();
    let new = ["ca", "repair", "--new-ledger", "a.test.pem"];
    sandbox.certkit(&new).expect_code(0).says("CRL numbers begin again at 1").says("--crl FILE");
    // The certificate of the other one is not there: it is named, and the rest is done.
    let ran = sandbox.certkit(&["ca", "repair", "--crl", "1.pem", "--crl", "3.pem"]).expect_code(1);
    ran.says("comes after number 3").says("revoked: 1").says("not revoked:");
    sandbox.certkit(&["ca", "repair", "b.test.pem", "--crl", "3.pem"]).expect_code(0).says("revoked: 1");
    sandbox.certkit(&["ca", "show", "a.test"]).expect_code(0).says("keyCompromise").says("2023-11-14T22:13:20Z");
    sandbox.certkit(&["ca", "crl", "--out", "4.pem"]).expect_code(0).says("list 4").says("2 certificates");
    sandbox.certkit(&["ca", "check"]).expect_code(0);
    // All at once, from where the list lies by default.
    lose();
    fs::copy(sandbox.path("4.pem"), sandbox.path("crl.pem")).unwrap();
    sandbox
        .certkit(&[&new[..], &["b.test.pem"]].concat())
        .expect_code(0)
        .says("comes after number 4")
        .says("revoked: 2");
    sandbox.certkit(&["ca", "check"]).expect_code(0);
    // Another's list is worth a word where it was named.
    sandbox.certkit(&["ca", "init", "--ca", "other", "--name", "Test CA"]).expect_code(0);
    sandbox.certkit(&["ca", "crl", "--ca", "./other", "--out", "other.pem"]).expect_code(0);
    sandbox
        .certkit(&["ca", "repair", "--crl", "other.pem"])
        .expect_code(1)
        .says("no authority of this CA has signed it");
}
