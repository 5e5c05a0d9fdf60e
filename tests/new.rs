//! `certkit new`: the self-signed one-liner, what it writes and what it refuses.

use crate::support::{Sandbox, peer, python, skip};

const FOR_OPENSSL: &[&str] = &["p256", "p384", "p521", "rsa:2048", "ed25519"];

#[test]
fn the_one_liner_writes_a_pair() {
    let sandbox = Sandbox::new();
    let ran = sandbox.certkit(&["new", "--cn", "localhost"]).expect_code(0);
    let ran = ran.says("wrote localhost.pem").says("localhost-key.pem").says("NSS").says("certkit ca issue localhost");
    assert!(ran.stdout.contains("(365 days)") && ran.stderr.is_empty(), "{ran}");
    assert_eq!(sandbox.listing(), ["localhost-key.pem", "localhost.pem"]);
    assert!(sandbox.read("localhost-key.pem").starts_with(b"-----BEGIN PRIVATE KEY-----\n"));
    assert!(sandbox.read("localhost.pem").starts_with(b"-----BEGIN CERTIFICATE-----\n"));
    #[cfg(unix)]
    assert_eq!((sandbox.mode("localhost-key.pem"), sandbox.mode("localhost.pem") & 0o022), (0o600, 0));
}

#[test]
fn one_file_holds_the_key_and_then_the_certificate() {
    let sandbox = Sandbox::new();
    let line = ["new", "--cn", "localhost", "--days", "365", "--out", "cert.pem", "--keyout", "./cert.pem"];
    sandbox.certkit(&line).expect_code(0).says("P-256 private key, then self-signed certificate");
    assert_eq!(sandbox.listing(), ["cert.pem"]);
    let text = String::from_utf8(sandbox.read("cert.pem")).unwrap();
    assert!(text.find("BEGIN PRIVATE KEY") < text.find("BEGIN CERTIFICATE"), "{text}");
    #[cfg(unix)]
    {
        assert_eq!(sandbox.mode("cert.pem"), 0o600);
        // A lax mode is not inherited from the file that is replaced.
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(sandbox.path("cert.pem"), std::fs::Permissions::from_mode(0o644)).unwrap();
        sandbox.command().args(line).arg("--force").expect_code(0);
        assert_eq!(sandbox.mode("cert.pem"), 0o600);
    }
    let Some(python) = python() else { return };
    let load = "import ssl; ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain('cert.pem')";
    sandbox.peer(&python, &["-c", load]).expect_code(0);
}

#[test]
fn json_says_the_same() {
    let sandbox = Sandbox::new();
    let run = sandbox.command().env("SOURCE_DATE_EPOCH", "4102444800").args(["new", "--json", "localhost", "::1"]);
    let json = run.expect_code(0).json();
    for (field, value) in [
        ("certificate_file", "localhost.pem"),
        ("key_file", "localhost-key.pem"),
        ("key_type", "P-256"),
        ("profile", "self-signed"),
        ("subject", "CN=localhost"),
        ("not_before", "2099-12-31T23:55:00Z"),
        ("not_after", "2100-12-31T23:54:59Z"),
    ] {
        assert_eq!(json[field], value, "{field}");
    }
    assert_eq!(json["names"], serde_json::json!(["dns:localhost", "ip:::1"]));
    assert_eq!(
        (&json["key_is_new"], &json["key_encrypted"], &json["ca"]),
        (&true.into(), &false.into(), &false.into())
    );
    assert!(json["serial"].as_str().unwrap().len() >= 30);
    assert_eq!(json["fingerprint_sha256"].as_str().unwrap().len(), 32 * 3 - 1);
    let objection = &json["objections"][0];
    assert!(["client", "why", "what_to_do"].iter().all(|field| objection[field].is_string()));
    assert_eq!(json["notes"], serde_json::json!([]));
    let fields: Vec<&String> = json.as_object().unwrap().keys().collect();
    assert_eq!(fields.len(), 16, "tell new fields in the help and here: {fields:?}");
    let shown = sandbox.certkit(&["inspect", "localhost.pem", "--json"]).expect_code(0).json();
    assert_eq!(shown[0]["blocks"][0]["serial"], json["serial"]);
}

