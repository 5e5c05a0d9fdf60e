//! `certkit ca ocsp` and the CA's key: what it does without, and that it keeps none of it.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use crate::support::background::{comes_true, free_port};
use crate::support::{Sandbox, peer};

/// A sandbox with a CA whose key is under the passphrase in `pp`, and a request about a certificate of it.
fn with_key_under_a_passphrase() -> Option<Sandbox> {
    let openssl = peer("openssl")?;
    let sandbox = Sandbox::new();
    sandbox.write("pp", "sesame");
    sandbox.certkit(&["ca", "init", "--name", "Test CA", "--encrypt", "--passphrase", "file:pp"]).expect_code(0);
    let root = sandbox.ca().join("ca.pem");
    let ask = ["ocsp", "-issuer", root.to_str().unwrap(), "-serial", "0x12", "-reqout", "req.der", "-no_nonce"];
    sandbox.peer(&openssl, &ask).expect_code(0);
    Some(sandbox)
}

/// Has the delegate be one whose certificate began five minutes ago and ends after so many seconds.
fn delegate(sandbox: &Sandbox, seconds: i64) {
    let end = format!("@{}", time::OffsetDateTime::now_utc().unix_timestamp() + seconds);
    let make = ["ca", "issue", "--profile", "ocsp-responder", "--cn", "Old", "--out", "old.pem", "--keyout", "old.pem"];
    sandbox.certkit(&[&make[..], &["--not-after", &end, "--ca-passphrase", "file:pp"]].concat()).expect_code(0);
    fs::copy(sandbox.path("old.pem"), sandbox.ca().join("ca.ocsp.pem")).unwrap();
    fs::remove_file(sandbox.path("old.pem")).unwrap();
}

const ANSWER: [&str; 5] = ["ca", "ocsp", "--request", "req.der", "--force"];

#[test]
fn without_the_key_a_delegate_answers_to_its_end() {
    let Some(sandbox) = with_key_under_a_passphrase() else { return };
    let file = sandbox.ca().join("ca.ocsp.pem");
    // More than two thirds of its time are over.
    delegate(&sandbox, 100);
    let first = fs::read(&file).unwrap();
    let told = sandbox.certkit(&ANSWER).expect_code(0).says("unknown").complains("is due to be renewed and cannot be");
    told.complains("the one that is there answers until 20");
    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let mut server = sandbox.start(sandbox.command().args(["ca", "ocsp", "--serve", &address]));
    server.wait_for(port);
    sleep(Duration::from_secs(2));
    assert_eq!(server.said().matches("renewed").count(), 1, "it is tried once for now: {}", server.said());
    #[cfg(unix)]
    assert_eq!(server.stop(), Some(0));
    assert!(fs::read(&file).unwrap() == first);
    // With the key it is renewed early.
    let told = sandbox.certkit(&[&ANSWER[..], &["--ca-passphrase", "file:pp"]].concat()).expect_code(0);
    assert!(!told.stderr.contains("renewed"), "{told}");
    assert!(fs::read(&file).unwrap() != first);
    // One whose time is over answers nothing.
    delegate(&sandbox, 1);
    sleep(Duration::from_millis(2_500));
    sandbox.certkit(&ANSWER).expect_code(2).complains("a new certificate for the OCSP responder is needed");
}

