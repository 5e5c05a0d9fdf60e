//! The rules of a server for TLS: versions, certificates, what clients have to show, and where secrets go.

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{KeyLog, RootCertStore, ServerConfig};

use super::Identities;
use crate::tls::keys::key_log_line;
use crate::x509::Certificate;

/// The rules.
#[derive(Debug, Clone)]
pub struct Security {
    /// Its certificates.
    pub identities: Arc<Identities>,
    /// Takes TLS 1.3 alone, and not 1.2.
    pub only_tls13: bool,
    /// What clients have to show, if anything.
    pub clients: Option<ClientCertificates>,
    /// Where the secrets of connections are written.
    pub key_log: Option<Arc<KeyLogFile>>,
}

/// Certificates of clients.
#[derive(Debug, Clone)]
pub struct ClientCertificates {
    /// Who issues them.
    pub authorities: Vec<Certificate>,
    /// Whether a client must have one. One that shows a certificate of others is refused in any case.
    pub required: bool,
}

/// Why the rules cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecurityError {
    /// A certificate that is no authority's.
    #[error("{name} cannot be an authority for clients")]
    Authority {
        /// Whose certificate it is.
        name: String,
        /// What rustls says.
        #[source]
        source: rustls::Error,
    },
    /// Client certificates cannot be checked.
    #[error("client certificates cannot be checked")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
    /// TLS cannot be spoken.
    #[error("TLS cannot be spoken")]
    Tls(#[from] rustls::Error),
    /// The system gives no thread.
    #[error("the server cannot be started")]
    System(#[from] io::Error),
}

impl Security {
    /// The rules as rustls has them, with session tickets, for HTTP/2 and HTTP/1.1.
    pub(super) fn config(&self) -> Result<Arc<ServerConfig>, SecurityError> {
        let provider = Arc::new(default_provider());
        let versions: &[_] = if self.only_tls13 { &[&TLS13] } else { &[&TLS13, &TLS12] };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions)?;
        let builder = match &self.clients {
            None => builder.with_no_client_auth(),
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                for authority in &clients.authorities {
                    let added = roots.add(CertificateDer::from(authority.der()));
                    added.map_err(|source| SecurityError::Authority { name: authority.display_name(), source })?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier = if clients.required { verifier } else { verifier.allow_unauthenticated() };
                builder.with_client_cert_verifier(verifier.build()?)
            }
        };
        let mut config = builder.with_cert_resolver(Arc::clone(&self.identities) as _);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.ticketer = Ticketer::new()?;
        if let Some(key_log) = &self.key_log {
            config.key_log = Arc::clone(key_log) as _;
        }
        Ok(Arc::new(config))
    }
}

/// A key log (RFC 9850): whoever has it can read the connections.
pub struct KeyLogFile {
    to: Mutex<Box<dyn Write + Send>>,
    failed: AtomicBool,
}

impl KeyLogFile {
    /// Writes here, a line at a time.
    pub fn new(to: Box<dyn Write + Send>) -> Self {
        Self { to: Mutex::new(to), failed: AtomicBool::new(false) }
    }

    /// Whether a line could not be written since this was last asked.
    pub fn has_failed(&self) -> bool {
        self.failed.swap(false, Ordering::Relaxed)
    }
}

impl KeyLog for KeyLogFile {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        let line = key_log_line(label, client_random, secret);
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        if to.write_all(line.as_bytes()).and_then(|()| to.flush()).is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for KeyLogFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { to: _, failed } = self;
        f.debug_struct("KeyLogFile").field("failed", failed).finish_non_exhaustive()
    }
}
