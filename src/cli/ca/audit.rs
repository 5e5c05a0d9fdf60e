//! `certkit ca audit`: what was done with the CA, and whether the log of it is as it was written.

use std::ops::ControlFlow;

use anyhow::{Context, anyhow};
use serde::Serialize;
use time::OffsetDateTime;

use super::place::Chosen;
use crate::ca::{Action, AuditFault, AuditHead, AuditLine, Auditor, LedgerError};
use crate::cli::clock::{self, Moment, rfc3339};
use crate::cli::exit::Exit;
use crate::cli::output::{Report, Session};
use crate::cli::text::{Text, bad, dim, good, safe};
use crate::encoding::hex;

/// Show what was done with the CA, and check that the log of it is as it was written
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Every line of the log carries a hash over what it says and over the hash of the line before it, so a line that is changed,
put in or left out shows at the first bad line. The last hash, the head, stands for the whole log: write it down elsewhere,
and --expect-head says later whether the log still has all it had then. That is what proves a log against somebody who may
write to the ledger and makes all of it anew.

Exit status: 0 the log is as it was written; 1 it is not, and the answer says where; 2 could not answer.

For example:
  certkit ca audit
  certkit ca audit --since 30d --action revoke --action release
  certkit ca audit --expect-head 5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03

With --json the answer is JSON Lines. One object for each line that was asked for: `number`, `at` (RFC 3339), `who`, `what`,
`serial` (hexadecimal), `fingerprint_sha256` (of the certificate or list), `detail`, `hash`. Then one object: `sound`;
`lines` (how many the log has); `head` (the hash of the last); `bad_line` (the number of the first bad one); `fault` (what is
wrong); and `after_expected` (how many lines came after the head that was expected).")]
pub(super) struct Args {
    /// Show lines from this time on: a time, or a span before now, 30d
    #[arg(long, value_name = "TIME|SPAN")]
    since: Option<Moment>,

    /// Show lines with this action; may be given several times
    #[arg(long, value_name = "ACTION", value_parser = action())]
    action: Vec<String>,

    /// Check that a line has this hash, written down when it was the head
    #[arg(long, value_name = "HASH")]
    expect_head: Option<String>,
}

pub(super) fn run(args: Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    let since = args.since.map(|moment| earliest(moment, clock::now())).transpose()?;
    let expected = args.expect_head.as_deref().map(read_hash).transpose()?;
    chosen.is_made()?;
    let mut ledger = chosen.ledger_to_read()?;

    let mut auditor = Auditor::new();
    let mut found = expected.filter(|hash| *hash == AuditHead::EMPTY.hash).map(|_| 0);
    let mut printed = Ok(());
    let recorded = ledger.audit(&mut |line| {
        auditor.line(&line);
        if auditor.fault().is_none() && expected == Some(line.hash) {
            found = Some(line.number);
        }
        let wanted =
            since.is_none_or(|since| line.at >= since) && (args.action.is_empty() || args.action.contains(&line.what));
        if wanted {
            let bad = auditor.fault().and_then(AuditFault::line) == Some(line.number);
            printed = session.row(&Line::of(&line, bad));
        }
        if printed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    printed?;
    let (judged, recorded) = match recorded {
        Err(LedgerError::Headless { .. }) => {
            let (fault, last) = auditor.without_head();
            (Err(fault), last)
        }
        recorded => {
            let recorded = recorded?;
            let judged = auditor.finish(&recorded).and_then(|head| match (expected, found) {
                (Some(hash), None) => Err(AuditFault::Unexpected { hash: hash.to_vec() }),
                (_, found) => Ok((head, found)),
            });
            (judged, recorded)
        }
    };
    let verdict = Verdict::of(&judged, &recorded);
    session.row(&verdict)?;
    Ok(Exit::of(verdict.sound))
}

/// The names of actions, to choose from.
fn action() -> clap::builder::PossibleValuesParser {
    Action::ALL.map(Action::name).into()
}

/// The earliest time that is wanted; spans count back from now.
fn earliest(moment: Moment, now: OffsetDateTime) -> anyhow::Result<OffsetDateTime> {
    match moment {
        Moment::At(time) => Ok(time),
        Moment::After(span) => now.checked_sub(span).context("--since reaches too far back"),
    }
}

fn read_hash(text: &str) -> anyhow::Result<[u8; 32]> {
    let octets = hex::decode(text);
    octets
        .and_then(|octets| octets.try_into().ok())
        .ok_or_else(|| anyhow!("--expect-head takes a hash of 64 hexadecimal digits, as `certkit ca audit` gives it"))
}

/// One line of the log.
#[derive(Debug, Serialize)]
struct Line {
    number: u64,
    at: String,
    who: String,
    what: String,
    serial: Option<String>,
    fingerprint_sha256: String,
    detail: String,
    hash: String,
    #[serde(skip)]
    bad: bool,
}

impl Line {
    fn of(line: &AuditLine, bad: bool) -> Self {
        Self {
            number: line.number,
            at: rfc3339(line.at),
            who: line.who.clone(),
            what: line.what.clone(),
            serial: line.serial.as_ref().map(ToString::to_string),
            fingerprint_sha256: hex::colons(&line.fingerprint),
            detail: line.detail.clone(),
            hash: hex::encode(&line.hash),
            bad,
        }
    }
}

impl Report for Line {
    fn text(&self, text: &mut Text) {
        let Self { number, at, who, what, serial, fingerprint_sha256, detail, hash: _, bad: is_bad } = self;
        let object = serial.as_ref().unwrap_or(fingerprint_sha256);
        let detail = if detail.is_empty() { String::new() } else { format!("  {}", safe(detail)) };
        let mark = if *is_bad { format!("{} ", bad("bad line:")) } else { String::new() };
        text.line(format_args!(
            "{mark}{}  {at}  {}  {:<12}  {}{detail}",
            dim(format!("{number:>6}")),
            safe(who),
            safe(what).to_string(),
            safe(object)
        ));
    }
}

/// What is to be said of the log as a whole.
#[derive(Debug, Serialize)]
struct Verdict {
    sound: bool,
    lines: u64,
    head: String,
    bad_line: Option<u64>,
    fault: Option<String>,
    after_expected: Option<u64>,
}

impl Verdict {
    fn of(judged: &Result<(AuditHead, Option<u64>), AuditFault>, recorded: &AuditHead) -> Self {
        let fault = judged.as_ref().err();
        let expected = judged.as_ref().ok().and_then(|(_, found)| *found);
        Self {
            sound: fault.is_none(),
            lines: recorded.lines,
            head: hex::encode(&recorded.hash),
            bad_line: fault.and_then(AuditFault::line),
            fault: fault.map(ToString::to_string),
            after_expected: expected.map(|number| recorded.lines.saturating_sub(number)),
        }
    }
}

impl Report for Verdict {
    fn text(&self, text: &mut Text) {
        let Self { sound: _, lines, head, bad_line: _, fault, after_expected } = self;
        let lines = match lines {
            1 => "1 line".to_owned(),
            lines => format!("{lines} lines"),
        };
        match (fault, after_expected) {
            (Some(fault), _) => text.line(format_args!("{} {}", bad("tampered with:"), safe(fault))),
            (None, None) => text.line(format_args!("{} {lines}, as they were written", good("sound:"))),
            (None, Some(0)) => {
                text.line(format_args!("{} {lines}, and the last has the hash expected", good("sound:")));
            }
            (None, Some(after)) => text.line(format_args!(
                "{} {lines}, and all up to the hash expected are there; {after} came after",
                good("sound:")
            )),
        }
        text.fields([("head", head)]);
    }
}
