//! Times of certificates: which of the two encodings, and which moment (RFC 5280 §4.1.2.5).

use crate::encoding::der::{self, DerError, Tlv, tag};
use ::time::{Date, Duration, Month, OffsetDateTime, Time};

/// The period in which a certificate may be used, both ends included (RFC 5280 §4.1.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first moment.
    pub not_before: OffsetDateTime,
    /// The last moment.
    pub not_after: OffsetDateTime,
}

impl Validity {
    /// Whether `moment` lies in the period.
    pub fn contains(&self, moment: OffsetDateTime) -> bool {
        self.not_before <= moment && moment <= self.not_after
    }

    /// How long it is, both ends included (RFC 5280 §4.1.2.5).
    pub fn lifetime(&self) -> Duration {
        self.not_after - self.not_before + Duration::SECOND
    }
}

/// `moment` as RFC 5280 encodes it: UTCTime through 2049, GeneralizedTime from 2050, whole seconds, `Z`.
pub fn encode(moment: OffsetDateTime) -> Vec<u8> {
    let moment = moment.to_offset(::time::UtcOffset::UTC);
    match moment.year() {
        year @ 1950..=2049 => {
            der::tlv(tag::UTC_TIME, format!("{:02}{}", year % 100, within_the_year(moment)).as_bytes())
        }
        _ => der::tlv(tag::GENERALIZED_TIME, generalized(moment).as_bytes()),
    }
}

/// The text of `moment` as a GeneralizedTime, which RFC 6960 §4.2.1 and the invalidityDate of RFC 5280 §5.3.2 have in every
/// year: whole seconds, `Z`.
pub fn generalized(moment: OffsetDateTime) -> String {
    let moment = moment.to_offset(::time::UtcOffset::UTC);
    format!("{:04}{}", moment.year(), within_the_year(moment))
}

fn within_the_year(moment: OffsetDateTime) -> String {
    format!(
        "{:02}{:02}{:02}{:02}{:02}Z",
        u8::from(moment.month()),
        moment.day(),
        moment.hour(),
        moment.minute(),
        moment.second()
    )
}

/// The moment that a UTCTime or GeneralizedTime names. Seconds are there and whole and the zone is `Z`, as RFC 5280
/// §4.1.2.5 asks; in a UTCTime, years from 50 on are of the last century.
pub fn decode(time: Tlv<'_>) -> Result<OffsetDateTime, DerError> {
    const FORM: DerError = DerError::Value("a time that is not digits to the second and Z");
    let digits = time.value.strip_suffix(b"Z").filter(|digits| digits.iter().all(u8::is_ascii_digit)).ok_or(FORM)?;
    let (year, rest) = match (time.tag, digits.len()) {
        (tag::UTC_TIME, 12) => digits.split_at(2),
        (tag::GENERALIZED_TIME, 14) => digits.split_at(4),
        (tag::UTC_TIME | tag::GENERALIZED_TIME, _) => return Err(FORM),
        (found, _) => return Err(DerError::Tag { wanted: tag::UTC_TIME, found }),
    };
    let number = |digits: &[u8]| digits.iter().fold(0_u16, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    let year = match (year.len(), number(year)) {
        (2, year @ 50..) => 1900 + year,
        (2, year) => 2000 + year,
        (_, year) => year,
    };
    let mut pairs = rest.as_chunks::<2>().0.iter().map(|pair| number(pair) as u8);
    let mut next = || pairs.next().unwrap_or_default();
    let (month, day, hour, minute, second) = (next(), next(), next(), next(), next());
    let date = Month::try_from(month).and_then(|month| Date::from_calendar_date(i32::from(year), month, day));
    match (date, Time::from_hms(hour, minute, second)) {
        (Ok(date), Ok(time)) => Ok(OffsetDateTime::new_utc(date, time)),
        _ => Err(DerError::Value("a time that is not on the calendar")),
    }
}

/// `moment` as RFC 3339 text in UTC, whole seconds.
pub fn rfc3339(moment: OffsetDateTime) -> String {
    let utc = moment.replace_nanosecond(0).unwrap_or(moment).checked_to_offset(::time::UtcOffset::UTC);
    let text = utc.and_then(|utc| utc.format(&::time::format_description::well_known::Rfc3339).ok());
    text.unwrap_or_else(|| moment.to_string())
}

/// A span in words, in its largest telling unit and never more than it is: `90 seconds`, `47 hours`, `89 days`, `2 years`.
pub fn span_in_words(span: ::time::Duration) -> String {
    let seconds = span.whole_seconds().unsigned_abs();
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        172_800..63_072_000 => (seconds / 86_400, "day"),
        _ => (seconds / 31_536_000, "year"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::time::macros::datetime;

    #[test]
    fn the_encoding_changes_in_2050() {
        assert_eq!(encode(datetime!(2049-12-31 23:59:59 UTC)), b"\x17\x0d491231235959Z");
        assert_eq!(encode(datetime!(2050-01-01 0:00 UTC)), b"\x18\x0f20500101000000Z");
        assert_eq!(encode(datetime!(2026-11-23 15:30:00 +1)), b"\x17\x0d261123143000Z");
    }

    #[test]
    fn what_is_encoded_reads_back() {
        for moment in [
            datetime!(1950-01-01 0:00 UTC),
            datetime!(1999-12-31 23:59:59 UTC),
            datetime!(2049-12-31 23:59:59 UTC),
            datetime!(2050-02-28 1:02:03 UTC),
            datetime!(9999-12-31 23:59:59 UTC),
        ] {
            assert_eq!(der::only(&encode(moment)).and_then(decode), Ok(moment));
        }
    }

    #[test]
    fn times_without_seconds_or_zone_or_off_the_calendar_are_refused() {
        for (tag, text) in [
            (tag::UTC_TIME, &b"2611231530Z"[..]),
            (tag::UTC_TIME, b"261123153000"),
            (tag::UTC_TIME, b"261123153000+0100"),
            (tag::UTC_TIME, b"20261123153000Z"),
            (tag::GENERALIZED_TIME, b"20261123153000.5Z"),
            (tag::GENERALIZED_TIME, b"261123153000Z"),
            (tag::GENERALIZED_TIME, b"20260230000000Z"),
            (tag::GENERALIZED_TIME, b"20261301000000Z"),
            (tag::GENERALIZED_TIME, b"20261123240000Z"),
            (tag::IA5_STRING, b"261123153000Z"),
        ] {
            assert!(der::only(&der::tlv(tag, text)).and_then(decode).is_err(), "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn both_ends_of_a_validity_belong_to_it() {
        let validity =
            Validity { not_before: datetime!(2026-01-01 0:00 UTC), not_after: datetime!(2026-02-01 0:00 UTC) };
        assert!(validity.contains(validity.not_before) && validity.contains(validity.not_after));
        assert!(!validity.contains(validity.not_after + ::time::Duration::NANOSECOND));
    }
}
