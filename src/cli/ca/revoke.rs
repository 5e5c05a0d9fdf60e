//! `certkit ca revoke`: take a certificate back.

use anyhow::{Context, anyhow, bail};
use serde::Serialize;
use time::OffsetDateTime;

use super::lapse::Lapse;
use super::list::Line;
use super::place::{self, Chosen};
use super::twin;
use super::which::{Meant, is_live};
use crate::ca::place::is_there;
use crate::ca::{AbsentKey, Action, Authority, AuthorityName, Record, Revocation};
use crate::cli::clock::{self, Moment, rfc3339};
use crate::cli::exit::Exit;
use crate::cli::output::{Report, Session, shown};
use crate::cli::problem::Hinted;
use crate::cli::text::{Text, bad, good, safe, strong, warn};
use crate::x509::extension::CrlReason;

/// Revoke certificates, or lift their hold
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Clients learn of it from the next revocation list (certkit ca crl) and from OCSP answers (certkit ca ocsp), which say it at
once. A revocation is for good, except a hold: --hold suspends, --release lifts that, and a hold can become a revocation. Its
reason is for good too, and can only be raised: what was revoked as superseded becomes a keyCompromise, cACompromise or
aACompromise once that is known, and its key is not certified again. Its time stays the first one, and of two times since when
it is not to be trusted (--invalid-since) the earlier one stands. A time that is still to come, for the clock was ahead, gives way
to that of the next revocation: its reason stays, or is raised.

Reasons (RFC 5280 §5.3.1): unspecified, keyCompromise, cACompromise, affiliationChanged, superseded, cessationOfOperation,
certificateHold, privilegeWithdrawn, aACompromise.

Where several certificates have the name, those that are expired or revoked aside, none is revoked and they are listed.

Exit status: 0 revoked, raised or set to an earlier time; 1 revoked already (or, with --release, not on hold): nothing changed for it; 2 could not.

For example:
  certkit ca revoke api.test --reason keyCompromise --invalid-since 2026-11-01
  certkit ca revoke 7742b03fcc84b8505a41e13550ce4635 api.test.pem --reason superseded
  certkit ca revoke --hold laptop.test
  certkit ca revoke --release laptop.test

With --json the answer is an object: `certificates`, each as `certkit ca list` answers, with `changed` (whether this run did
it), `not_taken` (the reason given, where the one it was revoked for before stays), `raised_from` (the reason before, where
it was raised to a compromise) and `moved_from` (the time before, where that was to come); `list`, the last revocation list, or the
one that is worst off of those for several addresses, with `number`, `next_update`, `state` (`current`, `due`, `lost`, `lapsed`,
`behind`, `ahead`, `overtaken`) and `url`, null where none was signed; and `to_do`, what to do
next.")]
pub(super) struct Args {
    /// Which: serial numbers in hexadecimal, names, or files with the certificate first. Of the authority that signs, or
    /// else of any of the CA
    #[arg(value_name = "NAME|SERIAL|FILE", required = true)]
    which: Vec<String>,

    /// Why
    #[arg(long, value_name = "REASON", value_parser = parse_reason, default_value = "unspecified", conflicts_with_all = ["hold", "release"])]
    reason: CrlReason,

    /// Suspend it: a revocation that --release lifts
    #[arg(long, conflicts_with = "release")]
    hold: bool,

    /// Lift the hold
    #[arg(long)]
    release: bool,

    /// When it was revoked, if not now: 2026-11-23, 2026-11-23T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = clock::parse_time, conflicts_with = "release")]
    at: Option<OffsetDateTime>,

    /// Since when it is not to be trusted (invalidityDate), if that is known: from when the key was in other hands
    #[arg(long, value_name = "TIME", conflicts_with = "release")]
    invalid_since: Option<Moment>,

    /// Revoke all that have the name; with a compromise as the reason, those revoked for another too
    #[arg(long, conflicts_with = "release")]
    all: bool,
}

