//! `certkit ca import`.

use crate::support::{Peer, Sandbox, peer};
use std::fs;

/// The CA in `made` as step lays it out, in `step`.
pub(crate) fn laid_out_as_step(sandbox: &Sandbox) {
    for (from, to) in [
        ("ca.pem", "certs/root_ca.crt"),
        ("ca-key.pem", "secrets/root_ca_key"),
        ("issuing.pem", "certs/intermediate_ca.crt"),
        ("issuing-key.pem", "secrets/intermediate_ca_key"),
    ] {
        fs::create_dir_all(sandbox.path("step").join(to).parent().unwrap()).unwrap();
        fs::copy(sandbox.path("made").join(from), sandbox.path("step").join(to)).unwrap();
    }
}

/// A CA of openssl's own making, key and certificate where they are wanted.
fn foreign(sandbox: &Sandbox, openssl: &Peer, certificate: &str, key: &str, more: &[&str]) {
    for path in [certificate, key] {
        fs::create_dir_all(sandbox.path(path).parent().unwrap()).unwrap();
    }
    let made = ["req", "-x509", "-newkey", "rsa:2048", "-days", "1000", "-subj", "/O=Old/CN=Old CA", "-keyout", key];
    let plain: &[&str] = if more.contains(&"-passout") { &[] } else { &["-nodes"] };
    let extension = ["-out", certificate, "-addext", "keyUsage=critical,keyCertSign,cRLSign"];
    sandbox.peer(openssl, &[&made[..], &extension, plain, more].concat()).expect_code(0);
}

/// A certificate signed by that CA.
fn leaf(sandbox: &Sandbox, openssl: &Peer, (certificate, key): (&str, &str), name: &str, out: &str) -> String {
    fs::create_dir_all(sandbox.path(out).parent().unwrap()).unwrap();
    let request = ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "l.key", "-out", "l.csr", "-subj"];
    sandbox.peer(openssl, &[&request[..], &[&format!("/CN={name}")]].concat()).expect_code(0);
    let sign = ["x509", "-req", "-in", "l.csr", "-CA", certificate, "-CAkey", key, "-days", "90", "-out", out];
    sandbox.peer(openssl, &[&sign[..], &["-CAcreateserial", "-CAserial", "l.srl"]].concat()).expect_code(0);
    let said = sandbox.peer(openssl, &["x509", "-in", out, "-noout", "-serial"]).expect_code(0).stdout;
    said.trim().trim_start_matches("serial=").to_owned()
}

#[test]
fn what_is_wrong_with_a_ca_to_be_taken_over_is_said_plainly() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--ca", "made", "--intermediate"]).expect_code(0);
    sandbox.certkit(&["ca", "init", "--ca", "else", "--name", "Else"]).expect_code(0);
    let import = |into: &str, args: &[&str]| {
        let from = ["ca", "import", "--cert", "sub.pem", "--key", "made/issuing-key.pem", "--ca", into];
        sandbox.certkit(&[&from[..], args].concat())
    };
    let chain = fs::read_to_string(sandbox.path("made/issuing.pem")).unwrap();
    let end = chain.find("-----END CERTIFICATE-----\n").unwrap() + 26;
    sandbox.write("sub.pem", &chain[..end]);
    let odd = import("a", &["--chain", "else/ca.pem"]).expect_code(0);
    odd.says("else/ca.pem holds none that has that name and signed it");
    import("b", &[]).expect_code(0).says("is not here: give it with --chain");
    assert!(!import("c", &["--chain", "made/ca.pem"]).expect_code(0).stdout.contains("odd"));
    // There is no terminal.
    let unasked = import("d", &["--encrypt"]).expect_code(2);
    unasked.complains("a new passphrase for d/ca-key.pem").complains("--new-passphrase takes file:PATH");
    sandbox.certkit(&["ca", "issue", "x.test", "--ca", "made"]).expect_code(0);
    import("e", &["--issued", "x.test.pem"]).expect_code(0).says("recorded 1 certificate,");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let set = |path: &str, mode| fs::set_permissions(sandbox.path(path), fs::Permissions::from_mode(mode)).unwrap();
        assert!(!import("f", &[]).expect_code(0).stderr.contains("everybody"));
        set(".", 0o755);
        set("made", 0o755);
        set("made/issuing-key.pem", 0o644);
        for (into, more) in [("g", &[][..]), ("h", &["--key-stays"])] {
            import(into, more).expect_code(0).complains("may read or write it: chmod 600 made/issuing-key.pem");
        }
    }
    let Some(openssl) = peer("openssl") else { return };
    let weak =
        ["req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=Weak", "-keyout", "w.key", "-out", "w.pem"];
    sandbox.peer(&openssl, &weak).expect_code(0);
    let told = sandbox.certkit(&["ca", "import", "w.pem", "--key", "w.key", "--ca", "w"]).expect_code(0);
    told.says("certkit signs nothing with it");
}

