//! `certkit verify` with `--crl`, `--ocsp` and `--check-revocation`: answers, exit statuses, and what stands in the report.

use certkit::encoding::pem;
use certkit::x509::extension::CrlReason;
use certkit::x509::{Certificate, DistinguishedName};

use crate::support::forge::Hierarchy;
use crate::support::forge_crl::ForgeCrl;
use crate::support::forge_ocsp::ForgeOcsp;
use crate::support::scene::HOST;
use crate::support::{Ran, Sandbox};

/// A folder with `root.pem`, `chain.pem`, and of the intermediate: `good.crl` (PEM), `bad.crl` (DER, revokes the leaf),
/// `good.ocsp` (DER).
struct Folder {
    sandbox: Sandbox,
    hierarchy: Hierarchy,
    leaf: Certificate,
}

impl Folder {
    fn new() -> Self {
        let hierarchy = Hierarchy::new();
        let sandbox = Sandbox::new();
        let leaf = hierarchy.server(HOST).sign(&hierarchy.intermediate.key);
        let issuer = &hierarchy.intermediate;
        let text = |it: &Certificate| pem::write("CERTIFICATE", it.der()).to_string();
        sandbox.write("root.pem", text(&hierarchy.root.certificate));
        sandbox.write("chain.pem", text(&leaf) + &text(&issuer.certificate));
        sandbox.write("good.crl", block(&ForgeCrl::of(issuer).sign_der(&issuer.key)));
        let revoking = ForgeCrl::of(issuer).revoking(&leaf, Some(CrlReason::KeyCompromise));
        sandbox.write("bad.crl", revoking.sign_der(&issuer.key));
        sandbox.write("good.ocsp", ForgeOcsp::good(&leaf, issuer).sign_der(&issuer.key));
        Self { sandbox, hierarchy, leaf }
    }

    fn verify(&self, args: &[&str]) -> Ran {
        let fixed = ["verify", "chain.pem", "--host", HOST, "--at", "2026-11-23T12:00:00Z", "--roots", "root.pem"];
        self.sandbox.certkit(&[&fixed[..], args].concat())
    }
}

fn block(list: &[u8]) -> String {
    pem::write("X509 CRL", list).to_string()
}

#[test]
fn a_list_is_read_in_pem_and_der_and_told_with_its_times() {
    let folder = Folder::new();
    let ran = folder.verify(&["--crl", "good.crl"]).expect_code(0).says("[RFC 5280 §6.3.3; RFC 6960 §2.2]");
    ran.says(
        "not revoked, says the CRL of \"CN=Test Intermediate\" of 2026-11-22T12:00:00Z, which holds until 2026-12-02",
    );
    let ran = folder.verify(&["--crl", "bad.crl"]).expect_code(1).says("REJECTED");
    ran.says("the certificate is revoked since 2026-11-21T12:00:00Z (keyCompromise), says the CRL of").says("to do:");
}

#[test]
fn json_has_the_status_of_every_certificate_that_was_asked_about() {
    let folder = Folder::new();
    let told = folder.verify(&["--crl", "bad.crl", "--json"]).expect_code(1).json();
    let certificates = &told["paths"][0]["certificates"];
    let expected = serde_json::json!({
        "status": "revoked", "source": "CRL", "issuer": "CN=Test Intermediate",
        "this_update": "2026-11-22T12:00:00Z", "next_update": "2026-12-02T12:00:00Z",
        "revoked_since": "2026-11-21T12:00:00Z", "reason": "keyCompromise", "nonce": null,
    });
    assert_eq!(certificates[0]["revocation"], expected);
    assert_eq!(certificates[1]["revocation"]["status"], "unknown");
    assert!(certificates[2]["revocation"].is_null());
    let told = folder.verify(&["--ocsp", "good.ocsp", "--json"]).expect_code(0).json();
    assert_eq!(told["paths"][0]["certificates"][0]["revocation"]["source"], "OCSP response");
    let told = folder.verify(&["--json"]).expect_code(0).json();
    assert!(told["paths"][0]["certificates"][0]["revocation"].is_null());
}

#[test]
fn what_must_be_known_is_chosen() {
    let folder = Folder::new();
    for (args, code) in [
        (&["--check-revocation", "leaf"][..], 1),
        (&["--check-revocation", "none"], 0),
        (&["--crl", "good.crl"], 0),
        (&["--crl", "good.crl", "--check-revocation", "leaf"], 0),
        (&["--crl", "good.crl", "--check-revocation", "chain"], 1),
        (&["--ocsp", "good.ocsp", "--check-revocation", "leaf"], 0),
        (&["--ocsp", "good.ocsp", "--check-revocation", "chain"], 1),
        (&["--crl", "good.crl", "--check-revocation", "none"], 2),
        (&["--ocsp", "good.ocsp", "--check-revocation", "none"], 2),
        (&["--crl", "good.crl", "--rules"], 2),
    ] {
        folder.verify(args).expect_code(code);
    }
    let root = &folder.hierarchy.root;
    folder.sandbox.write("root.crl", block(&ForgeCrl::of(root).sign_der(&root.key)));
    folder.verify(&["--crl", "good.crl", "--crl", "root.crl", "--check-revocation", "chain"]).expect_code(0);
    let ran = folder.verify(&["--check-revocation", "leaf"]).says("its status is unknown");
    ran.says("give its issuer's revocation list with --crl");
}

