//! `certkit serve`: HTTPS for a folder, for another server, or to look at the connection itself.

mod authorities;
mod certificates;
mod key_log;
mod local;
mod report;
mod watched;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};

use self::authorities::Authorities;
use self::certificates::Shelf;
use self::report::Row;
use super::ca::place::Chosen;
use super::ca::signer::SignerArgs;
use super::exit::Exit;
use super::listening;
use super::output::{Session, shown};
use super::passphrase::PassphraseSource;
use super::problem::plain;
use crate::serve::https::{Front, Limits, Serving, Work};
use crate::serve::{Echo, Identities, Security, Site, Upstream};

/// Serve a folder over HTTPS, or show what a connection negotiated, or stand before another server
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Serves until SIGINT or SIGTERM: requests under way are answered first, for 10 seconds at most. TLS 1.2 and 1.3, HTTP/1.1 and
HTTP/2.

Without --cert it serves with a certificate for localhost, 127.0.0.1 and ::1 from the local CA, which is made if there is
none, and kept beside it in CA-serve/localhost.pem.

A folder: index.html, or a list of what there is. Content types go by the ending of the name; HEAD, Range (one part),
If-None-Match, If-Modified-Since and their kin are heeded. Nothing outside the folder is served, whatever the path says and
wherever links lead. Names that begin with a dot are not served, but for /.well-known; nor are the files of --cert, --key and
--key-log and the keys of the local CA.

Private keys are not served and not listed, whatever they are called: PEM, DER, PKCS#12, JWK, OpenSSH, PuTTY, Java and NSS
stores, and files with a key among other things; nor is NAME-key.pem. Clients get 404, the log says `withheld`. The first MiB of
a file is looked at, once as long as it does not change. --allow-private-keys serves them all the same.

Certificates: a file has the key and the certificate with its chain, or the key is in a --key, or in NAME-key.pem beside
NAME.pem. With several, the client is shown the first that has the name it asks for, itself or by a wildcard, and whose
signature it can check; else the first. When a file changes, the new certificates are served within two seconds and no
connection is dropped; what cannot be used is told, and the old ones stay. So it is with the files of --client-ca; connections
that are there stay, and no session of before is resumed. All keys that certkit makes can be served; ML-DSA
only to clients of TLS 1.3 that know it.

--proxy hands requests on in plain HTTP/1.1 with the Host they came with, and adds X-Forwarded-For, -Proto and -Host in place
of those the client sent. WebSocket goes through (HTTP/1.1). What is not answered gets 502 with the reason.

Limits: 16,384 connections, or half as many as files may be open (the soft limit is raised as far as it may be); where all
places are taken those silent longest go. 10 seconds for a handshake, 15 for the head of a request, 120 between requests, 60
for a client that takes nothing of an answer, 120 for a request that stands still (600 with --proxy). 64 KiB for a head, 100 requests at once on a connection with HTTP/2.

Exit status: 0 stopped when told; 2 could not serve.

For example:
  certkit serve public
  certkit serve public --cert cert.pem
  certkit serve --proxy http://127.0.0.1:3000 --listen 127.0.0.1:443
  certkit serve --echo --client-ca ca.pem --require-client-cert
  certkit serve --cert a.pem --cert b.pem --min-tls 1.3 --key-log keys.txt

On stdout there is a line for each event, with --json an object on a line: `event` and `at`; for `serving` `addresses`, `what`,
`certificates` (each `file`, `names`, `key`, `not_after`, `expired`), `trust` (the CA to trust, where certkit made the
certificate), `connections` (how many at once); for `answered` `client`, `method`, `target`, `status`, `octets`, `ms`,
`broken`, `withheld`, `tls`, `protocol`, `server_name`, `client_certificate`; for `refused` `client`, `why`; for `reloaded`
`certificates`; for `reloaded_client_ca` `authorities`; for `kept` `why`; at the end `stopped` with `connections`, `handshakes`, `requests`, `timed_out`, `lost_events`.")]
pub(super) struct Args {
    /// The folder
    #[arg(value_name = "DIR", conflicts_with_all = ["echo", "proxy"])]
    folder: Option<PathBuf>,

    /// A certificate with its chain; its key may be in the same file
    #[arg(long, value_name = "FILE")]
    cert: Vec<PathBuf>,

    /// The private key of a --cert
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Vec<PathBuf>,

    /// Where the passphrase of encrypted keys comes from: prompt, file:PATH, env:NAME or fd:N [default: prompt, if there is one]
    #[arg(long, value_name = "SOURCE", requires = "cert")]
    passphrase: Option<PassphraseSource>,

