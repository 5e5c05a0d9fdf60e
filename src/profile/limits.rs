//! What a profile refuses to certify: the policy of whoever wrote it, beside the rules of the standards.

use super::subtree::{contains, covers, places_of};
use crate::encoding::Oid;
use crate::key::{KeyAlgorithm, SignatureAlgorithm};
use crate::x509::dns_name::common_names_compared;
use crate::x509::extension::GeneralSubtree;
use crate::x509::{DistinguishedName, GeneralName, name_text, oids};
use std::fmt;
use std::net::Ipv6Addr;
use time::Duration;

/// The limits of a profile. Those that are not set hold nothing back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Every name must lie within one of these; no demand where empty.
    pub allowed_names: Vec<GeneralSubtree>,
    /// No name may lie within one of these, whatever allows it; nor may a URI or a mailbox be at a host or an address within.
    pub denied_names: Vec<GeneralSubtree>,
    /// Whether DNS names may have a wildcard (RFC 9525 §6.3).
    pub wildcards: bool,
    /// The longest validity, both ends included.
    pub max_lifetime: Option<Duration>,
    /// The keys that are certified; any that certkit knows where empty.
    pub allowed_keys: Vec<KeyLimit>,
    /// Attributes that the subject must have.
    pub required_subject: Vec<Oid>,
}

/// Keys that are certified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyLimit {
    /// Keys of this kind, and for RSA of this size.
    One(KeyAlgorithm),
    /// RSA keys of this many bits, both ends included.
    Rsa {
        /// At least.
        least: u16,
        /// At most.
        most: u16,
    },
}

/// What is to be certified, as far as limits go.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// `subject`.
    pub name: &'a DistinguishedName,
    /// `subjectAltName`.
    pub names: &'a [GeneralName],
    /// From notBefore to notAfter, both included.
    pub lifetime: Duration,
    /// The kind of the key; `None` where it is unknown.
    pub key: Option<KeyAlgorithm>,
    /// Whether a server may present the certificate.
    pub serves: bool,
}

/// A limit that is not kept. Its text goes on after "the profile refuses".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Breach {
    /// A name lies within nothing that is allowed.
    NotAllowed {
        /// The name.
        name: String,
        /// What is allowed.
        allowed: Vec<String>,
    },
    /// A name lies within something denied, or its wildcard covers it.
    Denied {
        /// The name.
        name: String,
        /// What is denied.
        denied: String,
    },
    /// A name has a wildcard.
    Wildcard {
        /// The name.
        name: String,
    },
    /// The validity is too long.
    TooLong {
        /// How long it is.
        lifetime: Duration,
        /// How long it may be.
        most: Duration,
    },
    /// The key is of another kind or size.
    Key {
        /// What it is; `None` where certkit does not know it.
        key: Option<KeyAlgorithm>,
        /// What is allowed.
        allowed: Vec<KeyLimit>,
    },
    /// The subject lacks an attribute.
    Subject {
        /// What it lacks.
        missing: Vec<String>,
        /// What it needs.
        required: Vec<String>,
    },
    /// The issuer's key cannot make the signature the profile asks for.
    Signature {
        /// What is asked for.
        wanted: SignatureAlgorithm,
        /// The issuer's key.
        key: KeyAlgorithm,
    },
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            allowed_names: Vec::new(),
            denied_names: Vec::new(),
            wildcards: true,
            max_lifetime: None,
            allowed_keys: Vec::new(),
            required_subject: Vec::new(),
        }
    }
}

impl Limits {
    /// Every limit that is not kept.
    pub fn breaches(&self, subject: &Subject<'_>) -> Vec<Breach> {
        let mut found: Vec<Breach> = Vec::new();
        if !self.allowed_names.is_empty() || !self.denied_names.is_empty() || !self.wildcards {
            found.extend(names_of(subject).iter().filter_map(|name| self.name_breach(name)));
        }
        if let Some(most) = self.max_lifetime.filter(|most| subject.lifetime > *most) {
            found.push(Breach::TooLong { lifetime: subject.lifetime, most });
        }
        let fits = |key| self.allowed_keys.iter().any(|limit| limit.allows(key));
        if !self.allowed_keys.is_empty() && !subject.key.is_some_and(fits) {
            found.push(Breach::Key { key: subject.key, allowed: self.allowed_keys.clone() });
        }
        let missing: Vec<String> =
            self.required_subject.iter().filter(|kind| subject.name.values(kind).is_empty()).map(keyword).collect();
        if !missing.is_empty() {
            found.push(Breach::Subject { missing, required: self.required_subject.iter().map(keyword).collect() });
        }
        found
    }

