//! The decoded content of a message: fields in the order and by the names of the standards, with one rendering as JSON
//! and one as rows for people.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::encoding::hex;

/// Named values, in order. In JSON an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(&'static str, Value)>);

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Words, or a name out of the message.
    Text(String),
    /// A number.
    Number(u64),
    /// Yes or no.
    Flag(bool),
    /// Bytes; in JSON and prose hexadecimal.
    Bytes(Vec<u8>),
    /// A code point: its number with as many hexadecimal digits as it has in the message, and its name.
    Code {
        /// `0x1301`.
        code: String,
        /// `TLS_AES_128_GCM_SHA256`.
        name: String,
    },
    /// Several values.
    List(Vec<Value>),
    /// Fields of its own.
    Group(Fields),
}

impl Fields {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.push(name, value);
        self
    }

    /// With those of another list after them.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Adds one.
    pub fn push(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.push((name, value.into()));
    }

    /// The field of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// About how much memory they take, in bytes.
    pub fn size(&self) -> usize {
        self.0.iter().map(|(_, value)| size_of::<(&str, Value)>() + value.size()).sum()
    }

    /// A line for each value: how deep it stands, its name, its text.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        self.write(0, &mut rows);
        rows
    }

    fn write(&self, depth: usize, rows: &mut Vec<Row>) {
        for (name, value) in &self.0 {
            value.write(depth, name, rows);
        }
    }
}

/// A line of a message's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// How deep the value stands in others.
    pub depth: usize,
    /// The field's name; empty for a further value of the same field.
    pub name: String,
    /// The value on one line; empty where the next rows are its parts.
    pub text: String,
}

/// The most bytes of a value that prose shows; JSON has all of them.
const MOST_SHOWN: usize = 48;

/// Short values that go on one line.
const LINE: usize = 96;

impl Value {
    /// A list of these.
    pub fn list<T: Into<Self>>(values: impl IntoIterator<Item = T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }

    /// The value on one line, if it fits one.
    pub fn text(&self) -> Option<String> {
        Some(match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Flag(true) => "yes".to_owned(),
            Self::Flag(false) => "no".to_owned(),
            Self::Bytes(bytes) => shown(bytes),
            Self::Code { name, .. } => name.clone(),
            Self::List(values) => {
                let texts: Vec<String> = values.iter().map(Self::text).collect::<Option<_>>()?;
                let line = texts.join(", ");
                if line.chars().count() > LINE {
                    return None;
                }
                line
            }
            Self::Group(_) => return None,
        })
    }

    fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.capacity(),
            Self::Number(_) | Self::Flag(_) => 0,
            Self::Bytes(bytes) => bytes.capacity(),
            Self::Code { code, name } => code.capacity() + name.capacity(),
            Self::List(values) => values.iter().map(|value| size_of::<Self>() + value.size()).sum(),
            Self::Group(fields) => fields.size(),
        }
    }

    fn write(&self, depth: usize, name: &str, rows: &mut Vec<Row>) {
        let row = |name: &str, text: String| Row { depth, name: name.to_owned(), text };
        if let Some(text) = self.text() {
            rows.push(row(name, text));
            return;
        }
        match self {
            Self::Group(fields) => {
                rows.push(row(name, String::new()));
                fields.write(depth + 1, rows);
            }
            Self::List(values) => {
                let mut name = name;
                for value in values {
                    value.write(depth, name, rows);
                    name = "";
                }
            }
            _ => {}
        }
    }
}

fn shown(bytes: &[u8]) -> String {
    match bytes.get(..MOST_SHOWN).filter(|_| bytes.len() > MOST_SHOWN) {
        Some(start) => format!("{}… ({} bytes)", hex::encode(start), bytes.len()),
        None => hex::encode(bytes),
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(number as u64)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<Fields> for Value {
    fn from(fields: Fields) -> Self {
        Self::Group(fields)
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Bytes(bytes) => serializer.serialize_str(&hex::encode(bytes)),
            Self::Code { code, name } => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("code", code)?;
                map.serialize_entry("name", name)?;
                map.end()
            }
            Self::List(values) => values.serialize(serializer),
            Self::Group(fields) => fields.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> Fields {
        let suite = Value::Code { code: "0x1301".into(), name: "TLS_AES_128_GCM_SHA256".into() };
        Fields::new()
            .with("random", &[0xab; 4][..])
            .with("cipher_suites", Value::List(vec![suite; 6]))
            .with("extensions", Fields::new().with("early_data", true))
    }

    #[test]
    fn prose_and_json_say_the_same() {
        let json = serde_json::to_value(fields()).unwrap();
        assert_eq!(json["random"], "abababab");
        assert_eq!(json["cipher_suites"][5]["code"], "0x1301");
        assert_eq!(json["extensions"]["early_data"], true);
        let rows = fields().rows();
        assert_eq!(rows.len(), 1 + 6 + 2);
        assert_eq!((rows[1].name.as_str(), rows[2].name.as_str()), ("cipher_suites", ""));
        assert_eq!((rows[8].depth, rows[8].text.as_str()), (1, "yes"));
        assert!((300..2000).contains(&fields().size()), "{}", fields().size());
    }

    #[test]
    fn long_bytes_are_shortened_for_people_alone() {
        let long = Fields::new().with("signature", &[0; 256][..]);
        assert!(long.rows()[0].text.ends_with("… (256 bytes)"));
        assert_eq!(serde_json::to_value(&long).unwrap()["signature"].as_str().unwrap().len(), 512);
    }
}
