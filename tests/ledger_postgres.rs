//! A CA whose ledger is in PostgreSQL.

use std::collections::BTreeSet;
use std::fs;
use std::thread;

use crate::support::Sandbox;
use crate::support::postgres::{Server, server};

/// A CA with its ledger in a database of its own, as `ca.toml` says since it was made.
fn with_ca(server: &Server) -> (Sandbox, String) {
    let sandbox = Sandbox::new();
    let url = server.database();
    sandbox.certkit(&["ca", "init", "--name", "Test CA", "--ledger", &url]).expect_code(0).says("postgres://");
    (sandbox, url)
}

#[test]
fn a_ca_keeps_its_ledger_in_a_database() {
    let Some(server) = server() else { return };
    let (sandbox, url) = with_ca(server);
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    sandbox.certkit(&["ca", "list"]).expect_code(0).says("a.test");
    sandbox.certkit(&["ca", "show", "a.test"]).expect_code(0);
    sandbox.certkit(&["ca", "audit"]).expect_code(0).says("sound: 2 lines");
    sandbox.certkit(&["ca", "check"]).expect_code(0).says("sound: 1 authority, 2 certificates");
    sandbox.certkit(&["ca", "repair", "a.test.pem"]).expect_code(0).says("nothing to repair");
    assert!(!sandbox.ca().join("ledger.db").exists(), "and no file");
    let shown = sandbox.certkit(&["ca", "show", "--json"]).expect_code(0).json();
    assert_eq!(shown["ledger"], url);
    fs::remove_file(sandbox.ca().join("ca.toml")).unwrap();
    sandbox.certkit(&["ca", "list"]).expect_code(2).complains("there is no ledger").complains("CERTKIT_LEDGER");
    sandbox.command().args(["ca", "list"]).env("CERTKIT_LEDGER", &url).expect_code(0).says("a.test");
}

#[test]
fn the_folder_remembers_the_ledger_and_never_a_password() {
    let Some(server) = server() else { return };
    let (url, other) = (server.database(), server.database());
    let sandbox = Sandbox::new();
    let made = sandbox.command().args(["ca", "init", "--ledger", &url]).env("PGPASSWORD", "sesame").expect_code(0);
    made.complains("ca.toml names the ledger from now on, but not its password");
    let config = sandbox.ca().join("ca.toml");
    let text = fs::read_to_string(&config).unwrap();
    assert!(text.contains("ledger = \"postgres") && !text.contains("sesame"), "{text}");
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    let unit = |more: &[&str]| {
        let args = [&["ca", "renew", "--print-unit", "a.test.pem"], more].concat();
        sandbox.command().args(args).env("PGPASSWORD", "sesame").expect_code(0)
    };
    unit(&[]).complains("PGPASSWORD of your environment, which the unit does not have");
    sandbox.write("password", "sesame");
    assert_eq!(unit(&["--ledger-password", "file:password"]).stderr, "");
    // One in the environment may have a password in its URL.
    let sandbox = Sandbox::new();
    let secret = format!("{other}{}password=sesame", if other.contains('?') { '&' } else { '?' });
    let made = sandbox.command().args(["ca", "init"]).env("CERTKIT_LEDGER", &secret).expect_code(0);
    made.complains("CERTKIT_LEDGER has a password in it");
    assert!(!sandbox.ca().join("ca.toml").exists());
    // What ca.toml says is not overruled for good by the way.
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.ca()).unwrap();
    fs::write(sandbox.ca().join("ca.toml"), "# ours\nledger = \"postgres://localhost/elsewhere\"\n").unwrap();
    let refused = sandbox.certkit(&["ca", "init", "--ledger", &url]).expect_code(2);
    refused.complains("names another ledger").complains("leave out --ledger");
    assert!(!sandbox.ca().join("ca.pem").exists());
}

#[test]
fn several_hosts_issue_from_one_ledger() {
    const HOSTS: usize = 4;
    const EACH: usize = 10;
    let Some(server) = server() else { return };
    let (first, url) = with_ca(server);
    let hosts: Vec<Sandbox> = (0..HOSTS).map(|_| Sandbox::new()).collect();
    for host in &hosts {
        fs::create_dir(host.ca()).unwrap();
        for file in ["ca.pem", "ca-key.pem", "ca.toml"] {
            fs::copy(first.ca().join(file), host.ca().join(file)).unwrap();
        }
    }
    thread::scope(|scope| {
        for host in &hosts {
            scope.spawn(move || {
                for each in 0..EACH {
                    host.certkit(&["ca", "issue", &format!("n{each}.test")]).expect_code(0);
                }
            });
        }
    });
    let listed = first.certkit(&["ca", "list", "--json"]).expect_code(0).json();
    let serials: BTreeSet<&str> =
        listed["certificates"].as_array().unwrap().iter().map(|one| one["serial"].as_str().unwrap()).collect();
    assert_eq!(serials.len(), HOSTS * EACH);
    first.certkit(&["ca", "check"]).expect_code(0);
    drop(url);
}

