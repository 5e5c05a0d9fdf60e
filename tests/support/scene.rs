//! A certificate, what helps to judge it, and revocation lists: judged by certkit and, where it is there, by openssl.

use certkit::encoding::pem;
use certkit::verify::{CheckRevocation, Verdict, Verifier};
use certkit::x509::extension::{
    CrlDistributionPoints, DistributionPoint, DistributionPointName, KeyUsage, KeyUsageBit,
};
use certkit::x509::{Certificate, CertificateRevocationList, DistinguishedName, GeneralName};

use super::forge::{Forge, Hierarchy, Issuer, NOON};
use super::forge_crl::ForgeCrl;
use super::{Peer, Sandbox, peer};

pub(crate) const HOST: &str = "www.example.com";

/// All that goes into one judgment of a whole chain.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) leaf: Certificate,
    pub(crate) intermediates: Vec<Certificate>,
    pub(crate) root: Certificate,
    pub(crate) lists: Vec<CertificateRevocationList>,
    pub(crate) check: CheckRevocation,
}

impl Scene {
    /// The chain of `leaf` and the list of the root, which revokes nothing; that of the intermediate is missing.
    pub(crate) fn of(leaf: &Forge, hierarchy: &Hierarchy) -> Self {
        Self {
            leaf: leaf.sign(&hierarchy.intermediate.key),
            intermediates: vec![hierarchy.intermediate.certificate.clone()],
            root: hierarchy.root.certificate.clone(),
            lists: vec![ForgeCrl::of(&hierarchy.root).sign(&hierarchy.root.key)],
            check: CheckRevocation::Chain,
        }
    }

    /// The sound chain, as [`Self::of`].
    pub(crate) fn sound(hierarchy: &Hierarchy) -> Self {
        Self::of(&hierarchy.server(HOST), hierarchy)
    }

    /// With this list.
    pub(crate) fn with(mut self, list: CertificateRevocationList) -> Self {
        self.lists.push(list);
        self
    }

    /// With this certificate beside the chain.
    pub(crate) fn beside(mut self, certificate: &Certificate) -> Self {
        self.intermediates.push(certificate.clone());
        self
    }

    /// As far as `check` says.
    pub(crate) fn asking(mut self, check: CheckRevocation) -> Self {
        self.check = check;
        self
    }

    pub(crate) fn judge(&self) -> Verdict {
        let mut verifier = Verifier::new(vec![self.root.clone()], NOON);
        verifier.intermediates = self.intermediates.clone();
        verifier.revocation_lists = self.lists.clone();
        verifier.check_revocation = self.check;
        verifier.judge(&self.leaf)
    }

    /// Both accept it.
    #[track_caller]
    pub(crate) fn is_accepted(&self) {
        self.is_accepted_here();
        if let Some(openssl) = peer("openssl") {
            assert_eq!(self.ask(&openssl), Ok(()), "openssl");
        }
    }

    /// Both reject it, certkit for a reason that says this.
    #[track_caller]
    pub(crate) fn is_rejected(&self, why: &str) {
        self.is_rejected_here(why);
        if let Some(openssl) = peer("openssl") {
            assert!(self.ask(&openssl).is_err(), "openssl accepts it");
        }
    }

    /// certkit accepts it and openssl does not, for a reason that says this.
    #[track_caller]
    pub(crate) fn is_accepted_here_only(&self, theirs: &str) {
        self.is_accepted_here();
        if let Some(openssl) = peer("openssl") {
            let answer = self.ask(&openssl);
            assert!(answer.as_ref().is_err_and(|said| said.contains(theirs)), "openssl: {answer:?}");
        }
    }

    /// certkit rejects it for a reason that says this, and openssl does not.
    #[track_caller]
    pub(crate) fn is_rejected_here_only(&self, why: &str) {
        self.is_rejected_here(why);
        if let Some(openssl) = peer("openssl") {
            assert_eq!(self.ask(&openssl), Ok(()), "openssl");
        }
    }

    #[track_caller]
    fn is_accepted_here(&self) {
        let verdict = self.judge();
        assert!(verdict.is_accepted(), "{}", reasons(&verdict));
    }

    /// certkit rejects it for a reason that says this, whatever openssl does.
    #[track_caller]
    pub(crate) fn is_rejected_here(&self, why: &str) {
        let verdict = self.judge();
        assert!(!verdict.is_accepted(), "accepted");
        assert!(reasons(&verdict).contains(why), "{}", reasons(&verdict));
    }

    fn ask(&self, openssl: &Peer) -> Result<(), String> {
        let sandbox = Sandbox::new();
        let certificates = |list: &[Certificate]| -> String {
            list.iter().map(|it| pem::write("CERTIFICATE", it.der()).to_string()).collect()
        };
        sandbox.write("leaf.pem", certificates(std::slice::from_ref(&self.leaf)));
        sandbox.write("chain.pem", certificates(&self.intermediates));
        sandbox.write("root.pem", certificates(std::slice::from_ref(&self.root)));
        let lists: String = self.lists.iter().map(|list| pem::write("X509 CRL", list.der()).to_string()).collect();
        sandbox.write("lists.pem", lists);
        let depth = if self.check == CheckRevocation::Chain { "-crl_check_all" } else { "-crl_check" };
        let at = NOON.unix_timestamp().to_string();
        let ran = sandbox.peer(
            openssl,
            &[
                "verify",
                depth,
                "-extended_crl",
                "-use_deltas",
                "-attime",
                &at,
                "-CAfile",
                "root.pem",
                "-untrusted",
                "chain.pem",
                "-CRLfile",
                "lists.pem",
                "leaf.pem",
            ],
        );
        if ran.code == Some(0) { Ok(()) } else { Err(ran.stderr) }
    }
}

pub(crate) fn reasons(verdict: &Verdict) -> String {
    verdict.reasons().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// A certificate whose key only signs lists, under `issuer`.
pub(crate) fn list_signer(subject: &str, key: &certkit::key::PrivateKey, issuer: &Issuer) -> Forge {
    let mut signer = Forge::server("lists.example.com", key, issuer);
    signer.subject = DistinguishedName::common_name_only(subject);
    signer.serial = vec![0x33; 12];
    signer.set(&KeyUsage::new(&[KeyUsageBit::CrlSign]), true);
    signer.remove::<certkit::x509::extension::ExtendedKeyUsage>();
    signer.remove::<certkit::x509::extension::SubjectAltName>();
    signer
}

/// Where lists are to be had: a name of this host.
pub(crate) fn place(host: &str) -> DistributionPointName {
    DistributionPointName::Full(vec![GeneralName::Uri(format!("http://{host}/crl"))])
}

/// One distribution point of this name.
pub(crate) fn at(name: DistributionPointName) -> CrlDistributionPoints {
    CrlDistributionPoints(vec![DistributionPoint { name: Some(name), ..DistributionPoint::default() }])
}
