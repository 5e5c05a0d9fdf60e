//! The ladder: client on the left, server on the right, each message an arrow between them. SVG, and a page of HTML whose
//! messages open. One file, no script, nothing fetched, readable in light and dark, usable with the keyboard alone.

use std::fmt::Write;

use super::event::{Event, Protection, Sender, Weight};
use super::field::Value;
use super::{Transcript, event};
use crate::encoding::markup::escape;

const WIDTH: usize = 900;
const LEFT: usize = 130;
const RIGHT: usize = WIDTH - LEFT;
const STEP: usize = 46;
const TOP: usize = 74;
/// Characters that fit over an arrow, the name of the message included.
const FITS: usize = 92;

/// Colours by class; a viewer that prefers dark gets the second set.
const STYLE: &str = "\
:root{color-scheme:light dark}\
.page{fill:#fff}.life{stroke:#8c959f;stroke-width:2}.arrow{stroke:#0969da;stroke-width:1.6;fill:none}.head{fill:#0969da}\
.sealed .arrow{stroke:#8250df;stroke-dasharray:6 4}.sealed .head{fill:#8250df}.opened .arrow{stroke:#8250df}\
.opened .head{fill:#8250df}.wrong .arrow{stroke:#cf222e}.wrong .head{fill:#cf222e}\
text{font:13px system-ui,sans-serif;fill:#1f2328}.kind{font-weight:600}.dim{fill:#59636e;font-size:12px}\
@media(prefers-color-scheme:dark){.page{fill:#0d1117}.life{stroke:#656c76}.arrow{stroke:#4493f8}.head{fill:#4493f8}\
.sealed .arrow,.opened .arrow{stroke:#ab7df8}.sealed .head,.opened .head{fill:#ab7df8}.wrong .arrow{stroke:#f85149}\
.wrong .head{fill:#f85149}text{fill:#f0f6fc}.dim{fill:#9198a1}}";

const PAGE_STYLE: &str = "\
:root{color-scheme:light dark}.message{--line:#0969da}.sealed,.opened{--line:#8250df}\
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:64rem;padding:0 1rem;background:#fff;color:#1f2328}\
h1{font-size:1.3rem}h2{font-size:1.1rem;margin-top:2.5rem}table{border-collapse:collapse}td{padding:.1rem .8rem .1rem 0;\
vertical-align:top;overflow-wrap:anywhere}td:first-child{white-space:nowrap;color:#59636e}\
.ladder{display:grid;gap:.15rem;border-inline:3px solid #8c959f;margin:1rem 0;padding:.6rem 0}\
.ends{display:flex;justify-content:space-between;gap:1.5rem;margin-top:1.2rem;font-weight:600}.ends :last-child{text-align:right}\
details.message{border-radius:.3rem}summary{cursor:pointer;padding:.15rem .8rem;border-radius:.3rem}\
summary:hover{background:#f6f8fa}summary:focus-visible{outline:3px solid #0969da}\
.server>summary{text-align:right}.arrow{display:block;height:0;border-top:2px solid var(--line);position:relative}\
.arrow::after{content:'';position:absolute;top:-6px;border:5px solid transparent}\
.client .arrow::after{right:-5px;border-left:8px solid var(--line)}.server .arrow::after{left:-5px;border-right:8px solid var(--line)}\
.sealed .arrow{border-top-style:dashed}summary .dim{white-space:nowrap}.part td{padding-top:.5rem}\
.kind{font-weight:600}.dim{color:#59636e;font-size:.85em}.inside{margin:.4rem 1.2rem 1rem;padding-left:1rem;border-left:3px solid #d1d9e0}\
.good{color:#1a7f37}.warning{color:#9a6700}.wrong,.failed{color:#cf222e}.completed{color:#1a7f37}.incomplete{color:#9a6700}\
pre{overflow-x:auto;background:#f6f8fa;padding:.6rem;font-size:.8rem;line-height:1.35}\
@media(prefers-color-scheme:dark){.message{--line:#4493f8}.sealed,.opened{--line:#ab7df8}body{background:#0d1117;color:#f0f6fc}td:first-child,.dim{color:#9198a1}\
summary:hover,pre{background:#151b23}.ladder{border-color:#656c76}.inside{border-color:#3d444d}\
summary:focus-visible{outline-color:#4493f8}\
.good,.completed{color:#3fb950}.warning,.incomplete{color:#d29922}.wrong,.failed{color:#f85149}}";

/// A connection and what its ends are called.
#[derive(Debug, Clone, Copy)]
pub struct Titled<'a> {
    /// What was said.
    pub transcript: &'a Transcript,
    /// The client, as it is to be shown: its address.
    pub client: &'a str,
    /// The server.
    pub server: &'a str,
    /// A verdict on the certificate, if one was passed: whether it is accepted, and in words.
    pub verdict: Option<(bool, &'a str)>,
}

