//! An authority that signs, and what its CA knows of certificates and keys.

use crate::ca::{Authority, AuthorityName, CompromisedKeys, Query, Record, Revocation};
use crate::cli::ca::place::{Chosen, is_of_nobody};
use crate::issue::Naming;
use crate::key::PublicKey;
use crate::profile::Profile;
use crate::project::difference::is_for;
use crate::x509::Certificate;

/// An authority that signs.
pub(super) struct Signer {
    pub(super) chosen: Chosen,
    pub(super) authority: Authority,
    /// The others of its CA: what one of them has revoked none certifies again.
    others: Vec<Authority>,
    compromised: Option<CompromisedKeys>,
}

impl Signer {
    pub(super) fn new(chosen: Chosen, authority: Authority) -> anyhow::Result<Self> {
        let mut others = Vec::new();
        for name in chosen.place().names() {
            if is_another(&chosen, &name, &authority) {
                match chosen.open_one(&name) {
                    Err(error) if is_of_nobody(&error) => {}
                    opened => others.push(opened?),
                }
            }
        }
        Ok(Self { chosen, authority, others, compromised: None })
    }

    /// What the ledger has of a certificate.
    pub(super) fn record(&mut self, certificate: &Certificate) -> anyhow::Result<Option<Record>> {
        let query = Query { serial: Some(certificate.serial().clone()), ..Query::default() };
        for authority in self.all() {
            let found = authority.find(&query)?;
            if let Some(record) =
                found.into_iter().find(|record| record.fingerprint == certificate.fingerprint_sha256())
            {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// The newest certificate that the authority has issued for all of this, by this profile.
    pub(super) fn newest(&mut self, naming: &Naming, profile: &Profile) -> anyhow::Result<Option<Record>> {
        let Some(name) = names(naming).into_iter().next() else { return Ok(None) };
        let named = Query { name: Some(name), newest_first: true, limit: Some(MOST_LOOKED_AT), ..Query::default() };
        for record in self.authority.find(&named)? {
            if record.profile == profile.name
                && is_for(&self.authority.recorded(record.id)?, naming, &self.authority.path())
            {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// The revocations and holds of certificates with this key and one of these names.
    pub(super) fn revocations(&mut self, naming: &Naming, key: &PublicKey) -> anyhow::Result<Vec<Revocation>> {
        let revoked = Query { revoked: Some(true), ..Query::default() };
        Ok(self.with_key(naming, key, &revoked)?.into_iter().filter_map(|record| record.revocation).collect())
    }

    /// Whether a certificate with this key was revoked as compromised, as far as the ledgers know.
    pub(super) fn is_compromised(&mut self, key: &PublicKey) -> anyhow::Result<bool> {
        match &self.compromised {
            Some(keys) => Ok(keys.contains(key)),
            None => {
                let keys = self.authority.compromised_keys()?;
                let found = keys.contains(key);
                self.compromised = Some(keys);
                Ok(found)
            }
        }
    }

    /// Whether a certificate with one of these names was issued for this key.
    pub(super) fn has_certified(&mut self, naming: &Naming, key: &PublicKey) -> anyhow::Result<bool> {
        let newest = Query { newest_first: true, limit: Some(MOST_LOOKED_AT), ..Query::default() };
        Ok(!self.with_key(naming, key, &newest)?.is_empty())
    }

    /// Certificates for other names are not looked at: there may be a million.
    fn with_key(&mut self, naming: &Naming, key: &PublicKey, query: &Query) -> anyhow::Result<Vec<Record>> {
        let names = names(naming);
        let mut found = Vec::new();
        for authority in self.all() {
            for name in &names {
                for record in authority.find(&Query { name: Some(name.clone()), ..query.clone() })? {
                    if authority.recorded(record.id)?.public_key().is_ok_and(|own| own == *key) {
                        found.push(record);
                    }
                }
            }
        }
        Ok(found)
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Authority> {
        std::iter::once(&mut self.authority).chain(&mut self.others)
    }
}

/// The names under which the ledger finds a certificate.
fn names(naming: &Naming) -> Vec<String> {
    naming.names.iter().map(|name| name.value()).chain(naming.subject.common_names()).collect()
}

/// Whether the certificate of this name in the folder is a CA's, and another's than this one's.
fn is_another(chosen: &Chosen, name: &AuthorityName, authority: &Authority) -> bool {
    let certificates = chosen.certificates(name).unwrap_or_default();
    certificates.first().is_some_and(|first| first.claims_ca() && first.der() != authority.certificate().der())
}

/// A key that is in use is in one of the last certificates.
const MOST_LOOKED_AT: u32 = 64;
