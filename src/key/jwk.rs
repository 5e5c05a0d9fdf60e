//! JSON Web Keys (RFC 7517): RSA and EC (RFC 7518 §6), Ed25519 (RFC 8037 §2), ML-DSA (draft-ietf-cose-dilithium, `AKP`).

use super::algorithm::KeyAlgorithm;
use super::ec::{self, Curve};
use super::error::KeyError;
use super::ml_dsa::MlDsaSecret;
use super::private::{PrivateKey, Secret};
use super::public::{self, PublicKey};
use super::rsa::{self, PrivateNumbers, PublicNumbers};
use crate::encoding::base64::{url_decode, url_encode};
use serde::Deserialize;
use zeroize::{Zeroize, Zeroizing};

impl PrivateKey {
    /// Reads a private JWK. The public part must belong to it. Members that certkit has no use for (`kid`, `use`,
    /// `key_ops`...) are passed over.
    ///
    /// # Errors
    /// [`KeyError::Jwk`] for other kinds and public keys, [`KeyError::PublicPartDiffers`], [`KeyError::Invalid`].
    pub fn from_jwk(text: &str) -> Result<Self, KeyError> {
        let jwk = Jwk::parse(text)?;
        let key = match jwk.kind()? {
            Kind::Ec(curve) => {
                let point = jwk.point(curve)?;
                Self::from_ec_scalar(curve, &Jwk::secret(&jwk.d, "d")?, Some(&point))?
            }
            Kind::Rsa => jwk.rsa_private()?,
            Kind::Ed25519 => Self::from_ed25519_seed(&Jwk::secret(&jwk.d, "d")?)?,
            Kind::MlDsa(algorithm) => {
                Self::from_ml_dsa(MlDsaSecret::from_seed(algorithm, &Jwk::secret(&jwk.private, "priv")?)?)?
            }
        };
        if jwk.public_key()? == *key.public_key() { Ok(key) } else { Err(KeyError::PublicPartDiffers) }
    }

    /// The key as a JWK with its private members: for RSA all of RFC 7518 §6.3.2, for ML-DSA the seed.
    ///
    /// # Errors
    /// [`KeyError::NoSeed`] for an ML-DSA key that was stored without its seed.
    pub fn to_jwk(&self) -> Result<Zeroizing<String>, KeyError> {
        let mut members = self.public_key().jwk_members()?;
        let mut secret = |name: &str, bytes: &[u8]| {
            let value = Zeroizing::new(url_encode(bytes));
            members.push(Zeroizing::new(format!("\"{name}\":\"{}\"", value.as_str())));
        };
        match &self.secret {
            Secret::Ec(_, scalar) => secret("d", scalar),
            Secret::Ed25519(seed) => secret("d", seed),
            Secret::MlDsa(key) => secret("priv", key.seed()?),
            Secret::Rsa(encoding) => {
                let numbers = PrivateNumbers::parse(encoding).map_err(KeyError::encoding("RSA private key"))?;
                secret("d", numbers.exponent);
                secret("p", numbers.prime1);
                secret("q", numbers.prime2);
                secret("dp", numbers.exponent1);
                secret("dq", numbers.exponent2);
                secret("qi", numbers.coefficient);
            }
        }
        Ok(object(&members))
    }
}

impl PublicKey {
    /// Reads a public JWK, or the public part of a private one.
    ///
    /// # Errors
    /// [`KeyError::Jwk`] for other kinds, [`KeyError::Invalid`] for impossible numbers.
    pub fn from_jwk(text: &str) -> Result<Self, KeyError> {
        let key = Jwk::parse(text)?.public_key()?;
        key.validate()?;
        Ok(key)
    }

    /// The key as a JWK with the members that RFC 7638 §3.2 hashes, in its order, so that the SHA-256 digest of the text
    /// is the key's thumbprint (for ML-DSA: `alg`, `kty`, `pub`).
    ///
    /// # Errors
    /// [`KeyError::Invalid`] for a compressed point that is none.
    pub fn to_jwk(&self) -> Result<String, KeyError> {
        Ok(object(&self.jwk_members()?).to_string())
    }

    fn jwk_members(&self) -> Result<Vec<Zeroizing<String>>, KeyError> {
        let key = self.subject_public_key();
        let encoded = url_encode;
        let members = match (Curve::from_algorithm(self.algorithm()), self.rsa_numbers()) {
            (Some(curve), _) => {
                let (x, y) = ec::coordinates(curve, key)?;
                vec![
                    ("crv", self.algorithm().to_string()),
                    ("kty", "EC".to_owned()),
                    ("x", encoded(&x)),
                    ("y", encoded(&y)),
                ]
            }
            (None, Some(numbers)) => {
                vec![("e", encoded(numbers.exponent)), ("kty", "RSA".to_owned()), ("n", encoded(numbers.modulus))]
            }
            (None, None) if self.algorithm() == KeyAlgorithm::Ed25519 => {
                vec![("crv", "Ed25519".to_owned()), ("kty", "OKP".to_owned()), ("x", encoded(key))]
            }
            (None, None) => {
                vec![("alg", self.algorithm().to_string()), ("kty", "AKP".to_owned()), ("pub", encoded(key))]
            }
        };
        Ok(members.iter().map(|(name, value)| Zeroizing::new(format!("\"{name}\":\"{value}\""))).collect())
    }
}

