//! Chromium without a window and without errands of its own.

use super::{Peer, Ran, Sandbox};

/// What keeps Chromium from a window, from QUIC and from the network, but for the page it is to open.
pub(crate) const QUIET: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// Chromium looks at a page of the sandbox as it is asked to, and must be content. What the page's console says is on
/// standard error.
pub(crate) fn look(sandbox: &Sandbox, chromium: &Peer, asks: &[&str], page: &str) -> Ran {
    let profile = format!("--user-data-dir={}", sandbox.path("profile").display());
    let page = format!("file://{}", sandbox.path(page).display());
    sandbox
        .peer(chromium, &[&QUIET[..], &["--enable-logging=stderr", &profile], asks, &[&page]].concat())
        .expect_code(0)
}
