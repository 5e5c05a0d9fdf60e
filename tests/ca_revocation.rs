//! `certkit ca revoke` and `certkit ca crl`.

use std::fs;

use certkit::encoding::pem;
use certkit::x509::CertificateRevocationList;

use crate::support::background::{comes_true, free_port};
use crate::support::{Sandbox, peer, python};

/// A sandbox with a CA that has issued certificates for these names.
fn with_certificates(names: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--name", "Test CA"]).expect_code(0);
    for name in names {
        sandbox.certkit(&["ca", "issue", name]).expect_code(0);
    }
    sandbox
}

fn serial(sandbox: &Sandbox, name: &str) -> String {
    let shown = sandbox.certkit(&["ca", "show", name, "--json"]).expect_code(0).json();
    shown["record"]["serial"].as_str().unwrap().to_owned()
}

fn list(sandbox: &Sandbox, file: &str) -> CertificateRevocationList {
    let blocks = pem::read(&sandbox.read(file));
    CertificateRevocationList::from_der(&blocks[0].as_ref().unwrap().contents).unwrap()
}

/// The serial numbers on a list.
fn listed(sandbox: &Sandbox, file: &str) -> Vec<String> {
    list(sandbox, file).entries().iter().map(|entry| entry.serial.to_string()).collect()
}

fn root(sandbox: &Sandbox) -> String {
    sandbox.ca().join("ca.pem").to_str().unwrap().to_owned()
}

#[test]
fn a_revoked_certificate_is_in_the_next_list_and_rejected_with_it() {
    let sandbox = with_certificates(&["a.test", "b.test"]);
    sandbox.certkit(&["ca", "crl"]).expect_code(0).says("0 certificates revoked");
    let revoke = ["ca", "revoke", "a.test", "--reason", "keyCompromise", "--invalid-since", "3d"];
    sandbox.certkit(&revoke).expect_code(0).says("keyCompromise").says("publish the next one");
    assert_eq!(listed(&sandbox, "crl.pem"), [""; 0]);
    // The list of this CA makes room for its next one.
    sandbox.certkit(&["ca", "crl"]).expect_code(0).says("1 certificate revoked");
    assert_eq!(listed(&sandbox, "crl.pem"), [serial(&sandbox, "a.test")]);
    let root = root(&sandbox);
    let verify = |name: &str| {
        let file = format!("{name}.pem");
        sandbox.certkit(&["verify", &file, "--host", name, "--roots", &root, "--crl", "crl.pem"])
    };
    verify("a.test").expect_code(1).says("revoked since").says("keyCompromise");
    verify("b.test").expect_code(0);
    let shown = sandbox.certkit(&["ca", "show", "a.test.pem", "--json"]).expect_code(0).json();
    assert_eq!(
        (shown["record"]["status"].as_str(), shown["record"]["reason"].as_str()),
        (Some("revoked"), Some("keyCompromise"))
    );
    assert_eq!(shown["history"].as_array().unwrap().len(), 1);
}

#[test]
fn a_certificate_is_revoked_once_and_the_second_time_is_said() {
    let sandbox = with_certificates(&["a.test"]);
    sandbox.certkit(&["ca", "revoke", "a.test"]).expect_code(0);
    let before = sandbox.certkit(&["ca", "show", "a.test", "--json"]).expect_code(0).stdout;
    let again = sandbox.certkit(&["ca", "revoke", "a.test", "--reason", "superseded"]).expect_code(1);
    again.says("already").says("nothing changed");
    assert_eq!(sandbox.certkit(&["ca", "show", "a.test", "--json"]).expect_code(0).stdout, before);
}

