//! Recordings of real handshakes, told by `certkit capture` and, field by field, by tshark.

use serde_json::Value;

use certkit::pcap::Format;

use super::server::Server;
use crate::support::background::comes_true;
use crate::support::tap::Tap;
use crate::support::{Peer, Sandbox, pass_over, peer};

/// A handshake between `openssl s_server` and `openssl s_client`, heard by a tap.
pub(super) struct Heard {
    pub(super) sandbox: Sandbox,
    pub(super) capture: Vec<u8>,
}

pub(super) const RSA: [&str; 4] = ["-cert", "rsa.pem", "-key", "rsa.pem"];
const EC: [&str; 4] = ["-cert", "ec.pem", "-key", "ec.pem"];

/// Has them talk `times` times, the client with these arguments in turn.
fn hear(openssl: &Peer, server: &[&str], clients: &[&[&str]]) -> Heard {
    hear_of(openssl, "/", Sandbox::new(), &[&["-www"][..], server].concat(), clients)
}

/// As [`hear`], with another question and a server that says how it answers.
pub(super) fn hear_of(openssl: &Peer, path: &str, sandbox: Sandbox, server: &[&str], clients: &[&[&str]]) -> Heard {
    for (file, key) in [("rsa.pem", &["rsa:2048"][..]), ("ec.pem", &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"])] {
        let fixed = [
            "req",
            "-x509",
            "-nodes",
            "-subj",
            "/CN=localhost",
            "-days",
            "30",
            "-keyout",
            "key.tmp",
            "-out",
            "cert.tmp",
        ];
        let named = ["-addext", "subjectAltName=DNS:localhost"];
        sandbox.peer(openssl, &[&fixed[..], &named, &["-newkey"], key].concat()).expect_code(0);
        sandbox.write(file, [sandbox.read("key.tmp"), sandbox.read("cert.tmp")].concat());
    }
    let server = Server::openssl_with(openssl, &sandbox, server);
    let tap = Tap::before(server.ports[0]);
    for client in clients {
        let connect = format!("127.0.0.1:{}", tap.port);
        let fixed =
            ["s_client", "-connect", &connect, "-servername", "localhost", "-ign_eof", "-keylogfile", "keys.txt"];
        let asks = sandbox.program(&openssl.path).args([&fixed[..], client].concat());
        asks.stdin(format!("GET {path} HTTP/1.0\r\n\r\n")).run();
    }
    let capture = tap.capture(443, Format::Pcap, None);
    sandbox.write("heard.pcap", &capture);
    Heard { sandbox, capture }
}

impl Heard {
    fn told(&self, args: &[&str]) -> Value {
        self.sandbox.certkit(&[&["capture", "heard.pcap", "--json"], args].concat()).expect_code(0).json()
    }

    /// What tshark makes of it, with the key log.
    fn by_tshark(&self, tshark: &Peer) -> Value {
        let keys = format!("tls.keylog_file:{}", self.sandbox.path("keys.txt").display());
        let args = ["-r", "heard.pcap", "-T", "json", "--no-duplicate-keys", "-o", &keys, "-Y", "tls"];
        self.sandbox.peer(tshark, &args).expect_code(0).json()
    }
}

/// The fields that are compared: tshark's name, and the path in the fields of certkit's events.
const FIELDS: &[(&[&str], &[&str])] = &[
    (&["tls.handshake.random"], &["random"]),
    (&["tls.handshake.session_id"], &["legacy_session_id", "legacy_session_id_echo"]),
    (&["tls.handshake.ciphersuite"], &["cipher_suites", "cipher_suite"]),
    (&["tls.handshake.extension.type"], &["extension_type"]),
    (&["tls.handshake.extensions_server_name"], &["server_name_list"]),
    (&["tls.handshake.extensions_supported_group"], &["named_group_list"]),
    (&["tls.handshake.extensions_key_share_key_exchange"], &["key_exchange"]),
    (&["tls.handshake.certificate"], &["cert_data"]),
    (&["tls.handshake.server_point"], &["public"]),
    (&["tls.handshake.client_point"], &["ecdh_Yc"]),
    (&["tls.handshake.sig", "tls.handshake.client_cert_vrfy.sig"], &["signature"]),
    (&["tls.handshake.session_ticket_lifetime_hint"], &["ticket_lifetime_hint", "ticket_lifetime"]),
    (&["tls.alert_message.desc"], &["description"]),
];

/// Everything under these names, in order.
fn collect(value: &Value, names: &[&str], found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                if names.contains(&name.as_str()) {
                    leaves(inner, found);
                }
                collect(inner, names, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| collect(inner, names, found)),
        _ => {}
    }
}