/// The ladder of one connection as an SVG picture.
pub fn svg(connection: Titled<'_>) -> String {
    let events = &connection.transcript.events;
    let height = TOP + events.len() * STEP + 30;
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
         <rect class=\"page\" width=\"100%\" height=\"100%\"/>\n\
         <text class=\"kind\" x=\"{LEFT}\" y=\"26\" text-anchor=\"middle\">client</text>\
         <text class=\"dim\" x=\"{LEFT}\" y=\"44\" text-anchor=\"middle\">{client}</text>\
         <text class=\"kind\" x=\"{RIGHT}\" y=\"26\" text-anchor=\"middle\">server</text>\
         <text class=\"dim\" x=\"{RIGHT}\" y=\"44\" text-anchor=\"middle\">{server}</text>\n\
         <path class=\"life\" d=\"M{LEFT} 54V{end}M{RIGHT} 54V{end}\"/>\n",
        title = escape(&title(connection)),
        client = escape(connection.client),
        server = escape(connection.server),
        end = height - 12,
    );
    for (event, row) in events.iter().zip(0..) {
        arrow(event, TOP + row * STEP, &mut picture);
    }
    picture.push_str("</svg>\n");
    picture
}

/// A page with the ladders of these connections. Each message opens to what it says, why, and its bytes.
pub fn html(heading: &str, connections: &[Titled<'_>]) -> String {
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{heading}</title>\n\
         <style>{PAGE_STYLE}</style>\n<h1>{heading}</h1>\n\
         <p class=\"dim\">Each message opens, by a click or by Tab and Enter. Blue lines are in the clear, purple ones \
         encrypted; a dashed one could not be opened.\n",
        heading = escape(heading),
    );
    for connection in connections {
        _ = writeln!(page, "<section>\n<h2>{}</h2>", escape(&title(*connection)));
        summary(*connection, &mut page);
        _ = writeln!(
            page,
            "<div class=\"ends\"><span>client {}</span><span>server {}</span></div>\n<div class=\"ladder\">",
            escape(connection.client),
            escape(connection.server)
        );
        connection.transcript.events.iter().for_each(|event| message(event, &mut page));
        page.push_str("</div>\n</section>\n");
    }
    page.push_str("</html>\n");
    page
}

fn title(connection: Titled<'_>) -> String {
    let summary = &connection.transcript.summary;
    let name = summary.server_name.as_deref().unwrap_or(connection.server);
    let version = summary.version.as_deref().unwrap_or("TLS");
    format!("{name}: {version}, {}", summary.outcome.name())
}

fn arrow(event: &Event, top: usize, picture: &mut String) {
    let (from, to, back) = match event.from {
        Sender::Client => (LEFT, RIGHT, RIGHT - 9),
        Sender::Server => (RIGHT, LEFT, LEFT + 9),
    };
    let line = top + 22;
    let room = FITS.saturating_sub(event.kind.len());
    let mut headline: String = event.headline.chars().take(room).collect();
    if headline.len() < event.headline.len() {
        headline.push('…');
    }
    _ = writeln!(
        picture,
        "<g class=\"{class}\"><title>{whole}</title><text x=\"{middle}\" y=\"{text}\" text-anchor=\"middle\">\
         <tspan class=\"kind\">{kind}</tspan> <tspan class=\"dim\">{headline}</tspan></text>\
         <path class=\"arrow\" d=\"M{from} {line}H{back}\"/>\
         <path class=\"head\" d=\"M{to} {line}L{back} {up}V{down}Z\"/>\
         <text class=\"dim\" x=\"{time}\" y=\"{beside}\" text-anchor=\"{anchor}\">{after:.1} ms</text></g>",
        class = class(event),
        whole = escape(&format!("{}: {}", event.kind, event.headline)),
        middle = WIDTH / 2,
        text = line - 7,
        kind = event.kind,
        headline = escape(&headline),
        up = line - 5,
        down = line + 5,
        time = if event.from == Sender::Client { from - 10 } else { from + 10 },
        anchor = if event.from == Sender::Client { "end" } else { "start" },
        beside = line + 4,
        after = event.after,
    );
}

fn class(event: &Event) -> &'static str {
    match event.protection {
        _ if event.remarks.iter().any(|remark| remark.weight == Weight::Wrong) => "wrong",
        Protection::Plain => "plain",
        Protection::Encrypted => "sealed",
        Protection::Decrypted => "opened",
    }
}

fn summary(connection: Titled<'_>, page: &mut String) {
    let summary = &connection.transcript.summary;
    page.push_str("<table>\n");
    let mut row = |label: &str, class: &str, value: &str| {
        _ = writeln!(page, "<tr><td>{label}</td><td class=\"{class}\">{}</td></tr>", escape(value));
    };
    row("handshake", summary.outcome.name(), summary.outcome.name());
    for (label, value) in summary.rows() {
        row(label, "", &value);
    }
    if let Some((accepted, verdict)) = connection.verdict {
        row("certificate", if accepted { "good" } else { "wrong" }, verdict);
    }
    for remark in &summary.remarks {
        row("remark", "warning", remark);
    }
    page.push_str("</table>\n");
}