#[test]
fn a_name_of_several_certificates_revokes_none_and_lists_them() {
    let sandbox = with_certificates(&["a.test"]);
    sandbox.certkit(&["ca", "issue", "a.test", "--out", "b.pem"]).expect_code(0);
    let newer = serial(&sandbox, "a.test");
    let older = serial(&sandbox, "./a.test.pem");
    assert_ne!(newer, older);
    sandbox.certkit(&["ca", "revoke", "a.test"]).expect_code(2).complains(&newer).complains(&older);
    sandbox.certkit(&["ca", "revoke", "./a.test.pem"]).expect_code(0);
    // One is left that the name can mean.
    sandbox.certkit(&["ca", "revoke", "a.test"]).expect_code(0).says(&newer);
    sandbox.certkit(&["ca", "issue", "a.test", "--out", "c.pem"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "a.test", "--out", "d.pem"]).expect_code(0);
    let all = sandbox.certkit(&["ca", "revoke", "a.test", "--all", "--json"]).expect_code(0).json();
    assert_eq!(all["certificates"].as_array().unwrap().len(), 2);
    // A compromise is one of all that had the name, and of them those that are revoked for another reason are raised.
    let all = ["ca", "revoke", "a.test", "--all", "--reason", "keyCompromise", "--json"];
    let all = sandbox.certkit(&all).expect_code(0).json();
    assert_eq!(all["certificates"].as_array().unwrap().len(), 4);
}

#[test]
fn what_is_not_ours_or_makes_no_sense_revokes_nothing() {
    let sandbox = with_certificates(&["a.test"]);
    sandbox.certkit(&["new", "--cn", "own.test", "--out", "own.pem", "--keyout", "own-key.pem"]).expect_code(0);
    sandbox.certkit(&["ca", "revoke", "own.pem"]).expect_code(2).complains("has not issued");
    let own_root = root(&sandbox);
    let told = sandbox.certkit(&["ca", "revoke", &own_root]).expect_code(2).complains("is the CA's own certificate");
    let told = told.complains("take it out of the trust stores").complains("no list revokes it");
    assert!(!told.stderr.contains("has not issued"), "{told}");
    sandbox.certkit(&["ca", "revoke", "a.test", &own_root]).expect_code(2).complains("is the CA's own certificate");
    // All are found before any is touched.
    sandbox.certkit(&["ca", "revoke", "a.test", "nobody.test"]).expect_code(2).complains("nobody.test");
    sandbox.certkit(&["ca", "revoke", "a.test", "--reason", "removeFromCRL"]).expect_code(2).complains("--release");
    sandbox.certkit(&["ca", "revoke", "a.test", "--reason", "boredom"]).expect_code(2).complains("keyCompromise");
    sandbox.certkit(&["ca", "revoke", "a.test", "--at", "2999-01-01"]).expect_code(2).complains("to come");
    sandbox.certkit(&["ca", "revoke", "a.test", "--release", "--hold"]).expect_code(2);
    sandbox.certkit(&["ca", "revoke", "--release", "a.test"]).expect_code(1).says("not on hold");
    let listed = sandbox.certkit(&["ca", "list", "--revoked", "--json"]).expect_code(0).json();
    assert_eq!(listed["certificates"].as_array().unwrap().len(), 0);
}

#[test]
fn a_hold_is_lifted_and_the_next_delta_says_so() {
    let sandbox = with_certificates(&["a.test", "b.test"]);
    sandbox.certkit(&["ca", "crl", "--delta"]).expect_code(2).complains("complete list").complains("certkit ca crl");
    sandbox.certkit(&["ca", "revoke", "--hold", "a.test"]).expect_code(0).says("certificateHold");
    sandbox.certkit(&["ca", "crl"]).expect_code(0);
    let root = root(&sandbox);
    let verify = |name: &str, lists: &[&str]| {
        let file = format!("{name}.pem");
        let mut args = vec!["verify", &file, "--host", name, "--roots", &root];
        lists.iter().for_each(|list| args.extend(["--crl", list]));
        sandbox.certkit(&args).code
    };
    assert_eq!(verify("a.test", &["crl.pem"]), Some(1));
    sandbox.certkit(&["ca", "revoke", "--release", "a.test"]).expect_code(0).says("released");
    sandbox.certkit(&["ca", "revoke", "b.test"]).expect_code(0);
    let delta = sandbox.certkit(&["ca", "crl", "--delta", "--json"]).expect_code(0).json();
    assert_eq!(
        (delta["file"].as_str(), delta["base"].as_u64(), delta["entries"].as_u64()),
        (Some("delta-crl.pem"), Some(1), Some(2))
    );
    let both = ["crl.pem", "delta-crl.pem"];
    assert_eq!((verify("a.test", &both), verify("b.test", &both)), (Some(0), Some(1)));
    assert_eq!(verify("b.test", &["crl.pem"]), Some(0));
    let shown = sandbox.certkit(&["ca", "show", "a.test"]).expect_code(0).says("hold lifted");
    drop(shown);
    // A hold can become a revocation for good, which nothing lifts.
    sandbox.certkit(&["ca", "revoke", "--hold", "a.test"]).expect_code(0);
    sandbox.certkit(&["ca", "revoke", "a.test", "--reason", "superseded"]).expect_code(0);
    sandbox.certkit(&["ca", "revoke", "--release", "a.test"]).expect_code(1);
}

