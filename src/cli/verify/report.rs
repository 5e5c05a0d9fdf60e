//! The verdict as a report: first the answer, then why, then the path with every check.

use std::path::Path;

use serde::Serialize;

use super::compat::{self, CompatRow};
use super::fetching::{self, FetchReport};
use super::revocation::RevocationReport;
use super::schema;
use super::tree::Node;
use crate::cli::clock;
use crate::cli::output::{Report, shown};
use crate::cli::text::{Text, bad, dim, good, safe, strong, warn};
use crate::container::{Content, Item};
use crate::encoding::{Oid, hex};
use crate::verify::{Attempt, Finding, Outcome, Place, PolicySets, Verdict, Verifier};
use crate::x509::Certificate;
use crate::x509::extension::PolicyQualifier;

/// The whole answer. `answer.schema.json` has every field of it, and of the reports below.
#[derive(Serialize)]
pub(in crate::cli) struct VerifyReport {
    schema: &'static str,
    pub(super) file: String,
    pub(in crate::cli) accepted: bool,
    at: String,
    policy: &'static str,
    purpose: String,
    names: Vec<String>,
    pub(super) reasons: Vec<Complaint>,
    warnings: Vec<Complaint>,
    pub(super) paths: Vec<PathReport>,
    blocks: Vec<BlockReport>,
    /// What clients would say, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) compat: Option<Vec<CompatRow>>,
    /// What was fetched, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) fetches: Option<Vec<FetchReport>>,
    #[serde(skip)]
    show: Show,
}

/// How the prose shows the paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Show {
    /// Every check of the most telling path.
    Best,
    /// Every check of every path.
    All,
    /// All paths as one tree, with what speaks against them.
    Tree,
}

/// A broken rule.
#[derive(Serialize, PartialEq)]
pub(in crate::cli) struct Complaint {
    pub(in crate::cli) check: &'static str,
    pub(in crate::cli) clause: &'static str,
    pub(in crate::cli) certificate: Option<usize>,
    pub(in crate::cli) detail: String,
    pub(in crate::cli) hint: Option<String>,
}

/// One path that was tried.
#[derive(Serialize)]
pub(super) struct PathReport {
    pub(super) accepted: bool,
    pub(super) anchored: bool,
    pub(super) certificates: Vec<CertificateReport>,
    pub(super) findings: Vec<FindingReport>,
    pub(super) policies: Option<PolicyReport>,
}

/// The certificate policies a path is valid for.
#[derive(Serialize)]
pub(super) struct PolicyReport {
    pub(super) authority: Vec<String>,
    pub(super) user: Vec<String>,
    pub(super) explicit: bool,
    pub(super) qualifiers: Vec<QualifierReport>,
}

/// What the judged certificate says of a policy that holds.
#[derive(Serialize)]
pub(super) struct QualifierReport {
    policy: String,
    cps: Vec<String>,
    notices: Vec<String>,
}

/// A certificate of a path.
#[derive(Serialize)]
pub(super) struct CertificateReport {
    pub(super) subject: String,
    pub(super) issuer: String,
    pub(super) serial: String,
    pub(super) not_before: String,
    pub(super) not_after: String,
    pub(super) fingerprint_sha256: String,
    pub(super) role: &'static str,
    pub(super) revocation: Option<RevocationReport>,
    #[serde(skip)]
    pub(super) name: String,
}

/// The outcome of one check.
#[derive(Serialize)]
pub(super) struct FindingReport {
    pub(super) check: &'static str,
    pub(super) clause: &'static str,
    pub(super) certificate: Option<usize>,
    pub(super) outcome: &'static str,
    pub(super) detail: String,
}

/// A block of the file and what became of it.
#[derive(Serialize)]
pub(in crate::cli) struct BlockReport {
    block: usize,
    line: Option<usize>,
    kind: String,
    used: &'static str,
    #[serde(skip)]
    damage: Option<String>,
}

impl BlockReport {
    /// Accounts for every block.
    pub(super) fn all(items: &[Item]) -> Vec<Self> {
        let mut judged = false;
        let mut reports = Vec::new();
        for (item, block) in items.iter().zip(1..) {
            let (used, damage) = match &item.content {
                Content::Certificate(_) if !judged => ("judged", None),
                Content::Certificate(_) => ("may help to build a path", None),
                Content::Malformed { what, why } => ("does not parse", Some(format!("the {what} is damaged: {why}"))),
                _ => ("not used", None),
            };
            judged |= matches!(item.content, Content::Certificate(_));
            reports.push(Self { block, line: item.line, kind: item.content.with_article(), used, damage });
        }
        reports
    }

    fn place(&self) -> String {
        self.line.map_or_else(|| format!("block {}", self.block), |line| format!("block {} (line {line})", self.block))
    }
}

/// Whether a PEM label is one of a certificate.
pub(super) fn is_certificate_label(label: Option<&str>) -> bool {
    label.is_none_or(|label| label.contains("CERTIFICATE") && !label.contains("REQUEST"))
}

