//! PKCS#12 (RFC 7292): keys and certificates under one passphrase. The only place that names `p12_keystore`.
//!
//! | | encryption | integrity |
//! |---|---|---|
//! | read | PBES2 with AES or 3DES; PBES1 with 3DES or RC2-40 | HMAC with SHA-1 or SHA-2, or none |
//! | written | PBES2, AES-256-CBC, PBKDF2-HMAC-SHA-256 | HMAC-SHA-256 |
//! | written for old programs | PBES1, 3DES-CBC | HMAC-SHA-1 |

use p12_keystore::error::Error;
use p12_keystore::{EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, Pkcs12Archive, PrivateKeyChain};
use zeroize::Zeroizing;

use super::contents::Content;
use super::contents::Item;
use super::contents::KeyForm;
use super::contents::private_key;
use super::error::ContainerError;
use crate::encoding::der::Reader;
use crate::encoding::der::tag;
use crate::key::Loaded;
use crate::key::PrivateKey;
use crate::x509::Certificate;

/// How a PKCS#12 file is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protection {
    /// AES-256 and SHA-256: OpenSSL 1.1.1, Java 8u301, Windows 10 1709, macOS 14 and later.
    #[default]
    Modern,
    /// 3DES and SHA-1: what older Windows, macOS and Java read.
    Legacy,
}

/// Whether `bytes` begin as a PFX does: a SEQUENCE of version 3 and a ContentInfo (RFC 7292 §4).
pub fn is_pkcs12(bytes: &[u8]) -> bool {
    let begins = || {
        let mut outer = Reader::new(bytes).sequence()?;
        let version = outer.small_unsigned()?;
        Ok::<bool, crate::encoding::der::DerError>(version == 3 && outer.peek() == Some(tag::SEQUENCE))
    };
    begins().unwrap_or(false)
}

/// Everything in a PKCS#12 file: the private keys, then the certificates, in the order in which they stand there.
///
/// # Errors
/// [`ContainerError::WrongPassphrase`]; what the file is where it is damaged, or protected in a way that is not read.
pub(super) fn read_pkcs12(bytes: &[u8], passphrase: &[u8]) -> Result<Vec<Item>, ContainerError> {
    let passphrase = std::str::from_utf8(passphrase).map_err(|_| ContainerError::WrongPassphrase)?;
    let archive = Pkcs12Archive::from_pkcs12(bytes, passphrase).map_err(told)?;
    let keys = archive.keys.into_iter().map(|bag| {
        let read = PrivateKey::from_pkcs8_der(bag.key.as_der()).map(Loaded::Plain);
        Item { line: None, label: bag.friendly_name, content: private_key(read, KeyForm::Pkcs8, "private key") }
    });
    let certificates = archive.certs.into_iter().map(|bag| {
        let content = match Certificate::from_der(bag.cert.as_der()) {
            Ok(certificate) => Content::Certificate(Box::new(certificate)),
            Err(error) => Content::Malformed { what: "certificate".to_owned(), why: error.to_string() },
        };
        Item { line: None, label: bag.friendly_name, content }
    });
    let secrets = archive.secrets.into_iter().map(|bag| Item {
        line: None,
        label: bag.friendly_name,
        content: Content::Unsupported { what: "secret key".to_owned(), why: "certkit has no use for it".to_owned() },
    });
    Ok(keys.chain(certificates).chain(secrets).collect())
}

