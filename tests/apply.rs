//! `certkit apply`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use crate::support::{Ran, Sandbox};

const PROJECT: &str = r#"
[[ca]]
folder = "ca"
name = "Project CA"
key = "p384"
days = 3000

[[certificate]]
names = ["api.test", "127.0.0.1"]
days = 90
out = "certs/api.pem"
keyout = "certs/api.key"

[[certificate]]
cn = "Ann Example"
profile = "client"
out = "ann.pem"
"#;

pub(crate) fn with_project() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("certkit.toml", PROJECT);
    sandbox
}

pub(crate) fn apply(sandbox: &Sandbox) -> serde_json::Value {
    sandbox.certkit(&["apply", "--json"]).expect_code(0).json()
}

/// What was done about each certificate.
pub(crate) fn actions(applied: &serde_json::Value) -> Vec<&str> {
    applied["certificates"].as_array().unwrap().iter().map(|row| row["action"].as_str().unwrap()).collect()
}

pub(crate) fn check(sandbox: &Sandbox, code: i32) -> Ran {
    sandbox.certkit(&["apply", "--check", "--json"]).expect_code(code)
}

/// Every file of the project but the ledger's, with its time and contents.
pub(crate) fn state(sandbox: &Sandbox) -> BTreeMap<String, (SystemTime, Vec<u8>)> {
    fn walk(folder: &Path, found: &mut BTreeMap<String, (SystemTime, Vec<u8>)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if !path.to_string_lossy().contains("ledger") {
                let modified = path.metadata().unwrap().modified().unwrap();
                found.insert(path.to_string_lossy().into_owned(), (modified, std::fs::read(&path).unwrap()));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&sandbox.work(), &mut found);
    found
}

pub(crate) fn replace(sandbox: &Sandbox, from: &str, to: &str) {
    let text = String::from_utf8(sandbox.read("certkit.toml")).unwrap();
    assert!(text.contains(from), "{from}");
    sandbox.write("certkit.toml", text.replace(from, to));
}

#[test]
fn what_is_missing_is_made_and_a_second_run_touches_nothing() {
    let sandbox = with_project();
    let said = check(&sandbox, 1).json();
    assert_eq!((said["changes"].as_u64(), said["applied"].as_bool()), (Some(3), Some(false)));
    assert_eq!(sandbox.listing(), ["certkit.toml"], "a check makes nothing");
    assert_eq!(apply(&sandbox)["changes"], 3);
    let verify = ["verify", "certs/api.pem", "--host", "api.test", "--roots", "ca/ca.pem"];
    sandbox.certkit(&verify).expect_code(0);
    sandbox.certkit(&["key", "match", "certs/api.pem", "certs/api.key"]).expect_code(0);
    sandbox.certkit(&["key", "match", "ann.pem", "ann-key.pem"]).expect_code(0);
    #[cfg(unix)]
    assert_eq!((sandbox.mode("certs/api.key"), sandbox.mode("ann-key.pem")), (0o600, 0o600));

    let before = state(&sandbox);
    assert_eq!(apply(&sandbox)["changes"], 0);
    check(&sandbox, 0);
    assert_eq!(state(&sandbox), before);
}

#[test]
fn each_change_reissues_what_it_concerns_and_keeps_the_key() {
    for (from, to, why, key_stays) in [
        ("\"127.0.0.1\"", "\"www.test\"", "names", true),
        ("days = 90", "days = 91", "another time", true),
        ("names = [\"api", "subject = \"O=Example\"\nnames = [\"api", "subject", true),
        ("days = 90", "days = 90\nprofile = \"peer\"", "profile", true),
        ("days = 90", "days = 90\nkey = \"p384\"", "key is P-256", false),
    ] {
        let sandbox = with_project();
        apply(&sandbox);
        let before = state(&sandbox);
        replace(&sandbox, from, to);
        check(&sandbox, 1);
        let applied = apply(&sandbox);
        assert_eq!(actions(&applied), ["reissue", "none"], "{to}");
        let said = applied["certificates"][0]["why"].to_string();
        assert!(said.contains(why), "{to}: {said}");
        let after = state(&sandbox);
        let same = |name: &str| {
            let path = sandbox.path(name).to_string_lossy().into_owned();
            before[&path] == after[&path]
        };
        assert_eq!((same("certs/api.pem"), same("certs/api.key")), (false, key_stays), "{to}");
        assert!(same("ann.pem") && same("ann-key.pem") && same("ca/ca.pem"));
        sandbox.certkit(&["key", "match", "certs/api.pem", "certs/api.key"]).expect_code(0);
        check(&sandbox, 0);
    }
}

#[test]
fn what_ends_soon_is_renewed() {
    let sandbox = with_project();
    apply(&sandbox);
    replace(&sandbox, "days = 90", "days = 90\nrenew_before = \"89d23h\"");
    check(&sandbox, 0);
    replace(&sandbox, "89d23h", "89d23h58m");
    let at = |seconds: u64| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() + seconds;
        sandbox.command().args(["apply", "--json"]).env("SOURCE_DATE_EPOCH", now.to_string()).run()
    };
    let applied = at(0).expect_code(0).json();
    assert_eq!(actions(&applied), ["renew", "none"]);
    assert_eq!(applied["certificates"][0]["key_is_new"], false);
    // Without a word on it, a third of the time is left: 60 of 90 days are gone.
    replace(&sandbox, "renew_before = \"89d23h58m\"", "");
    assert_eq!(actions(&at(59 * 86_400).expect_code(0).json()), ["none", "none"]);
    assert_eq!(actions(&at(61 * 86_400).expect_code(0).json()), ["renew", "none"]);
}