impl VerifyReport {
    /// Judges and reports. A damaged block is a rejection even where the rest would be accepted.
    pub(in crate::cli) fn new(
        file: &Path,
        leaf: Option<&Certificate>,
        verifier: &Verifier,
        blocks: Vec<BlockReport>,
        damage: Vec<Complaint>,
        show: Show,
    ) -> Self {
        let verdict = leaf.map(|leaf| verifier.judge(leaf));
        let attempts = verdict.as_ref().map(Verdict::attempts).unwrap_or_default();
        let best = attempts.first();
        let mut reasons: Vec<Complaint> = blocks.iter().filter_map(Complaint::of_block).collect();
        let collect = |wanted: fn(&Finding) -> bool| {
            let mut complaints: Vec<Complaint> = Vec::new();
            let findings = best.into_iter().flat_map(|attempt| attempt.findings.iter().map(move |it| (it, attempt)));
            for (finding, attempt) in findings.filter(|(finding, _)| wanted(finding)) {
                let complaint = Complaint::of_finding(finding, attempt, verifier);
                if !complaints.contains(&complaint) {
                    complaints.push(complaint);
                }
            }
            complaints
        };
        reasons.extend(damage);
        reasons.extend(collect(Finding::is_failure));
        Self {
            schema: schema::VERDICT,
            file: shown(file),
            accepted: verdict.as_ref().is_some_and(Verdict::is_accepted) && reasons.is_empty(),
            at: clock::rfc3339(verifier.at),
            policy: verifier.policy.name(),
            purpose: verifier.purpose.to_string(),
            names: verifier.identities.iter().map(ToString::to_string).collect(),
            warnings: collect(|finding| matches!(finding.outcome, Outcome::Warned(_))),
            reasons,
            paths: attempts.iter().map(|attempt| PathReport::new(attempt, verifier)).collect(),
            blocks,
            compat: None,
            fetches: None,
            show,
        }
    }

    /// The answer in a word.
    pub(super) fn verdict(&self) -> &'static str {
        if self.accepted { "ACCEPTED" } else { "REJECTED" }
    }

    /// The answer and what speaks for and against it, without the checks.
    pub(in crate::cli) fn brief(&self, text: &mut Text) {
        let headline = self.headline();
        if self.accepted {
            text.line(format_args!("{} {}", good(self.verdict()), safe(headline)));
        } else {
            text.line(format_args!("{} {}", bad(self.verdict()), safe(headline)));
        }
        for reason in &self.reasons {
            text.line(format_args!("  {}", bad(&reason.detail)));
            if let Some(hint) = &reason.hint {
                text.line(format_args!("    to do: {}", safe(hint)));
            }
        }
        for warning in &self.warnings {
            text.line(format_args!("  {} {}", warn("warning:"), safe(&warning.detail)));
        }
    }

    /// The answer in one line.
    pub(in crate::cli) fn words(&self) -> String {
        let reasons: Vec<&str> = self.reasons.iter().map(|reason| reason.detail.as_str()).collect();
        let because = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) };
        format!("{} {}{because}", self.verdict(), self.headline())
    }

    /// What was judged, and how.
    pub(super) fn headline(&self) -> String {
        let name = match self.names.as_slice() {
            [] => "any name".to_owned(),
            names => names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(" and "),
        };
        format!("{} for {name}, purpose {}, policy {}, as of {}", self.file, self.purpose, self.policy, self.at)
    }
}

impl Complaint {
    fn of_block(block: &BlockReport) -> Option<Self> {
        let damage = block.damage.as_ref()?;
        Some(Self {
            check: "encoding",
            clause: "X.690; RFC 7468",
            certificate: None,
            detail: format!("{}: {damage}", block.place()),
            hint: Some("take the block out, or fetch the file again".to_owned()),
        })
    }

    fn of_finding(finding: &Finding, attempt: &Attempt, verifier: &Verifier) -> Self {
        Self {
            check: finding.check.name(),
            clause: finding.check.clause(),
            certificate: index(finding.place),
            detail: finding.detail(attempt, verifier),
            hint: finding.reason().and_then(crate::verify::Reason::hint),
        }
    }
}

impl PathReport {
    fn new(attempt: &Attempt, verifier: &Verifier) -> Self {
        let top = attempt.path.len().saturating_sub(1);
        let role = |at: usize| match at {
            at if at == top && attempt.anchored => "trusted root",
            0 => "judged",
            _ => "intermediate",
        };
        let certificates = attempt.path.iter().enumerate();
        let findings = attempt.findings.iter().map(|finding| FindingReport {
            check: finding.check.name(),
            clause: finding.check.clause(),
            certificate: index(finding.place),
            outcome: match finding.outcome {
                Outcome::Passed => "yes",
                Outcome::Warned(_) => "warning",
                Outcome::Failed(_) => "no",
            },
            detail: finding.detail(attempt, verifier),
        });
        Self {
            accepted: attempt.is_good(),
            anchored: attempt.anchored,
            certificates: certificates
                .map(|(at, certificate)| {
                    CertificateReport::new(certificate, role(at), RevocationReport::of(&attempt.revocation, at))
                })
                .collect(),
            findings: findings.collect(),
            policies: attempt.policies(verifier).map(PolicyReport::new),
        }
    }

