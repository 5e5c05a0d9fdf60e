//! The chain of the audit log: each line's hash covers the line and the hash before it.
//!
//! The hash of a line is the SHA-256 of this DER encoding, in which `previous` is the hash of the line before, 32 zero
//! octets for the first, and `at` counts seconds since 1970 in eight octets:
//!
//! ```text
//! AuditLine ::= SEQUENCE {
//!     version      INTEGER (1),
//!     previous     OCTET STRING (SIZE (32)),
//!     number       INTEGER,
//!     at           OCTET STRING (SIZE (8)),
//!     who          UTF8String,
//!     what         UTF8String,
//!     authority    INTEGER OPTIONAL,
//!     fingerprint  OCTET STRING,
//!     serial       [0] IMPLICIT OCTET STRING OPTIONAL,
//!     detail       UTF8String }
//! ```
//!
//! So a line cannot be changed, added, moved or left out without changing every hash after it, and the last hash, once
//! written down elsewhere, vouches for the whole log.

use super::{AuditLine, AuthorityId};
use crate::encoding::der::{self, tag};
use crate::encoding::hex;
use crate::key::digest::sha256;

/// The end of an audit log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AuditHead {
    /// How many lines it has.
    pub lines: u64,
    /// The hash of the last one.
    pub hash: [u8; 32],
}

impl AuditHead {
    /// Of a log without a line.
    pub const EMPTY: Self = Self { lines: 0, hash: [0; 32] };

    /// Numbers this line as the next one, and gives it its hash; it is the head then.
    pub(super) fn append(&mut self, line: &mut AuditLine) {
        line.number = self.lines.saturating_add(1);
        line.hash = self.hash_of(line);
        *self = Self { lines: line.number, hash: line.hash };
    }

    /// The hash of the line that comes next.
    fn hash_of(&self, line: &AuditLine) -> [u8; 32] {
        let AuditLine { number, at, who, what, authority, fingerprint, serial, detail, hash: _ } = line;
        let mut content = Vec::with_capacity(256);
        der::push_unsigned(&mut content, &[1]);
        der::push_tlv(&mut content, tag::OCTET_STRING, &self.hash);
        der::push_unsigned(&mut content, &number.to_be_bytes());
        der::push_tlv(&mut content, tag::OCTET_STRING, &at.unix_timestamp().to_be_bytes());
        der::push_tlv(&mut content, tag::UTF8_STRING, who.as_bytes());
        der::push_tlv(&mut content, tag::UTF8_STRING, what.as_bytes());
        if let Some(AuthorityId(id)) = authority {
            der::push_unsigned(&mut content, &id.to_be_bytes());
        }
        der::push_tlv(&mut content, tag::OCTET_STRING, fingerprint);
        if let Some(serial) = serial {
            der::push_tlv(&mut content, tag::context(0), serial.content());
        }
        der::push_tlv(&mut content, tag::UTF8_STRING, detail.as_bytes());
        sha256(&der::sequence(&[&content]))
    }
}

impl std::fmt::Debug for AuditHead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} lines, {}", self.lines, hex::encode(&self.hash))
    }
}

/// Goes through an audit log and finds the first place where it is not as it was written.
#[derive(Debug)]
pub struct Auditor {
    head: AuditHead,
    fault: Option<AuditFault>,
}

