//! Makes certificates and certification requests from a profile, a request and an issuer; revocation lists and OCSP
//! responses.
//!
//! Nothing here reads a clock or draws randomness of its own: times and serial numbers are arguments, so the same
//! arguments make the same certificate wherever the key's signatures are deterministic (P-256 and RSA are).
//!
//! `rcgen` lays the structures out; it cannot express every name, key and algorithm, so those are put in as the exact
//! octets they came as, and the signature is made here (see `layout.rs`).

mod above;
mod check;
mod common_name;
mod confinement;
mod constraints;
mod error;
mod extensions;
mod gate;
mod layout;
mod mould;
pub mod naming;
pub mod objections;
pub mod ocsp;
pub mod revocation_list;

pub use above::{is_lost, understood};
pub use check::{check_issuer, in_time, path as check_path};
pub use common_name::{fitting, fitting_subject};
pub use confinement::{confine, permits_nobody};
pub use constraints::{narrower as check_constraints, would_permit};
pub use error::IssueError;
pub use gate::{Fault, departures};
pub use mould::Mould;
pub use naming::{Naming, NamingError, Wanted};
pub use objections::{Objection, objections};
pub use ocsp::{Reply, Responder, ResponderName};
pub use revocation_list::{ListEntry, ListFields, ListMaker};

use crate::key::{KeyAlgorithm, Nonces, PrivateKey, PublicKey, SignatureAlgorithm};
use crate::profile::{Profile, Subject};
use crate::x509::{Certificate, CertificationRequest, DistinguishedName, GeneralName, SerialNumber, Validity};
use gate::Checked;

/// Whom and what a certificate is for.
#[derive(Debug, Clone)]
pub struct Request {
    /// `subject`; may be empty where there are names.
    pub subject: DistinguishedName,
    /// The names for `subjectAltName`, in order. Duplicates are left out.
    pub names: Vec<GeneralName>,
    /// The key to be certified.
    pub public_key: PublicKey,
    /// The subjectKeyIdentifier by which the key is known already, as in another certificate of the same CA: what that has
    /// signed names it. Computed from the key where there is none.
    pub key_identifier: Option<Vec<u8>>,
}

impl Request {
    /// The subjectKeyIdentifier of its certificate.
    fn key_identifier(&self) -> Vec<u8> {
        self.key_identifier.clone().unwrap_or_else(|| self.public_key.key_identifier().to_vec())
    }
}

/// Who signs.
#[derive(Debug, Clone, Copy)]
pub enum Issuer<'a> {
    /// The key that is certified signs its own certificate.
    SelfSigned(&'a PrivateKey),
    /// A certification authority.
    Authority {
        /// Its certificate.
        certificate: &'a Certificate,
        /// The key that belongs to it.
        key: &'a PrivateKey,
    },
}

/// Makes a certificate, the same one whenever the arguments are the same and the key's signatures are deterministic.
///
/// It is checked before it leaves: parsed again, compared with what was asked for, its signature verified, and held against
/// RFC 5280 and the profile.
///
/// # Errors
/// See [`IssueError`]: the issuer may not or cannot sign, the names are not allowed, the validity is not within the
/// issuer's ([`clamp`] it first).
pub fn issue(
    profile: &Profile,
    request: &Request,
    issuer: &Issuer<'_>,
    serial: &SerialNumber,
    validity: Validity,
) -> Result<Certificate, IssueError> {
    issue_with(Nonces::Derived, profile, request, issuer, serial, validity)
}

/// [`issue`], with nonces from elsewhere.
///
/// # Errors
/// As [`issue`].
pub fn issue_with(
    nonces: Nonces<'_>,
    profile: &Profile,
    request: &Request,
    issuer: &Issuer<'_>,
    serial: &SerialNumber,
    validity: Validity,
) -> Result<Certificate, IssueError> {
    let names = allowed(profile, request, issuer, serial, validity)?;
    let extensions = extensions::of_certificate(profile, request, &names, issuer)?;
    let algorithm = profile.signature_by(issuer.key().algorithm());
    let tbs = layout::tbs_certificate(&layout::Fields {
        serial,
        algorithm: &algorithm.to_algorithm_identifier(),
        issuer: issuer.name(request).der(),
        validity,
        subject: request.subject.der(),
        public_key_info: request.public_key.spki_der(),
        extensions: &extensions,
    })?;
    let (certificate, signature) = sign(nonces, issuer.key(), algorithm, &tbs)?;
    check::made(&certificate, request, issuer.name(request), serial, validity)?;
    if !certificate.extensions().iter().eq(&extensions) {
        return check::differs("extensions");
    }
    let checked = Checked { message: &tbs, signature: &signature };
    let faults = gate::faults(&certificate, profile, issuer, Some(checked), request.key_identifier.as_deref());
    if !faults.is_empty() {
        return Err(IssueError::Gate { faults });
    }
    Ok(certificate)
}

