//! Lists made.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;
use crate::issue::tests::Ca;
use crate::x509::CertificateRevocationList;
use ::time::Duration;
use ::time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

fn fields(number: u8) -> ListFields {
    ListFields {
        number: CrlNumber(vec![number]),
        this_update: NOW,
        next_update: NOW + Duration::days(7),
        base: None,
        scope: IssuingDistributionPoint::default(),
        freshest: Vec::new(),
    }
}

fn entry(serial: &[u8], reason: CrlReason) -> ListEntry {
    ListEntry { serial: SerialNumber::from_content(serial), at: NOW - Duration::DAY, reason, invalid_since: None }
}

fn list(ca: &Ca, fields: &ListFields, entries: &[ListEntry]) -> CertificateRevocationList {
    let mut maker = ListMaker::new(fields, &ca.certificate, &ca.key, 0).unwrap();
    entries.iter().for_each(|entry| maker.push(entry));
    let list = CertificateRevocationList::from_der(&maker.finish().unwrap()).unwrap();
    list.verify_signature(ca.key.public_key()).unwrap();
    list
}

#[test]
fn a_list_says_what_it_was_told() {
    let ca = Ca::root();
    let mut compromised = entry(&[5], CrlReason::KeyCompromise);
    compromised.invalid_since = Some(datetime!(2026-10-01 0:00 UTC));
    let list = list(&ca, &fields(3), &[compromised, entry(&[0, 0x80], CrlReason::Unspecified)]);
    assert_eq!((list.version(), list.this_update(), list.next_update()), (2, NOW, Some(NOW + Duration::days(7))));
    assert_eq!(list.issuer().der(), ca.certificate.subject().der());
    assert_eq!(list.number().unwrap(), Some(CrlNumber(vec![3])));
    let identifier = list.extensions().find::<AuthorityKeyIdentifier>().unwrap().unwrap();
    assert_eq!(identifier.value.key_identifier.as_deref(), ca.certificate.subject_key_identifier().unwrap());
    let [one, two] = list.entries() else { panic!("not two") };
    assert_eq!((one.serial.content(), one.reason().unwrap()), (&[5][..], Some(CrlReason::KeyCompromise)));
    assert_eq!(one.extensions.find::<InvalidityDate>().unwrap().unwrap().value.0, "20261001000000Z");
    assert!(two.extensions.is_empty(), "unspecified is said by saying nothing");
    assert!(!list.is_delta() && list.extensions().len() == 2);
}

#[test]
fn a_revocation_recorded_ahead_of_time_is_as_of_the_list() {
    let late = Some(NOW + Duration::days(100));
    let ahead =
        ListEntry { at: NOW + Duration::days(200), invalid_since: late, ..entry(&[5], CrlReason::KeyCompromise) };
    let list = list(&Ca::root(), &fields(3), &[ahead]);
    let [one] = list.entries() else { panic!("not one") };
    assert_eq!(one.revocation_date, NOW);
    assert_eq!(one.extensions.find::<InvalidityDate>().unwrap().unwrap().value.0, "20261123120000Z");
}

#[test]
fn a_list_of_any_size_is_shortest_der() {
    let ca = Ca::root();
    for count in [0_u32, 1, 2, 3, 200, 1500, 70_000] {
        let entries: Vec<ListEntry> =
            (0..count).map(|at| entry(&[&[1], &at.to_be_bytes()[..]].concat(), CrlReason::Superseded)).collect();
        assert_eq!(list(&ca, &fields(1), &entries).entries().len(), count as usize);
    }
}

#[test]
fn a_delta_list_names_its_base_and_nothing_fresher() {
    let ca = Ca::root();
    let mut delta = fields(9);
    delta.base = Some(CrlNumber(vec![7]));
    delta.freshest = vec!["http://ca.test/delta.crl".to_owned()];
    let made = list(&ca, &delta, &[entry(&[5], CrlReason::RemoveFromCrl)]);
    assert_eq!(made.base_number().unwrap(), Some(CrlNumber(vec![7])));
    assert!(made.extensions().find::<DeltaCrlIndicator>().unwrap().unwrap().critical);
    assert!(made.extensions().find::<FreshestCrl>().unwrap().is_none());
    delta.base = None;
    assert!(list(&ca, &delta, &[]).extensions().find::<FreshestCrl>().unwrap().is_some());
    delta.base = Some(CrlNumber(vec![9]));
    assert!(ListMaker::new(&delta, &ca.certificate, &ca.key, 0).is_err());
}

#[test]
fn only_a_signer_of_lists_makes_them() {
    let (ca, other) = (Ca::root(), Ca::root());
    let wrong = ListMaker::new(&fields(1), &ca.certificate, &other.key, 0);
    assert!(matches!(wrong, Err(IssueError::WrongKey { .. })));
    let leaf_key = crate::key::PrivateKey::generate(crate::key::KeyAlgorithm::P256).unwrap();
    let leaf = ca.issue_for(&leaf_key, "server", "CN=a.test", &["a.test"]);
    let not_a_signer = ListMaker::new(&fields(1), &leaf, &leaf_key, 0);
    assert!(matches!(not_a_signer, Err(IssueError::NoCrlSign { .. })));
    let mut early = fields(1);
    early.next_update = NOW;
    assert!(matches!(ListMaker::new(&early, &ca.certificate, &ca.key, 0), Err(IssueError::Updates { .. })));
}
