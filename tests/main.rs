//! certkit from outside: one integration binary, a file per command.

// A test stops at the first surprise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod apply;
mod apply_faults;
mod apply_move;
mod architecture;
mod ca;
mod ca_algorithms;
mod ca_batch;
mod ca_crl_due;
mod ca_crl_lost;
mod ca_cross_sign;
mod ca_export;
mod ca_faults;
#[cfg(unix)]
mod ca_files;
mod ca_hierarchy;
mod ca_hints;
mod ca_import;
mod ca_import_lists;
mod ca_making;
mod ca_ocsp;
mod ca_ocsp_key;
mod ca_profiles;
mod ca_refusals;
mod ca_renew;
mod ca_renew_authority;
mod ca_repair;
mod ca_revocation;
mod ca_revocation_raised;
mod ca_servers;
mod ca_spared;
mod ca_standing;
mod ca_unplaced;
mod capture;
mod capture_gaps;
mod compat;
mod conformance;
mod connect;
mod connect_pictures;
mod connect_starttls;
mod csr;
mod differential;
mod fetch_issuers;
mod fetch_revocation;
mod files;
mod inspect;
#[cfg(target_os = "linux")]
mod interop;
mod key;
mod ledger_audit;
mod ledger_check;
mod ledger_counters;
#[cfg(unix)]
mod ledger_cut_off;
#[cfg(unix)]
mod ledger_faults;
#[cfg(unix)]
mod ledger_postgres;
#[cfg(unix)]
mod ledger_postgres_tls;
mod ledger_silence;
mod ledger_tampering;
mod ledger_unchanged;
mod name_constraints;
mod new;
mod paths;
mod plumbing;
mod policies;
mod properties;
mod readme;
mod reasons;
mod revocation_deltas;
mod revocation_lists;
mod revocation_ocsp;
mod revocation_scopes;
mod rules;
mod scan;
#[cfg(unix)]
mod secrets;
mod serve;
mod serve_proxy;
mod serve_secrets;
mod serve_tls;
mod support;
mod tls;
mod tls_garbage;
mod verify;
mod verify_batch;
mod verify_pictures;
mod verify_revocation;
mod verify_weak;
