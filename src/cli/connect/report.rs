//! A live connection as a report.

use serde::Serialize;

use super::judge::Staple;
use super::visit::{Steps, Visit};
use crate::cli::output::Report;
use crate::cli::story::{self, Shown};
use crate::cli::text::{Text, bad, dim, good, safe, strong, warn};
use crate::cli::verify::report::VerifyReport;
use crate::connect::http::Response;
use crate::connect::{EarlyData, Failure};
use crate::dial::{Endpoint, Protocol, Route, RouteOutcome};
use crate::transcript::{Outcome, Titled, Transcript, Weight};

/// The most lines of a body that are shown in prose.
const MOST_LINES: usize = 40;

/// The JSON schema of a connection.
pub(super) const SCHEMA: &str = "certkit.connect/1";

/// The whole answer. Field names are the JSON schema `certkit.connect/1`.
#[derive(Serialize)]
pub(super) struct ConnectReport {
    schema: &'static str,
    pub(super) endpoint: Endpoint,
    starttls: Option<Protocol>,
    pub(super) accepted: bool,
    failure: Option<Failed>,
    route: Route,
    steps: Steps,
    verdict: Option<VerifyReport>,
    staple: Option<Staple>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<Response>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resumption: Option<Resumption>,
    #[serde(flatten)]
    transcript: Option<Transcript>,
    #[serde(skip)]
    shown: Shown,
}

/// What the second connection came to.
#[derive(Serialize)]
pub(super) struct Resumption {
    resumed: bool,
    early_data: EarlyData,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_status: Option<u16>,
    failure: Option<Failed>,
    steps: Steps,
    #[serde(flatten)]
    transcript: Option<Transcript>,
    #[serde(skip)]
    ends: [String; 2],
}

/// Why a connection came to nothing.
#[derive(Debug, Clone, Serialize)]
struct Failed {
    message: String,
    hint: Option<&'static str>,
}

impl From<&Failure> for Failed {
    fn from(failure: &Failure) -> Self {
        Self { message: failure.to_string(), hint: failure.hint() }
    }
}

impl Resumption {
    pub(super) fn new(visit: &Visit, transcript: Option<Transcript>) -> Self {
        Self {
            resumed: visit.heard.resumed,
            early_data: visit.heard.early_data,
            http_status: visit.response.as_ref().map(|response| response.status),
            failure: visit.failure.as_ref().map(Failed::from),
            steps: visit.steps,
            transcript,
            ends: [visit.route.local.to_string(), visit.route.peer.to_string()],
        }
    }
}

impl ConnectReport {
    /// `steps` shows how keys were computed.
    pub(super) fn new(
        endpoint: Endpoint,
        starttls: Option<Protocol>,
        visit: &Visit,
        transcript: Option<Transcript>,
        verdict: Option<VerifyReport>,
        staple: Option<Staple>,
        steps: bool,
    ) -> Self {
        let sound = transcript.as_ref().is_some_and(is_sound);
        let accepted = visit.failure.is_none() && sound && verdict.as_ref().is_some_and(|verdict| verdict.accepted);
        Self {
            schema: SCHEMA,
            endpoint,
            starttls,
            accepted,
            failure: visit.failure.as_ref().map(Failed::from),
            route: visit.route.clone(),
            steps: visit.steps,
            verdict,
            staple,
            http: visit.response.clone(),
            resumption: None,
            transcript,
            shown: Shown { follow: false, steps, details: true },
        }
    }

    /// With what a second connection came to.
    pub(super) fn with(self, resumption: Option<Resumption>) -> Self {
        Self { resumption, ..self }
    }

    /// The ends of each connection, and the verdict in words.
    pub(super) fn titles(&self) -> Vec<[String; 3]> {
        let verdict = self.verdict.as_ref().map(VerifyReport::words).unwrap_or_default();
        let first = [self.route.local.to_string(), format!("{} ({})", self.endpoint, self.route.peer), verdict.clone()];
        let second = self.resumption.as_ref().map(|second| {
            let [client, server] = second.ends.clone();
            [client, format!("{} ({server})", self.endpoint), verdict]
        });
        std::iter::once(first).chain(second).collect()
    }

    /// Each connection that was TLS, with its title.
    pub(super) fn titled<'a>(&'a self, titles: &'a [[String; 3]]) -> Vec<Titled<'a>> {
        let second = self.resumption.as_ref().and_then(|second| second.transcript.as_ref());
        let both = [self.transcript.as_ref(), second];
        let with = |(transcript, [client, server, words]): (Option<&'a Transcript>, &'a [String; 3])| {
            let verdict = self.verdict.as_ref().map(|verdict| (verdict.accepted, words.as_str()));
            transcript.map(|transcript| Titled { transcript, client, server, verdict })
        };
        both.into_iter().zip(titles).filter_map(with).collect()
    }
}

/// Whether a handshake is complete, nothing in it is wrong, and the server has proved to have its key.
fn is_sound(transcript: &Transcript) -> bool {
    let summary = &transcript.summary;
    let wrong = transcript.events.iter().flat_map(|event| &event.remarks).any(|remark| remark.weight == Weight::Wrong);
    summary.outcome == Outcome::Completed && !wrong && summary.signature_holds == Some(true)
}

