//! Times in words, seen from a given moment.

use crate::x509::Validity;
use crate::x509::time::{rfc3339, span_in_words};
use serde::Serialize;
use time::Duration;
use time::OffsetDateTime;
use time::macros::datetime;

/// A period of validity and where `now` stands in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Period {
    /// The first moment, RFC 3339 in UTC.
    pub not_before: String,
    /// The last moment, RFC 3339 in UTC.
    pub not_after: String,
    /// How many whole days it lasts.
    pub days: i64,
    /// Where now stands.
    pub state: PeriodState,
    /// The state in words: `expires in 89 days`.
    pub words: String,
}

/// Where a moment stands in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodState {
    /// Before it.
    NotYetValid,
    /// In it, both ends included (RFC 5280 §4.1.2.5).
    Valid,
    /// After it.
    Expired,
    /// The period ends before it begins.
    Never,
}

/// "To indicate that a certificate has no well-defined expiration date, the notAfter SHOULD be assigned the
/// GeneralizedTime value of 99991231235959Z" (RFC 5280 §4.1.2.5).
const NO_EXPIRY: OffsetDateTime = datetime!(9999-12-31 23:59:59 UTC);

impl Period {
    /// The period as it stands at `now`.
    pub fn of(validity: &Validity, now: OffsetDateTime) -> Self {
        let Validity { not_before, not_after } = *validity;
        let now = whole_seconds(now);
        let state = match (now < not_before, not_after < now) {
            _ if not_after < not_before => PeriodState::Never,
            (true, _) => PeriodState::NotYetValid,
            (_, true) => PeriodState::Expired,
            (false, false) => PeriodState::Valid,
        };
        let words = match state {
            PeriodState::Never => "never valid: notAfter lies before notBefore".to_owned(),
            PeriodState::NotYetValid => format!("not valid for another {}", span_in_words(not_before - now)),
            PeriodState::Expired => format!("expired {} ago", span_in_words(now - not_after)),
            PeriodState::Valid if not_after == NO_EXPIRY => "never expires (RFC 5280 §4.1.2.5)".to_owned(),
            PeriodState::Valid if not_after == now => "expires now".to_owned(),
            PeriodState::Valid => format!("expires in {}", span_in_words(not_after - now)),
        };
        Self {
            not_before: rfc3339(not_before),
            not_after: rfc3339(not_after),
            days: (not_after - not_before + Duration::SECOND).whole_days(),
            state,
            words,
        }
    }
}

/// A moment and how far it is: `2026-11-23 15:00:00 UTC, in 3 days`.
pub fn describe_moment(moment: OffsetDateTime, now: OffsetDateTime) -> String {
    let now = whole_seconds(now);
    let distance = match moment.cmp(&now) {
        std::cmp::Ordering::Greater => format!("in {}", span_in_words(moment - now)),
        std::cmp::Ordering::Equal => "now".to_owned(),
        std::cmp::Ordering::Less => format!("{} ago", span_in_words(now - moment)),
    };
    format!("{}, {distance}", for_people(&rfc3339(moment)))
}

/// RFC 3339 in UTC as it is easier to read: `2026-11-23 15:00:00 UTC`.
pub(super) fn for_people(rfc3339: &str) -> String {
    match rfc3339.strip_suffix('Z').and_then(|rest| rest.split_once('T')) {
        Some((date, time)) => format!("{date} {time} UTC"),
        None => rfc3339.to_owned(),
    }
}

fn whole_seconds(moment: OffsetDateTime) -> OffsetDateTime {
    moment.replace_nanosecond(0).unwrap_or(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(not_before: OffsetDateTime, not_after: OffsetDateTime) -> (PeriodState, String) {
        let period = Period::of(&Validity { not_before, not_after }, datetime!(2026-11-23 12:00:00.5 UTC));
        (period.state, period.words)
    }

    #[test]
    fn a_period_is_told_from_now() {
        let early = datetime!(2026-01-01 0:00 UTC);
        for (not_before, not_after, state, said) in [
            (early, datetime!(2027-02-20 12:00 UTC), PeriodState::Valid, "expires in 89 days"),
            (early, datetime!(2026-11-23 12:00 UTC), PeriodState::Valid, "expires now"),
            (early, datetime!(2026-11-23 11:59:59 UTC), PeriodState::Expired, "expired 1 second ago"),
            (early, datetime!(2026-11-20 12:00 UTC), PeriodState::Expired, "expired 3 days ago"),
            (early, NO_EXPIRY, PeriodState::Valid, "never expires (RFC 5280 §4.1.2.5)"),
            (
                datetime!(2026-11-23 14:00 UTC),
                datetime!(2027-01-01 0:00 UTC),
                PeriodState::NotYetValid,
                "not valid for another 2 hours",
            ),
            (early, datetime!(2025-01-01 0:00 UTC), PeriodState::Never, "never valid: notAfter lies before notBefore"),
        ] {
            assert_eq!(words(not_before, not_after), (state, said.to_owned()));
        }
    }

    #[test]
    fn the_second_of_not_after_counts() {
        let validity =
            Validity { not_before: datetime!(2026-01-01 0:00 UTC), not_after: datetime!(2026-03-31 23:59:59 UTC) };
        assert_eq!(Period::of(&validity, validity.not_before).days, 90);
    }

    #[test]
    fn moments_read_well() {
        let now = datetime!(2026-11-23 12:00 UTC);
        assert_eq!(describe_moment(now, now), "2026-11-23 12:00:00 UTC, now");
        assert_eq!(describe_moment(now - Duration::hours(3), now), "2026-11-23 09:00:00 UTC, 3 hours ago");
    }
}
