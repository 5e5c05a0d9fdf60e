//! Certificates by the thousand: where only serial number, validity, subject, key and names differ, the rest is laid out,
//! signed over and looked at by the gate once, in a first certificate, and is the same octets in all others.

use std::sync::Arc;

use super::error::IssueError;
use super::{Issuer, Request, allowed, check, issue_with, sign};
use crate::encoding::der::{self, DerError, tag};
use crate::key::{KeyAlgorithm, Nonces, PrivateKey, SignatureAlgorithm};
use crate::profile::Profile;
use crate::x509::extension::{ExtensionType, SubjectAltName, SubjectKeyIdentifier};
use crate::x509::{Certificate, Extension, GeneralName, SerialNumber, Validity, time};

/// What certificates of one profile and issuer share.
///
/// What it makes is what [`super::issue_with`] makes of the same arguments, and is checked as strictly: the request by the
/// same rules before; the certificate, read back, by comparing each part that it shares with the first one, which passed
/// the gate, and each part that it does not with the request.
#[derive(Debug)]
pub struct Mould {
    profile: Arc<Profile>,
    issuer: Certificate,
    algorithm: SignatureAlgorithm,
    /// A certificate that passed the gate.
    first: Certificate,
    key: KeyAlgorithm,
    /// The version, as it is encoded.
    version: Vec<u8>,
    /// The extensions as they are encoded, those left out that are of a certificate's own.
    extensions: Vec<Part>,
}

/// An extension of a mould.
#[derive(Debug)]
enum Part {
    Shared(Vec<u8>),
    /// `subjectAltName`, critical or not.
    Names(bool),
    /// `subjectKeyIdentifier`.
    KeyIdentifier,
}

impl Mould {
    /// Makes a first certificate, as [`super::issue_with`] does, and the mould of others like it.
    ///
    /// # Errors
    /// As [`super::issue_with`].
    pub fn new(
        nonces: Nonces<'_>,
        profile: &Arc<Profile>,
        request: &Request,
        issuer: (&Certificate, &PrivateKey),
        serial: &SerialNumber,
        validity: Validity,
    ) -> Result<(Certificate, Self), IssueError> {
        let (certificate, key) = issuer;
        let first = issue_with(nonces, profile, request, &Issuer::Authority { certificate, key }, serial, validity)?;
        let mould = Self {
            profile: Arc::clone(profile),
            issuer: certificate.clone(),
            algorithm: profile.signature_by(key.algorithm()),
            key: request.public_key.algorithm(),
            version: version(&first).map_err(|error| IssueError::Layout(error.to_string()))?,
            extensions: first.extensions().iter().map(Part::of).collect(),
            first: first.clone(),
        };
        Ok((first, mould))
    }

    /// Whether the certificate of this profile for this request is one of those it makes.
    pub fn fits(&self, profile: &Arc<Profile>, request: &Request) -> bool {
        Arc::ptr_eq(&self.profile, profile)
            && request.public_key.algorithm() == self.key
            && request.subject.is_empty() == self.first.subject().is_empty()
            && request.names.is_empty() == self.first.subject_alt_names().is_ok_and(<[_]>::is_empty)
    }

    /// Makes a certificate. The private key is the issuer's, and `request` one that [`Self::fits`].
    ///
    /// # Errors
    /// As [`super::issue_with`].
    pub fn make(
        &self,
        nonces: Nonces<'_>,
        request: &Request,
        key: &PrivateKey,
        serial: &SerialNumber,
        validity: Validity,
    ) -> Result<Certificate, IssueError> {
        let issuer = Issuer::Authority { certificate: &self.issuer, key };
        let names = allowed(&self.profile, request, &issuer, serial, validity)?;
        let encoded = self.validity(validity);
        let tbs = self.lay_out(request, names.clone(), serial, &encoded);
        let (certificate, signature) = sign(nonces, key, self.algorithm, &tbs)?;
        if certificate.tbs() != tbs || certificate.signature() != signature {
            return check::differs("what was signed");
        }
        self.check(&certificate, request, &names, serial, (validity, &encoded))?;
        Ok(certificate)
    }

