//! Makes OCSP responses (RFC 6960 §4.2).

use std::sync::Arc;

use super::check;
use super::error::IssueError;
use crate::encoding::der::{self, tag};
use crate::key::{NonceStore, Nonces, PrivateKey, digest};
use crate::x509::extension::{CrlReason, ExtensionType, ReasonCode};
use crate::x509::ocsp::{OcspDecline, OcspStatus};
use crate::x509::{Certificate, Extension, oids, time as x509_time};
use time::OffsetDateTime;

/// Who answers.
#[derive(Debug, Clone)]
pub struct Responder {
    certificate: Certificate,
    key: PrivateKey,
    nonces: Arc<NonceStore>,
    /// Whether the certificate goes along: clients have the issuer's own already.
    delegated: bool,
    id: Vec<u8>,
}

/// How a responder names itself (`ResponderID`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResponderName {
    /// By the SHA-1 digest of its key: shorter, and what RFC 5019 §2.2.1 has.
    #[default]
    Key,
    /// By its name.
    Subject,
}

/// The answer about one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply<'a> {
    /// The encoding of the CertID, as the request has it.
    pub certificate: &'a [u8],
    /// Its status.
    pub status: OcspStatus,
    /// When this is known to be right.
    pub this_update: OffsetDateTime,
    /// By when there is something newer; `None` says that there always is.
    pub next_update: Option<OffsetDateTime>,
}

impl Responder {
    /// The issuer itself, by its own key.
    ///
    /// # Errors
    /// When the key is another's.
    pub fn issuer(certificate: Certificate, key: PrivateKey, name: ResponderName) -> Result<Self, IssueError> {
        check::key_of(&certificate, &key)?;
        Ok(Self { id: name.id(&certificate, &key), certificate, key, nonces: Arc::default(), delegated: false })
    }

    /// One to which `issuer` delegates by a certificate.
    ///
    /// # Errors
    /// When the key is another's, the issuer did not sign the certificate, or its extKeyUsage lacks OCSPSigning
    /// (RFC 6960 §4.2.2.2).
    pub fn delegate(
        certificate: Certificate,
        key: PrivateKey,
        issuer: &Certificate,
        name: ResponderName,
    ) -> Result<Self, IssueError> {
        check::key_of(&certificate, &key)?;
        check::delegation(&certificate, issuer)?;
        Ok(Self { id: name.id(&certificate, &key), certificate, key, nonces: Arc::default(), delegated: true })
    }

    /// Its certificate: the issuer's own, or one by which it delegates.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Whether the issuer delegates to it.
    pub fn is_delegate(&self) -> bool {
        self.delegated
    }

    /// Whether it speaks for this issuer.
    pub fn speaks_for(&self, issuer: &Certificate) -> bool {
        match self.delegated {
            true => check::delegation(&self.certificate, issuer).is_ok(),
            false => self.certificate == *issuer,
        }
    }

    /// Makes and signs an OCSPResponse. `nonce` is the one of the request, given back as it came (RFC 9654 §2.1).
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn respond(
        &self,
        replies: &[Reply<'_>],
        produced_at: OffsetDateTime,
        nonce: Option<&[u8]>,
    ) -> Result<Vec<u8>, IssueError> {
        let replies: Vec<u8> = replies.iter().flat_map(single).collect();
        let extensions = nonce.map_or_else(Vec::new, |nonce| {
            let extension =
                Extension { oid: oids::OCSP_NONCE, critical: false, value: der::octet_string(nonce) }.to_der();
            explicit(1, &der::tlv(tag::SEQUENCE, &extension))
        });
        let data =
            der::sequence(&[&self.id, &generalized(produced_at), &der::tlv(tag::SEQUENCE, &replies), &extensions]);
        let algorithm = self.key.signature_algorithm();
        let signature =
            self.key.sign_with(Nonces::Random(&self.nonces), algorithm, &data).map_err(IssueError::Signing)?;
        let certificates = match self.delegated {
            true => explicit(0, &der::tlv(tag::SEQUENCE, self.certificate.der())),
            false => Vec::new(),
        };
        let basic =
            der::sequence(&[&data, &algorithm.to_algorithm_identifier(), &der::bit_string(&signature), &certificates]);
        let bytes = der::sequence(&[&der::oid(&oids::OCSP_BASIC), &der::octet_string(&basic)]);
        Ok(der::sequence(&[&der::tlv(tag::ENUMERATED, &[SUCCESSFUL]), &explicit(0, &bytes)]))
    }
}

/// A response that says no more than why there is none. It is not signed (RFC 6960 §2.3).
pub fn decline(why: OcspDecline) -> Vec<u8> {
    der::sequence(&[&der::tlv(tag::ENUMERATED, &[why.code()])])
}

impl ResponderName {
    fn id(self, certificate: &Certificate, key: &PrivateKey) -> Vec<u8> {
        match self {
            Self::Subject => explicit(1, certificate.subject().der()),
            Self::Key => explicit(2, &der::octet_string(&digest::sha1(key.public_key().subject_public_key()))),
        }
    }
}

/// SingleResponse.
fn single(reply: &Reply<'_>) -> Vec<u8> {
    let status = match reply.status {
        OcspStatus::Good => der::tlv(tag::context(0), &[]),
        OcspStatus::Unknown => der::tlv(tag::context(2), &[]),
        OcspStatus::Revoked { since, reason } => {
            // RFC 5280 §5.3.1: unspecified is said by saying nothing.
            let reason = reason.filter(|reason| *reason != CrlReason::Unspecified);
            let reason = reason.map_or_else(Vec::new, |reason| explicit(0, &ReasonCode(reason).to_der()));
            // Recorded by a clock that was ahead: to some clients one that is to come is none.
            let since = since.min(reply.this_update);
            der::tlv(tag::context_constructed(1), &[generalized(since), reason].concat())
        }
    };
    let next_update = reply.next_update.map_or_else(Vec::new, |next| explicit(0, &generalized(next)));
    der::sequence(&[reply.certificate, &status, &generalized(reply.this_update), &next_update])
}

fn explicit(number: u8, value: &[u8]) -> Vec<u8> {
    der::tlv(tag::context_constructed(number), value)
}

fn generalized(moment: OffsetDateTime) -> Vec<u8> {
    der::tlv(tag::GENERALIZED_TIME, x509_time::generalized(moment).as_bytes())
}

/// OCSPResponseStatus `successful`.
const SUCCESSFUL: u8 = 0;

#[cfg(test)]
mod tests;