pub(super) fn run(args: Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    let now = clock::now();
    let revocation = args.revocation(now)?;
    let Some((first, others)) = args.which.split_first() else { bail!("it has to be said which") };
    let untouched = || match args.release {
        true => "nothing was released",
        false => "nothing was revoked",
    };
    // Of one it goes without saying.
    let told = |error: anyhow::Error| if others.is_empty() { error } else { error.context(untouched()) };
    let (signer, mut authority, meant) = Meant::in_any(first, chosen, false).map_err(told)?;
    // All are found before any is touched.
    let mut records = args.chosen_of(meant, revocation, now).map_err(told)?;
    for which in others {
        let meant = match Meant::find(&mut authority, which, &signer) {
            Ok(meant) => meant,
            Err(error) => return Err(error).hint_if(another(which, first, &signer, chosen)).map_err(told),
        };
        for record in args.chosen_of(meant, revocation, now).map_err(told)? {
            if !records.iter().any(|known| known.id == record.id) {
                records.push(record);
            }
        }
    }
    if let Some(at) = args.at
        && authority.last_lists(false)?.iter().any(|list| at < list.this_update)
    {
        session.warn(format_args!(
            "a list issued after {} did not have it: --invalid-since is for when it went bad, --at for when it was revoked \
             (RFC 5280 §5.3.2)",
            rfc3339(at)
        ));
    }
    let early = |record: &&Record| revocation.is_some_and(|revocation| revocation.at < born(record));
    if let Some(record) = records.iter().find(early) {
        let (serial, born) = (&record.serial, rfc3339(born(record)));
        if let Some(at) = args.at {
            return Err(anyhow!("the certificate with serial number {serial} was not there at {}", rfc3339(at))).hint(format!(
                "--at takes a time since {born}; when the key was in other hands before is said with --invalid-since"
            ));
        }
        session.warn(format_args!(
            "by the clock it is {}, before the certificate with serial number {serial} was issued: it is revoked as of \
             {born}; is the clock right?",
            rfc3339(now)
        ));
    }
    let mut answer = Answer { certificates: Vec::new(), list: None, to_do: String::new(), released: args.release };
    let name = signer.issuer()?;
    for record in &records {
        let revocation = revocation.map(|it| Revocation { at: it.at.max(born(record)), ..it });
        let before: Vec<&Taken> = answer.certificates.iter().filter(|one| one.changed).collect();
        let taken = take(&mut authority, &name, record, revocation, now);
        let taken = if before.is_empty() {
            taken?
        } else {
            let serials: Vec<String> = before.iter().map(|one| one.line.serial().to_string()).collect();
            taken.with_context(|| format!("the others before are done, {}", serials.join(", ")))?
        };
        if taken.changed {
            twin::tell_of_the_other(record, &signer, now, session);
        }
        if let (Some(_), Some(_), None, Some(first)) =
            (args.at, taken.raised_from, &taken.moved_from, record.revocation)
        {
            session.warn(format_args!(
                "the certificate with serial number {} stays revoked as of {}: --at is not taken, for it was revoked before",
                record.serial,
                rfc3339(first.at)
            ));
        }
        answer.certificates.push(taken);
    }
    let lists = Lapse::of_all(&mut authority, now)?;
    answer.to_do = what_next(&answer, &lists, &name, &signer)?;
    answer.list = lists.into_iter().next();
    session.answer(&answer).context("the ledger has what was asked for")?;
    Ok(Exit::of(answer.certificates.iter().all(|one| one.changed)))
}

impl Args {
    /// The revocation, or `None` to lift a hold.
    fn revocation(&self, now: OffsetDateTime) -> anyhow::Result<Option<Revocation>> {
        if self.release {
            return Ok(None);
        }
        let at = self.at.unwrap_or(now);
        if at > now {
            return Err(anyhow!("--at {} is to come", rfc3339(at)))
                .hint("a certificate is revoked now or was; to end it later, let it expire");
        }
        let invalid_since = match self.invalid_since {
            None => None,
            Some(Moment::At(time)) => Some(time),
            Some(Moment::After(span)) => Some(now.checked_sub(span).context("--invalid-since lies before all time")?),
        };
        if invalid_since.is_some_and(|since| since > now) {
            return Err(anyhow!("--invalid-since is to come")).hint("it is when the certificate went bad");
        }
        let reason = if self.hold { CrlReason::CertificateHold } else { self.reason };
        Ok(Some(Revocation { at, reason, invalid_since }))
    }

