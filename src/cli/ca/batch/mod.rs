//! `certkit ca issue --batch`: many keys and certificates, on all cores.
//!
//! Threads make keys and sign; one records what they made, as many certificates in a transaction as are ready; then
//! threads write the files. So no certificate is seen that the ledger does not know, and the disk is waited for once for
//! many. Rows come in the order of the list, and at most a few thousand certificates are held at a time.

mod plan;
mod queue;
mod row;
mod source;
mod work;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow};
use indicatif::ProgressBar;

use self::plan::Planner;
pub(super) use self::plan::Standard;
use self::queue::{Numbered, Queue};
use self::row::Row;
use self::source::Source;
use self::work::Bench;
use super::place;
use crate::ca::{Action, Signatory, Unrecorded};
use crate::cli::ca::own_files::OutOfBounds;
use crate::cli::exit::Exit;
use crate::cli::files::{self, Destination};
use crate::cli::load::Loaded;
use crate::cli::making::fresh_serial;
use crate::cli::output::{Session, shown};
use crate::cli::problem::{Hinted, plain};
use crate::cli::progress;
use crate::project::Format;
use crate::serve::on_signal;

/// Many certificates at once
#[derive(Debug, clap::Args)]
pub(super) struct BatchArgs {
    /// Issue a certificate for each line of this list; `-` is stdin
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["names", "cn", "san", "subject", "key", "encrypt", "passphrase", "keyout", "out"]
    )]
    pub(super) batch: Option<PathBuf>,

    /// How the list is written: lines, csv or toml [default: by the file's name, or its first line]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,

    /// The folder for the files of a batch, made if it is missing [default: this one]
    #[arg(long, value_name = "DIR")]
    out_dir: Option<PathBuf>,

    /// Pass over lines of a batch that cannot be issued, instead of issuing none
    #[arg(long)]
    keep_going: bool,
}

impl BatchArgs {
    /// Refuses flags of a batch where there is none. (clap's own rule gives way where names stand in the place of a list.)
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let flags = [("--format", self.format.is_some()), ("--out-dir", self.out_dir.is_some())];
        let given = flags.into_iter().chain([("--keep-going", self.keep_going)]).find(|(_, given)| *given);
        match given {
            Some((flag, _)) if self.batch.is_none() => Err(anyhow!("{flag} has no effect without --batch"))
                .hint("leave it out, or give a list with --batch FILE"),
            _ => Ok(()),
        }
    }
}

/// Issues all of a list.
pub(super) fn run(
    list: &std::path::Path,
    args: &BatchArgs,
    standard: Standard,
    force: bool,
    kept: &OutOfBounds,
    signatory: &mut Signatory<'_>,
    session: &mut Session,
) -> anyhow::Result<Exit> {
    let folder = args.out_dir.clone().unwrap_or_else(|| ".".into());
    if args.out_dir.is_some() {
        files::make_folder(&folder)?;
    } else if !folder.is_dir() {
        return Err(anyhow!("there is no folder {}", shown(&folder)));
    }
    let destination = Destination::new(&folder, force);
    clear_away(&destination, session)?;
    let mut source = Source::open(list, args.format)?;
    let press = signatory.press();
    let planner = Planner::new(standard, &press, &destination, kept, files::resolved(&folder));
    let count = if args.keep_going { None } else { Some(check(&mut source, planner.clone(), session)?) };
    let bench = Bench::new(press.clone(), destination.clone(), args.out_dir.is_some().then_some(folder));
    let told = produce(&mut source, planner, &bench, signatory, count, session);
    destination.sync();
    told
}

