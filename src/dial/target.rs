//! Where to: a host and a port as users write them.

use std::fmt;
use std::str::FromStr;

use crate::x509::ServerName;
use crate::x509::server_name::ServerNameError;

/// A host, and a port if one was given: `example.com`, `example.com:8443`, `192.0.2.1:443`, `[2001:db8::1]:443`, `::1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The host name or address.
    pub host: ServerName,
    /// The TCP port; `None` where the protocol decides.
    pub port: Option<u16>,
}

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The host name or address.
    pub host: ServerName,
    /// The TCP port.
    pub port: u16,
}

/// Why a text names no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// What stands after the colon is no port.
    #[error("`{0}` is no port: a port is a number from 1 to 65535")]
    Port(String),
    /// Something follows the address in brackets.
    #[error("`{0}`: after the brackets only a colon and a port can follow")]
    Brackets(String),
    /// What stands in the brackets is no IPv6 address.
    #[error("`{0}` is no IPv6 address")]
    Address(String),
    /// It is a URL.
    #[error("`{0}` is a URL; give the host, and the port after a colon")]
    Url(String),
    /// The host is none.
    #[error(transparent)]
    Host(#[from] ServerNameError),
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        if text.contains("://") {
            return Err(TargetError::Url(text.to_owned()));
        }
        if let Some(rest) = text.strip_prefix('[') {
            let (address, after) = rest.split_once(']').ok_or_else(|| TargetError::Brackets(text.to_owned()))?;
            let address: std::net::Ipv6Addr = address.parse().map_err(|_| TargetError::Address(address.to_owned()))?;
            let port = match after.strip_prefix(':') {
                Some(port) => Some(port_of(port)?),
                None if after.is_empty() => None,
                None => return Err(TargetError::Brackets(text.to_owned())),
            };
            return Ok(Self { host: ServerName::Ip(address.into()), port });
        }
        // More than one colon is an IPv6 address, whose last group is no port.
        match text.split_once(':') {
            Some((host, port)) if !port.contains(':') => Ok(Self { host: host.parse()?, port: Some(port_of(port)?) }),
            _ => Ok(Self { host: text.parse()?, port: None }),
        }
    }
}

impl Target {
    /// The endpoint, with this port where none was given.
    pub fn at(self, default_port: u16) -> Endpoint {
        Endpoint { host: self.host, port: self.port.unwrap_or(default_port) }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            ServerName::Ip(std::net::IpAddr::V6(address)) => write!(f, "[{address}]:{}", self.port),
            host => write!(f, "{host}:{}", self.port),
        }
    }
}

impl serde::Serialize for Endpoint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn port_of(text: &str) -> Result<u16, TargetError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let port = text.parse().ok().filter(|port| digits && *port != 0);
    port.ok_or_else(|| TargetError::Port(text.to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn endpoint(text: &str) -> String {
        text.parse::<Target>().unwrap().at(443).to_string()
    }

    #[test]
    fn a_host_is_a_name_or_an_address_with_or_without_a_port() {
        for (text, wanted) in [
            ("example.com", "example.com:443"),
            ("Example.COM.:8443", "example.com:8443"),
            ("192.0.2.1", "192.0.2.1:443"),
            ("192.0.2.1:25", "192.0.2.1:25"),
            ("::1", "[::1]:443"),
            ("2001:db8::1", "[2001:db8::1]:443"),
            ("[::1]", "[::1]:443"),
            ("[::1]:8443", "[::1]:8443"),
            ("bücher.test", "xn--bcher-kva.test:443"),
        ] {
            assert_eq!(endpoint(text), wanted);
        }
    }

    #[test]
    fn what_names_no_target_says_why() {
        for (text, why) in [
            ("https://example.com/", "is a URL"),
            ("example.com:https", "`https` is no port"),
            ("example.com:0", "`0` is no port"),
            ("example.com:65536", "`65536` is no port"),
            ("example.com:+1", "`+1` is no port"),
            ("example.com:", "`` is no port"),
            ("[::1]8443", "after the brackets"),
            ("[::1", "after the brackets"),
            ("[127.0.0.1]", "is no IPv6 address"),
            ("a b", "a b"),
            ("*.example.com", "*.example.com"),
        ] {
            let told = text.parse::<Target>().unwrap_err().to_string();
            assert!(told.contains(why), "{text}: {told}");
        }
    }
}
