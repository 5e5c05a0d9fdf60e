//! `certkit verify --fetch-revocation`: lists and responses from a server, honest or not.

use std::net::{TcpListener, TcpStream};

use certkit::encoding::der;
use certkit::encoding::{base64, pem};
use certkit::key::{KeyAlgorithm, PrivateKey};
use certkit::x509::extension::{
    AccessDescription, AuthorityInfoAccess, CrlDistributionPoints, CrlReason, DistributionPoint, ExtendedKeyUsage,
    FreshestCrl, OcspNoCheck,
};
use certkit::x509::{Certificate, Extension, GeneralName, OcspRequest, oids};

use crate::support::background::free_port;
use crate::support::forge::{Hierarchy, Issuer};
use crate::support::forge_crl::ForgeCrl;
use crate::support::forge_ocsp::ForgeOcsp;
use crate::support::scene::HOST;
use crate::support::web::{Asked, Page, Web};
use crate::support::{Ran, Sandbox, peer};

/// A whole chain whose leaf says where its list (`/list.crl`) and its responder (`/ocsp`) are, as far as it is told to.
struct Folder {
    sandbox: Sandbox,
    web: Web,
    hierarchy: Hierarchy,
    leaf: Certificate,
}

impl Folder {
    fn new(list: bool, responder: bool) -> Self {
        let (sandbox, web, hierarchy) = (Sandbox::new(), Web::new(), Hierarchy::new());
        let mut leaf = hierarchy.server(HOST);
        if list {
            leaf.set(&CrlDistributionPoints(vec![DistributionPoint::at_uri(&web.url("/list.crl"))]), false);
        }
        if responder {
            let location = GeneralName::Uri(web.url("/ocsp"));
            leaf.set(&AuthorityInfoAccess(vec![AccessDescription { method: oids::OCSP, location }]), false);
        }
        let leaf = leaf.sign(&hierarchy.intermediate.key);
        let text = |it: &Certificate| pem::write("CERTIFICATE", it.der()).to_string();
        sandbox.write("chain.pem", text(&leaf) + &text(&hierarchy.intermediate.certificate));
        sandbox.write("root.pem", text(&hierarchy.root.certificate));
        Self { sandbox, web, hierarchy, leaf }
    }

    fn verify(&self, args: &[&str]) -> Ran {
        let fixed = ["verify", "chain.pem", "--host", HOST, "--at", "2026-11-23T12:00:00Z", "--roots", "root.pem"];
        self.sandbox.certkit(&[&fixed[..], &["--fetch-revocation"], args].concat())
    }

    fn list(&self) -> ForgeCrl {
        ForgeCrl::of(&self.hierarchy.intermediate)
    }

    fn serve_list(&self, list: &ForgeCrl) {
        self.web.put("/list.crl", Page::Content(list.sign_der(&self.hierarchy.intermediate.key)));
    }

    fn good(&self) -> ForgeOcsp {
        ForgeOcsp::good(&self.leaf, &self.hierarchy.intermediate)
    }

    /// A responder that answers every request that parses with `response`, with its nonce after `nonce`.
    fn respond(&self, response: ForgeOcsp, key: &PrivateKey, nonce: fn(Vec<u8>) -> Option<Vec<u8>>) {
        let key = key.clone();
        let answer = move |asked: &Asked| {
            let Some(request) = request(asked) else { return (400, Vec::new()) };
            let mut response = response.clone();
            if let Some(nonce) = request.nonce().and_then(|it| nonce(it.to_vec())) {
                let value = der::octet_string(&nonce);
                response.extensions.push(Extension { oid: oids::OCSP_NONCE, critical: false, value });
            }
            (200, response.sign_der(&key))
        };
        self.web.put("/ocsp", Page::Answer(Box::new(answer)));
    }
}

/// The request of a POST or GET (RFC 6960 appendix A.1).
fn request(asked: &Asked) -> Option<OcspRequest> {
    let encoded = || {
        let text = asked.path.rsplit('/').next()?;
        base64::decode(&text.replace("%2B", "+").replace("%2F", "/").replace("%3D", "="))
    };
    let body = if asked.method == "POST" { asked.body.clone() } else { encoded()? };
    OcspRequest::from_der(&body).ok()
}

const LEAF: [&str; 2] = ["--check-revocation", "leaf"];

