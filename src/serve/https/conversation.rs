//! One connection, from its first octet to its last.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::event::{Event, Tally};
use super::negotiated::Negotiated;
use super::opening::{Beginning, Opening};
use super::reply::{Outgoing, Withheld};
use super::watched::Watched;
use super::{House, plain};
use crate::serve::connections::Ticket;

/// Speaks with a client until one of the two has enough.
pub(super) async fn converse(stream: TcpStream, peer: SocketAddr, ticket: Ticket, house: Arc<House>) {
    let ticket = Arc::new(ticket);
    tokio::select! {
        () = ticket.evicted() => {}
        () = talk(stream, peer, &ticket, &house) => {}
    }
}

async fn talk(stream: TcpStream, peer: SocketAddr, ticket: &Arc<Ticket>, house: &Arc<House>) {
    let Ok(local) = stream.local_addr() else { return };
    // An answer is one write: nothing is gained by waiting for more.
    _ = stream.set_nodelay(true);
    let refused = |why: String| house.journal.tell(Event::Refused { peer, why });
    let opening = tokio::select! {
        opening = Opening::of(stream, house.work.wants_first_flight()) => opening,
        () = ticket.dismissed() => return,
    };
    let Ok(opening) = opening else { return };
    match opening.beginning() {
        Beginning::Tls => {}
        Beginning::Nothing => return,
        Beginning::Noise => return refused("it does not speak TLS".to_owned()),
        Beginning::Http => {
            refused("it speaks HTTP without TLS".to_owned());
            let first = opening.first().to_vec();
            return plain::answer(opening.into_stream(), &first, local).await;
        }
    }
    let acceptor = TlsAcceptor::from(house.security());
    let accepted = tokio::select! {
        accepted = acceptor.accept(opening) => accepted,
        () = ticket.dismissed() => return,
    };
    let mut stream = match accepted {
        Ok(stream) => stream,
        Err(error) => return refused(format!("no handshake: {error}")),
    };
    house.journal.handshakes.fetch_add(1, Ordering::Relaxed);
    let (opening, connection) = stream.get_mut();
    let flight = opening.first_flight();
    let negotiated = Arc::new(Negotiated::new(connection, peer, local, flight));
    ticket.talks(negotiated.is_http2());
    serve(Watched::new(stream, Arc::clone(ticket)), negotiated, ticket, house).await;
}

/// Answers the requests of a connection.
async fn serve<T>(stream: Watched<T>, negotiated: Arc<Negotiated>, ticket: &Arc<Ticket>, house: &Arc<House>)
where
    Watched<T>: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let builder = builder(negotiated.is_http2(), house.work.answers_at_once());
    let (ticket_of_requests, house) = (Arc::clone(ticket), Arc::clone(house));
    let service = service_fn(move |request| {
        respond(request, Arc::clone(&negotiated), Arc::clone(&ticket_of_requests), Arc::clone(&house))
    });
    let mut conversation = pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    let over = tokio::select! {
        // A client that breaks off, or speaks no HTTP, is no fault of the server.
        _ = conversation.as_mut() => true,
        () = ticket.dismissed() => false,
    };
    if !over {
        conversation.as_mut().graceful_shutdown();
        _ = conversation.await;
    }
}

/// HTTP as ALPN has it: HTTP/2 where it was agreed on, and only there (RFC 9113 §3.2). With `half_close` a client that has
/// said all it has to say, and says that too, is still answered; without, it is taken to have given up.
fn builder(http2: bool, half_close: bool) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    if http2 {
        builder
            .http2()
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(LONGEST_HEADERS)
            .max_send_buf_size(LONGEST_HEAD);
        return builder.http2_only();
    }
    builder.http1().max_buf_size(LONGEST_HEAD).half_close(half_close);
    builder.http1_only()
}

async fn respond(
    request: Request<Incoming>,
    negotiated: Arc<Negotiated>,
    ticket: Arc<Ticket>,
    house: Arc<House>,
) -> Result<Response<Outgoing>, Infallible> {
    let working = ticket.working();
    house.journal.requests.fetch_add(1, Ordering::Relaxed);
    let tally = house.journal.is_read().then(|| {
        let target = request.uri().path_and_query().map_or("", |target| target.as_str());
        Box::new(Tally {
            journal: Arc::clone(&house.journal),
            connection: Arc::clone(&negotiated),
            method: request.method().as_str().to_owned(),
            target: target.chars().take(LONGEST_TARGET).collect(),
            status: 0,
            octets: 0,
            begun: Instant::now(),
            is_broken: true,
            is_withheld: false,
        })
    });
    let reply = house.work.answer(request, &negotiated, &ticket).await;
    let (head, content) = reply.into_response().into_parts();
    let tally = tally.map(|mut tally| {
        (tally.status, tally.is_broken) = (head.status.as_u16(), false);
        tally.is_withheld = head.extensions.get::<Withheld>().is_some();
        tally
    });
    Ok(Response::from_parts(head, Outgoing::new(content, tally, working)))
}

/// Octets of a request's first line and its header fields, and of what is held back for a client that reads slowly.
const LONGEST_HEAD: usize = 64 << 10;

/// Octets of the header fields of a request in HTTP/2, as RFC 9113 §6.5.2 counts them.
const LONGEST_HEADERS: u32 = 64 << 10;

/// Requests at once on a connection with HTTP/2: no fewer than RFC 9113 §6.5.2 recommends.
const STREAMS: u32 = 100;

/// Characters of a target that are logged.
const LONGEST_TARGET: usize = 2048;
