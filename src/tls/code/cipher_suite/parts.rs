//! What a cipher suite is made of, as its name says: `TLS_<key exchange>_<authentication>_WITH_<cipher>_<hash>`.

use crate::key::HashAlgorithm;
use serde::Serialize;

/// The parts of a cipher suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuiteParts {
    /// How both sides come to share a secret.
    pub key_exchange: KeyExchange,
    /// How the server proves who it is.
    pub authentication: Authentication,
    /// What encrypts the records.
    pub cipher: BulkCipher,
    /// What authenticates the records.
    pub mac: MacAlgorithm,
    /// The hash of the key schedule from TLS 1.2 on; `None` for SM3 and Streebog, which certkit does not compute. Older
    /// versions use MD5 with SHA-1 whatever the suite.
    pub prf: Option<HashAlgorithm>,
    /// Whether it was made weak for the export rules of the 1990s: 40 or 56 bits, and RSA or DH of 512 or 1024.
    pub export: bool,
}

/// How both sides come to share a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum KeyExchange {
    /// Not at all.
    #[serde(rename = "NULL")]
    Null,
    /// The client encrypts a secret to the server's RSA key.
    #[serde(rename = "RSA")]
    Rsa,
    /// Diffie-Hellman with the fixed key in the server's certificate.
    #[serde(rename = "DH")]
    Dh,
    /// Diffie-Hellman with a fresh key.
    #[serde(rename = "DHE")]
    Dhe,
    /// Elliptic-curve Diffie-Hellman with the fixed key in the server's certificate.
    #[serde(rename = "ECDH")]
    Ecdh,
    /// Elliptic-curve Diffie-Hellman with a fresh key.
    #[serde(rename = "ECDHE")]
    Ecdhe,
    /// A secret that both had before (RFC 4279).
    #[serde(rename = "PSK")]
    Psk,
    /// A secret that both had before, and one that the client encrypts to the server's RSA key.
    #[serde(rename = "RSA_PSK")]
    RsaPsk,
    /// A secret that both had before, and Diffie-Hellman with a fresh key.
    #[serde(rename = "DHE_PSK")]
    DhePsk,
    /// A secret that both had before, and elliptic-curve Diffie-Hellman with a fresh key (RFC 5489).
    #[serde(rename = "ECDHE_PSK")]
    EcdhePsk,
    /// A password, by SRP (RFC 5054).
    #[serde(rename = "SRP")]
    Srp,
    /// A password, by Dragonfly (RFC 8492).
    #[serde(rename = "ECCPWD")]
    EccPwd,
    /// A Kerberos ticket (RFC 2712).
    #[serde(rename = "KRB5")]
    Kerberos,
    /// GOST R 34.10 (RFC 9189).
    #[serde(rename = "GOST")]
    Gost,
    /// Fortezza's KEA, of SSL 3.0.
    #[serde(rename = "FORTEZZA")]
    Fortezza,
    /// Whatever key_share and pre_shared_key agree on (TLS 1.3).
    #[serde(rename = "TLS 1.3")]
    Tls13,
}

impl KeyExchange {
    /// Whether a recording stays secret after the server's long-term key is known.
    pub fn is_forward_secret(self) -> bool {
        matches!(self, Self::Dhe | Self::Ecdhe | Self::DhePsk | Self::EcdhePsk | Self::Srp | Self::EccPwd | Self::Tls13)
    }
}

/// How the server proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum Authentication {
    /// Not at all: whoever sits between can be the server.
    #[serde(rename = "NULL")]
    Anonymous,
    /// An RSA key.
    #[serde(rename = "RSA")]
    Rsa,
    /// A DSA key.
    #[serde(rename = "DSS")]
    Dss,
    /// An ECDSA or EdDSA key (RFC 8422).
    #[serde(rename = "ECDSA")]
    Ecdsa,
    /// The secret that both had before.
    #[serde(rename = "PSK")]
    Psk,
    /// The password that both know.
    #[serde(rename = "password")]
    Password,
    /// Kerberos.
    #[serde(rename = "KRB5")]
    Kerberos,
    /// A GOST key.
    #[serde(rename = "GOST")]
    Gost,
    /// Fortezza.
    #[serde(rename = "FORTEZZA")]
    Fortezza,
    /// Whatever CertificateVerify or the pre-shared key says (TLS 1.3).
    #[serde(rename = "any")]
    Any,
}

