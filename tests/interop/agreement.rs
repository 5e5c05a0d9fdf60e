//! `certkit verify` beside seven other verifiers over sound and unsound chains: where they part, a reason stands here.

use certkit::encoding::der::{self, tag};
use certkit::encoding::pem;
use certkit::key::{KeyAlgorithm, PrivateKey};
use certkit::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, GeneralSubtree, KeyUsage, KeyUsageBit, NameConstraints,
    SubjectAltName,
};
use certkit::x509::{Certificate, Extension, GeneralName, oids, time as x509_time};
use std::fmt::Write;
use time::{Duration, OffsetDateTime};

use super::judges::{Case, Judge};
use crate::support::Sandbox;
use crate::support::forge::{Forge, Hierarchy, Issuer};

const HOST: &str = "www.example.com";

/// One chain and those who differ from certkit about it.
struct Row {
    name: &'static str,
    /// What certkit says.
    accepted: bool,
    differ: &'static [(Judge, &'static str)],
}

/// vfychain is asked about no name.
const NO_NAMES: (Judge, &str) = (Judge::Nss, "vfychain compares no names");
const AN_ANCHOR_IS_A_KEY: (Judge, &str) =
    (Judge::WebPki, "of an anchor it keeps name and key, no dates and no lengths");
const ROWS: &[Row] = &[
    Row { name: "sound", accepted: true, differ: &[] },
    Row { name: "in capitals", accepted: true, differ: &[] },
    Row { name: "another name", accepted: false, differ: &[NO_NAMES] },
    Row { name: "wildcard", accepted: true, differ: &[] },
    Row { name: "wildcard over two labels", accepted: false, differ: &[NO_NAMES] },
    Row { name: "wildcard for its parent", accepted: false, differ: &[NO_NAMES] },
    Row {
        name: "wildcard in part of a label",
        accepted: false,
        differ: &[
            (Judge::OpenSsl, "RFC 6125 allowed it; RFC 9525 §6.3 no longer does"),
            (Judge::Strict, "the same"),
            NO_NAMES,
        ],
    },
    Row { name: "wildcard not left-most", accepted: false, differ: &[NO_NAMES] },
    Row { name: "address", accepted: true, differ: &[] },
    Row { name: "another address", accepted: false, differ: &[NO_NAMES] },
    Row { name: "address as a DNS name", accepted: false, differ: &[NO_NAMES] },
    Row {
        name: "name in the CN alone",
        accepted: false,
        differ: &[
            (Judge::OpenSsl, "it falls back to the CN unless it is told not to"),
            (Judge::Strict, "the same"),
            (Judge::GnuTls, "it falls back to the CN where there is no subjectAltName"),
            NO_NAMES,
        ],
    },
    Row { name: "expired", accepted: false, differ: &[] },
    Row {
        name: "not yet valid",
        accepted: false,
        differ: &[(Judge::Nss, "it takes what will be valid within a day, for the sake of slow clocks")],
    },
    Row { name: "expired intermediate", accepted: false, differ: &[] },
    Row { name: "expired root", accepted: false, differ: &[AN_ANCHOR_IS_A_KEY] },
    Row { name: "for clients alone", accepted: false, differ: &[] },
    Row {
        name: "for any purpose",
        accepted: true,
        differ: &[
            (
                Judge::OpenSsl,
                "anyExtendedKeyUsage does not stand for serverAuth there (RFC 5280 §4.2.1.12 leaves it open)",
            ),
            (Judge::Strict, "the same"),
            (Judge::Pyca, "the same"),
            (Judge::WebPki, "the same"),
            (Judge::Nss, "the same"),
        ],
    },
    Row { name: "without a purpose", accepted: true, differ: &[] },
    Row {
        name: "intermediate for clients",
        accepted: false,
        differ: &[(Judge::Nss, "vfychain's old way looks at the purposes of the leaf alone")],
    },
    Row { name: "intermediate that is no CA", accepted: false, differ: &[] },
    Row { name: "intermediate without basicConstraints", accepted: false, differ: &[] },
    Row {
        name: "basicConstraints not critical",
        accepted: true,
        differ: &[
            (Judge::Strict, "RFC 5280 §4.2.1.9 asks it of CAs, as certkit under --policy webpki"),
            (Judge::Pyca, "the same"),
        ],
    },
    Row {
        name: "intermediate without keyUsage",
        accepted: true,
        differ: &[
            (Judge::Strict, "RFC 5280 §4.2.1.3 to the letter, as certkit under --policy rfc5280"),
            (Judge::Pyca, "the same"),
        ],
    },
    Row {
        name: "intermediate without keyCertSign",
        accepted: false,
        differ: &[(Judge::WebPki, "it looks at no keyUsage")],
    },
    Row { name: "root of path length 0", accepted: false, differ: &[AN_ANCHOR_IS_A_KEY] },
    Row { name: "root of path length 1", accepted: true, differ: &[] },
    Row {
        name: "leaf that is a CA",
        accepted: true,
        differ: &[
            (Judge::Pyca, "BR 7.1.2.7.8, as certkit under --policy webpki"),
            (Judge::WebPki, "the same"),
            (Judge::Nss, "the same"),
        ],
    },
    Row { name: "permitted", accepted: true, differ: &[] },
    Row { name: "not permitted", accepted: false, differ: &[] },
    Row { name: "unknown critical extension", accepted: false, differ: &[] },
    Row { name: "unknown extension", accepted: true, differ: &[] },
    Row {
        name: "the same extension twice",
        accepted: false,
        differ: &[
            (Judge::OpenSsl, "it lets an unknown one stand twice"),
            (Judge::Strict, "the same"),
            (Judge::WebPki, "it lets an unknown one stand twice"),
            (Judge::Nss, "it lets an unknown one stand twice"),
        ],
    },
    Row { name: "signed by another key", accepted: false, differ: &[] },
    Row { name: "another root of the same name", accepted: false, differ: &[] },
    Row { name: "intermediate is missing", accepted: false, differ: &[] },
    Row {
        name: "key identifiers differ",
        accepted: true,
        differ: &[
            (
                Judge::OpenSsl,
                "a key identifier excludes an issuer there; RFC 4158 §3.5.12 has it only order them, and certkit warns",
            ),
            (Judge::Strict, "the same"),
            (Judge::GnuTls, "the same"),
            (Judge::Nss, "the same"),
        ],
    },
    Row {
        name: "without authorityKeyIdentifier",
        accepted: true,
        differ: &[
            (Judge::Strict, "RFC 5280 §4.2.1.1 to the letter, as certkit under --policy rfc5280"),
            (Judge::Pyca, "the same"),
        ],
    },
    Row {
        name: "version 1",
        accepted: false,
        differ: &[
            (Judge::OpenSsl, "it takes version 1, and the name from the CN"),
            (Judge::Strict, "the same"),
            (Judge::GnuTls, "the same"),
            (Judge::Nss, "it takes version 1"),
        ],
    },
    Row { name: "serial number 0", accepted: true, differ: &[] },
    Row {
        name: "negative serial number",
        accepted: true,
        differ: &[
            (Judge::Pyca, "RFC 5280 §4.1.2.2 to the letter, as certkit under --policy rfc5280"),
            (Judge::Go, "the same, since Go 1.23"),
        ],
    },
    Row {
        name: "early GeneralizedTime",
        accepted: true,
        differ: &[(
            Judge::Pyca,
            "RFC 5280 §4.1.2.5 asks it of issuers, and whoever validates takes both; refused under --policy webpki",
        )],
    },
    Row {
        name: "leaf may sign CRLs only",
        accepted: true,
        differ: &[
            (Judge::OpenSsl, "a TLS server needs digitalSignature, keyEncipherment or keyAgreement there"),
            (Judge::Strict, "the same"),
            (Judge::Nss, "the same"),
        ],
    },
    Row {
        name: "self-signed and trusted",
        accepted: true,
        differ: &[
            (Judge::GnuTls, "certtool says that its issuer is no CA"),
            (Judge::Nss, "with C,, trust it takes only CAs"),
        ],
    },
];

