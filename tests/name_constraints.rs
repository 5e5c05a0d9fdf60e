//! Name constraints, after section 4.13 of NIST's Public Key Interoperability Test Suite (PKITS): the same behaviours on
//! chains made here.

use certkit::verify::Check;
use certkit::x509::extension::{GeneralSubtree, NameConstraints, SubjectAltName};
use certkit::x509::name::Attribute;
use certkit::x509::{DistinguishedName, GeneralName, oids};

use crate::support::chain::{Chain, text};
use crate::support::forge::Forge;
use crate::support::{Sandbox, peer};

/// Constraints of one authority: `+` before a permitted base and `-` before an excluded one.
type Bases = &'static [&'static str];

/// Constraints from the top down, the subject, the subjectAltNames, and whether they keep to the constraints.
type Row = (&'static str, &'static [Bases], &'static str, &'static [&'static str], bool);

const ROWS: &[Row] = &[
    ("4.13.1", &[&["+dn:O=P1"]], "O=P1/CN=a", &[], true),
    ("4.13.2", &[&["+dn:O=P1"]], "O=E1/CN=a", &[], false),
    ("4.13.2, a longer value", &[&["+dn:O=P1"]], "O=P10/CN=a", &[], false),
    ("4.13.2, deeper down", &[&["+dn:O=P1"]], "O=E1/O=P1/CN=a", &[], false),
    ("4.13.3", &[&["+dn:O=P1"]], "O=P1/CN=a", &["dn:O=E1/CN=a"], false),
    ("4.13.4", &[&["+dn:O=P1"]], "O=P1/CN=a", &["dn:O=P1/CN=b"], true),
    ("4.13.5", &[&["+dn:O=P1", "+dn:O=P2"]], "O=P2/CN=a", &[], true),
    ("4.13.6", &[&["-dn:O=E1"]], "O=P1/CN=a", &[], true),
    ("4.13.7", &[&["-dn:O=E1"]], "O=E1/CN=a", &[], false),
    ("4.13.7, other case and spaces", &[&["-dn:O=Bad  Company"]], "O=BAD company/CN=a", &[], false),
    ("4.13.8", &[&["-dn:O=E1", "-dn:O=E2"]], "O=E1/CN=a", &[], false),
    ("4.13.9", &[&["-dn:O=E1", "-dn:O=E2"]], "O=E2/CN=a", &[], false),
    ("4.13.10", &[&["+dn:O=P1", "-dn:O=P1/OU=E"]], "O=P1/OU=E/CN=a", &[], false),
    ("4.13.11", &[&["+dn:O=P1", "-dn:O=P1/OU=E"]], "O=P1/OU=P/CN=a", &[], true),
    ("4.13.12", &[&["+dn:O=P1"], &["+dn:O=P1/OU=P"]], "O=P1/CN=a", &[], false),
    ("4.13.12, inside both", &[&["+dn:O=P1"], &["+dn:O=P1/OU=P"]], "O=P1/OU=P/CN=a", &[], true),
    ("4.13.13", &[&["+dn:O=P1"], &["+dn:O=P2"]], "O=P2/CN=a", &[], false),
    ("4.13.13, the other", &[&["+dn:O=P1"], &["+dn:O=P2"]], "O=P1/CN=a", &[], false),
    ("4.13.14", &[&["+dn:O=P1"]], "", &["email:a@example.test"], true),
    ("4.13.15", &[&["-dn:O=E1"], &["-dn:O=E2"]], "O=E1/CN=a", &[], false),
    ("4.13.16", &[&["-dn:O=E1"], &["-dn:O=E2"]], "O=E2/CN=a", &[], false),
    ("4.13.17", &[&["-dn:O=E1"], &["+dn:O=E1"]], "O=E1/CN=a", &[], false),
    ("4.13.18", &[&["-dn:O=E1"], &["+dn:O=P1"]], "O=P1/CN=a", &[], true),
    ("4.13.21", &[&["+email:.gov.test"]], "O=a", &["email:a@mail.gov.test"], true),
    ("4.13.22", &[&["+email:.gov.test"]], "O=a", &["email:a@gov.test"], false),
    ("4.13.23", &[&["+email:gov.test"]], "O=a", &["email:a@GOV.test"], true),
    ("4.13.24", &[&["+email:gov.test"]], "O=a", &["email:a@mail.gov.test"], false),
    ("4.13.25", &[&["-email:gov.test"]], "O=a", &["email:a@mail.gov.test"], true),
    ("4.13.26", &[&["-email:gov.test"]], "O=a", &["email:a@gov.test"], false),
    ("one mailbox", &[&["+email:a@gov.test"]], "O=a", &["email:a@gov.test"], true),
    ("another mailbox", &[&["+email:a@gov.test"]], "O=a", &["email:b@gov.test"], false),
    ("4.13.27", &[&["+dn:O=P1"], &["+email:gov.test"]], "O=P1/CN=a", &["email:a@gov.test"], true),
    ("4.13.28", &[&["+dn:O=P1"], &["+email:gov.test"]], "O=P1/CN=a", &["email:a@mail.gov.test"], false),
    ("4.13.29", &[&["+dn:O=P1"], &["+email:gov.test"]], "O=P1/E=a@mail.gov.test", &[], false),
    ("4.13.29, inside", &[&["+dn:O=P1"], &["+email:gov.test"]], "O=P1/E=a@gov.test", &[], true),
    ("4.13.30", &[&["+dns:gov.test"]], "O=a", &["dns:www.gov.test"], true),
    ("4.13.31", &[&["+dns:gov.test"]], "O=a", &["dns:www.bad.test"], false),
    ("4.13.32", &[&["-dns:bad.test"]], "O=a", &["dns:www.gov.test"], true),
    ("4.13.33", &[&["-dns:bad.test"]], "O=a", &["dns:www.bad.test"], false),
    ("4.13.38", &[&["+dns:gov.test"]], "O=a", &["dns:mygov.test"], false),
    ("one of several names", &[&["+dns:gov.test"]], "O=a", &["dns:a.gov.test", "dns:a.bad.test"], false),
    ("4.13.34", &[&["+uri:.gov.test"]], "O=a", &["uri:http://www.gov.test/index.html"], true),
    ("4.13.35", &[&["+uri:.gov.test"]], "O=a", &["uri:http://gov.test/invalid.html"], false),
    ("4.13.36", &[&["-uri:bad.test"]], "O=a", &["uri:http://www.bad.test/"], true),
    ("4.13.37", &[&["-uri:bad.test"]], "O=a", &["uri:ftp://bad.test:21/invalid.html"], false),
    ("a URI without a host", &[&["+uri:.gov.test"]], "O=a", &["uri:urn:isbn:1"], false),
    ("a URI of an address", &[&["-uri:bad.test"]], "O=a", &["uri:http://10.0.0.1/"], false),
    ("a URI with a user", &[&["-uri:bad.test"]], "O=a", &["uri:http://good.test@BAD.test/"], false),
    ("no name of the form", &[&["+uri:.gov.test", "+email:gov.test"]], "O=a", &["dns:a.test"], true),
];

#[test]
fn names_keep_to_constraints_as_pkits_expects() {
    for row @ (pkits, _, subject, names, kept) in ROWS {
        let failed = chain(row).failures(|forge| present(forge, subject, names));
        let expected: &[Check] = if *kept { &[] } else { &[Check::NameConstraints] };
        assert_eq!(failed, expected, "{pkits}");
    }
}

#[test]
fn openssl_judges_name_constraints_alike() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = Sandbox::new();
    let mut differing = Vec::new();
    for row @ (pkits, _, subject, names, kept) in ROWS {
        let chain = chain(row);
        sandbox.write("root.pem", text(std::slice::from_ref(&chain.root)));
        sandbox.write("chain.pem", text(&chain.authorities));
        sandbox.write("leaf.pem", text(&[chain.leaf(|forge| present(forge, subject, names))]));
        let args = "verify -attime 1795435200 -CAfile root.pem -untrusted chain.pem leaf.pem";
        let said = sandbox.peer(&openssl, &args.split(' ').collect::<Vec<_>>());
        let known = OPENSSL_DIFFERS.iter().find(|(differs, _)| differs == pkits);
        match ((said.code == Some(0)) == *kept, known) {
            (true, None) | (false, Some(_)) => {}
            (true, Some((_, why))) => differing.push(format!("{pkits}: no longer differs: {why}")),
            (false, None) => differing.push(format!("{pkits}: {said}")),
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// Rows that OpenSSL 3 judges otherwise, and why.
const OPENSSL_DIFFERS: &[(&str, &str)] = &[
    ("a URI of an address", "an address is compared as a host; RFC 5280 §4.2.1.10: the certificate MUST be rejected"),
    ("a URI with a user", "`user@` is taken for a part of the host, so the excluded host is not seen"),
];

#[test]
fn a_self_issued_authority_is_exempt_and_a_self_issued_leaf_is_not() {
    let outside = name("O=E1/CN=a");
    let rename = |forge: &mut Forge| forge.subject = outside.clone();
    let limit = |forge: &mut Forge| {
        rename(forge);
        forge.set(&constraints(&["+dn:O=P1"]), true);
    };
    // 4.13.19: an authority outside the subtree that renews its key, and issues inside it.
    let chain = Chain::new().authority(limit).self_issued(|_| {});
    assert_eq!(chain.failures(|forge| present(forge, "O=P1/CN=b", &[])), []);
    // 4.13.20: the last certificate is held against it, self-issued or not.
    assert_eq!(chain.failures(rename), [Check::NameConstraints]);
    // An authority outside that is not self-issued is held against it too.
    let chain = Chain::new().authority(limit).authority(|forge| forge.subject = name("O=E2"));
    assert_eq!(chain.failures(|forge| present(forge, "O=P1/CN=b", &[])), [Check::NameConstraints]);
}

/// Authorities with the constraints of `row`. Their own names keep to any of them.
fn chain((_, links, ..): &Row) -> Chain {
    links.iter().fold(Chain::new(), |chain, bases| {
        let upper = chain.authorities.len();
        chain.authority(|forge| {
            forge.set(&constraints(bases), true);
            if upper == 1 {
                // Inside what the first permits, for it is no self-issued certificate.
                forge.subject = name("O=P1/CN=Lower CA");
            }
        })
    })
}

fn constraints(bases: &[&str]) -> NameConstraints {
    let mut constraints = NameConstraints::default();
    for base in bases {
        let (list, base) = match base.split_at(1) {
            ("+", base) => (&mut constraints.permitted, base),
            (_, base) => (&mut constraints.excluded, base),
        };
        list.push(GeneralSubtree { base: general_name(base), minimum: 0, maximum: None });
    }
    constraints
}

fn present(forge: &mut Forge, subject: &str, names: &[&str]) {
    forge.subject = name(subject);
    forge.remove::<SubjectAltName>();
    if !names.is_empty() {
        forge.set(&SubjectAltName(names.iter().map(|text| general_name(text)).collect()), subject.is_empty());
    }
}

fn general_name(text: &str) -> GeneralName {
    let (kind, value) = text.split_once(':').unwrap();
    match kind {
        "dn" => GeneralName::Directory(name(value)),
        "email" => GeneralName::Email(value.to_owned()),
        "dns" => GeneralName::Dns(value.to_owned()),
        "uri" => GeneralName::Uri(value.to_owned()),
        other => panic!("{other} is no form"),
    }
}

/// `O=P1/OU=P` as two levels.
fn name(text: &str) -> DistinguishedName {
    let level = |part: &str| {
        let (kind, value) = part.split_once('=').unwrap();
        let kind = match kind {
            "O" => oids::ORGANIZATION,
            "OU" => oids::ORGANIZATIONAL_UNIT,
            "CN" => oids::COMMON_NAME,
            "E" => oids::EMAIL_ADDRESS,
            other => panic!("{other} is no attribute"),
        };
        vec![Attribute::new(kind, value)]
    };
    DistinguishedName::new(&text.split('/').filter(|part| !part.is_empty()).map(level).collect::<Vec<_>>())
}
