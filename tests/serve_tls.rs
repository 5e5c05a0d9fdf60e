//! `certkit serve`: certificates, clients with certificates, what is negotiated, and clients that mean no good.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use certkit::pcap::Format;
use certkit::x509::Certificate;
use rustls::version::{TLS12, TLS13};

use crate::support::Sandbox;
use crate::support::background::comes_true;
use crate::support::https::{Client, Connection, Served, ask, read_answer};
use crate::support::tap::Tap;

/// A sandbox with a certificate and a file.
fn with_file() -> Sandbox {
    let sandbox = Sandbox::new().with_site_certificate();
    std::fs::create_dir(sandbox.path("site")).unwrap();
    sandbox.write("site/hello.txt", "hello");
    sandbox
}

/// The certificate that a server showed.
fn shown(connection: &Connection) -> Certificate {
    Certificate::from_der(&connection.conn.peer_certificates().unwrap()[0]).unwrap()
}

fn issue(sandbox: &Sandbox, args: &[&str]) {
    sandbox.certkit(&[&["ca", "issue", "--quiet", "--force"], args].concat()).expect_code(0);
}

#[test]
fn the_certificate_is_the_one_for_the_name() {
    let sandbox = with_file();
    issue(&sandbox, &["a.test"]);
    issue(&sandbox, &["*.b.test", "--out", "wild.pem"]);
    issue(&sandbox, &["x.b.test", "--out", "both.pem", "--keyout", "both.pem"]);
    let args = ["--cert", "a.test.pem", "--cert", "wild.pem", "--cert", "both.pem", "--key", "wild-key.pem"];
    let server = sandbox.serve(&[&["site", "--cert", "localhost.pem"], &args[..]].concat()[..]);
    for (asked, found) in [
        ("localhost", "localhost"),
        ("127.0.0.1", "localhost"),
        ("a.test", "a.test"),
        ("A.test", "a.test"),
        ("y.b.test", "*.b.test"),
        ("x.b.test", "x.b.test"),
    ] {
        let client = Client { name: asked.to_owned(), ..Client::default() };
        let connection = server.connect_as(&client).unwrap_or_else(|error| panic!("{asked}: {error}"));
        let names = shown(&connection).subject_alt_names().unwrap().to_vec();
        assert_eq!(names[0].to_string(), format!("dns:{found}"), "{asked}");
    }
    let other = Client { name: "other.test".to_owned(), ..Client::default() };
    assert!(server.connect_as(&other).is_err(), "the first is shown, and it is for another");
}

#[test]
fn every_kind_of_key_is_served() {
    for (kind, old) in [("rsa:2048", true), ("p384", true), ("ed25519", true), ("ml-dsa-65", false)] {
        let sandbox = Sandbox::new();
        if kind == "ml-dsa-65" {
            sandbox.certkit(&["ca", "init", "--type", kind]).expect_code(0);
        }
        issue(&sandbox, &["localhost", "--type", kind]);
        let server = sandbox.serve(&[]);
        let new = Client { versions: vec![&TLS13], ..Client::default() };
        assert!(server.connect_as(&new).is_ok(), "{kind}");
        let client = Client { versions: vec![&TLS12], ..Client::default() };
        assert_eq!(server.connect_as(&client).is_ok(), old, "{kind}");
    }
}

#[test]
fn an_encrypted_key_and_an_expired_certificate_are_served() {
    let sandbox = with_file();
    sandbox.write("pass", "open sesame");
    issue(&sandbox, &["localhost", "--encrypt", "--passphrase", "file:pass"]);
    let server = sandbox.serve(&["site", "--passphrase", "file:pass"]);
    assert_eq!(server.get("/hello.txt").status, 200);
    drop(server);
    let old = sandbox.command().env("SOURCE_DATE_EPOCH", "1600000000").args(["new", "--cn", "old.test", "--days", "1"]);
    old.expect_code(0);
    let server = sandbox.serve_bare(&["site", "--cert", "old.test.pem"]);
    let said = server.log_with("clients will refuse it");
    assert!(said.contains("old.test.pem expired") && said.contains("\"expired\":true"), "{said}");
}

