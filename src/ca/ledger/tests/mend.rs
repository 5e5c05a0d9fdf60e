//! What a ledger finds wrong with itself and makes again, whatever keeps it.

use super::*;

fn integrity(ledger: &mut dyn Ledger) -> Vec<Flaw> {
    let mut told = Vec::new();
    ledger.integrity(&mut |flaw| told.push(flaw)).unwrap();
    told
}

/// What is mended, in order.
fn mended(ledger: &mut dyn Ledger) -> Vec<String> {
    let mut mended: Vec<String> =
        ledger.mend(&act(Action::Repair)).unwrap().into_iter().map(|mended| mended.what).collect();
    mended.sort();
    mended
}

pub(super) fn names_are_made_again_from_the_certificates(store: &Store) {
    let (mut ledger, by) = with_root(store);
    ledger.record(by, &entry(&leaf(9, "a.test")), &act(Action::Issue)).unwrap();
    assert_eq!(integrity(&mut *ledger), []);
    assert_eq!(mended(&mut *ledger), [""; 0]);
    store.spoil("DELETE FROM names; INSERT INTO names VALUES ('eve.test', 2)");
    let mended = mended(&mut *ledger);
    assert_eq!(mended.len(), 2, "the root has a name too: {mended:?}");
    let mut found = |name: &str| ledger.find(by, &Query { name: Some(name.into()), ..Query::default() }).unwrap().len();
    assert_eq!((found("a.test"), found("eve.test")), (1, 0));
    assert_eq!(audit(&mut *ledger).len(), 4);
    // Those of a certificate are read whole, however many there are, and the next one's after them.
    store.spoil(
        "INSERT INTO names WITH RECURSIVE eve (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM eve WHERE n < 2500)
         SELECT 'eve' || n, 1 FROM eve",
    );
    let mut found_by = Vec::new();
    let mut examine = |ledger: &mut dyn Ledger| {
        found_by.clear();
        let mut visit = |row: Examined| {
            found_by.push(row.found_by.len());
            ControlFlow::Continue(())
        };
        ledger.examine(&mut visit).unwrap();
        found_by.clone()
    };
    assert_eq!(examine(&mut *ledger), [2501, 1]);
    assert_eq!(ledger.mend(&act(Action::Repair)).unwrap().len(), 1);
    assert_eq!(examine(&mut *ledger), [1, 1]);
}

pub(super) fn guards_and_indexes_that_were_taken_away_are_missed_and_made_again(store: &Store) {
    let (mut ledger, _) = with_root(store);
    store.take_away("audit_stays", "audit");
    store.spoil("DROP INDEX certificates_by_expiry");
    let told = integrity(&mut *ledger);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|flaw| flaw.prospect == Prospect::Mends), "{told:?}");
    assert_eq!(mended(&mut *ledger), ["audit_stays", "certificates_by_expiry"]);
    assert_eq!(integrity(&mut *ledger), []);
    assert!(store.try_to_spoil("DELETE FROM audit").contains("the audit log only grows"));
}

pub(super) fn a_lost_head_of_the_log_is_made_again_of_the_last_line(store: &Store) {
    let (mut ledger, by) = with_root(store);
    ledger.record(by, &entry(&leaf(9, "a.test")), &act(Action::Issue)).unwrap();
    store.take_away("audit_head_stays", "audit_head");
    store.spoil("DELETE FROM audit_head");
    let mut lines = 0;
    let head = ledger.audit(&mut |_| {
        lines += 1;
        ControlFlow::Continue(())
    });
    assert!(matches!(head, Err(LedgerError::Headless { .. })), "{head:?}");
    assert_eq!(lines, 2, "the lines are shown nevertheless");
    let mended = ledger.mend(&act(Action::Repair)).unwrap();
    assert!(mended.iter().any(|mended| mended.caution.as_ref().is_some_and(|it| it.contains("--expect-head"))));
    let told: Vec<String> = audit(&mut *ledger).into_iter().map(|line| line.detail).collect();
    assert!(told.contains(&"the head of the audit log, after line 2".to_owned()), "{told:?}");
    ledger.record(by, &entry(&leaf(10, "b.test")), &act(Action::Issue)).unwrap();
}

