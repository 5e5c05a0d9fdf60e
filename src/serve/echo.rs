//! Tells a client what it negotiated, and what its ClientHello said.

use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, VARY,
};
use hyper::{Method, Request, StatusCode};
use serde::Serialize;

use super::https::{Content, Negotiated, Reply};
use super::page;
use crate::encoding::hex;
use crate::encoding::markup::escape;
use crate::tls::code::{CipherSuite, ContentType, HandshakeType, NamedGroup, ProtocolVersion};
use crate::tls::fingerprint::{Transport, ja3, ja3_text, ja4, ja4_raw};
use crate::tls::handshake::ClientHello;
use crate::tls::record::{HandshakeReader, RecordEvent, RecordReader};
use crate::transcript::{Fields, client_hello_fields};
use crate::x509::time::rfc3339;
use crate::x509::{Certificate, GeneralName};

/// Answers every request with what its connection is: a page for browsers, JSON for others and at `/json`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Echo;

impl Echo {
    pub(super) fn answer(&self, request: &Request<Incoming>, negotiated: &Negotiated) -> Reply {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return Reply::plain(StatusCode::METHOD_NOT_ALLOWED, "this takes GET and HEAD")
                .with(ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        let accepts = request.headers().get_all(ACCEPT).iter().filter_map(|field| field.to_str().ok());
        let page = request.uri().path() != "/json" && accepts.into_iter().any(|field| field.contains("text/html"));
        let told = Told::new(request, negotiated);
        let (kind, body) = match page {
            true => ("text/html; charset=utf-8", told.page()),
            false => ("application/json", told.json()),
        };
        let body = Bytes::from(body);
        let reply = Reply::new(StatusCode::OK, Content::Empty)
            .with(CONTENT_TYPE, HeaderValue::from_static(kind))
            .with(CONTENT_LENGTH, body.len().into())
            .with(VARY, HeaderValue::from_static("accept"))
            .with(CACHE_CONTROL, HeaderValue::from_static("no-store"))
            .with(CONTENT_SECURITY_POLICY, page::POLICY);
        if request.method() == Method::HEAD { reply } else { reply.with_body(body) }
    }
}

/// What there is to tell. Its fields are the JSON.
#[derive(Debug, Serialize)]
struct Told {
    client: String,
    server: String,
    version: ProtocolVersion,
    cipher_suite: CipherSuite,
    group: Option<NamedGroup>,
    protocol: Option<String>,
    server_name: Option<String>,
    resumed: bool,
    hello_retry: bool,
    http: String,
    method: String,
    target: String,
    ja4: Option<String>,
    ja4_r: Option<String>,
    ja3: Option<String>,
    ja3_text: Option<String>,
    client_certificate: Option<Shown>,
    client_hello: Option<Fields>,
}

/// A client's certificate.
#[derive(Debug, Serialize)]
struct Shown {
    subject: String,
    issuer: String,
    serial: String,
    names: Vec<String>,
    not_before: String,
    not_after: String,
    fingerprint_sha256: String,
}

impl Shown {
    fn new(certificate: &Certificate) -> Self {
        let names = certificate.subject_alt_names().unwrap_or_default();
        Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            serial: certificate.serial().to_string(),
            names: names.iter().map(GeneralName::to_string).collect(),
            not_before: rfc3339(certificate.validity().not_before),
            not_after: rfc3339(certificate.validity().not_after),
            fingerprint_sha256: hex::colons(&certificate.fingerprint_sha256()),
        }
    }
}

