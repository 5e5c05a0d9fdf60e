//! Path building (RFC 4158): from the judged certificate up through every possible issuer, with backtracking and limits.
//!
//! Two walks. The first looks for a path to accept and turns back at the first fault. Only where it finds none, the
//! second goes on past faults, so that the answer can tell of whole paths.

use super::Verifier;
use super::check::Check;
use super::reason::Reason;
use super::revocation::Inquiry;
use super::verdict::{Attempt, Findings, Place, Verdict};
use super::{issuer_checks, leaf_checks, name_constraints, path_checks, single_checks};
use crate::key::SignatureError;
use crate::x509::Certificate;
use crate::x509::extension::{AuthorityInfoAccess, AuthorityKeyIdentifier};
use crate::x509::{DistinguishedName, oids};

/// Signature checks in one judgment. rustls-webpki allows 100, Go 100 (`maxChainSignatureChecks`); BetterTLS needs under 30.
const SIGNATURES: usize = 100;
/// Steps from a certificate to a possible issuer in one walk; names and key identifiers cost little, loops and
/// duplicates multiply them.
const STEPS: usize = 5_000;
/// Attempts that are told. A reader looks at a handful.
const ATTEMPTS: usize = 16;

/// Judges `leaf`. `more` are intermediates beside those of the verifier.
pub(super) fn judge<'a>(verifier: &'a Verifier, leaf: &'a Certificate, more: &'a [Certificate]) -> Verdict {
    let mut findings = Findings::new(verifier.policy);
    findings.allow_weak = verifier.allow_weak;
    single_checks::check(leaf, Place::Certificate(0), verifier.at, false, &mut findings);
    leaf_checks::check(leaf, verifier, &mut findings);
    let hopeless = findings.any_failure();

    let mut search = Search {
        verifier,
        pool: pool(verifier, more),
        signatures: Vec::new(),
        signatures_left: SIGNATURES,
        comparisons_left: name_constraints::COMPARISONS,
        steps_left: STEPS,
        limit_reached: None,
        telling: false,
        revocation: Inquiry::new(verifier, more),
        attempts: Vec::new(),
    };
    for past_faults in [false, true] {
        if hopeless && !past_faults {
            continue;
        }
        search.steps_left = STEPS;
        search.telling = past_faults;
        let mut path = vec![leaf];
        if search.climb(&mut path, &mut findings) {
            break;
        }
    }
    Verdict::new(search.attempts)
}

/// A certificate that may be an issuer.
struct Candidate<'a> {
    certificate: &'a Certificate,
    anchor: bool,
}

/// Anchors first: the shortest path is the best. The same certificate twice counts once.
fn pool<'a>(verifier: &'a Verifier, more: &'a [Certificate]) -> Vec<Candidate<'a>> {
    let mut pool: Vec<Candidate<'a>> =
        verifier.anchors.iter().map(|certificate| Candidate { certificate, anchor: true }).collect();
    for certificate in verifier.intermediates.iter().chain(more) {
        if !pool.iter().any(|known| known.certificate == certificate) {
            pool.push(Candidate { certificate, anchor: false });
        }
    }
    pool
}

struct Search<'a> {
    verifier: &'a Verifier,
    pool: Vec<Candidate<'a>>,
    /// Signatures already checked: the address of the certificate, the place of the issuer in the pool, and the outcome.
    /// There are never more than [`SIGNATURES`].
    signatures: Vec<(*const Certificate, usize, Result<(), SignatureError>)>,
    signatures_left: usize,
    comparisons_left: usize,
    steps_left: usize,
    limit_reached: Option<Reason>,
    /// Whether faulty paths are told too, as they are on the second walk.
    telling: bool,
    revocation: Inquiry<'a>,
    attempts: Vec<Attempt>,
}