#[test]
fn a_status_nobody_asked_for_is_a_warning_where_it_is_unknown() {
    let folder = Folder::new();
    let stranger = Hierarchy::new();
    let mut other = ForgeCrl::of(&stranger.root);
    other.issuer = DistinguishedName::common_name_only("Somebody Else");
    let other = other.sign_der(&stranger.root.key);
    folder.sandbox.write("other.crl", other);
    let ran = folder.verify(&["--crl", "other.crl"]).expect_code(0);
    ran.says("warning: no list or response given covers the certificate");
}

#[test]
fn what_is_there_and_does_not_parse_is_a_rejection() {
    let folder = Folder::new();
    let mut damaged = ForgeCrl::of(&folder.hierarchy.intermediate);
    damaged.this_update = certkit::encoding::der::tlv(0x17, b"2611231200Z");
    let damaged = damaged.sign_der(&folder.hierarchy.intermediate.key);
    let good = String::from_utf8(folder.sandbox.read("good.crl")).unwrap();
    folder.sandbox.write("damaged.crl", good.clone() + &block(&damaged));
    let ran = folder.verify(&["--crl", "damaged.crl"]).expect_code(1);
    ran.says("damaged.crl, block 2 (line ")
        .says("the revocation list is damaged: malformed revocation list: thisUpdate");
    folder.sandbox.write("damaged.der", &damaged);
    folder
        .verify(&["--crl", "damaged.der"])
        .expect_code(1)
        .says("damaged.der, block 1: the revocation list is damaged");
    folder.sandbox.write("cut.crl", good + "-----BEGIN X509 CRL-----\nMIIB\n");
    folder.verify(&["--crl", "cut.crl"]).expect_code(1).says("cut.crl, block 2 (line ");

    let mut response = folder.sandbox.read("good.ocsp");
    let at = response.windows(2).position(|pair| pair == [0x18, 0x0f]).unwrap();
    response[at + 2] = b'x';
    folder.sandbox.write("damaged.ocsp", response);
    let ran = folder.verify(&["--ocsp", "damaged.ocsp"]).expect_code(1);
    ran.says("the OCSP response is damaged: malformed OCSP response: producedAt");
    let batch = ["verify", "--batch", ".", "--no-host", "--roots", "root.pem", "--crl", "damaged.crl"];
    folder.sandbox.certkit(&batch).expect_code(2).complains("the revocation list is damaged");
}

#[test]
fn a_file_without_what_is_wanted_cannot_be_used() {
    let folder = Folder::new();
    folder.verify(&["--crl", "missing.crl"]).expect_code(2).complains("missing.crl");
    folder
        .verify(&["--crl", "root.pem"])
        .expect_code(2)
        .complains("it holds a certificate where a revocation list is due");
    folder.verify(&["--ocsp", "root.pem"]).expect_code(2).complains("no usable OCSP response in root.pem");
    folder.verify(&["--ocsp", "bad.crl"]).expect_code(2).complains("no usable OCSP response in bad.crl");
}

#[test]
fn a_response_in_pem_and_its_nonce_are_read() {
    let folder = Folder::new();
    let issuer = &folder.hierarchy.intermediate;
    let mut forge = ForgeOcsp::good(&folder.leaf, issuer);
    forge.extensions.push(certkit::x509::Extension {
        oid: certkit::x509::oids::OCSP_NONCE,
        critical: false,
        value: certkit::encoding::der::octet_string(&[0xab; 16]),
    });
    folder.sandbox.write("good.pem", pem::write("OCSP RESPONSE", &forge.sign_der(&issuer.key)).as_bytes());
    let told = folder.verify(&["--ocsp", "good.pem", "--check-revocation", "leaf", "--json"]).expect_code(0).json();
    assert_eq!(told["paths"][0]["certificates"][0]["revocation"]["nonce"], "ab".repeat(16));
}

#[test]
fn revoked_certificates_are_found_in_a_batch() {
    let folder = Folder::new();
    let fixed = ["verify", "--batch", "chain.pem", "--no-host", "--at", "2026-11-23T12:00:00Z", "--roots", "root.pem"];
    std::fs::create_dir(folder.sandbox.path("certs")).unwrap();
    folder.sandbox.write("certs/chain.pem", folder.sandbox.read("chain.pem"));
    let run =
        |list: &str| folder.sandbox.certkit(&[&["verify", "--batch", "certs"], &fixed[3..], &["--crl", list]].concat());
    run("good.crl").expect_code(0);
    run("bad.crl").expect_code(1).says("the certificate is revoked");
}
