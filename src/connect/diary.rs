//! The secrets of the connection, as a TLS key log.

use std::fmt;
use std::sync::Mutex;

use zeroize::Zeroizing;

use crate::tls::keys::key_log_line;

/// Lines of a key log (RFC 9850).
#[derive(Default)]
pub(super) struct Diary {
    lines: Mutex<Zeroizing<String>>,
}

impl Diary {
    /// What was written so far.
    pub(super) fn lines(&self) -> Zeroizing<String> {
        self.lines.lock().map_or_else(|_| Zeroizing::default(), |lines| lines.clone())
    }
}

impl rustls::KeyLog for Diary {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let Ok(mut lines) = self.lines.lock() else { return };
        lines.push_str(&key_log_line(label, client_random, secret));
    }
}

/// The secrets are not shown.
impl fmt::Debug for Diary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lines: _ } = self;
        f.debug_struct("Diary").finish_non_exhaustive()
    }
}