/// What the CA issues now is accepted by those who trusted it before.
fn carries_on(sandbox: &Sandbox, openssl: &Peer, root: &str) {
    sandbox.certkit(&["ca", "issue", "new.test", "--force"]).expect_code(0);
    let verify =
        |host: &str| sandbox.peer(openssl, &["verify", "-verify_hostname", host, "-CAfile", root, "new.test.pem"]);
    verify("new.test").expect_code(0);
    verify("other.test").expect_code(2);
}

#[test]
fn a_certificate_and_its_key_are_named_as_one_thinks_of_them() {
    let sandbox = Sandbox::new();
    let profile = ["new", "--profile", "root-ca", "--cn", "Old CA", "--out", "old.pem", "--keyout", "old-key.pem"];
    sandbox.certkit(&profile).expect_code(0);
    sandbox.certkit(&["key", "new", "--out", "other-key.pem"]).expect_code(0);
    sandbox.certkit(&["ca", "import", "old.pem", "--key", "other-key.pem", "--ca", "x"]).expect_code(2);
    sandbox.certkit(&["ca", "import", "--key", "old-key.pem", "--ca", "x"]).expect_code(2);
    sandbox.certkit(&["ca", "import", "old.pem", "--cert", "old.pem", "--key", "old-key.pem"]).expect_code(2);
    sandbox.certkit(&["ca", "import", "old.pem", "--key", "old-key.pem", "--ca", "a"]).expect_code(0).says("CN=Old CA");
    sandbox.certkit(&["ca", "import", "--cert", "old.pem", "--key", "old-key.pem", "--ca", "b"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "a.test", "--ca", "a"]).expect_code(0);
}

#[test]
fn the_cas_of_other_programs_are_taken_over() {
    let Some(openssl) = peer("openssl") else { return };
    for (certificate, key) in [
        ("rootCA.pem", "rootCA-key.pem"),
        ("minica.pem", "minica-key.pem"),
        ("ca.crt", "private/ca.key"),
        ("cacert.pem", "private/cakey.pem"),
    ] {
        let sandbox = Sandbox::new();
        let (certificate, key) = (format!("old/{certificate}"), format!("old/{key}"));
        foreign(&sandbox, &openssl, &certificate, &key, &[]);
        sandbox.certkit(&["ca", "import", "old"]).expect_code(0).says("took over ca: CN=Old CA,O=Old");
        carries_on(&sandbox, &openssl, &certificate);
        assert!(sandbox.path(&key).is_file(), "the original stays");
        sandbox.certkit(&["ca", "import", "old"]).expect_code(2).complains("already").complains("--called");
        sandbox.certkit(&["ca", "check"]).expect_code(0);
    }
}

