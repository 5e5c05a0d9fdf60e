//! The lists of revoked certificates that an authority signs: each is recorded before anybody sees it.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::{Authority, AuthorityError, StatusSignatory};
use crate::ca::ledger::{Act, ListQuery, Numbered, Revocation, Revoked, SignedList};
use crate::issue::{ListEntry, ListFields, ListMaker};
use crate::key::digest;
use crate::x509::GeneralName;
use crate::x509::extension::{CrlNumber, DistributionPointName, IssuingDistributionPoint};
use time::{Duration, OffsetDateTime};

/// A list that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListOrder {
    /// `thisUpdate`. That of the last list of its scope is taken where it is later by [`Self::SKEW`] at most.
    pub this_update: OffsetDateTime,
    /// `nextUpdate`.
    pub next_update: OffsetDateTime,
    /// Only what changed since a complete list, in place of everything.
    pub delta: bool,
    /// The distribution point's name, where the list is one for it (RFC 5280 §5.2.5). Clients take such a list only for
    /// certificates whose cRLDistributionPoints name it too.
    pub url: Option<String>,
    /// Where delta lists for this one are to be had (RFC 5280 §5.2.6).
    pub freshest: Vec<String>,
    /// Whether it may be from before the last list of its scope: where that one was signed while the clock was ahead.
    pub backdated: bool,
}

impl ListOrder {
    /// By how much the clocks of those who sign for one authority may differ.
    pub const SKEW: Duration = Duration::minutes(5);
}

/// A list that was signed and recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedList {
    /// Its encoding.
    pub der: Vec<u8>,
    /// What the ledger knows of it.
    pub list: SignedList,
}

