//! Authorities that other authorities of the same ledger have certified: each is also a certificate of the one above, which
//! alone can revoke it.

use super::ledger::{Act, AuthorityId, Entry, Ledger, LedgerError, Query};
use crate::x509::Certificate;

/// An authority whose certificate is missing among those of the authority that has signed it: no revocation can be kept of it.
#[derive(Debug, Clone)]
pub struct Uncertified {
    /// The authority.
    pub id: AuthorityId,
    /// Its certificate.
    pub certificate: Certificate,
    /// The authority that has signed it.
    pub by: AuthorityId,
    /// What that is called.
    pub issuer: String,
}

/// The authorities whose certificates another authority of the ledger has signed and does not have among its own. One whose
/// certificate or key cannot be read is passed over.
///
/// # Errors
/// When the ledger fails.
pub fn uncertified(ledger: &mut dyn Ledger) -> Result<Vec<Uncertified>, LedgerError> {
    let mut known = Vec::new();
    for record in ledger.authorities()? {
        if let Ok(certificate) = Certificate::from_der(&record.certificate)
            && let Ok(key) = certificate.public_key()
        {
            known.push((record.id, certificate, key));
        }
    }
    let mut found = Vec::new();
    for (id, certificate, _) in known.iter().filter(|(_, certificate, _)| !certificate.is_self_issued()) {
        let signers = known.iter().filter(|(_, issuer, key)| {
            certificate.issuer().matches(issuer.subject()) && certificate.verify_signature(key).is_ok()
        });
        // Several have one name and key where one was renewed: the row of any of them will do.
        let (mut above, mut is_recorded) = (None, false);
        for (by, issuer, _) in signers {
            above.get_or_insert((*by, issuer));
            is_recorded = is_recorded || has(ledger, *by, certificate)?;
        }
        if let Some((by, issuer)) = above.filter(|_| !is_recorded) {
            let (certificate, issuer) = (certificate.clone(), issuer.display_name());
            found.push(Uncertified { id: *id, certificate, by, issuer });
        }
    }
    Ok(found)
}

/// Records those certificates with the authorities that have signed them. Gives what was recorded, and beside it what could not
/// be, for its serial number belongs to another certificate.
///
/// # Errors
/// When the ledger fails.
pub fn certify(
    ledger: &mut dyn Ledger,
    profile: &str,
    act: &Act,
) -> Result<(Vec<Uncertified>, Vec<Uncertified>), LedgerError> {
    let (mut recorded, mut left_out) = (Vec::new(), Vec::new());
    for found in uncertified(ledger)? {
        match ledger.record(found.by, &[Entry { certificate: &found.certificate, profile }], act) {
            Ok(()) => recorded.push(found),
            // By another process, just now.
            Err(LedgerError::AlreadyRecorded { .. }) => {}
            Err(LedgerError::SerialTaken { .. }) => left_out.push(found),
            Err(error) => return Err(error),
        }
    }
    Ok((recorded, left_out))
}

/// Whether `by` has this certificate among those that it has signed.
fn has(ledger: &mut dyn Ledger, by: AuthorityId, certificate: &Certificate) -> Result<bool, LedgerError> {
    let query = Query { serial: Some(certificate.serial().clone()), limit: Some(1), ..Query::default() };
    let Some(record) = ledger.find(by, &query)?.into_iter().next() else { return Ok(false) };
    Ok(ledger.certificate(record.id)? == certificate.der())
}
