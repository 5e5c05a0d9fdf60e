//! The authorities of a project that sign: opened when first needed.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, anyhow};
use time::OffsetDateTime;

use super::signer::Signer;
use crate::ca::Authority;
use crate::ca::place::State;
use crate::cli::ca::init::Plan;
use crate::cli::ca::place::Chosen;
use crate::cli::ca::signer::{IN_A_PROJECT, SignerArgs};
use crate::cli::ca::signing_keys::SigningKeys;
use crate::cli::output::Session;
use crate::cli::problem::Hinted;
use crate::cli::text::for_shell;
use crate::issue::{IssueError, Naming, in_time, would_permit};
use crate::key::PrivateKey;
use crate::profile::Profile;

/// Which authority signs: its folder and its name there.
pub(super) type Who = (Option<String>, Option<String>);

/// The authorities of a project, opened when first needed.
pub(super) struct Signers<'a> {
    base: &'a Path,
    now: OffsetDateTime,
    keys: SigningKeys<'a>,
    open: HashMap<Who, Signer>,
    unlocked: HashMap<Who, PrivateKey>,
    /// Folders of authorities that are not as the project has them, with their lines.
    failed: HashMap<String, u64>,
    /// The profiles of authorities that are yet to be made, by their folders.
    planned: HashMap<String, Profile>,
}

impl<'a> Signers<'a> {
    pub(super) fn new(base: &'a Path, args: &'a SignerArgs, now: OffsetDateTime) -> Self {
        let keys = SigningKeys::new(args, IN_A_PROJECT);
        Self {
            base,
            now,
            keys,
            open: HashMap::new(),
            unlocked: HashMap::new(),
            failed: HashMap::new(),
            planned: HashMap::new(),
        }
    }

    pub(super) fn chosen(&self, (folder, issuer): &Who) -> anyhow::Result<Chosen> {
        let issuer = issuer.as_deref().map(str::parse).transpose()?;
        Chosen::new(folder.as_ref().map(|folder| self.base.join(folder)), issuer)
    }

    /// Has nothing signed by the authorities in this folder any more.
    pub(super) fn fail(&mut self, folder: &str, line: u64) {
        self.failed.insert(folder.to_owned(), line);
    }

    /// Holds certificates of the authorities in this folder, which is yet to be made, to what they will be permitted.
    pub(super) fn plan(&mut self, folder: &str, profile: &Profile) {
        self.planned.insert(folder.to_owned(), profile.clone());
    }

    /// Whether the authority will be permitted such names, where it is yet to be made.
    pub(super) fn will_permit(&self, (folder, _): &Who, naming: &Naming) -> anyhow::Result<()> {
        let Some((folder, profile)) = folder.as_ref().and_then(|folder| self.planned.get_key_value(folder)) else {
            return Ok(());
        };
        Ok(would_permit(profile, &format!("the CA to be made in {folder}"), &naming.subject, &naming.names)?)
    }

    /// The file of `--ca-key`.
    pub(super) fn key_set_aside(&self) -> Option<&Path> {
        self.keys.aside()
    }

    /// The authority, where it is there. One that could sign nothing now is an error.
    pub(super) fn authority(&mut self, who: &Who) -> anyhow::Result<Option<&mut Signer>> {
        if let Some(line) = who.0.as_ref().and_then(|folder| self.failed.get(folder)) {
            return Err(anyhow!("the CA that signs it, on line {line}, is not as it should be"))
                .hint("mend that first: then it is its turn");
        }
        if !self.open.contains_key(who) {
            let chosen = self.chosen(who)?;
            if chosen.state()? == State::Empty {
                return Ok(None);
            }
            let authority = chosen.open()?;
            self.are_in_time(&chosen, &authority)?;
            self.open.insert(who.clone(), Signer::new(chosen, authority)?);
        }
        Ok(self.open.get_mut(who))
    }

    fn are_in_time(&self, chosen: &Chosen, authority: &Authority) -> anyhow::Result<()> {
        for certificate in authority.path() {
            let judged = in_time(certificate, self.now);
            let expired = matches!(judged, Err(IssueError::IssuerExpired { .. }));
            let judged = judged.with_context(|| format!("cannot use the CA in {}", chosen.shown()));
            if !expired {
                judged?;
            } else if certificate.is_self_issued() {
                judged.hint(format!("renew it, and give clients the new one: certkit ca renew ca{}", chosen.flag()))?;
            } else {
                let name = for_shell(&certificate.display_name());
                judged.hint(format!("renew it: certkit ca renew {name}{}", chosen.flag()))?;
            }
        }
        Ok(())
    }

    /// Refuses an authority whose key was destroyed. That of another is looked for when it signs.
    pub(super) fn have_a_key(&self, who: &Who) -> anyhow::Result<()> {
        self.open.get(who).map_or(Ok(()), |signer| self.keys.are_left(&signer.chosen))
    }

    /// Refuses a CA's key or passphrase that has no effect where these authorities sign.
    pub(super) fn keys_have_effect<'w>(&self, signers: impl Iterator<Item = &'w Who>) -> anyhow::Result<()> {
        let known = signers.filter_map(|who| self.open.get(who));
        let known: Vec<_> = known.map(|signer| (&signer.chosen, signer.authority.certificate())).collect();
        self.keys.have_effect(&known)
    }

    /// The authority with its key; the user's own CA is made where there is none.
    pub(super) fn signer(&mut self, who: &Who, session: &mut Session) -> anyhow::Result<(&mut Signer, &PrivateKey)> {
        if self.authority(who)?.is_none() {
            let chosen = self.chosen(who)?;
            if chosen.may_be_made() {
                Plan::standard(self.now)?.carry_out(&chosen, session)?;
            }
            let authority = chosen.open()?;
            self.open.insert(who.clone(), Signer::new(chosen, authority)?);
        }
        let signer = self.open.get_mut(who).context("the CA is gone")?;
        if !self.unlocked.contains_key(who) {
            let key = self.keys.key(&signer.chosen, signer.authority.certificate(), session)?;
            self.unlocked.insert(who.clone(), key);
        }
        let key = self.unlocked.get(who).context("the CA's key is gone")?;
        Ok((signer, key))
    }
}
