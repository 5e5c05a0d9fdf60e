//! What a ledger promises, whatever keeps it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod revocation;

use std::path::Path;
use std::sync::Barrier;

use super::*;
use crate::encoding::der::{self, tag};
use crate::x509::extension::SubjectAltName;
use crate::x509::{DistinguishedName, Extension};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

/// A certificate with no signature to speak of: the ledger never looks at it.
fn certificate(issuer: &str, subject: &str, serial: u8, names: &[&str], not_after: OffsetDateTime) -> Certificate {
    let algorithm = der::sequence(&[&der::oid(&"1.2.840.10045.4.3.2".parse().unwrap())]);
    let names: Vec<GeneralName> = names.iter().map(|name| name.parse().unwrap()).collect();
    let extensions = match names.is_empty() {
        true => Vec::new(),
        false => {
            let list = der::sequence(&[&Extension::new(&SubjectAltName(names), false).to_der()]);
            der::tlv(tag::context_constructed(3), &list)
        }
    };
    let key = "1.2.840.10045.2.1".parse().unwrap();
    let curve = "1.2.840.10045.3.1.7".parse().unwrap();
    let spki = der::sequence(&[&der::sequence(&[&der::oid(&key), &der::oid(&curve)]), &der::bit_string(&[4; 65])]);
    let tbs = der::sequence(&[
        &der::tlv(tag::context_constructed(0), &der::unsigned(&[2])),
        &der::tlv(tag::INTEGER, &[serial]),
        &algorithm,
        DistinguishedName::common_name_only(issuer).der(),
        &der::sequence(&[&crate::x509::time::encode(NOW), &crate::x509::time::encode(not_after)]),
        DistinguishedName::common_name_only(subject).der(),
        &spki,
        &extensions,
    ]);
    Certificate::from_der(&der::sequence(&[&tbs, &algorithm, &der::bit_string(&[0])])).unwrap()
}

fn root() -> Certificate {
    certificate("Root", "Root", 1, &[], NOW + Duration::days(3650))
}

fn leaf(serial: u8, name: &str) -> Certificate {
    certificate("Root", name, serial, &[name], NOW + Duration::days(i64::from(serial)))
}

fn act(what: Action) -> Act {
    Act { at: NOW, who: "ann".into(), what }
}

fn entry(certificate: &Certificate) -> [Entry<'_>; 1] {
    [Entry { certificate, profile: "server" }]
}

fn with_root(path: &Path) -> (SqliteLedger, AuthorityId) {
    let mut ledger = SqliteLedger::create(path).unwrap();
    let by = ledger.add_authority(&root(), "root-ca", &act(Action::Init)).unwrap();
    (ledger, by)
}

