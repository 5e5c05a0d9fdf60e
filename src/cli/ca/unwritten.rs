//! A certificate that is recorded, and whose file cannot be written: what is left of it, and what to do.

use anyhow::Context;

use super::place::Chosen;
use crate::ca::Issued;
use crate::cli::problem::Hinted;

/// What became of the key of a certificate whose file cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Key {
    /// It is where it was before.
    Kept,
    /// It was new, and is gone with the files.
    Gone,
}

/// Says so of files that were to be written after the record was made.
///
/// # Errors
/// That of the files.
pub(in crate::cli) fn told<T>(
    written: anyhow::Result<T>,
    issued: &Issued,
    key: Key,
    chosen: &Chosen,
) -> anyhow::Result<T> {
    let (serial, flag) = (issued.certificate.serial(), chosen.flag());
    match key {
        Key::Kept => written
            .with_context(|| format!("the certificate with serial number {serial} is recorded, and not written"))
            .hint(format!("get it with: certkit ca export {serial} --chain{flag}")),
        Key::Gone => written
            .with_context(|| format!("the certificate with serial number {serial} is recorded, but lost with its key"))
            .hint(format!("it counts as issued until it is revoked: certkit ca revoke {serial}{flag}")),
    }
}

impl Key {
    /// That of a certificate whose key is new or not.
    pub(in crate::cli) fn of(is_new: bool) -> Self {
        if is_new { Self::Gone } else { Self::Kept }
    }
}
