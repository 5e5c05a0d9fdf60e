//! Random changes to a small hierarchy: fields and extensions by name, and octets of the signed part, signed anew.

use certkit::encoding::der::{self, Reader, tag};
use certkit::key::PrivateKey;
use certkit::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, GeneralSubtree, KeyUsage, KeyUsageBit, NameConstraints,
    PolicyConstraints, SubjectAltName, SubjectKeyIdentifier,
};
use certkit::x509::{DistinguishedName, Extension, GeneralName, oids, time as x509_time};
use time::{Duration, OffsetDateTime};

use crate::support::clients::Question;
use crate::support::forge::{Forge, Hierarchy, Issuer};
use crate::support::random::Random;

pub(super) const HOST: &str = "www.example.com";

/// The same hierarchy every time, so that a seed gives the same chains but for the numbers in the signatures.
pub(super) fn hierarchy() -> Hierarchy {
    let key = |number: u8| {
        let scalar = der::octet_string(&[number; 32]);
        let sec1 = der::sequence(&[&[tag::INTEGER, 1, 1], &scalar]);
        PrivateKey::from_sec1_der(&sec1, Some(&"1.2.840.10045.3.1.7".parse().unwrap())).unwrap()
    };
    let root = key(1);
    let root = Issuer { certificate: Forge::root("Test Root", &root).sign(&root), key: root };
    let intermediate = key(2);
    let certificate = Forge::intermediate("Test Intermediate", &intermediate, &root).sign(&root.key);
    Hierarchy { root, intermediate: Issuer { key: intermediate, certificate }, leaf_key: key(3) }
}

/// A chain with one or two random changes; to octets too where `octets` says so.
pub(super) fn chain(hierarchy: &Hierarchy, now: OffsetDateTime, octets: bool, random: &mut Random) -> Question {
    let sound = |mut forge: Forge| {
        let days = |days| x509_time::encode(now + Duration::days(days));
        forge.validity = [days(-10), days(80)];
        forge
    };
    let mut root = sound(Forge::root("Test Root", &hierarchy.root.key));
    let mut intermediate =
        sound(Forge::intermediate("Test Intermediate", &hierarchy.intermediate.key, &hierarchy.root));
    let mut leaf = sound(hierarchy.server(HOST));
    // Most changes to the leaf: nothing else needs a process of its own to judge.
    let target = [0, 0, 0, 1, 2][random.below(5)];
    let raw = octets && random.one_in(4);
    if !raw {
        for _ in 0..1 + random.below(2) {
            let forge = [&mut leaf, &mut intermediate, &mut root].into_iter().nth(target).unwrap();
            change(forge, target > 0, now, random);
        }
    }
    let mut encodings = [
        leaf.sign_der(&hierarchy.intermediate.key),
        intermediate.sign_der(&hierarchy.root.key),
        root.sign_der(&hierarchy.root.key),
    ];
    if raw {
        let signer = if target == 0 { &hierarchy.intermediate.key } else { &hierarchy.root.key };
        encodings[target] = scramble(&encodings[target], signer, random);
    }
    let [leaf, intermediate, root] = encodings;
    let (host, at) = (HOST.to_owned(), now.unix_timestamp());
    Question { leaf, intermediates: vec![intermediate], root, key: Vec::new(), host, at }
}

