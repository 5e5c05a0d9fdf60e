//! Revocations and lists, whatever keeps them.

use super::*;
use crate::x509::extension::CrlReason;

fn serial(number: u8) -> SerialNumber {
    SerialNumber::from_content(&[number])
}

fn revocation(reason: CrlReason) -> Revocation {
    Revocation::new(NOW, reason)
}

/// A ledger with certificates of these serial numbers.
fn with_leaves(store: &Store, serials: &[u8]) -> (Box<dyn Ledger>, AuthorityId) {
    let (mut ledger, by) = with_root(store);
    for number in serials {
        ledger.record(by, &entry(&leaf(*number, "a.test")), &act(Action::Issue)).unwrap();
    }
    (ledger, by)
}

fn revoke(ledger: &mut dyn Ledger, by: AuthorityId, number: u8, reason: CrlReason) -> Result<Record, LedgerError> {
    ledger.revoke(by, &serial(number), revocation(reason), &act(Action::Revoke))
}

fn entries(ledger: &mut dyn Ledger, by: AuthorityId, since: Option<Mark>) -> Vec<(u8, CrlReason)> {
    let mut seen = Vec::new();
    ledger
        .revoked(by, since, &mut |revoked| {
            seen.push((revoked.serial.content()[0], revoked.revocation.reason));
            ControlFlow::Continue(())
        })
        .unwrap();
    seen
}

fn list(numbered: Numbered, base: Option<u64>) -> SignedList {
    SignedList {
        number: numbered.number,
        base,
        scope: String::new(),
        this_update: NOW,
        next_update: NOW + Duration::days(7),
        fingerprint: vec![7; 32],
        entries: 2,
        mark: numbered.mark,
    }
}

pub(super) fn a_revocation_is_recorded_with_its_reason_and_stays(store: &Store) {
    let (mut ledger, by) = with_leaves(store, &[9, 10]);
    let since = Some(NOW - Duration::days(1));
    let compromised = Revocation { invalid_since: since, ..revocation(CrlReason::KeyCompromise) };
    let revoked = ledger.revoke(by, &serial(9), compromised, &act(Action::Revoke)).unwrap();
    assert_eq!(revoked.revocation, Some(compromised));
    let mut other = store.open();
    let found = other.find(by, &Query { revoked: Some(true), ..Query::default() }).unwrap();
    assert_eq!(found, [revoked]);
    for reason in [CrlReason::Superseded, CrlReason::CertificateHold] {
        let again = revoke(&mut *other, by, 9, reason);
        assert!(
            matches!(again, Err(LedgerError::AlreadyRevoked { revocation, .. }) if revocation == compromised),
            "{again:?}"
        );
    }
    let line = audit(&mut *other).pop().unwrap();
    assert!(line.detail.starts_with("keyCompromise; at "), "{line:?}");
    assert_eq!((line.what.as_str(), line.serial), ("revoke", Some(serial(9))));
    assert_eq!(line.fingerprint, leaf(9, "a.test").fingerprint_sha256());
}

pub(super) fn only_a_certificate_of_the_authority_is_revoked(store: &Store) {
    let (mut ledger, by) = with_leaves(store, &[9]);
    let unknown = revoke(&mut *ledger, by, 8, CrlReason::Superseded);
    assert!(matches!(unknown, Err(LedgerError::Unknown { .. })), "{unknown:?}");
    let own = revoke(&mut *ledger, by, 1, CrlReason::CaCompromise);
    assert!(matches!(own, Err(LedgerError::Own { .. })), "{own:?}");
    let nothing = revoke(&mut *ledger, by, 9, CrlReason::RemoveFromCrl);
    assert!(matches!(nothing, Err(LedgerError::NoReason)), "{nothing:?}");
    let other = certificate("Other", "Other", 1, &[], NOW);
    let other = ledger.add_authority(&other, "root-ca", &act(Action::Init)).unwrap();
    let another = revoke(&mut *ledger, other, 9, CrlReason::Superseded);
    assert!(matches!(another, Err(LedgerError::Unknown { .. })), "{another:?}");
    assert_eq!(audit(&mut *ledger).len(), 3, "what is refused leaves no line");
    assert_eq!(entries(&mut *ledger, by, None), []);
}

