//! `certkit ca intermediate`: make an authority below another, or certify one whose key is elsewhere.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde::Serialize;
use time::OffsetDateTime;

use super::outline::Outline;
use super::own_files::spare_all;
use super::place::{self, Chosen};
use super::signer::SignerArgs;
use super::subordinate::{Certified, certified_file, check_policies, compromised, inherit, tell_left_out};
use super::unwritten;
use super::wanted::{AuthorityKeyArgs, BelowArgs, request, subject_below, written_key};
use crate::ca::petition;
use crate::ca::place::is_there;
use crate::ca::{Action, AuthorityName, Order};
use crate::cli::clock;
use crate::cli::exit::Exit;
use crate::cli::files::{Mode, WriteSet, spare_input};
use crate::cli::load::{Loaded, cannot_use};
use crate::cli::making::{LifetimeArgs, fresh_serial, load_profile};
use crate::cli::output::{Report, Session, shown};
use crate::cli::problem::Hinted;
use crate::cli::text::{Text, good, strong};
use crate::profile::Profile;
use crate::x509::DistinguishedName;

/// Make an authority below the root or another one; or certify one whose key never comes here
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Writes NAME.pem (its certificate, then those above it) and NAME-key.pem (0600) into the CA's folder. It signs where --issuer
NAME asks for it, or always once ca.toml says issuer = \"NAME\". It is made below the root, or the authority that --issuer
names, and gets no more than that has: no longer path, no wider constraints, no later end. Where it is given no constraints
it gets those of the authority above it.

With --csr it certifies an authority whose key is elsewhere: of the request its key and subject are taken, what it may do is
said here. One that asks for CA:FALSE, or has the name of the CA that signs, is refused. The certificate and those above it
go to --out.

For example:
  certkit ca intermediate web --days 365
  certkit ca intermediate lab --permit lab.example.test --encrypt
  certkit ca intermediate --csr branch.csr --path-len 1 --out branch.pem

With --json the answer is an object: `authority`, as `certkit ca init` answers; `issuer`; and `shortened_from` (the end asked
for, where one above ends first). With --csr: `certificate_file`, `subject`, `serial`, `fingerprint_sha256`, `not_after`,
`issuer`, `path_len`, `permitted`, `excluded`, `shortened_from`; or `refused` (why), with exit status 1.")]
pub(super) struct Args {
    /// What it is called here: its files are named after it
    #[arg(value_name = "NAME", required_unless_present = "csr", conflicts_with = "csr")]
    called: Option<AuthorityName>,

    /// Its common name [default: after the authority above it]
    #[arg(long, visible_alias = "cn", value_name = "CN")]
    name: Option<String>,

    /// Its whole subject: "CN=Example Web CA,O=Example" or /O=Example/CN=Example Web CA
    #[arg(long, value_name = "DN")]
    subject: Option<String>,

    #[command(flatten)]
    key: AuthorityKeyArgs,

    #[command(flatten)]
    lifetime: LifetimeArgs,

    /// A built-in profile that makes CAs, or a file with one
    #[arg(long, value_name = "NAME|FILE", default_value = "intermediate-ca")]
    profile: String,

    #[command(flatten)]
    below: BelowArgs,

    /// Certify the key in this request, PEM or DER, instead of a new one; `-` is stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key_type", "encrypt"])]
    csr: Option<PathBuf>,

    /// Where the certificate for a request goes, with those above it; `-` is stdout [default: branch.pem for branch.csr, in
    /// this folder]
    #[arg(long, value_name = "FILE", requires = "csr")]
    out: Option<PathBuf>,

    /// Replace a file that is there
    #[arg(long, requires = "csr")]
    force: bool,

    #[command(flatten)]
    signer: SignerArgs,
}

pub(super) fn run(args: Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    let now = clock::making_now()?;
    chosen.is_made()?;
    let above = chosen.asked_issuer().cloned().unwrap_or_else(AuthorityName::first);
    let mut profile = load_profile(&args.profile)?;
    args.below.apply(&mut profile)?;
    let path = chosen.certificates(&above)?;
    inherit(&mut profile, &path);
    check_policies(&profile, &path)?;
    match (&args.csr, &args.called) {
        (Some(_), _) => certify(&args, &above, &profile, now, chosen, session),
        (None, Some(called)) => establish(&args, called, &above, &profile, now, chosen, session),
        (None, None) => bail!("the new authority needs a name"),
    }
}

