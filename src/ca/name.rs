//! What an authority is called within its folder.

use std::fmt;
use std::str::FromStr;

/// What an authority is called within its folder: `ca` is the first one, the root unless it was taken over from elsewhere.
/// Files are called after it, so it is short and in lower case, which every file system keeps apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AuthorityName(String);

/// A text that is no name of an authority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` cannot be what an authority is called: take at most {LONGEST} of a-z, 0-9, `-` and `_`, beginning with a letter or \
     digit and not ending in `-key`, such as issuing"
)]
pub struct AuthorityNameError(String);

impl AuthorityName {
    /// The first authority of a folder.
    pub fn first() -> Self {
        Self(FIRST.to_owned())
    }

    /// Whether it is the first of its folder.
    pub fn is_first(&self) -> bool {
        self.0 == FIRST
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AuthorityName {
    type Err = AuthorityNameError;

    fn from_str(text: &str) -> Result<Self, AuthorityNameError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let sound = text.len() <= LONGEST
            && text.starts_with(plain)
            && text.chars().all(|c| plain(c) || c == '-' || c == '_')
            // `x-key.pem` is the key of `x`.
            && !text.ends_with("-key");
        if sound { Ok(Self(text.to_owned())) } else { Err(AuthorityNameError(text.to_owned())) }
    }
}

impl TryFrom<String> for AuthorityName {
    type Error = AuthorityNameError;

    fn try_from(text: String) -> Result<Self, AuthorityNameError> {
        text.parse()
    }
}

impl From<AuthorityName> for String {
    fn from(name: AuthorityName) -> Self {
        name.0
    }
}

impl fmt::Display for AuthorityName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

const FIRST: &str = "ca";
const LONGEST: usize = 40;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_makes_a_file_name_that_is_nobody_elses() {
        for text in ["ca", "issuing", "tls-2026", "r3", "a_b", "0"] {
            assert_eq!(text.parse::<AuthorityName>().unwrap().as_str(), text);
        }
        let long = "a".repeat(41);
        for text in ["", "a.b", "..", "A", "a/b", "-a", "_a", "web-key", "ü", "a b", "a\0", long.as_str()] {
            assert!(text.parse::<AuthorityName>().is_err(), "{text:?}");
        }
        assert!(AuthorityName::first().is_first());
    }
}
