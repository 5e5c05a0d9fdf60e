//! Named groups (RFC 8422 §5.1.1, RFC 7919, RFC 8446 §4.2.7) and what they are made of.

use super::{code_points, is_grease};

code_points! {
    /// A group for key exchange, or an elliptic curve for ECDSA before TLS 1.3.
    NamedGroup(u16), 4, grease: is_grease;
    SECT163K1 = 0x0001 "sect163k1",
    SECT163R1 = 0x0002 "sect163r1",
    SECT163R2 = 0x0003 "sect163r2",
    SECT193R1 = 0x0004 "sect193r1",
    SECT193R2 = 0x0005 "sect193r2",
    SECT233K1 = 0x0006 "sect233k1",
    SECT233R1 = 0x0007 "sect233r1",
    SECT239K1 = 0x0008 "sect239k1",
    SECT283K1 = 0x0009 "sect283k1",
    SECT283R1 = 0x000a "sect283r1",
    SECT409K1 = 0x000b "sect409k1",
    SECT409R1 = 0x000c "sect409r1",
    SECT571K1 = 0x000d "sect571k1",
    SECT571R1 = 0x000e "sect571r1",
    SECP160K1 = 0x000f "secp160k1",
    SECP160R1 = 0x0010 "secp160r1",
    SECP160R2 = 0x0011 "secp160r2",
    SECP192K1 = 0x0012 "secp192k1",
    SECP192R1 = 0x0013 "secp192r1",
    SECP224K1 = 0x0014 "secp224k1",
    SECP224R1 = 0x0015 "secp224r1",
    SECP256K1 = 0x0016 "secp256k1",
    SECP256R1 = 0x0017 "secp256r1",
    SECP384R1 = 0x0018 "secp384r1",
    SECP521R1 = 0x0019 "secp521r1",
    BRAINPOOL_P256R1 = 0x001a "brainpoolP256r1",
    BRAINPOOL_P384R1 = 0x001b "brainpoolP384r1",
    BRAINPOOL_P512R1 = 0x001c "brainpoolP512r1",
    X25519 = 0x001d "x25519",
    X448 = 0x001e "x448",
    BRAINPOOL_P256R1_TLS13 = 0x001f "brainpoolP256r1tls13",
    BRAINPOOL_P384R1_TLS13 = 0x0020 "brainpoolP384r1tls13",
    BRAINPOOL_P512R1_TLS13 = 0x0021 "brainpoolP512r1tls13",
    GC256A = 0x0022 "GC256A",
    GC256B = 0x0023 "GC256B",
    GC256C = 0x0024 "GC256C",
    GC256D = 0x0025 "GC256D",
    GC512A = 0x0026 "GC512A",
    GC512B = 0x0027 "GC512B",
    GC512C = 0x0028 "GC512C",
    CURVE_SM2 = 0x0029 "curveSM2",
    FFDHE2048 = 0x0100 "ffdhe2048",
    FFDHE3072 = 0x0101 "ffdhe3072",
    FFDHE4096 = 0x0102 "ffdhe4096",
    FFDHE6144 = 0x0103 "ffdhe6144",
    FFDHE8192 = 0x0104 "ffdhe8192",
    MLKEM512 = 0x0200 "MLKEM512",
    MLKEM768 = 0x0201 "MLKEM768",
    MLKEM1024 = 0x0202 "MLKEM1024",
    SECP256R1MLKEM768 = 0x11eb "SecP256r1MLKEM768",
    X25519MLKEM768 = 0x11ec "X25519MLKEM768",
    SECP384R1MLKEM1024 = 0x11ed "SecP384r1MLKEM1024",
    CURVE_SM2MLKEM768 = 0x11ee "curveSM2MLKEM768",
    X25519KYBER768_DRAFT00 = 0x6399 "X25519Kyber768Draft00",
    SECP256R1KYBER768_DRAFT00 = 0x639a "SecP256r1Kyber768Draft00",
    ARBITRARY_EXPLICIT_PRIME_CURVES = 0xff01 "arbitrary_explicit_prime_curves",
    ARBITRARY_EXPLICIT_CHAR2_CURVES = 0xff02 "arbitrary_explicit_char2_curves",
}

