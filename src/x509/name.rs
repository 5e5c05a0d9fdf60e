//! Distinguished names (X.501; RFC 5280 §4.1.2.4): read, compared, and built attribute by attribute.

use super::{name_prep, oids};
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
        walk(encoding, |found| found.check())?;
        Ok(Self { der: encoding.to_vec() })
    }

    /// The empty name.
    pub fn empty() -> Self {
        Self { der: der::sequence(&[]) }
    }

    /// A name of these levels, the most general first.
    pub fn new(levels: &[RelativeDistinguishedName]) -> Self {
        let mut sets = Vec::with_capacity(128);
        for level in levels {
            let attributes: Vec<Vec<u8>> = level.iter().map(Attribute::to_der).collect();
            match attributes.as_slice() {
                [only] => der::push_tlv(&mut sets, tag::SET, only),
                several => sets.extend(der::set_of(&several.iter().map(Vec::as_slice).collect::<Vec<_>>())),
            }
        }
        Self { der: der::tlv(tag::SEQUENCE, &sets) }
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
                level.push(found.attribute()?);
            }
            Ok(())
        });
        levels
    }

    /// Every attribute, level by level.
    pub fn attributes(&self) -> Vec<Attribute> {
        self.levels().into_iter().flatten().collect()
    }

    /// The texts of all attributes of this type, in order.
    pub fn values(&self, kind: &Oid) -> Vec<String> {
        let mut values = Vec::new();
        // The encoding was walked when the name was made.
        let _ = walk(&self.der, |found| {
            if found.kind == kind.content() {
                values.push(found.attribute()?.text());
            }
            Ok(())
        });
        values
    }

    /// The texts of all commonName attributes, in order.
    pub fn common_names(&self) -> Vec<String> {
        self.values(&oids::COMMON_NAME)
    }

    /// Whether two names are the same (RFC 5280 §7.1): byte for byte, or attribute for attribute with strings prepared as
    /// RFC 4518 has it (case, white space, compatible forms) and string types set aside.
    pub fn matches(&self, other: &Self) -> bool {
        self.der == other.der || self.compare(other) == Compared::Same
    }

    /// Whether `self` lies within the subtree below `base`: the levels of `base` are the first of `self`
    /// (RFC 5280 §4.2.1.10, directoryName).
    pub fn is_within(&self, base: &Self) -> bool {
        matches!(self.compare(base), Compared::Same | Compared::Within)
    }

    /// Level by level, without unfolding either name: a verifier asks this of every possible issuer.
    fn compare(&self, base: &Self) -> Compared {
        let readers = der::only_reader(&self.der, tag::SEQUENCE)
            .and_then(|levels| der::only_reader(&base.der, tag::SEQUENCE).map(|base_levels| (levels, base_levels)));
        // Both encodings were walked when the names were made.
        let Ok((mut levels, mut base_levels)) = readers else { return Compared::Apart };
        loop {
            match (levels.is_empty(), base_levels.is_empty()) {
                (true, true) => return Compared::Same,
                (false, true) => return Compared::Within,
                (true, false) => return Compared::Apart,
                (false, false) => {}
            }
            match (levels.expect(tag::SET), base_levels.expect(tag::SET)) {
                (Ok(level), Ok(base_level)) if level == base_level || same_level(level, base_level) => {}
                _ => return Compared::Apart,
            }
        }
    }
}

/// How a name stands to another.
#[derive(PartialEq, Eq)]
enum Compared {
    Same,
    /// It begins with the other's levels.
    Within,
    Apart,
}

/// Whether two levels, given as the content of their SETs, have the same attributes in whatever order.
fn same_level(one: &[u8], other: &[u8]) -> bool {
    if let (Some(one), Some(other)) = (Found::alone(one), Found::alone(other)) {
        return one.same(other);
    }
    let fold = |level| {
        let mut folded = Vec::new();
        walk_level(level, |found| found.attribute().map(|attribute| folded.push(attribute.comparable()))).ok()?;
        folded.sort();
        Some(folded)
    };
    fold(one).is_some_and(|folded| Some(folded) == fold(other))
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
                let (pairs, rest) = self.value.as_chunks::<2>();
                let units: Vec<u16> = pairs.iter().map(|&pair| u16::from_be_bytes(pair)).collect();
                Some(String::from_utf16_lossy(&units) + torn(rest))
            }
            tag::UNIVERSAL_STRING => {
                let (quads, rest) = self.value.as_chunks::<4>();
                let points = quads.iter().map(|&quad| char::from_u32(u32::from_be_bytes(quad)));
                let text: String = points.map(|point| point.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
                Some(text + torn(rest))
            }
            _ => None,
        }
    }

    fn comparable(&self) -> Comparable {
        match self.decoded() {
            // Octets that are no text of their type are compared as octets.
            Some(text) if !text.contains(char::REPLACEMENT_CHARACTER) => {
                Comparable::Text(self.kind.clone(), name_prep::prepared(&text))
            }
            _ => Comparable::Opaque(self.kind.clone(), self.tag, self.value.clone()),
        }
    }

    fn to_der(&self) -> Vec<u8> {
        let mut content = Vec::with_capacity(self.value.len() + 16);
        der::push_tlv(&mut content, tag::OID, self.kind.content());
        der::push_tlv(&mut content, self.tag, &self.value);
        der::sequence(&[&content])
    }
}

