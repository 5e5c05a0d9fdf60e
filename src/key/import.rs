//! Reading private keys: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017) and SEC1 (RFC 5915).

use super::algorithm::KeyAlgorithm;
use super::ec::Curve;
use super::error::KeyError;
use super::ml_dsa::MlDsaSecret;
use super::private::PrivateKey;
use super::{oids, public};
use crate::encoding::Oid;
use crate::encoding::der::{self, Reader, Tlv, tag};

const PKCS8: &str = "PKCS#8 private key (RFC 5958)";
const SEC1: &str = "SEC1 EC private key (RFC 5915)";

impl PrivateKey {
    /// Reads a private key in plain PKCS#8, PKCS#1 or SEC1 form, whichever it is.
    ///
    /// # Errors
    /// [`KeyError::Encrypted`] for an EncryptedPrivateKeyInfo, [`KeyError::NotAPrivateKey`] for what is none of these,
    /// and what the reader of the form says.
    pub fn from_der(encoding: &[u8]) -> Result<Self, KeyError> {
        let not_a_key = |looks_like| Err(KeyError::NotAPrivateKey { looks_like });
        let Ok(mut fields) = der::only_reader(encoding, tag::SEQUENCE) else { return not_a_key("no DER at all") };
        match (fields.any().map(|field| field.tag), fields.any().map(|field| field.tag)) {
            (Ok(tag::INTEGER), Ok(tag::SEQUENCE)) => Self::from_pkcs8_der(encoding),
            (Ok(tag::INTEGER), Ok(tag::OCTET_STRING)) => Self::from_sec1_der(encoding, None),
            (Ok(tag::INTEGER), Ok(tag::INTEGER)) => match integers_left(fields) {
                // RSAPublicKey has two, DSAPrivateKey of OpenSSL six, RSAPrivateKey nine.
                0 => not_a_key("an RSA public key"),
                4 => Err(KeyError::UnsupportedAlgorithm("DSA".to_owned())),
                _ => Self::from_pkcs1_der(encoding),
            },
            (Ok(tag::SEQUENCE), Ok(tag::OCTET_STRING)) => Err(KeyError::Encrypted),
            (Ok(tag::SEQUENCE), Ok(tag::BIT_STRING)) => not_a_key("a public key"),
            (Ok(tag::SEQUENCE), Ok(tag::SEQUENCE)) => not_a_key("a certificate, a request or a revocation list"),
            _ => not_a_key("some other structure"),
        }
    }

    /// Reads a PrivateKeyInfo or OneAsymmetricKey (RFC 5958 §2), version 0 or 1. Attributes are passed over; a public key
    /// must belong to the private key.
    ///
    /// # Errors
    /// [`KeyError::Encoding`], [`KeyError::UnsupportedAlgorithm`], [`KeyError::UnsupportedForm`],
    /// [`KeyError::PublicPartDiffers`], and [`KeyError::Invalid`] for numbers that are none of a key.
    pub fn from_pkcs8_der(encoding: &[u8]) -> Result<Self, KeyError> {
        let info = Pkcs8::parse(encoding)?;
        let key = match info.oid {
            oids::RSA => {
                info.parameters_are_null()?;
                Self::from_rsa_der(info.key)?
            }
            oids::EC => {
                let named = info.parameters.ok_or_else(|| KeyError::invalid(PKCS8, "its curve is not named"))?;
                let curve = Curve::from_parameters(named, PKCS8)?;
                let sec1 = Sec1::parse(info.key)?;
                if let Some(inner) = sec1.parameters
                    && Curve::from_parameters(inner, SEC1)? != curve
                {
                    return Err(KeyError::invalid(PKCS8, "it names two different curves"));
                }
                Self::from_ec_scalar(curve, sec1.scalar, sec1.public)?
            }
            other => {
                let algorithm =
                    public::raw_algorithm(other).ok_or_else(|| KeyError::UnsupportedAlgorithm(oids::name(other)))?;
                // RFC 8410 §3, RFC 9881 §6: parameters absent.
                if info.parameters.is_some() {
                    return Err(KeyError::invalid(PKCS8, format!("{algorithm} has no parameters and these are some")));
                }
                raw(algorithm, info.key)?
            }
        };
        match info.public {
            Some(stored) if !belongs(&key, stored) => Err(KeyError::PublicPartDiffers),
            _ => Ok(key),
        }
    }

