//! Reads a capture to its end, and listens to every connection in it that may be TLS.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::rc::Rc;

use anyhow::Context;
use indicatif::ProgressBar;
use serde::Serialize;
use time::OffsetDateTime;

use crate::cli::output::{Session, shown};
use crate::cli::problem::{Hinted, plain};
use crate::cli::{files, load, progress};
use crate::pcap::{
    CaptureError, CaptureFile, Connections, Damage, Datagrams, Decoded, Decoder, Finished, Follower, Format, HowClosed,
    Item, Limits, Segment, Side, SideCount, Skipped,
};
use crate::tls::keys::KeyLog;
use crate::transcript::{Options, Recorder, Secrets, Transcript};

use super::judge::Verdict;

/// The most that is kept of all connections together, in bytes; further ones are only counted.
const MOST_KEPT: usize = 512 << 20;

/// How much application data of one connection is kept with --follow, in bytes.
const MOST_FOLLOWED: usize = 16 << 20;

/// Which connections are wanted.
#[derive(Debug)]
pub(super) struct Filter {
    hosts: Vec<IpAddr>,
    names: Vec<String>,
}

/// What is listened for, and what was heard so far.
pub(super) struct Listening {
    filter: Rc<Filter>,
    options: Options,
    detailed: bool,
}

/// All that was heard in a capture.
pub(super) struct Heard {
    pub(super) format: Format,
    pub(super) packets: u64,
    pub(super) times: Option<[OffsetDateTime; 2]>,
    pub(super) damage: Option<String>,
    /// Why the rest could not be read, where that is more than a file that was cut off.
    pub(super) failure: Option<String>,
    pub(super) skipped: Skipped,
    pub(super) datagrams: Datagrams,
    pub(super) has_key_log: bool,
    /// Keys in it come after packets.
    has_late_keys: bool,
    can_be_read_again: bool,
    pub(super) tcp_connections: u64,
    pub(super) other_connections: u64,
    pub(super) filtered: u64,
    pub(super) too_many: u64,
    pub(super) connections: Vec<Told>,
    bytes: usize,
    /// Fields and bytes of messages are wanted.
    detailed: bool,
}

/// A TLS connection that was heard.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    pub(super) client: SocketAddr,
    pub(super) server: SocketAddr,
    #[serde(serialize_with = "rfc3339")]
    pub(super) begun: OffsetDateTime,
    pub(super) tcp: Tcp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) verdict: Option<Verdict>,
    #[serde(flatten)]
    pub(super) transcript: Transcript,
}

/// The connection below.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Tcp {
    pub(super) how: HowClosed,
    pub(super) client: SideCount,
    pub(super) server: SideCount,
}

impl Filter {
    pub(super) fn new(hosts: Vec<IpAddr>, names: Vec<String>) -> Self {
        Self { hosts, names: names.iter().map(|name| name.trim_end_matches('.').to_ascii_lowercase()).collect() }
    }

    fn wants_ends(&self, ends: [SocketAddr; 2]) -> bool {
        self.hosts.is_empty() || ends.iter().any(|end| self.hosts.contains(&end.ip()))
    }

    fn wants_name(&self, name: Option<&str>) -> bool {
        self.names.is_empty()
            || name.is_some_and(|name| self.names.contains(&name.trim_end_matches('.').to_ascii_lowercase()))
    }
}

impl Listening {
    /// `follow` keeps all application data, `detailed` the fields and bytes of messages, which prose does not tell.
    pub(super) fn new(filter: Filter, secrets: Secrets, explain: bool, follow: bool, detailed: bool) -> Self {
        let options = match follow {
            true => Options { application_data: MOST_FOLLOWED, events: 100_000, ..Options::default() },
            false => Options::default(),
        };
        Self { filter: Rc::new(filter), detailed, options: Options { explain, secrets: Rc::new(secrets), ..options } }
    }

    /// Reads a capture; twice, where keys stand in it after packets they may open.
    pub(super) fn read(mut self, path: &Path, session: &mut Session) -> anyhow::Result<Heard> {
        let heard = self.pass(path, session)?;
        match (heard.has_late_keys, heard.can_be_read_again) {
            (false, _) => Ok(heard),
            (true, true) => self.pass(path, session),
            (true, false) => {
                session.warn(
                    "keys in the capture come after packets they may open, and what comes through a pipe is read once: \
                     save it to a file",
                );
                Ok(heard)
            }
        }
    }

    fn pass(&mut self, path: &Path, session: &Session) -> anyhow::Result<Heard> {
        let stream = files::open(path)?;
        let can_be_read_again = stream.size.is_some();
        let bar = progress_bar(session, stream.size);
        let mut file = CaptureFile::open(stream).or_else(|error| refused(error, path))?;
        let mut heard = Heard::new(file.format(), self.detailed);
        let (mut decoder, mut connections) = (Decoder::default(), Connections::new(Limits::default()));
        loop {
            match file.next_item() {
                Ok(Some(Item::Packet(packet))) => {
                    heard.count(packet.at);
                    match decoder.packet(&packet) {
                        Decoded::Tcp(segment) => {
                            connections.segment(packet.at, &segment, || self.listener(&segment));
                            for finished in connections.take_finished() {
                                heard.take(finished);
                            }
                        }
                        Decoded::Udp(datagram) => heard.datagrams.datagram(&datagram),
                        Decoded::Nothing => {}
                    }
                }
                Ok(Some(Item::KeyLog(lines))) => {
                    heard.has_key_log = true;
                    heard.has_late_keys |= heard.packets > 0;
                    Rc::make_mut(&mut self.options.secrets).add_key_log(KeyLog::parse(lines));
                }
                Ok(None) => break,
                Err(error) => {
                    heard.failure = Some(told(error).to_string());
                    break;
                }
            }
            if heard.packets.is_multiple_of(8192) {
                bar.set_position(file.position());
            }
        }
        bar.finish_and_clear();
        connections.finish().into_iter().for_each(|finished| heard.take(finished));
        heard.connections.sort_by_key(|told| told.begun);
        heard.skipped = decoder.skipped();
        heard.can_be_read_again = can_be_read_again;
        heard.damaged(file.damage());
        Ok(heard)
    }

