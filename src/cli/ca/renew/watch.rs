//! `certkit ca renew --watch`: stay, and renew in time.
//!
//! Times are the wall clock's, asked again and again: a timer would stop while a laptop sleeps.

use std::{mem, thread};

use time::{Duration, OffsetDateTime};

use super::one::{self, Target};
use super::{Args, Done, Outcome, owed};
use crate::cli::ca::place::Chosen;
use crate::cli::clock::{self, from_now, rfc3339};
use crate::cli::exit::Exit;
use crate::cli::files::WriteSet;
use crate::cli::output::Session;
use crate::cli::text::good;
use crate::key;
use crate::x509::Certificate;

/// One certificate being watched.
struct Watched {
    which: String,
    /// When it is to be renewed.
    due: OffsetDateTime,
    /// How often in a row that failed.
    failures: u32,
}

pub(super) fn run(args: &Args, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    // What cannot be written now may be told in time, and not in months.
    let mut left = owed::Owed::default();
    for which in &args.which {
        let target = one::find(which, args, chosen, clock::now())?;
        WriteSet::check([target.place()], true, session)?;
        left.add_left(target.place());
    }
    let mut watched = Vec::new();
    for which in &args.which {
        // What cannot be watched from the start is a mistake, not something to wait for.
        let target = one::find(which, args, chosen, clock::now())?;
        let one = Watched { which: which.clone(), due: args.planned(&target)?, failures: 0 };
        one.tell(session);
        watched.push(one);
    }
    let mut is_heard = true;
    let mut owed = Owed::default();
    owed.add(left.left().to_vec(), left);
    loop {
        let mut done = Done::default();
        let due: Vec<OffsetDateTime> = watched.iter().map(|one| one.due).collect();
        for one in watched.iter_mut().filter(|one| one.due <= clock::now()) {
            match one.round(args, chosen, session) {
                Ok((place, outcome)) => {
                    done.owed.add(&place, &outcome);
                    done.certificates.push(outcome);
                }
                Err(error) => {
                    session.warn(format_args!(
                        "{} is not renewed, next attempt {}: {error:#}",
                        one.which,
                        rfc3339(one.due)
                    ));
                }
            }
        }
        owed.settle(args, &mut done, session);
        if !done.certificates.is_empty() || done.executed.is_some() {
            // Renewing goes on whoever listens; only a reader that has left is no fault.
            if let Err(error) = session.row(&done)
                && mem::take(&mut is_heard)
            {
                session.warn(format_args!("{error:#}: what is renewed is not told there any more"));
            }
        }
        for one in watched.iter().zip(due).filter(|(one, due)| one.failures == 0 && one.due != *due).map(|(one, _)| one)
        {
            one.tell(session);
        }
        let next = watched.iter().map(|one| one.due).chain(owed.due).min();
        let left = next.map_or(LONGEST_SLEEP, |next| next - clock::now());
        thread::sleep(left.clamp(SHORTEST_SLEEP, LONGEST_SLEEP).unsigned_abs());
    }
}

impl Watched {
    /// Says when it is its turn.
    fn tell(&self, session: &mut Session) {
        let Self { which, due, .. } = self;
        let (now, at) = (clock::now(), rfc3339(*due));
        if *due <= now {
            session.say(format_args!("{} {which}: due since {at}, so renewed now", good("watching")));
        } else {
            session.say(format_args!("{} {which}: renewed {} ({at})", good("watching"), from_now(*due, now)));
        }
    }

    /// Renews it, if it is due still: somebody else may have been first.
    fn round(
        &mut self,
        args: &Args,
        chosen: &Chosen,
        session: &mut Session,
    ) -> anyhow::Result<(std::path::PathBuf, Outcome)> {
        let now = clock::now();
        let (mut not_after, mut place) = (now, std::path::PathBuf::new());
        let mut attempt = || {
            let target = one::find(&self.which, args, chosen, now).inspect(|it| place = it.place().to_owned())?;
            not_after = target.not_after();
            let planned = args.due(&target);
            if planned - args.jitter(target.certificate()) > now {
                return Ok((args.planned(&target)?, Outcome::Kept(one::Kept::of(&target, now))));
            }
            let renewed = one::renew(target, args, now, session)?;
            // A certificate that is due as soon as it is made would be renewed without end: it has half of its time.
            let half = now + time_left(&renewed.new, now).checked_div(2).unwrap_or(Duration::ZERO);
            let due = args.planned_for(&renewed.new)?.max(half).max(now + SHORTEST_PAUSE);
            Ok((due, Outcome::Renewed(Box::new(renewed))))
        };
        match attempt() {
            Ok((due, outcome)) => {
                (self.due, self.failures) = (due, 0);
                Ok((place, outcome))
            }
            Err(error) => {
                self.failures += 1;
                self.due = now + pause(self.failures, not_after - now);
                Err(error)
            }
        }
    }
}

