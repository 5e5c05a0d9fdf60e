//! Sudden ends, full disks, clocks set back and crowds, with the ledger in a file and in PostgreSQL. Afterwards, always: no
//! serial number twice, no certificate or list that the ledger does not know, no half file, and `ca check` is content.
//!
//! `CERTKIT_KILLS=200` kills more often than the 40 times that every run can afford; `CERTKIT_CROWD=100` lets each of the
//! sixteen processes issue so many.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Instant, SystemTime};
use std::{env, fs};

use certkit::encoding::hex;
use certkit::key::digest::sha256;

use crate::support::Sandbox;
use crate::support::postgres::server;

/// A CA with its ledger in a file.
fn in_a_file() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--name", "Test CA"]).expect_code(0);
    sandbox
}

/// A CA with its ledger in a database of its own.
fn in_postgresql() -> Option<Sandbox> {
    let url = server()?.database();
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--name", "Test CA", "--ledger", &url]).expect_code(0);
    fs::write(sandbox.ca().join("ca.toml"), format!("ledger = \"{url}\"\n")).unwrap();
    Some(sandbox)
}

fn number(name: &str, usual: u64) -> u64 {
    env::var(name).ok().map_or(usual, |value| value.parse().unwrap())
}

/// Starts certkit and does not wait for it.
fn start(sandbox: &Sandbox, args: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_certkit"));
    command.current_dir(sandbox.work()).env("CERTKIT_CA", sandbox.ca()).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The serial numbers in the ledger, each once.
fn recorded(sandbox: &Sandbox) -> BTreeSet<String> {
    let listed = sandbox.certkit(&["ca", "list", "--json"]).expect_code(0).json();
    let certificates = listed["certificates"].as_array().unwrap();
    let serials: BTreeSet<String> = certificates.iter().map(|one| one["serial"].as_str().unwrap().to_owned()).collect();
    assert_eq!(serials.len(), certificates.len(), "a serial number is there twice");
    serials
}

/// Everything that must hold whatever happened.
fn all_is_well(sandbox: &Sandbox) {
    sandbox.certkit(&["ca", "check"]).expect_code(0).says("sound");
    let known = recorded(sandbox);
    let audit = sandbox.certkit(&["ca", "audit", "--json"]).expect_code(0).stdout;
    for file in sandbox.listing() {
        // A list that was taking another's place may be there under a hidden name; a key never is, until it has its own.
        if file.starts_with('.') {
            assert!(
                !cfg!(target_os = "linux") || !sandbox.read(&file).windows(11).any(|at| at == b"PRIVATE KEY"),
                "{file} holds a key"
            );
            continue;
        }
        if !file.ends_with(".pem") {
            continue;
        }
        let shown = sandbox.certkit(&["inspect", &file, "--json"]).expect_code(0).json();
        let first = &shown[0]["blocks"][0];
        if file.contains("crl") {
            let list = pem::parse(sandbox.read(&file)).unwrap();
            let fingerprint = hex::colons(&sha256(list.contents()));
            assert!(audit.contains(&fingerprint), "{file} is a list nobody recorded");
        } else if !file.ends_with("-key.pem") {
            assert!(known.contains(first["serial"].as_str().unwrap()), "{file} is not in the ledger");
        }
    }
}

/// Kills certkit at moments from before its first step to after its last, as it issues, revokes and signs lists.
fn kill_again_and_again(sandbox: &Sandbox) {
    use std::os::unix::process::ExitStatusExt;
    let kills = number("CERTKIT_KILLS", 40);
    sandbox.certkit(&["ca", "issue", "before.test"]).expect_code(0);
    let begun = Instant::now();
    sandbox.certkit(&["ca", "crl"]).expect_code(0);
    let whole = begun.elapsed();
    let mut killed = 0;
    for round in 0..kills {
        let name = format!("n{round}.test");
        let to_revoke = recorded(sandbox).into_iter().nth(round as usize / 3).unwrap_or_default();
        let command: &[&str] = match round % 3 {
            0 => &["ca", "issue", &name],
            1 => &["ca", "revoke", &to_revoke, "--reason", "superseded"],
            _ => &["ca", "crl"],
        };
        let mut child = start(sandbox, command);
        // No two rounds at the same moment, in no order: multiples of the golden ratio.
        thread::sleep(whole.mul_f64((round as f64 * 0.618_034).fract() * 1.3));
        // It may have ended by itself.
        _ = child.kill();
        killed += u64::from(child.wait().unwrap().signal() == Some(9));
    }
    assert!(killed >= kills / 8, "only {killed} of {kills} were killed: nothing is shown");
    all_is_well(sandbox);
    sandbox.certkit(&["ca", "issue", "after.test"]).expect_code(0);
    sandbox.certkit(&["ca", "crl"]).expect_code(0);
    all_is_well(sandbox);
}

#[test]
fn kills_at_any_moment_leave_a_ledger_in_a_file_sound() {
    kill_again_and_again(&in_a_file());
}

#[test]
fn kills_at_any_moment_leave_a_ledger_in_postgresql_sound() {
    let Some(sandbox) = in_postgresql() else { return };
    kill_again_and_again(&sandbox);
}

/// Sixteen processes issue at once.
fn a_crowd_issues(sandbox: &Sandbox) {
    const PROCESSES: u64 = 16;
    let each = number("CERTKIT_CROWD", 10);
    for process in 0..PROCESSES {
        let names: String = (0..each).map(|each| format!("n{process}-{each}.test\n")).collect();
        sandbox.write(format!("names{process}"), names);
    }
    let crowd: Vec<Child> = (0..PROCESSES)
        .map(|process| start(sandbox, &["ca", "issue", "--batch", &format!("names{process}"), "--format", "lines"]))
        .collect();
    for child in crowd {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(recorded(sandbox).len() as u64, PROCESSES * each);
    sandbox.certkit(&["ca", "check"]).expect_code(0);
    let keys = sandbox.listing().into_iter().filter(|name| name.ends_with("-key.pem")).count();
    assert_eq!(keys as u64, PROCESSES * each);
}

#[test]
fn a_crowd_issues_from_a_ledger_in_a_file() {
    a_crowd_issues(&in_a_file());
}

#[test]
fn a_crowd_issues_from_a_ledger_in_postgresql() {
    let Some(sandbox) = in_postgresql() else { return };
    a_crowd_issues(&sandbox);
}

#[test]
fn a_disk_that_fills_up_at_any_point_loses_nothing() {
    let sandbox = in_a_file();
    let (mut refused, mut done) = (0, 0);
    // The ledger has some twenty pages of four KiB; the log beside it grows by the same.
    for kibibytes in (0..260).step_by(13) {
        let line = format!("trap '' XFSZ; ulimit -f {kibibytes}; exec certkit ca issue n{kibibytes}.test");
        let ran = sandbox.shell(&line);
        match ran.code {
            Some(0) => done += 1,
            Some(2) => refused += 1,
            _ => panic!("{ran}"),
        }
        all_is_well(&sandbox);
    }
    assert!(refused > 0 && done > 0, "{refused} refused, {done} done: nothing is shown");
}

/// A minute before, by the clock that `SOURCE_DATE_EPOCH` is, a certificate is revoked and a list is signed.
fn a_clock_is_set_back(sandbox: &Sandbox) {
    for name in ["a.test", "b.test"] {
        sandbox.certkit(&["ca", "issue", name]).expect_code(0);
    }
    sandbox.certkit(&["ca", "revoke", "a.test"]).expect_code(0);
    let sign = |epoch: u64| {
        let run = sandbox.command().args(["ca", "crl", "--json"]).env("SOURCE_DATE_EPOCH", epoch.to_string());
        let list = run.expect_code(0).json();
        (list["number"].as_u64().unwrap(), list["entries"].as_u64().unwrap())
    };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    assert_eq!(sign(now), (1, 1));
    let earlier = sandbox.command().args(["ca", "revoke", "b.test"]).env("SOURCE_DATE_EPOCH", (now - 60).to_string());
    earlier.expect_code(0);
    assert_eq!(sign(now - 60), (2, 2), "the number grows, and what was revoked is on the list");
    // What came after the first list is known by its place, not by its time.
    let delta = sandbox.certkit(&["ca", "crl", "--delta", "--json"]).expect_code(0).json();
    assert_eq!(delta["number"], 3);
    all_is_well(sandbox);
}

#[test]
fn a_clock_set_back_takes_nothing_from_a_ledger_in_a_file() {
    a_clock_is_set_back(&in_a_file());
}

#[test]
fn a_clock_set_back_takes_nothing_from_a_ledger_in_postgresql() {
    let Some(sandbox) = in_postgresql() else { return };
    a_clock_is_set_back(&sandbox);
}
