//! What a command does that is told to stop in the middle of what has to be finished.

use anyhow::Context;

use super::problem::plain;
use crate::serve::on_signal;

/// From now on the first SIGINT, SIGTERM or SIGHUP calls `first` and ends nothing; the second one ends the process.
///
/// # Errors
/// When the system gives no threads or no signals.
pub(super) fn finish_first(first: impl Fn() + Send + 'static) -> anyhow::Result<()> {
    let signals = on_signal(move |count| match count {
        1 => first(),
        // As shells have it for a program that SIGINT ended.
        _ => std::process::exit(130),
    });
    signals.map_err(plain).context("cannot wait for signals")
}
