//! `certkit ca` with more than one authority.

use std::fs;

use crate::support::{Ran, Sandbox, peer};

pub(crate) fn two_tiers(more: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    let args = [&["ca", "init", "--name", "Example Root CA", "--intermediate"], more].concat();
    sandbox.certkit(&args).expect_code(0);
    sandbox
}

fn in_ca(sandbox: &Sandbox) -> Vec<String> {
    let entries = fs::read_dir(sandbox.ca()).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !name.starts_with("ledger"));
    names.sort();
    names
}

fn subjects(sandbox: &Sandbox, file: &str) -> Vec<String> {
    let shown = sandbox.certkit(&["inspect", file, "--json"]).expect_code(0).json();
    let blocks = shown[0]["blocks"].as_array().unwrap();
    blocks.iter().map(|block| block["subject"].as_str().unwrap().to_owned()).collect()
}

fn verify(sandbox: &Sandbox, file: &str, host: &str, root: &str) -> Ran {
    sandbox.certkit(&["verify", file, "--host", host, "--roots", root])
}

#[test]
fn of_two_tiers_the_lower_one_signs_and_the_root_is_not_sent() {
    let sandbox = two_tiers(&[]);
    assert_eq!(in_ca(&sandbox), ["ca-key.pem", "ca.pem", "ca.toml", "issuing-key.pem", "issuing.pem"]);
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0).says("CN=Example Issuing CA");
    assert_eq!(subjects(&sandbox, "a.test.pem"), ["CN=a.test", "CN=Example Issuing CA"]);
    let root = sandbox.ca().join("ca.pem");
    verify(&sandbox, "a.test.pem", "a.test", root.to_str().unwrap()).expect_code(0);
    verify(&sandbox, "a.test.pem", "b.test", root.to_str().unwrap()).expect_code(1);
    // The root still signs where it is asked to.
    sandbox.certkit(&["ca", "issue", "b.test", "--issuer", "ca"]).expect_code(0);
    assert_eq!(subjects(&sandbox, "b.test.pem"), ["CN=b.test"]);
    sandbox.certkit(&["ca", "list"]).expect_code(0).says("a.test");
    sandbox.certkit(&["ca", "list", "--issuer", "ca"]).expect_code(0).says("b.test").says("Example Issuing CA");
}

#[test]
fn what_any_authority_has_issued_is_found_and_the_right_one_acts() {
    let sandbox = two_tiers(&[]);
    sandbox.certkit(&["ca", "intermediate", "web"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "b.test", "--issuer", "web"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "c.test"]).expect_code(0);
    let listed = |args: &[&str]| -> Vec<(String, String)> {
        let said = sandbox.certkit(&[&["ca", "list", "--json"], args].concat()).expect_code(0).json();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let rows = said["certificates"].as_array().unwrap().iter();
        rows.map(|row| (text(&row["authority"]), text(&row["serial"]))).collect()
    };
    let authorities = |args: &[&str]| listed(args).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    // In the order in which they were issued, whoever did.
    assert_eq!(authorities(&["--all"]), ["ca", "ca", "issuing", "web", "issuing"]);
    assert_eq!(authorities(&[]), ["issuing", "issuing"]);
    assert_eq!(authorities(&["--all", "--name", "b.test"]), ["web"]);
    let said = sandbox.certkit(&["ca", "list", "--all"]).expect_code(0);
    assert!(said.stdout.lines().any(|line| line.starts_with("web  ") && line.contains("b.test")), "{said}");
    // In parts, and together the same.
    let all = listed(&["--all"]);
    let mut parts = listed(&["--all", "--limit", "2"]);
    while parts.len() < all.len() {
        let (_, last) = parts.last().unwrap().clone();
        let next = listed(&["--all", "--limit", "2", "--after", &last]);
        assert!(!next.is_empty() && next.len() <= 2);
        parts.extend(next);
    }
    assert_eq!(parts, all);
    sandbox.certkit(&["ca", "list", "--all", "--issuer", "web"]).expect_code(2).complains("--issuer has no effect");
    sandbox.certkit(&["ca", "list", "--all", "--name", "x.test"]).expect_code(0).says("no authority has issued");

    let (_, serial) = all[3].clone();
    let shown = sandbox.certkit(&["ca", "show", &serial, "--json"]).expect_code(0).json();
    assert_eq!(shown["record"]["authority"], "web");
    sandbox.certkit(&["ca", "show", &serial, "--issuer", "issuing"]).expect_code(2);
    sandbox.certkit(&["ca", "export", "b.test", "--out", "b.again.pem"]).expect_code(0);
    sandbox.certkit(&["ca", "renew", &serial]).expect_code(0).says("CN=Example Web CA");
    assert_eq!(authorities(&["--all", "--name", "b.test"]), ["web", "web"]);
    // Each authority has lists of its own, so what is to be done next names it.
    let refused = sandbox.certkit(&["ca", "revoke", "a.test", &serial]).expect_code(2);
    refused.complains("web has issued it, and issuing has issued a.test");
    assert_eq!(listed(&["--all", "--revoked"]), []);
    sandbox.certkit(&["ca", "revoke", &serial]).expect_code(0).says("certkit ca crl --issuer web");
    sandbox.certkit(&["ca", "revoke", "a.test"]).expect_code(0).says("certkit ca crl`");
    assert_eq!(authorities(&["--all", "--revoked"]), ["issuing", "web"]);
    sandbox.certkit(&["ca", "crl", "--issuer", "web"]).expect_code(0);
    sandbox.certkit(&["ca", "renew", &serial]).expect_code(2).complains("is revoked").complains("--issuer web");
}