/// What encrypts the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[allow(missing_docs)]
pub enum BulkCipher {
    Null,
    Rc4 { key_bits: u16 },
    Rc2Cbc { key_bits: u16 },
    DesCbc { key_bits: u16 },
    TripleDesCbc,
    IdeaCbc,
    SeedCbc,
    FortezzaCbc,
    AesCbc { key_bits: u16 },
    AesGcm { key_bits: u16 },
    AesCcm { key_bits: u16, tag_octets: u8 },
    CamelliaCbc { key_bits: u16 },
    CamelliaGcm { key_bits: u16 },
    AriaCbc { key_bits: u16 },
    AriaGcm { key_bits: u16 },
    Sm4Gcm,
    Sm4Ccm,
    ChaCha20Poly1305,
    ChaCha20Poly1305Draft,
    Aegis256,
    Aegis128L,
    Gost28147Cnt,
    Kuznyechik,
    Magma,
}

impl BulkCipher {
    /// The bits that an attacker has to guess, as far as the name says.
    pub fn key_bits(self) -> u16 {
        match self {
            Self::Null => 0,
            Self::Rc4 { key_bits }
            | Self::Rc2Cbc { key_bits }
            | Self::DesCbc { key_bits }
            | Self::AesCbc { key_bits }
            | Self::AesGcm { key_bits }
            | Self::AesCcm { key_bits, .. }
            | Self::CamelliaCbc { key_bits }
            | Self::CamelliaGcm { key_bits }
            | Self::AriaCbc { key_bits }
            | Self::AriaGcm { key_bits } => key_bits,
            Self::TripleDesCbc => 112,
            Self::FortezzaCbc => 80,
            Self::IdeaCbc | Self::SeedCbc | Self::Sm4Gcm | Self::Sm4Ccm | Self::Aegis128L => 128,
            Self::ChaCha20Poly1305 | Self::ChaCha20Poly1305Draft | Self::Aegis256 => 256,
            Self::Gost28147Cnt | Self::Kuznyechik | Self::Magma => 256,
        }
    }

    /// The block in octets where records are padded to whole blocks and chained (CBC).
    pub fn cbc_block(self) -> Option<usize> {
        match self {
            Self::Rc2Cbc { .. } | Self::DesCbc { .. } | Self::TripleDesCbc | Self::IdeaCbc | Self::FortezzaCbc => {
                Some(8)
            }
            Self::SeedCbc | Self::AesCbc { .. } | Self::CamelliaCbc { .. } | Self::AriaCbc { .. } => Some(16),
            _ => None,
        }
    }

    /// Whether encryption and authentication are one (RFC 5116).
    pub fn is_aead(self) -> bool {
        matches!(
            self,
            Self::AesGcm { .. }
                | Self::AesCcm { .. }
                | Self::CamelliaGcm { .. }
                | Self::AriaGcm { .. }
                | Self::Sm4Gcm
                | Self::Sm4Ccm
                | Self::ChaCha20Poly1305
                | Self::ChaCha20Poly1305Draft
                | Self::Aegis256
                | Self::Aegis128L
        )
    }
}

/// What authenticates the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MacAlgorithm {
    /// Nothing.
    None,
    /// The cipher itself.
    Aead,
    /// HMAC over this hash (the older MAC of SSL 3.0 in that version).
    Hmac(HashAlgorithm),
    /// A MAC of the GOST standards.
    Gost,
}

impl SuiteParts {
    /// Takes a registered name apart.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let name = name.strip_prefix("TLS_").or_else(|| name.strip_prefix("SSL_"))?;
        let Some((who, what)) = name.split_once("_WITH_") else { return tls13(name) };
        let export = who.contains("_EXPORT");
        let (key_exchange, authentication) = agreement(who)?;
        let gost = key_exchange == KeyExchange::Gost;
        if gost && what.contains("_MGM_") {
            let cipher = if what.starts_with("MAGMA") { BulkCipher::Magma } else { BulkCipher::Kuznyechik };
            let (key_exchange, authentication) = (KeyExchange::Tls13, Authentication::Any);
            return Some(Self { key_exchange, authentication, cipher, mac: MacAlgorithm::Aead, prf: None, export });
        }
        let (cipher, hash) = split_hash(what);
        let cipher = match bulk(cipher)? {
            BulkCipher::ChaCha20Poly1305 if what.ends_with("_DRAFT") => BulkCipher::ChaCha20Poly1305Draft,
            cipher => cipher,
        };
        let mac = match hash {
            _ if gost => MacAlgorithm::Gost,
            _ if cipher.is_aead() => MacAlgorithm::Aead,
            Some(hash) => MacAlgorithm::Hmac(hash),
            None => MacAlgorithm::None,
        };
        // RFC 5246 §5: suites without a hash of their own, or with MD5 or SHA-1 in their MAC, take SHA-256.
        let prf = match hash {
            _ if gost => None,
            Some(HashAlgorithm::Sha384) => Some(HashAlgorithm::Sha384),
            _ => Some(HashAlgorithm::Sha256),
        };
        Some(Self { key_exchange, authentication, cipher, mac, prf, export })
    }
}

