//! `ca.toml`: what a CA's folder says about itself beside its certificates, keys and ledger.
//!
//! ```toml
//! issuer = "issuing"                              # which authority signs unless another is asked for
//! ledger = "postgres://ca@db.example/ledger"      # where the ledger is, if not in this folder
//!
//! [keys]                                          # keys that are not in this folder, and why
//! ca = { set_aside = "/media/stick/root-key.pem" }
//! old = "destroyed"
//! new = { set_aside = "" }                       # it was handed to a program: nobody knows where it is
//! ```

use std::collections::BTreeMap;

use super::name::AuthorityName;
use crate::encoding::misfit;
use crate::profile::position;
use serde::Deserialize;

/// What `ca.toml` says. Without the file it says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The authority that signs unless another is asked for; the first where it is left out.
    pub issuer: Option<AuthorityName>,
    /// Where the ledger is, if not in the folder.
    pub ledger: Option<String>,
    /// Where keys are that are not in the folder.
    #[serde(default)]
    pub keys: BTreeMap<AuthorityName, AbsentKey>,
}

/// Why a key is not in the folder of its authority.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AbsentKey {
    /// It was put elsewhere: where it was put. Empty where it lies in no place that is known: it was handed to a program.
    SetAside(String),
    /// It was destroyed after it had signed what it was for.
    Destroyed,
}

impl AbsentKey {
    /// Where it was put, where that is known. Earlier certkits wrote "stdout" where it was handed to a program.
    pub fn place(&self) -> Option<&str> {
        match self {
            Self::SetAside(place) => Some(place.as_str()).filter(|place| !place.is_empty() && *place != "stdout"),
            Self::Destroyed => None,
        }
    }
}

/// Why a text is no `ca.toml`, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {why}")]
pub struct ConfigError {
    /// The file.
    pub file: String,
    /// The line of the fault, from 1.
    pub line: usize,
    /// The column of the fault in characters, from 1.
    pub column: usize,
    /// What is wrong, in one line.
    pub why: String,
}

impl Config {
    /// Reads a `ca.toml`. `file` names it in errors.
    ///
    /// # Errors
    /// Unknown keys and unusable values, with line and column.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let (line, column) = position(text, at);
            let why = misfit::in_words(text, at, error.message());
            ConfigError { file: file.to_owned(), line, column, why }
        })
    }

    /// Whether it says nothing at all.
    pub fn is_silent(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it says something about authorities that have been made.
    pub fn tells_of_authorities(&self) -> bool {
        self.issuer.is_some() || !self.keys.is_empty()
    }

    /// The text of a `ca.toml` that says what `text` says and beside it what is new in `self`: whatever stands in `text` is
    /// kept, comments too. `text` says nothing yet of what is new.
    pub fn added_to(&self, text: &str) -> String {
        let mut written = String::new();
        if let Some(issuer) = &self.issuer {
            written
                .push_str(&format!("# which authority signs unless --issuer names another\nissuer = \"{issuer}\"\n"));
        }
        if let Some(ledger) = &self.ledger {
            written.push_str(&format!("# where the ledger is\nledger = \"{}\"\n", escaped(ledger)));
        }
        written.push_str(text);
        if !self.keys.is_empty() {
            if !written.ends_with('\n') && !written.is_empty() {
                written.push('\n');
            }
            written.push_str("\n# keys that are not in this folder\n[keys]\n");
        }
        for (name, key) in &self.keys {
            match key {
                AbsentKey::SetAside(place) => {
                    written.push_str(&format!("{name} = {{ set_aside = \"{}\" }}\n", escaped(place)));
                }
                AbsentKey::Destroyed => written.push_str(&format!("{name} = \"destroyed\"\n")),
            }
        }
        written
    }
}

/// A text within a basic string of TOML.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' | '\\' => escaped.extend(['\\', c]),
            c if c.is_control() => escaped.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn name(text: &str) -> AuthorityName {
        text.parse().unwrap()
    }

    #[test]
    fn an_unknown_key_or_a_wrong_value_is_pointed_at() {
        for (text, wanted) in [
            ("isuer = \"a\"", "ca.toml:1:1: unknown field `isuer`"),
            ("\n  issuer = \"a.b\"", "ca.toml:2:12: `a.b` cannot be what an authority is called"),
            ("[keys]\nca = \"lost\"", "ca.toml:2:6: unknown variant `lost`"),
            ("[keys]\nca = { at = \"x\" }", "ca.toml:2:"),
            ("ledger = 1", "ca.toml:1:10: ledger takes text in quotes, not the number 1"),
        ] {
            let error = Config::from_toml("ca.toml", text).unwrap_err().to_string();
            assert!(error.starts_with(wanted), "{error}");
        }
    }

    #[test]
    fn what_is_added_reads_back_and_the_rest_is_kept() {
        let place = "C:\\a \"b\"\n\u{7f}ü";
        let new = Config {
            issuer: Some(name("issuing")),
            ledger: None,
            keys: [(name("ca"), AbsentKey::SetAside(place.to_owned())), (name("old"), AbsentKey::Destroyed)].into(),
        };
        for before in ["", "# ours\nledger = \"postgres:///x\"", "ledger = 'x'\n"] {
            let text = new.added_to(before);
            assert!(text.contains(before.trim_end()), "{text}");
            let read = Config::from_toml("ca.toml", &text).unwrap();
            let ledger = Config::from_toml("ca.toml", before).unwrap().ledger;
            assert_eq!(read, Config { ledger, ..new.clone() });
        }
        let with_ledger = Config { ledger: Some("postgres:///x?host=/run/\"p\"".to_owned()), ..new.clone() };
        let before = "# ours\n";
        assert_eq!(Config::from_toml("ca.toml", &with_ledger.added_to(before)).unwrap(), with_ledger);
        assert!(new.tells_of_authorities() && !Config::default().tells_of_authorities());
    }

    #[test]
    fn a_key_that_was_handed_over_has_no_place() {
        let aside = |place: &str| AbsentKey::SetAside(place.to_owned());
        assert_eq!((aside("").place(), aside("stdout").place(), AbsentKey::Destroyed.place()), (None, None, None));
        assert_eq!(aside("/media/stick/key.pem").place(), Some("/media/stick/key.pem"));
    }
}
