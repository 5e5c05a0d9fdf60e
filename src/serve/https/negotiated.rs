//! What the two ends of a connection agreed on.

use std::net::SocketAddr;

use rustls::{HandshakeKind, ServerConnection};

use crate::tls::code::{CipherSuite, NamedGroup, ProtocolVersion};
use crate::x509::Certificate;

/// A connection after its handshake.
#[derive(Debug, Clone)]
pub struct Negotiated {
    /// The client.
    pub peer: SocketAddr,
    /// The address it came to.
    pub local: SocketAddr,
    /// The version of TLS.
    pub version: ProtocolVersion,
    /// The cipher suite.
    pub cipher_suite: CipherSuite,
    /// The group of the key exchange; a resumption in TLS 1.2 has none.
    pub group: Option<NamedGroup>,
    /// The application protocol of ALPN: `h2`, `http/1.1`.
    pub protocol: Option<String>,
    /// The host the client asked for.
    pub server_name: Option<String>,
    /// Whether an earlier session was resumed.
    pub resumed: bool,
    /// Whether the server asked for another key share first.
    pub retried: bool,
    /// The client's certificate and those that came with it.
    pub client_certificates: Vec<Certificate>,
    /// The octets of the client's first flight, records and all, where they were kept.
    pub first_flight: Option<Vec<u8>>,
}

impl Negotiated {
    pub(super) fn new(
        connection: &ServerConnection,
        peer: SocketAddr,
        local: SocketAddr,
        first_flight: Option<Vec<u8>>,
    ) -> Self {
        let kind = connection.handshake_kind();
        let certificates = connection.peer_certificates().unwrap_or_default();
        Self {
            peer,
            local,
            version: ProtocolVersion(connection.protocol_version().map_or(0, u16::from)),
            cipher_suite: CipherSuite(connection.negotiated_cipher_suite().map_or(0, |suite| suite.suite().into())),
            group: connection.negotiated_key_exchange_group().map(|group| NamedGroup(group.name().into())),
            protocol: connection.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
            server_name: connection.server_name().map(str::to_owned),
            resumed: kind == Some(HandshakeKind::Resumed),
            retried: kind == Some(HandshakeKind::FullWithHelloRetryRequest),
            client_certificates: certificates.iter().filter_map(|der| Certificate::from_der(der).ok()).collect(),
            first_flight,
        }
    }

    /// Whether the two speak HTTP/2.
    pub fn is_http2(&self) -> bool {
        self.protocol.as_deref() == Some("h2")
    }
}