#[test]
fn a_lost_file_and_a_foreign_certificate_are_made_good() {
    let sandbox = with_project();
    apply(&sandbox);
    std::fs::remove_file(sandbox.path("certs/api.key")).unwrap();
    std::fs::remove_file(sandbox.path("ann.pem")).unwrap();
    let key = sandbox.read("ann-key.pem");
    let applied = apply(&sandbox);
    assert_eq!(actions(&applied), ["reissue", "issue"]);
    assert_eq!(sandbox.read("ann-key.pem"), key, "a key that is there is used");
    check(&sandbox, 0);
    sandbox
        .certkit(&["new", "--cn", "api.test", "--out", "certs/api.pem", "--keyout", "x.pem", "--force"])
        .expect_code(0);
    assert_eq!(actions(&apply(&sandbox)), ["reissue", "none"]);
    sandbox.write("ann.pem", "notes");
    let refused = sandbox.certkit(&["apply"]).expect_code(2);
    assert!(refused.stderr.contains("certkit.toml:14") && refused.stderr.contains("ann.pem"), "{}", refused.stderr);
    assert_eq!(sandbox.read("ann.pem"), b"notes");
}

#[test]
fn a_project_that_cannot_be_meant_changes_nothing() {
    for (from, to, said) in [
        ("days = 90", "day = 90", "certkit.toml:10"),
        ("profile = \"client\"", "profile = \"nonesuch\"", "certkit.toml:14"),
        ("names = [\"api.test\"", "names = [\"api..test\"", "certkit.toml:8"),
        ("out = \"ann.pem\"", "out = \"certs/api.key\"", "certificate on line 8 too"),
        ("days = 90", "days = 90\nrenew_before = \"90d\"", "renewed each time"),
        ("profile = \"client\"", "profile = \"root-ca\"", "certkit.toml:14"),
    ] {
        let sandbox = with_project();
        replace(&sandbox, from, to);
        let refused = sandbox.certkit(&["apply"]).expect_code(2);
        assert!(refused.stderr.contains(said), "{said}: {}", refused.stderr);
        assert_eq!(sandbox.listing(), ["certkit.toml"], "{to}");
    }
    let sandbox = with_project();
    apply(&sandbox);
    replace(&sandbox, "Project CA", "Other CA");
    let refused = sandbox.certkit(&["apply"]).expect_code(2);
    assert!(refused.stderr.contains("CN=Project CA, not Other CA"), "{}", refused.stderr);
}

