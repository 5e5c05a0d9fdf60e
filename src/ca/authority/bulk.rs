//! Many certificates at once: signed on as many threads as there are, recorded in one transaction.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Authority, AuthorityError, DRAWS, Draw, Issued, Order, Signatory, chain_below};
use crate::ca::ledger::{Act, Entry, LedgerError};
use crate::issue::{self, IssueError, Issuer, Mould, Naming, Request};
use crate::key::{KeyAlgorithm, NonceStore, Nonces, PrivateKey};
use crate::profile::Profile;
use crate::x509::extension::ExtensionError;
use crate::x509::{Certificate, SerialNumber, Validity};
use time::OffsetDateTime;

/// The half of a [`Signatory`] that signs. Threads may share it: what it makes is nobody's until it is recorded.
#[derive(Debug, Clone)]
pub struct Press<'a> {
    own: Certificate,
    /// The authority itself, and those above it.
    path: Vec<Certificate>,
    key: &'a PrivateKey,
    /// Where random nonces come from, for presses that sign with such.
    nonces: Option<Arc<NonceStore>>,
    /// For what it has made before, the latest last.
    moulds: Arc<Mutex<Vec<Arc<Mould>>>>,
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
    profile: Arc<Profile>,
    certificate: Certificate,
    clamped: Option<OffsetDateTime>,
}

impl<'a> Signatory<'a> {
    /// The half that signs. Its signatures have random nonces where that is quicker.
    pub fn press(&self) -> Press<'a> {
        self.press_with(Some(Arc::default()))
    }

    pub(super) fn press_with(&self, nonces: Option<Arc<NonceStore>>) -> Press<'a> {
        let own = self.authority.certificate.clone();
        let path = self.authority.path().into_iter().cloned().collect();
        Press { own, path, key: self.key, nonces, moulds: Arc::default() }
    }

    /// Records what presses made, in one transaction; when it returns, the records are on the disk. Whose serial number
    /// is taken is signed again with another.
    ///
    /// # Errors
    /// [`AuthorityError::Revoked`] where the authority was revoked since it was made ready to sign, and when the ledger fails.
    /// Then nothing of it is recorded, and it is gone.
    pub fn record_all(
        &mut self,
        mut made: Vec<Unrecorded>,
        serials: &mut Draw<'_>,
        act: &Act,
    ) -> Result<Vec<Issued>, AuthorityError> {
        self.authority.refuse_revoked()?;
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
                    *taken = press.make_again(taken, serials)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(AuthorityError::NoSerial { draws: DRAWS })
    }
}

impl Authority {
    /// Whether it would sign such a certificate, as far as that is known before there are keys.
    ///
    /// # Errors
    /// When the profile makes authorities, or the certificate would not be made.
    pub fn would_issue(
        &self,
        profile: &Profile,
        naming: &Naming,
        key: KeyAlgorithm,
        validity: Validity,
    ) -> Result<(), AuthorityError> {
        would_issue(&self.path(), profile, naming, key, validity)
    }
}

fn would_issue(
    path: &[&Certificate],
    profile: &Profile,
    Naming { subject, names, .. }: &Naming,
    key: KeyAlgorithm,
    validity: Validity,
) -> Result<(), AuthorityError> {
    if profile.is_ca() {
        return Err(AuthorityError::AuthorityProfile { profile: profile.name.clone() });
    }
    let subject = &*issue::fitting_subject(path, subject, names);
    issue::check_path(path, profile, subject, names)?;
    if let Some(issuer) = path.first() {
        issue::would_issue(profile, subject, names, key, issuer, granted(path.iter().copied(), validity))?;
    }
    Ok(())
}

/// The part of a period that lies within that of every authority.
fn granted<'a>(path: impl Iterator<Item = &'a Certificate>, validity: Validity) -> Validity {
    path.fold(validity, |granted, authority| issue::clamp(granted, authority).0)
}

impl Unrecorded {
    fn entry(&self) -> Entry<'_> {
        Entry { certificate: &self.certificate, profile: &self.profile.recorded_as }
    }
}

