//! What was changed, or would be.

use serde::Serialize;

use crate::cli::output::Report;
use crate::cli::text::{Text, dim, good, safe, warn};

/// The answer.
#[derive(Debug, Serialize)]
pub(super) struct Applied {
    changes: usize,
    applied: bool,
    pub(super) authorities: Vec<AuthorityRow>,
    pub(super) certificates: Vec<CertificateRow>,
}

/// What is done about one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    /// A CA is made.
    Make,
    /// A certificate that was not there is issued.
    Issue,
    /// One that ends soon gets a successor.
    Renew,
    /// One that is not as it should be gets a successor.
    Reissue,
    /// It stays.
    None,
}

/// A CA.
#[derive(Debug, Serialize)]
pub(super) struct AuthorityRow {
    pub(super) line: u64,
    pub(super) folder: String,
    pub(super) action: Action,
}

/// A certificate.
#[derive(Debug, Serialize)]
pub(super) struct CertificateRow {
    pub(super) line: u64,
    pub(super) certificate_file: String,
    pub(super) key_file: String,
    pub(super) action: Action,
    pub(super) why: Vec<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(super) issued: Option<IssuedRow>,
}

/// A certificate that was issued.
#[derive(Debug, Serialize)]
pub(super) struct IssuedRow {
    pub(super) serial: String,
    pub(super) not_after: String,
    pub(super) key_is_new: bool,
}

impl Applied {
    pub(super) fn new(applied: bool) -> Self {
        Self { changes: 0, applied, authorities: Vec::new(), certificates: Vec::new() }
    }

    /// Counts the changes.
    pub(super) fn count(&mut self) -> usize {
        let authorities = self.authorities.iter().map(|row| row.action);
        let all = authorities.chain(self.certificates.iter().map(|row| row.action));
        self.changes = all.filter(|action| *action != Action::None).count();
        self.changes
    }
}

impl Action {
    /// What was done, or would be.
    fn word(self, applied: bool) -> &'static str {
        match (self, applied) {
            (Self::Make, true) => "made",
            (Self::Issue, true) => "issued",
            (Self::Renew, true) => "renewed",
            (Self::Reissue, true) => "issued again",
            (Self::Make, false) => "would make",
            (Self::Issue, false) => "would issue",
            (Self::Renew, false) => "would renew",
            (Self::Reissue, false) => "would issue again",
            (Self::None, _) => "unchanged",
        }
    }
}

impl Report for Applied {
    fn text(&self, text: &mut Text) {
        let mut line = |action: Action, what: &str, why: &str| {
            let word = action.word(self.applied);
            let word = match (action, self.applied) {
                (Action::None, _) => dim(word),
                (_, true) => good(word),
                (_, false) => warn(word),
            };
            text.line(format_args!("{word} {}{}", safe(what), safe(why)));
        };
        for row in &self.authorities {
            line(row.action, &format!("the CA in {}", row.folder), "");
        }
        for row in &self.certificates {
            let why = if row.why.is_empty() { String::new() } else { format!(": {}", row.why.join(", ")) };
            line(row.action, &row.certificate_file, &why);
        }
        if self.authorities.is_empty() && self.certificates.is_empty() {
            text.line("the project asks for nothing");
        }
    }
}
