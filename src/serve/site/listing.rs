//! What a folder holds, as a page.

use time::OffsetDateTime;
use time::macros::format_description;

use super::path::{Asked, encoded};
use crate::encoding::markup::escape;

/// What is shown of a folder.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) found: Vec<Listed>,
    /// There is more than a page takes.
    pub(super) is_cut: bool,
}

/// A file or a folder in it.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) name: Vec<u8>,
    /// Length in octets and last change in seconds since 1970; a folder has none.
    pub(super) file: Option<(u64, i64)>,
}

/// The page.
pub(super) fn page(asked: &Asked, entries: &Entries) -> String {
    let title = escape(&asked.shown());
    let mut rows = String::new();
    if !asked.is_top() {
        rows.push_str("<tr><td><a href=\"../\">../</a><td><td>\n");
    }
    for Listed { name, file } in &entries.found {
        let slash = if file.is_some() { "" } else { "/" };
        let (link, text) = (encoded(name), escape(&String::from_utf8_lossy(name)));
        let (length, when) = file.map(|(length, modified)| (size(length), date(modified))).unwrap_or_default();
        // A name such as "a:b" would read as a scheme.
        rows.push_str(&format!("<tr><td><a href=\"./{link}{slash}\">{text}{slash}</a><td>{length}<td>{when}\n"));
    }
    let note = match (entries.is_cut, entries.found.is_empty()) {
        (true, _) => "<p>There is more, which is not listed.\n",
        (_, true) => "<p>Nothing is here to be shown.\n",
        _ => "",
    };
    crate::serve::page::page(&title, STYLE, &format!("<table>\n{rows}</table>\n{note}"))
}

fn size(octets: u64) -> String {
    match octets {
        0..10_000 => format!("{octets} B"),
        10_000..10_000_000 => format!("{} kB", octets / 1000),
        10_000_000..10_000_000_000 => format!("{} MB", octets / 1_000_000),
        _ => format!("{} GB", octets / 1_000_000_000),
    }
}

fn date(seconds: i64) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|time| time.format(&format).ok()).unwrap_or_default()
}

const STYLE: &str = "td{padding:0 2rem 0 0;white-space:nowrap}td+td{font-variant-numeric:tabular-nums;opacity:.7}";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_are_text_and_never_markup() {
        let found = vec![
            Listed { name: b"a&b".to_vec(), file: None },
            Listed { name: b"<script>x</script>".to_vec(), file: Some((12_345, 0)) },
            Listed { name: b"javascript:x".to_vec(), file: Some((1, 0)) },
            Listed { name: b"\"'\xff".to_vec(), file: Some((1, i64::MAX)) },
        ];
        let page = page(&Asked::from_path("/%3Cb%3E/").unwrap(), &Entries { found, is_cut: true });
        assert!(!page.contains("<script>") && !page.contains("<b>"), "{page}");
        assert!(page.contains("<a href=\"./%3Cscript%3Ex%3C%2Fscript%3E\">&lt;script&gt;x"), "{page}");
        assert!(page.contains("href=\"./javascript%3Ax\"") && page.contains("href=\"./%22%27%FF\""), "{page}");
        assert!(page.contains("href=\"./a%26b/\"") && page.contains("12 kB<td>1970-01-01 00:00 UTC"), "{page}");
        assert!(page.contains("<h1>/&lt;b&gt;/</h1>") && page.contains("There is more"), "{page}");
    }
}
