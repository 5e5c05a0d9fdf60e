//! What a connection came to, in a few lines.

use serde::Serialize;
use serde::ser::Serializer;

use super::event::{Event, Protection, Sender, Weight, name_of};
use super::field::Value;
use super::recorder::Recorder;
use super::session::Session;
use crate::tls::code::cipher_suite::{Authentication, KeyExchange};
use crate::tls::code::{AlertDescription, ExtensionType};
use crate::tls::keys::SignedWith;
use crate::x509::Certificate;

/// How a handshake ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Both sides sent Finished; where it could be checked, it was right.
    Completed,
    /// One side gave up, or something is wrong.
    Failed,
    /// It is not all there.
    Incomplete,
}

impl Outcome {
    /// `completed`, `failed` or `incomplete`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Incomplete => "incomplete",
        }
    }
}

/// What a connection came to.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// How the (last) handshake ended.
    pub outcome: Outcome,
    /// The version, `TLS 1.2`.
    pub version: Option<String>,
    /// The cipher suite, with its number.
    pub cipher_suite: Option<Value>,
    /// The name the client asked for.
    pub server_name: Option<String>,
    /// The application protocol chosen.
    pub protocol: Option<String>,
    /// How both came to share a secret, in words.
    pub key_exchange: Option<String>,
    /// Whether a recording stays secret after the server's key is known; `null` where that is not known.
    pub forward_secret: Option<bool>,
    /// What the server signed the handshake with.
    pub signature: Option<String>,
    /// Whether that signature holds; `null` where it was not seen or not checked.
    pub signature_holds: Option<bool>,
    /// Whether it goes on with the secret of an earlier connection.
    pub resumed: bool,
    /// Whether the server sent an OCSP response with its certificate.
    pub stapled: bool,
    /// Whether the server asked the client for a certificate, and whether one came.
    pub client_certificate: ClientCertificate,
    /// Whether encrypted records were opened, and with what.
    pub decrypted_with: Option<String>,
    /// Whether the Finished of both were checked and right.
    pub finished_verified: bool,
    /// The alerts, in words.
    pub alerts: Vec<String>,
    /// Milliseconds from the first message to steps of the handshake.
    pub times: Times,
    /// Bytes of application data on the wire, or where opened in the clear: the client's, the server's.
    pub application_data: [u64; 2],
    /// Records that are not among the events because there are too many.
    pub records_omitted: u64,
    /// Worth knowing about the whole.
    pub remarks: Vec<String>,
    /// The server's certificates, its own first.
    #[serde(rename = "certificates", serialize_with = "as_names")]
    pub server_chain: Vec<Certificate>,
    /// The client's.
    #[serde(rename = "client_certificates", serialize_with = "as_names")]
    pub client_chain: Vec<Certificate>,
}

/// What became of the client's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientCertificate {
    /// Nobody asked, as far as can be seen.
    NotAsked,
    /// The server asked, and none came.
    Declined,
    /// One came.
    Sent,
}

/// Milliseconds since the first message; `null` for steps not seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Times {
    /// To the ServerHello.
    pub server_hello_ms: Option<f64>,
    /// To the end of the server's first flight: ServerHelloDone, or Finished in TLS 1.3.
    pub server_done_ms: Option<f64>,
    /// To the later Finished.
    pub finished_ms: Option<f64>,
    /// To the first application data.
    pub application_data_ms: Option<f64>,
}

pub(super) fn of(recorder: &Recorder) -> Summary {
    let (session, events, handshakes) = recorder.state();
    let (application_data, [records_omitted, bytes_omitted], lacks_hello) = recorder.counts();
    let mut remarks = Vec::new();
    if lacks_hello {
        remarks.push("the capture begins after the connection did: its hello is not there".to_owned());
    }
    if handshakes > 0 {
        remarks.push(format!("{} handshakes, one within the other; the last one is told here", handshakes + 1));
    }
    if records_omitted > 0 {
        remarks.push(format!("{records_omitted} further records ({bytes_omitted} bytes) are not told one by one"));
    }
    Summary {
        outcome: outcome(session, events),
        version: session.version().map(|version| version.to_string()),
        cipher_suite: session
            .negotiated
            .map(|negotiated| super::message::code(negotiated.cipher_suite.0, negotiated.cipher_suite)),
        server_name: session.client_hello.as_ref().and_then(|hello| hello.server_name()),
        protocol: session.protocol.as_ref().map(|name| String::from_utf8_lossy(name).into_owned()),
        key_exchange: key_exchange(session),
        forward_secret: forward_secret(session),
        signature: signature(session),
        signature_holds: session.signature_holds,
        resumed: session.resumed,
        stapled: session.stapled,
        client_certificate: match (session.client_certificate_asked, session.client_chain.is_empty()) {
            (_, false) => ClientCertificate::Sent,
            (true, true) => ClientCertificate::Declined,
            (false, true) => ClientCertificate::NotAsked,
        },
        decrypted_with: events
            .iter()
            .any(|event| event.protection == Protection::Decrypted)
            .then(|| recorder.keys().source().unwrap_or("keys").to_owned()),
        finished_verified: session.finished_holds == [Some(true); 2],
        alerts: alerts(events),
        times: times(events),
        application_data,
        records_omitted,
        remarks,
        server_chain: session.server_chain.clone(),
        client_chain: session.client_chain.clone(),
    }
}