/// A name without `_WITH_`: suites of TLS 1.3, and the initial state.
fn tls13(name: &str) -> Option<SuiteParts> {
    let (cipher, prf) = match name {
        "AES_128_GCM_SHA256" => (BulkCipher::AesGcm { key_bits: 128 }, Some(HashAlgorithm::Sha256)),
        "AES_256_GCM_SHA384" => (BulkCipher::AesGcm { key_bits: 256 }, Some(HashAlgorithm::Sha384)),
        "CHACHA20_POLY1305_SHA256" => (BulkCipher::ChaCha20Poly1305, Some(HashAlgorithm::Sha256)),
        "AES_128_CCM_SHA256" => (BulkCipher::AesCcm { key_bits: 128, tag_octets: 16 }, Some(HashAlgorithm::Sha256)),
        "AES_128_CCM_8_SHA256" => (BulkCipher::AesCcm { key_bits: 128, tag_octets: 8 }, Some(HashAlgorithm::Sha256)),
        "AEGIS_256_SHA512" => (BulkCipher::Aegis256, Some(HashAlgorithm::Sha512)),
        "AEGIS_128L_SHA256" => (BulkCipher::Aegis128L, Some(HashAlgorithm::Sha256)),
        "SM4_GCM_SM3" => (BulkCipher::Sm4Gcm, None),
        "SM4_CCM_SM3" => (BulkCipher::Sm4Ccm, None),
        // RFC 9150: integrity alone.
        "SHA256_SHA256" => (BulkCipher::Null, Some(HashAlgorithm::Sha256)),
        "SHA384_SHA384" => (BulkCipher::Null, Some(HashAlgorithm::Sha384)),
        _ => return None,
    };
    let mac = match (cipher, prf) {
        (BulkCipher::Null, Some(hash)) => MacAlgorithm::Hmac(hash),
        _ => MacAlgorithm::Aead,
    };
    let (key_exchange, authentication) = (KeyExchange::Tls13, Authentication::Any);
    Some(SuiteParts { key_exchange, authentication, cipher, mac, prf, export: false })
}

fn agreement(who: &str) -> Option<(KeyExchange, Authentication)> {
    let who = who.trim_end_matches("_EXPORT1024").trim_end_matches("_EXPORT").trim_end_matches("_FIPS");
    Some(match who {
        "NULL" => (KeyExchange::Null, Authentication::Anonymous),
        "RSA" => (KeyExchange::Rsa, Authentication::Rsa),
        "DH_RSA" => (KeyExchange::Dh, Authentication::Rsa),
        "DH_DSS" => (KeyExchange::Dh, Authentication::Dss),
        "DH_anon" => (KeyExchange::Dhe, Authentication::Anonymous),
        "DHE_RSA" => (KeyExchange::Dhe, Authentication::Rsa),
        "DHE_DSS" => (KeyExchange::Dhe, Authentication::Dss),
        "ECDH_RSA" => (KeyExchange::Ecdh, Authentication::Rsa),
        "ECDH_ECDSA" => (KeyExchange::Ecdh, Authentication::Ecdsa),
        "ECDH_anon" => (KeyExchange::Ecdhe, Authentication::Anonymous),
        "ECDHE_RSA" => (KeyExchange::Ecdhe, Authentication::Rsa),
        "ECDHE_ECDSA" => (KeyExchange::Ecdhe, Authentication::Ecdsa),
        "PSK" => (KeyExchange::Psk, Authentication::Psk),
        "RSA_PSK" => (KeyExchange::RsaPsk, Authentication::Rsa),
        // RFC 6655 writes TLS_PSK_DHE for what others call TLS_DHE_PSK.
        "DHE_PSK" | "PSK_DHE" => (KeyExchange::DhePsk, Authentication::Psk),
        "ECDHE_PSK" => (KeyExchange::EcdhePsk, Authentication::Psk),
        "SRP_SHA" => (KeyExchange::Srp, Authentication::Password),
        "SRP_SHA_RSA" => (KeyExchange::Srp, Authentication::Rsa),
        "SRP_SHA_DSS" => (KeyExchange::Srp, Authentication::Dss),
        "ECCPWD" => (KeyExchange::EccPwd, Authentication::Password),
        "KRB5" => (KeyExchange::Kerberos, Authentication::Kerberos),
        "GOSTR341112_256" => (KeyExchange::Gost, Authentication::Gost),
        "FORTEZZA_KEA" => (KeyExchange::Fortezza, Authentication::Fortezza),
        _ => return None,
    })
}

