//! Subtrees of `nameConstraints` as people write them.

use std::net::IpAddr;
use std::str::FromStr;

use super::constraints::GeneralSubtree;
use crate::x509::dns_name::DnsName;
use crate::x509::general_name::GeneralName;
use crate::x509::name::DistinguishedName;

/// Why a text is no subtree of names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubtreeError {
    /// Nothing that a constraint can be.
    #[error(
        "`{0}` is no name constraint: write dns:example.test, ip:10.0.0.0/8, email:example.test, \
         uri:.example.test or dirname:O=Example"
    )]
    Form(String),
    /// A domain with `*.` or a dot before it. RFC 5280 §4.2.1.10 has no form for DNS names below a domain without itself.
    #[error("`{0}` constrains no DNS names: write {1}, which stands for that domain and all below it")]
    Below(String, String),
}

impl FromStr for GeneralSubtree {
    type Err = SubtreeError;

    /// Types a subtree by trying: a network or address, `@host` or a mailbox for e-mail, a domain. `dns:`, `ip:`, `email:`,
    /// `uri:` and `dirname:` decide.
    fn from_str(text: &str) -> Result<Self, SubtreeError> {
        let refused = || SubtreeError::Form(text.to_owned());
        let base = match text.split_once(':') {
            Some(("dns", base)) => domain(base).map(GeneralName::Dns),
            Some(("email", base)) => email(base),
            Some(("uri", base)) => domain(base).map(GeneralName::Uri),
            Some(("ip", base)) => network(base).map(GeneralName::Ip),
            Some(("dirname", base)) => {
                base.parse::<DistinguishedName>().ok().filter(|name| !name.is_empty()).map(GeneralName::Directory)
            }
            _ => return untyped(text),
        };
        base.map(Self::of).ok_or_else(refused)
    }
}

impl GeneralSubtree {
    /// Everything within this base.
    pub fn of(base: GeneralName) -> Self {
        Self { base, minimum: 0, maximum: None }
    }
}

fn untyped(text: &str) -> Result<GeneralSubtree, SubtreeError> {
    if let Some(network) = network(text) {
        return Ok(GeneralSubtree::of(GeneralName::Ip(network)));
    }
    if text.contains('@') {
        return email(text.strip_prefix('@').unwrap_or(text))
            .map(GeneralSubtree::of)
            .ok_or_else(|| SubtreeError::Form(text.to_owned()));
    }
    let bare = text.strip_prefix('*').unwrap_or(text).trim_start_matches('.');
    match DnsName::host(bare) {
        Ok(name) if bare == text => Ok(GeneralSubtree::of(GeneralName::Dns(name.as_str().to_owned()))),
        Ok(name) => Err(SubtreeError::Below(text.to_owned(), name.to_string())),
        Err(_) => Err(SubtreeError::Form(text.to_owned())),
    }
}

/// A mailbox, a host, or with a dot before it all hosts below one.
fn email(text: &str) -> Option<GeneralName> {
    match text.contains('@') {
        true => format!("email:{text}").parse().ok(),
        false => domain(text).map(GeneralName::Email),
    }
}

/// A domain, perhaps with a dot before it. The empty one stands for all names.
fn domain(text: &str) -> Option<String> {
    let (dot, domain) = match text.strip_prefix('.') {
        Some(domain) => (".", domain),
        None => ("", text),
    };
    if domain.is_empty() {
        return dot.is_empty().then(String::new);
    }
    let name = DnsName::host(domain).ok()?;
    Some(format!("{dot}{name}"))
}

/// An address, and the length of its prefix unless it stands for itself alone, as address and mask.
fn network(text: &str) -> Option<Vec<u8>> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
        None => (text, None),
    };
    let (address, mask) = match address.parse().ok()? {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32_u32.checked_sub(length.unwrap_or(32))?).unwrap_or(0);
            ((u32::from(address) & mask).to_be_bytes().to_vec(), mask.to_be_bytes().to_vec())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128_u32.checked_sub(length.unwrap_or(128))?).unwrap_or(0);
            ((u128::from(address) & mask).to_be_bytes().to_vec(), mask.to_be_bytes().to_vec())
        }
    };
    Some([address, mask].concat())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn networks_are_an_address_and_a_mask() {
        assert_eq!(network("10.1.2.3/8").unwrap(), [10, 0, 0, 0, 255, 0, 0, 0]);
        assert_eq!(network("0.0.0.0/0").unwrap(), [0; 8]);
        assert_eq!(network("192.0.2.1/32").unwrap(), [192, 0, 2, 1, 255, 255, 255, 255]);
        assert_eq!(network("192.0.2.1").unwrap(), [192, 0, 2, 1, 255, 255, 255, 255]);
        assert_eq!(network("::/0").unwrap(), [0; 32]);
        for text in ["10.0.0.0/33", "::/129", "a/8", "10.0.0.0/-1", "10.0.0.0/"] {
            assert_eq!(network(text), None, "{text}");
        }
    }

    #[test]
    fn subtrees_are_typed_by_trying_and_by_prefix() {
        for (text, base) in [
            ("test", "dns:test"),
            ("Example.TEST", "dns:example.test"),
            ("localhost", "dns:localhost"),
            ("127.0.0.0/8", "ip:127.0.0.0/8"),
            ("127.0.0.1", "ip:127.0.0.1/32"),
            ("::1", "ip:::1/128"),
            ("fd00::/8", "ip:fd00::/8"),
            ("@a.test", "email:a.test"),
            ("ann@a.test", "email:ann@a.test"),
            ("email:.a.test", "email:.a.test"),
            ("uri:a.test", "uri:a.test"),
            ("dns:.a.test", "dns:.a.test"),
            ("dns:", "dns:"),
            ("dirname:O=A", "dirname:O=A"),
        ] {
            assert_eq!(text.parse::<GeneralSubtree>().unwrap().base.to_string(), base, "{text}");
        }
        for text in
            ["", "a b", "https://a.test", "dns:a b", "dns:.", "dirname:", "dirname:x", "dns:*.a.test", "a@", "-x"]
        {
            assert!(matches!(text.parse::<GeneralSubtree>(), Err(SubtreeError::Form(_))), "{text}");
        }
        for text in ["*.a.test", ".a.test"] {
            let error = text.parse::<GeneralSubtree>().unwrap_err().to_string();
            assert!(error.contains("write a.test"), "{error}");
        }
    }
}
