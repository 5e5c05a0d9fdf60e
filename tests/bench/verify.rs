//! What judging a chain costs beside the signatures it rests on.
//!
//! The comparisons are made in turns within one process, in its processor time, and told as ratios, since a machine with
//! other work to do spoils absolute times. The run fails where judging costs more than the limits below.

// A bench stops at the first surprise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![allow(clippy::print_stdout)]

// The files are shared with the other benches and tests/fuzz, which use what this one does not.
#[allow(unreachable_pub, dead_code)]
mod support {
    pub mod clock;
    pub mod hierarchy;
    pub mod limbo;
}

use std::process::ExitCode;
use std::time::Duration;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use certkit::verify::{Identity, Verifier};
use certkit::x509::Certificate;
use divan::black_box;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use support::clock::processor_time;
use support::hierarchy::{HOST, Hierarchy, NOW};
use support::limbo::{self, Case};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};

/// A chain of three with its host, read and judged, over its two signature checks alone.
const CHAIN_LIMIT: f64 = 1.10;
/// The x509-limbo core, read and judged, over the time of rustls-webpki.
const LIMBO_LIMIT: f64 = 1.20;

fn main() -> ExitCode {
    let mut good = true;
    // `cargo test --benches` only asks whether everything runs.
    if !std::env::args().any(|argument| argument == "--test") {
        good = compare_chain();
        good &= limbo::cases().is_none_or(|cases| compare_limbo(&cases));
    }
    divan::main();
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn compare_chain() -> bool {
    let chain = Chain::new();
    let median = in_turns(
        201,
        40,
        &mut [
            &mut || chain.raw_signatures(),
            &mut || chain.judge_parsed(),
            &mut || chain.parse_and_judge(),
            &mut || chain.webpki(),
        ],
    );
    let raw = median[0].0;
    println!("P-256 chain of three with host: {:.1} µs for its two signatures alone", raw * 1e6);
    for (what, (time, ratio)) in
        ["certkit, parsed before", "certkit, parsed and judged", "rustls-webpki"].iter().zip(&median[1..])
    {
        println!("  {what:<28}{:>7.1} µs  {ratio:.3} × the signatures", time * 1e6);
    }
    within("certkit, parsed and judged", median[2].1, CHAIN_LIMIT)
}

fn compare_limbo(cases: &[Case]) -> bool {
    let median = in_turns(
        21,
        1,
        &mut [&mut || cases.iter().for_each(|case| _ = black_box(webpki_limbo(case))), &mut || {
            cases.iter().for_each(|case| _ = black_box(certkit_limbo(case)))
        }],
    );
    println!("x509-limbo core, {} cases: {:.1} ms with rustls-webpki", cases.len(), median[0].0 * 1e3);
    println!("  certkit {:.1} ms, {:.3} × rustls-webpki", median[1].0 * 1e3, median[1].1);
    let timed = |judge: &dyn Fn(&Case)| {
        cases
            .iter()
            .map(|case| {
                let started = processor_time();
                judge(case);
                processor_time() - started
            })
            .collect::<Vec<_>>()
    };
    let ours = timed(&|case| _ = black_box(certkit_limbo(case)));
    let theirs = timed(&|case| _ = black_box(webpki_limbo(case)));
    let mut slowest: Vec<_> = ours.iter().zip(&theirs).zip(cases).collect();
    slowest.sort_by_key(|((ours, theirs), _)| std::cmp::Reverse(ours.saturating_sub(**theirs)));
    println!("  furthest behind:");
    for ((ours, theirs), case) in slowest.into_iter().take(5) {
        println!("    {:>9.2?} to {:>9.2?}  {}", ours, theirs, case.id);
    }
    within("x509-limbo core", median[1].1, LIMBO_LIMIT)
}

fn within(what: &str, ratio: f64, limit: f64) -> bool {
    let good = ratio <= limit;
    println!("  {what}: {} the limit of {limit:.2}", if good { "within" } else { "OVER" });
    good
}

/// Runs the operations in turns; answers the median seconds of each, and the median ratio to the first in its round.
fn in_turns(rounds: usize, repeats: u32, operations: &mut [&mut dyn FnMut()]) -> Vec<(f64, f64)> {
    let mut times = vec![Vec::new(); operations.len()];
    let mut ratios = vec![Vec::new(); operations.len()];
    for _ in 0..rounds {
        let mut first = None;
        for (at, operation) in operations.iter_mut().enumerate() {
            let started = processor_time();
            for _ in 0..repeats {
                operation();
            }
            let seconds = (processor_time() - started).as_secs_f64() / f64::from(repeats);
            times[at].push(seconds);
            ratios[at].push(seconds / *first.get_or_insert(seconds));
        }
    }
    let median = |list: &mut Vec<f64>| {
        list.sort_by(f64::total_cmp);
        list[list.len() / 2]
    };
    times.iter_mut().zip(&mut ratios).map(|(times, ratios)| (median(times), median(ratios))).collect()
}

/// The usual hierarchy in every form the contestants want it in.
struct Chain {
    der: Hierarchy,
    leaf: Certificate,
    intermediate: Certificate,
    root: Certificate,
    verifier: Verifier,
    webpki_root: CertificateDer<'static>,
}

impl Chain {
    fn new() -> Self {
        let der = Hierarchy::usual();
        let read = |encoding: &[u8]| Certificate::from_der(encoding).unwrap();
        let (leaf, intermediate, root) = (read(&der.leaf), read(&der.intermediate), read(&der.root));
        let mut verifier = Verifier::new(vec![root.clone()], NOW);
        verifier.intermediates = vec![intermediate.clone()];
        verifier.identities = vec![Identity::Server(HOST.parse().unwrap())];
        let webpki_root = CertificateDer::from(der.root.clone());
        Self { der, leaf, intermediate, root, verifier, webpki_root }
    }

    fn raw_signatures(&self) {
        for (certificate, issuer) in [(&self.leaf, &self.intermediate), (&self.intermediate, &self.root)] {
            // The uncompressed point is the end of the SubjectPublicKeyInfo.
            let point = &issuer.public_key_info()[issuer.public_key_info().len() - 65..];
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point);
            key.verify(black_box(certificate.tbs()), certificate.signature()).unwrap();
        }
    }

    fn judge_parsed(&self) {
        assert!(black_box(&self.verifier).judge(black_box(&self.leaf)).is_accepted());
    }

    /// Reads leaf and intermediate and judges. Like every verifier, certkit keeps its anchors parsed.
    fn parse_and_judge(&self) {
        let leaf = Certificate::from_der(black_box(&self.der.leaf)).unwrap();
        let intermediate = Certificate::from_der(black_box(&self.der.intermediate)).unwrap();
        let mut verifier = Verifier::new(vec![self.root.clone()], NOW);
        verifier.intermediates = vec![intermediate];
        verifier.identities = vec![Identity::Server(HOST.parse().unwrap())];
        assert!(verifier.judge(&leaf).is_accepted());
    }

    /// As above, all three read, as a program that judges one file does.
    fn parse_all_and_judge(&self) {
        let leaf = Certificate::from_der(black_box(&self.der.leaf)).unwrap();
        let intermediate = Certificate::from_der(black_box(&self.der.intermediate)).unwrap();
        let root = Certificate::from_der(black_box(&self.der.root)).unwrap();
        let mut verifier = Verifier::new(vec![root], NOW);
        verifier.intermediates = vec![intermediate];
        verifier.identities = vec![Identity::Server(HOST.parse().unwrap())];
        assert!(verifier.judge(&leaf).is_accepted());
    }

    fn webpki(&self) {
        let leaf = CertificateDer::from(black_box(self.der.leaf.as_slice()));
        let intermediate = [CertificateDer::from(self.der.intermediate.as_slice())];
        let anchors = [anchor_from_trusted_cert(&self.webpki_root).unwrap()];
        let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW.unix_timestamp().unsigned_abs()));
        let leaf = EndEntityCert::try_from(&leaf).unwrap();
        leaf.verify_for_usage(ALL_VERIFICATION_ALGS, &anchors, &intermediate, now, KeyUsage::server_auth(), None, None)
            .unwrap();
        leaf.verify_is_valid_for_subject_name(&ServerName::try_from(HOST).unwrap()).unwrap();
    }
}

