//! `certkit ca` where things go wrong: other processes, sudden ends, folders that take nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{NOBODY, Sandbox, peer};

/// Starts certkit and does not wait for it.
fn start(sandbox: &Sandbox, args: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_certkit"));
    command.current_dir(sandbox.work()).env("CERTKIT_CA", sandbox.ca()).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The serial numbers in the ledger, by the CA's own account.
fn recorded(sandbox: &Sandbox) -> Vec<String> {
    let listed = sandbox.certkit(&["ca", "list", "--json"]).expect_code(0).json();
    let certificates = listed["certificates"].as_array().unwrap();
    certificates.iter().map(|one| one["serial"].as_str().unwrap().to_owned()).collect()
}

/// The files with this ending in the working folder, hidden ones left out.
fn files(sandbox: &Sandbox, ending: &str) -> Vec<String> {
    sandbox.listing().into_iter().filter(|name| name.ends_with(ending) && !name.starts_with('.')).collect()
}

/// The serial number of the first certificate of a file, which is whole and sound.
fn serial_in(sandbox: &Sandbox, file: &str) -> String {
    let shown = sandbox.certkit(&["inspect", file, "--json"]).expect_code(0).json();
    assert_eq!(shown[0]["blocks"].as_array().unwrap().len(), 1, "{file} is whole");
    shown[0]["blocks"][0]["serial"].as_str().unwrap().to_owned()
}

#[test]
fn processes_that_issue_at_once_never_collide() {
    const PROCESSES: usize = 2;
    const EACH: usize = 50;
    let sandbox = Sandbox::new();
    // No CA yet: they race to make it too.
    thread::scope(|scope| {
        for process in 0..PROCESSES {
            let sandbox = &sandbox;
            scope.spawn(move || {
                for each in 0..EACH {
                    let child = start(sandbox, &["ca", "issue", &format!("n{process}-{each}.test")]);
                    let output = child.wait_with_output().unwrap();
                    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                }
            });
        }
    });
    let recorded = recorded(&sandbox);
    let distinct: BTreeSet<&String> = recorded.iter().collect();
    assert_eq!((recorded.len(), distinct.len()), (PROCESSES * EACH, PROCESSES * EACH));
    let on_disk = files(&sandbox, "-key.pem").len();
    assert_eq!(on_disk, PROCESSES * EACH);
}

#[cfg(unix)]
#[test]
fn a_kill_at_any_moment_leaves_no_certificate_the_ledger_does_not_know() {
    use std::os::unix::process::ExitStatusExt;
    const ROUNDS: u64 = 40;
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init"]).expect_code(0);
    let begun = Instant::now();
    sandbox.certkit(&["ca", "issue", "whole.test"]).expect_code(0);
    let whole = begun.elapsed();
    let mut killed = 0;
    for round in 0..ROUNDS {
        let mut child = start(&sandbox, &["ca", "issue", &format!("n{round}.test")]);
        // From before the first step to after the last.
        thread::sleep(whole.mul_f64(round as f64 / ROUNDS as f64 * 1.2));
        // It may have ended by itself.
        _ = child.kill();
        killed += u64::from(child.wait().unwrap().signal() == Some(9));
    }
    assert!(killed >= ROUNDS / 8, "only {killed} of {ROUNDS} were killed: nothing is shown");
    let known = recorded(&sandbox);
    let certificates: Vec<String> =
        files(&sandbox, ".pem").into_iter().filter(|name| !name.ends_with("-key.pem")).collect();
    assert!(!certificates.is_empty());
    for file in &certificates {
        assert!(known.contains(&serial_in(&sandbox, file)), "{file} is not in the ledger");
    }
    for file in sandbox.listing() {
        if file.ends_with("-key.pem") {
            sandbox.certkit(&["key", "show", &file]).expect_code(0);
            assert_eq!(sandbox.mode(&file), 0o600, "{file}");
        } else if file.starts_with('.') {
            // What a killed process was writing stays under a name of its own, for its owner alone if it may be a key.
            let contents = sandbox.read(&file);
            let secret = contents.windows(11).any(|window| window == b"PRIVATE KEY");
            assert!(!secret || sandbox.mode(&file) == 0o600, "{file}");
        }
    }
    sandbox.certkit(&["ca", "issue", "after.test"]).expect_code(0);
}

#[cfg(unix)]
#[test]
fn the_record_is_made_before_the_first_byte_is_written() {
    let Some(mkfifo) = peer("mkfifo") else { return };
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init"]).expect_code(0);
    // A pipe that nobody reads stops the process where it would write the certificate.
    sandbox.peer(&mkfifo, &["out.pem"]).expect_code(0);
    let mut child = start(&sandbox, &["ca", "issue", "a.test", "--out", "out.pem", "--keyout", "out.pem"]);
    let begun = Instant::now();
    while recorded(&sandbox).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it waits to write what it has not recorded");
        thread::sleep(Duration::from_millis(20));
    }
    assert!(child.try_wait().unwrap().is_none(), "it could not have written anything yet");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!((recorded(&sandbox).len(), sandbox.listing()), (1, vec!["out.pem".to_owned()]));
}

