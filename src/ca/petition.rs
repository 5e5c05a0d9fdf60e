//! What an authority takes from a certification request, what it leaves, and what it refuses.
//!
//! A request is written by somebody else. Of what it asks, names and purposes that the profile allows are taken, after
//! being read again as if they were typed; the rest is left out and said. One that asks to become an authority is refused.

use crate::issue::{IssueError, Naming, NamingError, Request, Wanted};
use crate::key::{KeyError, PublicKey, SignatureError};
use crate::profile::{NameForm, Profile};
use crate::x509::extension::{BasicConstraints, ExtendedKeyUsage, ExtensionError, KeyUsage, NameConstraints};
use crate::x509::name::Attribute;
use crate::x509::{CertificationRequest, DistinguishedName, Extension, SerialNumber, oids};

/// What is taken from a request.
#[derive(Debug, Clone)]
pub struct Petition {
    /// The subject is the request's commonName and what else the profile requires of a subject; the names are those the profile allows, the commonName
    /// among them if it is a host name or address; the owner of the key has proved to hold the private half.
    pub request: Request,
    /// What files may be called after.
    pub label: String,
    /// The profile, narrowed to the purposes that were asked for.
    pub profile: Profile,
    /// What was asked for and is not granted, in words.
    pub left_out: Vec<String>,
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// RFC 2986 §3: the signature proves that the subject holds the key.
    #[error("its signature does not prove possession of the key in it: {0}")]
    NoPossession(SignatureError),
    /// The key in it cannot be used.
    #[error("the key in it is unusable: {0}")]
    Key(#[from] KeyError),
    /// An RSA key that can be broken (NIST SP 800-131A; CA/B Forum BR 6.1.5).
    #[error("its RSA key has {bits} bits and can be broken: at least 2048 are needed")]
    WeakKey {
        /// The size of the modulus.
        bits: u16,
    },
    /// It names nobody.
    #[error("it has no subject, and a CA needs one (RFC 5280 §4.1.2.6): give one with --subject")]
    NoSubject,
    /// It asks to become an authority.
    #[error("it asks for CA:TRUE, a certificate that signs certificates: no request gets that")]
    Authority,
    /// It asks not to become the authority that it would be made.
    #[error(
        "it asks for CA:FALSE, a certificate that signs none (RFC 5280 §4.2.1.9): a CA's request asks for CA:TRUE, or for no \
         basicConstraints"
    )]
    NoAuthority,
    /// An extension it asks for does not parse.
    #[error("{0}")]
    Extension(#[from] ExtensionError),
    /// An extension is asked for twice (RFC 5280 §4.2).
    #[error("it asks for {0} twice")]
    Duplicate(String),
    /// It names nobody, or asks for names alone that the profile has no place for.
    #[error("it asks for no name that the profile {profile} takes: add one with --san")]
    NoName {
        /// The profile.
        profile: String,
    },
    /// Its names are none that a certificate of the profile can carry.
    #[error("its names are refused: {0}")]
    Naming(#[from] NamingError),
    /// Whoever sent it has the authority's private key.
    #[error("the key in it is the CA's own: that one signs certificates and nothing else")]
    AuthoritysOwnKey,
    /// The key is in somebody else's hands (CA/B Forum BR 6.1.1.3).
    #[error(
        "the key in it is that of the certificate with serial number {serial}, which was revoked because its key is \
         compromised: it needs a new key"
    )]
    CompromisedKey {
        /// The certificate's.
        serial: SerialNumber,
    },
    /// The certificate cannot be made.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// None of the purposes asked for is the profile's.
    #[error("it asks for {asked}, and profile {profile} gives {given}: choose another profile with --profile")]
    Purposes {
        /// What it asks for.
        asked: String,
        /// The profile.
        profile: String,
        /// What the profile has.
        given: String,
    },
}

