//! `certkit ca renew` of an authority's own certificate, and below another authority than before.

use std::fs;

use crate::ca_hierarchy::two_tiers;
use crate::ca_renew::{first, verified};
use crate::support::{Sandbox, peer};

fn run(sandbox: &Sandbox, line: &str) -> crate::support::Ran {
    sandbox.certkit(&line.split(' ').collect::<Vec<_>>())
}

fn in_folder(sandbox: &Sandbox, file: &str) -> String {
    sandbox.ca().join(file).to_str().unwrap().to_owned()
}

/// The certificates of a file of the CA.
fn blocks(sandbox: &Sandbox, file: &str) -> Vec<serde_json::Value> {
    let shown = sandbox.certkit(&["inspect", &in_folder(sandbox, file), "--json"]).expect_code(0).json();
    let mut blocks = shown[0]["blocks"].as_array().unwrap().clone();
    for block in blocks.iter_mut().map(|block| block.as_object_mut().unwrap()) {
        block.retain(|field, _| !["block", "line"].contains(&field.as_str()));
    }
    blocks
}

#[test]
fn an_intermediate_is_renewed_in_its_place_and_what_it_issued_stays_valid() {
    let sandbox = two_tiers(&["--permit", "test", "--root-key-out", "root-key.pem"]);
    run(&sandbox, "ca intermediate mid --path-len 1 --days 100 --ca-key root-key.pem").expect_code(0);
    run(&sandbox, "ca intermediate low --issuer mid").expect_code(0);
    run(&sandbox, "ca issue a.test --issuer mid").expect_code(0);
    run(&sandbox, "ca issue gone.test --issuer mid").expect_code(0);
    run(&sandbox, "ca revoke gone.test").expect_code(0);
    run(&sandbox, "ca crl --issuer mid --out one.crl").expect_code(0);
    let (before, root) = (blocks(&sandbox, "mid.pem"), in_folder(&sandbox, "ca.pem"));
    let old_chain = sandbox.read("a.test.pem");
    sandbox.write("old-mid.pem", fs::read(in_folder(&sandbox, "mid.pem")).unwrap());

    run(&sandbox, "ca renew mid").expect_code(2).complains("the key of ca was set aside").complains("--ca-key");
    run(&sandbox, "ca renew mid --rekey").expect_code(2).complains("certkit ca intermediate NAME");
    run(&sandbox, "ca renew mid --out mid.pem").expect_code(2).complains("--out has no effect");
    run(&sandbox, "ca renew mid --issuer low --ca-key root-key.pem").expect_code(2).complains("ca has signed");
    run(&sandbox, "ca renew mid --if-expires-within 30d --ca-key root-key.pem").expect_code(0).says("kept");
    assert_eq!(blocks(&sandbox, "mid.pem"), before);

    let done = run(&sandbox, "ca renew mid --days 400 --ca-key root-key.pem --json").expect_code(0).json();
    let one = &done["certificates"][0];
    assert_eq!(
        (&one["renewed"], &one["authority"], &one["replaces"]),
        (&true.into(), &"ca".into(), &before[0]["serial"])
    );
    let after = blocks(&sandbox, "mid.pem");
    assert_eq!(after.len(), 2);
    for same in ["subject", "issuer", "public_key", "extensions"] {
        assert_eq!(after[0][same], before[0][same], "{same}");
    }
    assert_ne!(after[0]["serial"], before[0]["serial"]);
    assert!(after[0]["validity"]["not_after"].as_str() > before[0]["validity"]["not_after"].as_str());
    assert_eq!(after[1], before[1]);
    // The chain of the one below it has the new one too.
    assert_eq!(blocks(&sandbox, "low.pem")[1], after[0]);

    // What was issued is valid through the old certificate and the new one.
    sandbox.write(
        "leaf.pem",
        String::from_utf8(old_chain).unwrap().split_inclusive("-----END CERTIFICATE-----\n").next().unwrap(),
    );
    for between in ["old-mid.pem", &in_folder(&sandbox, "mid.pem")] {
        let verify = ["verify", "leaf.pem", "--host", "a.test", "--roots", &root, "--intermediates", between];
        sandbox.certkit(&verify).expect_code(0);
        if let Some(openssl) = peer("openssl") {
            sandbox
                .peer(&openssl, &["verify", "-x509_strict", "-CAfile", &root, "-untrusted", between, "leaf.pem"])
                .expect_code(0);
        }
    }
    // It goes on as the same authority: what it has issued, and its lists and their numbers.
    run(&sandbox, "ca renew a.test --issuer mid").expect_code(0);
    run(&sandbox, "ca issue b.test --issuer low").expect_code(0);
    for host in ["a.test", "b.test"] {
        let file = format!("{host}.pem");
        sandbox.certkit(&["verify", &file, "--host", host, "--roots", &root]).expect_code(0);
    }
    assert_eq!(
        run(&sandbox, "ca list --issuer mid --json").expect_code(0).json()["certificates"].as_array().unwrap().len(),
        4
    );
    let crl = run(&sandbox, "ca crl --issuer mid --out two.crl --json").expect_code(0).json();
    assert_eq!((crl["number"].as_u64(), crl["entries"].as_u64()), (Some(2), Some(1)), "{crl}");
    run(&sandbox, "ca check").expect_code(0);
    let audit = run(&sandbox, "ca audit").expect_code(0).stdout;
    assert!(
        audit.lines().any(|line| line.contains("renew") && line.contains(one["serial"].as_str().unwrap())),
        "{audit}"
    );

    // By its file and its serial number, the old one and the new.
    let serial = after[0]["serial"].as_str().unwrap().to_owned();
    run(&sandbox, &format!("ca renew {serial} --ca-key root-key.pem")).expect_code(0);
    run(&sandbox, &format!("ca renew {} --ca-key root-key.pem", in_folder(&sandbox, "mid.pem"))).expect_code(0);
    assert_eq!(blocks(&sandbox, "low.pem")[1], blocks(&sandbox, "mid.pem")[0]);
    // The file is put back from the ledger as it was last.
    let last = fs::read(in_folder(&sandbox, "mid.pem")).unwrap();
    fs::remove_file(in_folder(&sandbox, "mid.pem")).unwrap();
    run(&sandbox, "ca repair").expect_code(0);
    assert_eq!(fs::read(in_folder(&sandbox, "mid.pem")).unwrap(), last);
    run(&sandbox, "ca check").expect_code(0);

    // One that is revoked is over; the one before it stays so.
    let serial = blocks(&sandbox, "mid.pem")[0]["serial"].as_str().unwrap().to_owned();
    run(&sandbox, &format!("ca revoke {serial}")).expect_code(0);
    run(&sandbox, "ca renew mid --ca-key root-key.pem").expect_code(2).complains("is revoked");
}

