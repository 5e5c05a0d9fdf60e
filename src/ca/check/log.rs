//! What the audit log tells against what the rows say, both ways: neither may know more than the other.

use super::seen::{self, Seen};
use super::{Found, Remedy};
use crate::ca::ledger::{AuthorityId, AuthorityRecord, Examined, SignedList, Step};
use crate::x509::Certificate;
use crate::x509::extension::CrlReason;
use crate::x509::time::rfc3339;
use time::OffsetDateTime;

/// How the log contradicts the row of an authority.
pub(super) fn of_authority(record: &AuthorityRecord, certificate: &Certificate, seen: &mut Seen) -> Vec<Found> {
    let mut found = Vec::new();
    match seen.recording(&certificate.fingerprint_sha256(), record.id) {
        None => found.push("the audit log does not tell of it".to_owned()),
        Some(recording) => found.extend(moved("created_at", recording.at, record.created_at.unix_timestamp())),
    }
    let greatest = seen.greatest_number(record.id);
    if record.crl_number < greatest {
        found.push(format!(
            "the last CRL number it handed out is {}, and the audit log tells of its list {greatest}",
            record.crl_number
        ));
    }
    if record.crl_number >= i64::MAX as u64 {
        found.push(format!(
            "the last CRL number it handed out is {}, after which the ledger counts no further: no list can be signed",
            record.crl_number
        ));
    }
    investigate(found)
}

/// How the log contradicts the row of a certificate.
pub(super) fn of_certificate(row: &Examined, seen: &mut Seen) -> Vec<Found> {
    let recording = seen.recording(&row.fingerprint, row.authority);
    let Some((order, at, profile)) = recording.map(|it| (it.order, it.at, it.profile())) else {
        return investigate(vec!["the audit log does not tell of it".to_owned()]);
    };
    let mut found: Vec<String> = moved("issued_at", at, row.issued_at).into_iter().collect();
    if let Some(told) = seen.profile(profile).filter(|told| *told != row.profile) {
        found.push(format!("the audit log has the profile {told}, and the column profile {}", row.profile));
    }
    let changes = seen.changes(&row.fingerprint);
    // What is recorded again after its row was lost begins anew, and a revocation from before has to be made again.
    let (before, after) = changes.split_at(changes.partition_point(|change| change.order < order));
    found.extend(history(after, &row.history));
    let mut found = investigate(found);
    if let Some(lost) = before.last().filter(|last| !is_lifted(last.reason) && after.is_empty()) {
        let what = format!("it was {} before its row was lost and recorded again", in_words(lost.reason, lost.when));
        found.push((what, Remedy::Revoke));
    }
    found
}

/// How the log contradicts the row of a list.
pub(super) fn of_list(list: &SignedList, authority: AuthorityId, seen: &mut Seen) -> Option<String> {
    match seen.list(&list.fingerprint, authority) {
        None => Some("the audit log does not tell of it".to_owned()),
        Some(detail) if !list.is_told_by(detail) => Some(format!("the audit log has it otherwise: {detail}")),
        Some(_) => None,
    }
}

/// The first step at which a history is not as the log tells it.
fn history(told: &[seen::Change], steps: &[Step]) -> Option<String> {
    let mut at = 0;
    loop {
        match (told.get(at), steps.get(at)) {
            (None, None) => return None,
            (Some(told), None) => {
                let told = in_words(told.reason, told.when);
                return Some(format!("the audit log tells that it was {told}, and its history of revocation does not"));
            }
            (None, Some(step)) => {
                let told = step_in_words(step);
                return Some(format!("its history tells that it was {told}, and the audit log does not tell of that"));
            }
            (Some(told), Some(step)) if agree(told, step) => {}
            (Some(told), Some(step)) => {
                let (told, step) = (in_words(told.reason, told.when), step_in_words(step));
                return Some(format!(
                    "the audit log tells that it was {told}, and its history of revocation has it {step}"
                ));
            }
        }
        at += 1;
    }
}

/// Whether a line and a step are the same as far as the line goes.
pub(super) fn agree(told: &seen::Change, Step { change, .. }: &Step) -> bool {
    told.reason.is_none_or(|reason| i64::from(reason as u8) == change.reason)
        && told.when.is_none_or(|when| when == (change.revoked_at, change.invalid_since))
        // A line that tells no reason is of a revocation.
        && (told.reason.is_some() || change.reason != super::REMOVE_FROM_CRL)
}

fn is_lifted(reason: Option<CrlReason>) -> bool {
    reason == Some(CrlReason::RemoveFromCrl)
}

/// `revoked (keyCompromise) at 2026-11-23T12:00:00Z`
fn in_words(reason: Option<CrlReason>, when: Option<(i64, Option<i64>)>) -> String {
    let what = match reason {
        Some(CrlReason::RemoveFromCrl) => "released from its hold".to_owned(),
        Some(reason) => format!("revoked ({})", reason.name()),
        None => "revoked".to_owned(),
    };
    let when = when.map(|(at, since)| {
        let since = since.map(|since| format!(", invalid since {}", time(since))).unwrap_or_default();
        format!(" at {}{since}", time(at))
    });
    format!("{what}{}", when.unwrap_or_default())
}

fn step_in_words(Step { change, .. }: &Step) -> String {
    let known = CrlReason::ALL.into_iter().find(|reason| i64::from(*reason as u8) == change.reason);
    in_words(known, Some((change.revoked_at, change.invalid_since)))
}

fn moved(column: &str, told: i64, row: i64) -> Option<String> {
    (told != row)
        .then(|| format!("the audit log has it recorded at {}, and the column {column} {}", time(told), time(row)))
}

fn time(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds).map_or_else(|_| seconds.to_string(), rfc3339)
}

fn investigate(found: Vec<String>) -> Vec<Found> {
    found.into_iter().map(|what| (what, Remedy::Investigate)).collect()
}
