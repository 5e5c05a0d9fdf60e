//! `certkit ca import` of a CA that has published revocation lists.

use std::fs;

use certkit::encoding::der::{self, tag};
use certkit::key::{KeyAlgorithm, PrivateKey};
use certkit::x509::extension::{CrlNumber, CrlReason, IssuingDistributionPoint};
use certkit::x509::{Certificate, Extension, oids};

use crate::ca_import::laid_out_as_step;
use crate::support::forge::Hierarchy;
use crate::support::forge_crl::{Entry, ForgeCrl};
use crate::support::{Peer, Ran, Sandbox, peer};

/// A CA of `openssl ca` in `old`, which has issued to good.test, plain.test, lost.test and held.test, and revoked the last
/// three. Its list is number 0x41 and in `old/crl.pem`.
struct Openssl {
    sandbox: Sandbox,
    openssl: Peer,
    /// The serial numbers of plain.test, lost.test and held.test as openssl writes them.
    revoked: Vec<String>,
}

const CONFIG: &str = "[ca]\ndefault_ca = x\n[x]\ndatabase = old/index.txt\nnew_certs_dir = old/newcerts\n\
     serial = old/serial\ncrlnumber = old/crlnumber\ndefault_md = sha256\ndefault_days = 90\ndefault_crl_days = 9\n\
     crl_extensions = e\npolicy = p\nunique_subject = no\ncertificate = old/cacert.pem\nprivate_key = old/private/cakey.pem\n\
     [e]\nauthorityKeyIdentifier = keyid\n[p]\ncommonName = supplied\n";

impl Openssl {
    fn new() -> Option<Self> {
        let openssl = peer("openssl")?;
        let sandbox = Sandbox::new();
        for folder in ["old/private", "old/newcerts"] {
            fs::create_dir_all(sandbox.path(folder)).unwrap();
        }
        sandbox.write("ca.cnf", CONFIG);
        sandbox.write("old/index.txt", "");
        sandbox.write("old/serial", "1001\n");
        sandbox.write("old/crlnumber", "41\n");
        let root = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1000", "-subj", "/O=Old/CN=Old CA"];
        let files = ["-keyout", "old/private/cakey.pem", "-out", "old/cacert.pem"];
        let usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];
        sandbox.peer(&openssl, &[&root[..], &files, &usage].concat()).expect_code(0);
        let made = Self { sandbox, openssl, revoked: vec!["1002".into(), "1003".into(), "1004".into()] };
        for name in ["good.test", "plain.test", "lost.test", "held.test"] {
            let request =
                ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "l.key", "-out", "l.csr", "-subj"];
            made.peer(&[&request[..], &[&format!("/CN={name}")]].concat());
            made.ca(&["-batch", "-in", "l.csr", "-out", "l.pem"]);
        }
        made.ca(&["-revoke", "old/newcerts/1002.pem", "-crl_reason", "superseded"]);
        made.ca(&["-revoke", "old/newcerts/1003.pem", "-crl_compromise", "20260102030405Z"]);
        made.ca(&["-revoke", "old/newcerts/1004.pem", "-crl_hold", "holdInstructionReject"]);
        made.ca(&["-gencrl", "-out", "old/crl.pem"]);
        Some(made)
    }

    fn peer(&self, args: &[&str]) -> Ran {
        self.sandbox.peer(&self.openssl, args).expect_code(0)
    }

    fn ca(&self, args: &[&str]) {
        self.peer(&[&["ca", "-config", "ca.cnf"], args].concat());
    }

    /// Imports certificate and key alone.
    fn import_files(&self, more: &[&str]) -> Ran {
        let files = ["ca", "import", "--cert", "old/cacert.pem", "--key", "old/private/cakey.pem"];
        self.sandbox.certkit(&[&files[..], more].concat())
    }

    /// Imports the folder.
    fn import_folder(&self, more: &[&str]) -> Ran {
        self.sandbox.certkit(&[&["ca", "import", "old"], more].concat())
    }

    fn is_untouched(&self) {
        assert!(!self.sandbox.ca().exists(), "nothing is recorded");
    }

    /// What openssl reads in the list that is made now, which has to bear the CA's signature.
    fn new_list(&self) -> String {
        self.sandbox.certkit(&["ca", "crl", "--out", "new.crl", "--force"]).expect_code(0);
        let checked =
            self.peer(&["crl", "-in", "new.crl", "-noout", "-text", "-crlnumber", "-CAfile", "old/cacert.pem"]);
        checked.complains("verify OK").stdout
    }

    /// The serial numbers on it.
    fn listed(&self) -> Vec<String> {
        let text = self.new_list();
        let serials = text.lines().filter_map(|line| line.trim().strip_prefix("Serial Number:"));
        serials.map(|serial| serial.trim().to_owned()).collect()
    }

    /// Takes the lines of these serial numbers out of the index, or changes them.
    fn edit_index(&self, change: impl Fn(&str) -> Option<String>) {
        let index = String::from_utf8(self.sandbox.read("old/index.txt")).unwrap();
        let lines: Vec<String> = index.lines().filter_map(change).collect();
        self.sandbox.write("old/index.txt", lines.join("\n") + "\n");
    }
}