#[test]
fn a_root_renews_itself_also_after_its_end() {
    let sandbox = two_tiers(&[]);
    run(&sandbox, "ca issue a.test").expect_code(0);
    let before = blocks(&sandbox, "ca.pem");
    sandbox.write("old-root.pem", fs::read(in_folder(&sandbox, "ca.pem")).unwrap());
    let done = run(&sandbox, "ca renew ca --days 7000 --json").expect_code(0);
    assert!(done.stderr.contains("clients that trust the old certificate"), "{done}");
    let after = blocks(&sandbox, "ca.pem");
    for same in ["subject", "issuer", "public_key", "extensions"] {
        assert_eq!(after[0][same], before[0][same], "{same}");
    }
    assert_ne!(after[0]["serial"], before[0]["serial"]);
    assert_eq!(blocks(&sandbox, "issuing.pem")[1], after[0]);
    for root in ["old-root.pem", &in_folder(&sandbox, "ca.pem")] {
        sandbox.certkit(&["verify", "a.test.pem", "--host", "a.test", "--roots", root]).expect_code(0);
        if let Some(openssl) = peer("openssl") {
            sandbox
                .peer(&openssl, &["verify", "-x509_strict", "-CAfile", root, "-untrusted", "a.test.pem", "a.test.pem"])
                .expect_code(0);
        }
    }
    run(&sandbox, "ca check").expect_code(0);
    run(&sandbox, "ca issue b.test").expect_code(0);
    // Nobody above it takes it back, not its first certificate and not this one.
    let file = in_folder(&sandbox, "ca.pem");
    for which in [file.as_str(), "old-root.pem", after[0]["serial"].as_str().unwrap()] {
        run(&sandbox, &format!("ca revoke {which} --reason superseded")).expect_code(2);
    }
    fs::remove_file(&file).unwrap();
    run(&sandbox, "ca repair").expect_code(0);
    assert_eq!(blocks(&sandbox, "ca.pem"), after);
    run(&sandbox, "ca crl --issuer ca").expect_code(0);
    run(&sandbox, "ca check").expect_code(0);

    let over = Sandbox::new();
    let past = over.command().args(["ca", "init", "--days", "30"]).env("SOURCE_DATE_EPOCH", "1700000000");
    past.expect_code(0);
    run(&over, "ca issue a.test").expect_code(2).complains("certkit ca renew ca");
    run(&over, "ca renew ca --days 30").expect_code(0);
    run(&over, "ca issue a.test").expect_code(0);
    let root = in_folder(&over, "ca.pem");
    over.certkit(&["verify", "a.test.pem", "--host", "a.test", "--roots", &root]).expect_code(0);
    run(&over, "ca check").expect_code(0);
}

