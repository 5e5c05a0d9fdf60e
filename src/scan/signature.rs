//! The signatures that a server makes, and the certificates that come with them.

use super::answer::Answer;
use super::eliminate::{Ended, eliminate};
use super::found::{CertificateFound, ChainEntry};
use super::prober::Prober;
use super::question;
use super::version::{VersionHeard, ask, offer};
use crate::encoding::hex;
use crate::key::{KeyAlgorithm, digest};
use crate::tls::code::cipher_suite::{Authentication, KeyExchange};
use crate::tls::code::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use crate::x509::Certificate;
use crate::x509::time::rfc3339;

/// Finds the signatures in a version that names them: TLS 1.2 and 1.3.
pub(super) fn schemes(prober: &Prober<'_>, heard: &mut VersionHeard) {
    let version = heard.scan.version;
    let signs = |suite: &CipherSuite| {
        suite.parts().is_some_and(|parts| {
            let signed = matches!(parts.key_exchange, KeyExchange::Dhe | KeyExchange::Ecdhe | KeyExchange::Tls13);
            signed && parts.authentication != Authentication::Anonymous
        })
    };
    let suites: Vec<CipherSuite> = heard.scan.suites.iter().map(|found| found.suite).filter(signs).collect();
    if !version.has_signature_algorithms() || suites.is_empty() {
        return;
    }
    let take = |answer: &Answer| answer.signed_with().filter(|_| answer.version() == Some(version));
    let group = match version.is_tls13() {
        true => match readable(prober, &suites) {
            Some(group) => Some(group),
            None => {
                heard.scan.remarks.push(
                    "what it encrypts could not be read: its certificates and signatures in TLS 1.3 are not known"
                        .to_owned(),
                );
                return;
            }
        },
        false => None,
    };
    let any = question::any_certificate_signature().ok();
    let with = |suites: &[CipherSuite], schemes: &[SignatureScheme]| {
        let mut offer = offer(prober, version, suites);
        offer.signature_schemes = schemes.to_vec();
        offer.extra.extend(any.clone());
        restrict(prober, &mut offer, group);
        ask(prober, &offer)
    };
    let mut pool: Vec<SignatureScheme> =
        question::signature_schemes().filter(|scheme| !version.is_tls13() || scheme.signs_tls13()).collect();
    // What a client that offers everything gets.
    let mut usual = None;
    // A server may choose the suite first and then find that it cannot sign: so each kind of certificate by itself.
    for suites in by_authentication(&suites) {
        let found = eliminate(pool.clone(), |left| with(&suites, left), take);
        heard.scan.complete &= found.ended != Ended::Unknown;
        if let Ended::Aside(answer) = &found.ended
            && let Some(scheme) = answer.signed_with()
        {
            heard.scan.remarks.push(format!("it signs with {scheme} where that is not offered"));
        }
        usual = usual.or(found.chosen.first().map(|(scheme, _)| *scheme));
        pool.retain(|scheme| found.chosen.iter().all(|(chosen, _)| chosen != scheme));
        heard.scan.signature_schemes.extend(found.chosen.iter().map(|(scheme, _)| *scheme));
        heard.answers.extend(found.chosen.into_iter().map(|(_, answer)| answer));
    }
    heard.scan.usual_signature = usual;
}

/// The suites by the kind of key that signs, in the order of the first of each.
fn by_authentication(suites: &[CipherSuite]) -> Vec<Vec<CipherSuite>> {
    let mut kinds: Vec<(Option<Authentication>, Vec<CipherSuite>)> = Vec::new();
    for suite in suites {
        let kind = suite.parts().map(|parts| parts.authentication);
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, suites)) => suites.push(*suite),
            None => kinds.push((kind, vec![*suite])),
        }
    }
    kinds.into_iter().map(|(_, suites)| suites).collect()
}

/// Leaves an offer of TLS 1.3 with the one group that the answer can be read with.
pub(super) fn restrict(prober: &Prober<'_>, offer: &mut crate::tls::handshake::Offer, group: Option<NamedGroup>) {
    let Some(group) = group else { return };
    offer.groups = vec![group];
    let keys = prober.keys.iter().filter(|key| question::group_of(key.algorithm()) == group);
    offer.key_shares = keys.map(question::share).collect();
}

/// A group with which an answer of TLS 1.3 can be read.
pub(super) fn readable(prober: &Prober<'_>, suites: &[CipherSuite]) -> Option<NamedGroup> {
    let mut offer = offer(prober, ProtocolVersion::TLS1_3, suites);
    offer.groups = prober.keys.iter().map(|key| question::group_of(key.algorithm())).collect();
    let super::prober::Asked::Answered(answer) = ask(prober, &offer) else { return None };
    let group = answer.group().filter(|group| offer.groups.contains(group))?;
    if answer.encrypted_extensions.is_some() {
        return Some(group);
    }
    // A retry: the server wants a share that was not sent, or a cipher is beyond us.
    restrict(prober, &mut offer, Some(group));
    match ask(prober, &offer) {
        super::prober::Asked::Answered(answer) if answer.encrypted_extensions.is_some() => Some(group),
        _ => None,
    }
}

