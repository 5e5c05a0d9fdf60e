//! From what a user types to the subject and the names of a certificate.

use super::Request;
use crate::encoding::hex;
use crate::key::PublicKey;
use crate::profile::{NameForm, Profile};
use crate::x509::general_name::GeneralNameError;
use crate::x509::name::Attribute;
use crate::x509::name_text::NameTextError;
use crate::x509::{DistinguishedName, GeneralName, oids};
use std::collections::HashSet;
use std::fmt;

/// What the user typed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// The common name, given by itself.
    pub common_name: Option<&'a str>,
    /// The whole subject: RFC 4514, or openssl's `/O=Example/CN=app`.
    pub subject: Option<&'a str>,
    /// Names for `subjectAltName`.
    pub names: &'a [String],
}

/// A subject and names, ready for a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming {
    /// The subject.
    pub subject: DistinguishedName,
    /// The names, in the order given, the common name's first; without duplicates.
    pub names: Vec<GeneralName>,
    /// What was done that the user may not expect.
    pub notes: Vec<Note>,
}

/// Something done with the names that the user may not expect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The common name has more than 64 characters, so it stands in `subjectAltName` alone.
    CommonNameTooLong(String),
    /// The common name is no name of a host, address or mailbox, so it stands in the subject alone.
    CommonNameNotAName(String),
    /// No subject was given, and an issuer needs one.
    SubjectGiven(DistinguishedName),
}

/// Why what the user typed names nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NamingError {
    /// Nothing was given.
    #[error("there is no name to certify: give at least one, for example --cn localhost")]
    Nothing,
    /// A name cannot stand in a certificate.
    #[error(transparent)]
    Name(#[from] GeneralNameError),
    /// The subject cannot be read.
    #[error("cannot read the subject: {0}")]
    Subject(#[from] NameTextError),
    /// The common name is empty.
    #[error("the common name is empty: leave it out, or give one, for example --cn localhost")]
    EmptyCommonName,
    /// The common name stands in the subject too, and there it is another one.
    #[error("the common name is `{alone}` by itself and `{within}` in the subject: give it once")]
    TwoCommonNames {
        /// Given by itself.
        alone: String,
        /// Within the subject.
        within: String,
    },
    /// The common name is to be a server's, and clients look servers up by host name or address.
    #[error(
        "`{common_name}` is no host name or IP address ({why}), and clients look for those in subjectAltName: \
         add the server's, for example --san localhost"
    )]
    NotAHost {
        /// The common name.
        common_name: String,
        /// Why it is no host name.
        why: String,
    },
    /// Names were given for a CA.
    #[error(
        "a certification authority is known by its subject, not by `{0}`: name it with --cn, for example --cn \"Example Root CA\""
    )]
    AuthorityName(String),
}

impl Naming {
    /// Names a certificate of this profile.
    ///
    /// A common name that is a host name, an address or a mailbox is copied into `subjectAltName`, where clients look;
    /// without a common name the first name becomes it, since people look there.
    ///
    /// # Errors
    /// See [`NamingError`].
    pub fn new(profile: &Profile, wanted: Wanted<'_>) -> Result<Self, NamingError> {
        let given: Vec<GeneralName> = wanted.names.iter().map(|name| name.parse()).collect::<Result<_, _>>()?;
        if let Some(name) = wanted.names.first().filter(|_| profile.is_ca()) {
            return Err(NamingError::AuthorityName(name.clone()));
        }
        let subject: Option<DistinguishedName> = wanted.subject.map(str::parse).transpose()?;
        if wanted.common_name.is_none() && subject.as_ref().is_none_or(DistinguishedName::is_empty) && given.is_empty()
        {
            return Err(NamingError::Nothing);
        }
        let mut naming = Self { subject: DistinguishedName::empty(), names: Vec::new(), notes: Vec::new() };
        let within = subject.as_ref().map(DistinguishedName::common_names).unwrap_or_default();
        for common_name in wanted.common_name.into_iter().chain(within.iter().map(String::as_str)) {
            naming.names.extend(host_or_mailbox(profile, common_name, &given)?);
        }
        naming.subject = match (wanted.common_name, subject) {
            (Some(alone), Some(subject)) => match within.first() {
                Some(within) if within != alone => {
                    return Err(NamingError::TwoCommonNames { alone: alone.to_owned(), within: within.clone() });
                }
                Some(_) => subject,
                None => naming.with_common_name(subject, alone),
            },
            (Some(alone), None) => naming.with_common_name(DistinguishedName::empty(), alone),
            (None, Some(subject)) => subject,
            (None, None) => match given.first() {
                Some(GeneralName::Uri(_)) | None => DistinguishedName::empty(),
                Some(name) => {
                    let first = name.value();
                    naming.names.push(name.clone());
                    naming.with_common_name(DistinguishedName::empty(), &first)
                }
            },
        };
        if naming.names.is_empty()
            && !profile.names.is_empty()
            && given.is_empty()
            && let Some(common_name) = naming.subject.common_names().into_iter().next()
        {
            naming.notes.push(Note::CommonNameNotAName(common_name));
        }
        naming.names.extend(given);
        naming.names = without_duplicates(std::mem::take(&mut naming.names));
        Ok(naming)
    }

