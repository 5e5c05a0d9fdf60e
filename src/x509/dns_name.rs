//! Domain names as certificates carry them: A-labels, letters, digits and hyphens (RFC 5280 §4.2.1.6, RFC 5890).

use std::borrow::Cow;
use std::fmt;

use super::{DistinguishedName, GeneralName};

/// A domain name in A-labels, lower case, without trailing dot; perhaps with `*` as its whole left-most label.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DnsName {
    text: String,
}

/// Why a text is no domain name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a domain name: {fault}", printable(text))]
pub struct DnsNameError {
    /// The text given.
    pub text: String,
    /// What is wrong with it.
    pub fault: DnsFault,
}

/// What is wrong with a domain name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DnsFault {
    /// There is no label at all.
    #[error("it is empty")]
    Empty,
    /// Two dots in a row, or one at the start.
    #[error("it has an empty label")]
    EmptyLabel,
    /// A label of more than 63 octets (RFC 1035 §2.3.4).
    #[error("a label is longer than 63 characters (RFC 1035 §2.3.4)")]
    LongLabel,
    /// More than 253 octets in all.
    #[error("it is longer than 253 characters (RFC 1035 §2.3.4)")]
    TooLong,
    /// A character that no host name has.
    #[error("`{}` does not occur in host names", printable(&.0.to_string()))]
    Character(char),
    /// A hyphen at either end of a label (RFC 1123 §2.1).
    #[error("a label begins or ends with a hyphen (RFC 1123 §2.1)")]
    Hyphen,
    /// A `*` that is not the whole left-most label (RFC 9525 §6.3).
    #[error("`*` may only stand as the whole left-most label (RFC 9525 §6.3)")]
    Wildcard,
    /// A `*` with fewer than two labels after it, which would cover a whole top-level domain.
    #[error("a wildcard needs at least two labels after it, such as *.example.test")]
    BroadWildcard,
    /// The last label is a number, so the text reads as an IPv4 address.
    #[error("its last label is a number, so programs take it for an IPv4 address, which it is not")]
    Numeric,
    /// Unicode that IDNA does not map to A-labels (UTS #46).
    #[error("it has characters that internationalized domain names do not allow (UTS #46)")]
    Idna,
    /// `xn--` before what encodes no label in Unicode (RFC 5890 §2.3.2.1).
    #[error("{0} stands for nothing in Unicode, so it is no A-label (RFC 5890 §2.3.2.1)")]
    FakeALabel(String),
}

impl DnsName {
    /// Reads a host name: Unicode becomes A-labels, upper case lower, one trailing dot is dropped. Underscores are
    /// taken, since development names have them. No wildcard.
    pub fn host(text: &str) -> Result<Self, DnsNameError> {
        let name = Self::pattern(text)?;
        if name.is_wildcard() {
            return Err(DnsNameError { text: text.to_owned(), fault: DnsFault::Wildcard });
        }
        Ok(name)
    }

    /// Reads a host name or a wildcard such as `*.example.test`, as a certificate presents it.
    pub fn pattern(text: &str) -> Result<Self, DnsNameError> {
        match parts(text) {
            Ok((wildcard, host)) => Ok(Self { text: format!("{wildcard}{}", host.to_ascii_lowercase()) }),
            Err(fault) => Err(DnsNameError { text: text.to_owned(), fault }),
        }
    }

    /// Reads a name that is to be certified: as [`DnsName::pattern`], and each label that begins with `xn--` must be the A-label
    /// of something (RFC 5891 §4.4). What others have certified is not held to that, for Unicode grows.
    pub fn asked_for(text: &str) -> Result<Self, DnsNameError> {
        let name = Self::pattern(text)?;
        let is_fake = |label: &&str| label.starts_with("xn--") && idna::domain_to_unicode(label).1.is_err();
        match name.text.split('.').find(is_fake) {
            None => Ok(name),
            Some(label) => Err(DnsNameError { text: text.to_owned(), fault: DnsFault::FakeALabel(label.to_owned()) }),
        }
    }

    /// What keeps `text` from being a host name or a wildcard, if anything does.
    pub fn fault(text: &str) -> Option<DnsFault> {
        parts(text).err()
    }

    /// The name in A-labels.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the left-most label is `*`.
    pub fn is_wildcard(&self) -> bool {
        self.text.starts_with("*.")
    }

    /// The name in Unicode, where that differs from the A-labels.
    pub fn to_unicode(&self) -> Option<String> {
        let (unicode, result) = idna::domain_to_unicode(&self.text);
        (result.is_ok() && unicode != self.text).then_some(unicode)
    }
}

