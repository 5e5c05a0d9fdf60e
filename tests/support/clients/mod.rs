//! Real clients, each asked about many chains at once: one process for all where the client allows it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use certkit::encoding::pem;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::{Run, Sandbox, go, peer, python, skip};

/// What a client is asked: whether this chain is a TLS server's of that name.
#[derive(Clone)]
pub(crate) struct Question {
    pub(crate) leaf: Vec<u8>,
    pub(crate) intermediates: Vec<Vec<u8>>,
    pub(crate) root: Vec<u8>,
    /// The leaf's private key as PKCS#8, where the client wants a handshake.
    pub(crate) key: Vec<u8>,
    pub(crate) host: String,
    /// Seconds since 1970. Clients that know only the present ignore it.
    pub(crate) at: i64,
}

/// What questions have in common that one process answers: root, intermediates, name, moment.
type Alike<'a> = (&'a [u8], &'a [Vec<u8>], &'a str, i64);

/// `Ok` where the client accepts, else what it says. `None` where it can't be asked.
pub(crate) type Reply = Option<Result<(), String>>;

impl Question {
    /// The leaf and its intermediates as PEM.
    pub(crate) fn chain(&self) -> String {
        let all = [&self.leaf].into_iter().chain(&self.intermediates);
        all.map(|der| pem::write("CERTIFICATE", der).to_string()).collect()
    }

    pub(crate) fn root(&self) -> String {
        pem::write("CERTIFICATE", &self.root).to_string()
    }
}

/// Questions laid out for scripts: a folder `0000` with `chain.pem`, `root.pem`, `key.pem`, `host` for each.
pub(crate) struct Desk {
    sandbox: Sandbox,
    questions: Vec<Question>,
}

impl Desk {
    pub(crate) fn new(questions: Vec<Question>) -> Self {
        let sandbox = Sandbox::new();
        for (at, question) in questions.iter().enumerate() {
            let folder = sandbox.path(format!("{at:04}"));
            std::fs::create_dir(&folder).unwrap();
            let put = |name: &str, text: String| std::fs::write(folder.join(name), text).unwrap();
            put("leaf.pem", pem::write("CERTIFICATE", &question.leaf).to_string());
            put("chain.pem", question.chain());
            put("root.pem", question.root());
            put("key.pem", pem::write("PRIVATE KEY", &question.key).to_string());
            put("host", question.host.clone());
            put("at", question.at.to_string());
        }
        Self { sandbox, questions }
    }

    /// `openssl verify`, one process for all leaves under the same issuers and of the same name.
    pub(crate) fn openssl(&self, strict: bool) -> Option<Vec<Reply>> {
        let openssl = peer("openssl")?;
        let mut groups: BTreeMap<Alike<'_>, Vec<usize>> = BTreeMap::new();
        for (at, question) in self.questions.iter().enumerate() {
            let group = (&question.root[..], &question.intermediates[..], question.host.as_str(), question.at);
            groups.entry(group).or_default().push(at);
        }
        let mut replies = vec![None; self.questions.len()];
        for ((_, intermediates, host, at), members) in groups {
            let first = format!("{:04}", members[0]);
            let (root, chain) = (format!("{first}/root.pem"), format!("{first}/untrusted.pem"));
            let untrusted: String =
                intermediates.iter().map(|der| pem::write("CERTIFICATE", der).to_string()).collect();
            std::fs::write(self.sandbox.path(&chain), untrusted).unwrap();
            let at = at.to_string();
            let mut args =
                vec!["verify", "-CAfile", &root, "-purpose", "sslserver", "-attime", &at, "-no-CApath", "-no-CAstore"];
            let name = if host.parse::<std::net::IpAddr>().is_ok() { "-verify_ip" } else { "-verify_hostname" };
            args.extend([name, host]);
            if !intermediates.is_empty() {
                args.extend(["-untrusted", &chain]);
            }
            if strict {
                args.extend(["-x509_strict", "-partial_chain"]);
            }
            let files: Vec<String> = members.iter().map(|at| format!("{at:04}/leaf.pem")).collect();
            args.extend(files.iter().map(String::as_str));
            let ran = self.sandbox.peer(&openssl, &args);
            for (&member, file) in members.iter().zip(&files) {
                let good = ran.stdout.lines().any(|line| line == format!("{file}: OK"));
                // What is wrong stands before the line that names the file.
                let failed = format!("error {file}: verification failed");
                let mut before = ran.stderr.lines().zip(ran.stderr.lines().skip(1)).filter(|(_, line)| *line == failed);
                let why = before.next().map(|(line, _)| line.to_owned()).unwrap_or_default();
                replies[member] = Some(if good { Ok(()) } else { Err(why) });
            }
        }
        Some(replies)
    }

