//! `certkit connect` to the servers of others: OpenSSL, GnuTLS, nginx, Python; and what tshark reads in its captures.

use serde_json::Value;

use super::captures::number_of;
use super::server::{Server, Site};
use crate::support::{Peer, Ran, Sandbox, peer, python};

/// A folder with a CA, and for each kind of key a certificate for `localhost`.
struct Desk {
    sandbox: Sandbox,
}

impl Desk {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        for kind in ["p256", "rsa:2048", "ed25519"] {
            let name = kind.split(':').next().unwrap();
            let (cert, key) = (format!("{name}.pem"), format!("{name}-key.pem"));
            sandbox
                .certkit(&["ca", "issue", "localhost", "--type", kind, "--out", &cert, "--keyout", &key])
                .expect_code(0);
        }
        Self { sandbox }
    }

    fn root(&self) -> String {
        self.sandbox.ca().join("ca.pem").display().to_string()
    }

    fn connect(&self, port: u16, args: &[&str]) -> Ran {
        let root = self.root();
        self.sandbox.certkit(&[&["connect", &format!("localhost:{port}"), "--roots", &root], args].concat())
    }

    fn json(&self, port: u16, args: &[&str], code: i32) -> Value {
        self.connect(port, &[&["--json"], args].concat()).expect_code(code).json()
    }

    fn openssl(&self, openssl: &Peer, kind: &str, args: &[&str]) -> Server {
        let (cert, key) = (format!("{kind}.pem"), format!("{kind}-key.pem"));
        Server::openssl_with(openssl, &self.sandbox, &[&["-cert", &cert, "-key", &key], args].concat())
    }
}

