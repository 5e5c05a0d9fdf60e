//! Distinguished names (X.501; RFC 5280 §4.1.2.4): read, compared, and built attribute by attribute.

use super::oids;
use crate::encoding::Oid;
use crate::encoding::der::{self, DerError, Reader, tag};

/// A distinguished name, kept as its DER encoding: names are copied and compared byte for byte where they can be.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DistinguishedName {
    der: Vec<u8>,
}

/// One attribute of a name: a type and a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// The attribute type, such as commonName.
    pub kind: Oid,
    /// The identifier octet of the value's string type.
    pub tag: u8,
    /// The value's content octets.
    pub value: Vec<u8>,
}

/// A relative distinguished name: usually one attribute, sometimes several at the same level.
pub type RelativeDistinguishedName = Vec<Attribute>;

impl DistinguishedName {
    /// A name from its DER encoding: a SEQUENCE of non-empty SETs of attributes.
    pub fn from_der(encoding: &[u8]) -> Result<Self, DerError> {
        walk(encoding, |_| ())?;
        Ok(Self { der: encoding.to_vec() })
    }

    /// The empty name.
    pub fn empty() -> Self {
        Self { der: der::sequence(&[]) }
    }

    /// A name of these levels, the most general first.
    pub fn new(levels: &[RelativeDistinguishedName]) -> Self {
        let sets: Vec<Vec<u8>> = levels
            .iter()
            .map(|level| {
                let attributes: Vec<Vec<u8>> = level.iter().map(Attribute::to_der).collect();
                der::set_of(&attributes.iter().map(Vec::as_slice).collect::<Vec<_>>())
            })
            .collect();
        Self { der: der::tlv(tag::SEQUENCE, &sets.concat()) }
    }

    /// A name of one commonName.
    pub fn common_name_only(text: &str) -> Self {
        Self::new(&[vec![Attribute::new(oids::COMMON_NAME, text)]])
    }

    /// The DER encoding.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether the name has no attribute.
    pub fn is_empty(&self) -> bool {
        self.der == [tag::SEQUENCE, 0]
    }

    /// The levels, the most general first, as the encoding has them.
    pub fn levels(&self) -> Vec<RelativeDistinguishedName> {
        let mut levels: Vec<RelativeDistinguishedName> = Vec::new();
        // The encoding was walked when the name was made.
        let _ = walk(&self.der, |found| {
            if found.starts_level {
                levels.push(Vec::new());
            }
            if let Some(level) = levels.last_mut() {
                level.push(Attribute { kind: found.kind, tag: found.tag, value: found.value.to_vec() });
            }
        });
        levels
    }

    /// Every attribute, level by level.
    pub fn attributes(&self) -> Vec<Attribute> {
        self.levels().into_iter().flatten().collect()
    }

    /// The texts of all attributes of this type, in order.
    pub fn values(&self, kind: &Oid) -> Vec<String> {
        self.attributes().iter().filter(|attribute| attribute.kind == *kind).map(Attribute::text).collect()
    }

    /// The texts of all commonName attributes, in order.
    pub fn common_names(&self) -> Vec<String> {
        self.values(&oids::COMMON_NAME)
    }

    /// Whether two names are the same (RFC 5280 §7.1): byte for byte, or attribute for attribute with case folded,
    /// white space collapsed, and string types set aside.
    pub fn matches(&self, other: &Self) -> bool {
        self.der == other.der || self.comparable() == other.comparable()
    }

    /// Whether `self` lies within the subtree below `base`: the levels of `base` are the first of `self`
    /// (RFC 5280 §4.2.1.10, directoryName).
    pub fn is_within(&self, base: &Self) -> bool {
        self.comparable().starts_with(&base.comparable())
    }

    fn comparable(&self) -> Vec<Vec<Comparable>> {
        let fold = |level: &RelativeDistinguishedName| {
            let mut folded: Vec<Comparable> = level.iter().map(Attribute::comparable).collect();
            folded.sort();
            folded
        };
        self.levels().iter().map(fold).collect()
    }
}

impl std::fmt::Debug for DistinguishedName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DistinguishedName({self})")
    }
}

impl serde::Serialize for DistinguishedName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An attribute in the form in which two are compared.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Comparable {
    Text(Oid, String),
    Opaque(Oid, u8, Vec<u8>),
}

impl Attribute {
    /// An attribute with the string type its standard asks for: PrintableString for countryName, serialNumber and
    /// dnQualifier, IA5String for emailAddress and domainComponent (RFC 5280 appendix A), UTF8String otherwise.
    pub fn new(kind: Oid, text: &str) -> Self {
        let printable = [oids::COUNTRY, oids::SERIAL_NUMBER, oids::DN_QUALIFIER, oids::JURISDICTION_COUNTRY];
        let ia5 = [oids::EMAIL_ADDRESS, oids::DOMAIN_COMPONENT];
        let tag = if printable.contains(&kind) && is_printable_string(text) {
            tag::PRINTABLE_STRING
        } else if ia5.contains(&kind) && text.is_ascii() {
            tag::IA5_STRING
        } else {
            tag::UTF8_STRING
        };
        Self { kind, tag, value: text.as_bytes().to_vec() }
    }

