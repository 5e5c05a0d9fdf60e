//! Private keys under a passphrase: EncryptedPrivateKeyInfo (RFC 5958 §3), and PEM blocks of old.

use super::digest;
use super::error::KeyError;
use super::pbes2::{Derivation, Parameters, WHAT};
use super::pem_encryption::PemEncryption;
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
    scheme: Scheme,
    ciphertext: Vec<u8>,
}

#[derive(Clone)]
enum Scheme {
    Pbes2(Parameters),
    /// Of a PEM block that holds this.
    Pem(Form, PemEncryption),
}

/// What is encrypted in a PEM block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Pkcs8,
    Pkcs1,
    Sec1,
}

impl Form {
    /// The label of its PEM blocks.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Pkcs8 => "PRIVATE KEY",
            Self::Pkcs1 => "RSA PRIVATE KEY",
            Self::Sec1 => "EC PRIVATE KEY",
        }
    }

    fn read(self, plaintext: &[u8]) -> Result<PrivateKey, KeyError> {
        match self {
            Self::Pkcs8 => PrivateKey::from_pkcs8_der(plaintext),
            Self::Pkcs1 => PrivateKey::from_pkcs1_der(plaintext),
            Self::Sec1 => PrivateKey::from_sec1_der(plaintext, None),
        }
    }
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
        Self { scheme: Scheme::Pbes2(parameters), ciphertext }.in_blocks_of(block)
    }

    /// The contents of a PEM block with this encryption.
    pub(super) fn from_pem(form: Form, encryption: PemEncryption, contents: &[u8]) -> Result<Self, KeyError> {
        let block = encryption.block_octets();
        Self { scheme: Scheme::Pem(form, encryption), ciphertext: contents.to_vec() }.in_blocks_of(block)
    }

    fn in_blocks_of(self, octets: usize) -> Result<Self, KeyError> {
        if self.ciphertext.is_empty() || !self.ciphertext.len().is_multiple_of(octets) {
            return Err(KeyError::invalid(WHAT, "its ciphertext is cut short: it is not a whole number of blocks"));
        }
        Ok(self)
    }

    /// How it is encrypted, such as `PBES2, AES-256-CBC, PBKDF2-HMAC-SHA-256, 600000 iterations`.
    pub fn algorithm_name(&self) -> String {
        match &self.scheme {
            Scheme::Pbes2(parameters) => parameters.to_string(),
            Scheme::Pem(_, encryption) => encryption.to_string(),
        }
    }

    /// The label of the PEM block that it is in, or would be.
    pub fn pem_label(&self) -> &'static str {
        match &self.scheme {
            Scheme::Pbes2(_) => "ENCRYPTED PRIVATE KEY",
            Scheme::Pem(form, _) => form.label(),
        }
    }

    /// Decrypts and reads the key.
    ///
    /// # Errors
    /// [`KeyError::WrongPassphrase`] where the result is no structure of a key, which a damaged ciphertext looks like too;
    /// what the reader of that structure says where it is one.
    pub fn decrypt(&self, passphrase: &[u8]) -> Result<PrivateKey, KeyError> {
        let parameters = match &self.scheme {
            Scheme::Pbes2(parameters) => parameters,
            Scheme::Pem(form, encryption) => {
                return opened(&encryption.decrypt(passphrase, &self.ciphertext)?, *form);
            }
        };
        let computable = parameters.computable()?;
        // In place, so that no copy of the plaintext is left behind.
        let mut buffer = Zeroizing::new(self.ciphertext.clone());
        let plaintext = computable.decrypt_in_place(passphrase, &mut buffer).map_err(|_| KeyError::WrongPassphrase)?;
        opened(plaintext, Form::Pkcs8)
    }
}

/// The key in what was decrypted.
fn opened(plaintext: &[u8], form: Form) -> Result<PrivateKey, KeyError> {
    // A wrong passphrase leaves valid padding once in 256 times, and then almost never a SEQUENCE of this length that
    // begins with a version.
    match der::only_reader(plaintext, tag::SEQUENCE).and_then(|mut fields| fields.small_unsigned()) {
        Ok(0 | 1) => form.read(plaintext),
        _ => Err(KeyError::WrongPassphrase),
    }
}

impl fmt::Debug for EncryptedPrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptedPrivateKey").field("parameters", &self.algorithm_name()).finish_non_exhaustive()
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
        let Scheme::Pbes2(parameters) = &key.scheme else { unreachable!("the fixture is PKCS#8") };
        let identifier = parameters.to_der();
        for length in [0, 15, key.ciphertext.len() - 1] {
            let cut = der::sequence(&[&identifier, &der::octet_string(&key.ciphertext[..length])]);
            assert!(matches!(EncryptedPrivateKey::from_der(&cut), Err(KeyError::Invalid { .. })), "{length}");
        }
        let whole = der::sequence(&[&identifier, &der::octet_string(&key.ciphertext)]);
        assert_eq!(whole, *fixtures::block(fixtures::P256_AES128_SHA512).contents);
    }
}