#[test]
fn what_easy_rsa_has_issued_and_revoked_is_recorded() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = Sandbox::new();
    let ca = ("pki/ca.crt", "pki/private/ca.key");
    foreign(&sandbox, &openssl, ca.0, ca.1, &[]);
    let good = leaf(&sandbox, &openssl, ca, "good.test", "pki/issued/good.crt");
    let bad = leaf(&sandbox, &openssl, ca, "bad.test", "pki/issued/bad.crt");
    let index = format!(
        "V\t290101000000Z\t\t{good}\tunknown\t/CN=good.test\n\
         R\t290101000000Z\t260102030405Z,keyCompromise\t{bad}\tunknown\t/CN=bad.test\n"
    );
    sandbox.write("pki/index.txt", index);
    sandbox.write("pki/issued/stray.txt", "no certificate");
    sandbox.certkit(&["new", "--cn", "x.test", "--out", "foreign.pem"]).expect_code(0);
    let imported = sandbox.certkit(&["ca", "import", "pki", "--issued", "foreign.pem", "--json"]).expect_code(0).json();
    assert_eq!(imported["issued"], serde_json::json!({"recorded": 2, "known": 0, "foreign": 1, "weak": 0}));
    assert_eq!(imported["revoked"], 1);
    let listed = sandbox.certkit(&["ca", "list", "--json"]).expect_code(0).json();
    let rows: Vec<String> = listed["certificates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| format!("{} {} {}", row["subject"], row["status"], row["reason"]))
        .collect();
    assert_eq!(rows.len(), 2);
    assert!(rows.contains(&r#""CN=bad.test" "revoked" "keyCompromise""#.to_owned()), "{rows:?}");
    assert!(rows.contains(&r#""CN=good.test" "valid" null"#.to_owned()), "{rows:?}");
    // By which profile the other CA had made it nobody knows.
    let renew = ["ca", "renew", "good.test", "--out", "good.pem"];
    sandbox.certkit(&renew).expect_code(2).complains("before this CA was imported").complains("--profile server");
}

/// The serial numbers on the list that the CA signs now, and its number.
#[cfg(unix)]
fn listed(sandbox: &Sandbox, openssl: &Peer) -> (Vec<String>, String) {
    sandbox.certkit(&["ca", "crl", "--out", "new.crl", "--force"]).expect_code(0);
    let said = sandbox.peer(openssl, &["crl", "-in", "new.crl", "-noout", "-text", "-crlnumber"]).expect_code(0).stdout;
    let after = |line: &str, what: &str| line.trim().strip_prefix(what).map(|rest| rest.trim().to_owned());
    let serials = said.lines().filter_map(|line| after(line, "Serial Number:")).collect();
    (serials, said.lines().find_map(|line| after(line, "crlNumber=")).unwrap())
}

#[cfg(unix)]
#[test]
fn what_was_revoked_stays_revoked_wherever_its_certificate_lies() {
    let Some(openssl) = peer("openssl") else { return };
    for (certificate, key, kept) in [
        ("old/ca.crt", "old/private/ca.key", "old/revoked/certs_by_serial/bad.crt"),
        ("old/cacert.pem", "old/private/cakey.pem", "old/newcerts/bad.pem"),
    ] {
        let sandbox = Sandbox::new();
        foreign(&sandbox, &openssl, certificate, key, &[]);
        let bad = leaf(&sandbox, &openssl, (certificate, key), "bad.test", kept);
        let lost = leaf(&sandbox, &openssl, (certificate, key), "lost.test", "old/lost.pem");
        let index = format!(
            "R\t290101000000Z\t260102030405Z,keyCompromise\t{bad}\tunknown\t/CN=bad.test\n\
             R\t200101000000Z\t190102030405Z\t77\tunknown\t/CN=expired.test\n"
        );
        sandbox.write("old/index.txt", &index);
        sandbox.certkit(&["ca", "import", "old", "--ca", "sound"]).expect_code(0).says("1 of them revoked");
        // One of them is nowhere where it could be looked for.
        sandbox.write("old/index.txt", format!("{index}R\t290101000000Z\t260102030405Z\t{lost}\tunknown\t/CN=lost\n"));
        let refused = sandbox.certkit(&["ca", "import", "old"]).expect_code(2);
        refused.complains(&lost.to_lowercase()).complains("--issued").complains("--drop-revocations");
        assert!(!sandbox.ca().exists(), "nothing is recorded");
        sandbox.write("old/index.txt", format!("{index}R\t290101000000Z\t?\t{lost}\tunknown\t/CN=lost\n"));
        sandbox.certkit(&["ca", "import", "old"]).expect_code(2).complains("line 3");
        sandbox.write("old/index.txt", format!("{index}R\t290101000000Z\t260102030405Z\t{lost}\tunknown\t/CN=lost\n"));
        let accepted = sandbox.certkit(&["ca", "import", "old", "--ca", "less", "--drop-revocations", "--json"]);
        assert_eq!(accepted.expect_code(0).json()["dropped"], serde_json::json!([lost.to_lowercase()]));
        sandbox.certkit(&["ca", "import", "old", "--issued", "old/lost.pem"]).expect_code(0).says("2 of them revoked");
        let mut wanted = vec![bad, lost];
        wanted.sort();
        assert_eq!(listed(&sandbox, &openssl).0, wanted);
    }
}

#[cfg(unix)]
#[test]
fn revocation_lists_are_numbered_on_from_the_last_one() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = Sandbox::new();
    let ca = ("old/cacert.pem", "old/private/cakey.pem");
    foreign(&sandbox, &openssl, ca.0, ca.1, &[]);
    sandbox.write("old/index.txt", "");
    let config = "[ca]\ndefault_ca = x\n[x]\ndatabase = old/index.txt\ncrlnumber = old/crlnumber\ndefault_md = sha256\n\
                  default_crl_days = 9\ncrl_extensions = e\n[e]\nauthorityKeyIdentifier = keyid\n";
    sandbox.write("ca.cnf", config);
    let numbered = |next: &str, folder: &str| {
        sandbox.write("old/crlnumber", next);
        sandbox.certkit(&["ca", "import", "old", "--ca", folder]).expect_code(0);
        sandbox.certkit(&["ca", "crl", "--ca", folder, "--out", "n.crl", "--force"]).expect_code(0);
        let said = sandbox.peer(&openssl, &["crl", "-in", "n.crl", "-noout", "-crlnumber"]).expect_code(0).stdout;
        sandbox.certkit(&["ca", "check", "--ca", folder]).expect_code(0);
        said.trim().trim_start_matches("crlNumber=").trim_start_matches("0x").to_owned()
    };
    assert_eq!(numbered("01\n", "a"), "01");
    assert_eq!(numbered("0500\n", "b"), "0500");
    // The list that is out counts where it is ahead.
    sandbox.write("old/crlnumber", "0777\n");
    let sign = ["ca", "-config", "ca.cnf", "-gencrl", "-cert", ca.0, "-keyfile", ca.1, "-out", "old/crl.pem"];
    sandbox.peer(&openssl, &sign).expect_code(0);
    assert_eq!(numbered("01\n", "c"), "0778");
    for (wrong, told) in [("x\n", "no hexadecimal number"), ("FFFFFFFFFFFFFFFFFF\n", "greater than")] {
        sandbox.write("old/crlnumber", wrong);
        sandbox.certkit(&["ca", "import", "old", "--ca", "d"]).expect_code(2).complains(told).complains("hint");
        assert!(!sandbox.path("d").exists());
    }
}

#[cfg(unix)]
#[test]
fn a_passphrase_from_a_pipe_opens_every_key() {
    let sandbox = Sandbox::new();
    sandbox.write("secret", "open sesame\n");
    let init = ["ca", "init", "--ca", "made", "--intermediate", "--encrypt", "--passphrase", "file:secret"];
    sandbox.certkit(&init).expect_code(0);
    laid_out_as_step(&sandbox);
    sandbox
        .shell("certkit ca import step --ca x --passphrase fd:7 7< <(echo wrong)")
        .expect_code(2)
        .complains("hint: file:");
    sandbox.shell("certkit ca import step --passphrase fd:7 7< <(cat secret)").expect_code(0);
    sandbox.shell("cat secret | certkit ca import step --ca again --passphrase fd:0").expect_code(0);
    let issue = ["ca", "issue", "a.test", "--ca-passphrase", "file:secret"];
    sandbox.certkit(&issue).expect_code(0);
    // step writes its keys as PEM was encrypted before PKCS#8.
    let Some(openssl) = peer("openssl") else { return };
    for key in ["root_ca_key", "intermediate_ca_key"] {
        let key = format!("step/secrets/{key}");
        let pass = ["-passin", "pass:open sesame", "-passout", "pass:open sesame"];
        let encrypt = [&["ec", "-in", &key, "-out", "old.key", "-aes256"], &pass[..]].concat();
        sandbox.peer(&openssl, &encrypt).expect_code(0);
        assert!(String::from_utf8(sandbox.read("old.key")).unwrap().contains("DEK-Info: AES-256-CBC"));
        fs::rename(sandbox.path("old.key"), sandbox.path(&key)).unwrap();
    }
    sandbox.certkit(&["ca", "import", "step", "--ca", "own", "--passphrase", "file:secret"]).expect_code(0);
    sandbox.certkit(&[&issue[..], &["--ca", "own", "--force"]].concat()).expect_code(0);
}

#[test]
fn steps_two_tiers_are_taken_over_with_or_without_the_roots_key() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--ca", "made", "--intermediate", "--name", "Step Root CA"]).expect_code(0);
    for (from, to) in [("ca.pem", "certs/root_ca.crt"), ("issuing-key.pem", "secrets/intermediate_ca_key")] {
        fs::create_dir_all(sandbox.path("step").join(to).parent().unwrap()).unwrap();
        fs::copy(sandbox.path("made").join(from), sandbox.path("step").join(to)).unwrap();
    }
    fs::copy(sandbox.path("made/issuing.pem"), sandbox.path("step/certs/intermediate_ca.crt")).unwrap();
    let imported = sandbox.certkit(&["ca", "import", "step", "--json"]).expect_code(0).json();
    assert_eq!(imported["authorities"][0]["key_is"], "set_aside");
    assert_eq!(imported["authorities"][1]["name"], "intermediate");
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0).says("CN=Step Issuing CA");
    let verify = ["verify", "a.test.pem", "--host", "a.test", "--roots", "step/certs/root_ca.crt"];
    sandbox.certkit(&verify).expect_code(0);
    sandbox.certkit(&["ca", "issue", "b.test", "--issuer", "ca"]).expect_code(2).complains("set aside");
}

#[test]
fn an_imported_root_revokes_the_authority_that_came_with_it() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--ca", "made", "--intermediate", "--name", "Step Root CA"]).expect_code(0);
    laid_out_as_step(&sandbox);
    let imported = sandbox.certkit(&["ca", "import", "step", "--json"]).expect_code(0).json();
    assert_eq!(imported["issued"]["recorded"], 1, "{imported}");
    sandbox.certkit(&["ca", "check"]).expect_code(0).says("2 authorities, 2 certificates");
    sandbox.certkit(&["ca", "revoke", "step/certs/intermediate_ca.crt"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(2).complains("revoked");
    // One that a list revokes is revoked from the beginning.
    sandbox.certkit(&["ca", "crl", "--issuer", "ca", "--out", "step.crl"]).expect_code(0).says("1 certificate");
    let again = ["ca", "import", "step", "--ca", "again", "--crl", "step.crl", "--json"];
    assert_eq!(sandbox.certkit(&again).expect_code(0).json()["revoked"], 1);
    sandbox.certkit(&["ca", "issue", "a.test", "--ca", "again"]).expect_code(2).complains("revoked");
    // So does one that is there already.
    let one = |name: &str, certificate: &str, key: &str, more: &[&str]| {
        let args = ["ca", "import", "--ca", name, "--cert", certificate, "--key", key];
        sandbox.certkit(&[&args, more].concat()).expect_code(0);
    };
    one("parts", "step/certs/root_ca.crt", "step/secrets/root_ca_key", &[]);
    one("parts", "step/certs/intermediate_ca.crt", "step/secrets/intermediate_ca_key", &["--called", "below"]);
    sandbox.certkit(&["ca", "revoke", "step/certs/intermediate_ca.crt", "--ca", "parts"]).expect_code(0);
}

#[test]
fn what_is_no_ca_or_has_another_key_is_not_taken_over() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = Sandbox::new();
    foreign(&sandbox, &openssl, "x/rootCA.pem", "x/rootCA-key.pem", &[]);
    sandbox.certkit(&["new", "--cn", "leaf.test", "--out", "leaf.pem"]).expect_code(0);
    sandbox.certkit(&["key", "new", "--out", "other.pem"]).expect_code(0);
    let import = |args: &[&str]| sandbox.certkit(&[&["ca", "import"], args].concat());
    import(&["--cert", "x/rootCA.pem", "--key", "other.pem"]).expect_code(2).complains("does not belong");
    import(&["--cert", "leaf.pem", "--key", "leaf-key.pem"]).expect_code(2).complains("no certification authority");
    import(&["--cert", "x/rootCA.pem"]).expect_code(2);
    import(&["x", "--cert", "x/rootCA.pem", "--key", "other.pem"]).expect_code(2);
    import(&["x/rootCA.pem"]).expect_code(2).complains("neither a folder nor a PKCS#12 file");
    import(&["."]).expect_code(2).complains("no CA's folder");
    import(&["x", "--called", "web"]).expect_code(2).complains("first authority");
    assert!(!sandbox.ca().join("ca.pem").exists());
    // Nothing of that is in the way of the right one.
    import(&["x", "--key-stays"]).expect_code(0);
    assert!(!sandbox.ca().join("ca-key.pem").exists());
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(2).complains("rootCA-key.pem");
    sandbox.certkit(&["ca", "issue", "a.test", "--ca-key", "x/rootCA-key.pem"]).expect_code(0);
}

#[test]
fn a_ca_is_taken_over_once_in_a_folder() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--ca", "own", "--name", "Own CA"]).expect_code(0);
    sandbox.certkit(&["ca", "init", "--ca", "made", "--name", "Other CA"]).expect_code(0);
    let import = |to: &str, more: &[&str]| {
        let files = ["ca", "import", "--cert", "made/ca.pem", "--key", "made/ca-key.pem", "--ca", to];
        sandbox.certkit(&[&files, more].concat())
    };
    import("made", &["--called", "again"]).expect_code(2).complains("it is ca").complains("--issuer ca");
    import("own", &["--called", "other"]).expect_code(0);
    let again = import("own", &["--called", "twice"]).expect_code(2);
    again.complains("has CN=Other CA already: it is other").complains("another folder");
    assert!(!sandbox.path("own/twice.pem").exists() && !sandbox.path("own/twice-key.pem").exists());
    import("elsewhere", &[]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "a.test", "--ca", "own", "--issuer", "other"]).expect_code(0);
}