/// Values in one form: numbers in decimal, bytes in hexadecimal without colons.
fn leaves(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(list) => list.iter().for_each(|inner| leaves(inner, found)),
        Value::Object(map) => {
            if let Some(Value::String(code)) = map.get("code") {
                found.push(number(code));
            }
        }
        Value::Number(plain) => found.push(plain.to_string()),
        Value::String(text) => {
            let joined = text.replace(':', "");
            found.push(if text.starts_with("0x") { number(text) } else { joined });
        }
        _ => {}
    }
    found.retain(|leaf| !leaf.is_empty());
}

fn number(code: &str) -> String {
    u64::from_str_radix(code.trim_start_matches("0x"), 16).map_or_else(|_| code.to_owned(), |number| number.to_string())
}

/// Both tell the same, as far as both tell it; `least` fields have something to compare.
#[track_caller]
pub(super) fn agree(ours: &Value, theirs: &Value, least: usize) {
    let mut compared = 0;
    let events: Vec<&Value> =
        ours["connections"].as_array().unwrap().iter().flat_map(|one| one["events"].as_array().unwrap()).collect();
    let fields = Value::Array(events.iter().map(|event| event["fields"].clone()).collect());
    for (theirs_names, ours_names) in FIELDS {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        collect(&fields, ours_names, &mut one);
        collect(theirs, theirs_names, &mut other);
        // tshark tells packets in order; within a packet the order of certkit's.
        assert_eq!(one, other, "{theirs_names:?}");
        compared += usize::from(!one.is_empty());
    }
    let mut types = Vec::new();
    collect(theirs, &["tls.handshake.type"], &mut types);
    let kinds: Vec<String> = events.iter().filter_map(|event| number_of(event["kind"].as_str().unwrap())).collect();
    assert_eq!(kinds, types, "the messages and their order");
    assert!(compared >= least, "only {compared} fields were compared");
}

/// The HandshakeType of an event (RFC 8446 §4).
pub(super) fn number_of(kind: &str) -> Option<String> {
    let number = match kind {
        "ClientHello" => 1,
        "ServerHello" | "HelloRetryRequest" => 2,
        "NewSessionTicket" => 4,
        "EndOfEarlyData" => 5,
        "EncryptedExtensions" => 8,
        "Certificate" => 11,
        "ServerKeyExchange" => 12,
        "CertificateRequest" => 13,
        "ServerHelloDone" => 14,
        "CertificateVerify" => 15,
        "ClientKeyExchange" => 16,
        "Finished" => 20,
        _ => return None,
    };
    Some(number.to_string())
}

#[test]
fn every_version_is_told_as_tshark_tells_it() {
    let (Some(openssl), Some(tshark)) = (peer("openssl"), peer("tshark")) else { return };
    let weak = "ALL:@SECLEVEL=0";
    let old = |version: &'static str, suite: &'static str| vec![version, "-cipher", suite];
    for (server, client, version) in [
        ([&RSA[..], &["-cipher", weak]].concat(), old("-tls1", "AES128-SHA:@SECLEVEL=0"), "TLS 1.0"),
        ([&RSA[..], &["-cipher", weak]].concat(), old("-tls1", "ECDHE-RSA-AES256-SHA:@SECLEVEL=0"), "TLS 1.0"),
        ([&RSA[..], &["-cipher", weak]].concat(), old("-tls1_1", "DHE-RSA-AES128-SHA:@SECLEVEL=0"), "TLS 1.1"),
        (RSA.to_vec(), old("-tls1_2", "AES128-GCM-SHA256"), "TLS 1.2"),
        (RSA.to_vec(), old("-tls1_2", "ECDHE-RSA-AES128-SHA256"), "TLS 1.2"),
        (EC.to_vec(), old("-tls1_2", "ECDHE-ECDSA-CHACHA20-POLY1305"), "TLS 1.2"),
        (EC.to_vec(), vec!["-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"], "TLS 1.3"),
        (RSA.to_vec(), vec!["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"], "TLS 1.3"),
        // A HelloRetryRequest.
        ([&EC[..], &["-groups", "P-384"]].concat(), vec!["-tls1_3", "-groups", "X25519:P-384"], "TLS 1.3"),
        // A client with a certificate.
        ([&EC[..], &["-Verify", "1"]].concat(), [&["-tls1_3"][..], &RSA].concat(), "TLS 1.3"),
        ([&EC[..], &["-Verify", "1"]].concat(), [&["-tls1_2"][..], &RSA].concat(), "TLS 1.2"),
    ] {
        let heard = hear(&openssl, &server, &[&client]);
        let ours = heard.told(&["--key-log", "keys.txt"]);
        let summary = &ours["connections"][0]["summary"];
        let said = format!("{client:?}\n{summary:#}");
        assert_eq!((&summary["outcome"], &summary["version"]), (&"completed".into(), &version.into()), "{said}");
        assert_eq!(
            (&summary["finished_verified"], &summary["server_name"]),
            (&true.into(), &"localhost".into()),
            "{said}"
        );
        let is_rsa = summary["key_exchange"].as_str().unwrap().starts_with("RSA");
        assert_eq!(summary["signature_holds"], if is_rsa { Value::Null } else { true.into() }, "{said}");
        assert_eq!(summary["forward_secret"], !is_rsa, "{said}");
        let data = &ours["connections"][0]["events"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|event| event["kind"] == "ApplicationData");
        let lines: Vec<_> = data.clone().map(|event| event["headline"].as_str().unwrap().to_owned()).collect();
        assert!(lines[0].starts_with("GET / HTTP/1.0") && lines[1].starts_with("HTTP/1.0 200 ok"), "{lines:?}");
        agree(&ours, &heard.by_tshark(&tshark), 7);
    }
}

