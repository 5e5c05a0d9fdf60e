//! A server of a ledger that takes the connection and says no more: it is given up on, and nothing is made.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::Sandbox;

/// A server that answers what it is asked first with these octets, then keeps the connection and says nothing. Gives its port.
fn silent_after(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut kept = Vec::new();
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            if !answer.is_empty() {
                _ = connection.read(&mut [0; 1024]).unwrap();
                connection.write_all(answer).unwrap();
            }
            kept.push(connection);
        }
    });
    port
}

#[test]
fn a_server_that_says_nothing_is_given_up_on() {
    let roots = Sandbox::new();
    roots.certkit(&["ca", "init"]).expect_code(0);
    let tls = format!("&sslrootcert={}", roots.ca().join("ca.pem").display());
    for (answer, parameters) in [
        (&b""[..], ""),
        // The password is asked for.
        (b"R\0\0\0\x08\0\0\0\x03", ""),
        // The client is in, and may ask.
        (b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I", ""),
        (b"", tls.as_str()),
        // TLS may begin.
        (b"S", tls.as_str()),
    ] {
        let sandbox = Sandbox::new();
        let server = format!("127.0.0.1:{}", silent_after(answer));
        let url = format!("postgres://ann@{server}/ledger?connect_timeout=1{parameters}");
        let begun = Instant::now();
        let ran = sandbox.command().args(["ca", "init", "--ledger", &url]).env("PGPASSWORD", "sesame").expect_code(2);
        assert!(begun.elapsed() < Duration::from_secs(15), "{answer:?} {parameters}: {:?}", begun.elapsed());
        let ran = ran.complains(&format!("postgres://ann@{server}/ledger has not let anybody in for 1 second"));
        let ran = ran.complains("connect_timeout=SECONDS");
        assert!(!ran.stderr.contains("sesame"), "{ran}");
        assert!(!sandbox.ca().join("ca.pem").exists(), "{answer:?} {parameters}");
    }
}