#[test]
fn a_passphrase_for_a_key_that_is_under_none_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--ca", "made", "--intermediate"]).expect_code(0);
    laid_out_as_step(&sandbox);
    sandbox.write("secret", "open sesame\n");
    let with = ["--passphrase", "file:secret"];
    let one = ["ca", "import", "--cert", "made/ca.pem", "--key", "made/ca-key.pem"];
    let refused = sandbox.certkit(&[&one[..], &with].concat()).expect_code(2);
    refused
        .complains("made/ca-key.pem is not encrypted: a passphrase for it has no effect")
        .complains("leave --passph");
    let refused = sandbox.certkit(&[&["ca", "import", "step"], &with[..]].concat()).expect_code(2);
    refused.complains("no key of step").complains("is encrypted");
    assert!(!sandbox.ca().join("ca.pem").exists());
    // Where one key of several is under it, it has an effect.
    let root =
        sandbox.shell("certkit key convert step/secrets/root_ca_key --out k --encrypt --new-passphrase file:secret");
    root.expect_code(0);
    fs::rename(sandbox.path("k"), sandbox.path("step/secrets/root_ca_key")).unwrap();
    sandbox.certkit(&[&["ca", "import", "step"], &with[..]].concat()).expect_code(0);
}

#[test]
fn a_key_under_a_passphrase_stays_under_it() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = Sandbox::new();
    foreign(&sandbox, &openssl, "x/cacert.pem", "x/private/cakey.pem", &["-passout", "pass:sesame"]);
    let run = |args: &[&str]| sandbox.command().args(args).env("OLD", "sesame").env("NEW", "open").run();
    run(&["ca", "import", "x", "--passphrase", "env:NEW"]).expect_code(2).complains("does not open");
    run(&["ca", "import", "x", "--passphrase", "env:OLD"]).expect_code(0).says("under its passphrase");
    run(&["ca", "issue", "a.test", "--ca-passphrase", "env:OLD"]).expect_code(0);
    let new =
        ["ca", "import", "x", "--ca", "again", "--passphrase", "env:OLD", "--encrypt", "--new-passphrase", "env:NEW"];
    run(&new).expect_code(0);
    run(&["ca", "issue", "b.test", "--ca", "again", "--ca-passphrase", "env:NEW"]).expect_code(0);
}