fn kinds(told: &Value) -> Vec<&str> {
    told["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

fn hint(told: &Value) -> &str {
    told["failure"]["hint"].as_str().unwrap_or_default()
}

#[test]
fn openssl_is_told_in_both_versions_and_with_every_kind_of_key() {
    let Some(openssl) = peer("openssl") else { return };
    let desk = Desk::new();
    for (kind, signed) in [("p256", "ecdsa_secp256r1_sha256"), ("rsa", "rsa_pss_rsae_sha256"), ("ed25519", "ed25519")] {
        for (version, flag) in [("TLS 1.2", "-tls1_2"), ("TLS 1.3", "-tls1_3")] {
            let server = desk.openssl(&openssl, kind, &["-www", flag]);
            let told = desk.json(server.ports[0], &["--http", "GET", "/"], 0);
            let summary = &told["summary"];
            assert_eq!((&summary["version"], &summary["signature"]), (&version.into(), &signed.into()), "{kind}");
            assert_eq!((&summary["finished_verified"], &summary["signature_holds"]), (&true.into(), &true.into()));
            assert_eq!(told["http"]["status"], 200);
        }
    }
}

#[test]
fn openssl_with_old_ways_refuses_and_the_scan_is_pointed_at() {
    let Some(openssl) = peer("openssl") else { return };
    let desk = Desk::new();
    let rsa = ["-www", "-tls1_2", "-cipher", "AES128-GCM-SHA256:AES128-SHA"];
    let told = desk.json(desk.openssl(&openssl, "rsa", &rsa).ports[0], &[], 1);
    assert_eq!(
        told["failure"]["message"].as_str().unwrap().split(':').next().unwrap(),
        ALERT.replace('X', "handshake_failure")
    );
    assert!(hint(&told).contains("--scan"), "{}", told["failure"]);
    assert_eq!(kinds(&told), ["ClientHello", "Alert"]);
    let old = ["-www", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"];
    let told = desk.json(desk.openssl(&openssl, "rsa", &old).ports[0], &[], 1);
    assert!(told["failure"]["message"].as_str().unwrap().starts_with(&ALERT.replace('X', "protocol_version")));
    assert!(hint(&told).contains("--scan"), "{}", told["failure"]);
}

const ALERT: &str = "the server refuses the handshake with the alert X";

#[test]
fn openssl_asks_again_for_another_group() {
    let Some(openssl) = peer("openssl") else { return };
    let desk = Desk::new();
    let server = desk.openssl(&openssl, "p256", &["-www", "-groups", "P-384"]);
    let told = desk.json(server.ports[0], &[], 0);
    assert_eq!(kinds(&told)[..2], ["ClientHello", "HelloRetryRequest"]);
    assert_eq!(
        (&told["summary"]["key_exchange"], &told["summary"]["finished_verified"]),
        (&"secp384r1".into(), &true.into())
    );
}

#[test]
fn openssl_resumes_and_takes_early_data() {
    let Some(openssl) = peer("openssl") else { return };
    let desk = Desk::new();
    for flag in ["-tls1_2", "-tls1_3"] {
        let server = desk.openssl(&openssl, "p256", &["-www", flag]);
        let told = desk.json(server.ports[0], &["--resume", "--http", "GET", "/"], 0);
        assert_eq!(
            (&told["resumption"]["resumed"], &told["resumption"]["http_status"]),
            (&true.into(), &200.into()),
            "{flag}"
        );
        assert_eq!(told["resumption"]["early_data"], "not_allowed");
    }
    let early = desk.openssl(&openssl, "p256", &["-tls1_3", "-early_data", "-max_early_data", "16384"]);
    let told = desk.json(early.ports[0], &["--resume"], 0);
    assert_eq!((&told["resumption"]["resumed"], &told["resumption"]["early_data"]), (&true.into(), &"accepted".into()));
    let forgets = desk.openssl(&openssl, "p256", &["-www", "-tls1_3", "-no_ticket", "-num_tickets", "0"]);
    assert_eq!(desk.json(forgets.ports[0], &["--resume"], 0)["resumption"]["resumed"], false);
}

#[test]
fn openssl_asks_for_a_client_certificate() {
    let Some(openssl) = peer("openssl") else { return };
    let desk = Desk::new();
    let client =
        ["ca", "issue", "client.test", "--profile", "client", "--out", "client.pem", "--keyout", "client-key.pem"];
    desk.sandbox.certkit(&client).expect_code(0);
    let root = desk.root();
    for flag in ["-tls1_2", "-tls1_3"] {
        let wants = ["-www", flag, "-Verify", "1", "-verify_return_error", "-CAfile", &root];
        let server = desk.openssl(&openssl, "p256", &wants);
        let port = server.ports[0];
        let refused = desk.json(port, &[], 1);
        assert_eq!(refused["summary"]["client_certificate"], "declined", "{flag}");
        assert!(refused["failure"]["message"].as_str().unwrap().contains("with the alert"), "{}", refused["failure"]);
        let told = desk.json(port, &["--cert", "client.pem", "--key", "client-key.pem", "--http", "GET", "/"], 0);
        assert_eq!(
            (&told["summary"]["client_certificate"], &told["http"]["status"]),
            (&"sent".into(), &200.into()),
            "{flag}"
        );
    }
}

#[test]
fn gnutls_nginx_and_python_are_told_and_answer() {
    let desk = Desk::new();
    let site = Site { chain: "p256.pem", key: "p256-key.pem", clients: None };
    let mut servers = Vec::new();
    if let Some(nginx) = peer("nginx") {
        servers.push(("nginx", Server::nginx(&nginx, &desk.sandbox, site)));
    }
    if let Some(python) = python() {
        servers.push(("Python", Server::python(&python, &desk.sandbox, &[site])));
    }
    for (name, server) in &servers {
        let told = desk.json(server.ports[0], &["--http", "GET", "/", "--resume"], 0);
        assert_eq!(
            (&told["http"]["status"], &told["summary"]["finished_verified"]),
            (&200.into(), &true.into()),
            "{name}"
        );
        assert!(told["http"]["body"].as_str().unwrap().contains(&format!("a page by {name}")), "{}", told["http"]);
        assert_eq!(told["resumption"]["resumed"], true, "{name}");
        assert_eq!(desk.json(server.ports[0], &["--host", "other.test"], 1)["accepted"], false, "{name}");
    }
    let Some(gnutls) = peer("gnutls-serv") else { return };
    for (priority, version) in
        [("NORMAL:-VERS-ALL:+VERS-TLS1.2", "TLS 1.2"), ("NORMAL:-VERS-ALL:+VERS-TLS1.3", "TLS 1.3")]
    {
        let port = crate::support::background::free_port();
        let fixed = [
            "--http",
            "--quiet",
            "--disable-client-cert",
            "--x509certfile",
            "p256.pem",
            "--x509keyfile",
            "p256-key.pem",
        ];
        let run =
            desk.sandbox.program(&gnutls.path).args(fixed).args(["--port", &port.to_string(), "--priority", priority]);
        let mut server = desk.sandbox.start(run);
        server.wait_for(port);
        let told = desk.json(port, &["--http", "GET", "/"], 0);
        assert_eq!((&told["http"]["status"], &told["summary"]["version"]), (&200.into(), &version.into()));
    }
}

#[test]
fn tshark_reads_the_saved_capture_with_the_saved_keys() {
    let (Some(openssl), Some(tshark)) = (peer("openssl"), peer("tshark")) else { return };
    let desk = Desk::new();
    for flag in ["-tls1_2", "-tls1_3"] {
        let server = desk.openssl(&openssl, "p256", &["-www", flag]);
        for file in ["live.pcap", "live.pcapng"] {
            let saves = ["--save-pcap", file, "--key-log", "keys.txt", "--force", "--http", "GET", "/"];
            let told = desk.json(server.ports[0], &saves, 0);
            let keys = format!("tls.keylog_file:{}", desk.sandbox.path("keys.txt").display());
            let port = format!("tcp.port=={},tls", server.ports[0]);
            let inside = format!("tls.port=={},http", server.ports[0]);
            let reads = |filter: &str, field: &str| {
                let args = [
                    "-r",
                    file,
                    "-o",
                    &keys,
                    "-d",
                    &port,
                    "-d",
                    &inside,
                    "-Y",
                    filter,
                    "-T",
                    "fields",
                    "-E",
                    "aggregator=,",
                    "-e",
                    field,
                ];
                desk.sandbox.peer(&tshark, &args).expect_code(0).stdout.replace('\n', ",")
            };
            let types: Vec<String> = reads("tls.handshake", "tls.handshake.type")
                .split(',')
                .filter(|one| !one.is_empty())
                .map(str::to_owned)
                .collect();
            let ours = kinds(&told).into_iter().filter_map(number_of).collect::<Vec<_>>();
            assert_eq!(types, ours, "{flag} {file}");
            assert!(reads("http.request", "http.request.method").contains("GET"), "{flag} {file}");
            assert_eq!(reads("tcp.analysis.flags || tcp.checksum.status == 0", "frame.number"), "", "{flag} {file}");
        }
    }
}
