//! The path of a request, taken apart before it comes near the file system.

use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};

/// What a path asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    names: Vec<Vec<u8>>,
    relative: PathBuf,
    /// The path ends with a slash.
    pub(super) is_folder: bool,
}

impl Asked {
    /// Takes a path apart at its slashes, then decodes each name: a slash that was encoded is no separator. Browsers
    /// resolve `.` and `..` before they send (RFC 3986 §5.2.4), so a `..` that arrives is somebody's experiment.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn from_path(path: &str) -> Result<Self, &'static str> {
        let Some(below) = path.strip_prefix('/') else { return Err("the path does not begin with a slash") };
        let mut names = Vec::new();
        for segment in below.split('/') {
            let name = decoded(segment)?;
            match name.as_slice() {
                b"" | b"." => {}
                b".." => return Err("the path leads out of the folder"),
                name if name.contains(&0) => return Err("no name has a NUL in it"),
                name if name.iter().any(|&octet| is_separator(octet)) => return Err("no name has a separator in it"),
                _ => names.push(name),
            }
        }
        if names.len() > DEEPEST {
            return Err("the path is too deep");
        }
        let relative =
            names.iter().map(|name| name_of(name)).collect::<Option<PathBuf>>().ok_or("no file has such a name")?;
        Ok(Self { is_folder: below.is_empty() || below.ends_with('/') || names.is_empty(), names, relative })
    }

    /// Below the folder; `.` for itself.
    pub(super) fn relative(&self) -> &Path {
        if self.names.is_empty() { Path::new(".") } else { &self.relative }
    }

    /// Whether a name begins with a dot. `.well-known` is there to be asked for (RFC 8615).
    pub(super) fn is_hidden(&self) -> bool {
        let mut names = self.names.iter();
        let first = names.next().is_some_and(|name| is_hidden(name) && name != WELL_KNOWN);
        first || names.any(|name| is_hidden(name))
    }

    /// The path with a slash at its end, encoded anew.
    pub(super) fn as_folder(&self) -> String {
        self.names.iter().fold("/".to_owned(), |path, name| format!("{path}{}/", encoded(name)))
    }

    /// The path for people.
    pub(super) fn shown(&self) -> String {
        self.names.iter().fold("/".to_owned(), |path, name| format!("{path}{}/", String::from_utf8_lossy(name)))
    }

    /// Whether it is the folder that is served.
    pub(super) fn is_top(&self) -> bool {
        self.names.is_empty()
    }
}

/// Whether a file is not shown.
pub(super) fn is_hidden(name: &[u8]) -> bool {
    name.first() == Some(&b'.')
}

/// A name as a segment of a path.
pub(super) fn encoded(name: &[u8]) -> String {
    percent_encode(name, SEGMENT).to_string()
}

fn decoded(segment: &str) -> Result<Vec<u8>, &'static str> {
    let mut after = segment.split('%').skip(1);
    let whole = after.all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|digit| digit.is_ascii_hexdigit()));
    match whole {
        true => Ok(percent_decode_str(segment).collect()),
        false => Err("a percent sign without two digits after it"),
    }
}

#[cfg(unix)]
fn name_of(name: &[u8]) -> Option<PathBuf> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    Some(PathBuf::from(OsStr::from_bytes(name)))
}

/// Names of devices and streams (`con`, `a:b`) are refused with the colon and by their kind.
#[cfg(not(unix))]
fn name_of(name: &[u8]) -> Option<PathBuf> {
    let name = std::str::from_utf8(name).ok()?;
    let plain = !name.contains(':') && !name.ends_with(['.', ' ']);
    plain.then(|| PathBuf::from(name))
}

fn is_separator(octet: u8) -> bool {
    octet == b'/' || (cfg!(not(unix)) && octet == b'\\')
}

/// What has a meaning in a path, a query or a page, besides what is no ASCII.
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'\'')
    .add(b'/')
    .add(b':')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

const WELL_KNOWN: &[u8] = b".well-known";

/// Folders in folders. Systems stop at 4096 octets.
const DEEPEST: usize = 128;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_path_becomes_names_below_the_folder() {
        for (path, relative, is_folder) in [
            ("/", ".", true),
            ("//", ".", true),
            ("/.", ".", true),
            ("/a", "a", false),
            ("/a/", "a", true),
            ("//etc/./passwd", "etc/passwd", false),
            ("/a%20b/%C3%A4", "a b/ä", false),
            ("/..a/b..", "..a/b..", false),
            ("/%252e%252e/x", "%2e%2e/x", false),
        ] {
            let asked = Asked::from_path(path).unwrap();
            assert_eq!((asked.relative(), asked.is_folder), (Path::new(relative), is_folder), "{path}");
        }
    }

    #[test]
    fn what_leads_elsewhere_is_refused() {
        for path in [
            "",
            "*",
            "a",
            "/..",
            "/../x",
            "/a/../b",
            "/%2e%2e/x",
            "/.%2E/x",
            "/a/%2e%2e",
            "/a%2fb",
            "/a%2F..%2fb",
            "/%00",
            "/a%00.html",
            "/%",
            "/%4",
            "/%zz",
            "/a%",
        ] {
            assert!(Asked::from_path(path).is_err(), "{path}");
        }
        assert!(Asked::from_path(&"/a".repeat(200)).is_err());
    }

    #[test]
    fn hidden_names_stay_hidden_but_for_the_well_known() {
        let hidden = |path| Asked::from_path(path).unwrap().is_hidden();
        assert!(hidden("/.git/config") && hidden("/a/.env") && hidden("/%2eenv") && hidden("/a/.well-known/x"));
        assert!(hidden("/.well-known/.x") && !hidden("/.well-known/x") && !hidden("/") && !hidden("/a/b"));
    }

    #[test]
    fn a_folder_is_written_without_a_host() {
        assert_eq!(Asked::from_path("//evil.test/a b").unwrap().as_folder(), "/evil.test/a%20b/");
        assert_eq!(encoded("ä?".as_bytes()), "%C3%A4%3F");
    }
}
