//! What differs between a certificate that is there and the one that is wanted.

use crate::ca::renewal::is_not_yet_valid;
use crate::issue::{self, Naming};
use crate::key::KeyAlgorithm;
use crate::profile::Profile;
use crate::x509::{Certificate, Validity, time::rfc3339};
use std::fmt;
use time::{Duration, OffsetDateTime};

/// A certificate as it is wanted.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// Its profile.
    pub profile: &'a Profile,
    /// Its subject and names.
    pub naming: &'a Naming,
    /// The kind of its key.
    pub key: KeyAlgorithm,
    /// What its validity would be if it were issued now, before it is cut to the issuer's.
    pub validity: Validity,
    /// How long before its end it is renewed; a third of its time where nothing is said.
    pub renew_before: Option<Duration>,
}

/// Why a certificate does not stay as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// It ends too soon, or has ended.
    Ends {
        /// When.
        not_after: OffsetDateTime,
    },
    /// It is not valid yet: it was made by a clock that was ahead.
    NotYet {
        /// From when on it is.
        not_before: OffsetDateTime,
    },
    /// Another authority signed it, or it was not signed soundly.
    Issuer,
    /// It has another subject.
    Subject,
    /// It has other names.
    Names,
    /// Its key is of another kind.
    Key {
        /// Which kind it is.
        found: Option<KeyAlgorithm>,
    },
    /// It is valid for a longer or shorter time.
    Lifetime,
    /// The profile says something else.
    Profile {
        /// The first difference.
        what: String,
    },
    /// It is revoked.
    Revoked,
    /// It or another certificate with its key was revoked because the key is compromised.
    Compromised,
    /// The ledger does not know it.
    Unrecorded,
    /// The key beside it is missing.
    NoKey,
    /// The key beside it is another one.
    OtherKey,
    /// The certificates of its authorities are missing behind it, or others stand there.
    Chain,
}

impl Difference {
    /// Whether the certificate itself is as it should be and only comes to its end.
    pub fn is_age(&self) -> bool {
        matches!(self, Self::Ends { .. })
    }
}

/// Everything in which a certificate differs from what is wanted, now and with this issuer: the first of `path`, then those
/// above it.
pub fn differences(
    certificate: &Certificate,
    wanted: &Wanted<'_>,
    path: &[&Certificate],
    now: OffsetDateTime,
) -> Vec<Difference> {
    let mut found = Vec::new();
    let Some(issuer) = path.first() else { return vec![Difference::Issuer] };
    let validity = certificate.validity();
    let before = wanted.renew_before.unwrap_or_else(|| validity.lifetime() / 3);
    if validity.not_after.checked_sub(before).is_none_or(|due| due <= now) {
        found.push(Difference::Ends { not_after: validity.not_after });
    }
    if is_not_yet_valid(certificate, now) {
        found.push(Difference::NotYet { not_before: validity.not_before });
    }
    let signed = issuer.public_key().is_ok_and(|key| certificate.verify_signature(&key).is_ok());
    if !signed || certificate.issuer().der() != issuer.subject().der() {
        found.push(Difference::Issuer);
    }
    if !has_subject(certificate, wanted.naming, path) {
        found.push(Difference::Subject);
    }
    if !has_names(certificate, wanted.naming) {
        found.push(Difference::Names);
    }
    let key = certificate.public_key().ok().map(|key| key.algorithm());
    if key != Some(wanted.key) {
        found.push(Difference::Key { found: key });
    }
    // What was cut to the issuer's end is as long as it could be.
    let cut = validity.not_after == issuer.validity().not_after && validity.lifetime() < wanted.validity.lifetime();
    if validity.lifetime() != wanted.validity.lifetime() && !cut {
        found.push(Difference::Lifetime);
    }
    // Names and key are told above; the rest is what the profile says.
    if found.iter().all(Difference::is_age)
        && let Some(fault) = issue::departures(certificate, wanted.profile, issuer).first()
    {
        found.push(Difference::Profile { what: fault.to_string() });
    }
    found
}

/// Whether a certificate is for this subject and these names, in any order.
pub fn is_for(certificate: &Certificate, naming: &Naming, path: &[&Certificate]) -> bool {
    has_subject(certificate, naming, path) && has_names(certificate, naming)
}

fn has_subject(certificate: &Certificate, Naming { subject, names, .. }: &Naming, path: &[&Certificate]) -> bool {
    // Below constraints a common name may have been left out.
    certificate.subject().der() == issue::fitting_subject(path, subject, names).der()
}

fn has_names(certificate: &Certificate, naming: &Naming) -> bool {
    let mut names: Vec<String> =
        certificate.subject_alt_names().unwrap_or_default().iter().map(ToString::to_string).collect();
    let mut asked: Vec<String> = naming.names.iter().map(ToString::to_string).collect();
    names.sort_unstable();
    asked.sort_unstable();
    names == asked
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ends { not_after } => write!(f, "it ends at {}", rfc3339(*not_after)),
            Self::NotYet { not_before } => write!(f, "it is not valid before {}", rfc3339(*not_before)),
            Self::Issuer => f.write_str("another authority signed it"),
            Self::Subject => f.write_str("its subject is another"),
            Self::Names => f.write_str("its names are others"),
            Self::Key { found: Some(found) } => write!(f, "its key is {found}"),
            Self::Key { found: None } => f.write_str("its key is of an unknown kind"),
            Self::Lifetime => f.write_str("it is valid for another time"),
            Self::Profile { what } => write!(f, "its profile says something else: {what}"),
            Self::Revoked => f.write_str("it is revoked"),
            Self::Compromised => f.write_str("its key was revoked as compromised"),
            Self::Unrecorded => f.write_str("the ledger of its CA does not know it"),
            Self::NoKey => f.write_str("its key is missing"),
            Self::OtherKey => f.write_str("another key lies in the place of its own"),
            Self::Chain => f.write_str("the CAs between it and the root are missing, or others stand there"),
        }
    }
}
