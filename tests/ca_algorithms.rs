//! A CA and leaves with keys of every kind, mixed.

use crate::support::{Peer, Sandbox, peer, post_quantum_python, python};

const PYTHON: &str = include_str!("interop/peers/signed.py");

const KINDS: [&str; 8] = ["p256", "p384", "p521", "rsa:2048", "ed25519", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87"];

fn is_ml_dsa(kind: &str) -> bool {
    kind.starts_with("ml-dsa")
}

/// Whether this OpenSSL knows ML-DSA (3.5 and later).
fn knows_ml_dsa(sandbox: &Sandbox, openssl: &Peer) -> bool {
    sandbox.peer(openssl, &["list", "-signature-algorithms"]).stdout.to_lowercase().contains("ml-dsa")
}

#[test]
fn a_ca_with_any_key_certifies_any_key_and_everyone_agrees_who_can() {
    let (openssl, certtool) = (peer("openssl"), peer("certtool"));
    for issuer in KINDS {
        let sandbox = Sandbox::new();
        sandbox.certkit(&["ca", "init", "--type", issuer]).expect_code(0);
        let ca = sandbox.ca().join("ca.pem");
        let ca = ca.to_str().unwrap();
        for leaf in KINDS {
            let file = format!("{}.pem", leaf.replace(':', "-"));
            let keyout = format!("key-{file}");
            let issue = ["ca", "issue", "a.test", "--type", leaf, "--out", &file, "--keyout", &keyout];
            sandbox.certkit(&issue).expect_code(0);
            sandbox.certkit(&["key", "match", &file, &keyout]).expect_code(0);
            let judged = sandbox.certkit(&["verify", &file, "--host", "a.test", "--roots", ca, "--policy", "rfc5280"]);
            judged.expect_code(0);
            let classical = !is_ml_dsa(issuer) && !is_ml_dsa(leaf);
            if let Some(openssl) = &openssl
                && (classical || knows_ml_dsa(&sandbox, openssl))
            {
                let args = ["verify", "-x509_strict", "-verify_hostname", "a.test", "-CAfile", ca, &file];
                sandbox.peer(openssl, &args).expect_code(0);
            }
            if let Some(certtool) = &certtool
                && classical
            {
                let args = ["--verify", "--load-ca-certificate", ca, "--infile", &file, "--verify-hostname", "a.test"];
                sandbox.peer(certtool, &args).expect_code(0);
            }
        }
    }
}

/// What cryptography says of these certificates and the keys beside them.
fn said_by_python(sandbox: &Sandbox, python: &Peer, ca: &str, leaves: &[String]) -> Vec<String> {
    sandbox.write("signed.py", PYTHON);
    let pairs = leaves.iter().flat_map(|leaf| [leaf.clone(), format!("key-{leaf}")]);
    let run = sandbox.program(&python.path).args(["-W", "ignore", "signed.py", ca]).args(pairs);
    run.expect_code(0).stdout.lines().map(str::to_owned).collect()
}

#[test]
fn pyca_finds_every_signature_sound_and_every_key_its_own() {
    let Some(python) = python() else { return };
    let post_quantum = post_quantum_python().is_some();
    for (issuer, algorithm) in [
        ("p256", "ecdsa-with-SHA256"),
        ("p384", "ecdsa-with-SHA384"),
        ("p521", "ecdsa-with-SHA512"),
        ("rsa:2048", "sha256WithRSAEncryption"),
        ("ed25519", "ed25519"),
        ("ml-dsa-44", ""),
        ("ml-dsa-65", ""),
        ("ml-dsa-87", ""),
    ] {
        if is_ml_dsa(issuer) && !post_quantum {
            continue;
        }
        let sandbox = Sandbox::new();
        sandbox.certkit(&["ca", "init", "--type", issuer]).expect_code(0);
        sandbox.certkit(&["ca", "init", "--type", issuer, "--ca", "other"]).expect_code(0);
        let leaves = KINDS.iter().filter(|kind| post_quantum || !is_ml_dsa(kind)).map(|kind| {
            let file = format!("{}.pem", kind.replace(':', "-"));
            let keyout = format!("key-{file}");
            let issue = ["ca", "issue", "a.test", "--type", kind, "--out", &file, "--keyout", &keyout];
            sandbox.certkit(&issue).expect_code(0);
            file
        });
        let leaves: Vec<String> = leaves.collect();
        let ca = sandbox.ca().join("ca.pem");
        let said = said_by_python(&sandbox, &python, ca.to_str().unwrap(), &leaves);
        assert_eq!(said.len(), leaves.len());
        for said in said {
            assert!(
                said.starts_with(&format!("signed by {algorithm}")) && said.ends_with("; its key"),
                "{issuer}: {said}"
            );
        }
        for said in said_by_python(&sandbox, &python, "other/ca.pem", &leaves) {
            assert!(!said.starts_with("signed by"), "another CA: {issuer}: {said}");
        }
    }
}

#[test]
fn what_is_signed_with_rsassa_pss_everyone_checks() {
    let (Some(python), Some(openssl), Some(certtool)) = (python(), peer("openssl"), peer("certtool")) else { return };
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--type", "rsa:2048"]).expect_code(0);
    let ca = sandbox.ca().join("ca.pem");
    let ca = ca.to_str().unwrap();
    let mut leaves = Vec::new();
    for hash in ["256", "384", "512"] {
        for kind in ["p256", "rsa:2048"] {
            sandbox.write("pss.toml", format!("{SERVER}signature = \"rsa-pss-sha{hash}\"\n"));
            let file = format!("{hash}-{}.pem", kind.replace(':', ""));
            let keyout = format!("key-{file}");
            let issue = ["ca", "issue", "a.test", "--profile", "pss.toml", "--type", kind, "--out", &file];
            sandbox.certkit(&[&issue[..], &["--keyout", &keyout]].concat()).expect_code(0);
            sandbox.certkit(&["verify", &file, "--host", "a.test", "--roots", ca]).expect_code(0).says("RSASSA-PSS");
            let args = ["verify", "-x509_strict", "-verify_hostname", "a.test", "-CAfile", ca, &file];
            sandbox.peer(&openssl, &args).expect_code(0);
            let args = ["--verify", "--load-ca-certificate", ca, "--infile", &file, "--verify-hostname", "a.test"];
            sandbox.peer(&certtool, &args).expect_code(0);
            leaves.push(file);
        }
    }
    assert_eq!(said_by_python(&sandbox, &python, ca, &leaves), ["signed by rsassaPss; its key"; 6]);
}

const SERVER: &str = "description = \"a server\"\nkey = \"P-256\"\ndays = 90\nbackdate = \"5m\"
key_usage = [\"digitalSignature\"]\nextended_key_usage = [\"serverAuth\"]\nnames = [\"dns\"]\n";

#[test]
fn two_chains_for_the_same_names_come_from_one_line() {
    let sandbox = Sandbox::new();
    let said = sandbox.certkit(&["ca", "issue", "api.test", "--dual", "--json"]).expect_code(0).json();
    assert_eq!(said["names"], said["second"]["names"]);
    assert_eq!(
        sandbox.listing(),
        ["api.test-key.pem", "api.test.ml-dsa-key.pem", "api.test.ml-dsa.pem", "api.test.pem"]
    );
    let second = format!("{}-ml-dsa", sandbox.ca().display());
    for (file, ca, kind) in
        [("api.test", sandbox.ca().display().to_string(), "P-256"), ("api.test.ml-dsa", second, "ML-DSA-65")]
    {
        let (certificate, key, root) = (format!("{file}.pem"), format!("{file}-key.pem"), format!("{ca}/ca.pem"));
        sandbox.certkit(&["verify", &certificate, "--host", "api.test", "--roots", &root]).expect_code(0);
        sandbox.certkit(&["key", "match", &certificate, &key]).expect_code(0);
        for file in [&certificate, &root] {
            sandbox.certkit(&["inspect", "--short", file]).expect_code(0).says(kind);
        }
    }
    sandbox.certkit(&["ca", "issue", "b.test", "--dual"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "c.test", "--dual", "--out", "-"]).expect_code(2);
    sandbox.certkit(&["ca", "init", "--ca", "own"]).expect_code(0);
    let refused = sandbox.certkit(&["ca", "issue", "c.test", "--dual", "--ca", "own"]).expect_code(2);
    assert!(refused.stderr.contains("--type ml-dsa-65 --ca own-ml-dsa"), "{}", refused.stderr);
    assert!(!sandbox.path("c.test.pem").exists(), "neither is made where one cannot be");
}

#[test]
fn the_second_of_two_cas_is_restrained_and_encrypted_like_the_first() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path("pw"), "secret\n").unwrap();
    let made = ["ca", "init", "--permit", "corp.test", "--days", "400", "--encrypt", "--passphrase", "file:pw"];
    sandbox.certkit(&made).expect_code(0);
    let pair = |name: &str| sandbox.certkit(&["ca", "issue", name, "--dual", "--ca-passphrase", "file:pw"]);
    pair("a.corp.test").expect_code(0);
    pair("b.corp.test").expect_code(0);
    let second = format!("{}-ml-dsa", sandbox.ca().display());
    let key = std::fs::read_to_string(format!("{second}/ca-key.pem")).unwrap();
    assert!(key.contains("BEGIN ENCRYPTED PRIVATE KEY"), "{key}");
    let authority = |folder: &str| {
        let shown = sandbox.certkit(&["ca", "show", "--json", "--ca", folder]).expect_code(0).json();
        shown["authorities"][0].clone()
    };
    let (first, other) = (authority(sandbox.ca().to_str().unwrap()), authority(&second));
    assert!(first["permitted"].as_array().is_some_and(|permitted| !permitted.is_empty()));
    for field in ["permitted", "excluded", "path_len", "not_after", "key_is"] {
        assert_eq!(first[field], other[field], "{field}");
    }
    // An option that is for neither is still told.
    let bare = Sandbox::new();
    std::fs::write(bare.path("pw"), "secret\n").unwrap();
    bare.certkit(&["ca", "init"]).expect_code(0);
    let idle = bare.certkit(&["ca", "issue", "a.test", "--dual", "--ca-passphrase", "file:pw"]).expect_code(2);
    idle.complains("--ca-passphrase has no effect");

    // Whoever says where the CA is makes the second one by the command that is named, and it is the whole of it.
    let args = ["ca", "init", "--ca", "own", "--permit", "corp.test", "--exclude", "x.corp.test"];
    sandbox.certkit(&[&args[..], &["--encrypt", "--passphrase", "file:pw"]].concat()).expect_code(0);
    let refused =
        sandbox.certkit(&["ca", "issue", "c.corp.test", "--dual", "--ca", "own", "--ca-passphrase", "file:pw"]);
    let refused = refused.expect_code(2).complains(
        "certkit ca init --type ml-dsa-65 --ca own-ml-dsa --permit dns:corp.test --exclude dns:x.corp.test --encrypt",
    );
    let named = refused.stderr.split("make it with: ").nth(1).unwrap();
    sandbox.shell(&format!("{} --passphrase file:pw", named.trim())).expect_code(0);
    let (first, other) = (authority("own"), authority("own-ml-dsa"));
    for field in ["permitted", "excluded", "path_len", "not_after", "key_is"] {
        assert_eq!(first[field], other[field], "{field}");
    }
}

