//! How long a certificate is valid, on the command line; and its serial number.

use anyhow::anyhow;
use time::{Duration, OffsetDateTime};

use crate::cli::clock::{self, Moment};
use crate::cli::problem::Hinted;
use crate::key::{self, KeyError};
use crate::profile::Profile;
use crate::x509::{SerialNumber, Validity};

/// How long a certificate is valid
#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct LifetimeArgs {
    /// How many days it is valid [default: as many as the profile says, or as before where one is renewed]
    #[arg(long, value_name = "DAYS", value_parser = parse_days, allow_negative_numbers = true, conflicts_with = "not_after")]
    days: Option<u32>,

    /// Until when it is valid: 12h, 90d, 1y, 2027-01-31, 2027-01-31T12:00:00Z. Spans from a day on count from its notBefore,
    /// so that 398d are no second more
    #[arg(long, value_name = "TIME")]
    not_after: Option<Moment>,
}

impl LifetimeArgs {
    /// The flags, as another command line would give them.
    pub(in crate::cli) fn words(&self) -> Vec<String> {
        match (self.days, self.not_after) {
            (Some(days), _) => vec!["--days".to_owned(), days.to_string()],
            (None, Some(Moment::After(span))) => {
                vec!["--not-after".to_owned(), format!("{}s", span.whole_seconds())]
            }
            (None, Some(Moment::At(time))) => vec!["--not-after".to_owned(), clock::rfc3339(time)],
            (None, None) => Vec::new(),
        }
    }

    /// The validity of a certificate of this profile made now.
    pub(in crate::cli) fn validity(&self, profile: &Profile, now: OffsetDateTime) -> anyhow::Result<Validity> {
        let lifetime = match self.not_after {
            Some(Moment::After(span)) => Some(span),
            Some(Moment::At(_)) | None => self.days.map(|days| Duration::days(days.into())),
        };
        let ends_late = || anyhow!("it would be valid past the year 9999, where the calendar of certificates ends");
        let mut validity = profile.validity(now, lifetime).ok_or_else(ends_late).hint("choose fewer --days")?;
        match self.not_after {
            Some(Moment::At(time)) => validity.not_after = time,
            // The minutes before now that are in every certificate are little of a year, and much of an hour.
            Some(Moment::After(span)) if span < Duration::DAY => validity.not_after = now + span,
            Some(Moment::After(_)) | None => {}
        }
        if validity.not_after <= now {
            return Err(anyhow!("it would have expired already, at {}", clock::rfc3339(validity.not_after)))
                .hint("--not-after takes a time to come: 90d, 1y, 2030-01-31");
        }
        Ok(validity)
    }
}

fn parse_days(text: &str) -> Result<u32, &'static str> {
    match text.parse() {
        Ok(0) => Err("a certificate is valid for a day at least"),
        Ok(days) => Ok(days),
        Err(_) => Err("that is no number of days: spans such as 1y or 12h are for --not-after"),
    }
}

/// 128 random bits: unique in practice, and not to be guessed.
pub(in crate::cli) fn fresh_serial() -> Result<SerialNumber, KeyError> {
    let mut bits = [0; 16];
    key::random(&mut bits)?;
    Ok(SerialNumber::from_bits(bits))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use time::macros::datetime;

    #[test]
    fn the_end_is_what_was_asked_for() {
        let (profile, now) = (Profile::built_in("self-signed").unwrap(), datetime!(2026-11-23 12:00 UTC));
        let end = |days, not_after: Option<&str>| {
            let args = LifetimeArgs { days, not_after: not_after.map(|text| text.parse().unwrap()) };
            args.validity(&profile, now).map(|validity| validity.not_after)
        };
        assert_eq!(end(None, None).unwrap(), datetime!(2027-11-23 11:54:59 UTC));
        assert_eq!(end(Some(1), None).unwrap(), datetime!(2026-11-24 11:54:59 UTC));
        assert_eq!(end(None, Some("12h")).unwrap(), datetime!(2026-11-24 0:00 UTC));
        assert_eq!(end(None, Some("1s")).unwrap(), datetime!(2026-11-23 12:00:01 UTC));
        assert_eq!(end(None, Some("90d")).unwrap(), datetime!(2027-02-21 11:54:59 UTC));
        assert_eq!(end(None, Some("2027-01-31")).unwrap(), datetime!(2027-01-31 0:00 UTC));
        assert!(end(None, Some("2026-11-23")).unwrap_err().to_string().contains("expired"));
        assert!(end(Some(u32::MAX), None).unwrap_err().to_string().contains("9999"));
    }
}
