//! Extensions, each decoded: a value for JSON and lines for people.

mod outline;
mod value;

pub use value::ValueDescription;
pub(super) use value::decimal;

use super::sheet::Row;
use super::sheet::Tone;
use super::sheet::wrapped;
use crate::encoding::Oid;
use crate::encoding::hex;
use crate::x509::DistinguishedName;
use crate::x509::Extension;
use crate::x509::ExtensionError;
use crate::x509::GeneralName;
use crate::x509::oids;
use serde::Serialize;

/// One extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExtensionDescription {
    /// Its name in its standard, or its dotted identifier.
    pub name: String,
    /// Its object identifier.
    pub oid: Oid,
    /// Whether a program that does not know it must refuse the certificate (RFC 5280 §4.2).
    pub critical: bool,
    /// Its value; absent where it is unknown or malformed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<ValueDescription>,
    /// Its octets in hexadecimal, where it is unknown or malformed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
    /// The structure of an unknown extension in one line, where it is DER.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outline: Option<String>,
    /// What is wrong with its encoding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub malformed: Option<String>,
}

impl ExtensionDescription {
    /// Describes an extension.
    pub fn of(extension: &Extension) -> Self {
        let described = Self {
            name: extension.name(),
            oid: extension.oid.clone(),
            critical: extension.critical,
            value: None,
            hex: None,
            outline: None,
            malformed: None,
        };
        let octets = || Some(hex::encode(&extension.value));
        match extension.decode() {
            Ok(decoded) => match ValueDescription::of(decoded) {
                Some(value) => Self { value: Some(value), ..described },
                None => Self { hex: octets(), outline: outline::of(&extension.value), ..described },
            },
            Err(error) => Self { hex: octets(), malformed: Some(error.source.to_string()), ..described },
        }
    }

    /// The value for people.
    pub fn lines(&self) -> Vec<String> {
        let octets = || clipped(self.hex.as_deref().unwrap_or_default());
        match (&self.value, &self.malformed) {
            (_, Some(why)) => vec![format!("malformed: {why}"), octets()],
            (Some(value), None) => value.lines(),
            (None, None) => self.outline.iter().cloned().chain([octets()]).collect(),
        }
    }

    fn row(&self) -> Row {
        let tone = match (&self.malformed, &self.value, self.critical) {
            (Some(_), _, _) => Tone::Bad,
            (None, None, true) => Tone::Warn,
            (None, _, _) => Tone::Plain,
        };
        let mut lines = self.lines();
        if let Some(first) = lines.first_mut().filter(|_| self.critical) {
            first.push_str(" (critical)");
        }
        Row::lines(tone, &self.name, lines)
    }

    /// Whether the head of the sheet says all there is to say.
    fn is_in_head(&self) -> bool {
        self.oid == oids::SUBJECT_ALT_NAME && self.malformed.is_none() && !self.critical
    }
}

/// A row for each extension. A plain subjectAltName is left out: its names stand at the head of the sheet.
pub(super) fn rows(extensions: &[ExtensionDescription]) -> Vec<Row> {
    extensions.iter().filter(|extension| !extension.is_in_head()).map(ExtensionDescription::row).collect()
}

/// Names as text; none where they are malformed, which the extension itself then says.
pub(super) fn names<T: AsRef<[GeneralName]>>(names: Result<T, ExtensionError>) -> Vec<String> {
    names.map_or_else(|_| Vec::new(), |names| names.as_ref().iter().map(GeneralName::to_string).collect())
}

/// An algorithm's name, or why it has none.
pub(super) fn named<T: std::fmt::Display, E: std::fmt::Display>(algorithm: Result<T, E>) -> String {
    algorithm.map_or_else(|error| error.to_string(), |algorithm| algorithm.to_string())
}

/// A distinguished name, or a word where it is empty.
pub(super) fn or_empty(name: &DistinguishedName) -> String {
    if name.is_empty() { "(empty)".to_owned() } else { name.to_string() }
}

/// Hexadecimal digits as far as anybody reads them.
fn clipped(digits: &str) -> String {
    const MOST: usize = 96;
    match digits.get(..MOST) {
        Some(start) if digits.len() > MOST => format!("{start}… ({} octets)", digits.len() / 2),
        _ => digits.to_owned(),
    }
}

fn joined<T: ToString>(items: &[T]) -> Vec<String> {
    wrapped(&items.iter().map(T::to_string).collect::<Vec<_>>())
}
