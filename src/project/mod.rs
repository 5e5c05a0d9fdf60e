//! What a user wants to have, written down: lists of certificates, line by line, as CSV or as TOML; and the authorities and
//! certificates of a project in `certkit.toml`.
//!
//! The room reads text and compares values; it makes nothing and touches no file.

pub mod difference;
pub mod document;
pub mod list;
pub mod wish;

pub use difference::{Difference, differences};
pub use document::{Project, WishedAuthority, WishedCertificate};
pub use list::{Format, ListReader};
pub use wish::{Wish, WishError};
