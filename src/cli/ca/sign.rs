//! `certkit ca sign`: answer a certification request.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use serde::Serialize;

use super::issue::About;
use super::own_files::spare_all;
use super::place::{self, Chosen};
use super::signer::SignerArgs;
use super::unwritten;
use crate::ca::petition::{self, Petition};
use crate::ca::{Action, Refusal};
use crate::cli::clock;
use crate::cli::exit::Exit;
use crate::cli::files::{self, Mode, WriteSet, spare_input};
use crate::cli::load::{Loaded, cannot_use};
use crate::cli::making::{LifetimeArgs, fresh_serial, load_profile, split_names};
use crate::cli::output::{Report, Session, shown};
use crate::cli::problem::Hinted;
use crate::cli::text::{Text, bad, safe, warn};
use crate::profile::Profile;
use crate::x509::{Certificate, GeneralName};

/// Sign certification requests
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Of a request the CA takes the key, once its owner has proved to hold the private half; the common name; and those names and
purposes that the profile allows. Whatever else it asks for is left out and said. A request that asks for CA:TRUE is refused.

Of several requests, in files of their own or one after the other in one file, each is answered by itself, and --json gives an
object on a line for each. All are read before any is signed. The certificate for app.csr goes to app.pem; those for requests
that share a file, or come from stdin, are called after their first names.

Exit status: 0 signed; 1 one is refused, and the answer says why; 2 could not answer.

For example:
  certkit ca sign app.csr
  certkit ca sign app.csr --profile client --days 30 --out app.pem
  certkit ca sign requests/*.csr
  cat requests/*.csr | certkit ca sign -

With --json the answer is an object: `request`; and where it is refused, `refused` (why); where it is signed,
`certificate_file`, `left_out` (what the request asked for and did not get), and `subject` to `objections` as
`certkit ca issue` answers.")]
pub(super) struct Args {
    /// The requests, PEM or DER; `-` is stdin
    #[arg(value_name = "FILE", required = true)]
    requests: Vec<PathBuf>,

    /// Names to add to those in the request, also several with commas between them
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
    // What is wrong with a flag is no fault of the requests.
    let added: Vec<String> = args.san.iter().flat_map(|list| split_names(list)).collect();
    added.iter().try_for_each(|name| name.parse::<GeneralName>().map(drop)).context("--san")?;
    // All are read before any is signed.
    let mut read = Vec::new();
    for request in &args.requests {
        read.extend(Asked::read(request, &args, &added, &profile)?);
    }
    let many = read.len() > 1;
    if many && args.out.is_some() {
        return Err(anyhow!("--out names one file, and there are {} requests", read.len()))
            .hint("leave it out: each certificate gets a file of its own");
    }
    let outs: Vec<&Path> =
        read.iter().filter_map(|asked| asked.petition.as_ref().ok()).map(|(_, out)| &**out).collect();
    WriteSet::check(outs.iter().copied(), args.force, session)?;
    for out in &outs {
        args.requests.iter().try_for_each(|request| spare_input(out, request))?;
    }
    spare_all(chosen, Some(&args.signer), outs.iter().copied())?;
    if outs.is_empty() {
        for Asked { request, petition } in read {
            if let Err(refusal) = petition {
                answer(&Refused { request, refused: refusal.to_string() }, many, session)?;
            }
        }
        return Ok(Exit::No);
    }

    let mut authority = chosen.open()?;
    let key = args.signer.key(chosen, session)?;
    let (ca_certificate, root) = (authority.certificate().clone(), authority.root().clone());
    let above: Vec<Certificate> = authority.full_chain(&ca_certificate).into_iter().skip(1).cloned().collect();
    let mut signatory = chosen.unlock(&mut authority, &key, now)?;
    let mut all_signed = true;
    for Asked { request, petition } in read {
        let signed = match petition {
            Ok((petition, out)) => {
                let act = place::act(Action::Sign);
                signatory.sign(&petition, validity, &mut fresh_serial, &act)?.map(|issued| (issued, petition, out))
            }
            Err(refusal) => Err(refusal),
        };
        let (issued, petition, out) = match signed {
            Ok(signed) => signed,
            Err(refusal) => {
                all_signed = false;
                answer(&Refused { request, refused: refusal.to_string() }, many, session)?;
                continue;
            }
        };
        // The record is on the disk; from here on the certificate may be seen.
        let mut files = WriteSet::new(args.force).whole();
        let chain: Vec<&Certificate> = std::iter::once(&issued.certificate).chain(&above).collect();
        files.add(out.clone(), place::chain(&chain).into_bytes(), Mode::Public);
        unwritten::told(files.write(session), &issued, unwritten::Key::Kept, chosen)?;
        let signed = Signed {
            certificate: About::new(&issued, (&ca_certificate, &root), chosen, &profile.name),
            request,
            certificate_file: if files::is_dash(&out) { "stdout".to_owned() } else { shown(&out) },
            left_out: petition.left_out,
        };
        answer(&signed, many, session)
            .with_context(|| format!("the certificate is issued and written to {}", signed.certificate_file))?;
    }
    Ok(Exit::of(all_signed))
}

/// A request that has been read, and where its certificate goes; or why it gets none.
struct Asked {
    request: String,
    petition: Result<(Petition, PathBuf), Refusal>,
}

impl Asked {
    /// Reads the requests of a file.
    fn read(path: &Path, args: &Args, added: &[String], profile: &Profile) -> anyhow::Result<Vec<Self>> {
        let loaded = Loaded::read(path)?;
        let requests = loaded.document.requests().with_context(|| cannot_use(path))?;
        if loaded.document.has_binary_between() {
            return Err(anyhow!("{} holds binary data beside its PEM requests, which is not read", loaded.shown()))
                .hint("give a request in DER as a file of its own");
        }
        let alone = requests.len() == 1;
        let mut asked = Vec::new();
        for (request, number) in requests.into_iter().zip(1..) {
            let shown = if alone { loaded.shown() } else { format!("{} ({number})", loaded.shown()) };
            let petition = match petition::read(request, profile, added) {
                Ok(petition) => {
                    let out = match &args.out {
                        Some(out) => out.clone(),
                        None if alone => beside(path, &petition.label)?,
                        None => called_after(&petition.label)?,
                    };
                    Ok((petition, out))
                }
                Err(refusal) => Err(refusal),
            };
            asked.push(Self { request: shown, petition });
        }
        Ok(asked)
    }
}

/// One of several is a line.
fn answer(report: &impl Report, many: bool, session: &mut Session) -> anyhow::Result<()> {
    if many { session.row(report) } else { session.answer(report) }
}

/// `app.pem` for `app.csr`, in the folder where certkit runs.
pub(super) fn beside(request: &Path, label: &str) -> anyhow::Result<PathBuf> {
    let name = request.file_stem().filter(|_| !files::is_dash(request)).and_then(|stem| stem.to_str());
    called_after(name.unwrap_or(label))
}

fn called_after(name: &str) -> anyhow::Result<PathBuf> {
    Ok(format!("{}.pem", files::file_name_for(name)?).into())
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
