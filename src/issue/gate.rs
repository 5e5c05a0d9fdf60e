//! The gate: the last look at a certificate before anyone is given it. It is read back from its octets and held against
//! RFC 5280 and against the profile, by rules that know nothing of how it was laid out.

use super::{Issuer, check, constraints};
use crate::encoding::Oid;
use crate::key::{PublicKey, SignatureAlgorithm};
use crate::profile::{NameForm, Profile, Subject};
use crate::x509::extension::{
    AuthorityInfoAccess, AuthorityKeyIdentifier, BasicConstraints, CertificatePolicies, CrlDistributionPoints,
    DistributionPoint, ExtendedKeyUsage, ExtensionType, Found, KeyUsage, KeyUsageBit, NameConstraints, OcspNoCheck,
    SubjectAltName, SubjectKeyIdentifier, TlsFeature,
};
use crate::x509::{Certificate, GeneralName, Validity, oids, time};
use std::fmt;

/// A rule that a certificate breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where the rule stands: a clause of RFC 5280, or the profile.
    pub rule: &'static str,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.what, self.rule)
    }
}

/// A signature that was checked when it was made, and over what.
#[derive(Clone, Copy)]
pub(super) struct Checked<'a> {
    pub(super) message: &'a [u8],
    pub(super) signature: &'a [u8],
}

/// Every rule that the certificate breaks, as one that this profile describes and this issuer signed. `identifier` is the
/// subjectKeyIdentifier where the key is known by another than its own.
pub(super) fn faults(
    certificate: &Certificate,
    profile: &Profile,
    issuer: &Issuer<'_>,
    checked: Option<Checked<'_>>,
    identifier: Option<&[u8]>,
) -> Vec<Fault> {
    let (above, own) = match issuer {
        Issuer::SelfSigned(key) => (None, *key),
        Issuer::Authority { certificate, key } => (Some(*certificate), *key),
    };
    let key = own.public_key();
    look(Gate { certificate, profile, above, key, checked, identifier, faults: Vec::new() })
}

/// In what a certificate departs from RFC 5280 and from what the profile says now, as one that this authority signed.
pub fn departures(certificate: &Certificate, profile: &Profile, issuer: &Certificate) -> Vec<Fault> {
    match issuer.public_key() {
        Ok(key) => {
            let above = Some(issuer);
            look(Gate { certificate, profile, above, key: &key, checked: None, identifier: None, faults: Vec::new() })
        }
        Err(error) => {
            vec![Fault { rule: "RFC 5280 §4.1.2.7", what: format!("the issuer's key cannot be used: {error}") }]
        }
    }
}

fn look(mut gate: Gate<'_>) -> Vec<Fault> {
    gate.fields();
    gate.signature();
    gate.subject_and_key();
    gate.extensions();
    gate.issuer();
    gate.faults
}

struct Gate<'a> {
    certificate: &'a Certificate,
    profile: &'a Profile,
    /// The issuer's certificate; none where it is the certificate itself.
    above: Option<&'a Certificate>,
    /// The issuer's key.
    key: &'a PublicKey,
    /// What that key has just signed.
    checked: Option<Checked<'a>>,
    identifier: Option<&'a [u8]>,
    faults: Vec<Fault>,
}

impl<'a> Gate<'a> {
    fn must(&mut self, holds: bool, rule: &'static str, what: &str) {
        if !holds {
            self.faults.push(Fault { rule, what: what.to_owned() });
        }
    }

    fn fields(&mut self) {
        let certificate = self.certificate;
        self.must(certificate.version() == 3, "RFC 5280 §4.1.2.1", "the version is not 3");
        let serial = check::serial(certificate.serial()).is_ok();
        self.must(serial, "RFC 5280 §4.1.2.2", "the serial number is not positive or has more than 20 octets");
        self.must(!certificate.issuer().is_empty(), "RFC 5280 §4.1.2.4", "the issuer is empty");
        let Validity { not_before, not_after } = *certificate.validity();
        let encoding = [time::encode(not_before), time::encode(not_after)].concat();
        let form = certificate.validity_encoding() == encoding;
        self.must(form, "RFC 5280 §4.1.2.5", "a time is not UTCTime to 2049, GeneralizedTime after, in whole seconds");
        self.must(not_before <= not_after, "RFC 5280 §4.1.2.5", "the validity ends before it begins");
        self.must(!certificate.has_unique_identifiers(), "RFC 5280 §4.1.2.8", "it has a unique identifier");
    }

