//! `certkit key`: make, show, convert and compare keys. A private number is printed only where `--out -` asks for it.

mod convert;
mod format;
mod matching;
mod new;
mod public;
mod show;

use clap::Subcommand;

use super::exit::Exit;
use super::output::Session;

/// Make key pairs, show, convert and compare them
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
For example:
  certkit key new --type rsa:3072 --out server-key.pem
  certkit key show server-key.pem
  certkit key public server-key.pem --out server-public.pem
  certkit key convert server-key.pem --format jwk --out server-key.jwk
  certkit key match server-key.pem cert.pem")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Command {
    New(new::Args),
    Show(show::Args),
    Public(public::Args),
    Convert(convert::Args),
    Match(matching::Args),
}

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    match args.command {
        Command::New(args) => new::run(args, session),
        Command::Show(args) => show::run(args, session),
        Command::Public(args) => public::run(args, session),
        Command::Convert(args) => convert::run(args, session),
        Command::Match(args) => matching::run(args, session),
    }
}
