//! Authorities that other authorities of the same ledger have certified: each is also a certificate of the one above, which
//! alone can revoke it.

use super::ledger::{Act, AuthorityId, AuthorityRecord, Entry, Ledger, LedgerError, Query};
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

/// The authority of this certificate: the one that was recorded with it, or whose certificate it renews. What is renewed stays the
/// same authority, with the same name and key, what it has issued and the numbers of its lists. The new certificate has to be among
/// those of the authority that has signed it, where that is of this ledger.
///
/// # Errors
/// When the ledger fails.
pub fn authority_of(ledger: &mut dyn Ledger, certificate: &Certificate) -> Result<Option<AuthorityId>, LedgerError> {
    if let Some(id) = ledger.authority(certificate)? {
        return Ok(Some(id));
    }
    let mut known = Vec::new();
    for AuthorityRecord { id, certificate, .. } in ledger.authorities()? {
        if let Ok(certificate) = Certificate::from_der(&certificate) {
            known.push((id, certificate));
        }
    }
    let is_same = |own: &Certificate| {
        own.subject().matches(certificate.subject()) && own.public_key_info() == certificate.public_key_info()
    };
    let Some((_, first)) = known.iter().find(|(_, own)| is_same(own)) else { return Ok(None) };
    let mut is_known = true;
    for (by, _) in known.iter().filter(|(_, issuer)| issuer.subject().matches(certificate.issuer())) {
        is_known = has(ledger, *by, certificate)?;
        if is_known {
            break;
        }
    }
    if is_known { ledger.authority(first) } else { Ok(None) }
}

/// The certificate that an authority has now: the last one that was made in the place of this one, or this one. One that is revoked
/// is passed over.
///
/// # Errors
/// When the ledger fails.
pub fn latest(ledger: &mut dyn Ledger, first: &Certificate) -> Result<Certificate, LedgerError> {
    let issuers: Vec<AuthorityRecord> = ledger.authorities()?;
    let Some(name) = first.subject().common_names().into_iter().next() else { return Ok(first.clone()) };
    let query = Query { name: Some(name), revoked: Some(false), newest_first: true, ..Query::default() };
    let mut latest: Option<(super::ledger::RecordId, Certificate)> = None;
    for issuer in issuers.iter().filter(|issuer| issuer.subject == first.issuer().to_string()) {
        for record in ledger.find(issuer.id, &query)? {
            let Ok(certificate) = Certificate::from_der(&ledger.certificate(record.id)?) else { continue };
            let renews = certificate.claims_ca()
                && certificate.subject().matches(first.subject())
                && certificate.public_key_info() == first.public_key_info();
            if renews && latest.as_ref().is_none_or(|(id, _)| *id < record.id) {
                latest = Some((record.id, certificate));
            }
        }
    }
    Ok(latest.map_or_else(|| first.clone(), |(_, certificate)| certificate))
}

/// Whether `by` has this certificate among those that it has signed.
fn has(ledger: &mut dyn Ledger, by: AuthorityId, certificate: &Certificate) -> Result<bool, LedgerError> {
    let query = Query { serial: Some(certificate.serial().clone()), limit: Some(1), ..Query::default() };
    let Some(record) = ledger.find(by, &query)?.into_iter().next() else { return Ok(false) };
    Ok(ledger.certificate(record.id)? == certificate.der())
}
