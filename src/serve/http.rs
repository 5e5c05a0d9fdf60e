//! An HTTP/1.1 listener for answers that are made in memory, in a moment.
//!
//! Everything is bounded: connections, octets of a request, the time it may take to arrive, the life of a connection.
//! Where all places are taken, a newcomer gets that of the connection that has been silent longest, so clients that connect
//! and say nothing keep nobody out. `SIGINT` and `SIGTERM` end it: requests under way are answered first.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::pin::pin;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, IF_NONE_MATCH};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use super::connections::{Connections, Ticket};
use super::stop::Told;

/// How much a server gives to its clients.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// The longest body of a request, in octets.
    pub body: usize,
    /// How long the head of a request may take to arrive, from the end of the one before it; and how long its body may.
    pub arrival: Duration,
    /// How long a connection lives. It ends after the answer under way then, and in any case as long again later.
    pub life: Duration,
    /// How long requests under way have when the server is told to stop.
    pub farewell: Duration,
}

impl Limits {
    /// For requests of this many octets: 512 connections, 5 seconds for a request to arrive, a minute for a connection, 5
    /// seconds to stop.
    pub fn for_requests_of(body: usize) -> Self {
        let seconds = Duration::from_secs;
        Self { connections: 512, body, arrival: seconds(5), life: seconds(60), farewell: seconds(5) }
    }
}

/// A request that has arrived whole.
#[derive(Debug)]
pub struct Request<'a> {
    /// `GET`, `POST`, ...: as it came.
    pub method: &'a str,
    /// The path with its percent signs, from the first slash on, without the query.
    pub path: &'a str,
    /// `Content-Type`.
    pub content_type: Option<&'a str>,
    /// `If-None-Match`.
    pub if_none_match: Option<&'a str>,
    /// The body; empty where there is none.
    pub body: &'a [u8],
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code: 200.
    pub status: u16,
    /// Header fields, beside those that follow from the body.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Body,
}

/// The body of an answer. Copies share one.
#[derive(Debug, Clone, Default)]
pub struct Body(Bytes);

impl From<Vec<u8>> for Body {
    fn from(octets: Vec<u8>) -> Self {
        Self(octets.into())
    }
}

impl Answer {
    /// This body.
    pub fn ok(content_type: &str, body: impl Into<Body>) -> Self {
        Self { status: 200, headers: vec![("content-type", content_type.to_owned())], body: body.into() }
    }

    /// This status, and a line of text that says why.
    pub fn refusal(status: u16, why: &str) -> Self {
        let body = format!("{why}\n").into_bytes().into();
        Self { status, headers: vec![("content-type", "text/plain; charset=utf-8".to_owned())], body }
    }

    /// That the method is none of these.
    pub fn method_not_allowed(allowed: &'static str) -> Self {
        let mut answer = Self::refusal(405, &format!("this takes {allowed}"));
        answer.headers.push(("allow", allowed.to_owned()));
        answer
    }

    /// With this header field.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What answers requests. It is called on the threads that serve all connections, so it must not wait.
pub trait Service: Send + Sync + 'static {
    /// The answer.
    fn answer(&self, request: &Request<'_>) -> Answer;
}

/// A port that is taken; connections wait until it is served.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Takes a port: `127.0.0.1:8889`, `[::1]:8889`, `localhost:0` for any that is free.
    ///
    /// # Errors
    /// When the address has no port or no meaning, or the port is another's.
    pub fn bind(address: &str) -> io::Result<Self> {
        let addresses: Vec<SocketAddr> = address.to_socket_addrs()?.collect();
        let listener = TcpListener::bind(addresses.as_slice())?;
        listener.set_nonblocking(true)?;
        Ok(Self { address: listener.local_addr()?, listener })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `SIGINT` or `SIGTERM`.
    ///
    /// # Errors
    /// When the system gives no threads or no signals.
    pub fn serve(self, limits: Limits, service: Arc<dyn Service>) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let served = runtime.block_on(self.serve_until_told(limits, service));
        // What has not ended by now has had its time.
        runtime.shutdown_background();
        served
    }

    /// Serves as [`Self::serve`] in another thread, and in this one calls `meanwhile` every `step` until that is over.
    ///
    /// # Errors
    /// As [`Self::serve`].
    pub fn serve_while(
        self,
        limits: Limits,
        service: Arc<dyn Service>,
        step: Duration,
        mut meanwhile: impl FnMut(),
    ) -> io::Result<()> {
        let serving = thread::spawn(move || self.serve(limits, service));
        while !serving.is_finished() {
            meanwhile();
            thread::sleep(step);
        }
        serving.join().unwrap_or_else(|_| Err(io::Error::other("the server broke down")))
    }

    async fn serve_until_told(self, limits: Limits, service: Arc<dyn Service>) -> io::Result<()> {
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        let connections = Connections::new(limits.connections);
        let mut told = Told::new()?;
        loop {
            let accepted = tokio::select! {
                () = told.told() => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    let ticket = connections.enter().await;
                    tokio::spawn(converse(stream, ticket, limits, Arc::clone(&service)));
                }
                // No file descriptors are left, or the client has gone: others may come.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
        drop(listener);
        connections.dismiss(limits.farewell).await;
        Ok(())
    }
}

/// One connection, to its end.
async fn converse(stream: TcpStream, ticket: Ticket, limits: Limits, service: Arc<dyn Service>) {
    // An answer is one write: nothing is gained by waiting for more.
    _ = stream.set_nodelay(true);
    let answer = service_fn(|request| answer(request, &ticket, limits, service.as_ref()));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.arrival).max_buf_size(LONGEST_HEAD);
    let mut conversation = pin!(builder.serve_connection(TokioIo::new(stream), answer));
    let over = tokio::select! {
        // A client that breaks off, or speaks no HTTP, is no fault of the server.
        _ = conversation.as_mut() => true,
        () = ticket.evicted() => true,
        () = ticket.dismissed() => false,
        () = tokio::time::sleep(limits.life) => false,
    };
    if !over {
        conversation.as_mut().graceful_shutdown();
        tokio::select! {
            _ = conversation => {}
            () = ticket.evicted() => {}
            () = tokio::time::sleep(limits.life) => {}
        }
    }
}

async fn answer(
    request: hyper::Request<Incoming>,
    ticket: &Ticket,
    limits: Limits,
    service: &dyn Service,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let arriving = tokio::time::timeout(limits.arrival, Limited::new(body, limits.body).collect());
    let body = match arriving.await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return Ok(closing(Answer::refusal(413, &format!("a request has {} octets at most", limits.body))));
        }
        Ok(Err(_)) => return Ok(closing(Answer::refusal(400, "the request broke off"))),
        Err(_) => return Ok(closing(Answer::refusal(408, "the request took too long"))),
    };
    let text = |name: HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
    let method = if head.method == Method::HEAD { Method::GET } else { head.method.clone() };
    let request = Request {
        method: method.as_str(),
        path: head.uri.path(),
        content_type: text(CONTENT_TYPE),
        if_none_match: text(IF_NONE_MATCH),
        body: &body,
    };
    let working = ticket.working();
    let answer = service.answer(&request);
    drop(working);
    Ok(rendered(answer))
}

fn rendered(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(answer.body.0));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().append(HeaderName::from_static(name), value);
        }
    }
    response
}

/// What is left of such a request is not read.
fn closing(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = rendered(answer);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Octets of the first line and all header fields. hyper takes no less than 8 KiB.
const LONGEST_HEAD: usize = 16 << 10;

#[cfg(test)]
mod tests;
