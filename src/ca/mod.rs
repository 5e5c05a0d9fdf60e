//! A local certification authority with its ledger.
//!
//! An authority lives in a folder: see [`ledger`]. Whatever it signs is recorded in its [`Ledger`] before any other part of
//! the program sees it, so a process that dies at any moment leaves no certificate its ledger does not know.

pub mod ledger;

pub use ledger::{Ledger, LedgerError, SqliteLedger};