#[test]
fn a_profile_of_the_projects_own_is_kept_and_its_change_is_seen() {
    let sandbox = with_project();
    let server = sandbox.certkit(&["ca", "profiles", "--show", "server"]).expect_code(0).stdout;
    sandbox.write("own.toml", format!("{server}allowed_names = [\"dns:test\", \"ip:127.0.0.0/8\"]\n"));
    replace(&sandbox, "days = 90", "days = 90\nprofile = \"own.toml\"");
    apply(&sandbox);
    check(&sandbox, 0);
    sandbox.write("own.toml", format!("{server}crl = [\"http://ca.test/ca.crl\"]\n"));
    assert_eq!(actions(&apply(&sandbox)), ["reissue", "none"]);
    sandbox.write("own.toml", format!("{server}denied_names = [\"dns:api.test\"]\n"));
    let refused = sandbox.certkit(&["apply"]).expect_code(2);
    assert!(refused.stderr.contains("(denied_names)"), "{}", refused.stderr);
}

#[test]
fn a_ca_of_a_project_has_constraints_and_an_authority_below_it() {
    let sandbox = Sandbox::new();
    let project = |permit: &str| {
        format!(
            "[[ca]]\nfolder = \"ca\"\npermit = [{permit}]\nexclude = [\"evil.test\"]\nintermediate = \"issuing\"\n\n\
             [[certificate]]\nnames = [\"api.test\"]\nout = \"api.pem\"\n"
        )
    };
    sandbox.write("certkit.toml", project("\"test\", \"127.0.0.0/8\""));
    sandbox.certkit(&["apply"]).expect_code(0);
    assert_eq!(check(&sandbox, 0).json()["changes"], 0);
    let shown = sandbox.certkit(&["ca", "show", "--ca", "ca", "--json"]).expect_code(0).json();
    assert!(shown.to_string().contains("dns:evil.test"), "{shown}");
    let chain = sandbox.certkit(&["inspect", "api.pem", "--json"]).expect_code(0).json();
    assert_eq!(chain[0]["blocks"].as_array().unwrap().len(), 2, "the certificate and the authority that issued it");
    sandbox.certkit(&["ca", "issue", "a.evil.test", "--ca", "ca"]).expect_code(2).complains("evil.test");
    sandbox.write("certkit.toml", project("\"example\""));
    sandbox.certkit(&["apply"]).expect_code(2).complains("other name constraints");
    sandbox.write("certkit.toml", project("\"test\", \"127.0.0.0/8\"").replace("issuing", "other"));
    sandbox.certkit(&["apply"]).expect_code(2).complains("no authority other");
}

#[test]
fn one_file_may_hold_the_certificate_and_its_key() {
    let sandbox = with_project();
    replace(&sandbox, "certs/api.key", "./certs/../certs/api.pem");
    apply(&sandbox);
    #[cfg(unix)]
    assert_eq!(sandbox.mode("certs/api.pem"), 0o600);
    sandbox.certkit(&["key", "match", "certs/api.pem", "certs/api.pem"]).expect_code(0);
    let public = || sandbox.certkit(&["key", "public", "certs/api.pem"]).expect_code(0).stdout;
    let before = public();
    check(&sandbox, 0);
    replace(&sandbox, "days = 90", "days = 91");
    assert_eq!(actions(&apply(&sandbox)), ["reissue", "none"]);
    assert_eq!(public(), before);
    check(&sandbox, 0);
}

#[test]
fn a_missing_chain_is_completed_and_nothing_is_issued() {
    let sandbox = with_project();
    replace(&sandbox, "days = 3000", "intermediate = \"issuing\"");
    apply(&sandbox);
    let whole = String::from_utf8(sandbox.read("certs/api.pem")).unwrap();
    let end = whole.find("-----END CERTIFICATE-----\n").unwrap() + "-----END CERTIFICATE-----\n".len();
    let (alone, above) = whole.split_at(end);
    let root = String::from_utf8(sandbox.read("ca/ca.pem")).unwrap();
    for wrong in [alone.to_owned(), format!("{alone}{root}"), format!("{alone}{above}{root}")] {
        sandbox.write("certs/api.pem", wrong);
        assert_eq!(actions(&check(&sandbox, 1).json()), ["chain", "none"]);
        let applied = apply(&sandbox);
        assert_eq!(actions(&applied), ["chain", "none"]);
        assert!(applied["certificates"][0]["serial"].is_null(), "{applied}");
        assert_eq!(String::from_utf8(sandbox.read("certs/api.pem")).unwrap(), whole);
    }
    check(&sandbox, 0);
}

