//! Handshake signatures, checked with the key of the signer's certificate.

use super::{HandshakeMessages, Side};
use crate::key::{HashAlgorithm, KeyAlgorithm, PublicKey, SignatureAlgorithm, SignatureError};
use crate::tls::code::{ProtocolVersion, SignatureScheme};
use crate::tls::handshake::{DigitallySigned, Negotiated, ServerKeyExchange};
use std::fmt;

/// How something was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedWith {
    /// RSA over MD5 and SHA-1 together, of TLS 1.1 and older.
    Tls10Rsa,
    /// ECDSA over SHA-1, of TLS 1.1 and older.
    Tls10Ecdsa,
    /// A scheme that the message names.
    Scheme(SignatureScheme),
}

impl SignedWith {
    /// Whether collisions in its hash can be found, so that somebody else may have signed.
    pub fn is_broken(self) -> bool {
        match self {
            Self::Tls10Rsa | Self::Tls10Ecdsa => true,
            Self::Scheme(scheme) => scheme.is_broken(),
        }
    }
}

impl fmt::Display for SignedWith {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tls10Rsa => f.pad("RSA over MD5 and SHA-1"),
            Self::Tls10Ecdsa => f.pad("ECDSA over SHA-1"),
            Self::Scheme(scheme) => scheme.fmt(f),
        }
    }
}

/// Why a handshake signature is not good.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignedFault {
    /// There is none.
    #[error("the message is not signed")]
    Unsigned,
    /// The scheme is none that certkit computes.
    #[error("signatures of scheme {0} are not checked by certkit")]
    Unsupported(SignatureScheme),
    /// The scheme must not sign handshakes in TLS 1.3.
    #[error("{0} must not sign a handshake of TLS 1.3 (RFC 8446 §4.2.3)")]
    NotInTls13(SignatureScheme),
    /// The scheme is for keys on another curve.
    #[error("{scheme} is not for a {key} key (RFC 8446 §4.2.3)")]
    WrongKey {
        /// The scheme.
        scheme: SignatureScheme,
        /// The kind of the key.
        key: KeyAlgorithm,
    },
    /// Keys of this kind make no signatures in this version.
    #[error("a {key} key makes no signature in {version}")]
    NoSuchSignature {
        /// The kind of the key.
        key: KeyAlgorithm,
        /// The version.
        version: ProtocolVersion,
    },
    /// The signature does not belong to key and message, or cannot be computed.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

/// Checks the signature of a ServerKeyExchange (RFC 5246 §7.4.3): over both randoms and the parameters. Weak hashes and
/// short keys are computed all the same; [`SignedWith::is_broken`] and the key say what the answer is worth.
///
/// # Errors
/// Anything but a good signature.
pub fn server_key_exchange(
    key: &PublicKey,
    negotiated: &Negotiated,
    client_random: &[u8; 32],
    server_random: &[u8; 32],
    exchange: &ServerKeyExchange,
) -> Result<SignedWith, SignedFault> {
    let signed = exchange.signature.as_ref().ok_or(SignedFault::Unsigned)?;
    let message = [&client_random[..], server_random, &exchange.parameter_octets].concat();
    check(key, negotiated.version, signed, &message)
}

/// Checks the signature of a CertificateVerify, by which `signer` proves to have the key: in TLS 1.3 over the digest of
/// all messages before it (RFC 8446 §4.4.3), in TLS 1.2 and older over the messages themselves (RFC 5246 §7.4.8). SSL
/// 3.0 mixes the master secret in, and is not checked.
///
/// # Errors
/// Anything but a good signature.
pub fn certificate_verify(
    key: &PublicKey,
    negotiated: &Negotiated,
    signer: Side,
    signed: &DigitallySigned,
    messages: &HandshakeMessages,
) -> Result<SignedWith, SignedFault> {
    let version = negotiated.version;
    if version == ProtocolVersion::SSL3 {
        return Err(SignedFault::NoSuchSignature { key: key.algorithm(), version });
    }
    if !version.is_tls13() {
        return check(key, version, signed, messages.octets());
    }
    let scheme = signed.scheme.ok_or(SignedFault::Unsigned)?;
    if !scheme.signs_tls13() {
        return Err(SignedFault::NotInTls13(scheme));
    }
    if scheme.key().is_some_and(|curve| curve != key.algorithm()) {
        return Err(SignedFault::WrongKey { scheme, key: key.algorithm() });
    }
    let hash = negotiated.cipher_suite.parts().and_then(|parts| parts.prf).unwrap_or(HashAlgorithm::Sha256);
    let context: &[u8] = match signer {
        Side::Client => b"TLS 1.3, client CertificateVerify\0",
        Side::Server => b"TLS 1.3, server CertificateVerify\0",
    };
    let message = [&[b' '; 64], context, &messages.digest(hash)].concat();
    check(key, version, signed, &message)
}

