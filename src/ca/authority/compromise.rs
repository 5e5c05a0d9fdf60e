//! Keys that are known to be compromised: they are not certified again (CA/B Forum BR 6.1.1.3).

use std::collections::HashSet;
use std::ops::ControlFlow;

use super::{Authority, AuthorityError};
use crate::ca::ledger::{AuthorityId, Query, Record, Revocation};
use crate::key::PublicKey;
use crate::key::digest::sha256;
use crate::x509::{Certificate, SerialNumber};

/// The keys of certificates that were revoked because their keys are compromised.
#[derive(Debug, Clone, Default)]
pub struct CompromisedKeys {
    /// SHA-256 of their SubjectPublicKeyInfo.
    pins: HashSet<[u8; 32]>,
}

impl CompromisedKeys {
    /// Whether it is one of them.
    pub fn contains(&self, key: &PublicKey) -> bool {
        self.pins.contains(&sha256(key.spki_der()))
    }
}

impl Authority {
    /// Refuses a key that a certificate in the ledger was revoked for as compromised, whichever authority had signed it. Looks
    /// at every such certificate, a part of them in memory at a time.
    ///
    /// # Errors
    /// [`AuthorityError::CompromisedKey`], and when the ledger fails.
    pub fn refuse_compromised(&mut self, key: &PublicKey) -> Result<(), AuthorityError> {
        let found =
            self.compromised(|serial, _, certificate| match certificate.public_key_info() == key.spki_der() {
                true => ControlFlow::Break(serial.clone()),
                false => ControlFlow::Continue(()),
            })?;
        found.map_or(Ok(()), |serial| Err(AuthorityError::CompromisedKey { serial }))
    }

    /// All such keys: for who has many to ask about.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn compromised_keys(&mut self) -> Result<CompromisedKeys, AuthorityError> {
        let mut pins = HashSet::new();
        self.compromised(|_, _, certificate| {
            pins.insert(sha256(certificate.public_key_info()));
            ControlFlow::<()>::Continue(())
        })?;
        Ok(CompromisedKeys { pins })
    }

    /// Shows `visit` the certificates in question, until it breaks off with something.
    pub(super) fn compromised<T>(
        &mut self,
        mut visit: impl FnMut(&SerialNumber, Revocation, &Certificate) -> ControlFlow<T>,
    ) -> Result<Option<T>, AuthorityError> {
        let authorities: Vec<AuthorityId> = self.ledger.authorities()?.into_iter().map(|record| record.id).collect();
        for authority in authorities {
            let mut query = Query { revoked: Some(true), limit: Some(PART), ..Query::default() };
            loop {
                let part = self.ledger.find(authority, &query)?;
                let Some(last) = part.last() else { break };
                query.after = Some(last.id);
                for Record { id, serial, revocation, .. } in part {
                    if let Some(revocation) = revocation.filter(Revocation::tells_of_compromise)
                        && let ControlFlow::Break(found) = visit(&serial, revocation, &self.recorded(id)?)
                    {
                        return Ok(Some(found));
                    }
                }
            }
        }
        Ok(None)
    }
}

/// How many records are in memory at a time.
const PART: u32 = 1000;
