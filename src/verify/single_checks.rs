//! Checks on one certificate by itself, whatever its place in the path (RFC 5280 §4.1, §4.2).

use ::time::OffsetDateTime;

use super::check::Check;
use super::reason::Reason;
use super::verdict::{Findings, Place};
use crate::encoding::Oid;
use crate::encoding::der::{Reader, tag};
use crate::key::HashAlgorithm;
use crate::x509::extension::CertificatePolicies;
use crate::x509::{Certificate, DistinguishedName, Extensions, GeneralName, oids};

/// Runs every check that needs no other certificate. `anchor` says that the certificate is trusted itself, so that its own
/// signature counts for nothing.
pub(super) fn check(
    certificate: &Certificate,
    place: Place,
    at: OffsetDateTime,
    anchor: bool,
    findings: &mut Findings,
) {
    findings.record(Check::Validity, place, validity(certificate, at));
    findings.record(Check::Key, place, key(certificate).and_then(|()| point(certificate, place)));
    findings.complain(Check::Encoding, place, certificate.extensions_parse(&READ).map_err(Reason::Extension));
    findings.complain(Check::Encoding, place, names_are_text(certificate));
    findings.complain(Check::Encoding, place, addresses_are_whole(certificate));
    findings.complain(Check::DuplicateExtension, place, duplicates(certificate));
    findings.record(Check::CriticalExtensions, place, critical_extensions(certificate.extensions()));
    findings.complain(Check::SignatureAlgorithm, place, algorithms_agree(certificate));
    if !anchor {
        findings.complain(Check::WeakSignature, place, signature_hash(certificate));
    }
    findings.complain(Check::Version, place, version(certificate));
    findings.complain(Check::VersionThree, place, require(certificate.version() == 3, "the version is not 3"));
    findings.complain(Check::Serial, place, serial(certificate));
    findings.complain(Check::ValidityEncoding, place, validity_encoding(certificate));
    let unique = require(!certificate.has_unique_identifiers(), "a unique identifier is there");
    findings.complain(Check::UniqueIdentifier, place, unique);
    findings.complain(Check::IssuerName, place, require(!certificate.issuer().is_empty(), "the issuer is empty"));
    findings.complain(Check::AlternativeNameForm, place, alternative_names(certificate));
    findings.complain(Check::PolicyForm, place, policies_once(certificate));
    findings.complain(Check::PolicyExtensionsCritical, place, policy_extensions(certificate.extensions()));
}

/// `Ok` if the rule holds, else a reason without values.
pub(super) fn require(holds: bool, broken: &'static str) -> Result<(), Reason> {
    if holds { Ok(()) } else { Err(Reason::Broken(broken)) }
}

fn validity(certificate: &Certificate, at: OffsetDateTime) -> Result<(), Reason> {
    let validity = *certificate.validity();
    if validity.not_before > validity.not_after {
        Err(Reason::ValidityReversed(validity))
    } else if at < validity.not_before {
        Err(Reason::NotYetValid { validity, at })
    } else if at > validity.not_after {
        Err(Reason::Expired { validity, at })
    } else {
        Ok(())
    }
}

/// RSA moduli under 2048 bits are refused everywhere (SP 800-131A, BR 6.1.5, Apple, Go, rustls). A key with an exponent
/// that is even or 1 is not read at all.
fn key(certificate: &Certificate) -> Result<(), Reason> {
    const MINIMUM_RSA_BITS: u16 = 2048;
    let key = certificate.public_key().map_err(Reason::Key)?;
    if let Some(bits) = key.rsa_modulus_bits().filter(|&bits| bits < MINIMUM_RSA_BITS) {
        return Err(Reason::SmallKey { bits, minimum: MINIMUM_RSA_BITS });
    }
    Ok(())
}

