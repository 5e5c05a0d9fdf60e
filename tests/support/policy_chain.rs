//! Chains of certificates that differ in their policy extensions only, written as one line.
//!
//! `"1 any explicit=0 | self 1 1>2 | 2"` is, from below the root down: a CA that asserts the test policies 1 and anyPolicy
//! and requires an explicit policy at once; its self-issued certificate, which asserts 1 and maps it to 2; and a server's
//! certificate that asserts 2. `nomap=N` is inhibitPolicyMapping, `noany=N` inhibitAnyPolicy, `-` stands for nothing.

use certkit::encoding::Oid;
use certkit::key::{KeyAlgorithm, PrivateKey};
use certkit::verify::{Policy, PolicyRequirements, Purpose, Verdict, Verifier};
use certkit::x509::extension::{
    CertificatePolicies, ExtendedKeyUsage, InhibitAnyPolicy, PolicyConstraints, PolicyInformation, PolicyMappings,
};
use certkit::x509::{Certificate, oids};

use super::forge::{Forge, Issuer, NOON};

/// A root and what stands below it.
pub(crate) struct PolicyChain {
    pub(crate) root: Certificate,
    pub(crate) intermediates: Vec<Certificate>,
    pub(crate) leaf: Certificate,
}

impl PolicyChain {
    pub(crate) fn new(line: &str) -> Self {
        Self::below("-", line)
    }

    /// As [`Self::new`], with extensions in the root's certificate too.
    pub(crate) fn below(root: &str, line: &str) -> Self {
        let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        let mut forge = Forge::root("Policy Root", &key);
        dress(&mut forge, root);
        let root = forge.sign(&key);
        let mut issuer = Issuer { certificate: root.clone(), key };
        let mut intermediates = Vec::new();
        let (authorities, leaf) = line.rsplit_once('|').unwrap_or(("", line));
        for (link, number) in authorities.split('|').filter(|link| !link.trim().is_empty()).zip(1..) {
            let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
            let mut forge = Forge::intermediate(&format!("Policy CA {number}"), &key, &issuer);
            forge.remove::<ExtendedKeyUsage>();
            if link.split_whitespace().any(|word| word == "self") {
                forge.subject = forge.issuer.clone();
            }
            dress(&mut forge, link);
            issuer = Issuer { certificate: forge.sign(&issuer.key), key };
            intermediates.push(issuer.certificate.clone());
        }
        let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        let mut forge = Forge::server("www.example.com", &key, &issuer);
        dress(&mut forge, leaf);
        Self { root, intermediates, leaf: forge.sign(&issuer.key) }
    }

    pub(crate) fn verifier(&self, requirements: PolicyRequirements) -> Verifier {
        let mut verifier = Verifier::new(vec![self.root.clone()], NOON);
        verifier.intermediates = self.intermediates.clone();
        verifier.policy = Policy::Rfc5280;
        verifier.purpose = Purpose::Any;
        verifier.policies = requirements;
        verifier
    }

    pub(crate) fn judge(&self, requirements: PolicyRequirements) -> Verdict {
        self.verifier(requirements).judge(&self.leaf)
    }
}

/// The test policy of this number, or anyPolicy.
pub(crate) fn policy(word: &str) -> Oid {
    match word {
        "any" => oids::ANY_POLICY,
        number => format!("2.16.840.1.101.3.2.1.48.{number}").parse().unwrap(),
    }
}

/// `"explicit want=1 want=2 nomap noany"` as requirements.
pub(crate) fn requirements(line: &str) -> PolicyRequirements {
    let mut requirements = PolicyRequirements::default();
    for word in line.split_whitespace() {
        match word {
            "explicit" => requirements.explicit = true,
            "nomap" => requirements.inhibit_mapping = true,
            "noany" => requirements.inhibit_any = true,
            _ => requirements.wanted.push(policy(word.strip_prefix("want=").expect("a known word"))),
        }
    }
    requirements
}

/// Sets the policy extensions that the words of `link` name.
fn dress(forge: &mut Forge, link: &str) {
    let (mut policies, mut mappings) = (Vec::new(), Vec::new());
    let mut constraints = PolicyConstraints { require_explicit_policy: None, inhibit_policy_mapping: None };
    for word in link.split_whitespace().filter(|word| !["-", "self"].contains(word)) {
        if let Some((name, skip)) = word.split_once('=') {
            let skip = skip.parse().unwrap();
            match name {
                "explicit" => constraints.require_explicit_policy = Some(skip),
                "nomap" => constraints.inhibit_policy_mapping = Some(skip),
                "noany" => forge.set(&InhibitAnyPolicy(skip), true),
                other => panic!("{other} is no word of this language"),
            }
        } else if let Some((from, to)) = word.split_once('>') {
            mappings.push((policy(from), policy(to)));
        } else {
            policies.push(PolicyInformation { policy: policy(word), qualifiers: vec![] });
        }
    }
    if !policies.is_empty() {
        forge.set(&CertificatePolicies(policies), false);
    }
    if !mappings.is_empty() {
        forge.set(&PolicyMappings(mappings), true);
    }
    if constraints.require_explicit_policy.or(constraints.inhibit_policy_mapping).is_some() {
        forge.set(&constraints, true);
    }
}