/// A program that has to run after a renewal, until it succeeds.
#[derive(Default)]
struct Owed {
    files: Vec<String>,
    remembered: owed::Owed,
    due: Option<OffsetDateTime>,
    failures: u32,
}

impl Owed {
    fn add(&mut self, files: Vec<String>, remembered: owed::Owed) {
        self.remembered.take(remembered);
        if !files.is_empty() {
            self.files.extend(files);
            self.files.sort();
            self.files.dedup();
            self.due = Some(clock::now());
        }
    }

    fn settle(&mut self, args: &Args, done: &mut Done, session: &mut Session) {
        self.add(done.files_to_tell(), std::mem::take(&mut done.owed));
        let (Some(command), Some(due)) = (&args.exec, self.due) else {
            *self = Self::default();
            return;
        };
        if due > clock::now() {
            return;
        }
        self.remembered.remember(session);
        let executed = command.execute(&self.files, &args.withheld());
        let (succeeded, told) = (executed.succeeded(), executed.in_words());
        done.executed = Some(executed);
        if succeeded {
            self.remembered.settle(session);
            *self = Self::default();
            return;
        }
        self.failures += 1;
        let next = clock::now() + pause(self.failures, Duration::HOUR);
        self.due = Some(next);
        session.warn(format_args!("the certificate is renewed, but {told}; next attempt {}", rfc3339(next)));
    }
}

impl Args {
    /// When a certificate will be renewed: when it is due, and a little earlier.
    fn planned(&self, target: &Target) -> anyhow::Result<OffsetDateTime> {
        if target.is_worthless() { Ok(clock::now()) } else { self.planned_for(target.certificate()) }
    }

    /// When it is due.
    fn due(&self, target: &Target) -> OffsetDateTime {
        if target.is_worthless() { clock::now() } else { self.due_at(target.certificate()) }
    }

    fn planned_for(&self, certificate: &Certificate) -> anyhow::Result<OffsetDateTime> {
        let mut bytes = [0; 4];
        key::random(&mut bytes)?;
        let most = self.jitter(certificate).whole_seconds();
        let part = i64::from(u32::from_be_bytes(bytes)) % (most + 1);
        Ok(self.due_at(certificate) - Duration::seconds(part))
    }

    /// How much earlier at most: a tenth of what the certificate has left when it is due, and half a day at most.
    fn jitter(&self, certificate: &Certificate) -> Duration {
        let left = time_left(certificate, self.due_at(certificate));
        left.checked_div(10).unwrap_or(Duration::ZERO).clamp(Duration::ZERO, Duration::hours(12))
    }
}

fn time_left(certificate: &Certificate, now: OffsetDateTime) -> Duration {
    certificate.validity().not_after - now
}

/// How long to wait after so many failures: a minute, then twice as long each time up to an hour; but a tenth of what is left
/// where that is less.
fn pause(failures: u32, left: Duration) -> Duration {
    let doubled = Duration::MINUTE * 2_i32.saturating_pow(failures.saturating_sub(1).min(10));
    doubled.min(Duration::HOUR).min(left.checked_div(10).unwrap_or(Duration::ZERO).max(Duration::SECOND))
}

/// Steps in which the wall clock is asked: as late as this a machine that woke renews.
const LONGEST_SLEEP: Duration = Duration::seconds(15);
const SHORTEST_SLEEP: Duration = Duration::milliseconds(200);

/// Between two renewals of one certificate.
const SHORTEST_PAUSE: Duration = Duration::SECOND;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_come_more_seldom_but_never_too_late() {
        let pauses = |left| [1, 2, 3, 7, 100].map(|failures| pause(failures, left).whole_seconds());
        assert_eq!(pauses(Duration::days(30)), [60, 120, 240, 3600, 3600]);
        assert_eq!(pauses(Duration::minutes(10)), [60, 60, 60, 60, 60]);
        assert_eq!(pauses(Duration::seconds(5)), [1; 5]);
        assert_eq!(pauses(-Duration::DAY), [1; 5]);
    }
}
