//! `certkit ca`: a local certification authority.

mod crl;
mod init;
mod issue;
mod lapse;
mod list;
mod ocsp;
mod place;
mod renew;
mod revoke;
mod show;
mod sign;
mod which;

use std::path::PathBuf;

use clap::Subcommand;

use super::exit::Exit;
use super::output::Session;

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
    Renew(renew::Args),
    Revoke(revoke::Args),
    Crl(crl::Args),
    Ocsp(ocsp::Args),
    List(list::Args),
    Show(show::Args),
}

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    let place = place::Chosen::new(args.ca)?;
    match args.command {
        Command::Init(args) => init::run(args, &place, session),
        Command::Issue(args) => issue::run(args, &place, session),
        Command::Sign(args) => sign::run(args, &place, session),
        Command::Renew(args) => renew::run(args, &place, session),
        Command::Revoke(args) => revoke::run(args, &place, session),
        Command::Crl(args) => crl::run(args, &place, session),
        Command::Ocsp(args) => ocsp::run(args, &place, session),
        Command::List(args) => list::run(args, &place, session),
        Command::Show(args) => show::run(args, &place, session),
    }
}
