//! Handshakes: what `ca issue` makes, served and asked for by programs of other makers.

use crate::support::{Sandbox, peer};

use super::clients::{Answer, Ask, Client};
use super::server::{Server, Site};

/// A folder with `ca.pem`, `foreign.pem` (a CA nobody here was issued by) and what `ca issue` made of these names.
pub(super) fn issued(names: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--name", "Interop CA"]).expect_code(0);
    sandbox.write("ca.pem", std::fs::read(sandbox.ca().join("ca.pem")).unwrap());
    let foreign = ["new", "--profile", "root-ca", "--cn", "Foreign CA", "--out", "foreign.pem"];
    sandbox.certkit(&foreign).expect_code(0);
    for name in names {
        sandbox.certkit(&["ca", "issue", name]).expect_code(0);
    }
    sandbox
}

/// Fetched under the CA's root, accepted; a certificate for another name, and under another root, refused for that.
fn judged(client: Client, sandbox: &Sandbox, right: u16, wrong: u16) {
    let asks = [Ask::new("ca.pem", right), Ask::new("ca.pem", wrong), Ask::new("foreign.pem", right)];
    let [accepted, wrong, foreign] = <[Answer; 3]>::try_from(client.fetch(sandbox, &asks)).unwrap();
    assert!(accepted.accepted, "{client:?} refuses: {}", accepted.said);
    for (answer, complaint) in [wrong, foreign].into_iter().zip(client.complaints()) {
        assert!(!answer.accepted && answer.said.contains(complaint), "{client:?}, not {complaint:?}: {}", answer.said);
    }
}

const LOCALHOST: Site<'_> = Site { chain: "localhost.pem", key: "localhost-key.pem", clients: None };
const OTHER: Site<'_> = Site { chain: "other.test.pem", key: "other.test-key.pem", clients: None };

#[test]
fn every_client_takes_an_issued_certificate_for_its_name_alone() {
    let Some(python) = peer("python3") else { return };
    let sandbox = issued(&["localhost", "other.test"]);
    let server = Server::python(&python, &sandbox, &[LOCALHOST, OTHER]);
    for client in Client::here() {
        judged(client, &sandbox, server.ports[0], server.ports[1]);
    }
}

#[test]
fn an_address_is_a_name_too() {
    let Some(python) = peer("python3") else { return };
    let sandbox = issued(&["localhost", "127.0.0.1"]);
    let address = Site { chain: "127.0.0.1.pem", key: "127.0.0.1-key.pem", clients: None };
    let server = Server::python(&python, &sandbox, &[address, LOCALHOST]);
    for client in Client::here() {
        // s_client compares a name with -verify_hostname only; tstclnt and gnutls-cli know no addresses.
        if matches!(client, Client::OpenSsl | Client::Nss | Client::GnuTls) {
            continue;
        }
        let ask = |at: usize| Ask { host: "127.0.0.1".to_owned(), ..Ask::new("ca.pem", server.ports[at]) };
        let answers = client.fetch(&sandbox, &[ask(0), ask(1)]);
        assert!(answers[0].accepted, "{client:?} refuses: {}", answers[0].said);
        assert!(!answers[1].accepted, "{client:?} takes localhost for 127.0.0.1: {}", answers[1].said);
    }
}

#[test]
fn every_server_serves_with_our_files_and_wants_our_clients() {
    let (Some(python), Some(node), Some(openssl), Some(nginx)) =
        (peer("python3"), peer("node"), peer("openssl"), peer("nginx"))
    else {
        return;
    };
    let sandbox = issued(&["localhost"]);
    let strangers = ["new", "--profile", "client", "--cn", "Stranger", "--out", "stranger.pem"];
    sandbox.certkit(&[&strangers[..], &["--keyout", "stranger.pem"]].concat()).expect_code(0);
    let ann = ["ca", "issue", "--profile", "client", "--cn", "Ann", "--out", "ann.pem", "--keyout", "ann.pem"];
    sandbox.certkit(&ann).expect_code(0);
    let server = ["ca", "issue", "server.test", "--out", "server.pem", "--keyout", "server.pem"];
    sandbox.certkit(&server).expect_code(0);

    let private = Site { clients: Some("ca.pem"), ..LOCALHOST };
    let servers = [
        ("Python", vec![Server::python(&python, &sandbox, &[LOCALHOST, private])]),
        ("Node", vec![Server::node(&node, &sandbox, &[LOCALHOST, private])]),
        ("OpenSSL", [LOCALHOST, private].map(|site| Server::openssl(&openssl, &sandbox, site)).into()),
        ("nginx", [LOCALHOST, private].map(|site| Server::nginx(&nginx, &sandbox, site)).into()),
    ];
    for (name, servers) in &servers {
        let ports: Vec<u16> = servers.iter().flat_map(|server| server.ports.clone()).collect();
        for client in [Client::Curl, Client::Python, Client::Node, Client::GnuTls, Client::Wget] {
            let ask = |port| Ask::new("ca.pem", port);
            let answers = client.fetch(
                &sandbox,
                &[
                    ask(ports[0]),
                    ask(ports[1]).identity("ann.pem"),
                    ask(ports[1]),
                    ask(ports[1]).identity("stranger.pem"),
                    ask(ports[1]).identity("server.pem"),
                ],
            );
            let accepted: Vec<bool> = answers.iter().map(|answer| answer.accepted).collect();
            assert_eq!(accepted, [true, true, false, false, false], "{client:?} at {name}: {answers:#?}");
        }
    }
}
