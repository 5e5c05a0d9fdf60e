//! `certkit verify --batch`: many certificates, one line each, on all cores, in the order of the input.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::Context;
use serde::Serialize;

use super::schema;
use crate::cli::exit::Exit;
use crate::cli::files;
use crate::cli::output::{Report, Session, shown};
use crate::cli::progress;
use crate::cli::text::{Text, bad, good, safe, warn};
use crate::container::{ContainerError, Content, Document, Item};
use crate::encoding::pem;
use crate::verify::{Reason, SignatureCache, Verdict, Verifier};
use crate::x509::Certificate;

/// How many inputs go to a thread at a time: handing them over costs more than a judgment if it is done one by one.
const CHUNK: usize = 32;
/// How large the blocks of a chunk may grow before it goes to a thread, in octets.
const CHUNK_SIZE: usize = 1 << 20;
/// How many chunks are under way, taken in and not yet told. This bounds the memory, however long the input is and however
/// long one chunk keeps the others waiting.
const UNDER_WAY: usize = 64;
/// The longest block of a stream, in octets. The largest certificates, post-quantum ones, have a hundredth of it.
const LONGEST_BLOCK: usize = 4 << 20;

/// Judges everything in the folder `source`, or for `-` what stdin names: paths, one a line, or PEM blocks.
pub(super) fn run(source: &Path, mut verifier: Verifier, session: &mut Session) -> anyhow::Result<Exit> {
    verifier.cache = Some(SignatureCache::default());
    let verifier = &verifier;
    let (jobs, waiting) = sync_channel::<Numbered<Vec<Input>>>(UNDER_WAY);
    let (results, judged) = sync_channel::<Numbered<Vec<Option<Row>>>>(UNDER_WAY);
    // A chunk takes a place when it goes out and leaves it when it is told.
    let (places, taken) = sync_channel::<()>(UNDER_WAY);
    let waiting = &Mutex::new(waiting);
    let threads = thread::available_parallelism().map_or(1, usize::from);

    thread::scope(|scope| {
        let feeder = scope.spawn(move || feed(source, &mut Chunks::new(jobs, places)));
        for _ in 0..threads {
            let results = results.clone();
            scope.spawn(move || work(waiting, &results, verifier));
        }
        drop(results);
        let told = tell(&judged, &taken, session);
        // When nobody takes the results any more, the threads end.
        drop((judged, taken));
        while waiting.lock().is_ok_and(|jobs| jobs.recv().is_ok()) {}
        let fed = feeder.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a thread failed")));
        // Where the input could not be read, what is missing from the answer is its fault.
        fed.and(told)
    })
}

/// One thing to be judged.
enum Input {
    /// A file that was named.
    File(PathBuf),
    /// A file that was found in a folder: keys and notes may lie there too, and are passed over.
    Found(PathBuf),
    /// A block of a stream: the line it begins on and its text.
    Block(usize, Vec<u8>),
}

/// With its place in the order.
struct Numbered<T> {
    number: usize,
    what: T,
}

/// Gathers inputs and hands them on in chunks.
struct Chunks {
    gathered: Vec<Input>,
    /// How much text the gathered blocks have.
    size: usize,
    number: usize,
    jobs: SyncSender<Numbered<Vec<Input>>>,
    places: SyncSender<()>,
}

impl Chunks {
    fn new(jobs: SyncSender<Numbered<Vec<Input>>>, places: SyncSender<()>) -> Self {
        Self { gathered: Vec::with_capacity(CHUNK), size: 0, number: 0, jobs, places }
    }