/// The judged certificate's point lies on its curve. An issuer's key shows it by verifying a signature.
fn point(certificate: &Certificate, place: Place) -> Result<(), Reason> {
    match certificate.public_key() {
        Ok(key) if place == Place::Certificate(0) && key.algorithm().is_ecdsa() => key.validate().map_err(Reason::Key),
        _ => Ok(()),
    }
}

/// The extensions that the path algorithm or the profile reads. They must parse, critical or not.
const READ: [Oid; 17] = [
    oids::BASIC_CONSTRAINTS,
    oids::KEY_USAGE,
    oids::EXTENDED_KEY_USAGE,
    oids::SUBJECT_ALT_NAME,
    oids::ISSUER_ALT_NAME,
    oids::SUBJECT_KEY_IDENTIFIER,
    oids::AUTHORITY_KEY_IDENTIFIER,
    oids::NAME_CONSTRAINTS,
    oids::CERTIFICATE_POLICIES,
    oids::POLICY_MAPPINGS,
    oids::POLICY_CONSTRAINTS,
    oids::INHIBIT_ANY_POLICY,
    oids::CRL_DISTRIBUTION_POINTS,
    oids::FRESHEST_CRL,
    oids::AUTHORITY_INFO_ACCESS,
    oids::SUBJECT_INFO_ACCESS,
    oids::TLS_FEATURE,
];

/// A UTF8String holds UTF-8 (X.690 §8.23.10), a BMPString whole characters.
fn names_are_text(certificate: &Certificate) -> Result<(), Reason> {
    let names = [certificate.issuer(), certificate.subject()];
    // Most names are plain, and this is on every path.
    let plain = |name: &&DistinguishedName| name.der().is_ascii() && !name.der().contains(&tag::BMP_STRING);
    let odd = names.into_iter().filter(|name| !plain(name));
    let text = odd.flat_map(DistinguishedName::attributes).all(|attribute| match attribute.tag {
        tag::UTF8_STRING => std::str::from_utf8(&attribute.value).is_ok(),
        tag::BMP_STRING => attribute.value.len() % 2 == 0,
        _ => true,
    });
    require(text, "a name holds a string that is not encoded as its type says")
}

/// RFC 5280 §4.2.1.6: an iPAddress has 4 or 16 octets. Go and rustls do not read a certificate with others.
fn addresses_are_whole(certificate: &Certificate) -> Result<(), Reason> {
    let names = certificate.subject_alt_names().unwrap_or_default();
    let whole = |name: &GeneralName| !matches!(name, GeneralName::Ip(octets) if !matches!(octets.len(), 4 | 16));
    require(names.iter().all(whole), "an iPAddress has neither 4 nor 16 octets")
}

fn duplicates(certificate: &Certificate) -> Result<(), Reason> {
    certificate.extensions().duplicate().map_or(Ok(()), |oid| Err(Reason::Duplicate(oid.clone())))
}

/// The extensions this verifier processes.
const PROCESSED: [Oid; 11] = [
    oids::BASIC_CONSTRAINTS,
    oids::KEY_USAGE,
    oids::EXTENDED_KEY_USAGE,
    oids::SUBJECT_ALT_NAME,
    oids::NAME_CONSTRAINTS,
    oids::CERTIFICATE_POLICIES,
    oids::POLICY_MAPPINGS,
    oids::POLICY_CONSTRAINTS,
    oids::INHIBIT_ANY_POLICY,
    oids::AUTHORITY_KEY_IDENTIFIER,
    oids::CRL_DISTRIBUTION_POINTS,
];

fn critical_extensions(extensions: &Extensions) -> Result<(), Reason> {
    let unknown = extensions.iter().find(|extension| extension.critical && !PROCESSED.contains(&extension.oid));
    unknown.map_or(Ok(()), |extension| Err(Reason::UnknownCritical(extension.oid.clone())))
}

fn algorithms_agree(certificate: &Certificate) -> Result<(), Reason> {
    let agree = certificate.signature_algorithm_der() == certificate.tbs_signature_algorithm_der();
    if agree { Ok(()) } else { Err(Reason::AlgorithmsDiffer) }
}

