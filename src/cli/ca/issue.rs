//! `certkit ca issue`: a key and a certificate from the CA.

use std::path::PathBuf;

use serde::Serialize;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::init::{Made, Plan};
use super::order::{self, Lifetime};
use super::place::{self, Chosen};
use crate::ca::place::State;
use crate::ca::{Action, Authority, Issued, Order};
use crate::cli::clock;
use crate::cli::exit::Exit;
use crate::cli::files::{self, Mode, WriteSet};
use crate::cli::output::{Report, Session, shown};
use crate::cli::passphrase::PassphraseSource;
use crate::cli::text::{Text, good, safe, strong, warn};
use crate::encoding::{hex, pem};
use crate::issue::{Naming, Wanted};
use crate::key::{KeyAlgorithm, PrivateKey};
use crate::x509::time::rfc3339;
use crate::x509::{Certificate, GeneralName};

/// Make a key and a certificate for it, signed by the CA
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Writes NAME.pem (the certificate, then the CA's: what servers call the full chain) and NAME-key.pem (0600), called after the
first name. Where there is no CA yet one is made, unless --ca says where it should be.

For example:
  certkit ca issue api.test 127.0.0.1
  certkit ca issue --profile client --cn \"Ann Example\"
  certkit ca issue '*.test' --type rsa:2048 --days 90 --out test.pem --keyout test.key")]
pub(super) struct Args {
    /// Names of the certificate: host names, IP addresses, e-mail addresses, URIs; dns: ip: email: uri: to force
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// More names, as the positional ones
    #[arg(long, value_name = "NAME")]
    san: Vec<String>,

    /// The common name [default: the first name]
    #[arg(long, value_name = "NAME")]
    cn: Option<String>,

    /// The whole subject: "CN=app,O=Example" or /O=Example/CN=app
    #[arg(long, value_name = "NAME")]
    subject: Option<String>,

    /// The kind of key [default: the profile's, p256]
    #[arg(long = "type", value_name = "TYPE")]
    key_type: Option<KeyAlgorithm>,

    #[command(flatten)]
    lifetime: Lifetime,

    /// A built-in profile (server, client, peer, email, code-signing), or a file with one
    #[arg(long, value_name = "NAME|FILE", default_value = "server")]
    profile: String,

    /// Where the certificate and the CA's go; `-` is stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Where the key goes; the same file as --out takes the key first, then the certificates
    #[arg(long, value_name = "FILE")]
    keyout: Option<PathBuf>,

    /// Replace files that are there
    #[arg(long)]
    force: bool,

    /// Where the passphrase of the CA's key comes from: prompt, file:PATH, env:NAME or fd:N
    #[arg(long, value_name = "SOURCE")]
    passphrase: Option<PassphraseSource>,
}

pub(super) fn run(args: Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    let now = clock::making_now()?;
    let profile = order::profile(&args.profile)?;
    let names = [args.names, args.san].concat();
    let wanted = Wanted { common_name: args.cn.as_deref(), subject: args.subject.as_deref(), names: &names };
    let naming = Naming::new(&profile, wanted)?;
    let key_type = args.key_type.unwrap_or(profile.key);
    key_type.check_generation()?;
    let validity = args.lifetime.validity(&profile, now)?;
    let (out, keyout) = match (args.out, args.keyout) {
        (Some(out), Some(keyout)) => (out, keyout),
        (out, keyout) => {
            let stem = files::file_name_for(&naming.label())?;
            let (own_out, own_keyout) = (format!("{stem}.pem"), format!("{stem}-key.pem"));
            (out.unwrap_or_else(|| own_out.into()), keyout.unwrap_or_else(|| own_keyout.into()))
        }
    };
    let one_file = files::same_place(&out, &keyout);
    let paths = [keyout.as_path(), out.as_path()];
    WriteSet::check(paths.into_iter().skip(usize::from(one_file)), args.force, session)?;

    let (mut authority, authority_key, made) = open_or_make(chosen, args.passphrase.as_ref(), now, session)?;
    let ca_certificate = authority.certificate().clone();
    let mut signatory = authority.unlock(&authority_key, now)?;
    let key = PrivateKey::generate(key_type)?;
    let request = naming.request(key.public_key().clone());
    let order = Order { profile: &profile, request: &request, validity };
    let issued = signatory.issue(&order, &mut place::draw_serial, &place::act(now, Action::Issue))?;

    // The record is on the disk; from here on the certificate may be seen.
    let chain = order::chain(&[&issued.certificate, &ca_certificate]);
    let mut key_file = Zeroizing::new(pem::write("PRIVATE KEY", &key.to_pkcs8_der()).as_bytes().to_vec());
    let mut files = WriteSet::new(args.force);
    if one_file {
        key_file.extend_from_slice(&chain);
        files.add(out.clone(), key_file, Mode::Secret);
    } else {
        files.add(keyout.clone(), key_file, Mode::Secret);
        files.add(out.clone(), chain, Mode::Public);
    }
    files.write(session)?;
    for note in &naming.notes {
        session.say(note);
    }
    session.answer(&Answer {
        certificate: About::new(&issued, &ca_certificate, &profile.name),
        out: shown(&out),
        key: shown(&keyout),
        made_ca: made,
    })?;
    Ok(Exit::Yes)
}

/// The CA and its key; made where there is none and nobody said where it should be.
fn open_or_make(
    chosen: &Chosen,
    passphrase: Option<&PassphraseSource>,
    now: OffsetDateTime,
    session: &mut Session,
) -> anyhow::Result<(Authority, PrivateKey, Option<Made>)> {
    if chosen.may_be_made() && passphrase.is_none() && chosen.state()? == State::Empty {
        match Plan::standard(now)?.carry_out(chosen, now, session) {
            Ok((authority, key)) => {
                let made = Made::new(&authority, chosen, false);
                return Ok((authority, key, Some(made)));
            }
            // Another process was faster; its CA is the one.
            Err(error) => match chosen.state() {
                Ok(State::Complete) => {}
                _ => return Err(error),
            },
        }
    }
    let authority = chosen.open()?;
    let key = chosen.key(passphrase)?;
    Ok((authority, key, None))
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
    /// The notAfter asked for, where the CA's own comes before it.
    shortened_from: Option<String>,
}

impl About {
    pub(super) fn new(issued: &Issued, issuer: &Certificate, profile: &str) -> Self {
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
            shortened_from: issued.clamped.map(rfc3339),
        }
    }

    pub(super) fn text(&self, files: Vec<(&'static str, String)>, text: &mut Text) {
        let name = if self.names.is_empty() { self.subject.clone() } else { self.names.join(", ") };
        text.line(format_args!("{} a certificate for {}", good("issued"), strong(name)));
        let mut fields: Vec<(&str, String)> = files;
        fields.push(("issuer", safe(&self.issuer).to_string()));
        fields.push(("serial", self.serial.clone()));
        fields.push(("expires", self.not_after.clone()));
        fields.push(("SHA-256", self.fingerprint_sha256.clone()));
        text.fields(fields);
        if let Some(wanted) = &self.shortened_from {
            text.line(format_args!(
                "{} it expires with its CA, not at {wanted}: a certificate that outlives its issuer is worthless",
                warn("shortened:")
            ));
        }
    }
}

#[derive(Debug, Serialize)]
struct Answer {
    #[serde(flatten)]
    certificate: About,
    out: String,
    key: String,
    made_ca: Option<Made>,
}

impl Report for Answer {
    fn text(&self, text: &mut Text) {
        if let Some(made) = &self.made_ca {
            made.text(text);
            text.blank();
        }
        let files = vec![
            ("certificate", format!("{} (with the CA's: the full chain)", safe(&self.out))),
            ("key", safe(&self.key).to_string()),
        ];
        self.certificate.text(files, text);
    }
}
