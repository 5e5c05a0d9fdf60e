//! Parameters of password-based encryption: PBES2 (RFC 8018 §6.2) with PBKDF2 (§5.2) or scrypt (RFC 7914).

use super::error::KeyError;
use super::oids;
use crate::encoding::der::{self, DerError, Reader, tag};
use pkcs8::pkcs5::pbes2::{self, EncryptionScheme, Pbkdf2Prf, Salt};
use std::fmt;

pub(super) const WHAT: &str = "encrypted private key (RFC 5958 §3)";

/// The most PBKDF2 iterations that are computed: some seconds. OWASP's Password Storage Cheat Sheet asks for 600 000
/// with SHA-256 and 1 300 000 with SHA-1; RFC 8018 §4.2 leaves the number open.
const MAX_ITERATIONS: u64 = 10_000_000;
/// The most memory scrypt may fill, in octets: 128 N r (RFC 7914 §2). OpenSSL stops at 32 MiB unless told otherwise.
const MAX_SCRYPT_MEMORY: u64 = 256 << 20;
/// The most scrypt work, as N r p; N = 2^18, r = 8, p = 8, some seconds.
const MAX_SCRYPT_WORK: u64 = 1 << 24;
/// The longest salt that the library takes, in octets. RFC 8018 §4.1 asks for 8, OpenSSL writes 8 or 16.
const MAX_SALT: usize = Salt::MAX_LEN;

/// PBES2-params (RFC 8018 appendix A.4), understood and bounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameters {
    pub(super) derivation: Derivation,
    pub(super) cipher: EncryptionScheme,
}

/// How the key comes from the passphrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Derivation {
    Pbkdf2 { salt: Vec<u8>, iterations: u32, key_length: Option<u16>, prf: Pbkdf2Prf },
    Scrypt { salt: Vec<u8>, n: u64, r: u16, p: u16, key_length: Option<u16> },
}

impl Parameters {
    /// Reads the AlgorithmIdentifier of EncryptedPrivateKeyInfo from its content. Schemes that are not read are named,
    /// and costs out of bounds refused, before anything is computed.
    pub(super) fn read(mut identifier: Reader<'_>) -> Result<Self, KeyError> {
        let scheme = identifier.expect(tag::OID).map_err(damaged)?;
        if scheme != oids::PBES2 {
            return Err(KeyError::UnsupportedEncryption(oids::name(scheme)));
        }
        let mut parameters = identifier.sequence().map_err(damaged)?;
        identifier.finish().map_err(damaged)?;
        let derivation = derivation(parameters.sequence().map_err(damaged)?)?;
        let cipher = cipher(parameters.sequence().map_err(damaged)?)?;
        parameters.finish().map_err(damaged)?;
        let read = Self { derivation, cipher };
        read.check()?;
        Ok(read)
    }

    /// The AlgorithmIdentifier in DER.
    pub(super) fn to_der(&self) -> Vec<u8> {
        let oid = |content| der::tlv(tag::OID, content);
        let (cipher, iv) = cipher_parts(&self.cipher);
        let derivation = match &self.derivation {
            Derivation::Pbkdf2 { salt, iterations, key_length: _, prf } => {
                let prf = der::sequence(&[&oid(prf_oid(*prf)), &der::null()]);
                let iterations = der::unsigned(&iterations.to_be_bytes());
                let parameters = der::sequence(&[&der::octet_string(salt), &iterations, &prf]);
                der::sequence(&[&oid(oids::PBKDF2), &parameters])
            }
            Derivation::Scrypt { salt, n, r, p, key_length: _ } => {
                let [n, r, p] = [*n, u64::from(*r), u64::from(*p)].map(|x| der::unsigned(&x.to_be_bytes()));
                der::sequence(&[&oid(oids::SCRYPT), &der::sequence(&[&der::octet_string(salt), &n, &r, &p])])
            }
        };
        let cipher = der::sequence(&[&oid(cipher), &der::octet_string(iv)]);
        der::sequence(&[&oid(oids::PBES2), &der::sequence(&[&derivation, &cipher])])
    }

