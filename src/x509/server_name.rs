//! The reference identity a client has in mind (RFC 9525 §2): a domain name or an IP address.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::dns_name::{DnsName, DnsNameError};

/// What the client set out to reach.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ServerName {
    /// A domain name (DNS-ID).
    Dns(DnsName),
    /// An IP address (IP-ID).
    Ip(IpAddr),
}

/// Why a text names no server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServerNameError {
    /// The text is a URL.
    #[error("`{0}` is a URL; give the host name or IP address alone")]
    Url(String),
    /// The text has a port.
    #[error("`{0}` has a port; give the host name or IP address alone")]
    Port(String),
    /// The text is neither an IP address nor a domain name.
    #[error(transparent)]
    Dns(#[from] DnsNameError),
}

impl FromStr for ServerName {
    type Err = ServerNameError;

    /// An IP address (IPv6 with or without brackets) or else a domain name.
    fn from_str(text: &str) -> Result<Self, ServerNameError> {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse() {
            return Ok(Self::Ip(address));
        }
        if text.contains("://") {
            return Err(ServerNameError::Url(text.to_owned()));
        }
        let port = text.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok());
        if port.is_some_and(|(host, _)| !host.contains(':') || host.ends_with(']')) {
            return Err(ServerNameError::Port(text.to_owned()));
        }
        Ok(Self::Dns(DnsName::host(text)?))
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => name.fmt(f),
            Self::Ip(address) => address.fmt(f),
        }
    }
}

impl serde::Serialize for ServerName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_are_tried_before_names() {
        assert_eq!("127.0.0.1".parse::<ServerName>().unwrap(), ServerName::Ip([127, 0, 0, 1].into()));
        assert_eq!("[::1]".parse::<ServerName>().unwrap().to_string(), "::1");
        assert!(matches!("Localhost.".parse().unwrap(), ServerName::Dns(name) if name.as_str() == "localhost"));
    }

    #[test]
    fn urls_and_ports_are_named_as_such() {
        for (text, part) in
            [("https://a.test/", "URL"), ("a.test:443", "port"), ("[::1]:443", "port"), ("1.2.3.400", "IPv4")]
        {
            assert!(text.parse::<ServerName>().unwrap_err().to_string().contains(part), "{text}");
        }
    }
}
