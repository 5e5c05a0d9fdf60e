//! Bytes and text: PEM, DER, object identifiers, hex, base64, percent-encoding, markup; and what is said of settings that do not fit.
//!
//! Everything here reads untrusted bytes: no function panics, and every length is checked before it is used.

pub mod base64;
pub mod der;
pub mod hex;
pub mod markup;
pub mod misfit;
pub mod oid;
pub mod pem;
pub mod percent;

pub use der::DerError;
pub use oid::Oid;