    /// Reads an RSAPrivateKey (RFC 8017 appendix A.1.2), the contents of `RSA PRIVATE KEY` in PEM. All its numbers must
    /// belong together; 1024 to 8192 bits are read.
    ///
    /// # Errors
    /// [`KeyError::Encoding`], [`KeyError::Invalid`], and [`KeyError::UnsupportedForm`] for more than two primes.
    pub fn from_pkcs1_der(encoding: &[u8]) -> Result<Self, KeyError> {
        Self::from_rsa_der(encoding)
    }

    /// Reads an ECPrivateKey (RFC 5915 §3), the contents of `EC PRIVATE KEY` in PEM. `curve` is the one named outside,
    /// if any; without it the structure must name its own. The public key may be left out.
    ///
    /// # Errors
    /// [`KeyError::Encoding`], [`KeyError::UnsupportedAlgorithm`] for other curves, [`KeyError::PublicPartDiffers`] and
    /// [`KeyError::Invalid`].
    pub fn from_sec1_der(encoding: &[u8], curve: Option<&Oid>) -> Result<Self, KeyError> {
        let sec1 = Sec1::parse(encoding)?;
        let outer = curve.map(|oid| Curve::from_oid(oid.content())).transpose()?;
        let inner = sec1.parameters.map(|named| Curve::from_parameters(named, SEC1)).transpose()?;
        match (outer, inner) {
            (Some(outer), Some(inner)) if outer != inner => {
                Err(KeyError::invalid(SEC1, "it names another curve than the one given with it"))
            }
            (Some(curve), _) | (None, Some(curve)) => Self::from_ec_scalar(curve, sec1.scalar, sec1.public),
            (None, None) => Err(KeyError::invalid(SEC1, "its curve is not named (RFC 5915 §3)")),
        }
    }
}

/// OneAsymmetricKey (RFC 5958 §2).
struct Pkcs8<'a> {
    oid: &'a [u8],
    parameters: Option<Tlv<'a>>,
    key: &'a [u8],
    public: Option<&'a [u8]>,
}

impl<'a> Pkcs8<'a> {
    fn parse(encoding: &'a [u8]) -> Result<Self, KeyError> {
        let damaged = KeyError::encoding(PKCS8);
        let mut fields = der::only_reader(encoding, tag::SEQUENCE).map_err(&damaged)?;
        let version = fields.small_unsigned().map_err(&damaged)?;
        if version > 1 {
            return Err(KeyError::invalid(PKCS8, format!("its version is {version}, not 0 or 1")));
        }
        let mut identifier = fields.sequence().map_err(&damaged)?;
        let oid = identifier.expect(tag::OID).map_err(&damaged)?;
        let parameters = if identifier.is_empty() { None } else { Some(identifier.any().map_err(&damaged)?) };
        identifier.finish().map_err(&damaged)?;
        let key = fields.octet_string().map_err(&damaged)?;
        fields.optional(tag::context_constructed(0)).map_err(&damaged)?;
        let public = fields.optional(tag::context(1)).map_err(&damaged)?;
        fields.finish().map_err(&damaged)?;
        // RFC 5958 §2: "If publicKey is present, then version is set to v2(1)".
        if public.is_some() && version == 0 {
            return Err(KeyError::invalid(PKCS8, "it is of version 0 and holds a public key (RFC 5958 §2)"));
        }
        Ok(Self { oid, parameters, key, public: public.map(octets_of_bits).transpose()? })
    }

    /// RFC 8017 appendix A.1: NULL; OpenSSL reads keys without it, and so does everybody.
    fn parameters_are_null(&self) -> Result<(), KeyError> {
        match self.parameters {
            None => Ok(()),
            Some(Tlv { tag: tag::NULL, value: [], .. }) => Ok(()),
            Some(_) => Err(KeyError::invalid(PKCS8, "the parameters of rsaEncryption are not NULL")),
        }
    }
}

/// ECPrivateKey (RFC 5915 §3).
struct Sec1<'a> {
    scalar: &'a [u8],
    parameters: Option<Tlv<'a>>,
    public: Option<&'a [u8]>,
}

