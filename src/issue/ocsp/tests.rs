//! Responses made.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use super::*;
use crate::issue::tests::Ca;
use crate::key::KeyAlgorithm;
use crate::x509::OcspResponse;
use crate::x509::ocsp::{BasicOcspResponse, ResponderId};
use ::time::Duration;
use ::time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

/// A CertID of SHA-256 for this certificate.
fn id(certificate: &Certificate, issuer: &Certificate) -> Vec<u8> {
    der::sequence(&[
        &der::sequence(&[&der::oid(&oids::SHA256)]),
        &der::octet_string(&digest::sha256(certificate.issuer().der())),
        &der::octet_string(&digest::sha256(issuer.public_key().unwrap().subject_public_key())),
        &der::tlv(tag::INTEGER, certificate.serial().content()),
    ])
}

fn read(encoding: &[u8]) -> BasicOcspResponse {
    match OcspResponse::from_der(encoding).unwrap() {
        OcspResponse::Successful(response) => response,
        OcspResponse::Declined(why) => panic!("{why:?}"),
    }
}

#[test]
fn a_response_says_what_it_was_told() {
    let ca = Ca::root();
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let leaf = ca.issue_for(&key, "server", "CN=a.test", &["a.test"]);
    let id = id(&leaf, &ca.certificate);
    let revoked = OcspStatus::Revoked { since: NOW - Duration::DAY, reason: Some(CrlReason::KeyCompromise) };
    for status in [OcspStatus::Good, OcspStatus::Unknown, revoked] {
        for name in [ResponderName::Key, ResponderName::Subject] {
            let responder = Responder::issuer(ca.certificate.clone(), ca.key.clone(), name).unwrap();
            let reply = Reply { certificate: &id, status, this_update: NOW, next_update: Some(NOW + Duration::HOUR) };
            let response = read(&responder.respond(&[reply], NOW, Some(&[9; 32])).unwrap());
            response.verify_signature(ca.key.public_key()).unwrap();
            let single = &response.responses()[0];
            assert_eq!(
                (single.status, single.this_update, single.next_update),
                (status, NOW, Some(NOW + Duration::HOUR))
            );
            assert_eq!(single.certificate.is(&leaf, &ca.certificate), Some(true));
            assert_eq!(response.nonce().unwrap(), Some(vec![9; 32]));
            assert!(response.responder().is(&ca.certificate) && response.certificates().is_empty());
            assert_eq!(matches!(response.responder(), ResponderId::Name(_)), name == ResponderName::Subject);
        }
    }
}

#[test]
fn an_unspecified_reason_is_left_out() {
    let ca = Ca::root();
    let responder = Responder::issuer(ca.certificate.clone(), ca.key.clone(), ResponderName::Key).unwrap();
    // A clock that was ahead has recorded it: it is as of the answer.
    let status = OcspStatus::Revoked { since: NOW + Duration::DAY, reason: Some(CrlReason::Unspecified) };
    let id = id(&ca.certificate, &ca.certificate);
    let reply = Reply { certificate: &id, status, this_update: NOW, next_update: None };
    let response = read(&responder.respond(&[reply], NOW, None).unwrap());
    assert_eq!(response.responses()[0].status, OcspStatus::Revoked { since: NOW, reason: None });
    assert!(response.nonce().unwrap().is_none() && response.responses()[0].next_update.is_none());
}

#[test]
fn a_delegate_sends_its_certificate_and_needs_the_issuers_word() {
    let (ca, other) = (Ca::root(), Ca::root());
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let delegate = ca.issue_for(&key, "ocsp-responder", "CN=responder", &[]);
    let responder = Responder::delegate(delegate.clone(), key.clone(), &ca.certificate, ResponderName::Key).unwrap();
    let response = read(&responder.respond(&[], NOW, None).unwrap());
    response.verify_signature(key.public_key()).unwrap();
    assert_eq!(response.certificates(), std::slice::from_ref(&delegate));
    assert!(responder.speaks_for(&ca.certificate) && !responder.speaks_for(&other.certificate));
    let refused = |certificate: &Certificate, key: &PrivateKey, issuer: &Certificate| {
        Responder::delegate(certificate.clone(), key.clone(), issuer, ResponderName::Key).unwrap_err()
    };
    assert!(matches!(refused(&delegate, &key, &other.certificate), IssueError::NoDelegate { .. }));
    assert!(matches!(refused(&delegate, &ca.key, &ca.certificate), IssueError::WrongKey { .. }));
    let server = ca.issue_for(&key, "server", "CN=a.test", &["a.test"]);
    assert!(matches!(refused(&server, &key, &ca.certificate), IssueError::NoDelegate { .. }));
}

#[test]
fn a_declined_request_is_told_why() {
    for why in [
        OcspDecline::MalformedRequest,
        OcspDecline::InternalError,
        OcspDecline::TryLater,
        OcspDecline::SigRequired,
        OcspDecline::Unauthorized,
    ] {
        match OcspResponse::from_der(&decline(why)).unwrap() {
            OcspResponse::Declined(read) => assert_eq!(read, why),
            OcspResponse::Successful(_) => panic!("no answer was given"),
        }
    }
}
