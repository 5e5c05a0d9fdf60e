//! Protocols of lines: SMTP, IMAP, POP3, FTP.

use std::io::{BufRead, Write};

use super::StarttlsError;
use super::dialogue::Dialogue;

const GREETING: &str = "its greeting";

/// RFC 3207 §4.
pub(super) fn smtp<S: BufRead + Write>(dialogue: &mut Dialogue<'_, S>, own: &str) -> Result<(), StarttlsError> {
    let greeting = reply(dialogue, GREETING)?;
    greeting.must_be("220", "the connection")?;
    const EHLO: &str = "its answer to EHLO";
    dialogue.say(format!("EHLO {own}\r\n").as_bytes(), EHLO)?;
    let answer = reply(dialogue, EHLO)?;
    answer.must_be("250", "EHLO")?;
    // RFC 5321 §4.1.1.1: the first line greets, each further one has a keyword and its parameters.
    let offered: Vec<String> = answer.lines.iter().skip(1).map(|line| line.trim().to_owned()).collect();
    let keyword = "STARTTLS";
    if !offered.iter().any(|line| first_word(line).eq_ignore_ascii_case(keyword)) {
        return Err(StarttlsError::NotOffered { keyword, offered });
    }
    const CONSENT: &str = "its answer to STARTTLS";
    dialogue.say(b"STARTTLS\r\n", CONSENT)?;
    reply(dialogue, CONSENT)?.must_be("220", "STARTTLS")
}

/// RFC 4217 §4.
pub(super) fn ftp<S: BufRead + Write>(dialogue: &mut Dialogue<'_, S>) -> Result<(), StarttlsError> {
    reply(dialogue, GREETING)?.must_be("220", "the connection")?;
    const CONSENT: &str = "its answer to AUTH TLS";
    dialogue.say(b"AUTH TLS\r\n", CONSENT)?;
    reply(dialogue, CONSENT)?.must_be("234", "AUTH TLS")
}

/// RFC 9051 §6.1.1, §6.2.1.
pub(super) fn imap<S: BufRead + Write>(dialogue: &mut Dialogue<'_, S>) -> Result<(), StarttlsError> {
    let greeting = dialogue.line(GREETING)?;
    let upper = greeting.to_ascii_uppercase();
    if upper.starts_with("* BYE") || upper.starts_with("* PREAUTH") {
        // §7.1.4: who is authenticated already can no longer change to TLS.
        return Err(StarttlsError::Refused { what: "TLS in its greeting", reply: greeting });
    }
    if !upper.starts_with("* OK") {
        return Err(dialogue.other(greeting));
    }
    dialogue.say(b"c1 CAPABILITY\r\n", "its capabilities")?;
    let (said, answer) = tagged(dialogue, "c1", "its capabilities")?;
    let capabilities = said.iter().find_map(|line| {
        let (star, rest) = line.split_once(' ')?;
        let (word, list) = rest.split_once(' ')?;
        (star == "*" && word.eq_ignore_ascii_case("CAPABILITY")).then_some(list)
    });
    let keyword = "STARTTLS";
    let Some(list) = capabilities else {
        return Err(StarttlsError::Refused { what: "CAPABILITY", reply: answer });
    };
    if !list.split_whitespace().any(|word| word.eq_ignore_ascii_case(keyword)) {
        return Err(StarttlsError::NotOffered {
            keyword,
            offered: list.split_whitespace().map(str::to_owned).collect(),
        });
    }
    const CONSENT: &str = "its answer to STARTTLS";
    dialogue.say(b"c2 STARTTLS\r\n", CONSENT)?;
    let (_, answer) = tagged(dialogue, "c2", CONSENT)?;
    match first_word(&answer).eq_ignore_ascii_case("OK") {
        true => Ok(()),
        false => Err(StarttlsError::Refused { what: keyword, reply: answer }),
    }
}

