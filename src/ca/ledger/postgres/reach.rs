//! Reaching the server, and giving up on one that takes the connection and says nothing.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::{io, thread};

use super::access::PostgresAccess;
use super::{PostgresTlsError, told};
use crate::ca::ledger::LedgerError;
use ::postgres::{Client, NoTls};

/// Connects within the time that the access allows, and settles what a connection needs.
pub(super) fn connected(access: &PostgresAccess) -> Result<Client, LedgerError> {
    let (answer, answered) = mpsc::sync_channel(1);
    let asking = access.clone();
    // The crate bounds the first packets alone: who waits for the greeting, TLS or the password's echo waits for ever. So a
    // thread waits, which is left behind then. It ends with the connection, or with this process.
    let waiting = thread::Builder::new().name("ledger".to_owned()).spawn(move || {
        // Whoever asked may have gone.
        _ = answer.send(settled(&asking));
    });
    waiting.map_err(|error| unreachable(access, error))?;
    answered.recv_timeout(access.patience()).unwrap_or_else(|why| match why {
        RecvTimeoutError::Timeout => {
            Err(LedgerError::Silent { ledger: access.name().to_owned(), seconds: access.patience().as_secs() })
        }
        RecvTimeoutError::Disconnected => Err(unreachable(access, io::Error::other("connecting was broken off"))),
    })
}

/// A connection that keeps the promises of a ledger. Its first statement belongs to it: a pooler lets clients in before it
/// has a server for them.
fn settled(access: &PostgresAccess) -> Result<Client, LedgerError> {
    let connected = match access.tls() {
        Some(tls) => access.config().connect(tls.clone()),
        None => access.config().connect(NoTls),
    };
    let mut client = connected.map_err(|error| unreached(access, error))?;
    client.batch_execute(SETTINGS).map_err(|error| told(access.name(), error))?;
    Ok(client)
}

/// Why there is no connection: for want of encryption, or another reason.
fn unreached(access: &PostgresAccess, error: ::postgres::Error) -> LedgerError {
    let insecure = std::iter::successors(std::error::Error::source(&error), |cause| cause.source())
        // The crate has no type for a server without TLS.
        .any(|cause| cause.is::<PostgresTlsError>() || cause.to_string() == "server does not support TLS");
    match insecure {
        true => LedgerError::Insecure { ledger: access.name().to_owned(), source: Box::new(error) },
        false => unreachable(access, error),
    }
}

pub(super) fn unreachable(
    access: &PostgresAccess,
    source: impl std::error::Error + Send + Sync + 'static,
) -> LedgerError {
    LedgerError::Unreachable { ledger: access.name().to_owned(), source: Box::new(source) }
}

/// What a connection needs to keep the promises of a ledger, whatever the server's defaults are: a commit that has been
/// reported is on the disk.
const SETTINGS: &str = "SET search_path = certkit; SET synchronous_commit = on; SET lock_timeout = '60s';
    SET default_transaction_isolation = 'read committed'; SET client_min_messages = warning;
    SET standard_conforming_strings = on; SET row_security = off;";
