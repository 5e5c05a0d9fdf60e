//! stub
#![allow(missing_docs)]
pub struct KeyError;
#[derive(Clone)]
pub struct PublicKey;
impl PublicKey {
    pub fn from_spki_der(_: &[u8]) -> Result<Self, KeyError> {
        Err(KeyError)
    }
}
pub struct SignatureAlgorithm;
pub enum SignatureError {
    BadKey,
}
impl SignatureAlgorithm {
    pub fn from_algorithm_identifier(_: &[u8]) -> Result<Self, SignatureError> {
        Err(SignatureError::BadKey)
    }
    pub fn verify(&self, _: &PublicKey, _: &[u8], _: &[u8]) -> Result<(), SignatureError> {
        Err(SignatureError::BadKey)
    }
}
pub mod digest {
    pub fn sha256(_: &[u8]) -> [u8; 32] {
        [0; 32]
    }
}
