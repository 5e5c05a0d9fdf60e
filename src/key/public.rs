//! Public keys, as SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).

use super::algorithm::KeyAlgorithm;
use super::ec::{self, Curve};
use super::error::KeyError;
use super::rsa::PublicNumbers;
use super::signature::SignatureError;
use super::verify::{self, Prepared};
use super::{digest, oids};
use crate::encoding::der::{self, Reader, tag};
use crate::encoding::hex;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

const SPKI: &str = "SubjectPublicKeyInfo (RFC 5280 §4.1.2.7)";

/// A public key. Two are equal when they are one key: when their SubjectPublicKeyInfo is the same, points
/// [uncompressed](Self::uncompressed). Copies share it.
#[derive(Clone)]
pub struct PublicKey {
    spki: Arc<[u8]>,
    /// Where in `spki` the octets of the BIT STRING begin; they run to its end.
    key_start: usize,
    algorithm: KeyAlgorithm,
    prepared: Arc<Prepared>,
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo. The algorithm, its parameters and the size and form of the key are checked, so
    /// that weak keys are read and can be named; the arithmetic is left to [`Self::validate`], since a signature
    /// verification does it anyway.
    ///
    /// RSA has NULL parameters (RFC 4055 §1.2), EC a named curve (RFC 5480 §2.1.1), Ed25519 and ML-DSA none
    /// (RFC 8410 §3, RFC 9881 §4).
    ///
    /// # Errors
    /// [`KeyError::Encoding`], [`KeyError::UnsupportedAlgorithm`], [`KeyError::UnsupportedForm`] and
    /// [`KeyError::Invalid`].
    pub fn from_spki_der(spki: &[u8]) -> Result<Self, KeyError> {
        let damaged = KeyError::encoding(SPKI);
        let mut fields = der::only_reader(spki, tag::SEQUENCE).map_err(&damaged)?;
        let mut identifier = fields.sequence().map_err(&damaged)?;
        let key = fields.bit_string().map_err(&damaged)?;
        fields.finish().map_err(&damaged)?;
        let oid = identifier.expect(tag::OID).map_err(&damaged)?;
        let algorithm = read_algorithm(oid, identifier, key)?;
        Ok(Self::new(spki.into(), key.len(), algorithm))
    }

    /// Reads an RSAPublicKey (RFC 8017 appendix A.1.1), the contents of `RSA PUBLIC KEY` in PEM.
    ///
    /// # Errors
    /// [`KeyError::Encoding`] and [`KeyError::Invalid`].
    pub fn from_pkcs1_der(key: &[u8]) -> Result<Self, KeyError> {
        Self::from_rsa_numbers(PublicNumbers::from_der(key)?)
    }

    /// The key's SubjectPublicKeyInfo in DER.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// The octets of the subjectPublicKey BIT STRING: RSAPublicKey, an encoded point, or the raw key.
    pub fn subject_public_key(&self) -> &[u8] {
        self.spki.get(self.key_start..).unwrap_or_default()
    }

    /// What kind of key this is.
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// The size of an RSA modulus in bits.
    pub fn rsa_modulus_bits(&self) -> Option<u16> {
        self.rsa_numbers().map(PublicNumbers::bits)
    }

    /// An RSA modulus, big-endian, without leading zeros.
    pub fn rsa_modulus(&self) -> Option<&[u8]> {
        self.rsa_numbers().map(|numbers| numbers.modulus)
    }

    /// An RSA public exponent, big-endian, without leading zeros.
    pub fn rsa_exponent(&self) -> Option<&[u8]> {
        self.rsa_numbers().map(|numbers| numbers.exponent)
    }

    /// The key's identifier for subjectKeyIdentifier: the leftmost 160 bits of the SHA-256 digest of the BIT STRING's
    /// value (RFC 7093 §2, method 1).
    pub fn key_identifier(&self) -> [u8; 20] {
        let mut identifier = [0; 20];
        for (to, from) in identifier.iter_mut().zip(digest::sha256(self.subject_public_key())) {
            *to = from;
        }
        identifier
    }

    /// The SHA-256 digest of the SubjectPublicKeyInfo, the value pinned by RFC 7469 §2.4.
    pub fn spki_sha256(&self) -> [u8; 32] {
        digest::sha256(&self.spki)
    }

    /// Does the arithmetic that reading leaves out: the point lies on its curve, RSA numbers are in the range that
    /// libraries accept (exponent under 2^33). To be called before such a key is certified.
    ///
    /// # Errors
    /// [`KeyError::Invalid`].
    pub fn validate(&self) -> Result<(), KeyError> {
        match (Curve::from_algorithm(self.algorithm), self.rsa_numbers()) {
            (Some(curve), _) => ec::check_point(curve, self.subject_public_key()),
            (None, Some(numbers)) => numbers.to_key().map(|_| ()),
            (None, None) => Ok(()),
        }
    }

