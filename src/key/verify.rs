//! Checking signatures.

use super::algorithm::KeyAlgorithm;
use super::digest;
use super::public::PublicKey;
use super::signature::{HashAlgorithm, SignatureAlgorithm, SignatureError};
use crate::encoding::der::{self, tag};
use aws_lc_rs::signature::{self, ParsedPublicKey, UnparsedPublicKey, VerificationAlgorithm};
use rsa::sha2::{Sha224, Sha256, Sha384, Sha512};
use rsa::{Pkcs1v15Sign, Pss};
use std::sync::OnceLock;

/// The least RSA modulus, in bits, that a signature is trusted with (NIST SP 800-131A table 2, CA/B Forum BR 6.1.5).
const MINIMUM_RSA_BITS: u16 = 2048;
/// The largest RSA modulus that is verified with. The cost grows with the square of the size, at the attacker's choice.
const MAXIMUM_RSA_BITS: u16 = 8192;

/// Checks a signature, refusing broken hashes and short RSA keys.
pub(super) fn verify(
    algorithm: SignatureAlgorithm,
    key: &PublicKey,
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    if let Some(hash) = algorithm.hash()
        && hash.is_broken()
    {
        return Err(SignatureError::Weak(hash));
    }
    match key.algorithm() {
        KeyAlgorithm::Rsa(bits) if bits < MINIMUM_RSA_BITS => {
            check_family(algorithm, key.algorithm())?;
            Err(SignatureError::KeyTooSmall { bits, minimum: MINIMUM_RSA_BITS })
        }
        _ => compute(algorithm, key, message, signature),
    }
}

/// Checks a signature without regard to its strength.
pub(super) fn verify_weak(
    algorithm: SignatureAlgorithm,
    key: &PublicKey,
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    compute(algorithm, key, message, signature)
}

/// Checks RSASSA-PKCS1-v1_5 over MD5 and SHA-1 one after the other, without DigestInfo (RFC 4346 §7.4.3).
pub(super) fn verify_md5_sha1(key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
    let family = SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Sha1);
    check_family(family, key.algorithm())?;
    let numbers = key.rsa_numbers().ok_or(SignatureError::BadKey)?;
    if numbers.bits() > MAXIMUM_RSA_BITS {
        return Err(SignatureError::KeyTooLarge { bits: numbers.bits(), maximum: MAXIMUM_RSA_BITS });
    }
    let hashed = [&digest::md5(message)[..], &digest::sha1(message)].concat();
    let padding = Pkcs1v15Sign { hash_len: Some(hashed.len()), prefix: Box::default() };
    let with = numbers.to_key().map_err(|_| SignatureError::BadKey)?;
    with.verify(padding, &hashed, signature).map_err(|_| SignatureError::Mismatch)
}

fn compute(
    algorithm: SignatureAlgorithm,
    key: &PublicKey,
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    check_family(algorithm, key.algorithm())?;
    if let KeyAlgorithm::Rsa(bits) = key.algorithm()
        && bits > MAXIMUM_RSA_BITS
    {
        return Err(SignatureError::KeyTooLarge { bits, maximum: MAXIMUM_RSA_BITS });
    }
    let outcome = match aws_lc(algorithm, key.algorithm()) {
        Some(with) => key.prepared().verify(algorithm, with, key.subject_public_key(), message, signature),
        None if key.algorithm().is_rsa() => unusual_rsa(algorithm, key, message, signature)?,
        None => return Err(SignatureError::UnsupportedPair { signature: algorithm, key: key.algorithm() }),
    };
    match outcome {
        true => Ok(()),
        // The library does not say whether the key or the signature is at fault.
        false => Err(key.validate().map_or(SignatureError::BadKey, |()| SignatureError::Mismatch)),
    }
}

/// A key as aws-lc keeps it for the first algorithm that is verified with it. An issuer's key verifies many signatures,
/// nearly always of one algorithm.
#[derive(Default)]
pub(super) struct Prepared {
    first: OnceLock<(SignatureAlgorithm, Option<ParsedPublicKey>)>,
}

impl Prepared {
    /// `with` is what computes `algorithm`, and `key` always the same.
    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        with: &'static dyn VerificationAlgorithm,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let (known, parsed) = self.first.get_or_init(|| (algorithm, ParsedPublicKey::new(with, key).ok()));
        match parsed {
            Some(parsed) if *known == algorithm => parsed.verify_sig(message, signature).is_ok(),
            None if *known == algorithm => false,
            _ => UnparsedPublicKey::new(with, key).verify(message, signature).is_ok(),
        }
    }
}

