//! The files that certificates of a CA go to: folders that take nothing, links, other people's groups.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

use crate::support::{NOBODY, Ran, Sandbox};

fn mode(sandbox: &Sandbox, name: &str, mode: u32) {
    fs::set_permissions(sandbox.path(name), fs::Permissions::from_mode(mode)).unwrap();
}

fn serials(listed: &Ran) -> Vec<String> {
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    let certificates = listed["certificates"].as_array().unwrap().iter();
    certificates.map(|one| one["serial"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn nothing_is_recorded_for_a_folder_that_takes_no_file() {
    let sandbox = Sandbox::new();
    let run = |args: &[&str]| sandbox.unprivileged(&[args, &["--ca", "ca"]].concat());
    if run(&["ca", "init"]).is_none() {
        return;
    }
    let run = |args: &[&str]| run(args).unwrap();
    fs::create_dir(sandbox.path("d")).unwrap();
    sandbox.files_for_nobody();
    run(&["ca", "issue", "a.test", "--out", "d/a.pem"]).expect_code(0);
    sandbox.unprivileged(&["csr", "new", "b.test", "--out", "b.csr"]).unwrap().expect_code(0);
    let below = ["--profile", "intermediate-ca", "--cn", "Y", "--out", "y.csr", "--keyout", "y.key"];
    sandbox.unprivileged(&[&["csr", "new"], &below[..]].concat()).unwrap().expect_code(0);
    let project = "[[ca]]\nfolder = \"ca\"\n[[certificate]]\nnames = [\"p.test\"]\nout = \"d/p.pem\"\n";
    sandbox.write("certkit.toml", project);
    let list = ["ca", "list", "--json"];
    let before = serials(&run(&list));
    mode(&sandbox, "d", 0o555);
    for args in [
        &["ca", "issue", "b.test", "--out", "d/b.pem"][..],
        &["ca", "issue", "b.test", "--out", "b.pem", "--keyout", "d/b-key.pem"],
        &["ca", "sign", "b.csr", "--out", "d/b.pem"],
        &["ca", "renew", "d/a.pem"],
        &["ca", "renew", "d/a.pem", "--rekey"],
        &["ca", "intermediate", "--csr", "y.csr", "--name", "Web CA", "--out", "d/web.pem"],
        &["ca", "crl", "--out", "d/ca.crl"],
    ] {
        run(args).expect_code(2).complains("permission denied");
    }
    sandbox.unprivileged(&["apply"]).unwrap().expect_code(2).complains("permission denied");
    assert_eq!(serials(&run(&list)), before);
    mode(&sandbox, "d", 0o755);
    run(&["ca", "renew", "d/a.pem"]).expect_code(0);
    sandbox.unprivileged(&["apply"]).unwrap().expect_code(0);
}

#[test]
fn what_is_recorded_and_not_written_is_to_be_had_where_its_key_is() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "issue", "n.test"]).expect_code(0);
    let old = sandbox.read("n.test.pem");
    // A device takes no temporary file, and so is full only when it is written to.
    let failed = sandbox.certkit(&["ca", "renew", "n.test", "--out", "/dev/full"]).expect_code(2);
    let newest = serials(&sandbox.certkit(&["ca", "list", "--json"])).pop().unwrap();
    let failed = failed.complains("is recorded, and not written").complains(&format!("ca export {newest}"));
    assert!(!failed.stderr.contains("lost"), "{failed}");
    let exported = sandbox.certkit(&["ca", "export", &newest, "--chain"]).expect_code(0).bytes;
    sandbox.write("got.pem", exported);
    sandbox.certkit(&["key", "match", "n.test-key.pem", "got.pem"]).expect_code(0);
    // The name means the certificate that is in its file still.
    let serial = serials(&sandbox.certkit(&["ca", "list", "--json"])).remove(0);
    let renewed = sandbox.certkit(&["ca", "renew", "n.test", "--json"]).expect_code(0).json();
    assert_eq!(renewed["certificates"][0]["replaces"], serial);
    assert_ne!(sandbox.read("n.test.pem"), old);
    let issue = ["ca", "issue", "o.test", "--out", "/dev/full", "--keyout", "o-key.pem"];
    sandbox.certkit(&issue).expect_code(2).complains("lost with its key").complains("certkit ca revoke");
    assert!(!sandbox.path("o-key.pem").exists());
}

