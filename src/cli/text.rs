//! Prose for people: lines, aligned fields, five styles, and untrusted text made harmless.
//!
//! A certificate can hold anything, escape sequences that repaint a terminal among it. So every line goes through
//! [`Text::line`], which escapes control characters and lets through the five styles alone; a style escapes all that it
//! wraps, and [`safe`] all there is. Styles are always written;
//! [`Session`](super::output::Session) takes them out where the reader is not a terminal.

use std::fmt::{self, Display, Write};

use anstyle::{AnsiColor, Style};

/// A report's prose while it is being written.
#[derive(Debug, Default)]
pub struct Text {
    written: String,
}

impl Text {
    /// An empty text.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one line. Line breaks and other control characters inside it are escaped.
    pub fn line(&mut self, line: impl Display) {
        push_escaped(&mut self.written, &line.to_string(), Styles::Kept);
        self.written.push('\n');
    }

    /// Adds an empty line, unless the text is empty or just had one.
    pub fn blank(&mut self) {
        if !self.written.is_empty() && !self.written.ends_with("\n\n") {
            self.written.push('\n');
        }
    }

    /// Adds one line a pair, indented by two, with the values in one column.
    pub fn fields<L: Display, V: Display>(&mut self, fields: impl IntoIterator<Item = (L, V)>) {
        let fields: Vec<_> = fields.into_iter().map(|(label, value)| (safe(label).to_string(), value)).collect();
        let width = fields.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
        for (label, value) in fields {
            self.line(format_args!("  {label:width$}  {value}"));
        }
    }

    /// Adds text of our own making as it is, line breaks and all: PEM, a script, a man page.
    pub fn verbatim(&mut self, text: &str) {
        self.written.push_str(text);
    }

    /// What was written, styles included.
    pub fn as_str(&self) -> &str {
        &self.written
    }
}

/// Something in a style; control characters in it are escaped.
#[derive(Clone, Copy, Debug)]
pub struct Styled<T> {
    style: Style,
    text: T,
}

/// A word of a command line as a POSIX shell reads it: in quotes where it means something else without. What would move a
/// terminal's cursor is shown escaped, and has to be typed otherwise.
pub fn for_shell(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+=@:,%".contains(c);
    let quoted = match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    };
    safe(quoted).to_string()
}

/// Accepted, valid, done: green.
pub fn good<T: Display>(text: T) -> Styled<T> {
    Styled { style: GOOD, text }
}

/// Rejected, invalid, failed: bold red.
pub fn bad<T: Display>(text: T) -> Styled<T> {
    Styled { style: BAD, text }
}

/// Worth a look: yellow.
pub fn warn<T: Display>(text: T) -> Styled<T> {
    Styled { style: WARN, text }
}

/// Beside the point: dimmed.
pub fn dim<T: Display>(text: T) -> Styled<T> {
    Styled { style: DIM, text }
}

/// What the line is about: bold.
pub fn strong<T: Display>(text: T) -> Styled<T> {
    Styled { style: STRONG, text }
}

impl<T: Display> Display for Styled<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Padding counts the text, not the style around it.
        let text = safe(&self.text).to_string();
        write!(f, "{}", self.style)?;
        f.pad(&text)?;
        write!(f, "{:#}", self.style)
    }
}

/// Untrusted text with its control characters escaped, as a terminal or a log may see it.
pub fn safe<T: Display>(text: T) -> Safe<T> {
    Safe(text)
}

/// See [`safe`].
#[derive(Clone, Copy, Debug)]
pub struct Safe<T>(T);

impl<T: Display> Display for Safe<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut escaped = String::new();
        push_escaped(&mut escaped, &self.0.to_string(), Styles::Escaped);
        f.pad(&escaped)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Styles {
    Kept,
    Escaped,
}

fn push_escaped(into: &mut String, text: &str, styles: Styles) {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if styles == Styles::Kept
            && let Some(style) = our_style(rest)
        {
            into.push_str(style);
            rest = rest.get(style.len()..).unwrap_or_default();
            continue;
        }
        match c {
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            '\t' => into.push_str("\\t"),
            c if is_disruptive(c) => _ = write!(into, "\\u{{{:x}}}", u32::from(c)),
            c => into.push(c),
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
}

/// Whether a character can move the cursor, end the line or reorder what stands beside it.
pub(super) fn is_disruptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

/// The escape sequence of one of the five styles at the start of `text`.
fn our_style(text: &str) -> Option<&str> {
    let end = text.strip_prefix("\u{1b}[")?.find('m')? + 3;
    let sequence = text.get(..end)?;
    match sequence {
        "\u{1b}[0m" | "\u{1b}[1m" | "\u{1b}[2m" | "\u{1b}[31m" | "\u{1b}[32m" | "\u{1b}[33m" => Some(sequence),
        _ => None,
    }
}

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const WARN: Style = AnsiColor::Yellow.on_default();
const DIM: Style = Style::new().dimmed();
const STRONG: Style = Style::new().bold();

#[cfg(test)]
mod tests {
    use super::*;

    fn line(of: impl Display) -> String {
        let mut text = Text::new();
        text.line(of);
        text.as_str().to_owned()
    }

    #[test]
    fn a_word_is_quoted_for_a_shell_where_it_has_to_be() {
        for (word, quoted) in
            [("a/b-c.pem", "a/b-c.pem"), ("my ca", "'my ca'"), ("a'b", r"'a'\''b'"), ("~x", "'~x'"), ("", "''")]
        {
            assert_eq!(for_shell(word), quoted);
        }
    }

    #[test]
    fn a_name_cannot_repaint_the_terminal() {
        assert_eq!(safe("a\u{1b}[2Jb\u{7}\u{9b}c").to_string(), "a\\u{1b}[2Jb\\u{7}\\u{9b}c");
        assert_eq!(line("x\u{1b}]0;title\u{7}"), "x\\u{1b}]0;title\\u{7}\n");
        assert_eq!(good("\u{1b}[31mx").to_string(), "\u{1b}[32m\\u{1b}[31mx\u{1b}[0m");
    }

    #[test]
    fn a_name_cannot_forge_a_second_line() {
        assert_eq!(line("one\nverdict: accepted\r\u{2028}"), "one\\nverdict: accepted\\r\\u{2028}\n");
    }

    #[test]
    fn a_name_cannot_reorder_what_stands_beside_it() {
        assert_eq!(safe("moc.\u{202e}live").to_string(), "moc.\\u{202e}live");
    }

    #[test]
    fn every_style_survives_a_line() {
        for styled in [good("x"), bad("x"), warn("x"), dim("x"), strong("x")] {
            assert_eq!(line(styled), format!("{styled}\n"));
            assert!(styled.to_string().starts_with('\u{1b}'));
        }
    }

    #[test]
    fn letters_of_every_script_are_left_alone() {
        assert_eq!(safe("Zoë 株式会社 ✓").to_string(), "Zoë 株式会社 ✓");
    }

    #[test]
    fn values_share_a_column() {
        let mut text = Text::new();
        text.fields([("a", strong("1")), ("long", strong("2"))]);
        assert_eq!(text.as_str(), format!("  a     {}\n  long  {}\n", strong("1"), strong("2")));
    }

    #[test]
    fn padding_counts_letters_not_styles() {
        assert_eq!(format!("{:4}|", dim("ab")), "\u{1b}[2mab  \u{1b}[0m|");
    }

    #[test]
    fn blank_lines_do_not_pile_up() {
        let mut text = Text::new();
        text.blank();
        text.line("a");
        text.blank();
        text.blank();
        text.line("b");
        assert_eq!(text.as_str(), "a\n\nb\n");
    }
}
