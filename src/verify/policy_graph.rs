//! The valid policy graph (RFC 9618 §5): which policies hold from the trust anchor down, one level a certificate.
//!
//! RFC 5280 drew a tree, in which a policy that can be reached on many ways stands many times; two policies mapped
//! crosswise on every level double it each time (CVE-2023-0464). Here a policy stands once on a level and names its
//! parents, so the graph grows with the certificates' size and no faster.

use std::collections::{BTreeMap, BTreeSet};

use crate::encoding::Oid;
use crate::x509::oids::ANY_POLICY;

/// Nodes in the graph of one path: as many as OpenSSL allows (`OPENSSL_POLICY_TREE_NODES_MAX`). Public chains need ten.
pub(super) const NODES: usize = 1000;

/// A mapping as one certificate states it: issuerDomainPolicy to every subjectDomainPolicy it counts as.
pub(super) type Mapping = BTreeMap<Oid, BTreeSet<Oid>>;

/// The graph. It is null, as the RFC says, where no policy holds any longer.
pub(super) struct PolicyGraph {
    /// From the anchor down; empty where the graph is null.
    levels: Vec<Level>,
    nodes_left: usize,
}

/// The graph has more than [`NODES`].
#[derive(Debug)]
pub(super) struct TooLarge;

/// The nodes of one depth by their valid_policy.
type Level = BTreeMap<Oid, Node>;

struct Node {
    /// expected_policy_set: what the next certificate may call this policy.
    expected: BTreeSet<Oid>,
    /// The nodes one level up from which this one is reached.
    parents: Vec<Oid>,
}

impl PolicyGraph {
    /// RFC 9618 §5.2, for RFC 5280 §6.1.2 (a): one node of depth 0, anyPolicy, which expects anyPolicy.
    pub(super) fn new() -> Self {
        let root = Node { expected: BTreeSet::from([ANY_POLICY]), parents: Vec::new() };
        Self { levels: vec![Level::from([(ANY_POLICY, root)])], nodes_left: NODES }
    }

    pub(super) fn is_null(&self) -> bool {
        self.levels.is_empty()
    }

    /// No policy holds any longer.
    pub(super) fn nullify(&mut self) {
        self.levels.clear();
    }

    /// What the next certificate may assert, in its own terms.
    pub(super) fn expected(&self) -> Vec<Oid> {
        self.expectations().into_keys().collect()
    }

    /// RFC 9618 §5.3, for RFC 5280 §6.1.3 (d): the next level, from the policies a certificate asserts. `any` says that
    /// it asserts anyPolicy and that this counts.
    pub(super) fn descend(&mut self, policies: &BTreeSet<Oid>, any: bool) -> Result<(), TooLarge> {
        let expectations = self.expectations();
        let under_any = self.levels.last().is_some_and(|level| level.contains_key(&ANY_POLICY));
        let mut level = Level::new();
        // (d)(1): each policy but anyPolicy, under what expects it, or else under anyPolicy.
        for policy in policies.iter().filter(|policy| **policy != ANY_POLICY) {
            let parents = match expectations.get(policy) {
                Some(parents) => parents.clone(),
                None if under_any => vec![ANY_POLICY],
                None => continue,
            };
            level.insert(policy.clone(), Node::expecting_itself(policy, parents));
        }
        // (d)(2): anyPolicy stands for every policy that is expected and not named.
        if any {
            for (policy, parents) in expectations {
                level.entry(policy.clone()).or_insert_with(|| Node::expecting_itself(&policy, parents));
            }
        }
        self.nodes_left = self.nodes_left.checked_sub(level.len()).ok_or(TooLarge)?;
        self.levels.push(level);
        self.prune();
        Ok(())
    }

    /// RFC 9618 §5.4, for RFC 5280 §6.1.4 (b)(1): each mapped policy of the last level now goes by its new names.
    pub(super) fn map(&mut self, mapping: Mapping) -> Result<(), TooLarge> {
        let Some(level) = self.levels.last_mut() else { return Ok(()) };
        let under_any = level.contains_key(&ANY_POLICY);
        for (policy, expected) in mapping {
            if let Some(node) = level.get_mut(&policy) {
                node.expected = expected;
            } else if under_any {
                self.nodes_left = self.nodes_left.checked_sub(1).ok_or(TooLarge)?;
                level.insert(policy, Node { expected, parents: vec![ANY_POLICY] });
            }
        }
        Ok(())
    }

