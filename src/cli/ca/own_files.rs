//! The files of a CA: nothing that a command gives out is ever written over them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::other_files::spare_others;
use super::place::Chosen;
use super::signer::SignerArgs;
use crate::ca::AuthorityName;
use crate::ca::place::{is_there, with_companions};
use crate::cli::files::{is_dash, resolved, spare_keys};
use crate::cli::load::Loaded;
use crate::cli::output::shown;
use crate::cli::problem::Hinted;
use crate::container::ContainerError;

/// What a key that was given with `--ca-key` is.
pub(in crate::cli) const KEY_SET_ASIDE: &str = "the key of a CA, given with --ca-key";

/// The files of a CA and those its authority `below` will have, each with what it is. What is called like an authority's is
/// looked into to see whether it is one where `counts` says so of one of its files.
pub(in crate::cli) fn own_files(
    chosen: &Chosen,
    below: Option<&AuthorityName>,
    counts: &dyn Fn(&Path) -> bool,
) -> Vec<(PathBuf, String)> {
    let place = chosen.place();
    let folder = chosen.shown();
    let mut files = vec![
        (place.folder().to_owned(), format!("the folder of the CA in {folder}")),
        (place.config(), format!("ca.toml of the CA in {folder}")),
    ];
    // What SQLite writes beside it lies where a link leads.
    for path in place.ledger_files().into_iter().chain(with_companions(&resolved(&place.ledger()))) {
        files.push((path, format!("the ledger of the CA in {folder}")));
    }
    // What is wrong with ca.toml is told when the CA is opened.
    let config = chosen.config().unwrap_or_default();
    for (name, key) in &config.keys {
        if let Some(path) = key.place() {
            files.push((path.into(), format!("the key of {name} of the CA in {folder}")));
        }
    }
    let of = |name: &AuthorityName| {
        [
            (place.certificate_of(name), format!("the certificate of {name} of the CA in {folder}")),
            (place.key_of(name), format!("the key of {name} of the CA in {folder}")),
            (place.delegate_of(name), format!("the OCSP delegate of {name} of the CA in {folder}")),
        ]
    };
    let told = [AuthorityName::first()].into_iter().chain(below.cloned()).chain(chosen.asked_issuer().cloned());
    for name in told.chain(config.issuer).chain(config.keys.into_keys()) {
        files.extend(of(&name));
    }
    for name in place.names() {
        let found = of(&name);
        if found.iter().any(|(path, _)| counts(path)) && is_authoritys(chosen, &name) {
            files.extend(found);
        }
    }
    files
}

/// Refuses to write to files of this CA and of others, whatever `--force` says, and to the key that signs.
///
/// # Errors
/// When a path names one of them, however it is spelled and through whatever links.
pub(super) fn spare<'a>(
    chosen: &Chosen,
    signer: Option<&SignerArgs>,
    paths: impl IntoIterator<Item = &'a Path, IntoIter: Clone>,
) -> anyhow::Result<()> {
    let paths = paths.into_iter();
    spare_own(chosen, signer, paths.clone())?;
    spare_others(paths, None)
}

/// The same of this CA's alone.
///
/// # Errors
/// As [`spare`].
pub(super) fn spare_own<'a>(
    chosen: &Chosen,
    signer: Option<&SignerArgs>,
    paths: impl IntoIterator<Item = &'a Path>,
) -> anyhow::Result<()> {
    for path in paths.into_iter().filter(|path| !is_dash(path)) {
        let target = resolved(path);
        let is_it = |own: &Path| (own.is_symlink() || are_alike(own, &target)) && resolved(own) == target;
        let aside = signer.and_then(|signer| signer.given().1).filter(|key| is_it(key));
        let own = || own_files(chosen, None, &is_it).into_iter().find(|(own, _)| is_it(own)).map(|(_, what)| what);
        if let Some(what) = aside.map(|_| KEY_SET_ASIDE.to_owned()).or_else(own) {
            return Err(anyhow!("cannot write {}: it is {what}, and certkit never writes over that", shown(path)))
                .hint("choose another file");
        }
    }
    Ok(())
}

/// The same where what is written holds no private key: no other key gives way to it either.
///
/// # Errors
/// As [`spare`] and [`spare_keys`].
pub(super) fn spare_all<'a>(
    chosen: &Chosen,
    signer: Option<&SignerArgs>,
    paths: impl IntoIterator<Item = &'a Path, IntoIter: Clone>,
) -> anyhow::Result<()> {
    let paths = paths.into_iter();
    spare(chosen, signer, paths.clone())?;
    spare_keys(paths)
}

/// The files of a CA as a list to look names up in.
#[derive(Debug)]
pub(super) struct OutOfBounds(HashMap<PathBuf, String>);

impl OutOfBounds {
    /// Those of this CA, and the key that signs.
    pub(super) fn of(chosen: &Chosen, signer: &SignerArgs) -> Self {
        let aside = signer.given().1.map(|key| (key.clone(), KEY_SET_ASIDE.to_owned()));
        let own = own_files(chosen, None, &|_| true).into_iter().chain(aside);
        Self(own.map(|(path, what)| (resolved(&path), what)).collect())
    }

    /// What the file of this name in a folder that is resolved is to the CA.
    pub(super) fn what(&self, folder: &Path, name: &str) -> Option<&str> {
        let path = folder.join(name);
        // A file that is there may be a link, or be written otherwise.
        let path = if is_there(&path) { resolved(&path) } else { path };
        self.0.get(&path).map(String::as_str)
    }
}

/// Whether the names of files may be one, also where case does not count.
fn are_alike(one: &Path, other: &Path) -> bool {
    let [one, other] = [one, other].map(|path| path.file_name().unwrap_or_default());
    one.eq_ignore_ascii_case(other)
}

/// Whether the certificate of this name is an authority's. What cannot be read may be; a bundle of roots is none.
pub(super) fn is_authoritys(chosen: &Chosen, name: &AuthorityName) -> bool {
    let place = chosen.place();
    let path = place.certificate_of(name);
    if name.is_first() || !is_there(&path) {
        return name.is_first();
    }
    let Ok(loaded) = Loaded::read(&path) else { return true };
    let all = match loaded.document.certificates() {
        Ok(all) => all,
        Err(error) => return !matches!(error, ContainerError::Instead { .. }),
    };
    let Some(first) = all.first() else { return true };
    let is_copy = || chosen.certificates(&AuthorityName::first()).is_ok_and(|own| own.contains(first));
    first.claims_ca() && (is_there(&place.key_of(name)) || !is_copy())
}
