//! A certificate in the place of another: the same names and profile, a new serial number.

use crate::issue::Request;
use crate::key::{KeyError, PublicKey};
use crate::profile::Profile;
use crate::x509::{Certificate, ExtensionError};
use time::{Duration, OffsetDateTime};

/// What goes into the new certificate.
#[derive(Debug, Clone)]
pub struct Renewal {
    /// The profile, narrowed to the purposes of the old certificate, for which a request may have asked, and with its
    /// lifetime; but with the profile's own where its issuer's end cut the old one short.
    pub profile: Profile,
    /// The same subject and names, for the old key or a new one.
    pub request: Request,
}

/// Why a certificate cannot be renewed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RenewalError {
    /// It is an authority's.
    #[error(
        "it is the certificate of a CA, on which others rest: make a new one with `certkit ca intermediate` or `certkit ca init`"
    )]
    Authority,
    /// The profile has none of its purposes.
    #[error("profile {profile} gives none of its purposes: it was made by another")]
    Purposes {
        /// The profile.
        profile: String,
    },
    /// An extension of it does not parse.
    #[error("{0}")]
    Extension(#[from] ExtensionError),
    /// Its key cannot be used.
    #[error("its key is unusable: {0}")]
    Key(#[from] KeyError),
}

impl Renewal {
    /// The renewal of `old`, below these authorities, by the profile it was made with. `key` is a new one, where it shall have
    /// one.
    ///
    /// # Errors
    /// See [`RenewalError`].
    pub fn of(
        old: &Certificate,
        above: &[&Certificate],
        profile: &Profile,
        key: Option<PublicKey>,
    ) -> Result<Self, RenewalError> {
        if old.claims_ca() || profile.is_ca() {
            return Err(RenewalError::Authority);
        }
        let mut profile = profile.clone();
        if let Some(purposes) = old.extended_key_usage()?
            && !profile.extended_key_usage.is_empty()
        {
            profile.extended_key_usage.retain(|purpose| purposes.0.contains(purpose));
            if profile.extended_key_usage.is_empty() {
                return Err(RenewalError::Purposes { profile: profile.name });
            }
        }
        let validity = old.validity();
        if above.iter().all(|authority| validity.not_after < authority.validity().not_after) {
            profile.lifetime = validity.not_after - validity.not_before + Duration::SECOND;
        }
        let public_key = match key {
            Some(key) => key,
            // Go and Java read no compressed point.
            None => old.public_key().and_then(|key| key.uncompressed())?,
        };
        let request = Request {
            subject: old.subject().clone(),
            names: old.subject_alt_names()?.to_vec(),
            public_key,
            key_identifier: None,
        };
        Ok(Self { profile, request })
    }
}

/// Whether a certificate is not valid yet: it was made by a clock that was ahead. Clocks may differ by five minutes.
pub fn is_not_yet_valid(certificate: &Certificate, now: OffsetDateTime) -> bool {
    certificate.validity().not_before > now.saturating_add(CLOCK_SKEW)
}

/// How much the clocks of those who make certificates and those who use them may differ.
const CLOCK_SKEW: Duration = Duration::minutes(5);

/// When a certificate is renewed unless told otherwise: once two thirds of its time are over.
pub fn usual_moment(certificate: &Certificate) -> OffsetDateTime {
    let validity = certificate.validity();
    validity.not_before + (validity.not_after - validity.not_before) * 2 / 3
}
