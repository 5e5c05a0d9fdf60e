//! The keys of a connection, for whoever has its secrets: the key schedules of SSL 3.0 to TLS 1.3, the decryption of
//! records, the MACs of Finished, and the check of handshake signatures.
//!
//! Secrets come from the server's RSA key ([`PreMasterSecret::decrypt`]) or from a key log ([`KeyLog`]). They are erased
//! when dropped and never printed.

mod decrypter;
mod key_log;
mod master;
mod messages;
mod old_records;
mod prf;
mod schedule;
mod signed;
mod traffic;

pub use decrypter::{DecryptError, Plaintext, RecordDecrypter};
pub use key_log::{KeyLog, KeyLogFault, KeyLogLabel, key_log_line};
pub use master::{MasterSecret, PreMasterSecret};
pub use messages::HandshakeMessages;
pub use prf::Prf;
pub use schedule::HandshakeSecret;
pub use signed::{SignedFault, SignedWith, certificate_verify, server_key_exchange};
pub use traffic::TrafficSecret;

use super::code::{CipherSuite, ProtocolVersion};
use crate::key::KeyError;
use crate::key::symmetric::CipherError;

/// One of the two sides of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Who opens the connection.
    Client,
    /// Who answers.
    Server,
}

/// Why keys cannot be derived.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// The suite's cipher or hash is not one certkit computes.
    #[error("{0} is not decrypted by certkit")]
    UnsupportedSuite(CipherSuite),
    /// The version has another key schedule.
    #[error("{0} does not derive its keys this way")]
    Version(ProtocolVersion),
    /// A secret does not have its size.
    #[error("the {what} has {found} octets, not {wanted}")]
    SecretSize {
        /// Which secret.
        what: &'static str,
        /// The size found, in octets.
        found: usize,
        /// The size it has to have, in octets.
        wanted: usize,
    },
    /// The pre-master secret begins with a version that was not offered: it was encrypted to another key.
    #[error("the pre-master secret says {found} and the client offered {offered} (RFC 5246 §7.4.7.1)")]
    PreMasterVersion {
        /// The version in the secret.
        found: ProtocolVersion,
        /// The version in the ClientHello.
        offered: ProtocolVersion,
    },
    /// The private key does not open the secret.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The cipher does not take the key.
    #[error(transparent)]
    Cipher(#[from] CipherError),
}
