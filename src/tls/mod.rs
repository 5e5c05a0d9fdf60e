//! TLS as it stands on the wire: code points, records, handshake messages, extensions, and the keys to open them.

pub mod code;
pub mod extension;
pub mod fingerprint;
pub mod handshake;
pub mod keys;
pub mod record;
#[cfg(test)]
pub(crate) mod rfc8448;
mod wire;

pub use wire::{DecodeError, EncodeError, Fault};
