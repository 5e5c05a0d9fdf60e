#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::ca::authority::tests::{Fixture, NOW, act, counting, serial};
use crate::ca::ledger::Action;
use crate::x509::CertificateRevocationList;
use crate::x509::extension::CrlReason;
use crate::x509::ocsp::OcspStatus;
use time::Duration;

/// A CA that has issued certificates with the serial numbers 11, 12, 13 for these days.
fn fixture(days: [i64; 3]) -> Fixture {
    let mut fixture = Fixture::new();
    for (number, days) in (11..).zip(days) {
        fixture.issue(days, &mut counting(number)).unwrap();
    }
    fixture
}

fn order(delta: bool, this_update: OffsetDateTime) -> ListOrder {
    let next_update = this_update + Duration::days(7);
    ListOrder { this_update, next_update, delta, url: None, freshest: Vec::new(), backdated: false }
}

fn publish(fixture: &mut Fixture, order: &ListOrder) -> (PublishedList, Vec<(u8, Option<CrlReason>)>) {
    let Fixture { authority, key, .. } = fixture;
    let published = authority.unlock_for_status(key, NOW).unwrap().publish(order, &act(Action::Crl)).unwrap();
    let list = CertificateRevocationList::from_der(&published.der).unwrap();
    list.verify_signature(key.public_key()).unwrap();
    assert_eq!(list.number().unwrap().unwrap().0, [u8::try_from(published.list.number).unwrap()]);
    let entries = list.entries().iter().map(|it| (it.serial.content()[0], it.reason().unwrap())).collect();
    (published, entries)
}

fn revoke(fixture: &mut Fixture, number: u8, reason: CrlReason) {
    fixture.authority.revoke(&serial(number), Revocation::new(NOW, reason), &act(Action::Revoke)).unwrap();
}

#[test]
fn a_revoked_certificate_is_in_the_next_list_and_its_status_is_known() {
    let mut fixture = fixture([3; 3]);
    let (first, entries) = publish(&mut fixture, &order(false, NOW));
    assert_eq!((first.list.number, entries), (1, vec![]));
    revoke(&mut fixture, 12, CrlReason::KeyCompromise);
    assert!(fixture.authority.has_changed_since(&first.list).unwrap());
    let (second, entries) = publish(&mut fixture, &order(false, NOW));
    assert_eq!((second.list.number, entries), (2, vec![(12, Some(CrlReason::KeyCompromise))]));
    assert!(!fixture.authority.has_changed_since(&second.list).unwrap());
    assert_eq!(fixture.authority.last_lists(false).unwrap(), std::slice::from_ref(&second.list));
    assert_eq!(fixture.authority.lists(None, false, 9).unwrap(), [second.list, first.list]);
    let mut status = |number| fixture.authority.status(&serial(number)).unwrap();
    assert_eq!(status(11), OcspStatus::Good);
    assert_eq!(status(12), OcspStatus::Revoked { since: NOW, reason: Some(CrlReason::KeyCompromise) });
    assert_eq!(status(99), OcspStatus::Unknown);
}

#[test]
fn a_delta_has_what_changed_since_the_last_complete_list() {
    let mut fixture = fixture([3; 3]);
    let no_base =
        fixture.authority.unlock_for_status(&fixture.key, NOW).unwrap().publish(&order(true, NOW), &act(Action::Crl));
    assert!(matches!(no_base, Err(AuthorityError::NoCompleteList)));
    revoke(&mut fixture, 11, CrlReason::CertificateHold);
    publish(&mut fixture, &order(false, NOW));
    revoke(&mut fixture, 12, CrlReason::Superseded);
    fixture.authority.release(&serial(11), &act(Action::Release)).unwrap();
    let (delta, entries) = publish(&mut fixture, &order(true, NOW));
    assert_eq!(delta.list.base, Some(1));
    assert_eq!(entries, [(12, Some(CrlReason::Superseded)), (11, Some(CrlReason::RemoveFromCrl))]);
    let (_, entries) = publish(&mut fixture, &order(false, NOW));
    assert_eq!(entries, [(12, Some(CrlReason::Superseded))]);
    assert_eq!(fixture.authority.status(&serial(11)).unwrap(), OcspStatus::Good);
}

