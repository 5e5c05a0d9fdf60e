//! From a name to a TCP connection.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use super::target::Endpoint;
use super::wire::{Stopwatch, Wire};
use crate::x509::ServerName;

/// How long an address has before the next one is tried beside it (RFC 8305 §5: Connection Attempt Delay).
const HEAD_START: Duration = Duration::from_millis(250);

/// The most addresses of one name that are tried.
const MOST_ADDRESSES: usize = 16;

/// A connection, and how it came about.
#[derive(Debug)]
pub struct Dialled {
    /// The connection. What is left of the time it was dialled with goes on to run.
    pub wire: Wire,
    /// How it came about.
    pub route: Route,
}

/// How an endpoint was reached.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Route {
    /// Milliseconds it took to resolve the name; `null` where there was none to resolve.
    pub resolve_ms: Option<f64>,
    /// The addresses of the name in the order of preference. Not all need to have been tried.
    pub addresses: Vec<IpAddr>,
    /// The attempts, in their order.
    pub attempts: Vec<Attempt>,
    /// Milliseconds the attempt took that was successful.
    pub connect_ms: f64,
    /// The address at this end.
    pub local: SocketAddr,
    /// The address at the other end.
    pub peer: SocketAddr,
}

/// An attempt to connect to one address.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Attempt {
    /// The address.
    pub address: SocketAddr,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: RouteOutcome,
    /// Milliseconds it took, or until it was given up.
    pub ms: f64,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "outcome", content = "why", rename_all = "snake_case")]
pub enum RouteOutcome {
    /// It is the connection.
    Connected,
    /// It failed, for this reason in words.
    Failed(String),
    /// Nothing came back in time.
    TimedOut,
    /// Another was faster.
    Overtaken,
}

/// Why an endpoint was not reached.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The name has no address, as far as the resolver says.
    #[error("{host} has no address: {why}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver says.
        why: String,
    },
    /// The resolver did not answer in time.
    #[error("the addresses of {host} were not found in {seconds} s")]
    ResolveTimeout {
        /// The name.
        host: String,
        /// How long that was.
        seconds: f64,
    },
    /// No address could be connected to.
    #[error("cannot reach {endpoint}: {}", in_words(attempts))]
    Unreachable {
        /// What was to be reached.
        endpoint: String,
        /// What was tried.
        attempts: Vec<Attempt>,
    },
    /// The system has no more threads or descriptors.
    #[error("cannot dial: {0}")]
    System(#[from] io::Error),
}

impl DialError {
    /// What to do next, in one line.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Resolve { .. } => Some("is the name spelled right? an address does as well, with --sni NAME"),
            Self::ResolveTimeout { .. } => Some("is there a network? --timeout gives it longer"),
            Self::Unreachable { attempts, .. } => {
                let refused = attempts.iter().any(|attempt| attempt.outcome == RouteOutcome::Failed(REFUSED.into()));
                match refused {
                    true => Some("does the server run, and on this port?"),
                    false => Some("is there a way to it? a firewall may drop what is sent; --timeout gives it longer"),
                }
            }
            Self::System(_) => None,
        }
    }
}

/// Reaches an endpoint: its addresses one after the other, the next one beside those that are slow (RFC 8305). All of it
/// has this much time.
///
/// # Errors
/// When the name has no address, or none of its addresses can be connected to in that time.
pub fn dial(endpoint: &Endpoint, timeout: Duration, stopwatch: Stopwatch) -> Result<Dialled, DialError> {
    let begun = Instant::now();
    let deadline = begun + timeout;
    let (addresses, resolve_ms) = match &endpoint.host {
        ServerName::Ip(address) => (vec![SocketAddr::new(*address, endpoint.port)], None),
        ServerName::Dns(name) => (resolve(name.as_str(), endpoint.port, timeout)?, Some(ms(begun.elapsed()))),
    };
    let (stream, attempts) = race(&addresses, deadline)?;
    let Some(stream) = stream else {
        return Err(DialError::Unreachable { endpoint: endpoint.to_string(), attempts });
    };
    let (local, peer) = (stream.local_addr()?, stream.peer_addr()?);
    let winner = attempts.iter().find(|attempt| attempt.outcome == RouteOutcome::Connected);
    let route = Route {
        resolve_ms,
        addresses: addresses.iter().map(SocketAddr::ip).collect(),
        connect_ms: winner.map_or(0.0, |attempt| attempt.ms),
        attempts,
        local,
        peer,
    };
    Ok(Dialled { wire: Wire::over(stream, deadline, stopwatch)?, route })
}

