//! Programs and libraries that judge a chain in files, asked the same thing in the same way.

use certkit::encoding::pem;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::collections::HashMap;

use super::clients::{Answer, nss_database};
use crate::support::{Ran, Run, Sandbox, go, peer, python};

const GO: &str = include_str!("peers/judge.go");
const PYTHON: &str = include_str!("peers/judge.py");

/// May this leaf be the TLS server of this name, today?
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) leaf: String,
    /// A file, or nothing.
    pub(super) intermediates: Option<String>,
    pub(super) roots: String,
    pub(super) host: String,
}

impl Case {
    pub(super) fn new(leaf: &str, roots: &str, host: &str) -> Self {
        Self { leaf: leaf.to_owned(), intermediates: None, roots: roots.to_owned(), host: host.to_owned() }
    }

    fn is_address(&self) -> bool {
        self.host.parse::<std::net::IpAddr>().is_ok()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judge {
    Certkit,
    OpenSsl,
    /// `openssl verify -x509_strict`, as Python 3.13 does.
    Strict,
    /// certtool.
    GnuTls,
    /// pyca/cryptography's verifier.
    Pyca,
    /// rustls' verifier.
    WebPki,
    /// vfychain, which compares no names.
    Nss,
    /// Go's crypto/x509.
    Go,
}

/// What it says.
#[derive(Debug)]
pub(super) struct Judgment {
    pub(super) accepted: bool,
    pub(super) said: String,
}

impl From<Ran> for Judgment {
    /// By the exit status.
    fn from(Ran { code, stdout, stderr, .. }: Ran) -> Self {
        assert!(matches!(code, Some(0..=2)), "{code:?}\n{stdout}{stderr}");
        Self { accepted: code == Some(0), said: format!("{stdout}{stderr}") }
    }
}

impl Judge {
    pub(super) const ALL: [Self; 8] =
        [Self::Certkit, Self::OpenSsl, Self::Strict, Self::GnuTls, Self::Pyca, Self::WebPki, Self::Nss, Self::Go];

    /// Every judge on this machine; the absent ones are told.
    pub(super) fn here() -> Vec<Self> {
        let has = |program| peer(program).is_some();
        let here = |judge: &Self| match judge {
            Self::Certkit | Self::WebPki => true,
            Self::OpenSsl | Self::Strict => has("openssl"),
            Self::GnuTls => has("certtool"),
            Self::Pyca => python().is_some(),
            Self::Nss => has("vfychain") && has("certutil"),
            Self::Go => go().is_some(),
        };
        Self::ALL.into_iter().filter(here).collect()
    }

    /// Has it judge each case.
    pub(super) fn judge(self, sandbox: &Sandbox, cases: &[Case]) -> Vec<Judgment> {
        match self {
            Self::Pyca => pyca(sandbox, cases),
            Self::Nss => nss(sandbox, cases),
            Self::Go => in_go(sandbox, cases),
            _ => cases.iter().map(|case| self.judge_one(sandbox, case)).collect(),
        }
    }

    fn judge_one(self, sandbox: &Sandbox, case: &Case) -> Judgment {
        let Case { leaf, intermediates, roots, host } = case;
        let run = match self {
            Self::Certkit => {
                let more = intermediates.iter().flat_map(|file| ["--intermediates", file]);
                sandbox.command().args(["verify", leaf, "--roots", roots, "--host", host]).args(more)
            }
            Self::OpenSsl | Self::Strict => {
                let strict = if self == Self::Strict { &["-x509_strict"][..] } else { &[] };
                let name = if case.is_address() { "-verify_ip" } else { "-verify_hostname" };
                let more = intermediates.iter().flat_map(|file| ["-untrusted", file]);
                let fixed = ["verify", "-purpose", "sslserver", "-no-CApath", "-no-CAstore", "-CAfile", roots];
                sandbox.program("openssl").args(fixed).args(strict).args(more).args([name, host, leaf])
            }
            Self::GnuTls => {
                // It takes one file: the leaf and what follows.
                let certificates = |file: &String| pem_of(sandbox, file);
                let more = intermediates.as_ref().map_or_else(Vec::new, certificates);
                let chain: String =
                    [&pem_of(sandbox, leaf)[..1], &more].concat().iter().map(|der| to_pem(der)).collect();
                let fixed = ["--verify", "--load-ca-certificate", roots, "--verify-hostname", host];
                sandbox.program("certtool").args(fixed).args(["--verify-purpose", "1.3.6.1.5.5.7.3.1"]).stdin(chain)
            }
            Self::WebPki => return webpki(sandbox, case),
            Self::Pyca | Self::Nss | Self::Go => panic!("these judge in one go"),
        };
        run.run().into()
    }
}

fn pem_of(sandbox: &Sandbox, file: &str) -> Vec<Vec<u8>> {
    pem::read(&sandbox.read(file)).into_iter().map(|block| block.unwrap().contents.to_vec()).collect()
}

fn to_pem(der: &[u8]) -> String {
    pem::write("CERTIFICATE", der).to_string()
}

fn pyca(sandbox: &Sandbox, cases: &[Case]) -> Vec<Judgment> {
    let python = python().unwrap();
    sandbox.write("judge.py", PYTHON);
    in_one_go(sandbox.program(&python.path).args(["-W", "ignore", "judge.py"]), cases)
}

fn in_go(sandbox: &Sandbox, cases: &[Case]) -> Vec<Judgment> {
    in_one_go(sandbox.built_by_go(&go().unwrap(), "judge", GO), cases)
}

/// Asks a program that answers a line for each case.
fn in_one_go(mut run: Run, cases: &[Case]) -> Vec<Judgment> {
    for case in cases {
        run = run.args([&case.leaf, case.intermediates.as_deref().unwrap_or_default(), &case.roots, &case.host]);
    }
    let ran = run.expect_code(0);
    let answer = |line: &str| Judgment { accepted: line == "accepted", said: line.to_owned() };
    let judgments: Vec<_> = ran.stdout.lines().map(answer).collect();
    assert_eq!(judgments.len(), cases.len(), "{ran}");
    judgments
}

fn nss(sandbox: &Sandbox, cases: &[Case]) -> Vec<Judgment> {
    let mut databases = HashMap::new();
    let judge = |case: &Case| {
        let count = databases.len();
        let database = databases
            .entry(case.roots.clone())
            .or_insert_with(|| nss_database(sandbox, &sandbox.path(format!("nss-{count}")), &case.roots, "C,,"));
        match database {
            Ok(database) => {
                // Of a file it takes the first certificate.
                let blocks = case.intermediates.iter().flat_map(|file| pem_of(sandbox, file)).enumerate();
                let files = blocks.map(|(at, der)| sandbox.write(format!("{}.{at}.nss", case.leaf), to_pem(&der)));
                let more = files.flat_map(|file| ["-a".into(), file.into_os_string()]);
                let run = sandbox.program("vfychain").args(["-d", database, "-u", "1", "-a", &case.leaf]).args(more);
                run.run().into()
            }
            Err(Answer { accepted, said }) => Judgment { accepted: *accepted, said: said.clone() },
        }
    };
    cases.iter().map(judge).collect()
}

fn webpki(sandbox: &Sandbox, case: &Case) -> Judgment {
    let load = |file: &str| pem_of(sandbox, file).into_iter().map(CertificateDer::from).collect::<Vec<_>>();
    let judge = || -> Result<(), webpki::Error> {
        let roots = load(&case.roots);
        let anchors: Vec<_> = roots.iter().map(webpki::anchor_from_trusted_cert).collect::<Result<_, _>>()?;
        let leaf = load(&case.leaf);
        let leaf = webpki::EndEntityCert::try_from(&leaf[0])?;
        let intermediates = case.intermediates.as_deref().map(load).unwrap_or_default();
        let usage = webpki::KeyUsage::server_auth();
        leaf.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &anchors,
            &intermediates,
            UnixTime::now(),
            usage,
            None,
            None,
        )?;
        let name = ServerName::try_from(case.host.as_str()).map_err(|_| webpki::Error::MalformedDnsIdentifier)?;
        leaf.verify_is_valid_for_subject_name(&name)
    };
    match judge() {
        Ok(()) => Judgment { accepted: true, said: String::new() },
        Err(error) => Judgment { accepted: false, said: format!("{error:?}") },
    }
}
