//! `certkit ca cross-sign`: a cross certificate allows no more than the other CA's own certificate.

use certkit::encoding::pem;
use certkit::key::{KeyAlgorithm, PrivateKey};
use certkit::x509::extension::{
    CertificatePolicies, ExtendedKeyUsage, GeneralSubtree, InhibitAnyPolicy, KeyUsage, KeyUsageBit, NameConstraints,
    PolicyConstraints, PolicyInformation,
};
use certkit::x509::{Certificate, oids, time as x509_time};
use time::{Duration, OffsetDateTime};

use crate::support::forge::Forge;
use crate::support::{Ran, Sandbox};

/// A CA `a` that signs, and another's own certificate in `other.pem`.
struct Two {
    sandbox: Sandbox,
    key: PrivateKey,
}

impl Two {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        sandbox.certkit(&["ca", "init", "--ca", "a", "--name", "A"]).expect_code(0);
        Self { sandbox, key: PrivateKey::generate(KeyAlgorithm::P256).unwrap() }
    }

    /// Has `a` cross-sign the other CA, whose certificate is first changed.
    fn cross(&self, change: impl FnOnce(&mut Forge), more: &[&str]) -> Ran {
        let mut other = Forge::root("Other", &self.key);
        let now = OffsetDateTime::now_utc();
        other.validity = [now - Duration::days(10), now + Duration::days(300)].map(x509_time::encode);
        change(&mut other);
        self.cross_der(&other.sign_der(&self.key), more)
    }

    fn cross_der(&self, other: &[u8], more: &[&str]) -> Ran {
        self.sandbox.write("other.pem", pem::write("CERTIFICATE", other).as_bytes());
        let cross = ["ca", "cross-sign", "other.pem", "--ca", "a", "--out", "cross.pem", "--force"];
        self.sandbox.certkit(&[&cross[..], more].concat())
    }

    /// What was made.
    fn made(&self) -> Certificate {
        let text = std::fs::read(self.sandbox.path("cross.pem")).unwrap();
        let document = certkit::container::Document::read(&text).unwrap();
        document.certificates().unwrap()[0].clone()
    }
}

fn subtrees(texts: &[&str]) -> Vec<GeneralSubtree> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn permitting(permitted: &[&str], excluded: &[&str]) -> impl FnOnce(&mut Forge) + use<> {
    let constraints = NameConstraints { permitted: subtrees(permitted), excluded: subtrees(excluded) };
    move |other| other.set(&constraints, true)
}

fn policies(list: &[&str]) -> CertificatePolicies {
    let one = |oid: &&str| PolicyInformation { policy: oid.parse().unwrap(), qualifiers: Vec::new() };
    CertificatePolicies(list.iter().map(one).collect())
}

#[test]
fn the_other_cas_name_constraints_are_kept() {
    let two = Two::new();
    let partner = || permitting(&["partner.example", "dirname:O=P"], &["evil.partner.example"]);
    let refused = two.cross(partner(), &["--permit", "other.example"]).expect_code(1);
    refused.says("is permitted less than dns:other.example: only dns:partner.example");
    two.cross(partner(), &["--permit", "x.evil.partner.example"])
        .expect_code(1)
        .says("what is not excluded, as dns:evil.partner.example is");
    assert!(!two.sandbox.path("cross.pem").exists());

    let constraints = |two: &Two| two.made().extensions().find::<NameConstraints>().unwrap().unwrap().value;
    let bases = |list: &[GeneralSubtree]| list.iter().map(|it| it.base.to_string()).collect::<Vec<_>>();
    two.cross(partner(), &["--permit", "a.partner.example"]).expect_code(0);
    let narrowed = constraints(&two);
    assert_eq!(bases(&narrowed.excluded), ["dns:evil.partner.example"]);
    let permitted = bases(&narrowed.permitted);
    assert!(permitted.contains(&"dns:a.partner.example".to_owned()), "{permitted:?}");
    assert!(!permitted.contains(&"dns:partner.example".to_owned()), "{permitted:?}");
    // Of a form of which nothing is asked for, too.
    assert!(permitted.contains(&"dirname:O=P".to_owned()), "{permitted:?}");

    two.cross(partner(), &[]).expect_code(0);
    assert_eq!(bases(&constraints(&two).permitted), ["dns:partner.example", "dirname:O=P"]);
}

#[test]
fn the_other_cas_key_usage_is_kept() {
    let two = Two::new();
    for lacking in [KeyUsageBit::DigitalSignature, KeyUsageBit::CrlSign] {
        let refused = two.cross(|other| other.set(&KeyUsage::new(&[lacking]), true), &[]).expect_code(1);
        refused.says("lacks keyCertSign");
    }
    two.cross(|other| other.set(&KeyUsage::new(&[KeyUsageBit::KeyCertSign]), true), &[]).expect_code(0);
    assert_eq!(two.made().key_usage().unwrap().unwrap().names(), ["keyCertSign"]);
    two.cross(|other| other.remove::<KeyUsage>(), &[]).expect_code(0);
    assert_eq!(two.made().key_usage().unwrap().unwrap().names(), ["keyCertSign", "cRLSign"]);

    let profile = certkit::profile::Profile::template("intermediate-ca").unwrap();
    two.sandbox.write("p.toml", format!("extended_key_usage = [\"serverAuth\", \"codeSigning\"]\n{profile}"));
    let purposes = ExtendedKeyUsage(vec![oids::SERVER_AUTH]);
    two.cross(|other| other.set(&purposes, false), &["--profile", "p.toml"]).expect_code(0);
    assert_eq!(two.made().extended_key_usage().unwrap(), Some(&purposes));
    let mail = ExtendedKeyUsage(vec![oids::EMAIL_PROTECTION]);
    two.cross(|other| other.set(&mail, false), &["--profile", "p.toml"]).expect_code(1).says("nothing in common");
}

