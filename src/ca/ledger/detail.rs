//! The column `detail` of the audit log, written and read: what a line says that its other columns do not.
//!
//! - A certificate that is recorded: `profile server`.
//! - A revocation: `keyCompromise; at 2026-11-23T12:00:00Z; invalid since 2026-11-01T00:00:00Z`, the last part where it is
//!   known. A hold that is lifted says nothing: it is lifted when the line was written.
//! - A list: `number 7, upon 5; this update …; next update …; 3 entries; revocations to 12`.
//! - A list that went nowhere, after the line of the list: `not delivered: number 7, upon 5`.
//!
//! Lines of earlier versions say less: of a certificate nothing, of a revocation its reason or nothing, of a list no more than
//! its number, its base and what it covers.

use super::{Action, AuditLine, Mark, Revocation, SignedList};
use crate::x509::extension::CrlReason;
use crate::x509::time::rfc3339;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// What a line of the audit log tells, as far as it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told<'a> {
    /// A certificate was recorded.
    Recorded {
        /// The profile it was made by.
        profile: Option<&'a str>,
    },
    /// A certificate was revoked or put on hold, or its hold was lifted.
    Changed {
        /// Why; `removeFromCRL` where a hold was lifted.
        reason: Option<CrlReason>,
        /// As of when, and since when it is not to be trusted, in seconds since 1970.
        when: Option<(i64, Option<i64>)>,
    },
    /// A list was signed.
    Listed {
        /// Its number.
        number: Option<u64>,
    },
    /// Anything else.
    Otherwise,
}

impl<'a> Told<'a> {
    /// What this line tells.
    pub fn by(line: &'a AuditLine) -> Self {
        let Some(action) = Action::ALL.into_iter().find(|action| action.name() == line.what) else {
            return Self::Otherwise;
        };
        let detail = line.detail.as_str();
        match action {
            _ if line.fingerprint.is_empty() => Self::Otherwise,
            Action::Crl if is_undelivered(detail) => Self::Otherwise,
            Action::Crl => Self::Listed { number: number(detail) },
            Action::Release => {
                Self::Changed { reason: Some(CrlReason::RemoveFromCrl), when: Some((line.at.unix_timestamp(), None)) }
            }
            Action::Revoke if detail.is_empty() => Self::Changed { reason: None, when: None },
            // What was revoked elsewhere comes in by an import or a repair.
            Action::Revoke | Action::Import | Action::Repair if revocation(detail).is_some() => {
                revocation(detail).unwrap_or(Self::Otherwise)
            }
            Action::Init
            | Action::Intermediate
            | Action::Import
            | Action::CrossSign
            | Action::Issue
            | Action::Sign
            | Action::Renew
            | Action::Repair => match detail.strip_prefix(PROFILE) {
                None if !detail.is_empty() => Self::Otherwise,
                profile => Self::Recorded { profile },
            },
            _ => Self::Otherwise,
        }
    }
}

/// Of a certificate that is recorded.
pub(super) fn of_record(profile: &str) -> String {
    let mut detail = String::new();
    push_record(&mut detail, profile);
    detail
}

/// The same, into a text that is there.
pub(super) fn push_record(detail: &mut String, profile: &str) {
    detail.push_str(PROFILE);
    detail.push_str(profile);
}

/// Of a list that went nowhere.
pub(super) fn of_undelivered(list: &SignedList) -> String {
    format!("{UNDELIVERED}{}", list.called())
}

/// Whether a line about a list says that it went nowhere.
pub(super) fn is_undelivered(detail: &str) -> bool {
    detail.starts_with(UNDELIVERED)
}

/// Of a change of a certificate's revocation.
pub(super) fn of_change(change: &Revocation) -> String {
    let Revocation { at, reason, invalid_since } = change;
    if *reason == CrlReason::RemoveFromCrl {
        return String::new();
    }
    let since = invalid_since.map(|since| format!("{SINCE}{}", rfc3339(since))).unwrap_or_default();
    format!("{}{AT}{}{since}", reason.name(), rfc3339(*at))
}

impl SignedList {
    /// Which list it is, in words: `number 7, upon 5`.
    fn called(&self) -> String {
        let Self { number, base, scope, .. } = self;
        let upon = base.map(|base| format!(", upon {base}")).unwrap_or_default();
        let scope = if scope.is_empty() { String::new() } else { format!(", {scope}") };
        format!("{NUMBER}{number}{upon}{scope}")
    }

