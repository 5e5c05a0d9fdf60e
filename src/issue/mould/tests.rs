//! What a mould makes, held against what is made one by one.

#![allow(clippy::unwrap_used)]

use super::super::tests::{Ca, request};
use super::super::{clamp, issue};
use super::*;
use ::time::Duration;
use ::time::macros::datetime;

const CASES: [(&str, &str, &[&str]); 6] = [
    ("server", "CN=a.test", &["a.test", "127.0.0.1", "::1"]),
    ("server", "CN=Länger,OU=b+OU=a,O=Example,C=NO", &["*.b.test", "A.test", "a.test"]),
    ("server", "", &["c.test"]),
    ("client", "CN=ann", &[]),
    ("client", "CN=bob,emailAddress=bob@a.test", &["bob@a.test"]),
    ("code-signing", "CN=Example", &[]),
];

fn profile(name: &str) -> Arc<Profile> {
    let mut profile = Profile::built_in(name).unwrap();
    profile.ocsp = vec!["http://ocsp.a.test".to_owned()];
    profile.crl = vec!["http://a.test/ca.crl".to_owned()];
    Arc::new(profile)
}

fn validity(ca: &Ca, days: i64) -> Validity {
    let not_before = datetime!(2026-11-24 0:00 UTC);
    clamp(Validity { not_before, not_after: not_before + Duration::days(days) }, &ca.certificate).0
}

fn serial(number: u8) -> SerialNumber {
    SerialNumber::from_bits([number; 16])
}

fn mould(ca: &Ca, profile: &Arc<Profile>, request: &Request) -> Mould {
    let issuer = (&ca.certificate, &ca.key);
    Mould::new(Nonces::Derived, profile, request, issuer, &serial(1), validity(ca, 30)).unwrap().1
}

#[test]
fn what_it_makes_is_what_is_made_one_by_one() {
    let ca = Ca::root();
    for algorithm in [KeyAlgorithm::P256, KeyAlgorithm::Rsa(2048), KeyAlgorithm::MlDsa44] {
        let key = PrivateKey::generate(algorithm).unwrap();
        for (first, subject, names) in CASES {
            let profile = profile(first);
            let mould = mould(&ca, &profile, &request(subject, names, &key));
            let other = PrivateKey::generate(algorithm).unwrap();
            for (_, subject, names) in CASES.iter().filter(|(name, ..)| *name == first) {
                for days in [30, 31, 1] {
                    let mut request = request(subject, names, &other);
                    request.key_identifier = (days == 31).then(|| vec![1, 2, 3]);
                    if !mould.fits(&profile, &request) {
                        continue;
                    }
                    let (validity, serial) = (validity(&ca, days), serial(0x80 + u8::try_from(days).unwrap()));
                    let made = mould.make(Nonces::Derived, &request, &ca.key, &serial, validity).unwrap();
                    let issuer = Issuer::Authority { certificate: &ca.certificate, key: &ca.key };
                    let alone = issue(&profile, &request, &issuer, &serial, validity).unwrap();
                    assert_eq!(made.der(), alone.der(), "{algorithm} {first} {subject} {days}");
                }
            }
        }
    }
}

#[test]
fn it_fits_what_has_the_same_parts_only() {
    let ca = Ca::root();
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let server = profile("server");
    let mould = mould(&ca, &server, &request("CN=a.test", &["a.test"], &key));
    assert!(mould.fits(&server, &request("CN=b.test", &["b.test", "c.test"], &key)));
    assert!(!mould.fits(&server, &request("", &["b.test"], &key)), "then subjectAltName is critical");
    assert!(!mould.fits(&server, &request("CN=b.test", &[], &key)));
    assert!(!mould.fits(&profile("server"), &request("CN=b.test", &["b.test"], &key)), "another profile");
    let rsa = PrivateKey::generate(KeyAlgorithm::Rsa(2048)).unwrap();
    assert!(!mould.fits(&server, &request("CN=b.test", &["b.test"], &rsa)), "another keyUsage");
}

#[test]
fn it_refuses_what_is_refused_one_by_one() {
    let ca = Ca::root();
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let server = profile("server");
    let mould = mould(&ca, &server, &request("CN=a.test", &["a.test"], &key));
    let sound = request("CN=b.test", &["b.test"], &key);
    let far = Validity { not_after: ca.certificate.validity().not_after + Duration::SECOND, ..validity(&ca, 1) };
    let bad_name = Request { names: vec![GeneralName::Dns("a..test".to_owned())], ..sound.clone() };
    let bad_form = Request { names: vec!["ann@a.test".parse().unwrap()], ..sound.clone() };
    let bad_subject = Request { subject: ca.certificate.subject().clone(), ..sound.clone() };
    for (request, serial, validity) in [
        (&bad_name, serial(2), validity(&ca, 1)),
        (&bad_form, serial(2), validity(&ca, 1)),
        (&bad_subject, serial(2), validity(&ca, 1)),
        (&sound, serial(0), validity(&ca, 1)),
        (&sound, serial(2), far),
    ] {
        let made = mould.make(Nonces::Derived, request, &ca.key, &serial, validity);
        let issuer = Issuer::Authority { certificate: &ca.certificate, key: &ca.key };
        let alone = issue(&server, request, &issuer, &serial, validity);
        assert_eq!(made.unwrap_err().to_string(), alone.unwrap_err().to_string());
    }
    let other = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let made = mould.make(Nonces::Derived, &sound, &other, &serial(2), validity(&ca, 1));
    assert!(matches!(made, Err(IssueError::WrongKey { .. })), "{made:?}");
}

#[test]
fn what_is_not_as_the_first_one_was_is_not_given_out() {
    let ca = Ca::root();
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let server = profile("server");
    let asked = request("CN=b.test", &["b.test"], &key);
    type Fault = fn(&mut Mould);
    let faults: [(Fault, &str); 4] = [
        (|mould| mould.version = vec![0xa0, 3, 2, 1, 1], "a field"),
        (|mould| mould.extensions.swap(0, 1), "extensions"),
        (|mould| drop(mould.extensions.pop()), "extensions"),
        (|mould| mould.extensions.retain(|part| !matches!(part, Part::Names(_))), "extensions"),
    ];
    for (break_it, part) in faults {
        let mut mould = mould(&ca, &server, &request("CN=a.test", &["a.test"], &key));
        break_it(&mut mould);
        let error = mould.make(Nonces::Derived, &asked, &ca.key, &serial(2), validity(&ca, 1)).unwrap_err();
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
}
