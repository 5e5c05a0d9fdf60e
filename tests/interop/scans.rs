//! `certkit connect --scan` against servers of other makers: what it finds is what they were configured to take, and what
//! sslscan finds.

use std::collections::BTreeSet;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::handshakes::scene;
use super::server::{Server, Site};
use crate::support::background::{Background, free_port};
use crate::support::{Peer, Sandbox, peer};

pub(super) type Suites = BTreeSet<(String, String)>;

/// `openssl s_server` with these certificates and options.
fn openssl(program: &Peer, sandbox: &Sandbox, options: &[&str]) -> (Background, u16) {
    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let mut server = sandbox
        .start(sandbox.program(&program.path).args(["s_server", "-www", "-quiet", "-accept", &address]).args(options));
    server.wait_for(port);
    (server, port)
}

fn scan(sandbox: &Sandbox, port: u16) -> Value {
    let ran = sandbox.certkit(&["connect", &format!("localhost:{port}"), "--scan", "--json"]);
    assert!(matches!(ran.code, Some(0 | 1)), "{ran}");
    let scan = ran.json();
    assert_eq!(scan["incomplete"], Value::Null, "{ran}");
    scan
}

/// Version and number of every suite that was found.
pub(super) fn found(scan: &Value) -> Suites {
    let versions = scan["versions"].as_array().unwrap().iter();
    let of = |version: &Value| {
        let name = version["version"].as_str().unwrap().to_owned();
        let codes: Vec<String> = version["suites"]
            .as_array()
            .unwrap()
            .iter()
            .map(|suite| suite["code"].as_str().unwrap().to_owned())
            .collect();
        codes.into_iter().map(move |code| (name.clone(), code))
    };
    versions.flat_map(of).collect()
}

fn version<'a>(scan: &'a Value, name: &str) -> &'a Value {
    scan["versions"].as_array().unwrap().iter().find(|version| version["version"] == name).unwrap()
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect()
}

/// What `openssl ciphers` says that a configuration holds, as far as these kinds of certificate serve.
fn configured(program: &Peer, sandbox: &Sandbox, flag: &str, version: &str, ciphers: &str, kinds: &[&str]) -> Suites {
    let said = sandbox.peer(program, &["ciphers", "-V", "-s", flag, ciphers]).expect_code(0).stdout;
    let served = |line: &&str| kinds.iter().any(|kind| line.contains(&format!(" Au={kind} ")));
    // -s with one version still lists suites of TLS 1.3.
    let lines = said.lines().filter(|line| !line.contains(" TLSv1.3 ") || version == "TLS 1.3").filter(served);
    lines
        .map(|line| {
            let code = line.split_whitespace().next().unwrap().replace("0x", "").replace(',', "").to_lowercase();
            (version.to_owned(), format!("0x{code}"))
        })
        .collect()
}

#[test]
fn the_suites_found_are_those_openssl_is_configured_with() {
    let Some(program) = peer("openssl") else { return };
    let sandbox = scene();
    let rsa = &["-cert", "rsa.pem", "-key", "rsa.pem"][..];
    let both = &["-cert", "rsa.pem", "-key", "rsa.pem", "-dcert", "p256.pem", "-dkey", "p256.pem"][..];
    let p256 = &["-cert", "p256.pem", "-key", "p256.pem"][..];
    let versions = [("-tls1", "TLS 1.0"), ("-tls1_1", "TLS 1.1"), ("-tls1_2", "TLS 1.2")];
    for (certificates, kinds, ciphers, preferring) in [
        (both, &["RSA", "ECDSA", "None"][..], "ALL:COMPLEMENTOFALL:@SECLEVEL=0", true),
        (rsa, &["RSA"], "ECDHE+AESGCM:kRSA+AES:@SECLEVEL=0", false),
        (p256, &["ECDSA"], "ALL:!aNULL:@SECLEVEL=0", true),
        (rsa, &["RSA", "None"], "eNULL:DHE+AES256:@SECLEVEL=0", true),
        (p256, &["ECDSA"], "ECDHE-ECDSA-CHACHA20-POLY1305", false),
    ] {
        let options = [certificates, &["-cipher", ciphers]].concat();
        let options = if preferring { [&options[..], &["-serverpref"]].concat() } else { options };
        let (_server, port) = openssl(&program, &sandbox, &options);
        let scan = scan(&sandbox, port);
        let mut expected = BTreeSet::new();
        for (flag, version) in versions {
            expected.extend(configured(&program, &sandbox, flag, version, ciphers, kinds));
        }
        expected.extend(["0x1301", "0x1302", "0x1303"].map(|code| ("TLS 1.3".to_owned(), code.to_owned())));
        assert_eq!(found(&scan), expected, "{ciphers}");
        for (_, name) in versions {
            let preference = &version(&scan, name)["suite_preference"];
            let wanted = if preferring { "server" } else { "client" };
            assert!(*preference == wanted || preference.is_null(), "{ciphers} {name} {preference}");
        }
        let keys: BTreeSet<&str> =
            scan["certificates"].as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap()).collect();
        let expected = [("RSA", "RSA-2048"), ("ECDSA", "P-256")];
        let expected = expected.iter().filter(|(kind, _)| kinds.contains(kind)).map(|(_, key)| *key);
        assert_eq!(keys, expected.collect(), "{ciphers}");
    }
}