    /// Whether it is a point of a curve that is written by one coordinate and the sign of the other (RFC 5480 §2.2). Go and Java
    /// read no such key.
    pub fn is_compressed(&self) -> bool {
        self.algorithm.is_ecdsa() && matches!(self.subject_public_key().first(), Some(2 | 3))
    }

    /// The same key with its point uncompressed, as RFC 5480 §2.2 has everybody read it.
    ///
    /// # Errors
    /// [`KeyError::Invalid`] where there is no such point on the curve.
    pub fn uncompressed(&self) -> Result<Self, KeyError> {
        let Some(curve) = Curve::from_algorithm(self.algorithm).filter(|_| self.is_compressed()) else {
            return Ok(self.clone());
        };
        let (x, y) = ec::coordinates(curve, self.subject_public_key())?;
        Ok(Self::from_point(curve, &[&[4][..], &x, &y].concat()))
    }

    /// The SHA-256 digest by which a key is known again, however its point is written. It is [`Self::spki_sha256`] of the key
    /// [uncompressed](Self::uncompressed).
    pub fn identity(&self) -> [u8; 32] {
        self.uncompressed().as_ref().unwrap_or(self).spki_sha256()
    }

    /// Checks the RSA signature of TLS 1.1 and older: PKCS #1 v1.5 over MD5 and SHA-1 together, without DigestInfo
    /// (RFC 4346 §7.4.3). Both hashes are broken: it says who signed only in a world without attackers.
    ///
    /// # Errors
    /// Anything but a good signature.
    pub fn verify_tls10_rsa(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        verify::verify_md5_sha1(self, message, signature)
    }

    pub(super) fn rsa_numbers(&self) -> Option<PublicNumbers<'_>> {
        if self.algorithm.is_rsa() { PublicNumbers::parse(self.subject_public_key()).ok() } else { None }
    }

    pub(super) fn from_rsa_numbers(numbers: PublicNumbers<'_>) -> Result<Self, KeyError> {
        let key = numbers.to_der();
        PublicNumbers::from_der(&key)?;
        let identifier = der::sequence(&[&der::tlv(tag::OID, oids::RSA), &der::null()]);
        Ok(Self::assemble(KeyAlgorithm::Rsa(numbers.bits()), &identifier, &key))
    }

    /// `point` has been checked to have the right form.
    pub(super) fn from_point(curve: Curve, point: &[u8]) -> Self {
        Self::assemble(curve.algorithm(), &curve.algorithm_identifier(), point)
    }

    /// Ed25519 or ML-DSA; `key` has been checked to have the right length.
    pub(super) fn from_raw(algorithm: KeyAlgorithm, key: &[u8]) -> Self {
        let identifier = der::sequence(&[&der::tlv(tag::OID, raw_oid(algorithm))]);
        Self::assemble(algorithm, &identifier, key)
    }

    fn assemble(algorithm: KeyAlgorithm, identifier: &[u8], key: &[u8]) -> Self {
        Self::new(der::sequence(&[identifier, &der::bit_string(key)]).into(), key.len(), algorithm)
    }

    /// `spki` ends with the `key_length` octets of the key.
    fn new(spki: Arc<[u8]>, key_length: usize, algorithm: KeyAlgorithm) -> Self {
        Self { key_start: spki.len() - key_length, spki, algorithm, prepared: Arc::default() }
    }

    pub(super) fn prepared(&self) -> &Prepared {
        &self.prepared
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        let whole = |key: &Self| key.uncompressed().map(|whole| whole.spki);
        self.spki == other.spki
            || (self.is_compressed() != other.is_compressed() && whole(self).is_ok_and(|own| whole(other) == Ok(own)))
    }
}

impl Eq for PublicKey {}

impl Hash for PublicKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Points that are equal have one x-coordinate, however they are written.
        match Curve::from_algorithm(self.algorithm) {
            Some(curve) => self.subject_public_key().get(1..=curve.field_octets()).hash(state),
            None => self.spki.hash(state),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { spki, key_start: _, algorithm, prepared: _ } = self;
        write!(f, "PublicKey({algorithm}, {})", hex::encode(spki))
    }
}

