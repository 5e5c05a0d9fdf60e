//! GeneralName (RFC 5280 §4.2.1.6): the forms a subject alternative name can take.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::dns_name::{DnsName, DnsNameError};
use super::name::DistinguishedName;
use crate::encoding::der::{self, DerError, Reader, Tlv, tag};
use crate::encoding::{Oid, hex};

/// One name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GeneralName {
    /// `otherName`: a type and the encoding of its value.
    Other(Oid, Vec<u8>),
    /// `rfc822Name`: an e-mail address.
    Email(String),
    /// `dNSName`, as it stands in the certificate.
    Dns(String),
    /// `x400Address`: its content octets.
    X400(Vec<u8>),
    /// `directoryName`.
    Directory(DistinguishedName),
    /// `ediPartyName`: its content octets.
    EdiParty(Vec<u8>),
    /// `uniformResourceIdentifier`.
    Uri(String),
    /// `iPAddress`: 4 or 16 octets; 8 or 32 (address and mask) in name constraints; other sizes as they were found.
    Ip(Vec<u8>),
    /// `registeredID`.
    RegisteredId(Oid),
}

/// Why a text is no name a certificate can carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GeneralNameError {
    /// Not a domain name.
    #[error(transparent)]
    Dns(#[from] DnsNameError),
    /// `ip:` before something else.
    #[error("`{name}` is not an IP address{zone}", name = .0, zone = about_zone(.0))]
    Ip(String),
    /// Not an e-mail address.
    #[error("`{0}` is not an e-mail address of ASCII characters")]
    Email(String),
    /// Not a URI.
    #[error("`{0}` is not a URI with a scheme, such as https://example.test/ or urn:uuid:…")]
    Uri(String),
    /// A host with a port.
    #[error("`{0}` has a port, and a certificate is for a host with all its ports: leave the port out")]
    Port(String),
    /// A name that begins with a hyphen is an option out of place.
    #[error("`{0}` begins with a hyphen: an option out of place? no certificate name begins so")]
    Option(String),
}

impl FromStr for GeneralName {
    type Err = GeneralNameError;

    /// Types a name by trying: IP address, URI, e-mail address, domain name. `dns:`, `ip:`, `email:` and `uri:` force.
    fn from_str(text: &str) -> Result<Self, GeneralNameError> {
        if text.starts_with('-') {
            return Err(GeneralNameError::Option(text.to_owned()));
        }
        if let Some((kind, rest)) = text.split_once(':') {
            match kind.to_ascii_lowercase().as_str() {
                "dns" => return dns(rest),
                "ip" => return ip(rest).ok_or_else(|| GeneralNameError::Ip(rest.to_owned())),
                "email" => return email(rest),
                "uri" => return uri(rest),
                _ => {}
            }
        }
        if let Some(address) = ip(text) {
            return Ok(address);
        }
        if has_zone(text) {
            return Err(GeneralNameError::Ip(text.to_owned()));
        }
        if has_port(text) {
            return Err(GeneralNameError::Port(text.to_owned()));
        }
        if text.contains("://") || text.split_once(':').is_some_and(|(scheme, _)| is_scheme(scheme)) {
            uri(text)
        } else if text.contains('@') {
            email(text)
        } else {
            dns(text)
        }
    }
}

fn dns(text: &str) -> Result<GeneralName, GeneralNameError> {
    Ok(GeneralName::Dns(DnsName::asked_for(text)?.as_str().to_owned()))
}

fn ip(text: &str) -> Option<GeneralName> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().map(GeneralName::from_ip)
}

/// Whether this is an IPv6 address with a zone (RFC 4007 §11).
fn has_zone(text: &str) -> bool {
    text.split_once('%')
        .is_some_and(|(address, _)| address.contains(':') && ip(address.trim_start_matches('[')).is_some())
}

/// Whether this is a host and a port: `localhost:8443`. A URI that looks like one (`tel:110`) is written with its form.
fn has_port(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        let is_port = (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
        is_port && (ip(host).is_some() || DnsName::pattern(host).is_ok())
    })
}

fn about_zone(text: &str) -> &'static str {
    if has_zone(text) {
        " that a certificate can have: its zone means something on one machine alone (RFC 4007 §11), leave it out"
    } else {
        ""
    }
}

fn email(text: &str) -> Result<GeneralName, GeneralNameError> {
    let refused = || GeneralNameError::Email(text.to_owned());
    let (local, host) = text.rsplit_once('@').ok_or_else(refused)?;
    let plain = local.bytes().all(|byte| byte.is_ascii_graphic() && !b"@,;<>()[]\\\"".contains(&byte));
    if local.is_empty() || !plain || local.len() > 64 {
        return Err(refused());
    }
    let host = DnsName::host(host).map_err(|_| refused())?;
    Ok(GeneralName::Email(format!("{local}@{host}")))
}

