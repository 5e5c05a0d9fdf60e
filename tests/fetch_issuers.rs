//! `certkit verify --fetch-issuers`: what is fetched, from whom, and that nothing is without being asked for.

use certkit::encoding::der::{self, tag};
use certkit::encoding::pem;
use certkit::key::{KeyAlgorithm, PrivateKey};
use certkit::x509::extension::{AccessDescription, AuthorityInfoAccess, CrlDistributionPoints, DistributionPoint};
use certkit::x509::{Certificate, DistinguishedName, GeneralName, oids};

use crate::support::background::free_port;
use crate::support::forge::{Forge, Hierarchy, Issuer};
use crate::support::scene::HOST;
use crate::support::tls_server::TlsServer;
use crate::support::web::{Page, Web};
use crate::support::{Ran, Sandbox, peer};

/// A leaf that says where its issuer is, and nothing else but the root.
struct Folder {
    sandbox: Sandbox,
    web: Web,
    hierarchy: Hierarchy,
}

impl Folder {
    fn new() -> Self {
        let (hierarchy, web) = (Hierarchy::new(), Web::new());
        let folder = Self { sandbox: Sandbox::new(), web, hierarchy };
        folder.put("root.pem", &[&folder.hierarchy.root.certificate]);
        folder.pointing(&folder.web.url("/int.crt"));
        folder
    }

    /// The leaf says that its issuer is at `url`.
    fn pointing(&self, url: &str) {
        let leaf = with_issuer_at(self.hierarchy.server(HOST), url).sign(&self.hierarchy.intermediate.key);
        self.put("leaf.pem", &[&leaf]);
    }

    fn put(&self, file: &str, certificates: &[&Certificate]) {
        let text: String = certificates.iter().map(|it| pem::write("CERTIFICATE", it.der()).to_string()).collect();
        self.sandbox.write(file, text);
    }

    fn serve(&self, content: impl Into<Vec<u8>>) {
        self.web.put("/int.crt", Page::Content(content.into()));
    }

    fn verify(&self, args: &[&str]) -> Ran {
        let fixed = ["verify", "leaf.pem", "--host", HOST, "--at", "2026-11-23T12:00:00Z", "--roots", "root.pem"];
        self.sandbox.certkit(&[&fixed[..], args].concat())
    }
}

fn with_issuer_at(mut certificate: Forge, url: &str) -> Forge {
    let location = GeneralName::Uri(url.to_owned());
    certificate.set(&AuthorityInfoAccess(vec![AccessDescription { method: oids::CA_ISSUERS, location }]), false);
    certificate
}

/// Certificates as a certs-only structure (RFC 5652 §5), as a `.p7c` is.
fn bag(certificates: &[&Certificate]) -> Vec<u8> {
    let certificates: Vec<u8> = certificates.iter().flat_map(|it| it.der().to_vec()).collect();
    let data = der::sequence(&[
        &der::unsigned(&[1]),
        &der::tlv(tag::SET, &[]),
        &der::sequence(&[&der::oid(&"1.2.840.113549.1.7.1".parse().unwrap())]),
        &der::tlv(tag::context_constructed(0), &certificates),
        &der::tlv(tag::SET, &[]),
    ]);
    let kind = der::oid(&"1.2.840.113549.1.7.2".parse().unwrap());
    der::sequence(&[&kind, &der::tlv(tag::context_constructed(0), &data)])
}

#[test]
fn nobody_is_asked_without_the_flags() {
    let folder = Folder::new();
    let mut leaf = with_issuer_at(folder.hierarchy.server(HOST), &folder.web.url("/int.crt"));
    let point = DistributionPoint::at_uri(&folder.web.url("/list.crl"));
    leaf.set(&CrlDistributionPoints(vec![point]), false);
    folder.put("leaf.pem", &[&leaf.sign(&folder.hierarchy.intermediate.key)]);
    folder.put("int.pem", &[&folder.hierarchy.intermediate.certificate]);
    folder.verify(&[]).expect_code(1).says("and --fetch-issuers fetches it");
    let whole = ["--intermediates", "int.pem", "--check-revocation", "chain", "--json"];
    folder.verify(&whole).expect_code(1).says("--fetch-revocation fetches what");
    folder.verify(&["--compat", "--all-paths"]).expect_code(1);
    folder.verify(&["--fetch-issuers", "--intermediates", "int.pem"]).expect_code(0).says("nothing was fetched");
    assert_eq!(folder.web.asked(), [""; 0]);
}

