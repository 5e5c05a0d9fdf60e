//! Whether a certificate presents the identity asked for (RFC 9525 §6). Only subjectAltName counts; commonName never.

use std::net::IpAddr;

use crate::x509::{Certificate, DnsName, ExtensionError, GeneralName, ServerName};

/// The identity a verifier asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// A host name or IP address.
    Server(ServerName),
    /// An e-mail address (RFC 5280 §4.2.1.6 rfc822Name): local part as it is, host part with case folded.
    Email(String),
    /// A URI, compared character for character.
    Uri(String),
}

/// A name that was asked for and is not there, with all that helps to see why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityMismatch {
    /// The identity asked for.
    pub wanted: Identity,
    /// The names the certificate presents.
    pub presented: Vec<GeneralName>,
    /// A commonName that a client with the old fallback (curl, Python 3.11, Java, `openssl verify`) would have matched.
    pub common_name: Option<String>,
    /// A presented name that is close: it would match with a rule that RFC 9525 forbids.
    pub near_miss: Option<NearMiss>,
}

/// A presented name that looks as if it should match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NearMiss {
    /// A wildcard stands for exactly one label (RFC 9525 §6.3).
    WildcardDepth(String),
    /// A wildcard is not the whole left-most label (RFC 9525 §6.3).
    PartialWildcard(String),
    /// An IP address stands in a dNSName, where it does not count (RFC 9525 §6.4).
    IpInDns(String),
    /// The name has another form, such as a URI with the same host.
    OtherForm(GeneralName),
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Server(name) => name.fmt(f),
            Self::Email(text) | Self::Uri(text) => f.write_str(text),
        }
    }
}

/// Whether `certificate` presents `wanted`: the matching name, or why not. The outer error is a subjectAltName that does
/// not parse.
pub fn check<'a>(
    certificate: &'a Certificate,
    wanted: &Identity,
) -> Result<Result<&'a GeneralName, Box<IdentityMismatch>>, ExtensionError> {
    let presented = certificate.subject_alt_names()?;
    if let Some(name) = presented.iter().find(|name| matches(name, wanted)) {
        return Ok(Ok(name));
    }
    let common_name = match wanted {
        Identity::Server(server) => certificate.subject().common_names().into_iter().find(|cn| fallback(cn, server)),
        Identity::Email(_) | Identity::Uri(_) => None,
    };
    let near_miss = presented.iter().find_map(|name| near_miss(name, wanted));
    let presented = presented.to_vec();
    Ok(Err(Box::new(IdentityMismatch { wanted: wanted.clone(), presented, common_name, near_miss })))
}

fn matches(name: &GeneralName, wanted: &Identity) -> bool {
    match (name, wanted) {
        (GeneralName::Dns(pattern), Identity::Server(ServerName::Dns(host))) => dns_matches(pattern, host),
        (GeneralName::Ip(octets), Identity::Server(ServerName::Ip(address))) => ip_matches(octets, *address),
        (GeneralName::Email(found), Identity::Email(wanted)) => email_matches(found, wanted),
        (GeneralName::Uri(found), Identity::Uri(wanted)) => found == wanted,
        _ => false,
    }
}

/// Whether a presented dNSName covers `host` (RFC 9525 §6.3): equal with ASCII case folded, or a wildcard as the whole
/// left-most label that stands for exactly one label.
pub fn dns_matches(pattern: &str, host: &DnsName) -> bool {
    let host = host.as_str();
    match pattern.strip_prefix("*.") {
        Some(parent) => {
            let rest = host.split_once('.').map(|(_, rest)| rest);
            !parent.contains('*') && rest.is_some_and(|rest| rest.eq_ignore_ascii_case(parent))
        }
        None => pattern.eq_ignore_ascii_case(host),
    }
}

/// Octet for octet (RFC 9525 §6.4).
fn ip_matches(octets: &[u8], address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.octets() == octets,
        IpAddr::V6(v6) => v6.octets() == octets,
    }
}

fn email_matches(found: &str, wanted: &str) -> bool {
    match (found.rsplit_once('@'), wanted.rsplit_once('@')) {
        (Some((local, host)), Some((wanted_local, wanted_host))) => {
            local == wanted_local && host.eq_ignore_ascii_case(wanted_host)
        }
        _ => false,
    }
}

/// What a client with the old rule does: the commonName is taken for a host name or an address.
fn fallback(common_name: &str, server: &ServerName) -> bool {
    match server {
        ServerName::Dns(host) => dns_matches(common_name.trim_end_matches('.'), host),
        ServerName::Ip(address) => common_name.parse() == Ok(*address),
    }
}

fn near_miss(name: &GeneralName, wanted: &Identity) -> Option<NearMiss> {
    match (name, wanted) {
        (GeneralName::Dns(pattern), Identity::Server(ServerName::Dns(host))) => {
            let host = host.as_str();
            if let Some(parent) = pattern.strip_prefix("*.") {
                let parent = parent.to_ascii_lowercase();
                let too_deep = host.strip_suffix(&parent).is_some_and(|front| front.is_empty() || front.ends_with('.'));
                return too_deep.then(|| NearMiss::WildcardDepth(pattern.clone()));
            }
            let (label, parent) = pattern.split_once('.')?;
            let (_, host_parent) = host.split_once('.')?;
            let partial = label.contains('*') && host_parent.eq_ignore_ascii_case(parent);
            partial.then(|| NearMiss::PartialWildcard(pattern.clone()))
        }
        (GeneralName::Dns(text), Identity::Server(ServerName::Ip(address))) => {
            (text.parse() == Ok(*address)).then(|| NearMiss::IpInDns(text.clone()))
        }
        (GeneralName::Uri(uri), Identity::Server(server)) => {
            let host = uri.split_once("://").map(|(_, rest)| rest.split(['/', ':', '?']).next().unwrap_or_default());
            (host == Some(server.to_string().as_str())).then(|| NearMiss::OtherForm(name.clone()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn covers(pattern: &str, host: &str) -> bool {
        dns_matches(pattern, &DnsName::host(host).unwrap())
    }

    #[test]
    fn a_wildcard_is_the_whole_left_most_label_and_stands_for_one() {
        assert!(covers("*.example.com", "foo.example.com"));
        assert!(covers("*.EXAMPLE.com", "foo.example.COM"));
        for (pattern, host) in [
            ("*.example.com", "example.com"),
            ("*.example.com", "a.b.example.com"),
            ("f*.example.com", "foo.example.com"),
            ("foo.*.com", "foo.example.com"),
            ("*.*.com", "foo.example.com"),
            ("*", "localhost"),
            ("example.com.", "example.com"),
            ("example.com\0.test", "example.com"),
            (".example.com", "foo.example.com"),
            ("", "localhost"),
        ] {
            assert!(!covers(pattern, host), "{pattern} covers {host}");
        }
    }

    #[test]
    fn mail_hosts_fold_case_and_local_parts_do_not() {
        assert!(email_matches("Ann@Example.COM", "Ann@example.com"));
        assert!(!email_matches("ann@example.com", "Ann@example.com"));
        assert!(!email_matches("*@example.com", "ann@example.com"));
    }

    #[test]
    fn near_misses_are_named() {
        let host = Identity::Server("a.b.example.com".parse().unwrap());
        assert!(matches!(
            near_miss(&GeneralName::Dns("*.example.com".into()), &host),
            Some(NearMiss::WildcardDepth(_))
        ));
        let address = Identity::Server("10.0.0.1".parse().unwrap());
        assert!(matches!(near_miss(&GeneralName::Dns("10.0.0.1".into()), &address), Some(NearMiss::IpInDns(_))));
    }
}