#[test]
fn an_authority_whose_key_is_not_here_is_not_told_to_be_no_authority() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--ca", "oo", "--name", "OO", "--intermediate"]).expect_code(0);
    for (file, issuer) in [("r.der", "oo/issuing.pem"), ("root.der", "oo/ca.pem")] {
        let ask = ["ocsp", "-issuer", issuer, "-serial", "0x12", "-reqout", file, "-no_nonce"];
        sandbox.peer(&openssl, &ask).expect_code(0);
    }
    fs::rename(sandbox.path("oo/issuing-key.pem"), sandbox.path("k")).unwrap();
    let answer = |file| ["ca", "ocsp", "--ca", "oo", "--request", file, "--out", "resp", "--force"];
    for more in [&[][..], &["--by-ca"], &["--ephemeral"], &["--json"]] {
        let told = sandbox.certkit(&[&answer("r.der")[..], more].concat()).expect_code(2);
        told.complains("there is no key of issuing in oo").complains("--ca-key");
        assert!(!sandbox.path("resp").exists());
    }
    // Of the other authority it answers, and tells of this one.
    sandbox.certkit(&answer("root.der")).expect_code(0).says("unknown").complains("of issuing");
    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let mut server = sandbox.start(sandbox.command().args(["ca", "ocsp", "--ca", "oo", "--serve", &address]));
    server.wait_for(port);
    let url = format!("http://{address}");
    let ask = |file| sandbox.peer(&openssl, &["ocsp", "-url", &url, "-reqin", file, "-noverify", "-resp_text"]);
    assert!(format!("{}", ask("r.der")).contains("trylater"), "{}", ask("r.der"));
    ask("root.der").expect_code(0).says("unknown");
    sleep(Duration::from_secs(2));
    assert_eq!(server.said().matches("there is no key of issuing").count(), 1, "{}", server.said());
    #[cfg(unix)]
    assert_eq!(server.stop(), Some(0));
    // With its key it answers.
    fs::rename(sandbox.path("k"), sandbox.path("oo/issuing-key.pem")).unwrap();
    sandbox.certkit(&answer("r.der")).expect_code(0).says("unknown");
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_keeps_nothing_of_the_cas_key_in_memory() {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--name", "Test CA"]).expect_code(0);
    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let mut server = sandbox.start(sandbox.command().args(["ca", "ocsp", "--serve", &address]));
    server.wait_for(port);
    assert!(comes_true(|| server.said().contains("answering")), "{}", server.said());
    let Some(memory) = memory(server.id()) else {
        return crate::support::skip("the memory of another process may not be read here").unwrap_or_default();
    };
    let in_memory = |file: &str| {
        let scalar = scalar(&fs::read_to_string(sandbox.ca().join(file)).unwrap());
        let backwards: Vec<u8> = scalar.iter().rev().copied().collect();
        memory.iter().any(|part| [&scalar, &backwards].iter().any(|it| holds(part, it)))
    };
    assert!(in_memory("ca.ocsp.pem"), "what it answers with is there, so it would be found");
    assert!(!in_memory("ca-key.pem"), "the CA's key is still in memory");
}

/// The number of a key on P-256.
#[cfg(target_os = "linux")]
fn scalar(pem: &str) -> Vec<u8> {
    let document = certkit::container::Document::read(pem.as_bytes()).unwrap();
    let Ok(certkit::container::PrivateKeyItem::Plain(key)) = document.first_private_key() else { panic!("no key") };
    // ECPrivateKey (RFC 5915 §3): the version, then the number.
    let sec1 = key.to_sec1_der().unwrap();
    let at = sec1.windows(5).position(|it| it == [2, 1, 1, 4, 32]).unwrap() + 5;
    sec1[at..at + 32].to_vec()
}

#[cfg(target_os = "linux")]
fn holds(part: &[u8], wanted: &[u8]) -> bool {
    let mut rest = part;
    while let Some(at) = rest.iter().position(|octet| *octet == wanted[0]) {
        if rest[at..].starts_with(wanted) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

/// What a process has in memory that it can write to; `None` where that may not be read.
#[cfg(target_os = "linux")]
fn memory(process: u32) -> Option<Vec<Vec<u8>>> {
    use std::os::unix::fs::FileExt;
    let memory = fs::File::open(format!("/proc/{process}/mem")).ok()?;
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).ok()?;
    let mut parts = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (begin, end) = line.split_once(' ')?.0.split_once('-')?;
        let [begin, end] = [begin, end].map(|it| u64::from_str_radix(it, 16).unwrap());
        let mut part = vec![0; (end - begin) as usize];
        if memory.read_exact_at(&mut part, begin).is_ok() {
            parts.push(part);
        }
    }
    (!parts.is_empty()).then_some(parts)
}
