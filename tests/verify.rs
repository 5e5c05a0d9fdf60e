//! `certkit verify`: answers, exit statuses, and what stands in the report.

use certkit::encoding::der::{self, tag};
use certkit::encoding::pem;
use certkit::verify::{Identity, Verifier};
use certkit::x509::extension::{ExtendedKeyUsage, SubjectAltName};
use certkit::x509::name::Attribute;
use certkit::x509::{Certificate, DistinguishedName, GeneralName, oids};

use crate::support::forge::{Forge, Hierarchy, NOON};
use crate::support::{Sandbox, peer};

const AT: &str = "2026-11-23T12:00:00Z";

/// A folder with `root.pem`, and `chain.pem`: a certificate for www.example.com and its intermediate.
struct Chain {
    sandbox: Sandbox,
    hierarchy: Hierarchy,
}

impl Chain {
    fn new() -> Self {
        let hierarchy = Hierarchy::new();
        let sandbox = Sandbox::new();
        let leaf = hierarchy.server("www.example.com").sign(&hierarchy.intermediate.key);
        sandbox.write("root.pem", text(&[&hierarchy.root.certificate]));
        sandbox.write("chain.pem", text(&[&leaf, &hierarchy.intermediate.certificate]));
        Self { sandbox, hierarchy }
    }

    fn verify(&self, args: &[&str]) -> crate::support::Ran {
        let fixed = ["verify", "--at", AT, "--roots", "root.pem"];
        self.sandbox.certkit(&[&fixed[..], args].concat())
    }
}

fn text(certificates: &[&Certificate]) -> String {
    certificates.iter().map(|certificate| pem::write("CERTIFICATE", certificate.der()).to_string()).collect()
}

#[test]
fn the_right_name_is_accepted_and_the_wrong_one_rejected() {
    let chain = Chain::new();
    chain.verify(&["chain.pem", "--host", "www.example.com"]).expect_code(0).says("ACCEPTED");
    chain.verify(&["chain.pem", "--host", "WWW.Example.Com."]).expect_code(0);
    let ran = chain.verify(&["chain.pem", "--host", "example.com"]).expect_code(1).says("REJECTED");
    ran.says("\"example.com\" was asked for and the certificate is for www.example.com").says("[RFC 9525 §6]");
}

#[test]
fn every_check_is_told_with_its_clause_and_values() {
    let ran = Chain::new().verify(&["chain.pem", "--host", "www.example.com"]).expect_code(0);
    let ran = ran.says("yes validity").says("from 2026-11-13T12:00:00Z to 2027-02-11T12:00:00Z");
    let ran = ran.says("ecdsa-with-SHA256, made by the key of \"Test Intermediate\"  [RFC 5280 §6.1.3 (a)(1)]");
    ran.says("issuer \"CN=Test Root\" is the subject of certificate 2").says("leads to the trusted \"Test Root\"");
}

#[test]
fn a_verdict_without_a_name_has_to_be_asked_for() {
    let chain = Chain::new();
    chain.verify(&["chain.pem"]).expect_code(2).complains("no name was given").complains("--no-host");
    chain.verify(&["chain.pem", "--no-host"]).expect_code(0).says("for any name");
    chain.verify(&["chain.pem", "--no-host", "--host", "a.test"]).expect_code(2);
    chain.verify(&["chain.pem", "--host", "https://www.example.com/"]).expect_code(2).complains("is a URL");
    chain.verify(&["chain.pem", "--host", "www.example.com:443"]).expect_code(2).complains("has a port");
    chain.verify(&["chain.pem", "--host", ""]).expect_code(2);
}

#[test]
fn roots_that_cannot_be_loaded_fail_closed() {
    let chain = Chain::new();
    chain.sandbox.write("empty.pem", "");
    chain.sandbox.write("garbage.pem", [0_u8, 1, 2, 3]);
    chain.sandbox.write("cut.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n");
    let root = String::from_utf8(chain.sandbox.read("root.pem")).unwrap();
    chain.sandbox.write("half.pem", format!("{root}-----BEGIN CERTIFICATE-----\nMIIB\n"));
    for roots in ["missing.pem", "empty.pem", "garbage.pem", "cut.pem", "half.pem", "."] {
        let args = ["verify", "chain.pem", "--host", "www.example.com", "--at", AT, "--roots", roots];
        let ran = chain.sandbox.certkit(&args).expect_code(2).complains("no usable roots in ").complains(roots);
        assert_eq!(ran.stdout, "", "{roots}");
    }
}

