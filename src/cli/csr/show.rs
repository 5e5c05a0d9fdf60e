//! `certkit csr show`: what does this request ask for, and is it signed with its own key?

use std::path::PathBuf;

use anyhow::Context;
use serde::Serialize;

use crate::cli::exit::Exit;
use crate::cli::load::{Loaded, cannot_use};
use crate::cli::output::{Report, Session};
use crate::cli::sheet;
use crate::cli::text::Text;
use crate::describe::RequestDescription;

/// Show what a request asks for and check its proof of possession: exit 0 if it is good, 1 if not
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
With --json the answer is an object: `file`; `subject`; `names`; `public_key`; `signature_algorithm`;
`proof_of_possession` and, where it is false, `possession_problem`; `extensions`; and `attributes`.

For example: certkit csr show app.csr")]
pub(super) struct Args {
    /// The request, in PEM or DER; `-` is stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    let loaded = Loaded::read(&args.file)?;
    let request = loaded.document.request().with_context(|| cannot_use(&args.file))?;
    let shown = Shown { file: loaded.shown(), request: RequestDescription::of(request) };
    session.answer(&shown)?;
    Ok(Exit::of(shown.request.proof_of_possession))
}

#[derive(Serialize)]
struct Shown {
    file: String,
    #[serde(flatten)]
    request: RequestDescription,
}

impl Report for Shown {
    fn text(&self, text: &mut Text) {
        sheet::write(&self.request.sheet(), "", text);
    }
}