/// The lines of the audit log, which is sound.
fn audit(ledger: &mut dyn Ledger) -> Vec<AuditLine> {
    let (mut lines, mut auditor) = (Vec::new(), Auditor::new());
    let head = ledger
        .audit(&mut |line| {
            auditor.line(&line);
            lines.push(line);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(auditor.finish(&head), Ok(head));
    lines
}

fn in_folder(test: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    test(&folder.path().join("ledger.db"));
}

#[test]
fn what_is_recorded_is_found_by_another_process() {
    in_folder(|path| {
        let (mut ledger, by) = with_root(path);
        let issued = certificate("Root", "API", 9, &["api.test", "127.0.0.1"], NOW + Duration::days(90));
        ledger.record(by, &entry(&issued), &act(Action::Issue)).unwrap();
        // The first one stays open: nothing waits for it to close.
        let mut other = SqliteLedger::open(path).unwrap();
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
    });
}

#[test]
fn a_serial_number_is_used_once_by_an_authority() {
    in_folder(|path| {
        let (mut ledger, by) = with_root(path);
        ledger.record(by, &entry(&leaf(9, "a.test")), &act(Action::Issue)).unwrap();
        let again = ledger.record(by, &entry(&leaf(9, "b.test")), &act(Action::Issue));
        assert!(matches!(again, Err(LedgerError::SerialTaken { .. })), "{again:?}");
        let the_roots_own = ledger.record(by, &entry(&leaf(1, "b.test")), &act(Action::Issue));
        assert!(matches!(the_roots_own, Err(LedgerError::SerialTaken { .. })), "{the_roots_own:?}");
        let twice = ledger.record(by, &entry(&leaf(9, "a.test")), &act(Action::Issue));
        assert!(matches!(twice, Err(LedgerError::AlreadyRecorded { .. })), "{twice:?}");
        let other = certificate("Other", "Other", 9, &[], NOW);
        assert!(ledger.add_authority(&other, "root-ca", &act(Action::Init)).is_ok(), "another authority may use it");
    });
}

#[test]
fn several_certificates_are_recorded_together_or_not_at_all() {
    in_folder(|path| {
        let (mut ledger, by) = with_root(path);
        let (one, two) = (leaf(9, "a.test"), leaf(9, "b.test"));
        let both = [&one, &two].map(|certificate| Entry { certificate, profile: "server" });
        assert!(ledger.record(by, &both, &act(Action::Issue)).is_err());
        assert_eq!(ledger.count(by).unwrap(), 0);
        assert_eq!(audit(&mut ledger).len(), 1, "only the root");
    });
}

#[test]
fn queries_choose_by_serial_name_and_expiry() {
    in_folder(|path| {
        let (mut ledger, by) = with_root(path);
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
        assert_eq!(chosen(Query { name: Some("A.TEST".into()), ..all() }), [10, 30]);
        assert_eq!(chosen(Query { name: Some(".test".into()), ..all() }), [0; 0]);
        assert_eq!(chosen(Query { expiring_before: Some(NOW + Duration::days(20)), ..all() }), [10]);
        assert_eq!(chosen(Query { revoked: Some(true), ..all() }), [0; 0]);
        assert_eq!(chosen(Query { revoked: Some(false), limit: Some(2), ..all() }), [10, 20]);
        let first = ledger.find(by, &Query { limit: Some(1), ..all() }).unwrap()[0].id;
        let rest = ledger.find(by, &Query { after: Some(first), ..all() }).unwrap();
        assert_eq!(rest.len(), 2);
    });
}

#[test]
fn every_change_leaves_a_line_in_the_audit_log() {
    in_folder(|path| {
        let (mut ledger, by) = with_root(path);
        let issued = leaf(9, "a.test");
        ledger.record(by, &entry(&issued), &act(Action::Sign)).unwrap();
        let lines = audit(&mut ledger);
        let told: Vec<(&str, &str, OffsetDateTime)> =
            lines.iter().map(|line| (line.who.as_str(), line.what.as_str(), line.at)).collect();
        assert_eq!(told, [("ann", "init", NOW), ("ann", "sign", NOW)]);
        assert_eq!(lines[1].fingerprint, issued.fingerprint_sha256());
    });
}

#[test]
fn an_authority_is_added_once() {
    in_folder(|path| {
        let (mut ledger, _) = with_root(path);
        let again = ledger.add_authority(&root(), "root-ca", &act(Action::Init));
        assert!(matches!(again, Err(LedgerError::AlreadyRecorded { .. })), "{again:?}");
        assert_eq!(ledger.authority(&leaf(9, "a.test")).unwrap(), None);
    });
}

#[cfg(unix)]
#[test]
fn all_files_of_a_ledger_are_its_owners_alone() {
    use std::os::unix::fs::MetadataExt;
    in_folder(|path| {
        let (_ledger, _) = with_root(path);
        for ending in ["", "-wal", "-shm"] {
            let file = format!("{}{ending}", path.display());
            assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600, "{file}");
        }
    });
}

#[test]
fn a_commit_is_on_the_disk_and_readers_do_not_wait() {
    in_folder(|path| {
        let (ledger, _) = with_root(path);
        let setting = |name: &str| ledger.setting(name);
        assert_eq!(setting("journal_mode"), "wal");
        assert_eq!(setting("synchronous"), "2");
        assert_eq!(setting("foreign_keys"), "1");
    });
}

#[test]
fn only_a_ledger_is_opened() {
    in_folder(|path| {
        assert!(matches!(SqliteLedger::open(path), Err(LedgerError::Missing { .. })));
        std::fs::write(path, "no database, only text that is long enough to look at").unwrap();
        assert!(matches!(SqliteLedger::open(path), Err(LedgerError::Foreign { .. })));
        std::fs::remove_file(path).unwrap();
        let other = rusqlite::Connection::open(path).unwrap();
        other.execute_batch("CREATE TABLE bookmarks (url TEXT)").unwrap();
        assert!(matches!(SqliteLedger::open(path), Err(LedgerError::Foreign { .. })));
        assert!(matches!(SqliteLedger::open(path.parent().unwrap()), Err(LedgerError::Foreign { .. })));
    });
}

#[test]
fn a_later_ledger_is_left_alone() {
    in_folder(|path| {
        drop(with_root(path));
        rusqlite::Connection::open(path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(SqliteLedger::open(path), Err(LedgerError::Newer { found: 99, .. })));
    });
}

#[test]
fn a_ledger_that_may_only_be_read_is_read_and_not_written() {
    in_folder(|folder| {
        // A name that a URI would read otherwise.
        let path = &folder.with_file_name("a b?mode=rwc#100%.db");
        let (mut ledger, by) = with_root(path);
        ledger.record(by, &entry(&leaf(9, "a.test")), &act(Action::Issue)).unwrap();
        drop(ledger);
        let mut reading = SqliteLedger::only_to_read(path).unwrap();
        assert_eq!(reading.count(by).unwrap(), 1);
        let written = reading.record(by, &entry(&leaf(10, "a.test")), &act(Action::Issue));
        assert!(matches!(written, Err(LedgerError::Unwritable { .. })), "{written:?}");
        drop(reading);
        rusqlite::Connection::open(path).unwrap().pragma_update(None, "user_version", 2).unwrap();
        let earlier = SqliteLedger::only_to_read(path).map(|_| ());
        assert!(matches!(earlier, Err(LedgerError::Older { found: 2, .. })), "{earlier:?}");
    });
}

#[test]
fn an_empty_file_left_by_a_killed_process_becomes_a_ledger() {
    in_folder(|path| {
        std::fs::write(path, "").unwrap();
        let (mut ledger, by) = with_root(path);
        assert_eq!(ledger.count(by).unwrap(), 0);
    });
}

#[test]
fn many_may_make_and_fill_a_ledger_at_once() {
    in_folder(|path| {
        const WRITERS: u8 = 8;
        const EACH: u8 = 10;
        let start = Barrier::new(WRITERS.into());
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    let mut ledger = SqliteLedger::create(path).unwrap();
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
        let mut ledger = SqliteLedger::open(path).unwrap();
        let by = ledger.authority(&root()).unwrap().unwrap();
        assert_eq!(ledger.count(by).unwrap(), u64::from(WRITERS * EACH));
    });
}