impl<'a> Search<'a> {
    /// Goes on from the last certificate of `path`. Answers whether an acceptable path was found; it is then the last
    /// attempt. `findings` is as it was when this returns.
    fn climb(&mut self, path: &mut Vec<&'a Certificate>, findings: &mut Findings) -> bool {
        let Some(&current) = path.last() else { return false };
        let mark = findings.list.len();

        let is_anchor = self.pool.iter().any(|known| known.anchor && known.certificate == current);
        if is_anchor {
            path_checks::check(path, self.verifier, &mut self.comparisons_left, findings);
            self.revocation.check(path, findings);
            findings.record(Check::Path, Place::Path, Ok(()));
            let good = !findings.any_failure();
            self.tell(path, true, findings);
            findings.list.truncate(mark);
            findings.statuses.clear();
            return good;
        }

        let candidates = self.candidates(current);
        // A certificate that is its own issuer and finds no key that signed it only shares its name with a root.
        let own_issuer = current.is_self_issued();
        let (mut led_on, mut looped) = (false, false);
        for index in candidates {
            let Some(candidate) = self.pool.get(index) else { continue };
            let issuer = candidate.certificate;
            if path.iter().any(|known| is_same_entity(known, issuer)) {
                looped = true;
                continue;
            }
            if !self.take_step() {
                break;
            }
            led_on |= !own_issuer;
            let (below, above) = (Place::Certificate(path.len() - 1), Place::Certificate(path.len()));
            let anchor = is_trusted(&self.pool, index);
            if !self.telling {
                // A fault that costs nothing to find spares the signature, which costs more than all else.
                check_issuer(issuer, anchor, above, path, self.verifier, findings);
                if findings.any_failure() {
                    findings.list.truncate(mark);
                    continue;
                }
            }
            let signature = self.signature(current, index, path.len() > 1);
            let broken = signature.is_err();
            if broken && own_issuer && self.limit_reached.is_none() {
                findings.list.truncate(mark);
                continue;
            }
            led_on = true;
            findings.record(Check::Signature, below, signature);
            if !broken {
                findings.record(Check::NameChaining, below, Ok(()));
                if self.telling {
                    check_issuer(issuer, anchor, above, path, self.verifier, findings);
                }
            }
            path.push(issuer);
            let good = if broken {
                // A signature that fails leads nowhere, however trusted the key.
                self.tell(path, false, findings);
                false
            } else {
                self.climb(path, findings)
            };
            path.pop();
            findings.list.truncate(mark);
            if good {
                return true;
            }
            if self.limit_reached.is_some() || self.told_enough() {
                break;
            }
        }
        if let Some(limit) = self.limit_reached.clone() {
            findings.record(Check::Budget, Place::Path, Err(limit));
            self.tell(path, false, findings);
        } else if !led_on {
            let (check, reason) = dead_end(current, looped, self.verifier);
            findings.record(check, Place::Path, Err(reason));
            self.tell(path, false, findings);
        }
        findings.list.truncate(mark);
        false
    }

    /// Possible issuers of `certificate` by name, the likeliest first: key identifiers that agree, a validity that covers
    /// the moment, anchors. None of these decides; they only order (RFC 4158 §3.5).
    fn candidates(&self, certificate: &Certificate) -> Vec<usize> {
        let named = self.pool.iter().enumerate();
        let named = named.filter(|(_, candidate)| has_name(candidate.certificate, certificate.issuer()));
        let mut candidates: Vec<usize> = named.map(|(at, _)| at).collect();
        // One needs no order, and one is what there usually is.
        if candidates.len() > 1 {
            let authority = certificate.authority_key_identifier().ok().flatten();
            let rank = |at: &usize| self.pool.get(*at).map(|candidate| self.rank(candidate, authority));
            candidates.sort_by_cached_key(rank);
        }
        candidates
    }

    /// Lower is likelier.
    fn rank(&self, candidate: &Candidate<'_>, authority: Option<&AuthorityKeyIdentifier>) -> u8 {
        let wanted = authority.and_then(|authority| authority.key_identifier.as_ref());
        let agrees = match (wanted, candidate.certificate.subject_key_identifier()) {
            (Some(wanted), Ok(Some(found))) => wanted == found,
            _ => true,
        };
        let valid = candidate.certificate.validity().contains(self.verifier.at);
        u8::from(!agrees) * 4 + u8::from(!valid) * 2 + u8::from(!candidate.anchor)
    }

    fn take_step(&mut self) -> bool {
        match self.steps_left.checked_sub(1) {
            Some(left) => self.steps_left = left,
            None => self.limit_reached = Some(Reason::GaveUp { what: "steps of path building", limit: STEPS }),
        }
        self.limit_reached.is_none()
    }

