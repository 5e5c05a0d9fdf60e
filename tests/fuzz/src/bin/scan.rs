//! Whatever a server answers to a hello of a scan is read or refused, within bounds, however it is cut.

#![no_main]

use certkit::key::{AgreementAlgorithm, EphemeralKey};
use certkit::scan::{Answer, AnswerReader, End};
use certkit_fuzz::{plant, target};
use std::sync::OnceLock;

static KEYS: OnceLock<Vec<EphemeralKey>> = OnceLock::new();

target!(init: plant(seeds()), |data: &[u8]| {
    let Some((&cut, stream)) = data.split_first() else { return };
    let whole = read(stream, stream.len().max(1));
    let pieces = read(stream, usize::from(cut) + 1);
    // What a message is damaged by is told from what was there; the rest must not depend on the pieces.
    if whole.end == pieces.end {
        assert_eq!(whole, pieces);
    }
    let _ = (whole.version(), whole.suite(), whole.group(), whole.signed_with(), whole.protocol());
    assert!(whole.chain.iter().map(Vec::len).sum::<usize>() <= stream.len());
});

fn read(stream: &[u8], size: usize) -> Answer {
    let keys = KEYS.get_or_init(|| vec![EphemeralKey::generate(AgreementAlgorithm::X25519).unwrap()]);
    let mut reader = AnswerReader::new(&[1, 0, 0, 0], keys);
    for piece in stream.chunks(size) {
        if reader.push(piece) {
            return reader.answer();
        }
    }
    reader.stopped(End::Closed)
}

fn seeds() -> Vec<Vec<u8>> {
    let record =
        |kind: u8, content: &[u8]| [&[kind, 3, 3][..], &(content.len() as u16).to_be_bytes(), content].concat();
    let message = |kind: u8, body: &[u8]| [&[kind, 0][..], &(body.len() as u16).to_be_bytes(), body].concat();
    let hello = |suite: [u8; 2], extensions: &[u8]| {
        let length = (extensions.len() as u16).to_be_bytes();
        message(2, &[&[3, 3][..], &[7; 32], &[0], &suite, &[0], &length, extensions].concat())
    };
    let share = [&[0, 0x2b, 0, 2, 3, 4, 0, 0x33, 0, 36, 0, 29, 0, 32][..], &[9; 32]].concat();
    let exchange = [&[3, 0, 29, 32][..], &[9; 32], &[8, 4, 0, 2, 1, 2]].concat();
    let flight =
        [hello([0xc0, 0x2f], &[]), message(11, &[0, 0, 5, 0, 0, 2, 0x30, 0]), message(12, &exchange), message(14, &[])];
    let old = record(22, &flight.concat());
    let new = [record(22, &hello([0x13, 1], &share)), record(20, &[1]), record(23, &[5; 60])].concat();
    let alert = record(21, &[2, 40]);
    let ssl2 = [0x80, 11, 4, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0];
    let streams: [&[u8]; 4] = [&old, &new, &alert, &ssl2];
    streams.iter().flat_map(|stream| [[&[0][..], stream].concat(), [&[255][..], stream].concat()]).collect()
}