impl<'a> Sec1<'a> {
    fn parse(encoding: &'a [u8]) -> Result<Self, KeyError> {
        let damaged = KeyError::encoding(SEC1);
        let mut fields = der::only_reader(encoding, tag::SEQUENCE).map_err(&damaged)?;
        let version = fields.small_unsigned().map_err(&damaged)?;
        if version != 1 {
            return Err(KeyError::invalid(SEC1, format!("its version is {version}, not 1")));
        }
        let scalar = fields.octet_string().map_err(&damaged)?;
        let parameters = fields.optional(tag::context_constructed(0)).map_err(&damaged)?;
        let parameters = parameters.map(der::only).transpose().map_err(&damaged)?;
        let public = fields.optional(tag::context_constructed(1)).map_err(&damaged)?;
        fields.finish().map_err(&damaged)?;
        let public = match public {
            Some(content) => {
                let mut inner = Reader::new(content);
                let octets = inner.bit_string().map_err(&damaged)?;
                inner.finish().map_err(&damaged)?;
                Some(octets)
            }
            None => None,
        };
        Ok(Self { scalar, parameters, public })
    }
}

/// Ed25519 (RFC 8410 §7: an OCTET STRING inside the OCTET STRING) or ML-DSA (RFC 9881 §6).
fn raw(algorithm: KeyAlgorithm, key: &[u8]) -> Result<PrivateKey, KeyError> {
    if algorithm == KeyAlgorithm::Ed25519 {
        let seed = der::only(key).map_err(KeyError::encoding("Ed25519 private key (RFC 8410 §7)"))?;
        if seed.tag != tag::OCTET_STRING {
            return Err(KeyError::invalid("Ed25519 private key", "it is not an OCTET STRING (RFC 8410 §7)"));
        }
        return PrivateKey::from_ed25519_seed(seed.value);
    }
    PrivateKey::from_ml_dsa(MlDsaSecret::from_der(algorithm, key)?)
}

/// Whether `stored` is the public key of `key`.
fn belongs(key: &PrivateKey, stored: &[u8]) -> bool {
    let own = key.public_key().subject_public_key();
    own == stored || (key.algorithm().is_ecdsa() && super::ec::same_point(own, stored))
}

/// The octets of an implicitly tagged BIT STRING.
fn octets_of_bits(content: &[u8]) -> Result<&[u8], KeyError> {
    match content {
        [0, octets @ ..] => Ok(octets),
        _ => Err(KeyError::invalid(PKCS8, "its public key is not a whole number of octets")),
    }
}

