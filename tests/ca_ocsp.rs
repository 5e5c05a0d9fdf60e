//! `certkit ca ocsp`: files and a server, asked by other programs.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use crate::support::background::{Background, comes_true, free_port};
use crate::support::{Peer, Ran, Sandbox, peer};

/// A sandbox with a CA that has issued a.test and b.test and revoked b.test.
fn with_certificates() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.certkit(&["ca", "init", "--name", "Test CA"]).expect_code(0);
    for name in ["a.test", "b.test"] {
        sandbox.certkit(&["ca", "issue", name]).expect_code(0);
    }
    sandbox.certkit(&["ca", "revoke", "b.test", "--reason", "superseded"]).expect_code(0);
    sandbox
}

fn root(sandbox: &Sandbox) -> String {
    sandbox.ca().join("ca.pem").to_str().unwrap().to_owned()
}

/// Writes a request for this certificate to req.der.
fn request(sandbox: &Sandbox, openssl: &Peer, file: &str, more: &[&str]) {
    let ask = ["ocsp", "-issuer", &root(sandbox), "-cert", file, "-reqout", "req.der"];
    sandbox.peer(openssl, &[&ask, more].concat()).expect_code(0);
}

/// A responder on a port of its own.
fn serving(sandbox: &Sandbox, more: &[&str]) -> (Background, String) {
    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let mut server = sandbox.start(sandbox.command().args(["ca", "ocsp", "--serve", &address]).args(more));
    server.wait_for(port);
    (server, format!("http://{address}"))
}

fn openssl_asks(sandbox: &Sandbox, openssl: &Peer, url: &str, file: &str, more: &[&str]) -> Ran {
    let root = root(sandbox);
    let ask = ["ocsp", "-issuer", &root, "-CAfile", &root, "-cert", file, "-url", url];
    sandbox.peer(openssl, &[&ask, more].concat())
}

#[test]
fn an_answer_in_a_file_is_what_certkit_and_openssl_judge_by() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = with_certificates();
    let root = root(&sandbox);
    for (name, word, code) in [("a.test", "good", 0), ("b.test", "revoked", 1)] {
        let file = format!("{name}.pem");
        for (hash, by) in [("-sha1", &[][..]), ("-sha256", &["--responder-id", "name"]), ("-sha384", &["--by-ca"])] {
            let ask = ["ocsp", hash, "-issuer", &root, "-cert", &file, "-reqout", "req.der"];
            sandbox.peer(&openssl, &ask).expect_code(0);
            let answer = ["ca", "ocsp", "--request", "req.der", "--out", "resp.der", "--force", "--json"];
            let told = sandbox.certkit(&[&answer, by].concat()).expect_code(0).json();
            assert_eq!(told["answers"][0]["status"], word, "{hash}");
            let verify = ["verify", &file, "--host", name, "--roots", &root, "--ocsp", "resp.der"];
            sandbox.certkit(&[&verify[..], &["--check-revocation", "leaf"]].concat()).expect_code(code);
            let judge = ["ocsp", hash, "-respin", "resp.der", "-CAfile", &root, "-issuer", &root, "-cert", &file];
            let judged = sandbox.peer(&openssl, &[&judge[..], &["-no_nonce"]].concat()).expect_code(0);
            judged.complains("Response verify OK").says(&format!("{file}: {word}"));
        }
    }
}

