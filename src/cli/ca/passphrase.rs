//! `certkit ca passphrase`: put a key under a passphrase, change it, or take it away.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use serde::Serialize;

use super::place::{self, Chosen};
use super::signer::SignerArgs;
use super::wanted::written_key;
use crate::ca::{Action, AuthorityName};
use crate::cli::exit::Exit;
use crate::cli::files::{Mode, WriteSet};
use crate::cli::output::{Report, Session, shown};
use crate::cli::passphrase::PassphraseSource;
use crate::cli::problem::Hinted;
use crate::cli::text::{Text, good, safe, warn};

/// Change the passphrase of the CA's key, or put the key under one, or take it away
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
The key is read with its present passphrase, checked to be the authority's, and written again in one step: a crash leaves
the old file or the new one. It is encrypted with PBES2: AES-256-CBC, PBKDF2 with HMAC-SHA-256 and 600000 iterations.
Copies elsewhere, backups among them, keep the old passphrase.

That it was done stands in the ledger's audit log, so the ledger must be at hand. A key file alone, away from its CA, gets
another passphrase with `certkit key convert`; nothing tells of that.

For example:
  certkit ca passphrase
  certkit ca passphrase --issuer ca --ca-key /media/stick/root-key.pem
  certkit ca passphrase --ca-passphrase env:OLD --new-passphrase env:NEW
  certkit ca passphrase --remove

With --json the answer is an object: `name` (the authority), `key` (the file), `was_encrypted` and `encrypted`.")]
pub(super) struct Args {
    #[command(flatten)]
    signer: SignerArgs,

    /// Where the new passphrase comes from: prompt, file:PATH, env:NAME or fd:N [default: prompt, if there is one]
    #[arg(long, value_name = "SOURCE")]
    new_passphrase: Option<PassphraseSource>,

    /// Write the key without a passphrase
    #[arg(long, conflicts_with = "new_passphrase")]
    remove: bool,
}

pub(super) fn run(args: Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    chosen.is_made()?;
    let name = chosen.issuer()?;
    let certificates = chosen.certificates(&name)?;
    let (key, path, was_encrypted) = args.signer.open(chosen, &name)?;
    let own = certificates.first().and_then(|certificate| certificate.public_key().ok());
    if own.as_ref() != Some(key.public_key()) {
        return Err(anyhow!("{} is not the key of {name}", shown(&path)))
            .hint("certkit key match says which certificate a key belongs to");
    }
    if args.remove && !was_encrypted {
        return Err(anyhow!("{} is under no passphrase", shown(&path))).hint("leave --remove out to put it under one");
    }
    let prompt = PassphraseSource::Prompt;
    let source = args.new_passphrase.as_ref().unwrap_or(&prompt);
    let passphrase = (!args.remove).then(|| source.new_one(&shown(&path))).transpose()?;
    WriteSet::check([path.as_path()], true, session)?;
    let mut authority = chosen.open_one(&name)?;
    let done = match (was_encrypted, passphrase.is_some()) {
        (true, true) => "changed",
        (false, true) => "set",
        (_, false) => "removed",
    };
    // In the log first: a change that nobody is told of would be worse than one that is told and did not come about.
    authority.note(done, &place::act(Action::Passphrase))?;
    let mut files = WriteSet::new(false).lasting();
    files.replace(path.clone(), written_key(&key, passphrase.as_ref())?, Mode::Secret);
    files.write(session)?;
    let changed = Changed { name, key: path, was_encrypted, encrypted: passphrase.is_some() };
    session.answer(&changed).with_context(|| format!("the passphrase is {done}"))?;
    Ok(Exit::Yes)
}

#[derive(Debug, Serialize)]
struct Changed {
    name: AuthorityName,
    key: PathBuf,
    was_encrypted: bool,
    encrypted: bool,
}

impl Report for Changed {
    fn text(&self, text: &mut Text) {
        let key = safe(self.key.display());
        match (self.was_encrypted, self.encrypted) {
            (true, true) => text.line(format_args!("{} the passphrase of {key}", good("changed"))),
            (false, true) => text.line(format_args!("{} {key} under a passphrase", good("put"))),
            (_, false) => text.line(format_args!(
                "{} the passphrase from {key}: {}",
                good("took"),
                warn("whoever has the file can sign now")
            )),
        }
    }
}
