//! One certificate for each rule of the gate, wrong in that alone.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::issue::layout::{self, Fields};
use crate::key::{KeyAlgorithm, PrivateKey};
use crate::x509::extension::GeneralSubtree;
use crate::x509::{DistinguishedName, Extension, SerialNumber};
use ::time::Duration;
use ::time::macros::datetime;

const VALIDITY: Validity =
    Validity { not_before: datetime!(2026-11-23 0:00 UTC), not_after: datetime!(2026-12-22 23:59:59 UTC) };

/// What a certificate is made of, as a maker would who follows no rules.
struct Forged {
    profile: Profile,
    ca: Certificate,
    ca_key: PrivateKey,
    issuer: DistinguishedName,
    subject: DistinguishedName,
    serial: Vec<u8>,
    validity: Validity,
    spki: Vec<u8>,
    extensions: Vec<Extension>,
    algorithm: SignatureAlgorithm,
    outer_algorithm: Vec<u8>,
    signer: PrivateKey,
    edit: fn(Vec<u8>) -> Vec<u8>,
}

impl Forged {
    fn sound() -> Self {
        let ca_key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        let ca = root(&ca_key, None);
        let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        let profile = Profile::built_in("server").unwrap();
        let identifier = Some(ca_key.public_key().key_identifier().to_vec());
        let extensions = vec![
            Extension::new(&profile.basic_constraints, true),
            Extension::new(&profile.key_usage_for(KeyAlgorithm::P256), true),
            Extension::new(&ExtendedKeyUsage(vec![oids::SERVER_AUTH]), false),
            Extension::new(&SubjectAltName(vec!["a.test".parse().unwrap()]), false),
            Extension::new(&SubjectKeyIdentifier(key.public_key().key_identifier().to_vec()), false),
            Extension::new(&AuthorityKeyIdentifier { key_identifier: identifier, ..Default::default() }, false),
        ];
        let algorithm = ca_key.signature_algorithm();
        Self {
            profile,
            issuer: ca.subject().clone(),
            subject: DistinguishedName::common_name_only("a.test"),
            serial: vec![1; 16],
            validity: VALIDITY,
            spki: key.public_key().spki_der().to_vec(),
            extensions,
            algorithm,
            outer_algorithm: algorithm.to_algorithm_identifier(),
            signer: ca_key.clone(),
            edit: |tbs| tbs,
            ca,
            ca_key,
        }
    }

    fn with<T: ExtensionType>(mut self, value: &T, critical: bool) -> Self {
        let changed = Extension::new(value, critical);
        match self.extensions.iter_mut().find(|extension| extension.oid == changed.oid) {
            Some(extension) => *extension = changed,
            None => self.extensions.push(changed),
        }
        self
    }

    fn without<T: ExtensionType>(mut self) -> Self {
        self.extensions.retain(|extension| extension.oid != T::OID);
        self
    }

    fn faults(&self) -> Vec<String> {
        let tbs = layout::tbs_certificate(&Fields {
            serial: &SerialNumber::from_content(&self.serial),
            algorithm: &self.algorithm.to_algorithm_identifier(),
            issuer: self.issuer.der(),
            validity: self.validity,
            subject: self.subject.der(),
            public_key_info: &self.spki,
            extensions: &self.extensions,
        });
        let tbs = (self.edit)(tbs.unwrap());
        let signature = self.signer.sign(self.algorithm, &tbs).unwrap();
        let certificate = Certificate::from_der(&layout::signed(&tbs, &self.outer_algorithm, &signature)).unwrap();
        let issuer = Issuer::Authority { certificate: &self.ca, key: &self.ca_key };
        faults(&certificate, &self.profile, &issuer, None, None).iter().map(ToString::to_string).collect()
    }
}

fn root(key: &PrivateKey, constraints: Option<NameConstraints>) -> Certificate {
    let mut profile = Profile::built_in("root-ca").unwrap();
    profile.name_constraints = constraints;
    let request = crate::issue::Request {
        subject: DistinguishedName::common_name_only("Root"),
        names: Vec::new(),
        public_key: key.public_key().clone(),
        key_identifier: None,
    };
    let validity = Validity { not_after: VALIDITY.not_after + Duration::days(60), ..VALIDITY };
    crate::issue::issue(&profile, &request, &Issuer::SelfSigned(key), &SerialNumber::from_content(&[1]), validity)
        .unwrap()
}

/// This fault and no other.
fn one(forged: &Forged, wanted: &str) {
    let faults = forged.faults();
    assert!(faults.len() == 1 && faults.concat().contains(wanted), "{wanted}: {faults:?}");
}

#[test]
fn a_sound_certificate_passes() {
    assert_eq!(Forged::sound().faults(), Vec::<String>::new());
}

#[test]
fn every_field_is_looked_at() {
    one(&Forged { serial: vec![0], ..Forged::sound() }, "§4.1.2.2");
    one(&Forged { serial: vec![1; 21], ..Forged::sound() }, "§4.1.2.2");
    let backwards = Validity { not_before: VALIDITY.not_after, not_after: VALIDITY.not_before };
    one(&Forged { validity: backwards, ..Forged::sound() }, "ends before it begins");
    one(&Forged { issuer: DistinguishedName::common_name_only("root"), ..Forged::sound() }, "not the CA's subject");
    // UTCTime 2026 written as GeneralizedTime 2026.
    let long = |tbs: Vec<u8>| replaced(&tbs, b"\x17\x0d261123000000Z", b"\x18\x0f20261123000000Z", 2);
    one(&Forged { edit: long, ..Forged::sound() }, "§4.1.2.5");
    let version = |tbs: Vec<u8>| replaced(&tbs, &[0xa0, 3, 2, 1, 2], &[0xa0, 3, 2, 1, 1], 0);
    one(&Forged { edit: version, ..Forged::sound() }, "§4.1.2.1");
}