#[test]
fn what_is_not_ours_is_declined_and_what_we_never_signed_is_unknown() {
    let Some(openssl) = peer("openssl") else { return };
    let (sandbox, other) = (with_certificates(), with_certificates());
    request(&other, &openssl, "a.test.pem", &[]);
    sandbox.write("req.der", other.read("req.der"));
    let answer = ["ca", "ocsp", "--request", "req.der", "--force"];
    sandbox.certkit(&answer).expect_code(1).says("unauthorized");
    let root = root(&sandbox);
    let unknown = ["ocsp", "-issuer", &root, "-serial", "0x1234", "-reqout", "req.der"];
    sandbox.peer(&openssl, &unknown).expect_code(0);
    sandbox.certkit(&answer).expect_code(0).says("unknown");
    sandbox.write("req.der", "nonsense");
    sandbox.certkit(&answer).expect_code(1).says("malformedRequest");
    sandbox.certkit(&["ca", "ocsp", "--request", "req.der"]).expect_code(2).complains("exists");
    sandbox.certkit(&["ca", "ocsp"]).expect_code(2);
    sandbox.certkit(&["ca", "ocsp", "--request", "x", "--serve", "y"]).expect_code(2);
}

#[test]
fn certificates_of_another_authority_of_the_ca_are_told() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = with_certificates();
    sandbox.certkit(&["ca", "intermediate", "web"]).expect_code(0);
    sandbox.certkit(&["ca", "issue", "c.test", "--issuer", "web"]).expect_code(0);
    let web = sandbox.ca().join("web.pem").to_str().unwrap().to_owned();
    request(&sandbox, &openssl, "a.test.pem", &["-issuer", &web, "-cert", "c.test.pem", "-no_nonce"]);
    let answer = ["ca", "ocsp", "--request", "req.der", "--force"];
    let told = sandbox.certkit(&answer).expect_code(0).says("good").says("unknown");
    told.complains("another authority of this CA").complains("--issuer web");
    let told =
        sandbox.certkit(&[&answer[..], &["--issuer", "web"]].concat()).expect_code(0).says("good").says("unknown");
    assert!(!told.stderr.contains("another authority"), "{told}");
}

#[test]
fn a_request_that_is_declined_is_told_why() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = with_certificates();
    request(&sandbox, &openssl, "a.test.pem", &["-no_nonce"]);
    let plain = sandbox.read("req.der");
    let base64 = certkit::encoding::base64::encode(&plain);
    // An extension in place of none: the outer SEQUENCE, tbsRequest, requestList, then [2].
    let extended = |oid: &[u8], critical: bool, value: &[u8]| {
        let list = &plain[4..];
        let tlv = |tag: u8, parts: &[&[u8]]| certkit::encoding::der::tlv(tag, &parts.concat());
        let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
        let extension = tlv(0x30, &[&tlv(6, &[oid]), critical, &tlv(4, &[value])]);
        tlv(0x30, &[&tlv(0x30, &[list, &tlv(0xa2, &[&tlv(0x30, &[&extension])])])])
    };
    let nonce = [0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2];
    let octets = |count: usize| certkit::encoding::der::octet_string(&vec![7; count]);
    for (request, why) in [
        (base64.clone().into_bytes(), "it is base64, and --request takes the DER itself"),
        (format!("-----BEGIN OCSP REQUEST-----\n{base64}\n-----END OCSP REQUEST-----\n").into_bytes(), "it is PEM"),
        (extended(&nonce, false, &octets(200)), "nonce"),
        (extended(&nonce, false, &octets(0)), "nonce"),
        (extended(&[0x2a, 3, 4], true, &[]), "critical extension 1.2.3.4 is not known"),
    ] {
        sandbox.write("req.der", request);
        let answer = ["ca", "ocsp", "--request", "req.der", "--force"];
        sandbox.certkit(&answer).expect_code(1).says("malformedRequest").says(why);
        let told = sandbox.certkit(&[&answer[..], &["--json"]].concat()).expect_code(1).json();
        assert!(told["because"].as_str().unwrap().contains(why), "{told}");
    }
}