/// The object identifier of a key whose BIT STRING is the raw key.
pub(super) fn raw_oid(algorithm: KeyAlgorithm) -> &'static [u8] {
    match algorithm {
        KeyAlgorithm::Ed25519 => oids::ED25519,
        KeyAlgorithm::MlDsa44 => oids::ML_DSA_44,
        KeyAlgorithm::MlDsa65 => oids::ML_DSA_65,
        KeyAlgorithm::MlDsa87 => oids::ML_DSA_87,
        KeyAlgorithm::P256 | KeyAlgorithm::P384 | KeyAlgorithm::P521 => oids::EC,
        KeyAlgorithm::Rsa(_) => oids::RSA,
    }
}

/// The algorithm of a raw key by its object identifier.
pub(super) fn raw_algorithm(oid: &[u8]) -> Option<KeyAlgorithm> {
    match oid {
        oids::ED25519 => Some(KeyAlgorithm::Ed25519),
        oids::ML_DSA_44 => Some(KeyAlgorithm::MlDsa44),
        oids::ML_DSA_65 => Some(KeyAlgorithm::MlDsa65),
        oids::ML_DSA_87 => Some(KeyAlgorithm::MlDsa87),
        _ => None,
    }
}

/// The octets of a raw public key (RFC 8032 §5.1.5, FIPS 204 table 2); 0 for algorithms without one.
pub(super) fn raw_length(algorithm: KeyAlgorithm) -> usize {
    match algorithm {
        KeyAlgorithm::Ed25519 => 32,
        KeyAlgorithm::MlDsa44 => 1312,
        KeyAlgorithm::MlDsa65 => 1952,
        KeyAlgorithm::MlDsa87 => 2592,
        KeyAlgorithm::P256 | KeyAlgorithm::P384 | KeyAlgorithm::P521 | KeyAlgorithm::Rsa(_) => 0,
    }
}

/// Checks that `key` has the length of a raw public key.
pub(super) fn check_raw(algorithm: KeyAlgorithm, key: &[u8]) -> Result<(), KeyError> {
    let wanted = raw_length(algorithm);
    if key.len() == wanted {
        return Ok(());
    }
    Err(KeyError::invalid("public key", format!("{} octets are not the {wanted} of {algorithm}", key.len())))
}

