//! Lists of an authority that its ledger has not recorded, and has taken over what they say.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::publish::{ListOrder, scope_of};
use super::{Authority, AuthorityError};
use crate::ca::ledger::{Revocation, Revoked};
use crate::ca::recovery::{self, OwnList};
use crate::x509::CertificateRevocationList;
use crate::x509::extension::CrlReason;

impl Authority {
    /// Whether the next list, which is to be as `order` says, takes nothing back that this one says: it is the authority's own,
    /// of the same kind and scope, with a number that the ledger has counted to, and the ledger has all that it revokes.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn has_taken_over(
        &mut self,
        list: &CertificateRevocationList,
        order: &ListOrder,
    ) -> Result<bool, AuthorityError> {
        let Ok(list) = OwnList::read(list, &self.certificate) else { return Ok(false) };
        let last = self.last_crl_number()?;
        let is_alike = list.is_delta() == order.delta && list.is_for(&scope_of(order.url.as_deref()));
        if !is_alike || list.number().is_none_or(|number| number > last) {
            return Ok(false);
        }
        let revokes = list.entries().iter().filter(|(_, revocation)| revocation.reason != CrlReason::RemoveFromCrl);
        let mut lacking: BTreeMap<_, _> = revokes.map(|(serial, revocation)| (serial, revocation)).collect();
        let mut is_milder = false;
        self.ledger.revoked(self.id, None, &mut |Revoked { serial, revocation, .. }| {
            is_milder |= lacking.remove(&serial).is_some_and(|listed| says_more(listed, &revocation));
            if is_milder { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if is_milder {
            return Ok(false);
        }
        for (serial, revocation) in lacking {
            let was_lifted = revocation.is_hold() && recovery::lifted(&mut *self.ledger, self.id, serial)?.is_some();
            if !was_lifted {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether a list has a revocation for what the ledger has as a hold, or tells of a compromise that the ledger does not.
fn says_more(listed: &Revocation, recorded: &Revocation) -> bool {
    (recorded.is_hold() && !listed.is_hold()) || (listed.tells_of_compromise() && !recorded.tells_of_compromise())
}
