//! Chains that clients differ on, each with one oddity. No two share a name or a key, so that a client may trust all their
//! roots at once.

mod algorithms;
mod lengths;

use certkit::encoding::Oid;
use certkit::encoding::der::{self, tag};
use certkit::key::PrivateKey;
use certkit::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, GeneralSubtree, KeyUsage, KeyUsageBit, NameConstraints,
    PolicyConstraints, SubjectAltName, SubjectKeyIdentifier,
};
use certkit::x509::{Certificate, DistinguishedName, Extension, GeneralName, oids, time as x509_time};
use time::{Duration, OffsetDateTime};

use crate::support::clients::Question;
use crate::support::forge::{Forge, Hierarchy, Issuer};

pub(super) const HOST: &str = "www.example.com";

/// A question with its name.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) question: Question,
}

/// Three certificates before they are signed.
struct Draft {
    root: Forge,
    intermediate: Forge,
    leaf: Forge,
    root_key: PrivateKey,
    intermediate_key: PrivateKey,
    leaf_key: PrivateKey,
    /// More authorities between the intermediate and the leaf.
    more: usize,
    host: &'static str,
    /// Whether the leaf is signed by its own key, and trusted.
    alone: bool,
}

type Change = Box<dyn Fn(&mut Draft)>;

/// Every case, valid around `now`.
pub(super) fn all(now: OffsetDateTime) -> Vec<Case> {
    let oddities = names().into_iter().chain(leaves(now)).chain(issuers(now)).chain(roots(now));
    let changes = oddities.chain(algorithms::all()).chain(lengths::all());
    changes
        .zip(1..)
        .map(|((name, change), number)| {
            let mut draft = Draft::sound(&Hierarchy::new(), number, now);
            change(&mut draft);
            Case { name, question: draft.sign(now) }
        })
        .collect()
}

impl Draft {
    /// The sound chain of this number.
    fn sound(hierarchy: &Hierarchy, number: u8, now: OffsetDateTime) -> Self {
        let Hierarchy { root, intermediate, leaf_key } = hierarchy;
        let mut draft = Self {
            root: Forge::root("Test Root", &root.key),
            intermediate: Forge::intermediate("Test Intermediate", &intermediate.key, root),
            leaf: hierarchy.server(HOST),
            root_key: root.key.clone(),
            intermediate_key: intermediate.key.clone(),
            leaf_key: leaf_key.clone(),
            more: 0,
            host: HOST,
            alone: false,
        };
        // NSS has two certificates of one issuer and serial number for a fraud.
        let [root, intermediate] =
            ["Root", "Intermediate"].map(|role| DistinguishedName::common_name_only(&format!("Test {role} {number}")));
        (draft.root.subject, draft.root.issuer) = (root.clone(), root.clone());
        (draft.intermediate.subject, draft.intermediate.issuer) = (intermediate.clone(), root);
        draft.leaf.issuer = intermediate;
        draft.intermediate.serial = vec![0x46; 16];
        draft.leaf.serial[0] = 0x47;
        draft.leaf.serial[1] = number;
        let days = |days| x509_time::encode(now + Duration::days(days));
        for forge in [&mut draft.root, &mut draft.intermediate, &mut draft.leaf] {
            forge.validity = [days(-10), days(80)];
        }
        draft
    }

    fn alone(&mut self) {
        self.alone = true;
        self.leaf.issuer = self.leaf.subject.clone();
        self.leaf.remove::<AuthorityKeyIdentifier>();
    }

    fn names(&mut self, names: &[GeneralName]) {
        match names {
            [] => self.leaf.remove::<SubjectAltName>(),
            _ => self.leaf.set(&SubjectAltName(names.to_vec()), false),
        }
    }

    fn sign(&self, now: OffsetDateTime) -> Question {
        let key = self.leaf_key.to_pkcs8_der().to_vec();
        let (host, at) = (self.host.to_owned(), now.unix_timestamp());
        if self.alone {
            let leaf = self.leaf.sign_der(&self.leaf_key);
            return Question { root: leaf.clone(), leaf, intermediates: vec![], key, host, at };
        }
        let mut intermediates = vec![self.intermediate.sign_der(&self.root_key)];
        let leaf = match self.more {
            0 => self.leaf.sign_der(&self.intermediate_key),
            more => {
                let top = Certificate::from_der(&intermediates[0]).unwrap();
                let top = Issuer { certificate: top, key: self.intermediate_key.clone() };
                let (authorities, leaf) = lengths::below(top, more, &self.leaf);
                intermediates.splice(0..0, authorities);
                leaf
            }
        };
        Question { root: self.root.sign_der(&self.root_key), intermediates, leaf, key, host, at }
    }
}

