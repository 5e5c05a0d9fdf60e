//! `certkit new`: a key and a certificate that vouches for itself.

use std::path::PathBuf;

use serde::Serialize;

use super::ca::other_files::spare_others;
use super::clock;
use super::exit::Exit;
use super::making::{KeyArgs, LifetimeArgs, NameArgs, Outputs, SubjectKey, fresh_serial, load_profile};
use super::output::{Report, Session};
use super::text::{Text, dim, strong, warn};
use crate::encoding::{hex, pem};
use crate::issue::{self, Issuer, Objection, objections};
use crate::profile::Profile;
use crate::x509::{Certificate, DistinguishedName, GeneralName, SerialNumber};

/// Make a key and a self-signed certificate
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
For example:
  certkit new --cn localhost                             localhost.pem and localhost-key.pem
  certkit new localhost 127.0.0.1 ::1                    one certificate for several names
  certkit new --cn localhost --days 365 --out cert.pem --keyout cert.pem
                                                         one file, key first
  certkit new --profile root-ca --cn \"My Root\" --type p384
  certkit new --profile client --cn \"Ann\" --san ann@example.test

Some clients refuse every self-signed server certificate: the answer names them. `certkit ca issue` makes one that suits all.

With --json the answer is an object: `certificate_file`; `key_file`; `key_is_new`; `key_encrypted` (the new key is under a
passphrase); `key_type`; `profile`; `subject`; `names`; `ca`; `not_before`, `not_after` (RFC 3339) and `expires` (in words);
`serial` (hexadecimal); `fingerprint_sha256`; `objections`, each with `client`, `why`, `what_to_do`; and `notes`.

SOURCE_DATE_EPOCH, where it is set, is the time of making.")]
pub(super) struct Args {
    #[command(flatten)]
    names: NameArgs,

    #[command(flatten)]
    lifetime: LifetimeArgs,

    #[command(flatten)]
    key: KeyArgs,

    /// What kind of certificate: self-signed, server, client, peer, root-ca, intermediate-ca, email, code-signing,
    /// ocsp-responder, or a file of your own
    #[arg(long, value_name = "NAME|FILE", default_value = "self-signed")]
    profile: String,

    /// Where to write the certificate; `-` is stdout [default: after the first name, localhost.pem]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Replace files that are there already
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    let profile = load_profile(&args.profile)?;
    let mut naming = args.names.naming(&profile)?;
    let validity = args.lifetime.validity(&profile, clock::making_now()?)?;
    let outputs = Outputs::choose(args.out, "pem", &args.key, &naming, args.force, session)?;
    spare_others(outputs.paths(), None)?;
    let key = args.key.obtain(profile.key, outputs.keyout())?;
    let request = naming.self_signed_request(key.key.public_key().clone());
    let certificate = issue::issue(&profile, &request, &Issuer::SelfSigned(&key.key), &fresh_serial()?, validity)?;
    let notes = naming.notes.iter().map(ToString::to_string).collect();
    let report = Made::of(&certificate, &profile, &outputs, &key, notes)?;
    outputs.write(&key, &pem::write("CERTIFICATE", certificate.der()), session)?;
    session.answer(&report)?;
    Ok(Exit::Yes)
}

/// What was made.
#[derive(Debug, Serialize)]
struct Made {
    certificate_file: String,
    /// Where the private key is: the new file, or the one it was read from.
    key_file: String,
    /// Whether the key was made too.
    key_is_new: bool,
    /// Whether the new key is under a passphrase.
    key_encrypted: bool,
    key_type: String,
    profile: String,
    subject: DistinguishedName,
    names: Vec<GeneralName>,
    ca: bool,
    not_before: String,
    not_after: String,
    /// In words, as of now.
    expires: String,
    #[serde(skip)]
    until: String,
    serial: SerialNumber,
    fingerprint_sha256: String,
    /// Clients that will object to it however much they trust it.
    objections: Vec<Objection>,
    /// What was done that may not be expected.
    notes: Vec<String>,
}

impl Made {
    fn of(
        certificate: &Certificate,
        profile: &Profile,
        outputs: &Outputs,
        key: &SubjectKey,
        notes: Vec<String>,
    ) -> anyhow::Result<Self> {
        let validity = certificate.validity();
        Ok(Self {
            certificate_file: outputs.out(),
            key_file: outputs.shown_keyout().or_else(|| key.read_from.clone()).unwrap_or_default(),
            key_is_new: key.pem.is_some(),
            key_encrypted: key.encrypted,
            key_type: key.key.algorithm().to_string(),
            profile: profile.name.clone(),
            subject: certificate.subject().clone(),
            names: certificate.subject_alt_names()?.to_vec(),
            ca: certificate.claims_ca(),
            not_before: clock::rfc3339(validity.not_before),
            not_after: clock::rfc3339(validity.not_after),
            expires: clock::expiry(validity.not_after, clock::now()),
            until: clock::until(validity),
            serial: certificate.serial().clone(),
            fingerprint_sha256: hex::colons(&certificate.fingerprint_sha256()),
            objections: objections(certificate),
            notes,
        })
    }
}

impl Report for Made {
    fn text(&self, text: &mut Text) {
        let kind = if self.ca { "self-signed CA certificate" } else { "self-signed certificate" };
        let (encrypted, key_type) = (if self.key_encrypted { "encrypted " } else { "" }, &self.key_type);
        if self.key_is_new && self.key_file == self.certificate_file {
            let file = strong(&self.certificate_file);
            text.line(format_args!("wrote {file}: {encrypted}{key_type} private key, then {kind}"));
        } else {
            text.line(format_args!("wrote {}: {kind}", strong(&self.certificate_file)));
            let wrote = if self.key_is_new { "wrote" } else { "for" };
            text.line(format_args!("{wrote} {}: {encrypted}{key_type} private key", strong(&self.key_file)));
        }
        let names: Vec<String> = self.names.iter().map(GeneralName::value).collect();
        let mut fields = vec![("valid", self.until.clone())];
        if names.is_empty() {
            fields.insert(0, ("subject", self.subject.to_string()));
        } else {
            fields.insert(0, ("names", names.join(", ")));
        }
        fields.push(("serial", self.serial.to_string()));
        fields.push(("SHA-256", self.fingerprint_sha256.clone()));
        text.fields(fields);
        for note in &self.notes {
            text.line(format_args!("{} {note}", dim("note:")));
        }
        write_objections(&self.objections, text);
    }
}

/// Who objects and why; what helps against it once for all it helps against.
pub(super) fn write_objections(objections: &[Objection], text: &mut Text) {
    if objections.is_empty() {
        return;
    }
    text.line(warn("these will refuse it even where it is trusted:"));
    let mut rest = objections.iter().peekable();
    while let Some(objection) = rest.next() {
        text.line(format_args!("  {}: {}", strong(objection.client), objection.why));
        if rest.peek().is_none_or(|next| next.what_to_do != objection.what_to_do) {
            text.line(format_args!("    {}", dim(&objection.what_to_do)));
        }
    }
}