#[test]
fn a_list_is_fetched_and_decides() {
    let folder = Folder::new(true, false);
    folder.serve_list(&folder.list());
    let ran = folder.verify(&LEAF).expect_code(0).says("not revoked, says the CRL of \"CN=Test Intermediate\"");
    ran.says(&format!("revocation list for \"{HOST}\"")).says("the list of \"CN=Test Intermediate\" of 2026-11-22");
    folder.serve_list(&folder.list().revoking(&folder.leaf, Some(CrlReason::KeyCompromise)));
    folder.verify(&LEAF).expect_code(1).says("the certificate is revoked since");
    folder.verify(&[]).expect_code(1).says("the certificate is revoked since");
    folder.serve_list(&folder.list().dated(-9, -1));
    folder.verify(&LEAF).expect_code(1).says("is out of date");
    let forged = folder.list().sign_der(&folder.hierarchy.leaf_key);
    folder.web.put("/list.crl", Page::Content(forged));
    folder.verify(&LEAF).expect_code(1).says("was not signed by any key of that name");
}

#[test]
fn what_could_not_be_had_leaves_the_status_unknown_and_says_why() {
    let folder = Folder::new(true, false);
    let place = folder.web.url("/list.crl");
    for (page, why) in [
        (Page::Status(404), "404 Not Found"),
        (Page::Content(b"nothing".to_vec()), "text without a BEGIN line"),
        (Page::Content(folder.leaf.der().to_vec()), "it holds a certificate where a revocation list is due"),
        (Page::Endless, "the answer is longer than 33554432 octets"),
    ] {
        folder.web.put("/list.crl", page);
        let told = folder.verify(&[&LEAF[..], &["--fetch-timeout", "30s", "--json"]].concat()).expect_code(1).json();
        let reason = told["reasons"][0]["detail"].as_str().unwrap();
        assert!(reason.contains("its status is unknown"), "{told}");
        assert!(reason.contains(&format!("{place} could not be had: ")) && reason.contains(why), "{told}");
        assert_eq!(told["fetches"][0]["outcome"], "failed");
        // Where nothing has to be known it is a warning.
        folder.verify(&["--fetch-timeout", "30s"]).expect_code(0).says("could not be had");
    }
}

#[test]
fn a_list_of_changes_is_fetched_from_where_its_base_says() {
    let folder = Folder::new(true, false);
    let mut base = folder.list();
    base.set(&FreshestCrl(vec![DistributionPoint::at_uri(&folder.web.url("/delta.crl"))]), false);
    folder.serve_list(&base);
    let key = &folder.hierarchy.intermediate.key;
    // Without it the base holds.
    folder.verify(&LEAF).expect_code(0).says("delta list for");
    let delta = folder.list().numbered(8).since(7).revoking(&folder.leaf, Some(CrlReason::Superseded));
    folder.web.put("/delta.crl", Page::Content(delta.sign_der(key)));
    folder.verify(&LEAF).expect_code(1).says("(superseded), says the delta CRL of");
    let calm = folder.list().numbered(8).since(7).sign_der(key);
    folder.web.put("/delta.crl", Page::Content(calm));
    folder.verify(&LEAF).expect_code(0).says("not revoked, says the delta CRL of");
}

#[test]
fn a_responder_is_asked_with_a_nonce() {
    let folder = Folder::new(false, true);
    let key = &folder.hierarchy.intermediate.key;
    folder.respond(folder.good(), key, Some);
    folder.verify(&LEAF).expect_code(0).says("POST http://127.0.0.1:").says("with our nonce");
    assert_eq!(folder.web.asked(), ["POST /ocsp"]);
    folder.respond(folder.good(), key, |_| None);
    folder.verify(&LEAF).expect_code(0).says("without our nonce");
    folder.respond(ForgeOcsp::revoked(&folder.leaf, &folder.hierarchy.intermediate), key, Some);
    folder.verify(&LEAF).expect_code(1).says("the certificate is revoked since");
    folder.respond(ForgeOcsp::unknown(&folder.leaf, &folder.hierarchy.intermediate), key, Some);
    folder.verify(&LEAF).expect_code(1).says("the responder does not know the certificate");
    folder.respond(folder.good(), &folder.hierarchy.leaf_key, Some);
    folder.verify(&LEAF).expect_code(1).says("was not signed by the responder's key");
    folder.respond(folder.good(), key, |_| Some(vec![7; 32]));
    let ran = folder.verify(&LEAF).expect_code(1).says("its nonce is not the one asked with");
    ran.says("its status is unknown");
}

