//! A chain of three, one thing wrong with it, and the judgment.

use certkit::key::{HashAlgorithm, KeyAlgorithm, PrivateKey, SignatureAlgorithm};
use certkit::verify::{CheckRevocation, Identity, Policy, Verdict, Verifier};
use certkit::x509::extension::{ExtendedKeyUsage, GeneralSubtree, NameConstraints};
use certkit::x509::{Certificate, CertificateRevocationList, GeneralName, OcspResponse, oids};

use super::forge::{Forge, Hierarchy, Issuer, NOON};
use super::forge_crl::ForgeCrl;
use super::forge_ocsp::ForgeOcsp;

pub(crate) const HOST: &str = "www.example.com";

/// All that goes into one judgment.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) leaf: Certificate,
    pub(crate) intermediates: Vec<Certificate>,
    pub(crate) roots: Vec<Certificate>,
    pub(crate) lists: Vec<CertificateRevocationList>,
    pub(crate) responses: Vec<OcspResponse>,
    pub(crate) check_revocation: CheckRevocation,
    pub(crate) depth: Option<usize>,
    pub(crate) host: Option<&'static str>,
}

impl Case {
    pub(crate) fn sound(hierarchy: &Hierarchy) -> Self {
        Self::with_leaf(hierarchy, &|_| ())
    }

    /// This leaf under the sound intermediate and root.
    pub(crate) fn of(leaf: Certificate, hierarchy: &Hierarchy) -> Self {
        Self {
            leaf,
            intermediates: vec![hierarchy.intermediate.certificate.clone()],
            roots: vec![hierarchy.root.certificate.clone()],
            lists: vec![],
            responses: vec![],
            check_revocation: CheckRevocation::Given,
            depth: None,
            host: Some(HOST),
        }
    }

    /// The sound chain but for this change of the leaf.
    pub(crate) fn with_leaf(hierarchy: &Hierarchy, change: &dyn Fn(&mut Forge)) -> Self {
        let mut forge = hierarchy.server(HOST);
        change(&mut forge);
        Self::of(forge.sign(&hierarchy.intermediate.key), hierarchy)
    }

    /// The same with the intermediate.
    pub(crate) fn with_intermediate(hierarchy: &Hierarchy, change: &dyn Fn(&mut Forge)) -> Self {
        let mut forge = Forge::intermediate("Test Intermediate", &hierarchy.intermediate.key, &hierarchy.root);
        change(&mut forge);
        Self { intermediates: vec![forge.sign(&hierarchy.root.key)], ..Self::sound(hierarchy) }
    }

    /// The same with the root.
    pub(crate) fn with_root(hierarchy: &Hierarchy, change: &dyn Fn(&mut Forge)) -> Self {
        let mut forge = Forge::root("Test Root", &hierarchy.root.key);
        change(&mut forge);
        Self { roots: vec![forge.sign(&hierarchy.root.key)], ..Self::sound(hierarchy) }
    }

    /// The sound chain and a list of the intermediate that does not revoke the leaf.
    pub(crate) fn listed(hierarchy: &Hierarchy, change: &dyn Fn(&mut ForgeCrl)) -> Self {
        let mut list = ForgeCrl::of(&hierarchy.intermediate);
        change(&mut list);
        Self { lists: vec![list.sign(&hierarchy.intermediate.key)], ..Self::sound(hierarchy) }
    }

    /// The sound chain and a good answer about the leaf by a responder with this certificate, which the response brings.
    pub(crate) fn answered_by(hierarchy: &Hierarchy, responder: &Issuer) -> Self {
        let sound = Self::sound(hierarchy);
        let response = ForgeOcsp::good(&sound.leaf, &hierarchy.intermediate).by(responder);
        Self { responses: vec![response.sign(&responder.key)], ..sound }
    }

    /// Intermediates of one name and many keys, and none of which made the leaf's signature: every one costs a
    /// signature check.
    pub(crate) fn tangle(hierarchy: &Hierarchy) -> Self {
        Self { intermediates: namesakes("Test Intermediate", hierarchy).collect(), ..Self::sound(hierarchy) }
    }

    /// A leaf signed over SHA-224, which is not broken, and no longer wanted.
    pub(crate) fn weak(hierarchy: &Hierarchy) -> Self {
        let key = PrivateKey::generate(KeyAlgorithm::Rsa(2048)).unwrap();
        let certificate = Forge::intermediate("Test Intermediate", &key, &hierarchy.root).sign(&hierarchy.root.key);
        let issuer = Issuer { certificate: certificate.clone(), key };
        let mut leaf = Forge::server(HOST, &hierarchy.leaf_key, &issuer);
        leaf.algorithm = Some(SignatureAlgorithm::RsaPkcs1(HashAlgorithm::Sha224));
        Self { intermediates: vec![certificate], ..Self::of(leaf.sign(&issuer.key), hierarchy) }
    }

    pub(crate) fn judge(&self, policy: Policy) -> Verdict {
        let mut verifier = Verifier::new(self.roots.clone(), NOON);
        verifier.intermediates = self.intermediates.clone();
        verifier.policy = policy;
        verifier.identities = self.host.map(|host| Identity::Server(host.parse().unwrap())).into_iter().collect();
        verifier.revocation_lists = self.lists.clone();
        verifier.ocsp_responses = self.responses.clone();
        verifier.check_revocation = self.check_revocation;
        verifier.max_depth = self.depth.unwrap_or(verifier.max_depth);
        verifier.judge(&self.leaf)
    }
}

/// Authorities of one name, each with a key of its own: more than signatures are checked.
pub(crate) fn namesakes(name: &str, hierarchy: &Hierarchy) -> impl Iterator<Item = Certificate> {
    (0..120).map(move |_| {
        let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        Forge::intermediate(name, &key, &hierarchy.root).sign(&hierarchy.root.key)
    })
}

/// An OCSP responder with a certificate from `issuer`, without id-pkix-ocsp-nocheck.
pub(crate) fn responder(issuer: &Issuer, change: &dyn Fn(&mut Forge)) -> Issuer {
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let mut forge = Forge::server("ocsp.example.com", &key, issuer);
    forge.serial = vec![0x77; 8];
    forge.set(&ExtendedKeyUsage(vec![oids::OCSP_SIGNING]), false);
    change(&mut forge);
    Issuer { certificate: forge.sign(&issuer.key), key }
}

/// nameConstraints that permit this subtree.
pub(crate) fn permit(base: GeneralName) -> NameConstraints {
    NameConstraints { permitted: vec![subtree(base)], excluded: vec![] }
}

/// nameConstraints that exclude this subtree.
pub(crate) fn exclude(base: GeneralName) -> NameConstraints {
    NameConstraints { permitted: vec![], excluded: vec![subtree(base)] }
}

fn subtree(base: GeneralName) -> GeneralSubtree {
    GeneralSubtree { base, minimum: 0, maximum: None }
}
