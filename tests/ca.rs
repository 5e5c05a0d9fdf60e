//! `certkit ca`.

use std::fs;
use std::path::Path;

use crate::support::{Peer, Ran, Sandbox, peer};

/// A sandbox with a CA.
fn with_ca() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--name", "Test CA"]).expect_code(0);
    sandbox
}

/// The serial numbers in the ledger, by the CA's own account.
fn recorded(sandbox: &Sandbox) -> Vec<String> {
    let listed = sandbox.certkit(&["ca", "list", "--json"]).expect_code(0).json();
    let certificates = listed["certificates"].as_array().unwrap();
    certificates.iter().map(|one| one["serial"].as_str().unwrap().to_owned()).collect()
}

/// Writes a certification request with openssl.
fn request(sandbox: &Sandbox, openssl: &Peer, name: &str, more: &[&str]) {
    let mut args = vec!["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    args.extend(["-keyout", "csr-key.pem", "-out", name]);
    args.extend(more);
    sandbox.peer(openssl, &args).expect_code(0);
}

fn verify(sandbox: &Sandbox, openssl: &Peer, file: &str, host: &str) -> Ran {
    let ca = sandbox.ca().join("ca.pem");
    let ca = ca.to_str().unwrap();
    sandbox.peer(
        openssl,
        &["verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", host, "-CAfile", ca, file],
    )
}

#[test]
fn what_is_issued_satisfies_openssl_strictly() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = with_ca();
    for (name, key_type) in [("a.test", "p256"), ("b.test", "rsa:2048"), ("c.test", "p384"), ("d.test", "ed25519")] {
        sandbox.certkit(&["ca", "issue", name, "127.0.0.1", "--type", key_type]).expect_code(0);
        verify(&sandbox, &openssl, &format!("{name}.pem"), name).expect_code(0);
        verify(&sandbox, &openssl, &format!("{name}.pem"), "other.test").expect_code(2);
    }
}

#[test]
fn what_is_issued_satisfies_gnutls() {
    let Some(certtool) = peer("certtool") else { return };
    let sandbox = with_ca();
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    let ca = sandbox.ca().join("ca.pem");
    let load = ["--verify", "--load-ca-certificate", ca.to_str().unwrap(), "--infile", "a.test.pem"];
    let verify = |host: &str| sandbox.peer(&certtool, &[&load[..], &["--verify-hostname", host]].concat());
    verify("a.test").expect_code(0).says("The certificate is trusted");
    assert_ne!(verify("b.test").code, Some(0));
}

#[test]
fn a_ca_of_every_kind_of_key_issues() {
    let Some(openssl) = peer("openssl") else { return };
    for key_type in ["p256", "p384", "p521", "rsa:2048", "ed25519"] {
        let sandbox = Sandbox::new();
        sandbox.certkit(&["ca", "init", "--type", key_type]).expect_code(0);
        sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
        verify(&sandbox, &openssl, "a.test.pem", "a.test").expect_code(0);
    }
}

#[cfg(unix)]
#[test]
fn keys_are_their_owners_alone_and_so_is_the_folder() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = with_ca();
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&sandbox.ca()), 0o700);
    assert_eq!(mode(&sandbox.ca().join("ca-key.pem")), 0o600);
    assert_eq!(mode(&sandbox.ca().join("ledger.db")), 0o600);
    assert_eq!(sandbox.mode("a.test-key.pem"), 0o600);
    sandbox.certkit(&["ca", "issue", "b.test", "--out", "b.pem", "--keyout", "b.pem"]).expect_code(0);
    assert_eq!(sandbox.mode("b.pem"), 0o600);
}

#[test]
fn the_file_of_a_certificate_is_what_a_server_sends() {
    let sandbox = with_ca();
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    let shown = sandbox.certkit(&["inspect", "a.test.pem", "--json"]).expect_code(0).json();
    let blocks = shown[0]["blocks"].as_array().unwrap();
    let subjects: Vec<&str> = blocks.iter().map(|block| block["subject"].as_str().unwrap()).collect();
    assert_eq!(subjects, ["CN=a.test"], "the root is not sent");
}