#[test]
fn a_ca_is_taken_over_from_pkcs12_as_openssl_writes_it() {
    let Some(openssl) = peer("openssl") else { return };
    for more in [&[][..], &["-legacy"], &["-legacy", "-certpbe", "PBE-SHA1-3DES"], &["-macalg", "sha512"], &["-nomac"]]
    {
        let sandbox = Sandbox::new();
        foreign(&sandbox, &openssl, "x/ca.pem", "x/ca.key", &[]);
        let export =
            ["pkcs12", "-export", "-in", "x/ca.pem", "-inkey", "x/ca.key", "-passout", "pass:sesame", "-out", "ca.p12"];
        sandbox.peer(&openssl, &[&export[..], more].concat()).expect_code(0);
        let run = |args: &[&str], secret: &str| sandbox.command().args(args).env("P", secret).run();
        let shown = run(&["inspect", "ca.p12", "--passphrase", "env:P"], "sesame").expect_code(0);
        drop(shown.says("private key").says("CN=Old CA,O=Old"));
        run(&["inspect", "ca.p12", "--passphrase", "env:P"], "wrong").expect_code(2).complains("does not open");
        sandbox.certkit(&["inspect", "ca.p12"]).expect_code(2).complains("--passphrase");
        run(&["inspect", "x/ca.pem", "--passphrase", "env:P"], "x").expect_code(2).complains("no effect");
        run(&["ca", "import", "ca.p12", "--passphrase", "env:P"], "wrong").expect_code(2).complains("does not open");
        assert!(!sandbox.ca().join("ca.pem").exists());
        run(&["ca", "import", "ca.p12", "--passphrase", "env:P"], "sesame").expect_code(0);
        run(&["ca", "issue", "a.test", "--ca-passphrase", "env:P"], "sesame").expect_code(0);
    }
}

