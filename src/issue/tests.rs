//! Certificates made and refused.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::*;
use crate::profile::Profile;
use crate::x509::extension::{BasicConstraints, ExtensionValue, KeyUsageBit};
use crate::x509::{Extension, oids};
use ::time::macros::datetime;
use ::time::{Duration, OffsetDateTime};

const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

pub(super) struct Ca {
    pub(super) key: PrivateKey,
    pub(super) certificate: Certificate,
}

impl Ca {
    fn with(profile: &Profile, subject: &str) -> Self {
        let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        let certificate = self_signed(profile, subject, &[], &key).unwrap();
        Self { key, certificate }
    }

    pub(super) fn root() -> Self {
        Self::with(&profile("root-ca"), "CN=Root")
    }

    fn issuer(&self) -> Issuer<'_> {
        Issuer::Authority { certificate: &self.certificate, key: &self.key }
    }

    /// A certificate of a built-in profile for this key.
    pub(super) fn issue_for(&self, key: &PrivateKey, name: &str, subject: &str, names: &[&str]) -> Certificate {
        let profile = profile(name);
        let (validity, _) = clamp(profile.validity(NOW, None).unwrap(), &self.certificate);
        issue(&profile, &request(subject, names, key), &self.issuer(), &serial(7), validity).unwrap()
    }

    fn issue(&self, profile: &Profile, subject: &str, names: &[&str]) -> Result<Certificate, IssueError> {
        let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        let (validity, _) = clamp(profile.validity(NOW, None).unwrap(), &self.certificate);
        issue(profile, &request(subject, names, &key), &self.issuer(), &serial(7), validity)
    }
}

fn profile(name: &str) -> Profile {
    Profile::built_in(name).unwrap()
}

fn serial(number: u8) -> SerialNumber {
    SerialNumber::from_bits([number; 16])
}

pub(super) fn request(subject: &str, names: &[&str], key: &PrivateKey) -> Request {
    Request {
        subject: subject.parse().unwrap(),
        names: names.iter().map(|name| name.parse().unwrap()).collect(),
        public_key: key.public_key().clone(),
        key_identifier: None,
    }
}

fn self_signed(profile: &Profile, subject: &str, names: &[&str], key: &PrivateKey) -> Result<Certificate, IssueError> {
    let validity = profile.validity(NOW, None).unwrap();
    issue(profile, &request(subject, names, key), &Issuer::SelfSigned(key), &serial(1), validity)
}

fn localhost(algorithm: KeyAlgorithm) -> (PrivateKey, Certificate) {
    let key = PrivateKey::generate(algorithm).unwrap();
    let certificate = self_signed(&profile("self-signed"), "CN=localhost", &["localhost"], &key).unwrap();
    (key, certificate)
}

#[test]
fn a_self_signed_certificate_of_every_kind_of_key_verifies_itself() {
    for algorithm in ["p256", "p384", "p521", "rsa:2048", "ed25519", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87"] {
        let (key, certificate) = localhost(algorithm.parse().unwrap());
        certificate.verify_signature(key.public_key()).unwrap();
        assert_eq!(certificate.version(), 3);
        assert_eq!(certificate.signature_algorithm_der(), certificate.tbs_signature_algorithm_der());
        assert_eq!(certificate.public_key_info(), key.public_key().spki_der(), "{algorithm}");
    }
}

#[test]
fn nothing_is_left_to_the_defaults_of_a_library() {
    let (key, certificate) = localhost(KeyAlgorithm::P256);
    assert_eq!(certificate.issuer().to_string(), "CN=localhost");
    assert_eq!(certificate.serial(), &serial(1));
    assert_eq!(certificate.validity().not_before, NOW - Duration::minutes(5));
    assert_eq!(certificate.validity().not_after, NOW - Duration::minutes(5) + Duration::days(365) - Duration::SECOND);
    let identifier = key.public_key().key_identifier().to_vec();
    assert_eq!(certificate.subject_key_identifier().unwrap(), Some(identifier.as_slice()));
    assert_eq!(certificate.authority_key_identifier().unwrap().unwrap().key_identifier, Some(identifier));
    assert_eq!(certificate.basic_constraints().unwrap(), Some(BasicConstraints { ca: false, path_len: None }));
    assert_eq!(certificate.key_usage().unwrap().unwrap().bits(), [KeyUsageBit::DigitalSignature]);
    assert_eq!(certificate.extended_key_usage().unwrap().unwrap().0, [oids::SERVER_AUTH]);
    let critical: Vec<String> =
        certificate.extensions().iter().filter(|extension| extension.critical).map(Extension::name).collect();
    assert_eq!(critical, ["basicConstraints", "keyUsage"]);
    assert_eq!(certificate.extensions().duplicate(), None);
}