#[test]
fn issue_makes_a_ca_where_none_was_asked_for_and_says_so() {
    let sandbox = Sandbox::new();
    let answer = sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0).says("made a CA").says("ca.pem");
    drop(answer);
    let again = sandbox.certkit(&["ca", "issue", "b.test", "--json"]).expect_code(0).json();
    assert!(again["made_ca"].is_null());
    assert_eq!(recorded(&sandbox).len(), 2);
}

#[test]
fn a_ca_that_is_named_and_missing_is_a_mistake() {
    let sandbox = Sandbox::new();
    for command in [&["ca", "issue", "a.test"][..], &["ca", "list"], &["ca", "show"]] {
        let args = [command, &["--ca", "nowhere"]].concat();
        sandbox.certkit(&args).expect_code(2).complains("certkit ca init --ca nowhere");
    }
    assert_eq!(sandbox.listing(), [""; 0]);
}

#[test]
fn the_default_place_is_the_users_data_folder() {
    let sandbox = Sandbox::new();
    sandbox.command().args(["ca", "init"]).env("CERTKIT_CA", "").expect_code(0);
    assert!(sandbox.home().join("data/certkit/ca/ca.pem").is_file());
}

#[test]
fn a_ca_is_never_overwritten() {
    let sandbox = with_ca();
    let before = fs::read(sandbox.ca().join("ca-key.pem")).unwrap();
    sandbox.certkit(&["ca", "init"]).expect_code(2).complains("already");
    assert_eq!(fs::read(sandbox.ca().join("ca-key.pem")).unwrap(), before);
}

#[test]
fn half_a_ca_is_explained() {
    let sandbox = with_ca();
    fs::remove_file(sandbox.ca().join("ca.pem")).unwrap();
    for command in [&["ca", "issue", "a.test"][..], &["ca", "init"]] {
        sandbox.certkit(command).expect_code(2).complains("ca-key.pem is there and ca.pem is not");
    }
    assert_eq!(sandbox.listing(), [""; 0]);
}

#[test]
fn half_a_ca_that_has_signed_is_never_advised_to_be_removed() {
    let sandbox = with_ca();
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    let (certificate, key) = (sandbox.ca().join("ca.pem"), sandbox.ca().join("ca-key.pem"));
    let whole = fs::read(&certificate).unwrap();
    fs::remove_file(&certificate).unwrap();
    let told = sandbox.certkit(&["ca", "list"]).expect_code(2).complains("ca-key.pem is there and ca.pem is not");
    assert!(told.stderr.contains("certkit ca repair") && !told.stderr.contains("remove"), "{told}");
    fs::write(&certificate, whole).unwrap();
    fs::remove_file(&key).unwrap();
    for command in [&["ca", "issue", "b.test"][..], &["ca", "crl"], &["ca", "init"]] {
        let told = sandbox.certkit(command).expect_code(2);
        assert!(!told.stderr.contains("remove"), "{told}");
    }
    sandbox
        .certkit(&["ca", "issue", "b.test"])
        .expect_code(2)
        .complains("restore")
        .complains("ca-key.pem from a backup");
    assert_eq!(sandbox.listing(), ["a.test-key.pem", "a.test.pem"]);
}

#[test]
fn what_needs_no_key_goes_on_where_it_is_lost() {
    let sandbox = with_ca();
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    sandbox.certkit(&["ca", "crl"]).expect_code(0);
    // There is a delegate for answers about revocation.
    sandbox.write("req.der", "nonsense");
    let answer = ["ca", "ocsp", "--request", "req.der", "--force"];
    sandbox.certkit(&answer).expect_code(1);
    fs::remove_file(sandbox.ca().join("ca-key.pem")).unwrap();
    let begun = std::time::Instant::now();
    assert_eq!(recorded(&sandbox).len(), 2);
    assert!(begun.elapsed() < std::time::Duration::from_secs(1), "nobody is waited for");
    for command in [
        &["ca", "show"][..],
        &["ca", "show", "a.test"],
        &["ca", "export", "a.test", "--out", "b.pem"],
        &["ca", "audit"],
        &["ca", "crl", "--check"],
        &["ca", "revoke", "a.test"],
        &["ca", "backup", "copy"],
    ] {
        sandbox.certkit(command).expect_code(0);
    }
    sandbox.certkit(&answer).expect_code(1).says("malformedRequest");
    let checked = sandbox.certkit(&["ca", "check"]).expect_code(1);
    checked.says("ca-key.pem: it is gone, the key of ca").says("restore the file from a backup");
}