#[cfg(unix)]
#[test]
fn a_killed_init_never_stands_in_the_way() {
    for round in 0..12_u32 {
        let sandbox = Sandbox::new();
        let mut child = start(&sandbox, &["ca", "init"]);
        thread::sleep(Duration::from_millis(3) * round);
        _ = child.kill();
        child.wait().unwrap();
        let place = sandbox.ca();
        let there = |file: &str| place.join(file).exists();
        if there("ca.pem") == there("ca-key.pem") {
            // Nothing, a ledger alone, or all of it: issuing goes on from there.
            sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
        } else {
            sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(2).complains("half a CA");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_takes_nothing_is_said_and_nothing_is_written() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init"]).expect_code(0);
    read_only(&sandbox.ca());
    let ran = sandbox.unprivileged(&["ca", "issue", "a.test"]);
    writable(&sandbox.ca());
    let Some(ran) = ran else { return };
    ran.expect_code(2).complains("ledger.db").complains("read-only");
    assert_eq!(sandbox.listing(), [""; 0]);
}

#[cfg(unix)]
#[test]
fn a_folder_that_takes_nothing_is_read_all_the_same() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    let before = fs::read_dir(sandbox.ca()).unwrap().count();
    assert!(sandbox.ca().join("ledger.db-wal").exists(), "the last records stand beside the ledger");
    read_only(&sandbox.ca());
    let ran = ["list", "show", "audit"].map(|command| sandbox.unprivileged(&["ca", command]));
    let left = fs::read_dir(sandbox.ca()).unwrap().count();
    writable(&sandbox.ca());
    let [Some(list), Some(show), Some(audit)] = ran else { return };
    list.expect_code(0).says("a.test");
    show.expect_code(0).says("1 certificate");
    audit.expect_code(0).says("sound: 2 lines");
    assert_eq!(left, before, "and nothing is left there");
}

#[cfg(unix)]
#[test]
fn what_waits_in_the_log_of_a_killed_process_is_not_passed_over_in_silence() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    // Without it the log cannot be read where nothing may be written.
    fs::remove_file(sandbox.ca().join("ledger.db-shm")).unwrap();
    read_only(&sandbox.ca());
    let ran = sandbox.unprivileged(&["ca", "list"]);
    writable(&sandbox.ca());
    let Some(ran) = ran else { return };
    let ran = ran.expect_code(2).complains("write-ahead log");
    assert!(!ran.stderr.contains("make room"), "{ran}");
}

#[cfg(unix)]
#[test]
fn a_ca_is_not_made_in_a_folder_that_takes_nothing() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.ca()).unwrap();
    read_only(&sandbox.ca());
    let ran = sandbox.unprivileged(&["ca", "init"]);
    writable(&sandbox.ca());
    let Some(ran) = ran else { return };
    ran.expect_code(2).complains("permission denied");
    assert_eq!(fs::read_dir(sandbox.ca()).unwrap().count(), 0);
}

/// Gives a folder and what is in it to the user `nobody` where this is root, and lets nobody write to it.
#[cfg(unix)]
fn read_only(folder: &Path) {
    use std::os::unix::fs::{PermissionsExt, chown};
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // Whoever is not root owns it already.
        _ = chown(&path, Some(NOBODY), Some(NOBODY));
        fs::set_permissions(path, fs::Permissions::from_mode(0o400)).unwrap();
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o555)).unwrap();
}

/// So that the sandbox can be cleared away.
#[cfg(unix)]
fn writable(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_backup_is_one_file_with_all_that_was_recorded() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init"]).expect_code(0);
    for name in ["a.test", "b.test"] {
        sandbox.certkit(&["ca", "issue", name]).expect_code(0);
    }
    let answer = sandbox.certkit(&["ca", "backup", "copy.db", "--json"]).expect_code(0).json();
    assert_eq!(answer["certificates"], 2);
    sandbox.certkit(&["ca", "backup", "copy.db"]).expect_code(2).complains("exists already");
    // No --force is offered where it would be refused.
    let own = sandbox.ca().join("ledger.db");
    let refused = sandbox.certkit(&["ca", "backup", own.to_str().unwrap()]).expect_code(2);
    assert!(!refused.complains("certkit never writes over that").stderr.contains("--force"));
    sandbox.certkit(&["ca", "issue", "c.test"]).expect_code(0);
    // All that a folder needs, and nothing of what stood beside the ledger.
    let restored = sandbox.path("restored");
    fs::create_dir(&restored).unwrap();
    for (from, to) in [("ca.pem", "ca.pem"), ("ca-key.pem", "ca-key.pem")] {
        fs::copy(sandbox.ca().join(from), restored.join(to)).unwrap();
    }
    fs::rename(sandbox.path("copy.db"), restored.join("ledger.db")).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(restored.join("ledger.db")).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(sandbox.listing().iter().filter(|name| name.contains("copy.db")).count(), 0, "nothing else is left");
    sandbox.certkit(&["ca", "check", "--ca", "restored"]).expect_code(0);
    let listed = sandbox.certkit(&["ca", "list", "--ca", "restored", "--json"]).expect_code(0).json();
    let names: Vec<_> = listed["certificates"].as_array().unwrap().iter().map(|one| one["subject"].clone()).collect();
    assert_eq!(names, ["CN=a.test", "CN=b.test"]);
    sandbox.certkit(&["ca", "issue", "d.test", "--ca", "restored"]).expect_code(0);
}

#[test]
fn the_log_beside_a_ledger_does_not_grow_for_ever() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init"]).expect_code(0);
    let log = || fs::metadata(sandbox.ca().join("ledger.db-wal")).map_or(0, |about| about.len());
    let sizes: Vec<u64> = (0..20)
        .map(|number| {
            sandbox.certkit(&["ca", "issue", &format!("{number}.test"), "--quiet"]).expect_code(0);
            log()
        })
        .collect();
    assert!(sizes.iter().all(|size| *size <= 256 << 10), "{sizes:?}");
    let restarts = sizes.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert!((1..10).contains(&restarts), "it goes into the ledger now and then: {sizes:?}");
    assert_eq!(recorded(&sandbox).len(), 20);
}
