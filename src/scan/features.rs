//! What a server answers to extensions, signals and oddities.

use super::answer::{Answer, End};
use super::eliminate::eliminate;
use super::found::{Features, VersionScan};
use super::prober::{Asked, Prober};
use super::question::{self, Question};
use super::signature;
use super::version::{self, answers, ask};
use crate::tls::code::cipher_suite::BulkCipher;
use crate::tls::code::{
    AlertDescription, CertificateCompression, CipherSuite, CompressionMethod, ExtensionType, NamedGroup,
    ProtocolVersion,
};
use crate::tls::extension::{Extension, ExtensionValue};
use crate::tls::handshake::{Downgrade, Offer};
use std::thread;

/// The protocols that are asked for: those of the IANA registry that servers on TCP speak.
const PROTOCOLS: [&str; 14] = [
    "h2",
    "http/1.1",
    "http/1.0",
    "spdy/3.1",
    "acme-tls/1",
    "dot",
    "imap",
    "pop3",
    "ftp",
    "xmpp-client",
    "xmpp-server",
    "mqtt",
    "postgresql",
    "smb",
];
/// A hello of this size takes several segments; some servers and boxes before them read only the first.
const LONG_HELLO: usize = 8000;

/// What the questions here are based on.
struct Ground<'p, 'a> {
    prober: &'p Prober<'a>,
    /// The highest version before TLS 1.3, and its suites.
    old: Option<(ProtocolVersion, Vec<CipherSuite>)>,
    /// The suites of TLS 1.3, and a group with which its answers can be read.
    new: Option<(Vec<CipherSuite>, Option<NamedGroup>)>,
    /// Whether the version below the highest is spoken too.
    lower: Option<(ProtocolVersion, Vec<CipherSuite>)>,
}

/// Asks for features, with what the versions are known to take. Answers that showed a certificate are put into `heard`.
pub(super) fn features(
    prober: &Prober<'_>,
    versions: &[VersionScan],
    heard: &[(ProtocolVersion, Answer)],
) -> (Features, Vec<(ProtocolVersion, Answer)>) {
    let suites = |scan: &VersionScan| scan.suites.iter().map(|found| found.suite).collect::<Vec<_>>();
    let mut spoken: Vec<&VersionScan> =
        versions.iter().filter(|scan| scan.is_supported() && !scan.suites.is_empty()).collect();
    spoken.sort_by_key(|scan| std::cmp::Reverse(scan.version));
    let old = spoken.iter().find(|scan| !scan.version.is_tls13()).map(|scan| (scan.version, suites(scan)));
    let new = spoken.iter().find(|scan| scan.version.is_tls13()).map(|scan| {
        let suites = suites(scan);
        let group = signature::readable(prober, &suites);
        (suites, group)
    });
    let lower = spoken.get(1).map(|scan| (scan.version, suites(scan)));
    let ground = Ground { prober, old, new, lower };
    let mut features = Features::default();
    from_answers(&mut features, &ground, heard);
    thread::scope(|scope| {
        let extensions = scope.spawn(|| extensions(&ground));
        let alpn = scope.spawn(|| alpn(&ground));
        let encrypt_then_mac = scope.spawn(|| encrypt_then_mac(&ground));
        let compression = scope.spawn(|| compression(&ground));
        let fallback = scope.spawn(|| fallback(&ground));
        let retry = scope.spawn(|| hello_retry(&ground));
        let compressed = scope.spawn(|| certificate_compression(&ground));
        let grease = scope.spawn(|| tolerates(&ground, |offer| offer.grease = true));
        let long = scope.spawn(|| tolerates(&ground, |offer| offer.extra.extend(padding())));
        let future = scope.spawn(|| future_version(&ground));
        let nameless = scope.spawn(|| {
            prober.options.server_name.is_some().then(|| tolerates(&ground, |offer| offer.server_name = None)).flatten()
        });
        let mut more = Vec::new();
        for answer in join(extensions).into_iter().flatten() {
            features.note(&answer);
            more.extend(answer.version().map(|version| (version, answer)));
        }
        granted(&mut features, &more);
        features.alpn = join(alpn).flatten();
        features.encrypt_then_mac = join(encrypt_then_mac).flatten();
        features.compression = join(compression).flatten();
        features.fallback_scsv = join(fallback).flatten();
        features.hello_retry_request = join(retry).flatten();
        features.certificate_compression = join(compressed).flatten();
        features.tolerates_grease = join(grease).flatten();
        features.tolerates_long_hello = join(long).flatten();
        features.tolerates_future_version = join(future).flatten();
        features.answers_without_server_name = join(nameless).flatten();
        (features, more)
    })
}

