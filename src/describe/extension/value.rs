//! The values of known extensions.

use super::super::when;
use super::joined;
use crate::encoding::Oid;
use crate::encoding::base64::encode as base64;
use crate::encoding::der;
use crate::encoding::hex;
use crate::x509::GeneralName;
use crate::x509::extension::AccessDescription;
use crate::x509::extension::AuthorityKeyIdentifier;
use crate::x509::extension::DistributionPoint;
use crate::x509::extension::DistributionPointName;
use crate::x509::extension::ExtensionValue;
use crate::x509::extension::GeneralSubtree;
use crate::x509::extension::IssuingDistributionPoint;
use crate::x509::extension::PolicyInformation;
use crate::x509::extension::PolicyQualifier;
use crate::x509::extension::SignedCertificateTimestamp;
use crate::x509::oids;
use serde::Serialize;

/// The value of a known extension. In JSON it stands alone: the extension's name says what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[allow(missing_docs)]
pub enum ValueDescription {
    BasicConstraints {
        ca: bool,
        path_len: Option<u64>,
    },
    /// Key usages, key purposes, TLS features, Netscape types.
    Words(Vec<String>),
    /// Names of subject or issuer.
    Names(Vec<GeneralName>),
    /// An identifier, a number or a comment.
    Text(String),
    Number(u64),
    /// An extension whose presence says it all.
    Present(bool),
    AuthorityKeyIdentifier {
        key_identifier: Option<String>,
        issuer: Option<Vec<GeneralName>>,
        serial: Option<String>,
    },
    NameConstraints {
        permitted: Vec<String>,
        excluded: Vec<String>,
    },
    Policies(Vec<Policy>),
    Mappings(Vec<Mapping>),
    PolicyConstraints {
        require_explicit_policy: Option<u64>,
        inhibit_policy_mapping: Option<u64>,
    },
    Points(Vec<Point>),
    Access(Vec<Access>),
    Timestamps(Vec<Timestamp>),
    Scope(Scope),
}

/// One certificate policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// Its object identifier.
    pub oid: Oid,
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Where the certification practice statement is to be had.
    pub cps: Vec<String>,
    /// Texts shown to relying parties.
    pub notices: Vec<String>,
}

/// Two policies that count as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mapping {
    /// In the issuer's domain.
    pub issuer_domain: Oid,
    /// In the subject's domain.
    pub subject_domain: Oid,
}

/// Where a revocation list is to be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Point {
    /// The names of the point.
    pub names: Vec<String>,
    /// The reasons its lists cover; all where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasons: Option<Vec<String>>,
    /// Who signs its lists, if not the issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crl_issuer: Option<Vec<GeneralName>>,
}

/// Where something about the issuer or subject is to be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Access {
    /// What: `OCSP`, `caIssuers`.
    pub method: String,
    /// Where.
    pub location: GeneralName,
}

/// A log's promise to have seen the certificate (RFC 6962 §3.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Timestamp {
    /// SHA-256 of the log's public key, in base64 as log lists have it.
    pub log_id: String,
    /// When the log saw the certificate, RFC 3339 in UTC.
    pub at: String,
}

/// What a revocation list covers (RFC 5280 §5.2.5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scope {
    /// The names of its distribution point.
    pub names: Vec<String>,
    /// `user certificates`, `CA certificates`, `attribute certificates`: only these.
    pub only: Vec<String>,
    /// The reasons it covers; all where absent.
    pub reasons: Option<Vec<String>>,
    /// Whether entries may be for other issuers' certificates.
    pub indirect: bool,
}

