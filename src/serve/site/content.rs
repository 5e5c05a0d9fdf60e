//! What a file holds, on its way out.

use std::io;

use hyper::body::Bytes;

use super::root::File;
use crate::serve::https::Content;

/// A part of a file, read as the client takes it.
#[derive(Debug)]
pub(in crate::serve) struct FileContent {
    file: File,
    at: u64,
    left: u64,
}

impl FileContent {
    /// `length` octets from the one at `from` on.
    pub(super) fn new(file: File, from: u64, length: u64) -> Self {
        Self { file, at: from, left: length }
    }

    /// As the content of an answer: what is small goes out with the head, in one write.
    pub(super) fn into_content(mut self) -> io::Result<Content> {
        match self.left <= PIECE as u64 {
            true => Ok(self.next()?.map_or(Content::Empty, Content::Whole)),
            false => Ok(Content::File(self)),
        }
    }

    /// The next piece. Reading waits for the disk, as in other servers; what is asked for again is in memory.
    ///
    /// # Errors
    /// When the file cannot be read, or has become shorter than it said: the answer then breaks off.
    pub(in crate::serve) fn next(&mut self) -> io::Result<Option<Bytes>> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(PIECE);
        if wanted == 0 {
            return Ok(None);
        }
        let mut piece = Vec::with_capacity(wanted);
        while piece.len() < wanted {
            let at = self.at + piece.len() as u64;
            if self.file.read_more(&mut piece, at)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        piece.truncate(wanted);
        self.at += wanted as u64;
        self.left -= wanted as u64;
        Ok(Some(piece.into()))
    }

    /// How many octets are left.
    pub(in crate::serve) fn left(&self) -> u64 {
        self.left
    }
}

/// How much of a file is read at once, in octets: four records of TLS.
const PIECE: usize = 64 << 10;
