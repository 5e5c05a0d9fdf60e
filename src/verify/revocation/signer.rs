//! Who signed a list: a certificate with the issuer's name whose key made the signature, that may sign lists, and that
//! has a path of its own to the trust anchor of the judged certificate (RFC 5280 §6.3.3 (f) and (g)).

use std::collections::HashMap;

use super::fault::ListFault;
use super::status::{CheckRevocation, Status};
use super::{Inquiry, Target};
use crate::key::{PublicKey, SignatureError};
use crate::verify::reason::Reason;
use crate::verify::search;
use crate::verify::{Purpose, Verifier};
use crate::x509::extension::{AuthorityKeyIdentifier, KeyUsageBit};
use crate::x509::{Certificate, CertificateRevocationList};

/// Signatures of lists checked in one judgment, as many as those of certificates: a list with an honest name needs one.
const SIGNATURES: usize = 100;

/// Checked signatures of lists, and paths of signers. Each is checked once.
pub(super) struct Signatures<'a> {
    verifier: &'a Verifier,
    more: &'a [Certificate],
    /// By the encodings of list (its address: the verifier owns it) and key.
    checked: HashMap<(*const u8, Vec<u8>), Result<(), SignatureError>>,
    left: usize,
    /// By the encodings of signer and anchor.
    paths: HashMap<(Vec<u8>, Vec<u8>), PathFound>,
}

/// The path of a signer, or why there is none.
type PathFound = Result<Vec<Certificate>, String>;

impl<'a> Signatures<'a> {
    pub(super) fn new(verifier: &'a Verifier, more: &'a [Certificate]) -> Self {
        Self { verifier, more, checked: HashMap::new(), left: SIGNATURES, paths: HashMap::new() }
    }

    /// Whether this key signed the list.
    pub(super) fn check(&mut self, list: &CertificateRevocationList, key: &PublicKey) -> Result<(), ListFault> {
        let pair = (list.der().as_ptr(), key.spki_der().to_vec());
        if let Some(known) = self.checked.get(&pair) {
            return known.clone().map_err(ListFault::Signature);
        }
        self.spend().map_err(|limit| ListFault::GaveUp { limit })?;
        let checked = list.verify_signature(key);
        self.checked.insert(pair, checked.clone());
        checked.map_err(ListFault::Signature)
    }

    /// Counts one more signature check; an error with the limit where no more are allowed.
    pub(super) fn spend(&mut self) -> Result<(), usize> {
        self.left = self.left.checked_sub(1).ok_or(SIGNATURES)?;
        Ok(())
    }

    /// The path from a signer to this anchor, and no other (RFC 5280 §6.3.3 (f)).
    fn path(&mut self, signer: &Certificate, anchor: &Certificate) -> PathFound {
        let pair = (signer.der().to_vec(), anchor.der().to_vec());
        if let Some(known) = self.paths.get(&pair) {
            return known.clone();
        }
        if self.paths.len() >= SIGNATURES {
            return Err(Reason::GaveUp { what: "paths of signers of lists", limit: SIGNATURES }.to_string());
        }
        let mut verifier = Verifier::new(vec![anchor.clone()], self.verifier.at);
        verifier.intermediates = self.verifier.intermediates.clone();
        verifier.max_depth = self.verifier.max_depth;
        verifier.purpose = Purpose::Any;
        verifier.check_revocation = CheckRevocation::None;
        let verdict = search::judge(&verifier, signer, self.more);
        let reasons = || verdict.reasons().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let path = verdict.accepted_path().map(<[Certificate]>::to_vec).ok_or_else(reasons);
        self.paths.insert(pair, path.clone());
        path
    }
}

impl Inquiry<'_> {
    /// The key that soundly signed the list.
    pub(super) fn signer(
        &mut self,
        list: &CertificateRevocationList,
        target: Target<'_>,
    ) -> Result<PublicKey, ListFault> {
        let mut closest = ListFault::SignerNotFound;
        for signer in self.signers(list, target) {
            match self.try_signer(list, &signer, target) {
                Ok(key) => return Ok(key),
                Err(fault) if progress(&fault) >= progress(&closest) => closest = fault,
                Err(_) => {}
            }
        }
        Err(closest)
    }

    /// Certificates with the issuer's name; first those of the path, and those whose key identifier agrees.
    fn signers(&self, list: &CertificateRevocationList, target: Target<'_>) -> Vec<Certificate> {
        let in_path = target.above.iter().copied().chain([target.certificate]);
        let others = self.verifier.intermediates.iter().chain(self.more).chain(&self.verifier.anchors);
        let mut signers: Vec<Certificate> = Vec::new();
        for certificate in in_path.chain(others).filter(|it| it.subject().matches(list.issuer())) {
            if !signers.contains(certificate) {
                signers.push(certificate.clone());
            }
        }
        let authority = list.extensions().find::<AuthorityKeyIdentifier>().ok().flatten();
        let wanted = authority.and_then(|found| found.value.key_identifier);
        signers.sort_by_key(|signer| {
            wanted.is_some() && signer.subject_key_identifier().ok().flatten() != wanted.as_deref()
        });
        signers
    }

    fn try_signer(
        &mut self,
        list: &CertificateRevocationList,
        signer: &Certificate,
        target: Target<'_>,
    ) -> Result<PublicKey, ListFault> {
        // RFC 5280 §6.3.3 (g).
        let key = signer.public_key().map_err(|_| ListFault::Signature(SignatureError::BadKey))?;
        self.signatures.check(list, &key)?;
        // RFC 5280 §6.3.3 (f): "If a key usage extension is present in the CRL issuer's certificate, verify that the
        // cRLSign bit is set."
        match signer.key_usage() {
            Ok(usage) if usage.is_none_or(|usage| usage.has(KeyUsageBit::CrlSign)) => {}
            _ => return Err(ListFault::NoCrlSign),
        }
        if target.above.contains(&signer) {
            return Ok(key);
        }
        let Some(anchor) = target.above.last() else { return Err(ListFault::SignerNotFound) };
        let path = self.signatures.path(signer, anchor).map_err(|why| ListFault::SignerPath { why })?;
        self.check_path_of_signer(&path, target)?;
        Ok(key)
    }

    /// The signer's path holds only if none of its certificates is revoked. A signer may speak for itself: who doubts it
    /// has no one else to ask.
    fn check_path_of_signer(&mut self, path: &[Certificate], target: Target<'_>) -> Result<(), ListFault> {
        let path: Vec<&Certificate> = path.iter().collect();
        for (at, certificate) in path.iter().enumerate().take(path.len().saturating_sub(1)) {
            if target.above.contains(certificate) || self.under_way.contains(certificate) {
                continue;
            }
            let above = path.get(at + 1..).unwrap_or_default();
            match self.ask_about_signer(Target { certificate, above }) {
                Status::Good => {}
                Status::Revoked { .. } => return Err(ListFault::SignerRevoked),
                Status::Unknown if self.verifier.check_revocation == CheckRevocation::Chain => {
                    return Err(ListFault::SignerUnknown);
                }
                Status::Unknown => {}
            }
        }
        Ok(())
    }
}

/// How far a signer came before it failed; the furthest tells most.
fn progress(fault: &ListFault) -> u8 {
    match fault {
        ListFault::SignerNotFound => 0,
        ListFault::Signature(_) => 1,
        ListFault::NoCrlSign => 2,
        ListFault::SignerPath { .. } => 3,
        _ => 4,
    }
}