fn certkit_limbo(case: &Case) -> Option<bool> {
    let leaf = Certificate::from_der(&case.leaf).ok()?;
    let read = |list: &[Vec<u8>]| list.iter().filter_map(|der| Certificate::from_der(der).ok()).collect();
    let mut verifier = Verifier::new(read(&case.anchors), case.at);
    verifier.intermediates = read(&case.intermediates);
    verifier.identities = case.host.iter().map(|(identity, _)| identity.clone()).collect();
    if case.client {
        verifier.purpose = certkit::verify::Purpose::Client;
    }
    Some(verifier.judge(&leaf).is_accepted())
}

fn webpki_limbo(case: &Case) -> Option<()> {
    let leaf = CertificateDer::from(case.leaf.as_slice());
    let leaf = EndEntityCert::try_from(&leaf).ok()?;
    let list = |list: &[Vec<u8>]| list.iter().map(|der| CertificateDer::from(der.clone())).collect::<Vec<_>>();
    let (anchors, intermediates) = (list(&case.anchors), list(&case.intermediates));
    let anchors: Vec<_> = anchors.iter().filter_map(|der| anchor_from_trusted_cert(der).ok()).collect();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(case.at.unix_timestamp().unsigned_abs()));
    let usage = if case.client { KeyUsage::client_auth() } else { KeyUsage::server_auth() };
    leaf.verify_for_usage(ALL_VERIFICATION_ALGS, &anchors, &intermediates, now, usage, None, None).ok()?;
    case.host.as_ref().map_or(Some(()), |(_, host)| leaf.verify_is_valid_for_subject_name(host).ok())
}

#[divan::bench]
fn chain_raw_signatures(bencher: divan::Bencher<'_, '_>) {
    let chain = Chain::new();
    bencher.bench_local(|| chain.raw_signatures());
}

#[divan::bench]
fn chain_judged(bencher: divan::Bencher<'_, '_>) {
    let chain = Chain::new();
    bencher.bench_local(|| chain.judge_parsed());
}

#[divan::bench]
fn chain_parsed_and_judged(bencher: divan::Bencher<'_, '_>) {
    let chain = Chain::new();
    bencher.bench_local(|| chain.parse_and_judge());
}

#[divan::bench]
fn chain_and_anchor_parsed_and_judged(bencher: divan::Bencher<'_, '_>) {
    let chain = Chain::new();
    bencher.bench_local(|| chain.parse_all_and_judge());
}

#[divan::bench]
fn chain_by_rustls_webpki(bencher: divan::Bencher<'_, '_>) {
    let chain = Chain::new();
    bencher.bench_local(|| chain.webpki());
}