impl Told {
    fn new<B>(request: &Request<B>, negotiated: &Negotiated) -> Self {
        let hello = negotiated.first_flight.as_deref().and_then(client_hello);
        let hello = hello.as_ref();
        Self {
            client: negotiated.peer.to_string(),
            server: negotiated.local.to_string(),
            version: negotiated.version,
            cipher_suite: negotiated.cipher_suite,
            group: negotiated.group,
            protocol: negotiated.protocol.clone(),
            server_name: negotiated.server_name.clone(),
            resumed: negotiated.resumed,
            hello_retry: negotiated.retried,
            http: format!("{:?}", request.version()),
            method: request.method().to_string(),
            target: request.uri().path_and_query().map_or("", |target| target.as_str()).to_owned(),
            ja4: hello.map(|hello| ja4(hello, Transport::Tcp)),
            ja4_r: hello.map(|hello| ja4_raw(hello, Transport::Tcp)),
            ja3: hello.map(ja3),
            ja3_text: hello.map(ja3_text),
            client_certificate: negotiated.client_certificates.first().map(Shown::new),
            client_hello: hello.map(client_hello_fields),
        }
    }

    fn json(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        text
    }

    fn page(&self) -> Vec<u8> {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_owned());
        let yes = |flag: bool| if flag { "yes" } else { "no" }.to_owned();
        let mut rows = vec![
            ("version", self.version.to_string()),
            ("cipher suite", self.cipher_suite.to_string()),
            ("key exchange", self.group.map_or_else(|| "none: resumed".to_owned(), |group| group.to_string())),
            ("application protocol (ALPN)", or_none(&self.protocol)),
            ("server name (SNI)", or_none(&self.server_name)),
            ("resumed", yes(self.resumed)),
            ("HelloRetryRequest", yes(self.hello_retry)),
            ("client", self.client.clone()),
            ("server", self.server.clone()),
            ("request", format!("{} {} {}", self.method, self.target, self.http)),
            ("JA4", or_none(&self.ja4)),
            ("JA4_r", or_none(&self.ja4_r)),
            ("JA3", or_none(&self.ja3)),
        ];
        match &self.client_certificate {
            None => rows.push(("client certificate", "none".to_owned())),
            Some(shown) => rows.extend([
                ("client certificate", shown.subject.clone()),
                ("issuer", shown.issuer.clone()),
                ("names", shown.names.join(", ")),
                ("valid", format!("{} to {}", shown.not_before, shown.not_after)),
                ("SHA-256", shown.fingerprint_sha256.clone()),
            ]),
        }
        let row = |(name, value): (&str, String)| format!("<tr><th>{}<td>{}\n", escape(name), escape(&value));
        let table: String = rows.into_iter().map(row).collect();
        let hello = self.client_hello.as_ref().map(Fields::rows).unwrap_or_default();
        let hello: String =
            hello.iter().map(|one| format!("{}{:<24} {}\n", "  ".repeat(one.depth), one.name, one.text)).collect();
        let body = format!(
            "<table>\n{table}</table>\n<h2>ClientHello</h2>\n<pre>{}</pre>\n\
             <p>The same as JSON: <a href=\"/json\">/json</a>\n",
            escape(&hello)
        );
        page::page("This connection", STYLE, &body).into_bytes()
    }
}

/// The ClientHello at the start of what a client sent; the first of two, where the server asked for another.
fn client_hello(flight: &[u8]) -> Option<ClientHello> {
    let (mut records, mut messages) = (RecordReader::new(), HandshakeReader::default());
    records.push(flight);
    loop {
        let RecordEvent::Record(record) = records.next().ok()?? else { return None };
        if record.content_type != ContentType::HANDSHAKE {
            return None;
        }
        messages.push(&record.fragment);
        if let Some(message) = messages.next().ok()? {
            let is_hello = message.handshake_type == HandshakeType::CLIENT_HELLO;
            return is_hello.then(|| ClientHello::decode(message.body()).ok()).flatten();
        }
    }
}

const STYLE: &str = "h2{font-size:1rem}\
                     th{text-align:left;font-weight:normal;opacity:.7;padding-right:2rem;vertical-align:top}\
                     td{overflow-wrap:anywhere}pre{overflow-x:auto;font-size:.85rem}";
