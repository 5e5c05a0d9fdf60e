//! `certkit apply`: makes the authorities and certificates of `certkit.toml` be there, and touches nothing that is as it
//! should be.

mod report;
mod target;

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use self::report::{Action, Applied, AuthorityRow};
use self::target::{Signers, Target};
use super::ca::init::Plan;
use super::ca::place::Chosen;
use super::ca::signer::SignerArgs;
use super::ca::wanted::ConstraintArgs;
use super::clock;
use super::exit::Exit;
use super::files;
use super::making::load_profile_beside;
use super::output::{Session, shown};
use super::problem::Hinted;
use crate::ca::AuthorityName;
use crate::ca::place::State;
use crate::project::{Project, WishError, WishedAuthority};
use time::{Duration, OffsetDateTime};

/// Make the CAs and certificates that certkit.toml asks for, and change nothing else
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
certkit.toml lists what there shall be; paths count from the folder it is in:
  renew_before = \"30d\"          how long before its end each is renewed [a third of its time]

  [[ca]]                        a CA; without one, the CA of `certkit ca issue`
  folder = \"ca\"                 also name, key, days, profile, permit, exclude, intermediate: what
                                `certkit ca init` takes; permit and exclude are lists

  [[certificate]]
  names = [\"api.test\"]          also cn, subject, profile, days, key: what `certkit ca issue` takes
  out = \"certs/api.pem\"         the certificate and the CAs between it and the root
  keyout = \"certs/api-key.pem\"  the key [api-key.pem beside api.pem]
  ca = \"ca\"                     the CA's folder, where there are several; issuer = NAME of it
  rekey = true                  make a new key with each certificate; renew_before, as above

What is missing is issued; what ends soon is renewed; what is not as it should be any more (names, subject, profile, days, key,
issuer), was revoked, or is not in the ledger is issued again. The key stays, unless its kind is another or rekey says so. A CA
that is there is never changed.

For example:
  certkit apply
  certkit apply --check deploy/certkit.toml

With --json the answer is an object: `changes` (how many); `applied` (false with --check); `authorities`, each with `line`,
`folder`, `action`; and `certificates`, each with `line`, `certificate_file`, `key_file`, `action`, `why`, and where it was
issued `serial`, `not_after`, `key_is_new`. Actions are make, issue, renew, reissue and none.")]
pub(super) struct Args {
    /// The project
    #[arg(value_name = "FILE", default_value = "certkit.toml")]
    file: PathBuf,

    /// Change nothing: say what would change, and exit 1 where something would
    #[arg(long)]
    check: bool,

    #[command(flatten)]
    signer: SignerArgs,
}

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    let Args { file, check, signer } = args;
    if files::is_dash(&file) {
        return Err(anyhow!("the project cannot come from stdin: its paths count from the folder it is in"));
    }
    let text = files::read_text(&file)?;
    let project = Project::from_toml(&text)
        .map_err(|WishError { line, why }| anyhow!("{}:{line}: {why}", shown(&file)))
        .hint("certkit apply --help says what a project holds")?;
    let base = file.parent().unwrap_or_else(|| Path::new(""));
    let at = |line: u64| format!("{}:{line}", shown(&file));
    let now = clock::making_now()?;

    // Everything is looked at before anything is made.
    let mut authorities = Vec::new();
    for wish in &project.authorities {
        authorities.push(PlannedAuthority::new(wish, base, now).with_context(|| at(wish.line))?);
    }
    let mut signers = Signers::new(base, &signer);
    let mut targets = Vec::new();
    for wish in &project.certificates {
        targets.push(Target::look(wish, base, &mut signers, now).with_context(|| at(wish.wish.line))?);
    }

    let mut applied = Applied::new(!check);
    for authority in authorities {
        applied.authorities.push(authority.row());
        if !check {
            authority.carry_out(session)?;
        }
    }
    for target in targets {
        let row = if check { target.row() } else { target.carry_out(&mut signers, session) };
        match row {
            Ok(row) => applied.certificates.push(row),
            Err(error) => {
                let error = error.context(at(target.line()));
                // What was done before is told all the same.
                applied.count();
                session.answer(&applied)?;
                return Err(error);
            }
        }
    }
    let changes = applied.count();
    session.answer(&applied)?;
    Ok(if check { Exit::of(changes == 0) } else { Exit::Yes })
}

/// An authority, and whether it has to be made.
struct PlannedAuthority {
    line: u64,
    chosen: Chosen,
    plan: Option<Plan>,
}

impl PlannedAuthority {
    fn new(wish: &WishedAuthority, base: &Path, now: OffsetDateTime) -> anyhow::Result<Self> {
        let chosen = Chosen::new(Some(base.join(&wish.folder)), None)?;
        let mut profile = load_profile_beside(wish.profile.as_deref().unwrap_or("root-ca"), base)?;
        ConstraintArgs::declared(wish.permit.clone(), wish.exclude.clone()).apply(&mut profile)?;
        let below: Option<AuthorityName> = wish.intermediate.as_deref().map(str::parse).transpose()?;
        let lifetime = wish.days.map(|days| Duration::days(days.into()));
        let validity = profile.validity(now, lifetime).context("it would be valid past the year 9999")?;
        let plan = match chosen.state()? {
            State::Empty => {
                let plan = Plan::declared(wish.name.clone(), wish.key, profile, validity, now);
                Some(match below {
                    Some(below) => plan.with_intermediate(below)?,
                    None => plan,
                })
            }
            State::Complete => {
                let authority = chosen.open_one(&AuthorityName::first())?;
                if let Some(below) = below {
                    // Whether it is there, and the ledger knows it.
                    chosen.open_one(&below)?;
                }
                let found = authority.certificate().extensions().find()?.map(|found| found.value);
                if found != profile.name_constraints {
                    return Err(anyhow!("the CA in {} has other name constraints than this", chosen.shown()))
                        .hint("a CA is never changed: choose another folder, or permit and exclude what it does");
                }
                let names = authority.certificate().subject().common_names();
                if let Some(name) = wish.name.as_ref().filter(|name| !names.contains(name)) {
                    let subject = authority.certificate().subject().to_string();
                    return Err(anyhow!("the CA in {} is {subject}, not {name}", chosen.shown()))
                        .hint("a CA is never changed: choose another folder, or the name it has");
                }
                None
            }
        };
        Ok(Self { line: wish.line, chosen, plan })
    }

    fn row(&self) -> AuthorityRow {
        let action = if self.plan.is_some() { Action::Make } else { Action::None };
        AuthorityRow { line: self.line, folder: self.chosen.shown(), action }
    }

    fn carry_out(self, session: &mut Session) -> anyhow::Result<()> {
        match self.plan {
            Some(plan) => plan.carry_out(&self.chosen, session).map(drop),
            None => Ok(()),
        }
    }
}