/// Everything that is checked before a certificate is made. Returns the names as they are written.
fn allowed(
    profile: &Profile,
    request: &Request,
    issuer: &Issuer<'_>,
    serial: &SerialNumber,
    validity: Validity,
) -> Result<Vec<GeneralName>, IssueError> {
    match issuer {
        Issuer::SelfSigned(key) => check::self_signed(request, key)?,
        Issuer::Authority { certificate, key } => check::authority(certificate, key)?,
    }
    let Request { subject, names, public_key, .. } = request;
    check::public_key(public_key)?;
    check::serial(serial)?;
    let names = before(profile, subject, names, public_key.algorithm(), issuer.key().algorithm(), validity)?;
    if let Issuer::Authority { certificate, .. } = issuer {
        check::may_issue(certificate, profile, subject, &names, validity)?;
    }
    Ok(names)
}

/// The certificate, read back, and its signature.
fn sign(
    nonces: Nonces<'_>,
    key: &PrivateKey,
    algorithm: SignatureAlgorithm,
    tbs: &[u8],
) -> Result<(Certificate, Vec<u8>), IssueError> {
    let signature = key.sign_checked(nonces, algorithm, tbs).map_err(IssueError::Signing)?;
    let encoding = layout::signed(tbs, &algorithm.to_algorithm_identifier(), &signature);
    let certificate = Certificate::from_der(&encoding).map_err(|error| IssueError::SelfCheck(error.to_string()))?;
    Ok((certificate, signature))
}

/// Whether this authority would be let [`issue`] such a certificate, as far as that is known before there is a key.
///
/// # Errors
/// As [`issue`].
pub fn would_issue(
    profile: &Profile,
    subject: &DistinguishedName,
    names: &[GeneralName],
    key: KeyAlgorithm,
    issuer: &Certificate,
    validity: Validity,
) -> Result<(), IssueError> {
    let unusable =
        |why: crate::key::KeyError| IssueError::UnusableIssuer { issuer: issuer.display_name(), why: why.to_string() };
    let signs = issuer.public_key().map_err(unusable)?.algorithm();
    before(profile, subject, names, key, signs, validity)
        .and_then(|names| check::may_issue(issuer, profile, subject, &names, validity))
}

/// What is checked before anything is made, whoever signs. Returns the names as they are written: in their usual form, and
/// without duplicates.
fn before(
    profile: &Profile,
    subject: &DistinguishedName,
    names: &[GeneralName],
    key: KeyAlgorithm,
    issuer: KeyAlgorithm,
    validity: Validity,
) -> Result<Vec<GeneralName>, IssueError> {
    let names = check::names(profile, names)?;
    check::subject(profile, subject, &names)?;
    check::validity(validity)?;
    let lifetime = validity.lifetime();
    let serves = profile.is_for_servers();
    check::limits(profile, &Subject { name: subject, names: &names, lifetime, key: Some(key), serves }, issuer)?;
    Ok(names)
}

/// The part of `validity` that lies within the issuer's, and whether that is less: a certificate that outlives its issuer
/// is worthless after the issuer's end (RFC 5280 §6.1.3 (a)(2)), and some clients refuse it before.
pub fn clamp(validity: Validity, issuer: &Certificate) -> (Validity, bool) {
    let within = Validity {
        not_before: validity.not_before.max(issuer.validity().not_before),
        not_after: validity.not_after.min(issuer.validity().not_after),
    };
    (within, within != validity)
}

/// Makes a certification request (PKCS #10, RFC 2986) that asks for the profile's extensions.
///
/// # Errors
/// See [`IssueError`]: the names are not allowed, the key cannot sign.
pub fn certification_request(
    profile: &Profile,
    subject: &DistinguishedName,
    names: &[GeneralName],
    key: &PrivateKey,
) -> Result<CertificationRequest, IssueError> {
    let names = check::names(profile, names)?;
    check::subject(profile, subject, &names)?;
    check::public_key(key.public_key())?;
    let extensions = extensions::of_request(profile, subject, &names, key.public_key().algorithm());
    let info = layout::request_info(subject.der(), key.public_key().spki_der(), &extensions)?;
    let algorithm = key.signature_algorithm();
    let signature = key.sign(algorithm, &info).map_err(IssueError::Signing)?;
    let encoding = layout::signed(&info, &algorithm.to_algorithm_identifier(), &signature);
    let failed = |error: &dyn std::fmt::Display| IssueError::SelfCheck(error.to_string());
    let request = CertificationRequest::from_der(&encoding).map_err(|error| failed(&error))?;
    request.verify_possession().map_err(|error| failed(&error))?;
    Ok(request)
}

impl Issuer<'_> {
    fn key(&self) -> &PrivateKey {
        match self {
            Self::SelfSigned(key) | Self::Authority { key, .. } => key,
        }
    }

    /// `issuer` of what it signs: the octets of its own subject (RFC 5280 §4.1.2.4).
    fn name<'a>(&'a self, request: &'a Request) -> &'a DistinguishedName {
        match self {
            Self::SelfSigned(_) => &request.subject,
            Self::Authority { certificate, .. } => certificate.subject(),
        }
    }
}

#[cfg(test)]
mod tests;
