//! `certkit ca init`: make a certification authority.

use anyhow::{Context, anyhow};
use serde::Serialize;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::place::{self, Chosen};
use crate::ca::place::State;
use crate::ca::{Action, Authority, Order};
use crate::cli::clock::{self, rfc3339};
use crate::cli::exit::Exit;
use crate::cli::files::{self, Mode, WriteSet};
use crate::cli::making::{LifetimeArgs, fresh_serial, load_profile};
use crate::cli::output::{Report, Session, shown};
use crate::cli::passphrase::PassphraseSource;
use crate::cli::problem::Hinted;
use crate::cli::text::{Text, good, safe, strong};
use crate::encoding::{hex, pem};
use crate::issue::{Naming, Wanted};
use crate::key::{Kdf, KeyAlgorithm, PrivateKey};
use crate::profile::Profile;
use crate::x509::Validity;

/// Make a certification authority
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Writes `ca.pem`, `ca-key.pem` (0600) and `ledger.db` into the folder of the CA (0700). A CA that is there is never
overwritten.

For example:
  certkit ca init
  certkit ca init --name \"Example Root CA\" --type p384 --days 7300
  certkit ca init --ca ./ca --encrypt --passphrase file:/run/secrets/ca

With --json the answer is an object: `folder`; `certificate`, `key`, `ledger` (files); `subject`; `serial` (hexadecimal);
`fingerprint_sha256`; `not_after` (RFC 3339); and `encrypted` (the key is under a passphrase).")]
pub(super) struct Args {
    /// What the CA is called: its common name [default: one with a part of its own]
    #[arg(long, visible_alias = "cn", value_name = "NAME")]
    name: Option<String>,

    /// The CA's whole subject: "CN=Example Root CA,O=Example" or /O=Example/CN=Example Root CA
    #[arg(long, value_name = "NAME")]
    subject: Option<String>,

    /// The kind of key [default: the profile's, p256]
    #[arg(long = "type", value_name = "TYPE")]
    key_type: Option<KeyAlgorithm>,

    #[command(flatten)]
    lifetime: LifetimeArgs,

    /// A built-in profile that makes CAs, or a file with one
    #[arg(long, value_name = "NAME|FILE", default_value = "root-ca")]
    profile: String,

    /// Put the key under a passphrase
    #[arg(long)]
    encrypt: bool,

    /// Where the passphrase comes from: prompt, file:PATH, env:NAME or fd:N; asked for unless given
    #[arg(long, value_name = "SOURCE", requires = "encrypt")]
    passphrase: Option<PassphraseSource>,
}

pub(super) fn run(args: Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    chosen.without_issuer("ca init makes the first authority, and no other signs it")?;
    let profile = load_profile(&args.profile)?;
    let now = clock::making_now()?;
    let plan = Plan {
        name: args.name,
        subject: args.subject,
        key_type: args.key_type.unwrap_or(profile.key),
        validity: args.lifetime.validity(&profile, now)?,
        passphrase: args.encrypt.then(|| args.passphrase.unwrap_or(PassphraseSource::Prompt)),
        profile,
    };
    if chosen.state()? == State::Complete {
        return Err(anyhow!("there is a CA in {} already", chosen.shown()))
            .hint("use it, or choose another folder with --ca; certkit never overwrites a CA");
    }
    let (authority, _) = plan.carry_out(chosen, session)?;
    let made = Made::new(&authority, chosen, args.encrypt);
    session.answer(&made)?;
    Ok(Exit::Yes)
}

/// A CA to be made.
pub(super) struct Plan {
    name: Option<String>,
    subject: Option<String>,
    key_type: KeyAlgorithm,
    validity: Validity,
    passphrase: Option<PassphraseSource>,
    profile: Profile,
}

