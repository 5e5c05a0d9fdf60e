//! What a CA does not certify, however it is asked: keys that somebody else has, names that some client takes for excluded ones,
//! and anything below authorities under which clients accept nothing.

use std::fs;

use certkit::container::{Document, PrivateKeyItem};
use certkit::encoding::{der, pem};
use certkit::key::{KeyAlgorithm, PrivateKey};
use certkit::x509::extension::PolicyConstraints;
use certkit::x509::{Certificate, Extension, oids, time as x509_time};
use time::{Duration, OffsetDateTime};

use crate::ca_hierarchy::two_tiers;
use crate::support::forge::Forge;
use crate::support::{Ran, Sandbox, peer};

fn certificate(sandbox: &Sandbox, file: &str) -> Certificate {
    let text = fs::read(sandbox.path(file)).unwrap();
    Document::read(&text).unwrap().certificates().unwrap()[0].clone()
}

#[test]
fn a_compressed_point_is_the_key_that_was_compromised() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = two_tiers(&[]);
    let openssl = |args: &[&str]| sandbox.peer(&openssl, args).expect_code(0);
    for (curve, name) in [("prime256v1", "a"), ("secp384r1", "b")] {
        let file = |end: &str| format!("{name}{end}");
        let (whole, short) = (file(".key"), file("-short.key"));
        let host = format!("{name}.test");
        openssl(&["ecparam", "-name", curve, "-genkey", "-noout", "-out", &whole]);
        openssl(&["ec", "-in", &whole, "-conv_form", "compressed", "-out", &short]);
        let (request, own) = (file(".csr"), file("-own.pem"));
        openssl(&["req", "-new", "-key", &short, "-subj", &format!("/CN={host}"), "-out", &request]);
        let args = ["req", "-x509", "-new", "-key", &short, "-days", "30", "-out", &own, "-subj", "/CN=Other"];
        openssl(&[&args[..], &["-addext", "keyUsage=critical,keyCertSign,cRLSign"]].concat());

        let made = file(".pem");
        let sign = ["ca", "sign", &request, "--force", "--out", &made];
        sandbox.certkit(&sign).expect_code(0);
        let signed = certificate(&sandbox, &made);
        assert!(!signed.public_key().unwrap().is_compressed(), "Go and Java read no other");
        sandbox.certkit(&["key", "match", &made, &whole]).expect_code(0);

        sandbox.certkit(&["ca", "revoke", &made, "--reason", "keyCompromise"]).expect_code(0);
        sandbox.certkit(&sign).expect_code(1).says("compromised");
        let below = ["ca", "intermediate", "--csr", &request, "--issuer", "ca", "--name", "Sub", "--out", "sub.pem"];
        sandbox.certkit(&below).expect_code(1).says("compromised");
        sandbox
            .certkit(&["ca", "cross-sign", &own, "--issuer", "ca", "--out", "cross.pem"])
            .expect_code(1)
            .says("compromised");
    }
    // The CA's own.
    let own = sandbox.ca().join("issuing-key.pem");
    openssl(&["ec", "-in", own.to_str().unwrap(), "-conv_form", "compressed", "-out", "own.key"]);
    openssl(&["req", "-new", "-key", "own.key", "-subj", "/CN=c.test", "-out", "own.csr"]);
    sandbox.certkit(&["ca", "sign", "own.csr"]).expect_code(1).says("the CA's own");
}

#[test]
fn a_compromised_key_is_not_imported_to_sign_again() {
    let sandbox = two_tiers(&[]);
    let key_file = sandbox.ca().join("issuing-key.pem");
    let text = fs::read_to_string(&key_file).unwrap();
    let issuing = sandbox.ca().join("issuing.pem");
    sandbox.certkit(&["ca", "revoke", issuing.to_str().unwrap(), "--reason", "cACompromise"]).expect_code(0);
    let document = Document::read(text.as_bytes()).unwrap();
    let Ok(PrivateKeyItem::Plain(key)) = document.first_private_key() else { panic!("no key") };
    let again = authority("Again", key, |_| {});
    sandbox.write("again.pem", pem::write("CERTIFICATE", &again).as_bytes());
    sandbox.write("again.key", text);
    let import = ["ca", "import", "--cert", "again.pem", "--key", "again.key", "--called", "again"];
    sandbox.certkit(&import).expect_code(2).complains("compromised");
    sandbox.certkit(&["ca", "issue", "a.test", "--issuer", "again"]).expect_code(2);
    sandbox.certkit(&["ca", "check"]).expect_code(0);
}

#[test]
fn a_wildcard_is_not_issued_for_what_is_excluded() {
    let sandbox = two_tiers(&["--permit", "corp.test", "--exclude", "secret.corp.test"]);
    let why = "it stands for dns:secret.corp.test too, which is excluded";
    sandbox.certkit(&["ca", "issue", "*.corp.test"]).expect_code(2).complains(why);
    sandbox.certkit(&["csr", "new", "*.corp.test", "--out", "w.csr", "--keyout", "w.key"]).expect_code(0);
    sandbox.certkit(&["ca", "sign", "w.csr"]).expect_code(1).says(why);
    sandbox.write("list", "*.corp.test\nfine.corp.test\n");
    sandbox.certkit(&["ca", "issue", "--batch", "list"]).expect_code(2).complains(why);
    // What no such client takes for it.
    for name in ["*.a.corp.test", "secretcorp.corp.test"] {
        sandbox.certkit(&["ca", "issue", name]).expect_code(0);
    }
}

