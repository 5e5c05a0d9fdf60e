//! Why a file is no capture, and where a capture is damaged.

use std::fmt;
use std::io;

/// Why nothing can be read from a file. The sentences have the file as their subject: "it is no capture".
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The system cannot read it.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// No byte at all.
    #[error("it is empty")]
    Empty,
    /// Neither pcap nor pcapng.
    #[error("it is neither pcap nor pcapng")]
    Unknown,
    /// Something else that is known.
    #[error("it is {what}")]
    Foreign {
        /// What it is, with its article.
        what: &'static str,
        /// What to do about it; `FILE` stands for its name.
        remedy: &'static str,
    },
    /// It begins like a capture and ends within its header.
    #[error("it ends within its header")]
    HeaderCut,
    /// A version that is not read.
    #[error("it is {format} of version {major}.{minor}, which is not read")]
    Version {
        /// `pcap` or `pcapng`.
        format: &'static str,
        /// The major version.
        major: u16,
        /// The minor version.
        minor: u16,
    },
}

/// Where and why the reading of a capture ended early. What came before was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Damage {
    /// The file ends within a packet or a block.
    Cut {
        /// How many bytes into the file the incomplete packet begins.
        at: u64,
    },
    /// A length or a structure that cannot be.
    Broken {
        /// How many bytes into the file it stands.
        at: u64,
        /// What is wrong.
        why: &'static str,
    },
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut { at } => write!(f, "the file is cut short: it ends within what begins at byte {at}"),
            Self::Broken { at, why } => write!(f, "the file is damaged at byte {at}: {why}; the rest was not read"),
        }
    }
}
