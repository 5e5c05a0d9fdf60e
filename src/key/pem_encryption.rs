//! The encryption that OpenSSL gave PEM blocks before PKCS#8, and Go's `x509.EncryptPEMBlock` with it: headers of RFC 1421
//! §4.6.1 (`Proc-Type: 4,ENCRYPTED`, `DEK-Info`), a key derived by one round of MD5. It is read and never written.

use super::digest;
use super::error::KeyError;
use super::symmetric::{CbcAlgorithm, cbc_decrypt};
use crate::encoding::hex;
use std::fmt;
use zeroize::Zeroizing;

const WHAT: &str = "encrypted PEM block (RFC 1421 §4.6.1)";

/// How a block is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PemEncryption {
    name: &'static str,
    cipher: CbcAlgorithm,
    /// Initialization vector, and in its first octets the salt.
    iv: Vec<u8>,
}

impl PemEncryption {
    /// What the headers of a block say; `None` where it is not encrypted.
    pub(super) fn of(headers: &[(String, String)]) -> Result<Option<Self>, KeyError> {
        let value = |wanted: &str| {
            headers.iter().find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
        };
        if !value("Proc-Type").is_some_and(|kind| kind.to_ascii_uppercase().contains("ENCRYPTED")) {
            return Ok(None);
        }
        let info =
            value("DEK-Info").ok_or_else(|| KeyError::invalid(WHAT, "it has no DEK-Info, which names its cipher"))?;
        let (asked, iv) = info.split_once(',').unwrap_or((info, ""));
        let asked = asked.trim();
        let Some((name, cipher)) = CIPHERS.into_iter().find(|(name, _)| asked.eq_ignore_ascii_case(name)) else {
            return Err(KeyError::UnsupportedForm {
                form: format!("the old PEM encryption with {asked}"),
                remedy: "convert it with `openssl pkcs8 -topk8 -in OLD -out NEW`",
            });
        };
        match hex::decode(iv.trim()) {
            Some(iv) if iv.len() == cipher.block_octets() => Ok(Some(Self { name, cipher, iv })),
            _ => {
                let wanted = cipher.block_octets();
                Err(KeyError::invalid(WHAT, format!("its DEK-Info holds no {wanted} octets in hexadecimal for {name}")))
            }
        }
    }

    /// The size of a block of the cipher in octets.
    pub(super) fn block_octets(&self) -> usize {
        self.cipher.block_octets()
    }

    /// Decrypts and takes the padding off (RFC 1423 §1.1).
    pub(super) fn decrypt(&self, passphrase: &[u8], ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let key = self.derive(passphrase);
        let plain = cbc_decrypt(self.cipher, &key, &self.iv, ciphertext);
        let mut plain = plain.map_err(|_| KeyError::Backend("decrypt a PEM block"))?;
        let padding = plain.last().copied().unwrap_or_default();
        let (count, block) = (usize::from(padding), self.block_octets());
        let kept = plain.len().checked_sub(count).filter(|_| (1..=block).contains(&count));
        match kept {
            Some(kept) if plain.iter().skip(kept).all(|octet| *octet == padding) => {
                plain.truncate(kept);
                Ok(plain)
            }
            _ => Err(KeyError::WrongPassphrase),
        }
    }

    /// OpenSSL's `EVP_BytesToKey` with MD5 and a count of 1.
    fn derive(&self, passphrase: &[u8]) -> Zeroizing<Vec<u8>> {
        let salt = self.iv.get(..SALT).unwrap_or_default();
        let wanted = self.cipher.key_octets();
        let mut key = Zeroizing::new(Vec::with_capacity(wanted + DIGEST));
        let mut last = Zeroizing::new([0; DIGEST]);
        while key.len() < wanted {
            let before: &[u8] = if key.is_empty() { &[] } else { &*last };
            let mut hashed = Zeroizing::new(Vec::with_capacity(DIGEST + passphrase.len() + SALT));
            [before, passphrase, salt].into_iter().for_each(|part| hashed.extend_from_slice(part));
            *last = digest::md5(&hashed);
            key.extend_from_slice(&*last);
        }
        key.truncate(wanted);
        key
    }
}

impl fmt::Display for PemEncryption {
    /// Such as `PEM encryption (RFC 1421), AES-256-CBC, one round of MD5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PEM encryption (RFC 1421), {}, one round of MD5", self.name)
    }
}

const CIPHERS: [(&str, CbcAlgorithm); 4] = [
    ("AES-128-CBC", CbcAlgorithm::Aes128),
    ("AES-192-CBC", CbcAlgorithm::Aes192),
    ("AES-256-CBC", CbcAlgorithm::Aes256),
    ("DES-EDE3-CBC", CbcAlgorithm::TripleDes),
];

/// The size of the salt in octets.
const SALT: usize = 8;

/// The size of an MD5 digest in octets.
const DIGEST: usize = 16;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::{Loaded, fixtures, from_pem_block};
    use super::*;

    fn headers(kind: &str, info: Option<&str>) -> Vec<(String, String)> {
        let mut all = vec![("Proc-Type".to_owned(), kind.to_owned())];
        all.extend(info.map(|info| ("DEK-Info".to_owned(), info.to_owned())));
        all
    }

    #[test]
    fn what_openssl_encrypted_is_described_and_decrypted() {
        let Loaded::Encrypted(key) = fixtures::load(fixtures::P256_LEGACY).unwrap() else { unreachable!() };
        assert_eq!(key.algorithm_name(), "PEM encryption (RFC 1421), AES-256-CBC, one round of MD5");
        assert_eq!(key.pem_label(), "EC PRIVATE KEY");
        let plain = fixtures::plain(fixtures::P256_PKCS8);
        assert_eq!(key.decrypt(b"secret").unwrap().public_key(), plain.public_key());
        // Once in 256 times the padding is right by chance.
        for number in 0..2000_u32 {
            assert_eq!(key.decrypt(&number.to_be_bytes()).unwrap_err(), KeyError::WrongPassphrase, "{number}");
        }
        assert!(!format!("{key:?}").contains("ciphertext"));
    }

    #[test]
    fn a_header_that_cannot_be_meant_is_told() {
        let block = fixtures::block(fixtures::P256_LEGACY);
        let read = |info: Option<&str>, contents: &[u8]| {
            from_pem_block(&block.label, &headers("4,ENCRYPTED", info), contents).unwrap_err().to_string()
        };
        let sound = "aes-256-cbc, 7890AB758E10EDF5EBFB6951FF0BED30";
        assert!(from_pem_block(&block.label, &headers("4,encrypted", Some(sound)), &block.contents).is_ok());
        for (info, told) in [
            (None, "no DEK-Info"),
            (Some("AES-256-CBC"), "no 16 octets"),
            (Some("AES-256-CBC,7890"), "no 16 octets"),
            (Some("AES-256-CBC,xyz"), "no 16 octets"),
            (Some("DES-CBC,7890AB758E10EDF5"), "with DES-CBC is not read"),
        ] {
            let error = read(info, &block.contents);
            assert!(error.contains(told), "{error}");
        }
        assert!(read(Some(sound), &[]).contains("cut short"));
        assert!(read(Some(sound), &[0; 17]).contains("cut short"));
        let other = from_pem_block("CERTIFICATE", &headers("4,ENCRYPTED", Some(sound)), &block.contents);
        assert!(matches!(other, Err(KeyError::NotAPrivateKey { .. })));
    }
}