#[cfg(unix)]
#[test]
fn the_roots_key_lies_where_it_was_put_and_nowhere_else() {
    let sandbox = two_tiers(&["--root-key-out", "stick.pem"]);
    assert_eq!(in_ca(&sandbox), ["ca.pem", "ca.toml", "issuing-key.pem", "issuing.pem"]);
    assert_eq!(sandbox.mode("stick.pem"), 0o600);
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    let absent = sandbox.certkit(&["ca", "intermediate", "web"]).expect_code(2);
    absent.complains("the key of ca was set aside").complains("stick.pem");
    sandbox.certkit(&["ca", "intermediate", "web", "--ca-key", "issuing.pem"]).expect_code(2);
    sandbox.certkit(&["ca", "intermediate", "web", "--ca-key", "stick.pem"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "b.test", "--issuer", "web"]).expect_code(0).says("CN=Example Web CA");
    let inside = ["ca", "init", "--intermediate", "--root-key-out", "x/root.pem", "--ca", "x"];
    sandbox.certkit(&inside).expect_code(2).complains("in the CA's folder");
}

#[cfg(unix)]
#[test]
fn a_roots_key_that_reaches_nobody_makes_no_ca() {
    let sandbox = Sandbox::new();
    for (line, why) in [
        ("certkit ca init --intermediate --root-key-out - >&-", "stdout: it is closed"),
        ("certkit ca init --intermediate --root-key-out - >/dev/null", "nobody would have the key"),
        ("certkit ca init --intermediate --root-key-out /dev/null", "nobody would have the key"),
        ("certkit ca init --intermediate --root-key-out - >/dev/full", "no space left"),
        ("exec 3> >(true); sleep 1; certkit ca init --intermediate --root-key-out - >&3", "its reader has left"),
        ("exec 3> >(true); sleep 1; certkit ca init --intermediate --root-key-out /dev/fd/3", "cannot write /dev/fd/3"),
        ("certkit new b.test --out b.pem --keyout - >/dev/null", "nobody would have the key"),
        ("certkit key new --out - >&-", "stdout: it is closed"),
    ] {
        sandbox.shell(line).expect_code(2).complains(why);
        assert!(!sandbox.ca().exists(), "{line}");
        assert!(sandbox.listing().is_empty(), "{line}");
    }
    sandbox.shell("certkit ca init --intermediate --root-key-out - | cat >stick.pem").expect_code(0);
    let told = fs::read_to_string(sandbox.ca().join("ca.toml")).unwrap();
    assert!(told.contains("ca = { set_aside = \"\" }"), "{told}");
    sandbox.certkit(&["ca", "intermediate", "web", "--ca-key", "stick.pem"]).expect_code(0);
}