pub(super) fn a_log_whose_last_line_was_changed_gets_no_new_head(store: &Store) {
    let (mut ledger, _) = with_root(store);
    store.take_away("audit_head_stays", "audit_head");
    store.take_away("audit_stays", "audit");
    #[cfg(unix)]
    let second = matches!(store, Store::File(_));
    #[cfg(not(unix))]
    let second = true;
    if second {
        store.take_away("audit_stays_the_same", "audit");
    }
    store.spoil("DELETE FROM audit_head; UPDATE audit SET who = 'eve'");
    assert!(matches!(ledger.mend(&act(Action::Repair)), Err(LedgerError::Damaged { .. })));
}

pub(super) fn a_table_that_was_taken_away_is_made_again_where_that_loses_nothing(store: &Store) {
    let (mut ledger, by) = with_root(store);
    store.spoil("DROP TABLE lists; DROP TABLE names");
    let told = integrity(&mut *ledger);
    assert!(told.iter().any(|flaw| flaw.what == "the table lists is missing"), "{told:?}");
    let lists = ledger.lists(by, &ListQuery::default());
    assert!(
        matches!(&lists, Err(LedgerError::Damaged { what, .. }) if what == "the table lists is missing"),
        "{lists:?}"
    );
    let mended = mended(&mut *ledger);
    assert!(mended.contains(&"the table lists".to_owned()) && mended.contains(&"the table names".to_owned()));
    assert_eq!(integrity(&mut *ledger), []);
    assert_eq!(ledger.lists(by, &ListQuery::default()).unwrap(), []);
    store.spoil("DROP TABLE revocations");
    assert!(integrity(&mut *ledger).iter().any(|flaw| flaw.prospect == Prospect::Lost));
    let refused = ledger.mend(&act(Action::Repair));
    assert!(matches!(&refused, Err(LedgerError::Damaged { what, .. }) if what == "the table revocations is missing"));
}

pub(super) fn a_ledger_of_the_version_before_is_brought_up_to_date(store: &Store) {
    use crate::x509::extension::CrlReason;
    let (mut ledger, by) = with_root(store);
    ledger.record(by, &entry(&leaf(9, "a.test")), &act(Action::Issue)).unwrap();
    let serial = SerialNumber::from_content(&[9]);
    let superseded = Revocation::new(NOW, CrlReason::Superseded);
    let record = ledger.revoke(by, &serial, superseded, &act(Action::Revoke)).unwrap();
    drop(ledger);
    // As the version before had made it.
    store.take_away("revocations_stay", "certificates");
    match store {
        Store::File(_) => store.spoil(
            "CREATE TRIGGER revocations_stay BEFORE UPDATE OF revoked_at, reason, invalid_since ON certificates
             WHEN OLD.reason <> 6 BEGIN SELECT RAISE(ABORT, 'a revocation is never undone'); END;
             CREATE INDEX names_by_certificate ON names (certificate); PRAGMA user_version = 3",
        ),
        #[cfg(unix)]
        Store::Database(_) => store.spoil(
            "CREATE TRIGGER revocations_stay BEFORE UPDATE OF revoked_at, reason, invalid_since ON certificates
             FOR EACH ROW WHEN (old.reason <> 6) EXECUTE FUNCTION refuse('a revocation is never undone');
             CREATE INDEX names_by_certificate ON names (certificate); UPDATE version SET version = 1",
        ),
    }
    let mut ledger = store.open();
    assert_eq!(integrity(&mut *ledger), []);
    assert!(!store.try_to_spoil("DROP INDEX names_by_certificate").is_empty(), "it is gone");
    assert_eq!(ledger.history(record.id).unwrap(), [superseded]);
    let compromised = Revocation::new(NOW + Duration::days(1), CrlReason::KeyCompromise);
    let raised = ledger.revoke(by, &serial, compromised, &act(Action::Revoke)).unwrap().revocation.unwrap();
    assert_eq!(raised, Revocation::new(NOW, CrlReason::KeyCompromise));
    assert_eq!(audit(&mut *ledger).len(), 4);
    assert_eq!(mended(&mut *ledger), [""; 0]);
}

