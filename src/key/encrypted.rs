//! Private keys under a passphrase: EncryptedPrivateKeyInfo (RFC 5958 §3).

use super::digest;
use super::error::KeyError;
use super::pbes2::{Derivation, Parameters, WHAT};
use super::private::PrivateKey;
use crate::encoding::der::{self, tag};
use pkcs8::pkcs5::pbes2::{EncryptionScheme, Pbkdf2Prf};
use std::fmt;
use zeroize::Zeroizing;

/// How a key is derived from a passphrase when a private key is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kdf {
    /// PBKDF2 with HMAC-SHA-256 and 600 000 iterations, which everything reads (RFC 8018 §5.2; the number is OWASP's).
    #[default]
    Pbkdf2,
    /// scrypt with N = 16384, r = 8, p = 1, OpenSSL's own choice (RFC 7914). GnuTLS 3.7 and Java do not read it.
    Scrypt,
}

/// A private key that needs a passphrase.
#[derive(Clone)]
pub struct EncryptedPrivateKey {
    parameters: Parameters,
    ciphertext: Vec<u8>,
}

impl EncryptedPrivateKey {
    /// Reads an EncryptedPrivateKeyInfo encrypted with PBES2 (RFC 8018 §6.2): AES-128, AES-192, AES-256 or 3DES in CBC
    /// mode; PBKDF2 with SHA-1 or SHA-2, or scrypt.
    ///
    /// # Errors
    /// [`KeyError::UnsupportedEncryption`] for other schemes, by name; [`KeyError::CostTooHigh`] for parameters made to
    /// waste time or memory; [`KeyError::Encoding`] and [`KeyError::Invalid`] for damage.
    pub fn from_der(encoding: &[u8]) -> Result<Self, KeyError> {
        let damaged = KeyError::encoding(WHAT);
        let mut fields = der::only_reader(encoding, tag::SEQUENCE).map_err(&damaged)?;
        let identifier = fields.sequence().map_err(&damaged)?;
        let ciphertext = fields.octet_string().map_err(&damaged)?.to_vec();
        fields.finish().map_err(&damaged)?;
        let parameters = Parameters::read(identifier)?;
        // CBC with the padding of RFC 8018 §6.1.1 makes whole blocks, at least one.
        let block = if matches!(parameters.cipher, EncryptionScheme::DesEde3Cbc { .. }) { 8 } else { 16 };
        if ciphertext.is_empty() || ciphertext.len() % block != 0 {
            return Err(KeyError::invalid(WHAT, "its ciphertext is cut short: it is not a whole number of blocks"));
        }
        Ok(Self { parameters, ciphertext })
    }

    /// How it is encrypted, such as `PBES2, AES-256-CBC, PBKDF2-HMAC-SHA-256, 600000 iterations`.
    pub fn algorithm_name(&self) -> String {
        self.parameters.to_string()
    }

    /// Decrypts and reads the key.
    ///
    /// # Errors
    /// [`KeyError::WrongPassphrase`] where the result is no PKCS#8 structure, which a damaged ciphertext looks like too;
    /// what [`PrivateKey::from_pkcs8_der`] says where it is one.
    pub fn decrypt(&self, passphrase: &[u8]) -> Result<PrivateKey, KeyError> {
        let computable = self.parameters.computable()?;
        // In place, so that no copy of the plaintext is left behind.
        let mut buffer = Zeroizing::new(self.ciphertext.clone());
        let plaintext = computable.decrypt_in_place(passphrase, &mut buffer).map_err(|_| KeyError::WrongPassphrase)?;
        // A wrong passphrase leaves valid padding once in 256 times, and then almost never a SEQUENCE of this length
        // that begins with a version.
        let opened = der::only_reader(plaintext, tag::SEQUENCE).and_then(|mut fields| fields.small_unsigned());
        match opened {
            Ok(0 | 1) => PrivateKey::from_pkcs8_der(plaintext),
            _ => Err(KeyError::WrongPassphrase),
        }
    }
}

impl fmt::Debug for EncryptedPrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { parameters, ciphertext: _ } = self;
        f.debug_struct("EncryptedPrivateKey").field("parameters", &parameters.to_string()).finish_non_exhaustive()
    }
}

