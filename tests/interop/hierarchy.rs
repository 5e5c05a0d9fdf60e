//! Hierarchies of authorities: everyone takes what they issue, and holds them to what they may do.

use std::fs;

use super::judges::{Case, Judge};
use crate::support::{Sandbox, peer};

const JAVA: &str = include_str!("peers/Judge.java");

/// A CA in a folder, and its root as a file of the working folder.
struct Ca<'a> {
    sandbox: &'a Sandbox,
    folder: &'a str,
}

impl Ca<'_> {
    fn certkit(&self, args: &[&str]) {
        self.sandbox.certkit(&[args, &["--ca", self.folder]].concat()).expect_code(0);
    }

    fn copy(&self, from: &str, to: &str) {
        self.sandbox.write(to, fs::read(self.sandbox.path(self.folder).join(from)).unwrap());
    }

    /// A leaf for localhost from one of the authorities; its file holds what a server sends.
    fn issue(&self, issuer: &str, file: &str) -> Case {
        self.issue_for(&["localhost"], issuer, file)
    }

    /// The same for these names.
    fn issue_for(&self, names: &[&str], issuer: &str, file: &str) -> Case {
        self.certkit(&[&["ca", "issue", "--issuer", issuer, "--out", file], names].concat());
        self.copy("ca.pem", &format!("{}.root.pem", self.folder));
        let whole = Case::new(file, &format!("{}.root.pem", self.folder), names[0]);
        Case { intermediates: Some(file.to_owned()), ..whole }
    }
}

/// What Java's PKIX validator says to each case; it compares no host names here. `None` without Java.
fn java(sandbox: &Sandbox, cases: &[Case]) -> Option<Vec<bool>> {
    let java = peer("java")?;
    sandbox.write("Judge.java", JAVA);
    let arguments = cases.iter().flat_map(|case| {
        // Java wants the path itself and not a pile to choose from: the leaf's own file follows it.
        [case.leaf.clone(), format!("{}.above", case.leaf), case.roots.clone()]
    });
    for case in cases {
        let above = case.intermediates.as_ref().map(|file| sandbox.read(file)).unwrap_or_default();
        let mut blocks = certkit::encoding::pem::read(&above).into_iter().map(Result::unwrap);
        let leaf = certkit::encoding::pem::read(&sandbox.read(&case.leaf)).remove(0).unwrap();
        let above: String = blocks
            .by_ref()
            .filter(|block| *block.contents != *leaf.contents)
            .map(|block| certkit::encoding::pem::write("CERTIFICATE", &block.contents).to_string())
            .collect();
        sandbox.write(format!("{}.above", case.leaf), above);
    }
    let ran =
        sandbox.program(&java.path).args(["-XX:TieredStopAtLevel=1", "Judge.java"]).args(arguments).expect_code(0);
    let answers: Vec<bool> = ran.stdout.lines().map(|line| line == "accepted").collect();
    assert_eq!(answers.len(), cases.len(), "{ran}");
    Some(answers)
}

