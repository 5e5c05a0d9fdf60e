//! A server asked all over: which versions, cipher suites, groups, signatures and certificates it takes and shows, what
//! it says to extensions, what of it is weak, and the grade that leaves.
//!
//! Every question is a ClientHello of our own over a connection of its own, which is given up once the answer is there;
//! no handshake is completed. So servers can be asked for what no library speaks any more: SSL 2.0 and 3.0, export
//! suites, RC4. In TLS 1.3 the keys of the handshake are computed, to read the certificates.

mod answer;
mod eliminate;
mod features;
mod found;
mod primes;
mod prober;
mod question;
mod rules;
mod signature;
mod version;

pub use answer::{Answer, AnswerReader, End};
pub use found::{CertificateFound, ChainEntry, Features, Preference, Scan, SuiteFound, Support, VersionScan};
pub use prober::{Opener, Options};
pub use rules::{Finding, Grade, RULES, Rule, Severity};

use crate::key::KeyError;
use crate::tls::code::{CipherSuite, ProtocolVersion};
use prober::Prober;
use question::Question;
use std::io;
use std::thread;
use version::{VersionHeard, words};

/// Why there is nothing to tell.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// No connection was made.
    #[error("no connection: {0}")]
    Unreachable(#[source] io::Error),
    /// Somebody listens who does not speak TLS.
    #[error("this is no TLS server: {0}")]
    NotTls(String),
    /// Every version was refused.
    #[error("no version of TLS is answered: {0}")]
    Silent(String),
    /// No keys could be made.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// The versions that are asked for, the newest first.
const VERSIONS: [ProtocolVersion; 5] = [
    ProtocolVersion::TLS1_3,
    ProtocolVersion::TLS1_2,
    ProtocolVersion::TLS1_1,
    ProtocolVersion::TLS1_0,
    ProtocolVersion::SSL3,
];

/// Asks a server for everything. `open` opens a fresh connection each time; `progress` is told how many were made.
///
/// # Errors
/// [`ScanError`] where nothing at all was answered. A server that stops answering later gives a scan that is
/// [`incomplete`](Scan::incomplete).
pub fn scan(open: &Opener<'_>, options: &Options, progress: &(dyn Fn(usize) + Sync)) -> Result<Scan, ScanError> {
    let prober = Prober::new(open, options, progress)?;
    find_control(&prober)?;
    let mut heard = ask_versions(&prober);
    let mut answers: Vec<_> = heard
        .iter_mut()
        .flat_map(|one| {
            let version = one.scan.version;
            std::mem::take(&mut one.answers).into_iter().map(move |answer| (version, answer))
        })
        .collect();
    let versions: Vec<VersionScan> = heard.into_iter().map(|one| one.scan).collect();
    let (features, more) = features::features(&prober, &versions, &answers);
    answers.extend(more);
    let certificates = signature::certificates(answers.iter().map(|(version, answer)| (*version, answer)));
    let (connections, incomplete) = (prober.made(), prober.gone());
    let mut scan =
        Scan { grade: Grade::A, findings: Vec::new(), versions, certificates, features, connections, incomplete };
    (scan.findings, scan.grade) = rules::judge(&scan);
    Ok(scan)
}

/// Finds a question that the server answers: by it the scan knows later whether the server is well.
fn find_control(prober: &Prober<'_>) -> Result<(), ScanError> {
    let mut refusals = Vec::new();
    let few = |version: ProtocolVersion| -> Vec<CipherSuite> {
        let [mut usual, _] = question::suites(version);
        usual.truncate(if version.is_tls13() { usize::MAX } else { 48 });
        usual
    };
    let all = |version: ProtocolVersion| {
        let [usual, more] = question::suites(version);
        [usual, more].concat()
    };
    let wide = VERSIONS.into_iter().map(|version| (version, all(version)));
    let narrow = VERSIONS.into_iter().map(|version| (version, few(version)));
    let mut not_tls = None;
    for (version, suites) in wide.chain(narrow) {
        let Ok(question) = Question::of(&version::offer(prober, version, &suites)) else { continue };
        let answer = prober.once(&question).map_err(ScanError::Unreachable)?;
        if answer.hello.is_some() {
            prober.control_with(question);
            return Ok(());
        }
        if let End::NotTls(what) = &answer.end {
            not_tls.get_or_insert_with(|| what.clone());
            break;
        }
        let refusal = format!("{version}: {}", words(&answer.end));
        if !refusals.contains(&refusal) {
            refusals.push(refusal);
        }
    }
    // A server of SSL 2.0 alone answers nothing else.
    let ssl2 = Question::ssl2(&prober.random()).ok().map(|question| prober.once(&question));
    match (ssl2, not_tls) {
        (Some(Ok(answer)), _) if answer.ssl2.is_some() => Ok(()),
        (_, Some(what)) => Err(ScanError::NotTls(what)),
        _ => Err(ScanError::Silent(refusals.join("; "))),
    }
}

/// All versions at the same time; the prober bounds the connections.
fn ask_versions(prober: &Prober<'_>) -> Vec<VersionHeard> {
    thread::scope(|scope| {
        let newer = VERSIONS.map(|version| (version, scope.spawn(move || version::version(prober, version))));
        let oldest = scope.spawn(|| version::ssl2(prober));
        let lost = |version| VersionHeard { scan: VersionScan::new(version), answers: Vec::new() };
        let mut all: Vec<VersionHeard> =
            newer.into_iter().map(|(version, one)| one.join().unwrap_or_else(|_| lost(version))).collect();
        all.push(oldest.join().unwrap_or_else(|_| lost(ProtocolVersion::SSL2)));
        all
    })
}
