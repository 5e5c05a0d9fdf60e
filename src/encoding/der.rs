//! DER (X.690): a bounds-checked reader, and writers for the few types certificates are made of.

use super::oid::Oid;

/// Identifier octets of the universal types that occur in certificates, and of context-specific tags.
pub mod tag {
    #![allow(missing_docs)]
    pub const BOOLEAN: u8 = 0x01;
    pub const INTEGER: u8 = 0x02;
    pub const BIT_STRING: u8 = 0x03;
    pub const OCTET_STRING: u8 = 0x04;
    pub const NULL: u8 = 0x05;
    pub const OID: u8 = 0x06;
    pub const ENUMERATED: u8 = 0x0a;
    pub const UTF8_STRING: u8 = 0x0c;
    pub const NUMERIC_STRING: u8 = 0x12;
    pub const PRINTABLE_STRING: u8 = 0x13;
    pub const TELETEX_STRING: u8 = 0x14;
    pub const IA5_STRING: u8 = 0x16;
    pub const UTC_TIME: u8 = 0x17;
    pub const GENERALIZED_TIME: u8 = 0x18;
    pub const VISIBLE_STRING: u8 = 0x1a;
    pub const UNIVERSAL_STRING: u8 = 0x1c;
    pub const BMP_STRING: u8 = 0x1e;
    pub const SEQUENCE: u8 = 0x30;
    pub const SET: u8 = 0x31;

    /// `[number]` of a primitive, implicitly tagged value; `number` under 31.
    pub const fn context(number: u8) -> u8 {
        0x80 | number
    }

    /// `[number]` of a constructed or explicitly tagged value; `number` under 31.
    pub const fn context_constructed(number: u8) -> u8 {
        0xa0 | number
    }
}

/// Why bytes are not the DER that was expected. Offsets count from the start of the innermost reader's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DerError {
    /// A value ends before its length says.
    #[error("the encoding ends too early")]
    Truncated,
    /// A length is indefinite, has leading zeros, or could be shorter (X.690 §10.1).
    #[error("a length is not in the shortest definite form (X.690 §10.1)")]
    Length,
    /// Another type stands here.
    #[error("tag 0x{found:02x} stands where 0x{wanted:02x} is due")]
    Tag {
        /// The identifier octet that was due.
        wanted: u8,
        /// The one found.
        found: u8,
    },
    /// A tag number over 30, which no structure read here uses.
    #[error("a multi-octet tag stands where none is due")]
    HighTag,
    /// Something follows where the value should end.
    #[error("{0} octets are left over")]
    Trailing(usize),
    /// The value breaks a rule of its type, such as a BOOLEAN other than 00 and FF (X.690 §11.1).
    #[error("{0}")]
    Value(&'static str),
}

/// One tag-length-value triple.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// The identifier octet.
    pub tag: u8,
    /// The content octets.
    pub value: &'a [u8],
    /// The whole encoding: tag, length and content.
    pub raw: &'a [u8],
}

impl<'a> Tlv<'a> {
    /// A reader over the content of a constructed value.
    pub fn reader(&self) -> Reader<'a> {
        Reader::new(self.value)
    }
}