#[test]
fn valid_certificates_that_are_lost_or_cut_short_are_told() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = Sandbox::new();
    let ca = ("pki/ca.crt", "pki/private/ca.key");
    foreign(&sandbox, &openssl, ca.0, ca.1, &[]);
    let good = leaf(&sandbox, &openssl, ca, "good.test", "pki/issued/good.crt");
    let lost = leaf(&sandbox, &openssl, ca, "lost.test", "lost.crt");
    let cut = leaf(&sandbox, &openssl, ca, "cut.test", "pki/issued/cut.crt");
    let whole = sandbox.read("pki/issued/cut.crt");
    sandbox.write("pki/issued/cut.crt", &whole[..whole.len() / 2]);
    let index = format!(
        "V\t490101000000Z\t\t{good}\tunknown\t/CN=good.test\nV\t490101000000Z\t\t{lost}\tunknown\t/CN=lost.test\n\
         V\t490101000000Z\t\t{cut}\tunknown\t/CN=cut.test\nV\t200101000000Z\t\t7777\tunknown\t/CN=old.test\n"
    );
    sandbox.write("pki/index.txt", index);
    let ran = sandbox.certkit(&["ca", "import", "pki"]).expect_code(0).says("recorded 1 certificate");
    let ran = ran.says("/CN=lost.test").says("/CN=cut.test").says("cut.crt").says("missing or cannot be read");
    assert!(!ran.stdout.contains("/CN=good.test") && !ran.stdout.contains("old.test"), "{ran}");
    // The same of a folder that is given.
    let given = ["ca", "import", "--cert", ca.0, "--key", ca.1, "--issued", "pki/issued", "--ca", "given"];
    sandbox.certkit(&given).expect_code(0).says("cut.crt").says("passed over");
}

