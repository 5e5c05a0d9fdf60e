//! Signature algorithms and their AlgorithmIdentifiers (RFC 3279, 4055, 5758, 8410, 9881).

use super::algorithm::KeyAlgorithm;
use super::public::PublicKey;
use super::{oids, sign, verify};
use crate::encoding::Oid;
use crate::encoding::der::{self, DerError, Reader, tag};
use std::fmt;

/// A hash function. The broken ones are here so that they can be refused by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HashAlgorithm {
    /// MD5, broken: collisions were used to forge a CA certificate in 2008.
    Md5,
    /// SHA-1, broken: collisions cost little since 2017, chosen-prefix ones since 2020.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashAlgorithm {
    /// Whether collisions can be found, so that a signature over it proves nothing.
    pub fn is_broken(self) -> bool {
        matches!(self, Self::Md5 | Self::Sha1)
    }

    /// The length of a digest in octets.
    pub fn output_octets(self) -> u16 {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The name as it stands in the names of signature algorithms: `SHA256`.
    fn joined(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA1",
            Self::Sha224 => "SHA224",
            Self::Sha256 => "SHA256",
            Self::Sha384 => "SHA384",
            Self::Sha512 => "SHA512",
        }
    }

    pub(super) fn oid(self) -> &'static [u8] {
        match self {
            Self::Md5 => oids::MD5,
            Self::Sha1 => oids::SHA1,
            Self::Sha224 => oids::SHA224,
            Self::Sha256 => oids::SHA256,
            Self::Sha384 => oids::SHA384,
            Self::Sha512 => oids::SHA512,
        }
    }

    fn from_oid(oid: &[u8]) -> Option<Self> {
        ALL_HASHES.into_iter().find(|hash| hash.oid() == oid)
    }
}

impl fmt::Display for HashAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha224 => "SHA-224",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        })
    }
}

/// A signature algorithm with its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2).
    RsaPkcs1(HashAlgorithm),
    /// RSASSA-PSS (RFC 8017 §8.1) with MGF1 over the same hash and a salt of this many octets.
    RsaPss(HashAlgorithm, u16),
    /// ECDSA (RFC 5758 §3.2).
    Ecdsa(HashAlgorithm),
    /// Ed25519 (RFC 8410).
    Ed25519,
    /// ML-DSA-44 (RFC 9881).
    MlDsa44,
    /// ML-DSA-65 (RFC 9881).
    MlDsa65,
    /// ML-DSA-87 (RFC 9881).
    MlDsa87,
}

impl SignatureAlgorithm {
    /// RSASSA-PSS with a salt as long as the hash, as RFC 8017 §9.1 recommends and [`PrivateKey::sign`] makes it.
    ///
    /// [`PrivateKey::sign`]: super::PrivateKey::sign
    pub fn rsa_pss(hash: HashAlgorithm) -> Self {
        Self::RsaPss(hash, hash.output_octets())
    }

    /// Whether keys of this kind make such signatures here: see [`PrivateKey::sign`].
    ///
    /// [`PrivateKey::sign`]: super::PrivateKey::sign
    pub fn fits(self, key: KeyAlgorithm) -> bool {
        sign::fits(key, self)
    }

    /// The hash the message goes through; `None` where the algorithm takes care of it.
    pub fn hash(self) -> Option<HashAlgorithm> {
        match self {
            Self::RsaPkcs1(hash) | Self::RsaPss(hash, _) | Self::Ecdsa(hash) => Some(hash),
            Self::Ed25519 | Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 => None,
        }
    }

    /// Reads an AlgorithmIdentifier (RFC 5280 §4.1.1.2), parameters included.
    ///
    /// # Errors
    /// [`SignatureError::Unsupported`] for other algorithms, [`SignatureError::Parameters`] where the encoding is
    /// damaged or the parameters are not those of the algorithm's standard.
    pub fn from_algorithm_identifier(encoding: &[u8]) -> Result<Self, SignatureError> {
        let mut fields = der::only_reader(encoding, tag::SEQUENCE).map_err(damaged)?;
        let oid = fields.expect(tag::OID).map_err(damaged)?;
        if let Some(hash) = rsa_hash(oid) {
            // RFC 4055 §5: "implementations MUST accept the parameters being absent as well as present", as NULL.
            null_or_absent(fields)?;
            return Ok(Self::RsaPkcs1(hash));
        }
        if oid == oids::RSA_PSS {
            return pss(fields);
        }
        let algorithm = simple(oid).ok_or_else(|| unsupported(oid))?;
        // RFC 5758 §3.2, RFC 8410 §3, RFC 9881 §2: parameters absent.
        fields.finish().map_err(|_| SignatureError::Parameters("they are present and must be absent"))?;
        Ok(algorithm)
    }

