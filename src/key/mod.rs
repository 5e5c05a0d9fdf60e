//! Key pairs: generate, read, write, sign, verify.
//!
//! | format | read | written |
//! |---|---|---|
//! | PKCS#8 (RFC 5958, 5208), plain | version 0 and 1 | version 0 |
//! | PKCS#8, encrypted with PBES2 (RFC 8018) | AES-CBC or 3DES; PBKDF2 or scrypt | AES-256-CBC; PBKDF2 or scrypt |
//! | PEM of old with `DEK-Info` (RFC 1421) | AES-CBC or 3DES; one round of MD5 | no |
//! | PKCS#1 (RFC 8017) | two primes | two primes |
//! | SEC1 (RFC 5915) | named curves, with or without public key | named curve and public key |
//! | JWK (RFC 7517, 7518, 8037) | private and public | private and public |
//! | SubjectPublicKeyInfo (RFC 5280) | yes | yes |
//!
//! The crates `aws_lc_rs`, `rsa`, `p256`, `ecdsa`, `pkcs8` and those of [`symmetric`] are named in this room only.

mod agreement;
mod algorithm;
mod block;
pub mod digest;
mod ec;
mod ecdsa_p256;
mod encrypted;
mod error;
mod export;
#[cfg(test)]
mod fixtures;
mod import;
mod jwk;
mod ml_dsa;
mod nonce;
mod oids;
mod pbes2;
mod pem_encryption;
mod private;
mod public;
mod rsa;
mod secret;
mod sign;
mod signature;
pub mod symmetric;
mod verify;

pub use agreement::{AgreementAlgorithm, EphemeralKey};
pub use algorithm::KeyAlgorithm;
pub use block::Loaded;
pub use block::from_pem_block;
pub use digest::random;
pub use encrypted::EncryptedPrivateKey;
pub use encrypted::Kdf;
pub use error::KeyError;
pub(crate) use jwk::is_json;
pub use nonce::{NonceStore, Nonces};
pub use private::PrivateKey;
pub use public::PublicKey;
pub use signature::HashAlgorithm;
pub use signature::SignatureAlgorithm;
pub use signature::SignatureError;
