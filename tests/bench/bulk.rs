//! Bulk issue against the same certificates and keys made and not recorded, on the same cores in the same run: what the ledger
//! costs. Beside it how others make such keys and certificates, rcgen with aws-lc, which judges nothing and keeps nothing; and the
//! work that cannot be saved, keys and signatures over as many octets, with nothing else of a certificate: our own, whose nonces
//! share inversions and whose signatures are checked as they are made, and aws-lc's.
//!
//!   cargo bench --bench bulk                 10,000 certificates, the ledger in the target folder
//!   cargo bench --bench bulk -- 100000 /mnt  so many, the ledger in this folder
//!
//! Exits 1 where certificates are recorded at less than 60 % of the rate at which they are made, by ourselves or by rcgen.

// A bench stops at the first surprise, and says what it found.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use certkit::ca::{Act, Action, Authority, Order, Press, SqliteLedger, Task, Unrecorded};
use certkit::encoding::pem;
use certkit::issue::{Naming, Wanted};
use certkit::key::{self, KeyAlgorithm, KeyError, NonceStore, Nonces, PrivateKey};
use certkit::profile::Profile;
use certkit::x509::{SerialNumber, Validity};
use std::hint::black_box;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};
use std::{env, thread};
use time::macros::datetime;

const LEAST: f64 = 0.6;
const CHUNK: usize = 64;
/// As `ca issue --batch` has it: so many chunks share a transaction, and the ledger waits so long for another.
const TOGETHER: usize = 16;
const PAUSE: Duration = Duration::from_millis(5);
const ROUNDS: usize = 21;

const VALIDITY: Validity =
    Validity { not_before: datetime!(2026-11-23 0:00 UTC), not_after: datetime!(2026-12-23 0:00 UTC) };

fn main() -> ExitCode {
    let mut args = env::args().skip(1).filter(|argument| argument != "--bench");
    let count = args.next().map_or(10_000, |count| count.parse().unwrap());
    let folder = args.next().map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    // In turns, so that a busy machine slows all alike, and each share is of its own round.
    let rounds: Vec<Round> = (0..ROUNDS)
        .map(|_| Round {
            peer: by_aws_lc(count, threads),
            others: by_rcgen(count, threads),
            bare: bare_work(count, threads),
            made: made_alone(count, threads, &folder),
            recorded: bulk_issue(count, threads, &folder),
        })
        .collect();
    let time = |of: fn(&Round) -> Duration| median(rounds.iter().map(|round| of(round).as_secs_f64() * 1000.0));
    let share = |of: fn(&Round) -> Duration| {
        median(rounds.iter().map(|round| of(round).as_secs_f64() / round.recorded.as_secs_f64()))
    };
    println!("{count} P-256 leaves on {threads} cores, the middle of {ROUNDS} rounds:");
    println!("  recorded, keys as PEM                 {:>7.1} ms", time(|round| round.recorded));
    let mut reached = true;
    for (what, of, is_made) in [
        ("the same and not recorded", (|round| round.made) as fn(&Round) -> Duration, true),
        ("keys and certificates by rcgen", |round| round.others, true),
        ("keys and signatures alone, by aws-lc", |round| round.peer, false),
        ("keys and signatures alone, our own", |round| round.bare, false),
    ] {
        let found = share(of);
        let wanted = if is_made { format!(", at least {LEAST} is wanted") } else { String::new() };
        println!("  {what:36}  {:>7.1} ms   {found:.2} of its rate{wanted}", time(of));
        reached &= !is_made || found >= LEAST;
    }
    if reached { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// How long each took, one after the other.
struct Round {
    peer: Duration,
    others: Duration,
    bare: Duration,
    made: Duration,
    recorded: Duration,
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// As many keys and signatures over the octets of a certificate.
fn bare_work(count: usize, threads: usize) -> Duration {
    let (ca, store) = (PrivateKey::generate(KeyAlgorithm::P256).unwrap(), NonceStore::new());
    repeated(count, threads, |message| {
        let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        message.iter_mut().zip(key.public_key().subject_public_key()).for_each(|(to, from)| *to = *from);
        ca.sign_with(Nonces::Random(&store), ca.signature_algorithm(), message).unwrap();
    })
}

/// The same by aws-lc, which signs for nearly everybody who writes TLS in Rust.
fn by_aws_lc(count: usize, threads: usize) -> Duration {
    let (ca, random) = (EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(), SystemRandom::new());
    repeated(count, threads, |message| {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        message.iter_mut().zip(key.public_key().as_ref()).for_each(|(to, from)| *to = *from);
        ca.sign(&random, message).unwrap();
    })
}

/// Keys as PEM and certificates of the same form by rcgen, with aws-lc's keys and signatures.
fn by_rcgen(count: usize, threads: usize) -> Duration {
    let own = AwsLc::new();
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, "Bench CA");
    params.key_identifier_method = own.identifier();
    let (issuer, next) = (rcgen::Issuer::new(params, own), AtomicUsize::new(0));
    repeated(count, threads, |_| {
        let (key, number) = (AwsLc::new(), next.fetch_add(1, Ordering::Relaxed));
        let mut params = rcgen::CertificateParams::new([format!("host-{number}.example.test")]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, format!("host-{number}.example.test"));
        params.serial_number = Some(rcgen::SerialNumber::from_slice(serial().unwrap().content()));
        (params.not_before, params.not_after) = (VALIDITY.not_before, VALIDITY.not_after);
        params.is_ca = rcgen::IsCa::ExplicitNoCa;
        params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        params.key_identifier_method = key.identifier();
        let pkcs8 = key.0.to_pkcs8v1().unwrap();
        black_box((params.signed_by(&key, &issuer).unwrap(), pem::write("PRIVATE KEY", pkcs8.as_ref())));
    })
}

/// A P-256 key of aws-lc, as rcgen wants one.
struct AwsLc(EcdsaKeyPair);

impl AwsLc {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    /// As rcgen makes them.
    fn identifier(&self) -> rcgen::KeyIdMethod {
        rcgen::KeyIdMethod::PreSpecified(
            digest::digest(&digest::SHA256, self.0.public_key().as_ref()).as_ref()[..20].to_vec(),
        )
    }
}

impl rcgen::PublicKeyData for AwsLc {
    fn der_bytes(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for AwsLc {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(self.0.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec())
    }
}

/// How long so many threads take for something that is done so often, each with as many octets as a certificate has.
fn repeated(count: usize, threads: usize, once: impl Fn(&mut [u8; 400]) + Sync) -> Duration {
    let next = AtomicUsize::new(0);
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut message = [0x5a; 400];
                while next.fetch_add(1, Ordering::Relaxed) < count {
                    once(&mut message);
                }
            });
        }
    });
    begun.elapsed()
}

