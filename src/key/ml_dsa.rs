//! ML-DSA private keys (FIPS 204) in the forms of RFC 9881 §6.

use super::algorithm::KeyAlgorithm;
use super::error::KeyError;
use super::secret;
use crate::encoding::der::{self, tag};
use aws_lc_rs::encoding::{AsRawBytes, PqdsaPrivateKeyRaw};
use aws_lc_rs::signature::{self, PqdsaKeyPair, PqdsaSigningAlgorithm};
use zeroize::Zeroizing;

const WHAT: &str = "ML-DSA private key (RFC 9881 §6)";

/// The octets of a seed (FIPS 204 §5.1).
const SEED: usize = 32;

/// The secret of an ML-DSA key.
#[derive(Clone)]
pub(super) struct MlDsaSecret {
    pub(super) algorithm: KeyAlgorithm,
    form: Form,
}

#[derive(Clone)]
enum Form {
    Seed(Zeroizing<Vec<u8>>),
    /// Only the expanded key was stored; the seed cannot be computed from it.
    Expanded(Zeroizing<Vec<u8>>),
}

impl MlDsaSecret {
    /// A key that grows from a seed of 32 octets.
    pub(super) fn from_seed(algorithm: KeyAlgorithm, seed: &[u8]) -> Result<Self, KeyError> {
        if seed.len() != SEED {
            return Err(KeyError::invalid(WHAT, format!("its seed has {} octets, not {SEED}", seed.len())));
        }
        Ok(Self { algorithm, form: Form::Seed(Zeroizing::new(seed.to_vec())) })
    }

    /// Reads ML-DSA-PrivateKey: `seed [0]`, expandedKey, or both (RFC 9881 §6). Where both are present they must agree.
    pub(super) fn from_der(algorithm: KeyAlgorithm, encoding: &[u8]) -> Result<Self, KeyError> {
        let damaged = KeyError::encoding(WHAT);
        let outer = der::only(encoding).map_err(&damaged)?;
        match outer.tag {
            SEED_TAG => Self::from_seed(algorithm, outer.value),
            tag::OCTET_STRING => Ok(Self { algorithm, form: Form::Expanded(Zeroizing::new(outer.value.to_vec())) }),
            tag::SEQUENCE => {
                let mut both = outer.reader();
                let seed = both.octet_string().map_err(&damaged)?;
                let expanded = both.octet_string().map_err(&damaged)?;
                both.finish().map_err(&damaged)?;
                let secret = Self::from_seed(algorithm, seed)?;
                if *expand(&secret)? != *expanded {
                    return Err(KeyError::invalid(
                        WHAT,
                        "its seed does not expand to its expanded key (RFC 9881 §8.2)",
                    ));
                }
                Ok(secret)
            }
            found => Err(damaged(der::DerError::Tag { wanted: SEED_TAG, found })),
        }
    }

    /// ML-DSA-PrivateKey: the seed where it is known, as RFC 9881 §6 recommends, else the expanded key.
    pub(super) fn to_der(&self) -> Zeroizing<Vec<u8>> {
        match &self.form {
            Form::Seed(seed) => secret::tlv(SEED_TAG, &[seed]),
            Form::Expanded(expanded) => secret::tlv(tag::OCTET_STRING, &[expanded]),
        }
    }

    /// The seed, where it is known.
    pub(super) fn seed(&self) -> Result<&[u8], KeyError> {
        match &self.form {
            Form::Seed(seed) => Ok(seed),
            Form::Expanded(_) => Err(KeyError::NoSeed { algorithm: self.algorithm }),
        }
    }
}

/// The aws-lc key pair.
pub(super) fn key_pair(secret: &MlDsaSecret) -> Result<PqdsaKeyPair, KeyError> {
    let signing = signing(secret.algorithm)?;
    match &secret.form {
        Form::Seed(seed) => PqdsaKeyPair::from_seed(signing, seed),
        Form::Expanded(expanded) => PqdsaKeyPair::from_raw_private_key(signing, expanded),
    }
    .map_err(|_| KeyError::invalid(WHAT, "its numbers do not fit together (RFC 9881 §8.2)"))
}

/// `seed [0] OCTET STRING`, implicitly tagged.
const SEED_TAG: u8 = tag::context(0);

fn expand(secret: &MlDsaSecret) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let pair = key_pair(secret)?;
    let raw: PqdsaPrivateKeyRaw<'_> =
        pair.private_key().as_raw_bytes().map_err(|_| KeyError::Backend("expand an ML-DSA key"))?;
    Ok(Zeroizing::new(raw.as_ref().to_vec()))
}

fn signing(algorithm: KeyAlgorithm) -> Result<&'static PqdsaSigningAlgorithm, KeyError> {
    match algorithm {
        KeyAlgorithm::MlDsa44 => Ok(&signature::ML_DSA_44_SIGNING),
        KeyAlgorithm::MlDsa65 => Ok(&signature::ML_DSA_65_SIGNING),
        KeyAlgorithm::MlDsa87 => Ok(&signature::ML_DSA_87_SIGNING),
        _ => Err(KeyError::Backend("use a key of another algorithm as ML-DSA")),
    }
}

/// The expanded key of a seed-form PKCS#8 key.
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
pub(super) fn expanded_for_test(pkcs8: &[u8], algorithm: KeyAlgorithm) -> Vec<u8> {
    let seed = &pkcs8[pkcs8.len() - SEED..];
    expand(&MlDsaSecret::from_seed(algorithm, seed).unwrap()).unwrap().to_vec()
}