#[test]
fn a_missing_intermediate_is_fetched_and_told() {
    let folder = Folder::new();
    let intermediate = &folder.hierarchy.intermediate.certificate;
    folder.serve(intermediate.der());
    let ran = folder.verify(&["--fetch-issuers"]).expect_code(0).says("ACCEPTED").says("fetched:");
    ran.says(&format!("issuer for \"{HOST}\"")).says("the certificate of \"Test Intermediate\"");
    assert_eq!(folder.web.asked(), ["GET /int.crt"]);
    let told = folder.verify(&["--fetch-issuers", "--json"]).expect_code(0).json();
    let fetch = &told["fetches"][0];
    assert_eq!((&fetch["wanted"], &fetch["outcome"]), (&"issuer".into(), &"used".into()), "{told}");
    assert_eq!((&fetch["method"], &fetch["url"]), (&"GET".into(), &folder.web.url("/int.crt").into()));
    assert_eq!(fetch["octets"], intermediate.der().len());
}

#[test]
fn pkcs7_and_pem_hold_issuers_too() {
    let folder = Folder::new();
    let Hierarchy { root, intermediate, .. } = &folder.hierarchy;
    folder.serve(bag(&[&root.certificate, &intermediate.certificate]));
    folder.verify(&["--fetch-issuers"]).expect_code(0).says("the certificates of \"Test Root\", \"Test Intermediate\"");
    folder.serve(pem::write("CERTIFICATE", intermediate.certificate.der()).as_bytes());
    folder.verify(&["--fetch-issuers"]).expect_code(0);
    // As a file too; but which of several is to be judged, a set cannot say.
    folder.sandbox.write("int.p7c", bag(&[&intermediate.certificate, &root.certificate]));
    folder.verify(&["--intermediates", "int.p7c"]).expect_code(0);
    let judge = ["verify", "int.p7c", "--no-host", "--roots", "root.pem"];
    folder.sandbox.certkit(&judge).expect_code(2).complains("2 certificates in no order");
    if let Some(openssl) = peer("openssl") {
        folder.put("int.pem", &[&intermediate.certificate]);
        let make = ["crl2pkcs7", "-nocrl", "-certfile", "int.pem", "-outform", "DER", "-out", "int.p7c"];
        folder.sandbox.peer(&openssl, &make).expect_code(0);
        folder.serve(folder.sandbox.read("int.p7c"));
        folder.verify(&["--fetch-issuers"]).expect_code(0);
    }
}

#[test]
fn the_chain_is_followed_up_to_a_root() {
    let folder = Folder::new();
    let hierarchy = &folder.hierarchy;
    let key = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    let low = Forge::intermediate("Low", &key, &hierarchy.intermediate);
    let low = with_issuer_at(low, &folder.web.url("/up.crt")).sign(&hierarchy.intermediate.key);
    let low = Issuer { key, certificate: low };
    let leaf = with_issuer_at(Forge::server(HOST, &hierarchy.leaf_key, &low), &folder.web.url("/low.crt"));
    folder.put("leaf.pem", &[&leaf.sign(&low.key)]);
    folder.web.put("/low.crt", Page::Redirect("up/low.crt".to_owned()));
    folder.web.put("/up/low.crt", Page::Content(low.certificate.der().to_vec()));
    folder.web.put("/up.crt", Page::Content(hierarchy.intermediate.certificate.der().to_vec()));
    folder.verify(&["--fetch-issuers"]).expect_code(0).says("sent on to http://127.0.0.1:");
    assert_eq!(folder.web.asked(), ["GET /low.crt", "GET /up/low.crt", "GET /up.crt"]);
}

