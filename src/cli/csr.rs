//! `certkit csr`: certification requests.

mod new;
mod show;

use clap::Subcommand;

use super::exit::Exit;
use super::output::Session;

/// Make and show certification requests (CSR, PKCS #10)
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
For example:
  certkit csr new app.test --out app.csr --keyout app-key.pem
  certkit csr show app.csr")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Command {
    New(Box<new::Args>),
    Show(show::Args),
}

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    match args.command {
        Command::New(args) => new::run(*args, session),
        Command::Show(args) => show::run(args, session),
    }
}