    /// What the audit log says of it.
    pub(super) fn detail(&self) -> String {
        let Self { this_update, next_update, entries, mark: Mark(mark), .. } = self;
        let called = self.called();
        let (this_update, next_update) = (rfc3339(*this_update), rfc3339(*next_update));
        format!(
            "{called}; this update {this_update}; next update {next_update}; {entries} entries; revocations to {mark}"
        )
    }

    /// Whether a line of the audit log that says this tells of it.
    pub fn is_told_by(&self, detail: &str) -> bool {
        detail == self.detail() || detail == self.called()
    }
}

/// A revocation, where the text is one.
fn revocation(detail: &str) -> Option<Told<'_>> {
    let (reason, when) = match detail.split_once(AT) {
        None => (detail, None),
        Some((reason, when)) => {
            let (at, since) = match when.split_once(SINCE) {
                None => (when, None),
                Some((at, since)) => (at, Some(seconds(since)?)),
            };
            (reason, Some((seconds(at)?, since)))
        }
    };
    Some(Told::Changed { reason: Some(CrlReason::from_name(reason)?), when })
}

fn number(detail: &str) -> Option<u64> {
    let digits = detail.strip_prefix(NUMBER)?;
    digits.split(|other: char| !other.is_ascii_digit()).next()?.parse().ok()
}

fn seconds(text: &str) -> Option<i64> {
    OffsetDateTime::parse(text, &Rfc3339).ok().map(OffsetDateTime::unix_timestamp)
}

const UNDELIVERED: &str = "not delivered: ";
const PROFILE: &str = "profile ";
const AT: &str = "; at ";
const SINCE: &str = "; invalid since ";
const NUMBER: &str = "number ";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use time::macros::datetime;

    fn line(what: Action, detail: &str) -> AuditLine {
        AuditLine {
            number: 1,
            at: datetime!(2026-11-23 12:00 UTC),
            who: "ann".into(),
            what: what.name().into(),
            authority: None,
            fingerprint: vec![1; 32],
            serial: None,
            detail: detail.into(),
            hash: [0; 32],
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let at = datetime!(2026-11-20 12:00:07 UTC);
        for invalid_since in [None, Some(datetime!(2025-01-01 0:00 UTC))] {
            for reason in CrlReason::ALL.into_iter().filter(|reason| *reason != CrlReason::RemoveFromCrl) {
                let detail = of_change(&Revocation { at, reason, invalid_since });
                let when = Some((at.unix_timestamp(), invalid_since.map(OffsetDateTime::unix_timestamp)));
                for action in [Action::Revoke, Action::Repair, Action::Import] {
                    let told = Told::Changed { reason: Some(reason), when };
                    assert_eq!(Told::by(&line(action, &detail)), told, "{detail}");
                }
            }
        }
        let recorded = Told::Recorded { profile: Some("web; at noon") };
        assert_eq!(Told::by(&line(Action::Issue, &of_record("web; at noon"))), recorded);
        let list = SignedList {
            number: 7,
            base: Some(5),
            scope: "http://x.test/; 3".into(),
            this_update: at,
            next_update: at,
            fingerprint: vec![],
            entries: 3,
            mark: Mark(12),
        };
        assert!(list.is_told_by(&list.detail()));
        assert!(!SignedList { entries: 4, ..list.clone() }.is_told_by(&list.detail()));
        assert_eq!(Told::by(&line(Action::Crl, &list.detail())), Told::Listed { number: Some(7) });
        assert_eq!(Told::by(&line(Action::Crl, &of_undelivered(&list))), Told::Otherwise);
    }

    #[test]
    fn lines_of_earlier_versions_are_taken_as_far_as_they_go() {
        for (action, detail, told) in [
            (Action::Issue, "", Told::Recorded { profile: None }),
            (Action::Repair, "", Told::Recorded { profile: None }),
            (Action::Repair, "names", Told::Otherwise),
            (Action::Revoke, "", Told::Changed { reason: None, when: None }),
            (Action::Revoke, "superseded", Told::Changed { reason: Some(CrlReason::Superseded), when: None }),
            (Action::Import, "superseded", Told::Changed { reason: Some(CrlReason::Superseded), when: None }),
            (Action::Crl, "number 12, upon 11", Told::Listed { number: Some(12) }),
            (Action::Crl, "", Told::Listed { number: None }),
        ] {
            assert_eq!(Told::by(&line(action, detail)), told, "{action:?} {detail}");
        }
        let noon = datetime!(2026-11-23 12:00 UTC).unix_timestamp();
        let lifted = Told::Changed { reason: Some(CrlReason::RemoveFromCrl), when: Some((noon, None)) };
        assert_eq!(Told::by(&line(Action::Release, "")), lifted);
    }
}
