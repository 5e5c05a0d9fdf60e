//! By which rule, right or wrong, a certificate could pass for a server's name.

use std::net::IpAddr;

use super::Fact;
use crate::verify::identity;
use crate::x509::{Certificate, DnsName, GeneralName, ServerName};

/// What is to be said of `leaf` as the certificate of `wanted`; nothing where the name is plainly there.
pub(super) fn fact(leaf: &Certificate, wanted: &ServerName) -> Option<Fact> {
    // A malformed subjectAltName is a fact of its own.
    let presented = leaf.subject_alt_names().ok()?;
    match wanted {
        ServerName::Dns(host) => host_fact(leaf, presented, host),
        ServerName::Ip(address) => address_fact(leaf, presented, *address),
    }
}

fn host_fact(leaf: &Certificate, presented: &[GeneralName], host: &DnsName) -> Option<Fact> {
    let names: Vec<&str> = presented.iter().filter_map(dns).collect();
    let matching: Vec<&str> = names.iter().copied().filter(|name| identity::dns_matches(name, host)).collect();
    if !matching.is_empty() {
        let broad = matching.iter().all(|name| is_broad(name));
        return broad.then_some(Fact::BroadWildcard);
    }
    if names.iter().any(|name| name.strip_suffix('.').is_some_and(|name| identity::dns_matches(name, host))) {
        return Some(Fact::TrailingDot);
    }
    if names.iter().any(|name| is_partial_wildcard_for(name, host.as_str())) {
        return Some(Fact::PartialWildcard);
    }
    if names.iter().any(|name| is_inner_wildcard_for(name, host.as_str())) {
        return Some(Fact::WildcardInside);
    }
    let fallback = leaf.subject().common_names().iter().any(|name| identity::dns_matches(name, host));
    Some(match presented {
        [] if fallback => Fact::CommonNameOnly,
        _ if fallback && names.is_empty() => {
            let any = |form: fn(&GeneralName) -> bool| presented.iter().any(form);
            match () {
                () if any(|name| matches!(name, GeneralName::Ip(_))) => Fact::CommonNameBesideAddress,
                () if any(|name| matches!(name, GeneralName::Uri(_))) => Fact::CommonNameBesideUri,
                () => Fact::CommonNameBesideOtherNames,
            }
        }
        _ => Fact::NameAbsent,
    })
}

fn address_fact(leaf: &Certificate, presented: &[GeneralName], address: IpAddr) -> Option<Fact> {
    if presented.iter().any(|name| name.ip() == Some(address)) {
        return None;
    }
    let says = |text: &str| text.parse() == Ok(address);
    if presented.iter().filter_map(dns).any(says) {
        return Some(Fact::AddressInDnsName);
    }
    let in_common_name = leaf.subject().common_names().iter().any(|name| says(name));
    Some(if in_common_name && presented.is_empty() { Fact::AddressInCommonName } else { Fact::NameAbsent })
}

fn dns(name: &GeneralName) -> Option<&str> {
    if let GeneralName::Dns(text) = name { Some(text) } else { None }
}

/// A wildcard directly under a top-level domain.
fn is_broad(name: &str) -> bool {
    name.strip_prefix("*.").is_some_and(|parent| !parent.contains('.'))
}

/// `w*w.example.com`, as RFC 2818 §3.1 allowed and RFC 9525 §6.3 does not.
fn is_partial_wildcard_for(pattern: &str, host: &str) -> bool {
    let (Some((label, parent)), Some((host_label, host_parent))) = (pattern.split_once('.'), host.split_once('.'))
    else {
        return false;
    };
    let Some((front, back)) = label.split_once('*') else { return false };
    let host_label = host_label.to_ascii_lowercase();
    let fits = host_label.starts_with(&front.to_ascii_lowercase()) && host_label.ends_with(&back.to_ascii_lowercase());
    label.len() > 1 && fits && host_label.len() >= front.len() + back.len() && parent.eq_ignore_ascii_case(host_parent)
}

/// `www.*.com`: as many labels as the host has, with a wildcard for one that is not the first.
fn is_inner_wildcard_for(pattern: &str, host: &str) -> bool {
    let mut labels = pattern.split('.').zip(host.split('.'));
    let first = labels.next().is_some_and(|(label, wanted)| label == "*" || label.eq_ignore_ascii_case(wanted));
    let counted = pattern.split('.').count() == host.split('.').count();
    counted && first && labels.all(|(label, wanted)| label == "*" || label.eq_ignore_ascii_case(wanted))
}