/// Cipher and hash. Names that end in CCM have no hash and use SHA-256.
fn split_hash(what: &str) -> (&str, Option<HashAlgorithm>) {
    let suffixes = [
        ("_SHA256", HashAlgorithm::Sha256),
        ("_SHA384", HashAlgorithm::Sha384),
        ("_SHA", HashAlgorithm::Sha1),
        ("_MD5", HashAlgorithm::Md5),
        ("_SHA256_DRAFT", HashAlgorithm::Sha256),
    ];
    let mut found = suffixes.into_iter().filter_map(|(suffix, hash)| Some((what.strip_suffix(suffix)?, Some(hash))));
    found.next().unwrap_or((what, None))
}

fn bulk(cipher: &str) -> Option<BulkCipher> {
    Some(match cipher {
        "NULL" | "NULL_NULL" => BulkCipher::Null,
        "RC4_40" => BulkCipher::Rc4 { key_bits: 40 },
        "RC4_56" => BulkCipher::Rc4 { key_bits: 56 },
        "RC4_128" => BulkCipher::Rc4 { key_bits: 128 },
        "RC2_CBC_40" => BulkCipher::Rc2Cbc { key_bits: 40 },
        "RC2_CBC_56" => BulkCipher::Rc2Cbc { key_bits: 56 },
        "DES40_CBC" | "DES_CBC_40" => BulkCipher::DesCbc { key_bits: 40 },
        "DES_CBC" => BulkCipher::DesCbc { key_bits: 56 },
        "3DES_EDE_CBC" => BulkCipher::TripleDesCbc,
        "IDEA_CBC" => BulkCipher::IdeaCbc,
        "SEED_CBC" => BulkCipher::SeedCbc,
        "FORTEZZA_CBC" => BulkCipher::FortezzaCbc,
        "AES_128_CBC" => BulkCipher::AesCbc { key_bits: 128 },
        "AES_256_CBC" => BulkCipher::AesCbc { key_bits: 256 },
        "AES_128_GCM" => BulkCipher::AesGcm { key_bits: 128 },
        "AES_256_GCM" => BulkCipher::AesGcm { key_bits: 256 },
        "AES_128_CCM" => BulkCipher::AesCcm { key_bits: 128, tag_octets: 16 },
        "AES_256_CCM" => BulkCipher::AesCcm { key_bits: 256, tag_octets: 16 },
        "AES_128_CCM_8" => BulkCipher::AesCcm { key_bits: 128, tag_octets: 8 },
        "AES_256_CCM_8" => BulkCipher::AesCcm { key_bits: 256, tag_octets: 8 },
        "CAMELLIA_128_CBC" => BulkCipher::CamelliaCbc { key_bits: 128 },
        "CAMELLIA_256_CBC" => BulkCipher::CamelliaCbc { key_bits: 256 },
        "CAMELLIA_128_GCM" => BulkCipher::CamelliaGcm { key_bits: 128 },
        "CAMELLIA_256_GCM" => BulkCipher::CamelliaGcm { key_bits: 256 },
        "ARIA_128_CBC" => BulkCipher::AriaCbc { key_bits: 128 },
        "ARIA_256_CBC" => BulkCipher::AriaCbc { key_bits: 256 },
        "ARIA_128_GCM" => BulkCipher::AriaGcm { key_bits: 128 },
        "ARIA_256_GCM" => BulkCipher::AriaGcm { key_bits: 256 },
        "CHACHA20_POLY1305" => BulkCipher::ChaCha20Poly1305,
        "28147_CNT_IMIT" => BulkCipher::Gost28147Cnt,
        "KUZNYECHIK_CTR_OMAC" => BulkCipher::Kuznyechik,
        "MAGMA_CTR_OMAC" => BulkCipher::Magma,
        _ => return None,
    })
}
