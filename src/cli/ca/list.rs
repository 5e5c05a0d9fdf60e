//! `certkit ca list`: what the CA has signed.

use std::collections::VecDeque;

use anyhow::{Context, anyhow};
use serde::Serialize;
use time::{Duration, OffsetDateTime};

use super::lapse::Lapse;
use super::place::Chosen;
use super::which;
use crate::ca::ledger::RecordId;
use crate::ca::{Authority, AuthorityName, Query, Record, RevokedAuthority};
use crate::cli::clock::{self, parse_span, rfc3339};
use crate::cli::exit::Exit;
use crate::cli::output::{LongReport, Session};
use crate::cli::problem::Hinted;
use crate::cli::text::{Text, bad, dim, safe, warn};
use crate::encoding::hex;
use crate::x509::extension::CrlReason;

/// List the certificates an authority of the CA has issued, or all of them have, the oldest first
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
However many there are, they are written as they are read, and none is kept in memory. To go through them in parts: --limit, and
then --after with the last serial number of the part before.

For example:
  certkit ca list
  certkit ca list --name api.test
  certkit ca list --valid --expiring 30d --json
  certkit ca list --all
  certkit ca list --revoked
  certkit ca list --limit 100 --after 7742b03fcc84b8505a41e13550ce4635

With --json the answer is an object: `ca` (the subject of the authority; with --all, of the first); `folder`; `certificates`,
each with `authority` (what the authority is called), `serial`, `status` (`valid`, `not_yet_valid`, `expired`, `revoked`;
`issuer_revoked` where its authority, or one above that, is revoked or on hold),
`subject`, `names`, `profile`, `not_before`, `not_after`, `issued_at`, `fingerprint_sha256`, and where it is revoked,
`revoked_at`, `reason` and `invalid_since`; and `more` (whether --limit left any out).")]
pub(super) struct Args {
    /// Those of every authority of the CA, each with what the authority is called
    #[arg(long)]
    all: bool,

    /// Those with this name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Those that expire within this time, or have expired: 30d, 12h
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    expiring: Option<Duration>,

    /// Those that are revoked or on hold
    #[arg(long, conflicts_with = "valid")]
    revoked: bool,

    /// Those that can be used: neither expired nor revoked, nor below a revoked authority, and valid already
    #[arg(long)]
    valid: bool,

    /// At most so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,

    /// Those that were issued after the one with this serial number
    #[arg(long, value_name = "SERIAL")]
    after: Option<String>,
}

pub(super) fn run(args: Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    let now = clock::now();
    let until = |span| now.checked_add(span).context("--expiring reaches past the year 9999");
    let expiring_before = args.expiring.map(until).transpose()?;
    let mut authorities = match args.all {
        true => {
            chosen.without_issuer("--all lists those of every authority")?;
            chosen.open_all_to_read()?
        }
        false => vec![(chosen.issuer()?, chosen.open_to_read()?)],
    };
    let after = args.after.map(|serial| place_of(&mut authorities, &serial, chosen)).transpose()?;
    let revoked = if args.revoked { Some(true) } else { args.valid.then_some(false) };
    let mut lapses = Vec::new();
    for (name, authority) in &mut authorities {
        lapses.extend(Lapse::of_all(authority, now)?.into_iter().map(|lapse| (chosen.by(name.clone()), lapse)));
    }
    let ca = authorities.first().map(|(_, authority)| authority.certificate().subject().to_string());
    let name = args.name.map(|name| which::as_issued(&name).unwrap_or(name));
    let query = Query { name, expiring_before, revoked, after, limit: Some(PAGE), ..Query::default() };
    let several = authorities.len() > 1;
    let mut listing = Listing {
        ca: ca.unwrap_or_default(),
        folder: chosen.shown(),
        shelves: authorities
            .into_iter()
            .map(|(name, authority)| Shelf::new(name, authority, query.clone(), args.valid))
            .collect::<Result<_, _>>()?,
        several,
        only_valid: args.valid,
        left: args.limit,
        now,
        listed: 0,
        more: false,
    };
    session.answer_long(&mut listing)?;
    for (chosen, list) in lapses.into_iter().filter(|(_, list)| list.is_lapsing()) {
        let command = list.command(&chosen.flag_to_sign());
        session.warn(format_args!("{}: sign the next one with `{command}`", list.in_words()));
    }
    Ok(Exit::Yes)
}