    fn signature(&mut self) {
        let certificate = self.certificate;
        let (inner, outer) = (certificate.tbs_signature_algorithm_der(), certificate.signature_algorithm_der());
        self.must(inner == outer, "RFC 5280 §4.1.1.2", "the two identifiers of the signature algorithm differ");
        let wanted = self.profile.signature_by(self.key.algorithm());
        let chosen = SignatureAlgorithm::from_algorithm_identifier(outer).is_ok_and(|found| found == wanted);
        self.must(chosen, "profile", "the signature algorithm is not the one chosen");
        let name = self.above.unwrap_or(certificate).subject();
        // Chains are built by comparing these octets.
        self.must(certificate.issuer().der() == name.der(), "RFC 5280 §4.1.2.4", "the issuer is not the CA's subject");
        let verified = match self.checked {
            Some(Checked { message, signature })
                if certificate.tbs() == message && certificate.signature() == signature =>
            {
                Ok(())
            }
            _ => certificate.verify_signature(self.key),
        };
        if let Err(error) = verified {
            self.must(false, "RFC 5280 §4.1.1.3", &format!("the signature is not the issuer's: {error}"));
        }
    }

    fn subject_and_key(&mut self) {
        let certificate = self.certificate;
        let key = certificate.public_key().and_then(|key| key.validate().map(|()| key));
        match &key {
            Ok(key) => {
                let strong = key.rsa_modulus_bits().is_none_or(|bits| bits >= 2048);
                self.must(strong, "NIST SP 800-131A", "its RSA key has less than 2048 bits");
            }
            Err(error) => self.must(false, "RFC 5280 §4.1.2.7", &error.to_string()),
        }
        let whole = !key.as_ref().is_ok_and(PublicKey::is_compressed);
        self.must(whole, "RFC 5480 §2.2", "its key is a compressed point, which Go and Java cannot read");
        let named = !self.profile.is_ca() || !certificate.subject().is_empty();
        self.must(named, "RFC 5280 §4.1.2.6", "a CA has no subject");
        let names = certificate.subject_alt_names().unwrap_or_default();
        let subject = Subject {
            name: certificate.subject(),
            names,
            lifetime: certificate.validity().lifetime(),
            key: key.as_ref().ok().map(PublicKey::algorithm),
            serves: self.profile.is_for_servers(),
        };
        for breach in self.profile.limits.breaches(&subject) {
            self.must(false, "profile", &format!("the profile refuses {breach}"));
        }
    }