    /// The value as text. Octets that are not valid in the string type are shown as U+FFFD; a value that is no string
    /// is shown as `#` and its encoding in hexadecimal (RFC 4514 §2.4).
    pub fn text(&self) -> String {
        self.decoded().unwrap_or_else(|| format!("#{}", crate::encoding::hex::encode(&der::tlv(self.tag, &self.value))))
    }

    fn decoded(&self) -> Option<String> {
        match self.tag {
            tag::UTF8_STRING | tag::PRINTABLE_STRING | tag::IA5_STRING | tag::NUMERIC_STRING | tag::VISIBLE_STRING => {
                Some(String::from_utf8_lossy(&self.value).into_owned())
            }
            // In practice TeletexString holds ISO 8859-1.
            tag::TELETEX_STRING => Some(self.value.iter().map(|&octet| char::from(octet)).collect()),
            tag::BMP_STRING => {
                let (pairs, _) = self.value.as_chunks::<2>();
                Some(String::from_utf16_lossy(&pairs.iter().map(|&pair| u16::from_be_bytes(pair)).collect::<Vec<_>>()))
            }
            tag::UNIVERSAL_STRING => {
                let (quads, _) = self.value.as_chunks::<4>();
                Some(
                    quads
                        .iter()
                        .map(|&quad| char::from_u32(u32::from_be_bytes(quad)).unwrap_or(char::REPLACEMENT_CHARACTER))
                        .collect(),
                )
            }
            _ => None,
        }
    }

    fn comparable(&self) -> Comparable {
        match self.decoded() {
            Some(text) => {
                let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
                Comparable::Text(self.kind.clone(), words.join(" "))
            }
            None => Comparable::Opaque(self.kind.clone(), self.tag, self.value.clone()),
        }
    }

    fn to_der(&self) -> Vec<u8> {
        der::sequence(&[&der::oid(&self.kind), &der::tlv(self.tag, &self.value)])
    }
}

/// Whether `text` may stand in a PrintableString (X.680 §41.4).
pub fn is_printable_string(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte))
}

/// An attribute met on a walk through a name's encoding.
struct Found<'a> {
    starts_level: bool,
    kind: Oid,
    tag: u8,
    value: &'a [u8],
}

fn walk<'a>(encoding: &'a [u8], mut visit: impl FnMut(Found<'a>)) -> Result<(), DerError> {
    let mut levels = der::only_reader(encoding, tag::SEQUENCE)?;
    while !levels.is_empty() {
        let mut level = Reader::new(levels.expect(tag::SET)?);
        let mut starts_level = true;
        if level.is_empty() {
            return Err(DerError::Value("a name has an empty level"));
        }
        while !level.is_empty() {
            let mut attribute = level.sequence()?;
            let kind = attribute.oid()?;
            let value = attribute.any()?;
            attribute.finish()?;
            visit(Found { starts_level, kind, tag: value.tag, value: value.value });
            starts_level = false;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(tag: u8, value: &[u8]) -> DistinguishedName {
        DistinguishedName::new(&[vec![Attribute { kind: oids::COMMON_NAME, tag, value: value.to_vec() }]])
    }

    #[test]
    fn names_match_across_string_types_case_and_white_space() {
        let utf8 = name(tag::UTF8_STRING, "Dev  Root ".as_bytes());
        assert!(utf8.matches(&name(tag::PRINTABLE_STRING, b"dev root")));
        assert!(utf8.matches(&name(tag::BMP_STRING, b"\0D\0e\0v\0 \0R\0o\0o\0t")));
        assert!(!utf8.matches(&name(tag::UTF8_STRING, b"DevRoot")));
    }

    #[test]
    fn values_that_are_no_strings_match_only_byte_for_byte() {
        assert!(!name(tag::INTEGER, &[1]).matches(&name(tag::INTEGER, &[2])));
        assert!(name(tag::INTEGER, &[1]).matches(&name(tag::INTEGER, &[1])));
        assert_eq!(name(tag::INTEGER, &[1]).common_names(), ["#020101"]);
    }

    #[test]
    fn a_subtree_holds_the_names_that_begin_with_its_base() {
        let level = |kind: Oid, text: &str| vec![Attribute::new(kind, text)];
        let base = DistinguishedName::new(&[level(oids::COUNTRY, "NO"), level(oids::ORGANIZATION, "Fjord")]);
        let inside = DistinguishedName::new(&[
            level(oids::COUNTRY, "no"),
            level(oids::ORGANIZATION, "FJORD"),
            level(oids::COMMON_NAME, "x"),
        ]);
        assert!(inside.is_within(&base) && base.is_within(&base) && !base.is_within(&inside));
        assert!(inside.is_within(&DistinguishedName::empty()));
    }

    #[test]
    fn repeated_attributes_and_their_order_are_kept() {
        let name = DistinguishedName::new(&[
            vec![Attribute::new(oids::ORGANIZATIONAL_UNIT, "a")],
            vec![Attribute::new(oids::ORGANIZATIONAL_UNIT, "b")],
        ]);
        assert_eq!(name.values(&oids::ORGANIZATIONAL_UNIT), ["a", "b"]);
        assert_eq!(DistinguishedName::from_der(name.der()).as_ref(), Ok(&name));
    }
}
