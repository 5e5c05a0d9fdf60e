//! What `certkit ca` says where something was meant in another way, and what it takes in more than one spelling.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::ca_hierarchy::two_tiers;
use crate::support::Sandbox;

#[test]
fn no_other_authority_is_offered_for_what_is_a_destroyed_ones_own() {
    let sandbox = two_tiers(&["--disposable-root"]);
    for args in [&["ca", "crl", "--issuer", "ca"][..], &["ca", "intermediate", "web", "--issuer", "ca"]] {
        let ran = sandbox.certkit(args).expect_code(2).complains("the key of ca was destroyed");
        assert!(ran.stderr.contains("ca init --ca DIR") && !ran.stderr.contains("--issuer issuing"), "{ran}");
    }
    sandbox.certkit(&["ca", "issue", "a.test", "--issuer", "ca"]).expect_code(2).complains("--issuer issuing");
}

#[test]
fn names_that_are_permitted_may_stand_with_commas_between_them() {
    let constraints = |more: &[&str]| {
        let sandbox = Sandbox::new();
        sandbox.certkit(&[&["ca", "init"], more].concat()).expect_code(0);
        sandbox.certkit(&["ca", "issue", "a.lab.test"]).expect_code(0);
        sandbox.certkit(&["ca", "issue", "10.0.0.1"]).expect_code(0);
        sandbox.certkit(&["ca", "issue", "b.test"]).expect_code(2);
        sandbox.certkit(&["ca", "issue", "c.lab.test"]).expect_code(2);
        let shown = sandbox.certkit(&["inspect", sandbox.ca().join("ca.pem").to_str().unwrap()]).expect_code(0).stdout;
        let lines: Vec<&str> =
            shown.lines().filter(|line| line.contains("permit") || line.contains("exclude")).collect();
        lines.join("\n")
    };
    let one = constraints(&["--permit", "lab.test,10.0.0.0/8", "--exclude", "c.lab.test"]);
    let other = constraints(&["--permit", "lab.test", "--permit", "10.0.0.0/8", "--exclude", "c.lab.test"]);
    assert_eq!(one, other);
}

#[test]
fn a_ca_of_certkits_own_is_not_imported_but_used() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--ca", "mine"]).expect_code(0);
    let ran = sandbox.certkit(&["ca", "import", "mine", "--ca", "other"]).expect_code(2);
    ran.complains("mine is a CA of certkit already").complains("certkit ca show --ca mine");
    sandbox.certkit(&["ca", "list", "--ca", "@Work"]).expect_code(2).complains("--ca @work");
}

#[test]
fn where_one_of_several_is_unknown_nothing_is_revoked_and_that_is_told() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    for which in [["a.test", "nosuch"], ["nosuch", "a.test"]] {
        let ran = sandbox.certkit(&[&["ca", "revoke"][..], &which].concat()).expect_code(2);
        ran.complains("nothing was revoked: ").complains("\"nosuch\"");
    }
    sandbox.certkit(&["ca", "revoke", "a.test"]).expect_code(0);
}

#[test]
fn both_that_want_stdout_are_told_apart() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init"]).expect_code(0);
    let both: [&[&str]; 3] = [&["--bundle"], &["--chain"], &["--records", "jsonl"]];
    for what in both {
        let ran = sandbox.certkit(&[&["ca", "export", "--json"], what].concat()).expect_code(2);
        ran.complains("give a file with --out FILE");
    }
}

#[test]
fn a_scheme_in_capitals_is_one_all_the_same() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init"]).expect_code(0);
    sandbox.certkit(&["ca", "crl", "--url", "HTTP://ca.test/a.crl", "--out", "a.crl"]).expect_code(0);
    sandbox.certkit(&["ca", "crl", "--url", "HTTPS://ca.test/a.crl", "--out", "b.crl"]).expect_code(2);
}

#[test]
fn a_request_without_a_name_is_told_how_to_get_one() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init"]).expect_code(0);
    sandbox.certkit(&["csr", "new", "--profile", "client", "--subject", "O=Example", "--out", "a.csr"]).expect_code(0);
    let sign = ["ca", "sign", "a.csr", "--profile", "client"];
    let ran = sandbox.certkit(&sign).expect_code(1).says("add one with --san");
    assert!(!ran.stdout.contains("--cn"), "{ran}");
    sandbox.certkit(&[&sign[..], &["--san", "ann@a.test"]].concat()).expect_code(0);
}

#[test]
fn a_new_key_on_stdout_is_said_to_be_there() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    let ran = sandbox.certkit(&["ca", "renew", "a.test", "--rekey", "--out", "-"]).expect_code(0);
    assert!(ran.stderr.contains("new, in stdout") && ran.stdout.contains("PRIVATE KEY"), "{ran}");
}

#[cfg(target_os = "linux")]
#[test]
fn watching_goes_on_where_stdout_cannot_be_written_and_says_when_the_next_is_due() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "a.test", "--not-after", "6s"]).expect_code(0);
    for stdout in ["/dev/full", "gone"] {
        _ = fs::remove_file(sandbox.path("count"));
        sandbox.write("hook", "echo x >> count\n");
        // It is this process that is ended afterwards.
        let line = match stdout {
            "gone" => "exec certkit ca renew --watch a.test --exec 'sh hook' 2>said > >(true)".to_owned(),
            full => format!("exec certkit ca renew --watch a.test --exec 'sh hook' >{full} 2>said"),
        };
        let watching = sandbox.start(sandbox.bash(&line));
        let begun = Instant::now();
        let count = || fs::read_to_string(sandbox.path("count")).unwrap_or_default().lines().count();
        while count() < 3 && begun.elapsed() < Duration::from_secs(60) {
            sleep(Duration::from_millis(200));
        }
        let said = fs::read_to_string(sandbox.path("said")).unwrap_or_default();
        drop(watching);
        assert!(count() >= 3, "{stdout}: {said}");
        assert!(said.matches("watching a.test: renewed in").count() >= 2, "{stdout}: {said}");
        if stdout == "/dev/full" {
            assert_eq!(said.matches("is not told there any more").count(), 1, "{said}");
        }
    }
}
