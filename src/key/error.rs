//! What can go wrong with a key.

use super::algorithm::KeyAlgorithm;
use super::signature::SignatureAlgorithm;
use crate::encoding::DerError;

/// Why a key cannot be made, read, written or used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text names no key algorithm.
    #[error(
        "`{0}` is no key algorithm: choose p256, p384, p521, rsa:2048, rsa:3072, rsa:4096, ed25519, ml-dsa-44, \
         ml-dsa-65 or ml-dsa-87"
    )]
    UnknownAlgorithm(String),
    /// An RSA key of this size is not made.
    #[error(
        "an RSA key of {bits} bits is not made: choose 2048, 3072 or 4096, or another multiple of 8 from 2048 to 8192"
    )]
    RsaSize {
        /// The size that was asked for, in bits.
        bits: u32,
    },
    /// The bytes are not the structure they should be.
    #[error("the {what} is damaged or not one: {fault}")]
    Encoding {
        /// The structure that was expected.
        what: &'static str,
        /// What is wrong with the encoding.
        fault: DerError,
    },
    /// The structure is sound and its contents are not.
    #[error("the {what} is unusable: {why}")]
    Invalid {
        /// The structure or number.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The bytes begin like no private key.
    #[error("this is no private key in PKCS#8, PKCS#1 or SEC1 form; it looks like {looks_like}")]
    NotAPrivateKey {
        /// The best guess at what it is.
        looks_like: &'static str,
    },
    /// A key of an algorithm that certkit does not handle.
    #[error("{0} keys are not supported: use RSA, P-256, P-384, P-521, Ed25519 or ML-DSA")]
    UnsupportedAlgorithm(String),
    /// A key in a form that certkit does not read.
    #[error("{form} is not read: {remedy}")]
    UnsupportedForm {
        /// The form.
        form: String,
        /// What the user can do about it.
        remedy: &'static str,
    },
    /// An encryption that certkit does not decrypt.
    #[error("a key encrypted with {0} is not read: convert it with `openssl pkcs8 -topk8 -in OLD -out NEW`")]
    UnsupportedEncryption(String),
    /// Deriving the key from the passphrase would cost more than an honest file asks for.
    #[error(
        "the encrypted key asks for {parameter} = {found} to derive its key and certkit stops at {limit}: \
         it is damaged or made to waste your time"
    )]
    CostTooHigh {
        /// The parameter, in the terms of RFC 8018 or RFC 7914.
        parameter: &'static str,
        /// What the file asks for.
        found: u64,
        /// The most certkit accepts.
        limit: u64,
    },
    /// The key is encrypted and was read as if it were not.
    #[error("the key is encrypted: a passphrase is needed to read it")]
    Encrypted,
    /// The passphrase does not decrypt the key.
    #[error("the passphrase does not open the key")]
    WrongPassphrase,
    /// A file's public key is not the one that belongs to its private key.
    #[error("the public key stored with the private key does not belong to it: the file is damaged or forged")]
    PublicPartDiffers,
    /// The form belongs to another algorithm.
    #[error("a {algorithm} key has no {form} form: write it as PKCS#8")]
    NoSuchForm {
        /// The algorithm of the key.
        algorithm: KeyAlgorithm,
        /// The form that was asked for.
        form: &'static str,
    },
    /// An ML-DSA key of which only the expanded form is known; the seed cannot be recovered from it.
    #[error("the {algorithm} key was stored without its seed and cannot be written in the form that needs it")]
    NoSeed {
        /// The algorithm of the key.
        algorithm: KeyAlgorithm,
    },
    /// The key cannot make this kind of signature.
    #[error("a {key} key is not used to make a {signature} signature")]
    CannotSign {
        /// The algorithm of the key.
        key: KeyAlgorithm,
        /// The signature that was asked for.
        signature: SignatureAlgorithm,
    },
    /// An RSA key that is read so that it can be named, and not used.
    #[error("a {algorithm} key is too weak to sign with: make a new one of at least 2048 bits")]
    TooSmallToSign {
        /// The algorithm of the key.
        algorithm: KeyAlgorithm,
    },
    /// Only RSA keys decrypt.
    #[error("a {algorithm} key does not decrypt: that takes an RSA key")]
    NotRsa {
        /// The algorithm of the key.
        algorithm: KeyAlgorithm,
    },
    /// What was to be decrypted was encrypted to another key, or damaged.
    #[error("this was not encrypted to this key, or it is damaged")]
    Decryption,
    /// The text is no JSON Web Key.
    #[error("this is no usable JSON Web Key: {0}")]
    Jwk(String),
    /// The cryptographic library refused for a reason of its own.
    #[error("the cryptographic library failed to {0}")]
    Backend(&'static str),
}

impl KeyError {
    /// For `map_err`: the encoding of `what` is at fault.
    pub(super) fn encoding(what: &'static str) -> impl Fn(DerError) -> Self {
        move |fault| Self::Encoding { what, fault }
    }

    /// The contents of `what` are at fault.
    pub(super) fn invalid(what: &'static str, why: impl Into<String>) -> Self {
        Self::Invalid { what, why: why.into() }
    }
}
