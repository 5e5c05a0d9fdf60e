//! `certkit ca repair`: make again of the ledger what can be made again.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use serde::Serialize;

use super::place::{self, Chosen};
use crate::ca::place::is_there;
use crate::ca::{Act, Action, Entry, Ledger, LedgerError};
use crate::cli::exit::Exit;
use crate::cli::load::{Loaded, cannot_use};
use crate::cli::output::{Report, Session, shown};
use crate::cli::problem::Hinted;
use crate::cli::text::{Text, good, safe, warn};
use crate::encoding::hex;
use crate::x509::Certificate;

/// Make again of the ledger what can be made again
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Makes the database's guards, indexes and the names under which certificates are found again. Certificates in the FILEs that
an authority of this CA has signed, and that the ledger does not have, are recorded again. Everything that is done leaves a
line in the audit log; nothing that is recorded is taken away. What a certificate does not tell, its revocation above all,
comes from a backup only.

With --new-ledger a CA whose ledger is lost gets a new one, with its authorities and whatever certificates the FILEs hold.
Revoke again what was revoked: the new ledger does not know of it.

Exit status: 0 done; 1 something in the FILEs could not be recorded; 2 could not answer.

For example:
  certkit ca repair
  certkit ca repair *.pem
  certkit ca repair --new-ledger issued/*.pem

With --json the answer is an object: `new_ledger`; `mended` (what was made again, in words); `recorded` and `left_out`, each
with `file`, `subject`, `serial`, `fingerprint_sha256`, and where it was left out, `why`; and `known` (how many the ledger had
already).")]
pub(super) struct Args {
    /// Files with certificates of this CA, PEM or DER
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Make a new ledger, where the CA's is lost
    #[arg(long)]
    new_ledger: bool,
}

pub(super) fn run(args: Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    chosen.is_made()?;
    let act = place::act(Action::Repair);
    let documents = args.files.iter().map(|path| Loaded::read(path)).collect::<anyhow::Result<Vec<Loaded>>>()?;
    let mut repaired = Repaired { new_ledger: args.new_ledger, ..Repaired::default() };
    let mut ledger = match args.new_ledger {
        true => new_ledger(chosen, &act)?,
        false => chosen.ledger()?,
    };
    repaired.mended = ledger.mend(&act)?;
    let authorities = authorities(&mut *ledger)?;
    for (path, loaded) in args.files.iter().zip(&documents) {
        for certificate in loaded.document.certificates().with_context(|| cannot_use(path))? {
            let about = || About::of(shown(path), certificate);
            match record(&mut *ledger, &authorities, certificate, &act)? {
                Outcome::Recorded => repaired.recorded.push(about()),
                Outcome::Known => repaired.known += 1,
                Outcome::LeftOut(why) => repaired.left_out.push(About { why: Some(why), ..about() }),
            }
        }
    }
    session.answer(&repaired)?;
    Ok(Exit::of(repaired.left_out.is_empty()))
}

/// A ledger that knows the authorities whose certificates are in the folder, each with its key or word of it.
fn new_ledger(chosen: &Chosen, act: &Act) -> anyhow::Result<Box<dyn Ledger>> {
    if let Ok(mut there) = chosen.ledger()
        && !there.authorities()?.is_empty()
    {
        return Err(anyhow!("the CA in {} has a ledger: a new one is not put in its place", chosen.shown()))
            .hint("to mend it leave --new-ledger out; if it is beyond mending, move it aside");
    }
    let mut ledger = chosen.new_ledger()?;
    let config = chosen.config()?;
    for name in chosen.place().names() {
        if !is_there(&chosen.place().key_of(&name)) && !config.keys.contains_key(&name) {
            continue;
        }
        let certificates = chosen.certificates(&name)?;
        if let Some(certificate) = certificates.first() {
            ledger.add_authority(certificate, REPAIRED_PROFILE, act)?;
        }
    }
    Ok(ledger)
}

fn authorities(ledger: &mut dyn Ledger) -> anyhow::Result<Vec<(crate::ca::AuthorityId, Certificate)>> {
    let records = ledger.authorities()?;
    let read = |record: crate::ca::AuthorityRecord| {
        let certificate = Certificate::from_der(&record.certificate);
        certificate.map(|certificate| (record.id, certificate)).context("an authority of the ledger cannot be read")
    };
    records.into_iter().map(read).collect()
}

enum Outcome {
    Recorded,
    Known,
    LeftOut(String),
}

/// Records a certificate that an authority has signed, unless it is recorded.
fn record(
    ledger: &mut dyn Ledger,
    authorities: &[(crate::ca::AuthorityId, Certificate)],
    certificate: &Certificate,
    act: &Act,
) -> anyhow::Result<Outcome> {
    if authorities.iter().any(|(_, own)| own.der() == certificate.der() && own.is_self_issued()) {
        return Ok(Outcome::Known);
    }
    let signed = |issuer: &Certificate| {
        certificate.issuer() == issuer.subject()
            && issuer.public_key().is_ok_and(|key| certificate.verify_signature(&key).is_ok())
    };
    let Some((by, _)) = authorities.iter().find(|(_, issuer)| signed(issuer)) else {
        return Ok(Outcome::LeftOut("no authority of this CA has signed it".to_owned()));
    };
    match ledger.record(*by, &[Entry { certificate, profile: REPAIRED_PROFILE }], act) {
        Ok(()) => Ok(Outcome::Recorded),
        Err(LedgerError::AlreadyRecorded { .. }) => Ok(Outcome::Known),
        Err(LedgerError::SerialTaken { .. }) => {
            Ok(Outcome::LeftOut("the ledger has another certificate with its serial number".to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}

/// The profile of a certificate that does not tell it.
const REPAIRED_PROFILE: &str = "unknown";

#[derive(Debug, Default, Serialize)]
struct Repaired {
    new_ledger: bool,
    mended: Vec<String>,
    recorded: Vec<About>,
    left_out: Vec<About>,
    known: u64,
}

/// A certificate of a file.
#[derive(Debug, Serialize)]
struct About {
    file: String,
    subject: String,
    serial: String,
    fingerprint_sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl About {
    fn of(file: String, certificate: &Certificate) -> Self {
        Self {
            file,
            subject: certificate.subject().to_string(),
            serial: certificate.serial().to_string(),
            fingerprint_sha256: hex::colons(&certificate.fingerprint_sha256()),
            why: None,
        }
    }
}

impl Report for Repaired {
    fn text(&self, text: &mut Text) {
        let Self { new_ledger, mended, recorded, left_out, known: _ } = self;
        if *new_ledger {
            text.line(format_args!("{} a new ledger", good("made")));
        }
        for what in mended {
            text.line(format_args!("{} {}", good("made again:"), safe(what)));
        }
        for About { file, subject, serial, .. } in recorded {
            text.line(format_args!(
                "{} {} (serial number {serial}), from {}",
                good("recorded:"),
                safe(subject),
                safe(file)
            ));
        }
        for About { file, subject, serial, why, .. } in left_out {
            let why = why.as_deref().unwrap_or_default();
            text.line(format_args!(
                "{} {} (serial number {serial}) of {}: {why}",
                warn("left out:"),
                safe(subject),
                safe(file)
            ));
        }
        if !*new_ledger && mended.is_empty() && recorded.is_empty() && left_out.is_empty() {
            text.line("there was nothing to repair");
        }
    }
}
