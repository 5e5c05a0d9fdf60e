//! How the server is reached: flags, and errors that say what to do.

use std::time::Duration;

use anyhow::anyhow;
use clap::ValueEnum;

use crate::cli::clock;
use crate::cli::problem::Hinted;
use crate::dial::{self, Dialled, Endpoint, Protocol, Stopwatch, Target};

#[derive(Debug, clap::Args)]
pub(super) struct ReachArgs {
    /// The server speaks this protocol first and goes over to TLS when asked
    #[arg(long, value_enum, value_name = "PROTOCOL")]
    pub(super) starttls: Option<ProtocolName>,

    /// How long each step may take: to connect, the dialogue before TLS, the handshake, an answer
    #[arg(long, value_name = "SPAN", default_value = "10s", value_parser = timeout)]
    pub(super) timeout: Duration,
}

/// The protocols by the names users type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ProtocolName {
    /// Mail, sent.
    Smtp,
    /// Mail, read.
    Imap,
    /// Mail, fetched.
    Pop3,
    /// Directories.
    Ldap,
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    Mysql,
    /// Files.
    Ftp,
    /// Messages.
    Xmpp,
}

impl From<ProtocolName> for Protocol {
    fn from(name: ProtocolName) -> Self {
        match name {
            ProtocolName::Smtp => Self::Smtp,
            ProtocolName::Imap => Self::Imap,
            ProtocolName::Pop3 => Self::Pop3,
            ProtocolName::Ldap => Self::Ldap,
            ProtocolName::Postgres => Self::Postgres,
            ProtocolName::Mysql => Self::Mysql,
            ProtocolName::Ftp => Self::Ftp,
            ProtocolName::Xmpp => Self::Xmpp,
        }
    }
}

impl ReachArgs {
    /// The protocol before TLS, if there is one.
    pub(super) fn protocol(&self) -> Option<Protocol> {
        self.starttls.map(Protocol::from)
    }

    /// The endpoint: the port is HTTPS's or the protocol's where none is given.
    pub(super) fn endpoint(&self, target: Target) -> Endpoint {
        target.at(self.protocol().map_or(443, Protocol::port))
    }

    /// Connects, up to the point where TLS begins.
    /// Also says how many milliseconds the dialogue before TLS took.
    pub(super) fn reach(&self, endpoint: &Endpoint) -> anyhow::Result<(Dialled, Option<f64>)> {
        let stopwatch = Stopwatch::new(clock::exactly_now());
        let mut dialled = dial::dial(endpoint, self.timeout, stopwatch).map_err(|error| {
            let hint = error.hint();
            hinted(error.into(), hint.map(str::to_owned))
        })?;
        let mut dialogue_ms = None;
        if let Some(protocol) = self.protocol() {
            let begun = stopwatch.elapsed_ms();
            dialled.wire.allow(self.timeout);
            dialled.wire.start_tls(protocol, &endpoint.host.to_string()).map_err(|error| {
                let hint = error.hint();
                let what = format!("{} at {endpoint} does not go over to TLS", protocol.title());
                hinted(anyhow::Error::new(error).context(what), hint)
            })?;
            dialogue_ms = Some(stopwatch.elapsed_ms() - begun);
        }
        dialled.wire.allow(self.timeout);
        Ok((dialled, dialogue_ms))
    }
}

fn hinted(error: anyhow::Error, hint: Option<String>) -> anyhow::Error {
    let Some(hint) = hint else { return error };
    match Err::<(), _>(error).hint(hint) {
        Err(error) => error,
        Ok(()) => anyhow!("nothing went wrong"),
    }
}

fn timeout(text: &str) -> Result<Duration, String> {
    let span = clock::parse_span(text).map_err(|error| error.to_string())?;
    match Duration::try_from(span) {
        Ok(span) if !span.is_zero() && span <= Duration::from_secs(3600) => Ok(span),
        _ => Err("it must lie between a second and an hour".to_owned()),
    }
}
