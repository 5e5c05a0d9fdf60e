//! The hellos that are sent: each asks one thing.

use crate::key::{AgreementAlgorithm, EphemeralKey};
use crate::tls::EncodeError;
use crate::tls::code::{
    CipherSuite, CompressionMethod, ContentType, ExtensionType, GroupKind, NamedGroup, ProtocolVersion,
    SignatureScheme, Ssl2Cipher, cipher_suite::KeyExchange,
};
use crate::tls::extension::{Extension, ExtensionValue, KeyShareEntry};
use crate::tls::handshake::{ClientHello, Handshake, Offer, Ssl2ClientHello};
use crate::tls::record::write_records;

/// What is sent, and what reading the answer takes.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// The octets on the wire.
    pub(super) octets: Vec<u8>,
    /// The ClientHello message alone.
    pub(super) message: Vec<u8>,
}

impl Question {
    /// This offer.
    pub(super) fn of(offer: &Offer) -> Result<Self, EncodeError> {
        Self::hello(offer.client_hello()?)
    }

    /// This hello, composed by hand.
    pub(super) fn hello(hello: ClientHello) -> Result<Self, EncodeError> {
        let version = hello.legacy_version.min(ProtocolVersion::TLS1_0);
        let message = Handshake::ClientHello(hello).encode()?;
        let octets = write_records(ContentType::HANDSHAKE, version, &message);
        Ok(Self { octets, message })
    }

    /// All ciphers of SSL 2.0.
    pub(super) fn ssl2(challenge: &[u8; 32]) -> Result<Self, EncodeError> {
        let hello = Ssl2ClientHello {
            version: ProtocolVersion::SSL2,
            ciphers: Ssl2Cipher::ALL.to_vec(),
            session_id: Vec::new(),
            challenge: challenge.iter().take(16).copied().collect(),
        };
        Ok(Self { octets: hello.encode()?, message: Vec::new() })
    }
}

/// An offer of these suites in this one version, with what any client of today sends.
pub(super) fn offer(
    version: ProtocolVersion,
    suites: &[CipherSuite],
    random: [u8; 32],
    server_name: Option<&str>,
    keys: &[EphemeralKey],
) -> Offer {
    let mut offer = Offer::new(vec![version], random, suites.to_vec());
    offer.server_name = server_name.map(str::to_owned);
    offer.signature_schemes = signature_schemes().collect();
    if version.is_tls13() {
        offer.groups = groups(true);
        offer.session_id = random.iter().rev().copied().collect();
        offer.key_shares = keys.iter().filter(|key| is_usual(key.algorithm())).map(share).collect();
    } else if version == ProtocolVersion::SSL3 {
        offer.cipher_suites.push(CipherSuite::EMPTY_RENEGOTIATION_INFO_SCSV);
    } else {
        // Without RFC 7919's groups a server shows the primes that clients without them get.
        offer.groups = groups(false);
        // There are servers that refuse clients without these two.
        offer.extra.push(extension(ExtensionType::RENEGOTIATION_INFO, &[0]));
        offer.extra.push(extension(ExtensionType::EXTENDED_MASTER_SECRET, &[]));
    }
    offer
}

/// The suites that can be asked for in a version: those of TLS 1.3, or all others. First those that need no more than a
/// hello; then those of pre-shared keys, passwords, Kerberos and GOST, for which a server may want more and which would
/// hide the others.
pub(super) fn suites(version: ProtocolVersion) -> [Vec<CipherSuite>; 2] {
    let of_version = CipherSuite::all().filter(|suite| {
        let null = suite.0 == 0;
        !null && !suite.is_signalling() && suite.is_tls13() == version.is_tls13()
    });
    let mut all: Vec<CipherSuite> = of_version.collect();
    // Good ones first: that is how clients ask, and what a server without an order of its own then takes.
    all.sort_by_key(|suite| {
        let parts = suite.parts();
        let secret = parts.is_some_and(|parts| parts.key_exchange.is_forward_secret());
        let aead = parts.is_some_and(|parts| parts.cipher.is_aead());
        let bits = parts.map_or(0, |parts| parts.cipher.key_bits());
        (suite.weaknesses().first().map_or(0, |worst| 100 - *worst as u16), !secret, !aead, u16::MAX - bits)
    });
    all.into_iter().partition::<Vec<_>, _>(|suite| !wants_more(*suite)).into()
}

