//! The ladder of a live connection, as a page and as a picture.

use crate::connect::Place;
use crate::support::{browser, peer};

#[test]
fn the_page_and_the_picture_need_nothing_else() {
    let place = Place::new();
    let port = place.server().start();
    place.connect(port, &["--explain", "--resume", "--html", "l.html", "--svg", "l.svg"]).expect_code(0);
    for (file, verdicts) in [("l.html", 2), ("l.svg", 0)] {
        let text = String::from_utf8(place.sandbox.read(file)).unwrap();
        assert!(!text.contains("<script") && text.contains("prefers-color-scheme:dark"), "{file}");
        let links = text.matches("http").count() - text.matches("http://www.w3.org/2000/svg").count();
        assert_eq!((links, text.contains("url("), text.contains("src=")), (0, false, false), "{file}");
        assert!(text.contains("CertificateVerify") && text.contains("localhost"), "{file}");
        assert_eq!(text.matches("ACCEPTED localhost").count(), verdicts, "{file}");
    }
    #[cfg(unix)]
    assert_eq!(place.sandbox.mode("l.html"), 0o600);
}

#[test]
fn a_bad_certificate_is_marked_on_the_page() {
    let place = Place::new();
    let port = place.server().start();
    place.connect(port, &["--host", "other.test", "--html", "l.html"]).expect_code(1);
    let page = String::from_utf8(place.sandbox.read("l.html")).unwrap();
    assert!(page.contains("class=\"wrong\">REJECTED localhost"), "{page}");
}

#[test]
fn a_browser_shows_the_page_without_complaint() {
    let Some(chromium) = peer("chromium") else { return };
    let place = Place::new();
    let sandbox = &place.sandbox;
    let port = place.server().start();
    place.connect(port, &["--explain", "--html", "l.html"]).expect_code(0);
    // Opens the third message by the keyboard alone, and puts into the page what came of it.
    let keys = "<script>addEventListener('load',()=>{const all=[...document.querySelectorAll('summary')];\
                all[2].focus();const seen=document.activeElement===all[2];all[2].click();\
                document.body.dataset.keys=[seen,all[2].parentElement.open,\
                getComputedStyle(document.body).backgroundColor].join('|')})</script></html>";
    let page = String::from_utf8(sandbox.read("l.html")).unwrap().replace("</html>", keys);
    sandbox.write("keys.html", page);
    let mut grounds = Vec::new();
    for scheme in [&[][..], &["--force-dark-mode", "--blink-settings=preferredColorScheme=0"]] {
        let asks = [scheme, &["--dump-dom"]].concat();
        let dom = browser::look(sandbox, &chromium, &asks, "keys.html");
        assert!(!dom.stderr.contains("CONSOLE"), "{dom}");
        let found = dom.stdout.split("data-keys=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let ground = found.strip_prefix("true|true|").unwrap_or_else(|| panic!("{found}"));
        grounds.push(ground.to_owned());
    }
    assert_ne!(grounds[0], grounds[1], "light and dark look the same");
    let picture = format!("--screenshot={}", sandbox.path("l.png").display());
    browser::look(sandbox, &chromium, &["--window-size=900,1400", &picture], "l.html");
    assert!(sandbox.read("l.png").len() > 10_000);
}