/// What the server signed with: a scheme, or before TLS 1.2 what the kind of its key decides.
fn signature(session: &Session) -> Option<String> {
    match (session.scheme, session.signature_seen) {
        (Some(scheme), _) => Some(scheme.to_string()),
        (None, true) if session.server_key().is_some_and(|key| key.algorithm().is_ecdsa()) => {
            Some(SignedWith::Tls10Ecdsa.to_string())
        }
        (None, true) => Some(SignedWith::Tls10Rsa.to_string()),
        (None, false) => None,
    }
}

fn outcome(session: &Session, events: &[Event]) -> Outcome {
    let wrong = events.iter().flat_map(|event| &event.remarks).any(|remark| remark.weight == Weight::Wrong);
    let gave_up = events.iter().any(|event| match event.kind {
        "Alert" => is_fatal(event),
        "NotTls" | "Malformed" => true,
        _ => false,
    });
    match (session.finished, wrong || gave_up) {
        (_, true) => Outcome::Failed,
        ([true, true], false) => Outcome::Completed,
        (_, false) => Outcome::Incomplete,
    }
}

/// Whether an alert ends a connection for another reason than that all is said.
fn is_fatal(event: &Event) -> bool {
    let level = matches!(event.fields.get("level"), Some(Value::Code { name, .. }) if name == "fatal");
    let close = matches!(event.fields.get("description"), Some(Value::Code { name, .. })
        if AlertDescription::CLOSE_NOTIFY.name() == Some(name));
    level && !close
}

fn alerts(events: &[Event]) -> Vec<String> {
    let alerts = events.iter().filter(|event| event.kind == "Alert" && event.protection != Protection::Encrypted);
    alerts.map(|event| format!("{}: {}", name_of(event.from), event.headline)).collect()
}

fn key_exchange(session: &Session) -> Option<String> {
    let parts = session.parts()?;
    let group = session.group.map(|group| group.to_string());
    let bits = session.dh_bits.map(|bits| format!("{bits} bits"));
    let on = |name: &str| match group.clone().or_else(|| bits.clone()) {
        Some(group) => format!("{name} with {group}"),
        None => name.to_owned(),
    };
    Some(match parts.key_exchange {
        KeyExchange::Tls13 => {
            let psk = session.has_extension(ExtensionType::PRE_SHARED_KEY);
            match (group, psk) {
                (Some(group), true) => format!("{group} and a pre-shared key"),
                (Some(group), false) => group,
                (None, true) => "a pre-shared key alone".to_owned(),
                (None, false) => return None,
            }
        }
        _ if session.resumed => "none: the master secret of an earlier connection".to_owned(),
        KeyExchange::Rsa => "RSA: the client encrypts the secret to the server's key".to_owned(),
        KeyExchange::Dhe => on("DHE"),
        KeyExchange::Ecdhe if parts.authentication == Authentication::Anonymous => on("ECDHE, not signed"),
        KeyExchange::Ecdhe => on("ECDHE"),
        KeyExchange::DhePsk => on("a pre-shared key and DHE"),
        KeyExchange::EcdhePsk => on("a pre-shared key and ECDHE"),
        KeyExchange::Psk => "a pre-shared key alone".to_owned(),
        other => format!("{other:?}"),
    })
}

fn forward_secret(session: &Session) -> Option<bool> {
    let parts = session.parts()?;
    match parts.key_exchange {
        KeyExchange::Tls13 => Some(session.group.is_some()),
        // A resumed session is as secret as its ticket, of which nothing is known.
        _ if session.resumed => None,
        other => Some(other.is_forward_secret()),
    }
}

fn times(events: &[Event]) -> Times {
    let first = |kinds: &[&str], from: Option<Sender>| {
        let found =
            events.iter().find(|event| kinds.contains(&event.kind) && from.is_none_or(|from| event.from == from));
        found.map(|event| event.after)
    };
    let finished = events
        .iter()
        .filter(|event| event.kind == "Finished")
        .map(|event| event.after)
        .fold(None, |latest: Option<f64>, after| Some(latest.map_or(after, |latest| latest.max(after))));
    Times {
        server_hello_ms: first(&["ServerHello"], None),
        server_done_ms: first(&["ServerHelloDone"], None)
            .or_else(|| first(&["Finished", "Encrypted"], Some(Sender::Server))),
        finished_ms: finished,
        application_data_ms: first(&["ApplicationData"], None),
    }
}

/// Certificates are told in full among the events; here by name and fingerprint.
fn as_names<S: Serializer>(chain: &[Certificate], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Named {
        subject: String,
        fingerprint_sha256: String,
    }
    serializer.collect_seq(chain.iter().map(|certificate| Named {
        subject: certificate.subject().to_string(),
        fingerprint_sha256: crate::encoding::hex::colons(&certificate.fingerprint_sha256()),
    }))
}
