//! Profiles: what a kind of certificate looks like, written as TOML.
//!
//! The built-in ones are the files of `templates/`; a file of the user's has the same form. Everything a certificate
//! holds beside its names, key, serial number and times comes from here: nothing is left to a library's defaults.

mod contradiction;
mod document;
mod error;
mod field;
mod limit_field;
mod limits;
pub mod subtree;

pub use error::{ProfileError, position};
pub use limits::{Breach, KeyLimit, Limits, Subject};

use crate::encoding::Oid;
use crate::key::{KeyAlgorithm, SignatureAlgorithm};
use crate::x509::extension::{BasicConstraints, KeyUsage, KeyUsageBit, NameConstraints, PolicyInformation};
use crate::x509::{GeneralName, Validity, oids};
use serde::Deserialize;
use std::fmt;
use time::{Duration, OffsetDateTime};

/// A kind of certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// What it is called: `server`, or where it was read from.
    pub name: String,
    /// What stands in the ledger for it: its name, or of a file its whole path, so that a renewal finds the same one.
    pub recorded_as: String,
    /// What it is for, in one line.
    pub description: String,
    /// The kind of key made for it unless another is asked for.
    pub key: KeyAlgorithm,
    /// How long it is valid unless another time is asked for.
    pub lifetime: Duration,
    /// How far notBefore lies before the moment of issuing, for clients whose clocks are slow.
    pub backdate: Duration,
    /// `basicConstraints`: always written, always critical (RFC 5280 §4.2.1.9).
    pub basic_constraints: BasicConstraints,
    /// `keyUsage` for every kind of key: always critical (RFC 5280 §4.2.1.3).
    pub key_usage: Vec<KeyUsageBit>,
    /// Bits added for RSA keys: keyEncipherment means nothing for the others.
    pub key_usage_rsa: Vec<KeyUsageBit>,
    /// Bits added for keys on the curves of ECDSA: keyAgreement means nothing for the others.
    pub key_usage_ecdsa: Vec<KeyUsageBit>,
    /// `extKeyUsage`; left out where empty.
    pub extended_key_usage: Vec<Oid>,
    /// Whether `extKeyUsage` is critical.
    pub extended_key_usage_critical: bool,
    /// The forms of names that may stand in `subjectAltName`.
    pub names: Vec<NameForm>,
    /// There must be at least one name of one of these forms; no demand where empty.
    pub required_names: Vec<NameForm>,
    /// `certificatePolicies`; left out where empty.
    pub policies: Vec<PolicyInformation>,
    /// The URIs of `cRLDistributionPoints`; left out where empty.
    pub crl: Vec<String>,
    /// The URIs of OCSP responders in `authorityInfoAccess`.
    pub ocsp: Vec<String>,
    /// The URIs of the issuer's certificate in `authorityInfoAccess`.
    pub ca_issuers: Vec<String>,
    /// `nameConstraints`, critical (RFC 5280 §4.2.1.10).
    pub name_constraints: Option<NameConstraints>,
    /// Whether the server promises to staple its revocation status (`tlsfeature`, RFC 7633).
    pub must_staple: bool,
    /// Whether the certificate's own revocation is not looked up (RFC 6960 §4.2.2.2.1).
    pub ocsp_no_check: bool,
    /// The signature the issuer makes; where there is none, the one its key makes unless told (see
    /// [`KeyAlgorithm::signature_algorithm`]).
    pub signature: Option<SignatureAlgorithm>,
    /// What it refuses to certify.
    pub limits: Limits,
}

/// A form of name that certkit puts in `subjectAltName`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NameForm {
    /// `dNSName`.
    Dns,
    /// `iPAddress`.
    Ip,
    /// `rfc822Name`.
    Email,
    /// `uniformResourceIdentifier`.
    Uri,
}

impl Profile {
    /// The built-in profile of this name.
    pub fn built_in(name: &str) -> Option<Self> {
        let (name, text) = TEMPLATES.iter().find(|(known, _)| *known == name)?;
        // A test reads them all, so this never fails.
        Self::from_toml(name, text).ok()
    }

    /// The names of the built-in profiles.
    pub fn names() -> Vec<&'static str> {
        TEMPLATES.iter().map(|(name, _)| *name).collect()
    }

    /// The text of the built-in profile of this name, to start an own one from.
    pub fn template(name: &str) -> Option<&'static str> {
        TEMPLATES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
    }

    /// Reads a profile. `source` names it, in errors too.
    ///
    /// # Errors
    /// Unknown keys, values out of range and contradictions, with the line and column.
    pub fn from_toml(source: &str, text: &str) -> Result<Self, ProfileError> {
        document::read(source, text)
    }

    /// Whether it makes certification authorities.
    pub fn is_ca(&self) -> bool {
        self.basic_constraints.ca
    }

    /// Whether a server may present its certificates: without extKeyUsage every purpose is one of theirs (RFC 5280 §4.2.1.12).
    pub fn is_for_servers(&self) -> bool {
        let purposes = &self.extended_key_usage;
        let server = |purpose: &Oid| [oids::SERVER_AUTH, oids::ANY_EXTENDED_KEY_USAGE].contains(purpose);
        !self.is_ca() && (purposes.is_empty() || purposes.iter().any(server))
    }

    /// Whether its certificates are found by a host name or address, as servers are.
    pub fn names_hosts(&self) -> bool {
        [NameForm::Dns, NameForm::Ip].iter().any(|form| self.required_names.contains(form))
    }

    /// The validity of a certificate made now, for the profile's lifetime or another. It begins a little before now,
    /// and both its ends belong to it (RFC 5280 §4.1.2.5), so 825 days are 825 days and no second more. `None` past the
    /// year 9999.
    pub fn validity(&self, now: OffsetDateTime, lifetime: Option<Duration>) -> Option<Validity> {
        let not_before = now.checked_sub(self.backdate)?;
        let not_after = not_before.checked_add(lifetime.unwrap_or(self.lifetime))?.checked_sub(Duration::SECOND)?;
        Some(Validity { not_before, not_after })
    }

    /// The signature a certificate gets from an issuer with a key of this kind.
    pub fn signature_by(&self, key: KeyAlgorithm) -> SignatureAlgorithm {
        self.signature.unwrap_or_else(|| key.signature_algorithm())
    }

    /// `keyUsage` of a certificate for this kind of key.
    pub fn key_usage_for(&self, key: KeyAlgorithm) -> KeyUsage {
        let mut bits = self.key_usage.clone();
        if key.is_rsa() {
            bits.extend_from_slice(&self.key_usage_rsa);
        }
        if key.is_ecdsa() {
            bits.extend_from_slice(&self.key_usage_ecdsa);
        }
        KeyUsage::new(&bits)
    }
}

