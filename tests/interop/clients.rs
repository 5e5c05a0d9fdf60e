//! Programs that fetch a page over TLS, asked the same thing in the same way.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::browser::QUIET;
use crate::support::{Peer, Ran, Run, Sandbox, peer};

const PYTHON: &str = include_str!("peers/fetch.py");
const NODE: &str = include_str!("peers/fetch.mjs");
const JAVA: &str = include_str!("peers/Fetch.java");

/// What the servers of these tests answer with, if they answer; the second is `openssl s_server -www`.
const PAGES: [&str; 2] = ["a page by ", "s_server -www "];

/// To fetch a page from localhost.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    /// The file of trusted CAs.
    pub(super) roots: String,
    pub(super) host: String,
    pub(super) port: u16,
    /// A file with a client's key and its certificate.
    pub(super) identity: Option<String>,
}

impl Ask {
    pub(super) fn new(roots: &str, port: u16) -> Self {
        Self { roots: roots.to_owned(), host: "localhost".to_owned(), port, identity: None }
    }

    pub(super) fn identity(self, file: &str) -> Self {
        Self { identity: Some(file.to_owned()), ..self }
    }

    fn url(&self) -> String {
        format!("https://{}:{}/", self.host, self.port)
    }
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Answer {
    /// The page arrived, or where the client fetches none, the handshake ended well.
    pub(super) accepted: bool,
    pub(super) said: String,
}

impl Answer {
    pub(super) fn of(said: String) -> Self {
        Self { accepted: PAGES.iter().any(|page| said.contains(page)), said }
    }
}

impl From<Ran> for Answer {
    fn from(Ran { code, stdout, stderr, .. }: Ran) -> Self {
        Self { said: format!("exit {code:?}\n{stdout}{stderr}"), ..Self::of(stdout) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Client {
    Curl,
    Wget,
    OpenSsl,
    GnuTls,
    Python,
    Node,
    Java,
    /// tstclnt, with the roots as authorities (`C,,`).
    Nss,
    /// With the roots as authorities in its NSS database.
    Chromium,
}

impl Client {
    pub(super) const ALL: [Self; 9] = [
        Self::Curl,
        Self::Wget,
        Self::OpenSsl,
        Self::GnuTls,
        Self::Python,
        Self::Node,
        Self::Java,
        Self::Nss,
        Self::Chromium,
    ];

    /// What it complains of when the name is another, and when the CA is unknown.
    pub(super) fn complaints(self) -> [&'static str; 2] {
        match self {
            Self::Curl => ["matches target host name", "unable to get local issuer certificate"],
            // It prints nothing with -q but has a status for this.
            Self::Wget => ["exit Some(5)", "exit Some(5)"],
            Self::OpenSsl => ["hostname mismatch", "unable to get local issuer certificate"],
            Self::GnuTls => ["does not match the expected", "issuer is unknown"],
            Self::Python => ["Hostname mismatch", "unable to get local issuer certificate"],
            Self::Node => ["ERR_TLS_CERT_ALTNAME_INVALID", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
            Self::Java => ["No subject alternative DNS name matching", "PKIX path building failed"],
            Self::Nss => ["SSL_ERROR_BAD_CERT_DOMAIN", "SEC_ERROR_UNKNOWN_ISSUER"],
            Self::Chromium => ["ERR_CERT_COMMON_NAME_INVALID", "ERR_CERT_AUTHORITY_INVALID"],
        }
    }

    fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Curl => &["curl"],
            Self::Wget => &["wget"],
            Self::OpenSsl => &["openssl"],
            Self::GnuTls => &["gnutls-cli"],
            Self::Python => &["python3"],
            Self::Node => &["node"],
            Self::Java => &["java", "javac"],
            Self::Nss => &["tstclnt", "certutil"],
            Self::Chromium => &["chromium", "certutil"],
        }
    }

    /// Every client on this machine; the absent ones are told.
    pub(super) fn here() -> Vec<Self> {
        Self::ALL.into_iter().filter(|client| client.find().is_some()).collect()
    }

    fn find(self) -> Option<Vec<Peer>> {
        self.programs().iter().copied().map(peer).collect()
    }

    /// Has it fetch each page.
    pub(super) fn fetch(self, sandbox: &Sandbox, asks: &[Ask]) -> Vec<Answer> {
        match self {
            Self::Python => script(sandbox, "python3", &["-c", PYTHON], asks),
            Self::Node => {
                let script_file = sandbox.write("fetch.mjs", NODE);
                script(sandbox, "node", &[script_file.to_str().unwrap()], asks)
            }
            Self::Java => {
                let class = sandbox.write("Fetch.java", JAVA);
                script(sandbox, "java", &["-XX:TieredStopAtLevel=1", class.to_str().unwrap()], asks)
            }
            _ => asks.iter().map(|ask| self.fetch_one(sandbox, ask)).collect(),
        }
    }

    fn fetch_one(self, sandbox: &Sandbox, ask: &Ask) -> Answer {
        let (roots, url, identity) = (&*ask.roots, &*ask.url(), ask.identity.as_deref());
        let port = &*ask.port.to_string();
        let request = "GET / HTTP/1.0\r\n\r\n";
        let run: Run = match self {
            Self::Curl => {
                let identity = identity.map_or(vec![], |file| vec!["--cert", file]);
                program(sandbox, "curl", &["-sS", "--max-time", "20", "--cacert", roots, url]).args(identity)
            }
            Self::Wget => {
                let fixed = ["-q", "-O-", "-T20", "-t1", "--ca-certificate", roots, url];
                let identity = identity.map_or(vec![], |file| vec!["--certificate", file, "--private-key", file]);
                program(sandbox, "wget", &fixed).args(identity)
            }
            Self::OpenSsl => {
                let fixed = ["s_client", "-quiet", "-verify_return_error", "-CAfile", roots];
                let name = ["-verify_hostname", &ask.host, "-connect", &format!("{}:{port}", ask.host)];
                let identity = identity.map_or(vec![], |file| vec!["-cert", file, "-key", file]);
                program(sandbox, "openssl", &fixed).args(name).args(identity).stdin(request)
            }
            Self::GnuTls => {
                let identity = identity.map_or(vec![], |file| vec!["--x509certfile", file, "--x509keyfile", file]);
                program(sandbox, "gnutls-cli", &["--x509cafile", roots, "-p", port, &ask.host])
                    .args(identity)
                    .stdin(request)
            }
            Self::Nss => {
                let folder = format!("nss-{port}-{}", Path::new(roots).file_stem().unwrap().to_str().unwrap());
                let database = match nss_database(sandbox, &sandbox.path(folder), roots, "C,,") {
                    Ok(database) => database,
                    Err(refused) => return refused,
                };
                // With -Q it stops after the handshake: it would wait for a server that closes without ado to say more.
                let args = ["-Q", "-4", "-d", &database, "-h", &ask.host, "-p", port];
                let ran = program(sandbox, "tstclnt", &args).run();
                return Answer { accepted: ran.code == Some(0), ..ran.into() };
            }
            Self::Chromium => return chromium(sandbox, ask, "C,,"),
            Self::Python | Self::Node | Self::Java => panic!("scripts fetch in one go"),
        };
        run.run().into()
    }
}

/// A program that is ended if it waits for ever.
fn program(sandbox: &Sandbox, name: &str, args: &[&str]) -> Run {
    sandbox.program("timeout").args(["--kill-after=5", "30", name]).args(args)
}

/// A script that takes every question as arguments and answers a line each.
fn script(sandbox: &Sandbox, name: &str, script: &[&str], asks: &[Ask]) -> Vec<Answer> {
    let mut run = sandbox.program("timeout").args(["--kill-after=5", "120", name]).args(script);
    for ask in asks {
        run = run.args([&ask.roots, &ask.url(), ask.identity.as_deref().unwrap_or_default()]);
    }
    let ran = run.expect_code(0);
    let answers: Vec<Answer> = ran.stdout.lines().map(|line| Answer::of(line.to_owned())).collect();
    assert_eq!(answers.len(), asks.len(), "{ran}");
    answers
}

/// A new NSS database that trusts each certificate of a file to this degree. It may refuse to.
pub(super) fn nss_database(sandbox: &Sandbox, folder: &Path, roots: &str, trust: &str) -> Result<String, Answer> {
    _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).unwrap();
    let database = format!("sql:{}", folder.display());
    program(sandbox, "certutil", &["-N", "-d", &database, "--empty-password"]).expect_code(0);
    let args = ["-A", "-d", &database, "-n", "root", "-t", trust, "-a", "-i", roots];
    let ran = program(sandbox, "certutil", &args).run();
    if ran.code == Some(0) { Ok(database) } else { Err(ran.into()) }
}

/// Chromium in a home of its own whose NSS database trusts the roots to this degree.
pub(super) fn chromium(sandbox: &Sandbox, ask: &Ask, trust: &str) -> Answer {
    let home: PathBuf = sandbox.path("chromium");
    _ = fs::remove_dir_all(&home);
    if let Err(refused) = nss_database(sandbox, &home.join(".pki/nssdb"), &ask.roots, trust) {
        return refused;
    }
    let run = sandbox.program("timeout").args(["--kill-after=5", "60", "chromium"]).args(QUIET);
    let profile = format!("--user-data-dir={}", home.join("profile").display());
    run.args(["--dump-dom".to_owned(), profile, ask.url()]).env("HOME", &home).run().into()
}
