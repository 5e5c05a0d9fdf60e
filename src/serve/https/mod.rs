//! An HTTPS server: HTTP/1.1 and HTTP/2 over TLS 1.2 and 1.3.
//!
//! Everything is bounded. A connection has [`Limits::handshake`] for its handshake; a request's head has [`Limits::head`] to
//! arrive; a connection without requests ends after [`Limits::idle`], one whose client takes nothing of an answer after
//! [`Limits::blocked`]. Where all places are taken the connections that have been silent longest go. `SIGINT` and `SIGTERM`
//! end it: requests under way are answered first.

mod conversation;
mod event;
mod negotiated;
mod opening;
mod plain;
mod reply;
mod watched;

pub use self::event::{Event, Exchange, Totals};
pub use self::negotiated::Negotiated;
pub(in crate::serve) use self::reply::{Content, Reply};

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;

use self::event::Journal;
use super::connections::{Connections, Patience, Ticket};
use super::stop::Told;
use super::{Echo, Security, SecurityError, Site, Upstream};

/// How much a server gives to its clients.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once. Fewer, where the system allows fewer open files: see [`Front::places`].
    pub connections: usize,
    /// How long a connection may take to its first record and through the handshake.
    pub handshake: Duration,
    /// How long the head of a request may take to arrive, from its first octet on (HTTP/1.1).
    pub head: Duration,
    /// How long a connection may be without a request.
    pub idle: Duration,
    /// How long a client may take nothing of what it is sent.
    pub blocked: Duration,
    /// How long a request under way may stand still; before another server five times as long, which may think.
    pub stalled: Duration,
    /// How long requests under way have when the server is told to stop.
    pub farewell: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            connections: 16_384,
            handshake: seconds(10),
            head: seconds(15),
            idle: seconds(120),
            blocked: seconds(60),
            stalled: seconds(120),
            farewell: seconds(10),
        }
    }
}

/// What answers requests.
#[derive(Debug)]
pub enum Work {
    /// A folder.
    Folder(Arc<Site>),
    /// What the connection negotiated.
    Echo(Echo),
    /// Another server.
    Proxy(Box<Upstream>),
}

impl Work {
    async fn answer(&self, request: Request<Incoming>, negotiated: &Negotiated, ticket: &Arc<Ticket>) -> Reply {
        match self {
            Self::Folder(site) => site.answer(request.method(), request.uri(), request.headers()),
            Self::Echo(echo) => echo.answer(&request, negotiated),
            Self::Proxy(upstream) => upstream.pass(request, negotiated, ticket).await,
        }
    }

    /// Whether an answer is there in a moment. Another server may think, and should know when nobody waits any more.
    fn answers_at_once(&self) -> bool {
        !matches!(self, Self::Proxy(_))
    }

    fn wants_first_flight(&self) -> bool {
        matches!(self, Self::Echo(_))
    }
}

/// Ports that are taken; connections wait until they are served.
#[derive(Debug)]
pub struct Front {
    runtime: Runtime,
    listeners: Vec<TcpListener>,
    addresses: Vec<SocketAddr>,
}

impl Front {
    /// Takes ports: `127.0.0.1:8443`, `[::1]:8443`, `localhost:0` for any that is free.
    ///
    /// # Errors
    /// When an address has no port or no meaning, or the port is another's; and when the system gives no threads.
    pub fn bind(addresses: &[String]) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let within = runtime.enter();
        let listeners = addresses.iter().map(|address| listener(address)).collect::<io::Result<Vec<_>>>()?;
        let addresses = listeners.iter().map(TcpListener::local_addr).collect::<io::Result<Vec<_>>>()?;
        drop(within);
        Ok(Self { runtime, listeners, addresses })
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// How many connections there may be at once: as many as wanted, where the system allows that many open files. On Linux
    /// its soft limit is raised as far as need be and it may be.
    pub fn places(wanted: usize) -> usize {
        let Some(files) = open_files(2 * wanted as u64 + SPARE_FILES) else { return wanted };
        let places = usize::try_from(files.saturating_sub(SPARE_FILES) / 2).unwrap_or(usize::MAX);
        wanted.min(places).max(1)
    }

    /// Serves in threads of its own until `SIGINT` or `SIGTERM`. What happens can be fetched where `logs`.
    ///
    /// # Errors
    /// When the rules for TLS cannot be used, or the system gives no thread.
    pub fn serve(self, work: Work, security: &Security, limits: Limits, logs: bool) -> Result<Serving, SecurityError> {
        let (to, events) = sync_channel(MOST_EVENTS);
        let journal = Arc::new(Journal::new(logs.then_some(to)));
        let security = RwLock::new(security.config()?);
        let house = Arc::new(House { work, security, journal: Arc::clone(&journal) });
        let shared = Arc::clone(&house);
        let over = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&over);
        let Self { runtime, listeners, .. } = self;
        let thread = std::thread::Builder::new().name("serve".to_owned()).spawn(move || {
            let served = runtime.block_on(serve(listeners, limits, house));
            // What has not ended by now has had its time.
            runtime.shutdown_background();
            over.store(true, Ordering::Release);
            served
        });
        Ok(Serving { thread: thread?, events, house: shared, over: is_over })
    }
}