#[test]
fn a_disposable_roots_key_is_never_written() {
    let sandbox = two_tiers(&["--disposable-root"]);
    assert_eq!(in_ca(&sandbox), ["ca.pem", "ca.toml", "issuing-key.pem", "issuing.pem"]);
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    let gone = sandbox.certkit(&["ca", "issue", "b.test", "--issuer", "ca"]).expect_code(2);
    gone.complains("was destroyed").complains("--issuer issuing");
    let shown = sandbox.certkit(&["ca", "show", "--json"]).expect_code(0).json();
    assert_eq!(shown["authorities"][0]["key_is"], "destroyed");
    assert!(shown["authorities"][0]["key"].is_null());
}

#[test]
fn flags_for_a_second_tier_need_one() {
    let sandbox = Sandbox::new();
    for more in [&["--disposable-root"][..], &["--root-key-out", "k.pem"], &["--intermediate", "--issuer", "x"]] {
        sandbox.certkit(&[&["ca", "init"], more].concat()).expect_code(2);
    }
    let both = ["ca", "init", "--intermediate", "--disposable-root", "--root-key-out", "k.pem"];
    sandbox.certkit(&both).expect_code(2);
    sandbox.certkit(&["ca", "init", "--intermediate", "ca"]).expect_code(2).complains("the root is called ca");
    assert!(!sandbox.ca().exists());
}

#[test]
fn a_revocation_that_nobody_can_sign_is_told_at_once() {
    let sandbox = two_tiers(&["--disposable-root"]);
    let issuing = sandbox.ca().join("issuing.pem");
    let ran = sandbox.certkit(&["ca", "revoke", issuing.to_str().unwrap()]).expect_code(0);
    let ran =
        ran.says("the key of ca was destroyed, so nobody can sign a list that says so").says("out of the trust stores");
    assert!(!ran.stdout.contains("certkit ca crl") && !ran.stdout.contains("certkit ca ocsp"), "{ran}");
    // What the authority below it has issued is another matter.
    let sandbox = two_tiers(&["--disposable-root"]);
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    sandbox.certkit(&["ca", "revoke", "a.test"]).expect_code(0).says("sign a list with `certkit ca crl`");
}

#[test]
fn an_interrupted_init_of_two_tiers_is_half_a_ca() {
    let sandbox = two_tiers(&["--disposable-root"]);
    fs::remove_file(sandbox.ca().join("ca.pem")).unwrap();
    for command in [&["ca", "issue", "a.test"][..], &["ca", "init"]] {
        sandbox.certkit(command).expect_code(2).complains("ca.toml is there and ca.pem is not");
    }
}

#[test]
fn what_a_folder_said_before_is_kept() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.ca()).unwrap();
    fs::write(sandbox.ca().join("ca.toml"), "# ours alone\n").unwrap();
    sandbox.certkit(&["ca", "init", "--intermediate"]).expect_code(0);
    let text = fs::read_to_string(sandbox.ca().join("ca.toml")).unwrap();
    assert!(text.contains("# ours alone\n") && text.contains("issuer = \"issuing\""), "{text}");
}

#[test]
fn no_authority_is_made_whose_permitted_names_are_all_excluded() {
    let sandbox = Sandbox::new();
    let init = |args: &str| sandbox.certkit(&["ca", "init"].into_iter().chain(args.split(' ')).collect::<Vec<_>>());
    for (args, vain) in [
        ("--permit a.test --exclude a.test", "dns:a.test is permitted in vain: dns:a.test is excluded"),
        ("--permit x.a.test --permit b.test --exclude a.test", "dns:x.a.test is permitted in vain"),
        ("--permit uri:.a.test --exclude uri:.a.test", "uri:.a.test is permitted in vain"),
        ("--permit 10.1.0.0/16 --exclude 10.0.0.0/8", "ip:10.1.0.0/16 is permitted in vain"),
        ("--permit email:x@a.test --exclude @a.test", "email:x@a.test is permitted in vain"),
    ] {
        init(args).expect_code(2).complains(vain).complains("exclude less");
        assert!(!sandbox.ca().join("ca.pem").exists());
    }
    init("--permit test --permit 10.0.0.0/8 --exclude x.test --exclude 10.1.0.0/16").expect_code(0);
    let below = |args: &[&str]| sandbox.certkit(&[&["ca", "intermediate"], args].concat());
    below(&["a", "--permit", "a.test", "--exclude", "a.test"])
        .expect_code(2)
        .complains("dns:a.test is permitted in vain");
    // What it is permitted is what its issuer is.
    let all = below(&["a", "--exclude", "test", "--exclude", "10.0.0.0/7"]).expect_code(2);
    all.complains("could certify no name").complains("only dns:test or ip:10.0.0.0/8");
    below(&["a", "--exclude", "test"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "10.2.0.1", "--issuer", "a"]).expect_code(0);
}

