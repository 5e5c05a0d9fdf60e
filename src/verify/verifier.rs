//! The judge: what it trusts, what it asks for, and by which rules.

use ::time::OffsetDateTime;

use super::cache::SignatureCache;
use super::check::Policy;
use super::identity::Identity;
use super::policies::PolicyRequirements;
use super::reason::Reason;
use super::revocation::{CheckRevocation, Unavailable};
use super::search;
use super::verdict::Verdict;
use crate::encoding::Oid;
use crate::key::{HashAlgorithm, PublicKey, SignatureError};
use crate::x509::{Certificate, CertificateRevocationList, OcspResponse, oids};

/// What the judged certificate is to be used for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A TLS server (serverAuth).
    #[default]
    Server,
    /// A TLS client (clientAuth).
    Client,
    /// Signed and encrypted mail (emailProtection).
    Email,
    /// Signed programs (codeSigning).
    CodeSigning,
    /// OCSP responses (OCSPSigning).
    Ocsp,
    /// Time stamps (timeStamping).
    TimeStamping,
    /// Anything; purposes are not looked at.
    Any,
}

impl Purpose {
    /// The key purpose an extKeyUsage must list; `None` for [`Purpose::Any`].
    pub fn key_purpose(self) -> Option<Oid> {
        match self {
            Self::Server => Some(oids::SERVER_AUTH),
            Self::Client => Some(oids::CLIENT_AUTH),
            Self::Email => Some(oids::EMAIL_PROTECTION),
            Self::CodeSigning => Some(oids::CODE_SIGNING),
            Self::Ocsp => Some(oids::OCSP_SIGNING),
            Self::TimeStamping => Some(oids::TIME_STAMPING),
            Self::Any => None,
        }
    }
}

impl std::fmt::Display for Purpose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::Email => "email",
            Self::CodeSigning => "code-signing",
            Self::Ocsp => "ocsp",
            Self::TimeStamping => "timestamp",
            Self::Any => "any",
        })
    }
}

/// How many non-self-issued intermediates a path may have if nobody says otherwise. Public paths have three at most;
/// Chromium stops at 20 certificates, OpenSSL at 100.
const MAX_DEPTH: usize = 16;

/// Weak algorithms that are let through: what is signed with them may be forged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AllowWeak {
    /// Signatures over SHA-1, for which collisions are made since 2017.
    pub sha1: bool,
    /// RSA keys from 1024 to 2047 bits.
    pub small_rsa: bool,
}

impl AllowWeak {
    /// Whether this fault is one that is let through.
    pub(super) fn covers(self, reason: &Reason) -> bool {
        match reason {
            Reason::WeakHash(HashAlgorithm::Sha1) => self.sha1,
            Reason::SmallKey { bits, .. } => self.small_rsa && *bits >= SMALLEST_RSA_BITS,
            _ => false,
        }
    }

    /// Checks a signature, with as little care as is allowed and no less.
    pub(super) fn verify(self, certificate: &Certificate, key: &PublicKey) -> Result<(), SignatureError> {
        let algorithm = certificate.signature_algorithm()?;
        let weak_hash = algorithm.hash() == Some(HashAlgorithm::Sha1);
        let weak_key = key.rsa_modulus_bits().is_some_and(|bits| bits < 2048);
        let too_small = key.rsa_modulus_bits().is_some_and(|bits| bits < SMALLEST_RSA_BITS);
        let allowed = (self.sha1 || !weak_hash) && (self.small_rsa || !weak_key) && !too_small;
        if (weak_hash || weak_key) && allowed {
            algorithm.verify_weak(key, certificate.tbs(), certificate.signature())
        } else {
            algorithm.verify(key, certificate.tbs(), certificate.signature())
        }
    }
}

/// Under 1024 bits an RSA key is broken by anybody; 829 bits were factored in 2020.
const SMALLEST_RSA_BITS: u16 = 1024;

/// A judge. Fields are set directly; [`Verifier::new`] fills in the rest.
#[derive(Debug, Clone)]
pub struct Verifier {
    /// Certificates trusted without further question. They are judged like any other issuer, but for their own
    /// signatures.
    pub anchors: Vec<Certificate>,
    /// Certificates that may help to build a path.
    pub intermediates: Vec<Certificate>,
    /// The identities the certificate must present, all of them; none if no name is asked for.
    pub identities: Vec<Identity>,
    /// What it is to be used for.
    pub purpose: Purpose,
    /// By which rules it is judged.
    pub policy: Policy,
    /// The moment of judgment.
    pub at: OffsetDateTime,
    /// How many non-self-issued intermediates a path may have.
    pub max_depth: usize,
    /// Revocation lists, complete and delta ones, in any order.
    pub revocation_lists: Vec<CertificateRevocationList>,
    /// Saved or stapled OCSP responses.
    pub ocsp_responses: Vec<OcspResponse>,
    /// Responders whose answers are relied on, whoever issued their certificates: a local configuration of OCSP signing
    /// authority (RFC 6960 §4.2.2.2).
    pub ocsp_responders: Vec<Certificate>,
    /// What certificates name and could not be had, so that the verdict can say it.
    pub unavailable: Vec<Unavailable>,
    /// Of which certificates the status must be known.
    pub check_revocation: CheckRevocation,
    /// Weak algorithms of old archives that are let through with a warning.
    pub allow_weak: AllowWeak,
    /// Signatures of issuers checked before, where many certificates are judged.
    pub cache: Option<SignatureCache>,
    /// What is asked of certificate policies.
    pub policies: PolicyRequirements,
}

impl Verifier {
    /// A judge that trusts `anchors` and judges servers as of `at` by the default policy, asking for no name.
    pub fn new(anchors: Vec<Certificate>, at: OffsetDateTime) -> Self {
        Self {
            anchors,
            intermediates: Vec::new(),
            identities: Vec::new(),
            purpose: Purpose::default(),
            policy: Policy::default(),
            at,
            max_depth: MAX_DEPTH,
            revocation_lists: Vec::new(),
            ocsp_responses: Vec::new(),
            ocsp_responders: Vec::new(),
            unavailable: Vec::new(),
            check_revocation: CheckRevocation::default(),
            allow_weak: AllowWeak::default(),
            cache: None,
            policies: PolicyRequirements::default(),
        }
    }

    /// Judges `certificate`: the first good path found is accepted, or every attempt is told.
    pub fn judge(&self, certificate: &Certificate) -> Verdict {
        self.judge_with(certificate, &[])
    }

    /// As [`Self::judge`], with certificates that came along and may help to build a path.
    pub fn judge_with(&self, certificate: &Certificate, more: &[Certificate]) -> Verdict {
        search::judge(self, certificate, more)
    }
}