/// A thread that panicked knows nothing.
fn join<T>(handle: thread::ScopedJoinHandle<'_, T>) -> Option<T> {
    handle.join().ok()
}

impl Ground<'_, '_> {
    /// An offer that the server takes, in its highest version.
    fn offer(&self) -> Option<Offer> {
        match (&self.new, &self.old) {
            (Some((suites, group)), _) => {
                let mut offer = version::offer(self.prober, ProtocolVersion::TLS1_3, suites);
                signature::restrict(self.prober, &mut offer, *group);
                Some(offer)
            }
            (None, Some((version, suites))) => Some(version::offer(self.prober, *version, suites)),
            (None, None) => None,
        }
    }

    fn old_offer(&self) -> Option<Offer> {
        let (version, suites) = self.old.as_ref()?;
        Some(version::offer(self.prober, *version, suites))
    }
}

/// What earlier answers say by the way.
fn from_answers(features: &mut Features, ground: &Ground<'_, '_>, heard: &[(ProtocolVersion, Answer)]) {
    let mut publics: Vec<&[u8]> = Vec::new();
    for (version, answer) in heard {
        features.note(answer);
        if let Some(exchange) = &answer.key_exchange
            && exchange.parameters.is_some()
        {
            publics.push(&exchange.parameter_octets);
        }
        let Some(hello) = answer.hello.as_ref().filter(|_| !version.is_tls13()) else { continue };
        let wanted = match (ground.new.is_some(), *version) {
            (true, ProtocolVersion::TLS1_2) => Some(Downgrade::ToTls12),
            (_, version) if version < ProtocolVersion::TLS1_2 && (ground.new.is_some() || speaks_tls12(ground)) => {
                Some(Downgrade::ToTls11OrOlder)
            }
            _ => None,
        };
        if let Some(wanted) = wanted {
            let marked = hello.downgrade() == Some(wanted);
            features.downgrade_sentinel = Some(features.downgrade_sentinel.unwrap_or(true) && marked);
        }
        if *version > ProtocolVersion::SSL3 {
            let seen = features.secure_renegotiation.unwrap_or(true);
            let says = answers(answer, ExtensionType::RENEGOTIATION_INFO);
            features.secure_renegotiation = Some(seen && says);
            let seen = features.extended_master_secret.unwrap_or(true);
            let says = answers(answer, ExtensionType::EXTENDED_MASTER_SECRET);
            features.extended_master_secret = Some(seen && says);
        }
    }
    if publics.len() > 1 {
        let all = publics.len();
        publics.sort_unstable();
        publics.dedup();
        features.reused_key_exchange = Some(publics.len() < all);
    }
}

fn speaks_tls12(ground: &Ground<'_, '_>) -> bool {
    ground.old.as_ref().is_some_and(|(version, _)| *version == ProtocolVersion::TLS1_2)
}

impl Features {
    fn note(&mut self, answer: &Answer) {
        if !answer.chain.is_empty() {
            self.client_certificate = Some(self.client_certificate.unwrap_or(false) || answer.wants_certificate);
        }
        if let Some(hello) = answer.hello.as_ref().filter(|hello| !hello.version().is_tls13()) {
            self.session_id = Some(self.session_id.unwrap_or(false) || !hello.session_id.is_empty());
        }
    }
}

