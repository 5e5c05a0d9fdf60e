//! XMPP: a stream of XML, in which the server lists its features.

use std::io::{BufRead, Write};

use super::StarttlsError;
use super::dialogue::Dialogue;

/// RFC 6120 §5.4.2. The XML is read tag by tag: as much as is needed to find the feature and the consent.
pub(super) fn negotiate<S: BufRead + Write>(dialogue: &mut Dialogue<'_, S>, server: &str) -> Result<(), StarttlsError> {
    const FEATURES: &str = "its features";
    let opening = format!(
        "<?xml version='1.0'?><stream:stream to='{server}' version='1.0' xmlns='jabber:client' \
         xmlns:stream='http://etherx.jabber.org/streams'>"
    );
    dialogue.say(opening.as_bytes(), FEATURES)?;
    let mut offered = Vec::new();
    let mut begun = false;
    // The dialogue is bounded in bytes, and each tag takes some.
    loop {
        let tag = tag(dialogue, begun, FEATURES)?;
        begun = true;
        match (tag.name.as_str(), tag.ends) {
            ("error", false) => return Err(refused(dialogue, "the stream")?),
            ("stream", true) => return Err(StarttlsError::Closed { awaited: FEATURES }),
            ("features", true) => break,
            // `<stream:features/>`: none.
            ("features", false) if tag.is_empty => break,
            ("stream" | "features", false) | (_, true) => {}
            (name, false) => offered.push(name.to_owned()),
        }
    }
    let keyword = "starttls";
    if !offered.iter().any(|name| name == keyword) {
        return Err(StarttlsError::NotOffered { keyword, offered });
    }
    const CONSENT: &str = "its answer to starttls";
    dialogue.say(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", CONSENT)?;
    // As above.
    loop {
        let tag = tag(dialogue, true, CONSENT)?;
        match tag.name.as_str() {
            "proceed" if tag.is_empty || tag.ends => return Ok(()),
            "proceed" => {}
            "failure" => {
                return Err(StarttlsError::Refused { what: "starttls", reply: "failure (RFC 6120 §5.4.2.2)".into() });
            }
            _ => return Err(refused(dialogue, "starttls")?),
        }
    }
}

/// A tag: `<prefix:name …>`, `</prefix:name>` or `<prefix:name …/>`.
struct Tag {
    name: String,
    ends: bool,
    is_empty: bool,
}

/// The next tag. Text before it is passed over, and so is `<?xml …?>`; before the first tag there is none.
fn tag<S: BufRead + Write>(
    dialogue: &mut Dialogue<'_, S>,
    begun: bool,
    awaited: &'static str,
) -> Result<Tag, StarttlsError> {
    // The dialogue is bounded in bytes, and each turn takes some.
    loop {
        let first = dialogue.byte(awaited)?;
        if !begun && first != b'<' && !first.is_ascii_whitespace() {
            let rest = dialogue.until(b'\n', awaited).unwrap_or_default();
            return Err(dialogue.other([&[first][..], &rest].concat()));
        }
        if first != b'<' {
            continue;
        }
        let said = String::from_utf8_lossy(&dialogue.until(b'>', awaited)?).into_owned();
        let inside = said.as_str();
        let inside = inside.trim_end_matches('>');
        if inside.starts_with(['?', '!']) {
            continue;
        }
        let (ends, inside) = (inside.starts_with('/'), inside.trim_start_matches('/'));
        let is_empty = inside.ends_with('/');
        let name = inside.split([' ', '\t', '\r', '\n', '/']).next().unwrap_or_default();
        let name = name.rsplit(':').next().unwrap_or_default().to_owned();
        return Ok(Tag { name, ends, is_empty });
    }
}

/// A refusal, with the condition that the next tag names and the server's words for it (RFC 6120 §4.9.2).
fn refused<S: BufRead + Write>(
    dialogue: &mut Dialogue<'_, S>,
    what: &'static str,
) -> Result<StarttlsError, StarttlsError> {
    const REASON: &str = "its reason";
    let mut reply = tag(dialogue, true, REASON)?.name;
    // The words are a courtesy: where the stream breaks off before them, the condition is told alone.
    while let Ok(next) = tag(dialogue, true, REASON) {
        match (next.name.as_str(), next.ends) {
            ("text", false) if !next.is_empty => {
                let mut words = dialogue.until(b'<', REASON).unwrap_or_default();
                words.pop();
                reply = format!("{reply}: {}", String::from_utf8_lossy(&words).trim());
            }
            ("error" | "failure" | "stream", true) => break,
            _ => {}
        }
    }
    Ok(StarttlsError::Refused { what, reply })
}
