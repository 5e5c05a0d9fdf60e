//! How long certificates take to make: the layout, the signature, and the check of what was made.

// A bench stops at the first surprise.
#![allow(clippy::unwrap_used)]

use certkit::issue::{Issuer, Request, certification_request, issue};
use certkit::key::{KeyAlgorithm, PrivateKey};
use certkit::profile::Profile;
use certkit::x509::{Certificate, DistinguishedName, SerialNumber, Validity};
use time::macros::datetime;

fn main() {
    divan::main();
}

const KINDS: [KeyAlgorithm; 4] = [KeyAlgorithm::P256, KeyAlgorithm::P384, KeyAlgorithm::Ed25519, KeyAlgorithm::MlDsa65];

const VALIDITY: Validity =
    Validity { not_before: datetime!(2026-11-23 0:00 UTC), not_after: datetime!(2026-12-23 0:00 UTC) };

#[divan::bench(args = KINDS)]
fn server_certificate_by_a_ca(bencher: divan::Bencher<'_, '_>, algorithm: KeyAlgorithm) {
    let ca_key = PrivateKey::generate(algorithm).unwrap();
    let ca = self_signed("root-ca", "Bench CA", &ca_key);
    let key = PrivateKey::generate(algorithm).unwrap();
    let profile = Profile::built_in("server").unwrap();
    let request = request("www.example.com", &key);
    let issuer = Issuer::Authority { certificate: &ca, key: &ca_key };
    let serial = SerialNumber::from_bits([0x45; 16]);
    bencher.bench_local(|| issue(&profile, &request, &issuer, &serial, VALIDITY).unwrap());
}

#[divan::bench]
fn key_and_self_signed_certificate() -> Certificate {
    self_signed("self-signed", "localhost", &PrivateKey::generate(KeyAlgorithm::P256).unwrap())
}

#[divan::bench]
fn signing_alone(bencher: divan::Bencher<'_, '_>) {
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    bencher.bench_local(|| key.sign(key.signature_algorithm(), &[0x5a; 400]).unwrap());
}

#[divan::bench]
fn signing_request(bencher: divan::Bencher<'_, '_>) {
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let profile = Profile::built_in("server").unwrap();
    let Request { subject, names, .. } = request("www.example.com", &key);
    bencher.bench_local(|| certification_request(&profile, &subject, &names, &key).unwrap());
}

fn self_signed(profile: &str, name: &str, key: &PrivateKey) -> Certificate {
    let profile = Profile::built_in(profile).unwrap();
    let mut request = request(name, key);
    if profile.is_ca() {
        request.names.clear();
    }
    let serial = SerialNumber::from_bits([0x44; 16]);
    issue(&profile, &request, &Issuer::SelfSigned(key), &serial, VALIDITY).unwrap()
}

fn request(name: &str, key: &PrivateKey) -> Request {
    Request {
        subject: DistinguishedName::common_name_only(name),
        names: name.parse().into_iter().collect(),
        public_key: key.public_key().clone(),
        key_identifier: None,
    }
}