#[test]
fn resumption_is_told() {
    let (Some(openssl), Some(tshark)) = (peer("openssl"), peer("tshark")) else { return };
    for (version, exchange) in [("-tls1_2", "none: the master secret"), ("-tls1_3", "x25519 and a pre-shared key")] {
        let heard = hear(&openssl, &RSA, &[&[version, "-sess_out", "session"], &[version, "-sess_in", "session"]]);
        let ours = heard.told(&["--key-log", "keys.txt"]);
        let summaries: Vec<&Value> = (0..2).map(|at| &ours["connections"][at]["summary"]).collect();
        assert_eq!(summaries.iter().map(|one| one["resumed"] == true).collect::<Vec<_>>(), [false, true], "{ours:#}");
        assert!(summaries[1]["key_exchange"].as_str().unwrap().starts_with(exchange), "{}", summaries[1]);
        assert!(summaries.iter().all(|one| one["finished_verified"] == true), "{ours:#}");
        agree(&ours, &heard.by_tshark(&tshark), 7);
    }
}

/// By its ticket, or by its identifier where the server gives no tickets: a resumed session has no key exchange of its own.
#[test]
fn the_servers_rsa_key_opens_what_was_resumed_too() {
    let Some(openssl) = peer("openssl") else { return };
    let rsa = ["-tls1_2", "-cipher", "AES128-GCM-SHA256"];
    for tickets in [&[][..], &["-no_ticket"]] {
        let first = [&rsa[..], &["-sess_out", "session"]].concat();
        let second = [&rsa[..], &["-sess_in", "session"]].concat();
        let heard = hear(&openssl, &[&RSA[..], tickets].concat(), &[&first, &second]);
        let ours = heard.told(&["--key", "rsa.pem"]);
        for (at, resumed, source) in
            [(0, false, "the server's RSA key"), (1, true, "the session resumed, opened earlier")]
        {
            let summary = &ours["connections"][at]["summary"];
            assert_eq!(
                (&summary["resumed"], &summary["decrypted_with"]),
                (&resumed.into(), &source.into()),
                "{ours:#}"
            );
            assert_eq!(summary["finished_verified"], true, "{ours:#}");
        }
    }
}

