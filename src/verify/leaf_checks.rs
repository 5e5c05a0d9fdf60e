//! Checks on the judged certificate: purpose, key usage, identity, and what the Baseline Requirements ask of servers.

use super::Verifier;
use super::check::Check;
use super::identity;
use super::public_suffix;
use super::reason::Reason;
use super::single_checks::require;
use super::verdict::{Findings, Place};
use super::verifier::Purpose;
use crate::encoding::Oid;
use crate::key::{KeyAlgorithm, PublicKey};
use crate::x509::dns_name::DnsFault;
use crate::x509::extension::{ExtendedKeyUsage, Found, KeyUsage, KeyUsageBit, NameConstraints, bits_for};
use crate::x509::{Certificate, DnsName, GeneralName, oids};

const LEAF: Place = Place::Certificate(0);

/// Runs the checks on the judged certificate.
pub(super) fn check(leaf: &Certificate, verifier: &Verifier, findings: &mut Findings) {
    for wanted in &verifier.identities {
        let found = match identity::check(leaf, wanted) {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(mismatch)) => Err(Reason::Identity(mismatch)),
            Err(malformed) => Err(Reason::Extension(malformed)),
        };
        findings.record(Check::Identity, LEAF, found);
    }
    let usages = leaf.extension::<ExtendedKeyUsage>().ok().flatten();
    if let Some(wanted) = verifier.purpose.key_purpose() {
        findings.record(Check::Purpose, LEAF, purpose(usages.as_ref().map(|found| found.value), &wanted));
    }
    let key_usage = leaf.key_usage().ok().flatten();
    findings.complain(Check::LeafKeyUsage, LEAF, leaf_key_usage(key_usage, verifier.purpose));

    let constraints = leaf.basic_constraints().ok().flatten();
    let is_ca = constraints.is_some_and(|constraints| constraints.ca);
    let signs = key_usage.is_some_and(|usage| usage.has(KeyUsageBit::KeyCertSign));
    findings.complain(Check::LeafIsCa, LEAF, require(!is_ca, "basicConstraints says CA:TRUE"));
    findings.complain(Check::CertSignWithoutCa, LEAF, require(is_ca || !signs, "keyCertSign without CA:TRUE"));
    if !is_ca {
        let bare = constraints.is_none_or(|constraints| constraints.path_len.is_none());
        findings.complain(Check::PathLengthForm, LEAF, require(bare, "pathLenConstraint without CA:TRUE"));
        let absent = !matches!(leaf.extension::<NameConstraints>(), Ok(Some(_)));
        findings.complain(
            Check::NameConstraintsForm,
            LEAF,
            require(absent, "nameConstraints in a certificate of no CA"),
        );
    }
    if verifier.purpose == Purpose::Server {
        server(leaf, usages, findings);
    }
}

/// Whether listed purposes allow `wanted`; no extKeyUsage allows everything (RFC 5280 §4.2.1.12).
pub(super) fn purpose(usages: Option<&ExtendedKeyUsage>, wanted: &Oid) -> Result<(), Reason> {
    match usages {
        Some(usages) if !usages.lists(wanted) && !usages.lists(&oids::ANY_EXTENDED_KEY_USAGE) => {
            Err(Reason::Purpose { wanted: wanted.clone(), found: usages.0.clone() })
        }
        _ => Ok(()),
    }
}

/// RFC 5280 §4.2.1.12 lists the bits consistent with each purpose.
fn leaf_key_usage(usage: Option<KeyUsage>, purpose: Purpose) -> Result<(), Reason> {
    let Some((usage, wanted)) = usage.zip(purpose.key_purpose()) else { return Ok(()) };
    if usage.suits(&wanted) {
        return Ok(());
    }
    let wanted = bits_for(&wanted).unwrap_or_default().iter().map(|bit| bit.name()).collect();
    Err(Reason::KeyUsage { found: usage.names(), wanted })
}

/// What is asked of a server's certificate beyond RFC 5280.
fn server(leaf: &Certificate, usages: Option<Found<&ExtendedKeyUsage>>, findings: &mut Findings) {
    findings.complain(Check::SubscriberPurpose, LEAF, subscriber_purpose(usages));
    let names = leaf.extensions().get(&oids::SUBJECT_ALT_NAME);
    findings.complain(Check::AlternativeNamePresent, LEAF, require(names.is_some(), "there is no subjectAltName"));
    let critical = names.is_some_and(|names| names.critical) && !leaf.subject().is_empty();
    findings.complain(Check::AlternativeNameCritical, LEAF, require(!critical, "subjectAltName is critical"));

    let presented = leaf.subject_alt_names().unwrap_or_default();
    let hosts =
        || presented.iter().filter_map(|name| if let GeneralName::Dns(text) = name { Some(text) } else { None });
    findings.complain(Check::NameSyntax, LEAF, hosts().try_for_each(|text| name_syntax(text)));
    findings.complain(Check::WildcardBreadth, LEAF, hosts().try_for_each(|text| wildcard_breadth(text)));
    if findings.heed(Check::CommonName) {
        findings.complain(Check::CommonName, LEAF, common_name(leaf, presented));
    }
    findings.complain(Check::SubscriberValidity, LEAF, validity_length(leaf));
}

