//! What cannot be written, or not as it was asked for, is told before anything is signed.

use std::fs;

use crate::support::{NOBODY, Sandbox, pass_over, peer};

/// A sandbox with a CA that has issued a.test.
fn with_certificate() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--name", "Test CA"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    sandbox
}

/// How many certificates the ledger has.
fn recorded(sandbox: &Sandbox) -> usize {
    let listed = sandbox.certkit(&["ca", "list", "--json"]).expect_code(0).json();
    listed["certificates"].as_array().unwrap().len()
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_is_mounted_by_itself_is_told_before_anything_is_signed() {
    let sandbox = with_certificate();
    if sandbox.shell("unshare -rm mount -t tmpfs tmpfs .").code != Some(0) {
        return pass_over("nothing can be mounted here").unwrap_or_default();
    }
    fs::copy(sandbox.path("a.test.pem"), sandbox.path("outside.pem")).unwrap();
    sandbox.write("certkit.toml", "[[certificate]]\nnames = [\"a.test\"]\nout = \"a.test.pem\"\ndays = 3\n");
    for command in ["ca renew a.test.pem", "ca renew a.test", "apply"] {
        let line = format!("mount --bind outside.pem a.test.pem && exec certkit {command}");
        sandbox
            .shell(&format!("unshare -rm sh -c '{line}'"))
            .expect_code(2)
            .complains("a.test.pem: it is mounted by itself")
            .complains("mount its folder instead");
        assert_eq!(recorded(&sandbox), 1, "{command}");
    }
    let line = "mount --bind outside.pem a.test.pem && exec certkit ca renew --watch a.test.pem";
    sandbox.shell(&format!("unshare -rm sh -c '{line}'")).expect_code(2).complains("it is mounted by itself");
    let line = "mount --bind outside.pem a.test.pem && exec certkit ca renew a.test.pem --out new.pem";
    sandbox.shell(&format!("unshare -rm sh -c '{line}'")).expect_code(0);
    assert_eq!(recorded(&sandbox), 2);
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_is_immutable_is_told_before_anything_is_signed() {
    let sandbox = with_certificate();
    for (flag, what) in [("i", "it is immutable"), ("a", "it is append-only")] {
        if sandbox.shell(&format!("chattr +{flag} a.test.pem")).code != Some(0) {
            return pass_over("no file can be made immutable here: that takes root").unwrap_or_default();
        }
        let ran = ["a.test.pem", "a.test"].map(|which| sandbox.certkit(&["ca", "renew", which]));
        sandbox.shell(&format!("chattr -{flag} a.test.pem")).expect_code(0);
        for ran in ran {
            ran.expect_code(2).complains(what).complains(&format!("chattr -{flag} "));
        }
        assert_eq!(recorded(&sandbox), 1);
    }
    sandbox.certkit(&["ca", "renew", "a.test.pem"]).expect_code(0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_of_another_user_in_a_sticky_folder_is_told_before_anything_is_signed() {
    use std::os::unix::fs::{PermissionsExt, chown};
    let sandbox = with_certificate();
    if !sandbox.is_roots() {
        return pass_over("files of another user take root").unwrap_or_default();
    }
    let folder = sandbox.path("shared");
    fs::create_dir(&folder).unwrap();
    fs::copy(sandbox.path("a.test.pem"), folder.join("a.test.pem")).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o1777)).unwrap();
    let entries = fs::read_dir(sandbox.ca()).unwrap().map(|entry| entry.unwrap().path());
    for path in entries.chain([sandbox.ca()]) {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let Some(ran) = sandbox.unprivileged(&["ca", "renew", "shared/a.test.pem"]) else { return };
    ran.expect_code(2).complains("it is another user's");
}

#[cfg(unix)]
#[test]
fn a_batch_tries_its_folder_before_it_records_anything() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init"]).expect_code(0);
    sandbox.write("list", "a.test\nb.test\n");
    let folder = sandbox.path("out");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    if sandbox.is_roots() {
        let entries = fs::read_dir(sandbox.ca()).unwrap().map(|entry| entry.unwrap().path());
        for path in entries.chain([sandbox.ca()]) {
            std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    let ran = sandbox.unprivileged(&["ca", "issue", "--batch", "list", "--out-dir", "out"]);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let Some(ran) = ran else { return };
    ran.expect_code(2).complains("cannot write to out: permission denied");
    let listed = sandbox.unprivileged(&["ca", "list", "--json"]).unwrap().expect_code(0).json();
    assert_eq!(listed["certificates"].as_array().unwrap().len(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_batch_into_a_folder_of_the_system_is_refused_and_waits_for_nobody() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init"]).expect_code(0);
    sandbox.write("list", "a.test\n");
    for folder in ["/proc", "/proc/self", "/proc/self/fd"] {
        let refused = sandbox.certkit(&["ca", "issue", "--batch", "list", "--out-dir", folder]).expect_code(2);
        assert!(!refused.stderr.contains("waiting"), "{refused}");
    }
    assert_eq!(recorded(&sandbox), 0);
}

#[test]
fn an_empty_file_is_no_certificate_that_could_be_lost() {
    let sandbox = with_certificate();
    sandbox.write("certkit.toml", "[[certificate]]\nnames = [\"b.test\"]\nout = \"b.pem\"\n");
    sandbox.write("b.pem", "");
    sandbox.write("b-key.pem", "");
    sandbox.certkit(&["apply", "--check"]).expect_code(1);
    sandbox.certkit(&["apply"]).expect_code(0);
    sandbox.certkit(&["apply", "--check"]).expect_code(0);
    sandbox.certkit(&["key", "match", "b.pem", "b-key.pem"]).expect_code(0);
    #[cfg(unix)]
    assert_eq!(sandbox.mode("b-key.pem"), 0o600);
    // What has anything in it is somebody's.
    sandbox.write("b.pem", "\n");
    sandbox.certkit(&["apply"]).expect_code(2);
}

#[test]
fn a_request_in_der_behind_one_in_pem_is_not_passed_over() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = with_certificate();
    let request = |name: &str, form: &str| {
        let subject = format!("/CN={name}");
        let ask = ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", &subject, "-keyout", "k.pem"];
        sandbox.peer(&openssl, &[&ask[..], &["-outform", form, "-out", name]].concat()).expect_code(0);
        sandbox.read(name)
    };
    let (pem, der) = (request("p.test", "PEM"), request("d.test", "DER"));
    let both = [pem.clone(), der].concat();
    sandbox.command().args(["ca", "sign", "-"]).stdin(both).expect_code(2).complains("stdin holds binary data");
    assert_eq!(recorded(&sandbox), 1);
    sandbox.command().args(["ca", "sign", "-"]).stdin(pem).expect_code(0);
}

#[test]
fn an_a_label_that_stands_for_nothing_is_not_certified() {
    let sandbox = with_certificate();
    sandbox.certkit(&["ca", "issue", "xn--a.test"]).expect_code(2).complains("no A-label");
    sandbox.certkit(&["ca", "issue", "xn--bcher-kva.test"]).expect_code(0);
    assert_eq!(recorded(&sandbox), 2);
}

#[test]
fn an_address_of_a_list_is_refused_for_what_it_is() {
    let sandbox = with_certificate();
    let https = sandbox.certkit(&["ca", "crl", "--url", "https://a.test/crl"]).expect_code(2);
    assert!(https.stderr.contains("https would need one"), "{https}");
    let ftp = sandbox.certkit(&["ca", "crl", "--url", "ftp://a.test/crl"]).expect_code(2);
    assert!(!ftp.stderr.contains("https") && ftp.stderr.contains("in no other way"), "{ftp}");
}

#[test]
fn a_profile_that_is_there_is_not_said_to_be_gone() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init"]).expect_code(0);
    let own = sandbox.certkit(&["ca", "profiles", "--show", "server"]).expect_code(0).stdout;
    sandbox.write("own.toml", own);
    sandbox.certkit(&["ca", "issue", "a.test", "--profile", "./own.toml"]).expect_code(0);
    sandbox.write("own.toml", "days = \"many\"\n");
    let refused = sandbox.certkit(&["ca", "renew", "a.test.pem"]).expect_code(2);
    assert!(refused.stderr.contains("cannot be used") && !refused.stderr.contains("not there"), "{refused}");
}

#[test]
fn another_root_behind_an_authoritys_certificate_is_a_fault() {
    let sandbox = Sandbox::new();
    for (folder, more) in [("one", &["--intermediate"][..]), ("two", &[])] {
        sandbox.certkit(&[&["ca", "init", "--ca", folder], more].concat()).expect_code(0);
    }
    sandbox.certkit(&["ca", "check", "--ca", "one"]).expect_code(0);
    let chain = String::from_utf8(sandbox.read("one/issuing.pem")).unwrap();
    let (own, _) = chain.split_once("-----END CERTIFICATE-----\n").unwrap();
    let other = String::from_utf8(sandbox.read("two/ca.pem")).unwrap();
    sandbox.write("one/issuing.pem", format!("{own}-----END CERTIFICATE-----\n{other}"));
    sandbox.certkit(&["ca", "check", "--ca", "one"]).expect_code(1).says("which has not signed it");
    // As it advises.
    fs::rename(sandbox.path("one/issuing.pem"), sandbox.path("aside.pem")).unwrap();
    sandbox.certkit(&["ca", "repair", "--ca", "one"]).expect_code(0);
    sandbox.certkit(&["ca", "check", "--ca", "one"]).expect_code(0);
    assert_eq!(sandbox.read("one/issuing.pem"), chain.as_bytes());
}

#[test]
fn what_a_making_left_that_was_broken_off_is_noted() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init"]).expect_code(0);
    // As after a kill between the record and the files.
    for file in ["ca.pem", "ca-key.pem"] {
        fs::remove_file(sandbox.ca().join(file)).unwrap();
    }
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    let checked = sandbox.certkit(&["ca", "check"]).expect_code(0).says("sound: 2 authorities");
    checked.says("is in the ledger alone");
    let verdict = sandbox.certkit(&["ca", "check", "--json"]).expect_code(0).json();
    assert_eq!(verdict["unfinished"].as_array().unwrap().len(), 1);
}

#[test]
fn what_a_making_of_two_tiers_left_that_was_broken_off_is_noted() {
    let sandbox = Sandbox::new();
    let two = ["ca", "init", "--intermediate"];
    sandbox.certkit(&two).expect_code(0);
    let remove = |files: &[&str]| files.iter().for_each(|file| fs::remove_file(sandbox.ca().join(file)).unwrap());
    // As after a kill between the records and the files.
    remove(&["ca.pem", "ca-key.pem", "issuing.pem", "issuing-key.pem", "ca.toml"]);
    sandbox.certkit(&two).expect_code(0);
    sandbox.certkit(&["ca", "issue", "a.test"]).expect_code(0);
    sandbox.certkit(&["ca", "check"]).expect_code(0).says("sound: 4 authorities").says("is in the ledger alone");
    let verdict = sandbox.certkit(&["ca", "check", "--json"]).expect_code(0).json();
    assert_eq!(verdict["unfinished"].as_array().unwrap().len(), 2);
    // Two tiers that have issued something are missed.
    remove(&["ca.pem", "ca-key.pem", "issuing.pem", "issuing-key.pem", "ca.toml"]);
    sandbox.certkit(&two).expect_code(0);
    let told = sandbox.certkit(&["ca", "check"]).expect_code(1);
    assert_eq!(told.stdout.matches("restore its certificate and its key").count(), 2, "{told}");
}

#[test]
fn what_another_ca_asks_for_and_does_not_get_is_told() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = Sandbox::new();
    for folder in ["one", "two"] {
        sandbox.certkit(&["ca", "init", "--ca", folder, "--intermediate"]).expect_code(0);
    }
    let ask = ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Sub", "-keyout", "k.pem", "-out", "s.csr"];
    let extensions = [
        "-addext",
        "nameConstraints=critical,permitted;DNS:corp.test",
        "-addext",
        "basicConstraints=critical,CA:TRUE,pathlen:3",
    ];
    sandbox.peer(&openssl, &[&ask[..], &extensions].concat()).expect_code(0);
    let below = ["ca", "intermediate", "--ca", "one", "--csr", "s.csr", "--force"];
    sandbox
        .certkit(&below)
        .expect_code(0)
        .complains("left out: extension nameConstraints")
        .complains("left out: its pathLenConstraint");
    let same = sandbox.certkit(&[&below[..], &["--permit", "corp.test"]].concat()).expect_code(0);
    assert!(!same.stderr.contains("nameConstraints"), "{same}");
    let cross = ["ca", "cross-sign", "--ca", "one", "--issuer", "ca", "--out", "x.pem", "--force", "--path-len", "3"];
    sandbox
        .certkit(&[&cross[..], &["two/issuing.pem"]].concat())
        .expect_code(0)
        .complains("--path-len 3 is brought down to 0");
}

#[cfg(unix)]
#[test]
fn a_program_that_failed_runs_again_with_the_next_renewal_that_is_not_due() {
    let sandbox = with_certificate();
    let reminder = ".a.test.pem.certkit-exec";
    sandbox.write("run.sh", "printf '%s\\n' \"$CERTKIT_RENEWED\" >> ran; exit $(cat status)\n");
    let renew = |span: &str| {
        sandbox.certkit(&["ca", "renew", "a.test.pem", "--if-expires-within", span, "--exec", "sh run.sh"])
    };
    sandbox.write("status", "7");
    renew("3000d").expect_code(2).complains("ended with status 7");
    assert_eq!(sandbox.mode(reminder), 0o600);
    // The next day there is nothing to renew, and the server has the old certificate still.
    renew("1d").expect_code(2).complains("ended with status 7");
    // Without a program nothing runs, and nothing is forgotten.
    sandbox.certkit(&["ca", "renew", "a.test.pem", "--if-expires-within", "1d"]).expect_code(0);
    assert!(sandbox.path(reminder).exists());
    sandbox.write("status", "0");
    renew("1d").expect_code(0).says("kept").says("ran sh run.sh");
    assert!(!sandbox.path(reminder).exists());
    renew("1d").expect_code(0);
    let ran = String::from_utf8(sandbox.read("ran")).unwrap();
    assert_eq!(ran.lines().count(), 3, "{ran}");
    assert!(ran.lines().all(|line| line.ends_with("a.test.pem")), "{ran}");
    assert_eq!(recorded(&sandbox), 2);
    // A renewal that goes elsewhere leaves none behind.
    sandbox.write("status", "7");
    let elsewhere = ["ca", "renew", "a.test.pem", "--out", "b.pem", "--exec", "sh run.sh"];
    sandbox.certkit(&elsewhere).expect_code(2);
    assert!(!sandbox.listing().iter().any(|name| name.ends_with(".certkit-exec")));
}

#[cfg(unix)]
#[test]
fn a_watch_runs_what_an_earlier_one_owes() {
    use std::time::{Duration, Instant};
    let sandbox = with_certificate();
    sandbox.certkit(&["ca", "renew", "a.test.pem", "--exec", "false"]).expect_code(2);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_certkit"));
    command.current_dir(sandbox.work()).env("CERTKIT_CA", sandbox.ca());
    let mut watching = command.args(["ca", "renew", "--watch", "a.test.pem", "--exec", "touch ran"]).spawn().unwrap();
    let begun = Instant::now();
    let is_done = || sandbox.path("ran").exists() && !sandbox.path(".a.test.pem.certkit-exec").exists();
    while !is_done() && begun.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(50));
    }
    watching.kill().unwrap();
    watching.wait().unwrap();
    assert!(is_done(), "the program never ran");
    assert_eq!(recorded(&sandbox), 2);
}
