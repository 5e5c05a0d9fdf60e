//! What an authority's own published lists tell a ledger that has lost it: which numbers were used, and what was revoked.

use std::collections::BTreeMap;

use super::ledger::{Act, AuthorityRecord, Ledger, LedgerError, Revocation};
use crate::encoding::der::Reader;
use crate::x509::extension::{CrlNumber, CrlReason};
use crate::x509::{Certificate, CertificateRevocationList, SerialNumber, oids, time};

/// What was taken from lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// The greatest number of a list, where it is greater than what the ledger had.
    pub crl_number: Option<u64>,
    /// How many revocations were recorded.
    pub revoked: u64,
    /// Revocations of certificates that the ledger does not have, so that it cannot hold them.
    pub unrecorded: Vec<(SerialNumber, Revocation)>,
}

/// Why a list tells nothing of its authority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListFault {
    /// Its signature is not the authority's.
    #[error("no authority of this CA has signed it")]
    Foreign,
    /// It has no number, or none that a ledger can go on from.
    #[error("its CRL number is missing or beyond what the ledger counts")]
    Number,
    /// An entry cannot be understood.
    #[error("its entry for serial number {serial} cannot be read: {why}")]
    Entry {
        /// Which one.
        serial: SerialNumber,
        /// What is wrong.
        why: &'static str,
    },
}

/// A list whose signature was checked, as far as it says what was revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnList {
    number: u64,
    is_delta: bool,
    entries: Vec<(SerialNumber, Revocation)>,
}

impl OwnList {
    /// Its number.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Reads a list that this authority has signed.
    ///
    /// # Errors
    /// [`ListFault`].
    pub fn read(list: &CertificateRevocationList, issuer: &Certificate) -> Result<Self, ListFault> {
        let signed = list.issuer().matches(issuer.subject())
            && issuer.public_key().is_ok_and(|key| list.verify_signature(&key).is_ok());
        if !signed {
            return Err(ListFault::Foreign);
        }
        let number = list.number().ok().flatten().and_then(|number| counted(&number)).ok_or(ListFault::Number)?;
        let mut entries = Vec::with_capacity(list.entries().len());
        for entry in list.entries() {
            let serial = entry.serial.clone();
            let fault = |why| ListFault::Entry { serial: serial.clone(), why };
            if entry.extensions.get(&oids::CERTIFICATE_ISSUER).is_some() {
                return Err(fault("it is of another issuer's certificate"));
            }
            let reason = entry.reason().map_err(|_| fault("its reason is none"))?.unwrap_or(CrlReason::Unspecified);
            let invalid_since = match entry.extensions.get(&oids::INVALIDITY_DATE) {
                None => None,
                Some(extension) => {
                    let date = Reader::new(&extension.value).any().and_then(time::decode);
                    Some(date.map_err(|_| fault("its invalidityDate is none"))?)
                }
            };
            entries.push((serial, Revocation { at: entry.revocation_date, reason, invalid_since }));
        }
        Ok(Self { number, is_delta: list.is_delta(), entries })
    }
}

/// Brings an authority's numbers and revocations to where its lists had them. A revocation that the ledger has stays as it is.
///
/// # Errors
/// When the ledger fails.
pub fn recover(
    ledger: &mut dyn Ledger,
    authority: &AuthorityRecord,
    mut lists: Vec<OwnList>,
    act: &Act,
) -> Result<Recovered, LedgerError> {
    // A delta has the number of the complete list it was signed with, and says nothing that this does not.
    lists.sort_by_key(|list| (list.number, !list.is_delta));
    let mut recovered = Recovered::default();
    let greatest = lists.last().map_or(0, |list| list.number);
    if greatest > authority.crl_number {
        ledger.next_crl_number(authority.id, greatest.saturating_sub(1))?;
        recovered.crl_number = Some(greatest);
    }
    for (serial, revocation) in standing(&lists) {
        match ledger.revoke(authority.id, &serial, revocation, act) {
            Ok(_) => recovered.revoked += 1,
            Err(LedgerError::AlreadyRevoked { .. }) => {}
            Err(LedgerError::Unknown { .. } | LedgerError::Own { .. }) => {
                recovered.unrecorded.push((serial, revocation));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(recovered)
}

/// What is revoked after all of these lists, the earliest first. What a later complete list leaves out has expired, and stays
/// revoked; a hold that it leaves out was lifted.
fn standing(lists: &[OwnList]) -> BTreeMap<SerialNumber, Revocation> {
    let mut standing: BTreeMap<SerialNumber, Revocation> = BTreeMap::new();
    for list in lists {
        if !list.is_delta {
            standing.retain(|_, revocation| !revocation.is_hold());
        }
        for (serial, revocation) in &list.entries {
            match revocation.reason {
                CrlReason::RemoveFromCrl => _ = standing.remove(serial),
                _ => _ = standing.insert(serial.clone(), *revocation),
            }
        }
    }
    standing
}

/// A number that the ledger can go on from: the database counts in 63 bits.
fn counted(number: &CrlNumber) -> Option<u64> {
    number.to_u64().filter(|number| *number < i64::MAX as u64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ::time::OffsetDateTime;

    fn list(number: u64, is_delta: bool, entries: &[(u8, CrlReason)]) -> OwnList {
        let at = OffsetDateTime::UNIX_EPOCH;
        let entry =
            |(serial, reason): &(u8, CrlReason)| (SerialNumber::from_content(&[*serial]), Revocation::new(at, *reason));
        OwnList { number, is_delta, entries: entries.iter().map(entry).collect() }
    }

    #[test]
    fn a_hold_that_is_left_out_was_lifted_and_a_revocation_has_expired() {
        use CrlReason::{CertificateHold, KeyCompromise, RemoveFromCrl, Superseded};
        let first =
            list(1, false, &[(1, KeyCompromise), (2, CertificateHold), (3, CertificateHold), (4, CertificateHold)]);
        let delta = list(2, true, &[(2, RemoveFromCrl), (3, Superseded)]);
        let left = |lists: &[OwnList]| -> Vec<CrlReason> {
            standing(lists).values().map(|revocation| revocation.reason).collect()
        };
        assert_eq!(left(&[first.clone(), delta.clone()]), [KeyCompromise, Superseded, CertificateHold]);
        assert_eq!(left(&[first, delta, list(3, false, &[])]), [KeyCompromise, Superseded]);
    }

    #[test]
    fn numbers_beyond_the_database_are_none() {
        assert_eq!(counted(&CrlNumber(vec![])), Some(0));
        assert_eq!(counted(&CrlNumber(vec![1, 0])), Some(256));
        assert_eq!(counted(&CrlNumber(vec![0x7f; 8])), Some(0x7f7f_7f7f_7f7f_7f7f));
        assert_eq!(counted(&CrlNumber(vec![0xff; 8])), None);
        assert_eq!(counted(&CrlNumber(vec![1; 9])), None);
    }
}
