//! `certkit ca`: a local certification authority.

mod batch;
mod init;
mod issue;
mod list;
mod place;
mod profile;
mod profiles;
mod show;
mod sign;

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Subcommand;

use super::exit::Exit;
use super::output::Session;
use super::problem::Hinted;

/// A local certification authority: make it, issue and sign certificates, see what it has issued
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
A CA is a folder with three files:
  ca.pem       its certificate, for clients to trust
  ca-key.pem   its key, for nobody else
  ledger.db    every certificate it has signed; each is recorded here before it is written anywhere

For example:
  certkit ca init --name \"Example Root CA\"
  certkit ca issue api.test 127.0.0.1
  certkit ca sign app.csr
  certkit ca list
  certkit ca issue --ca ./ca db.internal")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,

    /// The folder of the CA [env: CERTKIT_CA] [default: certkit/ca in the user's data folder]
    #[arg(long, global = true, value_name = "DIR")]
    ca: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    Issue(issue::Args),
    Sign(sign::Args),
    List(list::Args),
    Show(show::Args),
    Profiles(profiles::Args),
    Profile(profile::Args),
}

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    let idle = args.ca.is_some() && matches!(args.command, Command::Profiles(_) | Command::Profile(_));
    if idle {
        return Err(anyhow!("--ca has no effect here: profiles belong to no CA")).hint("leave it out");
    }
    let place = place::Chosen::new(args.ca)?;
    match args.command {
        Command::Init(args) => init::run(args, &place, session),
        Command::Issue(args) => issue::run(args, &place, session),
        Command::Sign(args) => sign::run(args, &place, session),
        Command::List(args) => list::run(args, &place, session),
        Command::Show(args) => show::run(args, &place, session),
        Command::Profiles(args) => profiles::run(args, session),
        Command::Profile(args) => profile::run(args, session),
    }
}
