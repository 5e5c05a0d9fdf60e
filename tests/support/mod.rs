//! Runs certkit, and the programs it is compared with, in a folder of their own.
//!
//! ```ignore
//! let sandbox = Sandbox::new();
//! sandbox.certkit(&["new", "--cn", "localhost"]).expect_code(0);
//! let said = sandbox.command().args(["inspect", "-", "--json"]).stdin(pem).expect_code(0).json();
//! let Some(openssl) = peer("openssl") else { return };
//! sandbox.peer(&openssl, &["x509", "-in", "cert.pem", "-noout", "-subject"]).expect_code(0);
//! ```

// Each helper serves some test files, not all.
#![allow(dead_code)]

pub(crate) mod background;
pub(crate) mod browser;
pub(crate) mod case;
pub(crate) mod chain;
pub(crate) mod clients;
#[allow(unreachable_pub)]
#[path = "../bench/support/clock.rs"]
pub(crate) mod clock;
pub(crate) mod forge;
pub(crate) mod forge_crl;
pub(crate) mod forge_ocsp;
pub(crate) mod guards;
pub(crate) mod https;
pub(crate) mod old_server;
pub(crate) mod policy_chain;
#[cfg(unix)]
pub(crate) mod postgres;
pub(crate) mod random;
pub(crate) mod scene;
pub(crate) mod tap;
pub(crate) mod tls_server;
pub(crate) mod weak;
pub(crate) mod web;
pub(crate) mod wiretap;

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, thread};

