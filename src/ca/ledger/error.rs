//! Why a ledger does not do what is asked.

use super::Revocation;
use crate::x509::SerialNumber;

/// Why a ledger does not do what is asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// There is no ledger.
    #[error(
        "there is no ledger at {ledger}: if it is in another place, say where with --ledger, CERTKIT_LEDGER or `ledger` in \
         ca.toml; if it was here, restore it from a backup, for without it nobody knows what this CA has signed"
    )]
    Missing {
        /// Where it should be.
        ledger: String,
    },
    /// The file is there and nothing is in it.
    #[error(
        "the ledger {ledger} is empty, so what this CA has signed is lost from it: restore it from a backup; without one \
         `certkit ca repair --new-ledger` makes a new one of exported certificates"
    )]
    Empty {
        /// Which file.
        ledger: String,
    },
    /// The number of the schema is another than that of its tables.
    #[error(
        "the ledger {ledger} has schema {found} by its number and schema {known} by its tables: `certkit ca repair` puts the \
         number right"
    )]
    Renumbered {
        /// Which file.
        ledger: String,
        /// The number.
        found: i64,
        /// What it should be.
        known: i64,
    },
    /// The audit log has lost its head.
    #[error(
        "the head of the audit log of the ledger {ledger} is missing: restore the ledger from a backup, or `certkit ca repair` \
         makes the head again of the last line that is there"
    )]
    Headless {
        /// Which one: a file, or a database without its password.
        ledger: String,
    },
    /// The file cannot be made or opened.
    #[error("cannot open the ledger {ledger}")]
    Open {
        /// Which one: a file, or a database without its password.
        ledger: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// What should name a ledger names none.
    #[error("the URL of the ledger cannot be used: {why}")]
    Address {
        /// What is wrong with it.
        why: String,
    },
    /// The ledger is in a database server, which has its own way to be copied.
    #[error("the ledger {ledger} is no file: copy the database with pg_dump")]
    NoFile {
        /// Which one, without its password.
        ledger: String,
    },
    /// The database is on another machine, and the connection would not be encrypted.
    #[error(
        "the ledger {ledger} is on another machine ({host}), and sslmode=disable would have all of it in the clear"
    )]
    Remote {
        /// Which one, without its password.
        ledger: String,
        /// The machine.
        host: String,
    },
    /// The server has no TLS, or its certificate is not to be trusted.
    #[error("there is no safe connection to the ledger {ledger}")]
    Insecure {
        /// Which one, without its password.
        ledger: String,
        /// What the server said or showed.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database cannot be reached, or lets nobody in.
    #[error("cannot reach the ledger {ledger}")]
    Unreachable {
        /// Which one, without its password.
        ledger: String,
        /// What the system or the server said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database takes the connection and lets nobody in, nor says why.
    #[error(
        "the server of the ledger {ledger} has not let anybody in for {seconds} seconds: see whether PostgreSQL runs there, \
         and whether it, a pooler or a firewall before it is stopped or overloaded; ?connect_timeout=SECONDS in the URL is \
         how long each host is waited for"
    )]
    Silent {
        /// Which one, without its password.
        ledger: String,
        /// How long this process waited.
        seconds: u64,
    },
    /// The file is something else.
    #[error("{ledger} is no ledger of certkit: {why}")]
    Foreign {
        /// Which one: a file, or a database without its password.
        ledger: String,
        /// How that is known.
        why: String,
    },
    /// The file was written by a later certkit.
    #[error("the ledger {ledger} has schema {found} and this certkit knows {known}: use a newer certkit")]
    Newer {
        /// Which one: a file, or a database without its password.
        ledger: String,
        /// The version of its schema.
        found: i64,
        /// The latest version known here.
        known: i64,
    },
    /// The file was written by an earlier certkit, and cannot be brought up to date where nothing may be written.
    #[error(
        "the ledger {ledger} has schema {found}, this certkit needs {known}, and nothing is written to it here: `certkit ca list` \
         brings it up to date once, where it may be written to"
    )]
    Older {
        /// Which one: a file, or a database without its password.
        ledger: String,
        /// The version of its schema.
        found: i64,
        /// The version that is needed.
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
    /// The authority has signed no such certificate.
    #[error("this CA has signed no certificate with serial number {serial}")]
    Unknown {
        /// The serial number.
        serial: SerialNumber,
    },
    /// The certificate is the authority's own.
    #[error(
        "serial number {serial} is the CA's own certificate: a list it signs cannot revoke it; take it out of the trust stores"
    )]
    Own {
        /// Its serial number.
        serial: SerialNumber,
    },
    /// The certificate is revoked, or on hold.
    #[error("the certificate with serial number {serial} is revoked already ({})", revocation.reason.name())]
    AlreadyRevoked {
        /// Its serial number.
        serial: SerialNumber,
        /// The revocation that stands.
        revocation: Revocation,
    },
    /// The certificate has no hold to lift.
    #[error("the certificate with serial number {serial} is not on hold: {}", match revocation {
        Some(revocation) => format!("it is revoked for good ({})", revocation.reason.name()),
        None => "it is not revoked".to_owned(),
    })]
    NotOnHold {
        /// Its serial number.
        serial: SerialNumber,
        /// Its revocation, if it is revoked.
        revocation: Option<Revocation>,
    },
    /// RFC 5280 §5.3.1: `removeFromCRL` appears in deltas only, for what is revoked no longer.
    #[error("removeFromCRL is no reason to revoke a certificate")]
    NoReason,
    /// The number of a list was never handed out.
    #[error("CRL number {number} was never handed out by the ledger")]
    UnknownNumber {
        /// The number.
        number: u64,
    },
    /// The database counts no further.
    #[error(
        "the last CRL number in the ledger is the greatest that it counts to, so no list can be signed: certkit hands out one \
         after the other, and `certkit ca check` says what else was changed; restore the ledger from a backup"
    )]
    NoNumber,
    /// Another list has the number.
    #[error("a list of this kind with CRL number {number} is recorded already")]
    ListRecorded {
        /// The number.
        number: u64,
    },
    /// A delta builds upon a list that the ledger does not know.
    #[error("there is no complete list with CRL number {number} to build a delta upon")]
    NoBase {
        /// The number of the base.
        number: u64,
    },
    /// Another process kept the ledger to itself for too long.
    #[error(
        "another process has held the ledger {ledger} for {seconds} seconds: wait for it or end it, then try again"
    )]
    Busy {
        /// Which one: a file, or a database without its password.
        ledger: String,
        /// How long this process waited.
        seconds: u64,
    },
    /// Another file is where the ledger was, and may not be whole yet.
    #[error(
        "another file was put in the place of the ledger {ledger} while it was in use: it is used once it has stayed as it is \
         for 2 seconds"
    )]
    Replaced {
        /// Which one.
        ledger: String,
    },
    /// What is where the ledger was does not have the authorities of before, or numbers them otherwise.
    #[error("the ledger {ledger} was replaced by one that this process cannot go on with: start it again")]
    Another {
        /// Which one: a file, or a database without its password.
        ledger: String,
    },
    /// The connection ended while a change was put on the disk, and there is no other to ask what became of it.
    #[error(
        "the connection to the ledger {ledger} was lost while a change was put on the disk, so it is not known whether it is \
         there: once the server answers, `certkit ca audit` and `certkit ca list` show it if it is"
    )]
    Unsettled {
        /// Which one, without its password.
        ledger: String,
        /// What the system or the server said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The folder or the disk does not take what is to be written.
    #[error("cannot write to the ledger {ledger}: {why}")]
    Unwritable {
        /// Which one: a file, or a database without its password.
        ledger: String,
        /// What the database said.
        why: &'static str,
    },
    /// A row is not what it should be.
    #[error(
        "the ledger {ledger} is damaged: {what}; `certkit ca check` says what `certkit ca repair` mends of it, and a backup has \
         the rest"
    )]
    Damaged {
        /// Which one: a file, or a database without its password.
        ledger: String,
        /// What is wrong.
        what: String,
    },
    /// The database failed.
    #[error("the ledger {ledger} failed")]
    Failed {
        /// Which one: a file, or a database without its password.
        ledger: String,
        /// What the database said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl LedgerError {
    /// A file whose tables are those of no schema that is known, or of another than that of its number.
    pub(super) fn unlike(ledger: String, found: i64) -> Self {
        let what = format!("its tables are not those of schema {found}, which it has by its number");
        Self::Damaged { ledger, what }
    }
}