#[test]
fn the_systems_roots_are_the_default() {
    let chain = Chain::new();
    let args = ["verify", "chain.pem", "--host", "www.example.com", "--at", AT];
    let root = chain.sandbox.path("root.pem");
    chain.sandbox.command().args(args).env("SSL_CERT_FILE", root).run().expect_code(0);
    let nowhere = chain.sandbox.path("nowhere.pem");
    let ran = chain.sandbox.command().args(args).env("SSL_CERT_FILE", nowhere).run();
    ran.expect_code(2).complains("the system's roots cannot be loaded");
}

#[test]
fn every_block_of_the_file_is_accounted_for() {
    let chain = Chain::new();
    let good = String::from_utf8(chain.sandbox.read("chain.pem")).unwrap();
    chain
        .sandbox
        .write("garbage-after.pem", format!("{good}-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n"));
    let ran = chain.verify(&["garbage-after.pem", "--host", "www.example.com"]).expect_code(1).says("REJECTED");
    let line = good.lines().count() + 1;
    ran.says(&format!("block 3 (line {line})")).says("does not hold base64");

    let key = pem::write("PRIVATE KEY", &chain.hierarchy.leaf_key.to_pkcs8_der());
    chain.sandbox.write("one-file.pem", format!("{}{good}", *key));
    let ran = chain.verify(&["one-file.pem", "--host", "www.example.com"]).expect_code(0);
    ran.says("block 1 (line 1) is a private key and not used");
}

#[test]
fn what_is_no_certificate_could_not_be_judged() {
    let chain = Chain::new();
    let key = pem::write("PRIVATE KEY", &chain.hierarchy.leaf_key.to_pkcs8_der());
    chain.sandbox.write("key.pem", key.as_bytes());
    chain.sandbox.write("empty.pem", "");
    chain.sandbox.write("noise.bin", [0x00, 0xff, 0x13, 0x37]);
    chain.sandbox.write("words.txt", "hello\n");
    for (file, why) in [
        ("key.pem", "it holds a private key where a certificate is due"),
        ("empty.pem", "empty"),
        ("noise.bin", "neither PEM nor DER"),
        ("words.txt", "neither PEM nor DER"),
        ("missing.pem", "no such file"),
        (".", "folder"),
    ] {
        let ran = chain.verify(&[file, "--host", "www.example.com"]).expect_code(2).complains(why).complains(file);
        assert_eq!((ran.stdout.as_str(), ran.stderr.lines().count().min(2) > 0), ("", true));
    }
}

#[test]
fn a_common_name_never_counts_and_is_named_where_it_once_did() {
    let chain = Chain::new();
    let mut forge = chain.hierarchy.server("www.example.com");
    forge.remove::<SubjectAltName>();
    let leaf = forge.sign(&chain.hierarchy.intermediate.key);
    chain.sandbox.write("cn.pem", text(&[&leaf, &chain.hierarchy.intermediate.certificate]));
    let ran = chain.verify(&["cn.pem", "--host", "www.example.com"]).expect_code(1);
    ran.says("has no subjectAltName").says("its commonName \"www.example.com\" would have matched in clients");
}

#[test]
fn addresses_are_matched_as_addresses() {
    let chain = Chain::new();
    let mut forge = chain.hierarchy.server("10.0.0.1");
    let leaf = forge.sign(&chain.hierarchy.intermediate.key);
    chain.sandbox.write("dns.pem", text(&[&leaf, &chain.hierarchy.intermediate.certificate]));
    let ran = chain.verify(&["dns.pem", "--host", "10.0.0.1"]).expect_code(1);
    ran.says("10.0.0.1 stands as a dNSName, where an IP address does not count");

    forge.set(&SubjectAltName(vec![GeneralName::Ip(vec![10, 0, 0, 1]), "::1".parse().unwrap()]), false);
    let leaf = forge.sign(&chain.hierarchy.intermediate.key);
    chain.sandbox.write("ip.pem", text(&[&leaf, &chain.hierarchy.intermediate.certificate]));
    chain.verify(&["ip.pem", "--host", "10.0.0.1", "--host", "[::1]"]).expect_code(0);
    chain.verify(&["ip.pem", "--host", "10.0.0.1", "--host", "10.0.0.2"]).expect_code(1).says("10.0.0.2");
}

