//! Symmetric cryptography of TLS, to read recordings, and of old files: MACs and decryption, the broken kinds included.
//! Nothing here encrypts, and nothing keeps its timing to itself: no peer waits for the answer.

mod aead;
mod cbc;
mod hmac;
mod rc4;

pub use aead::{Aead, AeadAlgorithm};
pub use cbc::{CbcAlgorithm, decrypt as cbc_decrypt};
pub use hmac::hmac;
pub use rc4::Rc4Stream;

/// Why something cannot be decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CipherError {
    /// The key does not have the cipher's size.
    #[error("the key has {found} octets and the cipher takes {wanted}")]
    KeySize {
        /// The size found.
        found: usize,
        /// The size of the cipher's keys.
        wanted: usize,
    },
    /// The ciphertext is shorter than a tag, or no whole number of blocks.
    #[error("{0} octets are not a ciphertext of this cipher")]
    Length(usize),
    /// The tag does not belong to the ciphertext.
    #[error("the authentication tag does not match: another key, or a changed record")]
    Tag,
}