fn case(name: &'static str, change: impl Fn(&mut Draft) + 'static) -> (&'static str, Change) {
    (name, Box::new(change))
}

fn dns(text: &str) -> GeneralName {
    GeneralName::Dns(text.to_owned())
}

fn unknown(critical: bool) -> Extension {
    Extension { oid: "1.2.3.4".parse().unwrap(), critical, value: der::null() }
}

fn names() -> Vec<(&'static str, Change)> {
    let with = |name, names: Vec<GeneralName>| case(name, move |draft| draft.names(&names));
    let local: GeneralName = GeneralName::Ip(vec![127, 0, 0, 1]);
    vec![
        case("sound", |_| {}),
        with("other name", vec![dns("other.example.com")]),
        with("name in commonName only", vec![]),
        with("name in commonName beside an e-mail address", vec![GeneralName::Email("a@example.com".into())]),
        with("name in commonName beside a URI", vec![GeneralName::Uri("https://www.example.com/".into())]),
        with("name in commonName beside an address", vec![local.clone()]),
        with("wildcard", vec![dns("*.example.com")]),
        with("wildcard one label short", vec![dns("*.com")]),
        with("wildcard as part of a label", vec![dns("w*.example.com")]),
        with("wildcard in the middle", vec![dns("www.*.com")]),
        with("upper case", vec![dns("WWW.EXAMPLE.COM")]),
        with("trailing dot", vec![dns("www.example.com.")]),
        case("wildcard over a top-level domain", |draft| {
            draft.host = "example.com";
            draft.names(&[dns("*.com")]);
        }),
        case("address", move |draft| {
            draft.host = "127.0.0.1";
            draft.names(std::slice::from_ref(&local));
        }),
        case("address in a dNSName", |draft| {
            draft.host = "127.0.0.1";
            draft.names(&[dns("127.0.0.1")]);
        }),
        case("address in commonName only", |draft| {
            draft.host = "127.0.0.1";
            draft.leaf.subject = DistinguishedName::common_name_only("127.0.0.1");
            draft.names(&[]);
        }),
        case("no subject", |draft| {
            draft.leaf.subject = DistinguishedName::empty();
            draft.leaf.set(&SubjectAltName(vec![dns(HOST)]), true);
        }),
        case("no subject, subjectAltName not critical", |draft| draft.leaf.subject = DistinguishedName::empty()),
    ]
}