/// Whether keys of this kind make signatures of this kind at all.
fn check_family(signature: SignatureAlgorithm, key: KeyAlgorithm) -> Result<(), SignatureError> {
    let fits = match signature {
        SignatureAlgorithm::RsaPkcs1(_) | SignatureAlgorithm::RsaPss(..) => key.is_rsa(),
        SignatureAlgorithm::Ecdsa(_) => key.is_ecdsa(),
        SignatureAlgorithm::Ed25519 => key == KeyAlgorithm::Ed25519,
        SignatureAlgorithm::MlDsa44 => key == KeyAlgorithm::MlDsa44,
        SignatureAlgorithm::MlDsa65 => key == KeyAlgorithm::MlDsa65,
        SignatureAlgorithm::MlDsa87 => key == KeyAlgorithm::MlDsa87,
    };
    if fits { Ok(()) } else { Err(SignatureError::KeyMismatch { signature, key }) }
}

/// What aws-lc computes.
fn aws_lc(signature: SignatureAlgorithm, key: KeyAlgorithm) -> Option<&'static dyn VerificationAlgorithm> {
    use HashAlgorithm::{Sha1, Sha224, Sha256, Sha384, Sha512};
    match (signature, key) {
        (SignatureAlgorithm::Ecdsa(hash), KeyAlgorithm::P256) => match hash {
            Sha1 => Some(&signature::ECDSA_P256_SHA1_ASN1),
            Sha256 => Some(&signature::ECDSA_P256_SHA256_ASN1),
            Sha384 => Some(&signature::ECDSA_P256_SHA384_ASN1),
            Sha512 => Some(&signature::ECDSA_P256_SHA512_ASN1),
            _ => None,
        },
        (SignatureAlgorithm::Ecdsa(hash), KeyAlgorithm::P384) => match hash {
            Sha256 => Some(&signature::ECDSA_P384_SHA256_ASN1),
            Sha384 => Some(&signature::ECDSA_P384_SHA384_ASN1),
            Sha512 => Some(&signature::ECDSA_P384_SHA512_ASN1),
            _ => None,
        },
        (SignatureAlgorithm::Ecdsa(hash), KeyAlgorithm::P521) => match hash {
            Sha1 => Some(&signature::ECDSA_P521_SHA1_ASN1),
            Sha224 => Some(&signature::ECDSA_P521_SHA224_ASN1),
            Sha256 => Some(&signature::ECDSA_P521_SHA256_ASN1),
            Sha384 => Some(&signature::ECDSA_P521_SHA384_ASN1),
            Sha512 => Some(&signature::ECDSA_P521_SHA512_ASN1),
            _ => None,
        },
        (SignatureAlgorithm::RsaPkcs1(hash), KeyAlgorithm::Rsa(bits)) => match hash {
            Sha1 if bits >= 1024 => Some(&signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY),
            Sha256 if bits >= 2048 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
            Sha384 if bits >= 2048 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
            Sha512 if bits >= 2048 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
            _ => None,
        },
        (SignatureAlgorithm::RsaPss(hash, salt), KeyAlgorithm::Rsa(2048..)) if salt == hash.output_octets() => {
            match hash {
                Sha256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
                Sha384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
                Sha512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
                _ => None,
            }
        }
        (SignatureAlgorithm::Ed25519, _) => Some(&signature::ED25519),
        (SignatureAlgorithm::MlDsa44, _) => Some(&signature::ML_DSA_44),
        (SignatureAlgorithm::MlDsa65, _) => Some(&signature::ML_DSA_65),
        (SignatureAlgorithm::MlDsa87, _) => Some(&signature::ML_DSA_87),
        _ => None,
    }
}

