//! `certkit key` from outside: keys in every form, to and from other programs.

use crate::support::{Peer, Sandbox, peer, python, skip};

const TYPES: [&str; 8] = ["p256", "p384", "p521", "ed25519", "rsa:2048", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87"];
const OPENSSL_KNOWS: [&str; 5] = ["p256", "p384", "p521", "ed25519", "rsa:2048"];

fn pin(sandbox: &Sandbox, args: &[&str]) -> String {
    let args = [args, &["--json"]].concat();
    sandbox.certkit(&args).expect_code(0).json()["public_key"]["spki_sha256"].as_str().unwrap().to_owned()
}

/// The pin of a key by openssl, from its own reading of the file.
fn openssl_pin(sandbox: &Sandbox, openssl: &Peer, file: &str, flags: &[&str]) -> String {
    let args = [&["pkey", "-in", file, "-pubout", "-outform", "DER", "-out", "spki.der"], flags].concat();
    sandbox.peer(openssl, &args).expect_code(0);
    let digest = sandbox.peer(openssl, &["dgst", "-sha256", "-binary", "spki.der"]).expect_code(0).bytes;
    certkit::encoding::base64::encode(&digest)
}

#[test]
fn every_type_is_made_shown_and_its_own() {
    let sandbox = Sandbox::new();
    for (at, kind) in TYPES.into_iter().enumerate() {
        let file = format!("{at}.pem");
        let made = pin(&sandbox, &["key", "new", "--type", kind, "--out", &file]);
        assert_eq!(pin(&sandbox, &["key", "show", &file]), made, "{kind}");
        assert!(sandbox.read(&file).starts_with(b"-----BEGIN PRIVATE KEY-----\n"));
    }
}

#[cfg(unix)]
#[test]
fn a_key_file_is_its_owners_alone() {
    let sandbox = Sandbox::new();
    sandbox.shell("umask 0; certkit key new").expect_code(0);
    assert_eq!(sandbox.mode("key.pem"), 0o600);
    sandbox.shell("umask 0; chmod 644 key.pem; certkit key new --force").expect_code(0);
    assert_eq!(sandbox.mode("key.pem"), 0o600);
    sandbox.shell("umask 022; certkit key public key.pem --out public.pem").expect_code(0);
    assert_eq!(sandbox.mode("public.pem"), 0o644);
}

#[test]
fn nothing_is_replaced_unasked() {
    let sandbox = Sandbox::new();
    sandbox.write("key.pem", "mine");
    let ran = sandbox.certkit(&["key", "new"]).expect_code(2);
    assert_eq!(ran.stderr, "certkit: cannot write key.pem: it exists already\n  hint: --force replaces it\n");
    assert_eq!((sandbox.read("key.pem"), sandbox.listing()), (b"mine".to_vec(), vec!["key.pem".to_owned()]));
}

#[test]
fn a_key_is_printed_only_where_stdout_is_named() {
    let sandbox = Sandbox::new();
    for args in
        [&["key", "new"][..], &["key", "show", "key.pem"], &["key", "public", "key.pem"], &["inspect", "key.pem"]]
    {
        let ran = sandbox.certkit(args).expect_code(0);
        assert!(!ran.stdout.contains("PRIVATE KEY"), "{ran}");
    }
    let ran = sandbox.certkit(&["key", "new", "--out", "-"]).expect_code(0).complains("wrote stdout");
    assert!(ran.stdout.starts_with("-----BEGIN PRIVATE KEY-----\n") && ran.stdout.ends_with("-----\n"), "{ran}");
    sandbox.certkit(&["key", "new", "--out", "-", "--json"]).expect_code(2).complains("both want stdout");
}

#[test]
fn every_form_is_written_and_read_back() {
    let sandbox = Sandbox::new();
    for (kind, formats) in [
        ("p256", &["pkcs8", "sec1", "der", "jwk"][..]),
        ("p384", &["sec1", "jwk"]),
        ("p521", &["sec1", "jwk"]),
        ("rsa:2048", &["pkcs1", "der", "jwk"]),
        ("ed25519", &["der", "jwk"]),
        ("ml-dsa-65", &["der", "jwk"]),
    ] {
        let made = pin(&sandbox, &["key", "new", "--type", kind, "--force"]);
        for format in formats {
            pin(&sandbox, &["key", "convert", "key.pem", "--out", "other", "--format", format, "--force"]);
            assert_eq!(pin(&sandbox, &["key", "show", "other"]), made, "{kind} as {format}");
            pin(&sandbox, &["key", "convert", "other", "--out", "again.pem", "--force"]);
            assert_eq!(sandbox.read("again.pem"), sandbox.read("key.pem"), "{kind} through {format}");
        }
    }
}

#[test]
fn a_form_that_a_type_does_not_have_is_refused() {
    let sandbox = Sandbox::new();
    for (args, why) in [
        (&["--type", "p256", "--format", "pkcs1"][..], "a P-256 key has no PKCS#1 form"),
        (&["--type", "rsa:2048", "--format", "sec1"], "a RSA-2048 key has no SEC1 form"),
        (&["--format", "jwk", "--encrypt", "--passphrase", "env:X"], "cannot be encrypted"),
        (&["--type", "dsa"], "`dsa` is no key algorithm"),
        (&["--type", "rsa:1024"], "an RSA key of 1024 bits is not made"),
        (&["--kdf", "scrypt"], "--encrypt"),
        (&["--passphrase", "env:X"], "--encrypt"),
        (&["--encrypt", "--passphrase", "secret"], "never put a passphrase on the command line"),
    ] {
        sandbox.command().args(["key", "new"]).args(args).env("X", "x").expect_code(2).complains(why);
        assert!(sandbox.listing().is_empty(), "{args:?}");
    }
}

#[test]
fn a_passphrase_protects_and_opens() {
    let sandbox = Sandbox::new();
    sandbox.write("right", "correct horse\n");
    sandbox.write("wrong", "battery staple\n");
    for kdf in ["pbkdf2", "scrypt"] {
        let new = ["key", "new", "--encrypt", "--passphrase", "file:right", "--kdf", kdf, "--force"];
        let made = pin(&sandbox, &new);
        let locked = sandbox.certkit(&["key", "show", "key.pem", "--json"]).expect_code(0).json();
        assert_eq!((&locked["encrypted"], &locked["public_key"]), (&true.into(), &serde_json::Value::Null));
        assert!(locked["encryption"].as_str().unwrap().to_lowercase().contains(kdf), "{locked}");
        assert_eq!(pin(&sandbox, &["key", "show", "key.pem", "--passphrase", "file:right"]), made);
        let ran = sandbox.certkit(&["key", "show", "key.pem", "--passphrase", "file:wrong"]).expect_code(2);
        assert!(
            ran.stderr.starts_with("certkit: cannot open key.pem: the passphrase does not open the key\n"),
            "{ran}"
        );
    }
    sandbox.certkit(&["key", "public", "key.pem"]).expect_code(2).complains("there is no terminal to ask on");
}

#[test]
fn converting_an_encrypted_key_says_what_becomes_of_it() {
    let sandbox = Sandbox::new();
    let run = |args: &str| sandbox.command().args(args.split(' ')).env("OLD", "old").env("NEW", "new").run();
    run("key new --encrypt --passphrase env:OLD").expect_code(0);
    run("key convert key.pem --out b.pem --passphrase env:OLD").expect_code(2).complains("hint: --encrypt puts it");
    run("key convert key.pem --out b.pem --passphrase env:OLD --encrypt --new-passphrase env:NEW").expect_code(0);
    run("key show b.pem --passphrase env:OLD").expect_code(2);
    run("key show b.pem --passphrase env:NEW").expect_code(0).says("P-256");
    run("key convert b.pem --out b.pem --passphrase env:NEW --decrypt --force").expect_code(0);
    run("key match key.pem b.pem --passphrase env:OLD").expect_code(0).says("yes: both hold the same key");
}

#[test]
fn a_truncated_file_and_two_keys_in_one_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["key", "new"]).expect_code(0);
    let key = sandbox.read("key.pem");
    sandbox.write("cut.pem", &key[..120]);
    sandbox.write("two.pem", [&key[..], &key].concat());
    for command in ["show", "public", "convert"] {
        let out: &[&str] = if command == "show" { &[] } else { &["--out", "new.pem"] };
        let args = [&["key", command, "cut.pem"], out].concat();
        sandbox.certkit(&args).expect_code(2).complains("line 1: the PRIVATE KEY block is damaged: it has no END line");
    }
    sandbox.certkit(&["key", "match", "key.pem", "cut.pem"]).expect_code(2).complains("cut.pem, line 1: it has no END");
    let args = ["key", "convert", "two.pem", "--out", "new.pem"];
    sandbox.certkit(&args).expect_code(2).complains("two.pem holds 2 private keys, and one is due");
    assert_eq!(sandbox.listing(), ["cut.pem", "key.pem", "two.pem"]);
}

