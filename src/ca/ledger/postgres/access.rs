//! Where a PostgreSQL ledger is and who asks for it.

use std::net::IpAddr;
use std::time::Duration;

use crate::ca::ledger::LedgerError;
use ::postgres::Config;
use ::postgres::config::Host;

/// Where a PostgreSQL ledger is, and as whom it is used. The password is in it and is never shown.
#[derive(Clone)]
pub struct PostgresAccess {
    config: Box<Config>,
    name: String,
}

impl PostgresAccess {
    /// Reads a URL, `postgres://USER@HOST:PORT/DATABASE` or `postgres:///DATABASE?host=/FOLDER/OF/SOCKET`. Without a host it
    /// is the socket in Debian's place. `user` is whoever the URL does not name, and `password` belongs to them where the
    /// URL has none.
    ///
    /// # Errors
    /// [`LedgerError::Address`] where it is no such URL; [`LedgerError::Remote`] where the host is another machine: the
    /// connection is not encrypted.
    pub fn new(url: &str, user: &str, password: Option<&[u8]>) -> Result<Self, LedgerError> {
        let wrong = |why: &str| LedgerError::Address { why: why.to_owned() };
        if !Self::is_url(url) {
            return Err(wrong("it does not begin with postgres://"));
        }
        // What the crate says of a wrong URL may quote it, and with it a password.
        let mut config: Config = url.parse().map_err(|_| wrong("write postgres://USER@HOST:PORT/DATABASE"))?;
        if config.get_hosts().is_empty() {
            config.host(DEBIAN_SOCKET);
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
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(10));
        }
        let name = name(&config);
        if let Some(remote) = config.get_hosts().iter().find(|host| !is_local(host)) {
            let host = shown(remote);
            return Err(LedgerError::Remote { ledger: name, host });
        }
        if config.get_hostaddrs().iter().any(|address| !address.is_loopback()) {
            return Err(LedgerError::Remote { host: name.clone(), ledger: name });
        }
        Ok(Self { config: Box::new(config), name })
    }

    /// Whether a ledger is named by such a URL, and not by a file.
    pub fn is_url(text: &str) -> bool {
        text.starts_with("postgres://") || text.starts_with("postgresql://")
    }

    /// Whether a URL has a password in it.
    pub fn has_password(url: &str) -> bool {
        url.parse::<Config>().is_ok_and(|config| config.get_password().is_some())
    }

    /// The URL without the password.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(in crate::ca::ledger) fn config(&self) -> &Config {
        &self.config
    }
}

impl std::fmt::Debug for PostgresAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { config: _, name } = self;
        f.debug_struct("PostgresAccess").field("name", name).finish_non_exhaustive()
    }
}

fn name(config: &Config) -> String {
    let user = config.get_user().unwrap_or_default();
    let database = config.get_dbname().unwrap_or(user);
    let port = config.get_ports().first().filter(|port| **port != 5432);
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    match config.get_hosts().first() {
        Some(Host::Tcp(host)) => format!("postgres://{user}@{host}{port}/{database}"),
        Some(socket) => format!("postgres://{user}@{port}/{database}?host={}", shown(socket)),
        None => format!("postgres://{user}@{port}/{database}"),
    }
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
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
    fn another_machine_is_not_spoken_to_in_the_clear() {
        for local in ["localhost", "127.0.0.1", "[::1]", "%2Frun%2Fpostgresql", ""] {
            assert!(PostgresAccess::new(&format!("postgres://{local}/ledger"), "bob", None).is_ok(), "{local}");
        }
        for remote in ["db.example", "192.0.2.1", "[2001:db8::1]", "localhost,db.example", "localhost.example"] {
            let url = format!("postgres://ann:sesame@{remote}/ledger");
            let refused = PostgresAccess::new(&url, "bob", None).unwrap_err();
            assert!(matches!(refused, LedgerError::Remote { .. }), "{remote}: {refused}");
        }
        let elsewhere = PostgresAccess::new("postgres://localhost/ledger?hostaddr=192.0.2.1", "bob", None);
        assert!(matches!(elsewhere, Err(LedgerError::Remote { .. })), "{elsewhere:?}");
    }
}
