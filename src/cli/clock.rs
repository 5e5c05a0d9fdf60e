//! Reads the clock; reads and says times.
//!
//! Times are in UTC and whole seconds, as in certificates. A year is 365 days, a day 86 400 seconds.

use std::cmp::Ordering;
use std::env::{self, VarError};
use std::str::FromStr;

use crate::x509::Validity;
pub use crate::x509::time::rfc3339;
use anyhow::{Context, anyhow};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime, Time, UtcOffset};

pub use crate::x509::time::span_in_words;

/// The time now: by this clock certificates are judged.
pub fn now() -> OffsetDateTime {
    whole_seconds(OffsetDateTime::now_utc())
}

/// The time now to the nanosecond: for when something happens, as on a network.
pub fn exactly_now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// The time now for what is being made: `SOURCE_DATE_EPOCH` (seconds since 1970) where it is set, so that a build makes the
/// same certificate twice, and the clock where it is not. Judging never heeds it.
///
/// # Errors
/// When `SOURCE_DATE_EPOCH` holds no time.
pub fn making_now() -> anyhow::Result<OffsetDateTime> {
    match env::var("SOURCE_DATE_EPOCH") {
        Ok(seconds) => from_epoch(&seconds).ok_or_else(|| anyhow!("{seconds:?} is not a count of seconds")),
        Err(VarError::NotPresent) => Ok(now()),
        Err(error) => Err(error.into()),
    }
    .context("cannot read SOURCE_DATE_EPOCH")
}

/// Reads a span of time: `90d`, `12h`, `1y`, `30m`, `2w`, `45s`, or a sum with the largest first, `1d12h`.
///
/// # Errors
/// Anything else: a bare number has no unit, `mo` is no unit because months differ.
pub fn parse_span(text: &str) -> Result<Duration, ClockError> {
    let wrong = || ClockError::Span(text.to_owned());
    let (mut rest, mut sum, mut smallest) = (text, Duration::ZERO, i64::MAX);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let unit = after.chars().next().ok_or_else(wrong)?;
        let seconds = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, seconds)| *seconds).ok_or_else(wrong)?;
        if seconds >= smallest {
            return Err(wrong());
        }
        let number: i64 = number.parse().map_err(|_| wrong())?;
        let part = number.checked_mul(seconds).ok_or_else(wrong)?;
        sum = sum.checked_add(Duration::seconds(part)).ok_or_else(wrong)?;
        smallest = seconds;
        rest = after.strip_prefix(unit).unwrap_or_default();
    }
    if smallest == i64::MAX { Err(wrong()) } else { Ok(sum) }
}

/// Reads a point in time: RFC 3339 (`2027-01-31T12:00:00Z`), a date (`2027-01-31`: its first second in UTC), or `@` and
/// seconds since 1970.
///
/// # Errors
/// Anything else, a time without its offset from UTC among it.
pub fn parse_time(text: &str) -> Result<OffsetDateTime, ClockError> {
    let date = || Date::parse(text, &format_description!("[year]-[month]-[day]")).ok();
    text.strip_prefix('@')
        .and_then(from_epoch)
        .or_else(|| OffsetDateTime::parse(text, &Rfc3339).ok().and_then(in_utc))
        .or_else(|| date().map(|date| date.with_time(Time::MIDNIGHT).assume_utc()))
        .map(whole_seconds)
        .ok_or_else(|| ClockError::Time(text.to_owned()))
}

/// A point in time or a span to it: what flags such as `--not-after` take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// At this time.
    At(OffsetDateTime),
    /// This long after a time known later.
    After(Duration),
}

impl Moment {
    /// The moment, where spans count from `start`; `None` past the year 9999.
    pub fn from(self, start: OffsetDateTime) -> Option<OffsetDateTime> {
        match self {
            Self::At(time) => Some(time),
            Self::After(span) => start.checked_add(span),
        }
    }
}

impl FromStr for Moment {
    type Err = ClockError;

    fn from_str(text: &str) -> Result<Self, ClockError> {
        parse_span(text)
            .map(Self::After)
            .or_else(|_| parse_time(text).map(Self::At))
            .map_err(|_| ClockError::Moment(text.to_owned()))
    }
}

/// A time that cannot be read; says which forms can.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    /// No span of time.
    #[error(
        "`{0}` is no span of time: write a number and its unit, as in 90d, 12h, 1y, 2w, 30m (minutes), 45s or 1d12h"
    )]
    Span(String),
    /// No point in time.
    #[error("`{0}` is no time: write 2027-01-31T12:00:00Z (with an offset from UTC), 2027-01-31, or @1801396800")]
    Time(String),
    /// Neither.
    #[error(
        "`{0}` is no time: write a span such as 90d, 12h, 1y or 1d12h, a time such as 2027-01-31T12:00:00Z or 2027-01-31, or @1801396800"
    )]
    Moment(String),
}

/// Where a time lies from now: `in 89 days`, `now`, `3 days ago`.
pub fn from_now(time: OffsetDateTime, now: OffsetDateTime) -> String {
    let (time, now) = (whole_seconds(time), whole_seconds(now));
    match time.cmp(&now) {
        Ordering::Equal => "now".to_owned(),
        Ordering::Greater => format!("in {}", span_in_words(time - now)),
        Ordering::Less => format!("{} ago", span_in_words(now - time)),
    }
}

/// A validity as its maker is told of it: when it ends, and how long it is. Both ends belong to it (RFC 5280 §4.1.2.5), so
/// what was asked for as 365 days comes out as 365 days, not as what is left of them.
pub fn until(validity: &Validity) -> String {
    let length = validity.not_after - validity.not_before + Duration::SECOND;
    let words = match length.whole_days() {
        0 | 1 => span_in_words(length),
        days => format!("{days} days"),
    };
    format!("until {} ({words})", rfc3339(validity.not_after))
}

