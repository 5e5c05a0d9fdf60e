//! Private keys: made, held and used. Their files are in `import.rs` and `export.rs`.

use super::algorithm::KeyAlgorithm;
use super::ec::{self, Curve};
use super::error::KeyError;
use super::ml_dsa::{self, MlDsaSecret};
use super::nonce::Nonces;
use super::public::PublicKey;
use super::sign::Signer;
use super::signature::SignatureAlgorithm;
use super::{digest, rsa, secret};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use std::fmt;
use std::sync::OnceLock;
use zeroize::Zeroizing;

/// A private key with its public key. It is validated, cannot be printed, and is erased when dropped.
pub struct PrivateKey {
    pub(super) secret: Secret,
    public: PublicKey,
    /// Built by the first signature.
    signer: OnceLock<Signer>,
}

/// What has to stay secret, in the form from which everything else is derived.
#[derive(Clone)]
pub(super) enum Secret {
    /// The scalar in the width of its curve.
    Ec(Curve, Zeroizing<Vec<u8>>),
    /// RSAPrivateKey (RFC 8017 appendix A.1.2).
    Rsa(Zeroizing<Vec<u8>>),
    /// The 32 octets of RFC 8032 §5.1.5.
    Ed25519(Zeroizing<Vec<u8>>),
    /// Seed or expanded key.
    MlDsa(MlDsaSecret),
}

impl PrivateKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// [`KeyError::RsaSize`] for RSA sizes that are not made.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, KeyError> {
        algorithm.check_generation()?;
        match algorithm {
            KeyAlgorithm::P256 => Self::generate_ec(Curve::P256),
            KeyAlgorithm::P384 => Self::generate_ec(Curve::P384),
            KeyAlgorithm::P521 => Self::generate_ec(Curve::P521),
            KeyAlgorithm::Rsa(bits) => {
                let encoding = rsa::generate(bits)?;
                let public = rsa::PrivateNumbers::parse(&encoding)
                    .map_err(KeyError::encoding("generated RSA key"))
                    .and_then(|numbers| PublicKey::from_rsa_numbers(numbers.public))?;
                Ok(Self::new(Secret::Rsa(encoding), public))
            }
            KeyAlgorithm::Ed25519 => Self::from_ed25519_seed(&*seed()?),
            KeyAlgorithm::MlDsa44 | KeyAlgorithm::MlDsa65 | KeyAlgorithm::MlDsa87 => {
                Self::from_ml_dsa(MlDsaSecret::from_seed(algorithm, &*seed()?)?)
            }
        }
    }

    /// What kind of key this is.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.public.algorithm()
    }

    /// The public key that belongs to it.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The signature this key makes unless another is asked for: see [`KeyAlgorithm::signature_algorithm`].
    pub fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.algorithm().signature_algorithm()
    }

    /// Signs `message`. P-256 (RFC 6979), RSA PKCS#1 v1.5 and Ed25519 give the same signature every time; the others
    /// draw random bytes. RSASSA-PSS takes a salt as long as its hash. ECDSA signatures come as DER (RFC 3279 §2.2.3).
    ///
    /// # Errors
    /// [`KeyError::CannotSign`] where key and signature do not go together or the hash is weak,
    /// [`KeyError::TooSmallToSign`] for RSA keys under 2048 bits.
    pub fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.sign_with(Nonces::Derived, algorithm, message)
    }

    /// Signs as [`Self::sign`] does, with nonces of this kind.
    ///
    /// # Errors
    /// As [`Self::sign`].
    pub fn sign_with(
        &self,
        nonces: Nonces<'_>,
        algorithm: SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        secret::without_traces(|| match nonces {
            Nonces::Derived => self.signer()?.sign(self, algorithm, message),
            Nonces::Random(store) => self.signer()?.sign_randomized(self, algorithm, message, store),
        })
    }

    /// Signs with nonces of this kind, and checks the signature before anybody sees it, for a fault in its making can betray the key.
    ///
    /// # Errors
    /// As [`Self::sign`], and [`KeyError::Backend`] where the check finds a fault.
    pub fn sign_checked(
        &self,
        nonces: Nonces<'_>,
        algorithm: SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        let signature = self.sign_with(nonces, algorithm, message)?;
        // On P-256 whoever has the key checks as they sign, at a fraction of the price.
        if self.algorithm() != KeyAlgorithm::P256 {
            let fault = |_| KeyError::Backend("make a signature that its own public key verifies");
            algorithm.verify(&self.public, message, &signature).map_err(fault)?;
        }
        Ok(signature)
    }

    fn signer(&self) -> Result<&Signer, KeyError> {
        match self.signer.get() {
            Some(signer) => Ok(signer),
            None => {
                let built = Signer::new(self)?;
                Ok(self.signer.get_or_init(|| built))
            }
        }
    }

    /// Decrypts RSAES-PKCS1-v1_5 (RFC 8017 §7.2.2), by which clients of TLS 1.2 and older send a secret to an RSA key.
    ///
    /// Only for recordings: whoever can ask again and again whether a ciphertext of his is good, or how long that takes,
    /// can decrypt others (RFC 5246 §7.4.7.1). One error covers all that can be wrong with a ciphertext.
    ///
    /// # Errors
    /// [`KeyError::NotRsa`] for other keys, [`KeyError::Decryption`] where nothing comes out.
    pub fn decrypt_pkcs1v15(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match &self.secret {
            Secret::Rsa(encoding) => rsa::decrypt(encoding, ciphertext),
            Secret::Ec(..) | Secret::Ed25519(_) | Secret::MlDsa(_) => {
                Err(KeyError::NotRsa { algorithm: self.algorithm() })
            }
        }
    }

    pub(super) fn new(secret: Secret, public: PublicKey) -> Self {
        Self { secret, public, signer: OnceLock::new() }
    }

    fn generate_ec(curve: Curve) -> Result<Self, KeyError> {
        let (scalar, point) = ec::generate(curve)?;
        Ok(Self::new(Secret::Ec(curve, scalar), PublicKey::from_point(curve, &point)))
    }

    /// The key of a scalar, which is checked. `stored` is the public key that came with it, if any.
    pub(super) fn from_ec_scalar(curve: Curve, scalar: &[u8], stored: Option<&[u8]>) -> Result<Self, KeyError> {
        let (scalar, point) = ec::import(curve, scalar)?;
        if stored.is_some_and(|stored| !ec::same_point(&point, stored)) {
            return Err(KeyError::PublicPartDiffers);
        }
        Ok(Self::new(Secret::Ec(curve, scalar), PublicKey::from_point(curve, &point)))
    }

    /// The key of an RSAPrivateKey (RFC 8017 appendix A.1.2), which is checked in full.
    pub(super) fn from_rsa_der(encoding: &[u8]) -> Result<Self, KeyError> {
        let public = PublicKey::from_rsa_numbers(rsa::check_private(encoding)?)?;
        Ok(Self::new(Secret::Rsa(Zeroizing::new(encoding.to_vec())), public))
    }

    pub(super) fn from_ed25519_seed(seed: &[u8]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| {
            KeyError::invalid("Ed25519 private key", format!("{} octets are not 32 (RFC 8410 §7)", seed.len()))
        })?;
        let public = PublicKey::from_raw(KeyAlgorithm::Ed25519, pair.public_key().as_ref());
        Ok(Self::new(Secret::Ed25519(Zeroizing::new(seed.to_vec())), public))
    }

    pub(super) fn from_ml_dsa(secret: MlDsaSecret) -> Result<Self, KeyError> {
        let pair = ml_dsa::key_pair(&secret)?;
        let public = PublicKey::from_raw(secret.algorithm, pair.public_key().as_ref());
        Ok(Self::new(Secret::MlDsa(secret), public))
    }
}

