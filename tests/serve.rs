//! `certkit serve`: a folder over HTTPS.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use rustls::version::{TLS12, TLS13};

use crate::support::background::free_port;
use crate::support::https::{Client, Served, ask, read_answer};
use crate::support::{Sandbox, peer};

/// A sandbox with a certificate and a folder `site`.
fn with_site() -> Sandbox {
    let sandbox = Sandbox::new().with_site_certificate();
    for folder in ["site", "site/sub dir", "site/empty", "site/.git", "site/.well-known", "site/index"] {
        std::fs::create_dir(sandbox.path(folder)).unwrap();
    }
    for (name, contents) in [
        ("site/hello.txt", "0123456789"),
        ("site/a<b>&\"c.html", "<p>x"),
        ("site/sub dir/x.css", "p{}"),
        ("site/none.unknown", "?"),
        ("site/empty.txt", ""),
        ("site/.env", "SECRET=1"),
        ("site/.git/config", "secret"),
        ("site/.well-known/security.txt", "mailto:x"),
        ("site/index/index.html", "<h1>index</h1>"),
        ("outside.txt", "outside"),
    ] {
        sandbox.write(name, contents);
    }
    sandbox
}

#[test]
fn a_folder_is_served_with_types_and_a_list() {
    let sandbox = with_site();
    let server = sandbox.serve(&["site"]);
    for (path, kind, body) in [
        ("/hello.txt", "text/plain; charset=utf-8", "0123456789"),
        ("/sub%20dir/x.css", "text/css; charset=utf-8", "p{}"),
        ("/none.unknown", "application/octet-stream", "?"),
        ("/empty.txt", "text/plain; charset=utf-8", ""),
        ("/index/", "text/html; charset=utf-8", "<h1>index</h1>"),
        ("/.well-known/security.txt", "text/plain; charset=utf-8", "mailto:x"),
        ("/hello.txt?query=1", "text/plain; charset=utf-8", "0123456789"),
    ] {
        let got = server.get(path);
        assert_eq!((got.status, got.field("content-type").unwrap(), got.text().as_str()), (200, kind, body), "{path}");
        assert_eq!(got.field("x-content-type-options"), Some("nosniff"));
        let head = server.ask("HEAD", path, &[]);
        assert_eq!((head.status, head.field("content-length")), (200, Some(body.len().to_string().as_str())), "{path}");
    }
    let list = server.get("/").text();
    for shown in
        ["hello.txt", "sub dir/", "./sub%20dir/", "a&lt;b&gt;&amp;&quot;c.html", "./a%3Cb%3E%26%22c.html", "10 B"]
    {
        assert!(list.contains(shown), "{shown} in {list}");
    }
    assert!(!list.contains("<b>") && !list.contains(".git") && !list.contains(".env"), "{list}");
    assert!(server.get("/empty/").text().contains("Nothing is here"));
    let got = server.get("/a%3Cb%3E%26%22c.html");
    assert_eq!((got.status, got.text().as_str()), (200, "<p>x"));
    let moved = server.get("/sub%20dir?q");
    assert_eq!((moved.status, moved.field("location")), (301, Some("/sub%20dir/?q")));
    // Not to another host.
    assert_eq!(server.get("//sub%20dir").field("location"), Some("/sub%20dir/"));
    let put = server.ask("PUT", "/hello.txt", &[("content-length", "0")]);
    assert_eq!((put.status, put.field("allow")), (405, Some("GET, HEAD")));
    assert_eq!(server.get("/nothing").status, 404);
    assert_eq!(server.get("/hello.txt/").status, 404);
}