    /// `certtool --verify`, a process each. It knows only the present.
    pub(crate) fn gnutls(&self) -> Option<Vec<Reply>> {
        let certtool = peer("certtool")?;
        let ask = |at: usize| {
            let (root, chain) = (format!("{at:04}/root.pem"), format!("{at:04}/chain.pem"));
            let fixed = ["--verify", "--verify-purpose", "1.3.6.1.5.5.7.3.1", "--load-ca-certificate", &root];
            let ran = self.sandbox.peer(
                &certtool,
                &[&fixed[..], &["--infile", &chain, "--verify-hostname", &self.questions[at].host]].concat(),
            );
            Some(if ran.code == Some(0) { Ok(()) } else { Err(last_line(&(ran.stdout + &ran.stderr))) })
        };
        Some((0..self.questions.len()).map(ask).collect())
    }

    /// Python's `ssl` as 3.13 (`strict`) or 3.12 set it up, or curl against servers in Python: handshakes.
    pub(crate) fn python_ssl(&self, mode: &str) -> Option<Vec<Reply>> {
        let program = python()?;
        if mode == "curl" {
            peer("curl")?;
        }
        Some(self.script(&program.path, "handshake.py", include_str!("handshake.py"), &[mode]))
    }

    /// `cryptography.x509.verification`, as of version 50: earlier ones know no issuers with ML-DSA keys.
    pub(crate) fn pyca(&self) -> Option<Vec<Reply>> {
        let python = python()?;
        let is_new = "import cryptography; assert int(cryptography.__version__.split('.')[0]) >= 50";
        let asked = std::process::Command::new(&python.path).args(["-c", is_new]).output();
        if !asked.is_ok_and(|output| output.status.success()) {
            return skip("cryptography before 50 judges otherwise");
        }
        Some(self.script(&python.path, "pyca.py", include_str!("pyca.py"), &[]))
    }

    /// Node's `tls`: handshakes.
    pub(crate) fn node(&self) -> Option<Vec<Reply>> {
        Some(self.script(&peer("node")?.path, "handshake.mjs", include_str!("handshake.mjs"), &[]))
    }

    /// The PKIX trust manager of Java: handshakes.
    pub(crate) fn java(&self) -> Option<Vec<Reply>> {
        Some(self.script(&peer("java")?.path, "Handshake.java", include_str!("Handshake.java"), &[]))
    }

    /// Chromium, which trusts every root in the NSS database of its user: requests.
    pub(crate) fn chromium(&self) -> Option<Vec<Reply>> {
        let (python, _, _) = (python()?, peer("chromium")?, peer("certutil")?);
        Some(self.script(&python.path, "chromium.py", include_str!("chromium.py"), &[]))
    }

    /// Firefox, which is told to trust every root: requests.
    pub(crate) fn firefox(&self) -> Option<Vec<Reply>> {
        let python = python()?;
        let firefox = peer("firefox-esr").or_else(|| peer("firefox"))?.path.into_string().unwrap();
        Some(self.script(&python.path, "firefox.py", include_str!("firefox.py"), &[&firefox]))
    }

    /// Go's `crypto/tls`: handshakes.
    pub(crate) fn go(&self) -> Option<Vec<Reply>> {
        let go = go()?;
        let handshake = self.sandbox.built_by_go(&go, "handshake", include_str!("handshake.go"));
        Some(self.replies("handshake.go", handshake))
    }

    /// Runs a script that prints for each question a line `0000 yes`, `0000 no WHY` or `0000 - WHY`.
    fn script(&self, program: &std::ffi::OsStr, name: &str, text: &str, args: &[&str]) -> Vec<Reply> {
        let script: PathBuf = self.sandbox.write(name, text);
        self.sandbox.write("served.py", include_str!("served.py"));
        self.replies(name, self.sandbox.program(program).arg(script).args(args))
    }

    fn replies(&self, name: &str, run: Run) -> Vec<Reply> {
        let ran = run.run();
        let mut replies = vec![None; self.questions.len()];
        let mut seen = 0;
        for line in ran.stdout.lines() {
            let mut words = line.splitn(3, ' ');
            let Some(Ok(at)) = words.next().map(str::parse::<usize>) else { continue };
            seen += 1;
            replies[at] = match words.next() {
                Some("yes") => Some(Ok(())),
                Some("no") => Some(Err(words.next().unwrap_or_default().to_owned())),
                _ => None,
            };
        }
        assert_eq!(seen, self.questions.len(), "{name} stopped early: {ran}");
        replies
    }
}

/// rustls-webpki, in this process.
pub(crate) fn webpki(question: &Question) -> Reply {
    let judge = || {
        let leaf = CertificateDer::from(question.leaf.as_slice());
        let intermediates: Vec<_> =
            question.intermediates.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
        let root = CertificateDer::from(question.root.as_slice());
        let anchors = [anchor_from_trusted_cert(&root)?];
        let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(question.at.unsigned_abs()));
        let leaf = EndEntityCert::try_from(&leaf)?;
        let usage = KeyUsage::server_auth();
        leaf.verify_for_usage(ALL_VERIFICATION_ALGS, &anchors, &intermediates, at, usage, None, None)?;
        leaf.verify_is_valid_for_subject_name(&ServerName::try_from(question.host.as_str()).unwrap())
    };
    let judged: Result<(), webpki::Error> = judge();
    Some(judged.map_err(|error| format!("{error:?}")))
}

fn last_line(text: &str) -> String {
    text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned()
}
