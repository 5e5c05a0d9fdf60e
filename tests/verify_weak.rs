//! `certkit verify --allow-weak`: old archives, let through aloud.

use crate::support::{Sandbox, peer};

/// A root with an RSA key of this size, and a leaf signed with this hash, both openssl's.
fn archive(bits: &str, hash: &str) -> Option<Sandbox> {
    peer("openssl")?;
    let sandbox = Sandbox::new();
    let names = "subjectAltName=DNS:old.test\\nextendedKeyUsage=serverAuth";
    sandbox
        .shell(&format!(
            "openssl req -x509 -newkey rsa:{bits} -nodes -subj /CN=Old -keyout root.key -out root.pem -days 30 \
             -addext keyUsage=critical,keyCertSign && \
             openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=old.test -keyout leaf.key \
             -out leaf.csr && printf '{names}' >names && \
             openssl x509 -req -in leaf.csr -CA root.pem -CAkey root.key -{hash} -extfile names -days 20 -out leaf.pem"
        ))
        .expect_code(0);
    Some(sandbox)
}

fn verify(sandbox: &Sandbox, more: &[&str]) -> crate::support::Ran {
    let fixed = ["verify", "leaf.pem", "--host", "old.test", "--roots", "root.pem"];
    sandbox.certkit(&[&fixed[..], more].concat())
}

#[test]
fn sha1_is_let_through_only_where_it_is_allowed_and_then_aloud() {
    let Some(sandbox) = archive("2048", "sha1") else { return };
    verify(&sandbox, &[]).expect_code(1).says("SHA-1").says("--allow-weak sha1");
    verify(&sandbox, &["--allow-weak", "rsa1024"]).expect_code(1);
    let ran = verify(&sandbox, &["--allow-weak", "sha1"]).expect_code(0).says("ACCEPTED");
    ran.says("warning: the signature rests on SHA-1");
    sandbox
        .certkit(&["verify", "leaf.pem", "--host", "new.test", "--roots", "root.pem", "--allow-weak", "sha1"])
        .expect_code(1);
}

#[test]
fn small_rsa_keys_are_let_through_only_where_they_are_allowed_and_then_aloud() {
    let Some(sandbox) = archive("1024", "sha256") else { return };
    verify(&sandbox, &[]).expect_code(1).says("the RSA key has 1024 bits");
    verify(&sandbox, &["--allow-weak", "sha1"]).expect_code(1);
    verify(&sandbox, &["--allow-weak", "rsa1024"]).expect_code(0).says("warning: the RSA key has 1024 bits");
    let Some(smaller) = archive("768", "sha256") else { return };
    verify(&smaller, &["--allow-weak", "rsa1024"]).expect_code(1);
    let Some(both) = archive("1024", "sha1") else { return };
    verify(&both, &["--allow-weak", "rsa1024"]).expect_code(1);
    verify(&both, &["--allow-weak", "rsa1024", "--allow-weak", "sha1"]).expect_code(0);
}

#[test]
fn a_false_signature_is_false_however_weak_it_may_be() {
    let Some(sandbox) = archive("2048", "sha1") else { return };
    let Some(other) = archive("2048", "sha1") else { return };
    sandbox.write("root.pem", other.read("root.pem"));
    verify(&sandbox, &["--allow-weak", "sha1"]).expect_code(1).says("does not match");
}