fn check(
    key: &PublicKey,
    version: ProtocolVersion,
    signed: &DigitallySigned,
    message: &[u8],
) -> Result<SignedWith, SignedFault> {
    match (signed.scheme, key.algorithm()) {
        (Some(scheme), _) => {
            let algorithm = scheme.algorithm().ok_or(SignedFault::Unsupported(scheme))?;
            algorithm.verify_weak(key, message, &signed.signature)?;
            Ok(SignedWith::Scheme(scheme))
        }
        (None, KeyAlgorithm::Rsa(_)) => {
            key.verify_tls10_rsa(message, &signed.signature)?;
            Ok(SignedWith::Tls10Rsa)
        }
        (None, KeyAlgorithm::P256 | KeyAlgorithm::P384 | KeyAlgorithm::P521) => {
            SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha1).verify_weak(key, message, &signed.signature)?;
            Ok(SignedWith::Tls10Ecdsa)
        }
        (None, key) => Err(SignedFault::NoSuchSignature { key, version }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use crate::encoding::hex;
    use crate::tls::code::{CipherSuite, HandshakeType};
    use crate::tls::handshake::Handshake;
    use crate::tls::record::RawHandshake;
    use crate::tls::rfc8448 as trace;

    fn read(text: &str) -> RawHandshake {
        let octets = hex::decode(text).unwrap();
        RawHandshake::new(HandshakeType(octets[0]), &octets[4..])
    }

    #[test]
    fn the_certificate_verify_of_rfc_8448_is_good_and_a_changed_transcript_is_not() {
        let tls13 = Negotiated { version: ProtocolVersion::TLS1_3, cipher_suite: CipherSuite(0x1301) };
        let mut messages = HandshakeMessages::new();
        for message in [trace::CLIENT_HELLO, trace::SERVER_HELLO, trace::ENCRYPTED_EXTENSIONS, trace::CERTIFICATE] {
            messages.add(&read(message), None);
        }
        let Ok(Handshake::Certificate(chain)) = Handshake::decode(&read(trace::CERTIFICATE), Some(&tls13)) else {
            panic!()
        };
        let certificate = crate::x509::Certificate::from_der(chain.certificates().next().unwrap()).unwrap();
        let key = certificate.public_key().unwrap();
        let Ok(Handshake::CertificateVerify(signed)) =
            Handshake::decode(&read(trace::CERTIFICATE_VERIFY), Some(&tls13))
        else {
            panic!()
        };
        let check = |signer, signed: &DigitallySigned, messages: &HandshakeMessages| {
            certificate_verify(&key, &tls13, signer, signed, messages)
        };
        let good = SignedWith::Scheme(SignatureScheme::RSA_PSS_RSAE_SHA256);
        assert_eq!(check(Side::Server, &signed, &messages), Ok(good));
        let mismatch = Err(SignedFault::Signature(SignatureError::Mismatch));
        assert_eq!(check(Side::Client, &signed, &messages), mismatch);
        let mut other = messages.clone();
        other.add(&read(trace::SERVER_FINISHED), None);
        assert_eq!(check(Side::Server, &signed, &other), mismatch);
        let named = |scheme| DigitallySigned { scheme: Some(scheme), signature: signed.signature.clone() };
        for (scheme, fault) in [
            (SignatureScheme::RSA_PKCS1_SHA256, SignedFault::NotInTls13(SignatureScheme::RSA_PKCS1_SHA256)),
            (
                SignatureScheme::ECDSA_SECP256R1_SHA256,
                SignedFault::WrongKey { scheme: SignatureScheme::ECDSA_SECP256R1_SHA256, key: KeyAlgorithm::Rsa(1024) },
            ),
            (SignatureScheme::ED448, SignedFault::Unsupported(SignatureScheme::ED448)),
        ] {
            assert_eq!(check(Side::Server, &named(scheme), &messages), Err(fault));
        }
    }
}