/// A PKCS#12 file with a private key, its certificate and those above it, called `name`.
///
/// # Errors
/// [`ContainerError::Unwritable`]: the passphrase is no text, or the name has characters outside the Basic Multilingual Plane.
pub fn write_pkcs12(
    key: &PrivateKey,
    chain: &[&Certificate],
    name: &str,
    passphrase: &[u8],
    protection: Protection,
) -> Result<Zeroizing<Vec<u8>>, ContainerError> {
    let unwritable = |why: &str| ContainerError::Unwritable(why.to_owned());
    let failed = |error: Error| ContainerError::Unwritable(error.to_string());
    let passphrase = std::str::from_utf8(passphrase).map_err(|_| unwritable("its passphrase is not UTF-8"))?;
    let pkcs8 = key.to_pkcs8_der();
    let key_bag = p12_keystore::PrivateKey::from_der(&pkcs8).map_err(failed)?;
    let certificates = chain.iter().map(|certificate| p12_keystore::Certificate::from_der(certificate.der()));
    let certificates: Vec<_> = certificates.collect::<Result<_, _>>().map_err(failed)?;
    let identifier = key.public_key().key_identifier();
    let mut store = KeyStore::new();
    let entry = PrivateKeyChain::new(identifier.to_vec(), key_bag, certificates);
    store.add_entry(name, KeyStoreEntry::PrivateKeyChain(entry));
    let writer = store.writer(passphrase);
    let writer = match protection {
        Protection::Modern => writer
            .encryption_algorithm(EncryptionAlgorithm::PbeWithHmacSha256AndAes256)
            .encryption_iterations(ITERATIONS)
            .mac_algorithm(MacAlgorithm::HmacSha256)
            .mac_iterations(ITERATIONS),
        Protection::Legacy => writer
            .encryption_algorithm(EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc)
            .encryption_iterations(OLD_ITERATIONS)
            .mac_algorithm(MacAlgorithm::HmacSha1)
            .mac_iterations(OLD_ITERATIONS),
    };
    Ok(Zeroizing::new(writer.write().map_err(failed)?))
}

/// For the encryption and the MAC alike: a guesser tries the cheaper one.
const ITERATIONS: u32 = 600_000;
/// What OpenSSL and Windows of that time write.
const OLD_ITERATIONS: u32 = 2_048;

fn told(error: Error) -> ContainerError {
    let damaged = |why: String| ContainerError::Damaged { line: None, what: "PKCS#12 file".to_owned(), why };
    match error {
        Error::MacError(_) | Error::UnpadError | Error::Pkcs5Error(_) => ContainerError::WrongPassphrase,
        Error::UnsupportedEncryptionScheme | Error::UnsupportedMacAlgorithm => ContainerError::Unsupported {
            what: "PKCS#12 file".to_owned(),
            why: "its protection is not read: `openssl pkcs12 -in FILE -out FILE.pem` may".to_owned(),
        },
        Error::InvalidParameters => damaged("it asks for more work than an honest file does".to_owned()),
        other => damaged(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::container::{Document, Encoding};
    use crate::key::KeyAlgorithm;

    fn certificate() -> Certificate {
        let file = std::fs::read("tests/data/inspect/root.pem").unwrap();
        let document = Document::read(&file).unwrap();
        (*document.certificates().unwrap().first().unwrap()).clone()
    }

    #[test]
    fn what_is_written_reads_back_under_its_passphrase_alone() {
        for kind in [KeyAlgorithm::P256, KeyAlgorithm::Ed25519] {
            let (key, certificate) = (PrivateKey::generate(kind).unwrap(), certificate());
            for protection in [Protection::Modern, Protection::Legacy] {
                let file = write_pkcs12(&key, &[&certificate], "Ä test", "sésame".as_bytes(), protection).unwrap();
                assert!(is_pkcs12(&file));
                let document = Document::read_pkcs12(&file, "sésame".as_bytes()).unwrap();
                assert_eq!(document.encoding(), Encoding::Pkcs12);
                assert_eq!(document.certificates().unwrap(), [&certificate]);
                let item = document.items().first().unwrap();
                assert_eq!(item.label.as_deref(), Some("Ä test"));
                assert_eq!(item.public_key().unwrap().unwrap(), *key.public_key());
                let wrong = Document::read_pkcs12(&file, b"sesame").unwrap_err();
                assert_eq!(wrong, ContainerError::WrongPassphrase);
            }
        }
    }

    #[test]
    fn damage_is_told_and_never_a_panic() {
        let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        let file = write_pkcs12(&key, &[&certificate()], "x", b"x", Protection::Legacy).unwrap();
        for at in (0..file.len()).step_by(7) {
            let mut damaged = file.to_vec();
            if let Some(octet) = damaged.get_mut(at) {
                *octet ^= 0x41;
            }
            // What the MAC does not cover may change; nothing else passes.
            if let Ok(items) = read_pkcs12(&damaged, b"x") {
                assert_eq!(items.len(), 2, "{at}");
            }
            assert!(read_pkcs12(file.get(..at).unwrap(), b"x").is_err(), "{at}");
        }
        assert!(!is_pkcs12(b"") && !is_pkcs12(b"0") && !is_pkcs12(certificate().der()));
    }
}
