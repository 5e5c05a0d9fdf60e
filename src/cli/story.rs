//! A transcript in prose: what was said, message by message.

use crate::cli::text::{Text, bad, dim, good, safe, strong, warn};
use crate::tls::fingerprint::{Transport, ja3, ja4};
use crate::tls::handshake::ClientHello;
use crate::transcript::{Event, Outcome, Protection, Sender, Value, Weight, hex_dump};

/// How much of each message is said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    /// Application data that was opened.
    pub(super) follow: bool,
    /// How keys were computed.
    pub(super) steps: bool,
    /// All that a ClientHello offers, and each certificate.
    pub(super) details: bool,
}

/// How a handshake ended, in a word.
pub(super) fn outcome(outcome: Outcome) -> String {
    match outcome {
        Outcome::Completed => good("completed").to_string(),
        Outcome::Failed => bad("failed").to_string(),
        Outcome::Incomplete => warn("incomplete").to_string(),
    }
}

/// One message.
pub(super) fn event(event: &Event, shown: Shown, text: &mut Text) {
    let arrow = match (event.from, event.protection) {
        (Sender::Client, Protection::Plain) => "client -->",
        (Sender::Client, _) => "client ==>",
        (Sender::Server, Protection::Plain) => "<-- server",
        (Sender::Server, _) => "<== server",
    };
    let time = format!("{:9.1} ms", event.after);
    text.line(format_args!("{}  {arrow}  {}  {}", dim(time), strong(event.kind), safe(&event.headline)));
    for remark in &event.remarks {
        let said = match remark.weight {
            Weight::Good => good(&remark.text).to_string(),
            Weight::Note => dim(&remark.text).to_string(),
            Weight::Warning => warn(&remark.text).to_string(),
            Weight::Wrong => bad(&remark.text).to_string(),
        };
        text.line(format_args!("{INDENT}{said}"));
    }
    for paragraph in &event.explanation {
        for line in wrapped(paragraph) {
            text.line(format_args!("{INDENT}{}", safe(line)));
        }
    }
    if shown.details {
        for (label, value) in details(event) {
            for (line, at) in wrapped(&value).into_iter().zip(0..) {
                let label = if at == 0 { label } else { "" };
                text.line(format_args!("{INDENT}{} {}", dim(format_args!("{label:18}")), safe(line)));
            }
        }
    }
    if shown.steps {
        for secret in &event.secrets {
            text.line(format_args!("{INDENT}{} = {}", strong(secret.name), safe(&secret.formula)));
            text.line(format_args!("{INDENT}  {}", dim(secret.text(event.reveals))));
        }
    }
    if shown.follow && event.kind == "ApplicationData" && event.protection != Protection::Encrypted {
        content(event, text);
    }
}

/// What there is to say of a message beyond its headline, by label.
fn details(event: &Event) -> Vec<(&'static str, String)> {
    match event.kind {
        "ClientHello" => hello(event),
        "Certificate" => certificates(event),
        _ => Vec::new(),
    }
}

/// Each certificate in a line.
fn certificates(event: &Event) -> Vec<(&'static str, String)> {
    let Some(Value::List(list)) = event.fields.get("certificate_list") else { return Vec::new() };
    let groups = list.iter().filter_map(|entry| match entry {
        Value::Group(fields) => Some(fields),
        _ => None,
    });
    let told = groups.map(|fields| {
        let said = |name: &str| fields.get(name).and_then(Value::text);
        match said("subject") {
            Some(subject) => {
                let [issuer, key, from, until] =
                    ["issuer", "public_key", "not_before", "not_after"].map(|name| said(name).unwrap_or_default());
                let names = said("names").filter(|names| !names.is_empty());
                let names = names.map(|names| format!(", for {names}")).unwrap_or_default();
                ("certificate", format!("{subject}{names}, {key}, {from} to {until}, issued by {issuer}"))
            }
            None => ("certificate", said("error").unwrap_or_else(|| "not read".to_owned())),
        }
    });
    told.collect()
}

/// What a ClientHello offers, by label.
fn hello(event: &Event) -> Vec<(&'static str, String)> {
    // After the type and the length of the message.
    let Some(Ok(hello)) = event.bytes.get(4..).map(ClientHello::decode) else { return Vec::new() };
    let mut rows = vec![
        ("versions", listed(hello.versions().iter().filter(|version| !version.is_grease()))),
        ("cipher suites", listed(hello.cipher_suites.iter().filter(|suite| !suite.is_grease()))),
        ("groups", listed(hello.groups().iter().filter(|group| !group.is_grease()))),
        ("key shares", listed(hello.key_shares().iter().map(|share| share.group).filter(|group| !group.is_grease()))),
        ("signature schemes", listed(hello.signature_schemes().iter().filter(|scheme| !scheme.is_grease()))),
        ("server name", hello.server_name().unwrap_or_else(|| "none".to_owned())),
        ("ALPN", listed(hello.protocols().iter().map(|name| String::from_utf8_lossy(name).into_owned()))),
    ];
    rows.push(("extensions", listed(hello.extensions.iter().map(|extension| extension.extension_type))));
    rows.push(("JA4", ja4(&hello, Transport::Tcp)));
    rows.push(("JA3", ja3(&hello)));
    rows.retain(|(_, value)| !value.is_empty());
    rows
}

fn listed<T: std::fmt::Display>(items: impl Iterator<Item = T>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

/// Application data: lines where it is text, otherwise a dump.
fn content(event: &Event, text: &mut Text) {
    let printable =
        |bytes: &[u8]| bytes.iter().all(|byte| matches!(byte, b'\t' | b'\r' | b'\n' | 0x20..=0x7e | 0x80..));
    match std::str::from_utf8(&event.bytes) {
        Ok(lines) if printable(&event.bytes) => {
            for line in lines.lines() {
                let line = format!("| {}", line.replace('\t', "    "));
                text.line(format_args!("{INDENT}{}", safe(line.trim_end())));
            }
        }
        _ => hex_dump(&event.bytes).lines().for_each(|line| text.line(format_args!("{INDENT}| {line}"))),
    }
    let lacking = event.length.saturating_sub(event.bytes.len() as u64);
    if lacking > 0 {
        text.line(format_args!("{INDENT}{}", warn(format_args!("{lacking} more bytes are not kept"))));
    }
}

/// Lines of a paragraph.
fn wrapped(paragraph: &str) -> Vec<String> {
    const WIDTH: usize = 96;
    let mut lines: Vec<String> = Vec::new();
    for word in paragraph.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// What belongs to a message stands under its name.
const INDENT: &str = "                          ";
