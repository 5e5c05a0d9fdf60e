//! Text for XML and HTML.

/// `text` for the content of an element or a quoted attribute. Control characters, which XML does not allow, become
/// U+FFFD; line breaks stay.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push('\n'),
            control if control.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_a_page() {
        assert_eq!(escape("<script>\"&\u{1b}"), "&lt;script&gt;&quot;&amp;\u{fffd}");
    }
}