#[test]
fn time_purpose_and_depth_are_asked_for() {
    let chain = Chain::new();
    let args = ["verify", "chain.pem", "--host", "www.example.com", "--roots", "root.pem", "--at"];
    let at = |time| chain.sandbox.certkit(&[&args[..], &[time]].concat());
    at("2027-02-11").expect_code(0);
    at("2027-02-13").expect_code(1).says("expired on 2027-02-11T12:00:00Z, 36 hours before the time of judgment");
    at("2026-01-01").expect_code(1).says("not valid before 2026-11-13T12:00:00Z");
    at("yesterday").expect_code(2);
    let ran = chain.verify(&["chain.pem", "--host", "www.example.com", "--purpose", "client"]).expect_code(1);
    ran.says("extKeyUsage lists serverAuth and not clientAuth");
    chain.verify(&["chain.pem", "--host", "www.example.com", "--purpose", "any"]).expect_code(0);
    chain.verify(&["chain.pem", "--host", "www.example.com", "--max-depth", "0"]).expect_code(1);
    chain.verify(&["chain.pem", "--host", "www.example.com", "--max-depth", "1"]).expect_code(0);
}

#[test]
fn a_missing_intermediate_is_named_and_may_be_given() {
    let chain = Chain::new();
    let leaf = chain.hierarchy.server("www.example.com").sign(&chain.hierarchy.intermediate.key);
    chain.sandbox.write("leaf.pem", text(&[&leaf]));
    chain.sandbox.write("intermediate.pem", text(&[&chain.hierarchy.intermediate.certificate]));
    let ran = chain.verify(&["leaf.pem", "--host", "www.example.com"]).expect_code(1);
    ran.says("no certificate of the issuer \"CN=Test Intermediate\"").says("--intermediates");
    chain.verify(&["leaf.pem", "--host", "www.example.com", "--intermediates", "intermediate.pem"]).expect_code(0);
    chain.verify(&["leaf.pem", "--host", "www.example.com", "--intermediates", "missing.pem"]).expect_code(2);
}

#[test]
fn the_answer_in_json_has_its_schema() {
    let chain = Chain::new();
    let json = chain.verify(&["chain.pem", "--host", "www.example.com", "--json"]).expect_code(0).json();
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    for key in
        ["schema", "file", "accepted", "at", "policy", "purpose", "names", "reasons", "warnings", "paths", "blocks"]
    {
        assert!(keys.contains(&key), "{key} is missing from {keys:?}");
    }
    assert_eq!(
        (&json["schema"], &json["accepted"], &json["at"]),
        (&"certkit.verify/1".into(), &true.into(), &AT.into())
    );
    assert_eq!(json["paths"][0]["certificates"][2]["role"], "trusted root");
    let findings = json["paths"][0]["findings"].as_array().unwrap();
    assert!(findings.iter().all(|finding| finding["outcome"] == "yes" && finding["clause"].as_str().is_some()));

    let json = chain.verify(&["chain.pem", "--host", "other.test", "--json"]).expect_code(1).json();
    assert_eq!((&json["accepted"], &json["reasons"][0]["check"]), (&false.into(), &"identity".into()));
    assert_eq!(json["reasons"][0]["certificate"], 0);
    assert!(json["reasons"][0]["hint"].as_str().unwrap().contains("certkit ca issue other.test"));
}

#[test]
fn stdin_is_a_file_too() {
    let chain = Chain::new();
    let args = ["verify", "-", "--host", "www.example.com", "--at", AT, "--roots", "root.pem"];
    chain.sandbox.command().args(args).stdin(chain.sandbox.read("chain.pem")).run().expect_code(0).says("ACCEPTED");
}

#[test]
fn the_table_of_rules_is_shown() {
    let sandbox = Sandbox::new();
    let rows = sandbox.certkit(&["verify", "--rules"]).expect_code(0).stdout.lines().count();
    let json = sandbox.certkit(&["verify", "--rules", "--json"]).expect_code(0).json();
    assert_eq!(json["rules"].as_array().unwrap().len(), rows - 1);
    assert_eq!(json["rules"].as_array().unwrap().len(), certkit::verify::check::RULES.len());
}

#[test]
fn no_changed_bit_of_a_certificate_goes_unnoticed() {
    let hierarchy = Hierarchy::new();
    let leaf = hierarchy.server("www.example.com").sign(&hierarchy.intermediate.key);
    let mut verifier = Verifier::new(vec![hierarchy.root.certificate.clone()], NOON);
    verifier.intermediates = vec![hierarchy.intermediate.certificate.clone()];
    verifier.identities = vec![Identity::Server("www.example.com".parse().unwrap())];
    assert!(verifier.judge(&leaf).is_accepted());
    for bit in 0..leaf.der().len() * 8 {
        let mut changed = leaf.der().to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        let accepted = Certificate::from_der(&changed).is_ok_and(|changed| verifier.judge(&changed).is_accepted());
        assert!(!accepted, "bit {bit} of {} was changed and the certificate accepted", leaf.der().len() * 8);
    }
}