    fn extensions(&mut self) {
        let (certificate, profile) = (self.certificate, self.profile);
        if let Some(twice) = certificate.extensions().duplicate() {
            self.must(false, "RFC 5280 §4.2", &format!("{} stands twice", oids::name_or_dotted(twice)));
        }
        for extension in certificate.extensions().iter() {
            if !KNOWN.contains(&extension.oid) {
                self.must(false, "profile", &format!("nobody asked for the extension {}", extension.name()));
            }
        }
        let key = certificate.public_key().ok();
        self.exact(Some(&profile.basic_constraints), Some(true), "RFC 5280 §4.2.1.9");
        let usage = key.as_ref().map(|key| profile.key_usage_for(key.algorithm()));
        self.exact(usage.as_ref(), Some(true), "RFC 5280 §4.2.1.3");
        let signs = usage.is_some_and(|usage| usage.has(KeyUsageBit::KeyCertSign));
        self.must(!signs || profile.is_ca(), "RFC 5280 §4.2.1.9", "keyCertSign stands without CA:TRUE");
        let undefined = usage.is_some_and(KeyUsage::has_undefined);
        self.must(!undefined, "RFC 5280 §4.2.1.3", "encipherOnly or decipherOnly stands without keyAgreement");
        if let Some((key, usage)) = key.as_ref().zip(usage)
            && let Some((bit, clause)) = usage.impossible_for(key.algorithm())
        {
            self.must(false, clause, &format!("keyUsage has {}, which {} keys cannot do", bit.name(), key.algorithm()));
        }
        // What a CA lists confines those below it.
        let idle = |purpose: &&Oid| !profile.is_ca() && usage.is_some_and(|usage| !usage.suits(purpose));
        if let Some(purpose) = profile.extended_key_usage.iter().find(idle) {
            let what = format!("a key with these bits of keyUsage is of no use for {}", oids::name_or_dotted(purpose));
            self.must(false, "RFC 5280 §4.2.1.12", &what);
        }
        let purposes = some(&profile.extended_key_usage).map(ExtendedKeyUsage);
        self.exact(purposes.as_ref(), Some(profile.extended_key_usage_critical), "RFC 5280 §4.2.1.12");
        let computed = || key.as_ref().map(|key| key.key_identifier().to_vec());
        let own = self.identifier.map(<[u8]>::to_vec).or_else(computed).map(SubjectKeyIdentifier);
        self.exact(own.as_ref(), Some(false), "RFC 5280 §4.2.1.2");
        self.exact(profile.name_constraints.as_ref(), Some(true), "RFC 5280 §4.2.1.10");
        let policies = some(&profile.policies).map(CertificatePolicies);
        self.exact(policies.as_ref(), None, "RFC 5280 §4.2.1.4");
        if let Some(policy) = policies.as_ref().and_then(CertificatePolicies::repeated) {
            let what = format!("certificatePolicies has {} more than once", oids::name_or_dotted(policy));
            self.must(false, "RFC 5280 §4.2.1.4", &what);
        }
        let points = profile.crl.iter().map(|uri| DistributionPoint::at_uri(uri)).collect::<Vec<_>>();
        self.exact(some(&points).map(CrlDistributionPoints).as_ref(), Some(false), "RFC 5280 §4.2.1.13");
        self.exact(profile.must_staple.then(|| TlsFeature(vec![5])).as_ref(), Some(false), "RFC 7633 §4.1");
        self.exact(profile.ocsp_no_check.then_some(OcspNoCheck).as_ref(), Some(false), "RFC 6960 §4.2.2.2.1");
        self.access();
        self.names();
    }