#[test]
fn a_complete_list_and_a_delta_of_one_moment_have_one_number() {
    let mut fixture = fixture([3; 3]);
    let (base, _) = publish(&mut fixture, &order(false, NOW));
    revoke(&mut fixture, 12, CrlReason::Superseded);
    let Fixture { authority, key, .. } = &mut fixture;
    let mut signatory = authority.unlock_for_status(key, NOW).unwrap();
    let both = signatory.publish_both(&order(false, NOW), &base.list, &order(true, NOW), &act(Action::Crl)).unwrap();
    let (complete, delta) = (both.0, both.1.unwrap());
    assert_eq!((complete.list.number, complete.list.base), (2, None));
    assert_eq!((delta.list.number, delta.list.base), (2, Some(1)));
    let listed = |der: &[u8]| CertificateRevocationList::from_der(der).unwrap().entries().len();
    assert_eq!((listed(&complete.der), listed(&delta.der)), (1, 1));
    // The next delta may build upon either: here upon the one that clients have had for long.
    let upon = signatory.publish_upon(&base.list, &order(true, NOW), &act(Action::Crl)).unwrap();
    assert_eq!((upon.list.number, upon.list.base, upon.list.entries), (3, Some(1), 1));
}

#[test]
fn a_list_is_never_from_before_the_last_one_and_no_delta_builds_upon_one_that_lapsed() {
    let mut fixture = fixture([30; 3]);
    publish(&mut fixture, &order(false, NOW));
    let mut attempt = |order: ListOrder| {
        fixture
            .authority
            .unlock_for_status(&fixture.key, NOW)
            .unwrap()
            .publish(&order, &act(Action::Crl))
            .map(|it| it.list)
    };
    let early = NOW - Duration::days(1);
    let refused = attempt(order(false, early)).unwrap_err();
    assert!(refused.to_string().ends_with("is the clock right?"), "{refused}");
    assert!(matches!(attempt(order(true, early)), Err(AuthorityError::ListBefore { number: 1, .. })));
    // Clocks that differ a little are those of two hosts.
    assert_eq!(attempt(order(false, NOW - Duration::minutes(4))).unwrap().this_update, NOW);
    assert_eq!(attempt(ListOrder { backdated: true, ..order(false, early) }).unwrap().this_update, early);
    assert_eq!(attempt(order(false, NOW)).unwrap().number, 4, "no number is drawn for a list that is refused");
    let lapsed = attempt(order(true, NOW + Duration::days(7))).unwrap_err();
    assert!(matches!(lapsed, AuthorityError::LapsedBase { number: 4, .. }), "{lapsed}");
}

#[test]
fn an_expired_certificate_is_on_one_list_after_its_end_and_then_on_none() {
    let mut fixture = fixture([1, 4, 4]);
    revoke(&mut fixture, 11, CrlReason::Superseded);
    let mut listed = |days| publish(&mut fixture, &order(false, NOW + Duration::days(days))).1.len();
    assert_eq!((listed(0), listed(2), listed(3)), (1, 1, 0));
}

#[test]
fn what_is_revoked_after_its_end_is_on_one_complete_list_as_on_a_delta() {
    let mut fixture = fixture([1, 4, 4]);
    let after = NOW + Duration::days(2);
    let (first, _) = publish(&mut fixture, &order(false, after));
    revoke(&mut fixture, 11, CrlReason::KeyCompromise);
    assert!(fixture.authority.has_changed_since(&first.list).unwrap());
    let mut listed = |order: &ListOrder| publish(&mut fixture, order).1.len();
    assert_eq!((listed(&order(true, after)), listed(&order(false, after)), listed(&order(false, after))), (1, 1, 0));
}

#[test]
fn a_list_from_a_time_to_come_takes_nothing_off_the_next_one() {
    let mut fixture = fixture([4, 4, 4]);
    revoke(&mut fixture, 11, CrlReason::KeyCompromise);
    // By a clock that was ahead the certificate had ended.
    assert_eq!(publish(&mut fixture, &order(false, NOW + Duration::days(5))).1.len(), 1);
    let forced = ListOrder { backdated: true, ..order(false, NOW) };
    assert_eq!(publish(&mut fixture, &forced).1, [(11, Some(CrlReason::KeyCompromise))]);
}

#[test]
fn a_list_for_a_distribution_point_has_its_name_and_its_own_deltas() {
    let mut fixture = fixture([3; 3]);
    let at = |delta| ListOrder { url: Some("http://ca.test/a.crl".to_owned()), ..order(delta, NOW) };
    let (published, _) = publish(&mut fixture, &at(false));
    let list = CertificateRevocationList::from_der(&published.der).unwrap();
    let scope = list.extensions().find::<IssuingDistributionPoint>().unwrap().unwrap();
    assert!(scope.critical);
    assert_eq!(scope.value, scope_of(Some("http://ca.test/a.crl")));
    let other =
        fixture.authority.unlock_for_status(&fixture.key, NOW).unwrap().publish(&order(true, NOW), &act(Action::Crl));
    assert!(matches!(other, Err(AuthorityError::NoCompleteList)));
    assert_eq!(publish(&mut fixture, &at(true)).0.list.base, Some(1));
}