#[test]
fn versions_groups_signatures_and_protocols_are_those_openssl_is_configured_with() {
    let Some(program) = peer("openssl") else { return };
    let sandbox = scene();
    let rsa = ["-cert", "rsa.pem", "-key", "rsa.pem"];
    let with = |options: &[&str]| {
        let (server, port) = openssl(&program, &sandbox, &[&rsa[..], options].concat());
        (scan(&sandbox, port), server)
    };

    let (found, _server) = with(&["-tls1_2", "-alpn", "h2,http/1.1"]);
    assert_eq!(version(&found, "TLS 1.2")["supported"], "yes");
    for refused in ["TLS 1.3", "TLS 1.1", "TLS 1.0", "SSL 3.0", "SSL 2.0"] {
        assert_eq!(version(&found, refused)["supported"], "no", "{refused}");
    }
    assert_eq!(strings(&found["features"]["alpn"]), ["h2", "http/1.1"]);

    let groups = "P-384:X25519:ffdhe3072";
    let (found, _server) = with(&["-groups", groups, "-serverpref"]);
    assert_eq!(strings(&version(&found, "TLS 1.3")["groups"]), ["secp384r1", "x25519", "ffdhe3072"]);
    assert_eq!(version(&found, "TLS 1.3")["group_preference"], "server");
    assert_eq!(strings(&version(&found, "TLS 1.2")["groups"]), ["secp384r1", "x25519"]);

    let (found, _server) = with(&["-sigalgs", "RSA-PSS+SHA384:RSA+SHA256"]);
    assert_eq!(strings(&version(&found, "TLS 1.3")["signature_schemes"]), ["rsa_pss_rsae_sha384"]);
    assert_eq!(strings(&version(&found, "TLS 1.2")["signature_schemes"]), ["rsa_pss_rsae_sha384", "rsa_pkcs1_sha256"]);

    let (found, _server) = with(&["-no_ticket", "-no_etm", "-Verify", "1", "-tls1_3"]);
    assert_eq!(found["features"]["client_certificate"], true);
    assert_eq!(found["features"]["hello_retry_request"], true);
    assert_eq!(found["features"]["session_ticket"], Value::Null, "there is no version before TLS 1.3 to say so");
    let (found, _server) = with(&["-no_ticket", "-no_etm", "-tls1_2"]);
    assert_eq!(found["features"]["session_ticket"], false);
    assert_eq!(found["features"]["encrypt_then_mac"], false);
    let (found, _server) = with(&["-tls1_2"]);
    assert_eq!(found["features"]["session_ticket"], true);
    assert_eq!(found["features"]["encrypt_then_mac"], true);

    // A certificate for P-256 has to be offered that curve, or it cannot be used.
    let (_server, port) =
        openssl(&program, &sandbox, &["-cert", "p256.pem", "-key", "p256.pem", "-groups", "X25519:P-256:P-384:P-521"]);
    let found = scan(&sandbox, port);
    assert_eq!(strings(&version(&found, "TLS 1.2")["groups"]), ["x25519", "secp256r1", "secp384r1", "secp521r1"]);
    // Ed25519 takes part as ECDSA suites do.
    let (_server, port) = openssl(&program, &sandbox, &["-cert", "ed25519.pem", "-key", "ed25519.pem"]);
    let found = scan(&sandbox, port);
    assert_eq!(found["certificates"][0]["key"], "Ed25519");
    assert_eq!(strings(&version(&found, "TLS 1.2")["signature_schemes"]), ["ed25519"]);
}

