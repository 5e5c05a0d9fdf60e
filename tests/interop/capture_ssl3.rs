//! SSL 3.0, which hardly any program speaks any more: the recordings of tests/data/tls as tshark tells them.

use certkit::encoding::hex;
use certkit::pcap::{CaptureWriter, Conversation, Format, LinkType, Side};
use time::macros::datetime;

use super::captures::agree;
use crate::support::{Sandbox, peer};

const RECORDINGS: [(&str, &str, &str); 3] = [
    (include_str!("../data/tls/ssl3_rc4_md5.txt"), "TLS_RSA_WITH_RC4_128_MD5", "rsa"),
    (include_str!("../data/tls/ssl3_aes128_sha.txt"), "TLS_RSA_WITH_AES_128_CBC_SHA", "rsa"),
    (include_str!("../data/tls/ssl3_dhe_aes256.txt"), "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", "dhe"),
];

/// A recording as packets, and its key log.
fn packets(recording: &str) -> (Vec<u8>, String) {
    let mut talk = Conversation::new("192.0.2.1:50000".parse().unwrap(), "192.0.2.2:443".parse().unwrap());
    let mut frames = talk.open();
    let (mut master, mut random) = (String::new(), String::new());
    for line in recording.lines().filter(|line| !line.starts_with('#')) {
        let (word, digits) = line.split_once(' ').unwrap();
        let from = match word {
            "client" => Side::Initiator,
            "server" => Side::Responder,
            _ => {
                digits.clone_into(&mut master);
                continue;
            }
        };
        if random.is_empty() {
            // Header of the record, header of the message, version, random.
            digits[22..86].clone_into(&mut random);
        }
        frames.extend(talk.send(from, &hex::decode(digits).unwrap()));
    }
    frames.extend(talk.close(Side::Initiator));
    let mut writer = CaptureWriter::new(Vec::new(), Format::Pcap, LinkType::ETHERNET).unwrap();
    for (frame, millisecond) in frames.iter().zip(0..) {
        let at = datetime!(2026-11-23 12:00 UTC) + time::Duration::milliseconds(millisecond);
        writer.packet(at, frame).unwrap();
    }
    (writer.into_inner(), format!("CLIENT_RANDOM {random} {master}\n"))
}

#[test]
fn ssl_3_is_told_as_tshark_tells_it() {
    let Some(tshark) = peer("tshark") else { return };
    for (recording, suite, exchange) in RECORDINGS {
        let sandbox = Sandbox::new();
        let (capture, key_log) = packets(recording);
        sandbox.write("heard.pcap", capture);
        sandbox.write("keys.txt", key_log);
        sandbox.write("key.pem", include_bytes!("../../src/key/fixtures/rsa_2048.pkcs8.pem"));
        let keys = format!("tls.keylog_file:{}", sandbox.path("keys.txt").display());
        let args = ["-r", "heard.pcap", "-T", "json", "--no-duplicate-keys", "-o", &keys, "-Y", "tls"];
        let theirs = sandbox.peer(&tshark, &args).expect_code(0).json();
        let with_log = ["capture", "heard.pcap", "--json", "--key-log", "keys.txt"];
        let with_key = ["capture", "heard.pcap", "--json", "--key", "key.pem"];
        for told in [&with_log[..], if exchange == "rsa" { &with_key } else { &with_log }] {
            let ours = sandbox.certkit(told).expect_code(0).json();
            let summary = &ours["connections"][0]["summary"];
            assert_eq!(
                (&summary["version"], &summary["outcome"]),
                (&"SSL 3.0".into(), &"completed".into()),
                "{summary:#}"
            );
            assert_eq!(summary["cipher_suite"]["name"], suite);
            assert_eq!(summary["finished_verified"], true, "{summary:#}");
            let events = ours["connections"][0]["events"].as_array().unwrap();
            let data: Vec<&str> = events
                .iter()
                .filter(|event| event["kind"] == "ApplicationData")
                .map(|event| event["bytes"].as_str().unwrap())
                .collect();
            assert_eq!(data, [hex::encode(b"question"), hex::encode(b"answer")], "{suite}");
            agree(&ours, &theirs, 5);
        }
    }
}