pub(super) fn a_ledger_whose_revocations_had_to_stay_as_of_their_time_is_brought_up_to_date(store: &Store) {
    use crate::x509::extension::CrlReason;
    let (mut ledger, by) = with_root(store);
    ledger.record(by, &entry(&leaf(9, "a.test")), &act(Action::Issue)).unwrap();
    let serial = SerialNumber::from_content(&[9]);
    let to_come = Revocation::new(NOW + Duration::days(30), CrlReason::Superseded);
    ledger.revoke(by, &serial, to_come, &act(Action::Revoke)).unwrap();
    drop(ledger);
    store.take_away("revocations_stay", "certificates");
    match store {
        Store::File(_) => store.spoil(
            "CREATE TRIGGER revocations_stay BEFORE UPDATE OF revoked_at, reason, invalid_since ON certificates
             WHEN OLD.reason <> 6 AND (OLD.reason NOT IN (1, 2, 10) AND NEW.reason IN (1, 2, 10)
                 AND NEW.revoked_at = OLD.revoked_at
                 AND (OLD.invalid_since IS NULL OR NEW.invalid_since <= OLD.invalid_since)) IS NOT TRUE
             BEGIN SELECT RAISE(ABORT, 'a revocation is never undone'); END; PRAGMA user_version = 4",
        ),
        #[cfg(unix)]
        Store::Database(_) => store.spoil(
            "CREATE TRIGGER revocations_stay BEFORE UPDATE OF revoked_at, reason, invalid_since ON certificates
             FOR EACH ROW WHEN (old.reason <> 6 AND new.reason <> 1) EXECUTE FUNCTION refuse('a revocation is never undone');
             UPDATE version SET version = 2",
        ),
    }
    let mut ledger = store.open();
    assert_eq!(integrity(&mut *ledger), []);
    let sooner = Revocation::new(NOW, CrlReason::Unspecified);
    let moved = ledger.revoke(by, &serial, sooner, &act(Action::Revoke)).unwrap().revocation;
    assert_eq!(moved, Some(Revocation::new(NOW, CrlReason::Superseded)));
    assert_eq!(mended(&mut *ledger), [""; 0]);
}