/// Reads values one after the other from untrusted bytes.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader at the start of `input`.
    pub fn new(input: &'a [u8]) -> Self {
        Self { rest: input }
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What is left, unread.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The identifier octet of the next value.
    pub fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next value, whatever its type.
    pub fn any(&mut self) -> Result<Tlv<'a>, DerError> {
        let (&tag, after_tag) = self.rest.split_first().ok_or(DerError::Truncated)?;
        if tag & 0x1f == 0x1f {
            return Err(DerError::HighTag);
        }
        let (&first, after_first) = after_tag.split_first().ok_or(DerError::Truncated)?;
        let (length, body) = if first < 0x80 {
            (usize::from(first), after_first)
        } else {
            long_length(usize::from(first & 0x7f), after_first)?
        };
        let (value, rest) = body.split_at_checked(length).ok_or(DerError::Truncated)?;
        let (raw, _) = self.rest.split_at(self.rest.len() - rest.len());
        self.rest = rest;
        Ok(Tlv { tag, value, raw })
    }

    /// The content of the next value, which must have this identifier octet.
    pub fn expect(&mut self, wanted: u8) -> Result<&'a [u8], DerError> {
        Ok(self.expect_tlv(wanted)?.value)
    }

    /// The next value, which must have this identifier octet, with its whole encoding.
    pub fn expect_tlv(&mut self, wanted: u8) -> Result<Tlv<'a>, DerError> {
        match self.peek() {
            None => Err(DerError::Truncated),
            Some(found) if found != wanted => Err(DerError::Tag { wanted, found }),
            Some(_) => self.any(),
        }
    }

    /// The content of the next value if it has this identifier octet.
    pub fn optional(&mut self, wanted: u8) -> Result<Option<&'a [u8]>, DerError> {
        if self.peek() == Some(wanted) { self.any().map(|tlv| Some(tlv.value)) } else { Ok(None) }
    }

    /// A reader over the content of the next value, a SEQUENCE.
    pub fn sequence(&mut self) -> Result<Reader<'a>, DerError> {
        self.expect(tag::SEQUENCE).map(Reader::new)
    }

    /// The next value, an OBJECT IDENTIFIER.
    pub fn oid(&mut self) -> Result<Oid, DerError> {
        Oid::from_content(self.expect(tag::OID)?).map_err(|_| DerError::Value("malformed OBJECT IDENTIFIER"))
    }

    /// The content of the next value, an INTEGER in the fewest octets (X.690 §8.3.2), two's complement.
    pub fn integer(&mut self) -> Result<&'a [u8], DerError> {
        let content = self.expect(tag::INTEGER)?;
        check_integer(content)?;
        Ok(content)
    }

    /// The next value, an INTEGER that is not negative: its magnitude without leading zero, empty for 0.
    pub fn unsigned(&mut self) -> Result<&'a [u8], DerError> {
        match self.integer()? {
            [first, ..] if first & 0x80 != 0 => Err(DerError::Value("negative INTEGER")),
            [0, magnitude @ ..] | magnitude => Ok(magnitude),
        }
    }

    /// The next value, an INTEGER from 0 to `u64::MAX`.
    pub fn small_unsigned(&mut self) -> Result<u64, DerError> {
        let magnitude = self.unsigned()?;
        if magnitude.len() > 8 {
            return Err(DerError::Value("INTEGER out of range"));
        }
        Ok(magnitude.iter().fold(0, |sum, &octet| sum << 8 | u64::from(octet)))
    }

    /// The next value, a BOOLEAN: 00 or FF (X.690 §11.1).
    pub fn boolean(&mut self) -> Result<bool, DerError> {
        match self.expect(tag::BOOLEAN)? {
            [0x00] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(DerError::Value("BOOLEAN other than 00 and FF (X.690 §11.1)")),
        }
    }

    /// The octets of the next value, a BIT STRING without unused bits.
    pub fn bit_string(&mut self) -> Result<&'a [u8], DerError> {
        match self.expect(tag::BIT_STRING)? {
            [0, octets @ ..] => Ok(octets),
            _ => Err(DerError::Value("BIT STRING is not a whole number of octets")),
        }
    }

    /// The content of the next value, an OCTET STRING.
    pub fn octet_string(&mut self) -> Result<&'a [u8], DerError> {
        self.expect(tag::OCTET_STRING)
    }

    /// The next value, a NULL.
    pub fn null(&mut self) -> Result<(), DerError> {
        if self.expect(tag::NULL)?.is_empty() { Ok(()) } else { Err(DerError::Value("NULL with content")) }
    }

    /// Nothing may be left.
    pub fn finish(&self) -> Result<(), DerError> {
        if self.is_empty() { Ok(()) } else { Err(DerError::Trailing(self.rest.len())) }
    }
}

/// The only value in `input`, with nothing after it.
pub fn only(input: &[u8]) -> Result<Tlv<'_>, DerError> {
    let mut reader = Reader::new(input);
    let tlv = reader.any()?;
    reader.finish()?;
    Ok(tlv)
}

/// The content of the only value in `input`, which must have this identifier octet, as a reader.
pub fn only_reader(input: &[u8], wanted: u8) -> Result<Reader<'_>, DerError> {
    let mut reader = Reader::new(input);
    let content = reader.expect(wanted)?;
    reader.finish()?;
    Ok(Reader::new(content))
}

