//! RC4, the stream cipher that RFC 7465 banned.

use super::CipherError;
use ::rc4::{KeyInit, Rc4, StreamCipher};
use std::fmt;

/// The key stream of an RC4 key, from where it was left.
pub struct Rc4Stream(Rc4);

impl Rc4Stream {
    /// The key stream from its start.
    ///
    /// # Errors
    /// [`CipherError::KeySize`] for keys that are empty or longer than 256 octets.
    pub fn new(key: &[u8]) -> Result<Self, CipherError> {
        Rc4::new_from_slice(key).map(Self).map_err(|_| CipherError::KeySize { found: key.len(), wanted: 16 })
    }

    /// Decrypts, or encrypts, in place.
    pub fn apply(&mut self, data: &mut [u8]) {
        self.0.apply_keystream(data);
    }
}

impl fmt::Debug for Rc4Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rc4Stream").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::encoding::hex;

    #[test]
    fn the_key_stream_is_that_of_rfc_6229() {
        let mut stream = Rc4Stream::new(&[1, 2, 3, 4, 5]).unwrap();
        let mut data = [0; 32];
        let (first, second) = data.split_at_mut(10);
        stream.apply(first);
        stream.apply(second);
        assert_eq!(hex::encode(&data), "b2396305f03dc027ccc3524a0a1118a86982944f18fc82d589c403a47a0d0919");
        assert!(Rc4Stream::new(&[]).is_err());
    }
}