fn leaves(now: OffsetDateTime) -> Vec<(&'static str, Change)> {
    let time = move |days| x509_time::encode(now + Duration::days(days));
    let purposes = |name, list: Vec<Oid>| case(name, move |it| it.leaf.set(&ExtendedKeyUsage(list.clone()), false));
    let usage = |name, bits: &'static [KeyUsageBit]| case(name, move |it| it.leaf.set(&KeyUsage::new(bits), true));
    vec![
        case("expired", move |draft| draft.leaf.validity = [time(-10), time(-1)]),
        case("not yet valid", move |draft| draft.leaf.validity = [time(1), time(80)]),
        case("valid for 900 days", move |draft| draft.leaf.validity = [time(-10), time(890)]),
        case("leaf of version 1", |draft| (draft.leaf.version, draft.leaf.extensions) = (1, vec![])),
        case("extensions in version 2", |draft| draft.leaf.version = 2),
        purposes("purpose clientAuth", vec![oids::CLIENT_AUTH]),
        purposes("purpose any", vec![oids::ANY_EXTENDED_KEY_USAGE]),
        case("no purpose", |draft| draft.leaf.remove::<ExtendedKeyUsage>()),
        case("no keyUsage", |draft| draft.leaf.remove::<KeyUsage>()),
        usage("keyUsage cRLSign", &[KeyUsageBit::CrlSign]),
        usage("keyUsage keyAgreement", &[KeyUsageBit::KeyAgreement]),
        usage("keyUsage with keyCertSign", &[KeyUsageBit::DigitalSignature, KeyUsageBit::KeyCertSign]),
        case("leaf is a CA", |draft| draft.leaf.set(&BasicConstraints { ca: true, path_len: None }, true)),
        case("leaf without basicConstraints", |draft| draft.leaf.remove::<BasicConstraints>()),
        case("pathLenConstraint in the leaf", |draft| {
            draft.leaf.set(&BasicConstraints { ca: false, path_len: Some(0) }, true);
        }),
        case("leaf without authorityKeyIdentifier", |draft| draft.leaf.remove::<AuthorityKeyIdentifier>()),
        case("leaf without subjectKeyIdentifier", |draft| draft.leaf.remove::<SubjectKeyIdentifier>()),
        case("key identifiers differ", |draft| {
            let other = AuthorityKeyIdentifier { key_identifier: Some(vec![1; 20]), ..Default::default() };
            draft.leaf.set(&other, false);
        }),
        case("unknown critical extension", |draft| draft.leaf.set_raw(unknown(true))),
        case("unknown extension", |draft| draft.leaf.set_raw(unknown(false))),
        case("unknown extension twice", |draft| draft.leaf.extensions.extend([unknown(false), unknown(false)])),
        case("subjectAltName twice", |draft| {
            draft.leaf.extensions.push(Extension::new(&SubjectAltName(vec![dns("other.test")]), false));
        }),
        case("serial number zero", |draft| draft.leaf.serial = vec![0]),
        case("serial number negative", |draft| draft.leaf.serial = vec![0x80, 1, 2]),
        case("serial number of 21 octets", |draft| draft.leaf.serial = vec![0x45; 21]),
        case("GeneralizedTime before 2050", move |draft| {
            let stamp = |moment: OffsetDateTime| {
                let (date, clock) = (moment.date(), moment.time());
                let text = format!(
                    "{:04}{:02}{:02}{:02}{:02}{:02}Z",
                    date.year(),
                    u8::from(date.month()),
                    date.day(),
                    clock.hour(),
                    clock.minute(),
                    clock.second()
                );
                der::tlv(tag::GENERALIZED_TIME, text.as_bytes())
            };
            draft.leaf.validity = [stamp(now - Duration::days(10)), stamp(now + Duration::days(80))];
        }),
        case("unique identifier", |draft| draft.leaf.unique_identifiers = der::tlv(tag::context(1), &[0, 1])),
        case("algorithm identifiers differ", |draft| {
            let other = certkit::key::SignatureAlgorithm::Ecdsa(certkit::key::HashAlgorithm::Sha384);
            draft.leaf.inner_algorithm = Some(other.to_algorithm_identifier());
        }),
        case("self-signed, CA:FALSE", Draft::alone),
        case("self-signed, CA:FALSE, with authorityKeyIdentifier", |draft| {
            draft.alone();
            let own = draft.leaf_key.public_key().key_identifier().to_vec();
            draft.leaf.set(&AuthorityKeyIdentifier { key_identifier: Some(own), ..Default::default() }, false);
        }),
        case("self-signed, CA:TRUE", |draft| {
            draft.alone();
            draft.leaf.set(&BasicConstraints { ca: true, path_len: None }, true);
        }),
        case("self-signed, CA:TRUE, keyCertSign", |draft| {
            draft.alone();
            draft.leaf.set(&BasicConstraints { ca: true, path_len: None }, true);
            let usage = KeyUsage::new(&[KeyUsageBit::DigitalSignature, KeyUsageBit::KeyCertSign]);
            draft.leaf.set(&usage, true);
        }),
        case("self-signed without basicConstraints", |draft| {
            draft.alone();
            draft.leaf.remove::<BasicConstraints>();
        }),
    ]
}