#[test]
fn a_responder_that_declines_is_asked_once_more_without_a_nonce() {
    let folder = Folder::new(false, true);
    let key = folder.hierarchy.intermediate.key.clone();
    let declined = ForgeOcsp { response_status: 6, ..folder.good() }.sign_der(&key);
    folder.web.put("/ocsp", Page::Content(declined.clone()));
    folder.verify(&LEAF).expect_code(1).says("the responder declines: unauthorized").says("its status is unknown");
    let good = folder.good();
    let answer = move |asked: &Asked| match request(asked) {
        Some(request) if request.nonce().is_none() => (200, good.sign_der(&key)),
        _ => (200, declined.clone()),
    };
    folder.web.put("/ocsp", Page::Answer(Box::new(answer)));
    folder.verify(&LEAF).expect_code(0).says("GET http://127.0.0.1:");
}

#[test]
fn an_answer_about_another_certificate_is_none() {
    let folder = Folder::new(false, true);
    let other = folder.hierarchy.intermediate.certificate.clone();
    let about_other = ForgeOcsp::good(&other, &folder.hierarchy.root);
    folder.respond(about_other, &folder.hierarchy.intermediate.key, Some);
    folder.verify(&LEAF).expect_code(1).says("it says nothing about this certificate");
}

#[test]
fn a_list_answers_where_the_responder_does_not() {
    let folder = Folder::new(true, true);
    folder.serve_list(&folder.list());
    folder.verify(&LEAF).expect_code(0).says("failed:").says("says the CRL of");
    folder.respond(folder.good(), &folder.hierarchy.intermediate.key, Some);
    let before = folder.web.asked().len();
    folder.verify(&LEAF).expect_code(0).says("says the OCSP response of");
    assert_eq!(folder.web.asked()[before..], ["POST /ocsp"], "one source is enough");
}

#[test]
fn only_certificates_with_a_path_to_a_root_say_where_to_ask() {
    let folder = Folder::new(true, true);
    let stranger = Hierarchy::new();
    folder.sandbox.write("root.pem", pem::write("CERTIFICATE", stranger.root.certificate.der()).as_bytes());
    folder.verify(&LEAF).expect_code(1).says("nothing was fetched");
    assert_eq!(folder.web.asked(), [""; 0]);
}

#[test]
fn a_responder_of_ones_own_is_named_by_its_certificate() {
    let folder = Folder::new(false, true);
    // Nobody whom the chain knows issued it.
    let stranger = Hierarchy::new();
    let mut own = stranger.server("ocsp.example.com");
    own.set(&ExtendedKeyUsage(vec![oids::OCSP_SIGNING]), false);
    own.set(&OcspNoCheck, false);
    let own = Issuer { certificate: own.sign(&stranger.intermediate.key), key: stranger.leaf_key.clone() };
    folder.respond(folder.good().by(&own), &own.key, Some);
    folder.verify(&LEAF).expect_code(1).says("whose certificate is not from the issuer").says("--ocsp-responder");
    folder.sandbox.write("own.pem", pem::write("CERTIFICATE", own.certificate.der()).as_bytes());
    let trusting = [&LEAF[..], &["--ocsp-responder", "own.pem"]].concat();
    folder.verify(&trusting).expect_code(0).says("not revoked, says the OCSP response of \"CN=ocsp.example.com\"");
    // Nobody else is in its name.
    folder.respond(folder.good().by(&own), &PrivateKey::generate(KeyAlgorithm::P256).unwrap(), Some);
    folder.verify(&trusting).expect_code(1).says("was not signed by the responder's key");
}

/// What verify says of `name`, issued by the CA of the sandbox with these locations, before and after it is revoked.
struct Live {
    sandbox: Sandbox,
}

impl Live {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        sandbox.certkit(&["ca", "init", "--name", "Live CA"]).expect_code(0);
        Self { sandbox }
    }

    fn root(&self) -> String {
        self.sandbox.ca().join("ca.pem").to_str().unwrap().to_owned()
    }

    fn issue(&self, name: &str, locations: &str) {
        let profile = format!("{}\n{locations}\n", include_str!("../templates/server.toml"));
        self.sandbox.write("own.toml", profile);
        self.sandbox.certkit(&["ca", "issue", name, "--profile", "own.toml"]).expect_code(0);
    }

    fn verify(&self, name: &str) -> Ran {
        let (pem, root) = (format!("{name}.pem"), self.root());
        let fixed = ["verify", &pem, "--host", name, "--roots", &root];
        self.sandbox.certkit(&[&fixed[..], &["--fetch-revocation", "--check-revocation", "leaf"]].concat())
    }
}