/// A named-bit BIT STRING (X.690 §11.2.2) from its content octets: bit 0 is the most significant bit of the first
/// octet and of the answer. At most 16 bits; trailing zero bits are an error, since DER removes them.
pub fn named_bits(content: &[u8]) -> Result<u16, DerError> {
    let (&unused, octets) = content.split_first().ok_or(DerError::Truncated)?;
    let bits = match *octets {
        [] if unused == 0 => return Ok(0),
        [high] => u16::from_be_bytes([high, 0]),
        [high, low] => u16::from_be_bytes([high, low]),
        _ => return Err(DerError::Value("BIT STRING of an unexpected size")),
    };
    let last_set = octets.len() * 8 - 1 - usize::from(unused.min(7));
    if unused > 7 || bits == 0 || bits.trailing_zeros() as usize != 15 - last_set {
        return Err(DerError::Value("named BIT STRING with trailing zero bits (X.690 §11.2.2)"));
    }
    Ok(bits)
}

/// One value: tag, length in the shortest form, content.
pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut encoding = Vec::with_capacity(content.len() + 6);
    push_tlv(&mut encoding, tag, content);
    encoding
}

/// The same, behind what is encoded already.
pub fn push_tlv(encoding: &mut Vec<u8>, tag: u8, content: &[u8]) {
    push_header(encoding, tag, content.len());
    encoding.extend_from_slice(content);
}

/// The tag and the length, in the shortest form, that stand before `length` octets of content.
pub fn header(tag: u8, length: usize) -> Vec<u8> {
    let mut encoding = Vec::with_capacity(6);
    push_header(&mut encoding, tag, length);
    encoding
}

fn push_header(encoding: &mut Vec<u8>, tag: u8, length: usize) {
    encoding.push(tag);
    if length < 0x80 {
        encoding.push(length as u8);
    } else {
        let octets = length.to_be_bytes();
        let zeros = (length.leading_zeros() / 8) as usize;
        encoding.push(0x80 | (octets.len() - zeros) as u8);
        encoding.extend(octets.iter().skip(zeros));
    }
}

/// A SEQUENCE of values already encoded.
pub fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    constructed(tag::SEQUENCE, parts)
}

/// One value whose content is these parts, one after the other.
pub fn constructed(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len()).sum();
    let mut encoding = Vec::with_capacity(length + 6);
    push_header(&mut encoding, tag, length);
    parts.iter().for_each(|part| encoding.extend_from_slice(part));
    encoding
}

/// A SET OF values already encoded, in DER's order (X.690 §11.6).
pub fn set_of(parts: &[&[u8]]) -> Vec<u8> {
    let mut sorted = parts.to_vec();
    sorted.sort();
    constructed(tag::SET, &sorted)
}

/// An OBJECT IDENTIFIER.
pub fn oid(oid: &Oid) -> Vec<u8> {
    tlv(tag::OID, oid.content())
}

/// A non-negative INTEGER from its big-endian magnitude, leading zeros allowed.
pub fn unsigned(magnitude: &[u8]) -> Vec<u8> {
    let mut encoding = Vec::with_capacity(magnitude.len() + 6);
    push_unsigned(&mut encoding, magnitude);
    encoding
}

/// The same, behind what is encoded already.
pub fn push_unsigned(encoding: &mut Vec<u8>, magnitude: &[u8]) {
    let zeros = magnitude.iter().take_while(|&&octet| octet == 0).count();
    let digits = magnitude.get(zeros..).unwrap_or_default();
    let sign: &[u8] = if digits.first().is_none_or(|first| first & 0x80 != 0) { &[0] } else { &[] };
    push_header(encoding, tag::INTEGER, sign.len() + digits.len());
    encoding.extend_from_slice(sign);
    encoding.extend_from_slice(digits);
}

/// A BOOLEAN.
pub fn boolean(value: bool) -> Vec<u8> {
    tlv(tag::BOOLEAN, &[if value { 0xff } else { 0 }])
}

/// An OCTET STRING.
pub fn octet_string(content: &[u8]) -> Vec<u8> {
    tlv(tag::OCTET_STRING, content)
}