#[test]
fn a_ca_without_its_ledger_signs_nothing() {
    let sandbox = with_ca();
    fs::remove_file(sandbox.ca().join("ledger.db")).unwrap();
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(2).complains("there is no ledger");
    assert!(!sandbox.ca().join("ledger.db").exists());
    assert_eq!(sandbox.listing(), [""; 0]);
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_entered_is_not_taken_for_an_empty_one() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = with_ca();
    let mode = |mode| fs::set_permissions(sandbox.ca(), fs::Permissions::from_mode(mode)).unwrap();
    mode(0);
    let ran = sandbox.unprivileged(&["ca", "list"]);
    mode(0o700);
    let Some(ran) = ran else { return };
    ran.expect_code(2).complains("permission denied");
}

#[test]
fn an_interrupted_init_is_taken_up_again() {
    let sandbox = with_ca();
    // The ledger comes first: this is what a kill right after it leaves.
    for file in ["ca.pem", "ca-key.pem"] {
        fs::remove_file(sandbox.ca().join(file)).unwrap();
    }
    sandbox.certkit(&["ca", "init", "--name", "Second CA"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    assert_eq!(recorded(&sandbox).len(), 1);
}

#[test]
fn an_output_in_the_way_is_refused_before_anything_is_recorded() {
    let sandbox = with_ca();
    for taken in ["a.test.pem", "a.test-key.pem"] {
        sandbox.write(taken, "mine");
        sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(2).complains("exists");
        assert_eq!(sandbox.listing(), [taken]);
        fs::remove_file(sandbox.path(taken)).unwrap();
    }
    let missing = ["ca", "issue", "a.test", "--out", "no/such/folder.pem"];
    sandbox.certkit(&missing).expect_code(2);
    sandbox.certkit(&["ca", "issue", "a.test", "--days", "0"]).expect_code(2);
    sandbox.certkit(&["ca", "issue", ".."]).expect_code(2);
    assert_eq!((recorded(&sandbox).len(), sandbox.listing()), (0, vec![]));
}

#[test]
fn a_leaf_never_outlives_its_ca_and_that_is_said() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--days", "10"]).expect_code(0);
    let issued = sandbox.certkit(&["ca", "issue", "a.test", "--days", "90", "--json"]).expect_code(0).json();
    let ca = sandbox.certkit(&["ca", "show", "--json"]).expect_code(0).json();
    assert_eq!(issued["not_after"], ca["about"]["validity"]["not_after"]);
    assert!(issued["shortened_from"].is_string());
    sandbox.certkit(&["ca", "issue", "b.test", "--days", "90"]).expect_code(0).says("shortened");
    let short = sandbox.certkit(&["ca", "issue", "c.test", "--days", "5", "--json"]).expect_code(0).json();
    assert!(short["shortened_from"].is_null());
}

#[test]
fn a_certificate_that_is_no_cas_signs_nothing() {
    let sandbox = with_ca();
    let place = sandbox.ca();
    sandbox.certkit(&["new", "--cn", "leaf.test", "--out", "leaf.pem"]).expect_code(0);
    fs::copy(sandbox.path("leaf.pem"), place.join("ca.pem")).unwrap();
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(2).complains("ledger");
    fs::remove_file(place.join("ca.pem")).unwrap();
    fs::copy(sandbox.path("leaf-key.pem"), place.join("ca.pem")).unwrap();
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(2).complains("private key");
}

#[test]
fn another_key_signs_nothing() {
    let sandbox = with_ca();
    sandbox.certkit(&["key", "new", "--out", "other.pem"]).expect_code(0);
    fs::copy(sandbox.path("other.pem"), sandbox.ca().join("ca-key.pem")).unwrap();
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(2).complains("does not belong");
    assert_eq!((recorded(&sandbox).len(), sandbox.listing()), (0, vec!["other.pem".to_owned()]));
}

#[test]
fn an_expired_ca_signs_nothing_and_still_lists() {
    let sandbox = Sandbox::new();
    let past = sandbox.command().args(["ca", "init", "--days", "30"]).env("SOURCE_DATE_EPOCH", "1700000000");
    past.expect_code(0);
    sandbox
        .certkit(&["ca", "issue", "a.test"])
        .expect_code(2)
        .complains("expired at 2023-12-14")
        .complains("certkit ca renew ca");
    assert_eq!((recorded(&sandbox).len(), sandbox.listing()), (0, vec![]));
}

#[test]
fn a_key_under_a_passphrase_signs_with_it_alone() {
    let sandbox = Sandbox::new();
    let run = |args: &[&str], passphrase: &str| sandbox.command().args(args).env("SECRET", passphrase).run();
    run(&["ca", "init", "--encrypt", "--passphrase", "env:SECRET"], "sesame").expect_code(0);
    let key = fs::read_to_string(sandbox.ca().join("ca-key.pem")).unwrap();
    assert!(key.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    let issue = ["ca", "issue", "a.test", "--ca-passphrase", "env:SECRET"];
    run(&issue, "wrong").expect_code(2).complains("passphrase");
    assert_eq!(sandbox.listing(), [""; 0]);
    run(&issue, "sesame").expect_code(0);
    sandbox.certkit(&["ca", "list"]).expect_code(0).says("a.test");
    sandbox.certkit(&["ca", "init", "--passphrase", "env:SECRET"]).expect_code(2).complains("--encrypt");
}

#[test]
fn a_passphrase_for_a_plain_key_is_an_error() {
    let sandbox = with_ca();
    let issue = sandbox.command().args(["ca", "issue", "a.test", "--ca-passphrase", "env:SECRET"]);
    issue.env("SECRET", "x").expect_code(2).complains("not encrypted");
}

#[test]
fn of_a_request_only_allowed_names_and_usages_are_taken() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = with_ca();
    let asked = [
        "-subj",
        "/O=Acme/CN=app.test",
        "-addext",
        "subjectAltName=DNS:b.test,email:x@y.test",
        "-addext",
        "keyUsage=digitalSignature,keyCertSign",
        "-addext",
        "extendedKeyUsage=serverAuth,clientAuth",
    ];
    request(&sandbox, &openssl, "app.csr", &asked);
    let signed = sandbox.certkit(&["ca", "sign", "app.csr", "--json"]).expect_code(0).json();
    assert_eq!(signed["names"], serde_json::json!(["dns:app.test", "dns:b.test"]));
    assert_eq!(signed["subject"], "CN=app.test");
    let left_out =
        ["extKeyUsage clientAuth", "name email:x@y.test", "subject organizationName=Acme", "keyUsage keyCertSign"];
    assert_eq!(signed["left_out"], serde_json::json!(left_out));
    verify(&sandbox, &openssl, "app.pem", "b.test").expect_code(0);
    let text = sandbox.peer(&openssl, &["x509", "-in", "app.pem", "-noout", "-text"]).expect_code(0).stdout;
    assert!(text.contains("CA:FALSE") && !text.contains("Certificate Sign") && !text.contains("Client"), "{text}");
}

#[test]
fn a_request_for_a_ca_is_refused_aloud() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = with_ca();
    request(&sandbox, &openssl, "ca.csr", &["-subj", "/CN=a.test", "-addext", "basicConstraints=critical,CA:TRUE"]);
    let before = sandbox.listing();
    sandbox.certkit(&["ca", "sign", "ca.csr"]).expect_code(1).says("CA:TRUE");
    assert!(sandbox.certkit(&["ca", "sign", "ca.csr", "--json"]).expect_code(1).json()["refused"].is_string());
    assert_eq!((recorded(&sandbox).len(), sandbox.listing()), (0, before));
}