fn read_algorithm(oid: &[u8], mut parameters: Reader<'_>, key: &[u8]) -> Result<KeyAlgorithm, KeyError> {
    let damaged = KeyError::encoding(SPKI);
    match oid {
        // RFC 4055 §1.2: "the parameters field MUST contain NULL".
        oids::RSA => {
            parameters.null().and_then(|()| parameters.finish()).map_err(&damaged)?;
            PublicNumbers::from_der(key).map(|numbers| KeyAlgorithm::Rsa(numbers.bits()))
        }
        oids::EC => {
            let named = parameters.any().map_err(&damaged)?;
            parameters.finish().map_err(&damaged)?;
            let curve = Curve::from_parameters(named, SPKI)?;
            ec::check_point_form(curve, key)?;
            Ok(curve.algorithm())
        }
        other => {
            let algorithm = raw_algorithm(other).ok_or_else(|| KeyError::UnsupportedAlgorithm(oids::name(other)))?;
            parameters.finish().map_err(&damaged)?;
            check_raw(algorithm, key)?;
            Ok(algorithm)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::super::PrivateKey;
    use super::super::fixtures::{self, ALL};
    use super::*;

    #[test]
    fn every_public_key_reads_as_it_was_written_and_is_valid() {
        for algorithm in ALL {
            let key = PrivateKey::generate(algorithm).unwrap().public_key().clone();
            let read = PublicKey::from_spki_der(key.spki_der()).unwrap();
            assert_eq!(read, key);
            assert_eq!(read.algorithm(), algorithm);
            assert_eq!(read.subject_public_key(), key.subject_public_key());
            read.validate().unwrap();
            for length in 0..key.spki_der().len() {
                assert!(PublicKey::from_spki_der(&key.spki_der()[..length]).is_err());
            }
        }
    }

    #[test]
    fn the_key_identifier_is_that_of_rfc_7093() {
        let key = PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap().public_key().clone();
        let tail = &key.spki_der()[12..];
        assert_eq!(key.subject_public_key(), tail);
        assert_eq!(key.key_identifier(), digest::sha256(tail)[..20]);
        assert_eq!(key.spki_sha256(), digest::sha256(key.spki_der()));
    }

    #[test]
    fn a_compressed_point_is_the_same_key() {
        for algorithm in [KeyAlgorithm::P256, KeyAlgorithm::P384, KeyAlgorithm::P521] {
            let key = PrivateKey::generate(algorithm).unwrap().public_key().clone();
            let (curve, point) = (Curve::from_algorithm(algorithm).unwrap(), key.subject_public_key());
            let form = 2 + (point.last().unwrap() & 1);
            let short = |form: u8| PublicKey::from_point(curve, &[&[form], &point[1..=point.len() / 2]].concat());
            let same = short(form);
            assert!(same.is_compressed() && !key.is_compressed());
            assert_eq!(same, key);
            assert_eq!((same.identity(), key.identity()), (key.spki_sha256(), key.spki_sha256()));
            assert_eq!(same.uncompressed().unwrap().spki_der(), key.spki_der());
            let negated = short(form ^ 1);
            assert_ne!(negated, key);
            assert_ne!(negated, same);
            negated.validate().unwrap();
        }
    }

    #[test]
    fn rsa_numbers_are_told_and_weak_keys_are_read() {
        let weak = fixtures::plain(fixtures::RSA_1024_PKCS8).public_key().clone();
        assert_eq!(weak.algorithm(), KeyAlgorithm::Rsa(1024));
        assert_eq!(weak.rsa_modulus_bits(), Some(1024));
        assert_eq!(weak.rsa_exponent(), Some(&[1, 0, 1][..]));
        assert_eq!(PublicKey::from_pkcs1_der(weak.subject_public_key()).unwrap(), weak);
        let ec = fixtures::plain(fixtures::P256_PKCS8).public_key().clone();
        assert_eq!((ec.rsa_modulus_bits(), ec.rsa_exponent(), ec.rsa_modulus()), (None, None, None));
    }

    #[test]
    fn impossible_rsa_numbers_are_refused() {
        let mut modulus = [0xff; 256];
        let numbers = |modulus: &[u8], exponent: &[u8]| {
            PublicKey::from_pkcs1_der(&PublicNumbers { modulus, exponent }.to_der()).map(|_| ())
        };
        assert_eq!(numbers(&modulus, &[3]), Ok(()));
        for exponent in [&[][..], &[1], &[2], &[0xff; 257]] {
            assert!(numbers(&modulus, exponent).is_err(), "{exponent:?}");
        }
        modulus[255] = 0xfe;
        assert!(numbers(&modulus, &[3]).is_err());
        assert!(numbers(&[0xff; 63], &[3]).is_err());
        assert!(numbers(&[0xff; 2049], &[3]).is_err());
    }

    #[test]
    fn a_point_off_its_curve_is_read_and_not_valid() {
        for algorithm in [KeyAlgorithm::P256, KeyAlgorithm::P384, KeyAlgorithm::P521] {
            let mut spki = PrivateKey::generate(algorithm).unwrap().public_key().spki_der().to_vec();
            *spki.last_mut().unwrap() ^= 1;
            let key = PublicKey::from_spki_der(&spki).unwrap();
            assert!(matches!(key.validate(), Err(KeyError::Invalid { .. })), "{algorithm}");
            assert!(key.to_jwk().is_err(), "{algorithm}");
        }
    }

    #[test]
    fn parameters_are_those_of_the_algorithm() {
        let spki = |oid: &[u8], parameters: &[u8], key: &[u8]| {
            let identifier = der::sequence(&[&der::tlv(tag::OID, oid), parameters]);
            PublicKey::from_spki_der(&der::sequence(&[&identifier, &der::bit_string(key)])).map(|key| key.algorithm())
        };
        let null = der::null();
        let rsa = PublicNumbers { modulus: &[0xff; 256], exponent: &[3] }.to_der();
        assert_eq!(spki(oids::RSA, &null, &rsa), Ok(KeyAlgorithm::Rsa(2048)));
        assert!(spki(oids::RSA, &[], &rsa).is_err());
        assert_eq!(spki(oids::ED25519, &[], &[7; 32]), Ok(KeyAlgorithm::Ed25519));
        assert!(spki(oids::ED25519, &null, &[7; 32]).is_err());
        assert!(spki(oids::ED25519, &[], &[7; 31]).is_err());
        let p256 = der::tlv(tag::OID, oids::P256);
        assert_eq!(spki(oids::EC, &p256, &[&[2][..], &[7; 32]].concat()), Ok(KeyAlgorithm::P256));
        for bad in [&[0][..], &[], &[&[6][..], &[7; 64]].concat(), &[&[4][..], &[7; 63]].concat()] {
            assert!(spki(oids::EC, &p256, bad).is_err(), "{bad:?}");
        }
        assert!(matches!(spki(oids::EC, &der::sequence(&[]), &[4]), Err(KeyError::UnsupportedForm { .. })));
        assert!(spki(oids::EC, &[], &[4]).is_err());
    }
}