impl StatusSignatory<'_> {
    /// Signs a list of what is revoked and records it; when it returns, the record is on the disk. A delta builds upon the
    /// last complete list of its scope.
    ///
    /// A certificate that had expired when the complete list before was issued is left out where that list has it: it was on
    /// one list after its end (RFC 5280 §3.3). A list before from a time to come is none that clients have taken.
    ///
    /// # Errors
    /// [`AuthorityError::NoCompleteList`] for a delta without a complete list; [`AuthorityError::LapsedBase`] where that
    /// one has lapsed; [`AuthorityError::ListBefore`]; when the authority may not sign lists, and when the ledger fails.
    pub fn publish(&mut self, order: &ListOrder, act: &Act) -> Result<PublishedList, AuthorityError> {
        let before = self.authority.lists(order.url.as_deref(), false, 1)?.into_iter().next();
        match (order.delta, &before) {
            (false, _) => self.publish_as(order, None, before.as_ref(), act),
            (true, Some(base)) => self.publish_upon(base, order, act),
            (true, None) => Err(AuthorityError::NoCompleteList),
        }
    }

    /// Signs a delta upon this complete list and records it.
    ///
    /// # Errors
    /// As [`Self::publish`].
    pub fn publish_upon(
        &mut self,
        base: &SignedList,
        order: &ListOrder,
        act: &Act,
    ) -> Result<PublishedList, AuthorityError> {
        if base.next_update <= order.this_update {
            return Err(AuthorityError::LapsedBase { number: base.number, lapsed: base.next_update });
        }
        self.publish_as(order, Some(base), None, act)
    }

    /// Signs a complete list and at the same moment a delta that brings `base` up to it: they have one number (RFC 5280
    /// §5.2.3). Where something was revoked in that moment there is no delta, for it would say more than the list.
    ///
    /// # Errors
    /// As [`Self::publish`].
    pub fn publish_both(
        &mut self,
        complete: &ListOrder,
        base: &SignedList,
        delta: &ListOrder,
        act: &Act,
    ) -> Result<(PublishedList, Option<PublishedList>), AuthorityError> {
        let (complete, delta) = (self.in_order(complete)?, self.in_order(delta)?);
        let numbered = self.authority.ledger.next_crl_number(self.authority.id, 0)?;
        let list = self.sign_list(&complete, numbered, None, Some(base))?;
        let changes = self.sign_list(&delta, numbered, Some(base), None)?;
        let same = !self.authority.has_changed_since(&list.list)?;
        self.authority.ledger.record_list(self.authority.id, &list.list, act)?;
        if !same {
            return Ok((list, None));
        }
        self.authority.ledger.record_list(self.authority.id, &changes.list, act)?;
        Ok((list, Some(changes)))
    }

    fn publish_as(
        &mut self,
        order: &ListOrder,
        base: Option<&SignedList>,
        before: Option<&SignedList>,
        act: &Act,
    ) -> Result<PublishedList, AuthorityError> {
        let order = self.in_order(order)?;
        let numbered = self.authority.ledger.next_crl_number(self.authority.id, 0)?;
        let published = self.sign_list(&order, numbered, base, before)?;
        self.authority.ledger.record_list(self.authority.id, &published.list, act)?;
        Ok(published)
    }

    /// The order with a `thisUpdate` that does not go back behind that of the last list of its scope: clients that have
    /// that one would keep it, or lose it for one that lapses earlier.
    fn in_order(&mut self, order: &ListOrder) -> Result<ListOrder, AuthorityError> {
        let scope = Some(order.url.clone().unwrap_or_default());
        let query = ListQuery { scope, limit: Some(1), ..ListQuery::default() };
        let last = self.authority.ledger.lists(self.authority.id, &query)?.into_iter().next();
        match last.filter(|last| !order.backdated && order.this_update < last.this_update) {
            None => Ok(order.clone()),
            Some(last) if last.this_update - order.this_update <= ListOrder::SKEW => {
                Ok(ListOrder { this_update: last.this_update, ..order.clone() })
            }
            Some(SignedList { number, this_update: last, .. }) => {
                Err(AuthorityError::ListBefore { number, last, this_update: order.this_update })
            }
        }
    }

    /// Signs a list: a delta where there is a `base`. `before` is the complete list before this one.
    fn sign_list(
        &mut self,
        order: &ListOrder,
        numbered: Numbered,
        base: Option<&SignedList>,
        before: Option<&SignedList>,
    ) -> Result<PublishedList, AuthorityError> {
        let Authority { certificate, id, ledger, .. } = &mut *self.authority;
        let fields = ListFields {
            number: number(numbered.number),
            this_update: order.this_update,
            next_update: order.next_update,
            base: base.map(|base| number(base.number)),
            scope: scope_of(order.url.as_deref()),
            freshest: order.freshest.clone(),
        };
        let before = before.filter(|before| before.this_update <= order.this_update);
        let expected = usize::try_from(before.map_or(0, |before| before.entries)).unwrap_or_default();
        let mut maker = ListMaker::new(&fields, certificate, self.key, expected)?;
        let had_ended = |not_after| before.is_some_and(|before| not_after < before.this_update);
        // What was revoked after its end, and after the list before, was on none.
        let mut on_none = BTreeSet::new();
        if let Some(before) = before {
            ledger.revoked(*id, Some(before.mark), &mut |Revoked { serial, not_after, .. }| {
                if had_ended(not_after) {
                    on_none.insert(serial);
                }
                ControlFlow::Continue(())
            })?;
        }
        ledger.revoked(*id, base.map(|base| base.mark), &mut |Revoked { serial, revocation, not_after }| {
            if !had_ended(not_after) || on_none.contains(&serial) {
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
            scope: order.url.clone().unwrap_or_default(),
            this_update: order.this_update,
            next_update: order.next_update,
            fingerprint: digest::sha256(&der).to_vec(),
            entries,
            mark: numbered.mark,
        };
        Ok(PublishedList { der, list })
    }
}

fn number(number: u64) -> CrlNumber {
    let octets = number.to_be_bytes();
    CrlNumber(octets.iter().copied().skip_while(|octet| *octet == 0).collect())
}

pub(super) fn scope_of(url: Option<&str>) -> IssuingDistributionPoint {
    let name = url.map(|url| DistributionPointName::Full(vec![GeneralName::Uri(url.to_owned())]));
    IssuingDistributionPoint { name, ..IssuingDistributionPoint::default() }
}

#[cfg(test)]
mod tests;