#[test]
fn a_key_that_is_compromised_is_not_certified_again() {
    for reason in ["keyCompromise", "cACompromise", "aACompromise", "superseded"] {
        for lost in [false, true] {
            let sandbox = with_project();
            apply(&sandbox);
            let key = sandbox.read("certs/api.key");
            let revoke = ["ca", "revoke", "--ca", "ca", "certs/api.pem", "--reason", reason];
            sandbox.certkit(&revoke).expect_code(0);
            if lost {
                std::fs::remove_file(sandbox.path("certs/api.pem")).unwrap();
            }
            check(&sandbox, 1);
            let applied = apply(&sandbox);
            assert_eq!(applied["certificates"][0]["key_is_new"], reason != "superseded", "{reason} {lost}: {applied}");
            assert_eq!(sandbox.read("certs/api.key") != key, reason != "superseded", "{reason} {lost}");
            sandbox.certkit(&["key", "match", "certs/api.pem", "certs/api.key"]).expect_code(0);
            check(&sandbox, 0);
        }
    }
    // The last certificate is sound, and an older one with its key is not.
    let sandbox = with_project();
    apply(&sandbox);
    std::fs::copy(sandbox.path("certs/api.pem"), sandbox.path("old.pem")).unwrap();
    replace(&sandbox, "days = 90", "days = 91");
    apply(&sandbox);
    sandbox.certkit(&["ca", "revoke", "--ca", "ca", "old.pem", "--reason", "keyCompromise"]).expect_code(0);
    let applied = apply(&sandbox);
    assert!(applied["certificates"][0]["why"].to_string().contains("compromised"), "{applied}");
    assert_eq!(applied["certificates"][0]["key_is_new"], true);
    // Nor does another authority of the CA certify it.
    let revoke = ["ca", "revoke", "--ca", "ca", "certs/api.pem", "--reason", "keyCompromise"];
    sandbox.certkit(&revoke).expect_code(0);
    sandbox.certkit(&["ca", "intermediate", "web", "--ca", "ca"]).expect_code(0);
    replace(&sandbox, "days = 91", "days = 91\nissuer = \"web\"");
    assert_eq!(apply(&sandbox)["certificates"][0]["key_is_new"], true);
    // Nor is it certified for other names.
    let sandbox = with_project();
    apply(&sandbox);
    std::fs::copy(sandbox.path("certs/api.key"), sandbox.path("copy.pem")).unwrap();
    sandbox.certkit(&["ca", "issue", "--ca", "ca", "copy.test", "--key", "copy.pem"]).expect_code(0);
    sandbox.certkit(&["ca", "revoke", "--ca", "ca", "copy.test", "--reason", "keyCompromise"]).expect_code(0);
    let applied = apply(&sandbox);
    assert!(applied["certificates"][0]["why"].to_string().contains("compromised"), "{applied}");
    assert_eq!(applied["certificates"][0]["key_is_new"], true);
}

#[test]
fn what_is_on_hold_is_left_alone() {
    let sandbox = with_project();
    apply(&sandbox);
    sandbox.certkit(&["ca", "revoke", "--ca", "ca", "--hold", "certs/api.pem"]).expect_code(0);
    let held = sandbox.read("certs/api.pem");
    let before = state(&sandbox);
    let said = check(&sandbox, 0).json();
    assert_eq!((actions(&said), said["changes"].as_u64()), (vec!["hold", "none"], Some(0)));
    replace(&sandbox, "days = 90", "days = 91");
    sandbox.certkit(&["apply"]).expect_code(0).says("left alone certs/api.pem: its certificate is on hold");
    replace(&sandbox, "days = 91", "days = 90");
    assert_eq!(state(&sandbox).len(), before.len());
    // Nor is its key certified where the certificate is lost.
    std::fs::remove_file(sandbox.path("certs/api.pem")).unwrap();
    assert_eq!(actions(&apply(&sandbox)), ["hold", "none"]);
    // Nor is there a new one with a new key where that is lost too.
    let key = sandbox.read("certs/api.key");
    std::fs::remove_file(sandbox.path("certs/api.key")).unwrap();
    assert_eq!(actions(&apply(&sandbox)), ["hold", "none"]);
    assert!(!sandbox.path("certs/api.pem").exists());
    sandbox.write("certs/api.key", key);
    sandbox.write("certs/api.pem", held);
    sandbox.certkit(&["ca", "revoke", "--ca", "ca", "--release", "certs/api.pem"]).expect_code(0);
    assert_eq!(actions(&check(&sandbox, 0).json()), ["none", "none"]);
}

