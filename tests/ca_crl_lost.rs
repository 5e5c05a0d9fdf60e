//! `certkit ca crl` where the list does not arrive, or nobody can sign it.

use std::fs;
use std::thread::sleep;
use std::time::Instant;

use certkit::x509::CertificateRevocationList;

use crate::support::Sandbox;

fn run(sandbox: &Sandbox, args: &[&str], ledger: &[&str], code: i32) -> crate::support::Ran {
    sandbox.certkit(&[args, ledger].concat()).expect_code(code)
}

/// What a list goes through, in a ledger of either kind.
#[cfg(unix)]
fn a_list_that_is_lost_is_due(ledger: &[&str]) {
    let sandbox = Sandbox::new();
    let flags = ledger.iter().map(|word| format!(" '{word}'")).collect::<String>();
    let into = |redirected: &str, args: &str| {
        sandbox.bash(&format!("{redirected} certkit ca crl --out - {args}{flags} >&3")).run()
    };
    let (full, left) = ("exec 3>/dev/full;", "exec 3> >(true); sleep 1;");
    run(&sandbox, &["ca", "init", "--name", "Test CA"], ledger, 0);
    run(&sandbox, &["ca", "issue", "a.test"], ledger, 0);
    let due = |number: u64| {
        let told = format!("due: list {number} was signed and not delivered");
        run(&sandbox, &["ca", "crl", "--check"], ledger, 1).says(&told);
    };
    for (number, redirected) in [(1, full), (2, left)] {
        let ran = into(redirected, "").expect_code(2);
        ran.complains(&format!("list {number} is recorded, but lost"))
            .complains("certkit ca crl")
            .complains("--out FILE");
        due(number);
    }
    // Nobody has what a delta would build upon.
    run(&sandbox, &["ca", "crl", "--delta"], ledger, 2).complains("complete list 2").complains("was not delivered");
    run(&sandbox, &["ca", "crl"], ledger, 0);
    run(&sandbox, &["ca", "crl", "--check"], ledger, 0).says("fine: list 3");
    // Nor does a lost delta tell anybody of a revocation.
    run(&sandbox, &["ca", "revoke", "a.test"], ledger, 0);
    into(full, "--delta").expect_code(2).complains("list 4 is recorded, but lost").complains("certkit ca crl --delta");
    run(&sandbox, &["ca", "crl", "--check"], ledger, 1).says("list 3 does not know of the latest revocations");
    run(&sandbox, &["ca", "crl", "--delta"], ledger, 0);
    run(&sandbox, &["ca", "crl", "--check"], ledger, 0);
    run(&sandbox, &["ca", "check"], ledger, 0).says("sound");
    run(&sandbox, &["ca", "audit", "--action", "crl"], ledger, 0).says("not delivered: number 4, upon 3");
}

#[cfg(unix)]
#[test]
fn a_list_that_did_not_arrive_stays_due() {
    a_list_that_is_lost_is_due(&[]);
}

#[cfg(unix)]
#[test]
fn a_list_that_did_not_arrive_stays_due_in_a_database() {
    let Some(server) = crate::support::postgres::server() else { return };
    let url = server.database();
    a_list_that_is_lost_is_due(&["--ledger", &url]);
}

#[test]
fn a_list_whose_key_was_destroyed_is_beyond_signing() {
    let sandbox = Sandbox::new();
    run(&sandbox, &["ca", "init", "--intermediate", "--disposable-root"], &[], 0);
    let check = ["ca", "crl", "--check", "--issuer", "ca"];
    run(&sandbox, &check, &[], 2).says("due: ").says("beyond signing: the key of ca was destroyed");
    let answer = run(&sandbox, &[&check[..], &["--json"]].concat(), &[], 2).json();
    assert_eq!((&answer["due"], &answer["can_sign"]), (&true.into(), &false.into()), "{answer}");
    // The authority below it has its key.
    let answer = run(&sandbox, &["ca", "crl", "--check", "--json"], &[], 1).json();
    assert_eq!(answer["can_sign"], true, "{answer}");
}

#[test]
fn a_number_after_which_there_is_none_is_told() {
    let sandbox = Sandbox::new();
    run(&sandbox, &["ca", "init"], &[], 0);
    let ledger = rusqlite::Connection::open(sandbox.ca().join("ledger.db")).unwrap();
    ledger.execute("UPDATE authorities SET crl_number = 9223372036854775807", []).unwrap();
    drop(ledger);
    run(&sandbox, &["ca", "crl"], &[], 2).complains("the greatest that it counts to").complains("certkit ca check");
    run(&sandbox, &["ca", "check"], &[], 1).says("no list can be signed");
}

