//! `certkit ca profiles`: the kinds of certificates that are built in.

use anyhow::anyhow;
use serde::Serialize;

use super::profile::About;
use crate::cli::exit::Exit;
use crate::cli::output::{Report, Session};
use crate::cli::problem::Hinted;
use crate::cli::text::{Text, safe};
use crate::profile::Profile;

/// List the built-in profiles, or print one to start an own one from
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
For example:
  certkit ca profiles
  certkit ca profiles --show server > own.toml
  certkit ca profile check own.toml
  certkit ca issue api.test --profile ./own.toml

With --json the answer is an object: `profiles`, each as `certkit ca profile check` describes one under `profile`; with --show
`name` and `toml`, the text of the profile.")]
pub(super) struct Args {
    /// Print the TOML of this built-in profile
    #[arg(long, value_name = "NAME")]
    show: Option<String>,
}

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    match args.show {
        Some(name) => {
            let toml = Profile::template(&name).ok_or_else(|| anyhow!("there is no built-in profile {name:?}"));
            let toml = toml.hint(format!("there are {}", Profile::names().join(", ")))?;
            session.answer(&Template { name, toml })?;
        }
        None => {
            let profiles = Profile::names().into_iter().filter_map(Profile::built_in);
            session.answer(&List { profiles: profiles.map(|profile| About::of(&profile)).collect() })?;
        }
    }
    Ok(Exit::Yes)
}

#[derive(Debug, Serialize)]
struct List {
    profiles: Vec<About>,
}

impl Report for List {
    fn text(&self, text: &mut Text) {
        let width = self.profiles.iter().map(|profile| profile.name.len()).max().unwrap_or_default();
        for About { name, description, key, days, extended_key_usage, ca, .. } in &self.profiles {
            let purposes = if *ca { "a CA".to_owned() } else { extended_key_usage.join(", ") };
            text.line(format_args!("{name:width$}  {description}: {key}, {days} days, {}", safe(purposes)));
        }
    }
}

#[derive(Debug, Serialize)]
struct Template {
    name: String,
    toml: &'static str,
}

impl Report for Template {
    fn text(&self, text: &mut Text) {
        text.verbatim(self.toml);
    }
}