/// U+FFFD for octets that make no whole character.
fn torn(rest: &[u8]) -> &'static str {
    if rest.is_empty() { "" } else { "\u{fffd}" }
}

/// Whether `text` may stand in a PrintableString (X.680 §41.4).
pub fn is_printable_string(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&byte))
}

/// An attribute met on a walk through a name's encoding.
#[derive(Clone, Copy)]
struct Found<'a> {
    starts_level: bool,
    /// The content octets of its type.
    kind: &'a [u8],
    tag: u8,
    value: &'a [u8],
}

impl<'a> Found<'a> {
    fn read(level: &mut Reader<'a>, starts_level: bool) -> Result<Self, DerError> {
        let mut attribute = level.sequence()?;
        let kind = attribute.expect(tag::OID)?;
        let value = attribute.any()?;
        attribute.finish()?;
        Ok(Self { starts_level, kind, tag: value.tag, value: value.value })
    }

    /// Whether type and value are what their tags say. Asked once of every name; those that compare names need not ask.
    fn check(self) -> Result<(), DerError> {
        self.kind()?;
        match self.tag {
            0 => return Err(DerError::Value("an attribute value has tag 0 (X.690 §8.1.5)")),
            // Not text, and not what they say they are either (X.690 §8.2, §8.3, §8.8).
            tag::BOOLEAN if !matches!(self.value, [0x00 | 0xff]) => {
                return Err(DerError::Value("an attribute value is a BOOLEAN other than 00 and FF (X.690 §11.1)"));
            }
            tag::INTEGER | tag::ENUMERATED if self.value.is_empty() => {
                return Err(DerError::Value("an attribute value is an INTEGER without content"));
            }
            tag::NULL if !self.value.is_empty() => {
                return Err(DerError::Value("an attribute value is a NULL with content"));
            }
            tag::SEQUENCE | tag::SET => {}
            // Attributes of X.520 are strings; others may be anything.
            0x40.. if self.kind.starts_with(&[0x55, 0x04]) => {
                return Err(DerError::Value("a string of X.520 has no universal tag"));
            }
            0x20..=0x3f => return Err(DerError::Value("a string is in pieces (X.690 §10.2)")),
            // x500UniqueIdentifier is a BIT STRING, the others that are no structures are strings.
            other if self.kind.starts_with(&[0x55, 0x04]) && other != tag::BIT_STRING && !is_string(other) => {
                return Err(DerError::Value("an attribute value is a type that is no string, which X.520 wants"));
            }
            _ => {}
        }
        Ok(())
    }

    fn kind(self) -> Result<Oid, DerError> {
        Oid::from_content(self.kind).map_err(|_| DerError::Value("malformed OBJECT IDENTIFIER"))
    }

    /// The attribute of a level that has only one.
    fn alone(level: &'a [u8]) -> Option<Self> {
        let mut level = Reader::new(level);
        let found = Self::read(&mut level, true).ok()?;
        level.is_empty().then_some(found)
    }

    fn attribute(self) -> Result<Attribute, DerError> {
        Ok(Attribute { kind: self.kind()?, tag: self.tag, value: self.value.to_vec() })
    }

    /// The octets of a string in which every octet is the ASCII character of its number.
    fn ascii(&self) -> Option<&'a [u8]> {
        let wide = matches!(self.tag, tag::BMP_STRING | tag::UNIVERSAL_STRING);
        // What is no graphic character and no space takes the long way, on which it may turn out to be nothing.
        let plain = || self.value.iter().all(|octet| matches!(octet, b'\t'..=b'\r' | b' '..=b'~'));
        (is_string(self.tag) && !wide && plain()).then_some(self.value)
    }

    fn same(self, other: Self) -> bool {
        if self.kind != other.kind {
            return false;
        }
        if let (Some(one), Some(other)) = (self.ascii(), other.ascii()) {
            let (mut one, mut other) = (words(one), words(other));
            return loop {
                match (one.next(), other.next()) {
                    (None, None) => break true,
                    (Some(word), Some(other_word)) if word.eq_ignore_ascii_case(other_word) => {}
                    _ => break false,
                }
            };
        }
        match (self.attribute(), other.attribute()) {
            (Ok(one), Ok(other)) => one.comparable() == other.comparable(),
            _ => false,
        }
    }
}

