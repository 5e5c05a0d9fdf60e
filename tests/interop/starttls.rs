//! `certkit connect --starttls` to the servers people run: Exim, Dovecot, OpenLDAP, PostgreSQL, MariaDB, vsftpd, Prosody.
//!
//! Each runs in the test's folder, on a port of its own, with a certificate of certkit's, as a user without rights; and once
//! more without TLS, which certkit has to tell.

use super::captures::agree;
use super::scans::{found, theirs};
use crate::support::background::{Background, free_port};
use crate::support::postgres;
use crate::support::{Ran, Sandbox, peer, skip};

#[test]
fn exim_goes_over_to_tls() {
    Program { command: "exim4", speaks: "smtp", title: "SMTP", file: EXIM, run: EXIM_RUN }
        .is_told(&Habits { resumes: false, ..Habits::USUAL });
}

#[test]
fn dovecot_goes_over_to_tls_for_imap() {
    // Each process of its login service has ticket keys of its own, and takes one connection.
    Program { command: "dovecot", speaks: "imap", title: "IMAP", file: DOVECOT, run: DOVECOT_RUN }
        .is_told(&Habits { resumes: false, ..Habits::USUAL });
}

#[test]
fn dovecot_goes_over_to_tls_for_pop3() {
    Program { command: "dovecot", speaks: "pop3", title: "POP3", file: DOVECOT, run: DOVECOT_RUN }.is_told(&Habits {
        resumes: false,
        without: "STLS is not among its capabilities",
        ..Habits::USUAL
    });
}

#[test]
fn openldap_goes_over_to_tls() {
    let run = "exec $PROGRAM -d 0 -f $HERE/server.cfg.lua -h ldap://127.0.0.1:$PORT";
    Program { command: "slapd", speaks: "ldap", title: "LDAP", file: SLAPD, run }.is_told(&Habits {
        resumes: false,
        without: "refuses StartTLS: protocolError (2)",
        // Version 2.0 does not get as far as TLS with it.
        sslscan: None,
    });
}

#[test]
fn postgresql_goes_over_to_tls() {
    Program { command: "postgres", speaks: "postgres", title: "PostgreSQL", file: POSTGRES, run: POSTGRES_RUN }
        .is_told(&Habits {
            resumes: false,
            without: "refuses TLS: N: it is built or set up without",
            sslscan: Some("psql"),
        });
}

#[test]
fn mariadb_goes_over_to_tls() {
    let run = "exec $PROGRAM --defaults-file=$HERE/server.cfg.lua";
    Program { command: "mariadbd", speaks: "mysql", title: "MySQL", file: MARIADB, run }
        .is_told(&Habits { without: "CLIENT_SSL is not among its capabilities", ..Habits::USUAL });
}

#[test]
fn vsftpd_goes_over_to_tls() {
    let run = "exec $PROGRAM $HERE/server.cfg.lua";
    Program { command: "vsftpd", speaks: "ftp", title: "FTP", file: VSFTPD, run }
        .is_told(&Habits { without: "refuses AUTH TLS: 530 Please login with USER and PASS.", ..Habits::USUAL });
}

#[test]
fn prosody_goes_over_to_tls() {
    let run = "exec $PROGRAM -F --config $HERE/server.cfg.lua";
    Program { command: "prosody", speaks: "xmpp", title: "XMPP", file: PROSODY, run }.is_told(&Habits {
        resumes: false,
        // It offers nothing then, not even a login, and says so.
        without: "refuses the stream: undefined-condition: No stream features to proceed with",
        ..Habits::USUAL
    });
}

/// A server, with the shell's line that runs it. In the line and in the file `$HERE`, `$PORT`, `$PROTOCOL`, `$USER` and
/// `$GROUP` stand for what they are there; lines of the file that begin with `tls:` are for a server with TLS, with `plain:` for one without.
struct Program {
    command: &'static str,
    speaks: &'static str,
    title: &'static str,
    file: &'static str,
    run: &'static str,
}

/// What is peculiar to a server.
struct Habits {
    /// It takes its tickets back. `openssl s_client -sess_in` finds the same.
    resumes: bool,
    /// What is told of it without TLS.
    without: &'static str,
    /// The protocol's name with sslscan, where that can be asked.
    sslscan: Option<&'static str>,
}

impl Habits {
    const USUAL: Self = Self { resumes: true, without: "STARTTLS is not among its capabilities", sslscan: Some("") };
}