impl Report for ConnectReport {
    fn text(&self, text: &mut Text) {
        let outcome = match (&self.failure, &self.transcript) {
            (Some(_), _) => bad("failed").to_string(),
            (None, Some(transcript)) => story::outcome(transcript.summary.outcome),
            (None, None) => bad("no TLS").to_string(),
        };
        text.line(format_args!("{}  {outcome}", strong(&self.endpoint)));
        self.route(text);
        if let Some(transcript) = &self.transcript {
            let rows = transcript.summary.rows();
            text.fields(rows.into_iter().map(|(label, value)| (label, safe(value).to_string())));
            transcript.summary.remarks.iter().for_each(|remark| text.line(format_args!("  {}", warn(remark))));
            text.blank();
            transcript.events.iter().for_each(|event| story::event(event, self.shown, text));
        }
        if let Some(failure) = &self.failure {
            text.blank();
            failure.text(text);
        }
        if let Some(verdict) = &self.verdict {
            text.blank();
            verdict.brief(text);
            verdict.fetched(text);
        }
        if let Some(staple) = &self.staple {
            staple.text(text);
        }
        if let Some(response) = &self.http {
            text.blank();
            http(response, text);
        }
        if let Some(resumption) = &self.resumption {
            text.blank();
            resumption.text(self.shown, text);
        }
    }
}

impl ConnectReport {
    /// The addresses tried, and how long each step took.
    fn route(&self, text: &mut Text) {
        let mut rows: Vec<(String, String)> = Vec::new();
        if let Some(ms) = self.route.resolve_ms {
            let addresses: Vec<String> = self.route.addresses.iter().map(ToString::to_string).collect();
            rows.push(("resolved".to_owned(), format!("in {ms:.1} ms: {}", dim(addresses.join(", ")))));
        }
        for attempt in &self.route.attempts {
            let what = match &attempt.outcome {
                RouteOutcome::Connected => good("connected").to_string(),
                RouteOutcome::Failed(why) => bad(why).to_string(),
                RouteOutcome::TimedOut => bad("no answer").to_string(),
                RouteOutcome::Overtaken => warn("slower than another").to_string(),
            };
            rows.push(("tried".to_owned(), format!("{}: {what} in {:.1} ms", attempt.address, attempt.ms)));
        }
        if let (Some(protocol), Some(ms)) = (self.starttls, self.steps.starttls_ms) {
            rows.push(("STARTTLS".to_owned(), format!("{}, agreed in {ms:.1} ms", protocol.title())));
        }
        if let Some(ms) = self.steps.handshake_ms {
            rows.push(("handshake".to_owned(), format!("in {ms:.1} ms")));
        }
        text.fields(rows);
    }
}

impl Failed {
    fn text(&self, text: &mut Text) {
        text.line(bad(&self.message));
        if let Some(hint) = self.hint {
            text.line(format_args!("    to do: {}", safe(hint)));
        }
    }
}

impl Staple {
    fn text(&self, text: &mut Text) {
        let times = |label: &str, time: &Option<String>| time.as_ref().map(|time| format!(", {label} {time}"));
        let since = times("from", &self.this_update).unwrap_or_default();
        let until = times("until", &self.next_update).unwrap_or_default();
        let said = match (self.status, &self.fault) {
            (_, Some(fault)) => bad(fault).to_string(),
            (Some("good"), None) => format!("{}{since}{until}", good("good")),
            (Some(status), None) => format!("{}{since}{until}", bad(status)),
            (None, None) => warn("it says nothing that counts here").to_string(),
        };
        text.line(format_args!("  OCSP staple: {said}"));
    }
}

impl Resumption {
    fn text(&self, shown: Shown, text: &mut Text) {
        let resumed = match self.resumed {
            true => good("resumed").to_string(),
            false => warn("not resumed: a full handshake again").to_string(),
        };
        let early = match self.early_data {
            EarlyData::NotAllowed => "no early data: no ticket allows it",
            EarlyData::Refused => "early data refused",
            EarlyData::Accepted => "early data accepted",
        };
        let time = self.steps.handshake_ms.map(|ms| format!(", in {ms:.1} ms")).unwrap_or_default();
        text.line(format_args!("{}  {resumed}; {early}{time}", strong("second connection")));
        if let Some(transcript) = &self.transcript {
            let shown = Shown { details: false, ..shown };
            transcript.events.iter().for_each(|event| story::event(event, shown, text));
        }
        if let Some(status) = self.http_status {
            text.line(format_args!("  the request was answered with status {status}"));
        }
        if let Some(failure) = &self.failure {
            failure.text(text);
        }
    }
}

/// A response, its body within bounds.
fn http(response: &Response, text: &mut Text) {
    text.line(strong(&response.status_line));
    response.headers.iter().for_each(|(name, value)| text.line(format_args!("{}: {}", safe(name), safe(value))));
    text.blank();
    let printable = |line: &str| line.chars().all(|c| c == '\t' || !c.is_control());
    match std::str::from_utf8(&response.body) {
        Ok(body) if body.lines().all(printable) => {
            for line in body.lines().take(MOST_LINES) {
                text.line(safe(line.replace('\t', "    ")));
            }
            let more = body.lines().count().saturating_sub(MOST_LINES);
            if more > 0 {
                text.line(dim(format_args!("({more} more lines)")));
            }
        }
        _ => text.line(dim(format_args!("({} bytes that are no text)", response.body.len()))),
    }
    if !response.complete {
        text.line(warn(format_args!("this is not all of the body: {} bytes were read", response.body.len())));
    }
}
