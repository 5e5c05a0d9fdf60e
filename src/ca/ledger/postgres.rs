//! The ledger in a PostgreSQL database, for several hosts that issue from one.
//!
//! Its tables are those of the SQLite ledger, in the schema `certkit` of the database. A transaction that writes locks the
//! head of the audit log first, so writers of all hosts queue for it, and the log's chain, the numbers of lists and the
//! order of revocations come out one after the other as they do in a file. Readers never wait.

mod access;
mod audit;
mod catalogue;
mod counters;
mod lists;
mod mend;
mod parameters;
mod reach;
mod revoke;
mod rows;
mod schema;
mod tls;
mod write;

pub use access::PostgresAccess;
pub use parameters::TlsFiles;
pub use tls::{PostgresTls, PostgresTlsError};

use std::io;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use self::audit::{Commit, Writing};
use super::act::Done;
use super::flaw;
use super::known::Known;
use super::{
    Act, AuditHead, AuditLine, AuthorityId, AuthorityRecord, Entry, Examined, Flaw, Ledger, LedgerError, ListQuery,
    Mark, Mended, Numbered, Query, Record, RecordId, Revocation, Revoked, SignedList,
};
use crate::x509::{Certificate, SerialNumber};
use ::postgres::error::SqlState;
use ::postgres::types::WrongType;
use ::postgres::{Client, IsolationLevel, Transaction};
use tokio::runtime::{Handle, RuntimeFlavor};

/// A ledger in a PostgreSQL database. Where the connection was lost another one takes its place before the next transaction.
pub struct PostgresLedger {
    access: PostgresAccess,
    /// There until the ledger is dropped.
    client: Option<Client>,
    known: Known,
    /// When the last attempt to connect again failed, and why.
    out_of_reach: Option<(Instant, String)>,
}

impl PostgresLedger {
    /// Opens the ledger in a database and brings its schema up to date.
    ///
    /// # Errors
    /// [`LedgerError::Missing`], [`LedgerError::Newer`], [`LedgerError::Silent`], [`LedgerError::Older`] where this user may not
    /// bring it up to date, and when the database cannot be reached or
    /// refuses.
    pub fn open(access: &PostgresAccess) -> Result<Self, LedgerError> {
        Self::connect(access, false)
    }

