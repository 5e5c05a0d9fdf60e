//! Times of certificates: which of the two encodings, and which moment (RFC 5280 §4.1.2.5).

use crate::encoding::der::{self, tag};
use ::time::OffsetDateTime;

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
}

/// `moment` as RFC 5280 encodes it: UTCTime through 2049, GeneralizedTime from 2050, whole seconds, `Z`.
pub fn encode(moment: OffsetDateTime) -> Vec<u8> {
    let moment = moment.to_offset(::time::UtcOffset::UTC);
    let rest = format!(
        "{:02}{:02}{:02}{:02}{:02}Z",
        u8::from(moment.month()),
        moment.day(),
        moment.hour(),
        moment.minute(),
        moment.second()
    );
    match moment.year() {
        year @ 1950..=2049 => der::tlv(tag::UTC_TIME, format!("{:02}{rest}", year % 100).as_bytes()),
        year => der::tlv(tag::GENERALIZED_TIME, format!("{year:04}{rest}").as_bytes()),
    }
}

/// `moment` as RFC 3339 text in UTC, whole seconds.
pub fn rfc3339(moment: OffsetDateTime) -> String {
    let moment = moment.to_offset(::time::UtcOffset::UTC).replace_nanosecond(0).unwrap_or(moment);
    moment.format(&::time::format_description::well_known::Rfc3339).unwrap_or_else(|_| moment.to_string())
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
    fn both_ends_of_a_validity_belong_to_it() {
        let validity =
            Validity { not_before: datetime!(2026-01-01 0:00 UTC), not_after: datetime!(2026-02-01 0:00 UTC) };
        assert!(validity.contains(validity.not_before) && validity.contains(validity.not_after));
        assert!(!validity.contains(validity.not_after + ::time::Duration::NANOSECOND));
    }
}
