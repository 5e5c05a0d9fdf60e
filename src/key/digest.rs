//! Message digests (FIPS 180-4) and random bytes.

use super::error::KeyError;
use super::signature::HashAlgorithm;
use aws_lc_rs::{digest, rand};
use md5::{Digest as _, Md5};

/// The MD5 digest of `data`: for fingerprints and for the key schedule of TLS before 1.2, never to trust.
pub fn md5(data: &[u8]) -> [u8; 16] {
    Md5::digest(data).into()
}

/// The SHA-1 digest of `data`: for identifiers that a standard fixes to SHA-1, never for signatures.
pub fn sha1(data: &[u8]) -> [u8; 20] {
    fixed(&digest::SHA1_FOR_LEGACY_USE_ONLY, data)
}

/// The SHA-256 digest of `data`.
pub fn sha256(data: &[u8]) -> [u8; 32] {
    fixed(&digest::SHA256, data)
}

/// The SHA-384 digest of `data`.
pub fn sha384(data: &[u8]) -> [u8; 48] {
    fixed(&digest::SHA384, data)
}

/// The SHA-512 digest of `data`.
pub fn sha512(data: &[u8]) -> [u8; 64] {
    fixed(&digest::SHA512, data)
}

/// The digest of `data` by a hash chosen at run time.
pub fn of(hash: HashAlgorithm, data: &[u8]) -> Vec<u8> {
    match by(hash, data) {
        Some(digest) => digest.as_ref().to_vec(),
        None => md5(data).to_vec(),
    }
}

/// Fills `out` with bytes from the cryptographic random number generator.
///
/// # Errors
/// [`KeyError::Backend`] where the system has no randomness to give.
pub fn random(out: &mut [u8]) -> Result<(), KeyError> {
    rand::fill(out).map_err(|_| KeyError::Backend("draw random bytes"))
}

/// The digest of `data` by a hash chosen at run time; `None` for MD5, which the library does not have.
pub(super) fn by(hash: HashAlgorithm, data: &[u8]) -> Option<digest::Digest> {
    let algorithm = match hash {
        HashAlgorithm::Md5 => return None,
        HashAlgorithm::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        HashAlgorithm::Sha224 => &digest::SHA224,
        HashAlgorithm::Sha256 => &digest::SHA256,
        HashAlgorithm::Sha384 => &digest::SHA384,
        HashAlgorithm::Sha512 => &digest::SHA512,
    };
    Some(digest::digest(algorithm, data))
}

fn fixed<const N: usize>(algorithm: &'static digest::Algorithm, data: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    for (to, from) in out.iter_mut().zip(digest::digest(algorithm, data).as_ref()) {
        *to = *from;
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::encoding::hex;

    #[test]
    fn md5_is_that_of_rfc_1321() {
        assert_eq!(hex::encode(&md5(b"abc")), "900150983cd24fb0d6963f7d28e17f72");
    }

    #[test]
    fn digests_of_abc_are_those_of_fips_180() {
        assert_eq!(hex::encode(&sha1(b"abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(hex::encode(&sha256(b"abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(hex::encode(&sha384(b"abc")).starts_with("cb00753f45a35e8bb5a03d699ac65007"));
        assert!(hex::encode(&sha512(b"abc")).starts_with("ddaf35a193617abacc417349ae204131"));
    }

    #[test]
    fn random_bytes_differ_from_call_to_call() {
        let (mut one, mut two) = ([0; 32], [0; 32]);
        random(&mut one).unwrap();
        random(&mut two).unwrap();
        assert_ne!(one, two);
    }
}
