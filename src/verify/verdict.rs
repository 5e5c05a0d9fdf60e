//! The answer: accepted or not, and every finding that led there.

use super::check::{Check, Severity};
use super::reason::Reason;
use super::revocation::CertificateStatus;
use super::verifier::AllowWeak;
use crate::x509::Certificate;

/// The judgment on one certificate.
#[derive(Debug, Clone)]
#[must_use = "a verdict that is not looked at is a check that never fails"]
pub struct Verdict {
    /// Whether the certificate is accepted.
    accepted: bool,
    /// The paths tried, the most telling first: the accepted one, or the one that came closest.
    attempts: Vec<Attempt>,
}

/// One path that was tried.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The certificates, the judged one first.
    pub path: Vec<Certificate>,
    /// Whether the last certificate is a trust anchor.
    pub anchored: bool,
    /// What was found on it, in the order of the checks.
    pub findings: Vec<Finding>,
    /// What is known about the revocation of its certificates, as far as it was asked.
    pub revocation: Vec<CertificateStatus>,
}

/// The outcome of one check at one place.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Which rule.
    pub check: Check,
    /// Where.
    pub place: Place,
    /// What came out.
    pub outcome: Outcome,
}

/// Where a rule was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At the certificate with this index in the path; 0 is the judged one.
    Certificate(usize),
    /// On the path as a whole.
    Path,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The rule holds.
    Passed,
    /// The rule is broken, which the policy tolerates.
    Warned(Box<Reason>),
    /// The rule is broken and the certificate rejected.
    Failed(Box<Reason>),
}

impl Finding {
    /// Why, where the rule is broken.
    pub fn reason(&self) -> Option<&Reason> {
        match &self.outcome {
            Outcome::Passed => None,
            Outcome::Warned(reason) | Outcome::Failed(reason) => Some(reason),
        }
    }

    /// Whether the certificate is rejected for it.
    pub fn is_failure(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_))
    }
}

impl Attempt {
    /// The findings for which the path is rejected.
    pub fn failures(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.is_failure())
    }

    /// The deviations that the policy tolerates.
    pub fn warnings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| matches!(finding.outcome, Outcome::Warned(_)))
    }

    /// Whether nothing speaks against it.
    pub fn is_good(&self) -> bool {
        self.anchored && self.failures().next().is_none()
    }

    /// How telling the attempt is: one that reached a limit leaves the question open; after that, an anchored path with
    /// one fault says more than a stump.
    fn closeness(&self) -> (bool, bool, isize, usize) {
        let gave_up = self.failures().any(|finding| finding.check == Check::Budget);
        let faults = isize::try_from(self.failures().count()).unwrap_or(isize::MAX);
        (gave_up, self.anchored, -faults, self.path.len())
    }
}

impl Verdict {
    /// A verdict from the attempts made; the good one, if any, stands first.
    pub(super) fn new(mut attempts: Vec<Attempt>) -> Self {
        attempts.sort_by_key(|attempt| std::cmp::Reverse((attempt.is_good(), attempt.closeness())));
        let accepted = attempts.first().is_some_and(Attempt::is_good);
        Self { accepted, attempts }
    }

    /// Whether the certificate is accepted.
    pub fn is_accepted(&self) -> bool {
        self.accepted
    }

    /// The paths tried, the most telling first. There is always at least one.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// The accepted path, the judged certificate first.
    pub fn accepted_path(&self) -> Option<&[Certificate]> {
        self.attempts.first().filter(|_| self.accepted).map(|attempt| attempt.path.as_slice())
    }

    /// Why the most telling attempt was rejected; none where one was accepted.
    pub fn reasons(&self) -> Vec<&Reason> {
        let Some(first) = self.attempts.first() else { return Vec::new() };
        first.failures().filter_map(Finding::reason).collect()
    }
}

/// Collects findings under one policy.
pub(super) struct Findings {
    pub(super) policy: super::Policy,
    pub(super) list: Vec<Finding>,
    pub(super) statuses: Vec<CertificateStatus>,
    pub(super) allow_weak: AllowWeak,
}

impl Findings {
    pub(super) fn new(policy: super::Policy) -> Self {
        Self { policy, list: Vec::with_capacity(64), statuses: Vec::new(), allow_weak: AllowWeak::default() }
    }

    /// Records what `check` found at `place`: nothing where the rule does not belong to the policy.
    pub(super) fn record(&mut self, check: Check, place: Place, result: Result<(), Reason>) {
        let outcome = match (result, check.severity(self.policy)) {
            (_, Severity::Off) => return,
            (Ok(()), _) => Outcome::Passed,
            (Err(reason), Severity::Warning) => Outcome::Warned(Box::new(reason)),
            (Err(reason), Severity::Error) if self.allow_weak.covers(&reason) => Outcome::Warned(Box::new(reason)),
            (Err(reason), Severity::Error) => Outcome::Failed(Box::new(reason)),
        };
        self.list.push(Finding { check, place, outcome });
    }

    /// Records only a broken rule; for rules whose keeping is not worth a line.
    pub(super) fn complain(&mut self, check: Check, place: Place, result: Result<(), Reason>) {
        if result.is_err() {
            self.record(check, place, result);
        }
    }

    /// Records a broken rule as a warning, whatever its severity.
    pub(super) fn warn(&mut self, check: Check, place: Place, reason: Reason) {
        self.list.push(Finding { check, place, outcome: Outcome::Warned(Box::new(reason)) });
    }

    /// Whether the rule belongs to the policy, where finding out costs something.
    pub(super) fn heed(&self, check: Check) -> bool {
        check.severity(self.policy) != Severity::Off
    }

    pub(super) fn any_failure(&self) -> bool {
        self.list.iter().any(Finding::is_failure)
    }
}
