//! Why a certificate or request is not made.

use super::gate::Fault;
use crate::key::KeyError;
use crate::profile::{Breach, NameForm};
use crate::x509::{Certificate, ExtensionError, time::rfc3339};
use time::OffsetDateTime;

/// Why a certificate or request is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The issuer's certificate is no CA's.
    #[error(
        "{issuer} is no certification authority: its basicConstraints do not say CA:TRUE (RFC 5280 §4.2.1.9); \
         no client would accept what it signs"
    )]
    NotAnAuthority {
        /// Who.
        issuer: String,
    },
    /// The issuer's keyUsage lacks keyCertSign.
    #[error("{issuer} may not sign certificates: its keyUsage lacks keyCertSign (RFC 5280 §4.2.1.3)")]
    NoCertSign {
        /// Who.
        issuer: String,
    },
    /// The issuer's keyUsage lacks cRLSign.
    #[error("{issuer} may not sign revocation lists: its keyUsage lacks cRLSign (RFC 5280 §4.2.1.3)")]
    NoCrlSign {
        /// Who.
        issuer: String,
    },
    /// The certificate may not answer about revocation for the CA.
    #[error("{responder} may not answer about revocation: {why} (RFC 6960 §4.2.2.2)")]
    NoDelegate {
        /// Who.
        responder: String,
        /// Why not.
        why: &'static str,
    },
    /// A revocation list that would be due before it is issued.
    #[error("a revocation list of {} cannot be due at {}", rfc3339(*.this_update), rfc3339(*.next_update))]
    Updates {
        /// `thisUpdate`.
        this_update: OffsetDateTime,
        /// `nextUpdate`.
        next_update: OffsetDateTime,
    },
    /// The number of a revocation list is too long, or not above that of the list it is the changes since.
    #[error("the cRLNumber is too long, or not above that of the base list (RFC 5280 §5.2.3, §5.2.4)")]
    ListNumber,
    /// An issuer's pathLenConstraint leaves no room for a certificate here.
    #[error("{issuer} may not have another CA here below it: its pathLenConstraint is {path_len} (RFC 5280 §4.2.1.9)")]
    PathLength {
        /// Who.
        issuer: String,
        /// Its pathLenConstraint.
        path_len: u64,
    },
    /// A CA is asked for that would promise more CAs below it than its issuer allows.
    #[error(
        "{issuer} has pathLenConstraint {path_len}, so this CA may have {most} further CAs below it at most: \
         ask for --path-len {most} or less (RFC 5280 §4.2.1.9)"
    )]
    PathLengthBelow {
        /// Who.
        issuer: String,
        /// Its pathLenConstraint.
        path_len: u64,
        /// The most the new CA may have.
        most: u64,
    },
    /// A CA is asked for whose nameConstraints permit what its issuer's do not.
    #[error(
        "{issuer} is permitted less than {wider}, so it cannot permit that to a CA below it: it is permitted {permitted} \
         (nameConstraints, RFC 5280 §4.2.1.10)"
    )]
    WiderConstraints {
        /// Who.
        issuer: String,
        /// The subtree asked for.
        wider: String,
        /// What the issuer has of that form.
        permitted: String,
    },
    /// A CA is asked for whose nameConstraints exclude all that its issuer is permitted.
    #[error(
        "the CA could certify no name: {issuer} is permitted {permitted}, and all of that is to be excluded; exclude less \
         (nameConstraints, RFC 5280 §4.2.1.10)"
    )]
    NothingPermitted {
        /// Who.
        issuer: String,
        /// What the issuer is permitted.
        permitted: String,
    },
    /// The issuer's extKeyUsage leaves out what the certificate is for.
    #[error("{issuer} may not issue for {purpose}: its extKeyUsage does not list it (RFC 5280 §4.2.1.12)")]
    Purpose {
        /// Who.
        issuer: String,
        /// The purpose.
        purpose: String,
    },
    /// The key given for the issuer belongs to another certificate.
    #[error("the key does not belong to the certificate of {issuer}: give the key that was made with it")]
    WrongKey {
        /// Who.
        issuer: String,
    },
    /// The issuer's certificate has expired.
    #[error(
        "the certificate of {issuer} expired at {}: `certkit ca renew` makes a new one for the same key",
        rfc3339(*.not_after)
    )]
    IssuerExpired {
        /// Who.
        issuer: String,
        /// When.
        not_after: OffsetDateTime,
    },
    /// The issuer's certificate is not valid yet.
    #[error("the certificate of {issuer} is not valid before {}: is the clock right?", rfc3339(*.not_before))]
    IssuerNotYetValid {
        /// Who.
        issuer: String,
        /// From when.
        not_before: OffsetDateTime,
    },
    /// The certificate would outlive its issuer, or begin before it.
    #[error("the validity is not within that of {issuer}, which ends at {}: shorten it", rfc3339(*.not_after))]
    OutlivesIssuer {
        /// Who.
        issuer: String,
        /// When the issuer's ends.
        not_after: OffsetDateTime,
    },
    /// The issuer's certificate cannot be understood.
    #[error("the certificate of {issuer} cannot be used: {why}")]
    UnusableIssuer {
        /// Who.
        issuer: String,
        /// Why.
        why: String,
    },
    /// The issuer's nameConstraints do not allow the name.
    #[error("{issuer} may not issue for {name}: {why} (nameConstraints, RFC 5280 §4.2.1.10)")]
    Constrained {
        /// Who.
        issuer: String,
        /// The name.
        name: String,
        /// Which constraint.
        why: String,
    },
    /// The validity ends before it begins, or lies outside the years that certificates can hold.
    #[error("a certificate cannot be valid from {} to {}", rfc3339(*.not_before), rfc3339(*.not_after))]
    Validity {
        /// `notBefore`.
        not_before: OffsetDateTime,
        /// `notAfter`.
        not_after: OffsetDateTime,
    },
    /// The serial number is zero, negative or too long.
    #[error("the serial number must be positive and of 20 octets at most (RFC 5280 §4.1.2.2)")]
    Serial,
    /// There is neither a subject nor a name.
    #[error("there is no name to certify: give at least one, for example --cn localhost")]
    NoName,
    /// A CA or a certificate that is its own issuer without a subject.
    #[error(
        "who issues certificates, itself included, needs a subject (RFC 5280 §4.1.2.4, §4.1.2.6): give one, for example \
         --cn \"Example Root CA\""
    )]
    NoSubject,
    /// None of the names has a form the profile requires.
    #[error("the profile {profile} needs {}: add one", one_of(.forms))]
    MissingName {
        /// The profile.
        profile: String,
        /// One of these.
        forms: Vec<NameForm>,
    },
    /// The profile does not allow names of this form.
    #[error("the profile {profile} has no place for {name}: it takes {}", one_of(.allowed))]
    NameForm {
        /// The profile.
        profile: String,
        /// The name.
        name: String,
        /// The forms it takes.
        allowed: Vec<NameForm>,
    },
    /// A name is malformed.
    #[error("{0}")]
    Name(String),
    /// An attribute of the subject is malformed.
    #[error("the {kind} of the subject {problem}")]
    Attribute {
        /// Which.
        kind: String,
        /// What is wrong.
        problem: String,
    },
    /// The subject is the same as the issuer's, so the certificate would look as if it had issued itself.
    #[error("the subject is the issuer's own name, {0}: choose another one")]
    SubjectIsIssuer(String),
    /// The key is too weak to be certified.
    #[error("an RSA key of {bits} bits is too weak to certify: make one of 2048 bits or more")]
    WeakKey {
        /// Its size.
        bits: u16,
    },
    /// A self-signed certificate for another key than the one that signs.
    #[error("a self-signed certificate is for the key that signs it, and this is another one")]
    NotOwnKey,
    /// The key cannot sign.
    #[error("cannot sign: {0}")]
    Signing(#[source] KeyError),
    /// The structure cannot be laid out.
    #[error("cannot lay the structure out: {0}")]
    Layout(String),
    /// The profile's limits are not kept.
    #[error("the profile {profile} refuses {}", told(.breaches))]
    Limits {
        /// The profile.
        profile: String,
        /// Every limit that is not kept.
        breaches: Vec<Breach>,
    },
    /// What was made breaks rules. It is not given out.
    #[error("the certificate breaks rules and is thrown away: {}", .faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Gate {
        /// Every rule it breaks.
        faults: Vec<Fault>,
    },
    /// What was made is not what was asked for. It is not given out.
    #[error("what was made fails its own check and is thrown away: {0}; this is a fault of certkit or of the machine")]
    SelfCheck(String),
}

impl IssueError {
    /// For `map_err`: an extension of the issuer does not parse.
    pub(super) fn unusable(issuer: &Certificate) -> impl Fn(ExtensionError) -> Self {
        |error| Self::UnusableIssuer { issuer: issuer.display_name(), why: error.to_string() }
    }
}

fn told(breaches: &[Breach]) -> String {
    breaches.iter().map(ToString::to_string).collect::<Vec<_>>().join("; and ")
}

fn one_of(forms: &[NameForm]) -> String {
    if forms.is_empty() {
        return "no such names at all".to_owned();
    }
    let forms: Vec<String> = forms.iter().map(|form| format!("a {form}")).collect();
    forms.join(" or ").replace("a IP", "an IP").replace("a e-mail", "an e-mail")
}
