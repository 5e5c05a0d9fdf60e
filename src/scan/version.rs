//! All that a server takes in one version.

use super::answer::{Answer, End};
use super::eliminate::{Eliminated, Ended, eliminate, preference};
use super::found::{SuiteFound, Support, VersionScan};
use super::prober::{Asked, Prober};
use super::question::{self, Question};
use super::{primes, signature};
use crate::tls::code::cipher_suite::KeyExchange;
use crate::tls::code::{CipherSuite, ExtensionType, NamedGroup, ProtocolVersion};
use crate::tls::handshake::{KeyExchangeParameters, Offer};

/// So many suites at a time where a server does not stand a hello with all.
const FEW: usize = 48;

/// A version with all the answers that were heard.
pub(super) struct VersionHeard {
    pub(super) scan: VersionScan,
    pub(super) answers: Vec<Answer>,
}

/// Asks for SSL 2.0.
pub(super) fn ssl2(prober: &Prober<'_>) -> VersionHeard {
    let mut scan = VersionScan::new(ProtocolVersion::SSL2);
    let asked = Question::ssl2(&prober.random()).map_or(Asked::Unknown, |question| prober.ask(&question));
    let mut answers = Vec::new();
    match asked {
        Asked::Answered(answer) => {
            if let Some(hello) = &answer.ssl2 {
                scan.supported = Support::Yes;
                scan.ssl2_ciphers = hello.ciphers.iter().map(ToString::to_string).collect();
            } else {
                scan.supported = Support::No;
                scan.remarks.push("a hello of SSL 2.0 is answered with a newer version".to_owned());
            }
            answers.push(*answer);
        }
        Asked::Refused(end) => {
            scan.supported = Support::No;
            scan.refusal = Some(words(&end));
        }
        Asked::Unknown => return VersionHeard { scan, answers },
    }
    scan.complete = true;
    VersionHeard { scan, answers }
}

/// Asks for everything in a version from SSL 3.0 on.
pub(super) fn version(prober: &Prober<'_>, version: ProtocolVersion) -> VersionHeard {
    let mut heard = VersionHeard { scan: VersionScan::new(version), answers: Vec::new() };
    suites(prober, &mut heard);
    if heard.scan.is_supported() {
        groups(prober, &mut heard);
        signature::schemes(prober, &mut heard);
    }
    heard
}

/// An offer of these suites with what is usual in the version.
pub(super) fn offer(prober: &Prober<'_>, version: ProtocolVersion, suites: &[CipherSuite]) -> Offer {
    question::offer(version, suites, prober.random(), prober.options.server_name.as_deref(), &prober.keys)
}

pub(super) fn ask(prober: &Prober<'_>, offer: &Offer) -> Asked {
    // What does not fit its length fields cannot be asked: no list here comes near.
    Question::of(offer).map_or(Asked::Unknown, |question| prober.ask(&question))
}

fn suites(prober: &Prober<'_>, heard: &mut VersionHeard) {
    let version = heard.scan.version;
    let take = |answer: &Answer| answer.suite().filter(|_| answer.version() == Some(version));
    let run = |pool: &[CipherSuite]| eliminate(pool.to_vec(), |left| ask(prober, &offer(prober, version, left)), take);
    let [usual, more] = question::suites(version);
    let mut first = run(&usual);
    let mut batches = vec![more];
    if first.chosen.is_empty() && matches!(first.ended, Ended::Refused(_)) {
        // A server that chokes on long lists may still take a short one.
        let mut few = usual.chunks(FEW).map(<[CipherSuite]>::to_vec);
        let short = few.next().map(|batch| run(&batch));
        if let Some(short) = short.filter(|short| !short.chosen.is_empty()) {
            heard.scan.remarks.push(format!("a hello with {} suites is not answered, one with {FEW} is", usual.len()));
            first = short;
            batches =
                few.chain(batches.iter().flat_map(|more| more.chunks(FEW)).map(<[CipherSuite]>::to_vec)).collect();
        }
    }
    heard.scan.complete = true;
    let refusal = refusal_of(&first);
    let mut found = keep(heard, first);
    for batch in batches {
        let further = run(&batch);
        found.extend(keep(heard, further));
    }
    heard.scan.supported = match (found.is_empty(), heard.scan.complete) {
        (false, _) => Support::Yes,
        (true, true) => Support::No,
        (true, false) => Support::Unknown,
    };
    if heard.scan.supported == Support::No {
        heard.scan.refusal = refusal;
    }
    heard.scan.suite_preference = preference(&found, |reversed| ask(prober, &offer(prober, version, reversed)), take);
}