    /// Makes a ledger in a database, or opens the one that is there.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn create(access: &PostgresAccess) -> Result<Self, LedgerError> {
        Self::connect(access, true)
    }

    /// Opens the ledger in a database to look at it, and leaves its schema as it is.
    ///
    /// # Errors
    /// As [`Self::open`], and [`LedgerError::Older`] where the schema would have to be brought up to date first.
    pub fn open_to_check(access: &PostgresAccess) -> Result<Self, LedgerError> {
        let mut client = blocking(|| reach::connected(access))?;
        let (ledger, known) = (access.name().to_owned(), schema::LATEST);
        match blocking(|| schema::version(&mut client)).map_err(|error| told(access.name(), error))? {
            0 => Err(LedgerError::Missing { ledger }),
            found if found < known => Err(LedgerError::Older { ledger, found, known }),
            found if found > known => Err(LedgerError::Newer { ledger, found, known }),
            _ => Ok(Self { access: access.clone(), client: Some(client), known: Known::default(), out_of_reach: None }),
        }
    }

    fn connect(access: &PostgresAccess, may_make: bool) -> Result<Self, LedgerError> {
        let mut client = blocking(|| reach::connected(access))?;
        let told = |error| told(access.name(), error);
        let found = match blocking(|| schema::migrate(&mut client, may_make)).map_err(told) {
            // Tables are their owner's to change, whatever else was granted.
            Err(LedgerError::Unwritable { ledger, why }) => {
                return Err(match blocking(|| schema::version(&mut client)) {
                    Ok(found) if (1..schema::LATEST).contains(&found) && !why.contains("no space") => {
                        LedgerError::Older { ledger, found, known: schema::LATEST }
                    }
                    _ => LedgerError::Unwritable { ledger, why },
                });
            }
            found => found?,
        };
        let known = Known::default();
        let ledger = Self { access: access.clone(), client: Some(client), known, out_of_reach: None };
        let ledger_name = || access.name().to_owned();
        match found {
            schema::Found::Current => Ok(ledger),
            schema::Found::Nothing => Err(LedgerError::Missing { ledger: ledger_name() }),
            schema::Found::Later(found) => {
                Err(LedgerError::Newer { ledger: ledger_name(), found, known: schema::LATEST })
            }
        }
    }

    /// Runs `work` as one transaction that no other writer overlaps and that is on the disk when it returns. It is never run
    /// twice: where the connection is cut off while it is committed, the audit log tells whether it is there.
    fn transact<T>(&mut self, work: impl FnOnce(&mut Writing<'_>) -> Result<T, Failure>) -> Result<T, LedgerError> {
        let (done, commit) = self.with_client(work, |client, work| {
            let transaction = match client.transaction() {
                Ok(transaction) => transaction,
                Err(error) => return Err((Some(work), error.into())),
            };
            let run = || {
                let mut writing = Writing::of(transaction)?;
                let done = work(&mut writing)?;
                Ok((done, writing.commit()?))
            };
            run().map_err(|failure| (None, failure))
        })?;
        match commit {
            Commit::Done => Ok(done),
            Commit::Unsettled { head, error } => self.settle(&head, error).map(|()| done),
        }
    }

    /// Asks over a new connection whether a transaction that ends in this head of the audit log is there.
    fn settle(&mut self, head: &AuditHead, lost: ::postgres::Error) -> Result<(), LedgerError> {
        let connected = PAUSES.into_iter().any(|pause| {
            blocking(|| std::thread::sleep(pause));
            self.connect_again().is_ok()
        });
        let found = match &mut self.client {
            Some(client) if connected => blocking(|| audit::has(client, head)).ok(),
            _ => None,
        };
        match found {
            Some(true) => Ok(()),
            Some(false) => Err(told(self.access.name(), lost)),
            None => Err(LedgerError::Unsettled { ledger: self.access.name().to_owned(), source: Box::new(lost) }),
        }
    }

    /// Runs `work` as of one moment of the database.
    fn look<T>(&mut self, work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Failure>) -> Result<T, LedgerError> {
        self.with_client(work, |client, work| {
            let moment = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
            match moment.start() {
                Ok(mut moment) => work(&mut moment).map_err(|failure| (None, failure)),
                Err(error) => Err((Some(work), error.into())),
            }
        })
    }

    /// Runs `work` on the connection. `run` hands it back where no transaction could be begun: nothing was done yet, and a
    /// sound connection begins one, so this one is lost. Then there is another attempt with a new one.
    fn with_client<W, T>(
        &mut self,
        work: W,
        run: impl Fn(&mut Client, W) -> Result<T, (Option<W>, Failure)>,
    ) -> Result<T, LedgerError> {
        let mut done = self.attempt(work, &run);
        if let Err((Some(work), _)) = done {
            self.connect_again()?;
            done = self.attempt(work, &run);
        }
        done.map_err(|(_, failure)| failed(self.access.name(), failure))
    }

    fn attempt<W, T>(
        &mut self,
        work: W,
        run: impl Fn(&mut Client, W) -> Result<T, (Option<W>, Failure)>,
    ) -> Result<T, (Option<W>, Failure)> {
        match &mut self.client {
            Some(client) => blocking(|| run(client, work)),
            None => Err((Some(work), Failure::Damaged("the connection is closed".to_owned()))),
        }
    }

    /// Puts another connection in the place of the one that was lost.
    fn connect_again(&mut self) -> Result<(), LedgerError> {
        // Whoever queued behind an attempt that took all of its time does not wait as long again.
        if let Some((_, why)) = self.out_of_reach.as_ref().filter(|(failed, _)| failed.elapsed() < BREATH) {
            return Err(reach::unreachable(&self.access, io::Error::other(why.clone())));
        }
        let connected = Self::connect(&self.access, false).and_then(|mut ledger| {
            self.known.are_among(&ledger.authorities()?, self.access.name())?;
            Ok(ledger)
        });
        match connected {
            Ok(mut ledger) => {
                std::mem::swap(&mut self.client, &mut ledger.client);
                self.out_of_reach = None;
                Ok(())
            }
            Err(error) => {
                // In the words of the error itself, so that it is known for the same.
                let causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
                let why: Vec<String> = causes.map(ToString::to_string).collect();
                let why = if why.is_empty() { error.to_string() } else { why.join(": ") };
                self.out_of_reach = Some((Instant::now(), why));
                Err(error)
            }
        }
    }
}

/// Waits for the server also where a thread of an HTTP server asks: the client waits in a runtime of its own, which must
/// not be inside another.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

impl Drop for PostgresLedger {
    fn drop(&mut self) {
        // Closing waits too.
        let client = self.client.take();
        blocking(|| drop(client));
    }
}

impl Ledger for PostgresLedger {
    fn add_authority(
        &mut self,
        certificate: &Certificate,
        profile: &str,
        act: &Act,
    ) -> Result<AuthorityId, LedgerError> {
        let id = self.transact(|writing| {
            let id = write::add_authority(writing, certificate, act)?;
            if certificate.is_self_issued() {
                write::insert(writing, id, &[Entry { certificate, profile }], act)?;
            } else {
                writing.log(Done::recorded(certificate, profile).line(id, act));
            }
            Ok(id)
        })?;
        self.known.add(certificate, id);
        Ok(id)
    }

