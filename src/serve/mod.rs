//! Servers: what listens on a port, and how it is bounded.
//!
//! [`http`] serves small answers over HTTP/1.1 without TLS, as OCSP responses and revocation lists are served: they are
//! signed, so nobody on the way can change them (RFC 5280 §8: HTTPS for them would ask for itself).

pub mod http;
