//! `certkit ca init`: make a certification authority, of one tier or two.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow};
use serde::Serialize;
use time::OffsetDateTime;

use super::outline::Outline;
use super::place::{self, Chosen};
use super::signer::warn_of_open_folder;
use super::wanted::{AuthorityKeyArgs, ConstraintArgs, must_be_elsewhere, request, subject_below, written_key};
use crate::ca::place::State;
use crate::ca::{AbsentKey, Action, Authority, AuthorityError, AuthorityName, Config, Order};
use crate::cli::clock::{self, rfc3339};
use crate::cli::exit::Exit;
use crate::cli::files::{self, Mode, WriteSet, is_dash, is_handed_over, must_arrive};
use crate::cli::making::{LifetimeArgs, fresh_serial, load_profile};
use crate::cli::output::{Report, Session, shown};
use crate::cli::passphrase::Passphrase;
use crate::cli::problem::Hinted;
use crate::cli::text::{Text, good, safe, strong};
use crate::encoding::hex;
use crate::key::{KeyAlgorithm, PrivateKey};
use crate::profile::Profile;
use crate::x509::{Certificate, DistinguishedName, Validity};

/// Make a certification authority
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Writes `ca.pem`, `ca-key.pem` (0600) and `ledger.db` into the folder of the CA (0700). A CA that is there is never
overwritten. With --ledger the ledger is in a database, and `ca.toml` names it for every command to come, but never its
password.

With --intermediate there are two tiers: a root that clients trust for years, and below it an issuing authority that signs
what is asked for day by day. The root's key then need not lie where certificates are issued: --root-key-out puts it
elsewhere, --disposable-root never writes it at all. Whoever steals the issuing key has what can be replaced without
touching a client.

--permit makes a CA that cannot be abused for names it is not for, whoever gets hold of its key: clients hold every
certificate to nameConstraints (RFC 5280 §4.2.1.10). They apply a constraint to names of its own form only, so every form of
which nothing is permitted is closed. Java does not look at the constraints of a root: an authority below it carries them too.

For example:
  certkit ca init
  certkit ca init --name \"Example Root CA\" --type p384 --days 7300
  certkit ca init --permit test --permit localhost --permit 127.0.0.0/8
  certkit ca init --intermediate --root-key-out /media/stick/root-key.pem
  certkit ca init --ca ./ca --encrypt --passphrase file:/run/secrets/ca

With --json the answer is an object: `folder`; `certificate`, `key` (null where it was destroyed), `ledger` (files);
`subject`; `serial` (hexadecimal); `fingerprint_sha256`; `not_after` (RFC 3339); `encrypted` (the keys are under a
passphrase); and `authorities`, each with `name`, `subject`, `serial`, `fingerprint_sha256`, `not_after`, `path_len`,
`permitted` and `excluded` (name constraints), `certificate`, `key` (files), and `key_is` (plain, encrypted, set_aside,
destroyed).")]
pub(super) struct Args {
    /// What the CA is called: its common name [default: one with a part of its own]
    #[arg(long, visible_alias = "cn", value_name = "NAME")]
    name: Option<String>,

    /// The CA's whole subject: "CN=Example Root CA,O=Example" or /O=Example/CN=Example Root CA
    #[arg(long, value_name = "DN")]
    subject: Option<String>,

    #[command(flatten)]
    key: AuthorityKeyArgs,

    #[command(flatten)]
    lifetime: LifetimeArgs,

    /// A built-in profile that makes CAs, or a file with one
    #[arg(long, value_name = "NAME|FILE", default_value = "root-ca")]
    profile: String,

    #[command(flatten)]
    constraints: ConstraintArgs,

    /// Make an issuing authority below the root, which then signs by default; its files are called NAME
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "issuing")]
    intermediate: Option<AuthorityName>,

    /// Write the root's key to this file, and not into the CA's folder
    #[arg(long, value_name = "FILE", requires = "intermediate")]
    root_key_out: Option<PathBuf>,

    /// Destroy the root's key once it has signed the issuing authority: it is never written anywhere
    #[arg(long, requires = "intermediate", conflicts_with = "root_key_out")]
    disposable_root: bool,
}

