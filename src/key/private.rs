//! Private keys: made, held and used. Their files are in `import.rs` and `export.rs`.

use super::algorithm::KeyAlgorithm;
use super::digest;
use super::ec;
use super::ec::Curve;
use super::error::KeyError;
use super::ml_dsa;
use super::ml_dsa::MlDsaSecret;
use super::public::PublicKey;
use super::rsa;
use super::sign::Signer;
use super::signature::HashAlgorithm;
use super::signature::SignatureAlgorithm;
use aws_lc_rs::signature::Ed25519KeyPair;
use aws_lc_rs::signature::KeyPair;
use std::fmt;
use std::sync::OnceLock;
use zeroize::Zeroizing;

/// A private key with its public key. It is validated, cannot be printed, and is erased when dropped.
pub struct PrivateKey {
    pub(super) secret: Secret,
    public: PublicKey,
    /// Built by the first signature.
    signer: OnceLock<Signer>,
}

/// What has to stay secret, in the form from which everything else is derived.
#[derive(Clone)]
pub(super) enum Secret {
    /// The scalar in the width of its curve.
    Ec(Curve, Zeroizing<Vec<u8>>),
    /// RSAPrivateKey (RFC 8017 appendix A.1.2).
    Rsa(Zeroizing<Vec<u8>>),
    /// The 32 octets of RFC 8032 §5.1.5.
    Ed25519(Zeroizing<Vec<u8>>),
    /// Seed or expanded key.
    MlDsa(MlDsaSecret),
}

impl PrivateKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// [`KeyError::RsaSize`] for RSA sizes that are not made.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, KeyError> {
        algorithm.check_generation()?;
        match algorithm {
            KeyAlgorithm::P256 => Self::generate_ec(Curve::P256),
            KeyAlgorithm::P384 => Self::generate_ec(Curve::P384),
            KeyAlgorithm::P521 => Self::generate_ec(Curve::P521),
            KeyAlgorithm::Rsa(bits) => {
                let encoding = rsa::generate(bits)?;
                let public = rsa::PrivateNumbers::parse(&encoding)
                    .map_err(KeyError::encoding("generated RSA key"))
                    .and_then(|numbers| PublicKey::from_rsa_numbers(numbers.public))?;
                Ok(Self::new(Secret::Rsa(encoding), public))
            }
            KeyAlgorithm::Ed25519 => Self::from_ed25519_seed(&*seed()?),
            KeyAlgorithm::MlDsa44 | KeyAlgorithm::MlDsa65 | KeyAlgorithm::MlDsa87 => {
                Self::from_ml_dsa(MlDsaSecret::from_seed(algorithm, &*seed()?)?)
            }
        }
    }

    /// What kind of key this is.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.public.algorithm()
    }

    /// The public key that belongs to it.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The signature this key makes unless another is asked for: with ECDSA the hash of the curve's strength
    /// (RFC 5480 §4), with RSA PKCS#1 v1.5 and SHA-256, which everything verifies.
    pub fn signature_algorithm(&self) -> SignatureAlgorithm {
        match self.algorithm() {
            KeyAlgorithm::P256 => SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha256),
            KeyAlgorithm::P384 => SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha384),
            KeyAlgorithm::P521 => SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha512),
            KeyAlgorithm::Rsa(_) => SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Sha256),
            KeyAlgorithm::Ed25519 => SignatureAlgorithm::Ed25519,
            KeyAlgorithm::MlDsa44 => SignatureAlgorithm::MlDsa44,
            KeyAlgorithm::MlDsa65 => SignatureAlgorithm::MlDsa65,
            KeyAlgorithm::MlDsa87 => SignatureAlgorithm::MlDsa87,
        }
    }

    /// Signs `message`. P-256 (RFC 6979), RSA PKCS#1 v1.5 and Ed25519 give the same signature every time; the others
    /// draw random bytes. RSASSA-PSS takes a salt as long as its hash. ECDSA signatures come as DER (RFC 3279 §2.2.3).
    ///
    /// # Errors
    /// [`KeyError::CannotSign`] where key and signature do not go together, the hash is weak, or an RSA key is smaller
    /// than 2048 bits.
    pub fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signer = match self.signer.get() {
            Some(signer) => signer,
            None => {
                let built = Signer::new(self)?;
                self.signer.get_or_init(|| built)
            }
        };
        signer.sign(self, algorithm, message)
    }

    pub(super) fn new(secret: Secret, public: PublicKey) -> Self {
        Self { secret, public, signer: OnceLock::new() }
    }

    fn generate_ec(curve: Curve) -> Result<Self, KeyError> {
        let (scalar, point) = ec::generate(curve)?;
        Ok(Self::new(Secret::Ec(curve, scalar), PublicKey::from_point(curve, &point)))
    }

    /// The key of a scalar, which is checked. `stored` is the public key that came with it, if any.
    pub(super) fn from_ec_scalar(curve: Curve, scalar: &[u8], stored: Option<&[u8]>) -> Result<Self, KeyError> {
        let (scalar, point) = ec::import(curve, scalar)?;
        if stored.is_some_and(|stored| !ec::same_point(&point, stored)) {
            return Err(KeyError::PublicPartDiffers);
        }
        Ok(Self::new(Secret::Ec(curve, scalar), PublicKey::from_point(curve, &point)))
    }

    /// The key of an RSAPrivateKey (RFC 8017 appendix A.1.2), which is checked in full.
    pub(super) fn from_rsa_der(encoding: &[u8]) -> Result<Self, KeyError> {
        let public = PublicKey::from_rsa_numbers(rsa::check_private(encoding)?)?;
        Ok(Self::new(Secret::Rsa(Zeroizing::new(encoding.to_vec())), public))
    }

    pub(super) fn from_ed25519_seed(seed: &[u8]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| {
            KeyError::invalid("Ed25519 private key", format!("{} octets are not 32 (RFC 8410 §7)", seed.len()))
        })?;
        let public = PublicKey::from_raw(KeyAlgorithm::Ed25519, pair.public_key().as_ref());
        Ok(Self::new(Secret::Ed25519(Zeroizing::new(seed.to_vec())), public))
    }

    pub(super) fn from_ml_dsa(secret: MlDsaSecret) -> Result<Self, KeyError> {
        let pair = ml_dsa::key_pair(&secret)?;
        let public = PublicKey::from_raw(secret.algorithm, pair.public_key().as_ref());
        Ok(Self::new(Secret::MlDsa(secret), public))
    }
}

impl Clone for PrivateKey {
    fn clone(&self) -> Self {
        Self::new(self.secret.clone(), self.public.clone())
    }
}

impl fmt::Debug for PrivateKey {
    /// Shows the public key only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { secret: _, public, signer: _ } = self;
        f.debug_struct("PrivateKey").field("public", public).finish_non_exhaustive()
    }
}

/// 32 random octets, from which Ed25519 (RFC 8032 §5.1.5) and ML-DSA (FIPS 204 §5.1) keys grow.
fn seed() -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let mut seed = Zeroizing::new([0; 32]);
    digest::random(&mut *seed)?;
    Ok(seed)
}