#[test]
fn an_authority_from_a_time_to_come_is_told_and_how_it_goes_on() {
    let sandbox = Sandbox::new();
    let ahead = sandbox.command().args(["ca", "init", "--days", "30"]).env("SOURCE_DATE_EPOCH", "4000000000");
    ahead.expect_code(0);
    for command in ["ca issue a.test", "ca crl"] {
        run(&sandbox, command)
            .expect_code(2)
            .complains("is the clock right?")
            .complains("certkit ca renew ca signs one");
    }
    let told =
        run(&sandbox, "ca check").expect_code(0).says("warning:").says("the certificate of ca is not valid before");
    told.says("certkit ca renew ca signs one that is valid now").says("sound");
}

#[test]
fn an_authority_is_shown_and_exported_by_what_it_is_called() {
    let sandbox = two_tiers(&[]);
    let root = fs::read(in_folder(&sandbox, "ca.pem")).unwrap();
    for which in ["ca", "Example Root CA", &in_folder(&sandbox, "ca.pem")] {
        let shown = sandbox.certkit(&["ca", "show", which, "--json"]).expect_code(0).json();
        assert_eq!(
            (&shown["name"], &shown["about"]["subject"]),
            (&"ca".into(), &"CN=Example Root CA".into()),
            "{which}"
        );
        let signs: Vec<_> =
            shown["authorities"].as_array().unwrap().iter().map(|it| it["signs_by_default"].clone()).collect();
        assert_eq!(signs, [false, true]);
        for chain in [&[][..], &["--chain"]] {
            let out = sandbox.certkit(&[&["ca", "export", which], chain].concat()).expect_code(0).stdout;
            assert_eq!(out.as_bytes(), root, "{which}");
        }
    }
    run(&sandbox, "ca show issuing").expect_code(0).says("CN=Example Issuing CA").says("issuing-key.pem");
    run(&sandbox, "ca export issuing --chain --out chain.pem").expect_code(0).says("1 certificate");
    run(&sandbox, "ca show nobody").expect_code(2);
    // With its key, which is the one in the folder.
    sandbox.write("pass", "sesame");
    for name in ["ca", "issuing"] {
        let p12 = format!("{name}.p12");
        run(&sandbox, &format!("ca export {name} --pkcs12 --p12-passphrase file:pass --out {p12}")).expect_code(0);
        if let Some(openssl) = peer("openssl") {
            let out = format!("{name}.key");
            sandbox
                .peer(&openssl, &["pkcs12", "-in", &p12, "-passin", "file:pass", "-nodes", "-nocerts", "-out", &out])
                .expect_code(0);
            sandbox.certkit(&["key", "match", &out, &in_folder(&sandbox, &format!("{name}.pem"))]).expect_code(0);
        }
    }
    run(&sandbox, "ca issue a.test").expect_code(0);
    run(&sandbox, "ca export a.test --pkcs12 --p12-passphrase file:pass").expect_code(2).complains("--key FILE");
}

