//! How a ledger grows: the same operations with a hundred, ten thousand and a million certificates in it.

// A bench stops at the first surprise.
#![allow(clippy::unwrap_used)]

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex};

use certkit::ca::ledger::{Entry, Query, Revocation};
use certkit::ca::{Act, Action, AuthorityId, Ledger, SqliteLedger};
use certkit::issue::{Issuer, Request, issue};
use certkit::key::{KeyAlgorithm, PrivateKey};
use certkit::profile::Profile;
use certkit::x509::extension::CrlReason;
use certkit::x509::{Certificate, DistinguishedName, SerialNumber, Validity};
use time::macros::datetime;

fn main() {
    divan::main();
    // Statics are never dropped, and a million rows take a gigabyte.
    _ = std::fs::remove_dir_all(FOLDER.path());
}

static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

const ROWS: [u64; 3] = [100, 10_000, 1_000_000];

const VALIDITY: Validity =
    Validity { not_before: datetime!(2026-11-23 0:00 UTC), not_after: datetime!(2026-12-23 0:00 UTC) };

#[divan::bench(args = ROWS)]
fn record_one(bencher: divan::Bencher<'_, '_>, rows: u64) {
    static NEXT: AtomicU64 = AtomicU64::new(1 << 32);
    with_ledger(rows, |ledger, by| {
        bencher.with_inputs(|| numbered(NEXT.fetch_add(1, Ordering::Relaxed))).bench_local_values(|certificate| {
            ledger.record(by, &[Entry { certificate: &certificate, profile: "server" }], &act(Action::Issue)).unwrap();
        });
    });
}

#[divan::bench(args = ROWS)]
fn find_by_name(bencher: divan::Bencher<'_, '_>, rows: u64) {
    let query = Query { name: Some(name(rows / 3)), ..Query::default() };
    with_ledger(rows, |ledger, by| bencher.bench_local(|| assert_eq!(ledger.find(by, &query).unwrap().len(), 1)));
}

#[divan::bench(args = ROWS)]
fn find_by_serial_number(bencher: divan::Bencher<'_, '_>, rows: u64) {
    let query = Query { serial: Some(serial(rows / 3)), ..Query::default() };
    with_ledger(rows, |ledger, by| bencher.bench_local(|| assert_eq!(ledger.find(by, &query).unwrap().len(), 1)));
}

#[divan::bench(args = ROWS)]
fn hold_and_release(bencher: divan::Bencher<'_, '_>, rows: u64) {
    // Certificate N has the id N + 2, the root being first; those with odd ids are revoked for good.
    let serial = serial(rows / 2 / 2 * 2);
    let hold = Revocation::new(VALIDITY.not_before, CrlReason::CertificateHold);
    with_ledger(rows, |ledger, by| {
        bencher.bench_local(|| {
            ledger.revoke(by, &serial, hold, &act(Action::Revoke)).unwrap();
            ledger.release(by, &serial, &act(Action::Release)).unwrap();
        });
    });
}

/// Half of the certificates are revoked: this is the time for each list of them.
#[divan::bench(args = ROWS, sample_count = 5, sample_size = 1)]
fn entries_of_a_list(bencher: divan::Bencher<'_, '_>, rows: u64) {
    with_ledger(rows, |ledger, by| {
        bencher.counter(divan::counter::ItemsCount::new(rows / 2)).bench_local(|| {
            let mut entries = 0;
            ledger
                .revoked(by, None, &mut |_| {
                    entries += 1;
                    ControlFlow::Continue(())
                })
                .unwrap();
            assert_eq!(entries, rows / 2);
        });
    });
}

/// A ledger with so many certificates, kept from bench to bench.
fn with_ledger(rows: u64, work: impl FnOnce(&mut SqliteLedger, AuthorityId)) {
    static MADE: Mutex<Vec<u64>> = Mutex::new(Vec::new());
    let path = FOLDER.path().join(format!("{rows}.db"));
    let mut ledger = SqliteLedger::create(&path).unwrap();
    if !MADE.lock().unwrap().contains(&rows) {
        fill(&mut ledger, rows);
        revoke_odd_ones(&path);
        MADE.lock().unwrap().push(rows);
    }
    let by = ledger.authorities().unwrap().first().unwrap().id;
    work(&mut ledger, by);
}

fn fill(ledger: &mut SqliteLedger, rows: u64) {
    let by = ledger.add_authority(&numbered(u64::MAX), "root-ca", &act(Action::Init)).unwrap();
    let numbers: Vec<u64> = (0..rows).collect();
    for chunk in numbers.chunks(10_000) {
        let certificates: Vec<Certificate> = chunk.iter().map(|number| numbered(*number)).collect();
        let entries: Vec<Entry<'_>> =
            certificates.iter().map(|certificate| Entry { certificate, profile: "server" }).collect();
        ledger.record(by, &entries, &act(Action::Issue)).unwrap();
    }
}

/// Revokes every other certificate at once, past the ledger: a transaction for each would take half an hour.
fn revoke_odd_ones(path: &Path) {
    let database = rusqlite::Connection::open(path).unwrap();
    database
        .execute_batch(
            "BEGIN;
             UPDATE certificates SET revoked_at = 1, reason = 4 WHERE id % 2 = 1 AND id > 1;
             INSERT INTO revocations (authority, certificate, revoked_at, reason)
                 SELECT authority, id, revoked_at, reason FROM certificates WHERE reason = 4;
             COMMIT;",
        )
        .unwrap();
}

fn act(what: Action) -> Act {
    Act { at: VALIDITY.not_before, who: "bench".into(), what }
}

fn name(number: u64) -> String {
    format!("h{number:020}.test")
}

fn serial(number: u64) -> SerialNumber {
    SerialNumber::from_bits(spread(number))
}

/// Serial numbers come in no order.
fn spread(number: u64) -> [u8; 16] {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mut bits = [0x40; 16];
    bits.iter_mut().skip(1).zip(mixed.to_be_bytes()).for_each(|(to, from)| *to = from);
    bits.iter_mut().skip(9).zip(number.to_be_bytes().into_iter().skip(1)).for_each(|(to, from)| *to = from);
    bits
}

/// A certificate with this number: one that was issued, with serial number and name exchanged. A ledger looks at no
/// signature.
fn numbered(number: u64) -> Certificate {
    static FIRST: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        let request = Request {
            subject: DistinguishedName::common_name_only(&name(0)),
            names: vec![name(0).parse().unwrap()],
            public_key: key.public_key().clone(),
            key_identifier: None,
        };
        let profile = Profile::built_in("self-signed").unwrap();
        issue(&profile, &request, &Issuer::SelfSigned(&key), &serial(0), VALIDITY).unwrap().der().to_vec()
    });
    let mut der = FIRST.clone();
    exchange(&mut der, serial(0).content(), serial(number).content());
    exchange(&mut der, name(0).as_bytes(), name(number).as_bytes());
    Certificate::from_der(&der).unwrap()
}

fn exchange(der: &mut [u8], from: &[u8], to: &[u8]) {
    let places: Vec<usize> =
        der.windows(from.len()).enumerate().filter(|(_, window)| *window == from).map(|(at, _)| at).collect();
    for at in places {
        der.iter_mut().skip(at).zip(to).for_each(|(old, new)| *old = *new);
    }
}
