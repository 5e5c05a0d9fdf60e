//! What certificates have of the certificate their authority had when it issued them: its end, and its serial number (RFC 5280
//! §4.2.1.1, authorityCertSerialNumber), for which OpenSSL and Java take no other of the same name and key.

use std::collections::HashSet;

use super::{Authority, AuthorityError};
use crate::ca::ledger::{Query, Record};
use crate::x509::Certificate;
use crate::x509::extension::AuthorityKeyIdentifier;
use time::OffsetDateTime;

impl Authority {
    /// What it has issued that can still be used and names the serial number of the authority's certificate, but for what has been
    /// issued anew since for the same subject and names. Only what certkit has not made does that: those with one of the `foreign`
    /// profiles are looked at, a part of them in memory at a time.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn bound_to_its_serial(
        &mut self,
        foreign: &[&str],
        now: OffsetDateTime,
    ) -> Result<Vec<Record>, AuthorityError> {
        let serial = self.certificate.serial().clone();
        let (mut bound, mut renewed) = (Vec::new(), HashSet::new());
        let mut query = Query { revoked: Some(false), newest_first: true, limit: Some(PART), ..Query::default() };
        loop {
            let part = self.find(&query)?;
            let Some(last) = part.last() else { return Ok(bound) };
            query.after = Some(last.id);
            for record in part.into_iter().filter(|record| now <= record.validity.not_after) {
                if !foreign.contains(&record.profile.as_str()) {
                    renewed.insert((record.subject, record.names));
                    continue;
                }
                let certificate = self.recorded(record.id)?;
                let identifier = certificate.extensions().find::<AuthorityKeyIdentifier>().ok().flatten();
                let names_it = identifier.is_some_and(|found| found.value.serial.as_ref() == Some(&serial));
                if names_it && !renewed.contains(&(record.subject.clone(), record.names.clone())) {
                    bound.push(record);
                }
            }
        }
    }

    /// Whether the end of an authority cut a certificate short: of one above it now, or of its issuer as that was then.
    ///
    /// # Errors
    /// When the ledger fails.
    pub fn cut_short(&mut self, old: &Certificate) -> Result<bool, AuthorityError> {
        let end = old.validity().not_after;
        if self.path().into_iter().any(|above| above.validity().not_after <= end) {
            return Ok(true);
        }
        let is_its_end = |authority: &Certificate| {
            authority.validity().not_after == end && authority.subject().matches(old.issuer())
        };
        self.known = std::mem::take(&mut self.known).now(&mut *self.ledger)?;
        let known = self.known.certificates();
        if known.iter().any(|(_, authority)| is_its_end(authority)) {
            return Ok(true);
        }
        let ids: Vec<_> = known.iter().map(|(id, _)| *id).collect();
        for name in old.issuer().common_names() {
            let query = Query { name: Some(name), ..Query::default() };
            for id in &ids {
                for record in self.ledger.find(*id, &query)? {
                    if record.validity.not_after == end && is_its_end(&self.recorded(record.id)?) {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }
}

/// How many records are in memory at a time.
const PART: u32 = 1000;