/// One hello in each generation that asks for all that a server may grant.
fn extensions(ground: &Ground<'_, '_>) -> Vec<Answer> {
    let asked = |offer: Option<Offer>| {
        let mut offer = offer?;
        offer.status_request = true;
        offer.extra.push(question::extension(ExtensionType::SESSION_TICKET, &[]));
        offer.extra.push(question::extension(ExtensionType::SIGNED_CERTIFICATE_TIMESTAMP, &[]));
        offer.extra.push(question::extension(ExtensionType::HEARTBEAT, &[1]));
        match ask(ground.prober, &offer) {
            Asked::Answered(answer) => Some(*answer),
            Asked::Refused(_) | Asked::Unknown => None,
        }
    };
    let new = ground.new.is_some().then(|| ground.offer()).flatten();
    [asked(ground.old_offer()), asked(new)].into_iter().flatten().collect()
}

/// Takes from the answers of [`extensions`] what they say.
fn granted(features: &mut Features, answers: &[(ProtocolVersion, Answer)]) {
    for (version, answer) in answers {
        let tls13 = version.is_tls13();
        if !tls13 {
            features.session_ticket = Some(version::answers(answer, ExtensionType::SESSION_TICKET));
        }
        let or = |known: Option<bool>, now: bool| Some(known.unwrap_or(false) || now);
        let read = !answer.chain.is_empty();
        if read {
            features.ocsp_stapling = or(features.ocsp_stapling, answer.stapled);
            features.certificate_timestamps = or(features.certificate_timestamps, answer.timestamps);
        }
        let heartbeat = answer.extension(ExtensionType::HEARTBEAT).is_some();
        if !tls13 || answer.encrypted_extensions.is_some() {
            features.heartbeat = or(features.heartbeat, heartbeat);
        }
    }
}

fn alpn(ground: &Ground<'_, '_>) -> Option<Vec<String>> {
    // In TLS 1.3 the answer is encrypted: where it cannot be read, the older version tells.
    let readable = ground.new.as_ref().is_some_and(|(_, group)| group.is_some());
    let base = if readable { ground.offer() } else { ground.old_offer() }?;
    if base.versions.first() == Some(&ProtocolVersion::SSL3) {
        return None;
    }
    let with = |protocols: &[&str]| {
        let mut offer = base.clone();
        offer.random = ground.prober.random();
        offer.protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        ask(ground.prober, &offer)
    };
    let take = |answer: &Answer| {
        let chosen = answer.protocol()?;
        PROTOCOLS.into_iter().find(|protocol| protocol.as_bytes() == chosen)
    };
    let found = eliminate(PROTOCOLS.to_vec(), with, take);
    match found.ended {
        super::eliminate::Ended::Unknown => None,
        _ => Some(found.chosen.into_iter().map(|(protocol, _)| protocol.to_owned()).collect()),
    }
}

/// RFC 7366 §3: with CBC alone, for that is all it is for.
fn encrypt_then_mac(ground: &Ground<'_, '_>) -> Option<bool> {
    let (version, suites) = ground.old.as_ref().filter(|(version, _)| *version > ProtocolVersion::SSL3)?;
    let cbc = |suite: &&CipherSuite| {
        suite.parts().is_some_and(|parts| parts.cipher.cbc_block().is_some() && parts.cipher != BulkCipher::Null)
    };
    let cbc: Vec<CipherSuite> = suites.iter().filter(cbc).copied().collect();
    if cbc.is_empty() {
        return None;
    }
    let mut offer = version::offer(ground.prober, *version, &cbc);
    offer.extra.push(question::extension(ExtensionType::ENCRYPT_THEN_MAC, &[]));
    match ask(ground.prober, &offer) {
        Asked::Answered(answer) => Some(answers(&answer, ExtensionType::ENCRYPT_THEN_MAC)),
        Asked::Refused(_) | Asked::Unknown => None,
    }
}

