//! Protocol versions.

use super::{code_points, is_grease};

code_points! {
    /// A version of SSL, TLS or DTLS as it stands in hellos and records. TLS versions are in order; DTLS counts down.
    ProtocolVersion(u16), 4, grease: is_grease;
    SSL2 = 0x0002 "SSL 2.0",
    SSL3 = 0x0300 "SSL 3.0",
    TLS1_0 = 0x0301 "TLS 1.0",
    TLS1_1 = 0x0302 "TLS 1.1",
    TLS1_2 = 0x0303 "TLS 1.2",
    TLS1_3 = 0x0304 "TLS 1.3",
    DTLS1_3 = 0xfefc "DTLS 1.3",
    DTLS1_2 = 0xfefd "DTLS 1.2",
    DTLS1_0 = 0xfeff "DTLS 1.0",
}

impl ProtocolVersion {
    /// Whether this is a version of DTLS.
    pub fn is_dtls(self) -> bool {
        self.0 >> 8 == 0xfe
    }

    /// Whether the key schedule and the record protection are those of RFC 8446 or later drafts of it (0x7fXX).
    pub fn is_tls13(self) -> bool {
        matches!(self, Self::TLS1_3 | Self::DTLS1_3) || self.0 >> 8 == 0x7f
    }

    /// Whether SHA-256 and named signature algorithms (RFC 5246) have replaced MD5 with SHA-1: TLS 1.2 and later.
    pub fn has_signature_algorithms(self) -> bool {
        matches!(self, Self::TLS1_2 | Self::DTLS1_2) || self.is_tls13()
    }

    /// Whether a record carries its own initialization vector (RFC 4346 §6.2.3.2): TLS 1.1 and later.
    pub fn has_explicit_iv(self) -> bool {
        self.is_dtls() || self >= Self::TLS1_1
    }

    /// Why this version should be off, with the document that says so; `None` for TLS 1.2 and 1.3.
    pub fn deprecation(self) -> Option<&'static str> {
        match self {
            Self::SSL2 => Some("SSL 2.0 must not be used (RFC 6176)"),
            Self::SSL3 => Some("SSL 3.0 must not be used: POODLE reads what it encrypts (RFC 7568)"),
            Self::TLS1_0 | Self::TLS1_1 | Self::DTLS1_0 => {
                Some("it signs with MD5 and SHA-1 and has no authenticated encryption: it must not be used (RFC 8996)")
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_know_their_generation() {
        assert!(ProtocolVersion::TLS1_3.is_tls13() && ProtocolVersion(0x7f1c).is_tls13());
        assert!(!ProtocolVersion::TLS1_2.is_tls13() && ProtocolVersion::DTLS1_2.is_dtls());
        assert!(ProtocolVersion::TLS1_1.has_explicit_iv() && !ProtocolVersion::TLS1_0.has_explicit_iv());
        assert!(ProtocolVersion::TLS1_0.deprecation().is_some() && ProtocolVersion::TLS1_2.deprecation().is_none());
    }
}