#[test]
fn the_same_arguments_make_the_same_certificate() {
    for algorithm in [KeyAlgorithm::P256, KeyAlgorithm::Rsa(2048)] {
        let key = PrivateKey::generate(algorithm).unwrap();
        let make = || self_signed(&profile("self-signed"), "CN=localhost", &["localhost"], &key).unwrap();
        assert_eq!(make(), make(), "{algorithm}");
    }
}

#[test]
fn the_issuer_is_the_octets_of_the_cas_subject() {
    // Two attributes of one type, and two at one level: rcgen can write neither.
    let ca = Ca::with(&profile("root-ca"), "CN=Root+serialNumber=1,OU=b,OU=a,DC=example,DC=com");
    let leaf = ca.issue(&profile("server"), "OU=y+OU=x,OU=z", &["a.test"]).unwrap();
    assert_eq!(leaf.issuer().der(), ca.certificate.subject().der());
    assert_eq!(leaf.subject().to_string(), "OU=x+OU=y,OU=z");
    leaf.verify_signature(ca.key.public_key()).unwrap();
    let own = ca.certificate.subject_key_identifier().unwrap();
    assert_eq!(leaf.authority_key_identifier().unwrap().unwrap().key_identifier.as_deref(), own);
}

#[test]
fn an_rsa_ca_signs_for_a_p521_key() {
    let key = PrivateKey::generate(KeyAlgorithm::Rsa(2048)).unwrap();
    let ca = Ca { certificate: self_signed(&profile("root-ca"), "CN=Root", &[], &key).unwrap(), key };
    let leaf_key = PrivateKey::generate(KeyAlgorithm::P521).unwrap();
    let profile = profile("server");
    let validity = profile.validity(NOW, None).unwrap();
    let leaf = issue(&profile, &request("/", &["a.test"], &leaf_key), &ca.issuer(), &serial(2), validity).unwrap();
    assert_eq!(leaf.public_key().unwrap().algorithm(), KeyAlgorithm::P521);
    assert!(leaf.extensions().get(&oids::SUBJECT_ALT_NAME).unwrap().critical, "the subject is empty");
    leaf.verify_signature(ca.key.public_key()).unwrap();
}

#[test]
fn an_intermediate_ca_makes_leaves_and_no_further_ca() {
    let root = Ca::root();
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let intermediate = profile("intermediate-ca");
    let validity = intermediate.validity(NOW, None).unwrap();
    let request = request("CN=Intermediate", &[], &key);
    let certificate = issue(&intermediate, &request, &root.issuer(), &serial(2), validity).unwrap();
    assert_eq!(certificate.basic_constraints().unwrap(), Some(BasicConstraints { ca: true, path_len: Some(0) }));
    let ca = Ca { key, certificate };
    ca.issue(&profile("server"), "CN=a.test", &["a.test"]).unwrap();
    let refused = ca.issue(&intermediate, "CN=Below", &[]).unwrap_err();
    assert_eq!(refused, IssueError::PathLength { issuer: "Intermediate".into(), path_len: 0 });
}

