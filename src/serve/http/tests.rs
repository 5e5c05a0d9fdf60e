//! Served over loopback.

#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use std::io::{Read, Write};
use std::net::TcpStream as Client;
use std::thread;
use std::time::Instant;

struct Echo;

impl Service for Echo {
    fn answer(&self, request: &Request<'_>) -> Answer {
        match request.method {
            "POST" => Answer::ok("text/plain", request.body.to_vec()),
            "GET" => Answer::ok("text/plain", request.path.as_bytes().to_vec()).with("etag", "\"1\""),
            _ => Answer::method_not_allowed("GET, POST"),
        }
    }
}

/// A server with these limits; it ends with the test.
fn served(limits: Limits) -> SocketAddr {
    let listener = Listener::bind("127.0.0.1:0").unwrap();
    let address = listener.address();
    thread::spawn(move || listener.serve(limits, Arc::new(Echo)));
    address
}

fn limits() -> Limits {
    Limits { arrival: Duration::from_millis(300), ..Limits::for_requests_of(100) }
}

fn connect(address: SocketAddr) -> Client {
    let client = Client::connect(address).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    client
}

/// All that the server says until it closes.
fn ask(address: SocketAddr, request: &str) -> String {
    let mut client = connect(address);
    client.write_all(request.as_bytes()).unwrap();
    let mut said = String::new();
    _ = client.read_to_string(&mut said);
    said
}

#[test]
fn requests_are_answered_and_bounded() {
    let address = served(limits());
    let get = ask(address, "GET /a%2Fb?q HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert!(
        get.starts_with("HTTP/1.1 200 OK") && get.contains("etag: \"1\"") && get.ends_with("\r\n\r\n/a%2Fb"),
        "{get}"
    );
    let head = ask(address, "HEAD /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert!(head.contains("content-length: 2") && head.ends_with("\r\n\r\n"), "{head}");
    let post = |length: usize| {
        let body = "x".repeat(length);
        ask(
            address,
            &format!("POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"),
        )
    };
    assert!(post(100).ends_with(&"x".repeat(100)));
    assert!(post(101).starts_with("HTTP/1.1 413"));
    let put = ask(address, "PUT / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert!(put.starts_with("HTTP/1.1 405") && put.contains("allow: GET, POST"), "{put}");
    assert!(ask(address, "nonsense\r\n\r\n").starts_with("HTTP/1.1 400"));
}

#[test]
fn a_request_that_does_not_arrive_is_given_up() {
    let address = served(limits());
    let begun = Instant::now();
    ask(address, "GET / HT");
    let body = ask(address, "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nx");
    assert!(body.starts_with("HTTP/1.1 408"), "{body}");
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

#[test]
fn silent_clients_keep_nobody_out() {
    let forever = Duration::from_secs(600);
    let address = served(Limits { connections: 8, arrival: forever, life: forever, ..limits() });
    let silent: Vec<Client> = (0..50).map(|_| connect(address)).collect();
    for _ in 0..20 {
        let said = ask(address, "GET /here HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        assert!(said.ends_with("/here"), "{said}");
    }
    drop(silent);
}
