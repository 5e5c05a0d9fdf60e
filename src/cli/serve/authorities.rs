//! The authorities that certify clients, from the files of --client-ca; and whether those have changed.

use std::path::PathBuf;

use anyhow::Context;

use super::watched::Watched;
use crate::cli::load::{Loaded, cannot_use};
use crate::serve::ClientCertificates;

/// The files, and what clients have to show.
pub(super) struct Authorities {
    files: Vec<PathBuf>,
    required: bool,
    watched: Watched,
}

impl Authorities {
    /// These files. Clients are not asked for a certificate where there are none.
    pub(super) fn new(files: Vec<PathBuf>, required: bool) -> Self {
        Self { watched: Watched::now(files.iter().cloned()), files, required }
    }

    /// What is in them.
    pub(super) fn clients(&self) -> anyhow::Result<Option<ClientCertificates>> {
        if self.files.is_empty() {
            return Ok(None);
        }
        let mut authorities = Vec::new();
        for path in &self.files {
            let loaded = Loaded::read(path)?;
            let found = loaded.document.certificates().with_context(|| cannot_use(path))?;
            authorities.extend(found.into_iter().cloned());
        }
        Ok(Some(ClientCertificates { authorities, required: self.required }))
    }

    /// Whether they are to be read again.
    pub(super) fn have_changed(&mut self) -> bool {
        self.watched.have_changed(self.files.iter().cloned())
    }
}
