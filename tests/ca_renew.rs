//! `certkit ca renew`.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{Peer, Sandbox, peer};

/// A sandbox with a CA that has issued a.test for 90 days.
fn with_certificate(more: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--name", "Test CA"]).expect_code(0);
    sandbox.certkit(&[&["ca", "issue", "a.test", "127.0.0.1"], more].concat()).expect_code(0);
    sandbox
}

pub(crate) fn first(sandbox: &Sandbox, file: &str) -> serde_json::Value {
    let shown = sandbox.certkit(&["inspect", file, "--json"]).expect_code(0).json();
    let blocks = shown[0]["blocks"].as_array().unwrap();
    blocks.iter().find(|block| block["kind"] == "certificate").unwrap_or(&blocks[0]).clone()
}

pub(crate) fn verified(sandbox: &Sandbox, file: &str) {
    let root = sandbox.ca().join("ca.pem");
    sandbox.certkit(&["verify", file, "--host", "a.test", "--roots", root.to_str().unwrap()]).expect_code(0);
}

#[test]
fn the_same_names_and_key_and_length_with_another_serial_number() {
    let sandbox = with_certificate(&["--days", "90", "--type", "p384"]);
    let (before, key) = (first(&sandbox, "a.test.pem"), sandbox.read("a.test-key.pem"));
    for which in ["a.test", "./a.test.pem"] {
        let old = first(&sandbox, "a.test.pem");
        let renewed = sandbox.certkit(&["ca", "renew", which, "--json"]).expect_code(0).json();
        let one = &renewed["certificates"][0];
        assert_eq!(
            (one["replaces"].clone(), one["key_file"].clone()),
            (old["serial"].clone(), serde_json::Value::Null)
        );
        let new = first(&sandbox, "a.test.pem");
        assert_ne!(new["serial"], old["serial"]);
        assert_eq!(new["serial"], one["serial"]);
        for same in ["subject", "names", "public_key", "key_usage", "extended_key_usage"] {
            assert_eq!(new[same], before[same], "{same}");
        }
        let days = |block: &serde_json::Value| {
            let time = |name: &str| {
                let text = block["validity"][name].as_str().unwrap();
                time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).unwrap()
            };
            time("not_after") - time("not_before")
        };
        assert_eq!(days(&new), days(&before));
        assert_eq!(sandbox.read("a.test-key.pem"), key);
        verified(&sandbox, "a.test.pem");
    }
    assert_eq!(sandbox.listing(), ["a.test-key.pem", "a.test.pem"]);
}

#[test]
fn with_time_left_nothing_happens_and_that_is_success() {
    let sandbox = with_certificate(&["--days", "90"]);
    let before = sandbox.read("a.test.pem");
    let ask = |span: &str| {
        ["ca", "renew", "a.test", "--if-expires-within", span, "--exec", "false", "--json"].map(str::to_owned)
    };
    let ran = |span: &str| sandbox.command().args(ask(span)).run();
    let kept = ran("30d").expect_code(0).json();
    assert_eq!((kept["certificates"][0]["renewed"].as_bool(), kept["executed"].is_null()), (Some(false), true));
    assert_eq!(sandbox.read("a.test.pem"), before);
    // What is run only after a renewal fails, and that is told.
    ran("100d").expect_code(2).complains("\"false\" ended with status 1");
    assert_ne!(sandbox.read("a.test.pem"), before);
}

#[test]
fn what_is_not_valid_yet_is_renewed_whatever_time_it_has_left() {
    let sandbox = with_certificate(&[]);
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap().as_secs();
    for (ahead, renewed) in [(240, false), (20 * 86_400, true)] {
        let issue = sandbox.command().args(["ca", "issue", "a.test", "--days", "90", "--force"]);
        issue.env("SOURCE_DATE_EPOCH", (now + ahead).to_string()).expect_code(0);
        let renew = ["ca", "renew", "a.test.pem", "--if-expires-within", "30d", "--json"];
        let done = sandbox.certkit(&renew).expect_code(0).json();
        assert_eq!(done["certificates"][0]["renewed"], renewed, "{ahead}: {done}");
    }
    verified(&sandbox, "a.test.pem");
}

