//! The connections of a capture as a report.

use serde::Serialize;
use time::OffsetDateTime;

use super::listen::{Heard, Tcp, Told};
use crate::cli::output::Report;
use crate::cli::story::{self, Shown};
use crate::cli::text::{Text, bad, dim, good, safe, strong, warn};
use crate::pcap::{Format, HowClosed, SideCount, Skipped, UdpProtocol};
use crate::transcript::{Protection, Titled, Weight};

/// The whole answer. Field names are the JSON schema `certkit.capture/1`.
#[derive(Serialize)]
pub(super) struct CaptureReport {
    schema: &'static str,
    pub(super) file: String,
    format: Format,
    packets: u64,
    first: Option<String>,
    last: Option<String>,
    damage: Option<String>,
    skipped: Skipped,
    tcp_connections: u64,
    other_connections: u64,
    not_told: NotTold,
    dtls_flows: usize,
    quic_flows: usize,
    pub(super) connections: Vec<Told>,
    #[serde(skip)]
    follow: bool,
    #[serde(skip)]
    steps: bool,
}

/// TLS connections that are left out.
#[derive(Serialize)]
struct NotTold {
    filtered: u64,
    too_many: u64,
}

impl CaptureReport {
    /// `follow` shows application data, `steps` how keys were computed.
    pub(super) fn new(file: String, heard: Heard, follow: bool, steps: bool) -> Self {
        let time = |at: OffsetDateTime| crate::cli::clock::rfc3339(at);
        Self {
            schema: "certkit.capture/1",
            file,
            format: heard.format,
            packets: heard.packets,
            first: heard.times.map(|[first, _]| time(first)),
            last: heard.times.map(|[_, last]| time(last)),
            damage: heard.damage,
            skipped: heard.skipped,
            tcp_connections: heard.tcp_connections,
            other_connections: heard.other_connections,
            not_told: NotTold { filtered: heard.filtered, too_many: heard.too_many },
            dtls_flows: heard.datagrams.count(UdpProtocol::Dtls),
            quic_flows: heard.datagrams.count(UdpProtocol::Quic),
            connections: heard.connections,
            follow,
            steps,
        }
    }

    /// Whether there is a connection, and nothing that was checked is wrong.
    pub(super) fn is_sound(&self) -> bool {
        let sound = |told: &Told| {
            let wrong =
                told.transcript.events.iter().flat_map(|event| &event.remarks).any(|it| it.weight == Weight::Wrong);
            !wrong && told.verdict.as_ref().is_none_or(|verdict| verdict.accepted)
        };
        !self.connections.is_empty() && self.connections.iter().all(sound)
    }

    /// Whether something that was encrypted is told.
    pub(super) fn is_opened(&self) -> bool {
        let mut events = self.connections.iter().flat_map(|told| &told.transcript.events);
        events.any(|event| event.protection == Protection::Decrypted || event.reveals)
    }

    /// The ends of each connection and its verdict, in words.
    pub(super) fn titles(&self) -> Vec<(String, String, Option<String>)> {
        let title = |told: &Told| {
            (told.client.to_string(), told.server.to_string(), told.verdict.as_ref().map(super::judge::Verdict::words))
        };
        self.connections.iter().map(title).collect()
    }

    /// Each connection with its title.
    pub(super) fn titled<'a>(&'a self, titles: &'a [(String, String, Option<String>)]) -> Vec<Titled<'a>> {
        let with = |(told, (client, server, words)): (&'a Told, &'a (String, String, Option<String>))| Titled {
            transcript: &told.transcript,
            client,
            server,
            verdict: told.verdict.as_ref().zip(words.as_deref()).map(|(verdict, words)| (verdict.accepted, words)),
        };
        self.connections.iter().zip(titles).map(with).collect()
    }

    fn counts(&self, text: &mut Text) {
        let Self { tcp_connections, packets, .. } = self;
        let tls = self.connections.len();
        text.line(format_args!(
            "{}: {packets} packet{}, {tcp_connections} TCP connection{}, {tls} of them told",
            safe(&self.file),
            plural(*packets),
            plural(*tcp_connections)
        ));
        let mut aside = |count: u64, what: &str| {
            if count > 0 {
                text.line(format_args!("  {}", dim(format_args!("{count} {what}"))));
            }
        };
        aside(self.other_connections, "not TLS");
        aside(self.not_told.filtered, "not asked for");
        aside(self.not_told.too_many, "more than can be told: choose with --host or --sni");
        aside(self.dtls_flows as u64, "DTLS (over UDP), which is not read");
        aside(self.quic_flows as u64, "QUIC (over UDP), which is not read");
        aside(self.skipped.unknown_link, "packets of a link type that is not read");
        aside(self.skipped.malformed, "packets cut short or damaged below TCP");
        aside(self.skipped.lost_fragments, "IP fragments that never became whole");
        if let Some(damage) = &self.damage {
            text.line(format_args!("  {}", warn(damage)));
        }
    }
}

impl Report for CaptureReport {
    fn text(&self, text: &mut Text) {
        self.counts(text);
        for told in &self.connections {
            text.blank();
            self.connection(told, text);
        }
    }
}

impl CaptureReport {
    fn connection(&self, told: &Told, text: &mut Text) {
        let summary = &told.transcript.summary;
        let outcome = story::outcome(summary.outcome);
        let name = format!("{} -> {}", told.client, told.server);
        let begun = crate::cli::clock::rfc3339(told.begun);
        text.line(format_args!("{}  {outcome}, {}", strong(name), dim(begun)));
        text.fields(summary.rows().into_iter().map(|(label, value)| (label, safe(value).to_string())));
        if let Some(verdict) = &told.verdict {
            let words = verdict.words();
            let words = if verdict.accepted { good(words).to_string() } else { bad(words).to_string() };
            text.line(format_args!("  {words}"));
        }
        for remark in summary.remarks.iter().cloned().chain(tcp_remarks(&told.tcp)) {
            text.line(format_args!("  {}", warn(remark)));
        }
        text.blank();
        let shown = Shown { follow: self.follow, steps: self.steps, details: false };
        told.transcript.events.iter().for_each(|event| story::event(event, shown, text));
    }
}

/// What TCP has to say, where something is not as it should be.
fn tcp_remarks(tcp: &Tcp) -> Vec<String> {
    let mut remarks = Vec::new();
    for (who, side) in [("client", &tcp.client), ("server", &tcp.server)] {
        let SideCount { missing, different, syn, .. } = *side;
        if missing > 0 {
            remarks.push(format!("{missing} byte{} of the {who} are not in the capture", plural(missing)));
        }
        if different > 0 {
            remarks.push(format!("{different} bytes of the {who} came twice and differ: the first ones were taken"));
        }
        if !syn {
            remarks.push(format!("the capture has no SYN of the {who}: it may begin in the middle"));
        }
    }
    match tcp.how {
        HowClosed::Reset => remarks.push("the TCP connection was broken off (RST)".to_owned()),
        HowClosed::GivenUp => remarks.push("not followed to its end: too many connections at one time".to_owned()),
        HowClosed::Finished | HowClosed::Reused | HowClosed::CaptureEnds => {}
    }
    remarks
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}