#[test]
fn what_is_no_issuer_is_refused_with_its_reason() {
    let folder = Folder::new();
    let stranger = Hierarchy::new();
    let intermediate = &folder.hierarchy.intermediate.certificate;
    let cut = intermediate.der()[..100].to_vec();
    let other = folder.hierarchy.root.certificate.der().to_vec();
    for (page, why) in [
        (Page::Status(404), "the server answers 404 Not Found"),
        (Page::Status(500), "the server answers 500"),
        (Page::Status(204), "the server answers 204"),
        (Page::Status(304), "the server answers 304"),
        (Page::Content(Vec::new()), "it is empty"),
        (Page::Content(b"<html>sign in</html>".to_vec()), "an HTML page"),
        (Page::Content(vec![0x30; 999]), "failed:"),
        (Page::Content(cut), "cut short"),
        (Page::Content(other), "it is \"CN=Test Root\", and not \"CN=Test Intermediate\""),
        (Page::Endless, "the answer is longer than 33554432 octets"),
        (Page::Redirect("/int.crt".to_owned()), "the server sends on more than 3 times"),
        (Page::Redirect("https://127.0.0.1/".to_owned()), "the server sends on to https://127.0.0.1/"),
        (Page::Redirect("file:///etc/passwd".to_owned()), "the server sends on to file:///etc/passwd"),
    ] {
        folder.web.put("/int.crt", page);
        let ran = folder.verify(&["--fetch-issuers", "--fetch-timeout", "30s"]).expect_code(1).says(why);
        ran.says(&format!("{} could not be had: ", folder.web.url("/int.crt")));
    }
    // Another key under the issuer's name is taken in, and does not verify.
    folder.serve(stranger.intermediate.certificate.der());
    folder.verify(&["--fetch-issuers"]).expect_code(1).says("NO  signature");
}

#[test]
fn a_slow_or_silent_server_is_left_in_time() {
    let folder = Folder::new();
    for page in [Page::Slow, Page::Silent] {
        folder.web.put("/int.crt", page);
        let ran = folder.verify(&["--fetch-issuers", "--fetch-timeout", "1s"]).expect_code(1);
        ran.says("there is no whole answer after 1 s");
    }
}

#[test]
fn what_is_not_http_is_not_fetched() {
    let folder = Folder::new();
    let closed = format!("http://127.0.0.1:{}/", free_port());
    for (url, why) in [
        ("https://127.0.0.1/int.crt", "not fetched: only http is fetched, not https"),
        ("ldap://127.0.0.1/cn=x?cACertificate", "not fetched: only http is fetched, not ldap"),
        ("file:///etc/passwd", "not fetched: only http is fetched, not file"),
        ("http://", "not fetched: the URL is malformed"),
        (&closed, "failed: the connection is refused"),
        ("http://no-such-host.invalid/", "failed: "),
    ] {
        folder.pointing(url);
        folder.verify(&["--fetch-issuers"]).expect_code(1).says(why);
    }
    assert_eq!(folder.web.asked(), [""; 0]);
}

#[test]
fn what_is_fetched_is_trusted_no_more() {
    let folder = Folder::new();
    let stranger = Hierarchy::new();
    let leaf = with_issuer_at(stranger.server(HOST), &folder.web.url("/int.crt"));
    folder.put("leaf.pem", &[&leaf.sign(&stranger.intermediate.key)]);
    folder.serve(bag(&[&stranger.intermediate.certificate, &stranger.root.certificate]));
    folder.verify(&["--fetch-issuers"]).expect_code(1).says("REJECTED");
}