#[test]
fn a_new_key_takes_the_place_of_the_old_one_with_its_certificate() {
    let sandbox = with_certificate(&[]);
    let key = sandbox.read("a.test-key.pem");
    sandbox
        .certkit(&["ca", "renew", "a.test", "--rekey", "--type", "rsa:2048"])
        .expect_code(0)
        .says("new, in a.test-key.pem");
    assert_ne!(sandbox.read("a.test-key.pem"), key);
    #[cfg(unix)]
    assert_eq!(sandbox.mode("a.test-key.pem"), 0o600);
    sandbox.certkit(&["key", "match", "a.test-key.pem", "a.test.pem"]).expect_code(0);
    verified(&sandbox, "a.test.pem");
    sandbox.certkit(&["ca", "renew", "a.test", "--type", "p256"]).expect_code(2).complains("--rekey");
}

#[test]
fn what_runs_after_a_renewal_does_not_learn_the_passphrase() {
    let sandbox = Sandbox::new();
    let run = |args: &[&str]| sandbox.command().args(args).env("SECRET", "sesame").env("OTHER", "kept").run();
    run(&["ca", "init", "--encrypt", "--passphrase", "env:SECRET"]).expect_code(0);
    run(&["ca", "issue", "a.test", "--ca-passphrase", "env:SECRET"]).expect_code(0);
    let told = "sh -c 'echo \"[$SECRET][$OTHER]\" > told'";
    run(&["ca", "renew", "a.test", "--ca-passphrase", "env:SECRET", "--exec", told]).expect_code(0);
    assert_eq!(String::from_utf8(sandbox.read("told")).unwrap(), "[][kept]\n");
}

#[test]
fn a_key_under_a_passphrase_is_not_replaced_by_a_bare_one() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init"]).expect_code(0);
    let run = |args: &[&str]| sandbox.command().args(args).env("SECRET", "sesame").run();
    run(&["ca", "issue", "a.test", "--encrypt", "--passphrase", "env:SECRET"]).expect_code(0);
    let before = (sandbox.read("a.test.pem"), sandbox.read("a.test-key.pem"));
    run(&["ca", "renew", "a.test", "--rekey"]).expect_code(2).complains("--encrypt");
    assert_eq!((sandbox.read("a.test.pem"), sandbox.read("a.test-key.pem")), before);
    run(&["ca", "renew", "a.test", "--rekey", "--encrypt", "--passphrase", "env:SECRET"]).expect_code(0);
    let key = String::from_utf8(sandbox.read("a.test-key.pem")).unwrap();
    assert!(key.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    run(&["ca", "renew", "a.test"]).expect_code(0);
}

#[test]
fn a_key_that_lies_elsewhere_is_not_left_without_its_certificate() {
    let sandbox = with_certificate(&["--out", "q.pem", "--keyout", "priv.key"]);
    let before = (sandbox.read("q.pem"), sandbox.read("priv.key"));
    for more in [&[][..], &["--watch"], &["--print-unit"], &["--force"]] {
        let ran = sandbox.certkit(&[&["ca", "renew", "q.pem", "--rekey"], more].concat());
        ran.expect_code(2).complains("q-key.pem").complains("--keyout");
    }
    sandbox.certkit(&["key", "new", "--out", "q-key.pem"]).expect_code(0);
    sandbox.certkit(&["ca", "renew", "q.pem", "--rekey"]).expect_code(2).complains("does not hold the key");
    assert_eq!((sandbox.read("q.pem"), sandbox.read("priv.key")), before);
    let keyout = ["ca", "renew", "q.pem", "--rekey", "--keyout", "priv.key"];
    let unit = sandbox.certkit(&[&keyout[..], &["--print-unit"]].concat()).expect_code(0).stdout;
    assert!(
        unit.contains(&format!("--keyout {}", sandbox.path("priv.key").canonicalize().unwrap().display())),
        "{unit}"
    );
    sandbox.certkit(&keyout).expect_code(0);
    assert_ne!(sandbox.read("priv.key"), before.1);
    sandbox.certkit(&["key", "match", "priv.key", "q.pem"]).expect_code(0);
    // Without a new key it does not matter where the old one is.
    sandbox.certkit(&["ca", "renew", "q.pem"]).expect_code(0);
}