pub(super) fn a_hold_is_lifted_or_becomes_a_revocation_and_is_remembered(store: &Store) {
    let (mut ledger, by) = with_leaves(store, &[9, 10]);
    let free = ledger.release(by, &serial(9), &act(Action::Release));
    assert!(matches!(free, Err(LedgerError::NotOnHold { revocation: None, .. })), "{free:?}");
    for number in [9, 10] {
        revoke(&mut *ledger, by, number, CrlReason::CertificateHold).unwrap();
    }
    let twice = revoke(&mut *ledger, by, 9, CrlReason::CertificateHold);
    assert!(matches!(twice, Err(LedgerError::AlreadyRevoked { .. })), "{twice:?}");
    let released = ledger.release(by, &serial(9), &act(Action::Release)).unwrap();
    assert_eq!(released.revocation, None);
    revoke(&mut *ledger, by, 10, CrlReason::KeyCompromise).unwrap();
    let gone = ledger.release(by, &serial(10), &act(Action::Release));
    assert!(matches!(gone, Err(LedgerError::NotOnHold { revocation: Some(_), .. })), "{gone:?}");
    assert_eq!(entries(&mut *ledger, by, None), [(10, CrlReason::KeyCompromise)]);
    let history: Vec<CrlReason> = ledger.history(released.id).unwrap().iter().map(|change| change.reason).collect();
    assert_eq!(history, [CrlReason::CertificateHold, CrlReason::RemoveFromCrl]);
}

pub(super) fn a_revocation_is_raised_to_a_compromise_and_never_lowered(store: &Store) {
    use CrlReason::{AaCompromise, CaCompromise, CertificateHold, KeyCompromise, Superseded, Unspecified};
    let (mut ledger, by) = with_leaves(store, &[9, 10, 11]);
    let days = |days| NOW + Duration::days(days);
    let known = Revocation { invalid_since: Some(days(-5)), ..revocation(Superseded) };
    ledger.revoke(by, &serial(9), known, &act(Action::Revoke)).unwrap();
    revoke(&mut *ledger, by, 10, Unspecified).unwrap();
    revoke(&mut *ledger, by, 11, Superseded).unwrap();
    let base = ledger.next_crl_number(by, 0).unwrap();
    ledger.record_list(by, &list(base, None), &act(Action::Crl)).unwrap();
    let mut raise = |number, reason, since| {
        let later = Revocation { at: days(2), reason, invalid_since: since };
        ledger.revoke(by, &serial(number), later, &act(Action::Revoke)).map(|record| record.revocation.unwrap())
    };
    // The first time stands, and of those since when it is not to be trusted the earlier one.
    let raised = Revocation { reason: KeyCompromise, ..known };
    assert_eq!(raise(9, KeyCompromise, Some(days(-1))).unwrap(), raised);
    let earlier = Revocation { at: NOW, reason: AaCompromise, invalid_since: Some(days(-9)) };
    assert_eq!(raise(10, AaCompromise, Some(days(-9))).unwrap(), earlier);
    assert_eq!(raise(11, CaCompromise, None).unwrap(), revocation(CaCompromise));
    for reason in CrlReason::ALL.into_iter().filter(|reason| *reason != CrlReason::RemoveFromCrl) {
        let again = raise(9, reason, Some(days(-20)));
        assert!(
            matches!(again, Err(LedgerError::AlreadyRevoked { revocation, .. }) if revocation == raised),
            "{reason:?}: {again:?}"
        );
    }
    let mut ledger = store.open();
    let kept = ledger.release(by, &serial(9), &act(Action::Release));
    assert!(matches!(kept, Err(LedgerError::NotOnHold { .. })), "{kept:?}");
    let all = [(9, KeyCompromise), (10, AaCompromise), (11, CaCompromise)];
    assert_eq!(entries(&mut *ledger, by, None), all);
    assert_eq!(entries(&mut *ledger, by, Some(base.mark)), all);
    let record = ledger.find(by, &Query { serial: Some(serial(9)), ..Query::default() }).unwrap().remove(0);
    assert_eq!(ledger.history(record.id).unwrap(), [known, raised]);
    let lines = audit(&mut *ledger);
    assert_eq!(lines.len(), 11, "a root, three certificates and revocations, a list, three that were raised");
    assert!(
        lines[8].detail.starts_with("keyCompromise; at 2026-11-23T12:00:00Z; invalid since 2026-11-18"),
        "{:?}",
        lines[8]
    );
    // A hold that becomes a compromise is no raise: it was not revoked yet.
    let held = leaf(12, "a.test");
    ledger.record(by, &entry(&held), &act(Action::Issue)).unwrap();
    revoke(&mut *ledger, by, 12, CertificateHold).unwrap();
    let compromised = Revocation::new(days(2), KeyCompromise);
    let record = ledger.revoke(by, &serial(12), compromised, &act(Action::Revoke)).unwrap();
    assert_eq!(record.revocation, Some(compromised));
}

