//! Common names below authorities with constraints on DNS names.
//!
//! Where subjectAltName has no DNS name, clients look for one in the common name (OpenSSL, GnuTLS), and hold it to the
//! constraints on DNS names (RFC 5280 §4.2.1.10) when it has the form of one: an IP address has it. So a certificate for an
//! address alone, which the constraints allow, would be refused for the address in its common name.

use std::borrow::Cow;

use super::{Request, constraints};
use crate::profile::Profile;
use crate::x509::dns_name::common_names_compared;
use crate::x509::{Certificate, DistinguishedName, GeneralName, oids};

/// The request as authorities of this path can certify it: without the common names that clients would hold to constraints
/// they do not keep, where these stand among the names too and nothing is lost.
pub fn fitting<'a>(path: &[&Certificate], request: &'a Request) -> Cow<'a, Request> {
    match fitting_subject(path, &request.subject, &request.names) {
        Cow::Borrowed(_) => Cow::Borrowed(request),
        Cow::Owned(subject) => Cow::Owned(Request { subject, ..request.clone() }),
    }
}

/// The subject of [`fitting`].
pub fn fitting_subject<'a>(
    path: &[&Certificate],
    subject: &'a DistinguishedName,
    names: &[GeneralName],
) -> Cow<'a, DistinguishedName> {
    let repeated = |text: &String| names.iter().any(|name| name.value() == *text);
    let refused = |text: &String| path.iter().any(|authority| constraints::refuses_dns(authority, text));
    let mut needless = held_to_dns_constraints(subject, names);
    needless.retain(|text| repeated(text) && refused(text));
    if needless.is_empty() {
        return Cow::Borrowed(subject);
    }
    let mut levels = subject.levels();
    for level in &mut levels {
        level.retain(|attribute| attribute.kind != oids::COMMON_NAME || !needless.contains(&attribute.text()));
    }
    levels.retain(|level| !level.is_empty());
    Cow::Owned(DistinguishedName::new(&levels))
}

/// The common names that clients hold to constraints on DNS names.
pub(super) fn held_to_dns_constraints(subject: &DistinguishedName, names: &[GeneralName]) -> Vec<String> {
    let mut common_names = common_names_compared(subject, names);
    common_names.retain(|text| looks_like_a_host(text));
    common_names
}

/// The common names in which clients may find a host: where a server may present the certificate all that OpenSSL compares with
/// it, and elsewhere those that clients hold to constraints on DNS names.
pub(super) fn taken_for_hosts(profile: &Profile, subject: &DistinguishedName, names: &[GeneralName]) -> Vec<String> {
    match profile.is_for_servers() {
        true => common_names_compared(subject, names),
        false => held_to_dns_constraints(subject, names),
    }
}

/// Labels of letters, digits, hyphens and underscores, joined by dots.
fn looks_like_a_host(text: &str) -> bool {
    let plain = |label: &str| {
        let within = label.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'));
        within && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    text.contains('.') && text.split('.').all(plain)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn held(subject: &str, names: &[&str]) -> Vec<String> {
        let names: Vec<GeneralName> = names.iter().map(|name| name.parse().unwrap()).collect();
        held_to_dns_constraints(&subject.parse().unwrap(), &names)
    }

    #[test]
    fn a_common_name_counts_where_it_looks_like_a_host_and_none_stands_beside_it() {
        assert_eq!(held("CN=127.0.0.1", &["127.0.0.1"]), ["127.0.0.1"]);
        assert_eq!(held("CN=v1.2,O=Example", &[]), ["v1.2"]);
        assert!(held("CN=127.0.0.1", &["127.0.0.1", "a.test"]).is_empty());
        for other in ["ann", "Ann B. Test", "::1", "a..test", ".test", "-a.test", "a.test-"] {
            assert!(held(&format!("CN={other}"), &[]).is_empty(), "{other}");
        }
    }
}