/// The files of a chain.
struct Chain {
    leaf: Certificate,
    intermediates: Vec<Certificate>,
    root: Certificate,
    host: &'static str,
}

/// A hierarchy of today: the peers cannot all be told another time.
struct Today {
    hierarchy: Hierarchy,
    validity: [Vec<u8>; 2],
}

impl Today {
    fn new() -> Self {
        let now = OffsetDateTime::now_utc();
        let validity = [now - Duration::days(10), now + Duration::days(80)].map(x509_time::encode);
        let mut today = Self { hierarchy: Hierarchy::new(), validity };
        today.hierarchy.root.certificate = today.root(&|_| ());
        today.hierarchy.intermediate.certificate = today.intermediate(&|_| ());
        today
    }

    fn root(&self, change: &dyn Fn(&mut Forge)) -> Certificate {
        let key = &self.hierarchy.root.key;
        // NSS takes no two certificates of one issuer and serial number.
        let serial = vec![1; 16];
        let mut forge = Forge { validity: self.validity.clone(), serial, ..Forge::root("Test Root", key) };
        change(&mut forge);
        forge.sign(key)
    }

    fn intermediate(&self, change: &dyn Fn(&mut Forge)) -> Certificate {
        let Hierarchy { root, intermediate, .. } = &self.hierarchy;
        let forge = Forge::intermediate("Test Intermediate", &intermediate.key, root);
        let mut forge = Forge { validity: self.validity.clone(), ..forge };
        change(&mut forge);
        forge.sign(&root.key)
    }

