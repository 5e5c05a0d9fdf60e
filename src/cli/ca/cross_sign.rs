//! `certkit ca cross-sign`: certify another CA.

use std::path::PathBuf;

use anyhow::{Context, bail};
use time::OffsetDateTime;

use super::cross_limits::{self, Limits};
use super::own_files::spare_all;
use super::place::{self, Chosen};
use super::signer::SignerArgs;
use super::subordinate::{Certified, certified_file, check_policies, compromised, inherit, tell_left_out};
use super::wanted::BelowArgs;
use crate::ca::petition;
use crate::ca::{Action, Authority, Issued, Order};
use crate::cli::clock;
use crate::cli::exit::Exit;
use crate::cli::files::{WriteSet, spare_input};
use crate::cli::load::{Loaded, cannot_use};
use crate::cli::making::{LifetimeArgs, fresh_serial, load_profile};
use crate::cli::output::Session;
use crate::cli::problem::Hinted;
use crate::key::PrivateKey;
use crate::x509::Certificate;

/// Certify another CA: clients that trust this one then accept what that one has issued
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
The new certificate has the subject, the key and the key identifier of the other CA, so that it takes the place of that CA's
own certificate in a chain. It may do no more than the other CA may by its own certificate, and no more than this one: path
length, keyUsage, extKeyUsage, names, policies and end are kept. What no profile can say is refused, such as policyConstraints,
and so is what --permit or --policy would add. A request proves that its sender has the key; a certificate proves nothing, but
harms nobody: without the key it signs nothing.

For example:
  certkit ca cross-sign other-root.pem
  certkit ca cross-sign other-root.pem --permit partner.example --days 365 --out other-cross.pem

With --json the answer is an object, as `certkit ca intermediate --csr` answers.")]
pub(super) struct Args {
    /// The other CA's certificate or a request of it, PEM or DER; `-` is stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,

    #[command(flatten)]
    lifetime: LifetimeArgs,

    /// A built-in profile that makes CAs, or a file with one
    #[arg(long, value_name = "NAME|FILE", default_value = "intermediate-ca")]
    profile: String,

    #[command(flatten)]
    below: BelowArgs,

    /// Where the certificate goes, with those above it; `-` is stdout [default: other-cross.pem for other.pem, in this
    /// folder]
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
    let loaded = Loaded::read(&args.file)?;
    let mut profile = load_profile(&args.profile)?;
    args.below.apply(&mut profile)?;
    let mut authority = chosen.open()?;
    let mut validity = args.lifetime.validity(&profile, now)?;
    let wanted = validity.not_after;
    let path: Vec<Certificate> = authority.path().into_iter().cloned().collect();
    let mut is_for_no_policy = false;
    let request = match loaded.document.certificates() {
        Ok(certificates) => {
            let Some(other) = certificates.first() else { bail!("{} holds no certificate", loaded.shown()) };
            let has_path_len = args.below.path_len.is_some();
            let limits = Limits { has_path_len, path: &path, now };
            match limits.take(other, &mut profile, &mut validity) {
                Ok(request) => {
                    is_for_no_policy = cross_limits::is_for_no_policy(other);
                    request
                }
                Err(why) => return Certified::refuse(loaded.shown(), &why, session),
            }
        }
        Err(_) => {
            let request = loaded.document.request().with_context(|| cannot_use(&args.file))?;
            match petition::read_authority(request, None) {
                Ok(asked) => {
                    tell_left_out(request, &profile, session);
                    asked
                }
                Err(refusal) => return Certified::refuse(loaded.shown(), &refusal.to_string(), session),
            }
        }
    };
    if let (Some(asked), Some(given)) = (args.below.path_len, profile.basic_constraints.path_len)
        && u64::from(asked) > given
    {
        session.warn(format_args!(
            "--path-len {asked} is brought down to {given}: the other CA's own certificate allows no more"
        ));
    }
    inherit(&mut profile, &path);
    if is_for_no_policy {
        profile.policies.clear();
    }
    check_policies(&profile, &path)?;
    let out = match &args.out {
        Some(out) => out.clone(),
        None => {
            let beside = certified_file(None, &args.file)?;
            let stem = beside.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            beside.with_file_name(format!("{stem}-cross.pem"))
        }
    };
    WriteSet::check([out.as_path()], args.force, session)?;
    spare_input(&out, &args.file)?;
    spare_all(chosen, Some(&args.signer), [out.as_path()])?;
    let key = args.signer.key(chosen, session)?;
    if request.public_key == *key.public_key() {
        return Certified::refuse(loaded.shown(), "the key in it is this CA's own", session);
    }
    if let Some(why) = compromised(&mut authority, &request.public_key)? {
        return Certified::refuse(loaded.shown(), &why, session);
    }
    let own = authority.certificate().subject();
    if request.subject.matches(own) {
        session.warn(format_args!(
            "{own} is this CA's own name too: with another key of its name clients take it for this CA after a change of keys \
             (self-issued, RFC 5280 §3.2); where it is another CA, revoke the certificate"
        ));
    }
    let order = Order { profile: &profile, request: &request, validity };
    let mut issued = certified(&mut authority, &key, &order, chosen, now).hint_if(another_issuer(chosen))?;
    if validity.not_after < wanted {
        issued.clamped = Some(wanted);
    }
    Certified::write(&issued, &authority, loaded.shown(), out, args.force, chosen, session)
}

fn certified(
    authority: &mut Authority,
    key: &PrivateKey,
    order: &Order<'_>,
    chosen: &Chosen,
    now: OffsetDateTime,
) -> anyhow::Result<Issued> {
    let act = place::act(Action::CrossSign);
    Ok(chosen.unlock(authority, key, now)?.certify(order, &mut fresh_serial, &act)?)
}

/// What to do where the authority that signs by default cannot do this: it is often one that may have none below it.
fn another_issuer(chosen: &Chosen) -> Option<String> {
    let usual = chosen.issuer().ok().filter(|usual| chosen.asked_issuer().is_none() && !usual.is_first())?;
    let others = chosen.place().names().into_iter().filter(|name| *name != usual);
    let others: Vec<String> = others.map(|name| name.to_string()).collect();
    Some(format!("{usual} signs by default; another does with --issuer: {}", others.join(", ")))
}
