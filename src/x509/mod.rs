//! The vocabulary of X.509: certificates, requests, revocation lists, names, extensions.
//!
//! Bytes are parsed once into owned types. `x509_parser` checks the structure of certificates and requests; lists, which can
//! have a million entries, and OCSP responses are read here. What must be compared or signed byte for
//! byte (names, keys, algorithm identifiers, extensions) is kept as it was found.

pub mod certificate;
pub mod crl;
mod crl_index;
pub mod dns_name;
pub mod extension;
pub mod general_name;
pub mod name;
mod name_prep;
pub mod name_text;
pub mod ocsp;
pub mod ocsp_request;
pub mod oids;
pub mod request;
pub mod serial;
pub mod server_name;
pub mod time;

pub use certificate::Certificate;
pub use crl::CertificateRevocationList;
pub use dns_name::DnsName;
pub use extension::{Extension, ExtensionError, ExtensionType, Extensions};
pub use general_name::GeneralName;
pub use name::DistinguishedName;
pub use ocsp::OcspResponse;
pub use ocsp_request::OcspRequest;
pub use request::CertificationRequest;
pub use serial::SerialNumber;
pub use server_name::ServerName;
pub use time::Validity;

use crate::encoding::der::{DerError, Reader};
use x509_parser::prelude::FromDer;

/// Why bytes are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum X509Error {
    /// The structure does not parse.
    #[error("malformed {kind}: {why}")]
    Malformed {
        /// What it should be: `certificate`, `certification request` or `revocation list`.
        kind: &'static str,
        /// What is wrong.
        why: String,
    },
    /// A part does not parse.
    #[error("malformed {kind}: {part}: {source}")]
    Part {
        /// What the whole should be.
        kind: &'static str,
        /// Which part.
        part: &'static str,
        /// What is wrong with it.
        source: DerError,
    },
    /// Octets follow the structure.
    #[error("{count} octets follow the {kind}")]
    Trailing {
        /// What precedes them.
        kind: &'static str,
        /// How many.
        count: usize,
    },
}

/// Turns a [`DerError`] into one that names the whole and the part.
fn part(kind: &'static str, part: &'static str) -> impl FnOnce(DerError) -> X509Error {
    move |source| X509Error::Part { kind, part, source }
}

/// A reader over the content of the SEQUENCE that is all of `encoding`.
fn outermost<'a>(kind: &'static str, encoding: &'a [u8]) -> Result<Reader<'a>, X509Error> {
    let mut reader = Reader::new(encoding);
    let content = reader.sequence().map_err(|error| match error {
        DerError::Truncated => X509Error::Malformed { kind, why: error.to_string() },
        error => part(kind, "the outer SEQUENCE")(error),
    })?;
    match reader.rest().len() {
        0 => Ok(content),
        count => Err(X509Error::Trailing { kind, count }),
    }
}

/// Has `x509_parser` read a part, which must end where the part does.
fn parsed<'a, T>(kind: &'static str, part: &'static str, encoding: &'a [u8]) -> Result<T, X509Error>
where
    T: FromDer<'a, x509_parser::error::X509Error>,
{
    match T::from_der(encoding) {
        Ok(([], value)) => Ok(value),
        Ok((rest, _)) => Err(X509Error::Part { kind, part, source: DerError::Trailing(rest.len()) }),
        Err(x509_parser::nom::Err::Incomplete(_)) => Err(X509Error::Part { kind, part, source: DerError::Truncated }),
        Err(x509_parser::nom::Err::Error(error) | x509_parser::nom::Err::Failure(error)) => {
            Err(X509Error::Malformed { kind, why: format!("{part}: {error}") })
        }
    }
}

/// Takes what `x509_parser` parsed if nothing follows it.
fn whole<T, E: std::fmt::Display>(
    kind: &'static str,
    parsed: Result<(&[u8], T), x509_parser::nom::Err<E>>,
) -> Result<T, X509Error> {
    match parsed {
        Ok(([], value)) => Ok(value),
        Ok((rest, _)) => Err(X509Error::Trailing { kind, count: rest.len() }),
        Err(x509_parser::nom::Err::Incomplete(_)) => {
            Err(X509Error::Malformed { kind, why: "the encoding ends too early".to_owned() })
        }
        Err(x509_parser::nom::Err::Error(error) | x509_parser::nom::Err::Failure(error)) => {
            Err(X509Error::Malformed { kind, why: error.to_string() })
        }
    }
}