#[test]
fn cas_with_and_without_a_passphrase_sign_in_one_run() {
    let sandbox = Sandbox::new();
    let entry = |name: &str, ca: &str, issuer: &str| {
        format!("[[certificate]]\nnames = [\"{name}.test\"]\nout = \"{name}.pem\"\nca = \"{ca}\"\n{issuer}\n")
    };
    let authorities = "[[ca]]\nfolder = \"plain\"\n\n[[ca]]\nfolder = \"locked\"\nintermediate = \"issuing\"\n\n";
    sandbox.write("certkit.toml", authorities);
    sandbox.certkit(&["apply"]).expect_code(0);
    let run = |args: &[&str]| sandbox.command().args(args).env("P", "secret").env("Q", "wrong").run();
    std::fs::rename(sandbox.path("locked/ca-key.pem"), sandbox.path("root.pem")).unwrap();
    let toml = String::from_utf8(sandbox.read("locked/ca.toml")).unwrap();
    sandbox.write("locked/ca.toml", format!("{toml}\n[keys]\nca = {{ set_aside = \"root.pem\" }}\n"));
    let all = [entry("a", "plain", ""), entry("b", "locked", ""), entry("c", "locked", "issuer = \"ca\"")].concat();
    sandbox.write("certkit.toml", format!("{authorities}{all}"));

    let idle = run(&["apply", "--ca-key", "root.pem", "--ca-passphrase", "env:P"]).expect_code(2);
    assert!(idle.stderr.contains("--ca-passphrase has no effect"), "{}", idle.stderr);
    assert!(!sandbox.path("a.pem").exists());
    run(&["ca", "passphrase", "--ca", "locked", "--new-passphrase", "env:P"]).expect_code(0);
    run(&["key", "new", "--out", "x-key.pem"]).expect_code(0);
    run(&["apply", "--ca-key", "x-key.pem"]).expect_code(2).complains("the key of none of the CAs");
    // Neither key can be had for two of them: the third is issued all the same.
    let part = run(&["apply", "--json", "--ca-passphrase", "env:Q"]).expect_code(2);
    assert_eq!(actions(&part.json()), ["issue", "fail", "fail"], "{}", part.stderr);
    assert!(part.stderr.contains("was set aside") && part.stderr.contains("issuer = \"issuing\""), "{}", part.stderr);
    assert!(!part.stderr.contains("--issuer"), "{}", part.stderr);
    run(&["apply", "--check"]).expect_code(1);
    let rest = run(&["apply", "--json", "--ca-key", "root.pem", "--ca-passphrase", "env:P"]).expect_code(0).json();
    assert_eq!(actions(&rest), ["none", "issue", "issue"]);
    run(&["apply", "--check"]).expect_code(0);
}

