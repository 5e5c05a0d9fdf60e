//! `certkit ca backup`: the ledger as one file, while others write to it.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use serde::Serialize;

use super::other_files::spare_others;
use super::own_files::spare_own;
use super::place::Chosen;
use crate::ca::LedgerError;
use crate::cli::exit::Exit;
use crate::cli::files::{Destination, Mode, folder_of, is_dash, spare_keys};
use crate::cli::output::{Report, Session, shown};
use crate::cli::problem::Hinted;
use crate::cli::text::{Text, good, safe};

/// Copy the ledger into one file, while the CA goes on
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
The copy has everything that was recorded when it began, whoever issues meanwhile. ledger.db alone does not: the last records
stand in ledger.db-wal beside it until that has grown. So either this, or the whole folder while nobody uses the CA.

The keys and certificates of the authorities are files of their own, which do not change: keep copies of them, the keys
under lock. To restore, put all of them into a folder, the copy as ledger.db, and ask `certkit ca check`. First stop whatever
uses the CA, and take away ledger.db, ledger.db-wal and ledger.db-shm of the old ledger. `ca ocsp --serve` and `ca crl --serve`
that were not stopped notice that ledger.db is another file: they say so, and use it once it has stayed as it is for 2 seconds.
What was issued and revoked after the copy was made is then unknown: `certkit ca repair FILE...` records it again from the
certificates, with --crl what the last published list revokes.

A ledger in PostgreSQL is copied with pg_dump.

For example:
  certkit ca backup /mnt/backup/ledger.db
  certkit ca backup --force ledger-today.db

With --json the answer is an object: `file`; `ledger` (what was copied); `certificates` (how many it has, over all
authorities).")]
pub(super) struct Args {
    /// Where the copy goes
    file: PathBuf,

    /// Replace a file that is there
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    chosen.without_issuer("a ledger is copied with all its authorities")?;
    let cannot = || format!("cannot write {}", shown(&args.file));
    let name = args.file.file_name().and_then(|name| name.to_str()).filter(|_| !is_dash(&args.file));
    let name = name.ok_or_else(|| anyhow!("it is no file's name")).hint("name a new file").with_context(cannot)?;
    chosen.is_made()?;
    if args.file.is_dir() {
        return Err(anyhow!("it is a folder")).hint("name a file in it").with_context(cannot);
    }
    if args.file.exists() && !args.file.is_file() {
        return Err(anyhow!("it is no file")).hint("name a new file").with_context(cannot);
    }
    let destination = Destination::new(folder_of(&args.file), args.force);
    // What no --force replaces is told before what it does.
    spare_own(chosen, None, [args.file.as_path()])?;
    spare_others([args.file.as_path()], Some(chosen))?;
    spare_keys([args.file.as_path()])?;
    if destination.is_taken(name) {
        return Err(anyhow!("it exists already")).hint("--force replaces it").with_context(cannot);
    }
    let mut staged = destination.stage()?;
    staged.add(name, &[], Mode::Secret)?;
    match chosen.ledger_to_read()?.copy_to(&staged.path(name)) {
        // What does not take it is the copy's place, and not the ledger's.
        Err(LedgerError::Unwritable { why, .. }) => {
            return Err(anyhow!(why)).hint("make room on its disk, or name a file on another").with_context(cannot);
        }
        copied => copied?,
    }
    let certificates = count(&staged.path(name))?;
    staged.sync()?;
    staged.place(name)?;
    destination.sync();
    session.answer(&Answer { file: shown(&args.file), ledger: chosen.ledger_shown(), certificates })?;
    Ok(Exit::Yes)
}

/// How many certificates the copy has: asked of the copy, so it is known to be a ledger.
fn count(copy: &Path) -> anyhow::Result<u64> {
    let mut ledger = super::ledger::Location::File(copy.to_owned()).open_to_read()?;
    let mut count = 0;
    for authority in ledger.authorities()? {
        count += ledger.count(authority.id)?;
    }
    Ok(count)
}

#[derive(Serialize)]
struct Answer {
    file: String,
    ledger: String,
    certificates: u64,
}

impl Report for Answer {
    fn text(&self, text: &mut Text) {
        text.line(format_args!("{} {} to {}", good("copied"), safe(&self.ledger), safe(&self.file)));
        text.fields(vec![("certificates", self.certificates.to_string())]);
    }
}