#[test]
fn nothing_outside_the_folder_is_served() {
    let sandbox = with_site();
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        let site = sandbox.path("site");
        symlink("../outside.txt", site.join("leak.txt")).unwrap();
        symlink(sandbox.path("outside.txt"), site.join("leak-absolute.txt")).unwrap();
        symlink("..", site.join("up")).unwrap();
        symlink("/etc", site.join("etc")).unwrap();
        symlink("loop", site.join("loop")).unwrap();
        symlink("/proc/self/root/etc/passwd", site.join("magic")).unwrap();
        symlink("hello.txt", site.join("inside.txt")).unwrap();
        symlink(site.join("hello.txt"), site.join("inside-absolute.txt")).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(site.join("pipe")).status().unwrap().success());
    }
    let server = sandbox.serve(&["site"]);
    for path in [
        "/../outside.txt",
        "/%2e%2e/outside.txt",
        "/.%2e/outside.txt",
        "/%2E%2E%2Foutside.txt",
        "/..%2foutside.txt",
        "/sub%20dir/../../outside.txt",
        "/sub%20dir/..%2f..%2foutside.txt",
        "/hello.txt%00",
        "/hello.txt%00.html",
        "/%",
        "/%zz",
        "/..",
        "/%5c..%5coutside.txt",
        "/....//outside.txt",
        "/%252e%252e/outside.txt",
        "//../outside.txt",
        "/%2fetc/passwd",
        "//etc/passwd",
        "/.env",
        "/%2eenv",
        "/.git/config",
        "/.git/",
        "/.well-known/../.env",
        "/leak.txt",
        "/leak-absolute.txt",
        "/up/outside.txt",
        "/up/",
        "/etc/passwd",
        "/loop",
        "/magic",
        "/pipe",
    ] {
        let got = server.get(path);
        assert!([400, 404].contains(&got.status), "{path}: {got:?}");
        assert!(
            !got.text().contains("outside\n") && !got.text().contains("SECRET") && !got.text().contains("root:"),
            "{path}"
        );
    }
    #[cfg(unix)]
    {
        assert_eq!(server.get("/inside.txt").text(), "0123456789");
        assert_eq!(server.get("/inside-absolute.txt").text(), "0123456789");
        let list = server.get("/").text();
        assert!(list.contains("inside.txt") && !list.contains("leak") && !list.contains("pipe"), "{list}");
    }
    let absolute = server.get("http://localhost/hello.txt");
    assert_eq!(absolute.status, 200, "the absolute form of RFC 9112 §3.2.2 is a path all the same");
}

#[test]
fn the_servers_own_keys_are_not_for_clients() {
    let sandbox = with_site();
    sandbox.write("notes.txt", "x");
    sandbox.certkit(&["new", "--cn", "b.test", "--out", "both.pem", "--keyout", "both.pem"]).expect_code(0);
    // Its key lies beside localhost.pem.
    let server = sandbox.serve(&["--cert", "both.pem", "--key-log", "keys.txt"]);
    assert_eq!(server.get("/notes.txt").status, 200);
    #[cfg(unix)]
    std::fs::hard_link(sandbox.path("both.pem"), sandbox.path("other.txt")).unwrap();
    for path in ["/localhost-key.pem", "/both.pem", "/keys.txt", "/other.txt", "/site/../both.pem"] {
        let got = server.get(path);
        assert!([400, 404].contains(&got.status) && !got.text().contains("PRIVATE"), "{path}: {got:?}");
    }
    let list = server.get("/").text();
    assert!(list.contains("notes.txt") && !list.contains("key") && !list.contains("both"), "{list}");
}