#[test]
fn what_is_signed_with_sha_1_is_told_as_that_and_a_damaged_root_is_refused() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = Sandbox::new();
    let ca = ("old/ca.crt", "old/ca.key");
    foreign(&sandbox, &openssl, ca.0, ca.1, &["-sha1"]);
    let request =
        ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "l.key", "-out", "l.csr", "-subj", "/CN=l"];
    sandbox.peer(&openssl, &request).expect_code(0);
    let sign = ["x509", "-req", "-in", "l.csr", "-CA", ca.0, "-CAkey", ca.1, "-days", "90", "-set_serial", "7"];
    sandbox.peer(&openssl, &[&sign[..], &["-sha1", "-out", "l.pem"]].concat()).expect_code(0);
    let import = ["ca", "import", "--cert", ca.0, "--key", ca.1];
    let imported = sandbox.certkit(&[&import[..], &["--issued", "l.pem", "--json"]].concat()).expect_code(0).json();
    let counted = serde_json::json!({"recorded": 0, "known": 0, "foreign": 0, "weak": 1});
    assert_eq!(imported["issued"], counted, "{imported}");
    let warnings = imported["warnings"].to_string();
    assert!(warnings.contains("its own signature is over SHA-1"), "{warnings}");
    assert!(warnings.contains("signed with SHA-1 or MD5") && warnings.contains("07 CN=l"), "{warnings}");
    sandbox.certkit(&["ca", "check"]).expect_code(0);
    // So is a list.
    sandbox.write("ca.cnf", "[ca]\ndefault_ca = d\n[d]\ndatabase = index\ndefault_crl_days = 30\n");
    sandbox.write("index", "");
    let list =
        ["ca", "-config", "ca.cnf", "-gencrl", "-md", "sha1", "-cert", ca.0, "-keyfile", ca.1, "-out", "old.crl"];
    sandbox.peer(&openssl, &list).expect_code(0);
    let listed = [&import[..], &["--crl", "old.crl", "--ca", "listed"]].concat();
    sandbox.certkit(&listed).expect_code(2).complains("signed with SHA-1, which certkit does not check");
    sandbox.certkit(&["ca", "repair", "--crl", "old.crl"]).expect_code(1).says("signed with SHA-1");
    // A root's signature by a good hash or a broken one is its own.
    for (name, hash) in [("strong", "-sha256"), ("weak", "-sha1")] {
        let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
        foreign(&sandbox, &openssl, &certificate, &key, &[hash]);
        sandbox.peer(&openssl, &["x509", "-in", &certificate, "-outform", "DER", "-out", "c.der"]).expect_code(0);
        let mut der = fs::read(sandbox.path("c.der")).unwrap();
        *der.last_mut().unwrap() ^= 1;
        sandbox.write("c.der", der);
        let damaged = ["ca", "import", "--cert", "c.der", "--key", &key, "--ca", name];
        sandbox.certkit(&damaged).expect_code(2).complains("is damaged");
        assert!(!sandbox.path(name).exists());
    }
}