#[test]
fn what_a_conversion_leaves_out_is_said() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["key", "new"]).expect_code(0);
    let certificate = include_bytes!("data/inspect/rich.pem");
    sandbox.write("both.pem", [&sandbox.read("key.pem")[..], certificate].concat());
    let args = ["key", "convert", "both.pem", "--out", "alone.pem"];
    sandbox.certkit(&args).expect_code(0).complains("both.pem also holds a certificate, which the new file will not\n");
    assert_eq!(sandbox.read("alone.pem"), sandbox.read("key.pem"));
}

#[test]
fn flags_without_effect_are_errors() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["key", "new"]).expect_code(0);
    sandbox.certkit(&["key", "public", "key.pem", "--out", "public.pem"]).expect_code(0);
    for (args, why) in [
        ("key show key.pem --passphrase env:P", "key.pem is not encrypted"),
        ("key convert key.pem --out b.pem --passphrase env:P", "key.pem is not encrypted"),
        ("key convert key.pem --out b.pem --decrypt", "--decrypt has no effect"),
        ("key match key.pem public.pem --passphrase env:P", "--passphrase has no effect"),
        ("key public key.pem --force", "--force has no effect"),
        ("key convert public.pem --out b.pem", "it holds a public key where a private key is due"),
        ("key match key.pem", "nothing to compare it with"),
    ] {
        let ran = sandbox.command().args(args.split(' ')).env("P", "x").expect_code(2).complains(why);
        assert_eq!(ran.stdout, "", "{args}");
    }
    assert_eq!(sandbox.listing(), ["key.pem", "public.pem"]);
}

