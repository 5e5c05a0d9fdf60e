//! Serial numbers (RFC 5280 §4.1.2.2).

use std::fmt;

use crate::encoding::hex;

/// A serial number, kept as the content octets of its INTEGER, so that zero, negative and over-long ones of careless
/// issuers can be shown and judged.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SerialNumber {
    content: Vec<u8>,
}

impl SerialNumber {
    /// A serial number from the content octets of its INTEGER.
    pub fn from_content(content: &[u8]) -> Self {
        Self { content: content.to_vec() }
    }

    /// A positive serial number of these 128 bits. With random bits it is unique in practice and not to be guessed,
    /// which is what kept chosen-prefix collisions from forging certificates.
    pub fn from_bits(bits: [u8; 16]) -> Self {
        let leading = bits.iter().take_while(|&&octet| octet == 0).count();
        let magnitude = bits.get(leading..).unwrap_or_default();
        let mut content = Vec::with_capacity(17);
        if magnitude.first().is_none_or(|first| first & 0x80 != 0) {
            content.push(0);
        }
        content.extend_from_slice(magnitude);
        Self { content }
    }

    /// A serial number from hexadecimal digits, with or without colons, as [`fmt::Display`] writes it. `None` for
    /// anything else.
    pub fn from_hex(text: &str) -> Option<Self> {
        let octets = hex::decode(text).filter(|octets| !octets.is_empty())?;
        let sign = octets.first().filter(|first| **first & 0x80 != 0).map(|_| 0);
        Some(Self { content: sign.into_iter().chain(octets).collect() })
    }

    /// The content octets of the INTEGER: two's complement, most significant first.
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// Whether the number is zero.
    pub fn is_zero(&self) -> bool {
        self.content.iter().all(|&octet| octet == 0)
    }

    /// Whether the number is negative.
    pub fn is_negative(&self) -> bool {
        self.content.first().is_some_and(|first| first & 0x80 != 0)
    }

    /// The octets of a positive number without its sign octet; all octets otherwise.
    fn shown(&self) -> &[u8] {
        match self.content.as_slice() {
            [0, magnitude @ ..] if !magnitude.is_empty() => magnitude,
            content => content,
        }
    }
}

impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.shown()))
    }
}

impl fmt::Debug for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SerialNumber({self})")
    }
}

impl serde::Serialize for SerialNumber {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn made_serials_are_positive_and_shortest() {
        assert_eq!(SerialNumber::from_bits([0xff; 16]).content().len(), 17);
        let mut small = [0; 16];
        small[15] = 5;
        assert_eq!(SerialNumber::from_bits(small).content(), [5]);
        assert!(SerialNumber::from_bits([0; 16]).is_zero());
    }

    #[test]
    fn the_text_form_reads_back() {
        let serial = SerialNumber::from_bits([0x80; 16]);
        assert_eq!(SerialNumber::from_hex(&serial.to_string()).unwrap(), serial);
        assert!(!serial.is_negative() && SerialNumber::from_content(&[0x80]).is_negative());
        assert_eq!(SerialNumber::from_hex("xyz"), None);
    }
}
