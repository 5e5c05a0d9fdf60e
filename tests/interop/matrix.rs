//! What certkit makes, held against everyone: the table of PEERS, and whether the clients it says will object do.

use certkit::encoding::pem;
use certkit::issue::objections;
use certkit::x509::Certificate;
use std::fmt::Write;

use super::clients::{Ask, Client};
use super::judges::{Case, Judge};
use super::live::issued;
use super::server::{Server, Site};
use crate::support::{Sandbox, peer};

/// Somebody who accepts or refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Party {
    Judge(Judge),
    Client(Client),
}

const CHROMIUM: Party = Party::Client(Client::Chromium);
const TSTCLNT: Party = Party::Client(Client::Nss);
const CERTTOOL: Party = Party::Judge(Judge::GnuTls);
const CERTKIT: Party = Party::Judge(Judge::Certkit);
const PYCA: Party = Party::Judge(Judge::Pyca);
const VFYCHAIN: Party = Party::Judge(Judge::Nss);
const WEBPKI: Party = Party::Judge(Judge::WebPki);
const GO: Party = Party::Judge(Judge::Go);

/// Who stands behind the words of an objection. Apple's programs and Windows are not to be had here.
fn named(objection: &str) -> &'static [Party] {
    match objection {
        "certtool --verify (GnuTLS)" => &[CERTTOOL],
        "NSS (Firefox, Chromium on Linux)" => &[VFYCHAIN, TSTCLNT, CHROMIUM],
        "Firefox (NSS), rustls (webpki), Python's cryptography" => &[VFYCHAIN, TSTCLNT, WEBPKI, PYCA],
        "Go, rustls, Python's cryptography, every browser" => &[GO, WEBPKI, PYCA, CHROMIUM],
        "Apple (Safari, macOS, iOS)" => &[],
        "Chrome, Firefox, Safari, Windows, Java before 15" => &[CHROMIUM, VFYCHAIN, TSTCLNT],
        "Chrome, rustls with ring" => &[CHROMIUM],
        other => panic!("who is {other:?}?"),
    }
}

struct Row {
    name: &'static str,
    /// How many objections there are.
    objections: usize,
    /// Whether certkit itself refuses it, which is no client it would name.
    refused_here: bool,
}