#[test]
fn numbers_rise_and_a_file_of_somebody_else_stays() {
    let sandbox = with_certificates(&["a.test"]);
    let number = |args: &[&str]| {
        let args = [&["ca", "crl", "--json"], args].concat();
        sandbox.certkit(&args).expect_code(0).json()["number"].as_u64().unwrap()
    };
    let numbers = [number(&[]), number(&["--delta"]), number(&[]), number(&["--out", "x.crl"])];
    assert!(numbers.is_sorted() && numbers.windows(2).all(|pair| pair[0] != pair[1]), "{numbers:?}");
    assert!(CertificateRevocationList::from_der(&sandbox.read("x.crl")).is_ok(), "RFC 2585 §3: .crl is DER");
    sandbox.write("mine.pem", "mine");
    sandbox.certkit(&["ca", "crl", "--out", "mine.pem"]).expect_code(2).complains("exists");
    // A delta does not take the place of a complete list.
    sandbox.certkit(&["ca", "crl", "--delta", "--out", "crl.pem"]).expect_code(2).complains("exists");
    sandbox.certkit(&["ca", "crl", "--out", "mine.pem", "--force"]).expect_code(0);
    assert_eq!(listed(&sandbox, "mine.pem"), [""; 0]);
}

#[test]
fn a_list_that_is_due_is_told() {
    let sandbox = with_certificates(&["a.test"]);
    let check = || sandbox.certkit(&["ca", "crl", "--check", "--json"]).code;
    assert_eq!(check(), Some(1));
    sandbox.certkit(&["ca", "crl"]).expect_code(0);
    assert_eq!(check(), Some(0));
    assert_eq!(sandbox.certkit(&["ca", "list"]).expect_code(0).stderr, "");
    sandbox.certkit(&["ca", "revoke", "a.test"]).expect_code(0);
    assert_eq!(check(), Some(1));
    sandbox.certkit(&["ca", "crl", "--delta"]).expect_code(0);
    assert_eq!(check(), Some(0), "the delta tells of it");
    sandbox.certkit(&["ca", "crl", "--check"]).expect_code(0).says("list 1 says all together with its delta, list 2");
    sandbox.certkit(&["ca", "crl", "--delta", "--next-update", "1s", "--force"]).expect_code(0);
    assert!(comes_true(|| check() == Some(1)), "it lapsed");
    sandbox.certkit(&["ca", "crl", "--next-update", "2s"]).expect_code(0);
    assert!(comes_true(|| check() == Some(1)));
    sandbox.certkit(&["ca", "list"]).expect_code(0).complains("lapsed").complains("certkit ca crl");
    sandbox.certkit(&["ca", "revoke", "a.test"]).expect_code(1).says("lapsed");
}

