//! Revocations as of a time to come: recorded while a clock was ahead.

use super::{Caution, place};
use crate::ca::ledger::{Examined, Revocation};
use crate::x509::SerialNumber;
use crate::x509::extension::CrlReason;
use crate::x509::time::rfc3339;
use time::OffsetDateTime;

/// What there is to know of a row that is revoked as of a time to come by this clock, where it could be an earlier one.
pub(super) fn of(row: &Examined, now: OffsetDateTime) -> Option<Caution> {
    let standing = row.standing.ok()??;
    let at = OffsetDateTime::from_unix_timestamp(standing.revoked_at).ok()?;
    let born = row.issued_at.min(row.not_before);
    if at - now <= Revocation::SKEW || standing.revoked_at <= born {
        return None;
    }
    let what = format!(
        "it is revoked as of {}, which is to come: the clock was ahead when that was recorded. Lists and answers have the time \
         of their signing in its place",
        rfc3339(at)
    );
    let serial = SerialNumber::from_content(&row.serial);
    // Without the flag a hold would be one for good.
    let hold = if standing.reason == CrlReason::CertificateHold as i64 { "--hold " } else { "" };
    let advice = format!("certkit ca revoke {hold}{serial} makes it now, once the clock is right");
    Some(Caution { place: place(row), what, advice })
}
