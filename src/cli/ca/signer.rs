//! The key that signs: in the CA's folder, or where it was put.

use std::path::PathBuf;

use anyhow::anyhow;

use super::place::Chosen;
use crate::ca::place::is_there;
use crate::ca::{AbsentKey, AuthorityName, Config};
use crate::cli::load::Loaded;
use crate::cli::output::shown;
use crate::cli::passphrase::PassphraseSource;
use crate::cli::problem::Hinted;
use crate::key::PrivateKey;

/// The key that signs
#[derive(Debug, Default, clap::Args)]
pub(super) struct SignerArgs {
    /// Where the passphrase of the CA's key comes from: prompt, file:PATH, env:NAME or fd:N [default: prompt, if there is one]
    #[arg(long, value_name = "SOURCE")]
    ca_passphrase: Option<PassphraseSource>,

    /// The CA's key, where it is not in the CA's folder because it was set aside
    #[arg(long, value_name = "FILE")]
    ca_key: Option<PathBuf>,
}

impl SignerArgs {
    /// Whether a key or its passphrase is named.
    pub(super) fn are_given(&self) -> bool {
        self.ca_passphrase.is_some() || self.ca_key.is_some()
    }

    /// The private key of the authority that signs.
    pub(super) fn key(&self, chosen: &Chosen) -> anyhow::Result<PrivateKey> {
        match &self.ca_key {
            Some(path) => Loaded::read(path)?.private_key(self.ca_passphrase.as_ref()),
            None => chosen.key(self.ca_passphrase.as_ref()),
        }
    }
}

/// The private key of an authority, from the folder.
pub(super) fn key_in_folder(
    chosen: &Chosen,
    name: &AuthorityName,
    passphrase: Option<&PassphraseSource>,
) -> anyhow::Result<PrivateKey> {
    let path = chosen.place().key_of(name);
    if is_there(&path) {
        return Loaded::read(&path)?.private_key(passphrase);
    }
    let config = chosen.config()?;
    let instead =
        instead(chosen, name, &config).map(|other| format!("; or sign with --issuer {other}")).unwrap_or_default();
    let folder = chosen.shown();
    match config.keys.get(name) {
        Some(AbsentKey::SetAside(place)) => Err(anyhow!("the key of {name} was set aside and is not in {folder}"))
            .hint(format!("give it with --ca-key; it was put in {place}{instead}")),
        Some(AbsentKey::Destroyed) => Err(anyhow!("the key of {name} was destroyed: it signs nothing more"))
            .hint(format!("let an authority below it sign, or make a new CA with: certkit ca init{instead}")),
        None => Err(anyhow!("there is no key of {name} in {folder}"))
            .hint(format!("give it with --ca-key FILE, or restore {} from a backup{instead}", shown(&path))),
    }
}

/// Another authority that has its key here.
fn instead(chosen: &Chosen, name: &AuthorityName, config: &Config) -> Option<AuthorityName> {
    let others = config.issuer.clone().into_iter().chain(chosen.place().names());
    others.into_iter().find(|other| other != name && is_there(&chosen.place().key_of(other)))
}
