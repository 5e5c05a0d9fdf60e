//! The ciphers of SSL 2.0, in three octets. Hellos of that form carry suites of SSL 3.0 and TLS too (RFC 6101 appendix E).

use super::CipherSuite;

/// A cipher in a hello of SSL 2.0 form.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ssl2Cipher(pub u32);

impl Ssl2Cipher {
    /// The ciphers of SSL 2.0 itself, in the order of their numbers.
    pub const ALL: &'static [Self] = &[
        Self(0x01_0080),
        Self(0x02_0080),
        Self(0x03_0080),
        Self(0x04_0080),
        Self(0x05_0080),
        Self(0x06_0040),
        Self(0x07_00c0),
    ];

    /// The name of the specification, or that of the suite of SSL 3.0 or TLS that it stands for.
    pub fn name(self) -> Option<&'static str> {
        match self.0 {
            0x01_0080 => Some("SSL_CK_RC4_128_WITH_MD5"),
            0x02_0080 => Some("SSL_CK_RC4_128_EXPORT40_WITH_MD5"),
            0x03_0080 => Some("SSL_CK_RC2_128_CBC_WITH_MD5"),
            0x04_0080 => Some("SSL_CK_RC2_128_CBC_EXPORT40_WITH_MD5"),
            0x05_0080 => Some("SSL_CK_IDEA_128_CBC_WITH_MD5"),
            0x06_0040 => Some("SSL_CK_DES_64_CBC_WITH_MD5"),
            0x07_00c0 => Some("SSL_CK_DES_192_EDE3_CBC_WITH_MD5"),
            _ => self.suite().and_then(CipherSuite::name),
        }
    }

    /// The suite of SSL 3.0 or TLS that it stands for: those with a zero in front.
    pub fn suite(self) -> Option<CipherSuite> {
        u16::try_from(self.0).ok().map(CipherSuite)
    }

    /// Never; RFC 8701 has no numbers of three octets.
    pub fn is_grease(self) -> bool {
        false
    }
}

super::rendered!(Ssl2Cipher, 6);
