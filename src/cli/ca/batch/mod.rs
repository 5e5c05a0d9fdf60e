//! `certkit ca issue --batch`: many keys and certificates, on all cores.
//!
//! Threads make keys and sign; one records what they made, as many certificates in a transaction as are ready; then
//! threads write the files. So no certificate is seen that the ledger does not know, and the disk is waited for once for
//! many. Rows come in the order of the list, and at most a few thousand certificates are held at a time.

mod leftovers;
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
use super::place::{self, Chosen};
use crate::ca::{Action, Signatory, Unrecorded};
use crate::cli::ca::own_files::OutOfBounds;
use crate::cli::exit::Exit;
use crate::cli::files::{self, Destination, Turn};
use crate::cli::making::fresh_serial;
use crate::cli::output::{Report, Session, shown};
use crate::cli::problem::Hinted;
use crate::cli::progress;
use crate::cli::signals::finish_first;
use crate::cli::text::Text;
use crate::project::Format;

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
    (list, chosen): (&std::path::Path, &Chosen),
    args: &BatchArgs,
    standard: Standard,
    force: bool,
    kept: &OutOfBounds,
    signatory: &mut Signatory<'_>,
    session: &mut Session,
) -> anyhow::Result<Exit> {
    let folder = args.out_dir.clone().unwrap_or_else(|| ".".into());
    if args.out_dir.is_some() {
        files::may_be_folder(&folder)?;
    } else if !folder.is_dir() {
        return Err(anyhow!("there is no folder {}", shown(&folder)));
    }
    // Files in the way are looked for before anything is recorded: another batch may put none there meanwhile.
    let turn = Turn::wait(&folder, "writes a batch into", session)?;
    let destination = Destination::new(&folder, force);
    leftovers::clear_away(&destination, chosen, session)?;
    let mut source = Source::open(list, args.format)?;
    let press = signatory.press();
    let planner = Planner::new(standard, &press, &destination, kept, files::resolved(&folder));
    let count = if args.keep_going { None } else { Some(check(&mut source, planner.clone(), session)?) };
    files::make_folder(&folder)?;
    destination.takes_files()?;
    let bench = Bench::new(press.clone(), destination.clone(), args.out_dir.is_some().then_some(folder));
    let told = produce(&mut source, planner, &bench, (signatory, chosen), count, session);
    destination.sync();
    // A batch that issues nothing leaves no folder behind.
    drop(turn);
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
    (signatory, chosen): (&mut Signatory<'_>, &Chosen),
    count: Option<u64>,
    session: &mut Session,
) -> anyhow::Result<Exit> {
    let queue = Arc::new(Queue::new());
    // What is under way is finished, so that no certificate is without its key.
    let told = Arc::clone(&queue);
    finish_first(move || told.interrupt())?;
    let queue = queue.as_ref();
    let (results, done) = channel();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let feeder = scope.spawn(move || {
            let mut chunk = Vec::with_capacity(CHUNK);
            let (mut asked, mut is_cut) = (0_u64, false);
            let fed = source.each(|wish| {
                asked += 1;
                chunk.push(planner.plan(wish));
                if chunk.len() < CHUNK {
                    return Ok(true);
                }
                is_cut = !queue.feed(std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK)));
                Ok(!is_cut)
            });
            queue.feed(chunk);
            queue.all_fed();
            fed.map(|()| (!is_cut).then_some(asked))
        });
        for _ in 0..threads {
            let results = results.clone();
            scope.spawn(move || work::work(queue, bench, &results));
        }
        drop(results);
        let bar = progress_bar(session, count);
        let mut teller = Teller { bar, session, is_heard: true, issued: 0, refused: 0, lost: 0 };
        record(queue, &done, signatory, &mut teller);
        queue.stop();
        let fed = feeder.join().unwrap_or_else(|_| Err(anyhow!("a thread failed")));
        teller.bar.finish_and_clear();
        let Teller { issued, refused, lost, session, .. } = teller;
        session.say(format_args!("{issued} issued, {refused} refused, {lost} lost"));
        let recorded = |all: Option<u64>| {
            let lost_too = if lost > 0 { format!(", {lost} are lost") } else { String::new() };
            let rest = if all == Some(issued + refused + lost) { "" } else { ", the rest is not issued" };
            format!("{issued} certificates are issued and their files in place{lost_too}{rest}")
        };
        let all = fed.with_context(|| recorded(None))?;
        if let Some(failure) = queue.failure() {
            let flag = chosen.flag_to_sign();
            let revoke = || {
                format!(
                    "revoke each that is lost, certkit ca revoke SERIAL{flag}; then mend this, and run it again with \
                     --keep-going, which passes over those whose files are there"
                )
            };
            return Err(failure).with_context(|| recorded(all)).hint_if((lost > 0).then(revoke));
        }
        if queue.is_interrupted() {
            return Err(anyhow!(
                "interrupted: {issued} certificates are issued and their files in place, the rest is not begun"
            ))
            .hint("run it again with --keep-going, which passes over those whose files are there");
        }
        Ok(if lost > 0 { Exit::CouldNot } else { Exit::of(refused == 0) })
    })
}

/// Records what is made and has it written, until all is told. Once something fails nothing more is recorded; what is
/// recorded already is written and told.
fn record(
    queue: &Queue,
    done: &std::sync::mpsc::Receiver<work::Done>,
    signatory: &mut Signatory<'_>,
    teller: &mut Teller<'_>,
) {
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
            for Numbered { number, what } in recorded(queue, made, signatory) {
                early.insert(number, what);
            }
        }
        while let Some(rows) = early.remove(&next) {
            next += 1;
            for row in &rows {
                if let Err(error) = teller.tell(row) {
                    queue.fail(error);
                }
            }
            queue.told();
        }
    }
}

/// Records what is made and hands it on to be written. Where that fails the lines that were refused are left to be told.
fn recorded(
    queue: &Queue,
    made: Vec<Numbered<Vec<work::Made>>>,
    signatory: &mut Signatory<'_>,
) -> Vec<Numbered<Vec<Row>>> {
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
        if !queue.has_failed() {
            match signatory.record_all(unrecorded, &mut fresh_serial, &place::act(Action::Issue)) {
                Ok(all) => issued = all,
                Err(error) => queue.fail(error.into()),
            }
        }
        if issued.is_empty() {
            return chunks.into_iter().map(|(number, rest)| Numbered { number, what: refused(rest) }).collect();
        }
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
    Vec::new()
}

/// The rows of the lines that were refused.
fn refused(chunk: Vec<Result<work::Keyed, (u64, String)>>) -> Vec<Row> {
    chunk.into_iter().filter_map(Result::err).map(|(line, why)| Row::refused(line, why)).collect()
}

struct Teller<'a> {
    bar: ProgressBar,
    session: &'a mut Session,
    /// Whether stdout takes the rows. Once it does not they go to stderr.
    is_heard: bool,
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
        let told = match self.is_heard {
            true => self.bar.suspend(|| self.session.row(row)),
            false => Ok(()),
        };
        self.is_heard &= told.is_ok();
        if !self.is_heard {
            let mut text = Text::new();
            row.text(&mut text);
            self.bar.suspend(|| self.session.say(text.as_str().trim_end()));
        }
        told
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
/// How many faulty lines are told one by one.
const TOLD: u64 = 20;