    /// The CA that certifies localhost, where no --cert is given: its folder or @NAME [env: CERTKIT_CA]
    #[arg(long, value_name = "DIR|@NAME", conflicts_with = "cert")]
    ca: Option<PathBuf>,

    #[command(flatten)]
    signer: SignerArgs,

    /// Where to listen; port 0 is any that is free
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8443")]
    listen: Vec<String>,

    /// Answer every request with what its connection negotiated: a page, or JSON at /json
    #[arg(long, conflicts_with = "proxy")]
    echo: bool,

    /// Hand requests on to this server: http://127.0.0.1:3000
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,

    /// Ask clients for a certificate of these CAs
    #[arg(long, value_name = "FILE")]
    client_ca: Vec<PathBuf>,

    /// Refuse clients without a certificate
    #[arg(long, requires = "client_ca")]
    require_client_cert: bool,

    /// The oldest version of TLS that is spoken
    #[arg(long, value_name = "VERSION", value_enum, default_value_t)]
    min_tls: Oldest,

    /// Add the secrets of every connection to this file, for Wireshark and `certkit capture` (RFC 9850)
    #[arg(long, value_name = "FILE")]
    key_log: Option<PathBuf>,

    /// How many connections there may be at once
    #[arg(long, value_name = "N", default_value_t = Limits::default().connections, value_parser = parse_connections)]
    max_connections: usize,

    /// Serve files that hold private keys, but for those the server itself uses
    #[arg(long, conflicts_with_all = ["echo", "proxy"])]
    allow_private_keys: bool,

    /// Write no line for each request
    #[arg(long)]
    no_log: bool,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum Oldest {
    /// TLS 1.2
    #[default]
    #[value(name = "1.2")]
    Tls12,
    /// TLS 1.3
    #[value(name = "1.3")]
    Tls13,
}

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    let (work, site, what) = work(&args)?;
    if args.signer.are_given() && !args.cert.is_empty() {
        return Err(anyhow!("--ca-key and --ca-passphrase have no effect: the certificate is there"));
    }
    let (shelf, trust) = shelf(&args, session)?;
    let secrets = args.key_log.iter().cloned().chain(ca_keys(&args)).collect();
    let mut certificates = Certificates::new(shelf, site, secrets)?;
    let key_log = args.key_log.as_deref().map(key_log::open).transpose()?;
    certificates.withhold();
    let authorities = Authorities::new(args.client_ca.clone(), args.require_client_cert);
    let security = Security {
        identities: Arc::clone(&certificates.identities),
        only_tls13: args.min_tls == Oldest::Tls13,
        clients: authorities.clients()?,
        key_log: key_log.clone(),
    };
    let limits = Limits { connections: Front::places(args.max_connections), ..Limits::default() };
    let front = front(&args)?;
    let serving = Row::serving(front.addresses(), what, certificates.shelf.rows(), trust, limits.connections);
    let server = front.serve(work, &security, limits, !args.no_log)?;
    session.row(&serving)?;
    certificates.shelf.warn_of_expired(session);
    let mut gate = Gate { authorities, security };
    watch(&server, &mut certificates, &mut gate, session);
    let totals = server.finish().context("cannot serve")?;
    session.row(&Row::stopped(totals))?;
    Ok(Exit::Yes)
}

/// Writes the log and looks after the certificates until the server has stopped.
fn watch(server: &Serving, certificates: &mut Certificates, gate: &mut Gate, session: &mut Session) {
    let mut looked = Instant::now();
    let mut is_told = true;
    loop {
        // What came before the end belongs into the log too.
        let is_over = server.is_over();
        let patience = if is_over { Duration::ZERO } else { PATIENCE };
        let rows: Vec<Row> = server.events(patience).into_iter().map(Row::from).collect();
        if is_over && rows.is_empty() {
            return;
        }
        // A log that cannot be written must not stop the server.
        if let Err(error) = session.rows(&rows)
            && std::mem::take(&mut is_told)
        {
            session.warn(format_args!("the log cannot be written: {error:#}"));
        }
        if looked.elapsed() >= STEP {
            looked = Instant::now();
            if let Some(row) = certificates.look() {
                _ = session.row(&row);
                certificates.shelf.warn_of_expired(session);
            }
            if let Some(row) = gate.look(server) {
                _ = session.row(&row);
            }
            if gate.security.key_log.as_ref().is_some_and(|file| file.has_failed()) {
                session.warn("the key log cannot be written");
            }
        }
    }
}

