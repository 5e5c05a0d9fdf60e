//! `certkit ca check`: whether the CA's ledger and files are what they should be.

mod access;
mod files;
mod to_come;

use serde::Serialize;

use self::access::Found;
use super::place::Chosen;
use super::standing::Standing;
use crate::ca::check::{self, Caution, Counts, Fault, Remedy};
use crate::ca::{AuditHead, AuthorityName, LedgerError};
use crate::cli::clock;
use crate::cli::exit::Exit;
use crate::cli::output::{Report, Session};
use crate::cli::progress;
use crate::cli::text::{Text, bad, dim, good, safe, warn};
use crate::encoding::hex;

/// Check the CA: its ledger, the log of it, and its files
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Looks at everything the ledger has: that the database is whole and its guards are in place; that every certificate can be
read, agrees with its row, is signed by its authority, and is found by its names; that revocations agree with their history
and the lists with their numbers, and rows with their order in the audit log; that the audit log is as it was written, and tells the same as the rows: each certificate
with its time and profile, each revocation, hold and release in its order with its reason and times, each list. Lines that
earlier versions wrote say less, and no more is compared. A last CRL number that is lower than a list's is a fault; one that
is higher proves nothing, for a number is handed out before its list is signed, and a process may die between. Then at the files: that each authority of the ledger and of ca.toml
has its certificate, that it is the ledger's, and that keys, unless ca.toml says that they are elsewhere, and OCSP delegates
belong to it (a key under a passphrase is not opened). And at who may do what with them: a key that everybody may read, and
a folder, ledger, key or certificate that everybody may write to is a fault; where its group may, or only the mode of the folder
keeps everybody out, that is told as a warning. So is a revocation as of a time to come, an authority whose certificate is not valid yet, and what of a database this user may not
look at. Nothing is changed: a ledger in a file that an earlier version made is copied
into the temporary folder, and the copy is brought up to date and checked; one in PostgreSQL is not checked before a command that
writes has brought it up to date.

Exit status: 0 all is well; 1 something is not, and the answer says what and what to do; 2 could not answer.

For example:
  certkit ca check
  certkit ca check --json

With --json the answer is JSON Lines. One object for each fault: `place`, `what`, `remedy` (`repair`,
`repair-with-certificate`, `new-ledger`, `restore`, `revoke`, `investigate`, `configure`, `restrict`), and `advice`. One for
each warning: `place`, `warning`, and `advice`. Then one object: `sound`; how many `faults`, `authorities`, `certificates`,
`lists` and `audit_lines`; `head` (the hash of the last line of the audit log); and `revoked`: where all is well, each authority
that certifies nothing because it or one above it is revoked or on hold, as `certkit ca show` has it, with `authority` (what it
is called), and `unfinished`: authorities that are in the ledger alone, because their making was broken off. That is no fault.")]
pub(super) struct Args {}

pub(super) fn run(_: Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    chosen.is_made()?;
    let opened = chosen.ledger_to_check();
    let bar = progress::bar(session, None, "{spinner} {pos} certificates checked, {per_sec}, {elapsed}");
    let (mut faults, mut printed) = (0_u64, Ok(()));
    let mut give = |found: Found| {
        faults += u64::from(matches!(found, Found::Fault(_)));
        if printed.is_ok() {
            printed = bar.suspend(|| match found {
                Found::Fault(line) => session.row(&line),
                Found::Warning(warning) => session.row(&warning),
            });
        }
    };
    if let Ok((_, Some((found, known)))) = &opened {
        give(Found::Warning(Warning {
            place: chosen.ledger_shown(),
            warning: format!(
                "it has schema {found} of an earlier certkit; a copy, brought up to schema {known}, was checked"
            ),
            advice: "nothing: the next command brings it up, certkit ca list for one".to_owned(),
        }));
    }
    let mut unfinished = Vec::new();
    let counts = match opened {
        Ok((mut ledger, _)) => {
            let mut found = |found| match found {
                Err(fault) => give(Found::Fault(Line::of(fault))),
                Ok(caution) => give(Found::Warning(Warning::of(caution))),
            };
            let counts = check::check(&mut *ledger, clock::now(), &mut found, &mut |done| bar.set_position(done))?;
            unfinished = files::check(chosen, &mut *ledger, &mut |line| give(Found::Fault(line)))?;
            counts
        }
        Err(error) => {
            let Some((what, remedy)) = lost(&error) else { return Err(error) };
            give(Found::Fault(Line::of(Fault { place: chosen.ledger_shown(), what, remedy })));
            Counts { authorities: 0, certificates: 0, lists: 0, head: AuditHead::EMPTY }
        }
    };
    access::check(chosen, &mut give);
    to_come::check(chosen, clock::now(), &mut |warning| give(Found::Warning(warning)));
    bar.finish_and_clear();
    printed?;
    // It is no fault of the ledger: what certifies nothing is told all the same.
    let revoked = if faults == 0 { revoked(chosen)? } else { Vec::new() };
    let verdict = Verdict {
        sound: faults == 0,
        faults,
        authorities: counts.authorities,
        certificates: counts.certificates,
        lists: counts.lists,
        audit_lines: counts.head.lines,
        head: hex::encode(&counts.head.hash),
        revoked,
        unfinished,
    };
    session.row(&verdict)?;
    Ok(Exit::of(verdict.sound))
}