#[test]
fn no_authority_gets_more_than_the_one_above_it_has() {
    let sandbox = Sandbox::new();
    let permit = ["--permit", "test", "--permit", "10.0.0.0/8"];
    sandbox.certkit(&[&["ca", "init", "--days", "100"], &permit[..]].concat()).expect_code(0);
    let below = |args: &[&str]| sandbox.certkit(&[&["ca", "intermediate"], args].concat());
    below(&["a", "--permit", "example.com"]).expect_code(2).complains("permitted less than dns:example.com");
    below(&["a", "--permit", "10.0.0.0/7"]).expect_code(2).complains("permitted less than ip:10.0.0.0/7");
    below(&["a", "--permit", "fd00::/8"]).expect_code(2).complains("permitted less than ip:fd00::/8");
    below(&["a", "--permit", "lab.test", "--path-len", "1"]).expect_code(0).says("dns:lab.test and nothing else");
    let made = below(&["b", "--days", "365", "--json"]).expect_code(0).json();
    assert!(made["shortened_from"].is_string(), "an authority ends with the one above it");
    let inherited = made["authority"]["permitted"].as_array().unwrap();
    assert!(inherited.iter().any(|subtree| subtree == "dns:test"), "the constraints above are its own too");
    // One level further down.
    let further = |args: &[&str]| below(&[args, &["--issuer", "a"]].concat());
    further(&["c", "--path-len", "1"]).expect_code(2).complains("--path-len 0 or less");
    further(&["c", "--permit", "other.test"]).expect_code(2).complains("permitted less");
    further(&["c"]).expect_code(0);
    below(&["d", "--issuer", "c"]).expect_code(2).complains("may not have another CA");
    sandbox.certkit(&["ca", "issue", "x.lab.test", "--issuer", "c"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "x.test", "--issuer", "c"]).expect_code(2).complains("only dns:lab.test");
    assert_eq!(subjects(&sandbox, "x.lab.test.pem").len(), 3, "two authorities lie between");
    let taken = below(&["a"]).expect_code(2).complains("exists already").complains("choose another name");
    assert!(!taken.stderr.contains("--force"), "{taken}");
    below(&["ca"]).expect_code(2).complains("first authority");
    below(&["A.b"]).expect_code(2);
    below(&["e", "--policy", "1.x"]).expect_code(2);
    below(&["e", "--profile", "server"]).expect_code(2).complains("makes no CA");
}

#[test]
fn an_authority_has_no_policy_that_is_valid_for_nothing_below_its_issuer() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init"]).expect_code(0);
    let below = |args: &[&str]| sandbox.certkit(&[&["ca", "intermediate", "--json"], args].concat());
    below(&["a", "--path-len", "2", "--policy", "2.23.140.1.2.1"]).expect_code(0);
    below(&["b", "--issuer", "a", "--policy", "1.2.3.4"])
        .expect_code(2)
        .complains("1.2.3.4 would be valid for nothing");
    // Without --policy it has those of its issuer, and its certificates are valid for them.
    below(&["c", "--issuer", "a", "--path-len", "1"]).expect_code(0);
    below(&["d", "--issuer", "c", "--policy", "2.23.140.1.2.1"]).expect_code(0);
    let server = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/server.toml")).unwrap();
    sandbox.write("own.toml", format!("{server}\npolicies = [{{ oid = \"2.23.140.1.2.1\" }}]\n"));
    sandbox.certkit(&["ca", "issue", "a.test", "--issuer", "d", "--profile", "own.toml"]).expect_code(0);
    let root = sandbox.ca().join("ca.pem");
    let require = ["--no-host", "--roots", root.to_str().unwrap(), "--require-policy", "2.23.140.1.2.1"];
    sandbox.certkit(&[&["verify", "a.test.pem"][..], &require].concat()).expect_code(0);
    // An authority without policies is for none.
    below(&["plain", "--path-len", "1"]).expect_code(0);
    below(&["e", "--issuer", "plain", "--policy", "1.2.3.4"]).expect_code(2).complains("which has none");
}