#[test]
fn issuers_that_point_at_each_other_end_the_search() {
    let folder = Folder::new();
    let keys = [(); 2].map(|()| PrivateKey::generate(KeyAlgorithm::P256).unwrap());
    let names = ["Here", "There"].map(DistinguishedName::common_name_only);
    for (at, path) in [(0, "/here.crt"), (1, "/there.crt")] {
        let mut forge = Forge::root("", &keys[at]);
        (forge.subject, forge.issuer) = (names[at].clone(), names[1 - at].clone());
        let other = ["/there.crt", "/here.crt"][at];
        let certificate = with_issuer_at(forge, &folder.web.url(other)).sign(&keys[1 - at]);
        folder.web.put(path, Page::Content(certificate.der().to_vec()));
    }
    let mut leaf = with_issuer_at(folder.hierarchy.server(HOST), &folder.web.url("/here.crt"));
    leaf.issuer = names[0].clone();
    folder.put("leaf.pem", &[&leaf.sign(&keys[0])]);
    folder.verify(&["--fetch-issuers"]).expect_code(1).says("goes in circles");
    assert_eq!(folder.web.asked(), ["GET /here.crt", "GET /there.crt"]);
}

#[test]
fn a_chain_without_end_ends_at_the_limit() {
    let folder = Folder::new();
    let key = folder.hierarchy.leaf_key.clone();
    let name = |number: usize| DistinguishedName::common_name_only(&format!("Rung {number}"));
    for number in 0..40 {
        let mut forge = Forge::root("", &key);
        (forge.subject, forge.issuer) = (name(number), name(number + 1));
        let next = folder.web.url(&format!("/{}", number + 1));
        let certificate = with_issuer_at(forge, &next).sign(&key);
        folder.web.put(&format!("/{number}"), Page::Content(certificate.der().to_vec()));
    }
    let mut leaf = with_issuer_at(folder.hierarchy.server(HOST), &folder.web.url("/0"));
    leaf.issuer = name(0);
    folder.put("leaf.pem", &[&leaf.sign(&key)]);
    let ran = folder.verify(&["--fetch-issuers"]).expect_code(1);
    ran.says("not fetched: the limit of 32 fetches is reached");
    assert_eq!(folder.web.asked().len(), 32);
}

#[test]
fn a_flag_without_effect_is_an_error() {
    let folder = Folder::new();
    for args in [
        &["--fetch-timeout", "5s"][..],
        &["--fetch-timeout", "0s", "--fetch-issuers"],
        &["--fetch-revocation", "--check-revocation", "none"],
        &["--fetch-issuers", "--rules"],
        &["--fetch-issuers", "--batch"],
    ] {
        folder.verify(args).expect_code(2);
    }
    assert_eq!(folder.web.asked(), [""; 0]);
}

#[test]
fn what_a_live_server_leaves_out_is_fetched_too() {
    let folder = Folder::new();
    let intermediate = &folder.hierarchy.intermediate;
    folder.serve(intermediate.certificate.der());
    let leaf = with_issuer_at(folder.hierarchy.server("localhost"), &folder.web.url("/int.crt"));
    let server = TlsServer::new(vec![leaf.sign_der(&intermediate.key)], &folder.hierarchy.leaf_key);
    let target = format!("localhost:{}", server.start());
    let connect = |args: &[&str]| {
        let fixed = ["connect", &target, "--at", "2026-11-23T12:00:00Z", "--roots", "root.pem"];
        folder.sandbox.certkit(&[&fixed[..], args].concat())
    };
    connect(&[]).expect_code(1).says("and --fetch-issuers fetches it");
    connect(&["--fetch-issuers"]).expect_code(0).says("fetched:").says("ACCEPTED");
    let told = connect(&["--fetch-issuers", "--fetch-revocation", "--json"]).expect_code(0).json();
    assert_eq!(told["verdict"]["fetches"][0]["url"], folder.web.url("/int.crt"));
    // What has no effect is said before anybody is called.
    connect(&["--fetch-timeout", "3s"]).expect_code(2).complains("--fetch-timeout has no effect without");
    connect(&["--fetch-revocation", "--check-revocation", "none"]).expect_code(2).complains("has no effect with");
    let scan = folder.sandbox.certkit(&["connect", &target, "--scan", "--fetch-issuers"]);
    scan.expect_code(2).complains("'--scan' cannot be used with '--fetch-issuers'");
}
