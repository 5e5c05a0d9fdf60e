//! Reads a stream in pieces of a wanted size, in bounded memory.

use std::io::{self, ErrorKind, Read};

/// How much is read at once, in bytes.
const CHUNK: usize = 256 << 10;

/// A stream and what was read of it ahead.
pub(super) struct Buffer<R> {
    from: R,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    consumed: u64,
}

impl<R: Read> Buffer<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, bytes: vec![0; CHUNK], start: 0, end: 0, consumed: 0 }
    }

    /// How many bytes have been taken.
    pub(super) fn position(&self) -> u64 {
        self.consumed
    }

    /// The next `count` bytes without taking them; fewer at the end of the stream. Memory for `count` bytes is taken,
    /// so the caller bounds it.
    pub(super) fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        self.fill(count)?;
        let end = self.end.min(self.start.saturating_add(count));
        Ok(self.bytes.get(self.start..end).unwrap_or_default())
    }

    /// The next `count` bytes, taken; `None` where the stream ends before.
    pub(super) fn take(&mut self, count: usize) -> io::Result<Option<&[u8]>> {
        self.fill(count)?;
        if self.end - self.start < count {
            return Ok(None);
        }
        let taken = self.bytes.get(self.start..self.start + count);
        self.start += count;
        self.consumed += count as u64;
        Ok(taken)
    }

    /// The next `N` bytes, taken; `None` where the stream ends before.
    pub(super) fn array<const N: usize>(&mut self) -> io::Result<Option<[u8; N]>> {
        Ok(self.take(N)?.and_then(|bytes| bytes.try_into().ok()))
    }

    /// Passes over `count` bytes, however many; false where the stream ends before.
    pub(super) fn skip(&mut self, mut count: u64) -> io::Result<bool> {
        while count > 0 {
            let step = usize::try_from(count).unwrap_or(CHUNK).min(CHUNK);
            if self.take(step)?.is_none() {
                return Ok(false);
            }
            count -= step as u64;
        }
        Ok(true)
    }

    fn fill(&mut self, count: usize) -> io::Result<()> {
        if self.end - self.start >= count {
            return Ok(());
        }
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.bytes.len() < count {
            self.bytes.resize(count.next_multiple_of(CHUNK), 0);
        }
        while self.end < count {
            match self.from.read(self.bytes.get_mut(self.end..).unwrap_or_default()) {
                Ok(0) => break,
                // A reader that claims more than there was room for is not believed.
                Ok(read) => self.end = self.bytes.len().min(self.end + read),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time, as a slow pipe does.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0.read(&mut into[..1])
        }
    }

    #[test]
    fn pieces_come_as_they_are_asked_for() {
        let all: Vec<u8> = (0..=255).cycle().take(3 * CHUNK).collect();
        let mut buffer = Buffer::new(&all[..]);
        assert_eq!(buffer.peek(4).unwrap(), &all[..4]);
        assert_eq!(buffer.take(10).unwrap(), Some(&all[..10]));
        assert_eq!(buffer.take(2 * CHUNK).unwrap(), Some(&all[10..10 + 2 * CHUNK]));
        assert!(buffer.skip(CHUNK as u64 - 12).unwrap());
        assert_eq!(buffer.peek(9).unwrap(), &all[3 * CHUNK - 2..]);
        assert_eq!(buffer.take(3).unwrap(), None);
        assert_eq!(buffer.take(2).unwrap(), Some(&all[3 * CHUNK - 2..]));
        assert_eq!(buffer.position(), 3 * CHUNK as u64);
        assert!(!buffer.skip(1).unwrap());
    }

    #[test]
    fn a_slow_stream_is_the_same_stream() {
        let mut buffer = Buffer::new(Slow(b"abcdef"));
        assert_eq!(buffer.take(4).unwrap(), Some(&b"abcd"[..]));
        assert_eq!(buffer.array::<2>().unwrap(), Some(*b"ef"));
        assert_eq!(buffer.array::<1>().unwrap(), None);
    }
}
