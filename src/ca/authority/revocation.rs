//! What an authority says of revocation: which certificates are revoked, and the lists it signs of them.

use std::ops::ControlFlow;

use super::{Authority, AuthorityError, Signatory};
use crate::ca::ledger::{Act, LedgerError, ListQuery, Query, Record, RecordId, Revocation, Revoked, SignedList};
use crate::issue::{ListEntry, ListFields, ListMaker};
use crate::key::digest;
use crate::x509::extension::{CrlNumber, DistributionPointName, IssuingDistributionPoint};
use crate::x509::ocsp::OcspStatus;
use crate::x509::{GeneralName, SerialNumber};
use time::OffsetDateTime;

/// A list that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListOrder {
    /// `thisUpdate`.
    pub this_update: OffsetDateTime,
    /// `nextUpdate`.
    pub next_update: OffsetDateTime,
    /// Only what changed since the last complete list, in place of everything.
    pub delta: bool,
    /// The distribution point's name, where the list is one for it (RFC 5280 §5.2.5). Clients take such a list only for
    /// certificates whose cRLDistributionPoints name it too.
    pub url: Option<String>,
    /// Where delta lists for this one are to be had (RFC 5280 §5.2.6).
    pub freshest: Vec<String>,
}

/// A list that was signed and recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedList {
    /// Its encoding.
    pub der: Vec<u8>,
    /// What the ledger knows of it.
    pub list: SignedList,
}

impl Authority {
    /// Revokes a certificate or puts it on hold, and gives its record as it is then.
    ///
    /// # Errors
    /// When it is none of this authority's, its own or revoked already, and when the ledger fails.
    pub fn revoke(
        &mut self,
        serial: &SerialNumber,
        revocation: Revocation,
        act: &Act,
    ) -> Result<Record, AuthorityError> {
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

    /// The last complete list it signed, whatever for.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn last_complete_list(&mut self) -> Result<Option<SignedList>, AuthorityError> {
        let query = ListQuery { delta: Some(false), limit: Some(1), ..ListQuery::default() };
        Ok(self.ledger.lists(self.id, &query)?.into_iter().next())
    }

    /// Counts lists on from the last number that was used before: RFC 5280 §5.2.3 has them grow.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn carry_on_lists(&mut self, last: u64) -> Result<(), AuthorityError> {
        if let Some(above) = last.checked_sub(1) {
            // The last one counts as handed out here.
            self.ledger.next_crl_number(self.id, above)?;
        }
        Ok(())
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

impl Signatory<'_> {
    /// Signs a list of what is revoked and records it; when it returns, the record is on the disk.
    ///
    /// A certificate that had expired when the complete list before was issued is left out: it was on one list after its
    /// end (RFC 5280 §3.3).
    ///
    /// # Errors
    /// [`AuthorityError::NoCompleteList`] for a delta without a complete list; when the authority may not sign lists, and
    /// when the ledger fails.
    pub fn publish(&mut self, order: &ListOrder, act: &Act) -> Result<PublishedList, AuthorityError> {
        let Authority { certificate, id, ledger, .. } = &mut *self.authority;
        let scope = order.url.clone().unwrap_or_default();
        let query =
            ListQuery { scope: Some(scope.clone()), delta: Some(false), limit: Some(1), ..ListQuery::default() };
        let before = ledger.lists(*id, &query)?.into_iter().next();
        let base = match (order.delta, &before) {
            (false, _) => None,
            (true, Some(before)) => Some(before),
            (true, None) => return Err(AuthorityError::NoCompleteList),
        };
        let numbered = ledger.next_crl_number(*id, 0)?;
        let fields = ListFields {
            number: number(numbered.number),
            this_update: order.this_update,
            next_update: order.next_update,
            base: base.map(|base| number(base.number)),
            scope: scope_of(order.url.as_deref()),
            freshest: order.freshest.clone(),
        };
        let expected = before.as_ref().filter(|_| !order.delta).map_or(0, |before| before.entries);
        let expected = usize::try_from(expected).unwrap_or_default();
        let mut maker = ListMaker::new(&fields, certificate, self.key, expected)?;
        let listed_after_its_end = |not_after| before.as_ref().is_some_and(|before| not_after < before.this_update);
        ledger.revoked(*id, base.map(|base| base.mark), &mut |Revoked { serial, revocation, not_after }| {
            if order.delta || !listed_after_its_end(not_after) {
                let Revocation { at, reason, invalid_since } = revocation;
                maker.push(&ListEntry { serial, at, reason, invalid_since });
            }
            ControlFlow::Continue(())
        })?;
        let entries = maker.count();
        let der = maker.finish()?;
        let list = SignedList {
            number: numbered.number,
            base: base.map(|base| base.number),
            scope,
            this_update: order.this_update,
            next_update: order.next_update,
            fingerprint: digest::sha256(&der).to_vec(),
            entries,
            mark: numbered.mark,
        };
        ledger.record_list(*id, &list, act)?;
        Ok(PublishedList { der, list })
    }
}

impl AuthorityError {
    /// Whether the ledger says that the certificate is revoked already, or not on hold: there is nothing to do.
    pub fn is_about_standing(&self) -> bool {
        matches!(self, Self::Ledger(LedgerError::AlreadyRevoked { .. } | LedgerError::NotOnHold { .. }))
    }
}

fn number(number: u64) -> CrlNumber {
    let octets = number.to_be_bytes();
    CrlNumber(octets.iter().copied().skip_while(|octet| *octet == 0).collect())
}

fn scope_of(url: Option<&str>) -> IssuingDistributionPoint {
    let name = url.map(|url| DistributionPointName::Full(vec![GeneralName::Uri(url.to_owned())]));
    IssuingDistributionPoint { name, ..IssuingDistributionPoint::default() }
}

#[cfg(test)]
mod tests;
