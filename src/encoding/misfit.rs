//! What a reader of settings says of a value of the wrong type, in words of the file instead of the program.

/// What is wrong in words for whoever wrote the file: the key, what it takes, what is there, and an example. `message` is
/// what serde says of a value at `offset`, in octets, of `text`; what it says of other faults stays as it is, in one line.
pub fn in_words(text: &str, offset: usize, message: &str) -> String {
    told(text, offset, message).unwrap_or_else(|| message.lines().map(str::trim).collect::<Vec<_>>().join("; "))
}

fn told(text: &str, offset: usize, message: &str) -> Option<String> {
    let of_type = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "))?;
    let (found, wanted) = of_type.lines().next()?.rsplit_once(", expected ")?;
    let (key, within_list) = key_before(text.get(..offset)?)?;
    let (wants, example) = match wanted {
        "a string" => ("text in quotes", "\"…\""),
        "a sequence" => ("a list", "[\"…\"]"),
        "a boolean" => ("true or false", "true"),
        "i64" | "u64" | "u32" | "u16" | "u8" => ("a whole number", "30"),
        _ => return None,
    };
    let found = found_in_words(found)?;
    Some(match within_list {
        true => format!("each of {key} is {wants}, not {found}: {key} = [{example}]"),
        false => {
            // Whoever has one of a list knows it already.
            let own = text.get(offset..).and_then(quoted).filter(|_| wanted == "a sequence");
            let example = own.map_or_else(|| example.to_owned(), |own| format!("[{own}]"));
            format!("{key} takes {wants}, not {found}: {key} = {example}")
        }
    })
}

fn found_in_words(found: &str) -> Option<String> {
    let (kind, value) = found.split_once(' ').unwrap_or((found, ""));
    let value = value.trim_matches('`');
    Some(match kind {
        "string" => format!("text, {value}"),
        "integer" => format!("the number {value}"),
        "floating" => format!("the number {}", value.trim_start_matches("point").trim_matches([' ', '`'])),
        "boolean" => value.to_owned(),
        "sequence" => "a list".to_owned(),
        "map" => "a table".to_owned(),
        _ => return None,
    })
}

/// The text in quotes at the beginning, with them; only where that is all there is to it.
fn quoted(text: &str) -> Option<&str> {
    let end = text.strip_prefix('"')?.find(['"', '\\', '\n'])? + 2;
    text.get(..end).filter(|text| text.ends_with('"'))
}

/// The key whose value begins after this text, and whether it begins within a list there.
fn key_before(before: &str) -> Option<(&str, bool)> {
    before.lines().rev().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        let (key, value) = (key.trim(), value.trim_start());
        let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let is_key = !key.is_empty() && key.chars().all(is_bare) && !value.starts_with('{') && !value.contains("[{");
        is_key.then(|| (key, value.starts_with('[')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_another_type_is_told_in_words_of_the_file() {
        for (text, at, message, told) in [
            (
                "a = 1\ndays = \"x\"\n",
                "\"x\"",
                "invalid type: string \"x\", expected u32",
                "days takes a whole number, not text, \"x\": days = 30",
            ),
            (
                "days = -5\n",
                "-5",
                "invalid value: integer `-5`, expected u32",
                "days takes a whole number, not the number -5: days = 30",
            ),
            (
                "days = 1.5\n",
                "1.5",
                "invalid type: floating point `1.5`, expected u32",
                "days takes a whole number, not the number 1.5: days = 30",
            ),
            (
                "names = \"a.test\"\n",
                "\"a",
                "invalid type: string \"a.test\", expected a sequence",
                "names takes a list, not text, \"a.test\": names = [\"a.test\"]",
            ),
            (
                "names = 5\n",
                "5",
                "invalid type: integer `5`, expected a sequence",
                "names takes a list, not the number 5: names = [\"…\"]",
            ),
            (
                "names = [\n  \"a\",\n  5,\n]\n",
                "5",
                "invalid type: integer `5`, expected a string",
                "each of names is text in quotes, not the number 5: names = [\"…\"]",
            ),
            (
                "out = [\"a\"]\n",
                "[",
                "invalid type: sequence, expected a string",
                "out takes text in quotes, not a list: out = \"…\"",
            ),
            (
                "rekey = \"yes\"\n",
                "\"yes",
                "invalid type: string \"yes\", expected a boolean",
                "rekey takes true or false, not text, \"yes\": rekey = true",
            ),
            // What is not of this kind is left as it is.
            ("b = 1\n", "b", "unknown field `b`\nexpected `a`", "unknown field `b`; expected `a`"),
            (
                "p = [{ oid = 5 }]\n",
                "5",
                "invalid type: integer `5`, expected a string",
                "invalid type: integer `5`, expected a string",
            ),
        ] {
            let offset = text.find(at).unwrap_or_default();
            assert_eq!(in_words(text, offset, message), told, "{text}");
        }
        assert_eq!(in_words("ä", 1, "invalid type: map, expected u8"), "invalid type: map, expected u8");
    }
}