    /// RFC 5280 §6.1.4 (b)(2): where mapping is inhibited, a mapped policy holds no longer.
    pub(super) fn remove(&mut self, mapping: &Mapping) {
        if let Some(level) = self.levels.last_mut() {
            level.retain(|policy, _| !mapping.contains_key(policy));
            self.prune();
        }
    }

    /// RFC 9618 §5.5, for RFC 5280 §6.1.5 (g): the authority-constrained policy set, in the terms of the anchor's domain:
    /// the policies met first below anyPolicy, and anyPolicy itself where it reaches the last certificate.
    pub(super) fn authority_set(&self) -> BTreeSet<Oid> {
        let mut set = BTreeSet::new();
        for level in &self.levels {
            let first = level.iter().filter(|(policy, node)| **policy != ANY_POLICY && node.parents == [ANY_POLICY]);
            set.extend(first.map(|(policy, _)| policy.clone()));
        }
        if self.levels.last().is_some_and(|level| level.contains_key(&ANY_POLICY)) {
            set.insert(ANY_POLICY);
        }
        set
    }

    /// Each expected policy of the last level with the nodes that expect it.
    fn expectations(&self) -> BTreeMap<Oid, Vec<Oid>> {
        let mut expectations: BTreeMap<Oid, Vec<Oid>> = BTreeMap::new();
        for (policy, node) in self.levels.last().into_iter().flatten() {
            for expected in &node.expected {
                expectations.entry(expected.clone()).or_default().push(policy.clone());
            }
        }
        expectations
    }

    /// RFC 5280 §6.1.3 (d)(3): nodes above the last level that lead nowhere go. From the bottom up one pass is enough.
    fn prune(&mut self) {
        let mut reached: Option<BTreeSet<Oid>> = None;
        for level in self.levels.iter_mut().rev() {
            if let Some(reached) = &reached {
                level.retain(|policy, _| reached.contains(policy));
            }
            reached = Some(level.values().flat_map(|node| node.parents.iter().cloned()).collect());
        }
        if self.levels.last().is_some_and(BTreeMap::is_empty) {
            self.nullify();
        }
    }
}

impl Node {
    fn expecting_itself(policy: &Oid, parents: Vec<Oid>) -> Self {
        Self { expected: BTreeSet::from([policy.clone()]), parents }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn oid(arc: u32) -> Oid {
        format!("1.3.6.1.4.1.55555.{arc}").parse().unwrap()
    }

    fn set<const N: usize>(arcs: [u32; N]) -> BTreeSet<Oid> {
        arcs.into_iter().map(oid).collect()
    }

    #[test]
    fn crosswise_mappings_do_not_double_the_graph() {
        let mut graph = PolicyGraph::new();
        for _ in 0..200 {
            graph.descend(&set([1, 2]), false).unwrap();
            graph.map(Mapping::from([(oid(1), set([1, 2])), (oid(2), set([1, 2]))])).unwrap();
        }
        assert_eq!(graph.nodes_left, NODES - 400);
        assert_eq!(graph.authority_set(), set([1, 2]));
    }

    #[test]
    fn more_nodes_than_allowed_are_refused() {
        let mut graph = PolicyGraph::new();
        let many: BTreeSet<Oid> = (0..=NODES as u32).map(oid).collect();
        assert!(graph.descend(&many, false).is_err());
        let mut graph = PolicyGraph::new();
        graph.descend(&BTreeSet::new(), true).unwrap();
        assert!(graph.map(many.into_iter().map(|policy| (policy, set([1]))).collect()).is_err());
    }

    #[test]
    fn a_branch_that_ends_takes_its_parents_along() {
        let mut graph = PolicyGraph::new();
        graph.descend(&set([1, 2]), false).unwrap();
        graph.map(Mapping::from([(oid(1), set([3])), (oid(2), set([4]))])).unwrap();
        graph.descend(&set([3]), false).unwrap();
        assert_eq!(graph.authority_set(), set([1]));
        assert_eq!(graph.levels.iter().map(BTreeMap::len).collect::<Vec<_>>(), [1, 1, 1]);
        graph.descend(&set([4]), false).unwrap();
        assert!(graph.is_null());
        assert!(graph.authority_set().is_empty());
    }

    #[test]
    fn any_policy_stands_for_what_is_expected_and_not_named() {
        let mut graph = PolicyGraph::new();
        graph.descend(&set([1, 2]), false).unwrap();
        graph.descend(&set([1]), true).unwrap();
        assert_eq!(graph.expected(), [oid(1), oid(2)]);
        assert_eq!(graph.authority_set(), set([1, 2]));
    }
}