    /// Whether a key of this kind is certified.
    pub fn allows_key(&self, key: KeyAlgorithm) -> bool {
        self.allowed_keys.is_empty() || self.allowed_keys.iter().any(|limit| limit.allows(key))
    }

    fn name_breach(&self, name: &GeneralName) -> Option<Breach> {
        let shown = || name.to_string();
        let mut meant = vec![name.clone()];
        meant.extend(places_of(name));
        let mapped: Vec<GeneralName> = meant.iter().filter_map(mapped_address).collect();
        meant.extend(mapped);
        let hit = |denied: &&GeneralSubtree| {
            meant.iter().any(|name| {
                contains(&denied.base, name) || covers(name, &denied.base) || is_delivered_alike(name, &denied.base)
            })
        };
        if let Some(denied) = self.denied_names.iter().find(hit) {
            return Some(Breach::Denied { name: shown(), denied: denied.base.to_string() });
        }
        let wild = matches!(name, GeneralName::Dns(name) if name.contains('*'));
        if wild && !self.wildcards {
            return Some(Breach::Wildcard { name: shown() });
        }
        let allowed = |subtree: &GeneralSubtree| contains(&subtree.base, name);
        if self.allowed_names.is_empty() || self.allowed_names.iter().any(allowed) {
            return None;
        }
        let allowed = self.allowed_names.iter().map(|subtree| subtree.base.to_string()).collect();
        Some(Breach::NotAllowed { name: shown(), allowed })
    }
}

/// All by which a client may know the subject. The common name is one where it looks like a host's or a mailbox's: some
/// clients still look for it there.
fn names_of(subject: &Subject<'_>) -> Vec<GeneralName> {
    let mut names = subject.names.to_vec();
    let telling = |name: &GeneralName| match name {
        GeneralName::Dns(host) => host.contains('.'),
        GeneralName::Ip(_) | GeneralName::Email(_) => true,
        _ => false,
    };
    let common = subject.name.common_names().into_iter().filter_map(|name| name.parse().ok()).filter(telling);
    let mailboxes = subject.name.values(&oids::EMAIL_ADDRESS).into_iter().map(GeneralName::Email);
    let compared = if subject.serves { common_names_compared(subject.name, subject.names) } else { Vec::new() };
    let is_address = |text: &String| matches!(text.parse(), Ok(GeneralName::Ip(_)));
    let hosts = compared.into_iter().filter(|text| !is_address(text)).map(GeneralName::Dns);
    for name in common.chain(mailboxes).chain(hosts) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The IPv4 address that an IPv6 address stands for (RFC 4291 §2.5.5.2).
fn mapped_address(name: &GeneralName) -> Option<GeneralName> {
    let GeneralName::Ip(octets) = name else { return None };
    let address = Ipv6Addr::from(<[u8; 16]>::try_from(octets.as_slice()).ok()?);
    Some(GeneralName::Ip(address.to_ipv4_mapped()?.octets().to_vec()))
}

/// Whether two mailboxes differ in case alone: RFC 5280 §7.5 tells them apart, and hardly any mail server does.
fn is_delivered_alike(name: &GeneralName, base: &GeneralName) -> bool {
    matches!((name, base), (GeneralName::Email(name), GeneralName::Email(base)) if name.to_lowercase() == base.to_lowercase())
}

fn keyword(kind: &Oid) -> String {
    name_text::keyword(kind).into_owned()
}

impl KeyLimit {
    /// Whether a key of this kind is within it.
    pub fn allows(self, key: KeyAlgorithm) -> bool {
        match (self, key) {
            (Self::Rsa { least, most }, KeyAlgorithm::Rsa(bits)) => (least..=most).contains(&bits),
            (Self::Rsa { .. }, _) => false,
            (Self::One(one), key) => one == key,
        }
    }
}

impl KeyLimit {
    /// Whether it allows RSA keys.
    pub(super) fn is_rsa(self) -> bool {
        matches!(self, Self::Rsa { .. } | Self::One(KeyAlgorithm::Rsa(_)))
    }
}

impl fmt::Display for KeyLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(key) => key.fmt(f),
            Self::Rsa { least: 0, most: u16::MAX } => f.write_str("RSA"),
            Self::Rsa { least, most: u16::MAX } => write!(f, "RSA-{least} or more"),
            Self::Rsa { least: 0, most } => write!(f, "RSA-{most} or less"),
            Self::Rsa { least, most } => write!(f, "RSA-{least} to RSA-{most}"),
        }
    }
}