#[test]
fn early_data_is_opened() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = Sandbox::new();
    let req = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=localhost",
        "-keyout",
        "k.pem",
        "-out",
        "c.pem",
    ];
    sandbox.peer(&openssl, &req).expect_code(0);
    let server = ["-tls1_3", "-early_data", "-cert", "c.pem", "-key", "k.pem"];
    let server = Server::openssl_with(&openssl, &sandbox, &server);
    let tap = Tap::before(server.ports[0]);
    sandbox.write("early", "sent before the handshake is done");
    // The ticket comes after the handshake: the first client must not leave before it has it.
    let has_ticket = "for _ in $(seq 1200); do [ -s session ] && break; sleep 0.05; done";
    for more in ["-sess_out session", "-sess_in session -early_data early"] {
        let client = format!("openssl s_client -connect 127.0.0.1:{} -tls1_3 -keylogfile keys.txt {more}", tap.port);
        sandbox.shell(&format!("({has_ticket}; echo Q) | {client}")).expect_code(0);
    }
    sandbox.write("heard.pcap", tap.capture(443, Format::Pcap, None));
    let told = ["capture", "heard.pcap", "--json", "--key-log", "keys.txt"];
    let ours = sandbox.certkit(&told).expect_code(0).json();
    let connection = &ours["connections"][1];
    let events = connection["events"].as_array().unwrap();
    let kinds: Vec<&str> = events.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    let early = &events[kinds.iter().position(|kind| *kind == "ApplicationData").unwrap()];
    assert!(kinds.contains(&"EndOfEarlyData") && early["protection"] == "decrypted", "{kinds:?}");
    let hex: String = sandbox.read("early").iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(early["bytes"], hex, "{early:#}");
    assert_eq!(connection["summary"]["finished_verified"], true);
}

#[test]
fn keys_in_the_capture_itself_are_used_and_both_formats_are_what_tshark_reads() {
    let (Some(openssl), Some(tshark)) = (peer("openssl"), peer("tshark")) else { return };
    let sandbox = hear(&openssl, &EC, &[&["-tls1_3"]]);
    let frames = |name: &str, filter: &str| {
        let args = ["-r", name, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-Y", filter];
        sandbox.sandbox.peer(&tshark, &args).expect_code(0).stdout.lines().count()
    };
    let bad = "tcp.checksum.status == 0 || ip.checksum.status == 0 || tcp.analysis.flags || _ws.malformed";
    assert_eq!(frames("heard.pcap", bad), 0);
    assert!(frames("heard.pcap", "tls.handshake") >= 2);

    let pcapng = with_keys(&sandbox, false);
    sandbox.sandbox.write("keys.pcapng", pcapng);
    assert_eq!(frames("keys.pcapng", bad), 0);
    assert_eq!(frames("keys.pcapng", "tls.handshake.type == 11"), 1);
    let ours = sandbox.sandbox.certkit(&["capture", "keys.pcapng", "--follow"]).expect_code(0);
    ours.says("decrypted with  a key log").says("| HTTP/1.0 200 ok");

    // Keys after the packets: a file is read again, a pipe cannot be.
    sandbox.sandbox.write("late.pcapng", with_keys(&sandbox, true));
    let ours = sandbox.sandbox.certkit(&["capture", "late.pcapng", "--follow"]).expect_code(0);
    ours.says("decrypted with  a key log").says("| HTTP/1.0 200 ok");
    let piped = sandbox.sandbox.shell("certkit capture - <late.pcapng").expect_code(0);
    assert!(!piped.complains("save it to a file").stdout.contains("decrypted with"));
    sandbox
        .sandbox
        .certkit(&["capture", "heard.pcap", "--follow"])
        .expect_code(2)
        .complains("has no effect without keys");
}

/// The same packets as pcapng, with the key log before or after them.
fn with_keys(heard: &Heard, late: bool) -> Vec<u8> {
    use certkit::pcap::{CaptureFile, CaptureWriter, Item, LinkType};
    let mut writer = CaptureWriter::new(Vec::new(), Format::Pcapng, LinkType::ETHERNET).unwrap();
    let keys = heard.sandbox.read("keys.txt");
    if !late {
        writer.key_log(&keys).unwrap();
    }
    let mut file = CaptureFile::open(&heard.capture[..]).unwrap();
    while let Some(Item::Packet(packet)) = file.next_item().unwrap() {
        writer.packet(packet.at, packet.bytes).unwrap();
    }
    if late {
        writer.key_log(&keys).unwrap();
    }
    writer.into_inner()
}

const PYTHON: &str = r#"
import http.server, ssl, sys
class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello over TLS\n")
    def log_message(self, *_): ...
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.maximum_version = ssl.TLSVersion.TLSv1_2
context.set_ciphers("AES128-GCM-SHA256")
context.load_cert_chain("cert.pem")
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Hello)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"#;