fn change(forge: &mut Forge, issuer: bool, now: OffsetDateTime, random: &mut Random) {
    let dns = |text: &str| GeneralName::Dns(text.to_owned());
    let critical = random.one_in(2);
    match random.below(22) {
        0 => forge.version = *random.pick(&[1, 2, 4]),
        1 => {
            forge.serial = random
                .pick(&[vec![0], vec![0x80], vec![0xff; 8], vec![0x45; 20], vec![0x45; 21], vec![0, 0x80]])
                .clone()
        }
        2 => {
            let mut moment = || x509_time::encode(now + Duration::days(random.below(200) as i64 - 100));
            forge.validity = [moment(), moment()];
        }
        3 => forge.subject = random.pick(&names()).clone(),
        4 => forge.issuer = random.pick(&names()).clone(),
        5 => {
            let path_len = random.pick(&[None, Some(0), Some(1), Some(300)]);
            forge.set(&BasicConstraints { ca: random.one_in(2), path_len: *path_len }, critical);
        }
        6 => forge.remove::<BasicConstraints>(),
        7 => {
            let all = KeyUsageBit::ALL;
            let bits: Vec<KeyUsageBit> = all.iter().copied().filter(|_| random.one_in(2)).collect();
            forge.set(&KeyUsage::new(&bits), critical);
        }
        8 => forge.remove::<KeyUsage>(),
        9 => {
            let all = [oids::SERVER_AUTH, oids::CLIENT_AUTH, oids::ANY_EXTENDED_KEY_USAGE, oids::OCSP_SIGNING];
            let list: Vec<_> = all.into_iter().filter(|_| random.one_in(2)).collect();
            forge.set(&ExtendedKeyUsage(list), critical);
        }
        10 => forge.remove::<ExtendedKeyUsage>(),
        11 => {
            let all = [
                dns(HOST),
                dns("*.example.com"),
                dns("www.example.net"),
                dns("WWW.example.COM"),
                dns("*.com"),
                dns("w*.example.com"),
                dns("a_b.example.com"),
                dns(""),
                dns("bücher.example"),
                GeneralName::Email("a@example.com".to_owned()),
                GeneralName::Uri("https://www.example.com/".to_owned()),
                GeneralName::Ip(vec![127, 0, 0, 1]),
                GeneralName::Ip(vec![127, 0, 0]),
                GeneralName::Directory(DistinguishedName::common_name_only("x")),
            ];
            let list: Vec<_> = (0..1 + random.below(3)).map(|_| random.pick(&all).clone()).collect();
            forge.set(&SubjectAltName(list), critical);
        }
        12 => forge.remove::<SubjectAltName>(),
        13 => forge.remove::<AuthorityKeyIdentifier>(),
        14 => forge.remove::<SubjectKeyIdentifier>(),
        15 => {
            let key_identifier = random.pick(&[None, Some(vec![]), Some(vec![1; 20])]).clone();
            forge.set(&AuthorityKeyIdentifier { key_identifier, ..Default::default() }, critical);
        }
        16 => forge.set(&SubjectKeyIdentifier(vec![random.below(3) as u8; random.below(21)]), critical),
        17 if issuer => {
            let bases =
                [dns("example.com"), dns("example.net"), dns(".example.com"), dns(""), GeneralName::Ip(vec![0; 8])];
            let subtree = GeneralSubtree { base: random.pick(&bases).clone(), minimum: 0, maximum: None };
            let (permitted, excluded) =
                if random.one_in(2) { (vec![subtree], vec![]) } else { (vec![], vec![subtree]) };
            forge.set(&NameConstraints { permitted, excluded }, critical);
        }
        18 if issuer => {
            let asks = PolicyConstraints {
                require_explicit_policy: Some(random.below(3) as u64),
                inhibit_policy_mapping: None,
            };
            forge.set(&asks, critical);
        }
        19 => forge.set_raw(Extension { oid: "1.2.3.4".parse().unwrap(), critical, value: der::null() }),
        20 => {
            let twice = random.pick(&forge.extensions).clone();
            forge.extensions.push(twice);
        }
        21 => forge.unique_identifiers = der::tlv(tag::context(1), &[0, 1]),
        _ => {
            let order = random.below(forge.extensions.len().max(1));
            forge.extensions.rotate_left(order);
        }
    }
}

fn names() -> Vec<DistinguishedName> {
    ["www.example.com", "Test Root", "Test Intermediate", "other"]
        .map(DistinguishedName::common_name_only)
        .into_iter()
        .chain([DistinguishedName::empty(), "C=de,O=x".parse().unwrap()])
        .collect()
}

/// Changes one octet of the signed part, or takes one out, or puts one in, and signs it again: lengths around it may then
/// be wrong, as they come from a broken issuer.
fn scramble(certificate: &[u8], key: &PrivateKey, random: &mut Random) -> Vec<u8> {
    let mut outer = Reader::new(certificate).sequence().unwrap();
    let mut tbs = outer.expect_tlv(tag::SEQUENCE).unwrap().raw.to_vec();
    let algorithm = outer.expect_tlv(tag::SEQUENCE).unwrap().raw;
    // The header of the whole stays: a length there is refused by everyone.
    let at = 4 + random.below(tbs.len() - 4);
    match random.below(4) {
        0 => tbs[at] ^= 1 << random.below(8),
        1 => tbs[at] = random.next() as u8,
        2 => tbs[at] = *random.pick(&[0x00, 0x01, 0x02, 0x05, 0x0c, 0x13, 0x16, 0x30, 0x80, 0xff]),
        _ => {
            let other = 4 + random.below(tbs.len() - 4);
            tbs.swap(at, other);
        }
    }
    let signature = key.sign(key.signature_algorithm(), &tbs).unwrap();
    der::sequence(&[&tbs, algorithm, &der::bit_string(&signature)])
}
