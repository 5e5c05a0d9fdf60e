//! Signatures that certkit does not make: over broken hashes and with short RSA keys. They have to be sound, or a
//! verifier would refuse them for another reason than their weakness.

use certkit::encoding::pem;
use certkit::key::{HashAlgorithm, KeyAlgorithm, PrivateKey, SignatureAlgorithm};
use md5::{Digest as _, Md5};
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::sha2::{Sha224, Sha256};
use rsa::{Pkcs1v15Sign, RsaPrivateKey};

/// The signature of `key` over `message`: certkit's own where it makes one.
pub(crate) fn sign(key: &PrivateKey, algorithm: SignatureAlgorithm, message: &[u8]) -> Vec<u8> {
    match (algorithm, key.algorithm()) {
        (SignatureAlgorithm::RsaPkcs1(hash), KeyAlgorithm::Rsa(bits)) if bits < 2048 || is_weak(hash) => {
            let key = RsaPrivateKey::from_pkcs8_der(&key.to_pkcs8_der()).unwrap();
            let (scheme, digest) = hashed(hash, message);
            key.sign(scheme, &digest).unwrap()
        }
        _ => key.sign(algorithm, message).unwrap(),
    }
}

/// An RSA key of 1024 bits. It is no secret and no use.
pub(crate) fn small_key() -> PrivateKey {
    let text = include_bytes!("../../src/key/fixtures/rsa_1024.pkcs8.pem");
    let block = pem::read(text).into_iter().next().unwrap().unwrap();
    PrivateKey::from_pkcs8_der(&block.contents).unwrap()
}

fn is_weak(hash: HashAlgorithm) -> bool {
    matches!(hash, HashAlgorithm::Md5 | HashAlgorithm::Sha1 | HashAlgorithm::Sha224)
}

/// EMSA-PKCS1-v1_5 (RFC 8017 §9.2) of this hash, and the digest.
fn hashed(hash: HashAlgorithm, message: &[u8]) -> (Pkcs1v15Sign, Vec<u8>) {
    match hash {
        HashAlgorithm::Md5 => (prefixed(16, MD5_INFO), Md5::digest(message).to_vec()),
        HashAlgorithm::Sha1 => (prefixed(20, SHA1_INFO), certkit::key::digest::sha1(message).to_vec()),
        HashAlgorithm::Sha224 => (Pkcs1v15Sign::new::<Sha224>(), Sha224::digest(message).to_vec()),
        HashAlgorithm::Sha256 => (Pkcs1v15Sign::new::<Sha256>(), Sha256::digest(message).to_vec()),
        other => panic!("{other} is not weak"),
    }
}

fn prefixed(octets: usize, info: &[u8]) -> Pkcs1v15Sign {
    Pkcs1v15Sign { hash_len: Some(octets), prefix: info.into() }
}

/// The beginnings of DigestInfo that RFC 8017 §9.2, note 1, lists.
const MD5_INFO: &[u8] =
    &[0x30, 0x20, 0x30, 0x0c, 0x06, 0x08, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05, 0x05, 0x00, 0x04, 0x10];
const SHA1_INFO: &[u8] = &[0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];
