//! Why a file is not what is needed.

use crate::encoding::der::DerError;
use crate::key::KeyError;

/// Why nothing can be found in a file, or not what is wanted. The sentences have the file as their subject: "it holds a
/// private key where a certificate is due".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContainerError {
    /// No byte at all.
    #[error("it is empty")]
    Empty,
    /// The bytes are of a known kind that certkit does not read.
    #[error("it is {what}: {remedy}")]
    Foreign {
        /// The kind, with its article.
        what: &'static str,
        /// What to do about it.
        remedy: &'static str,
    },
    /// JSON that is no key.
    #[error("it is JSON, but {0}")]
    Json(KeyError),
    /// Text that begins like a JSON Web Key and is no JSON.
    #[error("it begins like JSON, but {0}; copy it again")]
    BrokenJson(KeyError),
    /// A DER structure that is longer than the file.
    #[error(
        "it is cut short: it begins like {what} in DER of {declared} octets and holds {present}; fetch or copy it again"
    )]
    CutShort {
        /// What it begins like.
        what: &'static str,
        /// How long it says it is.
        declared: usize,
        /// How long it is.
        present: usize,
    },
    /// A PKCS#7 structure out of which no certificates can be taken.
    #[error(
        "it is a PKCS#7 structure that cannot be read: {0}; `openssl pkcs7 -inform DER -print_certs -in FILE -out FILE.pem` may take the certificates out"
    )]
    Pkcs7(DerError),
    /// Several certificates come in no order, and one is to be told from the others.
    #[error(
        "it is PKCS#7, which holds its {count} certificates in no order: which of them is meant cannot be told; give a file of PEM or DER"
    )]
    Unordered {
        /// How many.
        count: usize,
    },
    /// More follows a DER structure.
    #[error("{count} octets follow the DER structure it begins with; a file of several has to be PEM")]
    Trailing {
        /// How many.
        count: usize,
    },
    /// DER, and nothing certkit knows.
    #[error("it is DER, but no certificate, request, revocation list or key: {0}")]
    UnknownStructure(String),
    /// Nothing known.
    #[error("it holds neither PEM nor DER: it looks like {0}")]
    Nothing(&'static str),
    /// A block is malformed.
    #[error("{}{what} is damaged: {why}", at(*.line))]
    Damaged {
        /// Where its block begins.
        line: Option<usize>,
        /// What it should be.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// What is wanted is there, in a form that certkit does not read.
    #[error("the {what} in it cannot be used: {why}")]
    Unsupported {
        /// What it is, without an article.
        what: String,
        /// Why it is not read, and what to do.
        why: String,
    },
    /// A PKCS#12 file does not open.
    #[error("the passphrase does not open it, or it is damaged")]
    WrongPassphrase,
    /// A file cannot be written.
    #[error("a PKCS#12 file cannot be made of it: {0}")]
    Unwritable(String),
    /// Something else is there.
    #[error("it holds {held} where {wanted} is due")]
    Instead {
        /// What is there.
        held: String,
        /// What is wanted.
        wanted: &'static str,
    },
}

fn at(line: Option<usize>) -> String {
    line.map_or_else(|| "the ".to_owned(), |line| format!("line {line}: the "))
}
