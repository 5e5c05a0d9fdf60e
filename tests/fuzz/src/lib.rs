//! What the fuzz targets share: seeds, and splitting one input into several.

#[path = "../../bench/support/hierarchy.rs"]
pub mod hierarchy;
pub mod tls;

use std::path::{Path, PathBuf};

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
