//! Certificate policies along a path (RFC 5280 §6.1.2 to §6.1.5 with the graph of RFC 9618).
//!
//! The trust anchor is no part of the path it anchors (RFC 5280 §6.1), so policy extensions in its certificate count for
//! nothing here, as in OpenSSL, Go and NIST's test suite. A judged certificate that is itself the anchor is processed all
//! the same: a policy that is asked for is looked for in it.

use std::collections::BTreeSet;

use super::Verifier;
use super::check::Check;
use super::policy_graph::{Mapping, NODES, PolicyGraph, TooLarge};
use super::reason::Reason;
use super::verdict::{Attempt, Findings, Place};
use crate::encoding::Oid;
use crate::x509::Certificate;
use crate::x509::extension::{
    CertificatePolicies, ExtensionType, InhibitAnyPolicy, PolicyConstraints, PolicyInformation, PolicyMappings,
};
use crate::x509::oids::ANY_POLICY;

/// What is asked of the policies of a path: the inputs (c), (e), (f) and (g) of RFC 5280 §6.1.1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyRequirements {
    /// user-initial-policy-set: the policies of which one is wanted. None, or anyPolicy among them, stands for any.
    pub wanted: Vec<Oid>,
    /// initial-explicit-policy: the path must be valid for a policy.
    pub explicit: bool,
    /// initial-policy-mapping-inhibit: policyMappings do not count.
    pub inhibit_mapping: bool,
    /// initial-any-policy-inhibit: anyPolicy in a certificate does not count.
    pub inhibit_any: bool,
}

/// The policies a path is valid for, in the terms of the anchor's domain, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicySets {
    /// authority-constrained-policy-set: what the issuers grant.
    pub authority: Vec<Oid>,
    /// user-constrained-policy-set: that which is also wanted.
    pub user: Vec<Oid>,
    /// Whether the path had to be valid for a policy, by request or by policyConstraints.
    pub explicit: bool,
    /// What the judged certificate says of these policies: where their practice statement is, notices to the user (the
    /// qualifier sets of RFC 5280 §6.1.3 (d) at the end of the path). Where issuers map policies, they are under the names
    /// that the certificate has for them.
    pub qualified: Vec<PolicyInformation>,
}

/// Where the last policy was lost on the way down, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyLoss {
    /// The place of the certificate in the path; 0 is the judged one.
    pub at: usize,
    /// What happened there.
    pub how: PolicyLossKind,
}

/// How the last policy was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyLossKind {
    /// The certificate has no certificatePolicies.
    Absent,
    /// It asserts none of the policies that held above it.
    NotExpected {
        /// What it asserts.
        found: Vec<Oid>,
        /// What held above it, under the names it had to use.
        expected: Vec<Oid>,
    },
    /// It maps the policies away, and mapping is inhibited.
    MappingInhibited,
}

/// Records whether the path keeps the policies asked for. `path` has the judged certificate first and the anchor last.
pub(super) fn check(path: &[&Certificate], verifier: &Verifier, findings: &mut Findings) {
    if !is_in_question(path, &verifier.policies) {
        return;
    }
    let (sets, fault) = process(path, &verifier.policies);
    match fault {
        Some((place, reason)) => findings.record(Check::Policies, place, Err(reason)),
        None if sets.explicit => findings.record(Check::Policies, Place::Path, Ok(())),
        None => {}
    }
}

/// Whether a path can fail for its policies at all. Unless somebody demands a policy, explicit_policy begins beyond the
/// path's end and stays over 0; few paths are worth a graph.
fn is_in_question(path: &[&Certificate], requirements: &PolicyRequirements) -> bool {
    let has = |oid: Oid| path.iter().any(|certificate| certificate.extensions().get(&oid).is_some());
    requirements.explicit || has(PolicyConstraints::OID) || has(PolicyMappings::OID)
}

impl Attempt {
    /// The policies the path is valid for; `None` where it meets no trust anchor and so is no whole path.
    pub fn policies(&self, verifier: &Verifier) -> Option<PolicySets> {
        let path: Vec<&Certificate> = self.path.iter().collect();
        self.anchored.then(|| {
            let mut sets = process(&path, &verifier.policies).0;
            sets.qualified = qualified(&path, &sets.user);
            sets
        })
    }
}

