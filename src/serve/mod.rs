//! Servers: what listens on a port, and how it is bounded.
//!
//! - [`http`] serves small answers over HTTP/1.1 without TLS, as OCSP responses and revocation lists are served: they are
//!   signed, so nobody on the way can change them (RFC 5280 §8: HTTPS for them would ask for itself).
//! - [`https`] serves HTTP/1.1 and HTTP/2 over TLS: a folder, what the connection negotiated, or another server.
//!   [`Identities`] are its certificates, [`Security`] its rules for TLS.

mod connections;
mod echo;
pub mod http;
pub mod https;
mod identity;
mod page;
mod proxy;
mod security;
mod site;
mod stop;

pub use echo::Echo;
pub use identity::{Identities, Identity, IdentityError};
pub use proxy::{Upstream, UpstreamError};
pub use security::{ClientCertificates, KeyLogFile, Security, SecurityError};
pub use site::{FileId, Site};
pub use stop::on_signal;