/// Oddities of an issuer that stand in an intermediate or a root alike.
fn odd_issuers(
    now: OffsetDateTime,
    of: fn(&mut Draft) -> &mut Forge,
    names: [&'static str; 14],
) -> Vec<(&'static str, Change)> {
    let time = move |days| x509_time::encode(now + Duration::days(days));
    let [
        expired,
        not_ca,
        no_constraints,
        bare,
        old,
        may_not,
        length,
        soft,
        no_usage,
        no_identifier,
        client,
        critical,
        serial,
        any,
    ] = names;
    vec![
        case(expired, move |draft| of(draft).validity = [time(-10), time(-1)]),
        case(not_ca, move |draft| of(draft).set(&BasicConstraints { ca: false, path_len: None }, true)),
        case(no_constraints, move |draft| of(draft).remove::<BasicConstraints>()),
        case(bare, move |draft| {
            of(draft).remove::<BasicConstraints>();
            of(draft).remove::<KeyUsage>();
        }),
        case(old, move |draft| (of(draft).version, of(draft).extensions) = (1, vec![])),
        case(may_not, move |draft| of(draft).set(&KeyUsage::new(&[KeyUsageBit::CrlSign]), true)),
        case(length, move |draft| {
            draft.intermediate.set(&BasicConstraints { ca: true, path_len: Some(0) }, true);
            of(draft).set(&BasicConstraints { ca: true, path_len: Some(0) }, true);
        }),
        case(soft, move |draft| of(draft).set(&BasicConstraints { ca: true, path_len: None }, false)),
        case(no_usage, move |draft| of(draft).remove::<KeyUsage>()),
        case(no_identifier, move |draft| of(draft).remove::<SubjectKeyIdentifier>()),
        case(client, move |draft| of(draft).set(&ExtendedKeyUsage(vec![oids::CLIENT_AUTH]), false)),
        case(critical, move |draft| of(draft).set_raw(unknown(true))),
        case(serial, move |draft| of(draft).serial = vec![0]),
        case(any, move |draft| of(draft).set(&ExtendedKeyUsage(vec![oids::ANY_EXTENDED_KEY_USAGE]), false)),
    ]
}

fn issuers(now: OffsetDateTime) -> Vec<(&'static str, Change)> {
    let names = [
        "intermediate expired",
        "intermediate says CA:FALSE",
        "intermediate without basicConstraints",
        "intermediate without basicConstraints and keyUsage",
        "intermediate of version 1",
        "intermediate without keyCertSign",
        "pathLenConstraint of the intermediate kept",
        "intermediate's basicConstraints not critical",
        "intermediate without keyUsage",
        "intermediate without subjectKeyIdentifier",
        "intermediate for clientAuth",
        "intermediate with an unknown critical extension",
        "intermediate's serial number zero",
        "intermediate for any purpose",
    ];
    let permit = |name, base: GeneralName| {
        case(name, move |draft| {
            let subtree = GeneralSubtree { base: base.clone(), minimum: 0, maximum: None };
            draft.intermediate.set(&NameConstraints { permitted: vec![subtree], excluded: vec![] }, true);
        })
    };
    let mut cases = odd_issuers(now, |draft| &mut draft.intermediate, names);
    cases.extend([
        permit("inside the name constraints", dns("example.com")),
        permit("outside the name constraints", dns("example.net")),
        case("intermediate without authorityKeyIdentifier", |draft| {
            draft.intermediate.remove::<AuthorityKeyIdentifier>()
        }),
        case("a certificate policy is asked for", |draft| {
            let asks = PolicyConstraints { require_explicit_policy: Some(0), inhibit_policy_mapping: None };
            draft.intermediate.set(&asks, true);
        }),
        case("a certificate policy might be asked for", |draft| {
            let asks = PolicyConstraints { require_explicit_policy: Some(5), inhibit_policy_mapping: None };
            draft.intermediate.set(&asks, true);
        }),
        case("a broken signature", |draft| {
            draft.intermediate.public_key_info = draft.leaf.public_key_info.clone();
        }),
        case("another root", |draft| draft.root.subject = DistinguishedName::common_name_only("Another Root")),
    ]);
    cases
}

fn roots(now: OffsetDateTime) -> Vec<(&'static str, Change)> {
    let names = [
        "root expired",
        "root says CA:FALSE",
        "root without basicConstraints",
        "root without basicConstraints and keyUsage",
        "root of version 1",
        "root without keyCertSign",
        "pathLenConstraint of the root broken",
        "root's basicConstraints not critical",
        "root without keyUsage",
        "root without subjectKeyIdentifier",
        "root for clientAuth",
        "root with an unknown critical extension",
        "root's serial number zero",
        "root for any purpose",
    ];
    let mut cases = odd_issuers(now, |draft| &mut draft.root, names);
    cases.push(case("trusted certificate not self-signed", |draft| {
        draft.root.issuer = DistinguishedName::common_name_only("Somebody Else");
    }));
    cases
}