impl Press<'_> {
    /// Whether such a certificate would be made: see [`Authority::would_issue`].
    ///
    /// # Errors
    /// As [`Authority::would_issue`].
    pub fn would_make(
        &self,
        profile: &Profile,
        naming: &Naming,
        key: KeyAlgorithm,
        validity: Validity,
    ) -> Result<(), AuthorityError> {
        would_issue(&self.path.iter().collect::<Vec<_>>(), profile, naming, key, validity)
    }

    /// What a server sends after its own certificate: the authorities between it and the root.
    pub fn chain(&self) -> Vec<&Certificate> {
        chain_below(self.path.iter())
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
        let request = self.fitting(request);
        let (granted, clamped) = self.grant(profile, &request, *validity)?;
        let certificate = self.moulded(profile, &request, &serials()?, granted)?;
        Ok(Unrecorded { profile: Arc::clone(profile), certificate, clamped })
    }

    /// The same certificate with another serial number.
    fn make_again(&self, made: &Unrecorded, serials: &mut Draw<'_>) -> Result<Unrecorded, AuthorityError> {
        let Unrecorded { profile, certificate, clamped } = made;
        let unread = |error: ExtensionError| IssueError::SelfCheck(error.to_string());
        let request = Request {
            subject: certificate.subject().clone(),
            names: certificate.subject_alt_names().map_err(unread)?.to_vec(),
            public_key: certificate.public_key()?,
            key_identifier: certificate.subject_key_identifier().map_err(unread)?.map(<[u8]>::to_vec),
        };
        let certificate = self.moulded(profile, &request, &serials()?, *certificate.validity())?;
        Ok(Unrecorded { profile: Arc::clone(profile), certificate, clamped: *clamped })
    }

    /// Signs a certificate of any kind, within what all authorities of the path allow.
    pub(super) fn sign(&self, order: &Order<'_>, serials: &mut Draw<'_>) -> Result<Issued, AuthorityError> {
        let Order { profile, request, validity } = order;
        let request = self.fitting(request);
        let (granted, clamped) = self.grant(profile, &request, *validity)?;
        let certificate = issue::issue_with(self.nonces(), profile, &request, &self.issuer(), &serials()?, granted)?;
        Ok(Issued { certificate, clamped })
    }

    fn fitting<'r>(&self, request: &'r Request) -> Cow<'r, Request> {
        issue::fitting(&self.path.iter().collect::<Vec<_>>(), request)
    }

    /// What is left of a period within those of the whole path, if all of that allows such a certificate; and the end asked
    /// for where it comes after.
    fn grant(
        &self,
        profile: &Profile,
        request: &Request,
        validity: Validity,
    ) -> Result<(Validity, Option<OffsetDateTime>), AuthorityError> {
        let path: Vec<&Certificate> = self.path.iter().collect();
        issue::check_path(&path, profile, &request.subject, &request.names)?;
        let granted = granted(self.path.iter(), validity);
        Ok((granted, (granted.not_after != validity.not_after).then_some(validity.not_after)))
    }

    fn moulded(
        &self,
        profile: &Arc<Profile>,
        request: &Request,
        serial: &SerialNumber,
        validity: Validity,
    ) -> Result<Certificate, AuthorityError> {
        let moulds = || self.moulds.lock().unwrap_or_else(PoisonError::into_inner);
        let known = moulds().iter().find(|mould| mould.fits(profile, request)).cloned();
        if let Some(mould) = known {
            return Ok(mould.make(self.nonces(), request, self.key, serial, validity)?);
        }
        let (first, mould) = Mould::new(self.nonces(), profile, request, (&self.own, self.key), serial, validity)?;
        let mut moulds = moulds();
        if moulds.len() >= MOULDS {
            moulds.remove(0);
        }
        moulds.push(Arc::new(mould));
        Ok(first)
    }

    fn nonces(&self) -> Nonces<'_> {
        self.nonces.as_deref().map_or(Nonces::Derived, Nonces::Random)
    }

    fn issuer(&self) -> Issuer<'_> {
        Issuer::Authority { certificate: &self.own, key: self.key }
    }
}

/// How many moulds a press keeps at most.
const MOULDS: usize = 16;