#[test]
fn names_are_told_apart_and_kept_in_order() {
    let sandbox = Sandbox::new();
    let line = ["new", "Bücher.example", "10.0.0.1", "--san", "DNS:a.test,IP:::1", "--san", "ann@a.test", "--san"];
    let json = sandbox.command().args(line).args(["https://a.test/x,y", "a.TEST", "--json"]).expect_code(0).json();
    let names = ["dns:xn--bcher-kva.example", "ip:10.0.0.1", "dns:a.test", "ip:::1", "email:ann@a.test"];
    let names = [&names[..], &["uri:https://a.test/x,y"]].concat();
    // Positional names come first, and `a.TEST` is a.test.
    let sorted = |value: &serde_json::Value| {
        let mut names: Vec<String> = serde_json::from_value(value.clone()).unwrap();
        names.sort();
        names
    };
    assert_eq!(sorted(&json["names"]), sorted(&serde_json::json!(names)));
    assert_eq!((&json["names"][0], &json["names"][1]), (&names[0].into(), &names[1].into()));
    assert_eq!(json["subject"], "CN=xn--bcher-kva.example");
}

#[test]
fn subjects_are_read_in_both_forms() {
    let Some(openssl) = peer("openssl") else { return };
    for subject in ["CN=app.test,OU=b,OU=a,O=Ex\\, Ltd,C=NO", "/C=NO/O=Ex, Ltd/OU=a/OU=b/CN=app.test"] {
        let sandbox = Sandbox::new();
        sandbox.certkit(&["new", "--subject", subject]).expect_code(0);
        let args = ["x509", "-in", "app.test.pem", "-noout", "-subject", "-issuer", "-nameopt", "RFC2253"];
        let said = sandbox.peer(&openssl, &args).expect_code(0).stdout;
        let name = "CN=app.test,OU=b,OU=a,O=Ex\\, Ltd,C=NO";
        assert_eq!(said, format!("subject={name}\nissuer={name}\n"));
    }
}

#[test]
fn openssl_accepts_every_kind_of_key_it_knows() {
    let Some(openssl) = peer("openssl") else { return };
    for kind in FOR_OPENSSL {
        let sandbox = Sandbox::new();
        sandbox.certkit(&["new", "localhost", "127.0.0.1", "--type", kind, "--out", "c.pem"]).expect_code(0);
        let text = sandbox.peer(&openssl, &["x509", "-in", "c.pem", "-noout", "-text"]).expect_code(0);
        let text = text.says("DNS:localhost, IP Address:127.0.0.1").says("CA:FALSE").says("Digital Signature");
        let text = text.says("Basic Constraints: critical").says("Key Usage: critical").says("Server Authentication");
        let encrypts = text.stdout.contains("Key Encipherment");
        assert_eq!(encrypts, kind.starts_with("rsa"), "{kind}");
        for host in [["-verify_hostname", "localhost"], ["-verify_ip", "127.0.0.1"]] {
            let args = ["verify", "-x509_strict", "-purpose", "sslserver", "-check_ss_sig", "-CAfile", "c.pem"];
            sandbox.peer(&openssl, &[&args[..], &host, &["c.pem"]].concat()).expect_code(0);
        }
        let of_certificate = sandbox.peer(&openssl, &["x509", "-in", "c.pem", "-noout", "-pubkey"]).expect_code(0);
        let of_key = sandbox.peer(&openssl, &["pkey", "-in", "c-key.pem", "-pubout"]).expect_code(0);
        assert_eq!(of_certificate.stdout, of_key.stdout, "{kind}");
    }
}

#[test]
fn python_loads_and_verifies_every_kind_of_key_it_knows() {
    let Some(python) = python() else { return };
    let check = "\
import sys, ssl, cryptography
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
ml_dsa = sys.argv[1].startswith('ml-dsa')
if ml_dsa and int(cryptography.__version__.split('.')[0]) < 50: sys.exit(77)
certificate = x509.load_pem_x509_certificate(open('c.pem', 'rb').read())
certificate.verify_directly_issued_by(certificate)
key = load_pem_private_key(open('c-key.pem', 'rb').read(), None)
assert key.public_key() == certificate.public_key()
sans = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
assert sans.get_values_for_type(x509.DNSName) == ['localhost']
if not ml_dsa: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain('c.pem', 'c-key.pem')";
    for kind in FOR_OPENSSL.iter().chain(&["ml-dsa-44", "ml-dsa-65", "ml-dsa-87"]) {
        let sandbox = Sandbox::new();
        sandbox.certkit(&["new", "localhost", "--type", kind, "--out", "c.pem"]).expect_code(0);
        match sandbox.peer(&python, &["-c", check, kind]) {
            ran if ran.code == Some(77) => return skip("cryptography before 50 verifies no ML-DSA").unwrap_or(()),
            ran => _ = ran.expect_code(0),
        }
    }
}