/// Takes the ports.
fn front(args: &Args) -> anyhow::Result<Front> {
    listening::taken(Front::bind(&args.listen), &args.listen.join(", "), "--listen")
}

/// What answers requests, and how it is called.
fn work(args: &Args) -> anyhow::Result<(Work, Option<Arc<Site>>, String)> {
    if args.echo {
        return Ok((Work::Echo(Echo), None, "what connections negotiate".to_owned()));
    }
    if let Some(url) = &args.proxy {
        return Ok((Work::Proxy(Box::new(Upstream::new(url)?)), None, url.clone()));
    }
    let folder = args.folder.clone().unwrap_or_else(|| ".".into());
    let site = Site::open(&folder).map_err(plain).with_context(|| format!("cannot serve {}", shown(&folder)))?;
    let site = Arc::new(if args.allow_private_keys { site.with_private_keys() } else { site });
    Ok((Work::Folder(Arc::clone(&site)), Some(site), shown(&folder)))
}

/// The certificates of the command line, or the one for localhost with the CA that is to be trusted for it.
fn shelf(args: &Args, session: &mut Session) -> anyhow::Result<(Shelf, Option<String>)> {
    if !args.cert.is_empty() {
        return Ok((Shelf::load(args.cert.clone(), args.key.clone(), args.passphrase.clone())?, None));
    }
    let chosen = Chosen::new(args.ca.clone(), None)?;
    let file = local::certificate(&chosen, &args.signer, session)?;
    let trust = shown(&chosen.place().certificate());
    Ok((Shelf::load(vec![file], Vec::new(), None)?, Some(trust)))
}

/// The keys of the local CA, wherever it is.
fn ca_keys(args: &Args) -> Vec<PathBuf> {
    let Ok(chosen) = Chosen::new(args.ca.clone(), None) else { return Vec::new() };
    chosen.place().names().iter().map(|name| chosen.place().key_of(name)).collect()
}

/// Whom the server lets in.
struct Gate {
    authorities: Authorities,
    security: Security,
}

impl Gate {
    /// Looks whether the authorities of clients have changed, and then what has become of it. Sessions of before are not
    /// resumed: who is no longer let in does not get in with a ticket.
    fn look(&mut self, server: &Serving) -> Option<Row> {
        if !self.authorities.have_changed() {
            return None;
        }
        let replaced = self.authorities.clients().and_then(|clients| {
            let security = Security { clients, ..self.security.clone() };
            server.replace_security(&security)?;
            self.security = security;
            Ok(())
        });
        Some(match replaced {
            Ok(()) => Row::reloaded_client_ca(self.security.clients.iter().flat_map(|it| &it.authorities)),
            Err(error) => Row::kept(&error),
        })
    }
}

/// The certificates that are served, and who has to know of them.
struct Certificates {
    shelf: Shelf,
    identities: Arc<Identities>,
    site: Option<Arc<Site>>,
    /// Files that are nobody's to fetch, beside those of the shelf.
    secrets: Vec<PathBuf>,
}

impl Certificates {
    fn new(shelf: Shelf, site: Option<Arc<Site>>, secrets: Vec<PathBuf>) -> anyhow::Result<Self> {
        let identities = Arc::new(Identities::new(shelf.identities()?));
        Ok(Self { shelf, identities, site, secrets })
    }

    /// Keys are not for everybody who can ask for a file.
    fn withhold(&self) {
        if let Some(site) = &self.site {
            let files = self.shelf.files().chain(self.secrets.iter().cloned());
            site.withhold(files.filter_map(|path| crate::serve::FileId::of(&path).ok()).collect());
        }
    }

    /// Looks whether a file has changed, and then what has become of it.
    fn look(&mut self) -> Option<Row> {
        let loaded = self.shelf.reload_if_changed()?;
        let replaced = loaded.and_then(|shelf| {
            self.identities.replace(shelf.identities()?);
            self.shelf = shelf;
            Ok(())
        });
        self.withhold();
        Some(match replaced {
            Ok(()) => Row::reloaded(self.shelf.rows()),
            Err(error) => Row::kept(&error),
        })
    }
}

fn parse_connections(text: &str) -> Result<usize, &'static str> {
    match text.parse() {
        Ok(count @ 1..=1_000_000) => Ok(count),
        _ => Err("from 1 to 1000000 connections"),
    }
}

/// How long events are waited for.
const PATIENCE: Duration = Duration::from_millis(100);

/// How often it is looked whether a certificate has changed.
const STEP: Duration = Duration::from_millis(500);
