//! Certificates, authorities and the audit log, whatever keeps them.

use std::sync::Barrier;

use super::*;

pub(super) fn what_is_recorded_is_found_by_another_process(store: &Store) {
    let (mut ledger, by) = with_root(store);
    let issued = certificate("Root", "API", 9, &["api.test", "127.0.0.1"], NOW + Duration::days(90));
    ledger.record(by, &entry(&issued), &act(Action::Issue)).unwrap();
    // The first one stays open: nothing waits for it to close.
    let mut other = store.open();
    let by = other.authority(&root()).unwrap().unwrap();
    let found = other.find(by, &Query::default()).unwrap();
    assert_eq!(found.len(), 1, "and the root itself is left out");
    let record = &found[0];
    assert_eq!(record.serial, *issued.serial());
    assert_eq!(record.names, ["dns:api.test", "ip:127.0.0.1"]);
    assert_eq!((record.subject.as_str(), record.profile.as_str()), ("CN=API", "server"));
    assert_eq!((record.validity, record.issued_at), (*issued.validity(), NOW));
    assert_eq!(record.fingerprint, issued.fingerprint_sha256());
    assert_eq!(record.revocation, None);
    assert_eq!(other.certificate(record.id).unwrap(), issued.der());
}

pub(super) fn a_serial_number_is_used_once_by_an_authority(store: &Store) {
    let (mut ledger, by) = with_root(store);
    ledger.record(by, &entry(&leaf(9, "a.test")), &act(Action::Issue)).unwrap();
    let again = ledger.record(by, &entry(&leaf(9, "b.test")), &act(Action::Issue));
    assert!(matches!(again, Err(LedgerError::SerialTaken { .. })), "{again:?}");
    let the_roots_own = ledger.record(by, &entry(&leaf(1, "b.test")), &act(Action::Issue));
    assert!(matches!(the_roots_own, Err(LedgerError::SerialTaken { .. })), "{the_roots_own:?}");
    let twice = ledger.record(by, &entry(&leaf(9, "a.test")), &act(Action::Issue));
    assert!(matches!(twice, Err(LedgerError::AlreadyRecorded { .. })), "{twice:?}");
    let other = certificate("Other", "Other", 9, &[], NOW);
    assert!(ledger.add_authority(&other, "root-ca", &act(Action::Init)).is_ok(), "another authority may use it");
}

pub(super) fn several_certificates_are_recorded_together_or_not_at_all(store: &Store) {
    let (mut ledger, by) = with_root(store);
    let (one, two) = (leaf(9, "a.test"), leaf(9, "b.test"));
    let both = [&one, &two].map(|certificate| Entry { certificate, profile: "server" });
    assert!(ledger.record(by, &both, &act(Action::Issue)).is_err());
    assert_eq!(ledger.count(by).unwrap(), 0);
    assert_eq!(audit(&mut *ledger).len(), 1, "only the root");
}

pub(super) fn queries_choose_by_serial_name_and_expiry(store: &Store) {
    let (mut ledger, by) = with_root(store);
    for (serial, name) in [(10, "a.test"), (20, "b.test"), (30, "A.test")] {
        ledger.record(by, &entry(&leaf(serial, name)), &act(Action::Issue)).unwrap();
    }
    let mut chosen = |query: Query| -> Vec<u8> {
        let found = ledger.find(by, &query).unwrap();
        found.iter().map(|record| record.serial.content()[0]).collect()
    };
    let all = Query::default;
    assert_eq!(chosen(all()), [10, 20, 30]);
    assert_eq!(chosen(Query { serial: Some(SerialNumber::from_content(&[20])), ..all() }), [20]);
    assert_eq!(chosen(Query { serial: Some(SerialNumber::from_content(&[1])), ..all() }), [0; 0]);
    let between = |one: &[u8], other: &[u8]| Some([one, other].map(SerialNumber::from_content).into());
    assert_eq!(chosen(Query { serials: between(&[10, 0], &[30]), ..all() }), [20, 30]);
    assert_eq!(chosen(Query { serials: between(&[20], &[20, 0xff]), ..all() }), [20]);
    assert_eq!(chosen(Query { name: Some("A.TEST".into()), ..all() }), [10, 30]);
    assert_eq!(chosen(Query { name: Some(".test".into()), ..all() }), [0; 0]);
    assert_eq!(chosen(Query { expiring_before: Some(NOW + Duration::days(20)), ..all() }), [10]);
    assert_eq!(chosen(Query { revoked: Some(true), ..all() }), [0; 0]);
    assert_eq!(chosen(Query { revoked: Some(false), limit: Some(2), ..all() }), [10, 20]);
    let first = ledger.find(by, &Query { limit: Some(1), ..all() }).unwrap()[0].id;
    let rest = ledger.find(by, &Query { after: Some(first), ..all() }).unwrap();
    assert_eq!(rest.len(), 2);
}

pub(super) fn every_change_leaves_a_line_in_the_audit_log(store: &Store) {
    let (mut ledger, by) = with_root(store);
    let issued = leaf(9, "a.test");
    ledger.record(by, &entry(&issued), &act(Action::Sign)).unwrap();
    let lines = audit(&mut *ledger);
    let told: Vec<(&str, &str, OffsetDateTime)> =
        lines.iter().map(|line| (line.who.as_str(), line.what.as_str(), line.at)).collect();
    assert_eq!(told, [("ann", "init", NOW), ("ann", "sign", NOW)]);
    assert_eq!(lines[1].fingerprint, issued.fingerprint_sha256());
}

pub(super) fn an_authority_is_added_once(store: &Store) {
    let (mut ledger, _) = with_root(store);
    let again = ledger.add_authority(&root(), "root-ca", &act(Action::Init));
    assert!(matches!(again, Err(LedgerError::AlreadyRecorded { .. })), "{again:?}");
    assert_eq!(ledger.authority(&leaf(9, "a.test")).unwrap(), None);
}

pub(super) fn many_may_make_and_fill_a_ledger_at_once(store: &Store) {
    const WRITERS: u8 = 8;
    const EACH: u8 = 10;
    let start = Barrier::new(WRITERS.into());
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                let mut ledger = store.create();
                let by = match ledger.add_authority(&root(), "root-ca", &act(Action::Init)) {
                    Err(LedgerError::AlreadyRecorded { .. }) => ledger.authority(&root()).unwrap().unwrap(),
                    added => added.unwrap(),
                };
                for each in 0..EACH {
                    let issued = leaf(2 + writer * EACH + each, "a.test");
                    ledger.record(by, &entry(&issued), &act(Action::Issue)).unwrap();
                }
            });
        }
    });
    let mut ledger = store.open();
    let by = ledger.authority(&root()).unwrap().unwrap();
    assert_eq!(ledger.count(by).unwrap(), u64::from(WRITERS * EACH));
}
