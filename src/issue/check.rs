//! What is checked before a certificate is made, and after.

use super::error::IssueError;
use super::{Request, above, constraints};
use crate::key::{KeyAlgorithm, PrivateKey, PublicKey};
use crate::profile::{Breach, NameForm, Profile, Subject};
use crate::x509::extension::KeyUsageBit;
use crate::x509::name::Attribute;
use crate::x509::{Certificate, DistinguishedName, DnsName, GeneralName, SerialNumber, Validity, name_text, oids};
use time::OffsetDateTime;

/// Whether this certificate and key may sign certificates at this time.
///
/// # Errors
/// It is no CA, may not sign certificates, has expired or is not valid yet; or the key is not its key.
pub fn check_issuer(certificate: &Certificate, key: &PrivateKey, now: OffsetDateTime) -> Result<(), IssueError> {
    authority(certificate, key)?;
    in_time(certificate, now)
}

/// Whether a certificate that is to be relied on is valid now.
///
/// # Errors
/// [`IssueError::IssuerExpired`] and [`IssueError::IssuerNotYetValid`].
pub fn in_time(certificate: &Certificate, now: OffsetDateTime) -> Result<(), IssueError> {
    let (issuer, validity) = (certificate.display_name(), certificate.validity());
    if validity.not_after < now {
        return Err(IssueError::IssuerExpired { issuer, not_after: validity.not_after });
    }
    if now < validity.not_before {
        return Err(IssueError::IssuerNotYetValid { issuer, not_before: validity.not_before });
    }
    Ok(())
}

/// [`check_issuer`] but for the time.
pub(super) fn authority(certificate: &Certificate, key: &PrivateKey) -> Result<(), IssueError> {
    let issuer = || certificate.display_name();
    let unusable = IssueError::unusable(certificate);
    if certificate.subject().is_empty() {
        let why = "it has no subject (RFC 5280 §4.1.2.6)".to_owned();
        return Err(IssueError::UnusableIssuer { issuer: issuer(), why });
    }
    if !certificate.basic_constraints().map_err(&unusable)?.is_some_and(|constraints| constraints.ca) {
        return Err(IssueError::NotAnAuthority { issuer: issuer() });
    }
    // RFC 5280 §4.2.1.3: without keyUsage every use is allowed.
    if certificate.key_usage().map_err(&unusable)?.is_some_and(|usage| !usage.has(KeyUsageBit::KeyCertSign)) {
        return Err(IssueError::NoCertSign { issuer: issuer() });
    }
    key_of(certificate, key)
}

/// Whether the key is the certificate's.
pub(super) fn key_of(certificate: &Certificate, key: &PrivateKey) -> Result<(), IssueError> {
    let issuer = || certificate.display_name();
    match certificate.public_key() {
        Ok(public) if same_key(&public, key.public_key()) => Ok(()),
        Ok(_) => Err(IssueError::WrongKey { issuer: issuer() }),
        Err(error) => Err(IssueError::UnusableIssuer { issuer: issuer(), why: error.to_string() }),
    }
}

/// Whether this certificate and key may sign revocation lists: RFC 5280 §4.2.1.3 asks for cRLSign, and without keyUsage
/// every use is allowed.
pub(super) fn list_issuer(certificate: &Certificate, key: &PrivateKey) -> Result<(), IssueError> {
    let usage = certificate.key_usage().map_err(IssueError::unusable(certificate))?;
    if usage.is_some_and(|usage| !usage.has(KeyUsageBit::CrlSign)) {
        return Err(IssueError::NoCrlSign { issuer: certificate.display_name() });
    }
    key_of(certificate, key)
}

/// Whether `issuer` delegates answers about revocation to this certificate (RFC 6960 §4.2.2.2).
pub(super) fn delegation(certificate: &Certificate, issuer: &Certificate) -> Result<(), IssueError> {
    let not = |why| Err(IssueError::NoDelegate { responder: certificate.display_name(), why });
    let unusable = IssueError::unusable(certificate);
    if !certificate.extended_key_usage().map_err(unusable)?.is_some_and(|usage| usage.lists(&oids::OCSP_SIGNING)) {
        return not("its extKeyUsage lacks OCSPSigning");
    }
    let signed = issuer.public_key().is_ok_and(|key| certificate.verify_signature(&key).is_ok());
    if !signed || certificate.issuer().der() != issuer.subject().der() {
        return not("the CA whose certificates it would answer for did not issue it");
    }
    Ok(())
}

/// Whether this issuer may issue such a certificate.
pub(super) fn may_issue(
    certificate: &Certificate,
    profile: &Profile,
    subject: &DistinguishedName,
    names: &[GeneralName],
    validity: Validity,
) -> Result<(), IssueError> {
    if !profile.is_ca() && subject.matches(certificate.subject()) {
        return Err(IssueError::SubjectIsIssuer(subject.to_string()));
    }
    if validity.not_before < certificate.validity().not_before || validity.not_after > certificate.validity().not_after
    {
        let issuer = certificate.display_name();
        return Err(IssueError::OutlivesIssuer { issuer, not_after: certificate.validity().not_after });
    }
    path(&[certificate], profile, subject, names)
}

