//! `certkit ca sign`: answer a certification request.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;

use super::issue::{About, recorded};
use super::place::{self, Chosen};
use super::signer::SignerArgs;
use crate::ca::petition;
use crate::ca::{Action, Refusal};
use crate::cli::clock;
use crate::cli::exit::Exit;
use crate::cli::files::{self, Mode, WriteSet};
use crate::cli::load::{Loaded, cannot_use};
use crate::cli::making::{LifetimeArgs, fresh_serial, load_profile};
use crate::cli::output::{Report, Session, shown};
use crate::cli::text::{Text, bad, safe, warn};

/// Sign a certification request
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Of a request the CA takes the key, once its owner has proved to hold the private half; the common name; and those names and
purposes that the profile allows. Whatever else it asks for is left out and said. A request that asks for CA:TRUE is refused.

Exit status: 0 signed; 1 refused, and the answer says why; 2 could not answer.

For example:
  certkit ca sign app.csr
  certkit ca sign app.csr --profile client --days 30 --out app.pem

With --json the answer is an object: `request`; and where it is refused, `refused` (why); where it is signed,
`certificate_file`, `left_out` (what the request asked for and did not get), and `subject` to `objections` as
`certkit ca issue` answers.")]
pub(super) struct Args {
    /// The request, PEM or DER; `-` is stdin
    #[arg(value_name = "FILE")]
    request: PathBuf,

    /// Names to add to those in the request
    #[arg(long, value_name = "NAME")]
    san: Vec<String>,

    #[command(flatten)]
    lifetime: LifetimeArgs,

    /// A built-in profile (server, client, peer, email, code-signing), or a file with one
    #[arg(long, value_name = "NAME|FILE", default_value = "server")]
    profile: String,

    /// Where the certificate and the authorities between it and the root go; `-` is stdout [default: app.pem for app.csr,
    /// in this folder]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Replace a file that is there
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    signer: SignerArgs,
}

pub(super) fn run(args: Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    let now = clock::making_now()?;
    let profile = load_profile(&args.profile)?;
    let validity = args.lifetime.validity(&profile, now)?;
    let loaded = Loaded::read(&args.request)?;
    let shown_request = loaded.shown();
    let request = loaded.document.request().with_context(|| cannot_use(&args.request))?;
    let petition = match petition::read(request, &profile, &args.san) {
        Ok(petition) => petition,
        Err(refusal) => return refuse(&refusal, shown_request, session),
    };
    let out = match args.out {
        Some(out) => out,
        None => beside(&args.request, &petition.label)?,
    };
    WriteSet::check([out.as_path()], args.force, session)?;

    let mut authority = chosen.open()?;
    let key = args.signer.key(chosen)?;
    let ca_certificate = authority.certificate().clone();
    let mut signatory = chosen.unlock(&mut authority, &key, now)?;
    let act = place::act(Action::Sign);
    let issued = match signatory.sign(&petition, validity, &mut fresh_serial, &act)? {
        Ok(issued) => issued,
        Err(refusal) => return refuse(&refusal, shown_request, session),
    };

    // The record is on the disk; from here on the certificate may be seen.
    let mut files = WriteSet::new(args.force);
    files.add(out.clone(), place::chain(&authority.full_chain(&issued.certificate)).into_bytes(), Mode::Public);
    files.write(session).with_context(|| recorded(&issued))?;
    session.answer(&Signed {
        certificate: About::new(&issued, &ca_certificate, chosen, &profile.name),
        request: shown_request,
        certificate_file: if files::is_dash(&out) { "stdout".to_owned() } else { shown(&out) },
        left_out: petition.left_out,
    })?;
    Ok(Exit::Yes)
}

fn refuse(refusal: &Refusal, request: String, session: &mut Session) -> anyhow::Result<Exit> {
    session.answer(&Refused { request, refused: refusal.to_string() })?;
    Ok(Exit::No)
}

/// `app.pem` for `app.csr`, in the folder where certkit runs.
pub(super) fn beside(request: &Path, label: &str) -> anyhow::Result<PathBuf> {
    let name = request.file_stem().filter(|_| !files::is_dash(request)).and_then(|stem| stem.to_str());
    Ok(format!("{}.pem", files::file_name_for(name.unwrap_or(label))?).into())
}

#[derive(Debug, Serialize)]
struct Signed {
    request: String,
    certificate_file: String,
    #[serde(flatten)]
    certificate: About,
    /// What the request asked for and did not get.
    left_out: Vec<String>,
}

impl Report for Signed {
    fn text(&self, text: &mut Text) {
        let files = vec![
            ("request", safe(&self.request).to_string()),
            ("certificate", format!("{}", safe(&self.certificate_file))),
        ];
        self.certificate.text(files, text);
        for asked in &self.left_out {
            text.line(format_args!("{} {}, which the request asked for", warn("left out:"), safe(asked)));
        }
    }
}

#[derive(Debug, Serialize)]
struct Refused {
    request: String,
    /// Why.
    refused: String,
}

impl Report for Refused {
    fn text(&self, text: &mut Text) {
        text.line(format_args!("{} {}: {}", bad("refused"), safe(&self.request), safe(&self.refused)));
    }
}
