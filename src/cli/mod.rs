//! The command line: one file per command, arguments in, report out.
//!
//! A command is a file with an `Args` struct (clap derives it) and
//! `fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit>`, and a line in `Command`. It reads through
//! [`files`], asks [`clock`] for the time, gives its [`Report`](output::Report) to [`Session::answer`] and says yes or no.
//! [`output`] alone prints; [`files`] alone touches files.

mod apply;
mod ca;
mod capture;
mod completions;
mod connect;
mod csr;
mod help;
mod inspect;
mod key;
mod listening;
mod load;
mod making;
mod man;
mod new;
mod secret;
mod serve;
mod sheet;
mod signals;
mod story;
mod terminal;
mod verify;
mod version;

pub mod clock;
pub mod exit;
pub mod files;
pub mod output;
pub mod passphrase;
pub mod problem;
mod progress;
pub mod text;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{FromArgMatches, Parser, Subcommand};

use self::exit::Exit;
use self::output::Session;
use self::version::Version;

/// Runs one command line, program name first, and returns its exit status: see [`Exit`].
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // Help is laid out only for those who see it.
    let laid_out = || help::program().try_get_matches_from(&arguments).and_then(|it| Arguments::from_arg_matches(&it));
    let read = Arguments::try_parse_from(&arguments).or_else(|error| match error.kind() {
        ErrorKind::DisplayVersion => Err(error),
        _ => laid_out(),
    });
    let exit = match read {
        Ok(Arguments { command, json, quiet }) => {
            let mut session = Session::new(json, quiet);
            let answer = command.run(&mut session);
            session.finish(answer)
        }
        Err(usage) => {
            let session = Session::new(asks_for_json(&arguments), false);
            let called = match usage.kind() {
                ErrorKind::DisplayVersion => String::new(),
                _ => help::called(&arguments),
            };
            session.finish_usage(&usage, &called, &Version::of_this_build())
        }
    };
    exit.into()
}

/// Make keys and certificates, run a local certification authority, judge a certificate chain and say why
#[derive(Debug, Parser)]
#[command(name = "certkit", version, long_version = Version::of_this_build().to_string())]
#[command(after_help = "\
Exit status: 0 done, or yes; 1 the answer is no; 2 could not answer.

For example:
  certkit new --cn localhost                   a key and a self-signed certificate
  certkit ca issue localhost 127.0.0.1 ::1     the same from a local CA
  certkit verify localhost.pem --host localhost --roots ca.pem
  certkit inspect localhost.pem")]
struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// Answer in JSON
    #[arg(long, global = true, help_heading = "Everywhere")]
    json: bool,

    /// Say nothing but the answer and errors
    #[arg(long, short, global = true, help_heading = "Everywhere")]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Command {
    New(new::Args),
    Key(key::Args),
    Csr(csr::Args),
    Ca(ca::Args),
    Apply(apply::Args),
    Verify(verify::Args),
    Inspect(inspect::Args),
    Connect(connect::Args),
    Capture(capture::Args),
    Serve(serve::Args),
    Completions(completions::Args),
    Man(man::Args),
}

impl Command {
    fn run(self, session: &mut Session) -> anyhow::Result<Exit> {
        match self {
            Self::New(args) => new::run(args, session),
            Self::Key(args) => key::run(args, session),
            Self::Csr(args) => csr::run(args, session),
            Self::Ca(args) => ca::run(args, session),
            Self::Apply(args) => apply::run(args, session),
            Self::Verify(args) => verify::run(args, session),
            Self::Inspect(args) => inspect::run(args, session),
            Self::Connect(args) => connect::run(args, session),
            Self::Capture(args) => capture::run(args, session),
            Self::Serve(args) => serve::run(args, session),
            Self::Completions(args) => completions::run(args, session),
            Self::Man(args) => man::run(args, session),
        }
    }
}

/// Whether a command line that cannot be parsed asks for JSON all the same.
fn asks_for_json(arguments: &[OsString]) -> bool {
    arguments.iter().skip(1).take_while(|argument| *argument != "--").any(|argument| argument == "--json")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn json_after_two_dashes_is_a_name() {
        let line = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        assert!(asks_for_json(&line(&["certkit", "nonsense", "--json"])));
        assert!(!asks_for_json(&line(&["certkit", "nonsense", "--", "--json"])));
    }
}
