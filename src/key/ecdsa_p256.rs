//! Deterministic ECDSA on P-256 (RFC 6979): the same key and message give the same signature, so the same request gives
//! the same certificate, and no weak random number can betray the key.
//!
//! Where a signature need not come out the same again, the nonce is random, and quicker to be had.
//!
//! The arithmetic modulo the group's order is RustCrypto's; the multiplication on the curve, which is nearly all of the work,
//! is aws-lc's, several times as fast and in constant time. aws-lc multiplies twice and compares, so the point of a nonce is
//! sure. Of the rest each signature is checked before anybody sees it: s·k = z + r·d (FIPS 186-5 §6.4.1), with other copies of
//! the nonce and of the key, for a fault on the way betrays the key.

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use ecdsa::Signature;
use p256::elliptic_curve::ops::{Invert, Reduce};
use p256::elliptic_curve::{Curve, FieldBytes};
use p256::{NistP256, NonZeroScalar, Scalar, SecretKey};
use rfc6979::KGenerator;
use rsa::sha2::digest::block_api::BlockSizeUser;
use rsa::sha2::{Digest, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::nonce::{Nonce, NonceStore};
use super::signature::HashAlgorithm;

/// A private key, and a copy of its number in octets, with which signatures are checked.
pub(super) struct Key<'a> {
    pub(super) secret: &'a SecretKey,
    pub(super) copy: &'a [u8],
}

/// The signature over `message` in DER (RFC 3279 §2.2.3), with the nonce of RFC 6979; `None` for hashes that are not signed
/// over, should aws-lc fail, and where the check finds a fault.
pub(super) fn sign(key: &Key<'_>, hash: HashAlgorithm, message: &[u8]) -> Option<Vec<u8>> {
    match hash {
        HashAlgorithm::Sha256 => key.sign_derived::<Sha256>(&Sha256::digest(message)),
        HashAlgorithm::Sha384 => key.sign_derived::<Sha384>(&Sha384::digest(message)),
        HashAlgorithm::Sha512 => key.sign_derived::<Sha512>(&Sha512::digest(message)),
        HashAlgorithm::Md5 | HashAlgorithm::Sha1 | HashAlgorithm::Sha224 => None,
    }
}

/// [`sign`] with a random nonce.
pub(super) fn sign_randomized(
    key: &Key<'_>,
    hash: HashAlgorithm,
    message: &[u8],
    store: &NonceStore,
) -> Option<Vec<u8>> {
    match hash {
        HashAlgorithm::Sha256 => key.sign_random(&Sha256::digest(message), store),
        HashAlgorithm::Sha384 => key.sign_random(&Sha384::digest(message), store),
        HashAlgorithm::Sha512 => key.sign_random(&Sha512::digest(message), store),
        HashAlgorithm::Md5 | HashAlgorithm::Sha1 | HashAlgorithm::Sha224 => None,
    }
}

impl Key<'_> {
    fn sign_derived<D: Digest + BlockSizeUser>(&self, digest: &[u8]) -> Option<Vec<u8>> {
        let secret = Zeroizing::new(self.secret.to_bytes());
        let order = NistP256::ORDER;
        // RFC 6979 §3.2.
        let mut nonces = KGenerator::<D, <NistP256 as Curve>::Uint>::new(&secret, digest, &[], &order);
        loop {
            let mut nonce = Zeroizing::new(FieldBytes::<NistP256>::default());
            nonces.fill_next_k(&mut nonce);
            let Some(k) = NonZeroScalar::from_repr(*nonce).into_option().map(Zeroizing::new) else { continue };
            let point =
                PrivateKey::from_private_key(&ECDH_P256, &nonce[..]).and_then(|key| Ok(key.compute_public_key()?));
            let (inverse, r) = (Zeroizing::new(Invert::invert(&*k)), abscissa(point.ok()?.as_ref())?);
            if let Some(signature) = self.signature(&inverse, r, digest)? {
                return self.checked(signature, &nonce[..], digest);
            }
        }
    }

    fn sign_random(&self, digest: &[u8], store: &NonceStore) -> Option<Vec<u8>> {
        loop {
            let nonce = store.next()?;
            let Nonce { octets, inverse, r } = &*nonce;
            if let Some(signature) = self.signature(inverse, *r, digest)? {
                return self.checked(signature, &octets[..], digest);
            }
        }
    }

    /// FIPS 186-5 §6.4.1, from a nonce's inverse and the abscissa of its point; the inner `None` asks for another nonce.
    fn signature(&self, inverse: &Scalar, r: Scalar, digest: &[u8]) -> Option<Option<Signature<NistP256>>> {
        let d = Zeroizing::new(self.secret.to_nonzero_scalar());
        let s = *inverse * (number(digest)? + r * **d);
        // Both must not be zero (steps 6 and 9); this checks it.
        Some(Signature::from_scalars(r, s).ok())
    }

    /// The signature in DER, if it is what key, nonce and digest make.
    fn checked(&self, signature: Signature<NistP256>, nonce: &[u8], digest: &[u8]) -> Option<Vec<u8>> {
        let encoded = signature.to_der().as_bytes().to_vec();
        let written = Signature::<NistP256>::from_der(&encoded).ok()?;
        let (k, d) = (scalar(nonce)?, scalar(self.copy)?);
        let same = *written.s() * **k == number(digest)? + *written.r() * **d;
        (same && written == signature).then_some(encoded)
    }
}

/// The abscissa of a point (uncompressed: 04, then x, then y), modulo the group's order.
pub(super) fn abscissa(point: &[u8]) -> Option<Scalar> {
    reduced(point.get(1..33)?)
}

