//! `certkit serve`, asked by programs of other makers, and in front of a server of another maker.

use std::io::{Read, Write};

use crate::support::background::free_port;
use crate::support::https::{Client as Bare, ask};
use crate::support::tap::Tap;
use crate::support::{Sandbox, peer};

use super::clients::{Ask, Client};
use super::live::issued;

fn site() -> Sandbox {
    let sandbox = issued(&["localhost", "other.test"]);
    std::fs::create_dir(sandbox.path("site")).unwrap();
    sandbox.write("site/index.html", "a page by certkit\n");
    sandbox
}

#[test]
fn every_client_fetches_from_the_right_server_with_the_right_certificate() {
    let sandbox = site();
    for (name, profile) in [("ann", "client"), ("server.test", "server")] {
        let (out, file) = (["ca", "issue", "--profile", profile, "--cn", name], format!("{name}.both.pem"));
        sandbox.certkit(&[&out[..], &["--out", &file, "--keyout", &file]].concat()).expect_code(0);
    }
    let stranger =
        ["new", "--profile", "client", "--cn", "Stranger", "--out", "stranger.pem", "--keyout", "stranger.pem"];
    sandbox.certkit(&stranger).expect_code(0);
    let open = sandbox.serve(&["site"]);
    let other = sandbox.serve_bare(&["site", "--cert", "other.test.pem"]);
    let private = sandbox.serve(&["site", "--client-ca", "ca.pem", "--require-client-cert"]);
    for client in Client::here() {
        let asks = [Ask::new("ca.pem", open.port), Ask::new("ca.pem", other.port), Ask::new("foreign.pem", open.port)];
        let answers = client.fetch(&sandbox, &asks);
        let accepted: Vec<bool> = answers.iter().map(|answer| answer.accepted).collect();
        assert_eq!(accepted, [true, false, false], "{client:?}: {answers:#?}");
    }
    for client in [Client::Curl, Client::Python, Client::Node, Client::GnuTls, Client::Wget] {
        let ask = || Ask::new("ca.pem", private.port);
        let asks = [
            ask().identity("ann.both.pem"),
            ask(),
            ask().identity("stranger.pem"),
            ask().identity("server.test.both.pem"),
        ];
        let answers = client.fetch(&sandbox, &asks);
        let accepted: Vec<bool> = answers.iter().map(|answer| answer.accepted).collect();
        assert_eq!(accepted, [true, false, false, false], "{client:?}: {answers:#?}");
    }
}

#[test]
fn openssl_negotiates_what_the_echo_tells() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = site();
    let server = sandbox.serve(&["--echo"]);
    let at = format!("127.0.0.1:{}", server.port);
    let echo = |more: &[&str]| {
        let common = ["s_client", "-quiet", "-connect", &at, "-CAfile", "ca.pem", "-servername", "localhost"];
        let run = sandbox.program(&openssl.path).args([&common[..], more].concat());
        let said = run.stdin("GET /json HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").run().stdout;
        let body = said.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{more:?}: {said}")).1.to_owned();
        serde_json::from_str::<serde_json::Value>(&body).unwrap()
    };
    for (flags, version, suite, group) in [
        (
            &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384", "-groups", "P-256"][..],
            "TLS 1.2",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "secp256r1",
        ),
        (
            &["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256", "-groups", "X25519"],
            "TLS 1.3",
            "TLS_CHACHA20_POLY1305_SHA256",
            "x25519",
        ),
        (
            &["-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256", "-groups", "P-384"],
            "TLS 1.3",
            "TLS_AES_128_GCM_SHA256",
            "secp384r1",
        ),
    ] {
        let told = echo(flags);
        let found = ["version", "cipher_suite", "group", "server_name"].map(|name| told[name].as_str().unwrap());
        assert_eq!(found, [version, suite, group, "localhost"], "{told}");
        assert_eq!((&told["resumed"], &told["protocol"]), (&false.into(), &serde_json::Value::Null));
    }
    // A session is taken up again.
    for flags in [&["-tls1_2"][..], &["-tls1_3"]] {
        echo(&[flags, &["-sess_out", "session.pem"]].concat());
        let told = echo(&[flags, &["-sess_in", "session.pem"]].concat());
        assert_eq!(told["resumed"], true, "{flags:?}: {told}");
    }
}

#[test]
fn tshark_opens_a_connection_with_the_key_log_and_finds_the_same_fingerprint() {
    let (Some(curl), Some(tshark)) = (peer("curl"), peer("tshark")) else { return };
    let sandbox = site();
    let server = sandbox.serve(&["--echo", "--key-log", "keys.txt"]);
    for version in ["1.2", "1.3"] {
        let tap = Tap::before(server.port);
        let url = format!("https://localhost:{}/json", tap.port);
        let fetch = ["-sS", "--http1.1", "--cacert", "ca.pem", "--tls-max", version, &url];
        let told = sandbox.peer(&curl, &fetch).expect_code(0).json();
        sandbox.write("live.pcap", tap.capture(443, certkit::pcap::Format::Pcap, None));
        let read = |field: &str, filter: &str| {
            let args = ["-r", "live.pcap", "-o", "tls.keylog_file:keys.txt", "-Y", filter, "-T", "fields", "-e", field];
            sandbox.peer(&tshark, &args).expect_code(0).stdout
        };
        assert_eq!(read("http.request.uri", "http.request").trim(), "/json", "TLS {version}");
        assert_eq!(read("tls.handshake.ja3", "tls.handshake.type == 1").trim(), told["ja3"].as_str().unwrap());
    }
}

#[test]
fn a_web_socket_goes_through_to_node() {
    let Some(node) = peer("node") else { return };
    let sandbox = site();
    let port = free_port();
    sandbox.write("socket.mjs", NODE);
    let other = Sandbox::new();
    let mut behind = other.start(sandbox.program(&node.path).args(["socket.mjs", &port.to_string()]));
    behind.wait_for(port);
    let server = sandbox.serve(&["--proxy", &format!("http://127.0.0.1:{port}")]);
    let mut connection = server.connect_as(&Bare { protocols: vec!["http/1.1"], ..Bare::default() }).unwrap();
    let fields = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let got = ask(&mut connection, "GET", "/chat", &fields);
    // The example of RFC 6455 §1.3.
    assert_eq!((got.status, got.field("sec-websocket-accept")), (101, Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")));
    // "Hello" as a client masks it, and as a server does not (RFC 6455 §5.7).
    connection.write_all(&[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]).unwrap();
    let mut frame = [0; 7];
    connection.read_exact(&mut frame).unwrap();
    assert_eq!(&frame, b"\x81\x05Hello");
}

/// A server of WebSocket that sends back short messages.
const NODE: &str = r#"
import http from "node:http";
import { createHash } from "node:crypto";
const server = http.createServer((request, response) => response.end("plain"));
server.on("upgrade", (request, socket) => {
    const key = request.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    const accept = createHash("sha1").update(key).digest("base64");
    socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        `Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
    socket.on("data", (frame) => {
        const length = frame[1] & 0x7f, mask = frame.subarray(2, 6), text = frame.subarray(6, 6 + length);
        const plain = Buffer.from(text.map((octet, at) => octet ^ mask[at % 4]));
        socket.write(Buffer.concat([Buffer.from([0x81, length]), plain]));
    });
});
server.listen(Number(process.argv[2]), "127.0.0.1");
"#;