fn subscriber_purpose(usages: Option<Found<&ExtendedKeyUsage>>) -> Result<(), Reason> {
    match usages {
        None => Err(Reason::Broken("there is no extKeyUsage")),
        Some(usages) if usages.critical => Err(Reason::Broken("extKeyUsage is critical")),
        Some(usages) if usages.value.lists(&oids::ANY_EXTENDED_KEY_USAGE) => {
            Err(Reason::Broken("extKeyUsage has anyExtendedKeyUsage"))
        }
        Some(_) => Ok(()),
    }
}

fn name_syntax(text: &str) -> Result<(), Reason> {
    let broken = |why: String| Err(Reason::NameSyntax { name: text.to_owned(), why });
    if text.contains('_') {
        return broken("an underscore does not occur in host names (RFC 1123 §2.1)".to_owned());
    }
    if text.ends_with('.') {
        return broken("it ends with a dot".to_owned());
    }
    match DnsName::fault(text) {
        // A wildcard that is too broad has a rule of its own.
        None | Some(DnsFault::BroadWildcard) => Ok(()),
        Some(fault) => broken(fault.to_string()),
    }
}

/// BR 3.2.2.6: a wildcard directly under a domain that a registry controls.
fn wildcard_breadth(text: &str) -> Result<(), Reason> {
    let broad = text == "*" || text.strip_prefix("*.").is_some_and(public_suffix::is_registry_controlled);
    if broad { Err(Reason::BroadWildcard { name: text.to_owned() }) } else { Ok(()) }
}

/// BR 7.1.4.3: character for character one of the subjectAltNames, an address in its canonical text form. The letter
/// leaves out a wildcard's own domain, which is validated together with it (BR 3.2.2.4) and which no programme refuses.
fn common_name(leaf: &Certificate, presented: &[GeneralName]) -> Result<(), Reason> {
    let names = leaf.subject().common_names();
    let stray = names.into_iter().find(|common_name| {
        !presented.iter().any(|name| match name {
            GeneralName::Dns(text) => text == common_name || text.strip_prefix("*.") == Some(common_name),
            GeneralName::Ip(_) => name.value() == *common_name,
            _ => false,
        })
    });
    stray.map_or(Ok(()), |common_name| Err(Reason::CommonNameNotInSan { common_name }))
}

/// BR 6.3.2 and SC-081v3: the most days by the date of issue; 825 for the time before they were counted so strictly.
fn validity_length(leaf: &Certificate) -> Result<(), Reason> {
    use ::time::macros::datetime;
    let validity = leaf.validity();
    let limit = match validity.not_before {
        issued if issued >= datetime!(2029-03-15 0:00 UTC) => 47,
        issued if issued >= datetime!(2027-03-15 0:00 UTC) => 100,
        issued if issued >= datetime!(2026-03-15 0:00 UTC) => 200,
        issued if issued >= datetime!(2020-09-01 0:00 UTC) => 398,
        _ => 825,
    };
    let days = (validity.not_after - validity.not_before).whole_days();
    if days <= limit { Ok(()) } else { Err(Reason::LongValidity { days, limit }) }
}

/// BR 6.1.5: the keys that certificates of the web may carry.
pub(super) fn subscriber_key(certificate: &Certificate) -> Result<(), Reason> {
    let Ok(key) = certificate.public_key() else { return Ok(()) };
    match key.algorithm() {
        KeyAlgorithm::P256 | KeyAlgorithm::P384 | KeyAlgorithm::P521 => Ok(()),
        KeyAlgorithm::Rsa(_) => require(divisible(&key), "the RSA modulus is not divisible by 8 in bits"),
        KeyAlgorithm::Ed25519 | KeyAlgorithm::MlDsa44 | KeyAlgorithm::MlDsa65 | KeyAlgorithm::MlDsa87 => {
            Err(Reason::Broken("the key is neither RSA nor ECDSA"))
        }
    }
}

fn divisible(key: &PublicKey) -> bool {
    key.rsa_modulus_bits().is_none_or(|bits| bits % 8 == 0)
}
