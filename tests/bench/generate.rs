//! How long key pairs of each kind take to make.

// A bench stops at the first surprise.
#![allow(clippy::unwrap_used)]

use certkit::key::{KeyAlgorithm, PrivateKey};

fn main() {
    divan::main();
}

const FAST: [KeyAlgorithm; 7] = [
    KeyAlgorithm::P256,
    KeyAlgorithm::P384,
    KeyAlgorithm::P521,
    KeyAlgorithm::Ed25519,
    KeyAlgorithm::MlDsa44,
    KeyAlgorithm::MlDsa65,
    KeyAlgorithm::MlDsa87,
];

#[divan::bench(args = FAST)]
fn key_pair(algorithm: KeyAlgorithm) -> PrivateKey {
    PrivateKey::generate(algorithm).unwrap()
}

// The search for primes takes as long as its luck: only many samples have a meaningful median.
#[divan::bench(args = [2048, 3072, 4096], sample_count = 30, sample_size = 1, max_time = 20)]
fn rsa_key_pair(bits: u16) -> PrivateKey {
    PrivateKey::generate(KeyAlgorithm::Rsa(bits)).unwrap()
}

#[divan::bench(args = FAST)]
fn signature(bencher: divan::Bencher<'_, '_>, algorithm: KeyAlgorithm) {
    let key = PrivateKey::generate(algorithm).unwrap();
    bencher.bench_local(|| key.sign(key.signature_algorithm(), &[0x5a; 600]).unwrap());
}
