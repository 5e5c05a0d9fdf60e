//! The pseudorandom functions of SSL 3.0 (RFC 6101 §6.1), TLS 1.0 and 1.1 (RFC 2246 §5) and TLS 1.2 (RFC 5246 §5).

use super::KeysError;
use crate::key::symmetric::hmac;
use crate::key::{HashAlgorithm, digest};
use crate::tls::code::ProtocolVersion;
use crate::tls::handshake::Negotiated;
use zeroize::Zeroizing;

/// What turns secrets into keys before TLS 1.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prf {
    /// MD5 over SHA-1, of SSL 3.0.
    Ssl3,
    /// HMAC-MD5 and HMAC-SHA-1, of TLS 1.0 and 1.1.
    Md5Sha1,
    /// HMAC over one hash, of TLS 1.2.
    Hash(HashAlgorithm),
}

impl Prf {
    /// The function of a version and, in TLS 1.2, of the suite.
    ///
    /// # Errors
    /// [`KeysError::Version`] for TLS 1.3 and SSL 2.0, [`KeysError::UnsupportedSuite`].
    pub fn of(negotiated: &Negotiated) -> Result<Self, KeysError> {
        match negotiated.version {
            ProtocolVersion::SSL3 => Ok(Self::Ssl3),
            ProtocolVersion::TLS1_0 | ProtocolVersion::TLS1_1 => Ok(Self::Md5Sha1),
            ProtocolVersion::TLS1_2 => {
                let hash = negotiated.cipher_suite.parts().and_then(|parts| parts.prf);
                hash.map(Self::Hash).ok_or(KeysError::UnsupportedSuite(negotiated.cipher_suite))
            }
            other => Err(KeysError::Version(other)),
        }
    }

    /// `length` octets from a secret, a label, which SSL 3.0 has none of, and seeds one after the other.
    pub fn expand(self, secret: &[u8], label: &str, seeds: &[&[u8]], length: usize) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Ssl3 => ssl3(secret, seeds, length),
            Self::Hash(hash) => p_hash(hash, secret, label, seeds, length),
            Self::Md5Sha1 => {
                // RFC 2246 §5: two halves, which share the middle octet of an odd length.
                let half = secret.len().div_ceil(2);
                let first = secret.get(..half).unwrap_or_default();
                let second = secret.get(secret.len() - half..).unwrap_or_default();
                let mut out = p_hash(HashAlgorithm::Md5, first, label, seeds, length);
                let other = p_hash(HashAlgorithm::Sha1, second, label, seeds, length);
                out.iter_mut().zip(other.iter()).for_each(|(to, from)| *to ^= from);
                out
            }
        }
    }

    /// The digest of all handshake messages so far, as Finished, extended_master_secret and signatures use it.
    pub fn digest(self, messages: &[u8]) -> Vec<u8> {
        match self {
            Self::Hash(hash) => digest::of(hash, messages),
            Self::Ssl3 | Self::Md5Sha1 => [&digest::md5(messages)[..], &digest::sha1(messages)].concat(),
        }
    }
}

/// P_hash (RFC 5246 §5).
fn p_hash(hash: HashAlgorithm, secret: &[u8], label: &str, seeds: &[&[u8]], length: usize) -> Zeroizing<Vec<u8>> {
    let seed = [&[label.as_bytes()], seeds].concat().concat();
    let mut out = Zeroizing::new(Vec::with_capacity(length + 64));
    let mut chain = hmac(hash, secret, &[&seed]);
    while out.len() < length {
        out.extend_from_slice(&hmac(hash, secret, &[&chain, &seed]));
        chain = hmac(hash, secret, &[&chain]);
    }
    out.truncate(length);
    out
}

/// RFC 6101 §6.1: MD5(secret + SHA-1("A" + secret + seed)), then "BB", "CCC" and so on.
fn ssl3(secret: &[u8], seeds: &[&[u8]], length: usize) -> Zeroizing<Vec<u8>> {
    let seed = seeds.concat();
    let mut out = Zeroizing::new(Vec::with_capacity(length + 16));
    for (count, letter) in (1..).zip(b'A'..=b'Z') {
        if out.len() >= length {
            break;
        }
        let inner = Zeroizing::new([&vec![letter; count], secret, &seed].concat());
        let outer = Zeroizing::new([secret, &digest::sha1(&inner)].concat());
        out.extend_from_slice(&digest::md5(&outer));
    }
    out.truncate(length);
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::encoding::hex;

    #[test]
    fn the_prf_of_tls_1_2_is_that_of_the_published_vectors() {
        // "P_SHA256" of the IETF TLS list, 2009: 100 octets, of which the first are compared.
        let secret = hex::decode("9bbe436ba940f017b17652849a71db35").unwrap();
        let seed = hex::decode("a0ba9f936cda311827a6f796ffd5198c").unwrap();
        let out = Prf::Hash(HashAlgorithm::Sha256).expand(&secret, "test label", &[&seed], 100);
        assert!(hex::encode(&out).starts_with("e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a"));
        assert_eq!(out.len(), 100);
    }

    #[test]
    fn every_prf_gives_as_much_as_is_asked_and_the_same_start() {
        for prf in [Prf::Ssl3, Prf::Md5Sha1, Prf::Hash(HashAlgorithm::Sha384)] {
            let long = prf.expand(&[7; 47], "label", &[b"a", b"b"], 136);
            for length in [0, 1, 16, 17, 48, 104] {
                assert_eq!(*prf.expand(&[7; 47], "label", &[b"ab"], length), long.get(..length).unwrap());
            }
        }
    }
}
