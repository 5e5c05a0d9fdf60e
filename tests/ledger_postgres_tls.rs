//! A ledger on another machine: TLS, always checked, and nothing in the clear.
//!
//! The other machine is a name that no certificate but the server's has; `hostaddr` says where it is.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{fs, thread};

use crate::support::postgres::{Encryption, Server};
use crate::support::{Ran, Sandbox};

/// A server with the certificate of a CA, and that CA.
struct Database {
    server: Server,
    files: Sandbox,
    used: AtomicU32,
}

/// Ann has a password, which only TLS may carry; Bob has a certificate.
const ACCESS: &str = "\
hostnossl all all 127.0.0.1/32 reject
hostssl all ann 127.0.0.1/32 scram-sha-256
hostssl all bob 127.0.0.1/32 cert
";

fn database() -> Option<&'static Database> {
    static DATABASE: OnceLock<Option<Database>> = OnceLock::new();
    DATABASE.get_or_init(Database::start).as_ref()
}

impl Database {
    fn start() -> Option<Self> {
        let files = Sandbox::new();
        files.certkit(&["ca", "init", "--name", "Database CA"]).expect_code(0);
        files.certkit(&["ca", "issue", "db.test", "127.0.0.1"]).expect_code(0);
        let bob = ["ca", "issue", "--profile", "client", "--cn", "bob", "--san", "bob@db.test", "--out", "bob.pem"];
        files.certkit(&bob).expect_code(0);
        let server = Server::encrypted(&Encryption {
            certificate: &files.path("db.test.pem"),
            key: &files.path("db.test-key.pem"),
            client_ca: &files.ca().join("ca.pem"),
            access: ACCESS,
        })?;
        server.administer("CREATE ROLE ann LOGIN SUPERUSER PASSWORD 'sesame'; CREATE ROLE bob LOGIN SUPERUSER");
        Some(Self { server, files, used: AtomicU32::new(0) })
    }

    /// The URL of a database that nobody has used, on the machine called `host`.
    fn url(&self, user: &str, host: &str, parameters: &str) -> String {
        let name = format!("away{}", self.used.fetch_add(1, Ordering::Relaxed));
        self.server.administer(&format!("CREATE DATABASE {name}"));
        let port = self.server.port();
        format!("postgres://{user}@{host}:{port}/{name}?hostaddr=127.0.0.1{parameters}")
    }

    fn roots(&self) -> String {
        format!("&sslrootcert={}/ca.pem", self.files.ca().display())
    }
}

/// Makes a CA whose ledger is there.
fn init(sandbox: &Sandbox, url: &str) -> Ran {
    sandbox.command().args(["ca", "init", "--ledger", url]).env("PGPASSWORD", "sesame").run()
}

#[test]
fn another_machine_is_spoken_to_over_tls_and_the_password_is_bound_to_its_certificate() {
    let Some(database) = database() else { return };
    let sandbox = Sandbox::new();
    let url = database.url("ann", "db.test", &format!("{}&channel_binding=require", database.roots()));
    init(&sandbox, &url).expect_code(0);
    // In ca.toml the CA of the database is found from wherever certkit runs.
    fs::copy(database.files.ca().join("ca.pem"), sandbox.ca().join("database-ca.pem")).unwrap();
    let (start, _) = url.split_once("&sslrootcert").unwrap();
    fs::write(sandbox.ca().join("ca.toml"), format!("ledger = \"{start}&sslrootcert=database-ca.pem\"\n")).unwrap();
    let certkit = |args: &[&str]| sandbox.command().args(args).env("PGPASSWORD", "sesame").run();
    certkit(&["ca", "issue", "a.test"]).expect_code(0);
    certkit(&["ca", "revoke", "a.test"]).expect_code(0);
    certkit(&["ca", "crl"]).expect_code(0);
    certkit(&["ca", "list", "--revoked"]).expect_code(0).says("a.test");
    certkit(&["ca", "check"]).expect_code(0);
    sandbox.command().args(["ca", "list"]).env("PGPASSWORD", "wrong").expect_code(2).complains("password");
}

#[test]
fn the_systems_roots_count_where_no_others_are_named() {
    let Some(database) = database() else { return };
    for named in ["", "&sslrootcert=system"] {
        let sandbox = Sandbox::new();
        let url = database.url("ann", "db.test", named);
        let with_roots = |file: &str| {
            let run = sandbox.command().args(["ca", "init", "--ledger", &url]).env("PGPASSWORD", "sesame");
            run.env("SSL_CERT_FILE", file).env("SSL_CERT_DIR", "/nowhere").run()
        };
        let other = Sandbox::new();
        other.certkit(&["ca", "init"]).expect_code(0);
        let refused = with_roots(other.ca().join("ca.pem").to_str().unwrap()).expect_code(2);
        refused.complains("leads to none of the trusted roots").complains("sslrootcert=FILE");
        assert!(!sandbox.ca().join("ca.pem").exists());
        with_roots("/nowhere/ca.pem").expect_code(2).complains("roots cannot be loaded");
        with_roots(database.files.ca().join("ca.pem").to_str().unwrap()).expect_code(0);
    }
}