/// What a group is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupKind {
    /// An elliptic curve.
    EllipticCurve,
    /// Finite-field Diffie-Hellman over a safe prime (RFC 7919).
    FiniteField,
    /// A key encapsulation mechanism that a quantum computer does not break.
    PostQuantum,
    /// An elliptic curve and a post-quantum mechanism together: as strong as the stronger of the two.
    Hybrid,
}

impl NamedGroup {
    /// What the group is made of; `None` for numbers without a name.
    pub fn kind(self) -> Option<GroupKind> {
        match self.0 {
            0x0100..=0x0104 => Some(GroupKind::FiniteField),
            0x0200..=0x0202 => Some(GroupKind::PostQuantum),
            0x11eb..=0x11ee | 0x6399 | 0x639a => Some(GroupKind::Hybrid),
            _ => self.name().map(|_| GroupKind::EllipticCurve),
        }
    }

    /// The size of the field or prime in bits, which for a curve is about twice its strength; of a hybrid the curve's.
    pub fn bits(self) -> Option<u16> {
        Some(match self.0 {
            0x0001..=0x0003 => 163,
            0x0004 | 0x0005 => 193,
            0x0006 | 0x0007 => 233,
            0x0008 => 239,
            0x0009 | 0x000a => 283,
            0x000b | 0x000c => 409,
            0x000d | 0x000e => 571,
            0x000f..=0x0011 => 160,
            0x0012 | 0x0013 => 192,
            0x0014 | 0x0015 => 224,
            0x0016 | 0x0017 | 0x001a | 0x001f | 0x0022..=0x0025 | 0x0029 | 0x11eb | 0x11ee | 0x639a => 256,
            0x0018 | 0x001b | 0x0020 | 0x11ed => 384,
            0x0019 => 521,
            0x001c | 0x0021 | 0x0026..=0x0028 => 512,
            0x001d | 0x11ec | 0x6399 => 255,
            0x001e => 448,
            0x0100 => 2048,
            0x0101 => 3072,
            0x0102 => 4096,
            0x0103 => 6144,
            0x0104 => 8192,
            _ => return None,
        })
    }

    /// Whether a recording made today stays secret from a quantum computer built later.
    pub fn resists_quantum_computers(self) -> bool {
        matches!(self.kind(), Some(GroupKind::PostQuantum | GroupKind::Hybrid))
    }

    /// The length of a client's share in TLS 1.3, in octets, where the group fixes it: uncompressed points (RFC 8446
    /// §4.2.8.2), encapsulation keys and both one after the other.
    pub fn client_share_octets(self) -> Option<usize> {
        match self {
            Self::SECP256R1 => Some(65),
            Self::SECP384R1 => Some(97),
            Self::SECP521R1 => Some(133),
            Self::X25519 => Some(32),
            Self::X448 => Some(56),
            Self::FFDHE2048 => Some(256),
            Self::FFDHE3072 => Some(384),
            Self::FFDHE4096 => Some(512),
            Self::FFDHE6144 => Some(768),
            Self::FFDHE8192 => Some(1024),
            Self::MLKEM512 => Some(800),
            Self::MLKEM768 => Some(1184),
            Self::MLKEM1024 => Some(1568),
            Self::X25519MLKEM768 | Self::X25519KYBER768_DRAFT00 => Some(1216),
            Self::SECP256R1MLKEM768 => Some(1249),
            Self::SECP384R1MLKEM1024 => Some(1665),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_has_a_kind_and_curves_and_primes_a_size() {
        for &group in NamedGroup::ALL {
            let sized = !matches!(group.kind(), Some(GroupKind::PostQuantum)) && group.0 < 0xff00;
            assert_eq!(group.bits().is_some(), sized, "{group}");
        }
        assert_eq!(NamedGroup(0x1a1a).kind(), None);
        assert!(NamedGroup::X25519MLKEM768.resists_quantum_computers());
        assert!(!NamedGroup::X25519.resists_quantum_computers());
    }
}