#[test]
fn a_tampered_request_is_refused() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = with_ca();
    request(&sandbox, &openssl, "app.csr", &["-subj", "/CN=app.test", "-outform", "DER"]);
    let mut request = sandbox.read("app.csr");
    let at = request.windows(8).position(|window| window == b"app.test").unwrap();
    request[at] = b'b';
    sandbox.write("changed.csr", &request);
    sandbox.certkit(&["ca", "sign", "changed.csr"]).expect_code(1).says("possession");
    assert_eq!(recorded(&sandbox).len(), 0);
    sandbox.certkit(&["ca", "sign", "app.csr"]).expect_code(0);
}

#[test]
fn what_is_no_request_is_not_signed() {
    let sandbox = with_ca();
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    sandbox.certkit(&["ca", "sign", "a.test.pem"]).expect_code(2).complains("certification request");
    sandbox.certkit(&["ca", "sign", "missing.csr"]).expect_code(2).complains("no such file");
}

#[test]
fn certificates_are_shown_by_serial_number_and_by_name() {
    let sandbox = with_ca();
    let issued = sandbox.certkit(&["ca", "issue", "a.test", "--json"]).expect_code(0).json();
    for which in [issued["serial"].as_str().unwrap(), "A.test"] {
        let shown = sandbox.certkit(&["ca", "show", which, "--json"]).expect_code(0).json();
        assert_eq!(shown["record"]["fingerprint_sha256"], issued["fingerprint_sha256"]);
        assert!(sandbox.read("a.test.pem").starts_with(shown["pem"].as_str().unwrap().as_bytes()));
    }
    let serial = issued["serial"].as_str().unwrap();
    for which in
        [format!("0x{serial}"), format!("00{serial}"), format!("serial={}", serial.to_uppercase()), "dns:a.test".into()]
    {
        let shown = sandbox.certkit(&["ca", "show", &which, "--json"]).expect_code(0).json();
        assert_eq!(shown["record"]["fingerprint_sha256"], issued["fingerprint_sha256"], "{which}");
    }
    // Six digits and more of its beginning do for that, and for nothing that changes something.
    for which in [&serial[..6], &serial[..9], &format!("0x{}", serial[..12].to_uppercase())] {
        let shown = sandbox.certkit(&["ca", "show", which, "--json"]).expect_code(0).json();
        assert_eq!(shown["record"]["fingerprint_sha256"], issued["fingerprint_sha256"], "{which}");
        sandbox.certkit(&["ca", "revoke", which]).expect_code(2).complains("has issued no certificate");
        sandbox.certkit(&["ca", "renew", which]).expect_code(2).complains("has issued no certificate");
    }
    sandbox.certkit(&["ca", "show", &serial[..5]]).expect_code(2).complains("has issued no certificate");
    let listed = sandbox.certkit(&["ca", "list", "--name", "dns:a.test", "--json"]).expect_code(0).json();
    assert_eq!(listed["certificates"].as_array().unwrap().len(), 1);
    // As it is typed, not only as it was issued.
    sandbox.certkit(&["ca", "issue", "münchen.test"]).expect_code(0);
    for name in ["münchen.test", "xn--mnchen-3ya.test", "München.test."] {
        sandbox.certkit(&["ca", "show", name]).expect_code(0);
        let listed = sandbox.certkit(&["ca", "list", "--name", name, "--json"]).expect_code(0).json();
        assert_eq!(listed["certificates"].as_array().unwrap().len(), 1, "{name}");
    }
    sandbox.certkit(&["ca", "issue", "localhost:8443"]).expect_code(2).complains("leave the port out");
    sandbox.certkit(&["ca", "issue", "fe80::1%eth0"]).expect_code(2).complains("zone");
    sandbox.certkit(&["ca", "issue", "--cn", "-rf"]).expect_code(2).complains("--option=-r");
    let idle = ["ca", "issue", "b.test", "--ca-passphrase", "env:HOME"];
    sandbox.certkit(&idle).expect_code(2).complains("leave --ca-passphrase out");
    sandbox.certkit(&["ca", "show", "beef"]).expect_code(2).complains("certkit ca list");
    sandbox.certkit(&["ca", "list", "--name", "b.test"]).expect_code(0).says("nothing");
    sandbox.certkit(&["ca", "list", "--expiring", "30d"]).expect_code(0).says("nothing");
    sandbox.certkit(&["ca", "list", "--expiring", "2y"]).expect_code(0).says("a.test");
}

