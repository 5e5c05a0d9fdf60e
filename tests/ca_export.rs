//! `certkit ca export` and PKCS#12 files.

use std::fs;

use crate::support::{Ran, Sandbox, peer, python};

/// A two-tier CA that has issued to ann.test.
fn exporting() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--intermediate", "--name", "Example Root CA"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "ann.test", "--type", "rsa:2048"]).expect_code(0);
    sandbox
}

fn subjects(ran: &Ran) -> usize {
    ran.stdout.matches("-----BEGIN CERTIFICATE-----").count()
}

#[test]
fn certificates_chains_and_the_bundle_are_exported() {
    let sandbox = exporting();
    let export = |args: &[&str]| sandbox.certkit(&[&["ca", "export"], args].concat());
    assert_eq!(subjects(&export(&["ann.test"]).expect_code(0)), 1);
    assert_eq!(export(&["ann.test", "--chain"]).expect_code(0).bytes, sandbox.read("ann.test.pem"));
    assert_eq!(export(&["--chain"]).expect_code(0).bytes, fs::read(sandbox.ca().join("issuing.pem")).unwrap());
    assert_eq!(export(&["--bundle"]).expect_code(0).bytes, fs::read(sandbox.ca().join("ca.pem")).unwrap());
    let written = export(&["--bundle", "--out", "roots.pem", "--json"]).expect_code(0).json();
    assert_eq!((written["what"].as_str(), written["count"].as_u64()), (Some("bundle"), Some(1)));
    export(&["--bundle", "--out", "roots.pem"]).expect_code(2).complains("--force");
    export(&["--bundle", "--json"]).expect_code(2);
    export(&[]).expect_code(2).complains("nothing to export");
    export(&["nobody.test"]).expect_code(2);
    export(&["--bundle", "--pkcs12"]).expect_code(2);
}

#[test]
fn the_ledger_is_exported_line_by_line() {
    let sandbox = exporting();
    let lines = sandbox.certkit(&["ca", "export", "--records", "jsonl"]).expect_code(0).stdout;
    let rows: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said: Vec<String> = rows.iter().map(|row| format!("{} {}", row["authority"], row["subject"])).collect();
    assert_eq!(said, [r#""ca" "CN=Example Issuing CA""#, r#""issuing" "CN=ann.test""#]);
    assert!(rows.iter().all(|row| row["certificate"].as_str().unwrap().starts_with("MII")));
    sandbox.certkit(&["ca", "export", "--records", "csv", "--out", "issued.csv"]).expect_code(0).says("2 certificates");
    let csv = String::from_utf8(sandbox.read("issued.csv")).unwrap();
    let lines: Vec<&str> = csv.split("\r\n").collect();
    assert!(lines[0].starts_with("authority,serial,status,subject,names,"), "{csv}");
    assert!(lines[2].contains("issuing,") && lines[2].contains(",valid,CN=ann.test,dns:ann.test,"), "{csv}");
}

#[test]
fn everyone_reads_the_pkcs12_files_and_none_without_the_passphrase() {
    let sandbox = exporting();
    let run = |args: &[&str]| sandbox.command().args(args).env("P", "open sesame 1").run();
    let export = ["ca", "export", "ann.test", "--pkcs12", "--key", "ann.test-key.pem", "--p12-passphrase", "env:P"];
    run(&export).expect_code(0).says("ann.test.p12").says("3 certificates");
    run(&[&export[..], &["--legacy", "--out", "old.p12"]].concat()).expect_code(0);
    let other = ["ca", "export", "ann.test", "--pkcs12", "--key", "other.pem", "--p12-passphrase", "env:P"];
    sandbox.certkit(&["key", "new", "--out", "other.pem"]).expect_code(0);
    run(&other).expect_code(2).complains("is not the key of");
    #[cfg(unix)]
    assert_eq!(sandbox.mode("ann.test.p12"), 0o600);
    for file in ["ann.test.p12", "old.p12"] {
        let shown = run(&["inspect", file, "--passphrase", "env:P", "--json"]).expect_code(0).json();
        assert_eq!(shown[0]["encoding"], "pkcs12");
        assert_eq!(shown[0]["blocks"].as_array().unwrap().len(), 4);
        if let Some(openssl) = peer("openssl") {
            let legacy: &[&str] = if file == "old.p12" { &["-legacy"] } else { &[] };
            let read = |secret: &str| {
                let args = ["pkcs12", "-in", file, "-noenc", "-passin", &format!("pass:{secret}")];
                sandbox.peer(&openssl, &[&args[..], legacy].concat())
            };
            let said = read("open sesame 1").expect_code(0).says("friendlyName: ann.test").says("BEGIN PRIVATE KEY");
            assert_eq!(subjects(&said), 3);
            read("wrong").expect_code(1);
        }
        if let Some(keytool) = peer("keytool") {
            let list = |secret: &str| {
                let args = ["-J-XX:TieredStopAtLevel=1", "-J-Dsun.jnu.encoding=UTF-8", "-J-Dfile.encoding=UTF-8"];
                let store = ["-list", "-v", "-storetype", "PKCS12", "-keystore", file, "-storepass", secret];
                sandbox.peer(&keytool, &[&args[..], &store].concat())
            };
            list("open sesame 1").expect_code(0).says("PrivateKeyEntry").says("Certificate chain length: 3");
            list("wrong").expect_code(1);
        }
        if let (Some(pk12util), Some(certutil)) = (peer("pk12util"), peer("certutil")) {
            let folder = sandbox.path(format!("nss-{file}"));
            let database = format!("sql:{}", folder.display());
            fs::create_dir_all(&folder).unwrap();
            sandbox.peer(&certutil, &["-N", "-d", &database, "--empty-password"]);
            sandbox.peer(&pk12util, &["-i", file, "-d", &database, "-W", "open sesame 1"]).expect_code(0);
            sandbox.peer(&certutil, &["-K", "-d", &database]).expect_code(0).says("ann.test");
            assert_ne!(sandbox.peer(&pk12util, &["-i", file, "-d", &database, "-W", "wrong"]).code, Some(0));
        }
        if let Some(python) = python() {
            let read = "import sys; from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12 as load\n\
                        p = load(open(sys.argv[1], 'rb').read(), sys.argv[2].encode())\n\
                        assert p.key and len(p.additional_certs) == 2, p\n\
                        print(p.cert.friendly_name.decode())";
            sandbox.peer(&python, &["-W", "ignore", "-c", read, file, "open sesame 1"]).expect_code(0).says("ann.test");
            assert_ne!(sandbox.peer(&python, &["-W", "ignore", "-c", read, file, "wrong"]).code, Some(0));
        }
    }
}

#[test]
fn what_is_exported_replaces_its_own_file() {
    let sandbox = exporting();
    sandbox.write("word.txt", "a long passphrase\n");
    let p12 =
        ["ca", "export", "ann.test", "--pkcs12", "--key", "ann.test-key.pem", "--p12-passphrase", "file:word.txt"];
    sandbox.certkit(&p12).expect_code(0);
    sandbox.certkit(&p12).expect_code(2).complains("--force");
    sandbox.certkit(&[&p12[..], &["--force"]].concat()).expect_code(0);
    sandbox.certkit(&["ca", "export", "--bundle", "--force"]).expect_code(2).complains("--force has no effect");
}
