//! Private keys in PEM blocks, by their labels (RFC 7468 §10 and §11, and older ones).

use super::encrypted::{EncryptedPrivateKey, Form};
use super::error::KeyError;
use super::pem_encryption::PemEncryption;
use super::private::PrivateKey;

/// A private key as it came from a file.
#[derive(Debug, Clone)]
pub enum Loaded {
    /// Ready for use.
    Plain(PrivateKey),
    /// In need of a passphrase.
    Encrypted(EncryptedPrivateKey),
}

/// Reads the private key of a PEM block: `PRIVATE KEY`, `ENCRYPTED PRIVATE KEY`, `RSA PRIVATE KEY`, `EC PRIVATE KEY`; also
/// under the encryption of RFC 1421 (`Proc-Type: 4,ENCRYPTED`).
///
/// # Errors
/// [`KeyError::UnsupportedForm`] for forms certkit recognises and does not read, with the command that converts them:
/// other ciphers of RFC 1421, OpenSSH's own format; [`KeyError::NotAPrivateKey`] for other labels; and what the reader of
/// the form says.
pub fn from_pem_block(label: &str, headers: &[(String, String)], der: &[u8]) -> Result<Loaded, KeyError> {
    if let Some(encryption) = PemEncryption::of(headers)? {
        let inside = [Form::Pkcs8, Form::Pkcs1, Form::Sec1].into_iter().find(|form| form.label() == label);
        return match inside {
            Some(form) => EncryptedPrivateKey::from_pem(form, encryption, der).map(Loaded::Encrypted),
            None => Err(other(label)),
        };
    }
    match label {
        "PRIVATE KEY" => PrivateKey::from_pkcs8_der(der).map(Loaded::Plain),
        "RSA PRIVATE KEY" => PrivateKey::from_pkcs1_der(der).map(Loaded::Plain),
        "EC PRIVATE KEY" => PrivateKey::from_sec1_der(der, None).map(Loaded::Plain),
        "ENCRYPTED PRIVATE KEY" => EncryptedPrivateKey::from_der(der).map(Loaded::Encrypted),
        _ => Err(other(label)),
    }
}

/// Why a block with this label is not read.
fn other(label: &str) -> KeyError {
    match label {
        "OPENSSH PRIVATE KEY" => KeyError::UnsupportedForm {
            form: "OpenSSH's own key format".to_owned(),
            remedy: "convert a copy of it, in place, with `ssh-keygen -p -m pkcs8 -f COPY`",
        },
        "DSA PRIVATE KEY" => KeyError::UnsupportedAlgorithm("DSA".to_owned()),
        _ => KeyError::NotAPrivateKey { looks_like: "a PEM block with another label" },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::fixtures;
    use super::*;
    use crate::key::KeyAlgorithm;

    #[test]
    fn every_form_of_openssl_holds_the_same_key() {
        let p256 = fixtures::plain(fixtures::P256_PKCS8);
        assert_eq!(fixtures::plain(fixtures::P256_SEC1).public_key(), p256.public_key());
        assert_eq!(*p256.to_pkcs8_der(), *fixtures::block(fixtures::P256_PKCS8).contents);
        assert_eq!(*p256.to_sec1_der().unwrap(), *fixtures::block(fixtures::P256_SEC1).contents);
        let rsa = fixtures::plain(fixtures::RSA_2048_PKCS8);
        assert_eq!(fixtures::plain(fixtures::RSA_2048_PKCS1).public_key(), rsa.public_key());
        assert_eq!(*rsa.to_pkcs8_der(), *fixtures::block(fixtures::RSA_2048_PKCS8).contents);
        assert_eq!(*rsa.to_pkcs1_der().unwrap(), *fixtures::block(fixtures::RSA_2048_PKCS1).contents);
    }

    #[test]
    fn keys_that_are_not_read_are_refused_by_name() {
        for (text, name) in [
            (fixtures::P256_PBES1, "PKCS#12 PBE with SHA-1 and 3-key triple DES"),
            (fixtures::P256_EXPLICIT, "explicit elliptic-curve parameters"),
            (fixtures::SECP256K1, "secp256k1"),
            (fixtures::ED448, "Ed448"),
            (fixtures::RSA_PSS, "RSASSA-PSS"),
        ] {
            let error = fixtures::load(text).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
        for (label, name) in [
            ("OPENSSH PRIVATE KEY", "ssh-keygen -p -m pkcs8"),
            ("DSA PRIVATE KEY", "DSA keys are not supported"),
            ("CERTIFICATE", "this is no private key"),
        ] {
            let error = from_pem_block(label, &[], &[]).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn headers_without_encryption_do_no_harm() {
        let block = fixtures::block(fixtures::P256_SEC1);
        let headers = [("Proc-Type".to_owned(), "4,MIC-CLEAR".to_owned())];
        assert!(matches!(
            from_pem_block(&block.label, &headers, &block.contents),
            Ok(Loaded::Plain(key)) if key.algorithm() == KeyAlgorithm::P256
        ));
    }
}
