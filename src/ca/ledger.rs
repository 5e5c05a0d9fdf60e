//! The record of everything an authority has signed.
//!
//! [`Ledger`] is what an authority needs of it; [`SqliteLedger`] keeps it in one file, [`PostgresLedger`] in a database that
//! several hosts share. The database, not the program,
//! keeps serial numbers unique (RFC 5280 §4.1.2.2: "unique for each certificate issued by a given CA") and every operation
//! is one durable transaction with its line in the audit log.

mod act;
mod chain;
mod detail;
mod error;
mod examined;
mod flaw;
mod known;
mod postgres;
mod record;
mod revocation;
mod rows;
mod schema;
mod sqlite;

pub use act::{Act, Action, AuditLine};
pub use chain::{AuditFault, AuditHead, Auditor};
pub use detail::Told;
pub use error::LedgerError;
pub use examined::{Change, Examined, Step};
pub use flaw::{Flaw, Mended, Prospect};
pub use postgres::{PostgresAccess, PostgresLedger, PostgresTls, PostgresTlsError, TlsFiles};
pub use record::{AuthorityRecord, Entry, Query, Record};
pub use revocation::{ListQuery, Mark, Numbered, Revocation, Revoked, SignedList};
pub use sqlite::SqliteLedger;

use std::ops::ControlFlow;
use std::path::Path;

use crate::x509::{Certificate, GeneralName, SerialNumber};

/// What an authority needs of the place where it keeps its record.
///
/// Every method is one transaction: when it returns `Ok`, what it wrote survives a power cut.
pub trait Ledger: Send {
    /// Adds an authority, and its own certificate to the certificates it has signed if that is self-issued.
    ///
    /// # Errors
    /// [`LedgerError::AlreadyRecorded`] where the authority is known.
    fn add_authority(
        &mut self,
        certificate: &Certificate,
        profile: &str,
        act: &Act,
    ) -> Result<AuthorityId, LedgerError>;

    /// The authority with this certificate, if the ledger knows it.
    ///
    /// # Errors
    /// When the database fails.
    fn authority(&mut self, certificate: &Certificate) -> Result<Option<AuthorityId>, LedgerError>;

    /// Every authority in the ledger, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    fn authorities(&mut self) -> Result<Vec<AuthorityRecord>, LedgerError>;

    /// The number of every authority with the SHA-256 of its certificate, the oldest first: whoever has read the certificates knows by
    /// them whether there are others now.
    ///
    /// # Errors
    /// When the database fails.
    fn authority_fingerprints(&mut self) -> Result<Vec<(AuthorityId, Vec<u8>)>, LedgerError>;