    fn chosen_of(
        &self,
        mut meant: Meant,
        revocation: Option<Revocation>,
        now: OffsetDateTime,
    ) -> anyhow::Result<Vec<Record>> {
        let on_hold = |record: &Record| record.revocation.is_some_and(|revocation| revocation.is_hold());
        let counts = |record: &Record| if self.release { on_hold(record) } else { is_live(record, now) };
        if self.all {
            // Also what a compromise raises, and a hold that becomes a revocation.
            let changes = |record: &Record| revocation.is_some_and(|it| it.upon(record.revocation, now).is_some());
            meant.narrow(|record| now <= record.validity.not_after && changes(record));
            return Ok(meant.records);
        }
        let several = meant.records.len() > 1;
        let one = meant.only(counts);
        if several && !self.release {
            return one.hint("say which by its serial number, or --all of them").map(|record| vec![record]);
        }
        Ok(vec![one?])
    }
}

/// When a certificate was first there: one that was taken over from elsewhere was recorded later than that.
fn born(record: &Record) -> OffsetDateTime {
    record.issued_at.min(record.validity.not_before)
}

/// What to do about a certificate of another authority than that of the first, where it is one: each has its own lists.
fn another(which: &str, first: &str, signer: &Chosen, chosen: &Chosen) -> Option<String> {
    let (other, ..) = Meant::in_any(which, chosen, false).ok()?;
    let (other, signer) = (other.issuer().ok()?, signer.issuer().ok()?);
    Some(format!("{other} has issued it, and {signer} has issued {first}: revoke them one after the other"))
}

/// Revokes one certificate, raises its revocation or lifts its hold, if it is not so already.
fn take(
    authority: &mut Authority,
    name: &AuthorityName,
    record: &Record,
    revocation: Option<Revocation>,
    now: OffsetDateTime,
) -> anyhow::Result<Taken> {
    let done = match revocation {
        Some(revocation) => authority.revoke(&record.serial, revocation, &place::act(Action::Revoke)),
        None => authority.release(&record.serial, &place::act(Action::Release)),
    };
    match done {
        Ok(changed) => {
            let stands = changed.revocation;
            let before = record.revocation.filter(|before| revocation.is_some() && !before.is_hold());
            let raised = before.filter(|before| stands.is_some_and(|stands| stands.reason != before.reason));
            let moved = before.filter(|before| stands.is_some_and(|stands| stands.at != before.at));
            Ok(Taken {
                line: Line::of(&changed, name, now),
                changed: true,
                not_taken: before.and_then(|_| not_taken(revocation, stands)),
                raised_from: raised.map(|before| before.reason.name()),
                moved_from: moved.map(|before| rfc3339(before.at)),
            })
        }
        Err(error) if error.is_about_standing() => Ok(Taken {
            line: Line::of(record, name, now),
            changed: false,
            not_taken: not_taken(revocation, record.revocation),
            raised_from: None,
            moved_from: None,
        }),
        Err(error) => Err(error.into()),
    }
}

/// The reason given, where another one stands.
fn not_taken(given: Option<Revocation>, stands: Option<Revocation>) -> Option<&'static str> {
    let differs = |given: &CrlReason| {
        *given != CrlReason::Unspecified && stands.is_some_and(|standing| standing.reason != *given)
    };
    given.map(|it| it.reason).filter(differs).map(CrlReason::name)
}