#[test]
fn a_server_by_another_name_or_of_another_ca_gets_nothing() {
    let Some(database) = database() else { return };
    let other = Sandbox::new();
    other.certkit(&["ca", "init"]).expect_code(0);
    let roots = database.roots();
    let elsewhere = format!("&sslrootcert={}/ca.pem", other.ca().display());
    for (host, parameters, why) in [
        ("other.test", roots.as_str(), "is not for other.test"),
        // What the certificate is for is not what the connection goes to, but what the URL names.
        ("localhost", roots.as_str(), "is not for localhost"),
        ("192.0.2.1", roots.as_str(), "is not for 192.0.2.1"),
        ("db.test", elsewhere.as_str(), "leads to none of the trusted roots"),
        ("db.test", "&sslrootcert=missing.pem", "missing.pem"),
        ("db.test", "&sslmode=require", "does not check who answers"),
        ("db.test", "&sslmode=prefer", "in the clear"),
        ("db.test", "&sslmode=disable", "in the clear"),
        ("db.test", "&sslcrl=crl.pem", "no sslcrl"),
    ] {
        let sandbox = Sandbox::new();
        let refused = init(&sandbox, &database.url("ann", host, parameters)).expect_code(2).complains(why);
        assert!(!refused.stderr.contains("sesame"), "{refused}");
        assert!(!sandbox.ca().join("ca.pem").exists(), "{host}{parameters}");
    }
    let sandbox = Sandbox::new();
    init(&sandbox, &database.url("ann", "127.0.0.1", &roots)).expect_code(0);
}

#[test]
fn a_certificate_lets_a_client_in_whose_key_nobody_else_can_read() {
    let Some(database) = database() else { return };
    let roots = database.roots();
    let sandbox = Sandbox::new();
    for name in ["bob.pem", "bob-key.pem"] {
        fs::copy(database.files.path(name), sandbox.path(name)).unwrap();
    }
    let url = |parameters: &str| database.url("bob", "db.test", &format!("{roots}{parameters}"));
    init(&sandbox, &url("")).expect_code(2).complains("certificate");
    init(&sandbox, &url("&sslcert=bob.pem")).expect_code(2).complains("bob.pem holds no private key");
    init(&sandbox, &url("&sslkey=bob-key.pem")).expect_code(2).complains("sslkey has no effect");
    init(&sandbox, &url("&sslcert=bob-key.pem")).expect_code(2).complains("bob-key.pem");
    let open = fs::Permissions::from_mode(0o644);
    fs::set_permissions(sandbox.path("bob-key.pem"), open).unwrap();
    init(&sandbox, &url("&sslcert=bob.pem&sslkey=bob-key.pem")).expect_code(2).complains("read by others");
    fs::set_permissions(sandbox.path("bob-key.pem"), fs::Permissions::from_mode(0o600)).unwrap();
    let other = database.files.path("db.test-key.pem");
    let mixed = format!("&sslcert=bob.pem&sslkey={}", other.display());
    init(&sandbox, &url(&mixed)).expect_code(2).complains("cannot be used");
    init(&sandbox, &url("&sslcert=bob.pem&sslkey=bob-key.pem")).expect_code(0);
    // One file for both, as `certkit ca issue --out` can make it.
    let both = [sandbox.read("bob-key.pem"), sandbox.read("bob.pem")].concat();
    fs::write(sandbox.path("both.pem"), both).unwrap();
    fs::set_permissions(sandbox.path("both.pem"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::remove_dir_all(sandbox.ca()).unwrap();
    init(&sandbox, &url("&sslcert=both.pem")).expect_code(0);
}

#[test]
fn this_machine_is_spoken_to_over_tls_where_the_url_says_so() {
    let Some(database) = database() else { return };
    let sandbox = Sandbox::new();
    let plain = database.url("ann", "127.0.0.1", "");
    // The server takes no password in the clear.
    init(&sandbox, &plain).expect_code(2).complains("pg_hba.conf").complains("sslmode=verify-full");
    init(&sandbox, &format!("{plain}{}&sslmode=verify-full", database.roots())).expect_code(0);
}

#[test]
fn a_server_without_tls_hears_nothing_but_the_question() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut question = [0; 8];
        connection.read_exact(&mut question).unwrap();
        connection.write_all(b"N").unwrap();
        let mut rest = Vec::new();
        _ = connection.read_to_end(&mut rest);
        (question, rest)
    });
    let sandbox = Sandbox::new();
    let roots = Sandbox::new();
    roots.certkit(&["ca", "init"]).expect_code(0);
    let roots = roots.ca().join("ca.pem");
    let url = format!("postgres://ann@db.test:{port}/x?hostaddr=127.0.0.1&sslrootcert={}", roots.display());
    init(&sandbox, &url).expect_code(2).complains("does not support TLS").complains("ssl = on");
    let (question, rest) = heard.join().unwrap();
    // SSLRequest: its length, and 1234 5679.
    assert_eq!(question, [0, 0, 0, 8, 4, 210, 22, 47]);
    assert_eq!(rest, b"", "not even who is asking");
}