#[test]
fn every_judge_takes_what_every_hierarchy_issues() {
    let sandbox = Sandbox::new();
    let ca = |folder| Ca { sandbox: &sandbox, folder };
    let mut cases = Vec::new();

    let two = ca("two");
    two.certkit(&["ca", "init", "--intermediate", "--name", "Two Root CA", "--type", "p384"]);
    cases.push(two.issue("issuing", "two.pem"));

    let three = ca("three");
    three.certkit(&["ca", "init", "--name", "Three Root CA", "--type", "rsa:2048"]);
    three.certkit(&["ca", "intermediate", "policy", "--path-len", "1", "--policy", "1.3.6.1.4.1.99999.1"]);
    three.certkit(&["ca", "intermediate", "issuing", "--issuer", "policy", "--type", "p256"]);
    cases.push(three.issue("issuing", "three.pem"));

    let confined = ca("confined");
    let permit = ["--permit", "localhost", "--permit", "127.0.0.0/8"];
    confined.certkit(&[&["ca", "init", "--intermediate", "--disposable-root"], &permit[..]].concat());
    cases.push(confined.issue("issuing", "confined.pem"));
    let deep = ca("deep");
    deep.certkit(&[&["ca", "init"], &permit[..]].concat());
    deep.certkit(&["ca", "intermediate", "a", "--path-len", "1"]);
    deep.certkit(&["ca", "intermediate", "b", "--issuer", "a", "--permit", "localhost"]);
    cases.push(deep.issue("b", "deep.pem"));

    // Who trusts the first CA takes what the other has issued, once that is certified by the first.
    let other = ca("other");
    other.certkit(&["ca", "init", "--name", "Other Root CA"]);
    other.certkit(&["ca", "issue", "localhost", "--out", "other.pem"]);
    other.copy("ca.pem", "other.ca.pem");
    ca("three").certkit(&["ca", "cross-sign", "other.ca.pem", "--out", "cross.pem"]);
    cases.push(Case {
        intermediates: Some("cross.pem".to_owned()),
        ..Case::new("other.pem", "three.root.pem", "localhost")
    });

    // A request of an authority whose key is elsewhere.
    let request =
        ["csr", "new", "--profile", "intermediate-ca", "--cn", "Branch CA", "--out", "b.csr", "--keyout", "b.key"];
    sandbox.certkit(&request).expect_code(0);
    ca("three").certkit(&["ca", "intermediate", "--csr", "b.csr", "--out", "branch.pem"]);

    let incomplete: Vec<Case> =
        cases.iter().map(|case| Case { intermediates: None, roots: "two.ca.pem".to_owned(), ..case.clone() }).collect();
    ca("two").copy("ca.pem", "two.ca.pem");
    for judge in Judge::here() {
        for (case, judgment) in cases.iter().zip(judge.judge(&sandbox, &cases)) {
            assert!(judgment.accepted, "{judge:?}, {case:?}: {}", judgment.said);
        }
        // Without the authorities between, or under another root, nobody does.
        let alone = if judge == Judge::Certkit { &incomplete[1..] } else { &incomplete[..] };
        for (case, judgment) in alone.iter().zip(judge.judge(&sandbox, alone)) {
            let sent = case.leaf == "two.pem" && judge != Judge::GnuTls;
            assert!(!judgment.accepted || sent, "{judge:?}, {case:?}: {}", judgment.said);
        }
    }
    if let Some(answers) = java(&sandbox, &cases) {
        assert_eq!(answers, [true; 5]);
    }
}

/// A certificate for these names by the key of `issuer`, made by openssl, which asks nobody.
fn stolen(sandbox: &Sandbox, folder: &str, issuer: &str, names: &str, file: &str) -> Case {
    let place = |name: &str| format!("{folder}/{name}");
    let openssl = peer("openssl").unwrap();
    let request = ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/O=Evil"];
    sandbox.peer(&openssl, &[&request[..], &["-keyout", "evil.key", "-out", "evil.csr"]].concat()).expect_code(0);
    sandbox.write(
        "evil.ext",
        format!(
            "subjectAltName={names}\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n\
             extendedKeyUsage=serverAuth\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n"
        ),
    );
    let (ca, key) = (place(&format!("{issuer}.pem")), place(&format!("{issuer}-key.pem")));
    let sign = ["x509", "-req", "-in", "evil.csr", "-CA", &ca, "-CAkey", &key, "-CAcreateserial", "-days", "30"];
    sandbox.peer(&openssl, &[&sign[..], &["-extfile", "evil.ext", "-out", file]].concat()).expect_code(0);
    sandbox.write("root.pem", fs::read(sandbox.path(folder).join("ca.pem")).unwrap());
    sandbox.write("above.pem", fs::read(sandbox.path(folder).join(format!("{issuer}.pem"))).unwrap());
    let host = names.split([':', ',']).nth(1).unwrap();
    Case { intermediates: Some("above.pem".to_owned()), ..Case::new(file, "root.pem", host) }
}

