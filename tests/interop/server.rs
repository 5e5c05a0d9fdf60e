//! TLS servers of other makers on ports of their own. Killed and waited for when dropped.

use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{Peer, Sandbox};

const PYTHON: &str = include_str!("peers/serve.py");
const NODE: &str = include_str!("peers/serve.mjs");

/// What one port serves: file names in the sandbox.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    pub(super) chain: &'a str,
    pub(super) key: &'a str,
    /// CAs of which a client must have a certificate.
    pub(super) clients: Option<&'a str>,
}

/// A running server.
pub(super) struct Server {
    child: Child,
    /// In the order of the sites.
    pub(super) ports: Vec<u16>,
}

impl Server {
    /// Python's `ssl`, all sites in one process.
    pub(super) fn python(python: &Peer, sandbox: &Sandbox, sites: &[Site<'_>]) -> Self {
        Self::script(python, &["-c", PYTHON], sandbox, sites)
    }

    /// Node's `https`, all sites in one process.
    pub(super) fn node(node: &Peer, sandbox: &Sandbox, sites: &[Site<'_>]) -> Self {
        let script = sandbox.write("serve.mjs", NODE);
        Self::script(node, &[script.to_str().unwrap()], sandbox, sites)
    }

    /// A script that takes the sites as arguments and says the ports.
    fn script(program: &Peer, script: &[&str], sandbox: &Sandbox, sites: &[Site<'_>]) -> Self {
        let mut command = Command::new(&program.path);
        command.args(script);
        for site in sites {
            command.args([site.chain, site.key, site.clients.unwrap_or_default()]);
        }
        let mut child = start(command.stdout(Stdio::piped()), sandbox);
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ports = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no ports: {}", complaint(&mut child)));
        Self { child, ports }
    }

    /// `openssl s_server`.
    pub(super) fn openssl(openssl: &Peer, sandbox: &Sandbox, site: Site<'_>) -> Self {
        Self::on_free_port(sandbox, |port| {
            let mut command = Command::new(&openssl.path);
            command.args(["s_server", "-www", "-quiet", "-accept", &format!("127.0.0.1:{port}")]);
            command.args(["-cert", site.chain, "-cert_chain", site.chain, "-key", site.key]);
            if let Some(clients) = site.clients {
                command.args(["-CAfile", clients, "-Verify", "1", "-verify_return_error"]);
            }
            command
        })
    }

    /// `openssl s_server` with these arguments.
    pub(super) fn openssl_with(openssl: &Peer, sandbox: &Sandbox, arguments: &[&str]) -> Self {
        Self::on_free_port(sandbox, |port| {
            let mut command = Command::new(&openssl.path);
            command.args(["s_server", "-quiet", "-accept", &format!("127.0.0.1:{port}")]).args(arguments);
            command
        })
    }

    /// nginx without workers, so that it is one process.
    pub(super) fn nginx(nginx: &Peer, sandbox: &Sandbox, site: Site<'_>) -> Self {
        let clients = site.clients.map(|file| format!("ssl_verify_client on; ssl_client_certificate {file};"));
        Self::on_free_port(sandbox, |port| {
            let here = sandbox.work();
            let here = here.to_str().unwrap();
            let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .map(|kind| format!("{kind}_temp_path {here}/nginx-{kind};"))
                .concat();
            let configuration = format!(
                "daemon off; master_process off; pid nginx.pid; error_log stderr;
                 events {{}}
                 http {{
                     access_log off; {temporary}
                     server {{
                         listen 127.0.0.1:{port} ssl;
                         ssl_protocols TLSv1.2 TLSv1.3;
                         ssl_certificate {}; ssl_certificate_key {}; {}
                         location / {{ return 200 'a page by nginx for $ssl_client_s_dn\n'; }}
                     }}
                 }}",
                site.chain,
                site.key,
                clients.clone().unwrap_or_default()
            );
            sandbox.write("nginx.conf", configuration);
            let mut command = Command::new(&nginx.path);
            command.args(["-p", here, "-c", &format!("{here}/nginx.conf"), "-e", "stderr"]);
            command
        })
    }

    /// A server that has to be told its port. Where another process was quicker to take it, it is tried again.
    fn on_free_port(sandbox: &Sandbox, command: impl Fn(u16) -> Command) -> Self {
        let mut why = String::new();
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut server = Self { child: start(command(port).stdout(Stdio::null()), sandbox), ports: vec![port] };
            let began = Instant::now();
            while began.elapsed() < Duration::from_secs(120) {
                if let Some(status) = server.child.try_wait().unwrap() {
                    why = format!("{status}: {}", complaint(&mut server.child));
                    break;
                }
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return server;
                }
                sleep(Duration::from_millis(20));
            }
        }
        panic!("no server: {why}");
    }
}

fn start(command: &mut Command, sandbox: &Sandbox) -> Child {
    // A pipe, not the terminal's: the scripts serve until it closes, so none outlives a test that was killed.
    command.stdin(Stdio::piped()).stderr(Stdio::piped()).current_dir(sandbox.work()).env("HOME", sandbox.home());
    command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Ends it and returns what it wrote to stderr.
fn complaint(child: &mut Child) -> String {
    _ = child.kill();
    let mut said = String::new();
    _ = child.stderr.take().unwrap().read_to_string(&mut said);
    said
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
