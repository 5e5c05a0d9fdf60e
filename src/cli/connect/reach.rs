//! How the server is reached: flags, and errors that say what to do.

use std::time::Duration;

use anyhow::Context;
use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::cli::clock;
use crate::cli::problem::Hinted;
use crate::dial::{self, Dialled, Endpoint, Protocol, Stopwatch, Target};

#[derive(Debug, clap::Args)]
pub(super) struct ReachArgs {
    /// The server speaks this protocol first and goes over to TLS when asked
    #[arg(long, value_enum, value_name = "PROTOCOL")]
    pub(super) starttls: Option<Protocol>,

    /// How long each step may take: to connect, the dialogue before TLS, the handshake, an answer
    #[arg(long, value_name = "SPAN", default_value = "10s", value_parser = timeout)]
    pub(super) timeout: Duration,
}

/// The protocols by the names users type.
impl ValueEnum for Protocol {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let about = match self {
            Self::Smtp => "Mail, sent",
            Self::Imap => "Mail, read",
            Self::Pop3 => "Mail, fetched",
            Self::Ldap => "Directories",
            Self::Postgres => "PostgreSQL",
            Self::Mysql => "MySQL and MariaDB",
            Self::Ftp => "Files",
            Self::Xmpp => "Messages",
        };
        Some(PossibleValue::new(self.name()).help(about))
    }
}

impl ReachArgs {
    /// The endpoint: the port is HTTPS's or the protocol's where none is given.
    pub(super) fn endpoint(&self, target: Target) -> Endpoint {
        target.at(self.starttls.map_or(443, Protocol::port))
    }

    /// Connects, up to the point where TLS begins.
    /// Also says how many milliseconds the dialogue before TLS took.
    pub(super) fn reach(&self, endpoint: &Endpoint) -> anyhow::Result<(Dialled, Option<f64>)> {
        let stopwatch = Stopwatch::new(clock::exactly_now());
        let mut dialled = dial::dial(endpoint, self.timeout, stopwatch).or_else(|error| {
            let hint = error.hint();
            Err(error).hint_if(hint)
        })?;
        let mut dialogue_ms = None;
        if let Some(protocol) = self.starttls {
            let begun = stopwatch.elapsed_ms();
            dialled.wire.allow(self.timeout);
            dialled.wire.start_tls(protocol, &endpoint.host.to_string()).or_else(|error| {
                let hint = error.hint();
                let what = || format!("{} at {endpoint} does not go over to TLS", protocol.title());
                Err(error).with_context(what).hint_if(hint)
            })?;
            dialogue_ms = Some(stopwatch.elapsed_ms() - begun);
        }
        dialled.wire.allow(self.timeout);
        Ok((dialled, dialogue_ms))
    }
}

fn timeout(text: &str) -> Result<Duration, String> {
    let span = clock::parse_span(text).map_err(|error| error.to_string())?;
    match Duration::try_from(span) {
        Ok(span) if !span.is_zero() && span <= Duration::from_secs(3600) => Ok(span),
        _ => Err("it must lie between a second and an hour".to_owned()),
    }
}