/// Reads a request that is to become an authority's: its subject, unless another is given, and its key are taken. What it
/// may do is this authority's to say, so nothing else is; one that asks for CA:FALSE meant something else, and is refused.
///
/// # Errors
/// [`Refusal`], with the first reason found.
pub fn read_authority(request: &CertificationRequest, subject: Option<DistinguishedName>) -> Result<Request, Refusal> {
    let public_key = proven_key(request)?;
    let subject = subject.unwrap_or_else(|| request.subject().clone());
    if subject.is_empty() {
        return Err(Refusal::NoSubject);
    }
    if request.requested::<BasicConstraints>()?.is_some_and(|constraints| !constraints.ca) {
        return Err(Refusal::NoAuthority);
    }
    Ok(Request { subject, names: Vec::new(), public_key, key_identifier: None })
}

/// What a request that is to become an authority's asks for and does not get by this profile, in words.
pub fn left_out_of_authority(request: &CertificationRequest, profile: &Profile) -> Vec<String> {
    let granted = |asked: &Extension| match &asked.oid {
        oid if *oid == oids::BASIC_CONSTRAINTS => {
            let asked = request.requested::<BasicConstraints>().ok().flatten().and_then(|asked| asked.path_len);
            asked.is_none() || asked == profile.basic_constraints.path_len
        }
        oid if *oid == oids::NAME_CONSTRAINTS => {
            let asked = request.requested::<NameConstraints>().ok().flatten();
            asked.zip(profile.name_constraints.as_ref()).is_some_and(|(asked, given)| {
                asked.permitted.iter().all(|subtree| given.permitted.contains(subtree))
                    && asked.excluded.iter().all(|subtree| given.excluded.contains(subtree))
            })
        }
        // Every authority may sign, and has an identifier.
        oid => [oids::KEY_USAGE, oids::SUBJECT_KEY_IDENTIFIER].contains(oid),
    };
    let extensions = request.extensions().iter().filter(|asked| !granted(asked)).map(|asked| match asked.name() {
        _ if asked.oid == oids::BASIC_CONSTRAINTS => "its pathLenConstraint".to_owned(),
        name => format!("extension {name}"),
    });
    let others = request.attributes().iter().filter(|attribute| **attribute != oids::EXTENSION_REQUEST);
    extensions.chain(others.map(|attribute| format!("attribute {}", oids::name_or_dotted(attribute)))).collect()
}

/// The key of a request, whose owner has proved to hold the private half.
fn proven_key(request: &CertificationRequest) -> Result<PublicKey, Refusal> {
    let public_key = request.public_key()?;
    public_key.validate()?;
    if let Some(bits) = public_key.rsa_modulus_bits().filter(|bits| *bits < 2048) {
        return Err(Refusal::WeakKey { bits });
    }
    request.verify_possession().map_err(Refusal::NoPossession)?;
    // Go and Java read no compressed point.
    Ok(public_key.uncompressed()?)
}

/// Reads a request by the light of a profile. `added` are names the authority adds of its own.
///
/// # Errors
/// [`Refusal`], with the first reason found.
pub fn read(request: &CertificationRequest, profile: &Profile, added: &[String]) -> Result<Petition, Refusal> {
    let public_key = proven_key(request)?;
    if let Some(twice) = request.extensions().duplicate() {
        return Err(Refusal::Duplicate(oids::name_or_dotted(twice)));
    }
    if request.requested::<BasicConstraints>()?.is_some_and(|constraints| constraints.ca) {
        return Err(Refusal::Authority);
    }
    let mut left_out = Vec::new();
    let profile = narrow(profile, request, &mut left_out)?;
    let mut names = alternative_names(request, &profile, &mut left_out)?;
    names.extend_from_slice(added);
    let (common_name, kept) = subject(request, &profile, &mut left_out);
    let wanted = Wanted { common_name: common_name.as_deref(), subject: None, names: &names };
    let mut naming = Naming::new(&profile, wanted).map_err(|error| match error {
        NamingError::Nothing => Refusal::NoName { profile: profile.name.clone() },
        other => other.into(),
    })?;
    if !kept.is_empty() {
        let levels = kept.into_iter().map(|attribute| vec![attribute]).chain(naming.subject.levels());
        naming.subject = DistinguishedName::new(&levels.collect::<Vec<_>>());
    }
    let usage = request.requested::<KeyUsage>()?.unwrap_or_default();
    let granted = profile.key_usage_for(public_key.algorithm());
    left_out.extend(
        usage.bits().into_iter().filter(|bit| !granted.has(*bit)).map(|bit| format!("keyUsage {}", bit.name())),
    );
    let read = [oids::BASIC_CONSTRAINTS, oids::KEY_USAGE, oids::EXTENDED_KEY_USAGE, oids::SUBJECT_ALT_NAME];
    // Every certificate has a subjectKeyIdentifier; asking for it asks for nothing.
    let asked = request.extensions().iter().filter(|asked| asked.oid != oids::SUBJECT_KEY_IDENTIFIER);
    left_out
        .extend(asked.filter(|asked| !read.contains(&asked.oid)).map(|asked| format!("extension {}", asked.name())));
    let others = request.attributes().iter().filter(|attribute| **attribute != oids::EXTENSION_REQUEST);
    left_out.extend(others.map(|attribute| format!("attribute {}", oids::name_or_dotted(attribute))));
    Ok(Petition { request: naming.request(public_key), label: naming.label(), profile, left_out })
}