    /// The AlgorithmIdentifier in DER, ready for a certificate.
    pub fn to_algorithm_identifier(self) -> Vec<u8> {
        let oid = der::tlv(tag::OID, self.oid());
        match self {
            // RFC 4055 §5: "the parameters MUST be NULL" when generated.
            Self::RsaPkcs1(_) => der::sequence(&[&oid, &der::null()]),
            Self::RsaPss(hash, salt) => der::sequence(&[&oid, &pss_parameters(hash, salt)]),
            Self::Ecdsa(_) | Self::Ed25519 | Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 => der::sequence(&[&oid]),
        }
    }

    /// Checks a signature over `message`.
    ///
    /// # Errors
    /// Anything but a good signature by a key that is strong enough, with a hash that is not broken; broken hashes
    /// are refused without being computed.
    pub fn verify(self, key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        verify::verify(self, key, message, signature)
    }

    /// Checks a signature as [`Self::verify`] does, but takes SHA-1 (not in RSASSA-PSS or with P-384) and RSA keys under
    /// 2048 bits too. A good answer says who signed only in a world without attackers.
    ///
    /// # Errors
    /// Anything but a good signature.
    pub fn verify_weak(self, key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        verify::verify_weak(self, key, message, signature)
    }

    /// The broken hash that a signature is over, if it is this key's as far as that can be computed; `None` where the hash is
    /// not broken, or the signature another key's.
    pub(crate) fn weak_hash_of(self, key: &PublicKey, message: &[u8], signature: &[u8]) -> Option<HashAlgorithm> {
        let hash = self.hash().filter(|hash| hash.is_broken())?;
        match self.verify_weak(key, message, signature) {
            Err(SignatureError::Mismatch | SignatureError::KeyMismatch { .. }) => None,
            _ => Some(hash),
        }
    }

    fn oid(self) -> &'static [u8] {
        match self {
            Self::RsaPkcs1(HashAlgorithm::Md5) => oids::RSA_MD5,
            Self::RsaPkcs1(HashAlgorithm::Sha1) => oids::RSA_SHA1,
            Self::RsaPkcs1(HashAlgorithm::Sha224) => oids::RSA_SHA224,
            Self::RsaPkcs1(HashAlgorithm::Sha256) => oids::RSA_SHA256,
            Self::RsaPkcs1(HashAlgorithm::Sha384) => oids::RSA_SHA384,
            Self::RsaPkcs1(HashAlgorithm::Sha512) => oids::RSA_SHA512,
            Self::RsaPss(..) => oids::RSA_PSS,
            // There is no ECDSA with MD5; it cannot be read, and signing refuses it.
            Self::Ecdsa(HashAlgorithm::Md5 | HashAlgorithm::Sha1) => oids::ECDSA_SHA1,
            Self::Ecdsa(HashAlgorithm::Sha224) => oids::ECDSA_SHA224,
            Self::Ecdsa(HashAlgorithm::Sha256) => oids::ECDSA_SHA256,
            Self::Ecdsa(HashAlgorithm::Sha384) => oids::ECDSA_SHA384,
            Self::Ecdsa(HashAlgorithm::Sha512) => oids::ECDSA_SHA512,
            Self::Ed25519 => oids::ED25519,
            Self::MlDsa44 => oids::ML_DSA_44,
            Self::MlDsa65 => oids::ML_DSA_65,
            Self::MlDsa87 => oids::ML_DSA_87,
        }
    }
}