    fn push(&mut self, input: Input) {
        if let Input::Block(_, text) = &input {
            self.size += text.len();
        }
        self.gathered.push(input);
        if self.gathered.len() >= CHUNK || self.size >= CHUNK_SIZE {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if !self.gathered.is_empty() {
            let what = std::mem::replace(&mut self.gathered, Vec::with_capacity(CHUNK));
            self.size = 0;
            // A receiver that is gone wants no more.
            if self.places.send(()).is_ok() {
                _ = self.jobs.send(Numbered { number: self.number, what });
            }
            self.number += 1;
        }
    }
}

fn feed(source: &Path, chunks: &mut Chunks) -> anyhow::Result<()> {
    if files::is_dash(source) {
        feed_stdin(chunks)?;
    } else {
        files::each_file_below(source, |path| chunks.push(Input::Found(path)))?;
    }
    chunks.flush();
    Ok(())
}

fn feed_stdin(chunks: &mut Chunks) -> anyhow::Result<()> {
    let mut block: Option<(usize, Vec<u8>)> = None;
    let mut number = 0;
    files::each_line_of_stdin(|line| {
        number += 1;
        if line.starts_with(b"-----BEGIN ")
            && let Some((start, unfinished)) = block.replace((number, Vec::new()))
        {
            chunks.push(Input::Block(start, unfinished));
        }
        match &mut block {
            Some((_, text)) if text.len() <= LONGEST_BLOCK => {
                text.extend_from_slice(line);
                text.push(b'\n');
            }
            Some(_) => anyhow::bail!("a block of stdin is longer than {} MiB", LONGEST_BLOCK >> 20),
            None if line.is_empty() => {}
            None => chunks.push(Input::File(PathBuf::from(String::from_utf8_lossy(line).into_owned()))),
        }
        if line.starts_with(b"-----END ")
            && let Some((start, text)) = block.take()
        {
            chunks.push(Input::Block(start, text));
        }
        Ok(())
    })?;
    if let Some((start, text)) = block {
        chunks.push(Input::Block(start, text));
    }
    Ok(())
}

fn work(
    waiting: &Mutex<Receiver<Numbered<Vec<Input>>>>,
    results: &SyncSender<Numbered<Vec<Option<Row>>>>,
    verifier: &Verifier,
) {
    loop {
        let Ok(Ok(chunk)) = waiting.lock().map(|jobs| jobs.recv()) else { return };
        let rows = chunk.what.iter().map(|input| Row::of(input, verifier)).collect::<Vec<Option<Row>>>();
        if results.send(Numbered { number: chunk.number, what: rows }).is_err() {
            return;
        }
    }
}

/// Gives the rows in order and settles the exit status.
fn tell(
    judged: &Receiver<Numbered<Vec<Option<Row>>>>,
    taken: &Receiver<()>,
    session: &mut Session,
) -> anyhow::Result<Exit> {
    let bar = progress::bar(session, None, "{spinner} {pos} judged, {per_sec}, {elapsed}");
    let (mut early, mut next) = (BTreeMap::new(), 0);
    let mut counts = Counts::default();
    for chunk in judged {
        early.insert(chunk.number, chunk.what);
        while let Some(rows) = early.remove(&next) {
            next += 1;
            for row in &rows {
                counts.add(row.as_ref());
                if let Some(row) = row {
                    bar.suspend(|| session.row(row))?;
                }
            }
            bar.inc(rows.len() as u64);
            _ = taken.recv();
        }
    }
    bar.finish_and_clear();
    let Counts { accepted, rejected, unjudged, passed_over } = counts;
    if accepted + rejected + unjudged == 0 {
        anyhow::bail!("there was nothing to judge");
    }
    session.say(format_args!("{accepted} accepted, {rejected} rejected, {unjudged} could not be judged"));
    if passed_over > 0 {
        session.say(format_args!("{passed_over} files in the folder hold no certificate and were passed over"));
    }
    Ok(if unjudged > 0 { Exit::CouldNot } else { Exit::of(rejected == 0) })
}

#[derive(Default)]
struct Counts {
    accepted: usize,
    rejected: usize,
    unjudged: usize,
    passed_over: usize,
}

impl Counts {
    fn add(&mut self, row: Option<&Row>) {
        match row.map(|row| row.accepted) {
            Some(Some(true)) => self.accepted += 1,
            Some(Some(false)) => self.rejected += 1,
            Some(None) => self.unjudged += 1,
            None => self.passed_over += 1,
        }
    }
}

/// One line of the answer.
#[derive(Serialize)]
struct Row {
    schema: &'static str,
    file: String,
    /// Whether it is accepted; `null` where it could not be judged.
    accepted: Option<bool>,
    subject: Option<String>,
    reasons: Vec<RowReason>,
    error: Option<String>,
}

#[derive(Serialize)]
struct RowReason {
    check: &'static str,
    detail: String,
}

impl Row {
    /// `None` for a file of a folder that has nothing to judge.
    fn of(input: &Input, verifier: &Verifier) -> Option<Self> {
        let (file, contents) = match input {
            Input::File(path) | Input::Found(path) => {
                (shown(path), files::read(path).map(|contents| contents.to_vec()))
            }
            Input::Block(line, text) => (format!("-:{line}"), Ok(text.clone())),
        };
        let judged = match contents.map(|contents| judge(&contents, verifier)) {
            Ok(Err(_)) if matches!(input, Input::Found(_)) => return None,
            Ok(judged) => judged.context("cannot judge it"),
            Err(unread) => Err(unread),
        };
        let unjudged = |error: anyhow::Error| Self {
            schema: schema::LINE,
            file: file.clone(),
            accepted: None,
            subject: None,
            reasons: Vec::new(),
            error: Some(format!("{error:#}")),
        };
        Some(judged.map(|judged| judged.into_row(file.clone())).unwrap_or_else(unjudged))
    }
}

/// A judgment, or the damage that makes one needless.
struct Judged {
    subject: Option<String>,
    accepted: bool,
    reasons: Vec<RowReason>,
}

impl Judged {
    fn into_row(self, file: String) -> Row {
        let Self { subject, accepted, reasons } = self;
        Row { schema: schema::LINE, file, accepted: Some(accepted), subject, reasons, error: None }
    }
}

fn judge(contents: &[u8], verifier: &Verifier) -> Result<Judged, ContainerError> {
    // A lone PEM certificate, the usual case of a stream, needs no look at what else it could be.
    if let [Ok(block)] = pem::read(contents).as_slice()
        && block.label == "CERTIFICATE"
        && let Ok(certificate) = Certificate::from_der(&block.contents)
    {
        return Ok(judged(&certificate, &[], Vec::new(), verifier));
    }
    let document = Document::read(contents)?;
    document.in_order()?;
    let mut certificates: Vec<Certificate> = document.items().iter().filter_map(Item::certificate).cloned().collect();
    let damage: Vec<RowReason> = document.items().iter().filter_map(damage).collect();
    if certificates.is_empty() {
        if damage.is_empty() {
            document.certificates()?;
        }
        return Ok(Judged { subject: None, accepted: false, reasons: damage });
    }
    let rest = certificates.split_off(1);
    match certificates.first() {
        Some(leaf) => Ok(judged(leaf, &rest, damage, verifier)),
        None => Ok(Judged { subject: None, accepted: false, reasons: damage }),
    }
}

fn damage(item: &Item) -> Option<RowReason> {
    match &item.content {
        Content::Malformed { what, why } => {
            let line = item.line.map(|line| format!("line {line}: ")).unwrap_or_default();
            Some(RowReason { check: "encoding", detail: format!("{line}the {what} is damaged: {why}") })
        }
        _ => None,
    }
}

fn judged(leaf: &Certificate, rest: &[Certificate], mut reasons: Vec<RowReason>, verifier: &Verifier) -> Judged {
    let verdict: Verdict = verifier.judge_with(leaf, rest);
    let accepted = verdict.is_accepted() && reasons.is_empty();
    let failures = verdict.attempts().iter().take(1).flat_map(|attempt| attempt.failures());
    reasons.extend(failures.map(|finding| RowReason {
        check: finding.check.name(),
        detail: finding.reason().map(Reason::to_string).unwrap_or_default(),
    }));
    Judged { subject: Some(leaf.subject().to_string()), accepted, reasons }
}

impl Report for Row {
    fn text(&self, text: &mut Text) {
        let file = safe(&self.file);
        let why = |reasons: &[RowReason]| reasons.iter().map(|it| it.detail.as_str()).collect::<Vec<_>>().join("; ");
        match self.accepted {
            Some(true) => text.line(format_args!("{}  {file}", good("accepted"))),
            Some(false) => text.line(format_args!("{}  {file}  {}", bad("rejected"), safe(why(&self.reasons)))),
            None => {
                let error = self.error.as_deref().unwrap_or_default();
                text.line(format_args!("{}  {file}  {}", warn("unjudged"), safe(error)));
            }
        }
    }
}