#[test]
fn a_live_authority_is_asked_about_its_certificates() {
    let live = Live::new();
    let (lists, responses) = (free_port(), free_port());
    let start = |args: &[&str], port: u16| {
        let address = format!("127.0.0.1:{port}");
        let mut server = live.sandbox.start(live.sandbox.command().args(args).arg(address));
        server.wait_for(port);
        server
    };
    let _servers = [start(&["ca", "crl", "--serve"], lists), start(&["ca", "ocsp", "--serve"], responses)];
    for (name, locations, source) in [
        ("list.test", format!("crl = [\"http://127.0.0.1:{lists}/ca.crl\"]"), "the CRL of"),
        ("ocsp.test", format!("ocsp = [\"http://127.0.0.1:{responses}/\"]"), "the OCSP response of"),
    ] {
        live.issue(name, &locations);
        live.verify(name).expect_code(0).says(&format!("not revoked, says {source}"));
        live.sandbox.certkit(&["ca", "revoke", name, "--reason", "superseded"]).expect_code(0);
        // The servers look at the ledger every second.
        let mut told = live.verify(name);
        for _ in 0..100 {
            if told.code == Some(1) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
            told = live.verify(name);
        }
        told.expect_code(1).says("the certificate is revoked since").says("(superseded)");
    }
}

#[test]
fn an_answer_that_is_signed_after_the_question_is_not_from_the_future() {
    let live = Live::new();
    let (listener, responses) = (TcpListener::bind("127.0.0.1:0").unwrap(), free_port());
    live.issue("late.test", &format!("ocsp = [\"http://{}/\"]", listener.local_addr().unwrap()));
    let address = format!("127.0.0.1:{responses}");
    let mut server = live.sandbox.start(live.sandbox.command().args(["ca", "ocsp", "--serve", &address]));
    server.wait_for(responses);
    // Between the two it takes longer than the second in which certkit began.
    std::thread::spawn(move || {
        let (mut near, _) = listener.accept().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(1200));
        let mut far = TcpStream::connect(address).unwrap();
        let (mut question, mut onward) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut question, &mut onward));
        _ = std::io::copy(&mut far, &mut near);
    });
    live.verify("late.test").expect_code(0).says("not revoked, says the OCSP response of");
}

#[test]
fn the_responder_of_openssl_is_asked() {
    let Some(openssl) = peer("openssl") else { return };
    let live = Live::new();
    let port = free_port();
    for name in ["good.test", "bad.test", "strange.test"] {
        live.issue(name, &format!("ocsp = [\"http://127.0.0.1:{port}\"]"));
    }
    let serial = |name: &str| {
        let told = live.sandbox.certkit(&["inspect", &format!("{name}.pem"), "--json"]).expect_code(0).json();
        told[0]["blocks"][0]["serial"].as_str().unwrap().to_uppercase()
    };
    let rows = [
        format!("V\t991231235959Z\t\t{}\tunknown\t/CN=good.test\n", serial("good.test")),
        format!("R\t991231235959Z\t260101000000Z,keyCompromise\t{}\tunknown\t/CN=bad.test\n", serial("bad.test")),
    ];
    live.sandbox.write("index.txt", rows.concat());
    let (root, key) = (live.root(), live.sandbox.ca().join("ca-key.pem").to_str().unwrap().to_owned());
    let port_text = port.to_string();
    let serve = ["ocsp", "-index", "index.txt", "-port", &port_text, "-CA", &root, "-rsigner", &root, "-rkey", &key];
    let server = live.sandbox.program(&openssl.path).args(serve).args(["-ndays", "1", "-ignore_err"]);
    let server = live.sandbox.start(server);
    // It must not be connected to just to see whether it is there.
    for _ in 0..600 {
        if server.said().contains("waiting for OCSP client connections") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    live.verify("good.test").expect_code(0).says("with our nonce").says("not revoked, says the OCSP response");
    live.verify("bad.test").expect_code(1).says("revoked since 2026-01-01T00:00:00Z (keyCompromise)");
    live.verify("strange.test").expect_code(1).says("the responder does not know the certificate");
}