#[test]
fn every_list_that_clients_go_by_is_looked_at() {
    let sandbox = with_certificates(&["a.test"]);
    let url = "http://ca.test/a.crl";
    sandbox.certkit(&["ca", "crl", "--next-update", "2s"]).expect_code(0);
    sandbox.certkit(&["ca", "crl", "--url", url, "--out", "a.crl"]).expect_code(0);
    let check = |more: &[&str]| sandbox.certkit(&[&["ca", "crl", "--check"], more].concat());
    assert!(comes_true(|| check(&[]).stdout.contains("lapsed")));
    check(&[]).expect_code(1).says("due: list 1 lapsed").says(&format!("fine: list 2 for {url}"));
    check(&["--url", url]).expect_code(0).says("list 2");
    check(&["--url", ""]).expect_code(1).says("list 1");
    check(&["--url", "http://ca.test/b.crl"]).expect_code(1).says("never signed a list for");
    let told = check(&["--json"]).json();
    assert_eq!((told["list"]["number"].as_u64(), told["lists"][1]["url"].as_str()), (Some(1), Some(url)));
    sandbox.certkit(&["ca", "list"]).expect_code(0).complains("list 1 lapsed");
    sandbox.certkit(&["ca", "revoke", "a.test"]).expect_code(0).says("`certkit ca crl --url http://ca.test/a.crl`");
    // A delta brings nobody up to date whose complete list has lapsed.
    let delta = sandbox.certkit(&["ca", "crl", "--delta"]).expect_code(2);
    delta.complains("list 1, which the delta would build upon, lapsed").complains("sign one with: certkit ca crl");
    sandbox.certkit(&["ca", "crl", "--delta", "--url", url]).expect_code(0);
}

#[test]
fn a_list_is_never_from_before_the_last_one() {
    let sandbox = Sandbox::new();
    let now = time::OffsetDateTime::now_utc().unix_timestamp();
    let run_at = |days: i64, args: &[&str]| {
        let epoch = (now + days * 86_400).to_string();
        sandbox.command().args(args).env("SOURCE_DATE_EPOCH", &epoch).run()
    };
    let at = |days, more: &[&str]| run_at(days, &[&["ca", "crl"], more].concat());
    run_at(-30, &["ca", "init", "--name", "Test CA"]).expect_code(0);
    at(0, &[]).expect_code(0);
    let published = sandbox.read("crl.pem");
    at(-10, &[]).expect_code(2).complains("is the clock right?").complains("set the clock");
    at(-10, &["--delta"]).expect_code(2).complains("is the clock right?");
    assert_eq!(sandbox.read("crl.pem"), published);
    // The clock was ahead once, and nothing takes that list back.
    at(60, &[]).expect_code(0);
    at(0, &[]).expect_code(2);
    at(0, &["--force"]).expect_code(0).says("list 3");
    at(0, &[]).expect_code(0);
}

#[test]
fn nothing_is_revoked_before_it_was_there() {
    let sandbox = with_certificates(&["a.test"]);
    let refused = sandbox.certkit(&["ca", "revoke", "a.test", "--at", "2020-01-01"]).expect_code(2);
    refused.complains("was not there at 2020-01-01").complains("--invalid-since");
    // Where the clock was ahead when it was issued, it is revoked as of then.
    let ledger = rusqlite::Connection::open(sandbox.ca().join("ledger.db")).unwrap();
    let ahead = "DROP TRIGGER certificates_stay_the_same;
        UPDATE certificates SET issued_at = issued_at + 864000, not_before = not_before + 864000";
    ledger.execute_batch(ahead).unwrap();
    let revoked =
        sandbox.certkit(&["ca", "revoke", "a.test", "--json"]).expect_code(0).complains("is the clock right?");
    let at = revoked.json()["certificates"][0]["revoked_at"].as_str().unwrap().to_owned();
    let now = time::OffsetDateTime::now_utc().format(&time::format_description::well_known::Rfc3339).unwrap();
    assert!(at > now, "{at}");
}

#[test]
fn an_address_to_serve_on_has_a_port() {
    let sandbox = with_certificates(&[]);
    for command in ["crl", "ocsp"] {
        let refused = sandbox.certkit(&["ca", command, "--serve", "localhost"]).expect_code(2);
        refused.complains("cannot listen on localhost").complains("an address and a port are due");
    }
}

