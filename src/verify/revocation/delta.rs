//! Lists of changes (RFC 5280 §5.2.4): which complete list one may be combined with.

use crate::encoding::Oid;
use crate::x509::CertificateRevocationList;
use crate::x509::extension::{AuthorityKeyIdentifier, ExtensionType, IssuingDistributionPoint};

/// Whether `delta` brings `base` up to date.
pub(super) fn updates(delta: &CertificateRevocationList, base: &CertificateRevocationList) -> bool {
    let numbers = || Some((delta.base_number().ok()??, base.number().ok()??, delta.number().ok()??));
    // RFC 5280 §5.2.4 (c) and (d): the base is no older than what the changes are counted from, and older than they are.
    let in_order = numbers().is_some_and(|(from, base, to)| from <= base && base < to);
    // RFC 5280 §6.3.3 (c)(1).
    let same_issuer = delta.issuer().matches(base.issuer());
    let value = |list: &CertificateRevocationList, oid: &Oid| list.extensions().get(oid).map(|it| it.value.clone());
    let same = |oid: Oid| value(delta, &oid) == value(base, &oid);
    // RFC 5280 §6.3.3 (c)(2) and (c)(3): the same scope and the same key.
    in_order && same_issuer && same(IssuingDistributionPoint::OID) && same(AuthorityKeyIdentifier::OID)
}