/// Where an audit log is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditFault {
    /// A line is not there.
    #[error("line {number} is missing")]
    Missing {
        /// Which.
        number: u64,
    },
    /// A line's hash does not follow from the line and the hash before it.
    #[error("line {number} is not as it was written, or was put in later")]
    Changed {
        /// Which.
        number: u64,
    },
    /// The count of lines is another.
    #[error("the log has {lines} lines, and {recorded} were written: it was cut off, or lines were added past certkit")]
    Cut {
        /// How many there are.
        lines: u64,
        /// How many there should be.
        recorded: u64,
    },
    /// The recorded head is not the last line's hash.
    #[error("line {number}, the last one, was replaced: the head of the log has another hash")]
    Head {
        /// Which.
        number: u64,
    },
    /// The head is not there.
    #[error(
        "the head of the log is missing: lines that were cut off its end, after line {lines}, would not be missed; `certkit ca \
         repair` makes it again of that line, and a head that was written down or a backup tells whether it was the last"
    )]
    Headless {
        /// How many lines there are.
        lines: u64,
    },
    /// No line has the hash that was written down.
    #[error("no line has the hash {}: the log was cut off before it, or rewritten", hex::encode(hash))]
    Unexpected {
        /// The hash.
        hash: Vec<u8>,
    },
}

impl AuditFault {
    /// The first bad line, where it is known.
    pub fn line(&self) -> Option<u64> {
        match self {
            Self::Missing { number } | Self::Changed { number } | Self::Head { number } => Some(*number),
            Self::Cut { lines, .. } => Some(lines.saturating_add(1)),
            Self::Headless { .. } | Self::Unexpected { .. } => None,
        }
    }
}

impl Auditor {
    /// At the beginning of a log.
    #[must_use]
    pub fn new() -> Self {
        Self { head: AuditHead::EMPTY, fault: None }
    }

    /// Looks at the next line. What follows a fault is not judged.
    pub fn line(&mut self, line: &AuditLine) {
        if self.fault.is_some() {
            return;
        }
        let number = self.head.lines.saturating_add(1);
        if line.number != number {
            self.fault = Some(AuditFault::Missing { number });
        } else if self.head.hash_of(line) != line.hash {
            self.fault = Some(AuditFault::Changed { number });
        } else {
            self.head = AuditHead { lines: number, hash: line.hash };
        }
    }

    /// The fault, if one was found so far.
    pub fn fault(&self) -> Option<&AuditFault> {
        self.fault.as_ref()
    }

    /// The fault of a log without a head: the first that was found, or else that, and its last line that is sound.
    pub fn without_head(self) -> (AuditFault, AuditHead) {
        let headless = AuditFault::Headless { lines: self.head.lines };
        (self.fault.unwrap_or(headless), self.head)
    }

    /// The end of the log, which should be the head that the ledger has `recorded`.
    ///
    /// # Errors
    /// The first fault.
    pub fn finish(self, recorded: &AuditHead) -> Result<AuditHead, AuditFault> {
        match self.fault {
            Some(fault) => Err(fault),
            None if self.head.lines != recorded.lines => {
                Err(AuditFault::Cut { lines: self.head.lines, recorded: recorded.lines })
            }
            None if self.head.hash != recorded.hash => Err(AuditFault::Head { number: self.head.lines }),
            None => Ok(self.head),
        }
    }
}

/// Finds a head for a log that has lost its own: that of its last line, if that line follows from the one before it.
#[derive(Debug)]
pub(super) struct Tail {
    head: AuditHead,
    follows: bool,
}

impl Tail {
    pub(super) fn new() -> Self {
        Self { head: AuditHead::EMPTY, follows: true }
    }

    pub(super) fn line(&mut self, line: &AuditLine) {
        self.follows = line.number == self.head.lines.saturating_add(1) && self.head.hash_of(line) == line.hash;
        self.head = AuditHead { lines: line.number, hash: line.hash };
    }

    /// The head, or what keeps it from being one, in words.
    pub(super) fn end(self) -> Result<AuditHead, String> {
        match self.follows {
            true => Ok(self.head),
            false => {
                Err("the head of the audit log is missing, and its last line does not follow from the one before it"
                    .to_owned())
            }
        }
    }
}

impl Default for Auditor {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use crate::x509::SerialNumber;
    use time::OffsetDateTime;

