//! From the secret of a key agreement to the keys of the handshake (RFC 8446 §7.1), for who took part in it.

use super::{KeysError, Side, TrafficSecret};
use crate::key::symmetric::hmac;
use crate::key::{HashAlgorithm, digest};
use crate::tls::code::CipherSuite;
use std::fmt;

/// The handshake secret of a connection without pre-shared key.
#[derive(Clone, PartialEq, Eq)]
pub struct HandshakeSecret {
    secret: TrafficSecret,
    suite: CipherSuite,
}

impl HandshakeSecret {
    /// The secret that `shared`, what the key agreement gave, becomes with this suite.
    ///
    /// # Errors
    /// [`KeysError::UnsupportedSuite`] for suites whose hash certkit does not compute.
    pub fn new(suite: CipherSuite, shared: &[u8]) -> Result<Self, KeysError> {
        let hash = suite.parts().and_then(|parts| parts.prf).ok_or(KeysError::UnsupportedSuite(suite))?;
        let nothing = vec![0; usize::from(hash.output_octets())];
        // HKDF-Extract is HMAC with the salt as its key (RFC 5869 §2.2).
        let early = TrafficSecret::new(suite, &hmac(hash, &nothing, &[&nothing]))?;
        let salt = derive(&early, hash, "derived", &digest::of(hash, &[]));
        let secret = TrafficSecret::new(suite, &hmac(hash, &salt, &[shared]))?;
        Ok(Self { secret, suite })
    }

    /// The traffic secret of this side's handshake messages. `transcript_hash` is the digest of the hellos.
    ///
    /// # Errors
    /// None that can be met: the suite was taken before.
    pub fn traffic(&self, sender: Side, transcript_hash: &[u8]) -> Result<TrafficSecret, KeysError> {
        let label = match sender {
            Side::Client => "c hs traffic",
            Side::Server => "s hs traffic",
        };
        TrafficSecret::new(self.suite, &derive(&self.secret, self.secret.hash(), label, transcript_hash))
    }
}

impl fmt::Debug for HandshakeSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { secret: _, suite } = self;
        f.debug_struct("HandshakeSecret").field("suite", suite).finish_non_exhaustive()
    }
}

/// Derive-Secret.
fn derive(
    secret: &TrafficSecret,
    hash: HashAlgorithm,
    label: &str,
    transcript_hash: &[u8],
) -> zeroize::Zeroizing<Vec<u8>> {
    secret.expand_label(label, transcript_hash, usize::from(hash.output_octets()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::encoding::hex;

    #[test]
    fn traffic_secrets_are_those_of_rfc_8448_3() {
        let shared = hex::decode("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d").unwrap();
        let hellos = hex::decode("860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8").unwrap();
        let secret = HandshakeSecret::new(CipherSuite(0x1301), &shared).unwrap();
        for (side, traffic) in [
            (Side::Client, "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21"),
            (Side::Server, "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38"),
        ] {
            assert_eq!(hex::encode(secret.traffic(side, &hellos).unwrap().expose()), traffic);
        }
        assert!(HandshakeSecret::new(CipherSuite(0x00c6), &shared).is_err());
        assert!(!format!("{secret:?}").contains("b67b"));
    }
}
