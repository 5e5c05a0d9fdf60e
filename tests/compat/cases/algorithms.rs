//! Keys and signatures of every kind, weak ones too.

use certkit::key::{HashAlgorithm, KeyAlgorithm, PrivateKey, SignatureAlgorithm};
use certkit::x509::extension::{AuthorityKeyIdentifier, SubjectKeyIdentifier};

use super::{Change, Draft, case};
use crate::support::forge::Forge;
use crate::support::weak;

pub(super) fn all() -> Vec<(&'static str, Change)> {
    let leaf = |name, algorithm| case(name, move |draft| draft.set_leaf_key(made(algorithm)));
    let intermediate = |name, algorithm| case(name, move |draft| draft.set_intermediate_key(made(algorithm)));
    let root = |name, algorithm| case(name, move |draft| draft.set_root_key(made(algorithm)));
    let over = |name, hash| {
        case(name, move |draft| {
            draft.set_intermediate_key(made(KeyAlgorithm::Rsa(2048)));
            draft.leaf.algorithm = Some(SignatureAlgorithm::RsaPkcs1(hash));
        })
    };
    let intermediate_over = |name, hash| {
        case(name, move |draft| {
            draft.set_root_key(made(KeyAlgorithm::Rsa(2048)));
            draft.intermediate.algorithm = Some(SignatureAlgorithm::RsaPkcs1(hash));
        })
    };
    vec![
        leaf("P-384", KeyAlgorithm::P384),
        leaf("P-521", KeyAlgorithm::P521),
        leaf("Ed25519", KeyAlgorithm::Ed25519),
        leaf("RSA 2048", KeyAlgorithm::Rsa(2048)),
        leaf("ML-DSA-65", KeyAlgorithm::MlDsa65),
        case("RSA 1024", |draft| draft.set_leaf_key(weak::small_key())),
        intermediate("intermediate with RSA 2048", KeyAlgorithm::Rsa(2048)),
        intermediate("intermediate with P-521", KeyAlgorithm::P521),
        intermediate("intermediate with Ed25519", KeyAlgorithm::Ed25519),
        intermediate("intermediate with ML-DSA-65", KeyAlgorithm::MlDsa65),
        case("intermediate with RSA 1024", |draft| draft.set_intermediate_key(weak::small_key())),
        root("root with P-384", KeyAlgorithm::P384),
        root("root with Ed25519", KeyAlgorithm::Ed25519),
        root("root with ML-DSA-87", KeyAlgorithm::MlDsa87),
        case("root with RSA 1024", |draft| draft.set_root_key(weak::small_key())),
        over("signed over MD5", HashAlgorithm::Md5),
        over("signed over SHA-1", HashAlgorithm::Sha1),
        over("signed over SHA-224", HashAlgorithm::Sha224),
        intermediate_over("intermediate signed over MD5", HashAlgorithm::Md5),
        intermediate_over("intermediate signed over SHA-1", HashAlgorithm::Sha1),
        intermediate_over("intermediate signed over SHA-224", HashAlgorithm::Sha224),
        // Roots are not believed for their signatures.
        case("root signed over SHA-1", |draft| {
            draft.set_root_key(made(KeyAlgorithm::Rsa(2048)));
            draft.root.algorithm = Some(SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Sha1));
        }),
    ]
}

fn made(algorithm: KeyAlgorithm) -> PrivateKey {
    PrivateKey::generate(algorithm).unwrap()
}

impl Draft {
    fn set_leaf_key(&mut self, key: PrivateKey) {
        certify(&mut self.leaf, &key);
        self.leaf_key = key;
    }

    fn set_intermediate_key(&mut self, key: PrivateKey) {
        certify(&mut self.intermediate, &key);
        point_to(&mut self.leaf, &key);
        self.intermediate_key = key;
    }

    fn set_root_key(&mut self, key: PrivateKey) {
        certify(&mut self.root, &key);
        point_to(&mut self.intermediate, &key);
        self.root_key = key;
    }
}

fn certify(forge: &mut Forge, key: &PrivateKey) {
    forge.public_key_info = key.public_key().spki_der().to_vec();
    forge.set(&SubjectKeyIdentifier(key.public_key().key_identifier().to_vec()), false);
}

fn point_to(forge: &mut Forge, issuer: &PrivateKey) {
    let key_identifier = Some(issuer.public_key().key_identifier().to_vec());
    forge.set(&AuthorityKeyIdentifier { key_identifier, ..Default::default() }, false);
}