/// Where in the ledger the certificate with this serial number is.
fn place_of(authorities: &mut [(AuthorityName, Authority)], serial: &str, chosen: &Chosen) -> anyhow::Result<RecordId> {
    let mut found = Vec::new();
    if let Some(serial) = which::serial(serial) {
        let query = Query { serial: Some(serial), ..Query::default() };
        for (_, authority) in authorities {
            found.extend(authority.find(&query)?.iter().map(|record| record.id));
        }
    }
    if found.len() > 1 {
        // Each authority numbers for itself, and what was imported may begin at 1.
        let failed: anyhow::Result<RecordId> =
            Err(anyhow!("several authorities have issued a certificate with serial number {serial}"));
        return failed.hint("list one authority at a time with --issuer");
    }
    found
        .first()
        .copied()
        .with_context(|| format!("the CA in {} has issued no certificate with serial number {serial}", chosen.shown()))
        .hint("--after takes the last serial number of the part before")
}

/// The list, page by page.
struct Listing {
    ca: String,
    folder: String,
    shelves: Vec<Shelf>,
    /// Whether it has to be said which authority has issued each.
    several: bool,
    /// Those that have expired or are not valid yet are left out.
    only_valid: bool,
    /// How many may still be listed.
    left: Option<u32>,
    now: OffsetDateTime,
    listed: u64,
    more: bool,
}

/// What one authority has issued.
struct Shelf {
    name: AuthorityName,
    authority: Authority,
    query: Query,
    /// Why nothing it has issued can be used, where it or one above it is revoked.
    revoked: Option<RevokedAuthority>,
    /// Read, and not listed yet.
    waiting: VecDeque<Record>,
    over: bool,
}

impl Shelf {
    fn new(name: AuthorityName, mut authority: Authority, query: Query, only_valid: bool) -> anyhow::Result<Self> {
        let revoked = authority.revoked()?;
        let over = only_valid && revoked.is_some();
        Ok(Self { name, authority, query, revoked, waiting: VecDeque::new(), over })
    }

    /// The place of the next record in the ledger.
    fn next(&mut self) -> anyhow::Result<Option<RecordId>> {
        if self.waiting.is_empty() && !self.over {
            let found = self.authority.find(&self.query)?;
            self.over = found.len() < PAGE as usize;
            self.query.after = found.last().map(|record| record.id);
            self.waiting = found.into();
        }
        Ok(self.waiting.front().map(|record| record.id))
    }
}

impl Listing {
    /// The next record of all shelves in the order in which they were issued.
    fn next(&mut self) -> anyhow::Result<Option<(&Shelf, Record)>> {
        let mut first = None;
        for (at, shelf) in self.shelves.iter_mut().enumerate() {
            let Some(id) = shelf.next()? else { continue };
            if first.is_none_or(|(least, _)| id < least) {
                first = Some((id, at));
            }
        }
        let shelf = first.and_then(|(_, at)| self.shelves.get_mut(at));
        let Some(shelf) = shelf else { return Ok(None) };
        let record = shelf.waiting.pop_front();
        Ok(record.map(|record| (&*shelf, record)))
    }
}

#[derive(Debug, Serialize)]
struct Head {
    ca: String,
    folder: String,
}

#[derive(Debug, Serialize)]
struct End {
    /// Whether the limit left any out.
    more: bool,
}

impl LongReport for Listing {
    type Head = Head;
    type Row = Line;
    type End = End;
    const ROWS: &'static str = "certificates";

    fn head(&self) -> Head {
        Head { ca: self.ca.clone(), folder: self.folder.clone() }
    }