/// Makes an authority with a key of its own.
fn establish(
    args: &Args,
    called: &AuthorityName,
    above: &AuthorityName,
    profile: &Profile,
    now: OffsetDateTime,
    chosen: &Chosen,
    session: &mut Session,
) -> anyhow::Result<Exit> {
    let place = chosen.place();
    let (key_path, path) = (place.key_of(called), place.certificate_of(called));
    if called.is_first() {
        return Err(anyhow!("{called} is the first authority of every CA"))
            .hint("choose another name, such as issuing");
    }
    let claim = chosen.claim(PATIENCE)?;
    if let Some(taken) = [&path, &key_path].into_iter().find(|path| is_there(path)) {
        return Err(anyhow!("{} exists already, and nothing replaces an authority", shown(taken)))
            .hint(format!("choose another name than {called}"));
    }
    WriteSet::check([key_path.as_path(), path.as_path()], false, session)?;
    let validity = args.lifetime.validity(profile, now)?;

    let mut parent = chosen.open_one(above)?;
    let parent_key = args.signer.key_of(chosen, above, session)?;
    let passphrase = args.key.new_passphrase(&shown(&key_path))?;
    let key = args.key.generate(profile)?;
    let subject = || subject_below(parent.certificate().subject(), called);
    let request = request(profile, args.name.as_deref(), args.subject.as_deref(), subject, key.public_key().clone())?;
    let order = Order { profile, request: &request, validity };
    let mut signatory = chosen.unlock(&mut parent, &parent_key, now)?;
    let issued = signatory.establish(&order, &mut fresh_serial, &place::act(Action::Intermediate))?;

    // The certificate comes last: with it the authority is whole.
    let mut files = WriteSet::new(false).lasting();
    files.add(key_path, written_key(&key, passphrase.as_ref())?, Mode::Secret);
    let mut chain = vec![&issued.certificate];
    chain.extend(parent.path());
    files.add(path, place::chain(&chain).into_bytes(), Mode::Public);
    unwritten::told(files.write(session), &issued, unwritten::Key::Gone, chosen)?;
    claim.keep();
    let made = Established {
        authority: Outline::of(called, &issued.certificate, chosen)?,
        issuer: parent.certificate().subject().to_string(),
        shortened_from: issued.clamped.map(clock::rfc3339),
    };
    session.answer(&made).with_context(|| format!("the authority {called} is made"))?;
    Ok(Exit::Yes)
}

/// Certifies an authority whose key is elsewhere.
fn certify(
    args: &Args,
    above: &AuthorityName,
    profile: &Profile,
    now: OffsetDateTime,
    chosen: &Chosen,
    session: &mut Session,
) -> anyhow::Result<Exit> {
    let Some(csr) = &args.csr else { bail!("there is no request") };
    let loaded = Loaded::read(csr)?;
    let asked = loaded.document.request().with_context(|| cannot_use(csr))?;
    let subject: Option<DistinguishedName> = match (&args.name, &args.subject) {
        (None, None) => None,
        (Some(name), None) => Some(DistinguishedName::common_name_only(name)),
        (None, Some(subject)) => Some(subject.parse().context("cannot read the subject")?),
        (Some(_), Some(_)) => bail!("--name and --subject both say what it is called: give one"),
    };
    let request = match petition::read_authority(asked, subject) {
        Ok(request) => request,
        Err(refusal) => return Certified::refuse(loaded.shown(), &refusal.to_string(), session),
    };
    tell_left_out(asked, profile, session);
    let out = certified_file(args.out.as_deref(), csr)?;
    WriteSet::check([out.as_path()], args.force, session)?;
    spare_input(&out, csr)?;
    spare_all(chosen, Some(&args.signer), [out.as_path()])?;
    let validity = args.lifetime.validity(profile, now)?;

    let mut parent = chosen.open_one(above)?;
    let parent_key = args.signer.key_of(chosen, above, session)?;
    if request.public_key == *parent_key.public_key() {
        return Certified::refuse(loaded.shown(), "the key in it is the CA's own", session);
    }
    if request.subject.matches(parent.certificate().subject()) {
        let why = "its subject is the CA's own name, and clients would take it for that CA after a change of keys \
                   (self-issued, RFC 5280 §3.2): give another with --name or --subject";
        return Certified::refuse(loaded.shown(), why, session);
    }
    if let Some(why) = compromised(&mut parent, &request.public_key)? {
        return Certified::refuse(loaded.shown(), &why, session);
    }
    let order = Order { profile, request: &request, validity };
    let issued = chosen.unlock(&mut parent, &parent_key, now)?.certify(
        &order,
        &mut fresh_serial,
        &place::act(Action::Intermediate),
    )?;
    Certified::write(&issued, &parent, loaded.shown(), out, args.force, chosen, session)
}

/// An authority that has just been made.
#[derive(Debug, Serialize)]
struct Established {
    authority: Outline,
    issuer: String,
    /// The notAfter asked for, where one above ends before it.
    shortened_from: Option<String>,
}

impl Report for Established {
    fn text(&self, text: &mut Text) {
        let name = self.authority.name();
        text.line(format_args!("{} {name}: {}", good("made"), strong(&self.authority.subject)));
        let mut fields = self.authority.fields();
        fields.push(("issuer", crate::cli::text::safe(&self.issuer).to_string()));
        text.fields(fields);
        super::subordinate::write_shortened(self.shortened_from.as_deref(), text);
        text.line(format_args!(
            "sign with it: certkit ca issue --issuer {name} NAME; or always: issuer = \"{name}\" in ca.toml"
        ));
    }
}

/// How long another process that makes an authority in the same folder is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
