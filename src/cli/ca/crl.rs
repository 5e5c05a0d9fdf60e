//! `certkit ca crl`: sign the list of what is revoked.

mod check;
mod output;
mod serve;

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use serde::Serialize;
use time::{Duration, OffsetDateTime};

use self::output::{Form, ListFile};
use super::place::{self, Chosen};
use super::signer::SignerArgs;
use crate::ca::{Action, AuthorityError, ListOrder, PublishedList};
use crate::cli::clock::{self, Moment, from_now, rfc3339};
use crate::cli::exit::Exit;
use crate::cli::output::{Report, Session};
use crate::cli::problem::Hinted;
use crate::cli::signals::finish_first;
use crate::cli::text::{Text, for_shell, good, safe, warn};
use crate::encoding::hex;

/// Sign the list of revoked certificates (CRL)
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
A list holds until its nextUpdate, 7 days from now unless told: sign the next one before. Clients that look for a list refuse
every certificate once the one they have has lapsed. A list that this CA signed before is replaced in its file, one too that
`certkit ca repair` has taken over; nothing else is.
A delta list has what changed since the last complete list and holds for a day. A list is never from before the last one of
its kind: where the clock was ahead when that one was signed, --force signs the next one all the same.

--url writes the address into the list (issuingDistributionPoint): clients then take it only for certificates whose
cRLDistributionPoints name the same address. Certificates without one need a list without --url.

--check looks at the last complete list for every --url there was, and at that without, and whether each was delivered; with --url at the one for that
address alone, and with --url '' at the one without. What its delta tells, the list need not; that is due, as a list is, once
three quarters of its time are over. A list or delta from a time to come, for the clock was ahead, counts for nothing.
Without --issuer the lists of every other authority of the CA that has signed one are looked at too, unless its key was never
here, and what is due of them is told with the command that signs it; with --issuer that authority alone. Where the certificate
of an authority, or of one above it, has expired, no client takes what it has issued: no list of it is due.

--serve answers http://ADDR/crl with DER until it is told to stop, and signs anew when half of a list's time is over or
something was revoked: caches may keep it for a minute. With --delta the complete list stays until half of its time is over,
and caches may keep it until then; what is revoked meanwhile is in the delta at /delta, upon that list, and --freshest tells
clients where that is. It holds the CA's key in memory for that.

Exit status: 0 signed, or with --check nothing is due; 1 with --check, a new list is due, of the authority that signs or of
another; 2 could not, as where the reader of `--out -` leaves, or with --check, where one is due and the key that would sign it
was destroyed, and none that could be signed.

For example:
  certkit ca crl
  certkit ca crl --out /srv/www/ca.crl --days 30
  certkit ca crl --delta --next-update 12h
  certkit ca crl --check || certkit ca crl --out /srv/www/ca.crl
  certkit ca crl --check --issuer web || certkit ca crl --issuer web --out /srv/www/web.crl
  certkit ca crl --serve 127.0.0.1:8888

With --json the answer is an object: `file`; `format` (`pem`, `der`); `number`; `base` (of a delta); `entries` (how many);
`issuer`; `this_update`, `next_update` (RFC 3339); `url`; `fingerprint_sha256`. With --check: `due`, `can_sign` (false where the key was destroyed, or the certificate
has expired), `why`, `hints` (in words, where the last list is from a time to come, or the certificate is not valid now), `list`,
the last complete list as `certkit ca revoke` answers, and `lists`, all that were looked at, the one that is worst off first: of
the authority that signs; and `others`, what is due of the others: `authority`, `can_sign`, `why`, `hint`. With --serve, at its end: `address`, `requests`, `signed` (lists).")]
pub(super) struct Args {
    /// Where it goes; `-` is stdout [default: crl.pem, delta-crl.pem]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["check", "serve"])]
    out: Option<PathBuf>,

    /// How many days it holds [default: 7; 1 for a delta]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..), conflicts_with_all = ["next_update", "check"])]
    days: Option<u16>,

    /// By when there will be another: 12h, 30d, 2027-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", conflicts_with = "check")]
    next_update: Option<Moment>,

    /// Only what changed since the last complete list; with --serve, that too
    #[arg(long, conflicts_with = "check")]
    delta: bool,

    /// Where clients find it: written into the list
    #[arg(long, value_name = "URL")]
    url: Option<String>,

    /// Where clients find its deltas (freshestCRL): written into a complete list
    #[arg(long, value_name = "URL", conflicts_with = "check")]
    freshest: Vec<String>,

