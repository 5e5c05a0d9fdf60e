//! What is wrong with a cipher suite, and who says so.

use super::parts::{Authentication, BulkCipher, KeyExchange, MacAlgorithm, SuiteParts};
use crate::key::HashAlgorithm;
use serde::Serialize;
use std::fmt;

/// What is wrong with a cipher suite. The worst come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weakness {
    /// Nothing is encrypted.
    NoEncryption,
    /// Nobody proves who he is.
    NoAuthentication,
    /// Keys made weak for export.
    Export,
    /// DES: 56 bits.
    Des,
    /// RC4: biased output.
    Rc4,
    /// RC2, IDEA, Fortezza: long abandoned.
    Obsolete,
    /// MD5 in the MAC.
    Md5,
    /// Blocks of 64 bits.
    SmallBlock,
    /// No forward secrecy, and an encryption that tells attackers whether it could be opened.
    RsaKeyExchange,
    /// No forward secrecy.
    NoForwardSecrecy,
    /// Encryption authenticated in the wrong order.
    Cbc,
    /// A tag of 8 octets.
    ShortTag,
}

impl Weakness {
    /// Whether a server must not offer it to anybody, rather than should not.
    pub fn is_broken(self) -> bool {
        self <= Self::Md5
    }

    /// The reason in a sentence, with the document that says so.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NoEncryption => "nothing is encrypted: anybody on the way can read (RFC 9325 §4.1)",
            Self::NoAuthentication => {
                "nobody proves who he is: whoever sits between can read and change (RFC 9325 §4.1)"
            }
            Self::Export => {
                "its keys were made weak for the export rules of the 1990s: FREAK and Logjam (RFC 9325 §4.1)"
            }
            Self::Des => "DES has keys of 56 bits, which are guessed in a day (RFC 5469)",
            Self::Rc4 => "RC4 leaks what it encrypts often enough, such as cookies (RFC 7465)",
            Self::Obsolete => "its cipher has been abandoned (RFC 5469)",
            Self::Md5 => "its records are authenticated with MD5 (RFC 6151)",
            Self::SmallBlock => "its blocks of 64 bits repeat after some gigabytes: SWEET32 (CVE-2016-2183)",
            Self::RsaKeyExchange => {
                "whoever gets the server's key can decrypt all recordings, and servers leak through its padding: ROBOT \
                 (RFC 9325 §4.1)"
            }
            Self::NoForwardSecrecy => "whoever gets the long-term key can decrypt all recordings (RFC 9325 §4.1)",
            Self::Cbc => {
                "CBC authenticates before it encrypts: Lucky Thirteen; prefer AEAD (RFC 7366 §1, RFC 9325 §4.2)"
            }
            Self::ShortTag => "its tag of 8 octets is forged after 2^64 tries, which is few (RFC 6655 §6.1)",
        }
    }
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NoEncryption => "no encryption",
            Self::NoAuthentication => "no authentication",
            Self::Export => "export keys",
            Self::Des => "DES",
            Self::Rc4 => "RC4",
            Self::Obsolete => "abandoned cipher",
            Self::Md5 => "MD5",
            Self::SmallBlock => "64-bit blocks",
            Self::RsaKeyExchange => "RSA key exchange",
            Self::NoForwardSecrecy => "no forward secrecy",
            Self::Cbc => "CBC",
            Self::ShortTag => "short tag",
        })
    }
}

/// All weaknesses of a suite, the worst first.
pub(super) fn of(parts: &SuiteParts) -> Vec<Weakness> {
    let mut found = Vec::new();
    let mut add = |applies: bool, weakness| found.extend(applies.then_some(weakness));
    let cipher = parts.cipher;
    add(cipher == BulkCipher::Null, Weakness::NoEncryption);
    add(parts.authentication == Authentication::Anonymous, Weakness::NoAuthentication);
    add(parts.export, Weakness::Export);
    add(matches!(cipher, BulkCipher::DesCbc { .. }), Weakness::Des);
    add(matches!(cipher, BulkCipher::Rc4 { .. }), Weakness::Rc4);
    add(
        matches!(cipher, BulkCipher::Rc2Cbc { .. } | BulkCipher::IdeaCbc | BulkCipher::FortezzaCbc),
        Weakness::Obsolete,
    );
    add(parts.mac == MacAlgorithm::Hmac(HashAlgorithm::Md5), Weakness::Md5);
    add(matches!(cipher, BulkCipher::TripleDesCbc), Weakness::SmallBlock);
    let rsa = matches!(parts.key_exchange, KeyExchange::Rsa | KeyExchange::RsaPsk);
    add(rsa, Weakness::RsaKeyExchange);
    let null = parts.key_exchange == KeyExchange::Null;
    add(!rsa && !null && !parts.key_exchange.is_forward_secret(), Weakness::NoForwardSecrecy);
    add(cipher.cbc_block().is_some(), Weakness::Cbc);
    add(matches!(cipher, BulkCipher::AesCcm { tag_octets: 8, .. }), Weakness::ShortTag);
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::CipherSuite;
    use super::*;

    fn weak(name: &str) -> Vec<Weakness> {
        CipherSuite::from_name(name).unwrap().weaknesses()
    }

    #[test]
    fn good_suites_have_no_weakness_and_bad_ones_all_of_theirs() {
        use Weakness::{Cbc, Export, Md5, NoAuthentication, NoEncryption, Rc4, RsaKeyExchange, ShortTag, SmallBlock};
        for good in [
            "TLS_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_DHE_RSA_WITH_AES_128_CCM",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        ] {
            assert_eq!(weak(good), [], "{good}");
        }
        for (bad, why) in [
            ("TLS_NULL_WITH_NULL_NULL", &[NoEncryption, NoAuthentication][..]),
            ("TLS_RSA_EXPORT_WITH_RC4_40_MD5", &[Export, Rc4, Md5, RsaKeyExchange]),
            ("TLS_RSA_WITH_AES_128_GCM_SHA256", &[RsaKeyExchange]),
            ("TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", &[SmallBlock, Cbc]),
            ("TLS_DH_anon_WITH_AES_128_GCM_SHA256", &[NoAuthentication]),
            ("TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", &[ShortTag]),
            ("TLS_SHA256_SHA256", &[NoEncryption]),
        ] {
            assert_eq!(weak(bad), why, "{bad}");
        }
    }

    #[test]
    fn every_weakness_occurs_and_gives_its_reason() {
        for weakness in [
            Weakness::NoEncryption,
            Weakness::NoAuthentication,
            Weakness::Export,
            Weakness::Des,
            Weakness::Rc4,
            Weakness::Obsolete,
            Weakness::Md5,
            Weakness::SmallBlock,
            Weakness::RsaKeyExchange,
            Weakness::NoForwardSecrecy,
            Weakness::Cbc,
            Weakness::ShortTag,
        ] {
            assert!(CipherSuite::all().any(|suite| suite.weaknesses().contains(&weakness)), "{weakness}");
            assert!(weakness.reason().ends_with(')'), "{weakness}");
        }
    }
}
