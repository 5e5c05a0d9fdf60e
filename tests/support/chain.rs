//! Chains grown link by link from a root down, any link changed before it is signed.

use certkit::encoding::pem;
use certkit::key::{KeyAlgorithm, PrivateKey};
use certkit::verify::{Check, Policy, Purpose, Verdict, Verifier};
use certkit::x509::Certificate;
use certkit::x509::extension::ExtendedKeyUsage;

use super::forge::{Forge, Issuer, NOON};

/// A root and the authorities under it; the last one issues what comes next.
pub(crate) struct Chain {
    pub(crate) root: Certificate,
    pub(crate) authorities: Vec<Certificate>,
    pub(crate) last: Issuer,
}

impl Chain {
    pub(crate) fn new() -> Self {
        let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        let root = Forge::root("Chain Root", &key).sign(&key);
        Self { root: root.clone(), authorities: Vec::new(), last: Issuer { key, certificate: root } }
    }

    /// One more authority.
    pub(crate) fn authority(mut self, change: impl FnOnce(&mut Forge)) -> Self {
        let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        let name = format!("Chain CA {}", self.authorities.len() + 1);
        let mut forge = Forge::intermediate(&name, &key, &self.last);
        forge.remove::<ExtendedKeyUsage>();
        change(&mut forge);
        let certificate = forge.sign(&self.last.key);
        self.authorities.push(certificate.clone());
        self.last = Issuer { key, certificate };
        self
    }

    /// A new key of the last authority, certified under its own name.
    pub(crate) fn self_issued(self, change: impl FnOnce(&mut Forge)) -> Self {
        self.authority(|forge| {
            forge.subject = forge.issuer.clone();
            change(forge);
        })
    }

    /// A server's certificate under the last authority.
    pub(crate) fn leaf(&self, change: impl FnOnce(&mut Forge)) -> Certificate {
        let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        let mut forge = Forge::server("www.example.com", &key, &self.last);
        change(&mut forge);
        forge.sign(&self.last.key)
    }

    /// Judges `leaf` by the default policy for any purpose.
    pub(crate) fn judge(&self, leaf: &Certificate) -> Verdict {
        let mut verifier = Verifier::new(vec![self.root.clone()], NOON);
        verifier.intermediates = self.authorities.clone();
        verifier.policy = Policy::Tls;
        verifier.purpose = Purpose::Any;
        verifier.judge(leaf)
    }

    /// The rules for which the leaf is rejected; none if it is accepted.
    pub(crate) fn failures(&self, change: impl FnOnce(&mut Forge)) -> Vec<Check> {
        failures(&self.judge(&self.leaf(change)))
    }
}

/// The rules for which the most telling path is rejected; none if one is accepted.
pub(crate) fn failures(verdict: &Verdict) -> Vec<Check> {
    let failed: Vec<Check> = verdict.attempts()[0].failures().map(|finding| finding.check).collect();
    assert_eq!(failed.is_empty(), verdict.is_accepted());
    failed
}

/// Certificates in PEM.
pub(crate) fn text(certificates: &[Certificate]) -> String {
    certificates.iter().map(|certificate| pem::write("CERTIFICATE", certificate.der()).to_string()).collect()
}