    fn text(&self, text: &mut Text) {
        for (at, certificate) in self.certificates.iter().enumerate() {
            let CertificateReport { name, role, .. } = certificate;
            text.line(format_args!("  {at}  {}  {}", strong(safe(name)), dim(role)));
            self.findings
                .iter()
                .filter(|finding| finding.certificate == Some(at))
                .for_each(|finding| finding.text(text));
        }
        self.findings.iter().filter(|finding| finding.certificate.is_none()).for_each(|finding| finding.text(text));
        if let Some(policies) = &self.policies {
            policies.text(text);
        }
    }
}

impl PolicyReport {
    fn new(sets: PolicySets) -> Self {
        let dotted = |list: Vec<Oid>| list.iter().map(Oid::to_string).collect();
        let qualifiers = sets.qualified.iter().map(|information| QualifierReport {
            policy: information.policy.to_string(),
            cps: information.qualifiers.iter().filter_map(PolicyQualifier::cps_uri).collect(),
            notices: information.qualifiers.iter().filter_map(PolicyQualifier::notice_text).collect(),
        });
        let qualifiers = qualifiers.collect();
        Self { authority: dotted(sets.authority), user: dotted(sets.user), explicit: sets.explicit, qualifiers }
    }

    fn text(&self, text: &mut Text) {
        if !self.authority.is_empty() {
            text.line(format_args!(
                "     {}",
                dim(format_args!("certificate policies: {}", self.authority.join(", ")))
            ));
        }
        for QualifierReport { policy, cps, notices } in &self.qualifiers {
            let said = cps.iter().map(|uri| format!("practice statement {uri}"));
            for said in said.chain(notices.iter().map(|notice| format!("notice: {notice}"))) {
                text.line(format_args!("     {}", dim(safe(format!("policy {policy}: {said}")))));
            }
        }
    }
}

impl CertificateReport {
    fn new(certificate: &Certificate, role: &'static str, revocation: Option<RevocationReport>) -> Self {
        Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            serial: certificate.serial().to_string(),
            not_before: clock::rfc3339(certificate.validity().not_before),
            not_after: clock::rfc3339(certificate.validity().not_after),
            fingerprint_sha256: hex::colons(&certificate.fingerprint_sha256()),
            role,
            revocation,
            name: certificate.display_name(),
        }
    }
}

impl FindingReport {
    fn text(&self, text: &mut Text) {
        let Self { check, clause, detail, .. } = self;
        let (mark, detail) = match self.outcome {
            "yes" => (good("yes").to_string(), safe(detail).to_string()),
            "no" => (bad("NO ").to_string(), bad(detail).to_string()),
            _ => (warn("hm ").to_string(), warn(detail).to_string()),
        };
        text.line(format_args!("     {mark} {check:20} {detail}  {}", dim(format_args!("[{clause}]"))));
    }
}

impl VerifyReport {
    /// What was fetched, where that was asked.
    pub(in crate::cli) fn fetched(&self, text: &mut Text) {
        if let Some(fetches) = &self.fetches {
            fetching::text(fetches, text);
        }
    }
}

impl Report for VerifyReport {
    fn text(&self, text: &mut Text) {
        self.brief(text);

        if self.show == Show::Tree {
            text.blank();
            Node::of(&self.paths).iter().for_each(|tree| tree.text(text));
        } else {
            self.checks(text);
        }
        self.fetched(text);
        if let Some(rows) = &self.compat {
            compat::text(rows, text);
        }

        let aside = self
            .blocks
            .iter()
            .filter(|block| block.used == "not used")
            .map(|block| format!("{} is {} and not used", block.place(), block.kind));
        let aside: Vec<String> = aside.collect();
        if !aside.is_empty() {
            text.blank();
            aside.iter().for_each(|line| text.line(dim(line)));
        }
    }
}

impl VerifyReport {
    fn checks(&self, text: &mut Text) {
        let shown = if self.show == Show::All { self.paths.len() } else { 1 };
        for (path, number) in self.paths.iter().zip(1..).take(shown) {
            text.blank();
            let outcome = if path.accepted { "accepted" } else { "rejected" };
            let reach = if path.anchored { "" } else { ", meets no trusted root" };
            text.line(format_args!("path {number} of {}: {outcome}{reach}", self.paths.len()));
            path.text(text);
        }
        if self.paths.len() > shown {
            text.line(dim("  --all-paths shows the others, --tree draws them"));
        }
    }
}

fn index(place: Place) -> Option<usize> {
    match place {
        Place::Certificate(index) => Some(index),
        Place::Path => None,
    }
}
