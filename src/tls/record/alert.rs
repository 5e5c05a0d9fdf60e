//! Alert records.

use crate::tls::code::{AlertDescription, AlertLevel};
use crate::tls::wire::{DecodeError, Fault, Reader};
use std::fmt;

/// An alert (RFC 8446 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Alert {
    /// How grave it is; TLS 1.3 goes by the description alone.
    pub level: AlertLevel,
    /// What it says.
    pub description: AlertDescription,
}

impl Alert {
    /// The alerts in a fragment that is not encrypted. There is one; before TLS 1.3 there may be several.
    ///
    /// # Errors
    /// An empty fragment, and one of an odd length: those are encrypted or damaged.
    pub fn decode_all(fragment: &[u8]) -> Result<Vec<Self>, DecodeError> {
        let mut reader = Reader::new("Alert", "RFC 8446 §6", fragment);
        if fragment.is_empty() {
            return Err(reader.error("level", Fault::Truncated { needed: 2, left: 0 }));
        }
        let pairs = reader.all_u16("level and description", u16::to_be_bytes)?;
        let alert = |[level, description]: [u8; 2]| Self {
            level: AlertLevel(level),
            description: AlertDescription(description),
        };
        Ok(pairs.into_iter().map(alert).collect())
    }

    /// Whether the sender ends the connection with it. In TLS 1.3 all do but close_notify and user_canceled.
    pub fn is_fatal(self) -> bool {
        self.level == AlertLevel::FATAL
    }

    /// The two octets.
    pub fn encode(self) -> [u8; 2] {
        [self.level.0, self.description.0]
    }
}

impl fmt::Display for Alert {
    /// `fatal unknown_ca`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} {}", self.level, self.description))
    }
}
