//! A key of any octets is read or refused, and one that is read is written and read again as the same.

#![no_main]

use certkit::container::holds_private_key;
use certkit::key::{EncryptedPrivateKey, PrivateKey, PublicKey};
use certkit_fuzz::{hierarchy, plant, target};

target!(
    init: plant([
        hierarchy::p256(7).to_pkcs8_der().to_vec(),
        hierarchy::p256(7).to_sec1_der().unwrap().to_vec(),
        hierarchy::p256(7).public_key().spki_der().to_vec(),
        encrypted(),
    ]),
    |data: &[u8]| {
        if let Ok(key) = PrivateKey::from_der(data) {
            // A server hands it out to nobody.
            assert!(holds_private_key(data));
            let again = PrivateKey::from_der(&key.to_pkcs8_der()).unwrap();
            assert_eq!(again.public_key(), key.public_key());
            assert_eq!(*again.to_pkcs8_der(), *key.to_pkcs8_der());
        }
        if let Ok(key) = PublicKey::from_spki_der(data) {
            assert_eq!(key.spki_der(), data);
            let _ = (key.algorithm().to_string(), key.rsa_modulus_bits(), key.rsa_exponent(), key.key_identifier());
            if key.validate().is_ok()
                && let Ok(jwk) = key.to_jwk()
            {
                assert!(PublicKey::from_jwk(&jwk).is_ok());
            }
        }
        let _ = PublicKey::from_pkcs1_der(data);
        // Decrypting costs what the parameters ask for, up to seconds: reading alone must be safe at any speed.
        let _ = EncryptedPrivateKey::from_der(data).map(|key| {
            assert!(holds_private_key(data));
            key.algorithm_name()
        });
    }
);

/// An EncryptedPrivateKeyInfo with PBKDF2 and AES-256-CBC, and zeros for ciphertext.
fn encrypted() -> Vec<u8> {
    use certkit::encoding::{Oid, der};
    let oid = |text: &str| der::oid(&text.parse::<Oid>().unwrap());
    let prf = der::sequence(&[&oid("1.2.840.113549.2.9"), &der::null()]);
    let pbkdf2 = der::sequence(&[&der::octet_string(&[7; 16]), &der::unsigned(&[8, 0]), &prf]);
    let derivation = der::sequence(&[&oid("1.2.840.113549.1.5.12"), &pbkdf2]);
    let cipher = der::sequence(&[&oid("2.16.840.1.101.3.4.1.42"), &der::octet_string(&[0; 16])]);
    let scheme = der::sequence(&[&oid("1.2.840.113549.1.5.13"), &der::sequence(&[&derivation, &cipher])]);
    der::sequence(&[&scheme, &der::octet_string(&[0; 32])])
}
