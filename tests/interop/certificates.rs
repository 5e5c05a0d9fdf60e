//! Certificates as files: read alike by everyone, and chains judged alike for the right name and the wrong one.

use std::fs;

use super::judges::{Case, Judge};
use crate::support::{Sandbox, peer, post_quantum_python};

const TYPES: [&str; 5] = ["p256", "p384", "p521", "rsa:2048", "ed25519"];
const ML_DSA: [&str; 3] = ["ml-dsa-44", "ml-dsa-65", "ml-dsa-87"];

const READ_BY_PYTHON: &str = r#"
import sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes
for file in sys.argv[1:]:
    certificate = x509.load_pem_x509_certificate(open(file, "rb").read())
    certificate.verify_directly_issued_by(certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    print(certificate.fingerprint(hashes.SHA256()).hex(":").upper(), certificate.subject.rfc4514_string(),
          *names.get_values_for_type(x509.DNSName), *names.get_values_for_type(x509.IPAddress),
          format(certificate.serial_number, "x"))
"#;

const READ_BY_NODE: &str = r#"
const { X509Certificate } = require("node:crypto");
for (const file of process.argv.slice(1)) {
  const certificate = new X509Certificate(require("node:fs").readFileSync(file));
  if (!certificate.verify(certificate.publicKey)) throw new Error(`${file}: false signature`);
  if (!certificate.checkHost("localhost") || certificate.checkHost("other.test")) throw new Error(`${file}: names`);
  console.log(certificate.fingerprint256, certificate.serialNumber.toLowerCase().replace(/^0+/, ""));
}
"#;

#[test]
fn everyone_reads_a_certificate_of_every_type_as_we_say_it_is() {
    let (Some(openssl), Some(certtool), Some(keytool), Some(python), Some(node)) =
        (peer("openssl"), peer("certtool"), peer("keytool"), post_quantum_python(), peer("node"))
    else {
        return;
    };
    let sandbox = Sandbox::new();
    let (mut files, mut facts) = (Vec::new(), Vec::new());
    for kind in TYPES.into_iter().chain(ML_DSA) {
        let file = format!("{}.pem", kind.replace(':', ""));
        let subject = "CN=localhost,O=Märchen \\+ Söhne";
        let args = ["new", "localhost", "127.0.0.1", "--subject", subject, "--type", kind, "--out", &file, "--json"];
        let made = sandbox.certkit(&args).expect_code(0).json();
        let fact = |name: &str| made[name].as_str().unwrap().to_owned();
        // Python and Node write a number, not octets: one serial in sixteen begins with a zero digit.
        facts.push([fact("fingerprint_sha256"), fact("serial").trim_start_matches('0').to_owned()]);
        files.push(file);
    }

    let said = sandbox.program(&python.path).args(["-W", "ignore", "-c", READ_BY_PYTHON]).args(&files).expect_code(0);
    let expected = facts.iter().map(|[fingerprint, serial]| {
        format!("{fingerprint} CN=localhost,O=Märchen \\+ Söhne localhost 127.0.0.1 {serial}\n")
    });
    assert_eq!(said.stdout, expected.collect::<String>());

    // OpenSSL 3.0, GnuTLS 3.7, Node 20 and Java 17 know no ML-DSA.
    let (files, facts) = (&files[..TYPES.len()], &facts[..TYPES.len()]);
    let said = sandbox.program(&node.path).args(["-e", READ_BY_NODE]).args(files).expect_code(0);
    let expected = facts.iter().map(|[fingerprint, serial]| format!("{fingerprint} {serial}\n"));
    assert_eq!(said.stdout, expected.collect::<String>());

    for (file, [fingerprint, serial]) in files.iter().zip(facts) {
        let args =
            ["x509", "-in", file, "-noout", "-fingerprint", "-sha256", "-serial", "-subject", "-nameopt", "utf8"];
        let said = sandbox.peer(&openssl, &args).expect_code(0).says(fingerprint).says("Märchen + Söhne");
        assert!(said.stdout.to_lowercase().contains(serial), "{said}");
        sandbox.peer(&openssl, &["x509", "-in", file, "-noout", "-checkhost", "localhost"]).says("does match");
        sandbox.peer(&openssl, &["x509", "-in", file, "-noout", "-checkip", "127.0.0.2"]).says("does NOT match");
        let said = sandbox.peer(&certtool, &["-i", "--infile", file]).expect_code(0).says("DNSname: localhost");
        assert!(said.stdout.to_lowercase().contains(&fingerprint.replace(':', "").to_lowercase()), "{said}");
        sandbox
            .peer(&keytool, &["-J-XX:TieredStopAtLevel=1", "-printcert", "-file", file])
            .expect_code(0)
            .says(&format!("SHA256: {fingerprint}"))
            .says("DNSName: localhost");
        let signed = ["verify", "-CAfile", file, "-verify_hostname", "localhost", "-check_ss_sig", file];
        sandbox.peer(&openssl, &signed).expect_code(0);
    }
}

/// Makes a CA of this type in a folder of its own and `TYPE.ca.pem`; below it a leaf for localhost and one for
/// other.test.
fn authority(sandbox: &Sandbox, ca_type: &str, leaf_type: &str) -> String {
    let name = ca_type.replace(':', "");
    let folder = sandbox.path(&name);
    let folder = folder.to_str().unwrap();
    sandbox.certkit(&["ca", "init", "--ca", folder, "--type", ca_type, "--name", &name]).expect_code(0);
    sandbox.write(format!("{name}.ca.pem"), fs::read(sandbox.path(&name).join("ca.pem")).unwrap());
    for host in ["localhost", "other.test"] {
        let file = format!("{name}.{host}.pem");
        sandbox
            .certkit(&["ca", "issue", host, "127.0.0.1", "--ca", folder, "--type", leaf_type, "--out", &file])
            .expect_code(0);
    }
    name
}

/// What is to be said of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Accepted,
    WrongName,
    UnknownCa,
}