#[test]
fn a_command_that_is_named_can_be_pasted() {
    let sandbox = Sandbox::new();
    let at = ["--ca", "./it's a folder"];
    run(&sandbox, &["ca", "init"], &at, 0);
    run(&sandbox, &["ca", "crl", "--delta", "--url", "http://x.test/?a=1&b=2"], &at, 2)
        .complains(r"certkit ca crl --url 'http://x.test/?a=1&b=2' --ca './it'\''s a folder'");
}

#[cfg(unix)]
#[test]
fn of_several_that_sign_into_one_file_the_last_list_stays() {
    let sandbox = Sandbox::new();
    run(&sandbox, &["ca", "init"], &[], 0);
    for round in 1..=3 {
        let name = format!("race-{round}.crl");
        let line = format!(
            "for i in 1 2 3 4 5 6; do certkit ca crl --out {name} & all=\"$all $!\"; done; for one in $all; do wait $one || exit; done"
        );
        sandbox.shell(&line).expect_code(0);
        let there = sandbox.certkit(&["inspect", &name, "--json"]).expect_code(0).stdout;
        let last =
            run(&sandbox, &["ca", "crl", "--check", "--json"], &[], 0).json()["list"]["fingerprint_sha256"].clone();
        assert!(last.is_null() || there.contains(last.as_str().unwrap()), "{there}");
        let number = format!("list {}", round * 6);
        run(&sandbox, &["ca", "crl", "--check"], &[], 0).says(&number);
        let der = sandbox.read(&name);
        let number_there = [0x55, 0x1d, 0x14, 0x04, 0x03, 0x02, 0x01, round * 6];
        assert!(der.windows(8).any(|octets| octets == number_there), "{round}");
    }
}

#[test]
fn no_list_takes_the_place_of_one_that_the_ledger_does_not_know_of() {
    let sandbox = Sandbox::new();
    for args in [
        &["ca", "init"][..],
        &["ca", "issue", "a.test"],
        &["ca", "backup", "b.db"],
        &["ca", "revoke", "a.test"],
        &["ca", "crl"],
        &["ca", "crl"],
    ] {
        sandbox.certkit(args).expect_code(0);
    }
    let ledger = sandbox.ca().join("ledger.db");
    for more in ["-wal", "-shm"] {
        _ = std::fs::remove_file(sandbox.ca().join(format!("ledger.db{more}")));
    }
    std::fs::copy(sandbox.path("b.db"), ledger).unwrap();
    let published = sandbox.read("crl.pem");
    for args in [&["ca", "crl"][..], &["ca", "crl", "--force"]] {
        let refused = sandbox.certkit(args).expect_code(2).complains("list of this CA with number 2");
        refused.complains("counted to 0").complains("certkit ca repair --crl crl.pem");
    }
    assert_eq!(sandbox.read("crl.pem"), published);
    sandbox.certkit(&["ca", "repair", "--crl", "crl.pem"]).expect_code(0);
    sandbox.certkit(&["ca", "crl", "--force"]).expect_code(0).says("list 3");
    assert!(sandbox.certkit(&["ca", "list", "--revoked"]).expect_code(0).stdout.contains("a.test"));
}

/// Whoever stops it, by Ctrl-C or with the machine, stops it before the list counts or after it is there.
#[cfg(unix)]
#[test]
fn a_list_that_somebody_stops_counts_where_it_was_written_alone() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    let begun = Instant::now();
    sandbox.certkit(&["ca", "crl", "--der", "--out", "crl.der"]).expect_code(0);
    let whole = begun.elapsed();
    let written = || {
        let list = CertificateRevocationList::from_der(&fs::read(sandbox.path("crl.der")).unwrap()).unwrap();
        list.number().unwrap().unwrap().to_u64().unwrap()
    };
    for round in 0..30_u32 {
        let signal = ["-TERM", "-INT", "-HUP"][round as usize % 3];
        let running = sandbox.start(sandbox.command().args(["ca", "crl", "--der", "--out", "crl.der"]));
        // No two rounds at the same moment, in no order: multiples of the golden ratio.
        sleep(whole.mul_f64((f64::from(round) * 0.618_034).fract()));
        running.stop_by(signal);
        let said = sandbox.certkit(&["ca", "crl", "--check", "--json"]).expect_code(0).json();
        assert_eq!(said["list"]["number"].as_u64(), Some(written()), "{signal} in round {round}");
    }
}
