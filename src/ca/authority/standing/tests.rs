#![allow(clippy::unwrap_used)]

use super::*;
use crate::ca::authority::tests::{Fixture, NOW, act, counting, naming, serial};
use crate::ca::ledger::Action;
use crate::ca::{ListOrder, Order, Task};
use crate::key::KeyAlgorithm;
use crate::profile::Profile;
use crate::x509::Validity;
use crate::x509::extension::CrlReason;
use std::sync::Arc;
use time::Duration;

/// An authority below that of the fixture, with serial number 20.
fn below(fixture: &mut Fixture) -> (Authority, PrivateKey) {
    let profile = Profile::built_in("intermediate-ca").unwrap();
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let request = naming(&profile, "Issuing CA").request(key.public_key().clone());
    let validity = Validity { not_before: NOW, not_after: NOW + Duration::days(3) };
    let order = Order { profile: &profile, request: &request, validity };
    let mut signatory = fixture.authority.unlock(&fixture.key, NOW).unwrap();
    let issued = signatory.establish(&order, &mut counting(20), &act(Action::Intermediate)).unwrap();
    let root = fixture.authority.certificate().clone();
    (Authority::open(issued.certificate, fixture.ledger()).unwrap().below(vec![root]), key)
}

fn revoke(fixture: &mut Fixture, reason: CrlReason) {
    fixture.authority.revoke(&serial(20), Revocation::new(NOW, reason), &act(Action::Revoke)).unwrap();
}

#[test]
fn a_revoked_authority_certifies_nothing_and_signs_its_lists() {
    let mut fixture = Fixture::new();
    let (mut issuing, key) = below(&mut fixture);
    assert_eq!(issuing.revoked().unwrap(), None);
    assert!(issuing.unlock(&key, NOW).is_ok());
    revoke(&mut fixture, CrlReason::KeyCompromise);
    let refused = issuing.unlock(&key, NOW).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "Issuing CA (serial number 14) is revoked: keyCompromise since 2026-11-23T12:00:00Z: nothing is certified with it"
    );
    let order = ListOrder {
        this_update: NOW,
        next_update: NOW + Duration::days(1),
        delta: false,
        url: None,
        freshest: Vec::new(),
        backdated: false,
    };
    let mut status = issuing.unlock_for_status(&key, NOW).unwrap();
    assert_eq!(status.publish(&order, &act(Action::Crl)).unwrap().list.entries, 0);

    let responder = Profile::built_in("ocsp-responder").unwrap();
    let validity = Validity { not_before: NOW, not_after: NOW + Duration::days(1) };
    let delegate = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let request = naming(&responder, "OCSP").request(delegate.public_key().clone());
    let order = Order { profile: &responder, request: &request, validity };
    status.delegate(&order, &mut counting(30), &act(Action::Issue)).unwrap();
    let client = Profile::built_in("client").unwrap();
    let order = Order { profile: &client, request: &request, validity };
    let other = status.delegate(&order, &mut counting(31), &act(Action::Issue));
    assert!(matches!(other, Err(AuthorityError::NoResponderProfile { .. })), "{other:?}");
}

#[test]
fn a_key_that_another_certificate_was_revoked_for_signs_no_more() {
    let mut fixture = Fixture::new();
    let (mut issuing, key) = below(&mut fixture);
    // The same name and key, as a cross-certificate has them; it is no authority in the ledger.
    let profile = Profile::built_in("intermediate-ca").unwrap();
    let request = naming(&profile, "Issuing CA").request(key.public_key().clone());
    let validity = Validity { not_before: NOW, not_after: NOW + Duration::days(2) };
    let order = Order { profile: &profile, request: &request, validity };
    let mut signatory = fixture.authority.unlock(&fixture.key, NOW).unwrap();
    signatory.certify(&order, &mut counting(50), &act(Action::CrossSign)).unwrap();
    let mut revoke = |reason| {
        fixture.authority.revoke(&serial(50), Revocation::new(NOW, reason), &act(Action::Revoke)).unwrap();
    };
    revoke(CrlReason::CertificateHold);
    assert!(issuing.unlock(&key, NOW).is_ok(), "the other certificate alone is on hold");
    revoke(CrlReason::KeyCompromise);
    let refused = issuing.unlock(&key, NOW).unwrap_err();
    assert!(refused.to_string().starts_with("Issuing CA (serial number 32) is revoked: keyCompromise"), "{refused}");
}

#[test]
fn what_was_made_before_a_revocation_is_not_recorded_after_it() {
    let mut fixture = Fixture::new();
    let (mut issuing, key) = below(&mut fixture);
    let profile = Arc::new(Profile::built_in("client").unwrap());
    let request =
        naming(&profile, "Ann").request(PrivateKey::generate(KeyAlgorithm::P256).unwrap().public_key().clone());
    let validity = Validity { not_before: NOW, not_after: NOW + Duration::days(1) };
    let mut signatory = issuing.unlock(&key, NOW).unwrap();
    let mut record = |number| {
        let task = Task { profile: Arc::clone(&profile), request: request.clone(), validity };
        let made = signatory.press().make(task, &mut counting(number)).unwrap();
        signatory.record_all(vec![made], &mut counting(number), &act(Action::Issue))
    };
    assert_eq!(record(60).unwrap().len(), 1);
    revoke(&mut fixture, CrlReason::KeyCompromise);
    assert!(matches!(record(61), Err(AuthorityError::Revoked(_))));
    assert_eq!(issuing.count().unwrap(), 1);
}

