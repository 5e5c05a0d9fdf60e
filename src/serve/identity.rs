//! The certificates of a server, and which of them a client is shown.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::key::{KeyAlgorithm, PrivateKey};
use crate::x509::{Certificate, GeneralName};

/// A certificate with its chain and its key.
#[derive(Clone)]
pub struct Identity {
    certified: Arc<CertifiedKey>,
    /// Host names in lower case, wildcards as they are.
    names: Vec<String>,
}

/// Why a certificate cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// There is none.
    #[error("there is no certificate")]
    Empty,
    /// The key is another certificate's.
    #[error("the key is not that of the certificate for {name}")]
    WrongKey {
        /// Whom the certificate is for.
        name: String,
    },
    /// TLS cannot sign with it.
    #[error("TLS 1.2 and 1.3 do not sign with this key ({algorithm})")]
    Unusable {
        /// What kind of key it is.
        algorithm: KeyAlgorithm,
        /// What rustls says.
        #[source]
        source: rustls::Error,
    },
}

impl Identity {
    /// The certificate that comes first in `chain`, with those above it in the order they are sent.
    ///
    /// # Errors
    /// When there is none, the key is another's, or of a kind that TLS does not sign with.
    pub fn new(chain: &[Certificate], key: &PrivateKey) -> Result<Self, IdentityError> {
        let leaf = chain.first().ok_or(IdentityError::Empty)?;
        if !leaf.public_key().is_ok_and(|public| public == *key.public_key()) {
            return Err(IdentityError::WrongKey { name: leaf.display_name() });
        }
        let encoding = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.to_pkcs8_der().to_vec()));
        let signer = any_supported_type(&encoding)
            .map_err(|source| IdentityError::Unusable { algorithm: key.algorithm(), source })?;
        let certificates = chain.iter().map(|one| CertificateDer::from(one.der().to_vec())).collect();
        let names = leaf.subject_alt_names().unwrap_or_default().iter().filter_map(|name| match name {
            GeneralName::Dns(host) => Some(host.trim_end_matches('.').to_ascii_lowercase()),
            _ => None,
        });
        Ok(Self { names: names.collect(), certified: Arc::new(CertifiedKey::new(certificates, signer)) })
    }
}

/// Says whom it is for, and nothing of the key.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { certified: _, names } = self;
        f.debug_struct("Identity").field("names", names).finish_non_exhaustive()
    }
}

/// The certificates of a server. They can be exchanged while it runs: handshakes that have begun go on with the old ones.
#[derive(Debug)]
pub struct Identities(RwLock<Arc<Table>>);

#[derive(Debug)]
struct Table {
    all: Vec<Identity>,
    by_name: HashMap<String, Vec<usize>>,
}

impl Identities {
    /// These; the first is for clients that ask for no name, or for one that none of them has.
    pub fn new(all: Vec<Identity>) -> Self {
        Self(RwLock::new(Arc::new(Table::new(all))))
    }

    /// From now on these.
    pub fn replace(&self, all: Vec<Identity>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Table::new(all));
    }
}

impl Table {
    fn new(all: Vec<Identity>) -> Self {
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, identity) in all.iter().enumerate() {
            for name in &identity.names {
                by_name.entry(name.clone()).or_default().push(index);
            }
        }
        Self { all, by_name }
    }

    /// Those for a host, by its own name first, then by a wildcard (RFC 9525 §6.3); all where there are none.
    fn candidates(&self, host: Option<&str>) -> impl Iterator<Item = &Identity> {
        let host = host.map(str::to_ascii_lowercase);
        let exact = host.as_ref().and_then(|host| self.by_name.get(host));
        let wild = || self.by_name.get(&format!("*.{}", host.as_ref()?.split_once('.')?.1));
        let found = exact.or_else(wild);
        let all = found.is_none().then_some(self.all.iter()).into_iter().flatten();
        found.into_iter().flatten().filter_map(|index| self.all.get(*index)).chain(all)
    }
}

impl ResolvesServerCert for Identities {
    /// The first whose signature the client can check; the first of all if there is none, so that the client says so.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let table = Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner));
        let schemes = hello.signature_schemes();
        let fits = |identity: &&Identity| identity.certified.key.choose_scheme(schemes).is_some();
        let mut candidates = table.candidates(hello.server_name());
        let first = candidates.next()?;
        let chosen = if fits(&first) { first } else { candidates.find(fits).unwrap_or(first) };
        Some(Arc::clone(&chosen.certified))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn identity(names: &[&str]) -> Identity {
        let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        let encoding = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.to_pkcs8_der().to_vec()));
        let certified = CertifiedKey::new(Vec::new(), any_supported_type(&encoding).unwrap());
        Identity { certified: Arc::new(certified), names: names.iter().map(|name| (*name).to_owned()).collect() }
    }

    #[test]
    fn a_name_of_its_own_goes_before_a_wildcard_and_that_before_the_first() {
        let table = Table::new(vec![identity(&["first.test"]), identity(&["*.b.test"]), identity(&["a.b.test"])]);
        let chosen = |host| {
            let found = table.candidates(host).next().expect("there is always one");
            found.names.first().cloned().unwrap()
        };
        for (host, name) in [
            (None, "first.test"),
            (Some("other.test"), "first.test"),
            (Some("A.B.test"), "a.b.test"),
            (Some("x.b.test"), "*.b.test"),
            (Some("x.y.b.test"), "first.test"),
            (Some("b.test"), "first.test"),
        ] {
            assert_eq!(chosen(host), name, "{host:?}");
        }
    }

    #[test]
    fn every_kind_of_key_can_be_served() {
        for algorithm in [KeyAlgorithm::P521, KeyAlgorithm::Ed25519, KeyAlgorithm::MlDsa44, KeyAlgorithm::MlDsa87] {
            let key = PrivateKey::generate(algorithm).unwrap();
            let encoding = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.to_pkcs8_der().to_vec()));
            assert!(any_supported_type(&encoding).is_ok(), "{algorithm}");
        }
    }
}
