//! Where a PostgreSQL ledger is and who asks for it.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use super::parameters::{Mode, Parameters, TlsFiles};
use super::tls::PostgresTls;
use crate::ca::ledger::LedgerError;
use ::postgres::Config;
use ::postgres::config::{Host, SslMode, SslNegotiation};

/// Where a PostgreSQL ledger is, and as whom it is used. The password is in it and is never shown.
#[derive(Clone)]
pub struct PostgresAccess {
    config: Box<Config>,
    name: String,
    /// How long the server may take to let anybody in.
    patience: Duration,
    /// Where the connection is encrypted: what that takes.
    files: Option<TlsFiles>,
    tls: Option<PostgresTls>,
}

impl PostgresAccess {
    /// Reads a URL, `postgres://USER@HOST:PORT/DATABASE` or `postgres:///DATABASE?host=/FOLDER/OF/SOCKET`. Without a host it
    /// is the socket in Debian's place. `user` is whoever the URL does not name, and `password` belongs to them where the
    /// URL has none.
    ///
    /// Another machine is spoken to over TLS alone, and so is any host for which the URL has `sslmode=verify-full`,
    /// `sslrootcert`, `sslcert` or `sslnegotiation=direct`: then [`Self::tls_files`] says what that takes, and
    /// [`Self::encrypted`] has to be given it.
    ///
    /// `connect_timeout` of the URL, or 20 seconds, is how long each host may take to let anybody in, all that goes before
    /// included: names looked up, TLS, the password, the first statement.
    ///
    /// # Errors
    /// [`LedgerError::Address`] where it is no such URL, or wants less of TLS than that; [`LedgerError::Remote`] where it has
    /// `sslmode=disable` for another machine.
    pub fn new(url: &str, user: &str, password: Option<&[u8]>) -> Result<Self, LedgerError> {
        let wrong = |why: &str| LedgerError::Address { why: why.to_owned() };
        if !Self::is_url(url) {
            return Err(wrong("it does not begin with postgres://"));
        }
        let (parameters, url) = Parameters::taken_from(url).map_err(|why| LedgerError::Address { why })?;
        // What the crate says of a wrong URL may quote it, and with it a password.
        let mut config: Config = url.parse().map_err(|_| wrong("write postgres://USER@HOST:PORT/DATABASE"))?;
        if config.get_hosts().is_empty() {
            // An address alone is what a certificate has to be for, too.
            match config.get_hostaddrs().to_vec() {
                addresses if addresses.is_empty() => _ = config.host(DEBIAN_SOCKET),
                addresses => addresses.iter().for_each(|address| _ = config.host(&address.to_string())),
            }
        }
        if config.get_user().is_none() {
            config.user(user);
        }
        if config.get_password().is_none()
            && let Some(password) = password
        {
            config.password(password);
        }
        config.application_name("certkit");
        let patience = limits(&mut config);
        let name = name(&config);
        let files = encryption(&config, parameters, &name)?;
        config.ssl_mode(if files.is_some() { SslMode::Require } else { SslMode::Disable });
        Ok(Self { config: Box::new(config), name, patience, files, tls: None })
    }

    /// The files that have to be loaded for [`Self::encrypted`]; `None` where the connection is not encrypted.
    pub fn tls_files(&self) -> Option<&TlsFiles> {
        self.files.as_ref()
    }

    /// The same with what TLS takes. Without it a connection that has to be encrypted is none.
    #[must_use]
    pub fn encrypted(self, tls: PostgresTls) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// The URL with the files that it names looked for in `folder`, wherever it is used from.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_files_from(url: &str, folder: &Path) -> Result<String, LedgerError> {
        Parameters::with_files_from(url, folder).map_err(|why| LedgerError::Address { why })
    }

    /// Whether a ledger is named by such a URL, and not by a file.
    pub fn is_url(text: &str) -> bool {
        text.starts_with("postgres://") || text.starts_with("postgresql://")
    }

    /// Whether a URL has a password in it.
    pub fn has_password(url: &str) -> bool {
        let with_password = |url: &str| url.parse::<Config>().is_ok_and(|config| config.get_password().is_some());
        let (host, query) = url.split_once('?').unwrap_or((url, ""));
        let rest = Parameters::taken_from(url).map_or_else(|_| url.to_owned(), |(_, rest)| rest);
        with_password(host) || with_password(&rest) || query.split('&').any(|each| each.starts_with("password="))
    }

    /// The URL without the password.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How long the server may take to let anybody in.
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    pub(in crate::ca::ledger) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) fn tls(&self) -> Option<&PostgresTls> {
        self.tls.as_ref()
    }
}

