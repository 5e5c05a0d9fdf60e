//! `certkit capture`: connections told from captures made here, byte by byte.

use certkit::pcap::{CaptureWriter, Conversation, Format, LinkType, Side};
use certkit::tls::code::{CipherSuite, ContentType, ProtocolVersion, SignatureScheme};
use certkit::tls::extension::Extensions;
use certkit::tls::handshake::{
    CertificateEntry, CertificateMessage, DigitallySigned, Handshake, KeyExchangeParameters, Offer, ServerHello,
    ServerKeyExchange,
};
use certkit::tls::record::write_records;

use crate::support::forge::{Hierarchy, NOON};
use crate::support::{Ran, Sandbox, browser, peer};

/// A TLS 1.2 handshake up to ServerHelloDone, whose ECDHE key is signed with the key of `www.example.com`.
struct Said {
    client: Vec<u8>,
    server: Vec<u8>,
}

const SUITE: CipherSuite = CipherSuite(0xc02b);

impl Said {
    fn new(hierarchy: &Hierarchy, spoil: impl FnOnce(&mut ServerKeyExchange)) -> Self {
        let mut offer = Offer::new(vec![ProtocolVersion::TLS1_2], [7; 32], vec![SUITE]);
        offer.server_name = Some("www.example.com".to_owned());
        offer.signature_schemes = vec![SignatureScheme::ECDSA_SECP256R1_SHA256];
        let random = [9; 32];
        let leaf = hierarchy.server("www.example.com").sign(&hierarchy.intermediate.key);
        let entry = |der: &[u8]| CertificateEntry { data: der.to_vec(), extensions: Extensions::default() };
        let point = [&[4][..], &[5; 64]].concat();
        let parameter_octets = [&[3, 0, 23, 65][..], &point].concat();
        let key = &hierarchy.leaf_key;
        let content = [&offer.random[..], &random, &parameter_octets].concat();
        let signature = key.sign(key.signature_algorithm(), &content).unwrap();
        let mut exchange = ServerKeyExchange {
            psk_identity_hint: None,
            parameters: Some(KeyExchangeParameters::Ecdhe {
                group: certkit::tls::code::NamedGroup::SECP256R1,
                public: point,
            }),
            parameter_octets,
            signature: Some(DigitallySigned { scheme: Some(SignatureScheme::ECDSA_SECP256R1_SHA256), signature }),
        };
        spoil(&mut exchange);
        let hello = ServerHello {
            legacy_version: ProtocolVersion::TLS1_2,
            random,
            session_id: Vec::new(),
            cipher_suite: SUITE,
            compression_method: certkit::tls::code::CompressionMethod(0),
            extensions: Extensions::default(),
        };
        let chain = [leaf.der(), hierarchy.intermediate.certificate.der()].map(entry).to_vec();
        let messages = [
            Handshake::ServerHello(hello),
            Handshake::Certificate(CertificateMessage { request_context: None, entries: chain }),
            Handshake::ServerKeyExchange(exchange),
            Handshake::ServerHelloDone,
        ];
        let server: Vec<u8> = messages.iter().flat_map(|message| message.encode().unwrap()).collect();
        Self {
            client: offer.records().unwrap(),
            server: write_records(ContentType::HANDSHAKE, ProtocolVersion::TLS1_2, &server),
        }
    }
}

fn talk() -> Conversation {
    Conversation::new("192.0.2.1:50000".parse().unwrap(), "192.0.2.2:8443".parse().unwrap())
}

pub(crate) fn written(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut writer = CaptureWriter::new(Vec::new(), Format::Pcap, LinkType::ETHERNET).unwrap();
    for (frame, millisecond) in frames.iter().zip(0..) {
        writer.packet(NOON + time::Duration::milliseconds(millisecond), frame).unwrap();
    }
    writer.into_inner()
}

/// The packets of a whole handshake.
fn frames(said: &Said) -> Vec<Vec<u8>> {
    let mut talk = talk();
    let mut frames = talk.open();
    frames.extend(talk.send(Side::Initiator, &said.client));
    for piece in said.server.chunks(200) {
        frames.extend(talk.send(Side::Responder, piece));
    }
    frames.extend(talk.close(Side::Initiator));
    frames
}

