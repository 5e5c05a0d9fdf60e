//! The record of everything an authority has signed.
//!
//! [`Ledger`] is what an authority needs of it; [`SqliteLedger`] keeps it in one file. The database, not the program,
//! keeps serial numbers unique (RFC 5280 §4.1.2.2: "unique for each certificate issued by a given CA") and every operation
//! is one durable transaction with its line in the audit log.

mod rows;
mod schema;
mod sqlite;

pub use sqlite::SqliteLedger;

use std::path::PathBuf;

use crate::x509::extension::CrlReason;
use crate::x509::{Certificate, GeneralName, SerialNumber, Validity};
use time::OffsetDateTime;

/// What an authority needs of the place where it keeps its record.
///
/// Every method is one transaction: when it returns `Ok`, what it wrote survives a power cut.
pub trait Ledger {
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

    /// Records certificates that `by` has signed: all of them or none.
    ///
    /// # Errors
    /// [`LedgerError::SerialTaken`] where `by` has used a serial number before: draw another and sign again.
    fn record(&mut self, by: AuthorityId, certificates: &[Entry<'_>], act: &Act) -> Result<(), LedgerError>;

    /// The certificates that `by` has signed and that match, the oldest first; its own is left out.
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

    /// The audit log, the oldest line first.
    ///
    /// # Errors
    /// When the database fails.
    fn audit(&mut self) -> Result<Vec<AuditLine>, LedgerError>;
}

/// An authority in a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthorityId(i64);

/// A certificate in a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordId(i64);

/// Who does what and when: every change of the ledger has one, and leaves it in the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// When.
    pub at: OffsetDateTime,
    /// The user of the operating system.
    pub who: String,
    /// What is done.
    pub what: Action,
}

/// What is done to a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// An authority is made.
    Init,
    /// An authority below another is made.
    Intermediate,
    /// An authority made elsewhere is taken over.
    Import,
    /// An authority of another's is certified.
    CrossSign,
    /// A key pair is made and its certificate issued.
    Issue,
    /// A certification request is answered with a certificate.
    Sign,
    /// A certificate is issued in the place of another.
    Renew,
    /// A certificate is revoked or put on hold.
    Revoke,
    /// A certificate's hold is lifted.
    Release,
    /// A certificate revocation list is signed.
    Crl,
    /// The ledger is rebuilt from what was exported.
    Repair,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 11] = [
        Self::Init,
        Self::Intermediate,
        Self::Import,
        Self::CrossSign,
        Self::Issue,
        Self::Sign,
        Self::Renew,
        Self::Revoke,
        Self::Release,
        Self::Crl,
        Self::Repair,
    ];

    /// The word that stands for it in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Intermediate => "intermediate",
            Self::Import => "import",
            Self::CrossSign => "cross-sign",
            Self::Issue => "issue",
            Self::Sign => "sign",
            Self::Renew => "renew",
            Self::Revoke => "revoke",
            Self::Release => "release",
            Self::Crl => "crl",
            Self::Repair => "repair",
        }
    }
}

/// A certificate to be recorded.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The certificate.
    pub certificate: &'a Certificate,
    /// The profile it was made by.
    pub profile: &'a str,
}

/// Which certificates are wanted. The default is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Those with this serial number.
    pub serial: Option<SerialNumber>,
    /// Those with this name among their subjectAltNames or as commonName, case aside.
    pub name: Option<String>,
    /// Those whose notAfter comes before this.
    pub expiring_before: Option<OffsetDateTime>,
    /// Those that are revoked, or those that are not.
    pub revoked: Option<bool>,
    /// Those recorded after this one.
    pub after: Option<RecordId>,
    /// At most so many.
    pub limit: Option<u32>,
}

/// A recorded certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it is in the ledger.
    pub id: RecordId,
    /// Its serial number.
    pub serial: SerialNumber,
    /// The SHA-256 of its encoding.
    pub fingerprint: Vec<u8>,
    /// Its subject in the form of RFC 4514.
    pub subject: String,
    /// Its subjectAltNames, each with its form: `dns:a.test`.
    pub names: Vec<String>,
    /// The period in which it may be used.
    pub validity: Validity,
    /// The profile it was made by.
    pub profile: String,
    /// When it was recorded.
    pub issued_at: OffsetDateTime,
    /// Its revocation, if it is revoked.
    pub revocation: Option<Revocation>,
}

/// A revocation (RFC 5280 §5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revocation {
    /// When.
    pub at: OffsetDateTime,
    /// Why (RFC 5280 §5.3.1).
    pub reason: CrlReason,
}

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// When.
    pub at: OffsetDateTime,
    /// The user of the operating system.
    pub who: String,
    /// What was done: an [`Action`]'s name.
    pub what: String,
    /// The SHA-256 of the certificate it was done to.
    pub fingerprint: Vec<u8>,
}

/// Why a ledger does not do what is asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// There is no ledger.
    #[error("there is no ledger at {}: restore it from a backup; without it nobody knows what this CA has signed", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The file cannot be made or opened.
    #[error("cannot open the ledger {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is something else.
    #[error("{} is no ledger of certkit: {why}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// How that is known.
        why: String,
    },
    /// The file was written by a later certkit.
    #[error("the ledger {} has schema {found} and this certkit knows {known}: use a newer certkit", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its schema.
        found: i64,
        /// The latest version known here.
        known: i64,
    },
    /// The authority has used this serial number.
    #[error("serial number {serial} is taken")]
    SerialTaken {
        /// The serial number.
        serial: SerialNumber,
    },
    /// The certificate stands in the ledger.
    #[error("the certificate with serial number {serial} is recorded already")]
    AlreadyRecorded {
        /// Its serial number.
        serial: SerialNumber,
    },
    /// Another process kept the ledger to itself for too long.
    #[error("another process has held the ledger {} for {seconds} seconds: wait for it or end it, then try again", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
        /// How long this process waited.
        seconds: u64,
    },
    /// The folder or the disk does not take what is to be written.
    #[error("cannot write to the ledger {}: {why}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the database said.
        why: &'static str,
    },
    /// A row is not what it should be.
    #[error("the ledger {} is damaged: {what}; restore it from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The database failed.
    #[error("the ledger {} failed", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What the database said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The names under which a certificate is found: its subjectAltNames and commonNames, without their forms, in lower case.
fn search_names(names: &[GeneralName], certificate: &Certificate) -> Vec<String> {
    let alternative = names.iter().map(GeneralName::value);
    let mut all: Vec<String> =
        alternative.chain(certificate.subject().common_names()).map(|name| folded(&name)).collect();
    all.sort();
    all.dedup();
    all
}

/// A name as it is compared.
fn folded(name: &str) -> String {
    name.to_lowercase()
}

#[cfg(test)]
mod tests;
