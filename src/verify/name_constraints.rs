//! Name constraints (RFC 5280 §4.2.1.10, §6.1.3 (b) and (c)).

use super::check::Check;
use super::reason::Reason;
use super::verdict::{Findings, Place};
use crate::x509::extension::{GeneralSubtree, NameConstraints};
use crate::x509::{Certificate, GeneralName, oids};

/// How many comparisons of a name with a constraint are made in one judgment: as many as Go and rustls-webpki allow.
/// Certificates with thousands of both exist only to waste time.
pub(super) const COMPARISONS: usize = 250_000;

/// Holds every name on the path against the constraints of the certificates above it. `path` has the judged certificate
/// first.
pub(super) fn check(path: &[&Certificate], budget: &mut usize, findings: &mut Findings) {
    for (above, issuer) in path.iter().enumerate().skip(1) {
        let Ok(Some(found)) = issuer.extension::<NameConstraints>() else { continue };
        for (below, certificate) in path.iter().enumerate().take(above).rev() {
            // RFC 5280 §6.1.3 (b): a self-issued certificate is exempt unless it is the last.
            if below > 0 && certificate.is_self_issued() {
                continue;
            }
            let result = within(certificate, found.value, budget);
            let failed = result.is_err();
            findings.record(Check::NameConstraints, Place::Certificate(below), result);
            if failed {
                return;
            }
        }
    }
}

/// Whether all names of `certificate` keep to `constraints`.
fn within(certificate: &Certificate, constraints: &NameConstraints, budget: &mut usize) -> Result<(), Reason> {
    let names = Names::of(certificate);
    // Counted before any is made, so that a certificate that would exceed the limit costs nothing.
    let needed = names.len().saturating_mul(constraints.permitted.len() + constraints.excluded.len());
    let Some(left) = budget.checked_sub(needed) else {
        *budget = 0;
        return Err(Reason::GaveUp { what: "name constraint comparisons", limit: COMPARISONS });
    };
    *budget = left;
    for name in names.iter() {
        for subtree in &constraints.excluded {
            if compare(name, subtree, Side::Excluded)? == Relation::Inside {
                return Err(Reason::Excluded { name: name.clone(), base: subtree.base.clone() });
            }
        }
        let (mut constrained, mut inside) = (false, false);
        for subtree in &constraints.permitted {
            match compare(name, subtree, Side::Permitted)? {
                Relation::OtherForm => {}
                Relation::Inside => inside = true,
                Relation::Outside => constrained = true,
            }
            if inside {
                break;
            }
        }
        if constrained && !inside {
            let same_form = constraints.permitted.iter().filter(|subtree| subtree.base.kind() == name.kind());
            let permitted = same_form.map(|subtree| subtree.base.clone()).collect();
            return Err(Reason::NotPermitted { name: name.clone(), permitted });
        }
    }
    Ok(())
}

/// The names constraints apply to: every subjectAltName, the subject where it is not empty, and, where there is no
/// rfc822Name among the former, the subject's emailAddress attributes.
struct Names<'a> {
    alternative: &'a [GeneralName],
    of_subject: Vec<GeneralName>,
}

impl<'a> Names<'a> {
    fn of(certificate: &'a Certificate) -> Self {
        let alternative = certificate.subject_alt_names().unwrap_or_default();
        let mut of_subject = Vec::new();
        let subject = certificate.subject();
        if !subject.is_empty() {
            if !alternative.iter().any(|name| matches!(name, GeneralName::Email(_))) {
                of_subject.extend(subject.values(&oids::EMAIL_ADDRESS).into_iter().map(GeneralName::Email));
            }
            of_subject.push(GeneralName::Directory(subject.clone()));
        }
        Self { alternative, of_subject }
    }

    fn len(&self) -> usize {
        self.alternative.len() + self.of_subject.len()
    }

    fn iter(&self) -> impl Iterator<Item = &GeneralName> {
        self.alternative.iter().chain(&self.of_subject)
    }
}

