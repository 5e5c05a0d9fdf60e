//! Whether a name lies within a subtree of names (RFC 5280 §4.2.1.10): for the constraints of an issuer and the limits of
//! a profile.

use crate::x509::GeneralName;
use crate::x509::extension::GeneralSubtree;
use percent_encoding::percent_decode_str;
use std::net::Ipv4Addr;

/// Whether a name lies within a subtree; names of another form do not.
pub fn contains(base: &GeneralName, name: &GeneralName) -> bool {
    match (base, name) {
        // A base with a dot before it, which RFC 5280 does not have and OpenSSL does, leaves the domain itself out.
        (GeneralName::Dns(base), GeneralName::Dns(name)) => base.is_empty() || same(name, base) || below(name, base),
        (GeneralName::Email(base), GeneralName::Email(name)) => {
            let host = name.rsplit_once('@').map_or("", |(_, host)| host);
            match base.rsplit_once('@') {
                Some((mailbox, base_host)) => {
                    name.rsplit_once('@').is_some_and(|(local, _)| local == mailbox) && same(host, base_host)
                }
                None if base.starts_with('.') => below(host, base),
                None => base.is_empty() || same(host, base),
            }
        }
        (GeneralName::Uri(base), GeneralName::Uri(name)) => {
            let host = uri_host(name);
            // Without a host nothing can be said, and so the name counts as outside what is permitted.
            host.is_some_and(|host| if base.starts_with('.') { below(&host, base) } else { same(&host, base) })
                || base.is_empty()
        }
        (GeneralName::Ip(base), GeneralName::Ip(name)) => {
            let (address, mask) = base.split_at(base.len() / 2);
            address.len() == name.len()
                && address.iter().zip(mask).zip(name).all(|((address, mask), octet)| address & mask == octet & mask)
        }
        (GeneralName::Directory(base), GeneralName::Directory(name)) => name.is_within(base),
        _ => false,
    }
}

/// Whether a wildcard stands for a name within the subtree that is no part of the wildcard's own domain: `*.a.test` for
/// `secret.a.test`.
pub fn covers(name: &GeneralName, base: &GeneralName) -> bool {
    let (GeneralName::Dns(name), GeneralName::Dns(base)) = (name, base) else { return false };
    let domain = name.strip_prefix("*.");
    // No certificate has it as a name: of what it stands for, some client thinks otherwise.
    if domain.is_none() && name.contains('*') {
        return true;
    }
    let above = base.trim_start_matches('.').split_once('.').map(|(_, above)| above);
    domain.zip(above).is_some_and(|(domain, above)| domain.eq_ignore_ascii_case(above) && !base.starts_with('.'))
}

/// Whether every name within `inner` lies within `outer`.
pub fn encloses(outer: &GeneralName, inner: &GeneralName) -> bool {
    match (outer, inner) {
        (GeneralName::Ip(wide), GeneralName::Ip(narrow)) => {
            let (address, mask) = narrow.split_at(narrow.len() / 2);
            let (_, wide_mask) = wide.split_at(wide.len() / 2);
            let shorter = wide_mask.iter().zip(mask).all(|(wide, narrow)| wide & narrow == *wide);
            shorter && contains(outer, &GeneralName::Ip(address.to_vec()))
        }
        // A mailbox holds itself alone, a host its mailboxes.
        (GeneralName::Email(wide), GeneralName::Email(narrow)) => {
            let mailbox = if narrow.contains('@') { narrow.clone() } else { format!("x@{}", host_within(narrow)) };
            wide == narrow || (!wide.contains('@') && contains(outer, &GeneralName::Email(mailbox)))
        }
        (GeneralName::Uri(wide), GeneralName::Uri(narrow)) => {
            wide == narrow || contains(outer, &GeneralName::Uri(format!("x://{}", host_within(narrow))))
        }
        _ => contains(outer, inner),
    }
}

/// The first permitted subtree that an excluded one leaves nothing of, and that one.
pub fn excluded_whole<'a>(
    permitted: impl IntoIterator<Item = &'a GeneralSubtree>,
    excluded: &'a [GeneralSubtree],
) -> Option<(&'a GeneralSubtree, &'a GeneralSubtree)> {
    permitted.into_iter().find_map(|inner| {
        let over = excluded.iter().find(|outer| outer.base == inner.base || encloses(&outer.base, &inner.base))?;
        Some((inner, over))
    })
}

/// A host within a domain that constrains e-mail addresses or URIs: itself, or one below where it begins with a dot.
fn host_within(base: &str) -> String {
    if base.starts_with('.') { format!("x{base}") } else { base.to_owned() }
}

fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// Whether `host` has at least one label before `base`.
fn below(host: &str, base: &str) -> bool {
    let base = base.trim_start_matches('.').to_ascii_lowercase();
    host.to_ascii_lowercase().strip_suffix(&base).is_some_and(|labels| labels.len() > 1 && labels.ends_with('.'))
}

/// The host of a URI, as whoever follows the URI finds it: percent signs decoded, without the dot of the root.
fn uri_host(uri: &str) -> Option<String> {
    let (_, host) = user_and_host(uri)?;
    let host = percent_decode_str(host).decode_utf8().ok()?;
    let host = host.strip_suffix('.').unwrap_or(&host);
    (!host.is_empty() && !host.starts_with('[')).then(|| host.to_owned())
}

/// The hosts and addresses that a URI or a mailbox is at, as far as any client may find them there: of a URI the one before an
/// `@` too, and with the scheme alone before it (`sip:ann@a.test`). Of names of another form there are none.
pub fn places_of(name: &GeneralName) -> Vec<GeneralName> {
    let texts = match name {
        GeneralName::Email(mailbox) => mailbox.rsplit_once('@').map(|(_, host)| host).into_iter().collect(),
        GeneralName::Uri(uri) => {
            let rest = uri.split_once(':').map_or("", |(_, rest)| rest);
            let authority = rest.trim_start_matches('/').split(['/', '?', '#', ';']).next().unwrap_or_default();
            authority.split('@').collect()
        }
        _ => Vec::new(),
    };
    texts.into_iter().filter_map(place).collect()
}

/// A host or an address as it stands in a URI or a mailbox: with a port, in brackets, with percent signs, with the root's dot.
fn place(text: &str) -> Option<GeneralName> {
    let bare = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address.strip_prefix("IPv6:").unwrap_or(address),
        None => text.split_once(':').map_or(text, |(host, _)| host),
    };
    let decoded = percent_decode_str(bare).decode_utf8_lossy();
    let host = decoded.strip_suffix('.').unwrap_or(&decoded);
    match host.parse() {
        _ if host.is_empty() => None,
        Ok(read @ (GeneralName::Dns(_) | GeneralName::Ip(_))) => Some(read),
        _ => Some(GeneralName::Dns(host.to_owned())),
    }
}

/// A host within a subtree of mailboxes or URIs, where the subtree is that of a host.
pub fn place_within(base: &GeneralName) -> Option<GeneralName> {
    let (GeneralName::Email(base) | GeneralName::Uri(base)) = base else { return None };
    let host = base.rsplit_once('@').map_or(base.as_str(), |(_, host)| host);
    place(&host_within(host))
}

/// Whether all clients find the same host in a URI: a DNS name, written plainly, with no user before it. Some take the user for
/// part of the host (OpenSSL), and a host that is an address is held against no constraint (RFC 5280 §4.2.1.10).
pub fn is_plain_uri(uri: &str) -> bool {
    let Some((user, host)) = user_and_host(uri) else { return false };
    let spelled = host.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet));
    user.is_none() && spelled && !host.is_empty() && !host.ends_with('.') && host.parse::<Ipv4Addr>().is_err()
}

