//! `certkit apply` where a project, its files or its CAs are at fault: nothing is lost, and the rest is done.

use std::time::SystemTime;

use crate::apply::{actions, apply, check, replace, state, with_project};
use crate::support::Sandbox;

/// Runs it on a project that is refused as a whole.
fn refuses(sandbox: &Sandbox, said: &[&str]) {
    let before = state(sandbox);
    let refused = sandbox.certkit(&["apply"]).expect_code(2);
    for said in said {
        assert!(refused.stderr.contains(said), "{said}: {}", refused.stderr);
    }
    assert_eq!(state(sandbox), before, "{said:?}");
    sandbox.certkit(&["apply", "--check"]).expect_code(2);
}

#[test]
fn the_files_of_a_ca_are_never_written_over() {
    let sandbox = with_project();
    replace(&sandbox, "days = 3000", "intermediate = \"issuing\"");
    apply(&sandbox);
    sandbox.certkit(&["ca", "intermediate", "web", "--ca", "ca"]).expect_code(0);
    sandbox.write("own.toml", sandbox.certkit(&["ca", "profiles", "--show", "client"]).expect_code(0).stdout);
    #[cfg(unix)]
    std::os::unix::fs::symlink("ca/ca-key.pem", sandbox.path("link.pem")).unwrap();
    #[cfg(not(unix))]
    std::fs::hard_link(sandbox.path("ca/ca-key.pem"), sandbox.path("link.pem")).unwrap();
    let project = sandbox.read("certkit.toml");
    for (field, path, what) in [
        ("keyout", "ca/ca-key.pem", "the key of ca"),
        ("keyout", "./certs/../ca/issuing-key.pem", "the key of issuing"),
        ("keyout", "ca/web-key.pem", "the key of web"),
        ("keyout", "ca/ledger.db-wal", "the ledger"),
        ("out", "ca/ca.pem", "the certificate of ca"),
        ("out", "ca/issuing.pem", "the certificate of issuing"),
        ("out", "ca/ca.toml", "ca.toml of the CA"),
        ("out", "ca/ledger.db", "the ledger"),
        ("out", "ca", "the folder of the CA"),
        ("out", "certkit.toml", "the project itself"),
        ("out", "own.toml", "a profile of the project"),
        #[cfg(unix)]
        ("keyout", "link.pem", "the key of ca"),
    ] {
        sandbox.write("certkit.toml", &project);
        replace(&sandbox, "profile = \"client\"", "profile = \"own.toml\"\nkey = \"rsa:2048\"");
        replace(
            &sandbox,
            "out = \"ann.pem\"",
            &match field {
                "out" => format!("out = \"{path}\""),
                _ => format!("out = \"new.pem\"\nkeyout = \"{path}\""),
            },
        );
        refuses(&sandbox, &["certkit.toml:14", what, "never writes over", field]);
    }
}

#[test]
fn two_certificates_have_no_file_in_common_however_it_is_spelled() {
    let sandbox = with_project();
    replace(&sandbox, "keyout = \"certs/api.key\"\n", "");
    apply(&sandbox);
    #[cfg(unix)]
    std::os::unix::fs::symlink("certs", sandbox.path("link")).unwrap();
    let project = sandbox.read("certkit.toml");
    for fields in [
        "out = \"./certs/../certs/api.pem\"",
        "out = \"certs/../ann.pem\"\nkeyout = \"certs/./api-key.pem\"",
        "out = \"certs/api-key.pem\"",
        #[cfg(unix)]
        "out = \"link/api.pem\"",
    ] {
        sandbox.write("certkit.toml", &project);
        replace(&sandbox, "out = \"ann.pem\"", fields);
        refuses(&sandbox, &["certkit.toml:13", "certificate on line 8 too"]);
    }
    sandbox.write("certkit.toml", "[[ca]]\nfolder = \"ca\"\n\n[[ca]]\nfolder = \"certs/../ca\"\n");
    refuses(&sandbox, &["certkit.toml:4", "line 1 too"]);
}