#[test]
fn the_other_cas_policies_are_kept() {
    let two = Two::new();
    let made = |two: &Two| two.made().extensions().find::<CertificatePolicies>().unwrap().map(|found| found.value);
    let own = policies(&["1.2.3.4", "1.2.3.5"]);
    two.cross(|other| other.set(&own, false), &[]).expect_code(0);
    assert_eq!(made(&two), Some(own.clone()));
    two.cross(|other| other.set(&own, false), &["--policy", "1.2.3.5"]).expect_code(0);
    assert_eq!(made(&two), Some(policies(&["1.2.3.5"])));
    two.cross(|other| other.set(&own, false), &["--policy", "1.3.5"]).expect_code(1).says("not 1.3.5");
    two.cross(|other| other.set(&policies(&["2.5.29.32.0"]), false), &["--policy", "1.3.5"]).expect_code(0);
    // A root says of policies nothing that counts; one below another that has none is for none.
    two.cross(|_| {}, &["--policy", "1.3.5"]).expect_code(0);
    let below = |other: &mut Forge| other.issuer = "CN=Above".parse().unwrap();
    two.cross(below, &["--policy", "1.3.5"]).expect_code(1).says("no certificatePolicies");

    // What no profile can say.
    let explicit = PolicyConstraints { require_explicit_policy: Some(0), inhibit_policy_mapping: None };
    two.cross(|other| other.set(&explicit, true), &[]).expect_code(1).says("policyConstraints");
    two.cross(|other| other.set(&InhibitAnyPolicy(0), true), &[]).expect_code(1).says("inhibitAnyPolicy");

    // An issuer that is no root grants what it has.
    let ca = |args: &[&str]| two.sandbox.certkit(&[&["ca"], args, &["--ca", "a"]].concat()).expect_code(0);
    for (name, policy) in [("some", Some("1.2.3.4")), ("none", None)] {
        let more: &[&str] = policy.as_slice();
        let flag: &[&str] = if policy.is_some() { &["--policy"] } else { &[] };
        ca(&[&["intermediate", name, "--path-len", "1"], flag, more].concat());
    }
    let by = |issuer: &'static str| ["--issuer", issuer, "--path-len", "0"];
    two.cross(|other| other.set(&own, false), &by("some")).expect_code(0);
    assert_eq!(made(&two), Some(policies(&["1.2.3.4"])));
    two.cross(|other| other.set(&policies(&["2.5.29.32.0"]), false), &by("some")).expect_code(0);
    assert_eq!(made(&two), Some(policies(&["1.2.3.4"])));
    two.cross(|other| other.set(&own, false), &by("none")).expect_code(0);
    assert_eq!(made(&two), None);
    two.cross(below, &by("some")).expect_code(0);
    assert_eq!(made(&two), None);
    let vain = two.cross(|other| other.set(&policies(&["1.2.3.5"]), false), &by("some")).expect_code(2);
    vain.complains("would be valid for nothing");
}

#[test]
fn a_damaged_or_expired_certificate_is_not_cross_signed() {
    let two = Two::new();
    let mut other = Forge::root("Other", &two.key).sign_der(&two.key);
    // An ECDSA signature whose last octet is another one.
    *other.last_mut().unwrap() ^= 1;
    two.cross_der(&other, &[]).expect_code(1).says("changed or damaged");
    let past = |days| x509_time::encode(OffsetDateTime::now_utc() - Duration::days(days));
    two.cross(|other| other.validity = [past(20), past(10)], &[]).expect_code(1).says("it expired at ");
    assert!(!two.sandbox.path("cross.pem").exists());
    // A CA's new key, which the old one has signed.
    let old = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let mut new = Forge::root("Other", &two.key);
    new.set(
        &certkit::x509::extension::AuthorityKeyIdentifier {
            key_identifier: Some(old.public_key().key_identifier().to_vec()),
            ..Default::default()
        },
        false,
    );
    two.cross_der(&new.sign_der(&old), &[]).expect_code(0);
}

#[test]
fn another_key_of_the_issuers_own_name_is_told_and_no_request_gets_it() {
    let two = Two::new();
    let namesake = |other: &mut Forge| {
        other.subject = "CN=A".parse().unwrap();
        other.issuer = other.subject.clone();
    };
    let ran = two.cross(namesake, &[]).expect_code(0);
    ran.complains("CN=A is this CA's own name too").complains("self-issued");
    assert!(two.cross(|_| {}, &[]).expect_code(0).stderr.is_empty());

    let sandbox = &two.sandbox;
    let request = |name: &str, profile: &str, out: &str| {
        let args = ["csr", "new", "--cn", name, "--profile", profile, "--out", out, "--keyout", "r.key", "--force"];
        sandbox.certkit(&args).expect_code(0);
    };
    request("a", "intermediate-ca", "r.csr");
    let below = ["ca", "intermediate", "--ca", "a", "--csr", "r.csr", "--out", "below.pem"];
    sandbox.certkit(&below).expect_code(1).says("the CA's own name").says("--subject");
    sandbox.certkit(&[&below[..], &["--name", "B"]].concat()).expect_code(0);

    request("Leaf", "client", "leaf.csr");
    for command in [&["intermediate", "--csr", "leaf.csr"][..], &["cross-sign", "leaf.csr"]] {
        let refused = sandbox.certkit(&[&["ca"], command, &["--ca", "a", "--out", "l.pem"]].concat());
        refused.expect_code(1).says("asks for CA:FALSE");
    }
    assert!(!sandbox.path("l.pem").exists());
}