#[test]
fn the_constraints_of_every_authority_above_bind() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--permit", "test"]).expect_code(0);
    sandbox.certkit(&["ca", "intermediate", "a"]).expect_code(0);
    // As if it had been made elsewhere, without constraints of its own.
    let request = ["csr", "new", "--profile", "intermediate-ca", "--cn", "B", "--out", "b.csr", "--keyout", "b.key"];
    sandbox.certkit(&request).expect_code(0);
    let shown = sandbox.certkit(&["ca", "intermediate", "--csr", "b.csr", "--json"]).expect_code(0).json();
    assert_eq!(shown["certificate_file"], "b.pem");
    assert_eq!(subjects(&sandbox, "b.pem").len(), 2);
    sandbox.certkit(&["ca", "issue", "example.com", "--issuer", "a"]).expect_code(2).complains("only dns:test");
}

#[test]
fn an_authority_whose_key_is_elsewhere_is_certified_from_its_request() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--name", "Root"]).expect_code(0);
    let request =
        ["csr", "new", "--profile", "intermediate-ca", "--cn", "Branch", "--out", "b.csr", "--keyout", "b.key"];
    sandbox.certkit(&request).expect_code(0);
    sandbox.certkit(&["ca", "intermediate", "--csr", "b.csr", "--encrypt"]).expect_code(2);
    sandbox.certkit(&["ca", "intermediate", "web", "--csr", "b.csr"]).expect_code(2);
    sandbox.certkit(&["ca", "intermediate", "--csr", "b.csr", "--days", "30"]).expect_code(0).says("CN=Branch");
    sandbox.certkit(&["key", "match", "b.pem", "b.key"]).expect_code(0);
    assert_eq!(in_ca(&sandbox), ["ca-key.pem", "ca.pem"]);
    sandbox.certkit(&["ca", "list"]).expect_code(0).says("CN=Branch").says("intermediate-ca");
    let own = ["csr", "new", "--cn", "Own", "--profile", "intermediate-ca", "--out", "own.csr", "--key"];
    let key = sandbox.ca().join("ca-key.pem");
    sandbox.certkit(&[&own[..], &[key.to_str().unwrap()]].concat()).expect_code(0);
    sandbox.certkit(&["ca", "intermediate", "--csr", "own.csr"]).expect_code(1).says("the CA's own");
    let refused = sandbox.certkit(&["ca", "issue", "a.test", "--key", key.to_str().unwrap()]).expect_code(2);
    refused.complains("the key is the CA's own").complains("leave --key out, and a new key is made");
}