#[test]
fn every_judge_takes_a_chain_of_every_type_for_its_names_alone() {
    let sandbox = Sandbox::new();
    let mut cases: Vec<(Case, Due)> = Vec::new();
    sandbox.certkit(&["new", "--profile", "root-ca", "--cn", "Foreign CA", "--out", "foreign.ca.pem"]).expect_code(0);
    // Each type signs once and is signed once.
    for (ca, leaf) in
        [("p256", "p384"), ("p384", "rsa:2048"), ("p521", "p256"), ("rsa:3072", "p521"), ("ed25519", "ed25519")]
    {
        let name = authority(&sandbox, ca, leaf);
        let roots = format!("{name}.ca.pem");
        let case = |host: &str, asked: &str| Case::new(&format!("{name}.{host}.pem"), &roots, asked);
        cases.push((case("localhost", "localhost"), Due::Accepted));
        cases.push((case("localhost", "127.0.0.1"), Due::Accepted));
        cases.push((case("other.test", "localhost"), Due::WrongName));
        cases.push((case("other.test", "127.0.0.2"), Due::WrongName));
        let foreign = Case { roots: "foreign.ca.pem".to_owned(), ..case("localhost", "localhost") };
        cases.push((foreign, Due::UnknownCa));
    }
    for judge in Judge::here() {
        let mut cases = cases.clone();
        if judge == Judge::Nss {
            // NSS 3.87 cannot even be given an Ed25519 root.
            cases.retain(|(case, _)| !case.leaf.starts_with("ed25519"));
        }
        let asked: Vec<Case> = cases.iter().map(|(case, _)| case.clone()).collect();
        for ((case, due), judgment) in cases.iter().zip(judge.judge(&sandbox, &asked)) {
            let expected = match judge {
                Judge::Nss => *due != Due::UnknownCa,
                // It keeps to the algorithms public CAs may use.
                Judge::Pyca => *due == Due::Accepted && !case.leaf.starts_with("ed25519"),
                _ => *due == Due::Accepted,
            };
            assert_eq!(judgment.accepted, expected, "{judge:?}, {due:?}, {case:?}: {}", judgment.said);
        }
    }
}