/// Puts what was eliminated into the scan.
fn keep(heard: &mut VersionHeard, eliminated: Eliminated<CipherSuite>) -> Vec<CipherSuite> {
    let Eliminated { chosen, ended } = eliminated;
    heard.scan.complete &= ended != Ended::Unknown;
    if let Ended::Aside(answer) = &ended
        && let (Some(suite), Some(version)) = (answer.suite(), answer.version())
        && (version == heard.scan.version || !chosen.is_empty())
    {
        heard.scan.remarks.push(format!("it answered with {suite} in {version}, which was not offered"));
    }
    let mut found = Vec::new();
    for (suite, answer) in chosen {
        heard.scan.suites.push(suite_found(suite, &answer));
        heard.answers.push(answer);
        found.push(suite);
    }
    found
}

fn suite_found(suite: CipherSuite, answer: &Answer) -> SuiteFound {
    let parameters = answer.key_exchange.as_ref().and_then(|exchange| exchange.parameters.as_ref());
    let parts = suite.parts();
    let group = answer.group();
    let exchange_bits = match parameters {
        Some(parameters) => parameters.bits(),
        None => group.and_then(NamedGroup::bits).map(usize::from),
    };
    let prime = match parameters {
        Some(KeyExchangeParameters::Dhe { prime, .. }) => primes::name(prime),
        _ => None,
    };
    SuiteFound {
        suite,
        code: format!("0x{:04x}", suite.0),
        key_exchange: parts.map(|parts| parts.key_exchange),
        group,
        exchange_bits,
        prime,
        cipher_bits: parts.map(|parts| parts.cipher.key_bits()),
        weaknesses: suite.weaknesses(),
    }
}

fn groups(prober: &Prober<'_>, heard: &mut VersionHeard) {
    let version = heard.scan.version;
    let suites: Vec<CipherSuite> = heard
        .scan
        .suites
        .iter()
        .filter(|found| {
            matches!(found.key_exchange, Some(KeyExchange::Ecdhe | KeyExchange::EcdhePsk | KeyExchange::Tls13))
        })
        .map(|found| found.suite)
        .collect();
    // SSL 3.0 has no extensions to name groups in.
    if suites.is_empty() || version == ProtocolVersion::SSL3 {
        return;
    }
    let with = |groups: Vec<NamedGroup>| {
        let mut offer = offer(prober, version, &suites);
        offer.groups = groups;
        // Without shares a server of TLS 1.3 names the group that it wants one of.
        offer.key_shares = Vec::new();
        ask(prober, &offer)
    };
    let take = |answer: &Answer| answer.group().filter(|_| answer.version() == Some(version));
    let mut found = eliminate(question::groups(version.is_tls13()), |left| with(left.to_vec()), take);
    // RFC 8422 §5.1.1: the curve of an ECDSA certificate has to be offered too, or the certificate cannot be used. So it
    // is offered again, behind all that is left.
    let kept: Vec<NamedGroup> = signature::curves(&heard.answers);
    if !version.is_tls13() && !kept.is_empty() && matches!(found.ended, Ended::Refused(_)) {
        let taken: Vec<NamedGroup> = found.chosen.iter().map(|(group, _)| *group).collect();
        let left = question::groups(false).into_iter().filter(|group| !taken.contains(group)).collect();
        let more = eliminate(left, |left| with([left, &kept].concat()), take);
        found.chosen.extend(more.chosen);
        found.ended = more.ended;
    }
    let asked_aside = matches!(found.ended, Ended::Aside(_)) && found.chosen.is_empty();
    if asked_aside && version.is_tls13() {
        heard.scan.remarks.push("it does not ask for a key share where none is sent".to_owned());
    }
    heard.scan.complete &= found.ended != Ended::Unknown;
    let groups: Vec<NamedGroup> = found.chosen.iter().map(|(group, _)| *group).collect();
    heard.answers.extend(found.chosen.into_iter().map(|(_, answer)| answer));
    heard.scan.group_preference = preference(&groups, |reversed| with(reversed.to_vec()), take);
    heard.scan.groups = groups;
}

fn refusal_of<T>(eliminated: &Eliminated<T>) -> Option<String> {
    match &eliminated.ended {
        Ended::Refused(end) => Some(words(end)),
        Ended::Aside(_) => Some("it answers with another version".to_owned()),
        Ended::Exhausted | Ended::Unknown => None,
    }
}

/// An end in words.
pub(super) fn words(end: &End) -> String {
    match end {
        End::Alert(alert) => format!("alert {alert}"),
        End::Closed => "it closes the connection".to_owned(),
        End::Reset => "it resets the connection".to_owned(),
        End::TimedOut => "it says nothing".to_owned(),
        End::NotTls(what) | End::Malformed(what) => what.clone(),
        End::Settled => "it says nothing of it".to_owned(),
    }
}

/// Whether the extension stands in the answer.
pub(super) fn answers(answer: &Answer, extension_type: ExtensionType) -> bool {
    answer.hello.as_ref().is_some_and(|hello| hello.extensions.contains(extension_type))
}
