//! The files that a repair is given, all judged before anything is changed.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use serde::Serialize;

use super::records;
use crate::ca::Revocation;
use crate::ca::place::is_there;
use crate::cli::ca::place::Chosen;
use crate::cli::files;
use crate::cli::load::cannot_use;
use crate::cli::output::shown;
use crate::cli::problem::Hinted;
use crate::container::{Content, Document, Item};
use crate::x509::{Certificate, CertificateRevocationList};

/// What the files hold that a ledger can be mended with.
#[derive(Debug, Default)]
pub(super) struct Documents {
    /// Certificates.
    pub(super) certificates: Vec<Given>,
    /// Whether any came from an export of a ledger.
    pub(super) exported: bool,
    /// Revocation lists.
    pub(super) lists: Vec<GivenList>,
    /// Files with neither, but keys or requests.
    pub(super) passed_over: Vec<String>,
    /// Files in which nothing was found.
    pub(super) unread: Vec<Unread>,
}

/// A file in which nothing was found.
#[derive(Debug, Serialize)]
pub(super) struct Unread {
    pub(super) file: String,
    pub(super) why: String,
}

/// A certificate.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) file: String,
    pub(super) certificate: Certificate,
    /// What an export of a ledger tells of it, where it is from one.
    pub(super) profile: Option<String>,
    pub(super) revocation: Option<Revocation>,
}

/// A revocation list.
#[derive(Debug)]
pub(super) struct GivenList {
    pub(super) file: String,
    pub(super) list: CertificateRevocationList,
    /// Whether its file was named: then one that is not this CA's is worth a word.
    pub(super) named: bool,
}

impl Documents {
    /// Reads the files, and the lists that lie where `certkit ca crl` puts them.
    pub(super) fn read(files: &[PathBuf], lists: &[PathBuf], chosen: &Chosen) -> anyhow::Result<Self> {
        let mut read = Self::default();
        for path in files {
            read.take(path)?;
        }
        for path in lists {
            let document = Document::read(&files::read(path)?).with_context(|| cannot_use(path))?;
            for list in document.revocation_lists().with_context(|| cannot_use(path))? {
                read.lists.push(GivenList { file: shown(path), list: list.clone(), named: true });
            }
        }
        for name in ["crl.pem", "delta-crl.pem"] {
            for path in [chosen.place().folder().join(name), PathBuf::from(name)] {
                let given = files.iter().chain(lists).any(|given| *given == path);
                if !given && is_there(&path) {
                    read.take_lists_of(&path);
                }
            }
        }
        Ok(read)
    }

    /// Refuses to make a ledger of them where one of the files that were given told nothing, or none of them: they are all that
    /// is left of the CA's past, and it may have been the one that matters.
    ///
    /// # Errors
    /// With the file, and why nothing was found in it.
    pub(super) fn suffice_for(&self, files: &[PathBuf]) -> anyhow::Result<()> {
        if let Some(Unread { file, why }) = self.unread.first() {
            return Err(anyhow!("no ledger is made, for nothing can be taken of {file}: {why}"))
                .hint("give the certificates, lists or export that it should be; if it is none of them, leave it out");
        }
        if !files.is_empty() && self.certificates.is_empty() && self.lists.is_empty() {
            let files = self.passed_over.join(", ");
            return Err(anyhow!("no ledger is made, for there is neither a certificate nor a list in {files}"))
                .hint("give certificates, the last list, or what `certkit ca export --records jsonl` wrote");
        }
        Ok(())
    }

    fn take(&mut self, path: &Path) -> anyhow::Result<()> {
        let contents = files::read(path)?;
        if let Some(exported) = records::read(path, &contents)? {
            self.exported = true;
            self.certificates.extend(exported);
            return Ok(());
        }
        let document = match Document::read(&contents) {
            Ok(document) => document,
            Err(error) => {
                self.unread.push(Unread { file: shown(path), why: error.to_string() });
                return Ok(());
            }
        };
        let is_certificate = |item: &Item| item.certificate().is_some();
        if document.items().iter().any(is_certificate) || document.is_damaged() {
            let found = document.certificates().with_context(|| cannot_use(path))?;
            let given = |certificate: &Certificate| Given {
                file: shown(path),
                certificate: certificate.clone(),
                profile: None,
                revocation: None,
            };
            self.certificates.extend(found.into_iter().map(given));
        // *.pem names more than certificates.
        } else if !self.take_lists(path, &document, true) {
            self.passed_over.push(shown(path));
        }
        Ok(())
    }

    /// Takes the lists of a file that nobody named, if it can be read.
    fn take_lists_of(&mut self, path: &Path) {
        if let Some(document) = files::read(path).ok().and_then(|contents| Document::read(&contents).ok()) {
            self.take_lists(path, &document, false);
        }
    }

    fn take_lists(&mut self, path: &Path, document: &Document, named: bool) -> bool {
        let before = self.lists.len();
        let lists = document.items().iter().filter_map(|item| match &item.content {
            Content::RevocationList(list) => Some(&**list),
            _ => None,
        });
        self.lists.extend(lists.map(|list| GivenList { file: shown(path), list: list.clone(), named }));
        self.lists.len() > before
    }
}