#[test]
fn what_certkit_finds_sslscan_finds_too() {
    let (Some(program), Some(sslscan), Some(java)) = (peer("openssl"), peer("sslscan"), peer("java")) else { return };
    let sandbox = scene();
    let certificates = ["-cert", "rsa.pem", "-key", "rsa.pem", "-dcert", "p256.pem", "-dkey", "p256.pem"];
    let options = [&certificates[..], &["-cipher", "ALL:@SECLEVEL=0"]].concat();
    let (_server, port) = openssl(&program, &sandbox, &options);
    assert_eq!(found(&scan(&sandbox, port)), theirs(&sslscan, &sandbox, port, &[]));

    // Java still speaks SSL 3.0, RC4, DES and export suites, which sslscan, being built with OpenSSL, asks for from TLS 1.0 on.
    let (_server, port) = old_java(&program, &java, &sandbox);
    let scan = scan(&sandbox, port);
    let (ours, theirs) = (found(&scan), theirs(&sslscan, &sandbox, port, &[]));
    let newer: Suites = ours.iter().filter(|(version, _)| version != "SSL 3.0").cloned().collect();
    assert_eq!(newer, theirs);
    let ssl3 = ours.iter().filter(|(version, _)| version == "SSL 3.0");
    let tls10: Vec<&String> = ours.iter().filter(|(version, _)| version == "TLS 1.0").map(|(_, code)| code).collect();
    assert_eq!(ssl3.map(|(_, code)| code).collect::<Vec<_>>(), tls10);
    assert_eq!(scan["grade"], "F");
    let rules: Vec<&str> =
        scan["findings"].as_array().unwrap().iter().map(|finding| finding["rule"].as_str().unwrap()).collect();
    for rule in ["ssl-3", "export", "rc4", "des", "null-encryption", "anonymous", "64-bit-blocks", "md5-mac"] {
        assert!(rules.contains(&rule), "{rule} {rules:?}");
    }
}

/// Every suite that Java can be made to take, SSL 3.0 to TLS 1.3.
fn old_java(openssl: &Peer, java: &Peer, sandbox: &Sandbox) -> (Background, u16) {
    sandbox.write("OldServer.java", include_str!("peers/OldServer.java"));
    let export =
        ["pkcs12", "-export", "-in", "rsa.pem", "-inkey", "rsa.pem", "-out", "rsa.p12", "-passout", "pass:changeit"];
    sandbox.peer(openssl, &export).expect_code(0);
    let port = free_port();
    let arguments = ["-XX:TieredStopAtLevel=1", "OldServer.java", &port.to_string(), "rsa.p12", "changeit"];
    let mut server = sandbox.start(sandbox.program(&java.path).args(arguments));
    server.wait_for(port);
    (server, port)
}

/// What sslscan says is accepted.
pub(super) fn theirs(sslscan: &Peer, sandbox: &Sandbox, port: u16, options: &[&str]) -> Suites {
    let address = format!("localhost:{port}");
    let said =
        sandbox.peer(sslscan, &[&["--no-colour", "--xml=-"], options, &[&address]].concat()).expect_code(0).stdout;
    let attribute = |line: &str, name: &str| {
        let (_, after) = line.split_once(&format!(" {name}=\""))?;
        Some(after.split_once('"')?.0.to_owned())
    };
    let lines = said.lines().filter(|line| line.trim_start().starts_with("<cipher "));
    let suites = lines.map(|line| {
        let version = attribute(line, "sslversion").unwrap().replace("TLSv", "TLS ").replace("SSLv3", "SSL 3.0");
        (version, attribute(line, "id").unwrap().to_lowercase())
    });
    suites.collect()
}

