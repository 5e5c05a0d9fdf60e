//! `certkit csr`: requests made, shown, and read by others.

use crate::support::{Sandbox, peer, python, skip};

#[test]
fn openssl_verifies_every_request_it_can_read() {
    let Some(openssl) = peer("openssl") else { return };
    for kind in ["p256", "p384", "p521", "rsa:2048", "ed25519"] {
        let sandbox = Sandbox::new();
        let line = ["csr", "new", "--cn", "app.test", "--san", "10.0.0.1", "--type", kind];
        sandbox.certkit(&line).expect_code(0).says("wrote app.test.csr").says("app.test-key.pem");
        let text = sandbox.peer(&openssl, &["req", "-in", "app.test.csr", "-verify", "-noout", "-text"]).expect_code(0);
        let text = text.complains("verify OK").says("DNS:app.test, IP Address:10.0.0.1");
        text.says("CA:FALSE").says("Digital Signature").says("TLS Web Server Authentication");
        #[cfg(unix)]
        assert_eq!(sandbox.mode("app.test-key.pem"), 0o600);
    }
}

#[test]
fn python_verifies_requests_with_ml_dsa_keys_too() {
    let Some(python) = python() else { return };
    let check = "\
import sys, cryptography
from cryptography import x509
if sys.argv[1].startswith('ml-dsa') and int(cryptography.__version__.split('.')[0]) < 50: sys.exit(77)
request = x509.load_pem_x509_csr(open('r.csr', 'rb').read())
assert request.is_signature_valid
assert request.subject.rfc4514_string() == 'CN=app.test,OU=b,OU=a'";
    for kind in ["p256", "rsa:2048", "ml-dsa-44", "ml-dsa-65"] {
        let sandbox = Sandbox::new();
        let line = ["csr", "new", "--subject", "CN=app.test,OU=b,OU=a", "--type", kind, "--out", "r.csr"];
        sandbox.certkit(&line).expect_code(0);
        match sandbox.peer(&python, &["-c", check, kind]) {
            ran if ran.code == Some(77) => return skip("cryptography before 50 verifies no ML-DSA").unwrap_or(()),
            ran => _ = ran.expect_code(0),
        }
    }
}

#[test]
fn what_is_made_is_shown() {
    let sandbox = Sandbox::new();
    let made = sandbox.certkit(&["csr", "new", "app.test", "::1", "--json"]).expect_code(0).json();
    let expected = serde_json::json!({
        "request_file": "app.test.csr", "key_file": "app.test-key.pem", "key_is_new": true, "key_encrypted": false,
        "key_type": "P-256", "profile": "server", "subject": "CN=app.test", "names": ["dns:app.test", "ip:::1"],
        "notes": [],
    });
    assert_eq!(made, expected);
    let shown = sandbox.certkit(&["csr", "show", "app.test.csr", "--json"]).expect_code(0).json();
    assert_eq!((&shown["subject"], &shown["names"]), (&made["subject"], &made["names"]));
    assert_eq!((&shown["proof_of_possession"], &shown["file"]), (&true.into(), &"app.test.csr".into()));
    assert_eq!(shown["public_key"]["algorithm"], "P-256");
    let prose = sandbox.certkit(&["csr", "show", "app.test.csr"]).expect_code(0);
    prose.says("CN=app.test").says("ip:::1").says("serverAuth").says("proven: signed with the key");
}

#[test]
fn a_request_signed_with_another_key_is_a_no() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["csr", "new", "app.test", "--type", "rsa:2048"]).expect_code(0);
    let text = String::from_utf8(sandbox.read("app.test.csr")).unwrap();
    // The last line but one holds the end of the signature.
    let lines: Vec<&str> = text.lines().collect();
    let last = lines[lines.len() - 2];
    let other = if last.starts_with('A') { "B" } else { "A" };
    let forged = text.replace(last, &format!("{other}{}", &last[1..]));
    sandbox.write("forged.csr", forged);
    let ran = sandbox.certkit(&["csr", "show", "forged.csr"]).expect_code(1).says("not proven");
    assert!(ran.stderr.is_empty(), "{ran}");
    let json = sandbox.certkit(&["csr", "show", "forged.csr", "--json"]).expect_code(1).json();
    assert_eq!(json["proof_of_possession"], false);
    assert!(json["possession_problem"].is_string());
}

#[test]
fn requests_of_others_are_shown() {
    let Some(openssl) = peer("openssl") else { return };
    for key in [&["rsa:2048"][..], &["ec", "-pkeyopt", "ec_paramgen_curve:P-384"], &["ed25519"]] {
        let sandbox = Sandbox::new();
        let args = ["req", "-new", "-nodes", "-keyout", "k.pem", "-out", "r.der", "-outform", "DER", "-subj"];
        let rest = ["/O=Ex/CN=x.test", "-addext", "subjectAltName=DNS:x.test", "-newkey"];
        sandbox.peer(&openssl, &[&args[..], &rest, key].concat()).expect_code(0);
        sandbox.certkit(&["csr", "show", "r.der"]).expect_code(0).says("CN=x.test,O=Ex").says("dns:x.test");
    }
}

#[test]
fn an_existing_key_is_asked_for() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["key", "new", "--type", "ed25519", "--out", "k.pem"]).expect_code(0);
    let ran = sandbox.certkit(&["csr", "new", "ann@a.test", "--profile", "email", "--key", "k.pem", "--out", "r.csr"]);
    ran.expect_code(0).says("for k.pem: Ed25519 private key");
    sandbox.certkit(&["key", "match", "k.pem", "r.csr"]).expect_code(0);
    sandbox.certkit(&["csr", "show", "r.csr"]).expect_code(0).says("emailProtection").says("email:ann@a.test");
    assert_eq!(sandbox.listing(), ["k.pem", "r.csr"]);
}

#[test]
fn bad_input_is_one_line_and_writes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["new", "localhost"]).expect_code(0);
    sandbox.write("empty", "");
    sandbox.write("garbage", [0xff; 40]);
    let before = sandbox.listing();
    for (args, why) in [
        (&["new"][..], "there is no name to certify"),
        (&["new", "--cn", "My App"], "`My App` is no host name or IP address"),
        (&["new", "..", "--out", "x"], "is not a domain name"),
        (&["new", "a.test", "--out", "localhost.pem"], "cannot write localhost.pem: it exists already"),
        (&["new", "ann@a.test"], "has no place for email:ann@a.test"),
        (&["new", "a.test", "--days", "3"], "unexpected argument '--days'"),
        (&["show", "localhost.pem"], "cannot use localhost.pem"),
        (&["show", "localhost-key.pem"], "cannot use localhost-key.pem"),
        (&["show", "empty"], "cannot read empty: it is empty"),
        (&["show", "garbage"], "cannot use garbage"),
        (&["show", "."], "cannot read .: it is a folder"),
        (&["show", "none.csr"], "cannot read none.csr: no such file"),
        (&["show"], "were not provided"),
    ] {
        let ran = sandbox.command().arg("csr").args(args).expect_code(2).complains(why);
        assert!(ran.stdout.is_empty() && ran.stderr.lines().count() <= 2, "{ran}");
        assert_eq!(sandbox.listing(), before, "{args:?}");
    }
}