/// A ledger that is there and cannot be opened for what became of it: that is what a check is for.
fn lost(error: &anyhow::Error) -> Option<(String, Remedy)> {
    let cause = error.chain().find_map(|cause| cause.downcast_ref::<LedgerError>())?;
    match cause {
        LedgerError::Empty { .. } => {
            Some(("it is empty: what this CA has signed is lost from it".to_owned(), Remedy::NewLedger))
        }
        LedgerError::Renumbered { found, known, .. } => {
            Some((format!("it has schema {found} by its number and schema {known} by its tables"), Remedy::Repair))
        }
        LedgerError::Damaged { what, .. } => Some((format!("it is damaged: {what}"), Remedy::Restore)),
        _ => None,
    }
}

/// What need not be a fault.
#[derive(Debug, Serialize)]
struct Warning {
    place: String,
    warning: String,
    advice: String,
}

impl Warning {
    fn of(Caution { place, what, advice }: Caution) -> Self {
        Self { place, warning: what, advice }
    }
}

impl Report for Warning {
    fn text(&self, text: &mut Text) {
        let Self { place, warning, advice } = self;
        text.line(format_args!("{} {}: {}", warn("warning:"), safe(place), safe(warning)));
        text.line(format_args!("  {} {}", dim("to do:"), safe(advice)));
    }
}

/// A fault.
#[derive(Debug, Serialize)]
struct Line {
    place: String,
    what: String,
    remedy: Remedy,
    advice: String,
}

impl Line {
    fn of(fault: Fault) -> Self {
        let Fault { place, what, remedy } = fault;
        Self { place, what, remedy, advice: remedy.advice().to_owned() }
    }
}

impl Report for Line {
    fn text(&self, text: &mut Text) {
        let Self { place, what, remedy: _, advice } = self;
        text.line(format_args!("{} {}: {}", bad("fault:"), safe(place), safe(what)));
        text.line(format_args!("  {} {advice}", dim("to do:")));
    }
}

#[derive(Debug, Serialize)]
struct Verdict {
    sound: bool,
    faults: u64,
    authorities: u64,
    certificates: u64,
    lists: u64,
    audit_lines: u64,
    head: String,
    revoked: Vec<Revoked>,
    /// What is left of makings that were broken off.
    unfinished: Vec<String>,
}

/// An authority that certifies nothing, for it or one above it is revoked or on hold.
#[derive(Debug, Serialize)]
struct Revoked {
    authority: AuthorityName,
    #[serde(flatten)]
    standing: Standing,
}

fn revoked(chosen: &Chosen) -> anyhow::Result<Vec<Revoked>> {
    let mut all = Vec::new();
    for (authority, mut opened) in chosen.open_all_to_check()? {
        if let Some(revoked) = opened.revoked()? {
            all.push(Revoked { authority, standing: Standing::of(&revoked) });
        }
    }
    Ok(all)
}

impl Report for Verdict {
    fn text(&self, text: &mut Text) {
        let Self { sound, faults, authorities, certificates, lists, audit_lines, head, revoked, unfinished } = self;
        let count = |number: &u64, one: &str, more: &str| match number {
            1 => format!("1 {one}"),
            number => format!("{number} {more}"),
        };
        let looked_at = format!(
            "{}, {}, {}, {} of the audit log",
            count(authorities, "authority", "authorities"),
            count(certificates, "certificate", "certificates"),
            count(lists, "list", "lists"),
            count(audit_lines, "line", "lines"),
        );
        match sound {
            true => text.line(format_args!("{} {looked_at}", good("sound:"))),
            false => text.line(format_args!("{} in {looked_at}", bad(count(faults, "fault", "faults")))),
        }
        text.fields([("head", head)]);
        for Revoked { authority, standing } in revoked {
            text.line(format_args!("{} {authority} certifies nothing: {}", dim("note:"), safe(standing.in_words())));
        }
        for name in unfinished {
            text.line(format_args!(
                "{} {} is in the ledger alone and has issued nothing: most likely its making was broken off, and nobody has its key",
                dim("note:"),
                safe(name)
            ));
        }
    }
}
