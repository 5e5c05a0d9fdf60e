//! What a ledger promises, whatever keeps it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod mend;
mod record;
mod revocation;
#[cfg(unix)]
#[path = "../../../tests/support/postgres.rs"]
mod server;

use std::path::{Path, PathBuf};

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

/// Where a ledger is kept, or will be.
enum Store {
    File(PathBuf),
    #[cfg(unix)]
    Database(PostgresAccess),
}

impl Store {
    fn create(&self) -> Box<dyn Ledger> {
        match self {
            Self::File(path) => Box::new(SqliteLedger::create(path).unwrap()),
            #[cfg(unix)]
            Self::Database(access) => Box::new(PostgresLedger::create(access).unwrap()),
        }
    }

    fn open(&self) -> Box<dyn Ledger> {
        match self {
            Self::File(path) => Box::new(SqliteLedger::open(path).unwrap()),
            #[cfg(unix)]
            Self::Database(access) => Box::new(PostgresLedger::open(access).unwrap()),
        }
    }
}

impl Store {
    /// Changes the tables past the ledger.
    fn spoil(&self, statements: &str) {
        assert_eq!(self.try_to_spoil(statements), "");
    }

    /// The same; gives the error, empty where there is none.
    fn try_to_spoil(&self, statements: &str) -> String {
        match self {
            Self::File(path) => {
                let connection = rusqlite::Connection::open(path).unwrap();
                connection.execute_batch(statements).err().map(|error| error.to_string()).unwrap_or_default()
            }
            #[cfg(unix)]
            Self::Database(access) => {
                let mut client = access.config().connect(::postgres::NoTls).unwrap();
                client.batch_execute("SET search_path = certkit").unwrap();
                let error = client.batch_execute(statements).err();
                error.map(|error| error.as_db_error().unwrap().message().to_owned()).unwrap_or_default()
            }
        }
    }

    /// Takes a guard away.
    fn take_away(&self, guard: &str, table: &str) {
        match self {
            Self::File(_) => self.spoil(&format!("DROP TRIGGER {guard}")),
            #[cfg(unix)]
            Self::Database(_) => self.spoil(&format!("DROP TRIGGER {guard} ON {table}")),
        }
    }
}

/// Makes of each claim two tests: one for a file, one for a database.
macro_rules! claims {
    ($($file:ident: $($claim:ident)*;)*) => {
        mod in_a_file {
            $($(
                #[test]
                fn $claim() {
                    super::in_folder(|path| super::$file::$claim(&super::Store::File(path.to_owned())));
                }
            )*)*
        }

        #[cfg(unix)]
        mod in_postgresql {
            $($(
                #[test]
                fn $claim() {
                    let Some(server) = super::server::server() else { return };
                    let access = super::PostgresAccess::new(&server.database(), "nobody", None).unwrap();
                    super::$file::$claim(&super::Store::Database(access));
                }
            )*)*
        }
    };
}

claims! {
    record: what_is_recorded_is_found_by_another_process
        a_serial_number_is_used_once_by_an_authority
        several_certificates_are_recorded_together_or_not_at_all
        queries_choose_by_serial_name_and_expiry
        every_change_leaves_a_line_in_the_audit_log
        an_authority_is_added_once
        many_may_make_and_fill_a_ledger_at_once;
    mend: names_are_made_again_from_the_certificates
        guards_and_indexes_that_were_taken_away_are_missed_and_made_again
        a_lost_head_of_the_log_is_made_again_of_the_last_line
        a_log_whose_last_line_was_changed_gets_no_new_head
        a_table_that_was_taken_away_is_made_again_where_that_loses_nothing
        a_ledger_of_the_version_before_is_brought_up_to_date
        a_ledger_whose_revocations_had_to_stay_as_of_their_time_is_brought_up_to_date
        row_counters_that_give_no_free_id_are_missed_and_set_after_the_last_row
        what_was_recorded_cannot_be_rewritten;
    revocation: a_revocation_is_recorded_with_its_reason_and_stays
        only_a_certificate_of_the_authority_is_revoked
        a_hold_is_lifted_or_becomes_a_revocation_and_is_remembered
        a_revocation_is_raised_to_a_compromise_and_never_lowered
        a_revocation_that_is_to_come_is_made_sooner_and_never_later
        a_delta_has_what_changed_after_its_base_whatever_the_clock_said
        a_reader_of_entries_may_break_off
        crl_numbers_only_grow_and_are_handed_out_once
        many_who_ask_at_once_get_different_numbers
        signed_lists_are_recorded_once_and_found_again
        a_list_has_a_number_of_the_ledgers_and_a_delta_its_base
        a_certificate_is_found_by_its_fingerprint_and_the_newest_first;
}

fn with_root(store: &Store) -> (Box<dyn Ledger>, AuthorityId) {
    let mut ledger = store.create();
    let by = ledger.add_authority(&root(), "root-ca", &act(Action::Init)).unwrap();
    (ledger, by)
}

fn with_file(path: &Path) -> (SqliteLedger, AuthorityId) {
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

#[cfg(unix)]
#[test]
fn all_files_of_a_ledger_are_its_owners_alone() {
    use std::os::unix::fs::MetadataExt;
    in_folder(|path| {
        let (_ledger, _) = with_file(path);
        for ending in ["", "-wal", "-shm"] {
            let file = format!("{}{ending}", path.display());
            assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600, "{file}");
        }
    });
}

#[test]
fn a_commit_is_on_the_disk_and_readers_do_not_wait() {
    in_folder(|path| {
        let (ledger, _) = with_file(path);
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
        drop(with_file(path));
        rusqlite::Connection::open(path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(SqliteLedger::open(path), Err(LedgerError::Newer { found: 99, .. })));
    });
}

