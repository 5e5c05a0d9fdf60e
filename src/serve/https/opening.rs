//! The first octets of a connection: what they are decides what is spoken.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A connection whose first octets were looked at, and come out of it again.
#[derive(Debug)]
pub(super) struct Opening {
    stream: TcpStream,
    first: Vec<u8>,
    taken: usize,
    heard: Option<Vec<u8>>,
}

/// What a client begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beginning {
    /// A handshake record (RFC 8446 §5.1).
    Tls,
    /// A request in plain HTTP: a method.
    Http,
    /// Nothing: the client has gone.
    Nothing,
    /// Anything else.
    Noise,
}

impl Opening {
    /// Waits for the first octets. `keeps`: whether the first flight is kept for [`Self::first_flight`].
    pub(super) async fn of(stream: TcpStream, keeps: bool) -> io::Result<Self> {
        loop {
            stream.readable().await?;
            let mut first = vec![0; FIRST_READ];
            match stream.try_read(&mut first) {
                Ok(count) => {
                    first.truncate(count);
                    return Ok(Self { stream, first, taken: 0, heard: keeps.then(Vec::new) });
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn beginning(&self) -> Beginning {
        match self.first.as_slice() {
            [] => Beginning::Nothing,
            // Content types of TLS; the first octet of an alert or a record of SSL 3.0 is told from noise by rustls.
            [20..=23, ..] => Beginning::Tls,
            [b'A'..=b'Z', ..] => Beginning::Http,
            _ => Beginning::Noise,
        }
    }

    /// The octets that were looked at.
    pub(super) fn first(&self) -> &[u8] {
        &self.first
    }

    /// The connection itself, without what was looked at.
    pub(super) fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// All that was read so far, if it is kept. No more is kept from here on.
    pub(super) fn first_flight(&mut self) -> Option<Vec<u8>> {
        self.heard.take()
    }
}

/// Adds octets to the first flight, where that is kept.
fn hear(flight: &mut Option<Vec<u8>>, octets: &[u8]) {
    if let Some(flight) = flight
        && flight.len() < LONGEST_FLIGHT
    {
        flight.extend_from_slice(octets);
    }
}

impl AsyncRead for Opening {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.taken < this.first.len() {
            let rest = this.first.get(this.taken..).unwrap_or_default();
            let piece = rest.get(..rest.len().min(into.remaining())).unwrap_or_default();
            into.put_slice(piece);
            hear(&mut this.heard, piece);
            this.taken += piece.len();
            if this.taken == this.first.len() {
                // An idle connection should not hold them.
                (this.first, this.taken) = (Vec::new(), 0);
            }
            return Poll::Ready(Ok(()));
        }
        let before = into.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, into);
        hear(&mut this.heard, into.filled().get(before..).unwrap_or_default());
        read
    }
}

impl AsyncWrite for Opening {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, octets)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

/// A ClientHello with a post-quantum key share has about 1800 octets.
const FIRST_READ: usize = 4 << 10;

/// More of a first flight is not kept.
const LONGEST_FLIGHT: usize = 64 << 10;
