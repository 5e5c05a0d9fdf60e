//! What a ledger knows of revocation: of certificates, and of the lists that were signed.

use super::act::Done;
use super::{LedgerError, Record, detail};
use crate::x509::SerialNumber;
use crate::x509::extension::CrlReason;
use time::{Duration, OffsetDateTime};

/// A revocation (RFC 5280 §5.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revocation {
    /// When: `revocationDate`.
    pub at: OffsetDateTime,
    /// Why (RFC 5280 §5.3.1).
    pub reason: CrlReason,
    /// Since when the certificate is not to be trusted, where that is known: `invalidityDate` (RFC 5280 §5.3.2).
    pub invalid_since: Option<OffsetDateTime>,
}

impl Revocation {
    /// By how much the clocks of those who revoke for one authority may differ: what is further ahead is to come.
    pub const SKEW: Duration = Duration::minutes(5);

    /// Revoked at this moment for this reason.
    pub fn new(at: OffsetDateTime, reason: CrlReason) -> Self {
        Self { at, reason, invalid_since: None }
    }

    /// Whether the key is, or may be, in somebody else's hands: `keyCompromise`, `cACompromise`, `aACompromise`.
    pub fn tells_of_compromise(&self) -> bool {
        matches!(self.reason, CrlReason::KeyCompromise | CrlReason::CaCompromise | CrlReason::AaCompromise)
    }

    /// Whether it can be lifted: `certificateHold`.
    pub fn is_hold(&self) -> bool {
        self.reason == CrlReason::CertificateHold
    }

    /// What a certificate has that stands so and is revoked, or put on hold, by this at this time by the clock; `None` where it
    /// stays as it is.
    pub fn upon(self, standing: Option<Self>, now: OffsetDateTime) -> Option<Self> {
        match standing {
            None => Some(self),
            Some(standing) if standing.is_hold() && !self.is_hold() => Some(self),
            Some(standing) => standing.raised(&self, now),
        }
    }

    /// What it becomes once a compromise is known of that it does not tell of, or where it is as of a time to come, as a clock
    /// that was ahead had it. Nothing gets milder by that: the certificate stays revoked as of the first time, or from now on,
    /// and of two times since when it is not to be trusted the earlier one counts.
    fn raised(&self, given: &Self, now: OffsetDateTime) -> Option<Self> {
        let is_raised = !self.is_hold() && !self.tells_of_compromise() && given.tells_of_compromise();
        let is_sooner = self.at - now > Self::SKEW && given.at < self.at;
        if !is_raised && !is_sooner {
            return None;
        }
        let at = if is_sooner { given.at } else { self.at };
        let reason = if is_raised { given.reason } else { self.reason };
        let invalid_since = self.invalid_since.into_iter().chain(given.invalid_since).min();
        let invalid_since = invalid_since.map(|since| if is_sooner { since.min(at) } else { since });
        Some(Self { at, reason, invalid_since })
    }
}

/// An entry of a list: a certificate that is revoked, or in a delta one whose hold was lifted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// The certificate's serial number.
    pub serial: SerialNumber,
    /// Its revocation; with `removeFromCRL`, when its hold was lifted.
    pub revocation: Revocation,
    /// When the certificate expires: it has to appear on one list after that (RFC 5280 §3.3), and may be left out then.
    pub not_after: OffsetDateTime,
}

/// A moment in the order of a ledger's revocations: a count, not a time, so that a clock set back hides nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(pub(super) i64);

impl Mark {
    /// Before the first revocation.
    pub const BEGINNING: Self = Self(0);
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A number for a list that is about to be signed. A complete list and a delta signed together share it (RFC 5280
/// §5.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbered {
    /// The `cRLNumber`: no list of this authority has had it or a greater one.
    pub number: u64,
    /// Every revocation up to here is seen by [`super::Ledger::revoked`] from now on.
    pub mark: Mark,
}

/// A list that was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedList {
    /// Its `cRLNumber` (RFC 5280 §5.2.3).
    pub number: u64,
    /// For a delta, the number of the complete list it builds upon: its `BaseCRLNumber` (RFC 5280 §5.2.4).
    pub base: Option<u64>,
    /// What it covers, in the words of whoever signs it: empty for all certificates. Numbers are shared by all scopes.
    pub scope: String,
    /// Its `thisUpdate`.
    pub this_update: OffsetDateTime,
    /// Its `nextUpdate`.
    pub next_update: OffsetDateTime,
    /// The SHA-256 of its encoding.
    pub fingerprint: Vec<u8>,
    /// How many entries it has.
    pub entries: u64,
    /// Every revocation up to here is in it: where a delta upon it begins.
    pub mark: Mark,
}

/// Which lists are wanted. The default is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Those that cover this.
    pub scope: Option<String>,
    /// Deltas, or complete lists.
    pub delta: Option<bool>,
    /// Those with this number.
    pub number: Option<u64>,
    /// Of what covers the same, only the last complete list and the last delta.
    pub latest: bool,
    /// At most so many.
    pub limit: Option<u32>,
}

impl ListQuery {
    /// The complete list with this number that covers this: what a delta builds upon.
    pub(super) fn base(scope: &str, number: u64) -> Self {
        Self { scope: Some(scope.to_owned()), delta: Some(false), number: Some(number), limit: Some(1), latest: false }
    }
}

/// A certificate as it will stand, and the change that makes it so.
pub(super) struct Standing {
    pub(super) record: Record,
    pub(super) change: Revocation,
}

impl Standing {
    /// What the audit log tells of the change.
    pub(super) fn told(&self) -> Done<'_> {
        let detail = detail::of_change(&self.change);
        Done { fingerprint: self.record.fingerprint.clone(), serial: Some(&self.record.serial), detail }
    }
}

/// How a certificate stands once it is revoked or put on hold, at this time by the clock, if it may be.
pub(super) fn may_revoke(record: Record, revocation: Revocation, now: OffsetDateTime) -> Result<Standing, LedgerError> {
    if revocation.reason == CrlReason::RemoveFromCrl {
        return Err(LedgerError::NoReason);
    }
    let change = match (revocation.upon(record.revocation, now), record.revocation) {
        (Some(change), _) => change,
        (None, standing) => {
            let revocation = standing.unwrap_or(revocation);
            return Err(LedgerError::AlreadyRevoked { serial: record.serial, revocation });
        }
    };
    Ok(Standing { record: Record { revocation: Some(change), ..record }, change })
}

/// How a certificate stands once its hold is lifted, if it has one.
pub(super) fn may_release(record: Record, at: OffsetDateTime) -> Result<Standing, LedgerError> {
    if !record.revocation.is_some_and(|standing| standing.is_hold()) {
        return Err(LedgerError::NotOnHold { serial: record.serial, revocation: record.revocation });
    }
    let change = Revocation::new(at, CrlReason::RemoveFromCrl);
    Ok(Standing { record: Record { revocation: None, ..record }, change })
}