#[test]
fn a_profile_of_ones_own_is_found_from_every_folder_and_no_other_taken_for_it() {
    let sandbox = with_certificate(&[]);
    let server = sandbox.certkit(&["ca", "profiles", "--show", "server"]).expect_code(0).stdout;
    let client = sandbox.certkit(&["ca", "profiles", "--show", "client"]).expect_code(0).stdout;
    for (folder, profile) in [("one", server), ("two", client)] {
        fs::create_dir(sandbox.path(folder)).unwrap();
        sandbox.write(format!("{folder}/own.toml"), profile);
    }
    let within = |folder: &str, args: &[&str]| {
        let line = args.join(" ");
        sandbox.shell(&format!("cd {folder} && certkit {line}"))
    };
    within("one", &["ca", "issue", "r.test", "--profile", "./own.toml"]).expect_code(0);
    within("two", &["ca", "renew", "../one/r.test.pem"]).expect_code(0);
    let renewed = first(&sandbox, "one/r.test.pem").to_string();
    assert!(renewed.contains("serverAuth") && !renewed.contains("clientAuth"), "{renewed}");
    fs::remove_file(sandbox.path("one/own.toml")).unwrap();
    within("two", &["ca", "renew", "../one/r.test.pem"])
        .expect_code(2)
        .complains("one/own.toml")
        .complains("--profile");
    // What came from stdin is nowhere.
    let read = "ca issue s.test --profile - --out s.pem";
    sandbox.shell(&format!("certkit ca profiles --show server | certkit {read}")).expect_code(0);
    sandbox.certkit(&["ca", "renew", "s.pem"]).expect_code(2).complains("stdin").complains("--profile");
    sandbox.certkit(&["ca", "renew", "s.pem", "--profile", "server"]).expect_code(0);
}

#[test]
fn one_file_keeps_its_key_and_its_mode() {
    let sandbox = with_certificate(&["--out", "both.pem", "--keyout", "both.pem"]);
    let key = |text: &[u8]| String::from_utf8_lossy(text).split("-----END PRIVATE KEY-----").next().unwrap().to_owned();
    let before = sandbox.read("both.pem");
    sandbox.certkit(&["ca", "renew", "both.pem"]).expect_code(0);
    let after = sandbox.read("both.pem");
    assert!(key(&after) == key(&before) && after != before);
    #[cfg(unix)]
    assert_eq!(sandbox.mode("both.pem"), 0o600);
    verified(&sandbox, "both.pem");
    sandbox.certkit(&["ca", "renew", "both.pem", "--rekey"]).expect_code(0);
    assert_ne!(key(&sandbox.read("both.pem")), key(&before));
    sandbox.certkit(&["key", "match", "both.pem", "both.pem"]).expect_code(0);
    verified(&sandbox, "both.pem");
    assert_eq!(sandbox.listing(), ["both.pem"]);
}

#[test]
fn a_file_that_holds_something_else_stays() {
    let sandbox = with_certificate(&[]);
    let listed = |sandbox: &Sandbox| {
        let listed = sandbox.certkit(&["ca", "list", "--json"]).expect_code(0).json();
        listed["certificates"].as_array().unwrap().len()
    };
    sandbox.certkit(&["new", "--cn", "a.test", "--out", "a.test.pem", "--keyout", "own.pem", "--force"]).expect_code(0);
    let mine = sandbox.read("a.test.pem");
    sandbox
        .certkit(&["ca", "renew", "a.test"])
        .expect_code(2)
        .complains("does not hold the certificate")
        .complains("--out");
    assert_eq!((sandbox.read("a.test.pem"), listed(&sandbox)), (mine, 1));
    sandbox.certkit(&["ca", "renew", "a.test", "--out", "own.pem"]).expect_code(2).complains("exists");
    assert_eq!(listed(&sandbox), 1);
    sandbox.certkit(&["ca", "renew", "a.test", "--out", "new.pem"]).expect_code(0);
    verified(&sandbox, "new.pem");
}

