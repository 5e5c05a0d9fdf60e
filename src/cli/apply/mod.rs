//! `certkit apply`: makes the authorities and certificates of `certkit.toml` be there, and touches nothing that is as it
//! should be.

mod authority;
mod claims;
mod faults;
mod present;
mod report;
mod signer;
mod signers;
mod target;
mod words;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use self::authority::PlannedAuthority;
use self::claims::Claims;
use self::faults::Faults;
use self::report::Applied;
use self::signers::Signers;
use self::target::{Prospect, Target};
use super::ca::own_files::KEY_SET_ASIDE;
use super::ca::signer::SignerArgs;
use super::clock;
use super::exit::Exit;
use super::files::{self, Turn};
use super::output::{Session, shown};
use super::passphrase::PassphraseSource;
use super::problem::Hinted;
use super::secret::Secret;
use crate::profile::Profile;
use crate::project::Project;

/// Make the CAs and certificates that certkit.toml asks for, and change nothing else
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
certkit.toml lists what there shall be; paths count from the folder it is in:
  renew_before = \"30d\"          how long before its end each is renewed [a third of its time]

  [[ca]]                        a CA; without one, the CA of `certkit ca issue`
  folder = \"ca\"                 also name, key, days, profile, permit, exclude, intermediate: what
                                `certkit ca init` takes; permit and exclude are lists

  [[certificate]]
  names = [\"api.test\"]          also cn, subject, profile, days, key: what `certkit ca issue` takes
  out = \"certs/api.pem\"         the certificate and the CAs between it and the root
  keyout = \"certs/api-key.pem\"  the key [api-key.pem beside api.pem]
  ca = \"ca\"                     the CA's folder, where there are several; issuer = NAME of it
  rekey = true                  make a new key with each certificate; renew_before, as above

What is missing is issued; what ends soon is renewed; what is not as it should be any more (names, subject, profile, days, key,
issuer), was revoked, is not valid yet, or is not in the ledger is issued again; where the CAs between it and the root are
missing they are written again. out and keyout may be one file; where they are no more, the key moves. A CA that is there is never changed.

The key stays, unless its kind is another, rekey says so, or it was revoked as compromised: then a new one is made, under the
passphrase of the old one where that was under one. A key that no certificate of the entry was for is never replaced. What is
on hold is left alone, and is no change.

Where two entries have one file, or one has a CA's, or one makes no sense as it is written (its names, profile, kind of key or
spans), nothing is done; all such faults are told at once. What else is wrong with one entry leaves the others their turn: each
fault is told, and the exit status is 2; so it is where a certificate's file holds something else too, which is not lost.

--check reads no key of a CA. It tells what would fail as far as that shows without writing: folders that cannot be made or take
no files, a key that was destroyed; not a full disk. Several runs in one folder take turns: a later one sees what the one before
has done.

Exit status: 0 done, or with --check nothing would change; 1 with --check, something would; 2 something could not be done.

For example:
  certkit apply
  certkit apply --check deploy/certkit.toml

With --json the answer is an object: `changes` and `failures` (how many); `applied` (false with --check); `authorities`, each
with `line`, `folder`, `action`, `why`; and `certificates`, each with `line`, `certificate_file`, `key_file`, `action`, `why`,
where it was issued `serial`, `not_after`, `key_is_new`, `shortened_from`, `objections` (as `certkit ca issue` answers), and
`warnings`, where others may read its key. Actions are make, issue, renew, reissue, chain (the CAs between it
and the root), move (its key, out of its file), hold, none and fail, with `error`: `message` and `hint`.")]
pub(super) struct Args {
    /// The project
    #[arg(value_name = "FILE", default_value = "certkit.toml")]
    file: PathBuf,

    /// Change nothing: say what would change, and exit 1 where something would
    #[arg(long)]
    check: bool,

    /// Where the passphrase of the certificates' keys comes from, where they are under one: prompt, file:PATH, env:NAME or
    /// fd:N [default: prompt, if there is one]
    #[arg(long, value_name = "SOURCE")]
    passphrase: Option<PassphraseSource>,

