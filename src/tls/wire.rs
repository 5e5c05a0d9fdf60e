//! The presentation language of TLS (RFC 8446 §3): numbers in network order, vectors preceded by their length.

use std::fmt;

/// Why octets are not the structure they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{structure}: {field} at octet {offset}: {fault} ({clause})")]
pub struct DecodeError {
    /// The message, extension or record that was read, in its standard's term.
    pub structure: &'static str,
    /// The field at fault.
    pub field: &'static str,
    /// Where the field begins, in octets from the start of the structure's content.
    pub offset: usize,
    /// What is wrong.
    pub fault: Fault,
    /// The clause that defines the structure: `RFC 8446 §4.1.2`.
    pub clause: &'static str,
}

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The structure ends before the field does.
    #[error("{needed} octets are due and {left} are left")]
    Truncated {
        /// The size of the field.
        needed: usize,
        /// What is left of the structure.
        left: usize,
    },
    /// A vector is shorter or longer than its bounds.
    #[error("{found} octets are not {least} to {most}")]
    Length {
        /// The length found.
        found: usize,
        /// The least that the standard allows.
        least: usize,
        /// The most that the standard allows.
        most: usize,
    },
    /// A vector's length is not a multiple of its elements' size.
    #[error("{found} octets are not a whole number of elements of {element}")]
    Fraction {
        /// The length found.
        found: usize,
        /// The size of an element.
        element: usize,
    },
    /// Something follows where the structure should end.
    #[error("{0} octets are left over")]
    Trailing(usize),
    /// The value breaks a rule.
    #[error("{0}")]
    Value(&'static str),
}

/// Why a structure cannot be written: one of its parts does not fit its length field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found} octets do not fit a vector of at most {most}")]
pub struct EncodeError {
    /// The size of the part.
    pub found: usize,
    /// The most that the length field can say.
    pub most: usize,
}

/// Reads fields one after the other from untrusted octets, and says where and in what it failed.
#[derive(Clone, Copy)]
pub(in crate::tls) struct Reader<'a> {
    rest: &'a [u8],
    offset: usize,
    structure: &'static str,
    clause: &'static str,
}

impl<'a> Reader<'a> {
    pub(in crate::tls) fn new(structure: &'static str, clause: &'static str, input: &'a [u8]) -> Self {
        Self { rest: input, offset: 0, structure, clause }
    }

    /// The same octets as another structure: an extension of a message keeps its place in it.
    pub(in crate::tls) fn within(self, structure: &'static str, clause: &'static str) -> Self {
        Self { structure, clause, ..self }
    }

    pub(in crate::tls) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(in crate::tls) fn offset(&self) -> usize {
        self.offset
    }

    pub(in crate::tls) fn bytes(&mut self, size: usize, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let Some((taken, rest)) = self.rest.split_at_checked(size) else {
            return Err(self.error(field, Fault::Truncated { needed: size, left: self.rest.len() }));
        };
        self.rest = rest;
        self.offset += size;
        Ok(taken)
    }

    pub(in crate::tls) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let Some((taken, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(self.error(field, Fault::Truncated { needed: N, left: self.rest.len() }));
        };
        self.rest = rest;
        self.offset += N;
        Ok(*taken)
    }

    pub(in crate::tls) fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.array(field).map(u8::from_be_bytes)
    }

    pub(in crate::tls) fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.array(field).map(u16::from_be_bytes)
    }

    pub(in crate::tls) fn u24(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.array(field).map(|[high, middle, low]| u32::from_be_bytes([0, high, middle, low]))
    }

    pub(in crate::tls) fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.array(field).map(u32::from_be_bytes)
    }

    /// All that is left.
    pub(in crate::tls) fn rest(&mut self) -> &'a [u8] {
        let rest = std::mem::take(&mut self.rest);
        self.offset += rest.len();
        rest
    }

    /// A vector whose length, of one octet, lies within these bounds.
    pub(in crate::tls) fn vector8(
        &mut self,
        bounds: std::ops::RangeInclusive<usize>,
        field: &'static str,
    ) -> Result<Self, DecodeError> {
        let at = *self;
        let length = self.u8(field)?.into();
        self.vector(at, length, bounds, field)
    }

    /// A vector whose length, of two octets, lies within these bounds.
    pub(in crate::tls) fn vector16(
        &mut self,
        bounds: std::ops::RangeInclusive<usize>,
        field: &'static str,
    ) -> Result<Self, DecodeError> {
        let at = *self;
        let length = self.u16(field)?.into();
        self.vector(at, length, bounds, field)
    }

    /// A vector whose length, of three octets, lies within these bounds.
    pub(in crate::tls) fn vector24(
        &mut self,
        bounds: std::ops::RangeInclusive<usize>,
        field: &'static str,
    ) -> Result<Self, DecodeError> {
        let at = *self;
        let length = self.u24(field)? as usize;
        self.vector(at, length, bounds, field)
    }

    fn vector(
        &mut self,
        at: Self,
        length: usize,
        bounds: std::ops::RangeInclusive<usize>,
        field: &'static str,
    ) -> Result<Self, DecodeError> {
        if !bounds.contains(&length) {
            let (least, most) = (*bounds.start(), *bounds.end());
            return Err(at.error(field, Fault::Length { found: length, least, most }));
        }
        let offset = self.offset;
        let content = self.bytes(length, field)?;
        Ok(Self { rest: content, offset, ..*self })
    }

    /// All that is left as numbers of one octet.
    pub(in crate::tls) fn all_u8<T>(&mut self, make: impl Fn(u8) -> T) -> Vec<T> {
        self.rest().iter().map(|&octet| make(octet)).collect()
    }

    /// All that is left as numbers of two octets.
    pub(in crate::tls) fn all_u16<T>(
        &mut self,
        field: &'static str,
        make: impl Fn(u16) -> T,
    ) -> Result<Vec<T>, DecodeError> {
        let at = *self;
        let (pairs, odd) = self.rest().as_chunks::<2>();
        match odd.is_empty() {
            true => Ok(pairs.iter().map(|pair| make(u16::from_be_bytes(*pair))).collect()),
            false => Err(at.error(field, Fault::Fraction { found: at.rest.len(), element: 2 })),
        }
    }

    /// Nothing may be left.
    pub(in crate::tls) fn finish(&self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(self.error("end", Fault::Trailing(left))),
        }
    }

    /// The field that begins here is at fault.
    pub(in crate::tls) fn error(&self, field: &'static str, fault: Fault) -> DecodeError {
        DecodeError { structure: self.structure, field, offset: self.offset, fault, clause: self.clause }
    }
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reader({} at {}, {} left)", self.structure, self.offset, self.rest.len())
    }
}

