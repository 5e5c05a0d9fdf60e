//! Keys: every form certkit writes is read by other programs to the same public key, and theirs by certkit.
//!
//! openssl, ssh-keygen and keytool are in `tests/key.rs`.

use std::fs;

use crate::support::{Peer, Sandbox, peer, python};

const PYTHON: &str = include_str!("peers/keys.py");
const NODE: &str = include_str!("peers/keys.mjs");
const JAVA: &str = include_str!("peers/Keys.java");

const TYPES: [&str; 5] = ["p256", "p384", "p521", "rsa:2048", "ed25519"];

fn pin(sandbox: &Sandbox, args: &[&str]) -> String {
    let ran = sandbox.command().args(args).args(["--json"]).env("P", "x").expect_code(0);
    ran.json()["public_key"]["spki_sha256"].as_str().unwrap().to_owned()
}

/// A key in one form.
struct Written {
    file: String,
    /// pem, der or jwk.
    form: &'static str,
    passphrase: &'static str,
    pin: String,
    kind: &'static str,
}

/// Every type in every form that certkit writes it in.
fn write_all(sandbox: &Sandbox) -> Vec<Written> {
    let mut written = Vec::new();
    for kind in TYPES {
        let made = pin(sandbox, &["key", "new", "--type", kind, "--force"]);
        let own = match kind {
            "rsa:2048" => "pkcs1",
            "ed25519" => "pkcs8",
            _ => "sec1",
        };
        for (name, form, flags) in [
            ("pkcs8", "pem", &["--format", "pkcs8"][..]),
            ("own", "pem", &["--format", own]),
            ("der", "der", &["--format", "der"]),
            ("jwk", "jwk", &["--format", "jwk"]),
            ("locked", "pem", &["--encrypt", "--new-passphrase", "env:P"]),
            ("locked.der", "der", &["--format", "der", "--encrypt", "--new-passphrase", "env:P"]),
            ("scrypt", "pem", &["--kdf", "scrypt", "--encrypt", "--new-passphrase", "env:P"]),
        ] {
            // A passphrase costs a tenth of a second each time, and what is under it does not matter to it.
            if flags.contains(&"--encrypt") && !["p256", "rsa:2048"].contains(&kind) {
                continue;
            }
            let file = format!("{}.{name}", kind.replace(':', ""));
            pin(sandbox, &[&["key", "convert", "key.pem", "--out", &file], flags].concat());
            let passphrase = if flags.contains(&"--encrypt") { "x" } else { "" };
            written.push(Written { file, form, passphrase, pin: made.clone(), kind });
        }
    }
    written
}

/// The pins a script reads from these keys.
fn read_by(sandbox: &Sandbox, program: &Peer, script: &[&str], keys: &[&Written]) -> Vec<String> {
    let mut args = [script, &["read"]].concat();
    for key in keys {
        args.extend([key.form, key.passphrase, &key.file]);
    }
    sandbox.peer(program, &args).expect_code(0).stdout.lines().map(str::to_owned).collect()
}

fn expected(keys: &[&Written]) -> Vec<String> {
    keys.iter().map(|key| key.pin.clone()).collect()
}