impl fmt::Display for SignatureAlgorithm {
    /// The name in its standard: `sha256WithRSAEncryption`, `ecdsa-with-SHA256`, `RSASSA-PSS with SHA-256`, `Ed25519`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RsaPkcs1(hash) => f.pad(&format!("{}WithRSAEncryption", hash.joined().to_ascii_lowercase())),
            Self::RsaPss(hash, salt) if *salt == hash.output_octets() => f.pad(&format!("RSASSA-PSS with {hash}")),
            Self::RsaPss(hash, salt) => f.pad(&format!("RSASSA-PSS with {hash} and a salt of {salt} octets")),
            Self::Ecdsa(hash) => f.pad(&format!("ecdsa-with-{}", hash.joined())),
            Self::Ed25519 => f.pad("Ed25519"),
            Self::MlDsa44 => f.pad("ML-DSA-44"),
            Self::MlDsa65 => f.pad("ML-DSA-65"),
            Self::MlDsa87 => f.pad("ML-DSA-87"),
        }
    }
}

/// Why a signature is not accepted, or its algorithm not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The algorithm is not one certkit handles.
    #[error("signature algorithm {} is not supported", oids::name(.0.content()))]
    Unsupported(Oid),
    /// The parameters of the algorithm are wrong.
    #[error("the parameters of the signature algorithm are wrong: {0}")]
    Parameters(&'static str),
    /// The signature is over a digest for which collisions can be found.
    #[error("the signature is over {0}, which is broken: anybody may have made it")]
    Weak(HashAlgorithm),
    /// The key is of another algorithm than the signature.
    #[error("the signature is {signature}, which no {key} key makes")]
    KeyMismatch {
        /// The signature's algorithm.
        signature: SignatureAlgorithm,
        /// The key's algorithm.
        key: KeyAlgorithm,
    },
    /// The algorithms go together and certkit cannot compute the pair.
    #[error("{signature} with a {key} key is not supported")]
    UnsupportedPair {
        /// The signature's algorithm.
        signature: SignatureAlgorithm,
        /// The key's algorithm.
        key: KeyAlgorithm,
    },
    /// The RSA modulus is too small to be safe.
    #[error("the RSA key has {bits} bits; under {minimum} it can be broken")]
    KeyTooSmall {
        /// The size of the modulus, in bits.
        bits: u16,
        /// The least that is accepted, in bits.
        minimum: u16,
    },
    /// The RSA modulus is larger than the library verifies with.
    #[error("the RSA key has {bits} bits; more than {maximum} are not supported")]
    KeyTooLarge {
        /// The size of the modulus, in bits.
        bits: u16,
        /// The most that is accepted, in bits.
        maximum: u16,
    },
    /// The key cannot be read, or its numbers are impossible; [`PublicKey::from_spki_der`] and [`PublicKey::validate`] say
    /// why.
    #[error("the public key is unusable: damaged, of an unsupported kind, or no point on its curve")]
    BadKey,
    /// The signature was not made by this key over these octets.
    #[error("the signature does not match: the contents or the signature were changed, or another key signed")]
    Mismatch,
}

const ALL_HASHES: [HashAlgorithm; 6] = [
    HashAlgorithm::Md5,
    HashAlgorithm::Sha1,
    HashAlgorithm::Sha224,
    HashAlgorithm::Sha256,
    HashAlgorithm::Sha384,
    HashAlgorithm::Sha512,
];

fn rsa_hash(oid: &[u8]) -> Option<HashAlgorithm> {
    ALL_HASHES.into_iter().find(|hash| SignatureAlgorithm::RsaPkcs1(*hash).oid() == oid)
}

/// The algorithms whose identifier says everything.
fn simple(oid: &[u8]) -> Option<SignatureAlgorithm> {
    match oid {
        oids::ECDSA_SHA1 => Some(SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha1)),
        oids::ECDSA_SHA224 => Some(SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha224)),
        oids::ECDSA_SHA256 => Some(SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha256)),
        oids::ECDSA_SHA384 => Some(SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha384)),
        oids::ECDSA_SHA512 => Some(SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha512)),
        oids::ED25519 => Some(SignatureAlgorithm::Ed25519),
        oids::ML_DSA_44 => Some(SignatureAlgorithm::MlDsa44),
        oids::ML_DSA_65 => Some(SignatureAlgorithm::MlDsa65),
        oids::ML_DSA_87 => Some(SignatureAlgorithm::MlDsa87),
        _ => None,
    }
}

