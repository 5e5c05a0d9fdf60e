//! Profiles with limits of their own: listed, explained, and enforced in every way of issuing.

use crate::support::Sandbox;

const CORP: &str = r#"description = "a server of ours"
days = 30
max_days = 90
key = "P-256"
allowed_keys = ["P-256", "RSA-3072.."]
key_usage = ["digitalSignature"]
key_usage_rsa = ["keyEncipherment"]
extended_key_usage = ["serverAuth"]
names = ["dns", "ip"]
required_names = ["dns"]
allowed_names = ["dns:corp.test", "ip:10.0.0.0/8"]
denied_names = ["dns:secret.corp.test"]
wildcards = false
"#;

fn with_ca() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--name", "Test CA"]).expect_code(0);
    sandbox.write("corp.toml", CORP);
    sandbox
}

#[test]
fn every_limit_is_kept_by_issue_and_names_its_rule_and_the_profile() {
    let sandbox = with_ca();
    for (asked, rule, allowed) in [
        (&["evil.test"][..], "allowed_names", "dns:corp.test or ip:10.0.0.0/8"),
        (&["a.corp.test", "11.0.0.1"], "allowed_names", "ip:10.0.0.0/8"),
        (&["a.corp.test", "--subject", "CN=evil.test"], "allowed_names", "dns:evil.test"),
        (&["x.secret.corp.test"], "denied_names", "dns:secret.corp.test is denied"),
        (&["*.corp.test"], "denied_names", "dns:secret.corp.test is denied"),
        (&["*.a.corp.test"], "wildcards", "name each host"),
        (&["a.corp.test", "--days", "91"], "max_days", "90 days at most"),
        (&["a.corp.test", "--type", "rsa:2048"], "allowed_keys", "P-256 or RSA-3072 or more"),
    ] {
        let args = [&["ca", "issue", "--profile", "corp.toml"], asked].concat();
        let refused = sandbox.certkit(&args).expect_code(2);
        for part in [rule, allowed, "corp.toml"] {
            assert!(refused.stderr.contains(part), "{asked:?}: {}", refused.stderr);
        }
    }
    assert_eq!(sandbox.listing(), ["corp.toml"], "a refusal leaves nothing behind");
    sandbox.certkit(&["ca", "issue", "--profile", "corp.toml", "a.corp.test", "10.0.0.1"]).expect_code(0);
    let listed = sandbox.certkit(&["ca", "list", "--json"]).expect_code(0).json();
    assert_eq!(listed["certificates"].as_array().unwrap().len(), 1);
}

#[test]
fn every_limit_is_kept_by_sign() {
    let sandbox = with_ca();
    sandbox.certkit(&["csr", "new", "evil.test", "--out", "evil.csr"]).expect_code(0);
    sandbox.certkit(&["csr", "new", "a.corp.test", "--type", "p384", "--out", "key.csr"]).expect_code(0);
    sandbox.certkit(&["csr", "new", "a.corp.test", "--out", "good.csr"]).expect_code(0);
    for (request, rule) in [("evil.csr", "allowed_names"), ("key.csr", "allowed_keys")] {
        let refused = sandbox.certkit(&["ca", "sign", request, "--profile", "corp.toml", "--out", "x.pem"]);
        refused.expect_code(1).says(rule);
    }
    sandbox.certkit(&["ca", "sign", "good.csr", "--profile", "corp.toml", "--out", "x.pem"]).expect_code(0);
}

#[test]
fn the_subject_is_asked_for_what_the_profile_requires() {
    let sandbox = with_ca();
    sandbox.write("org.toml", format!("{CORP}required_subject = [\"O\", \"C\"]\n"));
    let refused = sandbox.certkit(&["ca", "issue", "--profile", "org.toml", "a.corp.test"]).expect_code(2);
    assert!(refused.stderr.contains("a subject without O and C"), "{}", refused.stderr);
    let args = ["ca", "issue", "--profile", "org.toml", "a.corp.test", "--subject", "O=Corp,C=NO"];
    sandbox.certkit(&args).expect_code(0);
    for (request, subject) in [("bare.csr", "CN=b.corp.test"), ("full.csr", "CN=b.corp.test,O=Corp,C=NO")] {
        sandbox.certkit(&["csr", "new", "--subject", subject, "--out", request]).expect_code(0);
    }
    let sign = |request| sandbox.certkit(&["ca", "sign", request, "--profile", "org.toml", "--out", "b.pem", "--json"]);
    let refused = sign("bare.csr").expect_code(1);
    assert!(refused.stdout.contains("a subject without O and C"), "{}", refused.stdout);
    assert_eq!(sign("full.csr").expect_code(0).json()["subject"], "CN=b.corp.test,O=Corp,C=NO");
}