pub(super) fn run(args: Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    chosen.without_issuer("ca init makes the first authority, and no other signs it")?;
    let mut profile = load_profile(&args.profile)?;
    args.constraints.apply(&mut profile)?;
    let now = clock::making_now()?;
    let second = args.intermediate.map(|name| Second::new(name, &profile, now)).transpose()?;
    let plan = Plan {
        name: args.name,
        subject: args.subject,
        validity: args.lifetime.validity(&profile, now)?,
        key: args.key,
        profile,
        second,
        root_key: match args.root_key_out {
            Some(path) => RootKey::At(path),
            None if args.disposable_root => RootKey::Destroyed,
            None => RootKey::Here,
        },
        now,
        patience: Duration::ZERO,
    };
    let unseen = plan.second.is_none() && plan.profile.name_constraints.is_some();
    let (_, _, made) = plan.carry_out(chosen, session)?;
    if unseen {
        session.say(
            "note: Java looks at the constraints of authorities below a root alone, and here is none: --intermediate makes one",
        );
    }
    session.answer(&made).with_context(|| format!("the CA is made, in {}", chosen.shown()))?;
    Ok(Exit::Yes)
}

/// Refuses a folder that has a CA.
fn is_free(chosen: &Chosen) -> anyhow::Result<()> {
    match chosen.state()? {
        State::Empty => Ok(()),
        State::Complete => Err(anyhow!("there is a CA in {} already", chosen.shown()))
            .hint("use it, or choose another folder with --ca; certkit never overwrites a CA"),
    }
}

/// A CA to be made.
pub(in crate::cli) struct Plan {
    name: Option<String>,
    subject: Option<String>,
    key: AuthorityKeyArgs,
    validity: Validity,
    profile: Profile,
    second: Option<Second>,
    root_key: RootKey,
    now: OffsetDateTime,
    /// How long another process that makes a CA in the same folder is waited for.
    patience: Duration,
}

/// The issuing authority below a root.
struct Second {
    name: AuthorityName,
    profile: Profile,
    validity: Validity,
}

enum RootKey {
    Here,
    At(PathBuf),
    Destroyed,
}

impl Second {
    /// It carries the root's constraints too: some clients look at them there alone.
    fn new(name: AuthorityName, root: &Profile, now: OffsetDateTime) -> anyhow::Result<Self> {
        if name.is_first() {
            return Err(anyhow!("the root is called ca"))
                .hint("choose another name for the authority below it, such as issuing");
        }
        let mut profile = load_profile("intermediate-ca")?;
        profile.name_constraints.clone_from(&root.name_constraints);
        let validity = profile.validity(now, None).context("the year 9999 is near")?;
        Ok(Self { name, profile, validity })
    }
}

impl Plan {
    /// The CA that is made where nobody said what it shall be.
    pub(in crate::cli) fn standard(now: OffsetDateTime) -> anyhow::Result<Self> {
        let profile = load_profile("root-ca")?;
        Ok(Self {
            name: None,
            subject: None,
            key: AuthorityKeyArgs::default(),
            validity: profile.validity(now, None).context("the year 9999 is near")?,
            profile,
            second: None,
            root_key: RootKey::Here,
            now,
            patience: PATIENCE,
        })
    }

    /// A CA of which some is said.
    pub(in crate::cli) fn declared(
        name: Option<String>,
        key_type: Option<KeyAlgorithm>,
        profile: Profile,
        validity: Validity,
        now: OffsetDateTime,
    ) -> Self {
        let key = key_type.map(AuthorityKeyArgs::of_type).unwrap_or_default();
        let (root_key, patience) = (RootKey::Here, Duration::ZERO);
        Self { name, subject: None, key, validity, profile, second: None, root_key, now, patience }
    }

    /// The same with an issuing authority below it.
    pub(in crate::cli) fn with_intermediate(self, name: AuthorityName) -> anyhow::Result<Self> {
        let second = Second::new(name, &self.profile, self.now)?;
        Ok(Self { second: Some(second), ..self })
    }