/// The members of RFC 7517 §4, RFC 7518 §6 and RFC 8037 §2 that make a key; erased when dropped.
#[derive(Deserialize)]
struct Jwk {
    #[serde(default)]
    kty: String,
    crv: Option<String>,
    alg: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    #[serde(rename = "pub")]
    public: Option<String>,
    d: Option<String>,
    p: Option<String>,
    q: Option<String>,
    oth: Option<serde::de::IgnoredAny>,
    #[serde(rename = "priv")]
    private: Option<String>,
}

enum Kind {
    Ec(Curve),
    Rsa,
    Ed25519,
    MlDsa(KeyAlgorithm),
}

/// Whether a text is JSON as a whole: TOML and others begin with the same brackets.
pub(crate) fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
}

impl Jwk {
    fn parse(text: &str) -> Result<Self, KeyError> {
        serde_json::from_str(text).map_err(|error| {
            KeyError::Jwk(format!(
                "at line {}, column {}, {}",
                error.line(),
                error.column(),
                if error.is_data() {
                    "a member is missing, doubled or of the wrong type"
                } else {
                    "the text is not JSON"
                }
            ))
        })
    }

    fn kind(&self) -> Result<Kind, KeyError> {
        let unknown = |what: &str, name: &str| Err(KeyError::Jwk(format!("its {what} `{name}` is not supported")));
        let (crv, alg) = (self.crv.as_deref().unwrap_or_default(), self.alg.as_deref().unwrap_or_default());
        match (self.kty.as_str(), crv, alg) {
            ("EC", "P-256", _) => Ok(Kind::Ec(Curve::P256)),
            ("EC", "P-384", _) => Ok(Kind::Ec(Curve::P384)),
            ("EC", "P-521", _) => Ok(Kind::Ec(Curve::P521)),
            ("OKP", "Ed25519", _) => Ok(Kind::Ed25519),
            ("EC" | "OKP", other, _) => unknown("curve", other),
            ("RSA", ..) => Ok(Kind::Rsa),
            ("AKP", _, "ML-DSA-44") => Ok(Kind::MlDsa(KeyAlgorithm::MlDsa44)),
            ("AKP", _, "ML-DSA-65") => Ok(Kind::MlDsa(KeyAlgorithm::MlDsa65)),
            ("AKP", _, "ML-DSA-87") => Ok(Kind::MlDsa(KeyAlgorithm::MlDsa87)),
            ("AKP", _, other) => unknown("algorithm", other),
            ("", ..) => Err(KeyError::Jwk("it has no key type `kty` (RFC 7517 §4.1)".to_owned())),
            (other, ..) => unknown("key type", other),
        }
    }

    fn public_key(&self) -> Result<PublicKey, KeyError> {
        match self.kind()? {
            Kind::Ec(curve) => {
                let point = self.point(curve)?;
                ec::check_point_form(curve, &point)?;
                Ok(PublicKey::from_point(curve, &point))
            }
            Kind::Rsa => {
                let (n, e) = (member(&self.n, "n")?, member(&self.e, "e")?);
                PublicKey::from_rsa_numbers(PublicNumbers { modulus: &n, exponent: &e }.trimmed())
            }
            Kind::Ed25519 => raw(KeyAlgorithm::Ed25519, &member(&self.x, "x")?),
            Kind::MlDsa(algorithm) => raw(algorithm, &member(&self.public, "pub")?),
        }
    }

    /// The uncompressed point. RFC 7518 §6.2.1.2: coordinates have the full width of the field.
    fn point(&self, curve: Curve) -> Result<Vec<u8>, KeyError> {
        let (x, y) = (member(&self.x, "x")?, member(&self.y, "y")?);
        if x.len() != curve.field_octets() || y.len() != curve.field_octets() {
            return Err(KeyError::Jwk("its coordinates are not of the curve's width (RFC 7518 §6.2.1.2)".to_owned()));
        }
        Ok([&[4][..], &x, &y].concat())
    }

    /// RFC 7518 §6.3.2: the primes may be left out, all together; `dp`, `dq` and `qi` follow from them.
    fn rsa_private(&self) -> Result<PrivateKey, KeyError> {
        if self.oth.is_some() {
            return Err(rsa::multi_prime());
        }
        let (n, e) = (member(&self.n, "n")?, member(&self.e, "e")?);
        let d = Self::secret(&self.d, "d")?;
        let public = PublicNumbers { modulus: &n, exponent: &e }.trimmed();
        let encoding = if self.p.is_none() && self.q.is_none() {
            rsa::from_numbers(public, &d, &[])?
        } else {
            let (p, q) = (Self::secret(&self.p, "p")?, Self::secret(&self.q, "q")?);
            rsa::from_numbers(public, &d, &[&p, &q])?
        };
        PrivateKey::from_rsa_der(&encoding)
    }