/// Makes a certificate for localhost, `NAME.pem`, its key, `NAME-key.pem`, and what is to be trusted, `NAME-root.pem`.
fn make(sandbox: &Sandbox, name: &str) {
    let (out, key, root) = (format!("{name}.pem"), format!("{name}-key.pem"), format!("{name}-root.pem"));
    let new = |args: &[&str]| {
        let made = sandbox.certkit(&[&["new", "--out", &out, "--json"], args].concat()).expect_code(0).json();
        let said: Vec<_> = made["objections"].as_array().unwrap().iter().map(|it| it["client"].as_str()).collect();
        let found = objections(&first(sandbox, &out));
        assert_eq!(said, found.iter().map(|objection| Some(objection.client)).collect::<Vec<_>>(), "{name}");
        sandbox.write(&root, sandbox.read(&out));
    };
    let issue = |args: &[&str]| {
        sandbox.certkit(&[&["ca", "issue", "--out", &out, "--keyout", &key], args].concat()).expect_code(0);
        sandbox.write(&root, sandbox.read("ca.pem"));
    };
    match name {
        "new" => new(&["--cn", "localhost"]),
        "new-900-days" => new(&["--cn", "localhost", "--days", "900"]),
        // What openssl makes: a CA that is a server too. certkit has no way to make one.
        "openssl-req" => {
            let line = format!(
                "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj /CN=localhost \
                 -addext subjectAltName=DNS:localhost -addext extendedKeyUsage=serverAuth -keyout {key} -out {out}"
            );
            sandbox.shell(&line).expect_code(0);
            sandbox.write(&root, sandbox.read(&out));
        }
        "issue" => issue(&["localhost"]),
        "issue-rsa" => issue(&["localhost", "--type", "rsa:2048"]),
        // A CA of its own, whose signature is RSASSA-PSS over SHA-256.
        "issue-rsa-pss" => {
            let profile = "description = \"a server\"\nkey = \"P-256\"\ndays = 90\nbackdate = \"5m\"
key_usage = [\"digitalSignature\"]\nextended_key_usage = [\"serverAuth\"]\nnames = [\"dns\"]\nsignature = \"rsa-pss-sha256\"\n";
            let file = sandbox.write("pss.toml", profile);
            sandbox.certkit(&["ca", "init", "--ca", "pss", "--type", "rsa:2048"]).expect_code(0);
            let named = ["localhost", "--ca", "pss", "--profile", file.to_str().unwrap()];
            sandbox.certkit(&[&["ca", "issue", "--out", &out, "--keyout", &key], &named[..]].concat()).expect_code(0);
            sandbox.write(&root, sandbox.read("pss/ca.pem"));
        }
        "issue-p384" => issue(&["localhost", "--type", "p384"]),
        "issue-p521" => issue(&["localhost", "--type", "p521"]),
        "issue-ed25519" => issue(&["localhost", "--type", "ed25519"]),
        "issue-no-name" => {
            let profile = "description = \"a server\"\nkey = \"P-256\"\ndays = 90\nbackdate = \"5m\"
key_usage = [\"digitalSignature\"]\nextended_key_usage = [\"serverAuth\"]\nnames = [\"email\"]\n";
            let file = sandbox.write("no-name.toml", profile);
            issue(&["--cn", "localhost", "--san", "a@example.test", "--profile", file.to_str().unwrap()]);
        }
        "issue-no-purpose" => {
            let profile = "description = \"anything\"\nkey = \"P-256\"\ndays = 90\nbackdate = \"5m\"
key_usage = [\"digitalSignature\"]\nnames = [\"dns\"]\n";
            let file = sandbox.write("no-purpose.toml", profile);
            issue(&["localhost", "--profile", file.to_str().unwrap()]);
        }
        "sign" => {
            sandbox.certkit(&["csr", "new", "--cn", "localhost", "--keyout", &key, "--out", "x.csr"]).expect_code(0);
            sandbox.certkit(&["ca", "sign", "x.csr", "--out", &out]).expect_code(0);
            sandbox.write(&root, sandbox.read("ca.pem"));
        }
        other => panic!("what is {other}?"),
    }
}

fn first(sandbox: &Sandbox, file: &str) -> Certificate {
    let block = pem::read(&sandbox.read(file)).into_iter().find_map(Result::ok).unwrap();
    Certificate::from_der(&block.contents).unwrap()
}

const ROWS: &[Row] = &[
    Row { name: "issue", objections: 0, refused_here: false },
    Row { name: "issue-rsa", objections: 0, refused_here: false },
    Row { name: "issue-rsa-pss", objections: 0, refused_here: false },
    Row { name: "issue-p384", objections: 0, refused_here: false },
    Row { name: "issue-p521", objections: 1, refused_here: false },
    Row { name: "issue-ed25519", objections: 1, refused_here: false },
    Row { name: "issue-no-name", objections: 1, refused_here: true },
    Row { name: "issue-no-purpose", objections: 1, refused_here: false },
    Row { name: "sign", objections: 0, refused_here: false },
    Row { name: "new", objections: 2, refused_here: false },
    Row { name: "new-900-days", objections: 3, refused_here: false },
    Row { name: "openssl-req", objections: 1, refused_here: false },
];

// The table is for whoever reads a failure, or runs it with --nocapture.
#[allow(clippy::print_stdout)]
#[test]
fn those_who_are_said_to_object_do_and_nobody_else() {
    let (Some(python), Some(_)) = (peer("python3"), peer("openssl")) else { return };
    let sandbox = issued(&[]);
    for row in ROWS {
        make(&sandbox, row.name);
    }
    let file = |row: &Row, end: &str| format!("{}{end}", row.name);
    let files: Vec<_> =
        ROWS.iter().map(|row| [file(row, ".pem"), file(row, "-key.pem"), file(row, "-root.pem")]).collect();
    let sites: Vec<_> = files.iter().map(|[chain, key, _]| Site { chain, key, clients: None }).collect();
    let server = Server::python(&python, &sandbox, &sites);
    let asks: Vec<_> = files.iter().zip(&server.ports).map(|([_, _, root], port)| Ask::new(root, *port)).collect();
    let cases: Vec<_> = files.iter().map(|[chain, _, root]| Case::new(chain, root, "localhost")).collect();

    let mut columns: Vec<(Party, Vec<(bool, String)>)> = Vec::new();
    for judge in Judge::here() {
        let judgments = judge.judge(&sandbox, &cases).into_iter().map(|it| (it.accepted, it.said)).collect();
        columns.push((Party::Judge(judge), judgments));
    }
    for client in Client::here() {
        let answers = client.fetch(&sandbox, &asks).into_iter().map(|it| (it.accepted, it.said)).collect();
        columns.push((Party::Client(client), answers));
    }

    let mut table = String::new();
    let mut surprises = String::new();
    for (at, row) in ROWS.iter().enumerate() {
        let objections = objections(&first(&sandbox, &file(row, ".pem")));
        assert_eq!(objections.len(), row.objections, "{}: {objections:?}", row.name);
        let objectors: Vec<Party> = objections.iter().flat_map(|it| named(it.client)).copied().collect();
        write!(table, "{:<18}", row.name).unwrap();
        for (party, answers) in &columns {
            let (accepted, said) = &answers[at];
            write!(table, "{}", if *accepted { " yes" } else { "  no" }).unwrap();
            let refused = if *party == CERTKIT { row.refused_here } else { objectors.contains(party) };
            if *accepted == refused {
                writeln!(surprises, "{}, {party:?}, accepted: {accepted}: {said}", row.name).unwrap();
            }
        }
        table.push('\n');
    }
    let heads: Vec<_> = columns.iter().map(|(party, _)| party).collect();
    println!("{heads:?}\n{table}");
    assert!(surprises.is_empty(), "{surprises}");
}

#[test]
fn those_who_are_said_not_to_know_ml_dsa_do_not() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["new", "--cn", "localhost", "--type", "ml-dsa-44"]).expect_code(0);
    let named = objections(&first(&sandbox, "localhost.pem"));
    assert!(named.iter().any(|objection| objection.client.starts_with("OpenSSL before 3.5, GnuTLS 3.7")), "{named:?}");
    for judge in Judge::here() {
        let judgment = judge.judge(&sandbox, &[Case::new("localhost.pem", "localhost.pem", "localhost")]).remove(0);
        assert_eq!(
            judgment.accepted,
            matches!(judge, Judge::Certkit | Judge::Pyca | Judge::WebPki | Judge::Go),
            "{judge:?}: {}",
            judgment.said
        );
    }
}
