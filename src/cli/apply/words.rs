//! What is told of a certificate in words of its project: `certkit.toml` has keys where other commands have flags.

use anyhow::anyhow;

use crate::cli::problem::{Hinted, Problem};

/// The error with the keys of a project in the place of flags that apply does not have.
pub(super) fn of_a_project(error: anyhow::Error) -> anyhow::Error {
    let problem = Problem::from(&error);
    let (message, hint) = (problem.message(), problem.hint());
    let (said, hinted) = (keys_for_flags(message), hint.map(keys_for_flags));
    if said == message && hinted.as_deref() == hint {
        return error;
    }
    match Err::<(), _>(anyhow!(said)).hint_if(hinted) {
        Err(error) => error,
        Ok(()) => error,
    }
}

/// The text with `days = 30` for `--days 30`. What another command is to be given stays.
pub(super) fn keys_for_flags(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("--") {
        let (before, flag) = rest.split_at(at);
        told.push_str(before);
        let clause = told.rsplit([';', ',', '(']).next().unwrap_or_default();
        let known = KEYS.iter().find(|(name, _)| is_flag(flag, name)).filter(|_| !clause.contains("certkit "));
        let Some((name, key)) = known else {
            told.push_str("--");
            rest = flag.get(2..).unwrap_or_default();
            continue;
        };
        let after = flag.get(name.len()..).unwrap_or_default();
        let (value, after) = value(after);
        match value {
            None => told.push_str(&format!("{key} =")),
            Some(value) => told.push_str(&match *key {
                "days" => format!("days = {value}"),
                "names" => format!("names = [\"{value}\"]"),
                key => format!("{key} = \"{value}\""),
            }),
        }
        rest = after;
    }
    told.push_str(rest);
    told
}

fn is_flag(text: &str, name: &str) -> bool {
    let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '-';
    text.strip_prefix(name).is_some_and(|after| !after.starts_with(goes_on))
}

/// The value after a flag, where one stands there: in quotes, or a word that is no part of the sentence.
fn value(after: &str) -> (Option<&str>, &str) {
    let Some(given) = after.strip_prefix(' ') else { return (None, after) };
    if let Some((value, rest)) = given.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
        return (Some(value), rest);
    }
    let word = given.split([' ', ',', ';', ')']).next().unwrap_or_default();
    let is_value = word.starts_with(|c: char| c.is_ascii_digit() || c.is_ascii_uppercase())
        || EXAMPLES.contains(&word)
        || word.contains(':');
    if is_value { (Some(word), given.get(word.len()..).unwrap_or_default()) } else { (None, after) }
}

/// What `certkit ca issue` takes as a flag and `certkit.toml` as a key.
const KEYS: [(&str, &str); 9] = [
    ("--cn", "cn"),
    ("--san", "names"),
    ("--subject", "subject"),
    ("--profile", "profile"),
    ("--days", "days"),
    ("--type", "key"),
    ("--issuer", "issuer"),
    ("--permit", "permit"),
    ("--exclude", "exclude"),
];

/// Words that stand after flags as values in what is told.
const EXAMPLES: [&str; 6] = ["localhost", "server", "p256", "p384", "ed25519", "issuing"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_of_another_command_is_told_as_a_key() {
        for (said, told) in [
            ("give at least one, for example --cn localhost", "give at least one, for example cn = \"localhost\""),
            (
                "name it with --cn, for example --cn \"Example Root CA\"",
                "name it with cn =, for example cn = \"Example Root CA\"",
            ),
            ("make it for less: --days 825", "make it for less: days = 825"),
            ("add the server's, for example --san localhost", "add the server's, for example names = [\"localhost\"]"),
            ("make a new key: --type p256 or --type rsa:3072", "make a new key: key = \"p256\" or key = \"rsa:3072\""),
            ("leave that --permit out", "leave that permit = out"),
            ("given with --subject (required_subject)", "given with subject = (required_subject)"),
            // What is another command's or apply's own stays.
            ("give it with --ca-key FILE", "give it with --ca-key FILE"),
            (
                "lift the hold: certkit ca revoke --release 12 --issuer web",
                "lift the hold: certkit ca revoke --release 12 --issuer web",
            ),
        ] {
            assert_eq!(keys_for_flags(said), told);
        }
    }
}
