//! The profile on the command line: a built-in name or a file.

use std::path::Path;

use anyhow::anyhow;

use crate::cli::ca::place::absolute;
use crate::cli::files::{self, is_dash};
use crate::cli::output::shown;
use crate::cli::problem::Hinted;
use crate::profile::Profile;

/// The same, where a path counts from this folder.
pub(in crate::cli) fn load_beside(name: &str, folder: &Path) -> anyhow::Result<Profile> {
    if Profile::built_in(name).is_some() || !looks_like_a_path(name) {
        return load(name);
    }
    load(&folder.join(name).to_string_lossy())
}

fn looks_like_a_path(name: &str) -> bool {
    name.contains(['/', '\\', '.']) || name == "-"
}

/// The built-in profile of this name, or the one in this file. Something that looks like a path is one.
pub(in crate::cli) fn load(name: &str) -> anyhow::Result<Profile> {
    if let Some(profile) = Profile::built_in(name) {
        return Ok(profile);
    }
    let path = Path::new(name);
    if looks_like_a_path(name) || path.is_file() {
        let text = files::read_text(path)?;
        let profile = Profile::from_toml(&shown(path), &text)?;
        // A path counts from the folder of today.
        let recorded_as = match (is_dash(path), path.canonicalize()) {
            (true, _) => "stdin".to_owned(),
            (false, Ok(whole)) => whole.display().to_string(),
            (false, Err(_)) => absolute(path),
        };
        return Ok(Profile { recorded_as, ..profile });
    }
    let names = Profile::names().join(", ");
    Err(anyhow!("there is no profile {name:?}")).hint(format!("there are {names}; or give a file, such as ./own.toml"))
}