impl std::fmt::Debug for PostgresAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { config: _, name, patience: _, files: _, tls: _ } = self;
        f.debug_struct("PostgresAccess").field("name", name).finish_non_exhaustive()
    }
}

/// Bounds what is waited for where the URL does not; gives how long all hosts together may take to let anybody in.
fn limits(config: &mut Config) -> Duration {
    let each = config.get_connect_timeout().copied().unwrap_or(PATIENCE);
    // Half of it is for the first packets, so that another address of the same host has its turn.
    config.connect_timeout(each / 2);
    // A server whose machine is gone is missed after a minute and a half, in the midst of a statement too. One that is at work
    // may take its time: its machine answers for it.
    if config.get_keepalives_idle() == UNSET_KEEPALIVE {
        config.keepalives_idle(Duration::from_secs(60));
    }
    if config.get_keepalives_interval().is_none() {
        config.keepalives_interval(Duration::from_secs(10));
    }
    if config.get_keepalives_retries().is_none() {
        config.keepalives_retries(3);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(Duration::from_secs(90));
    }
    let hosts = config.get_hosts().len().max(config.get_hostaddrs().len()).max(1);
    each.saturating_mul(u32::try_from(hosts).unwrap_or(u32::MAX))
}

/// What TLS takes where the connection is encrypted.
fn encryption(config: &Config, parameters: Parameters, ledger: &str) -> Result<Option<TlsFiles>, LedgerError> {
    let Parameters { mode, files } = parameters;
    let direct = config.get_ssl_negotiation() == SslNegotiation::Direct;
    let asked = files.named().or(direct.then_some("sslnegotiation=direct"));
    let wrong = |why: String| Err(LedgerError::Address { why });
    let remote = config.get_hosts().iter().find(|host| !is_local(host)).map(shown);
    let remote = remote
        .or_else(|| config.get_hostaddrs().iter().find(|address| !address.is_loopback()).map(ToString::to_string));
    match (mode, remote, asked) {
        (Some(Mode::Disable), Some(host), _) => Err(LedgerError::Remote { ledger: ledger.to_owned(), host }),
        (Some(Mode::Disable), None, Some(asked)) => wrong(format!("{asked} has no effect beside sslmode=disable")),
        (Some(Mode::Disable) | None, None, None) => Ok(None),
        (Some(Mode::VerifyFull), ..) | (None, Some(_), _) | (None, None, Some(_)) => {
            match config.get_hosts().iter().any(is_socket) {
                true => wrong("a socket is not encrypted, and this URL asks for TLS".to_owned()),
                false => Ok(Some(files)),
            }
        }
    }
}

