//! The folder that the name of a CA stands for.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use etcetera::BaseStrategy;

use crate::ca::AuthorityName;
use crate::cli::problem::Hinted;

/// The name that `@NAME` is: a CA beside the user's own. A folder of that name is written `./@NAME`.
pub(super) fn called(folder: &Path) -> anyhow::Result<Option<AuthorityName>> {
    match folder.to_string_lossy().strip_prefix('@') {
        Some(name) => match name.parse() {
            Ok(name) => Ok(Some(name)),
            Err(error) => match name.to_lowercase().parse::<AuthorityName>() {
                Ok(lower) => Err(anyhow!("--ca @{name} names no CA: such a name is in lower case"))
                    .hint(format!("--ca @{lower}; a folder is ./@{name}")),
                Err(_) => {
                    Err(anyhow::Error::from(error)).hint("`@` names a CA in your data folder; a folder is ./@...")
                }
            },
        },
        None => Ok(None),
    }
}

/// Where the user's CAs are, each in a folder of its own.
pub(super) fn own_folder() -> anyhow::Result<PathBuf> {
    let strategy = etcetera::choose_base_strategy()
        .context("cannot find the home folder")
        .hint("say where the CA is with --ca DIR or CERTKIT_CA")?;
    Ok(strategy.data_dir().join("certkit"))
}
