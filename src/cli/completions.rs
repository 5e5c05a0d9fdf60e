//! `certkit completions`: a script that completes certkit's commands and flags.

use clap::CommandFactory;
use clap_complete::Shell;
use serde::Serialize;

use super::Arguments;
use super::exit::Exit;
use super::output::{Report, Session};
use super::text::Text;

/// Print a script that completes certkit's commands and flags in a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "For example: certkit completions bash > ~/.local/share/bash-completion/completions/certkit")]
pub(super) struct Args {
    /// The shell
    shell: Shell,
}

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Arguments::command(), "certkit", &mut script);
    session.answer(&Script { shell: args.shell.to_string(), script: String::from_utf8(script)? })?;
    Ok(Exit::Yes)
}

#[derive(Serialize)]
struct Script {
    shell: String,
    script: String,
}

impl Report for Script {
    fn text(&self, text: &mut Text) {
        text.verbatim(&self.script);
    }
}