    /// Records certificates that `by` has signed: all of them or none.
    ///
    /// # Errors
    /// [`LedgerError::SerialTaken`] where `by` has used a serial number before: draw another and sign again.
    fn record(&mut self, by: AuthorityId, certificates: &[Entry<'_>], act: &Act) -> Result<(), LedgerError>;

    /// The certificates that `by` has signed and that match, the oldest first unless the query says
    /// otherwise; its own is left out.
    ///
    /// # Errors
    /// When the database fails.
    fn find(&mut self, by: AuthorityId, query: &Query) -> Result<Vec<Record>, LedgerError>;

    /// The DER encoding of a recorded certificate.
    ///
    /// # Errors
    /// When the database fails.
    fn certificate(&mut self, id: RecordId) -> Result<Vec<u8>, LedgerError>;

    /// How many certificates `by` has signed, its own left out.
    ///
    /// # Errors
    /// When the database fails.
    fn count(&mut self, by: AuthorityId) -> Result<u64, LedgerError>;

    /// Revokes a certificate that `by` has signed, or puts it on hold, and gives its record as it is then. A revocation for
    /// another reason is raised to a compromise and keeps its time; one as of a time to come is as of this one's instead; of two
    /// `invalid_since` the earlier one stands then.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`]; [`LedgerError::Own`] for the authority's own certificate; [`LedgerError::AlreadyRevoked`],
    /// except where a hold becomes a revocation for good or a revocation is raised; [`LedgerError::NoReason`] for
    /// `removeFromCRL`, which revokes nothing.
    fn revoke(
        &mut self,
        by: AuthorityId,
        serial: &SerialNumber,
        revocation: Revocation,
        act: &Act,
    ) -> Result<Record, LedgerError>;

    /// Lifts the hold of a certificate, as of the act's time, and gives its record as it is then. Deltas upon a list that
    /// may have it say `removeFromCRL`.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`], and [`LedgerError::NotOnHold`] where it is not revoked, or for good.
    fn release(&mut self, by: AuthorityId, serial: &SerialNumber, act: &Act) -> Result<Record, LedgerError>;

    /// Every revocation, hold and lifted hold (`removeFromCRL`) of a certificate, the oldest first.
    ///
    /// # Errors
    /// When the database fails.
    fn history(&mut self, id: RecordId) -> Result<Vec<Revocation>, LedgerError>;

    /// Shows `visit` what belongs on a list, one entry at a time however many there are, all as of one moment; it may
    /// break off. Without `since`, every certificate that is revoked, by serial number. With it, for a delta: every
    /// certificate whose revocation changed after that mark, the earliest change first.
    ///
    /// # Errors
    /// When the database fails.
    fn revoked(
        &mut self,
        by: AuthorityId,
        since: Option<Mark>,
        visit: &mut dyn FnMut(Revoked) -> ControlFlow<()>,
    ) -> Result<(), LedgerError>;

    /// Hands out the next `cRLNumber` of `by`: greater than all it has handed out, and than `above`. It is never handed
    /// out again, whatever becomes of the list. Ask for it before [`Self::revoked`].
    ///
    /// # Errors
    /// When the database fails.
    fn next_crl_number(&mut self, by: AuthorityId, above: u64) -> Result<Numbered, LedgerError>;

    /// Records a list that `by` has signed, before anybody sees it.
    ///
    /// # Errors
    /// [`LedgerError::UnknownNumber`] where the number was never handed out, [`LedgerError::ListRecorded`] where another
    /// list of the same kind and scope has it, [`LedgerError::NoBase`] where the base of a delta is not recorded.
    fn record_list(&mut self, by: AuthorityId, list: &SignedList, act: &Act) -> Result<(), LedgerError>;

    /// The lists that `by` has signed and that match, the one with the greatest number first.
    ///
    /// # Errors
    /// When the database fails.
    fn lists(&mut self, by: AuthorityId, query: &ListQuery) -> Result<Vec<SignedList>, LedgerError>;

    /// Shows `visit` every list as its row stands, in the order of the rows: the row, who is said to have signed it, and its
    /// fingerprint.
    ///
    /// # Errors
    /// When the database fails.
    fn list_rows(&mut self, visit: &mut dyn FnMut(i64, AuthorityId, Vec<u8>)) -> Result<(), LedgerError>;

    /// Notes in the audit log that a list which is recorded went nowhere: clients do not have it.
    ///
    /// # Errors
    /// When the database fails.
    fn note_undelivered(&mut self, by: AuthorityId, list: &SignedList, act: &Act) -> Result<(), LedgerError>;

    /// Whether [`Self::note_undelivered`] was said of this list. It looks at the audit log from its end to the list's line.
    ///
    /// # Errors
    /// When the database fails.
    fn is_undelivered(&mut self, by: AuthorityId, list: &SignedList) -> Result<bool, LedgerError>;

    /// Notes in the audit log what was done to an authority and changes no record: its key has another passphrase.
    ///
    /// # Errors
    /// When the database fails.
    fn note(&mut self, by: AuthorityId, certificate: &Certificate, detail: &str, act: &Act) -> Result<(), LedgerError>;

    /// Shows `visit` the audit log, the oldest line first, all as of one moment; it may break off. Gives the head that
    /// the ledger has recorded: an [`Auditor`] says whether the lines lead up to it.
    ///
    /// # Errors
    /// [`LedgerError::Headless`] where there is no head, after the lines were shown, and when the database fails.
    fn audit(&mut self, visit: &mut dyn FnMut(AuditLine) -> ControlFlow<()>) -> Result<AuditHead, LedgerError>;

    /// Shows `visit` what the database by itself finds wrong: damaged pages, dangling references, tables and guards that
    /// were taken away, counters of rows that give no free id.
    ///
    /// # Errors
    /// When the database fails.
    fn integrity(&mut self, visit: &mut dyn FnMut(Flaw)) -> Result<(), LedgerError>;

    /// Shows `visit` every recorded certificate as its row stands, of all authorities, the oldest first, all as of one
    /// moment; it may break off.
    ///
    /// # Errors
    /// When the database fails.
    fn examine(&mut self, visit: &mut dyn FnMut(Examined) -> ControlFlow<()>) -> Result<(), LedgerError>;

    /// Makes again what follows from the rest: guards and indexes that were taken away or are damaged, the names under which
    /// certificates are found, the head of the audit log, counters of rows that fell behind or ran out. Each leaves a line in
    /// the audit log.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] where more is lost than that, and when the database fails.
    fn mend(&mut self, act: &Act) -> Result<Vec<Mended>, LedgerError>;

    /// Writes all of it, as of one moment, into one file that is there and empty, whoever writes to the ledger meanwhile.
    ///
    /// # Errors
    /// [`LedgerError::NoFile`] where the ledger is no file, and when the database fails.
    fn copy_to(&mut self, path: &Path) -> Result<(), LedgerError>;
}

/// An authority in a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AuthorityId(i64);

/// A certificate in a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordId(i64);

impl std::fmt::Display for AuthorityId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::fmt::Display for RecordId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The names under which a certificate is found: its subjectAltNames and commonNames, without their forms, in lower case.
pub(super) fn search_names(names: &[GeneralName], certificate: &Certificate) -> Vec<String> {
    let alternative = names.iter().map(GeneralName::value);
    let mut all: Vec<String> = alternative.chain(certificate.subject().common_names()).map(folded).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// A name as it is compared.
fn folded(mut name: String) -> String {
    if !name.is_ascii() {
        return name.to_lowercase();
    }
    name.make_ascii_lowercase();
    name
}

#[cfg(test)]
mod tests;