    #[command(flatten)]
    signer: SignerArgs,
}

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    let Args { file, check, passphrase, signer } = args;
    if files::is_dash(&file) {
        return Err(anyhow!("the project cannot come from stdin: its paths count from the folder it is in"));
    }
    let text = files::read_text(&file)?;
    let (project, faults) = Project::from_toml(&text);
    let base = file.parent().unwrap_or_else(|| Path::new(""));
    let at = |line: u64| at(&file, line);
    let told =
        |line: u64, looked: anyhow::Result<Prospect>| looked.map_err(words::of_a_project).with_context(|| at(line));
    let mut faults = Faults::new(&file, faults);
    // Two at once would each issue what is missing. The second one sees what the first has done, and by its own clock.
    let turn = if check || faults.are_there() {
        None
    } else {
        Some(Turn::wait(files::folder_of(&file), "applies the project in", session)?)
    };
    let now = clock::making_now()?;

    // A project that makes no sense as a whole is not begun.
    let mut authorities = Vec::new();
    for wish in &project.authorities {
        faults.take(wish.line, PlannedAuthority::new(wish, base, now), &mut authorities);
    }
    let mut targets = Vec::new();
    for wish in &project.certificates {
        faults.take(wish.wish.line, Target::new(wish, base, now), &mut targets);
    }
    let mut signers = Signers::new(base, &signer, now);
    separate(&project, &file, &authorities, &targets, &signers, &mut faults);
    faults.told(session)?;

    // Everything is looked at before anything is made. What is wrong with one of them leaves the others their turn.
    let mut applied = Applied::new(!check);
    let mut prospects = Vec::new();
    for authority in &authorities {
        let prospect = authority.look().with_context(|| at(authority.wish.line));
        match &prospect {
            Ok(prospect) if prospect.is_made() => signers.plan(&authority.wish.folder, authority.profile()),
            Ok(_) => {}
            Err(_) => signers.fail(&authority.wish.folder, authority.wish.line),
        }
        prospects.push(prospect);
    }
    let looked: Vec<_> = targets.iter().map(|target| told(target.line, target.look(&mut signers, now))).collect();
    if !check && looked.iter().flatten().any(Prospect::issues) && looked.iter().all(Result::is_ok) {
        signers.keys_have_effect(targets.iter().map(|target| &target.who))?;
        if passphrase.is_some() && !looked.iter().flatten().any(|prospect| prospect.key_is_encrypted) {
            return Err(anyhow!("--passphrase has no effect: no key of a certificate here is under a passphrase"))
                .hint("leave it out; that of a CA's key is given with --ca-passphrase");
        }
    }

    for (authority, prospect) in authorities.iter().zip(prospects) {
        let done = prospect.and_then(|prospect| {
            let row = authority.row(&prospect);
            if !check {
                authority.carry_out(prospect, session).with_context(|| at(authority.wish.line))?;
            }
            Ok(row)
        });
        applied.authorities.push(done.unwrap_or_else(|error| {
            signers.fail(&authority.wish.folder, authority.wish.line);
            session.fail(&error);
            authority.failed(&error)
        }));
    }
    let secret = Secret::new(passphrase.as_ref());
    for (target, prospect) in targets.iter().zip(looked) {
        let done = prospect.and_then(|prospect| match check {
            true => Ok(target.row(&prospect)),
            false => target
                .carry_out(&prospect, &mut signers, &secret, now, session)
                .map_err(words::of_a_project)
                .with_context(|| at(target.line)),
        });
        applied.certificates.push(done.unwrap_or_else(|error| {
            session.fail(&error);
            target.failed(&error)
        }));
    }
    let (changes, failures) = applied.count();
    drop(turn);
    let told = session.answer(&applied);
    if check {
        told?
    } else {
        told.context("what the project asks for is done as far as it could be")?
    }
    Ok(match failures {
        0 => Exit::of(!check || changes == 0),
        _ => Exit::CouldNot,
    })
}

/// Finds where in a project a file has two purposes, or is a CA's or the project's own.
fn separate(
    project: &Project,
    file: &Path,
    authorities: &[PlannedAuthority<'_>],
    targets: &[Target],
    signers: &Signers<'_>,
    faults: &mut Faults<'_>,
) {
    let base = file.parent().unwrap_or_else(|| Path::new(""));
    let mut claims = Claims::default();
    claims.protect(file, "the project itself");
    let of_certificates = project.certificates.iter().map(|wish| &wish.wish.profile);
    let profiles = project.authorities.iter().map(|wish| &wish.profile).chain(of_certificates);
    for profile in profiles.flatten().filter(|profile| Profile::built_in(profile).is_none()) {
        claims.protect(&base.join(profile), "a profile of the project");
    }
    if let Some(key) = signers.key_set_aside() {
        claims.protect(key, KEY_SET_ASIDE);
    }
    let mut folders = HashMap::new();
    for PlannedAuthority { wish, chosen, below, .. } in authorities {
        if let Some(line) = folders.insert(files::resolved(chosen.place().folder()), wish.line) {
            let error = anyhow!("the folder {} is that of the [[ca]] on line {line} too", chosen.shown());
            faults.add(wish.line, Err::<(), _>(error).hint("each CA has a folder of its own"));
        }
        claims.protect_ca(chosen, below.as_ref());
    }
    for target in targets {
        let chosen = faults.add(target.line, signers.chosen(&target.who));
        if let Some(chosen) = chosen {
            claims.protect_ca(&chosen, None);
        }
    }
    for (number, target) in targets.iter().enumerate() {
        faults.add(target.line, claims.claim(number, target.line, &target.out, &target.keyout));
    }
    for target in targets {
        faults.add(target.line, claims.have_folders(&target.out, &target.keyout));
    }
}

/// A place in the project.
fn at(file: &Path, line: u64) -> String {
    format!("{}:{line}", shown(file))
}