impl ValueDescription {
    /// Describes a decoded value; `None` for one that is unknown.
    pub(super) fn of(decoded: ExtensionValue) -> Option<Self> {
        let words = |names: Vec<&'static str>| Self::Words(names.into_iter().map(str::to_owned).collect());
        Some(match decoded {
            ExtensionValue::BasicConstraints(value) => {
                Self::BasicConstraints { ca: value.ca, path_len: value.path_len }
            }
            ExtensionValue::KeyUsage(usage) => words(usage.names()),
            ExtensionValue::ExtendedKeyUsage(usage) => Self::Words(usage.0.iter().map(oids::name_or_dotted).collect()),
            ExtensionValue::SubjectAltName(names) => Self::Names(names.0),
            ExtensionValue::IssuerAltName(names) => Self::Names(names.0),
            ExtensionValue::CertificateIssuer(names) => Self::Names(names.0),
            ExtensionValue::SubjectKeyIdentifier(identifier) => Self::Text(hex::encode(&identifier.0)),
            ExtensionValue::AuthorityKeyIdentifier(value) => authority(value),
            ExtensionValue::NameConstraints(value) => Self::NameConstraints {
                permitted: value.permitted.iter().map(subtree).collect(),
                excluded: value.excluded.iter().map(subtree).collect(),
            },
            ExtensionValue::CertificatePolicies(policies) => Self::Policies(policies.0.iter().map(policy).collect()),
            ExtensionValue::PolicyMappings(mappings) => Self::Mappings(
                mappings
                    .0
                    .into_iter()
                    .map(|(issuer_domain, subject_domain)| Mapping { issuer_domain, subject_domain })
                    .collect(),
            ),
            ExtensionValue::PolicyConstraints(value) => Self::PolicyConstraints {
                require_explicit_policy: value.require_explicit_policy,
                inhibit_policy_mapping: value.inhibit_policy_mapping,
            },
            ExtensionValue::InhibitAnyPolicy(skip) => Self::Number(skip.0),
            ExtensionValue::CrlDistributionPoints(points) => Self::Points(points.0.iter().map(point).collect()),
            ExtensionValue::FreshestCrl(points) => Self::Points(points.0.iter().map(point).collect()),
            ExtensionValue::AuthorityInfoAccess(list) => Self::Access(list.0.into_iter().map(access).collect()),
            ExtensionValue::SubjectInfoAccess(list) => Self::Access(list.0.into_iter().map(access).collect()),
            ExtensionValue::TlsFeature(features) => {
                Self::Words(features.0.iter().map(|&number| tls_feature(number)).collect())
            }
            ExtensionValue::OcspNoCheck(_) | ExtensionValue::CtPoison => Self::Present(true),
            ExtensionValue::SctList(list) => Self::Timestamps(list.0.iter().map(timestamp).collect()),
            ExtensionValue::NetscapeCertType(kind) => words(kind.names()),
            ExtensionValue::NetscapeComment(comment) => Self::Text(comment),
            ExtensionValue::CrlNumber(number) => Self::Text(decimal(&number.0)),
            ExtensionValue::DeltaCrlIndicator(number) => Self::Text(decimal(&number.0)),
            ExtensionValue::IssuingDistributionPoint(value) => Self::Scope(scope(&value)),
            ExtensionValue::ReasonCode(reason) => Self::Text(reason.0.name().to_owned()),
            ExtensionValue::InvalidityDate(date) => Self::Text(date.0),
            ExtensionValue::Other(_) => return None,
        })
    }

