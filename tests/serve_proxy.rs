//! `certkit serve --proxy`: in front of another server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::https::{Client, ask, read_answer};
use crate::support::{Sandbox, peer};

/// A server in plain HTTP that notes the heads of requests. It answers by the path: `/echo` with the body it got, `/slow`
/// in pieces, `/switch` by switching to a protocol that repeats all in upper case, others with a line.
struct Behind {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Behind {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&heads);
        // It ends with the process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let noted = Arc::clone(&noted);
                thread::spawn(move || _ = converse(stream.unwrap(), &noted));
            }
        });
        Self { port, heads }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn last_head(&self) -> String {
        self.heads.lock().unwrap().last().unwrap().to_lowercase()
    }
}

fn converse(mut stream: TcpStream, heads: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        heads.lock().unwrap().push(head.clone());
        let length =
            head.to_lowercase().split("content-length: ").nth(1).map(|rest| rest.lines().next().unwrap().to_owned());
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        reader.read_exact(&mut body)?;
        match head.split(' ').nth(1).unwrap() {
            "/echo" => {
                let fields = "connection: keep-alive, x-hop\r\nx-hop: 1\r\nx-own: 2\r\nkeep-alive: timeout=5";
                let head = format!("HTTP/1.1 201 Created\r\n{fields}\r\ncontent-length: {}\r\n\r\n", body.len());
                stream.write_all(&[head.as_bytes(), &body].concat())?;
            }
            "/slow" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n")?;
                thread::sleep(Duration::from_millis(1500));
                stream.write_all(b"3\r\ntwo\r\n0\r\n\r\n")?;
            }
            "/switch" => {
                stream.write_all(
                    b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: shout\r\n\r\nready",
                )?;
                let mut piece = [0; 1000];
                loop {
                    let count = reader.read(&mut piece)?;
                    if count == 0 {
                        return Ok(());
                    }
                    stream.write_all(&piece[..count].to_ascii_uppercase())?;
                }
            }
            _ => stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nbehind")?,
        }
    }
}

#[test]
fn requests_and_answers_go_through_with_what_belongs_to_them() {
    let (sandbox, behind) = (Sandbox::new().with_site_certificate(), Behind::start());
    let server = sandbox.serve(&["--proxy", &behind.url()]);
    let mut connection = server.connect();
    let got =
        ask(&mut connection, "GET", "/a%2Fb?c=d", &[("x-forwarded-for", "6.6.6.6"), ("te", "gzip"), ("x-mine", "1")]);
    assert_eq!((got.status, got.text().as_str()), (200, "behind"));
    let head = behind.last_head();
    assert!(head.starts_with("get /a%2fb?c=d http/1.1\r\n"), "{head}");
    for line in
        ["host: localhost", "x-forwarded-for: 127.0.0.1", "x-forwarded-proto: https", "x-forwarded-host: localhost"]
    {
        assert!(head.contains(&format!("\r\n{line}\r\n")), "{line} in {head}");
    }
    assert!(head.contains("x-mine: 1") && !head.contains("6.6.6.6") && !head.contains("gzip"), "{head}");
    let body = "x".repeat(300_000);
    let request = format!("POST /echo HTTP/1.1\r\nhost: a.test\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    connection.write_all(request.as_bytes()).unwrap();
    let got = read_answer(&mut connection, false).unwrap();
    assert_eq!((got.status, got.text().len(), got.field("x-own")), (201, 300_000, Some("2")));
    assert!(got.field("x-hop").is_none() && got.field("keep-alive").is_none(), "{}", got.head);
    assert_eq!(ask(&mut connection, "HEAD", "/x", &[]).field("content-length"), Some("6"));
}

#[test]
fn a_body_is_passed_on_as_it_comes() {
    let (sandbox, behind) = (Sandbox::new().with_site_certificate(), Behind::start());
    let server = sandbox.serve(&["--proxy", &behind.url()]);
    let mut connection = server.connect();
    connection.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let (begun, mut said) = (Instant::now(), Vec::new());
    let mut first = None;
    let mut piece = [0; 1000];
    while let Ok(count @ 1..) = connection.read(&mut piece) {
        said.extend_from_slice(&piece[..count]);
        if first.is_none() && String::from_utf8_lossy(&said).contains("one") {
            first = Some(begun.elapsed());
        }
    }
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("one") && said.contains("two"), "{said}");
    assert!(first.unwrap() + Duration::from_millis(800) < begun.elapsed(), "{first:?}");
}

#[test]
fn a_connection_that_switches_protocols_goes_both_ways() {
    let (sandbox, behind) = (Sandbox::new().with_site_certificate(), Behind::start());
    let server = sandbox.serve(&["--proxy", &behind.url()]);
    let mut connection = server.connect_as(&Client { protocols: vec!["http/1.1"], ..Client::default() }).unwrap();
    let got = ask(&mut connection, "GET", "/switch", &[("connection", "Upgrade"), ("upgrade", "shout")]);
    assert_eq!((got.status, got.field("upgrade")), (101, Some("shout")), "{got:?}");
    assert!(behind.last_head().contains("upgrade: shout"));
    let mut ready = [0; 5];
    connection.read_exact(&mut ready).unwrap();
    assert_eq!(&ready, b"ready");
    for _ in 0..50 {
        connection.write_all(b"hello there").unwrap();
        let mut loud = [0; 11];
        connection.read_exact(&mut loud).unwrap();
        assert_eq!(&loud, b"HELLO THERE");
    }
    // The server stops although the tunnel is open.
    let begun = Instant::now();
    assert_eq!(server.process.stop(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

#[test]
fn what_is_not_behind_is_said() {
    let sandbox = Sandbox::new().with_site_certificate();
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let server = sandbox.serve(&["--proxy", &format!("http://127.0.0.1:{port}")]);
    let got = server.get("/");
    assert_eq!(got.status, 502);
    assert!(got.text().contains("cannot be reached") && got.text().contains("refused"), "{}", got.text());
    // One that hangs up at once.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    thread::spawn(move || listener.incoming().for_each(drop));
    assert_eq!(server.get("/").status, 502);
}

#[test]
fn http2_is_handed_on_as_http1() {
    let Some(curl) = peer("curl") else { return };
    let (sandbox, behind) = (Sandbox::new().with_site_certificate(), Behind::start());
    let server = sandbox.serve(&["--proxy", &behind.url()]);
    let (root, url) = (sandbox.ca().join("ca.pem"), format!("https://localhost:{}", server.port));
    let ask = |args: &[&str]| {
        let common = ["-sS", "--http2", "--cacert", root.to_str().unwrap(), "-w", " %{http_version} %{http_code}"];
        sandbox.peer(&curl, &[&common[..], args].concat()).expect_code(0).stdout
    };
    assert_eq!(ask(&[&format!("{url}/x"), "-H", "Cookie: a=1"]), "behind 2 200");
    let head = behind.last_head();
    assert!(head.contains(&format!("host: localhost:{}\r\n", server.port)) && head.contains("cookie: a=1"), "{head}");
    assert_eq!(ask(&[&format!("{url}/echo"), "-H", "Expect:", "--data", "abc"]), "abc 2 201");
    assert_eq!(ask(&[&format!("{url}/slow")]), "onetwo 2 200");
}
