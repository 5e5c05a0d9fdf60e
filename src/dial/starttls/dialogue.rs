//! Reading what a server says, within bounds.

use std::io::{self, BufRead, Write};

use super::{Protocol, StarttlsError};

/// The most a server may say before TLS, in bytes. Mail servers and XMPP servers with all they offer say a tenth of it.
pub(super) const MOST: usize = 12 << 10;

/// One dialogue.
pub(super) struct Dialogue<'a, S> {
    pub(super) protocol: Protocol,
    stream: &'a mut S,
    received: usize,
}

impl<'a, S: BufRead + Write> Dialogue<'a, S> {
    pub(super) fn new(protocol: Protocol, stream: &'a mut S) -> Self {
        Self { protocol, stream, received: 0 }
    }

    /// Says something; `awaited` is what should come of it.
    pub(super) fn say(&mut self, bytes: &[u8], awaited: &'static str) -> Result<(), StarttlsError> {
        self.stream.write_all(bytes).and_then(|()| self.stream.flush()).map_err(|error| broken(error, awaited))
    }

    /// One line, without its end.
    pub(super) fn line(&mut self, awaited: &'static str) -> Result<String, StarttlsError> {
        let mut line = self.until(b'\n', awaited)?;
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(String::from_utf8_lossy(&line).into_owned())
    }

    /// All up to this byte, and the byte.
    pub(super) fn until(&mut self, end: u8, awaited: &'static str) -> Result<Vec<u8>, StarttlsError> {
        let mut read = Vec::new();
        // A byte at a time: what follows the line is not touched. The count is bounded by MOST.
        loop {
            let byte = self.byte(awaited)?;
            read.push(byte);
            if byte == end {
                return Ok(read);
            }
        }
    }

    /// So many bytes.
    pub(super) fn exactly(&mut self, count: usize, awaited: &'static str) -> Result<Vec<u8>, StarttlsError> {
        if self.received + count > MOST {
            return Err(StarttlsError::TooLong);
        }
        (0..count).map(|_| self.byte(awaited)).collect()
    }

    /// One byte.
    pub(super) fn byte(&mut self, awaited: &'static str) -> Result<u8, StarttlsError> {
        if self.received >= MOST {
            return Err(StarttlsError::TooLong);
        }
        let there = self.stream.fill_buf().map_err(|error| broken(error, awaited))?;
        let Some(byte) = there.first().copied() else { return Err(StarttlsError::Closed { awaited }) };
        self.stream.consume(1);
        self.received += 1;
        Ok(byte)
    }

    /// That what came is of another protocol.
    pub(super) fn other(&self, said: impl AsRef<[u8]>) -> StarttlsError {
        let said: String = String::from_utf8_lossy(said.as_ref()).chars().take(80).collect();
        StarttlsError::OtherProtocol { protocol: self.protocol, said }
    }
}

fn broken(source: io::Error, awaited: &'static str) -> StarttlsError {
    match source.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => StarttlsError::Silent { awaited },
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => {
            StarttlsError::Closed { awaited }
        }
        _ => StarttlsError::Io { awaited, source },
    }
}
