//! Half a CA: whether it is one that was being made, or one that has lost something.

use super::place::Chosen;
use crate::ca::{AuthorityRecord, LedgerError, ListQuery};
use crate::x509::Certificate;

impl Chosen {
    /// Whether the ledger has more of half a CA than its making leaves: lists, or certificates of others than authorities. One
    /// that is there and cannot be read may have.
    pub(super) fn has_signed(&self) -> bool {
        let is_there = |error: &anyhow::Error| {
            let cause = error.chain().find_map(|cause| cause.downcast_ref());
            !matches!(cause, Some(LedgerError::Missing { .. } | LedgerError::Empty { .. }))
        };
        self.find_signed().unwrap_or_else(|error| is_there(&error))
    }

    fn find_signed(&self) -> anyhow::Result<bool> {
        let mut ledger = self.ledger_to_check()?.0;
        let records = ledger.authorities()?;
        let read = |record: &AuthorityRecord| Certificate::from_der(&record.certificate).ok();
        let authorities: Vec<Certificate> = records.iter().filter_map(read).collect();
        let names = self.place().names();
        let in_files: Vec<Certificate> =
            names.iter().filter_map(|name| self.certificates(name).ok()).flatten().collect();
        let is_file = self.has_own_ledger()?;
        for record in &records {
            let Some(certificate) = read(record) else { return Ok(true) };
            // In a database there may be authorities of other folders.
            if !is_file && !in_files.contains(&certificate) {
                continue;
            }
            let is_below =
                |other: &&Certificate| **other != certificate && other.issuer().matches(certificate.subject());
            let below = authorities.iter().filter(is_below).count();
            let one = ListQuery { limit: Some(1), ..ListQuery::default() };
            if ledger.count(record.id)? > below as u64 || !ledger.lists(record.id, &one)?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
