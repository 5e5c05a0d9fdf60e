//! A certificate's name as a file name.

use anyhow::{anyhow, bail};

use crate::cli::problem::Hinted;

/// A file name without its ending for a certificate's name: `*.example.com` becomes `_wildcard.example.com`, `::1`
/// `__1`, `Example Root CA` `Example-Root-CA`. It never leaves its folder, hides, looks like a flag, or is a device on
/// Windows. Of several names the first decides: the caller passes that one.
///
/// Two names can become one file name (`a b` and `a-b`); [`WriteSet`](super::WriteSet) then refuses to replace.
///
/// # Errors
/// When the name has no letter or digit, or needs more than 200 bytes: file systems stop at 255, endings included.
pub fn file_name_for(name: &str) -> anyhow::Result<String> {
    let trimmed = name.trim_matches(|c: char| c.is_whitespace()).trim_end_matches(['.', ' ']);
    if !trimmed.chars().any(char::is_alphanumeric) {
        return Err(anyhow!("no file can be called after the name {name:?}")).hint(CHOOSE);
    }
    let mut file_name = String::new();
    let body = match trimmed.strip_prefix("*.") {
        Some(parent) => {
            file_name.push_str("_wildcard.");
            parent
        }
        None => trimmed,
    };
    for c in body.chars() {
        file_name.push(match c {
            '.' if file_name.is_empty() || file_name.ends_with('.') => '_',
            '-' if file_name.is_empty() => '_',
            '.' | '-' | '_' | '@' | '+' => c,
            c if c.is_whitespace() => '-',
            c if c.is_alphanumeric() => c,
            _ => '_',
        });
    }
    if is_windows_device(&file_name) {
        file_name.insert(0, '_');
    }
    if file_name.len() > LONGEST {
        return Err(anyhow!("the name has {} bytes, too many for a file name", file_name.len())).hint(CHOOSE);
    }
    if file_name.contains("..") || file_name.starts_with(['-', '.']) || file_name.ends_with(['.', ' ']) {
        bail!("no file can be called after the name {name:?}");
    }
    Ok(file_name)
}

/// What Windows takes for a device, whatever the ending: <https://learn.microsoft.com/windows/win32/fileio/naming-a-file>.
fn is_windows_device(file_name: &str) -> bool {
    let stem = file_name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    if matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") {
        return true;
    }
    let mut port = stem.chars();
    let number = port.next_back();
    matches!(port.as_str(), "COM" | "LPT") && matches!(number, Some('0'..='9' | '¹' | '²' | '³'))
}

const LONGEST: usize = 200;
const CHOOSE: &str = "choose the file's name yourself with --out";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_readable() {
        for (name, file_name) in [
            ("localhost", "localhost"),
            ("api.example.com", "api.example.com"),
            ("example.com.", "example.com"),
            ("*.example.com", "_wildcard.example.com"),
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "__1"),
            ("2001:db8::1", "2001_db8__1"),
            ("jane@example.com", "jane@example.com"),
            ("spiffe://a/b", "spiffe___a_b"),
            ("Example Root CA", "Example-Root-CA"),
            ("bücher.example", "bücher.example"),
        ] {
            assert_eq!(file_name_for(name).unwrap(), file_name);
        }
    }

    #[test]
    fn a_name_never_leaves_its_folder() {
        for (name, file_name) in [
            ("../../etc/passwd", "_._.__etc_passwd"),
            ("a..b", "a._b"),
            ("*...b", "_wildcard._.b"),
            ("/etc/x", "_etc_x"),
            ("a\\..\\b", "a_.__b"),
            ("C:\\x", "C__x"),
        ] {
            assert_eq!(file_name_for(name).unwrap(), file_name);
        }
        for name in ["..", ".", "", " ", "*", "*.", "...", "---", "/"] {
            assert!(file_name_for(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_name_never_hides_or_looks_like_a_flag() {
        assert_eq!(file_name_for(".ssh").unwrap(), "_ssh");
        assert_eq!(file_name_for("-rf").unwrap(), "_rf");
    }

    #[test]
    fn a_name_holds_no_control_character() {
        assert_eq!(file_name_for("a\0b\nc\u{1b}d\u{202e}e").unwrap(), "a_b-c_d_e");
    }

    #[test]
    fn a_name_is_no_device_on_windows() {
        for name in ["CON", "con.example", "nul", "COM1", "lpt9.txt", "aux.", "COM²"] {
            assert!(file_name_for(name).unwrap().starts_with('_'), "{name}");
        }
        for name in ["console", "com", "com10", "nulls.example"] {
            assert_eq!(file_name_for(name).unwrap(), name);
        }
    }

    #[test]
    fn a_name_too_long_for_a_file_is_refused() {
        assert!(file_name_for(&"a".repeat(200)).is_ok());
        assert!(file_name_for(&"a".repeat(201)).is_err());
        assert!(file_name_for(&"ü".repeat(101)).is_err());
    }
}