#[test]
fn only_an_authority_with_its_own_key_signs() {
    let (key, certificate) = localhost(KeyAlgorithm::P256);
    let leaf = Ca { key, certificate };
    assert!(matches!(leaf.issue(&profile("client"), "CN=x", &[]), Err(IssueError::NotAnAuthority { .. })));
    let (one, other) = (Ca::root(), Ca::root());
    let mixed = Ca { key: one.key, certificate: other.certificate };
    assert!(matches!(mixed.issue(&profile("client"), "CN=x", &[]), Err(IssueError::WrongKey { .. })));
    let stranger = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let validity = profile("client").validity(NOW, None).unwrap();
    let request = request("CN=x", &[], &stranger);
    let refused = issue(&profile("client"), &request, &Issuer::SelfSigned(&mixed.key), &serial(1), validity);
    assert_eq!(refused.unwrap_err(), IssueError::NotOwnKey);
}

#[test]
fn a_ca_that_may_not_sign_certificates_does_not() {
    let mut odd = profile("root-ca");
    odd.key_usage = vec![KeyUsageBit::CrlSign];
    let ca = Ca::with(&odd, "CN=Lists");
    let refused = ca.issue(&profile("client"), "CN=x", &[]).unwrap_err();
    assert_eq!(refused, IssueError::NoCertSign { issuer: "Lists".into() });
}

#[test]
fn a_ca_for_clients_issues_to_no_server() {
    let mut narrow = profile("root-ca");
    narrow.extended_key_usage = vec![oids::CLIENT_AUTH];
    let ca = Ca::with(&narrow, "CN=Clients");
    ca.issue(&profile("client"), "CN=x", &[]).unwrap();
    ca.issue(&profile("ocsp-responder"), "CN=Responder", &[]).unwrap();
    let refused = ca.issue(&profile("server"), "CN=a.test", &["a.test"]).unwrap_err();
    assert_eq!(refused, IssueError::Purpose { issuer: "Clients".into(), purpose: "serverAuth".into() });
}

#[test]
fn no_certificate_outlives_its_issuer() {
    let ca = Ca::root();
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let long = profile("server").validity(NOW, Some(Duration::days(4000))).unwrap();
    let make = |validity| {
        issue(&profile("server"), &request("CN=a.test", &["a.test"], &key), &ca.issuer(), &serial(2), validity)
    };
    assert!(matches!(make(long), Err(IssueError::OutlivesIssuer { .. })));
    let (within, clamped) = clamp(long, &ca.certificate);
    assert!(clamped);
    assert_eq!(make(within).unwrap().validity().not_after, ca.certificate.validity().not_after);
    assert_eq!(clamp(within, &ca.certificate), (within, false));
    // Backdating reaches before the issuer's first moment, and is clamped too.
    let early = Validity { not_before: NOW - Duration::DAY, not_after: NOW };
    assert_eq!(clamp(early, &ca.certificate).0.not_before, ca.certificate.validity().not_before);
}

#[test]
fn an_issuer_is_checked_at_a_time() {
    let ca = Ca::root();
    let Validity { not_before, not_after } = *ca.certificate.validity();
    let at = |now| check_issuer(&ca.certificate, &ca.key, now);
    assert_eq!((at(not_before), at(not_after)), (Ok(()), Ok(())));
    assert!(matches!(at(not_after + Duration::SECOND), Err(IssueError::IssuerExpired { .. })));
    assert!(matches!(at(not_before - Duration::SECOND), Err(IssueError::IssuerNotYetValid { .. })));
    // After its end nothing is left to clamp to.
    let late = profile("client").validity(not_after + Duration::DAY, None).unwrap();
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let (none, _) = clamp(late, &ca.certificate);
    let refused = issue(&profile("client"), &request("CN=x", &[], &key), &ca.issuer(), &serial(2), none);
    assert!(matches!(refused, Err(IssueError::Validity { .. })));
}