#[test]
fn public_keys_come_out_of_everything_that_has_one() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = Sandbox::new();
    let made = pin(&sandbox, &["key", "new"]);
    sandbox.peer(&openssl, &["req", "-x509", "-key", "key.pem", "-subj", "/CN=x", "-out", "cert.pem"]).expect_code(0);
    sandbox.peer(&openssl, &["req", "-new", "-key", "key.pem", "-subj", "/CN=x", "-out", "x.csr"]).expect_code(0);
    let theirs = sandbox.peer(&openssl, &["pkey", "-in", "key.pem", "-pubout"]).expect_code(0).stdout;
    for file in ["key.pem", "cert.pem", "x.csr"] {
        assert_eq!(sandbox.certkit(&["key", "public", file]).expect_code(0).stdout, theirs, "{file}");
    }
    for format in ["pem", "der", "jwk"] {
        pin(&sandbox, &["key", "public", "cert.pem", "--format", format, "--out", "public", "--force"]);
        assert_eq!(pin(&sandbox, &["key", "show", "public"]), made, "{format}");
    }
    let der = sandbox.certkit(&["key", "public", "key.pem", "--format", "der"]).expect_code(0).bytes;
    assert_eq!(der[..2], [0x30, 0x59]);
}

#[test]
fn what_belongs_together_matches_and_what_differs_is_named() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = Sandbox::new();
    sandbox.certkit(&["key", "new"]).expect_code(0);
    sandbox.certkit(&["key", "new", "--out", "other.pem"]).expect_code(0);
    sandbox.peer(&openssl, &["req", "-x509", "-key", "key.pem", "-subj", "/CN=x", "-out", "cert.pem"]).expect_code(0);
    sandbox.peer(&openssl, &["req", "-x509", "-key", "other.pem", "-subj", "/CN=y", "-out", "ca.pem"]).expect_code(0);
    sandbox.peer(&openssl, &["req", "-new", "-key", "key.pem", "-subj", "/CN=x", "-out", "x.csr"]).expect_code(0);
    // The second certificate of a file is its chain.
    sandbox.write("chain.pem", [sandbox.read("cert.pem"), sandbox.read("ca.pem")].concat());
    sandbox.write("one.pem", [sandbox.read("key.pem"), sandbox.read("cert.pem")].concat());

    sandbox
        .certkit(&["key", "match", "key.pem", "chain.pem", "x.csr"])
        .expect_code(0)
        .says("yes: all 3 hold the same key\n");
    sandbox.certkit(&["key", "match", "one.pem"]).expect_code(0).says("yes: both");
    let ran = sandbox.certkit(&["key", "match", "key.pem", "other.pem", "x.csr"]).expect_code(1);
    assert!(ran.stdout.starts_with("no: 2 different keys\n  key 1  key.pem "), "{ran}");
    let json = sandbox.certkit(&["key", "match", "key.pem", "other.pem", "x.csr", "--json"]).expect_code(1).json();
    assert_eq!(json["match"], false);
    let groups: Vec<_> = json["keys"].as_array().unwrap().iter().map(|key| key["group"].as_u64().unwrap()).collect();
    assert_eq!(groups, [1, 2, 1]);
}