    /// The same with a key of this kind.
    pub(in crate::cli) fn with_key(self, key_type: KeyAlgorithm) -> Self {
        Self { key: AuthorityKeyArgs::of_type(key_type), ..self }
    }

    /// The same with its keys under this passphrase, if there is one.
    pub(super) fn under(self, passphrase: Option<Passphrase>) -> Self {
        Self { key: self.key.under(passphrase), ..self }
    }

    /// Makes the CA: recorded first, then written. Returns the authority that signs, with its key.
    pub(in crate::cli) fn carry_out(
        self,
        chosen: &Chosen,
        session: &mut Session,
    ) -> anyhow::Result<(Authority, PrivateKey, Made)> {
        let place = chosen.place();
        let root_name = AuthorityName::first();
        let key_path = match &self.root_key {
            RootKey::Here => Some(place.key()),
            RootKey::At(path) => Some(path.clone()),
            RootKey::Destroyed => None,
        };
        is_free(chosen)?;
        let failed = || format!("cannot make a CA in {}", chosen.shown());
        if !self.profile.is_ca() {
            let profile = self.profile.name.clone();
            return Err(AuthorityError::NoAuthorityProfile { profile }).with_context(failed);
        }
        let claim = chosen.claim(self.patience)?;
        // Another process may have been faster.
        is_free(chosen)?;
        warn_of_open_folder(chosen, session);
        let before = files::read_text_if_there(&place.config())?;
        let ledger = chosen.ledger_args().to_remember(place, &chosen.config()?)?;
        if let RootKey::At(path) = &self.root_key {
            must_be_elsewhere(path, place.folder())?;
        }
        let below =
            self.second.iter().flat_map(|second| [place.key_of(&second.name), place.certificate_of(&second.name)]);
        let paths: Vec<PathBuf> = key_path.iter().cloned().chain(below).chain([place.certificate()]).collect();
        WriteSet::check_new(paths.iter().map(PathBuf::as_path), session)?;
        key_path.iter().try_for_each(|path| must_arrive(path, session))?;
        let passphrase = self.key.new_passphrase(&shown(key_path.as_deref().unwrap_or(place.folder())))?;

        let root_key = self.key.generate(&self.profile)?;
        // Two CAs of one name and different keys confuse every client that trusts both.
        let identifier = root_key.public_key().key_identifier();
        let own = || {
            let part = hex::encode(identifier.get(..4).unwrap_or_default());
            DistinguishedName::common_name_only(&format!("certkit local CA {part}"))
        };
        let public_key = root_key.public_key().clone();
        let request = request(&self.profile, self.name.as_deref(), self.subject.as_deref(), own, public_key)?;
        let order = Order { profile: &self.profile, request: &request, validity: self.validity };
        let handed_over = key_path.as_deref().filter(|path| is_handed_over(path));
        // Its only copy: where it does not arrive, no CA is made.
        if let Some(path) = handed_over {
            let mut key = WriteSet::new(false).whole();
            key.add(path, written_key(&root_key, passphrase.as_ref())?, Mode::Secret);
            key.write(session).with_context(failed)?;
        }
        let mut root =
            Authority::init(&order, &root_key, &mut fresh_serial, chosen.new_ledger()?, &place::act(Action::Init))
                .with_context(failed)?;
        let root_certificate = root.certificate().clone();
        let second = match &self.second {
            Some(second) => Some(self.establish(second, &mut root, &root_key).with_context(failed)?),
            None => None,
        };

        // The root's certificate comes last: with it the CA is whole.
        let mut files = WriteSet::new(false).lasting();
        let config = self.config(&root_name, ledger.url);
        if !config.is_silent() {
            let text = config.added_to(before.as_ref().map(|text| text.as_str()).unwrap_or_default());
            files.replace(place.config(), text.into_bytes(), Mode::Public);
        }
        if let Some((second, key, certificate)) = &second {
            files.add(place.key_of(&second.name), written_key(key, passphrase.as_ref())?, Mode::Secret);
            let chain = place::chain(&[certificate, &root_certificate]);
            files.add(place.certificate_of(&second.name), chain.into_bytes(), Mode::Public);
        }
        if let Some(path) = key_path.as_ref().filter(|_| handed_over.is_none()) {
            files.add(path.clone(), written_key(&root_key, passphrase.as_ref())?, Mode::Secret);
        }
        files.add(place.certificate(), place::chain(&[&root_certificate]).into_bytes(), Mode::Public);
        files.write(session)?;
        claim.keep();
        if let Some(word) = ledger.word {
            session.say(word);
        }

        let mut outlines = vec![Outline::of(&root_name, &root_certificate, chosen)?];
        let (authority, key) = match second {
            Some((second, key, certificate)) => {
                outlines.push(Outline::of(&second.name, &certificate, chosen)?);
                (Authority::open(certificate, chosen.ledger()?)?.below(vec![root_certificate.clone()]), key)
            }
            None => (root, root_key),
        };
        let shown_key = key_path.map(|path| if is_dash(&path) { "stdout".to_owned() } else { shown(&path) });
        let made = Made::new(&root_certificate, chosen, shown_key, passphrase.is_some(), outlines);
        Ok((authority, key, made))
    }