/// Every host with its port, and the addresses that are connected to in their place.
fn name(config: &Config) -> String {
    let user = config.get_user().unwrap_or_default();
    let database = config.get_dbname().unwrap_or(user);
    let ports = config.get_ports();
    let port = |at: usize| match ports.get(at).or_else(|| ports.first()) {
        None | Some(5432) => String::new(),
        Some(port) => format!(":{port}"),
    };
    let hosts = config.get_hosts();
    if let [socket] = hosts
        && is_socket(socket)
    {
        return format!("postgres://{user}@{}/{database}?host={}", port(0), shown(socket));
    }
    let named = |(at, host): (usize, &Host)| match host {
        Host::Tcp(name) if name.contains(':') => format!("[{name}]{}", port(at)),
        Host::Tcp(name) => format!("{name}{}", port(at)),
        #[cfg(unix)]
        Host::Unix(_) => format!("{}{}", shown(host).replace('/', "%2F"), port(at)),
    };
    let places: Vec<String> = hosts.iter().enumerate().map(named).collect();
    let addresses: Vec<String> = config.get_hostaddrs().iter().map(ToString::to_string).collect();
    let are_told = hosts.iter().map(shown).eq(addresses.iter().cloned());
    let addresses = match addresses.is_empty() || are_told {
        true => String::new(),
        false => format!("?hostaddr={}", addresses.join(",")),
    };
    format!("postgres://{user}@{}/{database}{addresses}", places.join(","))
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn is_socket(host: &Host) -> bool {
    match host {
        Host::Tcp(_) => false,
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn shown(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    }
}

/// How long a host may take to let anybody in, where the URL has no `connect_timeout`.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the crate has where a URL says nothing.
const UNSET_KEEPALIVE: Duration = Duration::from_secs(2 * 60 * 60);

/// Where Debian's PostgreSQL has its socket.
const DEBIAN_SOCKET: &str = "/var/run/postgresql";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_password_is_used_and_never_shown() {
        let access = PostgresAccess::new("postgres://ann:sesame@localhost:5433/ledger", "bob", None).unwrap();
        assert_eq!(access.config.get_password(), Some(&b"sesame"[..]));
        assert_eq!(access.name(), "postgres://ann@localhost:5433/ledger");
        assert!(!format!("{access:?}").contains("sesame"));
        let given = PostgresAccess::new("postgres:///ledger?host=/run/pg", "bob", Some(b"sesame")).unwrap();
        assert_eq!(given.config.get_password(), Some(&b"sesame"[..]));
        assert_eq!(given.name(), "postgres://bob@/ledger?host=/run/pg");
        for wrong in ["postgres://ann:sesame@localhost:port/ledger", "postgres://ann:sesame@localhost/x?colour=sesame"]
        {
            let told = PostgresAccess::new(wrong, "bob", None).unwrap_err();
            assert!(!format!("{told} {told:?}").contains("sesame"), "{told}");
        }
        assert!(PostgresAccess::has_password("postgres://ann:sesame@localhost/ledger"));
        assert!(!PostgresAccess::has_password("postgres://ann@localhost/ledger"));
    }

    #[test]
    fn the_name_tells_every_place_that_is_connected_to() {
        for (url, name) in [
            ("postgres://localhost:5599/l1?hostaddr=192.0.2.2", "postgres://ck@localhost:5599/l1?hostaddr=192.0.2.2"),
            ("postgres://localhost:5599/l1?host=192.0.2.2&port=5432", "postgres://ck@localhost:5599,192.0.2.2/l1"),
            ("postgres://localhost,192.0.2.1:5433/l1", "postgres://ck@localhost,192.0.2.1:5433/l1"),
            ("postgres://localhost/l1?host=/sock&port=55991", "postgres://ck@localhost,%2Fsock:55991/l1"),
            ("postgres:///l1?host=/sock&port=55991", "postgres://ck@:55991/l1?host=/sock"),
            ("postgres://[::1]:55991/l1", "postgres://ck@[::1]:55991/l1"),
            ("postgres://[::1]/l1", "postgres://ck@[::1]/l1"),
            ("postgres:///l1?hostaddr=192.0.2.1", "postgres://ck@192.0.2.1/l1"),
            ("postgres:///l1?hostaddr=::1&port=55991", "postgres://ck@[::1]:55991/l1"),
            ("postgres:///l1", "postgres://ck@/l1?host=/var/run/postgresql"),
        ] {
            assert_eq!(PostgresAccess::new(url, "ck", None).unwrap().name(), name, "{url}");
        }
    }

    #[test]
    fn a_host_is_waited_for_as_long_as_the_url_says_and_never_for_ever() {
        let access = |url: &str| PostgresAccess::new(url, "bob", None).unwrap();
        for (url, seconds) in [
            ("postgres://localhost/x", 20),
            ("postgres:///x", 20),
            ("postgres://localhost/x?connect_timeout=0", 20),
            ("postgres://localhost/x?connect_timeout=3", 3),
            ("postgres://one,two/x?connect_timeout=3", 6),
            ("postgres:///x?hostaddr=127.0.0.1&connect_timeout=3", 3),
        ] {
            assert_eq!(access(url).patience(), Duration::from_secs(seconds), "{url}");
        }
        let limits = |url: &str| {
            let config = access(url).config;
            let retries = config.get_keepalives_retries();
            (config.get_keepalives_idle().as_secs(), retries, config.get_tcp_user_timeout().map(Duration::as_secs))
        };
        assert_eq!(limits("postgres://localhost/x"), (60, Some(3), Some(90)));
        let own = "postgres://localhost/x?keepalives_idle=5&keepalives_retries=9&tcp_user_timeout=7";
        assert_eq!(limits(own), (5, Some(9), Some(7)));
    }

    #[test]
    fn another_machine_is_not_spoken_to_in_the_clear() {
        let mode = |url: &str| PostgresAccess::new(url, "bob", None).map(|access| access.config.get_ssl_mode());
        for local in ["localhost", "127.0.0.1", "[::1]", "%2Frun%2Fpostgresql", ""] {
            for query in ["", "?sslmode=disable"] {
                let url = format!("postgres://{local}/ledger{query}");
                assert_eq!(mode(&url).unwrap(), SslMode::Disable, "{url}");
            }
        }
        for remote in ["db.example", "192.0.2.1", "[2001:db8::1]", "localhost,db.example", "localhost.example"] {
            let url = format!("postgres://ann:sesame@{remote}/ledger");
            assert_eq!(mode(&url).unwrap(), SslMode::Require, "{url}");
            let refused = mode(&format!("{url}?sslmode=disable")).unwrap_err();
            assert!(matches!(refused, LedgerError::Remote { .. }), "{remote}: {refused}");
            for weaker in ["allow", "prefer", "require", "verify-ca"] {
                let refused = mode(&format!("{url}?sslmode={weaker}")).unwrap_err();
                assert!(matches!(refused, LedgerError::Address { .. }), "{remote}: {refused}");
            }
        }
        for elsewhere in ["postgres://localhost/ledger?hostaddr=192.0.2.1", "postgres:///ledger?hostaddr=192.0.2.1"] {
            assert_eq!(mode(elsewhere).unwrap(), SslMode::Require, "{elsewhere}");
        }
    }

    #[test]
    fn this_machine_is_spoken_to_over_tls_where_the_url_says_so_and_a_socket_never() {
        for query in ["sslmode=verify-full", "sslrootcert=ca.pem", "sslcert=me.pem", "sslnegotiation=direct"] {
            let access = PostgresAccess::new(&format!("postgres://localhost/ledger?{query}"), "bob", None).unwrap();
            assert!(access.tls_files().is_some(), "{query}");
            assert_eq!(access.config.get_ssl_mode(), SslMode::Require, "{query}");
            for socket in ["postgres:///ledger", "postgres://%2Frun%2Fpg,db.example/ledger"] {
                let refused = PostgresAccess::new(&format!("{socket}?{query}"), "bob", None).unwrap_err();
                assert!(refused.to_string().contains("socket"), "{query}: {refused}");
            }
        }
        let refused = PostgresAccess::new("postgres://localhost/x?sslmode=disable&sslcert=me.pem", "bob", None);
        assert!(refused.unwrap_err().to_string().contains("sslcert has no effect"));
        assert!(PostgresAccess::has_password("postgres://ann:sesame@localhost/ledger?sslmode=verify-full"));
        assert!(PostgresAccess::has_password("postgres://ann:sesame@localhost/ledger?sslmode=wrong"));
        assert!(PostgresAccess::has_password("postgres://ann@localhost/ledger?password=sesame&sslmode=verify-full"));
        assert!(PostgresAccess::has_password("postgres://ann@localhost/ledger?password=sesame&sslmode=wrong"));
    }
}
