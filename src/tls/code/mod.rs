//! Code points: the numbers of TLS with the names of the IANA registries.
//!
//! Each is a number that prints as its registered name, or as `unknown (0x1234)`, or as `GREASE (0x1a1a)` where clients
//! send nonsense on purpose (RFC 8701). Unknown numbers are values like any other.

mod alert;
pub mod cipher_suite;
mod extension_type;
mod named_group;
mod signature_scheme;
mod small;
mod ssl2;
mod version;

pub use alert::{AlertDescription, AlertLevel};
pub use cipher_suite::CipherSuite;
pub use extension_type::ExtensionType;
pub use named_group::{GroupKind, NamedGroup};
pub use signature_scheme::SignatureScheme;
pub use small::{
    CertificateCompression, CertificateStatusType, CertificateType, ClientCertificateType, CompressionMethod,
    ContentType, EcPointFormat, HandshakeType, KeyUpdateRequest, MaxFragmentLength, PskKeyExchangeMode,
};
pub use ssl2::Ssl2Cipher;
pub use version::ProtocolVersion;

/// Whether a number of two octets is one of those that RFC 8701 §2 reserves for nonsense: 0x0a0a, 0x1a1a … 0xfafa.
pub const fn is_grease(number: u16) -> bool {
    number & 0x0f0f == 0x0a0a && number >> 8 == number & 0xff
}

/// The `nth` of the 16 GREASE numbers, counted round.
pub const fn grease(nth: u8) -> u16 {
    (nth as u16 & 0x0f) * 0x1010 + 0x0a0a
}

/// A newtype over a number with the names of its registry. `$digits` is the width of the number in hexadecimal.
macro_rules! code_points {
    (
        $(#[$doc:meta])*
        $name:ident($number:ty), $digits:literal, grease: $grease:expr;
        $($constant:ident = $value:literal $text:literal,)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub $number);

        #[allow(missing_docs)]
        impl $name {
            $(pub const $constant: Self = Self($value);)*
        }

        impl $name {
            /// All that have a name, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self($value)),*];

            /// The registered name, if there is one.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($text),)*
                    _ => None,
                }
            }

            /// Whether the number is nonsense on purpose (RFC 8701).
            pub fn is_grease(self) -> bool {
                let is_grease: fn($number) -> bool = $grease;
                is_grease(self.0)
            }
        }

        $crate::tls::code::rendered!($name, $digits);
    };
}

/// How a code point prints and is serialised: its name, or its number where it has none.
macro_rules! rendered {
    ($name:ident, $digits:literal) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.name() {
                    Some(name) => f.pad(name),
                    None if self.is_grease() => f.pad(&format!(concat!("GREASE (0x{:0", $digits, "x})"), self.0)),
                    None => f.pad(&format!(concat!("unknown (0x{:0", $digits, "x})"), self.0)),
                }
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

pub(in crate::tls) use {code_points, rendered};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_sixteen_grease_numbers() {
        let all: Vec<u16> = (0..=u16::MAX).filter(|&number| is_grease(number)).collect();
        assert_eq!(all, (0..16).map(grease).collect::<Vec<_>>());
        assert_eq!((all.first(), all.last()), (Some(&0x0a0a), Some(&0xfafa)));
    }

    #[test]
    fn numbers_without_a_name_say_what_they_are() {
        assert_eq!(NamedGroup(0x1a1a).to_string(), "GREASE (0x1a1a)");
        assert_eq!(NamedGroup(0x2345).to_string(), "unknown (0x2345)");
        assert_eq!(ContentType(99).to_string(), "unknown (0x63)");
        assert_eq!(NamedGroup::X25519MLKEM768.to_string(), "X25519MLKEM768");
    }

    #[test]
    fn names_stand_in_the_order_of_their_numbers() {
        assert!(NamedGroup::ALL.is_sorted() && SignatureScheme::ALL.is_sorted() && ExtensionType::ALL.is_sorted());
        assert!(AlertDescription::ALL.is_sorted() && HandshakeType::ALL.is_sorted());
    }
}
