//! Conditional requests (RFC 9110 §13): which version of a file the client has.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::header::{HeaderMap, HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE};

use super::root::File;

/// A version of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    tag: String,
    /// Whole seconds since 1970, within the years HTTP can write.
    modified: u64,
}

/// What the conditions of a request come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The file is to be sent.
    Send,
    /// The client has it: 304.
    NotModified,
    /// The client wanted another version: 412.
    Failed,
}

impl Version {
    pub(super) fn of(file: &File) -> Self {
        let (seconds, nanos) = file.modified;
        let tag = format!("\"{seconds:x}-{nanos:x}-{:x}\"", file.length);
        Self { tag, modified: u64::try_from(seconds).unwrap_or(0).min(LAST_SECOND) }
    }

    /// `ETag`: changes with the time of the last change, to the nanosecond, and the length.
    pub(super) fn tag(&self) -> &str {
        &self.tag
    }

    /// `Last-Modified`.
    pub(super) fn date(&self) -> String {
        httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(self.modified))
    }

    /// In the order of RFC 9110 §13.2.2.
    pub(super) fn judge(&self, headers: &HeaderMap) -> Outcome {
        if headers.contains_key(IF_MATCH) {
            if !self.is_named(headers, IF_MATCH, false) {
                return Outcome::Failed;
            }
        } else if date(headers, IF_UNMODIFIED_SINCE).is_some_and(|since| self.modified > since) {
            return Outcome::Failed;
        }
        let known = match headers.contains_key(IF_NONE_MATCH) {
            true => self.is_named(headers, IF_NONE_MATCH, true),
            false => date(headers, IF_MODIFIED_SINCE).is_some_and(|since| self.modified <= since),
        };
        if known { Outcome::NotModified } else { Outcome::Send }
    }

    /// Whether a part is wanted of this version, and not all of a newer one (§13.1.5).
    pub(super) fn allows_range(&self, headers: &HeaderMap) -> bool {
        let Some(field) = headers.get(IF_RANGE) else { return true };
        let same_tag = field.to_str().is_ok_and(|tag| tag.trim() == self.tag);
        same_tag || date(headers, IF_RANGE) == Some(self.modified)
    }

    /// Whether one of the tags is this version's. Comparison is weak (`W/` left out) or strong (§8.8.3.2).
    fn is_named(&self, headers: &HeaderMap, field: HeaderName, weak: bool) -> bool {
        let fields = headers.get_all(field);
        let mut tags = fields.iter().filter_map(|field| field.to_str().ok()).flat_map(|field| field.split(','));
        tags.any(|tag| {
            let tag = tag.trim();
            let bare = if weak { tag.strip_prefix("W/").unwrap_or(tag) } else { tag };
            bare == self.tag || bare == "*"
        })
    }
}

/// A date field in seconds since 1970; one that is no date is no condition.
fn date(headers: &HeaderMap, field: HeaderName) -> Option<u64> {
    let time: SystemTime = httpdate::parse_http_date(headers.get(field)?.to_str().ok()?).ok()?;
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

/// 9999-12-31T23:59:59Z.
const LAST_SECOND: u64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn version() -> Version {
        Version { tag: "\"a\"".to_owned(), modified: 784_111_777 }
    }

    fn judged(fields: &[(&'static str, &'static str)]) -> Outcome {
        let fields = fields.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        version().judge(&fields.collect())
    }

    #[test]
    fn conditions_are_those_of_rfc_9110() {
        let (same, earlier) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:36 GMT");
        assert_eq!(version().date(), same);
        for (fields, outcome) in [
            (&[][..], Outcome::Send),
            (&[("if-none-match", "\"a\"")], Outcome::NotModified),
            (&[("if-none-match", "\"b\", W/\"a\"")], Outcome::NotModified),
            (&[("if-none-match", "*")], Outcome::NotModified),
            (&[("if-none-match", "\"b\"")], Outcome::Send),
            (&[("if-modified-since", same)], Outcome::NotModified),
            (&[("if-modified-since", earlier)], Outcome::Send),
            (&[("if-modified-since", "yesterday")], Outcome::Send),
            (&[("if-none-match", "\"b\""), ("if-modified-since", same)], Outcome::Send),
            (&[("if-match", "\"b\"")], Outcome::Failed),
            (&[("if-match", "W/\"a\"")], Outcome::Failed),
            (&[("if-match", "\"a\"")], Outcome::Send),
            (&[("if-unmodified-since", earlier)], Outcome::Failed),
            (&[("if-unmodified-since", same)], Outcome::Send),
        ] {
            assert_eq!(judged(fields), outcome, "{fields:?}");
        }
    }

    #[test]
    fn times_that_http_cannot_write_do_no_harm() {
        for modified in [0, LAST_SECOND] {
            assert!(Version { modified, ..version() }.date().ends_with("GMT"));
        }
    }
}