impl PrivateKey {
    /// The key as EncryptedPrivateKeyInfo (RFC 5958 §3) in DER, encrypted with PBES2 and AES-256-CBC under a fresh salt.
    ///
    /// # Errors
    /// [`KeyError::Backend`] where the system has no randomness to give.
    pub fn encrypt(&self, passphrase: &[u8], kdf: Kdf) -> Result<Vec<u8>, KeyError> {
        let mut salt = vec![0; 16];
        let mut iv = [0; 16];
        digest::random(&mut salt)?;
        digest::random(&mut iv)?;
        let derivation = match kdf {
            Kdf::Pbkdf2 => {
                Derivation::Pbkdf2 { salt, iterations: ITERATIONS, key_length: None, prf: Pbkdf2Prf::HmacWithSha256 }
            }
            Kdf::Scrypt => Derivation::Scrypt { salt, n: 1 << 14, r: 8, p: 1, key_length: None },
        };
        let parameters = Parameters { derivation, cipher: EncryptionScheme::Aes256Cbc { iv } };
        let ciphertext = parameters
            .computable()?
            .encrypt(passphrase, &self.to_pkcs8_der())
            .map_err(|_| KeyError::Backend("encrypt a key"))?;
        Ok(der::sequence(&[&parameters.to_der(), &der::octet_string(&ciphertext)]))
    }
}

/// PBKDF2 iterations with HMAC-SHA-256 (OWASP Password Storage Cheat Sheet, 2023).
const ITERATIONS: u32 = 600_000;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::super::fixtures;
    use super::*;
    use crate::key::{KeyAlgorithm, Loaded};

    fn encrypted(text: &str) -> EncryptedPrivateKey {
        let Loaded::Encrypted(key) = fixtures::load(text).unwrap() else { unreachable!("the fixture is encrypted") };
        key
    }

    #[test]
    fn what_openssl_encrypts_is_described_and_decrypted() {
        let plain = fixtures::plain(fixtures::P256_PKCS8);
        for (text, name) in [
            (fixtures::P256_3DES_SHA1, "PBES2, 3DES-CBC, PBKDF2-HMAC-SHA-1, 2048 iterations"),
            (fixtures::P256_AES128_SHA512, "PBES2, AES-128-CBC, PBKDF2-HMAC-SHA-512, 2048 iterations"),
            (fixtures::P256_AES192_SHA384, "PBES2, AES-192-CBC, PBKDF2-HMAC-SHA-384, 2048 iterations"),
            (fixtures::P256_SCRYPT, "PBES2, AES-256-CBC, scrypt, N=16384 r=8 p=1"),
        ] {
            let key = encrypted(text);
            assert_eq!(key.algorithm_name(), name);
            assert_eq!(key.decrypt(b"secret").unwrap().public_key(), plain.public_key(), "{name}");
            assert_eq!(key.decrypt(b"Secret").unwrap_err(), KeyError::WrongPassphrase, "{name}");
        }
    }

    #[test]
    fn what_is_encrypted_here_is_decrypted_with_the_same_passphrase() {
        let key = PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap();
        for (kdf, name) in [
            (Kdf::Pbkdf2, "PBES2, AES-256-CBC, PBKDF2-HMAC-SHA-256, 600000 iterations"),
            (Kdf::Scrypt, "PBES2, AES-256-CBC, scrypt, N=16384 r=8 p=1"),
        ] {
            for passphrase in ["", "correct horse", "päßwörd"] {
                let encoding = key.encrypt(passphrase.as_bytes(), kdf).unwrap();
                let read = EncryptedPrivateKey::from_der(&encoding).unwrap();
                assert_eq!(read.algorithm_name(), name);
                assert_eq!(*read.decrypt(passphrase.as_bytes()).unwrap().to_pkcs8_der(), *key.to_pkcs8_der());
            }
        }
    }

    #[test]
    fn a_wrong_passphrase_is_always_called_so() {
        let key = encrypted(fixtures::P256_AES128_SHA512);
        for number in 0..400_u32 {
            let error = key.decrypt(&number.to_be_bytes()).unwrap_err();
            assert_eq!(error, KeyError::WrongPassphrase, "{number}");
        }
    }

    #[test]
    fn a_cut_ciphertext_is_damage_and_not_a_wrong_passphrase() {
        let key = encrypted(fixtures::P256_AES128_SHA512);
        let identifier = key.parameters.to_der();
        for length in [0, 15, key.ciphertext.len() - 1] {
            let cut = der::sequence(&[&identifier, &der::octet_string(&key.ciphertext[..length])]);
            assert!(matches!(EncryptedPrivateKey::from_der(&cut), Err(KeyError::Invalid { .. })), "{length}");
        }
        let whole = der::sequence(&[&identifier, &der::octet_string(&key.ciphertext)]);
        assert_eq!(whole, *fixtures::block(fixtures::P256_AES128_SHA512).contents);
    }
}