/// Writes fields one after the other. A part that does not fit its length field is remembered until the end.
#[derive(Debug, Default)]
pub(in crate::tls) struct Writer {
    octets: Vec<u8>,
    fault: Option<EncodeError>,
}

impl Writer {
    pub(in crate::tls) fn new() -> Self {
        Self::default()
    }

    pub(in crate::tls) fn bytes(&mut self, octets: &[u8]) -> &mut Self {
        self.octets.extend_from_slice(octets);
        self
    }

    pub(in crate::tls) fn u8(&mut self, number: u8) -> &mut Self {
        self.bytes(&[number])
    }

    pub(in crate::tls) fn u16(&mut self, number: u16) -> &mut Self {
        self.bytes(&number.to_be_bytes())
    }

    pub(in crate::tls) fn u32(&mut self, number: u32) -> &mut Self {
        self.bytes(&number.to_be_bytes())
    }

    pub(in crate::tls) fn vector8(&mut self, fill: impl FnOnce(&mut Self)) -> &mut Self {
        self.vector(1, fill)
    }

    pub(in crate::tls) fn vector16(&mut self, fill: impl FnOnce(&mut Self)) -> &mut Self {
        self.vector(2, fill)
    }

    pub(in crate::tls) fn vector24(&mut self, fill: impl FnOnce(&mut Self)) -> &mut Self {
        self.vector(3, fill)
    }

    fn vector(&mut self, width: usize, fill: impl FnOnce(&mut Self)) -> &mut Self {
        let start = self.octets.len();
        self.octets.resize(start + width, 0);
        fill(self);
        let found = self.octets.len() - start - width;
        let most = (1 << (8 * width)) - 1;
        if found > most {
            self.fault.get_or_insert(EncodeError { found, most });
        }
        let digits = found.to_be_bytes();
        let skipped = digits.len() - width;
        for (to, from) in self.octets.iter_mut().skip(start).zip(digits.into_iter().skip(skipped)) {
            *to = from;
        }
        self
    }

    pub(in crate::tls) fn finish(self) -> Result<Vec<u8>, EncodeError> {
        match self.fault {
            None => Ok(self.octets),
            Some(fault) => Err(fault),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn vectors_are_read_as_they_were_written() {
        let mut writer = Writer::new();
        writer.vector16(|w| {
            w.vector8(|w| _ = w.bytes(b"ab")).vector24(|w| _ = w.u32(7));
        });
        let octets = writer.finish().unwrap();
        assert_eq!(octets, [0, 10, 2, b'a', b'b', 0, 0, 4, 0, 0, 0, 7]);
        let mut reader = Reader::new("test", "RFC 8446 §3", &octets);
        let mut inner = reader.vector16(1..=20, "outer").unwrap();
        reader.finish().unwrap();
        assert_eq!(inner.vector8(1..=2, "first").unwrap().rest(), b"ab");
        assert_eq!(inner.vector24(0..=4, "second").unwrap().u32("number").unwrap(), 7);
        inner.finish().unwrap();
    }

    #[test]
    fn an_error_says_what_where_and_which_clause() {
        let mut reader = Reader::new("ClientHello", "RFC 8446 §4.1.2", &[3, 3, 0, 3, 1, 2, 3]);
        reader.u16("legacy_version").unwrap();
        let mut suites = reader.vector16(2..=65_534, "cipher_suites").unwrap();
        assert_eq!(
            suites.all_u16("cipher_suites", |suite| suite).unwrap_err().to_string(),
            "ClientHello: cipher_suites at octet 4: 3 octets are not a whole number of elements of 2 (RFC 8446 §4.1.2)"
        );
        let mut reader = Reader::new("ClientHello", "RFC 8446 §4.1.2", &[33]);
        assert_eq!(
            reader.vector8(0..=32, "legacy_session_id").unwrap_err().to_string(),
            "ClientHello: legacy_session_id at octet 0: 33 octets are not 0 to 32 (RFC 8446 §4.1.2)"
        );
    }

    #[test]
    fn what_does_not_fit_its_length_is_not_written() {
        let mut writer = Writer::new();
        writer.vector8(|w| _ = w.bytes(&[0; 256]));
        assert_eq!(writer.finish(), Err(EncodeError { found: 256, most: 255 }));
    }
}