/// Keys and certificates that nobody records.
fn made_alone(count: usize, threads: usize, folder: &std::path::Path) -> Duration {
    let folder = tempfile::tempdir_in(folder).unwrap();
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let mut authority = authority(&key, &folder.path().join("ledger.db"));
    let press = authority.unlock(&key, VALIDITY.not_before).unwrap().press();
    let (profile, next) = (Arc::new(Profile::built_in("server").unwrap()), AtomicUsize::new(0));
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| while chunk(&press, &profile, &next, count).is_some() {});
        }
    });
    begun.elapsed()
}

/// The next certificates with their keys, while there are any to be made.
fn chunk(press: &Press<'_>, profile: &Arc<Profile>, next: &AtomicUsize, count: usize) -> Option<Chunk> {
    let first = next.fetch_add(CHUNK, Ordering::Relaxed);
    if first >= count {
        return None;
    }
    let chunk = (first..count.min(first + CHUNK)).map(|number| {
        let names = [format!("host-{number}.example.test")];
        let naming = Naming::new(profile, Wanted { names: &names, ..Wanted::default() }).unwrap();
        let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        let request = naming.request(key.public_key().clone());
        let task = Task { profile: Arc::clone(profile), request, validity: VALIDITY };
        (press.make(task, &mut serial).unwrap(), pem::write("PRIVATE KEY", &key.to_pkcs8_der()))
    });
    Some(chunk.collect())
}

type Chunk = Vec<(Unrecorded, zeroize::Zeroizing<String>)>;

/// Keys, certificates and records: what `ca issue --batch` does before it writes files.
fn bulk_issue(count: usize, threads: usize, folder: &std::path::Path) -> Duration {
    let folder = tempfile::tempdir_in(folder).unwrap();
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let mut authority = authority(&key, &folder.path().join("ledger.db"));
    let mut signatory = authority.unlock(&key, VALIDITY.not_before).unwrap();
    let press = signatory.press();
    let profile = Arc::new(Profile::built_in("server").unwrap());
    let next = AtomicUsize::new(0);
    let begun = Instant::now();
    let (results, made) = sync_channel::<Chunk>(2 * TOGETHER);
    let mut recorded = 0;
    thread::scope(|scope| {
        for _ in 0..threads {
            let (results, press, profile, next) = (results.clone(), &press, &profile, &next);
            scope.spawn(move || {
                while let Some(chunk) = chunk(press, profile, next, count) {
                    results.send(chunk).unwrap();
                }
            });
        }
        drop(results);
        while let Ok(first) = made.recv() {
            let mut ready = vec![first];
            while ready.len() < TOGETHER
                && let Ok(chunk) = made.recv_timeout(PAUSE)
            {
                ready.push(chunk);
            }
            let (unrecorded, keys): (Vec<Unrecorded>, Vec<_>) = ready.into_iter().flatten().unzip();
            recorded += signatory.record_all(unrecorded, &mut serial, &act(Action::Issue)).unwrap().len();
            drop(keys);
        }
    });
    let taken = begun.elapsed();
    assert_eq!((recorded, authority.count().unwrap()), (count, count as u64));
    taken
}

fn authority(key: &PrivateKey, ledger: &std::path::Path) -> Authority {
    let profile = Profile::built_in("root-ca").unwrap();
    let wanted = Wanted { common_name: Some("Bench CA"), ..Wanted::default() };
    let request = Naming::new(&profile, wanted).unwrap().request(key.public_key().clone());
    let order = Order { profile: &profile, request: &request, validity: VALIDITY };
    let ledger = Box::new(SqliteLedger::create(ledger).unwrap());
    Authority::init(&order, key, &mut serial, ledger, &act(Action::Init)).unwrap()
}

fn act(what: Action) -> Act {
    Act { at: VALIDITY.not_before, who: "bench".into(), what }
}

fn serial() -> Result<SerialNumber, KeyError> {
    let mut bits = [0; 16];
    key::random(&mut bits)?;
    Ok(SerialNumber::from_bits(bits))
}