#[test]
fn a_published_list_is_taken_over_with_its_reasons_dates_and_number() {
    let Some(old) = Openssl::new() else { return };
    old.peer(&["crl", "-in", "old/crl.pem", "-outform", "DER", "-out", "old.crl"]);
    for (list, ca) in [("old/crl.pem", "pem"), ("old.crl", "der")] {
        let more = ["--issued", "old/newcerts", "--crl", list, "--ca", ca, "--json"];
        let imported = old.import_files(&more).expect_code(0).json();
        assert_eq!(imported["issued"]["recorded"], 4);
        assert_eq!(imported["revoked"], 3);
        assert_eq!(imported["lists"], serde_json::json!([list]));
        assert_eq!((&imported["only_listed"], &imported["dropped"]), (&serde_json::json!([]), &serde_json::json!([])));
        old.sandbox.certkit(&["ca", "check", "--ca", ca]).expect_code(0);
    }
    old.import_files(&["--issued", "old/newcerts", "--crl", "old/crl.pem"]).expect_code(0).says("old/crl.pem");
    let text = old.new_list();
    assert_eq!(old.listed(), old.revoked);
    for told in ["crlNumber=0x42", "Superseded", "Key Compromise", "Jan  2 03:04:05 2026 GMT", "Certificate Hold"] {
        assert!(text.contains(told), "{told}: {text}");
    }
    // A hold is one that can be lifted.
    old.sandbox.certkit(&["ca", "revoke", "--release", "held.test"]).expect_code(0);
    assert_eq!(old.listed(), old.revoked[..2]);
    old.sandbox.certkit(&["ca", "revoke", "--release", "plain.test"]).expect_code(1);
}

#[test]
fn the_list_beside_is_taken_where_the_index_says_less_and_that_is_told() {
    let Some(old) = Openssl::new() else { return };
    // They agree. That the list is given too changes nothing.
    let given = ["--crl", "./old/crl.pem", "--ca", "agreeing", "--json"];
    let imported = old.import_folder(&given).expect_code(0).json();
    assert_eq!(imported["lists"].as_array().unwrap().len(), 1);
    assert_eq!((&imported["revoked"], &imported["only_listed"]), (&3.into(), &serde_json::json!([])));
    // One is valid in the index, and another is not in it.
    old.edit_index(|line| {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields[3] {
            "1002" => Some(format!("V\t{}\t\t1002\tunknown\t/CN=plain.test", fields[1])),
            "1003" => None,
            _ => Some(line.to_owned()),
        }
    });
    let imported = old.import_folder(&["--ca", "differing", "--json"]).expect_code(0).json();
    assert_eq!(imported["revoked"], 3);
    assert_eq!(imported["only_listed"], serde_json::json!(["1002", "1003"]));
    old.import_folder(&[]).expect_code(0).says("differs:").says("1002, 1003");
    assert_eq!(old.listed(), old.revoked);
    // The index may know more than the last list.
    let sandbox = &old.sandbox;
    old.ca(&["-revoke", "old/newcerts/1001.pem"]);
    let imported = old.import_folder(&["--ca", "later", "--json"]).expect_code(0).json();
    assert_eq!(imported["revoked"], 4);
    sandbox.certkit(&["ca", "check", "--ca", "later"]).expect_code(0);
}

#[test]
fn a_compromise_that_the_index_alone_tells_of_counts() {
    let Some(old) = Openssl::new() else { return };
    old.edit_index(|line| Some(line.replace(",superseded", ",keyCompromise")));
    let imported = old.import_folder(&["--json"]).expect_code(0).json();
    assert_eq!(imported["revoked"], 3);
    assert!(!old.new_list().contains("Superseded"));
    old.sandbox.certkit(&["ca", "check"]).expect_code(0);
}

