//! A description for people: a title and rows of label and lines, without colour, width or place.

/// A description for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// What kind of thing it is: `certificate`.
    pub kind: String,
    /// Which one: its name, perhaps empty.
    pub name: String,
    /// Labelled lines.
    pub rows: Vec<Row>,
    /// Further groups of labelled lines, each with a heading.
    pub groups: Vec<(String, Vec<Row>)>,
}

/// A label and what it labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// One or two words.
    pub label: String,
    /// One line or more.
    pub lines: Vec<String>,
    /// How it is meant.
    pub tone: Tone,
}

/// How a row is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// A fact.
    Plain,
    /// A fact to look up, not to read.
    Dim,
    /// As it should be.
    Good,
    /// Worth a look.
    Warn,
    /// Not as it should be.
    Bad,
}

impl Sheet {
    /// A sheet without rows.
    pub fn new(kind: &str, name: &str) -> Self {
        Self { kind: kind.to_owned(), name: name.to_owned(), rows: Vec::new(), groups: Vec::new() }
    }

    /// The sheet with one more row.
    #[must_use]
    pub fn with(mut self, row: Row) -> Self {
        self.rows.push(row);
        self
    }

    /// The sheet with these rows in a group of their own, if there are any.
    #[must_use]
    pub fn with_group(mut self, heading: &str, rows: Vec<Row>) -> Self {
        if !rows.is_empty() {
            self.groups.push((heading.to_owned(), rows));
        }
        self
    }
}

impl Row {
    /// A fact on one line.
    pub fn plain(label: &str, line: impl Into<String>) -> Self {
        Self::toned(Tone::Plain, label, line)
    }

    /// One line in this tone.
    pub fn toned(tone: Tone, label: &str, line: impl Into<String>) -> Self {
        Self::lines(tone, label, vec![line.into()])
    }

    /// Any number of lines in this tone.
    pub fn lines(tone: Tone, label: &str, lines: Vec<String>) -> Self {
        Self { label: label.to_owned(), lines, tone }
    }
}

/// Joins words into lines of about this many characters, so that twenty names do not make one long line.
pub(super) fn wrapped(words: &[String]) -> Vec<String> {
    const WIDTH: usize = 84;
    let mut lines: Vec<String> = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let comma = if index + 1 < words.len() { "," } else { "" };
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() + 2 <= WIDTH => {
                line.push_str(&format!(" {word}{comma}"));
            }
            _ => lines.push(format!("{word}{comma}")),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_are_wrapped_and_none_is_lost() {
        let names: Vec<String> = (0..40).map(|number| format!("host-{number}.example.test")).collect();
        let lines = wrapped(&names);
        assert!(lines.len() > 5 && lines.iter().all(|line| line.chars().count() <= 85), "{lines:?}");
        assert_eq!(lines.join(" "), names.join(", "));
        assert!(wrapped(&[]).is_empty());
    }
}