/// Scripts depend on these names; to change one is to break them.
#[test]
fn json_answers_have_these_members() {
    let sandbox = Sandbox::new();
    let members = |args: &[&str]| {
        let json = sandbox.certkit(&[args, &["--json"]].concat()).expect_code(0).json();
        json.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(members(&["key", "new"]), "file format encrypted public_key");
    assert_eq!(members(&["key", "convert", "key.pem", "--out", "b.pem"]), "file format encrypted public_key");
    assert_eq!(members(&["key", "show", "key.pem"]), "file kind form encrypted encryption public_key");
    assert_eq!(members(&["key", "public", "key.pem"]), "file key public_key");
    assert_eq!(members(&["key", "match", "key.pem", "b.pem"]), "match keys");
    let json = sandbox.certkit(&["key", "match", "key.pem", "b.pem", "--json"]).expect_code(0).json();
    let key: Vec<_> = json["keys"][0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(key, ["file", "block", "what", "group", "public_key"]);
    let public: Vec<_> = json["keys"][0]["public_key"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(public, ["algorithm", "bits", "exponent", "spki_sha256", "spki_sha256_hex", "problem"]);
}

#[test]
fn openssl_reads_every_form() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = Sandbox::new();
    for kind in OPENSSL_KNOWS {
        let made = pin(&sandbox, &["key", "new", "--type", kind, "--force"]);
        sandbox.peer(&openssl, &["pkey", "-in", "key.pem", "-check", "-noout"]).expect_code(0);
        assert_eq!(openssl_pin(&sandbox, &openssl, "key.pem", &[]), made, "{kind}");
        for kdf in ["pbkdf2", "scrypt"] {
            let convert = ["key", "convert", "key.pem", "--out", "locked.pem", "--encrypt", "--kdf", kdf, "--force"];
            let convert = sandbox.command().args(convert).args(["--new-passphrase", "env:P"]).env("P", "höhle");
            convert.expect_code(0);
            assert_eq!(openssl_pin(&sandbox, &openssl, "locked.pem", &["-passin", "pass:höhle"]), made, "{kind} {kdf}");
        }
        let own = match kind {
            "ed25519" => continue,
            "rsa:2048" => "pkcs1",
            _ => "sec1",
        };
        pin(&sandbox, &["key", "convert", "key.pem", "--out", "own.pem", "--format", own, "--force"]);
        assert_eq!(openssl_pin(&sandbox, &openssl, "own.pem", &[]), made, "{kind} {own}");
    }
}

#[cfg(unix)]
#[test]
fn what_openssl_writes_is_read() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = Sandbox::new();
    sandbox
        .shell(
            "set -e; exec 2>/dev/null
             openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem
             openssl ecparam -name secp384r1 -genkey -out parameters.pem
             openssl ecparam -name secp521r1 -genkey -noout -out sec1.pem
             openssl genpkey -algorithm ED25519 -out ed25519.pem
             openssl genrsa -out rsa.pem 2048
             openssl rsa -in rsa.pem -traditional -out traditional.pem
             openssl pkey -in rsa.pem -outform DER -out rsa.der
             openssl ec -in ec.pem -no_public -out no_public.pem
             openssl ec -in ec.pem -conv_form compressed -out compressed.pem
             openssl pkcs8 -topk8 -in ec.pem -passout pass:x -out pbes2.pem
             openssl pkcs8 -topk8 -in ec.pem -passout pass:x -v2 aes-128-cbc -v2prf hmacWithSHA512 -out aes128.pem
             openssl pkcs8 -topk8 -in ec.pem -passout pass:x -v2 des3 -v2prf hmacWithSHA1 -out des3.pem
             openssl pkcs8 -topk8 -in ec.pem -passout pass:x -scrypt -out scrypt.pem
             openssl pkcs8 -topk8 -in ec.pem -passout pass:x -outform DER -out pbes2.der",
        )
        .expect_code(0);
    for file in [
        "ec.pem",
        "parameters.pem",
        "sec1.pem",
        "ed25519.pem",
        "rsa.pem",
        "traditional.pem",
        "rsa.der",
        "no_public.pem",
    ] {
        assert_eq!(pin(&sandbox, &["key", "show", file]), openssl_pin(&sandbox, &openssl, file, &[]), "{file}");
    }
    let plain = pin(&sandbox, &["key", "show", "ec.pem"]);
    assert_eq!(pin(&sandbox, &["key", "show", "compressed.pem"]), plain);
    sandbox.write("x", "x");
    for file in ["pbes2.pem", "aes128.pem", "des3.pem", "scrypt.pem", "pbes2.der"] {
        assert_eq!(pin(&sandbox, &["key", "show", file, "--passphrase", "file:x"]), plain, "{file}");
    }
}

#[cfg(unix)]
#[test]
fn the_pem_encryption_of_old_is_read() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = Sandbox::new();
    sandbox.write("x", "x");
    sandbox
        .shell(
            "set -e; exec 2>/dev/null
             openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out ec.pem
             openssl genrsa -out rsa.pem 2048
             for cipher in aes128 aes192 aes256 des3; do
                 openssl ec -in ec.pem -$cipher -passout pass:x -out ec-$cipher.pem
                 openssl rsa -in rsa.pem -traditional -$cipher -passout pass:x -out rsa-$cipher.pem
             done",
        )
        .expect_code(0);
    for kind in ["ec", "rsa"] {
        let plain = openssl_pin(&sandbox, &openssl, &format!("{kind}.pem"), &[]);
        for cipher in ["aes128", "aes192", "aes256", "des3"] {
            let file = format!("{kind}-{cipher}.pem");
            assert!(String::from_utf8(sandbox.read(&file)).unwrap().contains("DEK-Info"), "{file}");
            assert_eq!(pin(&sandbox, &["key", "show", &file, "--passphrase", "file:x"]), plain, "{file}");
            let wrong = sandbox.command().args(["key", "show", &file, "--passphrase", "env:P"]).env("P", "y");
            wrong.expect_code(2).complains("the passphrase does not open the key");
            sandbox.certkit(&["inspect", &file]).expect_code(0).says("PEM encryption (RFC 1421)");
        }
    }
    // What is written is PKCS#8.
    let convert = ["key", "convert", "ec-aes256.pem", "--decrypt", "--passphrase", "file:x", "--out", "new.pem"];
    sandbox.certkit(&convert).expect_code(0);
    assert!(sandbox.read("new.pem").starts_with(b"-----BEGIN PRIVATE KEY-----"));
}