#[test]
fn profiles_are_listed_and_every_one_can_be_started_from() {
    let sandbox = Sandbox::new();
    let listed = sandbox.certkit(&["ca", "profiles", "--json"]).expect_code(0).json();
    let profiles = listed["profiles"].as_array().unwrap();
    assert!(profiles.len() >= 9);
    for profile in profiles {
        let name = profile["name"].as_str().unwrap();
        let toml = sandbox.certkit(&["ca", "profiles", "--show", name]).expect_code(0);
        sandbox.write("own.toml", &toml.stdout);
        let checked = sandbox.certkit(&["ca", "profile", "check", "own.toml", "--json"]).expect_code(0).json();
        assert_eq!(checked["profile"]["days"], profile["days"], "{name}");
        assert_eq!(checked["profile"]["key_usage"], profile["key_usage"], "{name}");
    }
    let missing = sandbox.certkit(&["ca", "profiles", "--show", "nonesuch"]).expect_code(2);
    assert!(missing.stderr.contains("code-signing"), "{}", missing.stderr);
    sandbox.certkit(&["ca", "profiles", "--ca", "x"]).expect_code(2);
}

#[test]
fn a_profile_is_explained_and_a_bad_one_is_refused_where_it_is_bad() {
    let sandbox = Sandbox::new();
    sandbox.write("corp.toml", CORP);
    let said = sandbox.certkit(&["ca", "profile", "check", "corp.toml"]).expect_code(0);
    for words in ["an end entity", "30 days, 90 at most", "RSA-3072 or more", "dns:corp.test", "refused"] {
        assert!(said.stdout.contains(words), "{words}: {}", said.stdout);
    }
    for (from, to, place) in [
        ("max_days = 90", "max_days = 9", "bad.toml:3:12"),
        ("wildcards = false", "wildcard = false", "bad.toml:13:1"),
        ("\"RSA-3072..\"", "\"P-384\"", "bad.toml:5:16"),
    ] {
        sandbox.write("bad.toml", CORP.replace(from, to));
        let refused = sandbox.certkit(&["ca", "profile", "check", "bad.toml"]).expect_code(1);
        assert!(refused.stdout.contains(place), "{}", refused.stdout);
        sandbox.certkit(&["ca", "issue", "a.corp.test", "--profile", "bad.toml"]).expect_code(2);
    }
    sandbox.certkit(&["ca", "profile", "check", "none.toml"]).expect_code(2);
}