/// The addresses of a name, families in turn (RFC 8305 §4).
fn resolve(host: &str, port: u16, timeout: Duration) -> Result<Vec<SocketAddr>, DialError> {
    let (answer, answers) = mpsc::channel();
    let asked = host.to_owned();
    // The system's resolver takes no deadline: a thread waits for it, longer than this process if need be.
    thread::Builder::new().spawn(move || {
        // Nobody may listen any more.
        _ = answer.send((asked.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>));
    })?;
    let found = match answers.recv_timeout(timeout) {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => {
            let why = error.to_string();
            let why = why.strip_prefix("failed to lookup address information: ").unwrap_or(&why).to_owned();
            return Err(DialError::Resolve { host: host.to_owned(), why });
        }
        Err(_) => return Err(DialError::ResolveTimeout { host: host.to_owned(), seconds: timeout.as_secs_f64() }),
    };
    let addresses = in_turn(found);
    match addresses.is_empty() {
        true => Err(DialError::Resolve { host: host.to_owned(), why: "the resolver found none".to_owned() }),
        false => Ok(addresses),
    }
}

/// Each address once, IPv6 and IPv4 in turn, beginning with the family that comes first.
fn in_turn(found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let mut once: Vec<SocketAddr> = Vec::new();
    for address in found {
        if !once.contains(&address) {
            once.push(address);
        }
    }
    let first_is_v6 = once.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = once.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let longest = first.len().max(second.len());
    let turns = (0..longest).flat_map(|turn| [first.get(turn), second.get(turn)]);
    turns.flatten().copied().take(MOST_ADDRESSES).collect()
}

type Answer = (usize, io::Result<TcpStream>);

/// The first connection there is, and what became of each attempt.
fn race(addresses: &[SocketAddr], deadline: Instant) -> Result<(Option<TcpStream>, Vec<Attempt>), DialError> {
    let (sender, answers): (Sender<Answer>, Receiver<Answer>) = mpsc::channel();
    let mut attempts: Vec<(Attempt, Instant)> = Vec::new();
    let mut waiting = addresses.iter().enumerate();
    let (mut open, mut next_start) = (0_usize, Instant::now());
    loop {
        let now = Instant::now();
        if open == 0 || now >= next_start {
            if let Some((place, address)) = waiting.next() {
                start(place, *address, deadline.saturating_duration_since(now), sender.clone())?;
                attempts.push((Attempt { address: *address, outcome: RouteOutcome::Overtaken, ms: 0.0 }, now));
                (open, next_start) = (open + 1, now + HEAD_START);
            } else if open == 0 {
                return Ok((None, ended(attempts, RouteOutcome::TimedOut)));
            }
        }
        let until = if waiting.len() > 0 { deadline.min(next_start) } else { deadline };
        match answers.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok((place, answer)) => {
                open -= 1;
                let outcome = match &answer {
                    Ok(_) => RouteOutcome::Connected,
                    Err(error) => failed(error),
                };
                if let Some((attempt, begun)) = attempts.get_mut(place) {
                    (attempt.outcome, attempt.ms) = (outcome, ms(begun.elapsed()));
                }
                if let Ok(stream) = answer {
                    return Ok((Some(stream), ended(attempts, RouteOutcome::Overtaken)));
                }
            }
            Err(RecvTimeoutError::Timeout) if Instant::now() >= deadline => {
                return Ok((None, ended(attempts, RouteOutcome::TimedOut)));
            }
            Err(_) => {}
        }
    }
}

fn start(place: usize, address: SocketAddr, timeout: Duration, answer: Sender<Answer>) -> io::Result<()> {
    // No time left is told as such by connect_timeout's caller, not as an invalid argument.
    let timeout = timeout.max(Duration::from_millis(1));
    thread::Builder::new().spawn(move || {
        // Who comes second finds nobody listening, and closes.
        _ = answer.send((place, TcpStream::connect_timeout(&address, timeout)));
    })?;
    Ok(())
}