pub(super) fn row_counters_that_give_no_free_id_are_missed_and_set_after_the_last_row(store: &Store) {
    use crate::x509::extension::CrlReason;
    const TABLES: [&str; 3] = ["certificates", "lists", "revocations"];
    let (mut ledger, by) = with_root(store);
    let list = |Numbered { number, mark }| {
        let (scope, fingerprint) = (String::new(), vec![7; 32]);
        SignedList { number, base: None, scope, this_update: NOW, next_update: NOW, fingerprint, entries: 1, mark }
    };
    let superseded = Revocation::new(NOW, CrlReason::Superseded);
    let do_each = |ledger: &mut dyn Ledger, serials: [u8; 2], number| {
        let recorded = ledger.record(by, &entry(&leaf(serials[0], "a.test")), &act(Action::Issue));
        let revoked =
            ledger.revoke(by, &SerialNumber::from_content(&[serials[1]]), superseded, &act(Action::Revoke)).map(drop);
        [recorded, ledger.record_list(by, &list(number), &act(Action::Crl)), revoked]
    };
    let numbers: Vec<Numbered> = (0..4).map(|_| ledger.next_crl_number(by, 0).unwrap()).collect();
    let last = *numbers.last().unwrap();
    for (serial, number) in (9..).zip(&numbers[..3]) {
        assert!(do_each(&mut *ledger, [serial, serial], *number).iter().all(Result::is_ok));
    }
    ledger.record(by, &entry(&leaf(20, "a.test")), &act(Action::Issue)).unwrap();
    assert_eq!(integrity(&mut *ledger), []);
    let end = "9223372036854775807";
    let spoilings: &[&dyn Fn(&str) -> String] = match store {
        Store::File(_) => &[&|table| format!("UPDATE sqlite_sequence SET seq = {end} WHERE name = '{table}'")],
        #[cfg(unix)]
        Store::Database(_) => &[
            // As after a restore of data alone, by logical replication, and by somebody's hand.
            &|table| format!("SELECT setval('{table}_id_seq', 1, false)"),
            &|table| format!("SELECT setval('{table}_id_seq', 1)"),
            &|table| format!("SELECT setval('{table}_id_seq', {end})"),
        ],
    };
    for spoiling in spoilings {
        TABLES.iter().for_each(|table| store.spoil(&spoiling(table)));
        let told = integrity(&mut *ledger);
        assert_eq!(told.len(), 3, "{told:?}");
        for table in TABLES {
            let named = |flaw: &&Flaw| flaw.what.contains(&format!("the row counter of {table} "));
            assert_eq!(told.iter().find(named).unwrap().prospect, Prospect::Mends, "{told:?}");
        }
        for refused in do_each(&mut *ledger, [21, 20], last) {
            assert!(
                matches!(&refused, Err(LedgerError::Damaged { what, .. }) if what.contains("row counter")),
                "{refused:?}"
            );
        }
        let names = TABLES.map(|table| format!("the row counter of {table}"));
        assert_eq!(mended(&mut *ledger), names);
        assert_eq!(integrity(&mut *ledger), []);
        let logged: Vec<String> = audit(&mut *ledger).into_iter().rev().take(3).map(|line| line.detail).collect();
        assert!(names.iter().all(|name| logged.contains(name)), "{logged:?}");
    }
    let done = do_each(&mut *ledger, [21, 20], last);
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    // What conflicts for another reason is still told so.
    let taken = ledger.record(by, &entry(&leaf(21, "b.test")), &act(Action::Issue));
    assert!(matches!(taken, Err(LedgerError::SerialTaken { .. })), "{taken:?}");
    let twice = ledger.record_list(by, &list(last), &act(Action::Crl));
    assert!(matches!(twice, Err(LedgerError::ListRecorded { .. })), "{twice:?}");
    // Where the last row is the last that is counted to, no counter goes on after it.
    let overriding = match store {
        Store::File(_) => "",
        #[cfg(unix)]
        Store::Database(_) => "OVERRIDING SYSTEM VALUE",
    };
    store.spoil(&format!(
        "INSERT INTO revocations (id, authority, certificate, revoked_at, reason, invalid_since) {overriding}
         SELECT {end}, authority, certificate, revoked_at, reason, invalid_since FROM revocations ORDER BY id LIMIT 1"
    ));
    assert_eq!(mended(&mut *ledger), [""; 0]);
    let told = integrity(&mut *ledger);
    assert_eq!(told.iter().map(|flaw| flaw.prospect).collect::<Vec<_>>(), [Prospect::Foreign], "{told:?}");
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
        ("UPDATE certificates SET reason = 5 WHERE reason = 4", "never undone"),
        ("UPDATE certificates SET reason = 1, revoked_at = revoked_at + 1 WHERE reason = 4", "never undone"),
        ("UPDATE certificates SET reason = 5, revoked_at = revoked_at - 1 WHERE reason = 4", "never undone"),
        ("UPDATE certificates SET reason = 1, revoked_at = NULL WHERE reason = 4", "never undone"),
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