    /// Makes the issuing authority below the root.
    fn establish<'a>(
        &self,
        second: &'a Second,
        root: &mut Authority,
        root_key: &PrivateKey,
    ) -> anyhow::Result<(&'a Second, PrivateKey, Certificate)> {
        let key = self.key.generate(&second.profile)?;
        let subject = || subject_below(root.certificate().subject(), &second.name);
        let request = request(&second.profile, None, None, subject, key.public_key().clone())?;
        let order = Order { profile: &second.profile, request: &request, validity: second.validity };
        let mut signatory = root.unlock(root_key, self.now)?;
        let issued = signatory.establish(&order, &mut fresh_serial, &place::act(Action::Intermediate))?;
        Ok((second, key, issued.certificate))
    }

    /// What the folder has to remember.
    fn config(&self, root: &AuthorityName, ledger: Option<String>) -> Config {
        let absent = match &self.root_key {
            RootKey::Here => None,
            RootKey::At(path) if is_handed_over(path) => Some(AbsentKey::SetAside(String::new())),
            RootKey::At(path) => Some(AbsentKey::SetAside(place::absolute(path))),
            RootKey::Destroyed => Some(AbsentKey::Destroyed),
        };
        Config {
            issuer: self.second.as_ref().map(|second| second.name.clone()),
            ledger,
            keys: absent.map(|key| (root.clone(), key)).into_iter().collect(),
        }
    }
}

/// A CA that has just been made.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct Made {
    folder: String,
    certificate: String,
    key: Option<String>,
    ledger: String,
    subject: String,
    serial: String,
    fingerprint_sha256: String,
    not_after: String,
    encrypted: bool,
    authorities: Vec<Outline>,
}

impl Made {
    fn new(
        root: &Certificate,
        chosen: &Chosen,
        key: Option<String>,
        encrypted: bool,
        authorities: Vec<Outline>,
    ) -> Self {
        let place = chosen.place();
        Self {
            folder: chosen.shown(),
            certificate: shown(&place.certificate()),
            key,
            ledger: chosen.ledger_shown(),
            subject: root.subject().to_string(),
            serial: root.serial().to_string(),
            fingerprint_sha256: hex::colons(&root.fingerprint_sha256()),
            not_after: rfc3339(root.validity().not_after),
            encrypted,
            authorities,
        }
    }
}

impl Report for Made {
    fn text(&self, text: &mut Text) {
        let mut made = "made";
        for authority in &self.authorities {
            let what = if authority.name().is_first() { "a CA" } else { "an authority below it" };
            text.line(format_args!("{} {what}: {}", good(made), strong(&authority.subject)));
            let mut fields = authority.fields();
            if authority.name().is_first() {
                fields.insert(2, ("ledger", safe(&self.ledger).to_string()));
            }
            text.fields(fields);
            made = "and";
        }
        let certificate = safe(&self.certificate);
        text.line(format_args!("clients that trust {certificate} accept what it issues: curl --cacert {certificate}"));
    }
}

/// How long a CA that nobody asked for by itself waits for another process to make it.
const PATIENCE: Duration = Duration::from_secs(60);