    /// The content of `validity`.
    fn validity(&self, validity: Validity) -> Vec<u8> {
        if validity == *self.first.validity() {
            return self.first.validity_encoding().to_vec();
        }
        [time::encode(validity.not_before), time::encode(validity.not_after)].concat()
    }

    /// `tbsCertificate` (RFC 5280 §4.1).
    fn lay_out(&self, request: &Request, names: Vec<GeneralName>, serial: &SerialNumber, validity: &[u8]) -> Vec<u8> {
        let names = SubjectAltName(names);
        let mut extensions = Vec::with_capacity(512);
        for part in &self.extensions {
            match part {
                Part::Shared(encoding) => extensions.extend_from_slice(encoding),
                Part::Names(critical) => extensions.extend(Extension::new(&names, *critical).to_der()),
                Part::KeyIdentifier => {
                    let identifier = SubjectKeyIdentifier(request.key_identifier());
                    extensions.extend(Extension::new(&identifier, false).to_der());
                }
            }
        }
        let mut content = Vec::with_capacity(extensions.len() + 512);
        content.extend_from_slice(&self.version);
        der::push_tlv(&mut content, tag::INTEGER, serial.content());
        content.extend_from_slice(self.first.tbs_signature_algorithm_der());
        content.extend_from_slice(self.first.issuer().der());
        der::push_tlv(&mut content, tag::SEQUENCE, validity);
        content.extend_from_slice(request.subject.der());
        content.extend_from_slice(request.public_key.spki_der());
        der::push_tlv(&mut content, tag::context_constructed(3), &der::sequence(&[&extensions]));
        der::sequence(&[&content])
    }

    /// What the gate looks at: the same as in the first certificate, or what the request says.
    fn check(
        &self,
        certificate: &Certificate,
        request: &Request,
        names: &[GeneralName],
        serial: &SerialNumber,
        (validity, encoded): (Validity, &[u8]),
    ) -> Result<(), IssueError> {
        let first = &self.first;
        check::made(certificate, request, self.issuer.subject(), serial, validity)?;
        let same = certificate.version() == first.version()
            && certificate.tbs_signature_algorithm_der() == first.tbs_signature_algorithm_der()
            && certificate.signature_algorithm_der() == first.signature_algorithm_der()
            && certificate.validity_encoding() == encoded
            && !certificate.has_unique_identifiers();
        match () {
            () if !same => check::differs("a field"),
            () if request.public_key.is_compressed() || request.public_key.validate().is_err() => {
                check::differs("subjectPublicKey")
            }
            () if !self.same_extensions(certificate, request, names) => check::differs("extensions"),
            () => Ok(()),
        }
    }

    fn same_extensions(&self, certificate: &Certificate, request: &Request, names: &[GeneralName]) -> bool {
        let (found, first) = (certificate.extensions(), self.first.extensions());
        let named = certificate.subject_alt_names().is_ok_and(|found| found == names);
        let identified = certificate
            .subject_key_identifier()
            .is_ok_and(|found| found.is_some_and(|found| found == request.key_identifier()));
        let same = |(found, first): (&Extension, &Extension)| {
            let own = [SubjectAltName::OID, SubjectKeyIdentifier::OID].contains(&first.oid);
            found.oid == first.oid && found.critical == first.critical && (own || found.value == first.value)
        };
        named && identified && found.len() == first.len() && found.iter().zip(first.iter()).all(same)
    }
}

impl Part {
    fn of(extension: &Extension) -> Self {
        match &extension.oid {
            oid if *oid == SubjectAltName::OID => Self::Names(extension.critical),
            oid if *oid == SubjectKeyIdentifier::OID => Self::KeyIdentifier,
            _ => Self::Shared(extension.to_der()),
        }
    }
}

/// `version` with its tag, as it stands in a certificate.
fn version(certificate: &Certificate) -> Result<Vec<u8>, DerError> {
    let mut fields = der::only_reader(certificate.tbs(), tag::SEQUENCE)?;
    Ok(fields.expect_tlv(tag::context_constructed(0))?.raw.to_vec())
}

#[cfg(test)]
mod tests;
