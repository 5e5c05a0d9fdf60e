//! `certkit connect`: servers good and bad, told and judged. Those that need other programs are in `interop/connect.rs`.

use certkit::encoding::pem;
use certkit::key::{KeyAlgorithm, PrivateKey};
use certkit::tls::code::{NamedGroup, ProtocolVersion};
use serde_json::Value;

use crate::support::forge::{Forge, Hierarchy};
use crate::support::forge_ocsp::ForgeOcsp;
use crate::support::tls_server::{TlsServer, on_port};
use crate::support::{Ran, Sandbox};

/// A hierarchy with a server for `localhost`, and a folder with its root.
pub(crate) struct Place {
    pub(crate) sandbox: Sandbox,
    pub(crate) hierarchy: Hierarchy,
}

impl Place {
    pub(crate) fn new() -> Self {
        let (sandbox, hierarchy) = (Sandbox::new(), Hierarchy::new());
        sandbox.write("root.pem", &*pem::write("CERTIFICATE", hierarchy.root.certificate.der()));
        Self { sandbox, hierarchy }
    }

    /// The sound chain: a certificate for `localhost` and its issuer.
    pub(crate) fn chain(&self) -> Vec<Vec<u8>> {
        self.chain_of(&self.hierarchy.server("localhost"))
    }

    fn chain_of(&self, leaf: &Forge) -> Vec<Vec<u8>> {
        let issuer = &self.hierarchy.intermediate;
        vec![leaf.sign_der(&issuer.key), issuer.certificate.der().to_vec()]
    }

    pub(crate) fn server(&self) -> TlsServer {
        TlsServer::new(self.chain(), &self.hierarchy.leaf_key)
    }

    /// Connects as of the time for which the certificates are made.
    pub(crate) fn connect(&self, port: u16, args: &[&str]) -> Ran {
        let target = format!("localhost:{port}");
        let fixed = ["connect", &target, "--roots", "root.pem", "--at", "2026-11-23T12:00:00Z"];
        self.sandbox.certkit(&[&fixed, args].concat())
    }

    fn json(&self, port: u16, args: &[&str], code: i32) -> Value {
        self.connect(port, &[&["--json"], args].concat()).expect_code(code).json()
    }
}