fn uri(text: &str) -> Result<GeneralName, GeneralNameError> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    match text.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) && !rest.is_empty() && plain => Ok(GeneralName::Uri(text.to_owned())),
        _ => Err(GeneralNameError::Uri(text.to_owned())),
    }
}

/// RFC 3986 §3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

impl GeneralName {
    /// An `iPAddress`.
    pub fn from_ip(address: IpAddr) -> Self {
        Self::Ip(match address {
            IpAddr::V4(v4) => v4.octets().to_vec(),
            IpAddr::V6(v6) => v6.octets().to_vec(),
        })
    }

    /// A name from its encoding.
    pub fn from_tlv(tlv: Tlv<'_>) -> Result<Self, DerError> {
        const OTHER: u8 = tag::context_constructed(0);
        const EMAIL: u8 = tag::context(1);
        const DNS: u8 = tag::context(2);
        const X400: u8 = tag::context_constructed(3);
        const DIRECTORY: u8 = tag::context_constructed(4);
        const EDI_PARTY: u8 = tag::context_constructed(5);
        const URI: u8 = tag::context(6);
        const IP: u8 = tag::context(7);
        const REGISTERED_ID: u8 = tag::context(8);
        match tlv.tag {
            OTHER => {
                let mut other = tlv.reader();
                let kind = other.oid()?;
                let value = other.expect(tag::context_constructed(0))?;
                other.finish()?;
                Ok(Self::Other(kind, value.to_vec()))
            }
            EMAIL => ia5(tlv.value).map(Self::Email),
            DNS => ia5(tlv.value).map(Self::Dns),
            X400 => Ok(Self::X400(tlv.value.to_vec())),
            DIRECTORY => DistinguishedName::from_der(tlv.value).map(Self::Directory),
            EDI_PARTY => Ok(Self::EdiParty(tlv.value.to_vec())),
            URI => ia5(tlv.value).map(Self::Uri),
            IP => Ok(Self::Ip(tlv.value.to_vec())),
            REGISTERED_ID => Oid::from_content(tlv.value)
                .map(Self::RegisteredId)
                .map_err(|_| DerError::Value("malformed registeredID")),
            _ => Err(DerError::Value("a GeneralName of no known form")),
        }
    }

    /// The encoding.
    pub fn to_der(&self) -> Vec<u8> {
        match self {
            Self::Other(kind, value) => {
                let value = der::tlv(tag::context_constructed(0), value);
                der::tlv(tag::context_constructed(0), &[der::oid(kind), value].concat())
            }
            Self::Email(text) => der::tlv(tag::context(1), text.as_bytes()),
            Self::Dns(text) => der::tlv(tag::context(2), text.as_bytes()),
            Self::X400(content) => der::tlv(tag::context_constructed(3), content),
            Self::Directory(name) => der::tlv(tag::context_constructed(4), name.der()),
            Self::EdiParty(content) => der::tlv(tag::context_constructed(5), content),
            Self::Uri(text) => der::tlv(tag::context(6), text.as_bytes()),
            Self::Ip(octets) => der::tlv(tag::context(7), octets),
            Self::RegisteredId(oid) => der::tlv(tag::context(8), oid.content()),
        }
    }

    /// The IP address, where the name is one of 4 or 16 octets.
    pub fn ip(&self) -> Option<IpAddr> {
        let Self::Ip(octets) = self else { return None };
        let v4 = <[u8; 4]>::try_from(octets.as_slice()).map(IpAddr::from);
        v4.or_else(|_| <[u8; 16]>::try_from(octets.as_slice()).map(IpAddr::from)).ok()
    }

    /// The form's name, as users type it before the colon.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Other(..) => "other",
            Self::Email(_) => "email",
            Self::Dns(_) => "dns",
            Self::X400(_) => "x400",
            Self::Directory(_) => "dirname",
            Self::EdiParty(_) => "ediparty",
            Self::Uri(_) => "uri",
            Self::Ip(_) => "ip",
            Self::RegisteredId(_) => "rid",
        }
    }

    /// The name alone, without its form.
    pub fn value(&self) -> String {
        match self {
            Self::Other(kind, value) => format!("{kind}={}", hex::encode(value)),
            Self::Email(text) | Self::Dns(text) | Self::Uri(text) => text.clone(),
            Self::X400(content) | Self::EdiParty(content) => hex::encode(content),
            Self::Directory(name) => name.to_string(),
            Self::Ip(octets) => ip_text(octets),
            Self::RegisteredId(oid) => oid.to_string(),
        }
    }
}

