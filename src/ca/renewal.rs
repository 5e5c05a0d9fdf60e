//! A certificate in the place of another: the same names and profile, a new serial number.

use crate::issue::{Request, is_lost};
use crate::key::{KeyError, PublicKey};
use crate::profile::Profile;
use crate::x509::extension::{AuthorityInfoAccess, CertificatePolicies, CrlDistributionPoints, NameConstraints};
use crate::x509::{Certificate, Extension, ExtensionError, oids};
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
    /// It is an authority's, and none of those whose certificates are renewed.
    #[error(
        "it is the certificate of a CA whose key is elsewhere: certify that again with `certkit ca intermediate --csr` or \
         `certkit ca cross-sign`"
    )]
    Authority,
    /// It is no authority's.
    #[error("it is no CA's certificate: its basicConstraints do not say CA:TRUE")]
    NoAuthority,
    /// It has an extension that no profile can say.
    #[error(
        "it has {extension}, which certkit cannot write, and without it the new certificate would say something else"
    )]
    Unwritable {
        /// The extension.
        extension: String,
    },
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
    /// The renewal of `old` by the profile it was made with, for the same time unless the end of an authority had
    /// [cut it short](crate::ca::Authority::cut_short). `key` is a new one, where it shall have one.
    ///
    /// # Errors
    /// See [`RenewalError`].
    pub fn of(
        old: &Certificate,
        was_cut: bool,
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
        keep_lifetime(old, was_cut, &mut profile);
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

    /// The renewal of an authority's certificate, for the same name and key and with the same key identifier, so that what it
    /// has issued stays valid. It may do what the old one may, no more and no less; where lists and answers about its own
    /// revocation are to be had, `profile` says, or where that says nothing, the old one.
    ///
    /// # Errors
    /// See [`RenewalError`].
    pub fn of_authority(old: &Certificate, was_cut: bool, profile: &Profile) -> Result<Self, RenewalError> {
        let Some(constraints) = old.basic_constraints()?.filter(|constraints| constraints.ca) else {
            return Err(RenewalError::NoAuthority);
        };
        // Where to get what is above it restrains nobody, critical or not.
        let lost = |extension: &&Extension| extension.oid != oids::AUTHORITY_INFO_ACCESS && is_lost(extension);
        if let Some(lost) = old.extensions().iter().find(lost) {
            return Err(RenewalError::Unwritable { extension: lost.name() });
        }
        let mut profile = profile.clone();
        profile.basic_constraints.path_len = constraints.path_len;
        if let Some(usage) = old.key_usage()? {
            profile.key_usage = usage.bits();
            profile.key_usage_rsa.clear();
            profile.key_usage_ecdsa.clear();
        }
        profile.extended_key_usage = old.extended_key_usage()?.map(|purposes| purposes.0.clone()).unwrap_or_default();
        profile.extended_key_usage_critical =
            old.extensions().get(&oids::EXTENDED_KEY_USAGE).is_some_and(|extension| extension.critical);
        profile.name_constraints = old.extensions().find::<NameConstraints>()?.map(|found| found.value);
        profile.policies =
            old.extensions().find::<CertificatePolicies>()?.map(|found| found.value.0).unwrap_or_default();
        let owned = |uris: Vec<&str>| uris.into_iter().map(str::to_owned).collect::<Vec<_>>();
        if let Some(points) = old.extensions().find::<CrlDistributionPoints>()?.filter(|_| profile.crl.is_empty()) {
            profile.crl = owned(points.value.0.iter().flat_map(|point| point.uris()).collect());
        }
        if let Some(access) = old.extensions().find::<AuthorityInfoAccess>()?
            && profile.ocsp.is_empty()
            && profile.ca_issuers.is_empty()
        {
            profile.ocsp = owned(access.value.uris(oids::OCSP).collect());
            profile.ca_issuers = owned(access.value.uris(oids::CA_ISSUERS).collect());
        }
        keep_lifetime(old, was_cut, &mut profile);
        let request = Request {
            subject: old.subject().clone(),
            names: old.subject_alt_names()?.to_vec(),
            public_key: old.public_key()?,
            key_identifier: old.subject_key_identifier()?.map(<[u8]>::to_vec),
        };
        Ok(Self { profile, request })
    }
}

/// Has the new certificate last as long as the old one, unless an end above had cut that short.
fn keep_lifetime(old: &Certificate, was_cut: bool, profile: &mut Profile) {
    let validity = old.validity();
    if !was_cut {
        profile.lifetime = validity.not_after - validity.not_before + Duration::SECOND;
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