fn message(event: &Event, page: &mut String) {
    _ = writeln!(
        page,
        "<details class=\"message {from} {class}\"><summary><span class=\"kind\">{kind}</span> {headline} \
         <span class=\"dim\">{after:.1} ms</span><span class=\"arrow\"></span></summary>\n<div class=\"inside\">",
        from = event::name_of(event.from),
        class = class(event),
        kind = event.kind,
        headline = escape(&event.headline),
        after = event.after,
    );
    for paragraph in &event.explanation {
        _ = writeln!(page, "<p>{}</p>", escape(paragraph));
    }
    for remark in &event.remarks {
        let class = match remark.weight {
            Weight::Good => "good",
            Weight::Note => "dim",
            Weight::Warning => "warning",
            Weight::Wrong => "wrong",
        };
        _ = writeln!(page, "<p class=\"{class}\">{}</p>", escape(&remark.text));
    }
    page.push_str("<table>\n");
    for row in event.fields.rows() {
        let indent = "\u{2003}".repeat(row.depth);
        // Where one extension ends and the next begins.
        let class = if row.name == "extension_type" { " class=\"part\"" } else { "" };
        _ = writeln!(page, "<tr{class}><td>{indent}{}</td><td>{}</td></tr>", escape(&row.name), escape(&row.text));
    }
    for secret in &event.secrets {
        let value = format!("= {}", secret.formula);
        _ = writeln!(
            page,
            "<tr><td>{}</td><td>{}<br>{}</td></tr>",
            secret.name,
            escape(&value),
            secret.text(event.reveals)
        );
    }
    let [start, end] = event.range;
    _ = writeln!(
        page,
        "<tr><td>at</td><td>{}, bytes {start} to {end} of the {}'s stream</td></tr>\n</table>",
        event::rfc3339(event.at),
        event::name_of(event.from)
    );
    if !event.bytes.is_empty() {
        let note = if (event.bytes.len() as u64) < event.length { ", the beginning" } else { "" };
        let dump = hex_dump(&event.bytes);
        _ = writeln!(
            page,
            "<details><summary>{} bytes{note}</summary><pre>{}</pre></details>",
            event.length,
            escape(&dump)
        );
    }
    page.push_str("</div></details>\n");
}

/// Bytes as offset, hexadecimal and ASCII, 16 a line.
pub fn hex_dump(bytes: &[u8]) -> String {
    let mut dump = String::with_capacity(bytes.len() * 5);
    for (line, at) in bytes.chunks(16).zip((0..).step_by(16)) {
        let hex: String = line.iter().map(|byte| format!("{byte:02x} ")).collect();
        let ascii: String =
            line.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' }).collect();
        _ = writeln!(dump, "{at:06x}  {hex:48} {ascii}");
    }
    dump
}

impl super::Summary {
    /// Label and value of each line of the summary, the outcome left out.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let mut rows = Vec::new();
        let mut row = |label, value: Option<String>| rows.extend(value.map(|value| (label, value)));
        row("server name", self.server_name.clone());
        row("version", self.version.clone());
        row("cipher suite", self.cipher_suite.as_ref().and_then(Value::text));
        let secrecy = match self.forward_secret {
            Some(true) => " (forward secret)",
            Some(false) => " (not forward secret: the server's key opens recordings)",
            None => "",
        };
        row("key exchange", self.key_exchange.as_ref().map(|words| format!("{words}{secrecy}")));
        let holds = match self.signature_holds {
            Some(true) => ", which holds",
            Some(false) => ", which does not hold",
            None => ", not checked",
        };
        row("signed with", self.signature.as_ref().map(|scheme| format!("{scheme}{holds}")));
        row("protocol", self.protocol.clone());
        row("resumed", self.resumed.then(|| "yes, with the secret of an earlier connection".to_owned()));
        row(
            "server",
            self.server_chain.first().map(|leaf| {
                let more = match self.server_chain.len() - 1 {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                format!("{}{more}", leaf.display_name())
            }),
        );
        row(
            "client",
            match self.client_certificate {
                super::ClientCertificate::NotAsked => None,
                super::ClientCertificate::Declined => Some("was asked for a certificate and sent none".to_owned()),
                super::ClientCertificate::Sent => Some(
                    self.client_chain
                        .first()
                        .map_or_else(|| "a certificate".to_owned(), crate::x509::Certificate::display_name),
                ),
            },
        );
        row("OCSP", self.stapled.then(|| "a response came with the certificate".to_owned()));
        row("decrypted with", self.decrypted_with.clone());
        row("Finished", self.finished_verified.then(|| "of both sides, checked and right".to_owned()));
        self.alerts.iter().for_each(|alert| row("alert", Some(alert.clone())));
        let [client, server] = self.application_data;
        row("data", (client + server > 0).then(|| format!("{client} bytes from the client, {server} from the server")));
        rows
    }
}