/// What aws-lc does not offer: short keys, SHA-224, and salts of another length than the hash, such as the longest
/// possible one that OpenSSL makes unless told otherwise.
fn unusual_rsa(
    algorithm: SignatureAlgorithm,
    key: &PublicKey,
    message: &[u8],
    signature: &[u8],
) -> Result<bool, SignatureError> {
    let unsupported = || SignatureError::UnsupportedPair { signature: algorithm, key: key.algorithm() };
    let numbers = key.rsa_numbers().ok_or_else(unsupported)?;
    let with = numbers.to_key().map_err(|_| SignatureError::BadKey)?;
    let hash = algorithm.hash().ok_or_else(unsupported)?;
    let hashed = digest::by(hash, message).ok_or_else(unsupported)?;
    let hashed = hashed.as_ref();
    let outcome = match algorithm {
        SignatureAlgorithm::RsaPkcs1(_) => with.verify(pkcs1_padding(hash), hashed, signature),
        SignatureAlgorithm::RsaPss(hash, salt) => match hash {
            HashAlgorithm::Sha224 => with.verify(Pss::<Sha224>::new_with_salt(salt.into()), hashed, signature),
            HashAlgorithm::Sha256 => with.verify(Pss::<Sha256>::new_with_salt(salt.into()), hashed, signature),
            HashAlgorithm::Sha384 => with.verify(Pss::<Sha384>::new_with_salt(salt.into()), hashed, signature),
            HashAlgorithm::Sha512 => with.verify(Pss::<Sha512>::new_with_salt(salt.into()), hashed, signature),
            HashAlgorithm::Md5 | HashAlgorithm::Sha1 => return Err(unsupported()),
        },
        _ => return Err(unsupported()),
    };
    Ok(outcome.is_ok())
}