#[test]
fn gnutls_and_nginx_show_what_they_are_configured_with() {
    let (Some(gnutls), Some(nginx)) = (peer("gnutls-serv"), peer("nginx")) else { return };
    let sandbox = scene();
    let port = free_port();
    let priority = "NONE:+VERS-TLS1.2:+VERS-TLS1.1:+ECDHE-RSA:+DHE-RSA:+AES-128-CBC:+AES-128-GCM:+SHA1:+AEAD:\
                    +GROUP-SECP256R1:+GROUP-FFDHE2048:+SIGN-RSA-SHA256:+COMP-NULL:+CTYPE-ALL:%SERVER_PRECEDENCE";
    let fixed = ["--http", "--quiet", "--disable-client-cert", "--x509certfile", "rsa.pem", "--x509keyfile", "rsa.pem"];
    let run = sandbox.program(&gnutls.path).args(fixed).args(["--port", &port.to_string(), "--priority", priority]);
    let mut server = sandbox.start(run);
    server.wait_for(port);
    let found = scan(&sandbox, port);
    let suites = |name: &str| {
        let suites = version(&found, name)["suites"].as_array().unwrap().iter();
        suites.map(|suite| suite["suite"].as_str().unwrap()).collect::<BTreeSet<_>>()
    };
    let cbc = ["TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"];
    let gcm = ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"];
    assert_eq!(suites("TLS 1.1"), BTreeSet::from(cbc));
    assert_eq!(suites("TLS 1.2"), cbc.into_iter().chain(gcm).collect());
    assert!(suites("TLS 1.0").is_empty() && suites("TLS 1.3").is_empty());
    assert_eq!(strings(&version(&found, "TLS 1.2")["groups"]), ["secp256r1"]);
    assert_eq!(strings(&version(&found, "TLS 1.2")["signature_schemes"]), ["rsa_pkcs1_sha256"]);
    drop(server);

    let nginx = Server::nginx(&nginx, &sandbox, Site { chain: "p256.pem", key: "p256.pem", clients: None });
    let found = scan(&sandbox, nginx.ports[0]);
    assert_eq!(found["certificates"][0]["key"], "P-256");
    assert_eq!(version(&found, "TLS 1.3")["supported"], "yes");
    assert_eq!(version(&found, "SSL 3.0")["supported"], "no");
}

#[test]
fn a_scan_takes_no_more_time_than_sslscan() {
    let (Some(program), Some(sslscan)) = (peer("openssl"), peer("sslscan")) else { return };
    let sandbox = scene();
    let (_server, port) =
        openssl(&program, &sandbox, &["-cert", "rsa.pem", "-key", "rsa.pem", "-cipher", "ALL:@SECLEVEL=0"]);
    let timed = |run: &dyn Fn()| {
        let begun = Instant::now();
        run();
        begun.elapsed()
    };
    let ours = timed(&|| _ = scan(&sandbox, port));
    let theirs = timed(&|| _ = theirs(&sslscan, &sandbox, port, &[]));
    assert!(ours <= theirs, "certkit {ours:?}, sslscan {theirs:?}");
}

#[test]
fn two_scans_are_compared_live_and_saved() {
    let Some(program) = peer("openssl") else { return };
    let sandbox = scene();
    let certificate = ["-cert", "rsa.pem", "-key", "rsa.pem"];
    let (_one, first) =
        openssl(&program, &sandbox, &[&certificate[..], &["-tls1_2", "-cipher", "ECDHE+AESGCM"]].concat());
    let (_two, second) = openssl(&program, &sandbox, &["-cert", "p256.pem", "-key", "p256.pem", "-groups", "P-256"]);
    let [first, second] = [first, second].map(|port| format!("localhost:{port}"));
    let saved = sandbox.certkit(&["connect", &first, "--scan", "--json"]);
    sandbox.write("first.json", &saved.bytes);
    sandbox.certkit(&["connect", &first, "--scan", "--diff", "first.json"]).expect_code(0).says("no difference");
    let live = sandbox.certkit(&["connect", &first, "--scan", "--diff", &second, "--json"]).expect_code(1).json();
    assert_eq!(live["same"], false);
    let at: Vec<&str> = live["differences"].as_array().unwrap().iter().map(|one| one["at"].as_str().unwrap()).collect();
    for place in ["grade", "TLS 1.3, supported", "TLS 1.2, groups", "certificate, key", "certificate, public key"] {
        assert!(at.contains(&place), "{place} {at:?}");
    }
    let told = sandbox.certkit(&["connect", &second, "--scan", "--diff", "first.json"]).expect_code(1);
    told.says("TLS 1.3, supported").says("P-256");
    sandbox.write("other.json", "{\"schema\": \"certkit.connect/1\"}");
    sandbox
        .certkit(&["connect", &first, "--scan", "--diff", "other.json"])
        .expect_code(2)
        .complains("certkit.connect/1, and certkit.scan/1 is compared");
}

