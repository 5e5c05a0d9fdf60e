//! One certificate that is wanted.

use crate::issue::{Naming, NamingError, Wanted};
use crate::key::KeyAlgorithm;
use crate::profile::Profile;

/// A certificate that is wanted, as it was written down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// The line on which it stands, from 1.
    pub line: u64,
    /// Its names: DNS, IP address, e-mail or URI.
    pub names: Vec<String>,
    /// The common name.
    pub common_name: Option<String>,
    /// The whole subject (RFC 4514).
    pub subject: Option<String>,
    /// The profile: a built-in name or a file.
    pub profile: Option<String>,
    /// How many days it is to be valid.
    pub days: Option<u32>,
    /// The kind of key.
    pub key: Option<KeyAlgorithm>,
    /// What its files are called, without an ending.
    pub out: Option<String>,
}

/// Why a line is no wish.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct WishError {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong.
    pub why: String,
}

impl Wish {
    /// The subject and names for a certificate of this profile.
    ///
    /// # Errors
    /// See [`NamingError`].
    pub fn naming(&self, profile: &Profile) -> Result<Naming, NamingError> {
        let Self { common_name, subject, names, .. } = self;
        Naming::new(profile, Wanted { common_name: common_name.as_deref(), subject: subject.as_deref(), names })
    }
}

/// Names with blanks or commas between them. A comma may stand in a URI, so there it does not count.
pub fn split_names(text: &str) -> Vec<String> {
    let is_uri =
        |word: &str| word.contains("://") || word.get(..4).is_some_and(|form| form.eq_ignore_ascii_case("uri:"));
    let mut names = Vec::new();
    for word in text.split_whitespace() {
        if is_uri(word) {
            names.push(word.trim_end_matches(',').to_owned());
        } else {
            names.extend(word.split(',').filter(|name| !name.is_empty()).map(str::to_owned));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_commas_part_names_but_not_uris() {
        assert_eq!(split_names("a.test b.test,10.0.0.1, ::1"), ["a.test", "b.test", "10.0.0.1", "::1"]);
        assert_eq!(split_names("a.test, https://a.test/x,y"), ["a.test", "https://a.test/x,y"]);
        assert_eq!(split_names(" , "), Vec::<String>::new());
    }
}