#[test]
fn no_request_is_answered_after_a_revocation() {
    let mut fixture = Fixture::new();
    let (mut issuing, key) = below(&mut fixture);
    let profile = Profile::built_in("client").unwrap();
    let request =
        naming(&profile, "Ann").request(PrivateKey::generate(KeyAlgorithm::P256).unwrap().public_key().clone());
    let validity = Validity { not_before: NOW, not_after: NOW + Duration::days(1) };
    let petition = crate::ca::Petition { request, label: "ann".to_owned(), profile, left_out: Vec::new() };
    let mut signatory = issuing.unlock(&key, NOW).unwrap();
    let mut sign = |number| signatory.sign(&petition, validity, &mut counting(number), &act(Action::Sign));
    assert!(sign(70).unwrap().is_ok());
    revoke(&mut fixture, CrlReason::KeyCompromise);
    assert!(matches!(sign(71), Err(AuthorityError::Revoked(_))));
}

#[test]
fn a_compromised_key_of_an_authority_without_a_common_name_signs_no_more() {
    let mut fixture = Fixture::new();
    let profile = Profile::built_in("intermediate-ca").unwrap();
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let mut request = naming(&profile, "Ours").request(key.public_key().clone());
    request.subject = "O=Ours".parse().unwrap();
    let validity = Validity { not_before: NOW, not_after: NOW + Duration::days(2) };
    let order = Order { profile: &profile, request: &request, validity };
    let mut signatory = fixture.authority.unlock(&fixture.key, NOW).unwrap();
    let issued = signatory.establish(&order, &mut counting(20), &act(Action::Intermediate)).unwrap();
    signatory.certify(&order, &mut counting(50), &act(Action::CrossSign)).unwrap();
    let mut issuing = Authority::open(issued.certificate, fixture.ledger()).unwrap();
    assert!(issuing.unlock(&key, NOW).is_ok());
    fixture
        .authority
        .revoke(&serial(50), Revocation::new(NOW, CrlReason::KeyCompromise), &act(Action::Revoke))
        .unwrap();
    assert!(matches!(issuing.unlock(&key, NOW), Err(AuthorityError::Revoked(_))));
}

#[test]
fn a_hold_ends_with_its_release() {
    let mut fixture = Fixture::new();
    let (mut issuing, key) = below(&mut fixture);
    revoke(&mut fixture, CrlReason::CertificateHold);
    let held = issuing.unlock(&key, NOW).unwrap_err();
    assert!(held.to_string().contains("is on hold since 2026-11-23T12:00:00Z"), "{held}");
    fixture.authority.release(&serial(20), &act(Action::Release)).unwrap();
    assert!(issuing.unlock(&key, NOW).is_ok());
}

#[test]
fn what_is_below_a_revoked_authority_certifies_nothing_either() {
    let mut fixture = Fixture::new();
    let (issuing, _) = below(&mut fixture);
    let issuing = issuing.certificate().clone();
    revoke(&mut fixture, CrlReason::CessationOfOperation);
    // Whoever is called below it; what it is itself the ledger need not say.
    let root = fixture.authority.certificate().clone();
    let mut lowest = Authority::open(root.clone(), fixture.ledger()).unwrap().below(vec![issuing, root]);
    let revoked = lowest.revoked().unwrap().unwrap();
    assert!(revoked.is_above && revoked.serial == serial(20), "{revoked:?}");
    assert!(matches!(lowest.unlock(&fixture.key, NOW), Err(AuthorityError::Revoked(_))));
}

#[test]
fn no_authoritys_key_is_certified_for_anything_else() {
    let mut fixture = Fixture::new();
    let (_, key) = below(&mut fixture);
    let profile = Profile::built_in("client").unwrap();
    let validity = Validity { not_before: NOW, not_after: NOW + Duration::days(1) };
    for own in [fixture.key.public_key().clone(), key.public_key().clone()] {
        let request = naming(&profile, "Ann").request(own);
        let order = Order { profile: &profile, request: &request, validity };
        let mut signatory = fixture.authority.unlock(&fixture.key, NOW).unwrap();
        let refused = signatory.issue(&order, &mut counting(40), &act(Action::Issue));
        assert!(matches!(refused, Err(AuthorityError::OwnKey { .. })), "{refused:?}");
    }
}

#[test]
fn what_an_authority_has_certified_that_was_not_there_before_is_looked_at_too() {
    let mut fixture = Fixture::new();
    let (mut issuing, key) = below(&mut fixture);
    assert_eq!(issuing.revoked().unwrap(), None);

    let mut profile = Profile::built_in("intermediate-ca").unwrap();
    let own = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let validity = Validity { not_before: NOW, not_after: NOW + Duration::days(3) };
    profile.basic_constraints.path_len = Some(1);
    let request = naming(&profile, "Other CA").request(own.public_key().clone());
    let order = Order { profile: &profile, request: &request, validity };
    let mut signatory = fixture.authority.unlock(&fixture.key, NOW).unwrap();
    let made = signatory.establish(&order, &mut counting(40), &act(Action::Intermediate)).unwrap().certificate;
    let mut other = Authority::open(made, fixture.ledger()).unwrap();
    profile.basic_constraints.path_len = Some(0);
    let request = naming(&profile, "Issuing CA").request(key.public_key().clone());
    let order = Order { profile: &profile, request: &request, validity };
    let mut signatory = other.unlock(&own, NOW).unwrap();
    signatory.certify(&order, &mut counting(50), &act(Action::CrossSign)).unwrap();
    assert_eq!(issuing.revoked().unwrap(), None);
    other.revoke(&serial(50), Revocation::new(NOW, CrlReason::KeyCompromise), &act(Action::Revoke)).unwrap();
    assert_eq!(issuing.revoked().unwrap().map(|it| it.serial), Some(serial(50)));
    // They are read no more often than there are new ones.
    let read = issuing.known.certificates().as_ptr();
    issuing.refuse_revoked().unwrap_err();
    assert_eq!(issuing.known.certificates().as_ptr(), read);
}
