//! The files of a project: each has one purpose, and none is a CA's.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use crate::ca::place::is_there;
use crate::ca::{AbsentKey, AuthorityName};
use crate::cli::ca::place::Chosen;
use crate::cli::files::resolved;
use crate::cli::load::Loaded;
use crate::cli::output::shown;
use crate::cli::problem::Hinted;

/// Who has a file.
enum Owner {
    /// Something that apply never writes over, in words.
    Protected(String),
    /// A certificate of the project.
    Entry { number: usize, line: u64 },
}

/// Files, however they are spelled, and who has each.
#[derive(Default)]
pub(super) struct Claims {
    files: HashMap<PathBuf, Owner>,
}

impl Claims {
    /// Protects a file, or a folder itself: `what` it is.
    pub(super) fn protect(&mut self, path: &Path, what: impl Into<String>) {
        self.files.entry(resolved(path)).or_insert_with(|| Owner::Protected(what.into()));
    }

    /// Protects the files of a CA, and those its authority `below` will have.
    pub(super) fn protect_ca(&mut self, chosen: &Chosen, below: Option<&AuthorityName>) {
        let place = chosen.place();
        let folder = chosen.shown();
        self.protect(place.folder(), format!("the folder of the CA in {folder}"));
        self.protect(&place.config(), format!("ca.toml of the CA in {folder}"));
        for ending in ["", "-wal", "-shm", "-journal"] {
            let mut ledger = place.ledger().into_os_string();
            ledger.push(ending);
            self.protect(Path::new(&ledger), format!("the ledger of the CA in {folder}"));
        }
        // What is wrong with ca.toml is told when the CA is opened.
        let config = chosen.config().unwrap_or_default();
        for (name, key) in &config.keys {
            if let AbsentKey::SetAside(path) = key {
                self.protect(Path::new(path), format!("the key of {name} of the CA in {folder}"));
            }
        }
        let found = place.names().into_iter().filter(|name| is_authoritys(&place.certificate_of(name)));
        let told = [AuthorityName::first()].into_iter().chain(below.cloned()).chain(chosen.asked_issuer().cloned());
        let told = told.chain(config.issuer).chain(config.keys.into_keys());
        for name in told.chain(found) {
            self.protect(&place.certificate_of(&name), format!("the certificate of {name} of the CA in {folder}"));
            self.protect(&place.key_of(&name), format!("the key of {name} of the CA in {folder}"));
        }
    }

    /// Gives a certificate of the project, the so-maniest, its files; one file may hold both.
    ///
    /// # Errors
    /// Where one of them is somebody else's.
    pub(super) fn claim(&mut self, number: usize, line: u64, out: &Path, keyout: &Path) -> anyhow::Result<()> {
        for (path, what, field) in [(out, "certificate", "out"), (keyout, "key", "keyout")] {
            let refused = match self.files.insert(resolved(path), Owner::Entry { number, line }) {
                None => continue,
                Some(Owner::Entry { number: own, .. }) if own == number => continue,
                Some(Owner::Entry { line, .. }) => format!("a file of the certificate on line {line} too"),
                Some(Owner::Protected(what)) => format!("{what}, and apply never writes over that"),
            };
            return Err(anyhow!("its {what} goes to {}, which is {refused}", shown(path)))
                .hint(format!("choose another file with {field} ="));
        }
        Ok(())
    }
}

/// Whether the certificate is an authority's. What cannot be read may be.
fn is_authoritys(path: &Path) -> bool {
    let certificates = Loaded::read(path).and_then(|loaded| loaded.certificates());
    is_there(path) && certificates.map_or(true, |all| all.first().is_none_or(|first| first.claims_ca()))
}