/// RFC 2595 §4, with the capabilities of RFC 2449 where the server knows them.
pub(super) fn pop3<S: BufRead + Write>(dialogue: &mut Dialogue<'_, S>) -> Result<(), StarttlsError> {
    let greeting = dialogue.line(GREETING)?;
    if greeting.starts_with("-ERR") {
        return Err(StarttlsError::Refused { what: "the connection", reply: greeting });
    }
    if !greeting.starts_with("+OK") {
        return Err(dialogue.other(greeting));
    }
    const LIST: &str = "its capabilities";
    dialogue.say(b"CAPA\r\n", LIST)?;
    // A server that knows no CAPA may know STLS: it is asked all the same.
    if dialogue.line(LIST)?.starts_with("+OK") {
        let mut offered = Vec::new();
        // The dialogue is bounded in bytes, and each line takes one at least.
        loop {
            let line = dialogue.line(LIST)?;
            if line == "." {
                break;
            }
            offered.push(line);
        }
        let keyword = "STLS";
        if !offered.iter().any(|line| first_word(line).eq_ignore_ascii_case(keyword)) {
            return Err(StarttlsError::NotOffered { keyword, offered });
        }
    }
    const CONSENT: &str = "its answer to STLS";
    dialogue.say(b"STLS\r\n", CONSENT)?;
    let answer = dialogue.line(CONSENT)?;
    match answer.starts_with("+OK") {
        true => Ok(()),
        false => Err(StarttlsError::Refused { what: "STLS", reply: answer }),
    }
}

/// A reply of three digits and text, over one line or several (RFC 5321 §4.2.1, RFC 959 §4.2).
struct Reply {
    code: String,
    lines: Vec<String>,
}

impl Reply {
    fn must_be(&self, code: &str, what: &'static str) -> Result<(), StarttlsError> {
        if self.code == code {
            return Ok(());
        }
        let reply = format!("{} {}", self.code, self.lines.join(" "));
        Err(StarttlsError::Refused { what, reply: reply.trim_end().to_owned() })
    }
}

fn reply<S: BufRead + Write>(dialogue: &mut Dialogue<'_, S>, awaited: &'static str) -> Result<Reply, StarttlsError> {
    let first = dialogue.line(awaited)?;
    let is_code = |line: &str| line.len() >= 3 && line.bytes().take(3).all(|byte| byte.is_ascii_digit());
    let code = match first.get(..3) {
        Some(code) if is_code(&first) && matches!(first.as_bytes().get(3), None | Some(b' ' | b'-')) => code.to_owned(),
        _ => return Err(dialogue.other(first)),
    };
    let text = |line: &str| line.get(4..).unwrap_or_default().to_owned();
    let mut lines = vec![text(&first)];
    let mut more = first.as_bytes().get(3) == Some(&b'-');
    // The dialogue is bounded in bytes, and each line takes one at least.
    while more {
        let line = dialogue.line(awaited)?;
        let own = line.get(..3) == Some(code.as_str());
        more = !(own && matches!(line.as_bytes().get(3), None | Some(b' ')));
        // RFC 959 §4.2: lines in between need not begin with the code.
        lines.push(if own { text(&line) } else { line });
    }
    Ok(Reply { code, lines })
}

/// All lines up to the one with this tag, and that one without the tag.
fn tagged<S: BufRead + Write>(
    dialogue: &mut Dialogue<'_, S>,
    tag: &str,
    awaited: &'static str,
) -> Result<(Vec<String>, String), StarttlsError> {
    let mut before = Vec::new();
    // The dialogue is bounded in bytes, and each line takes one at least.
    loop {
        let line = dialogue.line(awaited)?;
        match line.split_once(' ') {
            Some((word, rest)) if word == tag => return Ok((before, rest.to_owned())),
            _ => before.push(line),
        }
    }
}

fn first_word(line: &str) -> &str {
    line.split_whitespace().next().unwrap_or_default()
}
