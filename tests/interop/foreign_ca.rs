//! CAs of other makers sign with our library, and post-quantum chains are read by the one peer that knows them.

use certkit::encoding::pem;
use certkit::issue::{Issuer, Request, issue};
use certkit::key::{KeyAlgorithm, PrivateKey};
use certkit::profile::Profile;
use certkit::x509::{Certificate, DistinguishedName, GeneralName, SerialNumber};
use time::OffsetDateTime;

use super::judges::{Case, Judge};
use super::live::issued;
use crate::support::{Sandbox, peer, post_quantum_python};

fn contents(sandbox: &Sandbox, file: &str) -> Vec<u8> {
    pem::read(&sandbox.read(file)).remove(0).unwrap().contents.to_vec()
}

#[test]
fn what_a_ca_of_openssl_with_an_intricate_subject_issues_is_taken_by_everyone() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = Sandbox::new();
    let profile = Profile::built_in("server").unwrap();
    let subjects = [
        "/C=DE/O=Example/OU=One/OU=Two/CN=Several Units",
        "/DC=test/DC=example/O=Example/OU=One+CN=Several in one",
        "/C=DE/ST=Bayern/O=Märchen, Söhne \\+ Co/emailAddress=ca@example.test/CN= spaces  within ",
    ];
    for (at, subject) in subjects.into_iter().enumerate() {
        let [root, key, leaf] = ["root", "key", "leaf"].map(|part| format!("{at}-{part}.pem"));
        let new = [
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-384",
            "-nodes",
            "-utf8",
            "-multivalue-rdn",
        ];
        let usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign", "-days", "900"];
        let files = ["-subj", subject, "-keyout", &key, "-out", &root];
        sandbox.peer(&openssl, &[&new[..], &usage, &files].concat()).expect_code(0);

        let certificate = Certificate::from_der(&contents(&sandbox, &root)).unwrap();
        let authority = PrivateKey::from_pkcs8_der(&contents(&sandbox, &key)).unwrap();
        let subject_key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
        let request = Request {
            subject: DistinguishedName::common_name_only("app.example.com"),
            names: vec![GeneralName::Dns("app.example.com".to_owned())],
            public_key: subject_key.public_key().clone(),
            key_identifier: None,
        };
        // The CA is of this second, so the leaf is not dated back.
        let mut validity = profile.validity(OffsetDateTime::now_utc(), None).unwrap();
        validity.not_before = certificate.validity().not_before;
        let issuer = Issuer::Authority { certificate: &certificate, key: &authority };
        let issued = issue(&profile, &request, &issuer, &SerialNumber::from_bits([0x5a; 16]), validity).unwrap();
        assert_eq!(issued.issuer().der(), certificate.subject().der(), "{subject}");
        sandbox.write(&leaf, pem::write("CERTIFICATE", issued.der()).as_bytes());

        let cases = ["app.example.com", "other.test"].map(|host| Case::new(&leaf, &root, host));
        for judge in Judge::here() {
            let judgments = judge.judge(&sandbox, &cases);
            assert!(judgments[0].accepted, "{judge:?}, {subject}: {}", judgments[0].said);
            assert_eq!(judgments[1].accepted, judge == Judge::Nss, "{judge:?}, {subject}: {}", judgments[1].said);
        }
    }
}

#[test]
fn python_finds_post_quantum_signatures_true_and_another_cas_false() {
    let Some(python) = post_quantum_python() else { return };
    let sandbox = issued(&[]);
    let folder = sandbox.path("pq");
    let folder = folder.to_str().unwrap();
    sandbox.certkit(&["ca", "init", "--ca", folder, "--type", "ml-dsa-65", "--name", "PQ CA"]).expect_code(0);
    for (out, kind) in [("pq.pem", "ml-dsa-44"), ("hybrid.pem", "p256")] {
        let args = ["ca", "issue", "localhost", "--ca", folder, "--type", kind, "--out", out];
        sandbox.certkit(&[&args[..], &["--keyout", &format!("{kind}-key.pem")]].concat()).expect_code(0);
        let roots = format!("{folder}/ca.pem");
        sandbox.certkit(&["verify", out, "--roots", &roots, "--host", "localhost"]).expect_code(0);
        sandbox.certkit(&["verify", out, "--roots", "ca.pem", "--host", "localhost"]).expect_code(1);
    }
    let script = "
import sys
from cryptography import x509
load = lambda file: x509.load_pem_x509_certificates(open(file, 'rb').read())[0]
for leaf, issuer in (('pq.pem', 'pq/ca.pem'), ('hybrid.pem', 'pq/ca.pem'), ('pq/ca.pem', 'pq/ca.pem'), ('pq.pem', 'twin.pem')):
    try:
        load(leaf).verify_directly_issued_by(load(issuer))
        print('true')
    except Exception as error:
        print(type(error).__name__)
";
    // A CA of the same name and type with another key.
    let twin = ["new", "--profile", "root-ca", "--cn", "PQ CA", "--type", "ml-dsa-65", "--out", "twin.pem"];
    sandbox.certkit(&twin).expect_code(0);
    let said = sandbox.peer(&python, &["-W", "ignore", "-c", script]).expect_code(0).stdout;
    assert_eq!(said, "true\ntrue\ntrue\nInvalidSignature\n");
}