/// Those still open get this outcome.
fn ended(attempts: Vec<(Attempt, Instant)>, open: RouteOutcome) -> Vec<Attempt> {
    let end = |(mut attempt, begun): (Attempt, Instant)| {
        if attempt.outcome == RouteOutcome::Overtaken {
            (attempt.outcome, attempt.ms) = (open.clone(), ms(begun.elapsed()));
        }
        attempt
    };
    attempts.into_iter().map(end).collect()
}

const REFUSED: &str = "nothing listens there (connection refused)";

fn failed(error: &io::Error) -> RouteOutcome {
    let words = match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => return RouteOutcome::TimedOut,
        io::ErrorKind::ConnectionRefused => REFUSED,
        io::ErrorKind::NetworkUnreachable => "there is no network that leads there",
        io::ErrorKind::HostUnreachable => "there is no way to this host",
        io::ErrorKind::ConnectionReset => "the connection was broken off",
        io::ErrorKind::PermissionDenied => "this system does not let us",
        io::ErrorKind::AddrNotAvailable => "this system has no address to connect from",
        _ => return RouteOutcome::Failed(error.to_string()),
    };
    RouteOutcome::Failed(words.to_owned())
}

fn in_words(attempts: &[Attempt]) -> String {
    let one = |attempt: &Attempt| {
        let what = match &attempt.outcome {
            RouteOutcome::Failed(why) => why.clone(),
            RouteOutcome::TimedOut => format!("no answer in {:.1} s", attempt.ms / 1000.0),
            RouteOutcome::Connected | RouteOutcome::Overtaken => "connected".to_owned(),
        };
        format!("{}: {what}", attempt.address.ip())
    };
    attempts.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use std::net::TcpListener;

    use time::OffsetDateTime;

    use super::*;

    fn watch() -> Stopwatch {
        Stopwatch::new(OffsetDateTime::UNIX_EPOCH)
    }

    fn addresses(text: &[&str]) -> Vec<SocketAddr> {
        text.iter().map(|address| address.parse().unwrap()).collect()
    }

    #[test]
    fn families_take_turns() {
        let found = addresses(&["[::1]:1", "[::2]:1", "[::1]:1", "[::3]:1", "1.1.1.1:1", "2.2.2.2:1"]);
        let turns = addresses(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"]);
        assert_eq!(in_turn(found), turns);
        assert_eq!(in_turn((1..100).map(|port| SocketAddr::new([127, 0, 0, 1].into(), port)).collect()).len(), 16);
    }

    #[test]
    fn an_address_is_reached_without_a_resolver() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = Endpoint { host: "127.0.0.1".parse().unwrap(), port: listener.local_addr().unwrap().port() };
        let dialled = dial(&endpoint, Duration::from_secs(10), watch()).unwrap();
        assert_eq!(dialled.route.peer, listener.local_addr().unwrap());
        assert_eq!(dialled.route.resolve_ms, None);
        assert_eq!(dialled.route.attempts.len(), 1);
        assert_eq!(dialled.route.attempts[0].outcome, RouteOutcome::Connected);
    }

    #[test]
    fn an_address_that_refuses_gives_way_to_the_next() {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let begun = Instant::now();
        let both = [closed, listener.local_addr().unwrap()];
        let (stream, attempts) = race(&both, begun + Duration::from_secs(10)).unwrap();
        assert_eq!(stream.unwrap().peer_addr().unwrap(), both[1]);
        assert_eq!(attempts[0].outcome, RouteOutcome::Failed(REFUSED.to_owned()));
        assert_eq!(attempts[1].outcome, RouteOutcome::Connected);
    }

    #[test]
    fn a_port_where_nobody_listens_is_told_with_its_address() {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let endpoint = Endpoint { host: "127.0.0.1".parse().unwrap(), port: closed.port() };
        let error = dial(&endpoint, Duration::from_secs(10), watch()).unwrap_err();
        let told = format!("cannot reach 127.0.0.1:{}: 127.0.0.1: nothing listens there", closed.port());
        assert!(error.to_string().starts_with(&told), "{error}");
        assert!(error.hint().unwrap().contains("on this port"));
    }

    #[test]
    fn a_name_under_invalid_has_no_address() {
        // RFC 6761 §6.4: resolvers say so of themselves, and without a network they cannot find one either.
        let endpoint = Endpoint { host: "nobody.invalid".parse().unwrap(), port: 443 };
        let error = dial(&endpoint, Duration::from_secs(20), watch()).unwrap_err();
        assert!(error.to_string().contains("nobody.invalid"), "{error}");
    }
}