/// RSASSA-PSS-params (RFC 4055 §3.1); certificates must have them. Every field has a default that says SHA-1.
fn pss(mut fields: Reader<'_>) -> Result<SignatureAlgorithm, SignatureError> {
    if fields.is_empty() {
        return Err(SignatureError::Parameters("RSASSA-PSS must have some in a certificate (RFC 4055 §3.1)"));
    }
    let mut parameters = fields.sequence().map_err(damaged)?;
    fields.finish().map_err(damaged)?;
    let hash = match explicit(&mut parameters, 0)? {
        Some(mut identifier) => hash_identifier(identifier.sequence().map_err(damaged)?)?,
        None => HashAlgorithm::Sha1,
    };
    let mask_hash = match explicit(&mut parameters, 1)? {
        Some(mut identifier) => mask_identifier(identifier.sequence().map_err(damaged)?)?,
        None => HashAlgorithm::Sha1,
    };
    let salt = match explicit(&mut parameters, 2)? {
        Some(mut number) => number.small_unsigned().map_err(damaged)?,
        None => 20,
    };
    let trailer = match explicit(&mut parameters, 3)? {
        Some(mut number) => number.small_unsigned().map_err(damaged)?,
        None => 1,
    };
    parameters.finish().map_err(damaged)?;
    // RFC 4055 §3.1: "It is RECOMMENDED that MGF1 use the same hash"; nothing else is in use or accepted by browsers.
    if mask_hash != hash {
        return Err(SignatureError::Parameters("RSASSA-PSS uses one hash for the message and another for the mask"));
    }
    if trailer != 1 {
        return Err(SignatureError::Parameters("the RSASSA-PSS trailer field is not 1 (RFC 4055 §3.1)"));
    }
    let salt = u16::try_from(salt)
        .map_err(|_| SignatureError::Parameters("the RSASSA-PSS salt is longer than any signature"))?;
    Ok(SignatureAlgorithm::RsaPss(hash, salt))
}

/// RSASSA-PSS-params with NULL in the hash identifiers, as RFC 4055 §2.1 has it and as browsers' root programs ask.
fn pss_parameters(hash: HashAlgorithm, salt: u16) -> Vec<u8> {
    let explicit = |number, content: &[u8]| der::tlv(tag::context_constructed(number), content);
    let hash = der::sequence(&[&der::tlv(tag::OID, hash.oid()), &der::null()]);
    let mask = der::sequence(&[&der::tlv(tag::OID, oids::MGF1), &hash]);
    der::sequence(&[&explicit(0, &hash), &explicit(1, &mask), &explicit(2, &der::unsigned(&salt.to_be_bytes()))])
}

/// The content of an optional, explicitly tagged field; it holds exactly one value.
fn explicit<'a>(fields: &mut Reader<'a>, number: u8) -> Result<Option<Reader<'a>>, SignatureError> {
    let Some(content) = fields.optional(tag::context_constructed(number)).map_err(damaged)? else { return Ok(None) };
    der::only(content).map_err(damaged)?;
    Ok(Some(Reader::new(content)))
}

fn hash_identifier(mut identifier: Reader<'_>) -> Result<HashAlgorithm, SignatureError> {
    let oid = identifier.expect(tag::OID).map_err(damaged)?;
    // RFC 4055 §2.1: "implementations MUST accept the parameters being absent as well as present", as NULL.
    null_or_absent(identifier)?;
    HashAlgorithm::from_oid(oid).ok_or_else(|| unsupported(oid))
}

fn mask_identifier(mut identifier: Reader<'_>) -> Result<HashAlgorithm, SignatureError> {
    let oid = identifier.expect(tag::OID).map_err(damaged)?;
    if oid != oids::MGF1 {
        return Err(unsupported(oid));
    }
    let hash = identifier.sequence().map_err(damaged)?;
    identifier.finish().map_err(damaged)?;
    hash_identifier(hash)
}

