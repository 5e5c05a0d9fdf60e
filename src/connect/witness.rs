//! Takes every chain, and checks what proves that the server has the key of its certificate.

use std::sync::Mutex;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error};

use crate::key::SignatureError;
use crate::tls::code::SignatureScheme;
use crate::x509::Certificate;

/// What is offered for the server's signature, preferred first: all that certkit checks and TLS 1.2 and 1.3 still allow.
const SCHEMES: [SignatureScheme; 13] = [
    SignatureScheme::ECDSA_SECP256R1_SHA256,
    SignatureScheme::ECDSA_SECP384R1_SHA384,
    SignatureScheme::ECDSA_SECP521R1_SHA512,
    SignatureScheme::ED25519,
    SignatureScheme::RSA_PSS_RSAE_SHA256,
    SignatureScheme::RSA_PSS_RSAE_SHA384,
    SignatureScheme::RSA_PSS_RSAE_SHA512,
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PKCS1_SHA512,
    SignatureScheme(0x0904),
    SignatureScheme(0x0905),
    SignatureScheme(0x0906),
];

/// What came with the chain.
#[derive(Debug, Default)]
pub(super) struct Witness {
    staple: Mutex<Option<Vec<u8>>>,
}

impl Witness {
    /// The OCSP response that came with the certificate (RFC 6066 §8).
    pub(super) fn staple(&self) -> Option<Vec<u8>> {
        self.staple.lock().map_or(None, |staple| staple.clone())
    }

    fn check(
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
        tls13: bool,
    ) -> Result<HandshakeSignatureValid, Error> {
        let bad = || Err(Error::InvalidCertificate(CertificateError::BadSignature));
        let scheme = SignatureScheme(u16::from(signed.scheme));
        // A key that cannot be read leaves the signature unchecked, which the transcript tells and the verdict rejects.
        let Ok(key) = Certificate::from_der(certificate).map(|certificate| certificate.public_key()) else {
            return Ok(HandshakeSignatureValid::assertion());
        };
        let Ok(key) = key else { return Ok(HandshakeSignatureValid::assertion()) };
        let curve_fits = scheme.key().is_none_or(|curve| curve == key.algorithm());
        if tls13 && !(scheme.signs_tls13() && curve_fits) {
            return bad();
        }
        let Some(algorithm) = scheme.algorithm() else { return bad() };
        // Weak keys are no reason to see nothing: the verdict says that they are weak.
        match algorithm.verify_weak(&key, message, signed.signature()) {
            Ok(()) => Ok(HandshakeSignatureValid::assertion()),
            Err(SignatureError::Mismatch | SignatureError::KeyMismatch { .. } | SignatureError::BadKey) => bad(),
            Err(_) => Ok(HandshakeSignatureValid::assertion()),
        }
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp_response: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if !ocsp_response.is_empty()
            && let Ok(mut staple) = self.staple.lock()
        {
            *staple = Some(ocsp_response.to_vec());
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Self::check(message, certificate, signed, false)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Self::check(message, certificate, signed, true)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        SCHEMES.iter().map(|scheme| rustls::SignatureScheme::from(scheme.0)).collect()
    }
}
