//! `certkit ca issue`: a key and a certificate from the CA.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow};
use serde::Serialize;
use time::OffsetDateTime;

use super::batch::{self, BatchArgs, Standard};
use super::init::{Made, Plan};
use super::own_files::{OutOfBounds, spare};
use super::place::{self, Chosen};
use super::signer::SignerArgs;
use super::twin::{Pair, TWIN};
use super::unwritten;
use crate::ca::place::State;
use crate::ca::{Action, Authority, AuthorityError, Issued, Order};
use crate::cli::clock::{self, rfc3339, until};
use crate::cli::exit::Exit;
use crate::cli::files::{file_name_for, is_dash};
use crate::cli::making::{KeyArgs, LifetimeArgs, NameArgs, Outputs, SubjectKey, fresh_serial, load_profile};
use crate::cli::new::write_objections;
use crate::cli::output::{Report, Session, shown};
use crate::cli::problem::Hinted;
use crate::cli::text::{Text, dim, good, safe, strong, warn};
use crate::encoding::hex;
use crate::issue::{Naming, Objection, objections};
use crate::key::{KeyAlgorithm, PrivateKey};
use crate::profile::Profile;
use crate::x509::{Certificate, GeneralName, Validity};

/// Make a key and a certificate for it, signed by the CA
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Writes NAME.pem (the certificate, then the authorities between it and the root, if there are any) and NAME-key.pem (0600),
called after the first name. That is what a server needs: the root itself is not sent, for clients have it or do not trust
it. Where there is no CA yet one is made, unless --ca says where it should be.

For example:
  certkit ca issue api.test 127.0.0.1
  certkit ca issue --profile client --cn \"Ann Example\"
  certkit ca issue '*.dev.test' --type rsa:2048 --days 90 --out dev.pem --keyout dev.key

With --batch a list says what to issue: names on each line, with blanks or commas between them; or CSV, whose header names
the columns (names, cn, subject, profile, days, key, out); or TOML with a [[certificate]] for each and the same keys. A first
line with only some words that are columns is refused, unless --format says what it is. What a
line leaves open the flags say. The whole list is checked before anything is made; --keep-going passes over what is refused,
and then exits 1:
  certkit ca issue --batch hosts.txt --out-dir certs
  printf 'names,profile,days\napi.test,server,90\n' | certkit ca issue --batch - --json

With --json the answer is an object: `certificate_file`; `key_file`; `key_is_new`; `key_encrypted`; `subject`; `names`;
`serial` (hexadecimal); `fingerprint_sha256`; `issuer`; `profile`; `not_before`, `not_after` (RFC 3339); `shortened_from`
(the end asked for, where the CA's own comes first); `objections`, each with `client`, `why`, `what_to_do`; `made_ca` (as
`certkit ca init` answers, where it had to be made); `notes`; and with --dual
`second`, the other chain, the same again. With --batch it is an object on a line for each line of the
list: `line`, the same as far as they fit, and `error`, where it was refused (then there is no `serial`) or could not be
written; and before them one for each certificate of a run that was killed, without its files: `line` is null, `left_in` the
folder it was in.")]
pub(super) struct Args {
    #[command(flatten)]
    names: NameArgs,

    #[command(flatten)]
    lifetime: LifetimeArgs,

    #[command(flatten)]
    key: KeyArgs,

    #[command(flatten)]
    batch: BatchArgs,

    /// What kind of certificate: server, client, peer, email, code-signing, ocsp-responder, or a file of your own
    #[arg(long, value_name = "NAME|FILE", default_value = "server")]
    profile: String,

    /// Where to write the certificate and the authorities between it and the root; `-` is stdout [default: after the first name, api.test.pem]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Make two chains for the same names: this one, and one with ML-DSA-65 keys from a CA beside this one, ca-ml-dsa
    #[arg(long, conflicts_with_all = ["batch", "key", "keyout"])]
    dual: bool,

    /// Replace files that are there already
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    signer: SignerArgs,
}

