//! The extensions of a certificate and of a request, from the profile.

use super::error::IssueError;
use super::{Issuer, Request};
use crate::key::{KeyAlgorithm, PrivateKey};
use crate::profile::Profile;
use crate::x509::extension::{
    AccessDescription, AuthorityInfoAccess, AuthorityKeyIdentifier, CertificatePolicies, CrlDistributionPoints,
    DistributionPoint, ExtendedKeyUsage, OcspNoCheck, SubjectAltName, SubjectKeyIdentifier, TlsFeature,
};
use crate::x509::{Certificate, DistinguishedName, Extension, GeneralName, oids};

/// `status_request`, the TLS extension that a server with "must staple" promises (RFC 7633 §4.2.3.1).
const STATUS_REQUEST: u64 = 5;

/// The extensions of a certificate.
pub(super) fn of_certificate(
    profile: &Profile,
    request: &Request,
    names: &[GeneralName],
    issuer: &Issuer<'_>,
) -> Result<Vec<Extension>, IssueError> {
    let key = &request.public_key;
    let mut list = of_usage(profile, &request.subject, names, key.algorithm());
    // RFC 5280 §4.2.1.2 and §4.2.1.1: not critical.
    list.push(Extension::new(&SubjectKeyIdentifier(request.key_identifier()), false));
    let identifier = authority_key_identifier(request, issuer)?;
    let identifier = AuthorityKeyIdentifier { key_identifier: Some(identifier), ..AuthorityKeyIdentifier::default() };
    list.push(Extension::new(&identifier, false));
    if let Some(constraints) = &profile.name_constraints {
        list.push(Extension::new(constraints, true));
    }
    if !profile.policies.is_empty() {
        list.push(Extension::new(&CertificatePolicies(profile.policies.clone()), false));
    }
    let access = [(&profile.ocsp, oids::OCSP), (&profile.ca_issuers, oids::CA_ISSUERS)];
    let access: Vec<AccessDescription> = access
        .into_iter()
        .flat_map(|(uris, method)| {
            uris.iter()
                .map(move |uri| AccessDescription { method: method.clone(), location: GeneralName::Uri(uri.clone()) })
        })
        .collect();
    if !access.is_empty() {
        list.push(Extension::new(&AuthorityInfoAccess(access), false));
    }
    if !profile.crl.is_empty() {
        let points = profile.crl.iter().map(|uri| DistributionPoint::at_uri(uri)).collect();
        list.push(Extension::new(&CrlDistributionPoints(points), false));
    }
    if profile.ocsp_no_check {
        list.push(Extension::new(&OcspNoCheck, false));
    }
    Ok(list)
}

/// The extensions a request asks for: those that say what the certificate is for. Where to look for revocation and who
/// the issuer is are the issuer's to say.
pub(super) fn of_request(
    profile: &Profile,
    subject: &DistinguishedName,
    names: &[GeneralName],
    key: KeyAlgorithm,
) -> Vec<Extension> {
    of_usage(profile, subject, names, key)
}

fn of_usage(
    profile: &Profile,
    subject: &DistinguishedName,
    names: &[GeneralName],
    key: KeyAlgorithm,
) -> Vec<Extension> {
    let mut list =
        vec![Extension::new(&profile.basic_constraints, true), Extension::new(&profile.key_usage_for(key), true)];
    if !profile.extended_key_usage.is_empty() {
        let purposes = ExtendedKeyUsage(profile.extended_key_usage.clone());
        list.push(Extension::new(&purposes, profile.extended_key_usage_critical));
    }
    if !names.is_empty() {
        // RFC 5280 §4.2.1.6: critical where it is the only name there is.
        list.push(Extension::new(&SubjectAltName(names.to_vec()), subject.is_empty()));
    }
    if profile.must_staple {
        list.push(Extension::new(&TlsFeature(vec![STATUS_REQUEST]), false));
    }
    list
}

/// The issuer's subjectKeyIdentifier as its certificate has it, which need not be the one we would compute
/// (RFC 5280 §4.2.1.1).
fn authority_key_identifier(request: &Request, issuer: &Issuer<'_>) -> Result<Vec<u8>, IssueError> {
    match issuer {
        Issuer::SelfSigned(_) => Ok(request.key_identifier()),
        Issuer::Authority { certificate, key } => key_identifier_of(certificate, key),
    }
}

/// The subjectKeyIdentifier of an issuer as its certificate has it; where it has none, the one we would compute.
pub(super) fn key_identifier_of(certificate: &Certificate, key: &PrivateKey) -> Result<Vec<u8>, IssueError> {
    let own = certificate.subject_key_identifier().map_err(IssueError::unusable(certificate))?;
    Ok(own.map_or_else(|| key.public_key().key_identifier().to_vec(), <[u8]>::to_vec))
}