#[test]
fn a_cross_certificate_takes_the_place_of_the_other_cas_own() {
    let sandbox = Sandbox::new();
    for (ca, name) in [("one", "One"), ("other", "Other")] {
        sandbox.certkit(&["ca", "init", "--ca", ca, "--name", name]).expect_code(0);
    }
    sandbox.certkit(&["ca", "issue", "a.test", "--ca", "other"]).expect_code(0);
    verify(&sandbox, "a.test.pem", "a.test", "one/ca.pem").expect_code(1);
    let cross = ["ca", "cross-sign", "other/ca.pem", "--ca", "one", "--permit", "a.test", "--out", "cross.pem"];
    let made = sandbox.certkit(&[&cross[..], &["--json"]].concat()).expect_code(0).json();
    assert_eq!((made["subject"].as_str(), made["issuer"].as_str()), (Some("CN=Other"), Some("CN=One")));
    // What only closes a form of names is none that is permitted.
    let said = sandbox.certkit(&[&cross[..], &["--force"]].concat()).expect_code(0);
    said.says("dns:a.test and nothing else");
    let through = ["verify", "a.test.pem", "--host", "a.test", "--roots", "one/ca.pem", "--intermediates", "cross.pem"];
    sandbox.certkit(&through).expect_code(0);
    sandbox.certkit(&["ca", "issue", "b.test", "--ca", "other"]).expect_code(0);
    let beyond = ["verify", "b.test.pem", "--host", "b.test", "--roots", "one/ca.pem", "--intermediates", "cross.pem"];
    sandbox.certkit(&beyond).expect_code(1).says("b.test");
    sandbox.certkit(&["ca", "cross-sign", "a.test.pem", "--ca", "one"]).expect_code(1).says("no CA's certificate");
    sandbox.certkit(&["ca", "cross-sign", "one/ca.pem", "--ca", "one"]).expect_code(1).says("own");
    sandbox.certkit(&["ca", "list", "--ca", "one"]).expect_code(0).says("CN=Other");
    // The other CA's own end is the last one.
    sandbox.certkit(&["ca", "init", "--ca", "short", "--name", "Short", "--days", "30"]).expect_code(0);
    let long = ["ca", "cross-sign", "short/ca.pem", "--ca", "one", "--days", "90", "--json"];
    assert!(sandbox.certkit(&long).expect_code(0).json()["shortened_from"].is_string());
}

