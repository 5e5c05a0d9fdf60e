//! Making authorities: several processes at once, and what is left where it is refused.

use std::thread;

use crate::support::Sandbox;

#[test]
fn of_those_that_make_a_ca_at_once_one_does_and_nothing_is_left_of_the_others() {
    for more in [&[][..], &["--intermediate"]] {
        let sandbox = Sandbox::new();
        let ran: Vec<_> = thread::scope(|scope| {
            let init = || sandbox.certkit(&[&["ca", "init"], more].concat());
            let all: Vec<_> = (0..4).map(|_| scope.spawn(init)).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let made = ran.iter().filter(|one| one.code == Some(0)).count();
        assert_eq!(made, 1, "{more:?}");
        for refused in ran.iter().filter(|one| one.code != Some(0)) {
            assert_eq!(refused.code, Some(2), "{refused}");
            let told = ["another process is making a CA in", "there is a CA in"];
            assert!(told.iter().any(|it| refused.stderr.contains(it)), "{refused}");
            assert!(!refused.stderr.contains("--force"), "{refused}");
        }
        let whole = if more.is_empty() { "sound: 1 authority," } else { "sound: 2 authorities," };
        sandbox.certkit(&["ca", "check"]).expect_code(0).says(whole);
    }
}

#[test]
fn authorities_that_are_made_at_once_below_one_are_all_made_and_of_one_name_one_is() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init"]).expect_code(0);
    let ran: Vec<_> = thread::scope(|scope| {
        let make = |name| sandbox.certkit(&["ca", "intermediate", name]);
        let all: Vec<_> = ["web", "lab", "lab"].map(|name| scope.spawn(move || make(name))).into();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(ran.iter().filter(|one| one.code == Some(0)).count(), 2);
    sandbox.certkit(&["ca", "check"]).expect_code(0).says("sound: 3 authorities");
}

#[test]
fn what_is_refused_leaves_nothing_behind_that_was_not_there() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--ca", "there"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "--ca", "there", "a.test"]).expect_code(0);
    let before = sandbox.listing();
    let nothing =
        |refused: &str| assert_eq!((sandbox.listing(), sandbox.ca().exists()), (before.clone(), false), "{refused}");
    sandbox.certkit(&["ca", "init", "--profile", "server"]).expect_code(2).complains("makes no CA");
    nothing("profile");
    sandbox.certkit(&["ca", "init", "--ca", "deep/er", "--profile", "server"]).expect_code(2);
    nothing("deep");
    let ran = sandbox.certkit(&["ca", "init", "--intermediate", "--root-key-out", "a.test-key.pem"]).expect_code(2);
    let ran = ran.complains("it exists already").complains("nothing replaces a CA or its key");
    assert!(!ran.stderr.contains("--force"), "{ran}");
    nothing("key");
    let import = |certificate: &str, key: &str| sandbox.certkit(&["ca", "import", "--cert", certificate, "--key", key]);
    import("there/ca.pem", "a.test-key.pem").expect_code(2);
    nothing("wrong key");
    import("a.test.pem", "a.test-key.pem").expect_code(2);
    nothing("no CA");
    // A folder and what is in it stay.
    std::fs::create_dir(sandbox.ca()).unwrap();
    std::fs::write(sandbox.ca().join("ca.toml"), "").unwrap();
    import("a.test.pem", "a.test-key.pem").expect_code(2);
    let left: Vec<_> = std::fs::read_dir(sandbox.ca()).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert_eq!(left, ["ca.toml"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_certificate_that_was_issued_is_told_of_where_stdout_is_full() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init"]).expect_code(0);
    let onto_full = |args: &str| sandbox.shell(&format!("certkit {args} >/dev/full")).expect_code(2);
    let told = |args: &str, done: &str| {
        onto_full(args).complains(&format!("{done}: cannot write to stdout"));
    };
    told("ca issue a.test", "the certificate is issued and written to a.test.pem");
    told("ca renew a.test", "what is renewed is written to a.test.pem");
    sandbox.certkit(&["csr", "new", "b.test"]).expect_code(0);
    told("ca sign b.test.csr", "the certificate is issued and written to b.test.pem");
    told("ca revoke --all a.test", "the ledger has what was asked for");
    told("ca crl", "list 1 is signed and written to crl.pem");
    told("ca intermediate web", "the authority web is made");
    told("ca init --ca other", "the CA is made, in other");
    sandbox.write("word.txt", "correct horse battery staple\n");
    told("ca passphrase --new-passphrase file:word.txt", "the passphrase is set");
    sandbox.certkit(&["ca", "ocsp"]).expect_code(2).complains("--request FILE").complains("--serve ADDR");
}

#[cfg(unix)]
#[test]
fn what_everybody_may_change_is_said_and_a_ledger_is_its_owners() {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    for (folder, mode, told) in [("open", 0o777, true), ("shared", 0o775, false)] {
        fs::create_dir(sandbox.path(folder)).unwrap();
        fs::set_permissions(sandbox.path(folder), Permissions::from_mode(mode)).unwrap();
        let ledger = sandbox.write(format!("{folder}/ledger.db"), "");
        fs::set_permissions(ledger, Permissions::from_mode(0o666)).unwrap();
        let ran = sandbox.certkit(&["ca", "init", "--ca", folder]).expect_code(0);
        assert_eq!(ran.stderr.contains(&format!("everybody may change what lies in {folder}")), told, "{ran}");
        let modes = [folder.to_owned(), format!("{folder}/ledger.db"), format!("{folder}/ca-key.pem")];
        assert_eq!(modes.map(|name| sandbox.mode(name)), [mode, 0o600, 0o600]);
    }
}
