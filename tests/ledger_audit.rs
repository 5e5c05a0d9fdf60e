//! `certkit ca audit`: who did what, and what became of the log since.

use crate::support::{Ran, Sandbox};

/// A CA that has issued two certificates, and the head of its log.
fn with_log() -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--name", "Test CA"]).expect_code(0);
    for name in ["a.test", "b.test"] {
        sandbox.certkit(&["ca", "issue", name]).expect_code(0);
    }
    let head = rows(&sandbox.certkit(&["ca", "audit", "--json"]).expect_code(0)).pop().unwrap();
    let head = head["head"].as_str().unwrap().to_owned();
    (sandbox, head)
}

/// The objects of an answer in JSON Lines.
fn rows(ran: &Ran) -> Vec<serde_json::Value> {
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Changes the ledger as somebody may who can write to the file and means to.
fn tamper(sandbox: &Sandbox, statements: &str) {
    let ledger = rusqlite::Connection::open(sandbox.ca().join("ledger.db")).unwrap();
    let triggers = "DROP TRIGGER audit_stays; DROP TRIGGER audit_stays_the_same; DROP TRIGGER audit_head_grows;";
    ledger.execute_batch(&format!("{triggers} {statements}")).unwrap();
}

#[test]
fn the_log_tells_who_did_what_to_which_certificate() {
    let (sandbox, head) = with_log();
    let issued = sandbox.certkit(&["ca", "show", "b.test", "--json"]).expect_code(0).json();
    let listed = rows(&sandbox.certkit(&["ca", "audit", "--json"]).expect_code(0));
    let done: Vec<&str> = listed[..3].iter().map(|line| line["what"].as_str().unwrap()).collect();
    assert_eq!(done, ["init", "issue", "issue"]);
    assert_eq!(listed[2]["serial"], issued["record"]["serial"]);
    assert_eq!(listed[2]["fingerprint_sha256"], issued["record"]["fingerprint_sha256"]);
    assert_eq!(listed[2]["hash"], head);
    let verdict = &listed[3];
    assert_eq!((&verdict["sound"], &verdict["lines"], &verdict["fault"]), (&true.into(), &3.into(), &().into()));
    sandbox.certkit(&["ca", "audit"]).expect_code(0).says("sound: 3 lines").says(&head);
}

#[cfg(unix)]
#[test]
fn who_is_the_systems_word_and_not_the_environments() {
    let (sandbox, _) = with_log();
    let faked = ["USER", "LOGNAME", "USERNAME"];
    let issue = faked.iter().fold(sandbox.command().args(["ca", "issue", "c.test"]), |run, name| run.env(name, "eve"));
    issue.expect_code(0);
    let listed = rows(&sandbox.certkit(&["ca", "audit", "--json"]).expect_code(0));
    let who = listed[3]["who"].as_str().unwrap();
    let ours = String::from_utf8(std::process::Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
    assert!(who.starts_with(&format!("{}@", ours.trim())), "{who}");
}

/// As in a container whose user no `/etc/passwd` names.
#[cfg(target_os = "linux")]
#[test]
fn a_user_without_a_name_is_told_by_its_number() {
    const NAMELESS: u32 = 3_141_592;
    let sandbox = Sandbox::new();
    // To become another user takes root; what is needed beside that is made as for `nobody`.
    let Some(run) = sandbox.unprivileged(&["ca", "init", "--ca", "made"]) else { return };
    run.expect_code(0);
    if !sandbox.is_roots() {
        return;
    }
    std::os::unix::fs::chown(sandbox.work(), Some(NAMELESS), Some(NAMELESS)).unwrap();
    let (id, group) = (format!("--reuid={NAMELESS}"), format!("--regid={NAMELESS}"));
    let as_nameless = |args: &[&str]| {
        let binary = sandbox.home().join("certkit");
        sandbox.program("setpriv").args([&id, &group, "--clear-groups"]).arg(binary).args(args).expect_code(0)
    };
    as_nameless(&["ca", "init", "--ca", "own"]);
    let listed = rows(&as_nameless(&["ca", "audit", "--ca", "own", "--json"]));
    let who = listed[0]["who"].as_str().unwrap();
    assert!(who.starts_with(&format!("{NAMELESS}@")), "{who}");
}

#[test]
fn lines_are_chosen_by_time_and_action_and_all_are_checked() {
    let (sandbox, _) = with_log();
    let chosen = |args: &[&str]| {
        let ran = sandbox.certkit(&[&["ca", "audit", "--json"], args].concat()).expect_code(0);
        let rows = rows(&ran);
        assert_eq!(rows.last().unwrap()["lines"], 3);
        rows.len() - 1
    };
    assert_eq!(chosen(&["--action", "issue"]), 2);
    assert_eq!(chosen(&["--action", "issue", "--action", "init"]), 3);
    assert_eq!(chosen(&["--action", "revoke"]), 0);
    assert_eq!(chosen(&["--since", "1h"]), 3);
    assert_eq!(chosen(&["--since", "2100-01-01"]), 0);
    sandbox.certkit(&["ca", "audit", "--action", "dance"]).expect_code(2);
}

#[test]
fn a_line_that_was_changed_is_the_first_bad_one() {
    for (statement, line) in [
        ("UPDATE audit SET who = 'eve' WHERE number = 2", 2),
        ("UPDATE audit SET at = at - 86400 WHERE number = 1", 1),
        ("UPDATE audit SET fingerprint = zeroblob(32) WHERE number = 3", 3),
        ("DELETE FROM audit WHERE number = 2", 2),
        ("DELETE FROM audit WHERE number = 2; UPDATE audit SET number = 2 WHERE number = 3", 2),
        ("DELETE FROM audit WHERE number = 3", 3),
        (
            "INSERT INTO audit SELECT 4, at, who, what, authority, fingerprint, serial, detail, hash FROM audit WHERE number = 3",
            4,
        ),
        ("DELETE FROM audit WHERE number = 3; UPDATE audit_head SET lines = 2", 2),
    ] {
        let (sandbox, _) = with_log();
        tamper(&sandbox, statement);
        let ran = sandbox.certkit(&["ca", "audit", "--json"]).expect_code(1);
        let verdict = rows(&ran).pop().unwrap();
        assert_eq!((&verdict["sound"], &verdict["bad_line"]), (&false.into(), &line.into()), "{statement}\n{ran}");
        sandbox.certkit(&["ca", "audit"]).expect_code(1).says("tampered with:");
    }
}

#[test]
fn a_log_that_was_made_anew_contradicts_the_head_written_down() {
    let (sandbox, head) = with_log();
    let audit = |hash: &str| sandbox.certkit(&["ca", "audit", "--expect-head", hash, "--json"]);
    assert_eq!(rows(&audit(&head).expect_code(0)).pop().unwrap()["after_expected"], 0);
    sandbox.certkit(&["ca", "issue", "c.test"]).expect_code(0);
    assert_eq!(rows(&audit(&head).expect_code(0)).pop().unwrap()["after_expected"], 1);
    // The last two lines are taken back, and the head with them: the log is sound by itself.
    let cut = "DELETE FROM audit WHERE number > 2; UPDATE audit_head SET lines = 2, hash = (SELECT hash FROM audit WHERE number = 2)";
    tamper(&sandbox, cut);
    sandbox.certkit(&["ca", "audit"]).expect_code(0).says("sound: 2 lines");
    audit(&head).expect_code(1).says("no line has the hash");
    sandbox.certkit(&["ca", "audit", "--expect-head", "beef"]).expect_code(2).complains("64 hexadecimal digits");
}

#[test]
fn a_log_without_its_head_is_not_as_it_was_written() {
    for statement in ["DELETE FROM audit_head", "DROP TABLE audit_head"] {
        let (sandbox, head) = with_log();
        let ledger = rusqlite::Connection::open(sandbox.ca().join("ledger.db")).unwrap();
        let guards: Vec<String> = ledger
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'audit_head'")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        guards.iter().for_each(|guard| ledger.execute_batch(&format!("DROP TRIGGER {guard}")).unwrap());
        ledger.execute_batch(statement).unwrap();
        drop(ledger);
        sandbox.certkit(&["ca", "audit"]).expect_code(1).says("the head of the log is missing").says("ca repair");
        let audit = ["ca", "audit", "--expect-head", &head, "--json"];
        let verdict = rows(&sandbox.certkit(&audit).expect_code(1)).pop().unwrap();
        assert_eq!((&verdict["sound"], &verdict["lines"]), (&false.into(), &3.into()), "{statement}");
        assert_eq!(verdict["head"], head, "of the last line");
    }
}

#[test]
fn without_a_ca_there_is_nothing_to_audit() {
    Sandbox::new().certkit(&["ca", "audit"]).expect_code(2).complains("there is no CA");
}
