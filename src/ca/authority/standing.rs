//! Whether an authority may certify: not while it, or one above it, is revoked or on hold.

use std::fmt;
use std::ops::ControlFlow;

use super::compromise::compromised;
use super::{Authority, AuthorityError, Draw, Issued, Order, Signatory};
use crate::ca::ledger::{Act, AuthorityId, Query, Record, Revocation};
use crate::key::{PrivateKey, PublicKey};
use crate::x509::time::rfc3339;
use crate::x509::{Certificate, SerialNumber, oids};
use time::OffsetDateTime;

/// A certificate of an authority that is revoked or on hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedAuthority {
    /// Its subject.
    pub subject: String,
    /// Its serial number.
    pub serial: SerialNumber,
    /// The revocation, or the hold.
    pub revocation: Revocation,
    /// Whether it is one above the authority that was asked about.
    pub is_above: bool,
}

impl fmt::Display for RevokedAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subject, serial, revocation, is_above } = self;
        let above = if *is_above { ", which is above it," } else { "" };
        let (at, reason) = (rfc3339(revocation.at), revocation.reason.name());
        match revocation.is_hold() {
            true => write!(f, "{subject} (serial number {serial}){above} is on hold since {at}"),
            false => write!(f, "{subject} (serial number {serial}){above} is revoked: {reason} since {at}"),
        }
    }
}

/// An authority with its key that signs what clients learn of revocation by, and nothing else.
///
/// A revoked authority goes on with that. What it has issued may still be in the hands of clients that have not heard of its
/// revocation: they go by its lists and answers, and those say no more than its ledger does (RFC 5280 §5; CA/B Forum BR 4.9.7
/// and 4.10.2 end the service with the last certificate, or with the key, not with a revocation). Clients that have heard of it
/// take none of its lists (RFC 5280 §6.3.3 (f)), so it does no harm there.
pub struct StatusSignatory<'a> {
    pub(super) authority: &'a mut Authority,
    pub(super) key: &'a PrivateKey,
}

impl Authority {
    /// Its revocation or hold, or that of another certificate of its key as compromised; or else that of the next authority
    /// above it that has one. As far as this ledger knows: a certificate that another CA has signed is revoked there.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn revoked(&mut self) -> Result<Option<RevokedAuthority>, AuthorityError> {
        self.known = std::mem::take(&mut self.known).now(&mut *self.ledger)?;
        // Nothing below adds an authority: they are lent out, and put back.
        let known = std::mem::take(&mut self.known);
        let found = self.revoked_among(known.certificates());
        self.known = known;
        found
    }

    fn revoked_among(
        &mut self,
        issuers: &[(AuthorityId, Certificate)],
    ) -> Result<Option<RevokedAuthority>, AuthorityError> {
        let path: Vec<Certificate> = self.path().into_iter().cloned().collect();
        for (above, certificate) in path.iter().enumerate() {
            if let Some((serial, revocation)) = self.revocation_of(certificate, issuers)? {
                let subject = certificate.display_name();
                return Ok(Some(RevokedAuthority { subject, serial, revocation, is_above: above > 0 }));
            }
        }
        Ok(None)
    }

    /// Refuses to certify where it, or one above it, is revoked or on hold.
    ///
    /// # Errors
    /// [`AuthorityError::Revoked`], and when the ledger fails.
    pub fn refuse_revoked(&mut self) -> Result<(), AuthorityError> {
        self.revoked()?.map_or(Ok(()), |revoked| Err(AuthorityError::Revoked(revoked)))
    }

    /// The revocation of an authority's certificate, or of another of the same name and key, such as a cross-certificate, whose
    /// key is compromised; and the serial number of the one that is revoked.
    fn revocation_of(
        &mut self,
        certificate: &Certificate,
        issuers: &[(AuthorityId, Certificate)],
    ) -> Result<Option<(SerialNumber, Revocation)>, AuthorityError> {
        // An issuer may have several certificates, and each its own records.
        for (id, _) in issuers.iter().filter(|(_, issuer)| issuer.subject().matches(certificate.issuer())) {
            let query = Query { serial: Some(certificate.serial().clone()), ..Query::default() };
            let found = self.ledger.find(*id, &query)?.into_iter().next();
            if let Some(Record { serial, revocation: Some(revocation), .. }) = found {
                return Ok(Some((serial, revocation)));
            }
        }
        let names = certificate.subject().common_names();
        if names.is_empty() {
            // No name leads to them: all that are compromised are looked at.
            let Ok(own) = certificate.public_key() else { return Ok(None) };
            return compromised(self.ledger_mut(), |serial, revocation, key| match key == own {
                true => ControlFlow::Break((serial.clone(), revocation)),
                false => ControlFlow::Continue(()),
            });
        }
        for name in names {
            let query = Query { name: Some(name), revoked: Some(true), ..Query::default() };
            for (issuer, _) in issuers {
                for Record { id, serial, revocation, .. } in self.ledger.find(*issuer, &query)? {
                    if let Some(revocation) = revocation.filter(Revocation::tells_of_compromise)
                        && self.recorded(id)?.has_key_of(certificate)
                    {
                        return Ok(Some((serial, revocation)));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Refuses the private key of an authority in the ledger for anything but that authority.
    ///
    /// # Errors
    /// [`AuthorityError::OwnKey`], and when the ledger fails.
    pub fn refuse_own_key(&mut self, key: &PublicKey) -> Result<(), AuthorityError> {
        self.known = std::mem::take(&mut self.known).now(&mut *self.ledger)?;
        for (_, authority) in self.known.certificates() {
            if authority.public_key().is_ok_and(|own| own == *key) {
                return Err(AuthorityError::OwnKey { authority: authority.display_name() });
            }
        }
        Ok(())
    }

    /// Makes ready to sign lists, and certificates of those who answer about revocation, also where it is revoked.
    ///
    /// # Errors
    /// As [`Self::unlock`], revocation aside.
    pub fn unlock_for_status<'a>(
        &'a mut self,
        key: &'a PrivateKey,
        now: OffsetDateTime,
    ) -> Result<StatusSignatory<'a>, AuthorityError> {
        self.may_sign(key, now)?;
        Ok(StatusSignatory { authority: self, key })
    }
}

impl StatusSignatory<'_> {
    /// Signs and records the certificate of an OCSP responder: RFC 6960 §4.2.2.2 has no other way to let one answer that has
    /// not the authority's own key.
    ///
    /// # Errors
    /// [`AuthorityError::NoResponderProfile`] where the profile is not for answering OCSP requests alone, and as
    /// [`Signatory::issue`].
    pub fn delegate(&mut self, order: &Order<'_>, serials: &mut Draw<'_>, act: &Act) -> Result<Issued, AuthorityError> {
        if order.profile.extended_key_usage != [oids::OCSP_SIGNING] {
            return Err(AuthorityError::NoResponderProfile { profile: order.profile.name.clone() });
        }
        Signatory { authority: &mut *self.authority, key: self.key }.issue(order, serials, act)
    }
}

impl fmt::Debug for StatusSignatory<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { authority, key: _ } = self;
        f.debug_struct("StatusSignatory").field("authority", authority).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