#[test]
fn tampering_with_the_database_shows() {
    let Some(server) = server() else { return };
    for (statement, found) in [
        ("ALTER TABLE audit DISABLE TRIGGER ALL; UPDATE audit SET who = 'eve' WHERE number = 2", "line 2"),
        (
            "ALTER TABLE certificates DISABLE TRIGGER ALL; UPDATE certificates SET subject = 'CN=eve' WHERE id = 2",
            "subject",
        ),
        ("DELETE FROM names", "found by its names"),
        ("ALTER TABLE audit DISABLE TRIGGER audit_stays", "audit_stays"),
    ] {
        let (sandbox, url) = with_ca(server);
        sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
        let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
        client.batch_execute("SET search_path = certkit").unwrap();
        client.batch_execute(statement).unwrap();
        sandbox.certkit(&["ca", "check"]).expect_code(1).says(found);
    }
}

#[test]
fn a_password_is_never_on_the_command_line_nor_in_an_error() {
    let sandbox = Sandbox::new();
    let init = |args: &[&str]| sandbox.certkit(&[&["ca", "init"], args].concat());
    let ran = init(&["--ledger", "postgres://ann:sesame@localhost:1/ledger"]).expect_code(2);
    let ran = ran.complains("has a password in it").complains("--ledger-password");
    assert!(!ran.stderr.contains("sesame"), "{ran}");
    for (name, value) in [("CERTKIT_LEDGER", "postgres://ann:sesame@localhost:1/ledger"), ("PGPASSWORD", "sesame")] {
        let run = sandbox.command().args(["ca", "init"]);
        let run = match name {
            "PGPASSWORD" => run.args(["--ledger", "postgres://ann@localhost:1/ledger"]),
            _ => run,
        };
        let ran = run.env(name, value).expect_code(2);
        let ran = ran.complains("cannot reach the ledger postgres://ann@localhost:1/ledger");
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("sesame"), "{ran}");
    }
    init(&["--ledger-password", "env:SECRET"]).expect_code(2).complains("no effect");
    init(&["--ledger", "mysql://localhost/ledger"]).expect_code(2).complains("postgres://");
    init(&["--ledger", "postgres://db.example/ledger?sslmode=disable"]).expect_code(2).complains("in the clear");
    assert!(!sandbox.ca().join("ca.pem").exists());
}

#[test]
fn a_new_ledger_in_a_database_is_remembered_and_leaves_none_behind() {
    let Some(server) = server() else { return };
    let url = server.database();
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--name", "Test CA"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    let new = ["ca", "repair", "--new-ledger", "--ledger", &url, "a.test.pem"];
    let refused = sandbox.certkit(&new).expect_code(2);
    refused.complains("has a ledger").complains("ledger.db").complains("ca export --records jsonl");
    let config = sandbox.ca().join("ca.toml");
    assert!(!config.exists());
    // As the hint has it.
    sandbox.certkit(&["ca", "export", "--records", "jsonl", "--out", "all.jsonl"]).expect_code(0);
    for ending in ["", "-wal", "-shm"] {
        _ = fs::rename(sandbox.ca().join(format!("ledger.db{ending}")), sandbox.path(format!("aside{ending}")));
    }
    let ran = sandbox.certkit(&[&new[..], &["all.jsonl"]].concat()).expect_code(0);
    ran.says("a new ledger").complains("ca.toml names the ledger from now on");
    assert!(fs::read_to_string(&config).unwrap().contains(&url));
    sandbox.certkit(&["ca", "list"]).expect_code(0).says("a.test");
    sandbox.certkit(&["ca", "check"]).expect_code(0);
    // Where ca.toml names one, it is not replaced by another.
    let other = server.database();
    let again = ["ca", "repair", "--new-ledger", "--ledger", &other];
    sandbox.certkit(&again).expect_code(2).complains("names another ledger");
}

#[test]
fn an_imported_ca_remembers_its_ledger() {
    let Some(server) = server() else { return };
    let url = server.database();
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--ca", "made", "--name", "Old CA"]).expect_code(0);
    let import = ["ca", "import", "--cert", "made/ca.pem", "--key", "made/ca-key.pem", "--ledger", &url];
    sandbox.certkit(&import).expect_code(0).complains("ca.toml names the ledger from now on");
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    assert!(!sandbox.ca().join("ledger.db").exists());
    // Beside a CA with a ledger of its own none is begun elsewhere.
    sandbox.certkit(&["ca", "init", "--ca", "own", "--name", "Own CA"]).expect_code(0);
    let beside = [&import[..], &["--ca", "own", "--called", "old"]].concat();
    sandbox.certkit(&beside).expect_code(2).complains("has a ledger");
    assert!(!sandbox.path("own/old.pem").exists() && !sandbox.path("own/ca.toml").exists());
}