impl Clone for PrivateKey {
    fn clone(&self) -> Self {
        Self::new(self.secret.clone(), self.public.clone())
    }
}

impl fmt::Debug for PrivateKey {
    /// Shows the public key only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { secret: _, public, signer: _ } = self;
        f.debug_struct("PrivateKey").field("public", public).finish_non_exhaustive()
    }
}

/// 32 random octets, from which Ed25519 (RFC 8032 §5.1.5) and ML-DSA (FIPS 204 §5.1) keys grow.
fn seed() -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let mut seed = Zeroizing::new([0; 32]);
    digest::random(&mut *seed)?;
    Ok(seed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::fixtures::{self, ALL};
    use super::super::signature::HashAlgorithm;
    use super::*;
    use crate::key::NonceStore;

    #[test]
    fn every_kind_of_key_signs_what_its_public_key_verifies() {
        for algorithm in ALL {
            let key = PrivateKey::generate(algorithm).unwrap();
            assert_eq!(key.algorithm(), algorithm);
            let with = key.signature_algorithm();
            let signature = key.sign(with, b"message").unwrap();
            with.verify(key.public_key(), b"message", &signature).unwrap();
            assert!(with.verify(key.public_key(), b"massage", &signature).is_err(), "{algorithm}");
            let identifier = with.to_algorithm_identifier();
            assert_eq!(SignatureAlgorithm::from_algorithm_identifier(&identifier), Ok(with));
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn signing_leaves_nothing_of_the_key_on_the_stack() {
        let store = NonceStore::new();
        for nonces in [Nonces::Derived, Nonces::Random(&store)] {
            let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
            let Secret::Ec(_, scalar) = &key.secret else { unreachable!() };
            let (scalar, algorithm) = (scalar.to_vec(), key.signature_algorithm());
            // This is what is overwritten.
            key.signer().unwrap().sign(&key, algorithm, b"message").unwrap();
            assert!(fixtures::is_on_the_stack(&scalar));
            key.clone().sign_with(nonces, algorithm, b"message").unwrap();
            assert!(!fixtures::is_on_the_stack(&scalar), "{nonces:?}");
        }
    }

    #[test]
    fn p256_ed25519_and_rsa_give_the_same_signature_every_time() {
        for algorithm in [KeyAlgorithm::P256, KeyAlgorithm::Ed25519, KeyAlgorithm::Rsa(2048)] {
            let key = PrivateKey::generate(algorithm).unwrap();
            let with = key.signature_algorithm();
            assert_eq!(key.sign(with, b"m").unwrap(), key.clone().sign(with, b"m").unwrap(), "{algorithm}");
        }
    }

    #[test]
    fn p256_signs_as_rfc_6979_a_2_5_does() {
        let scalar = crate::encoding::hex::decode("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
        let key = PrivateKey::from_ec_scalar(Curve::P256, &scalar.unwrap(), None).unwrap();
        for (hash, r) in [
            (HashAlgorithm::Sha256, "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"),
            (HashAlgorithm::Sha384, "0eafea039b20e9b42309fb1d89e213057cbf973dc0cfc8f129edddc800ef7719"),
            (HashAlgorithm::Sha512, "8496a60b5e9b47c825488827e0495b0e3fa109ec4568fd3f8d1097678eb97f00"),
        ] {
            let signature = key.sign(SignatureAlgorithm::Ecdsa(hash), b"sample").unwrap();
            let hex = crate::encoding::hex::encode(&signature);
            assert!(hex.contains(r), "{hash}: {hex}");
        }
    }

    #[test]
    fn signatures_are_sound_whatever_the_nonces() {
        let store = NonceStore::new();
        for algorithm in ALL {
            let key = PrivateKey::generate(algorithm).unwrap();
            let with = key.signature_algorithm();
            for nonces in [Nonces::Derived, Nonces::Random(&store)] {
                let signature = key.sign_checked(nonces, with, b"message").unwrap();
                with.verify(key.public_key(), b"message", &signature).unwrap();
            }
        }
    }

    #[test]
    fn rsa_and_p521_sign_with_every_sound_hash() {
        let rsa = PrivateKey::generate(KeyAlgorithm::Rsa(2048)).unwrap();
        let p521 = PrivateKey::generate(KeyAlgorithm::P521).unwrap();
        for hash in [HashAlgorithm::Sha256, HashAlgorithm::Sha384, HashAlgorithm::Sha512] {
            for (key, with) in [
                (&rsa, SignatureAlgorithm::RsaPkcs1(hash)),
                (&rsa, SignatureAlgorithm::rsa_pss(hash)),
                (&p521, SignatureAlgorithm::Ecdsa(hash)),
            ] {
                let signature = key.sign(with, b"message").unwrap();
                with.verify(key.public_key(), b"message", &signature).unwrap();
            }
        }
    }

    #[test]
    fn a_key_does_not_make_a_signature_it_has_no_business_with() {
        let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        for with in [
            SignatureAlgorithm::Ed25519,
            SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha1),
            SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Sha256),
        ] {
            assert_eq!(key.sign(with, b""), Err(KeyError::CannotSign { key: KeyAlgorithm::P256, signature: with }));
        }
    }

    #[test]
    fn rsa_sizes_out_of_range_are_not_made() {
        for bits in [0, 1024, 2047, 2050, 8200] {
            assert_eq!(
                PrivateKey::generate(KeyAlgorithm::Rsa(bits)).unwrap_err(),
                KeyError::RsaSize { bits: bits.into() }
            );
        }
    }

    #[test]
    fn an_rsa_key_decrypts_what_openssl_encrypted_to_it() {
        let rsa = fixtures::plain(fixtures::RSA_2048_PKCS8);
        let ciphertext = fixtures::RSA_2048_ENCRYPTED;
        assert_eq!(**rsa.decrypt_pkcs1v15(ciphertext).unwrap(), *b"hello");
        let mut changed = ciphertext.to_vec();
        *changed.last_mut().unwrap() ^= 1;
        assert!(rsa.decrypt_pkcs1v15(&changed).map_or(true, |plain| **plain != *b"hello"));
        for length in [0, 1, 255] {
            assert_eq!(rsa.decrypt_pkcs1v15(changed.get(..length).unwrap()), Err(KeyError::Decryption));
        }
        let p256 = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        assert_eq!(p256.decrypt_pkcs1v15(ciphertext), Err(KeyError::NotRsa { algorithm: KeyAlgorithm::P256 }));
    }

    #[test]
    fn a_private_key_is_never_printed() {
        let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        let Secret::Ec(_, scalar) = &key.secret else { unreachable!() };
        let printed = format!("{key:?} {key:#?}");
        assert!(!printed.contains(&crate::encoding::hex::encode(scalar)));
        assert!(printed.contains(&crate::encoding::hex::encode(key.public_key().spki_der())));
    }
}
