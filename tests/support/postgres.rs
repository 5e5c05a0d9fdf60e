//! A PostgreSQL server of the tests' own, on a socket in a folder of its own. The library's unit tests use this file too.

use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, io, thread};

/// A server. It ends with the process that started it, whatever ends that: its shell waits for the end of a pipe.
pub(crate) struct Server {
    folder: PathBuf,
    port: u16,
    databases: AtomicU32,
    _alive: ChildStdin,
}

/// The server of this process. Where PostgreSQL is not installed the test has to return: a reason is printed, or with
/// `CERTKIT_REQUIRE_PEERS=1` the test fails.
pub(crate) fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(|| Server::start(5432, None)).as_ref()
}

/// What a server needs to speak TLS, as it does on its port at 127.0.0.1: files in PEM, and who is let in how
/// (`pg_hba.conf`). On its socket everybody is.
#[allow(dead_code, reason = "the unit tests have no use for it")]
pub(crate) struct Encryption<'a> {
    pub(crate) certificate: &'a Path,
    pub(crate) key: &'a Path,
    pub(crate) client_ca: &'a Path,
    pub(crate) access: &'a str,
}

#[allow(dead_code, reason = "the unit tests have no use for it")]
impl Server {
    /// A server that speaks TLS.
    pub(crate) fn encrypted(encryption: &Encryption<'_>) -> Option<Self> {
        let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        Self::start(free, Some(encryption))
    }

    /// Its port at 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Runs statements as its administrator.
    pub(crate) fn administer(&self, statements: &str) {
        self.client("postgres").unwrap().batch_execute(statements).unwrap();
    }
}

impl Server {
    fn start(port: u16, encryption: Option<&Encryption<'_>>) -> Option<Self> {
        let Some(programs) = programs() else { return skip("there is no initdb of PostgreSQL") };
        let Some(user) = unprivileged() else { return skip("no program can be run as another user") };
        let folder = tempfile::Builder::new().prefix("certkit-postgres").tempdir().unwrap().keep();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        let shown = folder.display();
        fs::create_dir(folder.join("server")).unwrap();
        let as_user = match user {
            Some(id) => {
                chown(folder.join("server"), Some(id), Some(id)).unwrap();
                format!("setpriv --reuid={id} --regid={id} --clear-groups")
            }
            None => String::new(),
        };
        let settings = match encryption {
            Some(encryption) => encryption.settle_in(&folder.join("server"), user),
            None => "-c listen_addresses=".to_owned(),
        };
        // What initdb leaves unsynced is no loss: the tests kill clients, not the machine.
        let script = format!(
            "set -e; cd '{shown}/server'; run='{as_user}'; bin='{}'
             LC_ALL=C $run $bin/initdb -D '{shown}/server/data' -U certkit --auth=trust --encoding=UTF8 --no-sync >init.log 2>&1
             $run $bin/postgres -D '{shown}/server/data' -k '{shown}/server' -p {port} {settings} -c max_connections=200 \
                -c shared_buffers=32MB >server.log 2>&1 &
             trap '' INT TERM
             cat >/dev/null; kill -QUIT $!; wait; rm -rf '{shown}'",
            programs.display()
        );
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let alive = shell.spawn().unwrap().stdin.take().unwrap();
        let server = Self { folder, port, databases: AtomicU32::new(0), _alive: alive };
        server.wait();
        Some(server)
    }

    /// The URL of a database that nobody has used.
    pub(crate) fn database(&self) -> String {
        let name = format!("ledger{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.client("postgres").unwrap().batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
        self.url(&name)
    }

    fn url(&self, name: &str) -> String {
        let port = if self.port == 5432 { String::new() } else { format!("&port={}", self.port) };
        format!("postgres://certkit@/{name}?host={}/server{port}", self.folder.display())
    }

    fn client(&self, name: &str) -> Result<postgres::Client, postgres::Error> {
        postgres::Client::connect(&self.url(name), postgres::NoTls)
    }

    fn wait(&self) {
        let begun = Instant::now();
        while let Err(error) = self.client("postgres") {
            let log = |name: &str| fs::read_to_string(self.folder.join("server").join(name)).unwrap_or_default();
            let logs = || format!("{error}\n{}\n{}", log("init.log"), log("server.log"));
            assert!(begun.elapsed() < Duration::from_secs(120), "PostgreSQL does not start: {}", logs());
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Encryption<'_> {
    /// Puts the files where the server's user may read them; gives the settings.
    fn settle_in(&self, folder: &Path, user: Option<u32>) -> String {
        let access = folder.join("access");
        fs::write(&access, format!("local all certkit trust\n{}", self.access)).unwrap();
        for (from, to) in
            [(self.certificate, "server.pem"), (self.key, "server-key.pem"), (self.client_ca, "clients.pem")]
        {
            let to = folder.join(to);
            fs::write(&to, fs::read(from).unwrap()).unwrap();
            fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
            if let Some(id) = user {
                chown(&to, Some(id), Some(id)).unwrap();
            }
        }
        let shown = folder.display();
        format!(
            "-c listen_addresses=127.0.0.1 -c ssl=on -c hba_file='{shown}/access' -c ssl_cert_file='{shown}/server.pem' \
             -c ssl_key_file='{shown}/server-key.pem' -c ssl_ca_file='{shown}/clients.pem'"
        )
    }
}

/// The folder of the server's programs: Debian's newest, or one on `PATH`.
fn programs() -> Option<PathBuf> {
    let mut debian: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    debian.sort();
    let path = env::var_os("PATH").unwrap_or_default();
    let mut all = debian.into_iter().rev().chain(env::split_paths(&path));
    all.find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

/// Who may run a server, which root may not: this user, or where this is root, the one who owns nothing.
fn unprivileged() -> Option<Option<u32>> {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().unwrap();
    if fs::metadata(folder.path()).unwrap().uid() != 0 {
        return Some(None);
    }
    let tried = Command::new("setpriv").args(["--reuid=65534", "--regid=65534", "--clear-groups", "true"]).status();
    tried.is_ok_and(|status| status.success()).then_some(Some(65534))
}

/// As `support::skip`.
fn skip<T>(why: &str) -> Option<T> {
    let required = env::var_os("CERTKIT_REQUIRE_PEERS").is_some_and(|value| value == "1");
    assert!(!required, "CERTKIT_REQUIRE_PEERS=1, but {why}");
    _ = writeln!(io::stderr(), "skipped: {why}");
    None
}
