//! Hands requests on to a server in plain HTTP, as one for development is, and its answers back.

mod fields;
mod tunnel;
mod upload;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{HOST, HeaderValue};
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::{Request, StatusCode, Uri, Version};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use self::upload::Upload;
use super::connections::Ticket;
use super::https::{Content, Negotiated, Reply};

/// A server behind this one.
#[derive(Debug)]
pub struct Upstream {
    client: Client<HttpConnector, Upload>,
    authority: Authority,
}

/// Why an address is no server to hand requests to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// It is no URL.
    #[error("`{0}` is no URL such as http://127.0.0.1:3000")]
    Url(String),
    /// It is a URL of another kind.
    #[error("`{0}` does not begin with http://: what is behind is reached in plain HTTP")]
    Scheme(String),
    /// It has more than a host and a port.
    #[error("`{0}` has a path: requests keep the path they came with")]
    Path(String),
}

impl Upstream {
    /// The server at a URL of scheme, host and port.
    ///
    /// # Errors
    /// When it is something else.
    pub fn new(url: &str) -> Result<Self, UpstreamError> {
        let wrong = || UpstreamError::Url(url.to_owned());
        let parts = url.parse::<Uri>().map_err(|_| wrong())?.into_parts();
        match &parts.scheme {
            Some(scheme) if *scheme == Scheme::HTTP => {}
            Some(_) => return Err(UpstreamError::Scheme(url.to_owned())),
            None => return Err(wrong()),
        }
        if parts.path_and_query.is_some_and(|path| path != "/") {
            return Err(UpstreamError::Path(url.to_owned()));
        }
        let authority = parts.authority.filter(|authority| !authority.as_str().contains('@')).ok_or_else(wrong)?;
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT));
        connector.set_nodelay(true);
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new()).pool_idle_timeout(KEPT);
        Ok(Self { client: builder.build(connector), authority })
    }

    /// Hands on a request, and returns the answer.
    pub(super) async fn pass(
        &self,
        mut request: Request<Incoming>,
        negotiated: &Negotiated,
        ticket: &Arc<Ticket>,
    ) -> Reply {
        let wanted = fields::upgrade(request.version(), request.headers());
        let client = wanted.as_ref().map(|_| hyper::upgrade::on(&mut request));
        let Some(forwarded) = self.forwarded(request, negotiated, wanted.as_ref(), ticket) else {
            return Reply::plain(StatusCode::BAD_REQUEST, "this cannot be handed on");
        };
        let mut answer = match self.client.request(forwarded).await {
            Ok(answer) => answer,
            Err(error) => return self.unreachable(&error),
        };
        let switches = answer.status() == StatusCode::SWITCHING_PROTOCOLS;
        let tunnel = client.filter(|_| switches).map(|client| (client, hyper::upgrade::on(&mut answer)));
        let (mut head, body) = answer.into_parts();
        let agreed = fields::upgrade(Version::HTTP_11, &head.headers).filter(|_| switches);
        fields::remove_hop_by_hop(&mut head.headers);
        match (tunnel, agreed) {
            (Some((client, server)), Some(protocol)) => {
                fields::set_upgrade(&mut head.headers, &protocol);
                tokio::spawn(tunnel::join(client, server, Arc::clone(ticket)));
                hyper::Response::from_parts(head, Content::Empty).into()
            }
            _ if switches => Reply::plain(StatusCode::BAD_GATEWAY, "the server behind switches protocols unasked"),
            _ => {
                head.version = Version::default();
                hyper::Response::from_parts(head, Content::Passed(body)).into()
            }
        }
    }

    /// The request as it goes to the server behind.
    fn forwarded(
        &self,
        request: Request<Incoming>,
        negotiated: &Negotiated,
        upgrade: Option<&HeaderValue>,
        ticket: &Arc<Ticket>,
    ) -> Option<Request<Upload>> {
        let (mut head, body) = request.into_parts();
        // The name that was asked for: in HTTP/2 it stands in the URI (RFC 9113 §8.3.1).
        let named = head.uri.authority().and_then(|name| HeaderValue::from_str(name.as_str()).ok());
        let host = named.or_else(|| head.headers.get(HOST).cloned());
        let path = head.uri.path_and_query().cloned().filter(|path| path.as_str().starts_with('/'));
        let mut uri = hyper::http::uri::Parts::default();
        uri.scheme = Some(Scheme::HTTP);
        uri.authority = Some(self.authority.clone());
        uri.path_and_query = Some(path.unwrap_or(PathAndQuery::from_static("/")));
        head.uri = Uri::from_parts(uri).ok()?;
        head.version = Version::HTTP_11;
        fields::remove_hop_by_hop(&mut head.headers);
        fields::join_cookies(&mut head.headers);
        fields::set_forwarded(&mut head.headers, negotiated.peer.ip(), host.as_ref());
        if let Some(host) = host {
            head.headers.insert(HOST, host);
        }
        if let Some(protocol) = upgrade {
            fields::set_upgrade(&mut head.headers, protocol);
        }
        Some(Request::from_parts(head, Upload::new(body, Arc::clone(ticket))))
    }

    fn unreachable(&self, error: &hyper_util::client::legacy::Error) -> Reply {
        let mut why = error.to_string();
        let (mut cause, mut timed_out) = (error.source(), false);
        while let Some(error) = cause {
            why = error.to_string();
            let system = error.downcast_ref::<std::io::Error>();
            timed_out |= system.is_some_and(|error| error.kind() == std::io::ErrorKind::TimedOut);
            cause = error.source();
        }
        let status = if timed_out { StatusCode::GATEWAY_TIMEOUT } else { StatusCode::BAD_GATEWAY };
        let did = if error.is_connect() { "cannot be reached" } else { "does not answer" };
        Reply::plain(status, &format!("the server behind this one, http://{}, {did}: {why}", self.authority))
    }
}

/// How long the server behind may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a connection to it is kept for the next request.
const KEPT: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_behind_is_a_host_in_plain_http() {
        for url in ["http://127.0.0.1:3000", "http://localhost:3000/", "http://[::1]"] {
            assert!(Upstream::new(url).is_ok(), "{url}");
        }
        for url in
            ["https://x.test", "http://x.test/a", "http://u:p@x.test", "127.0.0.1:3000", "", "http://", "/x", "x"]
        {
            assert!(Upstream::new(url).is_err(), "{url}");
        }
    }
}