#[test]
fn a_key_that_is_none_of_its_own_is_not_replaced() {
    let sandbox = with_project();
    sandbox.certkit(&["key", "new", "--type", "rsa:2048", "--out", "ann-key.pem"]).expect_code(0);
    let key = sandbox.read("ann-key.pem");
    let applied = sandbox.certkit(&["apply", "--json"]).expect_code(2);
    assert_eq!(actions(&applied.json()), ["issue", "fail"]);
    assert!(applied.stderr.contains("would replace that in ann-key.pem"), "{}", applied.stderr);
    assert_eq!(sandbox.read("ann-key.pem"), key);
    // A CA's certificate and its key lie elsewhere than in its folder.
    std::fs::copy(sandbox.path("ca/ca.pem"), sandbox.path("ann.pem")).unwrap();
    sandbox.certkit(&["apply"]).expect_code(2).complains("the certificate of a CA");
    std::fs::remove_file(sandbox.path("ann.pem")).unwrap();
    std::fs::copy(sandbox.path("ca/ca-key.pem"), sandbox.path("ann-key.pem")).unwrap();
    replace(&sandbox, "profile = \"client\"", "profile = \"client\"\nkey = \"p384\"");
    sandbox.certkit(&["apply"]).expect_code(2).complains("holds the key of its CA");
}

#[test]
fn one_fault_leaves_the_others_their_turn() {
    let sandbox = with_project();
    apply(&sandbox);
    let files = ["certs/api.pem", "certs/api.key"];
    for (file, contents) in [(files[0], "notes"), (files[0], "\n"), (files[1], "\n"), (files[1], "notes")] {
        let kept = sandbox.read(file);
        sandbox.write(file, contents);
        std::fs::remove_file(sandbox.path("ann.pem")).unwrap();
        let said = check(&sandbox, 2);
        assert_eq!(actions(&said.json()), ["fail", "issue"], "{}", said.stderr);
        let applied = sandbox.certkit(&["apply", "--json"]).expect_code(2);
        let row = &applied.json()["certificates"][0];
        assert_eq!(actions(&applied.json()), ["fail", "issue"]);
        assert_eq!((applied.json()["failures"].as_u64(), applied.json()["changes"].as_u64()), (Some(1), Some(1)));
        assert!(row["error"]["message"].as_str().unwrap().contains(file), "{row}");
        assert!(row["error"]["hint"].as_str().unwrap().contains("move it away"), "{row}");
        assert!(applied.stderr.contains("certkit.toml:8") && sandbox.path("ann.pem").exists(), "{}", applied.stderr);
        sandbox.write(file, kept);
    }
    check(&sandbox, 0);
}

