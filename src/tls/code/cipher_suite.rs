//! Cipher suites: what they are called, what they are made of, and what is wrong with them.

mod parts;
mod table;
mod weakness;

pub use parts::{Authentication, BulkCipher, KeyExchange, MacAlgorithm, SuiteParts};
pub use weakness::Weakness;

/// A cipher suite (RFC 8446 §B.4, RFC 5246 appendix C and many others).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CipherSuite(pub u16);

impl CipherSuite {
    /// Not a suite: the client knows secure renegotiation (RFC 5746 §3.3).
    pub const EMPTY_RENEGOTIATION_INFO_SCSV: Self = Self(0x00ff);
    /// Not a suite: the client tries again with a lower version than it could (RFC 7507).
    pub const FALLBACK_SCSV: Self = Self(0x5600);

    /// All that have a name, in the order of their numbers, signalling values included.
    pub fn all() -> impl Iterator<Item = Self> {
        table::TABLE.iter().map(|(number, _)| Self(*number))
    }

    /// The suite of this registered name.
    pub fn from_name(name: &str) -> Option<Self> {
        table::TABLE.iter().find(|(_, known)| *known == name).map(|(number, _)| Self(*number))
    }

    /// The registered name, if there is one.
    pub fn name(self) -> Option<&'static str> {
        let at = table::TABLE.binary_search_by_key(&self.0, |(number, _)| *number).ok()?;
        table::TABLE.get(at).map(|(_, name)| *name)
    }

    /// Whether the number is nonsense on purpose (RFC 8701).
    pub fn is_grease(self) -> bool {
        super::is_grease(self.0)
    }

    /// Whether this signals something and is never chosen.
    pub fn is_signalling(self) -> bool {
        self == Self::EMPTY_RENEGOTIATION_INFO_SCSV || self == Self::FALLBACK_SCSV
    }

    /// Whether it is chosen in TLS 1.3 only, which names neither key exchange nor signature in its suites.
    pub fn is_tls13(self) -> bool {
        self.parts().is_some_and(|parts| parts.key_exchange == KeyExchange::Tls13)
    }

    /// What it is made of; `None` for numbers without a name and for signalling values.
    pub fn parts(self) -> Option<SuiteParts> {
        match self.is_signalling() {
            true => None,
            false => SuiteParts::from_name(self.name()?),
        }
    }

    /// What is wrong with it, the worst first; nothing for suites that are fine, and for unknown ones.
    pub fn weaknesses(self) -> Vec<Weakness> {
        self.parts().map(|parts| weakness::of(&parts)).unwrap_or_default()
    }
}

super::rendered!(CipherSuite, 4);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_table_is_in_order_and_every_suite_is_taken_apart() {
        assert!(table::TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for suite in CipherSuite::all().filter(|suite| !suite.is_signalling()) {
            assert!(suite.parts().is_some(), "{suite}");
            assert_eq!(CipherSuite::from_name(suite.name().unwrap()), Some(suite));
        }
    }

    #[test]
    fn a_number_without_a_name_has_no_parts() {
        assert_eq!(CipherSuite(0x1a1a).to_string(), "GREASE (0x1a1a)");
        assert_eq!(CipherSuite(0xeeee).parts(), None);
        assert!(CipherSuite(0xeeee).weaknesses().is_empty());
    }

    #[test]
    fn suites_of_tls13_are_told_from_older_ones() {
        let new: Vec<u16> = CipherSuite::all().filter(|suite| suite.is_tls13()).map(|suite| suite.0).collect();
        assert_eq!(
            new,
            [
                0x00c6, 0x00c7, 0x1301, 0x1302, 0x1303, 0x1304, 0x1305, 0x1306, 0x1307, 0xc0b4, 0xc0b5, 0xc103, 0xc104,
                0xc105, 0xc106
            ]
        );
    }
}
