//! A client of HTTPS that sends what it is told, octet by octet, and a server of certkit to send it to.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use certkit::encoding::pem;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};

use super::Sandbox;
use super::background::{Background, free_port};

/// A running `certkit serve`.
pub(crate) struct Served<'a> {
    pub(crate) port: u16,
    pub(crate) process: Background,
    pub(crate) sandbox: &'a Sandbox,
}

/// A connection.
pub(crate) type Connection = StreamOwned<ClientConnection, TcpStream>;

/// How a client begins.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) name: String,
    pub(crate) versions: Vec<&'static SupportedProtocolVersion>,
    pub(crate) protocols: Vec<&'static str>,
    /// PEM: the certificate with its chain, and its key.
    pub(crate) certificate: Option<(Vec<u8>, Vec<u8>)>,
}

impl Default for Client {
    fn default() -> Self {
        let (name, versions) = ("localhost".to_owned(), vec![&TLS13, &TLS12]);
        Self { name, versions, protocols: Vec::new(), certificate: None }
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A header field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl Sandbox {
    /// A certificate for localhost from the sandbox's CA, in localhost.pem.
    pub(crate) fn with_site_certificate(self) -> Self {
        self.certkit(&["ca", "issue", "localhost", "127.0.0.1", "--quiet"]).expect_code(0);
        self
    }

    /// `certkit serve` with these arguments and --cert localhost.pem, on a port of its own.
    pub(crate) fn serve(&self, args: &[&str]) -> Served<'_> {
        self.serve_bare(&[args, &["--cert", "localhost.pem"]].concat())
    }

    /// `certkit serve` with these arguments, on a port of its own.
    pub(crate) fn serve_bare(&self, args: &[&str]) -> Served<'_> {
        let port = free_port();
        let run = self.command().args(["serve", "--json", "--listen", &format!("127.0.0.1:{port}")]).args(args);
        let mut process = self.start(run);
        process.wait_for(port);
        Served { port, process, sandbox: self }
    }
}

impl Served<'_> {
    /// The root of the sandbox's CA.
    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        let found = std::fs::read(self.sandbox.ca().join("ca.pem")).unwrap();
        for block in pem::read(&found) {
            roots.add(CertificateDer::from(block.unwrap().contents.to_vec())).unwrap();
        }
        roots
    }

    pub(crate) fn tcp(&self) -> TcpStream {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// A connection after its handshake.
    pub(crate) fn connect_as(&self, client: &Client) -> std::io::Result<Connection> {
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_protocol_versions(&client.versions).unwrap().with_root_certificates(self.roots());
        let mut config = match &client.certificate {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                let blocks = |pem: &[u8], label: &str| -> Vec<Vec<u8>> {
                    let blocks = pem::read(pem).into_iter().map(Result::unwrap);
                    blocks.filter(|block| block.label == label).map(|block| block.contents.to_vec()).collect()
                };
                let chain = blocks(chain, "CERTIFICATE").into_iter().map(CertificateDer::from).collect();
                let key = PrivatePkcs8KeyDer::from(blocks(key, "PRIVATE KEY").remove(0));
                builder.with_client_auth_cert(chain, PrivateKeyDer::Pkcs8(key)).unwrap()
            }
        };
        config.alpn_protocols = client.protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = ServerName::try_from(client.name.clone()).unwrap();
        let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = self.tcp();
        while connection.is_handshaking() {
            connection.complete_io(&mut stream)?;
        }
        Ok(StreamOwned::new(connection, stream))
    }

    pub(crate) fn connect(&self) -> Connection {
        self.connect_as(&Client::default()).unwrap()
    }

    /// GET on a connection of its own.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[])
    }

    /// A request on a connection of its own.
    pub(crate) fn ask(&self, method: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        ask(&mut self.connect(), method, path, fields)
    }

    /// The lines of its log, once one of them is about this.
    pub(crate) fn log_with(&self, wanted: &str) -> String {
        let begun = std::time::Instant::now();
        loop {
            let said = self.process.said();
            if said.contains(wanted) {
                return said;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "the log lacks {wanted}:\n{said}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A request, and its answer.
pub(crate) fn ask<S: Read + Write>(stream: &mut S, method: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
    let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    stream.write_all(format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{fields}\r\n").as_bytes()).unwrap();
    read_answer(stream, method == "HEAD").unwrap_or_else(|why| panic!("{method} {path}: {why}"))
}

/// Reads an answer with a Content-Length, or without a body.
pub(crate) fn read_answer<S: Read>(stream: &mut S, is_head: bool) -> Result<Answer, String> {
    let mut head = Vec::new();
    let mut octet = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut octet) {
            Ok(1) => head.push(octet[0]),
            Ok(_) => return Err(format!("the answer ends after {:?}", String::from_utf8_lossy(&head))),
            Err(error) => return Err(format!("{error} after {:?}", String::from_utf8_lossy(&head))),
        }
    }
    let head = String::from_utf8(head).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut answer = Answer { status, head, body: Vec::new() };
    let length: usize = answer.field("content-length").map_or(0, |length| length.parse().unwrap());
    if !is_head && status >= 200 && status != 304 {
        answer.body = vec![0; length];
        stream.read_exact(&mut answer.body).map_err(|error| error.to_string())?;
    }
    Ok(answer)
}
