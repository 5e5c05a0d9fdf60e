//! What is wrong with an OCSP response, and the sentences about it.

use std::fmt;

use ::time::OffsetDateTime;

use crate::encoding::Oid;
use crate::key::{HashAlgorithm, SignatureError};
use crate::x509::ocsp::OcspDecline;
use crate::x509::{DistinguishedName, ExtensionError, oids, time};

/// What is wrong with an OCSP response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResponseFault {
    /// The responder declines to answer.
    Declined(OcspDecline),
    /// The responder does not know the certificate.
    UnknownCertificate,
    /// It is from the future.
    NotYet {
        /// The moment of judgment.
        at: OffsetDateTime,
    },
    /// There is something newer.
    Stale {
        /// Since when.
        next_update: OffsetDateTime,
        /// The moment of judgment.
        at: OffsetDateTime,
    },
    /// It does not say how long it holds, and is over a day old.
    Undated {
        /// When it was right.
        this_update: OffsetDateTime,
    },
    /// The certificate is named by a hash algorithm that is not known.
    UnknownHash(Oid),
    /// No certificate is the responder's.
    ResponderNotFound,
    /// The signature is not the responder's.
    Signature(SignatureError),
    /// The signature rests on a broken hash.
    WeakHash(HashAlgorithm),
    /// The issuer of the judged certificate did not issue the responder's.
    NotDelegated {
        /// The responder.
        subject: DistinguishedName,
    },
    /// The responder's certificate does not list OCSPSigning.
    NoOcspSigning {
        /// The responder.
        subject: DistinguishedName,
    },
    /// The responder's certificate is no good.
    ResponderCertificate {
        /// Why.
        why: String,
    },
    /// The responder's certificate is revoked.
    ResponderRevoked,
    /// The status of the responder's certificate is unknown, and it lacks id-pkix-ocsp-nocheck.
    ResponderUnknown,
    /// A critical extension is not known.
    UnknownCritical(Oid),
    /// An extension does not parse.
    Extension(ExtensionError),
    /// Too many signatures were checked already.
    GaveUp {
        /// How many are allowed.
        limit: usize,
    },
}

impl ResponseFault {
    /// What to do about it.
    pub(super) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Stale { .. } | Self::Undated { .. } | Self::Declined(_) => "ask the responder again".to_owned(),
            Self::NotYet { .. } => "check the clock of this machine and of the responder".to_owned(),
            Self::ResponderUnknown => {
                "give the list that covers the responder's certificate with --crl, too".to_owned()
            }
            Self::ResponderNotFound => "add the responder's certificate with --intermediates".to_owned(),
            Self::NotDelegated { .. } => {
                "if you mean to rely on this responder, name it with --ocsp-responder".to_owned()
            }
            _ => return None,
        })
    }
}

impl fmt::Display for ResponseFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declined(decline) => write!(f, "is no answer: {}", decline.name()),
            Self::UnknownCertificate => f.write_str("says that the responder does not know the certificate"),
            Self::NotYet { at } => write!(f, "is from after the time of judgment, {}", time::rfc3339(*at)),
            Self::Stale { next_update, .. } => write!(f, "is out of date since {}", time::rfc3339(*next_update)),
            Self::Undated { this_update } => {
                let day = time::rfc3339(*this_update);
                write!(
                    f,
                    "does not say how long it holds, and is of {day}, more than a day before the time of judgment"
                )
            }
            Self::UnknownHash(oid) => {
                let name = oids::name_or_dotted(oid);
                write!(f, "names the certificate by digests of {name}, which is not known here")
            }
            Self::ResponderNotFound => {
                f.write_str("cannot be checked: neither the issuer nor any certificate given is the responder's")
            }
            Self::Signature(SignatureError::Mismatch) => f.write_str("was not signed by the responder's key"),
            Self::Signature(error) => write!(f, "is not soundly signed: {error}"),
            Self::WeakHash(hash) => write!(f, "is signed over {hash}, for which forgeries can be made"),
            Self::NotDelegated { subject } => {
                write!(f, "is signed by \"{subject}\", whose certificate is not from the issuer of this one")
            }
            Self::NoOcspSigning { subject } => {
                write!(f, "is signed by \"{subject}\", whose extKeyUsage does not list OCSPSigning")
            }
            Self::ResponderCertificate { why } => write!(f, "is signed with a certificate that is no good: {why}"),
            Self::ResponderRevoked => f.write_str("is signed with a certificate that is revoked itself"),
            Self::ResponderUnknown => f.write_str(
                "is signed with a certificate that lacks id-pkix-ocsp-nocheck and whose own status is unknown",
            ),
            Self::UnknownCritical(oid) => {
                let name = oids::name_or_dotted(oid);
                write!(f, "has the critical extension {name}, which is not processed here")
            }
            Self::Extension(error) => write!(f, "is damaged: {error}"),
            Self::GaveUp { limit } => write!(f, "was not looked at: {limit} signatures were checked already"),
        }
    }
}