/// A server at work.
pub struct Serving {
    thread: JoinHandle<io::Result<()>>,
    events: Receiver<Event>,
    house: Arc<House>,
    over: Arc<AtomicBool>,
}

impl Serving {
    /// What has happened since the last time, waiting at most so long for something to happen.
    pub fn events(&self, patience: Duration) -> Vec<Event> {
        let mut events = Vec::new();
        match self.events.recv_timeout(patience) {
            Ok(event) => events.push(event),
            Err(RecvTimeoutError::Timeout) => {}
            // Nothing is logged.
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(patience),
        }
        events.extend(self.events.try_iter().take(EVENTS_AT_ONCE));
        events
    }

    /// From now on connections begin by these rules; those that are there go on, and their sessions are not resumed.
    ///
    /// # Errors
    /// When the rules cannot be used: the old ones stay.
    pub fn replace_security(&self, security: &Security) -> Result<(), SecurityError> {
        let config = security.config()?;
        *self.house.security.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// Whether it has stopped.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Waits until it has stopped.
    ///
    /// # Errors
    /// When it could not serve.
    pub fn finish(self) -> io::Result<Totals> {
        let served = self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the server broke down")));
        served.map(|()| self.house.journal.totals())
    }
}

/// What all connections share.
pub(in crate::serve) struct House {
    work: Work,
    security: RwLock<Arc<ServerConfig>>,
    journal: Arc<Journal>,
}

impl House {
    fn security(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.security.read().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn serve(listeners: Vec<TcpListener>, limits: Limits, house: Arc<House>) -> io::Result<()> {
    let Limits { handshake, head, idle, blocked, farewell, .. } = limits;
    let stalled = limits.stalled * if house.work.answers_at_once() { 1 } else { 5 };
    let patience = Patience { handshake, head, idle, blocked, stalled };
    let connections = Arc::new(Connections::new(limits.connections));
    let mut told = Told::new()?;
    let mut doors: Vec<_> = Vec::new();
    for listener in listeners {
        doors.push(tokio::spawn(admit(listener, Arc::clone(&connections), Arc::clone(&house))));
    }
    let mut look = tokio::time::interval(STEP);
    loop {
        tokio::select! {
            () = told.told() => break,
            _ = look.tick() => {
                let late = connections.reap(&patience);
                house.journal.timed_out.fetch_add(late as u64, Ordering::Relaxed);
            }
        }
    }
    for door in doors {
        door.abort();
        // It closes the port.
        _ = door.await;
    }
    tokio::select! {
        () = connections.dismiss(farewell) => {}
        // Somebody is in a hurry.
        () = told.told() => {}
    }
    Ok(())
}

/// Takes connections as they come.
async fn admit(listener: TcpListener, connections: Arc<Connections>, house: Arc<House>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                house.journal.connections.fetch_add(1, Ordering::Relaxed);
                let ticket = connections.enter().await;
                tokio::spawn(conversation::converse(stream, peer, ticket, Arc::clone(&house)));
            }
            // No file descriptors are left, or the client has gone: others may come.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

fn listener(address: &str) -> io::Result<TcpListener> {
    let mut why = io::Error::new(io::ErrorKind::InvalidInput, "it names no address");
    for address in address.to_socket_addrs()? {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // A server that was just stopped may be started again.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        match socket.bind(address).and_then(|()| socket.listen(BACKLOG)) {
            Ok(listener) => return Ok(listener),
            Err(error) => why = error,
        }
    }
    Err(why)
}

/// How many files this process may have open; the soft limit is raised to what is needed, or to the hard one.
#[cfg(target_os = "linux")]
fn open_files(needed: u64) -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let current = current?;
    if current >= needed {
        return Some(current);
    }
    let raised = maximum.map_or(needed, |maximum| maximum.min(needed));
    let limit = Rlimit { current: Some(raised), maximum };
    Some(if setrlimit(Resource::Nofile, limit).is_ok() { raised } else { current })
}

#[cfg(not(target_os = "linux"))]
fn open_files(_: u64) -> Option<u64> {
    None
}

/// How often it is looked for connections that take too long.
const STEP: Duration = Duration::from_millis(250);

/// Connections that the system holds until they are taken.
const BACKLOG: u32 = 4096;

/// Files open beside those of connections. A connection has its socket, and the file or the other server it is about.
const SPARE_FILES: u64 = 64;

/// Events that wait to be fetched.
const MOST_EVENTS: usize = 65_536;

/// Events that are fetched together.
const EVENTS_AT_ONCE: usize = 4096;
