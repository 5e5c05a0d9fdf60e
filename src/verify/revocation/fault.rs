//! What is wrong with a list or response, and the sentences about it.

use std::fmt;

use ::time::OffsetDateTime;

use super::response_fault::ResponseFault;
use crate::encoding::Oid;
use crate::key::{HashAlgorithm, SignatureError};
use crate::verify::check::Check;
use crate::x509::extension::CrlNumber;
use crate::x509::ocsp::ResponderId;
use crate::x509::{DistinguishedName, ExtensionError, oids, time};

/// Something wrong with one source of revocation statuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceFault {
    /// With a list.
    List {
        /// Who issued it.
        issuer: DistinguishedName,
        /// Its number, where it has one.
        number: Option<CrlNumber>,
        /// When it was issued.
        this_update: OffsetDateTime,
        /// What is wrong.
        fault: ListFault,
    },
    /// With an OCSP response.
    Response {
        /// Who says that it made the response; `None` where the responder declines to answer.
        responder: Option<ResponderId>,
        /// What is wrong.
        fault: ResponseFault,
    },
}

/// What is wrong with a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListFault {
    /// It is from the future.
    NotYet {
        /// The moment of judgment.
        at: OffsetDateTime,
    },
    /// The next one is due.
    Stale {
        /// When it was due.
        next_update: OffsetDateTime,
        /// The moment of judgment.
        at: OffsetDateTime,
    },
    /// No certificate with the issuer's name has a key that made the signature.
    Signature(SignatureError),
    /// No certificate has the issuer's name.
    SignerNotFound,
    /// The keyUsage of the signer's certificate lacks cRLSign.
    NoCrlSign,
    /// No path leads from the signer's certificate to the trust anchor of the judged one.
    SignerPath {
        /// Why not.
        why: String,
    },
    /// The signer's certificate is revoked.
    SignerRevoked,
    /// The status of the signer's certificate is unknown.
    SignerUnknown,
    /// Both algorithm identifiers differ.
    AlgorithmsDiffer,
    /// The signature rests on a broken hash.
    WeakHash(HashAlgorithm),
    /// A critical extension of the list is not known.
    UnknownCritical(Oid),
    /// A critical extension of an entry is not known.
    UnknownCriticalInEntry(Oid),
    /// An extension stands twice.
    Duplicate(Oid),
    /// An extension does not parse.
    Extension(ExtensionError),
    /// It has only changes, and the list that it changes is not there.
    NoBase {
        /// The number of that list.
        base: CrlNumber,
    },
    /// Too many signatures were checked already.
    GaveUp {
        /// How many are allowed.
        limit: usize,
    },
    /// It has not what a conforming list must have.
    Form(&'static str),
    /// It is not laid out as RFC 5280 asks, which does not change what it says.
    Profile(&'static str),
}

impl SourceFault {
    /// The rule that is broken.
    pub(super) fn check(&self) -> Check {
        match self {
            Self::List { fault: ListFault::Form(_), .. } => Check::RevocationListForm,
            Self::List { fault: ListFault::Profile(_), .. } => Check::RevocationListProfile,
            Self::List { .. } => Check::RevocationList,
            Self::Response { fault: ResponseFault::ResponderUnknown, .. } => Check::OcspResponderStatus,
            Self::Response { .. } => Check::OcspResponse,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let (fault, issuer) = match self {
            Self::List { fault, issuer, .. } => (fault, issuer),
            Self::Response { fault, .. } => return fault.hint(),
        };
        Some(match fault {
            ListFault::Stale { .. } => format!("fetch the current list of \"{issuer}\""),
            ListFault::NotYet { .. } => "check the clock of this machine and of the issuer".to_owned(),
            ListFault::SignerNotFound => format!("add the certificate of \"{issuer}\" with --intermediates"),
            ListFault::NoBase { .. } => "give the complete list with --crl, too".to_owned(),
            ListFault::SignerUnknown => "give the list that covers the signer's certificate with --crl, too".to_owned(),
            ListFault::Signature(SignatureError::Mismatch) => {
                "the list was changed after it was signed, or it is from another issuer of the same name".to_owned()
            }
            _ => return None,
        })
    }
}

impl fmt::Display for SourceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List { issuer, this_update, fault, .. } => {
                write!(f, "the revocation list of \"{issuer}\" of {} {fault}", time::rfc3339(*this_update))
            }
            Self::Response { responder: Some(responder), fault } => {
                write!(f, "the OCSP response of {responder} {fault}")
            }
            Self::Response { responder: None, fault } => write!(f, "the OCSP response {fault}"),
        }
    }
}

impl fmt::Display for ListFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYet { at } => write!(f, "is from after the time of judgment, {}", time::rfc3339(*at)),
            Self::Stale { next_update, .. } => {
                write!(f, "is out of date: the next one was due on {}", time::rfc3339(*next_update))
            }
            Self::Signature(SignatureError::Mismatch) => f.write_str("was not signed by any key of that name"),
            Self::Signature(error) => write!(f, "is not soundly signed: {error}"),
            Self::SignerNotFound => f.write_str("cannot be checked: no certificate has its issuer's name"),
            Self::NoCrlSign => f.write_str("is signed by a certificate whose keyUsage lacks cRLSign"),
            Self::SignerPath { why } => {
                write!(f, "is signed by a certificate with no path to the trusted root of this one: {why}")
            }
            Self::SignerRevoked => f.write_str("is signed by a certificate that is revoked itself"),
            Self::SignerUnknown => f.write_str("is signed by a certificate whose own status is unknown"),
            Self::AlgorithmsDiffer => {
                f.write_str("names another signature algorithm inside its signed part than outside")
            }
            Self::WeakHash(hash) => write!(f, "is signed over {hash}, for which forgeries can be made"),
            Self::UnknownCritical(oid) => {
                write!(f, "has the critical extension {}, which is not processed here", oids::name_or_dotted(oid))
            }
            Self::UnknownCriticalInEntry(oid) => {
                let name = oids::name_or_dotted(oid);
                write!(f, "has an entry with the critical extension {name}, which is not processed here")
            }
            Self::Duplicate(oid) => write!(f, "has the extension {} more than once", oids::name_or_dotted(oid)),
            Self::Extension(error) => write!(f, "is damaged: {error}"),
            Self::NoBase { base } => {
                let number = crate::encoding::hex::encode(&base.0);
                write!(f, "has only changes since list number 0x{number}, and no such list was given")
            }
            Self::GaveUp { limit } => write!(f, "was not looked at: {limit} signatures of lists were checked already"),
            Self::Form(what) | Self::Profile(what) => f.write_str(what),
        }
    }
}
