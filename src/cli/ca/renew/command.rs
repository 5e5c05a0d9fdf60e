//! A program to run after a renewal: words, no shell.

use std::process;
use std::str::FromStr;

use anyhow::Context;
use serde::Serialize;

use crate::cli::output::Session;
use crate::cli::problem::plain;

/// A program and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    /// As it was written.
    line: String,
    /// One at least.
    words: Vec<String>,
}

/// How a program ended.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Executed {
    command: String,
    /// Its exit status; `None` where a signal ended it, or it could not be run.
    status: Option<i32>,
    /// Why it could not be run.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl FromStr for Command {
    type Err = String;

    /// Words as a shell would part them, and nothing else of a shell.
    fn from_str(line: &str) -> Result<Self, String> {
        let words = split(line)?;
        match words.first() {
            None => Err("there is no program in it".to_owned()),
            Some(_) => Ok(Self { line: line.to_owned(), words }),
        }
    }
}

impl Command {
    /// As it was written.
    pub(super) fn line(&self) -> &str {
        &self.line
    }

    /// Runs it, and waits for it. What it prints goes to stderr, for stdout has the answer. It does not get these variables of
    /// the environment: passphrases are in them.
    pub(super) fn execute(&self, files: &[String], withheld: &[&str]) -> Executed {
        let command = self.line.clone();
        match self.run(files, withheld) {
            Ok(status) => Executed { command, status, error: None },
            Err(error) => Executed { command, status: None, error: Some(format!("{error:#}")) },
        }
    }

    fn run(&self, files: &[String], withheld: &[&str]) -> anyhow::Result<Option<i32>> {
        let (program, arguments) = self.words.split_first().context("there is no program to run")?;
        let mut command = process::Command::new(program);
        command.args(arguments).env("CERTKIT_RENEWED", files.join("\n"));
        for name in withheld {
            command.env_remove(name);
        }
        command.stdin(process::Stdio::null()).stdout(Session::talk_of_children());
        let ended = command.status().map_err(plain).with_context(|| format!("cannot run {program}"))?;
        Ok(ended.code())
    }
}

impl Executed {
    pub(super) fn succeeded(&self) -> bool {
        self.status == Some(0)
    }

    pub(super) fn in_words(&self) -> String {
        if let Some(error) = &self.error {
            return error.clone();
        }
        match self.status {
            Some(0) => format!("ran {}", self.command),
            Some(status) => format!("{:?} ended with status {status}", self.command),
            None => format!("{:?} was ended by a signal", self.command),
        }
    }
}

fn split(line: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some('"') | None, '\\') => {
                let next = characters.next().ok_or("a backslash ends it")?;
                word.get_or_insert_default().push(next);
            }
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '|' | '&' | ';' | '<' | '>' | '$' | '`') => {
                return Err(format!("no shell reads it, so {c} means nothing: write sh -c '...', or quote it"));
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err("a quote is not closed".to_owned());
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn words_are_parted_as_a_shell_parts_them() {
        for (line, words) in [
            ("systemctl reload nginx", &["systemctl", "reload", "nginx"][..]),
            ("  a   'b c'  \"d e\"f ", &["a", "b c", "d ef"]),
            ("sh -c 'kill -HUP $(cat pid) && echo done'", &["sh", "-c", "kill -HUP $(cat pid) && echo done"]),
            ("a '' \"\\\"\" b\\ c", &["a", "", "\"", "b c"]),
        ] {
            assert_eq!(line.parse::<Command>().unwrap().words, words, "{line}");
        }
    }

    #[test]
    fn what_only_a_shell_would_understand_is_refused() {
        for line in ["a && b", "a; b", "a > b", "echo $HOME", "a | b", "`a`", "a &", "'a", "a \\", "", "  "] {
            assert!(line.parse::<Command>().is_err(), "{line}");
        }
    }

    #[test]
    fn the_end_of_a_program_is_told() {
        let run = |line: &str| line.parse::<Command>().unwrap().execute(&["x.pem".to_owned()], &[]);
        assert!(run("true").succeeded());
        assert!(run("sh -c 'test \"$CERTKIT_RENEWED\" = x.pem'").succeeded());
        assert_eq!(run("sh -c 'exit 3'").in_words(), "\"sh -c 'exit 3'\" ended with status 3");
        assert!(run("/no/such/program").in_words().contains("cannot run"));
    }
}
