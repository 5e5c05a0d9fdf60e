//! A local certification authority with its ledger.
//!
//! A CA lives in a folder, its [`Place`], with one ledger and one or several authorities. Whatever one of them signs is
//! recorded in its [`Ledger`] before any other part of the program sees it, so a process that dies at any moment leaves no
//! certificate its ledger does not know. The room touches no file but the ledger's own: certificates and keys come in and
//! go out as values.

pub mod adoption;
pub mod authority;
pub mod check;
pub mod config;
pub mod ledger;
pub mod name;
pub mod petition;
pub mod place;
pub mod recovery;
pub mod renewal;
pub mod responder;
pub mod tiers;

pub use adoption::{IMPORTED, Taken, is_damaged, oddities};
pub use authority::{
    Authority, AuthorityError, CompromisedKeys, Issued, ListOrder, Order, Press, PublishedList, RevokedAuthority,
    Signatory, StatusSignatory, Task, Unrecorded,
};
pub use config::{AbsentKey, Config, ConfigError};
pub use ledger::{
    Act, Action, AuditFault, AuditHead, AuditLine, Auditor, AuthorityId, AuthorityRecord, Entry, Ledger, LedgerError,
    ListQuery, Numbered, PostgresAccess, PostgresLedger, PostgresTls, PostgresTlsError, Query, Record, Revocation,
    Revoked, SignedList, SqliteLedger, TlsFiles,
};
pub use name::AuthorityName;
pub use petition::{Petition, Refusal};
pub use place::{HalfMade, Place};
pub use responder::{OcspAnswer, OcspResponder};
