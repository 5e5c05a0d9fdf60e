//! The ladder of a live connection, as a page and as a picture.

use serde_json::Value;

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

/// What the script says of one colour scheme.
struct Seen<'a> {
    steps: &'a [Value],
    ground: &'a str,
}

impl<'a> Seen<'a> {
    fn of(told: &'a Value, scheme: &str) -> Self {
        let told = &told[scheme];
        // Nothing is wider than the window.
        assert!(told["wide"].as_i64().unwrap() <= 0, "{scheme}");
        Self { steps: told["steps"].as_array().unwrap(), ground: told["ground"].as_str().unwrap() }
    }

    /// Which message has the focus after a step, and whether it is open.
    fn after(&self, step: usize) -> (i64, bool) {
        (self.steps[step]["number"].as_i64().unwrap(), self.steps[step]["open"].as_bool().unwrap())
    }
}

#[test]
fn keys_are_enough_to_read_the_page_and_it_asks_for_nothing() {
    let (Some(chromium), Some(driver), Some(python)) = (peer("chromium"), peer("chromedriver"), peer("python3")) else {
        return;
    };
    let place = Place::new();
    let sandbox = &place.sandbox;
    let port = place.server().start();
    let files = ["--explain", "--html", "l.html", "--save-pcap", "l.pcap", "--key-log", "l.keys"];
    place.connect(port, &files).expect_code(0);
    sandbox.certkit(&["capture", "l.pcap", "--key-log", "l.keys", "--html", "c.html"]).expect_code(0);
    for page in ["l.html", "c.html"] {
        let url = format!("file://{}", sandbox.path(page).display());
        let profile = sandbox.path(format!("{page}.profile")).display().to_string();
        let script = ["-c", include_str!("interop/peers/keyboard.py")];
        let run = sandbox.program(&python.path).args(script).args([&driver.path, &chromium.path]);
        let told = run.args([&profile, &url, "keys.png"]).args(browser::QUIET).expect_code(0).json();
        assert_eq!(told["console"], serde_json::json!([]), "{page}");
        assert_eq!(told["requests"], serde_json::json!([url, url]), "{page}: once in light and once in dark");
        let (light, dark) = (Seen::of(&told, "light"), Seen::of(&told, "dark"));
        assert_ne!(light.ground, dark.ground, "{page}: light and dark look the same");
        for seen in [light, dark] {
            // Tab goes from message to message; what is closed is passed over with what is in it.
            assert_eq!([seen.after(0), seen.after(1), seen.after(2)], [(0, false), (2, false), (4, false)], "{page}");
            // Enter opens the message, Tab goes on to its bytes, space opens and closes them.
            assert_eq!([seen.after(3), seen.after(4)], [(4, true), (5, false)], "{page}");
            assert_eq!([seen.after(5), seen.after(6)], [(5, true), (5, false)], "{page}");
            // Back, and closed again.
            assert_eq!([seen.after(7), seen.after(8), seen.after(9)], [(4, true), (4, false), (6, false)], "{page}");
            // Every message is come by, and after the last the page is left: no trap.
            let reached: Vec<i64> = seen.steps.iter().map(|step| step["number"].as_i64().unwrap()).collect();
            let last = reached.iter().max().unwrap();
            assert!((0..=*last).step_by(2).all(|number| reached.contains(&number)), "{page} {reached:?}");
            assert!(*last >= 18 && reached.contains(&-1), "{page} {reached:?}");
            for step in seen.steps.iter().filter(|step| step["name"] == "summary") {
                assert_eq!((&step["ring"], &step["seen"]), (&"solid 3px".into(), &true.into()), "{page} {step}");
            }
        }
        assert!(sandbox.read("keys.png").len() > 10_000);
    }
}