/// Each was accepted once, and found by comparing with others (`differential.rs`).
#[test]
fn damage_that_strict_clients_see_is_seen() {
    let hierarchy = Hierarchy::new();
    let mut verifier = Verifier::new(vec![hierarchy.root.certificate.clone()], NOON);
    verifier.intermediates = vec![hierarchy.intermediate.certificate.clone()];
    verifier.identities = vec![Identity::Server("www.example.com".parse().unwrap())];
    let judge = |change: &dyn Fn(&mut Forge)| {
        let mut forge = hierarchy.server("www.example.com");
        change(&mut forge);
        let parsed =
            Certificate::from_der(&forge.sign_der(&hierarchy.intermediate.key)).map_err(|it| it.to_string())?;
        let verdict = verifier.judge(&parsed);
        let reasons: Vec<String> = verdict.reasons().iter().map(ToString::to_string).collect();
        if verdict.is_accepted() { Ok(()) } else { Err(reasons.join("; ")) }
    };
    assert_eq!(judge(&|_| {}), Ok(()));
    let refused = |change: &dyn Fn(&mut Forge), why: &str| {
        let said = judge(change).expect_err(why);
        assert!(said.contains(why), "{said}");
    };
    refused(&|forge| forge.validity[0][0] = 0x97, "neither UTCTime nor GeneralizedTime");
    refused(&|forge| forge.validity[1].extend(der::null()), "octets are left over");
    refused(&|forge| *forge.public_key_info.last_mut().unwrap() ^= 1, "its point does not lie on P-256");
    let subject = |tag: u8, value: &[u8]| {
        let attribute = Attribute { kind: oids::ORGANIZATION, tag, value: value.to_vec() };
        DistinguishedName::new(&[vec![attribute]])
    };
    let not_text = "a string that is not encoded as its type says";
    refused(&|forge| forge.subject = subject(tag::UTF8_STRING, b"Caf\xe9"), not_text);
    refused(&|forge| forge.subject = subject(tag::BMP_STRING, b"abc"), not_text);
    refused(&|forge| forge.subject = subject(0, b"abc"), "an attribute value has tag 0");
    refused(&|forge| forge.subject = subject(0x2c, b"\x0c\x01a"), "a string is in pieces");
    refused(&|forge| forge.subject = subject(0x8b, b"abc"), "a string of X.520 has no universal tag");
    refused(&|forge| forge.subject = subject(tag::INTEGER, &[5]), "a type that is no string, which X.520 wants");
    let mut odd = hierarchy.server("www.example.com").sign_der(&hierarchy.intermediate.key);
    let version = odd.windows(5).position(|octets| octets == [0xa0, 3, 2, 1, 2]).unwrap();
    odd[version + 2] = 0x82;
    assert!(Certificate::from_der(&odd).is_err_and(|error| error.to_string().contains("version")));
    let short = [GeneralName::Dns("www.example.com".into()), GeneralName::Ip(vec![127, 0, 0])];
    refused(&|forge| forge.set(&SubjectAltName(short.to_vec()), false), "neither 4 nor 16 octets");
}

#[test]
fn openssl_agrees_on_sound_and_unsound_chains() {
    let Some(openssl) = peer("openssl") else { return };
    let chain = Chain::new();
    let mut forge = chain.hierarchy.server("www.example.com");
    forge.set(&ExtendedKeyUsage(vec![oids::CLIENT_AUTH]), false);
    let client = forge.sign(&chain.hierarchy.intermediate.key);
    chain.sandbox.write("client.pem", text(&[&client, &chain.hierarchy.intermediate.certificate]));
    for (file, host, expected) in [
        ("chain.pem", "www.example.com", 0),
        ("chain.pem", "other.example.com", 1),
        ("client.pem", "www.example.com", 1),
    ] {
        chain.verify(&[file, "--host", host]).expect_code(expected);
        let at = NOON.unix_timestamp().to_string();
        let judged = chain.sandbox.peer(
            &openssl,
            &[
                "verify",
                "-x509_strict",
                "-CAfile",
                "root.pem",
                "-untrusted",
                file,
                "-purpose",
                "sslserver",
                "-verify_hostname",
                host,
                "-attime",
                &at,
                file,
            ],
        );
        assert_eq!(judged.code == Some(0), expected == 0, "{file} {host}: {judged}");
    }
}