    fn leaf(&self, change: &dyn Fn(&mut Forge)) -> Certificate {
        let mut forge = Forge { validity: self.validity.clone(), ..self.hierarchy.server(HOST) };
        change(&mut forge);
        forge.sign(&self.hierarchy.intermediate.key)
    }

    fn chain(&self) -> Chain {
        Chain {
            leaf: self.leaf(&|_| ()),
            intermediates: vec![self.hierarchy.intermediate.certificate.clone()],
            root: self.hierarchy.root.certificate.clone(),
            host: HOST,
        }
    }

    fn make(&self, name: &str) -> Chain {
        let sound = self.chain();
        let leaf = |change: &dyn Fn(&mut Forge)| Chain { leaf: self.leaf(change), ..self.chain() };
        let above =
            |change: &dyn Fn(&mut Forge)| Chain { intermediates: vec![self.intermediate(change)], ..self.chain() };
        let root = |change: &dyn Fn(&mut Forge)| Chain { root: self.root(change), ..self.chain() };
        let named = |name: GeneralName, host| Chain {
            leaf: self.leaf(&|forge| forge.set(&SubjectAltName(vec![name.clone()]), false)),
            host,
            ..self.chain()
        };
        let dns = |name: &str, host| named(GeneralName::Dns(name.to_owned()), host);
        let stranger = || PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        let now = OffsetDateTime::now_utc();
        let unknown = |critical| Extension { oid: "1.2.3.4".parse().unwrap(), critical, value: der::null() };
        let constrained = |permitted: &str| {
            let base = GeneralName::Dns(permitted.to_owned());
            let permitted = vec![GeneralSubtree { base, minimum: 0, maximum: None }];
            above(&|forge| forge.set(&NameConstraints { permitted: permitted.clone(), excluded: vec![] }, true))
        };
        let ca = |ca, path_len| BasicConstraints { ca, path_len };
        match name {
            "sound" => sound,
            "in capitals" => Chain { host: "WWW.Example.COM", ..sound },
            "another name" => Chain { host: "other.example.com", ..sound },
            "wildcard" => dns("*.example.com", HOST),
            "wildcard over two labels" => dns("*.example.com", "a.b.example.com"),
            "wildcard for its parent" => dns("*.example.com", "example.com"),
            "wildcard in part of a label" => dns("w*.example.com", HOST),
            "wildcard not left-most" => dns("www.*.com", HOST),
            "address" => named(GeneralName::Ip(vec![192, 0, 2, 1]), "192.0.2.1"),
            "another address" => named(GeneralName::Ip(vec![192, 0, 2, 1]), "192.0.2.2"),
            "address as a DNS name" => dns("192.0.2.1", "192.0.2.1"),
            "name in the CN alone" => leaf(&|forge| forge.remove::<SubjectAltName>()),
            "expired" => leaf(&|forge| forge.validity[1] = x509_time::encode(now - Duration::HOUR)),
            "not yet valid" => leaf(&|forge| forge.validity[0] = x509_time::encode(now + Duration::HOUR)),
            "expired intermediate" => above(&|forge| forge.validity[1] = x509_time::encode(now - Duration::HOUR)),
            "expired root" => root(&|forge| forge.validity[1] = x509_time::encode(now - Duration::HOUR)),
            "for clients alone" => leaf(&|forge| forge.set(&ExtendedKeyUsage(vec![oids::CLIENT_AUTH]), false)),
            "for any purpose" => leaf(&|forge| forge.set(&ExtendedKeyUsage(vec![oids::ANY_EXTENDED_KEY_USAGE]), false)),
            "without a purpose" => leaf(&|forge| forge.remove::<ExtendedKeyUsage>()),
            "intermediate for clients" => above(&|forge| forge.set(&ExtendedKeyUsage(vec![oids::CLIENT_AUTH]), false)),
            "intermediate that is no CA" => above(&|forge| forge.set(&ca(false, None), true)),
            "intermediate without basicConstraints" => above(&|forge| forge.remove::<BasicConstraints>()),
            "basicConstraints not critical" => above(&|forge| forge.set(&ca(true, None), false)),
            "intermediate without keyUsage" => above(&|forge| forge.remove::<KeyUsage>()),
            "intermediate without keyCertSign" => {
                above(&|forge| forge.set(&KeyUsage::new(&[KeyUsageBit::CrlSign]), true))
            }
            "root of path length 0" => root(&|forge| forge.set(&ca(true, Some(0)), true)),
            "root of path length 1" => root(&|forge| forge.set(&ca(true, Some(1)), true)),
            "leaf that is a CA" => leaf(&|forge| forge.set(&ca(true, None), true)),
            "permitted" => constrained("example.com"),
            "not permitted" => constrained("example.net"),
            "unknown critical extension" => leaf(&|forge| forge.set_raw(unknown(true))),
            "unknown extension" => leaf(&|forge| forge.set_raw(unknown(false))),
            "the same extension twice" => leaf(&|forge| forge.extensions.extend([unknown(false), unknown(false)])),
            "signed by another key" => Chain {
                leaf: Forge { validity: self.validity.clone(), ..self.hierarchy.server(HOST) }.sign(&stranger()),
                ..sound
            },
            "another root of the same name" => {
                let key = stranger();
                let forge = Forge::root("Test Root", &key);
                let forge = Forge { validity: self.validity.clone(), serial: vec![2; 16], ..forge };
                Chain { root: forge.sign(&key), ..sound }
            }
            "intermediate is missing" => Chain { intermediates: vec![], ..sound },
            "key identifiers differ" => {
                let other = AuthorityKeyIdentifier { key_identifier: Some(vec![1; 20]), ..Default::default() };
                leaf(&move |forge| forge.set(&other, false))
            }
            "without authorityKeyIdentifier" => leaf(&|forge| forge.remove::<AuthorityKeyIdentifier>()),
            "version 1" => leaf(&|forge| (forge.version, forge.extensions) = (1, vec![])),
            "serial number 0" => leaf(&|forge| forge.serial = vec![0]),
            "negative serial number" => leaf(&|forge| forge.serial = vec![0x80, 1]),
            "early GeneralizedTime" => {
                leaf(&|forge| forge.validity[0] = der::tlv(tag::GENERALIZED_TIME, b"20261101000000Z"))
            }
            "leaf may sign CRLs only" => leaf(&|forge| forge.set(&KeyUsage::new(&[KeyUsageBit::CrlSign]), true)),
            "self-signed and trusted" => {
                let key = self.hierarchy.leaf_key.clone();
                let issuer = Issuer { certificate: Forge::root(HOST, &key).sign(&key), key };
                let forge = Forge { validity: self.validity.clone(), ..Forge::server(HOST, &issuer.key, &issuer) };
                let leaf = forge.sign(&issuer.key);
                Chain { root: leaf.clone(), leaf, intermediates: vec![], host: HOST }
            }
            other => panic!("what is {other:?}?"),
        }
    }
}