impl Breach {
    /// The key of the profile that says so.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::NotAllowed { .. } => "allowed_names",
            Self::Denied { .. } => "denied_names",
            Self::Wildcard { .. } => "wildcards",
            Self::TooLong { .. } => "max_days",
            Self::Key { .. } => "allowed_keys",
            Self::Subject { .. } => "required_subject",
            Self::Signature { .. } => "signature",
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAllowed { name, allowed } => {
                write!(f, "{name}: it takes names within {}", joined(allowed, "or"))?;
            }
            Self::Denied { name, denied } => write!(f, "{name}: {denied} is denied")?,
            Self::Wildcard { name } => write!(f, "{name}: it takes no wildcard, name each host")?,
            Self::TooLong { lifetime, most } => {
                write!(f, "a validity of {}: it takes {} days at most", days(*lifetime), most.whole_days())?;
            }
            Self::Key { key, allowed } => {
                let key = key.map_or_else(|| "of an unknown kind".to_owned(), |key| key.to_string());
                let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
                write!(f, "a key {key}: it takes {}", joined(&allowed, "or"))?;
            }
            Self::Subject { missing, required } => {
                let (missing, required) = (joined(missing, "and"), joined(required, "and"));
                write!(f, "a subject without {missing}: it needs {required}, given with --subject")?;
            }
            Self::Signature { wanted, key } => {
                write!(f, "a CA with a {key} key: it wants the signature {wanted}, which that key cannot make")?;
            }
        }
        write!(f, " ({})", self.rule())
    }
}

/// Whole days where they are whole, and hours beside them where not.
fn days(lifetime: Duration) -> String {
    let (days, rest) = (lifetime.whole_days(), lifetime - Duration::days(lifetime.whole_days()));
    if rest.is_zero() { format!("{days} days") } else { format!("{days} days and {} seconds", rest.whole_seconds()) }
}

