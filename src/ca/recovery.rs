//! What an authority's own published lists tell a ledger that has lost it: which numbers were used, and what was revoked.

use std::collections::BTreeMap;

use ::time::OffsetDateTime;

use super::ledger::{Act, AuthorityId, AuthorityRecord, Ledger, LedgerError, ListQuery, Query, Record, Revocation};
use crate::encoding::Oid;
use crate::encoding::der::Reader;
use crate::key::{HashAlgorithm, digest};
use crate::x509::crl::RevokedCertificate;
use crate::x509::extension::{CrlNumber, CrlReason, IssuingDistributionPoint};
use crate::x509::{
    Certificate, CertificateRevocationList, Extension, ExtensionError, ExtensionType, SerialNumber, oids, time,
};

/// What was taken from lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// The greatest number of a list, where it is greater than what the ledger had.
    pub crl_number: Option<u64>,
    /// The certificates whose revocation was recorded.
    pub revoked: Vec<Named>,
    /// Those that a list has on hold and the ledger knows to be released since: they stay released.
    pub released: Vec<Named>,
    /// Revocations of certificates that the ledger does not have, so that it cannot hold them.
    pub unrecorded: Vec<(SerialNumber, Revocation)>,
}

/// A certificate as it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its serial number.
    pub serial: SerialNumber,
    /// Its names without their forms, or its subject where it has none.
    pub name: String,
}

impl Named {
    fn of(record: &Record) -> Self {
        let bare = |name: &String| name.split_once(':').map_or(name.clone(), |(_, name)| name.to_owned());
        let names: Vec<String> = record.names.iter().map(bare).collect();
        let name = if names.is_empty() { record.subject.clone() } else { names.join(" ") };
        Self { serial: record.serial.clone(), name }
    }
}

/// Why a list tells nothing of its authority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListFault {
    /// Its signature is not the authority's.
    #[error("no authority of this CA has signed it")]
    Foreign,
    /// Its signature is over a broken hash.
    #[error("it is signed with {0}, which certkit does not check: anybody may have made it")]
    Weak(HashAlgorithm),
    /// No ledger can go on from its number.
    #[error("its CRL number is beyond what the ledger counts")]
    Number,
    /// An extension does not parse.
    #[error("it cannot be read: {0}")]
    Extension(#[from] ExtensionError),
    /// It must not be used by whoever does not know this extension.
    #[error("it has the critical extension {0}, which certkit does not know (RFC 5280 §5.2)")]
    Critical(Oid),
    /// Its serial numbers are not those of public key certificates.
    #[error("it lists attribute certificates, and the ledger has none (RFC 5280 §5.2.5)")]
    Attributes,
    /// An entry cannot be understood.
    #[error("its entry for serial number {serial} cannot be taken: {why}")]
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
    number: Option<u64>,
    /// The number of the list that a delta builds upon.
    base: Option<u64>,
    this_update: OffsetDateTime,
    /// The SHA-256 of its encoding.
    fingerprint: Vec<u8>,
    /// The encoding of what narrows its scope; empty where nothing does.
    scope: Vec<u8>,
    entries: Vec<(SerialNumber, Revocation)>,
}