    /// The value for people.
    pub(super) fn lines(&self) -> Vec<String> {
        let none = |lines: Vec<String>| if lines.is_empty() { vec!["(none)".to_owned()] } else { lines };
        match self {
            Self::BasicConstraints { ca: false, path_len: None } => vec!["no CA".to_owned()],
            Self::BasicConstraints { ca: false, path_len: Some(length) } => {
                vec![format!("no CA, yet with path length {length}")]
            }
            Self::BasicConstraints { ca: true, path_len: None } => vec!["CA".to_owned()],
            Self::BasicConstraints { ca: true, path_len: Some(length) } => vec![format!("CA, path length {length}")],
            Self::Words(words) => none(joined(words)),
            Self::Names(names) => joined(names),
            Self::Text(text) => vec![text.clone()],
            Self::Number(skip) => vec![format!("anyPolicy ends after {}", certificates(*skip))],
            Self::Present(_) => vec!["present".to_owned()],
            Self::AuthorityKeyIdentifier { key_identifier, issuer, serial } => {
                let mut lines: Vec<String> = key_identifier.iter().cloned().collect();
                lines.extend(issuer.iter().map(|names| format!("issuer {}", joined(names).join(" "))));
                lines.extend(serial.iter().map(|serial| format!("serial {serial}")));
                none(lines)
            }
            Self::NameConstraints { permitted, excluded } => {
                let part = |word: &str, list: &[String]| -> Vec<String> {
                    joined(list).into_iter().map(|line| format!("{word} {line}")).collect()
                };
                [part("only", permitted), part("not", excluded)].concat()
            }
            Self::Policies(policies) => policies.iter().flat_map(Policy::lines).collect(),
            Self::Mappings(mappings) => mappings
                .iter()
                .map(|mapping| format!("{} counts as {}", mapping.subject_domain, mapping.issuer_domain))
                .collect(),
            Self::PolicyConstraints { require_explicit_policy, inhibit_policy_mapping } => {
                let said =
                    |what: &str, skip: &Option<u64>| skip.map(|skip| format!("{what} after {}", certificates(skip)));
                [
                    said("explicit policy required", require_explicit_policy),
                    said("no policy mapping", inhibit_policy_mapping),
                ]
                .into_iter()
                .flatten()
                .collect()
            }
            Self::Points(points) => points.iter().flat_map(Point::lines).collect(),
            Self::Access(list) => list.iter().map(|one| format!("{} {}", one.method, bare(&one.location))).collect(),
            Self::Timestamps(list) => {
                none(list.iter().map(|one| format!("{} log {}", when::for_people(&one.at), one.log_id)).collect())
            }
            Self::Scope(scope) => none(scope.lines()),
        }
    }
}

impl Policy {
    fn lines(&self) -> Vec<String> {
        let name = self.name.as_ref().map(|name| format!("{name} ({})", self.oid));
        let mut lines = vec![name.unwrap_or_else(|| self.oid.to_string())];
        lines.extend(self.cps.iter().map(|uri| format!("  CPS {uri}")));
        lines.extend(self.notices.iter().map(|text| format!("  notice: {text}")));
        lines
    }
}

impl Point {
    fn lines(&self) -> Vec<String> {
        let mut lines = self.names.clone();
        lines.extend(self.reasons.iter().map(|reasons| format!("  for {}", reasons.join(", "))));
        lines.extend(self.crl_issuer.iter().map(|names| format!("  signed by {}", joined(names).join(" "))));
        lines
    }
}

impl Scope {
    fn lines(&self) -> Vec<String> {
        let mut lines = self.names.clone();
        lines.extend(self.only.iter().map(|kind| format!("only {kind}")));
        lines.extend(self.reasons.iter().map(|reasons| format!("only for {}", reasons.join(", "))));
        lines.extend(self.indirect.then(|| "indirect: also for certificates of other issuers".to_owned()));
        lines
    }
}

fn authority(value: AuthorityKeyIdentifier) -> ValueDescription {
    ValueDescription::AuthorityKeyIdentifier {
        key_identifier: value.key_identifier.as_deref().map(hex::encode),
        issuer: value.issuer,
        serial: value.serial.map(|serial| serial.to_string()),
    }
}

/// minimum and maximum, which RFC 5280 §4.2.1.10 wants to be 0 and absent, are shown where they are not.
fn subtree(subtree: &GeneralSubtree) -> String {
    let maximum = subtree.maximum.map(|maximum| format!(" maximum {maximum}"));
    let minimum = Some(subtree.minimum).filter(|&minimum| minimum != 0).map(|minimum| format!(" minimum {minimum}"));
    format!("{}{}{}", subtree.base, minimum.unwrap_or_default(), maximum.unwrap_or_default())
}

