//! Making signatures.

use super::algorithm::KeyAlgorithm;
use super::ec::{self, Curve};
use super::ecdsa_p256;
use super::error::KeyError;
use super::ml_dsa;
use super::nonce::NonceStore;
use super::private::{PrivateKey, Secret};
use super::signature::{HashAlgorithm, SignatureAlgorithm};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, PqdsaKeyPair, RsaEncoding, RsaKeyPair,
};
use p256::SecretKey;

/// A private key prepared for signing.
pub(super) enum Signer {
    /// In a place of its own: moving it would leave copies.
    P256(Box<SecretKey>),
    /// P-384 or P-521 with its usual hash.
    Ec(Curve, EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
    MlDsa(PqdsaKeyPair),
}

impl Signer {
    pub(super) fn new(key: &PrivateKey) -> Result<Self, KeyError> {
        match &key.secret {
            Secret::Ec(Curve::P256, scalar) => {
                let prepared = SecretKey::from_slice(scalar).map(|secret| Self::P256(Box::new(secret)));
                prepared.map_err(|_| KeyError::Backend("prepare a P-256 key"))
            }
            Secret::Ec(curve, scalar) => Ok(Self::Ec(*curve, ec::key_pair(*curve, scalar, curve.signing())?)),
            Secret::Rsa(encoding) => RsaKeyPair::from_der(encoding)
                .map(Self::Rsa)
                .map_err(|_| KeyError::TooSmallToSign { algorithm: key.algorithm() }),
            Secret::Ed25519(seed) => Ed25519KeyPair::from_seed_unchecked(seed)
                .map(Self::Ed25519)
                .map_err(|_| KeyError::Backend("prepare an Ed25519 key")),
            Secret::MlDsa(secret) => ml_dsa::key_pair(secret).map(Self::MlDsa),
        }
    }

    /// Signs with the key this was built from, which is `key`.
    pub(super) fn sign(
        &self,
        key: &PrivateKey,
        algorithm: SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        let refused = KeyError::CannotSign { key: key.algorithm(), signature: algorithm };
        match (self, algorithm) {
            (Self::P256(secret), SignatureAlgorithm::Ecdsa(hash)) if fits(key.algorithm(), algorithm) => {
                ecdsa_p256::sign(&p256(secret, key), hash, message).ok_or(KeyError::Backend("sign with ECDSA"))
            }
            (Self::Ec(curve, pair), SignatureAlgorithm::Ecdsa(hash)) => {
                let signing = ecdsa_signing(*curve, hash).ok_or(refused)?;
                match &key.secret {
                    Secret::Ec(_, scalar) if signing != curve.signing() => {
                        sign_ecdsa(&ec::key_pair(*curve, scalar, signing)?, message)
                    }
                    _ => sign_ecdsa(pair, message),
                }
            }
            (Self::Rsa(pair), _) => sign_rsa(pair, rsa_encoding(algorithm).ok_or(refused)?, message),
            (Self::Ed25519(pair), SignatureAlgorithm::Ed25519) => Ok(pair.sign(message).as_ref().to_vec()),
            (Self::MlDsa(pair), _) if algorithm == key.signature_algorithm() => sign_ml_dsa(pair, message),
            _ => Err(refused),
        }
    }