fn what_next(answer: &Answer, lists: &[Lapse], name: &AuthorityName, chosen: &Chosen) -> anyhow::Result<String> {
    let flag = chosen.flag_to_sign();
    let is_destroyed = chosen.config()?.keys.get(name) == Some(&AbsentKey::Destroyed);
    Ok(match lists {
        _ if answer.certificates.iter().all(|one| !one.changed) => {
            "nothing changed: nothing is to be published".to_owned()
        }
        _ if is_destroyed => beyond_signing(name, chosen),
        [] => format!(
            "clients do not know yet: sign a list with `certkit ca crl{flag}`, or answer with `certkit ca ocsp{flag}`"
        ),
        [list] => {
            format!("list {} does not say so: publish the next one with `{}`", list.number, list.command(&flag))
        }
        several => {
            let numbers: Vec<String> = several.iter().map(|list| list.number.to_string()).collect();
            let commands: Vec<String> = several.iter().map(|list| format!("`{}`", list.command(&flag))).collect();
            let (numbers, commands) = (numbers.join(", "), commands.join(", "));
            format!("lists {numbers} do not say so: publish the next ones with {commands}")
        }
    })
}

/// What to do where nobody can tell clients of it any more, except a delegate that is left.
fn beyond_signing(name: &AuthorityName, chosen: &Chosen) -> String {
    let asks = match is_there(&chosen.place().delegate_of(name)) {
        true => format!(
            "; `certkit ca ocsp{}` tells those that ask, while the certificate of its delegate lasts",
            chosen.flag_to_sign()
        ),
        false => String::new(),
    };
    format!(
        "the key of {name} was destroyed, so nobody can sign a list that says so, and clients go on taking the certificate{asks}: \
         take {} out of the trust stores, and make a new root with `certkit ca init --ca DIR`",
        shown(&chosen.place().certificate_of(name))
    )
}

fn parse_reason(text: &str) -> Result<CrlReason, String> {
    match CrlReason::from_name(text) {
        Some(CrlReason::RemoveFromCrl) => {
            Err("that is how a list says that a hold was lifted: --release does it".to_owned())
        }
        Some(reason) => Ok(reason),
        None => {
            let names: Vec<&str> = CrlReason::ALL
                .into_iter()
                .filter(|reason| *reason != CrlReason::RemoveFromCrl)
                .map(CrlReason::name)
                .collect();
            Err(format!("RFC 5280 §5.3.1 knows {}", names.join(", ")))
        }
    }
}

#[derive(Debug, Serialize)]
struct Answer {
    certificates: Vec<Taken>,
    list: Option<Lapse>,
    to_do: String,
    #[serde(skip)]
    released: bool,
}

#[derive(Debug, Serialize)]
struct Taken {
    #[serde(flatten)]
    line: Line,
    /// Whether this run did it.
    changed: bool,
    /// The reason given, where the one before stays.
    not_taken: Option<&'static str>,
    /// The reason before, where it was raised to a compromise.
    raised_from: Option<&'static str>,
    /// The time before, where that was to come.
    moved_from: Option<String>,
}

impl Report for Answer {
    fn text(&self, text: &mut Text) {
        for Taken { line, changed, not_taken, raised_from, moved_from } in &self.certificates {
            let before: Vec<&str> = raised_from.iter().copied().chain(moved_from.as_deref()).collect();
            let before = if before.is_empty() { String::new() } else { format!(" ({} before)", before.join(", ")) };
            let standing = format!("{}{before}", line.revocation_in_words());
            let verb = match (changed, self.released) {
                (true, false) if raised_from.is_some() => good("raised").to_string(),
                (true, false) if moved_from.is_some() => good("set right").to_string(),
                (true, false) => good("revoked").to_string(),
                (true, true) => good("released").to_string(),
                (false, false) => bad("already").to_string(),
                (false, true) => bad("not on hold").to_string(),
            };
            text.line(format_args!("{verb}  {}  {}  {}", line.serial(), strong(line.called()), safe(standing)));
            if let Some(reason) = not_taken {
                text.line(format_args!(
                    "{} {reason} was NOT taken: a revocation keeps its reason, here and in every list, unless it is raised to a \
                     compromise",
                    warn("not changed:")
                ));
            }
        }
        if let Some(list) = &self.list
            && list.is_lapsing()
        {
            text.line(format_args!("{} {}", warn("lapsing:"), list.in_words()));
        }
        text.line(format_args!("next: {}", self.to_do));
    }
}
