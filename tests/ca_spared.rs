//! What `--force` does not replace: the files of the CA, a private key, what a command reads.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::support::Sandbox;

/// A sandbox with a CA in `ca` that has two authorities and an OCSP delegate, and has issued a.test.
fn with_ca() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--ca", "ca", "--name", "Test CA", "--intermediate", "issuing"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "--ca", "ca", "a.test"]).expect_code(0);
    sandbox.certkit(&["csr", "new", "z.test", "--out", "z.csr"]).expect_code(0);
    let below = ["--profile", "intermediate-ca", "--cn", "Y", "--out", "y.csr", "--keyout", "y.key"];
    sandbox.certkit(&[&["csr", "new"], &below[..]].concat()).expect_code(0);
    sandbox.certkit(&["new", "--cn", "Other", "--profile", "root-ca", "--out", "o.pem"]).expect_code(0);
    sandbox
}

/// The files of the CA but the ledger, which grows. The ledger is checked.
fn files(sandbox: &Sandbox) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(sandbox.path("ca")).unwrap().map(|entry| entry.unwrap().path());
    let kept = entries.filter(|path| !path.file_name().unwrap().to_str().unwrap().starts_with("ledger.db"));
    kept.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

#[test]
fn nothing_is_written_over_the_files_of_the_ca_whatever_is_forced() {
    let sandbox = with_ca();
    std::fs::create_dir(sandbox.path("deep")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("ca/ca-key.pem", sandbox.path("link.pem")).unwrap();
    sandbox.write("aside.pem", sandbox.read("ca/issuing-key.pem"));
    sandbox.write("ca/issuing.ocsp.pem", "a delegate");
    let (before, issued) = (files(&sandbox), count(&sandbox));
    let lines: &[(&str, &str)] = &[
        ("export --bundle --out ca/ca-key.pem", "the key of ca"),
        ("export --records csv --out ca/ledger.db", "the ledger"),
        ("export --records jsonl --out ca/ledger.db-wal", "the ledger"),
        ("export a.test --chain --out ca/ca.toml", "ca.toml"),
        ("export a.test --pkcs12 --key a.test-key.pem --out ca/ca-key.pem", "the key of ca"),
        ("issue b.test --out b.pem --keyout ca/ca-key.pem", "the key of ca"),
        ("issue b.test --out deep/../ca/./issuing.pem", "the certificate of issuing"),
        ("issue b.test --out ca/ledger.db-shm --keyout b-key.pem", "the ledger"),
        ("issue b.test --out ca/issuing.ocsp.pem --keyout b-key.pem", "the OCSP delegate of issuing"),
        ("issue b.test --ca-key aside.pem --out b.pem --keyout aside.pem", "given with --ca-key"),
        ("crl --out ca/ca-key.pem", "the key of ca"),
        ("sign z.csr --out ca/issuing-key.pem", "the key of issuing"),
        ("renew a.test --out ca/ca-key.pem", "the key of ca"),
        ("renew a.test --rekey --keyout ca/ca-key.pem", "the key of ca"),
        ("backup ca/ca-key.pem", "the key of ca"),
        ("backup ca/ledger.db", "the ledger"),
        ("cross-sign o.pem --issuer ca --out ca/ca.pem", "the certificate of ca"),
        ("intermediate --issuer ca --csr y.csr --out ca/issuing-key.pem", "the key of issuing"),
        ("ocsp --request z.csr --by-ca --out ca/ca-key.pem", "the key of ca"),
        ("issue --batch list --format csv --out-dir ca", "the certificate of issuing"),
        #[cfg(unix)]
        ("issue b.test --out b.pem --keyout link.pem", "the key of ca"),
        #[cfg(unix)]
        ("export --bundle --out link.pem", "the key of ca"),
        #[cfg(target_os = "linux")]
        ("issue b.test --out b.pem --keyout /proc/self/cwd/ca/ca-key.pem", "the key of ca"),
    ];
    sandbox.write("list", "names,out\nb.test,issuing\n");
    for (line, what) in lines {
        let arguments: Vec<&str> = ["ca", "--ca", "ca"].into_iter().chain(line.split(' ')).chain(["--force"]).collect();
        let ran = sandbox.certkit(&arguments).expect_code(2);
        ran.complains(what).complains("certkit never writes over that");
        assert_eq!(files(&sandbox), before, "{line}");
    }
    assert_eq!(count(&sandbox), issued);
    std::fs::remove_file(sandbox.path("ca/issuing.ocsp.pem")).unwrap();
    sandbox.certkit(&["ca", "check", "--ca", "ca"]).expect_code(0);
}

#[test]
fn nothing_is_written_over_the_ledger_and_the_files_of_another_ca() {
    let sandbox = with_ca();
    sandbox.certkit(&["ca", "init", "--ca", "h", "--name", "Other CA", "--intermediate", "sub"]).expect_code(0);
    sandbox.certkit(&["ca", "backup", "--ca", "h", "copy.db"]).expect_code(0);
    let before = ["ca.pem", "ca.toml", "sub.pem"].map(|name| sandbox.read(format!("h/{name}")));
    for line in [
        "backup h/ledger.db",
        "backup h/ca.pem",
        "backup h/ca.toml",
        "crl --out h/sub.pem",
        "crl --out h/ledger.db",
        "export --records csv --out h/ledger.db",
        "issue b.test --out b.pem --keyout h/ledger.db",
        "issue b.test --out h/ca.pem --keyout b-key.pem",
        "crl --out copy.db",
    ] {
        let arguments: Vec<&str> = ["ca", "--ca", "ca"].into_iter().chain(line.split(' ')).chain(["--force"]).collect();
        sandbox.certkit(&arguments).expect_code(2).complains("certkit never writes over that");
    }
    sandbox.certkit(&["ca", "check", "--ca", "h"]).expect_code(0);
    // Also where it has lost its log.
    for ending in ["-wal", "-shm"] {
        _ = std::fs::remove_file(sandbox.path(format!("h/ledger.db{ending}")));
    }
    sandbox.certkit(&["ca", "backup", "--ca", "ca", "h/ledger.db", "--force"]).expect_code(2);
    assert_eq!(["ca.pem", "ca.toml", "sub.pem"].map(|name| sandbox.read(format!("h/{name}"))), before);
    // An earlier copy gives way to a copy, also where the certificates lie beside it.
    sandbox.certkit(&["ca", "backup", "--ca", "ca", "copy.db", "--force"]).expect_code(0);
    std::fs::create_dir(sandbox.path("safe")).unwrap();
    sandbox.write("safe/ca.pem", sandbox.read("ca/ca.pem"));
    for _ in 0..2 {
        sandbox.certkit(&["ca", "backup", "--ca", "ca", "safe/ledger.db", "--force"]).expect_code(0);
    }
    sandbox.certkit(&["ca", "backup", "--ca", "h", "safe/ledger.db", "--force"]).expect_code(2);
}

#[cfg(unix)]
#[test]
fn a_copy_takes_the_place_of_no_folder_and_no_fifo() {
    let sandbox = with_ca();
    sandbox.shell("mkdir bdir && mkfifo pipe").expect_code(0);
    let backup = |file: &str| sandbox.certkit(&["ca", "--ca", "ca", "backup", file, "--force"]).expect_code(2);
    backup("bdir").complains("it is a folder");
    backup("pipe").complains("it is no file");
    sandbox.shell("test -d bdir && test -p pipe").expect_code(0);
}

fn count(sandbox: &Sandbox) -> usize {
    sandbox.certkit(&["ca", "list", "--ca", "ca", "--json"]).expect_code(0).json()["certificates"]
        .as_array()
        .unwrap()
        .len()
}

#[test]
fn what_is_beside_the_files_of_the_ca_may_be_replaced() {
    let sandbox = with_ca();
    for line in [
        "issue web.test --out ca/web.pem",
        "issue web.test --out ca/web.pem",
        "export --bundle --out ca/bundle.pem",
        "export --bundle --out ca/bundle.pem",
        "crl --out ca/crl.pem",
        "crl --out ca/crl.pem",
        "backup ca/backup.db",
        "backup ca/backup.db",
        "sign z.csr --out ca/web.pem",
    ] {
        let arguments: Vec<&str> = ["ca", "--ca", "ca"].into_iter().chain(line.split(' ')).chain(["--force"]).collect();
        sandbox.certkit(&arguments).expect_code(0);
    }
    std::fs::remove_file(sandbox.path("ca/bundle.pem")).unwrap();
    // A list beside them is no authority.
    for command in [&["check"][..], &["list", "--all"], &["show", "a.test"]] {
        sandbox.certkit(&[&["ca", "--ca", "ca"], command].concat()).expect_code(0);
    }
}

#[test]
fn nor_does_a_command_that_knows_of_no_ca_write_over_the_files_of_one() {
    let sandbox = with_ca();
    let before = files(&sandbox);
    for line in [
        "key new --out ca/ca-key.pem",
        "key new --out ca/issuing-key.pem --type rsa:2048",
        "key convert y.key --out ca/ca-key.pem",
        "new b.test --out b.pem --keyout ca/ca-key.pem",
        "new b.test --out ca/ca-key.pem --keyout ca/ca-key.pem",
        "csr new b.test --out b.csr --keyout ca/issuing-key.pem",
    ] {
        let arguments: Vec<&str> = line.split(' ').chain(["--force"]).collect();
        sandbox.certkit(&arguments).expect_code(2).complains("certkit never writes over that");
        assert_eq!(files(&sandbox), before, "{line}");
    }
    // The same key in another form may take its place.
    sandbox.certkit(&["key", "convert", "ca/ca-key.pem", "--out", "ca/ca-key.pem", "--force"]).expect_code(0);
    sandbox.certkit(&["ca", "--ca", "ca", "check"]).expect_code(0);
}

/// A key in this form, and in DER where its name ends so.
fn new_key(sandbox: &Sandbox, name: &str, more: &[&str], form: &str) {
    let made = format!("{name}.made");
    sandbox.certkit(&[&["key", "new", "--out", &made], more].concat()).expect_code(0);
    if form != "pkcs8" {
        sandbox.certkit(&["key", "convert", &made, "--out", &made, "--format", form, "--force"]).expect_code(0);
    }
    let how =
        if name.ends_with(".der") { format!("grep -v -e ----- {made} | base64 -d") } else { format!("cat {made}") };
    sandbox.shell(&format!("{how} > {name}")).expect_code(0);
}

#[test]
fn a_private_key_never_gives_way_to_what_holds_none() {
    let sandbox = with_ca();
    sandbox.write("secret", "correct horse\n");
    for (key, more, form) in [
        ("plain-key.pem", &[][..], "pkcs8"),
        ("under-key.pem", &["--encrypt", "--passphrase", "file:secret"], "pkcs8"),
        ("plain-key.der", &[], "pkcs8"),
        ("under-key.der", &["--encrypt", "--passphrase", "file:secret"], "pkcs8"),
        ("sec1-key.der", &[], "sec1"),
        ("pkcs1-key.der", &["--type", "rsa-2048"], "pkcs1"),
    ] {
        new_key(&sandbox, key, more, form);
        let (before, issued) = (sandbox.read(key), count(&sandbox));
        for line in
            ["sign z.csr", "crl", "export --bundle", "renew a.test", "issue --key a.test-key.pem b.test", "backup"]
        {
            let out = if line == "backup" { "--quiet" } else { "--out" };
            let line = ["ca", "--ca", "ca"].into_iter().chain(line.split(' ')).chain(["--force", out, key]);
            let ran = sandbox.certkit(&line.collect::<Vec<_>>()).expect_code(2);
            ran.complains("it holds a private key").complains("remove this one yourself first");
            assert_eq!((sandbox.read(key), count(&sandbox)), (before.clone(), issued));
        }
        sandbox.certkit(&["key", "public", "a.test-key.pem", "--out", key, "--force"]).expect_code(2);
        sandbox.certkit(&["new", "b.test", "--out", key, "--keyout", "b-key.pem", "--force"]).expect_code(2);
        assert_eq!(sandbox.read(key), before);
        // Another key may take its place, as --force says.
        sandbox.certkit(&["new", "b.test", "--out", "b.pem", "--keyout", key, "--force"]).expect_code(0);
        sandbox.certkit(&["new", "b.test", "--out", key, "--keyout", key, "--force"]).expect_code(0);
    }
    sandbox.certkit(&["ca", "renew", "--ca", "ca", "a.test", "--out", "a.test-key.pem", "--force"]).expect_code(2);
    sandbox.certkit(&["key", "match", "a.test-key.pem", "a.test.pem"]).expect_code(0);
    // In a batch, a certificate `a.test-key` would have the place of the key of a.test.
    sandbox.write("list", "names,out\nc.test,a.test-key\n");
    let batch = ["ca", "issue", "--ca", "ca", "--batch", "list", "--format", "csv", "--force"];
    sandbox.certkit(&batch).expect_code(2).complains("it holds a private key");
    sandbox.certkit(&["key", "match", "a.test-key.pem", "a.test.pem"]).expect_code(0);
}

#[test]
fn what_a_command_reads_is_not_replaced_by_what_it_gives_out() {
    let sandbox = with_ca();
    sandbox.write("z.pem", sandbox.read("z.csr"));
    let (request, other) = (sandbox.read("z.csr"), sandbox.read("o.pem"));
    for line in [
        "sign z.csr --out z.csr",
        "sign z.csr --out ./z.csr",
        "sign z.pem",
        "cross-sign o.pem --issuer ca --out o.pem",
        "intermediate --issuer ca --csr y.csr --out y.csr",
        "ocsp --request z.csr --out z.csr",
    ] {
        let arguments: Vec<&str> = ["ca", "--ca", "ca"].into_iter().chain(line.split(' ')).chain(["--force"]).collect();
        sandbox.certkit(&arguments).expect_code(2).complains("is read from it").complains("--out");
    }
    assert_eq!(
        (sandbox.read("z.csr"), sandbox.read("z.pem"), sandbox.read("o.pem")),
        (request.clone(), request, other)
    );
}

#[test]
fn stdin_and_stdout_are_not_one_file() {
    let sandbox = with_ca();
    let key = sandbox.read("a.test-key.pem");
    let issue = ["ca", "issue", "--ca", "ca", "d.test", "--key", "-", "--out", "-"];
    let ran = sandbox.command().args(issue).stdin(key.clone()).run().expect_code(0);
    sandbox.write("d.pem", &ran.stdout);
    sandbox.certkit(&["key", "match", "a.test-key.pem", "d.pem"]).expect_code(0);
    sandbox.command().args(["csr", "new", "d.test", "--key", "-", "--out", "-"]).stdin(key).run().expect_code(0);
}

#[cfg(unix)]
#[test]
fn a_key_that_others_may_read_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = with_ca();
    let set = |file: &str, mode| {
        std::fs::set_permissions(sandbox.path(file), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let check = ["ca", "check", "--ca", "ca"];
    let rows = |code| -> Vec<serde_json::Value> {
        let ran = sandbox.certkit(&[&check[..], &["--json"]].concat()).expect_code(code);
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert_eq!(rows(0).len(), 1);
    set("ca", 0o755);
    assert_eq!(rows(0).len(), 1);
    for (file, open, shut, what) in [
        ("ca/ca-key.pem", 0o644, 0o600, "the key of ca may be read by everybody"),
        ("ca/issuing-key.pem", 0o606, 0o600, "the key of issuing may be read and written by everybody"),
        ("ca/ledger.db", 0o666, 0o600, "the ledger may be written by everybody"),
        ("ca/issuing.pem", 0o646, 0o644, "the certificate of issuing may be written by everybody"),
        ("ca", 0o777, 0o755, "the folder of the CA may be written by everybody"),
    ] {
        set(file, open);
        let found = rows(1);
        let text = |name: &str| found[0][name].as_str().unwrap();
        assert!(text("what").starts_with(what), "{found:?}");
        assert_eq!((text("place"), text("remedy"), found.len()), (file, "restrict", 2));
        assert!(text("advice").starts_with("chmod "), "{found:?}");
        assert_eq!(found[1]["faults"], 1);
        sandbox.certkit(&check).expect_code(1).says("fault:").says("chmod");
        set(file, shut);
    }
    // Whom the folder keeps out reads no key in it.
    set("ca/ca-key.pem", 0o644);
    set("ca", 0o700);
    assert!(rows(0)[0]["warning"].as_str().unwrap().contains("if its folder did not keep them out"));
    // A group may be meant, and everybody may look at what is public.
    set("ca/ca-key.pem", 0o640);
    set("ca", 0o755);
    let found = rows(0);
    assert!(found[0]["warning"].as_str().unwrap().starts_with("the key of ca may be read by its group"), "{found:?}");
    assert_eq!((found.len(), found[1]["sound"].as_bool()), (2, Some(true)));
    sandbox.certkit(&check).expect_code(0).says("warning:").says("sound:");

    let warning = "everybody may read or write it: chmod 600 ca/issuing-key.pem";
    let signing = [
        "issue b.test --force",
        "issue b.test --dual --force",
        "sign z.csr --force",
        "renew a.test --force",
        "crl --force",
        "ocsp --request z.ocsp --ephemeral --force",
        "ocsp --request z.ocsp --by-ca --force",
    ];
    sandbox.shell("certkit ca init --ca ca-ml-dsa --type ml-dsa-65").expect_code(0);
    sandbox.write("z.ocsp", "no request");
    for (mode, warned) in [(0o644, 1), (0o640, 0), (0o600, 0)] {
        set("ca/issuing-key.pem", mode);
        for line in signing {
            let line = ["ca", "--ca", "ca"].into_iter().chain(line.split(' '));
            let ran = sandbox.certkit(&line.collect::<Vec<_>>());
            assert_eq!(ran.stderr.matches(warning).count(), warned, "{ran}");
        }
        sandbox.write(
            "certkit.toml",
            format!("[[ca]]\nfolder = \"ca\"\n[[certificate]]\nnames = [\"p{mode}.test\"]\nout = \"p{mode}.pem\"\n"),
        );
        let ran = sandbox.certkit(&["apply"]).expect_code(0);
        assert_eq!(ran.stderr.matches(warning).count(), warned, "{ran}");
    }
    set("ca/ca-key.pem", 0o644);
    let ran = sandbox.certkit(&["ca", "intermediate", "--ca", "ca", "further", "--issuer", "ca"]);
    ran.complains("everybody may read or write it: chmod 600 ca/ca-key.pem");
}