#[test]
fn python_node_gnutls_and_java_read_every_form() {
    let (Some(python), Some(node), Some(certtool), Some(java)) =
        (python(), peer("node"), peer("certtool"), peer("java"))
    else {
        return;
    };
    let sandbox = Sandbox::new();
    let written = write_all(&sandbox);

    sandbox.write("keys.py", PYTHON);
    let keys: Vec<_> = written.iter().filter(|key| key.form != "jwk").collect();
    assert_eq!(read_by(&sandbox, &python, &["-W", "ignore", "keys.py"], &keys), expected(&keys), "Python");

    let keys: Vec<_> = written.iter().collect();
    sandbox.write("keys.mjs", NODE);
    assert_eq!(read_by(&sandbox, &node, &["keys.mjs"], &keys), expected(&keys), "Node");
    // A passphrase that is not the key's opens nothing.
    let wrong = sandbox.peer(&node, &["keys.mjs", "read", "pem", "y", "p256.locked"]);
    assert_ne!(wrong.code, Some(0), "{wrong}");

    // GnuTLS 3.7 knows no scrypt and no JWK.
    for key in written.iter().filter(|key| key.form == "pem" && !key.file.ends_with("scrypt")) {
        let mut args = vec!["--pubkey-info", "--load-privkey", &key.file];
        if !key.passphrase.is_empty() {
            args.extend(["--password", key.passphrase]);
        }
        let public = sandbox.peer(&certtool, &args).expect_code(0).stdout;
        let public = &public[public.find("-----BEGIN").unwrap()..];
        sandbox.write("public.pem", public);
        assert_eq!(pin(&sandbox, &["key", "show", "public.pem"]), key.pin, "GnuTLS: {}", key.file);
    }

    let keys: Vec<_> = written.iter().filter(|key| key.form == "der").collect();
    sandbox.write("Keys.java", JAVA);
    let mut args = ["-XX:TieredStopAtLevel=1", "Keys.java"].map(str::to_owned).to_vec();
    for key in &keys {
        let public = format!("{}.public", key.file);
        sandbox.certkit(&["key", "public", &key.file.replace(".locked", ""), "--format", "der", "--out", &public]);
        let algorithm = match key.kind {
            "rsa:2048" => "RSA",
            "ed25519" => "Ed25519",
            _ => "EC",
        };
        args.extend([algorithm, key.passphrase, &key.file, &public].map(str::to_owned));
    }
    // Another key's public half.
    args.extend(["EC", "", "p256.der", "other.public"].map(str::to_owned));
    sandbox.certkit(&["key", "new", "--out", "other.pem"]).expect_code(0);
    sandbox.certkit(&["key", "public", "other.pem", "--format", "der", "--out", "other.public"]).expect_code(0);
    let said = sandbox.program(&java.path).args(&args).expect_code(0).stdout;
    let said: Vec<&str> = said.lines().collect();
    assert_eq!(said, [vec!["true"; keys.len()], vec!["false"]].concat(), "Java");
}

/// Reads every key that a script writes, and compares with the pin it says.
fn read_theirs(sandbox: &Sandbox, program: &Peer, script: &[&str], count: usize) {
    fs::create_dir(sandbox.path("theirs")).unwrap();
    let said = sandbox.peer(program, &[script, &["write", "theirs"]].concat()).expect_code(0).stdout;
    for line in said.lines() {
        let (file, expected) = line.split_once(' ').unwrap();
        let passphrase = if file.ends_with("locked") { &["--passphrase", "env:P"][..] } else { &[] };
        assert_eq!(pin(sandbox, &[&["key", "show", file], passphrase].concat()), expected, "{file}");
    }
    assert_eq!(said.lines().count(), count);
}

#[test]
fn every_form_that_python_writes_is_read() {
    let Some(python) = python() else { return };
    let sandbox = Sandbox::new();
    sandbox.write("keys.py", PYTHON);
    read_theirs(&sandbox, &python, &["-W", "ignore", "keys.py"], 22);
}

#[test]
fn every_form_that_node_writes_is_read() {
    let Some(node) = peer("node") else { return };
    let sandbox = Sandbox::new();
    sandbox.write("keys.mjs", NODE);
    read_theirs(&sandbox, &node, &["keys.mjs"], 35);
}

#[test]
fn what_gnutls_writes_is_read() {
    let Some(certtool) = peer("certtool") else { return };
    let sandbox = Sandbox::new();
    for (kind, shown) in [
        (&["--key-type=ecdsa", "--curve=secp256r1"][..], "P-256"),
        (&["--key-type=ecdsa", "--curve=secp384r1"], "P-384"),
        (&["--key-type=rsa", "--bits=2048"], "RSA-2048"),
        (&["--key-type=ed25519"], "Ed25519"),
    ] {
        // The private numbers stand in words before the PEM block unless --no-text is there.
        for flags in [&[][..], &["--no-text"], &["--pkcs8", "--password="], &["--pkcs8", "--password=x"]] {
            let made = [&["--generate-privkey", "--outfile", "theirs.pem"], kind, flags].concat();
            sandbox.peer(&certtool, &made).expect_code(0);
            let locked = flags.contains(&"--password=x");
            let passphrase = if locked { &["--passphrase", "env:P"][..] } else { &[] };
            let show = [&["key", "show", "theirs.pem"], passphrase].concat();
            let ran = sandbox.command().args(&show).env("P", "x").expect_code(0).says(shown);
            let public = ["--pubkey-info", "--load-privkey", "theirs.pem"];
            let public = sandbox.peer(&certtool, &[&public[..], if locked { &["--password=x"] } else { &[] }].concat());
            let public = public.expect_code(0).stdout;
            sandbox.write("public.pem", &public[public.find("-----BEGIN").unwrap()..]);
            let theirs = pin(&sandbox, &["key", "show", "public.pem"]);
            assert_eq!(pin(&sandbox, &show), theirs, "{kind:?} {flags:?}: {ran}");
        }
    }
}