/// Goes through the whole list before anything is made. Returns how many certificates it asks for.
fn check(source: &mut Source, mut planner: Planner<'_>, session: &mut Session) -> anyhow::Result<u64> {
    let (mut count, mut refused) = (0, 0_u64);
    let name = source.name().to_owned();
    source.each(|wish| {
        count += 1;
        if let Err((line, why)) = planner.plan(wish) {
            refused += 1;
            if refused <= TOLD {
                session.fail(&anyhow!("{name}:{line}: {why}"));
            }
        }
        Ok(true)
    })?;
    match (count, refused) {
        (0, _) => Err(anyhow!("{name} asks for no certificate")),
        (_, 0) => Ok(count),
        (_, refused) => Err(anyhow!("nothing was issued: {refused} of {count} lines are refused"))
            .hint("--keep-going issues the others"),
    }
}

/// Makes, records and writes everything, and tells it row by row.
fn produce(
    source: &mut Source,
    mut planner: Planner<'_>,
    bench: &Bench<'_>,
    signatory: &mut Signatory<'_>,
    count: Option<u64>,
    session: &mut Session,
) -> anyhow::Result<Exit> {
    let queue = Arc::new(Queue::new());
    end_at_signals(Arc::clone(&queue))?;
    let queue = queue.as_ref();
    let (results, done) = channel();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let feeder = scope.spawn(move || {
            let mut chunk = Vec::with_capacity(CHUNK);
            let fed = source.each(|wish| {
                chunk.push(planner.plan(wish));
                if chunk.len() < CHUNK {
                    return Ok(true);
                }
                Ok(queue.feed(std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK))))
            });
            queue.feed(chunk);
            queue.all_fed();
            fed
        });
        for _ in 0..threads {
            let results = results.clone();
            scope.spawn(move || work::work(queue, bench, &results));
        }
        drop(results);
        let mut teller = Teller { bar: progress_bar(session, count), session, issued: 0, refused: 0, lost: 0 };
        let told = record(queue, &done, signatory, &mut teller);
        queue.stop();
        let fed = feeder.join().unwrap_or_else(|_| Err(anyhow!("a thread failed")));
        teller.bar.finish_and_clear();
        let Teller { issued, refused, lost, session, .. } = teller;
        session.say(format_args!("{issued} issued, {refused} refused, {lost} lost"));
        let recorded = || format!("{issued} certificates were issued before");
        fed.with_context(recorded)?;
        told.with_context(recorded)?;
        if queue.is_interrupted() {
            return Err(anyhow!(
                "interrupted: {issued} certificates are issued and their files in place, the rest is not begun"
            ))
            .hint("run it again with --keep-going, which passes over those whose files are there");
        }
        Ok(if lost > 0 { Exit::CouldNot } else { Exit::of(refused == 0) })
    })
}

/// The first SIGINT or SIGTERM has what is under way finished, so that no certificate is without its key; the second one
/// ends the process.
fn end_at_signals(queue: Arc<Queue>) -> anyhow::Result<()> {
    let signals = on_signal(move |count| match count {
        1 => queue.interrupt(),
        // As shells have it for a program that SIGINT ended.
        _ => std::process::exit(130),
    });
    signals.map_err(plain).context("cannot wait for signals")
}

/// Tells of what runs that were killed left in the folder, and removes it: there are private keys in it.
fn clear_away(destination: &Destination, session: &mut Session) -> anyhow::Result<()> {
    for abandoned in destination.abandoned() {
        let (folder, mut serials) = (shown(abandoned.folder()), Vec::new());
        for file in abandoned.files() {
            // Of a pair with its key the certificate alone is one.
            let read = Loaded::read(&file).and_then(|loaded| loaded.certificates());
            serials.extend(read.ok().and_then(|chain| chain.first().map(|it| it.serial().to_string())));
        }
        abandoned.remove()?;
        let more = serials.len().saturating_sub(SERIALS_TOLD);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        serials.truncate(SERIALS_TOLD);
        session.warn(match serials.is_empty() {
            true => format!("removed {folder}, which a run that was killed had left"),
            false => format!(
                "removed {folder}, which a run that was killed had left: the keys of certificates that are recorded and \
                 nobody has; revoke them with certkit ca revoke {}{more}",
                serials.join(" ")
            ),
        });
    }
    Ok(())
}

