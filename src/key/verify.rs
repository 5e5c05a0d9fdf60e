//! Checking signatures.

use super::algorithm::KeyAlgorithm;
use super::digest;
use super::public::PublicKey;
use super::signature::HashAlgorithm;
use super::signature::SignatureAlgorithm;
use super::signature::SignatureError;
use crate::encoding::der;
use crate::encoding::der::tag;
use aws_lc_rs::signature;
use aws_lc_rs::signature::UnparsedPublicKey;
use aws_lc_rs::signature::VerificationAlgorithm;
use rsa::Pkcs1v15Sign;
use rsa::Pss;
use rsa::sha2::Sha224;
use rsa::sha2::Sha256;
use rsa::sha2::Sha384;
use rsa::sha2::Sha512;

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
        Some(with) => UnparsedPublicKey::new(with, key.subject_public_key()).verify(message, signature).is_ok(),
        None if key.algorithm().is_rsa() => unusual_rsa(algorithm, key, message, signature)?,
        None => return Err(SignatureError::UnsupportedPair { signature: algorithm, key: key.algorithm() }),
    };
    match outcome {
        true => Ok(()),
        // The library does not say whether the key or the signature is at fault.
        false => Err(key.validate().map_or(SignatureError::BadKey, |()| SignatureError::Mismatch)),
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