#[test]
fn a_revoked_certificate_is_not_renewed() {
    let sandbox = with_certificate(&[]);
    sandbox.certkit(&["ca", "revoke", "a.test", "--reason", "keyCompromise"]).expect_code(0);
    let before = sandbox.read("a.test.pem");
    sandbox.certkit(&["ca", "renew", "a.test"]).expect_code(2).complains("keyCompromise").complains("ca issue");
    assert_eq!(sandbox.read("a.test.pem"), before);
}

#[test]
fn a_certificate_on_hold_is_released_and_not_issued_anew() {
    let sandbox = with_certificate(&[]);
    sandbox.certkit(&["ca", "revoke", "a.test", "--hold"]).expect_code(0);
    let held = sandbox.certkit(&["ca", "renew", "a.test"]).expect_code(2).complains("on hold").complains("--release");
    assert!(!held.stderr.contains("ca issue"), "{held}");
}

#[test]
fn what_is_wrong_with_one_of_several_leaves_the_others_their_turn() {
    let sandbox = with_certificate(&[]);
    for name in ["b.test", "c.test", "d.test"] {
        sandbox.certkit(&["ca", "issue", name]).expect_code(0);
    }
    sandbox.certkit(&["ca", "revoke", "b.test"]).expect_code(0);
    // Headers that would be lost.
    let key = String::from_utf8(sandbox.read("d.test-key.pem")).unwrap();
    let with_header = key.replacen("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\n\n", 1);
    sandbox.write("d.test.pem", [sandbox.read("d.test.pem"), with_header.into_bytes()].concat());
    let read = || ["a", "b", "c", "d"].map(|name| sandbox.read(format!("{name}.test.pem")));
    let before = read();
    let ran = sandbox.certkit(
        &[
            &[
                "ca",
                "renew",
                "b.test.pem",
                "a.test.pem",
                "d.test.pem",
                "./a.test.pem",
                "b.test.pem",
                "a.test",
                "c.test.pem",
            ][..],
            &["--exec", "sh -c 'printf \"$CERTKIT_RENEWED\" > told'", "--json"],
        ]
        .concat(),
    );
    let ran = ran.expect_code(2).complains("cannot renew b.test.pem").complains("is revoked");
    let ran = ran.complains("cannot renew d.test.pem");
    let done = ran.json();
    let rows = done["certificates"].as_array().unwrap().iter();
    let rows: Vec<_> = rows.map(|row| (row["which"].as_str().unwrap(), row["renewed"].as_bool().unwrap())).collect();
    assert_eq!(rows, [("b.test.pem", false), ("a.test.pem", true), ("d.test.pem", false), ("c.test.pem", true)]);
    assert!(done["certificates"][0]["error"]["hint"].as_str().unwrap().contains("ca issue"), "{done}");
    assert_eq!(sandbox.read("told"), b"a.test.pem\nc.test.pem");
    let changed: Vec<_> = before.iter().zip(&read()).map(|(old, new)| old != new).collect();
    assert_eq!(changed, [true, false, true, false]);
    verified(&sandbox, "a.test.pem");
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_written_leaves_those_after_it_their_turn() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    let run = |args: &[&str]| sandbox.unprivileged(&[args, &["--ca", "ca"]].concat());
    if run(&["ca", "init"]).is_none() {
        return;
    }
    let run = |args: &[&str]| run(args).unwrap();
    fs::create_dir(sandbox.path("ro")).unwrap();
    sandbox.files_for_nobody();
    for file in ["a.pem", "ro/b.pem", "c.pem"] {
        run(&["ca", "issue", "a.test", "--out", file]).expect_code(0);
    }
    let mode = |mode: u32| fs::set_permissions(sandbox.path("ro"), fs::Permissions::from_mode(mode)).unwrap();
    mode(0o555);
    let ran = run(&["ca", "renew", "a.pem", "ro/b.pem", "c.pem", "--exec", "touch ran"]);
    mode(0o755);
    let ran = ran.expect_code(2).complains("cannot write ro/b.pem: permission denied").says("failed  ro/b.pem");
    ran.says("certificate  a.pem").says("certificate  c.pem").says("ran touch ran");
    assert!(sandbox.path("ran").exists());
}

