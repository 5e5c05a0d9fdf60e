//! The certificates of all authorities of a ledger: read once, and again where there are others.

use super::AuthorityError;
use crate::ca::ledger::{AuthorityId, Ledger};
use crate::key::digest::sha256;
use crate::x509::Certificate;

/// Every authority of a ledger with its certificate, as far as they were read.
#[derive(Debug, Default)]
pub(super) struct Known {
    read: Vec<(AuthorityId, Vec<u8>)>,
    certificates: Vec<(AuthorityId, Certificate)>,
}

impl Known {
    /// Those of the ledger as it is now, another process may have added one.
    ///
    /// # Errors
    /// When the ledger fails, or holds a certificate that does not parse.
    pub(super) fn now(self, ledger: &mut dyn Ledger) -> Result<Self, AuthorityError> {
        if !self.read.is_empty() && ledger.authority_fingerprints()? == self.read {
            return Ok(self);
        }
        let (mut read, mut certificates) = (Vec::new(), Vec::new());
        for record in ledger.authorities()? {
            read.push((record.id, sha256(&record.certificate).to_vec()));
            certificates.push((record.id, Certificate::from_der(&record.certificate)?));
        }
        Ok(Self { read, certificates })
    }

    /// Their certificates.
    pub(super) fn certificates(&self) -> &[(AuthorityId, Certificate)] {
        &self.certificates
    }
}