#[cfg(unix)]
#[test]
fn old_and_foreign_forms_are_refused_by_name_with_the_way_out() {
    let Some(_) = peer("openssl") else { return };
    let sandbox = Sandbox::new();
    sandbox
        .shell(
            "set -e; exec 2>/dev/null
             openssl genrsa -traditional -camellia128 -passout pass:x -out legacy.pem 2048
             openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem
             openssl pkcs8 -topk8 -in ec.pem -passout pass:x -v1 PBE-SHA1-3DES -out pbes1.pem
             openssl genpkey -algorithm ED448 -out ed448.pem
             openssl ecparam -name secp256k1 -genkey -out k1.pem
             openssl req -x509 -key ec.pem -subj /CN=x -out cert.pem
             openssl pkcs12 -export -inkey ec.pem -in cert.pem -passout pass: -out bundle.p12",
        )
        .expect_code(0);
    for (file, named, remedy) in [
        ("legacy.pem", "the old PEM encryption with CAMELLIA-128-CBC", "openssl pkcs8 -topk8"),
        ("pbes1.pem", "3-key triple DES", "openssl pkcs8 -topk8"),
        ("ed448.pem", "Ed448", "use RSA, P-256"),
        ("k1.pem", "secp256k1", "use RSA, P-256"),
        ("bundle.p12", "a PKCS#12 file", "openssl pkcs12 -in"),
        ("cert.pem", "it holds a certificate where a private key is due", ""),
    ] {
        let ran = sandbox.certkit(&["key", "convert", file, "--out", "out.pem"]).expect_code(2);
        assert!(ran.stderr.contains(file) && ran.stderr.contains(named) && ran.stderr.contains(remedy), "{ran}");
        assert!(!sandbox.path("out.pem").exists());
    }
    // The way out is one.
    let line = "openssl pkcs8 -topk8 -in legacy.pem -passin pass:x -nocrypt -out new.pem && certkit key show new.pem";
    sandbox.shell(line).expect_code(0).says("RSA-2048");
}