#[test]
fn what_is_below_a_revoked_authority_is_not_listed_as_valid() {
    let sandbox = two_tiers(&[]);
    run(&sandbox, "ca issue a.test").expect_code(0);
    run(&sandbox, "ca intermediate web").expect_code(0);
    run(&sandbox, "ca issue b.test --issuer web").expect_code(0);
    let listed = |more: &str| {
        let listed = run(&sandbox, &format!("ca list --json{more}")).expect_code(0).json();
        let rows = listed["certificates"].as_array().unwrap().iter();
        rows.map(|row| format!("{} {}", row["subject"].as_str().unwrap(), row["status"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(listed(" --valid"), ["CN=a.test valid"]);
    let issuing = in_folder(&sandbox, "issuing.pem");
    run(&sandbox, &format!("ca revoke {issuing} --hold")).expect_code(0);
    assert_eq!(listed(" --valid"), [""; 0]);
    assert_eq!(listed(""), ["CN=a.test issuer_revoked"]);
    assert_eq!(listed(" --all --valid"), ["CN=Example Web CA valid", "CN=b.test valid"]);
    run(&sandbox, "ca list").expect_code(0).says("its issuer is revoked");
    assert_eq!(run(&sandbox, "ca show a.test --json").expect_code(0).json()["record"]["status"], "issuer_revoked");
    run(&sandbox, "ca export --records csv").expect_code(0).says(",issuer_revoked,");
    run(&sandbox, &format!("ca revoke {issuing} --release")).expect_code(0);
    assert_eq!(listed(" --valid"), ["CN=a.test valid"]);
}

#[test]
fn what_another_ca_has_signed_is_renewed_there_and_its_new_certificate_is_taken() {
    let sandbox = Sandbox::new();
    run(&sandbox, "ca init --ca outer --name Outer").expect_code(0);
    run(&sandbox, "csr new --profile intermediate-ca --cn Branch --out b.csr --keyout b.key").expect_code(0);
    for file in ["one.pem", "two.pem"] {
        run(&sandbox, &format!("ca intermediate --csr b.csr --ca outer --out {file}")).expect_code(0);
    }
    run(&sandbox, "ca import one.pem --key b.key --ca inner").expect_code(0);
    run(&sandbox, "ca issue a.test --ca inner").expect_code(0);
    run(&sandbox, "ca renew ca --ca inner").expect_code(2).complains("CN=Outer has signed").complains("inner/ca.pem");
    fs::copy(sandbox.path("two.pem"), sandbox.path("inner/ca.pem")).unwrap();
    run(&sandbox, "ca issue b.test --ca inner").expect_code(0);
    run(&sandbox, "ca check --ca inner").expect_code(0);
    let listed = run(&sandbox, "ca list --ca inner --json").expect_code(0).json();
    assert_eq!(listed["certificates"].as_array().unwrap().len(), 2, "{listed}");
    run(&sandbox, "verify b.test.pem --host b.test --roots outer/ca.pem").expect_code(0);
    // One that says it comes from an authority of this ledger, which has no record of it, is another CA's.
    run(&sandbox, "ca init --ca other").expect_code(0);
    fs::copy(sandbox.path("other/ca.pem"), sandbox.path("inner/ca.pem")).unwrap();
    run(&sandbox, "ca issue c.test --ca inner").expect_code(2);
}

#[test]
fn what_another_authority_has_issued_is_renewed_below_the_one_asked_for() {
    let sandbox = two_tiers(&[]);
    let run = |args: &str| sandbox.certkit(&args.split(' ').collect::<Vec<_>>());
    for name in ["web", "gone", "keyless"] {
        sandbox.certkit(&["ca", "intermediate", name]).expect_code(0);
    }
    run("ca intermediate lab --permit lab.example.test").expect_code(0);
    for (host, issuer) in [("a.test", "issuing"), ("gone.test", "gone"), ("keyless.test", "keyless")] {
        sandbox.certkit(&["ca", "issue", host, "--days", "90", "--issuer", issuer]).expect_code(0);
    }
    let issuer = |file: &str| {
        let shown = sandbox.certkit(&["inspect", file, "--json"]).expect_code(0).json();
        shown[0]["blocks"][1]["subject"].as_str().unwrap().to_owned()
    };
    let (key, before) = (sandbox.read("a.test-key.pem"), first(&sandbox, "a.test.pem"));

    // Time left is what counts while the old authority stands.
    run("ca renew a.test.pem --issuer web --if-expires-within 30d").expect_code(0).says("kept");
    let done = run("ca renew a.test --issuer web --json").expect_code(0).json();
    let one = &done["certificates"][0];
    assert_eq!((one["authority"].as_str(), one["moved_from"].as_str()), (Some("web"), Some("issuing")), "{done}");
    assert_eq!(issuer("a.test.pem"), "CN=Example Web CA");
    let after = first(&sandbox, "a.test.pem");
    for same in ["subject", "names", "public_key", "key_usage", "extended_key_usage"] {
        assert_eq!(after[same], before[same], "{same}");
    }
    assert_eq!(sandbox.read("a.test-key.pem"), key);
    verified(&sandbox, "a.test.pem");
    // What is in the file is renewed by who has issued that, whoever signs by default.
    let done = run("ca renew a.test --json").expect_code(0).json();
    assert_eq!(
        (&done["certificates"][0]["authority"], &done["certificates"][0]["moved_from"]),
        (&"web".into(), &serde_json::Value::Null)
    );
    run("ca renew a.test.pem --issuer issuing").expect_code(0).says("issuing, and before by web");
    run("ca check").expect_code(0);

    // All that the new authority refuses is refused.
    let kept = sandbox.read("a.test.pem");
    run("ca renew a.test.pem --issuer lab").expect_code(2).complains("lab.example.test");
    let issuing = sandbox.ca().join("issuing.pem");
    sandbox.certkit(&["ca", "revoke", issuing.to_str().unwrap(), "--reason", "cACompromise"]).expect_code(0);
    run("ca renew keyless.test.pem --issuer issuing").expect_code(2).complains("is revoked: cACompromise");
    run("ca renew a.test.pem").expect_code(2).complains("is revoked: cACompromise").complains("renew with another");
    assert_eq!(sandbox.read("a.test.pem"), kept);

    // Below a revoked authority it is worth nothing, whatever time it has left.
    let done = run("ca renew a.test --issuer web --if-expires-within 30d --json").expect_code(0).json();
    assert_eq!(done["certificates"][0]["moved_from"], "issuing", "{done}");
    verified(&sandbox, "a.test.pem");
    run("ca renew a.test --issuer web --if-expires-within 30d").expect_code(0).says("kept");

    // Its key may be gone, and its certificate.
    fs::remove_file(sandbox.ca().join("keyless-key.pem")).unwrap();
    run("ca renew keyless.test").expect_code(2).complains("no key of keyless");
    run("ca renew keyless.test --issuer web").expect_code(0).says("web, and before by keyless");
    for file in ["gone.pem", "gone-key.pem"] {
        fs::remove_file(sandbox.ca().join(file)).unwrap();
    }
    run("ca renew gone.test.pem").expect_code(2).complains("Example Gone CA").complains("--issuer NAME");
    run("ca renew gone.test.pem --issuer web").expect_code(0).says("web, and before by Example Gone CA");
    assert_eq!(issuer("gone.test.pem"), "CN=Example Web CA");
}

#[test]
fn what_an_ending_authority_cut_short_lasts_its_time_once_that_is_renewed() {
    let sandbox = two_tiers(&[]);
    run(&sandbox, "ca intermediate mid --days 20 --path-len 1").expect_code(0);
    run(&sandbox, "ca intermediate low --issuer mid").expect_code(0);
    run(&sandbox, "ca issue a.test --issuer mid").expect_code(0);
    run(&sandbox, "ca renew mid --days 800").expect_code(0);
    run(&sandbox, "ca renew a.test").expect_code(0).says("(397 days)");
    run(&sandbox, "ca renew a.test --if-expires-within 30d").expect_code(0).says("kept");
    run(&sandbox, "ca renew low").expect_code(0);
    run(&sandbox, "ca renew low --if-expires-within 700d").expect_code(0).says("kept");
    // What was asked for stays.
    run(&sandbox, "ca issue b.test --issuer mid --days 9").expect_code(0);
    run(&sandbox, "ca renew b.test").expect_code(0).says("(9 days)");
}

#[test]
fn a_certificate_that_is_called_like_an_authority_does_not_take_its_place() {
    let sandbox = two_tiers(&[]);
    run(&sandbox, "csr new --cn issuing --out q.csr --keyout q.key").expect_code(0);
    run(&sandbox, "ca sign q.csr --out q.pem").expect_code(0);
    for command in ["ca renew issuing", "ca show issuing", "ca export issuing --out e.pem"] {
        run(&sandbox, command).expect_code(2).complains("is what an authority is called").complains("issuing.pem");
    }
    run(&sandbox, &format!("ca renew {}", in_folder(&sandbox, "issuing.pem"))).expect_code(0);
    run(&sandbox, "ca revoke q.pem").expect_code(0);
    run(&sandbox, "ca renew issuing").expect_code(0).says("CN=Example Issuing CA");
    run(&sandbox, "ca show issuing").expect_code(0).says("authorities");
    run(&sandbox, "ca export issuing --out e.pem").expect_code(0);
}

#[test]
fn an_authority_whose_serial_number_is_named_below_it_is_not_renewed_unasked() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = Sandbox::new();
    let openssl = |args: &str| sandbox.peer(&openssl, &args.split(' ').collect::<Vec<_>>());
    sandbox.write("v3", "authorityKeyIdentifier = keyid,issuer:always\nsubjectAltName = DNS:s1.test\n");
    openssl("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 900 -subj /CN=Old").expect_code(0);
    openssl("req -new -newkey rsa:2048 -nodes -keyout s1.key -out s1.csr -subj /CN=s1.test").expect_code(0);
    openssl("x509 -req -in s1.csr -CA ca.pem -CAkey ca.key -set_serial 7 -days 300 -extfile v3 -out s1.pem")
        .expect_code(0);
    run(&sandbox, "ca import --cert ca.pem --key ca.key --issued s1.pem").expect_code(0);
    let refused = run(&sandbox, "ca renew ca").expect_code(2);
    refused.complains("1 of what ca has issued, such as dns:s1.test, names the serial number").complains("--force");
    let own = in_folder(&sandbox, "ca.pem");
    openssl(&format!("verify -CAfile {own} s1.pem")).expect_code(0);
    // What takes its place names no number.
    run(&sandbox, "ca renew s1.test --profile server --out new.pem").expect_code(0);
    run(&sandbox, "ca renew ca").expect_code(0);
    openssl(&format!("verify -CAfile {own} new.pem")).expect_code(0);
    openssl(&format!("verify -CAfile {own} s1.pem")).expect_code(2);
}

#[test]
fn who_renews_an_authority_is_told_of_an_end_that_comes_earlier_and_of_no_way_that_does_not_help() {
    let sandbox = two_tiers(&["--root-key-out", "root-key.pem"]);
    let refused = run(&sandbox, "ca renew issuing").expect_code(2).complains("give it with --ca-key");
    assert!(!refused.stderr.contains("--issuer"), "no other authority can: {}", refused.stderr);
    let renewed = run(&sandbox, "ca renew issuing --ca-key root-key.pem --days 30").expect_code(0);
    renewed.complains("before the old one");
    let renewed = run(&sandbox, "ca renew issuing --ca-key root-key.pem --days 60").expect_code(0);
    assert!(!renewed.stderr.contains("before the old one"), "{}", renewed.stderr);
}
