//! The keys of several authorities that sign in one run.

use std::cell::OnceCell;
use std::path::Path;

use anyhow::{Context, anyhow};

use super::place::Chosen;
use super::signer::{SignerArgs, Way, in_folder, warn_if_open};
use crate::ca::AbsentKey;
use crate::ca::place::is_there;
use crate::cli::load::Loaded;
use crate::cli::output::{Session, shown};
use crate::cli::passphrase::Passphrase;
use crate::cli::problem::Hinted;
use crate::cli::secret::Secret;
use crate::key::PrivateKey;
use crate::x509::Certificate;

/// Where the keys come from: `--ca-key` is that of the authority whose certificate it matches, the others' are in their
/// folders; the passphrase is for those that are under one.
pub(in crate::cli) struct SigningKeys<'a> {
    secret: Secret<'a>,
    passphrase_is_given: bool,
    aside: Option<&'a Path>,
    opened: OnceCell<Opened>,
    way: Way,
}

/// A key, and what it was under.
type Opened = (PrivateKey, Option<Passphrase>);

impl<'a> SigningKeys<'a> {
    /// Those of these arguments; `way` says how another authority is chosen.
    pub(in crate::cli) fn new(args: &'a SignerArgs, way: Way) -> Self {
        let (passphrase, aside) = args.given();
        Self {
            secret: Secret::new(passphrase),
            passphrase_is_given: passphrase.is_some(),
            aside: aside.map(|path| path.as_path()),
            opened: OnceCell::new(),
            way,
        }
    }

    /// The file of `--ca-key`.
    pub(in crate::cli) fn aside(&self) -> Option<&Path> {
        self.aside
    }

    /// Refuses the authority that is chosen where its key was destroyed, and reads none.
    ///
    /// # Errors
    /// Where that is so.
    pub(in crate::cli) fn are_left(&self, chosen: &Chosen) -> anyhow::Result<()> {
        let name = chosen.issuer()?;
        let is_destroyed = chosen.config()?.keys.get(&name) == Some(&AbsentKey::Destroyed);
        if is_destroyed && self.aside.is_none() && !is_there(&chosen.place().key_of(&name)) {
            in_folder(chosen, &name, self.way)?;
        }
        Ok(())
    }

    /// Refuses arguments that have no effect: a key of none of the authorities that may sign, and a passphrase where the key
    /// of none is under one.
    pub(in crate::cli) fn have_effect(&self, signers: &[(&Chosen, &Certificate)]) -> anyhow::Result<()> {
        let (mut is_somebodys, mut may_be_encrypted) = (false, false);
        for (chosen, certificate) in signers {
            if self.aside_of(certificate)?.is_some() {
                is_somebodys = true;
                continue;
            }
            // A key that cannot be read is told where it is needed.
            let loaded = in_folder(chosen, &chosen.issuer()?, self.way);
            may_be_encrypted |= loaded.map_or(true, |key| key.is_under_passphrase());
        }
        if let Some(path) = self.aside {
            if !is_somebodys {
                return Err(anyhow!("{} is the key of none of the CAs that sign here", shown(path)))
                    .hint("leave --ca-key out, or give the key of one; certkit key match says whose a key is");
            }
            may_be_encrypted |= Loaded::read(path)?.is_under_passphrase();
        }
        match self.passphrase_is_given && !may_be_encrypted {
            true => Err(anyhow!("--ca-passphrase has no effect: no key of a CA that signs here is under a passphrase"))
                .hint("leave it out"),
            false => Ok(()),
        }
    }

    /// The private key of the authority that is chosen, which has this certificate. Warns where everybody may read it.
    pub(in crate::cli) fn key(
        &self,
        chosen: &Chosen,
        certificate: &Certificate,
        session: &mut Session,
    ) -> anyhow::Result<PrivateKey> {
        Ok(self.open(chosen, certificate, session)?.0)
    }

    /// The same, with the passphrase it was under.
    pub(super) fn open(
        &self,
        chosen: &Chosen,
        certificate: &Certificate,
        session: &mut Session,
    ) -> anyhow::Result<Opened> {
        let is_aside = self.aside_of(certificate)?.is_some();
        let opened = self.read(chosen, certificate)?;
        warn_if_open(self.aside.filter(|_| is_aside), chosen, &chosen.issuer()?, session);
        Ok(opened)
    }

    fn read(&self, chosen: &Chosen, certificate: &Certificate) -> anyhow::Result<Opened> {
        if let Some((key, passphrase)) = self.aside_of(certificate)? {
            return Ok((key.clone(), passphrase.clone()));
        }
        let loaded = in_folder(chosen, &chosen.issuer()?, self.way);
        let loaded = match self.aside {
            Some(path) => {
                loaded.with_context(|| format!("{} is not the key of {}", shown(path), certificate.display_name()))?
            }
            None => loaded?,
        };
        loaded.key_among(&self.secret)
    }

    /// The key of `--ca-key`, where it is that of this certificate.
    fn aside_of(&self, certificate: &Certificate) -> anyhow::Result<Option<&Opened>> {
        let Some(path) = self.aside else { return Ok(None) };
        let opened = match self.opened.get() {
            Some(opened) => opened,
            None => {
                let opened = Loaded::read(path)?.key_among(&self.secret)?;
                self.opened.get_or_init(|| opened)
            }
        };
        Ok(certificate.public_key().is_ok_and(|own| own == *opened.0.public_key()).then_some(opened))
    }
}