#[test]
fn a_key_under_a_passphrase_stays_under_it() {
    let sandbox = with_project();
    replace(&sandbox, "days = 90", "days = 90\nrekey = true");
    apply(&sandbox);
    let run = |args: &[&str]| sandbox.command().args(args).env("P", "secret").run();
    let convert = ["key", "convert", "certs/api.key", "--out", "certs/api.key", "--force", "--encrypt"];
    run(&[&convert[..], &["--new-passphrase", "env:P"]].concat()).expect_code(0);
    check(&sandbox, 0);
    let encrypted = sandbox.read("certs/api.key");
    for remove in [false, true] {
        if remove {
            std::fs::remove_file(sandbox.path("certs/api.pem")).unwrap();
        } else {
            replace(&sandbox, "days = 90", "days = 91");
        }
        let before = sandbox.read("certs/api.key");
        run(&["apply"]).expect_code(2).complains("--passphrase");
        assert_eq!(sandbox.read("certs/api.key"), before);
        let applied = run(&["apply", "--json", "--passphrase", "env:P"]).expect_code(0).json();
        assert_eq!(applied["certificates"][0]["key_is_new"], true);
        let now = String::from_utf8(sandbox.read("certs/api.key")).unwrap();
        assert!(now.contains("ENCRYPTED PRIVATE KEY") && now.as_bytes() != encrypted);
        run(&["key", "show", "certs/api.key", "--passphrase", "env:P"]).expect_code(0);
        check(&sandbox, 0);
    }
    replace(&sandbox, "cn = \"Ann Example\"", "cn = \"Ann Other\"");
    std::fs::remove_file(sandbox.path("certs/api.key")).unwrap();
    run(&["apply", "--passphrase", "env:P"]).expect_code(2).complains("--passphrase has no effect");
}

#[test]
fn what_a_clock_that_was_ahead_made_is_issued_again() {
    let sandbox = with_project();
    apply(&sandbox);
    for (ahead, wanted) in [(240, "none"), (20 * 86_400, "reissue")] {
        std::fs::remove_file(sandbox.path("certs/api.pem")).unwrap();
        let then = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() + ahead;
        sandbox.command().args(["apply"]).env("SOURCE_DATE_EPOCH", then.to_string()).expect_code(0);
        let applied = apply(&sandbox);
        assert_eq!(actions(&applied), [wanted, "none"], "{ahead}: {applied}");
        let told = applied["certificates"][0]["why"].to_string();
        assert_eq!(told.contains("it is not valid before 2"), wanted == "reissue", "{told}");
    }
    let verify = ["verify", "certs/api.pem", "--host", "api.test", "--roots", "ca/ca.pem"];
    sandbox.certkit(&verify).expect_code(0);
    check(&sandbox, 0);
}

#[test]
fn what_is_cut_to_its_cas_end_and_what_clients_mind_is_told() {
    let sandbox = with_project();
    replace(&sandbox, "days = 90", "days = 999999");
    let ran = sandbox.certkit(&["apply"]).expect_code(0);
    ran.says("shortened: it expires with its CA, not at 47").says("Apple");
    std::fs::remove_file(sandbox.path("certs/api.pem")).unwrap();
    let applied = apply(&sandbox);
    let row = &applied["certificates"][0];
    assert!(row["shortened_from"].as_str().unwrap().starts_with("47"), "{row}");
    assert!(row["objections"].to_string().contains("Apple"), "{row}");
    check(&sandbox, 0);
}

#[test]
fn a_key_that_another_one_replaced_is_told_and_so_is_one_that_others_may_read() {
    let sandbox = with_project();
    apply(&sandbox);
    std::fs::copy(sandbox.path("certs/api.key"), sandbox.path("ann-key.pem")).unwrap();
    let said = check(&sandbox, 1).json();
    assert_eq!(said["certificates"][1]["why"].to_string(), "[\"another key lies in the place of its own\"]");
    let applied = apply(&sandbox);
    let row = &applied["certificates"][1];
    let told = "certified the key in ann-key.pem, which is another than the certificate's";
    assert!(row["why"].to_string().contains(told) && row["key_is_new"] == false, "{row}");
    std::fs::remove_file(sandbox.path("ann-key.pem")).unwrap();
    let applied = apply(&sandbox);
    let row = &applied["certificates"][1];
    assert_eq!((row["why"].to_string().as_str(), &row["key_is_new"]), ("[\"its key is missing\"]", &true.into()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(sandbox.path("ann-key.pem"), std::fs::Permissions::from_mode(0o644)).unwrap();
        let said = check(&sandbox, 0).json();
        let warned = "ann-key.pem holds a key and may be read by others: chmod 600 ann-key.pem";
        assert_eq!(said["certificates"][1]["warnings"][0], warned);
        assert_eq!(said["certificates"][0]["warnings"], serde_json::Value::Null);
        sandbox.certkit(&["apply", "--check"]).expect_code(0).says(&format!("warning: {warned}"));
    }
}