/// A BIT STRING of whole octets.
pub fn bit_string(octets: &[u8]) -> Vec<u8> {
    constructed(tag::BIT_STRING, &[&[0], octets])
}

/// A named-bit BIT STRING without trailing zero bits (X.690 §11.2.2); bit 0 is the most significant bit.
pub fn named_bit_string(bits: u16) -> Vec<u8> {
    let octets = bits.to_be_bytes();
    let length = (16 - bits.trailing_zeros() as usize).div_ceil(8) * usize::from(bits != 0);
    let unused = if bits == 0 { 0 } else { bits.trailing_zeros() as u8 % 8 };
    let content: Vec<u8> = std::iter::once(unused).chain(octets.into_iter().take(length)).collect();
    tlv(tag::BIT_STRING, &content)
}

/// A NULL.
pub fn null() -> Vec<u8> {
    tlv(tag::NULL, &[])
}

/// A length of `count` octets (X.690 §8.1.3.5) in the shortest form; values over 2^32 do not occur.
fn long_length(count: usize, octets: &[u8]) -> Result<(usize, &[u8]), DerError> {
    if count == 0 || count > 4 {
        return Err(DerError::Length);
    }
    let (digits, body) = octets.split_at_checked(count).ok_or(DerError::Truncated)?;
    let length = digits.iter().fold(0_usize, |sum, &octet| sum << 8 | usize::from(octet));
    if digits.first() == Some(&0) || length < 0x80 {
        return Err(DerError::Length);
    }
    Ok((length, body))
}

fn check_integer(content: &[u8]) -> Result<(), DerError> {
    match content {
        [] => Err(DerError::Value("INTEGER without content")),
        [0x00, next, ..] if next & 0x80 == 0 => {
            Err(DerError::Value("INTEGER with a leading zero octet (X.690 §8.3.2)"))
        }
        [0xff, next, ..] if next & 0x80 != 0 => Err(DerError::Value("INTEGER with a leading FF octet (X.690 §8.3.2)")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lengths_are_shortest_and_definite() {
        for bad in [
            &[0x04, 0x80, 0, 0][..],
            &[0x04, 0x81, 0x05, 1, 2, 3, 4, 5],
            &[0x04, 0x82, 0x00, 0x80],
            &[0x04, 0x85, 1, 0, 0, 0, 0],
        ] {
            assert_eq!(Reader::new(bad).any(), Err(DerError::Length), "{bad:?}");
        }
        assert_eq!(Reader::new(&[0x04, 0x05, 1]).any(), Err(DerError::Truncated));
    }

    #[test]
    fn the_reader_reads_what_the_writers_write() {
        for length in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let content = vec![7; length];
            let encoding = octet_string(&content);
            let mut reader = Reader::new(&encoding);
            assert_eq!(reader.octet_string().unwrap(), content);
            reader.finish().unwrap();
        }
    }

    #[test]
    fn integers_are_shortest() {
        assert_eq!(unsigned(&[]), [2, 1, 0]);
        assert_eq!(unsigned(&[0, 0, 5]), [2, 1, 5]);
        assert_eq!(unsigned(&[0x80]), [2, 2, 0, 0x80]);
        assert!(Reader::new(&[2, 2, 0, 5]).integer().is_err());
        assert!(Reader::new(&[2, 1, 0x80]).unsigned().is_err());
        assert_eq!(Reader::new(&[2, 2, 0, 0x80]).small_unsigned(), Ok(128));
    }

    #[test]
    fn named_bits_round_trip_and_reject_trailing_zeros() {
        for bits in [0x8000, 0x0100, 0x0080, 0xa000, 0x0600, 0x8080, 0x0001, 0] {
            let encoding = named_bit_string(bits);
            assert_eq!(named_bits(Reader::new(&encoding).expect(tag::BIT_STRING).unwrap()), Ok(bits), "{bits:04x}");
        }
        for bad in [&[][..], &[0, 0x80], &[7, 0x81], &[8, 0x80], &[1, 0x00], &[0, 0x80, 0x80, 0x01]] {
            assert!(named_bits(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn booleans_are_00_or_ff() {
        assert_eq!(Reader::new(&[1, 1, 0xff]).boolean(), Ok(true));
        assert!(Reader::new(&[1, 1, 1]).boolean().is_err());
    }
}