fn text(certificates: &[Certificate]) -> String {
    certificates.iter().map(|certificate| pem::write("CERTIFICATE", certificate.der()).to_string()).collect()
}

// The table is for whoever reads a failure, or runs it with --nocapture.
#[allow(clippy::print_stdout)]
#[test]
fn where_verifiers_differ_from_certkit_there_is_a_reason() {
    let sandbox = Sandbox::new();
    let today = Today::new();
    let mut cases = Vec::new();
    for (at, row) in ROWS.iter().enumerate() {
        let Chain { leaf, intermediates, root, host } = today.make(row.name);
        let [leaf_file, more, root_file] = ["leaf", "more", "root"].map(|part| format!("{at}-{part}.pem"));
        sandbox.write(&leaf_file, text(&[leaf]));
        sandbox.write(&more, text(&intermediates));
        sandbox.write(&root_file, text(&[root]));
        let intermediates = (!intermediates.is_empty()).then_some(more);
        cases.push(Case { leaf: leaf_file, intermediates, roots: root_file, host: host.to_owned() });
    }
    let columns: Vec<_> = Judge::here().into_iter().map(|judge| (judge, judge.judge(&sandbox, &cases))).collect();
    let (mut table, mut surprises) = (String::new(), String::new());
    for (at, row) in ROWS.iter().enumerate() {
        write!(table, "{:<40}", row.name).unwrap();
        for (judge, judgments) in &columns {
            let judgment = &judgments[at];
            write!(table, "{}", if judgment.accepted { " yes" } else { "  no" }).unwrap();
            let differs = row.differ.iter().any(|(other, why)| other == judge && !why.is_empty());
            if judgment.accepted == (row.accepted == differs) {
                let said = judgment.said.lines().take(8).collect::<Vec<_>>().join("\n    ");
                writeln!(surprises, "{}: {judge:?} accepted: {}\n    {said}", row.name, judgment.accepted).unwrap();
            }
        }
        table.push('\n');
    }
    println!("{:?}\n{table}", Judge::here());
    the_policies_do_as_is_said(&sandbox, &cases);
    assert!(surprises.is_empty(), "{surprises}");
}

/// Where a reason says that another policy of certkit's would refuse the chain too, it does, and takes the sound one.
fn the_policies_do_as_is_said(sandbox: &Sandbox, cases: &[Case]) {
    let verify = |case: &Case, policy: &str| {
        let more = case.intermediates.as_deref().unwrap();
        let names = ["--roots", &case.roots, "--intermediates", more, "--host", &case.host];
        sandbox.command().args(["verify", &case.leaf, "--policy", policy]).args(names)
    };
    for (row, case) in ROWS.iter().zip(cases) {
        for (_, why) in row.differ {
            if let Some((_, policy)) = why.split_once("--policy ") {
                verify(case, policy).expect_code(1);
                verify(&cases[0], policy).expect_code(0);
            }
        }
    }
}