    /// As DER, which is what is served [default: for files called .crl or .der]
    #[arg(long, conflicts_with_all = ["pem", "check", "serve"])]
    der: bool,

    /// As PEM
    #[arg(long, conflicts_with_all = ["check", "serve"])]
    pem: bool,

    /// Say whether a new list is due: there is none, it lapses soon, or something was revoked since
    #[arg(long, conflicts_with = "serve")]
    check: bool,

    /// Serve it over HTTP on this address until told to stop
    #[arg(long, value_name = "ADDR")]
    serve: Option<String>,

    /// Replace whatever is there, also a list that was signed while the clock was ahead
    #[arg(long, conflicts_with_all = ["check", "serve"])]
    force: bool,

    #[command(flatten)]
    signer: SignerArgs,
}

pub(super) fn run(args: Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    args.check_urls()?;
    if args.check {
        args.signer.is_idle("--check signs nothing")?;
        return check::run(args.url.as_deref(), chosen, session);
    }
    if let Some(address) = &args.serve {
        return serve::run(&args, address, chosen, session);
    }
    if args.delta && !args.freshest.is_empty() {
        return Err(anyhow!("--freshest has no effect on a delta")).hint("give it with the complete list");
    }
    let now = clock::making_now()?;
    let order = args.order(now, args.delta)?;
    let mut authority = chosen.open()?;
    let name = if args.delta { "delta-crl.pem" } else { "crl.pem" };
    let out = args.out.clone().unwrap_or_else(|| name.into());
    let form = Form::of(&out, args.der, args.pem);
    let file = ListFile::choose(out, form, args.force, &order, (chosen, &args.signer), &mut authority, session)?;
    let again = |delta: &str| {
        let url = args.url.as_ref().map(|url| format!(" --url {}", for_shell(url))).unwrap_or_default();
        format!("certkit ca crl{delta}{url}{}", chosen.flag_to_sign())
    };
    if args.delta
        && let Some(base) = authority.lists(args.url.as_deref(), false, 1)?.first()
        && authority.is_undelivered(base)?
    {
        return Err(anyhow!("complete list {}, which the delta would build upon, was not delivered", base.number))
            .hint(format!("sign one with: {}", again("")));
    }
    // Without --force it is refused for being before its base.
    if args.delta
        && args.force
        && let Some(base) =
            authority.lists(args.url.as_deref(), false, 1)?.first().filter(|base| now < base.this_update)
    {
        let from = rfc3339(base.this_update);
        return Err(anyhow!(
            "complete list {}, which the delta would build upon, is from {from}, which is to come: no client takes it yet",
            base.number
        ))
        .hint(format!("if the clock was ahead when it was signed: {} --force", again("")));
    }
    let key = args.signer.own_key(chosen, session)?;
    // A list that was recorded and not written would count as published.
    finish_first(|| ())?;
    let published = chosen.unlock_for_status(&mut authority, &key, now)?.publish(&order, &place::act(Action::Crl));
    if let Err(AuthorityError::NoCompleteList | AuthorityError::LapsedBase { .. }) = published {
        return published.map(|_| Exit::No).hint(format!("sign one with: {}", again("")));
    }
    let published = refused_for_time(published)?;
    let issuer = authority.certificate().subject().to_string();
    let answer = Signed::new(&published, &order, issuer, &file, now);
    let number = published.list.number;
    let written = file.write((published.der, number), &order, &mut authority, session);
    if let Ok(Some(later)) = written {
        session.say(format_args!("{} has list {later} by now, which is later: it stays", answer.file));
    }
    if let Err(error) = written {
        // Else --check would count on it.
        if let Err(error) = authority.note_undelivered(&published.list, &place::act(Action::Crl)) {
            session.warn(format_args!("the ledger does not know that list {number} is lost: {error}"));
        }
        let delta = if args.delta { " --delta" } else { "" };
        return Err(error.context(format!("list {number} is recorded, but lost")))
            .hint(format!("sign the next one where it arrives: {} --out FILE", again(delta)));
    }
    if let Some(from) = &answer.counts_from {
        let delta = if args.delta { " --delta" } else { "" };
        session.warn(format_args!(
            "clients take list {number} from {from} on, which is to come: the list before is from then, and none goes back behind \
             it; if the clock was ahead when that one was signed: {} --force",
            again(delta)
        ));
    }
    session.answer(&answer).with_context(|| format!("list {number} is signed and written to {}", answer.file))?;
    Ok(Exit::Yes)
}

