//! `ca ocsp --serve` and `ca crl --serve` where the ledger goes away from under them, and comes back.

use certkit::x509::CertificateRevocationList;

use crate::support::background::{Background, comes_true, free_port};
use crate::support::{Peer, Sandbox, peer};

/// A CA that has issued a.test and b.test, and both servers for it.
struct Scene {
    ca: Sandbox,
    ocsp: Background,
    crl: Background,
    ocsp_url: String,
    crl_url: String,
    openssl: Peer,
    curl: Peer,
    /// Where the second server is started from, which has a log of its own then.
    _other: Sandbox,
}

impl Scene {
    fn new(init: &[&str]) -> Option<Self> {
        let (openssl, curl) = (peer("openssl")?, peer("curl")?);
        let (ca, other) = (Sandbox::new(), Sandbox::new());
        ca.certkit(&[&["ca", "init", "--name", "Test CA"], init].concat()).expect_code(0);
        for name in ["a.test", "b.test"] {
            ca.certkit(&["ca", "issue", name]).expect_code(0);
        }
        let folder = ca.ca().to_str().unwrap().to_owned();
        let serve = |from: &Sandbox, what: &str| {
            let port = free_port();
            let address = format!("127.0.0.1:{port}");
            let mut server = from.start(from.command().args(["ca", what, "--serve", &address, "--ca", &folder]));
            server.wait_for(port);
            // The port is taken before the first list is signed.
            assert!(comes_true(|| server.said().contains("ing http")), "{}", server.said());
            (server, format!("http://{address}"))
        };
        let (ocsp, ocsp_url) = serve(&ca, "ocsp");
        let (crl, crl_url) = serve(&other, "crl");
        Some(Self { ca, ocsp, crl, ocsp_url, crl_url: format!("{crl_url}/crl"), openssl, curl, _other: other })
    }

    /// What OCSP says of a certificate.
    fn says(&self, file: &str, word: &str) -> bool {
        let root = self.ca.ca().join("ca.pem");
        let root = root.to_str().unwrap();
        let ask = ["ocsp", "-issuer", root, "-CAfile", root, "-cert", file, "-url", &self.ocsp_url];
        self.ca.peer(&self.openssl, &ask).stdout.contains(&format!("{file}: {word}"))
    }

    /// How many certificates are on the list.
    fn listed(&self) -> usize {
        let fetched = self.ca.peer(&self.curl, &["-sS", "-f", &self.crl_url]).expect_code(0);
        CertificateRevocationList::from_der(&fetched.bytes).unwrap().entries().len()
    }

    /// Whether caches are told to keep the list no longer.
    fn is_to_be_asked_for_again(&self) -> bool {
        self.ca.peer(&self.curl, &["-sS", "-I", &self.crl_url]).stdout.contains("max-age=0")
    }

    fn revoke(&self, name: &str) {
        self.ca.certkit(&["ca", "revoke", name, "--reason", "keyCompromise"]).expect_code(0);
    }

    /// Both servers know of a revocation made just now.
    fn both_know(&self, file: &str, listed: usize) {
        assert!(comes_true(|| self.says(file, "revoked")), "{file}: {}", self.ocsp.said());
        assert!(comes_true(|| self.listed() == listed), "{file}: {}", self.crl.said());
    }
}

#[cfg(unix)]
#[test]
fn servers_go_on_with_a_database_that_cut_them_off() {
    let Some(server) = crate::support::postgres::server() else { return };
    let url = server.database();
    let Some(scene) = Scene::new(&["--ledger", &url]) else { return };
    let name = url.split("@/").nth(1).unwrap().split('?').next().unwrap();
    let cut = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    assert!(scene.says("a.test.pem", "good"));
    server.administer(&cut);
    scene.revoke("b.test");
    scene.both_know("b.test.pem", 1);
    // A cut that is mended before anybody is told anything else is none of theirs.
    assert!(!scene.ocsp.said().contains("warning"), "{}", scene.ocsp.said());
    // One that lasts is told, once, and so is its end.
    server.administer(&format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false"));
    server.administer(&cut);
    assert!(!scene.says("a.test.pem", "good"));
    assert!(comes_true(|| scene.ocsp.said().contains("clients are told internalError")), "{}", scene.ocsp.said());
    assert!(comes_true(|| scene.crl.said().contains("no new list can be signed")), "{}", scene.crl.said());
    assert!(comes_true(|| scene.is_to_be_asked_for_again()));
    server.administer(&format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true"));
    scene.revoke("a.test");
    scene.both_know("a.test.pem", 2);
    for (log, over) in [(&scene.ocsp, "the ledger answers"), (&scene.crl, "the list is current")] {
        assert!(comes_true(|| log.said().contains(over)), "{}", log.said());
        assert_eq!(log.said().matches("warning").count(), 1, "{}", log.said());
    }
    assert!(comes_true(|| !scene.is_to_be_asked_for_again()));
    assert_eq!((scene.ocsp.stop(), scene.crl.stop()), (Some(0), Some(0)));
}

#[cfg(unix)]
#[test]
fn servers_go_over_to_a_ledger_that_was_put_back() {
    let Some(scene) = Scene::new(&[]) else { return };
    let files = ["ledger.db", "ledger.db-wal", "ledger.db-shm"];
    let aside = scene.ca.path("aside");
    std::fs::create_dir(&aside).unwrap();
    assert!(scene.says("b.test.pem", "good"));
    let restore = || {
        for file in files {
            _ = std::fs::remove_file(scene.ca.ca().join(file));
        }
        for file in files {
            if aside.join(file).exists() {
                std::fs::copy(aside.join(file), scene.ca.ca().join(file)).unwrap();
            }
        }
    };
    for file in files {
        std::fs::copy(scene.ca.ca().join(file), aside.join(file)).unwrap();
    }
    restore();
    scene.revoke("b.test");
    scene.both_know("b.test.pem", 1);
    for log in [&scene.ocsp, &scene.crl] {
        assert!(log.said().contains("another file was put in the place of the ledger"), "{}", log.said());
        assert!(comes_true(|| log.said().contains("well again")), "{}", log.said());
    }
    // One of before a list that is served: what that revokes does not become good.
    restore();
    assert!(comes_true(|| scene.crl.said().contains("as it was before list 2")), "{}", scene.crl.said());
    assert_eq!(scene.listed(), 1);
    assert!(comes_true(|| scene.is_to_be_asked_for_again()));
    scene.ca.peer(&scene.curl, &["-sS", "-o", "served.crl", &scene.crl_url]).expect_code(0);
    scene.ca.certkit(&["ca", "repair", "--crl", "served.crl"]).expect_code(0);
    scene.revoke("a.test");
    scene.both_know("a.test.pem", 2);
    assert!(scene.says("b.test.pem", "revoked"));
    assert_eq!((scene.ocsp.stop(), scene.crl.stop()), (Some(0), Some(0)));
}