    fn authority(&mut self, certificate: &Certificate) -> Result<Option<AuthorityId>, LedgerError> {
        let found = self.look(|moment| {
            let fingerprint = certificate.fingerprint_sha256();
            let found =
                moment.query_opt("SELECT id FROM authorities WHERE fingerprint = $1", &[&fingerprint.as_slice()])?;
            Ok(found.map(|row| row.try_get(0)).transpose()?.map(AuthorityId))
        })?;
        found.iter().for_each(|id| self.known.add(certificate, *id));
        Ok(found)
    }

    fn authorities(&mut self) -> Result<Vec<AuthorityRecord>, LedgerError> {
        self.look(rows::authorities)
    }

    fn authority_fingerprints(&mut self) -> Result<Vec<(AuthorityId, Vec<u8>)>, LedgerError> {
        self.look(|moment| {
            let rows = moment.query("SELECT id, fingerprint FROM authorities ORDER BY id", &[])?;
            rows.iter().map(|row| Ok((AuthorityId(row.try_get(0)?), row.try_get(1)?))).collect()
        })
    }

    fn record(&mut self, by: AuthorityId, certificates: &[Entry<'_>], act: &Act) -> Result<(), LedgerError> {
        self.transact(|writing| write::insert(writing, by, certificates, act))
    }

    fn find(&mut self, by: AuthorityId, query: &Query) -> Result<Vec<Record>, LedgerError> {
        self.look(|moment| rows::select(moment, by, query))
    }

    fn certificate(&mut self, RecordId(id): RecordId) -> Result<Vec<u8>, LedgerError> {
        self.look(|moment| Ok(moment.query_one("SELECT der FROM certificates WHERE id = $1", &[&id])?.try_get(0)?))
    }

    fn count(&mut self, AuthorityId(by): AuthorityId) -> Result<u64, LedgerError> {
        self.look(|moment| {
            let count: i64 = moment.query_one(COUNT, &[&by])?.try_get(0)?;
            Ok(u64::try_from(count).unwrap_or_default())
        })
    }

    fn revoke(
        &mut self,
        by: AuthorityId,
        serial: &SerialNumber,
        revocation: Revocation,
        act: &Act,
    ) -> Result<Record, LedgerError> {
        self.transact(|writing| revoke::revoke(writing, by, serial, revocation, act))
    }

    fn release(&mut self, by: AuthorityId, serial: &SerialNumber, act: &Act) -> Result<Record, LedgerError> {
        self.transact(|writing| revoke::release(writing, by, serial, act))
    }

    fn history(&mut self, id: RecordId) -> Result<Vec<Revocation>, LedgerError> {
        self.look(|moment| revoke::history(moment, id))
    }

    fn revoked(
        &mut self,
        by: AuthorityId,
        since: Option<Mark>,
        visit: &mut dyn FnMut(Revoked) -> ControlFlow<()>,
    ) -> Result<(), LedgerError> {
        self.look(|moment| lists::entries(moment, by, since, visit))
    }

    fn next_crl_number(&mut self, by: AuthorityId, above: u64) -> Result<Numbered, LedgerError> {
        self.transact(|writing| lists::next_number(writing, by, above))
    }

    fn record_list(&mut self, by: AuthorityId, list: &SignedList, act: &Act) -> Result<(), LedgerError> {
        self.transact(|writing| lists::record(writing, by, list, act))
    }

    fn lists(&mut self, by: AuthorityId, query: &ListQuery) -> Result<Vec<SignedList>, LedgerError> {
        self.look(|moment| lists::find(moment, by, query))
    }

    fn list_rows(&mut self, visit: &mut dyn FnMut(i64, AuthorityId, Vec<u8>)) -> Result<(), LedgerError> {
        self.look(|moment| lists::rows(moment, visit))
    }

    fn note_undelivered(&mut self, by: AuthorityId, list: &SignedList, act: &Act) -> Result<(), LedgerError> {
        self.transact(|writing| {
            writing.log(Done::undelivered(list).line(by, act));
            Ok(())
        })
    }

    fn is_undelivered(&mut self, by: AuthorityId, list: &SignedList) -> Result<bool, LedgerError> {
        self.look(|moment| lists::is_undelivered(moment, by, list))
    }

    fn note(&mut self, by: AuthorityId, certificate: &Certificate, detail: &str, act: &Act) -> Result<(), LedgerError> {
        self.transact(|writing| {
            writing.log(Done::to(certificate, detail.to_owned()).line(by, act));
            Ok(())
        })
    }

    fn audit(&mut self, visit: &mut dyn FnMut(AuditLine) -> ControlFlow<()>) -> Result<AuditHead, LedgerError> {
        let head = self.look(|moment| audit::read(moment, visit))?;
        head.ok_or_else(|| LedgerError::Headless { ledger: self.access.name().to_owned() })
    }

    fn integrity(&mut self, visit: &mut dyn FnMut(Flaw)) -> Result<(), LedgerError> {
        self.look(|moment| mend::integrity(moment, visit))
    }

    fn examine(&mut self, visit: &mut dyn FnMut(Examined) -> ControlFlow<()>) -> Result<(), LedgerError> {
        self.look(|moment| mend::examine(moment, visit))
    }

    fn mend(&mut self, act: &Act) -> Result<Vec<Mended>, LedgerError> {
        self.with_client((), |client, ()| {
            let mut run = || {
                let mut transaction = client.transaction()?;
                let mut mended = mend::tables(&mut transaction)?;
                mended.extend(audit::mend_head(&mut transaction)?.map(|head| Mended::head(head.lines)));
                let mut writing = Writing::of(transaction)?;
                mend::mend(&mut writing, &mut mended, act)?;
                match writing.commit()? {
                    Commit::Done => Ok(mended),
                    // It is found out by mending again.
                    Commit::Unsettled { error, .. } => Err(error.into()),
                }
            };
            run().map_err(|failure| (None, failure))
        })
    }

    fn copy_to(&mut self, _: &Path) -> Result<(), LedgerError> {
        Err(LedgerError::NoFile { ledger: self.access.name().to_owned() })
    }
}

impl std::fmt::Debug for PostgresLedger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { access, client: _, known: _, out_of_reach: _ } = self;
        f.debug_struct("PostgresLedger").field("name", &access.name()).finish_non_exhaustive()
    }
}