    fn next_rows(&mut self) -> anyhow::Result<Option<Vec<Line>>> {
        let mut rows = Vec::new();
        while rows.len() < PAGE as usize && !self.more {
            let now = self.now;
            let Some((shelf, record)) = self.next()? else { break };
            let line = Line::of(&record, &shelf.name, now).below(shelf.revoked.as_ref());
            if self.only_valid && !record.validity.contains(now) {
                continue;
            }
            if self.left == Some(0) {
                self.more = true;
                break;
            }
            self.left = self.left.map(|left| left - 1);
            rows.push(line);
        }
        self.listed += rows.len() as u64;
        Ok(Some(rows).filter(|rows| !rows.is_empty()))
    }

    fn text(&mut self, rows: &[Line], text: &mut Text) {
        let width = |of: fn(&Line) -> String| {
            rows.iter().map(|line| safe(of(line)).to_string().chars().count()).max().unwrap_or(0)
        };
        let (names, profiles) = (width(Line::called).min(WIDEST), width(|line| line.profile.clone()));
        let authorities = width(|line| line.authority.to_string());
        for line in rows {
            let called = safe(line.called()).to_string();
            let profile = safe(&line.profile).to_string();
            let authority = match self.several {
                true => format!("{:authorities$}  ", line.authority.to_string()),
                false => String::new(),
            };
            text.line(format_args!(
                "{authority}{}  {called:names$}  {profile:profiles$}  {}",
                dim(format!("{:>32}", line.serial)),
                line.standing()
            ));
        }
    }

    fn end(&self) -> End {
        End { more: self.more }
    }

    fn end_text(&self, text: &mut Text) {
        match (self.listed, self.more) {
            (0, _) if self.several => text.line("no authority has issued anything that matches"),
            (0, _) => text.line(format_args!("{} has issued nothing that matches", safe(&self.ca))),
            (_, true) => text.line("there are more: --after with the last serial number goes on"),
            _ => {}
        }
    }
}

/// One certificate.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    authority: AuthorityName,
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
    invalid_since: Option<String>,
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
    /// Not itself, but the authority that has issued it, or one above that.
    IssuerRevoked,
}

impl Line {
    pub(super) fn of(record: &Record, authority: &AuthorityName, now: OffsetDateTime) -> Self {
        let validity = record.validity;
        let status = match record.revocation {
            Some(_) => Status::Revoked,
            None if now > validity.not_after => Status::Expired,
            None if now < validity.not_before => Status::NotYetValid,
            None => Status::Valid,
        };
        Self {
            authority: authority.clone(),
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
            invalid_since: record.revocation.and_then(|revocation| revocation.invalid_since).map(rfc3339),
            expiry: clock::expiry(validity.not_after, now),
        }
    }

    /// The same below an authority that is revoked, where it is.
    pub(super) fn below(self, revoked: Option<&RevokedAuthority>) -> Self {
        match self.status {
            Status::Valid | Status::NotYetValid if revoked.is_some() => Self { status: Status::IssuerRevoked, ..self },
            _ => self,
        }
    }

    /// The names, or the subject where there is none.
    pub(super) fn called(&self) -> String {
        if self.names.is_empty() { self.subject.clone() } else { self.names.join(" ") }
    }

    pub(super) fn serial(&self) -> &str {
        &self.serial
    }

    /// `keyCompromise since 2026-11-23T12:00:00Z`; nothing where it is not revoked.
    pub(super) fn revocation_in_words(&self) -> String {
        match (&self.reason, &self.revoked_at) {
            (Some(reason), Some(at)) => format!("{reason} since {at}"),
            _ => String::new(),
        }
    }

    pub(super) fn standing(&self) -> String {
        match self.status {
            Status::Valid => self.expiry.clone(),
            Status::NotYetValid => warn("not yet valid").to_string(),
            Status::Expired => warn(&self.expiry).to_string(),
            Status::IssuerRevoked => bad("its issuer is revoked").to_string(),
            Status::Revoked => match self.reason {
                Some(reason) if reason != CrlReason::Unspecified.name() => {
                    bad(format!("revoked, {reason}")).to_string()
                }
                _ => bad("revoked").to_string(),
            },
        }
    }
}

/// A line with more names than this pushes its own columns aside, not everybody's.
const WIDEST: usize = 50;

/// Records read at once.
const PAGE: u32 = 500;