impl fmt::Display for GeneralName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.kind())?;
        match self {
            Self::Email(text) | Self::Dns(text) | Self::Uri(text) => f.write_str(text),
            _ => f.write_str(&self.value()),
        }
    }
}

impl serde::Serialize for GeneralName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads GeneralNames, a SEQUENCE OF one or more names, from the content of that SEQUENCE.
pub fn read_names(mut names: Reader<'_>) -> Result<Vec<GeneralName>, DerError> {
    let mut found = Vec::new();
    while !names.is_empty() {
        found.push(GeneralName::from_tlv(names.any()?)?);
    }
    if found.is_empty() { Err(DerError::Value("GeneralNames is empty (RFC 5280 §4.2.1.6)")) } else { Ok(found) }
}

/// GeneralNames: the content of the SEQUENCE.
pub fn write_names(names: &[GeneralName]) -> Vec<u8> {
    names.iter().flat_map(GeneralName::to_der).collect()
}

fn ia5(octets: &[u8]) -> Result<String, DerError> {
    match std::str::from_utf8(octets) {
        Ok(text) if text.is_ascii() => Ok(text.to_owned()),
        _ => Err(DerError::Value("IA5String with octets outside ASCII")),
    }
}

/// An address, or an address with a mask as `10.0.0.0/8`, or hexadecimal digits where the size fits neither.
fn ip_text(octets: &[u8]) -> String {
    let address = |octets: &[u8]| GeneralName::Ip(octets.to_vec()).ip();
    if let Some(address) = address(octets) {
        return address.to_string();
    }
    let (base, mask) = octets.split_at(octets.len() / 2);
    let ones: u32 = mask.iter().map(|octet| octet.leading_ones()).sum();
    match (octets.len(), address(base), address(mask)) {
        (8 | 32, Some(base), Some(_)) if is_prefix(mask) => format!("{base}/{ones}"),
        (8 | 32, Some(base), Some(mask)) => format!("{base}/{mask}"),
        _ => hex::encode(octets),
    }
}

fn is_prefix(mask: &[u8]) -> bool {
    let ones: u32 = mask.iter().map(|octet| octet.count_ones()).sum();
    let leading = mask.iter().take_while(|&&octet| octet == 0xff).count() as u32 * 8;
    let partial = mask.iter().find(|&&octet| octet != 0xff).map_or(0, |octet| octet.leading_ones());
    ones == leading + partial
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_typed_by_trying_and_by_prefix() {
        for (text, name) in [
            ("localhost", "dns:localhost"),
            ("*.Example.test", "dns:*.example.test"),
            ("bücher.example", "dns:xn--bcher-kva.example"),
            ("127.0.0.1", "ip:127.0.0.1"),
            ("::1", "ip:::1"),
            ("[fe80::1]", "ip:fe80::1"),
            ("ann@example.test", "email:ann@example.test"),
            ("spiffe://a.test/b", "uri:spiffe://a.test/b"),
            ("urn:uuid:1", "uri:urn:uuid:1"),
            ("dns:10", "error"),
            ("DNS:a.test", "dns:a.test"),
            ("ip:a.test", "error"),
            ("-ecdsa", "error"),
            ("256.1.1.1", "error"),
            ("a b@c.test", "error"),
            ("localhost:8443", "error"),
            ("127.0.0.1:80", "error"),
            ("[::1]:8443", "error"),
            ("uri:tel:110", "uri:tel:110"),
        ] {
            let read = text.parse::<GeneralName>();
            assert_eq!(read.map_or_else(|_| "error".to_owned(), |name| name.to_string()), name, "{text}");
        }
    }

    #[test]
    fn every_form_reads_what_it_writes() {
        let names = vec![
            GeneralName::Other("1.2.3".parse().unwrap(), der::null()),
            GeneralName::Email("a@b.test".into()),
            GeneralName::Dns("a.test".into()),
            GeneralName::X400(vec![]),
            GeneralName::Directory(DistinguishedName::common_name_only("x")),
            GeneralName::EdiParty(vec![]),
            GeneralName::Uri("urn:x".into()),
            GeneralName::Ip(vec![10, 0, 0, 0, 255, 0, 0, 0]),
            GeneralName::RegisteredId("1.2.3".parse().unwrap()),
        ];
        let encoded = write_names(&names);
        assert_eq!(read_names(Reader::new(&encoded)).unwrap(), names);
    }

    #[test]
    fn masks_are_shown_as_prefixes_where_they_are() {
        assert_eq!(ip_text(&[10, 0, 0, 0, 255, 0, 0, 0]), "10.0.0.0/8");
        assert_eq!(ip_text(&[10, 0, 0, 0, 255, 0, 255, 0]), "10.0.0.0/255.0.255.0");
        assert_eq!(ip_text(&[1, 2, 3]), "010203");
    }
}
