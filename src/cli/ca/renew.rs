//! `certkit ca renew`: certificates in the place of others.

mod authority;
mod command;
mod one;
mod owed;
mod target;
mod unit;
mod watch;

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use serde::Serialize;
use time::{Duration, OffsetDateTime};

use self::command::Command;
use self::one::{Kept, Renewed, Target};
use self::owed::Owed;
use super::place::Chosen;
use super::signer::SignerArgs;
use crate::ca::renewal;
use crate::cli::clock::{self, parse_span};
use crate::cli::exit::Exit;
use crate::cli::making::LifetimeArgs;
use crate::cli::output::{Report, Session};
use crate::cli::passphrase::PassphraseSource;
use crate::cli::problem::{Hinted, Problem};
use crate::cli::text::{Text, bad, strong};
use crate::key::KeyAlgorithm;
use crate::x509::Certificate;

/// Renew certificates: the same names and profile, a new serial number
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
The new certificate is for the same key, unless --rekey makes a new one, and as long as the old one was. It takes the place of
the old one in its file in one step, so a server never reads half of it; what else is in that file, such as a key, stays. A
serial number or name stands for the file that `certkit ca issue` wrote: api.test.pem in this folder. A link stays and leads to
the new file; owner, group and permissions stay as well. The old certificate is not revoked.

--rekey looks for the old key where `certkit ca issue` puts it, beside the certificate; where it has another name, --keyout
says so.

--if-expires-within does nothing while there is more time left, and says so; the exit status is 0 either way. What is not valid
yet, because the clock was ahead when it was made, is renewed at once.

What another authority of the CA has issued is renewed below that of --issuer, with all that this one allows and refuses; so is
what a revoked authority has issued, or one whose key or certificate is gone. With --if-expires-within what is below a revoked
authority is renewed at once there, whatever time it has left. From then on the new authority renews it.

The certificate of an authority is renewed too, by its name, serial number or file: for the same name and key, with the same
limits, signed by the authority above it, or by itself where it is a root. It takes the place of the old one in the CA's
folder, also in the chains of those below it, and what was issued before stays valid. Clients have to be given the new
certificate of a root before the old one ends. A new key makes another authority: certkit ca intermediate.

--watch stays and renews each in time: with --if-expires-within, or when a third of its time is left, and a little earlier at
random so that many machines do not come at once. It goes by the wall clock: a laptop that slept renews when it wakes. What
fails is tried again. When the next renewal is due is said on stderr. It goes on where nobody reads its stdout any more, or that
cannot be written. --print-unit prints a systemd unit that does this.

What is wrong with one of several leaves the others their turn: each fault is told, --exec runs for what was renewed, and the
exit status is 2. A file that is given twice is renewed once. Until the program has succeeded, .api.test.pem.certkit-exec beside
api.test.pem says that it has not, and the next run with --exec runs it again, whether or not it renews (with --out, which is for
one renewal, there is no such file).

