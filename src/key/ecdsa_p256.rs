//! Deterministic ECDSA on P-256 (RFC 6979): the same key and message give the same signature, so the same request gives
//! the same certificate, and no weak random number can betray the key.
//!
//! The nonce and the arithmetic modulo the group's order are RustCrypto's; the one multiplication on the curve, which is
//! nearly all of the work, is aws-lc's, several times as fast and in constant time.
//!
//! Whoever has the private key d checks a signature at a fraction of the price: the point u1·G + u2·Q of FIPS 186-5 §6.4.2
//! is (u1 + u2·d)·G, one multiplication of the base point instead of one of any point besides.

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use ecdsa::Signature;
use p256::elliptic_curve::ops::{Invert, Reduce};
use p256::elliptic_curve::{Curve, FieldBytes, PrimeField};
use p256::{NistP256, NonZeroScalar, Scalar, SecretKey};
use rfc6979::KGenerator;
use rsa::sha2::digest::block_api::BlockSizeUser;
use rsa::sha2::{Digest, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::signature::HashAlgorithm;

/// The signature over `message` in DER (RFC 3279 §2.2.3); `None` for hashes that are not signed over, and should aws-lc
/// fail.
pub(super) fn sign(secret: &SecretKey, hash: HashAlgorithm, message: &[u8]) -> Option<Vec<u8>> {
    match hash {
        HashAlgorithm::Sha256 => sign_digest::<Sha256>(secret, &Sha256::digest(message)),
        HashAlgorithm::Sha384 => sign_digest::<Sha384>(secret, &Sha384::digest(message)),
        HashAlgorithm::Sha512 => sign_digest::<Sha512>(secret, &Sha512::digest(message)),
        HashAlgorithm::Md5 | HashAlgorithm::Sha1 | HashAlgorithm::Sha224 => None,
    }
}

/// FIPS 186-5 §6.4.1 with the nonce of RFC 6979 §3.2.
fn sign_digest<D: Digest + BlockSizeUser>(secret: &SecretKey, digest: &[u8]) -> Option<Vec<u8>> {
    let scalar = Zeroizing::new(secret.to_nonzero_scalar());
    let order = NistP256::ORDER;
    let mut nonces =
        KGenerator::<D, <NistP256 as Curve>::Uint>::new(&Zeroizing::new(scalar.to_repr()), digest, &[], &order);
    // bits2int of RFC 6979 §2.3.2: the leftmost 256 bits.
    let z = reduced(digest.get(..32)?)?;
    loop {
        let mut nonce = Zeroizing::new(FieldBytes::<NistP256>::default());
        nonces.fill_next_k(&mut nonce);
        let Some(k) = NonZeroScalar::from_repr(*nonce).into_option().map(Zeroizing::new) else { continue };
        let r = abscissa(&nonce)?;
        let inverse = Zeroizing::new(Invert::invert(&*k));
        let s = **inverse * (z + r * **scalar);
        // Both must not be zero (FIPS 186-5 §6.4.1, steps 6 and 9); this checks it.
        if let Ok(signature) = Signature::<NistP256>::from_scalars(r, s) {
            return Some(signature.to_der().as_bytes().to_vec());
        }
    }
}

/// Whether `signature` is this key's over `message`, as verifying with its public key says. It is computed from the scalar
/// in octets, so with a copy of the key that [`sign`] does not touch: a fault in one of them is found.
pub(super) fn made_by(scalar: &[u8], hash: HashAlgorithm, message: &[u8], signature: &[u8]) -> bool {
    match hash {
        HashAlgorithm::Sha256 => check_digest(scalar, &Sha256::digest(message), signature),
        HashAlgorithm::Sha384 => check_digest(scalar, &Sha384::digest(message), signature),
        HashAlgorithm::Sha512 => check_digest(scalar, &Sha512::digest(message), signature),
        HashAlgorithm::Md5 | HashAlgorithm::Sha1 | HashAlgorithm::Sha224 => None,
    }
    .unwrap_or(false)
}

/// FIPS 186-5 §6.4.2; `None` is no.
fn check_digest(scalar: &[u8], digest: &[u8], signature: &[u8]) -> Option<bool> {
    let scalar = Zeroizing::new(SecretKey::from_slice(scalar).ok()?.to_nonzero_scalar());
    // Both numbers lie between 1 and the order: this checks it, and that the encoding is DER.
    let signature = Signature::<NistP256>::from_der(signature).ok()?;
    let (r, s) = (signature.r(), signature.s());
    let z = reduced(digest.get(..32)?)?;
    // The signature is public, so its inverse may take as long as it likes; the sum is the nonce, and secret.
    let inverse: Scalar = *s.invert_vartime();
    let sum = Zeroizing::new((z + *r * **scalar) * inverse);
    Some(abscissa(&Zeroizing::new(sum.to_repr()))? == *r)
}

/// The x of a multiple of the base point, modulo the group's order; `None` for zero and for the order and above.
fn abscissa(scalar: &FieldBytes<NistP256>) -> Option<Scalar> {
    let point =
        PrivateKey::from_private_key(&ECDH_P256, &scalar[..]).and_then(|key| Ok(key.compute_public_key()?)).ok()?;
    // Uncompressed: 04, then x, then y.
    reduced(point.as_ref().get(1..33)?)
}

/// 32 octets, most significant first, modulo the group's order.
fn reduced(octets: &[u8]) -> Option<Scalar> {
    let octets: &FieldBytes<NistP256> = octets.try_into().ok()?;
    Some(Scalar::reduce(octets))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ecdsa::hazmat::sign_prehashed_rfc6979;

    /// RFC 6979 appendix A.2.5.
    const KEY: [u8; 32] = [
        0xc9, 0xaf, 0xa9, 0xd8, 0x45, 0xba, 0x75, 0x16, 0x6b, 0x5c, 0x21, 0x57, 0x67, 0xb1, 0xd6, 0x93, 0x4e, 0x50,
        0xc3, 0xdb, 0x36, 0xe8, 0x9b, 0x12, 0x7b, 0x8a, 0x62, 0x2b, 0x12, 0x0f, 0x67, 0x21,
    ];

    #[test]
    fn the_example_of_rfc_6979_comes_out() {
        let key = SecretKey::from_slice(&KEY).unwrap();
        let signature = sign(&key, HashAlgorithm::Sha256, b"sample").unwrap();
        let hex = crate::encoding::hex::encode(&signature);
        assert!(hex.contains("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"), "{hex}");
        assert!(hex.contains("f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"), "{hex}");
    }

    #[test]
    fn it_signs_as_the_ecdsa_crate_does() {
        for number in 1..=100_u8 {
            let key = SecretKey::from_slice(&[number; 32]).unwrap();
            let message = vec![number; usize::from(number)];
            let theirs = |signature: (Signature<NistP256>, _)| signature.0.to_der().as_bytes().to_vec();
            let scalar = key.to_nonzero_scalar();
            let ours = sign(&key, HashAlgorithm::Sha256, &message).unwrap();
            let digest = Sha256::digest(&message);
            assert_eq!(ours, theirs(sign_prehashed_rfc6979::<NistP256, Sha256>(&scalar, &digest, &[])));
            let ours = sign(&key, HashAlgorithm::Sha512, &message).unwrap();
            let digest = Sha512::digest(&message);
            assert_eq!(ours, theirs(sign_prehashed_rfc6979::<NistP256, Sha512>(&scalar, &digest, &[])));
        }
    }

    #[test]
    fn its_owner_finds_a_signature_good_where_everybody_does() {
        use ecdsa::signature::hazmat::PrehashVerifier;
        for number in 1..=40_u8 {
            let key = SecretKey::from_slice(&[number; 32]).unwrap();
            let (scalar, message) = (key.to_bytes(), [number; 40]);
            let good = sign(&key, HashAlgorithm::Sha256, &message).unwrap();
            let anybody = ecdsa::VerifyingKey::<NistP256>::from(key.public_key());
            assert!(made_by(&scalar, HashAlgorithm::Sha256, &message, &good));
            // Every bit of it in turn.
            for bit in 0..good.len() * 8 {
                let mut changed = good.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                let theirs = Signature::from_der(&changed)
                    .is_ok_and(|signature| anybody.verify_prehash(&Sha256::digest(message), &signature).is_ok());
                assert_eq!(made_by(&scalar, HashAlgorithm::Sha256, &message, &changed), theirs, "{number}, {bit}");
                assert!(!theirs);
            }
            let mut longer = good.clone();
            longer.push(0);
            assert!(!made_by(&scalar, HashAlgorithm::Sha256, &message, &longer));
            assert!(!made_by(&scalar, HashAlgorithm::Sha384, &message, &good), "another hash");
            assert!(!made_by(&[number + 1; 32], HashAlgorithm::Sha256, &message, &good), "another key");
            assert!(!made_by(&scalar, HashAlgorithm::Sha256, b"another message", &good));
            let upper = Signature::<NistP256>::from_der(&good).unwrap();
            let other_s = Signature::<NistP256>::from_scalars(upper.r().to_bytes(), (-*upper.s()).to_bytes()).unwrap();
            assert!(made_by(&scalar, HashAlgorithm::Sha256, &message, other_s.to_der().as_bytes()), "-s is as good");
        }
        assert!(!made_by(&[], HashAlgorithm::Sha256, b"", b""));
        assert!(!made_by(&[0; 32], HashAlgorithm::Sha256, b"", b""));
    }
}
