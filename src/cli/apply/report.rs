//! What was changed, or would be.

use serde::Serialize;

use crate::cli::ca::issue::write_shortened;
use crate::cli::new::write_objections;
use crate::cli::output::Report;
use crate::cli::problem::Problem;
use crate::cli::text::{Text, bad, dim, good, safe, warn};
use crate::issue::Objection;

/// The answer.
#[derive(Debug, Serialize)]
pub(super) struct Applied {
    changes: usize,
    failures: usize,
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
    /// It stays, and gets the certificates between it and the root again.
    Chain,
    /// It stays, and its key gets a file of its own.
    Move,
    /// It is on hold, and stays so.
    Hold,
    /// It could not be looked at or made.
    Fail,
    /// It stays.
    None,
}

/// A CA.
#[derive(Debug, Serialize)]
pub(super) struct AuthorityRow {
    line: u64,
    folder: String,
    action: Action,
    why: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Problem>,
}

/// A certificate.
#[derive(Debug, Serialize)]
pub(super) struct CertificateRow {
    line: u64,
    certificate_file: String,
    key_file: String,
    action: Action,
    why: Vec<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(super) issued: Option<IssuedRow>,
    /// What is wrong about its files and stays as it is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Problem>,
}

/// A certificate that was issued.
#[derive(Debug, Serialize)]
pub(super) struct IssuedRow {
    pub(super) serial: String,
    pub(super) not_after: String,
    pub(super) key_is_new: bool,
    /// The notAfter asked for, where the CA's own comes before it.
    pub(super) shortened_from: Option<String>,
    /// Clients that will object to it however much they trust its CA.
    pub(super) objections: Vec<Objection>,
}

impl AuthorityRow {
    pub(super) fn new(line: u64, folder: String, action: Action, why: Vec<String>) -> Self {
        Self { line, folder, action, why, error: None }
    }

    /// The same where it could not be done.
    pub(super) fn failed(self, error: &anyhow::Error) -> Self {
        Self { action: Action::Fail, error: Some(error.into()), ..self }
    }
}

impl CertificateRow {
    pub(super) fn new(line: u64, certificate_file: String, key_file: String, action: Action, why: Vec<String>) -> Self {
        Self { line, certificate_file, key_file, action, why, issued: None, warnings: Vec::new(), error: None }
    }

    /// The same with what is wrong about its files.
    pub(super) fn warned(mut self, warning: Option<String>) -> Self {
        self.warnings.extend(warning);
        self
    }

    /// Adds what was done beside.
    pub(super) fn note(&mut self, note: Option<String>) {
        self.why.extend(note);
    }

    /// The same where it could not be done.
    pub(super) fn failed(self, error: &anyhow::Error) -> Self {
        Self { action: Action::Fail, error: Some(error.into()), ..self }
    }
}

impl Applied {
    pub(super) fn new(applied: bool) -> Self {
        Self { changes: 0, failures: 0, applied, authorities: Vec::new(), certificates: Vec::new() }
    }

    /// Counts the changes and the failures.
    pub(super) fn count(&mut self) -> (usize, usize) {
        let authorities = self.authorities.iter().map(|row| row.action);
        let actions: Vec<Action> = authorities.chain(self.certificates.iter().map(|row| row.action)).collect();
        self.failures = actions.iter().filter(|action| **action == Action::Fail).count();
        self.changes = actions.iter().filter(|action| action.changes()).count();
        (self.changes, self.failures)
    }
}

impl Action {
    /// Whether something is another afterwards.
    fn changes(self) -> bool {
        !matches!(self, Self::None | Self::Hold | Self::Fail)
    }

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
            (Self::Chain, true) => "completed",
            (Self::Chain, false) => "would complete",
            (Self::Move, true) => "moved",
            (Self::Move, false) => "would move",
            (Self::Hold, _) => "left alone",
            (Self::Fail, _) => "failed",
            (Self::None, _) => "unchanged",
        }
    }
}

impl Report for Applied {
    fn text(&self, text: &mut Text) {
        let line = |text: &mut Text, action: Action, what: &str, why: &str| {
            let word = action.word(self.applied);
            let word = match (action, self.applied) {
                (Action::None, _) => dim(word),
                (Action::Fail, _) => bad(word),
                (Action::Hold, _) => warn(word),
                (_, true) => good(word),
                (_, false) => warn(word),
            };
            text.line(format_args!("{word} {}{}", safe(what), safe(why)));
        };
        let told = |why: &[String]| if why.is_empty() { String::new() } else { format!(": {}", why.join(", ")) };
        for row in &self.authorities {
            line(text, row.action, &format!("the CA in {}", row.folder), &told(&row.why));
        }
        for row in &self.certificates {
            line(text, row.action, &row.certificate_file, &told(&row.why));
            for warning in &row.warnings {
                text.line(format_args!("{} {}", warn("warning:"), safe(warning)));
            }
            let Some(issued) = &row.issued else { continue };
            write_shortened(issued.shortened_from.as_deref(), text);
            write_objections(&issued.objections, text);
        }
        if self.authorities.is_empty() && self.certificates.is_empty() {
            text.line("the project asks for nothing");
        }
    }
}