#[test]
fn name_constraints_bind_before_clients_do() {
    let constrained = format!(
        "{}[name_constraints]\npermitted = [\"dns:a.test\", \"ip:10.0.0.0/8\"]\nexcluded = [\"dns:no.a.test\"]\n",
        Profile::template("root-ca").unwrap()
    );
    let ca = Ca::with(&Profile::from_toml("constrained", &constrained).unwrap(), "CN=Narrow");
    let extension = ca.certificate.extensions().get(&oids::NAME_CONSTRAINTS).unwrap();
    assert!(extension.critical && matches!(extension.decode().unwrap(), ExtensionValue::NameConstraints(_)));
    for (name, allowed) in [
        ("b.a.test", true),
        ("10.1.2.3", true),
        ("b.test", false),
        ("no.a.test", false),
        ("192.0.2.1", false),
        ("spiffe://b.test/x", true),
    ] {
        let made = ca.issue(&profile("peer"), "O=x", &[name, "a.test"]);
        assert_eq!(made.is_ok(), allowed, "{name}");
        assert!(allowed || made.unwrap_err().to_string().contains(name));
    }
}

#[test]
fn names_that_cannot_stand_there_are_refused() {
    let ca = Ca::root();
    let names = |profile: &str, names: Vec<GeneralName>| {
        let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        let request = Request {
            subject: DistinguishedName::empty(),
            names,
            public_key: key.public_key().clone(),
            key_identifier: None,
        };
        let profile = Profile::built_in(profile).unwrap();
        issue(&profile, &request, &ca.issuer(), &serial(2), profile.validity(NOW, None).unwrap()).map(drop)
    };
    for bad in ["", "a\0b", "a b", "-a", "..", "a..b", "*"] {
        assert!(matches!(names("client", vec![GeneralName::Dns(bad.into())]), Err(IssueError::Name(_))), "{bad:?}");
        assert!(matches!(names("client", vec![GeneralName::Email(bad.into())]), Err(IssueError::Name(_))), "{bad:?}");
        assert!(matches!(names("client", vec![GeneralName::Uri(bad.into())]), Err(IssueError::Name(_))), "{bad:?}");
    }
    assert!(matches!(names("client", vec![GeneralName::Ip(vec![1, 2, 3])]), Err(IssueError::Name(_))));
    let other = GeneralName::Other("1.2.3".parse().unwrap(), vec![5, 0]);
    assert!(matches!(names("client", vec![other]), Err(IssueError::NameForm { .. })));
    let email = GeneralName::Email("a@b.test".into());
    assert!(matches!(names("server", vec![email.clone()]), Err(IssueError::NameForm { .. })));
    let refused = names("server", vec![GeneralName::Uri("urn:x".into())]).unwrap_err();
    assert!(refused.to_string().contains("needs a DNS name or an IP address"), "{refused}");
    assert_eq!(names("client", vec![]), Err(IssueError::NoName));
    assert_eq!(names("email", vec![email]), Ok(()));
}

#[test]
fn duplicate_names_are_left_out_and_their_order_kept() {
    let ca = Ca::root();
    let names = ["b.test", "10.0.0.1", "a.test", "B.test"];
    let leaf = ca.issue(&profile("server"), "CN=b.test", &names).unwrap();
    let made: Vec<String> = leaf.subject_alt_names().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(made, ["dns:b.test", "ip:10.0.0.1", "dns:a.test"]);
}

#[test]
fn subjects_keep_to_the_standard() {
    let ca = Ca::root();
    let long = format!("CN={}", "x".repeat(65));
    for (subject, why) in [
        (long.as_str(), "65 characters, and 64"),
        ("CN=a\\00b", "control character"),
        ("CN=x,C=NORWAY", "two letters"),
        ("CN=x,O=\\ ", "is empty"),
    ] {
        // The reader of names may refuse it first.
        let Ok(subject) = subject.parse::<DistinguishedName>() else { continue };
        let refused = ca.issue(&profile("client"), &subject.to_string(), &[]).unwrap_err();
        assert!(refused.to_string().contains(why), "{refused}");
    }
    assert!(matches!(ca.issue(&profile("client"), "CN=root", &[]), Err(IssueError::SubjectIsIssuer(_))));
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    assert_eq!(self_signed(&profile("root-ca"), "/", &[], &key).unwrap_err(), IssueError::NoSubject);
    assert_eq!(self_signed(&profile("self-signed"), "/", &["a.test"], &key).unwrap_err(), IssueError::NoSubject);
}

