//! A local certification authority with its ledger.
