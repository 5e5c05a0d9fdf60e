//! A certificate's status by the OCSP responses given (RFC 6960 §3.2).

use ::time::{Duration, OffsetDateTime};

use super::fault::SourceFault;
use super::response_fault::ResponseFault;
use super::status::{RevocationSource, Status};
use super::{Answer, Inquiry, Target};
use crate::encoding::Oid;
use crate::key::HashAlgorithm;
use crate::verify::check::Policy;
use crate::verify::single_checks;
use crate::verify::verdict::{Findings, Place};
use crate::x509::extension::{ExtendedKeyUsage, OcspNoCheck};
use crate::x509::ocsp::{BasicOcspResponse, OcspStatus, SingleResponse};
use crate::x509::{Certificate, Extensions, OcspResponse, oids};

/// How long a response without nextUpdate holds; Firefox (mozilla::pkix) gives it a day, too.
const UNDATED: Duration = Duration::DAY;

impl Inquiry<'_> {
    /// Goes through the responses that speak of the certificate. One that says revoked decides; of those that say good,
    /// the newest is named.
    pub(super) fn ask_responses(&mut self, target: Target<'_>) -> Answer {
        let mut answer = Answer::unknown();
        let Some(issuer) = target.above.first() else { return answer };
        for response in &self.verifier.ocsp_responses {
            let OcspResponse::Successful(response) = response else { continue };
            for single in response.responses() {
                match single.certificate.is(target.certificate, issuer) {
                    Some(true) => self.take_in(response, single, target, &mut answer),
                    // A hash that is not known: whose certificate it is, nobody can tell but by its number.
                    None if single.certificate.serial == *target.certificate.serial() => {
                        let hash = single.certificate.hash.clone();
                        answer.object(of(response, ResponseFault::UnknownHash(hash)));
                    }
                    None | Some(false) => {}
                }
            }
        }
        answer
    }

    fn take_in(
        &mut self,
        response: &BasicOcspResponse,
        single: &SingleResponse,
        target: Target<'_>,
        answer: &mut Answer,
    ) {
        let mut remarks = Vec::new();
        let signer = match self.read_response(response, single, target, &mut remarks) {
            Ok(signer) => signer,
            Err(fault) => return answer.object(of(response, fault)),
        };
        let source = RevocationSource {
            kind: "OCSP response",
            issuer: signer.subject().clone(),
            this_update: single.this_update,
            next_update: single.next_update,
            nonce: response.nonce().ok().flatten(),
        };
        let newer = answer.status.source.as_ref().is_none_or(|known| known.this_update < source.this_update);
        answer.remarks.extend(remarks.into_iter().map(|fault| of(response, fault)));
        match (single.status, answer.status.status) {
            (OcspStatus::Unknown, _) => answer.object(of(response, ResponseFault::UnknownCertificate)),
            (OcspStatus::Revoked { since, reason }, _) => {
                answer.status.status = Status::Revoked { since, reason };
                answer.status.source = Some(source);
            }
            (OcspStatus::Good, Status::Revoked { .. }) => {}
            (OcspStatus::Good, Status::Good | Status::Unknown) if newer => {
                answer.status.status = Status::Good;
                answer.status.source = Some(source);
            }
            (OcspStatus::Good, Status::Good | Status::Unknown) => {}
        }
    }

    /// Whether the response can be relied on; the certificate of who signed it.
    fn read_response(
        &mut self,
        response: &BasicOcspResponse,
        single: &SingleResponse,
        target: Target<'_>,
        remarks: &mut Vec<ResponseFault>,
    ) -> Result<Certificate, ResponseFault> {
        // RFC 6960 §4.4: critical extensions that are not known; the nonce is, and binds nothing in a saved response.
        if let Some(oid) = unknown_critical(response.extensions()).or_else(|| unknown_critical(&single.extensions)) {
            return Err(ResponseFault::UnknownCritical(oid.clone()));
        }
        response.nonce().map_err(ResponseFault::Extension)?;
        // RFC 9155; BR 7.1.3.2.
        if let Some(hash @ (HashAlgorithm::Md5 | HashAlgorithm::Sha1 | HashAlgorithm::Sha224)) =
            response.signature_algorithm().ok().and_then(|algorithm| algorithm.hash())
        {
            return Err(ResponseFault::WeakHash(hash));
        }
        let signer = self.responder(response, target, remarks)?;
        currency(response, single, self.verifier.at)?;
        Ok(signer)
    }

    /// RFC 6960 §4.2.2.2: the issuer of the certificate, or one that it authorised.
    fn responder(
        &mut self,
        response: &BasicOcspResponse,
        target: Target<'_>,
        remarks: &mut Vec<ResponseFault>,
    ) -> Result<Certificate, ResponseFault> {
        let others = self.verifier.intermediates.iter().chain(self.more);
        let local = &self.verifier.ocsp_responders;
        let known = target.above.iter().copied().take(1).chain(local).chain(response.certificates()).chain(others);
        let mut candidates: Vec<Certificate> = Vec::new();
        for certificate in known.filter(|certificate| response.responder().is(certificate)) {
            if !candidates.contains(certificate) {
                candidates.push(certificate.clone());
            }
        }
        let mut closest = ResponseFault::ResponderNotFound;
        for candidate in candidates {
            match self.try_responder(response, &candidate, target, remarks) {
                Ok(()) => return Ok(candidate),
                Err(fault) if progress(&fault) >= progress(&closest) => closest = fault,
                Err(_) => {}
            }
        }
        Err(closest)
    }

    fn try_responder(
        &mut self,
        response: &BasicOcspResponse,
        signer: &Certificate,
        target: Target<'_>,
        remarks: &mut Vec<ResponseFault>,
    ) -> Result<(), ResponseFault> {
        // RFC 6960 §3.2, 2: "The signature on the response is valid".
        self.spend()?;
        let key = signer.public_key().map_err(|_| ResponseFault::Signature(crate::key::SignatureError::BadKey))?;
        response.verify_signature(&key).map_err(ResponseFault::Signature)?;
        let Some(issuer) = target.above.first() else { return Err(ResponseFault::ResponderNotFound) };
        if signer == *issuer {
            return Ok(());
        }
        // RFC 6960 §4.2.2.2: "Matches a local configuration of OCSP signing authority".
        if self.verifier.ocsp_responders.contains(signer) {
            return check_certificate(signer, self.verifier.at);
        }
        // RFC 6960 §4.2.2.2: "issued directly by the CA that is identified in the request".
        self.spend()?;
        let issued = signer.issuer().matches(issuer.subject())
            && issuer.public_key().is_ok_and(|key| signer.verify_signature(&key).is_ok());
        if !issued {
            return Err(ResponseFault::NotDelegated { subject: signer.subject().clone() });
        }
        // The same section: extKeyUsage "MUST" have id-kp-OCSPSigning; anyExtendedKeyUsage is not it.
        let usages = signer.extension::<ExtendedKeyUsage>().ok().flatten();
        if !usages.is_some_and(|found| found.value.lists(&oids::OCSP_SIGNING)) {
            return Err(ResponseFault::NoOcspSigning { subject: signer.subject().clone() });
        }
        check_certificate(signer, self.verifier.at)?;
        self.check_status_of_responder(signer, target, remarks)
    }

    /// RFC 6960 §4.2.2.2.1: id-pkix-ocsp-nocheck says that the responder may be trusted as long as its certificate holds.
    fn check_status_of_responder(
        &mut self,
        signer: &Certificate,
        target: Target<'_>,
        remarks: &mut Vec<ResponseFault>,
    ) -> Result<(), ResponseFault> {
        if matches!(signer.extension::<OcspNoCheck>(), Ok(Some(_))) {
            return Ok(());
        }
        match self.ask_about_signer(Target { certificate: signer, above: target.above }) {
            Status::Good => {}
            Status::Revoked { .. } => return Err(ResponseFault::ResponderRevoked),
            Status::Unknown => remarks.push(ResponseFault::ResponderUnknown),
        }
        Ok(())
    }

    fn spend(&mut self) -> Result<(), ResponseFault> {
        self.signatures.spend().map_err(|limit| ResponseFault::GaveUp { limit })
    }
}