/// The user and the host of a URI with an authority (RFC 3986 §3.2).
fn user_and_host(uri: &str) -> Option<(Option<&str>, &str)> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    let port = |(_, port): &(&str, &str)| port.bytes().all(|octet| octet.is_ascii_digit());
    Some((user, host.rsplit_once(':').filter(port).map_or(host, |(host, _)| host)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn within(base: &str, name: &str) -> bool {
        let base = match base.split_once(':').unwrap() {
            ("dns", base) => GeneralName::Dns(base.to_owned()),
            ("email", base) => GeneralName::Email(base.to_owned()),
            ("uri", base) => GeneralName::Uri(base.to_owned()),
            (_, base) => GeneralName::Directory(base.parse().unwrap()),
        };
        let name = match name.strip_prefix("dirname:") {
            Some(name) => GeneralName::Directory(name.parse().unwrap()),
            None => name.parse().unwrap(),
        };
        contains(&base, &name)
    }

    #[test]
    fn names_within_a_subtree_are_found() {
        for (base, name) in [
            ("dns:a.test", "a.test"),
            ("dns:a.test", "b.A.test"),
            ("dns:a.test", "*.a.test"),
            ("dns:.a.test", "*.a.test"),
            ("dns:", "x.example"),
            ("email:a.test", "x@a.test"),
            ("email:.a.test", "x@b.a.test"),
            ("email:x@a.test", "x@A.test"),
            ("uri:a.test", "https://a.test:8443/x"),
            ("uri:.a.test", "https://u@b.a.test/x"),
            ("uri:a.test", "https://a.test./x"),
            ("uri:a.test", "https://A%2etest:443"),
            ("dirname:O=A", "dirname:CN=x,O=a"),
        ] {
            assert!(within(base, name), "{base} {name}");
        }
    }

    #[test]
    fn names_outside_a_subtree_are_not() {
        for (base, name) in [
            ("dns:a.test", "ba.test"),
            ("dns:a.test", "a.test.evil.example"),
            ("dns:b.a.test", "a.test"),
            ("dns:.a.test", "a.test"),
            ("email:a.test", "x@b.a.test"),
            ("email:.a.test", "x@a.test"),
            ("email:x@a.test", "y@a.test"),
            ("uri:a.test", "https://b.a.test/"),
            ("uri:.a.test", "https://a.test/"),
            ("uri:a.test", "urn:uuid:a.test"),
            ("dns:a.test", "https://a.test/"),
            ("dirname:O=A", "dirname:CN=x,O=B"),
        ] {
            assert!(!within(base, name), "{base} {name}");
        }
    }

    #[test]
    fn a_uri_is_plain_where_everybody_finds_the_same_host_in_it() {
        for uri in ["https://a.test", "https://a_b.A.test:8443/x@y", "spiffe://a.test/ns/x", "ldap://a.test/??"] {
            assert!(is_plain_uri(uri), "{uri}");
        }
        for uri in [
            "urn:uuid:1",
            "https://ann@a.test/",
            "https://ann:word@a.test:1/",
            "https://a%2etest/",
            "https://a.test./",
            "https://10.0.0.1/",
            "https://[::1]:8443/",
            "https:///x",
            "https://a.test:http/",
        ] {
            assert!(!is_plain_uri(uri), "{uri}");
        }
    }

    #[test]
    fn uris_and_mailboxes_are_at_hosts_and_addresses() {
        for (name, places) in [
            ("https://a.test:8443/x", &["dns:a.test"][..]),
            ("https://u:p@A%2Etest./", &["dns:u", "dns:a.test"]),
            ("https://10.1.2.3/", &["ip:10.1.2.3"]),
            ("https://[::1]:8443/", &["ip:::1"]),
            ("sip:ann@a.test;transport=tcp", &["dns:ann", "dns:a.test"]),
            ("ann@a.test", &["dns:a.test"]),
            ("dns:a.test", &[]),
        ] {
            let found: Vec<String> = places_of(&name.parse().unwrap()).iter().map(ToString::to_string).collect();
            assert_eq!(found.iter().map(|place| place.to_lowercase()).collect::<Vec<_>>(), places, "{name}");
        }
    }

    #[test]
    fn addresses_are_compared_under_the_mask() {
        let network = GeneralName::Ip(vec![10, 0, 0, 0, 255, 0, 0, 0]);
        assert!(contains(&network, &"10.9.8.7".parse().unwrap()));
        assert!(!contains(&network, &"11.0.0.0".parse().unwrap()));
        assert!(!contains(&network, &"::1".parse().unwrap()));
    }

    #[test]
    fn a_narrower_subtree_lies_within_a_wider_one() {
        let ip = |text: &str| {
            let octets: Vec<u8> = text.split('.').map(|octet| octet.parse().unwrap()).collect();
            GeneralName::Ip(octets)
        };
        assert!(encloses(&ip("10.0.0.0.255.0.0.0"), &ip("10.1.0.0.255.255.0.0")));
        assert!(!encloses(&ip("10.1.0.0.255.255.0.0"), &ip("10.0.0.0.255.0.0.0")));
        assert!(!encloses(&ip("10.0.0.0.255.0.0.0"), &ip("11.1.0.0.255.255.0.0")));
        let mail = |text: &str| GeneralName::Email(text.to_owned());
        for (wide, narrow, inside) in [
            ("a.test", "x@a.test", true),
            ("a.test", "a.test", true),
            ("a.test", ".a.test", false),
            (".a.test", "b.a.test", true),
            (".a.test", ".b.a.test", true),
            ("x@a.test", "a.test", false),
            ("x@a.test", "x@a.test", true),
        ] {
            assert_eq!(encloses(&mail(wide), &mail(narrow)), inside, "{wide} {narrow}");
        }
        let uri = |text: &str| GeneralName::Uri(text.to_owned());
        assert!(encloses(&uri(".a.test"), &uri("b.a.test")) && !encloses(&uri("a.test"), &uri("b.a.test")));
    }
}