#[test]
fn whoever_steals_a_confined_key_still_cannot_go_beyond_its_names() {
    if peer("openssl").is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    let permit = ["--permit", "test", "--permit", "127.0.0.0/8", "--exclude", "secret.test"];
    sandbox.certkit(&[&["ca", "init", "--intermediate", "--ca", "ca"], &permit[..]].concat()).expect_code(0);
    let names = [
        ("DNS:api.test", true),
        ("DNS:test", true),
        ("IP:127.0.0.1", true),
        ("DNS:example.com", false),
        ("DNS:nottest", false),
        ("DNS:api.test,DNS:example.com", false),
        ("DNS:a.secret.test", false),
        ("IP:10.0.0.1", false),
        ("IP:fd00::1", false),
        ("DNS:api.test,email:ann@example.com", false),
    ];
    let cases: Vec<Case> = names
        .iter()
        .enumerate()
        .map(|(at, (names, _))| stolen(&sandbox, "ca", "issuing", names, &format!("{at}.pem")))
        .collect();
    for judge in Judge::here() {
        for ((case, judgment), (names, inside)) in cases.iter().zip(judge.judge(&sandbox, &cases)).zip(names) {
            assert_eq!(judgment.accepted, inside, "{judge:?}, {names}, {case:?}: {}", judgment.said);
        }
    }
    // Java too, since the constraints stand in the issuing authority as well as in the root.
    if let Some(answers) = java(&sandbox, &cases) {
        assert_eq!(answers, names.map(|(_, inside)| inside));
    }
    // certkit refuses before it signs.
    for (name, inside) in
        [("api.test", true), ("127.0.0.1", true), ("example.com", false), ("a.secret.test", false), ("::1", false)]
    {
        let code = if inside { 0 } else { 2 };
        sandbox.certkit(&["ca", "issue", name, "--ca", "ca"]).expect_code(code);
    }
}

#[test]
fn everyone_takes_what_a_confined_ca_issues() {
    if peer("openssl").is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    let mut cases = Vec::new();
    for (folder, permit) in [("dev", &["test", "127.0.0.0/8", "localhost"][..]), ("lab", &["127.0.0.0/8"])] {
        let ca = Ca { sandbox: &sandbox, folder };
        let permit: Vec<&str> = permit.iter().flat_map(|base| ["--permit", base]).collect();
        ca.certkit(&[&["ca", "init", "--intermediate"], &permit[..]].concat());
        let names = [&["127.0.0.1"][..], &["api.test"], &["localhost"], &["127.0.0.1", "api.test", "localhost"]];
        let names = if folder == "dev" { &names[..] } else { &names[..1] };
        for (at, names) in names.iter().enumerate() {
            cases.push(ca.issue_for(names, "issuing", &format!("{folder}{at}.pem")));
        }
        // Clients hold this common name to the constraints, and no name beside it says as much.
        let client = ["ca", "issue", "--profile", "client", "--cn", "v1.2", "--ca", folder];
        if folder == "dev" {
            sandbox.certkit(&client).expect_code(2).complains("the common name v1.2").complains("only dns:test");
        }
    }
    for judge in Judge::here() {
        for (case, judgment) in cases.iter().zip(judge.judge(&sandbox, &cases)) {
            assert!(judgment.accepted, "{judge:?}, {case:?}: {}", judgment.said);
        }
    }
    if let Some(answers) = java(&sandbox, &cases) {
        assert!(answers.iter().all(|accepted| *accepted), "{answers:?}");
    }
    // What was left out is no difference to make good.
    let project = "[[ca]]\nfolder = \"own\"\npermit = [\"test\", \"127.0.0.0/8\"]\n\n\
                   [[certificate]]\nca = \"own\"\nnames = [\"127.0.0.1\"]\nout = \"own.pem\"\n";
    sandbox.write("certkit.toml", project);
    sandbox.certkit(&["apply"]).expect_code(0);
    sandbox.certkit(&["apply", "--check"]).expect_code(0);
}

#[test]
fn a_ca_for_addresses_alone_is_held_to_them() {
    if peer("openssl").is_none() {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--intermediate", "--ca", "ca", "--permit", "10.0.0.0/8"]).expect_code(0);
    let names = [("IP:10.1.2.3", true), ("IP:11.1.2.3", false), ("DNS:api.test", false), ("IP:fd00::1", false)];
    let cases: Vec<Case> = names
        .iter()
        .enumerate()
        .map(|(at, (names, _))| stolen(&sandbox, "ca", "issuing", names, &format!("{at}.pem")))
        .collect();
    for judge in Judge::here() {
        for ((case, judgment), (names, inside)) in cases.iter().zip(judge.judge(&sandbox, &cases)).zip(names) {
            assert_eq!(judgment.accepted, inside, "{judge:?}, {names}, {case:?}: {}", judgment.said);
        }
    }
    if let Some(answers) = java(&sandbox, &cases) {
        assert_eq!(answers, names.map(|(_, inside)| inside));
    }
}