pub(super) fn a_revocation_that_is_to_come_is_made_sooner_and_never_later(store: &Store) {
    use CrlReason::{CertificateHold, KeyCompromise, Superseded, Unspecified};
    let (mut ledger, by) = with_leaves(store, &[9, 10, 11, 12]);
    let days = |days| NOW + Duration::days(days);
    let ahead = |reason| Revocation { invalid_since: Some(days(20)), ..Revocation::new(days(30), reason) };
    for (number, revocation) in [
        (9, ahead(KeyCompromise)),
        (10, ahead(Superseded)),
        (11, ahead(CertificateHold)),
        // As much as clocks may differ.
        (12, Revocation::new(NOW + Revocation::SKEW, Superseded)),
    ] {
        ledger.revoke(by, &serial(number), revocation, &act(Action::Revoke)).unwrap();
    }
    let mark = ledger.next_crl_number(by, 0).unwrap().mark;
    let mut again = |number, reason, at| {
        let done = ledger.revoke(by, &serial(number), Revocation::new(at, reason), &act(Action::Revoke));
        done.map(|record| record.revocation.unwrap())
    };
    let now = |reason| Revocation { invalid_since: Some(NOW), ..Revocation::new(NOW, reason) };
    assert_eq!(again(9, Superseded, NOW).unwrap(), now(KeyCompromise), "its reason stays");
    assert_eq!(again(10, KeyCompromise, NOW).unwrap(), now(KeyCompromise), "it is raised with that");
    assert_eq!(again(11, CertificateHold, NOW).unwrap(), now(CertificateHold));
    for (number, at) in [(9, NOW), (9, days(-1)), (9, days(40)), (12, NOW)] {
        let refused = again(number, Unspecified, at);
        assert!(matches!(refused, Err(LedgerError::AlreadyRevoked { .. })), "{number}: {refused:?}");
    }
    let changed = entries(&mut *ledger, by, Some(mark));
    assert_eq!(changed, [(9, KeyCompromise), (10, KeyCompromise), (11, CertificateHold)], "a delta tells of it");
    let line = audit(&mut *ledger).pop().unwrap();
    assert!(line.detail.starts_with("certificateHold; at ") && line.what == "revoke", "{line:?}");
    // Past the ledger no later either.
    let later = format!("UPDATE certificates SET revoked_at = {} WHERE reason = 1", days(50).unix_timestamp());
    assert!(store.try_to_spoil(&later).contains("never undone"));
}