/// As in an introduction to TLS: Python serves, curl fetches, and the server's key opens the recording.
#[test]
fn the_servers_rsa_key_opens_what_curl_fetched_from_python() {
    let (Some(python), Some(curl)) = (peer("python3"), peer("curl")) else { return };
    let sandbox = Sandbox::new();
    let new = ["new", "--cn", "localhost", "--type", "rsa:2048", "--out", "cert.pem", "--keyout", "cert.pem"];
    sandbox.certkit(&new).expect_code(0);
    let port = crate::support::background::free_port();
    let mut server = sandbox.start(sandbox.program(&python.path).args(["-c", PYTHON, &port.to_string()]));
    server.wait_for(port);
    let tap = Tap::before(port);
    let url = format!("https://localhost:{}/", tap.port);
    let fetch = sandbox.program(&curl.path).args(["-4", "-sS", "--cacert", "cert.pem", "--tls-max", "1.2", &url]);
    fetch.env("SSLKEYLOGFILE", sandbox.path("keys.txt")).expect_code(0).says("hello over TLS");
    sandbox.write("heard.pcap", tap.capture(4443, Format::Pcap, None));

    let plain = sandbox.certkit(&["capture", "heard.pcap"]).expect_code(0);
    let plain = plain.says("TLS_RSA_WITH_AES_128_GCM_SHA256").says("not forward secret");
    assert!(!plain.stdout.contains("hello over TLS"));
    let opened = ["capture", "heard.pcap", "--key", "cert.pem", "--explain", "--follow"];
    let ran = sandbox.certkit(&opened).expect_code(0).says("decrypted with  the server's RSA key");
    let ran =
        ran.says("| hello over TLS").says("GET / HTTP/1.1").says("it is right: both have seen the same handshake");
    let ran = ran.says("master secret = PRF of SHA-256(").says("client key = bytes 0 to 15 of the key block");

    // The master secret is the one that curl has noted, and is shown only when asked for.
    let keys = String::from_utf8(sandbox.read("keys.txt")).unwrap();
    let master =
        keys.lines().find(|line| line.starts_with("CLIENT_RANDOM")).unwrap().split(' ').nth(2).unwrap().to_owned();
    assert!(!ran.stdout.contains(&master));
    let json = sandbox.certkit(&[&opened[..], &["--json"]].concat()).expect_code(0);
    assert!(!json.stdout.contains(&master));
    sandbox.certkit(&[&opened[..], &["--show-secrets"]].concat()).expect_code(0).says(&master);
    sandbox.certkit(&[&opened[..], &["--show-secrets", "--json"]].concat()).expect_code(0).says(&master);

    // Another key opens nothing, and says so.
    let other = ["new", "--cn", "localhost", "--type", "rsa:2048", "--out", "other.pem", "--keyout", "other.pem"];
    sandbox.certkit(&other).expect_code(0);
    let ran = sandbox.certkit(&["capture", "heard.pcap", "--key", "other.pem"]).expect_code(0);
    ran.says("the private key given is not that of the server's certificate");
}

#[test]
fn what_tcpdump_captures_is_told() {
    let (Some(openssl), Some(tcpdump)) = (peer("openssl"), peer("tcpdump")) else { return };
    let sandbox = Sandbox::new();
    let req = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=localhost",
        "-keyout",
        "rsa.key",
        "-out",
        "rsa.crt",
    ];
    sandbox.peer(&openssl, &req).expect_code(0);
    let server = Server::openssl_with(&openssl, &sandbox, &["-www", "-cert", "rsa.crt", "-key", "rsa.key"]);
    let port = server.ports[0];
    for interface in ["lo", "any"] {
        let file = sandbox.path(format!("{interface}.pcap"));
        let filter = format!("tcp port {port}");
        let arguments = ["-i", interface, "-U", "-Z", "root", "-w", file.to_str().unwrap(), &filter];
        let mut capturing = sandbox.start(sandbox.program(&tcpdump.path).args(arguments));
        // The file's header is there when it listens; without the right to listen it ends.
        let listens = || std::fs::metadata(&file).is_ok_and(|about| about.len() >= 24);
        if !comes_true(|| listens() || capturing.has_ended()) || !listens() {
            return pass_over("tcpdump may not listen here").unwrap_or_default();
        }
        let connect = format!("127.0.0.1:{port}");
        sandbox.peer(&openssl, &["s_client", "-connect", &connect, "-servername", "localhost", "-tls1_2"]);
        let complete = comes_true(|| {
            let ran = sandbox.certkit(&["capture", file.to_str().unwrap(), "--json"]);
            ran.code == Some(0) && ran.json()["connections"][0]["summary"]["outcome"] == "completed"
        });
        drop(capturing);
        assert!(complete, "{interface}: {}", sandbox.certkit(&["capture", file.to_str().unwrap()]));
    }
}