fn null_or_absent(mut parameters: Reader<'_>) -> Result<(), SignatureError> {
    if parameters.is_empty() {
        return Ok(());
    }
    parameters
        .null()
        .and_then(|()| parameters.finish())
        .map_err(|_| SignatureError::Parameters("they must be NULL (RFC 4055 §2.1)"))
}

fn damaged(_: DerError) -> SignatureError {
    SignatureError::Parameters("the AlgorithmIdentifier is damaged")
}

fn unsupported(oid: &[u8]) -> SignatureError {
    Oid::from_content(oid)
        .map_or(SignatureError::Parameters("the algorithm's object identifier is damaged"), SignatureError::Unsupported)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::encoding::hex;

    fn all() -> Vec<SignatureAlgorithm> {
        use SignatureAlgorithm::{Ecdsa, Ed25519, MlDsa44, MlDsa65, MlDsa87, RsaPkcs1, RsaPss};
        let mut all = vec![Ed25519, MlDsa44, MlDsa65, MlDsa87, RsaPss(HashAlgorithm::Sha256, 222)];
        for hash in ALL_HASHES {
            all.extend([RsaPkcs1(hash), SignatureAlgorithm::rsa_pss(hash)]);
            all.extend((hash != HashAlgorithm::Md5).then_some(Ecdsa(hash)));
        }
        all
    }

    fn read(encoding: &str) -> Result<SignatureAlgorithm, SignatureError> {
        SignatureAlgorithm::from_algorithm_identifier(&hex::decode(encoding).unwrap())
    }

    #[test]
    fn identifiers_read_as_they_were_written() {
        for algorithm in all() {
            let encoding = algorithm.to_algorithm_identifier();
            assert_eq!(SignatureAlgorithm::from_algorithm_identifier(&encoding), Ok(algorithm));
            for length in 0..encoding.len() {
                let cut = encoding.get(..length).unwrap();
                assert!(SignatureAlgorithm::from_algorithm_identifier(cut).is_err());
            }
        }
    }

    #[test]
    fn rsa_identifiers_are_those_of_ca_b_forum_br_7_1_3_2() {
        for (algorithm, encoding) in [
            (SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Sha256), "300d06092a864886f70d01010b0500"),
            (
                SignatureAlgorithm::rsa_pss(HashAlgorithm::Sha256),
                "304106092a864886f70d01010a3034a00f300d0609608648016503040201\
                 0500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120",
            ),
            (SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha256), "300a06082a8648ce3d040302"),
        ] {
            assert_eq!(hex::encode(&algorithm.to_algorithm_identifier()), encoding, "{algorithm}");
        }
    }

    #[test]
    fn parameters_are_present_or_absent_as_the_standards_say() {
        let rsa = SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Sha256);
        assert_eq!(read("300b06092a864886f70d01010b"), Ok(rsa));
        assert!(matches!(read("300e06092a864886f70d01010b020100"), Err(SignatureError::Parameters(_))));
        assert!(matches!(read("300c06082a8648ce3d0403020500"), Err(SignatureError::Parameters(_))));
        assert!(matches!(read("300706032b65700500"), Err(SignatureError::Parameters(_))));
        assert!(matches!(read("300b06092a864886f70d01010a"), Err(SignatureError::Parameters(_))));
        // RFC 4055 §3.1: all defaults, which say SHA-1 and 20 octets.
        assert_eq!(read("300d06092a864886f70d01010a3000"), Ok(SignatureAlgorithm::RsaPss(HashAlgorithm::Sha1, 20)));
    }

    #[test]
    fn other_algorithms_are_named() {
        let error = read("300506032b6571").unwrap_err();
        assert_eq!(error.to_string(), "signature algorithm Ed448 (1.3.101.113) is not supported");
    }

    #[test]
    fn names_are_those_of_the_standards() {
        for (algorithm, name) in [
            (SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha256), "ecdsa-with-SHA256"),
            (SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Md5), "md5WithRSAEncryption"),
            (SignatureAlgorithm::rsa_pss(HashAlgorithm::Sha256), "RSASSA-PSS with SHA-256"),
            (SignatureAlgorithm::MlDsa65, "ML-DSA-65"),
        ] {
            assert_eq!(algorithm.to_string(), name);
        }
    }
}
