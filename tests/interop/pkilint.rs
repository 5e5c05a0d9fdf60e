//! pkilint on what the profiles issue: no error but those of rules that bind public CAs alone.

use std::env;
use std::path::PathBuf;

use super::live::issued;
use crate::support::forge::{Forge, Hierarchy};
use crate::support::{Sandbox, skip};
use certkit::encoding::pem;
use certkit::x509::extension::BasicConstraints;

/// What the CA/B Forum and Microsoft ask of public CAs, and why a CA of one's own cannot or need not give it.
const PUBLIC_ONLY: [(&str, &str); 5] = [
    ("cabf.serverauth.certificate_validity_period_exceeds_200_days", "SC-081 limits public CAs; a private one may 397"),
    ("cabf.serverauth.subscriber.revocation_information_absent", "a local CA has no address to publish a CRL at"),
    ("msft.end_entity.revocation_information_absent", "the same, for members of Microsoft's root programme"),
    ("cabf.serverauth.subscriber.authority_info_access_extension_absent", "nor one to publish its certificate at"),
    ("cabf.serverauth.subscriber.certificate_policies_extension_absent", "it has validated nothing under a policy"),
];

fn linter(name: &str) -> Option<PathBuf> {
    let found = env::var_os("CERTKIT_PKILINT").map(|folder| PathBuf::from(folder).join(name));
    match found.filter(|path| path.is_file()) {
        Some(path) => Some(path),
        None => skip(&format!("CERTKIT_PKILINT is no folder with {name}")),
    }
}

/// The findings of severity ERROR and FATAL.
fn errors(sandbox: &Sandbox, linter: &PathBuf, args: &[&str], file: &str) -> Vec<String> {
    let ran = sandbox.program(linter).args(["lint", "-s", "ERROR", "-f", "JSON"]).args(args).arg(file).run();
    let results = ran.json();
    let results = results["results"].as_array().unwrap_or_else(|| panic!("{ran}"));
    let findings = results.iter().flat_map(|result| result["finding_descriptions"].as_array().unwrap());
    let mut codes: Vec<String> = findings.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect();
    // Its exit status is how many there are.
    assert_eq!(ran.code, Some(codes.len().try_into().unwrap()), "{ran}");
    codes.sort();
    codes
}

/// The first certificate of a file alone: pkilint runs several into one.
fn alone(sandbox: &Sandbox, file: &str) -> String {
    let first = pem::read(&sandbox.read(file)).into_iter().find_map(Result::ok).unwrap();
    let name = format!("alone-{file}");
    sandbox.write(&name, pem::write("CERTIFICATE", &first.contents).as_bytes());
    name
}

#[test]
fn pkilint_finds_no_error_in_what_any_profile_issues() {
    let Some(pkix) = linter("lint_pkix_cert") else { return };
    let sandbox = issued(&[]);
    let mut files = vec!["ca.pem".to_owned()];
    for (profile, args) in [
        ("server", &["app.example.com", "192.0.2.1", "--type", "rsa:2048"][..]),
        ("client", &["--cn", "Ann", "--san", "ann@example.com"]),
        ("peer", &["app.example.com"]),
        ("email", &["ann@example.com"]),
        ("code-signing", &["--subject", "CN=Example,O=Example"]),
        ("ocsp-responder", &["--cn", "OCSP of Example"]),
    ] {
        let out = format!("{profile}.pem");
        let fixed = ["ca", "issue", "--profile", profile, "--out", &out];
        sandbox.certkit(&[&fixed[..], args].concat()).expect_code(0);
        files.push(out);
    }
    for profile in ["self-signed", "root-ca", "intermediate-ca"] {
        let out = format!("{profile}.pem");
        sandbox.certkit(&["new", "--profile", profile, "--cn", "a.example.com", "--out", &out]).expect_code(0);
        files.push(out);
    }
    for file in files {
        assert_eq!(errors(&sandbox, &pkix, &[], &alone(&sandbox, &file)), [""; 0], "{file}");
    }

    // It does find errors where there are some.
    let hierarchy = Hierarchy::new();
    let mut lax = Forge::root("Lax Root", &hierarchy.root.key);
    lax.set(&BasicConstraints { ca: true, path_len: None }, false);
    let lax = lax.sign(&hierarchy.root.key);
    sandbox.write("lax.pem", pem::write("CERTIFICATE", lax.der()).as_bytes());
    let found = errors(&sandbox, &pkix, &[], "lax.pem");
    assert!(found.iter().any(|code| code.contains("basic_constraints")), "{found:?}");
}

#[test]
fn of_the_baseline_requirements_a_server_certificate_lacks_only_what_public_cas_owe() {
    let Some(baseline) = linter("lint_cabf_serverauth_cert") else { return };
    let sandbox = issued(&["app.example.com"]);
    let file = alone(&sandbox, "app.example.com.pem");
    let mut known = PUBLIC_ONLY.map(|(code, _)| code);
    known.sort_unstable();
    assert_eq!(errors(&sandbox, &baseline, &["-t", "DV-FINAL-CERTIFICATE"], &file), known);
    let short = ["ca", "issue", "app.example.com", "--days", "90", "--out", "short.pem", "--keyout", "short-key.pem"];
    sandbox.certkit(&short).expect_code(0);
    let short = alone(&sandbox, "short.pem");
    let known: Vec<_> = known.into_iter().filter(|code| !code.ends_with("exceeds_200_days")).collect();
    assert_eq!(errors(&sandbox, &baseline, &["-t", "DV-FINAL-CERTIFICATE"], &short), known);
}