/// Whether the authorities of a path, the issuer first, allow such a certificate below them: none forbids what another
/// allows.
///
/// # Errors
/// A path length, purpose or name that one of them does not allow.
pub fn path(
    path: &[&Certificate],
    profile: &Profile,
    subject: &DistinguishedName,
    names: &[GeneralName],
) -> Result<(), IssueError> {
    above::check(path, profile)?;
    // RFC 5280 §6.1.4 (l): self-issued certificates do not count.
    let mut between = 0;
    for certificate in path {
        depth(certificate, between, profile)?;
        allows(certificate, profile, subject, names)?;
        between += u64::from(!certificate.is_self_issued());
    }
    Ok(())
}

/// Whether the pathLenConstraint leaves room for a certificate of this profile, `between` CAs further down.
fn depth(certificate: &Certificate, between: u64, profile: &Profile) -> Result<(), IssueError> {
    let issuer = || certificate.display_name();
    let constraints = certificate.basic_constraints().map_err(IssueError::unusable(certificate))?;
    let Some(room) = constraints.and_then(|constraints| constraints.path_len) else { return Ok(()) };
    let wanted = between + u64::from(profile.is_ca());
    if wanted > room {
        return Err(IssueError::PathLength { issuer: issuer(), path_len: room });
    }
    let most = room - wanted;
    if profile.is_ca() && profile.basic_constraints.path_len.is_none_or(|below| below > most) {
        return Err(IssueError::PathLengthBelow { issuer: issuer(), path_len: room, most });
    }
    Ok(())
}

/// Whether extKeyUsage and nameConstraints of an authority allow such a certificate.
fn allows(
    certificate: &Certificate,
    profile: &Profile,
    subject: &DistinguishedName,
    names: &[GeneralName],
) -> Result<(), IssueError> {
    if let Some(allowed) = certificate.extended_key_usage().map_err(IssueError::unusable(certificate))? {
        // Delegating answers about revocation is an issuer's own business, whatever it issues for.
        let open = |purpose: &&_| *purpose != &oids::OCSP_SIGNING && !allowed.lists(purpose);
        let any = allowed.lists(&oids::ANY_EXTENDED_KEY_USAGE);
        if let Some(purpose) = profile.extended_key_usage.iter().find(open).filter(|_| !any) {
            let issuer = certificate.display_name();
            return Err(IssueError::Purpose { issuer, purpose: oids::name_or_dotted(purpose) });
        }
    }
    constraints::narrower(certificate, profile)?;
    constraints::check(certificate, profile, subject, names)
}

/// The names in their usual form, without duplicates, if the profile allows them and they are well-formed.
pub(super) fn names(profile: &Profile, names: &[GeneralName]) -> Result<Vec<GeneralName>, IssueError> {
    let mut kept: Vec<GeneralName> = Vec::new();
    for name in names {
        let allowed = NameForm::of(name).is_some_and(|form| profile.names.contains(&form));
        if !allowed {
            let (profile, allowed) = (profile.name.clone(), profile.names.clone());
            return Err(IssueError::NameForm { profile, name: name.to_string(), allowed });
        }
        kept.push(well_formed(name)?);
    }
    let kept = super::naming::without_duplicates(kept);
    let required = |name: &GeneralName| NameForm::of(name).is_some_and(|form| profile.required_names.contains(&form));
    if !profile.required_names.is_empty() && !kept.iter().any(required) {
        let (profile, forms) = (profile.name.clone(), profile.required_names.clone());
        return Err(IssueError::MissingName { profile, forms });
    }
    Ok(kept)
}

/// Names come from requests too, so each is read again as a user would have typed it.
pub(super) fn well_formed(name: &GeneralName) -> Result<GeneralName, IssueError> {
    match name {
        GeneralName::Dns(text) => {
            let name = DnsName::pattern(text).map_err(|error| IssueError::Name(error.to_string()))?;
            Ok(GeneralName::Dns(name.as_str().to_owned()))
        }
        GeneralName::Ip(octets) if name.ip().is_none() => {
            Err(IssueError::Name(format!("an IP address of {} octets is none", octets.len())))
        }
        GeneralName::Ip(_) => Ok(name.clone()),
        _ => name
            .to_string()
            .parse()
            .map_err(|error: crate::x509::general_name::GeneralNameError| IssueError::Name(error.to_string())),
    }
}

/// Whether the subject can stand in a certificate beside these names.
pub(super) fn subject(profile: &Profile, subject: &DistinguishedName, names: &[GeneralName]) -> Result<(), IssueError> {
    if profile.is_ca() && subject.is_empty() {
        return Err(IssueError::NoSubject);
    }
    if subject.is_empty() && names.is_empty() {
        return Err(IssueError::NoName);
    }
    subject.attributes().iter().try_for_each(attribute)
}

