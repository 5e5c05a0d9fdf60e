//! `certkit verify --compat`, held against the clients themselves: a wrong prediction fails.

mod cases;

use std::io::Write;

use certkit::verify::compat::{Answer, Client, predict};
use certkit::verify::{Identity, Verifier};
use certkit::x509::Certificate;
use time::OffsetDateTime;

use self::cases::Case;
use crate::support::Sandbox;
use crate::support::clients::{Desk, Question, Reply, webpki};

/// The fewest answers in which a client is compared, of all cases: some can't be shown it, as its server won't have them.
const ENOUGH: usize = 40;

/// Where what is asked is not the client that is spoken of, or one version of it among several.
const ELSEWHERE: &[(&[Client], &[&str], &str)] = &[
    (&[OpenSsl, Python313, Python312, Curl, Node], ML_DSA, "OpenSSL 3.0 does not know it, 3.5 does"),
    (&[GnuTls], ML_DSA, "3.7 does not know it, 3.8.10 does, and certtool shakes no hands"),
    (&[Rustls], ML_DSA, "what webpki verifies the provider of rustls may not"),
    (&[Rustls], &["RSA 1024"], "webpki alone does not look at the server's key"),
    (&[OpenSsl], &["signed over MD5", "intermediate signed over MD5"], "certkit does not compute such a signature"),
];

const ML_DSA: &[&str] = &["ML-DSA-65", "intermediate with ML-DSA-65", "root with ML-DSA-87"];

use Client::{Curl, GnuTls, Node, OpenSsl, Python312, Python313, Rustls};

#[test]
fn openssl_says_what_is_predicted() {
    hold(Client::OpenSsl, |desk| desk.openssl(false));
}

#[test]
fn python_as_of_3_13_says_what_is_predicted() {
    hold(Client::Python313, |desk| desk.python_ssl("strict"));
}

#[test]
fn python_before_3_13_says_what_is_predicted() {
    hold(Client::Python312, |desk| desk.python_ssl("plain"));
}

#[test]
fn curl_says_what_is_predicted() {
    hold(Client::Curl, |desk| desk.python_ssl("curl"));
}

#[test]
fn node_says_what_is_predicted() {
    hold(Client::Node, Desk::node);
}

#[test]
fn gnutls_says_what_is_predicted() {
    hold(Client::GnuTls, Desk::gnutls);
}

#[test]
fn go_says_what_is_predicted() {
    hold(Client::Go, Desk::go);
}

#[test]
fn chrome_says_what_is_predicted() {
    hold(Client::Chrome, Desk::chromium);
}

#[test]
fn firefox_says_what_is_predicted() {
    hold(Client::Firefox, Desk::firefox);
}

#[test]
fn rustls_says_what_is_predicted() {
    let cases = cases::all(now());
    let replies = cases.iter().map(|case| webpki(&case.question)).collect();
    compare(Client::Rustls, &cases, replies);
}

#[test]
fn pyca_says_what_is_predicted() {
    hold(Client::Pyca, Desk::pyca);
}

#[test]
fn java_says_what_is_predicted() {
    hold(Client::Java, Desk::java);
}

/// Clients that shake hands know only the present.
fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc().replace_nanosecond(0).unwrap()
}

fn hold(client: Client, ask: impl Fn(&Desk) -> Option<Vec<Reply>>) {
    let cases = cases::all(now());
    let questions = cases.iter().map(|case| case.question.clone()).collect();
    let Some(replies) = ask(&Desk::new(questions)) else { return };
    compare(client, &cases, replies);
}

fn compare(client: Client, cases: &[Case], replies: Vec<Reply>) {
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for (case, reply) in cases.iter().zip(replies) {
        let Some(reply) = reply else { continue };
        if ELSEWHERE.iter().any(|(of, names, _)| of.contains(&client) && names.contains(&case.name)) {
            continue;
        }
        let prediction = predicted(&case.question, client);
        if prediction.answer == Answer::Unknown {
            wrong.push(format!("{}: it {}, which could be known: {:?}", case.name, told(&reply), prediction.because));
            continue;
        }
        compared += 1;
        if reply.is_ok() != (prediction.answer == Answer::Accepts) {
            let predicted = prediction.answer.name();
            wrong.push(format!("{}: it {}, predicted: {predicted} {:?}", case.name, told(&reply), prediction.because));
        }
    }
    // Unlike println!, this is seen although the test passes.
    _ = writeln!(std::io::stderr(), "{}: {compared} of {} chains compared", client.name(), cases.len());
    assert!(wrong.is_empty(), "{}:\n{}", client.name(), wrong.join("\n"));
    assert!(compared >= ENOUGH, "{}: only {compared} cases compared", client.name());
}

fn predicted(question: &Question, client: Client) -> certkit::verify::compat::Prediction {
    let read = |der: &[u8]| Certificate::from_der(der).unwrap();
    let at = OffsetDateTime::from_unix_timestamp(question.at).unwrap();
    let mut verifier = Verifier::new(vec![read(&question.root)], at);
    verifier.intermediates = question.intermediates.iter().map(|der| read(der)).collect();
    verifier.identities = vec![Identity::Server(question.host.parse().unwrap())];
    let predictions = predict(&verifier, &read(&question.leaf));
    predictions.into_iter().find(|prediction| prediction.client == client).unwrap()
}

fn told(reply: &Result<(), String>) -> String {
    match reply {
        Ok(()) => "accepts".to_owned(),
        Err(why) => format!("refuses ({why})"),
    }
}

#[test]
fn the_table_is_told_in_text_and_json() {
    let sandbox = Sandbox::new();
    let cases = cases::all(now());
    let sound = &cases[0].question;
    sandbox.write("chain.pem", sound.chain());
    sandbox.write("root.pem", sound.root());
    let args = ["verify", "chain.pem", "--roots", "root.pem", "--compat", "--host"];
    let text = sandbox.certkit(&[&args[..], &[cases::HOST]].concat()).expect_code(0);
    let rows = Client::ALL.iter().filter(|client| text.stdout.contains(&format!("{:28} accepts", client.name())));
    assert_eq!(rows.count(), Client::ALL.len(), "{text}");
    let json = sandbox.certkit(&[&args[..], &["other.test", "--json"]].concat()).expect_code(1).json();
    let rows = json["compat"].as_array().unwrap();
    assert_eq!(rows.len(), Client::ALL.len());
    for row in rows {
        assert_eq!((&row["answer"], &row["because"][0]), (&"refuses".into(), &"the name is not in it".into()));
    }
}

#[test]
fn what_the_table_cannot_tell_is_a_wrong_usage() {
    let sandbox = Sandbox::new();
    let cases = cases::all(now());
    sandbox.write("chain.pem", cases[0].question.chain());
    sandbox.write("root.pem", cases[0].question.root());
    let args = ["verify", "chain.pem", "--roots", "root.pem", "--compat"];
    for more in [&["--no-host", "--purpose", "client"][..], &["--email", "a@example.com"], &["--batch", "--no-host"]] {
        sandbox.certkit(&[&args[..], more].concat()).expect_code(2);
    }
}