#[test]
fn a_list_for_an_address_counts_only_for_certificates_that_name_it() {
    let sandbox = with_certificates(&["bare.test"]);
    let profile = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/server.toml")).unwrap();
    sandbox.write("own.toml", format!("{profile}\ncrl = [\"http://ca.test/ca.crl\"]\n"));
    sandbox.certkit(&["ca", "issue", "named.test", "--profile", "./own.toml"]).expect_code(0);
    sandbox.certkit(&["ca", "revoke", "bare.test", "named.test"]).expect_code(0);
    for wrong in ["https://ca.test/x", "ca.test", "http://", "http://a b"] {
        sandbox.certkit(&["ca", "crl", "--url", wrong]).expect_code(2).complains("http://HOST/PATH");
    }
    sandbox.certkit(&["ca", "crl", "--url", "http://ca.test/ca.crl"]).expect_code(0).says("address");
    let root = root(&sandbox);
    let verify = |name: &str| {
        let file = format!("{name}.pem");
        sandbox.certkit(&["verify", &file, "--host", name, "--roots", &root, "--crl", "crl.pem"]).code
    };
    assert_eq!((verify("named.test"), verify("bare.test")), (Some(1), Some(0)));
}

#[test]
fn the_list_is_served_and_new_before_anybody_asks() {
    let sandbox = with_certificates(&["a.test"]);
    let Some(curl) = peer("curl") else { return };
    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let serve = sandbox.command().args(["ca", "crl", "--serve", &address, "--next-update", "4s", "--delta"]);
    let mut server = sandbox.start(serve);
    server.wait_for(port);
    let fetch = |args: &[&str], path: &str| {
        let url = format!("http://{address}{path}");
        sandbox.peer(&curl, &[&["-sS", "-f", &url], args].concat())
    };
    let number = || {
        let list = CertificateRevocationList::from_der(&fetch(&[], "/crl").expect_code(0).bytes).unwrap();
        (list.number().unwrap().unwrap().0, list.entries().len())
    };
    let (first, entries) = number();
    assert_eq!(entries, 0);
    let head = fetch(&["-I"], "/crl").expect_code(0).stdout.to_lowercase();
    assert!(
        head.contains("content-type: application/pkix-crl") && head.contains("cache-control: public, max-age="),
        "{head}"
    );
    let etag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().trim().to_owned();
    let known = fetch(&["-o", "/dev/null", "-w", "%{http_code}", "-H", &format!("If-None-Match: {etag}")], "/crl");
    assert_eq!(known.expect_code(0).stdout, "304");
    assert_eq!(fetch(&[], "/other").code, Some(22));
    // It comes after the list that it builds upon.
    assert!(comes_true(|| fetch(&[], "/delta").code == Some(0)));
    assert!(CertificateRevocationList::from_der(&fetch(&[], "/delta").expect_code(0).bytes).unwrap().is_delta());
    sandbox.certkit(&["ca", "revoke", "a.test"]).expect_code(0);
    assert!(comes_true(|| number().1 == 1), "what is revoked is listed before the next list is due");
    let (second, _) = number();
    assert!(second > first);
    let next_update = || {
        let list = CertificateRevocationList::from_der(&fetch(&[], "/crl").expect_code(0).bytes).unwrap();
        list.next_update().unwrap()
    };
    let lapses = next_update();
    assert!(comes_true(|| time::OffsetDateTime::now_utc() > lapses));
    assert!(next_update() > time::OffsetDateTime::now_utc(), "it was signed anew before it lapsed");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn with_deltas_a_revocation_is_told_by_the_delta_upon_the_list_that_clients_have() {
    let sandbox = with_certificates(&["a.test", "b.test"]);
    let (Some(curl), Some(openssl)) = (peer("curl"), peer("openssl")) else { return };
    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let start = |port| {
        let freshest = format!("http://{address}/delta");
        let serve = ["ca", "crl", "--serve", &address, "--delta", "--freshest", &freshest];
        let mut server = sandbox.start(sandbox.command().args(serve));
        server.wait_for(port);
        server
    };
    let server = start(port);
    let fetch = |path: &str| sandbox.peer(&curl, &["-sS", "-f", &format!("http://{address}{path}")]);
    let read = |path: &str| CertificateRevocationList::from_der(&fetch(path).bytes).ok();
    let number = |list: &CertificateRevocationList| list.number().unwrap().unwrap();
    let first = read("/delta").expect("there from the first request on");
    let complete = read("/crl").unwrap();
    assert!(first.this_update() > complete.this_update(), "RFC 5280 §5.2.3: at one time they would have one number");
    for (revoked, name) in ["a.test", "b.test"].iter().enumerate() {
        sandbox.certkit(&["ca", "revoke", name]).expect_code(0);
        assert!(comes_true(|| read("/delta").is_some_and(|delta| delta.entries().len() == revoked + 1)));
        let delta = read("/delta").unwrap();
        assert_eq!(read("/crl").unwrap().der(), complete.der(), "the complete list stays");
        assert_eq!(delta.base_number().unwrap().unwrap(), number(&complete));
        assert!(number(&delta) > number(&complete));
    }
    sandbox.write(
        "both.pem",
        [read("/crl"), read("/delta")]
            .map(|it| pem::write("X509 CRL", it.unwrap().der()))
            .map(|it| it.to_string())
            .concat(),
    );
    let lists = ["verify", "-crl_check", "-extended_crl", "-use_deltas", "-CRLfile", "both.pem", "-CAfile"];
    let judged = sandbox.peer(&openssl, &[&lists[..], &[&root(&sandbox), "a.test.pem"]].concat());
    judged.expect_code(2).complains("certificate revoked");
    let longest = |path: &str| {
        let head = sandbox.peer(&curl, &["-sS", "-I", &format!("http://{address}{path}")]).expect_code(0).stdout;
        let age = head.split("max-age=").nth(1).unwrap().split(',').next().unwrap().to_owned();
        age.parse::<u64>().unwrap()
    };
    assert!(longest("/crl") > 3600 && longest("/delta") <= 60);
    assert_eq!(server.stop(), Some(0));
    // The next server signs both at once, with one number; and without deltas the list itself is told of a revocation.
    let server = start(port);
    let (again, delta) = (read("/crl").unwrap(), read("/delta").unwrap());
    assert_eq!((again.this_update(), number(&again)), (delta.this_update(), number(&delta)));
    assert_eq!((delta.base_number().unwrap().unwrap(), delta.entries().len()), (number(&complete), 2));
    assert_eq!(server.stop(), Some(0));
    let mut server = sandbox.start(sandbox.command().args(["ca", "crl", "--serve", &address]));
    server.wait_for(port);
    assert!(longest("/crl") <= 60);
}

#[test]
fn the_list_is_taken_by_openssl_gnutls_and_python() {
    let sandbox = with_certificates(&["a.test", "b.test"]);
    sandbox
        .certkit(&["ca", "revoke", "a.test", "--reason", "affiliationChanged", "--invalid-since", "1d"])
        .expect_code(0);
    let root = root(&sandbox);
    for (key, options) in [("crl.pem", &[][..]), ("crl.der", &["--der"])] {
        sandbox.certkit(&[&["ca", "crl", "--out", key], options].concat()).expect_code(0);
    }
    if let Some(openssl) = peer("openssl") {
        let verify = |file: &str| {
            sandbox.peer(
                &openssl,
                &["verify", "-x509_strict", "-crl_check", "-CAfile", &root, "-CRLfile", "crl.pem", file],
            )
        };
        assert!(verify("a.test.pem").stderr.contains("certificate revoked"));
        verify("b.test.pem").expect_code(0);
        let shown =
            sandbox.peer(&openssl, &["crl", "-in", "crl.der", "-inform", "DER", "-CAfile", &root, "-text", "-noout"]);
        let shown = shown.expect_code(0).complains("verify OK");
        shown.says("Affiliation Changed").says("Invalidity Date").says("Authority Key Identifier");
    }
    if let Some(certtool) = peer("certtool") {
        let verify = ["--verify-crl", "--load-ca-certificate", &root, "--infile", "crl.pem"];
        sandbox.peer(&certtool, &verify).expect_code(0).says("Verified");
        let load = ["--verify", "--load-ca-certificate", &root, "--load-crl", "crl.pem", "--infile"];
        assert!(sandbox.peer(&certtool, &[&load[..], &["a.test.pem"]].concat()).stdout.contains("revoked"));
        sandbox.peer(&certtool, &[&load[..], &["b.test.pem"]].concat()).expect_code(0);
    }
    if let Some(python) = python() {
        let script = "import sys\nfrom cryptography import x509\nread = lambda name: open(name, 'rb').read()\n\
            crl = x509.load_der_x509_crl(read('crl.der'))\nca = x509.load_pem_x509_certificate(read(sys.argv[1]))\n\
            assert crl.is_signature_valid(ca.public_key())\nleaf = x509.load_pem_x509_certificate(read('a.test.pem'))\n\
            entry = crl.get_revoked_certificate_by_serial_number(leaf.serial_number)\n\
            print(entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.name, \
            crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number)";
        sandbox.peer(&python, &["-c", script, &root]).expect_code(0).says("affiliation_changed 2");
    }
}

#[test]
fn openssl_takes_the_delta_with_its_base() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = with_certificates(&["a.test", "b.test"]);
    sandbox.certkit(&["ca", "revoke", "--hold", "a.test"]).expect_code(0);
    sandbox.certkit(&["ca", "crl", "--freshest", "http://ca.test/delta.crl"]).expect_code(0);
    sandbox.certkit(&["ca", "revoke", "--release", "a.test"]).expect_code(0);
    sandbox.certkit(&["ca", "revoke", "b.test"]).expect_code(0);
    sandbox.certkit(&["ca", "crl", "--delta"]).expect_code(0);
    let both = [sandbox.read("crl.pem"), sandbox.read("delta-crl.pem")].concat();
    sandbox.write("both.pem", both);
    let root = root(&sandbox);
    let verify = |file: &str| {
        let lists =
            ["verify", "-crl_check", "-extended_crl", "-use_deltas", "-CRLfile", "both.pem", "-CAfile", &root, file];
        sandbox.peer(&openssl, &lists).code
    };
    assert_eq!((verify("a.test.pem"), verify("b.test.pem")), (Some(0), Some(2)));
}

