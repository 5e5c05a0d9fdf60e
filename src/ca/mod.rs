//! A local certification authority with its ledger.
//!
//! An authority lives in a folder, its [`Place`]. Whatever it signs is recorded in its [`Ledger`] before any other part of
//! the program sees it, so a process that dies at any moment leaves no certificate its ledger does not know. The room
//! touches no file but the ledger's own: certificates and keys come in and go out as values.

pub mod authority;
pub mod ledger;
pub mod petition;
pub mod place;

pub use authority::{Authority, AuthorityError, Issued, Order, Press, Signatory, Task, Unrecorded};
pub use ledger::{Act, Action, Ledger, LedgerError, Query, Record, SqliteLedger};
pub use petition::{Petition, Refusal};
pub use place::{HalfMade, Place};
