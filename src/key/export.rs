//! Writing private keys: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017) and SEC1 (RFC 5915).

use super::ec::Curve;
use super::error::KeyError;
use super::private::{PrivateKey, Secret};
use super::{oids, public, secret};
use crate::encoding::der::{self, tag};
use zeroize::Zeroizing;

/// `INTEGER 0`.
const VERSION_0: &[u8] = &[2, 1, 0];
/// `INTEGER 1`.
const VERSION_1: &[u8] = &[2, 1, 1];

impl PrivateKey {
    /// The key as PrivateKeyInfo (RFC 5958 §2, version 0, as OpenSSL writes it): ECPrivateKey with the public key and
    /// without parameters, the raw Ed25519 key (RFC 8410 §7), the ML-DSA seed where it is known (RFC 9881 §6).
    pub fn to_pkcs8_der(&self) -> Zeroizing<Vec<u8>> {
        match &self.secret {
            Secret::Ec(curve, scalar) => pkcs8(&curve.algorithm_identifier(), &self.sec1(scalar, None)),
            Secret::Rsa(encoding) => pkcs8(&der::sequence(&[&der::tlv(tag::OID, oids::RSA), &der::null()]), encoding),
            Secret::Ed25519(seed) => pkcs8(&self.raw_identifier(), &secret::tlv(tag::OCTET_STRING, &[seed])),
            Secret::MlDsa(secret) => pkcs8(&self.raw_identifier(), &secret.to_der()),
        }
    }

    /// An RSA key as RSAPrivateKey (RFC 8017 appendix A.1.2), the contents of `RSA PRIVATE KEY` in PEM.
    ///
    /// # Errors
    /// [`KeyError::NoSuchForm`] for keys that are not RSA.
    pub fn to_pkcs1_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match &self.secret {
            Secret::Rsa(encoding) => Ok(encoding.clone()),
            _ => Err(KeyError::NoSuchForm { algorithm: self.algorithm(), form: "PKCS#1" }),
        }
    }

    /// An EC key as ECPrivateKey with its curve and public key (RFC 5915 §3), the contents of `EC PRIVATE KEY` in PEM.
    ///
    /// # Errors
    /// [`KeyError::NoSuchForm`] for keys on no curve of ECDSA.
    pub fn to_sec1_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match &self.secret {
            Secret::Ec(curve, scalar) => Ok(self.sec1(scalar, Some(*curve))),
            _ => Err(KeyError::NoSuchForm { algorithm: self.algorithm(), form: "SEC1" }),
        }
    }

    fn sec1(&self, scalar: &[u8], named: Option<Curve>) -> Zeroizing<Vec<u8>> {
        let parameters = named.map(|curve| der::tlv(tag::context_constructed(0), &der::tlv(tag::OID, curve.oid())));
        let public = der::tlv(tag::context_constructed(1), &der::bit_string(self.public_key().subject_public_key()));
        let scalar = secret::tlv(tag::OCTET_STRING, &[scalar]);
        secret::tlv(tag::SEQUENCE, &[VERSION_1, &scalar, parameters.as_deref().unwrap_or_default(), &public])
    }

    fn raw_identifier(&self) -> Vec<u8> {
        der::sequence(&[&der::tlv(tag::OID, public::raw_oid(self.algorithm()))])
    }
}

fn pkcs8(identifier: &[u8], key: &[u8]) -> Zeroizing<Vec<u8>> {
    secret::tlv(tag::SEQUENCE, &[VERSION_0, identifier, &secret::tlv(tag::OCTET_STRING, &[key])])
}