fn attribute(attribute: &Attribute) -> Result<(), IssueError> {
    let kind = || name_text::keyword(&attribute.kind).into_owned();
    let refused = |problem: String| Err(IssueError::Attribute { kind: kind(), problem });
    let text = attribute.text();
    let length = text.chars().count();
    let longest = UPPER_BOUNDS.iter().find(|(kind, _)| *kind == attribute.kind).map(|(_, longest)| *longest);
    match longest {
        _ if text.trim().is_empty() => refused("is empty".to_owned()),
        _ if text.chars().any(char::is_control) => refused(format!("has a control character: {text:?}")),
        _ if attribute.kind == oids::COUNTRY && !is_country(&text) => {
            refused(format!("must be two letters, such as NO, and is {text:?}"))
        }
        Some(longest) if length > longest => {
            refused(format!("has {length} characters, and {longest} at most are allowed (RFC 5280 appendix A.1)"))
        }
        _ => Ok(()),
    }
}

fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// How many characters an attribute may have (RFC 5280 appendix A.1).
const UPPER_BOUNDS: &[(crate::encoding::Oid, usize)] = &[
    (oids::COMMON_NAME, 64),
    (oids::ORGANIZATION, 64),
    (oids::ORGANIZATIONAL_UNIT, 64),
    (oids::LOCALITY, 128),
    (oids::STATE, 128),
    (oids::SERIAL_NUMBER, 64),
    (oids::TITLE, 64),
    (oids::EMAIL_ADDRESS, 255),
];

/// Whether the profile's own limits are kept (its policy, not a standard's).
pub(super) fn limits(profile: &Profile, subject: &Subject<'_>, issuer: KeyAlgorithm) -> Result<(), IssueError> {
    let mut breaches = profile.limits.breaches(subject);
    let wanted = profile.signature_by(issuer);
    if !wanted.fits(issuer) {
        breaches.push(Breach::Signature { wanted, key: issuer });
    }
    let profile = profile.name.clone();
    if breaches.is_empty() { Ok(()) } else { Err(IssueError::Limits { profile, breaches }) }
}

/// RSA keys under 2048 bits are refused by every client of today (NIST SP 800-131A).
pub(super) fn public_key(key: &PublicKey) -> Result<(), IssueError> {
    match key.rsa_modulus_bits() {
        Some(bits) if bits < 2048 => Err(IssueError::WeakKey { bits }),
        _ => Ok(()),
    }
}

/// RFC 5280 §4.1.2.2: positive, 20 octets at most.
pub(super) fn serial(serial: &SerialNumber) -> Result<(), IssueError> {
    let fits = serial.content().len() <= 20;
    if fits && !serial.is_zero() && !serial.is_negative() { Ok(()) } else { Err(IssueError::Serial) }
}

/// RFC 5280 §4.1.2.5: years of four digits. Nothing signed with today's keys is older than the standard.
pub(super) fn validity(validity: Validity) -> Result<(), IssueError> {
    let Validity { not_before, not_after } = validity;
    let years = 1950..=9999;
    if not_before <= not_after && years.contains(&not_before.year()) && years.contains(&not_after.year()) {
        Ok(())
    } else {
        Err(IssueError::Validity { not_before, not_after })
    }
}

/// A self-signed certificate is signed by the key it certifies, and its subject is its issuer, which may not be empty.
pub(super) fn self_signed(request: &Request, key: &PrivateKey) -> Result<(), IssueError> {
    if request.subject.is_empty() {
        return Err(IssueError::NoSubject);
    }
    if same_key(&request.public_key, key.public_key()) { Ok(()) } else { Err(IssueError::NotOwnKey) }
}

/// Whether what was made is what was asked for, but for its extensions.
pub(super) fn made(
    certificate: &Certificate,
    request: &Request,
    issuer: &DistinguishedName,
    serial: &SerialNumber,
    validity: Validity,
) -> Result<(), IssueError> {
    let whole_seconds = |time: OffsetDateTime| time.unix_timestamp();
    let times = |validity: &Validity| (whole_seconds(validity.not_before), whole_seconds(validity.not_after));
    match () {
        () if certificate.serial() != serial => differs("serialNumber"),
        () if certificate.subject().der() != request.subject.der() => differs("subject"),
        // RFC 5280 §4.1.2.4: chains are built by comparing these octets.
        () if certificate.issuer().der() != issuer.der() => differs("issuer"),
        () if certificate.public_key_info() != request.public_key.spki_der() => differs("subjectPublicKeyInfo"),
        () if times(certificate.validity()) != times(&validity) => differs("validity"),
        () => Ok(()),
    }
}

/// What was made is not what was asked for.
pub(super) fn differs<T>(part: &str) -> Result<T, IssueError> {
    Err(IssueError::SelfCheck(format!("{part} differs from what was asked for")))
}

/// Whether two public keys are one, however their algorithm identifiers and points are written.
fn same_key(one: &PublicKey, other: &PublicKey) -> bool {
    let octets = |key: &PublicKey| key.uncompressed().map(|whole| whole.subject_public_key().to_vec());
    one.algorithm() == other.algorithm() && (one == other || octets(one).is_ok_and(|own| octets(other) == Ok(own)))
}