    fn secret(value: &Option<String>, name: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match value {
            None if matches!(name, "d" | "priv") => {
                Err(KeyError::Jwk(format!("it is a public key: its private member `{name}` is missing")))
            }
            _ => member(value, name).map(Zeroizing::new),
        }
    }
}

impl Drop for Jwk {
    fn drop(&mut self) {
        for secret in [&mut self.d, &mut self.p, &mut self.q, &mut self.private] {
            secret.zeroize();
        }
    }
}

fn member(value: &Option<String>, name: &str) -> Result<Vec<u8>, KeyError> {
    let text = value.as_deref().ok_or_else(|| KeyError::Jwk(format!("its member `{name}` is missing")))?;
    url_decode(text)
        .ok_or_else(|| KeyError::Jwk(format!("its member `{name}` is not base64url without padding (RFC 7515 §2)")))
}

fn raw(algorithm: KeyAlgorithm, key: &[u8]) -> Result<PublicKey, KeyError> {
    public::check_raw(algorithm, key)?;
    Ok(PublicKey::from_raw(algorithm, key))
}

/// A JSON object of members that need no escaping.
fn object(members: &[Zeroizing<String>]) -> Zeroizing<String> {
    let length: usize = members.iter().map(|member| member.len() + 1).sum();
    let mut text = Zeroizing::new(String::with_capacity(length + 2));
    text.push('{');
    for (index, member) in members.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(member);
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::digest;
    use super::super::fixtures::{self, ALL};
    use super::*;

    #[test]
    fn every_key_reads_as_it_was_written() {
        for algorithm in ALL {
            let key = PrivateKey::generate(algorithm).unwrap();
            let text = key.to_jwk().unwrap();
            assert_eq!(PrivateKey::from_jwk(&text).unwrap().to_pkcs8_der(), key.to_pkcs8_der());
            assert_eq!(PublicKey::from_jwk(&text).unwrap(), *key.public_key());
            let public = key.public_key().to_jwk().unwrap();
            assert_eq!(PublicKey::from_jwk(&public).unwrap(), *key.public_key());
            let error = PrivateKey::from_jwk(&public).unwrap_err().to_string();
            assert!(error.contains("it is a public key"), "{error}");
        }
    }

    #[test]
    fn the_ed25519_key_of_rfc_8037_appendix_a_is_read_and_has_its_thumbprint() {
        let text = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
            "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let key = PrivateKey::from_jwk(text).unwrap();
        let public = key.public_key().to_jwk().unwrap();
        assert_eq!(url_encode(&digest::sha256(public.as_bytes())), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn the_ec_key_of_rfc_7517_appendix_a_2_is_read() {
        let text = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
            "d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE","use":"enc","kid":"1"}"#;
        assert_eq!(PrivateKey::from_jwk(text).unwrap().algorithm(), KeyAlgorithm::P256);
        let forged = text.replace("4Etl", "4Etm");
        assert_eq!(PrivateKey::from_jwk(&forged).unwrap_err(), KeyError::PublicPartDiffers);
        assert!(PublicKey::from_jwk(&forged).is_err());
    }

    #[test]
    fn rsa_primes_may_be_left_out() {
        let key = fixtures::plain(fixtures::RSA_2048_PKCS8);
        let text = key.to_jwk().unwrap();
        let start = text.find(",\"p\":").unwrap();
        let short = format!("{}}}", text.get(..start).unwrap());
        let read = PrivateKey::from_jwk(&short).unwrap();
        assert_eq!(read.public_key(), key.public_key());
    }

    #[test]
    fn what_is_no_usable_jwk_is_refused_with_its_reason() {
        for (text, reason) in [
            ("", "the text is not JSON"),
            ("[]", "a member is missing, doubled or of the wrong type"),
            ("{}", "no key type"),
            (r#"{"kty":"oct","k":"AA"}"#, "key type `oct`"),
            (r#"{"kty":"EC","crv":"secp256k1"}"#, "curve `secp256k1`"),
            (r#"{"kty":"OKP","crv":"X25519","x":"AA"}"#, "curve `X25519`"),
            (r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#, "width"),
            (r#"{"kty":"OKP","crv":"Ed25519","x":"A+A="}"#, "base64url"),
            (r#"{"kty":"OKP","crv":"Ed25519","x":"AA","x":"AA"}"#, "doubled"),
            (r#"{"kty":"RSA","n":"AQAB"}"#, "`e` is missing"),
        ] {
            let error = PublicKey::from_jwk(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
