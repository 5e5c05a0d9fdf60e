//! A TCP connection with a deadline, which keeps what was sent and received with its times.

use std::io::{self, BufRead, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use time::OffsetDateTime;

use super::starttls::{self, Protocol, StarttlsError};

/// The most that is kept of one connection, in bytes.
const MOST_KEPT: usize = 64 << 20;

/// The most that is read at once, in bytes: more than a TLS record.
const MOST_AT_ONCE: usize = 17 << 10;

/// Times on from a point in time, by a clock that nobody sets back.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch {
    begun: OffsetDateTime,
    since: Instant,
}

/// Bytes that were sent or received at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Which way they went.
    pub direction: Direction,
    /// When they had been sent, or had come.
    pub at: OffsetDateTime,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Which way bytes went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From here to the server.
    Sent,
    /// From the server to here.
    Received,
}

/// A TCP connection.
///
/// Reads and writes fail with [`io::ErrorKind::TimedOut`] once its deadline has passed.
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    stopwatch: Stopwatch,
    deadline: Instant,
    buffer: Vec<u8>,
    consumed: usize,
    log: Vec<Chunk>,
    kept: usize,
    cut: bool,
}

impl Stopwatch {
    /// Starts: it is `now`.
    pub fn new(now: OffsetDateTime) -> Self {
        Self { begun: now, since: Instant::now() }
    }

    /// The time now.
    pub fn now(&self) -> OffsetDateTime {
        self.begun + self.since.elapsed()
    }

    /// Milliseconds since the start.
    pub fn elapsed_ms(&self) -> f64 {
        self.since.elapsed().as_secs_f64() * 1000.0
    }
}

impl Wire {
    /// Connects to an address: for those who have found it before. Connecting and all that follows share the time until the
    /// next [`Wire::allow`].
    ///
    /// # Errors
    /// When it cannot be reached in that time.
    pub fn connect(address: SocketAddr, timeout: Duration, stopwatch: Stopwatch) -> io::Result<Self> {
        let deadline = Instant::now() + timeout;
        Self::over(TcpStream::connect_timeout(&address, timeout)?, deadline, stopwatch)
    }

    pub(super) fn over(stream: TcpStream, deadline: Instant, stopwatch: Stopwatch) -> io::Result<Self> {
        // Small messages go out at once: their times are told.
        stream.set_nodelay(true)?;
        Ok(Self { stream, stopwatch, deadline, buffer: Vec::new(), consumed: 0, log: Vec::new(), kept: 0, cut: false })
    }

    /// From now on there is this much time, for everything up to the next call.
    pub fn allow(&mut self, time: Duration) {
        self.deadline = Instant::now() + time;
    }

    /// Goes through the dialogue of a protocol up to the point where TLS begins. `server` is the name of the host.
    ///
    /// # Errors
    /// As [`starttls::negotiate`], and when the server sends more than it should before TLS begins.
    pub fn start_tls(&mut self, protocol: Protocol, server: &str) -> Result<(), StarttlsError> {
        let own = match self.stream.local_addr().map(|address| address.ip()) {
            Ok(std::net::IpAddr::V4(address)) => format!("[{address}]"),
            Ok(std::net::IpAddr::V6(address)) => format!("[IPv6:{address}]"),
            Err(_) => "[127.0.0.1]".to_owned(),
        };
        starttls::negotiate(protocol, self, &own, server)?;
        match self.buffered().len() {
            0 => Ok(()),
            count => Err(StarttlsError::Injected { count }),
        }
    }

    /// All that was sent and received so far, in order. What is taken is forgotten here.
    pub fn take_log(&mut self) -> Vec<Chunk> {
        std::mem::take(&mut self.log)
    }

    /// Whether more was said than is kept (64 MiB).
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// The clock its times are from.
    pub fn stopwatch(&self) -> Stopwatch {
        self.stopwatch
    }

    fn buffered(&self) -> &[u8] {
        self.buffer.get(self.consumed..).unwrap_or_default()
    }

    fn remaining(&self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }

    fn keep(&mut self, direction: Direction, bytes: &[u8]) {
        if self.kept + bytes.len() > MOST_KEPT {
            self.cut = true;
            return;
        }
        self.kept += bytes.len();
        self.log.push(Chunk { direction, at: self.stopwatch.now(), bytes: bytes.to_vec() });
    }

    fn receive(&mut self) -> io::Result<()> {
        let mut bytes = vec![0; MOST_AT_ONCE];
        // Interrupted as often as the deadline has room for.
        let count = loop {
            self.stream.set_read_timeout(Some(self.remaining()?))?;
            match self.stream.read(&mut bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other.map_err(timed)?,
            }
        };
        bytes.truncate(count);
        if count > 0 {
            self.keep(Direction::Received, &bytes);
        }
        (self.buffer, self.consumed) = (bytes, 0);
        Ok(())
    }
}

impl BufRead for Wire {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.buffered().is_empty() {
            self.receive()?;
        }
        Ok(self.buffered())
    }

    fn consume(&mut self, count: usize) {
        self.consumed = (self.consumed + count).min(self.buffer.len());
    }
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(into)?;
        self.consume(count);
        Ok(count)
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.remaining()?))?;
        let count = self.stream.write(bytes).map_err(timed)?;
        self.keep(Direction::Sent, bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Systems disagree about what a time that has run out is called.
fn timed(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    fn wire_to(serve: impl FnOnce(TcpStream) + Send + 'static, timeout: Duration) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || serve(listener.accept().unwrap().0));
        Wire::connect(address, timeout, Stopwatch::new(OffsetDateTime::UNIX_EPOCH)).unwrap()
    }

    #[test]
    fn what_goes_both_ways_is_kept_with_its_times() {
        let mut wire = wire_to(
            |mut stream| {
                let mut asked = [0; 4];
                stream.read_exact(&mut asked).unwrap();
                stream.write_all(b"pong").unwrap();
            },
            Duration::from_secs(10),
        );
        wire.write_all(b"ping").unwrap();
        let mut answer = Vec::new();
        wire.read_to_end(&mut answer).unwrap();
        assert_eq!(answer, b"pong");
        let log = wire.take_log();
        let said: Vec<_> = log.iter().map(|chunk| (chunk.direction, chunk.bytes.as_slice())).collect();
        assert_eq!(said, [(Direction::Sent, &b"ping"[..]), (Direction::Received, b"pong")]);
        assert!(log[0].at <= log[1].at && log[0].at >= OffsetDateTime::UNIX_EPOCH);
    }

    #[test]
    fn a_server_that_says_one_byte_at_a_time_meets_the_deadline() {
        let mut wire = wire_to(
            |mut stream| {
                while stream.write_all(b"x").is_ok() {
                    thread::sleep(Duration::from_millis(20));
                }
            },
            Duration::from_millis(300),
        );
        let begun = Instant::now();
        let error = wire.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
}
