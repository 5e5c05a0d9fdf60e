//! `certkit ca check`: whether the CA's ledger and files are what they should be.

use serde::Serialize;

use super::place::Chosen;
use crate::ca::check::{self, Fault, Remedy};
use crate::ca::place::is_there;
use crate::ca::{AuthorityName, Ledger};
use crate::cli::exit::Exit;
use crate::cli::load::Loaded;
use crate::cli::output::{Report, Session, shown};
use crate::cli::progress;
use crate::cli::text::{Text, bad, dim, good, safe};
use crate::container::PrivateKeyItem;
use crate::encoding::hex;

/// Check the CA: its ledger, the log of it, and its files
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Looks at everything the ledger has: that the database is whole and its guards are in place; that every certificate can be
read, agrees with its row, is signed by its authority, and is found by its names; that revocations agree with their history
and the lists with their numbers; that the audit log is as it was written, and tells the same as the rows: each certificate
with its time and profile, each revocation, hold and release in its order with its reason and times, each list. Lines that
earlier versions wrote say less, and no more is compared. Then at the files: that the authorities' certificates are those of
the ledger, and their keys belong to them (a key under a passphrase is not opened). Nothing is changed.

Exit status: 0 all is well; 1 something is not, and the answer says what and what to do; 2 could not answer.

For example:
  certkit ca check
  certkit ca check --json

With --json the answer is JSON Lines. One object for each fault: `place`, `what`, `remedy` (`repair`,
`repair-with-certificate`, `restore`, `revoke`, `investigate`), and `advice`. Then one object: `sound`; how many `faults`,
`authorities`, `certificates`, `lists` and `audit_lines`; and `head` (the hash of the last line of the audit log).")]
pub(super) struct Args {}

pub(super) fn run(_: Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    chosen.is_made()?;
    let mut ledger = chosen.ledger_to_read()?;
    let bar = progress::bar(session, None, "{spinner} {pos} certificates checked, {per_sec}, {elapsed}");
    let (mut faults, mut printed) = (0_u64, Ok(()));
    let mut tell = |fault: Fault| {
        faults += 1;
        if printed.is_ok() {
            printed = bar.suspend(|| session.row(&Line::of(fault)));
        }
    };
    let counts = check::check(&mut *ledger, &mut tell, &mut |done| bar.set_position(done))?;
    check_files(chosen, &mut *ledger, &mut tell)?;
    bar.finish_and_clear();
    printed?;
    let verdict = Verdict {
        sound: faults == 0,
        faults,
        authorities: counts.authorities,
        certificates: counts.certificates,
        lists: counts.lists,
        audit_lines: counts.head.lines,
        head: hex::encode(&counts.head.hash),
    };
    session.row(&verdict)?;
    Ok(Exit::of(verdict.sound))
}

/// Checks the files of every authority.
fn check_files(chosen: &Chosen, ledger: &mut dyn Ledger, tell: &mut dyn FnMut(Fault)) -> anyhow::Result<()> {
    for name in chosen.place().names() {
        let path = chosen.place().certificate_of(&name);
        let mut wrong = |what: String| tell(Fault { place: shown(&path), what, remedy: Remedy::Restore });
        let certificate = match chosen.certificates(&name).map(|found| found.into_iter().next()) {
            Ok(Some(certificate)) => certificate,
            // What is no certificate at all may be anything, except under the first authority's name.
            _ if !name.is_first() => continue,
            Ok(None) => {
                wrong("it holds no certificate".to_owned());
                continue;
            }
            Err(error) => {
                wrong(format!("{error:#}"));
                continue;
            }
        };
        let known = ledger.authority(&certificate)?.is_some();
        if !known && name.is_first() {
            wrong("it is not the certificate of an authority in the ledger".to_owned());
        }
        if known && let Some(what) = key_fault(chosen, &name, &certificate) {
            tell(Fault { place: shown(&chosen.place().key_of(&name)), what, remedy: Remedy::Restore });
        }
    }
    Ok(())
}

/// What is wrong with an authority's key, where it is here and in the clear.
fn key_fault(chosen: &Chosen, name: &AuthorityName, certificate: &crate::x509::Certificate) -> Option<String> {
    let path = chosen.place().key_of(name);
    if !is_there(&path) {
        return None;
    }
    let loaded = match Loaded::read(&path) {
        Ok(loaded) => loaded,
        Err(error) => return Some(format!("{error:#}")),
    };
    match loaded.document.first_private_key() {
        Err(error) => Some(error.to_string()),
        Ok(PrivateKeyItem::Encrypted(_)) => None,
        Ok(PrivateKeyItem::Plain(key)) => match certificate.public_key() {
            Ok(public) if public == *key.public_key() => None,
            _ => Some(format!("it does not belong to {name}.pem")),
        },
    }
}

/// A fault.
#[derive(Debug, Serialize)]
struct Line {
    place: String,
    what: String,
    remedy: Remedy,
    advice: &'static str,
}

impl Line {
    fn of(fault: Fault) -> Self {
        let Fault { place, what, remedy } = fault;
        let advice = match (remedy, place.ends_with(".pem")) {
            (Remedy::Restore, true) => "restore the file from a backup",
            _ => remedy.advice(),
        };
        Self { place, what, remedy, advice }
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
}

impl Report for Verdict {
    fn text(&self, text: &mut Text) {
        let Self { sound, faults, authorities, certificates, lists, audit_lines, head } = self;
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
    }
}
