//! Object identifiers (X.660), kept as the content octets of their DER encoding (X.690 §8.19).

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// An object identifier.
#[derive(Clone)]
pub struct Oid(Content);

/// Where the content octets are. A certificate holds some thirty identifiers, nearly all of ten octets or fewer: kept in
/// place they cost no allocation.
#[derive(Clone)]
enum Content {
    Static(&'static [u8]),
    Inline(u8, [u8; INLINE]),
    Heap(Box<[u8]>),
}

/// As many octets as fit into the room that a boxed slice takes anyway.
const INLINE: usize = 22;

/// Why a text or an encoding is no object identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OidError {
    /// The content octets are empty, end inside an arc, or pad an arc with leading zeros.
    #[error("malformed object identifier encoding")]
    Encoding,
    /// The text is not two or more numbers joined by dots, or a number is out of range.
    #[error("`{0}` is not an object identifier such as 1.3.6.1.5.5.7.3.1")]
    Text(String),
}

/// The longest encoding that is read, in octets. Real identifiers stay under 40; X.660 sets no bound.
const LONGEST: usize = 256;

/// The first identifier that stands there a second time.
pub fn repeated<'a>(identifiers: impl IntoIterator<Item = &'a Oid>) -> Option<&'a Oid> {
    let mut seen = BTreeSet::new();
    identifiers.into_iter().find(|identifier| !seen.insert(*identifier))
}

impl Oid {
    /// An identifier from content octets known when the program is written. They are not checked.
    pub const fn from_static(content: &'static [u8]) -> Self {
        Self(Content::Static(content))
    }

    /// An identifier from content octets (X.690 §8.19: base-128 arcs, each with the fewest octets).
    pub fn from_content(content: &[u8]) -> Result<Self, OidError> {
        let complete = content.last().is_some_and(|last| last & 0x80 == 0) && content.len() <= LONGEST;
        let mut starts = true;
        for &octet in content {
            if starts && octet == 0x80 {
                return Err(OidError::Encoding);
            }
            starts = octet & 0x80 == 0;
        }
        if complete { Ok(Self::owned(content)) } else { Err(OidError::Encoding) }
    }

    /// The content octets of the DER encoding, without tag and length.
    pub fn content(&self) -> &[u8] {
        match &self.0 {
            Content::Static(content) => content,
            Content::Inline(length, octets) => octets.get(..usize::from(*length)).unwrap_or_default(),
            Content::Heap(content) => content,
        }
    }

    fn owned(content: &[u8]) -> Self {
        let mut octets = [0; INLINE];
        match octets.get_mut(..content.len()) {
            Some(place) => {
                place.copy_from_slice(content);
                Self(Content::Inline(content.len() as u8, octets))
            }
            None => Self(Content::Heap(content.into())),
        }
    }

    /// The arcs as decimal numbers; arcs over 128 bits come out as `u128::MAX`.
    pub fn arcs(&self) -> Vec<u128> {
        let mut arcs = Vec::new();
        let mut arc: u128 = 0;
        for &octet in self.content() {
            arc = if arc >> 121 != 0 { u128::MAX } else { arc << 7 | u128::from(octet & 0x7f) };
            if octet & 0x80 == 0 {
                if arcs.is_empty() {
                    let first = (arc / 40).min(2);
                    arcs.push(first);
                    arc -= first * 40;
                }
                arcs.push(arc);
                arc = 0;
            }
        }
        arcs
    }
}

impl PartialEq for Oid {
    /// Identifiers that are compared share their beginning more often than not, and differ in the last octet.
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (self.content(), other.content());
        one.last() == other.last() && one == other
    }
}

impl Eq for Oid {}

impl Hash for Oid {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.content().hash(state);
    }
}

impl PartialOrd for Oid {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Oid {
    fn cmp(&self, other: &Self) -> Ordering {
        self.content().cmp(other.content())
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arcs: Vec<String> = self.arcs().iter().map(u128::to_string).collect();
        f.write_str(&arcs.join("."))
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({self})")
    }
}

impl FromStr for Oid {
    type Err = OidError;

    fn from_str(text: &str) -> Result<Self, OidError> {
        let refused = || OidError::Text(text.to_owned());
        let arcs: Vec<u64> = text.split('.').map(str::parse).collect::<Result<_, _>>().map_err(|_| refused())?;
        let [first, second, rest @ ..] = arcs.as_slice() else { return Err(refused()) };
        if *first > 2 || (*first < 2 && *second > 39) || *second > u64::MAX - 80 {
            return Err(refused());
        }
        let mut content = Vec::new();
        push_arc(&mut content, first * 40 + second);
        rest.iter().for_each(|&arc| push_arc(&mut content, arc));
        Ok(Self::owned(&content))
    }
}

impl serde::Serialize for Oid {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn push_arc(content: &mut Vec<u8>, arc: u64) {
    let septets = (64 - arc.leading_zeros()).div_ceil(7).max(1);
    for place in (0..septets).rev() {
        let septet = (arc >> (7 * place)) as u8 & 0x7f;
        content.push(if place == 0 { septet } else { septet | 0x80 });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn text_and_encoding_agree() {
        for (text, content) in [
            ("2.5.29.17", &[0x55, 0x1d, 0x11][..]),
            ("1.2.840.113549.1.1.11", &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b]),
            ("2.999.1", &[0x88, 0x37, 0x01]),
            ("0.0", &[0x00]),
        ] {
            assert_eq!(text.parse::<Oid>().unwrap().content(), content);
            assert_eq!(Oid::from_content(content).unwrap().to_string(), text);
        }
    }

    #[test]
    fn identifiers_are_equal_wherever_their_octets_are() {
        for length in [1, INLINE - 1, INLINE, INLINE + 1, LONGEST] {
            let content = vec![0x2a; length];
            let read = Oid::from_content(&content).unwrap();
            assert_eq!(read.content(), content);
            assert_eq!(read, read.clone());
        }
        const KNOWN: Oid = Oid::from_static(&[0x55, 0x1d, 0x11]);
        assert_eq!(Oid::from_content(&[0x55, 0x1d, 0x11]).unwrap(), KNOWN);
        assert!(Oid::from_content(&[0x55, 0x1d, 0x12]).unwrap() > KNOWN);
    }

    #[test]
    fn broken_encodings_are_refused() {
        for content in [&[][..], &[0x80, 0x01], &[0x55, 0x80, 0x01], &[0x55, 0x9d]] {
            assert_eq!(Oid::from_content(content), Err(OidError::Encoding));
        }
    }

    #[test]
    fn texts_that_are_no_identifiers_are_refused() {
        for text in ["", "1", "3.1", "1.40", "1..2", "a.b", "1.2.-3", "1.18446744073709551616"] {
            assert!(text.parse::<Oid>().is_err(), "{text}");
        }
    }

    #[test]
    fn giant_arcs_do_not_overflow() {
        let content: Vec<u8> = std::iter::once(0x55).chain([0xff; 40]).chain([0x7f]).collect();
        assert!(Oid::from_content(&content).unwrap().to_string().ends_with(&u128::MAX.to_string()));
    }
}