#[test]
fn a_ledger_that_may_only_be_read_is_read_and_not_written() {
    in_folder(|folder| {
        // A name that a URI would read otherwise.
        let path = &folder.with_file_name("a b?mode=rwc#100%.db");
        let (mut ledger, by) = with_file(path);
        ledger.record(by, &entry(&leaf(9, "a.test")), &act(Action::Issue)).unwrap();
        drop(ledger);
        let mut reading = SqliteLedger::only_to_read(path).unwrap();
        assert_eq!(reading.count(by).unwrap(), 1);
        assert_eq!(reading.setting("temp_store"), "2", "what is sorted needs no file");
        let written = reading.record(by, &entry(&leaf(10, "a.test")), &act(Action::Issue));
        assert!(matches!(written, Err(LedgerError::Unwritable { .. })), "{written:?}");
        drop(reading);
        rusqlite::Connection::open(path).unwrap().pragma_update(None, "user_version", 2).unwrap();
        let earlier = SqliteLedger::only_to_read(path).map(|_| ());
        assert!(matches!(earlier, Err(LedgerError::Older { found: 2, .. })), "{earlier:?}");
    });
}

#[test]
fn a_file_with_a_change_that_was_broken_off_is_not_read_half_changed() {
    in_folder(|path| {
        drop(with_file(path));
        let connection = rusqlite::Connection::open(path).unwrap();
        connection
            .execute_batch(
                "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 2; PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE;
                 WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 5000)
                     INSERT INTO names SELECT 'x' || n, 7 FROM n;",
            )
            .unwrap();
        // As a killed process leaves it.
        let broken_off = path.with_file_name("copy.db");
        std::fs::copy(path, &broken_off).unwrap();
        std::fs::copy(path.with_extension("db-journal"), broken_off.with_extension("db-journal")).unwrap();
        for looked in [SqliteLedger::open_to_check(&broken_off), SqliteLedger::only_to_read(&broken_off)] {
            let looked = looked.map(drop);
            assert!(
                matches!(looked, Err(LedgerError::Unwritable { why, .. }) if why.contains("broken off")),
                "{looked:?}"
            );
        }
        SqliteLedger::open(&broken_off).unwrap().integrity(&mut |flaw| panic!("{flaw:?}")).unwrap();
    });
}

#[test]
fn an_empty_file_left_by_a_killed_process_becomes_a_ledger() {
    in_folder(|path| {
        std::fs::write(path, "").unwrap();
        let (mut ledger, by) = with_file(path);
        assert_eq!(ledger.count(by).unwrap(), 0);
    });
}

#[test]
fn an_empty_file_is_a_lost_ledger_and_stays_as_it_is() {
    in_folder(|path| {
        std::fs::write(path, "").unwrap();
        let log = path.with_extension("db-wal");
        std::fs::write(&log, "the last transactions").unwrap();
        for opened in [SqliteLedger::open(path), SqliteLedger::open_to_read(path), SqliteLedger::only_to_read(path)] {
            assert!(matches!(opened, Err(LedgerError::Empty { .. })), "{opened:?}");
        }
        assert_eq!(std::fs::metadata(path).unwrap().len(), 0);
        assert!(log.exists());
    });
}

#[test]
fn a_ledger_that_is_being_made_is_waited_for() {
    in_folder(|path| {
        std::fs::write(path, "").unwrap();
        std::thread::scope(|scope| {
            let opened = scope.spawn(|| SqliteLedger::open(path).map(|_| ()));
            std::thread::sleep(std::time::Duration::from_millis(100));
            drop(with_file(path));
            assert!(opened.join().unwrap().is_ok());
        });
    });
}

#[test]
fn a_lost_number_of_the_schema_is_put_right() {
    for number in [0, -1, 1] {
        in_folder(|path| {
            drop(with_file(path));
            rusqlite::Connection::open(path).unwrap().pragma_update(None, "user_version", number).unwrap();
            let opened = SqliteLedger::open(path);
            assert!(matches!(opened, Err(LedgerError::Renumbered { .. })), "{opened:?}");
            let mended = SqliteLedger::open_to_mend(path).unwrap().mend(&act(Action::Repair)).unwrap();
            assert_eq!(mended.len(), 1, "{mended:?}");
            assert!(SqliteLedger::open(path).is_ok());
        });
    }
}

#[cfg(unix)]
#[test]
fn guards_that_let_everything_pass_are_missed_and_made_again() {
    let Some(server) = server::server() else { return };
    for statement in [
        "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "DROP FUNCTION refuse CASCADE",
    ] {
        let access = PostgresAccess::new(&server.database(), "nobody", None).unwrap();
        let store = Store::Database(access);
        let (mut ledger, _) = with_root(&store);
        store.spoil(statement);
        let mut told = Vec::new();
        ledger.integrity(&mut |flaw| told.push(flaw.what)).unwrap();
        assert!(told.iter().any(|what| what.contains("the function refuse")), "{told:?}");
        assert!(ledger.mend(&act(Action::Repair)).unwrap().iter().any(|mended| mended.what == "refuse"));
        assert!(store.try_to_spoil("UPDATE audit SET who = 'eve'").contains("the audit log only grows"));
        let mut left = 0;
        ledger.integrity(&mut |_| left += 1).unwrap();
        assert_eq!(left, 0);
    }
}

#[cfg(unix)]
#[test]
fn a_thread_of_a_server_may_ask_the_database() {
    let Some(server) = server::server() else { return };
    let access = PostgresAccess::new(&server.database(), "nobody", None).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let asked = runtime.spawn(async move {
        let (mut ledger, by) = with_root(&Store::Database(access));
        ledger.count(by).unwrap()
    });
    assert_eq!(runtime.block_on(asked).unwrap(), 0);
}