fn wants_more(suite: CipherSuite) -> bool {
    let exchange = suite.parts().map(|parts| parts.key_exchange);
    matches!(
        exchange,
        Some(
            KeyExchange::Psk
                | KeyExchange::RsaPsk
                | KeyExchange::DhePsk
                | KeyExchange::EcdhePsk
                | KeyExchange::Srp
                | KeyExchange::EccPwd
                | KeyExchange::Kerberos
                | KeyExchange::Gost
                | KeyExchange::Fortezza
        )
    )
}

/// The groups that can be asked for, the usual ones first.
pub(super) fn groups(tls13: bool) -> Vec<NamedGroup> {
    let usual = [NamedGroup::X25519, NamedGroup::SECP256R1, NamedGroup::SECP384R1, NamedGroup::SECP521R1];
    let real = |group: &&NamedGroup| group.0 < 0xff00 && !usual.contains(group);
    let fits = |group: &&NamedGroup| tls13 || group.kind() == Some(GroupKind::EllipticCurve);
    usual.iter().chain(NamedGroup::ALL.iter().filter(real).filter(fits)).copied().collect()
}

/// The signatures that can be asked for, the best first, broken ones last.
pub(super) fn signature_schemes() -> impl Iterator<Item = SignatureScheme> {
    let mut all: Vec<SignatureScheme> = SignatureScheme::ALL.to_vec();
    all.sort_by_key(|scheme| match scheme.0 {
        0x0403..=0x0603 if scheme.key().is_some() => 0,
        0x0804..=0x080b => 1,
        0x0900.. => 3,
        _ if scheme.is_broken() => 9,
        0x0401..=0x06ff => 2,
        0x0301..=0x03ff => 8,
        _ => 4,
    });
    all.into_iter()
}

/// The group that TLS calls the agreement.
pub(super) fn group_of(algorithm: AgreementAlgorithm) -> NamedGroup {
    match algorithm {
        AgreementAlgorithm::X25519 => NamedGroup::X25519,
        AgreementAlgorithm::P256 => NamedGroup::SECP256R1,
        AgreementAlgorithm::P384 => NamedGroup::SECP384R1,
        AgreementAlgorithm::P521 => NamedGroup::SECP521R1,
        AgreementAlgorithm::X25519MlKem768 => NamedGroup::X25519MLKEM768,
    }
}

/// The entry of key_share for a key.
pub(super) fn share(key: &EphemeralKey) -> KeyShareEntry {
    KeyShareEntry { group: group_of(key.algorithm()), key_exchange: key.public().to_vec() }
}

fn is_usual(algorithm: AgreementAlgorithm) -> bool {
    matches!(algorithm, AgreementAlgorithm::X25519 | AgreementAlgorithm::P256 | AgreementAlgorithm::P384)
}

/// An extension of these octets.
pub(super) fn extension(extension_type: ExtensionType, data: &[u8]) -> Extension {
    Extension { extension_type, data: data.to_vec() }
}

/// signature_algorithms_cert with all there is: the certificates' own signatures are then no matter.
pub(super) fn any_certificate_signature() -> Result<Extension, EncodeError> {
    let all = ExtensionValue::SignatureSchemes(signature_schemes().collect());
    Extension::new(ExtensionType::SIGNATURE_ALGORITHMS_CERT, &all)
}

/// The compression methods of old, null last.
pub(super) fn compressions() -> Vec<CompressionMethod> {
    vec![CompressionMethod::DEFLATE, CompressionMethod::LZS, CompressionMethod::NULL]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_registered_suite_is_asked_for_in_its_versions() {
        let count = |version| suites(version).iter().map(Vec::len).sum::<usize>();
        let signalling = 2;
        let null = 1;
        let all = CipherSuite::all().count() - signalling - null;
        assert_eq!(count(ProtocolVersion::TLS1_3) + count(ProtocolVersion::TLS1_2), all);
        let [usual, more] = suites(ProtocolVersion::TLS1_2);
        assert!(usual.len() > 150 && more.len() > 50, "{} {}", usual.len(), more.len());
        assert!(usual.first().unwrap().weaknesses().is_empty());
        assert!(usual.last().unwrap().weaknesses().first().unwrap().is_broken());
    }

    #[test]
    fn broken_signatures_are_asked_for_last() {
        let schemes: Vec<SignatureScheme> = signature_schemes().collect();
        let first = schemes.iter().position(|scheme| scheme.is_broken()).unwrap();
        assert!(schemes[first..].iter().all(|scheme| scheme.is_broken()));
        assert_eq!(schemes[0], SignatureScheme::ECDSA_SECP256R1_SHA256);
    }
}
