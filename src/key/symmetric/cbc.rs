//! Block ciphers in CBC mode (NIST SP 800-38A §6.2), padding left to the caller.

use super::CipherError;
use ::cbc::Decryptor;
use ::cbc::cipher::{Array, Block, BlockModeDecrypt, KeyIvInit};
use aes::{Aes128, Aes192, Aes256};
use camellia::{Camellia128, Camellia256};
use des::{Des, TdesEde3};
use zeroize::Zeroizing;

/// A block cipher for CBC mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CbcAlgorithm {
    /// AES with a key of 128 bits.
    Aes128,
    /// AES with a key of 192 bits.
    Aes192,
    /// AES with a key of 256 bits.
    Aes256,
    /// Camellia with a key of 128 bits.
    Camellia128,
    /// Camellia with a key of 256 bits.
    Camellia256,
    /// DES: 56 bits and long broken.
    Des,
    /// DES three times with three keys.
    TripleDes,
}

impl CbcAlgorithm {
    /// The size of the key in octets, parity bits of DES included.
    pub fn key_octets(self) -> usize {
        match self {
            Self::Des => 8,
            Self::Aes128 | Self::Camellia128 => 16,
            Self::Aes192 | Self::TripleDes => 24,
            Self::Aes256 | Self::Camellia256 => 32,
        }
    }

    /// The size of a block and of the initialization vector in octets.
    pub fn block_octets(self) -> usize {
        if matches!(self, Self::Des | Self::TripleDes) { 8 } else { 16 }
    }
}

/// Decrypts whole blocks; the padding stays.
///
/// # Errors
/// [`CipherError::KeySize`] and, for a vector or ciphertext of the wrong size, [`CipherError::Length`].
pub fn decrypt(algorithm: CbcAlgorithm, key: &[u8], iv: &[u8], data: &[u8]) -> Result<Zeroizing<Vec<u8>>, CipherError> {
    if key.len() != algorithm.key_octets() {
        return Err(CipherError::KeySize { found: key.len(), wanted: algorithm.key_octets() });
    }
    match algorithm {
        CbcAlgorithm::Aes128 => blocks::<Decryptor<Aes128>>(key, iv, data),
        CbcAlgorithm::Aes192 => blocks::<Decryptor<Aes192>>(key, iv, data),
        CbcAlgorithm::Aes256 => blocks::<Decryptor<Aes256>>(key, iv, data),
        CbcAlgorithm::Camellia128 => blocks::<Decryptor<Camellia128>>(key, iv, data),
        CbcAlgorithm::Camellia256 => blocks::<Decryptor<Camellia256>>(key, iv, data),
        CbcAlgorithm::Des => blocks::<Decryptor<Des>>(key, iv, data),
        CbcAlgorithm::TripleDes => blocks::<Decryptor<TdesEde3>>(key, iv, data),
    }
}

fn blocks<D: BlockModeDecrypt + KeyIvInit>(
    key: &[u8],
    iv: &[u8],
    data: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CipherError> {
    let mut cipher = D::new_from_slices(key, iv).map_err(|_| CipherError::Length(iv.len()))?;
    let mut out = Zeroizing::new(data.to_vec());
    let (blocks, rest): (&mut [Block<D>], _) = Array::slice_as_chunks_mut(&mut out);
    if !rest.is_empty() {
        return Err(CipherError::Length(data.len()));
    }
    cipher.decrypt_blocks(blocks);
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::encoding::hex;

    /// Made with pyca/cryptography 50 and, for DES, with its 3DES under three equal keys: key 00 01 02 …, vector all 07,
    /// plaintext two blocks of `a`.
    const ENCRYPTED: [(CbcAlgorithm, &str); 6] = [
        (CbcAlgorithm::Aes128, "4606e193f8254613ecf0b20c2eff3d0ccca9419ee3d5c3af9aef5078971f9b6b"),
        (CbcAlgorithm::Aes256, "bdb649fa8084cad3605b6b2ad7c8baa40fd58ea4fdc4501fc7f9a617819121e3"),
        (CbcAlgorithm::Camellia128, "69dd568a8ae7be3c167736aefff0be29ac245ae884b794c807dbfd8f9711d287"),
        (CbcAlgorithm::Camellia256, "16557c7ac16eb9f67655439529f21a6f9b39cf68fc3c0bc85195ead46762e2a9"),
        (CbcAlgorithm::Des, "a4863b6a2fa8be655c61b827a07f5b0e"),
        (CbcAlgorithm::TripleDes, "442e1c49f1071fdc9445402e6b149f6b"),
    ];

    #[test]
    fn what_another_library_encrypted_is_decrypted() {
        for (algorithm, encrypted) in ENCRYPTED {
            let key: Vec<u8> = (0..32).take(algorithm.key_octets()).collect();
            let iv = vec![7; algorithm.block_octets()];
            let data = hex::decode(encrypted).unwrap();
            let plain = decrypt(algorithm, &key, &iv, &data).unwrap();
            assert_eq!(*plain, vec![b'a'; 2 * algorithm.block_octets()], "{algorithm:?}");
            assert!(decrypt(algorithm, &key, &iv, data.get(1..).unwrap()).is_err());
            assert!(decrypt(algorithm, &key, &[7; 3], &data).is_err());
            assert!(decrypt(algorithm, &[0; 5], &iv, &data).is_err());
        }
    }
}
