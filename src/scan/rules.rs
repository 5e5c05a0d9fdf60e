//! What is wrong with a server, and the grade that leaves: one table.

mod broken;

use super::found::{Scan, Support};
use crate::tls::code::ProtocolVersion;
use serde::Serialize;
use std::fmt;

/// How grave a finding is, and the best grade it leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// An attack is practical, or nothing is protected: grade F.
    Broken,
    /// A standard forbids it, or an attack has been shown: grade C at best.
    Weak,
    /// A standard advises against it: grade B at best.
    Dated,
    /// Worth knowing: no effect on the grade.
    Note,
}

/// From A, where nothing but notes was found, to F.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[allow(missing_docs)]
pub enum Grade {
    A,
    B,
    C,
    F,
}

impl Severity {
    /// The best grade that is left beside a finding of this severity.
    pub fn grade(self) -> Grade {
        match self {
            Self::Broken => Grade::F,
            Self::Weak => Grade::C,
            Self::Dated => Grade::B,
            Self::Note => Grade::A,
        }
    }

    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Weak => "weak",
            Self::Dated => "dated",
            Self::Note => "note",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Grade {
    /// Whether nothing that was found is forbidden or attackable: A or B.
    pub fn is_acceptable(self) -> bool {
        self <= Self::B
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::F => "F",
        })
    }
}

/// A rule: what is looked for, who says that it matters, and how much.
pub struct Rule {
    /// Its name, in kebab case.
    pub name: &'static str,
    /// The document and clause.
    pub clause: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What breaks it, as a sentence of its own.
    pub words: &'static str,
    /// What breaks it in this scan: the suites, groups or versions; empty where it is kept.
    broken: fn(&Scan) -> Vec<String>,
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule").field("name", &self.name).field("severity", &self.severity).finish_non_exhaustive()
    }
}

/// A rule that a server breaks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule's name.
    pub rule: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// The document and clause.
    pub clause: &'static str,
    /// What it means.
    pub words: &'static str,
    /// The suites, groups, versions or certificates at fault.
    pub found: Vec<String>,
}

/// Every rule, the gravest first.
pub const RULES: &[Rule] = broken::RULES;

/// All findings in a scan, the gravest first, and the grade they leave.
pub(super) fn judge(scan: &Scan) -> (Vec<Finding>, Grade) {
    let findings: Vec<Finding> = RULES
        .iter()
        .filter_map(|rule| {
            let found = (rule.broken)(scan);
            let Rule { name, clause, severity, words, broken: _ } = *rule;
            (!found.is_empty()).then_some(Finding { rule: name, severity, clause, words, found })
        })
        .collect();
    let grade = findings.iter().map(|finding| finding.severity.grade()).max().unwrap_or(Grade::A);
    (findings, grade)
}

fn speaks(scan: &Scan, version: ProtocolVersion) -> bool {
    scan.versions.iter().any(|one| one.version == version && one.is_supported())
}

/// The version's name, where it is spoken.
fn version(scan: &Scan, version: ProtocolVersion) -> Vec<String> {
    speaks(scan, version).then(|| version.to_string()).into_iter().collect()
}

/// The version's name, where it was asked for and is not spoken.
fn missing(scan: &Scan, version: ProtocolVersion) -> Vec<String> {
    let lacks = scan.versions.iter().any(|one| one.version == version && one.supported == Support::No);
    lacks.then(|| version.to_string()).into_iter().collect()
}

/// One finding without details.
fn when(broken: bool, what: &str) -> Vec<String> {
    broken.then(|| what.to_owned()).into_iter().collect()
}

#[cfg(test)]
mod tests;