    fn listener(&self, segment: &Segment<'_>) -> Listener {
        let wanted = self.filter.wants_ends([segment.source, segment.destination]);
        Listener {
            recorder: wanted.then(|| Recorder::new(self.options.clone())),
            filter: Rc::clone(&self.filter),
            asked: false,
            filtered: !wanted,
        }
    }
}

/// Listens to one connection.
struct Listener {
    recorder: Option<Recorder>,
    filter: Rc<Filter>,
    /// The filter has seen the name.
    asked: bool,
    filtered: bool,
}

impl Follower for Listener {
    fn data(&mut self, from: Side, at: OffsetDateTime, bytes: &[u8]) -> bool {
        let Some(recorder) = &mut self.recorder else { return false };
        let more = recorder.data(from, at, bytes);
        if !self.asked && recorder.has_client_hello() {
            self.asked = true;
            if !self.filter.wants_name(recorder.server_name().as_deref()) {
                (self.filtered, self.recorder) = (true, None);
                return false;
            }
        }
        more
    }

    fn missing(&mut self, from: Side, at: OffsetDateTime, count: u64) -> bool {
        self.recorder.as_mut().is_some_and(|recorder| recorder.missing(from, at, count))
    }
}

impl Heard {
    fn new(format: Format, detailed: bool) -> Self {
        Self {
            detailed,
            format,
            packets: 0,
            times: None,
            damage: None,
            failure: None,
            skipped: Skipped::default(),
            datagrams: Datagrams::default(),
            has_key_log: false,
            has_late_keys: false,
            can_be_read_again: false,
            tcp_connections: 0,
            other_connections: 0,
            filtered: 0,
            too_many: 0,
            connections: Vec::new(),
            bytes: 0,
        }
    }

    fn count(&mut self, at: OffsetDateTime) {
        self.packets += 1;
        let [first, last] = self.times.unwrap_or([at; 2]);
        self.times = Some([first.min(at), last.max(at)]);
    }

    fn take(&mut self, finished: Finished<Listener>) {
        self.tcp_connections += 1;
        let Finished { follower, ends, times: [begun, _], sides, how } = finished;
        let named = follower.asked || follower.filter.names.is_empty();
        let Some(mut transcript) = follower.recorder.and_then(Recorder::finish) else {
            *(if follower.filtered { &mut self.filtered } else { &mut self.other_connections }) += 1;
            return;
        };
        if !named {
            self.filtered += 1;
            return;
        }
        if !self.detailed {
            transcript.keep_prose();
        }
        self.bytes += transcript.size();
        if self.bytes > MOST_KEPT {
            self.too_many += 1;
            return;
        }
        let ([one, other], [of_one, of_other]) = (ends, sides);
        let (client, server, of_client, of_server) = match transcript.client {
            Side::Initiator => (one, other, of_one, of_other),
            Side::Responder => (other, one, of_other, of_one),
        };
        let tcp = Tcp { how, client: of_client, server: of_server };
        self.connections.push(Told { client, server, begun, tcp, verdict: None, transcript });
    }

    fn damaged(&mut self, damage: Option<&Damage>) {
        self.damage = damage.map(ToString::to_string);
        if let Some(Damage::Broken { .. }) = damage {
            self.failure.clone_from(&self.damage);
        }
    }
}

/// A file that is no capture, and what makes one of it.
fn refused<T>(error: CaptureError, path: &Path) -> anyhow::Result<T> {
    let name = shown(path);
    let is_trace = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("etl"));
    let next = match &error {
        CaptureError::Foreign { remedy, .. } => Some(remedy.replace("FILE", &name)),
        CaptureError::Unknown if is_trace => {
            Some(format!("a trace of Windows (pktmon, netsh) becomes a capture with `etl2pcapng {name} OTHER.pcapng`"))
        }
        CaptureError::Unknown => {
            Some(format!("if Wireshark reads it, `editcap -F pcapng {name} - | certkit capture -` does"))
        }
        CaptureError::Empty | CaptureError::HeaderCut => {
            Some("a program that still captures may hold back what it has: tcpdump -U writes at once".to_owned())
        }
        CaptureError::Io(_) | CaptureError::Version { .. } => None,
    };
    Err(told(error)).with_context(|| format!("cannot read {}", load::name(path))).hint_if(next)
}

fn told(error: CaptureError) -> anyhow::Error {
    match error {
        CaptureError::Io(error) => plain(error),
        other => other.into(),
    }
}

fn progress_bar(session: &Session, size: Option<u64>) -> ProgressBar {
    let template = match size {
        Some(_) => "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} to go",
        None => "{spinner} {bytes}, {bytes_per_sec}, {elapsed}",
    };
    progress::bar(session, size, template)
}

fn rfc3339<S: serde::Serializer>(at: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&at.format(&time::format_description::well_known::Rfc3339).unwrap_or_default())
}