pub(super) fn run(args: Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    let now = clock::making_now()?;
    args.batch.check()?;
    let profile = load_profile(&args.profile)?;
    if let Some(list) = &args.batch.batch {
        let (profile, lifetime, key) = (Arc::new(profile), args.lifetime, args.key.algorithm());
        let standard = Standard { profile, lifetime, key, now };
        let (mut authority, key, made_ca) = open_or_make(chosen, &args.signer, None, now, session)?;
        if made_ca.is_some() {
            session.say(format_args!("made a CA in {}", chosen.shown()));
        }
        let mut signatory = chosen.unlock(&mut authority, &key, now)?;
        let kept = OutOfBounds::of(chosen, &args.signer);
        return batch::run((list, chosen), &args.batch, standard, args.force, &kept, &mut signatory, session);
    }
    let naming = args.names.naming(&profile)?;
    let validity = args.lifetime.validity(&profile, now)?;
    if args.key.has_idle_passphrase() {
        return Err(anyhow!("--passphrase has no effect: the new key is not encrypted"))
            .hint("the passphrase of the CA's key is given with --ca-passphrase");
    }
    let Args { out, key, force, signer, .. } = args;
    let twin = args.dual.then(|| Twin::new(out.as_deref(), &key, &naming)).transpose()?;
    let order = Wanted { profile: &profile, naming: &naming, validity, now };
    let outputs = Outputs::choose(out, "pem", &key, &naming, force, session)?;
    spare(chosen, Some(&signer), outputs.paths())?;
    let Some(twin) = twin else {
        let key = key.obtain(profile.key, outputs.keyout())?;
        let answer = order.carry_out(
            chosen,
            outputs,
            key,
            &mut |session| open_or_make(chosen, &signer, None, now, session),
            session,
        )?;
        answer.give(session)?;
        return Ok(Exit::Yes);
    };
    let twin_outputs = Outputs::choose(Some(twin.out), "pem", &twin.key, &naming, force, session)?;
    let other = chosen.beside(place::TWIN);
    spare(chosen, Some(&signer), twin_outputs.paths())?;
    spare(&other, None, outputs.paths().into_iter().chain(twin_outputs.paths()))?;
    let mut pair = Pair::new((chosen, &other), &signer, now)?;
    // Asked for once: both keys are under it.
    let passphrase = key.new_passphrase(outputs.keyout())?;
    let keys =
        (key.obtain_under(passphrase.as_ref(), profile.key)?, twin.key.obtain_under(passphrase.as_ref(), profile.key)?);
    let mut answer = order.carry_out(chosen, outputs, keys.0, &mut |session| pair.open_first(session), session)?;
    let second = order.carry_out(&other, twin_outputs, keys.1, &mut |session| pair.open_second(session), session)?;
    answer.second = Some(Box::new(second));
    answer.give(session)?;
    Ok(Exit::Yes)
}

/// What is to be certified, whoever signs.
struct Wanted<'a> {
    profile: &'a Profile,
    naming: &'a Naming,
    validity: Validity,
    now: OffsetDateTime,
}

/// A CA and its key; and that it was made, where it had to be.
type Opened = (Authority, PrivateKey, Option<Made>);

impl Wanted<'_> {
    /// Opens the CA, has it sign, and writes the files.
    fn carry_out(
        &self,
        chosen: &Chosen,
        outputs: Outputs,
        key: SubjectKey,
        open: &mut dyn FnMut(&mut Session) -> anyhow::Result<Opened>,
        session: &mut Session,
    ) -> anyhow::Result<Answer> {
        let Self { profile, naming, validity, now } = *self;
        let request = naming.request(key.key.public_key().clone());
        let (mut authority, authority_key, made_ca) = open(session)?;
        if key.pem.is_none() {
            let given = key.key.public_key();
            authority.refuse_compromised(given).hint(ANOTHER_KEY)?;
        }
        let (issuer, root) = (authority.certificate().clone(), authority.root().clone());
        let mut signatory = chosen.unlock(&mut authority, &authority_key, now)?;
        let order = Order { profile, request: &request, validity };
        let issued = signatory.issue(&order, &mut fresh_serial, &place::act(Action::Issue));
        let hint = matches!(issued, Err(AuthorityError::OwnKey { .. })).then_some(ANOTHER_KEY);
        let issued = issued.hint_if(hint)?;

        // The record is on the disk; from here on the certificate may be seen.
        let answer = Answer {
            certificate: About::new(&issued, (&issuer, &root), chosen, &profile.name),
            certificate_file: outputs.out(),
            key_file: outputs.shown_keyout().or_else(|| key.read_from.clone()).unwrap_or_default(),
            key_is_new: key.pem.is_some(),
            key_encrypted: key.encrypted,
            made_ca,
            notes: naming.notes.iter().map(ToString::to_string).collect(),
            second: None,
        };
        let kept = unwritten::Key::of(key.pem.is_some());
        let written = outputs.write(&key, &place::chain(&authority.full_chain(&issued.certificate)), session);
        unwritten::told(written, &issued, kept, chosen)?;
        Ok(answer)
    }
}

/// What to do where the key that is given may not be certified.
const ANOTHER_KEY: &str = "leave --key out, and a new key is made; --keyout says where it goes";

/// The second of two chains for the same names: for clients that know ML-DSA (RFC 9881).
struct Twin {
    out: PathBuf,
    key: KeyArgs,
}

impl Twin {
    /// Its files: `api.test.ml-dsa.pem` beside `api.test.pem`.
    fn new(out: Option<&Path>, key: &KeyArgs, naming: &Naming) -> anyhow::Result<Self> {
        let beside = |path: &Path| {
            if is_dash(path) {
                return Err(anyhow!("--dual makes two certificates, and stdout takes one")).hint("give --out FILE");
            }
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            Ok(path.with_file_name(format!("{stem}.ml-dsa.pem")))
        };
        let out = match out {
            Some(out) => beside(out)?,
            None => format!("{}.ml-dsa.pem", file_name_for(&naming.label())?).into(),
        };
        Ok(Self { out, key: key.of_type(TWIN, None) })
    }
}

