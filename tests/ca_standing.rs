//! What an authority does that is revoked or on hold, and whose keys are certified for nothing else.

use std::fs;

use crate::ca_hierarchy::two_tiers;
use crate::support::Sandbox;

fn serial_of(sandbox: &Sandbox, name: &str) -> String {
    let shown = sandbox.certkit(&["ca", "show", "--json"]).expect_code(0).json();
    let all = shown["authorities"].as_array().unwrap();
    all.iter().find(|it| it["name"] == name).unwrap()["serial"].as_str().unwrap().to_owned()
}

#[test]
fn a_revoked_authority_certifies_nothing_and_still_signs_its_lists() {
    let sandbox = two_tiers(&[]);
    sandbox.certkit(&["ca", "intermediate", "web", "--path-len", "1", "--issuer", "ca"]).expect_code(0);
    sandbox.certkit(&["ca", "intermediate", "low", "--issuer", "web"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "a.test", "--issuer", "web"]).expect_code(0);
    sandbox.certkit(&["csr", "new", "b.test", "--out", "b.csr", "--keyout", "b.key"]).expect_code(0);
    fs::write(sandbox.path("list"), "d.test\n").unwrap();
    sandbox.certkit(&["ca", "revoke", &serial_of(&sandbox, "web"), "--reason", "keyCompromise"]).expect_code(0);

    let before = sandbox.listing();
    for args in [
        &["issue", "c.test", "--issuer", "web"][..],
        &["issue", "c.test", "--issuer", "low"],
        &["issue", "--batch", "list", "--issuer", "web"],
        &["sign", "b.csr", "--issuer", "web"],
        &["renew", "a.test.pem"],
        &["intermediate", "more", "--issuer", "web"],
    ] {
        let refused = sandbox.certkit(&[&["ca"], args].concat()).expect_code(2);
        refused
            .complains("is revoked: keyCompromise since ")
            .complains("--issuer issuing")
            .complains("ca intermediate");
    }
    let project = "[[certificate]]\nnames = [\"p.test\"]\nissuer = \"web\"\nout = \"p.pem\"\n";
    fs::write(sandbox.path("certkit.toml"), project).unwrap();
    sandbox.certkit(&["apply"]).expect_code(2).complains("is revoked: keyCompromise since ");
    fs::remove_file(sandbox.path("certkit.toml")).unwrap();
    assert_eq!(sandbox.listing(), before);

    // Clients that do not know of it still need these.
    sandbox.certkit(&["ca", "crl", "--issuer", "web"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "c.test"]).expect_code(0);

    let said = sandbox.certkit(&["ca", "show"]).expect_code(0);
    assert!(said.stdout.lines().any(|line| line.trim().starts_with("web ") && line.contains("revoked: keyCompromise")));
    let said = sandbox.certkit(&["ca", "show", "--json"]).expect_code(0).json();
    let all = said["authorities"].as_array().unwrap();
    let revoked = |name: &str| all.iter().find(|it| it["name"] == name).unwrap()["revoked"].clone();
    assert_eq!(revoked("web")["reason"], "keyCompromise");
    assert_eq!(revoked("low")["serial"], revoked("web")["serial"]);
    assert!(revoked("issuing").is_null());
    sandbox.certkit(&["ca", "check"]).expect_code(0).says("web certifies nothing: revoked: keyCompromise");
}

#[test]
fn a_compromised_key_of_an_authority_is_not_certified_again() {
    let sandbox = two_tiers(&[]);
    sandbox.certkit(&["ca", "intermediate", "web"]).expect_code(0);
    let key = sandbox.ca().join("web-key.pem");
    let file = sandbox.ca().join("web.pem");
    let (key, file) = (key.to_str().unwrap(), file.to_str().unwrap());
    sandbox
        .certkit(&["csr", "new", "--cn", "Web", "--key", key, "--profile", "intermediate-ca", "--out", "web.csr"])
        .expect_code(0);
    sandbox.certkit(&["ca", "cross-sign", file, "--issuer", "ca", "--out", "one.pem"]).expect_code(0);
    sandbox.certkit(&["ca", "revoke", &serial_of(&sandbox, "web"), "--reason", "keyCompromise"]).expect_code(0);
    let crossed = sandbox.certkit(&["ca", "cross-sign", file, "--issuer", "ca", "--out", "two.pem"]);
    crossed.expect_code(1).says("its key is compromised");
    let again = sandbox.certkit(&["ca", "intermediate", "--csr", "web.csr", "--out", "two.pem"]);
    again.expect_code(1).says("its key is compromised");
    assert!(!sandbox.path("two.pem").exists());
}

#[test]
fn an_authority_on_hold_certifies_again_once_it_is_released() {
    let sandbox = two_tiers(&[]);
    let serial = serial_of(&sandbox, "issuing");
    sandbox.certkit(&["ca", "revoke", &serial, "--hold"]).expect_code(0);
    let held = sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(2);
    held.complains("is on hold since ").complains(&format!("certkit ca revoke --release {serial}"));
    sandbox.certkit(&["ca", "show"]).expect_code(0).says("certifies nothing: on hold since ");
    sandbox.certkit(&["ca", "revoke", "--release", &serial]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
}

#[test]
fn the_key_of_an_authority_is_certified_for_nothing_else() {
    let sandbox = two_tiers(&[]);
    for name in ["ca-key.pem", "issuing-key.pem"] {
        let key = sandbox.ca().join(name);
        let refused = sandbox.certkit(&["ca", "issue", "a.test", "--key", key.to_str().unwrap()]).expect_code(2);
        refused.complains("the key is the CA's own");
        assert_eq!(sandbox.listing(), <[String; 0]>::default());
    }
}

#[test]
fn what_is_below_a_revoked_authority_is_not_kept_as_good() {
    let sandbox = crate::ca_hierarchy::two_tiers(&[]);
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    let ca = sandbox.ca().to_str().unwrap().to_owned();
    sandbox.write("certkit.toml", format!("[[ca]]\nfolder = \"{ca}\"\nintermediate = \"issuing\"\n[[certificate]]\nnames = [\"a.test\"]\nout = \"a.test.pem\"\nca = \"{ca}\"\n"));
    let check = || sandbox.certkit(&["apply", "--check"]);
    check().expect_code(0);
    let issuing = sandbox.ca().join("issuing.pem");
    sandbox.certkit(&["ca", "revoke", issuing.to_str().unwrap(), "--reason", "cACompromise"]).expect_code(0);
    check().expect_code(2).complains("is revoked: cACompromise since ");
    sandbox.certkit(&["ca", "renew", "a.test", "--if-expires-within", "30d"]).expect_code(2).complains("is revoked");
}
