//! The kinds of key pair.

use super::error::KeyError;
use super::signature::{HashAlgorithm, SignatureAlgorithm};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A kind of key pair, with its size where the kind leaves it open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum KeyAlgorithm {
    /// ECDSA on P-256, alias secp256r1 and prime256v1 (RFC 5480 §2.1.1.1).
    P256,
    /// ECDSA on P-384, alias secp384r1.
    P384,
    /// ECDSA on P-521, alias secp521r1.
    P521,
    /// RSA (RFC 8017) with a modulus of this many bits.
    Rsa(u16),
    /// Ed25519 (RFC 8032, RFC 8410).
    Ed25519,
    /// ML-DSA-44 (FIPS 204, RFC 9881).
    MlDsa44,
    /// ML-DSA-65 (FIPS 204, RFC 9881).
    MlDsa65,
    /// ML-DSA-87 (FIPS 204, RFC 9881).
    MlDsa87,
}

impl KeyAlgorithm {
    /// The RSA key that a bare `rsa` means, in bits: about 128 bits of strength (NIST SP 800-57 part 1, table 2).
    pub const DEFAULT_RSA_BITS: u16 = 3072;

    /// Whether certkit makes such keys. It makes RSA keys of 2048 to 8192 bits in steps of 8: fewer is not safe
    /// (NIST SP 800-131A), and aws-lc signs with no more.
    ///
    /// # Errors
    /// [`KeyError::RsaSize`] for other sizes.
    pub fn check_generation(self) -> Result<(), KeyError> {
        match self {
            Self::Rsa(bits) if !(2048..=8192).contains(&bits) || bits % 8 != 0 => {
                Err(KeyError::RsaSize { bits: bits.into() })
            }
            _ => Ok(()),
        }
    }

    /// The signature such a key makes unless another is asked for: with ECDSA the hash of the curve's strength
    /// (RFC 5480 §4), with RSA PKCS#1 v1.5 and SHA-256, which everything verifies.
    pub fn signature_algorithm(self) -> SignatureAlgorithm {
        match self {
            Self::P256 => SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha256),
            Self::P384 => SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha384),
            Self::P521 => SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha512),
            Self::Rsa(_) => SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Sha256),
            Self::Ed25519 => SignatureAlgorithm::Ed25519,
            Self::MlDsa44 => SignatureAlgorithm::MlDsa44,
            Self::MlDsa65 => SignatureAlgorithm::MlDsa65,
            Self::MlDsa87 => SignatureAlgorithm::MlDsa87,
        }
    }

    /// Whether this is RSA of any size.
    pub fn is_rsa(self) -> bool {
        matches!(self, Self::Rsa(_))
    }

    /// Whether this is one of the elliptic curves of ECDSA.
    pub fn is_ecdsa(self) -> bool {
        matches!(self, Self::P256 | Self::P384 | Self::P521)
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::P256 => f.pad("P-256"),
            Self::P384 => f.pad("P-384"),
            Self::P521 => f.pad("P-521"),
            Self::Rsa(bits) => f.pad(&format!("RSA-{bits}")),
            Self::Ed25519 => f.pad("Ed25519"),
            Self::MlDsa44 => f.pad("ML-DSA-44"),
            Self::MlDsa65 => f.pad("ML-DSA-65"),
            Self::MlDsa87 => f.pad("ML-DSA-87"),
        }
    }
}

impl FromStr for KeyAlgorithm {
    type Err = KeyError;

    /// Reads the spellings in use: `p256`, `P-256`, `prime256v1`, `secp256r1`, `ec`, `rsa`, `rsa:4096`, `RSA-4096`,
    /// `ed25519`, `ml-dsa-65`, `mldsa65`... Only sizes that can be generated are taken for RSA.
    ///
    /// # Errors
    /// [`KeyError::UnknownAlgorithm`] and [`KeyError::RsaSize`].
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let plain: String = text
            .trim()
            .chars()
            .filter(|c| !matches!(c, '-' | '_' | ':' | ' '))
            .collect::<String>()
            .to_ascii_lowercase();
        match plain.as_str() {
            "p256" | "nistp256" | "prime256v1" | "secp256r1" | "ecp256" | "ecdsap256" | "ec" | "ecdsa" => {
                Ok(Self::P256)
            }
            "p384" | "nistp384" | "secp384r1" | "ecp384" | "ecdsap384" => Ok(Self::P384),
            "p521" | "nistp521" | "secp521r1" | "ecp521" | "ecdsap521" => Ok(Self::P521),
            "ed25519" | "eddsa" => Ok(Self::Ed25519),
            "mldsa44" => Ok(Self::MlDsa44),
            "mldsa65" | "mldsa" => Ok(Self::MlDsa65),
            "mldsa87" => Ok(Self::MlDsa87),
            "rsa" => Ok(Self::Rsa(Self::DEFAULT_RSA_BITS)),
            _ => rsa_of(&plain).unwrap_or_else(|| Err(KeyError::UnknownAlgorithm(text.to_owned()))),
        }
    }
}

impl TryFrom<String> for KeyAlgorithm {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        text.parse()
    }
}

impl From<KeyAlgorithm> for String {
    fn from(algorithm: KeyAlgorithm) -> Self {
        algorithm.to_string()
    }
}

/// `rsa` with a number after it; `None` for anything else.
fn rsa_of(plain: &str) -> Option<Result<KeyAlgorithm, KeyError>> {
    let digits = plain.strip_prefix("rsa")?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let bits: u32 = digits.parse().unwrap_or(u32::MAX);
    let algorithm = u16::try_from(bits).map_err(|_| KeyError::RsaSize { bits }).map(KeyAlgorithm::Rsa);
    Some(algorithm.and_then(|algorithm| algorithm.check_generation().map(|()| algorithm)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn usual_spellings_are_understood() {
        for (algorithm, spellings) in [
            (KeyAlgorithm::P256, &["p256", "P-256", "prime256v1", "secp256r1", "ec", "ECDSA", "EC:P-256"][..]),
            (KeyAlgorithm::P384, &["p384", "secp384r1"]),
            (KeyAlgorithm::P521, &["P-521", "secp521r1"]),
            (KeyAlgorithm::Rsa(3072), &["rsa", "RSA:3072", "rsa-3072", "rsa3072", "RSA-3072"]),
            (KeyAlgorithm::Ed25519, &["ed25519", "Ed25519"]),
            (KeyAlgorithm::MlDsa65, &["ml-dsa-65", "mldsa65", "ML-DSA-65"]),
        ] {
            for spelling in spellings {
                assert_eq!(spelling.parse(), Ok(algorithm), "{spelling}");
            }
        }
    }

    #[test]
    fn what_is_displayed_is_understood() {
        for name in ["P-256", "P-384", "P-521", "RSA-2048", "RSA-8192", "Ed25519", "ML-DSA-44", "ML-DSA-87"] {
            assert_eq!(name.parse::<KeyAlgorithm>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn a_refused_name_lists_the_choices() {
        let error = "p-255".parse::<KeyAlgorithm>().unwrap_err();
        assert!(error.to_string().contains("choose p256"), "{error}");
        for (size, bits) in [("rsa:1024", 1024), ("rsa:2049", 2049), ("rsa:16384", 16384), ("rsa99999999999", u32::MAX)]
        {
            assert_eq!(size.parse::<KeyAlgorithm>(), Err(KeyError::RsaSize { bits }), "{size}");
        }
    }
}