fn kinds(of: &Value) -> Vec<&str> {
    of["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

#[track_caller]
fn is_rejected_for(told: &Value, check: &str) {
    let reasons = told["verdict"]["reasons"].as_array().unwrap();
    assert!(reasons.iter().any(|reason| reason["check"] == check), "{reasons:?}");
    assert_eq!((told["accepted"].as_bool(), &told["summary"]["outcome"]), (Some(false), &"completed".into()));
    assert_eq!(told["summary"]["signature_holds"], true);
}

#[test]
fn a_good_server_is_told_to_the_last_message_and_accepted() {
    let place = Place::new();
    let port = place.server().start();
    let told = place.json(port, &[], 0);
    assert_eq!(told["schema"], "certkit.connect/1");
    assert_eq!(told["endpoint"], format!("localhost:{port}"));
    let summary = &told["summary"];
    assert_eq!((&summary["outcome"], &summary["version"]), (&"completed".into(), &"TLS 1.3".into()), "{summary}");
    assert_eq!(summary["server_name"], "localhost");
    assert_eq!((&summary["finished_verified"], &summary["signature_holds"]), (&true.into(), &true.into()));
    assert_eq!(
        kinds(&told)[..9],
        [
            "ClientHello",
            "ServerHello",
            "ChangeCipherSpec",
            "EncryptedExtensions",
            "Certificate",
            "CertificateVerify",
            "Finished",
            "ChangeCipherSpec",
            "Finished"
        ]
    );
    assert_eq!(told["verdict"]["accepted"], true);
    assert_eq!((&told["failure"], &told["starttls"]), (&Value::Null, &Value::Null));
    assert!(told["steps"]["handshake_ms"].as_f64().unwrap() > 0.0);
    let attempts = told["route"]["attempts"].as_array().unwrap();
    assert_eq!(attempts.last().unwrap()["outcome"], "connected");
    place
        .connect(port, &["--explain"])
        .expect_code(0)
        .says("TLS_AES_256_GCM_SHA384, ")
        .says("key shares")
        .says("JA4")
        .says("CN=Test Intermediate")
        .says("A signature over everything said so far")
        .says("ACCEPTED localhost:");
}

#[test]
fn a_bad_certificate_is_told_and_rejected() {
    let place = Place::new();
    let port = place.server().start();
    let late = place.sandbox.certkit(&[
        "connect",
        &format!("localhost:{port}"),
        "--roots",
        "root.pem",
        "--at",
        "2066-01-01",
        "--json",
    ]);
    is_rejected_for(&late.expect_code(1).json(), "validity");
    is_rejected_for(&place.json(port, &["--host", "www.example.com"], 1), "identity");
    let other_name = place.json(port, &["--sni", "www.example.com"], 1);
    is_rejected_for(&other_name, "identity");
    assert_eq!(other_name["summary"]["server_name"], "www.example.com");
    assert_eq!(place.json(port, &["--no-sni"], 0)["summary"]["server_name"], Value::Null);
    place.connect(port, &["--host", "www.example.com"]).expect_code(1).says("REJECTED localhost:").says("completed");
}

#[test]
fn a_chain_that_leads_nowhere_is_rejected() {
    let place = Place::new();
    let port = place.server().start();
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let stranger = Forge::root("Another Root", &key).sign_der(&key);
    place.sandbox.write("other.pem", &*pem::write("CERTIFICATE", &stranger));
    let args =
        ["connect", &format!("localhost:{port}"), "--roots", "other.pem", "--at", "2026-11-23T12:00:00Z", "--json"];
    is_rejected_for(&place.sandbox.certkit(&args).expect_code(1).json(), "name-chaining");

    let alone = TlsServer { chain: place.chain()[..1].to_vec(), ..place.server() }.start();
    is_rejected_for(&place.json(alone, &[], 1), "name-chaining");
    let issuer = pem::write("CERTIFICATE", place.hierarchy.intermediate.certificate.der()).to_string();
    place.sandbox.write("issuer.pem", issuer);
    assert_eq!(place.json(alone, &["--intermediates", "issuer.pem"], 0)["accepted"], true);

    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let own = Forge { issuer: Forge::root("localhost", &key).issuer, ..Forge::root("localhost", &key) };
    let self_signed = TlsServer::new(vec![own.sign_der(&key)], &key).start();
    is_rejected_for(&place.json(self_signed, &[], 1), "path");
}

#[test]
fn a_certificate_that_does_not_parse_is_told_and_rejected() {
    let place = Place::new();
    let port = TlsServer { chain: vec![b"no certificate".to_vec()], ..place.server() }.start();
    let told = place.json(port, &[], 1);
    assert_eq!(told["verdict"]["reasons"][0]["check"], "encoding");
    assert!(kinds(&told).contains(&"Certificate"));
}

#[test]
fn who_has_not_the_key_of_its_certificate_is_found_out() {
    let place = Place::new();
    let other = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    for version in [ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_3] {
        let port = TlsServer { key: other.clone(), version: Some(version), ..place.server() }.start();
        let told = place.json(port, &[], 1);
        let message = told["failure"]["message"].as_str().unwrap();
        assert!(message.contains("does not prove to have the key"), "{message}");
        assert_eq!(
            (&told["summary"]["outcome"], &told["summary"]["signature_holds"]),
            (&"failed".into(), &false.into())
        );
        assert_eq!(told["accepted"], false);
    }
}

#[test]
fn a_server_that_wants_a_client_certificate_gets_one() {
    let place = Place::new();
    let clients = Hierarchy::new();
    for version in [ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_3] {
        let server =
            TlsServer { clients: Some(clients.root.certificate.clone()), version: Some(version), ..place.server() };
        let port = server.start();
        let refused = place.json(port, &[], 1);
        let message = refused["failure"]["message"].as_str().unwrap();
        assert!(message.contains("the server refuses the handshake with the alert"), "{message}");
        assert_eq!(refused["summary"]["client_certificate"], "declined");

        let mut forge = Forge::server("client", &clients.leaf_key, &clients.root);
        forge.remove::<certkit::x509::extension::ExtendedKeyUsage>();
        let pems = pem::write("CERTIFICATE", &forge.sign_der(&clients.root.key)).to_string();
        let key = pem::write("PRIVATE KEY", &clients.leaf_key.to_pkcs8_der()).to_string();
        place.sandbox.write("client.pem", &pems);
        place.sandbox.write("client-key.pem", &key);
        place.sandbox.write("both.pem", key + &pems);
        for args in [&["--cert", "client.pem", "--key", "client-key.pem"][..], &["--cert", "both.pem"]] {
            let told = place.json(port, args, 0);
            assert_eq!(told["summary"]["client_certificate"], "sent", "{version}");
        }
    }
    place.connect(1, &["--cert", "client.pem"]).expect_code(2).complains("holds no private key");
    let other = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    place.sandbox.write("other-key.pem", &*pem::write("PRIVATE KEY", &other.to_pkcs8_der()));
    place.connect(1, &["--cert", "client.pem", "--key", "other-key.pem"]).expect_code(2).complains("does not belong");
}

#[test]
fn tls_1_2_is_told_with_its_key_exchange() {
    let place = Place::new();
    let port = TlsServer { version: Some(ProtocolVersion::TLS1_2), ..place.server() }.start();
    let told = place.json(port, &[], 0);
    assert_eq!(told["summary"]["version"], "TLS 1.2");
    assert_eq!(
        (&told["summary"]["finished_verified"], &told["summary"]["forward_secret"]),
        (&true.into(), &true.into())
    );
    let kinds = kinds(&told);
    for kind in ["ServerKeyExchange", "ServerHelloDone", "ClientKeyExchange"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    let refused = place.json(port, &["--tls", "1.3"], 1);
    assert!(refused["failure"]["message"].as_str().unwrap().contains("protocol_version"), "{}", refused["failure"]);
    assert!(refused["failure"]["hint"].as_str().unwrap().contains("--scan"));
    assert_eq!(kinds_of_alerts(&refused), 1);
}

fn kinds_of_alerts(told: &Value) -> usize {
    kinds(told).iter().filter(|kind| **kind == "Alert").count()
}

#[test]
fn suites_groups_and_protocols_are_as_asked() {
    let place = Place::new();
    let port = TlsServer { protocols: vec!["h2", "http/1.1"], ..place.server() }.start();
    let told =
        place.json(port, &["--ciphers", "tls_chacha20_poly1305_sha256", "--groups", "P-384", "--alpn", "http/1.1"], 0);
    assert_eq!(told["summary"]["cipher_suite"]["name"], "TLS_CHACHA20_POLY1305_SHA256");
    assert_eq!(
        (&told["summary"]["key_exchange"], &told["summary"]["protocol"]),
        (&"secp384r1".into(), &"http/1.1".into())
    );
    assert_eq!(place.json(port, &["--groups", "X25519MLKEM768"], 0)["summary"]["key_exchange"], "X25519MLKEM768");
    assert_eq!(place.json(port, &[], 0)["summary"]["protocol"], Value::Null);
    let none = place.json(port, &["--alpn", "imap"], 1);
    assert!(none["failure"]["message"].as_str().unwrap().contains("no_application_protocol"));
    place.connect(port, &["--groups", "x448"]).expect_code(2).complains("hint: there are x25519, ");
    place.connect(port, &["--ciphers", "RC4"]).expect_code(2).complains("`RC4` is no cipher suite");
    let old = "TLS_RSA_WITH_AES_128_CBC_SHA";
    place.connect(port, &["--ciphers", old]).expect_code(2).complains("cannot be offered by this client");
    let mixed = ["--tls", "1.2", "--ciphers", "TLS_AES_128_GCM_SHA256"];
    place.connect(port, &mixed).expect_code(2).complains("none of the cipher suites is one of TLS 1.2");
}

#[test]
fn a_server_that_wants_another_group_is_asked_again() {
    let place = Place::new();
    let port =
        TlsServer { groups: vec![NamedGroup::SECP384R1], version: Some(ProtocolVersion::TLS1_3), ..place.server() };
    let told = place.json(port.start(), &[], 0);
    assert_eq!(kinds(&told)[..2], ["ClientHello", "HelloRetryRequest"]);
    assert_eq!(kinds(&told).iter().filter(|kind| **kind == "ClientHello").count(), 2);
    assert_eq!(told["summary"]["finished_verified"], true);
}

#[test]
fn a_staple_is_shown_and_judged() {
    let place = Place::new();
    let issuer = &place.hierarchy.intermediate;
    let leaf = place.hierarchy.server("localhost").sign(&issuer.key);
    let chain = vec![leaf.der().to_vec(), issuer.certificate.der().to_vec()];
    let with = |staple: Vec<u8>| TlsServer { chain: chain.clone(), staple: Some(staple), ..place.server() }.start();
    let good = with(ForgeOcsp::good(&leaf, issuer).sign_der(&issuer.key));
    let told = place.json(good, &["--check-revocation", "leaf"], 0);
    assert_eq!((&told["staple"]["status"], &told["summary"]["stapled"]), (&"good".into(), &true.into()));
    assert_eq!(told["staple"]["next_update"], "2026-11-24T11:00:00Z");
    place.connect(good, &[]).expect_code(0).says("OCSP staple: good");

    let revoked = with(ForgeOcsp::revoked(&leaf, issuer).sign_der(&issuer.key));
    let told = place.json(revoked, &[], 1);
    assert_eq!(told["staple"]["status"], "revoked");
    is_rejected_for(&told, "revocation");

    let forged = with(ForgeOcsp::good(&leaf, issuer).sign_der(&place.hierarchy.leaf_key));
    let told = place.json(forged, &[], 1);
    assert!(told["staple"]["fault"].is_string(), "{}", told["staple"]);
    is_rejected_for(&told, "ocsp-response");

    let garbage = with(b"no response".to_vec());
    assert!(place.json(garbage, &[], 1)["staple"]["fault"].is_string());
    let without = place.server().start();
    assert_eq!(place.json(without, &[], 0)["staple"], Value::Null);
    assert_eq!(place.json(without, &["--check-revocation", "leaf"], 1)["accepted"], false);
}

#[test]
fn a_server_that_says_nothing_could_not_be_asked() {
    let place = Place::new();
    let closes = on_port(drop);
    let ran = place.connect(closes, &[]).expect_code(2);
    assert!(ran.stderr.contains("closed the connection without a word") || ran.stderr.contains("broke"), "{ran}");
    let told = place.json(closes, &[], 2);
    assert_eq!(kinds(&told), ["ClientHello"]);

    let hangs = on_port(|stream| {
        std::thread::sleep(std::time::Duration::from_secs(15));
        drop(stream);
    });
    let begun = std::time::Instant::now();
    let ran = place.connect(hangs, &["--timeout", "1s"]).expect_code(2);
    assert!(ran.stderr.contains("did not answer the ClientHello in time"), "{ran}");
    assert!(begun.elapsed().as_secs() < 10);
}

#[test]
fn a_server_of_another_protocol_is_named() {
    let place = Place::new();
    let answers = |said: &'static [u8]| {
        on_port(move |mut stream| {
            use std::io::{Read, Write};
            _ = stream.read(&mut [0; 4096]);
            _ = stream.write_all(said);
        })
    };
    let http = answers(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    let told = place.json(http, &[], 1);
    assert!(told["failure"]["message"].as_str().unwrap().contains("it answers in HTTP"), "{}", told["failure"]);
    assert_eq!(kinds(&told), ["ClientHello", "NotTls"]);
    place.connect(http, &[]).expect_code(1).says("HTTPS has another");
    let smtp = answers(b"220 mail.test ESMTP\r\n");
    place.connect(smtp, &[]).expect_code(1).says("--starttls smtp");
    let garbage = answers(&[7; 40]);
    assert!(place.json(garbage, &[], 1)["failure"]["message"].as_str().unwrap().contains("with the bytes 0707"));
    // A record, but no handshake in it.
    let nonsense = answers(&[22, 3, 3, 0, 4, 99, 0, 0, 0]);
    assert!(place.json(nonsense, &[], 1)["failure"]["message"].as_str().unwrap().contains("breaks a rule"));
}

#[test]
fn who_cannot_be_reached_is_told_with_the_reason() {
    let place = Place::new();
    let port = crate::support::background::free_port();
    let ran = place.connect(port, &[]).expect_code(2).complains("nothing listens there");
    assert!(ran.stderr.contains("hint: does the server run, and on this port?"), "{ran}");
    let nobody = place.sandbox.certkit(&["connect", "nobody.invalid", "--roots", "root.pem"]);
    nobody.expect_code(2).complains("nobody.invalid");
    for (args, why) in [
        (&["https://localhost/"][..], "is a URL"),
        (&["localhost:0"], "is no port"),
        (&["localhost", "--timeout", "0s"], "between a second and an hour"),
        (&["localhost", "--force"], "--force has nothing to replace"),
        (&["localhost", "--http", "POST", "/", "--roots", "root.pem"], "`POST` is no method without a body"),
        (&["localhost", "--http", "GET", "/", "--alpn", "h2", "--roots", "root.pem"], "does not offer http/1.1"),
    ] {
        place.sandbox.certkit(&[&["connect"], args].concat()).expect_code(2).complains(why);
    }
}

#[test]
fn a_request_is_answered() {
    let place = Place::new();
    let port = TlsServer { protocols: vec!["http/1.1"], ..place.server() }.start();
    let told = place.json(port, &["--http", "GET", "/"], 0);
    assert_eq!((&told["http"]["status"], &told["http"]["body"]), (&200.into(), &"hello\n".into()));
    assert_eq!((&told["http"]["complete"], &told["summary"]["protocol"]), (&true.into(), &"http/1.1".into()));
    assert!(told["steps"]["response_ms"].as_f64().unwrap() > 0.0);
    let headlines: Vec<&str> =
        told["events"].as_array().unwrap().iter().map(|event| event["headline"].as_str().unwrap()).collect();
    assert!(headlines.iter().any(|line| line.starts_with("GET / HTTP/1.1")), "{headlines:?}");
    place.connect(port, &["--http", "GET", "/"]).expect_code(0).says("HTTP/1.1 200 OK").says("\nhello\n");
}

#[test]
fn a_second_connection_shows_whether_sessions_are_resumed() {
    let place = Place::new();
    for version in [ProtocolVersion::TLS1_2, ProtocolVersion::TLS1_3] {
        let port = TlsServer { version: Some(version), ..place.server() }.start();
        let again = place.json(port, &["--resume"], 0)["resumption"].take();
        assert_eq!((&again["resumed"], &again["early_data"]), (&true.into(), &"not_allowed".into()), "{version}");
        assert!(!kinds(&again).contains(&"Certificate"));
        assert_eq!(again["summary"]["finished_verified"], true);
        let forgets = TlsServer { version: Some(version), resumes: false, ..place.server() }.start();
        let again = place.json(forgets, &["--resume"], 0)["resumption"].take();
        assert_eq!(again["resumed"], false, "{version}");
    }
    let early = TlsServer { early_data: 16_384, ..place.server() }.start();
    let told = place.json(early, &["--resume", "--http", "GET", "/"], 0);
    assert_eq!(told["resumption"]["early_data"], "accepted");
    assert_eq!(told["resumption"]["http_status"], 200);
    place.connect(early, &["--resume"]).expect_code(0).says("second connection  resumed; early data accepted");
}

#[test]
fn what_is_saved_tells_the_same_story() {
    let place = Place::new();
    let port = place.server().start();
    let files = ["--save-pcap", "live.pcap", "--key-log", "keys.txt", "--save-chain", "chain.pem"];
    let told = place.json(port, &[&files[..], &["--http", "GET", "/"]].concat(), 0);
    let read =
        place.sandbox.certkit(&["capture", "live.pcap", "--key-log", "keys.txt", "--json"]).expect_code(0).json();
    let recorded = &read["connections"][0];
    assert_eq!(kinds(recorded), kinds(&told));
    for field in ["outcome", "version", "cipher_suite", "finished_verified", "signature_holds", "application_data"] {
        assert_eq!(recorded["summary"][field], told["summary"][field], "{field}");
    }
    for (one, other) in recorded["events"].as_array().unwrap().iter().zip(told["events"].as_array().unwrap()) {
        assert_eq!((&one["bytes"], &one["fields"]["random"]), (&other["bytes"], &other["fields"]["random"]));
    }
    let chain = String::from_utf8(place.sandbox.read("chain.pem")).unwrap();
    assert_eq!(chain.matches("BEGIN CERTIFICATE").count(), 2);
    let verify = ["verify", "chain.pem", "--host", "localhost", "--roots", "root.pem", "--at", "2026-11-23T12:00:00Z"];
    place.sandbox.certkit(&verify).expect_code(0);
    #[cfg(unix)]
    assert_eq!(place.sandbox.mode("keys.txt"), 0o600);
    place.connect(port, &["--key-log", "keys.txt"]).expect_code(2).complains("it exists already");
    place.connect(port, &["--save-pcap", "live.pcapng"]).expect_code(0);
    place.sandbox.certkit(&["capture", "live.pcapng", "--json"]).expect_code(0);
}

#[test]
fn secrets_are_shown_only_to_who_asks() {
    let place = Place::new();
    let port = place.server().start();
    let secrets = |ran: &Ran| {
        let keys = String::from_utf8(place.sandbox.read("keys.txt")).unwrap();
        let values: Vec<String> = keys.lines().map(|line| line.split(' ').next_back().unwrap().to_owned()).collect();
        assert!(values.len() >= 4, "{keys}");
        values.iter().filter(|value| ran.stdout.contains(value.as_str())).count()
    };
    for args in [&["--json", "--explain"][..], &["--explain", "--html", "l.html"]] {
        let ran = place.connect(port, &[args, &["--key-log", "keys.txt", "--force"]].concat()).expect_code(0);
        assert_eq!(secrets(&ran), 0, "{ran}");
    }
    let keys = String::from_utf8(place.sandbox.read("keys.txt")).unwrap();
    let page = String::from_utf8(place.sandbox.read("l.html")).unwrap();
    assert!(keys.lines().all(|line| !page.contains(line.split(' ').next_back().unwrap())));
    for args in [&["--json", "--show-secrets"][..], &["--show-secrets"]] {
        let ran = place.connect(port, &[args, &["--key-log", "keys.txt", "--force"]].concat()).expect_code(0);
        assert!(secrets(&ran) >= 4, "{ran}");
    }
}