#[test]
fn a_new_certificate_takes_over_without_a_dropped_connection() {
    let sandbox = with_file();
    let server = sandbox.serve(&["site", "--no-log"]);
    let first = shown(&server.connect()).serial().to_string();
    let (over, done) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for persistent in [true, false, false] {
            let (server, over, done) = (&server, &over, &done);
            scope.spawn(move || {
                let mut connection = server.connect();
                while !over.load(Ordering::Relaxed) {
                    if !persistent {
                        connection = server.connect();
                    }
                    assert_eq!(ask(&mut connection, "GET", "/hello.txt", &[]).text(), "hello");
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        sleep(Duration::from_millis(300));
        issue(&sandbox, &["localhost", "127.0.0.1"]);
        let begun = Instant::now();
        while shown(&server.connect()).serial().to_string() == first {
            assert!(begun.elapsed() < Duration::from_secs(30), "the new certificate is not served");
            sleep(Duration::from_millis(50));
        }
        let second = shown(&server.connect()).serial().to_string();
        // What is broken is told, and the one before stays.
        let (key, certificate) = (sandbox.read("localhost-key.pem"), sandbox.read("localhost.pem"));
        sandbox.write("localhost.pem", "-----BEGIN CERTIFICATE-----\nbroken");
        server.log_with("\"kept\"");
        sandbox.write("localhost.pem", certificate);
        server.log_with("\"reloaded\"");
        sandbox.certkit(&["key", "new", "--out", "other.pem"]).expect_code(0);
        sandbox.write("localhost-key.pem", sandbox.read("other.pem"));
        server.log_with("the key is not that of the certificate");
        assert_eq!(shown(&server.connect()).serial().to_string(), second);
        sandbox.write("localhost-key.pem", key);
        over.store(true, Ordering::Relaxed);
    });
    assert!(done.load(Ordering::Relaxed) > 50, "{done:?}");
    assert_eq!(server.process.stop(), Some(0));
}

#[test]
fn clients_have_to_show_a_certificate_of_the_right_ca() {
    let sandbox = with_file();
    issue(&sandbox, &["--profile", "client", "--cn", "Ann", "--out", "ann.pem"]);
    let stranger = Sandbox::new();
    issue(&stranger, &["--profile", "client", "--cn", "Eve", "--out", "eve.pem"]);
    let ann = (sandbox.read("ann.pem"), sandbox.read("ann-key.pem"));
    let eve = (stranger.read("eve.pem"), stranger.read("eve-key.pem"));
    let server_certificate = (sandbox.read("localhost.pem"), sandbox.read("localhost-key.pem"));
    let ca = sandbox.ca().join("ca.pem");
    let with_ca = ["--echo", "--client-ca", ca.to_str().unwrap()];
    let told = |server: &Served<'_>, version, certificate: Option<&(Vec<u8>, Vec<u8>)>| {
        let client = Client { versions: vec![version], certificate: certificate.cloned(), ..Client::default() };
        let mut connection = server.connect_as(&client).ok()?;
        connection.write_all(b"GET /json HTTP/1.1\r\nhost: x\r\n\r\n").ok()?;
        Some(read_answer(&mut connection, false).ok()?.json()["client_certificate"]["subject"].clone())
    };
    let server = sandbox.serve(&[&with_ca[..], &["--require-client-cert"]].concat());
    for version in [&TLS12, &TLS13] {
        assert_eq!(told(&server, version, Some(&ann)), Some("CN=Ann".into()));
        assert_eq!(told(&server, version, None), None);
        assert_eq!(told(&server, version, Some(&eve)), None);
        assert_eq!(told(&server, version, Some(&server_certificate)), None, "it is no client's");
    }
    server.log_with("no handshake");
    drop(server);
    let server = sandbox.serve(&with_ca);
    assert_eq!(told(&server, &TLS13, Some(&ann)), Some("CN=Ann".into()));
    assert_eq!(told(&server, &TLS13, None), Some(serde_json::Value::Null));
    assert_eq!(told(&server, &TLS13, Some(&eve)), None);
}

#[test]
fn another_client_ca_takes_over_while_it_serves() {
    let sandbox = with_file();
    issue(&sandbox, &["--profile", "client", "--cn", "Ann", "--out", "ann.pem"]);
    let stranger = Sandbox::new();
    issue(&stranger, &["--profile", "client", "--cn", "Eve", "--out", "eve.pem"]);
    let (own, other) = (sandbox.ca().join("ca.pem"), stranger.ca().join("ca.pem"));
    std::fs::copy(&own, sandbox.path("clients.pem")).unwrap();
    let client = |chain: Vec<u8>, key: Vec<u8>| Client { certificate: Some((chain, key)), ..Client::default() };
    let ann = client(sandbox.read("ann.pem"), sandbox.read("ann-key.pem"));
    let eve = client(stranger.read("eve.pem"), stranger.read("eve-key.pem"));
    let server = sandbox.serve(&["site", "--client-ca", "clients.pem", "--require-client-cert"]);
    let gets_in = |client: &Client| {
        let mut connection = server.connect_as(client).ok()?;
        connection.write_all(b"GET /hello.txt HTTP/1.1\r\nhost: x\r\n\r\n").ok()?;
        Some(read_answer(&mut connection, false).ok()?.status)
    };
    assert_eq!((gets_in(&ann), gets_in(&eve)), (Some(200), None));
    let mut stays = server.connect_as(&ann).unwrap();
    assert_eq!(ask(&mut stays, "GET", "/hello.txt", &[]).status, 200);

    sandbox.write("clients.pem", std::fs::read(&other).unwrap());
    server.log_with("\"reloaded_client_ca\"");
    assert_eq!((gets_in(&ann), gets_in(&eve)), (None, Some(200)));
    // Who is in is not thrown out.
    assert_eq!(ask(&mut stays, "GET", "/hello.txt", &[]).status, 200);

    sandbox.write("clients.pem", "nothing");
    server.log_with("\"kept\"");
    assert_eq!((gets_in(&ann), gets_in(&eve)), (None, Some(200)));
    let both = [std::fs::read(&own).unwrap(), std::fs::read(&other).unwrap()].concat();
    sandbox.write("clients.pem", both);
    assert!(comes_true(|| gets_in(&ann) == Some(200)));
    assert_eq!(gets_in(&eve), Some(200));
    assert_eq!(server.process.stop(), Some(0));
}

#[test]
fn an_echo_tells_what_was_negotiated() {
    let sandbox = with_file();
    let server = sandbox.serve(&["--echo"]);
    for (version, name, suite) in [(&TLS13, "TLS 1.3", "TLS13_"), (&TLS12, "TLS 1.2", "TLS_ECDHE_ECDSA_")] {
        let protocols = vec!["http/1.1", "other"];
        let client = Client { versions: vec![version], protocols, ..Client::default() };
        let mut connection = server.connect_as(&client).unwrap();
        let told = ask(&mut connection, "GET", "/json?x=1", &[]).json();
        assert_eq!((&told["version"], &told["server_name"]), (&name.into(), &"localhost".into()), "{told}");
        assert_eq!((&told["protocol"], &told["target"]), (&"http/1.1".into(), &"/json?x=1".into()));
        let known = format!("{:?}", connection.conn.negotiated_cipher_suite().unwrap().suite());
        assert!(known.starts_with(suite), "{known}");
        assert_eq!(
            told["cipher_suite"].as_str().unwrap().replace("TLS_", ""),
            known.replace("TLS13_", "").replace("TLS_", "")
        );
        let group = format!("{:?}", connection.conn.negotiated_key_exchange_group().unwrap().name());
        assert_eq!(told["group"].as_str().unwrap().to_lowercase(), group.to_lowercase());
        let hello = &told["client_hello"];
        assert!(hello["cipher_suites"].as_array().unwrap().iter().any(|one| one["name"] == told["cipher_suite"]));
        let kinds: Vec<_> =
            hello["extensions"].as_array().unwrap().iter().map(|one| &one["extension_type"]["name"]).collect();
        assert!(kinds.contains(&&"server_name".into()) && kinds.contains(&&"supported_groups".into()), "{kinds:?}");
        let ja4 = told["ja4"].as_str().unwrap();
        assert!(ja4.starts_with(if version == &TLS13 { "t13d" } else { "t12d" }) && ja4.len() == 36, "{ja4}");
        assert_eq!(told["ja3"].as_str().unwrap().len(), 32);
        let page = ask(&mut connection, "GET", "/%3Cscript%3E", &[("accept", "text/html,*/*")]);
        assert!(page.field("content-type").unwrap().starts_with("text/html"));
        assert!(page.text().contains(ja4) && !page.text().contains("<script>"), "{}", page.text());
    }
}

#[test]
fn a_key_log_opens_a_capture_of_the_connection() {
    let sandbox = with_file();
    let server = sandbox.serve(&["site", "--key-log", "keys.txt"]);
    #[cfg(unix)]
    assert_eq!(sandbox.mode("keys.txt"), 0o600);
    for version in [&TLS12, &TLS13] {
        let tap = Tap::before(server.port);
        let tapped = Served { port: tap.port, process: sandbox.start(sandbox.program("true")), sandbox: &sandbox };
        let client = Client { versions: vec![version], ..Client::default() };
        let mut connection = tapped.connect_as(&client).unwrap();
        ask(&mut connection, "GET", "/hello.txt", &[("connection", "close")]);
        drop(connection);
        sandbox.write("live.pcap", tap.capture(443, Format::Pcap, None));
        let read = ["capture", "live.pcap", "--key-log", "keys.txt", "--follow"];
        let told = sandbox.certkit(&read).expect_code(0);
        assert!(told.stdout.contains("GET /hello.txt HTTP/1.1") && told.stdout.contains("HTTP/1.1 200 OK"), "{told}");
    }
    drop(server);
    sandbox.write("open.txt", "");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(sandbox.path("open.txt"), std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    let args = ["serve", "site", "--cert", "localhost.pem", "--listen", "127.0.0.1:0", "--key-log", "open.txt"];
    #[cfg(unix)]
    sandbox.certkit(&args).expect_code(2).complains("may be read by others");
}

#[test]
fn a_request_without_tls_is_told_where_to_go() {
    let sandbox = with_file();
    let server = sandbox.serve(&["site"]);
    let mut plain = server.tcp();
    let got = ask(&mut plain, "GET", "/hello.txt?a", &[]);
    assert_eq!((got.status, got.text().as_str()), (400, "this is HTTPS: https://localhost/hello.txt?a\n"));
}

#[test]
fn silence_slowness_and_garbage_keep_nobody_out() {
    let sandbox = with_file();
    let server = sandbox.serve(&["site", "--max-connections", "64"]);
    let begun = Instant::now();
    let mut half_open = server.tcp();
    let mut hello_begun = server.tcp();
    hello_begun.write_all(&[22, 3, 1, 2, 0, 1, 0, 1]).unwrap();
    let mut slow = server.connect();
    slow.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n").unwrap();
    for garbage in
        [&b"\0\0\0\0"[..], b"\x16\x03\x01\xff\xff", b"\x16\x03\x01\0\x05\x01\0\0\x01\0", b"\x80\x2e\x01", b"\xff"]
    {
        let mut stream = server.tcp();
        stream.write_all(garbage).unwrap();
        if garbage.len() < 10 {
            continue;
        }
        _ = stream.read(&mut [0; 100]);
    }
    for request in ["nonsense\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\r\n\r\n\0\0\0"] {
        let mut connection = server.connect();
        connection.write_all(request.as_bytes()).unwrap();
        _ = connection.sock.shutdown(std::net::Shutdown::Write);
        _ = connection.read(&mut [0; 100]);
    }
    let mut long = server.connect();
    _ = long.write_all(format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(100_000)).as_bytes());
    let answer = read_answer(&mut long, false);
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status == 431));
    // They end by themselves, one after the other, and it goes on.
    for (what, stream, seconds) in [
        ("half-open", &mut half_open as &mut dyn Read, 9..20),
        ("hello begun", &mut hello_begun, 9..20),
        ("slow", &mut slow, 14..30),
    ] {
        _ = stream.read(&mut [0; 1]);
        let took = begun.elapsed();
        assert!(seconds.contains(&took.as_secs()), "{what}: {took:?}");
        assert_eq!(server.get("/hello.txt").status, 200);
    }
    // More than there are places.
    let silent: Vec<_> = (0..300).map(|_| server.tcp()).collect();
    for _ in 0..20 {
        assert_eq!(server.get("/hello.txt").text(), "hello");
    }
    drop(silent);
    assert_eq!(server.process.stop(), Some(0));
}
