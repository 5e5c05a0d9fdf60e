//! Private keys under a passphrase: EncryptedPrivateKeyInfo (RFC 5958 §3).

use super::digest;
use super::error::KeyError;
use super::pbes2::Derivation;
use super::pbes2::Parameters;
use super::pbes2::WHAT;
use super::private::PrivateKey;
use crate::encoding::der;
use crate::encoding::der::tag;
use pkcs8::pkcs5::pbes2::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Pbkdf2Prf;
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