/// Which list a subtree stands in: a name that touches an excluded one is refused, even if only in part.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Permitted,
    Excluded,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Relation {
    Inside,
    Outside,
    OtherForm,
}

fn compare(name: &GeneralName, subtree: &GeneralSubtree, side: Side) -> Result<Relation, Reason> {
    let base = &subtree.base;
    let malformed = |why| Reason::ConstraintMalformed { base: base.clone(), why };
    let same_form = std::mem::discriminant(name) == std::mem::discriminant(base);
    if same_form && (subtree.minimum != 0 || subtree.maximum.is_some()) {
        return Err(malformed("minimum and maximum are not processed (RFC 5280 §4.2.1.10)"));
    }
    let inside = match (name, base) {
        (GeneralName::Dns(name), GeneralName::Dns(base)) => dns_within(name, base, side),
        (GeneralName::Ip(name), GeneralName::Ip(base)) => {
            ip_within(name, base).ok_or_else(|| malformed("is not an address with a mask"))?
        }
        (GeneralName::Email(address), GeneralName::Email(base)) => {
            if base.matches('@').count() > 1 {
                return Err(malformed("is not an e-mail address or a host"));
            }
            email_within(address, base).ok_or_else(|| Reason::NameMalformed { name: name.clone() })?
        }
        (GeneralName::Uri(uri), GeneralName::Uri(base)) => {
            let host = uri_host(uri).ok_or_else(|| Reason::NameMalformed { name: name.clone() })?;
            host_within(host, base)
        }
        (GeneralName::Directory(name), GeneralName::Directory(base)) => name.is_within(base),
        // RFC 5280 §4.2.1.10: what cannot be processed must be refused where a name of its form is there.
        (GeneralName::Other(kind, _), GeneralName::Other(base_kind, _)) if kind != base_kind => false,
        _ if same_form => return Err(malformed("names of this form cannot be compared")),
        _ => return Ok(Relation::OtherForm),
    };
    Ok(if inside { Relation::Inside } else { Relation::Outside })
}

/// RFC 5280: the base, and every name made by adding labels on its left. A wildcard name touches an excluded subtree if
/// one of the names it stands for lies inside (CVE-2025-61727). A base that begins with a dot, which RFC 5280 does not
/// know, is taken as clients take it: names with at least one label more.
fn dns_within(name: &str, base: &str, side: Side) -> bool {
    let (name, base) = (name.trim_end_matches('.'), base.trim_end_matches('.'));
    let inside = match before(name, base) {
        Some([]) => true,
        Some([_, ..]) if base.is_empty() || base.starts_with('.') => true,
        Some(front) => matches!(front, [_, .., b'.']),
        None => false,
    };
    if inside {
        return true;
    }
    let Some(parent) = name.strip_prefix("*.").filter(|_| side == Side::Excluded) else { return false };
    base.trim_start_matches('.').split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent))
}

/// What stands before `end` at the end of `text`, case aside. Made for hundreds of thousands of comparisons.
fn before<'a>(text: &'a str, end: &str) -> Option<&'a [u8]> {
    let at = text.len().checked_sub(end.len())?;
    let (front, tail) = text.as_bytes().split_at_checked(at)?;
    tail.eq_ignore_ascii_case(end.as_bytes()).then_some(front)
}

/// `None` where the base is no address with a contiguous mask of the right size.
fn ip_within(address: &[u8], base: &[u8]) -> Option<bool> {
    if base.len() != 8 && base.len() != 32 {
        return None;
    }
    let (network, mask) = base.split_at(base.len() / 2);
    let mut zeros = false;
    for octet in mask {
        if octet.count_ones() != octet.leading_ones() || (zeros && *octet != 0) {
            return None;
        }
        zeros |= *octet != 0xff;
    }
    let same = || address.iter().zip(network).zip(mask).all(|((a, n), m)| a & m == n & m);
    Some(address.len() == network.len() && same())
}