/// A number between 1 and the order.
pub(super) fn scalar(octets: &[u8]) -> Option<Zeroizing<NonZeroScalar>> {
    let octets: &FieldBytes<NistP256> = octets.try_into().ok()?;
    NonZeroScalar::from_repr(*octets).into_option().map(Zeroizing::new)
}

/// bits2int of RFC 6979 §2.3.2: the leftmost 256 bits.
fn number(digest: &[u8]) -> Option<Scalar> {
    reduced(digest.get(..32)?)
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
        let secret = SecretKey::from_slice(&KEY).unwrap();
        let signature = sign(&Key { secret: &secret, copy: &KEY }, HashAlgorithm::Sha256, b"sample").unwrap();
        let hex = crate::encoding::hex::encode(&signature);
        assert!(hex.contains("efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"), "{hex}");
        assert!(hex.contains("f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"), "{hex}");
    }

    #[test]
    fn it_signs_as_the_ecdsa_crate_does() {
        for number in 1..=100_u8 {
            let (secret, copy) = (SecretKey::from_slice(&[number; 32]).unwrap(), [number; 32]);
            let key = Key { secret: &secret, copy: &copy };
            let message = vec![number; usize::from(number)];
            let theirs = |signature: (Signature<NistP256>, _)| signature.0.to_der().as_bytes().to_vec();
            let scalar = secret.to_nonzero_scalar();
            let ours = sign(&key, HashAlgorithm::Sha256, &message).unwrap();
            let digest = Sha256::digest(&message);
            assert_eq!(ours, theirs(sign_prehashed_rfc6979::<NistP256, Sha256>(&scalar, &digest, &[])));
            let ours = sign(&key, HashAlgorithm::Sha512, &message).unwrap();
            let digest = Sha512::digest(&message);
            assert_eq!(ours, theirs(sign_prehashed_rfc6979::<NistP256, Sha512>(&scalar, &digest, &[])));
        }
    }

    #[test]
    fn everybody_finds_its_signatures_good_whatever_the_nonce() {
        use ecdsa::signature::hazmat::PrehashVerifier;
        let store = NonceStore::new();
        for number in 1..=40_u8 {
            let secret = SecretKey::from_slice(&[number; 32]).unwrap();
            let (copy, message) = (secret.to_bytes(), [number; 40]);
            let key = Key { secret: &secret, copy: &copy };
            let anybody = ecdsa::VerifyingKey::<NistP256>::from(secret.public_key());
            let one = sign_randomized(&key, HashAlgorithm::Sha256, &message, &store).unwrap();
            let other = sign_randomized(&key, HashAlgorithm::Sha256, &message, &store).unwrap();
            assert_ne!(one, other);
            for signature in [one, other, sign(&key, HashAlgorithm::Sha256, &message).unwrap()] {
                anybody.verify_prehash(&Sha256::digest(message), &Signature::from_der(&signature).unwrap()).unwrap();
            }
            for hash in [HashAlgorithm::Sha384, HashAlgorithm::Sha512] {
                let signature = Signature::from_der(&sign_randomized(&key, hash, &message, &store).unwrap()).unwrap();
                let digest = match hash {
                    HashAlgorithm::Sha384 => Sha384::digest(message).to_vec(),
                    _ => Sha512::digest(message).to_vec(),
                };
                anybody.verify_prehash(&digest, &signature).unwrap();
            }
            for weak in [HashAlgorithm::Md5, HashAlgorithm::Sha1, HashAlgorithm::Sha224] {
                assert!(
                    sign(&key, weak, &message).is_none() && sign_randomized(&key, weak, &message, &store).is_none()
                );
            }
        }
    }

    #[test]
    fn a_fault_on_the_way_gives_no_signature() {
        let (secret, store) = (SecretKey::from_slice(&KEY).unwrap(), NonceStore::new());
        // A key that is not what its copy says.
        for bit in 0..256 {
            let mut copy = secret.to_bytes();
            copy[bit / 8] ^= 1 << (bit % 8);
            let key = Key { secret: &secret, copy: &copy };
            assert!(sign(&key, HashAlgorithm::Sha256, b"sample").is_none(), "{bit}");
            assert!(sign_randomized(&key, HashAlgorithm::Sha256, b"sample", &store).is_none(), "{bit}");
        }
        // A nonce, a digest or a signature that changes between signing and checking.
        let (copy, digest, nonce) = (secret.to_bytes(), Sha256::digest(b"sample"), [7; 32]);
        let key = Key { secret: &secret, copy: &copy };
        let point = SecretKey::from_slice(&nonce).unwrap().public_key().to_sec1_bytes();
        let inverse = Invert::invert(&*scalar(&nonce).unwrap());
        let made = key.signature(&inverse, abscissa(&point).unwrap(), &digest).unwrap().unwrap();
        assert!(key.checked(made, &nonce, &digest).is_some());
        for bit in 0..256 {
            let (mut nonce, mut digest) = (nonce, digest);
            nonce[bit / 8] ^= 1 << (bit % 8);
            assert!(key.checked(made, &nonce, &digest).is_none(), "{bit}");
            digest[bit / 8] ^= 1 << (bit % 8);
            assert!(key.checked(made, &[7; 32], &digest).is_none(), "{bit}");
            let mut s = made.s().to_bytes();
            s[bit / 8] ^= 1 << (bit % 8);
            if let Ok(changed) = Signature::from_scalars(made.r().to_bytes(), s) {
                assert!(key.checked(changed, &[7; 32], &digest).is_none(), "{bit}");
            }
        }
    }
}
