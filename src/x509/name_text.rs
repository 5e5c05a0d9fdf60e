//! Distinguished names as text: RFC 4514 (`CN=app,O=Example`) and the form of openssl's `-subj` (`/O=Example/CN=app`).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::name::{Attribute, DistinguishedName, RelativeDistinguishedName};
use super::oids;
use crate::encoding::Oid;
use crate::encoding::hex;

/// Why a text is no distinguished name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameTextError {
    /// A part is not `TYPE=value`.
    #[error("`{0}` is not TYPE=value; write for example \"CN=app.test,O=Example\"")]
    NotAnAttribute(String),
    /// The attribute type is not known.
    #[error("the attribute type `{0}` is not known; use CN, O, OU, C, ST, L, DC, UID, emailAddress … or an OID")]
    UnknownType(String),
    /// The value does not fit its type.
    #[error("the value `{value}` of {kind} {problem}")]
    Value {
        /// The attribute type.
        kind: String,
        /// The value given.
        value: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An escape is incomplete or a quotation mark is not closed.
    #[error("`{0}` ends inside an escape or a quotation")]
    Unfinished(String),
}

/// Attribute types by the names people write: RFC 4514 §3, openssl, and the standards' long names.
const KEYWORDS: &[(&str, Oid)] = &[
    ("CN", oids::COMMON_NAME),
    ("C", oids::COUNTRY),
    ("L", oids::LOCALITY),
    ("ST", oids::STATE),
    ("S", oids::STATE),
    ("STREET", oids::STREET),
    ("O", oids::ORGANIZATION),
    ("OU", oids::ORGANIZATIONAL_UNIT),
    ("DC", oids::DOMAIN_COMPONENT),
    ("UID", oids::USER_ID),
    ("SN", oids::SURNAME),
    ("GN", oids::GIVEN_NAME),
    ("T", oids::TITLE),
    ("E", oids::EMAIL_ADDRESS),
];

impl FromStr for DistinguishedName {
    type Err = NameTextError;

    /// Reads either form; a text that begins with `/` is openssl's. In RFC 4514 the most specific attribute comes
    /// first, in openssl's form last.
    fn from_str(text: &str) -> Result<Self, NameTextError> {
        let (separator, body) = match text.strip_prefix('/') {
            Some(body) => ('/', body),
            None => (',', text),
        };
        if body.trim().is_empty() {
            return Ok(Self::empty());
        }
        let mut levels: Vec<RelativeDistinguishedName> = split(body, separator)?
            .iter()
            .map(|level| split(level, '+')?.iter().map(|part| attribute(part)).collect())
            .collect::<Result<_, _>>()?;
        if separator == ',' {
            levels.reverse();
        }
        Ok(Self::new(&levels))
    }
}

impl fmt::Display for DistinguishedName {
    /// RFC 4514: the most specific attribute first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, level) in self.levels().iter().rev().enumerate() {
            f.write_str(if at == 0 { "" } else { "," })?;
            for (at, attribute) in level.iter().enumerate() {
                f.write_str(if at == 0 { "" } else { "+" })?;
                f.write_str(&keyword(&attribute.kind))?;
                f.write_str("=")?;
                f.write_str(&escape(&attribute.text()))?;
            }
        }
        Ok(())
    }
}

/// The short name under which an attribute type is written, its long name, or its dotted form.
pub fn keyword(kind: &Oid) -> Cow<'static, str> {
    let short = KEYWORDS.iter().find(|(word, known)| known == kind && !matches!(*word, "SN" | "GN" | "T" | "E"));
    match short.map(|(word, _)| *word).or_else(|| oids::name(kind)) {
        Some(name) => Cow::Borrowed(name),
        None => Cow::Owned(kind.to_string()),
    }
}

/// RFC 4514 §2.4; control characters are escaped too, so that a name cannot move a terminal's cursor.
fn escape(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-._@*:".contains(&octet)) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len());
    let last = text.chars().count().saturating_sub(1);
    for (at, character) in text.chars().enumerate() {
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => escaped.extend(['\\', character]),
            ' ' if at == 0 || at == last => escaped.push_str("\\ "),
            '#' if at == 0 && !is_hex_form(text) => escaped.push_str("\\#"),
            control if control.is_control() => {
                let mut octets = [0; 4];
                for octet in control.encode_utf8(&mut octets).bytes() {
                    escaped.push_str(&format!("\\{octet:02X}"));
                }
            }
            other => escaped.push(other),
        }
    }
    Cow::Owned(escaped)
}

fn is_hex_form(text: &str) -> bool {
    text.len() > 1 && text.strip_prefix('#').is_some_and(|digits| hex::decode(digits).is_some())
}

/// Splits at `separator` where it is neither escaped nor quoted. openssl's `/` separates only where `TYPE=` follows, so
/// that a URL may stand in a value.
fn split(text: &str, separator: char) -> Result<Vec<String>, NameTextError> {
    let mut parts = vec![String::new()];
    let (mut escaped, mut quoted) = (false, false);
    for (at, character) in text.char_indices() {
        let after = text.get(at + character.len_utf8()..).unwrap_or_default();
        let separates = character == separator && !escaped && !quoted && (separator == ',' || starts_attribute(after));
        if separates || (separator == ',' && character == ';' && !escaped && !quoted) {
            parts.push(String::new());
            continue;
        }
        if let Some(part) = parts.last_mut() {
            part.push(character);
        }
        quoted ^= character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
    }
    if escaped || quoted { Err(NameTextError::Unfinished(text.to_owned())) } else { Ok(parts) }
}