#[test]
fn a_passphrase_is_put_changed_and_taken_away() {
    let sandbox = two_tiers(&[]);
    let run = |args: &[&str]| sandbox.command().args(args).env("ONE", "one").env("TWO", "two").run();
    let change = |args: &[&str]| run(&[&["ca", "passphrase"], args].concat());
    let key = || fs::read_to_string(sandbox.ca().join("issuing-key.pem")).unwrap();
    change(&["--remove"]).expect_code(2).complains("under no passphrase");
    change(&["--new-passphrase", "env:ONE"]).expect_code(0).says("issuing-key.pem");
    assert!(key().starts_with("-----BEGIN ENCRYPTED"));
    run(&["ca", "issue", "a.test", "--ca-passphrase", "env:TWO"]).expect_code(2).complains("does not open the key");
    let before = key();
    change(&["--ca-passphrase", "env:TWO", "--new-passphrase", "env:TWO"]).expect_code(2).complains("does not open");
    assert_eq!(key(), before);
    change(&["--ca-passphrase", "env:ONE", "--new-passphrase", "env:TWO"]).expect_code(0).says("changed");
    run(&["ca", "issue", "a.test", "--ca-passphrase", "env:TWO"]).expect_code(0);
    change(&["--ca-passphrase", "env:TWO", "--remove"]).expect_code(0);
    let audit = run(&["ca", "audit", "--json"]).expect_code(0).stdout;
    let lines = audit.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let told: Vec<String> = lines
        .filter(|line| line["what"] == "passphrase")
        .map(|line| line["detail"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(told, ["set", "changed", "removed"]);
    run(&["ca", "check"]).expect_code(0);
    run(&["ca", "issue", "b.test"]).expect_code(0);
    // Another authority's key is none of this one's business.
    let foreign = sandbox.ca().join("ca-key.pem");
    let wrong = ["--ca-key", foreign.to_str().unwrap(), "--new-passphrase", "env:ONE"];
    change(&wrong).expect_code(2).complains("is not the key of issuing");
    change(&["--issuer", "ca", "--new-passphrase", "env:ONE"]).expect_code(0);
    let shown = sandbox.certkit(&["ca", "show", "--json"]).expect_code(0).json();
    let keys: Vec<&str> =
        shown["authorities"].as_array().unwrap().iter().map(|it| it["key_is"].as_str().unwrap()).collect();
    assert_eq!(keys, ["encrypted", "plain"]);
}

#[test]
fn every_authority_is_shown_below_the_one_that_certified_it() {
    let sandbox = two_tiers(&[]);
    sandbox.certkit(&["ca", "intermediate", "deep", "--path-len", "1"]).expect_code(0);
    sandbox.certkit(&["ca", "intermediate", "deeper", "--issuer", "deep"]).expect_code(0);
    // A certificate that was issued is no authority, wherever it lies.
    let stray = sandbox.ca().join("stray.pem");
    sandbox.certkit(&["ca", "issue", "a.test", "--out", stray.to_str().unwrap()]).expect_code(0);
    let shown = sandbox.certkit(&["ca", "show", "--json"]).expect_code(0).json();
    let rows: Vec<String> = shown["authorities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| format!("{} {} {} {}", it["name"], it["below"], it["signs_by_default"], it["issued"]))
        .collect();
    let expected =
        [r#""ca" null false 2"#, r#""deep" "ca" false 1"#, r#""deeper" "deep" false 0"#, r#""issuing" "ca" true 1"#];
    assert_eq!(rows, expected);
    sandbox.certkit(&["ca", "show"]).expect_code(0).says("    deeper").says("signs by default");
}

#[test]
fn what_another_authority_of_the_ca_issued_is_shown_too() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--intermediate"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "old.test", "--issuer", "ca"]).expect_code(0);
    let shown = sandbox.certkit(&["ca", "show", "old.test", "--json"]).expect_code(0).json();
    assert_eq!(shown["record"]["subject"], "CN=old.test");
    sandbox.certkit(&["ca", "show", "old.test", "--issuer", "issuing"]).expect_code(2).complains("no certificate");
    sandbox.certkit(&["ca", "show", "none.test"]).expect_code(2).complains("no certificate");
}

#[test]
fn the_file_to_trust_is_that_of_the_issuers_own_root() {
    let sandbox = two_tiers(&[]);
    sandbox.certkit(&["ca", "init", "--ca", "other", "--name", "Other Root"]).expect_code(0);
    let import = ["ca", "import", "other/ca.pem", "--key", "other/ca-key.pem", "--called", "demo"];
    sandbox.certkit(&import).expect_code(0);
    // What was issued may lie beside them.
    let in_folder = sandbox.ca().join("a.test.pem");
    let issue = |name: &str, more: &[&str]| sandbox.certkit(&[&["ca", "issue", name], more].concat()).expect_code(0);
    issue("a.test", &["--out", in_folder.to_str().unwrap()]).says("ca.pem)");
    issue("b.test", &["--issuer", "demo"]).says("CN=Other Root").says("demo.pem)");
    issue("c.test", &["--issuer", "issuing"]).says("CN=Example Issuing CA").says("/ca.pem)");
}

#[test]
fn uris_whose_host_clients_do_not_agree_on_are_not_issued_below_constraints() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--permit", "uri:a.test", "--permit", "a.test"]).expect_code(0);
    let issue = |uri: &str| sandbox.certkit(&["ca", "issue", "a.test", &format!("uri:{uri}"), "--force"]);
    for uri in ["https://ann@a.test/x", "https://a%2etest/", "https://a.test./", "urn:uuid:1"] {
        issue(uri).expect_code(2).complains("clients do not agree on the host");
    }
    issue("https://b.test/").expect_code(2).complains("only uri:a.test is permitted");
    issue("https://a.test:8443/x@y").expect_code(0);
    let Some(openssl) = peer("openssl") else { return };
    let root = sandbox.ca().join("ca.pem");
    sandbox.peer(&openssl, &["verify", "-CAfile", root.to_str().unwrap(), "a.test.pem"]).expect_code(0);
}

#[test]
fn what_the_authority_above_may_not_is_said_in_each_certificate_below_it() {
    let sandbox = Sandbox::new();
    sandbox
        .certkit(&["ca", "init", "--permit", "test", "--permit", "10.0.0.0/8", "--exclude", "x.test"])
        .expect_code(0);
    for (name, more, permitted, excluded) in [
        ("a", &["--exclude", "b.test"][..], "dns:test", "dns:b.test"),
        ("b", &["--permit", "a.test"], "dns:a.test", "dns:x.test"),
        ("c", &[], "ip:10.0.0.0/8", "dns:x.test"),
    ] {
        let made = sandbox.certkit(&[&["ca", "intermediate", name, "--json"], more].concat()).expect_code(0).json();
        let has = |list: &str, subtree: &str| {
            made["authority"][list].as_array().unwrap().iter().any(|one| one.as_str() == Some(subtree))
        };
        assert!(has("permitted", permitted) && has("excluded", excluded) && has("excluded", "dns:x.test"), "{made}");
    }
}