#[test]
fn a_certificate_in_der_is_told_to_be_so() {
    let sandbox = with_certificate(&[]);
    let Some(openssl) = peer("openssl") else { return };
    let convert = ["x509", "-in", "a.test.pem", "-outform", "DER", "-out", "d.der"];
    sandbox.peer(&openssl, &convert).expect_code(0);
    sandbox.certkit(&["ca", "renew", "d.der"]).expect_code(2).complains("d.der is DER").complains("--out");
}

#[test]
fn what_a_request_asked_for_stays_as_narrow() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = with_certificate(&[]);
    let ask = |openssl: &Peer| {
        let request =
            ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=p.test"];
        let more = ["-keyout", "p-key.pem", "-out", "p.csr", "-addext", "extendedKeyUsage=clientAuth"];
        sandbox.peer(openssl, &[&request[..], &more].concat()).expect_code(0);
    };
    ask(&openssl);
    sandbox.certkit(&["ca", "sign", "p.csr", "--profile", "peer"]).expect_code(0);
    let before = first(&sandbox, "p.pem");
    sandbox.certkit(&["ca", "renew", "p.pem"]).expect_code(0);
    let after = first(&sandbox, "p.pem");
    assert_eq!(after["extensions"].as_array().unwrap().len(), before["extensions"].as_array().unwrap().len());
    let text =
        sandbox.peer(&openssl, &["x509", "-in", "p.pem", "-noout", "-ext", "extendedKeyUsage"]).expect_code(0).stdout;
    assert!(text.contains("Client") && !text.contains("Server"), "{text}");
}

#[test]
fn watching_renews_in_time_and_runs_the_program_until_it_succeeds() {
    let sandbox = with_certificate(&[]);
    let end = format!("@{}", time::OffsetDateTime::now_utc().unix_timestamp() + 10);
    sandbox.certkit(&["ca", "issue", "short.test", "--not-after", &end]).expect_code(0);
    let before = sandbox.read("short.test.pem");
    sandbox.write("hook", "printf '%s ' \"$CERTKIT_RENEWED\" >> told\n[ -e ready ] || { touch ready; exit 1; }\n");
    let watch = ["ca", "renew", "--watch", "short.test", "--if-expires-within", "7s", "--exec", "sh hook", "--json"];
    let watching = sandbox.start(sandbox.command().args(watch));
    let begun = Instant::now();
    let told = || fs::read_to_string(sandbox.path("told")).unwrap_or_default();
    while told().split_whitespace().count() < 2 && begun.elapsed() < Duration::from_secs(90) {
        sleep(Duration::from_millis(200));
    }
    let said = watching.said();
    drop(watching);
    assert!(told().starts_with("short.test.pem short.test.pem"), "{}\n{said}", told());
    assert!(said.contains("\"renewed\":true") && said.contains("ended with status 1"), "{said}");
    assert_ne!(sandbox.read("short.test.pem"), before);
}