#[test]
fn a_revocation_whose_certificate_is_lost_is_not_forgotten() {
    let Some(old) = Openssl::new() else { return };
    // The index forgets it too: only the list knows.
    fs::rename(old.sandbox.path("old/newcerts/1003.pem"), old.sandbox.path("found.pem")).unwrap();
    old.edit_index(|line| (!line.contains("\t1003\t")).then(|| line.to_owned()));
    let refused = |ran: Ran| {
        ran.expect_code(2).complains("1003").complains("crl.pem").complains("--issued").complains("--drop-revocations");
        old.is_untouched();
    };
    refused(old.import_folder(&[]));
    refused(old.import_files(&["--issued", "old/newcerts", "--crl", "old/crl.pem"]));
    let dropped = old.import_folder(&["--ca", "less", "--drop-revocations", "--json"]).expect_code(0).json();
    assert_eq!((&dropped["dropped"], &dropped["revoked"]), (&serde_json::json!(["1003"]), &2.into()));
    // It has expired, says the index: no list needs it.
    let index = String::from_utf8(old.sandbox.read("old/index.txt")).unwrap();
    old.sandbox.write("old/index.txt", format!("{index}V\t200101000000Z\t\t1003\tunknown\t/CN=lost.test\n"));
    let expired = old.import_folder(&["--ca", "expired", "--json"]).expect_code(0).json();
    assert_eq!((&expired["dropped"], &expired["revoked"]), (&serde_json::json!([]), &2.into()));
    old.sandbox.write("old/index.txt", index);
    old.import_folder(&["--issued", "found.pem"]).expect_code(0);
    assert_eq!(old.listed(), old.revoked);
}

#[test]
fn what_is_no_list_of_this_ca_is_refused_before_anything_is_recorded() {
    let Some(old) = Openssl::new() else { return };
    let sandbox = &old.sandbox;
    for (ca, name) in [("other", "Other CA"), ("namesake", "Old CA")] {
        let subject = format!("/O=Old/CN={name}");
        let request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", &subject, "-keyout", "k.pem", "-out"];
        old.peer(&[&request[..], &["c.pem"]].concat());
        sandbox.certkit(&["ca", "import", "c.pem", "--key", "k.pem", "--ca", ca]).expect_code(0);
        sandbox.certkit(&["ca", "crl", "--ca", ca, "--out", &format!("{ca}.crl")]).expect_code(0);
    }
    let whole = sandbox.read("old/crl.pem");
    sandbox.write("cut.pem", &whole[..whole.len() / 2]);
    old.peer(&["crl", "-in", "old/crl.pem", "-outform", "DER", "-out", "whole.crl"]);
    let mut whole = sandbox.read("whole.crl");
    sandbox.write("cut.crl", &whole[..whole.len() - 9]);
    // An entry of 1002 becomes one of 1001.
    let serial = whole.windows(4).position(|octets| octets == [2, 2, 0x10, 2]).unwrap();
    whole[serial + 3] = 1;
    sandbox.write("changed.crl", &whole);
    for (file, told) in [
        ("other.crl", "a revocation list of CN=Other CA,O=Old, and not of CN=Old CA,O=Old"),
        ("namesake.crl", "not signed with its key"),
        ("changed.crl", "not signed with its key"),
        ("cut.pem", "cut.pem"),
        ("cut.crl", "cut short"),
        ("old/private/cakey.pem", "a private key where a revocation list is due"),
        ("old/cacert.pem", "a certificate where a revocation list is due"),
        ("old/index.txt", "neither PEM nor DER"),
        ("missing.crl", "missing.crl"),
    ] {
        // A sound one beside it changes nothing.
        let more = ["--issued", "old/newcerts", "--crl", "old/crl.pem", "--crl", file];
        old.import_files(&more).expect_code(2).complains(told).complains(file);
        old.is_untouched();
    }
    // Beside an imported folder another CA's list is passed over aloud, and one that may be its own is not.
    for (file, code) in [("other.crl", 0), ("namesake.crl", 2), ("cut.pem", 2)] {
        fs::copy(sandbox.path(file), sandbox.path("old/crl.pem")).unwrap();
        let ran = old.import_folder(&["--ca", &format!("beside-{code}")]).expect_code(code);
        match code {
            0 => drop(ran.says("odd:").says("CN=Other CA").says("passed over")),
            _ => assert!(!sandbox.path("beside-2").exists(), "nothing is recorded"),
        }
    }
}

