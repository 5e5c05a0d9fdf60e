//! What went wrong, in one line, and what to do next.
//!
//! Lower case, no full stop: `certkit: cannot read key.pem: permission denied`, then perhaps `  hint: …`. The causes of an
//! error follow it, joined by `: `.

use std::error::Error;
use std::fmt;
use std::io;

use anyhow::anyhow;
use clap::error::{ContextKind, ErrorKind};
use serde::Serialize;

use super::passphrase::PassphraseError;
use super::text::safe;
use crate::ca::{AuthorityError, LedgerError};

/// An error as it is shown: `{"message", "hint"}` in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Problem {
    message: String,
    hint: Option<String>,
}

/// Says what to do next about an error.
pub trait Hinted<T> {
    /// Adds a hint, one lower-case line, shown below the error. The hint added last is the one shown.
    ///
    /// # Errors
    /// The error it was given, with the hint.
    fn hint(self, hint: impl Into<String>) -> anyhow::Result<T>;

    /// Adds a hint where there is one.
    ///
    /// # Errors
    /// The error it was given.
    fn hint_if(self, hint: Option<impl Into<String>>) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> Hinted<T> for Result<T, E> {
    fn hint(self, hint: impl Into<String>) -> anyhow::Result<T> {
        self.map_err(|error| WithHint { error: error.into(), hint: hint.into() }.into())
    }

    fn hint_if(self, hint: Option<impl Into<String>>) -> anyhow::Result<T> {
        match hint {
            Some(hint) => self.hint(hint),
            None => self.map_err(Into::into),
        }
    }
}

/// An error of the system in plain words, without its number or the path the caller will name.
pub fn plain(error: io::Error) -> anyhow::Error {
    anyhow!(words(&error))
}

impl From<&anyhow::Error> for Problem {
    fn from(error: &anyhow::Error) -> Self {
        let mut message = String::new();
        for cause in error.chain() {
            let said = cause.to_string();
            // Some errors already quote their cause.
            if !message.is_empty() && message.ends_with(&said) {
                continue;
            }
            let said = match cause.downcast_ref::<io::Error>() {
                Some(error) if error.get_ref().is_none() => words(error),
                _ => said,
            };
            message = if message.is_empty() { said } else { format!("{message}: {said}") };
        }
        let hint = error.chain().find_map(|cause| cause.downcast_ref::<WithHint>()).map(|with| with.hint.clone());
        let hint = hint.or_else(|| error.chain().find_map(about_a_ledger).map(str::to_owned));
        Self { message, hint }
    }
}

/// What to do about a ledger that cannot be used, whatever was asked of it.
fn about_a_ledger(cause: &(dyn Error + 'static)) -> Option<&'static str> {
    let of_an_authority = || match cause.downcast_ref()? {
        AuthorityError::Ledger(error) => Some(error),
        _ => None,
    };
    match cause.downcast_ref().or_else(of_an_authority)? {
        LedgerError::Unwritable { ledger, why } if ledger.contains("://") => why.contains("this user of the").then_some(
            "have its owner grant it: USAGE on the schema certkit, and SELECT, INSERT, UPDATE on all tables and sequences in it",
        ),
        LedgerError::Unwritable { why, .. } if why.contains("no space") => Some("make room on its disk; then try again"),
        // It says itself what to do.
        LedgerError::Unwritable { why, .. } if why.contains("copy both") => None,
        LedgerError::Unwritable { .. } => Some("let this user write to it and to its folder; then try again"),
        LedgerError::Foreign { .. } => {
            Some("put the ledger back from a backup, or say where it is with --ledger or in ca.toml")
        }
        _ => None,
    }
}

impl Problem {
    /// What went wrong.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// What to do next.
    pub(super) fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// A mistake in the arguments of the command `called`.
    pub(super) fn of_usage(error: &clap::Error, called: &str) -> Self {
        let see = || format!("see `{called} --help`");
        if let ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand = error.kind() {
            return Self { message: "no command given".into(), hint: Some(see()) };
        }
        let told = error.render().to_string();
        let mut paragraphs = told.split("\n\n");
        let first = paragraphs.next().unwrap_or_default();
        let mut message = one_line(first.strip_prefix("error: ").unwrap_or(first));
        // clap quotes the value it refuses; this one may be a secret.
        if let Some(refused) = error.source().and_then(|source| source.downcast_ref::<PassphraseError>()) {
            message = match error.get(ContextKind::InvalidArg) {
                Some(flag) => format!("{flag}: {refused}"),
                None => refused.to_string(),
            };
        }
        let (mut tips, mut usage) = (Vec::new(), None);
        for paragraph in paragraphs {
            if let Some(shape) = paragraph.trim_start().strip_prefix("Usage: ") {
                usage = Some(format!("usage: {}", one_line(shape)));
            }
            tips.extend(
                paragraph.lines().filter_map(|line| line.trim().strip_prefix("tip: ")).map(with_value_of_option),
            );
        }
        let hint = if tips.is_empty() { usage.unwrap_or_else(see) } else { tips.join("; ") };
        Self { message, hint: Some(hint) }
    }
}

/// One line for the error, one for the hint.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "certkit: {}", safe(&self.message))?;
        match &self.hint {
            Some(hint) => writeln!(f, "  hint: {}", safe(hint)),
            None => Ok(()),
        }
    }
}

/// What clap says of a value that begins with a hyphen is right for arguments alone.
fn with_value_of_option(tip: &str) -> String {
    match tip.strip_prefix("to pass '").and_then(|rest| rest.split_once('\'')) {
        Some((value, _)) => format!("{tip}, or as the value of an option '--option={value}...'"),
        None => tip.to_owned(),
    }
}

fn words(error: &io::Error) -> String {
    let words = match error.kind() {
        io::ErrorKind::NotFound => "no such file",
        io::ErrorKind::PermissionDenied => "permission denied",
        io::ErrorKind::IsADirectory => "it is a folder",
        io::ErrorKind::NotADirectory => "a part of the path is no folder",
        io::ErrorKind::AlreadyExists => "it exists already",
        io::ErrorKind::FileTooLarge => "it would be larger than this system allows",
        io::ErrorKind::StorageFull => "no space left on the disk",
        io::ErrorKind::QuotaExceeded => "the disk quota is used up",
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only",
        _ => return error.to_string(),
    };
    words.to_owned()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An error that looks like the one it holds, with a hint beside it.
#[derive(Debug)]
struct WithHint {
    error: anyhow::Error,
    hint: String,
}

impl fmt::Display for WithHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for WithHint {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;
    use clap::Parser;

    use super::*;
    use crate::cli::passphrase::PassphraseSource;

    fn shown(error: &anyhow::Error) -> String {
        Problem::from(error).to_string()
    }

    #[test]
    fn an_error_and_its_causes_are_one_line() {
        let error = anyhow!("permission\ndenied").context("cannot read key.pem");
        assert_eq!(shown(&error), "certkit: cannot read key.pem: permission\\ndenied\n");
    }

    #[test]
    fn an_error_of_the_system_is_in_plain_words() {
        let error = anyhow::Error::from(io::Error::from(io::ErrorKind::NotFound)).context("cannot open the ledger");
        assert_eq!(shown(&error), "certkit: cannot open the ledger: no such file\n");
        let error = anyhow::Error::from(io::Error::new(io::ErrorKind::NotFound, "no row")).context("cannot read");
        assert_eq!(shown(&error), "certkit: cannot read: no row\n");
    }

    #[test]
    fn a_cause_already_quoted_is_not_repeated() {
        assert_eq!(shown(&anyhow!("b").context("a: b")), "certkit: a: b\n");
    }

    #[test]
    fn a_hint_keeps_the_error_and_its_causes() {
        let error =
            Err::<(), _>(anyhow!("c").context("b")).hint("do this").context("a").expect_err("it was an error before");
        assert_eq!(shown(&error), "certkit: a: b: c\n  hint: do this\n");
    }

    #[test]
    fn the_last_hint_is_the_one_shown() {
        let error = Err::<(), _>(anyhow!("b")).hint("inner").hint("outer").expect_err("it was an error before");
        assert_eq!(shown(&error), "certkit: b\n  hint: outer\n");
    }

    #[derive(Debug, Parser)]
    #[command(name = "certkit")]
    struct Line {
        #[arg(long)]
        passphrase: Option<PassphraseSource>,
        #[arg(long)]
        days: Option<u32>,
        #[arg(long)]
        name: String,
    }

    fn usage(line: &[&str]) -> String {
        Problem::of_usage(&Line::try_parse_from(line).expect_err("it is wrong"), "certkit").to_string()
    }

    #[test]
    fn a_passphrase_on_the_command_line_is_not_repeated() {
        let told = usage(&["certkit", "--name", "x", "--passphrase", "hunter2"]);
        assert!(!told.contains("hunter2"), "{told}");
        assert!(told.starts_with("certkit: --passphrase <PASSPHRASE>: never put a passphrase"), "{told}");
    }

    #[test]
    fn a_usage_error_is_one_line_and_a_hint() {
        assert_eq!(
            usage(&["certkit"]),
            "certkit: the following required arguments were not provided: --name <NAME>\n  hint: usage: certkit --name <NAME>\n"
        );
        let told = usage(&["certkit", "--nam", "x"]);
        assert!(told.starts_with("certkit: unexpected argument '--nam' found\n  hint: a similar"), "{told}");
        assert_eq!(told.lines().count(), 2);
        let told = usage(&["certkit", "--name", "x", "--days", "a\u{1b}[2J"]);
        assert!(!told.contains('\u{1b}'), "{told}");
    }
}