/// The policies of the judged certificate that have qualifiers and for which the path is valid.
fn qualified(path: &[&Certificate], user: &[Oid]) -> Vec<PolicyInformation> {
    let Some(CertificatePolicies(list)) = path.first().and_then(|leaf| value(leaf)) else { return Vec::new() };
    let mapped = path.iter().any(|certificate| certificate.extensions().get(&PolicyMappings::OID).is_some());
    let holds = |policy: &Oid| mapped || *policy == ANY_POLICY || user.contains(policy);
    let told = list.iter().filter(|it| !user.is_empty() && !it.qualifiers.is_empty() && holds(&it.policy));
    told.cloned().collect()
}

/// The sets, and the first fault with its place.
fn process(path: &[&Certificate], requirements: &PolicyRequirements) -> (PolicySets, Option<(Place, Reason)>) {
    let below = match path {
        [below @ .., _] if !below.is_empty() => below,
        alone => alone,
    };
    let mut state = State::new(below.len() as u64, requirements);
    for (at, certificate) in below.iter().enumerate().rev() {
        if let Err(reason) = state.take(certificate, at) {
            return (
                PolicySets { explicit: state.explicit == 0, ..PolicySets::default() },
                Some((Place::Certificate(at), reason)),
            );
        }
    }
    state.wrap_up(requirements)
}

/// The state variables of RFC 5280 §6.1.2 that concern policies.
struct State<'a> {
    requirements: &'a PolicyRequirements,
    graph: PolicyGraph,
    explicit: u64,
    mapping: u64,
    any: u64,
    /// The certificate whose policyConstraints asks for an explicit policy; `None` where the user does.
    demanded_by: Option<usize>,
    loss: Option<PolicyLoss>,
}

impl<'a> State<'a> {
    /// RFC 5280 §6.1.2 (d) to (f): each counter begins at 0 where the user says so, else beyond the path's end.
    fn new(length: u64, requirements: &'a PolicyRequirements) -> Self {
        let start = |now: bool| if now { 0 } else { length + 1 };
        Self {
            requirements,
            graph: PolicyGraph::new(),
            explicit: start(requirements.explicit),
            mapping: start(requirements.inhibit_mapping),
            any: start(requirements.inhibit_any),
            demanded_by: None,
            loss: None,
        }
    }

    /// Processes the certificate at this place; 0 is the last.
    fn take(&mut self, certificate: &Certificate, at: usize) -> Result<(), Reason> {
        let last = at == 0;
        let self_issued = !last && certificate.is_self_issued();
        let constraints = value::<PolicyConstraints>(certificate);

        self.descend(certificate, at, self_issued)?;
        // RFC 5280 §6.1.3 (f): an explicit policy is required, or the graph is not null.
        if self.explicit == 0 && self.graph.is_null() {
            return Err(self.missing(Vec::new()));
        }
        if last {
            // RFC 5280 §6.1.5 (a): the last certificate counts, self-issued or not.
            self.explicit = self.explicit.saturating_sub(1);
            // RFC 5280 §6.1.5 (b): requireExplicitPolicy of 0 holds at once.
            if constraints.and_then(|constraints| constraints.require_explicit_policy) == Some(0) {
                self.demand(0, at);
            }
            return Ok(());
        }
        self.map(certificate, at)?;
        // RFC 5280 §6.1.4 (h): self-issued certificates do not count.
        if !self_issued {
            for counter in [&mut self.explicit, &mut self.mapping, &mut self.any] {
                *counter = counter.saturating_sub(1);
            }
        }
        // RFC 5280 §6.1.4 (i), (j): a certificate may only tighten.
        if let Some(constraints) = constraints {
            constraints.require_explicit_policy.into_iter().for_each(|skip| self.demand(skip, at));
            self.mapping = self.mapping.min(constraints.inhibit_policy_mapping.unwrap_or(u64::MAX));
        }
        if let Some(InhibitAnyPolicy(skip)) = value(certificate) {
            self.any = self.any.min(*skip);
        }
        Ok(())
    }