#[test]
fn a_mailbox_in_the_subject_is_held_to_constraints_beside_one_in_the_names() {
    let sandbox = two_tiers(&["--permit", "@corp.test"]);
    let issue =
        |subject: &str| sandbox.certkit(&["ca", "issue", "--profile", "email", "c@corp.test", "--subject", subject]);
    issue("emailAddress=ceo@evil.test,CN=C").expect_code(2).complains("may not issue for email:ceo@evil.test");
    issue("emailAddress=c@corp.test,CN=C").expect_code(0);
}

#[test]
fn who_permits_directory_names_alone_permits_nothing_else() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--permit", "dirname:O=Corp"]).expect_code(0);
    let issue = ["ca", "issue", "evil.test", "--subject", "CN=evil.test,O=Corp"];
    sandbox.certkit(&issue).expect_code(2).complains("no name of that form is permitted");
    sandbox.certkit(&["ca", "issue", "--profile", "client", "--subject", "CN=ann,O=Corp"]).expect_code(0);
}

#[test]
fn a_constraint_on_dns_names_begins_with_no_dot() {
    let sandbox = Sandbox::new();
    for option in ["--permit", "--exclude"] {
        sandbox
            .certkit(&["ca", "init", "--permit", "test", option, "dns:.x.test"])
            .expect_code(2)
            .complains("begins with a dot")
            .complains("write x.test");
    }
    let profile = "description = 'own'\ndays = 90\nkey = 'P-256'\nca = true\nkey_usage = ['keyCertSign']\n\
                   name_constraints.permitted = ['dns:.x.test']\n";
    sandbox.write("own.toml", profile);
    sandbox.certkit(&["ca", "profile", "check", "own.toml"]).expect_code(1).says("begins with a dot");
}

/// An authority's own certificate, valid now.
fn authority(name: &str, key: &PrivateKey, change: impl FnOnce(&mut Forge)) -> Vec<u8> {
    let now = OffsetDateTime::now_utc();
    let mut root = Forge::root(name, key);
    root.validity = [now - Duration::days(10), now + Duration::days(900)].map(x509_time::encode);
    change(&mut root);
    root.sign_der(key)
}

/// Whether an imported authority issues.
fn issues(change: impl FnOnce(&mut Forge), profile: &str) -> (Ran, Ran) {
    let sandbox = Sandbox::new();
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    sandbox.write("old.pem", pem::write("CERTIFICATE", &authority("Old", &key, change)).as_bytes());
    sandbox.write("old.key", pem::write("PRIVATE KEY", &key.to_pkcs8_der()).as_bytes());
    sandbox.write("own.toml", profile);
    let imported = sandbox.certkit(&["ca", "import", "--cert", "old.pem", "--key", "old.key"]).expect_code(0);
    let ran = sandbox.certkit(&["ca", "issue", "a.test", "--days", "30", "--profile", "own.toml"]);
    (imported, ran)
}

#[test]
fn nothing_is_issued_that_clients_refuse_for_what_is_above_it() {
    let plain = "description = 'own'\ndays = 30\nkey = 'P-256'\nextended_key_usage = ['serverAuth']\n\
                 key_usage = ['digitalSignature']\nnames = ['dns']\n";
    let unknown = |critical| Extension { oid: oids::TLS_FEATURE, critical, value: der::tlv(der::tag::SEQUENCE, &[]) };
    issues(|root| root.set_raw(unknown(false)), plain).1.expect_code(0);
    let (imported, ran) = issues(|root| root.set_raw(unknown(true)), plain);
    imported.says("a critical extension that clients do not know");
    ran.expect_code(2).complains("critical extension");

    let asking = |after| PolicyConstraints { require_explicit_policy: Some(after), inhibit_policy_mapping: None };
    issues(|root| root.set(&asking(2), true), plain).1.expect_code(0);
    for after in [0, 1] {
        let (imported, ran) = issues(|root| root.set(&asking(after), true), plain);
        imported.says("policyConstraints");
        ran.expect_code(2).complains("requireExplicitPolicy").complains("`policies`");
    }
}

#[test]
fn a_second_chain_is_signed_by_no_ca_that_only_has_its_place() {
    let sandbox = two_tiers(&["--permit", "test"]);
    let beside = format!("{}-ml-dsa", sandbox.ca().display());
    let dual = ["ca", "issue", "a.test", "--dual"];
    sandbox.certkit(&["ca", "init", "--ca", &beside]).expect_code(0);
    sandbox.certkit(&dual).expect_code(2).complains("its key is P-256, not ML-DSA");
    fs::remove_dir_all(&beside).unwrap();
    sandbox.certkit(&["ca", "init", "--ca", &beside, "--type", "ml-dsa-65"]).expect_code(0);
    sandbox.certkit(&dual).expect_code(2).complains("the first has name constraints, and it has none");
    fs::remove_dir_all(&beside).unwrap();
    sandbox.certkit(&dual).expect_code(0);
    sandbox.certkit(&[&dual[..], &["--force"]].concat()).expect_code(0);
}