fn integers_left(mut fields: Reader<'_>) -> usize {
    let mut count = 0;
    while fields.peek() == Some(tag::INTEGER) && fields.any().is_ok() {
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::super::fixtures::ALL;
    use super::*;
    use crate::encoding::hex;

    #[test]
    fn every_form_written_is_read_and_is_the_same_key() {
        for algorithm in ALL {
            let key = PrivateKey::generate(algorithm).unwrap();
            let pkcs8 = key.to_pkcs8_der();
            let mut forms = vec![pkcs8.clone()];
            forms.extend(key.to_pkcs1_der());
            forms.extend(key.to_sec1_der());
            assert_eq!(forms.len(), if algorithm.is_rsa() || algorithm.is_ecdsa() { 2 } else { 1 });
            for form in forms {
                let read = PrivateKey::from_der(&form).unwrap();
                assert_eq!(read.public_key(), key.public_key());
                assert_eq!(read.to_pkcs8_der(), pkcs8);
            }
        }
    }

    #[test]
    fn the_example_keys_of_rfc_8410_are_read() {
        let seed = "0420d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842";
        let public = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";
        let v1 = hex::decode(&format!("302e020100300506032b65700422{seed}")).unwrap();
        let v2 = hex::decode(&format!(
            "3072020101300506032b65700422{seed}a01f301d060a2a864886f70d01090914310f0c0d437572646c652043686169727\
             3812100{public}"
        ))
        .unwrap();
        for encoding in [&v1, &v2] {
            let key = PrivateKey::from_der(encoding).unwrap();
            assert_eq!(hex::encode(key.public_key().subject_public_key()), public);
            assert_eq!(*key.to_pkcs8_der(), v1);
        }
        let mut forged = v2.clone();
        *forged.last_mut().unwrap() ^= 1;
        assert_eq!(PrivateKey::from_der(&forged).unwrap_err(), KeyError::PublicPartDiffers);
    }

    #[test]
    fn an_ec_key_without_its_public_part_is_read() {
        for algorithm in [KeyAlgorithm::P256, KeyAlgorithm::P384, KeyAlgorithm::P521] {
            let key = PrivateKey::generate(algorithm).unwrap();
            let sec1 = key.to_sec1_der().unwrap();
            let full = Sec1::parse(&sec1).unwrap();
            let scalar = der::octet_string(full.scalar);
            let named = der::tlv(tag::context_constructed(0), full.parameters.unwrap().raw);
            let bare = der::sequence(&[&[2, 1, 1], &scalar, &named]);
            assert_eq!(PrivateKey::from_der(&bare).unwrap().public_key(), key.public_key());
            let nameless = der::sequence(&[&[2, 1, 1], &scalar]);
            let curve = Reader::new(full.parameters.unwrap().raw).oid().unwrap();
            assert_eq!(PrivateKey::from_sec1_der(&nameless, Some(&curve)).unwrap().public_key(), key.public_key());
            assert!(PrivateKey::from_der(&nameless).unwrap_err().to_string().contains("curve is not named"));
        }
    }

    #[test]
    fn a_public_part_may_be_compressed_and_must_belong() {
        for algorithm in [KeyAlgorithm::P256, KeyAlgorithm::P384, KeyAlgorithm::P521] {
            let key = PrivateKey::generate(algorithm).unwrap();
            let sec1 = key.to_sec1_der().unwrap();
            let full = Sec1::parse(&sec1).unwrap();
            let point = full.public.unwrap();
            let field = (point.len() - 1) / 2;
            let with_public = |point: &[u8]| {
                let named = der::tlv(tag::context_constructed(0), full.parameters.unwrap().raw);
                let public = der::tlv(tag::context_constructed(1), &der::bit_string(point));
                der::sequence(&[&[2, 1, 1], &der::octet_string(full.scalar), &named, &public])
            };
            let sign = 2 | (point.last().unwrap() & 1);
            let compressed = [&[sign], &point[1..=field]].concat();
            assert!(PrivateKey::from_der(&with_public(&compressed)).is_ok());
            let negated = [&[sign ^ 1], &point[1..=field]].concat();
            let other = PrivateKey::generate(algorithm).unwrap();
            for foreign in [&negated, other.public_key().subject_public_key(), &point[..field], &[]] {
                assert_eq!(PrivateKey::from_der(&with_public(foreign)).unwrap_err(), KeyError::PublicPartDiffers);
            }
        }
    }

    #[test]
    fn scalars_out_of_range_are_refused() {
        let zero = vec![0; 32];
        let order = hex::decode("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551").unwrap();
        let long = vec![1; 33];
        for scalar in [&zero, &order, &long] {
            assert!(matches!(
                PrivateKey::from_ec_scalar(Curve::P256, scalar, None),
                Err(KeyError::Invalid { what: "EC private key", .. })
            ));
        }
        for curve in [Curve::P384, Curve::P521] {
            let big = vec![0xff; curve.field_octets()];
            for scalar in [&zero, &big] {
                assert!(matches!(
                    PrivateKey::from_ec_scalar(curve, scalar, None),
                    Err(KeyError::Invalid { what: "EC private key", .. })
                ));
            }
        }
    }

    #[test]
    fn an_rsa_key_with_any_number_changed_is_refused() {
        let key = PrivateKey::generate(KeyAlgorithm::Rsa(2048)).unwrap();
        let good = key.to_pkcs1_der().unwrap();
        let mut fields = der::only_reader(&good, tag::SEQUENCE).unwrap();
        let numbers: Vec<Tlv<'_>> = (0..9).map(|_| fields.any().unwrap()).collect();
        for changed in 1..9 {
            let parts: Vec<Vec<u8>> = numbers
                .iter()
                .enumerate()
                .map(|(index, number)| {
                    let mut part = number.raw.to_vec();
                    if index == changed {
                        *part.last_mut().unwrap() ^= 2;
                    }
                    part
                })
                .collect();
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            let error = PrivateKey::from_der(&der::sequence(&parts)).unwrap_err();
            assert!(matches!(error, KeyError::Invalid { .. }), "{changed}: {error}");
        }
        PrivateKey::from_der(&good).unwrap();
    }

    #[test]
    fn ml_dsa_keys_are_read_from_seed_from_expanded_key_and_from_both() {
        for algorithm in [KeyAlgorithm::MlDsa44, KeyAlgorithm::MlDsa65, KeyAlgorithm::MlDsa87] {
            let key = PrivateKey::generate(algorithm).unwrap();
            let seed_form = key.to_pkcs8_der();
            let info = Pkcs8::parse(&seed_form).unwrap();
            let seed = der::only(info.key).unwrap().value;
            let expanded = super::super::ml_dsa::expanded_for_test(&seed_form, algorithm);
            let identifier = der::sequence(&[&der::tlv(tag::OID, info.oid)]);
            let wrap = |inner: &[u8]| der::sequence(&[&[2, 1, 0], &identifier, &der::octet_string(inner)]);
            let only = PrivateKey::from_der(&wrap(&der::octet_string(&expanded))).unwrap();
            assert_eq!(only.public_key(), key.public_key());
            assert_eq!(only.to_jwk().unwrap_err(), KeyError::NoSeed { algorithm });
            assert_eq!(*only.to_pkcs8_der(), wrap(&der::octet_string(&expanded)));
            let with = only.signature_algorithm();
            with.verify(key.public_key(), b"m", &only.sign(with, b"m").unwrap()).unwrap();
            let both = der::sequence(&[&der::octet_string(seed), &der::octet_string(&expanded)]);
            assert_eq!(PrivateKey::from_der(&wrap(&both)).unwrap().to_pkcs8_der(), seed_form);
            let other = der::sequence(&[&der::octet_string(&[7; 32]), &der::octet_string(&expanded)]);
            assert!(matches!(PrivateKey::from_der(&wrap(&other)), Err(KeyError::Invalid { .. })));
            let short = der::octet_string(&expanded[1..]);
            assert!(matches!(PrivateKey::from_der(&wrap(&short)), Err(KeyError::Invalid { .. })));
        }
    }

    #[test]
    fn what_is_no_private_key_is_called_what_it_is() {
        let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        let rsa = PrivateKey::generate(KeyAlgorithm::Rsa(2048)).unwrap();
        let encrypted = key.encrypt(b"p", super::super::Kdf::Scrypt).unwrap();
        assert_eq!(PrivateKey::from_der(&encrypted).unwrap_err(), KeyError::Encrypted);
        for (bytes, looks_like) in [
            (key.public_key().spki_der(), "a public key"),
            (rsa.public_key().subject_public_key(), "an RSA public key"),
            (b"hello", "no DER at all"),
        ] {
            assert_eq!(PrivateKey::from_der(bytes).unwrap_err(), KeyError::NotAPrivateKey { looks_like });
        }
    }

    #[test]
    fn cutting_or_changing_a_key_anywhere_is_an_error_or_another_key_and_never_a_panic() {
        for algorithm in [KeyAlgorithm::P256, KeyAlgorithm::P384, KeyAlgorithm::Ed25519, KeyAlgorithm::MlDsa44] {
            let key = PrivateKey::generate(algorithm).unwrap();
            let good = key.to_pkcs8_der();
            for length in 0..good.len() {
                assert!(PrivateKey::from_der(&good[..length]).is_err());
            }
            for index in 0..good.len() {
                for bit in [0x01, 0x80] {
                    let mut bad = good.to_vec();
                    bad[index] ^= bit;
                    let _ = PrivateKey::from_der(&bad);
                }
            }
        }
    }

    #[test]
    fn a_changed_rsa_key_never_panics() {
        let good = PrivateKey::generate(KeyAlgorithm::Rsa(2048)).unwrap().to_pkcs1_der().unwrap();
        for index in (0..good.len()).step_by(3) {
            let mut bad = good.to_vec();
            bad[index] ^= 0x81;
            assert!(PrivateKey::from_der(&bad).is_err());
            assert!(PrivateKey::from_der(&good[..index]).is_err());
        }
    }
}