impl OwnList {
    /// Its number. RFC 5280 §5.2.3 demands one, and `openssl ca` gives none unless it is told to.
    pub fn number(&self) -> Option<u64> {
        self.number
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it revokes nothing.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether it lists only what changed since another one (RFC 5280 §5.2.4).
    pub fn is_delta(&self) -> bool {
        self.base.is_some()
    }

    /// Its entries: what it revokes, and in a delta what it takes back.
    pub(super) fn entries(&self) -> &[(SerialNumber, Revocation)] {
        &self.entries
    }

    /// Whether it has this scope.
    pub(super) fn is_for(&self, scope: &IssuingDistributionPoint) -> bool {
        let whole = *scope == IssuingDistributionPoint::default();
        if whole { self.scope.is_empty() } else { self.scope == scope.to_der() }
    }

    /// Whether it is about some certificates or reasons only, as its issuingDistributionPoint says (RFC 5280 §5.2.5).
    pub fn is_narrow(&self) -> bool {
        !self.scope.is_empty()
    }

    /// For a delta, the number of the list that it builds upon, where none of `lists` has that: the list itself, or a later
    /// one of the same scope (RFC 5280 §5.2.4).
    pub fn base_missing_from(&self, lists: &[Self]) -> Option<u64> {
        let carries = |list: &Self, base| !list.is_delta() && list.scope == self.scope && list.number >= Some(base);
        self.base.filter(|base| !lists.iter().any(|list| carries(list, *base)))
    }

    /// Reads a list that one of these authorities has signed, and says which: its place among them.
    ///
    /// # Errors
    /// [`ListFault`].
    pub fn read_for<'a>(
        list: &CertificateRevocationList,
        issuers: impl IntoIterator<Item = &'a Certificate>,
    ) -> Result<(usize, Self), ListFault> {
        let mut fault = ListFault::Foreign;
        for (at, issuer) in issuers.into_iter().enumerate() {
            match Self::read(list, issuer) {
                Ok(own) => return Ok((at, own)),
                Err(ListFault::Foreign) => {}
                Err(other) => fault = other,
            }
        }
        Err(fault)
    }

    /// Reads a list that this authority has signed.
    ///
    /// # Errors
    /// [`ListFault`].
    pub fn read(list: &CertificateRevocationList, issuer: &Certificate) -> Result<Self, ListFault> {
        let key = issuer.public_key().ok().filter(|_| list.issuer().matches(issuer.subject()));
        let key = key.ok_or(ListFault::Foreign)?;
        if list.verify_signature(&key).is_err() {
            return Err(list.weakly_signed_with(&key).map_or(ListFault::Foreign, ListFault::Weak));
        }
        // RFC 5280 §5.2: "the application MUST NOT use that CRL".
        let unknown = |it: &&Extension| it.critical && !PROCESSED.contains(&it.oid);
        if let Some(unknown) = list.extensions().iter().find(unknown) {
            return Err(ListFault::Critical(unknown.oid.clone()));
        }
        let counted = |number: Option<CrlNumber>| number.map(|it| counted(&it).ok_or(ListFault::Number)).transpose();
        Ok(Self {
            number: counted(list.number()?)?,
            base: counted(list.base_number()?)?,
            this_update: list.this_update(),
            fingerprint: digest::sha256(list.der()).to_vec(),
            scope: scope(list)?,
            entries: list.entries().iter().map(entry).collect::<Result<_, _>>()?,
        })
    }
}

/// What narrows the scope of a list.
fn scope(list: &CertificateRevocationList) -> Result<Vec<u8>, ListFault> {
    let Some(found) = list.extensions().find::<IssuingDistributionPoint>()? else { return Ok(Vec::new()) };
    if found.value.only_attribute_certs {
        return Err(ListFault::Attributes);
    }
    // That entries may be for other issuers' certificates widens it.
    let narrowing = IssuingDistributionPoint { indirect: false, ..found.value };
    Ok(if narrowing == IssuingDistributionPoint::default() { Vec::new() } else { narrowing.to_der() })
}

/// What an entry says.
fn entry(entry: &RevokedCertificate) -> Result<(SerialNumber, Revocation), ListFault> {
    let serial = entry.serial.clone();
    let fault = |why| ListFault::Entry { serial: serial.clone(), why };
    if entry.extensions.get(&oids::CERTIFICATE_ISSUER).is_some() {
        // It holds for the entries that follow, too (RFC 5280 §5.3.3).
        return Err(fault("it names the certificate's issuer, as lists of several CAs do"));
    }
    // RFC 5280 §5.3, as for the list.
    if entry.extensions.iter().any(|it| it.critical && !PROCESSED_IN_ENTRIES.contains(&it.oid)) {
        return Err(fault("it has a critical extension which certkit does not know"));
    }
    let reason = entry.reason().map_err(|_| fault("its reason is none"))?.unwrap_or(CrlReason::Unspecified);
    let invalid_since = match entry.extensions.get(&oids::INVALIDITY_DATE) {
        None => None,
        Some(extension) => {
            let date = Reader::new(&extension.value).any().and_then(time::decode);
            Some(date.map_err(|_| fault("its invalidityDate is none"))?)
        }
    };
    Ok((serial, Revocation { at: entry.revocation_date, reason, invalid_since }))
}