#[cfg(unix)]
#[test]
fn what_ssh_keygen_writes_is_read() {
    let Some(_) = peer("ssh-keygen") else { return };
    let sandbox = Sandbox::new();
    for (format, kind, name) in [
        ("pem", "rsa -b 2048", "RSA-2048"),
        ("pkcs8", "rsa -b 2048", "RSA-2048"),
        ("pem", "ecdsa -b 521", "P-521"),
        ("pkcs8", "ecdsa", "P-256"),
    ] {
        let line = format!("rm -f k; ssh-keygen -q -t {kind} -m {format} -N '' -f k && certkit key show k");
        sandbox.shell(&line).expect_code(0).says(name);
    }
    sandbox.shell("rm -f k; ssh-keygen -q -t ed25519 -N '' -f k").expect_code(0);
    let refused = sandbox.certkit(&["key", "convert", "k", "--out", "new.pem"]).expect_code(2);
    assert!(refused.stderr.contains("OpenSSH's own key format"), "{refused}");
    sandbox.certkit(&["inspect", "k.pub"]).expect_code(2).complains("an OpenSSH public key");
    let back = "certkit key new --out ours && ssh-keygen -y -f ours >line && ssh-keygen -i -m pkcs8 -f <(certkit key public ours) | diff - line";
    sandbox.shell(back).expect_code(0);
}

