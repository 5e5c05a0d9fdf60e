//! What a server tells: one row for each event.

use std::net::SocketAddr;

use serde::Serialize;
use time::OffsetDateTime;

use crate::cli::clock::{self, expiry, rfc3339};
use crate::cli::output::Report;
use crate::cli::text::{Text, bad, dim, good, safe, strong, warn};
use crate::serve::https::{Event, Totals};
use crate::tls::code::ProtocolVersion;
use crate::x509::{Certificate, GeneralName};

/// A line of the log.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    at: String,
    #[serde(flatten)]
    event: Told,
}

#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Told {
    Serving {
        addresses: Vec<String>,
        what: String,
        certificates: Vec<CertificateRow>,
        trust: Option<String>,
        connections: usize,
    },
    Answered(Box<Answered>),
    Refused {
        client: SocketAddr,
        why: String,
    },
    Reloaded {
        certificates: Vec<CertificateRow>,
    },
    ReloadedClientCa {
        authorities: Vec<String>,
    },
    Kept {
        why: String,
    },
    Stopped {
        connections: u64,
        handshakes: u64,
        requests: u64,
        timed_out: u64,
        lost_events: u64,
    },
}

#[derive(Debug, Serialize)]
struct Answered {
    client: SocketAddr,
    method: String,
    target: String,
    status: u16,
    octets: u64,
    ms: f64,
    broken: bool,
    withheld: bool,
    tls: ProtocolVersion,
    protocol: Option<String>,
    server_name: Option<String>,
    client_certificate: Option<String>,
}

/// A certificate that is served.
#[derive(Debug, Serialize)]
pub(super) struct CertificateRow {
    pub(super) file: String,
    names: Vec<String>,
    key: String,
    not_after: String,
    pub(super) expired: bool,
    #[serde(skip)]
    pub(super) expiry: String,
}

impl CertificateRow {
    pub(super) fn new(file: String, leaf: &Certificate, key: String, now: OffsetDateTime) -> Self {
        let bare = |name: &GeneralName| {
            let name = name.to_string();
            name.split_once(':').map_or(name.clone(), |(_, value)| value.to_owned())
        };
        let not_after = leaf.validity().not_after;
        let names: Vec<String> = leaf.subject_alt_names().unwrap_or_default().iter().map(bare).collect();
        Self {
            file,
            names: if names.is_empty() { vec![leaf.display_name()] } else { names },
            key,
            not_after: rfc3339(not_after),
            expired: not_after < now,
            expiry: expiry(not_after, now),
        }
    }

    fn line(&self) -> String {
        format!("{} ({}, {}): {}", safe(&self.file), self.key, self.expiry, safe(self.names.join(", ")))
    }
}

impl Row {
    fn now(event: Told) -> Self {
        Self { at: rfc3339(clock::now()), event }
    }

    pub(super) fn serving(
        addresses: &[SocketAddr],
        what: String,
        certificates: Vec<CertificateRow>,
        trust: Option<String>,
        connections: usize,
    ) -> Self {
        let addresses = addresses.iter().map(|address| format!("https://{address}/")).collect();
        Self::now(Told::Serving { addresses, what, certificates, trust, connections })
    }

    pub(super) fn reloaded(certificates: Vec<CertificateRow>) -> Self {
        Self::now(Told::Reloaded { certificates })
    }

    pub(super) fn reloaded_client_ca<'a>(authorities: impl Iterator<Item = &'a Certificate>) -> Self {
        Self::now(Told::ReloadedClientCa { authorities: authorities.map(Certificate::display_name).collect() })
    }

    pub(super) fn kept(why: &anyhow::Error) -> Self {
        Self::now(Told::Kept { why: format!("{why:#}") })
    }

    pub(super) fn stopped(totals: Totals) -> Self {
        let Totals { connections, handshakes, requests, timed_out, lost_events } = totals;
        Self::now(Told::Stopped { connections, handshakes, requests, timed_out, lost_events })
    }
}

impl From<Event> for Row {
    fn from(event: Event) -> Self {
        Self::now(match event {
            Event::Refused { peer, why } => Told::Refused { client: peer, why },
            Event::Answered(exchange) => {
                let connection = &exchange.connection;
                let shown = connection.client_certificates.first();
                Told::Answered(Box::new(Answered {
                    client: connection.peer,
                    status: exchange.status,
                    octets: exchange.octets,
                    // Microseconds are precise enough.
                    ms: (exchange.took.as_secs_f64() * 1e6).round() / 1e3,
                    broken: exchange.is_broken,
                    withheld: exchange.is_withheld,
                    tls: connection.version,
                    protocol: connection.protocol.clone(),
                    server_name: connection.server_name.clone(),
                    client_certificate: shown.map(|certificate| certificate.subject().to_string()),
                    method: exchange.method,
                    target: exchange.target,
                }))
            }
        })
    }
}

impl Report for Row {
    fn text(&self, text: &mut Text) {
        match &self.event {
            Told::Serving { addresses, what, certificates, trust, .. } => {
                text.line(format_args!("{} {} at {}", good("serving"), safe(what), strong(addresses.join(" "))));
                let mut fields: Vec<(&str, String)> =
                    certificates.iter().map(|one| ("certificate", one.line())).collect();
                if let Some(trust) = trust {
                    let trust = safe(trust);
                    fields.push(("trust", format!("{trust}: import it, or curl --cacert {trust}")));
                }
                text.fields(fields);
            }
            Told::Answered(answered) => answered.text(&self.at, text),
            Told::Refused { client, why } => {
                text.line(format_args!("{} {client} {} {}", dim(&self.at), warn("refused"), safe(why)));
            }
            Told::Reloaded { certificates } => {
                let lines: Vec<String> = certificates.iter().map(CertificateRow::line).collect();
                text.line(format_args!("{} {} {}", dim(&self.at), good("reloaded"), lines.join("; ")));
            }
            Told::ReloadedClientCa { authorities } => {
                let names = safe(authorities.join(", "));
                text.line(format_args!("{} {} --client-ca: {names}", dim(&self.at), good("reloaded")));
            }
            Told::Kept { why } => {
                text.line(format_args!("{} {} the old certificates: {}", dim(&self.at), warn("kept"), safe(why)));
            }
            Told::Stopped { connections, handshakes, requests, timed_out, lost_events } => {
                let lost = if *lost_events > 0 { format!(", {lost_events} lines lost") } else { String::new() };
                text.line(format_args!(
                    "stopped: {requests} requests, {handshakes} handshakes, {connections} connections, \
                     {timed_out} timed out{lost}"
                ));
            }
        }
    }
}

impl Answered {
    fn text(&self, at: &str, text: &mut Text) {
        let Self { client, method, target, status, octets, ms, broken, withheld, tls, protocol, .. } = self;
        let status = match status {
            0..400 => good(status).to_string(),
            400..500 => warn(status).to_string(),
            _ => bad(status).to_string(),
        };
        let protocol = protocol.as_deref().unwrap_or("http/1.1");
        let remark = match (broken, withheld) {
            (true, _) => " broken off",
            (_, true) => " withheld: a private key",
            _ => "",
        };
        let about = format!("{octets} B {ms} ms {tls} {}{remark}", safe(protocol));
        text.line(format_args!("{} {client} {} {} {status} {}", dim(at), safe(method), safe(target), dim(about)));
    }
}