#[test]
fn a_compromised_key_is_not_certified_again() {
    let sandbox = with_certificates(&["a.test", "b.test"]);
    let again = |name: &str, key: &str| sandbox.certkit(&["ca", "issue", name, "--key", key]);
    again("c.test", "a.test-key.pem").expect_code(0);
    let request = ["csr", "new", "d.test", "--key", "a.test-key.pem", "--out", "d.csr"];
    sandbox.certkit(&request).expect_code(0);
    sandbox.certkit(&["ca", "revoke", "b.test", "--reason", "superseded"]).expect_code(0);
    again("e.test", "b.test-key.pem").expect_code(0);
    sandbox.certkit(&["ca", "revoke", "a.test", "--reason", "keyCompromise"]).expect_code(0);
    again("f.test", "a.test-key.pem").expect_code(2).complains("its key is compromised").complains("leave --key out");
    sandbox.certkit(&["ca", "sign", "d.csr"]).expect_code(1).says("it needs a new key");
    sandbox.certkit(&["ca", "renew", "c.test"]).expect_code(2).complains("--rekey makes a new key");
    sandbox.certkit(&["ca", "renew", "c.test", "--rekey", "--keyout", "c-key.pem"]).expect_code(0);
    again("f.test", "c-key.pem").expect_code(0);
    // Nor by another authority of the CA.
    sandbox.certkit(&["ca", "intermediate", "web"]).expect_code(0);
    let by_web = ["ca", "issue", "g.test", "--issuer", "web", "--key", "a.test-key.pem"];
    sandbox.certkit(&by_web).expect_code(2).complains("its key is compromised");
}