/// Records what is made and has it written, until all is told.
fn record(
    queue: &Queue,
    done: &std::sync::mpsc::Receiver<work::Done>,
    signatory: &mut Signatory<'_>,
    teller: &mut Teller<'_>,
) -> anyhow::Result<()> {
    let mut early = std::collections::BTreeMap::new();
    let mut next = 0;
    while let Ok(first) = done.recv() {
        let mut made = Vec::new();
        let mut ready = Some(first);
        // What is made in quick succession shares a transaction.
        while let Some(chunk) = ready {
            match chunk {
                work::Done::Made(chunk) => made.push(chunk),
                work::Done::Written(Numbered { number, what }) => {
                    early.insert(number, what);
                }
            }
            ready = match made.len() {
                0 => done.try_recv().ok(),
                TOGETHER.. => None,
                _ => done.recv_timeout(PAUSE).ok(),
            };
        }
        if !made.is_empty() {
            recorded(queue, made, signatory)?;
        }
        while let Some(rows) = early.remove(&next) {
            next += 1;
            rows.iter().try_for_each(|row| teller.tell(row))?;
            queue.told();
        }
    }
    Ok(())
}

fn recorded(queue: &Queue, made: Vec<Numbered<Vec<work::Made>>>, signatory: &mut Signatory<'_>) -> anyhow::Result<()> {
    let mut unrecorded: Vec<Unrecorded> = Vec::new();
    let mut chunks = Vec::new();
    for Numbered { number, what } in made {
        let mut rest = Vec::with_capacity(what.len());
        for made in what {
            rest.push(match made {
                work::Made::Certificate { unrecorded: certificate, order } => {
                    unrecorded.push(*certificate);
                    Ok(order)
                }
                work::Made::Refused { line, why } => Err((line, why)),
            });
        }
        chunks.push((number, rest));
    }
    let mut issued = Vec::new();
    if !unrecorded.is_empty() {
        issued = signatory.record_all(unrecorded, &mut fresh_serial, &place::act(Action::Issue))?;
    }
    let mut issued = issued.into_iter();
    for (number, rest) in chunks {
        let what = rest.into_iter().map(|order| match order {
            Ok(order) => match issued.next() {
                Some(issued) => work::Recorded::Certificate { issued, order },
                None => work::Recorded::Refused { line: order.line, why: "it was not recorded".to_owned() },
            },
            Err((line, why)) => work::Recorded::Refused { line, why },
        });
        queue.write(Numbered { number, what: what.collect() });
    }
    Ok(())
}

struct Teller<'a> {
    bar: ProgressBar,
    session: &'a mut Session,
    issued: u64,
    refused: u64,
    lost: u64,
}

impl Teller<'_> {
    fn tell(&mut self, row: &Row) -> anyhow::Result<()> {
        *match row.outcome() {
            row::Outcome::Issued => &mut self.issued,
            row::Outcome::Refused => &mut self.refused,
            row::Outcome::Lost => &mut self.lost,
        } += 1;
        self.bar.inc(1);
        self.bar.suspend(|| self.session.row(row))
    }
}

fn progress_bar(session: &Session, count: Option<u64>) -> ProgressBar {
    let template = match count {
        Some(_) => "{bar:30} {pos} of {len} issued, {per_sec}, {eta} left",
        None => "{spinner} {pos} issued, {per_sec}, {elapsed}",
    };
    progress::bar(session, count, template)
}

/// How many lines go to a thread at a time.
const CHUNK: usize = 64;
/// How many chunks share a transaction at most. Each transaction writes a page for nearly every certificate to the log of the
/// ledger, and waits for the disk once.
const TOGETHER: usize = 16;
/// How long the ledger waits for another chunk.
const PAUSE: Duration = Duration::from_millis(5);
/// How many serial numbers of certificates without keys are told.
const SERIALS_TOLD: usize = 8;
/// How many faulty lines are told one by one.
const TOLD: u64 = 20;
