//! What an authority takes from a certification request, what it leaves, and what it refuses.
//!
//! A request is written by somebody else. Of what it asks, names and purposes that the profile allows are taken, after
//! being read again as if they were typed; the rest is left out and said. One that asks to become an authority is refused.

use crate::key::{KeyError, PublicKey, SignatureError};
use crate::profile::{NameForm, Profile};
use crate::x509::extension::{BasicConstraints, ExtendedKeyUsage, ExtensionError, KeyUsage, SubjectAltName};
use crate::x509::general_name::GeneralNameError;
use crate::x509::{CertificationRequest, DistinguishedName, GeneralName, ServerName, oids};

/// What is taken from a request.
#[derive(Debug, Clone)]
pub struct Petition {
    /// The subject: the request's commonName, and nothing else.
    pub subject: DistinguishedName,
    /// The names the profile allows, the commonName among them if it is a host name or address.
    pub names: Vec<GeneralName>,
    /// The key to be certified; its owner has proved to hold the private half.
    pub public_key: PublicKey,
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
    #[error("its signature does not prove possession of the key in it: it was changed after it was signed, or never valid")]
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
    /// It asks to become an authority.
    #[error("it asks for CA:TRUE, a certificate that signs certificates: no request gets that")]
    Authority,
    /// An extension it asks for does not parse.
    #[error("{0}")]
    Extension(#[from] ExtensionError),
    /// An extension is asked for twice (RFC 5280 §4.2).
    #[error("it asks for {0} twice")]
    Duplicate(String),
    /// A name that no certificate should carry.
    #[error("the name {name} in it is refused: {why}")]
    Name {
        /// The name as it stands in the request.
        name: String,
        /// What is wrong with it.
        why: String,
    },
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

/// Reads a request by the light of a profile.
///
/// # Errors
/// [`Refusal`], with the first reason found.
pub fn read(request: &CertificationRequest, profile: &Profile) -> Result<Petition, Refusal> {
    let public_key = request.public_key()?;
    public_key.validate()?;
    if let Some(bits) = public_key.rsa_modulus_bits().filter(|bits| *bits < 2048) {
        return Err(Refusal::WeakKey { bits });
    }
    request.verify_possession().map_err(Refusal::NoPossession)?;
    if let Some(twice) = request.extensions().duplicate() {
        return Err(Refusal::Duplicate(oids::name_or_dotted(twice)));
    }
    if request.requested::<BasicConstraints>()?.is_some_and(|constraints| constraints.ca) {
        return Err(Refusal::Authority);
    }
    let mut left_out = Vec::new();
    let profile = narrow(profile, request, &mut left_out)?;
    let mut names = alternative_names(request, &profile, &mut left_out)?;
    let subject = subject(request, &profile, &mut names, &mut left_out);
    let usage = request.requested::<KeyUsage>()?.unwrap_or_default();
    let granted = profile.key_usage_for(public_key.algorithm());
    left_out.extend(usage.bits().into_iter().filter(|bit| !granted.has(*bit)).map(|bit| format!("keyUsage {}", bit.name())));
    let read = [oids::BASIC_CONSTRAINTS, oids::KEY_USAGE, oids::EXTENDED_KEY_USAGE, oids::SUBJECT_ALT_NAME];
    // Every certificate has a subjectKeyIdentifier; asking for it asks for nothing.
    let asked = request.extensions().iter().filter(|asked| asked.oid != oids::SUBJECT_KEY_IDENTIFIER);
    left_out.extend(asked.filter(|asked| !read.contains(&asked.oid)).map(|asked| format!("extension {}", asked.name())));
    let others = request.attributes().iter().filter(|attribute| **attribute != oids::EXTENSION_REQUEST);
    left_out.extend(others.map(|attribute| format!("attribute {}", oids::name_or_dotted(attribute))));
    Ok(Petition { subject, names, public_key, profile, left_out })
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

fn alternative_names(
    request: &CertificationRequest,
    profile: &Profile,
    left_out: &mut Vec<String>,
) -> Result<Vec<GeneralName>, Refusal> {
    let mut names = Vec::new();
    for asked in request.requested::<SubjectAltName>()?.map_or_else(Vec::new, |names| names.0) {
        if !NameForm::of(&asked).is_some_and(|form| profile.names.contains(&form)) {
            left_out.push(format!("name {asked}"));
            continue;
        }
        let name = reread(&asked)
            .map_err(|why| Refusal::Name { name: asked.to_string(), why: why.to_string() })?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// The name, read as if it were typed: `a..b`, an empty name or an address of five octets is none.
fn reread(asked: &GeneralName) -> Result<GeneralName, GeneralNameError> {
    match asked {
        GeneralName::Ip(_) => asked.ip().map(GeneralName::from_ip).ok_or_else(|| GeneralNameError::Ip(asked.value())),
        other => other.to_string().parse(),
    }
}

/// The first commonName. One that is a host name or an address joins the names: nobody looks for it in the subject.
fn subject(
    request: &CertificationRequest,
    profile: &Profile,
    names: &mut Vec<GeneralName>,
    left_out: &mut Vec<String>,
) -> DistinguishedName {
    let mut common_name = None;
    for attribute in request.subject().attributes() {
        let text = attribute.text();
        if attribute.kind == oids::COMMON_NAME && common_name.is_none() && !text.trim().is_empty() {
            common_name = Some(text);
        } else {
            left_out.push(format!("subject {}={text}", oids::name_or_dotted(&attribute.kind)));
        }
    }
    let Some(common_name) = common_name else { return DistinguishedName::empty() };
    // A single label is more often a person's or a machine's name than a host's, unless it is the only name there is.
    let name = match common_name.parse::<ServerName>() {
        Ok(ServerName::Ip(address)) => Some(GeneralName::from_ip(address)),
        Ok(ServerName::Dns(host)) if host.as_str().contains('.') || names.is_empty() => {
            Some(GeneralName::Dns(host.as_str().to_owned()))
        }
        _ => common_name.strip_prefix("*.").and_then(|_| format!("dns:{common_name}").parse().ok()),
    };
    if let Some(name) = name
        && NameForm::of(&name).is_some_and(|form| profile.names.contains(&form))
        && !names.contains(&name)
    {
        names.push(name);
    }
    DistinguishedName::common_name_only(&common_name)
}

#[cfg(test)]
mod tests;
