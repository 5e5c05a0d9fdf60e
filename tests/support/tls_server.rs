//! A TLS server made of rustls, in a thread: any chain, any key, any dialogue before TLS.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use certkit::key::PrivateKey;
use certkit::tls::code::{NamedGroup, ProtocolVersion};
use certkit::x509::Certificate;
use rustls::compress::CertCompressor;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion};

/// What a server says before TLS: each answer once it has heard something that ends as told.
pub(crate) type Dialogue = &'static [(&'static [u8], &'static [u8])];

/// What it says to every request.
pub(crate) const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n";

/// A server to be.
pub(crate) struct TlsServer {
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) key: PrivateKey,
    pub(crate) staple: Option<Vec<u8>>,
    pub(crate) version: Option<ProtocolVersion>,
    /// Those of rustls if there are none.
    pub(crate) groups: Vec<NamedGroup>,
    pub(crate) protocols: Vec<&'static str>,
    /// Clients must have a certificate of this root.
    pub(crate) clients: Option<Certificate>,
    /// How much early data it takes, in bytes.
    pub(crate) early_data: u32,
    /// Whether it remembers sessions.
    pub(crate) resumes: bool,
    pub(crate) before: Dialogue,
    /// What it compresses its certificates with, where the client can undo it (RFC 8879).
    pub(crate) compressors: Vec<&'static dyn CertCompressor>,
}

impl TlsServer {
    /// With this chain, its own certificate first.
    pub(crate) fn new(chain: Vec<Vec<u8>>, key: &PrivateKey) -> Self {
        Self {
            chain,
            key: key.clone(),
            staple: None,
            version: None,
            groups: Vec::new(),
            protocols: Vec::new(),
            clients: None,
            early_data: 0,
            resumes: true,
            before: &[],
            compressors: Vec::new(),
        }
    }

    /// Starts it, and returns its port on 127.0.0.1. It ends with the process.
    pub(crate) fn start(self) -> u16 {
        let before = self.before;
        let config = Arc::new(self.config());
        on_port(move |stream| talk(stream, &config, before))
    }

    fn config(self) -> ServerConfig {
        let mut provider: CryptoProvider = aws_lc_rs::default_provider();
        if !self.groups.is_empty() {
            let wanted = |group: &NamedGroup| {
                aws_lc_rs::ALL_KX_GROUPS.iter().copied().find(|known| u16::from(known.name()) == group.0).unwrap()
            };
            provider.kx_groups = self.groups.iter().map(wanted).collect();
        }
        let key = provider.key_provider.load_private_key(PrivateKeyDer::Pkcs8(self.key.to_pkcs8_der().to_vec().into()));
        let mut certified = CertifiedKey::new(self.chain.into_iter().map(CertificateDer::from).collect(), key.unwrap());
        certified.ocsp = self.staple;
        let versions: &[&SupportedProtocolVersion] = match self.version {
            None => rustls::ALL_VERSIONS,
            Some(ProtocolVersion::TLS1_2) => &[&rustls::version::TLS12],
            Some(_) => &[&rustls::version::TLS13],
        };
        let provider = Arc::new(provider);
        let builder =
            ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions).unwrap();
        let builder = match self.clients {
            None => builder.with_no_client_auth(),
            Some(root) => {
                let mut roots = RootCertStore::empty();
                roots.add(CertificateDer::from(root.der().to_vec())).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
                builder.with_client_cert_verifier(verifier)
            }
        };
        // Whether key and certificate belong together is not looked at.
        let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.alpn_protocols = self.protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        config.cert_compressors = self.compressors;
        config.max_early_data_size = self.early_data;
        if !self.resumes {
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        config
    }
}

/// Has every connection to a port of 127.0.0.1 handled in a thread of its own. It ends with the process.
pub(crate) fn on_port(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = Arc::clone(&serve);
            thread::spawn(move || {
                stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                serve(stream);
            });
        }
    });
    port
}

/// Says its part of a dialogue.
pub(crate) fn say(stream: &mut TcpStream, dialogue: Dialogue) -> Option<()> {
    let mut heard = Vec::new();
    for (after, says) in dialogue {
        while !heard.ends_with(after) {
            let mut byte = [0];
            stream.read_exact(&mut byte).ok()?;
            heard.push(byte[0]);
        }
        stream.write_all(says).ok()?;
    }
    Some(())
}

/// Answers one request, which may come as early data. Clients may do what they like.
fn talk(mut stream: TcpStream, config: &Arc<ServerConfig>, before: Dialogue) {
    if say(&mut stream, before).is_none() {
        return;
    }
    let mut connection = ServerConnection::new(Arc::clone(config)).unwrap();
    let mut request = Vec::new();
    while connection.is_handshaking() {
        if connection.complete_io(&mut stream).is_err() {
            return;
        }
    }
    if let Some(mut early) = connection.early_data() {
        _ = early.read_to_end(&mut request);
    }
    let mut tls = rustls::Stream::new(&mut connection, &mut stream);
    let mut bytes = [0; 1024];
    while !request.ends_with(b"\r\n\r\n") {
        match tls.read(&mut bytes) {
            Ok(count) if count > 0 => request.extend_from_slice(&bytes[..count]),
            _ => break,
        }
    }
    if request.ends_with(b"\r\n\r\n") {
        _ = tls.write_all(PAGE.as_bytes());
    }
    connection.send_close_notify();
    _ = connection.complete_io(&mut stream);
}