/// Brings an authority's numbers and revocations to where its lists had them. A revocation that the ledger has stays as it is,
/// unless a list tells of a compromise and it does not, to which it is raised; and so does a hold that the ledger knows to be
/// lifted after the list that has it.
///
/// # Errors
/// When the ledger fails.
pub fn recover(
    ledger: &mut dyn Ledger,
    authority: &AuthorityRecord,
    lists: &[OwnList],
    act: &Act,
) -> Result<Recovered, LedgerError> {
    let mut recovered = Recovered::default();
    let greatest = lists.iter().filter_map(|list| list.number).max().unwrap_or_default();
    if greatest > authority.crl_number {
        ledger.next_crl_number(authority.id, greatest.saturating_sub(1))?;
        recovered.crl_number = Some(greatest);
    }
    let mut recorded = BTreeMap::new();
    for (serial, (revocation, list)) in standing_of(lists) {
        if revocation.is_hold()
            && let Some(record) = released_since(ledger, authority.id, &serial, revocation, list, &mut recorded)?
        {
            recovered.released.push(Named::of(&record));
            continue;
        }
        revoke(ledger, authority.id, &serial, revocation, act, &mut recovered)?;
    }
    Ok(recovered)
}

/// Revokes a certificate as an earlier copy of the ledger has it, of which nobody knows when it was made: where this ledger
/// knows of a hold and its end, it is left alone.
///
/// # Errors
/// When the ledger fails.
pub fn recover_one(
    ledger: &mut dyn Ledger,
    by: AuthorityId,
    serial: &SerialNumber,
    revocation: Revocation,
    act: &Act,
    recovered: &mut Recovered,
) -> Result<(), LedgerError> {
    if revocation.is_hold()
        && let Some((record, _)) = lifted(ledger, by, serial)?
    {
        recovered.released.push(Named::of(&record));
        return Ok(());
    }
    revoke(ledger, by, serial, revocation, act, recovered)
}

