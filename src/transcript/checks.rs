//! Signatures in handshakes, checked: whether who sends them has the key of the certificate.

use super::event::Sender;
use super::session::Session;
use crate::key::SignatureError;
use crate::tls::handshake::{DigitallySigned, ServerKeyExchange};
use crate::tls::keys::{self, SignedFault, SignedWith};

/// What became of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It holds.
    Holds(SignedWith),
    /// It does not.
    Fails(String),
    /// It could not be checked.
    Unknown(String),
}

/// The signature over the server's part of the key exchange, where there is one: with the randoms of both sides, so that
/// it is good for this connection alone.
pub(super) fn server_key_exchange(exchange: &ServerKeyExchange, session: &Session) -> Option<Outcome> {
    exchange.signature.as_ref()?;
    let (Some(client), Some(server), Some(negotiated)) =
        (session.client_random, session.server_hello.as_ref(), session.negotiated)
    else {
        return Some(Outcome::Unknown("the hellos are not in the capture".into()));
    };
    let Some(key) = session.server_key() else { return Some(no_key()) };
    Some(told(keys::server_key_exchange(&key, &negotiated, &client, &server.random, exchange)))
}

/// The signature over the handshake so far.
pub(super) fn certificate_verify(signed: &DigitallySigned, from: Sender, session: &Session) -> Outcome {
    if session.incomplete {
        return Outcome::Unknown("a part of the handshake is not in the capture".into());
    }
    let key = match from {
        Sender::Client => session.client_key(),
        Sender::Server => session.server_key(),
    };
    match (key, session.negotiated) {
        (Some(key), Some(negotiated)) => {
            told(keys::certificate_verify(&key, &negotiated, from, signed, &session.transcript))
        }
        _ => no_key(),
    }
}

fn no_key() -> Outcome {
    Outcome::Unknown("there is no certificate with a key that is read".into())
}

fn told(result: Result<SignedWith, SignedFault>) -> Outcome {
    match result {
        Ok(with) => Outcome::Holds(with),
        Err(SignedFault::Unsupported(_) | SignedFault::NoSuchSignature { .. }) => {
            Outcome::Unknown(result.err().map_or_else(String::new, |fault| fault.to_string()))
        }
        Err(SignedFault::Signature(error)) => match error {
            SignatureError::Mismatch | SignatureError::KeyMismatch { .. } | SignatureError::BadKey => {
                Outcome::Fails(error.to_string())
            }
            other => Outcome::Unknown(other.to_string()),
        },
        Err(fault) => Outcome::Fails(fault.to_string()),
    }
}