#[test]
fn a_second_ca_in_the_folder_is_told_and_a_key_in_a_pipe_does_not_stay() {
    let sandbox = Sandbox::new();
    for name in ["One", "Two"] {
        sandbox.certkit(&["ca", "init", "--ca", name, "--name", name]).expect_code(0);
    }
    fs::create_dir(sandbox.path("both")).unwrap();
    for (from, to) in [
        ("One/ca.pem", "rootCA.pem"),
        ("One/ca-key.pem", "rootCA-key.pem"),
        ("Two/ca.pem", "minica.pem"),
        ("Two/ca-key.pem", "minica-key.pem"),
        ("One/ca.pem", "ca.crt"),
    ] {
        fs::copy(sandbox.path(from), sandbox.path("both").join(to)).unwrap();
    }
    let ran =
        sandbox.certkit(&["ca", "import", "both"]).expect_code(0).says("CN=One").says("minica.pem is another CA's");
    assert!(!ran.stdout.contains("ca.crt"), "{ran}");
    let stays = ["ca", "import", "--cert", "Two/ca.pem", "--key", "/dev/stdin", "--key-stays", "--ca", "two"];
    let key = sandbox.read("Two/ca-key.pem");
    sandbox.command().args(stays).stdin(key).expect_code(2).complains("does not stay");
    assert!(!sandbox.path("two").exists());
}
