//! Many certificates at once: signed on as many threads as there are, recorded in one transaction.

use std::sync::Arc;

use super::{Authority, AuthorityError, DRAWS, Draw, Issued, Signatory};
use crate::ca::ledger::{Act, Entry, LedgerError};
use crate::issue::{self, Issuer, Request};
use crate::key::PrivateKey;
use crate::profile::Profile;
use crate::x509::{Certificate, Validity};
use time::OffsetDateTime;

/// The half of a [`Signatory`] that signs. Threads may share it: what it makes is nobody's until it is recorded.
#[derive(Debug, Clone)]
pub struct Press<'a> {
    certificate: Certificate,
    key: &'a PrivateKey,
}

/// What is to be certified, in a form that threads can hand on.
#[derive(Debug, Clone)]
pub struct Task {
    /// What kind of certificate.
    pub profile: Arc<Profile>,
    /// For whom and what.
    pub request: Request,
    /// The period asked for.
    pub validity: Validity,
}

/// A certificate that is signed and not recorded: it cannot be had before it is.
#[derive(Debug)]
pub struct Unrecorded {
    task: Task,
    certificate: Certificate,
    clamped: Option<OffsetDateTime>,
}

impl<'a> Signatory<'a> {
    /// The half that signs.
    pub fn press(&self) -> Press<'a> {
        Press { certificate: self.authority.certificate.clone(), key: self.key }
    }

    /// Records what presses made, in one transaction; when it returns, the records are on the disk. Whose serial number
    /// is taken is signed again with another.
    ///
    /// # Errors
    /// When the ledger fails. Then nothing of it is recorded, and it is gone.
    pub fn record_all(
        &mut self,
        mut made: Vec<Unrecorded>,
        serials: &mut Draw<'_>,
        act: &Act,
    ) -> Result<Vec<Issued>, AuthorityError> {
        let press = self.press();
        let Authority { id, ledger, .. } = &mut *self.authority;
        for _ in 0..DRAWS {
            let entries: Vec<Entry<'_>> = made.iter().map(Unrecorded::entry).collect();
            match ledger.record(*id, &entries, act) {
                Ok(()) => {
                    let issued = |Unrecorded { certificate, clamped, .. }| Issued { certificate, clamped };
                    return Ok(made.into_iter().map(issued).collect());
                }
                Err(LedgerError::SerialTaken { serial }) => {
                    // Of two in this transaction the later one is at fault.
                    let taken = made.iter_mut().rev().find(|made| *made.certificate.serial() == serial);
                    let Some(taken) = taken else { return Err(LedgerError::SerialTaken { serial }.into()) };
                    *taken = press.make(taken.task.clone(), serials)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(AuthorityError::NoSerial { draws: DRAWS })
    }
}

impl Unrecorded {
    fn entry(&self) -> Entry<'_> {
        Entry { certificate: &self.certificate, profile: &self.task.profile.name }
    }
}

impl Press<'_> {
    /// The certificate of the authority.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Signs a certificate.
    ///
    /// # Errors
    /// When the profile makes authorities, or the certificate cannot be made.
    pub fn make(&self, task: Task, serials: &mut Draw<'_>) -> Result<Unrecorded, AuthorityError> {
        let Task { profile, request, validity } = &task;
        if profile.is_ca() {
            return Err(AuthorityError::AuthorityProfile { profile: profile.name.clone() });
        }
        let issuer = Issuer::Authority { certificate: &self.certificate, key: self.key };
        let (granted, _) = issue::clamp(*validity, &self.certificate);
        let clamped = (granted.not_after != validity.not_after).then_some(validity.not_after);
        let certificate = issue::issue(profile, request, &issuer, &serials()?, granted)?;
        Ok(Unrecorded { task, certificate, clamped })
    }

    /// Whether such a certificate would be made, as far as that is known before there is a key.
    ///
    /// # Errors
    /// As [`Self::make`].
    pub fn would_make(
        &self,
        profile: &Profile,
        names: &issue::Naming,
        key: crate::key::KeyAlgorithm,
        validity: Validity,
    ) -> Result<(), AuthorityError> {
        if profile.is_ca() {
            return Err(AuthorityError::AuthorityProfile { profile: profile.name.clone() });
        }
        let (granted, _) = issue::clamp(validity, &self.certificate);
        let issuer = Issuer::Authority { certificate: &self.certificate, key: self.key };
        issue::would_issue(profile, &names.subject, &names.names, key, &issuer, granted)?;
        Ok(())
    }
}