/// The words of an ASCII text, as [`str::split_whitespace`] finds them.
fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|octet| matches!(octet, b' ' | b'\t'..=b'\r')).filter(|word| !word.is_empty())
}

fn is_string(tag: u8) -> bool {
    matches!(
        tag,
        tag::UTF8_STRING
            | tag::PRINTABLE_STRING
            | tag::IA5_STRING
            | tag::NUMERIC_STRING
            | tag::VISIBLE_STRING
            | tag::TELETEX_STRING
            | tag::BMP_STRING
            | tag::UNIVERSAL_STRING
    )
}

fn walk<'a>(encoding: &'a [u8], mut visit: impl FnMut(Found<'a>) -> Result<(), DerError>) -> Result<(), DerError> {
    let mut levels = der::only_reader(encoding, tag::SEQUENCE)?;
    while !levels.is_empty() {
        walk_level(levels.expect(tag::SET)?, &mut visit)?;
    }
    Ok(())
}

/// Visits the attributes of one level, given as the content of its SET.
fn walk_level<'a>(content: &'a [u8], mut visit: impl FnMut(Found<'a>) -> Result<(), DerError>) -> Result<(), DerError> {
    let mut level = Reader::new(content);
    if level.is_empty() {
        return Err(DerError::Value("a name has an empty level"));
    }
    let mut starts_level = true;
    while !level.is_empty() {
        visit(Found::read(&mut level, starts_level)?)?;
        starts_level = false;
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
        assert!(utf8.matches(&name(tag::UTF8_STRING, "\u{200b}Dev\0\u{a0}Ｒoot\x7f".as_bytes())));
        assert!(utf8.matches(&name(tag::UTF8_STRING, b"Dev\0 Root")));
    }

    #[test]
    fn values_that_are_not_what_their_tag_says_are_refused() {
        let reads = |kind: Oid, tag: u8, value: &[u8]| {
            let name = DistinguishedName::new(&[vec![Attribute { kind, tag, value: value.to_vec() }]]);
            DistinguishedName::from_der(name.der()).is_ok()
        };
        for (tag, good, bad) in
            [(tag::BOOLEAN, &[0xff_u8][..], &b"Test Root"[..]), (tag::NULL, &[], &[0]), (tag::INTEGER, &[5], &[])]
        {
            assert!(reads(oids::DOMAIN_COMPONENT, tag, good) && !reads(oids::DOMAIN_COMPONENT, tag, bad), "{tag:02x}");
            assert!(!reads(oids::COMMON_NAME, tag, good), "{tag:02x}: X.520 has strings");
        }
        assert!(reads(oids::COMMON_NAME, tag::BIT_STRING, &[0, 1]) && reads(oids::COMMON_NAME, tag::SEQUENCE, &[]));
    }

    #[test]
    fn levels_match_in_any_order_of_their_attributes_and_only_whole() {
        let level = |pairs: &[(Oid, &str)]| {
            let level = pairs.iter().map(|(kind, text)| Attribute::new(kind.clone(), text)).collect();
            DistinguishedName::new(&[level])
        };
        let both = level(&[(oids::COMMON_NAME, "A"), (oids::ORGANIZATION, "b")]);
        assert!(both.matches(&level(&[(oids::ORGANIZATION, "B "), (oids::COMMON_NAME, "a")])));
        let one = level(&[(oids::COMMON_NAME, "a")]);
        assert!(!both.matches(&one) && !one.matches(&both) && !both.is_within(&one) && !one.is_within(&both));
        assert!(!one.matches(&level(&[(oids::ORGANIZATION, "a")])));
    }

    #[test]
    fn case_folds_beyond_ascii() {
        assert!(name(tag::UTF8_STRING, "ÅSE Æ".as_bytes()).matches(&name(tag::TELETEX_STRING, b"\xe5se \xe6")));
        assert!(!name(tag::UTF8_STRING, "Åse".as_bytes()).matches(&name(tag::UTF8_STRING, b"Ase")));
        assert!(!name(tag::UTF8_STRING, b"a").matches(&name(tag::INTEGER, b"a")));
    }

    #[test]
    fn octets_that_are_no_text_match_only_byte_for_byte() {
        assert!(!name(tag::UTF8_STRING, &[0xff]).matches(&name(tag::UTF8_STRING, &[0xfe])));
        assert!(!name(tag::UTF8_STRING, &[0xff]).matches(&name(tag::PRINTABLE_STRING, &[0xff])));
        assert!(!name(tag::BMP_STRING, &[0, b'a', 0]).matches(&name(tag::UTF8_STRING, b"a")));
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
