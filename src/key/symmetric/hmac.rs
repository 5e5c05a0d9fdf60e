//! HMAC (RFC 2104) over any hash, MD5 and SHA-1 included, which old versions of TLS are built on.

use crate::key::HashAlgorithm;
use ::hmac::{Hmac, KeyInit, Mac};
use aws_lc_rs::hmac::{self, Context, Key};
use md5::Md5;
use zeroize::Zeroizing;

/// HMAC of `parts`, one after the other, as long as the hash's output.
pub fn hmac(hash: HashAlgorithm, key: &[u8], parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let algorithm = match hash {
        HashAlgorithm::Md5 => return md5(key, parts),
        HashAlgorithm::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        HashAlgorithm::Sha224 => hmac::HMAC_SHA224,
        HashAlgorithm::Sha256 => hmac::HMAC_SHA256,
        HashAlgorithm::Sha384 => hmac::HMAC_SHA384,
        HashAlgorithm::Sha512 => hmac::HMAC_SHA512,
    };
    let mut context = Context::with_key(&Key::new(algorithm, key));
    parts.iter().for_each(|part| context.update(part));
    Zeroizing::new(context.sign().as_ref().to_vec())
}

fn md5(key: &[u8], parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    // RFC 2104 §2: a key of any length will do.
    let Ok(mut mac) = Hmac::<Md5>::new_from_slice(key) else { return Zeroizing::default() };
    parts.iter().for_each(|part| mac.update(part));
    Zeroizing::new(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::hex;

    #[test]
    fn macs_are_those_of_rfc_2202_and_rfc_4231() {
        let key = b"Jefe";
        for (hash, mac) in [
            (HashAlgorithm::Md5, "750c783e6ab0b503eaa86e310a5db738"),
            (HashAlgorithm::Sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (HashAlgorithm::Sha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        ] {
            assert_eq!(hex::encode(&hmac(hash, key, &[b"what do ya want ", b"for nothing?"])), mac, "{hash}");
        }
    }

    #[test]
    fn keys_of_any_length_are_taken() {
        for length in [0, 1, 63, 64, 65, 1000] {
            assert_eq!(hmac(HashAlgorithm::Md5, &vec![1; length], &[]).len(), 16);
            assert_eq!(hmac(HashAlgorithm::Sha384, &vec![1; length], &[]).len(), 48);
        }
    }
}
