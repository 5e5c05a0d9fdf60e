//! What a user wants to have, written down: lists of certificates, line by line, as CSV or as TOML.
//!
//! The room reads text and compares values; it makes nothing and touches no file.

pub mod list;
pub mod wish;

pub use list::{Format, ListReader};
pub use wish::{Wish, WishError};
