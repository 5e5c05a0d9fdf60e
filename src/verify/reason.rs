//! Why a rule is broken: facts, not prose. The sentences are made in one place, `prose.rs`.

use ::time::OffsetDateTime;

use super::identity::IdentityMismatch;
use super::policies::PolicyLoss;
use super::revocation::{RevocationSource, SourceFault, Unavailable};
use crate::encoding::Oid;
use crate::key::{HashAlgorithm, KeyError, SignatureError};
use crate::x509::extension::CrlReason;
use crate::x509::{DistinguishedName, ExtensionError, GeneralName, SerialNumber, Validity};

/// Why a rule is broken, with the values that broke it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// No certificate among anchors and intermediates has the issuer's name.
    IssuerNotFound {
        /// The name looked for.
        issuer: DistinguishedName,
        /// Where the certificate says its issuer's certificate is to be had.
        issuer_uris: Vec<String>,
        /// Those of these places where it could not be had.
        unavailable: Vec<Unavailable>,
    },
    /// The certificate is its own issuer and no trust anchor.
    SelfSignedNotTrusted {
        /// Its name.
        subject: DistinguishedName,
    },
    /// A certificate with the issuer's name is there, but the chain goes in circles.
    Loop {
        /// The issuer's name.
        issuer: DistinguishedName,
    },
    /// The search reached one of its limits.
    GaveUp {
        /// What was counted.
        what: &'static str,
        /// How many are allowed.
        limit: usize,
    },
    /// The path has more non-self-issued intermediates than allowed.
    TooDeep {
        /// How many are allowed.
        limit: usize,
    },
    /// An extension does not parse.
    Extension(ExtensionError),
    /// The signature does not verify.
    Signature(SignatureError),
    /// The signature rests on a broken hash.
    WeakHash(HashAlgorithm),
    /// The algorithm identifiers inside and outside the signed part differ.
    AlgorithmsDiffer,
    /// The public key is malformed or of an unknown kind.
    Key(KeyError),
    /// An RSA key is too small.
    SmallKey {
        /// Its size in bits.
        bits: u16,
        /// The least that is accepted, in bits.
        minimum: u16,
    },
    /// The moment of judgment lies before notBefore.
    NotYetValid {
        /// The validity.
        validity: Validity,
        /// The moment of judgment.
        at: OffsetDateTime,
    },
    /// The moment of judgment lies after notAfter.
    Expired {
        /// The validity.
        validity: Validity,
        /// The moment of judgment.
        at: OffsetDateTime,
    },
    /// notBefore comes after notAfter.
    ValidityReversed(Validity),
    /// A time is not encoded as RFC 5280 asks.
    TimeEncoding {
        /// The time as it stands.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// An issuer has no basicConstraints.
    NoBasicConstraints,
    /// An issuer's basicConstraints says CA:FALSE.
    NotCa,
    /// An issuer is of version 1 or 2 and can't say that it is a CA.
    OldVersionIssuer {
        /// Its version.
        version: u8,
    },
    /// An issuer's keyUsage lacks keyCertSign.
    NoKeyCertSign,
    /// More intermediates follow than pathLenConstraint allows.
    PathLength {
        /// pathLenConstraint.
        limit: u64,
        /// How many non-self-issued intermediates follow.
        found: u64,
    },
    /// A name lies outside the permitted subtrees.
    NotPermitted {
        /// The name.
        name: GeneralName,
        /// The permitted subtrees of its form.
        permitted: Vec<GeneralName>,
    },
    /// A name lies inside an excluded subtree.
    Excluded {
        /// The name.
        name: GeneralName,
        /// The subtree.
        base: GeneralName,
    },
    /// A constraint's base is malformed or its form can't be compared.
    ConstraintMalformed {
        /// The base.
        base: GeneralName,
        /// What is wrong.
        why: &'static str,
    },
    /// A name is malformed, so that it can't be compared with a constraint.
    NameMalformed {
        /// The name.
        name: GeneralName,
    },
    /// The path is valid for no policy, or for none of those wanted, and has to be.
    NoPolicy {
        /// The policies of which one is wanted; empty where any will do.
        wanted: Vec<Oid>,
        /// The policies the path is valid for.
        valid: Vec<Oid>,
        /// The certificate whose policyConstraints asks for a policy; `None` where the user does.
        demanded_by: Option<usize>,
        /// Where the last policy was lost.
        loss: Option<PolicyLoss>,
    },
    /// policyMappings maps to or from anyPolicy.
    AnyPolicyMapped {
        /// issuerDomainPolicy.
        issuer_policy: Oid,
        /// subjectDomainPolicy.
        subject_policy: Oid,
    },
    /// certificatePolicies names a policy twice.
    PolicyTwice(Oid),
    /// A critical extension is not known or not handled.
    UnknownCritical(Oid),
    /// An extension stands twice.
    Duplicate(Oid),
    /// extKeyUsage does not list the purpose.
    Purpose {
        /// The purpose wanted.
        wanted: Oid,
        /// The purposes listed.
        found: Vec<Oid>,
    },
    /// keyUsage has none of the bits that the purpose needs.
    KeyUsage {
        /// The names of the bits set.
        found: Vec<&'static str>,
        /// The names of the bits of which one is needed.
        wanted: Vec<&'static str>,
    },
    /// No subjectAltName is the name asked for.
    Identity(Box<IdentityMismatch>),
    /// The rule that [`super::Check`] names is broken; there are no values to add.
    Broken(&'static str),
    /// A serial number is zero, negative or too long.
    Serial(SerialNumber),
    /// The key identifiers of issuer and subject differ.
    KeyIdentifiers {
        /// authorityKeyIdentifier of the lower certificate.
        authority: Vec<u8>,
        /// subjectKeyIdentifier of the upper one.
        subject: Vec<u8>,
    },
    /// A host name in the certificate breaks the syntax.
    NameSyntax {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// A wildcard covers too much.
    BroadWildcard {
        /// The name.
        name: String,
    },
    /// A commonName is not among the subjectAltNames.
    CommonNameNotInSan {
        /// The commonName.
        common_name: String,
    },
    /// The validity is longer than clients take.
    LongValidity {
        /// Its length in days.
        days: i64,
        /// The most that is taken, in days.
        limit: i64,
    },
    /// The certificate is revoked.
    Revoked {
        /// Since when.
        since: OffsetDateTime,
        /// Why; `None` where the source does not say.
        reason: Option<CrlReason>,
        /// Who says so.
        source: Option<RevocationSource>,
    },
    /// Nothing given settles whether the certificate is revoked.
    StatusUnknown {
        /// Reasons for revocation that no list covers, where others are covered.
        uncovered: Vec<&'static str>,
        /// What the certificate names and could not be had.
        unavailable: Vec<Unavailable>,
    },
    /// A list or response cannot be relied on.
    Revocation(Box<SourceFault>),
}