#[test]
fn the_objections_foretold_are_raised_and_no_others() {
    let sandbox = Sandbox::new();
    let json = sandbox.certkit(&["new", "localhost", "--out", "c.pem", "--json"]).expect_code(0).json();
    let said = json["objections"].to_string();
    assert!(said.contains("certtool --verify") && said.contains("NSS"), "{said}");
    if let Some(certtool) = peer("certtool") {
        let ran = sandbox.peer(&certtool, &["--verify", "--load-ca-certificate", "c.pem", "--infile", "c.pem"]);
        assert!(ran.code != Some(0) && ran.stdout.contains("issuer is not a CA"), "{ran}");
    }
    if let Some(certutil) = peer("certutil") {
        let nss = |args: &[&str]| sandbox.program(&certutil.path).args(args).args(["-d", "sql:."]).run();
        nss(&["-N", "--empty-password"]).expect_code(0);
        nss(&["-A", "-n", "c", "-t", "C,,", "-a", "-i", "c.pem"]).expect_code(0);
        assert_ne!(nss(&["-V", "-n", "c", "-u", "V", "-e"]).code, Some(0), "NSS takes it as an authority");
        nss(&["-M", "-n", "c", "-t", "P,,"]).expect_code(0);
        nss(&["-V", "-n", "c", "-u", "V", "-e"]).expect_code(0);
    }
    if let Some(keytool) = peer("keytool") {
        let store = ["-keystore", "t.p12", "-storepass", "changeit", "-noprompt"];
        sandbox
            .peer(&keytool, &[&["-importcert", "-alias", "c", "-file", "c.pem"][..], &store].concat())
            .expect_code(0);
    }
    if let Some(python) = python() {
        let verify = "\
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store
certificate = x509.load_pem_x509_certificate(open('c.pem', 'rb').read())
PolicyBuilder().store(Store([certificate])).build_server_verifier(x509.DNSName('localhost')).verify(certificate, [])";
        sandbox.peer(&python, &["-c", verify]).expect_code(0);
    }
}

#[test]
fn an_existing_key_is_used_and_not_written() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["key", "new", "--type", "p384", "--out", "k.pem"]).expect_code(0);
    let before = sandbox.read("k.pem");
    let ran = sandbox.certkit(&["new", "localhost", "--key", "k.pem"]).expect_code(0);
    ran.says("for k.pem: P-384 private key");
    assert_eq!(sandbox.listing(), ["k.pem", "localhost.pem"]);
    sandbox.certkit(&["key", "match", "k.pem", "localhost.pem"]).expect_code(0);
    let refused = sandbox.certkit(&["new", "localhost", "--key", "k.pem", "--out", "./k.pem", "--force"]);
    refused.expect_code(2).complains("k.pem holds the key and would be replaced");
    assert_eq!(sandbox.read("k.pem"), before);
}