#[test]
fn the_delegate_is_kept_in_the_folder_for_its_owner_alone() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = with_certificates();
    request(&sandbox, &openssl, "a.test.pem", &[]);
    let recorded = || {
        let listed = sandbox.certkit(&["ca", "list", "--json"]).expect_code(0).json();
        let profiles = listed["certificates"].as_array().unwrap().iter().map(|one| one["profile"].clone());
        profiles.filter(|profile| profile == "ocsp-responder").count()
    };
    let answer = |more: &[&str]| {
        sandbox.certkit(&[&["ca", "ocsp", "--request", "req.der", "--force"], more].concat()).expect_code(0);
    };
    answer(&[]);
    answer(&[]);
    assert_eq!(recorded(), 1);
    let file = sandbox.ca().join("ca.ocsp.pem");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // It answers without the CA's key.
    let key = sandbox.ca().join("ca-key.pem");
    let aside = sandbox.path("aside.pem");
    std::fs::copy(&key, &aside).unwrap();
    answer(&["--by-ca"]);
    assert_eq!(recorded(), 1);
    // One that was revoked is replaced.
    sandbox.certkit(&["ca", "revoke", file.to_str().unwrap()]).expect_code(0);
    answer(&[]);
    answer(&["--ephemeral"]);
    assert_eq!(recorded(), 3);
}

#[test]
fn openssl_asks_the_server_with_and_without_a_nonce() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = with_certificates();
    let (server, url) = serving(&sandbox, &[]);
    for more in [&["-nonce"][..], &["-no_nonce"]] {
        let ask = |file| openssl_asks(&sandbox, &openssl, &url, file, more).expect_code(0);
        let good = ask("a.test.pem").says("a.test.pem: good").complains("Response verify OK");
        assert!(!good.stderr.contains("no nonce in response"), "{good}");
        ask("b.test.pem").says("b.test.pem: revoked").says("superseded");
    }
    // A revocation shows at once.
    sandbox.certkit(&["ca", "revoke", "--hold", "a.test"]).expect_code(0);
    openssl_asks(&sandbox, &openssl, &url, "a.test.pem", &[]).expect_code(0).says("a.test.pem: revoked");
    sandbox.certkit(&["ca", "revoke", "--release", "a.test"]).expect_code(0);
    openssl_asks(&sandbox, &openssl, &url, "a.test.pem", &[]).expect_code(0).says("a.test.pem: good");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn gnutls_asks_the_server() {
    let Some(ocsptool) = peer("ocsptool") else { return };
    let sandbox = with_certificates();
    let (_server, url) = serving(&sandbox, &["--responder-id", "name"]);
    let root = root(&sandbox);
    for (file, word) in [("a.test.pem", "good"), ("b.test.pem", "revoked")] {
        let ask = format!("--ask={url}");
        let told = ["--load-cert", file, "--load-issuer", &root, "--load-trust", &root, "--nonce"];
        let told = sandbox.peer(&ocsptool, &[&[ask.as_str()], &told[..]].concat());
        let all = format!("{}{}", told.stdout, told.stderr).to_lowercase();
        assert!(all.contains(&format!("certificate status: {word}")) && all.contains("success"), "{told}");
    }
}

#[test]
fn an_answer_to_get_may_be_kept_and_one_to_post_not() {
    let (Some(openssl), Some(curl)) = (peer("openssl"), peer("curl")) else { return };
    let sandbox = with_certificates();
    let (_server, url) = serving(&sandbox, &[]);
    request(&sandbox, &openssl, "a.test.pem", &["-no_nonce"]);
    let path = certkit::encoding::base64::encode(&sandbox.read("req.der"))
        .replace('/', "%2F")
        .replace('+', "%2B")
        .replace('=', "%3D");
    let get = |more: &[&str]| {
        let whole = format!("{url}/{path}");
        sandbox.peer(&curl, &[&["-sS", "-i", &whole], more].concat()).expect_code(0).stdout.to_lowercase()
    };
    let answer = get(&[]);
    for field in ["application/ocsp-response", "cache-control: max-age=", "etag: ", "last-modified: ", "expires: "] {
        assert!(answer.contains(field), "{field}: {answer}");
    }
    let tag = answer.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().trim().to_owned();
    assert!(get(&["-H", &format!("If-None-Match: {tag}")]).starts_with("http/1.1 304"));
    let post = |kind: &str| {
        let kind = format!("Content-Type: {kind}");
        sandbox.peer(&curl, &["-sS", "-i", "-H", &kind, "--data-binary", "@req.der", &url]).stdout.to_lowercase()
    };
    assert!(post("application/ocsp-request").contains("cache-control: no-store"));
    assert!(post("text/plain").starts_with("http/1.1 415"));
    let status = |args: &[&str]| {
        let ask = ["-sS", "-o", "/dev/null", "-w", "%{http_code}"];
        sandbox.peer(&curl, &[&ask, args].concat()).expect_code(0).stdout
    };
    assert_eq!(status(&[&url]), "404");
    assert_eq!(status(&["-X", "DELETE", &url]), "405");
    let long = "x".repeat(20_000);
    assert_eq!(status(&["-H", "Content-Type: application/ocsp-request", "--data", &long, &url]), "413");
}