/// Whether a responder's certificate is sound and current.
fn check_certificate(signer: &Certificate, at: OffsetDateTime) -> Result<(), ResponseFault> {
    let mut findings = Findings::new(Policy::Tls);
    single_checks::check(signer, Place::Certificate(0), at, false, &mut findings);
    let fault = findings.list.iter().filter(|finding| finding.is_failure()).find_map(|it| it.reason());
    fault.map_or(Ok(()), |reason| Err(ResponseFault::ResponderCertificate { why: reason.to_string() }))
}

/// RFC 6960 §3.2, 5 and 6, and §4.2.2.1.
fn currency(response: &BasicOcspResponse, single: &SingleResponse, at: OffsetDateTime) -> Result<(), ResponseFault> {
    if at < single.this_update || at < response.produced_at() {
        return Err(ResponseFault::NotYet { at });
    }
    match single.next_update {
        Some(next_update) if next_update < at => Err(ResponseFault::Stale { next_update, at }),
        None if single.this_update + UNDATED < at => Err(ResponseFault::Undated { this_update: single.this_update }),
        _ => Ok(()),
    }
}

fn unknown_critical(extensions: &Extensions) -> Option<&Oid> {
    let unknown = extensions.iter().find(|extension| extension.critical && extension.oid != oids::OCSP_NONCE);
    unknown.map(|extension| &extension.oid)
}

/// How far a responder came before it failed; the furthest tells most.
fn progress(fault: &ResponseFault) -> u8 {
    match fault {
        ResponseFault::ResponderNotFound => 0,
        ResponseFault::Signature(_) => 1,
        ResponseFault::NotDelegated { .. } => 2,
        ResponseFault::NoOcspSigning { .. } => 3,
        _ => 4,
    }
}

fn of(response: &BasicOcspResponse, fault: ResponseFault) -> SourceFault {
    SourceFault::Response { responder: Some(response.responder().clone()), fault }
}
