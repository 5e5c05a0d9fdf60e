//! Which clients will object to a certificate, however well it is made, and why.
//!
//! Each rule is one row of a table, with what was seen in the programs named or read in their makers' rules.

use crate::key::KeyAlgorithm;
use crate::profile::NameForm;
use crate::x509::{Certificate, GeneralName, oids};
use serde::Serialize;
use time::Duration;

/// A client that will object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Objection {
    /// Which program or family of programs.
    pub client: &'static str,
    /// What it objects to.
    pub why: &'static str,
    /// How to make one to which it does not.
    pub what_to_do: String,
}

/// Every client known to object to this certificate.
pub fn objections(certificate: &Certificate) -> Vec<Objection> {
    let facts = Facts::of(certificate);
    let names = certificate.subject_alt_names().unwrap_or_default();
    let names: Vec<String> = names.iter().map(GeneralName::value).collect();
    let names = if names.is_empty() { "NAME".to_owned() } else { names.join(" ") };
    RULES
        .iter()
        .filter(|rule| (rule.applies)(&facts))
        .map(|&Rule { client, why, what_to_do, .. }| Objection {
            client,
            why,
            what_to_do: what_to_do.replace("{names}", &names),
        })
        .collect()
}

/// What the rules look at.
struct Facts {
    /// A server may use it: extKeyUsage allows it, and it is an end entity's or names hosts.
    server: bool,
    lists_server_auth: bool,
    self_issued: bool,
    ca: bool,
    names_hosts: bool,
    /// From notBefore to notAfter, both included.
    lifetime: Duration,
    key: Option<KeyAlgorithm>,
}

impl Facts {
    fn of(certificate: &Certificate) -> Self {
        let names = certificate.subject_alt_names().unwrap_or_default();
        let is_host = |name| matches!(NameForm::of(name), Some(NameForm::Dns | NameForm::Ip));
        let names_hosts = names.iter().any(is_host);
        let purposes = certificate.extended_key_usage().ok().flatten();
        let lists_server_auth = purposes.as_ref().is_some_and(|purposes| purposes.lists(&oids::SERVER_AUTH));
        let any = purposes.as_ref().is_none_or(|purposes| purposes.lists(&oids::ANY_EXTENDED_KEY_USAGE));
        let ca = certificate.claims_ca();
        let validity = certificate.validity();
        Self {
            server: (lists_server_auth || any) && (!ca || names_hosts),
            lists_server_auth,
            self_issued: certificate.is_self_issued(),
            ca,
            names_hosts,
            lifetime: validity.not_after - validity.not_before + Duration::SECOND,
            key: certificate.public_key().ok().map(|key| key.algorithm()),
        }
    }

    fn has_key(&self, which: fn(KeyAlgorithm) -> bool) -> bool {
        self.key.is_some_and(which)
    }
}

/// One row: whom it concerns and when.
struct Rule {
    client: &'static str,
    applies: fn(&Facts) -> bool,
    why: &'static str,
    what_to_do: &'static str,
}

const USE_A_CA: &str = "let a CA issue it: certkit ca issue {names}";

static RULES: &[Rule] = &[
    Rule {
        client: "NSS (Firefox, Chromium on Linux)",
        applies: |facts| facts.server && facts.self_issued && !facts.ca,
        why: "among its authorities it takes only CAs; this one it takes as an exception for one server",
        what_to_do: USE_A_CA,
    },
    Rule {
        client: "certtool --verify (GnuTLS)",
        applies: |facts| facts.server && facts.self_issued && !facts.ca,
        why: "its issuer, it says, is no CA; clients that use GnuTLS, such as wget, take it",
        what_to_do: USE_A_CA,
    },
    Rule {
        client: "Firefox (NSS), rustls (webpki), Python's cryptography",
        applies: |facts| facts.server && facts.ca,
        why: "a CA's own certificate cannot be a server's",
        what_to_do: USE_A_CA,
    },
    Rule {
        client: "Go, rustls, Python's cryptography, every browser",
        applies: |facts| facts.server && !facts.names_hosts,
        why: "it has no host name or IP address in subjectAltName, and the common name no longer counts (RFC 9525 §2)",
        what_to_do: "add the server's names: --san HOST",
    },
    Rule {
        client: "Apple (Safari, macOS, iOS)",
        applies: |facts| facts.server && !facts.lists_server_auth,
        why: "its extKeyUsage does not list serverAuth",
        what_to_do: "make it with --profile server",
    },
    Rule {
        client: "Apple (Safari, macOS, iOS)",
        applies: |facts| facts.server && facts.lifetime > Duration::days(825),
        why: "it is valid for more than 825 days",
        what_to_do: "make it for less: --days 825",
    },
    Rule {
        client: "every client of today",
        applies: |facts| facts.has_key(|key| matches!(key, KeyAlgorithm::Rsa(bits) if bits < 2048)),
        why: "its RSA key has less than 2048 bits",
        what_to_do: "make a new key: --type p256 or --type rsa:3072",
    },
    Rule {
        client: "OpenSSL before 3.5, GnuTLS 3.7, Java before 24, Node 20, every browser",
        applies: |facts| {
            let ml_dsa = |key| matches!(key, KeyAlgorithm::MlDsa44 | KeyAlgorithm::MlDsa65 | KeyAlgorithm::MlDsa87);
            facts.has_key(ml_dsa)
        },
        why: "they do not know ML-DSA keys yet",
        what_to_do: "make it with --type p256",
    },
    Rule {
        client: "Chrome, Firefox, Safari, Windows, Java before 15",
        applies: |facts| facts.server && facts.has_key(|key| key == KeyAlgorithm::Ed25519),
        why: "they do not take Ed25519 keys from servers",
        what_to_do: "make it with --type p256",
    },
    Rule {
        client: "Chrome, rustls with ring",
        applies: |facts| facts.server && facts.has_key(|key| key == KeyAlgorithm::P521),
        why: "they do not take P-521 keys from servers",
        what_to_do: "make it with --type p256 or --type p384",
    },
];