#[test]
fn further_cas_lie_beside_the_default_by_name() {
    let sandbox = Sandbox::new();
    let run = |args: &[&str]| sandbox.command().args(args).env("CERTKIT_CA", "").run();
    run(&["ca", "init", "--ca", "@work", "--name", "Work"]).expect_code(0);
    assert!(sandbox.home().join("data/certkit/work/ca.pem").is_file());
    run(&["ca", "issue", "a.test", "--ca", "@work"]).expect_code(0).says("CN=Work");
    // A folder of that name is another thing.
    run(&["ca", "init", "--ca", "./@work", "--name", "Folder"]).expect_code(0);
    assert!(sandbox.path("@work/ca.pem").is_file());
    run(&["ca", "list", "--ca", "@none"]).expect_code(2).complains("data/certkit/none");
    // Whoever names one means one that is there.
    let named = sandbox.command().args(["ca", "issue", "b.test"]).env("CERTKIT_CA", "@none").run();
    named.expect_code(2).complains("data/certkit/none");
    run(&["ca", "list", "--ca", "@Work"])
        .expect_code(2)
        .complains("in lower case")
        .complains("--ca @work; a folder is ./@Work");
    for no_name in ["@foo/bar", "@../../x", "@"] {
        let refused = run(&["ca", "list", "--ca", no_name]).expect_code(2);
        refused.complains("cannot be what an authority is called").complains("a folder is ./@...");
    }
}