/// `a, b or c`.
fn joined(words: &[String], last: &str) -> String {
    match words.split_last() {
        Some((end, rest)) if !rest.is_empty() => format!("{} {last} {end}", rest.join(", ")),
        _ => words.concat(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::profile::Profile;

    const LEAF: &str = "description = \"x\"\ndays = 1\nkey_usage = [\"digitalSignature\"]\n\
                        names = [\"dns\", \"ip\", \"email\", \"uri\"]\n";

    fn limits(added: &str) -> Limits {
        Profile::from_toml("own", &format!("{LEAF}{added}")).unwrap().limits
    }

    fn said(limits: &Limits, subject: &str, names: &[&str], days: i64, key: KeyAlgorithm) -> Vec<String> {
        let names: Vec<GeneralName> = names.iter().map(|name| name.parse().unwrap()).collect();
        let name: DistinguishedName = subject.parse().unwrap();
        let subject =
            Subject { name: &name, names: &names, lifetime: Duration::days(days), key: Some(key), serves: true };
        limits.breaches(&subject).iter().map(ToString::to_string).collect()
    }

    fn names(limits: &Limits, names: &[&str]) -> Vec<String> {
        said(limits, "", names, 1, KeyAlgorithm::P256)
    }

    #[test]
    fn names_lie_within_what_is_allowed_whatever_their_form() {
        let limits = limits("allowed_names = [\"dns:a.test\", \"ip:10.0.0.0/8\", \"email:a.test\"]");
        for name in ["a.test", "x.y.a.test", "*.a.test", "10.1.2.3", "ann@a.test"] {
            assert!(names(&limits, &[name]).is_empty(), "{name}");
        }
        for name in ["b.test", "aa.test", "11.0.0.1", "::1", "ann@b.test", "https://a.test/"] {
            let said = names(&limits, &["a.test", name]);
            assert!(said.concat().contains("dns:a.test, ip:10.0.0.0/8 or email:a.test (allowed_names)"), "{said:?}");
        }
    }

    #[test]
    fn what_is_denied_is_not_had_through_a_wildcard() {
        let limits = limits("allowed_names = [\"dns:a.test\"]\ndenied_names = [\"dns:secret.a.test\"]");
        for name in ["secret.a.test", "x.secret.a.test", "*.a.test", "*.SECRET.a.test"] {
            assert!(names(&limits, &[name]).concat().contains("is denied"), "{name}");
        }
        assert!(names(&limits, &["open.a.test", "*.open.a.test"]).is_empty());
    }

    #[test]
    fn what_is_denied_is_not_had_by_another_spelling() {
        let limits =
            limits("denied_names = [\"uri:a.test\", \"uri:.b.test\", \"ip:10.0.0.0/8\", \"email:boss@a.test\"]");
        for name in [
            "https://a.test./",
            "https://A%2Etest/",
            "https://u:p@a.test:1",
            "spiffe://x%2eb.test",
            "::ffff:10.1.2.3",
            "BOSS@a.test",
        ] {
            assert!(names(&limits, &[name]).concat().contains("is denied"), "{name}");
        }
        assert!(names(&limits, &["https://c.test/a.test", "::ffff:11.1.2.3", "::a01:203"]).is_empty());
    }

    #[test]
    fn a_denied_host_is_not_had_through_a_uri_or_a_mailbox() {
        let limits = limits("denied_names = [\"dns:evil.test\", \"ip:10.0.0.0/8\"]");
        for name in [
            "https://evil.test/",
            "https://x.EVIL.test:8443/y",
            "https://evil.test@good.test/",
            "spiffe://good.test@evil%2Etest./",
            "sip:ann@evil.test",
            "ann@evil.test",
            "ann@mail.evil.test",
            "https://10.1.2.3/",
            "https://[::ffff:10.1.2.3]/",
        ] {
            assert!(names(&limits, &[name]).concat().contains("is denied"), "{name}");
        }
        assert!(!said(&limits, "emailAddress=ann@evil.test", &["good.test"], 1, KeyAlgorithm::P256).is_empty());
        for name in
            ["https://good.test/evil.test", "https://notevil.test/", "evil.test@good.test", "urn:uuid:evil.test"]
        {
            assert!(names(&limits, &[name]).is_empty(), "{name}");
        }
        // What is denied to mailboxes says nothing of hosts.
        let limits = self::limits("denied_names = [\"email:evil.test\"]");
        assert!(names(&limits, &["evil.test", "https://evil.test/"]).is_empty());
    }

    #[test]
    fn a_wildcard_can_be_left_out() {
        let limits = limits("wildcards = false");
        assert!(names(&limits, &["a.test"]).is_empty());
        assert_eq!(names(&limits, &["*.a.test"]), ["dns:*.a.test: it takes no wildcard, name each host (wildcards)"]);
    }

    #[test]
    fn the_common_name_does_not_get_round_the_limits() {
        let limits = limits("allowed_names = [\"dns:a.test\", \"email:a.test\"]");
        let said = |subject| said(&limits, subject, &["a.test"], 1, KeyAlgorithm::P256).len();
        assert_eq!((said("CN=evil.test"), said("CN=10.0.0.1"), said("emailAddress=ann@b.test")), (1, 1, 1));
        assert_eq!((said("CN=a.test"), said("CN=My Server"), said("CN=localhost")), (0, 0, 0));
    }

    #[test]
    fn a_common_name_is_a_host_where_no_dns_name_stands_beside_it() {
        let limits = limits(
            "allowed_names = [\"dns:a.test\", \"ip:10.0.0.0/8\"]\ndenied_names = [\"dns:no.a.test\"]\nwildcards = false",
        );
        let said = |name: &str| said(&limits, &format!("CN={name}"), &["10.0.0.1"], 1, KeyAlgorithm::P256).len();
        for outside in
            ["www*.evil.test", "x-.evil.test", "-x.evil.test", "db", "a%b.evil.test", "n*.a.test", "NO.a.test"]
        {
            assert_ne!(said(outside), 0, "{outside}");
        }
        for inside in ["10.0.0.1", "x-.a.test", "My Server", "spiffe://x/y"] {
            assert_eq!(said(inside), 0, "{inside}");
        }
    }

    #[test]
    fn keys_time_and_subject_are_limited_and_all_is_told() {
        let limits = limits(
            "max_days = 90\nallowed_keys = [\"P-256\", \"rsa:3072..4096\", \"ML-DSA-65\"]\nrequired_subject = [\"O\", \"C\"]",
        );
        for (key, fits) in [
            (KeyAlgorithm::P256, true),
            (KeyAlgorithm::Rsa(3072), true),
            (KeyAlgorithm::Rsa(4096), true),
            (KeyAlgorithm::Rsa(2048), false),
            (KeyAlgorithm::Rsa(8192), false),
            (KeyAlgorithm::P384, false),
        ] {
            assert_eq!(said(&limits, "O=X,C=NO", &["a.test"], 90, key).is_empty(), fits, "{key}");
        }
        assert_eq!(
            said(&limits, "O=X", &["a.test"], 91, KeyAlgorithm::Ed25519),
            [
                "a validity of 91 days: it takes 90 days at most (max_days)",
                "a key Ed25519: it takes P-256, RSA-3072 to RSA-4096 or ML-DSA-65 (allowed_keys)",
                "a subject without C: it needs O and C, given with --subject (required_subject)",
            ]
        );
    }
}