#[test]
fn serials_and_times_keep_to_the_standard() {
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let profile = profile("client");
    let make = |serial: SerialNumber, not_before, not_after| {
        let validity = Validity { not_before, not_after };
        issue(&profile, &request("CN=x", &[], &key), &Issuer::SelfSigned(&key), &serial, validity)
    };
    for bad in [vec![0], vec![0x80], vec![1; 21]] {
        let refused = make(SerialNumber::from_content(&bad), NOW, NOW).unwrap_err();
        assert_eq!(refused, IssueError::Serial);
    }
    make(SerialNumber::from_content(&[0x7f; 20]), NOW, NOW).unwrap();
    assert!(matches!(make(serial(1), NOW, NOW - Duration::SECOND), Err(IssueError::Validity { .. })));
    let ancient = datetime!(1949-12-31 0:00 UTC);
    assert!(matches!(make(serial(1), ancient, NOW), Err(IssueError::Validity { .. })));
    let end = datetime!(9999-12-31 23:59:59 UTC);
    let certificate = make(serial(1), datetime!(2049-12-31 23:59:59.5 UTC), end).unwrap();
    assert!(certificate.validity_encoding().starts_with(b"\x17\x0d491231235959Z\x18\x0f9999"));
}

#[test]
fn a_request_asks_for_what_the_profile_says() {
    for algorithm in ["p256", "p384", "p521", "rsa:2048", "ed25519", "ml-dsa-65"] {
        let key = PrivateKey::generate(algorithm.parse().unwrap()).unwrap();
        let subject = "CN=a.test,OU=b,OU=a".parse().unwrap();
        let names = ["a.test".parse().unwrap(), "10.0.0.1".parse().unwrap(), "a.test".parse().unwrap()];
        let made = certification_request(&profile("server"), &subject, &names, &key).unwrap();
        made.verify_possession().unwrap();
        assert_eq!(made.subject(), &subject, "{algorithm}");
        assert_eq!(made.subject_alt_names().unwrap(), names[..2]);
        assert_eq!(made.public_key().unwrap(), *key.public_key());
        assert!(!made.requested::<BasicConstraints>().unwrap().unwrap().ca);
        assert!(made.extensions().get(&oids::AUTHORITY_KEY_IDENTIFIER).is_none());
    }
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let nothing = certification_request(&profile("client"), &DistinguishedName::empty(), &[], &key);
    assert_eq!(nothing.unwrap_err(), IssueError::NoName);
}

#[test]
fn who_objects_is_known_beforehand() {
    let said = |certificate: &Certificate| -> String {
        objections(certificate).iter().map(|objection| format!("{}; ", objection.client)).collect()
    };
    let (_, plain) = localhost(KeyAlgorithm::P256);
    assert_eq!(said(&plain), "NSS (Firefox, Chromium on Linux); certtool --verify (GnuTLS); ");
    assert!(said(&localhost(KeyAlgorithm::Ed25519).1).contains("Safari"));
    assert!(said(&localhost(KeyAlgorithm::P521).1).contains("ring"));
    assert!(said(&localhost(KeyAlgorithm::MlDsa65).1).contains("OpenSSL before 3.5"));

    let ca = Ca::root();
    assert_eq!(said(&ca.certificate), "");
    assert_eq!(said(&ca.issue(&profile("server"), "CN=a.test", &["a.test"]).unwrap()), "");
    assert_eq!(said(&ca.issue(&profile("client"), "CN=ann", &[]).unwrap()), "");

    let mut long = profile("server");
    long.lifetime = Duration::days(825);
    assert_eq!(said(&ca.issue(&long, "CN=a.test", &["a.test"]).unwrap()), "");
    long.lifetime = Duration::days(826);
    assert_eq!(said(&ca.issue(&long, "CN=a.test", &["a.test"]).unwrap()), "Apple (Safari, macOS, iOS); ");

    let mut nameless = profile("server");
    nameless.required_names = Vec::new();
    assert!(said(&ca.issue(&nameless, "CN=a.test", &[]).unwrap()).starts_with("Go, rustls"));
}
