//! Authenticated decryption (RFC 5116): AES-GCM, AES-CCM (RFC 6655) and ChaCha20-Poly1305 (RFC 8439).

use super::CipherError;
use aes::{Aes128, Aes256};
use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use ccm::aead::AeadInOut;
use ccm::consts::{U8, U12, U16};
use ccm::{Ccm, KeyInit};
use std::fmt;

/// An authenticated cipher with a nonce of 12 octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AeadAlgorithm {
    /// AES-128-GCM.
    Aes128Gcm,
    /// AES-256-GCM.
    Aes256Gcm,
    /// ChaCha20-Poly1305.
    ChaCha20Poly1305,
    /// AES-128-CCM with a tag of 16 octets.
    Aes128Ccm,
    /// AES-256-CCM with a tag of 16 octets.
    Aes256Ccm,
    /// AES-128-CCM with a tag of 8 octets.
    Aes128Ccm8,
    /// AES-256-CCM with a tag of 8 octets.
    Aes256Ccm8,
}

impl AeadAlgorithm {
    /// The size of the key in octets.
    pub fn key_octets(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes128Ccm | Self::Aes128Ccm8 => 16,
            Self::Aes256Gcm | Self::Aes256Ccm | Self::Aes256Ccm8 | Self::ChaCha20Poly1305 => 32,
        }
    }

    /// The size of the tag in octets.
    pub fn tag_octets(self) -> usize {
        match self {
            Self::Aes128Ccm8 | Self::Aes256Ccm8 => 8,
            _ => 16,
        }
    }
}

/// A key of an authenticated cipher, ready to decrypt with.
pub struct Aead {
    algorithm: AeadAlgorithm,
    key: Key,
}

enum Key {
    AwsLc(LessSafeKey),
    Aes128Ccm(Ccm<Aes128, U16, U12>),
    Aes256Ccm(Ccm<Aes256, U16, U12>),
    Aes128Ccm8(Ccm<Aes128, U8, U12>),
    Aes256Ccm8(Ccm<Aes256, U8, U12>),
}

impl Aead {
    /// Takes a key.
    ///
    /// # Errors
    /// [`CipherError::KeySize`].
    pub fn new(algorithm: AeadAlgorithm, key: &[u8]) -> Result<Self, CipherError> {
        let aws_lc = |with| UnboundKey::new(with, key).ok().map(|key| Key::AwsLc(LessSafeKey::new(key)));
        let key_or_none = match algorithm {
            AeadAlgorithm::Aes128Gcm => aws_lc(&aead::AES_128_GCM),
            AeadAlgorithm::Aes256Gcm => aws_lc(&aead::AES_256_GCM),
            AeadAlgorithm::ChaCha20Poly1305 => aws_lc(&aead::CHACHA20_POLY1305),
            AeadAlgorithm::Aes128Ccm => Ccm::new_from_slice(key).ok().map(Key::Aes128Ccm),
            AeadAlgorithm::Aes256Ccm => Ccm::new_from_slice(key).ok().map(Key::Aes256Ccm),
            AeadAlgorithm::Aes128Ccm8 => Ccm::new_from_slice(key).ok().map(Key::Aes128Ccm8),
            AeadAlgorithm::Aes256Ccm8 => Ccm::new_from_slice(key).ok().map(Key::Aes256Ccm8),
        };
        match key_or_none {
            Some(key) => Ok(Self { algorithm, key }),
            None => Err(CipherError::KeySize { found: key.len(), wanted: algorithm.key_octets() }),
        }
    }

    /// Which cipher this is.
    pub fn algorithm(&self) -> AeadAlgorithm {
        self.algorithm
    }

    /// The plaintext of `sealed`, which ends with its tag.
    ///
    /// # Errors
    /// [`CipherError::Length`] and [`CipherError::Tag`].
    pub fn open(&self, nonce: [u8; 12], associated: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CipherError> {
        let Some(length) = sealed.len().checked_sub(self.algorithm.tag_octets()) else {
            return Err(CipherError::Length(sealed.len()));
        };
        let mut buffer = sealed.to_vec();
        match &self.key {
            Key::AwsLc(key) => {
                let nonce = Nonce::assume_unique_for_key(nonce);
                key.open_in_place(nonce, Aad::from(associated), &mut buffer).map_err(|_| CipherError::Tag)?;
                buffer.truncate(length);
            }
            Key::Aes128Ccm(key) => ccm(key, nonce, associated, &mut buffer)?,
            Key::Aes256Ccm(key) => ccm(key, nonce, associated, &mut buffer)?,
            Key::Aes128Ccm8(key) => ccm(key, nonce, associated, &mut buffer)?,
            Key::Aes256Ccm8(key) => ccm(key, nonce, associated, &mut buffer)?,
        }
        Ok(buffer)
    }
}

impl fmt::Debug for Aead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { algorithm, key: _ } = self;
        f.debug_struct("Aead").field("algorithm", algorithm).finish_non_exhaustive()
    }
}

fn ccm<C>(key: &C, nonce: [u8; 12], associated: &[u8], buffer: &mut Vec<u8>) -> Result<(), CipherError>
where
    C: AeadInOut<NonceSize = U12>,
{
    key.decrypt_in_place(&nonce.into(), associated, buffer).map_err(|_| CipherError::Tag)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::encoding::hex;

    /// Made with pyca/cryptography 50: key 00 01 02 …, nonce twelve 07, associated data `aad`, plaintext `hello`.
    const SEALED: [(AeadAlgorithm, &str); 7] = [
        (AeadAlgorithm::Aes128Gcm, "f92938b10e261b1c0b50ec28057393d1b5b9ddc999"),
        (AeadAlgorithm::Aes256Gcm, "670fca300006304805da83ff067c8cef5d75f00e54"),
        (AeadAlgorithm::ChaCha20Poly1305, "ce31f1c35c1a3d7b3ac34945a5f1d4bc3473f700f9"),
        (AeadAlgorithm::Aes128Ccm, "b913bd925decfcb0dcf1be06e7534452fadfaf2513"),
        (AeadAlgorithm::Aes256Ccm, "8df8d9fee1f3f09b3074c08052dff3b8cdac176034"),
        (AeadAlgorithm::Aes128Ccm8, "b913bd925d67595e6f1ec50355"),
        (AeadAlgorithm::Aes256Ccm8, "8df8d9fee18943e324d7856283"),
    ];

    #[test]
    fn what_another_library_sealed_is_opened_and_nothing_else() {
        for (algorithm, sealed) in SEALED {
            let key: Vec<u8> = (0..32).take(algorithm.key_octets()).collect();
            let aead = Aead::new(algorithm, &key).unwrap();
            let sealed = hex::decode(sealed).unwrap();
            assert_eq!(sealed.len(), 5 + algorithm.tag_octets());
            assert_eq!(aead.open([7; 12], b"aad", &sealed).unwrap(), b"hello", "{algorithm:?}");
            assert_eq!(aead.open([7; 12], b"AAD", &sealed), Err(CipherError::Tag));
            assert_eq!(aead.open([8; 12], b"aad", &sealed), Err(CipherError::Tag));
            for length in 0..sealed.len() {
                assert!(aead.open([7; 12], b"aad", sealed.get(..length).unwrap()).is_err());
            }
            assert!(Aead::new(algorithm, &[0; 17]).is_err());
        }
    }
}