    /// The same parameters for the library that computes.
    pub(super) fn computable(&self) -> Result<pbes2::Parameters, KeyError> {
        let salt = |salt: &[u8]| Salt::new(salt).map_err(|_| KeyError::invalid(WHAT, "its salt is too long"));
        let kdf = match &self.derivation {
            Derivation::Pbkdf2 { salt: octets, iterations, key_length, prf } => {
                pbes2::Kdf::Pbkdf2(pbes2::Pbkdf2Params {
                    salt: salt(octets)?,
                    iteration_count: *iterations,
                    key_length: *key_length,
                    prf: *prf,
                })
            }
            Derivation::Scrypt { salt: octets, n, r, p, key_length } => pbes2::Kdf::Scrypt(pbes2::ScryptParams {
                salt: salt(octets)?,
                cost_parameter: *n,
                block_size: *r,
                parallelization: *p,
                key_length: *key_length,
            }),
        };
        Ok(pbes2::Parameters { kdf, encryption: self.cipher })
    }

    fn check(&self) -> Result<(), KeyError> {
        let (salt, key_length) = match &self.derivation {
            Derivation::Pbkdf2 { salt, iterations, key_length, prf: _ } => {
                bound("PBKDF2 iterations", u64::from(*iterations), MAX_ITERATIONS)?;
                (salt, key_length)
            }
            Derivation::Scrypt { salt, n, r, p, key_length } => {
                let (r, p) = (u64::from(*r), u64::from(*p));
                // RFC 7914 §2: N is a power of 2 greater than 1, r and p are positive.
                if !n.is_power_of_two() || *n < 2 || r == 0 || p == 0 {
                    return Err(KeyError::invalid(WHAT, "its scrypt parameters are impossible (RFC 7914 §2)"));
                }
                bound("scrypt memory in octets", n.saturating_mul(r).saturating_mul(128), MAX_SCRYPT_MEMORY)?;
                bound("scrypt N * r * p", n.saturating_mul(r).saturating_mul(p), MAX_SCRYPT_WORK)?;
                (salt, key_length)
            }
        };
        if salt.len() > MAX_SALT {
            let why = format!("its salt has {} octets and certkit takes at most {MAX_SALT}", salt.len());
            return Err(KeyError::invalid(WHAT, why));
        }
        let wanted = self.cipher.key_size();
        match key_length {
            Some(length) if usize::from(*length) != wanted => {
                Err(KeyError::invalid(WHAT, format!("it derives {length} octets for a cipher that takes {wanted}")))
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Parameters {
    /// Such as `PBES2, AES-256-CBC, PBKDF2-HMAC-SHA-256, 600000 iterations`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cipher = match self.cipher {
            EncryptionScheme::Aes128Cbc { .. } => "AES-128-CBC",
            EncryptionScheme::Aes192Cbc { .. } => "AES-192-CBC",
            EncryptionScheme::Aes256Cbc { .. } => "AES-256-CBC",
            EncryptionScheme::DesEde3Cbc { .. } => "3DES-CBC",
            _ => "another cipher",
        };
        write!(f, "PBES2, {cipher}, ")?;
        match &self.derivation {
            Derivation::Pbkdf2 { iterations, prf, .. } => {
                write!(f, "PBKDF2-HMAC-{}, {iterations} iterations", prf_name(*prf))
            }
            Derivation::Scrypt { n, r, p, .. } => write!(f, "scrypt, N={n} r={r} p={p}"),
        }
    }
}

fn derivation(mut identifier: Reader<'_>) -> Result<Derivation, KeyError> {
    let oid = identifier.expect(tag::OID).map_err(damaged)?;
    if oid != oids::PBKDF2 && oid != oids::SCRYPT {
        return Err(KeyError::UnsupportedEncryption(format!("PBES2 with {}", oids::name(oid))));
    }
    let mut fields = identifier.sequence().map_err(damaged)?;
    identifier.finish().map_err(damaged)?;
    if fields.peek() != Some(tag::OCTET_STRING) {
        return Err(KeyError::UnsupportedEncryption("a salt from an outside source (RFC 8018 §A.2)".to_owned()));
    }
    let salt = fields.octet_string().map_err(damaged)?.to_vec();
    let derivation = if oid == oids::PBKDF2 {
        let iterations = fields.small_unsigned().map_err(damaged)?;
        bound("PBKDF2 iterations", iterations, MAX_ITERATIONS)?;
        if iterations == 0 {
            return Err(KeyError::invalid(WHAT, "it asks for no PBKDF2 iterations at all (RFC 8018 §A.2)"));
        }
        let iterations = u32::try_from(iterations).unwrap_or(u32::MAX);
        let key_length = key_length(&mut fields)?;
        // RFC 8018 appendix A.2: "prf ... DEFAULT algid-hmacWithSHA1".
        let prf = if fields.is_empty() { Pbkdf2Prf::HmacWithSha1 } else { prf(&mut fields)? };
        Derivation::Pbkdf2 { salt, iterations, key_length, prf }
    } else {
        let n = fields.small_unsigned().map_err(damaged)?;
        let [r, p] = [fields.small_unsigned().map_err(damaged)?, fields.small_unsigned().map_err(damaged)?];
        bound("scrypt N * r * p", n.saturating_mul(r).saturating_mul(p), MAX_SCRYPT_WORK)?;
        let [r, p] = [r, p].map(|number| u16::try_from(number).unwrap_or(u16::MAX));
        Derivation::Scrypt { salt, n, r, p, key_length: key_length(&mut fields)? }
    };
    fields.finish().map_err(damaged)?;
    Ok(derivation)
}

fn key_length(fields: &mut Reader<'_>) -> Result<Option<u16>, KeyError> {
    if fields.peek() != Some(tag::INTEGER) {
        return Ok(None);
    }
    let length = fields.small_unsigned().map_err(damaged)?;
    Ok(Some(u16::try_from(length).unwrap_or(u16::MAX)))
}

fn prf(fields: &mut Reader<'_>) -> Result<Pbkdf2Prf, KeyError> {
    let mut identifier = fields.sequence().map_err(damaged)?;
    let oid = identifier.expect(tag::OID).map_err(damaged)?;
    let prf = ALL_PRFS.into_iter().find(|prf| prf_oid(*prf) == oid);
    if !identifier.is_empty() {
        identifier.null().and_then(|()| identifier.finish()).map_err(damaged)?;
    }
    prf.ok_or_else(|| KeyError::UnsupportedEncryption(format!("PBKDF2 with {}", oids::name(oid))))
}

fn cipher(mut identifier: Reader<'_>) -> Result<EncryptionScheme, KeyError> {
    let oid = identifier.expect(tag::OID).map_err(damaged)?;
    if ![oids::AES_128_CBC, oids::AES_192_CBC, oids::AES_256_CBC, oids::DES_EDE3_CBC].contains(&oid) {
        return Err(KeyError::UnsupportedEncryption(format!("PBES2 with {}", oids::name(oid))));
    }
    let iv = identifier.octet_string().map_err(damaged)?;
    identifier.finish().map_err(damaged)?;
    let wrong = |_| KeyError::invalid(WHAT, format!("its initialization vector has {} octets", iv.len()));
    match oid {
        oids::AES_128_CBC => Ok(EncryptionScheme::Aes128Cbc { iv: iv.try_into().map_err(wrong)? }),
        oids::AES_192_CBC => Ok(EncryptionScheme::Aes192Cbc { iv: iv.try_into().map_err(wrong)? }),
        oids::AES_256_CBC => Ok(EncryptionScheme::Aes256Cbc { iv: iv.try_into().map_err(wrong)? }),
        _ => Ok(EncryptionScheme::DesEde3Cbc { iv: iv.try_into().map_err(wrong)? }),
    }
}

fn cipher_parts(cipher: &EncryptionScheme) -> (&'static [u8], &[u8]) {
    match cipher {
        EncryptionScheme::Aes128Cbc { iv } => (oids::AES_128_CBC, iv),
        EncryptionScheme::Aes192Cbc { iv } => (oids::AES_192_CBC, iv),
        EncryptionScheme::Aes256Cbc { iv } => (oids::AES_256_CBC, iv),
        EncryptionScheme::DesEde3Cbc { iv } => (oids::DES_EDE3_CBC, iv),
        // `cipher` reads and `encrypt` makes no other.
        _ => (&[], &[]),
    }
}

const ALL_PRFS: [Pbkdf2Prf; 5] = [
    Pbkdf2Prf::HmacWithSha1,
    Pbkdf2Prf::HmacWithSha224,
    Pbkdf2Prf::HmacWithSha256,
    Pbkdf2Prf::HmacWithSha384,
    Pbkdf2Prf::HmacWithSha512,
];

fn prf_oid(prf: Pbkdf2Prf) -> &'static [u8] {
    match prf {
        Pbkdf2Prf::HmacWithSha1 => oids::HMAC_SHA1,
        Pbkdf2Prf::HmacWithSha224 => oids::HMAC_SHA224,
        Pbkdf2Prf::HmacWithSha256 => oids::HMAC_SHA256,
        Pbkdf2Prf::HmacWithSha384 => oids::HMAC_SHA384,
        Pbkdf2Prf::HmacWithSha512 => oids::HMAC_SHA512,
        _ => &[],
    }
}

fn prf_name(prf: Pbkdf2Prf) -> &'static str {
    match prf {
        Pbkdf2Prf::HmacWithSha1 => "SHA-1",
        Pbkdf2Prf::HmacWithSha224 => "SHA-224",
        Pbkdf2Prf::HmacWithSha256 => "SHA-256",
        Pbkdf2Prf::HmacWithSha384 => "SHA-384",
        Pbkdf2Prf::HmacWithSha512 => "SHA-512",
        _ => "another hash",
    }
}