#[test]
fn slow_clients_do_not_stop_the_server_and_it_stops_when_told() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = with_certificates();
    let (server, url) = serving(&sandbox, &[]);
    let port: u16 = url.rsplit(':').next().unwrap().parse().unwrap();
    // More than there are places.
    let slow: Vec<TcpStream> = (0..700)
        .map(|_| {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
            _ = stream.write_all(b"POST / HTTP/1.1\r\n");
            stream
        })
        .collect();
    let begun = Instant::now();
    openssl_asks(&sandbox, &openssl, &url, "a.test.pem", &[]).expect_code(0).says("good");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let mut first = slow.into_iter().next().unwrap();
    first.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    assert!(!matches!(first.read(&mut [0; 1]), Ok(1..)), "it said nothing and gets no answer");
    let begun = Instant::now();
    assert_eq!(server.stop(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

#[cfg(target_os = "linux")]
#[test]
fn nginx_staples_and_curl_takes_it() {
    let (Some(nginx), Some(curl)) = (nginx(), peer("curl")) else { return };
    let sandbox = with_certificates();
    let (_server, url) = serving(&sandbox, &[]);
    let (root, port) = (root(&sandbox), free_port());
    let here = sandbox.work();
    let here = here.to_str().unwrap();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {here}/nginx-{kind};"))
        .concat();
    let stapling = format!(
        "ssl_stapling on; ssl_stapling_verify on; ssl_stapling_responder {url}/; ssl_trusted_certificate {root};"
    );
    // curl looks for the issuer among the certificates it is sent and nowhere else, so the root has to be sent too.
    let chain = [sandbox.read("a.test.pem"), std::fs::read(&root).unwrap()].concat();
    sandbox.write("chain.pem", chain);
    let site = "ssl_certificate chain.pem; ssl_certificate_key a.test-key.pem;";
    let configuration = format!(
        "daemon off; master_process off; pid nginx.pid; error_log stderr info;\nevents {{}}\nhttp {{ access_log off; {temporary}\n\
         server {{ listen 127.0.0.1:{port} ssl; {site} {stapling} location / {{ return 200 'stapled\\n'; }} }} }}"
    );
    sandbox.write("nginx.conf", configuration);
    let log = sandbox.program(&nginx.path).args(["-p", here, "-c", &format!("{here}/nginx.conf"), "-e", "stderr"]);
    let other = Sandbox::new();
    let mut web = other.start(log);
    web.wait_for(port);
    let resolve = format!("a.test:{port}:127.0.0.1");
    let site = format!("https://a.test:{port}/");
    let ask = || sandbox.peer(&curl, &["-sS", "--cert-status", "--cacert", &root, "--resolve", &resolve, &site]);
    // nginx asks the responder when the first client comes, and staples for those after it.
    let mut told = ask();
    comes_true(|| {
        told = ask();
        told.code == Some(0)
    });
    assert_eq!((told.code, told.stdout.as_str()), (Some(0), "stapled\n"), "{told}{}", web.said());
}

#[cfg(target_os = "linux")]
fn nginx() -> Option<Peer> {
    let sbin = std::path::Path::new("/usr/sbin/nginx");
    if sbin.is_file() { Some(Peer { path: sbin.into() }) } else { peer("nginx") }
}

#[test]
fn the_delegates_certificate_is_renewed_while_the_server_runs() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = with_certificates();
    // It began five minutes ago, so two thirds of its time are over in five seconds.
    let end = format!("@{}", time::OffsetDateTime::now_utc().unix_timestamp() + 157);
    let make = ["ca", "issue", "--profile", "ocsp-responder", "--cn", "Old", "--out", "old.pem", "--keyout", "old.pem"];
    sandbox.certkit(&[&make[..], &["--not-after", &end]].concat()).expect_code(0);
    let file = sandbox.ca().join("ca.ocsp.pem");
    std::fs::copy(sandbox.path("old.pem"), &file).unwrap();
    let (_server, url) = serving(&sandbox, &[]);
    let responder = || {
        let told = openssl_asks(&sandbox, &openssl, &url, "a.test.pem", &["-resp_text"]).expect_code(0);
        let text = told.complains("Response verify OK").stdout;
        text.contains("Subject: CN=Old") || text.contains("Subject: CN = Old")
    };
    assert!(responder(), "the delegate that is there is good for some seconds");
    assert!(comes_true(|| std::fs::read(&file).unwrap() != sandbox.read("old.pem")), "there is a new certificate");
    assert!(comes_true(|| !responder()), "another one answers");
}

#[test]
fn a_delegate_that_is_revoked_while_the_server_runs_signs_nothing_more() {
    let Some(openssl) = peer("openssl") else { return };
    let sandbox = with_certificates();
    let (server, url) = serving(&sandbox, &[]);
    let file = sandbox.ca().join("ca.ocsp.pem");
    let ask = || openssl_asks(&sandbox, &openssl, &url, "a.test.pem", &["-resp_text"]);
    ask().expect_code(0);
    let first = std::fs::read(&file).unwrap();
    sandbox.write("first.pem", &first);
    let serial = |file: &str| {
        let serial = sandbox.peer(&openssl, &["x509", "-in", file, "-noout", "-serial"]).expect_code(0).stdout;
        serial.trim().trim_start_matches("serial=").to_ascii_lowercase()
    };
    let signed_by_first = |told: &Ran| {
        let text = told.stdout.to_ascii_lowercase().replace([':', ' ', '\n'], "");
        text.contains(&serial("first.pem"))
    };
    assert!(signed_by_first(&ask().expect_code(0)));
    sandbox.certkit(&["ca", "revoke", "first.pem", "--reason", "keyCompromise"]).expect_code(0);
    assert!(comes_true(|| std::fs::read(&file).unwrap() != first), "there is a new certificate");
    assert!(comes_true(|| {
        let told = ask();
        told.code == Some(0) && !signed_by_first(&told) && told.stdout.contains("a.test.pem: good")
    }));
    assert!(server.said().contains("is revoked: it signs nothing more"), "{}", server.said());
    // Without the CA's key there can be no other: rather no answer than one by a revoked certificate.
    let key = sandbox.ca().join("ca-key.pem");
    std::fs::rename(&key, sandbox.path("aside.pem")).unwrap();
    std::fs::write(sandbox.ca().join("ca.toml"), "[keys]\nca = { set_aside = \"aside.pem\" }\n").unwrap();
    sandbox.certkit(&["ca", "revoke", file.to_str().unwrap(), "--reason", "keyCompromise"]).expect_code(0);
    assert!(comes_true(|| {
        let told = ask();
        format!("{}{}", told.stdout, told.stderr).contains("trylater")
    }));
    assert!(comes_true(|| server.said().contains("clients are told to try later")), "{}", server.said());
    assert_eq!(server.stop(), Some(2), "what went wrong last is told again");
}