    fn line(who: &str) -> AuditLine {
        AuditLine {
            number: 0,
            at: OffsetDateTime::UNIX_EPOCH,
            who: who.into(),
            what: "issue".into(),
            authority: Some(AuthorityId(1)),
            fingerprint: vec![0xab; 32],
            serial: Some(SerialNumber::from_content(&[9])),
            detail: String::new(),
            hash: [0; 32],
        }
    }

    fn log() -> (Vec<AuditLine>, AuditHead) {
        let mut head = AuditHead::EMPTY;
        let mut lines = ["ann", "bob", "cid"].map(line).to_vec();
        lines.iter_mut().for_each(|line| head.append(line));
        (lines, head)
    }

    fn judge(lines: &[AuditLine], head: &AuditHead) -> Result<AuditHead, AuditFault> {
        let mut auditor = Auditor::new();
        lines.iter().for_each(|line| auditor.line(line));
        auditor.finish(head)
    }

    #[test]
    fn the_hash_is_that_of_the_encoding_in_the_docs() {
        let encoding = [
            &[0x30, 0, 2, 1, 1, 4, 32][..],
            &[0; 32],
            &[2, 1, 1, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0x0c, 3, b'a', b'n', b'n', 0x0c, 5],
            b"issue",
            &[2, 1, 1, 4, 32],
            &[0xab; 32],
            &[0x80, 1, 9, 0x0c, 0],
        ]
        .concat();
        let encoding = [&[0x30, u8::try_from(encoding.len() - 2).unwrap()], &encoding[2..]].concat();
        let (lines, _) = log();
        assert_eq!(lines[0].hash, sha256(&encoding));
    }

    #[test]
    fn a_log_that_was_left_alone_is_sound() {
        let (lines, head) = log();
        assert_eq!(judge(&lines, &head), Ok(head));
        assert_eq!(judge(&[], &AuditHead::EMPTY), Ok(AuditHead::EMPTY));
    }

    #[test]
    fn a_change_of_any_field_shows_at_its_line() {
        let changes: [fn(&mut AuditLine); 7] = [
            |line| line.at += time::Duration::SECOND,
            |line| line.who.push('x'),
            |line| line.what = "revoke".into(),
            |line| line.authority = None,
            |line| line.fingerprint[0] ^= 1,
            |line| line.serial = None,
            |line| line.detail.push('x'),
        ];
        for change in changes {
            let (mut lines, head) = log();
            change(&mut lines[1]);
            assert_eq!(judge(&lines, &head), Err(AuditFault::Changed { number: 2 }));
        }
    }

    #[test]
    fn a_line_with_a_hash_made_to_fit_shows_at_the_next() {
        let (mut lines, head) = log();
        lines[1].who = "eve".into();
        lines[1].hash = AuditHead { lines: 1, hash: lines[0].hash }.hash_of(&lines[1]);
        assert_eq!(judge(&lines, &head), Err(AuditFault::Changed { number: 3 }));
        // The last line has none after it: the head is what it contradicts.
        let (mut lines, head) = log();
        lines[2].who = "eve".into();
        lines[2].hash = AuditHead { lines: 2, hash: lines[1].hash }.hash_of(&lines[2]);
        assert_eq!(judge(&lines, &head), Err(AuditFault::Head { number: 3 }));
    }

    #[test]
    fn lines_that_are_cut_off_left_out_or_swapped_are_missed() {
        let (lines, head) = log();
        assert_eq!(judge(&lines[..2], &head), Err(AuditFault::Cut { lines: 2, recorded: 3 }));
        assert_eq!(judge(&lines[1..], &head), Err(AuditFault::Missing { number: 1 }));
        let renumbered = [lines[0].clone(), AuditLine { number: 2, ..lines[2].clone() }];
        assert_eq!(judge(&renumbered, &head), Err(AuditFault::Changed { number: 2 }));
        let mut swapped = lines;
        swapped.swap(0, 1);
        assert_eq!(judge(&swapped, &head), Err(AuditFault::Missing { number: 1 }));
    }
}
