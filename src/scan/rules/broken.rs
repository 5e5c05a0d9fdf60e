//! The table of rules, and what breaks each.

use super::super::found::{ChainEntry, Preference, Scan, SuiteFound};
use super::Severity::{Broken, Dated, Note, Weak};
use super::{Rule, missing, speaks, version, when};
use crate::tls::code::cipher_suite::{KeyExchange, Weakness};
use crate::tls::code::{GroupKind, NamedGroup, ProtocolVersion};

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "ssl-2",
        clause: "RFC 6176 §3",
        severity: Broken,
        words: "SSL 2.0 protects nothing, and DROWN uses it against the newer versions of the same key",
        broken: |scan| version(scan, ProtocolVersion::SSL2),
    },
    Rule {
        name: "ssl-3",
        clause: "RFC 7568 §3",
        severity: Broken,
        words: "SSL 3.0 must not be used: POODLE reads what its CBC suites encrypt",
        broken: |scan| version(scan, ProtocolVersion::SSL3),
    },
    Rule {
        name: "null-encryption",
        clause: "RFC 9325 §4.1",
        severity: Broken,
        words: "suites that encrypt nothing must not be taken",
        broken: |scan| suites(scan, Weakness::NoEncryption),
    },
    Rule {
        name: "anonymous",
        clause: "RFC 5246 §F.1.1.1",
        severity: Broken,
        words: "suites in which nobody proves who he is let anybody sit between",
        broken: |scan| suites(scan, Weakness::NoAuthentication),
    },
    Rule {
        name: "export",
        clause: "RFC 9325 §4.1",
        severity: Broken,
        words: "export suites have keys that can be guessed: FREAK (CVE-2015-0204), Logjam (CVE-2015-4000)",
        broken: |scan| suites(scan, Weakness::Export),
    },
    Rule {
        name: "des",
        clause: "RFC 9325 §4.1, RFC 5469 §4",
        severity: Broken,
        words: "DES has keys of 56 bits, which are guessed in a day",
        broken: |scan| suites(scan, Weakness::Des),
    },
    Rule {
        name: "rc4",
        clause: "RFC 7465 §2",
        severity: Broken,
        words: "RC4 must not be negotiated: what it encrypts often can be read",
        broken: |scan| suites(scan, Weakness::Rc4),
    },
    Rule {
        name: "dh-1024",
        clause: "RFC 9325 §4.5",
        severity: Broken,
        words: "Diffie-Hellman of 1024 bits or less can be computed, once for all servers with the same prime: Logjam",
        broken: |scan| primes(scan, 0..=1024),
    },
    Rule {
        name: "tls-1.0",
        clause: "RFC 8996 §4",
        severity: Weak,
        words: "TLS 1.0 must not be used",
        broken: |scan| version(scan, ProtocolVersion::TLS1_0),
    },
    Rule {
        name: "tls-1.1",
        clause: "RFC 8996 §5",
        severity: Weak,
        words: "TLS 1.1 must not be used",
        broken: |scan| version(scan, ProtocolVersion::TLS1_1),
    },
    Rule {
        name: "no-tls-1.2-or-1.3",
        clause: "RFC 9325 §3.1.1",
        severity: Weak,
        words: "TLS 1.2 must be spoken, or TLS 1.3",
        broken: |scan| match speaks(scan, ProtocolVersion::TLS1_3) {
            true => Vec::new(),
            false => missing(scan, ProtocolVersion::TLS1_2),
        },
    },
    Rule {
        name: "abandoned-cipher",
        clause: "RFC 5469 §4",
        severity: Weak,
        words: "RC2, IDEA and Fortezza have been abandoned",
        broken: |scan| suites(scan, Weakness::Obsolete),
    },
    Rule {
        name: "md5-mac",
        clause: "RFC 6151 §2.3",
        severity: Weak,
        words: "records should not be authenticated with MD5",
        broken: |scan| suites(scan, Weakness::Md5),
    },
    Rule {
        name: "64-bit-blocks",
        clause: "CVE-2016-2183, RFC 9325 §4.1",
        severity: Weak,
        words: "blocks of 64 bits repeat after some gigabytes: SWEET32",
        broken: |scan| suites(scan, Weakness::SmallBlock),
    },
    Rule {
        name: "no-forward-secrecy-at-all",
        clause: "RFC 9325 §4.1",
        severity: Weak,
        words: "suites with forward secrecy must be supported",
        broken: |scan| {
            let old = |one: &SuiteFound| one.key_exchange.is_some_and(|exchange| !exchange.is_forward_secret());
            let any = scan.versions.iter().any(|one| !one.suites.is_empty());
            let all = scan.versions.iter().flat_map(|one| &one.suites).all(old);
            when(any && all, "no suite has it")
        },
    },
    Rule {
        name: "forward-secrecy-not-preferred",
        clause: "RFC 9325 §4.1",
        severity: Weak,
        words: "suites with forward secrecy must be preferred where there are some",
        broken: unpreferred,
    },
    Rule {
        name: "dh-2048",
        clause: "RFC 9325 §4.5",
        severity: Weak,
        words: "Diffie-Hellman must have 2048 bits or more",
        broken: |scan| primes(scan, 1025..=2047),
    },
    Rule {
        name: "small-curve",
        clause: "RFC 9325 §4.5",
        severity: Weak,
        words: "curves of less than 224 bits must not be used",
        broken: |scan| {
            groups(scan, |group| {
                group.kind() == Some(GroupKind::EllipticCurve) && group.bits().is_some_and(|bits| bits < 224)
            })
        },
    },
    Rule {
        name: "compression",
        clause: "RFC 9325 §3.3",
        severity: Weak,
        words: "records should not be compressed: CRIME (CVE-2012-4929) reads cookies by their length",
        broken: |scan| scan.features.compression.iter().filter(|method| *method != "none").cloned().collect(),
    },
    Rule {
        name: "insecure-renegotiation",
        clause: "RFC 9325 §3.5, RFC 5746 §3.6",
        severity: Weak,
        words: "renegotiation_info must be answered: without it somebody can speak first (CVE-2009-3555)",
        broken: |scan| when(scan.features.secure_renegotiation == Some(false), "renegotiation_info is not answered"),
    },
    Rule {
        name: "no-extended-master-secret",
        clause: "RFC 9325 §3.5, RFC 7627 §1",
        severity: Weak,
        words: "extended_master_secret must be supported: without it two sessions can be made to share their secret: triple handshake",
        broken: |scan| {
            when(scan.features.extended_master_secret == Some(false), "extended_master_secret is not answered")
        },
    },
    Rule {
        name: "broken-signature-preferred",
        clause: "RFC 9155 §4",
        severity: Weak,
        words: "a handshake must not be signed over MD5 or SHA-1",
        broken: |scan| {
            let usual = scan.versions.iter().filter_map(|one| one.usual_signature);
            unique(usual.filter(|scheme| scheme.is_broken()).map(|scheme| scheme.to_string()))
        },
    },
    Rule {
        name: "small-certificate-key",
        clause: "RFC 9325 §4.5",
        severity: Weak,
        words: "RSA keys must have 2048 bits or more",
        broken: |scan| {
            let own = scan.certificates.iter().map(|one| (&one.name, &one.key, one.key_bits));
            let chain =
                scan.certificates.iter().flat_map(|one| &one.chain).map(|one| (&one.name, &one.key, one.key_bits));
            let small = |(name, key, bits): (&String, &Option<String>, Option<u16>)| {
                let key = key.as_ref().filter(|key| key.starts_with("RSA") && bits.is_some_and(|bits| bits < 2048))?;
                Some(format!("{name}: {key}"))
            };
            unique(own.chain(chain).filter_map(small))
        },
    },
    Rule {
        name: "broken-certificate-signature",
        clause: "RFC 9325 §4.5",
        severity: Weak,
        words: "a certificate must not be signed over SHA-1 or MD5: somebody else may have one with the same signature",
        broken: |scan| {
            let weak = |signature: &str| {
                let signature = signature.to_ascii_lowercase();
                signature.contains("sha1") || signature.contains("md5") || signature.contains("sha-1")
            };
            let own = scan.certificates.iter().map(|one| (&one.name, &one.signature));
            // What a root says of itself nobody has to believe.
            let signed = |one: &&ChainEntry| !one.self_issued;
            let chain = scan.certificates.iter().flat_map(|one| &one.chain).filter(signed);
            let all = own.chain(chain.map(|one| (&one.name, &one.signature)));
            unique(all.filter(|(_, signature)| weak(signature)).map(|(name, signature)| format!("{name}: {signature}")))
        },
    },
    Rule {
        name: "no-tls-1.3",
        clause: "RFC 9325 §3.1.1",
        severity: Dated,
        words: "TLS 1.3 should be spoken",
        broken: |scan| missing(scan, ProtocolVersion::TLS1_3),
    },
    Rule {
        name: "rsa-key-exchange",
        clause: "RFC 9325 §4.1",
        severity: Dated,
        words: "RSA key exchange has no forward secrecy, and servers leak through its padding: ROBOT",
        broken: |scan| suites(scan, Weakness::RsaKeyExchange),
    },
    Rule {
        name: "static-key-exchange",
        clause: "RFC 9325 §4.1",
        severity: Dated,
        words: "fixed keys have no forward secrecy: whoever gets the key can read all recordings",
        broken: |scan| suites(scan, Weakness::NoForwardSecrecy),
    },
    Rule {
        name: "finite-field-dhe",
        clause: "RFC 9325 §4.1",
        severity: Dated,
        words: "Diffie-Hellman over finite fields should not be negotiated in TLS 1.2: it is fragile (Raccoon)",
        broken: |scan| {
            let old = scan.versions.iter().filter(|one| one.version <= ProtocolVersion::TLS1_2);
            let dhe = |one: &&SuiteFound| matches!(one.key_exchange, Some(KeyExchange::Dhe | KeyExchange::DhePsk));
            unique(old.flat_map(|one| &one.suites).filter(dhe).map(|one| one.suite.to_string()))
        },
    },
    Rule {
        name: "broken-signature-taken",
        clause: "RFC 9155 §4",
        severity: Dated,
        words: "where a client offers nothing better the handshake is signed over MD5 or SHA-1",
        broken: |scan| {
            let schemes = scan.versions.iter().flat_map(|one| &one.signature_schemes);
            unique(schemes.filter(|scheme| scheme.is_broken()).map(ToString::to_string))
        },
    },
    Rule {
        name: "cbc",
        clause: "RFC 9325 §4.2, RFC 7366 §1",
        severity: Dated,
        words: "CBC should not be used without encrypt_then_mac: it leaks unless done with care, Lucky Thirteen",
        broken: |scan| match scan.features.encrypt_then_mac {
            Some(true) => Vec::new(),
            _ => suites(scan, Weakness::Cbc),
        },
    },
    Rule {
        name: "version-intolerance",
        clause: "RFC 8446 §4.1.2, RFC 8701 §3",
        severity: Dated,
        words: "what a server does not know it has to pass over, so that newer clients can talk to it",
        broken: |scan| {
            let features = &scan.features;
            let mut found = when(features.tolerates_grease == Some(false), "numbers that do not exist (GREASE)");
            found.extend(when(features.tolerates_future_version == Some(false), "a version above its own"));
            found.extend(when(features.tolerates_long_hello == Some(false), "a hello of 8 kB"));
            found
        },
    },
    Rule {
        name: "no-downgrade-sentinel",
        clause: "RFC 8446 §4.1.3",
        severity: Dated,
        words: "a server that settles for less has to say so in its random, or an attacker can make it do so unseen",
        broken: |scan| when(scan.features.downgrade_sentinel == Some(false), "its random does not say so"),
    },
    Rule {
        name: "no-fallback-scsv",
        clause: "RFC 7507 §3",
        severity: Note,
        words: "TLS_FALLBACK_SCSV is not heeded: an old client that falls back is not told of the attack",
        broken: |scan| when(scan.features.fallback_scsv == Some(false), "a lower version with it is answered"),
    },
    Rule {
        name: "cbc-in-tls-1.0",
        clause: "CVE-2011-3389",
        severity: Note,
        words: "CBC suites of TLS 1.0 have predictable vectors: BEAST",
        broken: |scan| {
            let old = scan.versions.iter().filter(|one| one.version == ProtocolVersion::TLS1_0);
            let cbc = |one: &&SuiteFound| one.weaknesses.contains(&Weakness::Cbc);
            old.flat_map(|one| &one.suites).filter(cbc).map(|one| one.suite.to_string()).collect()
        },
    },
    Rule {
        name: "short-tag",
        clause: "RFC 6655 §6.1",
        severity: Note,
        words: "tags of 8 octets are forged after 2^64 tries",
        broken: |scan| suites(scan, Weakness::ShortTag),
    },
    Rule {
        name: "clients-order",
        clause: "RFC 9325 §4.2.1",
        severity: Note,
        words: "the client chooses among good and bad suites; a server knows better which to prefer",
        broken: |scan| {
            let left = scan.versions.iter().filter(|one| {
                one.suite_preference == Some(Preference::Client)
                    && one.suites.iter().any(|it| !it.weaknesses.is_empty())
            });
            left.map(|one| one.version.to_string()).collect()
        },
    },
    Rule {
        name: "reused-key-exchange",
        clause: "RFC 9325 §7.4",
        severity: Note,
        words: "two connections got the same public key: what should be forgotten is kept",
        broken: |scan| when(scan.features.reused_key_exchange == Some(true), "in ServerKeyExchange"),
    },
    Rule {
        name: "heartbeat",
        clause: "RFC 6520 §2",
        severity: Note,
        words: "heartbeat is of no use over TCP, and Heartbleed (CVE-2014-0160) was in it",
        broken: |scan| when(scan.features.heartbeat == Some(true), "it is answered"),
    },
    Rule {
        name: "no-post-quantum-group",
        clause: "draft-ietf-tls-ecdhe-mlkem",
        severity: Note,
        words: "what is recorded today can be read by a quantum computer built later",
        broken: |scan| {
            let tls13 = scan.versions.iter().find(|one| one.version == ProtocolVersion::TLS1_3);
            let groups = tls13.map(|one| &one.groups).filter(|groups| !groups.is_empty());
            when(
                groups.is_some_and(|groups| !groups.iter().any(|group| group.resists_quantum_computers())),
                "no group of TLS 1.3 resists it",
            )
        },
    },
];