/// The curves of the ECDSA certificates in these answers.
pub(super) fn curves(answers: &[Answer]) -> Vec<NamedGroup> {
    let mut curves = Vec::new();
    for answer in answers {
        let key =
            answer.chain.first().and_then(|der| Certificate::from_der(der).ok()).and_then(|it| it.public_key().ok());
        let curve = match key.map(|key| key.algorithm()) {
            Some(KeyAlgorithm::P256) => NamedGroup::SECP256R1,
            Some(KeyAlgorithm::P384) => NamedGroup::SECP384R1,
            Some(KeyAlgorithm::P521) => NamedGroup::SECP521R1,
            _ => continue,
        };
        if !curves.contains(&curve) {
            curves.push(curve);
        }
    }
    curves
}

/// Every certificate that was shown, once.
pub(super) fn certificates<'a>(answers: impl Iterator<Item = (ProtocolVersion, &'a Answer)>) -> Vec<CertificateFound> {
    let mut found: Vec<CertificateFound> = Vec::new();
    for (version, answer) in answers {
        let ssl2 = answer.ssl2.as_ref().map(|hello| &hello.certificate).filter(|der| !der.is_empty());
        let Some(own) = answer.chain.first().or(ssl2) else { continue };
        let sha256 = hex::encode(&digest::sha256(own));
        match found.iter_mut().find(|known| known.sha256 == sha256) {
            Some(known) if known.versions.contains(&version) => {}
            Some(known) => known.versions.push(version),
            None => found.push(certificate(own, sha256, version, answer.chain.get(1..).unwrap_or_default())),
        }
    }
    for one in &mut found {
        one.versions.sort();
    }
    found
}

fn certificate(der: &[u8], sha256: String, version: ProtocolVersion, chain: &[Vec<u8>]) -> CertificateFound {
    let versions = vec![version];
    let chain = chain.iter().map(|der| entry(der)).collect();
    match Certificate::from_der(der) {
        Ok(certificate) => {
            let names = certificate.subject_alt_names().unwrap_or_default();
            let ChainEntry { name, signature, self_issued: _, key, key_bits } = describe(&certificate);
            CertificateFound {
                name,
                names: names.iter().map(ToString::to_string).collect(),
                issuer: certificate.issuer().to_string(),
                key,
                key_bits,
                signature,
                not_before: rfc3339(certificate.validity().not_before),
                not_after: rfc3339(certificate.validity().not_after),
                sha256,
                spki_sha256: hex::encode(&digest::sha256(certificate.public_key_info())),
                versions,
                chain,
                problem: None,
            }
        }
        Err(error) => CertificateFound {
            name: String::new(),
            names: Vec::new(),
            issuer: String::new(),
            key: None,
            key_bits: None,
            signature: String::new(),
            not_before: String::new(),
            not_after: String::new(),
            sha256,
            spki_sha256: String::new(),
            versions,
            chain,
            problem: Some(error.to_string()),
        },
    }
}

fn entry(der: &[u8]) -> ChainEntry {
    let unreadable = || ChainEntry {
        name: "unreadable".to_owned(),
        signature: String::new(),
        self_issued: false,
        key: None,
        key_bits: None,
    };
    Certificate::from_der(der).map_or_else(|_| unreadable(), |certificate| describe(&certificate))
}

fn describe(certificate: &Certificate) -> ChainEntry {
    let key = certificate.public_key().ok().map(|key| key.algorithm());
    ChainEntry {
        name: certificate.display_name(),
        signature: match certificate.signature_algorithm() {
            Ok(algorithm) => algorithm.to_string(),
            Err(error) => error.to_string(),
        },
        self_issued: certificate.is_self_issued(),
        key: key.map(|key| key.to_string()),
        key_bits: key.and_then(bits),
    }
}

fn bits(key: KeyAlgorithm) -> Option<u16> {
    match key {
        KeyAlgorithm::Rsa(bits) => Some(bits),
        KeyAlgorithm::P256 | KeyAlgorithm::Ed25519 => Some(256),
        KeyAlgorithm::P384 => Some(384),
        KeyAlgorithm::P521 => Some(521),
        KeyAlgorithm::MlDsa44 | KeyAlgorithm::MlDsa65 | KeyAlgorithm::MlDsa87 => None,
    }
}
