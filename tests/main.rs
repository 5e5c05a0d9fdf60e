//! certkit from outside: one integration binary, a file per command.

// A test stops at the first surprise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod architecture;
mod ca;
mod ca_faults;
mod compat;
mod conformance;
mod csr;
mod differential;
mod files;
mod inspect;
mod key;
mod new;
mod plumbing;
mod policies;
mod readme;
mod rules;
mod support;
mod verify;
mod verify_batch;
