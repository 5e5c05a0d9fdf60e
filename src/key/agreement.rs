//! Key agreement for one connection: Diffie-Hellman on elliptic curves, and with ML-KEM beside it.

use super::error::KeyError;
use aws_lc_rs::agreement::{self, ECDH_P256, ECDH_P384, ECDH_P521, PrivateKey, UnparsedPublicKey, X25519};
use aws_lc_rs::kem::{DecapsulationKey, ML_KEM_768};
use std::fmt;
use zeroize::Zeroizing;

/// How two sides come to share a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AgreementAlgorithm {
    /// RFC 7748.
    X25519,
    /// ECDH on P-256; points are uncompressed.
    P256,
    /// ECDH on P-384; points are uncompressed.
    P384,
    /// ECDH on P-521; points are uncompressed.
    P521,
    /// ML-KEM-768 (FIPS 203), then X25519.
    X25519MlKem768,
}

/// A key pair for the agreement of one connection. It is not printed.
pub struct EphemeralKey {
    algorithm: AgreementAlgorithm,
    curve: PrivateKey,
    kem: Option<DecapsulationKey>,
    public: Vec<u8>,
}

impl EphemeralKey {
    /// A fresh pair.
    ///
    /// # Errors
    /// [`KeyError::Backend`] where the library has no randomness.
    pub fn generate(algorithm: AgreementAlgorithm) -> Result<Self, KeyError> {
        let failed = || KeyError::Backend("make a key for an agreement");
        let curve = PrivateKey::generate(curve(algorithm)).map_err(|_| failed())?;
        let kem = match algorithm {
            AgreementAlgorithm::X25519MlKem768 => Some(DecapsulationKey::generate(&ML_KEM_768).map_err(|_| failed())?),
            _ => None,
        };
        let mut public = Vec::new();
        if let Some(kem) = &kem {
            let key = kem.encapsulation_key().and_then(|key| key.key_bytes()).map_err(|_| failed())?;
            public.extend_from_slice(key.as_ref());
        }
        public.extend_from_slice(curve.compute_public_key().map_err(|_| failed())?.as_ref());
        Ok(Self { algorithm, curve, kem, public })
    }

    /// How it agrees.
    pub fn algorithm(&self) -> AgreementAlgorithm {
        self.algorithm
    }

    /// What the other side is to be told: a point, 32 octets, or an encapsulation key and 32 octets.
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    /// The secret shared with whoever answered with `peer`: a point, 32 octets, or a ciphertext and 32 octets.
    ///
    /// # Errors
    /// [`KeyError::Invalid`] for answers that are of another size, or no points of the curve.
    pub fn agree(&self, peer: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let refused = || KeyError::invalid("public key of an agreement", "it is not of this group");
        let (ciphertext, point) = match &self.kem {
            Some(_) => peer.split_at_checked(CIPHERTEXT_OCTETS).ok_or_else(refused)?,
            None => (&[][..], peer),
        };
        let mut secret = Zeroizing::new(Vec::with_capacity(128));
        if let Some(kem) = &self.kem {
            let shared = kem.decapsulate(ciphertext.into()).map_err(|_| refused())?;
            secret.extend_from_slice(shared.as_ref());
        }
        let point = UnparsedPublicKey::new(curve(self.algorithm), point);
        agreement::agree(&self.curve, point, refused(), |shared| {
            secret.extend_from_slice(shared);
            Ok(())
        })?;
        Ok(secret)
    }
}

impl fmt::Debug for EphemeralKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { algorithm, curve: _, kem: _, public: _ } = self;
        f.debug_struct("EphemeralKey").field("algorithm", algorithm).finish_non_exhaustive()
    }
}

fn curve(algorithm: AgreementAlgorithm) -> &'static agreement::Algorithm {
    match algorithm {
        AgreementAlgorithm::X25519 | AgreementAlgorithm::X25519MlKem768 => &X25519,
        AgreementAlgorithm::P256 => &ECDH_P256,
        AgreementAlgorithm::P384 => &ECDH_P384,
        AgreementAlgorithm::P521 => &ECDH_P521,
    }
}

/// The ciphertext of ML-KEM-768 (FIPS 203, table 3).
const CIPHERTEXT_OCTETS: usize = 1088;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use aws_lc_rs::kem::EncapsulationKey;

    #[test]
    fn both_sides_come_to_the_same_secret() {
        for (algorithm, octets) in [
            (AgreementAlgorithm::X25519, 32),
            (AgreementAlgorithm::P256, 65),
            (AgreementAlgorithm::P384, 97),
            (AgreementAlgorithm::P521, 133),
        ] {
            let (ann, bob) = (EphemeralKey::generate(algorithm).unwrap(), EphemeralKey::generate(algorithm).unwrap());
            assert_eq!(ann.public().len(), octets);
            let secret = ann.agree(bob.public()).unwrap();
            assert_eq!(secret, bob.agree(ann.public()).unwrap());
            assert!(ann.agree(&bob.public()[1..]).is_err() && ann.agree(&[]).is_err());
            assert!(!format!("{ann:?}").contains("PrivateKey"));
        }
    }

    #[test]
    fn the_hybrid_puts_the_secret_of_ml_kem_first() {
        let ann = EphemeralKey::generate(AgreementAlgorithm::X25519MlKem768).unwrap();
        assert_eq!(ann.public().len(), 1184 + 32);
        let (encapsulation, point) = ann.public().split_at(1184);
        let (ciphertext, shared) = EncapsulationKey::new(&ML_KEM_768, encapsulation).unwrap().encapsulate().unwrap();
        let bob = EphemeralKey::generate(AgreementAlgorithm::X25519).unwrap();
        let answer = [ciphertext.as_ref(), bob.public()].concat();
        let secret = ann.agree(&answer).unwrap();
        assert_eq!(secret[..32], *shared.as_ref());
        assert_eq!(secret[32..], bob.agree(point).unwrap()[..]);
        assert!(ann.agree(&answer[1..]).is_err());
    }
}
