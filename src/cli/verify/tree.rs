//! The paths that were tried as one tree: the judged certificate at its root, possible issuers as branches.

use super::report::{CertificateReport, PathReport};
use crate::cli::text::{Text, bad, dim, good, safe, strong, warn};

/// A certificate in the tree.
pub(super) struct Node<'a> {
    pub(super) certificate: &'a CertificateReport,
    /// What speaks against it at this place: whether it is fatal, and what it is.
    pub(super) complaints: Vec<(bool, String)>,
    pub(super) issuers: Vec<Node<'a>>,
    /// Whether an accepted path leads through it.
    pub(super) accepted: bool,
}

impl<'a> Node<'a> {
    /// Joins the paths where they begin alike. `None` where there is none.
    pub(super) fn of(paths: &'a [PathReport]) -> Option<Self> {
        let leaf = paths.first()?.certificates.first()?;
        let mut tree = Self::new(leaf);
        for path in paths {
            tree.grow(path, 0);
        }
        Some(tree)
    }

    fn new(certificate: &'a CertificateReport) -> Self {
        Self { certificate, complaints: Vec::new(), issuers: Vec::new(), accepted: false }
    }

    /// Adds what `path` says of its certificate at `depth`, which is this one, and of those above it.
    fn grow(&mut self, path: &'a PathReport, depth: usize) {
        self.accepted |= path.accepted;
        let last = depth + 1 == path.certificates.len();
        for finding in &path.findings {
            let here = finding.certificate.map_or(last, |certificate| certificate == depth);
            let complaint = (finding.outcome == "no", finding.detail.clone());
            if here && finding.outcome != "yes" && !self.complaints.contains(&complaint) {
                self.complaints.push(complaint);
            }
        }
        let Some(issuer) = path.certificates.get(depth + 1) else { return };
        let known = |node: &Node<'_>| node.certificate.fingerprint_sha256 == issuer.fingerprint_sha256;
        let at = self.issuers.iter().position(known).unwrap_or_else(|| {
            self.issuers.push(Self::new(issuer));
            self.issuers.len() - 1
        });
        if let Some(node) = self.issuers.get_mut(at) {
            node.grow(path, depth + 1);
        }
    }

    /// Draws the tree with box characters.
    pub(super) fn text(&self, text: &mut Text) {
        self.branch("", "", text);
    }

    fn branch(&self, lead: &str, rest: &str, text: &mut Text) {
        let name = safe(&self.certificate.name);
        let mark = match self.complaints.iter().any(|(fatal, _)| *fatal) {
            true => bad("NO ").to_string(),
            false if self.accepted => good("yes").to_string(),
            false => dim("-  ").to_string(),
        };
        text.line(format_args!("  {lead}{mark} {}  {}", strong(name), dim(self.certificate.role)));
        let below = if self.issuers.is_empty() { "   " } else { "│  " };
        for (fatal, complaint) in &self.complaints {
            let complaint = if *fatal { bad(complaint).to_string() } else { warn(complaint).to_string() };
            text.line(format_args!("  {rest}{below}   {complaint}"));
        }
        for (at, issuer) in self.issuers.iter().enumerate() {
            let last = at + 1 == self.issuers.len();
            let (fork, stem) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            issuer.branch(&format!("{rest}{fork}"), &format!("{rest}{stem}"), text);
        }
    }
}