pub(super) fn a_delta_has_what_changed_after_its_base_whatever_the_clock_said(store: &Store) {
    let (mut ledger, by) = with_leaves(store, &[9, 10, 11, 12]);
    revoke(&mut *ledger, by, 12, CrlReason::Superseded).unwrap();
    revoke(&mut *ledger, by, 9, CrlReason::CertificateHold).unwrap();
    let base = ledger.next_crl_number(by, 0).unwrap();
    ledger.record_list(by, &list(base, None), &act(Action::Crl)).unwrap();
    assert_eq!(entries(&mut *ledger, by, Some(base.mark)), []);
    let yesterday = Act { at: NOW - Duration::days(1), ..act(Action::Release) };
    ledger.release(by, &serial(9), &yesterday).unwrap();
    let early = Revocation::new(NOW - Duration::days(1), CrlReason::KeyCompromise);
    ledger.revoke(by, &serial(11), early, &yesterday).unwrap();
    revoke(&mut *ledger, by, 10, CrlReason::CertificateHold).unwrap();
    revoke(&mut *ledger, by, 10, CrlReason::PrivilegeWithdrawn).unwrap();
    let delta = [(9, CrlReason::RemoveFromCrl), (11, CrlReason::KeyCompromise), (10, CrlReason::PrivilegeWithdrawn)];
    assert_eq!(entries(&mut *ledger, by, Some(base.mark)), delta);
    let complete = [(10, CrlReason::PrivilegeWithdrawn), (11, CrlReason::KeyCompromise), (12, CrlReason::Superseded)];
    assert_eq!(entries(&mut *ledger, by, None), complete);
    assert_eq!(entries(&mut *ledger, by, Some(Mark::BEGINNING)).len(), 4);
    let next = ledger.next_crl_number(by, 0).unwrap();
    assert_eq!(entries(&mut *ledger, by, Some(next.mark)), []);
}

pub(super) fn a_reader_of_entries_may_break_off(store: &Store) {
    let (mut ledger, by) = with_leaves(store, &[9, 10]);
    for number in [9, 10] {
        revoke(&mut *ledger, by, number, CrlReason::Superseded).unwrap();
    }
    let mut seen = 0;
    ledger
        .revoked(by, None, &mut |_| {
            seen += 1;
            ControlFlow::Break(())
        })
        .unwrap();
    assert_eq!(seen, 1);
}

pub(super) fn crl_numbers_only_grow_and_are_handed_out_once(store: &Store) {
    let (mut ledger, by) = with_root(store);
    let mut next = |above| ledger.next_crl_number(by, above).unwrap().number;
    assert_eq!([next(0), next(0), next(41), next(7)], [1, 2, 42, 43]);
    let other = certificate("Other", "Other", 1, &[], NOW);
    let other = ledger.add_authority(&other, "root-ca", &act(Action::Init)).unwrap();
    assert_eq!(ledger.next_crl_number(other, 0).unwrap().number, 1, "each authority has its own");
    assert_eq!(ledger.authorities().unwrap()[0].crl_number, 43);
}

pub(super) fn many_who_ask_at_once_get_different_numbers(store: &Store) {
    let (_, by) = with_root(store);
    let mut numbers: Vec<u64> = std::thread::scope(|scope| {
        let ask = || {
            let mut ledger = store.open();
            (0..10).map(|_| ledger.next_crl_number(by, 0).unwrap().number).collect::<Vec<u64>>()
        };
        let asking: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().flat_map(|asked| asked.join().unwrap()).collect()
    });
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=80).collect::<Vec<u64>>());
}