--exec runs a program after a renewal, as the same user, without a shell: the line is split at spaces, quotes keep words
together, and nothing is expanded; a line with | & ; < > $ or ` is refused (say sh -c '...' yourself). What it prints goes to
stderr. CERTKIT_RENEWED has the files that changed, one a line. Of passphrases it learns nothing: variables with one are taken
away, and fd:N is refused where it is an open file, which the program could read too.

Exit status: 0 renewed, or kept because there is time left; 2 one could not be renewed, or the program failed.

For example:
  certkit ca renew api.test
  certkit ca renew --if-expires-within 30d /etc/nginx/api.test.pem --exec 'systemctl reload nginx'
  certkit ca renew api.test --issuer web
  certkit ca renew issuing --ca-key root-key.pem
  certkit ca renew --rekey 7742b03fcc84b8505a41e13550ce4635
  certkit ca renew --watch *.pem --exec 'systemctl reload nginx'
  certkit ca renew --print-unit /etc/nginx/api.test.pem --exec 'systemctl reload nginx'

With --json the answer is an object: `certificates`, each with `which`, `renewed`, `why` (where it was kept), `not_after`,
`replaces` (the old serial number) and, where it was renewed, `authority` (the one that has signed it), `moved_from` (the one
before, where that is another; or null), `certificate_file`, `key_file` (null for the old key) and
`subject` to `objections` as `certkit ca issue` answers, or where one of several could not be renewed `error` (`message` and
`hint`); and `executed` (the program and its exit status, or `error` where it could not be run; or null). With
--watch there is one such object a line, for each time that something was done; with --print-unit, `unit`.")]
pub(super) struct Args {
    /// Which: serial numbers in hexadecimal, names, or files with the certificate first
    #[arg(value_name = "NAME|SERIAL|FILE", required = true)]
    which: Vec<String>,

    /// Renew only what expires within this time: 30d, 12h
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    if_expires_within: Option<Duration>,

    /// Make a new key
    #[arg(long)]
    rekey: bool,

    /// The kind of the new key [default: as before]
    #[arg(long = "type", value_name = "TYPE", requires = "rekey")]
    key_type: Option<KeyAlgorithm>,

    /// Encrypt the new key under a passphrase
    #[arg(long, requires = "rekey")]
    encrypt: bool,

    /// Where the passphrase of the new key comes from: prompt, file:PATH, env:NAME or fd:N
    #[arg(long, value_name = "SOURCE", requires = "encrypt")]
    passphrase: Option<PassphraseSource>,

    #[command(flatten)]
    lifetime: LifetimeArgs,

    /// The profile, where the one it was made by is not to be found any more
    #[arg(long, value_name = "NAME|FILE")]
    profile: Option<String>,

    /// Where the certificate goes, if not in the place of the old one; `-` is stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Where the key is, and the new one goes [default: after the certificate, a.test-key.pem beside a.test.pem]
    #[arg(long, value_name = "FILE", requires = "rekey")]
    keyout: Option<PathBuf>,

    /// Replace files that hold something else; and renew an authority whose serial number certificates name that it has issued
    #[arg(long)]
    force: bool,

    /// Run a program after a renewal: 'systemctl reload nginx'
    #[arg(long, value_name = "COMMAND")]
    exec: Option<Command>,

    /// Stay, and renew each in time
    #[arg(long)]
    watch: bool,

    /// Print a systemd unit that watches, instead of doing so
    #[arg(long)]
    print_unit: bool,

    #[command(flatten)]
    signer: SignerArgs,
}

pub(super) fn run(args: Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    if args.which.len() > 1 && (args.out.is_some() || args.keyout.is_some()) {
        return Err(anyhow!("--out and --keyout are for one certificate")).hint("renew each by itself");
    }
    if (args.print_unit || args.watch) && args.out.is_some() {
        return Err(anyhow!("--out is for one renewal")).hint("a certificate that is watched stays where it is");
    }
    if args.print_unit {
        return unit::run(&args, chosen, session);
    }
    args.hands_nothing_down()?;
    if args.watch {
        return watch::run(&args, chosen, session);
    }
    let now = clock::making_now()?;
    let mut done = Done::default();
    // What is wrong with one of several leaves the others their turn; what is wrong with the only one is the answer.
    let several = args.which.len() > 1;
    let mut failures = 0_usize;
    let mut seen: Vec<PathBuf> = Vec::new();
    let found: Vec<_> = args.which.iter().map(|which| (which, one::find(which, &args, chosen, now))).collect();
    for (which, found) in found {
        // One file is renewed once, however often and by whatever name it is given.
        let place = found.as_ref().map_or_else(|_| PathBuf::from(which), |target| target.place().to_owned());
        if seen.contains(&place) {
            continue;
        }
        seen.push(place.clone());
        match found.and_then(|target| args.in_turn(target, now, session)) {
            Ok(outcome) => {
                // What goes elsewhere is renewed once.
                if args.out.is_none() {
                    done.owed.add(&place, &outcome);
                }
                done.certificates.push(outcome);
            }
            Err(error) if several => {
                let error = error.context(format!("cannot renew {which}"));
                session.fail(&error);
                failures += 1;
                done.certificates.push(Outcome::Failed(Failed::of(which, &error)));
            }
            Err(error) => return Err(error),
        }
    }
    let failed = done.execute(args.exec.as_ref(), &args.withheld(), session);
    let (told, files) = (session.answer(&done), done.files());
    match files.is_empty() {
        true => told?,
        false => told.with_context(|| format!("what is renewed is written to {}", files.join(", ")))?,
    }
    failed?;
    Ok(if failures == 0 { Exit::Yes } else { Exit::CouldNot })
}

impl Args {
    /// Renews it, unless it has as much time left as was asked for.
    fn in_turn(&self, target: Target, now: OffsetDateTime, session: &mut Session) -> anyhow::Result<Outcome> {
        let has_time = |span: Duration| target.not_after() - now > span;
        let is_valid = !renewal::is_not_yet_valid(target.certificate(), now);
        if is_valid && !target.is_worthless() && self.if_expires_within.is_some_and(has_time) {
            return Ok(Outcome::Kept(Kept::of(&target, now)));
        }
        Ok(Outcome::Renewed(Box::new(one::renew(target, self, now, session)?)))
    }

    /// Variables of the environment that hold passphrases: no program that is run needs them.
    fn withheld(&self) -> Vec<&str> {
        let sources = [self.passphrase.as_ref(), self.signer.given().0];
        sources.into_iter().flatten().filter_map(PassphraseSource::variable).collect()
    }

    /// Refuses a passphrase that the program of --exec could read.
    fn hands_nothing_down(&self) -> anyhow::Result<()> {
        let sources = [self.passphrase.as_ref(), self.signer.given().0];
        match sources.into_iter().flatten().find(|source| self.exec.is_some() && source.is_handed_down()) {
            Some(source) => Err(anyhow!("{source} is an open file, and the program of --exec could read it too"))
                .hint("write file:PATH; or have a pipe there, which is empty once it is read: 3< <(cat FILE)"),
            None => Ok(()),
        }
    }
}

/// What a run did, or one round of watching.
#[derive(Debug, Default, Serialize)]
struct Done {
    certificates: Vec<Outcome>,
    executed: Option<command::Executed>,
    #[serde(skip)]
    owed: Owed,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Outcome {
    Renewed(Box<Renewed>),
    Kept(Kept),
    Failed(Failed),
}

/// One of several that could not be renewed.
#[derive(Debug, Serialize)]
struct Failed {
    which: String,
    renewed: bool,
    error: Problem,
}

impl Failed {
    fn of(which: &str, error: &anyhow::Error) -> Self {
        Self { which: which.to_owned(), renewed: false, error: error.into() }
    }
}

impl Done {
    /// The files that changed.
    fn files(&self) -> Vec<String> {
        let files = |outcome: &Outcome| match outcome {
            Outcome::Renewed(renewed) => renewed.files.clone(),
            Outcome::Kept(_) | Outcome::Failed(_) => Vec::new(),
        };
        self.certificates.iter().flat_map(files).collect()
    }

    /// The files that changed, and those that an earlier run has changed and the program has not succeeded for.
    fn files_to_tell(&self) -> Vec<String> {
        [self.files().as_slice(), self.owed.left()].concat()
    }

    /// Runs the program, if anything changed.
    fn execute(&mut self, command: Option<&Command>, withheld: &[&str], session: &mut Session) -> anyhow::Result<()> {
        let files = self.files_to_tell();
        let Some(command) = command.filter(|_| !files.is_empty()) else { return Ok(()) };
        self.owed.remember(session);
        let executed = command.execute(&files, withheld);
        let succeeded = executed.succeeded();
        let told = executed.in_words();
        self.executed = Some(executed);
        if !succeeded {
            return Err(anyhow!("{told}")).context("the certificate was renewed, but");
        }
        self.owed.settle(session);
        Ok(())
    }
}

impl Report for Done {
    fn text(&self, text: &mut Text) {
        for outcome in &self.certificates {
            match outcome {
                Outcome::Renewed(renewed) => renewed.text(text),
                Outcome::Kept(kept) => kept.text(text),
                Outcome::Failed(failed) => text.line(format_args!("{}  {}", bad("failed"), strong(&failed.which))),
            }
        }
        if let Some(executed) = &self.executed {
            text.line(executed.in_words());
        }
    }
}

impl Args {
    /// When a certificate is due: as long before its end as was asked for, or once two thirds of its time are over; at once
    /// where it is not valid yet.
    fn due_at(&self, certificate: &Certificate) -> OffsetDateTime {
        let now = clock::now();
        if renewal::is_not_yet_valid(certificate, now) {
            return now;
        }
        match self.if_expires_within {
            Some(span) => certificate.validity().not_after - span,
            None => renewal::usual_moment(certificate),
        }
    }
}
