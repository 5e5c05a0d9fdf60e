//! What a ledger finds wrong with itself and makes again, whatever keeps it.

use super::*;

fn integrity(ledger: &mut dyn Ledger) -> Vec<String> {
    let mut told = Vec::new();
    ledger.integrity(&mut |what| told.push(what)).unwrap();
    told
}

pub(super) fn names_are_made_again_from_the_certificates(store: &Store) {
    let (mut ledger, by) = with_root(store);
    ledger.record(by, &entry(&leaf(9, "a.test")), &act(Action::Issue)).unwrap();
    assert_eq!(integrity(&mut *ledger), [""; 0]);
    assert_eq!(ledger.mend(&act(Action::Repair)).unwrap(), [""; 0]);
    store.spoil("DELETE FROM names; INSERT INTO names VALUES ('eve.test', 2)");
    let mended = ledger.mend(&act(Action::Repair)).unwrap();
    assert_eq!(mended.len(), 2, "the root has a name too: {mended:?}");
    let mut found = |name: &str| ledger.find(by, &Query { name: Some(name.into()), ..Query::default() }).unwrap().len();
    assert_eq!((found("a.test"), found("eve.test")), (1, 0));
    assert_eq!(audit(&mut *ledger).len(), 4);
}

pub(super) fn guards_and_indexes_that_were_taken_away_are_missed_and_made_again(store: &Store) {
    let (mut ledger, _) = with_root(store);
    store.take_away("audit_stays", "audit");
    store.spoil("DROP INDEX certificates_by_expiry");
    let told = integrity(&mut *ledger);
    assert_eq!(told.len(), 2, "{told:?}");
    let mut mended = ledger.mend(&act(Action::Repair)).unwrap();
    mended.sort();
    assert_eq!(mended, ["audit_stays", "certificates_by_expiry"]);
    assert_eq!(integrity(&mut *ledger), [""; 0]);
    assert!(store.try_to_spoil("DELETE FROM audit").contains("the audit log only grows"));
}

pub(super) fn what_was_recorded_cannot_be_rewritten(store: &Store) {
    let (mut ledger, by) = with_root(store);
    ledger.record(by, &entry(&leaf(9, "a.test")), &act(Action::Issue)).unwrap();
    let superseded = Revocation::new(NOW, crate::x509::extension::CrlReason::Superseded);
    ledger.revoke(by, &SerialNumber::from_content(&[9]), superseded, &act(Action::Revoke)).unwrap();
    let Numbered { number, mark } = ledger.next_crl_number(by, 0).unwrap();
    let (scope, fingerprint) = (String::new(), vec![7; 32]);
    let list =
        SignedList { number, base: None, scope, this_update: NOW, next_update: NOW, fingerprint, entries: 1, mark };
    ledger.record_list(by, &list, &act(Action::Crl)).unwrap();
    for (statement, refusal) in [
        ("DELETE FROM audit", "the audit log only grows"),
        ("UPDATE audit SET who = 'eve'", "the audit log only grows"),
        ("DELETE FROM audit_head", "the audit log only grows"),
        ("UPDATE audit_head SET lines = 0", "the audit log only grows"),
        ("DELETE FROM certificates", "never deleted"),
        ("UPDATE certificates SET subject = 'CN=eve'", "never changed"),
        ("UPDATE certificates SET revoked_at = NULL, reason = NULL WHERE reason = 4", "never undone"),
        ("UPDATE certificates SET revoked_at = 1 WHERE reason IS NULL", "constraint"),
        ("DELETE FROM revocations", "only grows"),
        ("UPDATE revocations SET reason = 1", "only grows"),
        ("DELETE FROM lists", "a signed list is never"),
        ("UPDATE lists SET number = 2", "never changed"),
        ("DELETE FROM authorities", "never deleted"),
        ("UPDATE authorities SET subject = ''", "never changed"),
        ("UPDATE authorities SET crl_number = 0", "handed out once"),
    ] {
        let error = store.try_to_spoil(statement);
        assert!(error.contains(refusal), "{statement}: {error}");
    }
}