fn policy(information: &PolicyInformation) -> Policy {
    let notice = |other: &PolicyQualifier| other.notice_text().unwrap_or_else(|| hex::encode(&other.value));
    let (pointers, others): (Vec<_>, Vec<_>) =
        information.qualifiers.iter().partition(|qualifier| qualifier.cps_uri().is_some());
    Policy {
        oid: information.policy.clone(),
        name: oids::name(&information.policy).map(str::to_owned),
        cps: pointers.iter().filter_map(|qualifier| qualifier.cps_uri()).collect(),
        notices: others.into_iter().map(notice).collect(),
    }
}

fn point(point: &DistributionPoint) -> Point {
    Point {
        names: point.name.as_ref().map(point_name).unwrap_or_default(),
        reasons: point.reasons.map(reasons),
        crl_issuer: point.crl_issuer.clone(),
    }
}

fn point_name(name: &DistributionPointName) -> Vec<String> {
    match name {
        DistributionPointName::Full(names) => names.iter().map(bare).collect(),
        DistributionPointName::RelativeToIssuer(content) => {
            vec![format!("relative to the issuer: {}", relative(content))]
        }
    }
}

/// The attributes of a relative distinguished name.
fn relative(content: &[u8]) -> String {
    let level = der::tlv(der::tag::SEQUENCE, &der::tlv(der::tag::SET, content));
    crate::x509::DistinguishedName::from_der(&level).map_or_else(|_| hex::encode(content), |name| name.to_string())
}

/// ReasonFlags (RFC 5280 §4.2.1.13), bit 0 unused.
fn reasons(bits: u16) -> Vec<String> {
    const NAMES: [&str; 9] = [
        "unused",
        "keyCompromise",
        "cACompromise",
        "affiliationChanged",
        "superseded",
        "cessationOfOperation",
        "certificateHold",
        "privilegeWithdrawn",
        "aACompromise",
    ];
    let set = NAMES.iter().enumerate().filter(|(at, _)| bits & (0x8000 >> at) != 0);
    set.map(|(_, name)| (*name).to_owned()).collect()
}

fn access(access: AccessDescription) -> Access {
    Access { method: oids::name_or_dotted(&access.method), location: access.location }
}

fn timestamp(timestamp: &SignedCertificateTimestamp) -> Timestamp {
    Timestamp { log_id: base64(&timestamp.log_id), at: crate::x509::time::rfc3339(timestamp.timestamp) }
}

fn scope(value: &IssuingDistributionPoint) -> Scope {
    let only = [
        (value.only_user_certs, "user certificates"),
        (value.only_ca_certs, "CA certificates"),
        (value.only_attribute_certs, "attribute certificates"),
    ];
    Scope {
        names: value.name.as_ref().map(point_name).unwrap_or_default(),
        only: only.into_iter().filter(|(set, _)| *set).map(|(_, kind)| kind.to_owned()).collect(),
        reasons: value.only_some_reasons.map(reasons),
        indirect: value.indirect,
    }
}

/// A number most significant octet first, in decimal; beyond 128 bits in hexadecimal.
pub(in crate::describe) fn decimal(octets: &[u8]) -> String {
    if octets.len() > 16 {
        return format!("0x{}", hex::encode(octets));
    }
    octets.iter().fold(0u128, |sum, &octet| sum << 8 | u128::from(octet)).to_string()
}

fn certificates(skip: u64) -> String {
    format!("{skip} more certificate{}", if skip == 1 { "" } else { "s" })
}

/// TLS extension types (RFC 7633 §4.2.3; the numbers are IANA's).
fn tls_feature(number: u64) -> String {
    match number {
        5 => "status_request (must staple)".to_owned(),
        17 => "status_request_v2".to_owned(),
        other => format!("TLS extension {other}"),
    }
}

/// A URI speaks for itself; other names are shown with their form.
fn bare(name: &GeneralName) -> String {
    if let GeneralName::Uri(uri) = name { uri.clone() } else { name.to_string() }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
