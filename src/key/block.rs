//! Private keys in PEM blocks, by their labels (RFC 7468 §10 and §11, and older ones).

use super::encrypted::EncryptedPrivateKey;
use super::error::KeyError;
use super::private::PrivateKey;

/// A private key as it came from a file.
#[derive(Debug, Clone)]
pub enum Loaded {
    /// Ready for use.
    Plain(PrivateKey),
    /// In need of a passphrase.
    Encrypted(EncryptedPrivateKey),
}

/// Reads the private key of a PEM block: `PRIVATE KEY`, `ENCRYPTED PRIVATE KEY`, `RSA PRIVATE KEY`, `EC PRIVATE KEY`.
///
/// # Errors
/// [`KeyError::UnsupportedForm`] for forms certkit recognises and does not read, with the command that converts them:
/// the encryption of RFC 1421 (`Proc-Type: 4,ENCRYPTED`), OpenSSH's own format; [`KeyError::NotAPrivateKey`] for other
/// labels; and what the reader of the form says.
pub fn from_pem_block(label: &str, headers: &[(String, String)], der: &[u8]) -> Result<Loaded, KeyError> {
    if let Some(cipher) = legacy_cipher(headers) {
        return Err(KeyError::UnsupportedForm {
            form: format!("the old PEM encryption (Proc-Type: 4,ENCRYPTED{cipher})"),
            remedy: "its key derivation is one round of MD5; convert it with \
                     `openssl pkcs8 -topk8 -in OLD -out NEW`",
        });
    }
    match label {
        "PRIVATE KEY" => PrivateKey::from_pkcs8_der(der).map(Loaded::Plain),
        "RSA PRIVATE KEY" => PrivateKey::from_pkcs1_der(der).map(Loaded::Plain),
        "EC PRIVATE KEY" => PrivateKey::from_sec1_der(der, None).map(Loaded::Plain),
        "ENCRYPTED PRIVATE KEY" => EncryptedPrivateKey::from_der(der).map(Loaded::Encrypted),
        "OPENSSH PRIVATE KEY" => Err(KeyError::UnsupportedForm {
            form: "OpenSSH's own key format".to_owned(),
            remedy: "convert a copy of it, in place, with `ssh-keygen -p -m pkcs8 -f COPY`",
        }),
        "DSA PRIVATE KEY" => Err(KeyError::UnsupportedAlgorithm("DSA".to_owned())),
        _ => Err(KeyError::NotAPrivateKey { looks_like: "a PEM block with another label" }),
    }
}

/// `, ` and the cipher where the headers say that the block is encrypted (RFC 1421 §4.6.1.1).
fn legacy_cipher(headers: &[(String, String)]) -> Option<String> {
    let value = |wanted: &str| {
        headers.iter().find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    if !value("Proc-Type")?.to_ascii_uppercase().contains("ENCRYPTED") {
        return None;
    }
    let cipher = value("DEK-Info").and_then(|info| info.split(',').next()).unwrap_or_default();
    Some(if cipher.is_empty() { String::new() } else { format!(", {cipher}") })
}
