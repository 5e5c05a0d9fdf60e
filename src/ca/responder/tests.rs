#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::ca::authority::tests::{Fixture, NOW, act, counting, serial};
use crate::ca::ledger::{Action, Revocation};
use crate::encoding::der::{self, tag};
use crate::issue::ResponderName;
use crate::key::digest;
use crate::x509::extension::CrlReason;
use crate::x509::{OcspResponse, oids};

const AN_HOUR: Duration = Duration::HOUR;

/// A CA that has issued 11 and 12, and a responder by its own key.
fn fixture() -> (Fixture, OcspResponder) {
    let mut fixture = Fixture::new();
    for number in [11, 12] {
        fixture.issue(3, &mut counting(number)).unwrap();
    }
    let certificate = fixture.authority.certificate().clone();
    let authority = Authority::open(certificate.clone(), fixture.ledger()).unwrap();
    let responder = Responder::issuer(certificate, fixture.key.clone(), ResponderName::Key).unwrap();
    let responder = OcspResponder::new(vec![(authority, responder)], AN_HOUR).unwrap();
    (fixture, responder)
}

fn id(issuer: &Certificate, number: u8) -> Vec<u8> {
    der::sequence(&[
        &der::sequence(&[&der::oid(&oids::SHA1), &der::null()]),
        &der::octet_string(&digest::sha1(issuer.subject().der())),
        &der::octet_string(&digest::sha1(issuer.public_key().unwrap().subject_public_key())),
        &der::unsigned(&[number]),
    ])
}

fn request(ids: &[Vec<u8>], nonce: Option<&[u8]>) -> Vec<u8> {
    let list: Vec<u8> = ids.iter().flat_map(|id| der::sequence(&[id])).collect();
    let nonce = nonce.map_or_else(Vec::new, |nonce| {
        let extension = der::sequence(&[&der::oid(&oids::OCSP_NONCE), &der::octet_string(&der::octet_string(nonce))]);
        der::tlv(tag::context_constructed(2), &der::tlv(tag::SEQUENCE, &extension))
    });
    der::sequence(&[&der::sequence(&[&der::tlv(tag::SEQUENCE, &list), &nonce])])
}

fn statuses(answer: &OcspAnswer) -> Vec<OcspStatus> {
    let OcspResponse::Successful(response) = OcspResponse::from_der(&answer.der).unwrap() else { panic!("declined") };
    let read: Vec<OcspStatus> = response.responses().iter().map(|single| single.status).collect();
    let said: Vec<OcspStatus> = answer.said.as_ref().unwrap().iter().map(|said| said.status).collect();
    assert_eq!(read, said);
    read
}

#[test]
fn a_revocation_shows_in_the_next_answer() {
    let (mut fixture, responder) = fixture();
    let ca = fixture.authority.certificate().clone();
    let ask = |number| responder.answer(&request(&[id(&ca, number)], None), NOW);
    assert_eq!(statuses(&ask(11)), [OcspStatus::Good]);
    assert_eq!(ask(11).held, Some((NOW, NOW + AN_HOUR)));
    let revocation = Revocation::new(NOW, CrlReason::KeyCompromise);
    fixture.authority.revoke(&serial(11), revocation, &act(Action::Revoke)).unwrap();
    assert_eq!(statuses(&ask(11)), [OcspStatus::Revoked { since: NOW, reason: Some(CrlReason::KeyCompromise) }]);
    assert_eq!(statuses(&ask(12)), [OcspStatus::Good]);
    assert_eq!(statuses(&ask(99)), [OcspStatus::Unknown]);
}

#[test]
fn that_a_revocation_was_raised_shows_in_the_next_answer() {
    let (mut fixture, responder) = fixture();
    let request = request(&[id(fixture.authority.certificate(), 11)], None);
    for (at, reason) in [(NOW, CrlReason::Superseded), (NOW + AN_HOUR, CrlReason::KeyCompromise)] {
        fixture.authority.revoke(&serial(11), Revocation::new(at, reason), &act(Action::Revoke)).unwrap();
        let told = OcspStatus::Revoked { since: NOW, reason: Some(reason) };
        assert_eq!(statuses(&responder.answer(&request, NOW)), [told]);
    }
}

#[test]
fn an_answer_is_given_again_for_half_its_time() {
    let (fixture, responder) = fixture();
    let ask = |minutes| {
        let request = request(&[id(fixture.authority.certificate(), 11)], None);
        responder.answer(&request, NOW + Duration::minutes(minutes)).held.unwrap().0
    };
    assert_eq!([ask(0), ask(29)], [NOW, NOW]);
    assert_eq!(ask(30), NOW + Duration::minutes(30));
    assert_eq!(ask(29), NOW + Duration::minutes(29), "a clock set back gets no answer from the time to come");
}

#[test]
fn a_nonce_comes_back_and_several_are_answered_at_once() {
    let (fixture, responder) = fixture();
    let (other, _) = self::fixture();
    let ca = fixture.authority.certificate();
    let ids = [id(ca, 11), id(ca, 99), id(other.authority.certificate(), 12)];
    let answer = responder.answer(&request(&ids, Some(&[5; 32])), NOW);
    assert_eq!(statuses(&answer), [OcspStatus::Good, OcspStatus::Unknown, OcspStatus::Unknown]);
    assert_eq!(answer.held, None);
    let OcspResponse::Successful(response) = OcspResponse::from_der(&answer.der).unwrap() else { panic!("declined") };
    assert_eq!(response.nonce().unwrap(), Some(vec![5; 32]));
    response.verify_signature(fixture.key.public_key()).unwrap();
}