#[test]
fn two_connections_are_compared_live_and_saved() {
    let Some(program) = peer("openssl") else { return };
    let sandbox = scene();
    let (_one, first) = openssl(&program, &sandbox, &["-cert", "rsa.pem", "-key", "rsa.pem", "-tls1_2"]);
    let (_two, second) = openssl(&program, &sandbox, &["-cert", "p256.pem", "-key", "p256.pem"]);
    let [first, second] = [first, second].map(|port| format!("localhost:{port}"));
    let roots = ["--roots", "rsa.pem"];
    let connect = |args: &[&str]| sandbox.certkit(&[&["connect"], args, &roots[..]].concat());
    let saved = connect(&[&first, "--json"]).expect_code(0);
    sandbox.write("first.json", &saved.bytes);
    connect(&[&first, "--diff", "first.json"]).expect_code(0).says("no difference");
    let live = connect(&[&first, "--diff", &second, "--json"]).expect_code(1).json();
    let at: Vec<&str> = live["differences"].as_array().unwrap().iter().map(|one| one["at"].as_str().unwrap()).collect();
    for place in ["accepted", "version", "cipher suite, name", "signature", "certificate, public key"] {
        assert!(at.contains(&place), "{place} {at:?}");
    }
    connect(&[&second, "--diff", "first.json"]).expect_code(1).says("TLS 1.2");
    connect(&[&first, "--scan", "--diff", "first.json"]).expect_code(2).complains("--roots");
    sandbox
        .certkit(&["connect", &first, "--scan", "--diff", "first.json"])
        .expect_code(2)
        .complains("certkit.connect/1, and certkit.scan/1 is compared");
}

#[test]
fn starttls_comes_before_each_question() {
    let Some(program) = peer("openssl") else { return };
    let sandbox = scene();
    let port = free_port();
    // s_server knows no STARTTLS; this speaks enough SMTP and hands over to it.
    let (_server, inner) = openssl(&program, &sandbox, &["-cert", "rsa.pem", "-key", "rsa.pem", "-tls1_2"]);
    let Some(python) = peer("python3") else { return };
    let script = sandbox.write("smtp.py", include_str!("peers/smtp_tap.py"));
    let run = sandbox.program(&python.path).arg(script).args([port.to_string(), inner.to_string()]);
    let mut relay = sandbox.start(run);
    relay.wait_for(port);
    let address = format!("localhost:{port}");
    let plain = sandbox.certkit(&["connect", &address, "--scan"]).expect_code(2);
    plain.complains("--starttls");
    let found = sandbox.certkit(&["connect", &address, "--scan", "--starttls", "smtp", "--json"]).json();
    assert_eq!(version(&found, "TLS 1.2")["supported"], "yes");
    assert_eq!(version(&found, "TLS 1.3")["supported"], "no");
    assert_eq!(found["starttls"], "SMTP");
}

#[test]
fn a_scan_leaves_the_server_well() {
    let (Some(program), Some(curl)) = (peer("openssl"), peer("curl")) else { return };
    let sandbox = scene();
    let (server, port) = openssl(&program, &sandbox, &["-cert", "rsa.pem", "-key", "rsa.pem"]);
    scan(&sandbox, port);
    sleep(Duration::from_millis(100));
    let url = format!("https://localhost:{port}/");
    sandbox.peer(&curl, &["-sf", "--cacert", "rsa.pem", &url]).expect_code(0).says("s_server");
    drop(server);
    assert!(fs::metadata(sandbox.path("rsa.pem")).is_ok());
}