/// Why a transaction is rolled back.
enum Failure {
    Database(::postgres::Error),
    Ledger(LedgerError),
    /// What of a row cannot be read.
    Damaged(String),
    /// The audit log has no head to go on from.
    Headless,
}

impl From<::postgres::Error> for Failure {
    fn from(error: ::postgres::Error) -> Self {
        Self::Database(error)
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl From<String> for Failure {
    fn from(what: String) -> Self {
        Self::Damaged(what)
    }
}

fn failed(name: &str, failure: Failure) -> LedgerError {
    match failure {
        Failure::Database(error) => told(name, error),
        Failure::Ledger(error) => error,
        Failure::Damaged(what) => LedgerError::Damaged { ledger: name.to_owned(), what },
        Failure::Headless => LedgerError::Headless { ledger: name.to_owned() },
    }
}

/// The database's error in the words of this room.
fn told(name: &str, error: ::postgres::Error) -> LedgerError {
    let ledger = name.to_owned();
    let unwritable = |why| LedgerError::Unwritable { ledger: name.to_owned(), why };
    if let Some(what) = error.as_db_error().and_then(counters::told) {
        return LedgerError::Damaged { ledger, what };
    }
    match error.code() {
        Some(&(SqlState::LOCK_NOT_AVAILABLE | SqlState::T_R_DEADLOCK_DETECTED)) => {
            LedgerError::Busy { ledger, seconds: PATIENCE_SECONDS }
        }
        Some(&SqlState::DISK_FULL) => unwritable("no space is left on the server's disk"),
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => unwritable("this user of the database may not do that"),
        Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => unwritable(
            "the server takes no changes from this session: it is a standby, or default_transaction_read_only is on for this \
             user, this database or the server",
        ),
        Some(&(SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED)) => {
            LedgerError::Damaged { ledger, what: error.to_string() }
        }
        Some(&(SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_COLUMN | SqlState::UNDEFINED_FUNCTION)) => {
            let said = error.as_db_error().map_or_else(|| error.to_string(), |said| said.message().to_owned());
            // relation "lists" does not exist
            let table = said.strip_prefix("relation \"").and_then(|rest| rest.split_once('"')).map(|(name, _)| name);
            let what = table.map(|name| flaw::missing_table(name.strip_prefix("certkit.").unwrap_or(name)));
            LedgerError::Damaged { ledger, what: what.unwrap_or(said) }
        }
        None if std::error::Error::source(&error).is_some_and(|cause| cause.is::<WrongType>()) => {
            LedgerError::Damaged { ledger, what: "a column is not of the type that certkit gives it".to_owned() }
        }
        _ => LedgerError::Failed { ledger, source: Box::new(error) },
    }
}

/// How long after an attempt to connect again that failed there is no other.
const BREATH: Duration = Duration::from_secs(1);

/// Before each attempt to find out what became of a transaction: a server that starts again takes a few seconds.
const PAUSES: [Duration; 4] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(6)];

/// How long a writer waits for another's transaction, which takes milliseconds.
const PATIENCE_SECONDS: u64 = 60;

const COUNT: &str = "SELECT (SELECT count(*) FROM certificates WHERE authority = $1)
    - (SELECT count(*) FROM certificates JOIN authorities USING (fingerprint)
       WHERE authorities.id = $1 AND authority = $1)";
