//! `nameConstraints` that hold: what is not permitted is closed, form by form.
//!
//! RFC 5280 §4.2.1.10 applies a constraint to names of its own form only: whoever permits `dns:test` alone has permitted
//! every address, mailbox and URI there is. So each form of which nothing is permitted is closed, by permitting of it what
//! nobody has: DNS names, mailboxes and URIs of `invalid` (RFC 6761 §6.4), the address 255.255.255.255 (RFC 919) and
//! ffff:ffff::, which is no host's. GnuTLS takes IPv4 and IPv6 for two forms, so each is closed by itself.
//!
//! To exclude everything of a form (CA/B Forum BR 7.1.5) says the same in the standard and not in programs: OpenSSL 3.0 finds
//! no mailbox excluded by the empty one, NSS 3.87 no URI by the empty host; Java 17 cannot read an empty mailbox, and an
//! excluded ::/0 makes it fail on every IPv4 address.

use crate::x509::GeneralName;
use crate::x509::extension::{GeneralSubtree, NameConstraints};

/// The constraints that permit this and nothing else, and exclude that. Where nothing is permitted in particular, all is that
/// is not excluded.
pub fn confine(permitted: Vec<GeneralSubtree>, excluded: Vec<GeneralSubtree>) -> NameConstraints {
    let mut confined = NameConstraints { permitted, excluded };
    if confined.permitted.is_empty() {
        return confined;
    }
    for nobody in nobodys() {
        if !confined.permitted.iter().any(|subtree| same_form(&subtree.base, &nobody)) {
            confined.permitted.push(GeneralSubtree::of(nobody));
        }
    }
    confined
}

/// Whether a permitted subtree only closes its form.
pub fn permits_nobody(base: &GeneralName) -> bool {
    nobodys().contains(base)
}

/// One subtree of each form in which nobody has a name.
fn nobodys() -> [GeneralName; 5] {
    let invalid = || "invalid".to_owned();
    let alone = |address: &[u8]| GeneralName::Ip([address, &vec![0xff; address.len()]].concat());
    let mut no_host = [0; 16];
    no_host.iter_mut().take(4).for_each(|octet| *octet = 0xff);
    [
        GeneralName::Dns(invalid()),
        GeneralName::Email(invalid()),
        GeneralName::Uri(invalid()),
        alone(&[0xff; 4]),
        alone(&no_host),
    ]
}

fn same_form(one: &GeneralName, other: &GeneralName) -> bool {
    match (one, other) {
        (GeneralName::Ip(one), GeneralName::Ip(other)) => one.len() == other.len(),
        _ => one.kind() == other.kind(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn said(permitted: &[&str], excluded: &[&str]) -> (String, String) {
        let read = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let confined = confine(read(permitted), read(excluded));
        let list = |subtrees: &[GeneralSubtree]| {
            subtrees.iter().map(|subtree| subtree.base.to_string()).collect::<Vec<_>>().join(" ")
        };
        (list(&confined.permitted), list(&confined.excluded))
    }

    #[test]
    fn every_form_that_is_not_permitted_is_closed() {
        let (no_dns, no_mail, no_uri) = ("dns:invalid", "email:invalid", "uri:invalid");
        let (no_v4, no_v6) = ("ip:255.255.255.255/32", "ip:ffff:ffff::/128");
        for (permitted, all) in [
            (&["test"][..], vec!["dns:test", no_mail, no_uri, no_v4, no_v6]),
            (&["10.0.0.0/8"], vec!["ip:10.0.0.0/8", no_dns, no_mail, no_uri, no_v6]),
            (&["test", "::1"], vec!["dns:test", "ip:::1/128", no_mail, no_uri, no_v4]),
            (&["dirname:O=A"], vec!["dirname:O=A", no_dns, no_mail, no_uri, no_v4, no_v6]),
            (&["@a.test", "uri:a.test"], vec!["email:a.test", "uri:a.test", no_dns, no_v4, no_v6]),
        ] {
            assert_eq!(said(permitted, &["x.test"]), (all.join(" "), "dns:x.test".to_owned()));
        }
    }

    #[test]
    fn excluding_alone_closes_nothing_else() {
        assert_eq!(said(&[], &["evil.test"]), (String::new(), "dns:evil.test".to_owned()));
    }
}