/// RFC 5280: a mailbox, all mailboxes of a host, or (with a leading dot) of the hosts under a domain. `None` where the
/// address is none.
fn email_within(address: &str, base: &str) -> Option<bool> {
    let (local, host) = address.split_once('@').filter(|(local, host)| !local.is_empty() && !host.contains('@'))?;
    Some(match base.split_once('@') {
        Some((base_local, base_host)) => local == base_local && host.eq_ignore_ascii_case(base_host),
        None => base.is_empty() || host_within(host, base),
    })
}

/// A host exactly, or with a leading dot the hosts under a domain. The dot of the root at the end of a host changes nothing.
fn host_within(host: &str, base: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let base = base.trim_end_matches('.').to_ascii_lowercase();
    match base.strip_prefix('.') {
        Some(_) => host.ends_with(&base) && host.len() > base.len(),
        None => base.is_empty() || host == base,
    }
}

/// The host of a URI with an authority; `None` where there is none or it is an IP literal, which constraints can't be
/// held against (RFC 5280 §4.2.1.10).
fn uri_host(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host_port.split(':').next()?;
    let is_address = host.starts_with('[') || host.parse::<std::net::IpAddr>().is_ok();
    (!host.is_empty() && !is_address).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dns_constraint_covers_its_base_and_what_is_under_it() {
        for (name, base, inside) in [
            ("example.com", "example.com", true),
            ("foo.bar.Example.com", "example.COM", true),
            ("badexample.com", "example.com", false),
            ("example.com", ".example.com", false),
            ("foo.example.com", ".example.com", true),
            ("anything.test", "", true),
            ("", "", true),
            (".example.com", "example.com", false),
            ("EXAMPLE.com.", "example.com.", true),
            ("com", "example.com", false),
            ("*.example.com", "example.com", true),
            ("*.example.com", "foo.example.com", false),
        ] {
            assert_eq!(dns_within(name, base, Side::Permitted), inside, "{name} in {base}");
        }
    }

    #[test]
    fn a_wildcard_touches_an_excluded_name_it_stands_for() {
        assert!(dns_within("*.example.com", "foo.example.com", Side::Excluded));
        assert!(!dns_within("*.example.com", "a.foo.example.com", Side::Excluded));
        assert!(!dns_within("*.example.com", "foo.example.net", Side::Excluded));
    }

    #[test]
    fn address_constraints_need_contiguous_masks_and_the_same_family() {
        assert_eq!(ip_within(&[10, 1, 2, 3], &[10, 0, 0, 0, 255, 0, 0, 0]), Some(true));
        assert_eq!(ip_within(&[11, 1, 2, 3], &[10, 0, 0, 0, 255, 0, 0, 0]), Some(false));
        assert_eq!(ip_within(&[10, 1, 2, 3], &[0; 32]), Some(false));
        assert_eq!(ip_within(&[10, 1, 2, 3], &[10, 0, 0, 0, 255, 0, 255, 0]), None);
        assert_eq!(ip_within(&[10, 1, 2, 3], &[10, 0, 0, 0]), None);
    }

    #[test]
    fn mail_constraints_are_a_mailbox_a_host_or_a_domain() {
        for (address, base, inside) in [
            ("ann@example.com", "ann@example.com", Some(true)),
            ("Ann@example.com", "ann@example.com", Some(false)),
            ("*@example.com", "*@example.com", Some(true)),
            ("*@sub.example.com", "*@example.com", Some(false)),
            ("ann@example.com", "example.com", Some(true)),
            ("ann@sub.example.com", "example.com", Some(false)),
            ("ann@sub.example.com", ".example.com", Some(true)),
            ("a@b@example.com", "example.com", None),
            ("nobody", "example.com", None),
        ] {
            assert_eq!(email_within(address, base), inside, "{address} in {base}");
        }
    }

    #[test]
    fn the_host_of_a_uri_is_found_or_refused() {
        assert_eq!(uri_host("https://user@a.test:8443/x"), Some("a.test"));
        assert_eq!(uri_host("urn:uuid:1"), None);
        assert_eq!(uri_host("https://[::1]/"), None);
        assert_eq!(uri_host("https://10.0.0.1/"), None);
    }
}