impl Program {
    fn is_told(&self, habits: &Habits) {
        let Some((sandbox, port, _server)) = self.start(true) else { return };
        let files = ["--save-pcap", RECORDING, "--key-log", KEYS];
        let told = self.connect(&sandbox, port, &[&["--resume", "--json"][..], &files].concat()).expect_code(0).json();
        assert_eq!((&told["starttls"], &told["accepted"]), (&self.speaks.into(), &true.into()));
        assert_eq!(told["events"][0]["headline"], format!("{}, which goes over to TLS", self.title));
        assert_eq!(told["events"][1]["kind"], "ClientHello");
        let summary = &told["summary"];
        assert_eq!((&summary["finished_verified"], &summary["signature_holds"]), (&true.into(), &true.into()));
        assert_eq!(told["resumption"]["resumed"], habits.resumes, "{}", told["resumption"]);
        self.connect(&sandbox, port, &["--host", "other.test"]).expect_code(1).says("other.test");
        self.tshark_reads_the_same(&sandbox, port);
        if let Some(name) = habits.sslscan {
            self.sslscan_finds_the_same(&sandbox, port, if name.is_empty() { self.speaks } else { name });
        }
        let Some((sandbox, port, _server)) = self.start(false) else { return };
        self.connect(&sandbox, port, &[]).expect_code(2).complains(habits.without);
    }

    /// tshark, told what the port speaks, reads what certkit recorded as certkit does.
    fn tshark_reads_the_same(&self, sandbox: &Sandbox, port: u16) {
        let Some(tshark) = peer("tshark") else { return };
        let name = match self.speaks {
            "pop3" => "pop",
            "postgres" => "pgsql",
            name => name,
        };
        let (speaks, keys) = (format!("tcp.port=={port},{name}"), format!("tls.keylog_file:{KEYS}"));
        let args = ["-r", RECORDING, "-d", &speaks, "-o", &keys, "-T", "json", "--no-duplicate-keys", "-Y", "tls"];
        let theirs = sandbox.peer(&tshark, &args).expect_code(0).json();
        let ours = sandbox.certkit(&["capture", RECORDING, "--key-log", KEYS, "--json"]).expect_code(0).json();
        agree(&ours, &theirs, 7);
    }

    fn sslscan_finds_the_same(&self, sandbox: &Sandbox, port: u16, name: &str) {
        let Some(sslscan) = peer("sslscan") else { return };
        let target = format!("localhost:{port}");
        let ran = sandbox.certkit(&["connect", &target, "--starttls", self.speaks, "--scan", "--json"]);
        assert!(matches!(ran.code, Some(0 | 1)), "{ran}");
        let options = [&format!("--starttls-{name}"), "--xmpp-domain=localhost"];
        assert_eq!(found(&ran.json()), theirs(&sslscan, sandbox, port, &options));
    }

    fn connect(&self, sandbox: &Sandbox, port: u16, args: &[&str]) -> Ran {
        let (target, root) = (format!("localhost:{port}"), sandbox.ca().join("ca.pem").display().to_string());
        sandbox.certkit(&[&["connect", &target, "--starttls", self.speaks, "--roots", &root], args].concat())
    }

    /// It, in a folder of its own, with TLS or without.
    fn start(&self, tls: bool) -> Option<(Sandbox, u16, Background)> {
        let program = match (self.command, postgres::programs()) {
            ("postgres", Some(folder)) => folder.join("postgres").into(),
            ("postgres", None) => return skip("there is no initdb of PostgreSQL"),
            (command, _) => peer(command)?.path,
        };
        let (sandbox, port) = (Sandbox::new(), free_port());
        sandbox.certkit(&["ca", "issue", "localhost", "--out", "cert.pem", "--keyout", "key.pem"]).expect_code(0);
        let (user, group) = match sandbox.is_roots() {
            true => ("nobody".to_owned(), "nogroup".to_owned()),
            false => (own(&sandbox, "-un"), own(&sandbox, "-gn")),
        };
        let filled = |text: &str| {
            let text = text.replace("$HERE", &sandbox.work().display().to_string()).replace("$PORT", &port.to_string());
            let text = text.replace("$PROTOCOL", self.speaks).replace("${PROTOCOL}", self.speaks);
            text.replace("$USER", &user).replace("$GROUP", &group).replace("$PROGRAM", &program.to_string_lossy())
        };
        let (with, without) = if tls { ("tls:", "plain:") } else { ("plain:", "tls:") };
        let lines = self.file.lines().filter(|line| !line.starts_with(without));
        let lines = lines.map(|line| line.strip_prefix(with).unwrap_or(line));
        sandbox.write("server.cfg.lua", filled(&lines.collect::<Vec<_>>().join("\n")) + "\n");
        sandbox.files_for_nobody();
        let run = sandbox.as_nobody("sh")?.args(["-c", &filled(self.run)]);
        let mut server = sandbox.start(run);
        server.wait_for(port);
        Some((sandbox, port, server))
    }
}