#[test]
fn parts_and_versions_of_a_file_can_be_asked_for() {
    let sandbox = with_site();
    let server = sandbox.serve(&["site"]);
    let range = |field: &str| server.ask("GET", "/hello.txt", &[("range", field)]);
    for (field, status, body, part) in [
        ("bytes=2-4", 206, "234", Some("bytes 2-4/10")),
        ("bytes=8-", 206, "89", Some("bytes 8-9/10")),
        ("bytes=-3", 206, "789", Some("bytes 7-9/10")),
        ("bytes=0-99", 206, "0123456789", Some("bytes 0-9/10")),
        ("bytes=10-", 416, "the file has no such part\n", Some("bytes */10")),
        ("bytes=0-1,4-5", 200, "0123456789", None),
        ("bytes=4-2", 200, "0123456789", None),
        ("nonsense", 200, "0123456789", None),
    ] {
        let got = range(field);
        assert_eq!((got.status, got.text().as_str(), got.field("content-range")), (status, body, part), "{field}");
    }
    let whole = server.get("/hello.txt");
    assert_eq!(whole.field("accept-ranges"), Some("bytes"));
    let (tag, date) = (whole.field("etag").unwrap(), whole.field("last-modified").unwrap());
    let status = |fields: &[(&str, &str)]| server.ask("GET", "/hello.txt", fields).status;
    assert_eq!(status(&[("if-none-match", tag)]), 304);
    assert_eq!(status(&[("if-modified-since", date)]), 304);
    assert_eq!(status(&[("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT")]), 200);
    assert_eq!(status(&[("if-match", "\"other\"")]), 412);
    assert_eq!(status(&[("range", "bytes=0-1"), ("if-range", tag)]), 206);
    assert_eq!(status(&[("range", "bytes=0-1"), ("if-range", "\"other\"")]), 200);
    assert_eq!(server.ask("HEAD", "/hello.txt", &[("range", "bytes=0-1")]).status, 200);
    sandbox.write("site/hello.txt", "another");
    assert_eq!(status(&[("if-none-match", tag)]), 200);
}