#[test]
fn a_list_of_either_tier_is_taken_for_the_one_that_signed_it() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--ca", "made", "--intermediate", "--name", "Step Root CA"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "a.test", "--ca", "made"]).expect_code(0);
    // Without the one above it.
    sandbox.certkit(&["ca", "export", "a.test", "--ca", "made", "--out", "leaf.pem"]).expect_code(0);
    sandbox.certkit(&["ca", "revoke", "a.test", "--ca", "made"]).expect_code(0);
    sandbox.certkit(&["ca", "crl", "--ca", "made", "--out", "below.pem"]).expect_code(0);
    for _ in 0..3 {
        sandbox
            .certkit(&["ca", "crl", "--ca", "made", "--issuer", "ca", "--out", "root.pem", "--force"])
            .expect_code(0);
    }
    laid_out_as_step(&sandbox);
    let import = ["ca", "import", "step", "--issued", "leaf.pem", "--crl", "below.pem", "--crl", "root.pem"];
    sandbox.certkit(&import).expect_code(0);
    sandbox.certkit(&["ca", "crl", "--out", "n.pem"]).expect_code(0).says("list 2").says("1 certificate revoked");
    sandbox.certkit(&["ca", "crl", "--issuer", "ca", "--out", "r.pem"]).expect_code(0).says("list 4");
    // The root revokes the one below, whose certificate comes with it.
    sandbox.certkit(&["ca", "revoke", "Step Issuing CA", "--issuer", "ca", "--ca", "made"]).expect_code(0);
    sandbox.certkit(&["ca", "crl", "--ca", "made", "--issuer", "ca", "--out", "root.pem", "--force"]).expect_code(0);
    let again = [&import[..], &["--ca", "again"]].concat();
    sandbox.certkit(&again).expect_code(0);
    let revoked = ["ca", "crl", "--ca", "again", "--issuer", "ca", "--out", "s.pem"];
    sandbox.certkit(&revoked).expect_code(0).says("list 5").says("1 certificate revoked");
}

/// A CA made of any octets: files `c.pem`, `k.der` and `leaf.pem`.
struct Forged {
    sandbox: Sandbox,
    hierarchy: Hierarchy,
    leaf: Certificate,
}

impl Forged {
    fn new() -> Self {
        let (sandbox, hierarchy) = (Sandbox::new(), Hierarchy::new());
        let leaf = hierarchy.server("a.test").sign(&hierarchy.intermediate.key);
        sandbox.write("c.der", hierarchy.intermediate.certificate.der());
        sandbox.write("k.der", hierarchy.intermediate.key.to_pkcs8_der());
        sandbox.write("leaf.der", leaf.der());
        Self { sandbox, hierarchy, leaf }
    }

    fn list(&self) -> ForgeCrl {
        ForgeCrl::of(&self.hierarchy.intermediate)
    }

    fn revoking(&self, reason: CrlReason) -> ForgeCrl {
        self.list().revoking(&self.leaf, Some(reason))
    }

    /// Imports it with these lists.
    fn import(&self, ca: &str, lists: &[&ForgeCrl]) -> Ran {
        let files = ["ca", "import", "c.der", "--key", "k.der", "--issued", "leaf.der", "--json", "--ca", ca];
        let mut run = self.sandbox.command().args(files);
        for (list, at) in lists.iter().zip(1..) {
            let name = format!("{at}.crl");
            self.sandbox.write(&name, list.sign_der(&self.hierarchy.intermediate.key));
            run = run.args(["--crl", &name]);
        }
        run.run()
    }

    fn is_refused(&self, lists: &[&ForgeCrl], told: &str) {
        self.import("refused", lists).expect_code(2).complains(told);
        assert!(!self.sandbox.path("refused").exists(), "nothing is recorded");
    }
}

#[test]
fn a_delta_is_taken_with_the_list_it_builds_upon_alone() {
    use CrlReason::{CertificateHold, KeyCompromise, RemoveFromCrl};
    let forged = Forged::new();
    let delta = |reason| forged.revoking(reason).numbered(9).since(7);
    forged.is_refused(&[&delta(KeyCompromise)], "only what has changed since list 7");
    forged.is_refused(&[&forged.list().numbered(6), &delta(KeyCompromise)], "only what has changed since list 7");
    let revoked = |ca: &str, lists: &[&ForgeCrl]| forged.import(ca, lists).expect_code(0).json()["revoked"].clone();
    assert_eq!(revoked("a", &[&delta(KeyCompromise), &forged.list()]), 1);
    assert_eq!(revoked("b", &[&forged.revoking(CertificateHold), &delta(RemoveFromCrl)]), 0);
    assert_eq!(revoked("c", &[&delta(CertificateHold), &forged.list().numbered(10)]), 0);
    assert_eq!(revoked("d", &[&delta(CertificateHold), &forged.list().numbered(8)]), 1);
    forged.sandbox.certkit(&["ca", "crl", "--ca", "d", "--out", "d.pem"]).expect_code(0).says("list 10");
}

