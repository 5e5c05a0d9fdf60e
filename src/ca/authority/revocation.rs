//! What an authority knows of revocation: which certificates are revoked, and the lists it has signed of them.

use std::ops::ControlFlow;

use super::{Authority, AuthorityError};
use crate::ca::ledger::{
    Act, AuthorityRecord, LedgerError, ListQuery, Query, Record, RecordId, Revocation, SignedList,
};
use crate::ca::recovery::{self, OwnList, Recovered};
use crate::x509::SerialNumber;
use crate::x509::ocsp::OcspStatus;

impl Authority {
    /// Revokes a certificate or puts it on hold, or raises a revocation to a compromise, and gives its record as it is then.
    ///
    /// # Errors
    /// When it is none of this authority's, its own or revoked already, unless that is raised, and when the ledger fails.
    pub fn revoke(
        &mut self,
        serial: &SerialNumber,
        revocation: Revocation,
        act: &Act,
    ) -> Result<Record, AuthorityError> {
        // A root may have several certificates, and nobody above it takes one back.
        let own = self.find(&Query { serial: Some(serial.clone()), limit: Some(1), ..Query::default() })?;
        if let Some(own) = own.first().filter(|record| record.subject == self.certificate.subject().to_string())
            && self.recorded(own.id)?.public_key_info() == self.certificate.public_key_info()
        {
            return Err(LedgerError::Own { serial: serial.clone() }.into());
        }
        Ok(self.ledger.revoke(self.id, serial, revocation, act)?)
    }

    /// Lifts the hold of a certificate, and gives its record as it is then.
    ///
    /// # Errors
    /// When it is not on hold, and when the ledger fails.
    pub fn release(&mut self, serial: &SerialNumber, act: &Act) -> Result<Record, AuthorityError> {
        Ok(self.ledger.release(self.id, serial, act)?)
    }

    /// Every revocation, hold and lifted hold of a certificate, the oldest first.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn history(&mut self, id: RecordId) -> Result<Vec<Revocation>, AuthorityError> {
        Ok(self.ledger.history(id)?)
    }

    /// The status of the certificate with this serial number.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn status(&mut self, serial: &SerialNumber) -> Result<OcspStatus, AuthorityError> {
        let found = self.find(&Query { serial: Some(serial.clone()), limit: Some(1), ..Query::default() })?;
        Ok(match found.first().map(|record| record.revocation) {
            None => OcspStatus::Unknown,
            Some(None) => OcspStatus::Good,
            Some(Some(Revocation { at, reason, .. })) => OcspStatus::Revoked { since: at, reason: Some(reason) },
        })
    }

    /// The last lists it signed for this distribution point (or none), `most` of them, the newest first: complete ones or
    /// deltas.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn lists(&mut self, url: Option<&str>, delta: bool, most: u32) -> Result<Vec<SignedList>, AuthorityError> {
        let scope = Some(url.unwrap_or_default().to_owned());
        let query = ListQuery { scope, delta: Some(delta), limit: Some(most), ..ListQuery::default() };
        Ok(self.ledger.lists(self.id, &query)?)
    }

    /// The last complete lists it signed, or the last deltas: one for each distribution point, and one for none. They are
    /// what clients go by, if they were published.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn last_lists(&mut self, delta: bool) -> Result<Vec<SignedList>, AuthorityError> {
        let query = ListQuery { delta: Some(delta), latest: true, ..ListQuery::default() };
        Ok(self.ledger.lists(self.id, &query)?)
    }

    /// The last number of a list that was handed out.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn last_crl_number(&mut self) -> Result<u64, AuthorityError> {
        Ok(self.in_ledger()?.crl_number)
    }

    /// Counts lists on from the last number that was used before: RFC 5280 §5.2.3 has them grow.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn carry_on_lists(&mut self, last: u64) -> Result<(), AuthorityError> {
        if last > self.in_ledger()?.crl_number {
            // The last one counts as handed out here.
            self.ledger.next_crl_number(self.id, last.saturating_sub(1))?;
        }
        Ok(())
    }

    /// Takes the numbers and revocations of the lists that it signed before: [`recovery::recover`].
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn recover(&mut self, lists: &[OwnList], act: &Act) -> Result<Recovered, AuthorityError> {
        let own = self.in_ledger()?;
        Ok(recovery::recover(&mut *self.ledger, &own, lists, act)?)
    }

    fn in_ledger(&mut self) -> Result<AuthorityRecord, AuthorityError> {
        let own = self.ledger.authorities()?.into_iter().find(|it| it.id == self.id);
        own.ok_or_else(|| AuthorityError::Unknown {
            subject: self.certificate.display_name(),
            serial: self.certificate.serial().clone(),
        })
    }

    /// Notes that a list it has signed went nowhere, so that clients do not have it.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn note_undelivered(&mut self, list: &SignedList, act: &Act) -> Result<(), AuthorityError> {
        Ok(self.ledger.note_undelivered(self.id, list, act)?)
    }

    /// Whether a list it has signed is known to have gone nowhere.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn is_undelivered(&mut self, list: &SignedList) -> Result<bool, AuthorityError> {
        Ok(self.ledger.is_undelivered(self.id, list)?)
    }

    /// Whether any certificate was revoked or released that `list` does not tell of.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn has_changed_since(&mut self, list: &SignedList) -> Result<bool, AuthorityError> {
        let mut changed = false;
        self.ledger.revoked(self.id, Some(list.mark), &mut |_| {
            changed = true;
            ControlFlow::Break(())
        })?;
        Ok(changed)
    }
}

impl AuthorityError {
    /// Whether the ledger says that the certificate is revoked already, or not on hold: there is nothing to do.
    pub fn is_about_standing(&self) -> bool {
        matches!(self, Self::Ledger(LedgerError::AlreadyRevoked { .. } | LedgerError::NotOnHold { .. }))
    }
}
