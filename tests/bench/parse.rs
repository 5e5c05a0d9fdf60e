//! How long reading takes: certificates, all their extensions, PEM, names.

// A bench stops at the first surprise.
#![allow(clippy::unwrap_used)]

// The files are shared with the other benches and tests/fuzz, which use what this one does not.
#[allow(unreachable_pub, dead_code)]
mod support {
    pub mod hierarchy;
}

use certkit::encoding::pem;
use certkit::x509::{Certificate, DistinguishedName, ServerName};
use divan::Bencher;
use divan::counter::BytesCount;
use support::hierarchy::{self, Hierarchy};

fn main() {
    divan::main();
}

#[divan::bench]
fn server_certificate(bencher: Bencher<'_, '_>) {
    let encoding = Hierarchy::usual().leaf;
    bencher.counter(BytesCount::of_slice(&encoding)).bench_local(|| Certificate::from_der(&encoding).unwrap());
}

#[divan::bench]
fn server_certificate_with_every_extension_decoded(bencher: Bencher<'_, '_>) {
    let encoding = Hierarchy::usual().leaf;
    bencher.counter(BytesCount::of_slice(&encoding)).bench_local(|| decode(&encoding));
}

#[divan::bench]
fn certificate_of_every_extension_decoded(bencher: Bencher<'_, '_>) {
    let encoding = hierarchy::with_everything();
    bencher.counter(BytesCount::of_slice(&encoding)).bench_local(|| decode(&encoding));
}

/// What the parser under `certkit::x509` costs by itself.
#[divan::bench]
fn server_certificate_by_x509_parser_alone(bencher: Bencher<'_, '_>) {
    let encoding = Hierarchy::usual().leaf;
    bencher
        .counter(BytesCount::of_slice(&encoding))
        .bench_local(|| x509_parser::parse_x509_certificate(&encoding).is_ok());
}

#[divan::bench]
fn thousand_certificates_in_pem(bencher: Bencher<'_, '_>) {
    let text = pem::write("CERTIFICATE", &Hierarchy::usual().leaf).repeat(1000);
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| pem::read(text.as_bytes()));
}

#[divan::bench(args = ["api.example.test", "bücher.example.test", "2001:db8::1"])]
fn server_name(text: &str) -> ServerName {
    text.parse().unwrap()
}

#[divan::bench]
fn names_that_differ_in_case(bencher: Bencher<'_, '_>) {
    let [one, other]: [DistinguishedName; 2] =
        ["CN=Fjord Root,O=Fjord Trust,C=NO", "CN=FJORD ROOT,O=Fjord  Trust,C=no"].map(|text| text.parse().unwrap());
    assert!(one.matches(&other));
    bencher.bench_local(|| divan::black_box(&one).matches(divan::black_box(&other)));
}

fn decode(encoding: &[u8]) -> usize {
    let certificate = Certificate::from_der(encoding).unwrap();
    certificate.extensions().iter().filter(|extension| extension.decode().is_ok()).count()
}
