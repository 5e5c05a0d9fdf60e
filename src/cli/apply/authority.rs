//! One CA of a project: whether it has to be made, and whether one that is there is what the project asks for.

use std::path::Path;

use anyhow::{Context, anyhow};
use time::{Duration, OffsetDateTime};

use super::report::{Action, AuthorityRow};
use crate::ca::place::State;
use crate::ca::{Authority, AuthorityName};
use crate::cli::ca::init::Plan;
use crate::cli::ca::place::Chosen;
use crate::cli::ca::wanted::ConstraintArgs;
use crate::cli::files::might_make;
use crate::cli::making::load_profile_beside;
use crate::cli::output::Session;
use crate::cli::problem::Hinted;
use crate::profile::Profile;
use crate::project::WishedAuthority;
use crate::x509::Validity;

/// A CA of a project.
pub(super) struct PlannedAuthority<'a> {
    pub(super) wish: &'a WishedAuthority,
    pub(super) chosen: Chosen,
    pub(super) below: Option<AuthorityName>,
    profile: Profile,
    validity: Validity,
    now: OffsetDateTime,
}

/// What is done about it.
pub(super) struct Prospect {
    plan: Option<Plan>,
    /// What of it is another than the project says, and matters to nobody but its reader.
    notes: Vec<String>,
}

impl<'a> PlannedAuthority<'a> {
    /// Reads what is asked for. Nothing is looked at but the profile.
    pub(super) fn new(wish: &'a WishedAuthority, base: &Path, now: OffsetDateTime) -> anyhow::Result<Self> {
        let chosen = Chosen::new(Some(base.join(&wish.folder)), None)?;
        let mut profile = load_profile_beside(wish.profile.as_deref().unwrap_or("root-ca"), base)?;
        ConstraintArgs::declared(wish.permit.clone(), wish.exclude.clone()).apply(&mut profile)?;
        let below = wish.intermediate.as_deref().map(str::parse).transpose()?;
        let lifetime = wish.days.map(|days| Duration::days(days.into()));
        let validity = profile.validity(now, lifetime).context("it would be valid past the year 9999")?;
        Ok(Self { wish, chosen, below, profile, validity, now })
    }

    /// What it is made by.
    pub(super) fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Looks at what is there. Nothing is changed.
    pub(super) fn look(&self) -> anyhow::Result<Prospect> {
        if self.chosen.state()? == State::Complete {
            return Ok(Prospect { plan: None, notes: self.compare()? });
        }
        might_make(self.chosen.place().folder())?;
        let Self { wish, profile, validity, now, .. } = self;
        let plan = Plan::declared(wish.name.clone(), wish.key, profile.clone(), *validity, *now);
        let plan = match &self.below {
            Some(below) => plan.with_intermediate(below.clone())?,
            None => plan,
        };
        Ok(Prospect { plan: Some(plan), notes: Vec::new() })
    }

    fn compare(&self) -> anyhow::Result<Vec<String>> {
        let authority = self.chosen.open_one(&AuthorityName::first())?;
        if let Some(below) = &self.below {
            // Whether it is there, and the ledger knows it.
            self.chosen.open_one(below)?;
        }
        if let Some((what, instead)) = self.departure(&authority)? {
            return Err(anyhow!("the CA in {} {what}", self.chosen.shown()))
                .hint(format!("a CA is never changed: choose another folder, or {instead}"));
        }
        let signs = self.chosen.issuer()?;
        Ok(match &self.below {
            None if !signs.is_first() => vec![format!(
                "{signs} below it signs all the same, for a CA is never changed: say intermediate = \"{signs}\", or \
                 issuer = \"ca\" where the root shall sign"
            )],
            Some(below) if signs != *below => {
                vec![format!(
                    "{signs} of it signs, as its ca.toml has it: say issuer = \"{below}\" where that shall sign"
                )]
            }
            _ => Vec::new(),
        })
    }

    /// The first difference between the CA that is there and the one that is asked for, and what to ask for instead.
    fn departure(&self, authority: &Authority) -> anyhow::Result<Option<(String, &'static str)>> {
        let Self { wish, profile, validity, .. } = self;
        let certificate = authority.certificate();
        if certificate.extensions().find()?.map(|found| found.value) != profile.name_constraints {
            return Ok(Some(("has other name constraints than this".to_owned(), "permit and exclude what it does")));
        }
        let names = certificate.subject().common_names();
        if let Some(name) = wish.name.as_ref().filter(|name| !names.contains(name)) {
            return Ok(Some((format!("is {}, not {name}", certificate.subject()), "the name it has")));
        }
        let key = certificate.public_key()?.algorithm();
        if let Some(asked) = wish.key.filter(|asked| *asked != key) {
            return Ok(Some((format!("has a key of another kind: {key}, not {asked}"), "the key it has")));
        }
        let (days, asked) = (certificate.validity().lifetime().whole_days(), validity.lifetime().whole_days());
        if wish.days.is_some() && days != asked {
            return Ok(Some((format!("is valid for {days} days, not {asked}"), "the days it has")));
        }
        Ok(None)
    }

    /// Makes it, where it has to be made.
    pub(super) fn carry_out(&self, prospect: Prospect, session: &mut Session) -> anyhow::Result<()> {
        match prospect.plan {
            Some(plan) => plan.carry_out(&self.chosen, session).map(drop),
            None => Ok(()),
        }
    }

    /// That it could not be looked at or made.
    pub(super) fn failed(&self, error: &anyhow::Error) -> AuthorityRow {
        AuthorityRow::new(self.wish.line, self.chosen.shown(), Action::Fail, Vec::new()).failed(error)
    }

    /// What is done about it, or was.
    pub(super) fn row(&self, prospect: &Prospect) -> AuthorityRow {
        let action = if prospect.is_made() { Action::Make } else { Action::None };
        AuthorityRow::new(self.wish.line, self.chosen.shown(), action, prospect.notes.clone())
    }
}

impl Prospect {
    /// Whether the CA has to be made.
    pub(super) fn is_made(&self) -> bool {
        self.plan.is_some()
    }
}
