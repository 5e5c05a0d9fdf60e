//! Certificate files of authorities that are gone from the folder, and are in the ledger.

use std::collections::BTreeSet;

use crate::ca::place::is_there;
use crate::ca::{AuthorityName, AuthorityRecord, Config, Ledger, tiers};
use crate::cli::ca::import::path_above;
use crate::cli::ca::place::{self, Chosen};
use crate::cli::files::{Mode, WriteSet};
use crate::cli::load::Loaded;
use crate::cli::output::{Session, shown};
use crate::container::PrivateKeyItem;
use crate::x509::Certificate;

/// The authorities of a ledger against the files of a folder.
pub(in crate::cli::ca) struct Folder {
    /// Names whose certificate is not there, and which `ca.toml` or a key tells of.
    pub(in crate::cli::ca) without_certificate: Vec<AuthorityName>,
    /// Authorities whose certificate is in no file.
    pub(in crate::cli::ca) without_file: Vec<(AuthorityRecord, Certificate)>,
    /// Every authority.
    all: Vec<Certificate>,
}

impl Folder {
    /// Looks at both. Authorities whose certificate cannot be read are none.
    pub(in crate::cli::ca) fn look(
        chosen: &Chosen,
        config: &Config,
        ledger: &mut dyn Ledger,
    ) -> Result<Self, crate::ca::LedgerError> {
        let records = ledger.authorities()?.into_iter();
        let read = |record: AuthorityRecord| {
            Certificate::from_der(&record.certificate).ok().map(|certificate| (record, certificate))
        };
        let mut known: Vec<(AuthorityRecord, Certificate)> = records.filter_map(read).collect();
        for (_, certificate) in &mut known {
            *certificate = tiers::latest(ledger, certificate)?;
        }
        let names = chosen.place().names();
        let in_files: Vec<Certificate> =
            names.iter().filter_map(|name| chosen.certificates(name).ok()?.into_iter().next()).collect();
        // A certificate that was renewed is in the file of the one before it.
        let has_file = |certificate: &Certificate| {
            in_files.iter().any(|own| {
                own.subject().matches(certificate.subject())
                    && own.public_key().is_ok_and(|key| certificate.public_key().is_ok_and(|other| other == key))
            })
        };
        let all = known.iter().map(|(_, certificate)| certificate.clone()).collect();
        let without_file: Vec<_> = known.into_iter().filter(|(_, certificate)| !has_file(certificate)).collect();
        let mut wanted: BTreeSet<AuthorityName> = config.issuer.iter().chain(config.keys.keys()).cloned().collect();
        wanted.insert(AuthorityName::first());
        if !without_file.is_empty() {
            wanted.extend(chosen.place().names_of_keys());
        }
        wanted.retain(|name| !is_there(&chosen.place().certificate_of(name)));
        let mut without_certificate = Vec::new();
        for name in wanted {
            let said = name.is_first() || config.issuer.as_ref() == Some(&name) || config.keys.contains_key(&name);
            // A key without its certificate may be that of a server, too.
            if said || of_key(chosen, &name, &without_file).is_some() {
                without_certificate.push(name);
            }
        }
        Ok(Self { without_certificate, without_file, all })
    }

    /// Puts back what can be told from the rest: by its key, or because one name and one authority are left. Gives the files
    /// that were written, and in words what was not.
    pub(super) fn put_back(
        mut self,
        chosen: &Chosen,
        is_alone: bool,
        session: &mut Session,
    ) -> anyhow::Result<(Vec<String>, Vec<String>)> {
        let (mut written, mut not) = (Vec::new(), Vec::new());
        let mut set = WriteSet::new(false).lasting();
        let mut left = Vec::new();
        for name in std::mem::take(&mut self.without_certificate) {
            match of_key(chosen, &name, &self.without_file) {
                Some(at) => self.add(&mut set, chosen, &name, at, &mut written),
                None => left.push(name),
            }
        }
        match (left.as_slice(), self.without_file.len()) {
            // In a database there may be authorities of other folders.
            ([name], 1) if is_alone => self.add(&mut set, chosen, name, 0, &mut written),
            (names, _) => not.extend(names.iter().map(|name| {
                let path = shown(&chosen.place().certificate_of(name));
                format!(
                    "{path} is gone, and nothing tells which authority of the ledger it was: restore it from a backup"
                )
            })),
        }
        if !written.is_empty() {
            set.write(session)?;
        }
        Ok((written, not))
    }

    fn add(&mut self, set: &mut WriteSet, chosen: &Chosen, name: &AuthorityName, at: usize, written: &mut Vec<String>) {
        let (_, certificate) = self.without_file.remove(at);
        let above = path_above(&certificate, &self.all);
        let chain: Vec<&Certificate> = std::iter::once(&certificate).chain(&above).collect();
        let path = chosen.place().certificate_of(name);
        written.push(shown(&path));
        set.add(path, place::chain(&chain).into_bytes(), Mode::Public);
    }
}

/// The authority to which the key under this name belongs, if that is here and in the clear.
fn of_key(chosen: &Chosen, name: &AuthorityName, among: &[(AuthorityRecord, Certificate)]) -> Option<usize> {
    let path = chosen.place().key_of(name);
    let loaded = is_there(&path).then(|| Loaded::read(&path).ok()).flatten()?;
    let PrivateKeyItem::Plain(key) = loaded.document.first_private_key().ok()? else { return None };
    among.iter().position(|(_, certificate)| certificate.public_key().is_ok_and(|own| own == *key.public_key()))
}