fn revoke(
    ledger: &mut dyn Ledger,
    by: AuthorityId,
    serial: &SerialNumber,
    revocation: Revocation,
    act: &Act,
    recovered: &mut Recovered,
) -> Result<(), LedgerError> {
    match ledger.revoke(by, serial, revocation, act) {
        Ok(record) => recovered.revoked.push(Named::of(&record)),
        Err(LedgerError::AlreadyRevoked { .. }) => {}
        Err(LedgerError::Unknown { .. } | LedgerError::Own { .. }) => {
            recovered.unrecorded.push((serial.clone(), revocation));
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// The certificate and its history, where that ends with a hold lifted. Without a history it was lost, or a list is all that is
/// known of it.
pub(super) fn lifted(
    ledger: &mut dyn Ledger,
    by: AuthorityId,
    serial: &SerialNumber,
) -> Result<Option<(Record, Vec<Revocation>)>, LedgerError> {
    let query = Query { serial: Some(serial.clone()), limit: Some(1), ..Query::default() };
    let found = ledger.find(by, &query)?.into_iter().next();
    let Some(record) = found.filter(|record| record.revocation.is_none()) else { return Ok(None) };
    let history = ledger.history(record.id)?;
    Ok((!history.is_empty()).then_some((record, history)))
}

/// The certificate, where the ledger has lifted its hold after this list was signed. What the ledger has of a list that it has
/// recorded is later than that; else times tell, and where they are the same, whether it knows of the very hold.
fn released_since<'a>(
    ledger: &mut dyn Ledger,
    by: AuthorityId,
    serial: &SerialNumber,
    hold: Revocation,
    list: &'a OwnList,
    recorded: &mut BTreeMap<&'a [u8], bool>,
) -> Result<Option<Record>, LedgerError> {
    let Some((record, history)) = lifted(ledger, by, serial)? else { return Ok(None) };
    let Some(release) = history.last() else { return Ok(None) };
    let is_recorded = match recorded.get(list.fingerprint.as_slice()) {
        Some(is_recorded) => *is_recorded,
        None => {
            let query = ListQuery { number: list.number, ..ListQuery::default() };
            let is_recorded = ledger.lists(by, &query)?.iter().any(|own| own.fingerprint == list.fingerprint);
            recorded.insert(&list.fingerprint, is_recorded);
            is_recorded
        }
    };
    let is_later = release.at > list.this_update || (release.at == list.this_update && history.contains(&hold));
    Ok((is_recorded || is_later).then_some(record))
}

/// What is revoked after all of these lists of one authority. What a later list leaves out has expired, and stays revoked; a
/// compromise stays one, whatever a later list says; a hold that it leaves out was lifted, if it is a complete list, and of every certificate or of the same scope as the one that
/// had the hold.
pub fn standing(lists: &[OwnList]) -> BTreeMap<SerialNumber, Revocation> {
    standing_of(lists).into_iter().map(|(serial, (revocation, _))| (serial, revocation)).collect()
}

/// The same, each with the last list that has it.
fn standing_of(lists: &[OwnList]) -> BTreeMap<SerialNumber, (Revocation, &OwnList)> {
    let mut in_order: Vec<&OwnList> = lists.iter().collect();
    // A delta has the number of the complete list it was signed with, and says nothing that this does not. Where one of them
    // has no number, only their times tell which was first.
    match lists.iter().all(|list| list.number.is_some()) {
        true => in_order.sort_by_key(|list| (list.number, !list.is_delta())),
        false => in_order.sort_by_key(|list| (list.this_update, !list.is_delta())),
    }
    let mut standing: BTreeMap<SerialNumber, (Revocation, &OwnList)> = BTreeMap::new();
    for list in in_order {
        if !list.is_delta() {
            standing.retain(|_, (revocation, from)| {
                !revocation.is_hold() || (list.is_narrow() && list.scope != from.scope)
            });
        }
        for (serial, revocation) in &list.entries {
            match revocation.reason {
                // RFC 5280 §5.3.1: its hold was lifted, or it has expired.
                CrlReason::RemoveFromCrl => {
                    if standing.get(serial).is_some_and(|(revocation, _)| revocation.is_hold()) {
                        standing.remove(serial);
                    }
                }
                // A key that was in other hands is not out of them for another reason being given later.
                _ if !revocation.tells_of_compromise()
                    && standing.get(serial).is_some_and(|(revocation, _)| revocation.tells_of_compromise()) => {}
                _ => _ = standing.insert(serial.clone(), (*revocation, list)),
            }
        }
    }
    standing
}

/// The extensions of lists that change nothing here, or are minded.
const PROCESSED: [Oid; 6] = [
    oids::AUTHORITY_KEY_IDENTIFIER,
    oids::ISSUER_ALT_NAME,
    oids::CRL_NUMBER,
    oids::DELTA_CRL_INDICATOR,
    oids::ISSUING_DISTRIBUTION_POINT,
    oids::FRESHEST_CRL,
];

/// The same for entries; with a certificateIssuer none is taken.
const PROCESSED_IN_ENTRIES: [Oid; 3] = [oids::REASON_CODE, oids::HOLD_INSTRUCTION_CODE, oids::INVALIDITY_DATE];

/// A number that the ledger can go on from: the database counts in 63 bits.
fn counted(number: &CrlNumber) -> Option<u64> {
    number.to_u64().filter(|number| *number < i64::MAX as u64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ::time::Duration;

    fn list(number: u64, is_delta: bool, entries: &[(u8, CrlReason)]) -> OwnList {
        let at = OffsetDateTime::UNIX_EPOCH;
        let entry =
            |(serial, reason): &(u8, CrlReason)| (SerialNumber::from_content(&[*serial]), Revocation::new(at, *reason));
        let base = is_delta.then(|| number.saturating_sub(1));
        let entries = entries.iter().map(entry).collect();
        OwnList { number: Some(number), base, this_update: at, fingerprint: Vec::new(), scope: Vec::new(), entries }
    }

    fn reasons(lists: &[OwnList]) -> Vec<CrlReason> {
        standing(lists).values().map(|revocation| revocation.reason).collect()
    }

    #[test]
    fn a_hold_that_is_left_out_was_lifted_and_a_revocation_has_expired() {
        use CrlReason::{CertificateHold, KeyCompromise, RemoveFromCrl, Superseded};
        let first =
            list(1, false, &[(1, KeyCompromise), (2, CertificateHold), (3, CertificateHold), (4, CertificateHold)]);
        let delta = list(2, true, &[(2, RemoveFromCrl), (3, Superseded)]);
        assert_eq!(reasons(&[first.clone(), delta.clone()]), [KeyCompromise, Superseded, CertificateHold]);
        assert_eq!(reasons(&[first, delta, list(3, false, &[])]), [KeyCompromise, Superseded]);
        // It may say that a certificate has expired, too.
        let expired = list(2, true, &[(1, RemoveFromCrl)]);
        assert_eq!(reasons(&[list(1, false, &[(1, KeyCompromise)]), expired]), [KeyCompromise]);
    }

    #[test]
    fn a_compromise_stays_one_and_another_reason_may_become_one() {
        use CrlReason::{CaCompromise, CertificateHold, KeyCompromise, Superseded};
        for (first, then, stands) in [
            (Superseded, KeyCompromise, KeyCompromise),
            (KeyCompromise, Superseded, KeyCompromise),
            (KeyCompromise, CertificateHold, KeyCompromise),
            (KeyCompromise, CaCompromise, CaCompromise),
        ] {
            let (first, then) = (list(1, false, &[(1, first)]), list(2, false, &[(1, then)]));
            assert_eq!(reasons(&[then, first]), [stands]);
        }
    }

    #[test]
    fn a_list_lifts_no_hold_that_is_not_within_its_scope() {
        let hold = [(1, CrlReason::CertificateHold)];
        let narrow = |list: OwnList, scope: &[u8]| OwnList { scope: scope.to_vec(), ..list };
        for (first, second, lifted) in [
            (&b""[..], &b""[..], true),
            (b"users", b"users", true),
            (b"users", b"", true),
            (b"", b"users", false),
            (b"users", b"authorities", false),
        ] {
            let lists = [narrow(list(1, false, &hold), first), narrow(list(2, false, &[]), second)];
            assert_eq!(standing(&lists).is_empty(), lifted, "{first:?} {second:?}");
        }
    }

    #[test]
    fn lists_without_a_number_are_in_the_order_of_their_times() {
        let unnumbered = |day: i64, entries: &[(u8, CrlReason)]| {
            let this_update = OffsetDateTime::UNIX_EPOCH + Duration::days(day);
            OwnList { number: None, this_update, ..list(0, false, entries) }
        };
        let hold = [(1, CrlReason::CertificateHold)];
        assert!(reasons(&[unnumbered(2, &[]), unnumbered(1, &hold)]).is_empty());
        assert_eq!(reasons(&[unnumbered(1, &[]), unnumbered(2, &hold)]), [CrlReason::CertificateHold]);
        // One without is enough.
        assert_eq!(reasons(&[list(9, false, &[]), unnumbered(1, &hold)]), [CrlReason::CertificateHold]);
    }

    #[test]
    fn a_delta_builds_upon_its_base_or_a_later_list_of_its_scope() {
        let delta = OwnList { base: Some(5), ..list(8, true, &[]) };
        assert_eq!(list(1, false, &[]).base_missing_from(&[]), None);
        let scoped = OwnList { scope: b"users".to_vec(), ..list(6, false, &[]) };
        for (there, missing) in [
            (vec![], Some(5)),
            (vec![list(4, false, &[]), list(6, true, &[]), scoped], Some(5)),
            (vec![OwnList { number: None, ..list(6, false, &[]) }], Some(5)),
            (vec![list(5, false, &[])], None),
            (vec![list(7, false, &[])], None),
        ] {
            assert_eq!(delta.base_missing_from(&there), missing, "{there:?}");
        }
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
