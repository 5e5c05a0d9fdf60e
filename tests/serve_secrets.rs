//! `certkit serve` hands out no private key that lies in its folder.

use crate::support::https::{Client, ask};
use crate::support::{Sandbox, peer};

/// A folder with everything that certkit and others leave there, and a page.
fn with_keys() -> Sandbox {
    let sandbox = Sandbox::new().with_site_certificate();
    std::fs::create_dir(sandbox.path("site")).unwrap();
    for arguments in [
        &["new", "--cn", "a.test", "--out", "site/a.pem", "--keyout", "site/a-key.pem"][..],
        &["new", "--cn", "b.test", "--out", "site/both.pem", "--keyout", "site/both.pem"],
        &["key", "new", "--type", "ed25519", "--out", "site/notes.txt"],
        &["key", "convert", "site/a-key.pem", "--format", "der", "--out", "site/data.bin"],
        &["key", "convert", "site/a-key.pem", "--format", "jwk", "--out", "site/key.json"],
    ] {
        sandbox.certkit(arguments).expect_code(0);
    }
    let key = String::from_utf8(sandbox.read("site/a-key.pem")).unwrap();
    let json = serde_json::json!({ "type": "service_account", "private_key": key }).to_string();
    for (name, contents) in [
        ("site/page.html", "<p>-----BEGIN PRIVATE KEY----- begins a key</p>".to_owned()),
        ("site/account.json", json),
        ("site/late.log", format!("{}\n{key}", "line\n".repeat(20_000))),
        ("site/store.p12", "?".to_owned()),
    ] {
        sandbox.write(name, contents);
    }
    sandbox
}

const SECRET: [&str; 8] =
    ["a-key.pem", "both.pem", "notes.txt", "data.bin", "key.json", "account.json", "late.log", "store.p12"];

#[test]
fn private_keys_are_neither_served_nor_listed_and_the_log_says_so() {
    let sandbox = with_keys();
    let server = sandbox.serve(&["site"]);
    for name in SECRET {
        let path = format!("/{name}");
        let nothing = server.get("/nothing");
        for (method, fields) in [
            ("GET", &[][..]),
            ("HEAD", &[]),
            ("GET", &[("range", "bytes=0-9")]),
            ("GET", &[("range", "bytes=-9")]),
            ("GET", &[("range", "bytes=900000-")]),
            ("GET", &[("if-none-match", "*")]),
            ("GET", &[("if-match", "\"x\"")]),
        ] {
            let got = server.ask(method, &path, fields);
            assert_eq!((got.status, got.field("etag")), (404, None), "{method} {name} {fields:?}");
            assert!(method == "HEAD" || got.body == nothing.body, "{name}");
        }
    }
    // Once more: now it is remembered.
    assert_eq!(server.get("/notes.txt").status, 404);
    for name in ["a.pem", "page.html"] {
        assert_eq!(server.get(&format!("/{name}")).body, sandbox.read(format!("site/{name}")));
    }
    let list = server.get("/").text();
    assert!(list.contains("a.pem") && list.contains("page.html"), "{list}");
    // What is too large to be looked at for a list is refused all the same.
    assert!(SECRET.iter().filter(|name| **name != "late.log").all(|name| !list.contains(name)), "{list}");
    let log = server.log_with("/both.pem");
    let row = log.lines().find(|line| line.contains("/both.pem")).unwrap();
    assert!(row.contains("\"withheld\":true"), "{row}");
    assert!(log.lines().find(|line| line.contains("/nothing")).unwrap().contains("\"withheld\":false"));
}

#[cfg(unix)]
#[test]
fn another_name_is_no_way_to_a_key_and_neither_is_another_moment() {
    let sandbox = with_keys();
    let site = sandbox.path("site");
    std::os::unix::fs::symlink("a-key.pem", site.join("page.txt")).unwrap();
    std::fs::hard_link(site.join("notes.txt"), site.join("other.txt")).unwrap();
    std::fs::create_dir(site.join("folder")).unwrap();
    std::os::unix::fs::symlink("../both.pem", site.join("folder/index.html")).unwrap();
    let server = sandbox.serve(&["site"]);
    for path in ["/page.txt", "/other.txt", "/folder/", "/folder/index.html"] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
    let list = server.get("/").text();
    assert!(!list.contains("page.txt") && !list.contains("other.txt"), "{list}");

    // A page that becomes a key of the same length and age, and back.
    let key = sandbox.read("site/notes.txt");
    let page = sandbox.write("site/turn.txt", vec![b'x'; key.len()]);
    let age = std::fs::metadata(&page).unwrap().modified().unwrap();
    assert_eq!(server.get("/turn.txt").status, 200);
    let is_now = |contents: &[u8]| {
        std::fs::write(&page, contents).unwrap();
        std::fs::File::options().write(true).open(&page).unwrap().set_modified(age).unwrap();
    };
    is_now(&key);
    assert_eq!(server.get("/turn.txt").status, 404);
    is_now(&vec![b'x'; key.len()]);
    assert_eq!(server.get("/turn.txt").status, 200);
}

#[test]
fn http2_gets_no_key_either() {
    let Some(curl) = peer("curl") else { return };
    let sandbox = with_keys();
    let server = sandbox.serve(&["site"]);
    let root = sandbox.ca().join("ca.pem").display().to_string();
    for name in SECRET {
        let url = format!("https://localhost:{}/{name}", server.port);
        let fixed = ["-sS", "--http2", "--cacert", &root, "-o", "got", "-w", "%{http_version} %{http_code}"];
        assert_eq!(sandbox.peer(&curl, &[&fixed[..], &[&url]].concat()).expect_code(0).stdout, "2 404", "{name}");
        assert!(!String::from_utf8_lossy(&sandbox.read("got")).contains("PRIVATE"), "{name}");
    }
}

#[test]
fn whoever_insists_is_served_keys_but_not_the_servers_own() {
    let sandbox = with_keys();
    std::fs::copy(sandbox.path("localhost-key.pem"), sandbox.path("site/own.txt")).unwrap();
    let own = ["--cert", "localhost.pem", "--key", "site/own.txt"];
    let server = sandbox.serve_bare(&[&["site", "--allow-private-keys"][..], &own].concat());
    let mut connection = server.connect_as(&Client::default()).unwrap();
    assert_eq!(ask(&mut connection, "GET", "/both.pem", &[]).body, sandbox.read("site/both.pem"));
    let list = server.get("/").text();
    assert!(SECRET.iter().all(|name| list.contains(name)) && !list.contains("own.txt"), "{list}");
    assert_eq!(server.get("/own.txt").status, 404);
    let args = ["serve", "--echo", "--allow-private-keys", "--cert", "localhost.pem"];
    sandbox.certkit(&args).expect_code(2).complains("--allow-private-keys");
}
