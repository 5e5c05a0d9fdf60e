//! `certkit ca`: a local certification authority.

mod audit;
mod backup;
mod batch;
mod check;
mod crl;
mod cross_limits;
mod cross_sign;
mod export;
mod folder;
mod half_made;
mod import;
pub(super) mod init;
mod intermediate;
pub(super) mod issue;
mod lapse;
mod ledger;
mod list;
mod ocsp;
pub(super) mod other_files;
mod outage;
mod outline;
pub(super) mod own_files;
mod passphrase;
pub(super) mod place;
mod profile;
mod profiles;
mod renew;
mod repair;
mod revoke;
mod show;
mod sign;
pub(super) mod signer;
pub(super) mod signing_keys;
mod standing;
mod subordinate;
mod twin;
pub(super) mod unwritten;
pub(super) mod wanted;
mod which;

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Subcommand;

use super::exit::Exit;
use super::output::Session;
use super::problem::Hinted;
use crate::ca::AuthorityName;

/// A local certification authority: make it, issue and sign certificates, see what it has issued
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
A CA is a folder with three files:
  ca.pem       its certificate, for clients to trust
  ca-key.pem   its key, for nobody else
  ledger.db    every certificate it has signed; each is recorded here before it is written anywhere
               (its last records are in ledger.db-wal: `certkit ca backup` makes one file of both)
and where it has more authorities than the first:
  NAME.pem, NAME-key.pem   the certificate of one, followed by those above it; and its key
  ca.toml                  issuer = \"NAME\", which signs by default; [keys], keys elsewhere;
                           ledger = \"postgres://...\", a ledger that several machines share

What is issued comes with the authorities between it and the root, which is what servers send. The root is left out: clients
have it, or do not trust it.

For example:
  certkit ca init --name \"Example Root CA\"
  certkit ca issue api.test 127.0.0.1
  certkit ca sign app.csr
  certkit ca list
  certkit ca issue --ca ./ca db.internal")]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,

    /// The folder of the CA, or @NAME for a further one beside the default [env: CERTKIT_CA] [default: certkit/ca in the
    /// user's data folder]
    #[arg(long, global = true, value_name = "DIR|@NAME")]
    ca: Option<PathBuf>,

    /// Which authority of the CA signs [default: `issuer` of ca.toml, or the first, `ca`]
    #[arg(long, global = true, value_name = "NAME")]
    issuer: Option<AuthorityName>,

    #[command(flatten)]
    ledger: ledger::LedgerArgs,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Command {
    Init(init::Args),
    Intermediate(intermediate::Args),
    CrossSign(cross_sign::Args),
    Import(import::Args),
    Export(export::Args),
    Issue(issue::Args),
    Sign(sign::Args),
    Renew(renew::Args),
    Revoke(revoke::Args),
    Crl(crl::Args),
    Ocsp(ocsp::Args),
    List(list::Args),
    Show(show::Args),
    Passphrase(passphrase::Args),
    Profiles(profiles::Args),
    Profile(profile::Args),
    Audit(audit::Args),
    Backup(backup::Args),
    Check(check::Args),
    Repair(repair::Args),
}

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    let idle = match (&args.ca, &args.issuer) {
        (Some(_), _) => Some("--ca"),
        (_, Some(_)) => Some("--issuer"),
        _ => args.ledger.given(),
    };
    if let Some(flag) = idle.filter(|_| matches!(args.command, Command::Profiles(_) | Command::Profile(_))) {
        return Err(anyhow!("{flag} has no effect here: profiles belong to no CA")).hint("leave it out");
    }
    let place = place::Chosen::new(args.ca, args.issuer)?.with_ledger(args.ledger);
    match args.command {
        Command::Init(args) => init::run(args, &place, session),
        Command::Intermediate(args) => intermediate::run(args, &place, session),
        Command::CrossSign(args) => cross_sign::run(args, &place, session),
        Command::Import(args) => import::run(args, &place, session),
        Command::Export(args) => export::run(args, &place, session),
        Command::Issue(args) => issue::run(args, &place, session),
        Command::Sign(args) => sign::run(args, &place, session),
        Command::Renew(args) => renew::run(args, &place, session),
        Command::Revoke(args) => revoke::run(args, &place, session),
        Command::Crl(args) => crl::run(args, &place, session),
        Command::Ocsp(args) => ocsp::run(args, &place, session),
        Command::List(args) => list::run(args, &place, session),
        Command::Show(args) => show::run(args, &place, session),
        Command::Passphrase(args) => passphrase::run(args, &place, session),
        Command::Profiles(args) => profiles::run(args, session),
        Command::Profile(args) => profile::run(args, session),
        Command::Audit(args) => audit::run(args, &place, session),
        Command::Backup(args) => backup::run(args, &place, session),
        Command::Check(args) => check::run(args, &place, session),
        Command::Repair(args) => repair::run(args, &place, session),
    }
}