impl NameForm {
    /// The form of this name, where it is one of these.
    pub fn of(name: &GeneralName) -> Option<Self> {
        match name {
            GeneralName::Dns(_) => Some(Self::Dns),
            GeneralName::Ip(_) => Some(Self::Ip),
            GeneralName::Email(_) => Some(Self::Email),
            GeneralName::Uri(_) => Some(Self::Uri),
            GeneralName::Other(..)
            | GeneralName::X400(_)
            | GeneralName::Directory(_)
            | GeneralName::EdiParty(_)
            | GeneralName::RegisteredId(_) => None,
        }
    }
}

impl fmt::Display for NameForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Dns => "DNS name",
            Self::Ip => "IP address",
            Self::Email => "e-mail address",
            Self::Uri => "URI",
        })
    }
}

static TEMPLATES: &[(&str, &str)] = &[
    ("self-signed", include_str!("../../templates/self-signed.toml")),
    ("server", include_str!("../../templates/server.toml")),
    ("client", include_str!("../../templates/client.toml")),
    ("peer", include_str!("../../templates/peer.toml")),
    ("root-ca", include_str!("../../templates/root-ca.toml")),
    ("intermediate-ca", include_str!("../../templates/intermediate-ca.toml")),
    ("email", include_str!("../../templates/email.toml")),
    ("code-signing", include_str!("../../templates/code-signing.toml")),
    ("ocsp-responder", include_str!("../../templates/ocsp-responder.toml")),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use crate::x509::oids;

    #[test]
    fn every_template_reads_and_begins_with_its_clauses() {
        for (name, text) in TEMPLATES {
            let profile = Profile::from_toml(name, text).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(Profile::built_in(name), Some(profile));
            assert!(text.starts_with(&format!("# {name}: ")), "{name}");
            let comments: String = text.lines().take_while(|line| line.starts_with('#')).collect();
            assert!(comments.contains("RFC 5280 §"), "{name}");
        }
    }

    #[test]
    fn authorities_sign_certificates_and_nothing_else_does() {
        for name in Profile::names() {
            let profile = Profile::built_in(name).unwrap();
            for key in [KeyAlgorithm::P256, KeyAlgorithm::Rsa(2048), KeyAlgorithm::MlDsa65] {
                let usage = profile.key_usage_for(key);
                assert_eq!(usage.has(KeyUsageBit::KeyCertSign), profile.is_ca(), "{name}");
                assert_eq!(usage.has(KeyUsageBit::CrlSign), profile.is_ca(), "{name}");
                assert_ne!(usage.has(KeyUsageBit::DigitalSignature), profile.is_ca(), "{name}");
            }
            assert_eq!(profile.is_ca(), name.ends_with("-ca"));
        }
    }

    #[test]
    fn keys_are_encrypted_with_rsa_alone() {
        let server = Profile::built_in("server").unwrap();
        for (key, encrypts) in
            [(KeyAlgorithm::Rsa(2048), true), (KeyAlgorithm::P256, false), (KeyAlgorithm::Ed25519, false)]
        {
            assert_eq!(server.key_usage_for(key).has(KeyUsageBit::KeyEncipherment), encrypts, "{key}");
        }
        let email = Profile::built_in("email").unwrap();
        assert!(email.key_usage_for(KeyAlgorithm::P256).has(KeyUsageBit::KeyAgreement));
        assert!(!email.key_usage_for(KeyAlgorithm::Ed25519).has(KeyUsageBit::KeyAgreement));
    }

    #[test]
    fn every_server_certificate_meets_apples_rules() {
        // https://support.apple.com/en-us/103769: 825 days at most, serverAuth, subjectAltName.
        for name in ["self-signed", "server", "peer"] {
            let profile = Profile::built_in(name).unwrap();
            assert!(profile.lifetime <= Duration::days(825), "{name}");
            assert!(profile.extended_key_usage.contains(&oids::SERVER_AUTH), "{name}");
            assert!(profile.names_hosts(), "{name}");
        }
    }

    #[test]
    fn a_lifetime_counts_both_its_ends() {
        let now = ::time::macros::datetime!(2026-11-23 12:00 UTC);
        let validity = Profile::built_in("server").unwrap().validity(now, Some(Duration::DAY)).unwrap();
        assert_eq!(validity.not_before, now - Duration::minutes(5));
        assert_eq!(validity.not_after - validity.not_before + Duration::SECOND, Duration::DAY);
    }

    #[test]
    fn every_certificate_begins_minutes_before_it_is_made() {
        for name in Profile::names() {
            let backdate = Profile::built_in(name).unwrap().backdate;
            assert!((Duration::MINUTE..=Duration::HOUR).contains(&backdate), "{name}");
        }
    }
}