fn told(sandbox: &Sandbox, capture: &[u8], args: &[&str]) -> Ran {
    sandbox.command().args(["capture", "-"]).args(args).stdin(capture).run()
}

fn kinds(json: &serde_json::Value) -> Vec<String> {
    let events = json["connections"][0]["events"].as_array().unwrap();
    events.iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_handshake_is_told_message_by_message() {
    let said = Said::new(&Hierarchy::new(), |_| ());
    let sandbox = Sandbox::new();
    let capture = written(&frames(&said));
    let ran = told(&sandbox, &capture, &[]).expect_code(0);
    let ran = ran.says("192.0.2.1:50000 -> 192.0.2.2:8443").says("server name   www.example.com").says("TLS 1.2");
    ran.says("the signature over the key exchange holds").says("ECDHE with secp256r1 (forward secret)");
    let json = told(&sandbox, &capture, &["--json"]).expect_code(0).json();
    assert_eq!(kinds(&json), ["ClientHello", "ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone"]);
    let connection = &json["connections"][0];
    assert_eq!(connection["summary"]["outcome"], "incomplete");
    assert_eq!(connection["summary"]["signature_holds"], true);
    assert_eq!(connection["events"][0]["fields"]["cipher_suites"][0]["code"], "0xc02b");
    assert_eq!(connection["events"][0]["bytes"].as_str().unwrap().len(), 2 * said.client[5..].len());
    assert_eq!(connection["events"][2]["fields"]["certificate_list"][1]["subject"], "CN=Test Intermediate");
}

#[test]
fn a_wrong_signature_is_told_and_the_answer_is_no() {
    let hierarchy = Hierarchy::new();
    let spoils: [fn(&mut ServerKeyExchange); 2] = [
        |exchange| exchange.signature.as_mut().unwrap().signature[20] ^= 1,
        // Another key than the one that was signed, as somebody in between would send it.
        |exchange| exchange.parameter_octets[30] ^= 1,
    ];
    for spoil in spoils {
        let capture = written(&frames(&Said::new(&hierarchy, spoil)));
        let ran = told(&Sandbox::new(), &capture, &[]).expect_code(1);
        ran.says("the signature over the key exchange does not hold").says("failed");
    }
}

#[test]
fn packets_in_disorder_tell_the_same() {
    let said = Said::new(&Hierarchy::new(), |_| ());
    let sandbox = Sandbox::new();
    let straight = frames(&said);
    let mut crooked = straight.clone();
    // After the three of the opening and the hello: the server's come backwards, the first one twice.
    let last = crooked.len() - 3;
    crooked[4..last].reverse();
    crooked.insert(last, straight[4].clone());
    let [straight, crooked] = [straight, crooked].map(|frames| told(&sandbox, &written(&frames), &["--json"]).json());
    let fields = |json: &serde_json::Value| {
        let events = json["connections"][0]["events"].as_array().unwrap().clone();
        events.iter().map(|event| event["fields"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(fields(&straight), fields(&crooked));
    let tcp = &crooked["connections"][0]["tcp"]["server"];
    assert!(tcp["out_of_order"].as_u64() > Some(0) && tcp["missing"] == 0, "{tcp}");
}

#[test]
fn a_lost_packet_is_told_and_what_follows_is_not_believed() {
    let said = Said::new(&Hierarchy::new(), |_| ());
    let mut lossy = frames(&said);
    lossy.remove(5);
    let ran = told(&Sandbox::new(), &written(&lossy), &[]);
    ran.expect_code(0).says("200 bytes are not in the capture").says("200 bytes of the server are not in the capture");
}

#[test]
fn a_capture_cut_anywhere_never_fails_to_tell_what_is_there() {
    let said = Said::new(&Hierarchy::new(), |_| ());
    let capture = written(&frames(&said));
    let sandbox = Sandbox::new();
    for end in (25..capture.len()).step_by(211) {
        let ran = told(&sandbox, &capture[..end], &["--json"]);
        assert!(matches!(ran.code, Some(0 | 1)), "{ran}");
        let json = ran.json();
        assert_eq!(json["connections"].as_array().unwrap().is_empty(), ran.code == Some(1), "{ran}");
    }
    told(&sandbox, &capture[..capture.len() - 1], &[]).expect_code(0).says("the file is cut short");
}

#[test]
fn certificates_are_judged_as_of_the_time_of_the_capture() {
    let hierarchy = Hierarchy::new();
    let said = Said::new(&hierarchy, |_| ());
    let sandbox = Sandbox::new();
    let root = certkit::encoding::pem::write("CERTIFICATE", hierarchy.root.certificate.der());
    sandbox.write("root.pem", root.as_bytes());
    let capture = written(&frames(&said));
    told(&sandbox, &capture, &["--verify", "--roots", "root.pem"])
        .expect_code(0)
        .says("ACCEPTED for \"www.example.com\" as of 2026-11-23T12:00:00Z");
    let other = told(&sandbox, &capture, &["--verify", "--roots", "root.pem", "--name", "other.test"]);
    let other = other.expect_code(1).says("REJECTED for \"other.test\"");
    let judged = ["--verify", "--roots", "root.pem"];
    let by_host = told(&sandbox, &capture, &[&judged[..], &["--host", "other.test"]].concat()).expect_code(1);
    assert_eq!(by_host.stdout, other.stdout);
    told(&sandbox, &capture, &[&judged[..], &["--host", "www.example.com"]].concat()).expect_code(0);
    let two = ["--host", "www.example.com", "--name", "other.test"];
    told(&sandbox, &capture, &[&judged[..], &two].concat()).expect_code(2).complains("judged by one name");
    told(&sandbox, &capture, &["--host", "www.example.com"]).expect_code(2).complains("takes an address");
    let json = told(&sandbox, &capture, &["--verify", "--roots", "root.pem", "--json"]).expect_code(0).json();
    assert_eq!(json["connections"][0]["verdict"]["accepted"], true);
    told(&sandbox, &capture, &["--roots", "root.pem"]).expect_code(2);
}

#[test]
fn certificates_are_extracted_once_each() {
    let said = Said::new(&Hierarchy::new(), |_| ());
    let sandbox = Sandbox::new();
    let two = [frames(&said), {
        let mut talk = Conversation::new("192.0.2.3:1".parse().unwrap(), "192.0.2.2:8443".parse().unwrap());
        let mut frames = talk.open();
        frames.extend(talk.send(Side::Initiator, &said.client));
        frames.extend(talk.send(Side::Responder, &said.server));
        frames
    }];
    let capture = written(&two.concat());
    told(&sandbox, &capture, &["--extract-certs", "certs"]).expect_code(0);
    let mut names: Vec<_> = std::fs::read_dir(sandbox.path("certs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names[0].starts_with("Test-Intermediate-") && names[1].starts_with("www.example.com-"), "{names:?}");
    let certificate = format!("certs/{}", names[1]);
    sandbox.certkit(&["inspect", &certificate]).expect_code(0).says("www.example.com");
    // Again: they are there. What else has such a name is not replaced.
    told(&sandbox, &capture, &["--extract-certs", "certs"]).expect_code(0).complains("is there already");
    sandbox.write(&certificate, "something else");
    told(&sandbox, &capture, &["--extract-certs", "certs"]).expect_code(2).complains("it exists already");
}

#[test]
fn connections_are_chosen_by_address_and_name() {
    let said = Said::new(&Hierarchy::new(), |_| ());
    let capture = written(&frames(&said));
    let sandbox = Sandbox::new();
    for (args, told_of) in [
        (&["--sni", "WWW.example.com."][..], 1),
        (&["--sni", "example.com"], 0),
        (&["--host", "192.0.2.2"], 1),
        (&["--host", "192.0.2.9"], 0),
        (&["--host", "192.0.2.9", "--host", "192.0.2.1", "--sni", "www.example.com"], 1),
    ] {
        let json = told(&sandbox, &capture, &[args, &["--json"]].concat()).json();
        let counted = json["connections"].as_array().unwrap().len();
        assert_eq!((counted, json["not_told"]["filtered"].as_u64()), (told_of, Some(1 - told_of as u64)), "{args:?}");
    }
    told(&sandbox, &capture, &["--sni", "example.com"]).expect_code(1).says("1 not asked for");
}

#[test]
fn tls_after_starttls_is_found() {
    let said = Said::new(&Hierarchy::new(), |_| ());
    let mut talk = talk();
    let mut frames = talk.open();
    for (side, line) in [
        (Side::Responder, &b"220 mail.example.com ESMTP\r\n"[..]),
        (Side::Initiator, b"EHLO x\r\n"),
        (Side::Responder, b"250 STARTTLS\r\n"),
        (Side::Initiator, b"STARTTLS\r\n"),
        (Side::Responder, b"220 go ahead\r\n"),
    ] {
        frames.extend(talk.send(side, line));
    }
    frames.extend(talk.send(Side::Initiator, &said.client));
    frames.extend(talk.send(Side::Responder, &said.server));
    let ran = told(&Sandbox::new(), &written(&frames), &["--explain"]).expect_code(0);
    ran.says("SMTP, which goes over to TLS")
        .says("the signature over the key exchange holds")
        .says("strike out the offer");
}

#[test]
fn what_is_not_tls_is_counted() {
    let mut talk = talk();
    let mut frames = talk.open();
    frames.extend(talk.send(Side::Initiator, b"GET / HTTP/1.1\r\n\r\n"));
    frames.extend(talk.send(Side::Responder, &[b'x'; 100_000]));
    let ran = told(&Sandbox::new(), &written(&frames), &[]).expect_code(1);
    ran.says("1 TCP connection, 0 of them told").says("1 not TLS");
}

/// An Ethernet frame with a UDP datagram over IPv4, to or from a server.
pub(crate) fn datagram(from: u16, to: u16, payload: &[u8]) -> Vec<u8> {
    let length = |more: usize| u16::try_from(payload.len() + more).unwrap().to_be_bytes();
    let [source, destination] = if to < from { [1, 2] } else { [2, 1] };
    let addresses = [192, 0, 2, source, 192, 0, 2, destination];
    let ip = [&[0x45, 0][..], &length(28), &[0, 0, 0x40, 0, 64, 17, 0, 0], &addresses].concat();
    let udp = [from.to_be_bytes(), to.to_be_bytes(), length(8), [0, 0]].concat();
    [&[2; 12][..], &[8, 0], &ip, &udp, payload].concat()
}

#[test]
fn quic_is_named_by_its_first_packets() {
    // RFC 9001 appendix A.2 and A.3: the beginning of the client's first datagram, and the server's whole answer.
    let client = "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9bd8bab936b47d92ec356c";
    let server = "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5\
                  a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4\
                  cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee";
    let [mut client, server] = [client, server].map(|digits| certkit::encoding::hex::decode(digits).unwrap());
    client.resize(1200, 0);
    let frames = [datagram(50_000, 443, &client), datagram(443, 50_000, &server), datagram(50_001, 53, &[0x12; 40])];
    let sandbox = Sandbox::new();
    told(&sandbox, &written(&frames), &[]).expect_code(1).says("1 QUIC (over UDP), which is not read");
    let json = told(&sandbox, &written(&frames), &["--json"]).expect_code(1).json();
    assert_eq!((&json["quic_flows"], &json["dtls_flows"]), (&1.into(), &0.into()));
}

#[test]
fn an_answer_in_another_protocol_is_shown() {
    let said = Said::new(&Hierarchy::new(), |_| ());
    let mut talk = talk();
    let mut frames = talk.open();
    frames.extend(talk.send(Side::Initiator, &said.client));
    frames.extend(talk.send(Side::Responder, b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    let ran = told(&Sandbox::new(), &written(&frames), &[]).expect_code(0);
    ran.says("failed").says("answers in another protocol than TLS");
}

#[test]
fn what_is_no_capture_could_not_be_answered() {
    let sandbox = Sandbox::new();
    told(&sandbox, b"hello, world", &[]).expect_code(2).complains("it is neither pcap nor pcapng");
    sandbox.certkit(&["capture", "missing.pcap"]).expect_code(2).complains("cannot read missing.pcap: no such file");
    for (file, start, what, next) in [
        (
            "a.pcap.gz",
            &b"\x1f\x8b\x08\0\0"[..],
            "it is compressed with gzip",
            "gunzip -c a.pcap.gz | certkit capture -",
        ),
        ("a.pcap.zst", b"\x28\xb5\x2f\xfd\0", "it is compressed with zstd", "zstd -dc a.pcap.zst | certkit capture -"),
        (
            "a.cap",
            b"snoop\0\0\0\0\0\0\x02",
            "it is a capture of snoop",
            "editcap -F pcapng a.cap - | certkit capture -",
        ),
        ("a.etl", b"\0\0\x01\0\x88\x13\0\0", "it is neither pcap nor pcapng", "etl2pcapng a.etl"),
        ("a.pem", b"-----BEGIN CERTIFICATE-----\n", "it is PEM", "certkit inspect a.pem"),
        ("a.pcap", b"", "it is empty", "tcpdump -U"),
        ("b.pcap", b"\xd4\xc3\xb2\xa1\x02\0\x04\0", "it ends within its header", "tcpdump -U"),
    ] {
        sandbox.write(file, start);
        let ran = sandbox.certkit(&["capture", file]).expect_code(2);
        ran.complains(&format!("cannot read {file}: {what}")).complains("\n  hint: ").complains(next);
    }
    sandbox.certkit(&["capture", "A.PCAP"]).expect_code(2).complains("no such file").complains("did you mean a.pcap?");
    sandbox.certkit(&["capture", "."]).expect_code(2).complains("it is a folder");
    let nothing = told(&sandbox, &written(&[]), &["--follow"]);
    nothing.expect_code(2).complains("--follow has no effect without keys");
}

#[test]
fn the_ladder_is_one_file_without_scripts_or_fetches() {
    let said = Said::new(&Hierarchy::new(), |_| ());
    let sandbox = Sandbox::new();
    let capture = written(&frames(&said));
    told(&sandbox, &capture, &["--explain", "--html", "l.html", "--svg", "l.svg"]).expect_code(0);
    for file in ["l.html", "l.svg"] {
        let text = String::from_utf8(sandbox.read(file)).unwrap();
        assert!(!text.contains("<script") && text.contains("prefers-color-scheme:dark"), "{file}");
        let links = text.matches("http").count() - text.matches("http://www.w3.org/2000/svg").count();
        assert_eq!((links, text.contains("url("), text.contains("src=")), (0, false, false), "{file}");
        assert!(text.contains("ServerKeyExchange") && text.contains("www.example.com"), "{file}");
    }
    told(&sandbox, &capture, &["--html", "l.html"]).expect_code(2).complains("it exists already");
    told(&sandbox, &capture, &["--force"]).expect_code(2).complains("--force has nothing to replace");
}

#[test]
fn a_browser_shows_the_ladder_without_complaint() {
    let Some(chromium) = peer("chromium") else { return };
    let said = Said::new(&Hierarchy::new(), |_| ());
    let sandbox = Sandbox::new();
    told(&sandbox, &written(&frames(&said)), &["--explain", "--html", "l.html"]).expect_code(0);
    let dom = browser::look(&sandbox, &chromium, &["--dump-dom"], "l.html");
    // Summaries take the keyboard's focus by themselves: one for each message, and one for its bytes.
    let messages = dom.stdout.matches("<details class=\"message").count();
    assert_eq!((messages, dom.stdout.matches("<summary>").count()), (5, 10), "{dom}");
    assert!(!dom.stderr.contains("CONSOLE"), "{dom}");
    let picture = format!("--screenshot={}", sandbox.path("l.png").display());
    browser::look(&sandbox, &chromium, &["--window-size=900,900", &picture], "l.html");
    assert!(sandbox.read("l.png").len() > 10_000);
}