    /// What files may be called after: the first name, or the common name, or the subject.
    pub fn label(&self) -> String {
        let first = self.names.first().map(GeneralName::value);
        let common_name = || self.subject.common_names().into_iter().next();
        first.or_else(common_name).unwrap_or_else(|| self.subject.to_string())
    }

    /// A request for a certificate of these names for this key.
    pub fn request(&self, public_key: PublicKey) -> Request {
        // Go and Java read no compressed point. One that is not on its curve is refused later.
        let public_key = public_key.uncompressed().unwrap_or(public_key);
        Request { subject: self.subject.clone(), names: self.names.clone(), public_key, key_identifier: None }
    }

    /// A request for a certificate that this very key signs. Its subject is its issuer, and that may not be empty
    /// (RFC 5280 §4.1.2.4): where there is none, it is named after the key.
    pub fn self_signed_request(&mut self, public_key: PublicKey) -> Request {
        if self.subject.is_empty() {
            let identifier = public_key.key_identifier();
            let own = format!("self-signed {}", hex::encode(identifier.get(..4).unwrap_or_default()));
            self.subject = DistinguishedName::new(&[vec![Attribute::new(oids::COMMON_NAME, &own)]]);
            self.notes.push(Note::SubjectGiven(self.subject.clone()));
        }
        self.request(public_key)
    }

    /// `subject` with this common name as its most specific level. The common name of a host is written as
    /// `subjectAltName` has it.
    fn with_common_name(&mut self, subject: DistinguishedName, common_name: &str) -> DistinguishedName {
        let text = self.names.first().map_or_else(|| common_name.to_owned(), GeneralName::value);
        // RFC 5280 appendix A.1, ub-common-name. A name that stands in subjectAltName is not lost.
        if text.chars().count() > 64 && !self.names.is_empty() {
            self.notes.push(Note::CommonNameTooLong(text));
            return subject;
        }
        let mut levels = subject.levels();
        levels.push(vec![Attribute::new(oids::COMMON_NAME, &text)]);
        DistinguishedName::new(&levels)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommonNameTooLong(name) => write!(
                f,
                "{name} has more than the 64 characters of a common name, so it stands in subjectAltName alone"
            ),
            Self::CommonNameNotAName(name) => {
                write!(f, "{name} stands in the subject alone: it is no host name with a dot, address or mailbox")
            }
            Self::SubjectGiven(subject) => {
                write!(f, "the subject is {subject}: who issues a certificate, itself included, needs one")
            }
        }
    }
}

/// The name for `subjectAltName` that a common name is, if it is one. A single word names a server where the profile is
/// for servers; elsewhere it is as likely a person or a thing.
fn host_or_mailbox(
    profile: &Profile,
    common_name: &str,
    given: &[GeneralName],
) -> Result<Option<GeneralName>, NamingError> {
    if common_name.trim().is_empty() {
        return Err(NamingError::EmptyCommonName);
    }
    if profile.is_ca() {
        return Ok(None);
    }
    let form = |name: &GeneralName| NameForm::of(name);
    let read = common_name.parse::<GeneralName>();
    if profile.names_hosts() {
        let host = |name: &GeneralName| matches!(form(name), Some(NameForm::Dns | NameForm::Ip));
        return match read {
            Ok(name) if host(&name) => Ok(Some(name)),
            _ if given.iter().any(host) => Ok(None),
            Ok(name) => {
                let why = format!("it reads as {}", name);
                Err(NamingError::NotAHost { common_name: common_name.to_owned(), why })
            }
            Err(GeneralNameError::Option(text)) => Err(GeneralNameError::Option(text).into()),
            Err(error) => Err(NamingError::NotAHost { common_name: common_name.to_owned(), why: reason(&error) }),
        };
    }
    let telling = |name: &GeneralName| match name {
        GeneralName::Dns(name) => name.contains('.'),
        _ => true,
    };
    Ok(read.ok().filter(telling).filter(|name| form(name).is_some_and(|form| profile.names.contains(&form))))
}

/// The reason alone, where the error would repeat the name.
fn reason(error: &GeneralNameError) -> String {
    match error {
        GeneralNameError::Dns(error) => error.fault.to_string(),
        GeneralNameError::Ip(_)
        | GeneralNameError::Email(_)
        | GeneralNameError::Uri(_)
        | GeneralNameError::Port(_)
        | GeneralNameError::Option(_) => error.to_string(),
    }
}