#[test]
fn of_two_chains_the_other_is_told_of_where_one_is_renewed_or_revoked() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "issue", "a.test", "--dual"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "b.test"]).expect_code(0);
    let second = format!("{}-ml-dsa", sandbox.ca().display());
    let twin = format!("of the CA in {second}, is left as it is");
    sandbox.certkit(&["ca", "renew", "a.test.pem"]).expect_code(0).complains(&twin);
    sandbox
        .certkit(&["ca", "revoke", "a.test.ml-dsa.pem", "--ca", &second])
        .expect_code(0)
        .complains("is left as it is");
    // What is revoked is no longer a matter, and most have no twin.
    for which in ["a.test.pem", "b.test.pem"] {
        let alone = sandbox.certkit(&["ca", "revoke", which]).expect_code(0);
        assert!(!alone.stderr.contains("is left as it is"), "{alone}");
    }
}

#[cfg(unix)]
#[test]
fn the_passphrase_of_two_chains_is_read_once() {
    let sandbox = crate::support::Sandbox::new();
    let line = "certkit ca issue a.test --ca one --dual --encrypt --passphrase fd:3 3< <(echo 'a long passphrase')";
    sandbox.certkit(&["ca", "init", "--ca", "one"]).expect_code(0);
    sandbox.certkit(&["ca", "init", "--ca", "one-ml-dsa", "--type", "ml-dsa-65"]).expect_code(0);
    sandbox.shell(line).expect_code(0);
    sandbox.write("word.txt", "a long passphrase\n");
    for file in ["a.test-key.pem", "a.test.ml-dsa-key.pem"] {
        sandbox.certkit(&["key", "public", file, "--passphrase", "file:word.txt"]).expect_code(0);
    }
}
