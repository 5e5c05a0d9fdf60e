//! `certkit verify --tree`, `--svg` and `--html`: the paths drawn.

use certkit::encoding::pem;
use certkit::x509::extension::SubjectAltName;
use certkit::x509::{Certificate, DistinguishedName, GeneralName};

use crate::support::forge::Hierarchy;
use crate::support::{Ran, Sandbox, browser, peer};

const HOSTILE: &str = "<script>alert(1)</script>\"&";

/// A chain whose leaf has a name that would break out of a careless page, and the wrong host to ask it for.
fn drawn(args: &[&str]) -> (Sandbox, Ran) {
    let hierarchy = Hierarchy::new();
    let mut forge = hierarchy.server("www.example.com");
    forge.subject = DistinguishedName::common_name_only(HOSTILE);
    forge.set(&SubjectAltName(vec![GeneralName::Dns("www.example.com".into())]), false);
    let leaf = forge.sign(&hierarchy.intermediate.key);
    let text = |certificate: &Certificate| pem::write("CERTIFICATE", certificate.der()).to_string();
    let sandbox = Sandbox::new();
    sandbox.write("root.pem", text(&hierarchy.root.certificate));
    sandbox.write("chain.pem", text(&leaf) + &text(&hierarchy.intermediate.certificate));
    let fixed = ["verify", "chain.pem", "--at", "2026-11-23T12:00:00Z", "--roots", "root.pem"];
    let ran = sandbox.certkit(&[&fixed[..], args].concat());
    (sandbox, ran)
}

#[test]
fn the_tree_marks_where_it_fails() {
    let (_, ran) = drawn(&["--host", "other.test", "--tree"]);
    let ran = ran.expect_code(1).says("NO  <script>").says("\"other.test\" was asked for");
    ran.says("└─ -   Test Intermediate  intermediate").says("   └─ -   Test Root  trusted root");
    let (_, ran) = drawn(&["--host", "www.example.com", "--tree"]);
    ran.expect_code(0).says("└─ yes Test Intermediate");
}

#[test]
fn pictures_are_one_file_without_scripts_or_fetches() {
    let (sandbox, ran) = drawn(&["--host", "other.test", "--svg", "p.svg", "--html", "p.html"]);
    ran.expect_code(1);
    for file in ["p.svg", "p.html"] {
        let text = String::from_utf8(sandbox.read(file)).unwrap();
        assert!(!text.contains("<script"), "{file}");
        assert!(text.contains("&lt;script&gt;") && text.contains("prefers-color-scheme:dark"), "{file}");
        let links = text.matches("http").count() - text.matches("http://www.w3.org/2000/svg").count();
        assert_eq!((links, text.contains("url("), text.contains("src=")), (0, false, false), "{file}");
        assert!(text.contains("class=\"box bad\"") && text.contains("class=\"fatal\""), "{file}");
    }
    let html = String::from_utf8(sandbox.read("p.html")).unwrap();
    assert!(html.contains("<span class=\"rejected\">REJECTED</span>") && html.contains("RFC 9525 §6"));
}

#[test]
fn a_picture_in_the_way_is_kept() {
    let (sandbox, ran) = drawn(&["--no-host", "--svg", "root.pem"]);
    ran.expect_code(2).complains("cannot write root.pem: it exists already");
    assert!(sandbox.read("root.pem").starts_with(b"-----BEGIN"));
    let (_, ran) = drawn(&["--no-host", "--force"]);
    ran.expect_code(2).complains("--force has nothing to replace");
}

#[test]
fn a_browser_shows_the_page_without_complaint() {
    let Some(chromium) = peer("chromium") else { return };
    let (sandbox, ran) = drawn(&["--host", "other.test", "--html", "p.html"]);
    ran.expect_code(1);
    let shown = browser::look(&sandbox, &chromium, &["--dump-dom"], "p.html");
    assert!(shown.stdout.contains("<details open=\"\">") && shown.stdout.contains("REJECTED"), "{shown}");
    assert!(!shown.stderr.contains("CONSOLE"), "{shown}");
}
