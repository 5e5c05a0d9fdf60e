//! Why a text is no profile.

/// Why a text is no profile, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{source_name}:{line}:{column}: {why}")]
pub struct ProfileError {
    /// Where the profile came from.
    pub source_name: String,
    /// The line of the fault, from 1.
    pub line: usize,
    /// The column of the fault in characters, from 1.
    pub column: usize,
    /// What is wrong, in one line.
    pub why: String,
}

impl ProfileError {
    /// A fault at this offset of `text`, in octets.
    pub(super) fn at(source_name: &str, text: &str, offset: usize, why: &str) -> Self {
        let (line, column) = position(text, offset);
        Self {
            source_name: source_name.to_owned(),
            line,
            column,
            why: why.lines().map(str::trim).collect::<Vec<_>>().join("; "),
        }
    }
}

/// The line and the column, in characters, of this offset of `text`, in octets; both from 1.
pub fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before.get(line_start..).unwrap_or_default().chars().count() + 1)
}