fn starts_attribute(text: &str) -> bool {
    text.split_once('=').is_some_and(|(kind, _)| attribute_type(kind.trim()).is_some())
}

fn attribute(part: &str) -> Result<Attribute, NameTextError> {
    let not_an_attribute = || NameTextError::NotAnAttribute(part.trim().to_owned());
    let (kind_text, value_text) = part.split_once('=').ok_or_else(not_an_attribute)?;
    let kind_text = kind_text.trim();
    if kind_text.is_empty() {
        return Err(not_an_attribute());
    }
    let kind = attribute_type(kind_text).ok_or_else(|| NameTextError::UnknownType(kind_text.to_owned()))?;
    let value = unescape(value_text)?;
    let refused = |problem| NameTextError::Value { kind: keyword(&kind).into_owned(), value: value.clone(), problem };
    if value.is_empty() {
        return Err(refused("is empty; leave the attribute out"));
    }
    if value.contains('\0') {
        return Err(refused("contains a NUL character, at which C programs cut a name short"));
    }
    if kind == oids::COUNTRY && !(value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_alphabetic())) {
        return Err(refused("is not a two-letter country code (ISO 3166)"));
    }
    if let Some(bound) = upper_bound(&kind)
        && value.chars().count() > bound
    {
        return Err(refused("is longer than RFC 5280 appendix A.1 allows"));
    }
    Ok(Attribute::new(kind, &value))
}

/// Upper bounds in characters (RFC 5280 appendix A.1, `ub-…`).
fn upper_bound(kind: &Oid) -> Option<usize> {
    match kind {
        kind if *kind == oids::COMMON_NAME
            || *kind == oids::ORGANIZATION
            || *kind == oids::ORGANIZATIONAL_UNIT
            || *kind == oids::SERIAL_NUMBER
            || *kind == oids::TITLE =>
        {
            Some(64)
        }
        kind if *kind == oids::LOCALITY || *kind == oids::STATE => Some(128),
        kind if *kind == oids::EMAIL_ADDRESS => Some(255),
        _ => None,
    }
}

fn attribute_type(text: &str) -> Option<Oid> {
    let known = KEYWORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, kind)| kind.clone());
    known
        .or_else(|| oids::attribute_by_name(text))
        .or_else(|| text.trim_start_matches("OID.").parse().ok().filter(|_| text.contains('.')))
}

/// Removes quotation marks, backslash escapes and white space around the value (RFC 4514 §3, RFC 2253 for quotes).
fn unescape(text: &str) -> Result<String, NameTextError> {
    let unfinished = || NameTextError::Unfinished(text.to_owned());
    let mut octets = Vec::new();
    let mut kept = 0; // Octets that came from an escape or a quotation and are not trimmed.
    let mut quoted = false;
    let mut characters = text.trim_start().chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => quoted = !quoted,
            '\\' => {
                let escaped = characters.next().ok_or_else(unfinished)?;
                if escaped.is_ascii_hexdigit() {
                    let pair: String = [escaped, characters.next().ok_or_else(unfinished)?].iter().collect();
                    octets.extend(hex::decode(&pair).ok_or_else(unfinished)?);
                } else {
                    octets.extend(escaped.to_string().bytes());
                }
                kept = octets.len();
            }
            other => {
                octets.extend(other.to_string().bytes());
                if quoted {
                    kept = octets.len();
                }
            }
        }
    }
    while octets.len() > kept && octets.last() == Some(&b' ') {
        octets.pop();
    }
    String::from_utf8(octets).map_err(|_| unfinished())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn round(text: &str) -> String {
        text.parse::<DistinguishedName>().unwrap().to_string()
    }

    #[test]
    fn rfc_4514_reads_what_it_writes() {
        for text in
            ["CN=app,OU=b,OU=a,O=Example", "CN=a+UID=x,DC=example,DC=com", "CN=Lu\\,c\\+y \\\\", "O=\\ x\\ ,C=NO"]
        {
            assert_eq!(round(text), text);
        }
        assert_eq!(round("CN=\"Smith, John\" , O=x"), "CN=Smith\\, John,O=x");
        assert_eq!(round("CN=\\e2\\82\\ac"), "CN=€");
        assert_eq!(round("2.5.4.3=x"), "CN=x");
    }

    #[test]
    fn openssl_s_form_has_the_most_general_attribute_first() {
        assert_eq!(round("/C=NO/O=Fjord/OU=a/OU=b/CN=app"), "CN=app,OU=b,OU=a,O=Fjord,C=NO");
        assert_eq!(round("/CN=a/b"), "CN=a/b");
        assert_eq!(round("/O=x/CN=https://a/b"), "CN=https://a/b,O=x");
        assert_eq!(round("/"), "");
    }

    #[test]
    fn what_is_no_name_is_refused_and_said() {
        for (text, part) in [
            ("localhost", "TYPE=value"),
            ("XX=1", "XX"),
            ("C=Norway", "two-letter"),
            ("CN=", "empty"),
            ("CN=a\\", "ends inside"),
            ("CN=a\\00b", "NUL"),
            ("CN=a,,O=b", "TYPE=value"),
        ] {
            let error = text.parse::<DistinguishedName>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
        assert!(format!("CN={}", "x".repeat(65)).parse::<DistinguishedName>().is_err());
    }

    #[test]
    fn control_characters_are_escaped() {
        let name = DistinguishedName::common_name_only("a\u{1b}[2J\u{85}");
        assert_eq!(name.to_string(), "CN=a\\1B[2J\\C2\\85");
    }
}