/// Somebody else's request may have many: looking for each among those before it would take the square of their number.
pub(super) fn without_duplicates(mut names: Vec<GeneralName>) -> Vec<GeneralName> {
    let mut seen = HashSet::with_capacity(names.len());
    names.retain(|name| seen.insert(name.clone()));
    names
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn naming(profile: &str, common_name: &str, subject: &str, names: &[&str]) -> Result<Naming, NamingError> {
        let some = |text| Some(text).filter(|text: &&str| !text.is_empty());
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let wanted = Wanted { common_name: some(common_name), subject: some(subject), names: &names };
        Naming::new(&Profile::built_in(profile).unwrap(), wanted)
    }

    /// The subject and the names in one line.
    fn said(profile: &str, common_name: &str, subject: &str, names: &[&str]) -> String {
        let naming = naming(profile, common_name, subject, names).unwrap();
        let names: Vec<String> = naming.names.iter().map(ToString::to_string).collect();
        format!("{} | {}", naming.subject, names.join(" "))
    }

    #[test]
    fn the_common_name_is_copied_by_what_it_is() {
        for (profile, common_name, made) in [
            ("server", "localhost", "CN=localhost | dns:localhost"),
            ("server", "127.0.0.1", "CN=127.0.0.1 | ip:127.0.0.1"),
            ("server", "::1", "CN=::1 | ip:::1"),
            ("server", "*.a.test", "CN=*.a.test | dns:*.a.test"),
            ("self-signed", "Bücher.Example", "CN=xn--bcher-kva.example | dns:xn--bcher-kva.example"),
            ("client", "ann@a.test", "CN=ann@a.test | email:ann@a.test"),
            ("client", "svc.a.test", "CN=svc.a.test | dns:svc.a.test"),
            ("client", "alice", "CN=alice | "),
            ("client", "Alice Smith", "CN=Alice Smith | "),
            ("client", "Müller", "CN=Müller | "),
            ("root-ca", "example.test", "CN=example.test | "),
            ("root-ca", "My Root", "CN=My Root | "),
        ] {
            assert_eq!(said(profile, common_name, "", &[]), made, "{common_name}");
        }
    }

    #[test]
    fn a_server_needs_a_host_name() {
        for name in ["My Server", "a b.test", "ann@a.test", "..", "a/b", "a\0b", "256.1.1.1"] {
            let error = naming("server", name, "", &[]).unwrap_err();
            assert!(matches!(&error, NamingError::NotAHost { .. }), "{name:?}: {error:?}");
            assert!(error.to_string().contains("--san localhost"), "{error}");
        }
        assert_eq!(said("server", "My Server", "", &["a.test"]), "CN=My Server | dns:a.test");
    }

    #[test]
    fn the_first_name_is_the_common_name_and_stands_once() {
        assert_eq!(said("server", "", "", &["a.test", "10.0.0.1", "A.test"]), "CN=a.test | dns:a.test ip:10.0.0.1");
        assert_eq!(said("server", "b.test", "", &["a.test", "b.test"]), "CN=b.test | dns:b.test dns:a.test");
        assert_eq!(said("client", "", "", &["spiffe://a.test/b"]), " | uri:spiffe://a.test/b");
    }

    #[test]
    fn a_subject_is_kept_as_it_was_given() {
        for (subject, made) in [
            ("CN=app.test,OU=b,OU=a,O=X", "CN=app.test,OU=b,OU=a,O=X | dns:app.test"),
            ("/C=NO/O=X/CN=app.test", "CN=app.test,O=X,C=NO | dns:app.test"),
        ] {
            assert_eq!(said("server", "", subject, &[]), made);
        }
        assert_eq!(said("server", "a.test", "O=X", &[]), "CN=a.test,O=X | dns:a.test");
        assert_eq!(said("server", "a.test", "CN=a.test,O=X", &[]), "CN=a.test,O=X | dns:a.test");
        assert_eq!(said("server", "", "O=X", &["a.test"]), "O=X | dns:a.test");
        let error = naming("server", "a.test", "CN=b.test", &[]).unwrap_err();
        assert!(matches!(error, NamingError::TwoCommonNames { .. }));
    }

    #[test]
    fn a_long_name_stands_in_the_names_alone() {
        let long = format!("{}.{}.test", "a".repeat(40), "b".repeat(40));
        let naming = naming("server", &long, "", &[]).unwrap();
        assert!(naming.subject.is_empty());
        assert_eq!(naming.names, [GeneralName::Dns(long.clone())]);
        assert_eq!(naming.notes, [Note::CommonNameTooLong(long)]);
    }

    #[test]
    fn many_names_take_no_square_of_their_number() {
        let names: Vec<GeneralName> = (0..60_000).map(|number| GeneralName::Dns(format!("h{number}.test"))).collect();
        let begun = std::time::Instant::now();
        let twice = without_duplicates(names.iter().chain(&names).cloned().collect());
        assert!(twice == names && begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    }

    #[test]
    fn nothing_names_nothing() {
        assert_eq!(naming("server", "", "", &[]), Err(NamingError::Nothing));
        assert_eq!(naming("server", "", "/", &[]), Err(NamingError::Nothing));
        assert_eq!(naming("server", " ", "", &[]), Err(NamingError::EmptyCommonName));
        assert!(matches!(naming("server", "", "", &["-ecdsa"]), Err(NamingError::Name(GeneralNameError::Option(_)))));
        assert!(matches!(naming("root-ca", "", "", &["a.test"]), Err(NamingError::AuthorityName(_))));
    }
}