#[test]
fn what_is_not_ours_or_no_request_is_declined() {
    let (_, responder) = fixture();
    let (other, _) = self::fixture();
    let declined = |request: &[u8]| responder.answer(request, NOW).said.unwrap_err();
    let theirs = request(&[id(other.authority.certificate(), 11)], None);
    assert_eq!(declined(&theirs), OcspDecline::Unauthorized);
    assert_eq!(declined(b"nonsense"), OcspDecline::MalformedRequest);
    assert_eq!(declined(&request(&[], None)), OcspDecline::MalformedRequest);
}

#[test]
fn each_authority_speaks_for_its_own() {
    let voices: Vec<(Fixture, OcspResponder)> = vec![fixture(), fixture()];
    let cas: Vec<(Certificate, crate::key::PrivateKey)> =
        voices.iter().map(|(fixture, _)| (fixture.authority.certificate().clone(), fixture.key.clone())).collect();
    let both = voices.iter().map(|(fixture, _)| {
        let certificate = fixture.authority.certificate().clone();
        let authority = Authority::open(certificate.clone(), fixture.ledger()).unwrap();
        (authority, Responder::issuer(certificate, fixture.key.clone(), ResponderName::Key).unwrap())
    });
    let responder = OcspResponder::new(both.collect(), AN_HOUR).unwrap();
    for (ca, key) in &cas {
        let answer = responder.answer(&request(&[id(ca, 11)], None), NOW);
        assert_eq!(statuses(&answer), [OcspStatus::Good]);
        let OcspResponse::Successful(response) = OcspResponse::from_der(&answer.der).unwrap() else { panic!() };
        response.verify_signature(key.public_key()).unwrap();
    }
    // One signature cannot speak for both: the first that is asked about decides.
    let [(one, _), (other, _)] = cas.as_slice() else { panic!() };
    let mixed = responder.answer(&request(&[id(one, 11), id(other, 11)], None), NOW);
    assert_eq!(statuses(&mixed), [OcspStatus::Good, OcspStatus::Unknown]);
}

#[test]
fn an_answer_holds_no_longer_than_the_certificate_of_its_signer() {
    let (fixture, _) = fixture();
    let ca = fixture.authority.certificate().clone();
    let authority = Authority::open(ca.clone(), fixture.ledger()).unwrap();
    let responder = Responder::issuer(ca.clone(), fixture.key.clone(), ResponderName::Key).unwrap();
    let responder = OcspResponder::new(vec![(authority, responder)], Duration::days(30)).unwrap();
    let answer = responder.answer(&request(&[id(&ca, 11)], None), NOW);
    assert_eq!(answer.next_update, Some(ca.validity().not_after));
}

#[test]
fn a_responder_of_another_authority_is_refused() {
    let (fixture, responder) = fixture();
    let (other, _) = self::fixture();
    let theirs =
        || Responder::issuer(other.authority.certificate().clone(), other.key.clone(), ResponderName::Key).unwrap();
    let ours = fixture.authority.certificate().clone();
    assert!(matches!(responder.replace(&ours, theirs()), Err(AuthorityError::NotItsResponder { .. })));
    let mixed = OcspResponder::new(vec![(fixture.authority, theirs())], AN_HOUR);
    assert!(matches!(mixed, Err(AuthorityError::NotItsResponder { .. })));
}

#[test]
fn a_revoked_delegate_says_nothing_more_until_another_speaks() {
    let mut fixture = Fixture::new();
    fixture.issue(3, &mut counting(11)).unwrap();
    let ca = fixture.authority.certificate().clone();
    let mut delegate = |number: u8| {
        let profile = crate::profile::Profile::built_in("ocsp-responder").unwrap();
        let key = crate::key::PrivateKey::generate(profile.key).unwrap();
        let wanted = crate::issue::Wanted { common_name: Some("OCSP"), subject: None, names: &[] };
        let request = crate::issue::Naming::new(&profile, wanted).unwrap().request(key.public_key().clone());
        let validity = profile.validity(NOW, None).unwrap();
        let order = crate::ca::Order { profile: &profile, request: &request, validity };
        let mut signatory = fixture.authority.unlock(&fixture.key, NOW).unwrap();
        let issued = signatory.issue(&order, &mut counting(number), &act(Action::Issue)).unwrap();
        Responder::delegate(issued.certificate, key, &ca, ResponderName::Key).unwrap()
    };
    let (first, second) = (delegate(21), delegate(22));
    let key = second.certificate().public_key().unwrap();
    let authority = Authority::open(ca.clone(), fixture.ledger()).unwrap();
    let responder = OcspResponder::new(vec![(authority, first)], AN_HOUR).unwrap();
    let ask = || responder.answer(&request(&[id(&ca, 11)], None), NOW);
    assert_eq!(statuses(&ask()), [OcspStatus::Good]);
    assert_eq!(responder.silence_revoked(), []);
    let revocation = Revocation::new(NOW, CrlReason::KeyCompromise);
    fixture.authority.revoke(&serial(21), revocation, &act(Action::Revoke)).unwrap();
    assert_eq!(responder.silence_revoked(), std::slice::from_ref(&ca));
    assert_eq!(ask().said, Err(OcspDecline::TryLater), "what it signed before is not given again");
    assert_eq!(responder.silence_revoked(), [], "told once");
    assert_eq!(responder.delegations(), [(ca.clone(), None)]);
    responder.replace(&ca, second).unwrap();
    let answer = ask();
    let OcspResponse::Successful(response) = OcspResponse::from_der(&answer.der).unwrap() else { panic!("declined") };
    response.verify_signature(&key).unwrap();
}