impl Args {
    /// The list that is wanted at this moment.
    fn order(&self, now: OffsetDateTime, delta: bool) -> anyhow::Result<ListOrder> {
        let days = self.days.unwrap_or(if delta { 1 } else { 7 });
        let next_update = self.next_update.unwrap_or(Moment::After(Duration::days(days.into())));
        let next_update =
            next_update.from(now).filter(|next| next.year() <= 9999).context("it would hold for too long")?;
        if next_update <= now {
            return Err(anyhow!("--next-update is over")).hint("it takes a time to come: 12h, 30d, 2030-01-31");
        }
        let freshest = if delta { Vec::new() } else { self.freshest.clone() };
        Ok(ListOrder { this_update: now, next_update, delta, url: self.url.clone(), freshest, backdated: self.force })
    }

    /// RFC 5280 §4.2.1.13: a client asks for a list with HTTP, and HTTPS would ask for its own certificate's status first.
    fn check_urls(&self) -> anyhow::Result<()> {
        let fit = |url: &&String| {
            // A scheme is the same in capitals (RFC 3986 §3.1).
            let schemes = ["http://", "ldap://"].into_iter();
            let mut parts =
                schemes.filter_map(|scheme| url.split_at_checked(scheme.len()).map(|parts| (scheme, parts)));
            let address = parts.find(|(scheme, (own, _))| own.eq_ignore_ascii_case(scheme)).map(|(_, (_, rest))| rest);
            let clean = url.bytes().all(|byte| byte.is_ascii_graphic());
            clean && address.is_some_and(|address| !address.is_empty() && !address.starts_with('/'))
        };
        let is_asked_for = |url: &&String| self.check && url.is_empty();
        match self.url.iter().chain(&self.freshest).find(|url| !fit(url) && !is_asked_for(url)) {
            None => Ok(()),
            Some(url) => {
                let is_https = url.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"));
                Err(anyhow!("{url:?} is no address that clients fetch a list from")).hint(match is_https {
                    true => "write http://HOST/PATH: a list is signed, and https would need one to be fetched",
                    false => "write http://HOST/PATH, or ldap://HOST/NAME: clients fetch lists in no other way",
                })
            }
        }
    }
}

/// What to do where a list would be from before the last one.
fn refused_for_time<T>(published: Result<T, AuthorityError>) -> anyhow::Result<T> {
    match published {
        Err(error @ AuthorityError::ListBefore { .. }) => Err(error).hint(
            "set the clock (or SOURCE_DATE_EPOCH); if it was ahead when the last list was signed, certkit ca crl --force",
        ),
        other => Ok(other?),
    }
}

#[derive(Debug, Serialize)]
struct Signed {
    file: String,
    format: Form,
    number: u64,
    base: Option<u64>,
    entries: u64,
    issuer: String,
    this_update: String,
    next_update: String,
    url: Option<String>,
    fingerprint_sha256: String,
    #[serde(skip)]
    lapses: String,
    /// Its thisUpdate, where that is to come: that of the list before.
    #[serde(skip)]
    counts_from: Option<String>,
}

impl Signed {
    fn new(published: &PublishedList, order: &ListOrder, issuer: String, file: &ListFile, now: OffsetDateTime) -> Self {
        let list = &published.list;
        Self {
            file: file.shown(),
            format: file.form(),
            number: list.number,
            base: list.base,
            entries: list.entries,
            issuer,
            this_update: rfc3339(list.this_update),
            next_update: rfc3339(list.next_update),
            url: order.url.clone(),
            fingerprint_sha256: hex::colons(&list.fingerprint),
            lapses: from_now(list.next_update, now),
            counts_from: Some(rfc3339(list.this_update)).filter(|_| now < list.this_update),
        }
    }
}

impl Report for Signed {
    fn text(&self, text: &mut Text) {
        let entries = match self.entries {
            1 => "1 certificate".to_owned(),
            count => format!("{count} certificates"),
        };
        let what = match self.base {
            None => format!("list {}: {entries} revoked", self.number),
            Some(base) => format!("delta list {}: {entries} changed since list {base}", self.number),
        };
        text.line(format_args!("{} {what}", good("signed")));
        let mut fields = vec![
            ("file", safe(&self.file).to_string()),
            ("issuer", safe(&self.issuer).to_string()),
            ("next", format!("due before {} ({})", self.next_update, self.lapses)),
            ("SHA-256", self.fingerprint_sha256.clone()),
        ];
        if let Some(url) = &self.url {
            fields.insert(2, ("for", safe(url).to_string()));
        }
        text.fields(fields);
        if self.url.is_some() {
            text.line(format_args!("{} it is for certificates that name this address and no others", warn("scope:")));
        }
    }
}