fn bound(parameter: &'static str, found: u64, limit: u64) -> Result<(), KeyError> {
    if found > limit { Err(KeyError::CostTooHigh { parameter, found, limit }) } else { Ok(()) }
}

fn damaged(fault: DerError) -> KeyError {
    KeyError::Encoding { what: WHAT, fault }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const CIPHER: EncryptionScheme = EncryptionScheme::Aes256Cbc { iv: [1; 16] };

    fn pbkdf2(iterations: u32, salt: usize, key_length: Option<u16>) -> Parameters {
        let prf = Pbkdf2Prf::HmacWithSha256;
        Parameters {
            derivation: Derivation::Pbkdf2 { salt: vec![2; salt], iterations, key_length, prf },
            cipher: CIPHER,
        }
    }

    fn scrypt(n: u64, r: u16, p: u16) -> Parameters {
        Parameters { derivation: Derivation::Scrypt { salt: vec![2; 8], n, r, p, key_length: None }, cipher: CIPHER }
    }

    fn reread(parameters: &Parameters) -> Result<Parameters, KeyError> {
        Parameters::read(der::only_reader(&parameters.to_der(), tag::SEQUENCE).unwrap())
    }

    #[test]
    fn parameters_read_as_they_were_written() {
        for parameters in
            [pbkdf2(1, 8, None), pbkdf2(10_000_000, 32, None), scrypt(1 << 14, 8, 1), scrypt(1 << 18, 8, 8)]
        {
            assert_eq!(reread(&parameters), Ok(parameters));
        }
    }

    #[test]
    fn costs_that_waste_time_or_memory_are_refused_unread() {
        for (parameters, parameter) in [
            (pbkdf2(10_000_001, 8, None), "PBKDF2 iterations"),
            (pbkdf2(u32::MAX, 8, None), "PBKDF2 iterations"),
            (scrypt(1 << 19, 8, 1), "scrypt memory in octets"),
            (scrypt(1 << 62, 1, 1), "scrypt N * r * p"),
            (scrypt(2, u16::MAX, u16::MAX), "scrypt N * r * p"),
        ] {
            match reread(&parameters) {
                Err(KeyError::CostTooHigh { parameter: named, .. }) => assert_eq!(named, parameter),
                other => unreachable!("{parameter}: {other:?}"),
            }
        }
    }

    #[test]
    fn impossible_parameters_are_refused() {
        for parameters in [pbkdf2(0, 8, None), pbkdf2(1, 33, None), scrypt(0, 8, 1), scrypt(3, 8, 1), scrypt(16, 0, 1)]
        {
            assert!(matches!(reread(&parameters), Err(KeyError::Invalid { .. })), "{parameters}");
        }
        assert!(matches!(pbkdf2(1, 8, Some(16)).check(), Err(KeyError::Invalid { .. })));
        assert_eq!(pbkdf2(1, 8, Some(32)).check(), Ok(()));
    }
}