/// A name of who runs the tests.
fn own(sandbox: &Sandbox, which: &str) -> String {
    sandbox.program("id").arg(which).expect_code(0).stdout.trim().to_owned()
}

const RECORDING: &str = "all.pcap";
const KEYS: &str = "keys.txt";

const EXIM_RUN: &str = "exec $PROGRAM -C $HERE/server.cfg.lua -bdf -oX 127.0.0.1.$PORT";
const EXIM: &str = "\
primary_hostname = localhost
spool_directory = $HERE/spool
log_file_path = $HERE/%slog
pid_file_path = $HERE/pid
exim_user = $USER
exim_group = $GROUP
never_users =
smtp_accept_max = 0
keep_environment =
plain:tls_advertise_hosts =
tls:tls_advertise_hosts = *
tls:tls_certificate = $HERE/cert.pem
tls:tls_privatekey = $HERE/key.pem
begin acl
begin routers
begin transports";

const DOVECOT_RUN: &str = "exec $PROGRAM -F -c $HERE/server.cfg.lua";
const DOVECOT: &str = "\
base_dir = $HERE/dovecot
state_dir = $HERE/dovecot
log_path = /dev/stderr
protocols = $PROTOCOL
listen = 127.0.0.1
default_internal_user = $USER
default_internal_group = $GROUP
default_login_user = $USER
plain:ssl = no
tls:ssl = required
tls:ssl_cert = <$HERE/cert.pem
tls:ssl_key = <$HERE/key.pem
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=$USER gid=$GROUP home=/nowhere
}
service auth {
  user = $USER
  chroot =
}
service auth-worker {
  user = $USER
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
service $PROTOCOL-login {
  chroot =
  inet_listener $PROTOCOL {
    port = $PORT
  }
  inet_listener ${PROTOCOL}s {
    port = 0
  }
}";

const SLAPD: &str = "\
pidfile $HERE/pid
tls:TLSCertificateFile $HERE/cert.pem
tls:TLSCertificateKeyFile $HERE/key.pem";

const POSTGRES_RUN: &str = "bin=$(dirname $PROGRAM)
$bin/initdb -D $HERE/data -U certkit --auth=trust --encoding=UTF8 --no-sync >init.log 2>&1
exec $PROGRAM -D $HERE/data -c config_file=$HERE/server.cfg.lua";
const POSTGRES: &str = "\
listen_addresses = '127.0.0.1'
port = $PORT
unix_socket_directories = ''
shared_buffers = 8MB
plain:ssl = off
tls:ssl = on
tls:ssl_cert_file = '$HERE/cert.pem'
tls:ssl_key_file = '$HERE/key.pem'";

const MARIADB: &str = "\
[mysqld]
datadir=$HERE
socket=$HERE/socket
bind-address=127.0.0.1
port=$PORT
# Without tables of users there is nothing to be installed first; nobody logs in here.
skip-grant-tables
plain:skip-ssl
tls:ssl-cert=$HERE/cert.pem
tls:ssl-key=$HERE/key.pem";

const VSFTPD: &str = "\
listen=YES
listen_address=127.0.0.1
listen_port=$PORT
background=NO
run_as_launching_user=YES
seccomp_sandbox=NO
plain:ssl_enable=NO
tls:ssl_enable=YES
tls:allow_anon_ssl=YES
tls:rsa_cert_file=$HERE/cert.pem
tls:rsa_private_key_file=$HERE/key.pem";

const PROSODY: &str = "\
daemonize = false
pidfile = '$HERE/pid'
data_path = '$HERE'
interfaces = { '127.0.0.1' }
c2s_ports = { $PORT }
modules_disabled = { 's2s', 'posix' }
log = { info = '*console' }
plain:modules_enabled = { 'saslauth' }
tls:modules_enabled = { 'saslauth', 'tls' }
tls:ssl = { certificate = '$HERE/cert.pem', key = '$HERE/key.pem' }
VirtualHost 'localhost'";