/// EMSA-PKCS1-v1_5 (RFC 8017 §9.2): the DigestInfo that precedes the digest, with NULL parameters.
fn pkcs1_padding(hash: HashAlgorithm) -> Pkcs1v15Sign {
    let length = usize::from(hash.output_octets());
    let identifier = der::sequence(&[&der::tlv(tag::OID, hash.oid()), &der::null()]);
    let mut prefix = der::sequence(&[&identifier, &der::octet_string(&vec![0; length])]);
    prefix.truncate(prefix.len().saturating_sub(length));
    Pkcs1v15Sign { hash_len: Some(length), prefix: prefix.into() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::super::PrivateKey;
    use super::super::fixtures::{self, ALL};
    use super::*;

    const RSA_SHA256: SignatureAlgorithm = SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Sha256);

    #[test]
    fn a_changed_signature_does_not_match_and_never_panics() {
        for algorithm in ALL {
            let key = PrivateKey::generate(algorithm).unwrap();
            let with = key.signature_algorithm();
            let good = key.sign(with, b"hello").unwrap();
            for index in (0..good.len()).step_by(1 + good.len() / 40) {
                let mut bad = good.clone();
                bad[index] ^= 0x40;
                assert_eq!(with.verify(key.public_key(), b"hello", &bad), Err(SignatureError::Mismatch));
                assert_eq!(with.verify(key.public_key(), b"hello", &good[..index]), Err(SignatureError::Mismatch));
            }
            with.verify(key.public_key(), b"hello", &good).unwrap();
        }
    }

    #[test]
    fn broken_hashes_are_refused_by_name_and_computed_only_when_asked() {
        let rsa = fixtures::plain(fixtures::RSA_2048_PKCS8);
        let sha1 = SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Sha1);
        let signature = fixtures::RSA_2048_SHA1;
        assert_eq!(sha1.verify(rsa.public_key(), b"hello", signature), Err(SignatureError::Weak(HashAlgorithm::Sha1)));
        assert_eq!(sha1.verify_weak(rsa.public_key(), b"hello", signature), Ok(()));
        assert_eq!(sha1.verify_weak(rsa.public_key(), b"hallo", signature), Err(SignatureError::Mismatch));
        let md5 = SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Md5);
        assert_eq!(md5.verify(rsa.public_key(), b"hello", signature), Err(SignatureError::Weak(HashAlgorithm::Md5)));
        assert!(matches!(
            md5.verify_weak(rsa.public_key(), b"hello", signature),
            Err(SignatureError::UnsupportedPair { .. })
        ));
    }

    #[test]
    fn the_signature_of_old_tls_is_checked_under_its_own_name() {
        let rsa = fixtures::plain(fixtures::RSA_2048_PKCS8);
        let signature = fixtures::RSA_2048_MD5_SHA1;
        assert_eq!(rsa.public_key().verify_tls10_rsa(b"hello", signature), Ok(()));
        assert_eq!(rsa.public_key().verify_tls10_rsa(b"hallo", signature), Err(SignatureError::Mismatch));
        assert_eq!(rsa.public_key().verify_tls10_rsa(b"hello", &signature[1..]), Err(SignatureError::Mismatch));
        let p256 = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        assert!(matches!(
            p256.public_key().verify_tls10_rsa(b"hello", signature),
            Err(SignatureError::KeyMismatch { .. })
        ));
    }

    #[test]
    fn short_rsa_keys_are_refused_and_used_only_when_asked() {
        let rsa = fixtures::plain(fixtures::RSA_1024_PKCS8);
        let signature = fixtures::RSA_1024_SHA256;
        assert_eq!(
            RSA_SHA256.verify(rsa.public_key(), b"hello", signature),
            Err(SignatureError::KeyTooSmall { bits: 1024, minimum: 2048 })
        );
        assert_eq!(RSA_SHA256.verify_weak(rsa.public_key(), b"hello", signature), Ok(()));
        assert_eq!(RSA_SHA256.verify_weak(rsa.public_key(), b"hallo", signature), Err(SignatureError::Mismatch));
        assert!(rsa.sign(RSA_SHA256, b"hello").is_err());
    }

    #[test]
    fn pss_verifies_with_the_salt_length_it_names_and_no_other() {
        let rsa = fixtures::plain(fixtures::RSA_2048_PKCS8);
        let signature = fixtures::RSA_2048_PSS_SHA256_LONGEST_SALT;
        let outcome = |salt| {
            SignatureAlgorithm::RsaPss(HashAlgorithm::Sha256, salt).verify(rsa.public_key(), b"hello", signature)
        };
        assert_eq!(outcome(222), Ok(()));
        for salt in [0, 1, 32, 221, 223, 256, u16::MAX] {
            assert_eq!(outcome(salt), Err(SignatureError::Mismatch), "{salt}");
        }
        let with = SignatureAlgorithm::rsa_pss(HashAlgorithm::Sha256);
        let own = rsa.sign(with, b"hello").unwrap();
        assert_eq!(with.verify(rsa.public_key(), b"hello", &own), Ok(()));
    }

    #[test]
    fn a_key_of_another_kind_is_a_mismatch_of_kinds() {
        let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        for signature in [RSA_SHA256, SignatureAlgorithm::Ed25519, SignatureAlgorithm::MlDsa44] {
            assert_eq!(
                signature.verify(key.public_key(), b"", b""),
                Err(SignatureError::KeyMismatch { signature, key: KeyAlgorithm::P256 })
            );
        }
    }

    #[test]
    fn a_point_off_its_curve_is_a_bad_key() {
        let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        let with = key.signature_algorithm();
        let signature = key.sign(with, b"hello").unwrap();
        let mut spki = key.public_key().spki_der().to_vec();
        *spki.last_mut().unwrap() ^= 1;
        let bad = PublicKey::from_spki_der(&spki).unwrap();
        assert_eq!(with.verify(&bad, b"hello", &signature), Err(SignatureError::BadKey));
    }

    #[test]
    fn rsa_keys_of_any_readable_size_are_answered() {
        let sizes = [64, 65, 127, 128, 255, 256, 257, 1024, 1025, 2047];
        for (octets, first) in sizes.into_iter().flat_map(|octets| [(octets, 0x81), (octets + 1, 0x01)]) {
            let mut modulus = vec![0xff; octets];
            modulus[0] = first;
            let numbers = super::super::rsa::PublicNumbers { modulus: &modulus, exponent: &[1, 0, 1] };
            let key = PublicKey::from_pkcs1_der(&numbers.to_der()).unwrap();
            for hash in [HashAlgorithm::Sha224, HashAlgorithm::Sha256, HashAlgorithm::Sha512] {
                for with in [
                    SignatureAlgorithm::RsaPkcs1(hash),
                    SignatureAlgorithm::RsaPss(hash, 0),
                    SignatureAlgorithm::RsaPss(hash, 20),
                    SignatureAlgorithm::RsaPss(hash, 500),
                ] {
                    for signature in [vec![], vec![1; octets], vec![0xff; octets]] {
                        assert!(with.verify(&key, b"", &signature).is_err());
                        assert!(with.verify_weak(&key, b"", &signature).is_err());
                    }
                }
            }
        }
    }
}