    /// Checks the signature on `certificate` with the key of the candidate at `index`, once for each pair. An issuer's
    /// signature may be known from judgments before.
    fn signature(&mut self, certificate: &'a Certificate, index: usize, issues: bool) -> Result<(), Reason> {
        let address = std::ptr::from_ref(certificate);
        let Some(issuer) = self.pool.get(index).map(|candidate| candidate.certificate) else {
            return Err(Reason::Signature(SignatureError::BadKey));
        };
        if let Some((_, _, known)) = self.signatures.iter().find(|(of, by, _)| *of == address && *by == index) {
            return known.clone().map_err(|error| unsigned(error, issuer));
        }
        let Some(left) = self.signatures_left.checked_sub(1) else {
            let limit = Reason::GaveUp { what: "signature checks", limit: SIGNATURES };
            self.limit_reached = Some(limit.clone());
            return Err(limit);
        };
        self.signatures_left = left;
        let check = || match issuer.public_key() {
            Ok(key) => self.verifier.allow_weak.verify(certificate, &key),
            Err(_) => Err(SignatureError::BadKey),
        };
        let checked = match &self.verifier.cache {
            Some(cache) if issues => cache.or_check(certificate, issuer, check),
            _ => check(),
        };
        self.signatures.push((address, index, checked.clone()));
        checked.map_err(|error| unsigned(error, issuer))
    }

    fn told_enough(&self) -> bool {
        self.telling && self.attempts.len() >= ATTEMPTS
    }

    fn tell(&mut self, path: &[&Certificate], anchored: bool, findings: &Findings) {
        let full = self.attempts.len() >= ATTEMPTS && self.limit_reached.is_none();
        if (!self.telling && findings.any_failure()) || full {
            return;
        }
        let attempt = Attempt {
            path: path.iter().map(|&certificate| certificate.clone()).collect(),
            anchored,
            findings: findings.list.clone(),
            revocation: findings.statuses.clone(),
        };
        self.attempts.push(attempt);
    }
}

/// Why a signature does not hold. Where the issuer's key is at fault, that fault says more: DSA, for one, by its name.
fn unsigned(error: SignatureError, issuer: &Certificate) -> Reason {
    issuer.public_key().map_or_else(Reason::Key, |_| Reason::Signature(error))
}

fn is_trusted(pool: &[Candidate<'_>], index: usize) -> bool {
    pool.get(index).is_some_and(|candidate| candidate.anchor)
}

fn check_issuer(
    issuer: &Certificate,
    anchor: bool,
    place: Place,
    path: &[&Certificate],
    verifier: &Verifier,
    findings: &mut Findings,
) {
    single_checks::check(issuer, place, verifier.at, anchor, findings);
    let between = path.iter().skip(1).filter(|certificate| !certificate.is_self_issued()).count();
    issuer_checks::check(issuer, place, between as u64, anchor, findings);
}

fn has_name(candidate: &Certificate, name: &DistinguishedName) -> bool {
    candidate.subject().matches(name)
}

/// RFC 4158 §2.4.2 and §5.2: a path that meets the same name with the same key again goes in circles.
fn is_same_entity(known: &Certificate, candidate: &Certificate) -> bool {
    known.public_key_info() == candidate.public_key_info() && known.subject().matches(candidate.subject())
}

/// Why no issuer could be tried.
fn dead_end(current: &Certificate, looped: bool, verifier: &Verifier) -> (Check, Reason) {
    if current.is_self_issued() {
        return (Check::Path, Reason::SelfSignedNotTrusted { subject: current.subject().clone() });
    }
    let issuer = current.issuer().clone();
    if looped {
        return (Check::Path, Reason::Loop { issuer });
    }
    let access = current.extension::<AuthorityInfoAccess>().ok().flatten();
    let uris = access.iter().flat_map(|found| found.value.uris(oids::CA_ISSUERS));
    let issuer_uris: Vec<String> = uris.map(str::to_owned).collect();
    let unavailable = verifier.unavailable.iter().filter(|it| it.is_of(current) && issuer_uris.contains(&it.url));
    let unavailable = unavailable.cloned().collect();
    (Check::NameChaining, Reason::IssuerNotFound { issuer, issuer_uris, unavailable })
}