#[test]
fn an_encrypted_key_needs_its_passphrase() {
    let sandbox = Sandbox::new();
    let secret = |word: &str| sandbox.write(format!("{word}.txt"), format!("{word}\n"));
    secret("right");
    secret("wrong");
    let line = ["new", "localhost", "--encrypt", "--passphrase", "file:right.txt"];
    sandbox.certkit(&line).expect_code(0).says("encrypted P-256 private key");
    assert!(sandbox.read("localhost-key.pem").starts_with(b"-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    let again = |source| sandbox.certkit(&["new", "a.test", "--key", "localhost-key.pem", "--passphrase", source]);
    again("file:wrong.txt").expect_code(2).complains("does not open the key");
    assert!(!sandbox.path("a.test.pem").exists());
    again("file:right.txt").expect_code(0);
    let Some(openssl) = peer("openssl") else { return };
    sandbox.peer(&openssl, &["pkey", "-in", "localhost-key.pem", "-passin", "file:right.txt", "-noout"]).expect_code(0);
}

#[test]
fn a_file_on_stdout_sends_the_report_to_stderr() {
    let sandbox = Sandbox::new();
    let ran = sandbox.certkit(&["new", "localhost", "--out", "-", "--keyout", "k.pem"]).expect_code(0);
    assert!(ran.stdout.starts_with("-----BEGIN CERTIFICATE-----") && ran.stdout.ends_with("-----\n"), "{ran}");
    ran.complains("wrote stdout: self-signed certificate");
    assert_eq!(sandbox.listing(), ["k.pem"]);
    let both = sandbox.certkit(&["new", "localhost", "--out", "-", "-q"]).expect_code(0);
    assert!(both.stdout.starts_with("-----BEGIN PRIVATE KEY-----") && both.stdout.contains("BEGIN CERTIFICATE"));
    sandbox.certkit(&["new", "localhost", "--out", "-", "--json"]).expect_code(2).complains("both want stdout");
}

#[test]
fn the_end_can_be_chosen_and_its_price_is_said() {
    let sandbox = Sandbox::new();
    let made = |args: &[&str]| {
        let run = sandbox.command().env("SOURCE_DATE_EPOCH", "1800000000").args(["new", "a.test", "--json", "--force"]);
        run.args(args).expect_code(0).json()
    };
    let apple = |json: &serde_json::Value| json["objections"].to_string().contains("825 days");
    assert_eq!(made(&["--not-after", "2040-01-31"])["not_after"], "2040-01-31T00:00:00Z");
    assert_eq!(made(&["--not-after", "12h"])["not_after"], "2027-01-15T20:00:00Z");
    assert!(!apple(&made(&["--days", "825"])));
    assert!(apple(&made(&["--days", "826"])));
}

#[test]
fn a_profile_is_a_name_or_a_file() {
    let sandbox = Sandbox::new();
    let json = sandbox.certkit(&["new", "--profile", "root-ca", "--cn", "My Root", "--json"]).expect_code(0).json();
    assert_eq!((&json["ca"], &json["certificate_file"]), (&true.into(), &"My-Root.pem".into()));
    assert_eq!((&json["names"], &json["objections"]), (&serde_json::json!([]), &serde_json::json!([])));
    let own =
        "description = \"x\"\ndays = 3\nkey = \"ed25519\"\nkey_usage = [\"digitalSignature\"]\nnames = [\"dns\"]\n";
    sandbox.write("own.toml", own);
    let json = sandbox.certkit(&["new", "--profile", "own.toml", "a.test", "--json"]).expect_code(0).json();
    assert_eq!((&json["key_type"], &json["profile"]), (&"Ed25519".into(), &"own.toml".into()));
    sandbox.write("bad.toml", format!("{own}colour = 1\n"));
    let ran = sandbox.certkit(&["new", "--profile", "bad.toml", "b.test"]).expect_code(2);
    ran.complains("certkit: bad.toml:6:1: unknown field `colour`");
    let ran = sandbox.certkit(&["new", "--profile", "sever", "b.test"]).expect_code(2);
    ran.complains("there is no profile \"sever\"").complains("server, client");
}

#[test]
fn a_name_too_long_for_a_subject_is_kept_as_a_name() {
    let sandbox = Sandbox::new();
    let long = format!("{}.{}.test", "a".repeat(40), "b".repeat(40));
    let json = sandbox.certkit(&["new", "--cn", &long, "--json"]).expect_code(0).json();
    assert_eq!(json["names"], serde_json::json!([format!("dns:{long}")]));
    assert!(json["notes"][0].as_str().unwrap().contains("64 characters"));
    // An issuer may not be nameless, so the subject is named after the key.
    let subject = json["subject"].as_str().unwrap();
    assert!(subject.starts_with("CN=self-signed "), "{subject}");
    assert!(json["notes"][1].as_str().unwrap().contains(subject));
    let Some(openssl) = peer("openssl") else { return };
    let file = format!("{long}.pem");
    let text = sandbox.peer(&openssl, &["x509", "-in", &file, "-noout", "-text"]).expect_code(0);
    text.says("Subject Alternative Name:");
    sandbox.peer(&openssl, &["verify", "-x509_strict", "-CAfile", &file, &file]).expect_code(0);
}

#[test]
fn bad_input_is_one_line_and_writes_nothing() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("folder")).unwrap();
    sandbox.write("empty", "");
    sandbox.write("text", "hello\n");
    let before = sandbox.listing();
    for (args, why) in [
        (&[][..], "there is no name to certify: give at least one, for example --cn localhost"),
        (&["--cn", ""], "the common name is empty"),
        (&["--cn", "My Server"], "`My Server` is no host name or IP address"),
        (&["--cn=-rf"], "begins with a hyphen"),
        (&["localhost", "-ecdsa"], "unexpected argument '-e' found"),
        (&["--", "-ecdsa"], "`-ecdsa` begins with a hyphen"),
        (&[".."], "`..` is not a domain name"),
        (&["../../etc/x"], "is not a domain name"),
        (&["a/b"], "`/` does not occur in host names"),
        (&["a b"], "` ` does not occur in host names"),
        (&["256.1.1.1"], "which it is not"),
        (&["*"], "`*` may only stand"),
        (&["a.test", "--san", "a.test,"], "it is empty"),
        (&["ann@a.test"], "the profile self-signed needs a DNS name or an IP address"),
        (&["--subject", "O=Example"], "the profile self-signed needs a DNS name or an IP address"),
        (&["--subject", "localhost"], "is not TYPE=value"),
        (&["--subject", "CN=a.test", "--cn", "b.test"], "give it once"),
        (&["a.test", "--key", "folder"], "cannot read folder: it is a folder"),
        (&["a.test", "--key", "empty"], "cannot read empty: it is empty"),
        (&["a.test", "--key", "text"], "cannot use text"),
        (&["a.test", "--key", "none.pem"], "cannot read none.pem: no such file"),
        (&["a.test", "--key", "text", "--type", "p256"], "cannot be used with"),
        (&["a.test", "--key", "text", "--keyout", "x"], "cannot be used with"),
        (&["a.test", "--passphrase", "env:X"], "--passphrase has no effect"),
        (&["a.test", "--type", "dsa"], "`dsa` is no key algorithm"),
        (&["a.test", "--days", "0"], "for a day at least"),
        (&["a.test", "--days", "1y"], "are for --not-after"),
        (&["a.test", "--days", "9", "--not-after", "1d"], "cannot be used with"),
        (&["a.test", "--days", "4000000"], "past the year 9999"),
        (&["a.test", "--not-after", "2020-01-01"], "it would have expired already"),
        (&["a.test", "--out", "folder"], "cannot write folder: it is a folder"),
        (&["a.test", "--out", "none/x.pem"], "there is no folder none"),
        (&["a.test", "--keyout", "text"], "cannot write text: it exists already"),
        (&["--profile", "root-ca", "a.test"], "name it with --cn"),
        (&["--profile", "root-ca", "--cn", &"x".repeat(65)], "has 65 characters, and 64 at most"),
        (&["--profile", "client", "--cn", "a\u{7}b"], "control character"),
    ] {
        let ran = sandbox.command().arg("new").args(args).expect_code(2).complains(why);
        assert!(ran.stdout.is_empty() && ran.stderr.lines().count() <= 2, "{ran}");
        assert_eq!(sandbox.listing(), before, "{args:?}");
    }
}

#[test]
fn what_exists_is_replaced_with_force_alone() {
    let sandbox = Sandbox::new();
    sandbox.write("localhost-key.pem", "precious");
    sandbox
        .certkit(&["new", "localhost"])
        .expect_code(2)
        .complains("cannot write localhost-key.pem: it exists already");
    assert_eq!(sandbox.listing(), ["localhost-key.pem"], "a pair is written whole or not at all");
    assert_eq!(sandbox.read("localhost-key.pem"), b"precious");
    sandbox.certkit(&["new", "localhost", "--force"]).expect_code(0);
    sandbox.certkit(&["key", "match", "localhost.pem", "localhost-key.pem"]).expect_code(0);
}
