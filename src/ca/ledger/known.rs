//! The authorities that whoever uses a ledger has the numbers of: where it is opened anew they have to be the same.

use super::{AuthorityId, AuthorityRecord, LedgerError};
use crate::key::digest::sha256;
use crate::x509::Certificate;

/// Authorities whose numbers were given out, by the SHA-256 of their certificates.
#[derive(Debug, Default)]
pub(super) struct Known(Vec<([u8; 32], AuthorityId)>);

impl Known {
    /// Remembers that this number was given out.
    pub(super) fn add(&mut self, certificate: &Certificate, id: AuthorityId) {
        let one = (certificate.fingerprint_sha256(), id);
        if !self.0.contains(&one) {
            self.0.push(one);
        }
    }

    /// Whether a ledger that was opened anew has these authorities under these numbers.
    ///
    /// # Errors
    /// [`LedgerError::Another`] where it has not: what is asked by number would be answered of another authority.
    pub(super) fn are_among(&self, found: &[AuthorityRecord], ledger: &str) -> Result<(), LedgerError> {
        let found: Vec<_> = found.iter().map(|record| (sha256(&record.certificate), record.id)).collect();
        match self.0.iter().all(|one| found.contains(one)) {
            true => Ok(()),
            false => Err(LedgerError::Another { ledger: ledger.to_owned() }),
        }
    }
}