    /// An extension is there with this value and criticality, or neither wanted nor there.
    fn exact<T: ExtensionType + PartialEq + 'a>(
        &mut self,
        wanted: Option<&T>,
        critical: Option<bool>,
        rule: &'static str,
    ) {
        let found = self.read::<T>(rule);
        let name = || oids::name_or_dotted(&T::OID);
        match (wanted, found) {
            (None, None) => {}
            (Some(_), None) => self.must(false, rule, &format!("{} is missing or malformed", name())),
            (None, Some(_)) => self.must(false, "profile", &format!("nobody asked for {}", name())),
            (Some(wanted), Some(found)) => {
                if found.value != wanted {
                    self.must(false, rule, &format!("{} is not what the profile says", name()));
                }
                if critical.is_some_and(|critical| critical != found.critical) {
                    let what = format!("{} is critical and must not be, or the other way round", name());
                    self.must(false, rule, &what);
                }
            }
        }
    }

    fn read<T: ExtensionType + 'a>(&mut self, rule: &'static str) -> Option<Found<&'a T>> {
        let certificate = self.certificate;
        match certificate.extension::<T>() {
            Ok(found) => found,
            Err(error) => {
                self.must(false, rule, &error.to_string());
                None
            }
        }
    }

    /// Where responders and the issuer's certificate are to be had.
    fn access(&mut self) {
        let rule = "RFC 5280 §4.2.2.1";
        let wanted = self.profile.ocsp.iter().map(|uri| (oids::OCSP, uri));
        let wanted: Vec<(Oid, &String)> =
            wanted.chain(self.profile.ca_issuers.iter().map(|uri| (oids::CA_ISSUERS, uri))).collect();
        let found = self.read::<AuthorityInfoAccess>(rule);
        let critical = found.as_ref().is_some_and(|found| found.critical);
        self.must(!critical, rule, "authorityInfoAccess is critical");
        let found = found.map_or(&[][..], |found| &found.value.0);
        let same = found.len() == wanted.len()
            && wanted.iter().zip(found).all(|((method, uri), access)| {
                *method == access.method && matches!(&access.location, GeneralName::Uri(found) if found == *uri)
            });
        self.must(same, rule, "authorityInfoAccess is not what the profile says");
    }

    fn names(&mut self) {
        let rule = "RFC 5280 §4.2.1.6";
        let bare = self.certificate.subject().is_empty();
        let Some(Found { critical, value: SubjectAltName(names) }) = self.read::<SubjectAltName>(rule) else {
            self.must(!bare, rule, "there is neither a subject nor a subjectAltName");
            let needless = self.profile.required_names.is_empty();
            self.must(needless, "profile", "subjectAltName is missing");
            return;
        };
        self.must(!names.is_empty(), rule, "subjectAltName is empty");
        self.must(critical == bare, rule, "subjectAltName is critical where and only where the subject is empty");
        let forms: Vec<Option<NameForm>> = names.iter().map(NameForm::of).collect();
        for (name, form) in names.iter().zip(&forms) {
            if !form.is_some_and(|form| self.profile.names.contains(&form)) {
                self.must(false, "profile", &format!("the profile has no place for {name}"));
            }
            if let Err(error) = check::well_formed(name) {
                self.must(false, rule, &error.to_string());
            }
        }
        let required = &self.profile.required_names;
        let met = required.is_empty() || forms.iter().flatten().any(|form| required.contains(form));
        self.must(met, "profile", "no name has a form that the profile requires");
    }

    /// What the issuer's certificate says of those below it.
    fn issuer(&mut self) {
        let certificate = self.certificate;
        let rule = "RFC 5280 §4.2.1.1";
        let computed = || self.key.key_identifier().to_vec();
        let identifier = match self.above {
            None => Some(self.identifier.map_or_else(computed, <[u8]>::to_vec)),
            Some(above) => above.subject_key_identifier().ok().map(|own| own.map_or_else(computed, <[u8]>::to_vec)),
        };
        let wanted = AuthorityKeyIdentifier { key_identifier: identifier, ..AuthorityKeyIdentifier::default() };
        self.exact(Some(&wanted), Some(false), rule);
        let Some(above) = self.above else { return };
        let within = above.validity().not_before <= certificate.validity().not_before
            && certificate.validity().not_after <= above.validity().not_after;
        self.must(within, "RFC 5280 §6.1.3 (a)(2)", "the validity is not within the issuer's");
        let constraints = above.basic_constraints().ok().flatten();
        let ca = constraints.is_some_and(|constraints| constraints.ca);
        self.must(ca, "RFC 5280 §4.2.1.9", "the issuer is no CA");
        let room = !self.profile.is_ca() || constraints.and_then(|constraints| constraints.path_len) != Some(0);
        self.must(room, "RFC 5280 §4.2.1.9", "the issuer's pathLenConstraint leaves no room for a CA");
        let names = certificate.subject_alt_names().unwrap_or_default();
        if let Err(error) = constraints::check(above, self.profile, certificate.subject(), names) {
            self.must(false, "RFC 5280 §4.2.1.10", &error.to_string());
        }
    }
}

/// A list as an extension holds it; none where there is nothing in it.
fn some<T: Clone>(list: &[T]) -> Option<Vec<T>> {
    (!list.is_empty()).then(|| list.to_vec())
}

/// The extensions that profiles know.
static KNOWN: &[Oid] = &[
    BasicConstraints::OID,
    KeyUsage::OID,
    ExtendedKeyUsage::OID,
    SubjectAltName::OID,
    SubjectKeyIdentifier::OID,
    AuthorityKeyIdentifier::OID,
    NameConstraints::OID,
    CertificatePolicies::OID,
    AuthorityInfoAccess::OID,
    CrlDistributionPoints::OID,
    TlsFeature::OID,
    OcspNoCheck::OID,
];

#[cfg(test)]
mod tests;