#[test]
fn a_large_file_comes_whole_and_is_not_held() {
    let sandbox = with_site();
    let contents: Vec<u8> = (0..20_000_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    sandbox.write("site/large.bin", &contents);
    let server = sandbox.serve(&["site"]);
    let mut connection = server.connect();
    assert!(ask(&mut connection, "GET", "/large.bin", &[]).body == contents);
    let part = ask(&mut connection, "GET", "/large.bin", &[("range", "bytes=65530-19000000")]);
    assert!(part.body == contents[65_530..=19_000_000]);
    // A file that becomes shorter on the way breaks the answer off.
    connection.write_all(b"GET /large.bin HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(300));
    sandbox.write("site/large.bin", "short");
    assert!(read_answer(&mut connection, false).is_err());
    #[cfg(target_os = "linux")]
    {
        let slow: Vec<_> = (0..20)
            .map(|_| {
                let mut connection = server.connect();
                connection.write_all(b"GET /large.bin HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
                connection
            })
            .collect();
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.process.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let kib: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        assert!(kib < 100_000, "{peak}");
        drop(slow);
    }
}

#[test]
fn several_requests_share_a_connection_and_are_logged() {
    let sandbox = with_site();
    let server = sandbox.serve(&["site"]);
    let mut connection = server.connect();
    for path in ["/hello.txt", "/nothing", "/hello.txt"] {
        ask(&mut connection, "GET", path, &[]);
    }
    drop(connection);
    let mut plain = server.tcp();
    plain.write_all(b"nonsense").unwrap();
    server.log_with("it does not speak TLS");
    assert_eq!(server.process.stop(), Some(0));
    let said = std::fs::read_to_string(sandbox.home().join("background.log")).unwrap();
    let rows: Vec<serde_json::Value> =
        said.lines().filter(|line| line.starts_with('{')).map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows[0]["event"], "serving");
    assert_eq!(rows[0]["certificates"][0]["names"][0], "localhost");
    let answered: Vec<_> = rows.iter().filter(|row| row["event"] == "answered").collect();
    let told = |row: &serde_json::Value| (row["target"].clone(), row["status"].clone(), row["octets"].clone());
    assert_eq!(told(answered[0]), ("/hello.txt".into(), 200.into(), 10.into()));
    assert_eq!(answered[1]["status"], 404);
    assert_eq!((&answered[0]["tls"], &answered[0]["server_name"]), (&"TLS 1.3".into(), &"localhost".into()));
    let end = rows.last().unwrap();
    assert_eq!((&end["event"], &end["requests"], &end["handshakes"]), (&"stopped".into(), &3.into(), &1.into()));
}

#[test]
fn a_client_that_has_said_all_is_still_answered() {
    let sandbox = with_site();
    let server = sandbox.serve(&["site"]);
    let mut connection = server.connect();
    connection.conn.writer().write_all(b"GET /hello.txt HTTP/1.0\r\n\r\n").unwrap();
    // In one flight with the request.
    connection.conn.send_close_notify();
    let answer = read_answer(&mut connection, false).unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (200, "0123456789"));
}

#[test]
fn the_log_is_for_people_too_and_can_be_left_out() {
    let sandbox = with_site();
    for (more, logs) in [(&[][..], true), (&["--no-log"], false)] {
        let port = free_port();
        let listen = format!("127.0.0.1:{port}");
        let args = ["serve", "site", "--cert", "localhost.pem", "--listen", &listen];
        let mut process = sandbox.start(sandbox.command().args(args).args(more));
        process.wait_for(port);
        let server = Served { port, process, sandbox: &sandbox };
        server.get("/hello.txt");
        server.get("/a\u{9b}");
        server.get("/%1b[2J");
        assert_eq!(server.process.stop(), Some(0));
        let said = std::fs::read_to_string(sandbox.home().join("background.log")).unwrap();
        assert!(
            said.starts_with(&format!(
                "serving site at https://{listen}/\n  certificate  localhost.pem (P-256, expires in "
            )),
            "{said}"
        );
        assert!(!said.contains('\u{1b}') && !said.contains('\u{9b}'), "{said}");
        assert_eq!(said.contains(" GET /%1b[2J 404 "), logs, "{said}");
        assert_eq!(said.contains(" GET /hello.txt 200 10 B "), logs, "{said}");
        assert!(said.lines().last().unwrap().starts_with("stopped: "), "{said}");
    }
}

#[test]
fn versions_are_those_that_were_asked_for() {
    let sandbox = with_site();
    let old = Client { versions: vec![&TLS12], ..Client::default() };
    let new = Client { versions: vec![&TLS13], ..Client::default() };
    let server = sandbox.serve(&["site"]);
    for client in [&old, &new] {
        assert_eq!(ask(&mut server.connect_as(client).unwrap(), "GET", "/hello.txt", &[]).status, 200);
    }
    drop(server);
    let server = sandbox.serve(&["site", "--min-tls", "1.3"]);
    assert!(server.connect_as(&old).is_err());
    assert_eq!(ask(&mut server.connect_as(&new).unwrap(), "GET", "/hello.txt", &[]).status, 200);
}

#[test]
fn requests_under_way_are_answered_before_it_stops() {
    let sandbox = with_site();
    sandbox.write("site/large.bin", vec![7; 30_000_000]);
    let server = sandbox.serve(&["site"]);
    let mut idle = server.connect();
    ask(&mut idle, "GET", "/hello.txt", &[]);
    let mut busy = server.connect();
    busy.write_all(b"GET /large.bin HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut first = [0; 1000];
    busy.read_exact(&mut first).unwrap();
    let begun = Instant::now();
    let stopping = std::thread::spawn({
        let process = server.process;
        move || process.stop()
    });
    // The idle connection ends soon, the busy one when it is done.
    assert_eq!(idle.read(&mut [0; 1]).unwrap_or(0), 0);
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    let mut rest = Vec::new();
    _ = busy.read_to_end(&mut rest);
    assert!(rest.len() + 1000 > 30_000_000, "{}", rest.len());
    assert_eq!(stopping.join().unwrap(), Some(0));
}

#[test]
fn without_a_certificate_there_is_one_for_localhost() {
    let sandbox = Sandbox::new();
    sandbox.write("hello.txt", "hello");
    let server = sandbox.serve_bare(&[]);
    assert_eq!(server.get("/hello.txt").text(), "hello");
    let said = server.log_with("\"serving\"");
    assert!(said.contains("made a CA in") && said.contains(sandbox.ca().join("ca.pem").to_str().unwrap()), "{said}");
    let client = Client { name: "127.0.0.1".to_owned(), ..Client::default() };
    assert_eq!(ask(&mut server.connect_as(&client).unwrap(), "GET", "/hello.txt", &[]).status, 200);
    let file = sandbox.ca().with_file_name("ca-serve").join("localhost.pem");
    let made = std::fs::read(&file).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    }
    assert_eq!(server.process.stop(), Some(0));
    // It is used again, until it is not the CA's.
    drop(sandbox.serve_bare(&[]));
    assert!(std::fs::read(&file).unwrap() == made);
    std::fs::remove_dir_all(sandbox.ca()).unwrap();
    let server = sandbox.serve_bare(&[]);
    assert_eq!(server.get("/hello.txt").text(), "hello");
    assert!(std::fs::read(&file).unwrap() != made);
}

#[test]
fn what_cannot_be_served_is_refused() {
    let sandbox = with_site();
    sandbox.certkit(&["new", "--cn", "other"]).expect_code(0);
    let serve = |args: &[&str]| sandbox.certkit(&[&["serve", "--listen", "127.0.0.1:0"], args].concat()).expect_code(2);
    serve(&["nowhere", "--cert", "localhost.pem"]).complains("cannot serve nowhere: no such file");
    serve(&["outside.txt", "--cert", "localhost.pem"]).complains("a part of the path is no folder");
    serve(&["site", "--cert", "localhost.pem", "--key", "other-key.pem"]).complains("is the key of none of these");
    serve(&["site", "--cert", "localhost-key.pem"]).complains("localhost-key.pem");
    sandbox.write("alone.pem", sandbox.read("other.pem"));
    serve(&["site", "--cert", "alone.pem"]).complains("has a certificate and no key").complains("--key FILE");
    serve(&["site", "--cert", "alone.pem", "--key", "localhost-key.pem"])
        .complains("the key of the certificate in alone.pem is not in localhost-key.pem")
        .complains("certkit key match");
    sandbox.write("mixed.pem", [sandbox.read("other-key.pem"), sandbox.read("localhost.pem")].concat());
    serve(&["site", "--cert", "mixed.pem"]).complains("the key is not that of the certificate for localhost");
    serve(&["site", "--key", "other-key.pem"]).complains("--cert");
    serve(&["site", "--echo"]).complains("--echo");
    serve(&["--proxy", "https://127.0.0.1:1", "--cert", "localhost.pem"]).complains("plain HTTP");
    serve(&["site", "--cert", "localhost.pem", "--require-client-cert"]).complains("--client-ca");
    serve(&["site", "--cert", "localhost.pem", "--passphrase", "env:X"]).complains("has no effect");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = sandbox.certkit(&["serve", "site", "--cert", "localhost.pem", "--listen", &address]).expect_code(2);
    ran.complains("cannot listen on").complains("choose another port with --listen");
    for (address, hint) in [
        ("127.0.0.1:80000", "an address and a port are due"),
        ("localhost", "an address and a port are due"),
        ("192.0.2.99:0", "has to be one of this machine"),
    ] {
        let ran = sandbox.certkit(&["serve", "site", "--cert", "localhost.pem", "--listen", address]).expect_code(2);
        ran.complains("cannot listen on").complains(hint);
    }
}

#[test]
fn http2_and_http1_say_the_same() {
    let Some(curl) = peer("curl") else { return };
    let sandbox = with_site();
    sandbox.write("site/large.bin", vec![7; 3_000_000]);
    let server = sandbox.serve(&["site"]);
    let root = sandbox.ca().join("ca.pem");
    let url = |path: &str| format!("https://localhost:{}{path}", server.port);
    for version in ["--http1.1", "--http2"] {
        let ask = |more: &[&str]| {
            sandbox.peer(&curl, &[&["-sS", version, "--cacert", root.to_str().unwrap()], more].concat()).expect_code(0)
        };
        let format = ["-o", "/dev/null", "-w", "%{http_version} %{http_code} %{size_download}"];
        let told = ask(&[&format[..], &[&url("/large.bin")]].concat()).stdout;
        assert_eq!(told, if version == "--http2" { "2 200 3000000" } else { "1.1 200 3000000" });
        let told = ask(&[&format[..], &["-r", "5-8", &url("/hello.txt")]].concat()).stdout;
        assert!(told.ends_with("206 4"), "{told}");
        let head = ask(&["-I", &url("/hello.txt")]).stdout.to_lowercase();
        assert!(head.contains("content-length: 10") && head.contains("etag"), "{head}");
        assert!(ask(&["--path-as-is", &url("/../outside.txt")]).stdout.contains("leads out of the folder"));
    }
}