    /// RFC 5280 §6.1.3 (d) and (e). `exempt` says that a self-issued certificate stands inside the path, in which
    /// anyPolicy always counts.
    fn descend(&mut self, certificate: &Certificate, at: usize, exempt: bool) -> Result<(), Reason> {
        if self.graph.is_null() {
            return Ok(());
        }
        let Some(CertificatePolicies(list)) = value(certificate) else {
            self.graph.nullify();
            self.loss = Some(PolicyLoss { at, how: PolicyLossKind::Absent });
            return Ok(());
        };
        let policies: BTreeSet<Oid> = list.iter().map(|information| information.policy.clone()).collect();
        let any = policies.contains(&ANY_POLICY) && (self.any > 0 || exempt);
        let expected = self.graph.expected();
        self.graph.descend(&policies, any)?;
        if self.graph.is_null() {
            let how = PolicyLossKind::NotExpected { found: policies.into_iter().collect(), expected };
            self.loss = Some(PolicyLoss { at, how });
        }
        Ok(())
    }

    /// RFC 5280 §6.1.4 (a) and (b).
    fn map(&mut self, certificate: &Certificate, at: usize) -> Result<(), Reason> {
        let Some(PolicyMappings(pairs)) = value(certificate) else { return Ok(()) };
        let mut mapping = Mapping::new();
        for (issuer_policy, subject_policy) in pairs {
            if *issuer_policy == ANY_POLICY || *subject_policy == ANY_POLICY {
                let (issuer_policy, subject_policy) = (issuer_policy.clone(), subject_policy.clone());
                return Err(Reason::AnyPolicyMapped { issuer_policy, subject_policy });
            }
            mapping.entry(issuer_policy.clone()).or_default().insert(subject_policy.clone());
        }
        if self.graph.is_null() {
            return Ok(());
        }
        if self.mapping > 0 {
            self.graph.map(mapping)?;
        } else {
            self.graph.remove(&mapping);
            if self.graph.is_null() {
                self.loss = Some(PolicyLoss { at, how: PolicyLossKind::MappingInhibited });
            }
        }
        Ok(())
    }

    fn demand(&mut self, skip: u64, at: usize) {
        if skip < self.explicit {
            (self.explicit, self.demanded_by) = (skip, Some(at));
        }
    }

    /// RFC 5280 §6.1.5 (g) as RFC 9618 §5.5 has it.
    fn wrap_up(self, requirements: &PolicyRequirements) -> (PolicySets, Option<(Place, Reason)>) {
        let authority = self.graph.authority_set();
        let user: BTreeSet<Oid> = match requirements.wants_any() {
            true => authority.clone(),
            false if authority.contains(&ANY_POLICY) => requirements.wanted.iter().cloned().collect(),
            false => requirements.wanted.iter().filter(|policy| authority.contains(*policy)).cloned().collect(),
        };
        let explicit = self.explicit == 0;
        let authority: Vec<Oid> = authority.into_iter().collect();
        let fault = (explicit && user.is_empty()).then(|| (Place::Path, self.missing(authority.clone())));
        let user = user.into_iter().collect();
        (PolicySets { authority, user, explicit, qualified: Vec::new() }, fault)
    }

    fn missing(&self, valid: Vec<Oid>) -> Reason {
        let wanted = if self.requirements.wants_any() { Vec::new() } else { self.requirements.wanted.clone() };
        let (demanded_by, loss) = (self.demanded_by, self.loss.clone());
        Reason::NoPolicy { wanted, valid, demanded_by, loss }
    }
}

impl PolicyRequirements {
    fn wants_any(&self) -> bool {
        self.wanted.is_empty() || self.wanted.contains(&ANY_POLICY)
    }
}

impl From<TooLarge> for Reason {
    fn from(_: TooLarge) -> Self {
        Self::GaveUp { what: "nodes of the policy graph", limit: NODES }
    }
}

/// An extension's value; one that does not parse is named by the check on encodings, which rejects.
fn value<T: ExtensionType>(certificate: &Certificate) -> Option<&T> {
    certificate.extension::<T>().ok().flatten().map(|found| found.value)
}