/// `tbs` with these octets in the place of others, and the lengths around validity set right.
fn replaced(tbs: &[u8], from: &[u8], to: &[u8], longer: u8) -> Vec<u8> {
    let at = tbs.windows(from.len()).position(|window| window == from).unwrap();
    let mut edited = [&tbs[..at], to, &tbs[at + from.len()..]].concat();
    if longer > 0 {
        edited[at - 1] += longer;
        let length = u16::from_be_bytes([edited[2], edited[3]]) + u16::from(longer);
        edited[2..4].copy_from_slice(&length.to_be_bytes());
    }
    edited
}

#[test]
fn the_signature_is_the_issuers_and_the_one_chosen() {
    let other = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    one(&Forged { signer: other, ..Forged::sound() }, "§4.1.1.3");
    let sha384 = SignatureAlgorithm::Ecdsa(crate::key::HashAlgorithm::Sha384);
    let outer_algorithm = sha384.to_algorithm_identifier();
    one(
        &Forged { algorithm: sha384, outer_algorithm: outer_algorithm.clone(), ..Forged::sound() },
        "not the one chosen",
    );
    let differs = Forged { outer_algorithm, ..Forged::sound() }.faults();
    assert!(differs.iter().any(|fault| fault.contains("§4.1.1.2")), "{differs:?}");
}

#[test]
fn every_extension_is_looked_at() {
    let usage = KeyUsage::new(&[KeyUsageBit::DigitalSignature]);
    let ca = BasicConstraints { ca: true, path_len: None };
    one(&Forged::sound().with(&ca, true), "§4.2.1.9");
    one(&Forged::sound().with(&Forged::sound().profile.basic_constraints, false), "§4.2.1.9");
    one(&Forged::sound().without::<BasicConstraints>(), "§4.2.1.9");
    one(&Forged::sound().with(&KeyUsage::new(&[KeyUsageBit::KeyCertSign]), true), "§4.2.1.3");
    one(&Forged::sound().with(&usage, false), "§4.2.1.3");
    one(&Forged::sound().with(&ExtendedKeyUsage(vec![oids::CLIENT_AUTH]), false), "§4.2.1.12");
    one(&Forged::sound().with(&ExtendedKeyUsage(vec![oids::SERVER_AUTH]), true), "§4.2.1.12");
    one(&Forged::sound().with(&SubjectKeyIdentifier(vec![1; 20]), false), "§4.2.1.2");
    one(&Forged::sound().with(&AuthorityKeyIdentifier::default(), false), "§4.2.1.1");
    one(&Forged::sound().without::<AuthorityKeyIdentifier>(), "§4.2.1.1");
    one(&Forged::sound().with(&TlsFeature(vec![5]), false), "nobody asked for");
    one(&Forged::sound().with(&crate::x509::extension::InhibitAnyPolicy(0), true), "nobody asked for");
    let mut twice = Forged::sound();
    twice.extensions.push(Extension::new(&usage, true));
    one(&twice, "stands twice");
    let points = CrlDistributionPoints(vec![DistributionPoint::at_uri("http://a.test/")]);
    one(&Forged::sound().with(&points, false), "nobody asked for");
    let mut promised = Forged::sound();
    promised.profile.ocsp.push("http://ocsp.a.test/".into());
    one(&promised, "§4.2.2.1");
}

#[test]
fn names_are_those_of_the_profile_the_limits_and_the_issuer() {
    let names = |names: &[&str]| SubjectAltName(names.iter().map(|name| name.parse().unwrap()).collect());
    one(&Forged::sound().with(&names(&["a.test", "ann@a.test"]), false), "no place for email:ann@a.test");
    one(&Forged::sound().with(&names(&["a.test"]), true), "§4.2.1.6");
    one(&Forged { subject: DistinguishedName::empty(), ..Forged::sound() }, "§4.2.1.6");
    one(&Forged::sound().without::<SubjectAltName>(), "subjectAltName is missing");
    one(&Forged::sound().with(&names(&["uri:https://a.test/"]), false), "form that the profile requires");
    let malformed = SubjectAltName(vec![GeneralName::Dns("a..test".into())]);
    one(&Forged::sound().with(&malformed, false), "a..test");

    let mut limited = Forged::sound();
    limited.profile.limits.max_lifetime = Some(Duration::days(29));
    one(&limited, "max_days");
    limited.profile.limits = Default::default();
    limited.profile.limits.denied_names = vec![subtree("a.test")];
    one(&limited, "denied_names");

    let mut constrained = Forged::sound();
    let permitted = NameConstraints { permitted: vec![subtree("b.test")], excluded: Vec::new() };
    constrained.ca = root(&constrained.ca_key, Some(permitted));
    one(&constrained, "§4.2.1.10");
}

fn subtree(domain: &str) -> GeneralSubtree {
    GeneralSubtree { base: GeneralName::Dns(domain.into()), minimum: 0, maximum: None }
}

#[test]
fn the_validity_lies_within_the_issuers() {
    let validity = Validity { not_after: VALIDITY.not_after + Duration::days(90), ..VALIDITY };
    one(&Forged { validity, ..Forged::sound() }, "§6.1.3");
}
