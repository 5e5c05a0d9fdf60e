//! Which certificates and reasons a list covers (RFC 5280 §6.3.3 (b) and (d)).

use crate::encoding::der;
use crate::x509::extension::{
    CrlDistributionPoints, DistributionPoint, DistributionPointName, ExtensionError, IssuerAltName,
    IssuingDistributionPoint,
};
use crate::x509::{Certificate, CertificateRevocationList, DistinguishedName, GeneralName};

/// A set of reasons as the named bits of ReasonFlags (RFC 5280 §4.2.1.13), the first bit the most significant.
pub(super) type Reasons = u16;

/// Every reason: bits 1 to 8. Bit 0 is not used.
pub(super) const ALL_REASONS: Reasons = 0x7f80;

const REASON_NAMES: [(Reasons, &str); 8] = [
    (0x4000, "keyCompromise"),
    (0x2000, "cACompromise"),
    (0x1000, "affiliationChanged"),
    (0x0800, "superseded"),
    (0x0400, "cessationOfOperation"),
    (0x0200, "certificateHold"),
    (0x0100, "privilegeWithdrawn"),
    (0x0080, "aACompromise"),
];

/// How many distribution points of a certificate are tried. Public certificates have one or two.
const POINTS: usize = 32;

/// Where the status of a certificate is to be had.
#[derive(Debug)]
pub(super) struct Point {
    /// The names of the distribution point; empty where it has none.
    names: Vec<GeneralName>,
    reasons: Option<Reasons>,
    /// Who signs its lists, if not the certificate's issuer.
    crl_issuer: Option<Vec<GeneralName>>,
}

/// The distribution points of a certificate, and last the one that RFC 5280 §6.3.3 supposes for lists that are not
/// specified in any: its name is the issuer's.
pub(super) fn points(certificate: &Certificate) -> Vec<Point> {
    let named = certificate.extension::<CrlDistributionPoints>().ok().flatten();
    let named = named.iter().flat_map(|found| &found.value.0).take(POINTS).cloned();
    let mut points: Vec<Point> = named.map(|point| Point::new(point, certificate.issuer())).collect();
    let mut names = vec![GeneralName::Directory(certificate.issuer().clone())];
    let other_names = certificate.extension::<IssuerAltName>().ok().flatten();
    names.extend(other_names.iter().flat_map(|found| &found.value.0).cloned());
    points.push(Point { names, reasons: None, crl_issuer: None });
    points
}

/// The reasons for which `list` answers about `certificate` when asked through `point`; `None` where it does not.
pub(super) fn covered(
    list: &CertificateRevocationList,
    point: &Point,
    certificate: &Certificate,
) -> Result<Option<Reasons>, ExtensionError> {
    // RFC 5280 §6.3.3 (b)(1).
    let issued_rightly = match &point.crl_issuer {
        Some(names) => names.iter().any(|name| is_directory(name, list.issuer())),
        None => list.issuer().matches(certificate.issuer()),
    };
    if !issued_rightly {
        return Ok(None);
    }
    let scope = list.extensions().find::<IssuingDistributionPoint>()?.map(|found| found.value).unwrap_or_default();
    if point.crl_issuer.is_some() && !scope.indirect {
        return Ok(None);
    }
    // RFC 5280 §6.3.3 (b)(2)(i).
    if let Some(name) = &scope.name {
        let wanted =
            if point.names.is_empty() { point.crl_issuer.as_deref().unwrap_or_default() } else { &point.names };
        let offered = full_names(name, list.issuer());
        if !offered.iter().any(|offered| wanted.iter().any(|wanted| is_same(offered, wanted))) {
            return Ok(None);
        }
    }
    // RFC 5280 §6.3.3 (b)(2)(ii), (iii), (iv).
    let is_ca = certificate.claims_ca();
    if (scope.only_user_certs && is_ca) || (scope.only_ca_certs && !is_ca) || scope.only_attribute_certs {
        return Ok(None);
    }
    // RFC 5280 §6.3.3 (d).
    let reasons = scope.only_some_reasons.unwrap_or(ALL_REASONS) & point.reasons.unwrap_or(ALL_REASONS);
    Ok(Some(reasons & ALL_REASONS))
}

/// Whether an entry is for the certificates of `issuer`: it has the names of certificateIssuer, or none for those of the
/// list's own issuer (RFC 5280 §5.3.3).
pub(super) fn is_for(
    names: Option<&[GeneralName]>,
    list: &CertificateRevocationList,
    issuer: &DistinguishedName,
) -> bool {
    match names {
        None => list.issuer().matches(issuer),
        Some(names) => names.iter().any(|name| is_directory(name, issuer)),
    }
}

/// The names of the reasons that are not in `reasons`; none where `reasons` is empty, since then nothing was covered.
pub(super) fn uncovered(reasons: Reasons) -> Vec<&'static str> {
    let missing = REASON_NAMES.iter().filter(|(bit, _)| reasons != 0 && reasons & bit == 0);
    missing.map(|(_, name)| *name).collect()
}

impl Point {
    /// A name relative to the issuer of the list becomes a whole one (RFC 5280 §4.2.1.13).
    fn new(point: DistributionPoint, issuer: &DistinguishedName) -> Self {
        let base = match point.crl_issuer.as_deref() {
            None => Some(issuer),
            Some([GeneralName::Directory(name)]) => Some(name),
            // With several names of the issuer, a relative one has no meaning.
            Some(_) => None,
        };
        let names = match (&point.name, base) {
            (Some(DistributionPointName::Full(names)), _) => names.clone(),
            (Some(name @ DistributionPointName::RelativeToIssuer(_)), Some(base)) => full_names(name, base),
            (Some(DistributionPointName::RelativeToIssuer(_)), None) | (None, _) => Vec::new(),
        };
        Self { names, reasons: point.reasons, crl_issuer: point.crl_issuer }
    }
}

fn full_names(name: &DistributionPointName, base: &DistinguishedName) -> Vec<GeneralName> {
    match name {
        DistributionPointName::Full(names) => names.clone(),
        DistributionPointName::RelativeToIssuer(level) => {
            let levels = der::only(base.der()).map(|levels| levels.value).unwrap_or_default();
            let whole = der::tlv(der::tag::SEQUENCE, &[levels, &der::tlv(der::tag::SET, level)].concat());
            DistinguishedName::from_der(&whole).map(GeneralName::Directory).into_iter().collect()
        }
    }
}

fn is_directory(name: &GeneralName, wanted: &DistinguishedName) -> bool {
    matches!(name, GeneralName::Directory(found) if found.matches(wanted))
}

/// RFC 5280 §7: distinguished names by attribute, host names and the scheme and host of URIs without regard to case.
fn is_same(left: &GeneralName, right: &GeneralName) -> bool {
    match (left, right) {
        (GeneralName::Directory(left), GeneralName::Directory(right)) => left.matches(right),
        (GeneralName::Dns(left), GeneralName::Dns(right)) => left.eq_ignore_ascii_case(right),
        (GeneralName::Uri(left), GeneralName::Uri(right)) => left == right || split_uri(left) == split_uri(right),
        (left, right) => left == right,
    }
}

/// Scheme and authority in lower case, and the rest as it is.
fn split_uri(uri: &str) -> (String, &str) {
    let start = uri.find("://").map_or(0, |at| at + 3);
    let authority = uri.get(start..).and_then(|rest| rest.find(['/', '?', '#'])).map_or(uri.len(), |at| start + at);
    let (front, rest) = uri.split_at(authority);
    (front.to_ascii_lowercase(), rest)
}
