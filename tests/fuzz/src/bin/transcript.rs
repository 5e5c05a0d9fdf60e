//! Any two byte streams become a transcript or none, and any transcript can be told.

#![no_main]

use certkit::encoding::hex;
use certkit::pcap::Side;
use certkit::tls::code::{CipherSuite, ProtocolVersion};
use certkit::tls::handshake::Offer;
use certkit::transcript::{Options, Recorder, Titled, html, svg};
use certkit_fuzz::{join, parts, plant, target};
use time::OffsetDateTime;

target!(init: plant([seed()]), |data: &[u8]| {
    let mut recorder = Recorder::new(Options { explain: true, events: 64, ..Options::default() });
    for part in parts(data) {
        let Some((first, bytes)) = part.split_first() else { continue };
        let side = if first & 1 == 0 { Side::Initiator } else { Side::Responder };
        match first & 6 {
            6 => recorder.missing(side, OffsetDateTime::UNIX_EPOCH, bytes.len() as u64 * 40),
            _ => recorder.data(side, OffsetDateTime::UNIX_EPOCH, bytes),
        };
    }
    let Some(transcript) = recorder.finish() else { return };
    let titled = Titled { transcript: &transcript, client: "client", server: "server", verdict: None };
    assert!(!svg(titled).contains("<script") && !html("a page", &[titled]).contains("<script"));
    for event in &transcript.events {
        let _ = (event.fields.rows(), hex::encode(&event.bytes));
        assert!(event.range[0] <= event.range[1]);
    }
});

/// A hello, and the first flight of a server of TLS 1.2.
fn seed() -> Vec<u8> {
    let mut offer = Offer::new(vec![ProtocolVersion::TLS1_2], [7; 32], vec![CipherSuite(0xc02f)]);
    offer.server_name = Some("localhost".to_owned());
    let hello = offer.records().unwrap_or_default();
    let server = [&[22, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3][..], &[9; 32], &[0, 0xc0, 0x2f, 0], &[14, 0, 0, 0]].concat();
    join([&[&[0][..], &hello].concat()[..], &[&[1][..], &server].concat()])
}