/// The CA and its key; made where there is none and nobody said where it should be.
pub(in crate::cli) fn open_or_make(
    chosen: &Chosen,
    signer: &SignerArgs,
    key_type: Option<KeyAlgorithm>,
    now: OffsetDateTime,
    session: &mut Session,
) -> anyhow::Result<(Authority, PrivateKey, Option<Made>)> {
    if chosen.may_be_made() && !signer.are_given() && chosen.state()? == State::Empty {
        let plan = Plan::standard(now)?;
        let plan = match key_type {
            Some(key_type) => plan.with_key(key_type),
            None => plan,
        };
        match plan.carry_out(chosen, session) {
            Ok((authority, key, made)) => return Ok((authority, key, Some(made))),
            // Another process was faster; its CA is the one.
            Err(error) => match chosen.state() {
                Ok(State::Complete) => {}
                _ => return Err(error),
            },
        }
    }
    let authority = chosen.open()?;
    let key = signer.key(chosen, session)?;
    Ok((authority, key, None))
}

/// That a certificate ends with its CA, not when it was asked to.
pub(in crate::cli) fn write_shortened(shortened_from: Option<&str>, text: &mut Text) {
    if let Some(wanted) = shortened_from {
        text.line(format_args!(
            "{} it expires with its CA, not at {wanted}: a certificate that outlives its issuer is worthless",
            warn("shortened:")
        ));
    }
}

/// A certificate the CA has just signed.
#[derive(Debug, Serialize)]
pub(super) struct About {
    subject: String,
    names: Vec<String>,
    serial: String,
    fingerprint_sha256: String,
    issuer: String,
    profile: String,
    not_before: String,
    not_after: String,
    #[serde(skip)]
    until: String,
    #[serde(skip)]
    trust: String,
    /// The notAfter asked for, where the CA's own comes before it.
    shortened_from: Option<String>,
    /// Clients that will object to it however much they trust its CA.
    objections: Vec<Objection>,
}

impl About {
    /// Of what was issued by this authority below this root.
    pub(super) fn new(
        issued: &Issued,
        (issuer, root): (&Certificate, &Certificate),
        chosen: &Chosen,
        profile: &str,
    ) -> Self {
        let certificate = &issued.certificate;
        let names = certificate.subject_alt_names().unwrap_or_default();
        Self {
            subject: certificate.subject().to_string(),
            names: names.iter().map(GeneralName::to_string).collect(),
            serial: certificate.serial().to_string(),
            fingerprint_sha256: hex::colons(&certificate.fingerprint_sha256()),
            issuer: issuer.subject().to_string(),
            profile: profile.to_owned(),
            not_before: rfc3339(certificate.validity().not_before),
            not_after: rfc3339(certificate.validity().not_after),
            until: until(certificate.validity()),
            trust: shown(&chosen.trusted_file(root)),
            shortened_from: issued.clamped.map(rfc3339),
            objections: objections(certificate),
        }
    }

    pub(super) fn text(&self, files: Vec<(&'static str, String)>, text: &mut Text) {
        self.text_as("issued", files, text);
    }

    /// As [`Self::text`], with another word for what was done.
    pub(super) fn text_as(&self, done: &str, files: Vec<(&'static str, String)>, text: &mut Text) {
        let bare = |name: &String| name.split_once(':').map_or(name.clone(), |(_, value)| value.to_owned());
        let names: Vec<String> = self.names.iter().map(bare).collect();
        let name = if names.is_empty() { self.subject.clone() } else { names.join(", ") };
        text.line(format_args!("{} a certificate for {}", good(done), strong(name)));
        let mut fields: Vec<(&str, String)> = files;
        fields.push(("issuer", format!("{} ({})", safe(&self.issuer), safe(&self.trust))));
        fields.push(("serial", self.serial.clone()));
        fields.push(("valid", self.until.clone()));
        fields.push(("SHA-256", self.fingerprint_sha256.clone()));
        text.fields(fields);
        write_shortened(self.shortened_from.as_deref(), text);
        write_objections(&self.objections, text);
    }
}

#[derive(Debug, Serialize)]
struct Answer {
    certificate_file: String,
    key_file: String,
    key_is_new: bool,
    key_encrypted: bool,
    #[serde(flatten)]
    certificate: About,
    /// The CA, where it had to be made.
    made_ca: Option<Made>,
    notes: Vec<String>,
    /// The chain with ML-DSA keys, where there are two.
    #[serde(skip_serializing_if = "Option::is_none")]
    second: Option<Box<Answer>>,
}

impl Answer {
    /// Says what was issued. It is there also where that cannot be said.
    fn give(&self, session: &mut Session) -> anyhow::Result<()> {
        let said = session.answer(self);
        said.with_context(|| format!("the certificate is issued and written to {}", self.certificate_file))
    }
}

impl Report for Answer {
    fn text(&self, text: &mut Text) {
        if let Some(made) = &self.made_ca {
            made.text(text);
            text.blank();
        }
        let files = vec![
            ("certificate", format!("{}", safe(&self.certificate_file))),
            ("key", safe(&self.key_file).to_string()),
        ];
        self.certificate.text(files, text);
        for note in &self.notes {
            text.line(format_args!("{} {note}", dim("note:")));
        }
        if let Some(second) = &self.second {
            text.blank();
            second.text(text);
        }
    }
}
