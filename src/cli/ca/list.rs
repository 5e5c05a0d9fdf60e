//! `certkit ca list`: what the CA has signed.

use anyhow::Context;
use serde::Serialize;
use time::{Duration, OffsetDateTime};

use super::place::Chosen;
use crate::ca::{Query, Record};
use crate::cli::clock::{self, parse_span, rfc3339};
use crate::cli::exit::Exit;
use crate::cli::output::{Report, Session};
use crate::cli::text::{Text, bad, dim, safe, warn};
use crate::encoding::hex;

/// List the certificates the CA has issued, the oldest first
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
For example:
  certkit ca list
  certkit ca list --name api.test
  certkit ca list --expiring 30d --json

With --json the answer is an object: `ca` (its subject); `folder`; and `certificates`, each with `serial`, `status` (`valid`,
`not_yet_valid`, `expired`, `revoked`), `subject`, `names`, `profile`, `not_before`, `not_after`, `issued_at`,
`fingerprint_sha256`, and where it is revoked, `revoked_at` and `reason`.")]
pub(super) struct Args {
    /// Those with this name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Those that expire within this time, or have expired: 30d, 12h
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    expiring: Option<Duration>,
}

pub(super) fn run(args: Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    let now = clock::now();
    let until = |span| now.checked_add(span).context("--expiring reaches past the year 9999");
    let expiring_before = args.expiring.map(until).transpose()?;
    let mut authority = chosen.open_to_read()?;
    let found = authority.find(&Query { name: args.name, expiring_before, ..Query::default() })?;
    let listed = Listed {
        ca: authority.certificate().subject().to_string(),
        folder: chosen.shown(),
        certificates: found.iter().map(|record| Line::of(record, now)).collect(),
    };
    session.answer(&listed)?;
    Ok(Exit::Yes)
}

#[derive(Debug, Serialize)]
struct Listed {
    ca: String,
    folder: String,
    certificates: Vec<Line>,
}

/// One certificate.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    serial: String,
    status: Status,
    subject: String,
    names: Vec<String>,
    profile: String,
    not_before: String,
    not_after: String,
    issued_at: String,
    fingerprint_sha256: String,
    revoked_at: Option<String>,
    reason: Option<&'static str>,
    #[serde(skip)]
    expiry: String,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Valid,
    NotYetValid,
    Expired,
    Revoked,
}

impl Line {
    pub(super) fn of(record: &Record, now: OffsetDateTime) -> Self {
        let validity = record.validity;
        let status = match record.revocation {
            Some(_) => Status::Revoked,
            None if now > validity.not_after => Status::Expired,
            None if now < validity.not_before => Status::NotYetValid,
            None => Status::Valid,
        };
        Self {
            serial: record.serial.to_string(),
            status,
            subject: record.subject.clone(),
            names: record.names.clone(),
            profile: record.profile.clone(),
            not_before: rfc3339(validity.not_before),
            not_after: rfc3339(validity.not_after),
            issued_at: rfc3339(record.issued_at),
            fingerprint_sha256: hex::colons(&record.fingerprint),
            revoked_at: record.revocation.map(|revocation| rfc3339(revocation.at)),
            reason: record.revocation.map(|revocation| revocation.reason.name()),
            expiry: clock::expiry(validity.not_after, now),
        }
    }

    /// The names, or the subject where there is none.
    fn called(&self) -> String {
        if self.names.is_empty() { self.subject.clone() } else { self.names.join(" ") }
    }

    fn standing(&self) -> String {
        match self.status {
            Status::Valid => self.expiry.clone(),
            Status::NotYetValid => warn("not yet valid").to_string(),
            Status::Expired => warn(&self.expiry).to_string(),
            Status::Revoked => bad("revoked").to_string(),
        }
    }
}

impl Report for Listed {
    fn text(&self, text: &mut Text) {
        if self.certificates.is_empty() {
            text.line(format_args!("{} has issued nothing that matches", safe(&self.ca)));
            return;
        }
        let width = |of: fn(&Line) -> String| {
            self.certificates.iter().map(|line| safe(of(line)).to_string().chars().count()).max().unwrap_or(0)
        };
        let (names, profiles) = (width(Line::called).min(WIDEST), width(|line| line.profile.clone()));
        for line in &self.certificates {
            let called = safe(line.called()).to_string();
            let profile = safe(&line.profile).to_string();
            text.line(format_args!(
                "{}  {called:names$}  {profile:profiles$}  {}",
                dim(format!("{:>32}", line.serial)),
                line.standing()
            ));
        }
    }
}

/// A line with more names than this pushes its own columns aside, not everybody's.
const WIDEST: usize = 50;
