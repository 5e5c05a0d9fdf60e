//! The values of a profile's keys. Each is read from its text or number, so that the error points at it.

use crate::encoding::Oid;
use crate::encoding::der::{self, tag};
use crate::x509::extension::{GeneralSubtree, KeyUsageBit, PolicyInformation, PolicyQualifier, SubtreeError};
use crate::x509::{GeneralName, oids};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use time::Duration;

/// A count of days in which a certificate is valid.
#[derive(Deserialize)]
#[serde(try_from = "i64")]
pub(super) struct Days(pub(super) Duration);

impl TryFrom<i64> for Days {
    type Error = String;

    fn try_from(days: i64) -> Result<Self, String> {
        match days {
            1..=MOST_DAYS => Ok(Self(Duration::days(days))),
            _ => Err(format!("a certificate is valid for 1 to {MOST_DAYS} days")),
        }
    }
}

/// A hundred years: no end is written another way (RFC 5280 §4.1.2.5).
const MOST_DAYS: i64 = 36_500;

/// A span of time: a number and `s`, `m`, `h` or `d`.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Span(pub(super) Duration);

impl Default for Span {
    fn default() -> Self {
        Self(Duration::minutes(5))
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match text.strip_prefix(digits) {
            Some("s") => Duration::SECOND,
            Some("m") => Duration::MINUTE,
            Some("h") => Duration::HOUR,
            Some("d") => Duration::DAY,
            _ => Duration::ZERO,
        };
        match digits.parse::<u16>() {
            Ok(count) if !unit.is_zero() => Ok(Self(unit * i32::from(count))),
            _ => Err(format!("`{text}` is no span of time: write a number and its unit, as in 45s, 5m, 12h or 1d")),
        }
    }
}

/// A bit of `keyUsage` by its standard name.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Usage(pub(super) KeyUsageBit);

impl TryFrom<String> for Usage {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        KeyUsageBit::from_name(&name).map(Self).ok_or_else(|| {
            let known: Vec<&str> = KeyUsageBit::ALL.into_iter().map(KeyUsageBit::name).collect();
            format!("`{name}` is no bit of keyUsage: use {}", known.join(", "))
        })
    }
}

/// A key purpose by its standard name or its object identifier.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Purpose(pub(super) Oid);

impl TryFrom<String> for Purpose {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let named = PURPOSES.iter().find(|oid| oids::name(oid).is_some_and(|known| known.eq_ignore_ascii_case(&name)));
        named.cloned().or_else(|| name.parse().ok()).map(Self).ok_or_else(|| {
            let known: Vec<String> = PURPOSES.iter().map(oids::name_or_dotted).collect();
            format!("`{name}` is no key purpose: use {} or an object identifier", known.join(", "))
        })
    }
}

static PURPOSES: &[Oid] = &[
    oids::SERVER_AUTH,
    oids::CLIENT_AUTH,
    oids::CODE_SIGNING,
    oids::EMAIL_PROTECTION,
    oids::TIME_STAMPING,
    oids::OCSP_SIGNING,
    oids::IPSEC_IKE,
    oids::KDC,
    oids::SMARTCARD_LOGON,
    oids::DOCUMENT_SIGNING,
    oids::ANY_EXTENDED_KEY_USAGE,
];

/// Where something is to be had. Lists, responders and issuers are fetched with http, or a loop could arise
/// (RFC 5280 §8); https is taken, because some do it.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Uri(pub(super) String);

impl TryFrom<String> for Uri {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // A scheme is the same in capitals (RFC 3986 §3.1).
        let fits = |uri: &str| {
            let is = |scheme: &str| uri.get(..scheme.len()).is_some_and(|own| own.eq_ignore_ascii_case(scheme));
            is("http://") || is("https://")
        };
        match format!("uri:{text}").parse() {
            Ok(GeneralName::Uri(uri)) if fits(&uri) => Ok(Self(uri)),
            _ => Err(format!("`{text}` is no http:// or https:// URI")),
        }
    }
}

/// A certificate policy: `"1.2.3"`, or `{ oid = "1.2.3", cps = "https://…" }` with the URI of its practice statement.
pub(super) struct Policy(pub(super) PolicyInformation);

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Policy;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a policy as \"1.2.3\" or { oid = \"1.2.3\", cps = \"https://…\" }")
            }

            fn visit_str<E: de::Error>(self, oid: &str) -> Result<Policy, E> {
                PolicyTable { oid: oid.to_owned(), cps: None }.try_into().map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Policy, A::Error> {
                let table = PolicyTable::deserialize(MapAccessDeserializer::new(map))?;
                table.try_into().map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyTable {
    oid: String,
    cps: Option<Uri>,
}

impl TryFrom<PolicyTable> for Policy {
    type Error = String;

    fn try_from(table: PolicyTable) -> Result<Self, String> {
        let policy = table.oid.parse().map_err(|error: crate::encoding::oid::OidError| error.to_string())?;
        let cps = table.cps.map(|uri| PolicyQualifier {
            kind: oids::QUALIFIER_CPS,
            value: der::tlv(tag::IA5_STRING, uri.0.as_bytes()),
        });
        Ok(Self(PolicyInformation { policy, qualifiers: cps.into_iter().collect() }))
    }
}

/// A subtree of `nameConstraints` (RFC 5280 §4.2.1.10): `dns:`, `ip:`, `email:`, `uri:` or `dirname:` and its base.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Subtree(pub(super) GeneralSubtree);

impl TryFrom<String> for Subtree {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        // What is written down once and read for years has its form beside it.
        let typed = ["dns:", "ip:", "email:", "uri:", "dirname:"].iter().any(|form| text.starts_with(form));
        let read = if typed { text.parse() } else { Err(SubtreeError::Form(text)) };
        read.map(Self).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn constraints_need_their_form() {
        for text in ["example.test", "host:a", "dns:a b", "10.0.0.0/8", "dirname:", "dirname:x", "dns:*.a.test"] {
            assert!(Subtree::try_from(text.to_owned()).is_err(), "{text}");
        }
        for text in ["dns:", "dns:.a.test", "email:.a.test", "email:a@b.test", "dirname:C=NO,O=A"] {
            assert!(Subtree::try_from(text.to_owned()).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_scheme_may_stand_in_capitals() {
        for text in ["http://a.test/x", "HTTP://a.test/x", "Https://a.test/x"] {
            assert!(Uri::try_from(text.to_owned()).is_ok(), "{text}");
        }
        for text in ["httpx://a.test/", "ftp://a.test/", "http:/a.test", "\u{e4}ttp://a.test"] {
            assert!(Uri::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn spans_have_a_unit() {
        assert_eq!(Span::try_from("12h".to_owned()).unwrap().0, Duration::HOUR * 12);
        for text in ["", "5", "m", "5x", "-5m", "5 m", "99999d"] {
            assert!(Span::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
