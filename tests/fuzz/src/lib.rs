//! What the fuzz targets share: the bounds of an input, seeds, and splitting one input into several.

#[path = "../../bench/support/hierarchy.rs"]
pub mod hierarchy;
pub mod tls;

#[path = "../../bench/support/clock.rs"]
mod clock;

mod bounds;

pub use bounds::bounded;

use std::path::{Path, PathBuf};

use certkit::pcap::{CaptureFile, Connections, Datagrams, Decoded, Decoder, Follower, Item, Limits, Side};
use time::OffsetDateTime;

/// Writes `seeds` into the first folder on the command line, where libFuzzer keeps its corpus, before it is read.
/// They are made by certkit itself and the same every time. Without a folder, as when one finding is run again, there
/// is nothing to do.
pub fn plant(seeds: impl IntoIterator<Item = Vec<u8>>) {
    let mut arguments = std::env::args().skip(1);
    let Some(corpus) = arguments.find(|argument| Path::new(argument).is_dir()).map(PathBuf::from) else { return };
    for (number, seed) in seeds.into_iter().enumerate() {
        let file = corpus.join(format!("seed-{number}"));
        if !file.exists() {
            std::fs::write(&file, seed).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        }
    }
}

/// The parts of an input: each is preceded by its length in two octets; the last takes what is left.
pub fn parts(mut input: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while let Some((length, rest)) = input.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (part, after) = rest.split_at(length);
        parts.push(part);
        input = after;
    }
    parts
}

/// An input of these parts.
pub fn join<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    parts.into_iter().flat_map(|part| [&(part.len() as u16).to_be_bytes()[..], part].concat()).collect()
}

/// Reads a capture to its end, as `certkit capture` does.
pub fn follow(mut file: CaptureFile<&[u8]>) {
    struct Counted(u64);
    impl Follower for Counted {
        fn data(&mut self, _: Side, _: OffsetDateTime, bytes: &[u8]) -> bool {
            self.0 += bytes.len() as u64;
            true
        }

        fn missing(&mut self, _: Side, _: OffsetDateTime, _: u64) -> bool {
            true
        }
    }
    let (mut decoder, mut datagrams) = (Decoder::default(), Datagrams::default());
    let mut connections = Connections::new(Limits { connections: 64, ..Limits::default() });
    while let Ok(Some(item)) = file.next_item() {
        let Item::Packet(packet) = item else { continue };
        match decoder.packet(&packet) {
            Decoded::Tcp(segment) => connections.segment(packet.at, &segment, || Counted(0)),
            Decoded::Udp(datagram) => datagrams.datagram(&datagram),
            Decoded::Nothing => {}
        }
    }
    let _ = (file.damage().map(ToString::to_string), decoder.skipped());
    for finished in connections.finish() {
        assert_eq!(finished.follower.0, finished.sides.iter().map(|side| side.bytes).sum::<u64>());
    }
}