#[test]
fn the_profile_chooses_the_signature_of_an_rsa_ca() {
    for (signature, said) in [
        ("rsa-pss-sha256", "RSASSA-PSS with SHA-256"),
        ("rsa-pss-sha512", "RSASSA-PSS with SHA-512"),
        ("rsa-sha384", "sha384WithRSAEncryption"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.certkit(&["ca", "init", "--type", "rsa:2048"]).expect_code(0);
        sandbox.write("pss.toml", format!("{CORP}signature = \"{signature}\"\n"));
        sandbox.certkit(&["ca", "issue", "a.corp.test", "--profile", "pss.toml"]).expect_code(0);
        sandbox.certkit(&["inspect", "a.corp.test.pem"]).expect_code(0).says(said);
        let ca = sandbox.ca().join("ca.pem");
        let judged = ["verify", "a.corp.test.pem", "--roots", ca.to_str().unwrap(), "--host", "a.corp.test"];
        sandbox.certkit(&judged).expect_code(0);
        if let Some(openssl) = crate::support::peer("openssl") {
            let args = ["verify", "-x509_strict", "-CAfile", ca.to_str().unwrap(), "a.corp.test.pem"];
            sandbox.peer(&openssl, &args).expect_code(0);
        }
    }
    let sandbox = with_ca();
    sandbox.write("pss.toml", format!("{CORP}signature = \"rsa-pss-sha256\"\n"));
    let refused = sandbox.certkit(&["ca", "issue", "a.corp.test", "--profile", "pss.toml"]).expect_code(2);
    assert!(refused.stderr.contains("(signature)") && refused.stderr.contains("P-256"), "{}", refused.stderr);
}

#[test]
fn many_requests_are_signed_at_once_and_each_is_answered() {
    let sandbox = with_ca();
    for name in ["a.corp.test", "evil.test", "b.corp.test"] {
        sandbox.certkit(&["csr", "new", name, "--out", &format!("{name}.csr")]).expect_code(0);
    }
    let requests = ["ca", "sign", "a.corp.test.csr", "evil.test.csr", "b.corp.test.csr", "--profile", "corp.toml"];
    sandbox.certkit(&[&requests[..], &["--out", "x.pem"]].concat()).expect_code(2).complains("3 requests");
    let ran = sandbox.certkit(&[&requests[..], &["--json"]].concat()).expect_code(1);
    let answers: Vec<serde_json::Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let files: Vec<_> = answers.iter().map(|answer| answer["certificate_file"].as_str()).collect();
    assert_eq!(files, [Some("a.corp.test.pem"), None, Some("b.corp.test.pem")]);
    assert!(answers[1]["refused"].as_str().unwrap().contains("allowed_names"));
    sandbox
        .certkit(
            &["verify", "b.corp.test.pem", "--no-host", "--roots"]
                .as_slice()
                .iter()
                .copied()
                .chain([sandbox.ca().join("ca.pem").to_str().unwrap()])
                .collect::<Vec<_>>(),
        )
        .expect_code(0);
    // All are read before any is signed: two that would go to one file, one that is none.
    let twice = ["ca", "sign", "a.corp.test.csr", "a.corp.test.csr", "--force"];
    sandbox.certkit(&twice).expect_code(2).complains("given twice");
    let listed =
        || sandbox.certkit(&["ca", "list", "--json"]).expect_code(0).json()["certificates"].as_array().unwrap().len();
    assert_eq!(listed(), 2);
    sandbox.write("none.csr", "no request");
    sandbox.certkit(&["ca", "sign", "a.corp.test.csr", "none.csr", "--force"]).expect_code(2);
    assert_eq!(listed(), 2);
}

#[test]
fn no_host_is_had_by_a_common_name_that_clients_compare() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--permit", "lab.test", "--permit", "10.0.0.0/8"]).expect_code(0);
    for name in ["x-.evil.test", "www*.evil.test", "a+b.evil.test", "*.evil.test"] {
        let subject = format!("CN={name}");
        let issue = ["ca", "issue", "10.0.0.7", "--subject", &subject, "--force"];
        sandbox.certkit(&issue).expect_code(2).complains(name).complains("only dns:lab.test is permitted");
    }
    // From a stranger's request too, and below a profile's limits.
    let request = ["csr", "new", "10.0.0.9", "--subject", "CN=x-.evil.test", "--out", "e.csr"];
    sandbox.certkit(&request).expect_code(0);
    sandbox.certkit(&["ca", "sign", "e.csr"]).expect_code(1).says("x-.evil.test");
    let sandbox = with_ca();
    sandbox.write("own.toml", CORP.replace("required_names = [\"dns\"]\n", ""));
    sandbox.certkit(&request).expect_code(0);
    sandbox.certkit(&["ca", "sign", "e.csr", "--profile", "own.toml"]).expect_code(1).says("allowed_names");
    let issue = ["ca", "issue", "10.0.0.7", "--subject", "CN=My Server", "--profile", "own.toml"];
    sandbox.certkit(&issue).expect_code(0);
}

#[test]
fn names_added_to_a_request_are_read_as_those_of_a_command_line() {
    let sandbox = with_ca();
    sandbox.certkit(&["csr", "new", "a.corp.test"]).expect_code(0);
    let sign = |san: &str| sandbox.certkit(&["ca", "sign", "a.corp.test.csr", "--san", san, "--force", "--json"]);
    sign("x y").expect_code(2).complains("--san");
    let names = sign("b.corp.test, 10.0.0.1").expect_code(0).json()["names"].to_string();
    assert!(names.contains("dns:b.corp.test") && names.contains("ip:10.0.0.1"), "{names}");
}
