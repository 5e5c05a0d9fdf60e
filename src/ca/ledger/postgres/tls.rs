//! TLS to a PostgreSQL server. Its certificate is always checked: a path to a trusted root, and the name that the URL has.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ::postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use rustls::client::WantsClientCert;
use rustls::crypto::aws_lc_rs as provided;
use rustls::pki_types::{self, CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{CertificateError, ClientConfig, ConfigBuilder, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;

use crate::key::{HashAlgorithm, PrivateKey, SignatureAlgorithm, digest};
use crate::x509::{Certificate, ServerName};

/// How a client of a database speaks TLS: whom it believes, and who it says that it is.
#[derive(Clone)]
pub struct PostgresTls {
    config: Arc<ClientConfig>,
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresTlsError {
    /// Nobody would be believed.
    #[error("there are no roots to trust")]
    NoRoots,
    /// TLS does not sign with such a key, or it is another certificate's.
    #[error("the client's certificate and key cannot be used")]
    Identity(#[source] rustls::Error),
    /// rustls refuses the rest.
    #[error("TLS cannot be set up")]
    Setup(#[source] rustls::Error),
    /// The host is none that a certificate can be for.
    #[error("`{0}` is no name that a certificate can be checked for")]
    Host(String),
    /// The server's certificate is signed by somebody else.
    #[error("the server's certificate leads to none of the trusted roots")]
    Untrusted,
    /// The server's certificate is for another.
    #[error("the server's certificate is not for {host}")]
    OtherName {
        /// Whom it was to be for.
        host: String,
        /// What rustls says.
        source: rustls::Error,
    },
    /// The server says nothing.
    #[error("the server did not answer within {} seconds", HANDSHAKE.as_secs())]
    Silent,
    /// The handshake failed otherwise.
    #[error("the handshake failed")]
    Handshake(#[source] io::Error),
}

impl PostgresTls {
    /// Believes servers whose certificate leads to one of these roots, and has a certificate for those that ask for one: the
    /// certificate itself, then its issuers, and its key.
    ///
    /// # Errors
    /// [`PostgresTlsError::NoRoots`] where no root can be used; [`PostgresTlsError::Identity`].
    pub fn new(
        roots: &[Certificate],
        identity: Option<(&[Certificate], &PrivateKey)>,
    ) -> Result<Self, PostgresTlsError> {
        let mut store = RootCertStore::empty();
        // One that cannot be an anchor makes the set smaller, and nobody trusted.
        store.add_parsable_certificates(roots.iter().map(encoding));
        if store.is_empty() {
            return Err(PostgresTlsError::NoRoots);
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(provided::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(PostgresTlsError::Setup)?
            .with_root_certificates(store);
        let mut config = with_identity(builder, identity)?;
        // What servers look for since PostgreSQL 17 where TLS begins without being asked for (sslnegotiation=direct).
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Ok(Self { config: Arc::new(config) })
    }
}

fn with_identity(
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    identity: Option<(&[Certificate], &PrivateKey)>,
) -> Result<ClientConfig, PostgresTlsError> {
    let Some((chain, key)) = identity else { return Ok(builder.with_no_client_auth()) };
    // The copy that rustls takes lives as long as its signer, which wipes nothing: so it is with every client.
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.to_pkcs8_der().to_vec()));
    builder.with_client_auth_cert(chain.iter().map(encoding).collect(), key).map_err(PostgresTlsError::Identity)
}

fn encoding(certificate: &Certificate) -> CertificateDer<'static> {
    CertificateDer::from(certificate.der().to_vec())
}

impl std::fmt::Debug for PostgresTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { config: _ } = self;
        f.debug_struct("PostgresTls").finish_non_exhaustive()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for PostgresTls {
    type Stream = Encrypted<S>;
    type TlsConnect = Opening;
    type Error = PostgresTlsError;

    fn make_tls_connect(&mut self, host: &str) -> Result<Opening, PostgresTlsError> {
        let unusable = || PostgresTlsError::Host(host.to_owned());
        let name = match host.parse().map_err(|_| unusable())? {
            ServerName::Ip(address) => pki_types::ServerName::IpAddress(address.into()),
            ServerName::Dns(name) => {
                pki_types::ServerName::try_from(name.as_str().to_owned()).map_err(|_| unusable())?
            }
        };
        Ok(Opening { config: Arc::clone(&self.config), name, host: host.to_owned() })
    }
}

/// A connection about to be encrypted.
pub struct Opening {
    config: Arc<ClientConfig>,
    name: pki_types::ServerName<'static>,
    host: String,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Opening {
    type Stream = Encrypted<S>;
    type Error = PostgresTlsError;
    type Future = Pin<Box<dyn Future<Output = Result<Encrypted<S>, PostgresTlsError>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let Self { config, name, host } = self;
            let handshake = TlsConnector::from(config).connect(name, stream);
            match tokio::time::timeout(HANDSHAKE, handshake).await {
                Ok(Ok(stream)) => Ok(Encrypted(Box::new(stream))),
                Ok(Err(error)) => Err(told(error, host)),
                Err(_) => Err(PostgresTlsError::Silent),
            }
        })
    }
}

/// The usual refusals in plain words.
fn told(error: io::Error, host: String) -> PostgresTlsError {
    let refusal = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match refusal {
        Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => PostgresTlsError::Untrusted,
        Some(refusal @ rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. })) => {
            PostgresTlsError::OtherName { host, source: refusal.clone() }
        }
        _ => PostgresTlsError::Handshake(error),
    }
}

/// An encrypted connection.
pub struct Encrypted<S>(Box<tokio_rustls::client::TlsStream<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Encrypted<S> {
    /// The password is bound to this server's certificate (SCRAM-SHA-256-PLUS), so that nobody between can use it.
    fn channel_binding(&self) -> ChannelBinding {
        let (_, connection) = self.0.get_ref();
        let shown = connection.peer_certificates().and_then(|shown| shown.first());
        let certificate = shown.and_then(|shown| Certificate::from_der(shown).ok());
        match certificate.as_ref().and_then(end_point) {
            Some(binding) => ChannelBinding::tls_server_end_point(binding),
            None => ChannelBinding::none(),
        }
    }
}

/// tls-server-end-point (RFC 5929 §4.1): the certificate's digest by the hash of its signature, SHA-256 in place of MD5 and
/// SHA-1. It is not defined for signatures without a hash of their own, and PostgreSQL before 16 finds none in RSASSA-PSS.
fn end_point(certificate: &Certificate) -> Option<Vec<u8>> {
    let hash = match certificate.signature_algorithm().ok()? {
        SignatureAlgorithm::RsaPkcs1(hash) | SignatureAlgorithm::Ecdsa(hash) => hash,
        SignatureAlgorithm::RsaPss(..)
        | SignatureAlgorithm::Ed25519
        | SignatureAlgorithm::MlDsa44
        | SignatureAlgorithm::MlDsa65
        | SignatureAlgorithm::MlDsa87 => return None,
    };
    let hash = match hash {
        HashAlgorithm::Md5 | HashAlgorithm::Sha1 => HashAlgorithm::Sha256,
        sound => sound,
    };
    Some(digest::of(hash, certificate.der()))
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// How long a server may take for its part of the handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