/// The compression that the server takes; `none` where it takes none.
fn compression(ground: &Ground<'_, '_>) -> Option<String> {
    let mut hello = ground.old_offer()?.client_hello().ok()?;
    hello.compression_methods = question::compressions();
    match ground.prober.ask(&Question::hello(hello).ok()?) {
        Asked::Answered(answer) => {
            let method = answer.hello?.compression_method;
            Some(if method == CompressionMethod::NULL { "none".to_owned() } else { method.to_string() })
        }
        // It was asked with null among them and refused: it takes no compression.
        Asked::Refused(_) => Some("none".to_owned()),
        Asked::Unknown => None,
    }
}

/// RFC 7507 §3: a lower version with the signal has to be refused.
fn fallback(ground: &Ground<'_, '_>) -> Option<bool> {
    let (version, suites) = ground.lower.as_ref()?;
    let mut offer = version::offer(ground.prober, *version, suites);
    offer.cipher_suites.push(CipherSuite::FALLBACK_SCSV);
    match ask(ground.prober, &offer) {
        Asked::Refused(End::Alert(alert)) => Some(alert.description == AlertDescription::INAPPROPRIATE_FALLBACK),
        Asked::Answered(_) => Some(false),
        Asked::Refused(_) | Asked::Unknown => None,
    }
}

/// RFC 8446 §4.2.8: no key share at all asks for a HelloRetryRequest.
fn hello_retry(ground: &Ground<'_, '_>) -> Option<bool> {
    let (suites, _) = ground.new.as_ref()?;
    let mut offer = version::offer(ground.prober, ProtocolVersion::TLS1_3, suites);
    offer.key_shares = Vec::new();
    match ask(ground.prober, &offer) {
        Asked::Answered(answer) => Some(answer.hello?.is_hello_retry_request()),
        Asked::Refused(_) => Some(false),
        Asked::Unknown => None,
    }
}

fn certificate_compression(ground: &Ground<'_, '_>) -> Option<CertificateCompression> {
    let (_, group) = ground.new.as_ref()?;
    (*group)?;
    let mut offer = ground.offer()?;
    let all = ExtensionValue::CertificateCompressions(CertificateCompression::ALL.to_vec());
    offer.extra.push(Extension::new(ExtensionType::COMPRESS_CERTIFICATE, &all).ok()?);
    match ask(ground.prober, &offer) {
        Asked::Answered(answer) => answer.compressed,
        Asked::Refused(_) | Asked::Unknown => None,
    }
}

/// Whether an offer that the server takes is still taken with a change that should not matter.
fn tolerates(ground: &Ground<'_, '_>, change: impl FnOnce(&mut Offer)) -> Option<bool> {
    let mut offer = ground.offer()?;
    if offer.versions.first() == Some(&ProtocolVersion::SSL3) {
        return None;
    }
    change(&mut offer);
    match ask(ground.prober, &offer) {
        Asked::Answered(_) => Some(true),
        Asked::Refused(_) => Some(false),
        Asked::Unknown => None,
    }
}

fn padding() -> Option<Extension> {
    Extension::new(ExtensionType::PADDING, &ExtensionValue::Padding(LONG_HELLO)).ok()
}

/// RFC 5246 appendix E.1: a version higher than its own is answered with its own.
fn future_version(ground: &Ground<'_, '_>) -> Option<bool> {
    let mut hello = ground.old_offer()?.client_hello().ok()?;
    hello.legacy_version = ProtocolVersion(0x0305);
    match ground.prober.ask(&Question::hello(hello).ok()?) {
        Asked::Answered(_) => Some(true),
        Asked::Refused(_) => Some(false),
        Asked::Unknown => None,
    }
}