#[test]
fn a_list_of_some_certificates_is_taken_and_told_and_one_of_others_is_refused() {
    let forged = Forged::new();
    let none = IssuingDistributionPoint::default;
    let list = || forged.revoking(CrlReason::KeyCompromise);
    let users = list().scoped(&IssuingDistributionPoint { only_user_certs: true, ..none() });
    let told = forged.import("a", &[&users]).expect_code(0).json();
    assert_eq!(told["revoked"], 1);
    assert!(told["warnings"].to_string().contains("only for some certificates or reasons"), "{told}");
    // With one of all certificates there is nothing to be told.
    let told = forged.import("b", &[&users, &forged.list()]).expect_code(0).json();
    assert_eq!(told["revoked"], 1);
    assert!(!told["warnings"].to_string().contains("only for some"), "{told}");
    let attributes = list().scoped(&IssuingDistributionPoint { only_attribute_certs: true, ..none() });
    forged.is_refused(&[&attributes], "attribute certificates");
    // A list that may have entries of others has none.
    let indirect = || forged.list().scoped(&IssuingDistributionPoint { indirect: true, ..none() });
    let own = indirect().revoking(&forged.leaf, None);
    let told = forged.import("c", &[&own]).expect_code(0).json();
    assert_eq!(told["revoked"], 1);
    assert!(!told["warnings"].to_string().contains("only for some"), "{told}");
    let root = forged.hierarchy.root.certificate.subject();
    let entry = Entry::new(forged.leaf.serial().content(), None);
    forged.is_refused(&[&indirect().with(entry.clone().issued_by(root))], "as lists of several CAs do");
    // RFC 5280 §5.2, §5.3: what is critical and not known.
    let unknown = Extension { oid: oids::TLS_FEATURE, critical: true, value: der::tlv(tag::SEQUENCE, &[]) };
    let mut critical = forged.list();
    critical.extensions.push(unknown.clone());
    forged.is_refused(&[&critical], "critical extension");
    let mut entry = entry;
    entry.extensions.push(unknown);
    forged.is_refused(&[&forged.list().with(entry)], "critical extension");
}

#[test]
fn a_list_without_a_number_is_taken_and_one_with_too_great_a_number_is_not() {
    let forged = Forged::new();
    let mut list = forged.revoking(CrlReason::Superseded);
    list.remove::<CrlNumber>();
    assert_eq!(forged.import("a", &[&list]).expect_code(0).json()["revoked"], 1);
    forged.sandbox.certkit(&["ca", "crl", "--ca", "a", "--out", "a.pem"]).expect_code(0).says("list 1:");
    for octets in [vec![0x40, 0, 0, 0, 0, 0, 0, 0], vec![1; 9]] {
        let mut list = forged.list();
        list.set(&CrlNumber(octets), false);
        forged.is_refused(&[&list], "greater than");
    }
}

#[test]
fn a_ca_that_lists_itself_is_not_carried_on() {
    let forged = Forged::new();
    let root = &forged.hierarchy.root;
    forged.sandbox.write("c.der", root.certificate.der());
    forged.sandbox.write("k.der", root.key.to_pkcs8_der());
    forged.sandbox.write("1.crl", ForgeCrl::of(root).revoking(&root.certificate, None).sign_der(&root.key));
    // That its own certificate is at hand changes nothing.
    let import = ["ca", "import", "c.der", "--key", "k.der", "--crl", "1.crl", "--issued", "c.der"];
    forged.sandbox.certkit(&import).expect_code(2).complains("revokes the CA itself").complains("--drop-revocations");
    assert!(!forged.sandbox.ca().exists());
    let dropped = forged.sandbox.certkit(&[&import[..], &["--drop-revocations", "--json"]].concat());
    assert_eq!(dropped.expect_code(0).json()["dropped"].as_array().unwrap().len(), 1);
    // A key of the same name and another list.
    let other = PrivateKey::generate(KeyAlgorithm::P256).unwrap();
    forged.sandbox.write("1.crl", ForgeCrl::of(root).sign_der(&other));
    forged.sandbox.certkit(&[&import[..], &["--ca", "x"]].concat()).expect_code(2).complains("not signed with its key");
}
