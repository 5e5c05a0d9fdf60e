//! What a recorder makes of bytes, however they come.

use super::*;
use crate::tls::code::{CipherSuite, ContentType, ProtocolVersion};
use crate::tls::handshake::{Offer, Ssl2ClientHello};
use crate::tls::record::write_records;
use crate::transcript::Outcome;

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn hello() -> Vec<u8> {
    let suites = vec![CipherSuite(0xc02f), CipherSuite(0x009c)];
    let mut offer = Offer::new(vec![ProtocolVersion::TLS1_2], [3; 32], suites);
    offer.server_name = Some("www.example.com".to_owned());
    offer.records().unwrap()
}

fn record(content_type: ContentType, content: &[u8]) -> Vec<u8> {
    write_records(content_type, ProtocolVersion::TLS1_2, content)
}

fn transcript(recorder: Recorder) -> Transcript {
    recorder.finish().unwrap()
}

fn kinds(transcript: &Transcript) -> Vec<&'static str> {
    transcript.events.iter().map(|event| event.kind).collect()
}

#[test]
fn bytes_cut_anywhere_tell_the_same() {
    let refusal = record(ContentType::ALERT, &[2, 40]);
    let cut = |size: usize| {
        let mut recorder = Recorder::new(Options::default());
        for piece in hello().chunks(size) {
            assert!(recorder.data(Side::Initiator, NOW, piece));
        }
        for piece in refusal.chunks(size) {
            recorder.data(Side::Responder, NOW, piece);
        }
        transcript(recorder)
    };
    let whole = cut(10_000);
    assert_eq!(kinds(&whole), ["ClientHello", "Alert"]);
    assert_eq!(
        (whole.summary.outcome, whole.summary.server_name.as_deref()),
        (Outcome::Failed, Some("www.example.com"))
    );
    assert_eq!(whole.events[0].range, [0, hello().len() as u64]);
    for size in [1, 2, 5, 7, 64] {
        assert_eq!(cut(size).events, whole.events, "{size}");
    }
}

#[test]
fn who_says_hello_is_the_client_whoever_connected() {
    let mut recorder = Recorder::new(Options::default());
    recorder.data(Side::Responder, NOW, &hello());
    let transcript = transcript(recorder);
    assert_eq!((transcript.client, transcript.events[0].from), (Side::Responder, Sender::Client));
}

#[test]
fn a_connection_from_its_middle_is_told_as_such() {
    let mut recorder = Recorder::new(Options::default());
    for _ in 0..3 {
        assert!(recorder.data(Side::Responder, NOW, &record(ContentType::APPLICATION_DATA, &[7; 100])));
    }
    let transcript = transcript(recorder);
    assert_eq!(kinds(&transcript), ["ApplicationData"]);
    assert_eq!(transcript.events[0].headline, "300 bytes in 3 records");
    assert_eq!(transcript.summary.outcome, Outcome::Incomplete);
    assert!(transcript.summary.remarks[0].contains("begins after the connection did"));
}

#[test]
fn a_hello_in_the_form_of_ssl_2_is_read() {
    let hello = Ssl2ClientHello {
        version: ProtocolVersion::TLS1_0,
        ciphers: vec![crate::tls::code::Ssl2Cipher(0x2f), crate::tls::code::Ssl2Cipher(0x01_0080)],
        session_id: Vec::new(),
        challenge: vec![9; 16],
    };
    let mut recorder = Recorder::new(Options::default());
    recorder.data(Side::Initiator, NOW, &hello.encode().unwrap());
    let transcript = transcript(recorder);
    assert_eq!(transcript.events[0].headline, "in the form of SSL 2.0; up to TLS 1.0; 2 ciphers");
}

#[test]
fn more_events_than_are_kept_are_counted() {
    let options = Options { events: 4, ..Options::default() };
    let mut recorder = Recorder::new(options);
    recorder.data(Side::Initiator, NOW, &hello());
    for _ in 0..100 {
        for side in [Side::Initiator, Side::Responder] {
            recorder.data(side, NOW, &record(ContentType::APPLICATION_DATA, &[7; 10]));
        }
    }
    let transcript = transcript(recorder);
    assert_eq!((transcript.events.len(), transcript.summary.records_omitted), (4, 197));
}

#[test]
fn other_protocols_are_let_go() {
    let mut recorder = Recorder::new(Options::default());
    assert!(recorder.data(Side::Initiator, NOW, b"GET / HTTP/1.1\r\n\r\n"));
    assert!(!recorder.data(Side::Responder, NOW, &[b'x'; 20_000]));
    assert!(recorder.finish().is_none());
}

#[test]
fn secrets_are_not_told_unless_they_are_revealed() {
    let secret = crate::transcript::Secret { name: "master secret", formula: "f".into(), value: vec![0xab; 48].into() };
    let mut recorder = Recorder::new(Options::default());
    recorder.data(Side::Initiator, NOW, &hello());
    let mut transcript = transcript(recorder);
    transcript.events[0].secrets.push(secret);
    let told = |transcript: &Transcript| {
        serde_json::to_string(transcript).unwrap()
            + &format!("{transcript:?}")
            + &crate::transcript::html(
                "x",
                &[crate::transcript::Titled { transcript, client: "c", server: "s", verdict: None }],
            )
    };
    assert!(told(&transcript).contains("48 bytes, not shown") && !told(&transcript).contains("abababab"));
    transcript.reveal_secrets();
    assert!(told(&transcript).contains("abababab"));
}

#[test]
fn a_compressed_chain_is_told_as_the_chain_it_is() {
    use crate::tls::code::CertificateCompression;
    use crate::tls::handshake::{CompressedCertificate, Handshake};
    let body = crate::encoding::hex::decode(crate::tls::rfc8448::CERTIFICATE).unwrap().split_off(4);
    let compressed = |said: usize| {
        let message = Handshake::CompressedCertificate(CompressedCertificate {
            algorithm: CertificateCompression::ZLIB,
            uncompressed_length: u32::try_from(said).unwrap(),
            compressed: miniz_oxide::deflate::compress_to_vec_zlib(&body, 6),
        });
        let mut recorder = Recorder::new(Options { explain: true, ..Options::default() });
        recorder.data(Side::Initiator, NOW, &hello());
        recorder.data(Side::Responder, NOW, &record(ContentType::HANDSHAKE, &message.encode().unwrap()));
        transcript(recorder)
    };
    let told = compressed(body.len());
    assert_eq!(told.summary.server_chain.len(), 1);
    assert!(told.events[1].fields.get("certificate_list").is_some() && told.events[1].remarks.is_empty());
    assert!(told.events[1].explanation.len() > 1);
    let damaged = compressed(body.len() + 1);
    assert!(damaged.summary.server_chain.is_empty());
    assert_eq!(damaged.events[1].remarks[0].weight, crate::transcript::event::Weight::Wrong);
}