/// The profile with the purposes that are both its own and asked for; as it is where none is asked for.
fn narrow(profile: &Profile, request: &CertificationRequest, left_out: &mut Vec<String>) -> Result<Profile, Refusal> {
    let mut narrowed = profile.clone();
    let Some(ExtendedKeyUsage(asked)) = request.requested::<ExtendedKeyUsage>()? else { return Ok(narrowed) };
    narrowed.extended_key_usage.retain(|purpose| asked.contains(purpose));
    if narrowed.extended_key_usage.is_empty() {
        let list = |purposes: &[crate::encoding::Oid]| match purposes {
            [] => "none".to_owned(),
            some => some.iter().map(oids::name_or_dotted).collect::<Vec<_>>().join(", "),
        };
        return Err(Refusal::Purposes {
            asked: list(&asked),
            profile: profile.name.clone(),
            given: list(&profile.extended_key_usage),
        });
    }
    let refused = asked.iter().filter(|purpose| !narrowed.extended_key_usage.contains(purpose));
    left_out.extend(refused.map(|purpose| format!("extKeyUsage {}", oids::name_or_dotted(purpose))));
    Ok(narrowed)
}

/// The names the profile allows, as text to be read again as if it were typed: `a..b`, an empty name or an address of five
/// octets is none.
fn alternative_names(
    request: &CertificationRequest,
    profile: &Profile,
    left_out: &mut Vec<String>,
) -> Result<Vec<String>, Refusal> {
    let mut names = Vec::new();
    for name in request.subject_alt_names()? {
        if NameForm::of(&name).is_some_and(|form| profile.names.contains(&form)) {
            names.push(name.to_string());
        } else {
            left_out.push(format!("name {name}"));
        }
    }
    Ok(names)
}

/// The first commonName, and the first of each other attribute that the profile requires; of the rest nothing is taken.
fn subject(
    request: &CertificationRequest,
    profile: &Profile,
    left_out: &mut Vec<String>,
) -> (Option<String>, Vec<Attribute>) {
    let (mut common_name, mut kept) = (None, Vec::<Attribute>::new());
    for attribute in request.subject().attributes() {
        let text = attribute.text();
        let is_name = attribute.kind == oids::COMMON_NAME;
        let required = !is_name && profile.limits.required_subject.contains(&attribute.kind);
        let is_first = kept.iter().all(|other| other.kind != attribute.kind);
        match text.trim().is_empty() {
            false if is_name && common_name.is_none() => common_name = Some(text),
            // Written again, so that it comes in the string type its standard asks for.
            false if required && is_first => kept.push(Attribute::new(attribute.kind, &text)),
            _ => left_out.push(format!("subject {}={text}", oids::name_or_dotted(&attribute.kind))),
        }
    }
    (common_name, kept)
}

#[cfg(test)]
mod tests;
