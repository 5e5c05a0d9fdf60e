//! The values of the keys that say what a profile refuses, and what it is signed with.

use super::limits::KeyLimit;
use crate::encoding::Oid;
use crate::key::{HashAlgorithm, KeyAlgorithm, SignatureAlgorithm};
use crate::x509::DistinguishedName;
use serde::Deserialize;

/// Keys that are certified: a kind, or RSA with a range of sizes.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Keys(pub(super) KeyLimit);

impl TryFrom<String> for Keys {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let refused = || {
            format!("`{text}` is no range of RSA keys: write RSA, RSA-3072, RSA-3072.., RSA-..4096 or RSA-2048..4096")
        };
        let sizes = text.get(..3).filter(|word| word.eq_ignore_ascii_case("rsa")).and_then(|_| text.get(3..));
        match sizes.map(|sizes| sizes.trim_start_matches(['-', ':'])) {
            Some("") => Ok(Self(KeyLimit::Rsa { least: 0, most: u16::MAX })),
            Some(sizes) if sizes.contains("..") => {
                let (least, most) = sizes.split_once("..").ok_or_else(refused)?;
                let bits = |text: &str, open: u16| if text.is_empty() { Some(open) } else { text.parse().ok() };
                let (least, most) = bits(least, 0).zip(bits(most, u16::MAX)).ok_or_else(refused)?;
                let some = least <= most && most >= 2048;
                some.then_some(Self(KeyLimit::Rsa { least, most })).ok_or_else(refused)
            }
            _ => text.parse::<KeyAlgorithm>().map(|key| Self(KeyLimit::One(key))).map_err(|error| error.to_string()),
        }
    }
}

/// The signature that is made where the issuer's key leaves a choice.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Signature(pub(super) SignatureAlgorithm);

impl TryFrom<String> for Signature {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let found = SIGNATURES.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name));
        found.map(|(_, algorithm)| Self(*algorithm)).ok_or_else(|| {
            let known: Vec<&str> = SIGNATURES.iter().map(|(known, _)| *known).collect();
            format!("`{name}` is no signature to choose: use {}", known.join(", "))
        })
    }
}

/// RSASSA-PSS with a salt as long as the hash (RFC 8017 §9.1, RFC 4055 §3.1).
static SIGNATURES: &[(&str, SignatureAlgorithm)] = &[
    ("rsa-sha256", SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Sha256)),
    ("rsa-sha384", SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Sha384)),
    ("rsa-sha512", SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Sha512)),
    ("rsa-pss-sha256", SignatureAlgorithm::RsaPss(HashAlgorithm::Sha256, 32)),
    ("rsa-pss-sha384", SignatureAlgorithm::RsaPss(HashAlgorithm::Sha384, 48)),
    ("rsa-pss-sha512", SignatureAlgorithm::RsaPss(HashAlgorithm::Sha512, 64)),
    ("ecdsa-sha256", SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha256)),
    ("ecdsa-sha384", SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha384)),
    ("ecdsa-sha512", SignatureAlgorithm::Ecdsa(HashAlgorithm::Sha512)),
];

/// The type of an attribute of a subject by its keyword (RFC 4514 §3) or object identifier.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct AttributeType(pub(super) Oid);

impl TryFrom<String> for AttributeType {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        let read = format!("{word}=XX").parse::<DistinguishedName>();
        let kinds: Vec<Oid> = read.iter().flat_map(|name| name.attributes()).map(|attribute| attribute.kind).collect();
        match <[Oid; 1]>::try_from(kinds) {
            Ok([kind]) => Ok(Self(kind)),
            Err(_) => {
                Err(format!("`{word}` is no attribute of a subject: use CN, O, OU, L, ST, C or an object identifier"))
            }
        }
    }
}