#[test]
fn a_unit_names_everything_by_its_whole_path() {
    let sandbox = with_certificate(&[]);
    let ask = ["ca", "renew", "--print-unit", "./a.test.pem", "--exec", "systemctl reload nginx"];
    let unit = sandbox.certkit(&ask).expect_code(0).stdout;
    let path = sandbox.path("a.test.pem").canonicalize().unwrap();
    let wanted = format!("--exec \"systemctl reload nginx\" -- {}", path.display());
    assert!(unit.contains("[Service]\nExecStart=/") && unit.contains(&wanted), "{unit}");
    assert!(unit.contains(&format!("--ca {}", sandbox.ca().display())), "{unit}");
    // systemd.exec(5) takes the folder as it stands, without quotes.
    #[cfg(unix)]
    {
        let line = "mkdir 'a b%' && cd 'a b%' && certkit ca renew --print-unit ../a.test.pem";
        let unit = sandbox.shell(line).expect_code(0).stdout;
        let folder = sandbox.work().canonicalize().unwrap().join("a b%%");
        assert!(unit.contains(&format!("\nWorkingDirectory={}\n", folder.display())), "{unit}");
    }
    sandbox.write("secret", "open sesame");
    let more = [
        &ask[..],
        &["--watch", "--rekey", "--type", "rsa:2048", "--encrypt", "--passphrase", "file:secret", "--days", "30"],
        &["--issuer", "ca", "--force", "--profile", "server"],
    ];
    let unit = sandbox.certkit(&more.concat()).expect_code(0).stdout;
    let secret = sandbox.path("secret").canonicalize().unwrap();
    for kept in [
        "--issuer ca",
        "--rekey",
        "--encrypt",
        "--type RSA-2048",
        "--days 30",
        "--force",
        "--profile server",
        &format!("--passphrase file:{}", secret.display()),
    ] {
        assert!(unit.contains(kept), "{kept}: {unit}");
    }
    let prompts = [&ask[..], &["--rekey", "--encrypt"]].concat();
    sandbox.certkit(&prompts).expect_code(2).complains("nor open files");
    let environment = [&ask[..], &["--ca-passphrase", "env:SECRET"]].concat();
    sandbox.command().args(environment).env("SECRET", "x").expect_code(2).complains("file:PATH");
    sandbox.certkit(&[&ask[..], &["--out", "b.pem"]].concat()).expect_code(2).complains("for one renewal");
    sandbox.certkit(&["ca", "passphrase", "--new-passphrase", "file:secret"]).expect_code(0);
    sandbox.certkit(&ask).expect_code(2).complains("under a passphrase");
    let with = sandbox.certkit(&[&ask[..], &["--ca-passphrase", "file:secret"]].concat()).expect_code(0);
    assert!(with.stdout.contains(&format!("--ca-passphrase file:{}", secret.display())), "{with}");
    for wrong in ["reload && restart", "echo $HOME", "'open"] {
        sandbox.certkit(&["ca", "renew", "a.test", "--exec", wrong]).expect_code(2);
    }
    if let Some(analyze) = peer("systemd-analyze") {
        sandbox.write("certkit-renew.service", &unit);
        sandbox.peer(&analyze, &["verify", "./certkit-renew.service"]).expect_code(0);
    }
}

#[test]
fn certificates_are_listed_in_parts() {
    let sandbox = with_certificate(&[]);
    for at in 0..4 {
        sandbox.certkit(&["ca", "issue", &format!("n{at}.test")]).expect_code(0);
    }
    sandbox.certkit(&["ca", "revoke", "n1.test"]).expect_code(0);
    let list = |args: &[&str]| {
        let listed = sandbox.certkit(&[&["ca", "list", "--json"], args].concat()).expect_code(0).json();
        let serials = listed["certificates"].as_array().unwrap().iter();
        (
            serials.map(|one| one["serial"].as_str().unwrap().to_owned()).collect::<Vec<_>>(),
            listed["more"].as_bool().unwrap(),
        )
    };
    let (all, more) = list(&[]);
    assert_eq!((all.len(), more), (5, false));
    assert_eq!(list(&["--limit", "2"]), (all[..2].to_vec(), true));
    assert_eq!(list(&["--limit", "2", "--after", &all[1]]), (all[2..4].to_vec(), true));
    assert_eq!(list(&["--limit", "2", "--after", &all[3]]), (all[4..].to_vec(), false));
    assert_eq!(list(&["--limit", "5"]), (all.clone(), false));
    assert_eq!(list(&["--revoked"]).0, [all[2].clone()]);
    assert_eq!(list(&["--valid"]).0.len(), 4);
    assert_eq!(list(&["--valid", "--limit", "2", "--after", &all[1]]), (vec![all[3].clone(), all[4].clone()], false));
    sandbox.certkit(&["ca", "list", "--after", "beef"]).expect_code(2).complains("beef");
    sandbox.certkit(&["ca", "list", "--limit", "2"]).expect_code(0).says("there are more");
}

#[test]
fn a_program_that_cannot_be_run_is_told_beside_the_renewal() {
    let sandbox = with_certificate(&[]);
    let ran = sandbox.certkit(&["ca", "renew", "a.test", "--exec", "/nowhere/program", "--json"]).expect_code(2);
    let ran = ran.complains("the certificate was renewed, but").complains("cannot run /nowhere/program");
    let executed = &ran.json()["executed"];
    assert!(executed["status"].is_null() && executed["error"].as_str().unwrap().contains("cannot run"), "{executed}");
}
