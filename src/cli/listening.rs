//! Says what to do where a port cannot be taken.

use std::io;

use anyhow::Context;

use super::problem::{Hinted, plain};

/// What came of taking the port of this address, which `flag` gave.
///
/// # Errors
/// That it could not be taken, and what to do.
pub(super) fn taken<T>(bound: io::Result<T>, address: &str, flag: &str) -> anyhow::Result<T> {
    let hint = bound.as_ref().err().map(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("another program listens there: choose another port with {flag}, 0 for any that is free")
        }
        io::ErrorKind::PermissionDenied => {
            format!("ports below 1024 are for administrators: choose another with {flag}")
        }
        io::ErrorKind::AddrNotAvailable => {
            "the address has to be one of this machine; 0.0.0.0 or [::] is all of them".to_owned()
        }
        _ => "an address and a port are due, as in 127.0.0.1:8443, [::1]:8443 or localhost:0".to_owned(),
    });
    bound.map_err(plain).with_context(|| format!("cannot listen on {address}")).hint_if(hint)
}