#[cfg(unix)]
#[test]
fn what_stands_in_a_files_way_is_named() {
    let sandbox = with_project();
    sandbox.write("certs", "notes");
    let applied = sandbox.certkit(&["apply", "--json"]).expect_code(2);
    assert_eq!(actions(&applied.json()), ["fail", "issue"]);
    assert!(applied.stderr.contains("certs is a file"), "{}", applied.stderr);
    std::fs::remove_file(sandbox.path("certs")).unwrap();
    std::fs::create_dir(sandbox.path("certs")).unwrap();
    std::os::unix::fs::symlink("live/api.pem", sandbox.path("certs/api.pem")).unwrap();
    let refused = sandbox.certkit(&["apply"]).expect_code(2);
    assert!(refused.stderr.contains("is a link to live/api.pem, which is not there"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("did you mean"), "{}", refused.stderr);
}

#[test]
fn a_ca_that_is_another_than_asked_for_signs_nothing() {
    for (from, to, said) in [
        ("days = 3000", "days = 2999", "is valid for 3000 days, not 2999"),
        ("key = \"p384\"", "key = \"p256\"", "P-384, not P-256"),
        ("Project CA", "Other CA", "not Other CA"),
    ] {
        let sandbox = with_project();
        apply(&sandbox);
        replace(&sandbox, from, to);
        std::fs::remove_file(sandbox.path("ann.pem")).unwrap();
        let before = state(&sandbox);
        let refused = sandbox.certkit(&["apply", "--json"]).expect_code(2);
        assert!(refused.stderr.contains(said) && refused.stderr.contains("never changed"), "{}", refused.stderr);
        assert_eq!(actions(&refused.json()), ["fail", "fail"]);
        assert_eq!(state(&sandbox), before);
    }
    let sandbox = with_project();
    replace(&sandbox, "days = 3000", "days = 3000\nintermediate = \"issuing\"");
    apply(&sandbox);
    replace(&sandbox, "intermediate = \"issuing\"\n", "");
    let said = check(&sandbox, 0).json();
    assert!(said["authorities"][0]["why"].to_string().contains("issuing below it signs all the same"), "{said}");
}

#[test]
fn an_expired_ca_is_called_that() {
    let sandbox = with_project();
    apply(&sandbox);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let late = (now + 3001 * 86_400).to_string();
    for args in [&["apply"][..], &["apply", "--check"]] {
        let refused = sandbox.command().args(args).env("SOURCE_DATE_EPOCH", &late).run().expect_code(2);
        assert!(refused.stderr.contains("Project CA expired at"), "{}", refused.stderr);
        assert!(refused.stderr.contains("certkit ca renew ca"), "{}", refused.stderr);
    }
}

#[test]
fn names_that_a_ca_yet_to_be_made_will_not_be_permitted_are_told_before_it_is_made() {
    let sandbox = Sandbox::new();
    let project = "[[ca]]\nfolder = \"ca\"\npermit = [\"lab.test\"]\n\n[[certificate]]\nnames = [\"a.lab.test\"]\nout = \"a.pem\"\nca = \"ca\"\n\n";
    let other = |name: &str| format!("{project}[[certificate]]\nnames = [\"{name}\"]\nout = \"b.pem\"\nca = \"ca\"\n");
    sandbox.write("certkit.toml", other("b.test"));
    let told = "the CA to be made in ca may not issue for dns:b.test: only dns:lab.test is permitted";
    sandbox.certkit(&["apply", "--check"]).expect_code(2).complains(told);
    assert!(!sandbox.path("ca").exists());
    // Its turn has everything else.
    sandbox.certkit(&["apply"]).expect_code(2).complains("b.test");
    assert!(sandbox.path("a.pem").exists());
    sandbox.write("certkit.toml", other("b.lab.test"));
    sandbox.certkit(&["apply"]).expect_code(0);
}

#[cfg(unix)]
#[test]
fn a_file_without_a_key_is_not_said_to_hold_one() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = with_project();
    let said = |sandbox: &Sandbox| sandbox.certkit(&["apply", "--check", "--json"]).json().to_string();
    sandbox.write("ann-key.pem", "not yet\n");
    std::fs::set_permissions(sandbox.path("ann-key.pem"), std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(!said(&sandbox).contains("read by others"), "{}", said(&sandbox));
    std::fs::remove_file(sandbox.path("ann-key.pem")).unwrap();
    std::os::unix::fs::symlink("nowhere.pem", sandbox.path("ann-key.pem")).unwrap();
    assert!(!said(&sandbox).contains("read by others"), "{}", said(&sandbox));
}

#[test]
fn what_else_lies_in_a_certificates_file_is_not_lost() {
    let sandbox = with_project();
    apply(&sandbox);
    let parameters = "-----BEGIN DH PARAMETERS-----\nMAYCAQcCAQI=\n-----END DH PARAMETERS-----\n";
    sandbox.write("ann.pem", [sandbox.read("ann.pem"), parameters.into()].concat());
    let before = sandbox.read("ann.pem");
    apply(&sandbox);
    replace(&sandbox, "out = \"ann.pem\"", "days = 20\nout = \"ann.pem\"");
    sandbox.certkit(&["apply"]).expect_code(2).complains("ann.pem holds a ").complains("would be lost");
    assert_eq!(sandbox.read("ann.pem"), before);
}

#[cfg(unix)]
#[test]
fn several_at_once_issue_each_once() {
    let sandbox = with_project();
    let all = sandbox.shell("for i in 1 2 3 4 5 6; do certkit apply & done; wait").expect_code(0);
    assert_eq!(all.stdout.matches("issued certs/api.pem").count(), 1, "{all}");
    assert_eq!(all.stdout.matches("unchanged certs/api.pem").count(), 5, "{all}");
    let listed = sandbox.certkit(&["ca", "list", "--ca", "ca", "--json"]).expect_code(0);
    assert_eq!(listed.stdout.matches("\"serial\"").count(), 2, "{listed}");
    assert!(!sandbox.path(".certkit-batch").exists());
    // Who waits is told for what; a check changes nothing, and waits for nobody.
    let held = "touch .certkit-batch; flock .certkit-batch sleep 2 & sleep 0.5";
    let waited = sandbox.shell(&format!("{held}; certkit apply --check && certkit apply; code=$?; wait; exit $code"));
    waited.expect_code(0).complains("waiting for another run, which applies the project in .");
}

#[cfg(target_os = "linux")]
#[test]
fn a_check_tells_what_cannot_be_written() {
    let sandbox = with_project();
    sandbox.write("file", "notes");
    let project = sandbox.read("certkit.toml");
    for (from, to, said) in [
        ("out = \"ann.pem\"", "out = \"/proc/ann.pem\"", "cannot write /proc/ann.pem"),
        ("out = \"ann.pem\"", "out = \"/proc/a/ann.pem\"", "cannot make the folder /proc/a: /proc takes no files"),
        ("out = \"ann.pem\"", "out = \"ann.pem\"\nkeyout = \"/sys/ann.key\"", "/sys takes no files"),
        ("out = \"ann.pem\"", "out = \"file/ann.pem\"", "file is a file"),
        ("out = \"ann.pem\"", "out = \"certs\"", "below a file of the certificate on line 14"),
        ("folder = \"ca\"", "folder = \"file/ca\"", "file is a file"),
        ("folder = \"ca\"", "folder = \"/proc/ca\"", "/proc takes no files"),
    ] {
        sandbox.write("certkit.toml", &project);
        replace(&sandbox, from, to);
        let before = state(&sandbox);
        check(&sandbox, 2).complains(said);
        assert_eq!(state(&sandbox), before, "{to}");
        sandbox.certkit(&["apply"]).expect_code(2);
        for made in ["ca", "certs"] {
            _ = std::fs::remove_dir_all(sandbox.path(made));
        }
    }
    // A folder that may not be written to; root may.
    sandbox.write("certkit.toml", &project);
    sandbox.shell("mkdir certs && chmod 555 certs").expect_code(0);
    sandbox.files_for_nobody();
    if let Some(ran) = sandbox.unprivileged(&["apply", "--check"]) {
        ran.expect_code(2).complains("cannot write certs/api.pem: permission denied");
    }
}

#[test]
fn a_check_tells_of_a_key_that_was_destroyed() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--ca", "ca", "--intermediate", "--disposable-root"]).expect_code(0);
    let entry = "[[certificate]]\nnames = [\"a.test\"]\nout = \"a.pem\"\n";
    sandbox.write(
        "certkit.toml",
        format!("[[ca]]\nfolder = \"ca\"\nintermediate = \"issuing\"\n{entry}issuer = \"ca\"\n"),
    );
    for args in [&["apply", "--check"][..], &["apply"]] {
        let ran = sandbox.certkit(args).expect_code(2).complains("the key of ca was destroyed");
        assert!(ran.stderr.contains("issuer = \"issuing\"") && !ran.stderr.contains("--issuer"), "{ran}");
    }
}

#[test]
fn all_that_makes_no_sense_is_told_before_anything_is_done() {
    let sandbox = with_project();
    replace(&sandbox, "days = 3000", "days = \"3000\"");
    replace(&sandbox, "\"127.0.0.1\"]", "\"a..test\"]");
    replace(&sandbox, "profile = \"client\"", "profile = \"client\"\nrenew_before = \"9\"");
    let said = [
        "certkit.toml:6: days takes a whole number, not text, \"3000\": days = 30",
        "certkit.toml:8",
        "certkit.toml:14",
    ];
    refuses(&sandbox, &said);
    refuses(&sandbox, &["nothing was done: 3 faults in the project"]);
    // What other commands take as a flag is a key here.
    let sandbox = with_project();
    replace(&sandbox, "names = [\"api.test\", \"127.0.0.1\"]", "cn = \"My Server\"");
    let ran = sandbox.certkit(&["apply"]).expect_code(2);
    assert!(ran.stderr.contains("names = [\"localhost\"]") && !ran.stderr.contains("--"), "{ran}");
}
