//! Keys that are known to be compromised: they are not certified again (CA/B Forum BR 6.1.1.3).

use std::collections::HashSet;
use std::ops::ControlFlow;

use super::{Authority, AuthorityError};
use crate::ca::ledger::{AuthorityId, Ledger, Query, Record, Revocation};
use crate::key::PublicKey;
use crate::x509::{Certificate, SerialNumber};

/// The keys of certificates that were revoked because their keys are compromised.
#[derive(Debug, Clone, Default)]
pub struct CompromisedKeys {
    /// As [`PublicKey::identity`] has them.
    known: HashSet<[u8; 32]>,
}

impl CompromisedKeys {
    /// Whether it is one of them.
    pub fn contains(&self, key: &PublicKey) -> bool {
        self.known.contains(&key.identity())
    }
}

impl Authority {
    /// Refuses a key that a certificate in the ledger was revoked for as compromised, whichever authority had signed it. Looks
    /// at every such certificate, a part of them in memory at a time.
    ///
    /// # Errors
    /// [`AuthorityError::CompromisedKey`], and when the ledger fails.
    pub fn refuse_compromised(&mut self, key: &PublicKey) -> Result<(), AuthorityError> {
        refuse_compromised(self.ledger_mut(), key)
    }

    /// All such keys: for who has many to ask about.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn compromised_keys(&mut self) -> Result<CompromisedKeys, AuthorityError> {
        let mut known = HashSet::new();
        compromised(self.ledger_mut(), |_, _, key| {
            known.insert(key.identity());
            ControlFlow::<()>::Continue(())
        })?;
        Ok(CompromisedKeys { known })
    }
}

/// Refuses a key that a certificate in this ledger was revoked for as compromised.
pub(in crate::ca) fn refuse_compromised(ledger: &mut dyn Ledger, key: &PublicKey) -> Result<(), AuthorityError> {
    let found = compromised(ledger, |serial, _, compromised| match compromised == *key {
        true => ControlFlow::Break(serial.clone()),
        false => ControlFlow::Continue(()),
    })?;
    found.map_or(Ok(()), |serial| Err(AuthorityError::CompromisedKey { serial }))
}

/// Shows `visit` the keys in question, with the serial numbers and revocations of their certificates, until it breaks off with
/// something.
pub(super) fn compromised<T>(
    ledger: &mut dyn Ledger,
    mut visit: impl FnMut(&SerialNumber, Revocation, PublicKey) -> ControlFlow<T>,
) -> Result<Option<T>, AuthorityError> {
    let authorities: Vec<AuthorityId> = ledger.authorities()?.into_iter().map(|record| record.id).collect();
    for authority in authorities {
        let mut query = Query { revoked: Some(true), limit: Some(PART), ..Query::default() };
        loop {
            let part = ledger.find(authority, &query)?;
            let Some(last) = part.last() else { break };
            query.after = Some(last.id);
            for Record { id, serial, revocation, .. } in part {
                // A key that cannot be read is none that could be certified.
                if let Some(revocation) = revocation.filter(Revocation::tells_of_compromise)
                    && let Ok(key) = Certificate::from_der(&ledger.certificate(id)?)?.public_key()
                    && let ControlFlow::Break(found) = visit(&serial, revocation, key)
                {
                    return Ok(Some(found));
                }
            }
        }
    }
    Ok(None)
}

/// How many records are in memory at a time.
const PART: u32 = 1000;