/// An empty folder to work in, with a home and a CA folder inside. Gone when dropped.
pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for inner in ["work", "home"] {
            fs::create_dir(folder.path().join(inner)).unwrap();
        }
        Self { folder }
    }

    /// Where commands run.
    pub(crate) fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// What `HOME` is.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// What `CERTKIT_CA` is: not there until a command makes it.
    pub(crate) fn ca(&self) -> PathBuf {
        self.folder.path().join("ca")
    }

    /// A path in the working folder.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.work().join(name)
    }

    /// Writes a file in the working folder.
    pub(crate) fn write(&self, name: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, contents).unwrap();
        path
    }

    /// Reads a file of the working folder.
    pub(crate) fn read(&self, name: impl AsRef<Path>) -> Vec<u8> {
        let path = self.path(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// What the working folder holds, sorted: hidden and temporary files too.
    pub(crate) fn listing(&self) -> Vec<String> {
        let entries = fs::read_dir(self.work()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The permission bits of a file in the working folder.
    #[cfg(unix)]
    pub(crate) fn mode(&self, name: impl AsRef<Path>) -> u32 {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(self.path(name)).unwrap().mode() & 0o7777
    }

    /// Runs certkit with these arguments.
    pub(crate) fn certkit(&self, args: &[&str]) -> Ran {
        self.command().args(args).run()
    }

    /// A program in Go's language and of its library alone, built and ready to run.
    pub(crate) fn built_by_go(&self, go: &Peer, name: &str, text: &str) -> Run {
        let source = format!("{name}.go");
        self.write(&source, text);
        // Without a module Go behaves as it did in 1.20. The version is the least that is compared with.
        self.write("go.mod", format!("module {name}\n\ngo 1.27\n"));
        // What is built of Go's library takes half a minute, and is the same the next time.
        let cache = concat!(env!("CARGO_TARGET_TMPDIR"), "/go-cache");
        let settings = [("GOCACHE", cache), ("GOTOOLCHAIN", "local"), ("GOPROXY", "off"), ("GOTELEMETRY", "off")];
        let build = self.program(&go.path).args(["build", "-o", name, &source]);
        settings.into_iter().fold(build, |build, (name, value)| build.env(name, value)).expect_code(0);
        self.program(self.path(name))
    }

    /// certkit, to be given arguments, input and environment.
    pub(crate) fn command(&self) -> Run {
        self.program(env!("CARGO_BIN_EXE_certkit"))
    }

    /// Runs a peer with these arguments.
    pub(crate) fn peer(&self, peer: &Peer, args: &[&str]) -> Ran {
        self.program(&peer.path).args(args).run()
    }

    /// Runs a line of shell in which `certkit` is certkit.
    #[cfg(unix)]
    pub(crate) fn shell(&self, line: &str) -> Ran {
        self.bash(line).run()
    }

    /// The same, to be given input and environment.
    #[cfg(unix)]
    pub(crate) fn bash(&self, line: &str) -> Run {
        let ours = Path::new(env!("CARGO_BIN_EXE_certkit")).parent().unwrap();
        let theirs = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths([ours.to_owned()].into_iter().chain(env::split_paths(&theirs))).unwrap();
        self.program("bash").env("PATH", path).args(["-o", "pipefail", "-c", line])
    }

    /// Runs certkit as a user whom permissions bind: as `nobody` where this is root, who then owns the working folder.
    #[cfg(unix)]
    pub(crate) fn unprivileged(&self, args: &[&str]) -> Option<Ran> {
        if !self.is_roots() {
            return Some(self.certkit(args));
        }
        // The binary may lie where nobody but root can enter.
        let binary = self.home().join("certkit");
        fs::copy(env!("CARGO_BIN_EXE_certkit"), &binary).unwrap();
        // A process of another test may hold the file open for writing until it is another program.
        for _ in 0..100 {
            if self.as_nobody(&binary)?.arg("--version").run().code == Some(0) {
                return Some(self.as_nobody(&binary)?.args(args).run());
            }
            thread::sleep(std::time::Duration::from_millis(20));
        }
        skip("no program can be run as another user")
    }

    /// A program, to be run as a user whom permissions bind: as `nobody` where this is root, who then owns the working
    /// folder.
    #[cfg(unix)]
    pub(crate) fn as_nobody(&self, program: impl AsRef<OsStr>) -> Option<Run> {
        use std::os::unix::fs::{PermissionsExt, chown};
        if !self.is_roots() {
            return Some(self.program(program));
        }
        let setpriv = peer("setpriv")?;
        chown(self.work(), Some(NOBODY), Some(NOBODY)).unwrap();
        fs::set_permissions(self.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let become_nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        Some(self.program(&setpriv.path).args(become_nobody).arg(program))
    }

    /// Hands the files of the working folder to `nobody` too, where this is root.
    #[cfg(unix)]
    pub(crate) fn files_for_nobody(&self) {
        for name in self.listing().into_iter().filter(|_| self.is_roots()) {
            std::os::unix::fs::chown(self.path(name), Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }

    /// Whether the tests are run by root.
    #[cfg(unix)]
    pub(crate) fn is_roots(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(self.home()).unwrap().uid() == 0
    }

    /// Any program, in this sandbox.
    pub(crate) fn program(&self, program: impl AsRef<OsStr>) -> Run {
        let mut command = Command::new(program);
        command.current_dir(self.work()).env_clear();
        for kept in ["PATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "LLVM_PROFILE_FILE"] {
            if let Some(value) = env::var_os(kept) {
                command.env(kept, value);
            }
        }
        command.env("HOME", self.home()).env("XDG_DATA_HOME", self.home().join("data"));
        command
            .env("XDG_CONFIG_HOME", self.home().join("config"))
            .env("CERTKIT_CA", self.ca())
            .env("LC_ALL", "C.UTF-8");
        Run { command, stdin: Vec::new() }
    }
}

/// The user and group who own nothing.
pub(crate) const NOBODY: u32 = 65534;

/// A program about to run.
pub(crate) struct Run {
    command: Command,
    stdin: Vec<u8>,
}

impl Run {
    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn arg(self, arg: impl AsRef<OsStr>) -> Self {
        self.args([arg])
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// What it reads from stdin; nothing unless told.
    pub(crate) fn stdin(mut self, contents: impl Into<Vec<u8>>) -> Self {
        self.stdin = contents.into();
        self
    }

    pub(crate) fn run(mut self) -> Ran {
        let told = format!("{:?}", self.command);
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap_or_else(|error| panic!("{told}: {error}"));
        let mut stdin = child.stdin.take().unwrap();
        let contents = self.stdin;
        // A program may stop reading early; that is its business.
        let feeder = thread::spawn(move || _ = stdin.write_all(&contents));
        let output = child.wait_with_output().unwrap();
        feeder.join().unwrap();
        Ran {
            told,
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            bytes: output.stdout,
        }
    }

    /// Runs it and checks its exit status.
    pub(crate) fn expect_code(self, code: i32) -> Ran {
        self.run().expect_code(code)
    }
}

/// What a program did.
#[derive(Debug)]
pub(crate) struct Ran {
    told: String,
    /// `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// stdout as it came.
    pub(crate) bytes: Vec<u8>,
}

impl Ran {
    #[track_caller]
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// stdout as the one JSON document it must be.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON: {error}\n{self}"))
    }

    /// Checks that stdout holds this.
    #[track_caller]
    pub(crate) fn says(self, wanted: &str) -> Self {
        assert!(self.stdout.contains(wanted), "stdout lacks {wanted:?}\n{self}");
        self
    }

    /// Checks that stderr holds this.
    #[track_caller]
    pub(crate) fn complains(self, wanted: &str) -> Self {
        assert!(self.stderr.contains(wanted), "stderr lacks {wanted:?}\n{self}");
        self
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { told, code, stdout, stderr, bytes: _ } = self;
        write!(f, "{told}\nexit {code:?}\n--- stdout\n{stdout}--- stderr\n{stderr}")
    }
}

/// Another program to compare with.
pub(crate) struct Peer {
    pub(crate) path: OsString,
}

/// A program on `PATH`. Where it is absent the test has to return: a reason is printed, or with `CERTKIT_REQUIRE_PEERS=1`
/// the test fails.
pub(crate) fn peer(name: &str) -> Option<Peer> {
    let folders = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&folders)
        .flat_map(|folder| [folder.join(name), folder.join(format!("{name}.exe"))])
        .find(|path| path.is_file());
    match found {
        Some(path) => Some(Peer { path: path.into() }),
        None => skip(&format!("there is no {name} on PATH")),
    }
}

/// A Python with the package `cryptography`: `CERTKIT_PYTHON`, or `python3` on `PATH`.
pub(crate) fn python() -> Option<Peer> {
    let python = match env::var_os("CERTKIT_PYTHON") {
        Some(path) => Peer { path },
        None => peer("python3")?,
    };
    let asked = Command::new(&python.path).args(["-c", "import cryptography"]).output();
    match asked {
        Ok(output) if output.status.success() => Some(python),
        _ => skip("Python has no cryptography: set CERTKIT_PYTHON"),
    }
}

/// The `go` command: `CERTKIT_GO`, or the one on `PATH`.
pub(crate) fn go() -> Option<Peer> {
    match env::var_os("CERTKIT_GO") {
        Some(path) => Some(Peer { path }),
        None => peer("go"),
    }
}

/// As [`python`], with a `cryptography` that knows ML-DSA certificates (50 or later).
pub(crate) fn post_quantum_python() -> Option<Peer> {
    let python = python()?;
    let old = "import sys, cryptography; sys.exit(int(cryptography.__version__.split('.')[0]) < 50)";
    match Command::new(&python.path).args(["-c", old]).output() {
        Ok(asked) if asked.status.success() => Some(python),
        _ => skip("this Python has no cryptography 50 or later, which knows ML-DSA"),
    }
}

/// Passes a test over whose data is not there, whatever is required: data, unlike a peer, cannot be installed.
pub(crate) fn pass_over<T>(why: &str) -> Option<T> {
    _ = writeln!(io::stderr(), "skipped: {why}");
    None
}

/// Says why a test does nothing, or fails where nothing may be skipped.
pub(crate) fn skip<T>(why: &str) -> Option<T> {
    let required = env::var_os("CERTKIT_REQUIRE_PEERS").is_some_and(|value| value == "1");
    assert!(!required, "CERTKIT_REQUIRE_PEERS=1, but {why}");
    // Unlike eprintln!, this is seen although the test passes.
    _ = writeln!(io::stderr(), "skipped: {why}");
    None
}