/// How a notAfter stands: `expires in 89 days`, `expires now`, `expired 3 days ago`. The second of notAfter is still
/// within the validity (RFC 5280 section 4.1.2.5).
pub fn expiry(not_after: OffsetDateTime, now: OffsetDateTime) -> String {
    let verb = if whole_seconds(not_after) < whole_seconds(now) { "expired" } else { "expires" };
    format!("{verb} {}", from_now(not_after, now))
}

fn whole_seconds(time: OffsetDateTime) -> OffsetDateTime {
    time.replace_nanosecond(0).unwrap_or(time)
}

fn in_utc(time: OffsetDateTime) -> Option<OffsetDateTime> {
    time.checked_to_offset(UtcOffset::UTC)
}

fn from_epoch(seconds: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(seconds.parse().ok()?).ok()
}

/// Seconds in each unit.
const UNITS: [(char, i64); 6] =
    [('y', 365 * 86_400), ('w', 7 * 86_400), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_span_is_a_number_and_its_unit() {
        for (text, seconds) in [
            ("90d", 90 * 86_400),
            ("12h", 12 * 3_600),
            ("1y", 365 * 86_400),
            ("30m", 1_800),
            ("2w", 14 * 86_400),
            ("45s", 45),
            ("1d12h", 36 * 3_600),
            ("1y2w3d4h5m6s", 365 * 86_400 + 17 * 86_400 + 4 * 3_600 + 306),
            ("0d", 0),
        ] {
            assert_eq!(parse_span(text), Ok(Duration::seconds(seconds)), "{text}");
        }
    }

    #[test]
    fn a_span_is_never_guessed() {
        for text in ["", "90", "d", "90D", "-1d", "+1d", "1 d", "1d ", "1.5d", "6mo", "12h1d", "1d1d", "90days", "１d"]
        {
            assert_eq!(parse_span(text), Err(ClockError::Span(text.to_owned())), "{text}");
        }
        for text in ["99999999999999999999d", "9223372036854775807y", "9223372036854775807s1"] {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_is_rfc_3339_or_a_date_or_an_epoch() {
        let noon = datetime!(2027-01-31 12:00 UTC);
        for text in ["2027-01-31T12:00:00Z", "2027-01-31T13:00:00+01:00", "2027-01-31T12:00:00.9Z", "@1801396800"] {
            assert_eq!(parse_time(text), Ok(noon), "{text}");
        }
        assert_eq!(parse_time("2027-01-31"), Ok(datetime!(2027-01-31 0:00 UTC)));
        assert_eq!(parse_time("@0"), Ok(OffsetDateTime::UNIX_EPOCH));
    }

    #[test]
    fn a_time_is_never_guessed() {
        for text in
            ["", "2027-01-31T12:00:00", "2027-02-29", "31.01.2027", "01/31/2027", "1801396800", "@", "@x", "@9e9"]
        {
            assert_eq!(parse_time(text), Err(ClockError::Time(text.to_owned())), "{text}");
        }
        assert!(parse_time("@99999999999999").is_err());
        assert!(parse_time("0000-01-01T00:00:00+23:59").is_ok(), "the year -1 is no certificate's, and no panic");
    }

    #[test]
    fn a_moment_is_a_time_or_a_span_from_the_start() {
        let start = datetime!(2026-01-01 0:00 UTC);
        let moment = |text: &str| text.parse::<Moment>().unwrap().from(start);
        assert_eq!(moment("1d"), Some(datetime!(2026-01-02 0:00 UTC)));
        assert_eq!(moment("2027-01-31"), Some(datetime!(2027-01-31 0:00 UTC)));
        assert_eq!(moment("9000y"), None);
        assert!("soon".parse::<Moment>().is_err());
    }

    #[test]
    fn an_error_lists_the_forms() {
        for form in ["90d", "12h", "1y", "2w", "30m", "45s", "1d12h"] {
            assert!(ClockError::Span("x".into()).to_string().contains(form), "{form}");
        }
        for form in ["2027-01-31T12:00:00Z", "2027-01-31,", "@1801396800"] {
            assert!(ClockError::Time("x".into()).to_string().contains(form), "{form}");
        }
    }

    #[test]
    fn spans_are_said_in_words_and_never_rounded_up() {
        for (seconds, words) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (119, "119 seconds"),
            (120, "2 minutes"),
            (7_199, "119 minutes"),
            (7_200, "2 hours"),
            (172_799, "47 hours"),
            (172_800, "2 days"),
            (90 * 86_400 - 1, "89 days"),
            (63_071_999, "729 days"),
            (63_072_000, "2 years"),
        ] {
            assert_eq!(span_in_words(Duration::seconds(seconds)), words);
        }
    }

    #[test]
    fn the_second_of_not_after_is_still_valid() {
        let end = datetime!(2026-01-01 0:00 UTC);
        assert_eq!(expiry(end, end), "expires now");
        assert_eq!(expiry(end, end + Duration::nanoseconds(1)), "expires now");
        assert_eq!(expiry(end, end - Duration::SECOND), "expires in 1 second");
        assert_eq!(expiry(end, end + Duration::SECOND), "expired 1 second ago");
        assert_eq!(expiry(end, end + Duration::days(3)), "expired 3 days ago");
        assert_eq!(from_now(end, end - Duration::days(89)), "in 89 days");
    }

    #[test]
    fn times_are_said_in_whole_seconds_of_utc() {
        assert_eq!(rfc3339(datetime!(2027-01-31 13:00:00.5 +1)), "2027-01-31T12:00:00Z");
    }
}