    /// The same with a random nonce, where that is the quicker way.
    pub(super) fn sign_randomized(
        &self,
        key: &PrivateKey,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        store: &NonceStore,
    ) -> Result<Vec<u8>, KeyError> {
        match (self, algorithm) {
            (Self::P256(secret), SignatureAlgorithm::Ecdsa(hash)) if fits(key.algorithm(), algorithm) => {
                let signed = ecdsa_p256::sign_randomized(&p256(secret, key), hash, message, store);
                signed.ok_or(KeyError::Backend("sign with ECDSA"))
            }
            _ => self.sign(key, algorithm, message),
        }
    }
}

/// The key with the other copy of its number.
fn p256<'a>(secret: &'a SecretKey, key: &'a PrivateKey) -> ecdsa_p256::Key<'a> {
    let copy: &[u8] = match &key.secret {
        Secret::Ec(_, scalar) => scalar,
        Secret::Rsa(_) | Secret::Ed25519(_) | Secret::MlDsa(_) => &[],
    };
    ecdsa_p256::Key { secret, copy }
}

/// Whether keys of this kind make such signatures.
pub(super) fn fits(key: KeyAlgorithm, algorithm: SignatureAlgorithm) -> bool {
    let sound = |hash| matches!(hash, HashAlgorithm::Sha256 | HashAlgorithm::Sha384 | HashAlgorithm::Sha512);
    match (key, algorithm) {
        (KeyAlgorithm::P256, SignatureAlgorithm::Ecdsa(hash)) => sound(hash),
        (KeyAlgorithm::P384, SignatureAlgorithm::Ecdsa(hash)) => ecdsa_signing(Curve::P384, hash).is_some(),
        (KeyAlgorithm::P521, SignatureAlgorithm::Ecdsa(hash)) => ecdsa_signing(Curve::P521, hash).is_some(),
        (KeyAlgorithm::Rsa(_), _) => rsa_encoding(algorithm).is_some(),
        (KeyAlgorithm::Ed25519, SignatureAlgorithm::Ed25519)
        | (KeyAlgorithm::MlDsa44, SignatureAlgorithm::MlDsa44)
        | (KeyAlgorithm::MlDsa65, SignatureAlgorithm::MlDsa65)
        | (KeyAlgorithm::MlDsa87, SignatureAlgorithm::MlDsa87) => true,
        _ => false,
    }
}

fn sign_ecdsa(pair: &EcdsaKeyPair, message: &[u8]) -> Result<Vec<u8>, KeyError> {
    let signature = pair.sign(&SystemRandom::new(), message).map_err(|_| KeyError::Backend("sign with ECDSA"))?;
    Ok(signature.as_ref().to_vec())
}

fn sign_rsa(pair: &RsaKeyPair, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Result<Vec<u8>, KeyError> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(encoding, &SystemRandom::new(), message, &mut signature)
        .map_err(|_| KeyError::Backend("sign with RSA"))?;
    Ok(signature)
}

fn sign_ml_dsa(pair: &PqdsaKeyPair, message: &[u8]) -> Result<Vec<u8>, KeyError> {
    let mut signature = vec![0; pair.algorithm().signature_len()];
    pair.sign(message, &mut signature).map_err(|_| KeyError::Backend("sign with ML-DSA"))?;
    Ok(signature)
}

/// The pairs of curve and hash that aws-lc signs with.
fn ecdsa_signing(curve: Curve, hash: HashAlgorithm) -> Option<&'static EcdsaSigningAlgorithm> {
    match (curve, hash) {
        (Curve::P384, HashAlgorithm::Sha384) => Some(&signature::ECDSA_P384_SHA384_ASN1_SIGNING),
        (Curve::P521, HashAlgorithm::Sha256) => Some(&signature::ECDSA_P521_SHA256_ASN1_SIGNING),
        (Curve::P521, HashAlgorithm::Sha384) => Some(&signature::ECDSA_P521_SHA384_ASN1_SIGNING),
        (Curve::P521, HashAlgorithm::Sha512) => Some(&signature::ECDSA_P521_SHA512_ASN1_SIGNING),
        _ => None,
    }
}

fn rsa_encoding(algorithm: SignatureAlgorithm) -> Option<&'static dyn RsaEncoding> {
    match algorithm {
        SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Sha256) => Some(&signature::RSA_PKCS1_SHA256),
        SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Sha384) => Some(&signature::RSA_PKCS1_SHA384),
        SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Sha512) => Some(&signature::RSA_PKCS1_SHA512),
        SignatureAlgorithm::RsaPss(HashAlgorithm::Sha256, 32) => Some(&signature::RSA_PSS_SHA256),
        SignatureAlgorithm::RsaPss(HashAlgorithm::Sha384, 48) => Some(&signature::RSA_PSS_SHA384),
        SignatureAlgorithm::RsaPss(HashAlgorithm::Sha512, 64) => Some(&signature::RSA_PSS_SHA512),
        _ => None,
    }
}
