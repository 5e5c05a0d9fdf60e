//! Long paths: every client stops somewhere.

use certkit::key::{KeyAlgorithm, PrivateKey};
use certkit::x509::extension::AuthorityKeyIdentifier;

use super::{Change, case};
use crate::support::forge::{Forge, Issuer};

pub(super) fn all() -> Vec<(&'static str, Change)> {
    let long = |name, intermediates: usize| case(name, move |draft| draft.more = intermediates - 1);
    vec![
        long("6 intermediates", 6),
        long("7 intermediates", 7),
        long("8 intermediates", 8),
        long("9 intermediates", 9),
        long("10 intermediates", 10),
        long("19 intermediates", 19),
        long("20 intermediates", 20),
        long("30 intermediates", 30),
    ]
}

/// This many authorities in a row under `top`, the last first, and the leaf that the last one signed.
pub(super) fn below(top: Issuer, many: usize, leaf: &Forge) -> (Vec<Vec<u8>>, Vec<u8>) {
    let (mut authorities, mut issuer) = (Vec::new(), top);
    for number in 1..=many {
        let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        let mut forge = Forge::intermediate(&format!("Test Intermediate {number}"), &key, &issuer);
        forge.validity = leaf.validity.clone();
        let certificate = forge.sign(&issuer.key);
        authorities.insert(0, certificate.der().to_vec());
        issuer = Issuer { certificate, key };
    }
    let mut leaf = leaf.clone();
    leaf.issuer = issuer.certificate.subject().clone();
    let key_identifier = Some(issuer.key.public_key().key_identifier().to_vec());
    leaf.set(&AuthorityKeyIdentifier { key_identifier, ..Default::default() }, false);
    (authorities, leaf.sign_der(&issuer.key))
}
