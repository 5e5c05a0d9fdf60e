//! `certkit apply`: a key that moves out of its certificate's file.

use crate::apply::{actions, apply, check, replace, with_project};
use crate::support::Sandbox;

/// How many certificates the project's CA has issued.
fn issued(sandbox: &Sandbox) -> usize {
    let listed = sandbox.certkit(&["ca", "list", "--ca", "ca", "--json"]).expect_code(0).json();
    listed["certificates"].as_array().unwrap().len()
}

#[test]
fn a_key_moves_out_of_the_file_it_shared_and_its_certificate_stays() {
    let sandbox = with_project();
    replace(&sandbox, "certs/api.key", "certs/api.pem");
    apply(&sandbox);
    let public = |file: &str| sandbox.certkit(&["key", "public", file]).expect_code(0).stdout;
    let (before, count) = (public("certs/api.pem"), issued(&sandbox));
    // The certificate as it is.
    replace(&sandbox, "keyout = \"certs/api.pem\"", "keyout = \"keys/api.key\"");
    let would = check(&sandbox, 1).json();
    assert_eq!(actions(&would), ["move", "none"]);
    assert_eq!(actions(&apply(&sandbox)), ["move", "none"]);
    assert_eq!((public("keys/api.key"), issued(&sandbox)), (before.clone(), count));
    assert!(!String::from_utf8(sandbox.read("certs/api.pem")).unwrap().contains("PRIVATE KEY"));
    #[cfg(unix)]
    assert_eq!(sandbox.mode("keys/api.key"), 0o600);
    sandbox.certkit(&["key", "match", "keys/api.key", "certs/api.pem"]).expect_code(0);
    check(&sandbox, 0);
    // With another certificate, and with another key.
    for (days, kind, same) in [("days = 91", "", true), ("days = 92", "key = \"p384\"\n", false)] {
        let both = [sandbox.read("keys/api.key"), sandbox.read("certs/api.pem")].concat();
        sandbox.write("certs/api.pem", both);
        std::fs::remove_file(sandbox.path("keys/api.key")).unwrap();
        let last = if same { "days = 90" } else { "days = 91" };
        replace(&sandbox, &format!("{last}\nout"), &format!("{days}\n{kind}out"));
        assert_eq!(actions(&apply(&sandbox)), ["reissue", "none"]);
        assert_eq!(public("keys/api.key") == before, same);
        sandbox.certkit(&["key", "match", "keys/api.key", "certs/api.pem"]).expect_code(0);
        check(&sandbox, 0);
    }
    assert_eq!(issued(&sandbox), count + 2);
}

#[test]
fn a_key_that_may_not_move_is_told_before_anything_is_signed() {
    let sandbox = with_project();
    replace(&sandbox, "certs/api.key", "certs/api.pem");
    apply(&sandbox);
    let count = issued(&sandbox);
    replace(&sandbox, "keyout = \"certs/api.pem\"", "keyout = \"q.pem\"");
    // Another key is where it would go; and there are two of them.
    sandbox.certkit(&["key", "new", "--out", "q.pem"]).expect_code(0);
    for two in [false, true] {
        if two {
            let other = sandbox.read("q.pem");
            sandbox.write("certs/api.pem", [sandbox.read("certs/api.pem"), other].concat());
            std::fs::remove_file(sandbox.path("q.pem")).unwrap();
        }
        let before = sandbox.read("certs/api.pem");
        for more in [&["--check"][..], &[], &[]] {
            let ran = sandbox.certkit(&[&["apply"], more].concat());
            ran.expect_code(2).complains("it holds a private key").complains("q.pem yourself");
        }
        assert_eq!((sandbox.read("certs/api.pem"), issued(&sandbox)), (before, count), "{two}");
    }
}