#[test]
fn what_a_folder_says_of_itself_is_read_strictly() {
    let sandbox = with_ca();
    let config = sandbox.ca().join("ca.toml");
    fs::write(&config, "\nisuer = \"a\"").unwrap();
    sandbox.certkit(&["ca", "list"]).expect_code(2).complains("ca.toml:2:1: unknown field `isuer`");
    fs::write(&config, "issuer = \"web\"").unwrap();
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(2).complains("has no authority web");
    sandbox.certkit(&["ca", "issue", "a.test", "--issuer", "ca"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "b.test", "--issuer", "B"]).expect_code(2).complains("cannot be what");
    sandbox
        .certkit(&["ca", "init", "--issuer", "ca", "--ca", "new"])
        .expect_code(2)
        .complains("--issuer has no effect");
}

#[test]
fn a_key_that_was_set_aside_is_asked_for() {
    let sandbox = with_ca();
    fs::rename(sandbox.ca().join("ca-key.pem"), sandbox.path("stick.pem")).unwrap();
    sandbox.certkit(&["ca", "list"]).expect_code(2).complains("set_aside");
    fs::write(sandbox.ca().join("ca.toml"), "[keys]\nca = { set_aside = \"/stick\" }").unwrap();
    sandbox.certkit(&["ca", "list"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(2).complains("set aside").complains("put in /stick");
    assert_eq!(sandbox.listing(), ["stick.pem"]);
    sandbox.certkit(&["ca", "issue", "a.test", "--ca-key", "stick.pem"]).expect_code(0);
}

#[test]
fn the_examples_of_its_help_issue_what_they_say() {
    let sandbox = with_ca();
    let help = sandbox.certkit(&["ca", "issue", "--help"]).expect_code(0).stdout;
    let examples = help.lines().filter_map(|line| line.strip_prefix("  certkit ")).filter(|it| !it.contains("--batch"));
    let mut tried = 0;
    for example in examples {
        let quoted = example.replace('\'', "\"");
        // Blanks within quotes are part of a word.
        let mut args: Vec<String> = Vec::new();
        for (at, part) in quoted.split('"').enumerate() {
            match at % 2 {
                0 => args.extend(part.split_whitespace().map(str::to_owned)),
                _ => args.push(part.to_owned()),
            }
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        sandbox.certkit(&args).expect_code(0);
        tried += 1;
    }
    assert_eq!(tried, 3);
}