pub(super) fn signed_lists_are_recorded_once_and_found_again(store: &Store) {
    let (mut ledger, by) = with_root(store);
    let crl = act(Action::Crl);
    let first = ledger.next_crl_number(by, 0).unwrap();
    let second = ledger.next_crl_number(by, 0).unwrap();
    let complete = list(first, None);
    ledger.record_list(by, &complete, &crl).unwrap();
    let again = ledger.record_list(by, &complete, &crl);
    assert!(matches!(again, Err(LedgerError::ListRecorded { number: 1 })), "{again:?}");
    // RFC 5280 §5.2.3: both kinds, signed together, share a number.
    let (both, delta) = (list(second, None), list(second, Some(1)));
    ledger.record_list(by, &both, &crl).unwrap();
    ledger.record_list(by, &delta, &crl).unwrap();
    let scoped = SignedList { scope: "ca".into(), ..both.clone() };
    ledger.record_list(by, &scoped, &crl).unwrap();
    let mut found = |query: ListQuery| ledger.lists(by, &query).unwrap();
    let all = ListQuery::default;
    assert_eq!(found(all()).len(), 4);
    assert_eq!(found(ListQuery { latest: true, ..all() }), [scoped.clone(), delta.clone(), both.clone()]);
    let (everything, newest) = (Some(String::new()), Some(1));
    assert_eq!(found(ListQuery { scope: everything.clone(), delta: Some(false), limit: newest, ..all() }), [both]);
    assert_eq!(found(ListQuery { delta: Some(true), ..all() }), [delta]);
    assert_eq!(found(ListQuery { scope: everything, number: Some(1), ..all() }), [complete]);
    assert_eq!(found(ListQuery { scope: Some("ca".into()), ..all() }), [scoped]);
    let line = audit(&mut *ledger).pop().unwrap();
    assert!(line.detail.starts_with("number 2, ca; this update "), "{line:?}");
    assert_eq!((line.serial, line.fingerprint), (None, vec![7; 32]));
}

pub(super) fn a_list_has_a_number_of_the_ledgers_and_a_delta_its_base(store: &Store) {
    let (mut ledger, by) = with_root(store);
    let crl = act(Action::Crl);
    let first = ledger.next_crl_number(by, 0).unwrap();
    for number in [0, 2] {
        let invented = ledger.record_list(by, &list(Numbered { number, ..first }, None), &crl);
        assert!(matches!(invented, Err(LedgerError::UnknownNumber { .. })), "{invented:?}");
    }
    let second = ledger.next_crl_number(by, 0).unwrap();
    ledger.record_list(by, &list(second, None), &crl).unwrap();
    let third = ledger.next_crl_number(by, 0).unwrap();
    for base in [1, 3] {
        let baseless = ledger.record_list(by, &list(third, Some(base)), &crl);
        assert!(matches!(baseless, Err(LedgerError::NoBase { .. })), "{baseless:?}");
    }
    let elsewhere = SignedList { scope: "ca".into(), ..list(third, Some(2)) };
    let elsewhere = ledger.record_list(by, &elsewhere, &crl);
    assert!(matches!(elsewhere, Err(LedgerError::NoBase { number: 2 })), "{elsewhere:?}");
    ledger.record_list(by, &list(third, Some(2)), &crl).unwrap();
}

pub(super) fn a_certificate_is_found_by_its_fingerprint_and_the_newest_first(store: &Store) {
    let (mut ledger, by) = with_leaves(store, &[9, 10, 11]);
    let all = Query::default;
    let wanted = leaf(10, "a.test").fingerprint_sha256().to_vec();
    let found = ledger.find(by, &Query { fingerprint: Some(wanted), ..all() }).unwrap();
    assert_eq!((found.len(), found[0].serial.clone()), (1, serial(10)));
    let own = root().fingerprint_sha256().to_vec();
    assert_eq!(ledger.find(by, &Query { fingerprint: Some(own), ..all() }).unwrap(), []);
    let newest = Query { name: Some("a.test".into()), newest_first: true, limit: Some(2), ..all() };
    let page = ledger.find(by, &newest).unwrap();
    assert_eq!([page[0].serial.clone(), page[1].serial.clone()], [serial(11), serial(10)]);
    let rest = ledger.find(by, &Query { after: Some(page[1].id), ..newest }).unwrap();
    assert_eq!((rest.len(), rest[0].serial.clone()), (1, serial(9)));
}