impl Plan {
    /// The CA that is made where nobody said what it shall be.
    pub(super) fn standard(now: OffsetDateTime) -> anyhow::Result<Self> {
        let profile = load_profile("root-ca")?;
        Ok(Self {
            name: None,
            subject: None,
            key_type: profile.key,
            validity: profile.validity(now, None).context("the year 9999 is near")?,
            passphrase: None,
            profile,
        })
    }

    /// Makes the CA: recorded first, then written.
    pub(super) fn carry_out(self, chosen: &Chosen, session: &mut Session) -> anyhow::Result<(Authority, PrivateKey)> {
        let place = chosen.place();
        let key_path = place.key();
        let passphrase = self.passphrase.map(|source| source.new_one(&shown(&key_path))).transpose()?;
        files::make_private_folder(place.folder())?;
        WriteSet::check([key_path.as_path(), &place.certificate()], false, session)?;

        let key = PrivateKey::generate(self.key_type)?;
        // Two CAs of one name and different keys confuse every client that trusts both.
        let identifier = key.public_key().key_identifier();
        let own = || format!("certkit local CA {}", hex::encode(identifier.get(..4).unwrap_or_default()));
        let name = self.name.or_else(|| self.subject.is_none().then(own));
        let wanted = Wanted { common_name: name.as_deref(), subject: self.subject.as_deref(), names: &[] };
        let request = Naming::new(&self.profile, wanted)?.request(key.public_key().clone());
        let written_key = match passphrase {
            Some(passphrase) => pem::write("ENCRYPTED PRIVATE KEY", &key.encrypt(&passphrase, Kdf::default())?),
            None => pem::write("PRIVATE KEY", &key.to_pkcs8_der()),
        };

        let ledger = chosen.new_ledger()?;
        let order = Order { profile: &self.profile, request: &request, validity: self.validity };
        let act = place::act(Action::Init);
        let authority = Authority::init(&order, &key, &mut fresh_serial, ledger, &act)
            .with_context(|| format!("cannot make a CA in {}", chosen.shown()))?;

        let mut files = WriteSet::new(false).lasting();
        files.add(key_path, Zeroizing::new(written_key.as_bytes().to_vec()), Mode::Secret);
        files.add(place.certificate(), place::chain(&[authority.certificate()]).into_bytes(), Mode::Public);
        files.write(session)?;
        Ok((authority, key))
    }
}

/// A CA that has just been made.
#[derive(Debug, Serialize)]
pub(super) struct Made {
    folder: String,
    certificate: String,
    key: String,
    ledger: String,
    subject: String,
    serial: String,
    fingerprint_sha256: String,
    not_after: String,
    encrypted: bool,
}

impl Made {
    pub(super) fn new(authority: &Authority, chosen: &Chosen, encrypted: bool) -> Self {
        let place = chosen.place();
        let certificate = authority.certificate();
        Self {
            folder: chosen.shown(),
            certificate: shown(&place.certificate()),
            key: shown(&place.key()),
            ledger: chosen.ledger_shown(),
            subject: certificate.subject().to_string(),
            serial: certificate.serial().to_string(),
            fingerprint_sha256: hex::colons(&certificate.fingerprint_sha256()),
            not_after: rfc3339(certificate.validity().not_after),
            encrypted,
        }
    }
}

impl Report for Made {
    fn text(&self, text: &mut Text) {
        text.line(format_args!("{} a CA: {}", good("made"), strong(&self.subject)));
        let key = if self.encrypted { "under its passphrase" } else { "whoever has it can sign: keep it here" };
        text.fields([
            ("certificate", safe(&self.certificate).to_string()),
            ("key", format!("{} ({key})", safe(&self.key))),
            ("ledger", safe(&self.ledger).to_string()),
            ("expires", self.not_after.clone()),
            ("SHA-256", self.fingerprint_sha256.clone()),
        ]);
        let certificate = safe(&self.certificate);
        text.line(format_args!("clients that trust {certificate} accept what it issues: curl --cacert {certificate}"));
    }
}
