//! Rows as they stand, for whoever checks a ledger: nothing of them is taken for granted.

use super::{AuthorityId, Mark, RecordId};

/// A recorded certificate, column by column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// Which row.
    pub id: RecordId,
    /// Whose it is said to be.
    pub authority: AuthorityId,
    /// The content octets of its serial number.
    pub serial: Vec<u8>,
    /// What is said to be the SHA-256 of the encoding.
    pub fingerprint: Vec<u8>,
    /// Its subject.
    pub subject: String,
    /// Its names, as a JSON array.
    pub names: String,
    /// Seconds since 1970.
    pub not_before: i64,
    /// Seconds since 1970.
    pub not_after: i64,
    /// The profile it was made by.
    pub profile: String,
    /// When it was recorded, in seconds since 1970.
    pub issued_at: i64,
    /// How its revocation stands; `Err` where one of time and reason is missing.
    pub standing: Result<Option<Change>, ()>,
    /// Its history of revocation, the oldest step first.
    pub history: Vec<Step>,
    /// The names under which it is found.
    pub found_by: Vec<String>,
    /// Its encoding.
    pub der: Vec<u8>,
}

/// A revocation, column by column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Seconds since 1970.
    pub revoked_at: i64,
    /// The number of a CRLReason.
    pub reason: i64,
    /// Seconds since 1970.
    pub invalid_since: Option<i64>,
}

/// A step of a certificate's history of revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Where it stands in the order of all.
    pub mark: Mark,
    /// In whose lists it is said to belong.
    pub authority: AuthorityId,
    /// The revocation; with the reason `removeFromCRL` (8), the end of a hold.
    pub change: Change,
}

impl Change {
    /// From three columns, of which the first two go together.
    pub(super) fn from_columns(
        revoked_at: Option<i64>,
        reason: Option<i64>,
        invalid_since: Option<i64>,
    ) -> Result<Option<Self>, ()> {
        match (revoked_at, reason) {
            (Some(revoked_at), Some(reason)) => Ok(Some(Self { revoked_at, reason, invalid_since })),
            (None, None) if invalid_since.is_none() => Ok(None),
            _ => Err(()),
        }
    }
}