/// The hash under the signature on this certificate.
fn signature_hash(certificate: &Certificate) -> Result<(), Reason> {
    match certificate.signature_algorithm().ok().and_then(|algorithm| algorithm.hash()) {
        Some(hash @ (HashAlgorithm::Md5 | HashAlgorithm::Sha1 | HashAlgorithm::Sha224)) => Err(Reason::WeakHash(hash)),
        Some(HashAlgorithm::Sha256 | HashAlgorithm::Sha384 | HashAlgorithm::Sha512) | None => Ok(()),
    }
}

fn version(certificate: &Certificate) -> Result<(), Reason> {
    let known = (1..=3).contains(&certificate.version());
    require(known, "the version is none that exists")?;
    require(certificate.version() == 3 || certificate.extensions().is_empty(), "extensions stand in a version below 3")
}

fn serial(certificate: &Certificate) -> Result<(), Reason> {
    let serial = certificate.serial();
    let good = !serial.is_zero() && !serial.is_negative() && serial.content().len() <= 20;
    if good { Ok(()) } else { Err(Reason::Serial(serial.clone())) }
}

/// RFC 5280 §4.1.2.5.1 and §4.1.2.5.2: `YYMMDDHHMMSSZ` for years through 2049, `YYYYMMDDHHMMSSZ` from 2050. Whoever
/// validates "MUST be able to process validity dates that are encoded in either" (§4.1.2.5); other forms do not parse.
fn validity_encoding(certificate: &Certificate) -> Result<(), Reason> {
    let mut times = Reader::new(certificate.validity_encoding());
    while let Ok(time) = times.any() {
        let digits = match time.value {
            [digits @ .., b'Z'] => digits,
            _ => &[],
        };
        let why = match (time.tag, digits.len()) {
            _ if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) => Some("is not digits and Z"),
            (tag::UTC_TIME, 12) => None,
            (tag::GENERALIZED_TIME, 14) if digits < b"20500101000000".as_slice() => {
                Some("is a GeneralizedTime before 2050")
            }
            (tag::GENERALIZED_TIME, 14) => None,
            _ => Some("does not have whole seconds"),
        };
        if let Some(why) = why {
            return Err(Reason::TimeEncoding { text: String::from_utf8_lossy(time.value).into_owned(), why });
        }
    }
    Ok(())
}

/// RFC 5280 §4.2.1.6: critical where the subject is empty.
fn alternative_names(certificate: &Certificate) -> Result<(), Reason> {
    let critical = certificate.extensions().get(&oids::SUBJECT_ALT_NAME).map(|extension| extension.critical);
    match (certificate.subject().is_empty(), critical) {
        // A CA without a subject breaks a rule of its own.
        (true, None) if certificate.claims_ca() => Ok(()),
        (true, None) => Err(Reason::Broken("the subject is empty and there is no subjectAltName")),
        (true, Some(false)) => Err(Reason::Broken("the subject is empty and subjectAltName is not critical")),
        _ => Ok(()),
    }
}

/// RFC 5280 §4.2.1.4: a policy must not stand more than once.
fn policies_once(certificate: &Certificate) -> Result<(), Reason> {
    let Ok(Some(found)) = certificate.extension::<CertificatePolicies>() else { return Ok(()) };
    found.value.repeated().map_or(Ok(()), |policy| Err(Reason::PolicyTwice(policy.clone())))
}

fn policy_extensions(extensions: &Extensions) -> Result<(), Reason> {
    let critical = |oid: &Oid| extensions.get(oid).is_none_or(|extension| extension.critical);
    require(critical(&oids::POLICY_CONSTRAINTS), "policyConstraints is not critical")?;
    require(critical(&oids::INHIBIT_ANY_POLICY), "inhibitAnyPolicy is not critical")
}
