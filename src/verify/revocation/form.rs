//! What a list must look like by itself (RFC 5280 §5.1 to §5.3), whatever certificate it is asked about.

use super::fault::ListFault;
use crate::encoding::Oid;
use crate::key::HashAlgorithm;
use crate::x509::extension::{
    AuthorityKeyIdentifier, CrlNumber, DeltaCrlIndicator, ExtensionType, FreshestCrl, IssuingDistributionPoint,
};
use crate::x509::{CertificateRevocationList, oids};

/// The extensions of lists that are processed.
const PROCESSED: [Oid; 4] =
    [oids::AUTHORITY_KEY_IDENTIFIER, oids::CRL_NUMBER, oids::DELTA_CRL_INDICATOR, oids::ISSUING_DISTRIBUTION_POINT];

/// The extensions of entries that are processed, or change nothing of what the entry says.
const PROCESSED_IN_ENTRIES: [Oid; 4] =
    [oids::REASON_CODE, oids::HOLD_INSTRUCTION_CODE, oids::INVALIDITY_DATE, oids::CERTIFICATE_ISSUER];

/// What keeps a list from being used at all.
pub(super) fn obstacle(list: &CertificateRevocationList) -> Option<ListFault> {
    // RFC 5280 §5.1.1.2.
    if list.signature_algorithm_der() != list.tbs_signature_algorithm_der() {
        return Some(ListFault::AlgorithmsDiffer);
    }
    // RFC 9155; BR 7.1.3.2.
    if let Some(hash @ (HashAlgorithm::Md5 | HashAlgorithm::Sha1 | HashAlgorithm::Sha224)) =
        list.signature_algorithm().ok().and_then(|algorithm| algorithm.hash())
    {
        return Some(ListFault::WeakHash(hash));
    }
    // RFC 5280 §4.2: no extension more than once.
    if let Some(oid) = list.extensions().duplicate() {
        return Some(ListFault::Duplicate(oid.clone()));
    }
    // RFC 5280 §5.2: "the application MUST NOT use that CRL to determine the status of certificates".
    let unknown = |oid: &&Oid| !PROCESSED.contains(oid);
    let mut critical = list.extensions().iter().filter(|extension| extension.critical).map(|extension| &extension.oid);
    if let Some(oid) = critical.find(unknown) {
        return Some(ListFault::UnknownCritical(oid.clone()));
    }
    // RFC 5280 §5.3: the same for entries, whichever certificate they are about.
    let mut critical = list.critical_entry_extensions().iter();
    if let Some(oid) = critical.find(|oid| !PROCESSED_IN_ENTRIES.contains(oid)) {
        return Some(ListFault::UnknownCriticalInEntry(oid.clone()));
    }
    if let Some(error) = list.malformed_certificate_issuer() {
        return Some(ListFault::Extension(error.clone()));
    }
    malformed(list).map(ListFault::Extension)
}

/// The first extension that is read here and does not parse.
fn malformed(list: &CertificateRevocationList) -> Option<crate::x509::ExtensionError> {
    let extensions = list.extensions();
    let read = [
        extensions.find::<AuthorityKeyIdentifier>().map(drop),
        extensions.find::<CrlNumber>().map(drop),
        extensions.find::<DeltaCrlIndicator>().map(drop),
        extensions.find::<IssuingDistributionPoint>().map(drop),
        extensions.find::<FreshestCrl>().map(drop),
    ];
    read.into_iter().find_map(Result::err)
}

/// What a list lacks that every conforming one has. What it says of revoked certificates is heard all the same.
pub(super) fn faults(list: &CertificateRevocationList) -> Vec<ListFault> {
    let extensions = list.extensions();
    let critical = |oid: &Oid| extensions.get(oid).map(|extension| extension.critical);
    let number = list.number().ok().flatten();
    let scope = extensions.find::<IssuingDistributionPoint>().ok().flatten();
    let kinds = scope.as_ref().map_or(0, |found| {
        let scope = &found.value;
        [scope.only_user_certs, scope.only_ca_certs, scope.only_attribute_certs].iter().filter(|set| **set).count()
    });
    let bare = scope.as_ref().is_some_and(|found| found.value == IssuingDistributionPoint::default());
    let with_extensions = !extensions.is_empty() || list.entries().iter().any(|entry| !entry.extensions.is_empty());
    let form = ListFault::Form;
    let profile = ListFault::Profile;
    let rules = [
        // RFC 5280 §5.1.2.1.
        (!matches!(list.version(), 1 | 2), form("is of a version that does not exist")),
        (list.version() == 1 && with_extensions, form("has extensions, which version 1 does not know")),
        // RFC 5280 §5.1.2.5.
        (list.next_update().is_none(), form("has no nextUpdate, so that nobody knows how long it holds")),
        (list.next_update().is_some_and(|next| next < list.this_update()), form("is due before it was issued")),
        // RFC 5280 §5.2.3.
        (number.is_none(), form("has no cRLNumber")),
        (critical(&CrlNumber::OID) == Some(true), form("has a critical cRLNumber")),
        (number.is_some_and(|number| !fits(&number)), form("has a cRLNumber over 20 octets")),
        // RFC 5280 §5.2.5: at most one of the three.
        (kinds > 1, form("covers two kinds of certificates only, which is none")),
        (bare, profile("has an empty issuingDistributionPoint")),
        (
            critical(&IssuingDistributionPoint::OID) == Some(false),
            profile("has an issuingDistributionPoint that is not critical"),
        ),
        // RFC 5280 §5.2.4.
        (critical(&DeltaCrlIndicator::OID) == Some(false), profile("has a deltaCRLIndicator that is not critical")),
        // RFC 5280 §5.2.1.
        (critical(&AuthorityKeyIdentifier::OID).is_none(), profile("has no authorityKeyIdentifier")),
    ];
    rules.into_iter().filter(|(broken, _)| *broken).map(|(_, fault)| fault).collect()
}

/// At most 20 octets as an INTEGER, sign included.
fn fits(number: &CrlNumber) -> bool {
    number.0.len() < 20 || (number.0.len() == 20 && number.0.first().is_some_and(|first| first & 0x80 == 0))
}