/// The suites with this weakness, each once, with the versions they are taken in.
fn suites(scan: &Scan, weakness: Weakness) -> Vec<String> {
    let all = scan.versions.iter().flat_map(|one| &one.suites);
    let mut found = unique(all.filter(|one| one.weaknesses.contains(&weakness)).map(|one| one.suite.to_string()));
    // SSL 2.0 has names of its own.
    let parts = match weakness {
        Weakness::Export => "EXPORT",
        Weakness::Rc4 => "RC4",
        _ => return found,
    };
    let ssl2 = scan.versions.iter().flat_map(|one| &one.ssl2_ciphers).filter(|name| name.contains(parts));
    found.extend(ssl2.cloned());
    found
}

/// The suites whose prime is of such a size.
fn primes(scan: &Scan, bits: std::ops::RangeInclusive<usize>) -> Vec<String> {
    let all = scan.versions.iter().flat_map(|one| &one.suites);
    let small = all.filter_map(|one| {
        let dhe = matches!(one.key_exchange, Some(KeyExchange::Dhe | KeyExchange::DhePsk));
        let size = one.exchange_bits.filter(|size| dhe && bits.contains(size))?;
        let prime = one.prime.as_ref().map(|prime| format!(" ({prime})")).unwrap_or_default();
        Some(format!("{}: {size} bits{prime}", one.suite))
    });
    unique(small)
}

fn groups(scan: &Scan, wanted: impl Fn(&NamedGroup) -> bool) -> Vec<String> {
    let all = scan.versions.iter().flat_map(|one| &one.groups);
    unique(all.filter(|group| wanted(group)).map(ToString::to_string))
}

/// Versions in which the server puts a suite without forward secrecy before one that has it.
fn unpreferred(scan: &Scan) -> Vec<String> {
    let secret = |one: &SuiteFound| one.key_exchange.is_some_and(KeyExchange::is_forward_secret);
    let first = scan.versions.iter().filter(|one| {
        let first = one.suites.first().is_some_and(|first| !secret(first));
        first && one.suite_preference == Some(Preference::Server) && one.suites.iter().any(secret)
    });
    first.map(|one| one.version.to_string()).collect()
}

fn unique(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for one in all {
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}