#[cfg(unix)]
#[test]
fn what_java_exports_is_read() {
    let (Some(_), Some(_)) = (peer("keytool"), peer("openssl")) else { return };
    let sandbox = Sandbox::new();
    sandbox
        .shell(
            "set -e; exec 2>/dev/null
             keytool -genkeypair -keystore k.p12 -storetype PKCS12 -storepass changeit -alias a -keyalg EC -groupname secp256r1 -dname CN=x
             openssl pkcs12 -in k.p12 -passin pass:changeit -nodes -out key.pem",
        )
        .expect_code(0);
    // Bag attributes stand between the blocks; key and certificate belong together.
    sandbox.certkit(&["key", "match", "key.pem"]).expect_code(0).says("yes: both");
    sandbox.certkit(&["inspect", "key.pem"]).expect_code(0).says("block 1 is the private key of block 2");
}

#[test]
fn python_reads_ours_and_we_read_pythons() {
    let Some(python) = python() else { return };
    let sandbox = Sandbox::new();
    for kind in OPENSSL_KNOWS {
        pin(&sandbox, &["key", "new", "--type", kind, "--out", &format!("{}.pem", kind.replace(':', "")), "--force"]);
    }
    let script = "
import glob
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric import ec, rsa, ed25519
for name in sorted(glob.glob('*.pem')):
    key = s.load_pem_private_key(open(name, 'rb').read(), None)
    for form, called in ((s.PrivateFormat.PKCS8, 'pkcs8'), (s.PrivateFormat.TraditionalOpenSSL, 'own')):
        if isinstance(key, ed25519.Ed25519PrivateKey) and called == 'own': continue
        for encoding, ending in ((s.Encoding.PEM, 'txt'), (s.Encoding.DER, 'der')):
            open(f'{name}.{called}.{ending}', 'wb').write(key.private_bytes(encoding, form, s.NoEncryption()))
";
    sandbox.peer(&python, &["-W", "ignore", "-c", script]).expect_code(0);
    let mut compared = 0;
    for file in sandbox.listing().iter().filter(|name| name.ends_with(".txt") || name.ends_with(".der")) {
        let ours = format!("{}.pem", file.split_once(".pem").unwrap().0);
        assert_eq!(pin(&sandbox, &["key", "show", file]), pin(&sandbox, &["key", "show", &ours]), "{file}");
        compared += 1;
    }
    assert_eq!(compared, 18);
}

#[test]
fn python_and_certkit_share_ml_dsa_keys() {
    let Some(python) = python() else { return };
    let sandbox = Sandbox::new();
    let has = "
from cryptography.hazmat.primitives.asymmetric import mldsa
mldsa.MLDSA65PrivateKey.generate()";
    if sandbox.peer(&python, &["-W", "ignore", "-c", has]).code != Some(0) {
        skip::<()>("this Python's cryptography has no ML-DSA");
        return;
    }
    for size in ["44", "65", "87"] {
        let kind = format!("ml-dsa-{size}");
        let made = pin(&sandbox, &["key", "new", "--type", &kind, "--force"]);
        let script = format!(
            "
import base64, hashlib
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric import mldsa
key = s.load_pem_private_key(open('key.pem', 'rb').read(), None)
spki = key.public_key().public_bytes(s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo)
print(base64.b64encode(hashlib.sha256(spki).digest()).decode())
theirs = mldsa.MLDSA{size}PrivateKey.generate()
open('theirs.pem', 'wb').write(theirs.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()))
"
        );
        let said = sandbox.peer(&python, &["-W", "ignore", "-c", &script]).expect_code(0).stdout;
        assert_eq!(said.trim(), made, "{kind}");
        sandbox.certkit(&["key", "show", "theirs.pem"]).expect_code(0).says(&kind.to_uppercase());
    }
}