#[test]
fn a_renewal_follows_links_and_keeps_who_may_read() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("live")).unwrap();
    sandbox.certkit(&["ca", "issue", "a.test", "--out", "live/a.pem"]).expect_code(0);
    for file in ["a.pem", "a-key.pem"] {
        symlink(format!("live/{file}"), sandbox.path(file)).unwrap();
        mode(&sandbox, &format!("live/{file}"), 0o640);
        if sandbox.is_roots() {
            chown(sandbox.path(format!("live/{file}")), None, Some(NOBODY)).unwrap();
        }
    }
    let group = |file: &str| fs::metadata(sandbox.path(file)).unwrap().gid();
    let before = (sandbox.read("live/a.pem"), sandbox.read("live/a-key.pem"), group("live/a.pem"));
    sandbox.certkit(&["ca", "renew", "a.pem", "--rekey"]).expect_code(0);
    for (file, old) in [("a.pem", &before.0), ("a-key.pem", &before.1)] {
        let live = format!("live/{file}");
        assert!(fs::symlink_metadata(sandbox.path(file)).unwrap().is_symlink(), "{file}");
        assert_ne!(&sandbox.read(&live), old);
        assert_eq!((sandbox.mode(&live), group(&live)), (0o640, before.2), "{file}");
    }
    sandbox.certkit(&["key", "match", "live/a-key.pem", "live/a.pem"]).expect_code(0);
    let link = sandbox.path("gone.pem");
    symlink("nowhere.pem", link).unwrap();
    let missing = sandbox.certkit(&["inspect", "gone.pem"]).expect_code(2).complains("no such file");
    assert!(!missing.stderr.contains("did you mean"), "{missing}");
    fs::remove_file(sandbox.path("live/a-key.pem")).unwrap();
    sandbox
        .certkit(&["ca", "renew", "a.pem", "--rekey", "--keyout", "a-key.pem"])
        .expect_code(2)
        .complains("no such file");
    assert_eq!(fs::read_dir(sandbox.path("live")).unwrap().count(), 1);
}

#[test]
fn requests_in_one_file_are_each_signed() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init"]).expect_code(0);
    let mut both = Vec::new();
    for name in ["a.test", "b.test"] {
        sandbox.certkit(&["csr", "new", name, "--out", &format!("{name}.csr")]).expect_code(0);
        both.extend(sandbox.read(format!("{name}.csr")));
    }
    sandbox.write("two.csr", &both);
    sandbox.certkit(&["ca", "sign", "two.csr", "--out", "x.pem"]).expect_code(2).complains("2 requests");
    let signed = sandbox.certkit(&["ca", "sign", "two.csr", "--json"]).expect_code(0);
    let files: Vec<String> = signed
        .stdout
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["certificate_file"].as_str().unwrap().into()
        })
        .collect();
    assert_eq!(files, ["a.test.pem", "b.test.pem"]);
    sandbox.command().args(["ca", "sign", "-", "--force"]).stdin(both).expect_code(0).says("stdin (2)");
    for name in ["a.test", "b.test"] {
        sandbox.certkit(&["key", "match", &format!("{name}-key.pem"), &format!("{name}.pem")]).expect_code(0);
    }
    assert_eq!(serials(&sandbox.certkit(&["ca", "list", "--json"])).len(), 4);
}

#[cfg(unix)]
#[test]
fn what_goes_to_nobody_is_no_success() {
    let sandbox = Sandbox::new();
    let set_up = "certkit ca init && certkit ca issue a.test && certkit csr new b.test --out b.csr --keyout b-key.pem \
                  && certkit new --cn Other --profile root-ca --out o.pem \
                  && certkit csr new --cn Sub --profile intermediate-ca --out sub.csr --keyout sub-key.pem";
    sandbox.shell(set_up).expect_code(0);
    for line in [
        "ca crl",
        "ca sign b.csr",
        "ca intermediate --csr sub.csr",
        "ca cross-sign o.pem",
        "ca issue --key b-key.pem b.test",
        "ca export a.test --chain",
        "new --key b-key.pem n.test",
        "csr new --key b-key.pem n.test",
    ] {
        sandbox.shell(&format!("certkit {line} --out - >&-")).expect_code(2).complains("stdout: it is closed");
        let left = format!("exec 3> >(true); sleep 0.3; certkit {line} --out - >&3");
        sandbox.shell(&left).expect_code(2).complains("its reader has left");
        // Whoever throws it away knows.
        sandbox.shell(&format!("certkit {line} --out - >/dev/null")).expect_code(0);
    }
}