/// The common names in which a client may find the host it asks for. OpenSSL compares the two octet by octet where no DNS name
/// stands beside them, `*` within a label included, whether or not the text has the form of a host name.
pub fn common_names_compared(subject: &DistinguishedName, names: &[GeneralName]) -> Vec<String> {
    if names.iter().any(|name| matches!(name, GeneralName::Dns(_))) {
        return Vec::new();
    }
    let possible = |octet: u8| octet.is_ascii_graphic() && !b"@/:".contains(&octet);
    let mut common_names = subject.common_names();
    common_names.retain(|text| !text.is_empty() && text.bytes().all(possible));
    common_names
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `*.` or nothing, and a host in A-labels without trailing dot, its case as it was.
fn parts(text: &str) -> Result<(&'static str, Cow<'_, str>), DnsFault> {
    let (wildcard, host) = match text.strip_prefix("*.") {
        Some(host) => ("*.", host),
        None => ("", text),
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    let ascii = if host.is_ascii() {
        Cow::Borrowed(host)
    } else {
        idna::domain_to_ascii(host).map_err(|_| DnsFault::Idna)?.into()
    };
    check(&ascii)?;
    if !wildcard.is_empty() && !ascii.contains('.') {
        return Err(DnsFault::BroadWildcard);
    }
    if wildcard.len() + ascii.len() > 253 {
        return Err(DnsFault::TooLong);
    }
    Ok((wildcard, ascii))
}

fn check(ascii: &str) -> Result<(), DnsFault> {
    if ascii.is_empty() {
        return Err(DnsFault::Empty);
    }
    if ascii.len() > 253 {
        return Err(DnsFault::TooLong);
    }
    for label in ascii.split('.') {
        let strange = label.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')));
        match strange {
            _ if label.is_empty() => return Err(DnsFault::EmptyLabel),
            Some('*') => return Err(DnsFault::Wildcard),
            Some(character) => return Err(DnsFault::Character(character)),
            None if label.len() > 63 => return Err(DnsFault::LongLabel),
            None if label.starts_with('-') || label.ends_with('-') => return Err(DnsFault::Hyphen),
            None => {}
        }
    }
    if is_number(ascii.rsplit('.').next().unwrap_or_default()) { Err(DnsFault::Numeric) } else { Ok(()) }
}

/// Whether programs read a last label as the last part of an IPv4 address: digits, or hexadecimal ones after `0x`, as
/// `inet_aton` and browsers do (WHATWG URL, "ends in a number").
fn is_number(label: &str) -> bool {
    let hexadecimal = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    label.bytes().all(|byte| byte.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// `text` with control characters escaped, so that a hostile name cannot write to a terminal.
fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_come_out_in_lower_case_a_labels() {
        for (text, name) in [
            ("Example.COM.", "example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("*.Grüße.test", "*.xn--gre-6ka8l.test"),
            ("_dmarc.a_b.test", "_dmarc.a_b.test"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(DnsName::pattern(text).unwrap().as_str(), name);
        }
        assert_eq!(DnsName::host("bücher.example").unwrap().to_unicode().as_deref(), Some("bücher.example"));
    }

    #[test]
    fn what_is_no_domain_name_is_refused_and_said() {
        let long = "a".repeat(64);
        for (text, fault) in [
            ("", DnsFault::Empty),
            (".", DnsFault::Empty),
            ("a..b", DnsFault::EmptyLabel),
            (long.as_str(), DnsFault::LongLabel),
            ("-a.test", DnsFault::Hyphen),
            ("a b.test", DnsFault::Character(' ')),
            ("a\0.test", DnsFault::Character('\0')),
            ("*", DnsFault::Wildcard),
            ("*.com", DnsFault::BroadWildcard),
            ("a.*.test", DnsFault::Wildcard),
            ("f*.example.test", DnsFault::Wildcard),
            ("256.1.1.1", DnsFault::Numeric),
            ("1.2.3.4.5", DnsFault::Numeric),
            ("0x7f000001", DnsFault::Numeric),
            ("a.0X1f", DnsFault::Numeric),
            ("a.0x", DnsFault::Numeric),
        ] {
            assert_eq!(DnsName::pattern(text).unwrap_err().fault, fault, "{text}");
        }
        assert_eq!(DnsName::host("*.example.test").unwrap_err().fault, DnsFault::Wildcard);
    }

    #[test]
    fn what_is_certified_has_a_labels_that_stand_for_something() {
        for text in ["xn--bcher-kva.example", "*.xn--gre-6ka8l.test", "XN--BCHER-KVA.test", "bücher.test", "a--b.test"]
        {
            DnsName::asked_for(text).unwrap();
        }
        for (text, label) in [("xn--a.test", "xn--a"), ("*.b.XN--.test", "xn--"), ("xn--abc-.test.x", "xn--abc-")] {
            let fault = DnsName::asked_for(text).map(drop).unwrap_err().fault;
            assert!(matches!(&fault, DnsFault::FakeALabel(own) if own == label) || label.ends_with('-'), "{fault:?}");
        }
        // What is in a certificate already is read all the same.
        DnsName::pattern("xn--a.test").unwrap();
    }
}
